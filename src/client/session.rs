//! One run of a tool: its output, its connection to the daemon, its place in the file system.
//!
//! Owns the order of standard output and standard error, and the wording of a lost connection. Knows no command.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tonic::{Response, Status, Streaming};

use super::dates::Dates;
use super::failure;
use super::firing::FiringChannel;
use super::pname;
use crate::server::home::Home;
use crate::server::identity::Caller;
use crate::server::proto::host_client::HostClient;
use crate::server::proto::{Context, Failure, Notice, Pname, StatusRequest};
use crate::server::{identity, lifecycle, transport};

/// A client stub, cheap to clone.
pub type Host = HostClient<FiringChannel>;

/// The largest answer that is accepted: a listing's stream is in small pieces, a config spec is not.
const MAX_ANSWER_SIZE_BYTES: usize = 64 << 20;

/// How a command that ran ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every object succeeded.
    Done,
    /// At least one failed; that was printed.
    Failed,
    /// Interactive mode is to end.
    Quit,
}

impl Outcome {
    /// `Done` unless something failed.
    pub fn of(all_done: bool) -> Outcome {
        if all_done { Outcome::Done } else { Outcome::Failed }
    }
}

/// Why a command did not run.
#[derive(Debug)]
pub enum CommandError {
    /// The command line is wrong: the sentence, to be followed by the usage.
    Usage(String),
    /// Error sentences.
    Refused(Vec<Vec<u8>>),
    /// Standard output is closed or full.
    Output(io::Error),
}

/// What every command answers.
pub type CommandResult = Result<Outcome, CommandError>;

impl CommandError {
    /// One error sentence.
    pub fn refused(sentence: impl Into<Vec<u8>>) -> CommandError {
        CommandError::Refused(vec![sentence.into()])
    }

    /// The same with the last line of complaint of each object about which nothing was done.
    pub fn about_each(self, summaries: impl IntoIterator<Item = Vec<u8>>) -> CommandError {
        match self {
            CommandError::Refused(mut sentences) => {
                sentences.extend(summaries);
                CommandError::Refused(sentences)
            }
            other => other,
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        CommandError::Output(error)
    }
}

impl From<lifecycle::LifecycleError> for CommandError {
    fn from(error: lifecycle::LifecycleError) -> CommandError {
        CommandError::refused(format!("{}.", error.to_string().trim_end_matches('.')))
    }
}

impl From<crate::server::home::HomeError> for CommandError {
    fn from(error: crate::server::home::HomeError) -> CommandError {
        CommandError::refused(format!("{error}."))
    }
}

impl From<super::options::OptionError> for CommandError {
    fn from(error: super::options::OptionError) -> CommandError {
        CommandError::Usage(error.to_string())
    }
}

/// One run of a tool.
pub struct Session {
    program: String,
    /// How dates are printed.
    pub dates: Dates,
    runtime: tokio::runtime::Runtime,
    host: Option<Host>,
    out: io::BufWriter<io::Stdout>,
    /// The command, where it was the only one.
    command_line: Option<OsString>,
}

impl Session {
    /// A session of the tool with this name.
    ///
    /// # Errors
    /// The system gives no event queue.
    pub fn new(program: impl Into<String>) -> io::Result<Session> {
        Ok(Session {
            program: program.into(),
            dates: Dates::from_environment(),
            runtime: runtime()?,
            host: None,
            out: io::BufWriter::with_capacity(64 << 10, io::stdout()),
            command_line: None,
        })
    }

    /// Notes the words of the only command of this run.
    pub fn run_as(&mut self, words: &[OsString]) {
        self.command_line = Some(words.join(OsStr::new(" ")));
    }

    /// The name that begins every message.
    pub fn program(&self) -> &str {
        &self.program
    }

    // ---- Output ---------------------------------------------------------------------------------------------

    /// Writes a line of pieces to standard output.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn line(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        self.write(pieces)?;
        self.out.write_all(b"\n")
    }

