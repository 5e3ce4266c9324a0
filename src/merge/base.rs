//! The closest common ancestor of versions: what they are merged against.
//!
//! A version descends from its predecessor, and from what Merge hyperlinks lead from to it.

use crate::vob::state::predefined;
use crate::vob::{Element, LinkEnd, VersionNo, VobObject};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// From what each version and checkout of an element descends.
struct Descent<'a> {
    element: &'a Element,
    merged: HashMap<VobObject, Vec<VersionNo>>,
}

impl Descent<'_> {
    fn of(element: &Element) -> Descent<'_> {
        let mut merged: HashMap<VobObject, Vec<VersionNo>> = HashMap::new();
        for link in element.links().filter(|link| link.link_type == predefined::MERGE) {
            let (from, to) = (link.from.object(), link.to.as_ref().and_then(LinkEnd::object));
            if let (Some(VobObject::Version(number, from)), Some(to)) = (from, to)
                && number == element.number
                && to.element() == Some(number)
            {
                merged.entry(to).or_default().push(from);
            }
        }
        Descent { element, merged }
    }

    fn parents(&self, object: VobObject) -> Vec<VersionNo> {
        let before = match object {
            VobObject::Version(_, version) => {
                self.element.find_version(version).and_then(|version| version.predecessor)
            }
            VobObject::CheckOut(_, number) => {
                let held = self.element.checkouts.iter().find(|held| held.number == number);
                held.map(|held| held.from)
            }
            _ => None,
        };
        let merged = self.merged.get(&object).into_iter().flatten().copied();
        before.into_iter().chain(merged).filter(|version| self.element.has_version(*version)).collect()
    }

    /// All versions that an object descends from, the nearest first; a version is its own ancestor.
    fn ancestors(&self, object: VobObject) -> Vec<VersionNo> {
        let (mut met, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next: VecDeque<VobObject> = [object].into();
        while let Some(object) = next.pop_front() {
            if let VobObject::Version(_, version) = object {
                met.push(version);
            }
            for parent in self.parents(object) {
                if seen.insert(parent) {
                    next.push_back(VobObject::Version(self.element.number, parent));
                }
            }
        }
        met
    }
}

/// Finds the closest common ancestor of versions and checkouts of an element: of those that no other common one
/// descends from, the nearest to the first.
pub fn closest_common(element: &Element, objects: &[VobObject]) -> Option<VersionNo> {
    let descent = Descent::of(element);
    let (first, others) = objects.split_first()?;
    let mut common = descent.ancestors(*first);
    for other in others {
        let theirs: BTreeSet<VersionNo> = descent.ancestors(*other).into_iter().collect();
        common.retain(|version| theirs.contains(version));
    }
    let mut farther = BTreeSet::new();
    for version in &common {
        if !farther.contains(version) {
            let above = descent.ancestors(VobObject::Version(element.number, *version));
            farther.extend(above.into_iter().filter(|other| other != version));
        }
    }
    common.into_iter().find(|version| !farther.contains(version))
}

/// Tells whether an object descends from a version, or is that version.
pub fn descends(element: &Element, object: VobObject, from: VersionNo) -> bool {
    Descent::of(element).ancestors(object).contains(&from)
}

/// Lists what an object descends from and the object itself, the oldest first, each with the places of those that it was
/// made from, the predecessor first. Arrows that lead from later versions to earlier ones are left out.
pub fn history(element: &Element, object: VobObject) -> Vec<(VobObject, Vec<usize>)> {
    let descent = Descent::of(element);
    let mut versions = descent.ancestors(object);
    versions.sort_unstable();
    versions.dedup();
    let mut objects: Vec<VobObject> =
        versions.iter().map(|version| VobObject::Version(element.number, *version)).collect();
    if !matches!(object, VobObject::Version(..)) {
        objects.push(object);
    }
    let place =
        |at: usize, parent: VersionNo| versions.binary_search(&parent).ok().filter(|place| *place < at);
    let with_parents = |(at, object): (usize, &VobObject)| {
        let mut places: Vec<usize> = Vec::new();
        for parent in descent.parents(*object).into_iter().filter_map(|parent| place(at, parent)) {
            if !places.contains(&parent) {
                places.push(parent);
            }
        }
        (*object, places)
    };
    // What was asked for is the newest, whatever arrows lead from later versions to it.
    let end = objects.iter().position(|other| *other == object).map_or(0, |place| place + 1);
    objects[..end].iter().enumerate().map(with_parents).collect()
}

#[cfg(test)]
#[path = "base_tests.rs"]
mod tests;
