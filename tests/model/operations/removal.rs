//! rmelem, rmbranch and rmver.

use super::branch::{selected, selector};
use super::link::history;
use super::pick::{self, Wanted};
use super::uncheckout::Uncheckout;
use super::{Done, Operation, Outcome, Outcomes, Refused, each, target, text};
use crate::model::{
    Catalog, Checkout, Element, Entry, Id, LOST, Model, ROOT, Shown, Spot, Version, parent_and_leaf,
};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Versions on a branch from which on old ones are removed.
const VERSIONS_MAX: usize = 30;

/// Removes elements for good.
#[derive(Debug)]
pub struct RemoveElement {
    view: usize,
    paths: Vec<String>,
}

/// Removes a branch for good.
#[derive(Debug)]
pub struct RemoveBranch {
    view: usize,
    path: String,
    branch: String,
}

/// Removes versions for good, or what they hold.
#[derive(Debug)]
pub struct RemoveVersion {
    view: usize,
    path: String,
    /// A version selector; empty: what the view shows.
    version: String,
    /// Version selectors: what is between the two goes, instead of one version.
    between: Option<(String, String)>,
    with_branches: bool,
    with_labels: bool,
    only_data: bool,
}

/// The version that a version-id or a version selector names.
fn named(element: &Element, name: &str) -> Result<Spot, Refused> {
    let (branch, number) = parent_and_leaf(name);
    match (element.branch_named(branch), number.parse()) {
        (Some(branch), Ok(number)) => match element.find((branch, number)) {
            Some(_) => Ok((branch, number)),
            None => Err(FailureCode::VersionNotFound.into()),
        },
        _ => selected(element, name),
    }
}

/// Moves what nothing leads to any more to `lost+found`: of what catalogs held that are gone, the last one first.
fn lose(model: &mut Model, catalogs: Vec<Catalog>, done: &mut Done) {
    let (mut judged, mut lost) = (BTreeSet::new(), Vec::new());
    for catalog in catalogs.iter().rev() {
        for (name, entry) in catalog.iter() {
            let Entry::Element(child) = *entry else { continue };
            if judged.insert(child) && !model.elements[child].removed && !model.is_reachable(child) {
                lost.push(model.lose(child, name));
            }
        }
    }
    lost.sort_by_key(|(leaf, identity)| format!("{leaf}.{identity}"));
    done.lost = lost;
}

/// Takes versions away; what they cataloged.
fn take(model: &mut Model, id: Id, spots: &[Spot]) -> Vec<Catalog> {
    let catalogs: Vec<Catalog> =
        spots.iter().map(|spot| model.elements[id].version(*spot).catalog.clone()).collect();
    for catalog in &catalogs {
        for entry in catalog.values() {
            if let Entry::Element(child) = entry {
                model.touched.insert(*child);
            }
        }
    }
    let element = model.change(id);
    spots.iter().for_each(|spot| element.take(*spot));
    catalogs
}

impl RemoveElement {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::doomed(model, random);
        // What is checked out cannot be removed.
        if pick::much_is_lost(model)
            && random.percent(50)
            && let Some(path) = pick::lost_checkout(model, random, view)
        {
            return Rc::new(Uncheckout { view, path, keep: false });
        }
        let mut paths = vec![path];
        // What is lost does not fill the VOB.
        let more = if pick::much_is_lost(model) { 80 } else { 10 };
        while random.percent(more) {
            paths.push(pick::doomed_in(model, random, view));
        }
        Rc::new(RemoveElement { view, paths })
    }

    /// Judges an element by what those before it leave.
    fn judge(&self, model: &Model, id: Result<Id, Refused>, gone: &[Id]) -> Result<Id, Refused> {
        let id = id?;
        if gone.contains(&id) {
            return Err(FailureCode::RemovedAlready.into());
        }
        if id == ROOT || id == LOST {
            return Err(FailureCode::FixedName.into());
        }
        match model.elements[id].checkouts.iter().any(Option::is_some) {
            true => Err(FailureCode::CheckedOutVersions.into()),
            false => Ok(id),
        }
    }
}

/// What an element had: how much is told of it, and what its versions cataloged, in the order they were made.
fn held(element: &Element) -> (Done, Vec<Catalog>) {
    let branches = element.branches.iter().filter(|branch| !branch.versions.is_empty()).count();
    let mut versions: Vec<&Version> = element.branches.iter().flat_map(|branch| &branch.versions).collect();
    versions.sort_by_key(|version| version.order);
    let done = Done::told(format!("branches {branches} versions {}", versions.len()));
    (done, versions.iter().map(|version| version.catalog.clone()).collect())
}

