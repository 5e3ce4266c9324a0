//! One method per kernel request: unpack, ask the namespace, answer. Nothing is decided here but the answer's form.
//!
//! The file is long because fuser wants all requests in one `impl`.

use super::replies::{GENERATION, is_dot, listed_attributes, supported};
use super::{Adapter, FOREVER, Lasting, ONCE, READ_BUFFER, Sent, caller, init, inode};
use crate::convert;
use crate::{Change, Refusal, RenameMode, Request, Seek, XattrMode};
use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, Errno, FileHandle, FopenFlags, INodeNo, IoctlFlags,
    KernelConfig, LockOwner, OpenFlags, PollEvents, PollFlags, PollNotifier, RenameFlags, ReplyAttr,
    ReplyBmap, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry,
    ReplyIoctl, ReplyLseek, ReplyOpen, ReplyPoll, ReplyStatfs, ReplyWrite, ReplyXattr, TimeOrNow, WriteFlags,
};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

impl fuser::Filesystem for Adapter {
    fn init(&mut self, _: &fuser::Request, config: &mut KernelConfig) -> io::Result<()> {
        if init::negotiate(config) {
            self.shared.invalidator.allow_epoch();
        }
        Ok(())
    }

    fn destroy(&mut self) {
        self.shared.ending.announce();
    }

    fn lookup(&self, request: &fuser::Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let result = self.ask_lasting(request, Request::Lookup, |ns| {
            match ns.lookup(&caller(request), inode(parent), name) {
                Err(Refusal::NotFound) => Ok(None),
                other => other,
            }
        });
        self.reply_entry(result, parent, name, reply);
    }

    fn forget(&self, request: &fuser::Request, ino: INodeNo, lookups: u64) {
        // Nobody waits for an answer, and none can be given.
        let _ = self.ask(request, Request::Forget, |ns| {
            ns.forget(inode(ino), lookups);
            Ok(())
        });
    }

    fn getattr(&self, request: &fuser::Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let result = self
            .ask_lasting(request, Request::GetAttributes, |ns| ns.attributes(&caller(request), inode(ino)));
        self.reply_attributes(result, reply);
    }

    fn setattr(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        accessed: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let change = Change {
            mode: mode.map(|mode| mode & 0o7777),
            uid,
            gid,
            size,
            accessed: accessed.map(convert::set_time),
            modified: modified.map(convert::set_time),
        };
        let by = caller(request);
        let result = self.ask_lasting(request, Request::SetAttributes, |ns| {
            let attributes = ns.change(&by, inode(ino), &change)?;
            if size.is_none() || by.uid == 0 {
                return Ok(attributes);
            }
            ns.drop_privileges(&by, inode(ino))?;
            ns.attributes(&by, inode(ino))
        });
        self.reply_attributes(result, reply);
    }

    fn readlink(&self, request: &fuser::Request, ino: INodeNo, reply: ReplyData) {
        match self.ask(request, Request::ReadLink, |ns| ns.read_link(&caller(request), inode(ino))) {
            Ok(target) => reply.data(&target),
            Err(error) => reply.error(error),
        }
    }

    fn mknod(
        &self,
        request: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        device: u32,
        reply: ReplyEntry,
    ) {
        let result = self.ask_lasting(request, Request::MakeNode, |ns| {
            ns.make_node(&caller(request), inode(parent), name, mode, umask, device).map(Some)
        });
        self.reply_entry(result, parent, name, reply);
    }

    fn mkdir(
        &self,
        request: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let result = self.ask_lasting(request, Request::MakeDirectory, |ns| {
            ns.make_directory(&caller(request), inode(parent), name, mode & 0o7777, umask).map(Some)
        });
        self.reply_entry(result, parent, name, reply);
    }

    fn symlink(
        &self,
        request: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let result = self.ask_lasting(request, Request::MakeSymlink, |ns| {
            ns.make_symlink(&caller(request), inode(parent), name, target.as_os_str()).map(Some)
        });
        self.reply_entry(result, parent, name, reply);
    }

    fn link(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        new_parent: INodeNo,
        new_name: &OsStr,
        reply: ReplyEntry,
    ) {
        let result = self.ask_lasting(request, Request::Link, |ns| {
            ns.link(&caller(request), inode(ino), inode(new_parent), new_name).map(Some)
        });
        self.reply_entry(result, new_parent, new_name, reply);
    }

    fn unlink(&self, request: &fuser::Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let result =
            self.ask(request, Request::Unlink, |ns| ns.unlink(&caller(request), inode(parent), name));
        Self::reply_empty(result, reply);
    }

    fn rmdir(&self, request: &fuser::Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let result = self.ask(request, Request::RemoveDirectory, |ns| {
            ns.remove_directory(&caller(request), inode(parent), name)
        });
        Self::reply_empty(result, reply);
    }

