//! `checkin`: makes permanent versions of checked-out elements.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::{beside, without_version};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::checkin_outcome::Outcome as CheckinOutcome;
use crate::server::proto::inspect_outcome::Outcome as InspectOutcome;
use crate::server::proto::{CheckedIn, CheckinArgument, CheckinRequest, InspectRequest, Pname, PrivateCopy};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "checkin",
    aliases: &["ci"],
    usage: "[-nwarn] [-from source-pname] [-keep | -rm] [-ptime] [-identical] [-atomic]\u{1}\n       pname ...",
    options: &[
        flag("nwa/rn"),
        value("fr/om"),
        flag("k/eep"),
        flag("rm"),
        flag("pti/me"),
        flag("ide/ntical"),
        flag("ato/mic"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    exclusive(arguments, &["keep", "rm"])?;
    if arguments.has("from") && arguments.operands.len() > 1 {
        return Err(CommandError::Usage("Option -from takes one element".to_owned()));
    }
    let source = comment::source("checkin", arguments, CommentSource::AskEach)?;
    let pnames = session.pnames(&arguments.operands)?;
    let one_by_one = source == CommentSource::AskEach && !arguments.has("atomic");
    let batch = if one_by_one { 1 } else { pnames.len() };
    let mut all_done = true;
    for pnames in pnames.chunks(batch) {
        all_done &= checkin(session, arguments, &source, pnames)?;
    }
    Ok(Outcome::of(all_done))
}

/// The comments of checkouts, which are the defaults at the question; none for what is not checked out.
fn checkout_comments(session: &mut Session, pnames: &[Pname]) -> Result<Vec<Vec<u8>>, CommandError> {
    let request = InspectRequest { context: Some(session.context()?), pnames: pnames.to_vec() };
    let reply = session.call(async |mut host| host.inspect(request).await)?;
    let comment = |outcome: crate::server::proto::InspectOutcome| match outcome.outcome {
        Some(InspectOutcome::Done(done)) => done.checkout_comment,
        _ => Vec::new(),
    };
    Ok(reply.outcomes.into_iter().map(comment).collect())
}

fn checkin(
    session: &mut Session,
    arguments: &Arguments,
    source: &CommentSource,
    pnames: &[Pname],
) -> Result<bool, CommandError> {
    let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
    let defaults = match source {
        CommentSource::AskEach => checkout_comments(session, pnames)?,
        _ => Vec::new(),
    };
    let comments = comment::texts(session, source, Prompt::Checkin, &objects, &defaults)?;
    let keep = match (arguments.has("keep"), arguments.has("rm"), objects.as_slice()) {
        (true, _, _) => true,
        (false, false, [object]) if arguments.has("from") => {
            session.ask(&[b"Save private copy of \"", *object, b"\"?"].concat(), true)?
        }
        _ => false,
    };
    let keeps_comment = *source == CommentSource::None;
    let with_comment = |(pname, comment): (Pname, Vec<u8>)| CheckinArgument {
        pname: Some(pname),
        comment: (!keeps_comment).then_some(comment),
    };
    let request = CheckinRequest {
        context: Some(session.context()?),
        arguments: pnames.iter().cloned().zip(comments).map(with_comment).collect(),
        identical: arguments.has("identical"),
        private_copy: if keep { PrivateCopy::Keep } else { PrivateCopy::Remove }.into(),
        preserve_time: arguments.has("ptime"),
        atomic: arguments.has("atomic"),
        from: arguments.value("from").map(|from| session.pname(from)).transpose()?,
    };
    let reply = session.call(async |mut host| host.checkin(request).await)?;
    let mut all_done = true;
    for (typed, outcome) in objects.iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(CheckinOutcome::Done(done)) => report(session, typed, &done, !arguments.has("nwarn"))?,
            Some(CheckinOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, typed, Some("check in"));
            }
            None => all_done = false,
        }
    }
    Ok(all_done)
}

fn report(session: &mut Session, typed: &[u8], done: &CheckedIn, warn: bool) -> Result<(), CommandError> {
    let name = without_version(typed);
    if !done.keep_name.is_empty() {
        saved_copy(session, name, &done.keep_name)?;
    }
    if warn {
        session.warnings(&done.notices);
    }
    checked_in(session, name, &done.version)
}

/// Prints where a private copy was saved.
///
/// # Errors
/// Standard output is closed.
pub fn saved_copy(session: &mut Session, name: &[u8], leaf: &[u8]) -> Result<(), CommandError> {
    let saved = beside(name, leaf);
    Ok(session.line(&[b"Private version of \"", name, b"\" saved in \"", &saved, b"\"."])?)
}

/// Prints that an object was checked in.
///
/// # Errors
/// Standard output is closed.
pub fn checked_in(session: &mut Session, name: &[u8], version: &[u8]) -> Result<(), CommandError> {
    Ok(session.line(&[b"Checked in \"", name, b"\" version \"", version, b"\"."])?)
}
