//! rmtype: type objects go, with their instances where that was asked for.

use super::types::{each_element, has_instance, selected_type, type_facts};
use crate::server::identity::Caller;
use crate::server::proto::{
    Context, Failure, FailureCode, ObjectKind, RemoveTypesReply, RemoveTypesRequest, Selector, TypeFacts,
    TypeOutcome, type_outcome,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::vob::state::predefined;
use crate::vob::{Operation, Transaction, TypeKind};

impl Server {
    pub(super) fn remove_types(
        &self,
        caller: &Caller,
        request: &RemoveTypesRequest,
    ) -> Outcome<RemoveTypesReply> {
        let context = Server::context(&request.context)?;
        let outcome = |selector: &Selector| TypeOutcome {
            outcome: Some(match self.remove_type(caller, context, request, selector) {
                Ok(done) => type_outcome::Outcome::Done(done),
                Err(failure) => type_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(RemoveTypesReply { outcomes: request.selectors.iter().map(outcome).collect() })
    }

    fn remove_type(
        &self,
        caller: &Caller,
        context: &Context,
        request: &RemoveTypesRequest,
        selector: &Selector,
    ) -> Outcome<TypeFacts> {
        let vob = self.vob_of_selector(context, Some(selector))?;
        let mut facts = TypeFacts::default();
        self.commit(&vob, |store| {
            let state = store.state();
            let object = selected_type(&state, selector)?;
            self.permit_type(caller, store, &object, "remove type")?;
            self.refuse_locked_type(&vob, object.number, caller, "remove type")?;
            if predefined::is_predefined(object.number) {
                return Err(Failure::new(FailureCode::Predefined).name(object.name.as_str()));
            }
            facts = type_facts(store, &state, &object)?;
            let mut instances = Vec::new();
            each_element(store, &mut |element| {
                if has_instance(element, &object) {
                    instances.push(element.number);
                }
            })?;
            let mut operations = Vec::new();
            match object.kind {
                _ if instances.is_empty() => {}
                TypeKind::Label if request.remove_all => {
                    operations.push(Operation::RemoveLabel { label: object.number, targets: instances });
                }
                // Branches, elements and hyperlinks are not removed yet, with or without their type.
                TypeKind::Branch if request.remove_all => {
                    return Err(Failure::other(
                        "branches cannot be removed yet, so -rmall is refused for them",
                    ));
                }
                kind => {
                    let of = match kind {
                        TypeKind::Label => ObjectKind::Version,
                        TypeKind::Branch => ObjectKind::Branch,
                        TypeKind::Element => ObjectKind::FileElement,
                        TypeKind::Hyperlink | TypeKind::Attribute => ObjectKind::Hyperlink,
                    };
                    let failure = Failure::new(FailureCode::TypeInUse).name(object.name.as_str());
                    return Err(Failure { object_kind: of.into(), ..failure });
                }
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
        Ok(facts)
    }
}
