//! Container files `00000001.pool`, ...: append-only sequences of frames, rolled at a fixed size.
//!
//! Owns the files of the source pool's containers, their tail and durability. Must not know what is in the
//! index. Frames are numbered from 0 over all containers; a container's header carries its first number:
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | magic `CLSTPOOL` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | number of the container, from 1 |
//! | 16 | 4 | number of its first frame |
//! | 20 | 4 | crc32c of the 20 bytes before |
//!
//! A container gets its name when its header is durable, and only after the one before it is durable whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};
use quick_cache::sync::Cache;

use super::frame::{Header, Kind};
use super::{ContentId, Error, Result, error};
use crate::store::ahead::{Ahead, is_ahead};
use crate::store::durable;

/// Bytes of a container's header.
pub(super) const CONTAINER_HEADER_BYTES: u64 = 24;

const MAGIC: [u8; 8] = *b"CLSTPOOL";
const FORMAT: u32 = 1;
const UNFINISHED: &str = "new";

/// Headers kept: 64 bytes each.
const CACHED_HEADERS: usize = 16_384;

/// Where a frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    pub container: u32,
    pub offset: u32,
    /// Bytes of header and payload.
    pub length: u32,
}

/// The end of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub container: u32,
    pub offset: u64,
    pub next_number: u32,
}

/// The open containers. Lock order: `tail`, then `files` or `synced`; `synced` is not held during an fdatasync.
pub(super) struct Containers {
    dir: PathBuf,
    roll_bytes: u64,
    files: RwLock<Vec<Arc<File>>>,
    tail: Mutex<Writer>,
    synced: Mutex<Synced>,
    sync_ended: Condvar,
    /// Headers by number: the walk along a chain of bases asks for one after the other.
    headers: Cache<u32, Header>,
}

#[derive(Default)]
struct Synced {
    /// Numbers below are durable.
    number: u32,
    /// Somebody syncs for all who wait.
    running: bool,
}

struct Writer {
    tail: Tail,
    ahead: Ahead,
    poisoned: Option<String>,
}

impl Containers {
    /// Creates the first, empty container.
    pub(super) fn create(dir: &Path) -> Result<()> {
        create_file(dir, 1, 0).map(drop)
    }

