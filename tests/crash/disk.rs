//! A disk that remembers every write and every flush, in their order, so that any power cut can be played back.
//!
//! It is a file of a file system of its own in user space, under a loop device: the block layer turns what a real disk
//! would be asked into writes and syncs of that file. Nothing here knows what the disk holds.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, UNIX_EPOCH};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, OpenFlags,
    ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, WriteFlags,
};
use rustix::mount::UnmountFlags;

/// What a disk tears apart is never smaller.
pub const SECTOR_BYTES: usize = 512;
const BLOCK_BYTES: usize = 4096;
/// Room for a home with a VOB and a view.
const DISK_BYTES: u64 = 192 << 20;
const FILE: INodeNo = INodeNo(2);
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// What happened to the disk, or beside it.
#[derive(Clone, Debug)]
pub enum Event<M> {
    /// Bytes were written; where they go is known, when they will be durable is not.
    Write(u64, Arc<[u8]>),
    /// All that was written before is durable.
    Flush,
    /// The program that works on the disk says something.
    Mark(M),
}

/// The blocks that were ever written.
#[derive(Clone, Default)]
pub struct Image(BTreeMap<u64, Box<[u8; BLOCK_BYTES]>>);

impl Image {
    /// Writes bytes.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (block, within) = (at / BLOCK_BYTES as u64, at as usize % BLOCK_BYTES);
            let part = rest.len().min(BLOCK_BYTES - within);
            let held = self.0.entry(block).or_insert_with(|| Box::new([0; BLOCK_BYTES]));
            held[within..within + part].copy_from_slice(&rest[..part]);
            (at, rest) = (at + part as u64, &rest[part..]);
        }
    }

    fn read(&self, offset: u64, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size.min(DISK_BYTES.saturating_sub(offset) as usize)];
        let (mut at, mut done) = (offset, 0);
        while done < bytes.len() {
            let within = at as usize % BLOCK_BYTES;
            let part = (bytes.len() - done).min(BLOCK_BYTES - within);
            if let Some(held) = self.0.get(&(at / BLOCK_BYTES as u64)) {
                bytes[done..done + part].copy_from_slice(&held[within..within + part]);
            }
            (at, done) = (at + part as u64, done + part);
        }
        bytes
    }

    /// Writes the image to a file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn save(&self, path: &Path) {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::create(path).expect("the image can be made");
        file.set_len(DISK_BYTES).expect("the image has a length");
        for (block, bytes) in &self.0 {
            file.write_all_at(&bytes[..], block * BLOCK_BYTES as u64).expect("the image can be written");
        }
    }
}

/// Whether a write holds a superblock: that of ext4 (Documentation/filesystems/ext4/super.rst), or one of its journal
/// (journal.rst: the magic number, then block type 3 or 4).
pub fn is_superblock(offset: u64, bytes: &[u8]) -> bool {
    let is_of_journal = |block: &[u8]| matches!(block, [0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 3 | 4, ..]);
    offset < 2048 || bytes.chunks(BLOCK_BYTES).any(is_of_journal)
}

struct Held<M> {
    image: Image,
    /// None while nothing is remembered.
    events: Option<Vec<Event<M>>>,
    /// Whether writes and flushes fail from now on.
    fails: bool,
}

