//! The journal: the only copy of the truth, an append-only sequence of checksummed frames.
//!
//! Owns the segment files and their durability. Must not know what a payload means. The one idea: a frame
//! is acknowledged only after [`Journal::sync`]; what was acknowledged is never cut away. At open, bytes
//! after the last whole frame of the last segment are a torn write and are removed; a bad frame *before*
//! whole ones is an error that names file and offset, unless it provably was never acknowledged (see
//! `recovery`).
//!
//! Lock order: `tail`, then `synced`. Neither is held across fdatasync of a group commit.

mod error;
mod frame;
mod recovery;
mod segment;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

pub use self::error::{Error, Result};
pub use self::frame::MAXIMUM_PAYLOAD_BYTES;
use self::frame::{FRAME_HEADER_BYTES, FrameHeader};
use self::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_path};
use super::ahead::Ahead;

/// Size at which a new segment is begun, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// What [`Journal::replay`] calls with sequence number, position and payload of each frame; an error ends it.
pub type Deliver<'a, E> = dyn FnMut(u64, Position, &[u8]) -> std::result::Result<(), E> + 'a;

/// Open segments kept for [`Journal::read`].
const READERS: usize = 16;

/// Where a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Number of the segment file, from 1.
    pub segment: u32,
    /// Byte offset of the frame in it.
    pub offset: u64,
}

/// An open journal. One process at a time; all methods may be called from any thread.
pub struct Journal {
    dir: PathBuf,
    id: [u8; 16],
    segment_bytes: u64,
    tail: Mutex<Tail>,
    synced: Mutex<Synced>,
    sync_ended: Condvar,
    /// Copy of `Synced::sequence` for the frames' headers.
    durable: AtomicU64,
    readers: Mutex<VecDeque<(u32, Arc<File>)>>,
    /// Holds the lock that keeps other processes out.
    _lock: File,
}

struct Tail {
    file: Arc<File>,
    ahead: Ahead,
    end: Position,
    last_sequence: u64,
    poisoned: Option<String>,
}

struct Synced {
    sequence: u64,
    running: bool,
    failed: Option<String>,
}

impl Journal {
    /// Creates an empty journal in `dir`, which is created if missing and must hold no journal yet.
    ///
    /// Files and names are durable when it returns.
    pub fn create(dir: &Path, id: [u8; 16]) -> Result<Journal> {
        Journal::create_with(dir, id, SEGMENT_BYTES)
    }

