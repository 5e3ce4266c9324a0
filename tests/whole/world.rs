//! A home, a view root and the tools of one test, and the commands run with them.
//!
//! Everything is below one temporary directory. Dropping a [`World`] stops its daemon and takes its mounts away, and
//! fails the test if that does not succeed.

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a test waits for anything at all.
pub const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_clerestory");

/// Where one test lives.
pub struct World {
    directory: tempfile::TempDir,
    root: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

/// What a command did.
#[derive(Debug)]
pub struct Output {
    /// The command, for who reads of a failure.
    #[expect(dead_code, reason = "read by Debug alone")]
    words: String,
    /// Its exit status; 128 and more for a signal.
    pub status: i32,
    /// What it wrote, with other bytes than UTF-8 replaced.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Output {
    /// Runs a command and takes what it says.
    pub fn of(command: &mut Command) -> Output {
        Output::with_input(command, b"")
    }

    /// The same, with something on standard input.
    pub fn with_input(command: &mut Command, input: &[u8]) -> Output {
        let words = format!("{command:?}");
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{words}: {error}"));
        let mut pipe = child.stdin.take().expect("standard input is a pipe");
        let input = input.to_vec();
        // A program that does not read its input is no failure.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&input)));
        let output = child.wait_with_output().expect("the child's output can be read");
        writer.join().expect("the writer does not panic");
        Output::new(words, output)
    }

    /// Takes the output of a finished child.
    pub fn new(words: String, output: std::process::Output) -> Output {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        Output {
            words,
            status: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Expects success; returns what was written.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.status, 0, "{self:#?}");
        self.stdout
    }

    /// Expects exit status 1; returns the complaint.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.status, 1, "{self:#?}");
        self.stderr
    }

    /// Expects exit status 1 and a single line on standard error, and nothing on standard output.
    #[track_caller]
    pub fn refused_in_one_line(self) -> String {
        assert!(self.stdout.is_empty(), "{self:#?}");
        let line = self.refused();
        assert!(line.ends_with('\n') && line.lines().count() == 1, "not one line: {line:?}");
        line.trim_end().to_owned()
    }
}

impl World {
    /// A new home without a daemon.
    #[track_caller]
    pub fn new() -> World {
        World::below(&std::env::temp_dir())
    }

    /// The same, in a directory of the test's choice.
    #[track_caller]
    pub fn below(parent: &Path) -> World {
        let fuse = std::fs::metadata("/dev/fuse");
        assert!(
            fuse.is_ok_and(|fuse| fuse.file_type().is_char_device()),
            "/dev/fuse is missing: these tests mount file systems and cannot run without it"
        );
        let directory = tempfile::Builder::new().prefix("clwhole.").tempdir_in(parent);
        let directory = directory.expect("a temporary directory can be made");
        let root = directory.path().canonicalize().expect("the temporary directory is there");
        let bin = root.join("bin");
        std::fs::create_dir(&bin).expect("the tools' directory can be made");
        for tool in ["clerestory", "cleartool"] {
            std::os::unix::fs::symlink(PROGRAM, bin.join(tool)).expect("a tool can be linked");
        }
        let mut path = bin.into_os_string();
        path.push(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let variables = vec![
            ("PATH", path),
            ("HOME", root.clone().into_os_string()),
            ("CLERESTORY_HOME", root.join("home").into_os_string()),
            ("CLERESTORY_VIEWROOT", root.join("view").into_os_string()),
            ("LC_ALL", "C".into()),
            ("TZ", "UTC".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("USER", "root".into()),
        ];
        World { directory, root, variables }
    }

    /// The directory that holds everything.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The home.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The view root.
    pub fn viewroot(&self) -> PathBuf {
        self.root.join("view")
    }

    /// A VOB in a view, such as `in_view("v", "/vobs/x")`.
    pub fn in_view(&self, view: &str, vob: &str) -> PathBuf {
        self.viewroot().join(view).join(vob.trim_start_matches('/'))
    }

    /// A program with the environment of this world.
    pub fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(directory);
        command
    }

    /// Runs `clerestory`.
    pub fn clerestory(&self, words: &[impl AsRef<OsStr>]) -> Output {
        Output::of(self.command(self.root.join("bin/clerestory"), &self.root).args(words))
    }

    /// Runs `cleartool` outside any view.
    pub fn ct(&self, words: &[impl AsRef<OsStr>]) -> Output {
        self.ct_in(&self.root, words)
    }

    /// Runs `cleartool` in a directory.
    pub fn ct_in(&self, directory: &Path, words: &[impl AsRef<OsStr>]) -> Output {
        Output::of(self.command(self.root.join("bin/cleartool"), directory).args(words))
    }

    /// Runs a line of shell in a directory.
    pub fn sh(&self, directory: &Path, line: &str) -> Output {
        Output::of(self.command("/bin/sh", directory).args(["-c", line]))
    }

    /// Makes a VOB and mounts it.
    #[track_caller]
    pub fn make_vob(&self, tag: &str) {
        self.ct(&["mkvob", "-nc", "-tag", tag]).ok();
        self.ct(&["mount", tag]).ok();
    }

    /// Makes a view.
    #[track_caller]
    pub fn make_view(&self, tag: &str) {
        self.ct(&["mkview", "-tag", tag]).ok();
    }

    /// Gives a view a config spec.
    #[track_caller]
    pub fn set_spec(&self, view: &str, spec: &str) {
        let file = self.root.join(format!("{view}.cs"));
        std::fs::write(&file, spec).expect("the config spec can be written");
        self.ct(&[OsStr::new("setcs"), "-tag".as_ref(), view.as_ref(), file.as_os_str()]).ok();
    }

    /// The daemon's process, if one answers.
    pub fn daemon(&self) -> Option<i32> {
        let status = self.clerestory(&["status"]);
        let line = status.stdout.lines().find_map(|line| line.strip_prefix("process   "));
        line.map(|line| line.split(',').next().unwrap_or("").parse().expect("status tells a process"))
    }

    /// Kills the daemon as a crash would, and waits until it is gone.
    #[track_caller]
    pub fn kill_daemon(&self) {
        let process = self.daemon().expect("a daemon runs");
        signal(process, libc::SIGKILL);
        self.wait_for_end();
    }

    /// Waits until the daemon holds nothing any more: its lock is free only after its last thread is gone.
    #[track_caller]
    pub fn wait_for_end(&self) {
        let lock = std::fs::File::open(self.home().join("lock")).expect("the home has a lock");
        wait_until("the daemon is gone", || {
            rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockShared).is_ok()
        });
    }

