//! The objects that `ls`, `lsprivate`, `lsview`, `lsvob` and `find` print.

use super::{Fields, code};
use crate::client::failure::{kind_name, sentences};
use crate::client::format::{selector_prefix, trigger_kind};
use crate::server::proto::{
    Annotation, Failure, FindRow, ListRow, ObjectKind, Person, PrivateRow, TriggerActionFacts,
    TriggerTypeFacts, TriggerTypes, TypeFacts, ValueLimit, ViewFacts, VobFacts,
};
use serde_json::Value;

/// One name, as `ls` prints it.
pub fn listed(row: &ListRow, name: &[u8]) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.text("name", name);
    fields.put("kind", kind_name(row.kind()).replace(' ', "_"));
    fields.optional_text("version", &row.version);
    fields.optional_text("checked_out_from", &row.checked_out_from);
    let annotation = Some(code(row.annotation().as_str_name(), "ANNOTATION_"));
    fields.put("annotation", annotation.filter(|_| row.annotation() != Annotation::None));
    fields.optional_text("rule", &row.rule);
    fields.optional_text("whole_rule", &row.whole_rule);
    fields.optional_text("mkbranch", &row.make_branch);
    fields.put("mkbranch_from_block", row.branch_of_block);
    fields.optional_text("link_target", &row.link_target);
    fields.line()
}

/// One private object or checked-out file, as `lsprivate` prints it.
pub fn private(row: &PrivateRow) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.text("name", &row.path);
    let kind = if row.version.is_empty() { ObjectKind::ViewPrivateObject } else { ObjectKind::Version };
    fields.put("kind", kind_name(kind).replace(' ', "_"));
    fields.put("directory", row.directory);
    fields.optional_text("version", &row.version);
    fields.optional_text("checked_out_from", &row.checked_out_from);
    fields.put("size_bytes", row.size_bytes);
    fields.put("accessed_s", row.accessed_s);
    fields.put("modified_s", row.modified_s);
    fields.line()
}

/// One object, as `find` prints it.
pub fn found(row: &FindRow, extended: &[u8]) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.text("name", &row.name);
    fields.text("extended_name", extended);
    fields.put("kind", kind_name(row.kind()).replace(' ', "_"));
    fields.optional_text("version", &row.extension);
    fields.line()
}

/// One view, as `lsview` prints it.
pub fn view(view: &ViewFacts) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.put("tag", view.tag.clone());
    fields.text("storage", &view.storage);
    fields.put("host", view.host.clone());
    fields.put("uuid", view.uuid.clone());
    fields.put("active", view.started);
    fields.text("root", &view.root);
    fields.put("owner", view.owner.clone());
    fields.put("group", view.group.clone());
    fields.put("additional_groups", view.additional_groups.clone());
    fields.put("mode", format!("{:04o}", view.mode & 0o7777));
    fields.optional_text("comment", &view.comment);
    fields.put("created_s", view.created_s);
    fields.put("created_by", view.creator.as_ref().map(person));
    fields.put("config_spec_changed_s", view.config_spec_changed_s);
    fields.put("trouble", view.trouble.as_ref().map(|trouble| troubles(trouble, view.tag.as_bytes())));
    fields.line()
}

/// One VOB, as `lsvob` prints it.
pub fn vob(vob: &VobFacts) -> Vec<u8> {
    vob_fields(vob).line()
}

pub(super) fn vob_fields(vob: &VobFacts) -> Fields {
    let mut fields = Fields::default();
    fields.text("tag", &vob.tag);
    fields.text("storage", &vob.storage);
    fields.put("host", vob.host.clone());
    fields.put("uuid", vob.uuid.clone());
    fields.put("mounted", vob.mounted);
    fields.put("public", vob.public);
    fields.put("owner", vob.owner.clone());
    fields.put("group", vob.group.clone());
    fields.put("additional_groups", vob.additional_groups.clone());
    fields.optional_text("comment", &vob.comment);
    fields.put("created_s", Some(vob.created_s).filter(|_| vob.mounted));
    fields.put("created_by", vob.creator.as_ref().map(person));
    fields.put("engine", Some(vob.engine.clone()).filter(|engine| !engine.is_empty()));
    fields.put("schema_version", vob.format_version);
    fields.put("evil_twin_detection", vob.evil_twin_detection);
    fields.put("lock", Some(code(vob.lock().as_str_name(), "LOCK_STATE_")).filter(|_| vob.mounted));
    fields.put("trouble", vob.trouble.as_ref().map(|trouble| troubles(trouble, &vob.tag)));
    fields
}

