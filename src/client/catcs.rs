//! `catcs`: prints a view's config spec.

use super::commands::{Command, no_operands};
use super::options::{Arguments, value};
use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::GetConfigSpecRequest;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "catcs",
    aliases: &[],
    usage: "[-tag view-tag]",
    options: &[value("tag")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    no_operands(arguments)?;
    let request = GetConfigSpecRequest { context: Some(session.context()?), tag: arguments.text("tag") };
    let spec = session.call(async |mut host| host.get_config_spec(request).await)?;
    if !spec.set_view_tag.is_empty() {
        session.warning(two_views(&spec.tag, &spec.set_view_tag).as_bytes());
    }
    session.write(&[&spec.text])?;
    Ok(Outcome::Done)
}

/// The warning when the working directory's view is not the set one.
fn two_views(working: &str, set: &str) -> String {
    format!("Using working directory view \"{working}\" instead of set view \"{set}\".")
}
