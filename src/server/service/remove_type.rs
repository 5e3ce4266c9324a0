//! rmtype: type objects go, with their instances where that was asked for.

use super::removal::Plan;
use super::types::{each_element, has_instance, selected_type, type_facts};
use crate::server::identity::Caller;
use crate::server::proto::{
    Context, Failure, FailureCode, Notice, ObjectKind, RemoveTypesReply, RemoveTypesRequest, Selector,
    TypeFacts, TypeOutcome, type_outcome,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::resolve::branch_id;
use crate::vob::state::predefined;
use crate::vob::{
    Annotations, Element, ElementNo, Operation, Part, Transaction, TriggerLists, TypeKind, TypeObject,
    VobObject, VobState,
};
use std::collections::HashSet;
use std::sync::Arc;

impl Server {
    pub(super) fn remove_types(
        &self,
        caller: &Caller,
        request: &RemoveTypesRequest,
    ) -> Outcome<RemoveTypesReply> {
        let context = Server::context(&request.context)?;
        let outcome = |selector: &Selector| {
            let mut notices = Vec::new();
            let outcome = match self.remove_type(caller, context, request, selector, &mut notices) {
                Ok(done) => type_outcome::Outcome::Done(done),
                Err(failure) => type_outcome::Outcome::Failure(failure),
            };
            TypeOutcome { outcome: Some(outcome), notices, identity: None }
        };
        Ok(RemoveTypesReply { outcomes: request.selectors.iter().map(outcome).collect() })
    }

    fn remove_type(
        &self,
        caller: &Caller,
        context: &Context,
        request: &RemoveTypesRequest,
        selector: &Selector,
        notices: &mut Vec<Notice>,
    ) -> Outcome<TypeFacts> {
        let vob = self.vob_of_selector(context, Some(selector))?;
        let mut facts = TypeFacts::default();
        let mut lost = Vec::new();
        self.commit(&vob, |store| {
            let state = store.state();
            let object = selected_type(&state, selector)?;
            self.permit_type(caller, store, &object, "remove type")?;
            self.refuse_locked_type(&vob, object.number, caller, "remove type")?;
            if predefined::is_predefined(object.number) {
                return Err(Failure::new(FailureCode::Predefined).name(object.name.as_str()));
            }
            facts = type_facts(store, &state, &object)?;
            let instances = Instances::all(store, &state, &object)?;
            let mut operations = Vec::new();
            if !instances.is_empty() {
                if !request.remove_all || object.kind == TypeKind::Element {
                    let failure = Failure::new(FailureCode::TypeInUse).name(object.name.as_str());
                    let object_kind = instance_kind(object.kind).into();
                    return Err(Failure { object_kind, ..failure });
                }
                (operations, lost) = match object.kind {
                    TypeKind::Branch => self.without_branches(caller, &vob, store, &object, &instances)?,
                    _ => (instances.removal(&object), Vec::new()),
                };
            }
            operations.push(Operation::RemoveType { number: object.number });
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: String::from_utf8_lossy(&request.comment).into_owned(),
                attributes: vec![],
                operations,
            }])
        })?;
        notices.extend(lost);
        self.attribute_type_changed(facts.kind());
        Ok(facts)
    }

    /// Plans the removal of all branches of a type, and of what sprouts from them.
    fn without_branches(
        &self,
        caller: &Caller,
        vob: &Arc<MountedVob>,
        store: &Vob,
        object: &TypeObject,
        instances: &Instances,
    ) -> Outcome<(Vec<Operation>, Vec<Notice>)> {
        let mut plan = Plan::new(self, caller, vob, store);
        for number in &instances.elements {
            let element = plan.element(*number)?;
            for branch in element.branches_with_type(object.number) {
                // Branches of one type may be below one another.
                if plan.is_there(&element, branch) {
                    plan.remove_branch(0, &element, branch).map_err(|failure| {
                        let name = element.names.last().map(|(_, name)| name.to_vec()).unwrap_or_default();
                        let branch = branch_id(&store.state(), &element, branch);
                        match failure.code() {
                            FailureCode::CheckedOutVersions | FailureCode::RootBranch => {
                                failure.name([&name[..], b"@@", branch.as_bytes()].concat())
                            }
                            FailureCode::Locked if failure.name.is_empty() => failure.name(name),
                            _ => failure,
                        }
                    })?;
                }
            }
        }
        let (operations, notices) = plan.finish()?;
        Ok((operations, notices.into_iter().map(|(_, notice)| notice).collect()))
    }
}

