//! The commit graph of an imported history: object ids, ref names, commits and their parents.
//!
//! Owns the plain data that the other files of this room exchange. Knows nothing of git processes, of
//! the stream, or of versioned object bases. The one idea: commits are numbered in topological order,
//! parents before children, so "earlier" is a comparison of two indexes.

use std::fmt;

use rustc_hash::FxHashMap;

/// Names one object of the source repository: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

impl ObjectId {
    /// Takes the raw bytes of an id; `None` unless there are 20 or 32 of them.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, len: raw.len() as u8 })
    }

    /// Parses 40 or 64 hexadecimal digits of either case; `None` for anything else.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        if hex.len() != 40 && hex.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = (high * 16 + low) as u8;
        }
        Some(Self { bytes, len: (hex.len() / 2) as u8 })
    }

    /// The raw bytes: 20 or 32.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The first 12 hexadecimal digits, for names that people read.
    pub fn abbreviated(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which part of the ref name space a ref lives in. The order is the order of planning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefKind {
    /// `refs/heads/...`
    Head,
    /// `refs/remotes/...`
    Remote,
    /// `refs/tags/...`
    Tag,
    /// Anything else; never imported.
    Other,
}

/// A full ref name such as `refs/heads/topic`: bytes, because git does not require UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(Vec<u8>);

const KIND_PREFIXES: [(RefKind, &[u8]); 3] =
    [(RefKind::Head, b"refs/heads/"), (RefKind::Remote, b"refs/remotes/"), (RefKind::Tag, b"refs/tags/")];

impl RefName {
    /// Wraps a full ref name. Nothing is checked: names come from git, which did.
    pub fn new(full: impl Into<Vec<u8>>) -> Self {
        Self(full.into())
    }

    /// The full name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The part of the name space it belongs to.
    pub fn kind(&self) -> RefKind {
        self.split().0
    }

    /// The name without `refs/heads/`, `refs/remotes/` or `refs/tags/`; bytes that are not UTF-8 are
    /// shown as U+FFFD, so two refs may share one short name.
    pub fn short(&self) -> String {
        String::from_utf8_lossy(self.split().1).into_owned()
    }

    fn split(&self) -> (RefKind, &[u8]) {
        KIND_PREFIXES
            .iter()
            .find_map(|(kind, prefix)| Some((*kind, self.0.strip_prefix(*prefix)?)))
            .unwrap_or((RefKind::Other, &self.0))
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A ref and the commit it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The full name.
    pub name: RefName,
    /// The commit; for an annotated tag the commit behind the tag object.
    pub commit: ObjectId,
    /// The tag object itself, if the ref is an annotated tag.
    pub tag_object: Option<ObjectId>,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitNode {
    /// Its id in the source repository.
    pub id: ObjectId,
    /// Indexes of its parents in the graph, first parent first; all smaller than its own index.
    pub parents: Vec<usize>,
    /// Committer date in seconds since 1970, as the repository states it: not monotonic along a history.
    pub committer_seconds: i64,
}

/// Why a list of commits is not a graph that can be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A commit occurs twice.
    #[error("commit {0} is listed twice")]
    Duplicate(ObjectId),
    /// A commit is listed before one of its parents.
    #[error("commit {0} is listed before one of its parents")]
    ParentAfterChild(ObjectId),
    /// Numbers of commits are kept in 32 bits.
    #[error("{0} commits are more than the {max} supported", max = CommitGraph::COMMITS_MAX)]
    TooMany(usize),
}

/// All commits to import, in topological order, with a way to find one by its id.
#[derive(Clone, Debug, Default)]
pub struct CommitGraph {
    nodes: Vec<CommitNode>,
    index: FxHashMap<ObjectId, u32>,
}

impl CommitGraph {
    /// The most commits in one graph: positions are stored in 32 bits.
    pub const COMMITS_MAX: usize = u32::MAX as usize;

    /// Takes commits listed parents first.
    ///
    /// # Errors
    /// A commit listed twice, or before a parent.
    pub fn new(nodes: Vec<CommitNode>) -> Result<Self, GraphError> {
        if nodes.len() > Self::COMMITS_MAX {
            return Err(GraphError::TooMany(nodes.len()));
        }
        let mut index = FxHashMap::with_capacity_and_hasher(nodes.len(), Default::default());
        for (position, node) in nodes.iter().enumerate() {
            if node.parents.iter().any(|&parent| parent >= position) {
                return Err(GraphError::ParentAfterChild(node.id));
            }
            if index.insert(node.id, position as u32).is_some() {
                return Err(GraphError::Duplicate(node.id));
            }
        }
        Ok(Self { nodes, index })
    }

    /// The commits, parents before children.
    pub fn nodes(&self) -> &[CommitNode] {
        &self.nodes
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no commit.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The index of a commit, if it is part of the graph.
    pub fn find(&self, id: &ObjectId) -> Option<usize> {
        self.index.get(id).map(|&index| index as usize)
    }

    /// The first parent of a commit; `None` for a root.
    ///
    /// # Panics
    /// If `commit` is no index of this graph.
    pub fn first_parent(&self, commit: usize) -> Option<usize> {
        self.nodes[commit].parents.first().copied()
    }

    /// Whether `ancestor` is `descendant` or reachable from it. Looks only at commits between the two
    /// indexes.
    ///
    /// # Panics
    /// If either is no index of this graph.
    pub fn is_ancestor(&self, ancestor: usize, descendant: usize) -> bool {
        let mut seen = rustc_hash::FxHashSet::default();
        let mut pending = vec![descendant];
        while let Some(commit) = pending.pop() {
            if commit == ancestor {
                return true;
            }
            let candidates = self.nodes[commit].parents.iter().copied().filter(|&parent| parent >= ancestor);
            pending.extend(candidates.filter(|&parent| seen.insert(parent)));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes(&[number; 20]).unwrap()
    }

    fn node(number: u8, parents: &[usize]) -> CommitNode {
        CommitNode { id: id(number), parents: parents.to_vec(), committer_seconds: 0 }
    }

    #[test]
    fn object_ids_of_both_hash_functions_round_trip() {
        for hex in ["0123456789abcdef0123456789abcdef01234567", &"ab".repeat(32)] {
            let parsed = ObjectId::from_hex(hex.as_bytes()).unwrap();
            assert_eq!(parsed.to_string(), hex);
            assert_eq!(ObjectId::from_bytes(parsed.as_bytes()), Some(parsed));
            assert_eq!(parsed.abbreviated(), hex[..12]);
        }
        for bad in ["", "0123", &"g".repeat(40), &"a".repeat(41)] {
            assert_eq!(ObjectId::from_hex(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn ref_names_tell_their_kind() {
        let cases = [
            ("refs/heads/a/b", RefKind::Head, "a/b"),
            ("refs/remotes/origin/x", RefKind::Remote, "origin/x"),
            ("refs/tags/v1", RefKind::Tag, "v1"),
            ("refs/pull/1/head", RefKind::Other, "refs/pull/1/head"),
        ];
        for (full, kind, short) in cases {
            let name = RefName::new(full);
            assert_eq!((name.kind(), name.short().as_str()), (kind, short));
        }
    }

    #[test]
    fn disordered_commits_are_refused() {
        assert_eq!(CommitGraph::new(vec![node(1, &[0])]).unwrap_err(), GraphError::ParentAfterChild(id(1)));
        assert_eq!(
            CommitGraph::new(vec![node(1, &[]), node(1, &[])]).unwrap_err(),
            GraphError::Duplicate(id(1))
        );
    }

    #[test]
    fn ancestry_follows_every_parent() {
        let graph =
            CommitGraph::new(vec![node(0, &[]), node(1, &[]), node(2, &[0]), node(3, &[2, 1])]).unwrap();
        assert!(graph.is_ancestor(1, 3) && graph.is_ancestor(0, 3) && graph.is_ancestor(2, 2));
        assert!(!graph.is_ancestor(1, 2) && !graph.is_ancestor(3, 2));
    }
}
