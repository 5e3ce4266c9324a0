//! rmname, mv and ln: names in directories change, elements stay what they are.
//!
//! The arguments of one command that are in one VOB are planned one after the other, each on
//! what those before it leave, and committed together: `edits`. What lost its last name is found
//! by `references`, names that were another element's by `twins`.

mod edits;
mod link;
mod references;
mod remove;
mod rename;
mod twins;

pub use edits::{Edits, Opened};
pub(super) use references::lost;
pub use references::{Removed, orphans, orphans_of};
pub use twins::{DETECTION, detects_twins, refuse_other};

use super::slot::Slot;
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::Found;
use crate::view::live::Shown;
use crate::vob::{ElementKind, Transaction};

/// Where the names of a command's sources go.
struct Destination<'a> {
    pname: &'a Pname,
    /// The names go into it, and stay what they are.
    is_directory: bool,
}

impl Destination<'_> {
    /// The new name of a source, as the user would type it.
    fn typed(&self, leaf: &[u8]) -> Vec<u8> {
        let typed = &self.pname.typed;
        match self.is_directory {
            true if typed.ends_with(b"/") => [typed, leaf].concat(),
            true => [typed, &b"/"[..], leaf].concat(),
            false => typed.clone(),
        }
    }

    /// Finds the place of the new name.
    fn slot(&self, server: &Server, context: &Context, leaf: &[u8]) -> Outcome<Slot> {
        match self.is_directory {
            true => server.slot_in(context, &self.pname.absolute, leaf),
            false => server.slot(context, self.pname),
        }
    }
}

impl Server {
    /// Looks what stands at the target of mv or ln: a directory takes names in.
    fn destination<'a>(
        &self,
        context: &Context,
        target: &'a Option<Pname>,
        sources: usize,
    ) -> Outcome<Destination<'a>> {
        let pname = target.as_ref().ok_or_else(|| Failure::internal("a call came without its target"))?;
        let is_directory = match self.resolve(context, pname) {
            Ok((_, resolved)) => match resolved.found {
                Found::Element { element, shown, .. } => {
                    let is_shown = matches!(shown, Shown::Version(..) | Shown::CheckedOut(_));
                    element.kind == ElementKind::Directory && is_shown
                }
                Found::Private { stat, .. } => stat.st_mode & libc::S_IFMT == libc::S_IFDIR,
                Found::Symlink(_) | Found::History(_) => false,
            },
            Err(failure) if failure.code() == FailureCode::NoSuchFile && sources == 1 => false,
            Err(failure) => return Err(failure.name(pname.typed.as_slice())),
        };
        if sources > 1 && !is_directory {
            return Err(Failure::new(FailureCode::NotADirectory).name(pname.typed.as_slice()));
        }
        Ok(Destination { pname, is_directory })
    }

    /// Plans each item, and commits what the plans of one VOB and view come to together.
    /// Answers for each item, in their order.
    fn edit_names<T, D>(
        &self,
        (caller, context, comment): (&Caller, &Context, &[u8]),
        items: &[Outcome<T>],
        slot: impl Fn(&T) -> &Slot,
        mut plan: impl FnMut(&mut Edits<'_>, &T) -> Outcome<D>,
    ) -> Vec<Outcome<D>> {
        let room = |item: &T| (slot(item).vob.index, slot(item).view.index);
        let mut outcomes: Vec<Option<Outcome<D>>> = items.iter().map(|_| None).collect();
        for at in 0..items.len() {
            let first = match &items[at] {
                Ok(item) if outcomes[at].is_none() => item,
                Ok(_) => continue,
                Err(failure) => {
                    outcomes[at] = Some(Err(failure.clone()));
                    continue;
                }
            };
            let same = |at: &usize| items[*at].as_ref().is_ok_and(|item| room(item) == room(first));
            let together: Vec<usize> = (at..items.len()).filter(same).collect();
            let committed = self.commit(&slot(first).vob, |store| {
                let time_ns = now_ns();
                let mut edits = Edits::new(store, &slot(first).vob, &slot(first).view, time_ns);
                for at in &together {
                    if let Ok(item) = &items[*at] {
                        outcomes[*at] = Some(plan(&mut edits, item));
                    }
                }
                let comment = String::from_utf8_lossy(comment).into_owned();
                let operations = edits.operations(&comment);
                if operations.is_empty() {
                    return Err(Failure::new(FailureCode::NotDone));
                }
                let user = self.user(caller, context);
                Ok(vec![Transaction { time_ns, user, comment, attributes: vec![], operations }])
            });
            if let Err(failure) = committed {
                for at in together {
                    if !matches!(outcomes[at], Some(Err(_))) {
                        outcomes[at] = Some(Err(failure.clone()));
                    }
                }
            }
        }
        let missing = || Err(Failure::internal("an argument was not looked at"));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
    }
}

/// What the bookkeeping lines of directories call a kind of element.
pub fn kind_word(kind: ElementKind) -> &'static str {
    match kind {
        ElementKind::File => "file element",
        ElementKind::Directory => "directory element",
    }
}

fn told(outcome: Outcome<Vec<Notice>>, new_name: Vec<u8>) -> NameOutcome {
    let outcome = match outcome {
        Ok(notices) => name_outcome::Outcome::Done(NameChanged { notices }),
        Err(failure) => name_outcome::Outcome::Failure(failure),
    };
    NameOutcome { outcome: Some(outcome), new_name }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
