//! Each law is seen to be broken when the index says what no operation could have made it say.

use super::super::{Batch, EngineKind, Records, encode, engine, key};
use super::*;
use crate::store::VobOptions;
use crate::vob::state::predefined;
use crate::vob::{
    DirectoryNode, NameChange, Oid, Operation, Transaction, TypeKind, TypeNo, User, VersionNo, codec,
};
use std::path::PathBuf;

const DIRECTORY: ElementNo = ElementNo(2);
const FILE: ElementNo = ElementNo(3);
const FIX: TypeNo = TypeNo(9);
const VIEW: ViewUuid = ViewUuid([5; 16]);
const OTHER_VIEW: ViewUuid = ViewUuid([6; 16]);

/// A VOB with `src/foo.c`: two versions on `/main`, one on `/main/fix`, a label, a checkout to one
/// view; `src` and the root are checked out to it too.
struct Fixture {
    dir: tempfile::TempDir,
}

fn change(name: &str, entry: Option<Entry>) -> NameChange {
    NameChange { name: name.as_bytes().into(), entry }
}

fn commit(vob: &Vob, operations: Vec<Operation>) {
    let (user, comment, attributes) = (User::default(), String::new(), vec![]);
    let transaction = Transaction { time_ns: 1, user, comment, attributes, operations };
    vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction])).unwrap();
}

impl Fixture {
    fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let options = VobOptions {
            engine: EngineKind::Sled,
            user: User::default(),
            owner: 0,
            group: 0,
            comment: String::new(),
            time_ns: 0,
            oid: Oid([1; 16]),
        };
        let vob = Vob::create(&dir.path().join("x.vbs"), &options).unwrap();
        let texts = ["one\n", "two\n", "three\n"];
        let ids = texts.map(|text| vob.pools().put(text.as_bytes(), None).unwrap());
        vob.pools().sync().unwrap();
        let hashes: Vec<ContentHash> = ids.iter().map(|id| id.0).collect();
        let element = |number: ElementNo, kind, element_type| Operation::CreateElement {
            number,
            oid: Oid([number.0 as u8; 16]),
            kind,
            element_type,
            owner: 0,
            group: 0,
            mode: 0o755,
        };
        let version = |branch, at: usize| Operation::CreateVersion {
            element: FILE,
            branch: BranchNo(branch),
            content: Content::File { hash: hashes[at], size: texts[at].len() as u64 },
            executable: false,
            effective_ns: None,
        };
        let names = |element, changes| Operation::CreateDirectoryVersion {
            element,
            branch: BranchNo::ROOT,
            changes,
            effective_ns: None,
        };
        let check_out = |element, from| Operation::CheckOut {
            element,
            view: VIEW,
            view_tag: "v".into(),
            branch: BranchNo::ROOT,
            from: VersionNo(from),
            reserved: true,
        };
        let new_type = |number, kind, name: &str| Operation::CreateType { number, kind, name: name.into() };
        let label = TypeNo(10);
        let operations = vec![
            element(DIRECTORY, ElementKind::Directory, predefined::DIRECTORY),
            element(FILE, ElementKind::File, predefined::TEXT_FILE),
            names(ElementNo::ROOT, vec![change("src", Some(Entry::Element(DIRECTORY)))]),
            names(DIRECTORY, vec![change("foo.c", Some(Entry::Element(FILE)))]),
            version(0, 0),
            version(0, 1),
            new_type(FIX, TypeKind::Branch, "fix"),
            Operation::CreateBranch { element: FILE, from: VersionNo(1), branch_type: FIX },
            version(1, 2),
            new_type(label, TypeKind::Label, "REL1"),
            Operation::ApplyLabel { label, targets: vec![(FILE, VersionNo(1))] },
            check_out(ElementNo::ROOT, 1),
            check_out(DIRECTORY, 1),
            check_out(FILE, 2),
        ];
        commit(&vob, operations);
        vob.close().unwrap();
        Fixture { dir }
    }

    fn storage(&self) -> PathBuf {
        self.dir.path().join("x.vbs")
    }

    /// Changes records behind the VOB's back.
    fn tamper(&self, change: impl FnOnce(&Records, &mut Batch)) {
        let limits = engine::Options { cache_bytes: 1 << 20, reserve_bytes: 0 };
        let opened = engine::open_with(EngineKind::Sled, &self.storage().join("index"), limits).unwrap();
        let records = Records::new(Arc::from(opened));
        let mut batch = Batch::new();
        change(&records, &mut batch);
        records.engine().commit(batch).unwrap();
    }

    fn tamper_element(&self, number: ElementNo, change: impl FnOnce(&mut Element)) {
        self.tamper(|records, batch| {
            let stored = records.get(&key::element(number)).unwrap().unwrap();
            let mut element = codec::decode(&stored).unwrap();
            change(&mut element);
            records.put(batch, &key::element(number), &codec::encode(&element)).unwrap();
        });
    }

    fn tamper_catalog(&self, number: ElementNo, at: DirectoryAt, change: impl FnOnce(&mut DirectoryNode)) {
        self.tamper(|records, batch| {
            let key = key::directory(number, at);
            let stored = records.get(&key).unwrap().unwrap();
            let mut node: DirectoryNode = super::super::decode("directory", &stored).unwrap();
            change(&mut node);
            records.put(batch, &key, &encode(&node)).unwrap();
        });
    }

    fn check(&self) -> (LawCounts, Vec<LawBroken>) {
        let vob = Vob::open(&self.storage()).unwrap();
        let mut breaches = Vec::new();
        let counts = check_laws(&vob, &mut |breach| breaches.push(breach)).unwrap();
        assert_eq!(counts.broken, breaches.len() as u64);
        (counts, breaches)
    }

    #[track_caller]
    fn expect(&self, expected: &[LawBroken]) {
        assert_eq!(self.check().1, expected);
    }
}

