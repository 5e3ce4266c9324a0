//! Objects that commands name, by path or selector, and changes of several of them: one commit in each VOB, in
//! which what is refused does not keep the others from being done.

use super::describe::{Known, type_object_kind};
use super::facts::told;
use crate::server::identity::{self, Caller};
use crate::server::proto::target::Target as Kind;
use crate::server::proto::{
    Context, Failure, FailureCode, ObjectKind, ObjectOutcome, ObjectsReply, Selector, SelectorKind, Target,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::history::Place;
use crate::view::inode::VobIndex;
use crate::view::resolve::branch_id;
use crate::view::{Found, MountedVob, Resolved, Shown};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Element, ElementKind, Operation, Transaction, VobObject, VobState};
use std::collections::HashSet;
use std::sync::Arc;

/// What an argument names.
pub struct Named {
    /// Its VOB.
    pub vob: Arc<MountedVob>,
    /// The object: of a plain path the version that the view selects, or the element where it selects none.
    pub object: VobObject,
    /// The checkout with this number is meant, of which `object` is the element.
    pub checkout: Option<u32>,
    /// That checkout is the view's through which the path leads.
    pub is_own: bool,
    /// The path leads below `@@`.
    pub extended: bool,
}

impl Named {
    /// Returns the object, for commands that know no versions: a plain path means the element.
    pub fn element_or_other(&self) -> VobObject {
        match self.object {
            VobObject::Version(number, _) if !self.extended => VobObject::Element(number),
            other => other,
        }
    }

    /// What the object is called in messages, and the name where it is not the typed path.
    pub fn told(&self) -> (ObjectKind, Vec<u8>) {
        let object = self.element_or_other();
        let (kind, name, _) = kind_and_name(&self.vob, &self.vob.vob.state(), object);
        (kind, if object.element().is_some() { Vec::new() } else { name })
    }
}

/// Finds what an identifier or a number names: an object, or the element of a checkout with the checkout's number.
///
/// # Errors
/// `NO_SUCH_FILE` where there is no such object, `NOT_AN_ELEMENT` for links.
pub fn identified(
    vob: &Arc<MountedVob>,
    state: &VobState,
    selector: &Selector,
) -> Outcome<(VobObject, Option<u32>)> {
    let missing = || Failure::new(FailureCode::NoSuchFile);
    let object = match Known::of_selector(vob, state, selector)? {
        Known::Object(object) => object,
        Known::Symlink(_) | Known::Hyperlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
    };
    let element = object.element().map(|number| vob.vob.element(number)).transpose()?.flatten();
    let is_there = match (object, &element) {
        (VobObject::Vob, _) => true,
        (VobObject::Type(number), _) => state.type_object(number).is_some(),
        (VobObject::Element(_), element) => element.is_some(),
        (VobObject::Branch(_, branch), Some(element)) => element.find_branch(branch).is_some(),
        (VobObject::Version(_, version), Some(element)) => element.find_version(version).is_some(),
        (VobObject::CheckOut(_, number), Some(element)) => {
            element.checkouts.iter().any(|held| held.number == number)
        }
        (_, None) => false,
    };
    match object {
        _ if !is_there => Err(missing()),
        VobObject::CheckOut(number, checkout) => Ok((VobObject::Element(number), Some(checkout))),
        object => Ok((object, None)),
    }
}

/// One argument's share of a commit.
pub struct Change {
    /// What is done; nothing where there is nothing to do.
    pub operations: Vec<Operation>,
    /// Recorded with it.
    pub comment: String,
}

