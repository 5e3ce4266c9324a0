//! Views: making, removing, listing, starting, and their config specs.

use super::faults::config_spec_faults;
use super::vobs::{bad_tag, check_storage_place, holds_only, remove_storage};
use crate::server::identity::{self, Caller};
use crate::server::proto::*;
use crate::server::registry::{ViewEntry, ViewTag};
use crate::server::state::{DEFAULT_CONFIG_SPEC, Outcome, Server, now_ns};
use crate::store::CommitError;
use crate::view::storage::StoredSpec;
use crate::view::{View, ViewStorage};
use crate::vob::{ElementKind, ElementNo, Oid, Operation, Transaction, ViewUuid};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn view_tag(tag: &str) -> Outcome<ViewTag> {
    ViewTag::new(tag).map_err(|error| bad_tag(tag.as_bytes(), error))
}

/// Tells whether storage was left by a daemon that was killed while it made a view: there is
/// nothing in it. To be asked as the same of VOBs.
fn is_abandoned(storage: &Path) -> bool {
    let is_empty = |below: &str| match std::fs::read_dir(storage.join(below)) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    let directories = ["private", "checkout", ViewStorage::STAGING];
    let files = ["config_spec", "config_spec_origin", ".compiled_spec", "mode", "owner", "format"];
    let unfinished = files.map(|file| format!("{file}.new"));
    let unfinished = unfinished.iter().map(String::as_str);
    let known: Vec<&str> =
        directories.into_iter().chain(files).chain(unfinished).chain(["comment"]).collect();
    holds_only(storage, &known) && is_empty("private") && is_empty("checkout")
}

fn no_such_view(tag: &str) -> Failure {
    Failure { view_tag: tag.to_owned(), ..Failure::new(FailureCode::NoSuchViewTag) }
}

/// A text that is to become a view's config spec.
struct Candidate {
    text: Vec<u8>,
    /// The file that it is from.
    file: PathBuf,
    /// It is an edited copy of that file's text, and somewhere else.
    is_copy: bool,
}

impl Server {
    pub(super) fn create_view(
        &self,
        caller: &Caller,
        request: &CreateViewRequest,
    ) -> Outcome<CreateViewReply> {
        let tag = view_tag(&request.tag)?;
        let context = Server::context(&request.context)?;
        let text = match request.config_spec.as_slice() {
            [] => self.default_config_spec()?,
            text => text.to_vec(),
        };
        let origin = self.default_config_spec_file();
        // Before the turn: included files can be slow to read.
        let compiled = match self.compile_in(self.current_tag(context), &text, &origin, caller) {
            Ok(spec) => spec.compiled_form(),
            Err(found) => {
                return Ok(CreateViewReply { view: None, faults: Some(config_spec_faults(found, None)) });
            }
        };
        let _turn = self.administration.lock();
        let storage = match request.storage.as_slice() {
            [] => self.default_storage(self.home.views(), tag.as_str(), "vws"),
            path => PathBuf::from(OsStr::from_bytes(path)),
        };
        let seed = Oid::derived(&[
            tag.as_str().as_bytes(),
            &now_ns().to_be_bytes(),
            &std::process::id().to_be_bytes(),
            storage.as_os_str().as_bytes(),
        ]);
        let uuid = ViewUuid(seed.0);
        let entry = ViewEntry {
            storage: storage.clone(),
            uuid: uuid.to_string(),
            index: 0,
            owner: caller.user_id,
            group: caller.group_id,
            started: true,
        };
        let mut trial = (*self.registry.entries()).clone();
        trial.add_view(tag.clone(), entry.clone())?;
        if request.storage.is_empty() && is_abandoned(&storage) {
            remove_storage(&storage)?;
        }
        check_storage_place(&storage, caller, &self.home.views())?;
        let config_spec = StoredSpec { text: &text, origin: &origin, compiled: &compiled };
        drop(ViewStorage::create(&storage, uuid, config_spec)?);
        let mode = || ViewStorage::set_mode(&storage, (0o777 & !context.umask) as u16).map_err(Failure::from);
        let comment = || std::fs::write(storage.join("comment"), &request.comment);
        let made = mode()
            .and_then(|()| {
                ViewStorage::set_owner(&storage, caller.user_id, caller.group_id).map_err(Failure::from)
            })
            .and_then(|()| comment().map_err(|error| Failure::system(storage.as_os_str().as_bytes(), &error)))
            .and_then(|()| {
                self.registry.change(|entries| entries.add_view(tag.clone(), entry).map_err(Failure::from))
            });
        if let Err(failure) = made {
            let _ = std::fs::remove_dir_all(&storage);
            return Err(failure);
        }
        let entries = self.registry.entries();
        let entry = entries.views.get(&tag).ok_or_else(|| no_such_view(tag.as_str()))?;
        let view = self.open_view(&tag, entry)?;
        self.host.view_came_or_went(&view);
        Ok(CreateViewReply { view: Some(self.view_facts(&tag)?), faults: None })
    }

