//! Paths: what commands and the kernel find at them.
//!
//! A path begins below the VOB's tag and has no slash in front; the root is the empty path.

use super::{Catalog, Entry, Id, Model, Private, ROOT, Rule, Shown};
use clerestory::server::proto::FailureCode;

/// The names that things get. Any of them may be a file, a directory or a link.
pub const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "p", "q", "r", "s"];
/// From here on, names are mostly those of directories.
pub const FIRST_DIRECTORY_NAME: usize = 6;
/// How many further names there are, for what is made: a name that an element had once in a directory is not given to
/// another there.
pub const MORE_NAMES: usize = 24;

/// The names on the way to an element, as far as patterns ask for them: one bit for each of [`NAMES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trail(u32);

impl Trail {
    /// Goes on to a name.
    pub fn below(self, name: &str) -> Trail {
        let bit = NAMES.iter().position(|known| *known == name).map_or(0, |at| 1 << at);
        Trail(self.0 | bit)
    }

    /// Whether the name is on the way, or is where it ends.
    pub fn leads_through(self, name: usize) -> bool {
        self.0 >> name & 1 == 1
    }
}

/// Puts a name below a path.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// Takes the last name off a path.
pub fn parent_and_leaf(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// What commands find at a path.
#[derive(Clone, Debug)]
pub enum Found {
    /// An element's name.
    Element {
        /// The element.
        id: Id,
        /// What the view shows of it.
        shown: Shown,
        /// The rule that decides.
        rule: Option<Rule>,
        /// The way to it.
        trail: Trail,
        /// The directory that catalogs it, and its name there; none for the root.
        parent: Option<(Id, String)>,
    },
    /// A view-private object.
    Private {
        /// Whether it is a directory.
        directory: bool,
    },
    /// A VOB symbolic link.
    Link(usize),
}

/// Where a name is, or would be: below which directory element, by which names. More than one name leads through
/// private directories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home {
    /// The directory element.
    pub directory: Id,
    /// The names from there.
    pub names: Vec<String>,
}

impl Home {
    /// The names before the last.
    pub fn way(&self) -> &[String] {
        &self.names[..self.names.len() - 1]
    }

    /// The last name.
    pub fn leaf(&self) -> &str {
        &self.names[self.names.len() - 1]
    }
}

/// What the kernel finds at a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thing {
    /// Nothing.
    Absent,
    /// Nothing: the data of a checked-out file was removed.
    Missing(Id),
    /// A view-private object.
    Private,
    /// The data of a checked-out file.
    Data(Id),
    /// A version of a file.
    Version(Id, super::Spot),
    /// A directory element.
    Directory(Id),
    /// A VOB symbolic link.
    Link(usize),
    /// An error.
    Broken,
}

/// Where a walk along a path has come to.
enum At {
    Live(Id, Shown, Trail),
    Private(Home),
    Nowhere,
}

impl Model {
    /// What a view shows of an element at a place.
    pub fn select(&self, view: usize, id: Id, trail: Trail) -> (Shown, Option<Rule>) {
        self.views[view].spec.select(&self.elements[id], view, trail)
    }

    /// The names that a view shows in a directory, those aside that are private.
    pub fn catalog(&self, view: usize, id: Id, shown: Shown) -> Catalog {
        let element = &self.elements[id];
        match (shown, &element.checkouts[view]) {
            (Shown::Version(spot), _) => element.version(spot).catalog.clone(),
            (Shown::CheckedOut, Some(checkout)) => checkout.catalog.clone(),
            _ => Catalog::default(),
        }
    }

    /// What commands find at a path.
    pub fn find(&self, view: usize, path: &str) -> Result<Found, FailureCode> {
        let path = self.names.real(path);
        let (shown, rule) = self.select(view, ROOT, Trail::default());
        let mut found = Found::Element { id: ROOT, shown, rule, trail: Trail::default(), parent: None };
        let mut at = At::Live(ROOT, shown, Trail::default());
        for name in path.split('/').filter(|name| !name.is_empty()) {
            (found, at) = match at {
                At::Nowhere => return Err(FailureCode::NotADirectory),
                At::Private(home) => self.find_private(view, home, name)?,
                At::Live(id, shown, trail) => self.find_live(view, id, shown, trail, name)?,
            };
        }
        Ok(found)
    }

    fn find_private(&self, view: usize, mut home: Home, name: &str) -> Result<(Found, At), FailureCode> {
        let here = self.views[view].private(home.directory, &home.names);
        if !matches!(here, Some(Private::Directory(..))) {
            return Err(FailureCode::NotADirectory);
        }
        home.names.push(name.to_owned());
        match self.views[view].private(home.directory, &home.names) {
            None => Err(FailureCode::NoSuchFile),
            Some(private) => {
                let directory = matches!(private, Private::Directory(..));
                Ok((Found::Private { directory }, At::Private(home)))
            }
        }
    }

