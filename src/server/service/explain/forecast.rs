//! What a checkout would do, were it asked now: by the same laws, in the same order, without doing it.

use super::Teller;
use crate::server::identity;
use crate::server::proto::{CheckoutForecast, CheckoutRefusal};
use crate::server::service::auto_branch::branch_path;
use crate::server::service::facts;
use crate::server::state::{Outcome, now_ns};
use crate::view::explain::Choice;
use crate::view::resolve::branch_id;
use crate::vob::{BranchNo, ElementNo};
use clerestory_specs::{Maker, PlanFailure, Selector};

impl Teller<'_> {
    /// Foretells a reserved checkout without further options.
    pub(super) fn forecast(&self, choice: &Choice) -> Outcome<CheckoutForecast> {
        let (server, vob, element) = (self.server, &self.found.vob, &*choice.element);
        let refused = |refusal: CheckoutRefusal| CheckoutForecast {
            refusal: refusal.into(),
            ..CheckoutForecast::default()
        };
        let permitted = server
            .permit_element(self.caller, vob, element, "checkout")
            .and_then(|()| server.permit_view(self.caller, self.view));
        if permitted.is_err() {
            return Ok(refused(CheckoutRefusal::Permission));
        }
        if element.number == ElementNo::LOST_AND_FOUND {
            return Ok(refused(CheckoutRefusal::LostAndFound));
        }
        if element.checkout_of(&self.view.uuid()).is_some() {
            return Ok(refused(CheckoutRefusal::AlreadyCheckedOut));
        }
        let login = identity::user_name(self.caller.user_id);
        let maker = Maker { login: &login, now_ns: now_ns() };
        let plan = self.view.plan_checkout(vob, &choice.path, element, maker)?;
        let hidden =
            !self.view.spec().rules().iter().any(|rule| matches!(rule.selector, Selector::CheckedOut));
        let branch = match &plan.outcome {
            Ok(branch) => BranchNo(*branch),
            Err(PlanFailure::NotSelected(_) | PlanFailure::Error(..)) => {
                return Ok(refused(CheckoutRefusal::NotSelected));
            }
            Err(PlanFailure::CheckedOut) => return Ok(refused(CheckoutRefusal::AlreadyCheckedOut)),
            Err(PlanFailure::NoCheckout(_)) => return Ok(refused(CheckoutRefusal::Rule)),
            Err(PlanFailure::NoSuchBranchType(name)) => {
                let branch = name.as_str().into();
                return Ok(CheckoutForecast { branch, ..refused(CheckoutRefusal::NoSuchBranchType) });
            }
            Err(PlanFailure::BranchExists { branch, .. }) => {
                let branch = branch_path(&self.state, element, &plan, *branch).into_bytes();
                return Ok(CheckoutForecast { branch, ..refused(CheckoutRefusal::BranchExists) });
            }
            Err(PlanFailure::TooManyBranches) => return Ok(refused(CheckoutRefusal::TooManyBranches)),
        };
        if branch.index() >= element.branches.len() {
            return Ok(CheckoutForecast {
                creates_branches: plan.branches.iter().map(|made| made.name.clone().into_bytes()).collect(),
                from: format!("{}/0", branch_path(&self.state, element, &plan, branch.0)).into_bytes(),
                hidden,
                ..CheckoutForecast::default()
            });
        }
        let reserving = element.checkouts.iter().find(|held| held.reserved && held.branch == branch);
        if let Some(held) = reserving {
            return Ok(CheckoutForecast {
                branch: self.branch(choice, branch),
                view_tag: facts::view_tag(&server.host.views(), held),
                ..refused(CheckoutRefusal::ReservedElsewhere)
            });
        }
        Ok(CheckoutForecast {
            creates_branches: plan.branches.iter().map(|made| made.name.clone().into_bytes()).collect(),
            from: self.version(element, element.newest(branch)),
            hidden,
            ..CheckoutForecast::default()
        })
    }

    fn branch(&self, choice: &Choice, branch: BranchNo) -> Vec<u8> {
        branch_id(&self.state, &choice.element, branch).into_bytes()
    }
}
