//! What can go wrong in a journal.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Position;

/// Result of a journal call.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in a journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no journal in the directory.
    #[error("{}: no journal here", path.display())]
    Missing {
        /// Directory.
        path: PathBuf,
    },
    /// There is a journal in the directory already.
    #[error("{}: a journal exists here already", path.display())]
    Exists {
        /// Directory.
        path: PathBuf,
    },
    /// Another process has the journal open.
    #[error("{}: the journal is in use by another process", path.display())]
    InUse {
        /// Directory.
        path: PathBuf,
    },
    /// A segment in the middle is not there.
    #[error("{}: journal segment is missing (segment {next} exists)", path.display())]
    SegmentMissing {
        /// File that should exist.
        path: PathBuf,
        /// Number of the segment found instead.
        next: u32,
    },
    /// The segment was written by a newer program.
    #[error("{}: journal format {found} is not known (newest known: {known})", path.display())]
    Format {
        /// Segment file.
        path: PathBuf,
        /// Format version found.
        found: u32,
        /// Newest version understood.
        known: u32,
    },
    /// The segment belongs to another store.
    #[error("{}: journal of store {found:02x?}, not of {expected:02x?}", path.display())]
    OtherStore {
        /// Segment file.
        path: PathBuf,
        /// Store id found.
        found: [u8; 16],
        /// Store id expected.
        expected: [u8; 16],
    },
    /// Stored bytes are not what was written.
    #[error("{}: journal damaged at offset {offset}: {detail}", path.display())]
    Damaged {
        /// Segment file.
        path: PathBuf,
        /// Offset of the bad frame or header.
        offset: u64,
        /// What is wrong.
        detail: &'static str,
    },
    /// Frames are missing or repeated.
    #[error("{}: frame at offset {offset} has number {found}, expected {expected}", path.display())]
    Sequence {
        /// Segment file.
        path: PathBuf,
        /// Offset of the frame, 0 for the segment's header.
        offset: u64,
        /// Sequence number found.
        found: u64,
        /// Sequence number expected.
        expected: u64,
    },
    /// A position lies after the journal's end.
    #[error("position {at:?} lies beyond the end of the journal ({end:?})")]
    BeyondEnd {
        /// Position asked for.
        at: Position,
        /// End of the journal.
        end: Position,
    },
    /// A sync was asked for a frame that was never appended.
    #[error("frame {sequence} cannot be synced, the last one written is {last}")]
    NotWritten {
        /// Sequence number asked for.
        sequence: u64,
        /// Last sequence number written.
        last: u64,
    },
    /// A payload is longer than allowed.
    #[error("a payload has {length} bytes, {maximum} are allowed")]
    PayloadLength {
        /// Length found.
        length: usize,
        /// Length allowed.
        maximum: usize,
    },
    /// No further segment can be numbered.
    #[error("{}: the journal has no further segment numbers", path.display())]
    Full {
        /// Last segment file.
        path: PathBuf,
    },
    /// The file system is full. Nothing was written; the journal stays usable.
    #[error("{}: {source}", path.display())]
    NoSpace {
        /// Segment file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A write or sync failed earlier: what is on disk is not known until the journal is opened again.
    #[error("{}: the journal refuses work after an earlier failure ({reason}); reopen it", path.display())]
    Poisoned {
        /// Directory.
        path: PathBuf,
        /// The earlier failure.
        reason: String,
    },
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

    pub(super) fn damaged(path: &Path, offset: u64, detail: &'static str) -> Error {
        Error::Damaged { path: path.to_owned(), offset, detail }
    }
}

/// Tells whether a write failed for lack of space or quota.
pub(super) fn is_no_space(source: &io::Error) -> bool {
    [Errno::NOSPC, Errno::DQUOT, Errno::FBIG]
        .iter()
        .any(|errno| source.raw_os_error() == Some(errno.raw_os_error()))
}