/// The kind of an object, its name (of an element and its parts the last name it was given), and the path of a
/// branch.
pub fn kind_and_name(
    vob: &MountedVob,
    state: &VobState,
    object: VobObject,
) -> (ObjectKind, Vec<u8>, Vec<u8>) {
    match object {
        VobObject::Vob => (ObjectKind::Vob, vob.tag.clone().into_bytes(), Vec::new()),
        VobObject::Type(number) => {
            let kind = state.type_object(number).map(|object| type_object_kind(object.kind));
            (kind.unwrap_or_default(), state.type_name(number).as_bytes().to_vec(), Vec::new())
        }
        VobObject::Element(number)
        | VobObject::Branch(number, _)
        | VobObject::Version(number, _)
        | VobObject::CheckOut(number, _) => {
            let Ok(element) = vob.element(number) else {
                return (ObjectKind::Unspecified, Vec::new(), Vec::new());
            };
            let name = element.names.last().map(|(_, name)| name.to_vec()).unwrap_or_default();
            let (kind, branch) = match (object, element.kind) {
                (VobObject::Branch(_, branch), _) if element.has_branch(branch) => {
                    (ObjectKind::Branch, branch_id(state, &element, branch).into_bytes())
                }
                (VobObject::Version(..) | VobObject::CheckOut(..), ElementKind::File) => {
                    (ObjectKind::Version, Vec::new())
                }
                (VobObject::Version(..) | VobObject::CheckOut(..), ElementKind::Directory) => {
                    (ObjectKind::DirectoryVersion, Vec::new())
                }
                (_, ElementKind::File) => (ObjectKind::FileElement, Vec::new()),
                (_, ElementKind::Directory) => (ObjectKind::DirectoryElement, Vec::new()),
            };
            (kind, name, branch)
        }
    }
}

impl Server {
    /// Finds what an argument names.
    ///
    /// # Errors
    /// If there is no such object in a mounted VOB.
    pub(super) fn named(&self, context: &Context, target: &Option<Target>) -> Outcome<Named> {
        match target.as_ref().and_then(|target| target.target.as_ref()) {
            None => Err(Failure::internal("a call came without its object")),
            Some(Kind::Selector(selector)) => self.named_by_selector(context, selector),
            Some(Kind::Pname(pname)) => {
                let (view, Resolved { vob, found, .. }) = self.resolve(context, pname)?;
                let own = |element: &Element| element.checkout_of(&view.uuid()).map(|own| own.number);
                let (object, checkout, extended) = match found {
                    Found::Element { element, shown: Shown::Version(version, _), .. } => {
                        (VobObject::Version(element.number, version), None, false)
                    }
                    Found::Element { element, shown: Shown::CheckedOut(_), .. } => {
                        (VobObject::Element(element.number), own(&element), false)
                    }
                    Found::Element { element, .. } => (VobObject::Element(element.number), None, false),
                    Found::History(place) => match place {
                        Place::Element(number) => (VobObject::Element(number), None, true),
                        Place::Branch(number, branch) => (VobObject::Branch(number, branch), None, true),
                        Place::Version(number, version)
                        | Place::Directory(number, DirectoryAt::Version(version)) => {
                            (VobObject::Version(number, version), None, true)
                        }
                        Place::OwnCheckout(number) => {
                            (VobObject::Element(number), own(&*vob.element(number)?), true)
                        }
                        Place::OtherCheckout(number, checkout)
                        | Place::Directory(number, DirectoryAt::CheckedOut(checkout)) => {
                            (VobObject::Element(number), Some(checkout), true)
                        }
                        Place::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
                    },
                    Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
                    Found::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
                };
                let element = checkout.and_then(|_| object.element());
                let element = element.map(|number| vob.element(number)).transpose()?;
                let is_own = element.is_some_and(|element| own(&element) == checkout);
                Ok(Named { vob, object, checkout, is_own, extended })
            }
        }
    }

    fn named_by_selector(&self, context: &Context, selector: &Selector) -> Outcome<Named> {
        let vob = self.vob_of_selector(context, Some(selector))?;
        let state = vob.vob.state();
        let object = match selector.kind() {
            SelectorKind::Vob => VobObject::Vob,
            SelectorKind::Oid | SelectorKind::Dbid => {
                let (object, checkout) = identified(&vob, &state, selector)?;
                return Ok(Named { vob, object, checkout, is_own: false, extended: true });
            }
            SelectorKind::Hyperlink => return Err(Failure::new(FailureCode::NotAnElement)),
            _ => VobObject::Type(super::types::selected_type(&state, selector)?.number),
        };
        Ok(Named { vob, object, checkout: None, is_own: false, extended: true })
    }

