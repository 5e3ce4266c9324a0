//! An open VOB: commits transactions through the journal and serves its records.
//!
//! A commit is validated against the current records, appended to the journal, taken into
//! [`Recent`] and answered when the journal is synced. Readers look into `Recent`, then the
//! caches, then the engine; the engine learns of changes only at checkpoints, in one atomic
//! batch that also says how far it has come. This module must not know what a view is.
//!
//! Locks, in the order they may be taken: `auditing`, `commit`, one of `ever`, `recent`. None is held while
//! the journal is synced; `recent` is never held across engine calls.

mod audit;
mod last;
mod laws;
mod mentions;
mod place;
mod read;

pub use super::error::{CommitError, Committed, StoreError};
pub use audit::{Audit, Record};
pub use last::LastVersions;
pub use laws::{LawBroken, LawCounts, check_laws, check_laws_with_progress};
pub use mentions::Mention;
pub use read::{Note, Placed};

use super::durable;
use super::engine::{self, Batch, Engine, EngineKind, Records};
use super::journal::{Journal, Position};
use super::pool::{CacheFigures, Pools};
use super::recent::{Recent, key};
use crate::vob::apply::{self, DirectoryAt};
use crate::vob::{
    Changes, Directory, Element, ElementNo, EventNo, NameChange, Oid, Operation, StoredContent, Transaction,
    TypeObject, User, VersionNo, VobHeader, VobState,
};
use parking_lot::{Mutex, RwLock};
use place::{Identity, check_space, io_error, remove_tree, reserve_bytes, take_lock};
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The storage format this program writes, and the newest it understands.
pub const FORMAT: u32 = 1;

