//! chevent: comments of what was made, and of checkouts, change after the event.

use super::attachable::part_name;
use super::facts::told;
use super::objects::{Change, Named, reply};
use crate::server::identity::{self, Caller};
use crate::server::proto::{
    ChangeCommentRequest, CommentChange, Created, Failure, FailureCode, ObjectsReply,
};
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::vob::{
    Annotations, BranchNo, Checkout, Element, EventNo, Operation, Version, VobObject, VobState,
};
use std::sync::Arc;

const OPERATION: &str = "change event";

/// Gives a creation the comment that was given later, if one was.
pub fn amended(created: Created, annotations: &Annotations, event: EventNo) -> Created {
    match annotations.comment(event) {
        Some(comment) => Created { comment: comment.as_bytes().to_vec(), ..created },
        None => created,
    }
}

/// The object of an element whose comment is that of the event that made `object`: one event makes an element with
/// its root branch and version 0, and where importers make it, a version with contents, which the comment is of then.
pub fn whose_comment(element: &Element, object: VobObject) -> VobObject {
    let number = element.number;
    // The version with contents on such a branch that an event made.
    let version = |event: EventNo, on: &dyn Fn(BranchNo) -> bool| {
        let made = |version: &Version| version.event == event && version.number > 0 && on(version.branch);
        element.present_versions().find(|(_, version)| made(version)).map(|(version, _)| version)
    };
    let of_branch = |branch: BranchNo| {
        let Some(made) = element.find_branch(branch) else { return object };
        let of_version = match branch {
            BranchNo::ROOT => version(made.event, &|_| true),
            branch => version(made.event, &|other| other == branch),
        };
        match (of_version, branch) {
            (Some(version), _) => VobObject::Version(number, version),
            (None, BranchNo::ROOT) => VobObject::Element(number),
            (None, branch) => VobObject::Branch(number, branch),
        }
    };
    match object {
        VobObject::Element(_) => of_branch(BranchNo::ROOT),
        VobObject::Branch(_, branch) => of_branch(branch),
        VobObject::Version(_, version) => match element.find_version(version) {
            Some(made) if made.number == 0 => of_branch(made.branch),
            _ => object,
        },
        other => other,
    }
}

/// What an argument of chevent means.
struct Meant {
    event: EventNo,
    comment: String,
    /// The checkout whose comment it is.
    checkout: Option<Checkout>,
}

impl Server {
    /// Changes comments, or tells them.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are outcomes.
    pub(super) fn change_comments(
        &self,
        caller: &Caller,
        request: &ChangeCommentRequest,
    ) -> Outcome<ObjectsReply> {
        let context = Server::context(&request.context)?;
        let named: Vec<Outcome<Named>> =
            request.arguments.iter().map(|argument| self.named(context, &argument.target)).collect();
        let mut before = vec![Vec::new(); named.len()];
        let outcomes = self.change_objects((caller, context), &named, |store, named, at| {
            let meant = meant(store, named, request.event)?;
            self.permit_comment(caller, store, named, &meant)?;
            self.refuse_locked_object(&named.vob, named.object, caller, OPERATION)?;
            before[at] = meant.comment.clone().into_bytes();
            let given = String::from_utf8_lossy(&request.arguments[at].comment).into_owned();
            let comment = changed(&meant.comment, &given, request.change());
            let operation = match (meant.checkout, named.object.element()) {
                (Some(checkout), Some(element)) => {
                    Operation::ChangeCheckOutComment { element, view: checkout.view, comment }
                }
                _ => Operation::ChangeComment { object: named.object, event: meant.event, comment },
            };
            let operations = if request.only_tell { Vec::new() } else { vec![operation] };
            Ok(Change { operations, comment: String::new() })
        });
        let mut reply = reply(&named, outcomes);
        for ((outcome, comment), named) in reply.outcomes.iter_mut().zip(before).zip(&named) {
            outcome.comment = comment;
            // Here a plain path means the version.
            if let Ok(named) = named {
                let state = named.vob.vob.state();
                outcome.kind = super::objects::kind_and_name(&named.vob, &state, named.object).0.into();
            }
        }
        Ok(reply)
    }

