//! `MergeFacts`: which versions a comparison or a merge is about, and their closest common ancestor.

use super::listing::predecessor;
use crate::merge::base::{closest_common, descends};
use crate::server::identity::Caller;
use crate::server::proto::merge_facts_outcome::Outcome as Answer;
use crate::server::proto::version_source::Source as Asked;
use crate::server::proto::{
    Context, Failure, FailureCode, MergeEnd, MergeFacts, MergeFactsOutcome, MergeFactsReply,
    MergeFactsRequest, MergeType, ObjectKind, Pname, VersionSource,
};
use crate::server::service::target::{Target, shown_name};
use crate::server::service::version_selector::Wanted;
use crate::server::state::{Outcome, Server};
use crate::view::inode::VobIndex;
use crate::view::live::{Shown, VersionSelector};
use crate::view::resolve::{checkout_id, path_of, version_id};
use crate::view::{MountedVob, View};
use crate::vob::apply::DirectoryAt;
use crate::vob::definition::MergeType as Merging;
use crate::vob::{BranchNo, Element, ElementKind, VersionNo, VobObject, VobState};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// What a command means by one of its sources, as far as it is the same for all targets.
enum Source<'a> {
    Pname(&'a Pname),
    Selector(Box<(Wanted, RefCell<HashMap<VobIndex, VersionSelector>>)>),
    View(Arc<View>),
    Newest,
    Predecessor,
}

/// What a source comes to for one target.
enum Found {
    Object(VobObject),
    /// A file that is no version of the target's element.
    Other,
}

impl Server {
    /// Answers what is known of the versions of each target.
    ///
    /// # Errors
    /// If a selector cannot be understood or a view is not there; failures of targets are outcomes.
    pub(in crate::server::service) fn merge_facts(
        &self,
        caller: &Caller,
        request: &MergeFactsRequest,
    ) -> Outcome<MergeFactsReply> {
        let context = Server::context(&request.context)?;
        let understood: Outcome<Vec<Source<'_>>> =
            request.sources.iter().map(|source| self.source(caller, source)).collect();
        let sources = understood?;
        let base = request.base.as_ref().map(|base| self.source(caller, base)).transpose()?;
        let outcome = |pname: &Pname| MergeFactsOutcome {
            outcome: Some(match self.merge_facts_of(context, pname, &sources, base.as_ref()) {
                Ok(done) => Answer::Done(done),
                Err(failure) => Answer::Failure(failure),
            }),
        };
        Ok(MergeFactsReply { outcomes: request.targets.iter().map(outcome).collect() })
    }

