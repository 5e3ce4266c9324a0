//! `chevent`: changes comments of what was made, and of checkouts.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::layout;
use super::lock::object_words;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use crate::server::proto::{ChangeCommentRequest, CommentChange, ObjectArgument, ObjectsReply};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "chev/ent",
    aliases: &[],
    usage: "[-append | -insert | -replace] [-event event-id]\u{1}\n       \
            [-pname] {pname | object-selector} ...",
    options: &[flag("app/end"), flag("ins/ert"), flag("rep/lace"), value("eve/nt"), flag("pna/me")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Object name"));
    }
    exclusive(arguments, &["append", "insert", "replace"])?;
    let change = match (arguments.has("insert"), arguments.has("replace")) {
        (true, _) => CommentChange::Insert,
        (_, true) => CommentChange::Replace,
        _ => CommentChange::Append,
    };
    let event = match arguments.value("event") {
        None => None,
        Some(id) => {
            let id = id.to_string_lossy();
            let bad = || CommandError::Usage(format!("Invalid event id: \"{id}\""));
            Some(id.parse().map_err(|_| bad())?)
        }
    };
    let source = comment::source("chevent", arguments, CommentSource::AskEach)?;
    let targets = target::targets(session, &arguments.operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    let objects: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let mut request = ChangeCommentRequest {
        context: Some(session.context()?),
        arguments: targets
            .into_iter()
            .map(|target| ObjectArgument { target: Some(target), comment: Vec::new() })
            .collect(),
        change: change.into(),
        event,
        only_tell: true,
    };
    let comments = match source {
        CommentSource::AskEach => {
            let told = call(session, request.clone())?;
            let mut comments = Vec::new();
            for (typed, outcome) in objects.iter().zip(told.outcomes) {
                // What cannot be changed is not asked about.
                comments.extend(match outcome.failure {
                    Some(_) => vec![Vec::new()],
                    None => {
                        for line in layout::comment(&outcome.comment) {
                            session.line(&[&line])?;
                        }
                        comment::texts(session, &source, Prompt::Other, &[*typed], &[])?
                    }
                });
            }
            comments
        }
        _ => comment::texts(session, &source, Prompt::Other, &objects, &[])?,
    };
    request.only_tell = false;
    for (argument, comment) in request.arguments.iter_mut().zip(comments) {
        argument.comment = comment;
    }
    let reply = call(session, request)?;
    let mut all_done = true;
    for (typed, outcome) in objects.into_iter().zip(reply.outcomes) {
        let object = object_words(&outcome, typed);
        match outcome.failure {
            None => session.line(&[b"Modified event of ", &object, b"."])?,
            Some(failure) => {
                all_done = false;
                session.failure(&failure, typed, None);
                session.error(&[b"Unable to modify event of ", &object[..], b"."].concat());
            }
        }
    }
    Ok(Outcome::of(all_done))
}

fn call(session: &mut Session, request: ChangeCommentRequest) -> Result<ObjectsReply, CommandError> {
    session.call(async |mut host| host.change_comment(request).await)
}