    /// Plans each argument against the records that its VOB's commit changes, and commits what the plans come to.
    /// An object that an earlier argument names is refused.
    pub(super) fn change_objects(
        &self,
        (caller, context): (&Caller, &Context),
        named: &[Outcome<Named>],
        mut plan: impl FnMut(&Vob, &Named, usize) -> Outcome<Change>,
    ) -> Vec<Outcome<()>> {
        let mut outcomes: Vec<Outcome<()>> =
            named.iter().map(|named| named.as_ref().map(drop).map_err(Clone::clone)).collect();
        let mut vobs: Vec<VobIndex> = Vec::new();
        for first in named.iter().flatten() {
            if vobs.contains(&first.vob.index) {
                continue;
            }
            vobs.push(first.vob.index);
            let here: Vec<(usize, &Named)> = named
                .iter()
                .enumerate()
                .filter_map(|(at, named)| Some((at, named.as_ref().ok()?)))
                .filter(|(_, named)| named.vob.index == first.vob.index)
                .collect();
            let committed = self.commit(&first.vob, |store| {
                let mut seen = HashSet::new();
                let mut transactions = Vec::new();
                for (at, named) in &here {
                    let planned = match seen.insert((named.object, named.checkout)) {
                        true => plan(store, named, *at),
                        false => Err(Failure::new(FailureCode::NamedTwice)),
                    };
                    match planned {
                        Ok(Change { operations, .. }) if operations.is_empty() => {}
                        Ok(Change { operations, comment }) => transactions.push(Transaction {
                            time_ns: now_ns(),
                            user: self.user(caller, context),
                            comment,
                            attributes: vec![],
                            operations,
                        }),
                        Err(failure) => outcomes[*at] = Err(failure),
                    }
                }
                if transactions.is_empty() { Err(super::types::nothing_left()) } else { Ok(transactions) }
            });
            match committed {
                Err(failure) if failure.code() != FailureCode::NotDone => {
                    for (at, _) in here {
                        if outcomes[at].is_ok() {
                            outcomes[at] = Err(failure.clone());
                        }
                    }
                }
                _ => {}
            }
        }
        outcomes
    }

    /// Refuses who does not own an object: its owner, who made a branch, the VOB owner, root.
    ///
    /// # Errors
    /// `PERMISSION`, or the VOB cannot be read.
    pub(super) fn permit_owner(
        &self,
        caller: &Caller,
        store: &Vob,
        object: VobObject,
        operation: &str,
    ) -> Outcome<()> {
        let vob_owner = (store.state().header.owner, "VOB owner");
        let number = match object {
            VobObject::Vob => return self.permit(caller, &[vob_owner], operation),
            VobObject::Type(number) => {
                let object = store.state().type_object(number).cloned();
                let object = object.ok_or_else(|| Failure::internal("a type object is gone"))?;
                return self.permit_type(caller, store, &object, operation);
            }
            VobObject::Element(number)
            | VobObject::Branch(number, _)
            | VobObject::Version(number, _)
            | VobObject::CheckOut(number, _) => number,
        };
        let element = store.element(number)?.ok_or_else(|| Failure::internal("the element is gone"))?;
        let mut refused = self.permit(caller, &[(element.owner, "element owner"), vob_owner], operation);
        if let (Err(failure), VobObject::Branch(_, branch)) = (&mut refused, object) {
            let made = element.find_branch(branch).map(|branch| told(store, branch.event)).transpose()?;
            if made.is_some_and(|made| made.person.login == identity::user_name(caller.user_id)) {
                return Ok(());
            }
            failure.must_be_one_of.insert(0, "branch creator".to_owned());
        }
        refused
    }
}

/// Answers for each argument what became of it, and what it is.
pub fn reply(named: &[Outcome<Named>], outcomes: Vec<Outcome<()>>) -> ObjectsReply {
    let outcome = |(outcome, named): (Outcome<()>, &Outcome<Named>)| {
        let (kind, name) = named.as_ref().map(Named::told).unwrap_or_default();
        ObjectOutcome { failure: outcome.err(), kind: kind.into(), name, comment: Vec::new() }
    };
    ObjectsReply { outcomes: outcomes.into_iter().zip(named).map(outcome).collect() }
}
