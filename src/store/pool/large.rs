//! Large contents: files of their own, in independent chunks, readable anywhere.
//!
//! `large/<first two digits>/<id>`, little-endian:
//!
//! | bytes | |
//! |---|---|
//! | 8 | magic `CLSTLRGE` |
//! | 4, 4 | format version, 1; bytes of a chunk, raw |
//! | ... | chunks one after the other, each one zstd frame, or raw when that is smaller |
//! | 40 each | table: end offset of the chunk (u64; top bit: raw), BLAKE3 of the raw chunk |
//! | 8, 4 | raw length; crc32c of the table and the raw length |
//!
//! A file gets its name when it is durable whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ContentId, Error, Result, codec};
use crate::store::durable;

/// Raw bytes of a chunk.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

const MAGIC: [u8; 8] = *b"CLSTLRGE";
const FORMAT: u32 = 1;
const HEADER_BYTES: u64 = 16;
const ENTRY_BYTES: usize = 40;
const TRAILER_BYTES: usize = 12;
const RAW_BIT: u64 = 1 << 63;

/// Large contents are written once at the speed of the disk.
const LEVEL: i32 = 3;

/// Suffix of files that are being written.
const UNFINISHED: &str = "new";

/// Distinguishes files written at the same time.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Returns the path of a large content in a pool directory.
pub(super) fn path(dir: &Path, id: &ContentId) -> PathBuf {
    let name = id.to_string();
    dir.join("large").join(&name[..2]).join(&name)
}

/// Removes what an interrupted write left behind.
pub(super) fn remove_unfinished(dir: &Path) -> Result<()> {
    let dir = dir.join("large");
    for entry in fs::read_dir(&dir).map_err(|source| Error::io(&dir, source))? {
        let path = entry.map_err(|source| Error::io(&dir, source))?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
        }
    }
    Ok(())
}

/// Returns the paths of all large contents that are whole.
pub(super) fn all(dir: &Path) -> Result<Vec<PathBuf>> {
    let dir = dir.join("large");
    let list = |dir: &Path| -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(dir).map_err(|source| Error::io(dir, source))?;
        entries.map(|entry| Ok(entry.map_err(|source| Error::io(dir, source))?.path())).collect()
    };
    let mut found = Vec::new();
    for below in list(&dir)?.into_iter().filter(|path| path.is_dir()) {
        found.extend(list(&below)?);
    }
    Ok(found)
}

/// Writes all that `first` and then `rest` hold; file and name are durable when it returns.
pub(super) fn write(dir: &Path, first: &[u8], rest: &mut dyn Read) -> Result<(ContentId, u64)> {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let unfinished = dir.join("large").join(format!("{}-{serial}.{UNFINISHED}", std::process::id()));
    let outcome = write_chunks(&unfinished, &mut first.chain(rest)).and_then(|(id, length)| {
        let target = path(dir, &id);
        publish(dir, &unfinished, &target).map_err(|source| Error::io(&target, source))?;
        Ok((id, length))
    });
    if outcome.is_err() {
        // Best effort: what is left is removed at the next open.
        let _ = fs::remove_file(&unfinished);
    }
    outcome
}

fn publish(dir: &Path, unfinished: &Path, target: &Path) -> io::Result<()> {
    let parent = target.parent().expect("a large content lies in a directory");
    if !parent.exists() {
        fs::create_dir_all(parent)?;
        durable::sync_directory(&dir.join("large"))?;
    }
    fs::rename(unfinished, target)?;
    durable::sync_directory(parent)
}

