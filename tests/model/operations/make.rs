//! mkelem and mkdir.

use super::checkout::{hold, make_branches};
use super::pick;
use super::uncheckout::free_name;
use super::{Done, Opened, Operation, Outcome, Outcomes, Refused, Slot, catalog, each, refuse_twin, walk};
use crate::model::{Content, Element, Entry, File, Made, Model, Private, Shown, UMASK, parent_and_leaf};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Makes a file element.
#[derive(Debug)]
pub struct MakeElement {
    serial: u32,
    view: usize,
    path: String,
    after: AfterMake,
}

/// Makes a directory element.
#[derive(Debug)]
pub struct MakeDirectory {
    serial: u32,
    view: usize,
    path: String,
    after: AfterMake,
}

impl MakeElement {
    pub fn any(model: &Model, random: &mut Random, serial: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::new_name(model, random, false);
        if pick::is_crowded(model, view, false) {
            return super::files::Write::any(model, random, serial);
        }
        let after = match random.below(10) {
            0..=5 => AfterMake::CheckOut,
            6..=7 => AfterMake::CheckIn,
            _ => AfterMake::Nothing,
        };
        Rc::new(MakeElement { serial, view, path, after })
    }
}

impl MakeDirectory {
    pub fn any(model: &Model, random: &mut Random, serial: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::new_name(model, random, true);
        if pick::is_crowded(model, view, true) {
            return super::files::Write::any(model, random, serial);
        }
        let after = if random.percent(80) { AfterMake::CheckOut } else { AfterMake::Nothing };
        Rc::new(MakeDirectory { serial, view, path, after })
    }
}

/// Refuses what cannot become an element, or what cannot be one there.
fn judge(model: &Model, view: usize, slot: &Slot, directory: bool) -> Result<Option<File>, Refused> {
    let private = model.views[view].private(slot.directory, std::slice::from_ref(&slot.leaf));
    let file = match (directory, private) {
        (_, Some(Private::Directory(..))) => return Err(FailureCode::PrivateDirectoryInTheWay.into()),
        (true, Some(_)) => return Err(FailureCode::EntryExists.into()),
        (false, Some(Private::Link(_))) => return Err(FailureCode::Other.into()),
        (false, Some(Private::File(file))) => Some(*file),
        (_, None) => None,
    };
    if matches!(slot.shown, Shown::Nothing | Shown::Error) {
        return Err(FailureCode::NoVersionSelected.into());
    }
    match slot.catalog.contains_key(&slot.leaf) {
        true => Err(FailureCode::EntryExists.into()),
        false => Ok(file),
    }
}

fn make(
    model: &mut Model,
    serial: u32,
    (view, path): (usize, &str),
    after: AfterMake,
    directory: bool,
) -> Outcome {
    let slot = match path {
        // The root has no name.
        "" => return Err(FailureCode::EntryExists.into()),
        path => walk(model, view, path)?,
    };
    let file = judge(model, view, &slot, directory)?;
    if after == AfterMake::CheckIn && file.is_none() {
        return Err(FailureCode::NoSuchFile.into());
    }
    let checkout = model.elements[slot.directory].checkouts[view].as_ref();
    let held = &checkout.ok_or(FailureCode::DirectoryNotCheckedOut)?.catalog;
    if held.contains_key(&slot.leaf) {
        return Err(FailureCode::EntryExists.into());
    }
    refuse_twin(model, slot.directory, &slot.leaf, None)?;
    let mut element = match (directory, file) {
        (true, _) => Element::directory(serial),
        (false, Some(file)) => Element::file(serial, file.mode & 0o555),
        (false, None) => Element::file(serial, 0o444 & !UMASK),
    };
    let mut done = Done::default();
    let mut from = None;
    if after != AfterMake::Nothing {
        let plan = make_branches(model, view, &element, slot.trail);
        let branch = match plan.outcome {
            Ok(branch) => branch,
            // What the view does not select is checked out all the same, on the last branch there is.
            Err(refused) if refused == FailureCode::NoVersionSelected.into() => {
                plan.element.branches.len() - 1
            }
            Err(refused) => return Err(refused),
        };
        (element, done.notices) = (plan.element, plan.made);
        from = Some(element.newest(branch));
    }
    let id = model.elements.len();
    model.elements.push(element);
    model.touched.insert(id);
    catalog(model, view, slot.directory, Opened::Checkout, &slot.leaf, Some(Entry::Element(id)));
    let path = model.names.real(parent_and_leaf(path).0);
    model.made = Some(Made { id, view, directory: slot.directory, path, leaf: slot.leaf.clone() });
    let told = follow(model, view, &slot, (id, from, file), after);
    done.words = told.words;
    done.notices.extend(told.notices);
    Ok(done)
}

