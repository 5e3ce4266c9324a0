//! chtype: elements and branches get other types.

use super::describe::not_found;
use super::objects::{Change, Named, reply};
use crate::server::identity::Caller;
use crate::server::proto::{ChangeTypeRequest, Failure, FailureCode, ObjectKind, ObjectsReply, SelectorKind};
use crate::server::state::{Outcome, Server};
use crate::view::inode::VobIndex;
use crate::view::resolve::branch_id;
use crate::vob::apply::branch_in_the_way;
use crate::vob::{
    BranchNo, Element, ElementKind, ElementNo, Operation, TypeKind, TypeNo, TypeObject, VobObject, VobState,
};
use std::sync::Arc;

const OPERATION: &str = "change type";

impl Server {
    /// Gives elements and branches another type.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are outcomes.
    pub(super) fn change_types(&self, caller: &Caller, request: &ChangeTypeRequest) -> Outcome<ObjectsReply> {
        let context = Server::context(&request.context)?;
        let named: Vec<Outcome<Named>> = request
            .arguments
            .iter()
            .map(|argument| {
                let named = self.named(context, &argument.target)?;
                let object = match (named.element_or_other(), named.checkout) {
                    (VobObject::Element(_), Some(_)) if named.extended => None,
                    (object @ (VobObject::Element(_) | VobObject::Branch(..)), _) => Some(object),
                    _ => None,
                };
                let object = object.ok_or_else(|| Failure::new(FailureCode::NotRetypable))?;
                let selector = request.r#type.clone().unwrap_or_default();
                let typed = selector.vob.as_ref().is_some_and(|vob| !vob.typed.is_empty());
                if typed && self.vob_of_selector(context, Some(&selector))?.index != named.vob.index {
                    let kind = if matches!(object, VobObject::Branch(..)) {
                        ObjectKind::BranchType
                    } else {
                        ObjectKind::ElementType
                    };
                    return Err(not_found(kind, &String::from_utf8_lossy(&selector.name)));
                }
                Ok(Named { object, checkout: None, ..named })
            })
            .collect();
        // What earlier arguments of the command come to counts already.
        let mut given: Vec<(VobIndex, ElementNo, TypeNo, BranchNo)> = Vec::new();
        let outcomes = self.change_objects((caller, context), &named, |store, named, at| {
            let comment = String::from_utf8_lossy(&request.arguments[at].comment).into_owned();
            let number = named.object.element();
            let element = number.map(|number| store.element(number)).transpose()?.flatten();
            let element = element.ok_or_else(|| Failure::internal("the element is gone"))?;
            self.permit_owner(caller, store, named.object, OPERATION)?;
            self.refuse_locked_object(&named.vob, named.object, caller, OPERATION)?;
            let state = store.state();
            let operation = match named.object {
                VobObject::Branch(_, branch) => {
                    let object = wanted_type(&state, request, TypeKind::Branch)?;
                    self.refuse_locked_type(&named.vob, object.number, caller, OPERATION)?;
                    let mut earlier = given.iter().filter(|(vob, number, to, _)| {
                        (*vob, *number, *to) == (named.vob.index, element.number, object.number)
                    });
                    let parent = |branch: BranchNo| {
                        element.branch(branch).from.map(|from| element.version(from).branch)
                    };
                    let in_the_way = earlier
                        .find(|(.., other)| !object.is_per_branch() || parent(*other) == parent(branch));
                    if let Some((.., other)) = in_the_way {
                        let above = parent(*other).map(|above| branch_id(&state, &element, above));
                        let path = format!("{}/{}", above.unwrap_or_default(), object.name).into_bytes();
                        let failure = Failure::new(FailureCode::BranchExists).name(object.name.as_str());
                        return Err(Failure { branch: path, ..failure });
                    }
                    let operation = branch_to(&state, &element, branch, &object)?;
                    given.push((named.vob.index, element.number, object.number, branch));
                    operation
                }
                _ => {
                    let object = wanted_type(&state, request, TypeKind::Element)?;
                    self.refuse_locked_type(&named.vob, object.number, caller, OPERATION)?;
                    element_to(&state, &element, &object, request.force)?
                }
            };
            let operations = if request.only_tell { Vec::new() } else { vec![operation] };
            Ok(Change { operations, comment })
        });
        Ok(reply(&named, outcomes))
    }
}

fn wanted_type(state: &VobState, request: &ChangeTypeRequest, kind: TypeKind) -> Outcome<Arc<TypeObject>> {
    let selector = request.r#type.clone().unwrap_or_default();
    let name = String::from_utf8_lossy(&selector.name);
    let (selector_kind, object_kind) = match kind {
        TypeKind::Branch => (SelectorKind::BranchType, ObjectKind::BranchType),
        _ => (SelectorKind::ElementType, ObjectKind::ElementType),
    };
    let fits = [SelectorKind::Unspecified, selector_kind].contains(&selector.kind());
    let found = state.type_named(kind, &name).filter(|_| fits).cloned();
    found.ok_or_else(|| not_found(object_kind, &name))
}

fn branch_to(state: &VobState, element: &Element, branch: BranchNo, to: &TypeObject) -> Outcome<Operation> {
    let in_the_way = match element.branch(branch).from {
        Some(from) => branch_in_the_way(element, from, to.number, to.is_per_branch()),
        None => element.branch_with_type(to.number),
    };
    if let Some(other) = in_the_way.filter(|other| *other != branch) {
        let path = branch_id(state, element, other).into_bytes();
        let failure = Failure::new(FailureCode::BranchExists).name(to.name.as_str());
        return Err(Failure { branch: path, ..failure });
    }
    Ok(Operation::ChangeBranchType { element: element.number, branch, branch_type: to.number })
}

fn element_to(state: &VobState, element: &Element, to: &TypeObject, force: bool) -> Outcome<Operation> {
    if state.is_directory_type(to.number) != (element.kind == ElementKind::Directory) {
        return Err(Failure::new(FailureCode::TypeOfOtherKind).name(to.name.as_str()));
    }
    let manager = |number| state.element_type(number).1;
    if manager(element.element_type) != manager(to.number) && !force {
        return Err(Failure::new(FailureCode::OtherManager));
    }
    Ok(Operation::ChangeElementType { element: element.number, element_type: to.number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vob::state::predefined;

    #[test]
    fn a_type_is_of_the_kind_of_its_object() {
        let request = |kind: SelectorKind, name: &str| ChangeTypeRequest {
            r#type: Some(crate::server::proto::Selector {
                kind: kind.into(),
                name: name.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let state = VobState::new(
            Default::default(),
            Default::default(),
            predefined::ALL
                .iter()
                .zip(0..)
                .map(|((kind, name), number)| TypeObject {
                    number: crate::vob::TypeNo(number),
                    kind: *kind,
                    name: (*name).to_owned(),
                    event: crate::vob::EventNo(0),
                    definition: None,
                    described: crate::vob::EventNo(0),
                    removed: false,
                    protection: None,
                    annotations: Default::default(),
                })
                .collect(),
            vec![],
        );
        let found = |kind, name, wanted| wanted_type(&state, &request(kind, name), wanted).is_ok();
        assert!(found(SelectorKind::Unspecified, "file", TypeKind::Element));
        assert!(found(SelectorKind::BranchType, "main", TypeKind::Branch));
        assert!(!found(SelectorKind::BranchType, "main", TypeKind::Element));
        assert!(!found(SelectorKind::Unspecified, "main", TypeKind::Element));
    }
}
