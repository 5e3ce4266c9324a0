//! The object that `describe`, `lshistory`, `lscheckout`, `lstype`, `lslock` and `lsvtree` print: one for all.

use super::rows::{type_definition, vob_fields};
use super::{Fields, code};
use crate::client::dates::Dates;
use crate::client::failure::kind_name;
use crate::client::format::{Facts, PRIVATE};
use crate::client::layout::hyperlink_id;
use crate::server::proto::description::Object;
use crate::server::proto::{Attribute, CheckoutFacts, HistoryEvent, Hyperlink, LockRow, VersionTreeRow};
use serde_json::Value;

/// One object, as `describe`, `lscheckout` and `lstype` print it.
pub fn object(facts: &Facts, dates: &Dates) -> Vec<u8> {
    fields(facts, dates).line()
}

/// One event, as `lshistory` prints it.
pub fn event(event: HistoryEvent, typed: &[u8], dates: &Dates) -> Vec<u8> {
    let (id, detail, other) = (event.id, event.detail.clone(), event.other_version.clone());
    let link = event.hyperlink.clone();
    let mut fields = fields(&Facts::of_event(event, typed), dates);
    fields.put("event_id", id);
    fields.optional_text("detail", &detail);
    fields.optional_text("other_version", &other);
    fields.optional_text("hyperlink", &link);
    fields.line()
}

/// One lock, as `lslock` prints it.
pub fn lock(row: LockRow, name: &[u8], dates: &Dates) -> Vec<u8> {
    let (exempt, obsolete) = (row.exempt.clone(), row.obsolete);
    let mut fields = fields(&Facts::of_lock(row, name), dates);
    fields.put("exempt", exempt);
    fields.put("obsolete", obsolete);
    fields.line()
}

/// One branch, version or checkout, as `lsvtree` prints it.
pub fn tree_row(row: VersionTreeRow, name: &[u8], dates: &Dates) -> Vec<u8> {
    let (latest, branch_point, obsolete) = (row.latest, row.branch_point, row.obsolete);
    let facts = Facts::of_tree_row(row, name);
    let level = facts.level;
    let mut fields = fields(&facts, dates);
    fields.put("level", level);
    fields.put("latest", latest);
    fields.put("branch_point", branch_point);
    fields.put("obsolete", obsolete);
    fields.line()
}

fn fields(facts: &Facts, dates: &Dates) -> Fields {
    let mut fields = Fields::default();
    fields.text("name", &facts.name);
    fields.text("extended_name", &facts.extended(&facts.extension));
    match facts.identity() {
        Some(_) => fields.text("selector", &facts.selector()),
        None => fields.put("selector", Value::Null),
    }
    fields.put("kind", kind_name(facts.kind).replace(' ', "_"));
    fields.optional_text("version", &facts.extension);
    fields.optional_text("predecessor", facts.predecessor());
    let branched_from = match facts.object() {
        Some(Object::Branch(branch)) => &branch.branched_from[..],
        _ => &[],
    };
    fields.optional_text("branched_from", branched_from);
    let identity = facts.identity();
    fields.optional_text("vob", identity.map(|identity| &identity.vob_tag[..]).unwrap_or_default());
    fields.put("oid", identity.map(|identity| identity.oid.clone()));
    fields.put("dbid", identity.map(|identity| identity.dbid));
    happened(&mut fields, facts, dates);
    fields.optional_text("type", facts.of_its_type().map(|(_, name)| name).unwrap_or_default());
    let (owner, group) = owner_and_group(facts);
    fields.put("owner", owner);
    fields.put("group", group);
    fields.put("mode", facts.protection().map(|held| format!("{:04o}", held.mode)));
    fields.put("lock", facts.lock().map(|lock| code(lock.as_str_name(), "LOCK_STATE_")));
    fields.texts("labels", facts.labels().iter().map(Vec::as_slice));
    let attributes = facts.attributes().iter().map(|held| attribute(held, dates));
    fields.put("attributes", attributes.collect::<Vec<_>>());
    fields.put("hyperlinks", facts.hyperlinks().iter().map(hyperlink).collect::<Vec<_>>());
    let (mut triggers, mut inherited) = (Value::Null, Value::Null);
    if let Some(Object::Element(told)) = facts.object() {
        (triggers, inherited) = (names(&told.triggers), names(&told.inherited_triggers));
    }
    fields.put("triggers", triggers);
    fields.put("inherited_triggers", inherited);
    fields.put("checkout", facts.checkout().map(checkout));
    let (target, modified_s, removed) = match facts.object() {
        Some(Object::SymbolicLink(link)) => (&link.target[..], None, None),
        Some(Object::Private(private)) => (&private.link_target[..], Some(private.modified_s), None),
        Some(Object::Version(version)) => (&b""[..], None, Some(version.data_removed)),
        _ => (&b""[..], None, None),
    };
    fields.optional_text("link_target", target);
    fields.put("modified_s", modified_s);
    fields.put("data_removed", removed);
    let (mut definition, mut vob, mut ends) = (Value::Null, Value::Null, Value::Null);
    match facts.object() {
        Some(Object::Type(told)) => definition = type_definition(told),
        Some(Object::Vob(told)) => vob = vob_fields(told).value(),
        Some(Object::Hyperlink(told)) => {
            let link = told.link.clone().unwrap_or_default();
            let mut fields = Fields::default();
            fields.text("from", &link.from);
            fields.optional_text("to", &link.other);
            fields.optional_text("from_text", &link.from_text);
            fields.optional_text("to_text", &link.to_text);
            ends = fields.value();
        }
        _ => {}
    }
    fields.put("definition", definition);
    fields.put("vob_facts", vob);
    fields.put("ends", ends);
    fields
}

