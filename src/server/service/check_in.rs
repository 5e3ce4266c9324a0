//! Checkin: private copies become versions.
//!
//! The arguments of one call are judged first, then their data is loaded, then they are committed: all of a VOB's
//! in one commit. What can be refused is refused before anything is committed, and once more within the commit,
//! where nothing can come between.

use super::facts;
use super::file_data::{Data, FileToLoad, Loader, Stamp, Wanted};
use super::private_copy::{data_of, remove_data};
use super::target::Target;
use crate::server::identity::{self, Caller};
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::store::pool::ContentId;
use crate::view::inode::VobIndex;
use crate::view::live::Shown;
use crate::view::resolve::{branch_id, path_of, version_id};
use crate::view::{MountedVob, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{
    BranchNo, Checkout, Content, Element, ElementKind, ElementNo, Operation, Transaction, User,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

/// An argument that may become a version.
struct Candidate<'a> {
    target: Target,
    branch: BranchNo,
    argument: &'a CheckinArgument,
    /// Of a file element: where its data is.
    source: Option<PathBuf>,
    data: Data,
    /// How the private copy was when it was read.
    stamp: Option<Stamp>,
    keep_name: Vec<u8>,
}

/// What all arguments of a call share.
struct Checkin<'a> {
    server: &'a Server,
    caller: &'a Caller,
    context: &'a Context,
    request: &'a CheckinRequest,
    user: User,
}

/// The outcomes of some arguments as far as they are known: a candidate that nothing was found against yet, or
/// what there is to answer.
type Judged<'a> = Vec<Result<Candidate<'a>, Outcome<CheckedIn>>>;

impl Server {
    pub(super) fn check_in(&self, caller: &Caller, request: &CheckinRequest) -> Outcome<CheckinReply> {
        let context = Server::context(&request.context)?;
        if let Some(from) = &request.from {
            crate::server::firing::note_hint("CI_FPN", &from.absolute);
        }
        let checkin = Checkin { server: self, caller, context, request, user: self.user(caller, context) };
        let together = if request.atomic { request.arguments.len().max(1) } else { 1 };
        let outcomes = request.arguments.chunks(together).flat_map(|arguments| checkin.together(arguments));
        let outcome = |outcome: Outcome<CheckedIn>| CheckinOutcome {
            outcome: Some(match outcome {
                Ok(done) => checkin_outcome::Outcome::Done(done),
                Err(failure) => checkin_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(CheckinReply { outcomes: outcomes.map(outcome).collect() })
    }
}

impl Checkin<'_> {
    /// Checks all arguments in, or none when one of them can be refused.
    fn together(&self, arguments: &[CheckinArgument]) -> Vec<Outcome<CheckedIn>> {
        let mut named = BTreeSet::new();
        let mut judged: Judged =
            arguments.iter().map(|argument| self.candidate(argument, &mut named).map_err(Err)).collect();
        let mut contents = self.load(&mut judged);
        if self.request.private_copy() == PrivateCopy::Keep {
            self.keep(&mut judged);
        }
        let mut vobs: BTreeMap<_, Arc<MountedVob>> = BTreeMap::new();
        for candidate in judged.iter().flatten() {
            vobs.insert(candidate.target.vob.index, Arc::clone(&candidate.target.vob));
        }
        for vob in vobs.values() {
            if judged.iter().all(is_not_refused) {
                let contents = contents.remove(&vob.index).unwrap_or_default();
                self.commit(vob, &mut judged, contents);
            }
        }
        let answer = |one| match one {
            Ok(candidate) => {
                self.drop_kept(&candidate);
                Err(Failure::new(FailureCode::NotDone))
            }
            Err(outcome) => outcome,
        };
        judged.into_iter().map(answer).collect()
    }

    /// Judges an argument by everything but the data of a file.
    fn candidate<'a>(
        &self,
        argument: &'a CheckinArgument,
        named: &mut BTreeSet<(VobIndex, ElementNo)>,
    ) -> Outcome<Candidate<'a>> {
        let target = self.server.target(self.context, &argument.pname)?;
        let element = &target.element;
        let checkout = self.checkout(&target, element)?;
        if !named.insert((target.vob.index, element.number)) {
            return Err(Failure::new(FailureCode::NamedTwice));
        }
        self.server.permit_element(self.caller, &target.vob, element, "checkin")?;
        self.server.permit_changes(self.caller, &target.view, "checkin")?;
        let branch = checkout.branch;
        self.server.refuse_locked(&target.vob, element, Some(branch), self.caller, "checkin")?;
        self.judge_branch(&target.vob.vob, element, checkout)?;
        let data = Data { content: Content::Directory, executable: false, modified_ns: now_ns() };
        let source = match (element.kind, &self.request.from) {
            (ElementKind::Directory, None) => {
                self.judge_identical(&target.vob.vob, element, checkout, &data)?;
                None
            }
            (ElementKind::Directory, Some(_)) => {
                return Err(Failure::new(FailureCode::DirectoryHasNoData));
            }
            (ElementKind::File, None) => {
                let path = target.data_path();
                // A version is everybody's: who checks in what is another's must be able to read it.
                let found = path.metadata();
                if found.is_ok_and(|found| !self.caller.may(&found, facts::MAY_LIST)) {
                    let refused = std::io::Error::from_raw_os_error(libc::EACCES);
                    return Err(Failure::system(Vec::new(), &refused));
                }
                Some(path)
            }
            (ElementKind::File, Some(from)) => Some(self.source(from)?),
        };
        Ok(Candidate { target, branch, argument, source, data, stamp: None, keep_name: Vec::new() })
    }

