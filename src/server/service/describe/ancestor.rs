//! The closest common ancestor of versions: what they are merged against.
//!
//! Pure. A version descends from its predecessor, and from what Merge hyperlinks lead from to it.

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
pub(super) fn closest_common(element: &Element, objects: &[VobObject]) -> Option<VersionNo> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::service::facts::tests::{FOO, Fixture};
    use crate::vob::Operation;

    #[test]
    fn merges_bring_the_common_ancestor_nearer() {
        let fixture = Fixture::new();
        let element = fixture.vob.element(FOO).unwrap();
        let version = |number: u32| VobObject::Version(FOO, VersionNo(number));
        // Two versions of which neither descends from the other.
        let newest: Vec<VersionNo> =
            element.present_branches().map(|(branch, _)| element.newest(branch)).collect();
        let (main, side) = (newest[0], newest[1]);
        let point = element.branch(element.version(side).branch).from.unwrap();
        assert_eq!(closest_common(&element, &[version(0)]), Some(VersionNo::ROOT));
        // It was merged back to where it sprouts.
        assert_eq!(closest_common(&element, &[version(side.0), version(point.0)]), Some(side));
        assert_eq!(closest_common(&element, &[version(0), version(main.0)]), Some(VersionNo::ROOT));
        let link_type = predefined::MERGE;
        let newer = Operation::CreateVersion {
            element: FOO,
            branch: element.version(main).branch,
            content: element.version(main).content,
            executable: false,
            effective_ns: None,
        };
        fixture.commit(4000, "anne", "", &[], vec![newer]);
        let to = VersionNo(element.versions.len() as u32);
        let merge = Operation::CreateHyperlink { link_type, element: FOO, from: side, to };
        fixture.commit(4100, "anne", "", &[], vec![merge]);
        let element = fixture.vob.element(FOO).unwrap();
        assert_eq!(closest_common(&element, &[version(to.0), version(side.0)]), Some(side));
        assert_eq!(closest_common(&element, &[version(side.0), version(main.0), version(to.0)]), {
            closest_common(&element, &[version(side.0), version(main.0)])
        });
    }
}
