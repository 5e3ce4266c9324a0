//! File versions that were removed while the daemon ran: whoever has one open reads on.
//!
//! The kernel names an open file by its inode alone, and asks for pages that it has not read yet. So what
//! a removed version was is kept here, the latest [`VERSIONS_MAX`] of them: pools keep contents, and a
//! removed version's number is not given again. Nothing leads here by a name, and nothing survives the
//! daemon: after that the inode is stale.

use super::inode::VobIndex;
use crate::vob::{Element, ElementKind, ElementNo, Version, VersionNo};
use parking_lot::RwLock;
use std::collections::{HashMap, VecDeque};

/// Versions that are remembered: some 200 bytes each.
pub const VERSIONS_MAX: usize = 50_000;

type Key = (VobIndex, ElementNo, VersionNo);

/// A version as its readers know it.
#[derive(Clone, Debug)]
pub struct FileVersion {
    /// The version.
    pub version: Version,
    /// Numeric owner of the element.
    pub owner: u32,
    /// Numeric group of the element.
    pub group: u32,
    /// Permission bits of the element.
    pub mode: u16,
}

impl FileVersion {
    /// A version of an element, unless it was removed.
    pub fn of(element: &Element, number: VersionNo) -> Option<FileVersion> {
        let version = element.find_version(number)?.clone();
        Some(FileVersion { version, owner: element.owner, group: element.group, mode: element.mode })
    }
}

/// The removed versions that somebody may have open.
#[derive(Default)]
pub struct Departed {
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    versions: HashMap<Key, FileVersion>,
    order: VecDeque<Key>,
}

impl Departed {
    /// Remembers versions of an element that are about to be removed. Those of a directory element are
    /// of no use to anybody.
    pub fn note(&self, vob: VobIndex, element: &Element, versions: impl IntoIterator<Item = VersionNo>) {
        if element.kind == ElementKind::Directory {
            return;
        }
        let mut tables = self.tables.write();
        for number in versions {
            let (key, Some(version)) = ((vob, element.number, number), FileVersion::of(element, number))
            else {
                continue;
            };
            if tables.versions.insert(key, version).is_none() {
                tables.order.push_back(key);
            }
        }
        while tables.order.len() > VERSIONS_MAX {
            if let Some(oldest) = tables.order.pop_front() {
                tables.versions.remove(&oldest);
            }
        }
    }

    /// Finds a removed version.
    pub fn get(&self, vob: VobIndex, element: ElementNo, version: VersionNo) -> Option<FileVersion> {
        self.tables.read().versions.get(&(vob, element, version)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vob::element::NewElement;
    use crate::vob::{EventNo, Oid, TypeNo};

    fn element(number: u32, kind: ElementKind) -> Element {
        let new = NewElement {
            number: ElementNo(number),
            oid: Oid::derived(&[b"e"]),
            kind,
            element_type: TypeNo(2),
            owner: 5,
            group: 6,
            mode: 0o444,
        };
        Element::new(new, EventNo(0), 7)
    }

    #[test]
    fn the_latest_removed_versions_of_files_are_remembered() {
        let departed = Departed::default();
        let (vob, zero) = (VobIndex(1), VersionNo(0));
        for number in 0..VERSIONS_MAX as u32 + 2 {
            departed.note(vob, &element(number, ElementKind::File), [zero, VersionNo(9), zero]);
        }
        assert!(departed.get(vob, ElementNo(1), zero).is_none());
        let kept = departed.get(vob, ElementNo(2), zero).unwrap();
        assert_eq!((kept.owner, kept.version.created_ns), (5, 7));
        assert!(departed.get(vob, ElementNo(2), VersionNo(9)).is_none());
        assert!(departed.get(VobIndex(2), ElementNo(2), zero).is_none());
        departed.note(vob, &element(0, ElementKind::Directory), [zero]);
        assert!(departed.get(vob, ElementNo(0), zero).is_none());
    }
}
