//! `rmver`: removes versions for good, or what they hold.

use super::commands::{Command, missing};
use super::options::{Arguments, flag, pair, value};
use super::pname::without_version;
use super::removal::{self, Manner};
use super::session::{CommandError, CommandResult, Session};
use crate::server::proto::{Removal, RemoveRequest, RemoveWhat};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rmve/r",
    aliases: &[],
    usage: "[-force] [-xbranch] [-xlabel] [-xattr] [-xhlink] [-data]\n       \
            [-version version-selector | -vrange low-version high-version]\u{1}\n       pname ...",
    options: &[
        flag("f/orce"),
        flag("xbr/anch"),
        flag("xla/bel"),
        flag("xat/tr"),
        flag("xhl/ink"),
        flag("dat/a"),
        value("ver/sion"),
        pair("vra/nge"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Pathname"));
    }
    if let Some((one, other)) = arguments.conflict(&["version", "vrange"]) {
        return Err(CommandError::Usage(format!("Options -{one} and -{other} exclude each other")));
    }
    let only_data = arguments.has("data");
    let mut range = arguments.values("vrange").map(|word: &OsStr| word.as_bytes().to_vec());
    let (low, high) = (range.next().unwrap_or_default(), range.next().unwrap_or_default());
    let verb = match (only_data, low.is_empty()) {
        (true, _) => "remove data of",
        (false, true) => "remove version",
        (false, false) => "remove versions of",
    };
    let removed: &[u8] =
        if only_data { b"Removed data of versions of \"" } else { b"Removed versions of \"" };
    let manner = Manner {
        command: "rmver",
        verb,
        ask: &|session, typed, removal| ask(session, typed, removal, only_data),
        success: &|typed| [removed, without_version(typed), b"\""].concat(),
    };
    let request = RemoveRequest {
        what: RemoveWhat::Versions.into(),
        with_branches: arguments.has("xbranch"),
        with_labels: arguments.has("xlabel"),
        with_attributes: arguments.has("xattr"),
        with_hyperlinks: arguments.has("xhlink"),
        only_data,
        version: arguments.bytes("version"),
        low,
        high,
        ..RemoveRequest::default()
    };
    removal::run(session, arguments, &manner, &request)
}

fn ask(
    session: &mut Session,
    typed: &[u8],
    removal: &Removal,
    only_data: bool,
) -> Result<bool, CommandError> {
    let (title, question): (&[u8], &[u8]) = match only_data {
        true => (b"Removing the data of these versions of \"", b"Remove data?"),
        false => (b"Removing these versions of \"", b"Remove versions?"),
    };
    session.line(&[title, without_version(typed), b"\":"])?;
    for id in &removal.ids {
        session.line(&[b"  ", id])?;
    }
    Ok(session.ask(question, false)?)
}
