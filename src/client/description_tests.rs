//! The layouts of `describe`, compared as whole texts.

use super::*;
use crate::client::dates::DateStyle;
use crate::server::proto::{CheckoutFacts, ObjectKind, Person};

fn text(object: Object, typed: &str, detail: Detail) -> String {
    let dates = Dates::new(DateStyle::Iso, jiff::tz::TimeZone::fixed(jiff::tz::offset(-4)), 1_700_000_000);
    let facts = Description { object: Some(object), path: Vec::new(), identity: None };
    let lines = layout(&facts, typed.as_bytes(), detail, &dates);
    lines.into_iter().map(|line| String::from_utf8(line).unwrap() + "\n").collect()
}

fn created(comment: &str) -> Option<Created> {
    let person = Person {
        login: "anne".into(),
        group: "user".into(),
        host: "neptune".into(),
        full_name: "Anne Dee".into(),
    };
    Some(Created { time_s: 1_623_304_186, person: Some(person), comment: comment.into() })
}

fn protection() -> Option<Protection> {
    Some(Protection { user: "anne".into(), group: "user".into(), mode: 0o444, ..Protection::default() })
}

fn version() -> VersionFacts {
    VersionFacts {
        version: b"/main/3".to_vec(),
        created: created("fix"),
        protection: protection(),
        element_type: b"text_file".to_vec(),
        predecessor: b"/main/2".to_vec(),
        ..VersionFacts::default()
    }
}

#[test]
fn a_version() {
    let mut facts = version();
    facts.labels = vec![b"REL1".to_vec()];
    facts.attributes = vec![Attribute { r#type: b"QAed".to_vec(), value: b"\"Yes\"".to_vec(), time_s: None }];
    facts.hyperlinks = vec![Hyperlink {
        r#type: b"Merge".to_vec(),
        number: 7,
        vob_tag: b"/vobs/a".to_vec(),
        other: b"/vobs/a/foo.c@@/main/b/1".to_vec(),
        ..Hyperlink::default()
    }];
    let expected = "version \"foo.c@@/main/3\"\n  created 2021-06-10T01:49:46-04:00 by Anne Dee (anne.user@neptune)\n  \
                    \"fix\"\n  Element Protection:\n    User : anne     : r--\n    Group: user     : r--\n    \
                    Other:          : r--\n  element type: text_file\n  predecessor version: /main/2\n  Labels:\n    \
                    REL1\n  Attributes:\n    QAed = \"Yes\"\n  Hyperlinks:\n    Merge <- /vobs/a/foo.c@@/main/b/1\n";
    assert_eq!(text(Object::Version(facts.clone()), "foo.c", Detail::Default), expected);
    assert!(text(Object::Version(facts.clone()), "foo.c", Detail::Long).contains("    Merge@7@/vobs/a <- "));
    assert_eq!(text(Object::Version(facts), "foo.c@@/main/LATEST", Detail::Short), "foo.c@@/main/3\n");
}

#[test]
fn a_checkout() {
    let mut facts = version();
    facts.version = b"/main/CHECKEDOUT".to_vec();
    facts.checkout = Some(CheckoutFacts {
        reserved: true,
        view_tag: "anne_v".into(),
        view_host: "neptune".into(),
        view_storage: b"/views/anne_v.vws".to_vec(),
        ..CheckoutFacts::default()
    });
    let text = text(Object::Version(facts), "foo.c", Detail::Default);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "version \"foo.c@@/main/CHECKEDOUT\" from /main/2 (reserved)");
    assert_eq!(lines[1], "  checked out 2021-06-10T01:49:46-04:00 by Anne Dee (anne.user@neptune)");
    assert_eq!(lines[2], "  by view: anne_v (\"neptune:/views/anne_v.vws\")");
    assert_eq!(lines[3], "  \"fix\"");
    assert!(!text.contains("predecessor"));
}

#[test]
fn elements_branches_types_and_private_files() {
    let element = ElementFacts {
        created: created(""),
        protection: protection(),
        element_type: b"text_file".to_vec(),
        ..ElementFacts::default()
    };
    let page = text(Object::Element(element), "foo.c@@", Detail::Default);
    assert!(page.starts_with("file element \"foo.c@@\"\n  created "));
    assert!(page.ends_with("  source pool: sdft  cleartext pool: cdft\n  element type: text_file\n"));
    let branch = BranchFacts {
        branch: b"/main/b".to_vec(),
        branch_type: b"b".to_vec(),
        created: created(""),
        branched_from: b"/main/3".to_vec(),
        ..BranchFacts::default()
    };
    let page = text(Object::Branch(branch), "foo.c@@/main/b", Detail::Default);
    assert!(page.starts_with("branch \"foo.c@@/main/b\"\n") && page.contains("\n  branch type: b\n"));
    assert!(page.ends_with("  branched from version: /main/3\n"));
    let label = TypeFacts {
        kind: ObjectKind::LabelType.into(),
        name: b"REL1".to_vec(),
        created: created(""),
        lock: LockState::Obsolete.into(),
        ..TypeFacts::default()
    };
    let page = text(Object::Type(label), "lbtype:REL1", Detail::Default);
    assert!(page.starts_with("label type \"REL1\" (obsolete)\n"));
    assert!(page.ends_with("  constraint: one version per element\n"));
    let private =
        PrivateFacts { modified_s: 1_623_304_186, protection: protection(), ..PrivateFacts::default() };
    let page = text(Object::Private(private), "foo.o", Detail::Default);
    assert!(
        page.starts_with("View private file \"foo.o\"\n  Modified: Thu 06/10/21 01:49:46\n  Protection:\n")
    );
}