    /// Finds the file whose data is to be checked in instead of the private copy's. Inside a set view the tags of
    /// VOBs mean that view's files.
    fn source(&self, from: &Pname) -> Outcome<PathBuf> {
        let set = !self.context.view_tag.is_empty() && self.server.host.vob_of(&from.absolute).is_some();
        let path = PathBuf::from(OsStr::from_bytes(&from.absolute));
        let path = match path.strip_prefix("/") {
            Ok(inside) if set => self.server.home.viewroot().join(&self.context.view_tag).join(inside),
            _ => path,
        };
        let readable = identity::open_as(&path, self.caller);
        readable.map_err(|error| Failure::system(from.typed.as_slice(), &error))?;
        Ok(path)
    }

    fn checkout<'a>(&self, target: &Target, element: &'a Element) -> Outcome<&'a Checkout> {
        element.checkout_of(&target.view.uuid()).ok_or_else(|| Failure {
            view_storage: self.server.storage_of(&target.view),
            ..Failure::new(FailureCode::NotCheckedOut)
        })
    }

    /// Refuses what the branch's state forbids.
    fn judge_branch(&self, store: &Vob, element: &Element, checkout: &Checkout) -> Outcome<()> {
        let branch = || branch_id(&store.state(), element, checkout.branch).into_bytes();
        let newest = element.newest(checkout.branch);
        if newest != checkout.from && !element.is_merged_into(newest, checkout.number) {
            return Err(Failure { branch: branch(), ..Failure::new(FailureCode::NotPredecessor) });
        }
        let holds = |other: &&Checkout| {
            other.view != checkout.view && other.branch == checkout.branch && other.reserved
        };
        match element.checkouts.iter().find(holds) {
            None => Ok(()),
            Some(other) => Err(Failure {
                branch: branch(),
                view_tag: other.view_tag.clone(),
                view_storage: self.server.storage_with_uuid(&other.view.to_string()),
                ..Failure::new(FailureCode::ReservedElsewhere)
            }),
        }
    }

    /// Refuses a version like its predecessor, unless that is asked for.
    fn judge_identical(
        &self,
        store: &Vob,
        element: &Element,
        checkout: &Checkout,
        data: &Data,
    ) -> Outcome<()> {
        // That is the one it was made from, or what was merged into it since.
        let predecessor = element.newest(checkout.branch);
        let before = element.version(predecessor);
        let identical = !self.request.identical
            && match element.kind {
                ElementKind::File => before.content == data.content && before.executable == data.executable,
                ElementKind::Directory => {
                    let from = store.directory(element.number, DirectoryAt::Version(predecessor))?;
                    from == store.directory(element.number, DirectoryAt::CheckedOut(checkout.number))?
                }
            };
        if identical { Err(Failure::new(FailureCode::Identical)) } else { Ok(()) }
    }

    /// Brings the files' data into the pools, and returns what each VOB's commit is to bring along so that it is durable. Once
    /// an argument is refused, the rest is judged but no longer stored.
    fn load(&self, judged: &mut Judged) -> BTreeMap<VobIndex, Vec<Operation>> {
        let mut contents = BTreeMap::new();
        let mut loaders: BTreeMap<_, (Arc<MountedVob>, Vec<usize>)> = BTreeMap::new();
        for (index, one) in judged.iter().enumerate() {
            if let Ok(Candidate { target, source: Some(_), .. }) = one {
                let files = loaders.entry(target.vob.index);
                files.or_insert_with(|| (Arc::clone(&target.vob), Vec::new())).1.push(index);
            }
        }
        for (vob, files) in loaders.values() {
            let loader = Loader::new(vob, files.len());
            let mut refused = !judged.iter().all(is_not_refused);
            for index in files {
                let Ok(candidate) = &mut judged[*index] else { continue };
                match self.load_one(&loader, candidate, refused) {
                    Ok(()) => {}
                    Err(failure) if failure.code() == FailureCode::NotDone => {}
                    Err(failure) => {
                        // Another call took the data along with the checkout: that is what is to be told.
                        let ended = self.has_ended(candidate);
                        judged[*index] = Err(Err(ended.err().unwrap_or(failure)));
                        refused = true;
                    }
                }
            }
            let finished = if refused { Ok(Vec::new()) } else { loader.finish_with_commit() };
            match finished {
                Ok(brought) => drop(contents.insert(vob.index, brought)),
                Err(failure) => files.iter().for_each(|index| judged[*index] = Err(Err(failure.clone()))),
            }
        }
        contents
    }

    /// Refuses what is not checked out any more.
    fn has_ended(&self, candidate: &Candidate) -> Outcome<()> {
        let Target { vob, element, .. } = &candidate.target;
        self.checkout(&candidate.target, &*vob.element(element.number)?).map(drop)
    }

    fn load_one(&self, loader: &Loader, candidate: &mut Candidate, refused: bool) -> Outcome<()> {
        let Candidate { target, source: Some(source), .. } = &*candidate else { return Ok(()) };
        let element = &target.element;
        let checkout = self.checkout(target, element)?;
        let predecessor = match element.version(element.newest(checkout.branch)).content {
            Content::File { hash, .. } => Some(ContentId(hash)),
            Content::Empty | Content::Directory | Content::Removed => None,
        };
        let wanted = |data: &Data| {
            self.judge_identical(&target.vob.vob, element, checkout, data)?;
            Ok(if refused { Wanted::Judged } else { Wanted::Stored })
        };
        // Another's file may have taken the place of the one that was looked at.
        let reader = self.request.from.as_ref().map(|_| self.caller);
        let state = target.vob.vob.state();
        let (_, manager) = state.element_type(element.element_type);
        let file = FileToLoad { path: source, reader, predecessor, manager };
        let loaded = loader.load(&file, wanted);
        let from = self.request.from.as_ref().map(|from| from.typed.clone()).unwrap_or_default();
        let about = |failure: Failure| match failure.code() {
            FailureCode::LineTooLong | FailureCode::HasNul => failure,
            _ => Failure { name: from, ..failure },
        };
        let (data, stamp) = loaded.map_err(about)?;
        candidate.data = data;
        candidate.stamp = self.request.from.is_none().then_some(stamp);
        Ok(())
    }

    /// Saves the private copies beside their elements, if nothing is refused yet: a checkin that cannot do that
    /// is not done.
    fn keep(&self, judged: &mut Judged) {
        if !judged.iter().all(is_not_refused) {
            return;
        }
        for one in judged.iter_mut() {
            let Ok(candidate) = one else { continue };
            if candidate.source.is_some() {
                match self.server.keep_copy(&candidate.target) {
                    Ok(name) => candidate.keep_name = name,
                    Err(failure) => {
                        *one = Err(Err(failure));
                        return;
                    }
                }
            }
        }
    }

    /// Removes a saved copy again, because the checkin was not done.
    fn drop_kept(&self, candidate: &Candidate) {
        let (Some((directory, _)), false) = (&candidate.target.parent, candidate.keep_name.is_empty()) else {
            return;
        };
        let Target { view, vob, .. } = &candidate.target;
        let removed = vob.element(*directory).map_err(Failure::from).and_then(|element| {
            let place = view.storage.dir().join(ViewStorage::private(&element.oid));
            let path = place.join(OsStr::from_bytes(&candidate.keep_name));
            std::fs::remove_file(&path).map_err(|error| Failure::system(path.as_os_str().as_bytes(), &error))
        });
        if let Err(failure) = removed {
            // What was asked for twice is there: nothing is lost.
            tracing::warn!(?failure, "a saved private copy stays");
        }
        self.server.host.private_changed(view, vob, *directory, &[&candidate.keep_name]);
    }

    /// Commits the candidates of one VOB with the contents that the commit is to bring along, and answers them.
    fn commit(&self, vob: &Arc<MountedVob>, judged: &mut Judged, contents: Vec<Operation>) {
        let here = |one: &Candidate| Arc::ptr_eq(&one.target.vob, vob);
        let mut refused = Vec::new();
        let committed = self.server.commit(vob, |store| {
            let time_ns = now_ns();
            let mut transactions = Vec::new();
            for (index, one) in judged.iter().enumerate() {
                let Some(candidate) = one.as_ref().ok().filter(|one| here(one)) else { continue };
                match self.transaction(store, candidate, time_ns) {
                    Ok(transaction) => transactions.push(transaction),
                    Err(failure) => refused.push((index, failure)),
                }
            }
            if !refused.is_empty() {
                return Err(Failure::new(FailureCode::NotDone));
            }
            if let Some(first) = transactions.first_mut() {
                first.operations.splice(0..0, contents);
            }
            Ok(transactions)
        });
        let failure = committed.err();
        if let Some(failure) = failure.filter(|failure| failure.code() != FailureCode::NotDone) {
            let all = judged.iter().enumerate().filter(|(_, one)| one.as_ref().is_ok_and(here));
            refused.extend(all.map(|(index, _)| (index, failure.clone())));
        }
        if refused.is_empty() {
            for one in judged.iter_mut().filter(|one| one.as_ref().is_ok_and(here)) {
                let Ok(candidate) = one else { continue };
                *one = Err(self.finish(candidate));
            }
        }
        for (index, failure) in refused {
            if let Ok(candidate) = &judged[index] {
                self.drop_kept(candidate);
            }
            judged[index] = Err(Err(failure));
        }
    }

    /// Makes a version's transaction, if nothing speaks against it now that nobody can come between.
    fn transaction(&self, store: &Vob, candidate: &Candidate, time_ns: i64) -> Outcome<Transaction> {
        let Candidate { target, argument, data, .. } = candidate;
        let number = target.element.number;
        let element = store.element(number)?.ok_or_else(|| Failure::internal("the element is gone"))?;
        let checkout = self.checkout(target, &element)?;
        self.server.refuse_locked(&target.vob, &element, Some(checkout.branch), self.caller, "checkin")?;
        self.judge_branch(store, &element, checkout)?;
        self.judge_identical(store, &element, checkout, data)?;
        if candidate.stamp.is_some_and(|stamp| !stamp.is_of(&target.data_path())) {
            return Err(Failure::new(FailureCode::FileChangedDuringCheckin));
        }
        let comment = argument.comment.as_ref().map(|comment| String::from_utf8_lossy(comment).into_owned());
        let preserves_time = self.request.preserve_time || store.state().preserves_time(element.element_type);
        // Bookkeeping lines of a directory stay; a comment of the checkin comes first.
        let comment = match comment {
            None => checkout.comment.clone(),
            Some(comment) if element.kind == ElementKind::Directory && comment != checkout.comment => {
                let lines = [comment.as_str(), checkout.comment.as_str()];
                lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
            }
            Some(comment) => comment,
        };
        Ok(Transaction {
            time_ns,
            user: self.user.clone(),
            comment,
            attributes: vec![],
            operations: vec![Operation::CheckIn {
                element: number,
                view: target.view.uuid(),
                content: data.content,
                executable: data.executable,
                modified_ns: preserves_time.then_some(data.modified_ns),
            }],
        })
    }

    /// What follows a committed checkin in the view: the private copy goes.
    fn finish(&self, candidate: &mut Candidate) -> Outcome<CheckedIn> {
        let Candidate { target, branch, stamp, keep_name, .. } = candidate;
        let mut done = CheckedIn { keep_name: std::mem::take(keep_name), ..CheckedIn::default() };
        if target.element.kind == ElementKind::File {
            // Whoever wrote to the copy after it was read finds that beside the element.
            if done.keep_name.is_empty() && stamp.is_some_and(|stamp| !stamp.is_of(&target.data_path())) {
                done.keep_name = self.server.keep_copy(target)?;
            }
            if let Some(copy) = data_of(target) {
                remove_data(target, copy, None)?;
            }
        }
        let element = target.vob.element(target.element.number)?;
        if !element.has_branch(*branch) {
            // Removed by somebody else, as soon as it was checked in.
            return Ok(done);
        }
        let newest = element.newest(*branch);
        done.version = version_id(&target.vob.vob.state(), &element, newest).into_bytes();
        let path = path_of(&target.view, &target.vob, target.parent.as_ref())?;
        let shown = target.view.select(&target.vob, &path, &element);
        if !matches!(shown, Shown::Version(version, _) if version == newest) {
            done.notices.push(Notice { code: NoticeCode::CheckedInNotSelected.into(), ..Notice::default() });
        }
        Ok(done)
    }
}

/// Tells whether an argument is still a candidate, or done.
fn is_not_refused(one: &Result<Candidate, Outcome<CheckedIn>>) -> bool {
    !matches!(one, Err(Err(_)))
}
