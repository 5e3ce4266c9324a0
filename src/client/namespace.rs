//! A mount namespace of one's own, in which VOB tags lead to a view.
//!
//! Owns the order of system calls: new namespaces, private mounts, mount points, bindings. Knows no view and no
//! daemon. Root makes missing mount points on the host; an ordinary user works in a user namespace that maps only
//! that user, and where a mount point's parent is not writable, covers the parent with a small file system that
//! shows the same entries and the missing one. Nothing is hidden by that, and nobody else sees it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount,
    mount_bind_recursive, mount_change, move_mount, open_tree, unmount,
};
use rustix::thread::UnshareFlags;

/// One directory to be shown at another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// What is shown.
    pub source: PathBuf,
    /// Where.
    pub target: PathBuf,
}

/// Why the namespace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The kernel refuses namespaces to this user.
    #[error("the kernel refuses a namespace of its own ({source}); root can use setview")]
    Refused {
        /// What it said.
        source: io::Error,
    },
    /// A mount point is missing and cannot be made.
    #[error("directory {path:?} is missing and cannot be made ({source}): create it")]
    MountPoint {
        /// The directory to create.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A step was refused.
    #[error("{path:?}: {source}")]
    Step {
        /// What it was about.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Moves this process into a namespace with the bindings. The working directory is looked up again by its path, so
/// that inside a VOB it is the view's.
///
/// # Errors
/// The first step that was refused; the process should end then.
pub fn enter(bindings: &[Binding]) -> Result<(), NamespaceError> {
    let current = std::env::current_dir().ok();
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let is_root = user.is_root();
    if is_root {
        // Before the namespace is made, so that they are on the host for the next one.
        for binding in bindings {
            std::fs::create_dir_all(&binding.target)
                .map_err(|source| NamespaceError::MountPoint { path: binding.target.clone(), source })?;
        }
    }
    let flags = if is_root { UnshareFlags::NEWNS } else { UnshareFlags::NEWNS | UnshareFlags::NEWUSER };
    unshare(flags).map_err(|errno| NamespaceError::Refused { source: errno.into() })?;
    if !is_root {
        write_map("/proc/self/setgroups", "deny")?;
        write_map("/proc/self/uid_map", &format!("{0} {0} 1", user.as_raw()))?;
        write_map("/proc/self/gid_map", &format!("{0} {0} 1", group.as_raw()))?;
    }
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    step(Path::new("/"), mount_change("/", private))?;
    for binding in bindings {
        if !is_root && !binding.target.is_dir() {
            make_mount_point(&binding.target)?;
        }
        step(&binding.target, mount_bind_recursive(&binding.source, &binding.target))?;
    }
    if let Some(current) = current {
        // A directory that the view does not have: the one above that it has.
        let found = current.ancestors().find(|directory| std::env::set_current_dir(directory).is_ok());
        debug_assert!(found.is_some());
    }
    Ok(())
}

/// Becomes another program with additional variables; comes back only with the reason why not.
pub fn execute(words: Vec<OsString>, variables: &[(&str, &OsStr)]) -> io::Error {
    let mut words = words.into_iter();
    let Some(program) = words.next() else {
        return io::ErrorKind::InvalidInput.into();
    };
    Command::new(program).args(words).envs(variables.iter().copied()).exec()
}

fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: neither flag unshares descriptors (CLONE_FILES), on which other code could rely.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

fn write_map(path: &str, text: &str) -> Result<(), NamespaceError> {
    std::fs::write(path, text).map_err(|source| NamespaceError::Refused { source })
}

/// Makes a directory that is missing, covering the nearest directory that exists when that is not writable.
fn make_mount_point(target: &Path) -> Result<(), NamespaceError> {
    let failed = |source| NamespaceError::MountPoint { path: target.to_owned(), source };
    if std::fs::create_dir_all(target).is_ok() {
        return Ok(());
    }
    let existing = target.ancestors().skip(1).find(|directory| directory.is_dir()).unwrap_or(Path::new("/"));
    if existing == Path::new("/") { cover_root() } else { cover(existing) }.map_err(failed)?;
    std::fs::create_dir_all(target).map_err(failed)
}

/// Covers a directory with a writable one that shows the same entries.
fn cover(directory: &Path) -> io::Result<()> {
    let below = open_directory(directory)?;
    mount_small(directory)?;
    let result = show_entries(&below, directory, None);
    if result.is_err() {
        let _ = unmount(directory, UnmountFlags::DETACH);
    }
    result
}

/// The same for `/`, which cannot be covered in place: the new root is built over `/tmp` and becomes the root.
fn cover_root() -> io::Result<()> {
    let stage = Path::new("/tmp");
    let root = open_directory(Path::new("/"))?;
    // Copied before it is covered: a copy made later would bring the cover along.
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let old_stage = open_tree(CWD, stage, flags)?;
    mount_small(stage)?;
    let built = show_entries(&root, stage, Some((OsStr::new("tmp"), &old_stage)));
    if built.is_err() {
        let _ = unmount(stage, UnmountFlags::DETACH);
        return built;
    }
    std::env::set_current_dir(stage)?;
    // The old root is put under the new one at the same place (pivot_root(2)) and dropped. Where the root is the
    // kernel's first file system this is refused, and a changed root does as well.
    match rustix::process::pivot_root(".", ".") {
        Ok(()) => unmount(".", UnmountFlags::DETACH)?,
        Err(_) => rustix::process::chroot(".")?,
    }
    std::env::set_current_dir("/")
}

fn mount_small(directory: &Path) -> io::Result<()> {
    // Room for directories and links only: nothing else is ever written there.
    let options = c"mode=0755,size=1m";
    Ok(mount("clerestory", directory, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(options))?)
}

/// Shows the entries of an open directory at another path; `replaced` gives a detached mount for one name.
fn show_entries(below: &OwnedFd, at: &Path, replaced: Option<(&OsStr, &OwnedFd)>) -> io::Result<()> {
    let through = PathBuf::from(format!("/proc/self/fd/{}", below.as_raw_fd()));
    for entry in std::fs::read_dir(&through)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let target = at.join(&name);
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(through.join(&name))?, &target)?;
            continue;
        }
        match kind.is_dir() {
            true => std::fs::create_dir(&target)?,
            false => drop(std::fs::File::create(&target)?),
        }
        match replaced {
            Some((other, tree)) if other == name => {
                move_mount(tree, "", CWD, &target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
            }
            _ => mount_bind_recursive(through.join(&name), &target)?,
        }
    }
    Ok(())
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path.as_os_str().as_bytes(), flags, Mode::empty())?)
}

fn step<T>(path: &Path, result: rustix::io::Result<T>) -> Result<T, NamespaceError> {
    result.map_err(|errno| NamespaceError::Step { path: path.to_owned(), source: errno.into() })
}
