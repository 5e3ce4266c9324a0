//! Which version a spec picks, by which rule, and why not by earlier ones.

use clerestory_specs::{ErrorReason, Miss, RuleIndex, Selection};

use crate::support::{Element, Types, compile, walk};

const TREE: &str = "
    /main/0 @1-Jan-2024
    /main/1 @2-Jan-2024
    /main/2 @10-Jan-2024 REL1
    /main/4 @1-Feb-2024
    /main/a/0 @3-Jan-2024
    /main/a/1 @20-Jan-2024
    /main/a/b/0 @21-Jan-2024 REL2
    /main/c/0 @1-Feb-2024
    /main/c/b/0 @2-Feb-2024
    /main/c/b/1 @3-Feb-2024 REL2";

/// What a spec picks for `src/x.c`, in short: `VERSION by RULE`.
fn pick(spec: &str, element: &Element) -> String {
    let bound = compile(spec).bind(&Types, b"/vobs/p");
    match bound.select(&walk(&bound, b"src/x.c"), element) {
        Selection::Version { branch, number, rule } => {
            format!("{}/{number} by {}", element.branch_path(branch), rule.0)
        }
        Selection::CheckedOut { rule } => format!("checked out by {}", rule.0),
        Selection::None { rule: Some(RuleIndex(rule)) } => format!("none by {rule}"),
        Selection::None { rule: None } => "none".to_owned(),
        Selection::Error { rule, reason: ErrorReason::ErrorRule } => format!("error by {}", rule.0),
        Selection::Error { rule, reason: ErrorReason::Ambiguous } => format!("ambiguous by {}", rule.0),
    }
}