fn write_chunks(path: &Path, source: &mut dyn Read) -> Result<(ContentId, u64)> {
    let io = |source| Error::io(path, source);
    let mut file = io::BufWriter::with_capacity(CHUNK_BYTES, File::create(path).map_err(io)?);
    file.write_all(&MAGIC).map_err(io)?;
    file.write_all(&FORMAT.to_le_bytes()).map_err(io)?;
    file.write_all(&(CHUNK_BYTES as u32).to_le_bytes()).map_err(io)?;
    let mut hasher = blake3::Hasher::new();
    let (mut end, mut raw_length) = (HEADER_BYTES, 0u64);
    let mut table = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = fill(source, &mut chunk)?;
        if length == 0 {
            break;
        }
        let raw = &chunk[..length];
        hasher.update(raw);
        raw_length += length as u64;
        let id = ContentId::of(raw);
        let packed = codec::compress(raw, None, LEVEL).map_err(|detail| Error::Compress { id, detail })?;
        let (stored, bit) = if packed.len() < length { (&packed[..], 0) } else { (raw, RAW_BIT) };
        file.write_all(stored).map_err(io)?;
        end += stored.len() as u64;
        table.extend_from_slice(&(end | bit).to_le_bytes());
        table.extend_from_slice(&id.0);
    }
    table.extend_from_slice(&raw_length.to_le_bytes());
    let crc = crc32c::crc32c(&table);
    table.extend_from_slice(&crc.to_le_bytes());
    file.write_all(&table).map_err(io)?;
    let file = file.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    Ok((ContentId(*hasher.finalize().as_bytes()), raw_length))
}

/// Reads until the buffer is full or the source ends, and returns the bytes read.
pub(super) fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::Source { source }),
        }
    }
    Ok(filled)
}

/// An open large content.
pub(super) struct Large {
    path: PathBuf,
    file: File,
    id: ContentId,
    table: Vec<u8>,
}

impl Large {
    /// Opens a large content of a known length and checks its table.
    pub(super) fn open(dir: &Path, id: &ContentId, raw_length: u64) -> Result<Large> {
        let path = path(dir, id);
        let file = File::open(&path).map_err(|source| Error::io(&path, source))?;
        let damaged = |offset, detail| Error::damaged(&path, offset, Some(*id), detail);
        let length = file.metadata().map_err(|source| Error::io(&path, source))?.len();
        let chunks = raw_length.div_ceil(CHUNK_BYTES as u64) as usize;
        let table_length = chunks * ENTRY_BYTES + TRAILER_BYTES;
        let Some(start) = length.checked_sub(table_length as u64).filter(|start| *start >= HEADER_BYTES)
        else {
            return Err(damaged(length, "the object is cut off"));
        };
        let mut header = [0; HEADER_BYTES as usize];
        file.read_exact_at(&mut header, 0).map_err(|source| Error::io(&path, source))?;
        let format = u32::from_le_bytes(header[8..12].try_into().expect("four bytes"));
        if header[..8] != MAGIC || header[12..] != (CHUNK_BYTES as u32).to_le_bytes() {
            return Err(damaged(0, "this is no large object"));
        }
        if format != FORMAT {
            return Err(Error::Format { path, found: format, known: FORMAT });
        }
        let mut table = vec![0; table_length];
        file.read_exact_at(&mut table, start).map_err(|source| Error::io(&path, source))?;
        let (checked, crc) = table.split_at(table_length - 4);
        if crc != crc32c::crc32c(checked).to_le_bytes() || !checked.ends_with(&raw_length.to_le_bytes()) {
            return Err(damaged(start, "the object's table does not match its checksum"));
        }
        Ok(Large { path, file, id: *id, table })
    }

    /// Returns one chunk; the last one may be shorter than [`CHUNK_BYTES`].
    pub(super) fn chunk(&self, index: usize, length: usize) -> Result<Vec<u8>> {
        let entry = |at: usize| &self.table[at * ENTRY_BYTES..][..ENTRY_BYTES];
        let end_field = |at: usize| u64::from_le_bytes(entry(at)[..8].try_into().expect("eight bytes"));
        let start = if index == 0 { HEADER_BYTES } else { end_field(index - 1) & !RAW_BIT };
        let end = end_field(index) & !RAW_BIT;
        let damaged = |detail| Error::damaged(&self.path, start, Some(self.id), detail);
        if end < start || end - start > CHUNK_BYTES as u64 {
            return Err(damaged("the chunk's length is not possible"));
        }
        let mut stored = vec![0; (end - start) as usize];
        self.file.read_exact_at(&mut stored, start).map_err(|source| Error::io(&self.path, source))?;
        let raw = match end_field(index) & RAW_BIT {
            0 => codec::decompress(&stored, &[], length).map_err(damaged)?,
            _ => stored,
        };
        if raw.len() != length || ContentId::of(&raw).0 != entry(index)[8..] {
            return Err(damaged("the chunk does not match its hash"));
        }
        Ok(raw)
    }
}
