//! Translation between our plain data and fuser's. Pure.

use crate::{Attributes, FileKind, Inode, SetTime, Time};
use fuser::{FileAttr, FileType, INodeNo, TimeOrNow};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What `stat` reports as the best size for reading, in bytes: one page.
const BLOCK_BYTES: u32 = 4096;

pub(crate) fn kind(kind: FileKind) -> FileType {
    match kind {
        FileKind::File => FileType::RegularFile,
        FileKind::Directory => FileType::Directory,
        FileKind::Symlink => FileType::Symlink,
        FileKind::Fifo => FileType::NamedPipe,
        FileKind::Socket => FileType::Socket,
        FileKind::CharDevice => FileType::CharDevice,
        FileKind::BlockDevice => FileType::BlockDevice,
    }
}

pub(crate) fn attributes(from: &Attributes) -> FileAttr {
    FileAttr {
        ino: INodeNo(from.inode.get()),
        size: from.size,
        blocks: from.blocks,
        atime: system_time(from.accessed),
        mtime: system_time(from.modified),
        ctime: system_time(from.changed),
        crtime: UNIX_EPOCH,
        kind: kind(from.kind),
        perm: from.permissions & 0o7777,
        nlink: from.links,
        uid: from.uid,
        gid: from.gid,
        rdev: from.device,
        blksize: BLOCK_BYTES,
        flags: 0,
    }
}

/// The attributes of a name that does not exist: an entry with inode 0, which the kernel remembers.
pub(crate) fn absent() -> FileAttr {
    bare(INodeNo(0), FileType::RegularFile)
}

/// The entry of `.` or `..` in a listing: number and kind are all that the kernel takes of it.
pub(crate) fn dot(inode: Inode) -> FileAttr {
    bare(INodeNo(inode.get()), FileType::Directory)
}

fn bare(ino: INodeNo, kind: FileType) -> FileAttr {
    FileAttr {
        ino,
        size: 0,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: 0,
        nlink: 0,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 0,
        flags: 0,
    }
}

/// Clamps times that the host's clock type cannot hold to 1970.
fn system_time(time: Time) -> SystemTime {
    let nanoseconds = time.nanoseconds.min(999_999_999);
    let whole = Duration::from_secs(time.seconds.unsigned_abs());
    let second = if time.seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    second.and_then(|t| t.checked_add(Duration::from_nanos(u64::from(nanoseconds)))).unwrap_or(UNIX_EPOCH)
}

pub(crate) fn set_time(from: TimeOrNow) -> SetTime {
    match from {
        TimeOrNow::Now => SetTime::Now,
        TimeOrNow::SpecificTime(time) => SetTime::At(requested_time(time)),
    }
}

/// Recovers the `timespec` that the kernel sent.
///
/// fuser turns (-2 s, 800 ms) into 1970 *minus* 2.8 s instead of minus 1.2 s; reading the two parts back
/// separately undoes exactly that.
fn requested_time(time: SystemTime) -> Time {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Time {
            seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: after.subsec_nanos(),
        },
        Err(before) => {
            let before = before.duration();
            Time {
                seconds: 0i64.checked_sub_unsigned(before.as_secs()).unwrap_or(i64::MIN),
                nanoseconds: before.subsec_nanos(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_count_nanoseconds_forward() {
        let sent = system_time(Time { seconds: -2, nanoseconds: 800_000_000 });
        assert_eq!(UNIX_EPOCH - sent.duration_since(UNIX_EPOCH).unwrap_err().duration(), sent);
        assert_eq!(sent, UNIX_EPOCH - Duration::from_millis(1200));
    }

    #[test]
    fn a_requested_time_before_1970_is_read_as_the_kernel_sent_it() {
        let from_fuser = UNIX_EPOCH - Duration::new(2, 800_000_000);
        assert_eq!(requested_time(from_fuser), Time { seconds: -2, nanoseconds: 800_000_000 });
    }

    #[test]
    fn absurd_times_do_not_panic() {
        for seconds in [i64::MIN, i64::MAX] {
            let _ = system_time(Time { seconds, nanoseconds: u32::MAX });
        }
    }
}