#[test]
fn selectors_pick_versions() {
    let table = [
        ("/main/LATEST", "/main/4 by 0"),
        ("main/LATEST", "/main/4 by 0"),
        ("/main/LATEST -time 31-Jan-2024", "/main/2 by 0"),
        ("/main/LATEST -time 2-Jan-2024", "/main/1 by 0"),
        ("/main/LATEST -time 1-Dec-2023", "none"),
        ("/main/1", "/main/1 by 0"),
        ("/main/1 -time 1-Dec-2023", "/main/1 by 0"),
        ("/main/3", "none"),
        ("/main/REL1", "/main/2 by 0"),
        ("/main/REL2", "none"),
        ("/main/a/LATEST", "/main/a/1 by 0"),
        ("/main/a/LATEST -time 2-Jan-2024", "none"),
        ("/main/a/b/LATEST", "/main/a/b/0 by 0"),
        ("/a/LATEST", "none"),
        ("/main/b/LATEST", "none"),
        ("/main/nosuch/LATEST", "none"),
        (".../main/LATEST", "/main/4 by 0"),
        (".../a/LATEST", "/main/a/1 by 0"),
        (".../a/1", "/main/a/1 by 0"),
        (".../a/2", "none"),
        (".../b/LATEST", "ambiguous by 0"),
        (".../b/0", "ambiguous by 0"),
        (".../b/1", "/main/c/b/1 by 0"),
        (".../b/LATEST -time 1-Feb-2024", "/main/a/b/0 by 0"),
        (".../b/REL2", "ambiguous by 0"),
        (".../c/b/REL2", "/main/c/b/1 by 0"),
        (".../c/b/LATEST", "/main/c/b/1 by 0"),
        (".../main/c/b/LATEST", "/main/c/b/1 by 0"),
        (".../main/.../c/b/LATEST", "/main/c/b/1 by 0"),
        ("/main/.../a/LATEST", "/main/a/1 by 0"),
        ("/main/.../b/LATEST", "ambiguous by 0"),
        ("/main/.../main/LATEST", "none"),
        ("/main/c/.../b/LATEST", "/main/c/b/1 by 0"),
        ("/main/c/.../REL2", "/main/c/b/1 by 0"),
        ("/main/.../REL1", "/main/2 by 0"),
        (".../a/.../REL2", "/main/a/b/0 by 0"),
        (".../.../b/1", "/main/c/b/1 by 0"),
        (".../REL1", "/main/2 by 0"),
        ("REL1", "/main/2 by 0"),
        ("REL2", "ambiguous by 0"),
        ("NOSUCH", "none"),
        ("CHECKEDOUT", "none"),
        ("-none", "none by 0"),
        ("-error", "error by 0"),
    ];
    for (selector, expected) in table {
        assert_eq!(pick(&format!("element * {selector}"), &Element::new(TREE)), expected, "{selector}");
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let element = Element { checked_out: true, element_type: 2, ..Element::new(TREE) };
    let table = [
        ("element * CHECKEDOUT\nelement * /main/LATEST", "checked out by 0"),
        ("element * /main/LATEST\nelement * CHECKEDOUT", "/main/4 by 0"),
        ("element x.h /main/0\nelement x.c /main/1\nelement * /main/LATEST", "/main/1 by 1"),
        ("element -directory * /main/0\nelement -file * /main/1", "/main/1 by 1"),
        ("element -eltype file * /main/0\nelement -eltype text_file * /main/1", "/main/1 by 1"),
        ("element -eltype nosuch * /main/0\nelement * -none\nelement * /main/1", "none by 1"),
        ("element * NOSUCH\nelement * .../a/LATEST\nelement * /main/LATEST", "/main/a/1 by 1"),
        ("element * REL2\nelement * /main/LATEST", "ambiguous by 0"),
        ("element y.c /main/LATEST", "none"),
        ("", "none"),
    ];
    for (spec, expected) in table {
        assert_eq!(pick(spec, &element), expected, "{spec}");
    }
}

#[test]
fn explanations_name_the_reason_of_every_earlier_rule() {
    let table = [
        ("/vobs/q/... -none", Miss::OtherVob),
        ("x.h -none", Miss::Pattern),
        ("-directory", Miss::Scope),
        ("-eltype nosuch", Miss::NoSuchElementType),
        ("* /main/nosuch/LATEST", Miss::NoSuchBranchType),
        ("* /main/b/LATEST", Miss::NoSuchBranch),
        ("* .../main/main/3", Miss::NoSuchBranch),
        ("* NOSUCH", Miss::NoSuchLabelType),
        ("* .../a/NOSUCH", Miss::NoSuchLabelType),
        ("* /main/REL2", Miss::NotLabelled),
        ("* /main/3", Miss::NoSuchVersion),
        ("* .../a/9", Miss::NoSuchVersion),
        ("* /main/c/LATEST -time 1-Jan-2024", Miss::BranchYoungerThanTime),
        ("* CHECKEDOUT", Miss::NotCheckedOut),
    ];
    let rule = |text: &str| match text.strip_prefix('-') {
        Some(_) => format!("element {text} * -none\n"),
        None => format!("element {text}\n"),
    };
    let spec: String = table.iter().map(|(text, _)| rule(text)).collect();
    let bound = compile(&format!("{spec}element * /main/1")).bind(&Types, b"/vobs/p");
    let (selection, misses) = bound.select_explained(&walk(&bound, b"src/x.c"), &Element::new(TREE));
    assert_eq!(misses, table.map(|(_, miss)| miss));
    let Selection::Version { rule, .. } = selection else { panic!("{selection:?}") };
    assert_eq!(bound.rule(rule).text, b"element * /main/1");
}

/// The worked example of a bug-fix view: a documentation tree hidden, a base label, a cut-off, a branch.
#[test]
fn a_bugfix_view_selects_as_worked_out_by_hand() {
    let spec = "element * CHECKEDOUT
        element -eltype directory /vobs/p/doc/... /main/LATEST
        element /vobs/p/doc/... -none
        element * .../a/LATEST
        time 10-Jan-2024.19:00
        mkbranch a
        element * REL1
        element * /main/LATEST
        end mkbranch
        end time
        element * /main/0 -mkbranch a";
    let bound = compile(spec).bind(&Types, b"/vobs/p/");
    let select = |path: &str, tree: &str, element_type| {
        let element = Element { element_type, ..Element::new(tree) };
        let selection = bound.select(&walk(&bound, path.as_bytes()), &element);
        match selection {
            Selection::Version { branch, number, rule } => {
                format!("{}/{number} {}", element.branch_path(branch), bound.rule(rule).selector_text)
            }
            other => format!("{other:?}"),
        }
    };
    assert_eq!(select("doc", "/main/0\n/main/1", 1), "/main/1 /main/LATEST");
    assert_eq!(select("doc/a.txt", TREE, 0), "None { rule: Some(RuleIndex(2)) }");
    assert_eq!(select("src/x.c", "/main/0\n/main/4 REL1\n/main/5", 0), "/main/4 REL1 [-mkbranch a]");
    assert_eq!(
        select("src/x.c", "/main/0\n/main/4 REL1\n/main/a/0 @1-Mar-2024", 0),
        "/main/a/0 .../a/LATEST"
    );
    assert_eq!(
        select("src/y.c", "/main/0 @9-Jan-2024\n/main/1 @11-Jan-2024", 0),
        "/main/0 /main/LATEST [-mkbranch a]"
    );
    assert_eq!(
        select("src/y.c", "/main/0 @11-Jan-2024\n/main/1 @11-Jan-2024", 0),
        "/main/0 /main/0 -mkbranch a"
    );
}

#[test]
fn the_root_branch_may_have_any_type() {
    let element = Element::new("/a/0\n/a/1\n/a/main/0");
    assert_eq!(pick("element * /main/LATEST\nelement * /a/LATEST", &element), "/a/1 by 1");
    assert_eq!(pick("element * .../main/LATEST", &element), "/a/main/0 by 0");
}

#[test]
fn an_ambiguous_rule_names_its_candidates() {
    let element = Element::new(TREE);
    let fitting = |selector: &str| {
        let bound = compile(&format!("element * {selector}")).bind(&Types, b"/vobs/p");
        let mut found = Vec::new();
        bound.each_fitting(RuleIndex(0), &element, &mut |branch, number| {
            found.push(format!("{}/{number}", element.branch_path(branch)));
        });
        found
    };
    assert_eq!(fitting(".../b/LATEST"), ["/main/a/b/0", "/main/c/b/1"]);
    assert_eq!(fitting("REL2"), ["/main/a/b/0", "/main/c/b/1"]);
    assert_eq!(fitting("REL1"), ["/main/2"]);
    assert_eq!(fitting("{lbtype(REL2) && brtype(b)}"), ["/main/a/b/0", "/main/c/b/1"]);
    assert!(fitting("CHECKEDOUT").is_empty());
}
