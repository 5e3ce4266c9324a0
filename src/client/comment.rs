//! Comments: the options and the questions.
//!
//! Owns which command asks and which does not. Nothing is sent.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use super::options::Arguments;
use super::profile::Profile;
use super::session::{CommandError, Session, system_text};

/// The comment options, of which one may be given.
const OPTIONS: &[&str] = &["comment", "cfile", "cquery", "cqeach", "ncomment"];

/// Bytes of a comment.
const COMMENT_BYTES_MAX: u64 = 1 << 20;

/// Where comments come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommentSource {
    /// None; a checkin keeps the checkout's.
    None,
    /// This one for all objects.
    Text(Vec<u8>),
    /// Asked once for all objects.
    AskOnce,
    /// Asked for each object.
    AskEach,
}

/// The words before ` for "x":`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// New elements and types.
    Creation,
    /// Checkout.
    Checkout,
    /// Checkin.
    Checkin,
    /// Everything else: `Comments for "x":`.
    Other,
}

impl Prompt {
    fn words(self) -> &'static [u8] {
        match self {
            Prompt::Creation => b"Creation comments",
            Prompt::Checkout => b"Checkout comments",
            Prompt::Checkin => b"Checkin comments",
            Prompt::Other => b"Comments",
        }
    }
}

/// Decides where the comments of a command come from: its options, else the profile, else `built_in`.
///
/// # Errors
/// Two comment options, or a comment file that cannot be read.
pub fn source(
    command: &'static str,
    arguments: &Arguments,
    built_in: CommentSource,
) -> Result<CommentSource, CommandError> {
    if let Some((one, other)) = arguments.conflict(OPTIONS) {
        return Err(CommandError::Usage(format!("Options -{one} and -{other} are mutually exclusive")));
    }
    if let Some(text) = arguments.value("comment") {
        return Ok(CommentSource::Text(text.as_bytes().to_vec()));
    }
    if let Some(path) = arguments.value("cfile") {
        return read_file(path).map(CommentSource::Text);
    }
    for (word, source) in [
        ("cquery", CommentSource::AskOnce),
        ("cqeach", CommentSource::AskEach),
        ("ncomment", CommentSource::None),
    ] {
        if arguments.has(word) {
            return Ok(source);
        }
    }
    Ok(Profile::of_user().comment_source(command).unwrap_or(built_in))
}

/// Warns of what is wrong with the user's profile, if a command line with these arguments leaves the choice to it.
pub fn warn_of_profile(session: &mut Session, arguments: &Arguments) {
    if !OPTIONS.iter().any(|option| arguments.has(option)) {
        Profile::of_user().faults().iter().for_each(|fault| session.warning(fault));
    }
}

/// The comment texts for objects, in order; asks where that is the source. `defaults` are the comments that a
/// lone `.` accepts, one for each object, or none.
///
/// # Errors
/// Standard input or output is gone.
pub fn texts(
    session: &mut Session,
    source: &CommentSource,
    prompt: Prompt,
    objects: &[&[u8]],
    defaults: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, CommandError> {
    match source {
        CommentSource::None => Ok(vec![Vec::new(); objects.len()]),
        CommentSource::Text(text) => Ok(vec![text.clone(); objects.len()]),
        CommentSource::AskOnce => {
            session.line(&[b"Comments for all listed objects:"])?;
            let text = read_comment(session, b"")?;
            Ok(vec![text; objects.len()])
        }
        CommentSource::AskEach => {
            let mut texts = Vec::with_capacity(objects.len());
            for (index, object) in objects.iter().enumerate() {
                session.line(&[prompt.words(), b" for \"", object, b"\":"])?;
                let default = defaults.get(index).map(Vec::as_slice).unwrap_or_default();
                texts.push(read_comment(session, default)?);
            }
            Ok(texts)
        }
    }
}

/// Reads lines up to a lone `.` or the end of input; nothing before it takes the default.
fn read_comment(session: &mut Session, default: &[u8]) -> Result<Vec<u8>, CommandError> {
    if !default.is_empty() {
        session.line(&[b"Default:"])?;
        for line in default.split(|byte| *byte == b'\n') {
            session.line(&[b"  ", line])?;
        }
    }
    session.flush()?;
    let mut lines = Vec::new();
    while let Some(line) = session.read_line()? {
        if line == b"." {
            break;
        }
        lines.push(line);
    }
    Ok(if lines.is_empty() { default.to_vec() } else { lines.join(&b'\n') })
}

fn read_file(path: &OsStr) -> Result<Vec<u8>, CommandError> {
    let mut text = Vec::new();
    // It need not be an ordinary file: `<(...)` of a shell is a pipe, which may have no end.
    let read = File::open(path).and_then(|file| file.take(COMMENT_BYTES_MAX + 1).read_to_end(&mut text));
    read.map_err(|error| {
        let reason = system_text(&error);
        CommandError::refused(
            [b"Unable to access \"", path.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat(),
        )
    })?;
    if text.len() as u64 > COMMENT_BYTES_MAX {
        let limit = format!("\" is too large: a comment has at most {COMMENT_BYTES_MAX} bytes.");
        return Err(CommandError::refused([b"Comment file \"", path.as_bytes(), limit.as_bytes()].concat()));
    }
    while text.ends_with(b"\n") {
        text.pop();
    }
    Ok(text)
}
