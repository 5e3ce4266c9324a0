//! The tree of one commit while it is imported: names, contents and the versions that hold
//! them. Trees share what they have in common, so that keeping many costs little.
//!
//! It must not know where commits come from or how versions are stored.

use crate::vob::{Content, ElementNo, SymlinkNo, VersionNo};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a path is.
#[derive(Clone, Debug)]
pub enum Node {
    /// A directory.
    Directory(Arc<Tree>),
    /// A file.
    File(File),
    /// A symbolic link.
    Link(Link),
}

/// A file, and the version that holds it where that is known.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct File {
    /// Its element, unless it has none yet.
    pub element: Option<ElementNo>,
    /// The version of that element, unless it must be made.
    pub version: Option<VersionNo>,
    /// Its content.
    pub content: Content,
    /// Whether it may be executed.
    pub executable: bool,
}

/// A symbolic link.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Link {
    /// Its object, unless it has none yet.
    pub number: Option<SymlinkNo>,
    /// Its text.
    pub target: Arc<[u8]>,
}

/// A directory, and the version that catalogs its names where that is known.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Its element, unless it has none yet.
    pub element: Option<ElementNo>,
    /// The version of that element, unless it must be made.
    pub version: Option<VersionNo>,
    /// Names and what they are.
    pub entries: BTreeMap<Box<[u8]>, Node>,
}

/// Splits a path into its components. Empty ones are left out.
pub fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
}

impl Tree {
    /// Finds what is at a path; the root directory itself is not found.
    pub fn get(&self, path: &[u8]) -> Option<&Node> {
        let mut names = components(path);
        let mut node = self.entries.get(names.next()?)?;
        for name in names {
            let Node::Directory(tree) = node else { return None };
            node = tree.entries.get(name)?;
        }
        Some(node)
    }

    /// Finds a directory; the empty path is this one.
    pub fn directory(&self, path: &[u8]) -> Option<&Tree> {
        match components(path).next() {
            None => Some(self),
            Some(_) => match self.get(path)? {
                Node::Directory(tree) => Some(tree),
                Node::File(_) | Node::Link(_) => None,
            },
        }
    }

    /// Puts a node at a path, replacing what is there; missing directories are made, and a
    /// file in the way becomes one.
    pub fn put(self: &mut Arc<Self>, path: &[u8], node: Node) {
        let mut tree = Arc::make_mut(self);
        let mut names = components(path).peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                tree.entries.insert(name.into(), node);
                return;
            }
            let slot = tree.entries.entry(name.into()).or_insert_with(|| Node::Directory(Arc::default()));
            if !matches!(slot, Node::Directory(_)) {
                *slot = Node::Directory(Arc::default());
            }
            let Node::Directory(below) = slot else { unreachable!("made a directory just above") };
            tree = Arc::make_mut(below);
        }
    }

    /// Removes what is at a path; a directory that becomes empty stays.
    pub fn remove(self: &mut Arc<Self>, path: &[u8]) {
        if self.get(path).is_none() {
            return;
        }
        let Some((name, rest)) = split_first(path) else { return };
        let tree = Arc::make_mut(self);
        if rest.is_empty() {
            tree.entries.remove(name);
        } else if let Some(Node::Directory(below)) = tree.entries.get_mut(name) {
            below.remove(rest);
        }
    }

    /// Removes the directories on the way to a path that are empty.
    pub fn prune(self: &mut Arc<Self>, path: &[u8]) {
        let Some((name, rest)) = split_first(path) else { return };
        if rest.is_empty() || !matches!(self.entries.get(name), Some(Node::Directory(_))) {
            return;
        }
        let tree = Arc::make_mut(self);
        let Some(Node::Directory(below)) = tree.entries.get_mut(name) else { return };
        below.prune(rest);
        if below.entries.is_empty() {
            tree.entries.remove(name);
        }
    }
}

fn split_first(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = path.iter().position(|byte| *byte != b'/')?;
    let path = &path[start..];
    let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
    let rest = &path[end..];
    let more = rest.iter().position(|byte| *byte != b'/').unwrap_or(rest.len());
    Some((&path[..end], &rest[more..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: u64) -> Node {
        Node::File(File {
            element: None,
            version: None,
            content: Content::File { hash: [0; 32], size },
            executable: false,
        })
    }

    #[test]
    fn empty_directories_go_with_their_last_file() {
        let mut tree: Arc<Tree> = Arc::default();
        tree.put(b"a/b/c", file(1));
        tree.put(b"a/d", file(2));
        tree.remove(b"a/b/c");
        assert!(tree.get(b"a/b").is_some());
        tree.prune(b"a/b/c");
        assert!(tree.get(b"a/b").is_none());
        assert!(tree.get(b"a/d").is_some());
        tree.remove(b"a/x");
        tree.prune(b"a/x");
        assert!(tree.get(b"a/d").is_some());
        tree.remove(b"a/d");
        tree.prune(b"a/d");
        assert!(tree.entries.is_empty());
    }

    #[test]
    fn a_file_in_the_way_becomes_a_directory() {
        let mut tree: Arc<Tree> = Arc::default();
        tree.put(b"a", file(1));
        let before = Arc::clone(&tree);
        tree.put(b"a/b", file(2));
        assert!(matches!(tree.get(b"a/b"), Some(Node::File(_))));
        assert!(matches!(before.get(b"a"), Some(Node::File(_))));
        assert!(tree.directory(b"a").is_some());
        assert!(tree.directory(b"").is_some());
    }
}
