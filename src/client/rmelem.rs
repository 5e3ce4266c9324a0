//! `rmelem`: removes elements for good, with all names that ever led to them.

use super::commands::{Command, missing};
use super::options::{Arguments, flag};
use super::removal::{self, Manner};
use super::session::{CommandError, CommandResult, Session};
use crate::server::proto::{Removal, RemoveRequest, RemoveWhat};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rme/lem",
    aliases: &[],
    usage: "[-force]\u{1}\n       pname ...",
    options: &[flag("f/orce")],
    comments: true,
    run,
};

const CAUTION: &str = "\
CAUTION! This will destroy the element, all its branches and versions,
including all data, meta-data and history, and will remove the element
from all directory versions that now contain it.  Once you destroy the
element, there will be no way to restore it to its current state.
If you want to preserve the element, but remove references to it from
future directory versions, use the \"rmname\" command.
";

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    let manner = Manner {
        command: "rmelem",
        verb: "remove element",
        ask: &ask,
        success: &|typed| [b"Removed element \"", typed, b"\""].concat(),
    };
    let request = RemoveRequest { what: RemoveWhat::Elements.into(), ..RemoveRequest::default() };
    removal::run(session, arguments, &manner, &request)
}

fn ask(session: &mut Session, typed: &[u8], removal: &Removal) -> Result<bool, CommandError> {
    let Removal { branches, versions, directory_versions, .. } = removal;
    session.line(&[CAUTION.as_bytes()])?;
    let counts = format!("\" has {branches} branches, {versions} versions, and is entered");
    session.line(&[b"Element \"", typed, counts.as_bytes()])?;
    session.line(&[format!("in {directory_versions} directory versions.").as_bytes()])?;
    Ok(session.ask(b"Destroy element?", false)?)
}
