//! The events of one element: its own record tells all but who and why.

use super::gather::Gathered;
use super::{Part, What};
use crate::server::proto::FailureCode;
use crate::server::service::facts;
use crate::server::state::Outcome;
use crate::vob::{Annotations, BranchNo, Deed, Element, VersionNo, VobObject};

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
        let is_shown = |object: VobObject| match object {
            VobObject::Branch(_, branch) => on(branch) && part.has_branches(),
            VobObject::Version(_, version) => {
                on(element.version(version).branch) && part.has_version(version)
            }
            VobObject::CheckOut(_, number) => {
                let held = element.checkouts.iter().find(|held| held.number == number);
                let shown = held.is_some_and(|held| on(held.branch) && part.has_checkout(number));
                shown && !self.request.no_checkouts
            }
            _ => only.is_none() && part == Part::Whole,
        };
        let annotations = element.annotations();
        self.attached(subject, room, VobObject::Element(number), annotations, &is_shown)?;
        if !self.request.minor {
            return Ok(());
        }
        for arrow in &element.hyperlinks {
            let object = VobObject::Version(number, arrow.from);
            if is_shown(object) {
                let time_ns = self.rooms[room as usize].vob.vob.event(arrow.event)?.time_ns;
                let what = What::Done(object, Deed::LinkAttached(arrow.link_type, arrow.number));
                self.push(subject, arrow.event, time_ns, AFTER_VERSIONS | arrow.number, what);
            }
        }
        for (label, version) in &element.labels {
            let object = VobObject::Version(number, *version);
            let attached = element.label_event(*label, *version);
            // Where it moved that is kept, with the version it came from.
            let is_kept = annotations.past.iter().any(|past| {
                let here = matches!(past.deed, Deed::LabelAttached(of_type, Some(_)) if of_type == *label);
                here && past.part == object.part() && Some(past.event) == attached
            });
            if !is_shown(object) || is_kept {
                continue;
            }
            match attached {
                None => self.labelled.push((room, *label, number, *version, subject)),
                Some(event) => {
                    let time_ns = self.rooms[room as usize].vob.vob.event(event)?.time_ns;
                    let what = What::Done(object, Deed::LabelAttached(*label, None));
                    self.push(subject, event, time_ns, AFTER_VERSIONS | version.0, what);
                }
            }
        }
        Ok(())
    }

    /// Adds what was done to the parts of a holder of which `is_shown` holds. A hyperlink counts where it starts, or
    /// where it ends if it starts in another VOB.
    pub(super) fn attached(
        &mut self,
        subject: u32,
        room: u32,
        holder: VobObject,
        annotations: &Annotations,
        is_shown: &dyn Fn(VobObject) -> bool,
    ) -> Outcome<()> {
        let minor = self.request.minor;
        let mut push = |object: VobObject, event, deed: Deed, place: u32| {
            if is_shown(object) {
                let time_ns = self.vob(room).vob.event(event)?.time_ns;
                self.push(subject, event, time_ns, AFTER_VERSIONS | place, What::Done(object, deed));
            }
            Outcome::Ok(())
        };
        for (place, past) in (0..).zip(&annotations.past) {
            if minor || !past.deed.is_minor() {
                push(holder.with_part(past.part), past.event, past.deed, place)?;
            }
        }
        if !minor {
            return Ok(());
        }
        let after = annotations.past.len() as u32;
        for (place, instance) in (after..).zip(&annotations.attributes) {
            // That one was removed is among what is past.
            if instance.value.is_some() {
                let deed = Deed::AttributeAttached(instance.attribute);
                push(holder.with_part(instance.part), instance.event, deed, place)?;
            }
        }
        for link in &annotations.links {
            let first = link.objects().next().filter(|object| object.holder() == holder);
            if let Some(object) = first {
                push(object, link.event, Deed::LinkAttached(link.link_type, link.number), link.number)?;
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
            let made = self.rooms[room as usize].state.types().get(label.index()).map(|object| object.event);
            let Some(made) = made else {
                continue;
            };
            let time_ns = self.vob(room).vob.event(made)?.time_ns;
            for (_, label, element, version, subject) in of_label {
                let object = VobObject::Version(*element, *version);
                let what = What::Done(object, Deed::LabelAttached(*label, None));
                self.push(*subject, made, time_ns, AFTER_VERSIONS | version.0, what);
            }
        }
        Ok(())
    }
}
