//! The versions of an element that a query can hold for, found by what is attached to them instead of by asking
//! every version: a label of a hundred is on one version of a thousand. Owns which primitives lead to versions;
//! [`BoundQuery::holds`] still decides.

use super::evaluate::{BoundQuery, Node, QueryFacts, QueryObject, selects_each};

/// Versions as branch and number.
type Versions = Vec<(u32, u32)>;

impl BoundQuery {
    /// Calls `each` with branch and number of every version on the branches of which `on` holds, if the query holds
    /// for it: branch after branch, ascending by number.
    pub fn each_version(
        &self,
        facts: &dyn QueryFacts,
        on: &dyn Fn(u32) -> bool,
        each: &mut dyn FnMut(u32, u32),
    ) {
        let holds = |branch: u32, number: u32| self.holds(QueryObject::Version { branch, number }, facts);
        let candidates = match self.0.candidates(facts) {
            Some(candidates) => candidates,
            None => all_versions(facts, on),
        };
        for (branch, number) in candidates {
            if on(branch) && holds(branch, number) {
                each(branch, number);
            }
        }
    }
}

fn all_versions(facts: &dyn QueryFacts, on: &dyn Fn(u32) -> bool) -> Versions {
    let mut all = Vec::new();
    for branch in (0..facts.branch_count()).filter(|branch| on(*branch)) {
        let first = all.len();
        facts.versions(branch, &mut |number| {
            all.push((branch, number));
            true
        });
        all[first..].reverse();
    }
    all
}

impl Node {
    /// The versions that the query can hold for, in order; none where that can be any.
    fn candidates(&self, facts: &dyn QueryFacts) -> Option<Versions> {
        let mut found = match self {
            Node::And(a, b) => match (a.candidates(facts), b.candidates(facts)) {
                (Some(a), Some(b)) => Some(if a.len() <= b.len() { a } else { b }),
                (a, b) => a.or(b),
            },
            Node::Or(a, b) => {
                let mut found = a.candidates(facts)?;
                found.extend(b.candidates(facts)?);
                Some(found)
            }
            Node::Never => Some(Vec::new()),
            Node::LabelType { label, .. } => {
                let mut found = Vec::new();
                facts.labelled(*label, &mut |branch, number| found.push((branch, number)));
                Some(found)
            }
            Node::Version(selector) => {
                let mut found = Vec::new();
                selects_each(selector, facts, &mut |branch, number| found.push((branch, number)));
                Some(found)
            }
            Node::ElementType(wanted) => (facts.element_type() != *wanted).then(Vec::new),
            Node::BranchType(wanted) => {
                let mut branches = Vec::new();
                facts.branches_of_type(*wanted, &mut |branch| branches.push(branch));
                Some(all_versions(facts, &|branch| branches.contains(&branch)))
            }
            Node::Not(_)
            | Node::Attribute { .. }
            | Node::AttributeType { .. }
            | Node::HyperlinkType { .. }
            | Node::CreatedBy(_)
            | Node::CreatedSince(_)
            | Node::Merge(..)
            | Node::Pool(_)
            | Node::TriggerType(_) => None,
        }?;
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}