    fn source<'a>(&self, caller: &Caller, source: &'a VersionSource) -> Outcome<Source<'a>> {
        let none = || Failure::internal("a call came without the version that it is about");
        Ok(match source.source.as_ref().ok_or_else(none)? {
            Asked::Pname(pname) => Source::Pname(pname),
            Asked::Selector(typed) => {
                let empty = || Failure::new(FailureCode::BadVersionSelector);
                let wanted = self.wanted_version(caller, typed)?.ok_or_else(empty)?;
                Source::Selector(Box::new((wanted, RefCell::default())))
            }
            Asked::ViewTag(tag) => Source::View(self.started_view(tag)?),
            Asked::Newest(_) => Source::Newest,
            Asked::Predecessor(_) => Source::Predecessor,
        })
    }

    fn merge_facts_of(
        &self,
        context: &Context,
        pname: &Pname,
        sources: &[Source<'_>],
        base: Option<&Source<'_>>,
    ) -> Outcome<MergeFacts> {
        let target = self.target(context, &Some(pname.clone()))?;
        let (element, state) = (&*target.element, target.vob.vob.state());
        let object = meant(&target)?;
        let mut objects = vec![object];
        let (mut ends, mut places) = (Vec::new(), Vec::new());
        for source in sources {
            let found = self.found(context, &target, object, source);
            if let Ok(Found::Object(object)) = found {
                objects.push(object);
            }
            let end = end(&state, element, found.as_ref().map_err(Clone::clone));
            places.push(found.ok());
            ends.push(end);
        }
        let base = match base {
            Some(base) => match self.found(context, &target, object, base)? {
                Found::Object(VobObject::Version(_, version)) => Some(version),
                Found::Object(_) | Found::Other => None,
            },
            None if objects.len() > 1 => closest_common(element, &objects),
            None => None,
        };
        for (end, place) in ends.iter_mut().zip(places) {
            if let Some(Found::Object(VobObject::Version(_, version))) = place {
                end.merged = descends(element, object, version);
                end.arrow = has_arrow(element, version, object);
                end.identical = is_identical(&target.vob, element, version, object)?;
                end.is_base = base == Some(version);
            }
        }
        let base = base.map(|version| {
            let object = Found::Object(VobObject::Version(element.number, version));
            MergeEnd { is_base: true, ..end(&state, element, Ok(&object)) }
        });
        let mut target_end = end(&state, element, Ok(&Found::Object(object)));
        target_end.is_base = match (object, &base) {
            (VobObject::CheckOut(..), Some(base)) => base.version == target_end.predecessor,
            (_, Some(base)) => base.version == target_end.version,
            (_, None) => false,
        };
        Ok(MergeFacts {
            kind: match element.kind {
                ElementKind::File => ObjectKind::Version,
                ElementKind::Directory => ObjectKind::DirectoryVersion,
            }
            .into(),
            oid: element.oid.to_string(),
            target: Some(target_end),
            sources: ends,
            base,
            manager: state.element_type(element.element_type).1.to_owned(),
            merge_type: match state.merge_type(element.element_type) {
                Merging::Auto => MergeType::Auto,
                Merging::User => MergeType::User,
                Merging::Never => MergeType::Never,
            }
            .into(),
            checked_out: matches!(object, VobObject::CheckOut(..)),
            view_storage: self.storage_of(&target.view),
        })
    }

    /// Finds what a source means for a target.
    fn found(
        &self,
        context: &Context,
        target: &Target,
        object: VobObject,
        source: &Source<'_>,
    ) -> Outcome<Found> {
        let (vob, element) = (&target.vob, &*target.element);
        let version = |version: VersionNo| Found::Object(VobObject::Version(element.number, version));
        match source {
            Source::Pname(pname) => {
                let other = match self.target(context, &Some((*pname).clone())) {
                    Ok(other) => other,
                    Err(failure) if is_no_version(&failure) => return Ok(Found::Other),
                    Err(failure) => return Err(failure),
                };
                let same = other.vob.index == vob.index && other.element.number == element.number;
                if same { meant(&other).map(Found::Object) } else { Ok(Found::Other) }
            }
            Source::Selector(selector) => {
                let (wanted, bound) = &**selector;
                let mut bound = bound.borrow_mut();
                let bound = bound.entry(vob.index).or_insert_with(|| wanted.bind(vob));
                wanted.select(bound, vob, element).map(version)
            }
            Source::View(view) => selected_elsewhere(view, vob, element).map(version),
            Source::Newest => {
                let branch =
                    branch_of(element, object).ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
                Ok(version(element.newest(branch)))
            }
            Source::Predecessor => {
                let before = behind(element, object);
                before.map(version).ok_or_else(|| Failure::new(FailureCode::NoPredecessor))
            }
        }
    }
}

/// Tells whether a name led to a file that is no version of an element: its data can be merged all the same.
fn is_no_version(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        FailureCode::NotAVobObject | FailureCode::NotInAVob | FailureCode::NoView | FailureCode::NotAnElement
    )
}

/// The version or checkout that a target means.
fn meant(target: &Target) -> Outcome<VobObject> {
    let number = target.element.number;
    match (target.named, target.shown) {
        (Some(version), _) | (None, Shown::Version(version, _)) => Ok(VobObject::Version(number, version)),
        (None, Shown::CheckedOut(_)) => {
            let own = target.element.checkout_of(&target.view.uuid());
            let own = own.ok_or_else(|| Failure::new(FailureCode::NoVersionSelected))?;
            Ok(VobObject::CheckOut(number, own.number))
        }
        (None, Shown::Nothing(_) | Shown::Error(_)) => Err(Failure::new(FailureCode::NoVersionSelected)),
    }
}

