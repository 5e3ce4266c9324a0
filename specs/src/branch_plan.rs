//! Auto-make-branch: which branches a checkout makes before it checks out, and from where. Owns the loop of
//! selecting, branching and selecting again, on a version tree that is extended in thought; must not know how
//! branches are really made.

use crate::automaton::PathState;
use crate::bind::{BoundSpec, TypeNames};
use crate::compile::RuleIndex;
use crate::query::{AttributeValue, LinkDirection, QueryFacts, QueryObject};
use crate::select::{ElementFacts, ErrorReason, Selection};

/// How many branches one checkout may make.
pub const MAX_NEW_BRANCHES: usize = 64;

/// Who makes branches, and when.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// The login name.
    pub login: &'a str,
    /// Nanoseconds since 1970 UTC.
    pub now_ns: i64,
}

/// What a checkout of an element has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchPlan {
    /// The branches to make first, in order. When `outcome` is a failure they are still made, as the product does.
    pub branches: Vec<NewBranch>,
    /// The branch whose newest version is to be checked out, or why nothing can be.
    pub outcome: Result<u32, PlanFailure>,
}

/// A branch to be made. The n-th of a plan is branch number `branch_count() + n` of the element, and has a version 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBranch {
    /// The name of its type.
    pub name: String,
    /// Its type.
    pub branch_type: u32,
    /// The branch and version that it sprouts from.
    pub from: (u32, u32),
    /// The rule that asks for it.
    pub rule: RuleIndex,
}

/// Why a checkout cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanFailure {
    /// The spec selects no version; by that rule, if one decided.
    NotSelected(Option<RuleIndex>),
    /// Access to the element is an error.
    Error(RuleIndex, ErrorReason),
    /// The element is checked out to the view already.
    CheckedOut,
    /// The rule says `-nocheckout`.
    NoCheckout(RuleIndex),
    /// The VOB has no branch type of that name.
    NoSuchBranchType(String),
    /// The element has a branch of the type already, which the spec does not select.
    BranchExists {
        /// The name of the type.
        name: String,
        /// The branch, perhaps one that the plan makes.
        branch: u32,
    },
    /// Branches of types that may occur on every branch would go on beyond [`MAX_NEW_BRANCHES`].
    TooManyBranches,
}

impl BoundSpec {
    /// Plans the checkout of the version that the spec selects for the element at `at`. Branches that are to be
    /// made count as created by `maker`, which matters to rules with a time or a query.
    pub fn plan_checkout(
        &self,
        names: &dyn TypeNames,
        at: &PathState,
        element: &dyn QueryFacts,
        maker: Maker,
    ) -> BranchPlan {
        let mut tree = Extended { element, made: Vec::new(), maker };
        let mut branches = Vec::new();
        let outcome = loop {
            let (branch, number, index) = match self.select(at, &tree) {
                Selection::Version { branch, number, rule } => (branch, number, rule),
                Selection::CheckedOut { .. } => break Err(PlanFailure::CheckedOut),
                Selection::None { rule } => break Err(PlanFailure::NotSelected(rule)),
                Selection::Error { rule, reason } => break Err(PlanFailure::Error(rule, reason)),
            };
            let rule = self.rule(index);
            if rule.no_checkout {
                break Err(PlanFailure::NoCheckout(index));
            }
            let Some(name) = &rule.mkbranch else { break Ok(branch) };
            let Some(branch_type) = names.branch_type(name) else {
                break Err(PlanFailure::NoSuchBranchType(name.clone()));
            };
            if tree.branch_type(branch) == branch_type {
                break Ok(branch);
            }
            let mut existing = None;
            if names.is_once_per_branch(branch_type) {
                existing = tree.sub_branch(branch, branch_type);
            } else {
                tree.branches_of_type(branch_type, &mut |found| existing = Some(found));
            }
            if let Some(branch) = existing {
                break Err(PlanFailure::BranchExists { name: name.clone(), branch });
            }
            if branches.len() == MAX_NEW_BRANCHES {
                break Err(PlanFailure::TooManyBranches);
            }
            tree.made.push(Made { branch_type, from: (branch, number) });
            branches.push(NewBranch { name: name.clone(), branch_type, from: (branch, number), rule: index });
        };
        BranchPlan { branches, outcome }
    }
}

