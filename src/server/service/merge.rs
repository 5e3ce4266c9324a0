//! Merges and comparisons: what versions are meant, their common ancestor, the names of directories, Merge arrows.
//!
//! Contents of files are compared and merged by the client, which reads them through the mount with the user's rights;
//! what only the VOB knows is answered here. `facts` says which versions are meant, `names` merges directories, `arrows`
//! draws hyperlinks, `listing` answers what directory versions catalog.

mod arrows;
mod facts;
mod listing;
mod names;

use crate::server::identity::Caller;
use crate::server::proto::{Failure, FailureCode, MergeReply, MergeRequest};
use crate::server::service::target::Target;
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::vob::{Checkout, Element, ElementKind, Operation, Transaction, VersionNo, VobState};
use std::sync::Arc;

/// A merge to a checkout, as it was asked for.
struct Merging<'a> {
    server: &'a Server,
    caller: &'a Caller,
    request: &'a MergeRequest,
    target: &'a Target,
    time_ns: i64,
}

impl Server {
    /// Merges the names of a directory to its checkout and draws arrows to a checkout, in one change.
    ///
    /// # Errors
    /// If the target is not checked out to the view, if the caller may not change it, or if a version is not there.
    pub(super) fn merge(&self, caller: &Caller, request: &MergeRequest) -> Outcome<MergeReply> {
        let context = Server::context(&request.context)?;
        let target = self.target(context, &request.target)?;
        let merging = Merging { server: self, caller, request, target: &target, time_ns: now_ns() };
        if request.plan {
            return Ok(merging.plan(&target.vob.vob)?.1);
        }
        let mut reply = MergeReply::default();
        let committed = self.commit(&target.vob, |store| {
            let (operations, planned) = merging.plan(store)?;
            reply = planned;
            if operations.is_empty() {
                return Err(Failure::new(FailureCode::NotDone));
            }
            let comment = String::from_utf8_lossy(&request.comment).into_owned();
            let user = self.user(caller, context);
            Ok(vec![Transaction { time_ns: merging.time_ns, user, comment, attributes: vec![], operations }])
        });
        match committed {
            Err(failure) if failure.code() != FailureCode::NotDone => Err(failure),
            _ => Ok(reply),
        }
    }
}

impl Merging<'_> {
    /// Plans what is done on what a VOB has now.
    fn plan(&self, store: &Vob) -> Outcome<(Vec<Operation>, MergeReply)> {
        let Merging { server, caller, request, target, .. } = *self;
        let element = read(store, &target.element)?;
        let own = self.permitted(&target.vob, &element)?;
        let state = store.state();
        let sources: Outcome<Vec<VersionNo>> =
            request.sources.iter().map(|id| version_with_id(&state, &element, id)).collect();
        let sources = sources?;
        let (mut operations, mut reply) =
            (Vec::new(), MergeReply { complete: true, ..MergeReply::default() });
        if request.names && element.kind == ElementKind::Directory {
            let base = version_with_id(&state, &element, &request.base)?;
            let merged = self.names(store, &element, &own, base, &sources)?;
            (operations, reply.names, reply.complete) = (merged.operations, merged.told, merged.complete);
            if request.abort && !reply.complete {
                return Ok((Vec::new(), reply));
            }
        }
        // Who selects what is applied has decided about the rest.
        if request.arrows && (reply.complete || request.selected) {
            let (drawn, arrows) =
                arrows::plan(server, caller, &target.vob, &state, &element, &own, &sources, request.replace)?;
            operations.extend(drawn);
            reply.arrows = arrows;
        }
        Ok((operations, reply))
    }

    /// Returns the view's checkout, if the caller may change it.
    fn permitted(&self, vob: &Arc<MountedVob>, element: &Element) -> Outcome<Checkout> {
        let Merging { server, caller, target, .. } = *self;
        let Some(own) = element.checkout_of(&target.view.uuid()) else {
            let view_storage = server.storage_of(&target.view);
            return Err(Failure { view_storage, ..Failure::new(FailureCode::NotCheckedOut) });
        };
        server.permit_element(caller, vob, element, "merge")?;
        server.permit_changes(caller, &target.view, "merge")?;
        server.refuse_locked(vob, element, Some(own.branch), caller, "merge")?;
        Ok(own.clone())
    }
}

/// Reads an element as a VOB has it now.
fn read(store: &Vob, element: &Element) -> Outcome<Arc<Element>> {
    store.element(element.number)?.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))
}

/// Finds the version that is printed so: `/main/fix/3`.
fn version_with_id(state: &VobState, element: &Element, id: &[u8]) -> Outcome<VersionNo> {
    let missing = || Failure::new(FailureCode::VersionNotFound).name(id);
    let slash = id.iter().rposition(|byte| *byte == b'/').ok_or_else(missing)?;
    let number = std::str::from_utf8(&id[slash + 1..]).ok().and_then(|number| number.parse().ok());
    let branch = super::facts::find_branch(state, element, &id[..slash])?;
    number.and_then(|number| element.version_at(branch, number)).ok_or_else(missing)
}
