//! `protectvob`: changes who owns VOBs, and the groups that their elements may belong to.

use super::commands::{Command, missing};
use super::mkvob::ownership;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::vob_outcome::Outcome as VobOutcome;
use crate::server::proto::{ListVobsReply, ProtectVobRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "protectvob",
    aliases: &[],
    usage: "[-force] [-chown login-name] [-chgrp group-name]\n       \
            [-add_group group-name[,...]] [-delete_group group-name[,...]]\u{1}\n       \
            {vob-storage-pname | vob-tag} ...",
    options: &[flag("f/orce"), value("cho/wn"), value("chg/rp"), value("add/_group"), value("del/ete_group")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if !["chown", "chgrp", "add_group", "delete_group"].iter().any(|word| arguments.has(word)) {
        let options = "One of -chown, -chgrp, -add_group, -delete_group required";
        return Err(CommandError::Usage(options.to_owned()));
    }
    if arguments.operands.is_empty() {
        return Err(missing("VOB storage pathname"));
    }
    let list = |word: &str| {
        let text = arguments.text(word);
        text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all_done = true;
    for operand in &arguments.operands {
        let vob = session.pname(operand)?;
        let name = &vob.typed[..];
        let request = |session: &Session, only_tell: bool| -> Result<ProtectVobRequest, CommandError> {
            Ok(ProtectVobRequest {
                context: Some(session.context()?),
                vobs: vec![vob.absolute.clone()],
                owner: arguments.text("chown"),
                group: arguments.text("chgrp"),
                add_groups: list("add_group"),
                delete_groups: list("delete_group"),
                only_tell,
            })
        };
        // Who may not do it is not asked whether he wants to.
        let first = request(session, !arguments.has("force"))?;
        let mut reply = session.call(async |mut host| host.protect_vob(first).await)?;
        if !arguments.has("force") && is_done(&reply) {
            let question = [b"Protect versioned object base \"", name, b"\"?"].concat();
            if !session.ask(&question, false)? {
                all_done = false;
                continue;
            }
            let second = request(session, false)?;
            reply = session.call(async |mut host| host.protect_vob(second).await)?;
        }
        match reply.outcomes.into_iter().next().and_then(|outcome| outcome.outcome) {
            Some(VobOutcome::Done(facts)) => ownership(session, &facts)?,
            Some(VobOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, name, None);
                session.error(&[b"Unable to protect versioned object base \"", name, b"\"."].concat());
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}

fn is_done(reply: &ListVobsReply) -> bool {
    reply.outcomes.iter().all(|outcome| matches!(outcome.outcome, Some(VobOutcome::Done(_))))
}
