//! Records that the journal holds already and the index engine does not yet: they are read
//! first, and move to the engine together at a checkpoint.

use super::engine::{Batch, Records};
use super::vob::StoreError;
use crate::vob::apply::{DirectoryAt, Event, PlacedChangeset, Symlink};
use crate::vob::{Changes, DirectoryNode, Element, ElementNo, EventNo, SymlinkNo, TypeNo, VobObject, codec};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Events that share one stored record.
pub const EVENTS_PER_PAGE: u32 = 64;

/// Keys of the index: one byte for the kind, then big-endian numbers.
pub mod key {
    use crate::vob::apply::DirectoryAt;
    use crate::vob::{ElementNo, SymlinkNo, TypeNo};

    /// What the index holds of the journal: `Applied`.
    pub const APPLIED: &[u8] = b"A";
    /// The form of the index: another one is rebuilt from the journal.
    pub const FORM: &[u8] = b"F";
    /// The VOB's identity and counters.
    pub const HEADER: &[u8] = b"V";
    /// What the VOB is set to.
    pub const SETTINGS: &[u8] = b"W";

    /// The object that has a hyperlink.
    pub fn hyperlink(number: u32) -> Vec<u8> {
        numbered(b'h', number)
    }

    fn numbered(kind: u8, number: u32) -> Vec<u8> {
        let mut key = vec![kind];
        key.extend_from_slice(&number.to_be_bytes());
        key
    }

    /// An element record.
    pub fn element(number: ElementNo) -> Vec<u8> {
        numbered(b'e', number.0)
    }

    /// That an element is checked out, somewhere.
    pub fn checked_out(number: ElementNo) -> Vec<u8> {
        numbered(b'c', number.0)
    }

    /// A directory node. Checkouts follow the versions.
    pub fn directory(element: ElementNo, at: DirectoryAt) -> Vec<u8> {
        let (kind, number) = match at {
            DirectoryAt::Version(version) => (0, version.0),
            DirectoryAt::CheckedOut(number) => (1, number),
        };
        let mut key = numbered(b'd', element.0);
        key.push(kind);
        key.extend_from_slice(&number.to_be_bytes());
        key
    }

    /// A page of events.
    pub fn events(page: u32) -> Vec<u8> {
        numbered(b'v', page)
    }

    /// A VOB symbolic link.
    pub fn symlink(number: SymlinkNo) -> Vec<u8> {
        numbered(b'l', number.0)
    }

    /// A type object.
    pub fn type_object(number: TypeNo) -> Vec<u8> {
        numbered(b't', number.0)
    }

    /// A user.
    pub fn user(number: u32) -> Vec<u8> {
        numbered(b'u', number)
    }

    /// Where an element's identity leads.
    pub fn oid(oid: &crate::vob::Oid) -> Vec<u8> {
        [b"o", oid.0.as_slice()].concat()
    }

    /// A note.
    pub fn note(name: &str) -> Vec<u8> {
        [b"k", name.as_bytes()].concat()
    }

    /// An imported change set.
    pub fn changeset(id: &[u8]) -> Vec<u8> {
        [b"g", id].concat()
    }
}

/// The records changed since the last checkpoint.
#[derive(Default)]
pub struct Recent {
    /// Elements.
    pub elements: HashMap<ElementNo, Arc<Element>>,
    /// Elements from this number on are new since the last checkpoint.
    pub first_element: u32,
    /// Directory nodes; none where one goes.
    pub nodes: HashMap<(ElementNo, DirectoryAt), Option<Arc<DirectoryNode>>>,
    /// Events, the first with the number `first_event`.
    pub events: Vec<Event>,
    /// See `events`.
    pub first_event: u32,
    /// VOB symbolic links, the first with the number `first_symlink`.
    pub symlinks: Vec<Arc<Symlink>>,
    /// See `symlinks`.
    pub first_symlink: u32,
    /// Placed change sets.
    pub changesets: HashMap<Box<[u8]>, PlacedChangeset>,
    /// Notes.
    pub notes: HashMap<String, Box<[u8]>>,
    /// Elements that were checked out or no longer are.
    pub checkouts: BTreeSet<ElementNo>,
    /// Type objects that were made or changed.
    pub types: BTreeSet<TypeNo>,
    /// Which object has a hyperlink; none for one that was removed.
    pub hyperlinks: HashMap<u32, Option<VobObject>>,
}

