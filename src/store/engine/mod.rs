//! Index engines: ordered byte keys and values behind one small, object-safe trait.
//!
//! Owns the contract that every engine meets and the choice between them. Must not know what the keys
//! mean. An index is a cache of the journal: it may be deleted and rebuilt, but while it exists a commit
//! is atomic, and durable when it returns.
//!
//! The contract:
//! * `commit` applies all of a [`Batch`] or nothing; a failed commit leaves the old state, or poisons the
//!   engine when it cannot tell.
//! * each single `get_many` or `scan` call sees every commit whole or not at all; two calls may see
//!   different states.
//! * keys have at most [`MAXIMUM_KEY_BYTES`], values at most [`MAXIMUM_VALUE_BYTES`]; [`Records`] stores
//!   longer values.

mod memory;
mod records;
mod redb;
mod sled;

#[cfg(test)]
mod conformance;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::io::Errno;

pub use self::memory::MemoryEngine;
pub use self::records::Records;
pub use self::redb::RedbEngine;
pub use self::sled::SledEngine;

/// Longest key an engine accepts, in bytes.
pub const MAXIMUM_KEY_BYTES: usize = 480;

/// Longest value an engine accepts, in bytes. Sled moves messages of more than about 128 KiB (16 such
/// values in one leaf) into files that it never syncs; 4 KiB keeps well clear of that.
pub const MAXIMUM_VALUE_BYTES: usize = 4096;

/// Free space that is left untouched by default, in bytes.
pub const DEFAULT_RESERVE_BYTES: u64 = 64 << 20;

/// What can go wrong in an index engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system is too full for a commit to be safe. Nothing was changed.
    #[error("{}: {free_bytes} bytes free, {reserve_bytes} are kept in reserve", path.display())]
    NoSpace {
        /// Directory of the database.
        path: PathBuf,
        /// Bytes available to this user.
        free_bytes: u64,
        /// Bytes that must stay free.
        reserve_bytes: u64,
    },
    /// The database cannot be opened or created.
    #[error("{}: cannot open the {engine} database: {detail}", path.display())]
    Open {
        /// Engine's name.
        engine: &'static str,
        /// Directory of the database.
        path: PathBuf,
        /// The engine's own words.
        detail: String,
    },
    /// Another process has the database open.
    #[error("{}: the {engine} database is in use by another process", path.display())]
    InUse {
        /// Engine's name.
        engine: &'static str,
        /// Directory of the database.
        path: PathBuf,
    },
    /// Reading or writing failed inside the engine.
    #[error("{}: {engine} database failed: {detail}", path.display())]
    Storage {
        /// Engine's name.
        engine: &'static str,
        /// Directory of the database.
        path: PathBuf,
        /// The engine's own words.
        detail: String,
    },
    /// An earlier commit failed half-way; the database must be reopened.
    #[error("{}: the {engine} database refuses work after an earlier failure; reopen it", path.display())]
    Poisoned {
        /// Engine's name.
        engine: &'static str,
        /// Directory of the database.
        path: PathBuf,
    },
    /// A key is empty or longer than [`MAXIMUM_KEY_BYTES`].
    #[error("a key has {length} bytes, 1 to {maximum} are allowed")]
    KeyLength {
        /// Length found.
        length: usize,
        /// Length allowed.
        maximum: usize,
    },
    /// A value is longer than allowed.
    #[error("a value has {length} bytes, {maximum} are allowed")]
    ValueLength {
        /// Length found.
        length: usize,
        /// Length allowed.
        maximum: usize,
    },
    /// A stored record does not have the form that was written.
    #[error("record {key:02x?} of the index is damaged: {detail}")]
    DamagedRecord {
        /// Key of the record.
        key: Vec<u8>,
        /// What is wrong.
        detail: &'static str,
    },
    /// The name of an engine is not known.
    #[error("unknown engine `{name}` (known: sled, redb, memory)")]
    UnknownEngine {
        /// The name given.
        name: String,
    },
    /// The database's directory cannot be read, created or measured.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Result of an engine call.
pub type Result<T> = std::result::Result<T, Error>;

/// Key and value as an engine returns them.
pub type Entry = (Vec<u8>, Vec<u8>);

/// An ordered map from byte keys to byte values; see the module for the contract.
pub trait Engine: Send + Sync {
    /// Returns the value of one key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Returns the values of several keys, in their order, all of one state.
    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>>;

    /// Returns at most `limit` entries with `from <= key < to`, ascending, all of one state. An empty `to`
    /// means no upper bound.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>>;

    /// Applies a batch: atomic, and durable when it returns.
    fn commit(&self, batch: Batch) -> Result<()>;

    /// Returns the engine's name as [`EngineKind`] spells it.
    fn name(&self) -> &'static str;
}

