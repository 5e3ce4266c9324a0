//! Which versions an ambiguous rule fits: asks the spec again for each version alone.
//!
//! So nothing here knows what selectors there are.

use crate::vob::VersionNo;
use crate::vob::element::Seen;
use clerestory_specs::{BoundSpec, ElementFacts, PathState, RuleIndex, Selection};

/// Versions asked for, newest first. Each costs one selection, about a microsecond for a short spec.
const VERSIONS_TRIED_MAX: usize = 10_000;

/// Returns the versions of an element that a rule fits, in the order they were made, and whether all were tried.
pub fn of(bound: &BoundSpec, path: &PathState, seen: &Seen<'_>, rule: RuleIndex) -> (Vec<VersionNo>, bool) {
    let versions = &seen.element.versions;
    let fits = |number: &VersionNo| {
        let version = seen.element.version(*number);
        let only = Only { all: seen, branch: version.branch.0, number: version.number };
        matches!(bound.select(path, &only), Selection::Version { rule: by, .. } if by == rule)
    };
    let newest = (0..versions.len() as u32).rev().take(VERSIONS_TRIED_MAX).map(VersionNo);
    let mut found: Vec<VersionNo> = newest.filter(fits).collect();
    found.reverse();
    (found, versions.len() <= VERSIONS_TRIED_MAX)
}

/// An element as if it had one version.
struct Only<'a> {
    all: &'a Seen<'a>,
    branch: u32,
    number: u32,
}

impl ElementFacts for Only<'_> {
    fn is_directory(&self) -> bool {
        self.all.is_directory()
    }

    fn element_type(&self) -> u32 {
        self.all.element_type()
    }

    fn branch_type(&self, branch: u32) -> u32 {
        self.all.branch_type(branch)
    }

    fn sub_branch(&self, parent: u32, branch_type: u32) -> Option<u32> {
        self.all.sub_branch(parent, branch_type)
    }

    fn branches_of_type(&self, branch_type: u32, each: &mut dyn FnMut(u32)) {
        self.all.branches_of_type(branch_type, each);
    }

    fn has_version(&self, branch: u32, number: u32) -> bool {
        (branch, number) == (self.branch, self.number)
    }

    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32> {
        self.all.latest(branch, not_after_ns).filter(|number| self.has_version(branch, *number))
    }

    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32)) {
        self.all.labelled(label_type, &mut |branch, number| {
            if self.has_version(branch, number) {
                each(branch, number);
            }
        });
    }

    fn checked_out(&self) -> bool {
        self.all.checked_out()
    }

    fn parent_branch(&self, branch: u32) -> Option<u32> {
        self.all.parent_branch(branch)
    }
}

#[cfg(test)]
mod tests {
    use super::super::absence::tests::element;
    use super::*;
    use crate::vob::{Element, TypeNo};
    use clerestory_specs::{ConfigSpec, Environment, ErrorReason, TypeNames};

    struct Types;

    impl TypeNames for Types {
        fn branch_type(&self, name: &str) -> Option<u32> {
            ["main", "fix"].iter().position(|known| *known == name).map(|number| number as u32)
        }

        fn label_type(&self, name: &str) -> Option<u32> {
            (name == "REL").then_some(7)
        }

        fn element_type(&self, _name: &str) -> Option<u32> {
            None
        }
    }

    /// The candidates of a spec's only rule, which must be ambiguous.
    fn candidates(rule: &str, element: &Element) -> Vec<u32> {
        let environment = Environment {
            now: jiff::Timestamp::UNIX_EPOCH,
            zone: jiff::tz::TimeZone::UTC,
            read_include: &|_, _| Err(std::io::ErrorKind::NotFound.into()),
            vob_tag_of: &|_| None,
            home: None,
        };
        let spec = ConfigSpec::compile(rule.as_bytes(), std::path::Path::new("spec"), &environment).unwrap();
        let bound = spec.bind(&Types, b"/vobs/x");
        let (path, seen) = (bound.at_vob_root(), Seen { element, view: None });
        let reason = ErrorReason::Ambiguous;
        assert_eq!(bound.select(&path, &seen), Selection::Error { rule: RuleIndex(0), reason }, "{rule}");
        let (found, complete) = of(&bound, &path, &seen, RuleIndex(0));
        assert!(complete);
        found.into_iter().map(|version| version.0).collect()
    }

    #[test]
    fn every_version_that_an_ambiguous_rule_fits_is_found() {
        // Versions 0..3 on /main; 3..5 and 5..7 on branches of one type.
        let mut twice = element(&[(None, &[true; 3]), (Some(1), &[true; 2]), (Some(2), &[true; 2])]);
        twice.branches[2].branch_type = TypeNo(1);
        twice.labels = vec![(TypeNo(7), VersionNo(1)), (TypeNo(7), VersionNo(4))];
        assert_eq!(candidates("element * REL", &twice), [1, 4]);
        assert_eq!(candidates("element * .../fix/LATEST", &twice), [4, 6]);
        assert_eq!(candidates("element * .../fix/0", &twice), [3, 5]);
    }
}
