//! Files' data on its way into the pools.
//!
//! Owns how a file is read and that one which changes meanwhile is refused: its version would be a mixture that
//! never was. Must not know elements, views or commits. What is loaded is durable after [`Loader::finish`], or with the commit that brings
//! what [`Loader::finish_with_commit`] returns.

use super::text_check::TextCheck;
use crate::server::identity::{self, Caller};
use crate::server::proto::{Failure, FailureCode};
use crate::server::state::Outcome;
use crate::store::pool::{ContentId, Ingest, Pools};
use crate::view::MountedVob;
use crate::vob::{Content, Operation};
use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Files up to this size are held in memory while they are loaded, so that they can be stored as changes against
/// their predecessors.
const WHOLE_BYTES_MAX: u64 = 16 << 20;
/// From this many files on, threads compress them.
const FILES_FOR_THREADS: usize = 8;

/// Bytes of contents that a commit brings along, as they are stored. Writing them twice costs less than the sync that it
/// saves: a megabyte takes about as long as one.
const CARRIED_BYTES_MAX: usize = 64 << 10;

/// What the data of a new version is.
#[derive(Copy, Clone)]
pub struct Data {
    /// Its content.
    pub content: Content,
    /// Whether it may be executed.
    pub executable: bool,
    /// When the file was modified, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// What is wanted of a file's data.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// It is to be stored.
    Stored,
    /// It is only to be judged.
    Judged,
}

impl Wanted {
    fn stored(self) -> Outcome<()> {
        match self {
            Wanted::Stored => Ok(()),
            Wanted::Judged => Err(Failure::new(FailureCode::NotDone)),
        }
    }
}

/// What changes when a file does.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a file as it is now.
    pub fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Tells whether the file at a path still has this stamp.
    pub fn is_of(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|metadata| Stamp::of(&metadata) == *self)
    }
}

/// A file that is open for loading.
pub struct Source {
    file: File,
    before: Metadata,
}

impl Source {
    /// Opens a file, as `reader` could where there is one.
    ///
    /// # Errors
    /// What the system said, about the path; or it is no ordinary file.
    pub fn open(path: &Path, reader: Option<&Caller>) -> Outcome<Source> {
        let opened = match reader {
            Some(caller) => identity::open_as(path, caller),
            // A pipe without a writer must not hold the call up.
            None => File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path),
        };
        let file = opened.map_err(|error| system(path, &error))?;
        let before = file.metadata().map_err(|error| system(path, &error))?;
        if !before.is_file() {
            return Err(Failure::other("only ordinary files can be checked in"));
        }
        Ok(Source { file, before })
    }

    /// Refuses a file that is not what it was when it was opened, or of which another size was read.
    fn unchanged(&self, path: &Path, read: u64) -> Outcome<Stamp> {
        let after = path.metadata().map_err(|error| system(path, &error))?;
        let stamp = Stamp::of(&self.before);
        if stamp != Stamp::of(&after) || read != after.len() {
            return Err(Failure::new(FailureCode::FileChangedDuringCheckin));
        }
        Ok(stamp)
    }

    fn data(&self, hash: ContentId, size: u64) -> Data {
        let content = if size == 0 { Content::Empty } else { Content::File { hash: hash.0, size } };
        let nanoseconds = self.before.mtime().saturating_mul(1_000_000_000);
        let modified_ns = nanoseconds.saturating_add(self.before.mtime_nsec());
        Data { content, executable: self.before.mode() & 0o111 != 0, modified_ns }
    }
}

/// A file whose data is to be loaded.
pub struct FileToLoad<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Who must be able to read it, where that was not judged.
    pub reader: Option<&'a Caller>,
    /// What it is likely to be similar to.
    pub predecessor: Option<ContentId>,
    /// The type manager that is to take it.
    pub manager: &'a str,
}

/// Puts the data of files into one VOB's pools: of a few at once, of many by threads.
pub struct Loader<'a> {
    pools: &'a Pools,
    many: Option<Ingest>,
    /// Without threads: what was loaded.
    loaded: RefCell<Vec<ContentId>>,
}

