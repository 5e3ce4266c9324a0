//! `Explain`: why a view shows what it shows at a path, or shows nothing.
//!
//! The view's room follows the path; here its findings become messages, with the names of types and versions in
//! place of numbers.

mod forecast;
mod trail;

use super::facts::{self, Names};
use crate::server::identity::Caller;
use crate::server::proto::explain_item::Item;
use crate::server::proto::explained_name::Object;
use crate::server::proto::explanation::Finding as Told;
use crate::server::proto::{
    Context, ElementState, ExplainItem, ExplainRequest, ExplainedAbsence, ExplainedElement, ExplainedHistory,
    ExplainedName, ExplainedPrivate, ExplainedSighting, ExplainedSymlink, ExplainedUnmounted, Explanation,
    Failure, FailureCode, FollowedLink, ObjectKind, Pname, PrivateKind,
};
use crate::server::state::{Outcome, Server};
use crate::view::explain::{Catalogued, Choice, Explanation as Found, Finding, Search, Sighting, Verdict};
use crate::view::history::Place;
use crate::view::resolve::{NotFound, branch_id, checkout_id, version_id};
use crate::view::{Found as Resolved, Shown, View};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Element, ElementKind, ElementNo, Entry, VobState};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

impl Server {
    /// Sends an explanation, or a failure, for every path; `send` answers whether there is still somebody to send
    /// to.
    ///
    /// # Errors
    /// If the call as a whole is refused.
    pub fn explain(
        &self,
        caller: &Caller,
        request: &ExplainRequest,
        send: &mut dyn FnMut(ExplainItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        for pname in &request.pnames {
            let item = match self.explain_one(caller, context, pname) {
                Ok(explanation) => Item::Explanation(explanation),
                Err(failure) => Item::Failure(failure),
            };
            if !send(ExplainItem { item: Some(item) }) {
                break;
            }
        }
        Ok(())
    }

    fn explain_one(&self, caller: &Caller, context: &Context, pname: &Pname) -> Outcome<Explanation> {
        let (view, inside) = self.place(context, pname)?;
        let found = match self.host.explain(&view, inside) {
            Err(NotFound::NotInVob) => {
                return self.unmounted(&view, inside).ok_or_else(|| Failure::new(FailureCode::NotInAVob));
            }
            found => found?,
        };
        let teller =
            Teller { server: self, caller, view: &view, state: found.vob.vob.state(), found: &found };
        let finding = match &found.finding {
            Finding::Catalogued(catalogued) => Told::Name(teller.name(catalogued)?),
            Finding::Private { path, stat, hides } => {
                facts::permit_private(&view, path, caller, 0)?;
                let hides = hides.as_ref().map(|hidden| teller.name(hidden)).transpose()?;
                Told::Private(ExplainedPrivate { hides, ..private(path, stat) })
            }
            Finding::History(place) => Told::History(teller.history(*place)?),
            Finding::Absent { directory, search } => Told::Absence(teller.absence(directory, search)?),
        };
        Ok(Explanation {
            view_tag: view.tag.clone(),
            vob_tag: found.vob.tag.clone().into_bytes(),
            path: found.path.clone(),
            below: found.below.clone(),
            links: found
                .links
                .iter()
                .map(|(path, target)| FollowedLink { path: path.clone(), target: target.clone() })
                .collect(),
            finding: Some(finding),
        })
    }

    /// The explanation of a path in a VOB that is registered but not mounted.
    fn unmounted(&self, view: &View, inside: &[u8]) -> Option<Explanation> {
        let entries = self.registry.entries();
        let holds = |tag: &&[u8]| {
            inside.strip_prefix(*tag).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let tag = entries.vobs.keys().map(|tag| tag.bytes()).filter(holds).max_by_key(|tag| tag.len())?;
        Some(Explanation {
            view_tag: view.tag.clone(),
            vob_tag: tag.to_vec(),
            path: tag.to_vec(),
            below: inside[tag.len()..].to_vec(),
            links: Vec::new(),
            finding: Some(Told::Unmounted(ExplainedUnmounted {})),
        })
    }
}

/// What is told of one finding.
struct Teller<'a> {
    server: &'a Server,
    caller: &'a Caller,
    view: &'a Arc<View>,
    state: VobState,
    found: &'a Found,
}

impl Teller<'_> {
    fn name(&self, catalogued: &Catalogued) -> Outcome<ExplainedName> {
        match catalogued {
            Catalogued::Element(choice) => self.element(choice),
            Catalogued::Symlink { number, rule, misses } => {
                let target = self.found.vob.vob.symlink(*number)?.target.to_vec();
                let trail = trail::trail(&self.found.bound, &self.state, *rule, misses);
                let object = Some(Object::Symlink(ExplainedSymlink { target }));
                Ok(ExplainedName { object, trail: Some(trail) })
            }
        }
    }

