//! `setcs`: gives a view another config spec, or compiles the present one again.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, exclusive, missing};
use super::failure;
use super::faults;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::set_config_spec_request::Source;
use crate::server::proto::{ConfigSpecText, Nothing, SetConfigSpecRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "setcs",
    aliases: &[],
    usage: "[-tag view-tag] {-current | -default | pname}",
    options: &[value("tag"), flag("cur/rent"), flag("def/ault"), flag("str/eam")],
    comments: false,
    run,
};

/// The largest config spec that is read: 16 MiB are some 300,000 rules.
const MAX_CONFIG_SPEC_SIZE_BYTES: usize = 16 << 20;

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["current", "default", "stream"])?;
    if arguments.has("stream") {
        return Err(CommandError::refused("Option -stream is not supported yet."));
    }
    let is_named = arguments.has("current") || arguments.has("default");
    let (source, text) = match arguments.operands.as_slice() {
        [] if arguments.has("current") => (Source::Current(Nothing {}), Vec::new()),
        [] if arguments.has("default") => (Source::Default(Nothing {}), Vec::new()),
        [] => return Err(missing("Config spec file name")),
        [file] if !is_named => {
            let text = read_text(file)?;
            let file = session.pname(file)?.absolute;
            (Source::Text(ConfigSpecText { text: text.clone(), file }), text)
        }
        _ => return Err(CommandError::Usage("One config spec required".to_owned())),
    };
    let file = match &source {
        Source::Text(text) => text.file.clone(),
        Source::Current(_) | Source::Default(_) => Vec::new(),
    };
    let is_set = set(session, arguments.text("tag"), source, faults::Source { file: &file, text: &text })?;
    Ok(Outcome::of(is_set))
}

/// Sets a view's config spec (an empty tag is the current view), prints what keeps it from being set, and
/// answers whether it is. `shown` is the text in this program's hands, if it is.
///
/// # Errors
/// The daemon refused for another reason than the text, or is gone.
pub fn set(
    session: &mut Session,
    tag: String,
    source: Source,
    shown: faults::Source,
) -> Result<bool, CommandError> {
    let request = SetConfigSpecRequest { context: Some(session.context()?), tag, source: Some(source) };
    let reply = session.call(async |mut host| host.set_config_spec(request).await)?;
    warn_of_two_views(session, &reply.tag, &reply.set_view_tag);
    let Some(found) = reply.faults else {
        return Ok(true);
    };
    // Scripts get a line for each fault and nothing between them.
    let shown = match session.errors_go_to_a_terminal() {
        true => shown,
        false => faults::Source { text: b"", ..shown },
    };
    for sentence in faults::sentences(&found, shown) {
        session.error(&sentence);
    }
    if faults::need_summary(&found) {
        session.error(b"Unable to set config spec.");
    }
    Ok(false)
}

/// Warns when the working directory's view was used although another one is set; `set` is that one or empty.
pub fn warn_of_two_views(session: &mut Session, working: &str, set: &str) {
    if !set.is_empty() {
        session.warning(&failure::two_views(working, set));
    }
}

/// Reads a file that holds a config spec.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn read_text(file: &OsStr) -> Result<Vec<u8>, CommandError> {
    let refused = |reason: &str| {
        CommandError::refused(
            [b"Unable to access \"", file.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat(),
        )
    };
    let mut text = Vec::new();
    // One byte more shows that there is more.
    let limit_bytes = MAX_CONFIG_SPEC_SIZE_BYTES as u64 + 1;
    let read = File::open(file).and_then(|file| file.take(limit_bytes).read_to_end(&mut text));
    match read {
        Ok(size_bytes) if size_bytes > MAX_CONFIG_SPEC_SIZE_BYTES => Err(refused("File too large")),
        Ok(_) => Ok(text),
        Err(error) => Err(refused(&system_text(&error))),
    }
}
