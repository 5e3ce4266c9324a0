//! An open VOB: commits transactions through the journal and serves its records.
//!
//! A commit is validated against the current records, appended to the journal, taken into
//! [`Recent`] and answered when the journal is synced. Readers look into `Recent`, then the
//! caches, then the engine; the engine learns of changes only at checkpoints, in one atomic
//! batch that also says how far it has come. This module must not know what a view is.
//!
//! Locks, in the order they may be taken: `commit`, `recent`. Neither is held while the
//! journal is synced; `recent` is never held across engine calls.

use super::engine::{self, Batch, Engine, EngineKind, Records};
use super::journal::{Journal, Position};
use super::pool::Pools;
use super::recent::{EVENTS_PER_PAGE, Recent, key};
use crate::vob::apply::{self, DirectoryAt, Event, PlacedChangeset, ReadError, Symlink};
use crate::vob::{
    Changes, Directory, DirectoryNode, Element, ElementNo, EventNo, Oid, Operation, Refused, SymlinkNo,
    Transaction, TypeObject, User, VobHeader, VobState, codec,
};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The storage format this program writes, and the newest it understands.
pub const FORMAT: u32 = 1;

/// Frames that may wait for a checkpoint: bounds the time that opening after a crash takes.
const FRAMES_PER_CHECKPOINT: u32 = 256;
/// Changed elements that may wait for a checkpoint: bounds memory.
const ELEMENTS_PER_CHECKPOINT: usize = 20_000;
/// Bytes the engine may use for its own cache.
const ENGINE_CACHE_BYTES: u64 = 32 << 20;
/// Elements kept decoded in memory.
const CACHED_ELEMENTS: usize = 100_000;
/// Directory catalogs kept decoded in memory.
const CACHED_DIRECTORIES: usize = 10_000;
/// Journal frames kept decoded in memory, for comments.
const CACHED_FRAMES: usize = 32;

/// What keeps a VOB from working.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] super::journal::Error),
    /// The index engine failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A pool failed.
    #[error(transparent)]
    Pool(#[from] super::pool::Error),
    /// A file of the storage directory failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The storage directory exists.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// The directory is no VOB storage.
    #[error("{}: not a VOB storage directory ({detail})", path.display())]
    NotAVob {
        /// The directory.
        path: PathBuf,
        /// What is missing or wrong.
        detail: String,
    },
    /// A newer program wrote it.
    #[error("{}: has storage format {found}, this program knows up to {FORMAT}; use a newer one", path.display())]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Another process has the VOB open.
    #[error("{}: in use by another process", .0.display())]
    InUse(PathBuf),
    /// A stored record is not what was written.
    #[error("{kind} record of the index is damaged: {detail}")]
    Damaged {
        /// Kind of record.
        kind: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The journal holds a frame that cannot be applied.
    #[error("journal frame {sequence} cannot be applied: {detail}")]
    Replay {
        /// Its number.
        sequence: u64,
        /// Why.
        detail: String,
    },
    /// The file system is too full for changes.
    #[error("{}: {free_bytes} bytes free, {reserve_bytes} are kept in reserve", path.display())]
    NoSpace {
        /// The storage directory.
        path: PathBuf,
        /// Bytes available.
        free_bytes: u64,
        /// Bytes kept.
        reserve_bytes: u64,
    },
}

impl StoreError {
    /// Tells whether a full disk is the cause.
    pub fn is_no_space(&self) -> bool {
        let full = |error: &std::io::Error| matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT));
        match self {
            StoreError::NoSpace { .. } | StoreError::Engine(engine::Error::NoSpace { .. }) => true,
            other => {
                let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(other);
                while let Some(error) = cause {
                    if error.downcast_ref::<std::io::Error>().is_some_and(full) {
                        return true;
                    }
                    cause = error.source();
                }
                false
            }
        }
    }
}

/// Why a commit did not happen. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// The planner refused.
    #[error("{0}")]
    Plan(E),
    /// A law of the VOB forbids it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a commit did.
#[derive(Debug)]
pub struct Committed {
    /// The journal frame's number.
    pub sequence: u64,
    /// The number of the first transaction's event.
    pub first_event: EventNo,
    /// Elements that changed.
    pub elements: Vec<ElementNo>,
    /// Whether type objects were added.
    pub types_changed: bool,
}

