//! The kernel's table of mounts, taking a mount off it, and clearing mounts whose server has died.

use crate::sys;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Mounts on top of each other at one place that are cleared at most; more means that something puts them back.
const LAYERS_MAX: usize = 64;

/// One line of `/proc/self/mountinfo` (proc(5)).
#[derive(Clone, Eq, PartialEq, Debug)]
pub(crate) struct MountLine {
    /// `major:minor`; for a FUSE mount the minor is also the number of its connection.
    pub(crate) device: String,
    pub(crate) mountpoint: PathBuf,
    pub(crate) kind: String,
}

/// Detaches a mount whose server has died (all that touches it fails with ENOTCONN).
///
/// Returns whether there was one. A mount with a living server is never touched, nor is one that
/// belongs to another kind of file system. As root it calls `umount2(MNT_DETACH)`, else `fusermount3 -u -z`.
///
/// # Errors
/// When the table of mounts cannot be read, or the mount is not ours to remove.
pub fn clear_stale(mountpoint: &Path) -> io::Result<bool> {
    let mountpoint = resolve(mountpoint)?;
    for layer in 0..LAYERS_MAX {
        let stale = topmost(&mountpoint)?.is_some_and(|line| is_fuse(&line) && is_dead(&mountpoint));
        if !stale {
            return Ok(layer > 0);
        }
        detach(&mountpoint, libc::MNT_DETACH)?;
    }
    Err(io::Error::other(format!("more than {LAYERS_MAX} dead mounts on {}", mountpoint.display())))
}

/// Resolves all but the last component: that one may be dead.
pub(crate) fn resolve(mountpoint: &Path) -> io::Result<PathBuf> {
    match (mountpoint.parent(), mountpoint.file_name()) {
        (Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(parent.canonicalize()?.join(name))
        }
        _ => mountpoint.canonicalize(),
    }
}

/// Returns the mount that a path lookup of `mountpoint` ends in, if it is a mount point.
pub(crate) fn topmost(mountpoint: &Path) -> io::Result<Option<MountLine>> {
    let table = std::fs::read("/proc/self/mountinfo")?;
    Ok(table.split(|&b| b == b'\n').filter_map(parse).rfind(|line| line.mountpoint == mountpoint))
}

/// Takes a mount off the tree, through fusermount3 if this process may not.
pub(crate) fn detach(mountpoint: &Path, flags: libc::c_int) -> io::Result<()> {
    match sys::unmount(mountpoint, flags) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => detach_by_helper(mountpoint, flags),
        other => other,
    }
}

fn detach_by_helper(mountpoint: &Path, flags: libc::c_int) -> io::Result<()> {
    let mut command = Command::new("fusermount3");
    command.arg("-u");
    if flags & libc::MNT_DETACH != 0 {
        command.arg("-z");
    }
    let output = command.arg("--").arg(mountpoint).output()?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if message.contains("busy") {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    Err(io::Error::other(message))
}

fn is_fuse(line: &MountLine) -> bool {
    line.kind == "fuse" || line.kind.starts_with("fuse.")
}

/// `stat` would not do: the root's attributes outlive the server in the kernel's cache.
fn is_dead(mountpoint: &Path) -> bool {
    let dead = [libc::ENOTCONN, libc::ECONNABORTED];
    sys::probe(mountpoint).is_err_and(|error| error.raw_os_error().is_some_and(|e| dead.contains(&e)))
}

/// `36 35 98:0 /root /mnt options optional... - type source options`
fn parse(line: &[u8]) -> Option<MountLine> {
    let mut fields = line.split(|&b| b == b' ');
    let device = fields.nth(2)?;
    let mountpoint = fields.nth(1)?;
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some(MountLine {
        device: String::from_utf8_lossy(device).into_owned(),
        mountpoint: PathBuf::from(unescape(mountpoint)),
        kind: String::from_utf8_lossy(kind).into_owned(),
    })
}

/// Undoes the table's octal escapes (`\040` for a blank).
fn unescape(field: &[u8]) -> OsString {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    OsString::from_vec(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_line_of_the_mount_table_is_read_with_its_escapes() {
        let line = br"36 35 0:52 / /a\040b\134c rw,nosuid shared:1 master:2 - fuse.clerestory clerestory rw";
        let parsed = parse(line).expect("a full line");
        assert_eq!(parsed.device, "0:52");
        assert_eq!(parsed.mountpoint.as_os_str().as_bytes(), br"/a b\c");
        assert!(is_fuse(&parsed));
        assert_eq!(parse(b"36 35 0:52 /"), None);
    }

    #[test]
    fn an_ordinary_directory_is_not_stale() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        assert!(!clear_stale(directory.path()).expect("a readable mount table"));
        assert!(!clear_stale(&directory.path().join("absent")).expect("a readable mount table"));
    }
}