    /// The mount points below this world, innermost first.
    pub fn mounts(&self) -> Vec<PathBuf> {
        let table = std::fs::read("/proc/self/mountinfo").expect("the mount table can be read");
        let mut found: Vec<PathBuf> = table
            .split(|byte| *byte == b'\n')
            .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
            .map(|place| PathBuf::from(OsStr::from_bytes(place)))
            .filter(|place| place.starts_with(&self.root))
            .collect();
        found.sort();
        found.reverse();
        found
    }

    /// Processes whose home is this world's.
    pub fn processes(&self) -> Vec<i32> {
        let wanted = [b"CLERESTORY_HOME=", self.home().as_os_str().as_bytes()].concat();
        let all = std::fs::read_dir("/proc").expect("/proc can be read").flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|process: &i32| {
                let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
            })
            .collect()
    }

    /// Bytes of the journal of the VOB with this storage.
    pub fn journal_bytes(&self, storage: &Path) -> u64 {
        let entries = std::fs::read_dir(storage.join("journal")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    /// The storage of the only VOB of this home.
    #[track_caller]
    pub fn only_vob(&self) -> PathBuf {
        let mut entries = std::fs::read_dir(self.home().join("vobs")).expect("the home is there").flatten();
        match (entries.next(), entries.next()) {
            (Some(entry), None) => entry.path(),
            _ => panic!("not exactly one VOB in {:?}", self.home()),
        }
    }

    fn end(&self) -> Vec<String> {
        let mut left = Vec::new();
        if self.home().exists() {
            let shutdown = self.clerestory(&["shutdown"]);
            if shutdown.status != 0 {
                left.push(format!("shutdown failed: {shutdown:?}"));
            }
        }
        // A daemon that has given everything up needs a moment to end.
        let end = Instant::now() + Duration::from_secs(10);
        while !self.processes().is_empty() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(2));
        }
        for process in self.processes() {
            left.push(format!("process {process} was left"));
            signal(process, libc::SIGKILL);
        }
        for mount in self.mounts() {
            left.push(format!("{} was left mounted", mount.display()));
            let _ = Command::new("umount").arg("-l").arg(&mount).status();
        }
        left
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let left = self.end();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.home().join("log/daemon.log")).unwrap_or_default();
            eprintln!("---- the daemon's log ----\n{log}---- end of the log ----");
        } else {
            assert!(left.is_empty(), "{left:#?}");
        }
        debug_assert!(self.directory.path().exists());
    }
}

/// Sends a signal to a process.
pub fn signal(process: i32, number: i32) {
    // SAFETY: kill(2) touches no memory of this process.
    unsafe { libc::kill(process, number) };
}

/// Tells whether a process still runs; one that ended and was not waited for does not.
pub fn is_running(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Waits for a condition; fails the test when it does not come.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Expects the system to refuse with this error number.
#[track_caller]
pub fn refused_with<T: Debug>(errno: i32, result: std::io::Result<T>) {
    match result {
        Err(error) if error.raw_os_error() == Some(errno) => {}
        other => panic!("expected {}, got {other:?}", std::io::Error::from_raw_os_error(errno)),
    }
}
