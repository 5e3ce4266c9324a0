//! Triggers: what fires for a commit, and the calls by which clients run it.
//!
//! `deeds` tells what a frame's operations do as trigger types see it; here each deed meets the definitions. A VOB
//! without trigger types costs one look at an empty list.

mod attach;
mod deeds;
mod definition;

pub use definition::{definition, facts};

use crate::server::firing::{self, Clearance, Fired, Subject, Verdict, Went};
use crate::server::identity::Caller;
use crate::server::proto::{
    Failure, FailureCode, Firing, FiringsReply, FiringsRequest, SettleFiringsReply, SettleFiringsRequest,
    TriggerVariable,
};
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::inode::VobIndex;
use crate::vob::trigger::{TriggerClass, TriggerWhen, is_silent};
use crate::vob::{Element, Part, Transaction, TriggerDefinition, TypeNo, VobState};
use deeds::{Deed, Deeds};
use std::sync::Arc;

/// The header of a call that was made again after its triggers ran.
pub const CLEARED: &str = "clerestory-cleared";
/// The header of an answer after which triggers fire.
pub const FIRED: &str = "clerestory-fired";

impl Server {
    /// Tells whether calls may fire triggers at all.
    pub(super) fn has_triggers(&self) -> bool {
        self.host.vobs().iter().any(|vob| !vob.vob.state().trigger_types().is_empty())
    }

    /// Answers a call that may fire triggers. Also answers the token of what fires after it.
    ///
    /// # Errors
    /// `TRIGGERS_TO_RUN`.
    pub(super) fn answer_with_triggers<A>(
        &self,
        caller: &Caller,
        cleared: Option<&str>,
        answer: impl FnMut() -> A,
    ) -> Outcome<(A, Option<String>)> {
        let clearance: Option<Clearance> = cleared.and_then(|token| self.tokens.take(caller, token));
        let Went { answer, before, after } = firing::answering(clearance, answer);
        match answer {
            Some(answer) => {
                let token = (!after.is_empty()).then(|| self.tokens.keep(caller, after));
                Ok((answer, token))
            }
            None => {
                let text = self.tokens.keep(caller, before);
                Err(Failure { text, ..Failure::new(FailureCode::TriggersToRun) })
            }
        }
    }

    pub(super) fn firings(&self, caller: &Caller, request: &FiringsRequest) -> Outcome<FiringsReply> {
        let firings = self.tokens.firings(caller, &request.token).ok_or_else(not_run)?;
        if firings.first().is_some_and(|firing| !firing.before) {
            self.tokens.take(caller, &request.token);
        }
        Ok(FiringsReply { firings })
    }

    pub(super) fn settle_firings(
        &self,
        caller: &Caller,
        request: &SettleFiringsRequest,
    ) -> Outcome<SettleFiringsReply> {
        match self.tokens.settle(caller, &request.token, &request.refused) {
            true => Ok(SettleFiringsReply {}),
            false => Err(not_run()),
        }
    }

    /// Refuses a planned commit whose triggers have not run; answers what fires after it.
    ///
    /// # Errors
    /// `TRIGGERS_NOT_RUN`, `TRIGGER_REFUSED`.
    pub(super) fn pass_triggers(
        &self,
        vob: &Arc<MountedVob>,
        store: &Vob,
        transactions: &[Transaction],
    ) -> Outcome<Vec<Fired>> {
        let state = store.state();
        if state.trigger_types().is_empty() {
            // A question is one for every VOB: nothing may be committed twice.
            return match firing::judge(Vec::new()) {
                Verdict::Pass => Ok(Vec::new()),
                Verdict::Hold | Verdict::Refused => Err(not_run()),
            };
        }
        let deeds = Deeds::of(self, vob, store, transactions)?;
        let mut before = Vec::new();
        let mut after = Vec::new();
        for deed in &deeds {
            for number in state.trigger_types() {
                for (when, fired) in [(TriggerWhen::Before, &mut before), (TriggerWhen::After, &mut after)] {
                    if let Some(definition) = fires(&state, *number, when, deed) {
                        fired.push(self.fired(vob, &state, (*number, definition), when, deed));
                    }
                }
            }
        }
        match firing::judge(before) {
            Verdict::Pass => Ok(after),
            Verdict::Hold => Err(not_run()),
            Verdict::Refused => Err(Failure::new(FailureCode::TriggerRefused)),
        }
    }

    fn fired(
        &self,
        vob: &MountedVob,
        state: &VobState,
        (number, definition): (TypeNo, &TriggerDefinition),
        when: TriggerWhen,
        deed: &Deed,
    ) -> Fired {
        let before = when == TriggerWhen::Before;
        let mut variables: Vec<TriggerVariable> = Vec::new();
        let mut set = |name: &str, value: &[u8]| {
            variables.push(TriggerVariable { name: name.to_owned(), value: value.to_vec() });
        };
        for (name, value) in deed.variables(before) {
            set(name, &value);
        }
        set("VOB_PN", vob.tag.as_bytes());
        for (name, value) in firing::hints() {
            set(name, &value);
        }
        if let Some(context) = firing::context()
            && let Some(tag) = self.current_tag(&context)
        {
            set("VIEW_TAG", tag.as_bytes());
        } else if let Some((view, _)) = firing::place() {
            set("VIEW_TAG", view.tag.as_bytes());
        }
        let told = facts(state, definition);
        let firing = Firing {
            trigger: state.type_name(number).as_bytes().to_vec(),
            before,
            operation: deed.operation.word().to_owned(),
            kind: deed.kind.into(),
            variables,
            actions: told.actions,
            print: told.print,
            object: 0,
            from_kind: deed.ends[0].into(),
            to_kind: deed.ends[1].into(),
            value_type: deed.value_type.map(Into::into),
        };
        Fired { firing, vob: vob.index, subject: deed.subject.clone() }
    }
}

/// Refuses what a trigger of the call refused.
///
/// # Errors
/// `TRIGGER_REFUSED`.
pub(super) fn refuse_vetoed(vob: VobIndex, subject: impl FnOnce() -> Subject) -> Outcome<()> {
    match firing::is_refused(vob, subject) {
        true => Err(Failure::new(FailureCode::TriggerRefused)),
        false => Ok(()),
    }
}

fn not_run() -> Failure {
    Failure::new(FailureCode::TriggersNotRun)
}

/// Finds the definition of a trigger type if it fires for a deed.
fn fires<'a>(
    state: &'a VobState,
    number: TypeNo,
    when: TriggerWhen,
    deed: &Deed,
) -> Option<&'a TriggerDefinition> {
    let object = state.type_object(number)?;
    let definition = state.trigger(number)?;
    if !definition.watches(when, deed.operation, &deed.login) {
        return None;
    }
    let lock = object.annotations.lock(Part::Whole);
    if lock.is_some_and(|lock| is_silent(&lock.rule, &deed.login)) {
        return None;
    }
    let has = |element: &Arc<Element>| element.annotations().triggers.attached.contains(&number);
    let watches = match definition.class {
        TriggerClass::Type => deed.is_of_types,
        TriggerClass::AllElements => deed.is_of_elements,
        TriggerClass::Element => {
            deed.is_of_elements && (deed.holders.iter().any(has) || deed.inherits(number))
        }
    };
    let types = if definition.class == TriggerClass::Type { &deed.watched } else { &deed.types };
    (watches && definition.concerns(types)).then_some(definition)
}
