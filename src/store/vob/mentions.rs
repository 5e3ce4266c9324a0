//! Which versions of a directory ever said something of a name, without rebuilding one catalog.

use super::super::recent::key;
use super::{StoreError, Vob, damaged};
use crate::vob::apply::DirectoryAt;
use crate::vob::{DirectoryNode, ElementNo, Entry, NameChange, VersionNo};
use parking_lot::Mutex;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::Deserialize;
use std::hash::BuildHasher;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Nodes read together at first: what is looked for is mostly in a new version. Then twice as
/// many each time.
const FIRST_CHUNK: u32 = 32;
/// Nodes read together at most.
const CHUNK_MAX: u32 = 1024;
/// Directories of which [`Vob::ever`] remembers the names: some 50 bytes for each name.
pub(super) const REMEMBERED: usize = 256;

/// What the names of a directory led to in its first versions, by a hash of the name.
#[derive(Default)]
pub(super) struct Ever {
    names: FxHashMap<u64, Vec<Entry>>,
    versions: u32,
}

/// A [`DirectoryNode`] whose names are not copied: some have thousands.
#[derive(Deserialize)]
pub(super) struct NodeView<'a> {
    base: Option<VersionNo>,
    _depth: u32,
    _weight: u32,
    #[serde(borrow)]
    changes: Vec<ChangeView<'a>>,
}

#[derive(Deserialize)]
struct ChangeView<'a> {
    name: &'a [u8],
    entry: Option<Entry>,
}

impl<'a> From<&'a DirectoryNode> for NodeView<'a> {
    fn from(node: &'a DirectoryNode) -> NodeView<'a> {
        let change = |change: &'a NameChange| ChangeView { name: &change.name, entry: change.entry };
        let changes = node.changes.iter().map(change).collect();
        NodeView { base: node.base, _depth: node.depth, _weight: node.weight, changes }
    }
}

impl NodeView<'_> {
    /// The version it is stored against; none for a whole copy.
    pub(super) fn base(&self) -> Option<VersionNo> {
        self.base
    }

    pub(super) fn owned_changes(&self) -> Vec<NameChange> {
        let owned = |change: &ChangeView<'_>| NameChange { name: change.name.into(), entry: change.entry };
        self.changes.iter().map(owned).collect()
    }
}

impl Ever {
    fn add(&mut self, node: &NodeView<'_>) {
        for change in &node.changes {
            if let Some(entry) = change.entry {
                let entries = self.names.entry(hash(change.name)).or_default();
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
    }
}

fn hash(name: &[u8]) -> u64 {
    FxBuildHasher.hash_one(name)
}

/// A directory version that is stored with a change of a name.
///
/// A version that catalogs the name and is not mentioned is stored as changes against one that
/// catalogs the same: what was ever catalogued is mentioned at least once.
#[derive(Clone, Copy, Eq, PartialEq, Debug)]
pub struct Mention {
    /// The version.
    pub version: VersionNo,
    /// The version it is stored against; none for a whole copy.
    pub base: Option<VersionNo>,
    /// What the name leads to in it.
    pub entry: Option<Entry>,
}

impl Vob {
    /// Returns what a name may have led to in the first `count` versions of a directory. None is
    /// missing; there may be one too many, where a version was changed in place or two names
    /// have one hash. The first call for a directory reads all its versions, later ones only
    /// those that came since.
    ///
    /// # Errors
    /// If the index fails or is damaged.
    pub fn ever(&self, directory: ElementNo, count: usize, name: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let ever = match self.ever.get(&directory) {
            Some(ever) => ever,
            None => {
                let new = Arc::<Mutex<Ever>>::default();
                self.ever.insert(directory, Arc::clone(&new));
                new
            }
        };
        let mut ever = ever.lock();
        while (ever.versions as usize) < count {
            let end = (count as u32).min(ever.versions + CHUNK_MAX);
            let chunk: Vec<VersionNo> = (ever.versions..end).map(VersionNo).collect();
            self.nodes(directory, &chunk, &mut |_| true, &mut |_, node| ever.add(node))?;
            ever.versions = end;
        }
        Ok(ever.names.get(&hash(name)).cloned().unwrap_or_default())
    }

    /// Takes notice of a version that was changed in place.
    pub(super) fn note_ever(&self, directory: ElementNo, version: VersionNo, node: &DirectoryNode) {
        if let Some(ever) = self.ever.get(&directory) {
            let mut ever = ever.lock();
            if version.0 < ever.versions {
                ever.add(&NodeView::from(node));
            }
        }
    }

    /// Calls `each` with what the first `count` versions of a directory are stored with about a
    /// name, the newest first, until it breaks.
    ///
    /// # Errors
    /// If the index fails or is damaged.
    pub fn mentions(
        &self,
        directory: ElementNo,
        count: usize,
        name: &[u8],
        each: &mut dyn FnMut(Mention) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (mut version, mut size) = (count as u32, FIRST_CHUNK);
        while version > 0 {
            let from = version.saturating_sub(size);
            let chunk: Vec<VersionNo> = (from..version).map(VersionNo).collect();
            let mut found = Vec::new();
            // The bytes of a name are stored as they are: most records need not be decoded.
            self.nodes(directory, &chunk, &mut |record| contains(record, name), &mut |version, node| {
                found.extend(mention(version, node, name));
            })?;
            found.sort_unstable_by_key(|mention| std::cmp::Reverse(mention.version));
            for mention in found {
                if each(mention).is_break() {
                    return Ok(());
                }
            }
            (version, size) = (from, (2 * size).min(CHUNK_MAX));
        }
        Ok(())
    }

    /// Reads how versions of a directory are stored, in no particular order; those in the engine
    /// only where `wanted` says so of the record.
    pub(super) fn nodes(
        &self,
        directory: ElementNo,
        versions: &[VersionNo],
        wanted: &mut dyn FnMut(&[u8]) -> bool,
        each: &mut dyn FnMut(VersionNo, &NodeView<'_>),
    ) -> Result<(), StoreError> {
        let mut stored = Vec::new();
        {
            let recent = self.recent.read();
            for version in versions {
                match recent.nodes.get(&(directory, DirectoryAt::Version(*version))) {
                    Some(Some(node)) => each(*version, &NodeView::from(&**node)),
                    Some(None) => {}
                    None => stored.push(*version),
                }
            }
        }
        let at = |version: &VersionNo| key::directory(directory, DirectoryAt::Version(*version));
        let keys: Vec<Vec<u8>> = stored.iter().map(at).collect();
        for (version, record) in stored.into_iter().zip(self.records.get_many(&keys)?) {
            if let Some(record) = record.filter(|record| wanted(record)) {
                each(version, &decode_view(&record)?);
            }
        }
        Ok(())
    }
}

fn decode_view(record: &[u8]) -> Result<NodeView<'_>, StoreError> {
    postcard::from_bytes(record).map_err(|error| damaged("directory", error))
}

fn mention(version: VersionNo, node: &NodeView<'_>, name: &[u8]) -> Option<Mention> {
    let change = node.changes.iter().rev().find(|change| change.name == name)?;
    Some(Mention { version, base: node.base, entry: change.entry })
}

fn contains(record: &[u8], name: &[u8]) -> bool {
    record.windows(name.len().max(1)).any(|window| window == name)
}

#[cfg(test)]
#[path = "mentions_tests.rs"]
mod tests;