/// How a VOB is made.
#[derive(Debug, Clone)]
pub struct VobOptions {
    /// The index engine.
    pub engine: EngineKind,
    /// Who makes it.
    pub user: User,
    /// Numeric owner.
    pub owner: u32,
    /// Numeric group.
    pub group: u32,
    /// Its comment.
    pub comment: String,
    /// When, in nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// Its identity.
    pub oid: Oid,
}

/// A note: its key and value.
pub type Note = (String, Box<[u8]>);
/// An imported change set: its id, and where it was placed.
pub type Placed = (Box<[u8]>, PlacedChangeset);

#[derive(Serialize, Deserialize)]
struct Applied {
    sequence: u64,
    next: Position,
}

/// An open VOB.
pub struct Vob {
    dir: PathBuf,
    engine_kind: EngineKind,
    journal: Journal,
    records: Records,
    pools: Pools,
    state: RwLock<VobState>,
    recent: RwLock<Recent>,
    checkpoints: AtomicU64,
    epoch: AtomicU64,
    elements: Cache<ElementNo, Arc<Element>>,
    directories: Cache<(ElementNo, DirectoryAt), Arc<Directory>>,
    frames: Cache<(u32, u64), Arc<Vec<Transaction>>>,
    commit: Mutex<CommitState>,
    reserve_bytes: u64,
    _lock: std::fs::File,
}

#[derive(Default)]
struct CommitState {
    frames_waiting: u32,
}

