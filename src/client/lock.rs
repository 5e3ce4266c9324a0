//! `lock` and `unlock`: keep objects from being changed, and let them be changed again.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::failure::kind_name;
use super::options::{Arguments, flag, value, with_oldest_kinds};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use crate::server::proto::{LockRequest, ObjectArgument, ObjectKind, ObjectOutcome};

/// The table entry of `lock`.
pub const LOCK: Command = Command {
    name: "lock",
    aliases: &[],
    usage: "[-replace] [-nusers login-name[,...] | -obsolete]\u{1}\n       [-pname] {pname | object-selector} ...",
    options: with_oldest_kinds![flag("rep/lace"), value("nus/ers"), flag("obs/olete"), flag("pna/me"),],
    comments: true,
    run: |session, arguments| run(session, arguments, false),
};

/// The table entry of `unlock`.
pub const UNLOCK: Command = Command {
    name: "unl/ock",
    aliases: &[],
    usage: "\u{1}[-pname] {pname | object-selector} ...",
    options: with_oldest_kinds![flag("pna/me"),],
    comments: true,
    run: |session, arguments| run(session, arguments, true),
};

fn run(session: &mut Session, arguments: &Arguments, unlock: bool) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Object name"));
    }
    exclusive(arguments, &["nusers", "obsolete"])?;
    no_pools(arguments)?;
    let source = comment::source(if unlock { "unlock" } else { "lock" }, arguments, CommentSource::None)?;
    let operands = target::typed_operands(arguments)?;
    let targets = target::targets(session, &operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    let objects: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let comments = comment::texts(session, &source, Prompt::Other, &objects, &[])?;
    let exempt = arguments.text("nusers");
    let exempt = exempt.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if arguments.has("nusers") && Vec::is_empty(&exempt) {
        return Err(missing("Login name"));
    }
    let with_comment = |(target, comment)| ObjectArgument { target: Some(target), comment };
    let request = LockRequest {
        context: Some(session.context()?),
        arguments: targets.into_iter().zip(comments).map(with_comment).collect(),
        unlock,
        replace: arguments.has("replace"),
        exempt,
        obsolete: arguments.has("obsolete"),
    };
    let reply = session.call(async |mut host| host.lock_objects(request).await);
    let (done, verb): (&[u8], _) = if unlock { (b"Unlocked ", "unlock") } else { (b"Locked ", "lock") };
    let unable = |object: &[u8]| [b"Unable to ", verb.as_bytes(), b" ", object, b"."].concat();
    let nothing = ObjectOutcome::default();
    let reply = reply.map_err(|error| {
        error.about_each(objects.iter().map(|typed| unable(&object_words(&nothing, typed))))
    })?;
    let mut all_done = true;
    for (typed, outcome) in objects.into_iter().zip(reply.outcomes) {
        let object = object_words(&outcome, typed);
        match outcome.failure {
            None => session.line(&[done, &object, b"."])?,
            Some(failure) => {
                all_done = false;
                session.failure(&failure, typed, None);
                session.error(&unable(&object));
            }
        }
    }
    Ok(Outcome::of(all_done))
}

/// What an argument names, in words: `label type "REL1"`, `file element "foo.c"`, or the name alone.
pub fn object_words(outcome: &ObjectOutcome, typed: &[u8]) -> Vec<u8> {
    let name = match outcome.kind() {
        _ if !outcome.name.is_empty() => &outcome.name[..],
        ObjectKind::FileElement | ObjectKind::DirectoryElement => super::pname::without_version(typed),
        _ => typed,
    };
    match outcome.kind() {
        ObjectKind::Unspecified => [b"\"", name, b"\""].concat(),
        kind => [kind_name(kind).as_bytes(), b" \"", name, b"\""].concat(),
    }
}

/// Refuses names of objects that this program does not have: pools and replicas.
///
/// # Errors
/// The first of them.
pub fn no_pools(arguments: &Arguments) -> Result<(), CommandError> {
    use std::os::unix::ffi::OsStrExt;
    let is_pool = |operand: &&std::ffi::OsString| {
        let operand = operand.as_bytes();
        !arguments.has("pname") && (operand.starts_with(b"pool:") || operand.starts_with(b"replica:"))
    };
    match arguments.operands.iter().find(is_pool) {
        None => Ok(()),
        Some(operand) => Err(CommandError::refused(
            [b"Pools and replicas cannot be locked yet: \"", operand.as_bytes(), b"\"."].concat(),
        )),
    }
}
