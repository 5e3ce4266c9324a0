//! Explanations for programs: one JSON object on a line for each path. [`FIELDS`] is their documentation.
//!
//! Pure. Paths, rules, names of types and link targets are bytes: a field has their text, and where they are not
//! UTF-8, the text has U+FFFD in it and a field `..._bytes` beside it has the bytes as hexadecimal digits.

use serde_json::{Value, json};

use super::words;
use crate::client::failure::{self, kind_name};
use crate::client::json::{Fields, code};
use crate::server::proto::explained_name::Object;
use crate::server::proto::explanation::Finding;
use crate::server::proto::{
    ExplainedElement, ExplainedName, ExplainedRule, ExplainedSighting, Explanation, Failure, MissedRule,
    RuleTrail,
};

/// What the fields mean, for `--help`.
pub const FIELDS: &str = "\
With --json, one JSON object on a line for each PATH:
  path        PATH as given
  visible     whether programs can open it; null where it goes on behind a
              symbolic link that leads out of the view's VOBs
  view, vob   tags
  explained   the path in the view that is explained: PATH itself, or a name
              on its way that is the reason
  below       what PATH has after that; empty when it is PATH itself
  links       symbolic links followed: path, target
  kind        what is there, with the object of the same name:
    name      a catalogued name. state: version, checked_out,
              checked_out_but_removed, not_selected, error, ambiguous, or
              symbolic_link. For elements: directory, element_type, oid, version,
              checkout, checked_out_from, candidates (of an ambiguous rule),
              checkout_forecast (refusal or null, creates_branches in order,
              from, branch, view, hidden). For links: target. Always: decided_by, a
              rule or null; missed, the rules before it, or all of them
    private   object (file, directory, symbolic_link, other), target, hides (a
              name, or null)
    history   object, extension, oid: named below @@, no rule is asked
    absence   directory (a name), versions_read, search_cut (there are more), and
              catalogued_in: directory_version, view (of a checkout), removed_in,
              added_in, object, oid, target, shown_as
    unmounted the VOB is not mounted
  error, code the sentences and the code, in place of all but path, where there
              is no explanation; the exit status is 1 then
A rule has index (from 0), text, file, line, mkbranch (null, or the branch type),
mkbranch_from_block, nocheckout and not_after_s (null, or the cut-off in force in
seconds since 1970); a missed one also has reason, and type_name or null.
Reasons: other_vob, pattern, scope, no_such_element_type, no_such_branch_type,
no_such_branch, no_such_label_type, not_labelled, no_such_version,
branch_younger_than_time, not_checked_out, query_fails, not_in_config_record; later versions may add more.
Text that is not UTF-8 has U+FFFD in it, and a field NAME_bytes beside it has its
bytes as hexadecimal digits.";

/// The object of an explanation, without a newline.
pub fn explanation(explanation: &Explanation, typed: &[u8]) -> String {
    let mut fields = Fields::default();
    fields.text("path", typed);
    let visible =
        words::is_whole(explanation).then(|| explanation.below.is_empty() && words::is_visible(explanation));
    fields.put("visible", visible);
    fields.put("view", explanation.view_tag.clone());
    fields.text("vob", &explanation.vob_tag);
    fields.text("explained", &explanation.path);
    fields.text("below", &explanation.below);
    let links = explanation.links.iter().map(|link| {
        let mut fields = Fields::default();
        fields.text("path", &link.path);
        fields.text("target", &link.target);
        fields.value()
    });
    fields.put("links", links.collect::<Vec<_>>());
    let (kind, object) = match &explanation.finding {
        Some(Finding::Name(told)) => ("name", name(told)),
        Some(Finding::Private(private)) => {
            let mut fields = Fields::default();
            fields.put("object", code(private.kind().as_str_name(), "PRIVATE_KIND_"));
            fields.optional_text("target", &private.link_target);
            fields.put("hides", private.hides.as_ref().map(name));
            ("private", fields.value())
        }
        Some(Finding::History(history)) => {
            let mut fields = Fields::default();
            fields.put("object", kind_name(history.kind()).replace(' ', "_"));
            fields.text("extension", &history.extension);
            fields.put("oid", history.oid.clone());
            ("history", fields.value())
        }
        Some(Finding::Absence(absence)) => {
            let mut fields = Fields::default();
            fields.put("directory", absence.directory.as_ref().map(name));
            fields.put("catalogued_in", absence.sightings.iter().map(sighting).collect::<Vec<_>>());
            fields.put("versions_read", absence.versions_read);
            fields.put("search_cut", absence.search_cut);
            ("absence", fields.value())
        }
        Some(Finding::Unmounted(_)) => ("unmounted", json!({})),
        None => ("unknown", json!({})),
    };
    fields.put("kind", kind);
    fields.put(kind, object);
    fields.value().to_string()
}