/// The disk, with a file system on it that is mounted.
pub struct Disk<M> {
    held: Arc<Mutex<Held<M>>>,
    root: tempfile::TempDir,
    session: Option<fuser::BackgroundSession>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn run(program: &str, words: &[&OsStr]) {
    let output = Command::new(program).args(words).output().expect("the program runs");
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl<M: Send + 'static> Disk<M> {
    /// Makes a disk with an empty, journaled ext4, and mounts it.
    pub fn new() -> Disk<M> {
        let root = tempfile::Builder::new().prefix("clcrash.").tempdir().expect("a directory can be made");
        let held = Arc::new(Mutex::new(Held { image: Image::default(), events: None, fails: false }));
        for directory in ["host", "mnt"] {
            std::fs::create_dir(root.path().join(directory)).expect("a directory can be made");
        }
        let mut config = fuser::Config::default();
        config.mount_options = vec![fuser::MountOption::FSName("clcrash".to_owned())];
        config.n_threads = Some(1);
        let server = Server(Arc::clone(&held));
        let session = fuser::Session::new(server, root.path().join("host"), &config);
        let session = session.and_then(fuser::Session::spawn).expect("the disk's file can be served");
        let disk = Disk { held, root, session: Some(session) };
        let file = disk.root.path().join("host/disk");
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), file.as_os_str()]);
        run("mount", &["-o".as_ref(), "loop".as_ref(), file.as_os_str(), disk.mountpoint().as_os_str()]);
        disk
    }

    /// Where its file system is mounted.
    pub fn mountpoint(&self) -> PathBuf {
        self.root.path().join("mnt")
    }

    /// Begins to remember: returns what is durable now.
    pub fn begin(&self) -> Image {
        rustix::fs::sync();
        let mut held = lock(&self.held);
        held.events = Some(Vec::new());
        held.image.clone()
    }

    /// Remembers that something was said.
    pub fn mark(&self, mark: M) {
        if let Some(events) = &mut lock(&self.held).events {
            events.push(Event::Mark(mark));
        }
    }

    /// From now on every write and every flush is an error, as of a disk that dies.
    pub fn fail(&self) {
        lock(&self.held).fails = true;
    }

    /// Returns what was remembered, and remembers nothing further.
    pub fn end(&self) -> Vec<Event<M>> {
        lock(&self.held).events.take().unwrap_or_default()
    }
}

impl<M> Drop for Disk<M> {
    fn drop(&mut self) {
        unmount(&self.root.path().join("mnt"));
        drop(self.session.take());
    }
}

/// Unmounts a file system, once the last process that had something open there is gone.
fn unmount(mountpoint: &Path) {
    let end = Instant::now() + Duration::from_secs(10);
    while rustix::mount::unmount(mountpoint, UnmountFlags::empty()) == Err(rustix::io::Errno::BUSY) {
        if Instant::now() > end {
            eprintln!("{} is busy, and unmounted all the same", mountpoint.display());
            let _ = rustix::mount::unmount(mountpoint, UnmountFlags::DETACH);
            return;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// A file system in an image, mounted as after a restart.
pub struct Restarted<'a> {
    mountpoint: &'a Path,
}

impl<'a> Restarted<'a> {
    /// Mounts an image that is in a file; its journal is replayed.
    ///
    /// # Errors
    /// If it cannot be mounted.
    pub fn mount(file: &Path, mountpoint: &'a Path) -> Result<Restarted<'a>, String> {
        let words: [&OsStr; 4] = ["-o".as_ref(), "loop".as_ref(), file.as_os_str(), mountpoint.as_os_str()];
        let output = Command::new("mount").args(words).output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(Restarted { mountpoint }),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

impl Drop for Restarted<'_> {
    fn drop(&mut self) {
        unmount(self.mountpoint);
    }
}

/// Serves the one file.
struct Server<M>(Arc<Mutex<Held<M>>>);

fn attributes(inode: INodeNo) -> FileAttr {
    let is_file = inode == FILE;
    FileAttr {
        ino: inode,
        size: if is_file { DISK_BYTES } else { 0 },
        blocks: if is_file { DISK_BYTES / 512 } else { 0 },
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if is_file { FileType::RegularFile } else { FileType::Directory },
        perm: if is_file { 0o600 } else { 0o700 },
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK_BYTES as u32,
        flags: 0,
    }
}

impl<M: Send + 'static> Filesystem for Server<M> {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match name == "disk" {
            true => reply.entry(&FOREVER, &attributes(FILE), Generation(0)),
            false => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOREVER, &attributes(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let bytes = lock(&self.0).image.read(offset, size as usize);
        reply.data(&bytes);
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut held = lock(&self.0);
        if held.fails {
            return reply.error(Errno::EIO);
        }
        held.image.write(offset, data);
        if let Some(events) = &mut held.events {
            events.push(Event::Write(offset, data.into()));
        }
        reply.written(data.len() as u32);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let mut held = lock(&self.0);
        if held.fails {
            return reply.error(Errno::EIO);
        }
        if let Some(events) = &mut held.events {
            events.push(Event::Flush);
        }
        reply.ok();
    }
}
