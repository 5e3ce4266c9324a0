use super::*;
use crate::store::engine::EngineKind;
use crate::store::{CommitError, VobOptions};
use crate::vob::state::predefined;
use crate::vob::{
    BranchNo, Element, ElementKind, NameChange, Oid, Operation, Refused, Transaction, TypeKind, TypeNo, User,
    ViewUuid,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DIRECTORY: ElementNo = ElementNo(2);
const FILES: u32 = 6;
const VIEW: ViewUuid = ViewUuid([5; 16]);

struct Fixture {
    vob: Vob,
    dir: tempfile::TempDir,
    types: u32,
}

fn transaction(operations: Vec<Operation>) -> Vec<Transaction> {
    let (user, comment, attributes) = (User::default(), String::new(), vec![]);
    vec![Transaction { time_ns: 1, user, comment, attributes, operations }]
}

fn element(number: u32, kind: ElementKind, element_type: TypeNo) -> Operation {
    let (number, oid) = (ElementNo(number), Oid([number as u8; 16]));
    Operation::CreateElement { number, oid, kind, element_type, owner: 0, group: 0, mode: 0o755 }
}

fn change(name: &str, file: Option<u32>) -> NameChange {
    let entry = file.map(|file| Entry::Element(ElementNo(DIRECTORY.0 + 1 + file)));
    NameChange { name: name.as_bytes().into(), entry }
}

fn version(branch: u32, changes: Vec<NameChange>) -> Operation {
    let branch = BranchNo(branch);
    Operation::CreateDirectoryVersion { element: DIRECTORY, branch, changes, effective_ns: None }
}

fn in_place(version: u32, changes: Vec<NameChange>) -> Operation {
    Operation::ChangeVersionInPlace { element: DIRECTORY, version: VersionNo(version), changes }
}

impl Fixture {
    fn new(engine: EngineKind) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let options = VobOptions {
            engine,
            user: User::default(),
            owner: 0,
            group: 0,
            comment: String::new(),
            time_ns: 0,
            oid: Oid([1; 16]),
        };
        let vob = Vob::create(&dir.path().join("x.vbs"), &options).unwrap();
        let mut operations = vec![element(DIRECTORY.0, ElementKind::Directory, predefined::DIRECTORY)];
        let files = (0..FILES).map(|file| DIRECTORY.0 + 1 + file);
        operations.extend(files.map(|number| element(number, ElementKind::File, predefined::TEXT_FILE)));
        let fixture = Fixture { vob, dir, types: predefined::ALL.len() as u32 };
        fixture.commit(operations).unwrap();
        fixture
    }

    fn commit(&self, operations: Vec<Operation>) -> Result<(), CommitError<std::convert::Infallible>> {
        self.vob.commit(|_| Ok(transaction(operations))).map(drop)
    }

    /// Makes a branch that sprouts from a version.
    fn branch(&mut self, from: u32) {
        let number = TypeNo(self.types);
        self.types += 1;
        let name = format!("b{}", number.0);
        let make = Operation::CreateType { number, kind: TypeKind::Branch, name };
        let from = VersionNo(from);
        let sprout = Operation::CreateBranch { element: DIRECTORY, from, branch_type: number };
        self.commit(vec![make, sprout]).unwrap();
    }

    fn reopen(self) -> Fixture {
        let Fixture { vob, dir, types } = self;
        vob.close().unwrap();
        drop(vob);
        let vob = Vob::open(&dir.path().join("x.vbs")).unwrap();
        Fixture { vob, dir, types }
    }

    fn catalog(&self, at: DirectoryAt) -> BTreeMap<Vec<u8>, Entry> {
        let catalog = self.vob.directory(DIRECTORY, at).unwrap();
        catalog.iter().map(|(name, entry)| (name.to_vec(), entry)).collect()
    }

    fn mentions(&self, name: &str) -> Vec<Mention> {
        let count = self.vob.element(DIRECTORY).unwrap().unwrap().versions.len();
        let mut found = Vec::new();
        let all = &mut |mention| {
            found.push(mention);
            ControlFlow::Continue(())
        };
        self.vob.mentions(DIRECTORY, count, name.as_bytes(), all).unwrap();
        found
    }
}

