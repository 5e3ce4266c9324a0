//! `edcs`: has the user edit a view's config spec, and sets it.
//!
//! Owns the copy that is edited, and the promise that edited text is not lost: unless it was set or given up,
//! the copy stays where it is.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::commands::Command;
use super::editor;
use super::faults;
use super::options::{Arguments, value};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use super::setcs::{read_text, set, warn_of_two_views};
use crate::server::proto::set_config_spec_request::Source;
use crate::server::proto::{ConfigSpecText, GetConfigSpecRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "edcs",
    aliases: &[],
    usage: "[-tag view-tag] [pname]",
    options: &[value("tag")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let file = match arguments.operands.as_slice() {
        [] => None,
        [file] => Some(file),
        _ => return Err(CommandError::Usage("One config spec required".to_owned())),
    };
    let tag = arguments.text("tag");
    // Who may not set it is told before there is anything to lose.
    let request = GetConfigSpecRequest { context: Some(session.context()?), tag, to_change: true };
    let spec = session.call(async |mut host| host.get_config_spec(request).await)?;
    warn_of_two_views(session, &spec.tag, &spec.set_view_tag);
    session.flush()?;
    if let Some(file) = file {
        let origin = session.pname(file)?.absolute;
        return edit_and_set(session, &spec.tag, Edited { path: Path::new(file), origin, directory: None });
    }
    let copy = Copy::create(&session.current_directory()?.join(std::env::temp_dir()), &spec.text)?;
    let directory = copy.path.parent();
    let edited = Edited { path: &copy.path, origin: Vec::new(), directory };
    let result = edit_and_set(session, &spec.tag, edited);
    if matches!(result, Ok(Outcome::Done)) || !copy.differs_from(&spec.text) {
        copy.remove();
        return result;
    }
    let kept = [b"Edited config spec is kept in \"", copy.path.as_os_str().as_bytes(), b"\"."].concat();
    match result {
        Err(CommandError::Refused(mut sentences)) => {
            sentences.push(kept);
            Err(CommandError::Refused(sentences))
        }
        other => {
            session.error(&kept);
            other
        }
    }
}

/// What is edited.
struct Edited<'a> {
    path: &'a Path,
    /// The file that the config spec is from then; empty: the same as before.
    origin: Vec<u8>,
    /// Where the editor works, if not here.
    directory: Option<&'a Path>,
}

/// Lets the user edit until the text is set, or given up.
fn edit_and_set(session: &mut Session, tag: &str, edited: Edited) -> CommandResult {
    let question = format!("Set config spec for view \"{tag}\"?");
    loop {
        editor::edit(edited.path, edited.directory)?;
        let text = read_text(edited.path.as_os_str())?;
        if !session.ask(question.as_bytes(), true)? {
            return Ok(Outcome::Done);
        }
        let name = edited.path.as_os_str().as_bytes();
        let file = if edited.origin.is_empty() { name } else { &edited.origin };
        let shown = faults::Source { file, text: &text };
        let source = Source::Text(ConfigSpecText { text: text.clone(), file: edited.origin.clone() });
        if set(session, tag.to_owned(), source, shown)? {
            return Ok(Outcome::Done);
        }
        if !session.input_is_terminal() || !session.ask(b"Edit the config spec again?", false)? {
            return Ok(Outcome::Failed);
        }
    }
}

/// How many copies that were left behind are passed over.
const MAX_COPIES: u32 = 1_000;

/// A file with the present text, which nobody else can read, and no file that was there before.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn create(directory: &Path, text: &[u8]) -> Result<Copy, CommandError> {
        let mut number = 0;
        loop {
            let path = directory.join(format!("config_spec.{}.{number}", std::process::id()));
            match write_new(&path, text) {
                Ok(()) => return Ok(Copy { path }),
                // Left by an earlier process with this number: somebody's edited text.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MAX_COPIES => {
                    number += 1
                }
                Err(error) => {
                    let reason = system_text(&error);
                    let name = path.as_os_str().as_bytes();
                    return Err(CommandError::refused(
                        [b"Unable to create file \"", name, b"\": ", reason.as_bytes(), b"."].concat(),
                    ));
                }
            }
        }
    }

    /// A copy that cannot be read is taken for a different one: it is not to be removed.
    fn differs_from(&self, text: &[u8]) -> bool {
        self.path.exists() && read_text(self.path.as_os_str()).map_or(true, |found| found != text)
    }

    fn remove(self) {
        // An editor that moved it away has left nothing to remove.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(text);
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_is_a_private_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let first = Copy::create(directory.path(), b"one").unwrap();
        std::os::unix::fs::symlink("elsewhere", first.path.with_extension("1")).unwrap();
        let second = Copy::create(directory.path(), b"two").unwrap();
        assert_eq!(second.path.extension(), Some(OsStr::new("2")));
        assert!(!directory.path().join("elsewhere").exists());
        assert_eq!(std::fs::read(&first.path).unwrap(), b"one");
        assert_eq!(first.path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(first.differs_from(b"two") && !first.differs_from(b"one"));
        let path = first.path.clone();
        first.remove();
        assert!(!path.exists());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told() {
        let directory = tempfile::tempdir().unwrap();
        match Copy::create(&directory.path().join("none"), b"") {
            Err(CommandError::Refused(lines)) => {
                let line = String::from_utf8(lines[0].clone()).unwrap();
                assert!(
                    line.starts_with("Unable to create file \"")
                        && line.ends_with(": No such file or directory.")
                );
            }
            _ => panic!("made"),
        }
    }
}
