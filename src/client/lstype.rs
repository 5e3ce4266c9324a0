//! `lstype`: lists type objects.

use super::commands::{Command, exclusive};
use super::description::{self, Detail, lock_mark};
use super::failure::kind_name;
use super::format::{self, Facts};
use super::options::{Arguments, flag, value, with_oldest_kinds};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{any_type_selector, old_kind, type_selectors, typed_operands, typed_vob};
use super::{json, layout};
use crate::server::proto::description::Object;
use crate::server::proto::type_outcome::Outcome as TypeOutcome;
use crate::server::proto::{Description, ListTypesRequest, LockState, ObjectKind, TypeFacts};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lst/ype",
    aliases: &[],
    usage: "[-long | -short | -fmt format | -json] [-obsolete] [-local]\n       \
            {-kind type-object-kind [-invob vob-selector] | type-selector ...}",
    options: with_oldest_kinds![
        flag("l/ong"),
        flag("s/hort"),
        value("fmt"),
        flag("obs/olete"),
        flag("loc/al"),
        value("kin/d"),
        value("inv/ob"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    let format = format::given(arguments)?;
    // Without a name the oldest form lists all of a kind.
    let old = old_kind(arguments)?.filter(|word| *word != "type" && arguments.operands.is_empty());
    let given = arguments.text("kind");
    let kind = match old.unwrap_or(&given) {
        "" => ObjectKind::Unspecified,
        "brtype" => ObjectKind::BranchType,
        "lbtype" => ObjectKind::LabelType,
        "eltype" => ObjectKind::ElementType,
        "attype" => ObjectKind::AttributeType,
        "hltype" => ObjectKind::HyperlinkType,
        "trtype" => ObjectKind::TriggerType,
        other => return Err(CommandError::Usage(format!("Unknown kind of type: \"{other}\""))),
    };
    if (kind == ObjectKind::Unspecified) == arguments.operands.is_empty() {
        return Err(CommandError::Usage("Either -kind or type selectors required".to_owned()));
    }
    let operands = typed_operands(arguments)?;
    let (selectors, mut all_done) = type_selectors(session, &operands, any_type_selector)?;
    let names: Vec<Vec<u8>> = selectors.iter().map(|selector| selector.name.clone()).collect();
    let request = ListTypesRequest {
        context: Some(session.context()?),
        kind: kind.into(),
        vob: Some(typed_vob(session, arguments.value("invob"))?),
        selectors,
    };
    let reply = session.call(async |mut host| host.list_types(request).await)?;
    for (place, outcome) in reply.outcomes.into_iter().enumerate() {
        match outcome.outcome {
            // Those that are named are told, out of use or not.
            Some(TypeOutcome::Done(facts))
                if names.is_empty() && facts.lock() == LockState::Obsolete && !arguments.has("obsolete") => {}
            Some(TypeOutcome::Done(facts)) => {
                if json::is_wanted(arguments) {
                    let facts = Facts::of_type(facts, outcome.identity);
                    session.line(&[&json::object(&facts, &session.dates.clone())])?;
                    continue;
                }
                if let Some(format) = &format {
                    let facts = Facts::of_type(facts, outcome.identity);
                    let text = format.print(&facts, &session.dates);
                    session.write(&[&text])?;
                    continue;
                }
                for line in lines(session, arguments, facts) {
                    session.line(&[&line])?;
                }
            }
            Some(TypeOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, names.get(place).map(Vec::as_slice).unwrap_or_default(), None);
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}

fn lines(session: &Session, arguments: &Arguments, facts: TypeFacts) -> Vec<Vec<u8>> {
    if arguments.has("long") {
        let name = facts.name.clone();
        let facts = Description { object: Some(Object::Type(facts)), path: Vec::new(), identity: None };
        return description::layout(&facts, &name, Detail::Long, &session.dates);
    }
    if arguments.has("short") {
        return vec![facts.name];
    }
    let created = facts.created.clone().unwrap_or_default();
    let person = created.person.unwrap_or_default();
    let lead = format!("{:<13}  {:<10} ", session.dates.short(created.time_s), person.login);
    let kind = kind_name(facts.kind()).as_bytes();
    let mut lines =
        vec![[lead.as_bytes(), kind, b" \"", &facts.name, b"\"", lock_mark(facts.lock())].concat()];
    lines.extend(layout::comment(&created.comment));
    lines
}