/// Names of types, which are text.
fn names(names: &[Vec<u8>]) -> Value {
    names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// What happened, and who did it.
fn happened(fields: &mut Fields, facts: &Facts, dates: &Dates) {
    let happened = facts.happened.as_ref();
    fields.put("operation", happened.map(|happened| happened.operation));
    fields.optional_text("event", happened.map(|happened| &happened.phrase[..]).unwrap_or_default());
    fields.put("time_s", happened.map(|happened| happened.time_s));
    fields.put("date", happened.map(|happened| dates.full(happened.time_s)));
    fields.put("user", happened.map(|happened| happened.person.login.clone()));
    let or_null = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    fields.put("user_group", or_null(happened.map(|happened| &happened.person.group)));
    fields.put("full_name", or_null(happened.map(|happened| &happened.person.full_name)));
    fields.put("host", or_null(happened.map(|happened| &happened.person.host)));
    fields.optional_text("comment", happened.map(|happened| &happened.comment[..]).unwrap_or_default());
}

fn owner_and_group(facts: &Facts) -> (Option<String>, Option<String>) {
    if facts.kind == PRIVATE && facts.protection().is_none() {
        return (None, None);
    }
    match facts.object() {
        Some(Object::Vob(told)) => (Some(told.owner.clone()), Some(told.group.clone())),
        Some(Object::Type(told)) => (Some(told.owner.clone()), Some(told.group.clone())),
        Some(Object::Hyperlink(told)) => (Some(told.owner.clone()), Some(told.group.clone())),
        _ => {
            let name = |name: &String, number: u32| match name.as_str() {
                "" => number.to_string(),
                name => name.to_owned(),
            };
            let held = facts.protection();
            (
                held.map(|held| name(&held.user, held.user_id)),
                held.map(|held| name(&held.group, held.group_id)),
            )
        }
    }
}

/// An attribute; times are printed as dates are.
pub(super) fn attribute(held: &Attribute, dates: &Dates) -> Value {
    let mut fields = Fields::default();
    fields.text("type", &held.r#type);
    match held.time_s {
        Some(time_s) => fields.put("value", dates.full(time_s)),
        None => fields.text("value", &held.value),
    }
    fields.put("time_s", held.time_s);
    fields.value()
}

fn hyperlink(link: &Hyperlink) -> Value {
    let mut fields = Fields::default();
    fields.text("id", &hyperlink_id(link));
    fields.text("type", &link.r#type);
    fields.put("outgoing", link.outgoing);
    fields.optional_text("other", &link.other);
    fields.optional_text("from_text", &link.from_text);
    fields.optional_text("to_text", &link.to_text);
    fields.value()
}

fn checkout(held: &CheckoutFacts) -> Value {
    let mut fields = Fields::default();
    fields.put("reserved", held.reserved);
    fields.put("view", held.view_tag.clone());
    fields.put("view_uuid", held.view_uuid.clone());
    fields.put("view_host", held.view_host.clone());
    fields.text("view_storage", &held.view_storage);
    fields.value()
}
