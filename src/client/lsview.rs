//! `lsview`: lists registered views.

use super::commands::{Command, exclusive};
use super::format::dotted;
use super::json;
use super::layout::permissions;
use super::options::{Arguments, flag, value};
use super::registered::Wanted;
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::view_outcome::Outcome as ViewOutcome;
use crate::server::proto::{CurrentViewRequest, ListViewsRequest, ViewFacts};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsview",
    aliases: &[],
    usage: "[-long | -short | -json] [-host hostname] [-region network-region] [-properties [-full]]\n       \
            [-cview | view-tag ... | -storage view-storage-pname | -uuid view-uuid]",
    options: &[
        flag("l/ong"),
        flag("s/hort"),
        flag("cvi/ew"),
        flag("pro/perties"),
        flag("ful/l"),
        flag("json"),
        flag("-json"),
        value("hos/t"),
        value("reg/ion"),
        value("sto/rage"),
        value("uuid"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    let mut tags: Vec<String> =
        arguments.operands.iter().map(|tag| tag.to_string_lossy().into_owned()).collect();
    if arguments.has("cview") {
        let request = CurrentViewRequest { context: Some(session.context()?) };
        let current = session.call(async |mut host| host.current_view(request).await)?;
        let tag = if current.working_directory_view.is_empty() {
            current.set_view
        } else {
            current.working_directory_view
        };
        if tag.is_empty() {
            return Err(CommandError::refused(
                "Cannot get view info for current view: not a ClearCase object.",
            ));
        }
        tags = vec![tag];
    }
    let request = ListViewsRequest { context: Some(session.context()?), tags: tags.clone() };
    let wanted = Wanted::given(session, arguments, tags.is_empty())?;
    let reply = session.call(async |mut host| host.list_views(request).await)?;
    let mut all_done = true;
    for (index, outcome) in reply.outcomes.into_iter().enumerate() {
        match outcome.outcome {
            Some(ViewOutcome::Done(view)) if !wanted.fits(&view.host, &view.uuid, &view.storage) => {}
            Some(ViewOutcome::Done(view)) => show(session, arguments, &view)?,
            Some(ViewOutcome::Failure(failure)) => {
                all_done = false;
                let tag = tags.get(index).map(String::as_bytes).unwrap_or_default();
                session.failure(&failure, tag, None);
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}

fn show(session: &mut Session, arguments: &Arguments, view: &ViewFacts) -> Result<(), CommandError> {
    if json::is_wanted(arguments) {
        return Ok(session.line(&[&json::view(view)])?);
    }
    if arguments.has("short") {
        return Ok(session.line(&[view.tag.as_bytes()])?);
    }
    if arguments.has("long") {
        return long(session, view);
    }
    session.line(&[&row(view)])?;
    if arguments.has("properties") || arguments.has("full") {
        properties(session, view)?;
    }
    Ok(())
}

fn row(view: &ViewFacts) -> Vec<u8> {
    let star = if view.started { '*' } else { ' ' };
    [format!("{star} {:<20} ", view.tag).as_bytes(), &view.storage].concat()
}

fn long(session: &mut Session, view: &ViewFacts) -> Result<(), CommandError> {
    let host = view.host.as_bytes();
    session.line(&[b"Tag: ", view.tag.as_bytes()])?;
    session.line(&[b"  Global path: ", &view.storage])?;
    session.line(&[b"  Server host: ", host])?;
    session.line(&[b"  Region: local"])?;
    session.line(&[b"  Active: ", if view.started { b"YES" } else { b"NO" }])?;
    let uuid = dotted(&view.uuid);
    session.line(&[b"  View tag uuid:", uuid.as_bytes()])?;
    session.line(&[b"View on host: ", host])?;
    session.line(&[b"View server access path: ", &view.storage])?;
    session.line(&[b"View uuid: ", uuid.as_bytes()])?;
    session.line(&[b"View owner: ", view.owner.as_bytes()])?;
    if let Some(trouble) = &view.trouble {
        session.failure(trouble, view.tag.as_bytes(), None);
    }
    Ok(())
}

fn properties(session: &mut Session, view: &ViewFacts) -> Result<(), CommandError> {
    let creator = view.creator.clone().unwrap_or_default();
    let by = format!("{}.{}@{}", creator.login, creator.group, creator.host);
    let created = session.dates.full(view.created_s);
    session.line(&[format!("Created {created} by {by}").as_bytes()])?;
    let changed = session.dates.full(view.config_spec_changed_s);
    session.line(&[format!("Last config spec update {changed}").as_bytes()])?;
    session.line(&[b"Text mode: unix"])?;
    session.line(&[b"Properties: dynamic readwrite"])?;
    let class = |title: &str, name: &str, bits: u32| {
        let word = match bits & 7 {
            7 => " (all)",
            5 => " (read)",
            0 => " (none)",
            _ => "",
        };
        format!("{title} {name:<16}: {}{word}", permissions(bits))
    };
    session.line(&[class("Owner:", &view.owner, view.mode >> 6).as_bytes()])?;
    session.line(&[class("Group:", &view.group, view.mode >> 3).as_bytes()])?;
    session.line(&[class("Other:", "", view.mode).as_bytes()])?;
    if !view.additional_groups.is_empty() {
        session.line(&[format!("Additional groups: {}", view.additional_groups.join(" ")).as_bytes()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_star_a_tag_and_a_path() {
        let view = ViewFacts {
            tag: "test-view".into(),
            storage: b"/viewstore/test-view.vws".to_vec(),
            started: true,
            ..ViewFacts::default()
        };
        assert_eq!(row(&view), b"* test-view            /viewstore/test-view.vws");
    }
}
