//! What rules take from blocks and clauses around them, and from included files; what the rules say of themselves.

use std::path::Path;

use crate::support::{compile, compile_with};

#[test]
fn blocks_last_to_the_end_of_the_spec() {
    let spec = compile("time 1-Jan-2024\nmkbranch a\nelement x REL1\nelement * /main/LATEST");
    assert!(spec.rules().iter().all(|rule| rule.mkbranch.as_deref() == Some("a")));
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
