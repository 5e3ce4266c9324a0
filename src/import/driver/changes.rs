//! Applies the changes of a commit to the tree of its first parent, as a difference.

use super::{ImportError, Run};
use crate::import::fast_export::{DataRef, FileChange, FileMode};
use crate::import::graph::ObjectId;
use crate::import::settle::element_of;
use crate::import::tree::{File, Link, Node, Tree, components};
use crate::store::pool::ContentId;
use crate::vob::{Content, ElementNo};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Between which directories files moved: new path, then (old path, files).
pub type Moves = HashMap<Vec<u8>, HashMap<Vec<u8>, u32>>;

/// The tree of a commit before its versions are made.
pub struct Changed {
    /// The tree.
    pub tree: Arc<Tree>,
    /// Between which directories files moved.
    pub moves: Moves,
    /// Elements that moved.
    pub renamed: HashSet<ElementNo>,
}

impl Run<'_, '_> {
    /// Applies the changes of a commit to the tree of its first parent.
    ///
    /// They are taken as a difference between two trees, not as steps: what goes, goes first,
    /// and what moves is what the parent had. In git's order a new directory may come before
    /// the file whose name it takes has moved away.
    ///
    /// # Errors
    /// If contents are missing or a name is too long.
    pub(super) fn changed(
        &mut self,
        parent: &Arc<Tree>,
        changes: &[FileChange],
        commit: &ObjectId,
    ) -> Result<Changed, ImportError> {
        let mut changed = Changed { tree: Arc::clone(parent), moves: Moves::new(), renamed: HashSet::new() };
        let tree = &mut changed.tree;
        let mut gone: Vec<&[u8]> = Vec::new();
        for change in changes {
            match change {
                FileChange::Delete { path } | FileChange::Rename { from: path, .. } => {
                    tree.remove(path);
                    gone.push(path);
                }
                FileChange::DeleteAll => Arc::make_mut(tree).entries.clear(),
                FileChange::Modify { .. } | FileChange::Copy { .. } => {}
            }
        }
        for change in changes {
            match change {
                FileChange::Modify { path, mode, data } => self.modify(tree, path, *mode, data, commit)?,
                FileChange::Rename { from, to } => {
                    check_names(to, commit)?;
                    if let Some(node) = parent.get(from).cloned() {
                        changed.renamed.extend(element_of(&node));
                        tree.put(to, node);
                        note_move(&mut changed.moves, from, to);
                    }
                }
                FileChange::Copy { from, to } => {
                    check_names(to, commit)?;
                    if let Some(node) = parent.get(from).cloned() {
                        tree.put(to, without_elements(node));
                    }
                }
                FileChange::Delete { .. } | FileChange::DeleteAll => {}
            }
        }
        for path in gone {
            tree.prune(path);
        }
        Ok(changed)
    }

    fn modify(
        &mut self,
        tree: &mut Arc<Tree>,
        path: &[u8],
        mode: FileMode,
        data: &DataRef,
        commit: &ObjectId,
    ) -> Result<(), ImportError> {
        check_names(path, commit)?;
        let missing = || ImportError::Inconsistent {
            commit: commit.to_string(),
            detail: format!("the content of {} is not in the stream", String::from_utf8_lossy(path)),
        };
        match mode {
            FileMode::Regular | FileMode::Executable => {
                let before = match tree.get(path) {
                    Some(Node::File(file)) => Some(file.clone()),
                    _ => None,
                };
                let predecessor = before.as_ref().and_then(|file| match file.content {
                    Content::File { hash, .. } => Some(ContentId(hash)),
                    Content::Empty | Content::Directory | Content::Removed => None,
                });
                let content = self.contents.stored(data, predecessor.as_ref())?.ok_or_else(missing)?;
                let executable = mode == FileMode::Executable;
                let element = before.as_ref().and_then(|file| file.element);
                let same = |file: &File| file.content == content && file.executable == executable;
                let version = before.filter(same).and_then(|file| file.version);
                tree.put(path, Node::File(File { element, version, content, executable }));
            }
            FileMode::Symlink => {
                let target = self.contents.target(data)?.ok_or_else(missing)?;
                tree.put(path, Node::Link(Link { number: None, target }));
            }
            FileMode::Gitlink => {
                tree.remove(path);
                tree.prune(path);
                if self.submodules.insert(String::from_utf8_lossy(path).into_owned()) {
                    let text = format!("submodule {} is skipped", String::from_utf8_lossy(path));
                    self.summary.warnings.push(text);
                }
            }
            FileMode::Directory => return Err(missing()),
        }
        Ok(())
    }
}

fn check_names(path: &[u8], commit: &ObjectId) -> Result<(), ImportError> {
    match components(path).find(|name| name.len() > 255) {
        None => Ok(()),
        Some(name) => Err(ImportError::NameTooLong {
            commit: commit.to_string(),
            path: String::from_utf8_lossy(path).into_owned(),
            length: name.len(),
        }),
    }
}

/// Notes between which directories a file moved, their parents included.
fn note_move(moved: &mut Moves, from: &[u8], to: &[u8]) {
    let (mut from, mut to) = (parent_of(from), parent_of(to));
    while !from.is_empty() && !to.is_empty() && from != to {
        *moved.entry(to.to_vec()).or_default().entry(from.to_vec()).or_default() += 1;
        (from, to) = (parent_of(from), parent_of(to));
    }
}

fn parent_of(path: &[u8]) -> &[u8] {
    &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)]
}

fn without_elements(node: Node) -> Node {
    match node {
        Node::File(file) => Node::File(File { element: None, version: None, ..file }),
        Node::Link(link) => Node::Link(Link { number: None, ..link }),
        Node::Directory(tree) => {
            let copy = |(name, node): (_, &Node)| (Clone::clone(name), without_elements(node.clone()));
            let entries = tree.entries.iter().map(copy).collect();
            Node::Directory(Arc::new(Tree { element: None, version: None, entries }))
        }
    }
}