    /// Refuses who may not change a comment: neither who wrote it nor who owns the object.
    fn permit_comment(&self, caller: &Caller, store: &Vob, named: &Named, meant: &Meant) -> Outcome<()> {
        let mut refused = self.permit_owner(caller, store, named.object, OPERATION);
        if let Err(failure) = &mut refused {
            let login = identity::user_name(caller.user_id);
            if told(store, meant.event)?.person.login == login {
                return Ok(());
            }
            failure.must_be_one_of.retain(|who| who != "branch creator");
            failure.must_be_one_of.insert(0, "event creator".to_owned());
        }
        refused
    }
}

fn meant(store: &Vob, named: &Named, wanted: Option<u64>) -> Outcome<Meant> {
    let missing = || Failure::new(FailureCode::NoSuchEvent);
    let wanted = wanted.map(|event| u32::try_from(event).map(EventNo)).transpose().map_err(|_| missing())?;
    let state = store.state();
    let element = match named.object.element() {
        Some(number) => store.element(number)?,
        None => None,
    };
    if let (Some(element), Some(number)) = (&element, named.checkout) {
        let checkout = element.checkouts.iter().find(|checkout| checkout.number == number);
        let checkout = checkout.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
        if wanted.is_none_or(|event| event == checkout.event) {
            let (event, comment) = (checkout.event, checkout.comment.clone());
            return Ok(Meant { event, comment, checkout: Some(checkout.clone()) });
        }
    }
    let made = creation(&state, element.as_ref(), named.object).ok_or_else(missing)?;
    if let (Some(element), None) = (&element, wanted) {
        let whose = whose_comment(element, named.object);
        if whose != named.object {
            let branch = part_name(&state, element, whose).1;
            return Err(Failure { branch, ..Failure::new(FailureCode::CommentOfOther) });
        }
    }
    let event = wanted.unwrap_or(made);
    let annotations = match (named.object, &element) {
        (VobObject::Type(number), _) => {
            state.type_object(number).map(|object| object.annotations.clone()).unwrap_or_default()
        }
        (_, Some(element)) => element.annotations().clone(),
        (_, None) => state.settings().annotations.clone(),
    };
    let is_made_here = match &element {
        Some(element) => events(element).any(|known| known == event),
        None => event == made,
    };
    if !is_made_here && !annotations.past.iter().any(|past| past.event == event) {
        return Err(missing());
    }
    let comment = match annotations.comment(event) {
        Some(comment) => comment.to_owned(),
        None => String::from_utf8_lossy(&told(store, event)?.comment).into_owned(),
    };
    Ok(Meant { event, comment, checkout: None })
}

/// The event whose comment an object shows.
fn creation(state: &VobState, element: Option<&Arc<Element>>, object: VobObject) -> Option<EventNo> {
    match object {
        VobObject::Vob => Some(EventNo(0)),
        VobObject::Type(number) => state.type_object(number).map(|object| object.described),
        VobObject::Element(_) => element.map(|element| element.event),
        VobObject::Branch(_, branch) => element?.find_branch(branch).map(|branch| branch.event),
        VobObject::Version(_, version) => element?.find_version(version).map(|version| version.event),
        VobObject::CheckOut(_, number) => {
            let checkout = element?.checkouts.iter().find(|checkout| checkout.number == number);
            checkout.map(|checkout| checkout.event)
        }
    }
}

/// The events that made something of an element and its parts.
fn events(element: &Element) -> impl Iterator<Item = EventNo> + '_ {
    let labels = element.label_events.iter().map(|(.., event)| *event);
    let branches = element.present_branches().map(|(_, branch)| branch.event);
    let versions = element.present_versions().map(|(_, version)| version.event);
    [element.event].into_iter().chain(branches).chain(versions).chain(labels)
}

fn changed(before: &str, given: &str, change: CommentChange) -> String {
    match change {
        CommentChange::Replace => given.to_owned(),
        _ if before.is_empty() => given.to_owned(),
        _ if given.is_empty() => before.to_owned(),
        CommentChange::Append => format!("{before}\n{given}"),
        CommentChange::Insert => format!("{given}\n{before}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_grow_at_either_end_or_are_replaced() {
        for (before, given, change, after) in [
            ("a", "b", CommentChange::Append, "a\nb"),
            ("a", "b", CommentChange::Insert, "b\na"),
            ("a", "b", CommentChange::Replace, "b"),
            ("a", "", CommentChange::Append, "a"),
            ("a", "", CommentChange::Replace, ""),
            ("", "b", CommentChange::Insert, "b"),
        ] {
            assert_eq!(changed(before, given, change), after, "{before:?} {given:?} {change:?}");
        }
    }
}