/// What follows when an element was made: its checkout, its checkin, and what becomes of the private file.
fn follow(
    model: &mut Model,
    view: usize,
    slot: &Slot,
    (id, from, file): (usize, Option<(usize, u32)>, Option<File>),
    after: AfterMake,
) -> Done {
    let Some(from) = from else {
        let aside = file.map(|file| set_aside(model, view, slot, file, ".keep"));
        return Done { notices: aside.into_iter().collect(), ..Done::told("out  in ") };
    };
    let out = model.elements[id].version_id(from);
    let mut done = Done::told(format!("out {out} in "));
    if after == AfterMake::CheckIn {
        let file = file.expect("it was judged");
        model.views[view].private_names(slot.directory, &[]).remove(&slot.leaf);
        let new = model.elements[id].add(from.0, file.content, file.executable(), Default::default());
        done.words += &model.elements[id].version_id(new);
        if model.select(view, id, slot.trail).0 != Shown::Version(new) {
            done.notices.push("CHECKED_IN_NOT_SELECTED".to_owned());
        }
        return done;
    }
    hold(model, view, id, from, true, true);
    let is_shown = model.select(view, id, slot.trail).0 == Shown::CheckedOut;
    match file {
        Some(file) if is_shown => {
            model.views[view].private_names(slot.directory, &[]).remove(&slot.leaf);
            model.views[view].data.insert(id, File { mode: file.mode | 0o222 & !UMASK, ..file });
        }
        // The view would hide it.
        Some(file) => done.notices.push(set_aside(model, view, slot, file, ".mkelem")),
        None if is_shown && !model.elements[id].directory => {
            let mode = (model.elements[id].mode | 0o222) & !UMASK;
            model.views[view].data.insert(id, File { content: Content::EMPTY, mode });
        }
        None => {}
    }
    if !is_shown {
        done.notices.push("CHECKED_OUT_NOT_SELECTED".to_owned());
    }
    done
}

/// Moves a private file that would hide the new element, or be hidden, to a name that is free; what is told of it.
fn set_aside(model: &mut Model, view: usize, slot: &Slot, file: File, suffix: &str) -> String {
    let wanted = format!("{}{suffix}", slot.leaf);
    let leaf = free_name(model, (view, slot.directory), &slot.catalog, &wanted);
    let private = model.views[view].private_names(slot.directory, &[]);
    private.remove(&slot.leaf);
    private.insert(leaf.clone(), Private::File(file));
    format!("MOVED_ASIDE {leaf}")
}

impl Operation for MakeElement {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![make(model, self.serial, (self.view, &self.path), self.after, false)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let pname = Some(product.pname(self.view, &names.real(&self.path)));
        let reply = product.make_element(MakeElementRequest {
            context: product.context(self.view),
            arguments: vec![MakeElementArgument { pname, ..MakeElementArgument::default() }],
            element_type: b"text_file".to_vec(),
            after: self.after.into(),
            ..MakeElementRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl Operation for MakeDirectory {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![make(model, self.serial, (self.view, &self.path), self.after, true)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let pname = Some(product.pname(self.view, &names.real(&self.path)));
        let reply = product.make_directory(MakeDirectoryRequest {
            context: product.context(self.view),
            arguments: vec![MakeElementArgument { pname, ..MakeElementArgument::default() }],
            after: self.after.into(),
            ..MakeDirectoryRequest::default()
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<MakeElementOutcome> for Outcomes {
    fn from(outcome: MakeElementOutcome) -> Outcomes {
        match outcome.outcome {
            Some(make_element_outcome::Outcome::Done(done)) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let (out, new) = (text(&done.checked_out_version), text(&done.checked_in_version));
                Outcomes::Done(format!("out {out} in {new}"), done.notices)
            }
            Some(make_element_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
            None => Outcomes::Silent,
        }
    }
}
