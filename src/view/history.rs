//! The history name space: what is below `@@`.
//!
//! Elements, branches and directory versions appear as directories, one inside the other, as
//! long as a path goes on. Each such directory gets a number of its own for the path by which
//! it was reached, because the kernel allows a directory only one place.

use super::host::MountedVob;
use super::inode::{ViewIndex, VobIndex};
use crate::store::StoreError;
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Element, ElementKind, ElementNo, Entry, SymlinkNo, VersionNo, ViewUuid};
use clerestory_mount::Inode;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;

/// What a place in the history name space is.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Place {
    /// `foo.c@@`, or a name in a directory version.
    Element(ElementNo),
    /// `foo.c@@/main`
    Branch(ElementNo, BranchNo),
    /// `dir@@/main/4`, or the checked-out one.
    Directory(ElementNo, DirectoryAt),
    /// `foo.c@@/main/3`
    Version(ElementNo, VersionNo),
    /// The own view's checkout of a file.
    OwnCheckout(ElementNo),
    /// Another view's checkout of a file, by its number.
    OtherCheckout(ElementNo, u32),
    /// A VOB symbolic link.
    Symlink(SymlinkNo),
}

impl Place {
    /// Tells whether it appears as a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self, Place::Element(_) | Place::Branch(..) | Place::Directory(..))
    }
}

/// Strips the `@@` from a name that leads into the history name space.
pub fn extended(name: &[u8]) -> Option<&[u8]> {
    name.strip_suffix(b"@@")
}

fn version_place(element: &Element, version: VersionNo) -> Place {
    match element.kind {
        ElementKind::File => Place::Version(element.number, version),
        ElementKind::Directory => Place::Directory(element.number, DirectoryAt::Version(version)),
    }
}

/// Reads the element of a branch that was not removed.
fn with_branch(vob: &MountedVob, number: ElementNo, branch: BranchNo) -> Result<Arc<Element>, StoreError> {
    let element = vob.element(number)?;
    if element.has_branch(branch) { Ok(element) } else { Err(StoreError::NoSuchPart(number)) }
}

/// Finds a name at a place that is a directory.
///
/// # Errors
/// If the VOB cannot be read, or what was at the place was removed.
pub fn find(
    vob: &MountedVob,
    view: &ViewUuid,
    place: Place,
    name: &[u8],
) -> Result<Option<Place>, StoreError> {
    match place {
        Place::Element(number) => Ok(in_element(vob, &*vob.element(number)?, name)),
        Place::Branch(number, branch) => {
            Ok(on_branch(vob, view, &*with_branch(vob, number, branch)?, branch, name))
        }
        Place::Directory(number, at) => {
            let catalog = vob.vob.directory(number, at)?;
            let literal = catalog.get(name);
            let found = literal.or_else(|| extended(name).and_then(|base| catalog.get(base)));
            match found {
                Some(Entry::Element(element)) => Ok(Some(Place::Element(element))),
                Some(Entry::Symlink(link)) => Ok(literal.map(|_| Place::Symlink(link))),
                None if matches!(name, b"@@" | b".@@") => Ok(Some(Place::Element(number))),
                None => Ok(None),
            }
        }
        Place::Version(..) | Place::OwnCheckout(_) | Place::OtherCheckout(..) | Place::Symlink(_) => Ok(None),
    }
}

fn in_element(vob: &MountedVob, element: &Element, name: &[u8]) -> Option<Place> {
    let name = std::str::from_utf8(name).ok()?;
    let state = vob.vob.state();
    if state.type_name(element.branch(BranchNo::ROOT).branch_type) == name {
        return Some(Place::Branch(element.number, BranchNo::ROOT));
    }
    let label = state.type_named(crate::vob::TypeKind::Label, name)?;
    let mut labelled = element.labelled(label.number);
    let version = labelled.next()?;
    labelled.next().is_none().then(|| version_place(element, version))
}