    fn element(&self, choice: &Choice) -> Outcome<ExplainedName> {
        let element = &*choice.element;
        let (mut version, mut candidates) = (Vec::new(), Vec::new());
        let state = match &choice.verdict {
            Verdict::Version(number) => {
                version = self.version(element, *number);
                ElementState::Version
            }
            Verdict::CheckedOut if choice.has_data => ElementState::CheckedOut,
            Verdict::CheckedOut => ElementState::CheckedOutButRemoved,
            Verdict::Nothing => ElementState::NotSelected,
            Verdict::ErrorRule => ElementState::Error,
            Verdict::Ambiguous { candidates: found } => {
                candidates = found.iter().map(|number| self.version(element, *number)).collect();
                ElementState::Ambiguous
            }
        };
        let own = element.checkout_of(&self.view.uuid());
        let checkout = own.map(|own| checkout_id(&self.state, element, own).into_bytes());
        let told = ExplainedElement {
            state: state.into(),
            directory: element.kind == ElementKind::Directory,
            element_type: self.state.type_name(element.element_type).into(),
            oid: element.oid.to_string(),
            version,
            checkout: checkout.unwrap_or_default(),
            checked_out_from: own.map(|own| self.version(element, own.from)).unwrap_or_default(),
            candidates,
            forecast: Some(self.forecast(choice)?),
        };
        let trail = trail::trail(&self.found.bound, &self.state, choice.rule, &choice.misses);
        Ok(ExplainedName { object: Some(Object::Element(told)), trail: Some(trail) })
    }

    fn history(&self, place: Place) -> Outcome<ExplainedHistory> {
        let vob = &self.found.vob;
        let (number, extension) = match place {
            Place::Symlink(number) => {
                let oid = vob.vob.symlink(number)?.oid.to_string();
                let kind = ObjectKind::SymbolicLink.into();
                return Ok(ExplainedHistory { kind, extension: Vec::new(), oid });
            }
            Place::Element(number) => (number, None),
            Place::Branch(number, branch) => {
                let element = vob.element(number)?;
                let extension = branch_id(&self.state, &element, branch).into_bytes();
                let (kind, oid) = (ObjectKind::Branch.into(), element.oid.to_string());
                return Ok(ExplainedHistory { kind, extension, oid });
            }
            Place::Directory(number, at) => (number, Some(at)),
            Place::Version(number, version) => (number, Some(DirectoryAt::Version(version))),
            Place::OtherCheckout(number, checkout) => (number, Some(DirectoryAt::CheckedOut(checkout))),
            Place::OwnCheckout(number) => {
                let own = vob.element(number)?.checkout_of(&self.view.uuid()).map(|own| own.number);
                (number, own.map(DirectoryAt::CheckedOut))
            }
        };
        let element = vob.element(number)?;
        let (of_element, of_version) = facts::kinds(&element);
        Ok(ExplainedHistory {
            kind: if extension.is_some() { of_version } else { of_element }.into(),
            extension: extension.map(|at| self.directory_version(&element, at).0).unwrap_or_default(),
            oid: element.oid.to_string(),
        })
    }

