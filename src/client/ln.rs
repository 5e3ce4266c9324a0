//! `ln`: makes further names of elements, and VOB symbolic links.

use super::commands::{Command, missing};
use super::comment::{self, CommentSource};
use super::options::{Arguments, flag};
use super::rmname::{Words, in_batches, report};
use super::session::{CommandError, CommandResult, Session};
use crate::server::proto::{LinkNamesRequest, Pname};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "ln",
    aliases: &[],
    usage: "[-slink [-replace]] [-nco [-force]]\u{1}\n       pname link-pname | pname ... target-dir-pname",
    // -force means not to ask whether -nco is meant; nobody asks.
    options: &[flag("s/link"), flag("rep/lace"), flag("nco"), flag("f/orce"), flag("cact")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let [sources @ .., target] = arguments.operands.as_slice() else {
        return Err(missing("Pathname"));
    };
    if sources.is_empty() {
        return Err(missing("Link pathname"));
    }
    if arguments.has("replace") && !arguments.has("slink") {
        return Err(CommandError::Usage("Option -replace goes with -slink".to_owned()));
    }
    let source = comment::source("ln", arguments, CommentSource::None)?;
    let (pnames, target) = (session.pnames(sources)?, session.pname(target)?);
    let words = Words { verb: "create link", about_new_name: true, tells_new_name: false };
    in_batches(session, &source, &pnames, |session: &mut Session, pnames: &[Pname], comment| {
        let request = LinkNamesRequest {
            context: Some(session.context()?),
            sources: pnames.to_vec(),
            target: Some(target.clone()),
            comment,
            symbolic: arguments.has("slink"),
            replace: arguments.has("replace"),
            in_place: arguments.has("nco"),
        };
        let reply = session.call(async |mut host| host.link_names(request).await);
        report(session, (pnames, &target.typed), reply, &words, |session, _, link| {
            Ok(session.line(&[b"Link created: \"", link, b"\"."])?)
        })
    })
}
