//! reserve and unreserve.

use super::pick::{self, Wanted};
use super::{Done, Operation, Outcome, Outcomes, Refused, each, target};
use crate::model::{Model, VIEWS};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Makes a checkout reserved, or takes that back.
#[derive(Debug)]
pub struct Reserve {
    view: usize,
    path: String,
    unreserve: bool,
    /// Whose checkout, when it is not the own one.
    other: bool,
}

impl Reserve {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::element(model, random, Wanted::CheckedOut);
        Rc::new(Reserve { view, path, unreserve: random.percent(50), other: random.percent(15) })
    }

    fn holder(&self) -> usize {
        if self.other { (self.view + 1) % VIEWS } else { self.view }
    }

    fn outcome(&self, model: &mut Model) -> Outcome {
        let (id, holder) = (target(model, self.view, &self.path)?.id, self.holder());
        let element = &model.elements[id];
        let checkout = element.checkouts[holder].as_ref().ok_or(FailureCode::NotCheckedOut)?;
        let branch = element.branch_id(checkout.branch);
        if !self.unreserve && element.reserved_by_other(holder, checkout.branch) {
            return Err(Refused::at(FailureCode::ReservedElsewhere, branch));
        }
        if let Some(checkout) = &mut model.change(id).checkouts[holder] {
            checkout.reserved = !self.unreserve;
        }
        Ok(Done::told(branch))
    }
}

impl Operation for Reserve {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        vec![self.outcome(model)]
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let pname = Some(product.pname(self.view, &names.real(&self.path)));
        let view = if self.other { product.view_tag(self.holder()) } else { String::new() };
        let reply = product.reserve(ReserveRequest {
            context: product.context(self.view),
            arguments: vec![CheckoutArgument { pname, ..CheckoutArgument::default() }],
            unreserve: self.unreserve,
            view: view.into_bytes(),
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<ReserveOutcome> for Outcomes {
    fn from(outcome: ReserveOutcome) -> Outcomes {
        match outcome.outcome {
            Some(reserve_outcome::Outcome::Done(done)) => {
                Outcomes::Done(String::from_utf8_lossy(&done.branch).into_owned(), Vec::new())
            }
            Some(reserve_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
            None => Outcomes::Silent,
        }
    }
}
