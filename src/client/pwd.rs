//! `pwd`: prints the working directory.

use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, no_operands};
use super::options::Arguments;
use super::session::{CommandResult, Outcome, Session};

/// The table entry.
pub const COMMAND: Command =
    Command { name: "pwd", aliases: &[], usage: "", options: &[], comments: false, run };

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    no_operands(arguments)?;
    let current = session.current_directory()?;
    session.line(&[current.as_os_str().as_bytes()])?;
    Ok(Outcome::Done)
}
