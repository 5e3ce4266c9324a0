//! What keeps a VOB's storage from working, and why a commit did not happen.

use super::engine;
use super::vob::FORMAT;
use crate::vob::{ElementNo, EventNo, Refused, VersionNo};
use std::path::PathBuf;

/// What keeps a VOB from working.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] super::journal::Error),
    /// The index engine failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A pool failed.
    #[error(transparent)]
    Pool(#[from] super::pool::Error),
    /// A file of the storage directory failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The storage directory exists.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// The directory is no VOB storage.
    #[error("{}: not a VOB storage directory ({detail})", path.display())]
    NotAVob {
        /// The directory.
        path: PathBuf,
        /// What is missing or wrong.
        detail: String,
    },
    /// A newer program wrote it.
    #[error("{}: has storage format {found}, this program knows up to {FORMAT}; use a newer one", path.display())]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Another process has the VOB open.
    #[error("{}: in use by another process", .0.display())]
    InUse(PathBuf),
    /// A stored record is not what was written.
    #[error("{kind} record of the index is damaged: {detail}")]
    Damaged {
        /// Kind of record.
        kind: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The element was removed, or there never was one of that number.
    #[error("there is no element {}", .0.0)]
    NoSuchElement(ElementNo),
    /// The branch, version or checkout of an element was removed, or there never was one of that number.
    #[error("element {} has no such branch, version or checkout", .0.0)]
    NoSuchPart(ElementNo),
    /// The journal holds a frame that cannot be applied.
    #[error("journal frame {sequence} cannot be applied: {detail}")]
    Replay {
        /// Its number.
        sequence: u64,
        /// Why.
        detail: String,
    },
    /// The end of the journal is gone: operations that were acknowledged.
    #[error(
        "{}: the journal ends with operation {found}, and the index knows {known}: what came after is damaged or gone. \
         Restore the VOB from a backup; to go on without it, remove {}",
        dir.display(), dir.join("index").display()
    )]
    JournalLost {
        /// The storage directory.
        dir: PathBuf,
        /// The last operation in the journal.
        found: u64,
        /// The last operation that the index knows.
        known: u64,
    },
    /// The file system is too full for changes.
    #[error("{}: {free_bytes} bytes free, {reserve_bytes} are kept in reserve", path.display())]
    NoSpace {
        /// The storage directory.
        path: PathBuf,
        /// Bytes available.
        free_bytes: u64,
        /// Bytes kept.
        reserve_bytes: u64,
    },
}

impl StoreError {
    /// Tells whether the object asked for was removed, or never was.
    pub fn is_gone(&self) -> bool {
        matches!(self, StoreError::NoSuchElement(_) | StoreError::NoSuchPart(_))
    }

    /// Tells whether a full disk is the cause.
    pub fn is_no_space(&self) -> bool {
        let full = |error: &std::io::Error| matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT));
        match self {
            StoreError::NoSpace { .. } | StoreError::Engine(engine::Error::NoSpace { .. }) => true,
            other => {
                let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(other);
                while let Some(error) = cause {
                    if error.downcast_ref::<std::io::Error>().is_some_and(full) {
                        return true;
                    }
                    cause = error.source();
                }
                false
            }
        }
    }
}

/// Why a commit did not happen. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// The planner refused.
    #[error("{0}")]
    Plan(E),
    /// A law of the VOB forbids it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a commit did.
#[derive(Debug)]
pub struct Committed {
    /// The journal frame's number.
    pub sequence: u64,
    /// The number of the first transaction's event.
    pub first_event: EventNo,
    /// Elements that changed.
    pub elements: Vec<ElementNo>,
    /// Names that lead elsewhere in a catalog that is no new version, by directory element.
    pub names: Vec<(ElementNo, Box<[u8]>)>,
    /// Whether type objects were made or changed.
    pub types_changed: bool,
    /// Elements whose owner, group or permission bits changed.
    pub protected: Vec<ElementNo>,
    /// Names below `@@` that may lead elsewhere now, in any element.
    pub history_names: Vec<String>,
    /// Versions whose data was removed.
    pub emptied: Vec<(ElementNo, VersionNo)>,
}
