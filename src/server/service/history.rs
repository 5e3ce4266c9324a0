//! `History`: events, newest first.
//!
//! Events are gathered as [`Light`] values, which need no look at the journal, and put in order;
//! who and why is read only for those that are sent. What `last` and `since` leave out costs
//! no more than its element's record.

mod element;
mod gather;

use super::facts::{self, Names, Told, told};
use crate::server::identity::Caller;
use crate::server::proto::history_item::Item;
use crate::server::proto::target::Target as Named;
use crate::server::proto::{
    ArgumentFailure, EventKind, HistoryEvent, HistoryItem, HistoryRequest, HistoryScope, ObjectKind, Target,
};
use crate::server::service::attachable::{annotations, kind_and_extension, part_name};
use crate::server::service::comments::whose_comment;
use crate::server::service::describe::{Describer, type_object_kind};
use crate::server::state::{Outcome, Server};
use crate::view::resolve::{branch_id, checkout_id, version_id};
use crate::view::{MountedVob, View};
use crate::vob::{BranchNo, Deed, Element, ElementNo, EventNo, TypeNo, VersionNo, VobObject, VobState};
use gather::Gathered;
use std::cmp::Reverse;
use std::sync::Arc;

impl Server {
    /// Sends the events of all arguments, newest first, after what failed; `send` answers whether
    /// there is still somebody to send to.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are items.
    pub fn history(
        &self,
        _caller: &Caller,
        request: &HistoryRequest,
        send: &mut dyn FnMut(HistoryItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let here = [Target { target: Some(Named::Pname(facts::working_directory(context))) }];
        let targets = match request.scope() {
            HistoryScope::AllVobs => &here,
            _ if request.targets.is_empty() => &here,
            _ => &request.targets[..],
        };
        let mut gathered = Gathered::new(self, context, request);
        for (argument, target) in (0..).zip(targets) {
            if let Err(failure) = gathered.target(argument, target) {
                let failed = ArgumentFailure { argument, path: Vec::new(), failure: Some(failure) };
                if !send(HistoryItem { item: Some(Item::Failure(failed)) }) {
                    return Ok(());
                }
            }
        }
        let events = gathered.in_order()?;
        let (rooms, subjects) = (&gathered.rooms, &gathered.subjects);
        let mut teller = Teller {
            rooms,
            names: rooms.iter().map(Room::names).collect(),
            views: self.host.views(),
            describers: match request.describe {
                true => rooms.iter().map(|room| Describer::new(self, &room.vob, room.names())).collect(),
                false => Vec::new(),
            },
            user: &request.user,
            latest: None,
        };
        let wanted = if request.last == 0 { usize::MAX } else { request.last as usize };
        let mut sent = 0;
        for light in &events {
            let Some(event) = teller.event(&subjects[light.subject as usize], light)? else {
                continue;
            };
            sent += 1;
            if !send(HistoryItem { item: Some(Item::Event(event)) }) || sent == wanted {
                break;
            }
        }
        Ok(())
    }
}

/// A VOB, and how names in it are found.
struct Room {
    vob: Arc<MountedVob>,
    view: Option<Arc<View>>,
    /// What stands before the VOB's tag in absolute paths.
    above: Vec<u8>,
    state: VobState,
}

impl Room {
    fn names(&self) -> Names<'_> {
        Names::new(self.view.as_ref(), &self.vob, &self.above)
    }
}

/// What events are about.
struct Subject {
    argument: u32,
    room: u32,
    /// Below the argument; none for an element whose absolute path is to be told.
    path: Option<Vec<u8>>,
}

/// An event, as far as it must be known to put it in order.
#[derive(Copy, Clone)]
struct Light {
    time_s: i64,
    event: EventNo,
    subject: u32,
    /// Its place among what the event did to the subject.
    sequence: u32,
    what: What,
}

impl Light {
    fn place(&self) -> (Reverse<i64>, Reverse<EventNo>, u32, Reverse<u32>) {
        (Reverse(self.time_s), Reverse(self.event), self.subject, Reverse(self.sequence))
    }
}

