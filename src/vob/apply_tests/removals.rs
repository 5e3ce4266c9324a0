//! What is removed goes with all that is attached to it, and its number stays taken; locks bind.

use super::*;
use crate::vob::annotation::{Annotations, LinkEnd, LockRule, Part, VobObject};
use crate::vob::deed::{Deed, PastEvent};
use proptest::prelude::*;

const DIRECTORY: ElementNo = ElementNo(3);
const LABEL: TypeNo = TypeNo(FIRST.0);
const BRANCH: TypeNo = TypeNo(FIRST.0 + 1);
const ATTRIBUTE: TypeNo = TypeNo(FIRST.0 + 2);

/// Beside the file a directory element, a label type, a branch type and an attribute type.
fn memory() -> Memory {
    let mut memory = Memory::new();
    let create = |number: u32, kind, name: &str| Operation::CreateType {
        number: TypeNo(FIRST.0 + number),
        kind,
        name: name.into(),
    };
    memory.done(vec![
        create(0, TypeKind::Label, "REL"),
        create(1, TypeKind::Branch, "fix"),
        create(2, TypeKind::Attribute, "QA"),
        Operation::CreateElement {
            number: DIRECTORY,
            oid: Oid([5; 16]),
            kind: ElementKind::Directory,
            element_type: predefined::DIRECTORY,
            owner: 5,
            group: 5,
            mode: 0o755,
        },
    ]);
    memory
}

fn names(changes: &[(&str, Option<u32>)]) -> Vec<NameChange> {
    let change = |(name, element): &(&str, Option<u32>)| NameChange {
        name: name.as_bytes().into(),
        entry: element.map(|number| Entry::Element(ElementNo(number))),
    };
    changes.iter().map(change).collect()
}

fn directory_version(changes: &[(&str, Option<u32>)]) -> Operation {
    Operation::CreateDirectoryVersion {
        element: DIRECTORY,
        branch: BranchNo(0),
        changes: names(changes),
        effective_ns: None,
    }
}

fn remove(element: ElementNo, version: u32) -> Operation {
    Operation::RemoveVersion { element, version: VersionNo(version) }
}

#[test]
fn a_removed_version_leaves_its_number_and_the_event_that_removed_it() {
    let mut memory = memory();
    let at = VobObject::Version(FILE, VersionNo(1));
    memory.done(vec![
        Operation::ApplyLabel { label: LABEL, targets: vec![(FILE, VersionNo(1))] },
        Operation::SetAttribute { object: at, attribute: ATTRIBUTE, value: "\"ok\"".into() },
        Operation::CreateHyperlink {
            link_type: predefined::MERGE,
            element: FILE,
            from: VersionNo(1),
            to: VersionNo(2),
        },
        Operation::CreateLink {
            link_type: predefined::MERGE,
            from: LinkEnd::Object(at),
            to: Some(LinkEnd::Object(VobObject::Element(DIRECTORY))),
            from_text: "why".into(),
            to_text: String::new(),
        },
    ]);
    assert_eq!(memory.elements[&DIRECTORY].annotations().links.len(), 1);
    let event = EventNo(memory.state.header.events);
    memory.done(vec![remove(FILE, 1)]);
    let file = memory.file();
    assert!(!file.has_version(VersionNo(1)) && file.has_version(VersionNo(2)));
    assert_eq!(file.version(VersionNo(2)).predecessor, Some(VersionNo(0)));
    assert_eq!(file.version_at(BranchNo(0), 1), None);
    assert!(file.labels.is_empty() && file.hyperlinks.is_empty());
    let past = PastEvent { part: Part::Branch(BranchNo(0)), event, deed: Deed::VersionDestroyed };
    assert_eq!(*file.annotations(), Annotations { past: vec![past], ..Annotations::default() });
    assert!(memory.elements[&DIRECTORY].annotations.is_none());
    // The newest goes too, and its number is not given again.
    memory.done(vec![remove(FILE, 2), version(0)]);
    let newest = memory.file().newest(BranchNo(0));
    assert_eq!(memory.file().version(newest).number, 3);
    assert!(matches!(memory.refused(remove(FILE, 1)), Refused::NoSuchObject { .. }));
    assert!(matches!(memory.refused(remove(FILE, 0)), Refused::VersionZero));
}