    /// Where the site's default config spec is, if there is one.
    fn default_config_spec_file(&self) -> PathBuf {
        self.home.root().join("default_config_spec")
    }

    /// The site's default config spec, else the built-in one.
    fn default_config_spec(&self) -> Outcome<Vec<u8>> {
        let path = self.default_config_spec_file();
        match std::fs::read(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(DEFAULT_CONFIG_SPEC.into()),
            Err(error) => Err(Failure::system(path.as_os_str().as_bytes(), &error)),
        }
    }

    fn show_view(&self, tag: &ViewTag) -> Outcome<()> {
        let entries = self.registry.entries();
        let entry = entries.views.get(tag).ok_or_else(|| no_such_view(tag.as_str()))?;
        self.open_view(tag, entry)?;
        self.host.tables_changed();
        Ok(())
    }

    pub(super) fn remove_view(
        &self,
        caller: &Caller,
        request: &RemoveViewRequest,
    ) -> Outcome<RemoveViewReply> {
        let _turn = self.administration.lock();
        let entries = self.registry.entries();
        let mut views = entries.views.iter();
        let found = match &request.which {
            Some(remove_view_request::Which::Tag(tag)) => views.find(|(t, _)| t.as_str() == tag),
            Some(remove_view_request::Which::Storage(path)) => {
                views.find(|(_, entry)| entry.storage.as_os_str().as_bytes() == path)
            }
            Some(remove_view_request::Which::Uuid(uuid)) => {
                let uuid = uuid.parse::<ViewUuid>().map(|uuid| uuid.to_string());
                views.find(|(_, entry)| uuid.as_ref().is_ok_and(|uuid| entry.uuid == *uuid))
            }
            None => return Err(Failure::internal("a view to remove was not named")),
        };
        let named = match &request.which {
            Some(remove_view_request::Which::Tag(tag)) => tag.clone(),
            Some(remove_view_request::Which::Uuid(uuid)) => uuid.clone(),
            Some(remove_view_request::Which::Storage(path)) => String::from_utf8_lossy(path).into_owned(),
            None => String::new(),
        };
        let context = Server::context(&request.context)?;
        let Some((tag, entry)) = found else {
            return match &request.which {
                Some(remove_view_request::Which::Uuid(uuid)) => self.forget_view(caller, context, uuid),
                _ => Err(no_such_view(&named)),
            };
        };
        self.permit(caller, &[(entry.owner, "view owner")], "remove view")?;
        let uuid: ViewUuid = entry.uuid.parse().map_err(|error| Failure::internal(format!("{error}")))?;
        let held = self.checkouts_of(&uuid)?;
        if !held.is_empty() && !request.force {
            return Err(Failure {
                text: format!("it holds {} checkouts", held.iter().map(|(_, e)| e.len()).sum::<usize>()),
                ..Failure::new(FailureCode::Busy).name(tag.as_str())
            });
        }
        let facts = self.view_facts(tag)?;
        let mut notices = Vec::new();
        for (vob, elements) in held {
            notices.extend(self.cancel_checkouts(caller, context, &vob, &elements, (uuid, tag.as_str()))?);
        }
        if let Some(view) = self.host.remove_view(tag.as_str()) {
            self.host.view_came_or_went(&view);
        }
        self.registry.change(|entries| {
            entries.views.remove(tag);
            Ok::<_, Failure>(())
        })?;
        remove_storage(&entry.storage)?;
        Ok(RemoveViewReply { view: Some(facts), notices })
    }

    /// Removes the checkouts of a view that is not registered any more: its storage and entry are lost.
    fn forget_view(&self, caller: &Caller, context: &Context, uuid: &str) -> Outcome<RemoveViewReply> {
        let parsed: ViewUuid = uuid.parse().map_err(|_| no_such_view(uuid))?;
        let held = self.checkouts_of(&parsed)?;
        if held.is_empty() {
            return Err(no_such_view(uuid));
        }
        for (vob, _) in &held {
            self.permit(caller, &[(vob.vob.state().header.owner, "VOB owner")], "remove view")?;
        }
        let mut notices = Vec::new();
        for (vob, elements) in held {
            notices.extend(self.cancel_checkouts(caller, context, &vob, &elements, (parsed, uuid))?);
        }
        Ok(RemoveViewReply { view: None, notices })
    }

