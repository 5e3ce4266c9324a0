//! Which versions of a directory ever said something of a name, without rebuilding one catalog.

use super::super::recent::key;
use super::{StoreError, Vob, decode};
use crate::vob::apply::DirectoryAt;
use crate::vob::{DirectoryNode, ElementNo, Entry, VersionNo};
use std::ops::ControlFlow;

/// Nodes read together.
const CHUNK: usize = 1024;

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
        let mut version = count as u32;
        while version > 0 {
            let from = version.saturating_sub(CHUNK as u32);
            let chunk: Vec<VersionNo> = (from..version).rev().map(VersionNo).collect();
            for mention in self.mentions_in(directory, &chunk, name)? {
                if each(mention).is_break() {
                    return Ok(());
                }
            }
            version = from;
        }
        Ok(())
    }

    fn mentions_in(
        &self,
        directory: ElementNo,
        versions: &[VersionNo],
        name: &[u8],
    ) -> Result<Vec<Mention>, StoreError> {
        let mut found: Vec<Mention> = Vec::new();
        let mut stored = Vec::new();
        {
            let recent = self.recent.read();
            for version in versions {
                match recent.nodes.get(&(directory, DirectoryAt::Version(*version))) {
                    Some(Some(node)) => found.extend(mention(*version, node, name)),
                    Some(None) => {}
                    None => stored.push(*version),
                }
            }
        }
        let recent_only = stored.is_empty();
        let at = |version: &VersionNo| key::directory(directory, DirectoryAt::Version(*version));
        let keys: Vec<Vec<u8>> = stored.iter().map(at).collect();
        for (version, record) in stored.into_iter().zip(self.records.get_many(&keys)?) {
            // The bytes of a name are stored as they are: most records need not be decoded.
            let Some(record) = record.filter(|record| contains(record, name)) else {
                continue;
            };
            let node: DirectoryNode = decode("directory", &record)?;
            found.extend(mention(version, &node, name));
        }
        if !recent_only {
            found.sort_unstable_by_key(|mention| std::cmp::Reverse(mention.version));
        }
        Ok(found)
    }
}

fn mention(version: VersionNo, node: &DirectoryNode, name: &[u8]) -> Option<Mention> {
    let change = node.changes.iter().rev().find(|change| *change.name == *name)?;
    Some(Mention { version, base: node.base, entry: change.entry })
}

fn contains(record: &[u8], name: &[u8]) -> bool {
    record.windows(name.len().max(1)).any(|window| window == name)
}

#[cfg(test)]
#[path = "mentions_tests.rs"]
mod tests;
