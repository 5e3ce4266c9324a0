//! The cleartext pool: whole files of contents that are slow to rebuild. A cache, bounded in bytes.
//!
//! Any file in it may be deleted at any time, and none is durable: a file that this process has not written
//! is compared with its hash before it is first used.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use super::{ContentId, Error, Result};

/// The cleartext pool's files.
pub(super) struct Cleartext {
    dir: PathBuf,
    maximum_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    files: VecDeque<(ContentId, u64)>,
    bytes: u64,
    verified: FxHashSet<ContentId>,
}

impl Cleartext {
    /// Opens the pool, which is created if missing, and removes what is over its limit.
    pub(super) fn open(dir: &Path, maximum_bytes: u64) -> Result<Cleartext> {
        fs::create_dir_all(dir).map_err(|source| Error::io(dir, source))?;
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).map_err(|source| Error::io(dir, source))? {
            let entry = entry.map_err(|source| Error::io(dir, source))?;
            let id = entry.file_name().to_str().and_then(|name| name.parse::<ContentId>().ok());
            match (id, entry.metadata()) {
                (Some(id), Ok(metadata)) => found.push((metadata.modified().ok(), id, metadata.len())),
                // A file that was being written; a cache needs no error for what cannot be removed.
                _ => drop(fs::remove_file(entry.path())),
            }
        }
        found.sort_unstable_by_key(|(modified, id, _)| (*modified, *id));
        let pool = Cleartext { dir: dir.to_owned(), maximum_bytes, state: Mutex::default() };
        {
            let mut state = pool.state.lock();
            state.bytes = found.iter().map(|(_, _, bytes)| bytes).sum();
            state.files = found.into_iter().map(|(_, id, bytes)| (id, bytes)).collect();
            pool.evict(&mut state);
        }
        Ok(pool)
    }

    /// Returns an open file with the whole content, if there is one.
    pub(super) fn file(&self, id: &ContentId) -> Result<Option<File>> {
        let path = self.path(id);
        let Ok(file) = File::open(&path) else {
            return Ok(None);
        };
        if self.state.lock().verified.contains(id) {
            return Ok(Some(file));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file).map_err(|source| Error::io(&path, source))?;
        if hasher.finalize().as_bytes() != &id.0 {
            // It is only a copy.
            let _ = fs::remove_file(&path);
            return Ok(None);
        }
        self.state.lock().verified.insert(*id);
        Ok(Some(file))
    }

    /// Adds a content and returns its file; `None` when it does not fit.
    pub(super) fn add(&self, id: &ContentId, content: &[u8]) -> Result<Option<File>> {
        let bytes = content.len() as u64;
        if bytes > self.maximum_bytes {
            return Ok(None);
        }
        let path = self.path(id);
        let thread = format!("{:?}", std::thread::current().id());
        let unfinished = self.dir.join(format!("{id}.{thread}.new"));
        let work = || -> std::io::Result<File> {
            let mut file = File::create_new(&unfinished)?;
            file.write_all(content)?;
            fs::rename(&unfinished, &path)?;
            File::open(&path)
        };
        match work() {
            Ok(file) => {
                let mut state = self.state.lock();
                if state.verified.insert(*id) {
                    state.files.push_back((*id, bytes));
                    state.bytes += bytes;
                }
                self.evict(&mut state);
                Ok(Some(file))
            }
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "cleartext file not written");
                let _ = fs::remove_file(&unfinished);
                Ok(None)
            }
        }
    }

    fn evict(&self, state: &mut State) {
        while state.bytes > self.maximum_bytes {
            let Some((id, bytes)) = state.files.pop_front() else {
                break;
            };
            state.bytes -= bytes;
            state.verified.remove(&id);
            // It may have been deleted by hand, and readers that have it open keep it.
            let _ = fs::remove_file(self.path(&id));
        }
    }

    fn path(&self, id: &ContentId) -> PathBuf {
        self.dir.join(id.to_string())
    }
}
