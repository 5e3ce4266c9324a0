//! What an open VOB answers: records from `Recent`, then from the caches, then from the engine.

use super::super::journal::Position;
use super::super::recent::{EVENTS_PER_PAGE, Recent, key};
use super::{StoreError, Vob, damaged, decode};
use crate::vob::apply::{self, DirectoryAt, Event, PlacedChangeset, ReadError, Symlink};
use crate::vob::{
    Directory, DirectoryNode, Element, ElementNo, EventNo, Oid, SymlinkNo, Transaction, VobObject, VobState,
    codec,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A note: its key and value.
pub type Note = (String, Box<[u8]>);
/// An imported change set: its id, and where it was placed.
pub type Placed = (Box<[u8]>, PlacedChangeset);

impl Vob {
    /// Returns identity, counters and types as they are now.
    pub fn state(&self) -> VobState {
        self.state.read().clone()
    }

    /// Reads an element; none where the number was never given, or the element was removed.
    ///
    /// # Errors
    /// If the index fails or is damaged.
    pub fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, StoreError> {
        Ok(self.ever_element(number)?.filter(|element| !element.removed))
    }

    /// Reads an element; what is left of its record where it was removed, and none where the number was
    /// never given.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn ever_element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, StoreError> {
        if let Some(found) = self.recent.read().elements.get(&number) {
            return Ok(Some(Arc::clone(found)));
        }
        if let Some(found) = self.elements.get(&number) {
            return Ok(Some(found));
        }
        let before = self.checkpoints.load(Ordering::Acquire);
        let Some(stored) = self.records.get(&key::element(number))? else {
            return Ok(None);
        };
        let decoded = codec::decode(&stored).map_err(|error| damaged("element", error))?;
        let element = Arc::new(decoded);
        self.remember(before, |recent| {
            if !recent.elements.contains_key(&number) {
                self.elements.insert(number, Arc::clone(&element));
            }
        });
        // A commit may have come between the look into `recent` and the engine.
        match self.recent.read().elements.get(&number) {
            Some(newer) => Ok(Some(Arc::clone(newer))),
            None => Ok(Some(element)),
        }
    }

    /// Caches what was read from the engine unless a checkpoint came between: it may be old.
    fn remember(&self, checkpoints_before: u64, insert: impl FnOnce(&Recent)) {
        let recent = self.recent.read();
        if self.checkpoints.load(Ordering::Acquire) == checkpoints_before {
            insert(&recent);
        }
    }

    /// Reads elements that will be needed at once, in one pass over the index.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn prefetch(&self, numbers: &[ElementNo]) -> Result<(), StoreError> {
        let missing: Vec<ElementNo> = {
            let recent = self.recent.read();
            let known = |number: &ElementNo| {
                recent.elements.contains_key(number) || self.elements.peek(number).is_some()
            };
            numbers.iter().copied().filter(|number| !known(number)).collect()
        };
        for numbers in missing.chunks(1024) {
            let before = self.checkpoints.load(Ordering::Acquire);
            let keys: Vec<Vec<u8>> = numbers.iter().map(|number| key::element(*number)).collect();
            for (number, stored) in numbers.iter().zip(self.records.get_many(&keys)?) {
                let Some(stored) = stored else { continue };
                let element = Arc::new(codec::decode(&stored).map_err(|error| damaged("element", error))?);
                self.remember(before, |recent| {
                    if !recent.elements.contains_key(number) {
                        self.elements.insert(*number, element);
                    }
                });
            }
        }
        Ok(())
    }

    /// Returns the elements that are checked out anywhere, by number, without a look at the others.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn checked_out(&self) -> Result<Vec<ElementNo>, StoreError> {
        self.consistently(|| self.checked_out_now())
    }

    fn checked_out_now(&self) -> Result<Vec<ElementNo>, StoreError> {
        // What is recent first: a checkpoint may move it to the engine meanwhile, and then it is met twice.
        let recent: Vec<(ElementNo, bool)> = {
            let recent = self.recent.read();
            let held = |number: &ElementNo| {
                recent.elements.get(number).is_some_and(|element| !element.checkouts.is_empty())
            };
            recent.checkouts.iter().map(|number| (*number, held(number))).collect()
        };
        let mut found = BTreeSet::new();
        let mut from = b"c".to_vec();
        loop {
            let page = self.records.scan(&from, b"d", 4096)?;
            let Some((last, _)) = page.last() else {
                break;
            };
            from = [last.as_slice(), &[0]].concat();
            for (key, _) in &page {
                let number =
                    key[1..].try_into().map_err(|_| damaged("checkout", "a key of another length"))?;
                found.insert(ElementNo(u32::from_be_bytes(number)));
            }
        }
        for (number, held) in recent {
            match held {
                true => found.insert(number),
                false => found.remove(&number),
            };
        }
        Ok(found.into_iter().collect())
    }

    /// Finds an element by its identity.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn element_with_oid(&self, oid: &Oid) -> Result<Option<ElementNo>, StoreError> {
        let found = self.ever_with_oid(oid)?;
        Ok(found.filter(|element| !element.removed).map(|element| element.number))
    }

    /// Finds an element by its identity; what is left of its record where it was removed.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn ever_with_oid(&self, oid: &Oid) -> Result<Option<Arc<Element>>, StoreError> {
        if let Some(found) = self.recent.read().elements.values().find(|element| element.oid == *oid) {
            return Ok(Some(Arc::clone(found)));
        }
        let Some(stored) = self.records.get(&key::oid(oid))? else {
            return Ok(None);
        };
        let number = stored.try_into().map_err(|_| damaged("object identifier", "its number is cut"))?;
        self.ever_element(ElementNo(u32::from_be_bytes(number)))
    }

    /// Finds an object that has a hyperlink, by the hyperlink's number.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn hyperlink(&self, number: u32) -> Result<Option<VobObject>, StoreError> {
        if let Some(found) = self.recent.read().hyperlinks.get(&number) {
            return Ok(*found);
        }
        match self.records.get(&key::hyperlink(number))? {
            Some(stored) => Ok(Some(decode("hyperlink", &stored)?)),
            None => Ok(None),
        }
    }

    pub(super) fn node(
        &self,
        element: ElementNo,
        at: DirectoryAt,
    ) -> Result<Option<Arc<DirectoryNode>>, StoreError> {
        if let Some(found) = self.recent.read().nodes.get(&(element, at)) {
            return Ok(found.clone());
        }
        match self.records.get(&key::directory(element, at))? {
            Some(stored) => Ok(Some(Arc::new(decode("directory", &stored)?))),
            None => Ok(None),
        }
    }

    /// Reads the names a directory version or checkout catalogs.
    ///
    /// # Errors
    /// As [`Vob::element`]; [`StoreError::NoSuchPart`] where there is no such version or checkout, or no more.
    pub fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, StoreError> {
        if let Some(found) = self.directories.get(&(element, at)) {
            return Ok(found);
        }
        let before = self.epoch();
        let mut nodes = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            let Some(node) = self.node(element, at)? else {
                return Err(match nodes.is_empty() && !self.has_catalog(element, at)? {
                    true => StoreError::NoSuchPart(element),
                    false => damaged("directory", format!("element {} has no {at:?}", element.0)),
                });
            };
            next = node.base.map(DirectoryAt::Version);
            nodes.push(node);
            if nodes.len() as u32 > DirectoryNode::MAX_DEPTH {
                return Err(damaged("directory", format!("element {} has an endless chain", element.0)));
            }
        }
        let mut directory = Directory::default();
        nodes.iter().rev().for_each(|node| directory.apply(&node.changes));
        let directory = Arc::new(directory);
        let recent = self.recent.read();
        if self.epoch() == before {
            self.directories.insert((element, at), Arc::clone(&directory));
        }
        drop(recent);
        Ok(directory)
    }

    /// Tells whether an element's record says that a catalog is there.
    fn has_catalog(&self, element: ElementNo, at: DirectoryAt) -> Result<bool, StoreError> {
        Ok(self.element(element)?.is_some_and(|element| match at {
            DirectoryAt::Version(version) => element.has_version(version),
            DirectoryAt::CheckedOut(number) => element.checkouts.iter().any(|held| held.number == number),
        }))
    }

    /// Reads a VOB symbolic link.
    ///
    /// # Errors
    /// As [`Vob::directory`].
    pub fn symlink(&self, number: SymlinkNo) -> Result<Arc<Symlink>, StoreError> {
        if let Some(found) = self.recent.read().symlink(number) {
            return Ok(found);
        }
        match self.records.get(&key::symlink(number))? {
            Some(stored) => Ok(Arc::new(decode("symbolic link", &stored)?)),
            None => Err(damaged("symbolic link", format!("no number {}", number.0))),
        }
    }

    /// Reads an event's time and user.
    ///
    /// # Errors
    /// As [`Vob::directory`].
    pub fn event(&self, number: EventNo) -> Result<Event, StoreError> {
        if let Some(found) = self.recent.read().event(number) {
            return Ok(found);
        }
        let events = self.event_page(number)?;
        let missing = || damaged("event", format!("no number {}", number.0));
        events.get((number.0 % EVENTS_PER_PAGE) as usize).copied().ok_or_else(missing)
    }

    /// Reads an event and those that are stored together with it.
    ///
    /// # Errors
    /// As [`Vob::event`].
    pub fn events_beside(&self, number: EventNo) -> Result<Vec<(EventNo, Event)>, StoreError> {
        if let Some(found) = self.recent.read().event(number) {
            return Ok(vec![(number, found)]);
        }
        let first = number.0 - number.0 % EVENTS_PER_PAGE;
        Ok((first..).map(EventNo).zip(self.event_page(number)?).collect())
    }

    fn event_page(&self, number: EventNo) -> Result<Vec<Event>, StoreError> {
        let page = self.records.get(&key::events(number.0 / EVENTS_PER_PAGE))?;
        let page = page.ok_or_else(|| damaged("event", format!("no number {}", number.0)))?;
        decode("events", &page)
    }

    /// Reads the transaction behind an event: its comment, attributes and operations.
    ///
    /// # Errors
    /// If the journal fails or is damaged.
    pub fn transaction(&self, event: &Event) -> Result<Transaction, StoreError> {
        let frame = self.frame(event)?;
        let found = frame.get(event.transaction as usize);
        found.cloned().ok_or_else(|| damaged("event", format!("no transaction {}", event.transaction)))
    }

    /// Reads all transactions of the journal frame that an event is in.
    ///
    /// # Errors
    /// As [`Vob::transaction`].
    pub fn frame(&self, event: &Event) -> Result<Arc<Vec<Transaction>>, StoreError> {
        let key = (event.segment, event.offset);
        if let Some(frame) = self.frames.get(&key) {
            return Ok(frame);
        }
        let payload = self.journal.read(Position { segment: event.segment, offset: event.offset })?;
        let mut frame: Vec<Transaction> = decode("journal frame", &payload)?;
        for transaction in &mut frame {
            transaction
                .operations
                .retain(|operation| !matches!(operation, crate::vob::Operation::StoreContent(_)));
        }
        let frame = Arc::new(frame);
        self.frames.insert(key, Arc::clone(&frame));
        Ok(frame)
    }

    /// Finds where a change set was placed.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn changeset(&self, id: &[u8]) -> Result<Option<PlacedChangeset>, StoreError> {
        if let Some(found) = self.recent.read().changesets.get(id) {
            return Ok(Some(found.clone()));
        }
        match self.records.get(&key::changeset(id))? {
            Some(stored) => Ok(Some(decode("change set", &stored)?)),
            None => Ok(None),
        }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn note(&self, name: &str) -> Result<Option<Box<[u8]>>, StoreError> {
        if let Some(found) = self.recent.read().notes.get(name) {
            return Ok(Some(found.clone()));
        }
        Ok(self.records.get(&key::note(name))?.map(Into::into))
    }

    /// Reads every note whose key begins with `prefix`.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn notes(&self, prefix: &str) -> Result<Vec<Note>, StoreError> {
        self.close()?;
        let mut found = Vec::new();
        let mut from = key::note(prefix);
        loop {
            let page = self.records.scan(&from, b"l", 4096)?;
            let Some((last, _)) = page.last() else {
                return Ok(found);
            };
            from = [last.as_slice(), &[0]].concat();
            for (key, value) in page {
                match String::from_utf8_lossy(&key[1..]) {
                    name if name.starts_with(prefix) => found.push((name.into_owned(), value.into())),
                    _ => return Ok(found),
                }
            }
        }
    }

    /// Reads every placed change set, in no particular order.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn changesets(&self) -> Result<Vec<Placed>, StoreError> {
        self.close()?;
        let mut found = Vec::new();
        let mut from = b"g".to_vec();
        loop {
            let page = self.records.scan(&from, b"h", 4096)?;
            let Some((last, _)) = page.last() else {
                return Ok(found);
            };
            from = [last.as_slice(), &[0]].concat();
            for (key, stored) in &page {
                found.push((key[1..].into(), decode("change set", stored)?));
            }
        }
    }
}

impl apply::Records for Vob {
    fn state(&self) -> VobState {
        Vob::state(self)
    }

    fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, ReadError> {
        Ok(Vob::element(self, number)?)
    }

    fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, ReadError> {
        Ok(Vob::directory(self, element, at)?)
    }

    fn directory_node(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<DirectoryNode>, ReadError> {
        let missing = || damaged("directory", format!("element {} has no {at:?}", element.0));
        Ok(self.node(element, at)?.ok_or_else(missing)?)
    }

    fn changeset(&self, id: &[u8]) -> Result<Option<PlacedChangeset>, ReadError> {
        Ok(Vob::changeset(self, id)?)
    }
}
