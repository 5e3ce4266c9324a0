//! Walking a path level by level, against a matcher that sees the whole path at once; and names and states that
//! nobody should give.

use clerestory_specs::{BoundSpec, ConfigSpec, MAX_PATTERN_BYTES, Miss, RuleIndex, Selection};
use proptest::prelude::*;
use proptest::sample::select;
use regex::bytes::Regex;

use crate::support::{Element, Types, compile, compile_with, faults, walk};

/// A component as the spec has it, and what a whole name must look like; `None` for `...`.
fn component() -> impl Strategy<Value = (&'static str, Option<&'static str>)> {
    select(vec![
        ("...", None),
        ("...", None),
        ("*", Some(".*")),
        ("a", Some("a")),
        ("b", Some("b")),
        ("ab", Some("ab")),
        ("vobs", Some("vobs")),
        ("p", Some("p")),
        ("a*", Some("a.*")),
        ("ab*", Some("ab.*")),
        ("*b", Some(".*b")),
        ("*ab", Some(".*ab")),
        ("?", Some(".")),
        ("a?*", Some("a..*")),
        ("?*b", Some("..*b")),
        ("*a*", Some(".*a.*")),
        ("a*b", Some("a.*b")),
        ("ab*ba", Some("ab.*ba")),
        ("[a-b]", Some("[a-b]")),
        ("[^a]b", Some("[\\^a]b")),
        ("[]-a]*", Some("[\\]-a].*")),
        ("a*[b]a", Some("a.*[b]a")),
    ])
}

#[derive(Clone, Debug)]
struct WholePattern {
    text: String,
    absolute: bool,
    components: Vec<Option<&'static str>>,
}

impl WholePattern {
    fn matches(&self, path: &[&[u8]]) -> bool {
        if self.absolute {
            return fits(&self.components, path);
        }
        let full: Vec<&[u8]> = [b"vobs".as_slice(), b"p"].into_iter().chain(path.iter().copied()).collect();
        (0..=full.len()).any(|start| fits(&self.components, &full[start..]))
    }
}

fn fits(components: &[Option<&str>], path: &[&[u8]]) -> bool {
    match (components, path) {
        ([], path) => path.is_empty(),
        ([None, after @ ..], path) => (0..=path.len()).any(|start| fits(after, &path[start..])),
        ([Some(regex), after @ ..], [name, below @ ..]) => {
            Regex::new(&format!("(?s-u)^(?:{regex})$")).unwrap().is_match(name) && fits(after, below)
        }
        ([Some(_), ..], []) => false,
    }
}

fn pattern() -> impl Strategy<Value = WholePattern> {
    (any::<bool>(), prop::collection::vec(component(), 1..5)).prop_map(|(absolute, components)| {
        let (texts, components): (Vec<&str>, Vec<_>) = components.into_iter().unzip();
        let start = if absolute { "/vobs/p/" } else { "" };
        WholePattern { text: format!("{start}{}", texts.join("/")), absolute, components }
    })
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let short = prop::collection::vec(prop_oneof![6 => select(b"ab".to_vec()), 1 => 1..=255_u8], 1..4);
    short.prop_map(|name| name.into_iter().map(|byte| if byte == b'/' { b'a' } else { byte }).collect())
}