impl<'a> Loader<'a> {
    /// Begins to load so many files.
    pub fn new(vob: &'a MountedVob, files: usize) -> Loader<'a> {
        let pools = vob.vob.pools();
        let many = (files >= FILES_FOR_THREADS).then(|| pools.ingest());
        Loader { pools, many, loaded: RefCell::default() }
    }

    /// Loads a file's data, if it is `wanted` and its type manager takes it: both are asked before anything is stored,
    /// and their refusal is returned. What is wanted and not to be stored is `NOT_DONE`. Contents too large for memory
    /// are stored first.
    ///
    /// # Errors
    /// The file cannot be read, changed meanwhile, is not wanted, or is no text; the pools cannot take it.
    pub fn load(
        &self,
        file: &FileToLoad<'_>,
        wanted: impl FnOnce(&Data) -> Outcome<Wanted>,
    ) -> Outcome<(Data, Stamp)> {
        let FileToLoad { path, reader, predecessor, manager } = file;
        let mut source = Source::open(path, *reader)?;
        let predecessor = predecessor.as_ref();
        let mut text = TextCheck::of(manager);
        if source.before.len() > WHOLE_BYTES_MAX {
            let mut file = Watched { file: &mut source.file, text: &mut text };
            let (hash, size) = self.pools.put_reader(&mut file, predecessor)?;
            self.loaded.borrow_mut().push(hash);
            let stamp = source.unchanged(path, size)?;
            let data = source.data(hash, size);
            let wanted = wanted(&data)?;
            text.verdict()?;
            return wanted.stored().map(|()| (data, stamp));
        }
        let mut content = Vec::with_capacity(source.before.len() as usize);
        let read = (&mut source.file).take(WHOLE_BYTES_MAX + 1).read_to_end(&mut content);
        let size = read.map_err(|error| system(path, &error))? as u64;
        let stamp = source.unchanged(path, size)?;
        let data = source.data(ContentId::of(&content), size);
        let wanted = wanted(&data)?;
        text.add(&content);
        text.verdict()?;
        wanted.stored()?;
        match &self.many {
            Some(ingest) => drop(ingest.submit(content, predecessor)?),
            None => self.loaded.borrow_mut().push(self.pools.put(&content, predecessor)?),
        }
        Ok((data, stamp))
    }

    /// Returns what brings everything that was loaded along in the frame of the commit that names it, for a few small
    /// contents; where it is more, it is durable already and the list is empty.
    ///
    /// # Errors
    /// The pools could not take it.
    pub fn finish_with_commit(self) -> Outcome<Vec<Operation>> {
        if self.many.is_none() {
            let carried = self.pools.carry(&self.loaded.borrow(), CARRIED_BYTES_MAX)?;
            if let Some(carried) = carried {
                return Ok(carried.into_iter().map(Operation::StoreContent).collect());
            }
        }
        self.finish().map(|()| Vec::new())
    }

    /// Returns when everything that was loaded is durable.
    ///
    /// # Errors
    /// The pools could not take it.
    pub fn finish(self) -> Outcome<()> {
        let finished = match self.many {
            Some(ingest) => ingest.finish(),
            None => self.pools.sync(),
        };
        finished.map_err(Failure::from)
    }
}

/// A file whose bytes are looked at while they are read.
struct Watched<'a> {
    file: &'a mut File,
    text: &'a mut TextCheck,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.text.add(&buffer[..read]);
        Ok(read)
    }
}

fn system(path: &Path, error: &std::io::Error) -> Failure {
    Failure::system(path.as_os_str().as_bytes(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_is_not_what_was_read_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "one\n").unwrap();
        let source = Source::open(&path, None).unwrap();
        let stamp = source.unchanged(&path, 4).unwrap();
        assert!(stamp.is_of(&path));
        let changed = |outcome: Outcome<Stamp>| outcome.err().map(|failure| failure.code());
        assert_eq!(changed(source.unchanged(&path, 3)), Some(FailureCode::FileChangedDuringCheckin));
        File::options().append(true).open(&path).unwrap().write_all(b"two\n").unwrap();
        assert_eq!(changed(source.unchanged(&path, 4)), Some(FailureCode::FileChangedDuringCheckin));
        assert!(!stamp.is_of(&path));
        // Another file with the same bytes, as an editor leaves it.
        std::fs::write(directory.path().join("new"), "one\n").unwrap();
        std::fs::rename(directory.path().join("new"), &path).unwrap();
        assert!(!stamp.is_of(&path));
        std::fs::remove_file(&path).unwrap();
        assert!(!stamp.is_of(&path));
    }

    #[test]
    fn only_ordinary_files_are_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let refused = |path: &Path| Source::open(path, None).err().map(|failure| failure.code());
        assert_eq!(refused(directory.path()), Some(FailureCode::Other));
        let pipe = directory.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert_eq!(refused(&pipe), Some(FailureCode::Other));
        assert_eq!(refused(&directory.path().join("nothing")), Some(FailureCode::NoSuchFile));
    }
}
