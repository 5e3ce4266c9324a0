//! `DirectoryNames`: what directory versions catalog, for comparisons.

use crate::server::identity::Caller;
use crate::server::proto::directory_names_outcome::Outcome as Answer;
use crate::server::proto::{
    Context, DirectoryName, DirectoryNames, DirectoryNamesOutcome, DirectoryNamesReply,
    DirectoryNamesRequest, Failure, FailureCode, ObjectKind, Pname,
};
use crate::server::service::facts::{self, told};
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::resolve::{checkout_id, version_id};
use crate::view::{Found, MountedVob};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Element, ElementKind, Entry, VersionNo};
use std::sync::Arc;

/// A directory version or checkout.
type Catalogued = (Arc<MountedVob>, Arc<Element>, DirectoryAt);

impl Server {
    /// Answers the names that directories catalog.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are outcomes.
    pub(in crate::server::service) fn directory_names(
        &self,
        _caller: &Caller,
        request: &DirectoryNamesRequest,
    ) -> Outcome<DirectoryNamesReply> {
        let context = Server::context(&request.context)?;
        let mut outcomes: Vec<Outcome<DirectoryNames>> = Vec::new();
        for (at, pname) in request.pnames.iter().enumerate() {
            let found = self.catalogued(context, pname);
            if at == 0 && request.predecessor {
                let before = found.as_ref().map_err(Clone::clone).and_then(before);
                outcomes.push(before.and_then(|before| names(&before)));
            }
            outcomes.push(found.and_then(|found| names(&found)));
        }
        let outcome = |outcome: Outcome<DirectoryNames>| DirectoryNamesOutcome {
            outcome: Some(match outcome {
                Ok(done) => Answer::Done(done),
                Err(failure) => Answer::Failure(failure),
            }),
        };
        Ok(DirectoryNamesReply { outcomes: outcomes.into_iter().map(outcome).collect() })
    }

    fn catalogued(&self, context: &Context, pname: &Pname) -> Outcome<Catalogued> {
        let (view, resolved) = self.resolve(context, pname)?;
        let vob = resolved.vob;
        let number = match resolved.found {
            Found::Element { element, .. } if element.kind == ElementKind::Directory => element.number,
            Found::History(Place::Directory(number, at)) => {
                return Ok((Arc::clone(&vob), vob.element(number)?, at));
            }
            Found::History(Place::Element(number)) if vob.element(number)?.kind == ElementKind::Directory => {
                number
            }
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Element { .. } | Found::Symlink(_) | Found::History(_) => {
                return Err(Failure::new(FailureCode::NotADirectory));
            }
        };
        let state = view.directory(&vob, number)?;
        let at = state.at.ok_or_else(|| Failure::new(FailureCode::NoVersionSelected))?;
        Ok((vob, Arc::clone(&state.element), at))
    }
}

/// Finds what a directory version was made from, or checked out from.
fn before((vob, element, at): &Catalogued) -> Outcome<Catalogued> {
    let version = match at {
        DirectoryAt::Version(version) => element.version(*version).predecessor,
        DirectoryAt::CheckedOut(number) => {
            element.checkouts.iter().find(|held| held.number == *number).map(|held| held.from)
        }
    };
    let none = || Failure::new(FailureCode::NoPredecessor);
    let version = version.filter(|version| element.has_version(*version)).ok_or_else(none)?;
    Ok((Arc::clone(vob), Arc::clone(element), DirectoryAt::Version(version)))
}

fn names((vob, element, at): &Catalogued) -> Outcome<DirectoryNames> {
    let (store, state) = (&vob.vob, vob.vob.state());
    let catalog = store.directory(element.number, *at)?;
    let version = match at {
        DirectoryAt::Version(version) => version_id(&state, element, *version),
        DirectoryAt::CheckedOut(number) => {
            let held = element.checkouts.iter().find(|held| held.number == *number);
            held.map(|held| checkout_id(&state, element, held)).unwrap_or_default()
        }
    };
    let row = |(name, entry): (&[u8], Entry)| -> Outcome<DirectoryName> {
        let name = name.to_vec();
        Ok(match entry {
            Entry::Element(number) => {
                let child = vob.element(number)?;
                DirectoryName {
                    name,
                    kind: facts::kinds(&child).0.into(),
                    oid: child.oid.to_string(),
                    created: Some(told(store, child.event)?.created()),
                    ..DirectoryName::default()
                }
            }
            Entry::Symlink(number) => {
                let link = store.symlink(number)?;
                DirectoryName {
                    name,
                    kind: ObjectKind::SymbolicLink.into(),
                    oid: link.oid.to_string(),
                    link_target: link.target.to_vec(),
                    ..DirectoryName::default()
                }
            }
        })
    };
    let names: Outcome<Vec<DirectoryName>> = catalog.iter().map(row).collect();
    Ok(DirectoryNames { version: version.into_bytes(), names: names? })
}

/// The predecessor of a version, where there is one.
pub(super) fn predecessor(element: &Element, version: VersionNo) -> Option<VersionNo> {
    element.find_version(version)?.predecessor.filter(|before| element.has_version(*before))
}
