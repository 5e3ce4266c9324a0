//! Where each frame lies: a cache in the engine that can be rebuilt from the containers.
//!
//! Keys, all under `P`:
//!
//! | key | value |
//! |---|---|
//! | `P s` | state: varints format (1), frames indexed, container and offset of the tail, bucket bits |
//! | `P l`, group (u32 big-endian) | locations of 256 frames in a row: runs of varints (container, offset, count) and `count` frame lengths |
//! | `P h`, bucket (u32 big-endian) | frames whose hash begins with the bucket's bits: 5 bytes of the hash, number (u32 little-endian), unsorted |
//!
//! That is about 12 bytes a frame. The number of buckets doubles as the pool grows, so that a bucket holds 32
//! to 64 entries on average. Frames that are not in the engine yet are kept in memory.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use super::container::{Location, Tail};
use super::{ContentId, Result, varint};
use crate::store::engine::{self, Batch, Engine, Records};

/// First byte of every key of the pool.
pub const KEY_PREFIX: u8 = b'P';

const STATE_KEY: [u8; 2] = [KEY_PREFIX, b's'];
const FORMAT: u64 = 1;

/// Frames in one record of locations.
const GROUP: u32 = 256;

/// Bytes of the hash in a bucket's entry: beside the bucket's bits, a false match among ten million frames
/// costs one more header read in 100,000 lookups.
const HASH_BYTES: usize = 5;
const ENTRY_BYTES: usize = HASH_BYTES + 4;

/// Average number of entries at which the buckets double.
const BUCKET_ENTRIES: u64 = 64;

/// Decoded groups kept: 4096 x 256 x 12 bytes are 12 MiB, a million frames.
const CACHED_GROUPS: usize = 4096;

/// The index over the containers. Lock order: `checkpoint`, then `pending`, then `groups`.
pub(super) struct Index {
    engine: Arc<dyn Engine>,
    records: Records,
    pending: RwLock<Pending>,
    /// State that the batch of the last `checkpoint` call leads to.
    checkpoint: Mutex<Option<State>>,
    groups: RwLock<FxHashMap<u32, Arc<[Location]>>>,
}

/// What the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub count: u32,
    pub container: u32,
    pub offset: u64,
    bits: u8,
}

struct Pending {
    state: State,
    /// Frames from `state.count` on.
    frames: Vec<Frame>,
    by_hash: FxHashMap<[u8; 16], u32>,
}

#[derive(Clone, Copy)]
struct Frame {
    location: Location,
    hash: [u8; HASH_BYTES],
    /// False for a frame found damaged: it has a place, but is not found by its hash.
    sound: bool,
}

impl Index {
    /// Reads the state from the engine.
    pub(super) fn open(engine: Arc<dyn Engine>) -> Result<Index> {
        let state = match engine.get(&STATE_KEY)? {
            Some(stored) => State::parse(&stored).ok_or_else(|| damaged(&STATE_KEY))?,
            None => {
                State { count: 0, container: 1, offset: super::container::CONTAINER_HEADER_BYTES, bits: 0 }
            }
        };
        let pending = Pending { state, frames: Vec::new(), by_hash: FxHashMap::default() };
        Ok(Index {
            records: Records::new(Arc::clone(&engine)),
            engine,
            pending: RwLock::new(pending),
            checkpoint: Mutex::new(None),
            groups: RwLock::default(),
        })
    }

    /// Returns what the engine knows.
    pub(super) fn state(&self) -> State {
        self.pending.read().state
    }

    /// Adds the next frame.
    pub(super) fn add(&self, number: u32, id: &ContentId, location: Location, sound: bool) {
        let mut pending = self.pending.write();
        assert_eq!(number, pending.state.count + pending.frames.len() as u32, "frames come in order");
        let hash = id.0[..HASH_BYTES].try_into().expect("five bytes");
        pending.frames.push(Frame { location, hash, sound });
        if sound {
            pending.by_hash.insert(id.prefix(), number);
        }
    }

    /// Returns the numbers that may be those of a content, newest first; the frames' headers decide.
    pub(super) fn candidates(&self, id: &ContentId) -> Result<Vec<u32>> {
        let bits = {
            let pending = self.pending.read();
            if let Some(&number) = pending.by_hash.get(&id.prefix()) {
                return Ok(vec![number]);
            }
            pending.state.bits
        };
        let found = self.candidates_in_bucket(id, bits)?;
        if !found.is_empty() {
            return Ok(found);
        }
        // A checkpoint may have moved it meanwhile; then the number of buckets may have changed too.
        match self.pending.read().state.bits {
            same if same == bits => Ok(found),
            changed => self.candidates_in_bucket(id, changed),
        }
    }

