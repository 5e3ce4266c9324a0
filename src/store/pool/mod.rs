//! Pools: immutable contents addressed by their BLAKE3 hash.
//!
//! Owns `s/sdft` (the source pool: containers of compressed frames, and files of large contents) and `c/cdft`
//! (the cleartext pool: a cache of whole files). Must not know what a content belongs to. The one idea: the
//! containers are the truth and describe themselves; where a frame lies is a cache in the index engine under
//! the key prefix [`KEY_PREFIX`], rebuilt from the containers when it is missing.
//!
//! A content is served only if it matches its hash. It is durable after [`Pools::sync`], or when a journal has what
//! [`Pools::carry`] returned; the index learns of it
//! through [`Pools::checkpoint`], and until then it is found again at open by reading the containers' ends.

mod cache;
mod carried;
mod chain;
mod cleartext;
mod codec;
mod container;
mod error;
mod frame;
mod id;
mod index;
mod ingest;
mod large;
mod scan;
mod varint;

#[cfg(test)]
mod tests;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

pub use self::cache::CacheFigures;
use self::cache::{Cache, Key};
pub use self::chain::Policy;
use self::chain::{Choice, Link};
use self::cleartext::Cleartext;
use self::container::{Containers, Location};
pub use self::error::{Error, Result};
use self::frame::{Header, Kind};
pub use self::id::{ContentId, ParseContentIdError};
use self::index::Index;
pub use self::index::KEY_PREFIX;
pub use self::ingest::Ingest;
use self::large::{CHUNK_BYTES, Large};
use crate::store::durable;
use crate::store::engine::{Batch, Engine};
use crate::vob::StoredContent;

/// Contents up to this size are frames in a container; larger ones are files in chunks.
pub const SMALL_BYTES: usize = 16 << 20;

/// Deltas of more than this are expanded into the cleartext pool before parts of them are read.
const EXPAND_FROM_BYTES: u64 = 1 << 20;

/// Largest content that [`Pools::get`] returns.
pub const MAXIMUM_WHOLE_BYTES: u64 = 256 << 20;

/// A delta must be smaller than a full frame by this divisor's share; else a new chain begins.
const WORTHWHILE_DIVISOR: usize = 4;

/// Level that tells quickly how small a full frame would be: a delta of half that size is certainly worthwhile.
const ESTIMATE_LEVEL: i32 = 1;

/// Frames read of a chain before it must be an endless one: the policies allow far fewer.
const MAXIMUM_CHAIN: usize = 4096;

/// What the pools may use, and how they compress.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Contents kept in memory, in bytes.
    pub cache_bytes: u64,
    /// Files in the cleartext pool, in bytes.
    pub cleartext_bytes: u64,
    /// Contents under way in one [`Ingest`], in bytes.
    pub ingest_bytes: u64,
    /// Threads that compress in one [`Ingest`].
    pub ingest_threads: usize,
    /// Size at which a new container is begun, in bytes, at most 2 GiB.
    pub container_bytes: u64,
    /// How contents are compressed.
    pub policy: Policy,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            cache_bytes: 64 << 20,
            cleartext_bytes: 1 << 30,
            ingest_bytes: 64 << 20,
            ingest_threads: std::thread::available_parallelism().map_or(2, usize::from).min(8),
            container_bytes: 256 << 20,
            policy: Policy::default(),
        }
    }
}

/// The pools of one VOB. All methods may be called from any thread.
pub struct Pools {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    limits: Limits,
    containers: Containers,
    index: Index,
    cache: Cache,
    cleartext: Cleartext,
    /// Frames found damaged at open, by content.
    damaged: Mutex<FxHashMap<ContentId, Location>>,
    /// Numbers of contents that are durable in a journal, here perhaps not yet.
    journaled: Mutex<FxHashSet<u32>>,
}