    fn find_live(
        &self,
        view: usize,
        id: Id,
        shown: Shown,
        trail: Trail,
        name: &str,
    ) -> Result<(Found, At), FailureCode> {
        let home = Home { directory: id, names: vec![name.to_owned()] };
        if let Some(private) = self.views[view].private(id, &home.names) {
            let directory = matches!(private, Private::Directory(..));
            return Ok((Found::Private { directory }, At::Private(home)));
        }
        match self.catalog(view, id, shown).get(name) {
            None => Err(FailureCode::NoSuchFile),
            Some(Entry::Link(link)) => Ok((Found::Link(*link), At::Nowhere)),
            Some(Entry::Element(child)) => {
                let trail = trail.below(name);
                let (shown, rule) = self.select(view, *child, trail);
                let is_shown = matches!(shown, Shown::Version(_) | Shown::CheckedOut);
                let at = match self.elements[*child].directory && is_shown {
                    true => At::Live(*child, shown, trail),
                    false => At::Nowhere,
                };
                let parent = Some((id, name.to_owned()));
                Ok((Found::Element { id: *child, shown, rule, trail, parent }, at))
            }
        }
    }

    /// What the kernel finds at a path, and where that is. Refused with an error number.
    pub fn look(&self, view: usize, path: &str) -> Result<(Home, Thing), i32> {
        let path = self.names.real(path);
        let (parent, leaf) = parent_and_leaf(&path);
        let (mut home, mut shown) = (None, Some((ROOT, self.select(view, ROOT, Trail::default()).0)));
        let mut trail = Trail::default();
        for name in parent.split('/').filter(|name| !name.is_empty()) {
            let (here, thing) = self.step(view, shown, home, trail, name);
            trail = trail.below(name);
            (home, shown) = match thing {
                Thing::Directory(id) => (None, Some((id, self.select(view, id, trail).0))),
                Thing::Private => match self.views[view].private(here.directory, &here.names) {
                    Some(Private::Directory(..)) => (Some(here), None),
                    Some(Private::File(_)) => return Err(libc::ENOTDIR),
                    // Links lead nowhere.
                    _ => return Err(libc::ENOENT),
                },
                Thing::Data(_) | Thing::Version(..) => return Err(libc::ENOTDIR),
                Thing::Absent | Thing::Missing(_) | Thing::Link(_) => return Err(libc::ENOENT),
                Thing::Broken => return Err(libc::EIO),
            };
        }
        Ok(self.step(view, shown, home, trail, leaf))
    }

    /// Looks a name up in a directory element, or in a private directory.
    fn step(
        &self,
        view: usize,
        element: Option<(Id, Shown)>,
        private: Option<Home>,
        trail: Trail,
        name: &str,
    ) -> (Home, Thing) {
        let home = match (&private, element) {
            (Some(Home { directory, names }), _) => {
                Home { directory: *directory, names: [names.as_slice(), &[name.to_owned()]].concat() }
            }
            (None, Some((id, _))) => Home { directory: id, names: vec![name.to_owned()] },
            (None, None) => unreachable!("a walk is somewhere"),
        };
        let thing = match (self.views[view].private(home.directory, &home.names), element) {
            (Some(_), _) => Thing::Private,
            (None, Some((id, shown))) if private.is_none() => self.catalogued(view, id, shown, trail, name),
            (None, _) => Thing::Absent,
        };
        (home, thing)
    }

    fn catalogued(&self, view: usize, id: Id, shown: Shown, trail: Trail, name: &str) -> Thing {
        let child = match self.catalog(view, id, shown).get(name) {
            None => return Thing::Absent,
            Some(Entry::Link(link)) => return Thing::Link(*link),
            Some(Entry::Element(child)) => *child,
        };
        let directory = self.elements[child].directory;
        match self.select(view, child, trail.below(name)).0 {
            Shown::Nothing => Thing::Absent,
            Shown::Error => Thing::Broken,
            Shown::Version(_) | Shown::CheckedOut if directory => Thing::Directory(child),
            Shown::Version(spot) => Thing::Version(child, spot),
            Shown::CheckedOut if self.views[view].data.contains_key(&child) => Thing::Data(child),
            Shown::CheckedOut => Thing::Missing(child),
        }
    }

    /// The directory elements that a view shows, by their paths: each path once, and none that leads through a
    /// directory that is in itself.
    pub fn directories(&self, view: usize) -> Vec<(String, Id, Trail)> {
        let mut all = Vec::new();
        self.add_directories(view, String::new(), ROOT, Trail::default(), &mut Vec::new(), &mut all);
        all
    }

    fn add_directories(
        &self,
        view: usize,
        path: String,
        id: Id,
        trail: Trail,
        above: &mut Vec<Id>,
        all: &mut Vec<(String, Id, Trail)>,
    ) {
        let shown = self.select(view, id, trail).0;
        all.push((path.clone(), id, trail));
        above.push(id);
        for (name, entry) in self.catalog(view, id, shown).iter() {
            let Entry::Element(child) = entry else { continue };
            let hidden = || self.views[view].private(id, std::slice::from_ref(name)).is_some();
            if !self.elements[*child].directory || above.contains(child) || hidden() {
                continue;
            }
            let below = trail.below(name);
            if matches!(self.select(view, *child, below).0, Shown::Version(_) | Shown::CheckedOut) {
                self.add_directories(view, join(&path, name), *child, below, above, all);
            }
        }
        above.pop();
    }
}