/// Takes an element out of every catalog.
fn remove(model: &mut Model, id: Id) {
    for (holder, directory) in model.elements.iter_mut().enumerate().filter(|(_, element)| element.directory)
    {
        let versions = directory.branches.iter_mut().flat_map(|branch| &mut branch.versions);
        let checkouts = directory.checkouts.iter_mut().flatten();
        let catalogs = versions
            .map(|version| &mut version.catalog)
            .chain(checkouts.map(|checkout| &mut checkout.catalog));
        for catalog in catalogs {
            if catalog.values().any(|entry| *entry == Entry::Element(id)) {
                Rc::make_mut(catalog).retain(|_, entry| *entry != Entry::Element(id));
                model.touched.insert(holder);
            }
        }
    }
    let element = model.change(id);
    (element.removed, element.branches) = (true, Vec::new());
    element.labels.clear();
}

impl Operation for RemoveElement {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let find = |path: &String| Ok(target(model, self.view, path)?.id);
        let named: Vec<Result<Id, Refused>> = self.paths.iter().map(find).collect();
        let (mut gone, mut outcomes) = (Vec::new(), Vec::new());
        for id in named {
            let judged = self.judge(model, id, &gone);
            gone.extend(judged.iter().copied());
            outcomes.push(judged.map(|id| held(&model.elements[id])));
        }
        gone.into_iter().for_each(|id| remove(model, id));
        // Nothing is left of any of them when it is looked what became of the rest.
        let outcome = |outcome: Result<(Done, Vec<Catalog>), Refused>| {
            outcome.map(|(mut done, catalogs)| {
                lose(model, catalogs, &mut done);
                done
            })
        };
        outcomes.into_iter().map(outcome).collect()
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let reply = product.remove(RemoveRequest {
            context: product.context(self.view),
            what: RemoveWhat::Elements.into(),
            pnames: self.paths.iter().map(|path| product.pname(self.view, &names.real(path))).collect(),
            ..RemoveRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl RemoveBranch {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::element(model, random, Wanted::NotCheckedOut);
        let branches: Vec<String> = match history(model, view, &path) {
            Ok(id) => {
                let element = &model.elements[id];
                let there = |at: &usize| !element.branches[*at].versions.is_empty();
                let first = if random.percent(90) { 1 } else { 0 };
                (first..element.branches.len()).filter(there).map(|at| element.branch_id(at)).collect()
            }
            Err(_) => Vec::new(),
        };
        let branch = random.any_of(&branches).cloned().unwrap_or_else(|| "/main/alpha".to_owned());
        Rc::new(RemoveBranch { view, path, branch })
    }

    fn outcome(&self, model: &mut Model) -> Outcome {
        let id = history(model, self.view, &self.path)?;
        let element = &model.elements[id];
        let branch = element.branch_named(&self.branch).ok_or(FailureCode::NoSuchFile)?;
        if branch == 0 {
            return Err(FailureCode::RootBranch.into());
        }
        let all = removable_branches(model, id, branch)?;
        let element = &model.elements[id];
        let spots: Vec<Spot> = all
            .iter()
            .flat_map(|at| element.branches[*at].versions.iter().map(|version| (*at, version.number)))
            .collect();
        let mut done = Done::told(format!("branches {} versions {}", all.len() - 1, spots.len()));
        let catalogs = take(model, id, &spots);
        lose(model, catalogs, &mut done);
        Ok(done)
    }
}

/// A branch and those below it, unless something on them is checked out.
fn removable_branches(model: &Model, id: Id, branch: usize) -> Result<Vec<usize>, Refused> {
    let element = &model.elements[id];
    let all = element.with_below(branch);
    match element.checkouts.iter().flatten().any(|checkout| all.contains(&checkout.branch)) {
        true => Err(FailureCode::CheckedOutVersions.into()),
        false => Ok(all),
    }
}

impl Operation for RemoveBranch {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![self.outcome(model)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let path = if self.path.is_empty() { "." } else { &self.path };
        let path = format!("{}@@{}", names.real(path), self.branch);
        let reply = product.remove(RemoveRequest {
            context: product.context(self.view),
            what: RemoveWhat::Branches.into(),
            pnames: vec![product.pname(self.view, &path)],
            ..RemoveRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl RemoveVersion {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        if let Some(purge) = RemoveVersion::purge(model, random) {
            return Rc::new(purge);
        }
        let (view, path) = pick::element(model, random, Wanted::NotCheckedOut);
        let version = if random.percent(60) { selector(random) } else { String::new() };
        let between = random.percent(10).then(|| (selector(random), selector(random)));
        let (with_branches, with_labels) = (random.percent(40), random.percent(60));
        let only_data = random.percent(15);
        Rc::new(RemoveVersion { view, path, version, between, with_branches, with_labels, only_data })
    }

    /// Removes old versions where there are many, so that version trees do not grow for ever.
    fn purge(model: &Model, random: &mut Random) -> Option<RemoveVersion> {
        let (view, path, id, branch) = pick::longest_branch(model, random)?;
        let element = &model.elements[id];
        let versions = &element.branches[branch].versions;
        if versions.len() < VERSIONS_MAX {
            return None;
        }
        let name = |at: usize| element.version_id((branch, versions[at].number));
        let newest = versions.len() - 1;
        let between = Some((name(random.below(3)), name(newest - random.below(3))));
        let (with_branches, with_labels) = (random.percent(85), random.percent(85));
        let (version, only_data) = (String::new(), false);
        Some(RemoveVersion { view, path, version, between, with_branches, with_labels, only_data })
    }

    /// The versions that are meant.
    fn meant(&self, element: &Element, shown: Shown) -> Result<Vec<Spot>, Refused> {
        if let Some((low, high)) = &self.between {
            let (low, high) = (named(element, low)?, named(element, high)?);
            if low.0 != high.0 {
                return Err(FailureCode::RangeAcrossBranches.into());
            }
            let numbers = element.branches[low.0].versions.iter().map(|version| version.number);
            let between: Vec<Spot> = numbers
                .filter(|number| low.1 < *number && *number < high.1)
                .map(|number| (low.0, number))
                .collect();
            return if between.is_empty() { Err(FailureCode::EmptyRange.into()) } else { Ok(between) };
        }
        match (self.version.as_str(), shown) {
            ("", Shown::Version(spot)) => Ok(vec![spot]),
            ("", Shown::CheckedOut) => Err(FailureCode::VersionIsCheckedOut.into()),
            ("", _) => Err(FailureCode::NoVersionSelected.into()),
            (version, _) => Ok(vec![named(element, version)?]),
        }
    }

    fn outcome(&self, model: &mut Model) -> Outcome {
        let target = target(model, self.view, &self.path)?;
        let id = target.id;
        let (mut words, mut gone, mut all_branches) = (String::new(), Vec::new(), 0);
        let element = &model.elements[id];
        let meant = self.meant(element, target.shown)?;
        for spot in &meant {
            let is_from = |checkout: &Checkout| (checkout.branch, checkout.from) == *spot;
            if element.checkouts.iter().flatten().any(is_from) {
                return Err(FailureCode::CheckedOutVersions.into());
            }
            words += &format!(" {}", element.version_id(*spot));
            if self.only_data {
                if element.directory {
                    return Err(FailureCode::DirectoryData.into());
                }
                continue;
            }
            let (versions, branches) = self.judge(model, id, *spot)?;
            gone.extend(versions);
            all_branches += branches.len();
            for branch in &branches {
                words += &format!(" {}", element.branch_id(*branch));
            }
        }
        let mut done = Done::told(format!("branches {all_branches} versions {}{words}", meant.len()));
        if self.only_data {
            for (branch, number) in meant {
                let versions = model.change(id).branches[branch].versions.iter_mut();
                versions
                    .filter(|version| version.number == number)
                    .for_each(|version| version.emptied = true);
            }
            return Ok(done);
        }
        let catalogs = take(model, id, &gone);
        lose(model, catalogs, &mut done);
        Ok(done)
    }

    /// The versions that go with a version, itself the last, and the branches that sprout from it.
    fn judge(&self, model: &Model, id: Id, spot: Spot) -> Result<(Vec<Spot>, Vec<usize>), Refused> {
        let element = &model.elements[id];
        if spot.1 == 0 {
            return Err(FailureCode::VersionZero.into());
        }
        let sprouts = |at: &usize| {
            element.branches[*at].from == Some(spot) && !element.branches[*at].versions.is_empty()
        };
        let branches: Vec<usize> = (0..element.branches.len()).filter(sprouts).collect();
        if !branches.is_empty() && !self.with_branches {
            return Err(FailureCode::VersionInUse.into());
        }
        let mut gone = Vec::new();
        for branch in &branches {
            for at in removable_branches(model, id, *branch)? {
                gone.extend(element.branches[at].versions.iter().map(|version| (at, version.number)));
            }
        }
        if !self.with_labels && element.labels.values().any(|labelled| *labelled == spot) {
            return Err(FailureCode::VersionInUse.into());
        }
        gone.push(spot);
        Ok((gone, branches))
    }
}

impl Operation for RemoveVersion {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![self.outcome(model)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let reply = product.remove(RemoveRequest {
            context: product.context(self.view),
            what: RemoveWhat::Versions.into(),
            pnames: vec![product.pname(self.view, &names.real(&self.path))],
            with_branches: self.with_branches,
            with_labels: self.with_labels,
            only_data: self.only_data,
            version: self.version.clone().into_bytes(),
            low: self.between.iter().flat_map(|(low, _)| low.bytes()).collect(),
            high: self.between.iter().flat_map(|(_, high)| high.bytes()).collect(),
            ..RemoveRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<RemoveOutcome> for Outcomes {
    fn from(outcome: RemoveOutcome) -> Outcomes {
        match outcome.outcome {
            Some(remove_outcome::Outcome::Done(done)) => {
                let counts = format!("branches {} versions {}", done.branches, done.versions);
                let words = done.ids.iter().fold(counts, |words, id| words + " " + &text(id));
                Outcomes::Done(words, done.notices)
            }
            Some(remove_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
            None => Outcomes::Silent,
        }
    }
}
