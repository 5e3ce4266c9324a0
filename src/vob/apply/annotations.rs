//! What is attached to objects: locks, attributes, hyperlinks, comments; and who owns them.

use super::{Refused, Work, no_such};
use crate::vob::annotation::{
    Annotations, AttributeInstance, Link, LinkEnd, Lock, LockRule, Part, VobObject,
};
use crate::vob::deed::Deed;
use crate::vob::definition::TypeProperties;
use crate::vob::element::ElementKind;
use crate::vob::identity::{BranchNo, ElementNo, EventNo, TypeNo, VersionNo};
use crate::vob::state::{TypeKind, TypeObject, predefined};
use crate::vob::trigger::TriggerLists;

impl Work<'_> {
    /// Makes sure that an object is there, and lasts.
    pub(super) fn present(&mut self, object: VobObject) -> Result<(), Refused> {
        match object {
            VobObject::Vob => Ok(()),
            VobObject::Type(number) => self.type_object(number).map(drop),
            VobObject::Element(number) => self.element(number).map(drop),
            VobObject::Branch(number, branch) => match self.element(number)?.has_branch(branch) {
                true => Ok(()),
                false => Err(no_such("branch", branch.0)),
            },
            VobObject::Version(number, version) => self.element_version(number, version).map(drop),
            VobObject::CheckOut(_, checkout) => Err(no_such("object that lasts", checkout)),
        }
    }

    /// Makes sure that a hyperlink can start or end at an object.
    fn is_linkable(&mut self, object: VobObject) -> Result<(), Refused> {
        let VobObject::CheckOut(number, checkout) = object else { return self.present(object) };
        match self.element(number)?.checkouts.iter().any(|held| held.number == checkout) {
            true => Ok(()),
            false => Err(no_such("checkout", checkout)),
        }
    }

    /// Changes what is attached to the holder of an object.
    fn annotate(&mut self, object: VobObject, change: impl FnOnce(&mut Annotations)) -> Result<(), Refused> {
        match object.holder() {
            VobObject::Type(number) => {
                let mut of_type = self.type_object(number)?;
                change(&mut of_type.annotations);
                self.replace_type(of_type);
            }
            VobObject::Element(number) => self.element(number)?.annotate(change),
            _ => change(&mut self.changes.state.settings_mut().annotations),
        }
        Ok(())
    }

    /// Keeps what this event did to an object.
    pub(super) fn note(&mut self, object: VobObject, deed: Deed) -> Result<(), Refused> {
        let event = self.event;
        self.annotate(object, |annotations| annotations.note(object.part(), event, deed))
    }

    fn annotations(&mut self, object: VobObject) -> Result<Annotations, Refused> {
        Ok(match object.holder() {
            VobObject::Type(number) => self.type_object(number)?.annotations,
            VobObject::Element(number) => self.element(number)?.annotations().clone(),
            _ => self.changes.state.settings().annotations.clone(),
        })
    }

    pub(super) fn set_lock(&mut self, object: VobObject, rule: Option<&LockRule>) -> Result<(), Refused> {
        self.present(object)?;
        if let VobObject::Version(_, version) = object {
            return Err(no_such("object that can be locked", version.0));
        }
        let lock = rule.map(|rule| Lock { rule: rule.clone(), event: self.event });
        self.annotate(object, |annotations| {
            annotations.locks.retain(|(part, _)| *part != object.part());
            annotations.locks.extend(lock.map(|lock| (object.part(), lock)));
        })?;
        self.note(object, if rule.is_some() { Deed::Locked } else { Deed::Unlocked })
    }

    pub(super) fn protect(
        &mut self,
        object: VobObject,
        owner: Option<u32>,
        group: Option<u32>,
        mode: Option<u16>,
    ) -> Result<(), Refused> {
        match object {
            VobObject::Vob if mode.is_none() => {
                let header = &mut self.changes.state.header;
                header.owner = owner.unwrap_or(header.owner);
                header.group = group.unwrap_or(header.group);
            }
            VobObject::Type(number) if mode.is_none() => {
                let of_type = self.type_object(number)?;
                let header = &self.changes.state.header;
                let now = of_type.owner_and_group().unwrap_or((header.owner, header.group));
                let protection = Some((owner.unwrap_or(now.0), group.unwrap_or(now.1)));
                self.replace_type(TypeObject { protection, ..of_type });
            }
            VobObject::Element(number) => {
                let element = self.element(number)?;
                element.owner = owner.unwrap_or(element.owner);
                element.group = group.unwrap_or(element.group);
                element.mode = mode.map_or(element.mode, |mode| mode & 0o7777);
                self.changes.protected.insert(number);
            }
            _ => return Err(no_such("object that can be protected so", 0)),
        }
        self.note(object, Deed::Protected)
    }

    pub(super) fn change_triggers(
        &mut self,
        number: ElementNo,
        trigger: TypeNo,
        lists: TriggerLists,
        present: bool,
    ) -> Result<(), Refused> {
        self.type_of_kind(trigger, TypeKind::Trigger)?;
        let element = self.element(number)?;
        if present && lists != TriggerLists::Attached && element.kind != ElementKind::Directory {
            return Err(Refused::WrongKind(element.kind));
        }
        let mut changed = false;
        element.annotate(|annotations| changed = annotations.triggers.change(trigger, lists, present));
        let deed = if present { Deed::TriggerAttached(trigger) } else { Deed::TriggerRemoved(trigger) };
        if changed { self.note(VobObject::Element(number), deed) } else { Ok(()) }
    }

    pub(super) fn set_vob_groups(&mut self, groups: &[u32]) {
        let mut groups = groups.to_vec();
        groups.sort_unstable();
        groups.dedup();
        self.changes.state.settings_mut().groups = groups;
    }

    pub(super) fn change_element_type(
        &mut self,
        number: ElementNo,
        element_type: TypeNo,
    ) -> Result<(), Refused> {
        self.type_of_kind(element_type, TypeKind::Element)?;
        let is_directory = self.changes.state.is_directory_type(element_type);
        let element = self.element(number)?;
        if is_directory != (element.kind == ElementKind::Directory) {
            return Err(Refused::WrongKind(element.kind));
        }
        element.element_type = element_type;
        self.note(VobObject::Element(number), Deed::Retyped)
    }

    pub(super) fn change_branch_type(
        &mut self,
        number: ElementNo,
        branch: BranchNo,
        branch_type: TypeNo,
    ) -> Result<(), Refused> {
        self.type_of_kind(branch_type, TypeKind::Branch)?;
        self.present(VobObject::Branch(number, branch))?;
        let per_branch = self.type_object(branch_type)?.is_per_branch();
        let element = self.element(number)?;
        let former = element.branch(branch).branch_type;
        let from = element.branch(branch).from;
        let in_the_way = match from {
            Some(from) => super::branch_in_the_way(element, from, branch_type, per_branch),
            None => element.branch_with_type(branch_type),
        };
        if let Some(other) = in_the_way.filter(|other| *other != branch) {
            return Err(Refused::BranchExists { branch_type, branch: other });
        }
        element.branches[branch.index()].branch_type = branch_type;
        self.note_name(former);
        self.note_name(branch_type);
        self.note(VobObject::Branch(number, branch), Deed::Retyped)
    }

    pub(super) fn change_comment(
        &mut self,
        object: VobObject,
        event: EventNo,
        comment: &str,
    ) -> Result<(), Refused> {
        self.present(object)?;
        if event.0 >= self.changes.state.header.events {
            return Err(no_such("event", event.0));
        }
        self.annotate(object, |annotations| {
            annotations.comments.retain(|(at, _)| *at != event);
            annotations.comments.push((event, comment.to_owned()));
        })?;
        self.note(object, Deed::Commented)
    }

    pub(super) fn set_attribute(
        &mut self,
        object: VobObject,
        attribute: TypeNo,
        value: Option<&str>,
    ) -> Result<(), Refused> {
        self.type_of_kind(attribute, TypeKind::Attribute)?;
        self.present(object)?;
        if let Some(value) = value {
            let of_type = self.type_object(attribute)?;
            if let Some(TypeProperties::Attribute { value_type, .. }) =
                of_type.definition.as_ref().map(|definition| &definition.properties)
                && !value_type.accepts(value)
            {
                return Err(Refused::BadDefinition(format!("not a value of that type: {value}")));
            }
        }
        // A version may have the attribute from the event that made it: then its absence is kept too.
        let keeps_absence = matches!(object, VobObject::Version(..));
        let instance = AttributeInstance {
            part: object.part(),
            attribute,
            value: value.map(str::to_owned),
            event: self.event,
        };
        let event = self.event;
        self.annotate(object, |annotations| {
            let part = object.part();
            let is_former = |held: &AttributeInstance| (held.part, held.attribute) == (part, attribute);
            let former = annotations.attributes.iter().find(|held| is_former(held) && held.value.is_some());
            let attached = former.map(|former| former.event);
            annotations.attributes.retain(|held| !is_former(held));
            if let Some(attached) = attached {
                annotations.note(part, attached, Deed::AttributeAttached(attribute));
            }
            if instance.value.is_none() {
                annotations.note(part, event, Deed::AttributeRemoved(attribute));
            }
            if instance.value.is_some() || keeps_absence {
                annotations.attributes.push(instance);
            }
        })
    }

    pub(super) fn create_link(
        &mut self,
        link_type: TypeNo,
        from: &LinkEnd,
        to: Option<&LinkEnd>,
        texts: (&str, &str),
    ) -> Result<(), Refused> {
        self.type_of_kind(link_type, TypeKind::Hyperlink)?;
        let link = Link {
            number: self.changes.state.header.hyperlinks,
            link_type,
            from: from.clone(),
            to: to.cloned(),
            from_text: texts.0.to_owned(),
            to_text: texts.1.to_owned(),
            event: self.event,
        };
        let objects: Vec<VobObject> = link.objects().collect();
        let first = *objects.first().ok_or(no_such("end of a hyperlink", link.number))?;
        for object in &objects {
            self.is_linkable(*object)?;
            self.annotate(*object, |annotations| {
                if !annotations.links.iter().any(|held| held.number == link.number) {
                    annotations.links.push(link.clone());
                }
            })?;
        }
        self.changes.hyperlinks.insert(link.number, Some(first));
        self.changes.state.header.hyperlinks += 1;
        Ok(())
    }

    pub(super) fn remove_link(&mut self, number: u32, at: VobObject) -> Result<(), Refused> {
        let (start, link_type, attached) = self.take_link(number, at)?;
        if let VobObject::CheckOut(..) = start {
            return Ok(());
        }
        let event = self.event;
        self.annotate(start, |annotations| {
            annotations.note(start.part(), attached, Deed::LinkAttached(link_type, number));
            annotations.note(start.part(), event, Deed::LinkRemoved(link_type, number));
        })
    }

    /// Makes the hyperlinks of a checkout those of the version that it became.
    pub(super) fn move_links(
        &mut self,
        number: ElementNo,
        checkout: u32,
        version: VersionNo,
    ) -> Result<(), Refused> {
        let (from, to) = (VobObject::CheckOut(number, checkout), VobObject::Version(number, version));
        let held = self.element(number)?.annotations().links.iter();
        let links: Vec<Link> = held.filter(|link| link.objects().any(|end| end == from)).cloned().collect();
        for link in links {
            let moved = link.moved(from, to);
            for object in link.objects() {
                self.annotate(object, |annotations| {
                    let held = annotations.links.iter_mut().find(|held| held.number == link.number);
                    held.into_iter().for_each(|held| *held = moved.clone());
                })?;
            }
            self.changes.hyperlinks.insert(link.number, moved.objects().next());
        }
        Ok(())
    }

    /// Takes a hyperlink away; answers the object of this VOB at which it starts, or else ends, its type, and the
    /// event that made it.
    fn take_link(&mut self, number: u32, at: VobObject) -> Result<(VobObject, TypeNo, EventNo), Refused> {
        if let VobObject::Element(holder) = at.holder() {
            let element = self.element(holder)?;
            if let Some(place) = element.hyperlinks.iter().position(|link| link.number == number) {
                let link = element.hyperlinks.remove(place);
                self.changes.hyperlinks.insert(number, None);
                return Ok((VobObject::Version(holder, link.from), link.link_type, link.event));
            }
        }
        let held = self.annotations(at)?.links.into_iter().find(|link| link.number == number);
        let link = held.ok_or(no_such("hyperlink", number))?;
        for object in link.objects() {
            self.annotate(object, |annotations| annotations.links.retain(|held| held.number != number))?;
        }
        self.changes.hyperlinks.insert(number, None);
        let start = link.objects().next().ok_or(no_such("end of a hyperlink", number))?;
        Ok((start, link.link_type, link.event))
    }

    /// Removes what is attached to the parts of an element of which `gone` holds, hyperlinks from both ends.
    pub(super) fn detach(&mut self, number: ElementNo, gone: &dyn Fn(Part) -> bool) -> Result<(), Refused> {
        let element = self.element(number)?;
        let is_gone = |object: VobObject| object.element() == Some(number) && gone(object.part());
        let links: Vec<u32> = element
            .annotations()
            .links
            .iter()
            .filter(|link| link.objects().any(is_gone))
            .map(|link| link.number)
            .collect();
        let is_cut =
            |link: &crate::vob::Hyperlink| gone(Part::Version(link.from)) || gone(Part::Version(link.to));
        let arrows: Vec<u32> =
            element.hyperlinks.iter().filter(|link| is_cut(link)).map(|link| link.number).collect();
        for link in links.into_iter().chain(arrows) {
            self.remove_link(link, VobObject::Element(number))?;
        }
        let element = self.element(number)?;
        if element.annotations.is_some() {
            element.annotate(|annotations| {
                annotations.locks.retain(|(part, _)| !gone(*part));
                annotations.attributes.retain(|instance| !gone(instance.part));
                annotations.past.retain(|past| !gone(past.part));
            });
        }
        Ok(())
    }
}

impl TypeObject {
    /// Returns numeric owner and group; none for predefined and imported types, which are the VOB's.
    pub fn owner_and_group(&self) -> Option<(u32, u32)> {
        let defined = self.definition.as_ref().map(|definition| (definition.owner, definition.group));
        self.protection
            .or(defined)
            .filter(|_| !predefined::is_predefined(self.number) || self.protection.is_some())
    }
}
