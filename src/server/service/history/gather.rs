//! Finds the events a call asks for, without a look at the journal.

use super::{Light, Part, Room, Subject, What};
use crate::server::proto::target::Target as Named;
use crate::server::proto::{
    Context, Failure, FailureCode, HistoryRequest, HistoryScope, Pname, Selector, SelectorKind, Target,
};
use crate::server::service::describe::{SEARCH_CHUNK, find_hyperlink, not_found, type_object_kind};
use crate::server::service::facts::{self, join, seconds};
use crate::server::service::objects::identified;
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::{DirectoryState, Found, MountedVob, Shown, View};
use crate::vob::apply::DirectoryAt;
use crate::vob::state::predefined;
use crate::vob::{
    ElementKind, ElementNo, Entry, EventNo, SymlinkNo, TypeKind, TypeNo, TypeObject, VersionNo, VobObject,
};
use std::collections::HashSet;
use std::sync::Arc;

/// Events gathered beyond those that `last` asks for before the oldest are dropped: enough to
/// make the dropping cheap.
const SPARE: usize = 1 << 16;

/// The events found so far.
pub struct Gathered<'a> {
    server: &'a Server,
    context: &'a Context,
    /// What was asked for.
    pub request: &'a HistoryRequest,
    /// The VOBs they are in.
    pub rooms: Vec<Room>,
    /// What they are about.
    pub subjects: Vec<Subject>,
    events: Vec<Light>,
    /// Labels that stand on versions: room, label, element, version, subject.
    pub labelled: Vec<(u32, TypeNo, ElementNo, VersionNo, u32)>,
}

