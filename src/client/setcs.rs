//! `setcs`: gives a view another config spec, or compiles the present one again.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, exclusive, missing};
use super::failure;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::set_config_spec_request::Source;
use crate::server::proto::{ConfigSpecText, Nothing, SetConfigSpecRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "setcs",
    aliases: &[],
    usage: "[-tag view-tag] {-current | -default | pname}",
    options: &[value("tag"), flag("cur/rent"), flag("def/ault")],
    comments: false,
    run,
};

/// The largest config spec that is read: 16 MiB are some 300,000 rules.
const MAX_CONFIG_SPEC_SIZE_BYTES: usize = 16 << 20;

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["current", "default"])?;
    let source = match arguments.operands.as_slice() {
        [] if arguments.has("current") => Source::Current(Nothing {}),
        [] if arguments.has("default") => Source::Default(Nothing {}),
        [] => return Err(missing("Config spec file name")),
        [file] if !arguments.has("current") && !arguments.has("default") => {
            let text = read_text(file)?;
            Source::Text(ConfigSpecText { text, file: session.pname(file)?.absolute })
        }
        _ => return Err(CommandError::Usage("One config spec required".to_owned())),
    };
    let request = SetConfigSpecRequest {
        context: Some(session.context()?),
        tag: arguments.text("tag"),
        source: Some(source),
    };
    let reply = session.call(async |mut host| host.set_config_spec(request).await)?;
    for warning in &reply.warnings {
        session.warning(&failure::diagnostic(warning));
    }
    Ok(Outcome::Done)
}

fn read_text(file: &OsStr) -> Result<Vec<u8>, CommandError> {
    let refused = |reason: &str| {
        CommandError::refused(
            [b"Unable to access \"", file.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat(),
        )
    };
    let text = std::fs::read(file).map_err(|error| refused(&system_text(&error)))?;
    match text.len() > MAX_CONFIG_SPEC_SIZE_BYTES {
        true => Err(refused("File too large")),
        false => Ok(text),
    }
}
