//! mkbranch: branches that users make, and the checkouts on them.

use super::ahead::{Known, read};
use super::check_out::CheckOut;
use super::target::Target;
use super::together::{Outcomes, answers, by_vob, not_committed};
use super::types::selected_type;
use super::version_selector::Wanted;
use crate::server::identity::Caller;
use crate::server::proto::{
    BranchFailure, CheckedOut, CheckoutArgument, CheckoutRequest, Context, Failure, FailureCode,
    MakeBranchOutcome, MakeBranchReply, MakeBranchRequest, Notice, NoticeCode, Selector, make_branch_outcome,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::live::Shown;
use crate::view::resolve::{branch_id, version_id};
use crate::vob::apply::branch_in_the_way;
use crate::vob::{Draft, Element, ElementNo, Operation, Records, Transaction, User, VersionNo, VobState};

/// The branches that a command makes.
pub struct Making<'a> {
    /// Their type.
    pub branch_type: &'a Selector,
    /// The version they are made at; none: the one in the view, or the one named.
    pub wanted: Option<&'a Wanted>,
}

/// A branch that is about to be made.
pub struct PlannedBranch {
    /// How.
    pub operation: Operation,
    /// What the user is told.
    pub notice: Notice,
    /// Its version 0.
    pub version_zero: Vec<u8>,
}

impl Server {
    pub(super) fn make_branches(
        &self,
        caller: &Caller,
        request: &MakeBranchRequest,
    ) -> Outcome<MakeBranchReply> {
        let context = Server::context(&request.context)?;
        crate::server::firing::note_command(crate::vob::TriggerOperation::MakeBranch);
        let wanted = self.wanted_version(caller, &request.version)?;
        let branch_type = request.branch_type.clone().unwrap_or_default();
        let making = Making { branch_type: &branch_type, wanted: wanted.as_ref() };
        let arguments = &request.arguments;
        let (user, time_ns) = (self.user(caller, context), now_ns());
        let made = match request.no_checkout {
            true => self.make_branches_only(caller, context, &user, request, &making),
            false => {
                let (server, request, making) = (self, &CheckoutRequest::default(), Some(&making));
                CheckOut { server, caller, context, request, making, user, time_ns }.all(arguments)
            }
        };
        let outcome = |(argument, made): (&CheckoutArgument, Outcome<CheckedOut>)| MakeBranchOutcome {
            outcome: Some(match made {
                Ok(done) => make_branch_outcome::Outcome::Done(done),
                Err(failure) => make_branch_outcome::Outcome::Failure(
                    self.at_version(context, argument, &making, failure),
                ),
            }),
        };
        Ok(MakeBranchReply { outcomes: arguments.iter().zip(made).map(outcome).collect() })
    }

    /// Adds the version at which the branch was to be made, if there is one.
    fn at_version(
        &self,
        context: &Context,
        argument: &CheckoutArgument,
        making: &Making<'_>,
        failure: Failure,
    ) -> BranchFailure {
        let version = self.target(context, &argument.pname).and_then(|target| {
            let checked_out = target.element.checkout_of(&target.view.uuid()).map(|checkout| checkout.from);
            let version = match (making.wanted, target.named, checked_out) {
                (None, None, Some(from)) => from,
                _ => self.branch_point(&target, making)?,
            };
            Ok(version_id(&target.vob.vob.state(), &target.element, version))
        });
        BranchFailure { version: version.unwrap_or_default().into_bytes(), failure: Some(failure) }
    }

    /// Finds the version at which a branch of an argument is to be made.
    pub(super) fn branch_point(&self, target: &Target, making: &Making<'_>) -> Outcome<VersionNo> {
        if let Some(wanted) = making.wanted {
            return wanted.select(&wanted.bind(&target.vob), &target.vob, &target.element);
        }
        match (target.named, target.shown) {
            (Some(named), _) => Ok(named),
            (None, Shown::Version(version, _)) => Ok(version),
            (None, Shown::CheckedOut(_)) => Err(Failure::new(FailureCode::VersionIsCheckedOut)),
            (None, _) => Err(Failure::new(FailureCode::NoVersionSelected)),
        }
    }

