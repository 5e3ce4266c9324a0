//! The way through the rules as it is told: each rule with its text and place, each miss with its reason.

use crate::server::proto::{ExplainedRule, MissedRule, RuleMiss, RuleScope, RuleTrail};
use crate::server::service::facts::{self, seconds};
use crate::vob::{TypeKind, VobState};
use clerestory_specs::{BoundSpec, BranchStep, Miss, Rule, RuleIndex, Scope, Selector, VersionName};
use std::os::unix::ffi::OsStrExt;

/// Tells which rule decided, and why those before it did not: the n-th miss is that of rule n.
pub fn trail(bound: &BoundSpec, state: &VobState, decided: Option<RuleIndex>, misses: &[Miss]) -> RuleTrail {
    let missed = misses.iter().zip(0..).map(|(miss, index)| {
        let rule = bound.rule(RuleIndex(index));
        MissedRule {
            rule: Some(explained(rule, index)),
            why: reason(*miss).into(),
            type_name: type_name(state, rule, *miss).unwrap_or_default().into(),
        }
    });
    RuleTrail {
        decided_by: decided.map(|index| explained(bound.rule(index), index.0)),
        missed: missed.collect(),
    }
}

fn explained(rule: &Rule, index: u32) -> ExplainedRule {
    ExplainedRule {
        index,
        text: rule.text.clone(),
        file: rule.file.as_os_str().as_bytes().to_vec(),
        line: rule.line,
        make_branch: rule.mkbranch.clone().unwrap_or_default().into(),
        imposed_branch: facts::split_rule(&rule.selector_text, rule.mkbranch.as_deref()).2,
        no_checkout: rule.no_checkout,
        not_after_s: rule.time.map(seconds),
        scope: match rule.scope {
            Scope::Any => RuleScope::Any,
            Scope::File => RuleScope::File,
            Scope::Directory => RuleScope::Directory,
            Scope::ElementType(_) => RuleScope::ElementType,
        }
        .into(),
    }
}

/// Every reason has its code: one that is new in the config-spec crate needs a line here, one in the protocol, and
/// its words in the client.
fn reason(miss: Miss) -> RuleMiss {
    match miss {
        Miss::OtherVob => RuleMiss::OtherVob,
        Miss::Pattern => RuleMiss::Pattern,
        Miss::Scope => RuleMiss::Scope,
        Miss::NoSuchElementType => RuleMiss::NoSuchElementType,
        Miss::NoSuchBranchType => RuleMiss::NoSuchBranchType,
        Miss::NoSuchBranch => RuleMiss::NoSuchBranch,
        Miss::NoSuchLabelType => RuleMiss::NoSuchLabelType,
        Miss::NotLabelled => RuleMiss::NotLabelled,
        Miss::NoSuchVersion => RuleMiss::NoSuchVersion,
        Miss::BranchYoungerThanTime => RuleMiss::BranchYoungerThanTime,
        Miss::NotCheckedOut => RuleMiss::NotCheckedOut,
        Miss::QueryFails => RuleMiss::QueryFails,
        Miss::NotInConfigRecord => RuleMiss::NotInConfigRecord,
    }
}

/// The name in a rule to which a miss is due.
fn type_name(state: &VobState, rule: &Rule, miss: Miss) -> Option<String> {
    let is_unknown = |step: &&BranchStep| match step {
        BranchStep::Type(name) => state.type_named(TypeKind::Branch, name).is_none(),
        BranchStep::AnyLevels => false,
    };
    match (miss, &rule.selector, &rule.scope) {
        (Miss::NoSuchElementType, _, Scope::ElementType(name)) => Some(name.clone()),
        (Miss::NoSuchLabelType | Miss::NotLabelled, Selector::Label(name), _) => Some(name.clone()),
        (
            Miss::NoSuchLabelType | Miss::NotLabelled,
            Selector::OnBranch { version: VersionName::Label(name), .. },
            _,
        ) => Some(name.clone()),
        (Miss::NoSuchBranchType, Selector::OnBranch { branches, .. }, _) => {
            match branches.iter().find(is_unknown) {
                Some(BranchStep::Type(name)) => Some(name.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}
