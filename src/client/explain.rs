//! `explain`: why a view shows this version at a path, or why it does not show the name.
//!
//! An addition to the product's commands: `cleartool explain [-json] pname ...` and `clerestory explain [--json]
//! PATH...` are the same. Here is the order of work; `text` lays explanations out for people, `json` for programs,
//! `words` has the phrases of both.

pub mod json;
mod text;
mod words;

use std::ffi::OsString;

use super::commands::{Command, missing};
use super::failure;
use super::options::{Arguments, flag};
use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::ExplainRequest;
use crate::server::proto::explain_item::Item;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "explain",
    aliases: &[],
    usage: "[-json] pname ...",
    options: &[flag("json"), flag("-json")],
    comments: false,
    run,
};

/// For whom explanations are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object on a line for each path.
    Json,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let is_json = arguments.has("json") || arguments.has("-json");
    let form = if is_json { Form::Json } else { Form::Text };
    explain(session, &arguments.operands, form, Session::error)
}

/// Explains paths; `complain` says why one has no explanation.
///
/// # Errors
/// The daemon cannot be asked, or standard output is closed.
pub fn explain(
    session: &mut Session,
    paths: &[OsString],
    form: Form,
    complain: fn(&mut Session, &[u8]),
) -> CommandResult {
    let pnames = session.pnames(paths)?;
    let mut typed = pnames.iter().map(|pname| pname.typed.clone()).collect::<Vec<_>>().into_iter();
    let request = ExplainRequest { context: Some(session.context()?), pnames };
    let mut stream = session.call(async |mut host| host.explain(request).await)?;
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        let typed = typed.next().unwrap_or_default();
        match (item.item.unwrap_or_else(|| Item::Failure(Default::default())), form) {
            (Item::Explanation(explanation), Form::Text) => {
                for line in text::lines(&explanation, &typed, &session.dates) {
                    session.line(&[&line])?;
                }
            }
            (Item::Explanation(explanation), Form::Json) => {
                session.line(&[json::explanation(&explanation, &typed).as_bytes()])?;
            }
            (Item::Failure(failed), form) => {
                all_done = false;
                if form == Form::Json {
                    session.line(&[json::failure(&failed, &typed).as_bytes()])?;
                }
                for sentence in failure::sentences(&failed, &typed, None) {
                    complain(session, &sentence);
                }
            }
        }
    }
    Ok(Outcome::of(all_done))
}
