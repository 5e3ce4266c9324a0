//! `reserve` and `unreserve`: change whether checkouts reserve their branches.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::reserve_outcome::Outcome as ReserveOutcome;
use crate::server::proto::{CheckoutArgument, ReserveRequest};

/// The table entry of `reserve`.
pub const RESERVE: Command = Command {
    name: "res/erve",
    aliases: &[],
    usage: "[-cact]\u{1}\n       pname ...",
    options: &[flag("cact")],
    comments: true,
    run: |session, arguments| run(session, arguments, false),
};

/// The table entry of `unreserve`.
pub const UNRESERVE: Command = Command {
    name: "unres/erve",
    aliases: &[],
    usage: "[-view view-tag-or-storage] [-cact]\u{1}\n       pname ...",
    options: &[value("vie/w"), flag("cact")],
    comments: true,
    run: |session, arguments| run(session, arguments, true),
};

fn run(session: &mut Session, arguments: &Arguments, unreserve: bool) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    let command = if unreserve { "unreserve" } else { "reserve" };
    let source = comment::source(command, arguments, CommentSource::None)?;
    let pnames = session.pnames(&arguments.operands)?;
    let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
    let comments = comment::texts(session, &source, Prompt::Other, &objects, &[])?;
    let with_comment =
        |(pname, comment)| CheckoutArgument { pname: Some(pname), comment, ..CheckoutArgument::default() };
    let request = ReserveRequest {
        context: Some(session.context()?),
        arguments: pnames.iter().cloned().zip(comments).map(with_comment).collect(),
        unreserve,
        view: arguments.bytes("view"),
    };
    let reply = session.call(async |mut host| host.reserve(request).await)?;
    let mut all_done = true;
    for (typed, outcome) in objects.into_iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(ReserveOutcome::Done(done)) => {
                let state: &[u8] = if unreserve { b"unreserved" } else { b"reserved" };
                let branch = &done.branch[..];
                session.line(&[
                    b"Changed checkout to ",
                    state,
                    b" for \"",
                    typed,
                    b"\" branch \"",
                    branch,
                    b"\".",
                ])?;
            }
            Some(ReserveOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, typed, Some(command));
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}