#[test]
fn a_vob_that_only_operations_changed_keeps_all_laws() {
    let (counts, breaches) = Fixture::new().check();
    assert_eq!(breaches, []);
    let expected = LawCounts {
        elements: 4,
        directories: 3,
        versions: 2 + 1 + 2 + 5,
        catalogs: 3 + 1 + 3,
        checkouts: 3,
        contents: 3,
        unused: 0,
        broken: 0,
    };
    assert_eq!(counts, expected);
}

#[test]
fn numbers_on_a_branch_rise() {
    let fixture = Fixture::new();
    fixture.tamper_element(FILE, |element| element.versions[2].number = 1);
    let breach = LawBroken::NumbersDoNotRise { element: FILE, branch: BranchNo::ROOT, before: 1, number: 1 };
    // A number that two versions have leads to one of them: the other is not there.
    assert_eq!(fixture.check().1[0], breach);
}

#[test]
fn numbers_are_never_used_again() {
    let fixture = Fixture::new();
    fixture.tamper_element(FILE, |element| element.branches[1].next_number = 1);
    let breach = LawBroken::NumberUsedAgain { element: FILE, branch: BranchNo(1), next: 1, newest: 1 };
    fixture.expect(&[breach]);
}

#[test]
fn names_in_a_directory_version_are_unique() {
    let fixture = Fixture::new();
    let at = DirectoryAt::Version(VersionNo(1));
    let entry = Some(Entry::Element(FILE));
    fixture.tamper_catalog(DIRECTORY, at, |node| node.changes.push(change("foo.c", entry)));
    let name = b"foo.c".as_slice().into();
    fixture.expect(&[LawBroken::NameTwice { directory: DIRECTORY, at, name }]);
}

#[test]
fn names_are_names_and_lead_somewhere() {
    let fixture = Fixture::new();
    let vob = Vob::open(&fixture.storage()).unwrap();
    let checkout = vob.element(DIRECTORY).unwrap().unwrap().checkouts[0].number;
    drop(vob);
    let at = DirectoryAt::CheckedOut(checkout);
    let symlink = Some(Entry::Symlink(crate::vob::SymlinkNo(7)));
    fixture.tamper_catalog(DIRECTORY, at, |node| {
        node.changes = vec![
            change("a/b", None),
            change("gone", Some(Entry::Element(ElementNo(99)))),
            change("link", symlink),
            change("new.c", Some(Entry::Element(FILE))),
        ];
    });
    let name = |name: &str| name.as_bytes().into();
    fixture.expect(&[
        LawBroken::BadName { directory: DIRECTORY, at, name: name("a/b") },
        LawBroken::LeadsNowhere { directory: DIRECTORY, at, name: name("gone") },
        LawBroken::LeadsNowhere { directory: DIRECTORY, at, name: name("link") },
        LawBroken::NameForgotten { element: FILE, directory: DIRECTORY, name: name("new.c") },
    ]);
}

