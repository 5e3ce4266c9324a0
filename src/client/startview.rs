//! `startview`: makes views appear under the view root.

use super::commands::{Command, missing};
use super::options::Arguments;
use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::ViewTags;
use crate::server::proto::view_outcome::Outcome as ViewOutcome;

/// The table entry.
pub const COMMAND: Command =
    Command { name: "startview", aliases: &[], usage: "view-tag ...", options: &[], comments: false, run };

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("View tag"));
    }
    let tags: Vec<String> = arguments.operands.iter().map(|tag| tag.to_string_lossy().into_owned()).collect();
    let request = ViewTags { context: Some(session.context()?), tags: tags.clone() };
    let reply = session.call(async |mut host| host.start_view(request).await)?;
    let mut all_done = true;
    for (tag, outcome) in tags.iter().zip(reply.outcomes) {
        if let Some(ViewOutcome::Failure(failure)) = outcome.outcome {
            all_done = false;
            session.failure(&failure, tag.as_bytes(), None);
        }
    }
    Ok(Outcome::of(all_done))
}
