//! A config spec bound to one VOB: names become ids, patterns one automaton. Owns [`BoundSpec`] and the walk from
//! directory to child; must not know elements, whose facts are `select`'s.

use std::collections::HashMap;
use std::sync::Arc;

use crate::automaton::{Accept, Automaton, Builder, PathState, first_from};
use crate::compile::{ConfigSpec, Rule, RuleIndex};
use crate::grammar::Scope;
use crate::pattern::{Pattern, trim_slashes};
use crate::query::BoundQuery;
use crate::select::Miss;
use crate::selector::{BranchStep, Selector, VersionName};

/// The types of one VOB. `None`: the VOB has no such type, and rules that name it never match there.
pub trait TypeNames {
    /// The id of a branch type.
    fn branch_type(&self, name: &str) -> Option<u32>;
    /// The id of a label type.
    fn label_type(&self, name: &str) -> Option<u32>;
    /// The id of an element type.
    fn element_type(&self, name: &str) -> Option<u32>;
    /// The id of a hyperlink type.
    fn hyperlink_type(&self, name: &str) -> Option<u32>;
    /// Whether an element may have one branch of the type on each of its branches, instead of one in all.
    fn is_once_per_branch(&self, branch_type: u32) -> bool;
}

/// A spec bound to one VOB: selection compares integers only. Bind again when types of the VOB are made, renamed
/// or removed.
#[derive(Debug)]
pub struct BoundSpec {
    source: Arc<[Rule]>,
    rules: Vec<BoundRule>,
    automaton: Automaton,
    root: PathState,
    /// The rules that can decide and whose pattern every path matches, ascending.
    everywhere: Vec<u32>,
    /// Some rule's pattern matches every path.
    any_everywhere: bool,
}

#[derive(Debug)]
pub(crate) struct BoundRule {
    pattern: BoundPattern,
    pub scope: BoundScope,
    pub selector: BoundSelector,
    pub time: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
enum BoundPattern {
    Always,
    OtherVob,
    If(Accept),
}

/// Whether a rule speaks of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathMatch {
    Yes,
    No,
    OtherVob,
}

#[derive(Debug)]
pub(crate) enum BoundScope {
    Any,
    File,
    Directory,
    Type(u32),
    NoSuchType,
}

#[derive(Debug)]
pub(crate) enum BoundSelector {
    CheckedOut,
    None,
    Error,
    /// A name is unknown in this VOB.
    Never(Miss),
    Label(u32),
    OnBranch(Branches, BoundVersion),
    Query(BoundQuery),
    /// By the identity of the element: branch types from the root branch down, and the version's number.
    Config(HashMap<[u8; 16], (Branches, u32)>),
}

#[derive(Debug)]
pub(crate) enum BoundVersion {
    Number(u32),
    Latest,
    Label(u32),
    Query(BoundQuery),
}

/// A branch path as type ids, by the way to find its branches.
#[derive(Debug)]
pub(crate) enum Branches {
    /// `/main/a/b`
    FromRoot { root: u32, below: Vec<u32> },
    /// `.../a/b`
    Anywhere { first: u32, below: Vec<u32> },
    /// `...` elsewhere.
    Mixed(Vec<BranchStep<u32>>),
}

impl ConfigSpec {
    /// Resolves the names of the spec in the VOB with this tag. Never fails: a rule with an unknown name does not
    /// match in this VOB.
    pub fn bind(&self, names: &dyn TypeNames, vob_tag: &[u8]) -> BoundSpec {
        let vob_tag = trim_slashes(vob_tag);
        let mut automaton = Builder::default();
        let rules = self.rules().iter().map(|rule| BoundRule {
            pattern: bind_pattern(&rule.pattern, vob_tag, &mut automaton),
            scope: match &rule.scope {
                Scope::Any => BoundScope::Any,
                Scope::File => BoundScope::File,
                Scope::Directory => BoundScope::Directory,
                Scope::ElementType(name) => {
                    names.element_type(name).map_or(BoundScope::NoSuchType, BoundScope::Type)
                }
            },
            selector: bind_selector(&rule.selector, names).unwrap_or_else(BoundSelector::Never),
            time: rule.time,
        });
        let rules: Vec<BoundRule> = rules.collect();
        let (mut everywhere, mut any_everywhere) = (Vec::new(), false);
        for (rule, index) in rules.iter().zip(0..) {
            any_everywhere |= matches!(rule.pattern, BoundPattern::Always);
            match rule.pattern {
                _ if !rule.can_decide() => {}
                BoundPattern::Always => everywhere.push(index),
                BoundPattern::OtherVob => {}
                BoundPattern::If(accept) => automaton.add_rule(accept, index),
            }
        }
        let automaton = automaton.finish();
        let root = automaton.root(vob_tag);
        BoundSpec { source: self.shared_rules(), rules, automaton, root, everywhere, any_everywhere }
    }
}

impl BoundRule {
    /// Whether the VOB has the types that the rule names.
    fn can_decide(&self) -> bool {
        !matches!(self.scope, BoundScope::NoSuchType) && !matches!(self.selector, BoundSelector::Never(_))
    }
}

fn bind_pattern(pattern: &Pattern, vob_tag: &[u8], automaton: &mut Builder) -> BoundPattern {
    match pattern.vob_tag() {
        Some(tag) if tag != vob_tag => BoundPattern::OtherVob,
        _ if pattern.matches_all() => BoundPattern::Always,
        _ => BoundPattern::If(automaton.add(pattern)),
    }
}

