//! The search on directories made by hand: `Tree` names the versions whose catalogs have the name.

use super::*;
use crate::vob::{Branch, Content, ElementKind, ElementNo, EventNo, NameChange, Oid, TypeNo, Version};

const NAME: &[u8] = b"a.c";
const ENTRY: Entry = Entry::Element(ElementNo(9));

/// Branches of a directory, each with its place of birth and one flag for each version: whether it has the name.
struct Tree {
    element: Element,
    has_name: Vec<bool>,
}

/// Makes an element with branches of types 0, 1, 2 ...
fn tree(branches: &[(Option<u32>, &[bool])]) -> Tree {
    let mut made = Tree {
        element: Element {
            number: ElementNo(3),
            oid: Oid([3; 16]),
            kind: ElementKind::Directory,
            element_type: TypeNo(0),
            owner: 0,
            group: 0,
            mode: 0o755,
            event: EventNo(0),
            branches: Vec::new(),
            versions: Vec::new(),
            labels: Vec::new(),
            label_events: Vec::new(),
            checkouts: Vec::new(),
            hyperlinks: Vec::new(),
            names: Vec::new(),
            removed: false,
            annotations: None,
        },
        has_name: Vec::new(),
    };
    for ((from, flags), number) in branches.iter().zip(0..) {
        let mut versions = Vec::new();
        for (place, has_name) in (0..).zip(*flags) {
            versions.push(VersionNo(made.element.versions.len() as u32));
            made.has_name.push(*has_name);
            made.element.versions.push(Version {
                branch: BranchNo(number),
                number: place,
                event: EventNo(0),
                predecessor: None,
                content: Content::Directory,
                executable: false,
                created_ns: 0,
                effective_ns: 0,
            });
        }
        made.element.branches.push(Branch {
            branch_type: TypeNo(number),
            from: from.map(VersionNo),
            event: EventNo(0),
            next_number: versions.len() as u32,
            versions,
        });
    }
    made
}

impl Tree {
    fn search(&self, selected: u32, limit: usize) -> Search {
        let read = |at| {
            let DirectoryAt::Version(version) = at else { panic!("no checkout was made") };
            let mut directory = Directory::default();
            if self.has_name[version.index()] {
                directory.apply(&[NameChange { name: NAME.into(), entry: Some(ENTRY) }]);
            }
            Ok(Arc::new(directory))
        };
        search(&self.element, Some(DirectoryAt::Version(VersionNo(selected))), NAME, limit, &read).unwrap()
    }
}

fn sighting(at: u32, removed_in: Option<u32>, added_in: Option<u32>) -> Sighting {
    Sighting {
        at: DirectoryAt::Version(VersionNo(at)),
        entry: ENTRY,
        removed_in: removed_in.map(VersionNo),
        added_in: added_in.map(VersionNo),
    }
}

#[test]
fn the_version_that_lost_the_name_is_found() {
    let found = tree(&[(None, &[false, true, true, false, false])]).search(4, 100);
    assert_eq!(found.sightings, [sighting(2, Some(3), None)]);
    assert!(found.complete);
}

#[test]
fn the_version_that_brings_the_name_later_is_found() {
    let found = tree(&[(None, &[false, false, false, true, true])]).search(1, 100);
    assert_eq!(found.sightings, [sighting(4, None, Some(3))]);
    let back = tree(&[(None, &[false, true, false, true, true])]).search(2, 100);
    assert_eq!(back.sightings, [sighting(4, None, Some(3))]);
}

#[test]
fn the_selected_versions_branch_comes_first() {
    // Versions 0..3 on /main, 3..5 on a branch of 1.
    let found = tree(&[(None, &[false, true, true]), (Some(1), &[true, false])]).search(4, 100);
    assert_eq!(found.sightings, [sighting(3, Some(4), None), sighting(2, None, None)]);
}

#[test]
fn a_search_ends_at_its_limit_and_says_so() {
    let flags = [true, false, false, false, false, false];
    let tree = tree(&[(None, &flags), (Some(0), &[true, true])]);
    for (limit, complete, sightings) in [
        (0, false, vec![]),
        // The newest of each branch is looked at before anything older.
        (2, false, vec![sighting(7, None, None)]),
        (6, false, vec![sighting(7, None, None)]),
        (7, true, vec![sighting(0, Some(1), None), sighting(7, None, None)]),
        (100, true, vec![sighting(0, Some(1), None), sighting(7, None, None)]),
    ] {
        let found = tree.search(5, limit);
        assert_eq!((found.complete, found.sightings), (complete, sightings), "{limit}");
        assert!(found.versions_read <= limit, "{limit}");
    }
    let nowhere = super::tests::tree(&[(None, &[false, false])]).search(1, 2);
    assert!(nowhere.complete && nowhere.sightings.is_empty());
}
