//! rmname: a name goes, the element stays.

use super::edits::{Edits, NotCheckedOut, Opened};
use super::references::{is_reachable, lost};
use super::told;
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::service::slot::Slot;
use crate::server::state::{Outcome, Server};
use crate::view::ViewStorage;
use crate::view::resolve::is_shown;
use crate::vob::{ElementKind, ElementNo, Entry, NameChange};
use std::sync::Arc;

/// What was planned for one name.
struct Removed {
    notices: Vec<Notice>,
    element: Option<ElementNo>,
}

impl Server {
    pub(in super::super) fn remove_names(
        &self,
        caller: &Caller,
        request: &RemoveNamesRequest,
    ) -> Outcome<NamesReply> {
        let context = Server::context(&request.context)?;
        let slots: Vec<Outcome<Slot>> =
            request.pnames.iter().map(|pname| self.slot(context, pname)).collect();
        let removed = self.edit_names(
            (caller, context, &request.comment),
            &slots,
            |slot| slot,
            |edits, slot| self.plan_removal(caller, edits, slot, request),
        );
        let finish = |(removed, slot): (Outcome<Removed>, &Outcome<Slot>)| {
            let removed = removed.and_then(|removed| {
                if let (Some(number), Ok(slot)) = (removed.element, slot) {
                    self.leave_private_copy(slot, number)?;
                }
                Ok(removed.notices)
            });
            told(removed, Vec::new())
        };
        Ok(NamesReply { outcomes: removed.into_iter().zip(&slots).map(finish).collect() })
    }

    fn plan_removal(
        &self,
        caller: &Caller,
        edits: &mut Edits<'_>,
        slot: &Slot,
        request: &RemoveNamesRequest,
    ) -> Outcome<Removed> {
        let otherwise = if request.in_place { NotCheckedOut::InPlace } else { NotCheckedOut::Refuse };
        let (opened, entry) = edits.open_source(self, caller, slot, otherwise)?;
        let note = format!("Uncataloged {} \"{}\".", edits.kind(entry)?, String::from_utf8_lossy(&slot.leaf));
        if slot.is_directory_wanted && !edits.is_directory(entry)? {
            return Err(Failure::new(FailureCode::NotADirectory));
        }
        let Entry::Element(number) = entry else {
            edits.change(opened, &slot.leaf, None, note)?;
            return Ok(Removed { notices: Vec::new(), element: None });
        };
        let element = edits.element(number)?;
        if !element.checkouts.is_empty() && !request.force {
            return Err(Failure::new(FailureCode::HasCheckouts));
        }
        let mut after = (*edits.catalog(opened)?).clone();
        after.apply(&[NameChange { name: slot.leaf.as_slice().into(), entry: None }]);
        let after = Arc::new(after);
        let instead = |directory, at| {
            let place = Opened { directory, at };
            if place == opened { Some(Arc::clone(&after)) } else { edits.planned(place) }
        };
        let kept = is_reachable(edits.store, edits.store, &element, &instead, edits.lost())?;
        if kept {
            edits.change(opened, &slot.leaf, None, note)?;
            return Ok(Removed { notices: Vec::new(), element: Some(number) });
        }
        if slot.directory == ElementNo::LOST_AND_FOUND {
            return Err(Failure::new(FailureCode::LastName));
        }
        let (name, notice) = lost(&element, &slot.leaf);
        edits.change(opened, &slot.leaf, None, note)?;
        edits.lose(number, &name)?;
        Ok(Removed { notices: vec![notice], element: Some(number) })
    }

    /// Where the view shows a checked-out file by no name any more, the data that it had at the
    /// name stays there as a view-private file. The checkout keeps its own.
    fn leave_private_copy(&self, slot: &Slot, number: ElementNo) -> Outcome<()> {
        let element = slot.vob.element(number)?;
        if element.kind == ElementKind::Directory || element.checkout_of(&slot.view.uuid()).is_none() {
            return Ok(());
        }
        if is_shown(&slot.view, &slot.vob, &element)? {
            return Ok(());
        }
        let data = slot.view.storage.dir().join(ViewStorage::checkout(&element.oid));
        if data.symlink_metadata().is_err() {
            return Ok(());
        }
        let state = slot.view.directory(&slot.vob, slot.directory)?;
        super::super::private_copy::copy_private(&slot.view, &state, &data, &slot.leaf)?;
        self.host.private_changed(&slot.view, &slot.vob, slot.directory, &[&slot.leaf]);
        Ok(())
    }
}
