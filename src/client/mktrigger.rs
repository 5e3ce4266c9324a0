//! `mktrigger` and `rmtrigger`: attach trigger types to elements, and take them off.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, OptionSpec, flag};
use super::pname::{below, without_version};
use super::session::{CommandResult, Outcome, Session};
use super::target::type_selector;
use crate::server::proto::{ChangeTriggersOutcome, ChangeTriggersRequest, SelectorKind};

/// Both commands' own options.
const OPTIONS: &[OptionSpec] = &[flag("rec/urse"), flag("nat/tach"), flag("nin/herit"), flag("f/orce")];

/// The table entry of `mktrigger`.
pub const MAKE: Command = Command {
    name: "mktri/gger",
    aliases: &[],
    usage: "[-recurse] [-nattach | -ninherit] [-force]\u{1}\n       trigger-type-selector pname ...",
    options: OPTIONS,
    comments: true,
    run: |session, arguments| run(session, arguments, false),
};

/// The table entry of `rmtrigger`.
pub const REMOVE: Command = Command {
    name: "rmtr/igger",
    aliases: &[],
    usage: "[-recurse] [-nattach | -ninherit]\u{1}\n       trigger-type-selector pname ...",
    options: OPTIONS,
    comments: true,
    run: |session, arguments| run(session, arguments, true),
};

fn run(session: &mut Session, arguments: &Arguments, remove: bool) -> CommandResult {
    exclusive(arguments, &["nattach", "ninherit"])?;
    let Some((trigger, operands)) = arguments.operands.split_first() else {
        return Err(missing("Trigger type name"));
    };
    if operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let command = if remove { "rmtrigger" } else { "mktrigger" };
    let source = match comment::source(command, arguments, CommentSource::None)? {
        // One change, one comment.
        CommentSource::AskEach => CommentSource::AskOnce,
        other => other,
    };
    let trigger = type_selector(session, trigger, SelectorKind::TriggerType)?;
    let name = trigger.name.clone();
    let mut comments = comment::texts(session, &source, Prompt::Other, &[&name], &[])?;
    let request = ChangeTriggersRequest {
        context: Some(session.context()?),
        trigger: Some(trigger),
        pnames: session.pnames(operands)?,
        recurse: arguments.has("recurse"),
        no_attach: arguments.has("nattach"),
        no_inherit: arguments.has("ninherit"),
        remove,
        comment: comments.pop().unwrap_or_default(),
    };
    let typed: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let reply = session.call(async |mut host| host.change_triggers(request).await)?;
    let mut all_done = true;
    for outcome in &reply.outcomes {
        let typed = typed.get(outcome.argument as usize).map(Vec::as_slice).unwrap_or_default();
        let pname = match outcome.path.is_empty() {
            true => without_version(typed).to_vec(),
            false => below(typed, &outcome.path),
        };
        match &outcome.failure {
            None => report(session, &name, &pname, outcome, remove)?,
            Some(failure) => {
                all_done = false;
                session.failure(failure, &pname, None);
                let before: &[u8] =
                    if remove { b"Unable to remove trigger \"" } else { b"Unable to add trigger \"" };
                let between: &[u8] = if remove { b"\" from \"" } else { b"\" to \"" };
                session.error(&[before, &name, between, &pname, b"\"."].concat());
            }
        }
    }
    Ok(Outcome::of(all_done || arguments.has("force")))
}

fn report(
    session: &mut Session,
    trigger: &[u8],
    pname: &[u8],
    outcome: &ChangeTriggersOutcome,
    remove: bool,
) -> std::io::Result<()> {
    let before: &[u8] = if remove { b"Removed trigger \"" } else { b"Added trigger \"" };
    let way: &[u8] = if remove { b"\" from " } else { b"\" to " };
    let mut line = |what: &[u8]| session.line(&[before, trigger, way, what, b" \"", pname, b"\"."]);
    if !outcome.directory {
        return line(b"element");
    }
    if outcome.attached {
        line(b"attached list of directory")?;
    }
    if outcome.inherited {
        line(b"inheritance list of directory")?;
    }
    Ok(())
}
