//! The user's profile: which options a command has that were not typed.
//!
//! `$CLEARCASE_PROFILE`, else `~/.clearcase_profile`: lines `command flag`, `*` for every command, `#` before a remark.
//! Of several lines for one command the last counts, and any of them before one for `*`. Reading it is all that is
//! done here; what is wrong with it is said by whoever asks [`Profile::faults`].

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::commands::{self, Found};
use super::comment::CommentSource;
use super::session::system_text;

/// A profile that was read.
#[derive(Debug, Default)]
pub struct Profile {
    lines: Vec<Line>,
    /// Sentences about what was not understood.
    faults: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Line {
    /// Full name, or `*`.
    command: String,
    choice: Choice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    Comment(CommentSource),
    Reserved(bool),
}

impl Profile {
    /// Reads the user's profile. One in the home directory need not exist.
    pub fn of_user() -> Profile {
        let named = std::env::var_os("CLEARCASE_PROFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".clearcase_profile"));
        let must_exist = named.is_some();
        let Some(path) = named.or_else(home) else { return Profile::default() };
        match std::fs::read(&path) {
            Ok(text) => Profile::parse(&String::from_utf8_lossy(&text), &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Profile::default(),
            Err(error) => {
                let reason = format!("\": {}.", system_text(&error));
                let name = path.as_os_str().as_bytes();
                let fault = [b"Unable to access \"", name, reason.as_bytes()].concat();
                Profile { lines: Vec::new(), faults: vec![fault] }
            }
        }
    }

    /// Reads the text of a profile; the path is for complaints.
    fn parse(text: &str, path: &Path) -> Profile {
        let mut profile = Profile::default();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace().peekable();
            let Some(name) = words.next().filter(|word| !word.starts_with('#')) else { continue };
            let command = match commands::find(name) {
                _ if name == "*" => name.to_owned(),
                Ok(Found::Command(command)) => command.full_name(),
                // Another program that reads the file may have commands of its own.
                Ok(Found::NotSupported(_)) | Err(_) => name.to_owned(),
            };
            let mut choices = Vec::new();
            let complete = words.peek().is_some();
            let unknown = words.find(|flag| match choice(flag, &command) {
                Some(choice) => {
                    choices.push(choice);
                    false
                }
                None => true,
            });
            if let (true, None) = (complete, unknown) {
                profile
                    .lines
                    .extend(choices.into_iter().map(|choice| Line { command: command.clone(), choice }));
                continue;
            }
            let reason = match unknown {
                Some(flag) => format!("\": unrecognized option \"{flag}\"."),
                None => "\": an option is missing.".to_owned(),
            };
            let before = format!("Ignored line {number} of \"");
            profile.faults.push([before.as_bytes(), path.as_os_str().as_bytes(), reason.as_bytes()].concat());
        }
        profile
    }

    /// What was not understood, as sentences.
    pub fn faults(&self) -> &[Vec<u8>] {
        &self.faults
    }

    /// Where a command's comments come from, if the profile says so.
    pub fn comment_source(&self, command: &str) -> Option<CommentSource> {
        self.last(command, |choice| match choice {
            Choice::Comment(source) => Some(source.clone()),
            Choice::Reserved(_) => None,
        })
    }

    /// Whether checkouts are reserved, if the profile says so.
    pub fn checkouts_reserved(&self) -> Option<bool> {
        self.last("checkout", |choice| match choice {
            Choice::Reserved(reserved) => Some(*reserved),
            Choice::Comment(_) => None,
        })
    }

    fn last<T>(&self, command: &str, wanted: impl Fn(&Choice) -> Option<T>) -> Option<T> {
        let of = |name: &str| {
            let lines = self.lines.iter().rev().filter(|line| line.command == name);
            lines.into_iter().find_map(|line| wanted(&line.choice))
        };
        of(command).or_else(|| of("*"))
    }
}

/// What a flag chooses for a command.
fn choice(flag: &str, command: &str) -> Option<Choice> {
    let is = |word: &str, shortest: usize| flag.len() >= shortest && word.starts_with(flag);
    Some(match flag {
        _ if is("-ncomment", 3) => Choice::Comment(CommentSource::None),
        _ if flag != "-cqe" && is("-cquery", 3) => Choice::Comment(CommentSource::AskOnce),
        _ if is("-cqeach", 4) => Choice::Comment(CommentSource::AskEach),
        _ if command == "checkout" && is("-reserved", 4) => Choice::Reserved(true),
        _ if command == "checkout" && is("-unreserved", 4) => Choice::Reserved(false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        Profile::parse(text, Path::new("/home/.clearcase_profile"))
    }

    #[test]
    fn a_profile_chooses_per_command() {
        let read = profile("# mine\n\n* -nc\ncheckout -cqe\n  ci\t-cq  \nunknown -nc\n#mkelem -cq\n");
        assert_eq!(read.comment_source("checkout"), Some(CommentSource::AskEach));
        assert_eq!(read.comment_source("checkin"), Some(CommentSource::AskOnce));
        assert_eq!(read.comment_source("mkelem"), Some(CommentSource::None));
        assert_eq!(read.faults(), [] as [&[u8]; 0]);
        assert_eq!(profile("co -nc").comment_source("mkdir"), None);
        assert_eq!(
            profile("co -nc\ncheckout -cq\n* -cqe").comment_source("checkout"),
            Some(CommentSource::AskOnce)
        );
    }

    #[test]
    fn a_profile_chooses_how_checkouts_are_held() {
        assert_eq!(profile("").checkouts_reserved(), None);
        let read = profile("checkout -nc -unreserved\n* -nc\n");
        assert_eq!(read.checkouts_reserved(), Some(false));
        assert_eq!(read.comment_source("checkout"), Some(CommentSource::None));
        assert_eq!(profile("co -unres\nco -res").checkouts_reserved(), Some(true));
    }

    #[test]
    fn flags_may_be_cut_as_on_the_command_line() {
        for (flag, expected) in [
            ("-nc", Some(CommentSource::None)),
            ("-ncomment", Some(CommentSource::None)),
            ("-cq", Some(CommentSource::AskOnce)),
            ("-cquery", Some(CommentSource::AskOnce)),
            ("-cqe", Some(CommentSource::AskEach)),
            ("-cqeach", Some(CommentSource::AskEach)),
            ("-n", None),
            ("-c", None),
            ("-cqueryy", None),
        ] {
            assert_eq!(profile(&format!("mkelem {flag}")).comment_source("mkelem"), expected, "{flag}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let read = profile("mkelem -bad\nci -nc\nmkdir\nmkdir -unreserved\n");
        let faults: Vec<String> =
            read.faults().iter().map(|fault| String::from_utf8_lossy(fault).into_owned()).collect();
        assert_eq!(
            faults,
            [
                "Ignored line 1 of \"/home/.clearcase_profile\": unrecognized option \"-bad\".",
                "Ignored line 3 of \"/home/.clearcase_profile\": an option is missing.",
                "Ignored line 4 of \"/home/.clearcase_profile\": unrecognized option \"-unreserved\".",
            ]
        );
        assert_eq!(read.comment_source("checkin"), Some(CommentSource::None));
    }
}
