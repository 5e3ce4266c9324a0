//! `rmview`: removes a view with its storage and its checkouts.

use super::commands::{Command, exclusive, missing};
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::remove_view_request::Which;
use crate::server::proto::{NoticeCode, RemoveViewRequest};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmvie/w",
    aliases: &[],
    usage: "[-force] {-tag view-tag | -uuid view-uuid | view-storage-pname}",
    options: &[flag("f/orce"), value("tag"), value("uui/d"), flag("avo/bs")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["tag", "uuid"])?;
    let which = match (arguments.value("tag"), arguments.value("uuid"), arguments.operands.as_slice()) {
        (Some(_), _, []) => Which::Tag(arguments.text("tag")),
        (_, Some(_), []) => Which::Uuid(arguments.text("uuid")),
        (None, None, [storage]) => Which::Storage(session.pname(storage)?.absolute),
        (None, None, []) => return Err(missing("View tag or storage pathname")),
        _ => return Err(CommandError::Usage("One view required".to_owned())),
    };
    let name = match &which {
        Which::Tag(tag) | Which::Uuid(tag) => tag.clone().into_bytes(),
        Which::Storage(storage) => storage.clone(),
    };
    let force = arguments.has("force");
    let question = [b"Remove view \"", &name[..], b"\"?"].concat();
    if !force && !session.ask(&question, false)? {
        return Ok(Outcome::Failed);
    }
    let request = RemoveViewRequest { context: Some(session.context()?), which: Some(which), force };
    let reply = session.call_about(&name, async |mut host| host.remove_view(request).await)?;
    // A view that is lost is known by its identity alone.
    let storage = reply.view.map_or(name, |view| view.storage);
    // What moved to lost+found is told before the VOB that it is in.
    for of_vob in reply.notices.split_inclusive(|notice| notice.code() == NoticeCode::ReferencesRemoved) {
        let Some((notice, lost)) = of_vob.split_last() else { continue };
        session.line(&[b"Removing references from VOB \"", &notice.name, b"\" ..."])?;
        session.warnings(lost);
        session.line(&[
            b"Removed references to view \"",
            &storage,
            b"\" from VOB \"",
            &notice.name,
            b"\".",
        ])?;
    }
    Ok(Outcome::Done)
}