impl Vob {
    /// Makes the storage of a new VOB in `dir`, which must not exist.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or whatever fails; nothing is left behind then.
    pub fn create(dir: &Path, options: &VobOptions) -> Result<Vob, StoreError> {
        std::fs::create_dir(dir).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists(dir.to_owned()),
            _ => io_error(dir, source),
        })?;
        let made = Self::create_in(dir, options);
        if made.is_err() {
            let _ = std::fs::remove_dir_all(dir);
        }
        made
    }

    fn create_in(dir: &Path, options: &VobOptions) -> Result<Vob, StoreError> {
        check_space(dir, reserve_bytes(dir)?)?;
        Journal::create(&dir.join("journal"), options.oid.0)?;
        Pools::create(dir)?;
        let text =
            format!("clerestory vob\nformat {FORMAT}\nengine {}\noid {}\n", options.engine, options.oid);
        write_durably(&dir.join("format"), text.as_bytes())?;
        let vob = Self::open(dir)?;
        let derived = |what: &[u8]| Oid::derived(&[&options.oid.0, what]);
        let create = Operation::CreateVob {
            oid: options.oid,
            owner: options.owner,
            group: options.group,
            root: derived(b"root"),
            lost_and_found: derived(b"lost+found"),
        };
        let transaction = Transaction {
            time_ns: options.time_ns,
            user: options.user.clone(),
            comment: options.comment.clone(),
            attributes: vec![],
            operations: vec![create],
        };
        let committed = vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction]));
        match committed {
            Ok(_) => Ok(vob),
            Err(CommitError::Store(error)) => Err(error),
            Err(CommitError::Refused(refused)) => {
                Err(StoreError::Replay { sequence: 1, detail: refused.to_string() })
            }
            Err(CommitError::Plan(never)) => match never {},
        }
    }

    /// Opens a VOB: brings the index up to the journal's end, or rebuilds it where it is
    /// missing, damaged or ahead of the journal.
    ///
    /// # Errors
    /// If the directory is no VOB, is in use, has a newer format, or its journal is damaged.
    pub fn open(dir: &Path) -> Result<Vob, StoreError> {
        let identity = Identity::read(dir)?;
        let lock = take_lock(dir)?;
        let journal = Journal::open(&dir.join("journal"), identity.oid.0)?;
        let index = dir.join("index");
        let reserve = reserve_bytes(dir)?;
        let open_engine = || {
            let options = engine::Options { cache_bytes: ENGINE_CACHE_BYTES, reserve_bytes: reserve };
            let opened = match engine::open_with(identity.engine, &index, options) {
                Err(error @ engine::Error::NoSpace { .. }) => {
                    tracing::warn!(%error, "the index is kept in memory until there is space");
                    engine::open_with(EngineKind::Memory, &index, options)?
                }
                other => other?,
            };
            Ok::<Arc<dyn Engine>, StoreError>(Arc::from(opened))
        };
        let usable = open_engine().and_then(|engine| {
            let records = Records::new(Arc::clone(&engine));
            let applied: Option<Applied> = match records.get(key::APPLIED)? {
                Some(stored) => Some(decode("applied", &stored)?),
                None => None,
            };
            let ahead = applied.as_ref().is_some_and(|applied| applied.sequence > journal.last_sequence());
            Ok((engine, records, applied, ahead))
        });
        let (engine, records, applied) = match usable {
            Ok((engine, records, applied, false)) => (engine, records, applied),
            Err(error @ StoreError::Engine(engine::Error::InUse { .. } | engine::Error::NoSpace { .. })) => {
                return Err(error);
            }
            other => {
                match &other {
                    Err(error) => tracing::warn!(%error, "the index cannot be used and is rebuilt"),
                    Ok(_) => tracing::warn!("the index is ahead of the journal and is rebuilt"),
                }
                drop(other);
                remove_tree(&index)?;
                let engine = open_engine()?;
                (Arc::clone(&engine), Records::new(engine), None)
            }
        };
        let pools = Pools::open(dir, engine, super::pool::Limits::default())?;
        let vob = Vob {
            dir: dir.to_owned(),
            engine_kind: identity.engine,
            journal,
            state: RwLock::new(load_state(&records)?),
            records,
            pools,
            recent: RwLock::default(),
            checkpoints: AtomicU64::new(0),
            epoch: AtomicU64::new(1),
            elements: Cache::new(CACHED_ELEMENTS),
            directories: Cache::new(CACHED_DIRECTORIES),
            frames: Cache::new(CACHED_FRAMES),
            commit: Mutex::default(),
            reserve_bytes: reserve,
            _lock: lock,
        };
        vob.reset_recent();
        vob.replay(applied)?;
        Ok(vob)
    }

    fn replay(&self, applied: Option<Applied>) -> Result<(), StoreError> {
        let from = applied.as_ref().map(|applied| applied.next);
        let mut waiting = 0;
        self.journal.replay(from, &mut |sequence, position, payload| {
            if waiting >= FRAMES_PER_CHECKPOINT || self.recent.read().elements.len() > ELEMENTS_PER_CHECKPOINT
            {
                waiting = 0;
                unless_full(self.checkpoint_to(sequence - 1, position))?;
            }
            let frame: Vec<Transaction> = decode("journal frame", payload)?;
            let changes = apply::apply(self, &frame, position.segment, position.offset)
                .map_err(|refused| StoreError::Replay { sequence, detail: refused.to_string() })?;
            self.publish(changes);
            waiting += 1;
            Ok::<(), StoreError>(())
        })?;
        unless_full(self.checkpoint())
    }

    /// Commits what `plan` returns, all of it or nothing; durable when this returns.
    ///
    /// `plan` runs while no other commit can: what it reads is what the operations meet.
    /// Contents that the operations name must be in the pools and synced.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit<E>(
        &self,
        plan: impl FnOnce(&Vob) -> Result<Vec<Transaction>, E>,
    ) -> Result<Committed, CommitError<E>> {
        let mut commit = self.commit.lock();
        let frame = plan(self).map_err(CommitError::Plan)?;
        check_space(&self.dir, self.reserve_bytes)?;
        let mut changes = apply::apply(self, &frame, 0, 0)?;
        let payload = encode(&frame);
        let (sequence, position) = self.journal.append(&payload).map_err(StoreError::from)?;
        for event in &mut changes.events {
            (event.segment, event.offset) = (position.segment, position.offset);
        }
        let first_event = EventNo(changes.state.header.events - changes.events.len() as u32);
        let elements = changes.elements.keys().copied().collect();
        let types_changed = changes.types_changed;
        self.publish(changes);
        commit.frames_waiting += 1;
        if commit.frames_waiting >= FRAMES_PER_CHECKPOINT
            || self.recent.read().elements.len() > ELEMENTS_PER_CHECKPOINT
        {
            match self.checkpoint() {
                Ok(()) => commit.frames_waiting = 0,
                // The journal has everything; the next commit tries again.
                Err(error) => tracing::warn!(%error, "checkpoint put off"),
            }
        }
        drop(commit);
        self.journal.sync(sequence).map_err(StoreError::from)?;
        Ok(Committed { sequence, first_event, elements, types_changed })
    }

    /// Lets readers see a commit, all of it at once.
    fn publish(&self, mut changes: Changes) {
        let mut recent = self.recent.write();
        recent.absorb(&mut changes);
        for (at, change) in changes.directories {
            match change {
                Some((_, directory)) => self.directories.insert(at, directory),
                None => drop(self.directories.remove(&at)),
            }
        }
        *self.state.write() = changes.state;
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// Writes what is recent to the engine and forgets it here. The caller holds `commit`,
    /// or is the only one who knows the VOB.
    fn checkpoint(&self) -> Result<(), StoreError> {
        if self.recent.read().is_empty() {
            return Ok(());
        }
        self.checkpoint_to(self.journal.last_sequence(), self.journal.end())
    }

    fn checkpoint_to(&self, sequence: u64, next: Position) -> Result<(), StoreError> {
        // The engine's commit is durable: it must not run ahead of the journal.
        self.journal.sync(sequence)?;
        let mut batch = Batch::new();
        self.recent.read().write(&self.records, &mut batch)?;
        let state = self.state.read().clone();
        self.records.put(&mut batch, key::HEADER, &encode(&state.header))?;
        for object in state.types().iter().skip(self.stored_count(b't')?) {
            self.records.put(&mut batch, &key::type_object(object.number), &encode(&**object))?;
        }
        for (number, user) in state.users().iter().enumerate().skip(self.stored_count(b'u')?) {
            self.records.put(&mut batch, &key::user(number as u32), &encode(&**user))?;
        }
        self.records.put(&mut batch, key::APPLIED, &encode(&Applied { sequence, next }))?;
        self.pools.checkpoint(&mut batch)?;
        self.records.put(&mut batch, b"nt", &(state.types().len() as u32).to_be_bytes())?;
        self.records.put(&mut batch, b"nu", &(state.users().len() as u32).to_be_bytes())?;
        self.records.engine().commit(batch)?;
        self.pools.checkpointed();
        self.reset_recent();
        Ok(())
    }

    /// How many types or users the engine holds.
    fn stored_count(&self, kind: u8) -> Result<usize, StoreError> {
        let stored = self.records.get(&[b'n', kind])?;
        Ok(stored.and_then(|count| Some(u32::from_be_bytes(count.try_into().ok()?))).unwrap_or(0) as usize)
    }

    fn reset_recent(&self) {
        let mut recent = self.recent.write();
        self.checkpoints.fetch_add(1, Ordering::Release);
        let state = self.state.read();
        for (number, element) in recent.elements.drain() {
            self.elements.insert(number, element);
        }
        *recent = Recent {
            first_event: state.header.events,
            first_symlink: state.header.symlinks,
            first_element: state.header.elements,
            ..Recent::default()
        };
    }

    /// Writes everything to the engine and rewrites its database densely: after an import.
    ///
    /// # Errors
    /// If the engine fails. The VOB must be opened anew afterwards.
    pub fn compact(self) -> Result<(), StoreError> {
        {
            let _commit = self.commit.lock();
            self.checkpoint()?;
        }
        if !self.engine_kind.is_persistent() {
            return Ok(());
        }
        let (index, dense, old) =
            (self.dir.join("index"), self.dir.join("index.new"), self.dir.join("index.old"));
        remove_tree(&dense)?;
        remove_tree(&old)?;
        engine::rewrite(&**self.records.engine(), self.engine_kind, &dense)?;
        let dir = self.dir.clone();
        drop(self);
        std::fs::rename(&index, &old).map_err(|source| io_error(&index, source))?;
        std::fs::rename(&dense, &index).map_err(|source| io_error(&dense, source))?;
        sync_dir(&dir)?;
        remove_tree(&old)
    }

    /// Writes everything to the engine, so that the next open has nothing to replay.
    ///
    /// # Errors
    /// If the engine fails; the journal has everything all the same.
    pub fn close(&self) -> Result<(), StoreError> {
        let mut commit = self.commit.lock();
        self.checkpoint()?;
        commit.frames_waiting = 0;
        Ok(())
    }

    /// Grows with every commit.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Runs `read` so that everything it reads belongs to one moment: it is repeated when a
    /// commit came between, at the end with commits kept out.
    pub fn consistently<T>(&self, mut read: impl FnMut() -> T) -> T {
        for _ in 0..4 {
            let before = self.epoch();
            let found = read();
            if self.epoch() == before {
                return found;
            }
        }
        let _commit = self.commit.lock();
        read()
    }

    /// Returns the storage directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the index engine's kind.
    pub fn engine_kind(&self) -> EngineKind {
        self.engine_kind
    }

    /// Returns the pools.
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Returns identity, counters and types as they are now.
    pub fn state(&self) -> VobState {
        self.state.read().clone()
    }

    /// Reads an element; none where the number was never given.
    ///
    /// # Errors
    /// If the index fails or is damaged.
    pub fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, StoreError> {
        if let Some(found) = self.recent.read().elements.get(&number) {
            return Ok(Some(Arc::clone(found)));
        }
        if let Some(found) = self.elements.get(&number) {
            return Ok(Some(found));
        }
        let before = self.checkpoints.load(Ordering::Acquire);
        let Some(stored) = self.records.get(&key::element(number))? else {
            return Ok(None);
        };
        let decoded = codec::decode(&stored).map_err(|error| damaged("element", error))?;
        let element = Arc::new(decoded);
        self.remember(before, |recent| {
            if !recent.elements.contains_key(&number) {
                self.elements.insert(number, Arc::clone(&element));
            }
        });
        // A commit may have come between the look into `recent` and the engine.
        match self.recent.read().elements.get(&number) {
            Some(newer) => Ok(Some(Arc::clone(newer))),
            None => Ok(Some(element)),
        }
    }

    /// Caches what was read from the engine unless a checkpoint came between: it may be old.
    fn remember(&self, checkpoints_before: u64, insert: impl FnOnce(&Recent)) {
        let recent = self.recent.read();
        if self.checkpoints.load(Ordering::Acquire) == checkpoints_before {
            insert(&recent);
        }
    }

    /// Reads elements that will be needed at once, in one pass over the index.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn prefetch(&self, numbers: &[ElementNo]) -> Result<(), StoreError> {
        let missing: Vec<ElementNo> = {
            let recent = self.recent.read();
            let known = |number: &ElementNo| {
                recent.elements.contains_key(number) || self.elements.peek(number).is_some()
            };
            numbers.iter().copied().filter(|number| !known(number)).collect()
        };
        for numbers in missing.chunks(1024) {
            let before = self.checkpoints.load(Ordering::Acquire);
            let keys: Vec<Vec<u8>> = numbers.iter().map(|number| key::element(*number)).collect();
            for (number, stored) in numbers.iter().zip(self.records.get_many(&keys)?) {
                let Some(stored) = stored else { continue };
                let element = Arc::new(codec::decode(&stored).map_err(|error| damaged("element", error))?);
                self.remember(before, |recent| {
                    if !recent.elements.contains_key(number) {
                        self.elements.insert(*number, element);
                    }
                });
            }
        }
        Ok(())
    }

    /// Finds an element by its identity.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn element_with_oid(&self, oid: &Oid) -> Result<Option<ElementNo>, StoreError> {
        if let Some(found) = self.recent.read().elements.values().find(|element| element.oid == *oid) {
            return Ok(Some(found.number));
        }
        let stored = self.records.get(&key::oid(oid))?;
        Ok(stored.and_then(|number| Some(ElementNo(u32::from_be_bytes(number.try_into().ok()?)))))
    }

    fn node(&self, element: ElementNo, at: DirectoryAt) -> Result<Option<Arc<DirectoryNode>>, StoreError> {
        if let Some(found) = self.recent.read().nodes.get(&(element, at)) {
            return Ok(found.clone());
        }
        match self.records.get(&key::directory(element, at))? {
            Some(stored) => Ok(Some(Arc::new(decode("directory", &stored)?))),
            None => Ok(None),
        }
    }

    /// Reads the names a directory version or checkout catalogs.
    ///
    /// # Errors
    /// As [`Vob::element`], and if there is no such directory version.
    pub fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, StoreError> {
        if let Some(found) = self.directories.get(&(element, at)) {
            return Ok(found);
        }
        let before = self.epoch();
        let mut nodes = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            let missing = || damaged("directory", format!("element {} has no {at:?}", element.0));
            let node = self.node(element, at)?.ok_or_else(missing)?;
            next = node.base.map(DirectoryAt::Version);
            nodes.push(node);
            if nodes.len() as u32 > DirectoryNode::MAX_DEPTH {
                return Err(damaged("directory", format!("element {} has an endless chain", element.0)));
            }
        }
        let mut directory = Directory::default();
        nodes.iter().rev().for_each(|node| directory.apply(&node.changes));
        let directory = Arc::new(directory);
        let recent = self.recent.read();
        if self.epoch() == before {
            self.directories.insert((element, at), Arc::clone(&directory));
        }
        drop(recent);
        Ok(directory)
    }

    /// Reads a VOB symbolic link.
    ///
    /// # Errors
    /// As [`Vob::directory`].
    pub fn symlink(&self, number: SymlinkNo) -> Result<Arc<Symlink>, StoreError> {
        if let Some(found) = self.recent.read().symlink(number) {
            return Ok(found);
        }
        match self.records.get(&key::symlink(number))? {
            Some(stored) => Ok(Arc::new(decode("symbolic link", &stored)?)),
            None => Err(damaged("symbolic link", format!("no number {}", number.0))),
        }
    }

    /// Reads an event's time and user.
    ///
    /// # Errors
    /// As [`Vob::directory`].
    pub fn event(&self, number: EventNo) -> Result<Event, StoreError> {
        if let Some(found) = self.recent.read().event(number) {
            return Ok(found);
        }
        let page = self.records.get(&key::events(number.0 / EVENTS_PER_PAGE))?;
        let missing = || damaged("event", format!("no number {}", number.0));
        let events: Vec<Event> = decode("events", &page.ok_or_else(missing)?)?;
        events.get((number.0 % EVENTS_PER_PAGE) as usize).copied().ok_or_else(missing)
    }

    /// Reads the transaction behind an event: its comment, attributes and operations.
    ///
    /// # Errors
    /// If the journal fails or is damaged.
    pub fn transaction(&self, event: &Event) -> Result<Transaction, StoreError> {
        let key = (event.segment, event.offset);
        let frame = match self.frames.get(&key) {
            Some(frame) => frame,
            None => {
                let payload = self.journal.read(Position { segment: event.segment, offset: event.offset })?;
                let frame: Arc<Vec<Transaction>> = Arc::new(decode("journal frame", &payload)?);
                self.frames.insert(key, Arc::clone(&frame));
                frame
            }
        };
        let found = frame.get(event.transaction as usize);
        found.cloned().ok_or_else(|| damaged("event", format!("no transaction {}", event.transaction)))
    }

    /// Finds where a change set was placed.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn changeset(&self, id: &[u8]) -> Result<Option<PlacedChangeset>, StoreError> {
        if let Some(found) = self.recent.read().changesets.get(id) {
            return Ok(Some(found.clone()));
        }
        match self.records.get(&key::changeset(id))? {
            Some(stored) => Ok(Some(decode("change set", &stored)?)),
            None => Ok(None),
        }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn note(&self, name: &str) -> Result<Option<Box<[u8]>>, StoreError> {
        if let Some(found) = self.recent.read().notes.get(name) {
            return Ok(Some(found.clone()));
        }
        Ok(self.records.get(&key::note(name))?.map(Into::into))
    }

    /// Reads every note whose key begins with `prefix`.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn notes(&self, prefix: &str) -> Result<Vec<Note>, StoreError> {
        self.close()?;
        let mut found = Vec::new();
        let mut from = key::note(prefix);
        loop {
            let page = self.records.scan(&from, b"l", 4096)?;
            let Some((last, _)) = page.last() else {
                return Ok(found);
            };
            from = [last.as_slice(), &[0]].concat();
            for (key, value) in page {
                match String::from_utf8_lossy(&key[1..]) {
                    name if name.starts_with(prefix) => found.push((name.into_owned(), value.into())),
                    _ => return Ok(found),
                }
            }
        }
    }

    /// Reads every placed change set, in no particular order.
    ///
    /// # Errors
    /// As [`Vob::element`].
    pub fn changesets(&self) -> Result<Vec<Placed>, StoreError> {
        self.close()?;
        let mut found = Vec::new();
        let mut from = b"g".to_vec();
        loop {
            let page = self.records.scan(&from, b"h", 4096)?;
            let Some((last, _)) = page.last() else {
                return Ok(found);
            };
            from = [last.as_slice(), &[0]].concat();
            for (key, stored) in &page {
                found.push((key[1..].into(), decode("change set", stored)?));
            }
        }
    }
}

