//! Values of any size on top of an engine whose values are short.
//!
//! A value is stored under its key with a tag byte in front: `0` and the value, or `1`, the number of
//! further chunks (u16), the total length (u32), and the first chunk. Chunk `n` (from 1) lies under
//! `0xff, key, n (u16)`, all big-endian, so that scans of the caller's keys never meet it. Callers' keys
//! must not begin with `0xff`.

use std::sync::Arc;

use super::{Batch, Engine, Entry, Error, MAXIMUM_KEY_BYTES, MAXIMUM_VALUE_BYTES, Result};

/// First byte of the keys of chunks.
const CHUNK_PREFIX: u8 = 0xff;
/// Value bytes in a chunk; with the head's seven bytes this stays under the engines' limit.
const CHUNK_BYTES: usize = 4000;
/// Tag, count, length.
const HEAD_BYTES: usize = 1 + 2 + 4;
/// Largest logical value.
const MAXIMUM_RECORD_BYTES: usize = CHUNK_BYTES * (u16::MAX as usize);
/// Tries to read a value that is being overwritten all the time.
const ATTEMPTS: usize = 64;

const WHOLE: u8 = 0;
const CHUNKED: u8 = 1;

const _: () = assert!(CHUNK_BYTES + HEAD_BYTES <= MAXIMUM_VALUE_BYTES);

/// Logical values of up to about 262 MB in an engine.
#[derive(Clone)]
pub struct Records {
    engine: Arc<dyn Engine>,
}

impl Records {
    /// Wraps an engine. Keys written through `Records` must be read through it.
    pub fn new(engine: Arc<dyn Engine>) -> Records {
        Records { engine }
    }

    /// Returns the engine underneath.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Returns a value; it is whole even while another thread overwrites it.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(stored) = self.engine.get(key)? else {
            return Ok(None);
        };
        self.complete(key, stored)
    }

    /// Returns several values in the order of their keys. Values of one chunk are all of one state; longer
    /// ones are each whole, but may be of a later one.
    pub fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        let stored = self.engine.get_many(keys)?;
        keys.iter()
            .zip(stored)
            .map(|(key, stored)| stored.map_or(Ok(None), |stored| self.complete(key, stored)))
            .collect()
    }

    /// Returns at most `limit` values with `from <= key < to` in key order; an empty `to` means all the
    /// caller's keys. A value removed meanwhile is left out.
    pub fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>> {
        let to = if to.is_empty() { &[CHUNK_PREFIX][..] } else { to };
        let mut entries = Vec::new();
        for (key, stored) in self.engine.scan(from, to, limit)? {
            if let Some(value) = self.complete(&key, stored)? {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }

    /// Adds to the batch what sets `key` to `value` and removes chunks of a longer former value. What the
    /// batch already does to the key is taken into account.
    pub fn put(&self, batch: &mut Batch, key: &[u8], value: &[u8]) -> Result<()> {
        check_key(key)?;
        if value.len() > MAXIMUM_RECORD_BYTES {
            return Err(Error::ValueLength { length: value.len(), maximum: MAXIMUM_RECORD_BYTES });
        }
        let former = self.chunks_of(batch, key)?;
        let mut stored = Vec::with_capacity(value.len().min(CHUNK_BYTES) + HEAD_BYTES);
        let mut chunks = value.chunks(CHUNK_BYTES);
        let count = value.len().div_ceil(CHUNK_BYTES).saturating_sub(1) as u16;
        if count == 0 {
            stored.push(WHOLE);
        } else {
            stored.push(CHUNKED);
            stored.extend_from_slice(&count.to_be_bytes());
            stored.extend_from_slice(&(value.len() as u32).to_be_bytes());
        }
        stored.extend_from_slice(chunks.next().unwrap_or_default());
        batch.put(key, stored);
        for (chunk, index) in chunks.zip(1u16..) {
            batch.put(chunk_key(key, index), chunk);
        }
        for index in count + 1..former.saturating_add(1) {
            batch.delete(chunk_key(key, index));
        }
        Ok(())
    }

    /// Adds to the batch what removes a value; a missing one is no error.
    pub fn delete(&self, batch: &mut Batch, key: &[u8]) -> Result<()> {
        check_key(key)?;
        let former = self.chunks_of(batch, key)?;
        batch.delete(key);
        for index in 1..former.saturating_add(1) {
            batch.delete(chunk_key(key, index));
        }
        Ok(())
    }

    /// Number of further chunks that `key` has once `batch` is applied.
    fn chunks_of(&self, batch: &Batch, key: &[u8]) -> Result<u16> {
        let stored = match batch.get(key) {
            Some(change) => change.map(<[u8]>::to_vec),
            None => self.engine.get(key)?,
        };
        match stored {
            Some(stored) => Ok(Head::parse(key, &stored)?.chunks),
            None => Ok(0),
        }
    }

    /// Turns the stored head into the whole value.
    fn complete(&self, key: &[u8], mut stored: Vec<u8>) -> Result<Option<Vec<u8>>> {
        for _ in 0..ATTEMPTS {
            let head = Head::parse(key, &stored)?;
            if head.chunks == 0 {
                stored.drain(..head.bytes);
                return Ok(Some(stored));
            }
            let mut keys = vec![key.to_vec()];
            keys.extend((1..=head.chunks).map(|index| chunk_key(key, index)));
            let mut found = self.engine.get_many(&keys)?.into_iter();
            // One call sees one state: if the head is still the same, the chunks belong to it.
            let Some(again) = found.next().flatten() else {
                return Ok(None);
            };
            if Head::parse(key, &again)? != head {
                stored = again;
                continue;
            }
            let mut value = Vec::with_capacity(head.length);
            value.extend_from_slice(&again[head.bytes..]);
            for chunk in found {
                let detail = "a chunk is missing";
                let chunk = chunk.ok_or_else(|| Error::DamagedRecord { key: key.to_vec(), detail })?;
                value.extend_from_slice(&chunk);
            }
            if value.len() != head.length {
                let detail = "its chunks do not add up";
                return Err(Error::DamagedRecord { key: key.to_vec(), detail });
            }
            return Ok(Some(value));
        }
        Err(Error::DamagedRecord { key: key.to_vec(), detail: "it changed at every attempt to read it" })
    }
}

#[derive(PartialEq, Eq)]
struct Head {
    chunks: u16,
    length: usize,
    bytes: usize,
}

impl Head {
    fn parse(key: &[u8], stored: &[u8]) -> Result<Head> {
        match stored {
            [WHOLE, value @ ..] => Ok(Head { chunks: 0, length: value.len(), bytes: 1 }),
            [CHUNKED, c0, c1, l0, l1, l2, l3, ..] => Ok(Head {
                chunks: u16::from_be_bytes([*c0, *c1]),
                length: u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize,
                bytes: HEAD_BYTES,
            }),
            _ => Err(Error::DamagedRecord { key: key.to_vec(), detail: "its head is not valid" }),
        }
    }
}

fn check_key(key: &[u8]) -> Result<()> {
    // A chunk's key is three bytes longer.
    let maximum = MAXIMUM_KEY_BYTES - 3;
    if key.is_empty() || key.len() > maximum {
        return Err(Error::KeyLength { length: key.len(), maximum });
    }
    assert_ne!(key[0], CHUNK_PREFIX, "keys that begin with 0xff are reserved for chunks");
    Ok(())
}

fn chunk_key(key: &[u8], index: u16) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(key.len() + 3);
    chunk.push(CHUNK_PREFIX);
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(&index.to_be_bytes());
    chunk
}