    fn candidates_in_bucket(&self, id: &ContentId, bits: u8) -> Result<Vec<u32>> {
        let key = bucket_key(bucket_of(&id.0, bits));
        let Some(bucket) = self.records.get(&key)? else {
            return Ok(Vec::new());
        };
        let entries = bucket.rchunks_exact(ENTRY_BYTES);
        Ok(entries.filter(|entry| entry[..HASH_BYTES] == id.0[..HASH_BYTES]).map(entry_number).collect())
    }

    /// Returns where a frame lies.
    pub(super) fn location(&self, number: u32) -> Result<Location> {
        {
            let pending = self.pending.read();
            if number >= pending.state.count {
                let found = pending.frames.get((number - pending.state.count) as usize);
                return found.map(|frame| frame.location).ok_or_else(|| damaged(&group_key(number / GROUP)));
            }
        }
        let group = number / GROUP;
        let within = (number % GROUP) as usize;
        if let Some(location) = self.groups.read().get(&group).and_then(|found| found.get(within)) {
            return Ok(*location);
        }
        let key = group_key(group);
        let locations: Arc<[Location]> = self.stored_group(group)?.into();
        let found = locations.get(within).copied().ok_or_else(|| damaged(&key))?;
        let mut groups = self.groups.write();
        if groups.len() >= CACHED_GROUPS {
            groups.clear();
        }
        groups.insert(group, locations);
        Ok(found)
    }

    /// Adds to the batch what brings the engine up to frame `synced`.
    pub(super) fn checkpoint(&self, batch: &mut Batch, synced: u32, tail: Tail) -> Result<()> {
        let mut checkpoint = self.checkpoint.lock();
        let (state, new) = {
            let pending = self.pending.read();
            let new = synced.saturating_sub(pending.state.count) as usize;
            (pending.state, pending.frames[..new.min(pending.frames.len())].to_vec())
        };
        let Some(last) = new.last() else { return Ok(()) };
        let count = state.count + new.len() as u32;
        let end = u64::from(last.location.offset) + u64::from(last.location.length);
        let (container, offset) = match count == tail.next_number {
            true => (tail.container, tail.offset),
            false => (last.location.container, end),
        };
        let mut bits = state.bits;
        while u64::from(count) > BUCKET_ENTRIES << bits {
            bits += 1;
        }
        let next = State { count, container, offset, bits };
        self.put_locations(batch, state.count, &new)?;
        self.put_hashes(batch, state, bits, &new)?;
        batch.put(STATE_KEY, next.bytes());
        *checkpoint = Some(next);
        Ok(())
    }

    /// Forgets what the batch of the last checkpoint holds: the caller has committed it.
    pub(super) fn checkpointed(&self) {
        let Some(next) = self.checkpoint.lock().take() else {
            return;
        };
        let mut pending = self.pending.write();
        let first = pending.state.count;
        let done = (next.count - first) as usize;
        pending.frames.drain(..done);
        pending.by_hash.retain(|_, number| *number >= next.count);
        pending.state = next;
        self.groups.write().remove(&(first / GROUP));
    }

    fn put_locations(&self, batch: &mut Batch, first: u32, new: &[Frame]) -> Result<()> {
        let mut locations = match first % GROUP {
            0 => Vec::new(),
            within => {
                let mut stored = self.stored_group(first / GROUP)?;
                stored.truncate(within as usize);
                stored
            }
        };
        let mut group = first / GROUP;
        for (frame, more) in new.iter().zip((0..new.len()).rev()) {
            locations.push(frame.location);
            if locations.len() == GROUP as usize || more == 0 {
                self.records.put(batch, &group_key(group), &encode_group(&locations))?;
                locations.clear();
                group += 1;
            }
        }
        Ok(())
    }