/// What happened, and to which object.
#[derive(Copy, Clone)]
enum What {
    /// The element was made.
    Element(ElementNo),
    /// The branch was made.
    Branch(ElementNo, BranchNo),
    /// The version was made.
    Version(ElementNo, VersionNo),
    /// The checkout with this number was made.
    Checkout(ElementNo, u32),
    /// Something was done to an object that was there.
    Done(VobObject, Deed),
    /// The VOB symbolic link was made.
    Symlink,
    /// The type was made.
    Type(TypeNo),
    /// The VOB was made.
    Vob,
    /// The hyperlink was made: an object of its own.
    Hyperlink { link_type: TypeNo, number: u32 },
}

impl What {
    /// The object that it happened to; none for what has no number here.
    fn object(self) -> Option<VobObject> {
        match self {
            What::Element(number) => Some(VobObject::Element(number)),
            What::Branch(number, branch) => Some(VobObject::Branch(number, branch)),
            What::Version(number, version) => Some(VobObject::Version(number, version)),
            What::Checkout(number, checkout) => Some(VobObject::CheckOut(number, checkout)),
            What::Done(object, _) => Some(object),
            What::Type(number) => Some(VobObject::Type(number)),
            What::Vob => Some(VobObject::Vob),
            What::Symlink | What::Hyperlink { .. } => None,
        }
    }
}

/// The part of an element that an argument names.
#[derive(Copy, Clone, Eq, PartialEq)]
enum Part {
    Whole,
    Branch(BranchNo),
    Version(VersionNo),
    Checkout(u32),
}

impl Part {
    fn has_branch(self, branch: BranchNo) -> bool {
        !matches!(self, Part::Branch(only) if only != branch)
    }

    fn has_branches(self) -> bool {
        matches!(self, Part::Whole | Part::Branch(_))
    }

    fn has_version(self, version: VersionNo) -> bool {
        self.has_branches() || self == Part::Version(version)
    }

    fn has_checkout(self, number: u32) -> bool {
        self.has_branches() || self == Part::Checkout(number)
    }
}

/// Turns events into what clients are told. Events come in order, so that one that did much is
/// read once.
struct Teller<'a> {
    rooms: &'a [Room],
    names: Vec<Names<'a>>,
    /// One for each room; none where no descriptions are wanted.
    describers: Vec<Describer<'a>>,
    views: Vec<Arc<View>>,
    user: &'a str,
    /// The event told last; none in place of what was told when its user is not the wanted one.
    latest: Option<(u32, EventNo, Option<Told>)>,
}

