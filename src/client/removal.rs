//! What rmelem, rmbranch and rmver share: they tell what would go, ask, and report what went.

use super::comment::{self, CommentSource};
use super::options::Arguments;
use super::rmname::in_batches;
use super::session::{CommandError, CommandResult, Session};
use crate::server::proto::remove_outcome::Outcome as RemoveOutcome;
use crate::server::proto::{Pname, Removal, RemoveReply, RemoveRequest};

/// Tells what goes with an argument, and asks whether it shall.
type Ask<'a> = dyn Fn(&mut Session, &[u8], &Removal) -> Result<bool, CommandError> + 'a;

/// How one of the commands speaks.
pub struct Manner<'a> {
    /// The command.
    pub command: &'static str,
    /// `Unable to <verb> "<name>".`
    pub verb: &'static str,
    /// Tells what goes with an argument, and asks whether it shall.
    pub ask: &'a Ask<'a>,
    /// The line of success of an argument, without its period.
    pub success: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

/// Asks about all arguments, unless `-force` was given, and removes those that shall go together.
///
/// # Errors
/// The call as a whole is refused; standard input or output is gone.
pub fn run(
    session: &mut Session,
    arguments: &Arguments,
    manner: &Manner<'_>,
    request: &RemoveRequest,
) -> CommandResult {
    let source = comment::source(manner.command, arguments, CommentSource::None)?;
    let pnames = session.pnames(&arguments.operands)?;
    let forced = arguments.has("force");
    let remove = |session: &mut Session, pnames: &[Pname], comment: Vec<u8>| {
        let mut all_done = true;
        let wanted = if forced { pnames.to_vec() } else { agreed(session, manner, request, pnames)? };
        all_done &= wanted.len() == pnames.len();
        if wanted.is_empty() {
            return Ok(all_done);
        }
        let reply = call(session, manner, request, &wanted, false, comment)?;
        for (pname, outcome) in wanted.iter().zip(reply.outcomes) {
            match outcome.outcome {
                Some(RemoveOutcome::Done(done)) => {
                    session.warnings(&done.notices);
                    let line = (manner.success)(&pname.typed);
                    session.line(&[&line, b"."])?;
                }
                Some(RemoveOutcome::Failure(failure)) => {
                    all_done = false;
                    session.failure(&failure, &pname.typed, Some(manner.verb));
                }
                None => all_done = false,
            }
        }
        Ok(all_done)
    };
    in_batches(session, &source, &pnames, remove)
}

/// The arguments that can be removed, and that the user wants to be. The others are told of.
fn agreed(
    session: &mut Session,
    manner: &Manner<'_>,
    request: &RemoveRequest,
    pnames: &[Pname],
) -> Result<Vec<Pname>, CommandError> {
    let reply = call(session, manner, request, pnames, true, Vec::new())?;
    let mut wanted = Vec::new();
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(RemoveOutcome::Done(removal)) => match (manner.ask)(session, &pname.typed, &removal)? {
                true => wanted.push(pname.clone()),
                false => {
                    let line = [b"Unable to ", manner.verb.as_bytes(), b" \"", &pname.typed, b"\"."];
                    session.error(&line.concat());
                }
            },
            Some(RemoveOutcome::Failure(failure)) => {
                session.failure(&failure, &pname.typed, Some(manner.verb));
            }
            None => {}
        }
    }
    Ok(wanted)
}

fn call(
    session: &mut Session,
    manner: &Manner<'_>,
    request: &RemoveRequest,
    pnames: &[Pname],
    only_tell: bool,
    comment: Vec<u8>,
) -> Result<RemoveReply, CommandError> {
    let context = Some(session.context()?);
    let request = RemoveRequest { context, pnames: pnames.to_vec(), only_tell, comment, ..request.clone() };
    let reply = session.call(async |mut host| host.remove(request).await);
    let summary =
        |pname: &Pname| [b"Unable to ", manner.verb.as_bytes(), b" \"", &pname.typed, b"\"."].concat();
    reply.map_err(|error| error.about_each(pnames.iter().map(summary)))
}
