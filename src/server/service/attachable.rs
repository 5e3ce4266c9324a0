//! Objects that attributes and hyperlinks can be attached to: which one a name means, who may change what is
//! attached to it, and what it is called.

use super::describe::type_object_kind;
use super::facts;
use crate::server::identity::Caller;
use crate::server::proto::target::Target as Kind;
use crate::server::proto::{Context, Failure, FailureCode, ObjectKind, SelectorKind, Target};
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::resolve::{branch_id, checkout_id, version_id};
use crate::vob::{Annotations, Element, Link, TypeNo, VobObject, VobState};
use std::sync::Arc;

impl Server {
    /// Finds the object that an argument names; a path names the version that the view selects, or the view's
    /// checkout.
    ///
    /// # Errors
    /// If there is none, if nothing can be attached to it, or if it is another view's checkout.
    pub(super) fn attachable(
        &self,
        context: &Context,
        target: &Target,
    ) -> Outcome<(Arc<MountedVob>, VobObject)> {
        if let Some(Kind::Selector(selector)) = &target.target
            && selector.kind() == SelectorKind::Hyperlink
        {
            let code = FailureCode::NothingToAttachTo;
            return Err(Failure { object_kind: ObjectKind::Hyperlink.into(), ..Failure::new(code) });
        }
        let named = self.named(context, &Some(target.clone()))?;
        match named.object {
            VobObject::Element(number) if named.is_own => {
                let checkout = named.checkout.unwrap_or_default();
                Ok((named.vob, VobObject::CheckOut(number, checkout)))
            }
            _ if named.checkout.is_some() => Err(Failure::new(FailureCode::VersionIsCheckedOut)),
            VobObject::Element(_) if !named.extended => Err(Failure::new(FailureCode::NoVersionSelected)),
            object => Ok((named.vob, object)),
        }
    }

    /// Refuses who may not change what is attached to an object, and what a lock on it, or on the type of what
    /// is attached, prevents.
    pub(super) fn permit_attaching(
        &self,
        caller: &Caller,
        vob: &MountedVob,
        object: VobObject,
        attached: TypeNo,
        operation: &str,
    ) -> Outcome<()> {
        let state = vob.vob.state();
        let element = object.element().map(|number| vob.element(number)).transpose()?;
        match (object, &element) {
            (_, Some(element)) => self.permit_element(caller, vob, element, operation)?,
            (VobObject::Type(number), None) => {
                let of_type = state.type_object(number).ok_or_else(gone)?;
                self.permit_type(caller, &vob.vob, of_type, operation)?;
            }
            _ => self.permit(caller, &[(state.header.owner, "VOB owner")], operation)?,
        }
        self.refuse_locked_type(vob, attached, caller, operation)?;
        self.refuse_locked_object(vob, object, caller, operation)
    }
}

fn gone() -> Failure {
    Failure::internal("an object is gone")
}

/// The kind of an object, and what follows `@@` in its name, or its own name where it is no part of an element.
///
/// # Errors
/// If the VOB cannot be read, or the object is gone.
pub(super) fn kind_and_extension(
    vob: &Vob,
    state: &VobState,
    object: VobObject,
) -> Outcome<(ObjectKind, Vec<u8>)> {
    let element = match object {
        VobObject::Vob => return Ok((ObjectKind::Vob, Vec::new())),
        VobObject::Type(number) => {
            let of_type = state.types().get(number.index()).ok_or_else(gone)?;
            return Ok((type_object_kind(of_type.kind), of_type.name.clone().into_bytes()));
        }
        VobObject::Element(number)
        | VobObject::Branch(number, _)
        | VobObject::Version(number, _)
        | VobObject::CheckOut(number, _) => vob.element(number)?.ok_or_else(gone)?,
    };
    Ok(part_name(state, &element, object))
}

/// As [`kind_and_extension`], of an element or a part of it.
pub(super) fn part_name(state: &VobState, element: &Element, object: VobObject) -> (ObjectKind, Vec<u8>) {
    let (element_kind, version_kind) = facts::kinds(element);
    match object {
        VobObject::Branch(_, branch) => (ObjectKind::Branch, branch_id(state, element, branch).into_bytes()),
        VobObject::Version(_, version) => (version_kind, version_id(state, element, version).into_bytes()),
        VobObject::CheckOut(_, number) => {
            let checkout = element.checkouts.iter().find(|checkout| checkout.number == number);
            let id = checkout.map(|checkout| checkout_id(state, element, checkout));
            (version_kind, id.unwrap_or_default().into_bytes())
        }
        _ => (element_kind, Vec::new()),
    }
}

/// What is attached to the holder of an object.
///
/// # Errors
/// If the VOB cannot be read, or the object is gone.
pub(super) fn annotations(vob: &Vob, state: &VobState, object: VobObject) -> Outcome<Annotations> {
    Ok(match object.holder() {
        VobObject::Type(number) => state.type_object(number).ok_or_else(gone)?.annotations.clone(),
        VobObject::Element(number) => vob.element(number)?.ok_or_else(gone)?.annotations().clone(),
        _ => state.settings().annotations.clone(),
    })
}

/// The hyperlinks of the holder of an object, the oldest first.
///
/// # Errors
/// As [`annotations`].
pub(super) fn links(vob: &Vob, state: &VobState, object: VobObject) -> Outcome<Vec<Link>> {
    let mut links: Vec<Link> = match object.holder() {
        VobObject::Element(number) => {
            let element = vob.element(number)?.ok_or_else(gone)?;
            element.links().map(std::borrow::Cow::into_owned).collect()
        }
        other => annotations(vob, state, other)?.links,
    };
    links.sort_by_key(|link| link.number);
    Ok(links)
}
