//! Checkout: elements of a view become writable, on branches that are made first where rules or mkbranch ask for it.
//!
//! The arguments of one VOB are planned twice: once while others may commit, to learn which private copies are
//! wanted, and once within the commit, where the copies go to their places.

use super::ahead::{Argument, Known, read};
use super::auto_branch::{branch_path, plan_failure, planned_branches};
use super::make_branch::{Making, plan_branch};
use super::private_copy::{Copies, NewCopy};
use super::target::Target;
use super::together::{Outcomes, answers, by_vob, not_committed};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::MountedVob;
use crate::view::live::Shown;
use crate::view::resolve::{branch_id, version_id};
use crate::vob::draft::Judged;
use crate::vob::element::file_permissions;
use crate::vob::{
    BranchNo, Content, Draft, Element, ElementKind, ElementNo, Operation, Records, Refused, Transaction,
    TypeKind, User, VersionNo, VobState,
};
use clerestory_specs::Maker;
use std::sync::Arc;

/// What all arguments of a command share.
pub(super) struct CheckOut<'a> {
    pub server: &'a Server,
    pub caller: &'a Caller,
    pub context: &'a Context,
    pub request: &'a CheckoutRequest,
    /// The branches that mkbranch makes.
    pub making: Option<&'a Making<'a>>,
    /// Who is recorded.
    pub user: User,
    /// When, in nanoseconds since 1970.
    pub time_ns: i64,
}

/// A checkout that may be done.
struct Planned {
    target: Target,
    transaction: Transaction,
    judged: Judged,
    done: CheckedOut,
    /// The private copy, if one is wanted.
    copy: Option<NewCopy>,
    /// Whether the view will show the checkout.
    is_shown: bool,
    /// Why there is no checkout, where branches that were made on the way stay.
    refused: Option<Failure>,
}

/// Where a checkout starts, and what is made on the way there.
struct Start {
    operations: Vec<Operation>,
    notices: Vec<Notice>,
    branch: BranchNo,
    from: VersionNo,
    /// An existing version with the content of `from`.
    holder: VersionNo,
    /// `from`, as it is told.
    version: String,
    refused: Option<Failure>,
}

