//! The arguments of one command that are in one VOB are planned one after the other, each on what those before it
//! leave, and committed together. What is refused does not keep the others from being done.

use crate::server::proto::{Failure, FailureCode};
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::inode::VobIndex;
use crate::vob::{Draft, Transaction};
use std::sync::Arc;

/// The outcomes of a command's arguments as far as they are known.
pub(super) type Outcomes<D> = Vec<Option<Outcome<D>>>;

impl Server {
    /// Commits what `plan` adds to a draft, while nobody else can commit. Nothing is committed where it adds nothing, or
    /// fails.
    pub(super) fn commit_draft(
        &self,
        vob: &Arc<MountedVob>,
        plan: impl FnOnce(&Vob, &mut Draft<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        self.commit_drafted(vob, plan, |draft| draft.into_transactions())
    }

    /// The same, as one event: for what leaves nothing that tells who made it and when.
    pub(super) fn commit_draft_as_one_event(
        &self,
        vob: &Arc<MountedVob>,
        plan: impl FnOnce(&Vob, &mut Draft<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        self.commit_drafted(vob, plan, |draft| draft.into_one_transaction().into_iter().collect())
    }

    fn commit_drafted(
        &self,
        vob: &Arc<MountedVob>,
        plan: impl FnOnce(&Vob, &mut Draft<'_>) -> Outcome<()>,
        transactions: impl FnOnce(Draft<'_>) -> Vec<Transaction>,
    ) -> Outcome<()> {
        let committed = self.commit(vob, |store| {
            let mut draft = Draft::new(store);
            plan(store, &mut draft)?;
            match transactions(draft) {
                nothing if nothing.is_empty() => Err(Failure::new(FailureCode::NotDone)),
                transactions => Ok(transactions),
            }
        });
        match committed {
            Err(failure) if failure.code() != FailureCode::NotDone => Err(failure),
            _ => Ok(()),
        }
    }
}

/// Parts arguments by VOB, the VOB of the first argument first: the indexes of each VOB's.
pub(super) fn by_vob<T>(
    arguments: &[Outcome<T>],
    vob: impl Fn(&T) -> &Arc<MountedVob>,
) -> Vec<(Arc<MountedVob>, Vec<usize>)> {
    let mut parts: Vec<(VobIndex, Arc<MountedVob>, Vec<usize>)> = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        let Ok(argument) = argument else { continue };
        let vob = vob(argument);
        match parts.iter_mut().find(|(index, ..)| *index == vob.index) {
            Some((.., indexes)) => indexes.push(at),
            None => parts.push((vob.index, Arc::clone(vob), vec![at])),
        }
    }
    parts.into_iter().map(|(_, vob, indexes)| (vob, indexes)).collect()
}

/// Answers a failed commit to the arguments that were planned in it.
pub(super) fn not_committed<D>(outcomes: &mut Outcomes<D>, here: &[usize], failure: &Failure) {
    for at in here {
        if !matches!(outcomes[*at], Some(Err(_))) {
            outcomes[*at] = Some(Err(failure.clone()));
        }
    }
}

/// Puts the outcomes of what was found together with those of what was not.
pub(super) fn answers<T, D>(found: Vec<Outcome<T>>, outcomes: Outcomes<D>) -> Vec<Outcome<D>> {
    let missing = || Err(Failure::internal("an argument was not looked at"));
    let answer = |(found, outcome): (Outcome<T>, Option<Outcome<D>>)| match found {
        Ok(_) => outcome.unwrap_or_else(missing),
        Err(failure) => Err(failure),
    };
    found.into_iter().zip(outcomes).map(answer).collect()
}
