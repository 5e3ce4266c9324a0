//! Files and directories with names that nothing had before.

use std::io;
use std::path::{Path, PathBuf};

/// Makes something in the directory for temporary files: `make` gets names that begin and end so until one is free.
///
/// # Errors
/// Whatever `make` says but that there is something of that name.
pub fn make<T>(
    begin: &str,
    end: &str,
    mut make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let (directory, process) = (std::env::temp_dir(), std::process::id());
    let mut attempt = 0u64;
    loop {
        let path = directory.join(format!("{begin}.{process}.{attempt}{end}"));
        match make(&path) {
            Ok(made) => return Ok((path, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}
