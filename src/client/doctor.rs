//! `doctor`: looks at this host for what keeps Clerestory from working, and repairs what can be repaired safely.
//!
//! It starts no daemon and opens no storage: it must work where nothing else does.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::home::Home;
use crate::server::proto::StatusRequest;
use crate::server::registry::Registry;

/// What `--help` adds.
pub const HELP: &str = "\
One line for each thing that was looked at: ok, note (works, but not as well as it could), wrong, or repaired. With --fix, mounts
whose daemon has died and sockets that nobody listens on are taken away; everything else is for you. Exit status 1 if
anything is wrong still.";

/// Free space on the file system of the home below which a note is made.
const SPACE_NOTED_BYTES: u64 = 1 << 30;
/// The refusal of changes begins here (`store/vob/place.rs` has the exact rule).
const SPACE_WRONG_BYTES: u64 = 64 << 20;
const INODES_NOTED: u64 = 10_000;
/// A file of the home from so far in the future says that a clock went back.
const CLOCK_SLACK: Duration = Duration::from_secs(60);
/// Descriptors that a daemon may need: files that are read and written just now, containers, connections.
const DESCRIPTORS_WANTED: u64 = 4_096;
/// Kernels: the first that expires names without dropping them, and the first that expires all at once.
const KERNEL_EXPIRES: (u32, u32) = (6, 2);
const KERNEL_EPOCH: (u32, u32) = (6, 16);

/// How something was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Note,
    Wrong,
    Repaired,
}

/// What was looked at.
struct Finding {
    state: State,
    text: String,
}

fn ok(text: impl Into<String>) -> Finding {
    Finding { state: State::Ok, text: text.into() }
}

fn note(text: impl Into<String>) -> Finding {
    Finding { state: State::Note, text: text.into() }
}

fn wrong(text: impl Into<String>) -> Finding {
    Finding { state: State::Wrong, text: text.into() }
}

fn repaired(text: impl Into<String>) -> Finding {
    Finding { state: State::Repaired, text: text.into() }
}

/// Looks at everything.
///
/// # Errors
/// Standard output is closed.
pub fn doctor(session: &mut Session, fix: bool) -> CommandResult {
    let mut findings = vec![kernel(), device(), helper(), descriptors()];
    match session.home() {
        Err(error) => findings.push(wrong(format!("home: {}", sentence(error)))),
        Ok(home) => {
            findings.push(of_home(&home));
            let runs = daemon_runs(&home);
            findings.push(daemon(session, &home, runs));
            findings.extend(socket(&home, runs, fix));
            findings.extend(viewroot(&home, runs, fix));
            findings.extend(storages(&home));
            findings.push(space(&home));
            findings.push(clock(&home));
        }
    }
    let mut is_well = true;
    for Finding { state, text } in findings {
        let word: &[u8] = match state {
            State::Ok => b"ok        ",
            State::Note => b"note      ",
            State::Wrong => b"wrong     ",
            State::Repaired => b"repaired  ",
        };
        is_well &= state != State::Wrong;
        session.line(&[word, text.as_bytes()])?;
    }
    Ok(Outcome::of(is_well))
}

