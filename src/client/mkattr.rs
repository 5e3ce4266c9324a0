//! `mkattr` and `rmattr`: attach attributes to objects, and remove them.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::{below, without_version};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{targets, type_selector};
use crate::server::proto::attribute_item::Item;
use crate::server::proto::{AttributeDone, AttributeFailure, AttributeRequest, ObjectKind, SelectorKind};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// The table entry of `mkattr`.
pub const MAKE: Command = Command {
    name: "mkattr",
    aliases: &[],
    usage: "[-replace] [-recurse] [-version version-selector] [-pname]\u{1}\n       \
            {attribute-type-selector value | -default attribute-type-selector} object-selector ...",
    options: &[
        flag("rep/lace"),
        flag("rec/urse"),
        value("ver/sion"),
        flag("pna/me"),
        flag("def/ault"),
        value("con/fig"),
        value("sel/ect"),
        flag("ci"),
        value("typ/e"),
        value("nam/e"),
    ],
    comments: true,
    run: make,
};

/// The table entry of `rmattr`.
pub const REMOVE: Command = Command {
    name: "rmattr",
    aliases: &[],
    usage: "[-recurse] [-version version-selector] [-pname]\u{1}\n       \
            attribute-type-selector object-selector ...",
    options: &[flag("rec/urse"), value("ver/sion"), flag("pna/me")],
    comments: true,
    run: remove,
};

fn make(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if let Some(word) = ["config", "select", "ci", "type", "name"].iter().find(|word| arguments.has(word)) {
        return Err(CommandError::refused(format!(
            "Option -{word} is not supported yet: there are no derived objects."
        )));
    }
    let Some((attribute, rest)) = arguments.operands.split_first() else {
        return Err(missing("Attribute type"));
    };
    if arguments.has("default") {
        return run(session, arguments, attribute, None, rest);
    }
    let Some((value, rest)) = rest.split_first() else {
        return Err(missing("Attribute value, or -default,"));
    };
    run(session, arguments, attribute, Some(value), rest)
}

fn remove(session: &mut Session, arguments: &Arguments) -> CommandResult {
    match arguments.operands.split_first() {
        Some((attribute, rest)) => run(session, arguments, attribute, None, rest),
        None => Err(missing("Attribute type")),
    }
}

fn run(
    session: &mut Session,
    arguments: &Arguments,
    attribute: &OsString,
    value: Option<&OsString>,
    operands: &[OsString],
) -> CommandResult {
    if operands.is_empty() {
        return Err(missing("Object name"));
    }
    let remove = value.is_none() && !arguments.has("default");
    let command = if remove { "rmattr" } else { "mkattr" };
    // One change, one comment.
    let source = match comment::source(command, arguments, CommentSource::None)? {
        CommentSource::AskEach => CommentSource::AskOnce,
        other => other,
    };
    let attribute = type_selector(session, attribute, SelectorKind::AttributeType)?;
    let name = attribute.name.clone();
    let mut comments = comment::texts(session, &source, Prompt::Other, &[&name], &[])?;
    let request = AttributeRequest {
        context: Some(session.context()?),
        attribute: Some(attribute),
        targets: targets(session, operands, arguments.has("pname"))?,
        remove,
        replace: arguments.has("replace"),
        recurse: arguments.has("recurse"),
        version: arguments.bytes("version"),
        comment: comments.pop().unwrap_or_default(),
        value: value.map(|value| value.as_bytes().to_vec()),
        time_s: value.and_then(|value| session.dates.moment(value.to_str()?)),
    };
    let typed = |argument: u32| operands.get(argument as usize).map(|operand| operand.as_bytes());
    let mut stream = session.call(async |mut host| host.attribute(request).await)?;
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Done(done)) => {
                report(session, &name, typed(done.argument).unwrap_or_default(), &done, remove)?;
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                refuse(session, &name, typed(failed.argument).unwrap_or_default(), &failed, remove);
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_done))
}

fn report(
    session: &mut Session,
    name: &[u8],
    typed: &[u8],
    done: &AttributeDone,
    remove: bool,
) -> Result<(), CommandError> {
    if !done.moved_from.is_empty() {
        let element = element(typed, &done.path);
        session.line(&[
            b"Moved attribute \"",
            name,
            b"\" on \"",
            &element,
            b"\" from version \"",
            &done.moved_from,
            b"\" to \"",
            &done.extension,
            b"\".",
        ])?;
        return Ok(());
    }
    let object = object(typed, &done.path, done.object(), &done.extension);
    let (before, between): (&[u8], &[u8]) = match remove {
        true => (b"Removed attribute \"", b"\" from \""),
        false => (b"Created attribute \"", b"\" on \""),
    };
    session.line(&[before, name, between, &object, b"\"."])?;
    Ok(())
}

fn refuse(session: &mut Session, name: &[u8], typed: &[u8], failed: &AttributeFailure, remove: bool) {
    let object = object(typed, &failed.path, failed.object(), &failed.extension);
    let failure = failed.failure.clone().unwrap_or_default();
    session.failure(&failure, &object, None);
    let (before, between): (&[u8], &[u8]) = match remove {
        true => (b"Unable to remove attribute \"", b"\" from \""),
        false => (b"Unable to create attribute \"", b"\" on \""),
    };
    session.error(&[before, name, between, &object, b"\"."].concat());
}

fn element(typed: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() { without_version(typed).to_vec() } else { below(typed, path) }
}

/// What messages call an object: a version, branch or element by its extended name, others as they were typed.
fn object(typed: &[u8], path: &[u8], kind: ObjectKind, extension: &[u8]) -> Vec<u8> {
    match kind {
        ObjectKind::Version
        | ObjectKind::DirectoryVersion
        | ObjectKind::FileElement
        | ObjectKind::DirectoryElement
        | ObjectKind::Branch => {
            // An element that an identity named has no other name here.
            let name = if typed.starts_with(b"oid:") { typed.to_vec() } else { element(typed, path) };
            [&name, b"@@".as_slice(), extension].concat()
        }
        _ if path.is_empty() => typed.to_vec(),
        _ => below(typed, path),
    }
}
