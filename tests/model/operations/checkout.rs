//! checkout.

use super::pick::{self, Wanted};
use super::uncheckout::put_beside;
use super::{Done, Operation, Outcome, Outcomes, Refused, Target, each, is_covered, target, walk};
use crate::model::{
    BRANCHES, Checkout, Element, Entry, File, Id, LOST, Model, NO_BRANCH, Shown, Spot, Trail, UMASK, Version,
};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Checks elements out.
#[derive(Debug)]
pub struct CheckOut {
    view: usize,
    paths: Vec<String>,
    unreserved: bool,
    no_data: bool,
    /// The version that is selected, instead of the newest.
    exact: bool,
    /// A branch type or the path of a branch; empty: that of the selected version.
    branch: String,
}

impl CheckOut {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::element(model, random, Wanted::NotCheckedOut);
        let mut paths = vec![path];
        while random.percent(15) {
            paths.push(pick::element_in(model, random, view, Wanted::NotCheckedOut));
        }
        let branch = match random.below(20) {
            0 => random.one_of(&BRANCHES).to_string(),
            1 => format!("/main/{}", random.one_of(&BRANCHES)),
            2 => NO_BRANCH.to_owned(),
            3 => "main".to_owned(),
            _ => String::new(),
        };
        let (unreserved, exact) = (random.percent(30), branch.is_empty() && random.percent(8));
        Rc::new(CheckOut { view, paths, unreserved, no_data: random.percent(5), exact, branch })
    }
}

/// What an element would be after the branches were made that a config spec's rules ask for.
pub struct Planned {
    pub element: Element,
    /// The notices of the branches.
    pub made: Vec<String>,
    /// The branch that is checked out, or why there is none.
    pub outcome: Result<usize, Refused>,
}

/// Makes the branches that rules ask for, each time looking again what is selected then.
pub fn make_branches(model: &Model, view: usize, element: &Element, trail: Trail) -> Planned {
    let mut element = element.clone();
    let mut made = Vec::new();
    let outcome = loop {
        let (shown, rule) = model.views[view].spec.select(&element, view, trail);
        let (spot, rule) = match (shown, rule) {
            (Shown::Version(spot), Some(rule)) => (spot, rule),
            (Shown::CheckedOut, _) => break Err(FailureCode::AlreadyCheckedOut.into()),
            _ => break Err(FailureCode::NoVersionSelected.into()),
        };
        if rule.no_checkout {
            break Err(FailureCode::NoCheckoutRule.into());
        }
        let Some(kind) = rule.make else { break Ok(spot.0) };
        if kind == BRANCHES.len() {
            break Err(FailureCode::TypeNotFound.into());
        }
        if element.branches[spot.0].kind == Some(kind) {
            break Ok(spot.0);
        }
        if let Some(branch) = element.branch_of(Some(kind)) {
            break Err(Refused::at(FailureCode::BranchExists, element.branch_id(branch)));
        }
        made.push(format!("CREATED_BRANCH {} {}", BRANCHES[kind], element.version_id(spot)));
        element.sprout(kind, spot);
    };
    Planned { element, made, outcome }
}

/// The permission bits of the data of a checked-out version.
fn data_mode(element: &Element, version: &Version) -> u32 {
    let readable = element.mode & 0o444;
    let execute = if version.executable { readable >> 2 } else { 0 };
    (readable | execute | 0o222) & !UMASK
}

/// Notes a checkout, and gives the view its data.
pub fn hold(model: &mut Model, view: usize, id: Id, from: Spot, reserved: bool, no_data: bool) {
    let element = model.change(id);
    let version = element.version(from).clone();
    let catalog = version.catalog.clone();
    element.checkouts[view] = Some(Checkout { branch: from.0, from: from.1, reserved, catalog });
    if !element.directory && !no_data {
        let mode = data_mode(element, &version);
        model.views[view].data.insert(id, File { content: version.content, mode });
    }
}

/// What is told where the view does not show the checkout that was just made: its data is put beside the element.
pub fn unseen(model: &mut Model, view: usize, target: &Target) -> Vec<String> {
    let mut notices = Vec::new();
    if model.select(view, target.id, target.trail).0 != Shown::CheckedOut {
        if let Some(data) = model.views[view].data.remove(&target.id)
            && let Some(leaf) = put_beside(model, view, target, ".checkedout", data)
        {
            notices.push(format!("COPIED_CHECKED_OUT {leaf}"));
        }
        notices.push("CHECKED_OUT_NOT_SELECTED".to_owned());
    }
    notices
}

