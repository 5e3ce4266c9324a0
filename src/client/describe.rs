//! `describe`: prints what is known of objects.
//!
//! The facts come from the daemon, one object a call; the layouts stand in `description`.

use super::commands::{Command, exclusive, missing};
use super::description::{self, Detail};
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use crate::server::proto::DescribeRequest;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "des/cribe",
    aliases: &[],
    usage: "[-long | -short] [-local] [-pname] {pname | object-selector} ...",
    options: &[flag("l/ong"), flag("s/hort"), flag("loc/al"), flag("pna/me"), flag("cvi/ew")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Object name"));
    }
    exclusive(arguments, &["long", "short"])?;
    let detail = match (arguments.has("long"), arguments.has("short")) {
        (true, _) => Detail::Long,
        (_, true) => Detail::Short,
        _ => Detail::Default,
    };
    let targets = target::targets(session, &arguments.operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    let mut all_done = true;
    for (target, name) in targets.into_iter().zip(names) {
        let request = DescribeRequest { context: Some(session.context()?), target: Some(target) };
        match session.call_about(&name, async |mut host| host.describe(request).await) {
            Ok(facts) => {
                for line in description::layout(&facts, &name, detail, &session.dates) {
                    session.line(&[&line])?;
                }
            }
            Err(CommandError::Refused(sentences)) => {
                all_done = false;
                sentences.iter().for_each(|sentence| session.error(sentence));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::of(all_done))
}
