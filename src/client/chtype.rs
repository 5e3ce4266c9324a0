//! `chtype`: gives elements and branches other types.

use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::lock::object_words;
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{self, any_type_selector, type_selector};
use crate::server::proto::{
    ChangeTypeRequest, Failure, FailureCode, ObjectArgument, ObjectOutcome, ObjectsReply, SelectorKind,
};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "chtype",
    aliases: &[],
    usage: "[-force]\u{1}\n       type-selector [-pname] {pname | object-selector} ...",
    options: &[flag("f/orce"), flag("pna/me")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let Some((typed_type, operands)) = arguments.operands.split_first() else {
        return Err(missing("Type"));
    };
    let operands = operands.strip_prefix(&["-pname".into()]).unwrap_or(operands);
    if operands.is_empty() {
        return Err(missing("Object name"));
    }
    // A bare name is of the kind that each object's type is.
    let selector = match any_type_selector(session, typed_type) {
        Ok(selector) => selector,
        Err(_) => {
            let mut selector = type_selector(session, typed_type, SelectorKind::ElementType)?;
            selector.kind = SelectorKind::Unspecified.into();
            selector
        }
    };
    let name = match selector.name.is_empty() {
        true => typed_type.as_bytes().to_vec(),
        false => selector.name.clone(),
    };
    let targets = target::targets(session, operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    let objects: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let source = comment::source("chtype", arguments, CommentSource::None)?;
    let comments = comment::texts(session, &source, Prompt::Other, &objects, &[])?;
    let with_comment = |(target, comment)| ObjectArgument { target: Some(target), comment };
    let mut request = ChangeTypeRequest {
        context: Some(session.context()?),
        r#type: Some(selector),
        arguments: targets.into_iter().zip(comments).map(with_comment).collect(),
        force: arguments.has("force"),
        only_tell: !arguments.has("force"),
    };
    let mut declined = vec![None; objects.len()];
    if request.only_tell {
        let told = call(session, request.clone())?;
        for ((outcome, typed), declined) in told.outcomes.into_iter().zip(&objects).zip(&mut declined) {
            let is_other =
                outcome.failure.as_ref().is_some_and(|failure| failure.code() == FailureCode::OtherManager);
            if is_other && !confirmed(session, typed)? {
                *declined = Some(outcome);
            }
        }
        (request.force, request.only_tell) = (true, false);
        let mut declined = declined.iter();
        request.arguments.retain(|_| declined.next().is_some_and(Option::is_none));
    }
    let mut outcomes = match request.arguments.is_empty() {
        true => Vec::new(),
        false => call(session, request)?.outcomes,
    }
    .into_iter();
    let mut all_done = true;
    for (typed, declined) in objects.into_iter().zip(declined) {
        let Some(outcome) = declined.or_else(|| outcomes.next()) else { continue };
        all_done &= report(session, typed, &name, &outcome)?;
    }
    Ok(Outcome::of(all_done))
}

fn call(session: &mut Session, request: ChangeTypeRequest) -> Result<ObjectsReply, CommandError> {
    session.call(async |mut host| host.change_type(request).await)
}

fn confirmed(session: &mut Session, typed: &[u8]) -> Result<bool, CommandError> {
    let question = [b"Change version manager and rearrange versions of \"", typed, b"\"?"].concat();
    Ok(session.ask(&question, false)?)
}

fn report(
    session: &mut Session,
    typed: &[u8],
    name: &[u8],
    outcome: &ObjectOutcome,
) -> Result<bool, CommandError> {
    use crate::server::proto::ObjectKind;
    let words = match outcome.kind() {
        ObjectKind::Branch => object_words(outcome, typed),
        _ => [b"element \"", super::pname::without_version(typed), b"\""].concat(),
    };
    match &outcome.failure {
        None => session.line(&[b"Changed type of ", &words, b" to \"", name, b"\"."])?,
        Some(failure) => {
            refuse(session, typed, &words, failure);
        }
    }
    Ok(outcome.failure.is_none())
}

fn refuse(session: &mut Session, typed: &[u8], words: &[u8], failure: &Failure) {
    session.failure(failure, typed, None);
    session.error(&[b"Unable to change type of ", words, b"."].concat());
}