impl apply::Records for Vob {
    fn state(&self) -> VobState {
        Vob::state(self)
    }

    fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, ReadError> {
        Ok(Vob::element(self, number)?)
    }

    fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, ReadError> {
        Ok(Vob::directory(self, element, at)?)
    }

    fn directory_node(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<DirectoryNode>, ReadError> {
        let missing = || damaged("directory", format!("element {} has no {at:?}", element.0));
        Ok(self.node(element, at)?.ok_or_else(missing)?)
    }

    fn changeset(&self, id: &[u8]) -> Result<Option<PlacedChangeset>, ReadError> {
        Ok(Vob::changeset(self, id)?)
    }
}

/// What the readable `format` file of a storage directory says.
struct Identity {
    engine: EngineKind,
    oid: Oid,
}

impl Identity {
    fn read(dir: &Path) -> Result<Identity, StoreError> {
        let not_a_vob = |detail: String| StoreError::NotAVob { path: dir.to_owned(), detail };
        let text = std::fs::read_to_string(dir.join("format"))
            .map_err(|source| not_a_vob(format!("its file `format` cannot be read: {source}")))?;
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.ok_or_else(|| not_a_vob(format!("its file `format` has no `{name}`")))
        };
        let format: u32 =
            field("format")?.parse().map_err(|_| not_a_vob("its format is no number".into()))?;
        if format > FORMAT {
            return Err(StoreError::NewerFormat { path: dir.to_owned(), found: format });
        }
        let oid = field("oid")?.parse().map_err(|error| not_a_vob(format!("{error}")))?;
        Ok(Identity { engine: field("engine")?.parse()?, oid })
    }
}

