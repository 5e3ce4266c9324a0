//! `uncheckout`: gives checkouts up, and asks what to do with their data.

use super::checkin::saved_copy;
use super::commands::{Command, exclusive, missing};
use super::options::{Arguments, flag};
use super::pname::without_version;
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::inspect_outcome::Outcome as InspectOutcome;
use crate::server::proto::uncheckout_outcome::Outcome as UncheckoutOutcome;
use crate::server::proto::{
    InspectRequest, Notice, NoticeCode, Pname, PrivateCopy, UncheckedOut, UncheckoutArgument,
    UncheckoutRequest,
};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "uncheckout",
    aliases: &["unco"],
    usage: "[-keep | -rm] pname ...",
    options: &[flag("k/eep"), flag("rm"), flag("cact"), flag("cwo/rk")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    exclusive(arguments, &["keep", "rm"])?;
    let pnames = session.pnames(&arguments.operands)?;
    let keep = match !arguments.has("keep") && !arguments.has("rm") {
        true => ask_to_keep(session, &pnames)?,
        false => vec![arguments.has("keep"); pnames.len()],
    };
    uncheckout(session, &pnames, &keep).map(Outcome::of)
}

/// Asks for each private copy whether it is to be kept, before anything is done.
fn ask_to_keep(session: &mut Session, pnames: &[Pname]) -> Result<Vec<bool>, CommandError> {
    let request = InspectRequest { context: Some(session.context()?), pnames: pnames.to_vec() };
    let reply = session.call(async |mut host| host.inspect(request).await)?;
    let mut keep = Vec::with_capacity(pnames.len());
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        keep.push(match outcome.outcome {
            Some(InspectOutcome::Done(found)) if found.checked_out && found.has_private_data => {
                let name = without_version(&pname.typed);
                session.ask(&[b"Save private copy of \"", name, b"\"?"].concat(), true)?
            }
            // The uncheckout itself says what is wrong.
            _ => false,
        });
    }
    Ok(keep)
}

fn uncheckout(session: &mut Session, pnames: &[Pname], keep: &[bool]) -> Result<bool, CommandError> {
    let argument = |(pname, keep): (&Pname, &bool)| UncheckoutArgument {
        pname: Some(pname.clone()),
        private_copy: if *keep { PrivateCopy::Keep } else { PrivateCopy::Remove }.into(),
    };
    let request = UncheckoutRequest {
        context: Some(session.context()?),
        arguments: pnames.iter().zip(keep).map(argument).collect(),
        only_tell: true,
    };
    let told = tell_orphans(session, &request)?;
    let request = UncheckoutRequest { only_tell: false, ..request };
    let reply = session.call(async |mut host| host.uncheckout(request).await)?;
    let mut all_done = true;
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(UncheckoutOutcome::Done(done)) => report(session, &pname.typed, done, &told)?,
            Some(UncheckoutOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, &pname.typed, Some("cancel checkout for"));
            }
            None => all_done = false,
        }
    }
    Ok(all_done)
}

/// Says what will lose its last name, before anything is cancelled. Returns what was said.
fn tell_orphans(session: &mut Session, request: &UncheckoutRequest) -> Result<Vec<Notice>, CommandError> {
    let request = request.clone();
    let reply = session.call(async |mut host| host.uncheckout(request).await)?;
    let mut told = Vec::new();
    for outcome in reply.outcomes {
        // What is refused is told when it is tried.
        if let Some(UncheckoutOutcome::Done(UncheckedOut { notices, .. })) = outcome.outcome {
            session.warnings(&notices);
            told.extend(notices);
        }
    }
    Ok(told)
}

/// What was lost since it was told is told before the success line, an empty branch after it.
fn report(
    session: &mut Session,
    typed: &[u8],
    done: UncheckedOut,
    told: &[Notice],
) -> Result<(), CommandError> {
    let name = without_version(typed);
    let is_after = |notice: &Notice| notice.code() == NoticeCode::OnlyVersionZero;
    let (after, mut before): (Vec<Notice>, Vec<Notice>) = done.notices.into_iter().partition(is_after);
    before.retain(|notice| !told.iter().any(|told| told.oid == notice.oid));
    session.warnings(&before);
    if !done.keep_name.is_empty() {
        saved_copy(session, name, &done.keep_name)?;
    }
    session.line(&[b"Checkout cancelled for \"", name, b"\"."])?;
    session.warnings(&after);
    Ok(())
}