impl Teller<'_> {
    /// Tells an event, with its object where that was asked for; none where somebody else made it, or where it is gone.
    fn event(&mut self, subject: &Subject, light: &Light) -> Outcome<Option<HistoryEvent>> {
        let Some(mut event) = self.event_alone(subject, light)? else { return Ok(None) };
        if let Some(describer) = self.describers.get_mut(subject.room as usize)
            && let Some(object) = light.what.object()
        {
            event.description = describer.describe(object)?;
        }
        Ok(Some(event))
    }

    fn event_alone(&mut self, subject: &Subject, light: &Light) -> Outcome<Option<HistoryEvent>> {
        let room = &self.rooms[subject.room as usize];
        let known =
            matches!(&self.latest, Some((room, event, _)) if (*room, *event) == (subject.room, light.event));
        if !known {
            let wanted = self.user.is_empty() || {
                let number = room.vob.vob.event(light.event)?.user as usize;
                room.vob.vob.state().users().get(number).is_some_and(|user| user.login == self.user)
            };
            let told = wanted.then(|| told(&room.vob.vob, light.event)).transpose()?;
            self.latest = Some((subject.room, light.event, told));
        }
        let Some((_, _, Some(told))) = &self.latest else {
            return Ok(None);
        };
        let event = HistoryEvent {
            id: light.event.0.into(),
            time_s: light.time_s,
            person: Some(told.person.clone()),
            kind: EventKind::Create.into(),
            argument: subject.argument,
            path: subject.path.clone().unwrap_or_default(),
            comment: told.comment.clone(),
            ..HistoryEvent::default()
        };
        let number = match light.what {
            What::Element(number)
            | What::Branch(number, _)
            | What::Version(number, _)
            | What::Checkout(number, _) => number,
            What::Done(object, deed) => match object.element() {
                Some(number) => number,
                None => {
                    let (kind, name) = kind_and_extension(&room.vob.vob, &room.vob.vob.state(), object)?;
                    let event = HistoryEvent { object: kind.into(), extension: name, ..event };
                    let annotations = annotations(&room.vob.vob, &room.state, object)?;
                    let event = commented(event, annotations.comment(light.event));
                    return Ok(Some(done(&room.vob, &room.state, None, deed, event)));
                }
            },
            What::Hyperlink { link_type, number } => {
                let name = format!("{}@{number}", room.state.type_name(link_type));
                let object = ObjectKind::Hyperlink.into();
                return Ok(Some(HistoryEvent { object, extension: name.into_bytes(), ..event }));
            }
            What::Symlink => {
                return Ok(Some(HistoryEvent { object: ObjectKind::SymbolicLink.into(), ..event }));
            }
            What::Vob => {
                let comment =
                    room.vob.vob.state().settings().annotations.comment(light.event).map(String::from);
                let event = commented(event, comment.as_deref());
                return Ok(Some(HistoryEvent { object: ObjectKind::Vob.into(), ..event }));
            }
            What::Type(number) => {
                let object = room.state.types().get(number.index());
                return Ok(object.map(|object| HistoryEvent {
                    object: type_object_kind(object.kind).into(),
                    extension: object.name.clone().into_bytes(),
                    ..commented(event, object.annotations.comment(light.event))
                }));
            }
        };
        let Some(element) = room.vob.vob.element(number)? else {
            return Ok(None);
        };
        let event = commented(event, element.annotations().comment(light.event));
        let Some(mut event) = self.of_element(room, &element, light, event) else {
            return Ok(None);
        };
        if subject.path.is_none() {
            event.path = self.names[subject.room as usize].path(&element)?;
        }
        Ok(Some(event))
    }

    /// Fills in what an event did to an element; none where what it made is gone.
    fn of_element(
        &self,
        room: &Room,
        element: &Element,
        light: &Light,
        event: HistoryEvent,
    ) -> Option<HistoryEvent> {
        // Read again: the element may have got branch types since.
        let state = &room.vob.vob.state();
        let (element_kind, version_kind) = facts::kinds(element);
        let mut versions = element.present_versions();
        let made_contents = versions.any(|(_, version)| version.event == light.event && version.number > 0);
        let number = element.number;
        let is_own = |object: VobObject| whose_comment(element, object) == object;
        let with_comment = |event: HistoryEvent, shown: bool| match shown {
            true => event,
            false => HistoryEvent { comment: Vec::new(), ..event },
        };
        match light.what {
            What::Element(_) => {
                let event = with_comment(event, is_own(VobObject::Element(number)));
                Some(HistoryEvent { object: element_kind.into(), ..event })
            }
            What::Branch(_, number) => {
                element.find_branch(number)?;
                let event = with_comment(event, is_own(VobObject::Branch(element.number, number)));
                let extension = branch_id(state, element, number).into_bytes();
                Some(HistoryEvent { object: ObjectKind::Branch.into(), extension, ..event })
            }
            What::Version(_, number) => {
                element.find_version(number)?;
                let label = |label| state.type_name(label).as_bytes().to_vec();
                Some(HistoryEvent {
                    object: version_kind.into(),
                    extension: version_id(state, element, number).into_bytes(),
                    labels: element.labels_of(number).map(label).collect(),
                    ..with_comment(event, is_own(VobObject::Version(element.number, number)))
                })
            }
            What::Checkout(_, number) => {
                let checkout = element.checkouts.iter().find(|checkout| checkout.number == number)?;
                Some(HistoryEvent {
                    kind: EventKind::Checkout.into(),
                    object: version_kind.into(),
                    extension: checkout_id(state, element, checkout).into_bytes(),
                    comment: checkout.comment.clone().into_bytes(),
                    checked_out_from: version_id(state, element, checkout.from).into_bytes(),
                    reserved: checkout.reserved,
                    view_tag: facts::view_tag(&self.views, checkout),
                    ..event
                })
            }
            What::Done(object, deed) => {
                let (kind, extension) = part_name(state, element, object);
                let shown = !matches!(deed, Deed::LinkAttached(..)) || !made_contents;
                let event = HistoryEvent { object: kind.into(), extension, ..with_comment(event, shown) };
                Some(done(&room.vob, state, Some(element), deed, event))
            }
            What::Symlink | What::Type(_) | What::Vob | What::Hyperlink { .. } => None,
        }
    }
}