impl Pools {
    /// Creates empty pools in a VOB's directory. Files and names are durable when it returns.
    pub fn create(vob_dir: &Path) -> Result<()> {
        let (source, cleartext) = (source_dir(vob_dir), cleartext_dir(vob_dir));
        if source.exists() {
            return Err(Error::Exists { path: source });
        }
        Pools::make_directories(vob_dir)?;
        Containers::create(&source)?;
        for dir in [cleartext.parent(), source.parent(), Some(vob_dir)].into_iter().flatten() {
            durable::sync_directory(dir).map_err(|source| Error::io(dir, source))?;
        }
        Ok(())
    }

    /// Makes the directories of a VOB's pools, which may all be empty; those that are there stay.
    pub fn make_directories(vob_dir: &Path) -> Result<()> {
        for dir in [source_dir(vob_dir).join("large"), cleartext_dir(vob_dir)] {
            fs::create_dir_all(&dir).map_err(|source| Error::io(&dir, source))?;
        }
        Ok(())
    }

    /// Opens the pools, adding what the containers hold beyond what the engine's index knows. A torn frame at
    /// the end is removed. With an empty engine that means reading all containers.
    ///
    /// Errors: the index knows frames that are gone ([`Error::Lost`]), or damage hides frames.
    pub fn open(vob_dir: &Path, engine: Arc<dyn Engine>, limits: Limits) -> Result<Pools> {
        let dir = source_dir(vob_dir);
        large::remove_unfinished(&dir)?;
        let containers = Containers::open(&dir, limits.container_bytes)?;
        let index = Index::open(engine)?;
        let mut damaged = FxHashMap::default();
        let tail = scan::scan(&containers, index.state(), &mut |found| {
            index.add(found.number, &found.id, found.location, found.sound);
            if !found.sound {
                damaged.insert(found.id, found.location);
            }
        })?;
        containers.resume(tail)?;
        let inner = Inner {
            cache: Cache::new(limits.cache_bytes),
            cleartext: Cleartext::open(&cleartext_dir(vob_dir), limits.cleartext_bytes)?,
            damaged: Mutex::new(damaged),
            journaled: Mutex::default(),
            dir,
            limits,
            containers,
            index,
        };
        Ok(Pools { inner: Arc::new(inner) })
    }

    /// Tells whether the pool has a content. Its bytes are not looked at.
    pub fn contains(&self, id: &ContentId) -> Result<bool> {
        Ok(self.inner.number(id)?.is_some())
    }

    /// Returns the size of a content in bytes.
    pub fn size(&self, id: &ContentId) -> Result<u64> {
        let (number, at) = self.inner.find(id)?;
        Ok(self.inner.containers.header(number, at)?.raw_length)
    }

    /// Returns the dense number of a content, which is stable once the content is durable.
    pub fn number(&self, id: &ContentId) -> Result<Option<u32>> {
        self.inner.number(id)
    }

    /// Returns the content of a number, the inverse of [`Pools::number`].
    pub fn id(&self, number: u32) -> Result<ContentId> {
        let at = self.inner.index.location(number)?;
        Ok(self.inner.containers.header(number, at)?.id)
    }

    /// Returns the number of contents, which is above every content's number.
    pub fn count(&self) -> u32 {
        self.inner.containers.tail().next_number
    }

    /// Stores a content, unless it is there already, compressed against its predecessor or any other content
    /// that is likely to be similar. Not durable before [`Pools::sync`]. A predecessor that the pool does not
    /// have is ignored.
    pub fn put(&self, content: &[u8], predecessor: Option<&ContentId>) -> Result<ContentId> {
        if content.len() > SMALL_BYTES {
            return self.inner.put_large(content, &mut std::io::empty()).map(|(id, _)| id);
        }
        let id = ContentId::of(content);
        if self.inner.number(&id)?.is_none() {
            self.inner.store(content, id, predecessor)?;
        }
        Ok(id)
    }

