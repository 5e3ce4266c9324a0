//! The life of the daemon: started on demand, exactly one for each home, stopped and waited for.
//!
//! Owns the order of events between a client that needs a daemon and the daemon that becomes ready. Knows nothing
//! of what the daemon serves: [`serve`] is given that. Clients take turns through the home's `start` lock, so that
//! two that come at once start one; the daemon holds `lock` for its life, so that its death, however it comes, is
//! seen by everybody who waits for that lock.
//!
//! Readiness: the daemon's standard output is a pipe to whoever started it. It writes `R` when it serves, or `E`
//! and a text when it cannot, and then turns its output to the log.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use parking_lot::Mutex;

use super::home::{Home, HomeError, HomeLock};
use super::transport;

/// How long a client waits for a daemon to become ready: storage left by a crash is checked in this time.
pub const START_LIMIT: Duration = Duration::from_secs(120);
/// How long `shutdown` waits for the daemon to be gone.
pub const STOP_LIMIT: Duration = Duration::from_secs(120);
/// A log above this size is set aside as `daemon.log.old` when the next daemon starts.
const LOG_LIMIT_BYTES: u64 = 16 << 20;

/// Why there is no daemon to talk to.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Another daemon serves this home.
    #[error("the daemon of {home:?} is already running")]
    AlreadyRunning {
        /// The home directory.
        home: PathBuf,
    },
    /// The daemon said why it cannot serve.
    #[error("{text}")]
    Refused {
        /// What it said.
        text: String,
    },
    /// It ended before it said anything.
    #[error("the daemon ended before it was ready; see {log:?}")]
    Died {
        /// Its log.
        log: PathBuf,
    },
    /// It did not become ready, or did not stop, in time.
    #[error("the daemon has not {what} within {} seconds; see {log:?}", limit.as_secs())]
    Late {
        /// `become ready` or `stopped`.
        what: &'static str,
        /// The time it was given.
        limit: Duration,
        /// Its log.
        log: PathBuf,
    },
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What a daemon is given to serve with.
#[derive(Debug)]
pub struct Start {
    /// Its home, complete and locked.
    pub home: Home,
    /// The listening socket; wrap it with [`transport::incoming`].
    pub listener: UnixListener,
    /// To be told as soon as calls are answered.
    pub ready: Ready,
}

/// The way to tell whoever started the daemon how it went. Clones share it; only the first word counts.
#[derive(Debug, Clone, Default)]
pub struct Ready {
    pipe: Arc<Mutex<Option<File>>>,
}

impl Ready {
    fn to(pipe: File) -> Ready {
        Ready { pipe: Arc::new(Mutex::new(Some(pipe))) }
    }

    /// Says that calls are answered now.
    pub fn ready(&self) {
        self.say(b"R");
    }

    fn failed(&self, text: &str) {
        self.say(format!("E{text}").as_bytes());
    }

    fn say(&self, bytes: &[u8]) {
        if let Some(mut pipe) = self.pipe.lock().take() {
            // The starter may have given up; then nobody needs to know.
            let _ = pipe.write_all(bytes);
        }
    }
}

/// Whether the daemon was started by hand or by a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By hand: it keeps its terminal and refuses when another daemon runs.
    Foreground,
    /// By [`ensure_running`]: standard output is the pipe, standard error the log; it leaves the session.
    Background,
}

/// Runs the daemon of a home until `run` returns. Holds the home's lock all the while, and removes the socket.
///
/// `run` serves [`Start::listener`], calls [`Ready::ready`], and returns after a shutdown call or SIGTERM, when
/// everything is unmounted and closed.
///
/// # Errors
/// Why it could not serve, which the starter was told too.
pub fn serve<E: std::fmt::Display>(
    home: Home,
    mode: Mode,
    run: impl FnOnce(Start) -> Result<(), E>,
) -> Result<(), LifecycleError> {
    let ready = match mode {
        Mode::Foreground => Ready::default(),
        Mode::Background => detach()?,
    };
    let result = serve_locked(home, mode, ready.clone(), run);
    if let Err(error) = &result {
        tracing::error!(%error, "the daemon cannot serve");
        ready.failed(&error.to_string());
    }
    result
}

fn serve_locked<E: std::fmt::Display>(
    home: Home,
    mode: Mode,
    ready: Ready,
    run: impl FnOnce(Start) -> Result<(), E>,
) -> Result<(), LifecycleError> {
    home.create()?;
    let lock: HomeLock = match home.try_lock()? {
        Some(lock) => lock,
        None if mode == Mode::Foreground => {
            return Err(LifecycleError::AlreadyRunning { home: home.root().to_owned() });
        }
        // Another one serves already, or is on its way out and will free the lock.
        None if transport::connect(&home.socket()).is_ok() => {
            ready.ready();
            return Ok(());
        }
        None => home.wait_for_lock()?,
    };
    let socket = home.socket();
    let listener = transport::listen(&socket).map_err(|source| io_error(format!("{socket:?}"), source))?;
    let result = run(Start { home, listener, ready });
    // Gone before the lock is, so that nobody connects to a daemon that is no more.
    let _ = std::fs::remove_file(&socket);
    drop(lock);
    result.map_err(|error| LifecycleError::Refused { text: error.to_string() })
}