/// Changes to commit together. The last change of a key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl Batch {
    /// Returns an empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Sets a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.change(key.into(), Some(value.into()));
    }

    /// Removes a key; removing a missing key is no error.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.change(key.into(), None);
    }

    /// Returns what this batch does to a key: nothing, remove it (`Some(None)`), or set it.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.changes.get(key).map(|value| value.as_deref())
    }

    /// Returns the number of keys changed.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Tells whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the bytes of all keys and values, an upper bound when keys were changed twice.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the changes in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.changes.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    fn change(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.changes.insert(key, value);
    }

    /// Checks every key and value against the limits.
    fn check(&self) -> Result<()> {
        for (key, value) in &self.changes {
            if key.is_empty() || key.len() > MAXIMUM_KEY_BYTES {
                return Err(Error::KeyLength { length: key.len(), maximum: MAXIMUM_KEY_BYTES });
            }
            let length = value.as_ref().map_or(0, Vec::len);
            if length > MAXIMUM_VALUE_BYTES {
                return Err(Error::ValueLength { length, maximum: MAXIMUM_VALUE_BYTES });
            }
        }
        Ok(())
    }
}

/// Which engine holds an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineKind {
    /// Sled 0.34, hardened.
    #[default]
    Sled,
    /// Redb 4.
    Redb,
    /// Nothing on disk: rebuilt at every start.
    Memory,
}

impl EngineKind {
    /// Every engine.
    pub const ALL: [EngineKind; 3] = [EngineKind::Sled, EngineKind::Redb, EngineKind::Memory];

    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Sled => "sled",
            EngineKind::Redb => "redb",
            EngineKind::Memory => "memory",
        }
    }

    /// Tells whether the entries are there again after a reopen.
    pub fn is_persistent(self) -> bool {
        self != EngineKind::Memory
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for EngineKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<EngineKind> {
        EngineKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::UnknownEngine { name: name.to_owned() })
    }
}

/// How an engine is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes the engine may use for its cache.
    pub cache_bytes: u64,
    /// Bytes that must stay free on the file system; commits are refused below.
    pub reserve_bytes: u64,
}

/// Opens an index, creating it if the directory is missing or empty, with the default reserve.
///
/// Errors: the directory is not usable, another process has it open, or the database is damaged (the caller
/// then deletes it and rebuilds it from the journal).
pub fn open(kind: EngineKind, dir: &Path, cache_bytes: u64) -> Result<Box<dyn Engine>> {
    open_with(kind, dir, Options { cache_bytes, reserve_bytes: DEFAULT_RESERVE_BYTES })
}

/// Opens an index as [`open`] does, with a chosen reserve of free space.
pub fn open_with(kind: EngineKind, dir: &Path, options: Options) -> Result<Box<dyn Engine>> {
    Ok(match kind {
        EngineKind::Sled => Box::new(SledEngine::open(dir, options)?),
        EngineKind::Redb => Box::new(RedbEngine::open(dir, options)?),
        EngineKind::Memory => Box::new(MemoryEngine::new()),
    })
}

/// Bytes that [`rewrite`] commits at a time.
const REWRITE_BATCH_BYTES: usize = 4 << 20;

/// Cache of the database that [`rewrite`] fills, in bytes.
const REWRITE_CACHE_BYTES: u64 = 64 << 20;

/// Copies every entry, in key order, into a fresh database in `new_dir`, and closes it.
///
/// An ordered copy is denser than what random changes leave behind. The caller keeps `from` unchanged
/// meanwhile, and puts the new directory in place of the old one. Returns the number of entries.
pub fn rewrite(from: &dyn Engine, kind: EngineKind, new_dir: &Path) -> Result<u64> {
    let target = open(kind, new_dir, REWRITE_CACHE_BYTES)?;
    let mut start: Vec<u8> = Vec::new();
    let mut batch = Batch::new();
    let mut entries = 0u64;
    loop {
        let page = from.scan(&start, &[], 1024)?;
        let Some((last, _)) = page.last() else { break };
        start.clear();
        start.extend_from_slice(last);
        start.push(0);
        entries += page.len() as u64;
        for (key, value) in page {
            batch.put(key, value);
        }
        if batch.bytes() >= REWRITE_BATCH_BYTES {
            target.commit(std::mem::take(&mut batch))?;
        }
    }
    target.commit(batch)?;
    Ok(entries)
}

/// Returns the bytes available on the file system that holds `dir`.
pub(crate) fn free_bytes(dir: &Path) -> Result<u64> {
    match rustix::fs::statvfs(dir) {
        Ok(found) => Ok(found.f_bavail.saturating_mul(found.f_frsize)),
        Err(source) => Err(io(dir, source)),
    }
}

fn check_space(dir: &Path, reserve_bytes: u64) -> Result<()> {
    let free_bytes = free_bytes(dir)?;
    if free_bytes < reserve_bytes {
        return Err(Error::NoSpace { path: dir.to_owned(), free_bytes, reserve_bytes });
    }
    Ok(())
}

fn io(path: &Path, errno: Errno) -> Error {
    Error::Io { path: path.to_owned(), source: errno.into() }
}

/// Makes a freshly created database durable: its files, their names and its directory's name.
fn sync_created(dir: &Path) -> Result<()> {
    let read_only = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    for directory in [Some(dir), dir.parent().filter(|parent| !parent.as_os_str().is_empty())] {
        let Some(directory) = directory else { continue };
        let opened = rustix::fs::open(directory, read_only, rustix::fs::Mode::empty())
            .map_err(|errno| io(directory, errno))?;
        if directory == dir {
            rustix::fs::syncfs(&opened).map_err(|errno| io(directory, errno))?;
        }
        rustix::fs::fsync(&opened).map_err(|errno| io(directory, errno))?;
    }
    Ok(())
}