fn on_branch(
    vob: &MountedVob,
    view: &ViewUuid,
    element: &Element,
    branch: BranchNo,
    name: &[u8],
) -> Option<Place> {
    let name = std::str::from_utf8(name).ok()?;
    if name == "LATEST" {
        return Some(version_place(element, element.newest(branch)));
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        // `03` is no version number.
        let number: u32 = name.parse().ok().filter(|number: &u32| number.to_string() == name)?;
        return Some(version_place(element, element.version_at(branch, number)?));
    }
    if let Some(number) = name.strip_prefix("CHECKEDOUT") {
        let mut on_branch = element.checkouts.iter().filter(|checkout| checkout.branch == branch);
        let checkout = match number.strip_prefix('.') {
            None if number.is_empty() => on_branch.find(|checkout| checkout.view == *view)?,
            None => return None,
            Some(number) => {
                let number: u32 = number.parse().ok()?;
                on_branch.find(|checkout| checkout.number == number)?
            }
        };
        return Some(match element.kind {
            ElementKind::Directory => {
                Place::Directory(element.number, DirectoryAt::CheckedOut(checkout.number))
            }
            ElementKind::File if checkout.view == *view => Place::OwnCheckout(element.number),
            ElementKind::File => Place::OtherCheckout(element.number, checkout.number),
        });
    }
    let state = vob.vob.state();
    let named = |branch: &BranchNo| state.type_name(element.branch(*branch).branch_type) == name;
    if let Some(sub_branch) = element.sub_branches(branch).find(named) {
        return Some(Place::Branch(element.number, sub_branch));
    }
    let label = state.type_named(crate::vob::TypeKind::Label, name)?;
    let version = element.labelled(label.number).find(|v| element.version(*v).branch == branch)?;
    Some(version_place(element, version))
}

/// Lists the names at a place that is a directory.
///
/// # Errors
/// As [`find`].
pub fn list(vob: &MountedVob, view: &ViewUuid, place: Place) -> Result<Vec<(Vec<u8>, Place)>, StoreError> {
    let mut names = Vec::new();
    match place {
        Place::Element(number) => {
            let (element, state) = (vob.element(number)?, vob.vob.state());
            let root = state.type_name(element.branch(BranchNo::ROOT).branch_type);
            names.push((root.as_bytes().to_vec(), Place::Branch(number, BranchNo::ROOT)));
            for pair in element.labels.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() == 1) {
                let (label, version) = pair[0];
                names.push((state.type_name(label).as_bytes().to_vec(), version_place(&element, version)));
            }
        }
        Place::Branch(number, branch) => {
            let (element, state) = (with_branch(vob, number, branch)?, vob.vob.state());
            for version in &element.branch(branch).versions {
                let name = element.version(*version).number.to_string();
                names.push((name.into_bytes(), version_place(&element, *version)));
            }
            names.push((b"LATEST".to_vec(), version_place(&element, element.newest(branch))));
            for sub_branch in element.sub_branches(branch) {
                let name = state.type_name(element.branch(sub_branch).branch_type);
                names.push((name.as_bytes().to_vec(), Place::Branch(number, sub_branch)));
            }
            for (label, version) in &element.labels {
                if element.version(*version).branch == branch {
                    names.push((
                        state.type_name(*label).as_bytes().to_vec(),
                        version_place(&element, *version),
                    ));
                }
            }
            for checkout in element.checkouts.iter().filter(|checkout| checkout.branch == branch) {
                let name = match checkout.view == *view {
                    true => "CHECKEDOUT".to_owned(),
                    false => format!("CHECKEDOUT.{}", checkout.number),
                };
                if let Some(place) = on_branch(vob, view, &element, branch, name.as_bytes()) {
                    names.push((name.into_bytes(), place));
                }
            }
        }
        Place::Directory(number, at) => {
            for (name, entry) in vob.vob.directory(number, at)?.iter() {
                let place = match entry {
                    Entry::Element(element) => Place::Element(element),
                    Entry::Symlink(link) => Place::Symlink(link),
                };
                names.push((name.to_vec(), place));
            }
        }
        Place::Version(..) | Place::OwnCheckout(_) | Place::OtherCheckout(..) | Place::Symlink(_) => {}
    }
    Ok(names)
}