#[test]
fn at_most_one_view_has_a_branch_reserved() {
    let fixture = Fixture::new();
    let add = |element: &mut Element, reserved| {
        let other = element.checkouts[0].clone();
        element.checkouts = vec![other.clone()];
        let (view, number) = (OTHER_VIEW, other.number + 100);
        element.checkouts.push(crate::vob::Checkout { view, number, reserved, ..other });
    };
    fixture.tamper_element(FILE, |element| add(element, false));
    fixture.expect(&[]);
    fixture.tamper_element(FILE, |element| add(element, true));
    let views = [VIEW, OTHER_VIEW];
    fixture.expect(&[LawBroken::ReservedTwice { element: FILE, branch: BranchNo::ROOT, views }]);
}

#[test]
fn a_view_has_one_checkout_of_an_element() {
    let fixture = Fixture::new();
    fixture.tamper_element(FILE, |element| {
        let other = element.checkouts[0].clone();
        let (branch, from, reserved) = (BranchNo(1), VersionNo(4), false);
        element.checkouts.push(crate::vob::Checkout { branch, from, reserved, ..other });
    });
    fixture.expect(&[LawBroken::CheckedOutTwice { element: FILE, view: VIEW }]);
}

#[test]
fn a_checkout_stands_on_its_branch_and_a_link_on_a_version() {
    let fixture = Fixture::new();
    fixture.tamper_element(FILE, |element| {
        element.checkouts[0].from = VersionNo(4);
        element.hyperlinks.push(crate::vob::Hyperlink {
            number: 0,
            link_type: predefined::MERGE,
            from: VersionNo(1),
            to: VersionNo(5),
            event: element.event,
        });
    });
    fixture.expect(&[
        LawBroken::Detached { element: FILE, what: "hyperlink", version: VersionNo(5) },
        LawBroken::Detached { element: FILE, what: "checkout", version: VersionNo(4) },
    ]);
}

#[test]
fn every_content_is_there_with_its_hash() {
    let fixture = Fixture::new();
    let hash = [9; 32];
    fixture.tamper_element(FILE, |element| {
        element.versions[1].content = Content::File { hash, size: 4 };
        let Content::File { size, .. } = &mut element.versions[2].content else { unreachable!() };
        *size += 1;
    });
    let detail = "it has 4 bytes, the version says 5".to_owned();
    fixture.expect(&[
        LawBroken::ContentMissing { element: FILE, version: VersionNo(1), hash },
        LawBroken::ContentDamaged { element: FILE, version: VersionNo(2), detail },
    ]);
}

#[test]
fn content_with_other_bytes_than_its_hash_says_is_damage() {
    let fixture = Fixture::new();
    let containers = fixture.storage().join("s/sdft");
    let container = std::fs::read_dir(&containers)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "pool"))
        .unwrap();
    let mut bytes = std::fs::read(&container).unwrap();
    let at = bytes.windows(4).position(|window| window == b"two\n").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&container, bytes).unwrap();
    let (_, breaches) = fixture.check();
    let [LawBroken::ContentDamaged { element: FILE, version: VersionNo(2), .. }] = breaches[..] else {
        panic!("{breaches:?}");
    };
}

#[test]
fn nothing_is_unreachable() {
    let fixture = Fixture::new();
    fixture.tamper_catalog(DIRECTORY, DirectoryAt::Version(VersionNo(1)), |node| node.changes.clear());
    fixture.expect(&[LawBroken::Unreachable { element: FILE }]);
    // A name in lost+found reaches it.
    let names = |node: &mut DirectoryNode| node.changes = vec![change("foo.c", Some(Entry::Element(FILE)))];
    fixture.tamper_catalog(ElementNo::LOST_AND_FOUND, DirectoryAt::Version(VersionNo::ROOT), names);
    fixture.tamper_element(FILE, |element| {
        element.names.push((ElementNo::LOST_AND_FOUND, b"foo.c".as_slice().into()));
    });
    fixture.expect(&[]);
}

