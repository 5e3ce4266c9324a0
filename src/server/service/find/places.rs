//! The names of a VOB's elements: what a view shows, and for everything else a path through the directory version
//! that catalogued it last. Such a path works in the view like any other, for `ln` above all.

use super::criteria::placeholder;
use super::{Typed, as_element, before_version};
use crate::server::proto::Failure;
use crate::server::service::facts::{self, join};
use crate::server::state::Outcome;
use crate::store::vob::LastVersions;
use crate::view::private::names_in;
use crate::view::resolve::{branch_id, version_id};
use crate::view::{DirectoryState, MountedVob, Shown, View, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Element, ElementNo, Entry, SymlinkNo};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// Names of directories whose last versions are remembered: some 60 bytes each.
const NAMES_MAX: usize = 1 << 19;

/// A directory that a path leads to in the view.
pub(super) struct ShownDirectory {
    path: Vec<u8>,
    pub state: Arc<DirectoryState>,
    private: OnceCell<HashSet<Vec<u8>>>,
}

/// A name that was found.
pub(super) struct Named {
    /// As the user would write it.
    pub name: Vec<u8>,
    /// What the view shows there; none where the element is not visible.
    pub shown: Option<Shown>,
}

/// A VOB symbolic link in a directory of the view.
pub(super) struct NamedLink {
    pub link: SymlinkNo,
    pub leaf: Vec<u8>,
    /// As the user would write it.
    pub name: Vec<u8>,
    pub visible: bool,
}

/// Which names are wanted.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Wanted {
    Any,
    Visible,
    Invisible,
}

/// Finds names in one VOB, and remembers directories.
pub(super) struct Places<'a> {
    vob: &'a Arc<MountedVob>,
    view: Option<&'a Arc<View>>,
    /// What stands before the VOB's tag in absolute paths.
    above: Vec<u8>,
    typed: Typed,
    shown: HashMap<ElementNo, Option<Rc<ShownDirectory>>>,
    /// What stands before the versions of directories that no path leads to.
    hidden: HashMap<ElementNo, Option<Vec<u8>>>,
    last: HashMap<ElementNo, Rc<LastVersions>>,
    last_names: usize,
    on_the_way: Vec<ElementNo>,
}

