//! Random specs, paths and version trees, judged twice: by the crate, and by a naive twin that turns each whole
//! pattern and branch path into one regular expression and looks at every version.

use clerestory_specs::{ErrorReason, Miss, Query, QueryObject, RuleIndex, Selection};
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use crate::naive;
use crate::support::{ELEMENT_TYPES, Element, LABEL_TYPES, TAGS, Types, Version, compile, vob_tag_of, walk};

/// One rule as the twin sees it.
#[derive(Clone, Debug)]
struct TwinRule {
    scope: Option<&'static str>,
    pattern: String,
    /// Without its query.
    selector: String,
    /// Of a selector that is empty or a branch path with a slash at its end.
    query: Option<Query>,
    /// Seconds since 1970.
    time_s: Option<i64>,
}

impl TwinRule {
    fn text(&self) -> String {
        let scope = self.scope.unwrap_or_default();
        let time = self.time_s.map_or(String::new(), |time| format!(" -time 1970-01-01T00:00:{time:02}Z"));
        let query = self.query.as_ref().map_or(String::new(), |query| format!("{{{query}}}"));
        format!("element {scope} {} {}{query}{time}\n", self.pattern, self.selector)
    }

    fn matches_path(&self, tag: &str, path: &str) -> bool {
        let absolute = self.pattern.starts_with('/');
        if absolute && vob_tag_of(self.pattern.as_bytes()).unwrap() != tag.as_bytes() {
            return false;
        }
        let mut regex = String::from(if absolute { "^" } else { "^(/[^/]+)*" });
        for component in self.pattern.split('/').filter(|component| !component.is_empty()) {
            if component == "..." {
                regex.push_str("(/[^/]+)*");
                continue;
            }
            regex.push('/');
            for c in component.chars() {
                match c {
                    '*' => regex.push_str("[^/]*"),
                    '?' => regex.push_str("[^/]"),
                    '.' => regex.push_str("\\."),
                    c => regex.push(c),
                }
            }
        }
        Regex::new(&format!("{regex}$")).unwrap().is_match(&format!("{tag}{path}"))
    }

    fn in_scope(&self, element: &Element) -> bool {
        let element_type = ELEMENT_TYPES[element.element_type as usize];
        match self.scope {
            None => true,
            Some("-file") => element_type != "directory",
            Some("-directory") => element_type == "directory",
            Some(other) => other == format!("-eltype {element_type}"),
        }
    }

    /// All versions that the selector fits.
    fn versions(&self, element: &Element) -> Vec<(u32, u32)> {
        if self.selector == "-config /vobs/p/prog" {
            // The record that `support` finds: version 1 on /main/a of the element with the identity 7.
            return element.find("/main/a/1").filter(|_| element.identity == 7).into_iter().collect();
        }
        let (branches, wanted) = self.selector.rsplit_once('/').unwrap_or(("...", &self.selector));
        let mut regex = String::from("^");
        for component in branches.split('/').filter(|component| !component.is_empty()) {
            regex.push_str(&if component == "..." { "(/[^/]+)*".into() } else { format!("/{component}") });
        }
        let regex = Regex::new(&format!("{regex}$")).unwrap();
        let mut found = Vec::new();
        for (branch, index) in element.branches.iter().zip(0..) {
            if !regex.is_match(&element.branch_path(index)) {
                continue;
            }
            let old_enough =
                |version: &Version| self.time_s.is_none_or(|time| version.created_ns <= time * 1_000_000_000);
            let latest =
                branch.versions.iter().filter(|(_, version)| old_enough(version)).map(|(n, _)| *n).max();
            if let Some(query) = &self.query {
                let holding = branch.versions.keys().filter(|&&number| {
                    naive::holds(query, QueryObject::Version { branch: index, number }, element)
                });
                let newest = if self.selector.is_empty() { usize::MAX } else { 1 };
                found.extend(holding.rev().take(newest).map(|&number| (index, number)));
                continue;
            }
            for (&number, version) in &branch.versions {
                let label = LABEL_TYPES.iter().position(|label| *label == wanted);
                let fits = match wanted {
                    "LATEST" => latest == Some(number),
                    _ if wanted == number.to_string() => true,
                    _ => label.is_some_and(|label| version.labels.contains(&(label as u32))),
                };
                if fits {
                    found.push((index, number));
                }
            }
        }
        found
    }
}

fn twin_select(rules: &[TwinRule], tag: &str, path: &str, element: &Element) -> Selection {
    for (twin, index) in rules.iter().zip(0..) {
        let rule = RuleIndex(index);
        if !twin.in_scope(element) || !twin.matches_path(tag, path) {
            continue;
        }
        match twin.selector.as_str() {
            "-none" => return Selection::None { rule: Some(rule) },
            "-error" => {
                return Selection::Error { rule, reason: ErrorReason::ErrorRule };
            }
            "CHECKEDOUT" if element.checked_out => return Selection::CheckedOut { rule },
            "CHECKEDOUT" => continue,
            _ => {}
        }
        match twin.versions(element)[..] {
            [] => {}
            [(branch, number)] => return Selection::Version { branch, number, rule },
            _ => {
                return Selection::Error { rule, reason: ErrorReason::Ambiguous };
            }
        }
    }
    Selection::None { rule: None }
}

