//! What a command's argument names, who may change it, and what commands ask about their arguments before they ask
//! the user.

use crate::server::identity::{self, Caller};
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::access::MAY_WRITE;
use crate::view::history::Place;
use crate::view::live::{Shown, View};
use crate::view::resolve::{path_of, version_id};
use crate::view::{Found, MountedVob, Resolved, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Element, ElementKind, ElementNo, Entry, Refused, VersionNo};
use clerestory_specs::{Maker, PathState};
use std::path::Path;
use std::sync::Arc;

/// An element argument: what it names, and where.
#[derive(Clone)]
pub struct Target {
    pub view: Arc<View>,
    pub vob: Arc<MountedVob>,
    pub parent: Option<(ElementNo, Box<[u8]>)>,
    pub element: Arc<Element>,
    pub shown: Shown,
    /// Which rules' patterns can match there.
    pub path: PathState,
    /// The version that a version-extended argument names.
    pub named: Option<VersionNo>,
}

impl Target {
    pub fn storage(&self) -> &Path {
        self.view.storage.dir()
    }

    /// Where the data of the checked-out file is on the host.
    pub fn data_path(&self) -> std::path::PathBuf {
        self.storage().join(ViewStorage::checkout(&self.element.oid))
    }
}

/// Who may change an element, besides root: views.md 11.2.
const MAY_VERSION: &[&str] = &["element group member", "element owner", "VOB owner", "root"];

impl Server {
    /// Words a refusal of the VOB.
    pub(super) fn refused(&self, vob: &MountedVob, refused: Refused) -> Failure {
        match refused {
            Refused::AlreadyCheckedOut => Failure::new(FailureCode::AlreadyCheckedOut),
            Refused::Reserved { view, view_tag, .. } => Failure {
                view_storage: self.storage_with_uuid(&view.to_string()),
                view_tag,
                ..Failure::new(FailureCode::ReservedElsewhere)
            },
            Refused::NotCheckedOut => Failure::new(FailureCode::NotCheckedOut),
            Refused::NotNewest => Failure::new(FailureCode::NotNewest),
            Refused::NotPredecessor { .. } => Failure::new(FailureCode::NotPredecessor),
            Refused::NameTaken(name) => Failure::new(FailureCode::NameExists).name(name),
            Refused::Predefined(name) => Failure::new(FailureCode::Predefined).name(name),
            Refused::IsSupertype(name) => {
                Failure::other(format!("element type \"{name}\" is the supertype of another"))
            }
            Refused::BadName(name) => Failure::new(FailureCode::BadName).name(name),
            Refused::BadEntryName => Failure::new(FailureCode::BadName),
            Refused::BranchExists { branch_type, .. } => {
                let state = vob.vob.state();
                Failure::new(FailureCode::BranchExists).name(state.type_name(branch_type))
            }
            Refused::BadDefinition(text) => Failure::other(text),
            Refused::HasCheckouts => Failure::new(FailureCode::HasCheckouts),
            Refused::VersionZero => Failure::new(FailureCode::VersionZero),
            Refused::RootBranch => Failure::new(FailureCode::RootBranch),
            // It was removed since the command looked.
            Refused::NoSuchObject { .. } => Failure::new(FailureCode::NoSuchFile),
            Refused::FixedElement => Failure::new(FailureCode::FixedName),
            Refused::Locked(locked) => super::locks::failure(vob, &locked),
            Refused::Unreadable(error) => {
                tracing::error!(%error, "records");
                Failure { text: error.to_string(), ..Failure::new(FailureCode::Damaged) }
            }
            other => Failure::internal(other.to_string()),
        }
    }

