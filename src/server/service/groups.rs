//! The groups of VOBs: which ones their elements may belong to, and protectvob.

use super::protect::{group, user};
use super::vobs::no_such_vob;
use crate::server::identity::{self, Caller};
use crate::server::proto::{
    Failure, FailureCode, ListVobsReply, ProtectVobRequest, VobFacts, VobOutcome, vob_outcome,
};
use crate::server::registry::VobTag;
use crate::server::state::{Outcome, Server, now_ns};
use crate::vob::{ElementNo, Operation, Transaction, VobObject, VobState};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Groups beside its own that a new VOB takes over from its creator, as in the product.
pub const INHERITED_MAX: usize = 16;

/// Chooses the group of a new element: the creating process's own, which must be one of the VOB's. With the group
/// list, else the only one that process and VOB have in common.
///
/// # Errors
/// `GROUP_OF_NEW_OBJECT`.
pub fn group_of_new(state: &VobState, caller: &Caller, use_group_list: bool) -> Outcome<u32> {
    if state.has_group(caller.group_id) {
        return Ok(caller.group_id);
    }
    let mut common: Vec<u32> =
        caller.groups.iter().copied().filter(|group| use_group_list && state.has_group(*group)).collect();
    common.dedup();
    match common[..] {
        [only] => Ok(only),
        _ => {
            let name = identity::group_name(caller.group_id);
            Err(Failure::new(FailureCode::GroupOfNewObject).name(name))
        }
    }
}

/// The groups beside its own that a new VOB of a caller has.
pub fn inherited(caller: &Caller) -> Vec<u32> {
    let others = caller.groups.iter().copied().filter(|group| *group != caller.group_id);
    others.take(INHERITED_MAX).collect()
}

impl Server {
    /// Changes owners and groups of mounted VOBs, or tells them to who may.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of VOBs are outcomes.
    pub(super) fn protect_vobs(
        &self,
        caller: &Caller,
        request: &ProtectVobRequest,
    ) -> Outcome<ListVobsReply> {
        let _turn = self.administration.lock();
        let outcome = |vob: &Vec<u8>| VobOutcome {
            outcome: Some(match self.protect_one_vob(caller, request, vob) {
                Ok(facts) => vob_outcome::Outcome::Done(facts),
                Err(failure) => vob_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(ListVobsReply { outcomes: request.vobs.iter().map(outcome).collect() })
    }

    fn protect_one_vob(
        &self,
        caller: &Caller,
        request: &ProtectVobRequest,
        named: &[u8],
    ) -> Outcome<VobFacts> {
        const OPERATION: &str = "protect VOB";
        let entries = self.registry.entries();
        let path = Path::new(OsStr::from_bytes(named));
        let found = entries.vobs.iter().find(|(tag, entry)| tag.path() == path || entry.storage == path);
        let tag: VobTag = found.map(|(tag, _)| tag.clone()).ok_or_else(|| no_such_vob(named))?;
        let vob = self.host.vob(&String::from_utf8_lossy(tag.bytes()));
        let vob = vob.ok_or_else(|| Failure::new(FailureCode::NotMounted).name(tag.bytes()))?;
        let (owner, new_group) = (user(&request.owner)?, group(&request.group)?);
        let numbers = |names: &[String]| -> Outcome<Vec<u32>> {
            names.iter().filter_map(|name| group(name).transpose()).collect()
        };
        let (add, delete) = (numbers(&request.add_groups)?, numbers(&request.delete_groups)?);
        let permitted = |state: &VobState| match owner {
            // As chown(2): nobody gives his own to others.
            Some(_) => self.permit(caller, &[], OPERATION),
            None => self.permit(caller, &[(state.header.owner, "VOB owner")], OPERATION),
        };
        if request.only_tell {
            permitted(&vob.vob.state())?;
            return self.vob_facts(&tag);
        }
        let context = Server::context(&request.context)?;
        self.commit_silently(&vob, |store| {
            let state = store.state();
            permitted(&state)?;
            self.refuse_locked_object(&vob, VobObject::Vob, caller, OPERATION)?;
            let mut groups = state.settings().groups.clone();
            if let Some(missing) = delete.iter().find(|group| !groups.contains(group)) {
                let name = identity::group_name(*missing);
                return Err(Failure::new(FailureCode::GroupNotInVob).name(name));
            }
            groups.retain(|group| !delete.contains(group));
            groups.extend(&add);
            let mut operations = vec![Operation::SetVobGroups { groups }];
            // Whatever was changed, the VOB's history tells it.
            let mut objects = vec![VobObject::Vob];
            if owner.is_some() || new_group.is_some() {
                // The root directory is the VOB's as its own.
                objects.extend([ElementNo::ROOT, ElementNo::LOST_AND_FOUND].map(VobObject::Element));
            }
            let protect = |object| Operation::Protect { object, owner, group: new_group, mode: None };
            operations.extend(objects.into_iter().map(protect));
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: String::new(),
                attributes: vec![],
                operations,
            }])
        })?;
        let header = vob.vob.state().header;
        self.registry.change(|entries| {
            if let Some(entry) = entries.vobs.get_mut(&tag) {
                (entry.owner, entry.group) = (header.owner, header.group);
            }
            Ok::<_, Failure>(())
        })?;
        // Symbolic links have the VOB's owner.
        self.host.forget_everything();
        self.vob_facts(&tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(group: u32, others: &[u32]) -> Caller {
        Caller { groups: others.into(), ..Caller::of_user(5, group) }
    }

    #[test]
    fn new_elements_have_the_process_group_if_the_vob_knows_it() {
        let mut state = VobState::default();
        state.header.group = 10;
        let chosen = |caller: &Caller, list| group_of_new(&state, caller, list).ok();
        assert_eq!(chosen(&caller(10, &[]), false), Some(10));
        assert_eq!(chosen(&caller(11, &[10]), false), None);
        assert_eq!(chosen(&caller(11, &[12, 10]), true), Some(10));
        assert_eq!(chosen(&caller(11, &[12]), true), None);
        assert_eq!(inherited(&caller(10, &[10, 11])), [11]);
        assert_eq!(inherited(&caller(1, &(2..40).collect::<Vec<_>>())).len(), INHERITED_MAX);
    }
}
