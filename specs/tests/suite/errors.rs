//! What the user reads when a spec is wrong.

use clerestory_specs::{
    DiagnosticKind, MAX_FAULTS, MAX_INCLUDE_DEPTH, MAX_INCLUDES, MAX_LINE_BYTES, MAX_QUERY_OPERATORS,
    MAX_RULES,
};

use crate::support::{compile_with, faults};

#[test]
fn all_faults_are_reported_at_once() {
    let files = [("inc/a", "\nbad1\ninclude b"), ("inc/b", "element /x LATEST -mkbranch 1 -time x; bad2")];
    let text = b"bad0\nelement * REL1\n include inc/a; element /no/such LATEST\ninclude inc/a\n";
    let seen: Vec<String> = faults(text, &files)
        .iter()
        .map(|fault| {
            let start = fault.find(' ').unwrap();
            let chain = fault.find(", included").unwrap_or(fault.len());
            format!("{}{}", &fault[..start], &fault[chain..])
        })
        .collect();
    let mut expected = vec!["spec:1:1:".to_owned()];
    for line in [3, 4] {
        expected.push(format!("inc/a:2:1:, included from spec:{line}"));
        for column in [12, 29, 40] {
            let chain = format!("included from inc/a:3, included from spec:{line}");
            expected.push(format!("inc/b:1:{column}:, {chain}"));
        }
        if line == 3 {
            expected.extend(["spec:3:17:".to_owned(), "spec:3:34:".to_owned()]);
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_file_that_includes_itself_is_named_with_its_chain() {
    let files = [("a", "include b"), ("b", "include a")];
    assert_eq!(
        faults(b"include a", &files),
        ["b:1:9: file includes itself: a -> b -> a, included from a:1, included from spec:1"]
    );
    assert_eq!(faults(b"include spec", &[("spec", "")]), ["spec:1:9: file includes itself: spec -> spec"]);
}

/// A chain of files, each including the next; the last holds one rule.
fn nested(depth: usize) -> Vec<(String, String)> {
    let text = |i| {
        if i == depth { "element * -none".to_owned() } else { format!("include f{}", i + 1) }
    };
    (1..=depth).map(|i| (format!("f{i}"), text(i))).collect()
}

#[test]
fn includes_nest_to_the_limit_and_no_deeper() {
    for (depth, fits) in
        [(MAX_INCLUDE_DEPTH - 1, true), (MAX_INCLUDE_DEPTH, true), (MAX_INCLUDE_DEPTH + 1, false)]
    {
        let files = nested(depth);
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let outcome = compile_with(b"include f1", &files);
        assert_eq!(outcome.is_ok(), fits, "{depth}");
        if let Err(faults) = outcome {
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].kind, DiagnosticKind::Include);
            assert_eq!(faults[0].message, "included files are nested more than 32 deep");
            assert_eq!(faults[0].included_from.len(), MAX_INCLUDE_DEPTH);
        }
    }
}

#[test]
fn includes_are_counted_to_the_limit_and_no_further() {
    for (count, fits) in [(MAX_INCLUDES, true), (MAX_INCLUDES + 1, false)] {
        let outcome = compile_with("include a\n".repeat(count).as_bytes(), &[("a", "")]);
        assert_eq!(outcome.map_err(|faults| faults[0].kind).err(), (!fits).then_some(DiagnosticKind::Limit));
    }
}

#[test]
fn rules_are_counted_to_the_limit_and_no_further() {
    for (count, fits) in [(MAX_RULES, true), (MAX_RULES + 2, false)] {
        let outcome = compile_with("element * -none\n".repeat(count).as_bytes(), &[]);
        let kinds = outcome.map_err(|faults| faults.iter().map(|fault| fault.kind).collect::<Vec<_>>()).err();
        assert_eq!(kinds, (!fits).then(|| vec![DiagnosticKind::Limit]));
    }
}

#[test]
fn lines_are_as_long_as_the_limit_and_no_longer() {
    for (length, fits) in [(MAX_LINE_BYTES - 1, true), (MAX_LINE_BYTES, true), (MAX_LINE_BYTES + 1, false)] {
        let rule = "element * REL2";
        let text = format!("element * REL1\n{}{rule}", " ".repeat(length - rule.len()));
        match compile_with(text.as_bytes(), &[]) {
            Ok(spec) => assert!(fits && spec.rules().len() == 2),
            Err(faults) => {
                assert_eq!(faults[0].to_string(), "spec:2:65537: line is longer than 65536 bytes");
                assert!(!fits && faults.len() == 1 && faults[0].kind == DiagnosticKind::Limit);
            }
        }
    }
}

#[test]
fn queries_have_as_many_operators_as_the_limit_and_no_more() {
    for (operators, fits) in
        [(MAX_QUERY_OPERATORS - 1, true), (MAX_QUERY_OPERATORS, true), (MAX_QUERY_OPERATORS + 1, false)]
    {
        // The last operand is a query within the query.
        let text = format!("element * {{{}version({{N==1||N==2}})}}", "a<1e15&&".repeat(operators - 1));
        match compile_with(text.as_bytes(), &[]) {
            Ok(spec) => {
                assert!(fits);
                assert!(compile_with(&spec.rules()[0].source(), &[]).is_ok(), "what was written is longer");
            }
            Err(faults) => {
                assert!(!fits);
                assert_eq!(faults[0].message, "query has more than 1000 operators");
            }
        }
    }
}

#[test]
fn faults_are_reported_to_the_limit_and_no_further() {
    for count in [MAX_FAULTS - 1, MAX_FAULTS, MAX_FAULTS + 1] {
        let lines = faults("bad\n".repeat(count).as_bytes(), &[]);
        assert_eq!(lines.len(), count.min(MAX_FAULTS));
    }
    // Several on one line, and more in files that are included again and again.
    let long = "bad; ".repeat(200);
    assert_eq!(faults("include a\n".repeat(500).as_bytes(), &[("a", &long)]).len(), MAX_FAULTS);
}
