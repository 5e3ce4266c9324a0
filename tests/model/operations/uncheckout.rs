//! uncheckout.

use super::pick::{self, Wanted};
use super::{Done, Operation, Outcome, Outcomes, Target, each, settle_left_copy, target, text};
use crate::model::{Catalog, Entry, File, Id, Model, Private, Shown};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Cancels a checkout.
#[derive(Debug)]
pub struct Uncheckout {
    pub view: usize,
    pub path: String,
    pub keep: bool,
}

impl Uncheckout {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::element(model, random, Wanted::CheckedOut);
        Rc::new(Uncheckout { view, path, keep: random.percent(30) })
    }

    fn outcome(&self, model: &mut Model) -> Outcome {
        let view = self.view;
        let target = target(model, view, &self.path)?;
        if model.elements[target.id].checkouts[view].is_none() {
            return Err(FailureCode::NotCheckedOut.into());
        }
        let is_file = !model.elements[target.id].directory;
        let kept = if self.keep && is_file { keep(model, view, &target) } else { None };
        let element = model.change(target.id);
        let checkout = element.checkouts[view].take().expect("it was looked for");
        let before = element.version((checkout.branch, checkout.from)).catalog.clone();
        let only_zero = checkout.branch != 0 && element.branches[checkout.branch].versions.len() == 1;
        let branch = element.branch_id(checkout.branch);
        let mut done = Done::told(format!("kept {}", kept.unwrap_or_default()));
        for (name, entry) in checkout.catalog.iter() {
            let Entry::Element(child) = *entry else { continue };
            model.touched.insert(child);
            if before.get(name) != Some(entry) && !model.is_reachable(child) {
                done.lost.push(model.lose(child, name));
            }
        }
        model.views[view].data.remove(&target.id);
        if !is_file {
            uncover(model, view, target.id, &checkout.catalog);
        }
        if only_zero {
            done.notices.push(format!("ONLY_VERSION_ZERO {branch}"));
        }
        Ok(done)
    }
}

/// What rmname left at names that a directory has again makes way, where it is what the checkouts have.
fn uncover(model: &mut Model, view: usize, directory: Id, before: &Catalog) {
    let places = model.directories(view);
    let Some((_, _, trail)) = places.iter().find(|(_, id, _)| *id == directory) else { return };
    let shown = model.select(view, directory, *trail).0;
    if matches!(shown, Shown::Nothing | Shown::Error) {
        return;
    }
    let catalog = model.catalog(view, directory, shown);
    for (name, entry) in catalog.iter().filter(|(name, entry)| before.get(*name) != Some(*entry)) {
        if let Entry::Element(id) = *entry {
            settle_left_copy(model, (view, directory, name), id, &catalog, false);
        }
    }
}

/// Saves the private copy of a checked-out file beside it.
pub fn keep(model: &mut Model, view: usize, target: &Target) -> Option<String> {
    let data = *model.views[view].data.get(&target.id)?;
    put_beside(model, view, target, ".keep", data)
}

/// Puts a file beside an element, under its name with a suffix, and a number where that is taken.
pub fn put_beside(
    model: &mut Model,
    view: usize,
    target: &Target,
    suffix: &str,
    data: File,
) -> Option<String> {
    let (directory, name) = target.parent.clone()?;
    let shown = shown_directory(model, view, target)?;
    let catalog = model.catalog(view, directory, shown);
    let leaf = free_name(model, (view, directory), &catalog, &format!("{name}{suffix}"));
    model.touched.insert(directory);
    model.views[view].private_names(directory, &[]).insert(leaf.clone(), Private::File(data));
    Some(leaf)
}

/// A name that nothing in a directory has: the one that is wanted, or that with a number.
pub fn free_name(model: &Model, (view, directory): (usize, Id), catalog: &Catalog, wanted: &str) -> String {
    let free = |leaf: &String| {
        !catalog.contains_key(leaf)
            && model.views[view].private(directory, std::slice::from_ref(leaf)).is_none()
    };
    let numbered = (1..).map(|attempt| format!("{wanted}.{attempt}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names.find(free).expect("some number is free")
}

/// What the view shows of the directory that holds a target.
fn shown_directory(model: &Model, view: usize, target: &Target) -> Option<Shown> {
    let (directory, _) = target.parent.as_ref()?;
    let places = model.directories(view);
    let (_, id, trail) = places.iter().find(|(_, id, _)| id == directory)?;
    Some(model.select(view, *id, *trail).0)
}

impl Operation for Uncheckout {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![self.outcome(model)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let private_copy = if self.keep { PrivateCopy::Keep } else { PrivateCopy::Remove }.into();
        let pname = Some(product.pname(self.view, &names.real(&self.path)));
        let reply = product.uncheckout(UncheckoutRequest {
            context: product.context(self.view),
            arguments: vec![UncheckoutArgument { pname, private_copy }],
            ..UncheckoutRequest::default()
        });
        each(reply, |reply| reply.outcomes.into_iter().map(told).collect())
    }
}

fn told(outcome: UncheckoutOutcome) -> Outcomes {
    match outcome.outcome {
        Some(uncheckout_outcome::Outcome::Done(done)) => {
            Outcomes::Done(format!("kept {}", text(&done.keep_name)), done.notices)
        }
        Some(uncheckout_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
        None => Outcomes::Silent,
    }
}
