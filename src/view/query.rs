//! Queries that a command asks of elements, branches and versions, checked-out ones included. Owns what such a query
//! may read of a VOB and how much of that is remembered while many elements are judged; what a query means is the
//! language's.

use super::host::MountedVob;
use super::live::Names;
use crate::store::StoreError;
use crate::vob::apply::Event;
use crate::vob::element::{Origins, Seen};
use crate::vob::{BranchNo, Checkout, Element, EventNo, VersionNo, ViewUuid, VobState};
use clerestory_specs::{
    AttributeValue, BoundQuery, ElementFacts, LinkDirection, Query, QueryFacts, QueryObject,
};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Events that are remembered: some 50 bytes each.
const EVENTS_MAX: usize = 1 << 18;
/// Transactions whose attributes are remembered: some hundred bytes each.
const TRANSACTIONS_MAX: usize = 1 << 17;

/// A query with its names looked up in a VOB.
pub struct ObjectQuery(BoundQuery);

impl ObjectQuery {
    /// Looks the names of a query up in a VOB.
    pub fn new(query: &Query, vob: &MountedVob) -> ObjectQuery {
        ObjectQuery(query.bind(&Names(&vob.vob.state())))
    }
}

/// Attributes by name.
type Attributes = Vec<(String, String)>;

/// Who made what, as far as queries asked for it.
#[derive(Default)]
struct Memory {
    events: FxHashMap<EventNo, Event>,
    frames: FxHashMap<(u32, u64), Rc<Vec<Attributes>>>,
    transactions: usize,
}

/// Judges the objects of one VOB. An answer that cannot be read counts as no, and is reported by the call that asked.
pub struct Judge {
    vob: Arc<MountedVob>,
    view: Option<ViewUuid>,
    memory: RefCell<Memory>,
    error: RefCell<Option<StoreError>>,
}

impl Judge {
    /// Starts to judge for a view, or for none.
    pub fn new(vob: &Arc<MountedVob>, view: Option<ViewUuid>) -> Judge {
        Judge { vob: Arc::clone(vob), view, memory: RefCell::default(), error: RefCell::default() }
    }

    /// Whether a query holds for an element itself.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn element(&self, query: &ObjectQuery, element: &Element) -> Result<bool, StoreError> {
        self.answer(query.0.holds(QueryObject::Element, &self.seen(element)))
    }

    /// Whether a query holds for a branch of an element.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn branch(
        &self,
        query: &ObjectQuery,
        element: &Element,
        branch: BranchNo,
    ) -> Result<bool, StoreError> {
        self.answer(query.0.holds(QueryObject::Branch(branch.0), &self.seen(element)))
    }

    /// Whether a query holds for a version of an element.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn version(
        &self,
        query: &ObjectQuery,
        element: &Element,
        version: VersionNo,
    ) -> Result<bool, StoreError> {
        let version = element.version(version);
        let object = QueryObject::Version { branch: version.branch.0, number: version.number };
        self.answer(query.0.holds(object, &self.seen(element)))
    }

    /// Whether a query holds for the version that a checkout will become: it lies on the checkout's branch, was
    /// created by the checkout, and nothing is attached to it yet.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn checkout(
        &self,
        query: &ObjectQuery,
        element: &Element,
        checkout: &Checkout,
    ) -> Result<bool, StoreError> {
        let seen = self.seen(element);
        let object = QueryObject::Version { branch: checkout.branch.0, number: CHECKED_OUT };
        self.answer(query.0.holds(object, &SeenCheckout { seen: &seen, checkout }))
    }

    /// Returns the versions on the branches of which `on` holds for which a query holds: branch after branch,
    /// ascending.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn versions(
        &self,
        query: &ObjectQuery,
        element: &Element,
        on: &dyn Fn(BranchNo) -> bool,
    ) -> Result<Vec<VersionNo>, StoreError> {
        let mut found = Vec::new();
        query.0.each_version(&self.seen(element), &|branch| on(BranchNo(branch)), &mut |branch, number| {
            found.extend(element.version_at(BranchNo(branch), number));
        });
        self.answer(found)
    }

    fn seen<'a>(&'a self, element: &'a Element) -> Seen<'a> {
        Seen { element, view: self.view.as_ref(), origins: self }
    }

    fn answer<T>(&self, answer: T) -> Result<T, StoreError> {
        self.error.take().map_or(Ok(answer), Err)
    }

    fn read<T>(&self, read: Result<T, StoreError>) -> Option<T> {
        read.map_err(|error| *self.error.borrow_mut() = Some(error)).ok()
    }

    fn event(&self, number: EventNo) -> Option<Event> {
        if let Some(event) = self.memory.borrow().events.get(&number) {
            return Some(*event);
        }
        let found = self.read(self.vob.vob.events_beside(number))?;
        let events = &mut self.memory.borrow_mut().events;
        if events.len() >= EVENTS_MAX {
            events.clear();
        }
        events.extend(found);
        events.get(&number).copied()
    }

    /// Reads the attributes of all transactions of a frame at once: elements ask for events in no order.
    fn attributes_of(&self, event: EventNo) -> Option<(Rc<Vec<Attributes>>, usize)> {
        let event = self.event(event)?;
        let (place, transaction) = ((event.segment, event.offset), event.transaction as usize);
        if let Some(frame) = self.memory.borrow().frames.get(&place) {
            return Some((Rc::clone(frame), transaction));
        }
        let frame = self.read(self.vob.vob.frame(&event))?;
        let attributes: Vec<Attributes> =
            frame.iter().map(|transaction| transaction.attributes.clone()).collect();
        let attributes = Rc::new(attributes);
        let memory = &mut *self.memory.borrow_mut();
        if memory.transactions >= TRANSACTIONS_MAX {
            (memory.frames, memory.transactions) = Default::default();
        }
        memory.transactions += attributes.len();
        memory.frames.insert(place, Rc::clone(&attributes));
        Some((attributes, transaction))
    }
}

