//! Turns the tree of a commit into operations: which elements, branches and versions must be
//! made on the commit's line so that the line's newest versions are that tree.
//!
//! The rule is one comparison: whatever differs from the tree of the line's previous commit
//! gets a new version on the line's branch type. It must not know how trees came about.

use super::mirror::{Mirror, MirrorError};
use super::tree::{File, Link, Node, Tree};
use crate::vob::state::predefined;
use crate::vob::{BranchNo, ElementKind, ElementNo, Entry, NameChange, Oid, Operation, TypeNo, VersionNo};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is known of the commit whose tree is settled.
pub struct Place<'a> {
    /// The branch type of its line.
    pub line: TypeNo,
    /// Nanoseconds that `-time` rules compare.
    pub effective_ns: Option<i64>,
    /// Its id: makes the identities of new elements.
    pub commit: &'a [u8],
    /// The trees of its other parents.
    pub merged: &'a [Arc<Tree>],
    /// Directories that files were renamed between: new path, then (old path, files).
    pub moved: &'a HashMap<Vec<u8>, HashMap<Vec<u8>, u32>>,
    /// Elements that got another name.
    pub renamed: &'a HashSet<ElementNo>,
    /// The tree of its first parent, where moved directories are found.
    pub parent: &'a Arc<Tree>,
    /// Numeric owner and group of new elements.
    pub owner: (u32, u32),
}

/// Settles `tree` against `previous`, the tree of the line's previous commit (or of the
/// commit it forks from), and fills in elements and versions.
///
/// # Errors
/// If the VOB cannot be read.
pub fn settle(
    mirror: &mut Mirror<'_>,
    place: &Place<'_>,
    previous: &Arc<Tree>,
    tree: &mut Arc<Tree>,
) -> Result<Vec<Operation>, MirrorError> {
    let (operations, moved_in, root) = (Vec::new(), Vec::new(), Arc::clone(tree));
    let mut work = Settle { mirror, place, operations, root, previous: Arc::clone(previous), moved_in };
    work.directory(Some(previous), tree, &mut Vec::new())?;
    Ok(work.operations)
}

struct Settle<'a, 'b> {
    mirror: &'a mut Mirror<'b>,
    place: &'a Place<'a>,
    operations: Vec<Operation>,
    /// The tree as it was before settling, to see which elements it has already.
    root: Arc<Tree>,
    /// The tree of the line's previous commit.
    previous: Arc<Tree>,
    /// Directory elements that kept their identity under a new path.
    moved_in: Vec<ElementNo>,
}

impl Settle<'_, '_> {
    fn directory(
        &mut self,
        previous: Option<&Arc<Tree>>,
        tree: &mut Arc<Tree>,
        path: &mut Vec<u8>,
    ) -> Result<(), MirrorError> {
        if previous.is_some_and(|previous| Arc::ptr_eq(previous, tree)) {
            return Ok(());
        }
        let number = tree.element.expect("a directory's element is chosen before its names are settled");
        let previous = previous.filter(|previous| previous.element == Some(number));
        let names: Vec<Box<[u8]>> = tree.entries.keys().cloned().collect();
        let directory = Arc::make_mut(tree);
        for name in names {
            let length = path.len();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
            let before = previous.and_then(|previous| previous.entries.get(&name));
            let node = directory.entries.get_mut(&name).expect("the names were taken from here");
            self.node(before, node, (number, &name), path)?;
            path.truncate(length);
        }
        self.catalog(previous, directory, number)
    }

    fn node(
        &mut self,
        before: Option<&Node>,
        node: &mut Node,
        at: (ElementNo, &[u8]),
        path: &mut Vec<u8>,
    ) -> Result<(), MirrorError> {
        match node {
            Node::Directory(tree) => {
                let before = match before {
                    Some(Node::Directory(before)) => Some(before),
                    _ => None,
                };
                if before.is_some_and(|before| Arc::ptr_eq(before, tree)) {
                    return Ok(());
                }
                if tree.element.is_none() {
                    let element = self.choose_directory(at, path)?;
                    let tree = Arc::make_mut(tree);
                    (tree.element, tree.version) = (Some(element), None);
                }
                // A directory that moved is compared with itself at its old place.
                let element = tree.element;
                let elsewhere = || find_directory(&self.previous, element?);
                let previous = match before {
                    Some(before) if before.element == element => Some(Arc::clone(before)),
                    _ if self.moved_in.contains(&element.unwrap_or(ElementNo::ROOT)) => elsewhere(),
                    _ => None,
                };
                self.directory(previous.as_ref(), tree, path)
            }
            Node::File(file) => {
                let before = match before {
                    Some(Node::File(before)) => Some(before),
                    _ => None,
                };
                self.file(before, file, at, path)
            }
            Node::Link(link) => {
                let same = |before: &Link| before.target == link.target;
                match before {
                    Some(Node::Link(before)) if same(before) => link.number = before.number,
                    _ if link.number.is_some() => {}
                    _ => self.new_link(link, path),
                }
                Ok(())
            }
        }
    }

