//! `protect`: changes owner, group and permission bits of elements, owner and group of type objects.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::{below, without_version};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use crate::server::proto::ProtectRequest;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "protect",
    aliases: &[],
    usage: "[-chown login-name] [-chgrp group-name] [-chmod permissions]\n       \
            [-file | -directory] [-recurse]\u{1}\n       [-pname] {pname | object-selector} ...",
    options: &[
        value("cho/wn"),
        value("chg/rp"),
        value("chm/od"),
        flag("fil/e"),
        flag("dir/ectory"),
        flag("rec/urse"),
        flag("pna/me"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["file", "directory"])?;
    if !["chown", "chgrp", "chmod"].iter().any(|word| arguments.has(word)) {
        return Err(CommandError::Usage("One of -chown, -chgrp, -chmod required".to_owned()));
    }
    if arguments.operands.is_empty() {
        return Err(missing("Object name"));
    }
    let targets = target::targets(session, &arguments.operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    // One change, one comment.
    let source = match comment::source("protect", arguments, CommentSource::None)? {
        CommentSource::AskEach => CommentSource::AskOnce,
        other => other,
    };
    let mut comments = comment::texts(session, &source, Prompt::Other, &[b""], &[])?;
    let request = ProtectRequest {
        context: Some(session.context()?),
        targets,
        owner: arguments.text("chown"),
        group: arguments.text("chgrp"),
        mode: arguments.text("chmod"),
        recurse: arguments.has("recurse"),
        only_files: arguments.has("file"),
        only_directories: arguments.has("directory"),
        comment: comments.pop().unwrap_or_default(),
    };
    let unable = |name: &[u8]| [b"Unable to change protection on \"", name, b"\"."].concat();
    let summaries = || names.iter().map(|typed| unable(without_version(typed)));
    let stream = session.call(async |mut host| host.protect(request).await);
    let mut stream = stream.map_err(|error| error.about_each(summaries()))?;
    let (mut all_done, mut began) = (true, false);
    loop {
        let next = session.next(&mut stream);
        // What is wrong with all of it is said in the place of the first item.
        let next = if began { next } else { next.map_err(|error| error.about_each(summaries())) };
        let Some(item) = next? else { break };
        began = true;
        let typed = names.get(item.argument as usize).map(Vec::as_slice).unwrap_or_default();
        let name = match item.path.is_empty() {
            true => without_version(typed).to_vec(),
            false => below(typed, &item.path),
        };
        match item.failure {
            None => session.line(&[b"Changed protection on \"", &name, b"\"."])?,
            Some(failure) => {
                all_done = false;
                session.failure(&failure, &name, None);
                session.error(&unable(&name));
            }
        }
    }
    Ok(Outcome::of(all_done))
}