    /// Cancels checkouts of a view that goes. What only they named moves to `lost+found`.
    pub(super) fn cancel_checkouts(
        &self,
        caller: &Caller,
        context: &Context,
        vob: &Arc<crate::view::MountedVob>,
        elements: &[ElementNo],
        (view, name): (ViewUuid, &str),
    ) -> Outcome<Vec<Notice>> {
        let mut notices = Vec::new();
        self.commit_silently(vob, |store| {
            let mut given_up = Vec::new();
            for number in elements {
                let element = store.element(*number)?.filter(|e| e.kind == ElementKind::Directory);
                let checkout = element.and_then(|element| element.checkout_of(&view).cloned());
                given_up.extend(checkout.map(|checkout| (*number, checkout)));
            }
            let (lost, told) = super::names::orphans(store, store, &given_up)?;
            notices = told;
            let cancel = |element: &ElementNo| Operation::CancelCheckOut { element: *element, view };
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: format!("Removed view \"{name}\"."),
                attributes: vec![],
                operations: lost.into_iter().chain(elements.iter().map(cancel)).collect(),
            }])
        })?;
        let code = NoticeCode::ReferencesRemoved.into();
        notices.push(Notice { code, name: vob.tag.clone().into_bytes(), ..Notice::default() });
        Ok(notices)
    }

    /// Finds the elements checked out to a view, in every mounted VOB that has any.
    #[allow(clippy::type_complexity)]
    pub(super) fn checkouts_of(
        &self,
        view: &ViewUuid,
    ) -> Outcome<Vec<(std::sync::Arc<crate::view::MountedVob>, Vec<ElementNo>)>> {
        let mut found = Vec::new();
        for vob in self.host.vobs() {
            let mut held = Vec::new();
            for number in vob.vob.checked_out()? {
                if vob.element(number)?.checkout_of(view).is_some() {
                    held.push(number);
                }
            }
            // Directories last: what was made in them is orphaned only after it was given up.
            let is_directory = |number: &ElementNo| {
                vob.element(*number).is_ok_and(|element| element.kind == ElementKind::Directory)
            };
            held.sort_by_key(is_directory);
            if !held.is_empty() {
                found.push((vob, held));
            }
        }
        Ok(found)
    }

    pub(super) fn list_views(&self, _caller: &Caller, request: &ListViewsRequest) -> Outcome<ListViewsReply> {
        let entries = self.registry.entries();
        let all = || entries.views.keys().map(|tag| tag.as_str().to_owned()).collect();
        let tags: Vec<String> = if request.tags.is_empty() { all() } else { request.tags.clone() };
        let facts =
            |tag: &String| view_tag(tag).map_err(|_| no_such_view(tag)).and_then(|t| self.view_facts(&t));
        Ok(ListViewsReply { outcomes: tags.iter().map(|tag| outcome(facts(tag))).collect() })
    }

    fn view_facts(&self, tag: &ViewTag) -> Outcome<ViewFacts> {
        let entries = self.registry.entries();
        let entry = entries.views.get(tag).ok_or_else(|| no_such_view(tag.as_str()))?;
        let metadata = |name: &str| entry.storage.join(name).metadata();
        let owner = identity::user_name(entry.owner);
        let group = identity::group_name(entry.group);
        let opened = ViewStorage::open(&entry.storage);
        Ok(ViewFacts {
            tag: tag.as_str().to_owned(),
            storage: entry.storage.as_os_str().as_bytes().to_vec(),
            host: self.host_name.clone(),
            uuid: entry.uuid.clone(),
            started: self.host.view(tag.as_str()).is_some(),
            mode: opened.as_ref().map_or(0, |storage| storage.access().mode.into()),
            comment: std::fs::read(entry.storage.join("comment")).unwrap_or_default(),
            created_s: metadata("format").map_or(0, |metadata| metadata.mtime()),
            creator: Some(Person {
                login: owner.clone(),
                group: group.clone(),
                host: self.host_name.clone(),
                full_name: identity::Account::of_user(entry.owner).map(|a| a.full_name).unwrap_or_default(),
            }),
            owner,
            group,
            root: self.home.viewroot().join(tag.as_str()).as_os_str().as_bytes().to_vec(),
            config_spec_changed_s: metadata("config_spec").map_or(0, |metadata| metadata.mtime()),
            trouble: opened.err().map(Failure::from),
            additional_groups: vec![],
        })
    }

    pub(super) fn start_views(&self, _caller: &Caller, request: &ViewTags) -> Outcome<ViewOutcomes> {
        let _turn = self.administration.lock();
        let start = |tag: &String| {
            let parsed = view_tag(tag).map_err(|_| no_such_view(tag))?;
            if self.host.view(tag).is_none() {
                self.show_view(&parsed)?;
                self.note_started(&parsed, true)?;
            }
            self.view_facts(&parsed)
        };
        Ok(ViewOutcomes { outcomes: request.tags.iter().map(|tag| outcome(start(tag))).collect() })
    }

    pub(super) fn end_views(&self, caller: &Caller, request: &ViewTags) -> Outcome<ViewOutcomes> {
        let _turn = self.administration.lock();
        let end = |tag: &String| {
            let parsed = view_tag(tag).map_err(|_| no_such_view(tag))?;
            let entries = self.registry.entries();
            let entry = entries.views.get(&parsed).ok_or_else(|| no_such_view(tag))?;
            self.permit(caller, &[(entry.owner, "view owner")], "end view")?;
            if self.host.remove_view(tag).is_none() {
                return Err(Failure { view_tag: tag.clone(), ..Failure::new(FailureCode::ViewNotStarted) });
            }
            self.host.tables_changed();
            self.note_started(&parsed, false)?;
            self.view_facts(&parsed)
        };
        Ok(ViewOutcomes { outcomes: request.tags.iter().map(|tag| outcome(end(tag))).collect() })
    }

    fn note_started(&self, tag: &ViewTag, started: bool) -> Outcome<()> {
        self.registry.change(|entries| {
            if let Some(entry) = entries.views.get_mut(tag) {
                entry.started = started;
            }
            Ok(())
        })
    }

    pub(super) fn set_config_spec(
        &self,
        caller: &Caller,
        request: &SetConfigSpecRequest,
    ) -> Outcome<SetConfigSpecReply> {
        let context = Server::context(&request.context)?;
        let (tag, set_view_tag) = self.config_spec_view(context, &request.tag)?;
        let view = self.view_to_configure(caller, tag)?;
        let Candidate { text, file, is_copy } = self.config_spec_to_set(&view, &request.source)?;
        let mut reply = SetConfigSpecReply { tag: tag.to_owned(), faults: None, set_view_tag };
        match self.compile_in(self.current_tag(context), &text, &file, caller) {
            Ok(spec) => {
                // What is stored is what is in force, also when two set at once.
                let turn = self.administration.lock();
                let (compiled, before) = (spec.compiled_form(), view.spec());
                let stored = StoredSpec { text: &text, origin: &file, compiled: &compiled };
                // The disk and the processors work side by side; the command ends after both.
                let stored = std::thread::scope(|scope| {
                    let storing = scope.spawn(|| view.storage.set_config_spec(stored));
                    self.host.set_spec(&view, spec);
                    storing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                });
                if let Err(error) = stored {
                    self.host.set_spec(&view, before);
                    return Err(error.into());
                }
                drop(turn);
            }
            Err(found) => reply.faults = Some(config_spec_faults(found, is_copy.then_some(&file))),
        }
        Ok(reply)
    }

    fn config_spec_to_set(
        &self,
        view: &View,
        source: &Option<set_config_spec_request::Source>,
    ) -> Outcome<Candidate> {
        use set_config_spec_request::Source;
        let origin = view.storage.config_spec_origin()?;
        let (text, file, is_copy) = match source {
            Some(Source::Text(given)) if given.file.is_empty() => (given.text.clone(), origin, true),
            Some(Source::Text(given)) => {
                let file = PathBuf::from(OsStr::from_bytes(&given.file));
                if !file.is_absolute() {
                    return Err(Failure::internal("a config spec's file was not named by its whole path"));
                }
                (given.text.clone(), file, false)
            }
            Some(Source::Default(_)) => (self.default_config_spec()?, self.default_config_spec_file(), false),
            Some(Source::Current(_)) => (view.storage.config_spec()?, origin, false),
            None => return Err(Failure::internal("a config spec was not given")),
        };
        Ok(Candidate { text, file, is_copy })
    }

    /// Finds the view whose config spec a command means: the named one, else the working directory's, else
    /// the set one. Answers its tag, and the set view's when the working directory's goes before it.
    fn config_spec_view<'a>(&self, context: &'a Context, named: &'a str) -> Outcome<(&'a str, String)> {
        if !named.is_empty() {
            return Ok((named, String::new()));
        }
        let tag = self.current_tag(context).ok_or_else(|| Failure::new(FailureCode::NoView))?;
        let other = Some(&context.view_tag).filter(|set| !set.is_empty() && *set != tag);
        Ok((tag, other.cloned().unwrap_or_default()))
    }

    /// Finds a started view whose config spec the caller may set.
    fn view_to_configure(&self, caller: &Caller, tag: &str) -> Outcome<Arc<View>> {
        let view = self.started_view(tag)?;
        let entries = self.registry.entries();
        let parsed = view_tag(tag)?;
        let entry = entries.views.get(&parsed).ok_or_else(|| no_such_view(tag))?;
        self.permit(caller, &[(entry.owner, "view owner")], "set config spec")
            .map_err(|failure| Failure { view_tag: tag.to_owned(), ..failure })?;
        Ok(view)
    }

    pub(super) fn get_config_spec(
        &self,
        caller: &Caller,
        request: &GetConfigSpecRequest,
    ) -> Outcome<GetConfigSpecReply> {
        let context = Server::context(&request.context)?;
        let (tag, set_view_tag) = self.config_spec_view(context, &request.tag)?;
        if request.to_change {
            self.view_to_configure(caller, tag)?;
        }
        // To be read, the view need not be started.
        let entries = self.registry.entries();
        let parsed = view_tag(tag).map_err(|_| no_such_view(tag))?;
        let entry = entries.views.get(&parsed).ok_or_else(|| no_such_view(tag))?;
        let text = ViewStorage::open(&entry.storage)?.config_spec()?;
        Ok(GetConfigSpecReply { tag: tag.to_owned(), text, set_view_tag })
    }

    pub(super) fn answer_current_view(
        &self,
        _caller: &Caller,
        request: &CurrentViewRequest,
    ) -> Outcome<CurrentViewReply> {
        let context = Server::context(&request.context)?;
        let here = self.below_viewroot(&context.working_directory).map(|(tag, _)| tag);
        let here = here.filter(|tag| self.host.view(tag).is_some());
        let set = context.view_tag.as_str();
        // Inside the set view, relative paths work in it too.
        let in_vob = self.host.vob_of(&context.working_directory).is_some();
        let working = here.or(Some(set).filter(|set| !set.is_empty() && in_vob));
        let root = here.filter(|tag| *tag != set).map(|tag| self.home.viewroot().join(tag));
        Ok(CurrentViewReply {
            working_directory_view: working.unwrap_or_default().to_owned(),
            set_view: set.to_owned(),
            root: root.map(|root| root.as_os_str().as_bytes().to_vec()).unwrap_or_default(),
        })
    }

    /// Commits what no trigger stands in the way of, and makes the commit visible in every view.
    pub(super) fn commit(
        &self,
        vob: &std::sync::Arc<crate::view::MountedVob>,
        plan: impl FnOnce(&crate::store::Vob) -> Outcome<Vec<Transaction>>,
    ) -> Outcome<crate::store::Committed> {
        let mut after = Vec::new();
        let committed = self.commit_silently(vob, |store| {
            let transactions = plan(store)?;
            after = self.pass_triggers(vob, store, &transactions)?;
            Ok(transactions)
        })?;
        crate::server::firing::committed(after);
        Ok(committed)
    }

    /// Commits without any trigger, and makes the commit visible in every view.
    pub(super) fn commit_silently(
        &self,
        vob: &std::sync::Arc<crate::view::MountedVob>,
        plan: impl FnOnce(&crate::store::Vob) -> Outcome<Vec<Transaction>>,
    ) -> Outcome<crate::store::Committed> {
        let committed = match vob.vob.commit(plan) {
            Ok(committed) => committed,
            Err(CommitError::Plan(failure)) => return Err(failure),
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Refused(refused)) => return Err(self.refused(vob, refused)),
        };
        let is_mounted = self.mounted.lock().is_some();
        match self.host.committed(vob, &committed) {
            // Whoever works in a directory that moved learns its new path by this.
            Ok(moved) if is_mounted => moved.iter().for_each(|path| drop(path.symlink_metadata())),
            Ok(_) => {}
            // It is committed all the same.
            Err(error) => tracing::error!(%error, "views could not be told of a commit one by one"),
        }
        Ok(committed)
    }
}

fn outcome(result: Outcome<ViewFacts>) -> ViewOutcome {
    ViewOutcome {
        outcome: Some(match result {
            Ok(facts) => view_outcome::Outcome::Done(facts),
            Err(failure) => view_outcome::Outcome::Failure(failure),
        }),
    }
}
