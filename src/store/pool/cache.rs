//! A cache of contents bounded by bytes, split so that readers rarely meet: least recently used goes first.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Independent parts, each with its own lock and an equal share of the bytes.
const SHARDS: u64 = 8;

/// What is cached: a content, or one chunk of a large one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub number: u32,
    /// 0 for a whole content, else the chunk's index plus one.
    pub chunk: u32,
}

impl Key {
    /// Returns the key of a whole content.
    pub(super) fn whole(number: u32) -> Key {
        Key { number, chunk: 0 }
    }
}

/// The cache. All methods may be called from any thread; each takes one shard's lock for a moment.
pub(super) struct Cache {
    shards: Vec<Mutex<Shard>>,
    shard_bytes: usize,
}

/// How a cache has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CacheFigures {
    /// Times that something wanted was there.
    pub hits: u64,
    /// Times that it was not.
    pub misses: u64,
    /// What is there now.
    pub entries: u64,
}

impl std::ops::AddAssign for CacheFigures {
    fn add_assign(&mut self, other: CacheFigures) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.entries += other.entries;
    }
}

#[derive(Default)]
struct Shard {
    entries: FxHashMap<Key, (u64, Arc<[u8]>)>,
    /// Entries by time of last use.
    by_use: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
    misses: u64,
    hits: u64,
}

impl Cache {
    /// Returns an empty cache of at most so many bytes.
    pub(super) fn new(bytes: u64) -> Cache {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Cache { shards, shard_bytes: (bytes / SHARDS) as usize }
    }

    /// Returns a cached content.
    pub(super) fn get(&self, key: Key) -> Option<Arc<[u8]>> {
        let mut shard = self.shard(key).lock();
        shard.clock += 1;
        let now = shard.clock;
        let Some((used, content)) = shard.entries.get_mut(&key) else {
            shard.misses += 1;
            return None;
        };
        let content = Arc::clone(content);
        let former = std::mem::replace(used, now);
        shard.by_use.remove(&former);
        shard.by_use.insert(now, key);
        shard.hits += 1;
        Some(content)
    }

    /// Returns how it has done.
    pub(super) fn figures(&self) -> CacheFigures {
        let mut all = CacheFigures::default();
        for shard in &self.shards {
            let shard = shard.lock();
            let entries = shard.entries.len() as u64;
            all += CacheFigures { hits: shard.hits, misses: shard.misses, entries };
        }
        all
    }

    /// Adds a content, unless it alone would fill a quarter of a shard.
    pub(super) fn put(&self, key: Key, content: &Arc<[u8]>) {
        if content.len() > self.shard_bytes / 4 {
            return;
        }
        let mut shard = self.shard(key).lock();
        shard.clock += 1;
        let now = shard.clock;
        if let Some((used, former)) = shard.entries.insert(key, (now, Arc::clone(content))) {
            shard.by_use.remove(&used);
            shard.bytes -= former.len();
        }
        shard.by_use.insert(now, key);
        shard.bytes += content.len();
        while shard.bytes > self.shard_bytes {
            let Some((_, oldest)) = shard.by_use.pop_first() else {
                break;
            };
            if let Some((_, content)) = shard.entries.remove(&oldest) {
                shard.bytes -= content.len();
            }
        }
    }

    fn shard(&self, key: Key) -> &Mutex<Shard> {
        &self.shards[(u64::from(key.number ^ key.chunk) % SHARDS) as usize]
    }
}