fn person(person: &Person) -> Value {
    let mut fields = Fields::default();
    let or_null = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    fields.put("user", person.login.clone());
    fields.put("user_group", or_null(&person.group));
    fields.put("full_name", or_null(&person.full_name));
    fields.put("host", or_null(&person.host));
    fields.value()
}

fn troubles(trouble: &Failure, name: &[u8]) -> Vec<String> {
    let lossy = |sentence: Vec<u8>| String::from_utf8_lossy(&sentence).into_owned();
    sentences(trouble, name, None).into_iter().map(lossy).collect()
}

/// What a type object says of its instances.
pub(super) fn type_definition(told: &TypeFacts) -> Value {
    let mut fields = Fields::default();
    fields.put("selector_kind", selector_prefix(told.kind()));
    fields.put("scope", if told.global { "global" } else { "ordinary" });
    let constraint = crate::client::format::constraint(told);
    fields.put("constraint", Some(constraint).filter(|text| !text.is_empty()));
    fields.optional_text("supertype", &told.supertype);
    fields.put("type_manager", Some(told.manager.clone()).filter(|manager| !manager.is_empty()));
    let is_element_type = told.kind() == ObjectKind::ElementType;
    let merge = code(told.merge().as_str_name(), "MERGE_TYPE_");
    fields.put("merge", Some(merge).filter(|_| is_element_type));
    fields.texts("suggested_attributes", told.suggested.iter().map(Vec::as_slice));
    let values = told.attribute.as_ref();
    fields.put("value_type", values.map(|values| code(values.value_type().as_str_name(), "VALUE_TYPE_")));
    let limit = |limit: Option<&ValueLimit>| {
        limit.map(|limit| {
            let mut fields = Fields::default();
            fields.put("value", limit.value.clone());
            fields.put("inclusive", limit.inclusive);
            fields.value()
        })
    };
    fields.put("lower", limit(values.and_then(|values| values.lower.as_ref())));
    fields.put("upper", limit(values.and_then(|values| values.upper.as_ref())));
    fields.put("enumeration", values.map(|values| values.enumeration.clone()));
    fields.put("default", values.and_then(|values| values.default.clone()));
    fields.put("trigger", told.trigger.as_ref().map(trigger_definition));
    fields.value()
}

/// What a trigger type watches, and what it does.
fn trigger_definition(told: &TriggerTypeFacts) -> Value {
    let mut fields = Fields::default();
    fields.put("class", code(told.class().as_str_name(), "TRIGGER_CLASS_"));
    fields.put("fires", trigger_kind(told.before));
    fields.put("operations", told.operations.clone());
    fields.put("exempt", told.exempt.clone());
    fields.put("actions", told.actions.iter().map(trigger_action).collect::<Vec<_>>());
    fields.put("types", told.types.iter().map(trigger_types).collect::<Vec<_>>());
    fields.put("prints", told.print);
    fields.value()
}

fn trigger_action(told: &TriggerActionFacts) -> Value {
    let mut fields = Fields::default();
    fields.put("kind", code(told.kind().as_str_name(), "TRIGGER_ACTION_KIND_"));
    fields.optional_text("type", &told.name);
    fields.optional_text("text", &told.text);
    fields.value()
}

fn trigger_types(told: &TriggerTypes) -> Value {
    let mut fields = Fields::default();
    fields.put("selector_kind", selector_prefix(told.kind()));
    fields.put("all", told.all);
    fields.texts("names", told.names.iter().map(Vec::as_slice));
    fields.value()
}
