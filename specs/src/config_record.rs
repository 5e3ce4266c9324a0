//! What a build used: the versions that `-config` selects. Owns which of several versions of one element counts;
//! must not know builds, derived objects or how their records are kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::selector::BranchStep;

/// The versions of elements in the config records of a derived object and all that it was built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigRecord {
    versions: HashMap<[u8; 16], RecordedVersion>,
}

/// One version on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedVersion {
    /// The branch types from the root branch down.
    pub branches: Vec<String>,
    /// Its number on the last of them.
    pub number: u32,
    /// When it was created, in nanoseconds since 1970 UTC.
    pub created_ns: i64,
}

impl ConfigRecord {
    /// Adds a version of the element with that identity. Of several versions of one element the newest counts.
    pub fn add(&mut self, element: [u8; 16], version: RecordedVersion) {
        match self.versions.entry(element) {
            Entry::Vacant(entry) => {
                entry.insert(version);
            }
            Entry::Occupied(mut entry) if entry.get().created_ns < version.created_ns => {
                entry.insert(version);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// The versions, each with its element's identity and its branch path.
    pub(crate) fn versions(&self) -> impl Iterator<Item = ([u8; 16], Vec<BranchStep>, u32)> + '_ {
        self.versions.iter().map(|(element, version)| {
            let steps = version.branches.iter().map(|name| BranchStep::Type(name.clone()));
            (*element, steps.collect(), version.number)
        })
    }
}
