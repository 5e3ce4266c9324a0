//! Where a name is that the directory version shown does not catalog: in which other versions, since when, until when.
//!
//! Reads a limited number of directory versions: first the newest of every branch, then older ones.

use crate::store::StoreError;
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Directory, Element, Entry, VersionNo};
use std::sync::Arc;

/// Directory versions read in one search. A version of a thousand names takes up to a millisecond.
pub const VERSIONS_READ_MAX: usize = 1000;

/// The catalogs of one directory that have a name.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Search {
    /// At most one for each branch, that of the selected version first, and one for each checkout that adds the
    /// name.
    pub sightings: Vec<Sighting>,
    /// Directory versions that were read.
    pub versions_read: usize,
    /// Whether all were read that could have had the name.
    pub complete: bool,
}

/// The newest catalog on a branch that has the name, or a checkout's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// That catalog.
    pub at: DirectoryAt,
    /// What the name leads to there.
    pub entry: Entry,
    /// The next version of the branch: the one that has lost the name.
    pub removed_in: Option<VersionNo>,
    /// Where the name came later than the selected version, on its branch: the first version that has it, when all
    /// from there on were read.
    pub added_in: Option<VersionNo>,
}

type Read<'a> = &'a dyn Fn(DirectoryAt) -> Result<Arc<Directory>, StoreError>;

struct Reader<'a> {
    name: &'a [u8],
    read: Read<'a>,
    versions_read: usize,
    limit: usize,
}

impl Reader<'_> {
    /// What the name leads to in a catalog; none when the limit is reached.
    fn entry(&mut self, at: DirectoryAt) -> Result<Option<Option<Entry>>, StoreError> {
        if self.versions_read == self.limit {
            return Ok(None);
        }
        self.versions_read += 1;
        Ok(Some((self.read)(at)?.get(self.name)))
    }
}

/// Searches the version tree of a directory for a name; reads `limit` versions at most.
pub fn search(
    directory: &Element,
    shown: Option<DirectoryAt>,
    name: &[u8],
    limit: usize,
    read: Read<'_>,
) -> Result<Search, StoreError> {
    let mut reader = Reader { name, read, versions_read: 0, limit };
    let selected = match shown {
        Some(DirectoryAt::Version(version)) => Some(version),
        Some(DirectoryAt::CheckedOut(number)) => {
            directory.checkouts.iter().find(|held| held.number == number).map(|held| held.from)
        }
        None => None,
    };
    let home = selected.map(|version| directory.version(version).branch);
    let home = home.filter(|branch| directory.has_branch(*branch));
    let all = directory.present_branches().map(|(branch, _)| branch);
    let branches: Vec<BranchNo> =
        home.into_iter().chain(all.filter(|branch| Some(*branch) != home)).collect();

    let mut complete = true;
    let mut found: Vec<Option<Sighting>> = vec![None; branches.len()];
    // The newest of every branch, then the rest of each: a long history does not keep from looking at the others.
    for newest in [true, false] {
        for (sighting, branch) in found.iter_mut().zip(&branches) {
            let versions = &directory.branch(*branch).versions;
            let last = versions.len() - 1;
            let places = if newest { last..last + 1 } else { 0..last };
            for place in places.rev() {
                if sighting.is_some() {
                    break;
                }
                match reader.entry(DirectoryAt::Version(versions[place]))? {
                    Some(Some(entry)) => {
                        let removed_in = versions.get(place + 1).copied();
                        let at = DirectoryAt::Version(versions[place]);
                        *sighting = Some(Sighting { at, entry, removed_in, added_in: None });
                    }
                    Some(None) => {}
                    None => {
                        complete = false;
                        break;
                    }
                }
            }
        }
    }
    if let (Some(Some(sighting)), Some(selected)) = (found.first_mut(), selected) {
        sighting.added_in = added_in(directory, selected, sighting.at, &mut reader)?;
    }
    let mut sightings: Vec<Sighting> = found.into_iter().flatten().collect();
    for checkout in &directory.checkouts {
        let at = DirectoryAt::CheckedOut(checkout.number);
        if Some(at) == shown {
            continue;
        }
        // What it has from the version it was checked out from is told above.
        if matches!(reader.entry(DirectoryAt::Version(checkout.from))?, Some(Some(_))) {
            continue;
        }
        match reader.entry(at)? {
            Some(Some(entry)) => sightings.push(Sighting { at, entry, removed_in: None, added_in: None }),
            Some(None) => {}
            None => complete = false,
        }
    }
    Ok(Search { sightings, versions_read: reader.versions_read, complete })
}

/// The first of the versions from `at` back to the selected one that have the name without a gap.
fn added_in(
    directory: &Element,
    selected: VersionNo,
    at: DirectoryAt,
    reader: &mut Reader<'_>,
) -> Result<Option<VersionNo>, StoreError> {
    let DirectoryAt::Version(newest) = at else { return Ok(None) };
    let number = |version: VersionNo| directory.version(version).number;
    let mut first = None;
    for version in directory.branch(directory.version(selected).branch).versions.iter().rev() {
        if number(*version) > number(newest) {
            continue;
        }
        if number(*version) <= number(selected) {
            break;
        }
        if *version != newest {
            match reader.entry(DirectoryAt::Version(*version))? {
                Some(Some(_)) => {}
                Some(None) => break,
                None => return Ok(None),
            }
        }
        first = Some(*version);
    }
    Ok(first)
}

#[cfg(test)]
#[path = "absence_tests.rs"]
mod tests;