/// On a full disk the journal is enough to read from: what cannot be written to the index
/// stays in memory.
fn unless_full(checkpoint: Result<(), StoreError>) -> Result<(), StoreError> {
    match checkpoint {
        Err(error) if error.is_no_space() => {
            tracing::warn!(%error, "checkpoint put off");
            Ok(())
        }
        other => other,
    }
}

fn take_lock(dir: &Path) -> Result<std::fs::File, StoreError> {
    let path = dir.join("lock");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| io_error(&path, source))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(dir.to_owned())),
        Err(errno) => Err(io_error(&path, errno.into())),
    }
}

fn load_state(records: &Records) -> Result<VobState, StoreError> {
    let header: VobHeader = match records.get(key::HEADER)? {
        Some(stored) => decode("header", &stored)?,
        None => return Ok(VobState::default()),
    };
    let types: Vec<TypeObject> = load_all(records, b't')?;
    let users: Vec<User> = load_all(records, b'u')?;
    Ok(VobState::new(header, types, users))
}

fn load_all<T: DeserializeOwned>(records: &Records, kind: u8) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    let mut from = vec![kind];
    loop {
        let page = records.scan(&from, &[kind + 1], 4096)?;
        let Some((last, _)) = page.last() else {
            return Ok(all);
        };
        from = [last.as_slice(), &[0]].concat();
        for (_, stored) in &page {
            all.push(decode("type or user", stored)?);
        }
    }
}

