//! Files on their way into a view's storage. Each is written whole in `staging/N/`, where nothing looks for it, and
//! goes to its place by one rename.
//!
//! What is here belongs to a call that is under way. A daemon that was killed leaves it behind; it is removed when
//! the view is started again.

use super::storage::ViewStorage;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files up to this number are synced one by one: each waits for the disk once. More are synced with all that the
/// file system has not written yet, which waits once and may have to write what other programs left.
const SYNCED_ONE_BY_ONE: usize = 8;

/// The files of one call in one view.
#[derive(Debug)]
pub struct Staging {
    dir: PathBuf,
    root: Arc<OwnedFd>,
    unsynced: Vec<PathBuf>,
}

impl Staging {
    /// Makes an empty directory for a call.
    ///
    /// # Errors
    /// If the storage cannot be written.
    pub fn begin(storage: &ViewStorage) -> io::Result<Staging> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let all = storage.dir().join(ViewStorage::STAGING);
        loop {
            let dir = all.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
            match std::fs::create_dir(&dir) {
                Ok(()) => {
                    let root = Arc::clone(storage.root());
                    return Ok(Staging { dir, root, unsynced: Vec::new() });
                }
                // One that a killed daemon left.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => match std::fs::create_dir(&all) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns where the file of a name is, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Makes an empty file, in the place of one of that name.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(&mut self, name: &str) -> io::Result<File> {
        let path = self.path(name);
        let file = File::create(&path)?;
        self.unsynced.push(path);
        Ok(file)
    }

    /// Takes a file away that will not be needed.
    pub fn discard(&mut self, name: &str) {
        let path = self.path(name);
        self.unsynced.retain(|unsynced| *unsynced != path);
        // What stays goes with the directory.
        let _ = std::fs::remove_file(path);
    }

    /// Returns when what the files hold is durable.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        let unsynced = std::mem::take(&mut self.unsynced);
        make_durable(&self.root, &unsynced)
    }

    /// Removes what calls left that ended with their daemon.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn clear(storage: &ViewStorage) -> io::Result<()> {
        match std::fs::remove_dir_all(storage.dir().join(ViewStorage::STAGING)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            tracing::warn!(%error, dir = %self.dir.display(), "staged files stay until the view is started again");
        }
    }
}

/// Returns when files, or the names in directories, are durable. All are on the file system of `root`.
///
/// # Errors
/// If they cannot be written.
pub fn make_durable(root: impl AsFd, paths: &[PathBuf]) -> io::Result<()> {
    if paths.len() > SYNCED_ONE_BY_ONE {
        return Ok(rustix::fs::syncfs(root)?);
    }
    let sync = |path: &PathBuf| File::open(path as &Path)?.sync_all();
    paths.iter().try_for_each(sync)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::storage::StoredSpec;
    use crate::vob::ViewUuid;
    use std::io::Write;

    fn storage(dir: &Path) -> ViewStorage {
        let spec = StoredSpec { text: b"", origin: Path::new("/s"), compiled: b"" };
        ViewStorage::create(&dir.join("v.vws"), ViewUuid([1; 16]), spec).unwrap()
    }

    #[test]
    fn files_of_calls_do_not_meet_and_go_with_the_call() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage(directory.path());
        let (mut one, mut other) = (Staging::begin(&storage).unwrap(), Staging::begin(&storage).unwrap());
        one.create("a").unwrap().write_all(b"one").unwrap();
        other.create("a").unwrap().write_all(b"other").unwrap();
        assert_eq!(std::fs::read(one.path("a")).unwrap(), b"one");
        one.sync().unwrap();
        std::fs::rename(one.path("a"), storage.dir().join("checkout/a")).unwrap();
        let dirs = [one.path(""), other.path("")];
        drop((one, other));
        assert!(dirs.iter().all(|dir| !dir.exists()));
        assert_eq!(std::fs::read(storage.dir().join("checkout/a")).unwrap(), b"one");
    }

    #[test]
    fn many_files_are_synced_as_few_are() {
        let directory = tempfile::tempdir().unwrap();
        let mut staging = Staging::begin(&storage(directory.path())).unwrap();
        for number in 0..=SYNCED_ONE_BY_ONE {
            staging.create(&number.to_string()).unwrap();
        }
        staging.discard("3");
        staging.sync().unwrap();
        (0..=SYNCED_ONE_BY_ONE).for_each(|number| drop(staging.create(&number.to_string()).unwrap()));
        staging.sync().unwrap();
        staging.create("gone").unwrap();
        std::fs::remove_file(staging.path("gone")).unwrap();
        assert!(staging.sync().is_err(), "what was to be made durable is not there");
    }

    #[test]
    fn what_a_killed_daemon_left_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage(directory.path());
        Staging::clear(&storage).unwrap();
        let mut left = Staging::begin(&storage).unwrap();
        left.create("a").unwrap();
        let path = left.path("a");
        std::mem::forget(left);
        Staging::clear(&storage).unwrap();
        assert!(!path.exists());
    }
}