fn sentence(error: CommandError) -> String {
    match error {
        CommandError::Usage(text) => text,
        CommandError::Output(error) => error.to_string(),
        CommandError::Refused(sentences) => sentences
            .iter()
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn kernel() -> Finding {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match version {
        version if version < KERNEL_EXPIRES => note(format!(
            "kernel {release}: before 6.2 a directory that somebody works in may show as deleted after a setcs or a checkin, until \
             it is looked up again"
        )),
        version if version < KERNEL_EPOCH => note(format!(
            "kernel {release}: from 6.16 on very large changes are told in one step, here name by name"
        )),
        _ => ok(format!("kernel {release}")),
    }
}

fn device() -> Finding {
    let path = Path::new("/dev/fuse");
    match path.metadata() {
        Err(_) => wrong(
            "/dev/fuse is missing: load the kernel module (modprobe fuse); a container needs --device /dev/fuse",
        ),
        Ok(found) if !found.file_type().is_char_device() => {
            wrong("/dev/fuse is no device: remove it, and load the kernel module (modprobe fuse)")
        }
        Ok(_) => match std::fs::File::options().read(true).write(true).open(path) {
            Ok(_) => ok("/dev/fuse can be opened"),
            Err(error) => {
                wrong(format!("/dev/fuse cannot be opened ({error}): chmod 666 /dev/fuse, as is usual"))
            }
        },
    }
}

fn helper() -> Finding {
    if rustix::process::geteuid().is_root() {
        return ok("root mounts by itself");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|directory| directory.join("fusermount3").is_file());
    match is_there {
        true => ok("fusermount3 is there, which mounts for users"),
        false => wrong("fusermount3 is missing, which mounts for users: install the package fuse3"),
    }
}

fn descriptors() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    match limit.maximum.or(limit.current) {
        Some(most) if most < DESCRIPTORS_WANTED => note(format!(
            "at most {most} files may be open at once: raise the limit (ulimit -Hn) to {DESCRIPTORS_WANTED}"
        )),
        Some(most) => ok(format!("{most} files may be open at once")),
        None => ok("any number of files may be open at once"),
    }
}

fn of_home(home: &Home) -> Finding {
    let root = home.root();
    let shown = root.display();
    match root.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            note(format!("home {shown} is not there yet: the first command makes it"))
        }
        Err(error) => wrong(format!("home {shown}: {error}")),
        Ok(found) if !found.is_dir() => {
            wrong(format!("home {shown} is no directory: set CLERESTORY_HOME to one"))
        }
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => note(format!(
            "home {shown} belongs to user {}: only that user's daemon serves it; another home is chosen with CLERESTORY_HOME",
            found.uid()
        )),
        Ok(found) if found.mode() & 0o022 != 0 => {
            wrong(format!("home {shown} can be written by others than its owner: chmod go-w {shown}"))
        }
        Ok(_) => ok(format!("home {shown}")),
    }
}

/// Tells whether a daemon holds the home's lock; none where nobody can say.
fn daemon_runs(home: &Home) -> Option<bool> {
    match home.root().join("lock").exists() {
        false => Some(false),
        true => home.try_lock().ok().map(|lock| lock.is_none()),
    }
}

fn daemon(session: &mut Session, home: &Home, runs: Option<bool>) -> Finding {
    match runs {
        Some(false) => return ok("no daemon runs: the next command starts one"),
        None => {
            return note(format!(
                "whether a daemon runs cannot be told: {} cannot be opened",
                home.root().join("lock").display()
            ));
        }
        Some(true) => {}
    }
    match session.connect_if_running() {
        Ok(true) => {}
        Ok(false) => return wrong("a daemon holds the lock, and does not listen: wait a moment, or kill it"),
        Err(error) => return wrong(format!("a daemon runs and cannot be reached: {}", sentence(error))),
    }
    match session.call(async |mut host| host.status(StatusRequest {}).await) {
        Err(error) => wrong(format!("the daemon does not answer: {}", sentence(error))),
        Ok(status) if status.version != env!("CARGO_PKG_VERSION") => note(format!(
            "the daemon is version {}, this program {}: clerestory shutdown, and the next command starts the new one",
            status.version,
            env!("CARGO_PKG_VERSION")
        )),
        Ok(status) if !status.viewroot_mounted => wrong(
            "the daemon runs, and shows no views: clerestory shutdown, and the next command mounts them again",
        ),
        Ok(status) => ok(format!("the daemon answers (process {}, version {})", status.pid, status.version)),
    }
}

fn socket(home: &Home, runs: Option<bool>, fix: bool) -> Option<Finding> {
    let path = home.socket();
    let is_dead = runs == Some(false) && path.symlink_metadata().is_ok();
    let shown = path.display();
    if !is_dead {
        return None;
    }
    if !fix {
        return Some(note(format!(
            "nobody listens on {shown}: --fix removes it, and so does the next daemon"
        )));
    }
    Some(match std::fs::remove_file(&path) {
        Ok(()) => repaired(format!("nobody listened on {shown}: removed")),
        Err(error) => wrong(format!("nobody listens on {shown}, and it cannot be removed: {error}")),
    })
}

