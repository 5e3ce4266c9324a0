//! The rows of listings.

use super::super::facts::tests::{BAR, FOO, Fixture, OWN, SRC, text};
use super::*;
use crate::server::proto::Annotation;
use crate::vob::VersionNo;

struct Ask {
    scope: ListScope,
    filter: ListFilter,
    visible_only: bool,
}

const CONTENTS: Ask = Ask { scope: ListScope::Contents, filter: ListFilter::All, visible_only: false };
const OBJECT: Ask = Ask { scope: ListScope::Directory, ..CONTENTS };

fn rows(fixture: &Fixture, typed: &[&str], ask: Ask) -> Vec<String> {
    let request = ListRequest {
        context: fixture.context(),
        pnames: typed.iter().map(|typed| fixture.pname(typed)).collect(),
        scope: ask.scope.into(),
        filter: ask.filter.into(),
        visible_only: ask.visible_only,
    };
    let mut lines = Vec::new();
    let mut send = |item: ListItem| {
        lines.push(match item.item.unwrap() {
            Item::Row(row) => {
                let mut line = format!("{} {:?}", text(&row.path), row.kind());
                for (mark, part) in
                    [("", &row.version), ("from ", &row.checked_out_from), ("-> ", &row.link_target)]
                {
                    line += &if part.is_empty() { String::new() } else { format!(" {mark}{}", text(part)) };
                }
                if row.annotation() != Annotation::None {
                    line += &format!(" [{:?}]", row.annotation());
                }
                for (mark, part) in [("Rule: ", &row.rule), ("mkbranch ", &row.make_branch)] {
                    line += &if part.is_empty() { String::new() } else { format!(" {mark}{}", text(part)) };
                }
                line
            }
            Item::Failure(failed) => format!("{} {:?}", text(&failed.path), failed.failure.unwrap().code()),
        });
        true
    };
    fixture.server.list(&fixture.caller, &request, &mut send).unwrap();
    lines
}

#[test]
fn a_directory_shows_every_name_with_its_rule() {
    let fixture = Fixture::new();
    let expected = [
        "foo.c Version /main/2 Rule: /main/LATEST mkbranch fix",
        "hidden.c FileElement [NoVersionSelected] Rule: -none",
        "link SymbolicLink -> foo.c",
        "lost+found DirectoryVersion /main/0 Rule: /main/LATEST",
        "notes ViewPrivateObject",
        "src DirectoryVersion /main/1 Rule: /main/LATEST",
    ];
    assert_eq!(rows(&fixture, &[], CONTENTS), expected);
    assert_eq!(rows(&fixture, &["."], CONTENTS), expected);
    let visible = rows(&fixture, &[], Ask { visible_only: true, ..CONTENTS });
    assert_eq!(visible.len(), 5);
    let below = rows(&fixture, &[], Ask { scope: ListScope::Recurse, ..CONTENTS });
    assert_eq!(below[..6], expected);
    assert_eq!(below[6..], ["src/bar.c Version /main/1 Rule: /main/LATEST"]);
}

#[test]
fn objects_are_listed_themselves() {
    let fixture = Fixture::new();
    let own = |typed: &str| rows(&fixture, &[typed], OBJECT);
    assert_eq!(own("."), [" DirectoryVersion /main/1 Rule: /main/LATEST"]);
    assert_eq!(own("src"), [" DirectoryVersion /main/1 Rule: /main/LATEST"]);
    assert_eq!(own("notes"), [" ViewPrivateObject"]);
    assert_eq!(rows(&fixture, &["src/bar.c"], CONTENTS), [" Version /main/1 Rule: /main/LATEST"]);
    assert_eq!(own("/view/v/vobs"), [" NotInAVob"]);
    assert_eq!(own("none"), [" NoSuchFile"]);
    assert_eq!(own("notes/x"), [" NotADirectory"]);
}