    fn put_hashes(&self, batch: &mut Batch, state: State, bits: u8, new: &[Frame]) -> Result<()> {
        let mut buckets: FxHashMap<u32, Vec<u8>> = FxHashMap::default();
        if bits != state.bits {
            for bucket in 0..1u32 << state.bits {
                let stored = self.records.get(&bucket_key(bucket))?.unwrap_or_default();
                for entry in stored.chunks_exact(ENTRY_BYTES) {
                    buckets.entry(bucket_of(entry, bits)).or_default().extend_from_slice(entry);
                }
            }
        }
        for (frame, number) in new.iter().zip(state.count..).filter(|(frame, _)| frame.sound) {
            let bucket = bucket_of(&frame.hash, bits);
            let entries = match buckets.entry(bucket) {
                std::collections::hash_map::Entry::Occupied(found) => found.into_mut(),
                std::collections::hash_map::Entry::Vacant(vacant) if bits == state.bits => {
                    vacant.insert(self.records.get(&bucket_key(bucket))?.unwrap_or_default())
                }
                std::collections::hash_map::Entry::Vacant(vacant) => vacant.insert(Vec::new()),
            };
            entries.extend_from_slice(&frame.hash);
            entries.extend_from_slice(&number.to_le_bytes());
        }
        if bits != state.bits {
            for bucket in (0..1u32 << state.bits).filter(|bucket| !buckets.contains_key(bucket)) {
                self.records.delete(batch, &bucket_key(bucket))?;
            }
        }
        for (bucket, entries) in buckets {
            self.records.put(batch, &bucket_key(bucket), &entries)?;
        }
        Ok(())
    }

    fn stored_group(&self, group: u32) -> Result<Vec<Location>> {
        let key = group_key(group);
        let stored = Records::new(Arc::clone(&self.engine)).get(&key)?.ok_or_else(|| damaged(&key))?;
        decode_group(&stored).ok_or_else(|| damaged(&key))
    }
}

impl State {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let fields =
            [FORMAT, u64::from(self.count), u64::from(self.container), self.offset, u64::from(self.bits)];
        fields.into_iter().for_each(|field| varint::put(&mut bytes, field));
        bytes
    }

    fn parse(mut bytes: &[u8]) -> Option<State> {
        if varint::take(&mut bytes)? != FORMAT {
            return None;
        }
        Some(State {
            count: varint::take_u32(&mut bytes)?,
            container: varint::take_u32(&mut bytes)?,
            offset: varint::take(&mut bytes)?,
            bits: varint::take(&mut bytes)?.try_into().ok().filter(|bits| *bits < 32)?,
        })
    }
}

fn encode_group(locations: &[Location]) -> Vec<u8> {
    let follows = |left: &Location, right: &Location| {
        left.container == right.container && left.offset + left.length == right.offset
    };
    let mut bytes = Vec::new();
    for run in locations.chunk_by(follows) {
        for field in [run[0].container, run[0].offset, run.len() as u32] {
            varint::put(&mut bytes, u64::from(field));
        }
        run.iter().for_each(|location| varint::put(&mut bytes, u64::from(location.length)));
    }
    bytes
}

fn decode_group(mut bytes: &[u8]) -> Option<Vec<Location>> {
    let mut locations = Vec::with_capacity(GROUP as usize);
    while !bytes.is_empty() {
        let container = varint::take_u32(&mut bytes)?;
        let mut offset = varint::take_u32(&mut bytes)?;
        let count = varint::take_u32(&mut bytes)?;
        for _ in 0..count.min(GROUP) {
            let length = varint::take_u32(&mut bytes)?;
            locations.push(Location { container, offset, length });
            offset = offset.checked_add(length)?;
        }
    }
    Some(locations)
}

fn entry_number(entry: &[u8]) -> u32 {
    u32::from_le_bytes(entry[HASH_BYTES..ENTRY_BYTES].try_into().expect("four bytes"))
}

fn bucket_of(hash: &[u8], bits: u8) -> u32 {
    let first = u32::from_be_bytes(hash[..4].try_into().expect("four bytes"));
    first.checked_shr(32 - u32::from(bits)).unwrap_or(0)
}

fn bucket_key(bucket: u32) -> [u8; 6] {
    key(b'h', bucket)
}

fn group_key(group: u32) -> [u8; 6] {
    key(b'l', group)
}

fn key(kind: u8, number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_be_bytes();
    [KEY_PREFIX, kind, a, b, c, d]
}

fn damaged(key: &[u8]) -> super::Error {
    let detail = "it is missing or has not the form that the pool writes";
    super::Error::Engine(engine::Error::DamagedRecord { key: key.to_vec(), detail })
}