#[test]
fn a_version_in_use_is_not_removed() {
    let mut memory = memory();
    let branch = Operation::CreateBranch { element: FILE, from: VersionNo(1), branch_type: BRANCH };
    let check_out = Operation::CheckOut {
        element: FILE,
        view: VIEW,
        view_tag: "v".into(),
        branch: BranchNo(0),
        from: VersionNo(2),
        reserved: true,
    };
    memory.done(vec![branch, version(1), check_out]);
    assert!(matches!(memory.refused(remove(FILE, 1)), Refused::HasBranches));
    assert!(matches!(memory.refused(remove(FILE, 2)), Refused::HasCheckouts));
    let element = Operation::RemoveElement { element: FILE };
    assert!(matches!(memory.refused(element), Refused::HasCheckouts));
    let root = Operation::RemoveBranch { element: FILE, branch: BranchNo(0) };
    assert!(matches!(memory.refused(root), Refused::RootBranch));
    memory.done(vec![Operation::RemoveBranch { element: FILE, branch: BranchNo(1) }, remove(FILE, 1)]);
    assert_eq!(memory.file().present_branches().count(), 1);
    assert_eq!(memory.file().present_versions().count(), 2);
    // Another branch of the type may be made, with a number of its own.
    memory.done(vec![Operation::CreateBranch { element: FILE, from: VersionNo(0), branch_type: BRANCH }]);
    assert_eq!(memory.file().branch_with_type(BRANCH), Some(BranchNo(2)));
}

#[test]
fn a_removed_element_is_in_no_catalog() {
    let mut memory = memory();
    memory.done(vec![
        directory_version(&[("a", Some(2)), ("b", Some(1))]),
        directory_version(&[("c", Some(2))]),
    ]);
    let changes = memory.try_to(vec![Operation::RemoveElement { element: FILE }]).unwrap();
    let mut told = changes.names.clone();
    told.sort();
    assert_eq!(told, [(DIRECTORY, b"a".as_slice().into()), (DIRECTORY, b"c".as_slice().into())]);
    memory.done(vec![Operation::RemoveElement { element: FILE }]);
    let b = vec![("b".to_owned(), Entry::Element(ElementNo(1)))];
    assert_eq!(memory.catalog(DIRECTORY, DirectoryAt::Version(VersionNo(1))), b);
    assert_eq!(memory.catalog(DIRECTORY, DirectoryAt::Version(VersionNo(2))), b);
    assert!(matches!(memory.refused(version(0)), Refused::NoSuchObject { .. }));
}

#[test]
fn a_version_whose_successor_was_removed_can_be_changed_in_place() {
    let mut memory = memory();
    let next = directory_version(&[("b", Some(FILE.0))]);
    memory.done(vec![directory_version(&[("a", Some(FILE.0))]), next, remove(DIRECTORY, 2)]);
    let (version, changes) = (VersionNo(1), names(&[("a", None), ("c", Some(FILE.0))]));
    memory.done(vec![Operation::ChangeVersionInPlace { element: DIRECTORY, version, changes }]);
    let catalog = memory.directory(DIRECTORY, DirectoryAt::Version(version)).unwrap();
    assert_eq!(catalog.iter().map(|(name, _)| name).collect::<Vec<_>>(), [b"c"]);
}

