//! `rmhlink`: removes hyperlinks.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::Arguments;
use super::session::{CommandResult, Outcome, Session};
use super::target::type_selector;
use crate::server::proto::remove_hyperlink_outcome::Outcome as Removed;
use crate::server::proto::{RemoveHyperlinksRequest, Selector, SelectorKind};
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmhlink",
    aliases: &[],
    usage: "\u{1}\n       hyperlink-selector ...",
    options: &[],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Hyperlink selector"));
    }
    // One change, one comment.
    let source = match comment::source("rmhlink", arguments, CommentSource::None)? {
        CommentSource::AskEach => CommentSource::AskOnce,
        other => other,
    };
    let typed: Vec<&[u8]> = arguments.operands.iter().map(|operand| operand.as_bytes()).collect();
    let mut comments = comment::texts(session, &source, Prompt::Other, &typed[..1], &[])?;
    let select = |operand: &std::ffi::OsString| type_selector(session, operand, SelectorKind::Hyperlink);
    let hyperlinks: Vec<Selector> = arguments.operands.iter().map(select).collect::<Result<_, _>>()?;
    let request = RemoveHyperlinksRequest {
        context: Some(session.context()?),
        hyperlinks,
        comment: comments.pop().unwrap_or_default(),
        ..RemoveHyperlinksRequest::default()
    };
    let reply = session.call(async |mut host| host.remove_hyperlinks(request).await)?;
    let mut all_done = true;
    for (outcome, typed) in reply.outcomes.into_iter().zip(typed) {
        match outcome.outcome {
            Some(Removed::Done(gone)) => {
                let number = gone.number.to_string();
                let id: [&[u8]; 5] = [&gone.r#type, b"@", number.as_bytes(), b"@", &gone.vob_tag];
                session.line(&[b"Removed hyperlink \"", &id.concat(), b"\"."])?;
            }
            Some(Removed::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, typed, Some("remove hyperlink"));
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}
