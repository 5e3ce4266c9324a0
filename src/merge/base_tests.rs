//! Version trees made by hand.

use super::*;
use crate::vob::element::NewElement;
use crate::vob::{Branch, BranchNo, ElementKind, ElementNo, EventNo, Hyperlink, Oid, Version};

/// An element with `/main/0` to `/main/2` (0, 1, 4) and a branch at `/main/1` with versions 0 to 2 (2, 3, 5).
fn element() -> Element {
    let new = NewElement {
        number: ElementNo(7),
        oid: Oid([7; 16]),
        kind: ElementKind::File,
        element_type: predefined::TEXT_FILE,
        owner: 0,
        group: 0,
        mode: 0o444,
    };
    let mut element = Element::new(new, EventNo(0), 0);
    let root = element.versions[0].clone();
    let side =
        Branch { from: Some(VersionNo(1)), versions: vec![], next_number: 3, ..element.branches[0].clone() };
    element.branches.push(side);
    for (branch, number, predecessor) in [(0, 1, 0), (1, 0, 1), (1, 1, 2), (0, 2, 1), (1, 2, 3)] {
        let version = VersionNo(element.versions.len() as u32);
        element.branches[branch as usize].versions.push(version);
        let (branch, predecessor) = (BranchNo(branch), Some(VersionNo(predecessor)));
        element.versions.push(Version { branch, number, predecessor, ..root.clone() });
    }
    element
}

fn version(number: u32) -> VobObject {
    VobObject::Version(ElementNo(7), VersionNo(number))
}

fn merge(element: &mut Element, from: u32, to: u32) {
    let link_type = predefined::MERGE;
    let (from, to, event) = (VersionNo(from), VersionNo(to), EventNo(0));
    element.hyperlinks.push(Hyperlink { number: 0, link_type, from, to, event });
}

#[test]
fn the_branch_point_is_the_base_before_anything_is_merged() {
    let element = element();
    assert_eq!(closest_common(&element, &[version(4), version(5)]), Some(VersionNo(1)));
    assert_eq!(closest_common(&element, &[version(5), version(4)]), Some(VersionNo(1)));
    assert_eq!(closest_common(&element, &[version(4), version(3), version(5)]), Some(VersionNo(1)));
    assert_eq!(closest_common(&element, &[version(0)]), Some(VersionNo(0)));
    assert!(descends(&element, version(5), VersionNo(1)) && !descends(&element, version(5), VersionNo(4)));
}

#[test]
fn merges_bring_the_common_ancestor_nearer() {
    let mut element = element();
    merge(&mut element, 3, 4);
    assert_eq!(closest_common(&element, &[version(4), version(5)]), Some(VersionNo(3)));
    assert!(descends(&element, version(4), VersionNo(3)) && descends(&element, version(4), VersionNo(4)));
    assert!(!descends(&element, version(4), VersionNo(5)));
}

#[test]
fn of_ancestors_across_each_other_the_one_nearest_to_the_first_is_the_base() {
    let mut element = element();
    let root = element.versions[0].clone();
    // Each side took the other's: /main/3 (6) has 5, and the branch's 3 (7) has 4.
    for (branch, number, predecessor) in [(0, 3, 4), (1, 3, 5)] {
        let version = VersionNo(element.versions.len() as u32);
        element.branches[branch as usize].versions.push(version);
        let (branch, predecessor) = (BranchNo(branch), Some(VersionNo(predecessor)));
        element.versions.push(Version { branch, number, predecessor, ..root.clone() });
    }
    merge(&mut element, 5, 6);
    merge(&mut element, 4, 7);
    assert_eq!(closest_common(&element, &[version(6), version(7)]), Some(VersionNo(4)));
    assert_eq!(closest_common(&element, &[version(7), version(6)]), Some(VersionNo(5)));
}