fn viewroot(home: &Home, runs: Option<bool>, fix: bool) -> Option<Finding> {
    let path = home.viewroot();
    let shown = path.display();
    // The kernel may answer for the directory itself; this it asks the daemon.
    let asked = rustix::fs::statvfs(path).map_err(io::Error::from);
    let found = match asked.and_then(|_| path.symlink_metadata()) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTCONN | libc::ECONNABORTED)) => {
            return Some(match fix && runs == Some(false) {
                true => match clerestory_mount::clear_stale(path) {
                    Ok(_) => repaired(format!("the daemon that showed {shown} had died: unmounted")),
                    Err(error) => wrong(format!(
                        "the daemon that showed {shown} has died, and it cannot be unmounted: {error}"
                    )),
                },
                false => wrong(format!(
                    "the daemon that showed {shown} has died: --fix unmounts it, and so does the next command"
                )),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some(note(format!("view root {shown} is not there yet: the first command makes it")));
        }
        Err(error) => return Some(wrong(format!("view root {shown}: {error}"))),
        Ok(found) => found,
    };
    match found.is_dir() {
        false => Some(wrong(format!("view root {shown} is no directory: set CLERESTORY_VIEWROOT to one"))),
        true => Some(ok(format!("view root {shown}"))),
    }
}

fn storages(home: &Home) -> Vec<Finding> {
    let entries = match Registry::open(home.registry()) {
        Ok(registry) => registry.entries(),
        Err(error) => return vec![wrong(format!("the registry cannot be read: {error}"))],
    };
    let vobs = entries.vobs.iter().map(|(tag, entry)| {
        (
            format!("VOB {}", tag.path().display()),
            &entry.storage,
            "clerestory restore brings a VOB back from a backup",
        )
    });
    let views = entries.views.iter().map(|(tag, entry)| {
        (
            format!("view {}", tag.as_str()),
            &entry.storage,
            "cleartool rmview -force -tag takes it off the list",
        )
    });
    let mut findings: Vec<Finding> = vobs
        .chain(views)
        .filter_map(|(what, storage, advice)| match storage.metadata() {
            Ok(found) if found.is_dir() => None,
            Ok(_) => {
                Some(wrong(format!("{what}: its storage {} is no directory: {advice}", storage.display())))
            }
            Err(error) => {
                Some(wrong(format!("{what}: its storage {}: {error}: {advice}", storage.display())))
            }
        })
        .collect();
    if findings.is_empty() {
        findings.push(ok(format!(
            "the storages of {} VOBs and {} views are there",
            entries.vobs.len(),
            entries.views.len()
        )));
    }
    findings
}

/// The nearest directory that is there.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

fn space(home: &Home) -> Finding {
    let place = existing(home.root());
    let Ok(found) = rustix::fs::statvfs(&place) else {
        return wrong(format!("the space on the file system of {} cannot be asked for", place.display()));
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let mib = free >> 20;
    // A file system without a table of inodes says 0 of 0.
    let few_inodes = found.f_files > 0 && found.f_favail < INODES_NOTED;
    match free {
        free if free < SPACE_WRONG_BYTES => wrong(format!(
            "{mib} MiB are free for {}: changes to VOBs are refused; make room",
            place.display()
        )),
        free if free < SPACE_NOTED_BYTES => note(format!("only {mib} MiB are free for {}", place.display())),
        _ if few_inodes => note(format!(
            "only {} more files can be made on the file system of {}",
            found.f_favail,
            place.display()
        )),
        _ => ok(format!("{mib} MiB are free for {}", place.display())),
    }
}

fn clock(home: &Home) -> Finding {
    let newest = |directory: PathBuf| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
    };
    let latest = [home.root().to_owned(), home.log_directory(), home.vobs(), home.views()]
        .into_iter()
        .filter_map(newest)
        .max();
    match latest.and_then(|latest| latest.duration_since(SystemTime::now()).ok()) {
        Some(ahead) if ahead > CLOCK_SLACK => wrong(format!(
            "files of the home were changed {} seconds from now: the clock has gone back, or was ahead then; set it",
            ahead.as_secs()
        )),
        _ => ok("the clock is not behind what was written"),
    }
}
