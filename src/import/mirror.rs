//! What an import must know of the VOB's elements while it plans ahead of what is committed:
//! branches, newest versions and names. Loaded on demand, updated as operations are planned.

use super::settle::element_of;
use super::tree::{Node, Tree};
use crate::store::{StoreError, Vob};
use crate::vob::{
    BranchNo, Content, ElementKind, ElementNo, EventNo, SymlinkNo, TypeNo, VersionNo, VobState,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Why the mirror cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The VOB cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The VOB names an element that is not there.
    #[error("the VOB's index names element {0}, which does not exist")]
    Missing(u32),
    /// What an earlier import brought was removed for good: the commits that follow do not fit.
    #[error("what an earlier import brought was removed from the VOB")]
    Removed,
}

/// A directory and a name in it.
pub type CataloguedName = (ElementNo, Box<[u8]>);

#[derive(Debug)]
struct Known {
    kind: ElementKind,
    /// None for those that were removed.
    branches: Vec<Option<(TypeNo, VersionNo)>>,
    versions: Vec<BranchNo>,
    names: Vec<CataloguedName>,
}

/// The elements of a VOB as they will be once everything planned is committed.
pub struct Mirror<'a> {
    vob: &'a Vob,
    known: FxHashMap<ElementNo, Known>,
    last_named: FxHashMap<(ElementNo, Box<[u8]>), ElementNo>,
    removed: FxHashSet<ElementNo>,
    next_element: u32,
    next_symlink: u32,
}

/// Directories nested deeper than this are taken for a cycle.
const MAX_DEPTH: usize = 4096;