/// The object of a path without an explanation, without a newline.
pub fn failure(failure: &Failure, typed: &[u8]) -> String {
    let mut fields = Fields::default();
    fields.text("path", typed);
    let sentences = failure::sentences(failure, typed, None);
    let lossy = sentences.iter().map(|sentence| String::from_utf8_lossy(sentence).into_owned());
    fields.put("error", lossy.collect::<Vec<_>>());
    fields.put("code", code(failure.code().as_str_name(), "FAILURE_CODE_"));
    fields.value().to_string()
}

fn name(told: &ExplainedName) -> Value {
    let mut fields = Fields::default();
    match &told.object {
        Some(Object::Element(told)) => element(&mut fields, told),
        Some(Object::Symlink(link)) => {
            fields.put("state", "symbolic_link");
            fields.text("target", &link.target);
        }
        None => fields.put("state", Value::Null),
    }
    let RuleTrail { decided_by, missed } = told.trail.clone().unwrap_or_default();
    fields.put("decided_by", decided_by.map(|decided_by| rule(&decided_by).value()));
    fields.put("missed", missed.iter().map(miss).collect::<Vec<_>>());
    fields.value()
}

fn element(fields: &mut Fields, told: &ExplainedElement) {
    fields.put("state", code(told.state().as_str_name(), "ELEMENT_STATE_"));
    fields.put("directory", told.directory);
    fields.text("element_type", &told.element_type);
    fields.put("oid", told.oid.clone());
    fields.optional_text("version", &told.version);
    fields.optional_text("checkout", &told.checkout);
    fields.optional_text("checked_out_from", &told.checked_out_from);
    let candidates = told.candidates.iter().map(|version| String::from_utf8_lossy(version).into_owned());
    fields.put("candidates", candidates.collect::<Vec<_>>());
    let forecast = told.forecast.as_ref().map(|forecast| {
        let mut fields = Fields::default();
        let refusal = code(forecast.refusal().as_str_name(), "CHECKOUT_REFUSAL_");
        fields.put("refusal", Some(refusal).filter(|refusal| refusal != "none"));
        let names = forecast.creates_branches.iter().map(|name| String::from_utf8_lossy(name).into_owned());
        fields.put("creates_branches", names.collect::<Vec<_>>());
        fields.optional_text("from", &forecast.from);
        fields.optional_text("branch", &forecast.branch);
        fields.optional_text("view", forecast.view_tag.as_bytes());
        fields.put("hidden", forecast.hidden);
        fields.value()
    });
    fields.put("checkout_forecast", forecast);
}

fn rule(told: &ExplainedRule) -> Fields {
    let mut fields = Fields::default();
    fields.put("index", told.index);
    fields.text("text", &told.text);
    fields.text("file", &told.file);
    fields.put("line", told.line);
    fields.optional_text("mkbranch", &told.make_branch);
    fields.put("mkbranch_from_block", told.imposed_branch);
    fields.put("nocheckout", told.no_checkout);
    fields.put("not_after_s", told.not_after_s);
    fields
}

fn miss(missed: &MissedRule) -> Value {
    let mut fields = rule(&missed.rule.clone().unwrap_or_default());
    fields.put("reason", code(missed.why().as_str_name(), "RULE_MISS_"));
    fields.optional_text("type_name", &missed.type_name);
    fields.value()
}

fn sighting(told: &ExplainedSighting) -> Value {
    let mut fields = Fields::default();
    fields.text("directory_version", &told.directory_version);
    fields.optional_text("view", told.view_tag.as_bytes());
    fields.optional_text("removed_in", &told.removed_in);
    fields.optional_text("added_in", &told.added_in);
    fields.put("object", kind_name(told.kind()).replace(' ', "_"));
    fields.put("oid", told.oid.clone());
    fields.optional_text("target", &told.link_target);
    fields.optional_text("shown_as", &told.shown_as);
    fields.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::proto::{ExplainedUnmounted, FailureCode};

    #[test]
    fn text_that_is_not_utf8_has_its_bytes_beside_it() {
        let told = Explanation {
            vob_tag: b"/vobs/x".to_vec(),
            finding: Some(Finding::Unmounted(ExplainedUnmounted {})),
            ..Explanation::default()
        };
        let line = explanation(&told, b"a\xffb");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["path"], "a\u{fffd}b");
        assert_eq!(value["path_bytes"], "61ff62");
        assert_eq!((&value["vob"], value.get("vob_bytes")), (&json!("/vobs/x"), None));
        assert_eq!(value["visible"], false);
    }

    #[test]
    fn a_failure_is_an_object_too() {
        let value: Value =
            serde_json::from_str(&failure(&Failure::new(FailureCode::NotInAVob), b"/tmp")).unwrap();
        assert_eq!(value["error"], json!(["Pathname is not within a VOB: \"/tmp\""]));
        assert_eq!(value["code"], "not_in_a_vob");
    }

    #[test]
    fn every_reason_is_documented() {
        let all = (1..).map_while(|number| crate::server::proto::RuleMiss::try_from(number).ok());
        for reason in all {
            let name = code(reason.as_str_name(), "RULE_MISS_");
            assert!(FIELDS.contains(&name), "{name}");
        }
    }
}
