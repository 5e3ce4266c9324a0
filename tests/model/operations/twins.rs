//! chvob: whether evil twins are refused.

use super::{Done, Operation, Outcome, Outcomes, each};
use crate::model::Model;
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Says whether a name that another element had in a directory is refused.
#[derive(Debug)]
pub struct SetTwins {
    detect: bool,
}

impl SetTwins {
    pub fn any(_: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        Rc::new(SetTwins { detect: random.percent(60) })
    }
}

impl Operation for SetTwins {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        model.detects_twins = self.detect;
        vec![Ok(Done::told(self.detect.to_string()))]
    }

    fn perform(&self, product: &dyn Product, _: &Names) -> Vec<Outcome> {
        let reply = product.change_vob(ChangeVobRequest {
            context: product.context(0),
            tags: vec![product.vob_tag().into_bytes()],
            evil_twin_detection: Some(self.detect),
        });
        each(reply, |reply| reply.outcomes)
    }
}

impl From<VobOutcome> for Outcomes {
    fn from(outcome: VobOutcome) -> Outcomes {
        match outcome.outcome {
            Some(vob_outcome::Outcome::Done(facts)) => {
                Outcomes::Done(facts.evil_twin_detection.unwrap_or_default().to_string(), Vec::new())
            }
            Some(vob_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
            None => Outcomes::Silent,
        }
    }
}
