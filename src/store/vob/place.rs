//! The storage directory of a VOB: its identity, its lock, and the space it needs.

use super::super::engine::{self, EngineKind};
use super::{FORMAT, StoreError};
use crate::vob::Oid;
use std::path::Path;

/// What the readable `format` file of a storage directory says.
pub struct Identity {
    /// The index engine.
    pub engine: EngineKind,
    /// The VOB's identity.
    pub oid: Oid,
}

impl Identity {
    /// Reads it.
    pub fn read(dir: &Path) -> Result<Identity, StoreError> {
        let not_a_vob = |detail: String| StoreError::NotAVob { path: dir.to_owned(), detail };
        let text = std::fs::read_to_string(dir.join("format"))
            .map_err(|source| not_a_vob(format!("its file `format` cannot be read: {source}")))?;
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.ok_or_else(|| not_a_vob(format!("its file `format` has no `{name}`")))
        };
        let format: u32 =
            field("format")?.parse().map_err(|_| not_a_vob("its format is no number".into()))?;
        if format > FORMAT {
            return Err(StoreError::NewerFormat { path: dir.to_owned(), found: format });
        }
        let oid = field("oid")?.parse().map_err(|error| not_a_vob(format!("{error}")))?;
        Ok(Identity { engine: field("engine")?.parse()?, oid })
    }
}

/// Makes this process the only one that has the VOB open.
pub fn take_lock(dir: &Path) -> Result<std::fs::File, StoreError> {
    let path = dir.join("lock");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| io_error(&path, source))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(dir.to_owned())),
        Err(errno) => Err(io_error(&path, errno.into())),
    }
}

/// Names the file that failed.
pub fn io_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}

/// Free space below which changes are refused: a twentieth of the file system, from 2 MiB to 64 MiB.
pub fn reserve_bytes(dir: &Path) -> Result<u64, StoreError> {
    let found = rustix::fs::statvfs(dir).map_err(|errno| io_error(dir, errno.into()))?;
    Ok((found.f_blocks.saturating_mul(found.f_frsize) / 20).clamp(2 << 20, 64 << 20))
}

/// Refuses changes when the file system is nearly full.
pub fn check_space(dir: &Path, reserve_bytes: u64) -> Result<(), StoreError> {
    let free_bytes = engine::free_bytes(dir)?;
    if free_bytes < reserve_bytes {
        return Err(StoreError::NoSpace { path: dir.to_owned(), free_bytes, reserve_bytes });
    }
    Ok(())
}

/// Removes a directory with all that is in it; one that is missing is fine.
pub fn remove_tree(dir: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(dir) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(io_error(dir, source)),
        _ => Ok(()),
    }
}
