//! Laws of types, labels, branches and reservations.

use super::*;
use crate::vob::annotation::Part;
use crate::vob::deed::{Deed, PastEvent};
use crate::vob::definition::{MergeType, TypeDefinition, TypeProperties, TypeScope};
use crate::vob::operation::User;

/// A VOB in memory with one file element, number 2, that has versions `/main/0` to `/main/2`.
struct Memory {
    state: VobState,
    elements: HashMap<ElementNo, Arc<Element>>,
    directories: HashMap<(ElementNo, DirectoryAt), Catalog>,
}

impl Records for Memory {
    fn state(&self) -> VobState {
        self.state.clone()
    }

    fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, ReadError> {
        Ok(self.elements.get(&number).filter(|element| !element.removed).cloned())
    }

    fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, ReadError> {
        Ok(Arc::clone(&self.directories[&(element, at)].1))
    }

    fn directory_node(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<DirectoryNode>, ReadError> {
        Ok(Arc::clone(&self.directories[&(element, at)].0))
    }

    fn changeset(&self, _: &[u8]) -> Result<Option<PlacedChangeset>, ReadError> {
        Ok(None)
    }
}

const FILE: ElementNo = ElementNo(2);
const FIRST: TypeNo = TypeNo(predefined::ALL.len() as u32);
const VIEW: ViewUuid = ViewUuid([7; 16]);
const OTHER: ViewUuid = ViewUuid([8; 16]);

impl Memory {
    fn new() -> Memory {
        let (state, elements, directories) = Default::default();
        let mut memory = Memory { state, elements, directories };
        let oid = |byte| Oid([byte; 16]);
        let create =
            Operation::CreateVob { oid: oid(1), owner: 5, group: 5, root: oid(2), lost_and_found: oid(3) };
        let element = Operation::CreateElement {
            number: FILE,
            oid: oid(4),
            kind: ElementKind::File,
            element_type: predefined::TEXT_FILE,
            owner: 5,
            group: 5,
            mode: 0o444,
        };
        memory.done(vec![create, element, version(0), version(0)]);
        memory
    }

    fn try_to(&mut self, operations: Vec<Operation>) -> Result<Changes, Refused> {
        let transaction = Transaction {
            time_ns: 9,
            user: User::default(),
            comment: String::new(),
            attributes: vec![],
            operations,
        };
        apply(self, &[transaction], 0, 0)
    }

    #[track_caller]
    fn done(&mut self, operations: Vec<Operation>) {
        let changes = self.try_to(operations).unwrap();
        self.elements.extend(changes.elements);
        for (key, catalog) in changes.directories {
            match catalog {
                Some(catalog) => drop(self.directories.insert(key, catalog)),
                None => drop(self.directories.remove(&key)),
            }
        }
        self.state = changes.state;
    }

    fn refused(&mut self, operation: Operation) -> Refused {
        self.try_to(vec![operation]).unwrap_err()
    }

    fn catalog(&self, directory: ElementNo, at: DirectoryAt) -> Vec<(String, Entry)> {
        let (node, catalog) = &self.directories[&(directory, at)];
        let mut rebuilt = match node.base {
            Some(base) => (*self.directories[&(directory, DirectoryAt::Version(base))].1).clone(),
            None => Directory::default(),
        };
        rebuilt.apply(&node.changes);
        assert_eq!(rebuilt, **catalog, "what is stored is what is read");
        catalog.iter().map(|(name, entry)| (String::from_utf8_lossy(name).into_owned(), entry)).collect()
    }

