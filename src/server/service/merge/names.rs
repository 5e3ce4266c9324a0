//! Merges of directories: what sources did to names is done to the checkout, as far as it does not contradict what the
//! checkout has.

use super::Merging;
use crate::merge::catalog::{self, Conflict, NameMerge};
use crate::server::proto::{NameChangeKind, NameConflict, NameMerge as Told, ObjectKind};
use crate::server::service::facts;
use crate::server::service::names::{Edits, Opened};
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::vob::apply::DirectoryAt;
use crate::vob::{Checkout, Element, ElementKind, Entry, NameChange, Operation, SymlinkNo, VersionNo};
use std::cell::RefCell;
use std::collections::HashMap;

/// What the names come to.
pub(super) struct Merged {
    pub operations: Vec<Operation>,
    pub told: Vec<Told>,
    /// Whether no conflict is left.
    pub complete: bool,
}

impl Merging<'_> {
    /// Merges the names of sources, one after the other.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub(super) fn names(
        &self,
        store: &Vob,
        element: &Element,
        own: &Checkout,
        base: VersionNo,
        sources: &[VersionNo],
    ) -> Outcome<Merged> {
        let Merging { request, target, .. } = *self;
        let number = element.number;
        let opened = Opened { directory: number, at: DirectoryAt::CheckedOut(own.number) };
        let mut edits = Edits::new(store, &target.vob, &target.view, self.time_ns);
        let base = store.directory(number, DirectoryAt::Version(base))?;
        let links = Links { store, first: RefCell::default() };
        let (mut told, mut conflicts, mut applied, mut complete) = (Vec::new(), 0, 0, true);
        for (at, source) in (0..).zip(sources) {
            let source = store.directory(number, DirectoryAt::Version(*source))?;
            let here = edits.catalog(opened)?;
            let mut found = catalog::merge(&base, &here, &source, &|entry| links.same(entry));
            let mut taken: Vec<&NameMerge> = Vec::new();
            let mut inside = vec![false; found.len()];
            for (merge, inside) in found.iter_mut().zip(&mut inside) {
                *inside = merge.conflict.is_none() && goes_into_itself(&edits, element, merge)?;
            }
            for (merge, inside) in found.iter().zip(inside) {
                told.push(tell(&edits, at, merge, inside)?);
                let place = if inside || merge.conflict.is_some() { &mut conflicts } else { &mut applied };
                let this = std::mem::replace(place, *place + 1);
                let is_taken = match (inside, &merge.conflict) {
                    (true, _) => false,
                    (_, Some(_)) => request.taken.binary_search(&this).is_ok(),
                    (_, None) => !request.selected || request.applied.binary_search(&this).is_ok(),
                };
                complete &= is_taken || (merge.conflict.is_none() && !inside);
                taken.extend(is_taken.then_some(merge));
            }
            for NameChange { name, entry } in catalog::changes(&here, &source, taken.iter().copied()) {
                edits.change(opened, &name, entry, String::new())?;
            }
            note(&mut edits, opened, &taken)?;
        }
        Ok(Merged { operations: edits.operations(""), told, complete })
    }
}

/// Symbolic links, of which those with the same text are the same.
struct Links<'a> {
    store: &'a Vob,
    first: RefCell<HashMap<Box<[u8]>, SymlinkNo>>,
}

impl Links<'_> {
    fn same(&self, entry: Entry) -> Entry {
        let Entry::Symlink(number) = entry else { return entry };
        match self.store.symlink(number) {
            Ok(link) => Entry::Symlink(*self.first.borrow_mut().entry(link.target.clone()).or_insert(number)),
            // It will be told of where it is read next.
            Err(_) => entry,
        }
    }
}

/// Tells whether a name would bring a directory into itself.
fn goes_into_itself(edits: &Edits<'_>, directory: &Element, merge: &NameMerge) -> Outcome<bool> {
    match (merge.entry, &merge.old) {
        (Entry::Element(child), None) if edits.element(child)?.kind == ElementKind::Directory => {
            edits.is_inside(directory.number, child)
        }
        _ => Ok(false),
    }
}

/// Writes the lines for the directory's checkout comment.
fn note(edits: &mut Edits<'_>, opened: Opened, taken: &[&NameMerge]) -> Outcome<()> {
    for merge in taken {
        let kind = edits.kind(merge.entry)?;
        let quoted = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let line = match (&merge.old, &merge.new) {
            (Some(old), Some(new)) => format!("Renamed \"{}\" to \"{}\".", quoted(old), quoted(new)),
            (Some(old), None) => format!("Removed {kind} \"{}\".", quoted(old)),
            (None, Some(new)) => format!("Added {kind} \"{}\".", quoted(new)),
            (None, None) => continue,
        };
        edits.note(opened, line)?;
    }
    Ok(())
}

fn tell(edits: &Edits<'_>, source: u32, merge: &NameMerge, inside: bool) -> Outcome<Told> {
    let object_kind = match merge.entry {
        Entry::Element(number) => facts::kinds(&*edits.element(number)?).0,
        Entry::Symlink(_) => ObjectKind::SymbolicLink,
    };
    let (conflict, other_name) = match &merge.conflict {
        _ if inside => (NameConflict::Inside, Vec::new()),
        None => (NameConflict::None, Vec::new()),
        Some(Conflict::Taken) => (NameConflict::Taken, Vec::new()),
        Some(Conflict::Renamed(name)) => (NameConflict::Renamed, name.to_vec()),
        Some(Conflict::Removed) => (NameConflict::Removed, Vec::new()),
    };
    let name = |name: &Option<Box<[u8]>>| name.as_ref().map(|name| name.to_vec()).unwrap_or_default();
    let (kind, name, new_name) = match (&merge.old, &merge.new) {
        (Some(_), Some(_)) => (NameChangeKind::Renamed, name(&merge.old), name(&merge.new)),
        (Some(_), None) => (NameChangeKind::Removed, name(&merge.old), Vec::new()),
        (None, _) => (NameChangeKind::Added, name(&merge.new), Vec::new()),
    };
    Ok(Told {
        source,
        kind: kind.into(),
        object_kind: object_kind.into(),
        name,
        new_name,
        conflict: conflict.into(),
        other_name,
    })
}
