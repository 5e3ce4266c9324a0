//! The plain data that crosses the border between the adapter and a namespace.
//!
//! Nothing here acts. Numbers carry the kernel's own meaning (`stat(2)`, `rename(2)`, `setxattr(2)`).

use std::ffi::OsString;

use crate::Refusal;

/// The number by which the kernel names a file. Two names with one number are hard links of one file.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug)]
pub struct Inode(u64);

impl Inode {
    /// The top of the mount; FUSE fixes its number.
    pub const ROOT: Inode = Inode(1);

    /// Wraps a number. 0 means "no inode" on the wire, so no file may carry it.
    pub const fn new(number: u64) -> Inode {
        Inode(number)
    }

    /// Returns the bare number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Who asks. The kernel has already checked permission bits with the caller's groups.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Caller {
    /// File-system user id.
    pub uid: u32,
    /// File-system group id.
    pub gid: u32,
    /// Thread id; 0 when the caller lives in a pid namespace that the daemon cannot see.
    pub pid: u32,
}

/// What a name leads to.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum FileKind {
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Symbolic link.
    Symlink,
    /// Named pipe.
    Fifo,
    /// Socket of the local domain.
    Socket,
    /// Character device.
    CharDevice,
    /// Block device.
    BlockDevice,
}

/// A point in time, counted as `timespec` counts: times before 1970 have negative seconds and still a
/// nanosecond part that counts forward.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Default)]
pub struct Time {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

/// What `stat(2)` shows of a file.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Attributes {
    /// The file's number.
    pub inode: Inode,
    /// The file's kind; it never changes for one number.
    pub kind: FileKind,
    /// Permission, set-id and sticky bits (`0o7777`).
    pub permissions: u16,
    /// Hard links.
    pub links: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of a device file, in the kernel's 32-bit form; else 0.
    pub device: u32,
    /// Bytes.
    pub size: u64,
    /// Space taken, in units of 512 bytes.
    pub blocks: u64,
    /// Last access.
    pub accessed: Time,
    /// Last change of the contents.
    pub modified: Time,
    /// Last change of the attributes.
    pub changed: Time,
}

/// A time to be set on a file.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum SetTime {
    /// The moment of the request.
    Now,
    /// The moment given.
    At(Time),
}

/// The attributes that one request changes (`chmod`, `chown`, `truncate`, `utimensat`); `None` stays as it is.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Change {
    /// New permission bits (`0o7777`), without the file type.
    pub mode: Option<u32>,
    /// New owner.
    pub uid: Option<u32>,
    /// New group.
    pub gid: Option<u32>,
    /// New length in bytes. `open` with `O_TRUNC` arrives as length 0.
    pub size: Option<u64>,
    /// New time of last access.
    pub accessed: Option<SetTime>,
    /// New time of last modification.
    pub modified: Option<SetTime>,
}

/// One entry of a directory listing.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Listed {
    /// The name, also `.` and `..`.
    pub name: OsString,
    /// The position of this entry, not 0; a later listing continues after it. It must keep its meaning while
    /// other names of the directory come and go, and stay below 2^63.
    pub cookie: u64,
    /// The file's number.
    pub inode: Inode,
    /// The file's kind.
    pub kind: FileKind,
    /// Wanted when the listing asked for attributes; not needed for `.` and `..`.
    pub attributes: Option<Attributes>,
}

/// What `rename` does with an existing target.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum RenameMode {
    /// Replace it.
    Plain,
    /// Fail with [`Refusal::Exists`](crate::Refusal::Exists).
    NoReplace,
    /// Swap the two names; both exist.
    Exchange,
}

/// What `lseek` looks for.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Seek {
    /// The next byte that takes space.
    Data,
    /// The next hole; the end of the file counts as one.
    Hole,
}

impl Seek {
    /// Finds it at or after `offset` in a file of `size` bytes without holes.
    ///
    /// # Errors
    /// [`Refusal::BeyondEnd`] if `offset` is not in the file.
    pub fn without_holes(self, offset: u64, size: u64) -> Result<u64, Refusal> {
        match self {
            _ if offset >= size => Err(Refusal::BeyondEnd),
            Seek::Data => Ok(offset),
            Seek::Hole => Ok(size),
        }
    }
}

/// What `setxattr` expects to find.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum XattrMode {
    /// Create or replace.
    Any,
    /// It must not exist: else [`Refusal::Exists`](crate::Refusal::Exists).
    Create,
    /// It must exist: else [`Refusal::NoData`](crate::Refusal::NoData).
    Replace,
}

/// What `statvfs(3)` shows.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Statistics {
    /// Size of a block, in bytes; the counts below are in these.
    pub block_bytes: u32,
    /// All blocks.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Free blocks that ordinary users may take.
    pub blocks_available: u64,
    /// All inodes.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// Longest name, in bytes.
    pub name_bytes_max: u32,
}
