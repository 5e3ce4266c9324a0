//! `mount`: makes VOBs appear in views.

use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, missing};
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::MountRequest;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mount",
    aliases: &[],
    usage: "{-all | vob-tag ...}",
    options: &[flag("a/ll"), value("opt/ions")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let all = arguments.has("all");
    let tags: Vec<Vec<u8>> = arguments.operands.iter().map(|tag| tag.as_bytes().to_vec()).collect();
    match (all, tags.is_empty()) {
        (false, true) => return Err(missing("VOB tag")),
        (true, false) => {
            return Err(CommandError::Usage("VOB tags and -all are mutually exclusive".to_owned()));
        }
        _ => {}
    }
    let request = MountRequest { context: Some(session.context()?), tags, all };
    let reply = session.call(async |mut host| host.mount_vob(request).await)?;
    let mut all_done = true;
    for outcome in reply.outcomes {
        match outcome.failure {
            None => session.line(&[b"Mounting MVFS filesystem ", &outcome.tag, b"."])?,
            Some(failure) => {
                all_done = false;
                session.failure(&failure, &outcome.tag, None);
            }
        }
    }
    Ok(Outcome::of(all_done))
}
