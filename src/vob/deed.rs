//! Events that the objects themselves do not show (any more): locks that were set and taken away, labels that
//! moved, attributes that were removed, branches that are gone.
//!
//! Pure data. Each object keeps its own, so that its history is told without a look at the journal. What is
//! still attached is not among them: its record names the event that attached it.

use super::annotation::{Annotations, Part};
use super::identity::{EventNo, TypeNo, VersionNo};
use serde::{Deserialize, Serialize};

/// How many events an object keeps, those of its parts included; the oldest go first. Five bytes each: 25 KB of a
/// record that is read whole.
pub const KEPT: usize = 5_000;

/// What an event did to an object.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum Deed {
    /// It was locked.
    Locked,
    /// Its lock was taken away.
    Unlocked,
    /// Its owner, group or permission bits changed.
    Protected,
    /// It got another type.
    Retyped,
    /// The comment of an event was changed.
    Commented,
    /// The type object got another name.
    Renamed,
    /// An attribute of this type was attached to it.
    AttributeAttached(TypeNo),
    /// An attribute of this type was removed from it.
    AttributeRemoved(TypeNo),
    /// It became the start of the hyperlink of this type with this number.
    LinkAttached(TypeNo, u32),
    /// It was the start of the hyperlink of this type with this number, which was removed.
    LinkRemoved(TypeNo, u32),
    /// The version got a label, moved from another version of the element if one is given.
    LabelAttached(TypeNo, Option<VersionNo>),
    /// The version lost a label, moved to another version of the element if one is given.
    LabelRemoved(TypeNo, Option<VersionNo>),
    /// A version of the branch was removed.
    VersionDestroyed,
    /// A branch of this type that sprouted from the branch was removed.
    BranchDestroyed(TypeNo),
    /// An element of the VOB was removed.
    ElementDestroyed,
    /// This type object of the VOB was removed.
    TypeDestroyed(TypeNo),
    /// A trigger type was attached to it.
    TriggerAttached(TypeNo),
    /// A trigger type was taken from it.
    TriggerRemoved(TypeNo),
}

impl Deed {
    /// Tells whether listings leave it out unless it is asked for: what is said with attributes, hyperlinks, labels
    /// and comments.
    pub fn is_minor(self) -> bool {
        match self {
            Deed::AttributeAttached(_)
            | Deed::AttributeRemoved(_)
            | Deed::LinkAttached(..)
            | Deed::LinkRemoved(..)
            | Deed::LabelAttached(..)
            | Deed::LabelRemoved(..)
            | Deed::TriggerAttached(_)
            | Deed::TriggerRemoved(_)
            | Deed::Commented => true,
            Deed::Locked
            | Deed::Unlocked
            | Deed::Protected
            | Deed::Retyped
            | Deed::Renamed
            | Deed::VersionDestroyed
            | Deed::BranchDestroyed(_)
            | Deed::ElementDestroyed
            | Deed::TypeDestroyed(_) => false,
        }
    }
}

/// An event that an object keeps.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct PastEvent {
    /// Which part of its holder it is about.
    pub part: Part,
    /// The event.
    pub event: EventNo,
    /// What it did.
    pub deed: Deed,
}

impl Annotations {
    /// Keeps an event, once.
    pub(super) fn note(&mut self, part: Part, event: EventNo, deed: Deed) {
        let past = PastEvent { part, event, deed };
        if self.past.last() != Some(&past) {
            self.past.push(past);
        }
        if self.past.len() > KEPT {
            self.past.remove(0);
        }
    }

    /// Keeps the event that attached a label which is about to go, unless it is kept because the label moved here.
    pub(super) fn note_label(&mut self, part: Part, event: EventNo, label: TypeNo) {
        let is_it = |past: &PastEvent| {
            let attached = matches!(past.deed, Deed::LabelAttached(of_type, _) if of_type == label);
            attached && (past.part, past.event) == (part, event)
        };
        if !self.past.iter().any(is_it) {
            self.note(part, event, Deed::LabelAttached(label, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_events_are_kept_each_once() {
        let mut annotations = Annotations::default();
        for event in 0..KEPT as u32 {
            annotations.note(Part::Whole, EventNo(event), Deed::Locked);
            annotations.note(Part::Whole, EventNo(event), Deed::Locked);
        }
        assert_eq!((annotations.past.len(), annotations.past[0].event), (KEPT, EventNo(0)));
        annotations.note(Part::Whole, EventNo(KEPT as u32), Deed::Unlocked);
        assert_eq!((annotations.past.len(), annotations.past[0].event), (KEPT, EventNo(1)));
        assert_eq!(annotations.past[KEPT - 1].deed, Deed::Unlocked);
    }
}