/// Names from few letters, so that patterns meet them often.
fn path() -> impl Strategy<Value = String> {
    let name = select(vec!["a", "b", "ab", "ba", "aab", "a.c", "src", "p", "..a", "nested"]);
    prop::collection::vec(name, 0..5)
        .prop_map(|names| names.iter().map(|name| format!("/{name}")).collect::<String>())
}

fn pattern() -> impl Strategy<Value = String> {
    let component = select(vec![
        "...",
        "...",
        "*",
        "a",
        "b",
        "ab",
        "a*",
        "*b",
        "?",
        "?b",
        "a?*",
        "*a*",
        "[ab]",
        "[a-b]*",
        "*.c",
        "[ab].[a-c]",
        "src",
        "p",
        "vobs",
        "nested",
    ]);
    let start = select(vec!["", "", "", "/vobs/p/", "/vobs/p/nested/", "/vobs/q/"]);
    (start, prop::collection::vec(component, 1..5))
        .prop_map(|(start, components)| format!("{start}{}", components.join("/")))
}

fn selector() -> impl Strategy<Value = String> {
    let step = select(vec!["main", "a", "b", "c", "...", "nosuch"]);
    let first = select(vec!["/main", "...", "...", "/main/..."]);
    let version = select(vec!["LATEST", "LATEST", "0", "2", "REL1", "REL2", "NOSUCH"]);
    let on_branch =
        (first, prop::collection::vec(step, 0..3), version).prop_map(|(first, steps, version)| {
            let steps: String = steps.iter().map(|step| format!("/{step}")).collect();
            // A number or LATEST needs a branch that is named.
            let named = if (first.to_owned() + &steps).ends_with("...") { "/b" } else { "" };
            format!("{first}{steps}{named}/{version}")
        });
    let plain =
        select(vec!["CHECKEDOUT", "REL1", "REL2", "/main/LATEST", "-none", "-error", "-config /vobs/p/prog"]);
    prop_oneof![3 => on_branch, 1 => plain.prop_map(str::to_owned)]
}

fn rule() -> impl Strategy<Value = TwinRule> {
    let scope = select(vec![None, None, None, Some("-file"), Some("-directory"), Some("-eltype text_file")]);
    let pattern = prop_oneof![Just("*".to_owned()), pattern()];
    let time_s = prop::option::of(0..10_i64);
    let on_branch = select(vec!["", "/main/", ".../a/", "/main/.../b/", "/main/nosuch/"]);
    let with_query = (on_branch, naive::query()).prop_map(|(path, query)| (path.to_owned(), Some(query)));
    let selector = prop_oneof![3 => selector().prop_map(|selector| (selector, None)), 1 => with_query];
    (scope, pattern, selector, time_s).prop_map(|(scope, pattern, (selector, query), time_s)| TwinRule {
        scope,
        pattern,
        time_s: time_s.filter(|_| query.is_none() && selector.ends_with("/LATEST")),
        selector,
        query,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn selection_agrees_with_a_naive_twin(
        rules in prop::collection::vec(rule(), 0..12),
        tag in select(TAGS.to_vec()),
        path in path(),
        element in naive::element(),
    ) {
        let text: String = rules.iter().map(TwinRule::text).collect();
        let bound = compile(&text).bind(&Types, tag.as_bytes());
        let at = walk(&bound, path.as_bytes());

        let selection = bound.select(&at, &element);
        prop_assert_eq!(selection, twin_select(&rules, tag, &path, &element), "{}", text);
        let any = rules.iter().any(|rule| rule.matches_path(tag, &path));
        prop_assert_eq!(bound.any_rule_matches(&at), any);
        let first = rules.iter().position(|rule| rule.matches_path(tag, &path));
        let (matching, misses) = bound.match_explained(&at);
        prop_assert_eq!(matching.map(|rule| rule.0 as usize), first);
        prop_assert_eq!(misses.len(), first.unwrap_or(rules.len()));

        let (explained, misses) = bound.select_explained(&at, &element);
        prop_assert_eq!(explained, selection);
        let decided = match selection {
            Selection::Version { rule, .. } | Selection::CheckedOut { rule } | Selection::Error { rule, .. } => Some(rule),
            Selection::None { rule } => rule,
        };
        prop_assert_eq!(misses.len(), decided.map_or(rules.len(), |rule| rule.0 as usize));
        for (rule, miss) in rules.iter().zip(misses) {
            let by_path = matches!(miss, Miss::Pattern | Miss::OtherVob);
            prop_assert_eq!(!rule.matches_path(tag, &path), by_path, "{:?}: {:?}", rule, miss);
        }
    }
}
