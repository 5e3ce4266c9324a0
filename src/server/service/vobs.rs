//! VOBs: making, removing, listing, mounting.

use super::further_types;
use crate::server::identity::{self, Caller};
use crate::server::proto::*;
use crate::server::registry::{EntryError, RegistryError, TagError, VobEntry, VobTag};
use crate::server::state::{Outcome, Server, default_engine, now_ns, person};
use crate::store::{CommitError, Vob, VobOptions};
use crate::view::MountedVob;
use crate::vob::{EventNo, Oid, Operation, Part, Transaction, User};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Failure {
        tracing::error!(%error, "the registry");
        match &error {
            RegistryError::Io { path, source } => Failure::system(path.as_os_str().as_bytes(), source),
            other => Failure::other(other.to_string()),
        }
    }
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Failure {
        match error {
            EntryError::TagInUse { taken } => {
                Failure::new(FailureCode::TagInUse).name(taken.as_os_str().as_bytes())
            }
            EntryError::StorageInUse { storage } => {
                Failure::new(FailureCode::StorageExists).name(storage.as_os_str().as_bytes())
            }
        }
    }
}

/// Words a tag that breaks a law.
pub fn bad_tag(tag: &[u8], error: TagError) -> Failure {
    Failure { text: error.to_string(), ..Failure::new(FailureCode::BadTag).name(tag) }
}

fn vob_tag(tag: &[u8]) -> Outcome<VobTag> {
    let parsed = VobTag::new(OsStr::from_bytes(tag)).map_err(|error| bad_tag(tag, error))?;
    match std::str::from_utf8(tag) {
        Ok(_) => Ok(parsed),
        Err(_) => Err(bad_tag(tag, TagError::BadCharacter)),
    }
}