    fn file(&self) -> &Element {
        &self.elements[&FILE]
    }
}

fn version(branch: u32) -> Operation {
    Operation::CreateVersion {
        element: FILE,
        branch: BranchNo(branch),
        content: Content::Empty,
        executable: false,
        effective_ns: None,
    }
}

fn definition(properties: TypeProperties) -> TypeDefinition {
    TypeDefinition { owner: 5, group: 5, scope: TypeScope::Ordinary, shared: false, properties }
}

fn define(number: u32, kind: TypeKind, name: &str, properties: TypeProperties) -> Operation {
    let (number, name) = (TypeNo(FIRST.0 + number), name.to_owned());
    Operation::DefineType { number, kind, name, definition: definition(properties) }
}

fn label_type(number: u32, name: &str, per_branch: bool) -> Operation {
    define(number, TypeKind::Label, name, TypeProperties::Label { per_branch })
}

fn branch_type(number: u32, name: &str, per_branch: bool) -> Operation {
    define(number, TypeKind::Branch, name, TypeProperties::Branch { per_branch })
}

fn branch(from: u32, number: u32) -> Operation {
    Operation::CreateBranch { element: FILE, from: VersionNo(from), branch_type: TypeNo(FIRST.0 + number) }
}

fn apply_label(number: u32, version: u32) -> Operation {
    Operation::ApplyLabel { label: TypeNo(FIRST.0 + number), targets: vec![(FILE, VersionNo(version))] }
}

#[test]
fn a_label_is_on_one_version_of_an_element_or_of_a_branch() {
    let mut vob = Memory::new();
    vob.done(vec![label_type(0, "ONE", false), label_type(1, "EACH", true), branch_type(2, "b", false)]);
    // Versions 0 to 2 stand on main, 3 and 4 on the branch.
    vob.done(vec![branch(2, 2), version(1)]);
    vob.done(vec![apply_label(0, 1), apply_label(1, 1), apply_label(1, 3)]);
    vob.done(vec![apply_label(0, 4), apply_label(1, 4)]);
    let (one, each) = (FIRST, TypeNo(FIRST.0 + 1));
    assert_eq!(vob.file().labelled(one).collect::<Vec<_>>(), [VersionNo(4)]);
    assert_eq!(vob.file().labelled(each).collect::<Vec<_>>(), [VersionNo(1), VersionNo(4)]);
    let of_versions = |versions: &[u32]| Operation::RemoveVersionLabels {
        label: each,
        targets: versions.iter().map(|version| (FILE, VersionNo(*version))).collect(),
    };
    vob.done(vec![of_versions(&[0, 1])]);
    assert_eq!(vob.file().labelled(each).collect::<Vec<_>>(), [VersionNo(4)]);
    vob.done(vec![Operation::RemoveLabel { label: each, targets: vec![FILE] }]);
    assert_eq!(vob.file().labelled(each).count(), 0);
}

#[test]
fn a_label_keeps_the_event_that_attached_it_unless_that_made_its_type() {
    let mut vob = Memory::new();
    vob.done(vec![label_type(0, "A", false), apply_label(0, 1)]);
    assert_eq!(vob.file().label_event(FIRST, VersionNo(1)), None);
    let event = EventNo(vob.state.header.events);
    vob.done(vec![apply_label(0, 2)]);
    assert_eq!(vob.file().label_event(FIRST, VersionNo(2)), Some(event));
    assert_eq!(vob.file().label_events.len(), 1);
    vob.done(vec![Operation::RemoveLabel { label: FIRST, targets: vec![FILE] }]);
    assert!(vob.file().label_events.is_empty() && vob.file().labels.is_empty());
    // What it did before is kept, each event once.
    let at = |version, event, deed| PastEvent { part: Part::Version(VersionNo(version)), event, deed };
    let (made, removed) = (vob.state.type_object(FIRST).unwrap().event, EventNo(event.0 + 1));
    assert_eq!(
        vob.file().annotations().past,
        [
            at(1, made, Deed::LabelAttached(FIRST, None)),
            at(1, event, Deed::LabelRemoved(FIRST, Some(VersionNo(2)))),
            at(2, event, Deed::LabelAttached(FIRST, Some(VersionNo(1)))),
            at(2, removed, Deed::LabelRemoved(FIRST, None)),
        ]
    );
}

#[test]
fn a_branch_type_is_used_once_in_an_element_or_at_each_branch() {
    let mut vob = Memory::new();
    vob.done(vec![branch_type(0, "one", false), branch_type(1, "each", true)]);
    vob.done(vec![branch(1, 0), branch(2, 1)]);
    let in_the_way = |refused: Refused| match refused {
        Refused::BranchExists { branch, .. } => branch.0,
        other => panic!("{other}"),
    };
    // Versions 3 and 4 are version 0 of the branches 1 and 2.
    assert_eq!(in_the_way(vob.refused(branch(3, 0))), 1);
    assert_eq!(in_the_way(vob.refused(branch(0, 1))), 2);
    vob.done(vec![branch(3, 1), branch(4, 1)]);
    assert_eq!(in_the_way(vob.refused(branch(3, 1))), 3);
}

#[test]
fn types_are_renamed_redefined_and_removed() {
    let mut vob = Memory::new();
    vob.done(vec![label_type(0, "A", false), branch_type(1, "b", false)]);
    let rename = |number: TypeNo, name: &str| Operation::RenameType { number, name: name.to_owned() };
    let b = TypeNo(FIRST.0 + 1);
    assert!(matches!(vob.refused(rename(FIRST, "b")), Refused::NameTaken(_)));
    assert!(matches!(vob.refused(rename(FIRST, "LATEST")), Refused::BadName(_)));
    assert!(matches!(vob.refused(rename(predefined::FILE, "f")), Refused::Predefined(_)));
    assert!(matches!(vob.refused(label_type(2, "main", false)), Refused::NameTaken(_)));
    vob.done(vec![rename(FIRST, "C"), rename(predefined::MAIN, "trunk")]);
    assert!(vob.state.type_named(TypeKind::Label, "A").is_none());
    assert_eq!(vob.state.type_named(TypeKind::Label, "C").unwrap().number, FIRST);
    let per_branch = definition(TypeProperties::Label { per_branch: true });
    let redefine = |number, definition| Operation::RedefineType { number, definition };
    assert!(matches!(vob.refused(redefine(b, per_branch.clone())), Refused::BadDefinition(_)));
    vob.done(vec![redefine(FIRST, per_branch)]);
    assert!(vob.state.type_object(FIRST).unwrap().is_per_branch());
    let remove = |number| Operation::RemoveType { number };
    assert!(matches!(vob.refused(remove(predefined::MERGE)), Refused::Predefined(_)));
    vob.done(vec![remove(FIRST)]);
    assert!(matches!(vob.refused(apply_label(0, 1)), Refused::NoSuchObject { .. }));
    assert!(matches!(vob.refused(remove(FIRST)), Refused::NoSuchObject { .. }));
    // The name is free, the number is not.
    vob.done(vec![label_type(2, "C", false)]);
}

#[test]
fn element_types_inherit_managers_from_supertypes() {
    let mut vob = Memory::new();
    let element = |number: u32, name: &str, supertype: TypeNo, manager: Option<&str>| {
        let (manager, merge) = (manager.map(str::to_owned), Some(MergeType::Never));
        let properties = TypeProperties::Element { supertype, manager, merge, preserve_time: false };
        define(number, TypeKind::Element, name, properties)
    };
    let (a, b) = (FIRST, TypeNo(FIRST.0 + 1));
    vob.done(vec![element(0, "a", predefined::TEXT_FILE, None), element(1, "b", a, Some("m"))]);
    assert_eq!(vob.state.element_type(a), (Some(predefined::TEXT_FILE), "text_file_delta"));
    assert_eq!(vob.state.element_type(b), (Some(a), "m"));
    assert!(!vob.state.is_directory_type(b) && vob.state.is_directory_type(predefined::DIRECTORY));
    let circle = Operation::RedefineType {
        number: a,
        definition: definition(TypeProperties::Element {
            supertype: b,
            manager: None,
            merge: None,
            preserve_time: false,
        }),
    };
    assert!(matches!(vob.refused(circle), Refused::BadDefinition(_)));
    assert!(matches!(vob.refused(Operation::RemoveType { number: a }), Refused::IsSupertype(_)));
    vob.done(vec![Operation::RemoveType { number: b }, Operation::RemoveType { number: a }]);
}

#[test]
fn one_view_alone_can_have_a_branch_reserved() {
    let mut vob = Memory::new();
    let check_out = |view, reserved| Operation::CheckOut {
        element: FILE,
        view,
        view_tag: "v".into(),
        branch: BranchNo::ROOT,
        from: VersionNo(2),
        reserved,
    };
    let reserve = |view, reserved| Operation::Reserve { element: FILE, view, reserved };
    assert!(matches!(vob.refused(reserve(VIEW, true)), Refused::NotCheckedOut));
    vob.done(vec![check_out(VIEW, true), check_out(OTHER, false)]);
    assert!(matches!(vob.refused(reserve(OTHER, true)), Refused::Reserved { .. }));
    vob.done(vec![reserve(VIEW, false), reserve(OTHER, true)]);
    assert!(vob.file().checkout_of(&OTHER).unwrap().reserved);
    assert!(!vob.file().checkout_of(&VIEW).unwrap().reserved);
}

#[path = "apply_tests/removals.rs"]
mod removals;

#[path = "apply_tests/drafts.rs"]
mod drafts;

#[path = "apply_tests/ends.rs"]
mod ends;