#[derive(Clone, Debug)]
enum Step {
    Version(usize, Vec<(usize, Option<u32>)>),
    InPlace(usize, Vec<(usize, Option<u32>)>),
    Branch(usize),
    Checkpoint,
}

const NAMES: [&str; 5] = ["a", "ab", "b", "long name", "z"];

fn step() -> impl Strategy<Value = Step> {
    let changes = || prop::collection::vec((0..NAMES.len(), prop::option::of(0..FILES)), 0..4);
    prop_oneof![
        6 => (any::<usize>(), changes()).prop_map(|(branch, changes)| Step::Version(branch, changes)),
        3 => (any::<usize>(), changes()).prop_map(|(version, changes)| Step::InPlace(version, changes)),
        1 => any::<usize>().prop_map(Step::Branch),
        1 => Just(Step::Checkpoint),
    ]
}

fn named(changes: &[(usize, Option<u32>)]) -> Vec<NameChange> {
    changes.iter().map(|(name, file)| change(NAMES[*name], *file)).collect()
}

fn applied(mut catalog: BTreeMap<Vec<u8>, Entry>, changes: &[NameChange]) -> BTreeMap<Vec<u8>, Entry> {
    for change in changes {
        match change.entry {
            Some(entry) => drop(catalog.insert(change.name.to_vec(), entry)),
            None => drop(catalog.remove(&*change.name)),
        }
    }
    catalog
}

type Last = BTreeMap<(Vec<u8>, String), VersionNo>;

fn last_of(fixture: &Fixture, element: &Element, first: BranchNo) -> Last {
    let last = fixture.vob.last_versions(element, first).unwrap();
    let key = |name: &[u8], entry: Entry| (name.to_vec(), format!("{entry:?}"));
    last.iter().map(|(name, entry, version)| (key(name, entry), version)).collect()
}

/// A branch without more than its version 0 says what the version says that it sprouts from.
fn last_of_twin(twin: &[BTreeMap<Vec<u8>, Entry>], element: &Element, first: BranchNo) -> Last {
    let mut last = Last::new();
    let mut numbers: Vec<VersionNo> = (0..twin.len() as u32).map(VersionNo).collect();
    numbers.sort_by_key(|number| (element.version(*number).branch == first, *number));
    for number in numbers {
        let (catalog, branch) = (&twin[number.index()], element.version(number).branch);
        if branch == BranchNo::ROOT || element.branch(branch).versions.len() > 1 {
            let pairs = catalog.iter().map(|(name, entry)| (name.clone(), format!("{entry:?}")));
            last.extend(pairs.map(|pair| (pair, number)));
        }
    }
    last
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The twin keeps every catalog whole.
    #[test]
    fn catalogs_and_mentions_are_those_of_a_naive_twin(steps in prop::collection::vec(step(), 1..40)) {
        let mut fixture = Fixture::new(EngineKind::Memory);
        let mut twin = vec![BTreeMap::new()];
        let mut taken_back = false;
        for step in steps {
            let element = fixture.vob.element(DIRECTORY).unwrap().unwrap();
            match step {
                Step::Version(branch, changes) => {
                    let branch = BranchNo((branch % element.branches.len()) as u32);
                    let before = twin[element.newest(branch).index()].clone();
                    let changes = named(&changes);
                    twin.push(applied(before, &changes));
                    fixture.commit(vec![version(branch.0, changes)]).unwrap();
                }
                Step::InPlace(number, changes) => {
                    let number = VersionNo((number % twin.len()) as u32);
                    let changes = named(&changes);
                    let newest = element.newest(element.version(number).branch) == number;
                    match fixture.commit(vec![in_place(number.0, changes.clone())]) {
                        Ok(()) => {
                            prop_assert!(newest);
                            taken_back = true;
                            let before = std::mem::take(&mut twin[number.index()]);
                            twin[number.index()] = applied(before, &changes);
                        }
                        Err(CommitError::Refused(Refused::NotNewest)) => prop_assert!(!newest),
                        Err(other) => panic!("{other}"),
                    }
                }
                Step::Branch(from) => {
                    let from = from % twin.len();
                    twin.push(twin[from].clone());
                    fixture.branch(from as u32);
                }
                Step::Checkpoint => fixture.vob.close().unwrap(),
            }
            for (number, expected) in twin.iter().enumerate() {
                let found = fixture.catalog(DirectoryAt::Version(VersionNo(number as u32)));
                prop_assert_eq!(&found, expected, "version {}", number);
            }
            let element = fixture.vob.element(DIRECTORY).unwrap().unwrap();
            for first in [BranchNo::ROOT, BranchNo(1)] {
                let expected = last_of_twin(&twin, &element, first);
                prop_assert_eq!(last_of(&fixture, &element, first), expected);
            }
            for name in NAMES {
                let mentions = fixture.mentions(name);
                prop_assert!(mentions.is_sorted_by(|a, b| a.version > b.version));
                for mention in &mentions {
                    let catalogued = twin[mention.version.index()].get(name.as_bytes()).copied();
                    prop_assert_eq!(mention.entry, catalogued);
                }
                let entries = |mentions: &[Mention]| -> BTreeSet<String> {
                    mentions.iter().filter_map(|mention| Some(format!("{:?}", mention.entry?))).collect()
                };
                let ever = twin.iter().filter_map(|catalog| catalog.get(name.as_bytes()));
                let ever: BTreeSet<String> = ever.map(|entry| format!("{entry:?}")).collect();
                prop_assert_eq!(entries(&mentions), ever.clone(), "{}", name);
                let remembered = fixture.vob.ever(DIRECTORY, twin.len(), name.as_bytes()).unwrap();
                let remembered: BTreeSet<String> =
                    remembered.iter().map(|entry| format!("{entry:?}")).collect();
                prop_assert!(remembered.is_superset(&ever));
                prop_assert!(taken_back || remembered == ever);
            }
        }
        // The journal alone builds the same.
        let rebuilt = fixture.reopen();
        for (number, expected) in twin.iter().enumerate() {
            prop_assert_eq!(&rebuilt.catalog(DirectoryAt::Version(VersionNo(number as u32))), expected);
        }
    }
}

