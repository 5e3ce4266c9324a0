//! `checkin`: makes permanent versions of checked-out elements.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::{beside, without_version};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::checkin_outcome::Outcome as CheckinOutcome;
use crate::server::proto::inspect_outcome::Outcome as InspectOutcome;
use crate::server::proto::{
    CheckedIn, CheckinArgument, CheckinRequest, InspectRequest, Inspection, Pname, PrivateCopy,
};
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "checkin",
    aliases: &["ci"],
    usage: "[-nwarn] [-from source-pname] [-keep | -rm] [-ptime] [-identical]\n       \
            [-atomic | -nonatomic]\u{1}\n       pname ...",
    options: &[
        flag("nwa/rn"),
        value("fr/om"),
        flag("k/eep"),
        flag("rm"),
        flag("pti/me"),
        flag("ide/ntical"),
        flag("ato/mic"),
        flag("nona/tomic"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    exclusive(arguments, &["keep", "rm"])?;
    exclusive(arguments, &["atomic", "nonatomic"])?;
    if arguments.has("from") && arguments.operands.len() > 1 {
        return Err(CommandError::Usage("Option -from takes one element".to_owned()));
    }
    // In a set view, what an absolute name means is the daemon's to say.
    let is_set = !session.context()?.view_tag.is_empty();
    if let Some(from) = arguments.value("from")
        && !(is_set && from.as_bytes().starts_with(b"/"))
        && let Err(error) = std::fs::metadata(from)
    {
        // Said before anything is asked.
        let typed = from.as_bytes();
        let reason = [b"Unable to access \"", typed, b"\": ", system_text(&error).as_bytes(), b"."].concat();
        let name =
            |operand: &std::ffi::OsString| [b"Unable to check in \"", operand.as_bytes(), b"\"."].concat();
        return Err(CommandError::refused(reason).about_each(arguments.operands.iter().map(name)));
    }
    let source = comment::source("checkin", arguments, CommentSource::AskEach)?;
    let pnames = session.pnames(&arguments.operands)?;
    // Asked one by one, what need not be done together is done one by one, so that each answer shows at once.
    let one_by_one = source == CommentSource::AskEach && arguments.has("nonatomic");
    let batch = if one_by_one { 1 } else { pnames.len() };
    let mut all_done = true;
    for pnames in pnames.chunks(batch) {
        all_done &= checkin(session, arguments, &source, pnames)?;
    }
    Ok(Outcome::of(all_done))
}

/// What the questions need to know of each argument; nothing of those that are not checked out to the view.
fn checkouts(session: &mut Session, pnames: &[Pname]) -> Result<Vec<Option<Inspection>>, CommandError> {
    let request = InspectRequest { context: Some(session.context()?), pnames: pnames.to_vec() };
    let reply = session.call(async |mut host| host.inspect(request).await)?;
    let checkout = |outcome: crate::server::proto::InspectOutcome| match outcome.outcome {
        Some(InspectOutcome::Done(done)) => Some(done).filter(|done| done.checked_out),
        _ => None,
    };
    Ok(reply.outcomes.into_iter().map(checkout).collect())
}

/// What the user decides before anything is done.
struct Answers {
    /// `None` leaves a checkout's comment as it is.
    comments: Vec<Option<Vec<u8>>>,
    keep: bool,
}

/// Asks what the options leave open. Nothing is asked when an argument is not checked out and all of them are to be
/// checked in together: the daemon says then what is wrong.
fn ask(
    session: &mut Session,
    arguments: &Arguments,
    source: &CommentSource,
    pnames: &[Pname],
) -> Result<Answers, CommandError> {
    let names: Vec<&[u8]> = pnames.iter().map(|pname| without_version(&pname.typed)).collect();
    let asks_comments = matches!(source, CommentSource::AskEach | CommentSource::AskOnce);
    let asks_to_keep = arguments.has("from") && !arguments.has("keep") && !arguments.has("rm");
    let mut answers = Answers { comments: vec![None; pnames.len()], keep: arguments.has("keep") };
    if let CommentSource::Text(text) = source {
        answers.comments = vec![Some(text.clone()); pnames.len()];
    }
    if !asks_comments && !asks_to_keep {
        return Ok(answers);
    }
    let found = checkouts(session, pnames)?;
    let in_vain = match arguments.has("nonatomic") {
        true => found.iter().all(Option::is_none),
        false => found.iter().any(Option::is_none),
    };
    if in_vain {
        return Ok(answers);
    }
    if asks_comments {
        let comment = |found: &Option<Inspection>| {
            found.as_ref().map(|found| found.checkout_comment.clone()).unwrap_or_default()
        };
        let defaults: Vec<Vec<u8>> = found.iter().map(comment).collect();
        let comments = comment::texts(session, source, Prompt::Checkin, &names, &defaults)?;
        // One answer for all has no default to show; saying nothing leaves each comment as it is.
        let said = |text: &Vec<u8>| *source == CommentSource::AskEach || !text.is_empty();
        answers.comments = comments.into_iter().map(|text| Some(text).filter(said)).collect();
    }
    if let (true, [name], [Some(found)]) = (asks_to_keep, names.as_slice(), found.as_slice())
        && found.has_private_data
    {
        answers.keep = session.ask(&[b"Save private copy of \"", *name, b"\"?"].concat(), true)?;
    }
    Ok(answers)
}

fn checkin(
    session: &mut Session,
    arguments: &Arguments,
    source: &CommentSource,
    pnames: &[Pname],
) -> Result<bool, CommandError> {
    let Answers { comments, keep } = ask(session, arguments, source, pnames)?;
    let with_comment =
        |(pname, comment): (&Pname, _)| CheckinArgument { pname: Some(pname.clone()), comment };
    let request = CheckinRequest {
        context: Some(session.context()?),
        arguments: pnames.iter().zip(comments).map(with_comment).collect(),
        identical: arguments.has("identical"),
        private_copy: if keep { PrivateCopy::Keep } else { PrivateCopy::Remove }.into(),
        preserve_time: arguments.has("ptime"),
        atomic: !arguments.has("nonatomic"),
        from: arguments.value("from").map(|from| session.pname(from)).transpose()?,
    };
    let reply = session.call(async |mut host| host.checkin(request).await)?;
    let mut all_done = true;
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(CheckinOutcome::Done(done)) => {
                report(session, &pname.typed, &done, !arguments.has("nwarn"))?;
            }
            Some(CheckinOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, &pname.typed, Some("check in"));
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
