//! Segment files: `00000001.log`, ..., each with a header of 48 bytes, little-endian.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | magic `CLSTJRNL` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | number of the segment |
//! | 16 | 16 | id of the store |
//! | 32 | 8 | sequence number of the first frame |
//! | 40 | 4 | zero |
//! | 44 | 4 | crc32c of the 44 bytes before |
//!
//! A segment gets its name only when its header is durable, so a header is never torn.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{Error, Result};
use crate::store::durable;

/// Bytes of a segment's header.
pub(super) const SEGMENT_HEADER_BYTES: u64 = 48;

const MAGIC: [u8; 8] = *b"CLSTJRNL";
const FORMAT: u32 = 1;
const UNFINISHED: &str = "new";

/// Header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub id: [u8; 16],
    pub segment: u32,
    pub first_sequence: u64,
}

impl SegmentHeader {
    fn bytes(&self) -> [u8; SEGMENT_HEADER_BYTES as usize] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.id);
        bytes[32..40].copy_from_slice(&self.first_sequence.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..44]);
        bytes[44..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn parse(path: &Path, bytes: &[u8; SEGMENT_HEADER_BYTES as usize]) -> Result<SegmentHeader> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        if bytes[..8] != MAGIC {
            return Err(Error::damaged(path, 0, "this is no journal segment"));
        }
        // The version comes before the checksum: a newer format may place it elsewhere.
        if word(8) > FORMAT {
            return Err(Error::Format { path: path.to_owned(), found: word(8), known: FORMAT });
        }
        if crc32c::crc32c(&bytes[..44]) != word(44) {
            return Err(Error::damaged(path, 0, "the segment's header does not match its checksum"));
        }
        Ok(SegmentHeader {
            id: bytes[16..32].try_into().expect("sixteen bytes"),
            segment: word(12),
            first_sequence: u64::from_le_bytes(bytes[32..40].try_into().expect("eight bytes")),
        })
    }
}

/// Returns the path of a segment.
pub(super) fn segment_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:08}.log"))
}

/// Returns the numbers of all segments, ascending.
pub(super) fn list(dir: &Path) -> Result<Vec<u32>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir).map_err(|source| Error::io(dir, source))? {
        let path = entry.map_err(|source| Error::io(dir, source))?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some("log"), Some(number)) = (path.extension().and_then(|found| found.to_str()), number) {
            segments.push(number);
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Creates a segment; file and name are durable when it returns.
pub(super) fn create(dir: &Path, header: &SegmentHeader) -> Result<File> {
    let path = segment_path(dir, header.segment);
    let unfinished = path.with_extension(UNFINISHED);
    let work = || -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unfinished)?;
        file.write_all_at(&header.bytes(), 0)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        Ok(file)
    };
    match work() {
        Ok(file) => {
            sync_dir(dir)?;
            Ok(file)
        }
        Err(source) => {
            // Best effort: what is left is removed at the next open.
            let _ = fs::remove_file(&unfinished);
            Err(Error::io(&path, source))
        }
    }
}

/// Opens a segment and checks its header.
pub(super) fn open(dir: &Path, segment: u32, id: [u8; 16], write: bool) -> Result<(File, SegmentHeader)> {
    let path = segment_path(dir, segment);
    let file =
        OpenOptions::new().read(true).write(write).open(&path).map_err(|source| Error::io(&path, source))?;
    let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
    file.read_exact_at(&mut bytes, 0).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => Error::damaged(&path, 0, "the segment's header is cut off"),
        _ => Error::io(&path, source),
    })?;
    let header = SegmentHeader::parse(&path, &bytes)?;
    if header.id != id {
        return Err(Error::OtherStore { path, found: header.id, expected: id });
    }
    if header.segment != segment {
        return Err(Error::damaged(&path, 0, "the segment has another segment's number inside"));
    }
    Ok((file, header))
}

/// Removes segments whose creation was interrupted; they never held a frame.
pub(super) fn remove_unfinished(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|source| Error::io(dir, source))? {
        let path = entry.map_err(|source| Error::io(dir, source))?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
        }
    }
    Ok(())
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    durable::sync_directory(dir).map_err(|source| Error::io(dir, source))
}
