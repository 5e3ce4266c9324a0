//! A run: operation by operation, on the model and on the program, with a comparison after each; and what is told
//! of a difference.

use crate::compare;
use crate::model::{Model, VIEWS};
use crate::operations::{self, Operation, Outcome};
use crate::product::Product;
use crate::random::Random;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Steps after which everything is compared, not only what the last operation touched.
const WHOLE_EVERY: usize = 500;
/// Operations that a report shows.
const SHOWN: usize = 50;

/// Operations that were done, in their order.
pub type Operations = Vec<Rc<dyn Operation>>;

/// The model and the program, in step.
pub struct Run<'a> {
    pub model: Model,
    product: &'a dyn Product,
    /// How often each kind of outcome came, for who wants to know what a run covers.
    pub outcomes: std::collections::BTreeMap<String, usize>,
}

/// Where model and program disagree.
#[derive(Debug)]
pub struct Difference {
    /// After so many operations.
    pub step: usize,
    /// What was expected, and what was found.
    pub what: String,
}

impl<'a> Run<'a> {
    /// Begins with a program that has a new VOB and two new views.
    pub fn new(product: &'a dyn Product) -> Run<'a> {
        Run { model: Model::new(), product, outcomes: Default::default() }
    }

    /// Does one operation.
    ///
    /// # Errors
    /// The difference that it made.
    pub fn step(&mut self, operation: &dyn Operation) -> Result<(), String> {
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.model.begin();
            let expected = operation.expect(&mut self.model);
            self.product.look_anew();
            let found = operation.perform(self.product, &self.model.names);
            self.product.look_anew();
            self.count(operation, &expected);
            answers(&expected, &found)?;
            if self.model.follows {
                self.product.settle(&self.model);
            }
            if let Some(made) = &self.model.made {
                let identity = self.product.identity(&self.model, made);
                let identity = identity.ok_or("what was made has no identity")?;
                self.model.names.learn(self.model.elements[made.id].serial, &identity);
            }
            compare::touched(&self.model, self.product)?;
            self.product.compare_elements(&self.model, false)
        }));
        result.unwrap_or_else(|_| Err("a panic (see above)".to_owned()))
    }

    /// Compares everything.
    ///
    /// # Errors
    /// The first difference.
    pub fn whole(&self) -> Result<(), String> {
        (0..VIEWS).try_for_each(|view| compare::whole(&self.model, self.product, view))?;
        self.product.compare_elements(&self.model, true)
    }

    fn count(&mut self, operation: &dyn Operation, outcomes: &[Outcome]) {
        let kind = operations::kind_of(operation);
        for outcome in outcomes {
            let told = match outcome {
                Ok(_) => "done",
                Err(refused) => refused.why.trim_start_matches("FAILURE_CODE_"),
            };
            *self.outcomes.entry(format!("{kind}: {told}")).or_default() += 1;
        }
    }
}

fn answers(expected: &[Outcome], found: &[Outcome]) -> Result<(), String> {
    match expected == found {
        true => Ok(()),
        false => Err(format!("the answer: expected {expected:?}, found {found:?}")),
    }
}

/// Does random operations.
///
/// # Errors
/// The first difference. `done` has the operations then, the one that made it last.
pub fn random(run: &mut Run<'_>, seed: u64, count: usize, done: &mut Operations) -> Result<(), Difference> {
    let mut random = Random::new(seed);
    for step in 1..=count {
        let operation = operations::any(&run.model, &mut random, step as u32);
        done.push(Rc::clone(&operation));
        let whole = step % WHOLE_EVERY == 0 || step == count;
        let result = run.step(&*operation).and_then(|()| if whole { run.whole() } else { Ok(()) });
        result.map_err(|what| Difference { step, what })?;
    }
    Ok(())
}

/// Does the same operations again, and compares everything at the end.
pub fn again(run: &mut Run<'_>, operations: &[Rc<dyn Operation>]) -> Result<(), Difference> {
    for (step, operation) in (1..).zip(operations) {
        run.step(&**operation).map_err(|what| Difference { step, what })?;
    }
    run.whole().map_err(|what| Difference { step: operations.len(), what })
}

/// Words a difference: the last operations, and what it is.
pub fn report(seed: u64, difference: &Difference, operations: &[Rc<dyn Operation>]) -> String {
    let first = operations.len().saturating_sub(SHOWN);
    let mut text = format!("seed {seed}, step {}: {}\n", difference.step, difference.what);
    if first > 0 {
        text += "  ...\n";
    }
    for (number, operation) in (first + 1..).zip(&operations[first..]) {
        text += &format!("  {number}: {operation:?}\n");
    }
    text
}
