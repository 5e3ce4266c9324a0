//! mklabel and rmlabel: facts first, then one change of each VOB with all that is allowed.
//!
//! What the arguments mean is found in the view before the commit; whether an element may get or lose
//! the label is decided during it, against the records that it changes.

mod plan;

use super::describe::not_found;
use super::meant::{Finder, Search, Slot};
use super::version_selector::Wanted;
use crate::server::identity::Caller;
use crate::server::proto::label_item::Item;
use crate::server::proto::{
    Context, Failure, FailureCode, LabelDone, LabelFailure, LabelItem, LabelRequest, ObjectKind,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::MountedVob;
use crate::vob::{Operation, Transaction};
use plan::{Plan, Planned};
use std::sync::Arc;

impl Server {
    /// Attaches or removes a label, and sends what became of every name.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of names are items.
    pub(super) fn label(
        &self,
        caller: &Caller,
        request: &LabelRequest,
        send: &mut dyn FnMut(LabelItem) -> bool,
    ) -> Outcome<()> {
        let context = Server::context(&request.context)?;
        let wanted = self.wanted_version(caller, &request.version)?;
        let any_version = request.remove || !request.version.is_empty();
        let search = Search { recurse: request.recurse, follow: request.follow, any_version };
        let mut finder = Finder::new(self, context, search);
        for (argument, pname) in (0..).zip(&request.pnames) {
            finder.argument(argument, pname);
        }
        let (vobs, mut slots) = finder.finish();
        for (place, vob) in vobs.iter().enumerate() {
            self.label_in(caller, context, request, wanted.as_ref(), (place, vob), &mut slots);
        }
        for slot in slots {
            let Slot { argument, path, recursed, meant, result, .. } = slot;
            let item = match (meant, result) {
                (Err(failure), _) => Item::Failure(LabelFailure {
                    argument,
                    path,
                    recursed,
                    failure: Some(failure),
                    version: Vec::new(),
                }),
                (Ok(_), Some(Planned::Done { version, moved_from })) => {
                    Item::Done(LabelDone { argument, path, version, moved_from })
                }
                (Ok(_), Some(Planned::Refused { version, failure })) => {
                    let failure = Some(*failure);
                    Item::Failure(LabelFailure { argument, path, version, failure, recursed })
                }
                (Ok(_), None) => continue,
            };
            if !send(LabelItem { item: Some(item) }) {
                break;
            }
        }
        Ok(())
    }

    /// Does what is to be done in one VOB.
    fn label_in(
        &self,
        caller: &Caller,
        context: &Context,
        request: &LabelRequest,
        wanted: Option<&Wanted>,
        (place, vob): (usize, &Arc<MountedVob>),
        slots: &mut [Slot<Planned>],
    ) {
        let here =
            |slot: &&mut Slot<Planned>| slot.meant.is_ok() && slot.at.is_some_and(|(at, _)| at == place);
        let selector = request.label.clone().unwrap_or_default();
        let typed_vob = selector.vob.as_ref().is_some_and(|vob| !vob.typed.is_empty());
        let of_this_vob = match typed_vob {
            true => self.vob_of_selector(context, Some(&selector)).map(|of| of.index == vob.index),
            false => Ok(true),
        };
        let committed = self.commit(vob, |store| {
            if !of_this_vob? {
                return Err(not_found(ObjectKind::LabelType, &String::from_utf8_lossy(&selector.name)));
            }
            let state = store.state();
            let label = super::types::selected_type(&state, &selector)?;
            let operation = if request.remove { "remove label" } else { "make label" };
            self.refuse_locked_type(vob, label.number, caller, operation)?;
            let mut plan = Plan::new(self, caller, vob, &label, request, wanted);
            for slot in slots.iter_mut().filter(here) {
                if let (Some((_, number)), Ok(meant)) = (slot.at, &slot.meant) {
                    let element =
                        store.element(number)?.ok_or_else(|| Failure::internal("an element is gone"))?;
                    slot.result = plan.name(&element, *meant, slot.recursed);
                }
            }
            let targets = plan.finish();
            if targets.is_empty() {
                return Err(super::types::nothing_left());
            }
            let label = label.number;
            let operation = match request.remove {
                false => Operation::ApplyLabel { label, targets },
                true => Operation::RemoveVersionLabels { label, targets },
            };
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: String::from_utf8_lossy(&request.comment).into_owned(),
                attributes: vec![],
                operations: vec![operation],
            }])
        });
        let Err(failure) = committed else { return };
        if failure.code() == FailureCode::NotDone {
            return;
        }
        // Nothing was done: told of every argument, not of all that is below it.
        for slot in slots.iter_mut().filter(here) {
            let failure = (!slot.recursed).then(|| Box::new(failure.clone()));
            slot.result = failure.map(|failure| Planned::Refused { version: Vec::new(), failure });
        }
    }
}
