//! `mv`: gives elements and VOB symbolic links other names.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource};
use super::options::{Arguments, flag};
use super::rmname::{Words, in_batches, report};
use super::session::{CommandResult, Session};
use crate::server::proto::{MoveNamesRequest, Pname};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mv",
    aliases: &["move"],
    usage: "\u{1}\n       pname target-pname | pname ... target-dir-pname",
    options: &[flag("cact")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let [sources @ .., target] = arguments.operands.as_slice() else {
        return Err(missing("Pathname"));
    };
    if sources.is_empty() {
        return Err(missing("Destination pathname"));
    }
    let source = comment::source("mv", arguments, CommentSource::None)?;
    let (pnames, target) = (session.pnames(sources)?, session.pname(target)?);
    let words = Words { verb: "move", about_new_name: false, tells_new_name: true };
    in_batches(session, &source, &pnames, |session: &mut Session, pnames: &[Pname], comment| {
        let request = MoveNamesRequest {
            context: Some(session.context()?),
            sources: pnames.to_vec(),
            target: Some(target.clone()),
            comment,
        };
        let reply = session.call(async |mut host| host.move_names(request).await);
        report(session, (pnames, &target.typed), reply, &words, |session, old, new| {
            Ok(session.line(&[b"Moved \"", old, b"\" to \"", new, b"\"."])?)
        })
    })
}
