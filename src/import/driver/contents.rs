//! Contents on their way from the stream to the pools: each waits for the commit that names
//! it, because only that tells what it can be stored as a change of.

use super::ImportError;
use crate::import::fast_export::DataRef;
use crate::store::Vob;
use crate::store::pool::{ContentId, Ingest};
use crate::vob::Content;
use rustc_hash::FxHashMap;
use std::io::Read;
use std::sync::Arc;

/// Contents that wait for the commit that names them, in bytes; more go to the pools without
/// a predecessor.
const WAITING_BYTES_MAX: usize = 96 << 20;
/// Longest target of a symbolic link, in bytes (PATH_MAX).
const TARGET_BYTES_MAX: usize = 4096;

/// What a mark of the stream stands for.
enum Blob {
    /// Not in the pools yet.
    Waiting(Vec<u8>),
    /// In the pools.
    Stored(Content),
}

/// The contents of one stream.
pub struct Contents<'a> {
    vob: &'a Vob,
    ingest: Ingest,
    blobs: FxHashMap<DataRef, Blob>,
    waiting_bytes: usize,
    targets: FxHashMap<DataRef, Arc<[u8]>>,
}

impl<'a> Contents<'a> {
    /// Starts with no contents.
    pub fn new(vob: &'a Vob) -> Contents<'a> {
        let (blobs, targets) = (FxHashMap::default(), FxHashMap::default());
        Contents { vob, ingest: vob.pools().ingest(), blobs, waiting_bytes: 0, targets }
    }

    /// Makes everything stored so far durable.
    ///
    /// # Errors
    /// If the pools fail.
    pub fn sync(&self) -> Result<(), ImportError> {
        Ok(self.ingest.sync()?)
    }

    /// Ends the ingest.
    ///
    /// # Errors
    /// If the pools fail.
    pub fn finish(self) -> Result<(), ImportError> {
        Ok(self.ingest.finish()?)
    }

    /// Takes a content that came before the commit that names it.
    ///
    /// # Errors
    /// If the pools fail.
    pub fn wait_for_commit(&mut self, reference: DataRef, bytes: Vec<u8>) -> Result<(), ImportError> {
        self.waiting_bytes += bytes.len();
        self.blobs.insert(reference, Blob::Waiting(bytes));
        if self.waiting_bytes > WAITING_BYTES_MAX {
            // One commit with very much new content: give up deltas, keep memory bounded.
            let large = |(reference, blob): (&DataRef, &Blob)| match blob {
                Blob::Waiting(bytes) if bytes.len() > TARGET_BYTES_MAX => Some(*reference),
                _ => None,
            };
            let all: Vec<DataRef> = self.blobs.iter().filter_map(large).collect();
            for reference in all {
                self.stored(&reference, None)?;
            }
        }
        Ok(())
    }

    /// Stores a content that is too large to wait.
    ///
    /// # Errors
    /// If the stream breaks off or the pools fail.
    pub fn store_stream(&mut self, reference: DataRef, reader: &mut dyn Read) -> Result<(), ImportError> {
        let (id, size) = self.vob.pools().put_reader(reader, None)?;
        self.blobs.insert(reference, Blob::Stored(Content::File { hash: id.0, size }));
        Ok(())
    }

    /// Returns the content behind a reference, putting it into the pools if it is not there.
    ///
    /// # Errors
    /// If the pools fail.
    pub fn stored(
        &mut self,
        reference: &DataRef,
        predecessor: Option<&ContentId>,
    ) -> Result<Option<Content>, ImportError> {
        let Some(blob) = self.blobs.get_mut(reference) else {
            return Ok(None);
        };
        let content = match blob {
            Blob::Stored(content) => return Ok(Some(*content)),
            Blob::Waiting(bytes) if bytes.is_empty() => Content::Empty,
            Blob::Waiting(bytes) => {
                let bytes = std::mem::take(bytes);
                let size = bytes.len() as u64;
                self.waiting_bytes -= bytes.len();
                let id = self.ingest.submit(bytes, predecessor)?;
                Content::File { hash: id.0, size }
            }
        };
        *blob = Blob::Stored(content);
        Ok(Some(content))
    }

    /// Returns the bytes behind a reference that is the target of a symbolic link.
    ///
    /// # Errors
    /// If the pools fail.
    pub fn target(&mut self, reference: &DataRef) -> Result<Option<Arc<[u8]>>, ImportError> {
        if let Some(target) = self.targets.get(reference) {
            return Ok(Some(Arc::clone(target)));
        }
        let target: Arc<[u8]> = match self.blobs.get(reference) {
            None => return Ok(None),
            Some(Blob::Waiting(bytes)) => bytes.as_slice().into(),
            Some(Blob::Stored(Content::File { hash, .. })) => {
                self.ingest.sync()?;
                self.vob.pools().get(&ContentId(*hash))?
            }
            Some(Blob::Stored(_)) => Arc::new([]),
        };
        self.targets.insert(*reference, Arc::clone(&target));
        Ok(Some(target))
    }
}
