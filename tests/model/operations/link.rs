//! ln: further names of elements, and VOB symbolic links.

use super::names::{is_inside, takes_names_in, typed_target};
use super::pick;
use super::{
    Done, Operation, Outcome, Refused, Slot, catalog, each, is_covered, may_have_left, open, opened,
    refuse_twin, settle_left_copy, slot, slot_in,
};
use crate::model::{Entry, Found, Id, LOST, Model, Private, ROOT, Shown, Trail, join, parent_and_leaf};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// What a hard link is made from.
#[derive(Debug)]
enum Source {
    /// A name.
    Path(String),
    /// A name in a version of a directory.
    Old { directory: String, version: String, name: String },
}

/// Makes another name of an element or of a symbolic link.
#[derive(Debug)]
pub struct HardLink {
    view: usize,
    source: Source,
    target: String,
    in_place: bool,
}

/// Makes a symbolic link.
#[derive(Debug)]
pub struct SymbolicLink {
    view: usize,
    text: String,
    target: String,
    replace: bool,
    in_place: bool,
}

impl Source {
    fn typed(&self) -> String {
        match self {
            Source::Path(path) => path.clone(),
            Source::Old { directory, version, name } => {
                let directory = if directory.is_empty() { "." } else { directory };
                format!("{directory}@@{version}/{name}")
            }
        }
    }

    fn leaf(&self) -> &str {
        match self {
            Source::Path(path) => parent_and_leaf(path).1,
            Source::Old { name, .. } => name,
        }
    }

    /// What the link is to lead to, and by which way the view shows it.
    fn entry(&self, model: &Model, view: usize) -> Result<(Entry, Trail), Refused> {
        match self {
            Source::Path(path) => match model.find(view, path)? {
                Found::Element { id, trail, .. } => Ok((Entry::Element(id), trail)),
                Found::Link(link) => Ok((Entry::Link(link), Trail::default())),
                Found::Private { .. } => Err(FailureCode::NotAVobObject.into()),
            },
            Source::Old { directory, version, name } => {
                let id = history(model, view, directory)?;
                let element = &model.elements[id];
                let (branch, number) = parent_and_leaf(version);
                let branch = element.branch_named(branch);
                let spot = branch.zip(number.parse().ok()).ok_or(FailureCode::NoSuchFile)?;
                let version = element.find(spot).ok_or(FailureCode::NoSuchFile)?;
                if !element.directory {
                    return Err(FailureCode::NotADirectory.into());
                }
                let name = model.names.real(name);
                let entry = version.catalog.get(&name).ok_or(FailureCode::NoSuchFile)?;
                Ok((*entry, Trail::default()))
            }
        }
    }
}

/// The element whose history is at `PATH@@`: what the catalog has under the name, hidden or not.
pub fn history(model: &Model, view: usize, path: &str) -> Result<Id, Refused> {
    if path.is_empty() {
        return Ok(ROOT);
    }
    let path = model.names.real(path);
    let (parent, leaf) = parent_and_leaf(&path);
    match model.find(view, parent)? {
        Found::Element { id, shown, .. }
            if model.elements[id].directory && (is_shown(shown) || id == ROOT) =>
        {
            match model.catalog(view, id, shown).get(leaf) {
                Some(Entry::Element(id)) => Ok(*id),
                _ => Err(FailureCode::NoSuchFile.into()),
            }
        }
        Found::Private { directory: true } => Err(FailureCode::NoSuchFile.into()),
        _ => Err(FailureCode::NotADirectory.into()),
    }
}

fn is_shown(shown: Shown) -> bool {
    matches!(shown, Shown::Version(_) | Shown::CheckedOut)
}

fn find_slot(model: &Model, view: usize, target: &str, leaf: &str) -> Result<Result<Slot, Refused>, Refused> {
    match takes_names_in(model, view, target, 1)? {
        true => Ok(slot_in(model, view, target, leaf)),
        false => Ok(slot(model, view, target)),
    }
}

