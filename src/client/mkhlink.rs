//! `mkhlink`: draws hyperlinks from one object to another, or to a text.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{targets, type_selector};
use crate::server::proto::{MakeHyperlinkRequest, SelectorKind};
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mkhlink",
    aliases: &[],
    usage: "[-replace] [-unidir] [-ttext to-text] [-ftext from-text] [-fpname] [-tpname] [-acquire]\u{1}\n       \
            hyperlink-type-selector from-object-selector [to-object-selector]",
    options: &[
        flag("rep/lace"),
        flag("uni/dir"),
        value("tte/xt"),
        value("fte/xt"),
        flag("fpn/ame"),
        flag("tpn/ame"),
        flag("acq/uire"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["unidir", "acquire"])?;
    let (link_type, from, to) = match &arguments.operands[..] {
        [] => return Err(missing("Hyperlink type")),
        [_] => return Err(missing("Object name")),
        [link_type, from] => (link_type, from, None),
        [link_type, from, to] => (link_type, from, Some(to)),
        [_, _, _, extra, ..] => {
            return Err(CommandError::Usage(format!("Extra arguments: \"{}\"", extra.to_string_lossy())));
        }
    };
    let source = comment::source("mkhlink", arguments, CommentSource::None)?;
    let link_type = type_selector(session, link_type, SelectorKind::HyperlinkType)?;
    let name = link_type.name.clone();
    let mut comments = comment::texts(session, &source, Prompt::Other, &[&name], &[])?;
    let one = |operand, paths_only| targets(session, std::slice::from_ref(operand), paths_only);
    let to = to.map(|to| one(to, arguments.has("tpname"))).transpose()?;
    let request = MakeHyperlinkRequest {
        context: Some(session.context()?),
        hyperlink_type: Some(link_type),
        from: one(from, arguments.has("fpname"))?.pop(),
        to: to.and_then(|mut to| to.pop()),
        from_text: arguments.bytes("ftext"),
        to_text: arguments.bytes("ttext"),
        comment: comments.pop().unwrap_or_default(),
        replace: arguments.has("replace"),
    };
    match session.call_about(from.as_bytes(), async |mut host| host.make_hyperlink(request).await) {
        Ok(made) => {
            let number = made.number.to_string();
            let id: [&[u8]; 5] = [&made.r#type, b"@", number.as_bytes(), b"@", &made.vob_tag];
            session.line(&[b"Created hyperlink \"", &id.concat(), b"\"."])?;
            Ok(Outcome::Done)
        }
        Err(CommandError::Refused(mut sentences)) => {
            let from = from.as_bytes();
            sentences
                .push([b"Unable to create hyperlink \"", &name[..], b"\" from \"", from, b"\"."].concat());
            Err(CommandError::Refused(sentences))
        }
        Err(error) => Err(error),
    }
}
