//! setcs.

use super::{Done, Operation, Outcome, Outcomes, each};
use crate::model::{BRANCHES, LABELS, Model, NAMES, Pattern, Pick, Rule, Scope, Spec, VIEWS};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Gives a view another config spec.
#[derive(Debug)]
pub struct SetSpec {
    view: usize,
    spec: Spec,
}

impl SetSpec {
    pub fn any(_: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        Rc::new(SetSpec { view: random.below(VIEWS), spec: any(random) })
    }
}

/// Any of the specs that people have.
fn any(random: &mut Random) -> Spec {
    let checked_out = Rule::all(Pick::CheckedOut);
    let latest = Rule::all(Pick::MainLatest);
    let kind = random.below(BRANCHES.len());
    let label = Rule::all(Pick::Label(random.below(LABELS.len())));
    let on_branch = Rule::all(Pick::Latest(kind));
    let hidden = |random: &mut Random| {
        let pick = if random.percent(85) { Pick::Nothing } else { Pick::Error };
        Rule { pattern: Pattern::Below(random.below(NAMES.len())), ..Rule::all(pick) }
    };
    Spec(match random.below(24) {
        0..=4 => vec![checked_out, latest],
        5..=8 => vec![checked_out, on_branch, latest.making(kind)],
        9..=11 => vec![checked_out, label, latest],
        12 => {
            let directories = Rule { scope: Scope::Directories, ..latest };
            vec![checked_out, directories, Rule { scope: Scope::Files, ..label }]
        }
        13 => vec![checked_out, label],
        14..=15 => vec![checked_out, hidden(random), latest],
        16..=17 => vec![hidden(random), checked_out, latest],
        18 => vec![latest],
        19 => vec![checked_out, latest.making(kind)],
        20 => {
            let upper = (kind + 1) % BRANCHES.len();
            let branch = Rule::all(Pick::Latest(upper));
            vec![checked_out, branch, on_branch.making(upper), label.making(kind), latest.making(kind)]
        }
        21 => vec![checked_out, Rule { no_checkout: true, ..latest }],
        22 => {
            let pattern = Pattern::Below(random.below(NAMES.len()));
            vec![checked_out, Rule { pattern, no_checkout: true, ..latest }, on_branch, latest]
        }
        _ => vec![checked_out, on_branch, latest.making(BRANCHES.len()), Rule::all(Pick::MainZero)],
    })
}

impl Operation for SetSpec {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        model.views[self.view].spec = self.spec.clone();
        model.touched_views[self.view] = true;
        vec![Ok(Done::default())]
    }

    fn perform(&self, product: &dyn Product, _: &Names) -> Vec<Outcome> {
        let text = ConfigSpecText { text: self.spec.text().into_bytes(), file: b"/spec".to_vec() };
        let reply = product.set_config_spec(SetConfigSpecRequest {
            context: product.context(self.view),
            tag: product.view_tag(self.view),
            source: Some(set_config_spec_request::Source::Text(text)),
        });
        each(reply, |reply| vec![reply])
    }
}

impl From<SetConfigSpecReply> for Outcomes {
    fn from(reply: SetConfigSpecReply) -> Outcomes {
        match reply.faults {
            None => Outcomes::Done(String::new(), Vec::new()),
            Some(faults) => Outcomes::Done(format!("{faults:?}"), Vec::new()),
        }
    }
}