/// An event that did something to an object, which is a part of the element if one is given.
fn done(
    vob: &MountedVob,
    state: &VobState,
    element: Option<&Element>,
    deed: Deed,
    event: HistoryEvent,
) -> HistoryEvent {
    let name = |of_type: TypeNo| state.type_name(of_type).as_bytes().to_vec();
    let of_type =
        |kind: EventKind, of_type| HistoryEvent { kind: kind.into(), detail: name(of_type), ..event.clone() };
    let linked = |kind: EventKind, link_type: TypeNo, number: u32| HistoryEvent {
        hyperlink: format!("{}@{number}@{}", state.type_name(link_type), vob.tag).into_bytes(),
        ..of_type(kind, link_type)
    };
    let labelled = |kind: EventKind, label: TypeNo, other: Option<VersionNo>| {
        let version = |(element, version)| version_id(state, element, version).into_bytes();
        let other_version = element.zip(other).map(version).unwrap_or_default();
        HistoryEvent { other_version, ..of_type(kind, label) }
    };
    let simple = |kind: EventKind| HistoryEvent { kind: kind.into(), ..event.clone() };
    match deed {
        Deed::Locked => simple(EventKind::Lock),
        Deed::Unlocked => simple(EventKind::Unlock),
        Deed::Protected => simple(EventKind::ChangeProtection),
        Deed::Retyped => simple(EventKind::ChangeType),
        Deed::Commented => simple(EventKind::ChangeEvent),
        Deed::Renamed => simple(EventKind::Rename),
        Deed::AttributeAttached(attribute) => of_type(EventKind::MakeAttribute, attribute),
        Deed::AttributeRemoved(attribute) => of_type(EventKind::RemoveAttribute, attribute),
        Deed::LinkAttached(link_type, number) => linked(EventKind::MakeHyperlink, link_type, number),
        Deed::LinkRemoved(link_type, number) => linked(EventKind::RemoveHyperlink, link_type, number),
        Deed::LabelAttached(label, other) => labelled(EventKind::MakeLabel, label, other),
        Deed::LabelRemoved(label, other) => labelled(EventKind::RemoveLabel, label, other),
        Deed::TriggerAttached(trigger) => of_type(EventKind::MakeTrigger, trigger),
        Deed::TriggerRemoved(trigger) => of_type(EventKind::RemoveTrigger, trigger),
        Deed::VersionDestroyed => simple(EventKind::DestroyVersion),
        Deed::BranchDestroyed(branch_type) => of_type(EventKind::DestroyBranch, branch_type),
        Deed::ElementDestroyed => simple(EventKind::DestroyElement),
        Deed::TypeDestroyed(number) => {
            let kind = state.types().get(number.index()).map(|object| type_object_kind(object.kind));
            let detail_object = kind.unwrap_or_default().into();
            HistoryEvent { detail_object, ..of_type(EventKind::DestroyType, number) }
        }
    }
}

/// Gives an event the comment that was given later, if one was.
fn commented(event: HistoryEvent, comment: Option<&str>) -> HistoryEvent {
    match comment {
        Some(comment) => HistoryEvent { comment: comment.as_bytes().to_vec(), ..event },
        None => event,
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
