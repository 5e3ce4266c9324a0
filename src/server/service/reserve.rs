//! reserve and unreserve: whether a checkout is the one whose checkin comes next.

use super::ahead::{Known, read};
use super::target::Target;
use super::together::{Outcomes, answers, by_vob, not_committed};
use crate::server::identity::Caller;
use crate::server::proto::{
    Failure, FailureCode, ReserveOutcome, ReserveReply, ReserveRequest, Reserved, reserve_outcome,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::resolve::branch_id;
use crate::vob::{Draft, Operation, Records, Refused, Transaction, User, ViewUuid};
use std::os::unix::ffi::OsStrExt;

impl Server {
    pub(super) fn reserve(&self, caller: &Caller, request: &ReserveRequest) -> Outcome<ReserveReply> {
        let context = Server::context(&request.context)?;
        let user = self.user(caller, context);
        let view = match request.view.as_slice() {
            [] => None,
            named => Some(self.view_named(named)),
        };
        let asked = &request.arguments;
        let found = self.arguments(context, asked.iter().map(|argument| &argument.pname));
        let mut outcomes: Outcomes<Reserved> = asked.iter().map(|_| None).collect();
        for (vob, here) in by_vob(&found, |argument| &argument.vob) {
            let committed = self.commit_draft(&vob, |_, draft| {
                for at in &here {
                    let Ok(argument) = &found[*at] else { continue };
                    let target = Known::default().target(draft, &user.login, argument);
                    let view = view.clone().transpose();
                    let reserved = target.and_then(|target| {
                        let view = view?.unwrap_or(target.view.uuid());
                        let comment = String::from_utf8_lossy(&asked[*at].comment).into_owned();
                        self.reserve_one(caller, &user, draft, (&target, view), !request.unreserve, comment)
                    });
                    outcomes[*at] = Some(reserved);
                }
                Ok(())
            });
            if let Err(failure) = committed {
                not_committed(&mut outcomes, &here, &failure);
            }
        }
        let outcome = |outcome: Outcome<Reserved>| ReserveOutcome {
            outcome: Some(match outcome {
                Ok(done) => reserve_outcome::Outcome::Done(done),
                Err(failure) => reserve_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(ReserveReply { outcomes: answers(found, outcomes).into_iter().map(outcome).collect() })
    }

    /// Finds the view that is named by its tag or its storage; it need not be started.
    fn view_named(&self, named: &[u8]) -> Outcome<ViewUuid> {
        let entries = self.registry.entries();
        let host = [self.host_name.as_bytes(), b":"].concat();
        let storage = named.strip_prefix(&host[..]).unwrap_or(named);
        let found = entries.views.iter().find(|(tag, entry)| {
            tag.as_str().as_bytes() == named || entry.storage.as_os_str().as_bytes() == storage
        });
        let missing = || Failure {
            view_tag: String::from_utf8_lossy(named).into_owned(),
            ..Failure::new(FailureCode::NoSuchViewTag)
        };
        let (_, entry) = found.ok_or_else(missing)?;
        entry.uuid.parse().map_err(|error| Failure::internal(format!("{error}")))
    }

    fn reserve_one(
        &self,
        caller: &Caller,
        user: &User,
        draft: &mut Draft<'_>,
        (target, view): (&Target, ViewUuid),
        reserved: bool,
        comment: String,
    ) -> Outcome<Reserved> {
        let element = read(draft, target.element.number)?;
        let operation = if reserved { "reserve" } else { "unreserve" };
        self.permit_element(caller, &target.vob, &element, operation)?;
        let not_checked_out = || Failure {
            view_storage: self.storage_with_uuid(&view.to_string()),
            ..Failure::new(FailureCode::NotCheckedOut)
        };
        let checkout = element.checkout_of(&view).ok_or_else(not_checked_out)?;
        self.refuse_locked(&target.vob, &element, Some(checkout.branch), caller, operation)?;
        let branch = branch_id(&draft.state(), &element, checkout.branch).into_bytes();
        let transaction = Transaction {
            time_ns: now_ns(),
            user: user.clone(),
            comment,
            attributes: vec![],
            operations: vec![Operation::Reserve { element: element.number, view, reserved }],
        };
        let refused =
            |refused: Refused| Failure { branch: branch.clone(), ..self.refused(&target.vob, refused) };
        draft.add(transaction).map_err(refused)?;
        Ok(Reserved { branch })
    }
}