    fn absence(&self, directory: &Choice, search: &Search) -> Outcome<ExplainedAbsence> {
        let sightings = search.sightings.iter().map(|sighting| self.sighting(&directory.element, sighting));
        Ok(ExplainedAbsence {
            directory: Some(self.element(directory)?),
            sightings: sightings.collect::<Outcome<_>>()?,
            versions_read: u32::try_from(search.versions_read).unwrap_or(u32::MAX),
            search_cut: !search.complete,
        })
    }

    fn sighting(&self, directory: &Element, sighting: &Sighting) -> Outcome<ExplainedSighting> {
        let vob = &self.found.vob;
        let version = |number: Option<_>| number.map(|n| self.version(directory, n)).unwrap_or_default();
        let (directory_version, view_tag) = self.directory_version(directory, sighting.at);
        let told = ExplainedSighting {
            directory_version,
            view_tag,
            removed_in: version(sighting.removed_in),
            added_in: version(sighting.added_in),
            ..ExplainedSighting::default()
        };
        Ok(match sighting.entry {
            Entry::Symlink(number) => {
                let link = vob.vob.symlink(number)?;
                ExplainedSighting {
                    kind: ObjectKind::SymbolicLink.into(),
                    oid: link.oid.to_string(),
                    link_target: link.target.to_vec(),
                    ..told
                }
            }
            Entry::Element(number) => {
                let element = vob.element(number)?;
                ExplainedSighting {
                    kind: facts::kinds(&element).0.into(),
                    oid: element.oid.to_string(),
                    shown_as: self.shown_as(&element)?.unwrap_or_default(),
                    ..told
                }
            }
        })
    }

    /// The path by which the view shows an element, if it shows it.
    fn shown_as(&self, element: &Element) -> Outcome<Option<Vec<u8>>> {
        let path = Names::new(Some(self.view), &self.found.vob, b"").path(element)?;
        match self.server.host.resolve(self.view, &path) {
            Ok(resolved) => Ok(shows(&resolved.found, element.number).then_some(path)),
            Err(NotFound::NoSuchName | NotFound::NotADirectory | NotFound::NotInVob) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A directory version or checkout as it is written, and a checkout's view.
    fn directory_version(&self, element: &Element, at: DirectoryAt) -> (Vec<u8>, String) {
        match at {
            DirectoryAt::Version(number) => (self.version(element, number), String::new()),
            DirectoryAt::CheckedOut(number) => {
                let views = self.server.host.views();
                let held = element.checkouts.iter().find(|held| held.number == number);
                held.map_or_else(Default::default, |held| {
                    let id = checkout_id(&self.state, element, held).into_bytes();
                    (id, facts::view_tag(&views, held))
                })
            }
        }
    }

    fn version(&self, element: &Element, number: crate::vob::VersionNo) -> Vec<u8> {
        version_id(&self.state, element, number).into_bytes()
    }
}

fn shows(found: &Resolved, number: ElementNo) -> bool {
    match found {
        Resolved::Element { element, shown, has_data, .. } => {
            let is_shown = match shown {
                Shown::Version(..) => true,
                Shown::CheckedOut(_) => *has_data,
                Shown::Nothing(_) | Shown::Error(_) => false,
            };
            element.number == number && is_shown
        }
        _ => false,
    }
}

fn private(path: &Path, stat: &rustix::fs::Stat) -> ExplainedPrivate {
    let kind = match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG => PrivateKind::File,
        libc::S_IFDIR => PrivateKind::Directory,
        libc::S_IFLNK => PrivateKind::SymbolicLink,
        _ => PrivateKind::Other,
    };
    // It may be gone, or another, by now: then it is told without a target.
    let target = (kind == PrivateKind::SymbolicLink).then(|| std::fs::read_link(path).ok()).flatten();
    let link_target = target.map(|target| target.as_os_str().as_bytes().to_vec()).unwrap_or_default();
    ExplainedPrivate { kind: kind.into(), link_target, hides: None }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
