//! `recoverview`: moves files that a view cannot show any more to the lost+found of its storage. Nothing is deleted.

use super::commands::{Command, exclusive, missing};
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::recover_view_request::What;
use crate::server::proto::{Nothing, RecoverItem, RecoverState, RecoverViewRequest};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "recoverview",
    aliases: &[],
    usage: "[-force] [-vob vob-identifier | -dir directory-identifier | -synchronize]\n       \
            {-tag view-tag | view-storage-pname}",
    options: &[flag("f/orce"), value("vob"), value("dir"), flag("syn/chronize"), value("tag")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["vob", "dir", "synchronize"])?;
    let tag = arguments.text("tag");
    let storage = match (tag.is_empty(), arguments.operands.as_slice()) {
        (false, []) => Vec::new(),
        (true, [storage]) => session.pname(storage)?.absolute,
        (true, []) => return Err(missing("View tag or storage pathname")),
        _ => return Err(CommandError::Usage("One view required".to_owned())),
    };
    let what = if let Some(vob) = arguments.value("vob").map(OsStr::as_bytes) {
        let path = vob.strip_prefix(b"vob:").unwrap_or(vob);
        Some(What::Vob(session.pname(OsStr::from_bytes(path))?))
    } else if arguments.value("dir").is_some() {
        Some(What::Directory(arguments.text("dir")))
    } else {
        arguments.has("synchronize").then_some(What::Synchronize(Nothing {}))
    };
    let asks = matches!(what, Some(What::Synchronize(_))) && !arguments.has("force");
    let rebuilds = what.is_none();
    let request =
        RecoverViewRequest { context: Some(session.context()?), tag, storage, what, only_tell: asks };
    let told = recover(session, request.clone())?;
    if asks {
        let moves = told.iter().any(|item| item.state() == RecoverState::NoCheckout);
        if !moves || !session.ask(b"Move checked-out data without a checkout to lost+found?", false)? {
            return Ok(Outcome::of(!moves));
        }
        recover(session, RecoverViewRequest { only_tell: false, ..request })?;
    } else if rebuilds {
        session.line(&[b"Recovery succeeded."])?;
    }
    Ok(Outcome::Done)
}

/// Makes the call and prints what it tells. The second call of a synchronization tells again only what it moved.
fn recover(session: &mut Session, request: RecoverViewRequest) -> Result<Vec<RecoverItem>, CommandError> {
    let name =
        if request.tag.is_empty() { request.storage.clone() } else { request.tag.clone().into_bytes() };
    let mut stream = session.call_about(&name, async |mut host| host.recover_view(request).await)?;
    let mut items = Vec::new();
    while let Some(item) = session.next(&mut stream)? {
        if let Some(line) = words(&item) {
            session.line(&[&line])?;
        }
        items.push(item);
    }
    Ok(items)
}

/// One line about a file, without its newline.
fn words(item: &RecoverItem) -> Option<Vec<u8>> {
    if !item.moved_to.is_empty() {
        let kind: &[u8] = if item.directory { b"directory" } else { b"file" };
        return Some([b"Moved ", kind, b" ", &item.moved_to].concat());
    }
    let state: &[u8] = match item.state() {
        RecoverState::NoCheckout => b"Checked-out data without a checkout: ",
        RecoverState::Unavailable => b"Checked-out data of a VOB that is not mounted: ",
        RecoverState::NoData => b"Checkout without data: ",
        RecoverState::Stranded => b"Stranded: ",
        RecoverState::Unspecified => return None,
    };
    Some([state, b"\"", &item.object, b"\""].concat())
}
