//! What an uncheckout tells beforehand, and that it is one change.

use super::super::facts::tests::{BAR, FOO, Fixture, OWN, SRC, change, text};
use super::*;
use crate::vob::state::predefined;
use crate::vob::{ElementNo, Entry, Oid, VersionNo};

const NEW: ElementNo = ElementNo(6);
const OTHER: ElementNo = ElementNo(7);

/// Root, `src` and `bar.c` are checked out; `new` is in root and `src`, `other` in `src` alone.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    for element in [ElementNo::ROOT, SRC] {
        let newest = fixture.vob.element(element).unwrap().versions.len() as u32 - 1;
        fixture.check_out(2000, element, OWN, "v", VersionNo(newest));
    }
    fixture.check_out(2001, BAR, OWN, "v", VersionNo(1));
    fixture.data(BAR);
    let make = |number: ElementNo| Operation::CreateElement {
        number,
        oid: Oid([number.0 as u8; 16]),
        kind: ElementKind::File,
        element_type: predefined::TEXT_FILE,
        owner: 0,
        group: 0,
        mode: 0o644,
    };
    let catalog = |directory, name, number| Operation::ChangeDirectory {
        element: directory,
        view: OWN,
        changes: vec![change(name, Some(Entry::Element(number)))],
        note: String::new(),
    };
    let operations = vec![
        make(NEW),
        make(OTHER),
        catalog(ElementNo::ROOT, "new", NEW),
        catalog(SRC, "again", NEW),
        catalog(SRC, "other", OTHER),
    ];
    fixture.commit(2010, "anne", "made", &[], operations);
    fixture
}

/// For each argument the names that were told, or the code of its failure.
fn cancel(fixture: &Fixture, names: &[&str], only_tell: bool) -> Vec<Vec<String>> {
    let argument = |name: &&str| UncheckoutArgument { pname: Some(fixture.pname(name)), private_copy: 0 };
    let request = UncheckoutRequest {
        context: fixture.context(),
        arguments: names.iter().map(argument).collect(),
        only_tell,
    };
    let reply = fixture.server.cancel_check_out(&fixture.caller, &request).unwrap();
    let told = |outcome: UncheckoutOutcome| match outcome.outcome.unwrap() {
        uncheckout_outcome::Outcome::Done(done) => {
            done.notices.iter().map(|notice| text(&notice.name)).collect()
        }
        uncheckout_outcome::Outcome::Failure(failure) => vec![format!("{:?}", failure.code())],
    };
    reply.outcomes.into_iter().map(told).collect()
}

fn events(fixture: &Fixture) -> u32 {
    fixture.vob.vob.state().header.events
}

#[test]
fn what_is_told_beforehand_is_what_happens_then() {
    let fixture = fixture();
    let names = [".", "notes", "src", "src/bar.c", "src", "hidden.c"];
    let expected: [&[&str]; 6] =
        [&[], &["NotAVobObject"], &["again", "other"], &[], &["NotCheckedOut"], &["NotCheckedOut"]];
    let before = events(&fixture);
    assert_eq!(cancel(&fixture, &names, true), expected);
    assert_eq!(events(&fixture), before);
    assert!(fixture.vob.element(BAR).unwrap().checkout_of(&OWN).is_some());
    // All of it is one change.
    assert_eq!(cancel(&fixture, &names, false), expected);
    assert_eq!(events(&fixture), before + 1);
    let left = fixture.vob.vob.checked_out().unwrap();
    assert_eq!(left, [FOO], "to the other view");
    let there = fixture
        .vob
        .vob
        .directory(ElementNo::LOST_AND_FOUND, crate::vob::apply::DirectoryAt::Version(VersionNo::ROOT));
    let there: Vec<String> = there.unwrap().iter().map(|(name, _)| text(name)).collect();
    assert_eq!(there, [format!("again.{}", Oid([6; 16])), format!("other.{}", Oid([7; 16]))]);
    // Nothing is left to cancel.
    assert_eq!(cancel(&fixture, &["."], true), [["NotCheckedOut"]]);
}

#[test]
fn one_directory_alone_orphans_what_nothing_else_names() {
    let fixture = fixture();
    assert_eq!(cancel(&fixture, &["src"], true), [["other"]]);
    assert_eq!(cancel(&fixture, &["."], false), [[""; 0]]);
    assert_eq!(cancel(&fixture, &["src"], false), [["again", "other"]]);
}
