//! `rename`: gives a type object another name, everywhere at once.

use super::commands::Command;
use super::comment::{self, CommentSource, Prompt};
use super::failure::kind_name;
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{any_type_selector, selector_object_kind};
use crate::server::proto::RenameTypeRequest;
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "rename",
    aliases: &["ren"],
    usage: "[-acquire]\u{1}\n       old-object-selector new-object-selector",
    options: &[flag("acq/uire")],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let [old, new] = &arguments.operands[..] else {
        return Err(CommandError::Usage("Old and new name required".to_owned()));
    };
    let source = comment::source("rename", arguments, CommentSource::None)?;
    let selector = any_type_selector(session, old)?;
    // `lbtype:NEW` and `NEW` are the same.
    let new_name = match any_type_selector(session, new) {
        Ok(new) if new.kind == selector.kind => new.name,
        Ok(_) => return Err(CommandError::Usage("Both names must be of the same kind".to_owned())),
        Err(_) => new.as_bytes().to_vec(),
    };
    let old_name = selector.name.clone();
    let kind = kind_name(selector_object_kind(&selector));
    let mut comments = comment::texts(session, &source, Prompt::Other, &[&old_name], &[])?;
    let request = RenameTypeRequest {
        context: Some(session.context()?),
        selector: Some(selector),
        new_name: new_name.clone(),
        comment: comments.pop().unwrap_or_default(),
    };
    match session.call_about(&old_name, async |mut host| host.rename_type(request).await) {
        Ok(_) => {
            let kind = kind.as_bytes();
            session.line(&[b"Renamed ", kind, b" from \"", &old_name, b"\" to \"", &new_name, b"\"."])?;
            Ok(Outcome::Done)
        }
        Err(CommandError::Refused(mut sentences)) => {
            sentences.push([b"Unable to rename ", kind.as_bytes(), b" \"", &old_name, b"\"."].concat());
            Err(CommandError::Refused(sentences))
        }
        Err(error) => Err(error),
    }
}
