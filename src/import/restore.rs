//! Rebuilds the tree of an imported commit from the VOB, to go on from there.
//!
//! The version an element has at a commit is the newest one on the commit's line that is not
//! younger than the commit, else the one at the commit from which the line forks, and so on.

use super::tree::{File, Link, Node, Tree};
use crate::store::{StoreError, Vob};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Element, ElementKind, ElementNo, Entry, EventNo, TypeNo, VersionNo};
use std::sync::Arc;

/// A commit's line and event, then those of the commits its lines fork from.
pub type Ancestry = Vec<(TypeNo, EventNo)>;

/// Rebuilds a tree.
///
/// # Errors
/// If the VOB cannot be read.
pub fn restore(vob: &Vob, ancestry: &Ancestry) -> Result<Arc<Tree>, StoreError> {
    Ok(match directory(vob, ancestry, ElementNo::ROOT)? {
        Some(tree) => tree,
        None => Arc::new(Tree {
            element: Some(ElementNo::ROOT),
            version: Some(VersionNo::ROOT),
            entries: Default::default(),
        }),
    })
}

fn directory(vob: &Vob, ancestry: &Ancestry, number: ElementNo) -> Result<Option<Arc<Tree>>, StoreError> {
    let Some(element) = vob.element(number)? else {
        return Ok(None);
    };
    let Some(version) = version_at(&element, ancestry) else {
        return Ok(None);
    };
    let mut tree = Tree { element: Some(number), version: Some(version), entries: Default::default() };
    for (name, entry) in vob.directory(number, DirectoryAt::Version(version))?.iter() {
        let node = match entry {
            Entry::Symlink(number) => {
                let target = vob.symlink(number)?.target.as_ref().into();
                Some(Node::Link(Link { number: Some(number), target }))
            }
            Entry::Element(ElementNo::LOST_AND_FOUND) => None,
            Entry::Element(child) => child_node(vob, ancestry, child)?,
        };
        if let Some(node) = node {
            tree.entries.insert(name.into(), node);
        }
    }
    Ok(Some(Arc::new(tree)))
}

fn child_node(vob: &Vob, ancestry: &Ancestry, child: ElementNo) -> Result<Option<Node>, StoreError> {
    let Some(element) = vob.element(child)? else {
        return Ok(None);
    };
    if element.kind == ElementKind::Directory {
        return Ok(directory(vob, ancestry, child)?.map(Node::Directory));
    }
    Ok(version_at(&element, ancestry).map(|number| {
        let version = element.version(number);
        let (content, executable) = (version.content, version.executable);
        Node::File(File { element: Some(child), version: Some(number), content, executable })
    }))
}

fn version_at(element: &Element, ancestry: &Ancestry) -> Option<VersionNo> {
    ancestry.iter().find_map(|(line, event)| {
        let branch: BranchNo = element.branch_with_type(*line)?;
        let versions = &element.branch(branch).versions;
        // Version 0 never comes from a commit.
        let found = versions.iter().rev().find(|v| element.version(**v).event <= *event)?;
        (element.version(*found).number > 0).then_some(*found)
    })
}