    /// Opens all containers; the tail is the last one's header until [`Containers::resume`] is called.
    pub(super) fn open(dir: &Path, roll_bytes: u64) -> Result<Containers> {
        remove_unfinished(dir)?;
        let mut files = Vec::new();
        let mut first_number = 0;
        for container in 1.. {
            let path = container_path(dir, container);
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                Err(source) if source.kind() == io::ErrorKind::NotFound && container > 1 => break,
                Err(source) => return Err(Error::io(&path, source)),
            };
            first_number = read_header(&path, &file, container)?;
            files.push(Arc::new(file));
        }
        let container = files.len() as u32;
        let tail = Tail { container, offset: CONTAINER_HEADER_BYTES, next_number: first_number };
        Ok(Containers {
            dir: dir.to_owned(),
            roll_bytes: roll_bytes.clamp(1 << 12, 1 << 31),
            files: RwLock::new(files),
            tail: Mutex::new(Writer { tail, ahead: Ahead::none(tail.offset), poisoned: None }),
            synced: Mutex::default(),
            sync_ended: Condvar::new(),
            headers: Cache::new(CACHED_HEADERS),
        })
    }

    /// Returns the number of containers.
    pub(super) fn count(&self) -> u32 {
        self.files.read().len() as u32
    }

    /// Returns the number of a container's first frame.
    pub(super) fn first_number(&self, container: u32) -> Result<u32> {
        let file = self.file(container)?;
        read_header(&self.path(container), &file, container)
    }

    /// Sets the tail to what was found, cutting whatever follows it; what is kept becomes durable.
    pub(super) fn resume(&self, tail: Tail) -> Result<()> {
        let (path, file) = (self.path(tail.container), self.file(tail.container)?);
        let length = file.metadata().map_err(|source| Error::io(&path, source))?.len();
        if length > tail.offset {
            let mut torn = vec![0; (length - tail.offset) as usize];
            file.read_exact_at(&mut torn, tail.offset).map_err(|source| Error::io(&path, source))?;
            if !is_ahead(&torn) {
                let bytes = torn.len();
                tracing::warn!(path = %path.display(), offset = tail.offset, bytes, "torn pool tail removed");
            }
            file.set_len(tail.offset).map_err(|source| Error::io(&path, source))?;
        }
        file.sync_all().map_err(|source| Error::io(&path, source))?;
        *self.tail.lock() = Writer { tail, ahead: Ahead::none(tail.offset), poisoned: None };
        self.synced.lock().number = tail.next_number;
        Ok(())
    }

    /// Appends one frame unless `exists` finds that it is there already, and tells `added` while no other
    /// frame can be appended. Returns its number.
    pub(super) fn append(
        &self,
        header: &Header,
        payload: &[u8],
        exists: impl FnOnce() -> Result<Option<u32>>,
        added: impl FnOnce(u32, Location),
    ) -> Result<u32> {
        let mut writer = self.sound_tail()?;
        if let Some(number) = exists()? {
            return Ok(number);
        }
        let number = writer.tail.next_number;
        if number == u32::MAX {
            return Err(Error::Full { path: self.dir.clone() });
        }
        let mut bytes = header.bytes(number);
        bytes.extend_from_slice(payload);
        let has_frames = writer.tail.offset > CONTAINER_HEADER_BYTES;
        if has_frames && writer.tail.offset + bytes.len() as u64 > self.roll_bytes {
            self.roll(&mut writer)?;
        }
        let Tail { container, offset, .. } = writer.tail;
        if let Err(source) = self.file(container)?.write_all_at(&bytes, offset) {
            return Err(self.undo_write(&mut writer, source));
        }
        writer.tail.offset += bytes.len() as u64;
        writer.tail.next_number += 1;
        added(number, Location { container, offset: offset as u32, length: bytes.len() as u32 });
        Ok(number)
    }

    /// Makes every frame appended before the call durable. One fdatasync serves all who wait.
    pub(super) fn sync(&self) -> Result<()> {
        let wanted = self.sound_tail()?.tail.next_number;
        let mut synced = self.synced.lock();
        while synced.number < wanted && synced.running {
            self.sync_ended.wait(&mut synced);
        }
        if synced.number >= wanted {
            return Ok(());
        }
        synced.running = true;
        drop(synced);
        let outcome = self.sync_tail();
        let mut synced = self.synced.lock();
        synced.running = false;
        if let Ok(number) = outcome {
            synced.number = synced.number.max(number);
        }
        self.sync_ended.notify_all();
        outcome.map(drop)
    }

    /// Syncs the last container; returns the number below which frames are durable.
    fn sync_tail(&self) -> Result<u32> {
        let (tail, file) = {
            let mut writer = self.sound_tail()?;
            let Writer { tail, ahead, .. } = &mut *writer;
            let file = self.file(tail.container)?;
            ahead.extend(&file, tail.offset);
            (*tail, file)
        };
        match file.sync_data() {
            Ok(()) => Ok(tail.next_number),
            Err(source) => {
                self.tail.lock().poisoned = Some(source.to_string());
                Err(Error::io(&self.path(tail.container), source))
            }
        }
    }

    /// Locks the end of what is written, unless nobody knows any more what is.
    fn sound_tail(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.tail.lock();
        match &writer.poisoned {
            Some(reason) => Err(Error::Poisoned { path: self.dir.clone(), reason: reason.clone() }),
            None => Ok(writer),
        }
    }

    /// Returns the number below which frames are durable.
    pub(super) fn synced(&self) -> u32 {
        self.synced.lock().number
    }

    /// Returns the end of what is written.
    pub(super) fn tail(&self) -> Tail {
        self.tail.lock().tail
    }

    /// Reads the header of a frame.
    pub(super) fn header(&self, number: u32, at: Location) -> Result<Header> {
        if let Some(header) = self.headers.get(&number) {
            return Ok(header);
        }
        let mut buffer = [0; super::frame::MAXIMUM_HEADER_BYTES];
        let length = buffer.len().min(at.length as usize);
        self.read_exact(at, &mut buffer[..length])?;
        let (header, _) = self.parse(number, at, &buffer[..length])?;
        self.headers.insert(number, header);
        Ok(header)
    }

    /// Reads a frame: its header and its payload, which match their checksums.
    pub(super) fn frame(&self, number: u32, at: Location) -> Result<(Header, Vec<u8>)> {
        let mut bytes = vec![0; at.length as usize];
        self.read_exact(at, &mut bytes)?;
        let (header, header_length) = self.parse(number, at, &bytes)?;
        bytes.drain(..header_length);
        if bytes.len() != header.stored_length as usize {
            return Err(self.damaged(at, Some(header.id), "the frame's length is not the index's"));
        }
        if crc32c::crc32c(&bytes) != header.payload_crc {
            return Err(self.damaged(at, Some(header.id), "the payload does not match its checksum"));
        }
        Ok((header, bytes))
    }

    /// Returns the error for a frame whose content is not what its header promises.
    pub(super) fn damaged(&self, at: Location, id: Option<ContentId>, detail: &'static str) -> Error {
        Error::damaged(&self.path(at.container), u64::from(at.offset), id, detail)
    }

    /// Returns the path of a container.
    pub(super) fn path(&self, container: u32) -> PathBuf {
        container_path(&self.dir, container)
    }

    /// Returns an open container.
    pub(super) fn file(&self, container: u32) -> Result<Arc<File>> {
        let found = self.files.read().get(container.wrapping_sub(1) as usize).cloned();
        found.ok_or_else(|| Error::io(&self.path(container), io::ErrorKind::NotFound.into()))
    }

    /// Acts as if the last write had failed for lack of space.
    #[cfg(test)]
    pub(super) fn fail_for_lack_of_space(&self) {
        let source = io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
        let error = self.undo_write(&mut self.tail.lock(), source);
        assert!(matches!(error, Error::NoSpace { .. }));
    }

    fn parse(&self, number: u32, at: Location, bytes: &[u8]) -> Result<(Header, usize)> {
        let (header, length) =
            Header::parse(bytes, number).map_err(|detail| self.damaged(at, None, detail))?;
        if header.kind != Kind::Large && header.raw_length > super::SMALL_BYTES as u64 {
            return Err(self.damaged(at, Some(header.id), "the content's length is not possible"));
        }
        Ok((header, length))
    }

    fn read_exact(&self, at: Location, buffer: &mut [u8]) -> Result<()> {
        let file = self.file(at.container)?;
        file.read_exact_at(buffer, u64::from(at.offset)).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(at, None, "the frame is cut off"),
            _ => Error::io(&self.path(at.container), source),
        })
    }

    fn roll(&self, writer: &mut Writer) -> Result<()> {
        let Tail { container, next_number, .. } = writer.tail;
        let full = self.file(container)?;
        if let Err(source) = writer.ahead.cut(&full, writer.tail.offset).and_then(|()| full.sync_all()) {
            writer.poisoned = Some(source.to_string());
            return Err(Error::io(&self.path(container), source));
        }
        let file = create_file(&self.dir, container + 1, next_number).inspect_err(|error| {
            // The name may be there, durable or not: frames must not go on in the container before it.
            if self.path(container + 1).exists() {
                writer.poisoned = Some(error.to_string());
            }
        })?;
        self.files.write().push(Arc::new(file));
        writer.tail = Tail { container: container + 1, offset: CONTAINER_HEADER_BYTES, next_number };
        writer.ahead = Ahead::none(CONTAINER_HEADER_BYTES);
        let mut synced = self.synced.lock();
        synced.number = synced.number.max(next_number);
        Ok(())
    }

    /// Cuts a partly written frame away; poisons the pool when the cause was anything but a full disk, or when
    /// the cut fails.
    fn undo_write(&self, writer: &mut Writer, source: io::Error) -> Error {
        let path = self.path(writer.tail.container);
        let offset = writer.tail.offset;
        let cut = self.file(writer.tail.container).map(|file| writer.ahead.cut(&file, offset));
        match (error::is_no_space(&source), cut) {
            (true, Ok(Ok(()))) => {}
            _ => writer.poisoned = Some(source.to_string()),
        }
        Error::io(&path, source)
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let container = self.tail.get_mut().tail.container;
        let file = self.file(container);
        let Writer { tail, ahead, poisoned } = self.tail.get_mut();
        if let (Ok(file), None) = (file, poisoned) {
            // If this fails, the next open does it.
            let _ = ahead.cut(&file, tail.offset);
        }
    }
}