/// Encodes a record.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("writing to memory cannot fail")
}

/// Decodes a record.
pub(super) fn decode<T: DeserializeOwned>(kind: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|error| damaged(kind, error))
}

fn damaged(kind: &'static str, detail: impl ToString) -> StoreError {
    StoreError::Damaged { kind, detail: detail.to_string() }
}

fn io_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}

/// Free space below which changes are refused: a twentieth of the file system, from 2 MiB to 64 MiB.
fn reserve_bytes(dir: &Path) -> Result<u64, StoreError> {
    let found = rustix::fs::statvfs(dir).map_err(|errno| io_error(dir, errno.into()))?;
    Ok((found.f_blocks.saturating_mul(found.f_frsize) / 20).clamp(2 << 20, 64 << 20))
}

fn check_space(dir: &Path, reserve_bytes: u64) -> Result<(), StoreError> {
    let free_bytes = engine::free_bytes(dir)?;
    if free_bytes < reserve_bytes {
        return Err(StoreError::NoSpace { path: dir.to_owned(), free_bytes, reserve_bytes });
    }
    Ok(())
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || {
        std::fs::write(path, bytes)?;
        std::fs::File::open(path)?.sync_all()
    };
    write().map_err(|source| io_error(path, source))?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|source| io_error(dir, source))
}

fn remove_tree(dir: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(dir) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(io_error(dir, source)),
        _ => Ok(()),
    }
}
