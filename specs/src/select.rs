//! Version selection: which version of an element a spec picks, by which rule, and why not by earlier ones. Owns
//! the decision; must not know names, source text or where facts come from. No I/O, no clock, no allocation
//! (except for explanations).

use crate::automaton::PathState;
use crate::bind::{BoundRule, BoundScope, BoundSelector, BoundSpec, BoundVersion, Branches, PathMatch};
use crate::compile::RuleIndex;
use crate::query::{QueryFacts, QueryObject};
use crate::selector::BranchStep;

/// Facts of one element and its version tree.
///
/// Type ids are those of [`TypeNames`](crate::TypeNames); branches are numbered densely within the element, 0 being the root branch
/// and a branch having a higher number than its parent. Callbacks (`each`) may call the other methods.
pub trait ElementFacts {
    /// Whether the element is a directory.
    fn is_directory(&self) -> bool;
    /// Its element type.
    fn element_type(&self) -> u32;
    /// The type of a branch.
    fn branch_type(&self, branch: u32) -> u32;
    /// The branch of this type that sprouts from any version of `parent`.
    fn sub_branch(&self, parent: u32, branch_type: u32) -> Option<u32>;
    /// Calls `each` with every branch of a type.
    fn branches_of_type(&self, branch_type: u32, each: &mut dyn FnMut(u32));
    /// Whether a version exists (and was not removed).
    fn has_version(&self, branch: u32, number: u32) -> bool;
    /// The highest surviving version number on a branch, of those created at or before `not_after_ns`
    /// (nanoseconds since 1970) if given. `None` also when the branch itself is younger.
    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32>;
    /// Calls `each` with branch and number of every version that carries a label.
    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32));
    /// Whether the element is checked out to the view that asks.
    fn checked_out(&self) -> bool;
    /// The same element, with the facts that only queries and `-config` ask for.
    fn query_facts(&self) -> &dyn QueryFacts;

    /// The branch that a branch sprouts from; `None` for the root branch. Asked only for paths with `...` after
    /// their first component. The default tries every branch with a lower number.
    fn parent_branch(&self, branch: u32) -> Option<u32> {
        let branch_type = self.branch_type(branch);
        (0..branch).rev().find(|&parent| self.sub_branch(parent, branch_type) == Some(branch))
    }
}

/// What a spec decides for an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// A checked-in version.
    Version {
        /// Branch number within the element.
        branch: u32,
        /// Version number on the branch.
        number: u32,
        /// The deciding rule.
        rule: RuleIndex,
    },
    /// The version checked out to the asking view.
    CheckedOut {
        /// The deciding rule.
        rule: RuleIndex,
    },
    /// No version: the element is not visible.
    None {
        /// The `-none` rule that decided; `None` when no rule matched.
        rule: Option<RuleIndex>,
    },
    /// The name is visible, access to it is an error.
    Error {
        /// The deciding rule.
        rule: RuleIndex,
        /// Why.
        reason: ErrorReason,
    },
}

/// Why a selection is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorReason {
    /// The rule says `-error`.
    ErrorRule,
    /// The rule's selector fits more than one version.
    Ambiguous,
}

/// Why a rule did not decide. Who words it matches every case: a new one must be worded before anything builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The pattern belongs to another VOB.
    OtherVob,
    /// The pattern does not match the path.
    Pattern,
    /// The element is of another kind or type than the rule's scope.
    Scope,
    /// The VOB has no element type of the name.
    NoSuchElementType,
    /// The VOB has no branch type of the name.
    NoSuchBranchType,
    /// The element has no such branch.
    NoSuchBranch,
    /// The VOB has no label type of the name.
    NoSuchLabelType,
    /// No version (on the branch) carries the label.
    NotLabelled,
    /// The branch has no such version.
    NoSuchVersion,
    /// No version on the branch is as old as the rule's time.
    BranchYoungerThanTime,
    /// The element is not checked out to the asking view.
    NotCheckedOut,
    /// The query holds for no version (on the branch).
    QueryFails,
    /// The config record does not mention the element.
    NotInConfigRecord,
}

impl BoundSpec {
    /// Calls `each` with branch and number of every version that a rule of this spec fits, perhaps more than once:
    /// the candidates of an [ambiguous](ErrorReason::Ambiguous) selection.
    pub fn each_fitting<E: ElementFacts + ?Sized>(
        &self,
        rule: RuleIndex,
        element: &E,
        each: &mut dyn FnMut(u32, u32),
    ) {
        if let Some(bound) = self.bound_rules().get(rule.0 as usize) {
            bound.selector.each_version(element, bound.time, each);
        }
    }

