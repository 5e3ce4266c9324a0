//! Uncheckout: checkouts are given up, all of one VOB in one commit. What a directory's checkout alone catalogued moves
//! to `lost+found`, and clients can ask beforehand what that will be.

use super::check_out::Target;
use super::names;
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::resolve::branch_id;
use crate::vob::{BranchNo, Checkout, ElementKind, Operation, Transaction};
use std::collections::HashSet;
use std::sync::Arc;

/// A checkout that is to be given up.
struct Cancel {
    target: Target,
    checkout: Checkout,
    keep: bool,
    done: UncheckedOut,
}

impl Cancel {
    fn kind(&self) -> ElementKind {
        self.target.element.kind
    }

    fn is_same(&self, other: &Cancel) -> bool {
        let checkout = |cancel: &Cancel| (cancel.target.vob.index, cancel.checkout.number);
        checkout(self) == checkout(other)
    }
}

impl Server {
    pub(super) fn cancel_check_out(
        &self,
        caller: &Caller,
        request: &UncheckoutRequest,
    ) -> Outcome<UncheckoutReply> {
        let context = Server::context(&request.context)?;
        let mut items: Vec<Outcome<Cancel>> = Vec::new();
        for argument in &request.arguments {
            let found = self.cancel(caller, context, argument).and_then(|cancel| {
                match items.iter().flatten().any(|earlier| earlier.is_same(&cancel)) {
                    true => Err(self.not_checked_out(&cancel.target)),
                    false => Ok(cancel),
                }
            });
            items.push(found);
        }
        if !request.only_tell {
            items = items.into_iter().map(|item| item.and_then(|cancel| self.keep(cancel))).collect();
        }
        let mut vobs: Vec<Arc<MountedVob>> = Vec::new();
        for Cancel { target, .. } in items.iter().flatten() {
            if !vobs.iter().any(|vob| vob.index == target.vob.index) {
                vobs.push(Arc::clone(&target.vob));
            }
        }
        for vob in &vobs {
            let here = |cancel: &Cancel| cancel.target.vob.index == vob.index;
            let mut cancels: Vec<&mut Cancel> =
                items.iter_mut().flatten().filter(|cancel| here(cancel)).collect();
            let planned = match request.only_tell {
                true => plan(&vob.vob, &mut cancels).map(drop),
                false => {
                    let transaction = |store: &Vob| {
                        let operations = plan(store, &mut cancels)?;
                        let (time_ns, user) = (now_ns(), self.user(caller, context));
                        let (comment, attributes) = (String::new(), vec![]);
                        Ok(vec![Transaction { time_ns, user, comment, attributes, operations }])
                    };
                    self.commit(vob, transaction).map(drop)
                }
            };
            if let Err(failure) = planned {
                for item in items.iter_mut().filter(|item| item.as_ref().is_ok_and(here)) {
                    *item = Err(failure.clone());
                }
            }
        }
        let outcome = |item: Outcome<Cancel>| {
            let done = item.and_then(|cancel| match request.only_tell {
                true => Ok(cancel.done),
                false => self.let_go(cancel),
            });
            UncheckoutOutcome {
                outcome: Some(match done {
                    Ok(done) => uncheckout_outcome::Outcome::Done(done),
                    Err(failure) => uncheckout_outcome::Outcome::Failure(failure),
                }),
            }
        };
        Ok(UncheckoutReply { outcomes: items.into_iter().map(outcome).collect() })
    }

    /// Finds the checkout that an argument means.
    fn cancel(&self, caller: &Caller, context: &Context, argument: &UncheckoutArgument) -> Outcome<Cancel> {
        let target = self.target(context, &argument.pname)?;
        self.permit_element(caller, &target.vob, &target.element, "uncheckout")?;
        self.permit_changes(caller, &target.view, "uncheckout")?;
        let checkout = target.element.checkout_of(&target.view.uuid()).cloned();
        let checkout = checkout.ok_or_else(|| self.not_checked_out(&target))?;
        self.refuse_locked(&target.vob, &target.element, Some(checkout.branch), caller, "uncheckout")?;
        let keep = argument.private_copy() == PrivateCopy::Keep;
        Ok(Cancel { target, checkout, keep, done: UncheckedOut::default() })
    }

    fn not_checked_out(&self, target: &Target) -> Failure {
        let view_storage = self.storage_of(&target.view);
        Failure { view_storage, ..Failure::new(FailureCode::NotCheckedOut) }
    }

    /// Saves the private copy where that is asked for.
    fn keep(&self, mut cancel: Cancel) -> Outcome<Cancel> {
        if cancel.keep && cancel.kind() == ElementKind::File {
            cancel.done.keep_name = self.keep_copy(&cancel.target)?;
        }
        Ok(cancel)
    }

    /// Removes what a checkout had, now that it is none any more.
    fn let_go(&self, cancel: Cancel) -> Outcome<UncheckedOut> {
        if cancel.kind() == ElementKind::File {
            self.remove_data(&cancel.target)?;
        }
        let Cancel { target, checkout, mut done, .. } = cancel;
        self.show_again(&target)?;
        let element = target.vob.element(target.element.number)?;
        if element.branch(checkout.branch).versions.len() == 1 && checkout.branch != BranchNo::ROOT {
            let branch = branch_id(&target.vob.vob.state(), &element, checkout.branch).into_bytes();
            let code = NoticeCode::OnlyVersionZero.into();
            done.notices.push(Notice { code, branch, ..Notice::default() });
        }
        Ok(done)
    }
}

/// Plans that checkouts of one VOB are given up, and notes in each what it alone catalogued, those before it left aside.
fn plan(store: &Vob, cancels: &mut [&mut Cancel]) -> Outcome<Vec<Operation>> {
    let (mut given_up, mut told, mut moved) = (Vec::new(), HashSet::new(), None);
    let mut operations = Vec::new();
    for cancel in cancels {
        let (element, view) = (cancel.target.element.number, cancel.target.view.uuid());
        if cancel.kind() == ElementKind::Directory {
            given_up.push((element, cancel.checkout.clone()));
            let (operation, notices) = names::orphans(store, &given_up)?;
            moved = operation;
            cancel.done.notices =
                notices.into_iter().filter(|notice| told.insert(notice.oid.clone())).collect();
        }
        operations.push(Operation::CancelCheckOut { element, view });
    }
    Ok(moved.into_iter().chain(operations).collect())
}

#[cfg(test)]
#[path = "uncheckout_tests.rs"]
mod tests;
