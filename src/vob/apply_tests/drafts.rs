//! A draft reads as its transactions leave the records, and they are committed as they were drafted.

use super::*;
use crate::vob::draft::Draft;
use proptest::prelude::*;

const DIRECTORY: ElementNo = ElementNo(3);
const BRANCH: TypeNo = FIRST;

fn memory() -> Memory {
    let mut memory = Memory::new();
    memory.done(vec![
        Operation::CreateType { number: BRANCH, kind: TypeKind::Branch, name: "fix".into() },
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

fn transaction(operations: Vec<Operation>) -> Transaction {
    let (user, comment, attributes) = Default::default();
    Transaction { time_ns: 9, user, comment, attributes, operations }
}

fn name(name: u8, entry: Option<ElementNo>) -> Vec<NameChange> {
    vec![NameChange { name: [name].into(), entry: entry.map(Entry::Element) }]
}

/// Any operation of commands that are planned in drafts, lawful or not.
fn operation() -> impl Strategy<Value = Operation> {
    let element = || prop_oneof![Just(FILE), Just(DIRECTORY), Just(ElementNo(4))];
    let view = || prop_oneof![Just(VIEW), Just(OTHER)];
    let check_out = (element(), view(), 0..2u32, 0..4u32, any::<bool>()).prop_map(
        |(element, view, branch, from, reserved)| Operation::CheckOut {
            element,
            view,
            view_tag: "v".into(),
            branch: BranchNo(branch),
            from: VersionNo(from),
            reserved,
        },
    );
    let cancel = (element(), view()).prop_map(|(element, view)| Operation::CancelCheckOut { element, view });
    let check_in = (element(), view()).prop_map(|(element, view)| Operation::CheckIn {
        element,
        view,
        content: if element == DIRECTORY { Content::Directory } else { Content::Empty },
        executable: false,
        modified_ns: None,
    });
    let branch = (element(), 0..4u32).prop_map(|(element, from)| Operation::CreateBranch {
        element,
        from: VersionNo(from),
        branch_type: BRANCH,
    });
    let make = (4..6u32).prop_map(|number| Operation::CreateElement {
        number: ElementNo(number),
        oid: Oid([number as u8; 16]),
        kind: ElementKind::File,
        element_type: predefined::TEXT_FILE,
        owner: 5,
        group: 5,
        mode: 0o444,
    });
    let names = (view(), 97..100u8, prop::option::of(element())).prop_map(|(view, letter, entry)| {
        Operation::ChangeDirectory {
            element: DIRECTORY,
            view,
            changes: name(letter, entry),
            note: "n".into(),
        }
    });
    prop_oneof![check_out, cancel, check_in, branch, make, names]
}

proptest! {
    #[test]
    fn a_draft_is_what_its_transactions_leave(
        parts in prop::collection::vec(prop::collection::vec(operation(), 1..4), 1..12)
    ) {
        let (base, mut one_by_one) = (memory(), memory());
        let mut draft = Draft::new(&base);
        for operations in parts {
            let drafted = draft.add(transaction(operations.clone()));
            match one_by_one.try_to(operations.clone()) {
                Ok(_) => {
                    prop_assert!(drafted.is_ok(), "{drafted:?}");
                    one_by_one.done(operations);
                }
                Err(refused) => prop_assert_eq!(drafted.unwrap_err().to_string(), refused.to_string()),
            }
            prop_assert_eq!(&draft.state().header, &one_by_one.state.header);
            for (number, element) in &one_by_one.elements {
                prop_assert_eq!(draft.element(*number).unwrap(), Some(Arc::clone(element)));
            }
            prop_assert!(draft.element(ElementNo(9)).unwrap().is_none());
            for ((element, at), (node, catalog)) in &one_by_one.directories {
                prop_assert_eq!(&draft.directory(*element, *at).unwrap(), catalog);
                prop_assert_eq!(&draft.directory_node(*element, *at).unwrap(), node);
            }
        }
        let committed = apply(&base, &draft.into_transactions(), 0, 0).unwrap();
        for (number, element) in &committed.elements {
            prop_assert_eq!(Some(element), one_by_one.elements.get(number));
        }
        prop_assert_eq!(committed.state.header, one_by_one.state.header);
    }
}

#[test]
fn a_draft_can_be_one_event() {
    let base = memory();
    let mut draft = Draft::new(&base);
    assert!(Draft::new(&base).into_one_transaction().is_none());
    for (comment, element) in [("first", FILE), ("second", DIRECTORY)] {
        let from = VersionNo::ROOT;
        let (branch, view_tag) = (BranchNo::ROOT, "v".into());
        let operation = Operation::CheckOut { element, view: VIEW, view_tag, branch, from, reserved: true };
        let transaction = Transaction { comment: comment.into(), ..transaction(vec![operation]) };
        draft.add(transaction).unwrap();
    }
    let one = draft.into_one_transaction().unwrap();
    assert_eq!((one.comment.as_str(), one.operations.len()), ("first", 2));
    let committed = apply(&base, &[one], 0, 0).unwrap();
    assert_eq!(committed.state.header.events, base.state.header.events + 1);
}

#[test]
fn what_was_given_up_cannot_be_read_from_a_draft() {
    let base = memory();
    let mut draft = Draft::new(&base);
    let check_out = Operation::CheckOut {
        element: DIRECTORY,
        view: VIEW,
        view_tag: "v".into(),
        branch: BranchNo::ROOT,
        from: VersionNo::ROOT,
        reserved: true,
    };
    draft.add(transaction(vec![check_out])).unwrap();
    let at = DirectoryAt::CheckedOut(0);
    assert!(draft.directory(DIRECTORY, at).is_ok());
    draft.add(transaction(vec![Operation::CancelCheckOut { element: DIRECTORY, view: VIEW }])).unwrap();
    assert!(draft.directory(DIRECTORY, at).is_err() && draft.directory_node(DIRECTORY, at).is_err());
}
