//! `rmbranch`: removes branches for good, with their versions and what sprouts from these.

use super::commands::{Command, missing};
use super::options::{Arguments, flag};
use super::removal::{self, Manner};
use super::session::{CommandError, CommandResult, Session};
use crate::server::proto::{Removal, RemoveRequest, RemoveWhat};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmbr/anch",
    aliases: &[],
    usage: "[-force]\u{1}\n       branch-pname ...",
    options: &[flag("f/orce")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Branch pathname"));
    }
    let manner = Manner {
        command: "rmbranch",
        verb: "remove branch",
        ask: &ask,
        success: &|typed| [b"Removed branch \"", typed, b"\""].concat(),
    };
    let request = RemoveRequest { what: RemoveWhat::Branches.into(), ..RemoveRequest::default() };
    removal::run(session, arguments, &manner, &request)
}

fn ask(session: &mut Session, typed: &[u8], removal: &Removal) -> Result<bool, CommandError> {
    let counts = format!("\" has {} sub-branches, {} sub-versions.", removal.branches, removal.versions);
    session.line(&[b"Branch \"", typed, counts.as_bytes()])?;
    Ok(session.ask(b"Remove branch, all its sub-branches and sub-versions?", false)?)
}
