//! `pwv`: prints the views a command given here would use.

use super::commands::{Command, exclusive, no_operands};
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::CurrentViewRequest;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "pwv",
    aliases: &[],
    usage: "[-short] [-wdview | -setview | -root]",
    options: &[flag("s/hort"), flag("wdv/iew"), flag("set/view"), flag("root")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    no_operands(arguments)?;
    exclusive(arguments, &["wdview", "setview", "root"])?;
    let request = CurrentViewRequest { context: Some(session.context()?) };
    let views = session.call(async |mut host| host.current_view(request).await)?;
    let none_if_empty = |tag: String| {
        if tag.is_empty() { "** NONE **".to_owned() } else { tag }
    };
    if arguments.has("root") {
        if views.working_directory_view.is_empty() && views.set_view.is_empty() {
            return Err(CommandError::refused(
                "Cannot get view info for current view: not a ClearCase object.",
            ));
        }
        session.line(&[&views.root])?;
        return Ok(Outcome::Done);
    }
    // Inside setview every working directory is in the set view.
    let working = if views.working_directory_view.is_empty() {
        none_if_empty(views.set_view.clone())
    } else {
        views.working_directory_view
    };
    let set = none_if_empty(views.set_view);
    let (show_working, show_set) = match (arguments.has("wdview"), arguments.has("setview")) {
        (false, false) => (true, !arguments.has("short")),
        chosen => chosen,
    };
    for (show, title, tag) in
        [(show_working, "Working directory view: ", working), (show_set, "Set view: ", set)]
    {
        let title = if arguments.has("short") { "" } else { title };
        if show {
            session.line(&[title.as_bytes(), tag.as_bytes()])?;
        }
    }
    Ok(Outcome::Done)
}