impl<'a> Gathered<'a> {
    /// Starts with no event.
    pub fn new(server: &'a Server, context: &'a Context, request: &'a HistoryRequest) -> Gathered<'a> {
        let (rooms, subjects, events, labelled) = Default::default();
        Gathered { server, context, request, rooms, subjects, events, labelled }
    }

    /// Adds the events of one argument.
    ///
    /// # Errors
    /// If there is no such object, or it cannot be read.
    pub fn target(&mut self, argument: u32, target: &Target) -> Outcome<()> {
        let scope = self.request.scope();
        if scope == HistoryScope::AllVobs {
            let view = self.server.current_view(self.context).ok();
            for vob in self.server.listed_vobs(&self.request.vobs) {
                let vob = vob?;
                let room = self.room(&vob, view.as_ref(), b"");
                if self.check_branch(room).is_ok() {
                    self.whole_vob(argument, room)?;
                }
            }
            return Ok(());
        }
        match target.target.as_ref().ok_or_else(|| Failure::internal("a call came without its object"))? {
            named if scope == HistoryScope::All => {
                let nothing = Pname::default();
                let pname = match named {
                    Named::Pname(pname) => pname,
                    Named::Selector(selector) => selector.vob.as_ref().unwrap_or(&nothing),
                };
                let vob = self.server.selected_vob(self.context, pname)?;
                let place = self.server.place(self.context, pname).ok();
                let above =
                    place.as_ref().map_or(&b""[..], |(_, inside)| facts::above(&pname.absolute, inside));
                let room = self.room(&vob, place.as_ref().map(|(view, _)| view), above);
                self.check_branch(room)?;
                self.whole_vob(argument, room)
            }
            Named::Pname(pname) => self.pname(argument, pname),
            Named::Selector(selector) => self.selector(argument, selector),
        }
    }

    /// Returns the events in the order of sending.
    ///
    /// # Errors
    /// If a VOB cannot be read.
    pub fn in_order(&mut self) -> Outcome<Vec<Light>> {
        self.labels()?;
        let mut events = std::mem::take(&mut self.events);
        events.sort_unstable_by_key(Light::place);
        Ok(events)
    }

    fn room(&mut self, vob: &Arc<MountedVob>, view: Option<&Arc<View>>, above: &[u8]) -> u32 {
        let same_view =
            |room: &Room| room.view.as_ref().map(|view| view.index) == view.map(|view| view.index);
        let same = |room: &Room| room.vob.index == vob.index && same_view(room) && room.above == above;
        let known = self.rooms.iter().position(same);
        known.unwrap_or_else(|| {
            self.rooms.push(Room {
                vob: Arc::clone(vob),
                view: view.cloned(),
                above: above.to_vec(),
                state: vob.vob.state(),
            });
            self.rooms.len() - 1
        }) as u32
    }

    pub(super) fn vob(&self, room: u32) -> Arc<MountedVob> {
        Arc::clone(&self.rooms[room as usize].vob)
    }

    /// Refuses a branch of which the VOB has no type.
    fn check_branch(&self, room: u32) -> Outcome<()> {
        let wanted = String::from_utf8_lossy(&self.request.branch);
        let leaf = wanted.rsplit('/').next().unwrap_or_default();
        let kind = TypeKind::Branch;
        match self.rooms[room as usize].state.type_named(kind, leaf) {
            None if !wanted.is_empty() => Err(not_found(type_object_kind(kind), leaf)),
            _ => Ok(()),
        }
    }

    fn subject(&mut self, argument: u32, room: u32, path: Option<Vec<u8>>) -> u32 {
        self.subjects.push(Subject { argument, room, path });
        (self.subjects.len() - 1) as u32
    }

    pub(super) fn push(&mut self, subject: u32, event: EventNo, time_ns: i64, sequence: u32, what: What) {
        let time_s = seconds(time_ns);
        if self.request.since_s.is_some_and(|since| time_s < since) {
            return;
        }
        self.events.push(Light { time_s, event, subject, sequence, what });
        let last = self.request.last as usize;
        // Who did it is known later: with `user` the newest are not yet the wanted ones.
        if last > 0 && self.request.user.is_empty() && self.events.len() >= last.saturating_add(SPARE) {
            self.events.select_nth_unstable_by_key(last, Light::place);
            self.events.truncate(last);
        }
    }

    fn pname(&mut self, argument: u32, pname: &Pname) -> Outcome<()> {
        let (view, inside) = self.server.place(self.context, pname)?;
        let resolved = self.server.host.resolve(&view, inside)?;
        let vob = &resolved.vob;
        let room = self.room(vob, Some(&view), facts::above(&pname.absolute, inside));
        self.check_branch(room)?;
        let contents = self.request.scope() != HistoryScope::Directory;
        // The working directory, when nobody named it, is `.` among its names.
        let path = if pname.typed.is_empty() { b".".to_vec() } else { Vec::new() };
        let mut seen = HashSet::new();
        let (number, part) = match resolved.found {
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(number) | Found::History(Place::Symlink(number)) => {
                return self.symlink(argument, room, number, path);
            }
            Found::Element { element, shown, .. } => {
                let is_shown = matches!(shown, Shown::Version(..) | Shown::CheckedOut(_));
                if contents && element.kind == ElementKind::Directory && is_shown {
                    seen.insert(element.number);
                    let state = view.directory(vob, element.number)?;
                    self.directory(argument, room, &view, state, &mut seen)?;
                }
                (element.number, Part::Whole)
            }
            Found::History(Place::Element(number)) => (number, Part::Whole),
            Found::History(Place::Branch(number, branch)) => (number, Part::Branch(branch)),
            Found::History(Place::Version(number, version)) => (number, Part::Version(version)),
            Found::History(Place::OwnCheckout(number)) => {
                let element = vob.element(number)?;
                let own = element.checkout_of(&view.uuid()).map(|checkout| checkout.number);
                (number, Part::Checkout(own.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?))
            }
            Found::History(Place::OtherCheckout(number, checkout)) => (number, Part::Checkout(checkout)),
            Found::History(Place::Directory(number, at)) => {
                if contents {
                    for (name, entry) in vob.vob.directory(number, at)?.iter() {
                        self.entry(argument, room, entry, name.to_vec(), &mut seen)?;
                    }
                }
                match at {
                    DirectoryAt::Version(version) => (number, Part::Version(version)),
                    DirectoryAt::CheckedOut(checkout) => (number, Part::Checkout(checkout)),
                }
            }
        };
        let subject = self.subject(argument, room, Some(path));
        self.element(subject, room, &*vob.element(number)?, part)
    }

    /// Adds what a directory catalogs, as far as the view shows it.
    fn directory(
        &mut self,
        argument: u32,
        room: u32,
        view: &View,
        top: Arc<DirectoryState>,
        seen: &mut HashSet<ElementNo>,
    ) -> Outcome<()> {
        let vob = self.vob(room);
        let bound = view.bound(&vob);
        let mut directories = vec![(Vec::new(), top)];
        while let Some((path, state)) = directories.pop() {
            let element_of = |(_, entry): (&[u8], Entry)| match entry {
                Entry::Element(number) => Some(number),
                Entry::Symlink(_) => None,
            };
            vob.vob.prefetch(&state.catalog.iter().filter_map(element_of).collect::<Vec<_>>())?;
            for (name, entry) in state.catalog.iter() {
                let path = join(&path, name);
                if let Entry::Element(number) = entry {
                    let element = vob.element(number)?;
                    let shown = view.select(&vob, &bound.descend(&state.path, name), &element);
                    if !matches!(shown, Shown::Version(..) | Shown::CheckedOut(_)) {
                        continue;
                    }
                    let recurse = self.request.scope() == HistoryScope::Recurse;
                    if recurse && element.kind == ElementKind::Directory && !seen.contains(&number) {
                        directories.push((path.clone(), facts::enter(view, &vob, &state, name, number)?));
                    }
                }
                self.entry(argument, room, entry, path, seen)?;
            }
        }
        Ok(())
    }

    /// Adds what a name leads to, unless another name led there.
    fn entry(
        &mut self,
        argument: u32,
        room: u32,
        entry: Entry,
        path: Vec<u8>,
        seen: &mut HashSet<ElementNo>,
    ) -> Outcome<()> {
        match entry {
            Entry::Symlink(number) => self.symlink(argument, room, number, path),
            Entry::Element(number) if seen.insert(number) => {
                let element = self.vob(room).element(number)?;
                let subject = self.subject(argument, room, Some(path));
                self.element(subject, room, &element, Part::Whole)
            }
            Entry::Element(_) => Ok(()),
        }
    }

    fn symlink(&mut self, argument: u32, room: u32, number: SymlinkNo, path: Vec<u8>) -> Outcome<()> {
        if self.request.branch.is_empty() {
            let link = self.vob(room).vob.symlink(number)?;
            let subject = self.subject(argument, room, Some(path));
            self.push(subject, link.event, link.created_ns, 0, What::Symlink);
        }
        Ok(())
    }

    fn selector(&mut self, argument: u32, selector: &Selector) -> Outcome<()> {
        let typed = selector.vob.clone().unwrap_or_default();
        let vob = self.server.selected_vob(self.context, &typed)?;
        let view = self.server.place(self.context, &typed).ok().map(|(view, _)| view);
        let room = self.room(&vob, view.as_ref(), b"");
        self.check_branch(room)?;
        let state = vob.vob.state();
        let name = String::from_utf8_lossy(&selector.name);
        let kind = match selector.kind() {
            SelectorKind::Unspecified => return Err(Failure::internal("a selector came without its kind")),
            SelectorKind::Vob => return self.vob_created(argument, room),
            SelectorKind::Oid | SelectorKind::Dbid => {
                let (object, checkout) = identified(&vob, &state, selector)?;
                let part = match (object, checkout) {
                    (VobObject::Vob, _) => return self.vob_created(argument, room),
                    (VobObject::Type(number), _) => {
                        let object = state.type_object(number).cloned();
                        let object = object.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
                        return self.type_told(argument, room, &object, false);
                    }
                    (_, Some(checkout)) | (VobObject::CheckOut(_, checkout), _) => Part::Checkout(checkout),
                    (VobObject::Branch(_, branch), None) => Part::Branch(branch),
                    (VobObject::Version(_, version), None) => Part::Version(version),
                    (VobObject::Element(_), None) => Part::Whole,
                };
                let number = object.element().ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
                let subject = self.subject(argument, room, None);
                return self.element(subject, room, &*vob.element(number)?, part);
            }
            SelectorKind::Hyperlink => {
                let (_, link) = find_hyperlink(&vob.vob, &state, &name)?;
                let time_ns = vob.vob.event(link.event)?.time_ns;
                let subject = self.subject(argument, room, Some(Vec::new()));
                let what = What::Hyperlink { link_type: link.link_type, number: link.number };
                self.push(subject, link.event, time_ns, 0, what);
                return Ok(());
            }
            SelectorKind::BranchType => TypeKind::Branch,
            SelectorKind::LabelType => TypeKind::Label,
            SelectorKind::ElementType => TypeKind::Element,
            SelectorKind::AttributeType => TypeKind::Attribute,
            SelectorKind::TriggerType => TypeKind::Trigger,
            SelectorKind::HyperlinkType => TypeKind::Hyperlink,
        };
        let object = state.type_named(kind, &name);
        let object = object.ok_or_else(|| not_found(type_object_kind(kind), &name))?;
        self.type_told(argument, room, object, false)
    }

    /// Adds the events of a type object. Those that every VOB begins with are not made in a list of `all`.
    fn type_told(&mut self, argument: u32, room: u32, object: &TypeObject, all: bool) -> Outcome<()> {
        if self.request.branch.is_empty() {
            let subject = self.subject(argument, room, Some(Vec::new()));
            let (number, event) = (object.number, object.event);
            if !(all && predefined::is_predefined(number)) {
                let time_ns = self.vob(room).vob.event(event)?.time_ns;
                self.push(subject, event, time_ns, number.0, What::Type(number));
            }
            self.attached(subject, room, VobObject::Type(number), &object.annotations, &|_| true)?;
        }
        Ok(())
    }

    fn vob_created(&mut self, argument: u32, room: u32) -> Outcome<()> {
        if self.request.branch.is_empty() {
            let vob = self.vob(room);
            let subject = self.subject(argument, room, Some(vob.tag.clone().into_bytes()));
            self.push(subject, EventNo(0), vob.vob.event(EventNo(0))?.time_ns, 0, What::Vob);
            let state = self.rooms[room as usize].state.clone();
            self.attached(subject, room, VobObject::Vob, &state.settings().annotations, &|_| true)?;
        }
        Ok(())
    }

    fn whole_vob(&mut self, argument: u32, room: u32) -> Outcome<()> {
        let (vob, state) = (self.vob(room), self.rooms[room as usize].state.clone());
        let all: Vec<ElementNo> = (0..state.header.elements).map(ElementNo).collect();
        for numbers in all.chunks(SEARCH_CHUNK) {
            vob.vob.prefetch(numbers)?;
            for number in numbers {
                if let Some(element) = vob.vob.element(*number)? {
                    let subject = self.subject(argument, room, None);
                    self.element(subject, room, &element, Part::Whole)?;
                }
            }
        }
        for object in state.present_types() {
            self.type_told(argument, room, object, true)?;
        }
        self.vob_created(argument, room)
    }
}