    fn rename(
        &self,
        request: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let result = self.ask(request, Request::Rename, |ns| {
            let mode = if flags.is_empty() {
                RenameMode::Plain
            } else if flags == RenameFlags::RENAME_NOREPLACE {
                RenameMode::NoReplace
            } else if flags == RenameFlags::RENAME_EXCHANGE {
                RenameMode::Exchange
            } else {
                return Err(Refusal::Invalid);
            };
            ns.rename(&caller(request), inode(parent), name, inode(new_parent), new_name, mode)
        });
        Self::reply_empty(result, reply);
    }

    /// Tells the kernel to open files without asking: the answer that makes warm reads free.
    fn open(&self, _: &fuser::Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.count(Request::Open);
        reply.error(Errno::ENOSYS);
    }

    /// As [`open`](fuser::Filesystem::open), and lets the kernel cache listings.
    fn opendir(&self, _: &fuser::Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.count(Request::OpenDirectory);
        reply.error(Errno::ENOSYS);
    }

    fn create(
        &self,
        request: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let result = self.ask_lasting(request, Request::Create, |ns| {
            ns.create(&caller(request), inode(parent), name, mode & 0o7777, umask, flags)
        });
        match result {
            Ok(Lasting { answer, epoch, lifetime }) => {
                let attributes = convert::attributes(&answer);
                let keep = FopenFlags::FOPEN_KEEP_CACHE | FopenFlags::FOPEN_NOFLUSH;
                reply.created(&lifetime, &attributes, GENERATION, FileHandle(0), keep);
                self.settle_answer(epoch, || Sent {
                    names: vec![(inode(parent), name.to_owned())],
                    inodes: vec![answer.inode],
                    listing: None,
                });
            }
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        READ_BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            let result = self.ask(request, Request::Read, |ns| {
                ns.read(&caller(request), inode(ino), offset, size, buffer)
            });
            match result {
                Ok(()) => {
                    buffer.truncate(size as usize);
                    reply.data(buffer);
                }
                Err(error) => reply.error(error),
            }
        });
    }

    fn write(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        write_flags: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let by = caller(request);
        let result = self.ask(request, Request::Write, |ns| {
            if write_flags.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID) {
                ns.drop_privileges(&by, inode(ino))?;
            }
            ns.write(&by, inode(ino), offset, data)
        });
        match result {
            Ok(written) => reply.written(written),
            Err(error) => {
                reply.error(error);
                // The page cache may hold what was refused, above all when it came through a shared mapping.
                self.shared.invalidator.contents(vec![inode(ino)]);
            }
        }
    }

    /// There is nothing to do on close: the kernel stops telling us of it.
    fn flush(&self, _: &fuser::Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.count(Request::Flush);
        reply.error(Errno::ENOSYS);
    }

    fn release(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.count(Request::Release);
        reply.ok();
    }

    fn releasedir(&self, _: &fuser::Request, _: INodeNo, _: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.count(Request::ReleaseDirectory);
        reply.ok();
    }

    fn fsync(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        data_only: bool,
        reply: ReplyEmpty,
    ) {
        Self::reply_empty(self.ask(request, Request::Sync, |ns| ns.sync(inode(ino), data_only)), reply);
    }

    fn fsyncdir(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        data_only: bool,
        reply: ReplyEmpty,
    ) {
        let result = self.ask(request, Request::SyncDirectory, |ns| ns.sync_directory(inode(ino), data_only));
        Self::reply_empty(result, reply);
    }

    fn readdir(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        after: u64,
        mut reply: ReplyDirectory,
    ) {
        let result = self.ask_lasting(request, Request::ReadDirectory, |ns| {
            ns.list(&caller(request), inode(ino), after, false, &mut |entry| {
                let number = INodeNo(entry.inode.get());
                !reply.add(number, entry.cookie, convert::kind(entry.kind), &entry.name)
            })
        });
        match result {
            Ok(Lasting { epoch, .. }) => {
                reply.ok();
                self.settle_answer(epoch, || Sent { listing: Some(inode(ino)), ..Sent::default() });
            }
            Err(error) => reply.error(error),
        }
    }

    fn readdirplus(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        after: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let mut sent = Sent { listing: Some(inode(ino)), ..Sent::default() };
        let result = self.ask_lasting(request, Request::ReadDirectoryPlus, |ns| {
            let epoch = ns.change_epoch();
            let mut failure = None;
            ns.list(&caller(request), inode(ino), after, true, &mut |entry| {
                let shown = match listed_attributes(ns, request, &entry) {
                    Ok(Some(shown)) => shown,
                    Ok(None) => return true,
                    Err(refusal) => {
                        failure = Some(refusal);
                        return false;
                    }
                };
                let lasts = ns.change_epoch() == epoch;
                if !lasts && !is_dot(&entry.name) {
                    self.shared.invalidator.note_single_use(inode(ino), &entry.name);
                }
                let lifetime = if lasts { FOREVER } else { ONCE };
                let number = INodeNo(entry.inode.get());
                if reply.add(number, entry.cookie, &entry.name, &lifetime, &shown, GENERATION) {
                    return false;
                }
                if !is_dot(&entry.name) {
                    ns.listed(entry.inode);
                    sent.inodes.push(entry.inode);
                    sent.names.push((inode(ino), entry.name));
                }
                true
            })?;
            // With entries in hand the kernel takes them first, and comes back for the rest.
            failure.filter(|_| sent.names.is_empty()).map_or(Ok(()), Err)
        });
        match result {
            Ok(Lasting { epoch, .. }) => {
                reply.ok();
                self.settle_answer(epoch, || sent);
            }
            Err(error) => reply.error(error),
        }
    }

    fn statfs(&self, request: &fuser::Request, ino: INodeNo, reply: ReplyStatfs) {
        match self.ask(request, Request::Statistics, |ns| ns.statfs(inode(ino))) {
            Ok(s) => reply.statfs(
                s.blocks,
                s.blocks_free,
                s.blocks_available,
                s.files,
                s.files_free,
                s.block_bytes,
                s.name_bytes_max,
                s.block_bytes,
            ),
            Err(error) => reply.error(error),
        }
    }

    fn setxattr(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _: u32,
        reply: ReplyEmpty,
    ) {
        let result = self.ask(request, Request::SetXattr, |ns| {
            let mode = match flags {
                0 => XattrMode::Any,
                libc::XATTR_CREATE => XattrMode::Create,
                libc::XATTR_REPLACE => XattrMode::Replace,
                _ => return Err(Refusal::Invalid),
            };
            supported(name)?;
            ns.set_xattr(&caller(request), inode(ino), name, value, mode)
        });
        Self::reply_empty(result, reply);
    }

    fn getxattr(&self, request: &fuser::Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let result = self.ask(request, Request::GetXattr, |ns| {
            supported(name)?;
            ns.get_xattr(&caller(request), inode(ino), name)
        });
        Self::reply_xattr(result, size, reply);
    }

    fn listxattr(&self, request: &fuser::Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        let result = self.ask(request, Request::ListXattr, |ns| ns.list_xattr(&caller(request), inode(ino)));
        let joined = result.map(|names| {
            let mut joined = Vec::new();
            for name in names {
                joined.extend_from_slice(name.as_bytes());
                joined.push(0);
            }
            joined
        });
        Self::reply_xattr(joined, size, reply);
    }

    fn removexattr(&self, request: &fuser::Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let result =
            self.ask(request, Request::RemoveXattr, |ns| ns.remove_xattr(&caller(request), inode(ino), name));
        Self::reply_empty(result, reply);
    }

    fn fallocate(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let result = self.ask(request, Request::Allocate, |ns| {
            ns.fallocate(&caller(request), inode(ino), offset, length, mode)
        });
        Self::reply_empty(result, reply);
    }

    fn lseek(
        &self,
        request: &fuser::Request,
        ino: INodeNo,
        _: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        let result = self.ask(request, Request::Seek, |ns| {
            let sought = match whence {
                libc::SEEK_DATA => Seek::Data,
                libc::SEEK_HOLE => Seek::Hole,
                _ => return Err(Refusal::Invalid),
            };
            let offset = u64::try_from(offset).map_err(|_| Refusal::BeyondEnd)?;
            let found = ns.seek(&caller(request), inode(ino), offset, sought)?;
            i64::try_from(found).map_err(|_| Refusal::TooLarge)
        });
        match result {
            Ok(found) => reply.offset(found),
            Err(error) => reply.error(error),
        }
    }

    // What follows is answered with "never ask again": the kernel then does it itself, or says it cannot be done.

    fn access(&self, _: &fuser::Request, _: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        self.count(Request::Access);
        reply.error(Errno::ENOSYS);
    }

    fn bmap(&self, _: &fuser::Request, _: INodeNo, _: u32, _: u64, reply: ReplyBmap) {
        self.count(Request::Other);
        reply.error(Errno::ENOSYS);
    }

    fn ioctl(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        _: u32,
        _: &[u8],
        _: u32,
        reply: ReplyIoctl,
    ) {
        self.count(Request::Other);
        reply.error(Errno::ENOSYS);
    }

    fn poll(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        _: FileHandle,
        _: PollNotifier,
        _: PollEvents,
        _: PollFlags,
        reply: ReplyPoll,
    ) {
        self.count(Request::Other);
        reply.error(Errno::ENOSYS);
    }

    fn copy_file_range(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: u64,
        _: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        self.count(Request::Other);
        reply.error(Errno::ENOSYS);
    }
}