impl Recent {
    /// Takes in what a commit changed.
    pub fn absorb(&mut self, changes: &mut Changes) {
        for (number, element) in &changes.elements {
            self.elements.insert(*number, Arc::clone(element));
        }
        for (at, change) in &changes.directories {
            self.nodes.insert(*at, change.as_ref().map(|(node, _)| Arc::clone(node)));
        }
        self.events.append(&mut changes.events);
        self.symlinks.extend(changes.symlinks.drain(..).map(Arc::new));
        self.changesets.extend(changes.changesets.drain(..));
        self.notes.extend(changes.notes.drain());
        self.checkouts.append(&mut changes.checkouts);
        self.types.append(&mut changes.types);
        self.hyperlinks.extend(changes.hyperlinks.drain());
    }

    /// Returns an event that is not in the engine yet.
    pub fn event(&self, number: EventNo) -> Option<Event> {
        let at = number.0.checked_sub(self.first_event)?;
        self.events.get(at as usize).copied()
    }

    /// Returns a VOB symbolic link that is not in the engine yet.
    pub fn symlink(&self, number: SymlinkNo) -> Option<Arc<Symlink>> {
        let at = number.0.checked_sub(self.first_symlink)?;
        self.symlinks.get(at as usize).cloned()
    }

    /// Tells whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty() && self.nodes.is_empty() && self.events.is_empty()
    }

    /// Adds everything to a batch.
    ///
    /// # Errors
    /// If the engine cannot be read.
    pub fn write(&self, records: &Records, batch: &mut Batch) -> Result<(), StoreError> {
        for (number, element) in &self.elements {
            records.put(batch, &key::element(*number), &codec::encode(element))?;
            if number.0 >= self.first_element {
                records.put(batch, &key::oid(&element.oid), &number.0.to_be_bytes())?;
            }
        }
        for ((element, at), node) in &self.nodes {
            let key = key::directory(*element, *at);
            match node {
                Some(node) => records.put(batch, &key, &super::vob::encode(&**node))?,
                None => records.delete(batch, &key)?,
            }
        }
        self.write_events(records, batch)?;
        for (number, symlink) in (self.first_symlink..).zip(&self.symlinks) {
            records.put(batch, &key::symlink(SymlinkNo(number)), &super::vob::encode(&**symlink))?;
        }
        for (id, placed) in &self.changesets {
            records.put(batch, &key::changeset(id), &super::vob::encode(placed))?;
        }
        for number in &self.checkouts {
            let key = key::checked_out(*number);
            match self.elements.get(number).is_some_and(|element| !element.checkouts.is_empty()) {
                true => records.put(batch, &key, &[])?,
                false => records.delete(batch, &key)?,
            }
        }
        for (name, value) in &self.notes {
            records.put(batch, &key::note(name), value)?;
        }
        for (number, at) in &self.hyperlinks {
            match at {
                Some(at) => records.put(batch, &key::hyperlink(*number), &super::vob::encode(at))?,
                None => records.delete(batch, &key::hyperlink(*number))?,
            }
        }
        Ok(())
    }

    fn write_events(&self, records: &Records, batch: &mut Batch) -> Result<(), StoreError> {
        let mut numbered = (self.first_event..).zip(&self.events).peekable();
        while let Some((number, _)) = numbered.peek() {
            let page = number / EVENTS_PER_PAGE;
            let mut events: Vec<Event> = match records.get(&key::events(page))? {
                Some(stored) => super::vob::decode("events", &stored)?,
                None => Vec::new(),
            };
            events.truncate((number % EVENTS_PER_PAGE) as usize);
            while let Some((_, event)) = numbered.next_if(|(number, _)| number / EVENTS_PER_PAGE == page) {
                events.push(*event);
            }
            records.put(batch, &key::events(page), &super::vob::encode(&events))?;
        }
        Ok(())
    }
}
