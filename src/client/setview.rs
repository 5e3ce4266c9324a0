//! `setview`: runs a shell or a command in which the VOB tags are a view's.
//!
//! Gathers what the daemon knows, then leaves the rest to `namespace`. A process with more than one thread gets no
//! user namespace (unshare(2)): nothing before it may leave a thread running.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::commands::{Command, missing};
use super::namespace::{self, Binding};
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::view_outcome::Outcome as ViewOutcome;
use crate::server::proto::vob_outcome::Outcome as VobOutcome;
use crate::server::proto::{ListVobsRequest, ViewTags};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "setview",
    aliases: &[],
    usage: "[-login] [-exec cmd-invocation] view-tag",
    options: &[flag("log/in"), value("exec")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let [tag] = arguments.operands.as_slice() else {
        return Err(missing("One view tag"));
    };
    let tag = tag.to_string_lossy().into_owned();
    let request = ViewTags { context: Some(session.context()?), tags: vec![tag.clone()] };
    let reply = session.call(async |mut host| host.start_view(request).await)?;
    let root = match reply.outcomes.into_iter().next().and_then(|outcome| outcome.outcome) {
        Some(ViewOutcome::Done(view)) => PathBuf::from(OsString::from_vec(view.root)),
        Some(ViewOutcome::Failure(failure)) => {
            session.failure(&failure, tag.as_bytes(), None);
            return Ok(Outcome::Failed);
        }
        None => return Err(CommandError::refused("The daemon answered nothing.")),
    };
    let request = ListVobsRequest { context: Some(session.context()?), tags: Vec::new() };
    let vobs = session.call(async |mut host| host.list_vobs(request).await)?;
    let bindings = vobs
        .outcomes
        .into_iter()
        .filter_map(|outcome| match outcome.outcome {
            Some(VobOutcome::Done(vob)) if vob.mounted => Some(vob.tag),
            _ => None,
        })
        .map(|tag| {
            let target = PathBuf::from(OsString::from_vec(tag));
            let below_root = target.strip_prefix("/").unwrap_or(&target);
            Binding { source: root.join(below_root), target }
        })
        .collect::<Vec<_>>();
    session.flush()?;
    // Only the failure comes back: otherwise this process is the shell now.
    let error = match namespace::enter(&bindings) {
        Ok(()) => {
            let error = namespace::execute(shell(arguments), &[("CLEARCASE_ROOT", root.as_os_str())]);
            format!("Unable to run the shell: {error}.")
        }
        Err(error) => format!("Unable to set view \"{tag}\": {error}."),
    };
    Err(CommandError::refused(error))
}

/// The program and its words: the user's shell, or `sh -c` for `-exec`.
fn shell(arguments: &Arguments) -> Vec<OsString> {
    let shell =
        std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    match (arguments.value("exec"), arguments.has("login")) {
        (Some(command), _) => {
            vec!["/bin/sh".into(), "-c".into(), OsStr::from_bytes(command.as_bytes()).into()]
        }
        (None, true) => vec![shell, "-l".into()],
        (None, false) => vec![shell],
    }
}