#[test]
fn a_checkout_keeps_the_names_it_began_with() {
    let fixture = Fixture::new(EngineKind::Sled);
    fixture.commit(vec![version(0, vec![change("a", Some(0)), change("b", Some(1))])]).unwrap();
    let check_out = Operation::CheckOut {
        element: DIRECTORY,
        view: VIEW,
        view_tag: "v".to_owned(),
        branch: BranchNo::ROOT,
        from: VersionNo(1),
        reserved: true,
    };
    let touch = |name: &str, file| Operation::ChangeDirectory {
        element: DIRECTORY,
        view: VIEW,
        changes: vec![change(name, file)],
        note: String::new(),
    };
    fixture.commit(vec![check_out, touch("c", Some(2))]).unwrap();
    let held = fixture.catalog(DirectoryAt::CheckedOut(0));
    fixture.commit(vec![in_place(1, vec![change("a", None), change("d", Some(3))])]).unwrap();
    assert_eq!(fixture.catalog(DirectoryAt::CheckedOut(0)), held);
    let names: Vec<Vec<u8>> = fixture.catalog(DirectoryAt::Version(VersionNo(1))).into_keys().collect();
    assert_eq!(names, [b"b".to_vec(), b"d".to_vec()]);
    let fixture = fixture.reopen();
    assert_eq!(fixture.catalog(DirectoryAt::CheckedOut(0)), held);
}

#[test]
fn only_directories_can_be_changed_in_place() {
    let fixture = Fixture::new(EngineKind::Memory);
    let of_file = Operation::ChangeVersionInPlace {
        element: ElementNo(DIRECTORY.0 + 1),
        version: VersionNo(0),
        changes: vec![],
    };
    let refused = |operation| match fixture.commit(vec![operation]) {
        Err(CommitError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(of_file), Refused::WrongKind(ElementKind::File)));
    assert!(matches!(refused(in_place(7, vec![])), Refused::NoSuchObject { kind: "version", number: 7 }));
    assert!(matches!(refused(in_place(0, vec![change("a/b", Some(0))])), Refused::BadEntryName));
}
