//! Which paths a pattern matches. Each line: pattern, the VOB, a path below it, whether it matches.

use crate::support::{Types, compile, compile_with, walk};

fn matches(pattern: &str, tag: &str, path: &str) -> bool {
    let bound = compile(&format!("element {pattern} -none")).bind(&Types, tag.as_bytes());
    bound.any_rule_matches(&walk(&bound, path.as_bytes()))
}

#[test]
fn patterns_match_paths() {
    const YES: bool = true;
    const NO: bool = false;
    let table = [
        ("*", "/vobs/p", "", YES),
        ("*", "/vobs/p", "a", YES),
        ("*", "/vobs/p", "a/b/c", YES),
        ("...", "/vobs/p", "a/b", YES),
        ("*.c", "/vobs/p", "x.c", YES),
        ("*.c", "/vobs/p", "src/x.c", YES),
        ("*.c", "/vobs/p", "x.c/y", NO),
        ("*.c", "/vobs/p", "x.h", NO),
        ("*.c", "/vobs/p", ".c", YES),
        ("x*", "/vobs/p", "deep/xyz", YES),
        ("x*", "/vobs/p", "yx", NO),
        ("a*b*c", "/vobs/p", "a--b--c", YES),
        ("a*b*c", "/vobs/p", "abd", NO),
        ("src/util.c", "/vobs/p", "src/util.c", YES),
        ("src/util.c", "/vobs/q", "a/b/src/util.c", YES),
        ("src/util.c", "/vobs/p", "src/a/util.c", NO),
        ("src/util.c", "/vobs/p", "xsrc/util.c", NO),
        ("src/*", "/vobs/p", "src/a", YES),
        ("src/*", "/vobs/p", "src", NO),
        ("src/*", "/vobs/p", "src/a/b", NO),
        ("src/*", "/vobs/p", "src/src/b", YES),
        ("src/", "/vobs/p", "src", YES),
        ("src//a", "/vobs/p", "src/a", YES),
        ("src/...", "/vobs/p", "src", YES),
        ("src/...", "/vobs/p", "src/a/b/c", YES),
        ("src/...", "/vobs/p", "x/src/a", YES),
        ("src/...", "/vobs/p", "x", NO),
        ("src/.../test.c", "/vobs/p", "src/test.c", YES),
        ("src/.../test.c", "/vobs/p", "src/a/test.c", YES),
        ("src/.../test.c", "/vobs/p", "src/a/b/test.c", YES),
        ("src/.../test.c", "/vobs/p", "src/a/b/best.c", NO),
        ("src/.../test.c", "/vobs/p", "a/test.c", NO),
        ("src/.../.../test.c", "/vobs/p", "src/test.c", YES),
        ("a/.../b/.../c", "/vobs/p", "a/b/b/x/c", YES),
        ("a/.../b/.../c", "/vobs/p", "a/x/c", NO),
        (".../a/*/b", "/vobs/p", "a/x/b", YES),
        ("p", "/vobs/p", "", YES),
        ("p/a", "/vobs/p", "a", YES),
        ("vobs/p/a", "/vobs/p", "a", YES),
        ("vobs/p/a", "/vobs/q", "a", NO),
        ("vobs/...", "/vobs/q", "a/b", YES),
        ("/vobs/p", "/vobs/p", "", YES),
        ("/vobs/p", "/vobs/p", "a", NO),
        ("/vobs/p/", "/vobs/p", "", YES),
        ("/vobs/p/*", "/vobs/p", "a", YES),
        ("/vobs/p/*", "/vobs/p", "", NO),
        ("/vobs/p/*", "/vobs/p", "a/b", NO),
        ("/vobs/p/*", "/vobs/q", "a", NO),
        ("/vobs/p/...", "/vobs/p", "", YES),
        ("/vobs/p/...", "/vobs/p", "a/b", YES),
        ("/vobs/p/...", "/vobs/q", "a/b", NO),
        ("/vobs/p/...", "/vobs/p/nested", "a", NO),
        ("/vobs/p/nested/a", "/vobs/p/nested", "a", YES),
        ("/vobs/p/src/...", "/vobs/p", "src", YES),
        ("/vobs/p/src/...", "/vobs/p", "x/src", NO),
        ("/vobs/p/.../src/*.c", "/vobs/p", "src/a.c", YES),
        ("/vobs/p/.../src/*.c", "/vobs/p", "x/y/src/a.c", YES),
        ("a?c", "/vobs/p", "abc", YES),
        ("a?c", "/vobs/p", "ac", NO),
        ("a?c", "/vobs/p", "a/c", NO),
        ("[abc]x", "/vobs/p", "bx", YES),
        ("[abc]x", "/vobs/p", "dx", NO),
        ("[a-cx-z]", "/vobs/p", "y", YES),
        ("[a-cx-z]", "/vobs/p", "m", NO),
        ("[a-]", "/vobs/p", "-", YES),
        ("[]a]", "/vobs/p", "]", YES),
        ("[[]x", "/vobs/p", "[x", YES),
        ("[*]", "/vobs/p", "*", YES),
        ("[*]", "/vobs/p", "a", NO),
        ("[!a]", "/vobs/p", "!", YES),
        ("[!a]", "/vobs/p", "b", NO),
        ("A.C", "/vobs/p", "a.c", NO),
        ("a.c", "/vobs/p", "axc", NO),
        ("a...b", "/vobs/p", "a...b", YES),
        ("a...b", "/vobs/p", "a/b", NO),
        ("\"my file\"", "/vobs/p", "my file", YES),
        ("'my dir/*'", "/vobs/p", "my dir/x", YES),
        ("'my dir'/*.c", "/vobs/p", "my dir/x.c", YES),
        ("'it\"s'", "/vobs/p", "it\"s", YES),
        ("\"a;b#c\"", "/vobs/p", "a;b#c", YES),
        ("a#b", "/vobs/p", "a#b", YES),
        ("'-file'", "/vobs/p", "-file", YES),
        ("a{b,c}", "/vobs/p", "a{b,c}", YES),
        ("a{b,c}", "/vobs/p", "ab", NO),
        ("~/vob/x", "/home/u/vob", "x", YES),
        ("~/vob/...", "/home/u/vob", "", YES),
        ("*~", "/vobs/p", "x~", YES),
        ("\"[cdcd50de68ad453bb336aeecac9d42f0=/vobs/q]/a b/...\"", "/vobs/q", "a b/c", YES),
        ("[cdcd50de.68ad453b.b336.ae:ec:ac:9d:42:f0=/vobs/q]/x", "/vobs/q", "x", YES),
        ("[cdcd50de68ad453bb336aeecac9d42f0=/vobs/q]", "/vobs/q", "", YES),
        ("[cdcd50de68ad453bb336aeecac9d42f0=/vobs/q]/x", "/vobs/p", "x", NO),
        ("[abc=x]", "/vobs/p", "=", YES),
    ];
    for (pattern, tag, path, expected) in table {
        assert_eq!(matches(pattern, tag, path), expected, "{pattern} on {path} of {tag}");
    }
}

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
