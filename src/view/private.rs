//! A view's private files: ordinary files of the view's storage, found again by their inode
//! numbers.
//!
//! The kernel names a file by number alone, so for every number it holds this table keeps
//! where the file is: names that lead to it, or an open descriptor once the last known name
//! is gone. It must not know VOBs or rules, only places in the storage directory.

mod places;

use clerestory_mount::{Attributes, FileKind, Inode, Refusal, Time};
use parking_lot::{Mutex, RwLock};
use places::Places;
use rustix::fs::{AtFlags, Mode, OFlags};
use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Descriptors kept open for reads and writes that come one after another.
const OPEN_FILES_MAX: usize = 256;
/// Locks among which the table is spread.
const SHARDS: usize = 16;

/// Where a private file is: relative to the view's storage.
#[derive(Clone, Eq, PartialEq, Hash, Debug)]
pub enum Place {
    /// At a path that holds no private directory, such as `private/OID/name` or `checkout/OID`.
    Path(PathBuf),
    /// In a private directory, itself found by its number.
    Within(u64, Box<[u8]>),
}

#[derive(Debug, Default)]
struct Known {
    places: Places,
    lookups: u64,
    /// Held when the last known name is gone.
    orphan: Option<Arc<File>>,
}

/// A private file as a path of the host, for system calls that take no directory descriptor.
pub struct HostFile {
    /// A path through `/proc/self/fd`, so that it is short however deep the file is.
    pub path: PathBuf,
    /// Whether the last part of the path is to be followed: the path is the descriptor itself.
    pub follow: bool,
    /// Keeps the descriptor open that the path begins at.
    _open: Held,
}

enum Held {
    Directory { _descriptor: Arc<OwnedFd> },
    File { _file: Arc<File> },
}

impl HostFile {
    fn named(directory: Arc<OwnedFd>, path: &Path) -> HostFile {
        let path = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(path);
        HostFile { path, follow: false, _open: Held::Directory { _descriptor: directory } }
    }

    fn nameless(file: Arc<File>) -> HostFile {
        let path = Path::new("/proc/self/fd").join(file.as_raw_fd().to_string());
        HostFile { path, follow: true, _open: Held::File { _file: file } }
    }
}

/// The private files of one view that the kernel knows.
#[derive(Debug)]
pub struct PrivateFiles {
    shards: Vec<RwLock<HashMap<u64, Known>>>,
    open: Mutex<OpenFiles>,
}

#[derive(Debug, Default)]
struct OpenFiles {
    files: HashMap<u64, (Arc<File>, bool)>,
    order: std::collections::VecDeque<u64>,
}

impl Default for PrivateFiles {
    fn default() -> Self {
        PrivateFiles { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), open: Mutex::default() }
    }
}

impl PrivateFiles {
    fn shard(&self, number: u64) -> &RwLock<HashMap<u64, Known>> {
        &self.shards[number as usize % SHARDS]
    }

    /// Notes that a place leads to a file that the kernel is told of.
    pub fn note(&self, number: u64, place: Place, lookups: u64) {
        let mut shard = self.shard(number).write();
        let known = shard.entry(number).or_default();
        known.lookups += lookups;
        known.places.insert(place);
        known.orphan = None;
    }

    /// Takes lookups back; at zero the file is forgotten here too.
    pub fn forget(&self, number: u64, lookups: u64) {
        let mut shard = self.shard(number).write();
        let Some(known) = shard.get_mut(&number) else {
            return;
        };
        known.lookups = known.lookups.saturating_sub(lookups);
        if known.lookups == 0 {
            let forgotten = shard.remove(&number);
            drop(shard);
            self.close(number);
            if let Some(orphan) = forgotten.and_then(|known| known.orphan) {
                discard(&orphan);
            }
        }
    }

    /// Notes that a place leads to the file no more, before its name goes: if no other name is
    /// known, the file is held open.
    ///
    /// # Errors
    /// If the file cannot be opened to be held.
    pub fn leave(&self, root: &Arc<OwnedFd>, number: u64, place: &Place) -> Result<(), Refusal> {
        let last = {
            let shard = self.shard(number).read();
            match shard.get(&number) {
                Some(known) => known.orphan.is_none() && known.places.has_no_other(place),
                None => return Ok(()),
            }
        };
        let orphan = match if last { self.hold(root, number) } else { Ok(None) } {
            // The kernel has forgotten it meanwhile: nobody has it open.
            Err(Refusal::Stale) => None,
            held => held?,
        };
        if let Some(known) = self.shard(number).write().get_mut(&number) {
            known.places.remove(place);
            if known.places.is_empty() {
                known.orphan = orphan;
            }
        }
        Ok(())
    }