impl<'a> Places<'a> {
    pub fn new(
        vob: &'a Arc<MountedVob>,
        view: Option<&'a Arc<View>>,
        above: &[u8],
        typed: Typed,
    ) -> Places<'a> {
        let (above, last_names) = (above.to_vec(), 0);
        let (shown, hidden, last, on_the_way) = Default::default();
        Places { vob, view, above, typed, shown, hidden, last, last_names, on_the_way }
    }

    /// Finds a name of an element whose last component fits: one that the view shows where there is any.
    ///
    /// # Errors
    /// If the VOB or the view cannot be read.
    pub fn find(
        &mut self,
        element: &Element,
        wanted: Wanted,
        fits: &dyn Fn(&[u8]) -> bool,
    ) -> Outcome<Option<Named>> {
        let visible = self.visible(element, fits)?;
        match (visible, wanted) {
            (Some(_), Wanted::Invisible) | (None, Wanted::Visible) => Ok(None),
            (Some(named), _) => Ok(named),
            (None, _) => Ok(self.invisible(element, fits)?.map(|name| Named { name, shown: None })),
        }
    }

    /// Finds a name that the view shows; none where the element is not visible, and no name where it is visible by
    /// others only.
    fn visible(&mut self, element: &Element, fits: &dyn Fn(&[u8]) -> bool) -> Outcome<Option<Option<Named>>> {
        let Some(view) = self.view else { return Ok(None) };
        if element.number == ElementNo::ROOT {
            let Some(root) = self.directory(ElementNo::ROOT)? else { return Ok(None) };
            let shown = view.select(self.vob, &root.state.path, element);
            let name = as_element(self.typed.name(&root.path), true);
            return Ok(Some(fits(b".").then_some(Named { name, shown: Some(shown) })));
        }
        let mut otherwise = None;
        for (number, leaf) in element.names.iter().rev() {
            let Some(directory) = self.directory(*number)? else { continue };
            let Some(shown) = self.shown_in(view, &directory, leaf, element)? else { continue };
            if fits(leaf) {
                let name = self.typed.name(&join(&directory.path, leaf));
                return Ok(Some(Some(Named { name, shown: Some(shown) })));
            }
            otherwise = Some(None);
        }
        Ok(otherwise)
    }

    /// What the view shows of an element by a name in a directory; none where that is not visible.
    fn shown_in(
        &self,
        view: &Arc<View>,
        directory: &ShownDirectory,
        leaf: &[u8],
        element: &Element,
    ) -> Outcome<Option<Shown>> {
        let state = &directory.state;
        if state.catalog.get(leaf) != Some(Entry::Element(element.number))
            || directory.private(view)?.contains(leaf)
        {
            return Ok(None);
        }
        let shown = view.select(self.vob, &view.bound(self.vob).descend(&state.path, leaf), element);
        Ok(Some(shown).filter(|shown| matches!(shown, Shown::Version(..) | Shown::CheckedOut(_))))
    }

    /// Finds a directory that a path leads to in the view.
    ///
    /// # Errors
    /// If the VOB or the view cannot be read.
    pub fn directory(&mut self, number: ElementNo) -> Outcome<Option<Rc<ShownDirectory>>> {
        if let Some(known) = self.shown.get(&number) {
            return Ok(known.clone());
        }
        let (Some(view), false) = (self.view, self.on_the_way.contains(&number)) else {
            return Ok(None);
        };
        let found = if number == ElementNo::ROOT {
            let state = view.root(self.vob)?;
            let path = [&self.above[..], self.vob.tag.as_bytes()].concat();
            state.at.is_some().then_some((path, state))
        } else {
            self.on_the_way.push(number);
            let found = self.enter(view, number);
            self.on_the_way.pop();
            found?
        };
        let found =
            found.map(|(path, state)| Rc::new(ShownDirectory { path, state, private: OnceCell::new() }));
        // On the way to another directory, a circle may have hidden a name that leads here.
        if found.is_some() || self.on_the_way.is_empty() {
            self.shown.insert(number, found.clone());
        }
        Ok(found)
    }

    fn enter(
        &mut self,
        view: &Arc<View>,
        number: ElementNo,
    ) -> Outcome<Option<(Vec<u8>, Arc<DirectoryState>)>> {
        let Some(element) = self.vob.vob.element(number)? else { return Ok(None) };
        for (parent, leaf) in element.names.iter().rev() {
            let Some(directory) = self.directory(*parent)? else { continue };
            if self.shown_in(view, &directory, leaf, &element)?.is_some() {
                let state = facts::enter(view, self.vob, &directory.state, leaf, number)?;
                return Ok(Some((join(&directory.path, leaf), state)));
            }
        }
        Ok(None)
    }

    /// Finds a name of an element that is not visible: one that a directory of the view catalogs, or else one
    /// through a directory version.
    fn invisible(&mut self, element: &Element, fits: &dyn Fn(&[u8]) -> bool) -> Outcome<Option<Vec<u8>>> {
        if element.number == ElementNo::ROOT {
            return Ok(fits(b".").then(|| as_element(self.root(), true)));
        }
        if let Some(name) = self.catalogued(element, fits)? {
            return Ok(Some(name));
        }
        if let Some(name) = self.through_history(element, fits)? {
            return Ok(Some(name));
        }
        // No version of any directory has it: what is left is its identity.
        let is_named = element.names.iter().any(|(_, leaf)| fits(leaf));
        Ok(is_named.then(|| join(&self.root(), format!("oid:{}", element.oid).as_bytes())))
    }

    fn root(&self) -> Vec<u8> {
        self.typed.name(&[&self.above[..], self.vob.tag.as_bytes()].concat())
    }

    fn catalogued(&mut self, element: &Element, fits: &dyn Fn(&[u8]) -> bool) -> Outcome<Option<Vec<u8>>> {
        for (number, leaf) in element.names.iter().rev().filter(|(_, leaf)| fits(leaf)) {
            let Some(directory) = self.directory(*number)? else { continue };
            if directory.state.catalog.get(leaf) == Some(Entry::Element(element.number)) {
                return Ok(Some(self.typed.name(&join(&directory.path, leaf))));
            }
        }
        Ok(None)
    }

    /// Finds a name through the newest directory version that has it; a directory that the view shows is preferred.
    fn through_history(
        &mut self,
        element: &Element,
        fits: &dyn Fn(&[u8]) -> bool,
    ) -> Outcome<Option<Vec<u8>>> {
        let entry = Entry::Element(element.number);
        for in_view in [true, false] {
            for (number, leaf) in element.names.iter().rev().filter(|(_, leaf)| fits(leaf)) {
                if self.directory(*number)?.is_some() == in_view
                    && let Some(name) = self.in_version(*number, leaf, entry)?
                {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }

    /// Writes a name in the newest version of a directory that has it.
    ///
    /// # Errors
    /// If the VOB or the view cannot be read.
    pub fn in_version(&mut self, number: ElementNo, leaf: &[u8], entry: Entry) -> Outcome<Option<Vec<u8>>> {
        let Some(directory) = self.vob.vob.element(number)? else { return Ok(None) };
        let Some(version) = self.cataloguing(&directory, leaf, entry)? else { return Ok(None) };
        let before = self.before_versions(&directory)?;
        Ok(before.map(|before| join(&[&before[..], version.as_bytes()].concat(), leaf)))
    }

    /// Finds the newest version of a directory, or a checkout, that has a name.
    fn cataloguing(&mut self, directory: &Element, leaf: &[u8], entry: Entry) -> Outcome<Option<String>> {
        let state = self.vob.vob.state();
        if let Some(version) = self.last_versions(directory)?.get(leaf, entry) {
            return Ok(Some(version_id(&state, directory, version)));
        }
        for checkout in &directory.checkouts {
            let catalog =
                self.vob.vob.directory(directory.number, DirectoryAt::CheckedOut(checkout.number))?;
            if catalog.get(leaf) == Some(entry) {
                let placeholder = placeholder(self.view.map(|view| view.uuid()), checkout);
                return Ok(Some(format!("{}/{placeholder}", branch_id(&state, directory, checkout.branch))));
            }
        }
        Ok(None)
    }

    /// Finds in which versions of a directory its names were last.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn last_versions(&mut self, directory: &Element) -> Outcome<Rc<LastVersions>> {
        if let Some(known) = self.last.get(&directory.number) {
            return Ok(Rc::clone(known));
        }
        // A version on the branch that the view shows is the easiest to understand.
        let shown = self.directory(directory.number)?;
        let branch = match shown.as_ref().and_then(|shown| shown.state.at) {
            Some(DirectoryAt::Version(version)) => Some(directory.version(version).branch),
            Some(DirectoryAt::CheckedOut(number)) => {
                let mut checkouts = directory.checkouts.iter();
                checkouts.find(|checkout| checkout.number == number).map(|checkout| checkout.branch)
            }
            None => None,
        };
        let branch = branch.unwrap_or(BranchNo::ROOT);
        let last = Rc::new(self.vob.vob.last_versions(directory, branch)?);
        if self.last_names + last.len() > NAMES_MAX {
            self.last.clear();
            self.last_names = 0;
        }
        self.last_names += last.len();
        self.last.insert(directory.number, Rc::clone(&last));
        Ok(last)
    }

    /// Writes what stands before the versions of a directory.
    fn before_versions(&mut self, directory: &Element) -> Outcome<Option<Vec<u8>>> {
        let number = directory.number;
        if let Some(shown) = self.directory(number)? {
            let name = self.typed.name(&shown.path);
            return Ok(Some(before_version(&name, number == ElementNo::ROOT)));
        }
        if number == ElementNo::ROOT {
            return Ok(Some(before_version(&self.root(), true)));
        }
        if let Some(known) = self.hidden.get(&number) {
            return Ok(known.clone());
        }
        if self.on_the_way.contains(&number) {
            return Ok(None);
        }
        self.on_the_way.push(number);
        let found = match self.catalogued(directory, &|_| true) {
            Ok(Some(name)) => Ok(Some(before_version(&name, false))),
            Ok(None) => self.through_history(directory, &|_| true),
            Err(failure) => Err(failure),
        };
        self.on_the_way.pop();
        let found = found?;
        if found.is_some() || self.on_the_way.is_empty() {
            self.hidden.insert(number, found.clone());
        }
        Ok(found)
    }

    /// Lists the VOB symbolic links of a directory of the view.
    ///
    /// # Errors
    /// If the view cannot be read.
    pub fn links(&mut self, number: ElementNo) -> Outcome<Vec<NamedLink>> {
        let (Some(view), Some(directory)) = (self.view, self.directory(number)?) else {
            return Ok(Vec::new());
        };
        let bound = view.bound(self.vob);
        let mut found = Vec::new();
        for (leaf, entry) in directory.state.catalog.iter() {
            let Entry::Symlink(link) = entry else { continue };
            let path = bound.descend(&directory.state.path, leaf);
            let visible = bound.any_rule_matches(&path) && !directory.private(view)?.contains(leaf);
            let name = self.typed.name(&join(&directory.path, leaf));
            found.push(NamedLink { link, leaf: leaf.to_vec(), name, visible });
        }
        Ok(found)
    }
}

impl ShownDirectory {
    /// The names that the view's own files have here.
    fn private(&self, view: &View) -> Outcome<&HashSet<Vec<u8>>> {
        if let Some(known) = self.private.get() {
            return Ok(known);
        }
        let found = private_names(view, &self.state)?;
        Ok(self.private.get_or_init(|| found))
    }
}

/// The names that a view's own files have in a directory.
///
/// # Errors
/// If they cannot be listed.
pub(super) fn private_names(view: &View, state: &DirectoryState) -> Outcome<HashSet<Vec<u8>>> {
    if state.has_private() == Some(false) {
        return Ok(HashSet::new());
    }
    let names = names_in(view.storage.root(), &ViewStorage::private(&state.element.oid));
    let names =
        names.map_err(|refusal| Failure::other(format!("private files cannot be listed: {refusal:?}")))?;
    Ok(names.into_iter().collect())
}
