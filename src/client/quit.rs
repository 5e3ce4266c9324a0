//! `quit`: ends interactive mode.

use super::commands::Command;
use super::options::Arguments;
use super::session::{CommandResult, Outcome, Session};

/// The table entry.
pub const COMMAND: Command =
    Command { name: "q/uit", aliases: &["exit"], usage: "", options: &[], comments: false, run };

fn run(_session: &mut Session, _arguments: &Arguments) -> CommandResult {
    Ok(Outcome::Quit)
}