    pub(super) fn storage_with_uuid(&self, uuid: &str) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let entries = self.registry.entries();
        let storage = entries.views.values().find(|entry| entry.uuid == uuid);
        let path = storage.map(|entry| entry.storage.as_os_str().as_bytes().to_vec()).unwrap_or_default();
        [self.host_name.as_bytes(), b":", &path].concat()
    }

    /// Finds the element an argument names.
    pub(super) fn target(&self, context: &Context, pname: &Option<Pname>) -> Outcome<Target> {
        let pname = pname.as_ref().ok_or_else(|| Failure::internal("an argument came without its name"))?;
        let (view, Resolved { vob, parent, found }) = self.resolve(context, pname)?;
        let not_here =
            |view: Arc<View>, vob: Arc<MountedVob>, number: ElementNo, named: Option<VersionNo>| {
                let element = vob.element(number)?;
                let parent = shown_name(&view, &vob, &element)?;
                let path = path_of(&view, &vob, parent.as_ref())?;
                let shown = view.select(&vob, &path, &element);
                Ok(Target { view, vob, parent, element, shown, path, named })
            };
        match found {
            Found::Element { element, shown, .. } => {
                let path = path_of(&view, &vob, parent.as_ref())?;
                Ok(Target { view, vob, parent, element, shown, path, named: None })
            }
            Found::History(Place::Version(number, version)) => not_here(view, vob, number, Some(version)),
            Found::History(Place::Directory(number, DirectoryAt::Version(version))) => {
                not_here(view, vob, number, Some(version))
            }
            Found::History(Place::Element(number) | Place::OwnCheckout(number)) => {
                not_here(view, vob, number, None)
            }
            Found::History(_) => Err(Failure::new(FailureCode::VersionNameNotAllowed)),
            Found::Private { .. } => Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(_) => Err(Failure::new(FailureCode::NotAnElement)),
        }
    }

    /// Refuses who may not make versions of an element.
    pub(super) fn permit_element(
        &self,
        caller: &Caller,
        vob: &MountedVob,
        element: &Element,
        operation: &str,
    ) -> Outcome<()> {
        let daemon = rustix::process::geteuid().as_raw();
        let may = caller.is_root()
            || caller.user_id == daemon
            || caller.user_id == element.owner
            || caller.in_group(element.group)
            || caller.user_id == vob.vob.state().header.owner;
        if may {
            return Ok(());
        }
        let must_be_one_of = MAY_VERSION.iter().map(|who| (*who).to_owned()).collect();
        Err(Failure {
            operation: operation.to_owned(),
            must_be_one_of,
            ..Failure::new(FailureCode::Permission)
        })
    }

    pub(super) fn inspect(&self, caller: &Caller, request: &InspectRequest) -> Outcome<InspectReply> {
        let context = Server::context(&request.context)?;
        let login = identity::user_name(caller.user_id);
        let inspect = |pname: &Pname| {
            let target = match self.target(context, &Some(pname.clone())) {
                Err(failure) if failure.code() == FailureCode::NotAVobObject => {
                    let kind = ObjectKind::ViewPrivateObject.into();
                    return Ok(Inspection { kind, ..Inspection::default() });
                }
                other => other?,
            };
            let state = target.vob.vob.state();
            let kind = match target.element.kind {
                ElementKind::File => ObjectKind::Version,
                ElementKind::Directory => ObjectKind::DirectoryVersion,
            };
            let checkout = target.element.checkout_of(&target.view.uuid());
            let version = match (checkout, target.shown) {
                (Some(checkout), _) => version_id(&state, &target.element, checkout.from),
                (None, Shown::Version(version, _)) => version_id(&state, &target.element, version),
                (None, _) => String::new(),
            };
            Ok(Inspection {
                kind: kind.into(),
                checked_out: checkout.is_some(),
                checkout_comment: checkout.map(|c| c.comment.clone().into_bytes()).unwrap_or_default(),
                has_private_data: target.element.kind == ElementKind::File
                    && checkout.is_some()
                    && target.data_path().symlink_metadata().is_ok(),
                version: version.into_bytes(),
                newest: newest(&login, &target)?.into_bytes(),
            })
        };
        let outcome = |pname: &Pname| InspectOutcome {
            outcome: Some(match inspect(pname) {
                Ok(done) => inspect_outcome::Outcome::Done(done),
                Err(failure) => inspect_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(InspectReply { outcomes: request.pnames.iter().map(outcome).collect() })
    }

    /// Refuses who may not create private files in a view.
    pub(super) fn permit_view(&self, caller: &Caller, view: &View) -> Outcome<()> {
        self.permit_changes(caller, view, "checkout")
    }

    /// Refuses who may not change what a view has of its own, private files and checkouts.
    pub(super) fn permit_changes(&self, caller: &Caller, view: &View, operation: &str) -> Outcome<()> {
        self.permit_in_view(caller, view, MAY_WRITE, operation).map_err(|failure| Failure {
            // The sentence is about the element.
            view_tag: String::new(),
            ..failure
        })
    }
}

/// Says from which version a checkout of an element would start; nothing where it would make a branch, or be refused.
fn newest(login: &str, target: &Target) -> Outcome<String> {
    if !matches!(target.shown, Shown::Version(..)) || target.named.is_some() {
        return Ok(String::new());
    }
    let maker = Maker { login, now_ns: now_ns() };
    let plan = target.view.plan_checkout(&target.vob, &target.path, &target.element, maker)?;
    Ok(match plan.outcome {
        Ok(branch) if plan.branches.is_empty() => {
            let newest = target.element.newest(BranchNo(branch));
            version_id(&target.vob.vob.state(), &target.element, newest)
        }
        _ => String::new(),
    })
}

/// Finds the directory and name under which a view shows an element.
pub(super) fn shown_name(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    element: &Element,
) -> Outcome<Option<(ElementNo, Box<[u8]>)>> {
    for (directory, name) in element.names.iter().rev() {
        let state = view.holder(vob, *directory)?;
        if state.is_some_and(|state| state.catalog.get(name) == Some(Entry::Element(element.number))) {
            return Ok(Some((*directory, name.clone())));
        }
    }
    Ok(None)
}
