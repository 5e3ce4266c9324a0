//! Changes of a directory's catalog that make no version: in `lost+found`, and in the newest
//! version of a branch.

use super::{DirectoryAt, Refused, Work};
use crate::vob::directory::{Directory, DirectoryNode, NameChange};
use crate::vob::element::{Content, Element};
use crate::vob::identity::{ElementNo, VersionNo};
use std::sync::Arc;

impl Work<'_> {
    /// `lost+found` takes in what lost its last name, whoever has it checked out or not: it has
    /// no other version than 0.
    pub(super) fn change_in_place(
        &mut self,
        element: ElementNo,
        changes: &[NameChange],
    ) -> Result<(), Refused> {
        if element != ElementNo::LOST_AND_FOUND {
            return Err(Refused::NotCheckedOut);
        }
        self.change_catalog(element, changes)
    }

    /// Changes version 0 of a root branch in place.
    pub(super) fn change_catalog(
        &mut self,
        element: ElementNo,
        changes: &[NameChange],
    ) -> Result<(), Refused> {
        let key = DirectoryAt::Version(VersionNo::ROOT);
        let mut catalog = (*self.directory(element, key)?).clone();
        self.note_names(element, changes)?;
        catalog.apply(changes);
        let node = DirectoryNode::choose(&catalog, None, vec![]);
        self.changes.directories.insert((element, key), Some((Arc::new(node), Arc::new(catalog))));
        self.element(element).map(drop)
    }

    /// Changes the newest version of a branch. An older one is history: what it holds was seen,
    /// labelled and built from, and a newer version says what became of it.
    ///
    /// Catalogs that were made from the version keep their names: they are stored anew where
    /// they are stored as changes against it.
    pub(super) fn change_version_in_place(
        &mut self,
        number: ElementNo,
        version: VersionNo,
        changes: &[NameChange],
    ) -> Result<(), Refused> {
        self.file_content(number, &Content::Directory)?;
        let element = self.element_version(number, version)?;
        if element.newest(element.version(version).branch) != version {
            return Err(Refused::NotNewest);
        }
        let dependents = made_from(element, version);
        let key = DirectoryAt::Version(version);
        let mut catalogs = Vec::new();
        for at in dependents {
            let node = self.node(number, at)?;
            if node.base == Some(version) {
                catalogs.push((at, node, self.directory(number, at)?));
            }
        }
        let old = self.node(number, key)?;
        let mut catalog = (*self.directory(number, key)?).clone();
        self.note_names(number, changes)?;
        catalog.apply(changes);
        let base = match old.base {
            Some(base) => self.directory(number, DirectoryAt::Version(base))?,
            None => Arc::default(),
        };
        let catalog = Arc::new(catalog);
        self.restore(number, key, &old, &base, &catalog);
        for (at, node, dependent) in catalogs {
            self.restore(number, at, &node, &catalog, &dependent);
        }
        Ok(())
    }

    /// Stores a catalog as changes against `before`, in the place of a node with the same base:
    /// what is stored as changes against it is rebuilt in as many steps as before.
    fn restore(
        &mut self,
        number: ElementNo,
        at: DirectoryAt,
        old: &DirectoryNode,
        before: &Directory,
        catalog: &Arc<Directory>,
    ) {
        let changes = before.changes_to(catalog);
        let weight = old.weight.saturating_sub(old.changes.len() as u32) + changes.len() as u32;
        let node = DirectoryNode { base: old.base, depth: old.depth, weight, changes };
        self.changes.directories.insert((number, at), Some((Arc::new(node), Arc::clone(catalog))));
    }
}

/// The catalogs that began as a copy of a version's.
fn made_from(element: &Element, version: VersionNo) -> Vec<DirectoryAt> {
    let later = element.present_versions().filter(|(_, later)| later.predecessor == Some(version));
    let checkouts = element.checkouts.iter().filter(|checkout| checkout.from == version);
    later
        .map(|(number, _)| DirectoryAt::Version(number))
        .chain(checkouts.map(|checkout| DirectoryAt::CheckedOut(checkout.number)))
        .collect()
}
