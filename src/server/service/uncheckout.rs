//! Uncheckout: checkouts are given up. What new directory entries led to alone moves to `lost+found`, and clients can ask
//! beforehand what that will be; private copies are saved as `.keep`, or go.
//!
//! A private copy that is to be kept has its further name before the checkout is gone, and loses its own after that:
//! whenever a daemon is killed, the data is there.

use super::ahead::{Argument, Known, read};
use super::left_copy::{At, Differing};
use super::names;
use super::private_copy::{Saved, data_of, remove_data};
use super::target::Target;
use super::together::{Outcomes, answers, by_vob, not_committed};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::resolve::branch_id;
use crate::view::{MountedVob, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Directory, Draft, ElementKind, Entry, Operation, Records, Transaction, User};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

/// A checkout that is given up, and what is still to be done about its private copy.
struct GivenUp {
    target: Target,
    done: UncheckedOut,
    /// The private copy's inode number; none where there is none.
    copy: Option<u64>,
    /// Of a directory: the names that the checkout had.
    names: Option<Arc<Directory>>,
}

/// What all arguments of a command share.
struct Uncheckout<'a> {
    server: &'a Server,
    caller: &'a Caller,
    request: &'a UncheckoutRequest,
    user: User,
    time_ns: i64,
}

impl Server {
    pub(super) fn cancel_check_out(
        &self,
        caller: &Caller,
        request: &UncheckoutRequest,
    ) -> Outcome<UncheckoutReply> {
        let context = Server::context(&request.context)?;
        let (user, time_ns) = (self.user(caller, context), now_ns());
        let uncheckout = Uncheckout { server: self, caller, request, user, time_ns };
        let found = self.arguments(context, request.arguments.iter().map(|argument| &argument.pname));
        let mut outcomes: Outcomes<GivenUp> = found.iter().map(|_| None).collect();
        for (vob, here) in by_vob(&found, |argument| &argument.vob) {
            uncheckout.in_vob(&vob, &found, &here, &mut outcomes);
        }
        let finish = |given_up: GivenUp| match request.only_tell {
            true => Ok(given_up.done),
            false => self.finish_uncheckout(given_up),
        };
        let outcome = |outcome: Outcome<GivenUp>| UncheckoutOutcome {
            outcome: Some(match outcome.and_then(finish) {
                Ok(done) => uncheckout_outcome::Outcome::Done(done),
                Err(failure) => uncheckout_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(UncheckoutReply { outcomes: answers(found, outcomes).into_iter().map(outcome).collect() })
    }
}

impl Uncheckout<'_> {
    fn in_vob(
        &self,
        vob: &Arc<MountedVob>,
        found: &[Outcome<Argument<'_>>],
        here: &[usize],
        outcomes: &mut Outcomes<GivenUp>,
    ) {
        let mut saved = Saved::default();
        let mut plan = |store: &Vob, draft: &mut Draft<'_>| {
            let mut known = Known::default();
            for at in here {
                let Ok(argument) = &found[*at] else { continue };
                let keep = self.request.arguments[*at].private_copy() == PrivateCopy::Keep;
                let saved = Some(&mut saved).filter(|_| keep && !self.request.only_tell);
                let target = known.target(draft, &self.user.login, argument);
                let given_up = target.and_then(|target| self.give_up((store, draft), target, saved));
                if let Ok(given_up) = &given_up {
                    known.changed(&given_up.target.element);
                }
                outcomes[*at] = Some(given_up);
            }
            Ok(())
        };
        if self.request.only_tell {
            let _: Outcome<()> = plan(&vob.vob, &mut Draft::new(&*vob.vob));
            return;
        }
        let settled = match self.server.commit_draft_as_one_event(vob, &mut plan) {
            Ok(()) => saved.settle(self.server),
            Err(failure) => {
                saved.take_back();
                Err(failure)
            }
        };
        if let Err(failure) = settled {
            not_committed(outcomes, here, &failure);
        }
    }

    /// Plans the end of a checkout, and saves its private copy where `saved` is given.
    fn give_up(
        &self,
        (store, draft): (&Vob, &mut Draft<'_>),
        target: Target,
        saved: Option<&mut Saved>,
    ) -> Outcome<GivenUp> {
        let (server, caller) = (self.server, self.caller);
        let target = Target { element: read(draft, target.element.number)?, ..target };
        let (element, view) = (&target.element, target.view.uuid());
        server.permit_element(caller, &target.vob, element, "uncheckout")?;
        server.permit_changes(caller, &target.view, "uncheckout")?;
        let not_checked_out = || Failure {
            view_storage: server.storage_of(&target.view),
            ..Failure::new(FailureCode::NotCheckedOut)
        };
        let checkout = element.checkout_of(&view).ok_or_else(not_checked_out)?.clone();
        let (number, branch) = (element.number, checkout.branch);
        server.refuse_locked(&target.vob, element, Some(branch), caller, "uncheckout")?;
        let mut done = UncheckedOut::default();
        let mut operations = Vec::new();
        let mut names = None;
        if element.kind == ElementKind::Directory {
            let at = DirectoryAt::CheckedOut(checkout.number);
            names = Some(draft.directory(number, at).map_err(|error| Failure::internal(error.to_string()))?);
            let (lost, notices) = names::orphans(store, draft, &[(number, checkout)])?;
            operations.extend(lost);
            done.notices = notices;
        }
        operations.push(Operation::CancelCheckOut { element: number, view });
        let (time_ns, user) = (self.time_ns, self.user.clone());
        let (comment, attributes) = (String::new(), vec![]);
        let transaction = Transaction { time_ns, user, comment, attributes, operations };
        let judged = draft.judge(&transaction).map_err(|refused| server.refused(&target.vob, refused))?;
        let is_file = element.kind == ElementKind::File;
        let copy = data_of(&target).filter(|_| is_file);
        if let (Some(saved), Some(_)) = (saved, copy) {
            done.keep_name = saved.keep(&target)?;
        }
        let is_empty = element.branch(branch).versions.len() == 1 && branch != BranchNo::ROOT;
        // That is told when it is so.
        if is_empty && !self.request.only_tell {
            let branch = branch_id(&draft.state(), element, branch).into_bytes();
            let code = NoticeCode::OnlyVersionZero.into();
            done.notices.push(Notice { code, branch, ..Notice::default() });
        }
        draft.accept(transaction, judged);
        Ok(GivenUp { target, done, copy, names })
    }
}

impl Server {
    /// Takes the private copy of a checkout that is gone away, and in a directory the copies that `rmname` left at
    /// names that are there again.
    fn finish_uncheckout(&self, given_up: GivenUp) -> Outcome<UncheckedOut> {
        let GivenUp { target, done, copy, names } = given_up;
        if let Some(copy) = copy {
            remove_data(&target, copy, kept_place(&target, &done.keep_name)?)?;
        }
        let Some(names) = names else { return Ok(done) };
        let Target { view, vob, element, .. } = &target;
        let private = view.storage.dir().join(ViewStorage::private(&element.oid));
        let shown = view.holder(vob, element.number)?.filter(|state| state.at.is_some() && private.is_dir());
        let Some(state) = shown else {
            return Ok(done);
        };
        for change in names.changes_to(&state.catalog) {
            let Some(Entry::Element(number)) = change.entry else { continue };
            let at = At { view, vob, directory: element.number, leaf: &change.name };
            self.settle_left_copy(&at, &*vob.element(number)?, Differing::Stays)?;
        }
        Ok(done)
    }
}

/// The place of a saved copy, relative to the view's storage.
fn kept_place(target: &Target, leaf: &[u8]) -> Outcome<Option<PathBuf>> {
    let (Some((directory, _)), false) = (&target.parent, leaf.is_empty()) else { return Ok(None) };
    let directory = target.vob.element(*directory)?;
    Ok(Some(ViewStorage::private(&directory.oid).join(OsStr::from_bytes(leaf))))
}

#[cfg(test)]
#[path = "uncheckout_tests.rs"]
mod tests;
