//! Checkin: private copies become versions.

use super::check_out::Target;
use crate::server::identity::{self, Caller};
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::pool::ContentId;
use crate::view::MountedVob;
use crate::view::live::Shown;
use crate::view::resolve::{branch_id, path_of, version_id};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Content, ElementKind, Operation, Transaction};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files up to this size are held in memory while they are checked in, so that they can be
/// stored as changes against their predecessors.
const WHOLE_BYTES_MAX: u64 = 16 << 20;

/// What the data of a new version is.
#[derive(Copy, Clone)]
pub struct Data {
    pub content: Content,
    pub executable: bool,
    pub modified_ns: i64,
}

/// A checkin whose data is in the pools already.
struct Prepared {
    target: Target,
    data: Data,
    comment: Option<String>,
}

/// Puts a file's data into the pools of a VOB. A file that changes meanwhile is refused: its
/// version would be a mixture that never was.
pub fn store_file(vob: &MountedVob, path: &Path, predecessor: Option<ContentId>) -> Outcome<Data> {
    let name = || path.as_os_str().as_bytes();
    let system = |error: &std::io::Error| Failure::system(name(), error);
    let mut file = File::open(path).map_err(|error| system(&error))?;
    let before = file.metadata().map_err(|error| system(&error))?;
    if !before.is_file() {
        return Err(Failure::other("only ordinary files can be checked in"));
    }
    let pools = vob.vob.pools();
    let (hash, size) = if before.len() <= WHOLE_BYTES_MAX {
        let mut content = Vec::with_capacity(before.len() as usize);
        (&mut file).take(WHOLE_BYTES_MAX + 1).read_to_end(&mut content).map_err(|error| system(&error))?;
        (pools.put(&content, predecessor.as_ref())?, content.len() as u64)
    } else {
        pools.put_reader(&mut file, predecessor.as_ref())?
    };
    let after = path.metadata().map_err(|error| system(&error))?;
    let stamp =
        |m: &std::fs::Metadata| (m.ino(), m.len(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec());
    if stamp(&before) != stamp(&after) || size != after.len() {
        return Err(Failure::new(FailureCode::FileChangedDuringCheckin));
    }
    pools.sync()?;
    let content = if size == 0 { Content::Empty } else { Content::File { hash: hash.0, size } };
    let modified_ns = before.mtime().saturating_mul(1_000_000_000).saturating_add(before.mtime_nsec());
    Ok(Data { content, executable: before.mode() & 0o111 != 0, modified_ns })
}

impl Server {
    pub(super) fn check_in(&self, caller: &Caller, request: &CheckinRequest) -> Outcome<CheckinReply> {
        let context = Server::context(&request.context)?;
        let prepare = |argument: &CheckinArgument| self.prepare(caller, context, request, argument);
        let outcomes = if request.atomic {
            let prepared: Vec<Outcome<Prepared>> = request.arguments.iter().map(prepare).collect();
            self.check_in_together(caller, context, request, prepared)
        } else {
            let one = |argument: &CheckinArgument| {
                let prepared = prepare(argument)?;
                self.commit_versions(caller, context, request, &prepared.target.vob.clone(), &[&prepared])?;
                self.finish_check_in(request, &prepared)
            };
            request.arguments.iter().map(one).collect()
        };
        let outcome = |outcome: Outcome<CheckedIn>| CheckinOutcome {
            outcome: Some(match outcome {
                Ok(done) => checkin_outcome::Outcome::Done(done),
                Err(failure) => checkin_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(CheckinReply { outcomes: outcomes.into_iter().map(outcome).collect() })
    }

    /// Checks all arguments in or none.
    fn check_in_together(
        &self,
        caller: &Caller,
        context: &Context,
        request: &CheckinRequest,
        prepared: Vec<Outcome<Prepared>>,
    ) -> Vec<Outcome<CheckedIn>> {
        let not_done = || Err(Failure::new(FailureCode::NotDone));
        if prepared.iter().any(Result::is_err) {
            return prepared.into_iter().map(|p| p.map_or_else(Err, |_| not_done())).collect();
        }
        let prepared: Vec<Prepared> = prepared.into_iter().filter_map(Result::ok).collect();
        let mut vobs: Vec<Arc<MountedVob>> = prepared.iter().map(|p| Arc::clone(&p.target.vob)).collect();
        vobs.sort_by_key(|vob| vob.index);
        vobs.dedup_by_key(|vob| vob.index);
        if vobs.len() > 1 {
            let text = "elements of several VOBs cannot be checked in atomically";
            return prepared.iter().map(|_| Err(Failure::other(text))).collect();
        }
        let all: Vec<&Prepared> = prepared.iter().collect();
        let Some(vob) = vobs.first() else {
            return Vec::new();
        };
        match self.commit_versions(caller, context, request, vob, &all) {
            Ok(()) => prepared.iter().map(|prepared| self.finish_check_in(request, prepared)).collect(),
            Err(failure) => prepared.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    fn prepare(
        &self,
        caller: &Caller,
        context: &Context,
        request: &CheckinRequest,
        argument: &CheckinArgument,
    ) -> Outcome<Prepared> {
        let target = self.target(context, &argument.pname)?;
        let not_checked_out = || Failure {
            view_storage: self.storage_of(&target.view),
            ..Failure::new(FailureCode::NotCheckedOut)
        };
        let checkout = target.element.checkout_of(&target.view.uuid()).ok_or_else(not_checked_out)?;
        self.permit_element(caller, &target.vob, &target.element, "checkin")?;
        let predecessor = match target.element.version(checkout.from).content {
            Content::File { hash, .. } => Some(ContentId(hash)),
            Content::Empty | Content::Directory => None,
        };
        let data = match target.element.kind {
            ElementKind::Directory => {
                Data { content: Content::Directory, executable: false, modified_ns: now_ns() }
            }
            ElementKind::File => {
                let source = match &request.from {
                    Some(from) => {
                        let path = PathBuf::from(OsStr::from_bytes(&from.absolute));
                        let readable = identity::check_readable(&path, caller);
                        readable.map_err(|error| Failure::system(from.typed.as_slice(), &error))?;
                        path
                    }
                    None => target.data_path(),
                };
                let stored = store_file(&target.vob, &source, predecessor);
                stored.map_err(|failure| Failure { name: Vec::new(), ..failure })?
            }
        };
        let comment = argument.comment.as_ref().map(|comment| String::from_utf8_lossy(comment).into_owned());
        Ok(Prepared { target, data, comment })
    }

    fn commit_versions(
        &self,
        caller: &Caller,
        context: &Context,
        request: &CheckinRequest,
        vob: &Arc<MountedVob>,
        prepared: &[&Prepared],
    ) -> Outcome<()> {
        let committed = self.commit(vob, |store| {
            let one = |prepared: &&Prepared| {
                let Prepared { target, data, comment } = prepared;
                let view = target.view.uuid();
                let number = target.element.number;
                let element =
                    store.element(number)?.ok_or_else(|| Failure::internal("the element is gone"))?;
                let not_checked_out = || Failure {
                    view_storage: self.storage_of(&target.view),
                    ..Failure::new(FailureCode::NotCheckedOut)
                };
                let checkout = element.checkout_of(&view).ok_or_else(not_checked_out)?;
                let state = store.state();
                let branch = || branch_id(&state, &element, checkout.branch).into_bytes();
                if element.newest(checkout.branch) != checkout.from {
                    return Err(Failure { branch: branch(), ..Failure::new(FailureCode::NotPredecessor) });
                }
                let other = element
                    .checkouts
                    .iter()
                    .find(|other| other.view != view && other.branch == checkout.branch && other.reserved);
                if let Some(other) = other {
                    return Err(Failure {
                        branch: branch(),
                        view_tag: other.view_tag.clone(),
                        view_storage: self.storage_with_uuid(&other.view.to_string()),
                        ..Failure::new(FailureCode::ReservedElsewhere)
                    });
                }
                if !request.identical && is_identical(store, &element, checkout, data)? {
                    return Err(Failure::new(FailureCode::Identical));
                }
                // Bookkeeping lines of a directory stay; a comment of the checkin comes first.
                let comment = match comment {
                    None => checkout.comment.clone(),
                    Some(comment) if element.kind == ElementKind::Directory => {
                        let lines = [comment.as_str(), checkout.comment.as_str()];
                        lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
                    }
                    Some(comment) => comment.clone(),
                };
                Ok(Transaction {
                    time_ns: now_ns(),
                    user: self.user(caller, context),
                    comment,
                    attributes: vec![],
                    operations: vec![Operation::CheckIn {
                        element: number,
                        view,
                        content: data.content,
                        executable: data.executable,
                        modified_ns: request.preserve_time.then_some(data.modified_ns),
                    }],
                })
            };
            prepared.iter().map(one).collect()
        });
        committed.map(drop)
    }

    /// What follows a committed checkin in the view: the private copy goes.
    fn finish_check_in(&self, request: &CheckinRequest, prepared: &Prepared) -> Outcome<CheckedIn> {
        let target = &prepared.target;
        let mut done = CheckedIn::default();
        let checkout = target.element.checkout_of(&target.view.uuid()).map(|checkout| checkout.branch);
        let element = target.vob.element(target.element.number)?;
        if target.element.kind == ElementKind::File {
            if request.private_copy() == PrivateCopy::Keep {
                done.keep_name = self.keep_copy(target)?;
            }
            self.remove_data(target)?;
        }
        self.show_again(target)?;
        if let Some(branch) = checkout {
            let newest = element.newest(branch);
            done.version = version_id(&target.vob.vob.state(), &element, newest).into_bytes();
            let path = path_of(&target.view, &target.vob, target.parent.as_ref())?;
            let shown = target.view.select(&target.vob, &path, &element);
            if !matches!(shown, Shown::Version(version, _) if version == newest) {
                done.notices
                    .push(Notice { code: NoticeCode::CheckedInNotSelected.into(), ..Notice::default() });
            }
        }
        Ok(done)
    }
}

/// Tells whether a checkin would make a version like its predecessor.
fn is_identical(
    store: &crate::store::Vob,
    element: &crate::vob::Element,
    checkout: &crate::vob::Checkout,
    data: &Data,
) -> Outcome<bool> {
    let before = element.version(checkout.from);
    Ok(match element.kind {
        ElementKind::File => before.content == data.content && before.executable == data.executable,
        ElementKind::Directory => {
            let from = store.directory(element.number, DirectoryAt::Version(checkout.from))?;
            from == store.directory(element.number, DirectoryAt::CheckedOut(checkout.number))?
        }
    })
}