#[test]
fn two_directories_that_only_hold_each_other_are_unreachable() {
    let fixture = Fixture::new();
    let at = DirectoryAt::Version(VersionNo(1));
    // `src` holds itself, and the root holds it no more.
    fixture.tamper_catalog(ElementNo::ROOT, at, |node| node.changes.clear());
    let entry = Some(Entry::Element(DIRECTORY));
    fixture.tamper_catalog(DIRECTORY, at, |node| node.changes.push(change("src", entry)));
    fixture.tamper_element(DIRECTORY, |element| element.names.push((DIRECTORY, b"src".as_slice().into())));
    fixture
        .expect(&[LawBroken::Unreachable { element: DIRECTORY }, LawBroken::Unreachable { element: FILE }]);
}

#[test]
fn what_was_removed_breaks_no_law_and_its_numbers_stay_taken() {
    let fixture = Fixture::new();
    let vob = Vob::open(&fixture.storage()).unwrap();
    let remove = [
        Operation::CancelCheckOut { element: FILE, view: VIEW },
        Operation::RemoveBranch { element: FILE, branch: BranchNo(1) },
        Operation::RemoveVersion { element: FILE, version: VersionNo(2) },
        Operation::RemoveData { element: FILE, version: VersionNo(1) },
    ];
    commit(&vob, remove.to_vec());
    vob.close().unwrap();
    drop(vob);
    let (counts, breaches) = fixture.check();
    assert_eq!((counts.versions, counts.contents, breaches), (2 + 1 + 2 + 2, 0, vec![]));
    fixture.tamper_element(FILE, |element| element.branches[0].next_number = 2);
    fixture.expect(&[LawBroken::NumberUsedAgain {
        element: FILE,
        branch: BranchNo::ROOT,
        next: 2,
        newest: 2,
    }]);
    fixture.tamper_element(FILE, |element| {
        element.branches[0].next_number = 3;
        element.labels.push((TypeNo(10), VersionNo(2)));
    });
    fixture.expect(&[LawBroken::Detached { element: FILE, what: "label", version: VersionNo(2) }]);
    fixture.tamper_element(FILE, |element| element.labels.clear());
    let vob = Vob::open(&fixture.storage()).unwrap();
    commit(&vob, vec![Operation::RemoveElement { element: FILE }]);
    vob.close().unwrap();
    drop(vob);
    let (counts, breaches) = fixture.check();
    assert_eq!((counts.elements, breaches), (3, vec![]));
}

#[test]
fn records_that_are_missing_or_damaged_are_told_and_the_rest_is_looked_at() {
    let fixture = Fixture::new();
    fixture.tamper(|records, batch| {
        records.put(batch, &key::element(FILE), b"?").unwrap();
        records.delete(batch, &key::directory(DIRECTORY, DirectoryAt::Version(VersionNo::ROOT))).unwrap();
        let node = DirectoryNode { base: Some(VersionNo(8)), depth: 2, weight: 0, changes: vec![] };
        let at = DirectoryAt::Version(VersionNo::ROOT);
        records.put(batch, &key::directory(ElementNo::LOST_AND_FOUND, at), &encode(&node)).unwrap();
    });
    let (counts, breaches) = fixture.check();
    assert_eq!(counts.elements, 3);
    let unreadable = |breach: &LawBroken| match breach {
        LawBroken::Unreadable { element, .. } => Some(*element),
        _ => None,
    };
    let found: Vec<_> = breaches.iter().filter_map(unreadable).collect();
    assert!(found.contains(&ElementNo::LOST_AND_FOUND) && found.contains(&FILE), "{breaches:?}");
    assert!(found.contains(&DIRECTORY), "{breaches:?}");
    fixture.tamper(|records, batch| records.delete(batch, &key::element(FILE)).unwrap());
    assert!(fixture.check().1.contains(&LawBroken::ElementMissing { element: FILE }));
}
