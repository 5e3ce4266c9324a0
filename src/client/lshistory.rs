//! `lshistory`: lists events, newest first.

use super::commands::{Command, exclusive};
use super::dates::Dates;
use super::format::{self, Facts};
use super::options::{Arguments, flag, number, value};
use super::pname::below;
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use super::{avobs, events, json, layout};
use crate::server::proto::history_item::Item;
use crate::server::proto::{EventKind, HistoryEvent, HistoryRequest, HistoryScope, ObjectKind};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsh/istory",
    aliases: &[],
    usage: "[-long | -short | -fmt format | -json] [-eventid] [-minor] [-nco] [-last [num-events]] [-since date-time]\n       \
            [-me | -user login-name] [-branch branch-type]\n       \
            [-recurse | -directory | -all | -avobs] [pname | object-selector] ...",
    options: &[
        flag("l/ong"),
        flag("s/hort"),
        value("fmt"),
        flag("eve/ntid"),
        flag("min/or"),
        flag("nco"),
        number("las/t"),
        value("sin/ce"),
        flag("me"),
        value("use/r"),
        value("bra/nch"),
        flag("r/ecurse"),
        flag("d/irectory"),
        flag("a/ll"),
        flag("avo/bs"),
        flag("local"),
        flag("pna/me"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Default,
    Long,
    Short,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    exclusive(arguments, &["recurse", "directory", "all", "avobs"])?;
    exclusive(arguments, &["me", "user"])?;
    let form = match (arguments.has("long"), arguments.has("short")) {
        (true, _) => Form::Long,
        (_, true) => Form::Short,
        _ => Form::Default,
    };
    let format = format::given(arguments)?;
    let mut request = request(session, arguments)?;
    request.describe =
        json::is_wanted(arguments) || format.as_ref().is_some_and(|format| format.needs_description());
    let names = target::typed_names(&request.targets);
    let name = |argument: u32| names.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let mut stream = session.call(async |mut host| host.history(request).await)?;
    let dates = session.dates.clone();
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Event(event)) => {
                if json::is_wanted(arguments) {
                    let typed = name(event.argument);
                    session.line(&[&json::event(event, typed, &dates)])?;
                    continue;
                }
                if arguments.has("eventid") {
                    session.line(&[format!("event {}:", event.id).as_bytes()])?;
                }
                if let Some(format) = &format {
                    let typed = name(event.argument);
                    let facts = Facts::of_event(event, typed);
                    session.write(&[&format.print(&facts, &dates)])?;
                    continue;
                }
                for line in layout_event(&event, name(event.argument), form, &dates) {
                    session.line(&[&line])?;
                }
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                session.failure(&failed.failure.unwrap_or_default(), name(failed.argument), None);
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_done))
}

fn request(session: &Session, arguments: &Arguments) -> Result<HistoryRequest, CommandError> {
    let scopes = [
        ("recurse", HistoryScope::Recurse),
        ("directory", HistoryScope::Directory),
        ("all", HistoryScope::All),
        ("avobs", HistoryScope::AllVobs),
    ];
    let scope = scopes.iter().find(|(word, _)| arguments.has(word)).map(|(_, scope)| *scope);
    let last = match (arguments.has("last"), arguments.value("last")) {
        (false, _) => 0,
        (true, None) => 1,
        (true, Some(count)) => match count.to_string_lossy().parse::<u32>() {
            Ok(count) if count > 0 => count,
            _ => return Err(CommandError::Usage("Invalid number of events".to_owned())),
        },
    };
    let since_s = match arguments.value("since") {
        None => None,
        Some(text) => {
            let text = text.to_string_lossy();
            let refused = || CommandError::refused(format!("Invalid date-time specification: \"{text}\"."));
            Some(session.dates.parse(&text).ok_or_else(refused)?)
        }
    };
    let user = match arguments.has("me") {
        true => crate::server::identity::user_name(rustix::process::geteuid().as_raw()),
        false => arguments.text("user"),
    };
    let branch = arguments.bytes("branch");
    let branch = branch.strip_prefix(b"brtype:").map(<[u8]>::to_vec).unwrap_or(branch);
    Ok(HistoryRequest {
        context: Some(session.context()?),
        targets: target::targets(session, &arguments.operands, arguments.has("pname"))?,
        scope: scope.unwrap_or(HistoryScope::Contents).into(),
        last,
        since_s,
        branch,
        user,
        minor: arguments.has("minor"),
        no_checkouts: arguments.has("nco"),
        describe: false,
        vobs: if arguments.has("avobs") { avobs::from_environment() } else { Vec::new() },
    })
}

/// The object's name as an event shows it.
fn object_name(event: &HistoryEvent, typed: &[u8]) -> Vec<u8> {
    let base = below(typed, &event.path);
    match event.object() {
        ObjectKind::Version | ObjectKind::DirectoryVersion if event.kind() == EventKind::Checkout => base,
        ObjectKind::Version
        | ObjectKind::DirectoryVersion
        | ObjectKind::Branch
        | ObjectKind::FileElement
        | ObjectKind::DirectoryElement => [&base[..], b"@@", &event.extension].concat(),
        ObjectKind::SymbolicLink | ObjectKind::ViewPrivateObject | ObjectKind::DerivedObject => base,
        _ if event.extension.is_empty() => base,
        _ => event.extension.clone(),
    }
}

fn layout_event(event: &HistoryEvent, typed: &[u8], form: Form, dates: &Dates) -> Vec<Vec<u8>> {
    let name = object_name(event, typed);
    if form == Form::Short {
        return vec![name];
    }
    let person = event.person.clone().unwrap_or_default();
    let mut what = [&events::phrase(event)[..], b" \"", &name, b"\""].concat();
    if event.kind() == EventKind::Checkout {
        let state = if event.reserved { "reserved" } else { "unreserved" };
        what.extend_from_slice(b" from ");
        what.extend_from_slice(&event.checked_out_from);
        what.extend_from_slice(format!(" ({state})").as_bytes());
    }
    if !event.labels.is_empty() {
        what.extend_from_slice(b" (");
        what.extend_from_slice(&event.labels.join(&b", "[..]));
        what.push(b')');
    }
    let mut lines = match form {
        Form::Long => vec![
            format!("{}  {}", dates.full(event.time_s), layout::person(&person)).into_bytes(),
            [b"  ", &what[..]].concat(),
        ],
        _ => {
            // Wide enough for a recent ISO date, two blanks, a login of ten letters, one blank.
            let lead = format!("{:<13}  {:<10} ", dates.short(event.time_s), person.login);
            vec![[lead.as_bytes(), &what].concat()]
        }
    };
    if form == Form::Long && event.kind() == EventKind::Checkout {
        lines.push(format!("  by view: \"{}\"", event.view_tag).into_bytes());
    }
    lines.extend(layout::comment(&events::comment(event)));
    lines
}

#[cfg(test)]
#[path = "lshistory_tests.rs"]
mod tests;