    fn new_link(&mut self, link: &mut Link, path: &[u8]) {
        let number = self.mirror.next_symlink();
        let oid = Oid::derived(&[b"link", self.place.commit, path, &link.target]);
        self.operations.push(Operation::CreateSymlink { number, oid, target: link.target.as_ref().into() });
        link.number = Some(number);
    }

    fn choose_directory(&mut self, at: (ElementNo, &[u8]), path: &[u8]) -> Result<ElementNo, MirrorError> {
        if let Some(sources) = self.place.moved.get(path) {
            let mut sources: Vec<_> = sources.iter().collect();
            sources.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            for (source, _) in sources {
                let gone = self.root.directory(source).is_none();
                let old = self.place.parent.directory(source).filter(|_| gone && !source.is_empty());
                if let Some(element) = old.and_then(|tree| tree.element)
                    && !self.moved_in.contains(&element)
                {
                    self.moved_in.push(element);
                    return Ok(element);
                }
            }
        }
        self.choose(ElementKind::Directory, at, path)
    }

    /// Chooses the element of a name that is new in this directory: one that a merged parent
    /// has there, one that had this name before, or a new one.
    fn choose(
        &mut self,
        kind: ElementKind,
        at: (ElementNo, &[u8]),
        path: &[u8],
    ) -> Result<ElementNo, MirrorError> {
        for merged in self.place.merged {
            let found = match (kind, merged.get(path)) {
                (ElementKind::Directory, Some(Node::Directory(tree))) => tree.element,
                (ElementKind::File, Some(Node::File(file))) => file.element,
                _ => None,
            };
            if let Some(element) = found
                && self.is_free(element, at)?
            {
                return Ok(element);
            }
        }
        if let Some(element) = self.mirror.last_named(at.0, at.1, kind)?
            && self.is_free(element, at)?
        {
            return Ok(element);
        }
        let number = self.mirror.create_element(kind);
        let (owner, group) = self.place.owner;
        let (element_type, mode) = match kind {
            ElementKind::Directory => (predefined::DIRECTORY, 0o755),
            ElementKind::File => (predefined::FILE, 0o444),
        };
        let oid = Oid::derived(&[b"element", self.place.commit, path]);
        self.operations.push(Operation::CreateElement {
            number,
            oid,
            kind,
            element_type,
            owner,
            group,
            mode,
        });
        Ok(number)
    }

    /// Tells whether the tree does not have the element under another name.
    fn is_free(&mut self, element: ElementNo, at: (ElementNo, &[u8])) -> Result<bool, MirrorError> {
        if self.place.renamed.contains(&element) {
            return Ok(false);
        }
        let names = self.mirror.names(element)?;
        for (directory, name) in names {
            if (directory, name.as_ref()) == at {
                continue;
            }
            if let Some(tree) = self.mirror.locate(&self.root, directory)?
                && tree.entries.get(&name).is_some_and(|node| element_of(node) == Some(element))
            {
                return Ok(false);
            }
        }
        Ok(!self.moved_in.contains(&element))
    }

    fn file(
        &mut self,
        before: Option<&File>,
        file: &mut File,
        at: (ElementNo, &[u8]),
        path: &[u8],
    ) -> Result<(), MirrorError> {
        if before.is_some_and(|before| before == file && file.version.is_some()) {
            return Ok(());
        }
        let element = match file.element {
            Some(element) => element,
            None => self.choose(ElementKind::File, at, path)?,
        };
        file.element = Some(element);
        let line = self.mirror.newest_on(element, self.place.line)?;
        if let Some((_, newest)) = line
            && file.version == Some(newest)
        {
            return Ok(());
        }
        // Unchanged since the line's previous commit, only under another name.
        if let Some(before) = before
            && before.element == Some(element)
            && (before.content, before.executable) == (file.content, file.executable)
        {
            file.version = before.version;
            return Ok(());
        }
        if file.version.is_some() && before.is_none() && self.version_in_previous(element, file)? {
            return Ok(());
        }
        let arrows: Vec<VersionNo> = self.merged_versions(element, file.version)?;
        let from = file.version.or(before.filter(|b| b.element == Some(element)).and_then(|b| b.version));
        let from = from.or(arrows.first().copied()).unwrap_or(VersionNo::ROOT);
        let (branch, first) = self.branch_for(element, from)?;
        let version = self.mirror.add_version(element, branch);
        self.operations.push(Operation::CreateVersion {
            element,
            branch,
            content: file.content,
            executable: file.executable,
            effective_ns: self.place.effective_ns,
        });
        let came_from = file.version.filter(|version| !first || *version != from);
        for arrow in arrows.into_iter().chain(came_from) {
            let link_type = predefined::MERGE;
            self.operations.push(Operation::CreateHyperlink { link_type, element, from: arrow, to: version });
        }
        file.version = Some(version);
        Ok(())
    }

