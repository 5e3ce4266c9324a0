//! The files that config specs include, read for a caller.
//!
//! Owns which file an `include` names, whether the caller could read it, and how much is read. Knows no rule
//! of the language. The daemon often may read more than its caller: the file that is checked is the one that
//! is read, because it is held by a descriptor from the first look on.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::identity::{Caller, check_readable};

/// The largest file that may be included, and the largest config spec: some 300,000 rules.
pub const MAX_FILE_SIZE_BYTES: u64 = 16 << 20;

/// What one config spec may include in all: a small file that names a large one often is no way to keep the
/// daemon reading.
pub const MAX_TOTAL_SIZE_BYTES: u64 = 64 << 20;

/// Reads the included files of one config spec.
pub struct Includes<'a> {
    caller: &'a Caller,
    /// The root of the view in which paths inside a VOB are meant.
    view: Option<PathBuf>,
    is_in_vob: &'a dyn Fn(&[u8]) -> bool,
    left_bytes: Cell<u64>,
}

impl<'a> Includes<'a> {
    /// Files are read as `caller` could read them. A path below a VOB's tag, which the daemon's own name
    /// space does not have, means the file that the view below `view` shows there.
    pub fn new(caller: &'a Caller, view: Option<PathBuf>, is_in_vob: &'a dyn Fn(&[u8]) -> bool) -> Self {
        Includes { caller, view, is_in_vob, left_bytes: Cell::new(MAX_TOTAL_SIZE_BYTES) }
    }

    /// Reads the file that the rule `include written` of the file `including` names: its path without
    /// symbolic links, and its text. A relative name begins in the directory of the including file.
    ///
    /// # Errors
    /// What the system says, in words without a number; the file is not a regular one, too large, or not the
    /// caller's to read.
    pub fn read(&self, written: &[u8], including: &Path) -> io::Result<(PathBuf, Vec<u8>)> {
        let base = including.parent().unwrap_or(Path::new("/"));
        let named = base.join(OsStr::from_bytes(written));
        let view = self.view.as_deref().filter(|_| (self.is_in_vob)(named.as_os_str().as_bytes()));
        let place = match view {
            Some(view) => view.join(named.strip_prefix("/").unwrap_or(&named)),
            None => named,
        };
        let (path, text) = self.read_at(&place).map_err(without_number)?;
        let in_vob = view.and_then(|view| path.strip_prefix(view).ok()).map(|path| Path::new("/").join(path));
        Ok((in_vob.unwrap_or(path), text))
    }

    fn read_at(&self, place: &Path) -> io::Result<(PathBuf, Vec<u8>)> {
        // A path descriptor wakes nothing up: neither a FIFO's writer nor a device.
        let held = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(place)?;
        let through = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
        let metadata = held.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        }
        let path = std::fs::read_link(&through)?;
        check_readable(&path, self.caller)?;
        if !self.caller.may(&metadata, 4) {
            return Err(io::Error::from_raw_os_error(libc::EACCES));
        }
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok((path, self.read_text(&File::open(through)?)?))
    }

    fn read_text(&self, file: &File) -> io::Result<Vec<u8>> {
        let left_bytes = self.left_bytes.get();
        let limit_bytes = left_bytes.min(MAX_FILE_SIZE_BYTES);
        let mut text = Vec::new();
        // One byte more shows that there is more.
        let size_bytes = file.take(limit_bytes + 1).read_to_end(&mut text)? as u64;
        if size_bytes > limit_bytes {
            let (what, bytes) = match size_bytes > MAX_FILE_SIZE_BYTES {
                true => ("file is", MAX_FILE_SIZE_BYTES),
                false => ("included files together are", MAX_TOTAL_SIZE_BYTES),
            };
            return Err(io::Error::other(format!("{what} larger than {} MiB", bytes >> 20)));
        }
        self.left_bytes.set(left_bytes - size_bytes);
        Ok(text)
    }
}

/// The same error in words that do not end in the system's number for it.
fn without_number(error: io::Error) -> io::Error {
    let words = error.to_string();
    match words.split_once(" (os error") {
        Some((words, _)) => io::Error::new(error.kind(), words.to_owned()),
        None => error,
    }
}

#[cfg(test)]
#[path = "include_tests.rs"]
mod tests;
