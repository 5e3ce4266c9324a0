//! The bytes of notifications to the kernel (`include/uapi/linux/fuse.h`, `fuse_notify_code`). Pure.
//!
//! A notification is one write: a header (length, code, unique 0), then the code's own structure, all in the
//! machine's byte order.

use crate::Inode;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const INVAL_INODE: i32 = 2;
const INVAL_ENTRY: i32 = 3;
const INC_EPOCH: i32 = 8;

/// `sizeof(struct fuse_out_header)`: u32 length, i32 code, u64 unique.
const HEADER_BYTES: usize = 16;

/// `FUSE_EXPIRE_ONLY`: the name is asked anew, but its dentry stays where it is, and with it the working
/// directories below. Kernels before 6.2 take the flag for padding and drop the name.
const EXPIRE_ONLY: u32 = 1;

/// The protocol's minor version that brought INC_EPOCH (Linux 6.16).
pub(crate) const EPOCH_SINCE_MINOR: u32 = 44;

/// Which part of an inode is to be forgotten.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Part {
    /// The attributes and cached access lists alone.
    Attributes,
    /// These, and all pages: a file's contents, or a directory's listing.
    Everything,
}

fn begin(code: i32, body_bytes: usize) -> Vec<u8> {
    let length = HEADER_BYTES + body_bytes;
    let mut notice = Vec::with_capacity(length);
    notice.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
    notice.extend_from_slice(&code.to_ne_bytes());
    notice.extend_from_slice(&0u64.to_ne_bytes());
    notice
}

/// Drops every cached name at once, absent names and listings included.
pub(crate) fn increment_epoch() -> Vec<u8> {
    begin(INC_EPOCH, 0)
}

/// Lets a name be asked for anew where it is.
pub(crate) fn expire_name(parent: Inode, name: &OsStr) -> Vec<u8> {
    inval_entry(parent, name, EXPIRE_ONLY)
}

/// Drops a name: the kernel has none any more that a late answer could make valid.
pub(crate) fn drop_name(parent: Inode, name: &OsStr) -> Vec<u8> {
    inval_entry(parent, name, 0)
}

/// `struct fuse_notify_inval_entry_out`: u64 parent, u32 name length, u32 flags; then the name and a NUL.
fn inval_entry(parent: Inode, name: &OsStr, flags: u32) -> Vec<u8> {
    let name = name.as_bytes();
    let mut notice = begin(INVAL_ENTRY, 16 + name.len() + 1);
    notice.extend_from_slice(&parent.get().to_ne_bytes());
    notice.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_ne_bytes());
    notice.extend_from_slice(&flags.to_ne_bytes());
    notice.extend_from_slice(name);
    notice.push(0);
    notice
}

/// `struct fuse_notify_inval_inode_out`: u64 inode, i64 offset (negative: no pages), i64 length (0: to the end).
pub(crate) fn forget_inode(inode: Inode, part: Part) -> Vec<u8> {
    let offset: i64 = match part {
        Part::Attributes => -1,
        Part::Everything => 0,
    };
    let mut notice = begin(INVAL_INODE, 24);
    notice.extend_from_slice(&inode.get().to_ne_bytes());
    notice.extend_from_slice(&offset.to_ne_bytes());
    notice.extend_from_slice(&0i64.to_ne_bytes());
    notice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_states_its_own_length() {
        let notices = [
            increment_epoch(),
            expire_name(Inode::ROOT, OsStr::new("main.c")),
            drop_name(Inode::ROOT, OsStr::new("main.c")),
            forget_inode(Inode::new(7), Part::Attributes),
        ];
        let lengths = [16, 16 + 16 + 7, 16 + 16 + 7, 16 + 24];
        for (notice, length) in notices.iter().zip(lengths) {
            assert_eq!(notice.len(), length);
            assert_eq!(notice[..4], u32::try_from(length).unwrap().to_ne_bytes());
            assert_eq!(notice[8..16], [0; 8], "unique");
        }
    }
}