fn container_path(dir: &Path, container: u32) -> PathBuf {
    dir.join(format!("{container:08}.pool"))
}

fn create_file(dir: &Path, container: u32, first_number: u32) -> Result<File> {
    let path = container_path(dir, container);
    let unfinished = path.with_extension(UNFINISHED);
    let mut header = Vec::with_capacity(CONTAINER_HEADER_BYTES as usize);
    header.extend_from_slice(&MAGIC);
    for field in [FORMAT, container, first_number] {
        header.extend_from_slice(&field.to_le_bytes());
    }
    let crc = crc32c::crc32c(&header);
    header.extend_from_slice(&crc.to_le_bytes());
    let work = || -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unfinished)?;
        file.write_all_at(&header, 0)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        durable::sync_directory(dir)?;
        Ok(file)
    };
    work().map_err(|source| Error::io(&path, source))
}

/// Checks a container's header and returns the number of its first frame.
fn read_header(path: &Path, file: &File, container: u32) -> Result<u32> {
    let mut bytes = [0; CONTAINER_HEADER_BYTES as usize];
    file.read_exact_at(&mut bytes, 0).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => Error::damaged(path, 0, None, "the container's header is cut off"),
        _ => Error::io(path, source),
    })?;
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    if bytes[..8] != MAGIC {
        return Err(Error::damaged(path, 0, None, "this is no pool container"));
    }
    if word(8) > FORMAT {
        return Err(Error::Format { path: path.to_owned(), found: word(8), known: FORMAT });
    }
    if crc32c::crc32c(&bytes[..20]) != word(20) {
        return Err(Error::damaged(path, 0, None, "the container's header does not match its checksum"));
    }
    if word(12) != container {
        return Err(Error::damaged(path, 0, None, "the container has another's number inside"));
    }
    Ok(word(16))
}

fn remove_unfinished(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|source| Error::io(dir, source))? {
        let path = entry.map_err(|source| Error::io(dir, source))?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
        }
    }
    Ok(())
}