impl Server {
    pub(super) fn check_out(&self, caller: &Caller, request: &CheckoutRequest) -> Outcome<CheckoutReply> {
        let context = Server::context(&request.context)?;
        if !request.out.is_empty() {
            crate::server::firing::note_hint("OUT_PN", &request.out);
        }
        let (user, time_ns) = (self.user(caller, context), now_ns());
        let checkout = CheckOut { server: self, caller, context, request, making: None, user, time_ns };
        let outcome = |outcome: Outcome<CheckedOut>| CheckoutOutcome {
            outcome: Some(match outcome {
                Ok(done) => checkout_outcome::Outcome::Done(done),
                Err(failure) => checkout_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(CheckoutReply { outcomes: checkout.all(&request.arguments).into_iter().map(outcome).collect() })
    }
}

impl CheckOut<'_> {
    /// Checks out what is not refused: all of a VOB's in one commit.
    pub fn all(&self, asked: &[CheckoutArgument]) -> Vec<Outcome<CheckedOut>> {
        let found = self.server.arguments(self.context, asked.iter().map(|argument| &argument.pname));
        let mut outcomes: Outcomes<CheckedOut> = asked.iter().map(|_| None).collect();
        for (vob, here) in by_vob(&found, |argument| &argument.vob) {
            self.in_vob(&vob, asked, &found, &here, &mut outcomes);
        }
        answers(found, outcomes)
    }

    fn in_vob(
        &self,
        vob: &Arc<MountedVob>,
        asked: &[CheckoutArgument],
        found: &[Outcome<Argument<'_>>],
        here: &[usize],
        outcomes: &mut Outcomes<CheckedOut>,
    ) {
        let arguments = || here.iter().filter_map(|at| Some((*at, found[*at].as_ref().ok()?, &asked[*at])));
        let mut copies = Copies::new(self.caller);
        let (mut scratch, mut known) = (Draft::new(&*vob.vob), Known::default());
        for (at, argument, asked) in arguments() {
            let Ok(planned) = self.plan(&scratch, &mut known, argument, asked) else { continue };
            if let Some(copy) = planned.copy
                && let Err(failure) = copies.stage(&planned.target.view, vob, copy)
            {
                outcomes[at] = Some(Err(failure));
                continue;
            }
            known.changed(&planned.target.element);
            scratch.accept(planned.transaction, planned.judged);
        }
        drop(scratch);
        let synced = copies.sync();
        let committed = synced.and_then(|()| {
            self.server.commit_draft(vob, |_, draft| {
                let mut known = Known::default();
                for (at, argument, asked) in arguments() {
                    if outcomes[at].is_none() {
                        let planned = self.plan(draft, &mut known, argument, asked);
                        let done = planned.and_then(|planned| place(&mut copies, planned, draft, &mut known));
                        outcomes[at] = Some(done);
                    }
                }
                Ok(())
            })
        });
        let settled = match committed {
            Ok(()) => copies.settle(self.server),
            Err(failure) => {
                copies.take_back(&vob.vob);
                Err(failure)
            }
        };
        if let Err(failure) = settled {
            not_committed(outcomes, here, &failure);
        }
    }

    /// Plans the checkout of an argument on what a draft leaves.
    fn plan(
        &self,
        draft: &Draft<'_>,
        known: &mut Known,
        argument: &Argument<'_>,
        asked: &CheckoutArgument,
    ) -> Outcome<Planned> {
        let mut target = known.target(draft, &self.user.login, argument)?;
        let element = read(draft, target.element.number)?;
        if !Arc::ptr_eq(&element, &target.element) {
            target.shown = self.shown(&target, &element);
            target.element = element;
        }
        let selected = self.judge(&target)?;
        let state = draft.state();
        let Start { mut operations, notices, branch, from, holder, version, refused } =
            self.start(&state, &target, selected, asked)?;
        self.judge_start(&state, &target, &operations, branch, holder)?;
        let element = &target.element;
        let mut done = CheckedOut {
            version: version.into_bytes(),
            kind: super::facts::kinds(element).1.into(),
            reserved: !self.request.unreserved,
            notices,
        };
        if refused.is_none() {
            let is_old = from.index() < element.versions.len();
            if target.named.is_none() && is_old && from != selected {
                done.notices.push(Notice { code: NoticeCode::DifferentVersion.into(), ..Notice::default() });
            }
            operations.push(Operation::CheckOut {
                element: element.number,
                view: target.view.uuid(),
                view_tag: target.view.tag.clone(),
                branch,
                from,
                reserved: !self.request.unreserved,
            });
        }
        let comment = match &refused {
            Some(_) => String::new(),
            None => String::from_utf8_lossy(&asked.comment).into_owned(),
        };
        let (time_ns, user) = (self.time_ns, self.user.clone());
        let transaction = Transaction { time_ns, user, comment, attributes: vec![], operations };
        let judged = draft.judge(&transaction).map_err(|refused| self.refusal(&state, &target, refused))?;
        let after = judged.element(element.number);
        let is_shown = after.is_some_and(|after| matches!(self.shown(&target, after), Shown::CheckedOut(_)));
        let wanted = element.kind == ElementKind::File && !self.request.no_data && refused.is_none();
        let copy = wanted.then(|| self.copy(element, holder));
        Ok(Planned { target, transaction, judged, done, copy, is_shown, refused })
    }

    fn shown(&self, target: &Target, element: &Element) -> Shown {
        target.view.select_ahead(&target.vob, &target.path, element, &self.user.login)
    }

    /// Refuses what must not be checked out; answers the version from which a branch or a checkout is asked for.
    fn judge(&self, target: &Target) -> Outcome<VersionNo> {
        let operation = if self.making.is_some() { "make branch" } else { "checkout" };
        self.server.permit_element(self.caller, &target.vob, &target.element, operation)?;
        self.server.permit_view(self.caller, &target.view)?;
        if target.element.number == ElementNo::LOST_AND_FOUND {
            return Err(Failure::other(match self.making {
                Some(_) => "\"lost+found\" has no branches",
                None => "\"lost+found\" cannot be checked out",
            }));
        }
        if target.element.checkout_of(&target.view.uuid()).is_some() {
            let view_tag = target.view.tag.clone();
            return Err(Failure { view_tag, ..Failure::new(FailureCode::AlreadyCheckedOut) });
        }
        let forbids = |rule: clerestory_specs::RuleIndex| {
            target.view.spec().rules().get(rule.0 as usize).is_some_and(|rule| rule.no_checkout)
        };
        if self.making.is_none() && target.shown.rule().is_some_and(forbids) {
            return Err(Failure::new(FailureCode::NoCheckoutRule));
        }
        if let Some(making) = self.making {
            return self.server.branch_point(target, making);
        }
        match (target.named, target.shown) {
            (Some(named), _) => Ok(named),
            (None, Shown::Version(version, _)) => Ok(version),
            (None, _) => Err(Failure::new(FailureCode::NoVersionSelected)),
        }
    }

    /// Refuses what locks prevent, and what has no data any more.
    fn judge_start(
        &self,
        state: &VobState,
        target: &Target,
        made: &[Operation],
        branch: BranchNo,
        holder: VersionNo,
    ) -> Outcome<()> {
        let (server, vob, element) = (self.server, &target.vob, &*target.element);
        let by_rule = |failure: Failure| Failure { auto_branch: self.making.is_none(), ..failure };
        server.refuse_locked_plan(vob, element, made, self.caller).map_err(by_rule)?;
        server.refuse_locked(vob, element, Some(branch), self.caller, "checkout")?;
        if element.version(holder).content == Content::Removed && !self.request.no_data {
            let version = version_id(state, element, holder);
            return Err(Failure::new(FailureCode::DataRemoved).name(version));
        }
        Ok(())
    }

    /// Finds where a checkout starts: at the branch that mkbranch makes, at the version that was named, at the
    /// newest of the branch that was named, or where the rules lead.
    fn start(
        &self,
        state: &VobState,
        target: &Target,
        selected: VersionNo,
        asked: &CheckoutArgument,
    ) -> Outcome<Start> {
        let element = &target.element;
        let at = |branch: BranchNo, from: VersionNo| Start {
            operations: Vec::new(),
            notices: Vec::new(),
            branch,
            from,
            holder: from,
            version: version_id(state, element, from),
            refused: None,
        };
        if let Some(making) = self.making {
            let planned = plan_branch(state, element, making, selected)?;
            return Ok(Start {
                operations: vec![planned.operation],
                notices: vec![planned.notice],
                branch: BranchNo(element.branches.len() as u32),
                from: VersionNo(element.versions.len() as u32),
                holder: selected,
                version: String::from_utf8_lossy(&planned.version_zero).into_owned(),
                refused: None,
            });
        }
        if !self.request.branch.is_empty() {
            let branch = find_branch(state, element, &self.request.branch)?;
            return Ok(at(branch, element.newest(branch)));
        }
        if target.named.is_some() || self.request.exact_version || asked.exact_version {
            return Ok(at(element.version(selected).branch, selected));
        }
        let maker = Maker { login: &self.user.login, now_ns: self.time_ns };
        let plan = target.view.plan_checkout(&target.vob, &target.path, element, maker)?;
        let made = planned_branches(state, element, &plan);
        let (branch, refused) = match &plan.outcome {
            Ok(branch) => (*branch, None),
            Err(failure) => {
                let failure = plan_failure(state, element, &plan, failure);
                if made.operations.is_empty() {
                    return Err(failure);
                }
                // Branches made so far stay.
                (element.branches.len() as u32, Some(failure))
            }
        };
        let from = made.newest(element, BranchNo(branch));
        let version = match from.index() < element.versions.len() {
            true => version_id(state, element, from),
            false => format!("{}/0", branch_path(state, element, &plan, branch)),
        };
        let holder = made.holder(element, from);
        let (operations, notices) = (made.operations, made.notices);
        Ok(Start { operations, notices, branch: BranchNo(branch), from, holder, version, refused })
    }

    /// Says what the private copy of an element begins with.
    fn copy(&self, element: &Element, holder: VersionNo) -> NewCopy {
        let version = element.version(holder);
        let permissions = file_permissions(element.mode, version.executable);
        NewCopy {
            oid: element.oid,
            content: version.content,
            mode: (u32::from(permissions) | 0o222) & !self.context.umask,
            modified_ns: self.request.preserve_time.then_some(version.created_ns),
        }
    }

    fn refusal(&self, state: &VobState, target: &Target, refused: Refused) -> Failure {
        let branch = match &refused {
            Refused::Reserved { branch, .. } => branch_id(state, &target.element, *branch).into_bytes(),
            _ => Vec::new(),
        };
        Failure { branch, ..self.server.refused(&target.vob, refused) }
    }
}

/// Puts the private copy of a planned checkout in its place, and adds the checkout to the draft.
fn place(
    copies: &mut Copies<'_>,
    planned: Planned,
    draft: &mut Draft<'_>,
    known: &mut Known,
) -> Outcome<CheckedOut> {
    let Planned { target, transaction, judged, mut done, copy, is_shown, refused } = planned;
    let leaf: &[u8] = target.parent.as_ref().map_or(b"", |(_, name)| name);
    match copy {
        Some(copy) if is_shown => copies.place(&target, copy, leaf)?,
        Some(copy) => {
            let name = copies.place_beside(&target, copy)?;
            done.notices.push(Notice {
                code: NoticeCode::CopiedCheckedOut.into(),
                name,
                ..Notice::default()
            });
        }
        None => {}
    }
    draft.accept(transaction, judged);
    known.changed(&target.element);
    if let Some(failure) = refused {
        return Err(Failure { done_before: done.notices, ..failure });
    }
    if !is_shown {
        done.notices.push(Notice { code: NoticeCode::CheckedOutNotSelected.into(), ..Notice::default() });
    }
    Ok(done)
}

/// Finds a branch by its type's name or its whole path.
fn find_branch(state: &VobState, element: &Element, name: &[u8]) -> Outcome<BranchNo> {
    let text = String::from_utf8_lossy(name);
    let missing = || Failure::new(FailureCode::VersionNotFound).name(name);
    if text.starts_with('/') {
        let mut all = element.present_branches().map(|(branch, _)| branch);
        return all.find(|branch| branch_id(state, element, *branch) == text).ok_or_else(missing);
    }
    let found = state.type_named(TypeKind::Branch, &text);
    let object_kind = ObjectKind::BranchType.into();
    let unknown = || Failure { object_kind, ..Failure::new(FailureCode::TypeNotFound).name(text.as_bytes()) };
    let mut found = element.branches_with_type(found.ok_or_else(unknown)?.number);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(missing()),
        // Each branch may have one: the path must be spelled out.
        (Some(_), Some(_)) => Err(Failure::new(FailureCode::AmbiguousVersion).name(name)),
    }
}
