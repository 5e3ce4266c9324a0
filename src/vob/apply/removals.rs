//! Versions, branches and elements that are removed for good. Their numbers stay taken.

use super::{DirectoryAt, Refused, Work};
use crate::vob::annotation::{Part, VobObject};
use crate::vob::deed::Deed;
use crate::vob::directory::{DirectoryNode, NameChange};
use crate::vob::element::{Content, Element, ElementKind};
use crate::vob::identity::{BranchNo, ElementNo, TypeNo, VersionNo};
use std::sync::Arc;

impl Work<'_> {
    pub(super) fn remove_version(&mut self, number: ElementNo, version: VersionNo) -> Result<(), Refused> {
        let element = self.element_version(number, version)?;
        if element.version(version).number == 0 {
            return Err(Refused::VersionZero);
        }
        if element.checkouts.iter().any(|checkout| checkout.from == version) {
            return Err(Refused::HasCheckouts);
        }
        if element.present_branches().any(|(_, branch)| branch.from == Some(version)) {
            return Err(Refused::HasBranches);
        }
        let branch = element.version(version).branch;
        self.take_version(number, version)?;
        self.note(VobObject::Branch(number, branch), Deed::VersionDestroyed)
    }

    pub(super) fn remove_data(&mut self, number: ElementNo, version: VersionNo) -> Result<(), Refused> {
        let element = self.element_version(number, version)?;
        if element.kind == ElementKind::Directory {
            return Err(Refused::WrongKind(element.kind));
        }
        if element.checkouts.iter().any(|checkout| checkout.from == version) {
            return Err(Refused::HasCheckouts);
        }
        element.versions[version.index()].content = Content::Removed;
        Ok(())
    }

    pub(super) fn remove_branch(&mut self, number: ElementNo, branch: BranchNo) -> Result<(), Refused> {
        self.take_branch(number, branch)?;
        let element = self.element(number)?;
        let removed = element.branch(branch);
        let (of_type, from) = (removed.branch_type, removed.from);
        match from.map(|from| element.version(from).branch) {
            Some(parent) => self.note(VobObject::Branch(number, parent), Deed::BranchDestroyed(of_type)),
            None => Ok(()),
        }
    }

    /// Takes a branch out of its element, with the branches that sprout from it.
    fn take_branch(&mut self, number: ElementNo, branch: BranchNo) -> Result<(), Refused> {
        self.present(VobObject::Branch(number, branch))?;
        if branch == BranchNo::ROOT {
            return Err(Refused::RootBranch);
        }
        let element = self.element(number)?;
        if element.checkouts.iter().any(|checkout| checkout.branch == branch) {
            return Err(Refused::HasCheckouts);
        }
        let below: Vec<BranchNo> = element.sub_branches(branch).collect();
        for sub_branch in below {
            self.take_branch(number, sub_branch)?;
        }
        let element = self.element(number)?;
        let branch_type = element.branch(branch).branch_type;
        let versions = element.branch(branch).versions.clone();
        for version in versions.into_iter().rev() {
            self.take_version(number, version)?;
        }
        self.note_name(branch_type);
        self.detach(number, &|part| part == Part::Branch(branch))
    }

    /// Takes a version out of its branch, with all that is attached to it.
    fn take_version(&mut self, number: ElementNo, version: VersionNo) -> Result<(), Refused> {
        let is_directory = self.element(number)?.kind == ElementKind::Directory;
        let element = self.element(number)?;
        let labels: Vec<TypeNo> = element.labels_of(version).collect();
        for label in &labels {
            element.detach_label(*label, |_, labelled| labelled == version);
        }
        labels.into_iter().for_each(|label| self.note_name(label));
        self.detach(number, &|part| part == Part::Version(version))?;
        let element = self.element(number)?;
        let before = element.version(version).predecessor;
        for later in &mut element.versions {
            if later.predecessor == Some(version) {
                later.predecessor = before;
            }
        }
        let gone = &mut element.versions[version.index()];
        (gone.content, gone.executable) = (Content::Empty, false);
        let (branch, name) = (gone.branch, gone.number.to_string());
        element.branches[branch.index()].versions.retain(|held| *held != version);
        self.changes.history_names.insert(name);
        if is_directory {
            self.take_catalog(number, version)?;
        }
        Ok(())
    }

    /// Takes the catalog of a removed directory version away. What is stored as changes against it
    /// is stored as changes against what it was stored against itself.
    fn take_catalog(&mut self, number: ElementNo, version: VersionNo) -> Result<(), Refused> {
        let gone = self.node(number, DirectoryAt::Version(version))?;
        let before = match gone.base {
            Some(base) => self.directory(number, DirectoryAt::Version(base))?,
            None => Arc::default(),
        };
        for at in catalogs(self.element(number)?) {
            let node = self.node(number, at)?;
            if node.base == Some(version) {
                let catalog = self.directory(number, at)?;
                let changes = before.changes_to(&catalog);
                // No less than what is read to rebuild it: the chain is not longer than it was.
                let weight = node.weight.max(changes.len() as u32);
                let node = DirectoryNode { base: gone.base, depth: node.depth, weight, changes };
                self.changes.directories.insert((number, at), Some((Arc::new(node), catalog)));
            }
        }
        self.changes.directories.insert((number, DirectoryAt::Version(version)), None);
        Ok(())
    }

    pub(super) fn remove_element(&mut self, number: ElementNo) -> Result<(), Refused> {
        if number == ElementNo::ROOT || number == ElementNo::LOST_AND_FOUND {
            return Err(Refused::FixedElement);
        }
        let element = self.element(number)?;
        if !element.checkouts.is_empty() {
            return Err(Refused::HasCheckouts);
        }
        let (names, own) = (element.names.clone(), catalogs(element));
        let kind = element.kind;
        let labels: Vec<TypeNo> = element.labels.iter().map(|(label, _)| *label).collect();
        labels.into_iter().for_each(|label| self.note_name(label));
        self.detach(number, &|_| true)?;
        for (directory, name) in &names {
            self.uncatalog(*directory, name, number)?;
        }
        if kind == ElementKind::Directory {
            self.forget_names_in(number, &own)?;
            for at in own {
                self.changes.directories.insert((number, at), None);
            }
        }
        let element = self.element(number)?;
        element.branches.truncate(1);
        element.branches[0].versions.truncate(1);
        element.versions.truncate(1);
        (element.labels, element.label_events, element.names) = (vec![], vec![], vec![]);
        element.annotations = None;
        element.removed = true;
        self.note(VobObject::Vob, Deed::ElementDestroyed)
    }

    /// Makes elements forget that a directory catalogued them. Each was told of in at least one of its
    /// catalogs, as it is stored.
    fn forget_names_in(&mut self, directory: ElementNo, catalogs: &[DirectoryAt]) -> Result<(), Refused> {
        for at in catalogs {
            for change in &self.node(directory, *at)?.changes {
                let Some(crate::vob::Entry::Element(child)) = change.entry else {
                    continue;
                };
                match self.element(child) {
                    Ok(child) => child.names.retain(|(held_by, _)| *held_by != directory),
                    // It was removed before.
                    Err(Refused::NoSuchObject { .. }) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(())
    }

    /// Takes a name that leads to an element out of all versions and checkouts of a directory.
    fn uncatalog(&mut self, directory: ElementNo, name: &[u8], element: ElementNo) -> Result<(), Refused> {
        let entry = crate::vob::Entry::Element(element);
        let parent = match self.element(directory) {
            Ok(parent) => catalogs(parent),
            // A name that only a checkout had is remembered when the directory was removed since.
            Err(Refused::NoSuchObject { .. }) => return Ok(()),
            Err(other) => return Err(other),
        };
        let mut changed = false;
        for at in parent {
            let catalog = self.directory(directory, at)?;
            if catalog.get(name) != Some(entry) {
                continue;
            }
            let mut node = (*self.node(directory, at)?).clone();
            // What is stored against this version says nothing of the name, or says it itself.
            for change in node.changes.iter_mut().filter(|change| change.entry == Some(entry)) {
                change.entry = None;
            }
            let mut catalog = (*catalog).clone();
            catalog.apply(&[NameChange { name: name.into(), entry: None }]);
            self.changes.directories.insert((directory, at), Some((Arc::new(node), Arc::new(catalog))));
            changed = true;
        }
        if changed {
            self.changes.names.push((directory, name.into()));
        }
        Ok(())
    }
}

/// The catalogs of a directory element's versions and checkouts; those of a file element are none.
fn catalogs(element: &Element) -> Vec<DirectoryAt> {
    let versions = element.present_versions().map(|(number, _)| DirectoryAt::Version(number));
    let checkouts = element.checkouts.iter().map(|checkout| DirectoryAt::CheckedOut(checkout.number));
    versions.chain(checkouts).collect()
}