fn bind_all(patterns: &[WholePattern], selector: &str) -> BoundSpec {
    let line = |pattern: &WholePattern| format!("element {} {selector}\n", pattern.text);
    compile(&patterns.iter().map(line).collect::<String>()).bind(&Types, b"/vobs/p")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Also of states with many live nodes, hence the number of patterns.
    #[test]
    fn level_by_level_is_the_whole_path_at_once(
        patterns in prop::collection::vec(pattern(), 1..40),
        path in prop::collection::vec(name(), 0..5),
    ) {
        let names: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        let expected: Vec<bool> = patterns.iter().map(|pattern| pattern.matches(&names)).collect();

        let undecided = bind_all(&patterns, "CHECKEDOUT");
        let at = walk(&undecided, &names.join(&b'/'));
        let element = Element::new("/main/0");
        let (selection, misses) = undecided.select_explained(&at, &element);
        prop_assert_eq!(selection, Selection::None { rule: None });
        prop_assert_eq!(undecided.select(&at, &element), selection);
        let matched: Vec<bool> = misses.into_iter().map(|miss| miss == Miss::NotCheckedOut).collect();
        prop_assert_eq!(&matched, &expected, "{:?}", patterns);
        prop_assert_eq!(undecided.any_rule_matches(&at), expected.contains(&true));

        let decided = bind_all(&patterns, "-none");
        let at = walk(&decided, &names.join(&b'/'));
        let first = expected.iter().position(|&matches| matches).map(|rule| RuleIndex(rule as u32));
        prop_assert_eq!(decided.select(&at, &element), Selection::None { rule: first });
    }

    #[test]
    fn a_state_of_another_spec_does_no_harm(
        ours in prop::collection::vec(pattern(), 0..4),
        theirs in prop::collection::vec(pattern(), 0..40),
        path in prop::collection::vec(name(), 0..4),
        selector in select(vec!["CHECKEDOUT", "-none", "/main/LATEST"]),
    ) {
        let element = Element::new("/main/0");
        for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
            let (ours, theirs) = (bind_all(ours, selector), bind_all(theirs, selector));
            let foreign = walk(&theirs, &path.join(&b'/'));
            let below = ours.descend(&foreign, b"ab");
            for at in [foreign, below] {
                ours.any_rule_matches(&at);
                let decided = match ours.select(&at, &element) {
                    Selection::Version { rule, .. } | Selection::Error { rule, .. } => Some(rule),
                    Selection::CheckedOut { rule } => Some(rule),
                    Selection::None { rule } => rule,
                };
                if let Some(rule) = decided {
                    ours.rule(rule);
                }
                ours.select_explained(&at, &element);
            }
        }
    }

    #[test]
    fn no_name_makes_selection_panic(
        patterns in prop::collection::vec(pattern(), 0..12),
        path in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5),
    ) {
        let bound = bind_all(&patterns, "/main/LATEST");
        let element = Element::new("/main/0");
        let at = path.iter().fold(bound.at_vob_root(), |state, name| bound.descend(&state, name));
        prop_assert_eq!(bound.select(&at, &element), bound.select_explained(&at, &element).0);
    }
}

/// A path in the middle of many patterns at once, each behind a `...` of its own.
#[test]
fn rules_keep_their_order_where_many_patterns_are_live() {
    for count in [5, 7, 8, 23, 24, 25, 300] {
        // Longer prefixes are met later in the first half, which never matches, and earlier in the second.
        let unmet = (1..=count).map(|i| format!("element {}*/.../b -none\n", "a".repeat(i)));
        let rules = (1..=count).map(|i| format!("element {}*/... /main/{i}\n", "a".repeat(count + 1 - i)));
        let bound = compile(&unmet.chain(rules).collect::<String>()).bind(&Types, b"/vobs/p");
        let names: Vec<String> = (1..=count).map(|i| "a".repeat(i)).collect();
        let at = walk(&bound, names.join("/").as_bytes());
        for number in [1, count / 2, count] {
            let selection = bound.select(&at, &Element::new(&format!("/main/{number}")));
            let rule = RuleIndex((count + number) as u32 - 1);
            assert_eq!(selection, Selection::Version { branch: 0, number: number as u32, rule }, "{count}");
        }
        assert_eq!(bound.select(&at, &Element::new("/main/999")), Selection::None { rule: None });
        assert_eq!(walk(&bound, (names.join("/") + "/z").as_bytes()), at, "{count}");
    }
}

/// Rules that cannot decide in a VOB are passed over, and yet their pattern speaks of the path.
#[test]
fn rules_without_their_types_still_match() {
    let bound = compile("element a NOSUCH\nelement -eltype nosuch b -none").bind(&Types, b"/vobs/p");
    let element = Element::new("/main/0");
    for (name, miss) in [("a", Miss::NoSuchLabelType), ("b", Miss::NoSuchElementType)] {
        let at = walk(&bound, name.as_bytes());
        assert!(bound.any_rule_matches(&at));
        assert_eq!(bound.select(&at, &element), Selection::None { rule: None });
        assert!(bound.select_explained(&at, &element).1.contains(&miss));
    }
    assert!(!bound.any_rule_matches(&walk(&bound, b"c")));
    let everywhere = compile("element * NOSUCH").bind(&Types, b"/vobs/p");
    assert!(everywhere.any_rule_matches(&walk(&everywhere, b"c")));
}

#[test]
fn patterns_are_measured_to_the_limit_and_no_further() {
    let spec = |bytes: usize| format!("element {} -none", "a/".repeat(bytes).split_at(bytes).0).into_bytes();
    let compiled = |bytes| -> ConfigSpec { compile_with(&spec(bytes), &[]).unwrap() };
    for bytes in [MAX_PATTERN_BYTES - 1, MAX_PATTERN_BYTES] {
        let bound = compiled(bytes).bind(&Types, b"/vobs/p");
        let path = "a/".repeat(bytes.div_ceil(2));
        assert!(bound.any_rule_matches(&walk(&bound, path.as_bytes())));
        assert!(!bound.any_rule_matches(&walk(&bound, &path.as_bytes()[2..])));
    }
    assert_eq!(faults(&spec(MAX_PATTERN_BYTES + 1), &[]), ["spec:1:9: pattern is longer than 4095 bytes"]);
}
