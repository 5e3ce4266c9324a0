//! What rules take from blocks and clauses around them, and from included files; what the rules say of themselves.

use std::path::Path;

use clerestory_specs::{ConfigSpec, Scope, Selector};

use crate::support::{compile, compile_with};

/// Per rule: selector text, branch to make, cut-off in seconds.
fn shown(spec: &ConfigSpec) -> Vec<(String, Option<&str>, Option<i64>)> {
    let rules = spec.rules().iter();
    rules
        .map(|rule| {
            let time_s = rule.time.map(|time| time / 1_000_000_000);
            (rule.selector_text.clone(), rule.mkbranch.as_deref(), time_s)
        })
        .collect()
}

#[test]
fn blocks_and_clauses_decide_the_branch() {
    let table = [
        ("element * L -mkbranch b", "L -mkbranch b", Some("b")),
        ("element * L -mkbranch b -override", "L -mkbranch b", Some("b")),
        ("mkbranch a; element * L", "L [-mkbranch a]", Some("a")),
        ("mkbranch a; element * /main/3", "/main/3 [-mkbranch a]", Some("a")),
        ("mkbranch a; element * L -mkbranch b", "L -mkbranch b", Some("b")),
        ("mkbranch a -override; element * L -mkbranch b", "L [-mkbranch a]", Some("a")),
        ("mkbranch a; mkbranch b; element * L", "L [-mkbranch b]", Some("b")),
        ("mkbranch a -override; mkbranch b; element * L", "L [-mkbranch a]", Some("a")),
        ("mkbranch a -override; mkbranch b -override; element * L", "L [-mkbranch a]", Some("a")),
        ("mkbranch a; mkbranch b -override; element * L -mkbranch c", "L [-mkbranch b]", Some("b")),
        ("mkbranch a; mkbranch b; end mkbranch b; element * L", "L [-mkbranch a]", Some("a")),
        ("mkbranch a; end mkbranch; element * L", "L", None),
        ("mkbranch a; element * CHECKEDOUT", "CHECKEDOUT", None),
        ("mkbranch a; element * -none", "-none", None),
        ("mkbranch a; element * -error", "-error", None),
    ];
    for (text, selector, branch) in table {
        assert_eq!(shown(&compile(text)), [(selector.to_owned(), branch, None)], "{text}");
    }
}

#[test]
fn blocks_and_clauses_decide_the_time() {
    let (may, june) = (1_714_521_600, 1_717_200_000);
    let table = [
        ("element * /main/LATEST -time 2024-05-01T00:00Z", Some(may)),
        ("time 2024-05-01T00:00Z; element * /main/LATEST", Some(may)),
        ("time 2024-05-01T00:00Z; element * .../a/LATEST -time 2024-06-01T00:00Z", Some(june)),
        ("time 2024-05-01T00:00Z; time 2024-06-01T00:00Z; element * /main/LATEST", Some(june)),
        ("time 2024-05-01T00:00Z; time now; end time; element * /main/LATEST", Some(may)),
        ("time 2024-05-01T00:00Z; end time 1-May-2024; element * /main/LATEST", None),
        ("time 2024-05-01T00:00Z; element * /main/3", None),
        ("time 2024-05-01T00:00Z; element * REL1", None),
        ("element * CHECKEDOUT -time 2024-05-01T00:00Z", None),
    ];
    for (text, expected) in table {
        assert_eq!(compile(text).rules()[0].time, expected.map(|time: i64| time * 1_000_000_000), "{text}");
    }
}

#[test]
fn blocks_last_to_the_end_of_the_spec() {
    let spec = compile("time 1-Jan-2024\nmkbranch a\nelement x REL1\nelement * /main/LATEST");
    assert!(spec.rules().iter().all(|rule| rule.mkbranch.as_deref() == Some("a")));
}

#[test]
fn layout_does_not_matter() {
    let spec = compile(
        "\u{feff}# comment ; element broken\r\n\r\n  \telement   *\tCHECKEDOUT ;; # after a rule\r\n\
         element -file a#b REL1;Element '-x' /main/1 -nocheckout;\n##:Key: \"value\nload /vobs/p \"/a b\"",
    );
    let rules: Vec<_> = spec.rules().iter().map(|rule| (rule.line, rule.text.as_slice())).collect();
    let expected: [(u32, &[u8]); 3] = [
        (3, b"element   *\tCHECKEDOUT"),
        (4, b"element -file a#b REL1"),
        (4, b"Element '-x' /main/1 -nocheckout"),
    ];
    assert_eq!(rules, expected);
    assert_eq!(spec.rules()[1].scope, Scope::File);
    assert_eq!(spec.rules()[2].pattern_text, b"-x");
    assert!(spec.rules()[2].no_checkout && !spec.rules()[1].no_checkout);
    assert_eq!(spec.rules()[0].selector, Selector::CheckedOut);
}

#[test]
fn an_empty_spec_has_no_rules() {
    assert!(compile("").rules().is_empty());
    assert!(compile("# nothing\n;;\n").rules().is_empty());
}

#[test]
fn included_rules_stand_in_their_place() {
    let files = [
        ("dir/one", "element 1 -none; include two;\nelement 3 -none\nmkbranch a"),
        ("dir/two", "element 2 -none"),
    ];
    let spec =
        compile_with(b"element 0 -none; include dir/one\nelement 4 REL1\nend mkbranch", &files).unwrap();
    let rules: Vec<_> = spec.rules().iter().map(|rule| rule.pattern_text.as_slice()).collect();
    assert_eq!(rules, [b"0", b"1", b"2", b"3", b"4"]);
    assert_eq!((spec.rules()[2].file.as_path(), spec.rules()[2].line), (Path::new("dir/two"), 1));
    assert_eq!(spec.rules()[4].mkbranch.as_deref(), Some("a"), "a block outlives the file that opened it");
}

#[test]
fn a_file_may_be_included_twice_in_succession() {
    let spec = compile_with(b"include one\ninclude one", &[("one", "element * -none")]).unwrap();
    assert_eq!(spec.rules().len(), 2);
}

#[test]
fn the_default_spec_is_shared_between_threads() {
    fn check<T: Send + Sync + Clone>(_: &T) {}
    check(&compile("element * CHECKEDOUT\nelement * /main/LATEST"));
}