impl<'a> Mirror<'a> {
    /// Looks at every element once, to know which names each directory ever had. `imported` tells whether
    /// an event belongs to an earlier import.
    ///
    /// # Errors
    /// If the VOB cannot be read, or something that was imported was removed.
    pub fn new(
        vob: &'a Vob,
        state: &VobState,
        imported: &dyn Fn(EventNo) -> Result<bool, StoreError>,
    ) -> Result<Mirror<'a>, MirrorError> {
        let mut mirror = Mirror {
            vob,
            known: FxHashMap::default(),
            last_named: FxHashMap::default(),
            removed: FxHashSet::default(),
            next_element: state.header.elements,
            next_symlink: state.header.symlinks,
        };
        for number in 0..state.header.elements {
            let element = vob.ever_element(ElementNo(number))?.ok_or(MirrorError::Missing(number))?;
            if element.removed {
                mirror.removed.insert(element.number);
                if imported(element.event)? {
                    return Err(MirrorError::Removed);
                }
                continue;
            }
            for (at, version) in element.versions.iter().enumerate() {
                let removed =
                    version.content == Content::Removed || !element.has_version(VersionNo(at as u32));
                if removed && imported(version.event)? {
                    return Err(MirrorError::Removed);
                }
            }
            for (directory, name) in &element.names {
                mirror.last_named.insert((*directory, name.clone()), ElementNo(number));
            }
        }
        Ok(mirror)
    }

    fn known(&mut self, number: ElementNo) -> Result<&mut Known, MirrorError> {
        if !self.known.contains_key(&number) {
            let element = self.vob.element(number)?.ok_or(MirrorError::Missing(number.0))?;
            let newest = |(at, branch): (usize, &crate::vob::Branch)| {
                let number = BranchNo(at as u32);
                element.has_branch(number).then(|| (branch.branch_type, element.newest(number)))
            };
            let mut names = Vec::with_capacity(element.names.len());
            for (directory, name) in &element.names {
                // It may remember a directory that was removed.
                if self.vob.element(*directory)?.is_some() {
                    names.push((*directory, name.clone()));
                }
            }
            let known = Known {
                kind: element.kind,
                branches: element.branches.iter().enumerate().map(newest).collect(),
                versions: element.versions.iter().map(|version| version.branch).collect(),
                names,
            };
            self.known.insert(number, known);
        }
        self.known.get_mut(&number).ok_or(MirrorError::Missing(number.0))
    }

    /// Gives the next symbolic link its number.
    pub fn next_symlink(&mut self) -> SymlinkNo {
        let number = SymlinkNo(self.next_symlink);
        self.next_symlink += 1;
        number
    }

    /// Gives the next element its number.
    pub fn create_element(&mut self, kind: ElementKind) -> ElementNo {
        let number = ElementNo(self.next_element);
        self.next_element += 1;
        let branches = vec![Some((crate::vob::state::predefined::MAIN, VersionNo::ROOT))];
        self.known.insert(number, Known { kind, branches, versions: vec![BranchNo::ROOT], names: vec![] });
        number
    }

    /// Returns the elements there are, planned ones included.
    pub fn elements(&self) -> impl Iterator<Item = ElementNo> + '_ {
        (0..self.next_element).map(ElementNo).filter(|number| !self.removed.contains(number))
    }

    /// Returns how many elements there ever were, planned ones included.
    pub fn element_count(&self) -> u32 {
        self.next_element
    }

    /// Finds the newest element that a directory ever had under this name, if it has had no
    /// other name since.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn last_named(
        &mut self,
        directory: ElementNo,
        name: &[u8],
        kind: ElementKind,
    ) -> Result<Option<ElementNo>, MirrorError> {
        let Some(found) = self.last_named.get(&(directory, name.into())).copied() else {
            return Ok(None);
        };
        let known = self.known(found)?;
        Ok((known.kind == kind && known.names.len() == 1).then_some(found))
    }

    /// Returns every (directory, name) an element ever had.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn names(&mut self, element: ElementNo) -> Result<Vec<CataloguedName>, MirrorError> {
        Ok(self.known(element)?.names.clone())
    }

    /// Notes that a directory has an element under a name.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn note_name(
        &mut self,
        element: ElementNo,
        directory: ElementNo,
        name: &[u8],
    ) -> Result<(), MirrorError> {
        let known = self.known(element)?;
        if known.names.iter().any(|(d, n)| *d == directory && n.as_ref() == name) {
            return Ok(());
        }
        known.names.push((directory, name.into()));
        let last = self.last_named.entry((directory, name.into())).or_insert(element);
        *last = (*last).max(element);
        Ok(())
    }

    /// Finds a directory element in a tree.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn locate(
        &mut self,
        root: &Arc<Tree>,
        directory: ElementNo,
    ) -> Result<Option<Arc<Tree>>, MirrorError> {
        self.locate_within(root, directory, MAX_DEPTH)
    }

    fn locate_within(
        &mut self,
        root: &Arc<Tree>,
        directory: ElementNo,
        depth: usize,
    ) -> Result<Option<Arc<Tree>>, MirrorError> {
        if root.element == Some(directory) {
            return Ok(Some(Arc::clone(root)));
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Ok(None);
        };
        for (parent, name) in self.names(directory)? {
            let Some(parent) = self.locate_within(root, parent, depth)? else {
                continue;
            };
            if let Some(node @ Node::Directory(tree)) = parent.entries.get(&name)
                && element_of(node) == Some(directory)
            {
                return Ok(Some(Arc::clone(tree)));
            }
        }
        Ok(None)
    }

    /// Returns an element's branch of a type and its newest version.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn newest_on(
        &mut self,
        element: ElementNo,
        branch_type: TypeNo,
    ) -> Result<Option<(BranchNo, VersionNo)>, MirrorError> {
        let branches = &self.known(element)?.branches;
        let mut numbered = (0..).map(BranchNo).zip(branches);
        let of_type = |(number, branch): (BranchNo, &Option<(TypeNo, VersionNo)>)| {
            let (found, newest) = (*branch)?;
            (found == branch_type).then_some((number, newest))
        };
        Ok(numbered.find_map(of_type))
    }

    /// Tells whether a version stands on the element's branch of a type.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn is_on(
        &mut self,
        element: ElementNo,
        version: VersionNo,
        branch_type: TypeNo,
    ) -> Result<bool, MirrorError> {
        let known = self.known(element)?;
        let branch = known.versions.get(version.index());
        let found = branch.and_then(|branch| known.branches[branch.index()]);
        Ok(found.is_some_and(|(found, _)| found == branch_type))
    }

    /// Gives the next branch of an element its number; its version 0 follows the others.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn add_branch(&mut self, element: ElementNo, branch_type: TypeNo) -> Result<BranchNo, MirrorError> {
        let known = self.known(element)?;
        let (branch, version) =
            (BranchNo(known.branches.len() as u32), VersionNo(known.versions.len() as u32));
        known.branches.push(Some((branch_type, version)));
        known.versions.push(branch);
        Ok(branch)
    }

    /// Gives the next version of a branch its number. The element must be known already.
    pub fn add_version(&mut self, element: ElementNo, branch: BranchNo) -> VersionNo {
        let known = self.known.get_mut(&element).expect("its branch was just looked up");
        let version = VersionNo(known.versions.len() as u32);
        known.versions.push(branch);
        if let Some((_, newest)) = &mut known.branches[branch.index()] {
            *newest = version;
        }
        version
    }
}
