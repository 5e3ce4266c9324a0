//! Beginning and ending a mount.
//!
//! fuser is left to mount and to run the event loops. Taking the mount down is done here: it must neither fail
//! because somebody has a shell in it, nor hit a newer mount at the same place.

use crate::adapter::{Adapter, Shared};
use crate::callers::Callers;
use crate::counters::Recorder;
use crate::ending::{Ending, Gate};
use crate::{CallerCount, Counters, Invalidator, Latency, Namespace, Request, invalidate, stale, sys};
use fuser::{BackgroundSession, Config, MountOption, Session, SessionACL};
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the event loops get to end by themselves once the mount is off the tree.
const ENDING_LIMIT: Duration = Duration::from_secs(2);

/// Read-ahead in KiB: one READ of the largest size.
const READ_AHEAD_KIB: &str = "1024";

/// Event loops that a mount may have.
const THREADS_MAX: usize = 64;

/// How to mount.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Options {
    /// An existing directory.
    pub mountpoint: PathBuf,
    /// Lets other users in. An ordinary user needs `user_allow_other` in `/etc/fuse.conf` for it.
    pub allow_other: bool,
    /// Event loops; from 1 to 64, else the nearest of these.
    pub threads: usize,
    /// Source and subtype in the table of mounts. Letters, digits, `-` and `_`.
    pub name: String,
}

/// A mount that is served. Dropping it unmounts.
pub struct Mounted {
    mountpoint: PathBuf,
    /// `major:minor` in the table of mounts.
    device: String,
    shared: Arc<Shared>,
    down: bool,
    /// Never dropped: its drop unmounts *by path* whatever is at the mount point then, be it another server's
    /// mount. The price is one descriptor for each mount of a process.
    _session: ManuallyDrop<BackgroundSession>,
}

/// Mounts a namespace and serves it from threads of its own.
///
/// The kernel checks permission bits itself, with the caller's groups. Requests may come before this returns.
///
/// # Errors
/// When the mount point does not exist or is a dead mount (see [`clear_stale`](crate::clear_stale)), when the
/// name holds other characters, or when the kernel or fusermount3 refuses.
pub fn mount(namespace: Arc<dyn Namespace>, options: &Options) -> io::Result<Mounted> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if options.name.is_empty() || !options.name.chars().all(plain) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("mount name {:?}", options.name)));
    }
    let mountpoint = options.mountpoint.canonicalize()?;
    let invalidator = invalidate::queue();
    let shared = Arc::new(Shared {
        recorder: Recorder::new(),
        callers: Callers::default(),
        gate: Gate::new(),
        ending: Ending::new(),
        invalidator,
    });
    let session =
        Session::new(Adapter::new(namespace, Arc::clone(&shared)), &mountpoint, &configuration(options))?;
    shared.invalidator.start(session.as_fd().try_clone_to_owned()?)?;
    let device = stale::topmost(&mountpoint)?.map(|line| line.device).unwrap_or_default();
    let session = ManuallyDrop::new(session.spawn()?);
    widen_read_ahead(&device);
    Ok(Mounted { mountpoint, device, shared, down: false, _session: session })
}

fn configuration(options: &Options) -> Config {
    let mut config = Config::default();
    // Access times are not kept in step by FUSE mounts anyway; `noatime` would change nothing.
    config.mount_options = vec![
        MountOption::FSName(options.name.clone()),
        MountOption::Subtype(options.name.clone()),
        MountOption::DefaultPermissions,
    ];
    config.acl = if options.allow_other { SessionACL::All } else { SessionACL::Owner };
    config.n_threads = Some(options.threads.clamp(1, THREADS_MAX));
    config
}

/// The kernel gives each mount 128 KiB of read-ahead, and the handshake can only lower it.
fn widen_read_ahead(device: &str) {
    let setting = format!("/sys/class/bdi/{device}/read_ahead_kb");
    if let Err(error) = std::fs::write(&setting, READ_AHEAD_KIB) {
        tracing::debug!(setting, %error, "read-ahead stays at the kernel's default");
    }
}

impl Mounted {
    /// Returns the way to make the kernel forget.
    pub fn invalidator(&self) -> Invalidator {
        self.shared.invalidator.clone()
    }

    /// Returns how many requests have reached user space so far.
    pub fn counters(&self) -> Counters {
        self.shared.recorder.snapshot()
    }

    /// Returns how long the requests of each kind have taken here; those that are answered without asking the
    /// namespace are left out.
    pub fn latencies(&self) -> Vec<(Request, Latency)> {
        self.shared.recorder.latencies()
    }

    /// Returns which programs the requests came from, the most first.
    pub fn callers(&self) -> Vec<CallerCount> {
        self.shared.callers.snapshot()
    }

    /// Returns the place of the mount, without symbolic links.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// Returns a handle that tells when the mount has ended, also by another's `umount`.
    pub fn ending(&self) -> Ending {
        self.shared.ending.clone()
    }

    /// Takes the mount down.
    ///
    /// Pages that wait to be written are written first. If somebody is inside, the mount is detached and its connection
    /// cut: they get ENOTCONN. When this returns no call into the namespace is running, and none will come, even
    /// if another mount namespace keeps the file system; a request from there gets ENOTCONN.
    ///
    /// # Errors
    /// When the mount could not be taken off the tree; the namespace is at rest all the same.
    pub fn unmount(mut self) -> io::Result<()> {
        self.take_down()
    }

    fn take_down(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.down, true) {
            return Ok(());
        }
        let result = if self.shared.ending.has_come() { Ok(()) } else { self.leave_tree() };
        self.shared.gate.close();
        self.shared.invalidator.stop();
        result
    }

    fn leave_tree(&self) -> io::Result<()> {
        if stale::topmost(&self.mountpoint)?.is_some_and(|line| line.device == self.device) {
            self.write_back();
            match stale::detach(&self.mountpoint, 0) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                    tracing::info!(mountpoint = %self.mountpoint.display(), "the mount is busy; detaching it");
                    self.cut();
                    stale::detach(&self.mountpoint, libc::MNT_DETACH | libc::MNT_FORCE)?;
                }
                other => other?,
            }
        }
        if !self.shared.ending.wait_for(ENDING_LIMIT) {
            self.cut();
            if !self.shared.ending.wait_for(ENDING_LIMIT) {
                tracing::warn!("another mount namespace keeps the file system; its requests are refused");
            }
        }
        Ok(())
    }

    fn write_back(&self) {
        let written = File::open(&self.mountpoint).and_then(|root| sys::sync_file_system(&root));
        if let Err(error) = written {
            tracing::debug!(%error, "could not write back before unmounting");
        }
    }

    /// Cuts the connection through the control file system, which also serves those who may not force an unmount.
    /// It need not be mounted; then the forced unmount, or the end of the process, does it.
    fn cut(&self) {
        let connection = self.device.split(':').next_back().unwrap_or_default();
        let control = format!("/sys/fs/fuse/connections/{connection}/abort");
        if let Err(error) = std::fs::write(&control, "1") {
            tracing::debug!(control, %error, "could not cut the connection");
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = self.take_down() {
            tracing::error!(mountpoint = %self.mountpoint.display(), %error, "could not unmount");
        }
    }
}

impl std::fmt::Debug for Mounted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mounted").field("mountpoint", &self.mountpoint).finish_non_exhaustive()
    }
}
