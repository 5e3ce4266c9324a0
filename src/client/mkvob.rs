//! `mkvob`: creates a VOB.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::{CreateVobRequest, VobFacts};
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mkv/ob",
    aliases: &[],
    usage: "-tag vob-tag [-public [-password password]] [-engine name]\u{1}\n       [-stgloc {vobs | -auto} | vob-storage-pname]",
    options: &[
        value("tag"),
        value("tco/mment"),
        value("reg/ion"),
        value("opt/ions"),
        flag("nca/exported"),
        flag("pub/lic"),
        value("pas/sword"),
        value("stg/loc"),
        value("eng/ine"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let tag = arguments.bytes("tag");
    if tag.is_empty() {
        return Err(missing("VOB tag"));
    }
    let storage = storage(session, arguments, super::lsstgloc::VOBS)?;
    let source = comment::source("mkvob", arguments, CommentSource::AskEach)?;
    let comments = comment::texts(session, &source, Prompt::Creation, &[&tag], &[])?;
    let request = CreateVobRequest {
        context: Some(session.context()?),
        tag: tag.clone(),
        storage,
        comment: comments.into_iter().next().unwrap_or_default(),
        engine: match arguments.text("engine") {
            named if !named.is_empty() => named,
            _ => std::env::var("CLERESTORY_ENGINE").unwrap_or_default(),
        },
        public: arguments.has("public"),
        mount: false,
    };
    let vob = session.call_about(&tag, async |mut host| host.create_vob(request).await)?;
    report(session, &vob)?;
    Ok(Outcome::Done)
}

/// The storage operand made absolute; empty for the default place (no operand, or `-stgloc -auto`).
///
/// # Errors
/// A storage location that is not the one for this kind (`location`), or too many operands.
pub fn storage(session: &Session, arguments: &Arguments, location: &str) -> Result<Vec<u8>, CommandError> {
    exclusive(arguments, &["stgloc", "hpath"])?;
    match (arguments.value("stgloc"), arguments.operands.as_slice()) {
        (None, [storage]) => Ok(session.pname(storage)?.absolute),
        (None, []) => Ok(Vec::new()),
        (Some(name), []) if name == "-auto" || name == location => Ok(Vec::new()),
        (Some(name), []) => Err(CommandError::refused(super::lsstgloc::not_found(name.as_bytes()))),
        _ => Err(CommandError::Usage("One storage directory required".to_owned())),
    }
}

fn report(session: &mut Session, vob: &VobFacts) -> Result<(), CommandError> {
    session.line(&[b"Created versioned object base."])?;
    session.line(&[b"Host-local path: ", vob.host.as_bytes(), b":", &vob.storage])?;
    session.line(&[b"Global path:     ", &vob.storage])?;
    ownership(session, vob)
}

/// Prints who owns a VOB, and its groups.
///
/// # Errors
/// Standard output is closed.
pub fn ownership(session: &mut Session, vob: &VobFacts) -> Result<(), CommandError> {
    session.line(&[b"VOB ownership:"])?;
    session.line(&[b"  owner ", vob.owner.as_bytes()])?;
    session.line(&[b"  group ", vob.group.as_bytes()])?;
    session.line(&[b"Additional groups:"])?;
    for group in &vob.additional_groups {
        session.line(&[b"  group ", group.as_bytes()])?;
    }
    Ok(())
}
