//! The storage directory of a view (`NAME.vws`): its config spec, and its private files as
//! ordinary files.
//!
//! ```text
//! format              readable: format number and the view's identity
//! config_spec         the text that `catcs` prints
//! config_spec_origin  the absolute path of the file which that text is from
//! .compiled_spec      `of`, the BLAKE3 hash of that text, and its compiled form; may be deleted
//! mode                permission bits of the view in octal digits; 755 where it is missing
//! owner               numeric user and group of the view; those of the directory where it is missing
//! private/OID/        what the view has in the directory element OID
//! checkout/OID        data of the checked-out file element OID
//! lost+found/         what `recoverview` moved out of `private` and `checkout`, made when it is needed
//! staging/            files on their way to one of these (`staging`); may be deleted while the daemon is stopped
//! ```
//!
//! The directory and all but what is in `lost+found` belong to the daemon: a view's owner changes it by commands and
//! through the mount, where permissions are asked. Nobody else can search `private` and `checkout`.

use super::access::ViewAccess;
use crate::store::durable;
use crate::vob::{Oid, ViewUuid};
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// A config spec as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct StoredSpec<'a> {
    /// What `catcs` prints.
    pub text: &'a [u8],
    /// The absolute path of the file that the text is from.
    pub origin: &'a Path,
    /// Its compiled form, with included files in their place.
    pub compiled: &'a [u8],
}

impl StoredSpec<'_> {
    /// Writes all files of it. After a crash between two of them the compiled form is that of another text, which
    /// its first line tells.
    fn write(&self, dir: &Path) -> Result<(), ViewError> {
        let compiled = [compiled_header(self.text).as_bytes(), self.compiled].concat();
        let origin = self.origin.as_os_str().as_bytes();
        write_durably(
            dir,
            &[(".compiled_spec", &compiled), ("config_spec_origin", origin), ("config_spec", self.text)],
        )
    }
}

/// The first line of a compiled form.
fn compiled_header(text: &[u8]) -> String {
    format!("of {}\n", blake3::hash(text).to_hex())
}

/// An open view storage directory.
#[derive(Debug)]
pub struct ViewStorage {
    dir: PathBuf,
    uuid: ViewUuid,
    root: Arc<OwnedFd>,
    access: ViewAccess,
}

impl ViewStorage {
    /// Where `recoverview` puts what it moves, relative to the storage.
    pub const LOST_AND_FOUND: &str = "lost+found";
    /// Where files are until they are whole, relative to the storage.
    pub const STAGING: &str = "staging";

