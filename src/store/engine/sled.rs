//! The sled engine, hardened.
//!
//! Sled's own flush leaves file size and extents to chance and never syncs the names it creates, so a commit
//! is followed by fdatasync of its log file and a creation by syncfs. On a full disk sled waits for ever, so
//! commits are refused while little space is left. Its scans are no snapshots, so a lock keeps a batch from
//! being applied in the middle of one.

use std::fs::{self, File};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::RwLock;

use super::{Batch, Engine, Entry, Error, Options, Result, check_space, sync_created};

const NAME: &str = "sled";

/// Sled's log file inside the database directory.
const LOG_FILE: &str = "db";

/// Sled reclaims its log in segments. After 400,000 random overwrites of 18.6 MB, segments of 512 KiB (sled's own
/// choice) took 81 MB, of 128 KiB 56 MB, of 32 KiB 54 MB, at the same speed. Part of the format: a database
/// opens only with the size it was created with.
const SEGMENT_BYTES: usize = 128 << 10;

/// Smallest cache that sled works with, in bytes.
const MINIMUM_CACHE_BYTES: u64 = 1 << 20;

/// How long a dropped handle may take to release its lock, and how often that is looked at.
const RELEASE_WAIT: Duration = Duration::from_millis(1000);
const RELEASE_POLL: Duration = Duration::from_millis(5);

/// An index in a sled database.
pub struct SledEngine {
    dir: PathBuf,
    reserve_bytes: u64,
    database: ::sled::Db,
    log: File,
    /// Held for writing while a batch is applied, for reading during each call that reads more than one key.
    whole: RwLock<()>,
    poisoned: AtomicBool,
}

impl SledEngine {
    /// Opens or creates the database in `dir`.
    pub fn open(dir: &Path, options: Options) -> Result<SledEngine> {
        fs::create_dir_all(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })?;
        let created = !dir.join(LOG_FILE).exists();
        // Opening writes too (recovery, snapshots), and would wait for ever on a full disk.
        check_space(dir, options.reserve_bytes)?;
        let config = ::sled::Config::new()
            .path(dir)
            .mode(::sled::Mode::LowSpace)
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(options.cache_bytes.max(MINIMUM_CACHE_BYTES))
            .flush_every_ms(None);
        let database = open_patiently(dir, &config)?;
        let log_path = dir.join(LOG_FILE);
        let log = File::open(&log_path).map_err(|source| Error::Io { path: log_path, source })?;
        if created {
            database.flush().map_err(|error| open_error(dir, &error))?;
            sync_created(dir)?;
        }
        Ok(SledEngine {
            dir: dir.to_owned(),
            reserve_bytes: options.reserve_bytes,
            database,
            log,
            whole: RwLock::new(()),
            poisoned: AtomicBool::new(false),
        })
    }

    fn check_poison(&self) -> Result<()> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(Error::Poisoned { engine: NAME, path: self.dir.clone() });
        }
        Ok(())
    }

    fn storage(&self, error: impl ToString) -> Error {
        Error::Storage { engine: NAME, path: self.dir.clone(), detail: error.to_string() }
    }

    /// Applies, then makes durable. The order of the two is sled's; readers may see a batch that is not
    /// durable yet, which is harmless in an index that follows a durable journal.
    fn apply(&self, batch: Batch) -> Result<()> {
        let mut changes = ::sled::Batch::default();
        for (key, value) in batch.changes {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        {
            let _whole = self.whole.write();
            self.database.apply_batch(changes).map_err(|error| self.storage(error))?;
        }
        self.database.flush().map_err(|error| self.storage(error))?;
        self.log.sync_data().map_err(|error| self.storage(error))
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check_poison()?;
        let found = self.database.get(key).map_err(|error| self.storage(error))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        self.check_poison()?;
        let _whole = self.whole.read();
        keys.iter()
            .map(|key| {
                let found = self.database.get(key).map_err(|error| self.storage(error))?;
                Ok(found.map(|value| value.to_vec()))
            })
            .collect()
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>> {
        self.check_poison()?;
        if !to.is_empty() && from >= to {
            return Ok(Vec::new());
        }
        let _whole = self.whole.read();
        let range = if to.is_empty() { self.database.range(from..) } else { self.database.range(from..to) };
        range
            .take(limit)
            .map(|entry| {
                let (key, value) = entry.map_err(|error| self.storage(error))?;
                Ok((key.to_vec(), value.to_vec()))
            })
            .collect()
    }

    fn commit(&self, batch: Batch) -> Result<()> {
        self.check_poison()?;
        batch.check()?;
        check_space(&self.dir, self.reserve_bytes)?;
        self.apply(batch).inspect_err(|_| self.poisoned.store(true, Ordering::Release))
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

/// Opens, waiting for a handle that was dropped a moment ago: sled's threads release the lock later.
fn open_patiently(dir: &Path, config: &::sled::Config) -> Result<::sled::Db> {
    let start = Instant::now();
    loop {
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()))
            .unwrap_or_else(|_| Err(::sled::Error::ReportableBug("opening panicked".to_owned())))
            .map_err(|error| open_error(dir, &error));
        match outcome {
            Err(Error::InUse { .. }) if start.elapsed() < RELEASE_WAIT => std::thread::sleep(RELEASE_POLL),
            outcome => return outcome,
        }
    }
}

fn open_error(dir: &Path, error: &::sled::Error) -> Error {
    let path = dir.to_owned();
    match error {
        ::sled::Error::Io(source) if source.kind() == std::io::ErrorKind::WouldBlock => {
            Error::InUse { engine: NAME, path }
        }
        // Sled wraps the refused lock in a plain error whose text is all that tells it.
        ::sled::Error::Io(source) if source.to_string().contains("could not acquire lock") => {
            Error::InUse { engine: NAME, path }
        }
        other => Error::Open { engine: NAME, path, detail: other.to_string() },
    }
}
