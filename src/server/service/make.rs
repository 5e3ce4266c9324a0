//! mkelem and mkdir: names come under version control.
//!
//! The arguments of one VOB are planned twice: once while others may commit, to learn which files' data a checkin
//! wants, and once within the commit. `plan` is what one argument comes to, `files` what becomes of private files.

mod files;
mod plan;

use super::file_data::{Data, FileToLoad, Loader, Stamp, Wanted};
use super::names;
use super::together::{Outcomes, by_vob, not_committed};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::MountedVob;
use crate::view::live::View;
use crate::vob::state::predefined;
use crate::vob::{Draft, TypeKind, TypeNo, User, VobState};
use files::Files;
use plan::{Load, Made, Planner};
use std::collections::HashMap;
use std::sync::Arc;

/// What all arguments of a command share.
struct Make<'a> {
    server: &'a Server,
    caller: &'a Caller,
    context: &'a Context,
    after: AfterMake,
    preserve_time: bool,
    make_path: bool,
    use_group_list: bool,
    user: User,
    time_ns: i64,
}

/// An argument: a name in a view of a VOB.
struct Asked<'a> {
    view: Arc<View>,
    vob: Arc<MountedVob>,
    /// Its path inside the VOB.
    rest: &'a [u8],
    pname: &'a Pname,
    comment: &'a [u8],
    /// The element type that was named, else nothing.
    element_type: &'a [u8],
    /// The element types that the magic files name, the best one first.
    candidates: &'a [Vec<u8>],
}

/// The data of a file that is to be checked in at once.
type Loaded = Outcome<(Data, Stamp)>;

impl Server {
    pub(super) fn make_elements(
        &self,
        caller: &Caller,
        request: &MakeElementRequest,
    ) -> Outcome<MakeElementReply> {
        let context = Server::context(&request.context)?;
        let make = Make {
            server: self,
            caller,
            context,
            after: request.after(),
            preserve_time: request.preserve_time,
            make_path: request.make_path,
            use_group_list: request.use_group_list,
            user: self.user(caller, context),
            time_ns: now_ns(),
        };
        Ok(MakeElementReply { outcomes: make.all(&request.arguments, &request.element_type) })
    }

    pub(super) fn make_directories(
        &self,
        caller: &Caller,
        request: &MakeDirectoryRequest,
    ) -> Outcome<MakeElementReply> {
        let context = Server::context(&request.context)?;
        let make = Make {
            server: self,
            caller,
            context,
            after: request.after(),
            preserve_time: false,
            make_path: false,
            use_group_list: request.use_group_list,
            user: self.user(caller, context),
            time_ns: now_ns(),
        };
        Ok(MakeElementReply { outcomes: make.all(&request.arguments, b"directory") })
    }
}

impl Asked<'_> {
    /// Chooses the element type.
    fn element_type(&self, state: &VobState) -> Outcome<(TypeNo, String)> {
        let find = |name: &[u8]| {
            let name = std::str::from_utf8(name).ok()?;
            let found = state.type_named(TypeKind::Element, name)?;
            Some((found.number, found.name.clone()))
        };
        if !self.element_type.is_empty() {
            let found = find(self.element_type).ok_or_else(|| Failure {
                object_kind: ObjectKind::ElementType.into(),
                ..Failure::new(FailureCode::TypeNotFound).name(self.element_type)
            })?;
            return match predefined::is_abstract(found.0) {
                true => Err(Failure::new(FailureCode::AbstractType).name(self.element_type)),
                false => Ok(found),
            };
        }
        let none = || Failure::new(FailureCode::NoElementType).name(self.candidates.join(&b' '));
        self.candidates.iter().find_map(|name| find(name)).ok_or_else(none)
    }
}

