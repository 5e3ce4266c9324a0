//! `file`: tells which element types files would get.

use std::ffi::OsStr;

use super::commands::{Command, missing};
use super::magic::Magic;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::type_outcome::Outcome as TypeOutcome;
use crate::server::proto::{Failure, FailureCode, ListTypesRequest, ObjectKind, Pname};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "file",
    aliases: &[],
    usage: "[-invob vob-pname] [-all]\u{1} pname ...",
    options: &[value("inv/ob"), flag("a/ll")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let magic = Magic::read(session)?;
    let mut all_done = true;
    for operand in &arguments.operands {
        let pname = session.pname(operand)?;
        let types = magic.types(operand);
        let found = match arguments.has("all") {
            true if !types.is_empty() => Ok(types.join(&b' ')),
            _ => choose(session, arguments.value("invob"), &pname, &types, &magic)?,
        };
        match found {
            Ok(found) => session.line(&[&pname.typed, b": ", &found])?,
            Err(failure) => {
                all_done = false;
                session.failure(&failure, &pname.typed, None);
            }
        }
    }
    Ok(Outcome::of(all_done))
}

/// Finds the first of the types that a VOB has: the VOB that is named, else the file's, else the working directory's.
fn choose(
    session: &mut Session,
    vob: Option<&OsStr>,
    pname: &Pname,
    types: &[Vec<u8>],
    magic: &Magic,
) -> Result<Result<Vec<u8>, Failure>, CommandError> {
    let here = session.pname(OsStr::new("."))?;
    let vobs = match vob {
        Some(vob) => vec![session.pname(vob)?],
        None => vec![pname.clone(), here],
    };
    let mut known = None;
    for vob in vobs {
        known = element_types(session, vob)?;
        if known.is_some() {
            break;
        }
    }
    let text = String::from_utf8_lossy(&magic.place).into_owned();
    let none = || Failure { text, ..Failure::new(FailureCode::NoElementType).name(types.join(&b' ')) };
    let known = known.ok_or_else(|| Failure::new(FailureCode::NotInAVob));
    Ok(known.and_then(|known| types.iter().find(|name| known.contains(name)).cloned().ok_or_else(none)))
}

/// Asks for the element types of the VOB that a path is in; none where it is in none.
fn element_types(session: &mut Session, vob: Pname) -> Result<Option<Vec<Vec<u8>>>, CommandError> {
    let request = ListTypesRequest {
        context: Some(session.context()?),
        kind: ObjectKind::ElementType.into(),
        vob: Some(vob),
        selectors: Vec::new(),
    };
    let reply = match session.call(async |mut host| host.list_types(request).await) {
        Ok(reply) => reply,
        Err(CommandError::Refused(_)) => return Ok(None),
        Err(other) => return Err(other),
    };
    let name = |outcome: crate::server::proto::TypeOutcome| match outcome.outcome {
        Some(TypeOutcome::Done(facts)) => Some(facts.name),
        _ => None,
    };
    Ok(Some(reply.outcomes.into_iter().filter_map(name).collect()))
}
