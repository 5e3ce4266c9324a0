//! checkin.

use super::pick::{self, Wanted};
use super::uncheckout::keep;
use super::{Done, Operation, Outcome, Outcomes, Refused, Target, each, target, text};
use crate::model::{Content, File, Id, Model, Shown};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::rc::Rc;

/// Checks elements in.
#[derive(Debug)]
pub struct CheckIn {
    view: usize,
    paths: Vec<String>,
    identical: bool,
    keep: bool,
    atomic: bool,
}

impl CheckIn {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let wanted = |random: &mut Random| match random.percent(75) {
            true => Wanted::Changed,
            false => Wanted::CheckedOut,
        };
        let first = wanted(random);
        let (view, path) = pick::element(model, random, first);
        let mut paths = vec![path];
        while random.percent(15) {
            let next = wanted(random);
            paths.push(pick::element_in(model, random, view, next));
        }
        let (identical, keep) = (random.percent(25), random.percent(10));
        Rc::new(CheckIn { view, paths, identical, keep, atomic: random.percent(80) })
    }

    /// Checks some of the paths in together.
    fn together(&self, model: &mut Model, paths: &[String]) -> Vec<Outcome> {
        let mut named: Vec<Id> = Vec::new();
        let mut judged: Vec<Result<(Target, Option<File>), Refused>> =
            paths.iter().map(|path| self.judge(model, path, &mut named)).collect();
        for one in &mut judged {
            if let Ok((target, data)) = one
                && let Err(refused) = self.judge_data(model, target, data)
            {
                *one = Err(refused);
            }
        }
        if judged.iter().any(Result::is_err) {
            let not_done = |_| Err(FailureCode::NotDone.into());
            return judged.into_iter().map(|one| one.map_or_else(Err, not_done)).collect();
        }
        let targets: Vec<(Target, Option<File>)> = judged.into_iter().flatten().collect();
        let kept: Vec<Option<String>> = targets
            .iter()
            .map(
                |(target, data)| {
                    if self.keep && data.is_some() { keep(model, self.view, target) } else { None }
                },
            )
            .collect();
        let all = targets.into_iter().zip(kept);
        all.map(|((target, data), kept)| Ok(self.finish(model, &target, data, kept))).collect()
    }

    /// Judges a path by everything but the data of a file.
    fn judge(
        &self,
        model: &Model,
        path: &str,
        named: &mut Vec<Id>,
    ) -> Result<(Target, Option<File>), Refused> {
        let target = target(model, self.view, path)?;
        let element = &model.elements[target.id];
        let checkout = element.checkouts[self.view].as_ref().ok_or(FailureCode::NotCheckedOut)?;
        if named.contains(&target.id) {
            return Err(FailureCode::NamedTwice.into());
        }
        named.push(target.id);
        let branch = checkout.branch;
        if element.newest(branch) != (branch, checkout.from) {
            return Err(Refused::at(FailureCode::NotPredecessor, element.branch_id(branch)));
        }
        if element.reserved_by_other(self.view, branch) {
            return Err(Refused::at(FailureCode::ReservedElsewhere, element.branch_id(branch)));
        }
        let before = element.version((branch, checkout.from));
        if element.directory && !self.identical && before.catalog == checkout.catalog {
            return Err(FailureCode::Identical.into());
        }
        Ok((target, None))
    }

    fn judge_data(&self, model: &Model, target: &Target, data: &mut Option<File>) -> Result<(), Refused> {
        let element = &model.elements[target.id];
        let Some(checkout) = element.checkouts[self.view].as_ref().filter(|_| !element.directory) else {
            return Ok(());
        };
        let file = *model.views[self.view].data.get(&target.id).ok_or(FailureCode::NoSuchFile)?;
        let before = element.version((checkout.branch, checkout.from));
        let same = before.content == file.content && before.executable == file.executable();
        if !self.identical && same && !before.emptied {
            return Err(FailureCode::Identical.into());
        }
        *data = Some(file);
        Ok(())
    }

    fn finish(&self, model: &mut Model, target: &Target, data: Option<File>, kept: Option<String>) -> Done {
        let element = model.change(target.id);
        let checkout = element.checkouts[self.view].take().expect("it was judged");
        let (content, executable) =
            data.map_or((Content::EMPTY, false), |file| (file.content, file.executable()));
        let new = element.add(checkout.branch, content, executable, checkout.catalog);
        let words = format!("{} kept {}", element.version_id(new), kept.unwrap_or_default());
        model.views[self.view].data.remove(&target.id);
        let mut done = Done::told(words);
        if model.select(self.view, target.id, target.trail).0 != Shown::Version(new) {
            done.notices.push("CHECKED_IN_NOT_SELECTED".to_owned());
        }
        done
    }
}

impl Operation for CheckIn {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let together = if self.atomic { self.paths.len() } else { 1 };
        self.paths.chunks(together).flat_map(|paths| self.together(model, paths)).collect()
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let argument = |path: &String| CheckinArgument {
            pname: Some(product.pname(self.view, &names.real(path))),
            comment: None,
        };
        let reply = product.checkin(CheckinRequest {
            context: product.context(self.view),
            arguments: self.paths.iter().map(argument).collect(),
            identical: self.identical,
            private_copy: if self.keep { PrivateCopy::Keep } else { PrivateCopy::Remove }.into(),
            atomic: self.atomic,
            ..CheckinRequest::default()
        });
        each(reply, |reply| reply.outcomes.into_iter().map(told).collect())
    }
}

fn told(outcome: CheckinOutcome) -> Outcomes {
    match outcome.outcome {
        Some(checkin_outcome::Outcome::Done(done)) => {
            let (version, kept) = (String::from_utf8_lossy(&done.version), text(&done.keep_name));
            Outcomes::Done(format!("{version} kept {kept}"), done.notices)
        }
        Some(checkin_outcome::Outcome::Failure(failure)) => Outcomes::Failed(failure),
        None => Outcomes::Silent,
    }
}
