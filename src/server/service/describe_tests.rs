//! What is told of each kind of object.

use super::super::facts::tests::{BAR, FOO, Fixture, OWN, text};
use super::*;
use crate::server::proto::{Attribute, ObjectKind, Person, Selector, SelectorKind, Target};
use crate::vob::ElementNo;

fn of(fixture: &Fixture, named: Named) -> Result<Object, FailureCode> {
    let target = Some(Target { target: Some(named) });
    let request = DescribeRequest { context: fixture.context(), target, ..DescribeRequest::default() };
    let described = fixture.server.describe(&fixture.caller, &request);
    described.map(|facts| facts.object.unwrap()).map_err(|failure| failure.code())
}

fn pname(fixture: &Fixture, typed: &str) -> Result<Object, FailureCode> {
    of(fixture, Named::Pname(fixture.pname(typed)))
}

fn selector(fixture: &Fixture, kind: SelectorKind, name: &str) -> Result<Object, FailureCode> {
    let vob = Some(fixture.pname("."));
    of(fixture, Named::Selector(Selector { kind: kind.into(), name: name.into(), vob }))
}

fn version(fixture: &Fixture, typed: &str) -> VersionFacts {
    match pname(fixture, typed) {
        Ok(Object::Version(facts)) => facts,
        other => panic!("{typed}: {other:?}"),
    }
}

fn created(facts: Option<Created>) -> (i64, String, String) {
    let facts = facts.unwrap();
    (facts.time_s, facts.person.unwrap().login, text(&facts.comment))
}

