//! The seeds of the fuzz targets, and inputs that once broke something, each by the name of what it broke.

use std::path::Path;

use crate::fuzzed;

/// Runs a target on every file of its directory of seeds.
fn run_seeds(target: &str, run: impl Fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        run(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "{directory:?} is empty");
}

#[test]
fn seeds_of_specs_pass() {
    run_seeds("spec", fuzzed::spec);
}

#[test]
fn seeds_of_dates_pass() {
    run_seeds("date", |text| fuzzed::date(std::str::from_utf8(text).unwrap()));
}

#[test]
fn seeds_of_queries_pass() {
    run_seeds("query", |text| fuzzed::query(std::str::from_utf8(text).unwrap()));
}

#[test]
fn seeds_of_compiled_forms_pass() {
    run_seeds("compiled_form", fuzzed::compiled_form);
}

#[test]
fn a_closing_brace_before_any_opening_one_is_an_ordinary_byte() {
    fuzzed::spec(b"element }'{x}\n}\nelement * }");
}

/// Operands of one kind in a row were written with a parenthesis each, and then nested too deep to be read.
#[test]
fn a_query_with_many_operands_is_read_again() {
    let query = vec!["N == 1"; 700].join(" && ");
    fuzzed::query(&query);
    fuzzed::spec(format!("element * {{{query}}}").as_bytes());
}

/// The tree of a query is walked recursively: one without limit would use up the stack.
#[test]
fn a_query_without_end_is_refused() {
    fuzzed::query(&vec!["a<1"; 300_000].join("||"));
    fuzzed::spec(format!("element * {{{}}}", vec!["a<1"; 10_000].join("||")).as_bytes());
}

/// The written rule had the selector without quotes, and its blanks ended the word.
#[test]
fn a_query_within_a_query_keeps_its_blanks() {
    fuzzed::spec(b"element * '{version(/main/{N == 1}) && QA == \"a\"}'");
}

/// Names that need quotes needed them in the written rule as well.
#[test]
fn names_that_need_quotes_are_written_with_them() {
    fuzzed::spec(b"element * 'A;B' -mkbranch '#c'\nelement '{' \"/main/#1\"\nelement -eltype ';' * REL1");
}

/// The compiled form of a rule may be longer than the rule: limits of the text must not keep it from being read.
#[test]
fn a_rule_that_grows_by_its_quotes_is_read_from_its_compiled_form() {
    let rule = format!("element 'x\"{}' REL1 -mkbranch a", "\"".repeat(4_000));
    let spec = crate::support::compile(&rule);
    let none = |_: &[u8], _: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let env = crate::support::environment(&none);
    let read = clerestory_specs::ConfigSpec::from_compiled_form(&spec.compiled_form(), &env).unwrap();
    assert!(fuzzed::same_rule(&read.rules()[0], &spec.rules()[0]));
}
