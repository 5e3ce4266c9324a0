//! mv: a name goes and another comes, in one commit.

use super::edits::{Edits, NotCheckedOut};
use super::told;
use super::twins::{look_back, refuse_twin};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::service::slot::Slot;
use crate::server::state::{Outcome, Server};
use crate::vob::{ElementKind, ElementNo, Entry};

/// One name and where it goes.
struct Move {
    from: Slot,
    to: Slot,
    typed: Vec<u8>,
}

impl Server {
    pub(in super::super) fn move_names(
        &self,
        caller: &Caller,
        request: &MoveNamesRequest,
    ) -> Outcome<NamesReply> {
        let context = Server::context(&request.context)?;
        let destination = self.destination(context, &request.target, request.sources.len())?;
        let leaf =
            |source: &Pname| source.absolute.rsplit(|byte| *byte == b'/').next().unwrap_or(b"").to_vec();
        let typed: Vec<Vec<u8>> =
            request.sources.iter().map(|source| destination.typed(&leaf(source))).collect();
        let moves: Vec<Outcome<Move>> = request
            .sources
            .iter()
            .zip(&typed)
            .map(|(source, typed)| {
                let from = self.slot(context, source)?;
                let to = destination.slot(self, context, &from.leaf);
                let to = to.map_err(|failure| failure.name(typed.as_slice()))?;
                look_back(&to)?;
                Ok(Move { from, to, typed: typed.clone() })
            })
            .collect();
        let moved = self.edit_names(
            (caller, context, &request.comment),
            &moves,
            |one| &one.from,
            |edits, one| self.plan_move(caller, edits, one),
        );
        Ok(NamesReply {
            outcomes: moved.into_iter().zip(typed).map(|(done, typed)| told(done, typed)).collect(),
        })
    }

    fn plan_move(&self, caller: &Caller, edits: &mut Edits<'_>, one: &Move) -> Outcome<Vec<Notice>> {
        let Move { from, to, typed } = one;
        let about_target = |failure: Failure| match failure.name.is_empty() {
            true => failure.name(typed.as_slice()),
            false => failure,
        };
        let (source, entry) = edits.open_source(self, caller, from, NotCheckedOut::Refuse)?;
        if (to.vob.index, to.view.index) != (from.vob.index, from.view.index) {
            return Err(Failure::new(FailureCode::MoveAcrossVobs));
        }
        let target = edits.open(self, caller, to, NotCheckedOut::Refuse).map_err(about_target)?;
        edits.refuse_taken(target, to).map_err(about_target)?;
        if (from.is_directory_wanted || to.is_directory_wanted) && !edits.is_directory(entry)? {
            return Err(Failure::new(FailureCode::NotADirectory));
        }
        let kind = edits.kind(entry)?;
        let mut notices = Vec::new();
        if let Entry::Element(number) = entry {
            let element = edits.element(number)?;
            if element.kind == ElementKind::Directory && edits.is_inside(to.directory, number)? {
                return Err(Failure::new(FailureCode::DirectoryInItself));
            }
            let directory = edits.element(to.directory)?;
            let holder = (&*directory, &*edits.catalog(target)?);
            refuse_twin(edits.store, holder, &to.leaf, Some(number)).map_err(about_target)?;
            if element.checkouts.iter().any(|checkout| checkout.view != edits.view.uuid()) {
                let code = NoticeCode::MovedWithCheckouts.into();
                notices.push(Notice { code, name: typed.clone(), ..Notice::default() });
            }
        }
        let (old, new) = (String::from_utf8_lossy(&from.leaf), String::from_utf8_lossy(&to.leaf));
        let (left, came) = match source == target {
            true => (String::new(), format!("Renamed \"{old}\" to \"{new}\".")),
            false => (format!("Uncataloged {kind} \"{old}\"."), format!("Added {kind} \"{new}\".")),
        };
        debug_assert_ne!(to.directory, ElementNo::LOST_AND_FOUND);
        edits.change(source, &from.leaf, None, left)?;
        edits.change(target, &to.leaf, Some(entry), came)?;
        Ok(notices)
    }
}