    /// Creates a journal whose segments roll at another size.
    pub(crate) fn create_with(dir: &Path, id: [u8; 16], segment_bytes: u64) -> Result<Journal> {
        fs::create_dir_all(dir).map_err(|source| Error::io(dir, source))?;
        let lock = lock_dir(dir)?;
        if !segment::list(dir)?.is_empty() {
            return Err(Error::Exists { path: dir.to_owned() });
        }
        let header = SegmentHeader { id, segment: 1, first_sequence: 1 };
        let file = segment::create(dir, &header)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            segment::sync_dir(parent)?;
        }
        let end = Position { segment: 1, offset: SEGMENT_HEADER_BYTES };
        Ok(Journal::assemble(dir, id, segment_bytes, lock, file, end, 0))
    }

    /// Opens a journal, reading at most its last segment.
    ///
    /// Errors: not the journal of `id`, a newer format, a missing segment, damage that cannot be a torn
    /// write, or the journal is open elsewhere.
    pub fn open(dir: &Path, id: [u8; 16]) -> Result<Journal> {
        Journal::open_with(dir, id, SEGMENT_BYTES)
    }

    /// Opens a journal whose segments roll at another size.
    pub(crate) fn open_with(dir: &Path, id: [u8; 16], segment_bytes: u64) -> Result<Journal> {
        let lock = lock_dir(dir)?;
        segment::remove_unfinished(dir)?;
        let segments = segment::list(dir)?;
        let Some(&last) = segments.last() else {
            return Err(Error::Missing { path: dir.to_owned() });
        };
        if let Some((&found, expected)) = segments.iter().zip(1u32..).find(|(found, want)| **found != *want) {
            return Err(Error::SegmentMissing { path: segment_path(dir, expected), next: found });
        }
        let (file, header) = segment::open(dir, last, id, true)?;
        let recovered = recovery::find_end(&segment_path(dir, last), &file, &header)?;
        // What was written before a crash may still be in the page cache only.
        file.sync_all().map_err(|source| Error::io(&segment_path(dir, last), source))?;
        let end = Position { segment: last, offset: recovered.end };
        Ok(Journal::assemble(dir, id, segment_bytes, lock, file, end, recovered.last_sequence))
    }

    fn assemble(
        dir: &Path,
        id: [u8; 16],
        segment_bytes: u64,
        lock: File,
        file: File,
        end: Position,
        last_sequence: u64,
    ) -> Journal {
        Journal {
            dir: dir.to_owned(),
            id,
            segment_bytes,
            tail: Mutex::new(Tail {
                file: Arc::new(file),
                ahead: Ahead::none(end.offset),
                end,
                last_sequence,
                poisoned: None,
            }),
            synced: Mutex::new(Synced { sequence: last_sequence, running: false, failed: None }),
            sync_ended: Condvar::new(),
            durable: AtomicU64::new(last_sequence),
            readers: Mutex::new(VecDeque::new()),
            _lock: lock,
        }
    }

    /// Writes one frame, compressed when that makes it smaller, and returns its sequence number (from 1) and
    /// position. It is not durable before [`Journal::sync`].
    ///
    /// When the file system is full, nothing is left behind and later appends may succeed.
    pub fn append(&self, payload: &[u8]) -> Result<(u64, Position)> {
        let stored = frame::pack(payload)?;
        let mut tail = self.tail.lock();
        self.check_poison(&tail)?;
        let length = FRAME_HEADER_BYTES + stored.bytes.len() as u64;
        if tail.end.offset > SEGMENT_HEADER_BYTES && tail.end.offset + length > self.segment_bytes {
            self.roll(&mut tail)?;
        }
        let sequence = tail.last_sequence + 1;
        let bytes = FrameHeader::of(&stored, sequence, self.durable.load(Ordering::Acquire)).frame(&stored);
        let at = tail.end;
        if let Err(source) = tail.file.write_all_at(&bytes, at.offset) {
            return Err(self.undo_write(&mut tail, source));
        }
        tail.end.offset += length;
        tail.last_sequence = sequence;
        Ok((sequence, at))
    }

    /// Returns once every frame up to `sequence` is durable. One fdatasync serves all who wait.
    ///
    /// After a failed fdatasync nobody knows what reached the disk: the journal then refuses everything
    /// until it is opened again.
    pub fn sync(&self, sequence: u64) -> Result<()> {
        let mut synced = self.synced.lock();
        loop {
            if let Some(reason) = &synced.failed {
                return Err(self.poisoned(reason));
            }
            if synced.sequence >= sequence {
                return Ok(());
            }
            if !synced.running {
                break;
            }
            self.sync_ended.wait(&mut synced);
        }
        synced.running = true;
        drop(synced);

        let outcome = self.sync_tail(sequence);

        let mut synced = self.synced.lock();
        synced.running = false;
        self.sync_ended.notify_all();
        match outcome {
            Ok(reached) => {
                synced.sequence = synced.sequence.max(reached);
                self.durable.store(synced.sequence, Ordering::Release);
                Ok(())
            }
            Err(SyncError::Refused(error)) => Err(error),
            Err(SyncError::Failed { path, source }) => {
                synced.failed = Some(source.to_string());
                drop(synced);
                self.tail.lock().poisoned = Some(source.to_string());
                Err(Error::io(&path, source))
            }
        }
    }

    /// Returns the payload of the frame at a position.
    pub fn read(&self, at: Position) -> Result<Vec<u8>> {
        let file = self.reader(at.segment)?;
        let path = segment_path(&self.dir, at.segment);
        let (_, payload) = frame::read_at(&path, &file, at.offset, u64::MAX)?;
        Ok(payload)
    }

    /// Delivers every frame in order, from the one at `from` (`None`: the first) to the last one written
    /// before the call. A position after the last frame delivers nothing.
    pub fn replay<E: From<Error>>(
        &self,
        from: Option<Position>,
        each: &mut Deliver<'_, E>,
    ) -> std::result::Result<(), E> {
        let end = self.end();
        let mut at = from.unwrap_or(Position { segment: 1, offset: SEGMENT_HEADER_BYTES });
        if at > end {
            return Err(Error::BeyondEnd { at, end }.into());
        }
        let mut expected = None;
        while at.segment <= end.segment {
            let path = segment_path(&self.dir, at.segment);
            let (file, header) = segment::open(&self.dir, at.segment, self.id, false)?;
            let limit = match at.segment == end.segment {
                true => end.offset,
                false => file.metadata().map_err(|source| Error::io(&path, source))?.len(),
            };
            let mut frames = frame::Frames::new(&path, &file, at.offset, limit);
            if at.offset == SEGMENT_HEADER_BYTES {
                let wanted = expected.unwrap_or(header.first_sequence);
                if header.first_sequence != wanted {
                    let (found, expected) = (header.first_sequence, wanted);
                    return Err(Error::Sequence { path, offset: 0, found, expected }.into());
                }
                expected = Some(wanted);
            }
            while let Some((offset, frame, payload)) = frames.next_frame()? {
                let wanted = expected.unwrap_or(frame.sequence);
                if frame.sequence != wanted {
                    let (found, expected) = (frame.sequence, wanted);
                    return Err(Error::Sequence { path, offset, found, expected }.into());
                }
                each(frame.sequence, Position { segment: at.segment, offset }, &payload)?;
                expected = Some(wanted + 1);
            }
            at = Position { segment: at.segment + 1, offset: SEGMENT_HEADER_BYTES };
        }
        Ok(())
    }

    /// Returns the number of the last frame written and the position after it, once that is durable.
    ///
    /// # Errors
    /// If it cannot be made durable.
    pub fn durable_end(&self) -> Result<(u64, Position)> {
        let (sequence, end) = {
            let tail = self.tail.lock();
            (tail.last_sequence, tail.end)
        };
        self.sync(sequence)?;
        Ok((sequence, end))
    }

    /// Returns the lengths of the segments in front of a position, by their names.
    ///
    /// # Errors
    /// If one cannot be found.
    pub fn lengths(&self, end: Position) -> Result<Vec<(PathBuf, u64)>> {
        let length = |segment: u32| {
            let path = segment_path(&self.dir, segment);
            let length = match segment == end.segment {
                true => end.offset,
                false => fs::metadata(&path).map_err(|source| Error::io(&path, source))?.len(),
            };
            Ok((PathBuf::from(path.file_name().unwrap_or_default()), length))
        };
        (1..=end.segment).map(length).collect()
    }

    /// Cuts a journal that nobody has open behind the last frame that stays, which `stays` tells from number and
    /// payload, and returns the number of that frame. If none stays, the journal is left as it is, and 0 returned.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn cut_after(dir: &Path, id: [u8; 16], stays: &dyn Fn(u64, &[u8]) -> bool) -> Result<u64> {
        let journal = Journal::open(dir, id)?;
        let (mut cut, mut last) = (None, 0);
        journal.replay(None, &mut |sequence, position, payload| {
            match cut.is_none() && stays(sequence, payload) {
                true => last = sequence,
                false => cut = cut.or(Some(position)),
            }
            Ok::<(), Error>(())
        })?;
        let segments = journal.end().segment;
        drop(journal);
        let Some(cut) = cut.filter(|_| last > 0) else { return Ok(last) };
        for segment in (cut.segment + 1..=segments).rev() {
            let path = segment_path(dir, segment);
            fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
        }
        segment::sync_dir(dir)?;
        let path = segment_path(dir, cut.segment);
        let shorten = || {
            let file = File::options().write(true).open(&path)?;
            file.set_len(cut.offset)?;
            file.sync_all()
        };
        shorten().map_err(|source| Error::io(&path, source))?;
        Ok(last)
    }

    /// Returns the position after the last frame written.
    pub fn end(&self) -> Position {
        self.tail.lock().end
    }

    /// Returns the sequence number of the last frame written, 0 if there is none.
    pub fn last_sequence(&self) -> u64 {
        self.tail.lock().last_sequence
    }

    /// Returns the sequence number up to which frames are known to be durable.
    pub fn synced_sequence(&self) -> u64 {
        self.synced.lock().sequence
    }

    /// Makes the last segment durable, closes it and begins the next: a frame in segment n+1 proves that all
    /// of segment n was durable.
    fn roll(&self, tail: &mut Tail) -> Result<()> {
        let path = segment_path(&self.dir, tail.end.segment);
        let Tail { file, ahead, end, .. } = tail;
        if let Err(source) = ahead.cut(file, end.offset).and_then(|()| file.sync_all()) {
            tail.poisoned = Some(source.to_string());
            return Err(Error::io(&path, source));
        }
        {
            let mut synced = self.synced.lock();
            synced.sequence = synced.sequence.max(tail.last_sequence);
            self.durable.store(synced.sequence, Ordering::Release);
        }
        let segment = tail.end.segment.checked_add(1).ok_or(Error::Full { path })?;
        let header = SegmentHeader { id: self.id, segment, first_sequence: tail.last_sequence + 1 };
        let created = segment::create(&self.dir, &header).inspect_err(|error| {
            // The name may be there, durable or not: frames must not go on in the segment before it.
            if segment_path(&self.dir, segment).exists() {
                tail.poisoned = Some(error.to_string());
            }
        })?;
        tail.file = Arc::new(created);
        tail.ahead = Ahead::none(SEGMENT_HEADER_BYTES);
        tail.end = Position { segment, offset: SEGMENT_HEADER_BYTES };
        Ok(())
    }

    /// Cuts a partly written frame away; poisons the journal when the cause was anything but a full disk, or
    /// when the cut fails.
    fn undo_write(&self, tail: &mut Tail, source: std::io::Error) -> Error {
        let path = segment_path(&self.dir, tail.end.segment);
        let cut = tail.ahead.cut(&tail.file, tail.end.offset);
        let full = error::is_no_space(&source);
        match (full, cut) {
            (true, Ok(())) => Error::NoSpace { path, source },
            (_, cut) => {
                let reason = cut.err().map_or_else(|| source.to_string(), |cut| cut.to_string());
                tail.poisoned = Some(reason.clone());
                self.synced.lock().failed = Some(reason);
                Error::io(&path, source)
            }
        }
    }

    fn sync_tail(&self, sequence: u64) -> std::result::Result<u64, SyncError> {
        let (file, segment, reached) = {
            let mut tail = self.tail.lock();
            self.check_poison(&tail).map_err(SyncError::Refused)?;
            if sequence > tail.last_sequence {
                let last = tail.last_sequence;
                return Err(SyncError::Refused(Error::NotWritten { sequence, last }));
            }
            let Tail { file, ahead, end, .. } = &mut *tail;
            ahead.extend(file, end.offset);
            (Arc::clone(&tail.file), tail.end.segment, tail.last_sequence)
        };
        match file.sync_data() {
            Ok(()) => Ok(reached),
            Err(source) => Err(SyncError::Failed { path: segment_path(&self.dir, segment), source }),
        }
    }

    fn reader(&self, segment: u32) -> Result<Arc<File>> {
        if let Some((_, file)) = self.readers.lock().iter().find(|(number, _)| *number == segment) {
            return Ok(Arc::clone(file));
        }
        let (file, _) = segment::open(&self.dir, segment, self.id, false)?;
        let file = Arc::new(file);
        let mut readers = self.readers.lock();
        if readers.len() == READERS {
            readers.pop_front();
        }
        readers.push_back((segment, Arc::clone(&file)));
        Ok(file)
    }

    fn check_poison(&self, tail: &Tail) -> Result<()> {
        match &tail.poisoned {
            Some(reason) => Err(self.poisoned(reason)),
            None => Ok(()),
        }
    }

    fn poisoned(&self, reason: &str) -> Error {
        Error::Poisoned { path: self.dir.clone(), reason: reason.to_owned() }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let tail = self.tail.get_mut();
        if tail.poisoned.is_none() {
            // If this fails, the next open does it.
            let _ = tail.ahead.cut(&tail.file, tail.end.offset);
        }
    }
}

enum SyncError {
    /// Nothing was attempted.
    Refused(Error),
    /// fdatasync failed.
    Failed { path: PathBuf, source: std::io::Error },
}

fn lock_dir(dir: &Path) -> Result<File> {
    let lock = File::open(dir).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Missing { path: dir.to_owned() },
        _ => Error::io(dir, source),
    })?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse { path: dir.to_owned() }),
        Err(errno) => Err(Error::io(dir, errno.into())),
    }
}
