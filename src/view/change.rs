//! Tells the kernel what a change made stale: names, listings and attributes, in every view.
//!
//! Only bindings from names to inodes can go stale, because versions never change. What
//! depends on a changed element is found from the element itself: it knows every name it ever
//! had. What depends on rules, or on the place of a directory, is found by judging each name
//! twice (see `respec`). Very large changes drop everything at once instead.
//!
//! Changes are worked out and told one at a time, so that each meets the directory states that
//! the one before it left in force.

use super::history::Place;
use super::host::{Host, MountedVob};
use super::inode::Numbered;
use super::live::{DEPTH_MAX, DirectoryState, Former, View};
use super::private::names_in;
use super::respec;
use super::states::{Finder, Switched};
use super::storage::ViewStorage;
use crate::store::{Committed, StoreError};
use crate::vob::{Directory, Element, ElementKind, ElementNo, Entry};
use clerestory_mount::Inode;
use clerestory_specs::ConfigSpec;
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Changed elements above which every name is dropped instead of the ones concerned.
const ELEMENTS_MAX: usize = 2_000;

/// How long a request waits for the kernel to take in what it made stale. The kernel's lock that this needs may be held for
/// a request that waits for this one.
const SWITCH_PATIENCE: Duration = Duration::from_millis(100);

/// What the kernel is to ask anew.
#[derive(Default)]
pub(super) struct Stale {
    pub names: Vec<(Inode, OsString)>,
    pub listings: HashSet<Inode>,
    pub contents: Vec<Inode>,
}

impl Stale {
    /// Notes a name.
    pub fn name(&mut self, directory: Inode, name: &[u8]) {
        self.names.push((directory, os_string(name)));
    }

    /// Notes a name and the one below which its history is.
    fn name_and_history(&mut self, directory: Inode, name: &[u8]) {
        self.name(directory, name);
        self.name(directory, &[name, b"@@"].concat());
    }

    /// Notes all names of a catalog, and the listing.
    pub fn directory(&mut self, directory: Inode, catalog: &Directory) {
        self.listings.insert(directory);
        catalog.iter().for_each(|(name, _)| self.name_and_history(directory, name));
    }
}

