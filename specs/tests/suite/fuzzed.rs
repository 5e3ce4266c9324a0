//! What must hold for any bytes at all: the bodies of the fuzz targets. They take what a fuzzer makes up; the
//! suite runs them over the seeds and over whatever once broke them.

use std::io;
use std::path::{Path, PathBuf};

use clerestory_specs::{ConfigSpec, Diagnostic, Maker, Query, QueryObject, Rule, Selection, parse_date_time};

use crate::support::{Element, TAGS, Types, environment, now, walk, zone};

const TREE: &str = "
    element text_file by=ann id=7 pool=p1 trigger=T QA=\"ok\"
    /main/0 @2024-01-01 by=ann
    /main/1 @2024-01-02 by=bob REL1 QA=\"ok\" N=3
    /main/3 @2024-01-03 by=ann R=2.5 D=2024-01-01
    /main/a/0 @2024-01-04 by=ann REL2
    /main/a/1 @2024-01-05 by=bob REL2 N=-1
    /main/c/0 @2024-01-06 by=bob
    /main/a/c/0 @2024-01-07 by=bob
    Merge /main/a/1 /main/3
    Tests /main/1 /main/a/0";

/// Whether two rules mean the same, wherever they stand and however they are written.
pub fn same_meaning(a: &Rule, b: &Rule) -> bool {
    (&a.scope, &a.pattern, &a.selector, &a.mkbranch) == (&b.scope, &b.pattern, &b.selector, &b.mkbranch)
        && (a.no_checkout, a.time) == (b.no_checkout, b.time)
}

/// Whether two rules are equal in everything that a caller can see.
pub fn same_rule(a: &Rule, b: &Rule) -> bool {
    same_meaning(a, b)
        && (&a.selector_text, &a.text, &a.pattern_text) == (&b.selector_text, &b.text, &b.pattern_text)
        && (&a.file, a.line, &a.time_text) == (&b.file, b.line, &b.time_text)
}

/// Checks that every fault of a spec has its place within the text.
pub fn check_places(text: &[u8], faults: &[Diagnostic]) {
    assert!(!faults.is_empty());
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    for fault in faults.iter().filter(|fault| fault.file == Path::new("spec")) {
        let mut line = lines[fault.line as usize - 1];
        if fault.line == 1 {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        assert!((1..=line.len() + 1).contains(&(fault.column as usize)), "{fault}");
    }
}

/// Any bytes are a spec or are refused with places; a spec selects, explains, plans, and survives being written.
pub fn spec(text: &[u8]) {
    // `self` is the spec once more, and every other file holds one rule.
    let read_include = |path: &[u8], _: &Path| -> io::Result<(PathBuf, Vec<u8>)> {
        let own = path == b"self";
        let rule = b"element * /main/LATEST".to_vec();
        Ok((PathBuf::from(String::from_utf8_lossy(path).as_ref()), if own { text.to_vec() } else { rule }))
    };
    let env = environment(&read_include);
    let spec = match ConfigSpec::compile(text, Path::new("spec"), &env) {
        Ok(spec) => spec,
        Err(faults) => return check_places(text, &faults),
    };
    for rule in spec.rules() {
        let source = rule.source();
        let alone = ConfigSpec::compile(&source, Path::new("alone"), &env);
        let alone = alone.unwrap_or_else(|faults| panic!("{}: {faults:?}", source.escape_ascii()));
        assert!(
            alone.rules().len() == 1 && same_meaning(&alone.rules()[0], rule),
            "{} became {}: {alone:?}",
            rule.text.escape_ascii(),
            source.escape_ascii()
        );
    }
    let form = spec.compiled_form();
    let read = ConfigSpec::from_compiled_form(&form, &env).expect("a compiled form is read again");
    assert_eq!(read.rules().len(), spec.rules().len());
    assert!(read.rules().iter().zip(spec.rules()).all(|(a, b)| same_rule(a, b)), "{form:?}");

    let element = Element::new(TREE);
    for tag in TAGS {
        let bound = spec.bind(&Types, tag.as_bytes());
        for path in ["", "src", "src/util.c", "a/b/src/x y"] {
            let at = walk(&bound, path.as_bytes());
            let selection = bound.select(&at, &element);
            let (explained, misses) = bound.select_explained(&at, &element);
            assert_eq!(explained, selection);
            let decided = match selection {
                Selection::Version { rule, .. }
                | Selection::CheckedOut { rule }
                | Selection::Error { rule, .. } => Some(rule),
                Selection::None { rule } => rule,
            };
            assert_eq!(misses.len(), decided.map_or(spec.rules().len(), |rule| rule.0 as usize));
            let now_ns = now().as_nanosecond() as i64;
            let plan = bound.plan_checkout(&Types, &at, &element, Maker { login: "ann", now_ns });
            let refused = !matches!(selection, Selection::Version { .. });
            assert!(!refused || (plan.branches.is_empty() && plan.outcome.is_err()), "{plan:?}");
        }
    }
}

/// Any bytes are a compiled form or are refused.
pub fn compiled_form(form: &[u8]) {
    let read_include = |_: &[u8], _: &Path| Err(io::Error::from(io::ErrorKind::NotFound));
    let env = environment(&read_include);
    if let Ok(spec) = ConfigSpec::from_compiled_form(form, &env) {
        let again =
            ConfigSpec::from_compiled_form(&spec.compiled_form(), &env).expect("what was read is read again");
        assert!(again.rules().iter().zip(spec.rules()).all(|(a, b)| same_meaning(a, b)));
    }
}

/// Any text is a date-time or is refused, and letters' case does not matter.
pub fn date(text: &str) {
    let moment = parse_date_time(text, now(), &zone());
    assert_eq!(parse_date_time(&text.to_ascii_lowercase(), now(), &zone()), moment);
    assert_eq!(parse_date_time(&text.to_ascii_uppercase(), now(), &zone()), moment);
    if let Ok(moment) = moment {
        i64::try_from(moment.as_nanosecond()).expect("a moment that can be counted in 64 bits");
        assert_eq!(parse_date_time(&moment.to_string(), now(), &zone()), Ok(moment));
    }
}

/// Any text is a query or is refused at a place within it; a query survives being written, and judges.
pub fn query(text: &str) {
    let query = match Query::parse(text, now(), &zone()) {
        Ok(query) => query,
        Err(error) => {
            return assert!(error.offset <= text.len() && text.is_char_boundary(error.offset), "{error:?}");
        }
    };
    let written = query.to_string();
    assert_eq!(Query::parse(&written, now(), &zone()), Ok(query.clone()), "{written}");
    let element = Element::new(TREE);
    let bound = query.bind(&Types);
    let objects = [
        QueryObject::Element,
        QueryObject::Branch(0),
        QueryObject::Branch(2),
        QueryObject::Version { branch: 0, number: 0 },
        QueryObject::Version { branch: 1, number: 1 },
    ];
    let not = Query::Not(Box::new(query)).bind(&Types);
    for object in objects {
        assert_ne!(bound.holds(object, &element), not.holds(object, &element), "{written} of {object:?}");
    }
}
