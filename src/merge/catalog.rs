//! Names of directories: what a source did to them since the base, and whether the target can take it over.
//!
//! Names are compared by what they lead to, so that a rename on one side and a change of the same file on the other have
//! nothing to do with each other. A source's change is taken over unless the target gave the same object another name,
//! removed it, or has the new name for something else.

use crate::vob::{Directory, Entry, NameChange};
use std::collections::BTreeMap;

type Name = Box<[u8]>;

/// One change of a source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameMerge {
    /// What the name leads to, as the source has it, or the base where the source has it no more.
    pub entry: Entry,
    /// The name that goes; none for one that is added.
    pub old: Option<Name>,
    /// The name that comes; none for one that is removed.
    pub new: Option<Name>,
    /// Why it cannot be taken over.
    pub conflict: Option<Conflict>,
}

/// Why a source's change cannot be taken over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Conflict {
    /// The target has the new name for something else.
    Taken,
    /// The target gave the object this name.
    Renamed(Name),
    /// The target removed the object.
    Removed,
}

/// The names of each object, ascending.
fn names<'d>(directory: &'d Directory, same: &dyn Fn(Entry) -> Entry) -> BTreeMap<Key, Vec<&'d [u8]>> {
    let mut names: BTreeMap<Key, Vec<&[u8]>> = BTreeMap::new();
    for (name, entry) in directory.iter() {
        names.entry(key(same(entry))).or_default().push(name);
    }
    names
}

/// An entry that sorts.
type Key = (bool, u32);

fn key(entry: Entry) -> Key {
    match entry {
        Entry::Element(number) => (false, number.0),
        Entry::Symlink(number) => (true, number.0),
    }
}

/// Finds what a source did to names since the base that the target does not have yet, by name. `same` answers for each
/// entry the one that stands for all that are the same.
pub fn merge(
    base: &Directory,
    target: &Directory,
    source: &Directory,
    same: &dyn Fn(Entry) -> Entry,
) -> Vec<NameMerge> {
    let [before, here, there] = [base, target, source].map(|directory| names(directory, same));
    let none: &[&[u8]] = &[];
    let of = |all: &BTreeMap<Key, Vec<&'_ [u8]>>, key: &Key| -> Vec<Name> {
        all.get(key).map_or(none, Vec::as_slice).iter().map(|name| Name::from(*name)).collect()
    };
    let mut found = Vec::new();
    let mut keys: Vec<&Key> = before.keys().chain(there.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let [was, mine, theirs] = [of(&before, key), of(&here, key), of(&there, key)];
        if was != theirs && mine != theirs {
            object(&was, &mine, &theirs, base, source, &mut found);
        }
    }
    refuse_taken(target, &mut found, same);
    let place = |merge: &NameMerge| merge.old.clone().or_else(|| merge.new.clone());
    found.sort_by_key(place);
    found
}

/// The changes of one object's names.
fn object(
    was: &[Name],
    mine: &[Name],
    theirs: &[Name],
    base: &Directory,
    source: &Directory,
    found: &mut Vec<NameMerge>,
) {
    let without = |all: &[Name], others: &[Name]| -> Vec<Name> {
        all.iter().filter(|name| !others.contains(name)).cloned().collect()
    };
    let (added, removed) = (without(theirs, was), without(was, theirs));
    let (added_here, removed_here) = (without(mine, was), without(was, mine));
    let conflict = if was.is_empty() && !mine.is_empty() {
        // Both have added it, under other names.
        mine.first().cloned().map(Conflict::Renamed)
    } else if mine.is_empty() && !was.is_empty() && !added.is_empty() {
        Some(Conflict::Removed)
    } else if !removed.is_empty() && !added_here.is_empty() {
        added_here.first().cloned().map(Conflict::Renamed)
    } else if !removed_here.is_empty() && !added.is_empty() {
        mine.first().cloned().map(Conflict::Renamed)
    } else if theirs.iter().chain(&added_here).all(|name| removed_here.contains(name)) && !theirs.is_empty() {
        // Each side has left a name that the other took away.
        mine.first().cloned().map(Conflict::Renamed)
    } else {
        None
    };
    let mut push = |old: Option<Name>, new: Option<Name>| {
        let entry = match (&old, &new) {
            (_, Some(new)) => source.get(new),
            (Some(old), None) => base.get(old),
            (None, None) => None,
        };
        let Some(entry) = entry else { return };
        found.push(NameMerge { entry, old, new, conflict: conflict.clone() });
    };
    if let ([old], [new]) = (&removed[..], &added[..]) {
        return push(Some(old.clone()), Some(new.clone()));
    }
    // What the target did as well is no change.
    for old in removed.iter().filter(|old| conflict.is_some() || mine.contains(old)) {
        push(Some(old.clone()), None);
    }
    for new in added.iter().filter(|new| !mine.contains(new)) {
        push(None, Some(new.clone()));
    }
}

/// Finds the new names that the target has for something else. A name that another change takes away is free, unless that
/// change is refused in turn.
fn refuse_taken(target: &Directory, found: &mut [NameMerge], same: &dyn Fn(Entry) -> Entry) {
    loop {
        let leaves = |name: &Name, entry: Entry, found: &[NameMerge]| {
            let goes = |merge: &NameMerge| {
                merge.conflict.is_none()
                    && merge.old.as_ref() == Some(name)
                    && same(merge.entry) == same(entry)
            };
            found.iter().any(goes)
        };
        let taken = |merge: &NameMerge| {
            let Some(new) = merge.new.as_ref().filter(|_| merge.conflict.is_none()) else { return false };
            let other = target.get(new).filter(|other| same(*other) != same(merge.entry));
            other.is_some_and(|other| !leaves(new, other, found))
        };
        let Some(at) = found.iter().position(taken) else { return };
        found[at].conflict = Some(Conflict::Taken);
    }
}

/// Puts together what a target's catalog has to change to take a source's changes over; those with conflicts as the source
/// has it.
pub fn changes<'m>(
    target: &Directory,
    source: &Directory,
    taken: impl Iterator<Item = &'m NameMerge>,
) -> Vec<NameChange> {
    let leads = |directory: &Directory, name: &[u8], entry: Entry| match (directory.get(name), entry) {
        // Two links with one text are the same.
        (Some(Entry::Symlink(_)), Entry::Symlink(_)) => true,
        (found, entry) => found == Some(entry),
    };
    let (mut gone, mut come): (Vec<NameChange>, Vec<NameChange>) = (Vec::new(), Vec::new());
    for merge in taken {
        let own = match &merge.conflict {
            Some(Conflict::Renamed(name)) => Some(name),
            _ => merge.old.as_ref(),
        };
        let goes = |name: &&Name| leads(target, name, merge.entry) && !leads(source, name, merge.entry);
        gone.extend(own.filter(goes).map(|name| NameChange { name: name.clone(), entry: None }));
        if let Some(new) = &merge.new {
            come.push(NameChange { name: new.clone(), entry: Some(merge.entry) });
        }
    }
    gone.retain(|change| !come.iter().any(|other| other.name == change.name));
    gone.into_iter().chain(come).collect()
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
