//! `lslock`: lists locks of objects, or all locks of a VOB.

use super::commands::{Command, exclusive};
use super::failure::kind_name;
use super::format::{self, Facts};
use super::options::{Arguments, flag, value};
use super::pname::without_version;
use super::session::{CommandResult, Outcome, Session};
use super::target;
use super::{json, layout};
use crate::server::proto::lock_item::Item;
use crate::server::proto::{ListLocksRequest, LockRow, ObjectKind};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsl/ock",
    aliases: &[],
    usage: "[-local] [-long | -short | -fmt format | -json] [-obsolete]\n       [-all] [-pname] [pname | object-selector] ...",
    options: &[
        flag("loc/al"),
        flag("l/ong"),
        flag("s/hort"),
        value("fmt"),
        flag("obs/olete"),
        flag("a/ll"),
        flag("pna/me"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    let format = format::given(arguments)?;
    super::lock::no_pools(arguments)?;
    let targets = target::targets(session, &arguments.operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    let request = ListLocksRequest {
        context: Some(session.context()?),
        targets,
        all: arguments.has("all"),
        obsolete: arguments.has("obsolete"),
        describe: json::is_wanted(arguments)
            || format.as_ref().is_some_and(|format| format.needs_description()),
    };
    let reply = session.call(async |mut host| host.list_locks(request).await)?;
    let mut all_done = true;
    for item in reply.items {
        let typed = names.get(item.argument as usize).map(Vec::as_slice).unwrap_or_default();
        match item.item {
            Some(Item::Row(row)) => {
                if json::is_wanted(arguments) {
                    let name = base(&row, typed).to_vec();
                    let line = json::lock(row, &name, &session.dates);
                    session.line(&[&line])?;
                    continue;
                }
                if let Some(format) = &format {
                    let name = base(&row, typed).to_vec();
                    let text = format.print(&Facts::of_lock(row, &name), &session.dates);
                    session.write(&[&text])?;
                    continue;
                }
                for line in lines(session, arguments, &row, typed) {
                    session.line(&[&line])?;
                }
            }
            Some(Item::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, typed, None);
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_done))
}

/// The name without what follows `@@`.
fn base<'a>(row: &'a LockRow, typed: &'a [u8]) -> &'a [u8] {
    if row.name.is_empty() { without_version(typed) } else { &row.name }
}

fn lines(session: &Session, arguments: &Arguments, row: &LockRow, typed: &[u8]) -> Vec<Vec<u8>> {
    let base = base(row, typed);
    let name = match row.kind() {
        ObjectKind::FileElement | ObjectKind::DirectoryElement | ObjectKind::Branch => {
            [base, b"@@", &row.branch].concat()
        }
        _ => base.to_vec(),
    };
    if arguments.has("short") {
        return vec![name];
    }
    let created = row.created.clone().unwrap_or_default();
    let person = created.person.unwrap_or_default();
    let state: &[u8] = if row.obsolete { b"\" (obsolete)" } else { b"\" (locked)" };
    let what = [b"lock ", kind_name(row.kind()).as_bytes(), b" \"", &name, state].concat();
    let mut lines = match arguments.has("long") {
        true => vec![
            format!("{}  {}", session.dates.full(created.time_s), layout::person(&person)).into_bytes(),
            [b"  ", &what[..]].concat(),
        ],
        false => {
            let lead = format!("{:<13}  {:<10} ", session.dates.short(created.time_s), person.login);
            vec![[lead.as_bytes(), &what].concat()]
        }
    };
    lines.extend(layout::comment(&created.comment));
    lines
}