    /// Tells whether the file's version is what the line shows already, under another name.
    fn version_in_previous(&mut self, element: ElementNo, file: &File) -> Result<bool, MirrorError> {
        let newest = self.mirror.newest_on(element, self.place.line)?;
        match newest {
            Some((_, newest)) => Ok(file.version == Some(newest)),
            // No branch on this line: the version shows through from where the line forks,
            // if it was there.
            None => {
                let names = self.mirror.names(element)?;
                for (directory, name) in names {
                    let Some(tree) = self.mirror.locate(&self.previous, directory)? else {
                        continue;
                    };
                    if let Some(Node::File(found)) = tree.entries.get(&name)
                        && found.element == Some(element)
                    {
                        return Ok(found.version == file.version);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Returns the versions of the element that merged parents bring in.
    fn merged_versions(
        &mut self,
        element: ElementNo,
        known: Option<VersionNo>,
    ) -> Result<Vec<VersionNo>, MirrorError> {
        let mut arrows = Vec::new();
        for merged in self.place.merged {
            for (directory, name) in self.mirror.names(element)? {
                let Some(tree) = self.mirror.locate(merged, directory)? else {
                    continue;
                };
                if let Some(Node::File(found)) = tree.entries.get(&name)
                    && found.element == Some(element)
                    && let Some(version) = found.version
                    && found.version != known
                    && version != VersionNo::ROOT
                    && !arrows.contains(&version)
                {
                    arrows.push(version);
                }
            }
        }
        let line = self.place.line;
        let mut others = Vec::new();
        for arrow in arrows {
            if !self.mirror.is_on(element, arrow, line)? {
                others.push(arrow);
            }
        }
        Ok(others)
    }

    /// Returns the element's branch on the commit's line, made from `from` if it has none.
    fn branch_for(&mut self, element: ElementNo, from: VersionNo) -> Result<(BranchNo, bool), MirrorError> {
        if let Some((branch, _)) = self.mirror.newest_on(element, self.place.line)? {
            return Ok((branch, false));
        }
        let branch_type = self.place.line;
        let branch = self.mirror.add_branch(element, branch_type)?;
        self.operations.push(Operation::CreateBranch { element, from, branch_type });
        Ok((branch, true))
    }

    /// Makes a directory version if the names changed.
    fn catalog(
        &mut self,
        previous: Option<&Arc<Tree>>,
        directory: &mut Tree,
        element: ElementNo,
    ) -> Result<(), MirrorError> {
        for (name, node) in &directory.entries {
            if let Some(child) = element_of(node) {
                self.mirror.note_name(child, element, name)?;
            }
        }
        let changes: Vec<NameChange> = match previous {
            Some(previous) => changed_names(previous, directory),
            None => Vec::new(),
        };
        match previous {
            Some(previous) if changes.is_empty() => {
                directory.version = previous.version;
                return Ok(());
            }
            _ => {}
        }
        let known = previous.and_then(|previous| previous.version).unwrap_or(VersionNo::ROOT);
        let newest = self.mirror.newest_on(element, self.place.line)?;
        let (branch, _) = self.branch_for(element, known)?;
        let version = self.mirror.add_version(element, branch);
        let effective_ns = self.place.effective_ns;
        // Changes count from the newest version of the branch: if that is not what the line
        // showed before, the whole catalog is given.
        let continues = previous.is_some() && newest.is_none_or(|(_, newest)| newest == known);
        self.operations.push(if continues {
            Operation::CreateDirectoryVersion { element, branch, changes, effective_ns }
        } else {
            let entries =
                directory.entries.iter().filter_map(|(name, node)| Some((name.clone(), entry_of(node)?)));
            Operation::ReplaceDirectoryVersion { element, branch, entries: entries.collect(), effective_ns }
        });
        directory.version = Some(version);
        Ok(())
    }
}

fn changed_names(previous: &Tree, now: &Tree) -> Vec<NameChange> {
    let gone = previous.entries.keys().filter(|name| !now.entries.contains_key(*name));
    let mut changes: Vec<NameChange> =
        gone.map(|name| NameChange { name: name.clone(), entry: None }).collect();
    for (name, node) in &now.entries {
        let entry = entry_of(node);
        if previous.entries.get(name).and_then(entry_of) != entry {
            changes.push(NameChange { name: name.clone(), entry });
        }
    }
    changes
}

fn entry_of(node: &Node) -> Option<Entry> {
    match node {
        Node::Link(link) => link.number.map(Entry::Symlink),
        other => element_of(other).map(Entry::Element),
    }
}

/// Returns the element at a name.
pub fn element_of(node: &Node) -> Option<ElementNo> {
    match node {
        Node::Directory(tree) => tree.element,
        Node::File(file) => file.element,
        Node::Link(_) => None,
    }
}

fn find_directory(tree: &Arc<Tree>, element: ElementNo) -> Option<Arc<Tree>> {
    if tree.element == Some(element) {
        return Some(Arc::clone(tree));
    }
    tree.entries.values().find_map(|node| match node {
        Node::Directory(below) => find_directory(below, element),
        Node::File(_) | Node::Link(_) => None,
    })
}
