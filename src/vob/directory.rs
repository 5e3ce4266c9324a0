//! Directory versions: which names a directory catalogs, kept as changes against an earlier
//! version with whole copies in between.

use super::identity::{ElementNo, SymlinkNo, VersionNo};
use serde::{Deserialize, Serialize};

/// What a name leads to.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Serialize, Deserialize)]
pub enum Entry {
    /// An element; which version, the config spec decides.
    Element(ElementNo),
    /// A VOB symbolic link.
    Symlink(SymlinkNo),
}

/// One change of a directory's catalog: the name's new entry, or none when it goes.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct NameChange {
    /// The name, any bytes but `/` and NUL.
    pub name: Box<[u8]>,
    /// What it leads to from now on.
    pub entry: Option<Entry>,
}

/// The names one directory version catalogs, ascending.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Directory {
    entries: Vec<(Box<[u8]>, Entry)>,
}

impl Directory {
    /// Finds what a name leads to.
    pub fn get(&self, name: &[u8]) -> Option<Entry> {
        let found = self.entries.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok()?;
        Some(self.entries[found].1)
    }

    /// Iterates over names and entries, ascending by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Entry)> + '_ {
        self.entries.iter().map(|(name, entry)| (name.as_ref(), *entry))
    }

    /// Returns how many names there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Applies changes in their order.
    pub fn apply(&mut self, changes: &[NameChange]) {
        if changes.len() > 16 {
            return self.apply_many(changes);
        }
        for change in changes {
            let found = self.entries.binary_search_by(|(name, _)| name.cmp(&change.name));
            match (found, change.entry) {
                (Ok(at), Some(entry)) => self.entries[at].1 = entry,
                (Ok(at), None) => drop(self.entries.remove(at)),
                (Err(at), Some(entry)) => self.entries.insert(at, (change.name.clone(), entry)),
                (Err(_), None) => {}
            }
        }
    }

    fn apply_many(&mut self, changes: &[NameChange]) {
        let mut all: std::collections::BTreeMap<Box<[u8]>, Entry> =
            std::mem::take(&mut self.entries).into_iter().collect();
        for change in changes {
            match change.entry {
                Some(entry) => drop(all.insert(change.name.clone(), entry)),
                None => drop(all.remove(&change.name)),
            }
        }
        self.entries = all.into_iter().collect();
    }

    /// Returns the changes that turn `self` into `other`.
    pub fn changes_to(&self, other: &Directory) -> Vec<NameChange> {
        let mut changes = Vec::new();
        for (name, _) in self.entries.iter().filter(|(name, _)| other.get(name).is_none()) {
            changes.push(NameChange { name: name.clone(), entry: None });
        }
        for (name, entry) in other.entries.iter().filter(|(name, entry)| self.get(name) != Some(*entry)) {
            changes.push(NameChange { name: name.clone(), entry: Some(*entry) });
        }
        changes
    }

    /// Returns the changes that build this directory from an empty one.
    pub fn as_changes(&self) -> Vec<NameChange> {
        let change =
            |(name, entry): &(Box<[u8]>, Entry)| NameChange { name: name.clone(), entry: Some(*entry) };
        self.entries.iter().map(change).collect()
    }
}

/// How a directory version is stored: changes against the version `base`, or a whole copy
/// (changes against nothing).
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct DirectoryNode {
    /// The version the changes start from.
    pub base: Option<VersionNo>,
    /// How many nodes must be read to rebuild this one, itself included.
    pub depth: u32,
    /// How many changes those nodes hold together; a whole copy is stored before this
    /// outgrows the copy itself.
    pub weight: u32,
    /// The changes.
    pub changes: Vec<NameChange>,
}

impl DirectoryNode {
    /// Nodes read to rebuild any directory version, at most.
    pub const MAX_DEPTH: u32 = 24;

    /// Chooses how to store a version that holds `whole` and differs from `base` by `changes`.
    pub fn choose(
        whole: &Directory,
        base: Option<(VersionNo, &DirectoryNode)>,
        changes: Vec<NameChange>,
    ) -> DirectoryNode {
        if let Some((number, node)) = base {
            let weight = node.weight + changes.len() as u32;
            if node.depth < Self::MAX_DEPTH && weight as usize <= 2 * whole.len() + 16 {
                return DirectoryNode { base: Some(number), depth: node.depth + 1, weight, changes };
            }
        }
        let changes = whole.as_changes();
        DirectoryNode { base: None, depth: 1, weight: changes.len() as u32, changes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = NameChange> {
        (prop::collection::vec(97u8..102, 1..3), prop::option::of(0u32..5)).prop_map(|(name, entry)| {
            NameChange { name: name.into(), entry: entry.map(|e| Entry::Element(ElementNo(e))) }
        })
    }

    proptest! {
        #[test]
        fn applying_equals_a_map(changes in prop::collection::vec(change(), 0..40)) {
            let mut directory = Directory::default();
            for part in changes.chunks(7) {
                directory.apply(part);
            }
            let mut at_once = Directory::default();
            at_once.apply(&changes);
            prop_assert_eq!(&directory, &at_once);
            let mut rebuilt = Directory::default();
            rebuilt.apply(&directory.as_changes());
            prop_assert_eq!(&rebuilt, &directory);
        }

        #[test]
        fn changes_to_leads_there(a in prop::collection::vec(change(), 0..30), b in prop::collection::vec(change(), 0..30)) {
            let (mut from, mut to) = (Directory::default(), Directory::default());
            from.apply(&a);
            to.apply(&b);
            let changes = from.changes_to(&to);
            from.apply(&changes);
            prop_assert_eq!(from, to);
        }
    }
}
