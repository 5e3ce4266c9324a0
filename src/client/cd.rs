//! `cd`: changes the working directory of an interactive cleartool.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::commands::Command;
use super::options::Arguments;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};

/// The table entry.
pub const COMMAND: Command =
    Command { name: "cd", aliases: &[], usage: "[dir-pname]", options: &[], comments: false, run };

fn run(_session: &mut Session, arguments: &Arguments) -> CommandResult {
    let home = || std::env::var_os("HOME").unwrap_or_else(|| OsString::from("/"));
    let target = match arguments.operands.as_slice() {
        [] => home(),
        [target] => target.clone(),
        _ => return Err(CommandError::Usage("One directory required".to_owned())),
    };
    std::env::set_current_dir(&target).map_err(|error| {
        let reason = system_text(&error);
        CommandError::refused(
            [b"Unable to change directory to \"", target.as_bytes(), b"\": ", reason.as_bytes(), b"."]
                .concat(),
        )
    })?;
    Ok(Outcome::Done)
}