fn instance_kind(kind: TypeKind) -> ObjectKind {
    match kind {
        TypeKind::Label => ObjectKind::Version,
        TypeKind::Branch => ObjectKind::Branch,
        TypeKind::Element => ObjectKind::FileElement,
        TypeKind::Hyperlink => ObjectKind::Hyperlink,
        TypeKind::Attribute => ObjectKind::AttributeType,
        TypeKind::Trigger => ObjectKind::TriggerType,
    }
}

/// What there is of a type.
#[derive(Default)]
struct Instances {
    elements: Vec<ElementNo>,
    attributes: Vec<VobObject>,
    /// Hyperlinks, each with an object that has it: both ends do.
    links: Vec<(u32, VobObject)>,
    seen: HashSet<u32>,
}

/// Tells whether there is anything of a type.
///
/// # Errors
/// If the VOB cannot be read.
pub(super) fn is_used(store: &Vob, object: &TypeObject) -> Outcome<bool> {
    Ok(!Instances::all(store, &store.state(), object)?.is_empty())
}

impl Instances {
    /// All that there is in a VOB.
    fn all(store: &Vob, state: &VobState, object: &TypeObject) -> Outcome<Instances> {
        let mut instances = Instances::of(state, object);
        each_element(store, &mut |element| {
            if has_instance(element, object) {
                instances.on_element(element, object);
            }
        })?;
        Ok(instances)
    }

    /// What there is on the VOB itself and on its type objects.
    fn of(state: &VobState, object: &TypeObject) -> Instances {
        let mut instances = Instances::default();
        instances.on(&state.settings().annotations, object, &|_| VobObject::Vob);
        for holder in state.present_types() {
            instances.on(&holder.annotations, object, &|_| VobObject::Type(holder.number));
        }
        instances
    }

    fn on_element(&mut self, element: &Element, object: &TypeObject) {
        let number = element.number;
        self.elements.push(number);
        let of_type = element.hyperlinks.iter().filter(|link| link.link_type == object.number);
        self.links.extend(of_type.map(|link| (link.number, VobObject::Element(number))));
        self.on(element.annotations(), object, &|part| VobObject::Element(number).with_part(part));
    }

    fn on(&mut self, held: &Annotations, object: &TypeObject, at: &dyn Fn(Part) -> VobObject) {
        let attributes = held.attributes.iter();
        let of_type = attributes.filter(|held| held.attribute == object.number && held.value.is_some());
        self.attributes.extend(of_type.map(|held| at(held.part)));
        for link in held.links.iter().filter(|link| link.link_type == object.number) {
            if self.seen.insert(link.number) {
                self.links.push((link.number, at(Part::Whole)));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.elements.is_empty() && self.attributes.is_empty() && self.links.is_empty()
    }

    fn removal(&self, object: &TypeObject) -> Vec<Operation> {
        match object.kind {
            TypeKind::Label => {
                vec![Operation::RemoveLabel { label: object.number, targets: self.elements.clone() }]
            }
            TypeKind::Attribute => {
                let removal = |object_of: &VobObject| Operation::RemoveAttribute {
                    object: *object_of,
                    attribute: object.number,
                };
                self.attributes.iter().map(removal).collect()
            }
            TypeKind::Hyperlink => {
                let removal =
                    |(number, at): &(u32, VobObject)| Operation::RemoveLink { number: *number, at: *at };
                self.links.iter().map(removal).collect()
            }
            TypeKind::Trigger => {
                let removal = |element: &ElementNo| Operation::ChangeTriggers {
                    element: *element,
                    trigger: object.number,
                    lists: TriggerLists::Both,
                    present: false,
                };
                self.elements.iter().map(removal).collect()
            }
            TypeKind::Branch | TypeKind::Element => Vec::new(),
        }
    }
}
