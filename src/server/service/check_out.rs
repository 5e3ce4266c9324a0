//! Checkout, and what commands ask about their arguments before they ask the user.

use super::auto_branch::{branch_path, plan_failure, planned_branches};
use super::make_branch::{Making, plan_branch};
use super::slot::free_leaf;
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::pool::ContentId;
use crate::view::access::MAY_WRITE;
use crate::view::history::Place;
use crate::view::live::{DirectoryState, Shown, View};
use crate::view::resolve::{branch_id, path_of, version_id};
use crate::view::{Found, MountedVob, Resolved, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::element::file_permissions;
use crate::vob::{
    BranchNo, Content, Element, ElementKind, ElementNo, Entry, Operation, Refused, Transaction, TypeKind,
    TypeNo, VersionNo, VobState,
};
use clerestory_specs::Maker;
use rustix::fs::AtFlags;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// An element argument: what it names, and where.
pub struct Target {
    pub view: Arc<View>,
    pub vob: Arc<MountedVob>,
    pub parent: Option<(ElementNo, Box<[u8]>)>,
    pub element: Arc<Element>,
    pub shown: Shown,
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
                Ok(Target { view, vob, parent, element, shown, named })
            };
        match found {
            Found::Element { element, shown, .. } => {
                Ok(Target { view, vob, parent, element, shown, named: None })
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

    pub(super) fn inspect(&self, _caller: &Caller, request: &InspectRequest) -> Outcome<InspectReply> {
        let context = Server::context(&request.context)?;
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

    pub(super) fn check_out(&self, caller: &Caller, request: &CheckoutRequest) -> Outcome<CheckoutReply> {
        let context = Server::context(&request.context)?;
        let outcome = |argument: &CheckoutArgument| CheckoutOutcome {
            outcome: Some(match self.check_out_one(caller, context, request, argument, None) {
                Ok(done) => checkout_outcome::Outcome::Done(done),
                Err(failure) => checkout_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(CheckoutReply { outcomes: request.arguments.iter().map(outcome).collect() })
    }

    /// Checks an element out; on a branch that is made first when `making` says so.
    pub(super) fn check_out_one(
        &self,
        caller: &Caller,
        context: &Context,
        request: &CheckoutRequest,
        argument: &CheckoutArgument,
        making: Option<&Making<'_>>,
    ) -> Outcome<CheckedOut> {
        let target = self.target(context, &argument.pname)?;
        let operation = if making.is_some() { "make branch" } else { "checkout" };
        self.permit_element(caller, &target.vob, &target.element, operation)?;
        self.permit_view(caller, &target.view)?;
        if target.element.number == ElementNo::LOST_AND_FOUND {
            let text = if making.is_some() {
                "lost+found has no branches"
            } else {
                "lost+found cannot be checked out"
            };
            return Err(Failure::other(text));
        }
        let already =
            || Failure { view_tag: target.view.tag.clone(), ..Failure::new(FailureCode::AlreadyCheckedOut) };
        if target.element.checkout_of(&target.view.uuid()).is_some() {
            return Err(already());
        }
        let rule = target.shown.rule();
        let spec = target.view.spec();
        let rule = rule.and_then(|rule| spec.rules().get(rule.0 as usize).cloned());
        if making.is_none() && rule.as_ref().is_some_and(|rule| rule.no_checkout) {
            return Err(Failure::new(FailureCode::NoCheckoutRule));
        }
        let point = making.map(|making| self.branch_point(&target, making)).transpose()?;
        let selected = match (point.or(target.named), target.shown) {
            (Some(named), _) => named,
            (None, Shown::Version(version, _)) => version,
            (None, _) => return Err(Failure::new(FailureCode::NoVersionSelected)),
        };
        // A spec without a CHECKEDOUT rule would hide the data: refused before anything is made.
        if !spec.rules().iter().any(|rule| matches!(rule.selector, clerestory_specs::Selector::CheckedOut)) {
            return Err(Failure::new(FailureCode::NoCheckedoutRule));
        }
        let view_uuid = target.view.uuid();
        let mut done = CheckedOut::default();
        let mut refused = None;
        let mut asked = target.element.version(selected).branch;
        let mut content = Content::Empty;
        let mut executable = false;
        let number = target.element.number;
        let plan = |vob: &crate::store::Vob| {
            let element = vob.element(number)?.ok_or_else(|| Failure::internal("the element is gone"))?;
            let state = vob.state();
            let (time_ns, user) = (now_ns(), self.user(caller, context));
            let mut operations = Vec::new();
            let named = target.named.is_some() || request.exact_version;
            let mut at = selected;
            let making = making.map(|making| plan_branch(&state, &element, making, selected)).transpose()?;
            let (branch, from) = match request.branch.as_slice() {
                _ if making.is_some() => {
                    (BranchNo(element.branches.len() as u32), VersionNo(element.versions.len() as u32))
                }
                [] if named => (element.version(selected).branch, selected),
                [] => {
                    let path = path_of(&target.view, &target.vob, target.parent.as_ref())?;
                    let maker = Maker { login: &user.login, now_ns: time_ns };
                    let plan = target.view.plan_checkout(&target.vob, &path, &element, maker)?;
                    let made = planned_branches(&state, &element, &plan);
                    operations.clone_from(&made.operations);
                    let locked = self.refuse_locked_plan(&target.vob, &element, &operations, caller);
                    locked.map_err(|failure| Failure { auto_branch: true, ..failure })?;
                    done.notices.clone_from(&made.notices);
                    match &plan.outcome {
                        Ok(branch) => {
                            done.version =
                                format!("{}/0", branch_path(&state, &element, &plan, *branch)).into_bytes();
                            let branch = BranchNo(*branch);
                            let from = made.newest(&element, branch);
                            at = made.holder(&element, from);
                            (branch, from)
                        }
                        Err(failure) => {
                            let failure = plan_failure(&state, &element, &plan, failure);
                            if operations.is_empty() {
                                return Err(failure);
                            }
                            // Branches made so far stay.
                            refused = Some(failure);
                            return Ok(vec![Transaction {
                                time_ns,
                                user,
                                comment: String::new(),
                                attributes: vec![],
                                operations,
                            }]);
                        }
                    }
                }
                name => {
                    let branch = find_branch(&state, &element, name)?;
                    (branch, element.newest(branch))
                }
            };
            if let Some(planned) = making {
                operations.push(planned.operation);
                self.refuse_locked_plan(&target.vob, &element, &operations, caller)?;
                done.notices.push(planned.notice);
                done.version = planned.version_zero;
            }
            if from.index() < element.versions.len() {
                at = from;
                done.version = version_id(&state, &element, from).into_bytes();
                if target.named.is_none() && from != selected {
                    done.notices
                        .push(Notice { code: NoticeCode::DifferentVersion.into(), ..Notice::default() });
                }
            }
            asked = branch;
            self.refuse_locked(&target.vob, &element, Some(branch), caller, "checkout")?;
            (content, executable) = (element.version(at).content, element.version(at).executable);
            if content == Content::Removed && !request.no_data {
                let version = version_id(&state, &element, at);
                return Err(Failure::new(FailureCode::DataRemoved).name(version));
            }
            operations.push(Operation::CheckOut {
                element: number,
                view: view_uuid,
                view_tag: target.view.tag.clone(),
                branch,
                from,
                reserved: !request.unreserved,
            });
            Ok(vec![Transaction {
                time_ns,
                user,
                comment: String::from_utf8_lossy(&argument.comment).into_owned(),
                attributes: vec![],
                operations,
            }])
        };
        let committed = self.commit(&target.vob, plan);
        if let Err(mut failure) = committed {
            if failure.code() == FailureCode::AlreadyCheckedOut {
                failure.view_tag = target.view.tag.clone();
            }
            if failure.code() == FailureCode::ReservedElsewhere {
                let element = target.vob.element(number)?;
                failure.branch = branch_id(&target.vob.vob.state(), &element, asked).into_bytes();
            }
            return Err(failure);
        }
        if let Some(failure) = refused {
            return Err(Failure { done_before: done.notices, ..failure });
        }
        done.reserved = !request.unreserved;
        done.kind = match target.element.kind {
            ElementKind::File => ObjectKind::Version.into(),
            ElementKind::Directory => ObjectKind::DirectoryVersion.into(),
        };
        if target.element.kind == ElementKind::File && !request.no_data {
            let written =
                self.write_data(caller, context, &target, &content, executable, request.preserve_time);
            if let Err(failure) = written {
                // Without its data the checkout is of no use: as if nothing had happened.
                self.drop_checkout(caller, context, &target)?;
                return Err(failure);
            }
        }
        self.show_again(&target)?;
        let element = target.vob.element(number)?;
        let path = path_of(&target.view, &target.vob, target.parent.as_ref())?;
        if !matches!(target.view.select(&target.vob, &path, &element), Shown::CheckedOut(_)) {
            done.notices.push(Notice { code: NoticeCode::CheckedOutNotSelected.into(), ..Notice::default() });
        }
        Ok(done)
    }

    /// Makes the kernel ask anew for the element's name in the view.
    pub(super) fn show_again(&self, target: &Target) -> Outcome<()> {
        if let Some((directory, name)) = &target.parent {
            self.host.private_changed(&target.view, &target.vob, *directory, &[name]);
        }
        Ok(())
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

    fn drop_checkout(&self, caller: &Caller, context: &Context, target: &Target) -> Outcome<()> {
        let operation =
            Operation::CancelCheckOut { element: target.element.number, view: target.view.uuid() };
        let transaction = Transaction {
            time_ns: now_ns(),
            user: self.user(caller, context),
            comment: String::new(),
            attributes: vec![],
            operations: vec![operation],
        };
        self.commit(&target.vob, |_| Ok(vec![transaction])).map(drop)
    }

    /// Writes the private copy of a checked-out file: beside its place first, so that a crash
    /// leaves all of it or nothing.
    fn write_data(
        &self,
        caller: &Caller,
        context: &Context,
        target: &Target,
        content: &Content,
        executable: bool,
        preserve_time: bool,
    ) -> Outcome<()> {
        let path = target.data_path();
        let new = path.with_extension("new");
        let system = |error: &std::io::Error| Failure::system(Vec::new(), error);
        let write = || -> Outcome<()> {
            let mut file = std::fs::File::create(&new).map_err(|error| system(&error))?;
            if let Content::File { hash, .. } = content {
                target.vob.vob.pools().copy_to(&ContentId(*hash), &mut file)?;
            }
            let permissions = file_permissions(target.element.mode, executable);
            let mode = (u32::from(permissions) | 0o222) & !context.umask;
            file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(|error| system(&error))?;
            if rustix::process::geteuid().is_root() {
                let owner = (Some(caller.user_id), Some(caller.group_id));
                std::os::unix::fs::fchown(&file, owner.0, owner.1).map_err(|error| system(&error))?;
            }
            if preserve_time && let Some(version) = shown_version(target) {
                let created = target.element.version(version).created_ns;
                let time = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(created.max(0) as u64);
                file.set_modified(time).map_err(|error| system(&error))?;
            }
            file.sync_all().map_err(|error| system(&error))?;
            std::fs::rename(&new, &path).map_err(|error| system(&error))
        };
        let written = write();
        if written.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        written
    }

    /// Removes the private copy of a file that is no longer checked out. Whoever has it open
    /// keeps it.
    pub(super) fn remove_data(&self, target: &Target) -> Outcome<()> {
        let root = target.view.storage.root();
        let path = ViewStorage::checkout(&target.element.oid);
        let system = |errno: rustix::io::Errno| Failure::system(Vec::new(), &errno.into());
        let found = match rustix::fs::statat(root, &path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(rustix::io::Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(system(errno)),
        };
        let place = crate::view::private::Place::Path(path.clone());
        let left = target.view.private.leave(root, found.st_ino, &place);
        left.map_err(|refusal| Failure::other(format!("the private copy cannot be let go: {refusal:?}")))?;
        rustix::fs::unlinkat(root, &path, AtFlags::empty()).map_err(system)
    }

    /// Saves the private copy as `NAME.keep`, or the next free `.keep.N`; returns the leaf name.
    pub(super) fn keep_copy(&self, target: &Target) -> Outcome<Vec<u8>> {
        let Some((directory, name)) = &target.parent else {
            return Ok(Vec::new());
        };
        let data = target.data_path();
        if data.symlink_metadata().is_err() {
            return Ok(Vec::new());
        }
        let state = target.view.directory(&target.vob, *directory)?;
        let dir = target.storage().join(ViewStorage::private(&state.element.oid));
        let leaf = free_leaf(&dir, &state, name, ".keep");
        copy_private(&target.view, &state, &data, &leaf)?;
        self.host.private_changed(&target.view, &target.vob, *directory, &[&leaf]);
        Ok(leaf)
    }
}

fn shown_version(target: &Target) -> Option<VersionNo> {
    match (target.named, target.shown) {
        (Some(named), _) => Some(named),
        (None, Shown::Version(version, _)) => Some(version),
        _ => None,
    }
}

/// Finds the directory and name under which a view shows an element.
fn shown_name(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    element: &Element,
) -> Outcome<Option<(ElementNo, Box<[u8]>)>> {
    for (directory, name) in element.names.iter().rev() {
        let state = view.directory(vob, *directory)?;
        if state.catalog.get(name) == Some(Entry::Element(element.number)) {
            return Ok(Some((*directory, name.clone())));
        }
    }
    Ok(None)
}

fn branch_type(state: &VobState, name: &str) -> Outcome<TypeNo> {
    let found = state.type_named(TypeKind::Branch, name);
    let object_kind = ObjectKind::BranchType.into();
    let missing = || Failure { object_kind, ..Failure::new(FailureCode::TypeNotFound).name(name) };
    found.map(|object| object.number).ok_or_else(missing)
}

/// Finds a branch by its type's name or its whole path.
fn find_branch(state: &VobState, element: &Element, name: &[u8]) -> Outcome<BranchNo> {
    let text = String::from_utf8_lossy(name);
    let missing = || Failure::new(FailureCode::VersionNotFound).name(name);
    if text.starts_with('/') {
        let all = element.present_branches().map(|(branch, _)| branch);
        let mut found = all.filter(|branch| branch_id(state, element, *branch) == text);
        return found.next().ok_or_else(missing);
    }
    let mut found = element.branches_with_type(branch_type(state, &text)?);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(missing()),
        // Each branch may have one: the path must be spelled out.
        (Some(_), Some(_)) => Err(Failure::new(FailureCode::AmbiguousVersion).name(name)),
    }
}

/// Copies the data of a checkout to a private name in a directory, where there is none yet.
pub fn copy_private(view: &View, state: &DirectoryState, data: &Path, leaf: &[u8]) -> Outcome<()> {
    use std::os::unix::ffi::OsStrExt;
    let dir = view.storage.dir().join(ViewStorage::private(&state.element.oid));
    let path = dir.join(std::ffi::OsStr::from_bytes(leaf));
    let copied = std::fs::create_dir_all(&dir).and_then(|()| {
        let metadata = data.symlink_metadata()?;
        state.set_has_private(true);
        std::fs::copy(data, &path)?;
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        std::fs::File::open(&path)?.sync_all()
    });
    copied.map_err(|error| {
        let _ = std::fs::remove_file(&path);
        Failure::system(Vec::new(), &error)
    })
}
