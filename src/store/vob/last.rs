//! In which version of a directory each name led last to what it ever led to: by that version, what was taken out of a
//! directory can still be named. Found in one pass over the versions, branch after branch.

use super::mentions::NodeView;
use super::{StoreError, Vob};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Directory, Element, ElementNo, Entry, NameChange, VersionNo};
use rustc_hash::FxHashMap;

/// Versions of a branch whose changes are in memory at once.
const CHUNK: usize = 256;

/// For each name and what it led to, the newest version of the directory that says so.
#[derive(Default, Debug)]
pub struct LastVersions {
    names: FxHashMap<Box<[u8]>, Vec<Last>>,
}

#[derive(Debug)]
struct Last {
    entry: Entry,
    version: VersionNo,
    /// Whether it is on the branch that counts first.
    first: bool,
}

impl LastVersions {
    /// Returns the version that was made last of those in which a name leads to an entry.
    pub fn get(&self, name: &[u8], entry: Entry) -> Option<VersionNo> {
        let found = self.names.get(name)?.iter().find(|last| last.entry == entry);
        found.map(|last| last.version)
    }

    /// Iterates over everything that names ever led to, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Entry, VersionNo)> + '_ {
        self.names.iter().flat_map(|(name, entries)| {
            entries.iter().map(move |last| (name.as_ref(), last.entry, last.version))
        })
    }

    /// Returns how many names there ever were.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Tells whether the directory never had a name.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn note(&mut self, name: &[u8], entry: Entry, version: VersionNo, first: bool) {
        let entries = match self.names.get_mut(name) {
            Some(entries) => entries,
            None => self.names.entry(name.into()).or_default(),
        };
        match entries.iter_mut().find(|last| last.entry == entry) {
            Some(last) if (last.first, last.version) < (first, version) => {
                (last.first, last.version) = (first, version);
            }
            Some(_) => {}
            None => entries.push(Last { entry, version, first }),
        }
    }
}

/// How a version is stored: the version it is stored against, and the changes.
type Stored = (Option<VersionNo>, Vec<NameChange>);

impl Vob {
    /// Finds the last version for every name that a directory ever had; one on the branch `first` where that ever had
    /// the name. A branch on which nothing was made yet is passed over: the version it sprouts from says the same.
    ///
    /// # Errors
    /// If the index fails or is damaged.
    pub fn last_versions(&self, directory: &Element, first: BranchNo) -> Result<LastVersions, StoreError> {
        let mut last = LastVersions::default();
        for (branch, number) in directory.branches.iter().zip((0..).map(BranchNo)) {
            let is_first = number == first;
            let Some((zero, later)) = branch.versions.split_first() else {
                continue;
            };
            if branch.from.is_some() && later.is_empty() {
                continue;
            }
            let mut current = (*self.catalog(directory.number, *zero)?).clone();
            let mut before = *zero;
            for chunk in later.chunks(CHUNK) {
                let stored = self.stored(directory.number, chunk)?;
                for version in chunk {
                    let changes = match stored.get(version) {
                        Some((Some(base), changes)) if *base == before => changes.clone(),
                        Some((None, changes)) => {
                            let mut whole = Directory::default();
                            whole.apply(changes);
                            current.changes_to(&whole)
                        }
                        _ => current.changes_to(&*self.catalog(directory.number, *version)?),
                    };
                    for change in &changes {
                        let led = current.get(&change.name);
                        if let Some(led) = led.filter(|led| Some(*led) != change.entry) {
                            last.note(&change.name, led, before, is_first);
                        }
                    }
                    current.apply(&changes);
                    before = *version;
                }
            }
            current.iter().for_each(|(name, entry)| last.note(name, entry, before, is_first));
        }
        Ok(last)
    }

    fn catalog(
        &self,
        directory: ElementNo,
        version: VersionNo,
    ) -> Result<std::sync::Arc<Directory>, StoreError> {
        self.directory(directory, DirectoryAt::Version(version))
    }

    fn stored(
        &self,
        directory: ElementNo,
        versions: &[VersionNo],
    ) -> Result<FxHashMap<VersionNo, Stored>, StoreError> {
        let mut stored = FxHashMap::default();
        let mut take = |version: VersionNo, node: &NodeView<'_>| {
            drop(stored.insert(version, (node.base(), node.owned_changes())));
        };
        self.nodes(directory, versions, &mut |_| true, &mut take)?;
        Ok(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_the_newest_version_of_each_entry() {
        let mut last = LastVersions::default();
        let [one, other] = [5, 6].map(|number| Entry::Element(ElementNo(number)));
        for (entry, version, first) in [(one, 3, false), (other, 4, true), (one, 1, false), (other, 6, false)]
        {
            last.note(b"a", entry, VersionNo(version), first);
        }
        assert_eq!(last.get(b"a", one), Some(VersionNo(3)));
        assert_eq!(last.get(b"a", other), Some(VersionNo(4)));
        assert_eq!(last.get(b"b", one), None);
        assert_eq!((last.len(), last.iter().count()), (1, 2));
    }
}