/// The form of the index records. An index of another form is rebuilt. 1, which had no number of its
/// own, knew nothing of definitions of types, of label events, and of what is checked out; 2 nothing of
/// annotations and of what was removed, 3 nothing of events that objects do not show.
const INDEX_FORM: u32 = 4;

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
    ever: Cache<ElementNo, Arc<Mutex<mentions::Ever>>>,
    commit: Mutex<CommitState>,
    /// Held by whoever compares the index with the journal.
    auditing: Mutex<()>,
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
        // What elements hold is read through views, where permissions are asked.
        let made = std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(dir);
        made.map_err(|source| match source.kind() {
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
        let format = dir.join("format");
        durable::replace(&format, text.as_bytes(), 0o644).map_err(|source| io_error(&format, source))?;
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
    /// missing or damaged.
    ///
    /// # Errors
    /// If the directory is no VOB, is in use, has a newer format, or its journal is damaged or has lost what the index knows.
    pub fn open(dir: &Path) -> Result<Vob, StoreError> {
        Self::open_with(dir, true)
    }

    /// As `open`; only with `contents` are those that the journal brings along put into the pools.
    fn open_with(dir: &Path, contents: bool) -> Result<Vob, StoreError> {
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
            let form = match records.get(key::FORM)? {
                Some(stored) => decode("form", &stored)?,
                None => 1,
            };
            if applied.is_some() && form != INDEX_FORM {
                let detail = format!("it has the form {form}, this program's is {INDEX_FORM}");
                return Err(damaged("index", detail));
            }
            Ok((engine, records, applied))
        });
        let (engine, records, applied) = match usable {
            Ok(usable) => usable,
            Err(error @ StoreError::Engine(engine::Error::InUse { .. } | engine::Error::NoSpace { .. })) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(%error, "the index cannot be used and is rebuilt");
                drop(error);
                remove_tree(&index)?;
                let engine = open_engine()?;
                (Arc::clone(&engine), Records::new(engine), None)
            }
        };
        // The journal was durable before the index learnt of it: what is missing was there, and was acknowledged.
        if let Some(Applied { sequence, .. }) = applied
            && sequence > journal.last_sequence()
        {
            return Err(StoreError::JournalLost {
                dir: dir.to_owned(),
                found: journal.last_sequence(),
                known: sequence,
            });
        }
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
            ever: Cache::new(mentions::REMEMBERED),
            commit: Mutex::default(),
            auditing: Mutex::default(),
            reserve_bytes: reserve,
            _lock: lock,
        };
        vob.reset_recent();
        vob.replay(applied, contents)?;
        Ok(vob)
    }

    fn replay(&self, applied: Option<Applied>, contents: bool) -> Result<(), StoreError> {
        let from = applied.as_ref().map(|applied| applied.next);
        let mut waiting = 0;
        self.journal.replay(from, &mut |sequence, position, payload| {
            if waiting >= FRAMES_PER_CHECKPOINT || self.recent.read().elements.len() > ELEMENTS_PER_CHECKPOINT
            {
                waiting = 0;
                unless_full(self.checkpoint_to(sequence - 1, position))?;
            }
            let frame: Vec<Transaction> = decode("journal frame", payload)?;
            if contents {
                stored_contents(&frame).try_for_each(|content| self.pools.restore(content))?;
            }
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
    /// Contents that the operations name must be in the pools, and synced or brought along.
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
        self.pools.carried(stored_contents(&frame));
        for event in &mut changes.events {
            (event.segment, event.offset) = (position.segment, position.offset);
        }
        let first_event = EventNo(changes.state.header.events - changes.events.len() as u32);
        let elements = changes.elements.keys().copied().collect();
        let types_changed = !changes.types.is_empty();
        let history_names = changes.history_names.iter().cloned().collect();
        let protected = changes.protected.iter().copied().collect();
        let mut names = std::mem::take(&mut changes.names);
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
        names.extend(names_changed(&frame));
        let emptied = emptied(&frame);
        Ok(Committed {
            sequence,
            first_event,
            elements,
            names,
            types_changed,
            protected,
            history_names,
            emptied,
        })
    }

    /// Lets readers see a commit, all of it at once.
    fn publish(&self, mut changes: Changes) {
        let mut recent = self.recent.write();
        recent.absorb(&mut changes);
        for (at, change) in &changes.directories {
            match change {
                Some((_, directory)) => self.directories.insert(*at, Arc::clone(directory)),
                None => drop(self.directories.remove(at)),
            }
        }
        *self.state.write() = changes.state;
        self.epoch.fetch_add(1, Ordering::Release);
        drop(recent);
        // Whoever reads a node from now on reads the new one.
        for ((element, at), change) in &changes.directories {
            if let (DirectoryAt::Version(version), Some((node, _))) = (at, change) {
                self.note_ever(*element, *version, node);
            }
        }
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
        // Frames up to here are not replayed any more: the contents that they brought must be in the pools.
        self.pools.sync()?;
        let mut batch = Batch::new();
        self.recent.read().write(&self.records, &mut batch)?;
        let state = self.state.read().clone();
        self.records.put(&mut batch, key::HEADER, &encode(&state.header))?;
        self.records.put(&mut batch, key::SETTINGS, &encode(state.settings()))?;
        for number in &self.recent.read().types {
            let object = &state.types()[number.index()];
            self.records.put(&mut batch, &key::type_object(*number), &encode(&**object))?;
        }
        for (number, user) in state.users().iter().enumerate().skip(self.stored_users()?) {
            self.records.put(&mut batch, &key::user(number as u32), &encode(&**user))?;
        }
        self.records.put(&mut batch, key::APPLIED, &encode(&Applied { sequence, next }))?;
        self.pools.checkpoint(&mut batch)?;
        self.records.put(&mut batch, key::FORM, &encode(&INDEX_FORM))?;
        self.records.put(&mut batch, b"nu", &(state.users().len() as u32).to_be_bytes())?;
        self.records.engine().commit(batch)?;
        self.pools.checkpointed();
        self.reset_recent();
        Ok(())
    }

    /// How many users the engine holds.
    fn stored_users(&self) -> Result<usize, StoreError> {
        let stored = self.records.get(b"nu")?;
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

    /// Makes the directories of a storage that may be empty, which no list of files names; those that are there stay.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn make_directories(dir: &Path) -> Result<(), StoreError> {
        let journal = dir.join("journal");
        std::fs::create_dir_all(&journal).map_err(|source| io_error(&journal, source))?;
        Ok(Pools::make_directories(dir)?)
    }

    /// Returns the number of the last commit, counted from 1.
    pub fn last_operation(&self) -> u64 {
        self.journal.last_sequence()
    }

    /// Returns the number of the last commit, and how long the files are that hold the VOB up to it, by their paths below the
    /// storage. They only grow, or do not change at all: their first bytes are the VOB of this moment for ever.
    ///
    /// # Errors
    /// If it cannot be made durable.
    pub fn extent(&self) -> Result<(u64, BTreeMap<PathBuf, u64>), StoreError> {
        // In this order: what a commit holds is in the pools before the commit is in the journal.
        let (operation, end) = self.journal.durable_end()?;
        let journal = self.journal.lengths(end)?.into_iter();
        let mut lengths: BTreeMap<PathBuf, u64> =
            journal.map(|(name, length)| (Path::new("journal").join(name), length)).collect();
        lengths.extend(self.pools.lengths()?);
        let format = self.dir.join("format");
        let length = std::fs::metadata(&format).map_err(|source| io_error(&format, source))?.len();
        lengths.insert("format".into(), length);
        Ok((operation, lengths))
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

    /// Returns how the caches have done, each with its name.
    pub fn cache_figures(&self) -> [(&'static str, CacheFigures); 4] {
        fn of<K: Eq + std::hash::Hash, V: Clone>(cache: &Cache<K, V>) -> CacheFigures {
            CacheFigures { hits: cache.hits(), misses: cache.misses(), entries: cache.len() as u64 }
        }
        [
            ("elements", of(&self.elements)),
            ("directories", of(&self.directories)),
            ("frames", of(&self.frames)),
            ("contents", self.pools.cache_figures()),
        ]
    }
}

/// The contents that a frame brings along.
fn stored_contents(frame: &[Transaction]) -> impl Iterator<Item = &StoredContent> {
    let operations = frame.iter().flat_map(|transaction| &transaction.operations);
    operations.filter_map(|operation| match operation {
        Operation::StoreContent(content) => Some(content),
        _ => None,
    })
}

/// The names that the operations of a frame change in catalogs that stay what they are: those
/// of checkouts, and of versions that are changed in place.
fn names_changed(frame: &[Transaction]) -> Vec<(ElementNo, Box<[u8]>)> {
    let operations = frame.iter().flat_map(|transaction| &transaction.operations);
    let changes = operations.filter_map(|operation| match operation {
        Operation::ChangeInPlace { element, changes }
        | Operation::ChangeDirectory { element, changes, .. }
        | Operation::ChangeVersionInPlace { element, changes, .. } => Some((*element, changes)),
        _ => None,
    });
    let names = |(element, changes): (ElementNo, &Vec<NameChange>)| {
        let name = |change: &NameChange| (element, change.name.clone());
        changes.iter().map(name).collect::<Vec<_>>()
    };
    changes.flat_map(names).collect()
}

/// The versions whose data the operations of a frame remove.
fn emptied(frame: &[Transaction]) -> Vec<(ElementNo, VersionNo)> {
    let operations = frame.iter().flat_map(|transaction| &transaction.operations);
    let emptied = operations.filter_map(|operation| match operation {
        Operation::RemoveData { element, version } => Some((*element, *version)),
        _ => None,
    });
    emptied.collect()
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

fn load_state(records: &Records) -> Result<VobState, StoreError> {
    let header: VobHeader = match records.get(key::HEADER)? {
        Some(stored) => decode("header", &stored)?,
        None => return Ok(VobState::default()),
    };
    let settings = match records.get(key::SETTINGS)? {
        Some(stored) => decode("settings", &stored)?,
        None => return Err(damaged("settings", "they are not there")),
    };
    let types: Vec<TypeObject> = load_all(records, b't')?;
    let users: Vec<User> = load_all(records, b'u')?;
    Ok(VobState::new(header, settings, types, users))
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

/// Tells whether an error is that a record cannot be understood, not that the storage fails.
fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { .. } | StoreError::Engine(engine::Error::DamagedRecord { .. }))
}

fn damaged(kind: &'static str, detail: impl ToString) -> StoreError {
    StoreError::Damaged { kind, detail: detail.to_string() }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
