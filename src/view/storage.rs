//! The storage directory of a view (`NAME.vws`): its config spec, and its private files as
//! ordinary files.
//!
//! ```text
//! format        readable: format number and the view's identity
//! config_spec   the text that `catcs` prints
//! private/OID/  what the view has in the directory element OID
//! checkout/OID  data of the checked-out file element OID
//! ```

use crate::vob::{Oid, ViewUuid};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The storage format this program writes, and the newest it understands.
pub const FORMAT: u32 = 1;

/// What keeps a view from working.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
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
    /// The directory is no view storage.
    #[error("{}: not a view storage directory ({detail})", path.display())]
    NotAView {
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
}

/// An open view storage directory.
#[derive(Debug)]
pub struct ViewStorage {
    dir: PathBuf,
    uuid: ViewUuid,
    root: OwnedFd,
}

impl ViewStorage {
    /// Makes a view's storage in `dir`, which must not exist.
    ///
    /// # Errors
    /// See [`ViewError`]; nothing is left behind then.
    pub fn create(dir: &Path, uuid: ViewUuid, config_spec: &[u8]) -> Result<ViewStorage, ViewError> {
        std::fs::create_dir(dir).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => ViewError::Exists(dir.to_owned()),
            _ => io_error(dir, source),
        })?;
        let made = || {
            for below in ["private", "checkout"] {
                let path = dir.join(below);
                std::fs::create_dir(&path).map_err(|source| io_error(&path, source))?;
            }
            write_durably(&dir.join("config_spec"), config_spec)?;
            let text = format!("clerestory view\nformat {FORMAT}\nuuid {uuid}\n");
            write_durably(&dir.join("format"), text.as_bytes())?;
            ViewStorage::open(dir)
        };
        let made = made();
        if made.is_err() {
            let _ = std::fs::remove_dir_all(dir);
        }
        made
    }

    /// Opens a view's storage.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub fn open(dir: &Path) -> Result<ViewStorage, ViewError> {
        let not_a_view = |detail: String| ViewError::NotAView { path: dir.to_owned(), detail };
        let text = std::fs::read_to_string(dir.join("format"))
            .map_err(|source| not_a_view(format!("its file `format` cannot be read: {source}")))?;
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.ok_or_else(|| not_a_view(format!("its file `format` has no `{name}`")))
        };
        let format: u32 =
            field("format")?.parse().map_err(|_| not_a_view("its format is no number".into()))?;
        if format > FORMAT {
            return Err(ViewError::NewerFormat { path: dir.to_owned(), found: format });
        }
        let uuid = field("uuid")?.parse().map_err(|error| not_a_view(format!("{error}")))?;
        let root = std::fs::File::open(dir).map_err(|source| io_error(dir, source))?.into();
        Ok(ViewStorage { dir: dir.to_owned(), uuid, root })
    }

    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the view's identity.
    pub fn uuid(&self) -> ViewUuid {
        self.uuid
    }

    /// Returns a descriptor of the directory, for calls relative to it.
    pub fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Reads the config spec's text.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn config_spec(&self) -> Result<Vec<u8>, ViewError> {
        let path = self.dir.join("config_spec");
        std::fs::read(&path).map_err(|source| io_error(&path, source))
    }

    /// Replaces the config spec's text: the old or the new one survives a crash.
    ///
    /// # Errors
    /// If it cannot be written; the old one stays.
    pub fn set_config_spec(&self, text: &[u8]) -> Result<(), ViewError> {
        write_durably(&self.dir.join("config_spec"), text)
    }

    /// Returns where private files of a directory element are, relative to the storage.
    pub fn private(directory: &Oid) -> PathBuf {
        format!("private/{directory}").into()
    }

    /// Returns where the data of a checked-out file element is, relative to the storage.
    pub fn checkout(element: &Oid) -> PathBuf {
        format!("checkout/{element}").into()
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), ViewError> {
    let write = || {
        let dir = path.parent().unwrap_or(Path::new("/"));
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        std::fs::File::open(dir)?.sync_all()
    };
    write().map_err(|source| io_error(path, source))
}

fn io_error(path: &Path, source: std::io::Error) -> ViewError {
    ViewError::Io { path: path.to_owned(), source }
}
