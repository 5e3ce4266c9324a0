//! `catcs`: prints a view's config spec.

use super::commands::{Command, no_operands};
use super::options::{Arguments, value};
use super::session::{CommandResult, Outcome, Session};
use super::setcs::warn_of_two_views;
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
    let (context, tag) = (Some(session.context()?), arguments.text("tag"));
    let request = GetConfigSpecRequest { context, tag, to_change: false };
    let spec = session.call(async |mut host| host.get_config_spec(request).await)?;
    warn_of_two_views(session, &spec.tag, &spec.set_view_tag);
    session.write(&[&spec.text])?;
    Ok(Outcome::Done)
}
