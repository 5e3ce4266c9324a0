//! `mkbranch`: makes branches, and checks out on them.

use super::checkout::report;
use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::without_version;
use super::session::{CommandResult, Outcome, Session};
use super::target::type_selector;
use crate::server::proto::make_branch_outcome::Outcome as BranchOutcome;
use crate::server::proto::{BranchFailure, CheckoutArgument, MakeBranchRequest, SelectorKind};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mkb/ranch",
    aliases: &[],
    usage: "[-nco] [-nwarn] [-version version-selector]\u{1}\n       branch-type-selector pname ...",
    options: &[flag("nco"), flag("nwa/rn"), value("ver/sion")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let Some((branch, operands)) = arguments.operands.split_first() else {
        return Err(missing("Branch type"));
    };
    if operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    let source = comment::source("mkbranch", arguments, CommentSource::AskEach)?;
    let branch_type = type_selector(session, branch, SelectorKind::BranchType)?;
    let pnames = session.pnames(operands)?;
    let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
    let comments = comment::texts(session, &source, Prompt::Creation, &objects, &[])?;
    let with_comment =
        |(pname, comment)| CheckoutArgument { pname: Some(pname), comment, ..CheckoutArgument::default() };
    let request = MakeBranchRequest {
        context: Some(session.context()?),
        branch_type: Some(branch_type.clone()),
        arguments: pnames.iter().cloned().zip(comments).map(with_comment).collect(),
        no_checkout: arguments.has("nco"),
        version: arguments.bytes("version"),
    };
    let reply = session.call(async |mut host| host.make_branch(request).await)?;
    let mut all_done = true;
    for (typed, outcome) in objects.into_iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(BranchOutcome::Done(done)) => {
                all_done &= report(session, typed, &done, !arguments.has("nwarn"))?;
            }
            Some(BranchOutcome::Failure(failure)) => {
                all_done = false;
                refuse(session, &branch_type.name, typed, &failure);
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}

fn refuse(session: &mut Session, branch: &[u8], typed: &[u8], failed: &BranchFailure) {
    let name = without_version(typed);
    session.failure(&failed.failure.clone().unwrap_or_default(), name, None);
    let version: &[u8] = match failed.version.is_empty() {
        true => b"",
        false => &[b" version \"", &failed.version[..], b"\""].concat(),
    };
    session
        .error(&[b"Unable to create branch \"", branch, b"\" from \"", name, b"\"", version, b"."].concat());
}