/// What another view selects: of what it has checked out, the version that it was checked out from.
fn selected_elsewhere(view: &Arc<View>, vob: &Arc<MountedVob>, element: &Element) -> Outcome<VersionNo> {
    let none = || Failure { view_tag: view.tag.clone(), ..Failure::new(FailureCode::NoVersionSelected) };
    let parent = shown_name(view, vob, element)?;
    if parent.is_none() && element.number != crate::vob::ElementNo::ROOT {
        return Err(none());
    }
    match view.select(vob, &path_of(view, vob, parent.as_ref())?, element) {
        Shown::Version(version, _) => Ok(version),
        Shown::CheckedOut(_) => element.checkout_of(&view.uuid()).map(|held| held.from).ok_or_else(none),
        Shown::Nothing(_) | Shown::Error(_) => Err(none()),
    }
}

fn checkout(element: &Element, number: u32) -> Option<&crate::vob::Checkout> {
    element.checkouts.iter().find(|held| held.number == number)
}

fn branch_of(element: &Element, object: VobObject) -> Option<BranchNo> {
    match object {
        VobObject::Version(_, version) => element.find_version(version).map(|version| version.branch),
        VobObject::CheckOut(_, number) => checkout(element, number).map(|held| held.branch),
        _ => None,
    }
}

/// What an object was made or checked out from.
fn behind(element: &Element, object: VobObject) -> Option<VersionNo> {
    match object {
        VobObject::Version(_, version) => predecessor(element, version),
        VobObject::CheckOut(_, number) => checkout(element, number).map(|held| held.from),
        _ => None,
    }
}

fn has_arrow(element: &Element, from: VersionNo, to: VobObject) -> bool {
    match to {
        VobObject::CheckOut(_, number) => element.is_merged_into(from, number),
        VobObject::Version(_, to) => element.merge_arrows().any(|arrow| arrow == (from, to)),
        _ => false,
    }
}

/// Tells whether an object holds the same as a version; of a checked-out file only its view knows.
fn is_identical(vob: &MountedVob, element: &Element, version: VersionNo, object: VobObject) -> Outcome<bool> {
    let at = match object {
        VobObject::Version(_, other) if element.kind == ElementKind::File => {
            return Ok(element.version(other).content == element.version(version).content);
        }
        VobObject::Version(_, other) => DirectoryAt::Version(other),
        VobObject::CheckOut(_, number) if element.kind == ElementKind::Directory => {
            DirectoryAt::CheckedOut(number)
        }
        _ => return Ok(false),
    };
    let names = |at: DirectoryAt| vob.vob.directory(element.number, at);
    Ok(names(at)? == names(DirectoryAt::Version(version))?)
}

/// What is told of a version or checkout.
fn end(state: &VobState, element: &Element, found: Result<&Found, Failure>) -> MergeEnd {
    let object = match found {
        Err(failure) => return MergeEnd { failure: Some(failure), ..MergeEnd::default() },
        Ok(Found::Other) => return MergeEnd::default(),
        Ok(Found::Object(object)) => *object,
    };
    let id = |version: VersionNo| version_id(state, element, version).into_bytes();
    let (version, number) = match object {
        VobObject::Version(_, version) => (id(version), element.version(version).number),
        VobObject::CheckOut(_, number) => {
            let held = checkout(element, number);
            (held.map(|held| checkout_id(state, element, held).into_bytes()).unwrap_or_default(), 0)
        }
        _ => (Vec::new(), 0),
    };
    let predecessor = behind(element, object).map(id).unwrap_or_default();
    MergeEnd { version, number, predecessor, ..MergeEnd::default() }
}
