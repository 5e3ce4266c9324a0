//! rmname and mv.

use super::pick;
use super::{
    Done, Operation, Outcome, Outcomes, Refused, Slot, catalog, each, is_covered, open, opened, refuse_twin,
    slot, slot_in,
};
use crate::model::{Catalog, Entry, Found, Id, LOST, Model, Private, Shown, Trail, join, parent_and_leaf};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Takes names out of directories.
#[derive(Debug)]
pub struct RemoveName {
    view: usize,
    paths: Vec<String>,
    force: bool,
    in_place: bool,
}

/// Moves names.
#[derive(Debug)]
pub struct Rename {
    view: usize,
    sources: Vec<String>,
    target: String,
}

impl RemoveName {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::removable(model, random);
        let in_place = random.percent(10);
        let mut paths = vec![path];
        // What is changed in place is planned name by name against what is stored.
        while !in_place && random.percent(15) {
            paths.push(pick::removable_in(model, random, view));
        }
        Rc::new(RemoveName { view, paths, force: random.percent(50), in_place })
    }

    fn outcome(&self, model: &mut Model, slot: &Slot) -> Outcome {
        let view = self.view;
        let (at, entry) = open_source(model, view, slot, self.in_place)?;
        let Entry::Element(id) = entry else {
            change(model, view, slot, at, None);
            return Ok(Done::default());
        };
        if model.elements[id].checkouts.iter().any(Option::is_some) && !self.force {
            return Err(FailureCode::HasCheckouts.into());
        }
        change(model, view, slot, at, None);
        let mut done = Done::default();
        if !model.is_reachable(id) {
            if slot.directory == LOST {
                change(model, view, slot, at, Some(entry));
                return Err(FailureCode::LastName.into());
            }
            done.lost.push(model.lose(id, &slot.leaf));
        }
        Ok(done)
    }

    /// Where the view shows a checked-out file by no name any more, a copy of its data stays at the name.
    fn leave_copy(&self, model: &mut Model, slot: &Slot, id: Id) {
        let element = &model.elements[id];
        let Some(data) = model.views[self.view].data.get(&id).copied() else { return };
        if element.directory || element.checkouts[self.view].is_none() {
            return;
        }
        let shows = |(_, directory, trail): &(String, Id, Trail)| {
            let shown = model.select(self.view, *directory, *trail).0;
            model.catalog(self.view, *directory, shown).iter().any(|(name, entry)| {
                let covered =
                    model.views[self.view].private(*directory, std::slice::from_ref(name)).is_some();
                let nothing =
                    matches!(model.select(self.view, id, trail.below(name)).0, Shown::Nothing | Shown::Error);
                *entry == Entry::Element(id) && !covered && !nothing
            })
        };
        if model.directories(self.view).iter().any(shows) {
            return;
        }
        model.touched.insert(slot.directory);
        let private = model.views[self.view].private_names(slot.directory, &[]);
        private.insert(slot.leaf.clone(), Private::File(data));
    }
}

/// Where a name stands that is to be taken away.
#[derive(Clone, Copy)]
enum At {
    Opened(super::Opened),
    LostAndFound,
}

/// Opens a catalog to take a name away; what it leads to.
fn open_source(model: &Model, view: usize, slot: &Slot, in_place: bool) -> Result<(At, Entry), Refused> {
    let at = match slot.directory {
        LOST => Ok(At::LostAndFound),
        _ => open(model, view, slot, in_place).map(At::Opened),
    };
    let names = match &at {
        Ok(at) => names_at(model, view, slot.directory, *at),
        Err(_) => slot.catalog.clone(),
    };
    if is_covered(model, view, slot) {
        return Err(FailureCode::NotAVobObject.into());
    }
    let entry = *names.get(&slot.leaf).ok_or(FailureCode::NoSuchFile)?;
    let at = at?;
    if entry == Entry::Element(LOST) {
        return Err(FailureCode::FixedName.into());
    }
    Ok((at, entry))
}

fn names_at(model: &Model, view: usize, directory: Id, at: At) -> Catalog {
    match at {
        At::Opened(at) => opened(model, view, directory, at),
        At::LostAndFound => model.elements[LOST].version((0, 0)).catalog.clone(),
    }
}

fn change(model: &mut Model, view: usize, slot: &Slot, at: At, entry: Option<Entry>) {
    let at = match at {
        At::Opened(at) => at,
        At::LostAndFound => super::Opened::Version((0, 0)),
    };
    catalog(model, view, slot.directory, at, &slot.leaf, entry);
}

