//! `mkview`: creates a view and starts it.

use super::commands::{Command, missing};
use super::faults;
use super::layout;
use super::mkvob::storage;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::{CreateViewRequest, Protection};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mkvie/w",
    aliases: &[],
    usage: "-tag view-tag [-tcomment comment] [-stgloc {views | -auto} | view-storage-pname]",
    options: &[
        value("tag"),
        value("tco/mment"),
        value("tmo/de"),
        value("reg/ion"),
        value("cac/hesize"),
        flag("nca/exported"),
        flag("sha/reable_dos"),
        flag("nsh/areable_dos"),
        flag("sna/pshot"),
        value("str/eam"),
        value("stg/loc"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    for word in ["snapshot", "stream"] {
        if arguments.has(word) {
            return Err(CommandError::refused(format!("Option -{word} is not supported yet.")));
        }
    }
    let tag = arguments.text("tag");
    if tag.is_empty() {
        return Err(missing("View tag"));
    }
    let request = CreateViewRequest {
        context: Some(session.context()?),
        tag: tag.clone(),
        storage: storage(session, arguments, super::lsstgloc::VIEWS)?,
        comment: arguments.bytes("tcomment"),
        config_spec: Vec::new(),
    };
    let reply = session.call_about(tag.as_bytes(), async |mut host| host.create_view(request).await)?;
    let Some(view) = reply.view else {
        let found = reply.faults.unwrap_or_default();
        let mut sentences = faults::sentences(&found, faults::Source::default());
        sentences.push(format!("Unable to create view \"{tag}\".").into_bytes());
        return Err(CommandError::Refused(sentences));
    };
    session.line(&[b"Created view."])?;
    session.line(&[b"Host-local path: ", view.host.as_bytes(), b":", &view.storage])?;
    session.line(&[b"Global path:     ", &view.storage])?;
    session.line(&[b"It has the following rights:"])?;
    let rights = Protection { user: view.owner, group: view.group, mode: view.mode, ..Protection::default() };
    for line in layout::protection(&rights) {
        session.line(&[line.as_bytes()])?;
    }
    Ok(Outcome::Done)
}