    /// Decides which version of the element at `at` the spec picks. Takes time for the rules whose pattern matches
    /// the path and whose types the VOB has, not for the others.
    pub fn select<E: ElementFacts + ?Sized>(&self, at: &PathState, element: &E) -> Selection {
        let mut from = 0;
        while let Some((index, bound)) = self.next_rule(at, from) {
            if let Ok(selection) = try_rule(bound, RuleIndex(index), element) {
                return selection;
            }
            from = index + 1;
        }
        Selection::None { rule: None }
    }

    /// As [`select`](Self::select), and tells for every rule before the deciding one, in order, why it did not
    /// decide: the n-th miss is that of rule n. When no rule decides, there is a miss for each. Takes time for
    /// every rule.
    pub fn select_explained<E: ElementFacts + ?Sized>(
        &self,
        at: &PathState,
        element: &E,
    ) -> (Selection, Vec<Miss>) {
        let mut misses = Vec::new();
        for (bound, index) in self.bound_rules().iter().zip(0..) {
            let outcome = match self.path_match(bound, at) {
                PathMatch::OtherVob => Err(Miss::OtherVob),
                PathMatch::No => Err(Miss::Pattern),
                PathMatch::Yes => try_rule(bound, RuleIndex(index), element),
            };
            match outcome {
                Ok(selection) => return (selection, misses),
                Err(miss) => misses.push(miss),
            }
        }
        (Selection::None { rule: None }, misses)
    }
}

/// Asks one rule whose pattern matches.
fn try_rule<E: ElementFacts + ?Sized>(
    bound: &BoundRule,
    rule: RuleIndex,
    element: &E,
) -> Result<Selection, Miss> {
    let in_scope = match bound.scope {
        BoundScope::Any => true,
        BoundScope::File => !element.is_directory(),
        BoundScope::Directory => element.is_directory(),
        BoundScope::Type(wanted) => element.element_type() == wanted,
        BoundScope::NoSuchType => return Err(Miss::NoSuchElementType),
    };
    if !in_scope {
        return Err(Miss::Scope);
    }
    match &bound.selector {
        BoundSelector::None => return Ok(Selection::None { rule: Some(rule) }),
        BoundSelector::Error => {
            return Ok(Selection::Error { rule, reason: ErrorReason::ErrorRule });
        }
        BoundSelector::CheckedOut if element.checked_out() => return Ok(Selection::CheckedOut { rule }),
        _ => {}
    }
    let mut found = Found::Nothing;
    let miss =
        bound.selector.each_version(element, bound.time, &mut |branch, number| found.add(branch, number));
    match found {
        Found::Nothing => Err(miss),
        Found::One(branch, number) => Ok(Selection::Version { branch, number, rule }),
        Found::Several => Ok(Selection::Error { rule, reason: ErrorReason::Ambiguous }),
    }
}

impl BoundSelector {
    /// Calls `each` with branch and number of every checked-in version that the selector fits, perhaps more than
    /// once. Answers why there was none, if there was none.
    pub(crate) fn each_version<E: ElementFacts + ?Sized>(
        &self,
        element: &E,
        time: Option<i64>,
        each: &mut dyn FnMut(u32, u32),
    ) -> Miss {
        match self {
            BoundSelector::CheckedOut => Miss::NotCheckedOut,
            // These two decide without a version; a query of versions never holds one of them.
            BoundSelector::None | BoundSelector::Error => Miss::NoSuchVersion,
            BoundSelector::Never(miss) => *miss,
            BoundSelector::Label(label) => {
                element.labelled(*label, each);
                Miss::NotLabelled
            }
            BoundSelector::OnBranch(branches, BoundVersion::Label(label)) => {
                element.labelled(*label, &mut |branch, number| {
                    if branches.contain(element, branch) {
                        each(branch, number);
                    }
                });
                Miss::NotLabelled
            }
            BoundSelector::OnBranch(branches, BoundVersion::Number(number)) => {
                let mut miss = Miss::NoSuchBranch;
                branches.each(element, &mut |branch| {
                    miss = Miss::NoSuchVersion;
                    if element.has_version(branch, *number) {
                        each(branch, *number);
                    }
                });
                miss
            }
            BoundSelector::OnBranch(branches, BoundVersion::Latest) => {
                let mut miss = Miss::NoSuchBranch;
                branches.each(element, &mut |branch| match element.latest(branch, time) {
                    Some(number) => each(branch, number),
                    None if time.is_some() && element.latest(branch, None).is_some() => {
                        miss = Miss::BranchYoungerThanTime;
                    }
                    None => miss = Miss::NoSuchVersion,
                });
                miss
            }
            BoundSelector::OnBranch(branches, BoundVersion::Query(query)) => {
                let mut miss = Miss::NoSuchBranch;
                let facts = element.query_facts();
                branches.each(element, &mut |branch| {
                    miss = Miss::QueryFails;
                    facts.versions(branch, &mut |number| {
                        let holds = query.holds(QueryObject::Version { branch, number }, facts);
                        if holds {
                            each(branch, number);
                        }
                        !holds
                    });
                });
                miss
            }
            BoundSelector::Query(query) => {
                let facts = element.query_facts();
                for branch in 0..facts.branch_count() {
                    facts.versions(branch, &mut |number| {
                        if query.holds(QueryObject::Version { branch, number }, facts) {
                            each(branch, number);
                        }
                        true
                    });
                }
                Miss::QueryFails
            }
            BoundSelector::Config(versions) => {
                let Some((branches, number)) = versions.get(&element.query_facts().oid()) else {
                    return Miss::NotInConfigRecord;
                };
                let mut miss = Miss::NoSuchBranch;
                branches.each(element, &mut |branch| {
                    miss = Miss::NoSuchVersion;
                    if element.has_version(branch, *number) {
                        each(branch, *number);
                    }
                });
                miss
            }
        }
    }
}

