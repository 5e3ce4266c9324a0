//! reserve and unreserve: whether a checkout is the one whose checkin comes next.

use crate::server::identity::Caller;
use crate::server::proto::{
    CheckoutArgument, Context, Failure, FailureCode, ReserveOutcome, ReserveReply, ReserveRequest, Reserved,
    reserve_outcome,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::resolve::branch_id;
use crate::vob::{Operation, Refused, Transaction, ViewUuid};
use std::os::unix::ffi::OsStrExt;

impl Server {
    pub(super) fn reserve(&self, caller: &Caller, request: &ReserveRequest) -> Outcome<ReserveReply> {
        let context = Server::context(&request.context)?;
        let outcome = |argument: &CheckoutArgument| ReserveOutcome {
            outcome: Some(match self.reserve_one(caller, context, request, argument) {
                Ok(done) => reserve_outcome::Outcome::Done(done),
                Err(failure) => reserve_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(ReserveReply { outcomes: request.arguments.iter().map(outcome).collect() })
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
        context: &Context,
        request: &ReserveRequest,
        argument: &CheckoutArgument,
    ) -> Outcome<Reserved> {
        let target = self.target(context, &argument.pname)?;
        let operation = if request.unreserve { "unreserve" } else { "reserve" };
        self.permit_element(caller, &target.vob, &target.element, operation)?;
        let view = match request.view.as_slice() {
            [] => target.view.uuid(),
            named => self.view_named(named)?,
        };
        let mut branch = Vec::new();
        let number = target.element.number;
        self.commit(&target.vob, |store| {
            let element = store.element(number)?.ok_or_else(|| Failure::internal("the element is gone"))?;
            let not_checked_out = || Failure {
                view_storage: self.storage_with_uuid(&view.to_string()),
                ..Failure::new(FailureCode::NotCheckedOut)
            };
            let checkout = element.checkout_of(&view).ok_or_else(not_checked_out)?;
            self.refuse_locked(&target.vob, &element, Some(checkout.branch), caller, operation)?;
            branch = branch_id(&store.state(), &element, checkout.branch).into_bytes();
            let mut others = element
                .checkouts
                .iter()
                .filter(|other| other.view != view && other.branch == checkout.branch);
            if let Some(other) = others.find(|other| other.reserved && !request.unreserve) {
                let (view, view_tag) = (other.view, other.view_tag.clone());
                let refused = Refused::Reserved { view, view_tag, branch: checkout.branch };
                return Err(Failure { branch: branch.clone(), ..self.refused(&target.vob, refused) });
            }
            let reserved = !request.unreserve;
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: String::from_utf8_lossy(&argument.comment).into_owned(),
                attributes: vec![],
                operations: vec![Operation::Reserve { element: number, view, reserved }],
            }])
        })?;
        Ok(Reserved { branch })
    }
}
