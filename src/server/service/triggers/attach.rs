//! mktrigger and rmtrigger: the lists of trigger types that elements have.

use super::refuse_vetoed;
use crate::server::firing::Subject;
use crate::server::identity::Caller;
use crate::server::proto::{
    ChangeTriggersOutcome, ChangeTriggersReply, ChangeTriggersRequest, Context, Failure, FailureCode,
};
use crate::server::service::meant::{Finder, Search, Slot};
use crate::server::service::types::{nothing_left, selected_type};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::vob::trigger::TriggerClass;
use crate::vob::{Element, ElementKind, Operation, Transaction, TriggerLists, TypeNo};
use std::collections::HashSet;
use std::sync::Arc;

/// What became of a name: the kind of element, and the lists that changed.
type Changed = Outcome<(ElementKind, bool, bool)>;

impl Server {
    /// Puts a trigger type into lists of elements, or takes it out of them: all of a VOB's in one commit.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of names are outcomes.
    pub(in crate::server::service) fn change_triggers(
        &self,
        caller: &Caller,
        request: &ChangeTriggersRequest,
    ) -> Outcome<ChangeTriggersReply> {
        let context = Server::context(&request.context)?;
        let search = Search { recurse: request.recurse, follow: false, any_version: true };
        let mut finder = Finder::new(self, context, search);
        for (argument, pname) in (0..).zip(&request.pnames) {
            finder.argument(argument, pname);
        }
        let (vobs, mut slots) = finder.finish();
        for (place, vob) in vobs.iter().enumerate() {
            self.change_triggers_in(caller, context, request, (place, vob), &mut slots);
        }
        let outcome = |slot: Slot<Changed>| {
            let Slot { argument, path, meant, result, .. } = slot;
            let told = ChangeTriggersOutcome { argument, path, ..ChangeTriggersOutcome::default() };
            match (meant, result) {
                (Err(failure), _) | (Ok(_), Some(Err(failure))) => {
                    Some(ChangeTriggersOutcome { failure: Some(failure), ..told })
                }
                (Ok(_), Some(Ok((kind, attached, inherited)))) => {
                    let directory = kind == ElementKind::Directory;
                    Some(ChangeTriggersOutcome { directory, attached, inherited, ..told })
                }
                (Ok(_), None) => None,
            }
        };
        Ok(ChangeTriggersReply { outcomes: slots.into_iter().filter_map(outcome).collect() })
    }

    fn change_triggers_in(
        &self,
        caller: &Caller,
        context: &Context,
        request: &ChangeTriggersRequest,
        (place, vob): (usize, &Arc<MountedVob>),
        slots: &mut [Slot<Changed>],
    ) {
        let here =
            |slot: &&mut Slot<Changed>| slot.meant.is_ok() && slot.at.is_some_and(|(at, _)| at == place);
        let selector = request.trigger.clone().unwrap_or_default();
        let committed = self.commit(vob, |store| {
            let state = store.state();
            let object = selected_type(&state, &selector)?;
            let operation = if request.remove { "remove trigger" } else { "make trigger" };
            self.refuse_locked_type(vob, object.number, caller, operation)?;
            let class = state.trigger(object.number).map(|definition| definition.class);
            if class != Some(TriggerClass::Element) {
                return Err(Failure::new(FailureCode::TriggerNotAttachable).name(object.name.as_str()));
            }
            let (mut operations, mut seen) = (Vec::new(), HashSet::new());
            for slot in slots.iter_mut().filter(here) {
                let Some((_, number)) = slot.at else { continue };
                if !seen.insert(number) {
                    continue;
                }
                let element =
                    store.element(number)?.ok_or_else(|| Failure::internal("an element is gone"))?;
                let recursed = slot.recursed;
                let planned = self.plan_triggers(caller, store, vob, request, (&element, object.number));
                slot.result = match planned {
                    Ok((lists, attached, inherited)) => {
                        let (element_no, present) = (number, !request.remove);
                        operations.push(Operation::ChangeTriggers {
                            element: element_no,
                            trigger: object.number,
                            lists,
                            present,
                        });
                        Some(Ok((element.kind, attached, inherited)))
                    }
                    // What is below may have it, or not have it.
                    Err(failure)
                        if recursed
                            && matches!(
                                failure.code(),
                                FailureCode::TriggerAttached | FailureCode::TriggerNotAttached
                            ) =>
                    {
                        None
                    }
                    Err(failure) => Some(Err(failure.clone())),
                };
            }
            if operations.is_empty() {
                return Err(nothing_left());
            }
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: String::from_utf8_lossy(&request.comment).into_owned(),
                attributes: vec![],
                operations,
            }])
        });
        let Err(failure) = committed else { return };
        if failure.code() == FailureCode::NotDone {
            return;
        }
        for slot in slots.iter_mut().filter(here) {
            slot.result = (!slot.recursed).then(|| Err(failure.clone()));
        }
    }

    /// Finds the lists of an element that are to change.
    fn plan_triggers(
        &self,
        caller: &Caller,
        store: &Vob,
        vob: &Arc<MountedVob>,
        request: &ChangeTriggersRequest,
        (element, trigger): (&Element, TypeNo),
    ) -> Outcome<(TriggerLists, bool, bool)> {
        let operation = if request.remove { "remove trigger" } else { "make trigger" };
        let owners = [(element.owner, "element owner"), (store.state().header.owner, "VOB owner")];
        self.permit(caller, &owners, operation)?;
        self.refuse_locked(vob, element, None, caller, operation)?;
        refuse_vetoed(vob.index, || Subject::Element(element.number))?;
        let held = &element.annotations().triggers;
        let is_directory = element.kind == ElementKind::Directory;
        let changes = |list: &[TypeNo]| list.contains(&trigger) == request.remove;
        let attached = !request.no_attach && changes(&held.attached);
        let inherited = is_directory && !request.no_inherit && changes(&held.inherited);
        let lists = match (attached, inherited) {
            (true, true) => TriggerLists::Both,
            (true, false) => TriggerLists::Attached,
            (false, true) => TriggerLists::Inherited,
            (false, false) => {
                let code = match request.remove {
                    true => FailureCode::TriggerNotAttached,
                    false => FailureCode::TriggerAttached,
                };
                return Err(Failure::new(code).name(store.state().type_name(trigger)));
            }
        };
        Ok((lists, attached, inherited))
    }
}
