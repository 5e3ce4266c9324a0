//! The system calls that need `unsafe`. Nothing here decides anything.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `umount2(2)`.
pub(crate) fn unmount(path: &Path, flags: libc::c_int) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` is a NUL-terminated string that lives through the call.
    check(unsafe { libc::umount2(path.as_ptr(), flags) })
}

/// `statfs(2)`, for its error alone: on a FUSE mount the question always goes to the server.
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    let mut answer = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `path` is NUL-terminated, `answer` is a buffer of the right type; it is never read.
    check(unsafe { libc::statfs(path.as_ptr(), answer.as_mut_ptr()) })
}

/// `syncfs(2)`: writes back what the page cache holds of the file system that `file` is on.
pub(crate) fn sync_file_system(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `file` is borrowed.
    check(unsafe { libc::syncfs(file.as_raw_fd()) })
}
