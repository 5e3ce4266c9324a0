//! What the user reads when a spec is wrong.

use clerestory_specs::{DiagnosticKind, MAX_INCLUDE_DEPTH, MAX_INCLUDES, MAX_RULES};

use crate::support::{compile_with, faults};

#[test]
fn each_fault_names_place_token_and_expectation() {
    const SELECTOR: &str = "CHECKEDOUT, a label, a branch path with a version number, LATEST, a label or a query, -config, -none or -error";
    const VERSION: &str = "a version number, LATEST or a label";
    const DATE: &str = "a date-time such as now, yesterday, 9-Aug-2024.10:00UTC or 2024-08-09T10:00:00Z";
    let table = [
        (
            "elemnt * -none",
            "1: unknown rule (found \"elemnt\", expected element, mkbranch, time, end, include or load)".into(),
        ),
        ("element", "8: rule is not complete (found end of rule, expected a pattern)".into()),
        ("element *  # x", "10: rule is not complete (found end of rule, expected a version selector)".into()),
        ("element -eltype", "16: rule is not complete (found end of rule, expected an element type)".into()),
        (
            "element -dir * REL1",
            "9: unknown scope (found \"-dir\", expected -file, -directory, -eltype or a pattern)".into(),
        ),
        ("element * -latest", format!("11: unknown version selector (found \"-latest\", expected {SELECTOR})")),
        (
            "element * /main/CHECKEDOUT",
            format!("11: branch path does not end in a version (found \"/main/CHECKEDOUT\", expected {VERSION})"),
        ),
        ("element * /main/", format!("11: \"\" is no name of a type (found \"/main/\", expected {VERSION})")),
        (
            "element * LATEST",
            "11: version selector has no branch (found \"LATEST\", expected a branch path before it, as in \
             /main/LATEST)"
                .into(),
        ),
        (
            "element * 7",
            "11: version selector has no branch (found \"7\", expected a branch path before it, as in /main/LATEST)"
                .into(),
        ),
        (
            "element * .../LATEST",
            "11: ... names no branch (found \".../LATEST\", expected a branch type between ... and the version)"
                .into(),
        ),
        (
            "element * /main/99999999999",
            "11: version number is too large (found \"/main/99999999999\", expected a number below 2^32)".into(),
        ),
        (
            "element * /main//LATEST",
            "11: \"\" is no name of a type (found \"/main//LATEST\", expected the name of a branch type)".into(),
        ),
        (
            "element * '/main/{QA=\"ok\"}'",
            "21: query does not follow the grammar (found \"=\", expected a comparison such as ==, or \"(\" after \
             the name of a primitive)"
                .into(),
        ),
        (
            "element * {created_since(now) && !x} -nocheckout",
            "36: query is not complete (found \"}\", expected a comparison such as ==, or \"(\" after the \
             name of a primitive)"
                .into(),
        ),
        (
            "element * /main/{lbtyp(x)}",
            "18: unknown query primitive (found \"lbtyp\", expected attr_sub, attype, attype_sub, brtype, \
             created_by, created_since, eltype, hltype, hltype_sub, lbtype, lbtype_sub, merge, pool, trtype or \
             version)"
                .into(),
        ),
        (
            "element * x{brtype(b)}",
            "11: query is not a component of its own (found \"x{brtype(b)}\", expected \"/\" before \"{\")".into(),
        ),
        (
            "element * -config do.o -select x -ci",
            "11: no config record of \"do.o\": not a derived object".into(),
        ),
        (
            "element * -config -none",
            "19: -config names no derived object (found \"-none\", expected the path of a derived object)".into(),
        ),
        (
            "element * REL1 nocheckout",
            "16: unknown clause (found \"nocheckout\", expected -time, -nocheckout, -mkbranch or the end of the \
             rule)"
                .into(),
        ),
        (
            "element * REL1 \u{2013}nocheckout",
            "16: option begins with a long dash, not with \"-\" (found \"\u{2013}nocheckout\", expected -time, \
             -nocheckout, -mkbranch or the end of the rule)"
                .into(),
        ),
        (
            "element * REL1 -nocheckout -nocheckout",
            "28: clause is given twice (found \"-nocheckout\", expected each clause at most once)".into(),
        ),
        ("element * /main/LATEST -time", "29: rule is not complete (found end of rule, expected a date-time)".into()),
        (
            "element * /main/LATEST -time tomorrow",
            format!("30: not a date-time (found \"tomorrow\", expected {DATE})"),
        ),
        ("time 31-Feb-2024", "6: no such day (found \"31-Feb-2024\", expected a day of the calendar)".into()),
        (
            "element * REL1 -mkbranch 12",
            "26: \"12\" is no name of a type (found \"12\", expected a branch type)".into(),
        ),
        (
            "mkbranch a b",
            "12: rule goes on after its end (found \"b\", expected the end of the rule or \";\")".into(),
        ),
        ("end", "4: rule is not complete (found end of rule, expected mkbranch or time)".into()),
        ("end element", "5: unknown kind of block (found \"element\", expected mkbranch or time)".into()),
        (
            "end time",
            "5: no block is open here (found \"time\", expected a mkbranch or time rule before it)".into(),
        ),
        (
            "mkbranch a; end mkbranch b",
            "26: end of another block than the innermost (found \"b\", expected \"a\")".into(),
        ),
        (
            "mkbranch a; time now; end mkbranch",
            "27: end does not fit the innermost block (found \"mkbranch\", expected end time, for the block that \
             begins at spec:1)"
                .into(),
        ),
        (
            "element \"a REL1; element * x",
            "9: quote is not closed on its line (found \"\"a REL1; element * x\")".into(),
        ),
        (
            "element a'b REL1",
            "10: quote is not closed on its line (found \"'b REL1\")".into(),
        ),
        ("element [ab REL1", "9: \"[\" is not closed within its component (found \"[ab\", expected \"]\")".into()),
        (
            "element [z-a] REL1",
            "9: range in \"[...]\" is out of order (found \"[z-a]\", expected the lower end first)".into(),
        ),
        ("element '' REL1", "9: pattern is empty (found \"\", expected a pattern, such as *)".into()),
        (
            "element ./a REL1",
            "9: pattern contains . or .. (found \"./a\", expected names, wildcards or ...)".into(),
        ),
        (
            "element ~bob/a REL1",
            "9: home directories of other users are not known (found \"~bob/a\", expected ~ followed by / or \
             nothing)"
                .into(),
        ),
        ("element /vob/src_code/... REL1", "9: No registered VOB tag in path: \"/vob/src_code/...\"".into()),
        ("element /vobs/*/x REL1", "9: No registered VOB tag in path: \"/vobs/*/x\"".into()),
        ("element ~/x REL1", "9: No registered VOB tag in path: \"/home/u/x\"".into()),
        (
            "element [cdcd50de68ad453bb336aeecac9d42f0=/vobs/p/sub]/x REL1",
            "9: No registered VOB tag in path: \"[cdcd50de68ad453bb336aeecac9d42f0=/vobs/p/sub]/x\"".into(),
        ),
        ("include", "8: rule is not complete (found end of rule, expected the path of a file)".into()),
        ("include none", "9: cannot read included file: entity not found (found \"none\")".into()),
        ("load", "5: rule is not complete (found end of rule, expected at least one path)".into()),
    ];
    for (text, expected) in table {
        assert_eq!(faults(text.as_bytes(), &[]), [format!("spec:1:{expected}")], "{text}");
    }
}

#[test]
fn names_that_are_not_utf8_are_refused() {
    assert!(
        faults(b"element * REL\xff", &[])[0].starts_with("spec:1:11: version selector is not valid UTF-8")
    );
    assert!(faults(b"mkbranch \xff", &[])[0].starts_with("spec:1:10: name is not valid UTF-8"));
}

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