    fn hold(&self, root: &Arc<OwnedFd>, number: u64) -> Result<Option<Arc<File>>, Refusal> {
        if let Some((file, true)) = self.open.lock().files.get(&number) {
            return Ok(Some(Arc::clone(file)));
        }
        let (dir, name) = self.at(root, number)?;
        let open = |flags: OFlags| {
            rustix::fs::openat(&dir, &name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        };
        let found = rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        // Opening a device does something to it.
        let held = match found.st_mode & libc::S_IFMT {
            libc::S_IFREG => {
                open(OFlags::RDWR).or_else(|_| open(OFlags::RDONLY)).or_else(|_| open(OFlags::PATH))
            }
            _ => open(OFlags::PATH),
        };
        Ok(Some(Arc::new(File::from(held?))))
    }

    /// Opens a directory whose name is about to go, to be given to [`removed`](PrivateFiles::removed); `None` if
    /// the kernel does not know it.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn hold_directory(&self, root: &Arc<OwnedFd>, number: u64) -> Result<Option<Arc<File>>, Refusal> {
        if !self.shard(number).read().contains_key(&number) {
            return Ok(None);
        }
        let (dir, path) = self.at(root, number)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Some(Arc::new(File::from(rustix::fs::openat(&dir, &path, flags, Mode::empty())?))))
    }

    /// Notes that a directory has no name any more; who is in it still sees it.
    pub fn removed(&self, number: u64, held: Option<Arc<File>>) {
        if let Some(known) = self.shard(number).write().get_mut(&number) {
            known.places.clear();
            known.orphan = held;
        }
    }

    /// Returns a path of the host to a file.
    ///
    /// # Errors
    /// If the number is not known.
    pub fn host_file(&self, root: &Arc<OwnedFd>, number: u64) -> Result<HostFile, Refusal> {
        if let Some(orphan) = self.orphan(number) {
            return Ok(HostFile::nameless(orphan));
        }
        let (directory, path) = self.at(root, number)?;
        Ok(HostFile::named(directory, &path))
    }

    /// Notes that a file moved from one place to another.
    pub fn moved(&self, number: u64, from: &Place, to: Place) {
        if let Some(known) = self.shard(number).write().get_mut(&number) {
            known.places.remove(from);
            known.places.insert(to);
        }
    }

    /// Finds a file: a directory descriptor and a path relative to it, short enough for one call.
    ///
    /// # Errors
    /// [`Refusal::Stale`] if the number is not known.
    pub fn at(&self, root: &Arc<OwnedFd>, number: u64) -> Result<(Arc<OwnedFd>, PathBuf), Refusal> {
        let mut parts: Vec<Box<[u8]>> = Vec::new();
        let mut at = number;
        let mut path = loop {
            let shard = self.shard(at).read();
            let known = shard.get(&at).ok_or(Refusal::Stale)?;
            match known.places.any().ok_or(Refusal::Stale)? {
                Place::Path(path) => break path.clone(),
                Place::Within(parent, name) => {
                    parts.push(name.clone());
                    let parent = *parent;
                    drop(shard);
                    at = parent;
                }
            }
            if parts.len() > 1 << 16 {
                return Err(Refusal::Loop);
            }
        };
        // Paths longer than one call takes are opened piece by piece.
        let mut dir = Arc::clone(root);
        for name in parts.iter().rev() {
            if path.as_os_str().len() + name.len() > 3800 {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                dir = Arc::new(rustix::fs::openat(&dir, &path, flags, Mode::empty())?);
                path = PathBuf::new();
            }
            path.push(std::ffi::OsStr::from_bytes(name));
        }
        Ok((dir, path))
    }

    /// Returns the path of a file, relative to the view's storage; none where it has no name any more.
    pub fn path(&self, number: u64) -> Option<PathBuf> {
        let mut parts: Vec<Box<[u8]>> = Vec::new();
        let mut at = number;
        // As deep as `at` follows.
        for _ in 0..1 << 16 {
            match self.shard(at).read().get(&at)?.places.any()? {
                Place::Path(path) => {
                    let names = parts.iter().rev().map(|name| std::ffi::OsStr::from_bytes(name));
                    return Some(names.fold(path.clone(), |path, name| path.join(name)));
                }
                Place::Within(parent, name) => {
                    parts.push(name.clone());
                    at = *parent;
                }
            }
        }
        None
    }

    /// Returns the path of the object that a file is, or is in, which is in no private directory itself.
    pub fn top(&self, number: u64) -> Option<PathBuf> {
        let mut at = number;
        // As deep as `at` follows.
        for _ in 0..1 << 16 {
            match self.shard(at).read().get(&at)?.places.any()? {
                Place::Path(path) => return Some(path.clone()),
                Place::Within(parent, _) => at = *parent,
            }
        }
        None
    }

    /// Reads the attributes of a file.
    ///
    /// # Errors
    /// If it is gone.
    pub fn stat(&self, root: &Arc<OwnedFd>, number: u64) -> Result<rustix::fs::Stat, Refusal> {
        if let Some(orphan) = self.orphan(number) {
            return Ok(rustix::fs::fstat(&*orphan)?);
        }
        let (dir, path) = self.at(root, number)?;
        Ok(rustix::fs::statat(&dir, &path, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Returns the descriptor that is held of a file without names.
    pub fn orphan(&self, number: u64) -> Option<Arc<File>> {
        self.shard(number).read().get(&number)?.orphan.clone()
    }

    /// Opens a regular file, or returns the descriptor still open.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn file(&self, root: &Arc<OwnedFd>, number: u64, write: bool) -> Result<Arc<File>, Refusal> {
        if let Some(orphan) = self.orphan(number) {
            return Ok(orphan);
        }
        if let Some((file, writable)) = self.open.lock().files.get(&number)
            && (*writable || !write)
        {
            return Ok(Arc::clone(file));
        }
        let (dir, path) = self.at(root, number)?;
        let open = |flags: OFlags| {
            rustix::fs::openat(
                &dir,
                &path,
                flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
                Mode::empty(),
            )
        };
        let (opened, writable) = match open(OFlags::RDWR) {
            Ok(opened) => (opened, true),
            Err(_) if !write => (open(OFlags::RDONLY)?, false),
            // The kernel has checked the caller's right when the file was opened, perhaps
            // before its mode changed; the owner may still write.
            Err(rustix::io::Errno::ACCESS) => (open_despite_mode(&dir, &path)?, true),
            Err(errno) => return Err(errno.into()),
        };
        let file = Arc::new(File::from(opened));
        self.keep_open(number, Arc::clone(&file), writable);
        Ok(file)
    }

    /// Keeps a descriptor for the reads and writes to come.
    pub fn keep_open(&self, number: u64, file: Arc<File>, writable: bool) {
        let mut open = self.open.lock();
        if open.files.insert(number, (file, writable)).is_none() {
            open.order.push_back(number);
        }
        while open.files.len() > OPEN_FILES_MAX {
            let Some(oldest) = open.order.pop_front() else {
                break;
            };
            open.files.remove(&oldest);
        }
    }

    fn close(&self, number: u64) {
        let mut open = self.open.lock();
        if open.files.remove(&number).is_some() {
            open.order.retain(|other| *other != number);
        }
    }
}

/// Drops the bytes of a file that has no name on the host any more and is about to be closed for the last time. ext4 would
/// write them to the disk first, if the file was ever emptied and written anew.
fn discard(file: &File) {
    let is_nameless =
        |found: rustix::fs::Stat| found.st_nlink == 0 && found.st_mode & libc::S_IFMT == libc::S_IFREG;
    if rustix::fs::fstat(file).is_ok_and(is_nameless) {
        // A descriptor that cannot write is no harm: the host drops the file all the same.
        let _ = rustix::fs::ftruncate(file, 0);
    }
}

fn open_despite_mode(dir: &OwnedFd, path: &Path) -> Result<OwnedFd, Refusal> {
    let found = rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = Mode::from_raw_mode(found.st_mode & 0o7777);
    rustix::fs::chmodat(dir, path, mode | Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
    let opened =
        rustix::fs::openat(dir, path, OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
    rustix::fs::chmodat(dir, path, mode, AtFlags::empty())?;
    Ok(opened?)
}

/// Turns what the host says of a file into attributes of the mount.
pub fn attributes(inode: Inode, found: &rustix::fs::Stat) -> Attributes {
    let kind = match found.st_mode & libc::S_IFMT {
        libc::S_IFDIR => FileKind::Directory,
        libc::S_IFLNK => FileKind::Symlink,
        libc::S_IFIFO => FileKind::Fifo,
        libc::S_IFSOCK => FileKind::Socket,
        libc::S_IFCHR => FileKind::CharDevice,
        libc::S_IFBLK => FileKind::BlockDevice,
        _ => FileKind::File,
    };
    let time = |seconds: i64, nanoseconds: u64| Time { seconds, nanoseconds: nanoseconds as u32 };
    Attributes {
        inode,
        kind,
        permissions: (found.st_mode & 0o7777) as u16,
        links: found.st_nlink as u32,
        uid: found.st_uid,
        gid: found.st_gid,
        device: found.st_rdev as u32,
        size: found.st_size as u64,
        blocks: found.st_blocks as u64,
        accessed: time(found.st_atime, found.st_atime_nsec),
        modified: time(found.st_mtime, found.st_mtime_nsec),
        changed: time(found.st_ctime, found.st_ctime_nsec),
    }
}

/// Names in a directory of the storage, `.` and `..` left out; none where it is missing.
///
/// # Errors
/// If it cannot be read.
pub fn names_in(dir: impl AsFd, path: &Path) -> Result<Vec<Vec<u8>>, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = match rustix::fs::openat(dir, path, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(rustix::io::Errno::NOENT) => return Ok(Vec::new()),
        Err(errno) => return Err(errno.into()),
    };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(opened)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}
