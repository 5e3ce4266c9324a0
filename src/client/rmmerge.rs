//! `rmmerge`: removes Merge arrows from one version to another.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::failure;
use super::options::Arguments;
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::targets;
use crate::server::proto::remove_hyperlink_outcome::Outcome as Removed;
use crate::server::proto::{Failure, FailureCode, MergeArrow, ObjectKind, RemoveHyperlinksRequest};
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmmerge",
    aliases: &[],
    usage: "\u{1} from-pname to-pname",
    options: &[],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let (from, to) = match &arguments.operands[..] {
        [] => return Err(missing("Version")),
        [_] => return Err(missing("Second version")),
        [from, to] => (from.as_bytes(), to.as_bytes()),
        [_, _, extra, ..] => {
            return Err(CommandError::Usage(format!("Extra arguments: \"{}\"", extra.to_string_lossy())));
        }
    };
    let source = comment::source("rmmerge", arguments, CommentSource::None)?;
    let mut comments = comment::texts(session, &source, Prompt::Other, &[to], &[])?;
    let mut ends = targets(session, &arguments.operands, true)?.into_iter();
    let request = RemoveHyperlinksRequest {
        context: Some(session.context()?),
        comment: comments.pop().unwrap_or_default(),
        arrows: vec![MergeArrow { from: ends.next(), to: ends.next() }],
        ..RemoveHyperlinksRequest::default()
    };
    let reply = session.call(async |mut host| host.remove_hyperlinks(request).await)?;
    let between = |before: &[u8]| [before, b"from \"", from, b"\" to \"", to, b"\"."].concat();
    match reply.outcomes.into_iter().next().and_then(|outcome| outcome.outcome) {
        Some(Removed::Done(_)) => {
            session.line(&[&between(b"Removed merge ")])?;
            Ok(Outcome::Done)
        }
        Some(Removed::Failure(failure)) => {
            let mut sentences = match is_missing(&failure) {
                true => vec![between(b"There is no Merge hyperlink ")],
                false => failure::sentences(&failure, from, None),
            };
            sentences.push(between(b"Unable to remove merge "));
            Err(CommandError::Refused(sentences))
        }
        None => Ok(Outcome::Failed),
    }
}

/// Tells whether a failure says that there is no such arrow.
fn is_missing(failure: &Failure) -> bool {
    failure.code() == FailureCode::TypeNotFound && failure.object_kind() == ObjectKind::Hyperlink
}
