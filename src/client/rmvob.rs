//! `rmvob`: removes VOBs with everything in them.

use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, missing};
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::RemoveVobRequest;
use crate::server::proto::remove_vob_request::Which;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmv/ob",
    aliases: &[],
    usage: "[-force] {vob-storage-pname | -tag vob-tag} ...",
    options: &[flag("f/orce"), flag("tag")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("VOB storage pathname"));
    }
    let force = arguments.has("force");
    let mut all_done = true;
    for operand in &arguments.operands {
        let name = operand.as_bytes();
        let which = match arguments.has("tag") {
            true => Which::Tag(name.to_vec()),
            false => Which::Storage(session.pname(operand)?.absolute),
        };
        let request = RemoveVobRequest {
            context: Some(session.context()?),
            which: Some(which),
            force,
            only_tell: false,
        };
        let can_be = match force {
            true => Ok(()),
            false => {
                let request = RemoveVobRequest { only_tell: true, ..request.clone() };
                session.call_about(name, async |mut host| host.remove_vob(request).await).map(drop)
            }
        };
        let question = [b"Remove versioned object base \"", name, b"\"?"].concat();
        if can_be.is_ok() && !force && !session.ask(&question, false)? {
            all_done = false;
            continue;
        }
        let removed = match can_be {
            Ok(()) => session.call_about(name, async |mut host| host.remove_vob(request).await).map(drop),
            refused => refused,
        };
        match removed {
            Ok(_) => session.line(&[b"Removed versioned object base \"", name, b"\"."])?,
            Err(CommandError::Refused(sentences)) => {
                all_done = false;
                sentences.iter().for_each(|sentence| session.error(sentence));
                session.error(&[b"Unable to remove versioned object base \"", name, b"\"."].concat());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::of(all_done))
}