    /// Stores all that a reader holds and returns its size too. At most some 40 MiB of memory are used, however
    /// large the content.
    pub fn put_reader(
        &self,
        reader: &mut dyn Read,
        predecessor: Option<&ContentId>,
    ) -> Result<(ContentId, u64)> {
        let mut first = Vec::new();
        let read = reader.take(SMALL_BYTES as u64 + 1).read_to_end(&mut first);
        read.map_err(|source| Error::Source { source })?;
        if first.len() > SMALL_BYTES {
            return self.inner.put_large(&first, reader);
        }
        let size = first.len() as u64;
        self.put(&first, predecessor).map(|id| (id, size))
    }

    /// Makes everything put before the call durable.
    pub fn sync(&self) -> Result<()> {
        self.inner.sync()
    }

    /// Returns what of these contents is not durable yet, as it is kept, with the bases that are not either, a base before what
    /// needs it. `None` if that is more than `maximum_bytes`, or a content in a file of its own: then [`Pools::sync`]
    /// is for them.
    pub fn carry(&self, contents: &[ContentId], maximum_bytes: usize) -> Result<Option<Vec<StoredContent>>> {
        self.inner.carry(contents, maximum_bytes)
    }

    /// Tells that a journal has these contents: what is stored against them need not carry them again.
    pub fn carried<'a>(&self, mut contents: impl Iterator<Item = &'a StoredContent>) {
        self.inner.carried(&mut contents);
    }

    /// Puts a content back as it was kept, unless it is there. Not durable before [`Pools::sync`].
    pub fn restore(&self, content: &StoredContent) -> Result<()> {
        self.inner.restore(content)
    }

    /// Returns a whole content of at most [`MAXIMUM_WHOLE_BYTES`], verified by its hash.
    pub fn get(&self, id: &ContentId) -> Result<Arc<[u8]>> {
        self.inner.get(id)
    }

    /// Appends `len` bytes from `offset` of a content to `out`. Large contents are read by chunk.
    pub fn read_at(&self, id: &ContentId, offset: u64, len: usize, out: &mut Vec<u8>) -> Result<()> {
        self.inner.read_at(id, offset, len, out)
    }

    /// Writes a whole content of any size, verified piece by piece, and returns its size.
    pub fn copy_to(&self, id: &ContentId, writer: &mut dyn Write) -> Result<u64> {
        let size = self.size(id)?;
        let sink = |source| Error::Source { source };
        if size <= SMALL_BYTES as u64 {
            writer.write_all(&self.get(id)?).map_err(sink)?;
            return Ok(size);
        }
        let mut piece = Vec::with_capacity(CHUNK_BYTES);
        for offset in (0..size).step_by(CHUNK_BYTES) {
            piece.clear();
            let length = (size - offset).min(CHUNK_BYTES as u64) as usize;
            self.read_at(id, offset, length, &mut piece)?;
            writer.write_all(&piece).map_err(sink)?;
        }
        Ok(size)
    }

    /// Returns the files, below the VOB's directory, that hold every content put before the call, and their lengths. All is durable.
    ///
    /// # Errors
    /// If it cannot be made durable, or a file cannot be found.
    pub fn lengths(&self) -> Result<Vec<(PathBuf, u64)>> {
        let inner = &self.inner;
        inner.sync()?;
        let tail = inner.containers.tail();
        let below = source_dir(Path::new(""));
        let mut lengths = Vec::new();
        let length = |path: &Path| {
            let found = fs::metadata(path).map_err(|source| Error::io(path, source))?;
            Ok::<u64, Error>(found.len())
        };
        for container in 1..=tail.container {
            let path = inner.containers.path(container);
            let bytes = if container == tail.container { tail.offset } else { length(&path)? };
            lengths.push((below.join(path.file_name().unwrap_or_default()), bytes));
        }
        for path in large::all(&inner.dir)? {
            let bytes = length(&path)?;
            let name = path.strip_prefix(&inner.dir).unwrap_or(&path);
            lengths.push((below.join(name), bytes));
        }
        Ok(lengths)
    }

    /// Returns how the cache of contents has done.
    pub fn cache_figures(&self) -> CacheFigures {
        self.inner.cache.figures()
    }

    /// Begins a bulk load.
    pub fn ingest(&self) -> Ingest {
        Ingest::start(&self.inner)
    }

    /// Adds to the batch what tells the index of all durable contents. The caller commits the batch and then
    /// calls [`Pools::checkpointed`]; if the commit fails it does not, and nothing is lost.
    pub fn checkpoint(&self, batch: &mut Batch) -> Result<()> {
        let inner = &self.inner;
        inner.index.checkpoint(batch, inner.containers.synced(), inner.containers.tail())
    }

    /// Tells that the batch of the last [`Pools::checkpoint`] is committed.
    pub fn checkpointed(&self) {
        self.inner.index.checkpointed();
        self.inner.forget_carried();
    }
}

