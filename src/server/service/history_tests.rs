//! Which events are told, and in what order.

use super::super::facts::tests::{BAR, Fixture, OWN, text};
use super::*;
use crate::server::proto::{Selector, SelectorKind};

fn ask(fixture: &Fixture, typed: &[&str]) -> HistoryRequest {
    let target = |typed: &&str| Target { target: Some(Named::Pname(fixture.pname(typed))) };
    HistoryRequest {
        context: fixture.context(),
        targets: typed.iter().map(target).collect(),
        ..HistoryRequest::default()
    }
}

fn events(fixture: &Fixture, request: &HistoryRequest) -> Vec<String> {
    let mut lines = Vec::new();
    let mut send = |item: HistoryItem| {
        lines.push(match item.item.unwrap() {
            Item::Event(event) => {
                let login = event.person.clone().unwrap_or_default().login;
                let mut line = format!("{} {login} {:?} {:?}", event.time_s, event.kind(), event.object());
                line += &format!(" {}@@{}", text(&event.path), text(&event.extension));
                for (before, part) in [(" from ", &event.checked_out_from), (" detail ", &event.detail)] {
                    line += &if part.is_empty() { String::new() } else { before.to_owned() + &text(part) };
                }
                line += &event.labels.iter().map(|label| format!(" ({})", text(label))).collect::<String>();
                line += &if event.comment.is_empty() {
                    String::new()
                } else {
                    format!(" \"{}\"", text(&event.comment))
                };
                line
            }
            Item::Failure(failed) => format!("{:?}", failed.failure.unwrap().code()),
        });
        true
    };
    fixture.server.history(&fixture.caller, request, &mut send).unwrap();
    lines
}

const FOO_EVENTS: [&str; 9] = [
    "1060 anne Checkout Version @@/main/CHECKEDOUT from /main/2 \"try\"",
    "1050 anne Create Version @@/main/2 \"second\"",
    "1030 bob Create Version @@/main/fix/1 \"fix it\"",
    "1030 bob Create Version @@/main/fix/0",
    "1030 bob Create Branch @@/main/fix",
    "1000 anne Create Version @@/main/1 (REL1) \"begin\"",
    "1000 anne Create Version @@/main/0",
    "1000 anne Create Branch @@/main",
    "1000 anne Create FileElement @@",
];

#[test]
fn an_element_tells_its_whole_life() {
    let fixture = Fixture::new();
    assert_eq!(events(&fixture, &ask(&fixture, &["foo.c"])), FOO_EVENTS);
    assert_eq!(events(&fixture, &ask(&fixture, &["foo.c@@"])), FOO_EVENTS);
    let fix = ask(&fixture, &["foo.c@@/main/fix"]);
    assert_eq!(events(&fixture, &fix), FOO_EVENTS[2..5]);
    let one = ask(&fixture, &["foo.c@@/main/2"]);
    assert_eq!(events(&fixture, &one), FOO_EVENTS[1..2]);
    let made =
        |comment| events(&fixture, &ask(&fixture, &["link"])).iter().any(|line| line.ends_with(comment));
    assert!(made("Create SymbolicLink @@ \"more\""));
}

#[test]
fn events_are_filtered() {
    let fixture = Fixture::new();
    let foo = ask(&fixture, &["foo.c"]);
    let filtered = |request: HistoryRequest| events(&fixture, &request);
    assert_eq!(filtered(HistoryRequest { no_checkouts: true, ..foo.clone() }), FOO_EVENTS[1..]);
    assert_eq!(filtered(HistoryRequest { last: 2, ..foo.clone() }), FOO_EVENTS[..2]);
    assert_eq!(filtered(HistoryRequest { since_s: Some(1050), ..foo.clone() }), FOO_EVENTS[..2]);
    assert_eq!(filtered(HistoryRequest { user: "bob".into(), ..foo.clone() }), FOO_EVENTS[2..5]);
    assert_eq!(filtered(HistoryRequest { user: "bob".into(), last: 1, ..foo.clone() }), FOO_EVENTS[2..3]);
    for branch in ["fix", "/main/fix"] {
        assert_eq!(filtered(HistoryRequest { branch: branch.into(), ..foo.clone() }), FOO_EVENTS[2..5]);
    }
    assert_eq!(filtered(HistoryRequest { branch: "none".into(), ..foo.clone() }), ["TypeNotFound"]);
    assert_eq!(filtered(HistoryRequest { branch: "/fix".into(), ..foo }), Vec::<String>::new());
}