/// Leaves the starter's session and takes its pipe off standard output.
fn detach() -> Result<Ready, LifecycleError> {
    let failed = |what: &str, errno: rustix::io::Errno| io_error(what.to_owned(), errno.into());
    // Refused only for a process group's leader, as when somebody runs it from a shell: nothing is lost then.
    let _ = rustix::process::setsid();
    let pipe: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)
        .map_err(|errno| failed("standard output", errno))?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr()).map_err(|errno| failed("standard output", errno))?;
    Ok(Ready::to(File::from(pipe)))
}

/// Connects to the daemon of a home, starting it when it does not run.
///
/// # Errors
/// Why there is none, in the daemon's own words where it had any.
pub fn ensure_running(home: &Home) -> Result<UnixStream, LifecycleError> {
    let program = std::env::current_exe().map_err(|source| io_error("this program".to_owned(), source))?;
    ensure_running_with(home, || {
        let mut command = Command::new(&program);
        command.args(["serve", "--background"]);
        command
    })
}

/// As [`ensure_running`], with the command that is the daemon in [`Mode::Background`].
///
/// # Errors
/// As [`ensure_running`].
pub fn ensure_running_with(
    home: &Home,
    daemon: impl FnOnce() -> Command,
) -> Result<UnixStream, LifecycleError> {
    if let Some(stream) = connect_if_running(home)? {
        return Ok(stream);
    }
    home.create()?;
    let turn = home.wait_for_start()?;
    if let Some(stream) = connect_if_running(home)? {
        return Ok(stream);
    }
    spawn(home, daemon())?;
    drop(turn);
    transport::connect(&home.socket()).map_err(|source| io_error(format!("{:?}", home.socket()), source))
}

/// Connects to the daemon of a home; `None` when it does not run.
///
/// # Errors
/// The socket is there but cannot be used.
pub fn connect_if_running(home: &Home) -> Result<Option<UnixStream>, LifecycleError> {
    match transport::connect(&home.socket()) {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(source) => Err(io_error(format!("{:?}", home.socket()), source)),
    }
}

fn spawn(home: &Home, mut daemon: Command) -> Result<(), LifecycleError> {
    let log = open_log(home)?;
    daemon
        .env("CLERESTORY_HOME", home.root())
        .env("CLERESTORY_VIEWROOT", home.viewroot())
        .env_remove("CLEARCASE_ROOT")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut child =
        daemon.spawn().map_err(|source| io_error("cannot start the daemon".to_owned(), source))?;
    let Some(mut pipe) = child.stdout.take() else {
        return Err(LifecycleError::Died { log: home.log() });
    };
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut word = Vec::new();
        let result = pipe.read_to_end(&mut word).map(|_| word);
        let _ = sender.send(result);
    });
    let word = match receiver.recv_timeout(START_LIMIT) {
        Ok(Ok(word)) => word,
        Ok(Err(source)) => return Err(io_error("the daemon".to_owned(), source)),
        Err(_) => {
            return Err(LifecycleError::Late { what: "become ready", limit: START_LIMIT, log: home.log() });
        }
    };
    // A client may need to be without threads (user namespaces); this one has sent its last.
    let _ = reader.join();
    match word.split_first() {
        Some((b'R', _)) => Ok(()),
        Some((b'E', text)) => {
            // It is on its way out; collect it, so that no zombie stays with an interactive client.
            let _ = child.wait();
            Err(LifecycleError::Refused { text: String::from_utf8_lossy(text).into_owned() })
        }
        _ => {
            let _ = child.wait();
            Err(LifecycleError::Died { log: home.log() })
        }
    }
}

fn open_log(home: &Home) -> Result<File, LifecycleError> {
    let path = home.log();
    if std::fs::metadata(&path).is_ok_and(|log| log.len() > LOG_LIMIT_BYTES) {
        // Losing the old log is no reason not to start.
        let _ = std::fs::rename(&path, home.log_directory().join("daemon.log.old"));
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(|source| io_error(format!("{path:?}"), source))
}

/// Waits until no daemon holds the home, after it was asked to stop.
///
/// # Errors
/// [`LifecycleError::Late`] after [`STOP_LIMIT`].
pub fn wait_until_stopped(home: &Home) -> Result<(), LifecycleError> {
    let (sender, receiver) = mpsc::channel();
    let waiting = home.clone();
    std::thread::spawn(move || {
        let _ = sender.send(waiting.wait_for_lock().map(drop));
    });
    match receiver.recv_timeout(STOP_LIMIT) {
        Ok(result) => Ok(result?),
        Err(_) => Err(LifecycleError::Late { what: "stopped", limit: STOP_LIMIT, log: home.log() }),
    }
}

fn io_error(what: String, source: io::Error) -> LifecycleError {
    LifecycleError::Io { what, source }
}

/// Waits until a process has ended, at most for `limit`.
///
/// # Errors
/// The system cannot watch it.
pub fn wait_for_end(process: i32, limit: Duration) -> Result<(), LifecycleError> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let failed = |errno: rustix::io::Errno| LifecycleError::Io {
        what: format!("watching process {process}"),
        source: errno.into(),
    };
    let Some(pid) = Pid::from_raw(process) else { return Ok(()) };
    let watched = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        other => other.map_err(failed)?,
    };
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: 0 };
    let mut ready = [PollFd::new(&watched, PollFlags::IN)];
    poll(&mut ready, Some(&limit)).map(drop).map_err(failed)
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
