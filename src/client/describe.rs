//! `describe`: prints what is known of objects.
//!
//! The facts come from the daemon, one object a call; the layouts stand in `description`.

use super::commands::{Command, exclusive, missing};
use super::description::{self, Detail, Of, Only};
use super::format::{self, Facts};
use super::json;
use super::options::{Arguments, flag, value, with_oldest_kinds};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use crate::server::proto::DescribeRequest;
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "des/cribe",
    aliases: &[],
    usage: "[-long | -short | -fmt format | -json] [-local] [-alabel {label-type-selector | -all}]\n       \
            [-aattr {attribute-type-selector | -all}] [-ahlink {hyperlink-type-selector | -all}]\n       \
            [-ihlink {hyperlink-type-selector | -all}] [-version version-selector | -ancestor] [-predecessor]\n       \
            [-cview] [-eacl] {[-pname] {pname | object-selector} ... | -type type-selector ...}",
    options: with_oldest_kinds![
        flag("l/ong"),
        flag("s/hort"),
        value("fmt"),
        flag("loc/al"),
        flag("pna/me"),
        flag("cvi/ew"),
        value("ala/bel"),
        value("aat/tr"),
        value("ahl/ink"),
        value("ihl/ink"),
        value("ver/sion"),
        flag("pre/decessor"),
        flag("anc/estor"),
        flag("eac/l"),
        flag("cact"),
        flag("ali/ases"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.has("cact") {
        return Err(CommandError::refused("Option -cact is not supported yet: there are no activities."));
    }
    if arguments.has("aliases") {
        return Err(CommandError::refused("Option -aliases is not supported yet."));
    }
    if arguments.operands.is_empty() {
        return Err(missing("Object name"));
    }
    exclusive(arguments, json::FORMS)?;
    let format = format::given(arguments)?;
    let detail = match (arguments.has("long"), arguments.has("short")) {
        (true, _) => Detail::Long,
        (_, true) => Detail::Short,
        _ => Detail::Default,
    };
    exclusive(arguments, &["ahlink", "ihlink"])?;
    let of = |word: &str| {
        arguments.value(word).map(|typed| match typed.as_bytes() {
            b"-all" => Of::All,
            typed => Of::Type(type_name(typed).to_vec()),
        })
    };
    let hyperlinks = of("ahlink").or_else(|| of("ihlink"));
    let only = Only { labels: of("alabel"), attributes: of("aattr"), hyperlinks };
    exclusive(arguments, &["version", "ancestor"])?;
    let operands = target::typed_operands(arguments)?;
    let mut targets = target::targets(session, &operands, arguments.has("pname"))?;
    let mut others = Vec::new();
    if arguments.has("ancestor") {
        others = targets.split_off(1);
        if others.is_empty() {
            return Err(CommandError::Usage("Option -ancestor needs two objects or more".to_owned()));
        }
    }
    let names = target::typed_names(&targets);
    let mut all_done = true;
    for (target, name) in targets.into_iter().zip(names) {
        let request = DescribeRequest {
            context: Some(session.context()?),
            target: Some(target),
            version: arguments.bytes("version"),
            predecessor: arguments.has("predecessor"),
            inherited_hyperlinks: arguments.has("ihlink"),
            others: others.clone(),
        };
        match session.call_about(&name, async |mut host| host.describe(request).await) {
            Ok(facts) => {
                let dates = &session.dates;
                if json::is_wanted(arguments) {
                    let line = json::object(&Facts::of_description(facts, &name), dates);
                    session.line(&[&line])?;
                    continue;
                }
                if let Some(format) = &format {
                    let text = format.print(&Facts::of_description(facts, &name), dates);
                    session.write(&[&text])?;
                    continue;
                }
                let lines = match only == Only::default() {
                    true => description::layout(&facts, &name, detail, dates),
                    false => description::layout_only(&facts, &name, detail, dates, &only),
                };
                for line in lines {
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

/// The name in a type selector, with or without its kind and its VOB.
fn type_name(typed: &[u8]) -> &[u8] {
    let end = typed.iter().position(|byte| *byte == b'@').unwrap_or(typed.len());
    let name = &typed[..end];
    name.iter().position(|byte| *byte == b':').map_or(name, |colon| &name[colon + 1..])
}
