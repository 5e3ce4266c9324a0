//! Elements: version trees, labels, checkouts.

use super::{BRANCHES, Content, Id, LABELS, VIEWS};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a name leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// An element.
    Element(Id),
    /// A VOB symbolic link.
    Link(usize),
}

/// The names of one directory version or checkout.
pub type Catalog = Rc<BTreeMap<String, Entry>>;

/// A version: its branch, by its place among the element's, and its number there.
pub type Spot = (usize, u32);

/// A version.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number on its branch.
    pub number: u32,
    /// Its place among all versions that the element ever had.
    pub order: usize,
    /// What a file version holds.
    pub content: Content,
    /// Whether that was removed.
    pub emptied: bool,
    /// Whether it may be executed.
    pub executable: bool,
    /// What a directory version holds.
    pub catalog: Catalog,
}

/// A branch.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its type, by its place among [`BRANCHES`]; none for `main`.
    pub kind: Option<usize>,
    /// The version that it sprouts from.
    pub from: Option<Spot>,
    /// Its versions, ascending.
    pub versions: Vec<Version>,
    /// The number that the next version gets.
    pub next: u32,
}

/// A view's checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The branch.
    pub branch: usize,
    /// The version it was made from.
    pub from: u32,
    /// Whether the branch is reserved.
    pub reserved: bool,
    /// The names of a checked-out directory.
    pub catalog: Catalog,
}

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    /// The number of the operation that made it.
    pub serial: u32,
    /// A directory, not a file.
    pub directory: bool,
    /// Its permission bits.
    pub mode: u32,
    /// Its branches, removed ones (without versions) too; `main` first.
    pub branches: Vec<Branch>,
    /// How many versions it ever had.
    pub versions_ever: usize,
    /// Which version has a label, by the label's place among [`LABELS`].
    pub labels: BTreeMap<usize, Spot>,
    /// The checkouts, by view.
    pub checkouts: [Option<Checkout>; VIEWS],
    /// Whether it was removed.
    pub removed: bool,
    /// Every name that it ever had in a directory.
    pub names: BTreeSet<(Id, String)>,
}

impl Element {
    fn new(serial: u32, directory: bool, mode: u32) -> Element {
        let version = Version {
            number: 0,
            order: 0,
            content: Content::EMPTY,
            emptied: false,
            executable: false,
            catalog: Catalog::default(),
        };
        Element {
            serial,
            directory,
            mode,
            branches: vec![Branch { kind: None, from: None, versions: vec![version], next: 1 }],
            versions_ever: 1,
            labels: BTreeMap::new(),
            checkouts: [None, None],
            removed: false,
            names: BTreeSet::new(),
        }
    }

    /// A new directory element.
    pub fn directory(serial: u32) -> Element {
        Element::new(serial, true, 0o755)
    }

    /// A new file element.
    pub fn file(serial: u32, mode: u32) -> Element {
        Element::new(serial, false, mode)
    }

    /// Finds a version.
    pub fn find(&self, (branch, number): Spot) -> Option<&Version> {
        self.branches.get(branch)?.versions.iter().find(|version| version.number == number)
    }

    /// A version that must exist.
    pub fn version(&self, spot: Spot) -> &Version {
        self.find(spot).expect("the model names versions that exist")
    }

    /// The newest version of a branch that exists.
    pub fn newest(&self, branch: usize) -> Spot {
        (branch, self.branches[branch].versions.last().expect("a branch has a version 0").number)
    }

    /// The branch of a type.
    pub fn branch_of(&self, kind: Option<usize>) -> Option<usize> {
        self.branches.iter().position(|branch| branch.kind == kind && !branch.versions.is_empty())
    }

    /// The branch with this path.
    pub fn branch_named(&self, path: &str) -> Option<usize> {
        let exists = |branch: &usize| !self.branches[*branch].versions.is_empty();
        (0..self.branches.len()).filter(exists).find(|branch| self.branch_id(*branch) == path)
    }

    /// Makes a branch at a version; returns it.
    pub fn sprout(&mut self, kind: usize, from: Spot) -> usize {
        let version = Version { number: 0, order: self.versions_ever, ..self.version(from).clone() };
        self.versions_ever += 1;
        self.branches.push(Branch { kind: Some(kind), from: Some(from), versions: vec![version], next: 1 });
        self.branches.len() - 1
    }

    /// Adds a version to a branch.
    pub fn add(&mut self, branch: usize, content: Content, executable: bool, catalog: Catalog) -> Spot {
        let at = &mut self.branches[branch];
        let number = at.next;
        let (order, emptied) = (self.versions_ever, false);
        at.versions.push(Version { number, order, content, emptied, executable, catalog });
        at.next += 1;
        self.versions_ever += 1;
        (branch, number)
    }

    /// The other view that has a branch reserved.
    pub fn reserved_by_other(&self, view: usize, branch: usize) -> bool {
        let reserves = |checkout: &Checkout| checkout.branch == branch && checkout.reserved;
        (0..VIEWS).any(|other| other != view && self.checkouts[other].as_ref().is_some_and(reserves))
    }

    /// All catalogs of a directory.
    pub fn catalogs(&self) -> impl Iterator<Item = &Catalog> + '_ {
        let versions = self.branches.iter().flat_map(|branch| &branch.versions);
        let checkouts = self.checkouts.iter().flatten().map(|checkout| &checkout.catalog);
        versions.map(|version| &version.catalog).chain(checkouts)
    }

    /// A branch, and those that sprout from it or from one that does.
    pub fn with_below(&self, branch: usize) -> Vec<usize> {
        let mut all = vec![branch];
        let mut next = 0;
        while let Some(parent) = all.get(next).copied() {
            let sprouts = |(_, other): &(usize, &Branch)| {
                !other.versions.is_empty() && other.from.is_some_and(|(from, _)| from == parent)
            };
            all.extend(self.branches.iter().enumerate().filter(sprouts).map(|(other, _)| other));
            next += 1;
        }
        all
    }

    /// Takes a version out of its branch, with its labels.
    pub fn take(&mut self, (branch, number): Spot) {
        self.branches[branch].versions.retain(|version| version.number != number);
        self.labels.retain(|_, spot| *spot != (branch, number));
    }

    /// The labels of a version.
    pub fn labels_of(&self, spot: Spot) -> Vec<&'static str> {
        self.labels.iter().filter(|(_, at)| **at == spot).map(|(label, _)| LABELS[*label]).collect()
    }

    /// `/main/alpha`
    pub fn branch_id(&self, branch: usize) -> String {
        let Branch { kind, from, .. } = &self.branches[branch];
        let parent = from.map(|(parent, _)| self.branch_id(parent)).unwrap_or_default();
        format!("{parent}/{}", kind.map_or("main", |kind| BRANCHES[kind]))
    }

    /// `/main/alpha/3`
    pub fn version_id(&self, (branch, number): Spot) -> String {
        format!("{}/{number}", self.branch_id(branch))
    }
}
