//! Inode numbers of the mount: computed from what they name, so that any number can be taken
//! apart again.
//!
//! ```text
//! 1                                                       the view root
//! kind 4 bits = 1 | view 12 | directory above VOBs 32     e.g. /view/tag/vobs
//!               2 | view 12 | vob 12 | element 28          a directory element in a view
//!               3 | vob 12 | element 28 | version 20       a file version, the same in every view
//!               4 | vob 12 | symbolic link 32
//!               5 | view 12 | inode number of the backing file 48
//!               6 | number 60                              a directory of the history name space
//!               7 | vob 12 | checkout 32                   another view's checked-out file
//! ```

use crate::vob::{ElementNo, SymlinkNo, VersionNo};
use clerestory_mount::Inode;

/// Number of a view on this host.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug)]
pub struct ViewIndex(pub u16);

/// Number of a VOB on this host.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug)]
pub struct VobIndex(pub u16);

/// Views and VOBs one host can number.
pub const INDEX_MAX: u16 = (1 << 12) - 1;
/// Elements of a VOB that the mount can show.
pub const ELEMENT_MAX: u32 = (1 << 28) - 1;
/// Versions of one element that the mount can show.
pub const VERSION_MAX: u32 = (1 << 20) - 1;
/// Largest inode number of a backing file.
pub const BACKING_MAX: u64 = (1 << 48) - 1;

/// What an inode number names.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Numbered {
    /// The directory of all views.
    Root,
    /// A directory above VOBs in a view.
    Above(ViewIndex, u32),
    /// A directory element in a view.
    Directory(ViewIndex, VobIndex, ElementNo),
    /// A file version.
    Version(VobIndex, ElementNo, VersionNo),
    /// A VOB symbolic link.
    Symlink(VobIndex, SymlinkNo),
    /// A file of a view's private storage.
    Private(ViewIndex, u64),
    /// A directory of the history name space.
    History(u64),
    /// The placeholder of a checkout whose data is not to be had: another view's, or removed.
    Placeholder(VobIndex, u32),
}

impl Numbered {
    /// Returns the number; none where the object's own number is too large.
    pub fn inode(self) -> Option<Inode> {
        let bits = match self {
            Numbered::Root => return Some(Inode::ROOT),
            Numbered::Above(view, number) => 1 << 60 | index(view.0)? << 32 | u64::from(number),
            Numbered::Directory(view, vob, element) => {
                2 << 60 | index(view.0)? << 40 | index(vob.0)? << 28 | limited(element.0, ELEMENT_MAX)?
            }
            Numbered::Version(vob, element, version) => {
                let element = limited(element.0, ELEMENT_MAX)?;
                3 << 60 | index(vob.0)? << 48 | element << 20 | limited(version.0, VERSION_MAX)?
            }
            Numbered::Symlink(vob, number) => 4 << 60 | index(vob.0)? << 32 | u64::from(number.0),
            Numbered::Private(view, backing) if backing <= BACKING_MAX => {
                5 << 60 | index(view.0)? << 48 | backing
            }
            Numbered::Private(..) => return None,
            Numbered::History(number) => 6 << 60 | number,
            Numbered::Placeholder(vob, number) => 7 << 60 | index(vob.0)? << 32 | u64::from(number),
        };
        Some(Inode::new(bits))
    }

    /// Takes a number apart; none for a number that was never given.
    pub fn of(inode: Inode) -> Option<Numbered> {
        let bits = inode.get();
        let field = |shift: u32, width: u32| bits >> shift & ((1 << width) - 1);
        let (view, vob) =
            (|shift| ViewIndex(field(shift, 12) as u16), |shift| VobIndex(field(shift, 12) as u16));
        Some(match bits >> 60 {
            0 if inode == Inode::ROOT => Numbered::Root,
            1 => Numbered::Above(view(32), bits as u32),
            2 => Numbered::Directory(view(40), vob(28), ElementNo(field(0, 28) as u32)),
            3 => Numbered::Version(vob(48), ElementNo(field(20, 28) as u32), VersionNo(field(0, 20) as u32)),
            4 => Numbered::Symlink(vob(32), SymlinkNo(bits as u32)),
            5 => Numbered::Private(view(48), field(0, 48)),
            6 => Numbered::History(field(0, 60)),
            7 => Numbered::Placeholder(vob(32), bits as u32),
            _ => return None,
        })
    }
}

fn index(index: u16) -> Option<u64> {
    (index <= INDEX_MAX).then_some(index.into())
}

fn limited(number: u32, max: u32) -> Option<u64> {
    (number <= max).then_some(number.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_apart_as_they_were_put_together(
            view in 0..=INDEX_MAX, vob in 0..=INDEX_MAX, element in 0..=ELEMENT_MAX, version in 0..=VERSION_MAX,
            backing in 0..=BACKING_MAX, number in any::<u32>(),
        ) {
            let (view, vob, element) = (ViewIndex(view), VobIndex(vob), ElementNo(element));
            for numbered in [
                Numbered::Root,
                Numbered::Above(view, number),
                Numbered::Directory(view, vob, element),
                Numbered::Version(vob, element, VersionNo(version)),
                Numbered::Symlink(vob, SymlinkNo(number)),
                Numbered::Private(view, backing),
                Numbered::History(backing),
                Numbered::Placeholder(vob, number),
            ] {
                prop_assert_eq!(Numbered::of(numbered.inode().unwrap()), Some(numbered));
            }
        }
    }

    #[test]
    fn what_does_not_fit_has_no_number() {
        assert_eq!(Numbered::Version(VobIndex(0), ElementNo(ELEMENT_MAX + 1), VersionNo(0)).inode(), None);
        assert_eq!(Numbered::Version(VobIndex(0), ElementNo(0), VersionNo(VERSION_MAX + 1)).inode(), None);
        assert_eq!(Numbered::Private(ViewIndex(0), BACKING_MAX + 1).inode(), None);
        assert_eq!(Numbered::Above(ViewIndex(INDEX_MAX + 1), 0).inode(), None);
    }
}
