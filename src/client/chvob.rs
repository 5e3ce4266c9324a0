//! `chvob`: changes settings of VOBs. The product has no command of this name.

use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, exclusive, missing};
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::ChangeVobRequest;
use crate::server::proto::vob_outcome::Outcome as VobOutcome;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "chvob",
    aliases: &[],
    usage: "-evil_twin_detection | -nevil_twin_detection\u{1}\n       vob-tag ...",
    options: &[flag("evi/l_twin_detection"), flag("nev/il_twin_detection")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["evil_twin_detection", "nevil_twin_detection"])?;
    let detection = match (arguments.has("evil_twin_detection"), arguments.has("nevil_twin_detection")) {
        (false, false) => return Err(CommandError::Usage("A setting to change required".to_owned())),
        (detection, _) => detection,
    };
    if arguments.operands.is_empty() {
        return Err(missing("VOB tag"));
    }
    let tags: Vec<Vec<u8>> = arguments.operands.iter().map(|tag| tag.as_bytes().to_vec()).collect();
    let request = ChangeVobRequest {
        context: Some(session.context()?),
        tags: tags.clone(),
        evil_twin_detection: Some(detection),
    };
    let reply = session.call(async |mut host| host.change_vob(request).await)?;
    let word: &[u8] = if detection { b"enabled" } else { b"disabled" };
    let mut all_done = true;
    for (tag, outcome) in tags.iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(VobOutcome::Done(_)) => {
                session.line(&[b"Evil twin detection ", word, b" for VOB \"", tag, b"\"."])?;
            }
            Some(VobOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, tag, Some("change VOB"));
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}
