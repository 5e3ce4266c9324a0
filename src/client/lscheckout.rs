//! `lscheckout`: lists who has what checked out.

use super::commands::{Command, exclusive};
use super::dates::Dates;
use super::format::{self, Facts};
use super::options::{Arguments, flag, value};
use super::pname::below;
use super::session::{CommandResult, Outcome, Session};
use super::target::type_selector;
use super::{avobs, json, layout};
use crate::server::proto::checkout_item::Item;
use crate::server::proto::{CheckoutRow, HistoryScope, ListCheckoutsRequest, SelectorKind};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsc/heckout",
    aliases: &["lsco"],
    usage: "[-long | -short | -fmt format | -json] [-cview] [-brtype branch-type-selector] [-me | -user login-name]\n       \
            [-recurse | -directory | -all | -avobs] [-areplicas] [pname ...]",
    options: &[
        flag("l/ong"),
        flag("s/hort"),
        value("fmt"),
        flag("cvi/ew"),
        value("brt/ype"),
        flag("me"),
        value("use/r"),
        flag("r/ecurse"),
        flag("d/irectory"),
        flag("a/ll"),
        flag("avo/bs"),
        flag("are/plicas"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    let format = format::given(arguments)?;
    exclusive(arguments, &["recurse", "directory", "all", "avobs"])?;
    exclusive(arguments, &["me", "user"])?;
    let scopes = [
        ("recurse", HistoryScope::Recurse),
        ("directory", HistoryScope::Directory),
        ("all", HistoryScope::All),
        ("avobs", HistoryScope::AllVobs),
    ];
    let scope = scopes.iter().find(|(word, _)| arguments.has(word)).map(|(_, scope)| *scope);
    let branch_type = match arguments.value("brtype") {
        Some(typed) => type_selector(session, typed, SelectorKind::BranchType)?.name,
        None => Vec::new(),
    };
    let user = match arguments.has("me") {
        true => crate::server::identity::user_name(rustix::process::geteuid().as_raw()),
        false => arguments.text("user"),
    };
    let request = ListCheckoutsRequest {
        context: Some(session.context()?),
        pnames: session.pnames(&arguments.operands)?,
        scope: scope.unwrap_or(HistoryScope::Contents).into(),
        current_view: arguments.has("cview"),
        branch_type,
        user,
        describe: json::is_wanted(arguments)
            || format.as_ref().is_some_and(|format| format.needs_description()),
        vobs: if arguments.has("avobs") { avobs::from_environment() } else { Vec::new() },
    };
    let typed: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let typed = |argument: u32| typed.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let mut stream = session.call(async |mut host| host.list_checkouts(request).await)?;
    let dates = session.dates.clone();
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Row(row)) => {
                let name = below(typed(row.argument), &row.path);
                if let Some(format) = &format {
                    let facts = Facts::of_checkout(row, &name);
                    session.write(&[&format.print(&facts, &dates)])?;
                    continue;
                }
                if json::is_wanted(arguments) {
                    session.line(&[&json::object(&Facts::of_checkout(row, &name), &dates)])?;
                    continue;
                }
                for line in lines(&row, &name, arguments, &dates) {
                    session.line(&[&line])?;
                }
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                session.failure(&failed.failure.unwrap_or_default(), typed(failed.argument), None);
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_done))
}

fn lines(row: &CheckoutRow, name: &[u8], arguments: &Arguments, dates: &Dates) -> Vec<Vec<u8>> {
    if arguments.has("short") {
        return vec![name.to_vec()];
    }
    let created = row.created.clone().unwrap_or_default();
    let person = created.person.unwrap_or_default();
    let checkout = row.checkout.clone().unwrap_or_default();
    let kind: &[u8] = if row.directory { b"directory version" } else { b"version" };
    let state: &[u8] = if checkout.reserved { b"reserved" } else { b"unreserved" };
    let what = [b"checkout ", kind, b" \"", name, b"\" from ", &row.from, b" (", state, b")"].concat();
    let mut lines = match arguments.has("long") {
        true => {
            let view = format!("  by view: {} (\"{}:", checkout.view_tag, checkout.view_host);
            vec![
                format!("{}  {}", dates.full(created.time_s), layout::person(&person)).into_bytes(),
                [b"  ", &what[..]].concat(),
                [view.as_bytes(), &checkout.view_storage, b"\")"].concat(),
            ]
        }
        false => {
            let lead = format!("{:<13}  {:<10} ", dates.short(created.time_s), person.login);
            vec![[lead.as_bytes(), &what].concat()]
        }
    };
    lines.extend(layout::comment(&created.comment));
    lines
}
