//! The engine that keeps nothing: a sorted map in memory, for tests and for indexes rebuilt at each start.

use std::collections::BTreeMap;
use std::ops::Bound;

use parking_lot::RwLock;

use super::{Batch, Engine, Entry, Result};

/// An index in memory. Nothing survives its drop.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    entries: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryEngine {
    /// Returns an empty index.
    pub fn new() -> MemoryEngine {
        MemoryEngine::default()
    }
}

impl Engine for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.entries.read().get(key).cloned())
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        let entries = self.entries.read();
        Ok(keys.iter().map(|key| entries.get(key).cloned()).collect())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>> {
        if !to.is_empty() && from >= to {
            return Ok(Vec::new());
        }
        let upper = if to.is_empty() { Bound::Unbounded } else { Bound::Excluded(to) };
        let entries = self.entries.read();
        let range = entries.range::<[u8], _>((Bound::Included(from), upper));
        Ok(range.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&self, batch: Batch) -> Result<()> {
        batch.check()?;
        let mut entries = self.entries.write();
        for (key, value) in batch.changes {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}
