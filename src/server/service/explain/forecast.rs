//! What a checkout would do, were it asked now: by the same laws, in the same order, without doing it.

use super::Teller;
use crate::server::proto::{CheckoutForecast, CheckoutRefusal};
use crate::server::service::facts;
use crate::view::explain::{Choice, Verdict};
use crate::view::resolve::branch_id;
use crate::vob::{BranchNo, ElementNo, TypeKind};
use clerestory_specs::Selector;

impl Teller<'_> {
    /// Foretells a reserved checkout without further options.
    pub(super) fn forecast(&self, choice: &Choice) -> CheckoutForecast {
        let (server, vob, element) = (self.server, &self.found.vob, &*choice.element);
        let refused = |refusal: CheckoutRefusal| CheckoutForecast {
            refusal: refusal.into(),
            ..CheckoutForecast::default()
        };
        let permitted = server
            .permit_element(self.caller, vob, element, "checkout")
            .and_then(|()| server.permit_view(self.caller, self.view));
        if permitted.is_err() {
            return refused(CheckoutRefusal::Permission);
        }
        if element.number == ElementNo::LOST_AND_FOUND {
            return refused(CheckoutRefusal::LostAndFound);
        }
        if element.checkout_of(&self.view.uuid()).is_some() {
            return refused(CheckoutRefusal::AlreadyCheckedOut);
        }
        let rule = choice.rule.map(|rule| self.found.bound.rule(rule));
        if rule.is_some_and(|rule| rule.no_checkout) {
            return refused(CheckoutRefusal::Rule);
        }
        let Verdict::Version(selected) = choice.verdict else {
            return refused(CheckoutRefusal::NotSelected);
        };
        if !self.view.spec().rules().iter().any(|rule| matches!(rule.selector, Selector::CheckedOut)) {
            return refused(CheckoutRefusal::NoCheckedoutRule);
        }
        let branch = element.version(selected).branch;
        if let Some(name) = rule.and_then(|rule| rule.mkbranch.as_deref()) {
            let Some(wanted) = self.state.type_named(TypeKind::Branch, name) else {
                let branch = name.into();
                return CheckoutForecast { branch, ..refused(CheckoutRefusal::NoSuchBranchType) };
            };
            if element.branch(branch).branch_type != wanted.number {
                return match element.branch_with_type(wanted.number) {
                    Some(there) => CheckoutForecast {
                        branch: self.branch(choice, there),
                        ..refused(CheckoutRefusal::BranchExists)
                    },
                    None => CheckoutForecast {
                        creates_branch: name.into(),
                        from: [&self.branch(choice, branch)[..], b"/", name.as_bytes(), b"/0"].concat(),
                        ..CheckoutForecast::default()
                    },
                };
            }
        }
        let reserving = element.checkouts.iter().find(|held| held.reserved && held.branch == branch);
        if let Some(held) = reserving {
            return CheckoutForecast {
                branch: self.branch(choice, branch),
                view_tag: facts::view_tag(&server.host.views(), held),
                ..refused(CheckoutRefusal::ReservedElsewhere)
            };
        }
        CheckoutForecast {
            from: self.version(element, element.newest(branch)),
            ..CheckoutForecast::default()
        }
    }

    fn branch(&self, choice: &Choice, branch: BranchNo) -> Vec<u8> {
        branch_id(&self.state, &choice.element, branch).into_bytes()
    }
}
