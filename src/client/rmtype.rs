//! `rmtype`: removes type objects, with `-rmall` all that is of them too.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::failure::kind_name;
use super::options::{Arguments, flag, with_oldest_kinds};
use super::session::{CommandResult, Outcome, Session};
use super::target::{any_type_selector, selector_object_kind, type_selectors, typed_operands};
use crate::server::proto::RemoveTypesRequest;
use crate::server::proto::type_outcome::Outcome as TypeOutcome;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmt/ype",
    aliases: &[],
    usage: "[-rmall [-force]] [-ignore]\u{1}\n       type-selector ...",
    options: with_oldest_kinds![flag("rma/ll"), flag("for/ce"), flag("ign/ore"),],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Type selector"));
    }
    let source = comment::source("rmtype", arguments, CommentSource::None)?;
    let operands = typed_operands(arguments)?;
    let (selectors, mut all_done) = type_selectors(session, &operands, any_type_selector)?;
    let names: Vec<&[u8]> = selectors.iter().map(|selector| selector.name.as_slice()).collect();
    let comments = comment::texts(session, &source, Prompt::Other, &names, &[])?;
    for (selector, comment) in selectors.iter().zip(comments) {
        let kind = kind_name(selector_object_kind(selector)).as_bytes();
        let name = &selector.name[..];
        let asks = arguments.has("rmall") && !arguments.has("force");
        let question = [b"Remove ", kind, b" \"", name, b"\" and all its instances?"].concat();
        if asks && !session.ask(&question, false)? {
            all_done = false;
            session.error(&[b"Unable to remove ", kind, b" \"", name, b"\"."].concat());
            continue;
        }
        let request = RemoveTypesRequest {
            context: Some(session.context()?),
            selectors: vec![selector.clone()],
            remove_all: arguments.has("rmall"),
            comment,
        };
        let reply = session.call(async |mut host| host.remove_types(request).await)?;
        let outcome = reply.outcomes.into_iter().next().unwrap_or_default();
        session.warnings(&outcome.notices);
        match outcome.outcome {
            Some(TypeOutcome::Done(_)) => session.line(&[b"Removed ", kind, b" \"", name, b"\"."])?,
            Some(TypeOutcome::Failure(failure)) => {
                all_done = false;
                let verb = format!("remove {}", kind_name(selector_object_kind(selector)));
                session.failure(&failure, name, Some(&verb));
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}
