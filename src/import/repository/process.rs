//! Runs the `git` program in an environment in which only the repository itself decides the answers.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use super::{RepositoryError, Result};

/// The export stream, buffered for its parser.
pub type ExportStream = BufReader<ChildStdout>;

/// Buffer for the export stream: 1 MiB.
const STREAM_BUFFER_BYTES: usize = 1 << 20;
/// So much of what git writes to its standard error is kept.
const STDERR_BYTES_MAX: u64 = 64 << 10;

/// How to call git for one repository.
#[derive(Clone, Debug)]
pub(super) struct Git {
    directory: PathBuf,
}

impl Git {
    pub(super) fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Answers the git directory of the work tree or repository at `path`. The one call that heeds the
    /// user's configuration: it says which repositories of other users are trusted.
    pub(super) fn discover(path: &Path) -> Result<Vec<u8>> {
        let mut command = clean_git();
        if let Some(parent) = path.parent() {
            command.env("GIT_CEILING_DIRECTORIES", parent);
        }
        command.arg("-C").arg(path).args(["rev-parse", "--absolute-git-dir"]);
        finish("rev-parse", &mut command, Vec::new())
    }

    /// Clones a bundle.
    pub(super) fn clone_mirror(bundle: &Path, target: &Path) -> Result<()> {
        let mut command = isolated_git();
        command.args(["-c", "core.hooksPath=/dev/null", "clone", "--mirror", "--quiet", "--template=", "--"]);
        command.arg(bundle).arg(target);
        finish("clone", &mut command, Vec::new()).map(drop)
    }

    /// Runs a subcommand to its end and answers its output.
    pub(super) fn run(&self, subcommand: &str, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>> {
        finish(subcommand, self.command(subcommand).args(arguments), input)
    }

    /// Like [`Self::run`], but `None` if the exit code is `code`.
    pub(super) fn run_or_status(
        &self,
        subcommand: &str,
        arguments: &[&str],
        code: i32,
    ) -> Result<Option<Vec<u8>>> {
        let (status, stdout, stderr) = complete(self.command(subcommand).args(arguments), Vec::new())?;
        if status.code() == Some(code) {
            return Ok(None);
        }
        check(subcommand, status, &stderr).map(|()| Some(stdout))
    }

    /// Starts `fast-export`.
    pub(super) fn export(
        &self,
        arguments: &[OsString],
        input: Vec<u8>,
    ) -> Result<(ExportStream, ExportProcess)> {
        let mut command = self.command("fast-export");
        let (mut child, feeder) = start(command.args(arguments), input)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            unreachable!("both are piped")
        };
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut stderr = stderr;
            // What does not fit is read all the same, lest git wait for ever.
            let kept = stderr.by_ref().take(STDERR_BYTES_MAX).read_to_end(&mut text);
            let _ = kept.and_then(|_| io::copy(&mut stderr, &mut io::sink()));
            text
        });
        let process = ExportProcess { child, stderr: Some(stderr), feeder: Some(feeder) };
        Ok((BufReader::with_capacity(STREAM_BUFFER_BYTES, stdout), process))
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(&self.directory);
        let mut command = isolated_git();
        command.arg(git_dir).args(["-c", "core.warnAmbiguousRefs=false", subcommand]);
        command
    }
}

/// The running export. Dropping it ends git.
#[derive(Debug)]
pub struct ExportProcess {
    child: Child,
    stderr: Option<JoinHandle<Vec<u8>>>,
    feeder: Option<JoinHandle<()>>,
}

impl ExportProcess {
    /// Waits for git to end. Drop the stream first, or git may wait for its reader.
    ///
    /// # Errors
    /// Git failed; the error carries what it wrote to its standard error.
    pub fn finish(mut self) -> Result<()> {
        let status = self.child.wait().map_err(|source| failed("waiting for git", source))?;
        let stderr = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        drop(self.feeder.take().map(JoinHandle::join));
        check("fast-export", status, &stderr)
    }
}

impl Drop for ExportProcess {
    fn drop(&mut self) {
        // Both fail only if the process has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Git without any variable that would change where it looks or what it does.
fn clean_git() -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") && name != OsStr::new("GIT_EXEC_PATH") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").env_remove("LANGUAGE");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    command
}

/// Git without the configuration of user and host, replacement objects, grafts and downloads on demand.
fn isolated_git() -> Command {
    let mut command = clean_git();
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_ATTR_NOSYSTEM", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
    command.env("GIT_GRAFT_FILE", "/dev/null").env("GIT_NO_LAZY_FETCH", "1");
    command
}

/// Starts a command and feeds it `input` from a thread of its own.
fn start(command: &mut Command, input: Vec<u8>) -> Result<(Child, JoinHandle<()>)> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RepositoryError::GitMissing,
        _ => failed("starting git", source),
    })?;
    let stdin = child.stdin.take();
    let feeder = std::thread::spawn(move || {
        // A failure means that git has ended, and its exit status says why.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
    });
    Ok((child, feeder))
}

fn complete(command: &mut Command, input: Vec<u8>) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (child, feeder) = start(command, input)?;
    let output = child.wait_with_output().map_err(|source| failed("reading from git", source))?;
    let _ = feeder.join();
    Ok((output.status, output.stdout, output.stderr))
}

fn finish(subcommand: &str, command: &mut Command, input: Vec<u8>) -> Result<Vec<u8>> {
    let (status, stdout, stderr) = complete(command, input)?;
    check(subcommand, status, &stderr).map(|()| stdout)
}

fn check(subcommand: &str, status: ExitStatus, stderr: &[u8]) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(stderr);
    let stderr = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    Err(RepositoryError::Git { command: subcommand.to_owned(), status: status.to_string(), stderr })
}

fn failed(what: &str, source: io::Error) -> RepositoryError {
    RepositoryError::Io { what: what.to_owned(), source }
}

/// The lines of an answer, without their ends.
pub(super) fn lines(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    let answer = answer.strip_suffix(b"\n").unwrap_or(answer);
    let empty = answer.is_empty();
    answer.split(|&byte| byte == b'\n').filter(move |_| !empty)
}