impl Make<'_> {
    /// Makes what is not refused: all of a VOB's in one commit.
    fn all<'a>(
        &self,
        arguments: &'a [MakeElementArgument],
        element_type: &'a [u8],
    ) -> Vec<MakeElementOutcome> {
        let asked: Vec<Outcome<Asked<'a>>> =
            arguments.iter().map(|argument| self.asked(argument, element_type)).collect();
        let mut outcomes: Outcomes<MadeElement> = asked.iter().map(|_| None).collect();
        let mut directories: Vec<Vec<MadeDirectory>> = asked.iter().map(|_| Vec::new()).collect();
        for (vob, here) in by_vob(&asked, |asked| &asked.vob) {
            let here: Vec<(usize, &Asked<'_>)> =
                here.into_iter().filter_map(|at| Some((at, asked[at].as_ref().ok()?))).collect();
            self.in_vob(&vob, &here, &mut outcomes, &mut directories);
        }
        let answer =
            |((asked, outcome), made_directories): ((Outcome<Asked<'a>>, _), _)| MakeElementOutcome {
                outcome: Some(match (asked, outcome) {
                    (Err(failure), _) | (Ok(_), Some(Err(failure))) => {
                        make_element_outcome::Outcome::Failure(failure)
                    }
                    (Ok(_), Some(Ok(done))) => make_element_outcome::Outcome::Done(done),
                    (Ok(_), None) => make_element_outcome::Outcome::Failure(Failure::internal(
                        "an argument was not looked at",
                    )),
                }),
                made_directories,
            };
        asked.into_iter().zip(outcomes).zip(directories).map(answer).collect()
    }

    fn asked<'a>(&self, argument: &'a MakeElementArgument, element_type: &'a [u8]) -> Outcome<Asked<'a>> {
        let pname =
            argument.pname.as_ref().ok_or_else(|| Failure::internal("an argument came without its name"))?;
        let (view, path) = self.server.place(self.context, pname)?;
        let (vob, rest) =
            self.server.host.vob_of(path).ok_or_else(|| Failure::new(FailureCode::NotInAVob))?;
        let (comment, candidates) = (&argument.comment, &argument.element_types);
        Ok(Asked { view, vob, rest, pname, comment, element_type, candidates })
    }

    fn in_vob(
        &self,
        vob: &Arc<MountedVob>,
        here: &[(usize, &Asked<'_>)],
        outcomes: &mut Outcomes<MadeElement>,
        directories: &mut [Vec<MadeDirectory>],
    ) {
        let committed = names::detects_twins(&vob.vob).and_then(|twins| {
            let loaded = self.load(vob, here, twins)?;
            let mut files = None;
            let committed = self.server.commit_draft(vob, |store, draft| {
                let mut planner = Planner::new(self, store, draft, twins);
                for (at, asked) in here {
                    let planned = planner.argument(*at, asked, loaded.get(at));
                    directories[*at] = planned.made_directories;
                    outcomes[*at] = Some(planned.outcome.map(|made| made.told));
                }
                files = Some(planner.finish()?);
                Ok(())
            });
            match (&committed, files) {
                (Ok(()), Some(files)) => files.finish(self, vob, outcomes),
                (_, files) => files.into_iter().for_each(Files::take_back),
            }
            committed
        });
        if let Err(failure) = committed {
            let here: Vec<usize> = here.iter().map(|(at, _)| *at).collect();
            not_committed(outcomes, &here, &failure);
        }
    }

    /// Brings the data that is to be checked in into the pools, of all arguments that may be done as far as can be told
    /// while others may commit.
    fn load(
        &self,
        vob: &Arc<MountedVob>,
        here: &[(usize, &Asked<'_>)],
        twins: bool,
    ) -> Outcome<HashMap<usize, Loaded>> {
        let mut scratch = Draft::new(&*vob.vob);
        let mut planner = Planner::scratch(self, &vob.vob, &mut scratch, twins);
        let mut wanted = Vec::new();
        for (at, asked) in here {
            if let Ok(Made { load: Some(load), .. }) = planner.argument(*at, asked, None).outcome {
                wanted.push((*at, load));
            }
        }
        let loader = Loader::new(vob, wanted.len());
        let load = |(at, Load { path, manager }): (usize, Load)| {
            let (reader, predecessor) = (None, None);
            let file = FileToLoad { path: &path, reader, predecessor, manager: &manager };
            (at, loader.load(&file, |_| Ok(Wanted::Stored)))
        };
        let loaded = wanted.into_iter().map(load).collect();
        loader.finish()?;
        Ok(loaded)
    }
}

#[cfg(test)]
#[path = "make_tests.rs"]
mod tests;