#[test]
fn checkouts_have_their_forms() {
    let fixture = Fixture::new();
    fixture.check_out(1100, BAR, OWN, "v", VersionNo(1));
    fixture.check_out(1101, SRC, OWN, "v", VersionNo(1));
    let list = |ask: Ask| rows(&fixture, &["src"], ask);
    let vob_only = || Ask { filter: ListFilter::VobOnly, ..CONTENTS };
    let view_only = || Ask { filter: ListFilter::ViewOnly, ..CONTENTS };
    let removed = "bar.c Version /main/CHECKEDOUT from /main/1 [CheckedOutButRemoved]";
    assert_eq!(list(CONTENTS), [removed]);
    assert_eq!(list(vob_only()), [removed]);
    fixture.data(BAR);
    let held = "bar.c Version /main/CHECKEDOUT from /main/1 Rule: CHECKEDOUT";
    assert_eq!(list(CONTENTS), [held]);
    assert_eq!(list(vob_only()), ["bar.c FileElement [EclipsedByCheckout]"]);
    assert_eq!(list(view_only()), [held]);
    let root = |ask: Ask| rows(&fixture, &[], ask);
    assert!(
        root(vob_only())
            .contains(&"src DirectoryVersion /main/CHECKEDOUT from /main/1 Rule: CHECKEDOUT".into())
    );
    assert_eq!(root(view_only()), ["notes ViewPrivateObject"]);
    fixture.set_spec("element * /main/LATEST\n");
    let behind = "bar.c Version /main/CHECKEDOUT from /main/1 [CheckedOutButEclipsed]";
    assert_eq!(list(CONTENTS), ["bar.c Version /main/1 Rule: /main/LATEST", behind]);
}

#[test]
fn private_names_hide_elements() {
    let fixture = Fixture::new();
    fixture.private(SRC, "bar.c");
    fixture.private(SRC, "deep/er/file");
    let list = |typed: &str, ask: Ask| rows(&fixture, &[typed], ask);
    let eclipsed = ["bar.c ViewPrivateObject", "bar.c FileElement [Eclipsed]", "deep ViewPrivateObject"];
    assert_eq!(list("src", CONTENTS), eclipsed);
    assert_eq!(
        list("src", Ask { filter: ListFilter::VobOnly, ..CONTENTS }),
        ["bar.c FileElement [Eclipsed]"]
    );
    assert_eq!(list("src", Ask { visible_only: true, ..CONTENTS }), [eclipsed[0], eclipsed[2]]);
    assert_eq!(list("src/bar.c", CONTENTS), [" ViewPrivateObject", " FileElement [Eclipsed]"]);
    let all = list("src", Ask { scope: ListScope::Recurse, ..CONTENTS });
    assert_eq!(all[3..], ["deep/er ViewPrivateObject", "deep/er/file ViewPrivateObject"]);
    assert_eq!(list("src/deep/er", CONTENTS), ["file ViewPrivateObject"]);
}

#[test]
fn history_names_are_listed_as_other_extensions() {
    let fixture = Fixture::new();
    let list = |typed: &str| rows(&fixture, &[typed], CONTENTS);
    assert_eq!(list("foo.c@@"), [" Version /REL1", " Branch /main"]);
    let on_main = [
        " Version /main/0",
        " Version /main/1",
        " Version /main/2",
        &format!(
            " Version /main/CHECKEDOUT.{} from /main/2",
            fixture.vob.element(FOO).unwrap().checkouts[0].number
        ),
        " Version /main/LATEST",
        " Version /main/REL1",
        " Branch /main/fix",
    ];
    assert_eq!(list("foo.c@@/main"), on_main);
    assert_eq!(list("src@@/main/1"), ["bar.c FileElement"]);
    assert_eq!(
        list("src@@/main/1/bar.c/main"),
        [
            " Version /main/1/bar.c/main/0",
            " Version /main/1/bar.c/main/1",
            " Version /main/1/bar.c/main/LATEST"
        ]
    );
    let own = |typed: &str| rows(&fixture, &[typed], OBJECT);
    assert_eq!(own("foo.c@@/main/LATEST"), [" Version /main/2"]);
    assert_eq!(own("foo.c@@/REL1"), [" Version /main/1"]);
    assert_eq!(own("foo.c@@/main/fix"), [" Branch /main/fix"]);
    assert_eq!(own("foo.c@@"), [" FileElement"]);
    assert_eq!(own("src@@/main/1/bar.c/main/LATEST"), [" Version /main/1/bar.c/main/LATEST"]);
    assert_eq!(own("foo.c@@/main/9"), [" NoSuchFile"]);
}

#[test]
fn a_listing_stops_when_nobody_reads_it() {
    let fixture = Fixture::new();
    let request = ListRequest {
        context: fixture.context(),
        scope: ListScope::Recurse.into(),
        ..ListRequest::default()
    };
    let mut sent = 0;
    let mut send = |_| {
        sent += 1;
        sent < 2
    };
    fixture.server.list(&fixture.caller, &request, &mut send).unwrap();
    assert_eq!(sent, 2);
}
