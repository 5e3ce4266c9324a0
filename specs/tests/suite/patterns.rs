//! What patterns do to states; which paths they match is in the corpus.

use crate::support::{Types, compile, compile_with, walk};

#[test]
fn patterns_and_names_are_bytes() {
    let spec = compile_with(b"element \xff[\xe0-\xef]?\xfe* -none", &[]).unwrap();
    let bound = spec.bind(&Types, b"/vobs/p");
    assert!(bound.any_rule_matches(&walk(&bound, b"x/\xff\xe8\n\xfe\x80")));
    assert!(!bound.any_rule_matches(&walk(&bound, b"x/\xff\xdf\n\xfe\x80")));
}

/// A rule is found among few as among many.
#[test]
fn specs_of_any_size_match_alike() {
    for count in [1, 20, 21, 22, 40, 500] {
        let text: String = (0..count).map(|i| format!("element d{i}/*.c -none\n")).collect();
        let bound = compile(&text).bind(&Types, b"/vobs/p");
        for i in [0, count - 1] {
            assert!(bound.any_rule_matches(&walk(&bound, format!("x/d{i}/a.c").as_bytes())), "{count}");
            assert!(!bound.any_rule_matches(&walk(&bound, format!("x/d{i}/a.h").as_bytes())), "{count}");
        }
        assert!(!bound.any_rule_matches(&walk(&bound, format!("d{count}/a.c").as_bytes())), "{count}");
    }
}

#[test]
fn states_below_a_directory_no_rule_speaks_of_are_equal() {
    let bound = compile("element /vobs/p/src/... -none\nelement * /main/LATEST").bind(&Types, b"/vobs/p");
    assert_eq!(walk(&bound, b"doc"), walk(&bound, b"doc/a/b/c"));
    assert_eq!(walk(&bound, b"src/a"), walk(&bound, b"src/b/c"));
    assert_ne!(walk(&bound, b"src"), walk(&bound, b"doc"));
}
