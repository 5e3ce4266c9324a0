//! The trait that a file tree implements to be mounted.
//!
//! Calls come from several threads at once. A panic in one of them is caught, logged and answered with EIO. A call
//! must not wait for [`Invalidator::settle`](crate::Invalidator::settle): the kernel may hold a directory's
//! lock for the request that is being answered, and the notification waits for that lock.

use std::ffi::{OsStr, OsString};

use crate::{Attributes, Caller, Change, Inode, Listed, Refusal, RenameMode, Seek, Statistics, XattrMode};

/// A tree of names and files, addressed by inode numbers.
///
/// A file is never opened or closed: reads and writes come by number alone, and a file whose last name is
/// gone must stay readable and writable until [`forget`](Namespace::forget) has taken back all its lookups.
///
/// Each successful `lookup`, `create`, `make_*`, `link`, and each [`listed`](Namespace::listed), counts as one
/// lookup of the inode that it returned.
pub trait Namespace: Send + Sync + 'static {
    /// Returns a number that grows whenever a name or an attribute may have changed without a request.
    ///
    /// It must have grown before the [`Invalidator`](crate::Invalidator) is told of the change. An answer that was
    /// worked out while it moved is sent to be used once; any other may be remembered for ever.
    fn change_epoch(&self) -> u64;

    /// Looks a name up. `Ok(None)` says that there is none, and is remembered like any other answer.
    fn lookup(&self, caller: &Caller, parent: Inode, name: &OsStr) -> Result<Option<Attributes>, Refusal>;

    /// Takes back `lookups` lookups of `inode`; at zero the kernel knows it no more.
    fn forget(&self, inode: Inode, lookups: u64);

    /// Returns the attributes of an inode.
    fn attributes(&self, caller: &Caller, inode: Inode) -> Result<Attributes, Refusal>;

    /// Changes attributes, and returns them all as they are now. What cannot be changed must leave all as it was.
    fn change(&self, caller: &Caller, inode: Inode, change: &Change) -> Result<Attributes, Refusal>;

    /// Returns the target of a symbolic link.
    fn read_link(&self, caller: &Caller, inode: Inode) -> Result<Vec<u8>, Refusal>;

    /// Appends up to `size` bytes from `offset` to `out`, which is empty; fewer only at the end of the file.
    fn read(
        &self,
        caller: &Caller,
        inode: Inode,
        offset: u64,
        size: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal>;

    /// Writes, and returns how many bytes were taken.
    ///
    /// A refused write makes the kernel drop its pages of the file: bytes that came through a shared mapping
    /// are seen by others until then, and never after.
    fn write(&self, caller: &Caller, inode: Inode, offset: u64, data: &[u8]) -> Result<u32, Refusal>;

    /// Hands the entries that follow position `after` (0: the start) to `sink`, in order, `.` and `..` too.
    ///
    /// `sink` returns false when it has no room: that entry was *not* taken, and the listing stops. Each name that
    /// exists throughout must appear exactly once, also when others are removed between two calls.
    fn list(
        &self,
        caller: &Caller,
        directory: Inode,
        after: u64,
        with_attributes: bool,
        sink: &mut dyn FnMut(Listed) -> bool,
    ) -> Result<(), Refusal>;

    /// Tells that a listed entry (never `.` or `..`) was taken together with its attributes: one more lookup.
    /// It is called from inside [`list`](Namespace::list), through its sink: hold no lock there that this takes.
    fn listed(&self, inode: Inode);

    /// Creates a regular file and opens it. `flags` are those of `open(2)`.
    ///
    /// Here and in the calls below, `mode` is what the caller asked for: `umask` has to be taken from it, unless
    /// the directory has a default access list.
    fn create(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
    ) -> Result<Attributes, Refusal>;

    /// Makes a file, pipe, socket or device: `mode` carries the file type, as in `mknod(2)`.
    fn make_node(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
        device: u32,
    ) -> Result<Attributes, Refusal>;

    /// Makes a directory.
    fn make_directory(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
    ) -> Result<Attributes, Refusal>;

    /// Makes a symbolic link.
    fn make_symlink(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        target: &OsStr,
    ) -> Result<Attributes, Refusal>;

    /// Gives `inode` one more name.
    fn link(
        &self,
        caller: &Caller,
        inode: Inode,
        new_parent: Inode,
        new_name: &OsStr,
    ) -> Result<Attributes, Refusal>;

    /// Removes the name of something that is no directory.
    fn unlink(&self, caller: &Caller, parent: Inode, name: &OsStr) -> Result<(), Refusal>;

    /// Removes an empty directory.
    fn remove_directory(&self, caller: &Caller, parent: Inode, name: &OsStr) -> Result<(), Refusal>;

    /// Moves a name, within a directory or to another.
    fn rename(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        new_parent: Inode,
        new_name: &OsStr,
        mode: RenameMode,
    ) -> Result<(), Refusal>;

    /// Makes a file's contents durable, and its attributes too unless `data_only`.
    fn sync(&self, inode: Inode, data_only: bool) -> Result<(), Refusal>;

    /// Makes a directory's names durable.
    fn sync_directory(&self, directory: Inode, data_only: bool) -> Result<(), Refusal>;

    /// Returns the figures of the file system that holds `inode`.
    fn statfs(&self, inode: Inode) -> Result<Statistics, Refusal>;

    /// Returns the value of an extended attribute, or [`Refusal::NoData`].
    ///
    /// The kernel asks `system.posix_acl_access` once per inode and remembers the answer.
    fn get_xattr(&self, caller: &Caller, inode: Inode, name: &OsStr) -> Result<Vec<u8>, Refusal>;

    /// Returns the names of all extended attributes.
    fn list_xattr(&self, caller: &Caller, inode: Inode) -> Result<Vec<OsString>, Refusal>;

    /// Sets an extended attribute.
    fn set_xattr(
        &self,
        caller: &Caller,
        inode: Inode,
        name: &OsStr,
        value: &[u8],
        mode: XattrMode,
    ) -> Result<(), Refusal>;

    /// Removes an extended attribute.
    fn remove_xattr(&self, caller: &Caller, inode: Inode, name: &OsStr) -> Result<(), Refusal>;

    /// Takes or frees space; `mode` is that of `fallocate(2)`.
    fn fallocate(
        &self,
        caller: &Caller,
        inode: Inode,
        offset: u64,
        length: u64,
        mode: i32,
    ) -> Result<(), Refusal> {
        let _ = (caller, inode, offset, length, mode);
        Err(Refusal::NotSupported)
    }

    /// Finds the next data, or the next hole, at or after `offset`: the answer to `SEEK_DATA` and `SEEK_HOLE` of
    /// `lseek(2)`. The default knows no holes but the end of the file.
    ///
    /// # Errors
    /// [`Refusal::BeyondEnd`] if there is none, or if `offset` is not in the file.
    fn seek(&self, caller: &Caller, inode: Inode, offset: u64, sought: Seek) -> Result<u64, Refusal> {
        sought.without_holes(offset, self.attributes(caller, inode)?.size)
    }

    /// Clears set-user-ID and set-group-ID before somebody without privilege changes the contents.
    ///
    /// The kernel leaves this to the file system, in exchange for not asking `security.capability` before every
    /// write. The default reads the mode and changes it only when there is something to clear.
    fn drop_privileges(&self, caller: &Caller, inode: Inode) -> Result<(), Refusal> {
        const SET_USER: u16 = 0o4000;
        const SET_GROUP: u16 = 0o2000;
        const GROUP_EXECUTE: u16 = 0o0010;
        let now = self.attributes(caller, inode)?.permissions;
        let mut cleared = now & !SET_USER;
        if now & GROUP_EXECUTE != 0 {
            cleared &= !SET_GROUP;
        }
        if cleared == now {
            return Ok(());
        }
        let root = Caller { uid: 0, gid: 0, pid: caller.pid };
        self.change(&root, inode, &Change { mode: Some(u32::from(cleared)), ..Change::default() }).map(drop)
    }
}

/// Keeps the trait usable behind a pointer.
const _: Option<&dyn Namespace> = None;