impl Inner {
    fn number(&self, id: &ContentId) -> Result<Option<u32>> {
        for number in self.index.candidates(id)? {
            let at = self.index.location(number)?;
            if self.containers.header(number, at)?.id == *id {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn find(&self, id: &ContentId) -> Result<(u32, Location)> {
        if let Some(number) = self.number(id)? {
            return Ok((number, self.index.location(number)?));
        }
        match self.damaged.lock().get(id) {
            Some(at) => {
                Err(self.containers.damaged(*at, Some(*id), "the payload does not match its checksum"))
            }
            None => Err(Error::NotFound { id: *id }),
        }
    }

    fn sync(&self) -> Result<()> {
        self.containers.sync()
    }

    /// Compresses and appends a content of at most [`SMALL_BYTES`].
    fn store(&self, content: &[u8], id: ContentId, predecessor: Option<&ContentId>) -> Result<u32> {
        let (kind, payload) = self.encode(content, id, predecessor)?;
        let stored = if kind == Kind::Raw { content } else { &payload[..] };
        let number = self.append(&Header::of(id, kind, content.len() as u64, stored), stored)?;
        self.cache.put(Key::whole(number), &Arc::from(content));
        Ok(number)
    }

    fn append(&self, header: &Header, payload: &[u8]) -> Result<u32> {
        let number = self.containers.append(
            header,
            payload,
            || self.number(&header.id),
            |number, location| self.index.add(number, &header.id, location, true),
        )?;
        self.damaged.lock().remove(&header.id);
        Ok(number)
    }

    fn put_large(&self, first: &[u8], rest: &mut dyn Read) -> Result<(ContentId, u64)> {
        let (id, length) = large::write(&self.dir, first, rest)?;
        self.append(&Header::of(id, Kind::Large, length, &[]), &[])?;
        Ok((id, length))
    }

    /// Chooses how to store a content and returns its payload, which is empty for a raw one.
    fn encode(
        &self,
        content: &[u8],
        id: ContentId,
        predecessor: Option<&ContentId>,
    ) -> Result<(Kind, Vec<u8>)> {
        let policy = &self.limits.policy;
        let compress = |base: Option<&[u8]>, level| {
            codec::compress(content, base, level).map_err(|detail| Error::Compress { id, detail })
        };
        let delta =
            match predecessor.map(|predecessor| self.base(content, predecessor)).transpose()?.flatten() {
                Some((choice, base)) => Some((choice, compress(Some(&base), policy.delta_level)?)),
                None => None,
            };
        if let Some((choice, payload)) = &delta
            && (payload.len() < content.len() / 16
                || payload.len() * 2 < compress(None, ESTIMATE_LEVEL)?.len().min(content.len()))
        {
            let kind = Kind::Delta { base: choice.base, position: choice.position };
            return Ok((kind, delta.map(|(_, payload)| payload).unwrap_or_default()));
        }
        let full = compress(None, policy.full_level)?;
        let smallest = full.len().min(content.len());
        if let Some((choice, payload)) = delta
            && payload.len() < smallest - smallest / WORTHWHILE_DIVISOR
        {
            return Ok((Kind::Delta { base: choice.base, position: choice.position }, payload));
        }
        Ok(if full.len() < content.len() { (Kind::Full, full) } else { (Kind::Raw, Vec::new()) })
    }

    /// Returns the base for a content with that predecessor, if one can serve.
    fn base(&self, content: &[u8], predecessor: &ContentId) -> Result<Option<(Choice, Arc<[u8]>)>> {
        let Some(number) = self.number(predecessor)? else {
            return Ok(None);
        };
        let mut large = false;
        let size = content.len() as u64;
        let choice = self.limits.policy.choose(size, number, &mut |number| {
            let header = self.containers.header(number, self.index.location(number)?)?;
            large |= header.kind == Kind::Large;
            let (base, position) = match header.kind {
                Kind::Delta { base, position } => (Some(base), position),
                Kind::Raw | Kind::Full | Kind::Large => (None, 0),
            };
            Ok(Link { number, position, base, raw_length: header.raw_length })
        })?;
        if large || content.is_empty() {
            return Ok(None);
        }
        match self.content(choice.base) {
            Ok(base) if codec::can_be_base(&base) => Ok(Some((choice, base))),
            Ok(_) => Ok(None),
            // A damaged predecessor must not keep its successors out.
            Err(Error::Damaged { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn get(&self, id: &ContentId) -> Result<Arc<[u8]>> {
        let (number, at) = self.find(id)?;
        if let Some(content) = self.cache.get(Key::whole(number)) {
            return Ok(content);
        }
        let header = self.containers.header(number, at)?;
        if header.kind != Kind::Large {
            return self.content(number);
        }
        if header.raw_length > MAXIMUM_WHOLE_BYTES {
            let (id, size, maximum) = (*id, header.raw_length, MAXIMUM_WHOLE_BYTES);
            return Err(Error::TooLarge { id, size, maximum });
        }
        let mut content = Vec::with_capacity(header.raw_length as usize);
        self.read_large(number, &header, 0, header.raw_length as usize, &mut content)?;
        Ok(content.into())
    }

    /// Decodes a content, from the nearest of its bases that is in memory, and verifies it.
    fn content(&self, number: u32) -> Result<Arc<[u8]>> {
        let mut frames = Vec::new();
        let mut next = Some(number);
        let mut base: Arc<[u8]> = Arc::from([]);
        while let Some(number) = next {
            if let Some(content) = self.cache.get(Key::whole(number)) {
                base = content;
                break;
            }
            let at = self.index.location(number)?;
            let (header, payload) = self.containers.frame(number, at)?;
            if frames.len() == MAXIMUM_CHAIN || header.kind == Kind::Large {
                return Err(self.containers.damaged(
                    at,
                    Some(header.id),
                    "the chain of bases is not possible",
                ));
            }
            next = match header.kind {
                Kind::Delta { base, .. } => Some(base),
                Kind::Raw | Kind::Full | Kind::Large => None,
            };
            frames.push((at, header, payload));
        }
        let Some(target) = frames.first().map(|(at, header, _)| (*at, header.id)) else {
            return Ok(base);
        };
        let verified = self.decode(&frames, &base, target.1)?;
        self.cache.put(Key::whole(number), &verified);
        Ok(verified)
    }

    /// Decodes frames, given from the content down to the root of its chain.
    fn decode(
        &self,
        frames: &[(Location, Header, Vec<u8>)],
        base: &Arc<[u8]>,
        id: ContentId,
    ) -> Result<Arc<[u8]>> {
        let step = |(at, header, payload): &(Location, Header, Vec<u8>), base: &[u8]| {
            let length = header.raw_length as usize;
            let decoded = match header.kind {
                Kind::Raw | Kind::Large => Ok(payload.clone()),
                Kind::Full => codec::decompress(payload, &[], length),
                Kind::Delta { .. } => codec::decompress(payload, base, length),
            };
            decoded.map_err(|detail| self.containers.damaged(*at, Some(header.id), detail))
        };
        let run = |verify: bool| -> Result<Vec<u8>> {
            let mut content = base.to_vec();
            for frame in frames.iter().rev() {
                content = step(frame, &content)?;
                if verify && ContentId::of(&content) != frame.1.id {
                    return Err(self.containers.damaged(
                        frame.0,
                        Some(frame.1.id),
                        "the content does not match its hash",
                    ));
                }
            }
            Ok(content)
        };
        match run(false) {
            Ok(content) if ContentId::of(&content) == id => Ok(content.into()),
            // Once more, looking at each step, to name the frame that is bad.
            _ => run(true).map(Arc::from),
        }
    }

    fn read_at(&self, id: &ContentId, offset: u64, length: usize, out: &mut Vec<u8>) -> Result<()> {
        let (number, at) = self.find(id)?;
        let whole = |content: &[u8], out: &mut Vec<u8>| {
            let range =
                usize::try_from(offset).ok().and_then(|start| Some(start..start.checked_add(length)?));
            match range.and_then(|range| content.get(range)) {
                Some(part) => {
                    out.extend_from_slice(part);
                    Ok(())
                }
                None => Err(beyond_end(id, content.len() as u64, offset, length)),
            }
        };
        if let Some(content) = self.cache.get(Key::whole(number)) {
            return whole(&content, out);
        }
        let header = self.containers.header(number, at)?;
        let size = header.raw_length;
        if offset.checked_add(length as u64).is_none_or(|end| end > size) {
            return Err(beyond_end(id, size, offset, length));
        }
        if header.kind == Kind::Large {
            return self.read_large(number, &header, offset, length, out);
        }
        if size <= EXPAND_FROM_BYTES || length as u64 == size {
            return whole(&self.content(number)?, out);
        }
        let file = match self.cleartext.file(id)? {
            Some(file) => file,
            None => {
                let content = self.content(number)?;
                match self.cleartext.add(id, &content)? {
                    Some(file) => file,
                    None => return whole(&content, out),
                }
            }
        };
        let start = out.len();
        out.resize(start + length, 0);
        if let Err(error) = file.read_exact_at(&mut out[start..], offset) {
            tracing::debug!(%id, %error, "cleartext file not readable");
            out.truncate(start);
            return whole(&self.content(number)?, out);
        }
        Ok(())
    }

    fn read_large(
        &self,
        number: u32,
        header: &Header,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (mut at, end) = (offset, offset + length as u64);
        let mut object = None;
        while at < end {
            let index = at / CHUNK_BYTES as u64;
            let start = index * CHUNK_BYTES as u64;
            let chunk_length = (header.raw_length - start).min(CHUNK_BYTES as u64) as usize;
            let key = Key { number, chunk: index as u32 + 1 };
            let chunk = match self.cache.get(key) {
                Some(chunk) => chunk,
                None => {
                    let opened = match object.take() {
                        Some(opened) => opened,
                        None => Large::open(&self.dir, &header.id, header.raw_length)?,
                    };
                    let chunk = Arc::from(object.insert(opened).chunk(index as usize, chunk_length)?);
                    self.cache.put(key, &chunk);
                    chunk
                }
            };
            let stop = (end - start).min(chunk_length as u64);
            out.extend_from_slice(&chunk[(at - start) as usize..stop as usize]);
            at = start + stop;
        }
        Ok(())
    }
}

fn beyond_end(id: &ContentId, size: u64, offset: u64, length: usize) -> Error {
    Error::BeyondEnd { id: *id, size, offset, length: length as u64 }
}

fn source_dir(vob_dir: &Path) -> PathBuf {
    vob_dir.join("s").join("sdft")
}

fn cleartext_dir(vob_dir: &Path) -> PathBuf {
    vob_dir.join("c").join("cdft")
}