#[test]
fn an_element_that_only_a_checkout_of_a_removed_directory_named_can_be_removed() {
    let mut memory = memory();
    let check_out = Operation::CheckOut {
        element: DIRECTORY,
        view: VIEW,
        view_tag: "v".into(),
        branch: BranchNo(0),
        from: VersionNo(0),
        reserved: true,
    };
    let (changes, note) = (names(&[("a", Some(FILE.0))]), String::new());
    let name = Operation::ChangeDirectory { element: DIRECTORY, view: VIEW, changes, note };
    let give_up = Operation::CancelCheckOut { element: DIRECTORY, view: VIEW };
    memory.done(vec![check_out, name, give_up, Operation::RemoveElement { element: DIRECTORY }]);
    memory.done(vec![Operation::RemoveElement { element: FILE }]);
    assert!(memory.file().removed);
}

#[test]
fn what_a_removed_directory_catalogued_does_not_name_it() {
    let mut memory = memory();
    memory
        .done(vec![directory_version(&[("a", Some(2))]), directory_version(&[("a", None), ("c", Some(2))])]);
    assert_eq!(memory.file().names.iter().filter(|(directory, _)| *directory == DIRECTORY).count(), 2);
    memory.done(vec![Operation::RemoveElement { element: DIRECTORY }]);
    assert!(memory.file().names.iter().all(|(directory, _)| *directory != DIRECTORY));
    memory.done(vec![Operation::RemoveElement { element: FILE }]);
}

#[test]
fn a_lock_binds_all_but_those_it_names() {
    let mut memory = memory();
    let lock = |object, exempt: &[&str]| Operation::SetLock {
        object,
        lock: Some(LockRule {
            exempt: exempt.iter().map(|name| (*name).to_owned()).collect(),
            obsolete: false,
        }),
    };
    let objects = [
        VobObject::Vob,
        VobObject::Element(FILE),
        VobObject::Branch(FILE, BranchNo(0)),
        VobObject::Type(predefined::MAIN),
        VobObject::Type(predefined::TEXT_FILE),
    ];
    for object in objects {
        memory.done(vec![lock(object, &["anne"])]);
        let Refused::Locked(locked) = memory.refused(version(0)) else { panic!("{object:?}") };
        assert_eq!((locked.object, &locked.exempt[..]), (object, &["anne".to_owned()][..]));
        // The user of these tests has an empty name.
        memory.done(vec![Operation::SetLock { object, lock: None }, lock(object, &[""])]);
        memory.done(vec![version(0), Operation::SetLock { object, lock: None }]);
    }
    let label = Operation::ApplyLabel { label: LABEL, targets: vec![(FILE, VersionNo(1))] };
    memory.done(vec![lock(VobObject::Type(LABEL), &[]), version(0)]);
    assert!(matches!(memory.refused(label), Refused::Locked(_)));
    let version = VobObject::Version(FILE, VersionNo(1));
    assert!(matches!(memory.refused(lock(version, &[])), Refused::NoSuchObject { .. }));
    assert_eq!(version.part(), Part::Version(VersionNo(1)));
}

proptest! {
    /// Catalogs of the versions that stay are what they were, however they are stored.
    #[test]
    fn removing_directory_versions_leaves_the_others(
        versions in prop::collection::vec(prop::collection::vec((0usize..6, prop::option::of(0u32..3)), 0..4), 1..12),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let letters = ["a", "b", "c", "d", "e", "f"];
        let mut memory = memory();
        let count = versions.len() as u32;
        for changes in versions {
            let changes: Vec<_> = changes.into_iter().map(|(name, entry)| (letters[name], entry)).collect();
            memory.done(vec![directory_version(&changes)]);
        }
        let at = |number: u32| DirectoryAt::Version(VersionNo(number));
        let mut before: HashMap<u32, _> = (0..=count).map(|n| (n, memory.catalog(DIRECTORY, at(n)))).collect();
        for index in gone {
            let number = index.index(count as usize) as u32 + 1;
            if before.remove(&number).is_some() {
                memory.done(vec![remove(DIRECTORY, number)]);
            }
            prop_assert_eq!(memory.directories.contains_key(&(DIRECTORY, at(number))), false);
            for (number, catalog) in &before {
                prop_assert_eq!(&memory.catalog(DIRECTORY, at(*number)), catalog);
            }
        }
    }
}
