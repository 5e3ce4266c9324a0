//! Comments: the options, the user's profile, and the questions.
//!
//! Owns which command asks and which does not. The profile file is read here; nothing is sent.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::options::Arguments;
use super::session::{CommandError, Session, system_text};

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
    /// Everything else.
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
    if let Some((one, other)) = arguments.conflict(&["comment", "cfile", "cquery", "cqeach", "ncomment"]) {
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
    let profile = std::env::var_os("CLEARCASE_PROFILE").map(std::path::PathBuf::from).or_else(|| {
        std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".clearcase_profile"))
    });
    // No profile, or one that cannot be read, is the same as an empty one.
    let text = profile.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    Ok(profile_source(&text, command).unwrap_or(built_in))
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
    let mut text = std::fs::read(path).map_err(|error| {
        let reason = system_text(&error);
        CommandError::refused(
            [b"Unable to access \"", path.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat(),
        )
    })?;
    while text.ends_with(b"\n") {
        text.pop();
    }
    Ok(text)
}

/// The last line of a profile that names the command; a line for `*` only when none does.
fn profile_source(profile: &str, command: &str) -> Option<CommentSource> {
    let short = match command {
        "checkout" => "co",
        "checkin" => "ci",
        "uncheckout" => "unco",
        other => other,
    };
    let (mut own, mut common) = (None, None);
    for line in profile.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(name), Some(flag)) = (words.next(), words.next()) else {
            continue;
        };
        let source = match flag {
            _ if flag.len() >= 3 && "-ncomment".starts_with(flag) => CommentSource::None,
            "-cq" | "-cque" | "-cquer" | "-cquery" => CommentSource::AskOnce,
            _ if flag.len() >= 4 && "-cqeach".starts_with(flag) => CommentSource::AskEach,
            _ => continue,
        };
        match name {
            "*" => common = Some(source),
            name if name == command || name == short => own = Some(source),
            _ => {}
        }
    }
    own.or(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_chooses_per_command() {
        let profile = "# mine\n* -nc\ncheckout -cqe\nci -cq\nmkelem -bad\n";
        assert_eq!(profile_source(profile, "checkout"), Some(CommentSource::AskEach));
        assert_eq!(profile_source(profile, "checkin"), Some(CommentSource::AskOnce));
        assert_eq!(profile_source(profile, "mkelem"), Some(CommentSource::None));
        assert_eq!(profile_source("co -nc", "mkdir"), None);
    }
}
