//! `help`: prints the usage of one command or of all.

use super::commands::{COMMANDS, Command, Found, find};
use super::options::Arguments;
use super::session::{CommandError, CommandResult, Outcome, Session};

/// The table entry.
pub const COMMAND: Command =
    Command { name: "h/elp", aliases: &[], usage: "[command-name]", options: &[], comments: false, run };

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        for command in COMMANDS {
            session.line(&[command.usage_block().as_bytes()])?;
        }
        return Ok(Outcome::Done);
    }
    for name in &arguments.operands {
        match find(&name.to_string_lossy()).map_err(CommandError::refused)? {
            Found::Command(command) => session.line(&[command.usage_block().as_bytes()])?,
            Found::NotSupported(name) => {
                return Err(CommandError::refused(format!("Command \"{name}\" is not supported yet.")));
            }
        }
    }
    Ok(Outcome::Done)
}