/// The versions that fit a selector, as far as they matter.
enum Found {
    Nothing,
    One(u32, u32),
    Several,
}

impl Found {
    fn add(&mut self, branch: u32, number: u32) {
        *self = match *self {
            Found::Nothing => Found::One(branch, number),
            Found::One(b, n) if (b, n) == (branch, number) => Found::One(b, n),
            Found::One(..) | Found::Several => Found::Several,
        };
    }
}

impl Branches {
    /// Calls `each` with every branch of the element that the path names.
    fn each<E: ElementFacts + ?Sized>(&self, element: &E, each: &mut dyn FnMut(u32)) {
        match self {
            Branches::FromRoot { root, below } => {
                if element.branch_type(0) == *root
                    && let Some(branch) = descend(element, 0, below)
                {
                    each(branch);
                }
            }
            Branches::Anywhere { first, below } => element.branches_of_type(*first, &mut |start| {
                if let Some(branch) = descend(element, start, below) {
                    each(branch);
                }
            }),
            Branches::Mixed(steps) => {
                // A version of a path that ends in `...` is looked for by its label, not by its branch.
                if let Some(BranchStep::Type(last)) = steps.last() {
                    element.branches_of_type(*last, &mut |branch| {
                        if path_fits(element, steps, Some(branch)) {
                            each(branch);
                        }
                    });
                }
            }
        }
    }

    /// Whether the path names this branch.
    pub(crate) fn contain<E: ElementFacts + ?Sized>(&self, element: &E, branch: u32) -> bool {
        match self {
            Branches::FromRoot { below, .. } if below.is_empty() && branch != 0 => false,
            Branches::Anywhere { first, below } if below.is_empty() => element.branch_type(branch) == *first,
            Branches::FromRoot { .. } | Branches::Anywhere { .. } => {
                let mut contained = false;
                self.each(element, &mut |named| contained |= named == branch);
                contained
            }
            Branches::Mixed(steps) => path_fits(element, steps, Some(branch)),
        }
    }
}

fn descend<E: ElementFacts + ?Sized>(element: &E, from: u32, types: &[u32]) -> Option<u32> {
    types.iter().try_fold(from, |branch, &branch_type| element.sub_branch(branch, branch_type))
}

/// Whether the steps name the whole way from the root branch to `branch`; `None` is the place above the root.
fn path_fits<E: ElementFacts + ?Sized>(element: &E, steps: &[BranchStep<u32>], branch: Option<u32>) -> bool {
    match (steps, branch) {
        ([], branch) => branch.is_none(),
        ([before @ .., BranchStep::AnyLevels], Some(branch)) => {
            path_fits(element, before, Some(branch))
                || path_fits(element, steps, element.parent_branch(branch))
        }
        ([before @ .., BranchStep::AnyLevels], None) => path_fits(element, before, None),
        ([before @ .., BranchStep::Type(wanted)], Some(branch)) => {
            element.branch_type(branch) == *wanted
                && path_fits(element, before, element.parent_branch(branch))
        }
        ([.., BranchStep::Type(_)], None) => false,
    }
}