    /// Writes pieces to standard output as they are.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn write(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        pieces.iter().try_for_each(|piece| self.out.write_all(piece))
    }

    /// Sends what was written on its way.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes an error sentence to standard error, after what was written before.
    pub fn error(&mut self, sentence: &[u8]) {
        self.diagnostic("Error", sentence);
    }

    /// Writes a sentence to standard error with the program's name alone before it, as `clerestory`'s own commands do,
    /// after what was written before.
    pub fn complain(&mut self, sentence: &[u8]) {
        let _ = self.out.flush();
        let _ = io::stderr().write_all(&[self.program.as_bytes(), b": ", sentence, b"\n"].concat());
    }

    /// Writes a warning sentence to standard error, after what was written before.
    pub fn warning(&mut self, sentence: &[u8]) {
        self.diagnostic("Warning", sentence);
    }

    fn diagnostic(&mut self, kind: &str, sentence: &[u8]) {
        // A closed standard output shows at the next line; a closed standard error has nobody to tell.
        let _ = self.out.flush();
        let line = [self.program.as_bytes(), b": ", kind.as_bytes(), b": ", sentence, b"\n"].concat();
        let _ = io::stderr().write_all(&line);
    }

    /// Prints why an argument failed; `verb` as in [`failure::sentences`].
    pub fn failure(&mut self, failure: &Failure, pname: &[u8], verb: Option<&str>) {
        if let Some(line) = failure::type_manager_line(failure, pname) {
            let _ = self.out.flush();
            let _ = io::stderr().write_all(&[&line, &b"\n"[..]].concat());
        }
        for sentence in failure::sentences(failure, pname, verb) {
            self.error(&sentence);
        }
    }

    /// Prints the warnings among notices.
    pub fn warnings(&mut self, notices: &[Notice]) {
        for sentence in notices.iter().flat_map(failure::warnings) {
            self.warning(&sentence);
        }
    }

    // ---- Input ----------------------------------------------------------------------------------------------

    /// Asks a question whose answer is yes or no; an empty line and the end of input take the default.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask(&mut self, question: &[u8], default: bool) -> io::Result<bool> {
        loop {
            let hint: &[u8] = if default { b"  [yes] " } else { b"  [no] " };
            self.write(&[question, hint])?;
            self.flush()?;
            let Some(answer) = self.read_line()? else {
                self.line(&[])?;
                return Ok(default);
            };
            let answer = String::from_utf8_lossy(&answer).trim().to_ascii_lowercase();
            match answer.as_str() {
                "" => return Ok(default),
                answer if "yes".starts_with(answer) => return Ok(true),
                answer if "no".starts_with(answer) => return Ok(false),
                _ => self.line(&[b"Please answer with one of the following: yes, no"])?,
            }
        }
    }

    /// Reads a line without its newline; `None` at the end of input.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if io::stdin().lock().read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        Ok(Some(line))
    }

    /// Tells whether a person types the input.
    pub fn input_is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Tells whether a person reads the errors.
    pub fn errors_go_to_a_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    // ---- Place ----------------------------------------------------------------------------------------------

    /// The physical working directory.
    ///
    /// # Errors
    /// It was removed, or cannot be named.
    pub fn current_directory(&self) -> Result<PathBuf, CommandError> {
        std::env::current_dir().map_err(|error| {
            CommandError::refused(format!("Unable to determine working directory: {}.", system_text(&error)))
        })
    }

    /// Where the command is given.
    ///
    /// # Errors
    /// As [`Session::current_directory`].
    pub fn context(&self) -> Result<Context, CommandError> {
        let current = self.current_directory()?;
        let logical = std::env::var_os("PWD").filter(|path| is_same_directory(Path::new(path), &current));
        Ok(Context {
            working_directory: current.into_os_string().into_vec(),
            view_tag: set_view_tag(std::env::var_os("CLEARCASE_ROOT").as_deref()),
            logical_directory: logical.map(OsStringExt::into_vec).unwrap_or_default(),
            umask: current_umask(),
            host: identity::host_name(),
        })
    }

    /// An operand as the daemon wants it.
    ///
    /// # Errors
    /// As [`Session::current_directory`].
    pub fn pname(&self, typed: &OsStr) -> Result<Pname, CommandError> {
        let current = self.current_directory()?;
        Ok(pname::argument(current.as_os_str().as_bytes(), typed.as_bytes()))
    }

    /// Operands as the daemon wants them.
    ///
    /// # Errors
    /// As [`Session::current_directory`].
    pub fn pnames(&self, typed: &[std::ffi::OsString]) -> Result<Vec<Pname>, CommandError> {
        typed.iter().map(|typed| self.pname(typed)).collect()
    }

    // ---- The daemon -----------------------------------------------------------------------------------------

    /// The home whose daemon this session talks to.
    ///
    /// # Errors
    /// Nothing in the environment names one.
    pub fn home(&self) -> Result<Home, CommandError> {
        Ok(Home::from_environment()?)
    }

    fn host(&mut self) -> Result<Host, CommandError> {
        if let Some(host) = &self.host {
            return Ok(host.clone());
        }
        // A daemon that is being killed still takes connections: a new one is greeted, and a
        // daemon that does not answer is waited for to end.
        let stream = lifecycle::ensure_running(&self.home()?)?;
        let peer = Caller::of_peer(&stream).map(|peer| peer.process_id);
        // It may die before it greets, or before it answers.
        if let Ok(mut host) = self.adopt(stream)
            && self.runtime.block_on(host.status(StatusRequest {})).is_ok()
        {
            return Ok(host);
        }
        self.hang_up()?;
        if let Ok(process) = peer {
            lifecycle::wait_for_end(process, DYING_LIMIT)?;
        }
        let stream = lifecycle::ensure_running(&self.home()?)?;
        self.adopt(stream)
    }

    /// Connects to the daemon only if it runs already; tells whether it does.
    ///
    /// # Errors
    /// The socket cannot be used.
    pub fn connect_if_running(&mut self) -> Result<bool, CommandError> {
        match lifecycle::connect_if_running(&self.home()?)? {
            Some(stream) => self.adopt(stream).map(|_| true),
            None => Ok(false),
        }
    }

    fn adopt(&mut self, stream: std::os::unix::net::UnixStream) -> Result<Host, CommandError> {
        let channel = self.runtime.block_on(transport::channel(stream)).map_err(|error| {
            CommandError::refused(format!("Unable to contact the Clerestory daemon: {error}."))
        })?;
        let channel = FiringChannel::new(channel, &self.program, self.command_line.as_deref());
        let host = HostClient::new(channel).max_decoding_message_size(MAX_ANSWER_SIZE_BYTES);
        Ok(self.host.insert(host).clone())
    }

    /// Calls the daemon, starting it when needed.
    ///
    /// # Errors
    /// The sentences of a refusal, or one about the connection.
    pub fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(Host) -> Result<Response<T>, Status>,
    ) -> Result<T, CommandError> {
        self.call_about(b"", call)
    }

    /// As [`Session::call`]; sentences of a refusal that names nothing are about `pname`.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub fn call_about<T>(
        &mut self,
        pname: &[u8],
        call: impl AsyncFnOnce(Host) -> Result<Response<T>, Status>,
    ) -> Result<T, CommandError> {
        let host = self.host()?;
        // Triggers may print.
        if !self.out.buffer().is_empty() {
            self.flush()?;
        }
        match self.runtime.block_on(call(host)) {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.status(&status, pname)),
        }
    }

    /// Ends the connection to the daemon, if there is one.
    ///
    /// # Errors
    /// The system gives no event queue.
    pub fn hang_up(&mut self) -> Result<(), CommandError> {
        self.host = None;
        // The connection belongs to a task of the runtime.
        self.runtime = runtime()?;
        Ok(())
    }

    /// The next item of a stream; `None` at its end.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub fn next<T>(&mut self, stream: &mut Streaming<T>) -> Result<Option<T>, CommandError> {
        self.runtime.block_on(stream.message()).map_err(|status| self.status(&status, b""))
    }

    fn status(&mut self, status: &Status, pname: &[u8]) -> CommandError {
        if let Some(failure) = Failure::from_status(status) {
            return CommandError::Refused(failure::sentences(&failure, pname, None));
        }
        // Whatever else ends a call, the connection is not trusted again.
        self.host = None;
        CommandError::refused(format!("Lost contact with the Clerestory daemon: {}.", status.message()))
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// How long a daemon that does not answer has to end.
const DYING_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// What the system calls an error, without its number.
pub fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The tag of the set view: the last name of CLEARCASE_ROOT.
fn set_view_tag(root: Option<&OsStr>) -> String {
    let name = root.map(Path::new).and_then(Path::file_name);
    name.map(|tag| tag.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_same_directory(one: &Path, other: &Path) -> bool {
    match (one.is_absolute(), std::fs::metadata(one), std::fs::metadata(other)) {
        (true, Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// The mask, read without changing it (Linux 4.7); 022 where `/proc` is not mounted.
fn current_umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_view_is_the_last_name_of_clearcase_root() {
        assert_eq!(set_view_tag(Some(OsStr::new("/view/anne_v"))), "anne_v");
        assert_eq!(set_view_tag(Some(OsStr::new("/"))), "");
        assert_eq!(set_view_tag(None), "");
    }

    #[test]
    fn the_context_is_this_processs() {
        let session = Session::new("cleartool").unwrap();
        let context = session.context().unwrap();
        assert!(context.working_directory.starts_with(b"/") && context.umask <= 0o777);
        let pname = session.pname(OsStr::new("x/../y")).unwrap();
        assert_eq!(pname.typed, b"x/../y");
        assert!(pname.absolute.ends_with(b"/y") && pname.absolute.starts_with(&context.working_directory));
    }
}