impl Operation for RemoveName {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let slots: Vec<Result<Slot, Refused>> =
            self.paths.iter().map(|path| slot(model, self.view, path)).collect();
        let mut removed = Vec::new();
        let mut outcomes = Vec::new();
        for slot in &slots {
            let outcome = slot.as_ref().map_err(Clone::clone).and_then(|slot| {
                let leads = open_source(model, self.view, slot, self.in_place).map(|(_, entry)| entry);
                let done = self.outcome(model, slot)?;
                if let Ok(Entry::Element(id)) = leads {
                    removed.push((slot, id));
                }
                Ok(done)
            });
            outcomes.push(outcome);
        }
        removed.into_iter().for_each(|(slot, id)| self.leave_copy(model, slot, id));
        outcomes
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let reply = product.remove_names(RemoveNamesRequest {
            context: product.context(self.view),
            pnames: self.paths.iter().map(|path| product.pname(self.view, &names.real(path))).collect(),
            comment: Vec::new(),
            in_place: self.in_place,
            force: self.force,
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl Rename {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, source) = pick::removable(model, random);
        let mut sources = vec![source];
        while random.percent(12) {
            sources.push(pick::removable_in(model, random, view));
        }
        let target = match random.percent(40) || sources.len() > 1 {
            true => pick::directory_in(model, random, view, true),
            false => pick::new_name_in(model, random, view, false),
        };
        // Names that hold an identity twice would be cut some day.
        let short = sources.iter().all(|source| source.matches('<').count() < 2);
        let target = if short { target } else { join(&target, "a") };
        let sources = if short { sources } else { vec![sources.swap_remove(0)] };
        Rc::new(Rename { view, sources, target })
    }

    fn outcome(&self, model: &mut Model, from: &Slot, to: &Slot, typed: &str) -> Outcome {
        let view = self.view;
        let (source, entry) = open_source(model, view, from, false)?;
        let target = open(model, view, to, false)?;
        if opened(model, view, to.directory, target).contains_key(&to.leaf) || is_covered(model, view, to) {
            return Err(FailureCode::EntryExists.into());
        }
        let mut done = Done::default();
        if let Entry::Element(id) = entry {
            if model.elements[id].directory && is_inside(model, view, to.directory, id, from.trail) {
                return Err(FailureCode::DirectoryInItself.into());
            }
            refuse_twin(model, to.directory, &to.leaf, Some(id))?;
            let others = model.elements[id].checkouts.iter().enumerate();
            if others.into_iter().any(|(other, checkout)| other != view && checkout.is_some()) {
                done.notices.push(format!("MOVED_WITH_CHECKOUTS {typed}"));
            }
        }
        change(model, view, from, source, None);
        catalog(model, view, to.directory, target, &to.leaf, Some(entry));
        Ok(done)
    }
}

/// Tells whether the view shows a directory inside another, or the two are one. The way leads to the other.
pub fn is_inside(model: &Model, view: usize, directory: Id, outer: Id, way: Trail) -> bool {
    let (mut seen, mut below) = (vec![outer], vec![(outer, way)]);
    while let Some((id, way)) = below.pop() {
        if id == directory {
            return true;
        }
        let shown = model.select(view, id, way).0;
        for (name, entry) in model.catalog(view, id, shown).iter() {
            let Entry::Element(child) = *entry else { continue };
            if model.elements[child].directory && !seen.contains(&child) {
                seen.push(child);
                below.push((child, way.below(name)));
            }
        }
    }
    false
}

/// Whether the target of a command takes names in, or is the new name itself.
pub fn takes_names_in(model: &Model, view: usize, target: &str, sources: usize) -> Result<bool, Refused> {
    let takes = match model.find(view, target) {
        Ok(Found::Element { id, shown, .. }) => {
            model.elements[id].directory && matches!(shown, Shown::Version(_) | Shown::CheckedOut)
        }
        Ok(Found::Private { directory }) => directory,
        Ok(Found::Link(_)) | Err(FailureCode::NoSuchFile) => false,
        Err(other) => return Err(other.into()),
    };
    if sources > 1 && !takes { Err(FailureCode::NotADirectory.into()) } else { Ok(takes) }
}

/// The target of a command as it was typed, with the name that goes into it.
pub fn typed_target(target: &str, inside: bool, leaf: &str) -> String {
    match (inside, target.is_empty()) {
        (true, true) => format!("./{leaf}"),
        (true, false) => join(target, leaf),
        (false, true) => ".".to_owned(),
        (false, false) => target.to_owned(),
    }
}

impl Operation for Rename {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let view = self.view;
        let real = |path: &String| model.names.real(path);
        let (target, sources): (String, Vec<String>) =
            (real(&self.target), self.sources.iter().map(real).collect());
        let inside = match takes_names_in(model, view, &target, sources.len()) {
            Ok(inside) => inside,
            Err(refused) => return vec![Err(refused)],
        };
        let find = |source: &String| -> Result<(Slot, Slot), Refused> {
            let from = slot(model, view, source)?;
            let to = match inside {
                true => slot_in(model, view, &target, &from.leaf)?,
                false => slot(model, view, &target)?,
            };
            Ok((from, to))
        };
        let moves: Vec<Result<(Slot, Slot), Refused>> = sources.iter().map(find).collect();
        let outcome = |(found, source): (Result<(Slot, Slot), Refused>, &String)| {
            let (from, to) = found?;
            let typed = typed_target(&target, inside, parent_and_leaf(source).1);
            self.outcome(model, &from, &to, &typed)
        };
        moves.into_iter().zip(&sources).map(outcome).collect()
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let pname = |path: &String| product.pname(self.view, &names.real(path));
        let reply = product.move_names(MoveNamesRequest {
            context: product.context(self.view),
            sources: self.sources.iter().map(pname).collect(),
            target: Some(pname(&self.target)),
            comment: Vec::new(),
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<NameOutcome> for Outcomes {
    fn from(outcome: NameOutcome) -> Outcomes {
        match outcome.outcome {
            Some(name_outcome::Outcome::Done(done)) => Outcomes::Done(String::new(), done.notices),
            Some(name_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
            None => Outcomes::Silent,
        }
    }
}