/// Checks that a caller may make a directory at a path, which root's daemon makes for them.
pub fn check_storage_place(path: &Path, caller: &Caller, default_below: &Path) -> Outcome<()> {
    let name = || path.as_os_str().as_bytes().to_vec();
    if path.symlink_metadata().is_ok() {
        return Err(Failure::new(FailureCode::StorageExists).name(name()));
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let metadata =
        parent.metadata().map_err(|error| Failure::system(parent.as_os_str().as_bytes(), &error))?;
    if caller.is_root() || path.starts_with(default_below) {
        return Ok(());
    }
    identity::check_readable(parent, caller).map_err(|error| Failure::system(name(), &error))?;
    use std::os::unix::fs::MetadataExt;
    let shift = match &metadata {
        m if m.uid() == caller.user_id => 6,
        m if caller.in_group(m.gid()) => 3,
        _ => 0,
    };
    match metadata.mode() >> shift & 3 == 3 {
        true => Ok(()),
        false => Err(Failure::system(name(), &std::io::ErrorKind::PermissionDenied.into())),
    }
}

impl Server {
    pub(super) fn create_vob(&self, caller: &Caller, request: &CreateVobRequest) -> Outcome<VobFacts> {
        let context = Server::context(&request.context)?;
        let tag = vob_tag(&request.tag)?;
        let engine = match request.engine.as_str() {
            "" => default_engine()?,
            name => name.parse().map_err(|error| Failure::other(format!("{error}")))?,
        };
        let _turn = self.administration.lock();
        let entries = self.registry.entries();
        let storage = match request.storage.as_slice() {
            [] => self.default_storage(self.home.vobs(), &String::from_utf8_lossy(tag.bytes()), "vbs"),
            path => PathBuf::from(OsStr::from_bytes(path)),
        };
        let uuid = Oid::derived(&[
            tag.bytes(),
            &now_ns().to_be_bytes(),
            &std::process::id().to_be_bytes(),
            storage.as_os_str().as_bytes(),
        ]);
        let entry = VobEntry {
            storage: storage.clone(),
            uuid: uuid.to_string(),
            index: 0,
            owner: caller.user_id,
            group: caller.group_id,
            mounted: request.mount,
            public: request.public,
        };
        // A tag in use is refused before anything is made.
        let mut trial = (*entries).clone();
        trial.add_vob(tag.clone(), entry.clone())?;
        if request.storage.is_empty() && is_abandoned(&storage) {
            remove_storage(&storage)?;
        }
        check_storage_place(&storage, caller, &self.home.vobs())?;
        let options = VobOptions {
            engine,
            user: self.user(caller, context),
            owner: caller.user_id,
            group: caller.group_id,
            comment: String::from_utf8_lossy(&request.comment).into_owned(),
            time_ns: now_ns(),
            oid: uuid,
        };
        let vob = Vob::create(&storage, &options)?;
        let groups = super::groups::inherited(caller);
        let furnished = furnish(&vob, &options, &groups);
        drop(vob);
        let registered = furnished.and_then(|()| {
            self.registry.change(|entries| entries.add_vob(tag.clone(), entry).map_err(Failure::from))
        });
        if let Err(failure) = registered {
            let _ = std::fs::remove_dir_all(&storage);
            return Err(failure);
        }
        if request.mount {
            self.show_vob(&tag)?;
        }
        // What is not mounted tells nothing of its groups.
        let additional_groups = groups.iter().map(|group| identity::group_name(*group)).collect();
        Ok(VobFacts { additional_groups, ..self.vob_facts(&tag)? })
    }

    /// Opens a VOB that is registered and shows it in views.
    fn show_vob(&self, tag: &VobTag) -> Outcome<()> {
        let entries = self.registry.entries();
        let entry = entries.vobs.get(tag).ok_or_else(|| no_such_vob(tag.bytes()))?;
        self.open_vob(tag, entry)?;
        self.host.tables_changed();
        Ok(())
    }

    pub(super) fn remove_vob(&self, caller: &Caller, request: &RemoveVobRequest) -> Outcome<VobFacts> {
        let _turn = self.administration.lock();
        let entries = self.registry.entries();
        let tag = match &request.which {
            Some(remove_vob_request::Which::Tag(tag)) => vob_tag(tag).map_err(|_| no_such_vob(tag))?,
            Some(remove_vob_request::Which::Storage(path)) => {
                let path = Path::new(OsStr::from_bytes(path));
                // The product takes the storage's path; a tag says the same.
                let named = |(tag, entry): &(&VobTag, &VobEntry)| entry.storage == path || tag.path() == path;
                let found = entries.vobs.iter().find(named);
                let missing = || Failure::new(FailureCode::NoSuchFile).name(path.as_os_str().as_bytes());
                found.map(|(tag, _)| tag.clone()).ok_or_else(missing)?
            }
            None => return Err(Failure::internal("a VOB to remove was not named")),
        };
        let entry = entries.vobs.get(&tag).ok_or_else(|| no_such_vob(tag.bytes()))?.clone();
        self.permit(caller, &[(entry.owner, "VOB owner")], "remove VOB")?;
        let text = String::from_utf8_lossy(tag.bytes()).into_owned();
        if self.host.vob(&text).is_some() && !request.force {
            return Err(Failure::new(FailureCode::Busy).name(tag.bytes()));
        }
        let facts = self.vob_facts(&tag)?;
        if request.only_tell {
            return Ok(facts);
        }
        self.hide_vob(&text);
        self.registry.change(|entries| {
            entries.vobs.remove(&tag);
            Ok::<_, Failure>(())
        })?;
        remove_storage(&entry.storage)?;
        Ok(facts)
    }

    /// Takes a VOB out of views and closes it.
    fn hide_vob(&self, tag: &str) -> bool {
        let Some(vob) = self.host.remove_vob(tag) else {
            return false;
        };
        self.host.forget_all_selection();
        if let Err(error) = vob.vob.close() {
            tracing::error!(%error, vob = tag, "the index was not written; it is brought up from the journal");
        }
        true
    }

    pub(super) fn list_vobs(&self, _caller: &Caller, request: &ListVobsRequest) -> Outcome<ListVobsReply> {
        let entries = self.registry.entries();
        let all = || entries.vobs.keys().map(|tag| tag.bytes().to_vec()).collect();
        let tags: Vec<Vec<u8>> = if request.tags.is_empty() { all() } else { request.tags.clone() };
        let outcome = |tag: Vec<u8>| {
            let outcome = match VobTag::new(OsStr::from_bytes(&tag)) {
                Ok(parsed) if entries.vobs.contains_key(&parsed) => self.vob_facts(&parsed),
                _ => Err(no_such_vob(&tag)),
            };
            VobOutcome {
                outcome: Some(match outcome {
                    Ok(facts) => vob_outcome::Outcome::Done(facts),
                    Err(failure) => vob_outcome::Outcome::Failure(failure),
                }),
            }
        };
        Ok(ListVobsReply { outcomes: tags.into_iter().map(outcome).collect() })
    }

    /// Returns what is known of a VOB; what only its storage tells is there while it is mounted.
    pub fn vob_facts(&self, tag: &VobTag) -> Outcome<VobFacts> {
        let entries = self.registry.entries();
        let entry = entries.vobs.get(tag).ok_or_else(|| no_such_vob(tag.bytes()))?;
        let mut facts = VobFacts {
            tag: tag.bytes().to_vec(),
            storage: entry.storage.as_os_str().as_bytes().to_vec(),
            host: self.host_name.clone(),
            uuid: entry.uuid.clone(),
            public: entry.public,
            owner: identity::user_name(entry.owner),
            group: identity::group_name(entry.group),
            format_version: crate::store::vob::FORMAT,
            ..VobFacts::default()
        };
        match self.host.vob(&String::from_utf8_lossy(tag.bytes())) {
            Some(vob) => {
                facts.mounted = true;
                facts.engine = vob.vob.engine_kind().to_string();
                facts.evil_twin_detection = Some(super::names::detects_twins(&vob.vob)?);
                let event = vob.vob.event(EventNo(0))?;
                facts.created_s = event.time_ns.div_euclid(1_000_000_000);
                facts.comment = vob.vob.transaction(&event)?.comment.into_bytes();
                let user = vob.vob.state().users().get(event.user as usize).cloned();
                facts.creator = user.map(|user| person(&user));
                let state = vob.vob.state();
                let settings = state.settings();
                if let Some(comment) = settings.annotations.comment(EventNo(0)) {
                    facts.comment = comment.as_bytes().to_vec();
                }
                facts.lock = super::locks::state_of(&settings.annotations, Part::Whole).into();
                facts.owner = identity::user_name(state.header.owner);
                facts.group = identity::group_name(state.header.group);
                let groups = settings.groups.iter().filter(|group| **group != state.header.group);
                facts.additional_groups = groups.map(|group| identity::group_name(*group)).collect();
            }
            None if entry.mounted => {
                facts.trouble = Some(match Vob::open(&entry.storage) {
                    Err(error) => error.into(),
                    Ok(_) => {
                        Failure::other("it could not be mounted when the daemon started; mount it again")
                    }
                });
            }
            None => facts.creator = Some(person(&User { login: facts.owner.clone(), ..User::default() })),
        }
        Ok(facts)
    }

    /// The mounted VOBs with these tags; all without any.
    pub(super) fn listed_vobs(&self, tags: &[Vec<u8>]) -> Vec<Outcome<Arc<MountedVob>>> {
        if tags.is_empty() {
            return self.host.vobs().into_iter().map(Ok).collect();
        }
        let mounted = |tag: &Vec<u8>| {
            let vob = self.host.vob(&String::from_utf8_lossy(tag));
            vob.ok_or_else(|| Failure::new(FailureCode::NotMounted).name(tag.as_slice()))
        };
        tags.iter().map(mounted).collect()
    }

    /// Changes settings of mounted VOBs.
    pub(super) fn change_vobs(&self, caller: &Caller, request: &ChangeVobRequest) -> Outcome<ListVobsReply> {
        let context = Server::context(&request.context)?;
        let change = |tag: &Vec<u8>| {
            let (parsed, _) = self.registered(tag)?;
            let vob = self.host.vob(&String::from_utf8_lossy(tag));
            let vob = vob.ok_or_else(|| Failure::new(FailureCode::NotMounted).name(tag.as_slice()))?;
            self.permit(caller, &[(vob.vob.state().header.owner, "VOB owner")], "change VOB")?;
            if let Some(detection) = request.evil_twin_detection {
                let value: &[u8] = if detection { b"on" } else { b"off" };
                let key = super::names::DETECTION.to_owned();
                let transaction = Transaction {
                    time_ns: now_ns(),
                    user: self.user(caller, context),
                    comment: String::new(),
                    attributes: vec![],
                    operations: vec![Operation::SetNote { key, value: value.into() }],
                };
                self.commit(&vob, |_| Ok(vec![transaction]))?;
            }
            self.vob_facts(&parsed)
        };
        let outcome = |tag: &Vec<u8>| VobOutcome {
            outcome: Some(match change(tag) {
                Ok(facts) => vob_outcome::Outcome::Done(facts),
                Err(failure) => vob_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(ListVobsReply { outcomes: request.tags.iter().map(outcome).collect() })
    }

    pub(super) fn mount_vobs(&self, caller: &Caller, request: &MountRequest) -> Outcome<MountReply> {
        let _turn = self.administration.lock();
        let entries = self.registry.entries();
        let wanted = |entry: &VobEntry| entry.public || entry.owner == caller.user_id || caller.is_root();
        let mountable = |(tag, entry): (&VobTag, &VobEntry)| {
            let hidden = self.host.vob(&String::from_utf8_lossy(tag.bytes())).is_none();
            (wanted(entry) && hidden).then(|| tag.bytes().to_vec())
        };
        let tags = match request.all {
            true => entries.vobs.iter().filter_map(mountable).collect(),
            false => request.tags.clone(),
        };
        self.for_each(tags, |tag| {
            let (parsed, entry) = self.registered(tag)?;
            if !entry.public {
                self.permit(caller, &[(entry.owner, "VOB owner")], "mount")?;
            }
            if self.host.vob(&String::from_utf8_lossy(tag)).is_some() {
                return Err(Failure::new(FailureCode::AlreadyMounted).name(tag));
            }
            self.show_vob(&parsed)?;
            self.note_mounted(&parsed, true)
        })
    }

    pub(super) fn unmount_vobs(&self, caller: &Caller, request: &MountRequest) -> Outcome<MountReply> {
        let _turn = self.administration.lock();
        let entries = self.registry.entries();
        let own = |tag: &[u8]| {
            let parsed = VobTag::new(OsStr::from_bytes(tag)).ok();
            let entry = parsed.and_then(|tag| entries.vobs.get(&tag));
            entry.is_some_and(|entry| entry.public || entry.owner == caller.user_id || caller.is_root())
        };
        let shown = self.host.vobs();
        let tags = match request.all {
            true => shown.iter().map(|vob| vob.tag.clone().into_bytes()).filter(|tag| own(tag)).collect(),
            false => request.tags.clone(),
        };
        self.for_each(tags, |tag| {
            let (parsed, entry) = self.registered(tag)?;
            if !entry.public {
                self.permit(caller, &[(entry.owner, "VOB owner")], "unmount")?;
            }
            if !self.hide_vob(&String::from_utf8_lossy(tag)) {
                return Err(Failure::new(FailureCode::NotMounted).name(tag));
            }
            self.note_mounted(&parsed, false)
        })
    }

    fn registered(&self, tag: &[u8]) -> Outcome<(VobTag, VobEntry)> {
        let parsed = VobTag::new(OsStr::from_bytes(tag)).map_err(|_| no_such_vob(tag))?;
        let entries = self.registry.entries();
        let entry = entries.vobs.get(&parsed).cloned();
        Ok((parsed, entry.ok_or_else(|| no_such_vob(tag))?))
    }

    fn note_mounted(&self, tag: &VobTag, mounted: bool) -> Outcome<()> {
        self.registry.change(|entries| {
            if let Some(entry) = entries.vobs.get_mut(tag) {
                entry.mounted = mounted;
            }
            Ok(())
        })
    }

    fn for_each(&self, tags: Vec<Vec<u8>>, act: impl Fn(&[u8]) -> Outcome<()>) -> Outcome<MountReply> {
        let outcome = |tag: Vec<u8>| MountOutcome { failure: act(&tag).err(), tag };
        Ok(MountReply { outcomes: tags.into_iter().map(outcome).collect() })
    }
}

/// Tells whether a directory holds nothing but these names.
pub fn holds_only(directory: &Path, names: &[&str]) -> bool {
    let known = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| names.iter().any(|name| entry.file_name() == *name))
    };
    std::fs::read_dir(directory).is_ok_and(|mut entries| entries.all(known))
}

/// Tells whether storage was left by a daemon that was killed while it made a VOB: there is
/// nothing in it. To be asked only of a place that the daemon chose itself and that no VOB is
/// registered with, because what is abandoned is removed.
fn is_abandoned(storage: &Path) -> bool {
    if !holds_only(storage, &["journal", "index", "s", "c", "format", "lock"]) {
        return false;
    }
    match Vob::open(storage) {
        // Nothing was done but to make it and to furnish it.
        Ok(vob) => {
            let state = vob.state();
            state.header.elements <= 2
                && state.header.events <= 3
                && state.types().len() <= further_types::MOST
        }
        Err(crate::store::StoreError::NotAVob { .. }) => !storage.join("format").exists(),
        Err(_) => false,
    }
}

/// Gives a new VOB the element types that all have, and its further groups.
fn furnish(vob: &Vob, options: &VobOptions, groups: &[u32]) -> Outcome<()> {
    let transaction = |comment: &str, operations| Transaction {
        time_ns: options.time_ns,
        user: options.user.clone(),
        comment: comment.to_owned(),
        attributes: vec![],
        operations,
    };
    let furnished = vob.commit(|store| {
        let types = further_types::operations(&store.state(), options);
        let mut transactions = vec![transaction("Predefined element type.", types)];
        if !groups.is_empty() {
            transactions.push(transaction("", vec![Operation::SetVobGroups { groups: groups.to_vec() }]));
        }
        Ok::<_, Failure>(transactions)
    });
    furnished.map(drop).map_err(|error| match error {
        CommitError::Plan(failure) => failure,
        CommitError::Store(error) => error.into(),
        CommitError::Refused(refused) => Failure::internal(refused.to_string()),
    })
}

pub fn no_such_vob(tag: &[u8]) -> Failure {
    Failure::new(FailureCode::NoSuchVobTag).name(tag)
}

/// Removes a storage directory; one that is gone already is fine.
pub fn remove_storage(path: &Path) -> Outcome<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::system(path.as_os_str().as_bytes(), &error))
        }
        _ => Ok(()),
    }
}
