//! The candidates of a rule that fits several versions.

use clerestory_specs::RuleIndex;

use crate::support::{Element, Types, compile};

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