    /// Makes a view's storage in `dir`, which must not exist.
    ///
    /// # Errors
    /// See [`ViewError`]; nothing is left behind then.
    pub fn create(dir: &Path, uuid: ViewUuid, config_spec: StoredSpec) -> Result<ViewStorage, ViewError> {
        make_directory(dir, 0o755).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => ViewError::Exists(dir.to_owned()),
            _ => io_error(dir, source),
        })?;
        let made = || {
            for below in ["private", "checkout"] {
                let path = dir.join(below);
                make_directory(&path, 0o700).map_err(|source| io_error(&path, source))?;
            }
            config_spec.write(dir)?;
            let text = format!("clerestory view\nformat {FORMAT}\nuuid {uuid}\n");
            write_durably(dir, &[("format", text.as_bytes())])?;
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
        let root: OwnedFd = std::fs::File::open(dir).map_err(|source| io_error(dir, source))?.into();
        let found = rustix::fs::fstat(&root).map_err(|errno| io_error(dir, errno.into()))?;
        let (owner, group) = read_owner(dir)?.unwrap_or((found.st_uid, found.st_gid));
        let access = ViewAccess { owner, group, mode: read_mode(dir)? };
        Ok(ViewStorage { dir: dir.to_owned(), uuid, root: Arc::new(root), access })
    }

    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the view's identity.
    pub fn uuid(&self) -> ViewUuid {
        self.uuid
    }

    /// Returns who may do what in the view.
    pub fn access(&self) -> ViewAccess {
        self.access
    }

    /// Gives a view that is not open yet its permission bits.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn set_mode(dir: &Path, mode: u16) -> Result<(), ViewError> {
        write_durably(dir, &[("mode", format!("{:o}\n", mode & 0o777).as_bytes())])
    }

    /// Gives a view that is not open yet its owner and group.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn set_owner(dir: &Path, owner: u32, group: u32) -> Result<(), ViewError> {
        write_durably(dir, &[("owner", format!("{owner} {group}\n").as_bytes())])
    }

    /// Returns a descriptor of the directory, for calls relative to it.
    pub fn root(&self) -> &Arc<OwnedFd> {
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

    /// Returns the path of the file that the config spec's text is from: what relative includes begin beside,
    /// and what messages call the text. A view that does not know it has the text's place in the storage.
    ///
    /// # Errors
    /// If what was recorded cannot be read.
    pub fn config_spec_origin(&self) -> Result<PathBuf, ViewError> {
        let path = self.dir.join("config_spec_origin");
        match std::fs::read(&path) {
            Ok(origin) => Ok(OsString::from_vec(origin).into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(self.dir.join("config_spec")),
            Err(source) => Err(io_error(&path, source)),
        }
    }

    /// Returns the compiled form of the config spec with this text, if it is there.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn compiled_spec(&self, text: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        let path = self.dir.join(".compiled_spec");
        match std::fs::read(&path) {
            Ok(stored) => Ok(stored.strip_prefix(compiled_header(text).as_bytes()).map(<[u8]>::to_vec)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_error(&path, source)),
        }
    }

    /// Replaces the config spec: the old or the new one survives a crash.
    ///
    /// # Errors
    /// If it cannot be written; the old one stays.
    pub fn set_config_spec(&self, config_spec: StoredSpec) -> Result<(), ViewError> {
        config_spec.write(&self.dir)
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

/// Makes a directory with these permission bits, whatever the process's mask is.
fn make_directory(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new().mode(mode).create(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

fn read_owner(dir: &Path) -> Result<Option<(u32, u32)>, ViewError> {
    let path = dir.join("owner");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error(&path, source)),
    };
    let numbers = text.trim_end().split_once(' ');
    let numbers = numbers.and_then(|(owner, group)| Some((owner.parse().ok()?, group.parse().ok()?)));
    let detail = "its owner is no pair of numbers".to_owned();
    numbers.map(Some).ok_or_else(|| ViewError::NotAView { path: dir.to_owned(), detail })
}

/// Permission bits of a view made before they were recorded.
const MODE_UNRECORDED: u16 = 0o755;

fn read_mode(dir: &Path) -> Result<u16, ViewError> {
    let path = dir.join("mode");
    match std::fs::read_to_string(&path) {
        Ok(text) => match u16::from_str_radix(text.trim(), 8) {
            Ok(mode) if mode <= 0o777 => Ok(mode),
            _ => {
                Err(ViewError::NotAView { path: dir.to_owned(), detail: "its mode is no number".to_owned() })
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(MODE_UNRECORDED),
        Err(source) => Err(io_error(&path, source)),
    }
}

/// Replaces files of a directory, each as a whole. All are written before the first one is renamed, so that a
/// full disk leaves every old one; a crash may come between two renames.
fn write_durably(dir: &Path, files: &[(&str, &[u8])]) -> Result<(), ViewError> {
    let new = |name: &str| dir.join(format!("{name}.new"));
    for (name, bytes) in files {
        let write = || {
            let mut file = std::fs::File::create(new(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|source| io_error(&dir.join(name), source))?;
    }
    for (name, _) in files {
        let path = dir.join(name);
        std::fs::rename(new(name), &path).map_err(|source| io_error(&path, source))?;
    }
    durable::sync_directory(dir).map_err(|source| io_error(dir, source))
}

fn io_error(path: &Path, source: std::io::Error) -> ViewError {
    ViewError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec<'a>(text: &'a [u8], origin: &'a str) -> StoredSpec<'a> {
        StoredSpec { text, origin: Path::new(origin), compiled: b"compiled\n" }
    }

    #[test]
    fn a_config_spec_is_kept_with_the_file_it_is_from() {
        let directory = tempfile::tempdir().unwrap();
        let dir = directory.path().join("v.vws");
        let created = ViewStorage::create(&dir, ViewUuid([1; 16]), spec(b"one", "/a/one.cs")).unwrap();
        assert_eq!(created.config_spec_origin().unwrap(), Path::new("/a/one.cs"));
        created.set_config_spec(spec(b"two\xff", "/b/two.cs")).unwrap();
        let opened = ViewStorage::open(&dir).unwrap();
        assert_eq!(opened.config_spec().unwrap(), b"two\xff");
        assert_eq!(opened.config_spec_origin().unwrap(), Path::new("/b/two.cs"));
        assert_eq!(opened.compiled_spec(b"two\xff").unwrap().unwrap(), b"compiled\n");
        assert_eq!(opened.compiled_spec(b"one").unwrap(), None, "it is that of another text");
        // Views made before origins were recorded.
        std::fs::remove_file(dir.join("config_spec_origin")).unwrap();
        assert_eq!(opened.config_spec_origin().unwrap(), dir.join("config_spec"));
    }

    #[test]
    fn a_config_spec_that_cannot_be_written_leaves_text_and_origin() {
        let directory = tempfile::tempdir().unwrap();
        let dir = directory.path().join("v.vws");
        let storage = ViewStorage::create(&dir, ViewUuid([1; 16]), spec(b"one", "/a/one.cs")).unwrap();
        std::fs::create_dir(dir.join("config_spec.new")).unwrap();
        assert!(storage.set_config_spec(spec(b"two", "/b/two.cs")).is_err());
        assert_eq!(storage.config_spec().unwrap(), b"one");
        assert_eq!(storage.config_spec_origin().unwrap(), Path::new("/a/one.cs"));
    }

    #[test]
    fn permission_bits_are_kept_and_must_be_some() {
        let directory = tempfile::tempdir().unwrap();
        let dir = directory.path().join("v.vws");
        let created = ViewStorage::create(&dir, ViewUuid([1; 16]), spec(b"one", "/a/one.cs")).unwrap();
        assert_eq!(created.access().mode, 0o755, "nothing was recorded");
        ViewStorage::set_mode(&dir, 0o7750).unwrap();
        assert_eq!(ViewStorage::open(&dir).unwrap().access().mode, 0o750);
        ViewStorage::set_owner(&dir, 7, 4_000_000_000).unwrap();
        let access = ViewStorage::open(&dir).unwrap().access();
        assert_eq!((access.owner, access.group), (7, 4_000_000_000));
        std::fs::write(dir.join("owner"), "7").unwrap();
        assert!(matches!(ViewStorage::open(&dir), Err(ViewError::NotAView { .. })));
        std::fs::remove_file(dir.join("owner")).unwrap();
        for text in ["", "rwx", "1777", "-1"] {
            std::fs::write(dir.join("mode"), text).unwrap();
            assert!(matches!(ViewStorage::open(&dir), Err(ViewError::NotAView { .. })), "{text}");
        }
    }
}
