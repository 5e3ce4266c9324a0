//! Where one daemon lives: its home directory, its view root, and the lock that makes it the only one.
//!
//! Owns the layout of a home and the environment variables that choose it. Knows neither what the registry says
//! nor how the daemon is started. A home is `format`, `lock`, `start`, `registry`, `socket`, `log/`, `vobs/`
//! and `views/`.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::store::durable;

/// The newest home layout this program knows, and the one it writes.
pub const HOME_FORMAT: u32 = 1;

/// One home directory and the view root that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    viewroot: PathBuf,
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither CLERESTORY_HOME nor XDG_DATA_HOME nor HOME says where it is.
    #[error("cannot tell where the home is: set CLERESTORY_HOME")]
    Nowhere,
    /// It was laid out by a newer program.
    #[error("{path:?} has format {found}; this program knows formats up to {HOME_FORMAT}")]
    NewerFormat {
        /// The format file.
        path: PathBuf,
        /// The format it names.
        found: u32,
    },
    /// Its format file holds no number.
    #[error("{path:?} holds no format number")]
    NoFormat {
        /// The format file.
        path: PathBuf,
    },
    /// It belongs to somebody else, so this user must not run its daemon.
    #[error("{path:?} belongs to user {owner}: only that user can start its daemon")]
    Foreign {
        /// The home directory.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
    /// The system refused.
    #[error("{path:?}: {source}")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Home {
    /// The home of this process: CLERESTORY_HOME and CLERESTORY_VIEWROOT, or the defaults of its user.
    ///
    /// # Errors
    /// [`HomeError::Nowhere`] when nothing names one.
    pub fn from_environment() -> Result<Home, HomeError> {
        let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let user = rustix::process::geteuid();
        Home::choose(
            |name| std::env::var_os(name).filter(|value| !value.is_empty()),
            user.is_root(),
            &current,
        )
    }

    fn choose(
        variable: impl Fn(&str) -> Option<OsString>,
        is_root: bool,
        current: &Path,
    ) -> Result<Home, HomeError> {
        let root = match variable("CLERESTORY_HOME") {
            Some(root) => current.join(root),
            None if is_root => PathBuf::from("/var/lib/clerestory"),
            None => match (variable("XDG_DATA_HOME"), variable("HOME")) {
                (Some(data), _) => current.join(data).join("clerestory"),
                (None, Some(home)) => current.join(home).join(".local/share/clerestory"),
                (None, None) => return Err(HomeError::Nowhere),
            },
        };
        let viewroot = match variable("CLERESTORY_VIEWROOT") {
            Some(viewroot) => current.join(viewroot),
            None if is_root => PathBuf::from("/view"),
            None => root.join("view"),
        };
        Ok(Home { root, viewroot })
    }

    /// A home at given absolute places.
    pub fn at(root: impl Into<PathBuf>, viewroot: impl Into<PathBuf>) -> Home {
        Home { root: root.into(), viewroot: viewroot.into() }
    }

    /// The home directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory the mount covers.
    pub fn viewroot(&self) -> &Path {
        &self.viewroot
    }

    /// The socket clients connect to.
    pub fn socket(&self) -> PathBuf {
        self.root.join("socket")
    }

    /// The registry file.
    pub fn registry(&self) -> PathBuf {
        self.root.join("registry")
    }

    /// The directory of logs.
    pub fn log_directory(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The daemon's log.
    pub fn log(&self) -> PathBuf {
        self.log_directory().join("daemon.log")
    }

    /// Where VOB storage goes when no place is named.
    pub fn vobs(&self) -> PathBuf {
        self.root.join("vobs")
    }

    /// Where view storage goes when no place is named.
    pub fn views(&self) -> PathBuf {
        self.root.join("views")
    }

    /// Creates what is missing of the layout, and checks what is there.
    ///
    /// Root's home can be searched by everybody, another user's by nobody else.
    ///
    /// # Errors
    /// A newer format, a home of another user, or the system's refusal. Nothing of an existing home is changed then.
    pub fn create(&self) -> Result<(), HomeError> {
        let user = rustix::process::geteuid();
        let mode = if user.is_root() { 0o755 } else { 0o700 };
        make_directory(&self.root, mode)?;
        let owner = at(&self.root, std::fs::metadata(&self.root))?.uid();
        if owner != user.as_raw() {
            return Err(HomeError::Foreign { path: self.root.clone(), owner });
        }
        let format = self.root.join("format");
        if !check_format(&format)? {
            // Clients that come at once to a new home write its format one at a time.
            let _turn = self.wait_for_start()?;
            if !check_format(&format)? {
                at(&format, durable::replace(&format, format!("{HOME_FORMAT}\n").as_bytes(), READABLE))?;
            }
        }
        make_directory(&self.log_directory(), 0o700)?;
        make_directory(&self.vobs(), mode)?;
        make_directory(&self.views(), mode)
    }

    /// Takes the daemon's lock; `None` when another process holds it.
    ///
    /// # Errors
    /// The lock file cannot be opened.
    pub fn try_lock(&self) -> Result<Option<HomeLock>, HomeError> {
        let path = self.root.join("lock");
        let file = at(&path, open_lock(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(HomeLock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(HomeError::Io { path, source: errno.into() }),
        }
    }

    /// Waits until the daemon's lock is free, and takes it.
    ///
    /// # Errors
    /// The lock file cannot be opened.
    pub fn wait_for_lock(&self) -> Result<HomeLock, HomeError> {
        self.wait_for("lock")
    }

    /// Waits for the turn to start the daemon: clients start it one at a time.
    ///
    /// # Errors
    /// The lock file cannot be opened, as when the home is another user's.
    pub fn wait_for_start(&self) -> Result<HomeLock, HomeError> {
        self.wait_for("start")
    }

    fn wait_for(&self, name: &str) -> Result<HomeLock, HomeError> {
        let path = self.root.join(name);
        let file = at(&path, open_lock(&path))?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(HomeLock { _file: file }),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => {
                    return Err(HomeError::Io { path, source: errno.into() });
                }
            }
        }
    }
}

/// A lock on a home; dropping it, or the death of the process, frees it.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

/// Everybody may read what a home says of itself; nobody else may change it.
pub const READABLE: u32 = 0o644;

/// Checks the format file; tells whether there is one.
fn check_format(path: &Path) -> Result<bool, HomeError> {
    match std::fs::read_to_string(path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(found) if found > HOME_FORMAT => Err(HomeError::NewerFormat { path: path.to_owned(), found }),
            Ok(_) => Ok(true),
            Err(_) => Err(HomeError::NoFormat { path: path.to_owned() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(HomeError::Io { path: path.to_owned(), source }),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn make_directory(path: &Path, mode: u32) -> Result<(), HomeError> {
    if path.is_dir() {
        return Ok(());
    }
    at(path, DirBuilder::new().recursive(true).mode(mode).create(path))?;
    // Whatever the process's mask is.
    at(path, std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)))
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, HomeError> {
    result.map_err(|source| HomeError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(variables: &[(&str, &str)], is_root: bool) -> (String, String) {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        let home = Home::choose(find, is_root, Path::new("/cwd")).unwrap();
        (home.root.display().to_string(), home.viewroot.display().to_string())
    }

    #[test]
    fn the_environment_chooses_home_and_viewroot() {
        let pair = |root: &str, viewroot: &str| (root.to_owned(), viewroot.to_owned());
        assert_eq!(choose(&[], true), pair("/var/lib/clerestory", "/view"));
        assert_eq!(choose(&[("CLERESTORY_HOME", "/h")], true), pair("/h", "/view"));
        assert_eq!(choose(&[("CLERESTORY_HOME", "h")], false), pair("/cwd/h", "/cwd/h/view"));
        assert_eq!(
            choose(&[("HOME", "/home/anne")], false),
            pair("/home/anne/.local/share/clerestory", "/home/anne/.local/share/clerestory/view")
        );
        assert_eq!(
            choose(&[("HOME", "/home/anne"), ("XDG_DATA_HOME", "/d"), ("CLERESTORY_VIEWROOT", "/v")], false),
            pair("/d/clerestory", "/v")
        );
    }

    #[test]
    fn a_newer_format_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path(), directory.path().join("view"));
        home.create().unwrap();
        home.create().unwrap();
        std::fs::write(directory.path().join("format"), "2\n").unwrap();
        assert!(matches!(home.create(), Err(HomeError::NewerFormat { found: 2, .. })));
        assert_eq!(std::fs::read_to_string(directory.path().join("format")).unwrap(), "2\n");
    }

    #[test]
    fn a_home_has_one_lock() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path(), directory.path().join("view"));
        home.create().unwrap();
        let lock = home.try_lock().unwrap();
        assert!(lock.is_some() && home.try_lock().unwrap().is_none());
        drop(lock);
        assert!(home.try_lock().unwrap().is_some());
    }
}