    /// Makes the branches of all arguments, those of one VOB in one commit.
    fn make_branches_only(
        &self,
        caller: &Caller,
        context: &Context,
        user: &User,
        request: &MakeBranchRequest,
        making: &Making<'_>,
    ) -> Vec<Outcome<CheckedOut>> {
        let found = self.arguments(context, request.arguments.iter().map(|argument| &argument.pname));
        let mut outcomes: Outcomes<CheckedOut> = found.iter().map(|_| None).collect();
        for (vob, here) in by_vob(&found, |argument| &argument.vob) {
            let committed = self.commit_draft(&vob, |_, draft| {
                let mut known = Known::default();
                for at in &here {
                    let Ok(argument) = &found[*at] else { continue };
                    let target = known.target(draft, &user.login, argument);
                    let comment = &request.arguments[*at].comment;
                    let made = target.and_then(|target| {
                        let element = read(draft, target.element.number)?;
                        known.changed(&element);
                        let target = Target { element, ..target };
                        self.make_one_branch(caller, user, draft, &target, making, comment)
                    });
                    outcomes[*at] = Some(made);
                }
                Ok(())
            });
            if let Err(failure) = committed {
                not_committed(&mut outcomes, &here, &failure);
            }
        }
        answers(found, outcomes)
    }

    fn make_one_branch(
        &self,
        caller: &Caller,
        user: &User,
        draft: &mut Draft<'_>,
        target: &Target,
        making: &Making<'_>,
        comment: &[u8],
    ) -> Outcome<CheckedOut> {
        self.permit_element(caller, &target.vob, &target.element, "make branch")?;
        if target.element.number == ElementNo::LOST_AND_FOUND {
            return Err(Failure::other("\"lost+found\" has no branches"));
        }
        let point = self.branch_point(target, making)?;
        let planned = plan_branch(&draft.state(), &target.element, making, point)?;
        let operations = vec![planned.operation];
        self.refuse_locked_plan(&target.vob, &target.element, &operations, caller)?;
        let transaction = Transaction {
            time_ns: now_ns(),
            user: user.clone(),
            comment: String::from_utf8_lossy(comment).into_owned(),
            attributes: vec![],
            operations,
        };
        draft.add(transaction).map_err(|refused| self.refused(&target.vob, refused))?;
        let kind = super::facts::kinds(&target.element).1.into();
        Ok(CheckedOut { kind, notices: vec![planned.notice], ..CheckedOut::default() })
    }
}

/// Plans a branch of an element.
///
/// # Errors
/// `TYPE_NOT_FOUND`, or `BRANCH_EXISTS` where the type may not be used again.
pub fn plan_branch(
    state: &VobState,
    element: &Element,
    making: &Making<'_>,
    from: VersionNo,
) -> Outcome<PlannedBranch> {
    let object = selected_type(state, making.branch_type)?;
    if let Some(branch) = branch_in_the_way(element, from, object.number, object.is_per_branch()) {
        let branch = branch_id(state, element, branch).into_bytes();
        return Err(Failure { branch, ..Failure::new(FailureCode::BranchExists).name(object.name.as_str()) });
    }
    let parent = branch_id(state, element, element.version(from).branch);
    Ok(PlannedBranch {
        operation: Operation::CreateBranch { element: element.number, from, branch_type: object.number },
        notice: Notice {
            code: NoticeCode::CreatedBranch.into(),
            name: object.name.clone().into_bytes(),
            version: version_id(state, element, from).into_bytes(),
            ..Notice::default()
        },
        version_zero: format!("{parent}/{}/0", object.name).into_bytes(),
    })
}
