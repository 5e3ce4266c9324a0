//! mkbranch.

use super::checkout::{hold, unseen};
use super::pick::{self, Wanted};
use super::{Done, Operation, Outcome, Outcomes, Refused, Target, each, target};
use crate::model::{BRANCHES, Element, LABELS, LOST, Model, NO_BRANCH, Shown, Spot};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Makes a branch.
#[derive(Debug)]
pub struct MakeBranch {
    view: usize,
    path: String,
    kind: String,
    no_checkout: bool,
    /// A version selector; empty: what the view shows.
    version: String,
}

impl MakeBranch {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::element(model, random, Wanted::NotCheckedOut);
        let kind = if random.percent(5) { NO_BRANCH } else { random.one_of(&BRANCHES) };
        let version = if random.percent(30) { selector(random) } else { String::new() };
        Rc::new(MakeBranch { view, path, kind: kind.to_owned(), no_checkout: random.percent(40), version })
    }

    fn outcome(&self, model: &mut Model) -> Outcome {
        let view = self.view;
        let target = target(model, view, &self.path)?;
        let id = target.id;
        if id == LOST {
            return Err(FailureCode::Other.into());
        }
        let element = model.elements[id].clone();
        if !self.no_checkout && element.checkouts[view].is_some() {
            return Err(FailureCode::AlreadyCheckedOut.into());
        }
        let point = self.point(&element, &target)?;
        let kind = BRANCHES.iter().position(|kind| *kind == self.kind).ok_or(FailureCode::TypeNotFound)?;
        if let Some(branch) = element.branch_of(Some(kind)) {
            return Err(Refused::at(FailureCode::BranchExists, element.branch_id(branch)));
        }
        if element.version(point).emptied && !self.no_checkout {
            return Err(FailureCode::DataRemoved.into());
        }
        let notice = format!("CREATED_BRANCH {} {}", self.kind, element.version_id(point));
        let branch = model.change(id).sprout(kind, point);
        let mut done = Done { notices: vec![notice], ..Done::told("from  reserved false") };
        if !self.no_checkout {
            hold(model, view, id, (branch, 0), true, false);
            let version = model.elements[id].version_id((branch, 0));
            done.words = format!("from {version} reserved true");
            done.notices.extend(unseen(model, view, &target));
        }
        Ok(done)
    }

    fn point(&self, element: &Element, target: &Target) -> Result<Spot, Refused> {
        if !self.version.is_empty() {
            return selected(element, &self.version);
        }
        match target.shown {
            Shown::Version(spot) => Ok(spot),
            Shown::CheckedOut => Err(FailureCode::VersionIsCheckedOut.into()),
            Shown::Nothing | Shown::Error => Err(FailureCode::NoVersionSelected.into()),
        }
    }
}

/// A version selector of a command.
pub fn selector(random: &mut Random) -> String {
    match random.below(6) {
        0 => "/main/0".to_owned(),
        1 => format!("/main/{}", random.below(4)),
        2 | 3 => "/main/LATEST".to_owned(),
        4 => format!(".../{}/LATEST", random.one_of(&BRANCHES)),
        _ => random.one_of(&LABELS).to_string(),
    }
}

/// The version that a version selector selects.
pub fn selected(element: &Element, selector: &str) -> Result<Spot, Refused> {
    let missing = || Refused::from(FailureCode::VersionNotFound);
    if let Some(number) = selector.strip_prefix("/main/") {
        return match number.parse() {
            Ok(number) => element.find((0, number)).map(|version| (0, version.number)).ok_or_else(missing),
            Err(_) => Ok(element.newest(0)),
        };
    }
    if let Some(label) = LABELS.iter().position(|label| *label == selector) {
        return element.labels.get(&label).copied().ok_or_else(missing);
    }
    let kind = BRANCHES.iter().position(|kind| selector == format!(".../{kind}/LATEST"));
    element
        .branch_of(kind)
        .filter(|_| kind.is_some())
        .map(|branch| element.newest(branch))
        .ok_or_else(missing)
}

impl Operation for MakeBranch {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![self.outcome(model)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let pname = Some(product.pname(self.view, &names.real(&self.path)));
        let reply = product.make_branch(MakeBranchRequest {
            context: product.context(self.view),
            branch_type: product.selector(self.view, SelectorKind::BranchType, &self.kind),
            arguments: vec![CheckoutArgument { pname, ..CheckoutArgument::default() }],
            no_checkout: self.no_checkout,
            version: self.version.clone().into_bytes(),
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<MakeBranchOutcome> for Outcomes {
    fn from(outcome: MakeBranchOutcome) -> Outcomes {
        match outcome.outcome {
            Some(make_branch_outcome::Outcome::Done(done)) => done.into(),
            Some(make_branch_outcome::Outcome::Failure(BranchFailure { failure: Some(failure), .. })) => {
                Outcomes::Failed(failure)
            }
            _ => Outcomes::Silent,
        }
    }
}