pub(crate) fn bind_selector(selector: &Selector, names: &dyn TypeNames) -> Result<BoundSelector, Miss> {
    let label = |name: &String| names.label_type(name).ok_or(Miss::NoSuchLabelType);
    Ok(match selector {
        Selector::CheckedOut => BoundSelector::CheckedOut,
        Selector::None => BoundSelector::None,
        Selector::Error => BoundSelector::Error,
        Selector::Label(name) => BoundSelector::Label(label(name)?),
        Selector::OnBranch { branches, version } => {
            let branches = bind_branches(branches, names)?;
            let version = match version {
                VersionName::Number(number) => BoundVersion::Number(*number),
                VersionName::Latest => BoundVersion::Latest,
                VersionName::Label(name) => BoundVersion::Label(label(name)?),
                VersionName::Query(query) => BoundVersion::Query(query.bind(names)),
            };
            BoundSelector::OnBranch(branches, version)
        }
        Selector::Query(query) => BoundSelector::Query(query.bind(names)),
        Selector::Config(config) => {
            let bound = config.record.versions().filter_map(|(element, branches, number)| {
                Some((element, (bind_branches(&branches, names).ok()?, number)))
            });
            BoundSelector::Config(bound.collect())
        }
    })
}

pub(crate) fn bind_branches(steps: &[BranchStep], names: &dyn TypeNames) -> Result<Branches, Miss> {
    let bind = |step: &BranchStep| match step {
        BranchStep::AnyLevels => Ok(BranchStep::AnyLevels),
        BranchStep::Type(name) => names.branch_type(name).map(BranchStep::Type).ok_or(Miss::NoSuchBranchType),
    };
    let steps: Vec<BranchStep<u32>> = steps.iter().map(bind).collect::<Result<_, _>>()?;
    // Only types, in order; `None` if there is a `...` among them.
    let types = |steps: &[BranchStep<u32>]| -> Option<Vec<u32>> {
        let id = |step: &BranchStep<u32>| match step {
            BranchStep::AnyLevels => None,
            BranchStep::Type(id) => Some(*id),
        };
        steps.iter().map(id).collect()
    };
    let simple = match steps.as_slice() {
        [BranchStep::AnyLevels, BranchStep::Type(first), below @ ..] => {
            types(below).map(|below| Branches::Anywhere { first: *first, below })
        }
        [BranchStep::Type(root), below @ ..] => {
            types(below).map(|below| Branches::FromRoot { root: *root, below })
        }
        _ => None,
    };
    Ok(simple.unwrap_or(Branches::Mixed(steps)))
}

impl BoundSpec {
    /// The state of the VOB's root directory, the components of its tag used up.
    pub fn at_vob_root(&self) -> PathState {
        self.root.clone()
    }

    /// The state of the child `name` (one component) of a directory. Takes time for the patterns that the path has
    /// a beginning in common with, not for the others. Allocates only where the path is in the middle of more
    /// than seven different patterns, and not if the state stays as it is.
    pub fn descend(&self, parent: &PathState, name: &[u8]) -> PathState {
        self.automaton.step(parent, name)
    }

    /// Whether some rule's pattern, scope apart, matches the path: then a VOB symbolic link there is visible.
    pub fn any_rule_matches(&self, at: &PathState) -> bool {
        self.any_everywhere || self.automaton.accepts_any(at)
    }

    /// The first rule whose pattern, scope apart, matches the path, which is why a VOB symbolic link there is
    /// visible, and for every rule before it, in order, why its pattern does not. When none matches, there is a miss
    /// for each.
    pub fn match_explained(&self, at: &PathState) -> (Option<RuleIndex>, Vec<Miss>) {
        let mut misses = Vec::new();
        for (rule, index) in self.rules.iter().zip(0..) {
            match self.path_match(rule, at) {
                PathMatch::Yes => return (Some(RuleIndex(index)), misses),
                PathMatch::No => misses.push(Miss::Pattern),
                PathMatch::OtherVob => misses.push(Miss::OtherVob),
            }
        }
        (None, misses)
    }

    /// The rule with an index that a [`Selection`](crate::Selection) of this spec gave; panics on any other.
    pub fn rule(&self, index: RuleIndex) -> &Rule {
        &self.source[index.0 as usize]
    }

    /// The first rule from `from` on that can decide in this VOB and whose pattern matches the path.
    pub(crate) fn next_rule(&self, at: &PathState, from: u32) -> Option<(u32, &BoundRule)> {
        let everywhere = first_from(&self.everywhere, from);
        let here = self.automaton.next_rule(at, from);
        let index = everywhere.into_iter().chain(here).min()?;
        // A state of another spec may name rules that this one does not have.
        Some((index, self.rules.get(index as usize)?))
    }

    pub(crate) fn bound_rules(&self) -> &[BoundRule] {
        &self.rules
    }

    pub(crate) fn path_match(&self, rule: &BoundRule, at: &PathState) -> PathMatch {
        match rule.pattern {
            BoundPattern::Always => PathMatch::Yes,
            BoundPattern::OtherVob => PathMatch::OtherVob,
            BoundPattern::If(accept) if self.automaton.accepts(at, accept) => PathMatch::Yes,
            BoundPattern::If(_) => PathMatch::No,
        }
    }
}
