//! The forms of answers that several requests share, and the small rules about what they hold.

use super::{Adapter, FOREVER, Lasting, Sent, caller, errno, inode};
use crate::answered::Answer;
use crate::convert;
use crate::{Attributes, FileKind, Listed, Namespace, Refusal};
use fuser::{Errno, FileAttr, Generation, INodeNo, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyXattr};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Inode numbers are never used for a second file, so there is one generation.
pub(super) const GENERATION: Generation = Generation(0);

impl Adapter {
    pub(super) fn reply_attributes(&self, result: Result<Lasting<Attributes>, Errno>, reply: ReplyAttr) {
        match result {
            Ok(Lasting { answer, epoch, lifetime }) => {
                reply.attr(&lifetime, &convert::attributes(&answer));
                self.settle_answer(epoch, || Sent { inodes: vec![answer.inode], ..Sent::default() });
            }
            Err(error) => reply.error(error),
        }
    }

    pub(super) fn reply_entry(
        &self,
        result: Result<Lasting<Option<Attributes>>, Errno>,
        parent: INodeNo,
        name: &OsStr,
        reply: ReplyEntry,
    ) {
        match result {
            Ok(Lasting { answer, epoch, lifetime }) => {
                let told = match &answer {
                    Some(Attributes { kind: FileKind::Directory, .. }) => Answer::Directory,
                    _ => Answer::Other,
                };
                let invalidator = &self.shared.invalidator;
                match lifetime {
                    FOREVER => invalidator.note_answer(inode(parent), name, told),
                    _ => invalidator.note_single_use(inode(parent), name),
                }
                let entry = answer.as_ref().map_or_else(convert::absent, convert::attributes);
                reply.entry(&lifetime, &entry, GENERATION);
                self.settle_answer(epoch, || Sent {
                    names: vec![(inode(parent), name.to_owned())],
                    inodes: answer.iter().map(|a| a.inode).collect(),
                    listing: None,
                });
            }
            Err(error) => reply.error(error),
        }
    }

    pub(super) fn reply_empty(result: Result<(), Errno>, reply: ReplyEmpty) {
        match result {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    /// The protocol of `getxattr` and `listxattr`: size 0 asks for the size alone.
    pub(super) fn reply_xattr(result: Result<Vec<u8>, Errno>, size: u32, reply: ReplyXattr) {
        match result.map(|value| (u32::try_from(value.len()), value)) {
            Ok((Ok(length), _)) if size == 0 => reply.size(length),
            Ok((Ok(length), value)) if length <= size => reply.data(&value),
            Ok(_) => reply.error(errno(Refusal::Range)),
            Err(error) => reply.error(error),
        }
    }
}

/// The attributes of a listed entry; `None` when it went away meanwhile.
pub(super) fn listed_attributes(
    namespace: &dyn Namespace,
    request: &fuser::Request,
    entry: &Listed,
) -> Result<Option<FileAttr>, Refusal> {
    if is_dot(&entry.name) {
        return Ok(Some(convert::dot(entry.inode)));
    }
    let answer = match entry.attributes {
        Some(attributes) => Ok(attributes),
        None => namespace.attributes(&caller(request), entry.inode),
    };
    match answer {
        Ok(attributes) => Ok(Some(convert::attributes(&attributes))),
        Err(Refusal::NotFound | Refusal::Stale) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// The names that every directory has; the kernel takes no attributes for them.
pub(super) fn is_dot(name: &OsStr) -> bool {
    matches!(name.as_bytes(), b"." | b"..")
}

/// Refuses the attributes of security modules and file capabilities: a `nosuid` mount honours neither.
///
/// "Not supported" matters: `ls -l` then stops asking for the label of each file of this mount, while "no data"
/// would cost one request for each file, each time.
pub(super) fn supported(name: &OsStr) -> Result<(), Refusal> {
    if name.as_bytes().starts_with(b"security.") { Err(Refusal::NotSupported) } else { Ok(()) }
}