impl HardLink {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::name(model, random);
        let source = match random.percent(30) {
            true => {
                let (directory, version, name) = pick::old_name(model, random, view);
                Source::Old { directory, version, name }
            }
            false => Source::Path(path),
        };
        let target = match random.percent(30) {
            true => pick::directory_in(model, random, view, true),
            false => pick::new_name_in(model, random, view, false),
        };
        let short = source.leaf().matches('<').count() < 2;
        let target = if short { target } else { pick::new_name_in(model, random, view, false) };
        Rc::new(HardLink { view, source, target, in_place: random.percent(8) })
    }

    fn outcome(&self, model: &mut Model, slot: Result<Slot, Refused>, typed: &str) -> Outcome {
        let view = self.view;
        let (entry, way) = self.source.entry(model, view)?;
        if entry == Entry::Element(LOST) {
            return Err(FailureCode::FixedName.into());
        }
        let slot = slot?;
        let at = open(model, view, &slot, self.in_place)?;
        let private = model.views[view].private(slot.directory, std::slice::from_ref(&slot.leaf));
        let makes_way = match entry {
            Entry::Element(id) => {
                matches!(private, Some(Private::File(_)))
                    && may_have_left(model, view, id, slot.directory, &slot.leaf)
            }
            Entry::Link(_) => false,
        };
        if opened(model, view, slot.directory, at).contains_key(&slot.leaf) || private.is_some() && !makes_way
        {
            return Err(FailureCode::EntryExists.into());
        }
        if let Entry::Element(id) = entry {
            if model.elements[id].directory && is_inside(model, view, slot.directory, id, way) {
                return Err(FailureCode::DirectoryInItself.into());
            }
            refuse_twin(model, slot.directory, &slot.leaf, Some(id))?;
        }
        catalog(model, view, slot.directory, at, &slot.leaf, Some(entry));
        let mut done = Done::default();
        if let Entry::Element(id) = entry {
            let names = opened(model, view, slot.directory, at);
            let place = (view, slot.directory, slot.leaf.as_str());
            if let Some(saved) = settle_left_copy(model, place, id, &names, true) {
                let before = typed.rsplit_once('/').map_or("", |(before, _)| before);
                done.notices.push(format!("MOVED_ASIDE {}", join(before, &saved)));
            }
        }
        Ok(done)
    }
}

impl Operation for HardLink {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let leaf = model.names.real(self.source.leaf());
        match find_slot(model, self.view, &self.target, &leaf) {
            Ok(slot) => {
                let inside = matches!(takes_names_in(model, self.view, &self.target, 1), Ok(true));
                let target = model.names.real(&self.target);
                let typed = typed_target(&target, inside, &leaf);
                vec![self.outcome(model, slot, &typed)]
            }
            Err(refused) => vec![Err(refused)],
        }
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let pname = |path: &str| product.pname(self.view, &names.real(path));
        let reply = product.link_names(LinkNamesRequest {
            context: product.context(self.view),
            sources: vec![pname(&self.source.typed())],
            target: Some(pname(&self.target)),
            in_place: self.in_place,
            ..LinkNamesRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl SymbolicLink {
    pub fn any(model: &Model, random: &mut Random, serial: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::name(model, random);
        let target = match random.percent(60) {
            true => pick::new_name_in(model, random, view, false),
            false => path,
        };
        let (replace, in_place) = (random.percent(40), random.percent(8));
        // There is no `none`: it leads nowhere, whatever gets its last name.
        Rc::new(SymbolicLink { view, text: format!("none/s{serial}"), target, replace, in_place })
    }

    fn outcome(&self, model: &mut Model, slot: Result<Slot, Refused>) -> Outcome {
        let view = self.view;
        let slot = slot?;
        let at = open(model, view, &slot, self.in_place)?;
        let before = opened(model, view, slot.directory, at).get(&slot.leaf).copied();
        let replaces = self.replace && matches!(before, Some(Entry::Link(_)));
        if !replaces && (before.is_some() || is_covered(model, view, &slot)) {
            return Err(FailureCode::EntryExists.into());
        }
        model.links.push(self.text.clone());
        let entry = Entry::Link(model.links.len() - 1);
        catalog(model, view, slot.directory, at, &slot.leaf, Some(entry));
        Ok(Done::default())
    }
}

impl Operation for SymbolicLink {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        match find_slot(model, self.view, &self.target, parent_and_leaf(&self.text).1) {
            Ok(slot) => vec![self.outcome(model, slot)],
            Err(refused) => vec![Err(refused)],
        }
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let source =
            Pname { typed: self.text.clone().into_bytes(), absolute: self.text.clone().into_bytes() };
        let reply = product.link_names(LinkNamesRequest {
            context: product.context(self.view),
            sources: vec![source],
            target: Some(product.pname(self.view, &names.real(&self.target))),
            symbolic: true,
            replace: self.replace,
            in_place: self.in_place,
            ..LinkNamesRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}