/// A version tree with branches that are still to be made, each with its version 0.
struct Extended<'a> {
    element: &'a dyn QueryFacts,
    made: Vec<Made>,
    maker: Maker<'a>,
}

struct Made {
    branch_type: u32,
    from: (u32, u32),
}

impl Extended<'_> {
    /// The branch to be made with that number.
    fn made(&self, branch: u32) -> Option<&Made> {
        self.made.get(branch.checked_sub(self.element.branch_count())? as usize)
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, &Made)> {
        (self.element.branch_count()..).zip(&self.made)
    }

    fn is_made(&self, object: QueryObject) -> bool {
        match object {
            QueryObject::Element => false,
            QueryObject::Branch(branch) | QueryObject::Version { branch, .. } => self.made(branch).is_some(),
        }
    }
}

impl ElementFacts for Extended<'_> {
    fn is_directory(&self) -> bool {
        self.element.is_directory()
    }

    fn element_type(&self) -> u32 {
        self.element.element_type()
    }

    fn branch_type(&self, branch: u32) -> u32 {
        self.made(branch).map_or_else(|| self.element.branch_type(branch), |made| made.branch_type)
    }

    fn sub_branch(&self, parent: u32, branch_type: u32) -> Option<u32> {
        let existing = || self.element.sub_branch(parent, branch_type);
        let mut made = self.numbered();
        let new = made.find(|(_, made)| made.from.0 == parent && made.branch_type == branch_type);
        new.map(|(branch, _)| branch).or_else(|| existing().filter(|_| self.made(parent).is_none()))
    }

    fn branches_of_type(&self, branch_type: u32, each: &mut dyn FnMut(u32)) {
        self.element.branches_of_type(branch_type, each);
        let new = self.numbered().filter(|(_, made)| made.branch_type == branch_type);
        new.for_each(|(branch, _)| each(branch));
    }

    fn has_version(&self, branch: u32, number: u32) -> bool {
        if self.made(branch).is_some() { number == 0 } else { self.element.has_version(branch, number) }
    }

    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32> {
        match self.made(branch) {
            Some(_) => not_after_ns.is_none_or(|limit| self.maker.now_ns <= limit).then_some(0),
            None => self.element.latest(branch, not_after_ns),
        }
    }

    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32)) {
        self.element.labelled(label_type, each);
    }

    fn checked_out(&self) -> bool {
        self.element.checked_out()
    }

    fn parent_branch(&self, branch: u32) -> Option<u32> {
        match self.made(branch) {
            Some(made) => Some(made.from.0),
            None => self.element.parent_branch(branch),
        }
    }

    fn query_facts(&self) -> &dyn QueryFacts {
        self
    }
}

impl QueryFacts for Extended<'_> {
    fn oid(&self) -> [u8; 16] {
        self.element.oid()
    }

    fn branch_count(&self) -> u32 {
        self.element.branch_count() + self.made.len() as u32
    }

    fn versions(&self, branch: u32, each: &mut dyn FnMut(u32) -> bool) {
        match self.made(branch) {
            Some(_) => {
                each(0);
            }
            None => self.element.versions(branch, each),
        }
    }

    fn created_ns(&self, object: QueryObject) -> i64 {
        if self.is_made(object) { self.maker.now_ns } else { self.element.created_ns(object) }
    }

    fn created_by(&self, object: QueryObject, login: &str) -> bool {
        if self.is_made(object) { self.maker.login == login } else { self.element.created_by(object, login) }
    }

    fn attributes(&self, object: QueryObject, each: &mut dyn FnMut(&str, &AttributeValue)) {
        if !self.is_made(object) {
            self.element.attributes(object, each);
        }
    }

    fn hyperlinks(&self, object: QueryObject, each: &mut dyn FnMut(u32, LinkDirection)) {
        if !self.is_made(object) {
            self.element.hyperlinks(object, each);
        }
    }

    fn merges(&self, each: &mut dyn FnMut((u32, u32), (u32, u32))) {
        self.element.merges(each);
    }

    fn uses_pool(&self, name: &str) -> bool {
        self.element.uses_pool(name)
    }

    fn has_trigger(&self, name: &str) -> bool {
        self.element.has_trigger(name)
    }
}
