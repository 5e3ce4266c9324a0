//! What can go wrong in a pool.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::ContentId;
use crate::store::engine;

/// Result of a pool call.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in a pool.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pool holds no such content.
    #[error("content {id} is not in the pool")]
    NotFound {
        /// Content asked for.
        id: ContentId,
    },
    /// Stored bytes are not what was written. They are never served.
    #[error("{}: damaged at offset {offset}{}: {detail}", path.display(), Of(id))]
    Damaged {
        /// Container or object file.
        path: PathBuf,
        /// Offset of the frame, chunk or header.
        offset: u64,
        /// Content that lies there, when it is known.
        id: Option<ContentId>,
        /// What is wrong.
        detail: &'static str,
    },
    /// The index names frames that the containers do not have.
    #[error("{}: the pool has {found} frames, its index {expected}: contents were lost", path.display())]
    Lost {
        /// Last container file.
        path: PathBuf,
        /// Frames in the containers.
        found: u32,
        /// Frames the index knows.
        expected: u32,
    },
    /// The file was written by a newer program.
    #[error("{}: pool format {found} is not known (newest known: {known})", path.display())]
    Format {
        /// File.
        path: PathBuf,
        /// Format version found.
        found: u32,
        /// Newest version understood.
        known: u32,
    },
    /// There is a pool in the directory already.
    #[error("{}: a pool exists here already", path.display())]
    Exists {
        /// Directory.
        path: PathBuf,
    },
    /// A read goes beyond the content's end.
    #[error("content {id} has {size} bytes, {length} at {offset} were asked for")]
    BeyondEnd {
        /// Content.
        id: ContentId,
        /// Its size in bytes.
        size: u64,
        /// Offset asked for.
        offset: u64,
        /// Bytes asked for.
        length: u64,
    },
    /// A content is too large to be returned whole; read it in pieces.
    #[error("content {id} of {size} bytes is too large to be read whole ({maximum} are allowed)")]
    TooLarge {
        /// Content.
        id: ContentId,
        /// Its size in bytes.
        size: u64,
        /// Largest size returned whole.
        maximum: u64,
    },
    /// The file system is full. Nothing was added; the pool stays usable.
    #[error("{}: {source}", path.display())]
    NoSpace {
        /// File.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A write or sync failed earlier; reopen the pool.
    #[error("{}: the pool refuses work after an earlier failure ({reason}); reopen it", path.display())]
    Poisoned {
        /// Directory of the pool.
        path: PathBuf,
        /// The earlier failure.
        reason: String,
    },
    /// Compression failed, which means that memory ran out.
    #[error("compressing content {id} failed: {detail}")]
    Compress {
        /// Content.
        id: ContentId,
        /// The compressor's own words.
        detail: &'static str,
    },
    /// The source of a new content cannot be read.
    #[error("cannot read the content to store: {source}")]
    Source {
        /// What the reader said.
        source: io::Error,
    },
    /// The pool has as many contents as it can number.
    #[error("{}: the pool is full", path.display())]
    Full {
        /// Directory of the pool.
        path: PathBuf,
    },
    /// The index engine failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(path: &Path, source: io::Error) -> Error {
        match is_no_space(&source) {
            true => Error::NoSpace { path: path.to_owned(), source },
            false => Error::Io { path: path.to_owned(), source },
        }
    }

    pub(super) fn damaged(path: &Path, offset: u64, id: Option<ContentId>, detail: &'static str) -> Error {
        Error::Damaged { path: path.to_owned(), offset, id, detail }
    }
}

/// Tells whether a write failed for lack of space or quota.
pub(super) fn is_no_space(source: &io::Error) -> bool {
    [Errno::NOSPC, Errno::DQUOT, Errno::FBIG]
        .iter()
        .any(|errno| source.raw_os_error() == Some(errno.raw_os_error()))
}

/// Writes the content of a damaged place, if it is known.
struct Of<'a>(&'a Option<ContentId>);

impl std::fmt::Display for Of<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(id) => write!(formatter, " (content {id})"),
            None => Ok(()),
        }
    }
}