impl Host {
    /// Makes a commit visible in every view, at once: when this returns, the kernel asks anew
    /// for whatever the commit changed.
    ///
    /// Answers where directories are now that views showed elsewhere. A process that works in one
    /// is told its old path by the kernel until somebody looks the new one up.
    ///
    /// # Errors
    /// If the VOB cannot be read. The kernel is told to forget everything then.
    pub fn committed(
        &self,
        vob: &Arc<MountedVob>,
        committed: &Committed,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let _turn = self.telling.lock();
        self.advance_epoch();
        let protected = committed.protected.iter().map(|number| self.inodes_of(vob, *number));
        match (protected.collect::<Result<Vec<_>, _>>(), self.invalidator()) {
            (Ok(inodes), Some(invalidator)) if !inodes.is_empty() => invalidator.attributes(inodes.concat()),
            (Ok(_), _) => {}
            (Err(error), _) => {
                self.forget_selections();
                return Err(error);
            }
        }
        let mut stale = Stale::default();
        let emptied = committed.emptied.iter();
        let inodes =
            emptied.map(|(element, version)| Numbered::Version(vob.index, *element, *version).inode());
        stale.contents.extend(inodes.flatten());
        // Those of which the catalogs changed, and those that were removed or changed themselves.
        let mut changed: Vec<ElementNo> = committed.elements.clone();
        changed.extend(committed.names.iter().map(|(directory, _)| *directory));
        changed.sort_unstable();
        changed.dedup();
        if changed.len() > ELEMENTS_MAX {
            self.queue(stale);
            self.forget_selections();
            self.note_selection(None);
            return Ok(Vec::new());
        }
        let mut places = Vec::new();
        for view in self.views() {
            match self.stale_in(&view, vob, &changed, &mut stale) {
                // The names of rules may mean something now, and paths lead elsewhere.
                Ok(moved) if !moved.is_empty() || committed.types_changed => {
                    let former = view.begin_generation(None, &|| self.advance_epoch());
                    if !self.rejudged(&view, &former) {
                        self.queue(stale);
                        self.forget_selections();
                        return Ok(Vec::new());
                    }
                    for directory in moved {
                        places.extend(self.path_in(&view, vob, directory)?);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    self.queue(stale);
                    self.forget_selections();
                    return Err(error);
                }
            }
        }
        let of_commit = changed.clone();
        let changed: HashSet<ElementNo> = changed.into_iter().collect();
        // A type's name stands below `@@` in elements that did not change.
        let everywhere = committed.types_changed && !committed.history_names.is_empty();
        let is_stale = |element| everywhere || changed.contains(&element);
        for (number, place) in self.history.showing(vob.index, &is_stale) {
            let Some(inode) = Numbered::History(number).inode() else {
                continue;
            };
            stale.listings.insert(inode);
            if let Place::Directory(directory, _) = place {
                let here = committed.names.iter().filter(|(number, _)| *number == directory);
                here.for_each(|(_, name)| stale.name_and_history(inode, name));
            }
            self.stale_history(vob, inode, place, &mut stale);
            let names = committed.history_names.iter();
            stale.names.extend(names.map(|name| (inode, OsString::from(name))));
        }
        self.tell(stale);
        if self.watches.is_watched() {
            self.note_commit(vob, &of_commit, committed)?;
            if committed.types_changed {
                self.note_selection(None);
            }
        }
        Ok(places)
    }

    /// Returns the numbers that the kernel may know an element and its versions by, below `@@` aside.
    fn inodes_of(&self, vob: &MountedVob, number: ElementNo) -> Result<Vec<Inode>, StoreError> {
        let element = vob.element(number)?;
        let numbered: Vec<Numbered> = match element.kind {
            ElementKind::File => element
                .present_versions()
                .map(|(version, _)| Numbered::Version(vob.index, number, version))
                .collect(),
            ElementKind::Directory => {
                self.views().iter().map(|view| Numbered::Directory(view.index, vob.index, number)).collect()
            }
        };
        Ok(numbered.into_iter().filter_map(Numbered::inode).collect())
    }

    /// Returns the path by which a view shows a directory, if by any.
    pub(super) fn path_in(
        &self,
        view: &View,
        vob: &MountedVob,
        mut number: ElementNo,
    ) -> Result<Option<PathBuf>, StoreError> {
        let mut names = Vec::new();
        while number != ElementNo::ROOT {
            if vob.vob.element(number)?.is_none() {
                return Ok(None);
            }
            let Some((parent, name)) = view.directory(vob, number)?.parent.clone() else {
                return Ok(None);
            };
            if names.len() == DEPTH_MAX {
                return Ok(None);
            }
            names.push(name);
            number = parent;
        }
        let top = self.viewroot.join(&view.tag).join(vob.tag.trim_start_matches('/'));
        Ok(Some(names.iter().rev().fold(top, |path, name| path.join(os_string(name)))))
    }

    /// Puts another config spec in force: when this returns, no system call that begins then
    /// meets a name, a listing or a version that the former spec showed and this one does not.
    /// Names that lead to what they led to before stay in the kernel's caches, with the pages.
    ///
    /// Why no answer by the former spec survives: the change epoch moves in the moment that the
    /// new one comes into force. An answer that was out before that came from a directory state
    /// that is judged below, and the notice waits for the kernel to have taken the answer in. An
    /// answer that was worked out by the former spec and is not out yet finds that the epoch has
    /// moved, and the mount expires it itself.
    pub fn set_spec(&self, view: &View, spec: ConfigSpec) {
        let _turn = self.telling.lock();
        let former = view.begin_generation(Some(spec), &|| self.advance_epoch());
        if self.rejudged(view, &former) {
            self.tell(Stale::default());
        } else {
            self.forget_known();
        }
        self.note_selection(Some(view));
    }

    /// Tells the kernel what a new generation of a view's selection made stale, and does not
    /// wait until it has been. Where that cannot be found out, it says so in the log and returns
    /// false: the caller makes the kernel forget all.
    fn rejudged(&self, view: &View, former: &Former) -> bool {
        let outdated = view.states.take_all_former();
        let Err(error) = respec::judge(view, &self.vobs(), former, &outdated, &|stale| self.queue(stale))
        else {
            return true;
        };
        tracing::warn!(%error, view = view.tag, "what changed cannot be told: everything is asked anew");
        let mut stale = Stale::default();
        for (vob, number, state) in outdated {
            if let Some(inode) = Numbered::Directory(view.index, vob, number).inode() {
                stale.directory(inode, &state.catalog);
            }
        }
        self.queue(stale);
        false
    }

    fn queue(&self, stale: Stale) {
        if let Some(invalidator) = self.invalidator() {
            invalidator.names(stale.names);
            invalidator.listings(stale.listings.into_iter().collect());
            if !stale.contents.is_empty() {
                invalidator.contents(stale.contents);
            }
        }
    }

    /// Tells the kernel, and returns when it has taken in this and what was queued before.
    fn tell(&self, stale: Stale) {
        self.advance_epoch();
        if let Some(invalidator) = self.invalidator() {
            invalidator.tell(stale.names, stale.listings.into_iter().collect(), stale.contents);
        }
    }

    /// Makes the kernel ask anew for every name, and every view select anew.
    pub fn forget_all_selection(&self) {
        let _turn = self.telling.lock();
        self.forget_selections();
        self.note_selection(None);
    }

    fn forget_selections(&self) {
        for view in self.views() {
            view.forget_selection();
        }
        self.forget_known();
    }

    /// Makes the kernel ask anew for every name.
    pub fn forget_everything(&self) {
        let _turn = self.telling.lock();
        self.forget_known();
        self.note_selection(None);
    }

    fn forget_known(&self) {
        self.advance_epoch();
        let Some(invalidator) = self.invalidator() else {
            return;
        };
        let all = invalidator.everything();
        // Listings are pages of directories; an epoch does not reach them, and kernels without
        // epochs are told name by name.
        let mut stale = Stale::default();
        stale.listings.insert(Inode::ROOT);
        for view in self.views().into_iter().chain(self.take_ended_views()) {
            stale.listings.extend(Numbered::Above(view.index, 0).inode());
            let mut directories = view.states.take_all_former();
            directories.extend(view.states.all());
            for (vob, number, state) in directories {
                match Numbered::Directory(view.index, vob, number).inode() {
                    Some(inode) if all => drop(stale.listings.insert(inode)),
                    Some(inode) => stale.directory(inode, &state.catalog),
                    None => {}
                }
            }
        }
        self.tell(stale);
    }

    /// Finds what changed elements made stale in a view. Returns the directories that came or
    /// went: what is below them may have other paths now.
    fn stale_in(
        &self,
        view: &View,
        vob: &Arc<MountedVob>,
        changed: &[ElementNo],
        stale: &mut Stale,
    ) -> Result<Vec<ElementNo>, StoreError> {
        let mut moved = Vec::new();
        let directory_inode = |number| Numbered::Directory(view.index, vob.index, number).inode();
        for number in changed {
            let Some(element) = vob.vob.element(*number)? else {
                moved.extend(stale_removed(view, vob, *number, stale));
                continue;
            };
            if let Some(before) = view.known_directory(vob.index, *number) {
                let after = vob.vob.consistently(|| {
                    view.enter(vob, *number, before.path.clone(), before.generation, before.parent.clone())
                })?;
                if before.has_private() == Some(true) {
                    after.set_has_private(true);
                }
                if let Some(inode) = directory_inode(*number) {
                    stale.listings.insert(inode);
                    // A command may have looked here since the commit: what it took the place of
                    // is what the kernel knows.
                    for before in view.states.take_former(vob.index, *number) {
                        moved.extend(stale_names(view, vob, inode, &before, &after, stale));
                    }
                }
            }
            for (parent, name) in &element.names {
                if view.known_directory(vob.index, *parent).is_some()
                    && let Some(inode) = directory_inode(*parent)
                {
                    stale.name(inode, name);
                    stale.listings.insert(inode);
                }
            }
        }
        Ok(moved)
    }

    /// Names below `@@` that now lead elsewhere: the newest version, checkouts, labels.
    fn stale_history(&self, vob: &MountedVob, inode: Inode, place: Place, stale: &mut Stale) {
        let mut names: Vec<Vec<u8>> = vec![b"LATEST".to_vec(), b"CHECKEDOUT".to_vec()];
        if let Place::Branch(number, branch) = place
            && let Ok(element) = vob.element(number)
            && element.has_branch(branch)
        {
            let state = vob.vob.state();
            let newest = element.version(element.newest(branch)).number;
            names.extend([newest, newest + 1].map(|number| number.to_string().into_bytes()));
            names.extend(element.labels.iter().map(|(label, _)| state.type_name(*label).as_bytes().to_vec()));
            let sub_branches = element.sub_branches(branch);
            let named = |branch| state.type_name(element.branch(branch).branch_type).as_bytes().to_vec();
            names.extend(sub_branches.map(named));
            let checkouts = element.checkouts.iter();
            names.extend(checkouts.map(|checkout| format!("CHECKEDOUT.{}", checkout.number).into_bytes()));
        }
        names.extend(self.history.names_below(inode).into_iter().map(Vec::from));
        stale.names.extend(names.into_iter().map(|name| (inode, OsString::from_vec(name))));
    }

    /// Makes the kernel ask anew for names in one directory, because private files changed
    /// other than through the mount.
    pub fn private_changed(&self, view: &View, vob: &MountedVob, directory: ElementNo, names: &[&[u8]]) {
        let mut stale = Stale::default();
        if let Some(inode) = Numbered::Directory(view.index, vob.index, directory).inode() {
            names.iter().for_each(|name| stale.name(inode, name));
            stale.listings.insert(inode);
        }
        self.tell(stale);
        self.note_private(view, vob, directory, names);
    }

    /// The data of a checked-out file came, went, or is another file now: so it is by every name of the file.
    pub fn data_changed(&self, view: &View, vob: &MountedVob, element: &Element) {
        let mut stale = Stale::default();
        for (directory, name) in &element.names {
            if view.known_directory(vob.index, *directory).is_some()
                && let Some(inode) = Numbered::Directory(view.index, vob.index, *directory).inode()
            {
                stale.name(inode, name);
                stale.listings.insert(inode);
            }
        }
        self.advance_epoch();
        self.queue(stale);
    }

    /// Tells the kernel of directories of a view that are now reached by another path than before, by which names
    /// in them may lead elsewhere. For requests: it does not wait for ever.
    pub(super) fn tell_switched_of(&self, view: &View) {
        let switched = view.states.take_switched();
        if switched.is_empty() {
            return;
        }
        let (below, by) = stale_by_switch(view, &switched);
        self.advance_epoch();
        if let Some(invalidator) = self.invalidator() {
            let Stale { names, listings, .. } = below;
            invalidator.tell_soon(names, listings.into_iter().collect(), SWITCH_PATIENCE);
        }
        // The kernel may hold the lock of that directory for the request that is being answered.
        self.queue(by);
    }

    /// As requests do, for what commands found by other paths than the kernel knows.
    pub fn tell_switched(&self) {
        for view in self.views() {
            let switched = view.states.take_switched();
            if !switched.is_empty() {
                let (below, by) = stale_by_switch(&view, &switched);
                self.queue(below);
                self.tell(by);
            }
        }
    }

    /// Tells the kernel that a new view came, or that one went for ever. Nothing of other views is asked anew: the hammer
    /// of [`forget_everything`](Self::forget_everything) would take the working directories of whoever works there for a moment.
    pub fn view_came_or_went(&self, view: &View) {
        let _turn = self.telling.lock();
        let mut stale = Stale::default();
        stale.name(Inode::ROOT, view.tag.as_bytes());
        stale.listings.insert(Inode::ROOT);
        for (number, names) in self.names_above() {
            if let Some(inode) = Numbered::Above(view.index, number).inode() {
                stale.listings.insert(inode);
                names.iter().for_each(|name| stale.name(inode, name.as_bytes()));
            }
        }
        let mut directories = view.states.take_all_former();
        directories.extend(view.states.all());
        for (vob, number, state) in directories {
            let Some(inode) = Numbered::Directory(view.index, vob, number).inode() else { continue };
            stale.directory(inode, &state.catalog);
            let private = ViewStorage::private(&state.element.oid);
            let names = names_in(view.storage.root(), &private).unwrap_or_default();
            names.iter().for_each(|name| stale.name(inode, name));
        }
        self.tell(stale);
        self.note_selection(Some(view));
        self.forget_ended(view);
    }

    /// Makes the kernel ask anew for the names above VOBs, because one was mounted.
    pub fn tables_changed(&self) {
        self.forget_everything();
    }
}

/// What the kernel may know of directories by the paths by which they were reached before: names in them, and the
/// names by which it still knows them.
fn stale_by_switch(view: &View, switched: &[Switched]) -> (Stale, Stale) {
    let (mut below, mut by) = (Stale::default(), Stale::default());
    for Switched { known: (vob, number, before), by: finder } in switched {
        let Some(inode) = Numbered::Directory(view.index, *vob, *number).inode() else { continue };
        below.directory(inode, &before.catalog);
        if let Some(now) = view.known_directory(*vob, *number) {
            below.directory(inode, &now.catalog);
        }
        // The kernel moves a directory that it is answered with.
        if let Some((parent, name)) = &before.parent
            && *finder == Finder::Daemon
            && let Some(inode) = Numbered::Directory(view.index, *vob, *parent).inode()
        {
            by.name(inode, name);
        }
    }
    (below, by)
}

/// Finds the names that a directory's change made stale. Returns the directories among what they lead
/// and led to that the view has shown.
fn stale_names(
    view: &View,
    vob: &MountedVob,
    inode: Inode,
    before: &DirectoryState,
    after: &DirectoryState,
    stale: &mut Stale,
) -> Vec<ElementNo> {
    let mut moved = Vec::new();
    for change in before.catalog.changes_to(&after.catalog) {
        for entry in [before.catalog.get(&change.name), change.entry].into_iter().flatten() {
            // Only directories have states.
            if let Entry::Element(child) = entry
                && view.known_directory(vob.index, child).is_some()
                && !moved.contains(&child)
            {
                moved.push(child);
            }
        }
        stale.name_and_history(inode, &change.name);
    }
    if before.path != after.path {
        // The view showed it at two places at once: what was answered at the other is
        // no more compared with anything.
        stale.directory(inode, &before.catalog);
    }
    moved
}

/// Everything that a view showed in a removed directory is stale: a process may work there still.
/// Returns the directories that were in it.
fn stale_removed(view: &View, vob: &MountedVob, number: ElementNo, stale: &mut Stale) -> Vec<ElementNo> {
    view.states.withdraw(vob.index, number);
    let mut moved = Vec::new();
    for state in view.states.take_former(vob.index, number) {
        if let Some(inode) = Numbered::Directory(view.index, vob.index, number).inode() {
            stale.directory(inode, &state.catalog);
            // What is private there can be reached by those who have it open, and by recoverview.
            let private = ViewStorage::private(&state.element.oid);
            let names = names_in(view.storage.root(), &private).unwrap_or_default();
            names.iter().for_each(|name| stale.name(inode, name));
        }
        moved.extend(state.catalog.iter().filter_map(|(_, entry)| match entry {
            Entry::Element(child) => {
                Some(child).filter(|child| view.known_directory(vob.index, *child).is_some())
            }
            Entry::Symlink(_) => None,
        }));
    }
    moved
}

fn os_string(name: &[u8]) -> OsString {
    OsString::from_vec(name.to_vec())
}
