//! Auto-make-branch: turns a plan of branches, which the config spec's rules made, into operations, notices and
//! failures. The plan itself is `specs`'s.

use crate::server::proto::{Failure, FailureCode, Notice, NoticeCode, ObjectKind};
use crate::view::resolve::{branch_id, version_id};
use crate::vob::{BranchNo, Element, Operation, TypeNo, VersionNo, VobState};
use clerestory_specs::{BranchPlan, PlanFailure};

/// What a plan makes of an element.
pub(super) struct PlannedBranches {
    /// The branches, as operations.
    pub operations: Vec<Operation>,
    /// One for each, as they are told.
    pub notices: Vec<Notice>,
    /// For each branch, the version it sprouts from.
    from: Vec<VersionNo>,
}

impl PlannedBranches {
    /// The newest version of a branch once the plan is followed.
    pub fn newest(&self, element: &Element, branch: BranchNo) -> VersionNo {
        match branch.index().checked_sub(element.branches.len()) {
            Some(made) => VersionNo((element.versions.len() + made) as u32),
            None => element.newest(branch),
        }
    }

    /// The existing version whose content a version has: versions 0 of new branches have what they sprout from.
    pub fn holder(&self, element: &Element, version: VersionNo) -> VersionNo {
        let made = version.index().checked_sub(element.versions.len());
        match made.and_then(|made| self.from.get(made)) {
            Some(from) => self.holder(element, *from),
            None => version,
        }
    }
}

/// The path of a branch, which may be one that a plan makes.
pub(super) fn branch_path(state: &VobState, element: &Element, plan: &BranchPlan, branch: u32) -> String {
    match (branch as usize).checked_sub(element.branches.len()).and_then(|index| plan.branches.get(index)) {
        Some(made) => format!("{}/{}", branch_path(state, element, plan, made.from.0), made.name),
        None => branch_id(state, element, BranchNo(branch)),
    }
}

/// Turns the branches of a plan into operations. Each has a version 0, which is the next version of the element.
pub(super) fn planned_branches(state: &VobState, element: &Element, plan: &BranchPlan) -> PlannedBranches {
    let version = |(branch, number): (u32, u32)| {
        let made = (branch as usize).checked_sub(element.branches.len());
        let existing = element.version_at(BranchNo(branch), number);
        existing.unwrap_or(VersionNo((element.versions.len() + made.unwrap_or(0)) as u32))
    };
    let from: Vec<VersionNo> = plan.branches.iter().map(|made| version(made.from)).collect();
    let operations = plan.branches.iter().zip(&from).map(|(made, from)| Operation::CreateBranch {
        element: element.number,
        from: *from,
        branch_type: TypeNo(made.branch_type),
    });
    let notices = plan.branches.iter().map(|made| {
        let from = match element.version_at(BranchNo(made.from.0), made.from.1) {
            Some(version) => version_id(state, element, version),
            None => format!("{}/{}", branch_path(state, element, plan, made.from.0), made.from.1),
        };
        let (name, version) = (made.name.clone().into_bytes(), from.into_bytes());
        Notice { code: NoticeCode::CreatedBranch.into(), name, version, ..Notice::default() }
    });
    PlannedBranches { operations: operations.collect(), notices: notices.collect(), from }
}

/// Says why a plan cannot be followed to its end.
pub(super) fn plan_failure(
    state: &VobState,
    element: &Element,
    plan: &BranchPlan,
    failure: &PlanFailure,
) -> Failure {
    match failure {
        PlanFailure::NotSelected(_) | PlanFailure::Error(..) => Failure::new(FailureCode::NoVersionSelected),
        PlanFailure::CheckedOut => Failure::new(FailureCode::AlreadyCheckedOut),
        PlanFailure::NoCheckout(_) => Failure::new(FailureCode::NoCheckoutRule),
        PlanFailure::NoSuchBranchType(name) => Failure {
            object_kind: ObjectKind::BranchType.into(),
            auto_branch: true,
            ..Failure::new(FailureCode::TypeNotFound).name(name.as_str())
        },
        PlanFailure::BranchExists { name, branch } => Failure {
            branch: branch_path(state, element, plan, *branch).into_bytes(),
            auto_branch: true,
            ..Failure::new(FailureCode::BranchExists).name(name.as_str())
        },
        PlanFailure::TooManyBranches => Failure {
            auto_branch: true,
            ..Failure::other("the config spec's -mkbranch rules ask for more branches, on and on")
        },
    }
}
