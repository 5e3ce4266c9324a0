//! The events of one element: its own record tells all but who and why.

use super::gather::Gathered;
use super::{Part, What};
use crate::server::proto::FailureCode;
use crate::server::service::facts;
use crate::server::state::Outcome;
use crate::vob::{Annotations, BranchNo, Element, VersionNo, VobObject};

/// Places of one element's events among those of the same moment: what comes after its versions.
const AFTER_VERSIONS: u32 = 1 << 31;

impl Gathered<'_> {
    pub(super) fn element(&mut self, subject: u32, room: u32, element: &Element, part: Part) -> Outcome<()> {
        let only = match &self.request.branch {
            branch if branch.is_empty() => None,
            branch => match facts::find_branch(&self.rooms[room as usize].state, element, branch) {
                Ok(found) => Some(found),
                Err(failure) if failure.code() == FailureCode::VersionNotFound => return Ok(()),
                Err(failure) => return Err(failure),
            },
        };
        let on = |branch: BranchNo| only.is_none_or(|only| only == branch) && part.has_branch(branch);
        let number = element.number;
        if only.is_none() && part == Part::Whole {
            let made_ns = element.version(VersionNo::ROOT).created_ns;
            self.push(subject, element.event, made_ns, 0, What::Element(number));
        }
        for (at, branch) in element.present_branches() {
            let Some(first) = branch.versions.first().filter(|_| on(at) && part.has_branches()) else {
                continue;
            };
            let made_ns = element.version(*first).created_ns;
            self.push(subject, branch.event, made_ns, 2 * first.0 + 1, What::Branch(number, at));
        }
        for (at, version) in element.present_versions() {
            if !on(version.branch) || !part.has_version(at) {
                continue;
            }
            // They differ where a time was preserved or clocks ran backwards.
            let made_ns = match version.created_ns == version.effective_ns {
                true => version.created_ns,
                false => self.rooms[room as usize].vob.vob.event(version.event)?.time_ns,
            };
            self.push(subject, version.event, made_ns, 2 * at.0 + 2, What::Version(number, at));
        }
        for checkout in element.checkouts.iter().filter(|_| !self.request.no_checkouts) {
            if on(checkout.branch) && part.has_checkout(checkout.number) {
                let what = What::Checkout(number, checkout.number);
                self.push(subject, checkout.event, checkout.created_ns, u32::MAX, what);
            }
        }
        if !self.request.minor {
            return Ok(());
        }
        let is_shown = |object: VobObject| match object {
            VobObject::Branch(_, branch) => on(branch) && part.has_branches(),
            VobObject::Version(_, version) => {
                on(element.version(version).branch) && part.has_version(version)
            }
            _ => only.is_none() && part == Part::Whole,
        };
        self.attached(subject, room, VobObject::Element(number), element.annotations(), &is_shown)?;
        for arrow in &element.hyperlinks {
            let object = VobObject::Version(number, arrow.from);
            if is_shown(object) {
                let time_ns = self.rooms[room as usize].vob.vob.event(arrow.event)?.time_ns;
                let what = What::Linked(object, arrow.link_type);
                self.push(subject, arrow.event, time_ns, AFTER_VERSIONS | arrow.number, what);
            }
        }
        for (label, version) in &element.labels {
            if !on(element.version(*version).branch) || !part.has_version(*version) {
                continue;
            }
            match element.label_event(*label, *version) {
                None => self.labelled.push((room, *label, number, *version, subject)),
                Some(event) => {
                    let time_ns = self.rooms[room as usize].vob.vob.event(event)?.time_ns;
                    let what = What::Labelled(number, *version, *label);
                    self.push(subject, event, time_ns, AFTER_VERSIONS | version.0, what);
                }
            }
        }
        Ok(())
    }

    /// Adds the attributes and hyperlinks of the parts of a holder of which `is_shown` holds. A hyperlink counts
    /// where it starts, or where it ends if it starts in another VOB.
    pub(super) fn attached(
        &mut self,
        subject: u32,
        room: u32,
        holder: VobObject,
        annotations: &Annotations,
        is_shown: &dyn Fn(VobObject) -> bool,
    ) -> Outcome<()> {
        for (place, instance) in (0..).zip(&annotations.attributes) {
            let object = holder.with_part(instance.part);
            if is_shown(object) {
                let what = match instance.value {
                    Some(_) => What::Attributed(object, instance.attribute),
                    None => What::Unattributed(object, instance.attribute),
                };
                let time_ns = self.vob(room).vob.event(instance.event)?.time_ns;
                self.push(subject, instance.event, time_ns, AFTER_VERSIONS | place, what);
            }
        }
        for link in &annotations.links {
            let first = link.objects().next().filter(|object| object.holder() == holder);
            if let Some(object) = first.filter(|object| is_shown(*object)) {
                let what = What::Linked(object, link.link_type);
                let time_ns = self.vob(room).vob.event(link.event)?.time_ns;
                self.push(subject, link.event, time_ns, AFTER_VERSIONS | link.number, what);
            }
        }
        Ok(())
    }

    /// Adds the labels that were attached by the event that made their type.
    pub(super) fn labels(&mut self) -> Outcome<()> {
        let mut labelled = std::mem::take(&mut self.labelled);
        labelled.sort_unstable();
        for of_label in labelled.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let Some(&(room, label, ..)) = of_label.first() else {
                continue;
            };
            let Some(object) = self.rooms[room as usize].state.types().get(label.index()).cloned() else {
                continue;
            };
            let event = self.vob(room).vob.event(object.event)?;
            for (_, label, element, version, subject) in of_label {
                let what = What::Labelled(*element, *version, *label);
                self.push(*subject, object.event, event.time_ns, AFTER_VERSIONS | version.0, what);
            }
        }
        Ok(())
    }
}