impl CheckOut {
    fn outcome(&self, model: &mut Model, target: &Target) -> Outcome {
        let (view, id) = (self.view, target.id);
        if id == LOST {
            return Err(FailureCode::Other.into());
        }
        let element = model.elements[id].clone();
        if element.checkouts[view].is_some() {
            return Err(FailureCode::AlreadyCheckedOut.into());
        }
        if target.rule.is_some_and(|rule| rule.no_checkout) {
            return Err(FailureCode::NoCheckoutRule.into());
        }
        let Shown::Version(selected) = target.shown else {
            return Err(FailureCode::NoVersionSelected.into());
        };
        let mut notices = Vec::new();
        let mut after = element.clone();
        let from = match self.branch.as_str() {
            "" if self.exact => selected,
            "" => {
                let plan = make_branches(model, view, &element, target.trail);
                (after, notices) = (plan.element, plan.made);
                match plan.outcome {
                    Ok(branch) => after.newest(branch),
                    Err(refused) if notices.is_empty() => return Err(refused),
                    // What has no data is refused before that.
                    Err(_) if !self.no_data && is_emptied(&after, element.branches.len()) => {
                        return Err(FailureCode::DataRemoved.into());
                    }
                    Err(refused) => {
                        // The branches stay.
                        *model.change(id) = after;
                        return Err(Refused { before: notices, ..refused });
                    }
                }
            }
            named => element.newest(find_branch(&element, named)?),
        };
        if after.version(from).emptied && !self.no_data {
            return Err(FailureCode::DataRemoved.into());
        }
        if !self.unreserved && after.reserved_by_other(view, from.0) {
            return Err(Refused::at(FailureCode::ReservedElsewhere, after.branch_id(from.0)));
        }
        if element.find(from).is_some() && from != selected {
            notices.push("DIFFERENT_VERSION".to_owned());
        }
        let words = format!("from {} reserved {}", after.version_id(from), !self.unreserved);
        *model.change(id) = after;
        hold(model, view, id, from, !self.unreserved, self.no_data);
        notices.extend(unseen(model, view, target));
        Ok(Done { words, notices, lost: Vec::new() })
    }
}

/// Whether what the first version of a branch held was removed.
fn is_emptied(element: &Element, branch: usize) -> bool {
    element.branches[branch].versions[0].emptied
}

fn find_branch(element: &Element, name: &str) -> Result<usize, Refused> {
    let found = match name.starts_with('/') {
        true => element.branch_named(name),
        false if name == "main" => Some(0),
        false => {
            let kind = BRANCHES.iter().position(|kind| *kind == name).ok_or(FailureCode::TypeNotFound)?;
            element.branch_of(Some(kind))
        }
    };
    found.ok_or_else(|| FailureCode::VersionNotFound.into())
}

/// Finds an argument as it will be after those before it. Nothing is looked for in private directories then.
fn found_ahead(model: &Model, view: usize, path: &str) -> Result<Target, Refused> {
    if path.is_empty() {
        return target(model, view, path);
    }
    let place = walk(model, view, path)?;
    if is_covered(model, view, &place) {
        return Err(FailureCode::NotAVobObject.into());
    }
    if matches!(place.shown, Shown::Nothing | Shown::Error) {
        return Err(FailureCode::NoVersionSelected.into());
    }
    match place.catalog.get(&place.leaf) {
        None => Err(FailureCode::NoSuchFile.into()),
        Some(Entry::Link(_)) => Err(FailureCode::NotAnElement.into()),
        Some(Entry::Element(id)) => {
            let (shown, rule) = model.select(view, *id, place.trail);
            let parent = Some((place.directory, place.leaf));
            Ok(Target { id: *id, shown, rule, trail: place.trail, parent })
        }
    }
}

impl Operation for CheckOut {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let view = self.view;
        let found: Vec<Result<Target, Refused>> =
            self.paths.iter().map(|path| target(model, view, path)).collect();
        // Whether a directory that is checked out may show other names than before.
        let mut moved = false;
        let mut outcomes = Vec::new();
        for (path, found) in self.paths.iter().zip(found) {
            let target = if moved { found_ahead(model, view, path) } else { found };
            let outcome = target.and_then(|mut target| {
                (target.shown, target.rule) = model.select(view, target.id, target.trail);
                let outcome = self.outcome(model, &target);
                let changes = outcome.as_ref().map_or_else(|refused| !refused.before.is_empty(), |_| true);
                moved |= changes && model.elements[target.id].directory;
                outcome
            });
            outcomes.push(outcome);
        }
        outcomes
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let argument = |path: &String| {
            let pname = Some(product.pname(self.view, &names.real(path)));
            CheckoutArgument { pname, ..CheckoutArgument::default() }
        };
        let reply = product.checkout(CheckoutRequest {
            context: product.context(self.view),
            arguments: self.paths.iter().map(argument).collect(),
            unreserved: self.unreserved,
            no_data: self.no_data,
            exact_version: self.exact,
            branch: self.branch.clone().into_bytes(),
            preserve_time: false,
            out: Vec::new(),
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<CheckedOut> for Outcomes {
    fn from(done: CheckedOut) -> Outcomes {
        let version = String::from_utf8_lossy(&done.version);
        Outcomes::Done(format!("from {version} reserved {}", done.reserved), done.notices)
    }
}

impl From<CheckoutOutcome> for Outcomes {
    fn from(outcome: CheckoutOutcome) -> Outcomes {
        match outcome.outcome {
            Some(checkout_outcome::Outcome::Done(done)) => done.into(),
            Some(checkout_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
            None => Outcomes::Silent,
        }
    }
}
