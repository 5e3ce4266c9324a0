//! `mklabel` and `rmlabel`: attach labels to versions, and remove them.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, OptionSpec, flag, value};
use super::pname::{below, without_version};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::type_selector;
use crate::server::proto::label_item::Item;
use crate::server::proto::{LabelDone, LabelFailure, LabelRequest, SelectorKind};

const MAKE_OPTIONS: &[OptionSpec] = &[
    flag("rep/lace"),
    flag("rec/urse"),
    flag("fol/low"),
    value("ver/sion"),
    value("con/fig"),
    value("sel/ect"),
    value("typ/e"),
    value("nam/e"),
];

/// The table entry of `mklabel`.
pub const MAKE: Command = Command {
    name: "mklabel",
    aliases: &["mkl"],
    usage: "[-replace] [-recurse] [-follow] [-version version-selector]\u{1}\n       \
            label-type-selector pname ...",
    options: MAKE_OPTIONS,
    comments: true,
    run: make,
};

/// The table entry of `rmlabel`.
pub const REMOVE: Command = Command {
    name: "rmlabel",
    aliases: &["rml"],
    usage: "[-recurse] [-follow] [-version version-selector]\u{1}\n       label-type-selector pname ...",
    options: &[flag("rec/urse"), flag("fol/low"), value("ver/sion")],
    comments: true,
    run: remove,
};

fn make(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if let Some(word) = ["config", "select", "type", "name"].iter().find(|word| arguments.has(word)) {
        return Err(CommandError::refused(format!("Option -{word} is not supported yet.")));
    }
    run(session, arguments, false)
}

fn remove(session: &mut Session, arguments: &Arguments) -> CommandResult {
    run(session, arguments, true)
}

fn run(session: &mut Session, arguments: &Arguments, remove: bool) -> CommandResult {
    let Some((label, operands)) = arguments.operands.split_first() else {
        return Err(missing("Label type"));
    };
    if operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let command = if remove { "rmlabel" } else { "mklabel" };
    let source = comment::source(command, arguments, CommentSource::None)?;
    let label = type_selector(session, label, SelectorKind::LabelType)?;
    let name = label.name.clone();
    // One change, one comment.
    let source = match source {
        CommentSource::AskEach => CommentSource::AskOnce,
        other => other,
    };
    let mut comments = comment::texts(session, &source, Prompt::Other, &[&name], &[])?;
    let request = LabelRequest {
        context: Some(session.context()?),
        label: Some(label),
        pnames: session.pnames(operands)?,
        remove,
        replace: arguments.has("replace"),
        recurse: arguments.has("recurse"),
        follow: arguments.has("follow"),
        version: arguments.bytes("version"),
        comment: comments.pop().unwrap_or_default(),
    };
    let typed: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let typed = |argument: u32| typed.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let mut stream = session.call(async |mut host| host.label(request).await)?;
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Done(done)) => report(session, &name, typed(done.argument), &done, remove)?,
            Some(Item::Failure(failed)) => {
                all_done = false;
                refuse(session, &name, typed(failed.argument), &failed, remove);
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_done))
}

fn report(
    session: &mut Session,
    label: &[u8],
    typed: &[u8],
    done: &LabelDone,
    remove: bool,
) -> Result<(), CommandError> {
    let pname = object(typed, &done.path);
    let version = &done.version[..];
    match (remove, done.moved_from.is_empty()) {
        (true, _) => {
            let line: [&[u8]; 7] =
                [b"Removed label \"", label, b"\" from \"", &pname, b"\" version \"", version, b"\"."];
            session.line(&line)?
        }
        (false, true) => {
            let line: [&[u8]; 7] =
                [b"Created label \"", label, b"\" on \"", &pname, b"\" version \"", version, b"\"."];
            session.line(&line)?
        }
        (false, false) => session.line(&[
            b"Moved label \"",
            label,
            b"\" on \"",
            &pname,
            b"\" from version \"",
            &done.moved_from,
            b"\" to \"",
            version,
            b"\".",
        ])?,
    }
    Ok(())
}

fn refuse(session: &mut Session, label: &[u8], typed: &[u8], failed: &LabelFailure, remove: bool) {
    let pname = object(typed, &failed.path);
    let failure = failed.failure.clone().unwrap_or_default();
    session.failure(&failure, &pname, None);
    let summary = match (failed.recursed, remove) {
        (true, false) => [b"Trouble applying label to \"", &pname[..], b"\"."].concat(),
        (true, true) => [b"Trouble removing label from \"", &pname[..], b"\"."].concat(),
        (false, _) => {
            let (verb, preposition) = if remove { ("remove", "from") } else { ("create", "on") };
            let version: &[u8] = match failed.version.is_empty() {
                true => b"",
                false => &[b" version \"", &failed.version[..], b"\""].concat(),
            };
            let (verb, preposition) = (verb.as_bytes(), preposition.as_bytes());
            let before: [&[u8]; 7] = [b"Unable to ", verb, b" label \"", label, b"\" ", preposition, b" \""];
            [&before.concat()[..], &pname, b"\"", version, b"."].concat()
        }
    };
    session.error(&summary);
}

fn object(typed: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() { without_version(typed).to_vec() } else { below(typed, path) }
}
