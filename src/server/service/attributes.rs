//! mkattr and rmattr: facts first, then one change of each VOB with all that is allowed.
//!
//! What the arguments mean is found in the view before the commit; whether an object may get or lose the
//! attribute is decided during it, against the records that it changes.

mod plan;

use super::describe::not_found;
use super::meant::{Finder, Meant, Search};
use super::version_selector::Wanted;
use crate::server::identity::Caller;
use crate::server::proto::attribute_item::Item;
use crate::server::proto::target::Target as Named;
use crate::server::proto::{
    AttributeDone, AttributeFailure, AttributeItem, AttributeRequest, Context, Failure, FailureCode,
    ObjectKind,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::MountedVob;
use crate::vob::{ElementNo, Transaction, VobObject};
use plan::Plan;
use std::sync::Arc;

/// What a name means.
#[derive(Copy, Clone, Debug)]
enum What {
    /// A part of an element, by a path.
    Path(ElementNo, Meant),
    /// An object that a selector named.
    Object(VobObject),
}

/// A name, what it means, and what became of it.
struct Piece {
    argument: u32,
    /// Below the argument.
    path: Vec<u8>,
    /// Found by -recurse.
    recursed: bool,
    /// By its place among those of the call.
    vob: usize,
    what: Outcome<What>,
    /// None where nothing is to be told.
    result: Option<Item>,
}

impl Server {
    /// Attaches or removes an attribute, and sends what became of every name.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of names are items.
    pub(super) fn attribute(
        &self,
        caller: &Caller,
        request: &AttributeRequest,
        send: &mut dyn FnMut(AttributeItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let wanted = self.wanted_version(caller, &request.version)?;
        let (vobs, mut pieces) = self.pieces(context, request);
        for (place, vob) in vobs.iter().enumerate() {
            self.attribute_in(caller, context, request, wanted.as_ref(), (place, vob), &mut pieces);
        }
        for Piece { argument, path, what, result, .. } in pieces {
            let item = match (what, result) {
                (Err(failure), _) => Item::Failure(AttributeFailure {
                    failure: Some(failure),
                    ..AttributeFailure { argument, path, ..AttributeFailure::default() }
                }),
                (Ok(_), Some(Item::Done(done))) => Item::Done(AttributeDone { argument, path, ..done }),
                (Ok(_), Some(Item::Failure(failed))) => {
                    Item::Failure(AttributeFailure { argument, path, ..failed })
                }
                (Ok(_), None) => continue,
            };
            if !send(AttributeItem { item: Some(item) }) {
                break;
            }
        }
        Ok(())
    }

    /// Finds what the arguments mean: the VOBs, and the names in the order of the arguments.
    fn pieces(&self, context: &Context, request: &AttributeRequest) -> (Vec<Arc<MountedVob>>, Vec<Piece>) {
        let any_version = !request.version.is_empty();
        let search = Search { recurse: request.recurse, follow: false, any_version };
        let mut finder: Finder<()> = Finder::new(self, context, search);
        let mut pieces = Vec::new();
        let piece = |argument, vob, what| Piece {
            argument,
            path: Vec::new(),
            recursed: false,
            vob,
            what,
            result: None,
        };
        for (argument, target) in (0..).zip(&request.targets) {
            match &target.target {
                Some(Named::Pname(pname)) => finder.argument(argument, pname),
                Some(Named::Selector(_)) => match self.attachable(context, target) {
                    Ok((vob, object)) => {
                        pieces.push(piece(argument, finder.place_of(&vob), Ok(What::Object(object))));
                    }
                    Err(failure) => pieces.push(piece(argument, 0, Err(failure))),
                },
                None => {
                    let failure = Failure::internal("a call came without its object");
                    pieces.push(piece(argument, 0, Err(failure)));
                }
            }
        }
        let (vobs, slots) = finder.finish();
        for slot in slots {
            let (vob, number) = slot.at.unwrap_or((0, ElementNo::ROOT));
            let what = slot.meant.map(|meant| What::Path(number, meant));
            let (path, recursed) = (slot.path, slot.recursed);
            pieces.push(Piece { path, recursed, ..piece(slot.argument, vob, what) });
        }
        pieces.sort_by_key(|piece| piece.argument);
        (vobs, pieces)
    }

    /// Does what is to be done in one VOB.
    fn attribute_in(
        &self,
        caller: &Caller,
        context: &Context,
        request: &AttributeRequest,
        wanted: Option<&Wanted>,
        (place, vob): (usize, &Arc<MountedVob>),
        pieces: &mut [Piece],
    ) {
        let here = |piece: &&mut Piece| piece.what.is_ok() && piece.vob == place;
        let selector = request.attribute.clone().unwrap_or_default();
        let typed_vob = selector.vob.as_ref().is_some_and(|vob| !vob.typed.is_empty());
        let of_this_vob = match typed_vob {
            true => self.vob_of_selector(context, Some(&selector)).map(|of| of.index == vob.index),
            false => Ok(true),
        };
        let user = self.user(caller, context);
        let committed = self.commit(vob, |store| {
            if !of_this_vob? {
                return Err(not_found(ObjectKind::AttributeType, &String::from_utf8_lossy(&selector.name)));
            }
            let attribute = super::types::selected_type(&store.state(), &selector)?;
            let mut plan = Plan::new(self, caller, vob, &attribute, request, wanted)?;
            for piece in pieces.iter_mut().filter(here) {
                if let Ok(what) = &piece.what {
                    piece.result = plan.name(*what, piece.recursed)?;
                }
            }
            let operations = plan.finish();
            if operations.is_empty() {
                return Err(super::types::nothing_left());
            }
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user,
                comment: String::from_utf8_lossy(&request.comment).into_owned(),
                attributes: vec![],
                operations,
            }])
        });
        let Err(failure) = committed else { return };
        if failure.code() == FailureCode::NotDone {
            return;
        }
        // Nothing was done: told of every argument, not of all that is below it.
        for piece in pieces.iter_mut().filter(here) {
            let refused = |failure: &Failure| {
                let failure = Some(failure.clone());
                Item::Failure(AttributeFailure { failure, ..AttributeFailure::default() })
            };
            piece.result = (!piece.recursed).then(|| refused(&failure));
        }
    }
}
