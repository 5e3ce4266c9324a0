//! Every field that is printed is documented in `docs/json.md`, and every one that is documented is printed.

use super::*;
use crate::client::dates::{DateStyle, Dates};
use crate::client::format::Facts;
use crate::server::proto::description::Object;
use crate::server::proto::*;
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../docs/json.md");

fn dates() -> Dates {
    Dates::new(DateStyle::Iso, jiff::tz::TimeZone::UTC, 1_700_000_000)
}

/// The fields in the table of a section.
fn documented(section: &str) -> BTreeSet<String> {
    let start = DOCUMENT.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let text = &DOCUMENT[start + 4..];
    let text = &text[..text.find("\n## ").unwrap_or(text.len())];
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

/// The fields of a line, those of nested objects behind a point.
fn printed(lines: &[Vec<u8>]) -> BTreeSet<String> {
    fn walk(value: &Value, above: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let name = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
                    found.insert(name.clone());
                    // Its own section documents it.
                    if name != "vob_facts" {
                        walk(value, &name, found);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, above, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for line in lines {
        walk(&serde_json::from_slice(line).unwrap(), "", &mut found);
    }
    found
}

fn person() -> Option<Person> {
    Some(Person { login: "anne".into(), group: "user".into(), host: "h".into(), full_name: "Anne".into() })
}

fn objects() -> Vec<Object> {
    let version = VersionFacts {
        attributes: vec![Attribute::default()],
        hyperlinks: vec![Hyperlink::default()],
        checkout: Some(CheckoutFacts::default()),
        ..VersionFacts::default()
    };
    let limit = Some(ValueLimit { value: "1".into(), inclusive: true });
    let values = AttributeTypeFacts { lower: limit.clone(), upper: limit, ..Default::default() };
    let of_type =
        TypeFacts { kind: ObjectKind::AttributeType.into(), attribute: Some(values), ..TypeFacts::default() };
    let trigger = TriggerTypeFacts {
        actions: vec![TriggerActionFacts::default()],
        types: vec![TriggerTypes::default()],
        ..TriggerTypeFacts::default()
    };
    let trigger_type =
        TypeFacts { kind: ObjectKind::TriggerType.into(), trigger: Some(trigger), ..TypeFacts::default() };
    vec![
        Object::Version(version),
        Object::Element(ElementFacts::default()),
        Object::Branch(BranchFacts::default()),
        Object::SymbolicLink(SymbolicLinkFacts::default()),
        Object::Private(PrivateFacts::default()),
        Object::Vob(VobFacts::default()),
        Object::Type(of_type),
        Object::Type(trigger_type),
        Object::Hyperlink(HyperlinkFacts::default()),
    ]
}

fn descriptions() -> Vec<Description> {
    let described = |object| Description { object: Some(object), path: Vec::new(), identity: None };
    objects().into_iter().map(described).collect()
}

#[test]
fn fields_are_documented_and_documented_fields_are_printed() {
    let dates = dates();
    let all = documented("object");
    let lines: Vec<_> = descriptions()
        .into_iter()
        .map(|description| object(&Facts::of_description(description, b"f"), &dates))
        .collect();
    assert_eq!(printed(&lines), all);
    let nested =
        |fields: &BTreeSet<String>| fields.iter().filter(|name| !name.contains('.')).cloned().collect();
    let top: BTreeSet<String> = nested(&all);
    for line in &lines {
        let fields: BTreeSet<String> = nested(&printed(std::slice::from_ref(line)));
        assert_eq!(fields, top, "every field is on every line");
    }
    let with = |section: &str| documented(section).union(&all).cloned().collect::<BTreeSet<_>>();
    let events = descriptions().into_iter().map(|description| {
        event(HistoryEvent { description: Some(description), ..HistoryEvent::default() }, b"f", &dates)
    });
    assert_eq!(printed(&events.collect::<Vec<_>>()), with("lshistory"));
    let locks = descriptions().into_iter().map(|description| {
        lock(LockRow { description: Some(description), ..LockRow::default() }, b"f", &dates)
    });
    assert_eq!(printed(&locks.collect::<Vec<_>>()), with("lslock"));
    let rows = descriptions().into_iter().map(|description| {
        tree_row(VersionTreeRow { description: Some(description), ..VersionTreeRow::default() }, b"f", &dates)
    });
    assert_eq!(printed(&rows.collect::<Vec<_>>()), with("lsvtree"));
    assert_eq!(printed(&[listed(&ListRow::default(), b"f")]), documented("ls"));
    assert_eq!(printed(&[private(&PrivateRow::default())]), documented("lsprivate"));
    assert_eq!(printed(&[found(&FindRow::default(), b"f@@")]), documented("find"));
    let one = ViewFacts { creator: person(), ..ViewFacts::default() };
    assert_eq!(printed(&[view(&one)]), documented("lsview"));
    let one = VobFacts { creator: person(), ..VobFacts::default() };
    assert_eq!(printed(&[vob(&one)]), documented("lsvob"));
}

#[test]
fn kinds_and_annotations_are_documented() {
    for number in 1..=15 {
        let kind = ObjectKind::try_from(number).unwrap();
        // There are no derived objects yet.
        if kind != ObjectKind::DerivedObject {
            let name = crate::client::failure::kind_name(kind).replace(' ', "_");
            assert!(DOCUMENT.contains(&format!("`{name}`")), "{name}");
        }
    }
    for number in (0..).map_while(|number| TriggerActionKind::try_from(number).ok()) {
        let name = code(number.as_str_name(), "TRIGGER_ACTION_KIND_");
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name}");
    }
    for number in (1..).map_while(|number| Annotation::try_from(number).ok()) {
        let name = code(number.as_str_name(), "ANNOTATION_");
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn text_that_is_not_utf8_has_its_bytes_beside_it() {
    let version = VersionFacts {
        version: b"/main/1".to_vec(),
        labels: vec![b"A".to_vec(), b"\xff".to_vec()],
        ..VersionFacts::default()
    };
    let description =
        Description { object: Some(Object::Version(version)), path: Vec::new(), identity: None };
    let line = object(&Facts::of_description(description, b"a\xffb"), &dates());
    let value: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((&value["name"], &value["name_bytes"]), (&"a\u{fffd}b".into(), &"61ff62".into()));
    assert_eq!(value["extended_name_bytes"], "61ff6240402f6d61696e2f31");
    assert_eq!(value["labels_bytes"], serde_json::json!(["41", "ff"]));
    assert_eq!((&value["version"], value.get("version_bytes")), (&"/main/1".into(), None));
    assert_eq!(value["comment"], Value::Null);
}
