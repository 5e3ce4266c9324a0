//! The reference model: what a VOB and two views of it hold, as plainly as it can be said.
//!
//! Everything is a list or a map; nothing is cached, nothing is shared with the program but the names of things.
//! Effects of operations are with the operations.

mod element;
mod file;
mod place;
mod spec;
mod view;

pub use element::{Branch, Catalog, Checkout, Element, Entry, Spot, Version};
pub use file::{Content, File};
pub use place::{FIRST_DIRECTORY_NAME, Found, Home, MORE_NAMES, NAMES, Thing, Trail, join, parent_and_leaf};
pub use spec::{Pattern, Pick, Rule, Scope, Shown, Spec};
pub use view::{Private, View};

use crate::names::Names;
use std::collections::BTreeSet;

/// An element: its place among all that were ever made.
pub type Id = usize;

/// The VOB's root directory.
pub const ROOT: Id = 0;
/// The VOB's `lost+found`.
pub const LOST: Id = 1;
/// What `lost+found` is called in the root.
pub const LOST_NAME: &str = "lost+found";

/// How many views there are.
pub const VIEWS: usize = 2;
/// The branch types that the VOB has beside `main`, and one that it does not have.
pub const BRANCHES: [&str; 3] = ["alpha", "beta", "gamma"];
/// See [`BRANCHES`].
pub const NO_BRANCH: &str = "ghost";
/// The label types that the VOB has, and one that it does not have.
pub const LABELS: [&str; 3] = ["ONE", "TWO", "THREE"];
/// See [`LABELS`].
pub const NO_LABEL: &str = "GHOST";
/// The file creation mask of everybody.
pub const UMASK: u32 = 0o022;

/// An element that was just made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The element.
    pub id: Id,
    /// The view in which the command was given.
    pub view: usize,
    /// The directory that catalogs it.
    pub directory: Id,
    /// The directory's path.
    pub path: String,
    /// Its name there.
    pub leaf: String,
}

/// Everything there is.
#[derive(Clone, Debug)]
pub struct Model {
    /// Elements, removed ones too.
    pub elements: Vec<Element>,
    /// The texts of VOB symbolic links.
    pub links: Vec<String>,
    /// The views.
    pub views: [View; VIEWS],
    /// The identities of elements.
    pub names: Names,
    /// Whether a name that another element had is refused.
    pub detects_twins: bool,
    /// What the present operation made.
    pub made: Option<Made>,
    /// What the present operation changed: elements, and directories in which private names changed.
    pub touched: BTreeSet<Id>,
    /// Views of which everything may have changed.
    pub touched_views: [bool; VIEWS],
    /// Whether other names show what the present operation did to a file only when the kernel has taken that in.
    pub follows: bool,
}

impl Model {
    /// A new VOB, and two new views.
    pub fn new() -> Model {
        let mut root = Element::directory(0);
        let names = std::rc::Rc::new([(LOST_NAME.to_owned(), Entry::Element(LOST))].into());
        root.branches[0].versions[0].catalog = names;
        Model {
            elements: vec![root, Element::directory(0)],
            links: Vec::new(),
            views: [View::new(), View::new()],
            names: Names::default(),
            detects_twins: true,
            made: None,
            touched: BTreeSet::new(),
            touched_views: [false; VIEWS],
            follows: false,
        }
    }

    /// Forgets what the operation before changed.
    pub fn begin(&mut self) {
        self.made = None;
        self.touched.clear();
        self.touched_views = [false; VIEWS];
        self.follows = false;
    }

    /// The data of a checked-out file came, went, or is another file now. A program's call waits for that name alone.
    pub fn change_data(&mut self, id: Id) {
        self.touched.insert(id);
        self.follows = true;
    }

    /// An element that is about to change.
    pub fn change(&mut self, id: Id) -> &mut Element {
        self.touched.insert(id);
        &mut self.elements[id]
    }

    /// Tells whether any version or checkout of any directory catalogs an element.
    fn holders(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let holds = move |directory: &Element| {
            directory.directory
                && !directory.removed
                && directory.catalogs().any(|catalog| holds(catalog, id))
        };
        self.elements
            .iter()
            .enumerate()
            .filter(move |(_, directory)| holds(directory))
            .map(|(holder, _)| holder)
    }

    /// Tells whether names lead from the root or from `lost+found` to an element.
    pub fn is_reachable(&self, id: Id) -> bool {
        let (mut seen, mut above) = (BTreeSet::from([id]), vec![id]);
        while let Some(id) = above.pop() {
            if id == ROOT || id == LOST {
                return true;
            }
            above.extend(self.holders(id).filter(|holder| seen.insert(*holder)));
        }
        false
    }

    /// Moves an element to `lost+found` under the name it had; what is told of it.
    pub fn lose(&mut self, id: Id, leaf: &str) -> (String, String) {
        let identity = self.names.identity(self.elements[id].serial).to_owned();
        let name = format!("{leaf}.{identity}");
        self.change(id).names.insert((LOST, name.clone()));
        let lost = self.change(LOST);
        std::rc::Rc::make_mut(&mut lost.branches[0].versions[0].catalog).insert(name, Entry::Element(id));
        (leaf.to_owned(), identity)
    }
}

fn holds(catalog: &Catalog, id: Id) -> bool {
    catalog.values().any(|entry| *entry == Entry::Element(id))
}
