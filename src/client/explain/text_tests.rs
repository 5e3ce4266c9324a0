//! The lines of explanations.

use super::*;
use crate::client::dates::{DateStyle, Dates};
use crate::server::proto::{FollowedLink, MissedRule, RuleMiss, RuleScope};
use jiff::tz::TimeZone;

fn dates() -> Dates {
    Dates::new(DateStyle::Iso, TimeZone::UTC, 0)
}

fn rule(file: &str, line: u32, text: &str) -> ExplainedRule {
    ExplainedRule { file: file.into(), line, text: text.into(), ..ExplainedRule::default() }
}

fn element(state: ElementState) -> ExplainedElement {
    ExplainedElement {
        state: state.into(),
        element_type: b"text_file".to_vec(),
        oid: "OID".into(),
        ..ExplainedElement::default()
    }
}

fn explanation(finding: Finding) -> Explanation {
    Explanation {
        view_tag: "v".into(),
        vob_tag: b"/vobs/x".to_vec(),
        path: b"/vobs/x/src/a.c".to_vec(),
        finding: Some(finding),
        ..Explanation::default()
    }
}

fn page(explanation: &Explanation, typed: &str) -> String {
    let lines = lines(explanation, typed.as_bytes(), &dates());
    lines.iter().map(|line| String::from_utf8_lossy(line) + "\n").collect()
}

#[test]
fn the_name_stands_first_and_the_rules_below_it() {
    let mut chosen = rule("/s/spec", 8, "element * REL1");
    chosen.make_branch = b"bugfix".to_vec();
    chosen.imposed_branch = true;
    chosen.not_after_s = Some(0);
    let missed = |rule: ExplainedRule, why: RuleMiss| MissedRule {
        rule: Some(rule),
        why: why.into(),
        type_name: b"T".to_vec(),
    };
    let trail = RuleTrail {
        decided_by: Some(chosen),
        missed: vec![
            missed(rule("/s/spec", 2, "element * CHECKEDOUT"), RuleMiss::NotCheckedOut),
            missed(rule("/s/common", 10, "element *.h REL2"), RuleMiss::Pattern),
        ],
    };
    let told = ExplainedElement { version: b"/main/4".to_vec(), ..element(ElementState::Version) };
    let name = ExplainedName { object: Some(Object::Element(told)), trail: Some(trail) };
    assert_eq!(
        page(&explanation(Finding::Name(name)), "src/a.c"),
        "\
src/a.c -> src/a.c@@/main/4  (version; type text_file; oid OID)
  selected by  /s/spec:8  element * REL1 [-mkbranch bugfix]
    LATEST is the newest not after 1970-01-01T00:00:00+00:00
  rules before it:
    spec:2     element * CHECKEDOUT  not checked out to view \"v\"
    common:10  element *.h REL2      pattern: does not match
"
    );
}

#[test]
fn files_that_share_their_last_name_have_their_paths() {
    let rules =
        [rule("/a/spec", 1, ""), rule("/b/spec", 2, ""), rule("/b/other", 3, ""), rule("/a/spec", 4, "")];
    let places = places(rules.iter());
    let place = |file: &str| String::from_utf8_lossy(places[file.as_bytes()]).into_owned();
    assert_eq!((place("/a/spec"), place("/b/spec")), ("/a/spec".into(), "/b/spec".into()));
    assert_eq!(place("/b/other"), "other");
}

#[test]
fn a_name_on_the_way_is_called_as_it_was_typed() {
    let of = |typed: &str, below: &str, links: usize| {
        let told = Explanation {
            path: b"/vobs/x/src".to_vec(),
            below: below.into(),
            links: vec![FollowedLink::default(); links],
            ..Explanation::default()
        };
        String::from_utf8(subject(&told, typed.as_bytes())).unwrap()
    };
    for (typed, below, links, expected) in [
        ("src/a.c", "/a.c", 0, "src"),
        ("./src//a.c", "/a.c", 0, "./src"),
        ("src/", "", 0, "src"),
        ("/", "", 0, "/"),
        ("a.c", "/a.c", 0, "/vobs/x/src"),
        ("/a.c", "/a.c", 0, "/vobs/x/src"),
        ("src/a.c", "/a.c", 1, "/vobs/x/src"),
        ("gone.c@@/main/1", "@@/main/1", 0, "gone.c"),
    ] {
        assert_eq!(of(typed, below, links), expected, "{typed} {below}");
    }
}

#[test]
fn every_reason_has_words_of_its_own() {
    let element = element(ElementState::Version);
    let mut seen = std::collections::HashSet::new();
    for reason in (0..).map_while(|number| RuleMiss::try_from(number).ok()) {
        let missed = MissedRule { why: reason.into(), type_name: b"T".to_vec(), rule: None };
        let words = words::miss(&missed, Some(&element), "v", &dates());
        assert!(seen.insert(words.clone()), "{reason:?}: {}", String::from_utf8_lossy(&words));
    }
    assert!(seen.len() > 11);
    let scope = |scope: RuleScope, element: &ExplainedElement| {
        let rule = ExplainedRule { scope: scope.into(), ..ExplainedRule::default() };
        let missed = MissedRule { why: RuleMiss::Scope.into(), rule: Some(rule), ..MissedRule::default() };
        String::from_utf8(words::miss(&missed, Some(element), "v", &dates())).unwrap()
    };
    assert_eq!(scope(RuleScope::ElementType, &element), "scope: element type is text_file");
    assert_eq!(scope(RuleScope::Directory, &element), "scope: it is a file");
    let directory = ExplainedElement { directory: true, ..element };
    assert_eq!(scope(RuleScope::File, &directory), "scope: it is a directory");
}

#[test]
fn a_search_that_was_cut_says_so() {
    let directory =
        ExplainedElement { version: b"/main/9".to_vec(), directory: true, ..element(ElementState::Version) };
    let absence = ExplainedAbsence {
        directory: Some(ExplainedName { object: Some(Object::Element(directory)), trail: None }),
        sightings: Vec::new(),
        versions_read: 1000,
        search_cut: true,
    };
    assert_eq!(
        page(&explanation(Finding::Absence(absence)), "src/a.c"),
        "\
src/a.c: not visible: not catalogued in src@@/main/9, which the view selects
  catalogued in no version of the directory that was read
  only 1000 versions of the directory were read: older ones may have the name too
  the directory:
    src -> src@@/main/9  (directory version; type text_file; oid OID)
"
    );
}