#[test]
fn a_version_tells_what_it_carries() {
    let fixture = Fixture::new();
    let first = version(&fixture, "foo.c@@/main/1");
    assert_eq!(created(first.created), (1000, "anne".into(), "begin".into()));
    assert_eq!(text(&first.predecessor), "/main/0");
    assert_eq!(first.labels, [b"REL1"]);
    let git_commit = Attribute { r#type: b"GitCommit".to_vec(), value: b"\"abc\"".to_vec(), time_s: None };
    assert_eq!(first.attributes, [git_commit]);
    assert_eq!(text(&first.hyperlinks[0].other), "/view/v/vobs/p/foo.c@@/main/fix/1");
    assert!(!first.hyperlinks[0].outgoing && first.hyperlinks.len() == 1);
    assert_eq!(first.protection.unwrap().mode, 0o444);
    assert_eq!(text(&first.element_type), "text_file");
    let selected = version(&fixture, "foo.c");
    assert_eq!((text(&selected.version), selected.checkout), ("/main/2".into(), None));
    assert_eq!(version(&fixture, "src/bar.c").protection.unwrap().mode, 0o555);
    let directory = version(&fixture, ".");
    assert!(directory.directory && text(&directory.version) == "/main/1");
    assert!(version(&fixture, "foo.c@@/main/0").predecessor.is_empty());
}

#[test]
fn checkouts_tell_their_views() {
    let fixture = Fixture::new();
    fixture.check_out(1100, BAR, OWN, "old_tag", VersionNo(1));
    let own = version(&fixture, "src/bar.c");
    assert_eq!(text(&own.version), "/main/CHECKEDOUT");
    assert_eq!(text(&own.predecessor), "/main/1");
    let held_by = own.checkout.unwrap();
    assert!(held_by.reserved);
    assert_eq!((held_by.view_tag, held_by.view_host), ("v".into(), "neptune".into()));
    assert_eq!(held_by.view_storage, fixture.storage().join("v.vws").as_os_str().as_bytes());
    let number = fixture.vob.element(FOO).unwrap().checkouts[0].number;
    let other = version(&fixture, &format!("foo.c@@/main/CHECKEDOUT.{number}"));
    assert_eq!(other.checkout.unwrap().view_tag, "other");
    assert_eq!(created(other.created), (1060, "anne".into(), "try".into()));
    fixture.set_spec("element * /main/LATEST\n");
    assert_eq!(text(&version(&fixture, "src/bar.c").version), "/main/1");
}

#[test]
fn elements_branches_links_and_private_files() {
    let fixture = Fixture::new();
    let Ok(Object::Element(element)) = pname(&fixture, "foo.c@@") else { panic!() };
    // The events that made it and the branch made versions with contents too: the comments are theirs.
    assert_eq!(created(element.created), (1000, "anne".into(), String::new()));
    assert_eq!(element.oid, "02".repeat(16));
    assert_eq!(element.protection.unwrap().mode, 0o555);
    let Ok(Object::Branch(branch)) = pname(&fixture, "foo.c@@/main/fix") else { panic!() };
    assert_eq!((text(&branch.branch_type), text(&branch.branched_from)), ("fix".into(), "/main/1".into()));
    assert_eq!(created(branch.created), (1030, "bob".into(), String::new()));
    let Ok(Object::SymbolicLink(link)) = pname(&fixture, "link") else { panic!() };
    assert_eq!(text(&link.target), "foo.c");
    let Ok(Object::Private(private)) = pname(&fixture, "notes") else { panic!() };
    assert_eq!(private.kind(), PrivateKind::File);
    std::os::unix::fs::symlink("notes", fixture.private(ElementNo::ROOT, "x").with_file_name("alias"))
        .unwrap();
    let Ok(Object::Private(private)) = pname(&fixture, "alias") else { panic!() };
    assert_eq!((private.kind(), text(&private.link_target)), (PrivateKind::SymbolicLink, "notes".into()));
    assert_eq!(pname(&fixture, "hidden.c"), Err(FailureCode::NoVersionSelected));
    assert_eq!(pname(&fixture, "none"), Err(FailureCode::NoSuchFile));
    assert!(matches!(pname(&fixture, "hidden.c@@"), Ok(Object::Element(_))));
}

#[test]
fn selectors_name_types_the_vob_and_identities() {
    let fixture = Fixture::new();
    let Ok(Object::Type(label)) = selector(&fixture, SelectorKind::LabelType, "REL1") else { panic!() };
    assert_eq!(label.kind(), ObjectKind::LabelType);
    assert_eq!((label.owner, label.group), ("anne".into(), "user".into()));
    assert_eq!(label.attributes.len(), 1);
    assert_eq!(created(label.created), (1040, "anne".into(), "tag".into()));
    let Ok(Object::Type(branch)) = selector(&fixture, SelectorKind::BranchType, "fix") else { panic!() };
    assert!(branch.attributes.is_empty());
    let Ok(Object::Type(text_file)) = selector(&fixture, SelectorKind::ElementType, "text_file") else {
        panic!()
    };
    assert_eq!((text(&text_file.supertype), text_file.manager), ("file".into(), "text_file_delta".into()));
    for kind in [SelectorKind::BranchType, SelectorKind::AttributeType, SelectorKind::Hyperlink] {
        assert_eq!(selector(&fixture, kind, "REL1"), Err(FailureCode::TypeNotFound), "{kind:?}");
    }
    let Ok(Object::Vob(vob)) = selector(&fixture, SelectorKind::Vob, "") else { panic!() };
    let creator = vob.creator.unwrap_or_default();
    assert_eq!(
        (text(&vob.comment), creator),
        (
            "a vob".into(),
            Person {
                login: "vobadm".into(),
                group: "user".into(),
                host: "neptune".into(),
                full_name: String::new()
            }
        )
    );
    let Ok(Object::Element(element)) = selector(&fixture, SelectorKind::Oid, &"02".repeat(16)) else {
        panic!()
    };
    assert_eq!(text(&element.element_type), "text_file");
    assert_eq!(selector(&fixture, SelectorKind::Oid, "xyz"), Err(FailureCode::NoSuchFile));
    let Ok(Object::Hyperlink(merge)) = selector(&fixture, SelectorKind::Hyperlink, "Merge@0") else {
        panic!()
    };
    let link = merge.link.unwrap();
    assert_eq!(text(&link.from), "/vobs/p/foo.c@@/main/fix/1");
    assert_eq!(text(&link.other), "/vobs/p/foo.c@@/main/1");
}
