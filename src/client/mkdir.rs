//! `mkdir`: makes directory elements.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource};
use super::mkelem::{Made, creations, report, uses_group_list};
use super::options::{Arguments, flag};
use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::{AfterMake, MakeDirectoryRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mkd/ir",
    aliases: &[],
    usage: "[-nco] [-master]\u{1}\n       dir-pname ...",
    options: &[flag("nco"), flag("mas/ter")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Directory pathname"));
    }
    let source = comment::source("mkdir", arguments, CommentSource::AskEach)?;
    let after = if arguments.has("nco") { AfterMake::Nothing } else { AfterMake::CheckOut };
    let pnames = session.pnames(&arguments.operands)?;
    let request = MakeDirectoryRequest {
        arguments: creations(session, &source, &pnames)?,
        context: Some(session.context()?),
        after: after.into(),
        use_group_list: uses_group_list(),
    };
    let reply = session.call(async |mut host| host.make_directory(request).await)?;
    report(session, &pnames, reply.outcomes, Made::Directory, true).map(Outcome::of)
}
