//! rmelem, rmbranch and rmver: what is removed for good.
//!
//! The arguments of one command that are in one VOB are judged one after the other, each on what those
//! before it leave, and committed together: `plan`. What loses its last name moves to `lost+found` in the
//! same commit.

mod plan;

pub(super) use plan::Plan;

use super::version_selector::Wanted;
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::history::Place;
use crate::view::{Found, MountedVob, Shown};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, ElementNo, Transaction, VersionNo};
use std::sync::Arc;

/// What an argument names.
struct Meant {
    vob: Arc<MountedVob>,
    element: ElementNo,
    named: Named,
}

/// Which part of an element a path leads to.
#[derive(Copy, Clone)]
enum Named {
    /// A name in a directory of the view, and what the view shows there.
    Shown(Shown),
    Element,
    Branch(BranchNo),
    Version(VersionNo),
    Checkout,
}

/// Which versions are meant, beside what the paths say.
enum Which {
    Named,
    Selected(Wanted),
    Between(Wanted, Wanted),
}

impl Server {
    pub(super) fn remove(&self, caller: &Caller, request: &RemoveRequest) -> Outcome<RemoveReply> {
        let context = Server::context(&request.context)?;
        let selector = |typed: &[u8]| self.wanted_version(caller, typed);
        let which = match (selector(&request.version)?, selector(&request.low)?, selector(&request.high)?) {
            (_, Some(low), Some(high)) => Which::Between(low, high),
            (Some(wanted), ..) => Which::Selected(wanted),
            _ => Which::Named,
        };
        let meant: Vec<Outcome<Meant>> =
            request.pnames.iter().map(|pname| self.meant(context, pname)).collect();
        let mut outcomes: Vec<Option<Outcome<Removal>>> = meant.iter().map(|_| None).collect();
        for at in 0..meant.len() {
            let vob = match &meant[at] {
                Ok(meant) if outcomes[at].is_none() => Arc::clone(&meant.vob),
                Ok(_) => continue,
                Err(failure) => {
                    outcomes[at] = Some(Err(failure.clone()));
                    continue;
                }
            };
            let here = |at: &usize| meant[*at].as_ref().is_ok_and(|meant| meant.vob.index == vob.index);
            let together: Vec<usize> = (at..meant.len()).filter(here).collect();
            let mut judge = |plan: &mut Plan<'_>| {
                for at in &together {
                    if let Ok(meant) = &meant[*at] {
                        outcomes[*at] = Some(argument(plan, *at, meant, &which, request));
                    }
                }
            };
            if request.only_tell {
                judge(&mut Plan::new(self, caller, &vob, &vob.vob));
                continue;
            }
            let mut lost = Vec::new();
            let committed = self.commit(&vob, |store| {
                let mut plan = Plan::new(self, caller, &vob, store);
                judge(&mut plan);
                let (operations, moved) = plan.finish()?;
                lost = moved;
                if operations.is_empty() {
                    return Err(Failure::new(FailureCode::NotDone));
                }
                Ok(vec![Transaction {
                    time_ns: now_ns(),
                    user: self.user(caller, context),
                    comment: String::from_utf8_lossy(&request.comment).into_owned(),
                    attributes: vec![],
                    operations,
                }])
            });
            for at in together {
                match (&mut outcomes[at], &committed) {
                    (Some(Ok(_)), Err(failure)) => outcomes[at] = Some(Err(failure.clone())),
                    (Some(Ok(done)), Ok(_)) => {
                        let own = lost.iter().filter(|(argument, _)| *argument == at);
                        done.notices.extend(own.map(|(_, notice)| notice.clone()));
                    }
                    _ => {}
                }
            }
        }
        let missing = || Err(Failure::internal("an argument was not looked at"));
        let outcome = |outcome: Option<Outcome<Removal>>| RemoveOutcome {
            outcome: Some(match outcome.unwrap_or_else(missing) {
                Ok(done) => remove_outcome::Outcome::Done(done),
                Err(failure) => remove_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(RemoveReply { outcomes: outcomes.into_iter().map(outcome).collect() })
    }

    /// Finds what a path leads to.
    fn meant(&self, context: &Context, pname: &Pname) -> Outcome<Meant> {
        let (_, resolved) = self.resolve(context, pname)?;
        let (element, named) = match resolved.found {
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(_) | Found::History(Place::Symlink(_)) => {
                return Err(Failure::new(FailureCode::NotAnElement));
            }
            Found::Element { element, shown, .. } => (element.number, Named::Shown(shown)),
            Found::History(place) => match place {
                Place::Branch(number, branch) => (number, Named::Branch(branch)),
                Place::Version(number, version) | Place::Directory(number, DirectoryAt::Version(version)) => {
                    (number, Named::Version(version))
                }
                Place::OwnCheckout(number)
                | Place::OtherCheckout(number, _)
                | Place::Directory(number, DirectoryAt::CheckedOut(_)) => (number, Named::Checkout),
                Place::Element(number) => (number, Named::Element),
                Place::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
            },
        };
        Ok(Meant { vob: resolved.vob, element, named })
    }
}

/// Judges one argument, and plans its removal.
fn argument(
    plan: &mut Plan<'_>,
    at: usize,
    meant: &Meant,
    which: &Which,
    request: &RemoveRequest,
) -> Outcome<Removal> {
    let element = plan.element(meant.element)?;
    match (request.what(), meant.named) {
        (RemoveWhat::Elements, Named::Shown(_) | Named::Element) => {
            plan.remove_element(at, &element, request.only_tell)
        }
        (RemoveWhat::Elements, _) => Err(Failure::new(FailureCode::NotAnElement)),
        (RemoveWhat::Branches, Named::Branch(branch)) => {
            plan.permit_branch(&element, branch)?;
            plan.remove_branch(at, &element, branch)
        }
        (RemoveWhat::Branches, _) => Err(Failure::new(FailureCode::NotABranch)),
        (RemoveWhat::Versions, named) => {
            let versions = match which {
                Which::Named => vec![one_version(named)?],
                _ if matches!(named, Named::Branch(_) | Named::Version(_) | Named::Checkout) => {
                    return Err(Failure::new(FailureCode::VersionNameNotAllowed));
                }
                Which::Selected(wanted) => {
                    vec![wanted.select(&wanted.bind(&meant.vob), &meant.vob, &element)?]
                }
                Which::Between(low, high) => {
                    let select =
                        |wanted: &Wanted| wanted.select(&wanted.bind(&meant.vob), &meant.vob, &element);
                    plan.between(&element, select(low)?, select(high)?)?
                }
            };
            plan.remove_versions(at, &element, &versions, request)
        }
        (RemoveWhat::Unspecified, _) => Err(Failure::internal("a call came without what it removes")),
    }
}

fn one_version(named: Named) -> Outcome<VersionNo> {
    match named {
        Named::Version(version) | Named::Shown(Shown::Version(version, _)) => Ok(version),
        Named::Checkout | Named::Shown(Shown::CheckedOut(_)) => {
            Err(Failure::new(FailureCode::VersionIsCheckedOut))
        }
        Named::Element | Named::Branch(_) | Named::Shown(Shown::Nothing(_) | Shown::Error(_)) => {
            Err(Failure::new(FailureCode::NoVersionSelected))
        }
    }
}