impl Origins for Judge {
    fn caused_by(&self, event: EventNo, login: &str) -> bool {
        let state = self.vob.vob.state();
        let user = self.event(event).and_then(|event| state.users().get(event.user as usize));
        user.is_some_and(|user| user.login == login)
    }

    fn attributes(&self, event: EventNo, each: &mut dyn FnMut(&str, &str)) {
        let Some((frame, transaction)) = self.attributes_of(event) else { return };
        frame.get(transaction).into_iter().flatten().for_each(|(name, value)| each(name, value));
    }

    fn state(&self) -> VobState {
        self.vob.vob.state()
    }
}

/// The number of the version that a checkout will become: no version has it.
const CHECKED_OUT: u32 = u32::MAX;

/// An element, with the version that one of its checkouts will become.
struct SeenCheckout<'a> {
    seen: &'a Seen<'a>,
    checkout: &'a Checkout,
}

fn is_checked_out(object: QueryObject) -> bool {
    matches!(object, QueryObject::Version { number: CHECKED_OUT, .. })
}

impl ElementFacts for SeenCheckout<'_> {
    fn is_directory(&self) -> bool {
        self.seen.is_directory()
    }

    fn element_type(&self) -> u32 {
        self.seen.element_type()
    }

    fn branch_type(&self, branch: u32) -> u32 {
        self.seen.branch_type(branch)
    }

    fn sub_branch(&self, parent: u32, branch_type: u32) -> Option<u32> {
        self.seen.sub_branch(parent, branch_type)
    }

    fn branches_of_type(&self, branch_type: u32, each: &mut dyn FnMut(u32)) {
        self.seen.branches_of_type(branch_type, each);
    }

    fn has_version(&self, branch: u32, number: u32) -> bool {
        self.seen.has_version(branch, number)
    }

    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32> {
        self.seen.latest(branch, not_after_ns)
    }

    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32)) {
        self.seen.labelled(label_type, each);
    }

    fn checked_out(&self) -> bool {
        self.seen.checked_out()
    }

    fn query_facts(&self) -> &dyn QueryFacts {
        self
    }
}

impl QueryFacts for SeenCheckout<'_> {
    fn oid(&self) -> [u8; 16] {
        self.seen.oid()
    }

    fn branch_count(&self) -> u32 {
        self.seen.branch_count()
    }

    fn versions(&self, branch: u32, each: &mut dyn FnMut(u32) -> bool) {
        self.seen.versions(branch, each);
    }

    fn created_ns(&self, object: QueryObject) -> i64 {
        if is_checked_out(object) { self.checkout.created_ns } else { self.seen.created_ns(object) }
    }

    fn created_by(&self, object: QueryObject, login: &str) -> bool {
        match is_checked_out(object) {
            true => self.seen.origins.caused_by(self.checkout.event, login),
            false => self.seen.created_by(object, login),
        }
    }

    fn attributes(&self, object: QueryObject, each: &mut dyn FnMut(&str, &AttributeValue)) {
        if !is_checked_out(object) {
            self.seen.attributes(object, each);
        }
    }

    fn hyperlinks(&self, object: QueryObject, each: &mut dyn FnMut(u32, LinkDirection)) {
        if !is_checked_out(object) {
            self.seen.hyperlinks(object, each);
        }
    }

    fn merges(&self, each: &mut dyn FnMut((u32, u32), (u32, u32))) {
        self.seen.merges(each);
    }

    fn uses_pool(&self, name: &str) -> bool {
        self.seen.uses_pool(name)
    }

    fn has_trigger(&self, name: &str) -> bool {
        self.seen.has_trigger(name)
    }
}