#[test]
fn minor_events_are_those_that_are_known() {
    let fixture = Fixture::new();
    let minor = events(&fixture, &HistoryRequest { minor: true, ..ask(&fixture, &["foo.c"]) });
    assert!(minor.contains(&"1040 anne MakeLabel Version @@/main/1 detail REL1 \"tag\"".to_owned()));
    assert!(minor.contains(&"1050 anne MakeHyperlink Version @@/main/fix/1 detail Merge".to_owned()));
    assert_eq!(minor.len(), FOO_EVENTS.len() + 2);
}

#[test]
fn a_directory_tells_of_what_it_shows() {
    let fixture = Fixture::new();
    let contents = events(&fixture, &ask(&fixture, &[]));
    assert!(contents.contains(&"1020 anne Create DirectoryVersion .@@/main/1 \"names\"".to_owned()));
    assert!(contents.contains(&"1050 anne Create Version foo.c@@/main/2 \"second\"".to_owned()));
    assert!(contents.contains(&"1010 anne Create DirectoryVersion src@@/main/1 \"more\"".to_owned()));
    assert!(!contents.iter().any(|line| line.contains("bar.c") || line.contains("hidden.c")));
    let times: Vec<&str> = contents.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert!(times.is_sorted_by(|a, b| a.parse::<i64>().unwrap() >= b.parse::<i64>().unwrap()));
    let below = HistoryRequest { scope: HistoryScope::Recurse.into(), ..ask(&fixture, &["."]) };
    let below = events(&fixture, &below);
    assert!(below.contains(&"1010 anne Create Version src/bar.c@@/main/1 \"more\"".to_owned()));
    let own = HistoryRequest { scope: HistoryScope::Directory.into(), ..ask(&fixture, &["src"]) };
    assert_eq!(events(&fixture, &own)[0], "1010 anne Create DirectoryVersion @@/main/1 \"more\"");
    assert_eq!(events(&fixture, &own).len(), 4);
    let version = events(&fixture, &ask(&fixture, &["src@@/main/1"]));
    assert!(version.iter().any(|line| line.contains("bar.c@@/main/1")) && version.len() == 5);
}

#[test]
fn the_whole_vob_has_absolute_names() {
    let fixture = Fixture::new();
    fixture.check_out(1100, BAR, OWN, "v", VersionNo(1));
    let all = HistoryRequest { scope: HistoryScope::All.into(), ..ask(&fixture, &["src"]) };
    let lines = events(&fixture, &all);
    assert_eq!(
        lines[0],
        "1100 anne Checkout Version /view/v/vobs/p/src/bar.c@@/main/CHECKEDOUT from /main/1 \"try\""
    );
    for line in [
        "1010 anne Create FileElement /view/v/vobs/p/hidden.c@@",
        "1040 anne Create LabelType @@REL1 \"tag\"",
        "900 vobadm Create Vob /vobs/p@@ \"a vob\"",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
    }
    assert_eq!(events(&fixture, &HistoryRequest { last: 1, ..all.clone() }), lines[..1]);
    let everywhere = HistoryRequest { scope: HistoryScope::AllVobs.into(), ..all };
    let everywhere = events(&fixture, &everywhere);
    assert_eq!(everywhere.len(), lines.len());
    assert!(everywhere[0].contains(" /vobs/p/src/bar.c@@"));
}

#[test]
fn types_and_failures() {
    let fixture = Fixture::new();
    let selector = |kind: SelectorKind, name: &str| {
        let vob = Some(fixture.pname("."));
        let selector = Selector { kind: kind.into(), name: name.into(), vob };
        let targets = vec![Target { target: Some(Named::Selector(selector)) }];
        events(&fixture, &HistoryRequest { targets, ..ask(&fixture, &[]) })
    };
    assert_eq!(selector(SelectorKind::BranchType, "fix"), ["1030 bob Create BranchType @@fix \"fix it\""]);
    assert_eq!(
        selector(SelectorKind::Hyperlink, "Merge@0"),
        ["1050 anne Create Hyperlink @@Merge@0 \"second\""]
    );
    assert_eq!(selector(SelectorKind::LabelType, "fix"), ["TypeNotFound"]);
    assert_eq!(selector(SelectorKind::Oid, &"02".repeat(16)).len(), FOO_EVENTS.len());
    let both = events(&fixture, &ask(&fixture, &["notes", "none", "foo.c"]));
    assert_eq!(both[..2], ["NotAVobObject", "NoSuchFile"]);
    assert_eq!(both[2..], FOO_EVENTS);
}