/// A directory of the history name space that the kernel knows.
#[derive(Clone, Debug)]
pub struct HistoryNode {
    /// In which view it was reached.
    pub view: ViewIndex,
    /// In which VOB it is.
    pub vob: VobIndex,
    /// What it is.
    pub place: Place,
    /// The directory it was reached from.
    pub parent: Inode,
    lookups: u64,
}

#[derive(Default)]
struct Nodes {
    by_number: HashMap<u64, (HistoryNode, Box<[u8]>)>,
    by_name: HashMap<(Inode, Box<[u8]>), u64>,
    next: u64,
}

/// The directories of the history name space that the kernel knows.
#[derive(Default)]
pub struct HistoryNodes {
    nodes: RwLock<Nodes>,
}

impl HistoryNodes {
    /// Returns the number of a directory reached by a name, given now if it has none, and
    /// counts lookups of it.
    pub fn number(
        &self,
        (parent, name): (Inode, &[u8]),
        view: ViewIndex,
        vob: VobIndex,
        place: Place,
        lookups: u64,
    ) -> u64 {
        let mut nodes = self.nodes.write();
        let key = (parent, Box::from(name));
        if let Some(number) = nodes.by_name.get(&key).copied() {
            if let Some((node, _)) = nodes.by_number.get_mut(&number)
                && node.place == place
            {
                node.lookups += lookups;
                return number;
            }
            // `LATEST` leads to another version now: another directory, another number.
            nodes.by_name.remove(&key);
        }
        nodes.next += 1;
        let number = nodes.next;
        let node = HistoryNode { view, vob, place, parent, lookups };
        nodes.by_number.insert(number, (node, name.into()));
        nodes.by_name.insert(key, number);
        number
    }

    /// Finds a directory by its number.
    pub fn get(&self, number: u64) -> Option<HistoryNode> {
        Some(self.nodes.read().by_number.get(&number)?.0.clone())
    }

    /// Takes lookups back; at zero the number is free.
    pub fn forget(&self, number: u64, lookups: u64) {
        let mut nodes = self.nodes.write();
        let Some((node, name)) = nodes.by_number.get_mut(&number) else {
            return;
        };
        node.lookups = node.lookups.saturating_sub(lookups);
        if node.lookups == 0 {
            let key = (node.parent, name.clone());
            nodes.by_number.remove(&number);
            if nodes.by_name.get(&key) == Some(&number) {
                nodes.by_name.remove(&key);
            }
        }
    }

    /// Returns the directories that show branches of these elements, to tell the kernel that
    /// their listings changed.
    pub fn showing(&self, vob: VobIndex, elements: &dyn Fn(ElementNo) -> bool) -> Vec<(u64, Place)> {
        let nodes = self.nodes.read();
        let wanted = |(number, (node, _)): (&u64, &(HistoryNode, Box<[u8]>))| {
            let element = match node.place {
                Place::Element(element) | Place::Branch(element, _) => element,
                // A checkout's names, or those of a version that was changed in place.
                Place::Directory(element, _) => element,
                _ => return None,
            };
            (node.vob == vob && elements(element)).then_some((*number, node.place))
        };
        nodes.by_number.iter().filter_map(wanted).collect()
    }

    /// Returns the names by which the kernel reached directories of the history name space
    /// from this one, and cannot know that more came.
    pub fn names_below(&self, parent: Inode) -> Vec<Box<[u8]>> {
        let nodes = self.nodes.read();
        nodes.by_name.keys().filter(|(p, _)| *p == parent).map(|(_, name)| name.clone()).collect()
    }
}
