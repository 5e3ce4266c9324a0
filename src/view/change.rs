//! Tells the kernel what a change made stale: names, listings and attributes, in every view.
//!
//! Only bindings from names to inodes can go stale, because versions never change. What
//! depends on a changed element is found from the element itself: it knows every name it ever
//! had. Very large changes drop everything at once instead.

use super::history::Place;
use super::host::{Host, MountedVob};
use super::inode::Numbered;
use super::live::View;
use crate::store::{Committed, StoreError};
use crate::vob::{ElementKind, ElementNo, Entry};
use clerestory_mount::Inode;
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

/// Changed elements above which every name is dropped instead of the ones concerned.
const ELEMENTS_MAX: usize = 2_000;

#[derive(Default)]
struct Stale {
    names: Vec<(Inode, OsString)>,
    listings: HashSet<Inode>,
    /// A directory got another place: what is below it has other paths.
    moved: bool,
}

impl Host {
    /// Makes a commit visible in every view, at once: when this returns, the kernel asks anew
    /// for whatever the commit changed.
    ///
    /// # Errors
    /// If the VOB cannot be read. The kernel is told to forget everything then.
    pub fn committed(&self, vob: &Arc<MountedVob>, committed: &Committed) -> Result<(), StoreError> {
        self.advance_epoch();
        if committed.types_changed || committed.elements.len() > ELEMENTS_MAX {
            for view in self.views() {
                view.forget_selection();
            }
            self.advance_epoch();
            self.forget_everything();
            return Ok(());
        }
        let mut stale = Stale::default();
        for view in self.views() {
            if let Err(error) = self.stale_in(&view, vob, &committed.elements, &mut stale) {
                view.forget_selection();
                self.forget_everything();
                return Err(error);
            }
        }
        let changed: HashSet<ElementNo> = committed.elements.iter().copied().collect();
        for (number, place) in self.history.showing(vob.index, &|element| changed.contains(&element)) {
            let Some(inode) = Numbered::History(number).inode() else {
                continue;
            };
            stale.listings.insert(inode);
            self.stale_history(vob, inode, place, &mut stale);
        }
        self.advance_epoch();
        if stale.moved {
            for view in self.views() {
                view.forget_selection();
            }
            self.forget_everything();
            return Ok(());
        }
        if let Some(invalidator) = self.invalidator() {
            invalidator.names(stale.names);
            invalidator.listings(stale.listings.into_iter().collect());
            invalidator.settle();
        }
        Ok(())
    }

    /// Makes the kernel ask anew for every name.
    pub fn forget_everything(&self) {
        self.advance_epoch();
        let Some(invalidator) = self.invalidator() else {
            return;
        };
        let all = invalidator.everything();
        // Listings are pages of directories; an epoch does not reach them, and kernels without
        // epochs are told name by name.
        let mut names = Vec::new();
        let mut listings = vec![Inode::ROOT];
        for view in self.views() {
            listings.extend(Numbered::Above(view.index, 0).inode());
            for vob in self.vobs() {
                let mut directories = view.known_directories(vob.index);
                directories.extend(view.stale_directories(vob.index));
                for (number, state) in directories {
                    let Some(inode) = Numbered::Directory(view.index, vob.index, number).inode() else {
                        continue;
                    };
                    listings.push(inode);
                    if !all {
                        names.extend(state.catalog.iter().map(|(name, _)| (inode, os_string(name))));
                    }
                }
            }
            view.drop_stale_directories();
        }
        invalidator.names(names);
        invalidator.listings(listings);
        invalidator.settle();
    }

    fn stale_in(
        &self,
        view: &View,
        vob: &Arc<MountedVob>,
        changed: &[ElementNo],
        stale: &mut Stale,
    ) -> Result<(), StoreError> {
        let directory_inode = |number| Numbered::Directory(view.index, vob.index, number).inode();
        for number in changed {
            let element = vob.element(*number)?;
            if let Some(before) = view.known_directory(vob.index, *number) {
                let after = vob.vob.consistently(|| {
                    view.enter(vob, *number, before.path.clone(), before.generation, before.parent.clone())
                })?;
                if let Some(present) = before.has_private() {
                    after.set_has_private(present);
                }
                if let Some(inode) = directory_inode(*number) {
                    stale.listings.insert(inode);
                    for change in before.catalog.changes_to(&after.catalog) {
                        let gone = before.catalog.get(&change.name);
                        for entry in [gone, change.entry].into_iter().flatten() {
                            if let Entry::Element(child) = entry
                                && vob.element(child)?.kind == ElementKind::Directory
                                && view.known_directory(vob.index, child).is_some()
                            {
                                stale.moved = true;
                            }
                        }
                        stale.names.push((inode, OsString::from_vec(change.name.into_vec())));
                    }
                }
            }
            for (parent, name) in &element.names {
                if view.known_directory(vob.index, *parent).is_some()
                    && let Some(inode) = directory_inode(*parent)
                {
                    stale.names.push((inode, os_string(name)));
                    stale.listings.insert(inode);
                }
            }
        }
        Ok(())
    }

    /// Names below `@@` that now lead elsewhere: the newest version, checkouts, labels.
    fn stale_history(&self, vob: &MountedVob, inode: Inode, place: Place, stale: &mut Stale) {
        let mut names: Vec<Vec<u8>> = vec![b"LATEST".to_vec(), b"CHECKEDOUT".to_vec()];
        if let Place::Branch(number, branch) = place
            && let Ok(element) = vob.element(number)
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
        self.advance_epoch();
        let inode = Numbered::Directory(view.index, vob.index, directory).inode();
        if let (Some(invalidator), Some(inode)) = (self.invalidator(), inode) {
            invalidator.names(names.iter().map(|name| (inode, os_string(name))).collect());
            invalidator.listings(vec![inode]);
            invalidator.settle();
        }
    }

    /// Makes the kernel ask anew for the names above VOBs, because one was mounted or a view
    /// was started.
    pub fn tables_changed(&self) {
        self.forget_everything();
    }
}

fn os_string(name: &[u8]) -> OsString {
    OsString::from_vec(name.to_vec())
}
