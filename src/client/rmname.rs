//! `rmname`: takes names out of directories; the elements stay in older versions.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::name_outcome::Outcome as NameOutcome;
use crate::server::proto::{NameChanged, NamesReply, Pname, RemoveNamesRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmn/ame",
    aliases: &["rm"],
    usage: "[-nco] [-force]\u{1}\n       pname ...",
    options: &[flag("nco"), flag("f/orce"), flag("cact")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let source = comment::source("rmname", arguments, CommentSource::None)?;
    let pnames = session.pnames(&arguments.operands)?;
    let remove = |session: &mut Session, pnames: &[Pname], comment| {
        let request = RemoveNamesRequest {
            context: Some(session.context()?),
            pnames: pnames.to_vec(),
            comment,
            in_place: arguments.has("nco"),
            force: arguments.has("force"),
        };
        let reply = session.call(async |mut host| host.remove_names(request).await);
        report(session, (pnames, b""), reply, &Words::REMOVE, |session, typed, _| {
            Ok(session.line(&[b"Removed \"", typed, b"\"."])?)
        })
    };
    in_batches(session, &source, &pnames, remove)
}

/// Gives the objects of a command to `act` with their comments: all at once where they share
/// one, and each alone where each has a comment of its own.
///
/// # Errors
/// Whatever `act` fails with; standard input or output is gone.
pub fn in_batches(
    session: &mut Session,
    source: &CommentSource,
    pnames: &[Pname],
    mut act: impl FnMut(&mut Session, &[Pname], Vec<u8>) -> Result<bool, CommandError>,
) -> CommandResult {
    let batch = if *source == CommentSource::AskEach { 1 } else { pnames.len() };
    let mut all_done = true;
    for pnames in pnames.chunks(batch) {
        let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
        // They share one comment, or there is one object.
        let asked = comment::texts(session, source, Prompt::Other, &objects, &[])?;
        all_done &= act(session, pnames, asked.into_iter().next().unwrap_or_default())?;
    }
    Ok(Outcome::of(all_done))
}

/// How a command's last line of complaint is made.
pub struct Words {
    /// `Unable to <verb> "<name>".`
    pub verb: &'static str,
    /// Whether the new name is what could not be made, and not the source.
    pub about_new_name: bool,
    /// Whether ` to "<new name>"` follows.
    pub tells_new_name: bool,
}

impl Words {
    const REMOVE: Words = Words { verb: "remove", about_new_name: false, tells_new_name: false };

    /// Which of the two names a complaint is about.
    fn about<'a>(&self, typed: &'a [u8], new_name: &'a [u8]) -> &'a [u8] {
        if self.about_new_name { new_name } else { typed }
    }

    fn summary(&self, typed: &[u8], new_name: &[u8]) -> Vec<u8> {
        let to: [&[u8]; 3] = if self.tells_new_name { [b" to \"", new_name, b"\""] } else { [b"", b"", b""] };
        let about = self.about(typed, new_name);
        [b"Unable to ", self.verb.as_bytes(), b" \"", about, b"\"", &to.concat(), b"."].concat()
    }
}

/// Prints what became of names: notices, then `success` with the source and the new name as they would be typed.
/// Where the call was refused as a whole, `target` is what is told of as the new name. Tells whether all were changed.
///
/// # Errors
/// Standard output is closed.
pub fn report(
    session: &mut Session,
    (pnames, target): (&[Pname], &[u8]),
    reply: Result<NamesReply, CommandError>,
    words: &Words,
    success: impl Fn(&mut Session, &[u8], &[u8]) -> Result<(), CommandError>,
) -> Result<bool, CommandError> {
    let mut all_done = true;
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => {
            let summary = |pname: &Pname| words.summary(&pname.typed, target);
            return Err(error.about_each(pnames.iter().map(summary)));
        }
    };
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        let new_name = outcome.new_name;
        match outcome.outcome {
            Some(NameOutcome::Done(NameChanged { notices })) => {
                session.warnings(&notices);
                success(session, &pname.typed, &new_name)?;
            }
            Some(NameOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, words.about(&pname.typed, &new_name), None);
                session.error(&words.summary(&pname.typed, &new_name));
            }
            None => all_done = false,
        }
    }
    Ok(all_done)
}
