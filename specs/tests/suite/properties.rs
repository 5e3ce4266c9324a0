//! Laws of the language, tried on random specs, queries, bytes and trees: what is written is read again, nothing
//! panics, and a plan does what it says.

use clerestory_specs::{
    BoundSpec, BranchPlan, ConfigSpec, MAX_NEW_BRANCHES, Maker, PlanFailure, Query, QueryObject, Selection,
    parse_date_time,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::fuzzed;
use crate::naive;
use crate::support::{
    Branch, Element, Metadata, Types, Version, compile, compile_with, environment, now, walk, zone,
};

/// Words that only quotes keep together, some not UTF-8.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let special = select(b" \t;#\"'{}*?[]a-~=.\\\xff\xc3\xa9,()!&|$%\r".to_vec());
    prop::collection::vec(special, 1..6)
}

/// The word in quotes, in the plainest way: each byte by itself.
fn quoted(word: &[u8]) -> Vec<u8> {
    word.iter()
        .flat_map(|&byte| if byte == b'"' { b"'\"'".to_vec() } else { vec![b'"', byte, b'"'] })
        .collect()
}

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let names = vec!["*", "...", "a", "*.c", "a?[b-d]*", "src", "]", "[]]", "[a-]"];
    let name = prop_oneof![
        3 => select(names).prop_map(|name| name.as_bytes().to_vec()),
        1 => hostile().prop_filter("no name", |name| {
            // Brackets are tried by the names above.
            !name.contains(&b'[') && name != b"." && name != b".." && !name.starts_with(b"~")
        }),
    ];
    let starts = vec![
        "",
        "",
        "/vobs/p/",
        "/vobs/p/nested/",
        "~/vob/",
        "[03030303030303030303030303030303=/vobs/old]/",
    ];
    (select(starts), prop::collection::vec(name, 1..4))
        .prop_map(|(start, names)| [start.as_bytes(), &names.join(&b'/')].concat())
}

fn selector() -> impl Strategy<Value = Vec<u8>> {
    let plain = select(vec![
        "CHECKEDOUT",
        "REL1",
        "/main/LATEST",
        ".../a/LATEST",
        "/main/.../b/3",
        "/main/.../A;B",
        "#1",
        "x y-none",
        "{",
        "caf\u{e9}",
        "\u{2013}x",
        ".../(a)&b/0",
        "a=b",
        "}",
    ]);
    let plain = plain.prop_filter("no type has such a name", |text| !text.contains([' ', '{', '}']));
    let query = (select(vec!["", "/main/", ".../b;c/"]), naive::query())
        .prop_map(|(path, query)| format!("{path}{{{query}}}"));
    let word =
        prop_oneof![3 => plain.prop_map(str::to_owned), 1 => query].prop_map(|word| quoted(word.as_bytes()));
    let option = select(vec!["-none", "-error", "-config /vobs/p/prog", "-config '/vobs/p/prog' -ci"]);
    let config = hostile().prop_map(|names| [b"-config /vobs/p/prog -select ", &quoted(&names)[..]].concat());
    prop_oneof![4 => word, 1 => option.prop_map(|option| option.as_bytes().to_vec()), 1 => config]
}

fn rule() -> impl Strategy<Value = Vec<u8>> {
    let scope = select(vec!["", "", "-file ", "-directory ", "-eltype 'odd;type' ", "-eltype html "]);
    let clauses = select(vec![
        "",
        "",
        " -nocheckout",
        " -time yesterday.10:00",
        " -mkbranch a",
        " -mkbranch '#b' -override -nocheckout",
        " -time '2024-01-01 10:00' -mkbranch \u{e9}",
        " # comment",
    ]);
    let block = select(vec![
        "",
        "",
        "",
        "",
        "mkbranch a\n",
        "mkbranch 'b;c' -override\n",
        "time 1-Jan-2024\n",
        "include x;\n",
        "load a\n",
    ]);
    (block, scope, pattern(), selector(), clauses).prop_map(|(block, scope, pattern, selector, clauses)| {
        let rule =
            [b"element ", scope.as_bytes(), &quoted(&pattern), b" ", &selector, clauses.as_bytes(), b"\n"];
        [block.as_bytes(), &rule.concat()].concat()
    })
}

/// A spec that makes branches: every rule may ask for one.
fn branching() -> impl Strategy<Value = String> {
    let selector = select(vec![
        "/main/LATEST",
        "/main/0",
        "REL1",
        ".../a/LATEST",
        ".../b/LATEST",
        ".../c/LATEST",
        ".../a/b/LATEST",
        ".../a/c/LATEST",
        "/main/a/0",
        "/main/a/{created_by(me)}",
        ".../b/{!lbtype(REL1)}",
        "{N == 1}",
        "/main/.../c/LATEST",
        "-config /vobs/p/prog",
    ]);
    let clauses = select(vec![
        "",
        "",
        " -mkbranch a",
        " -mkbranch a",
        " -mkbranch b",
        " -mkbranch c",
        " -mkbranch c",
        " -nocheckout",
        " -mkbranch nosuch",
        " -time 1970-01-01T00:00:05Z",
        " -mkbranch a -time now",
    ]);
    let block =
        select(vec!["", "", "", "", "mkbranch b\n", "mkbranch a -override\n", "time 1970-01-01T00:00:06Z\n"]);
    let rule = (block, selector, clauses)
        .prop_map(|(block, selector, clauses)| format!("{block}element * {selector}{clauses}\n"));
    prop::collection::vec(rule, 1..7).prop_map(|rules| rules.concat())
}

fn plan(bound: &BoundSpec, element: &Element) -> BranchPlan {
    let now_ns = now().as_nanosecond() as i64;
    bound.plan_checkout(&Types, &walk(bound, b"x.c"), element, Maker { login: "me", now_ns })
}

/// Makes the branches of a plan.
fn carry_out(plan: &BranchPlan, element: &mut Element) {
    for branch in &plan.branches {
        let metadata = Metadata { creator: "me".to_owned(), ..Metadata::default() };
        let created_ns = now().as_nanosecond() as i64;
        let version = Version { created_ns, metadata: metadata.clone(), ..Version::default() };
        element.branches.push(Branch {
            parent: Some(branch.from.0),
            branch_type: branch.branch_type,
            versions: [(0, version)].into(),
            metadata,
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_a_spec_says_survives_being_written(rules in prop::collection::vec(rule(), 1..5)) {
        let text = rules.concat();
        let files = [("x", "element 'in c' \"REL1\"")];
        let spec = compile_with(&text, &files);
        prop_assert!(spec.is_ok(), "{}: {spec:?}", text.escape_ascii());
        prop_assert!(spec.unwrap().rules().len() >= rules.len());
        fuzzed::spec(&text);
    }

    #[test]
    fn a_query_survives_being_written(query in naive::query()) {
        let written = query.to_string();
        prop_assert_eq!(Query::parse(&written, now(), &zone()), Ok(query.clone()), "{}", written);
        prop_assert_eq!(Query::parse(&format!(" {{ {written} }} "), now(), &zone()), Ok(query));
    }

    #[test]
    fn queries_agree_with_a_naive_judge(query in naive::query(), element in naive::element()) {
        let bound = query.bind(&Types);
        for object in naive::objects(&element) {
            prop_assert_eq!(
                bound.holds(object, &element), naive::holds(&query, object, &element), "{} of {:?}", query, object
            );
        }
    }

    #[test]
    fn versions_are_enumerated_as_a_naive_judge_finds_them(
        query in naive::query(), element in naive::element(), skipped in 0u32..4
    ) {
        let mut expected = Vec::new();
        for (branch, index) in element.branches.iter().zip(0..).filter(|(_, index)| *index != skipped) {
            let object = |number| QueryObject::Version { branch: index, number };
            let numbers = branch.versions.keys().copied();
            let holding = numbers.filter(|number| naive::holds(&query, object(*number), &element));
            expected.extend(holding.map(|number| (index, number)));
        }
        let mut found = Vec::new();
        let mut each = |branch, number| found.push((branch, number));
        query.bind(&Types).each_version(&element, &|branch| branch != skipped, &mut each);
        prop_assert_eq!(found, expected, "{}", query);
    }

    #[test]
    fn a_plan_that_is_carried_out_is_what_the_spec_selects(spec in branching(), element in naive::element()) {
        let bound = compile(&spec).bind(&Types, b"/vobs/p");
        let planned = plan(&bound, &element);
        let mut made = element.clone();
        carry_out(&planned, &mut made);

        // Whatever came out, there is nothing more to make, and the outcome stays.
        let again = plan(&bound, &made);
        prop_assert_eq!(&again.outcome, &planned.outcome, "{}", spec);
        prop_assert!(again.branches.is_empty());

        let at = walk(&bound, b"x.c");
        let Ok(branch) = planned.outcome else { return Ok(()) };
        let Selection::Version { branch: selected, number, rule } = bound.select(&at, &made) else {
            return Err(TestCaseError::fail(spec));
        };
        prop_assert_eq!(selected, branch);
        prop_assert!(planned.branches.is_empty() || (branch as usize + 1 == made.branches.len() && number == 0));
        let wanted = bound.rule(rule).mkbranch.as_deref();
        let has = made.branch_path(branch);
        prop_assert!(wanted.is_none_or(|wanted| has.ends_with(&format!("/{wanted}"))), "{wanted:?} {has}");
    }

    #[test]
    fn any_words_are_a_spec_or_are_refused(
        words in prop::collection::vec(
            prop_oneof![
                select(vec![
                    "element", "*", "-time", "mkbranch", "time", "end", ";", "\n", "'", "\"", "{", "}", "#",
                    "/main/LATEST", "REL1", "-mkbranch", "-eltype", "include", "self", "now", "9-Aug", "[", "]", "...",
                    "~", "/vobs/p/", "-config", "/vobs/p/prog", "-select", "{N==1}", "\r\n", "\u{feff}", "\u{2013}",
                ]).prop_map(|word| word.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..6),
            ],
            0..30,
        ),
        separator in select(vec!["", " "]),
    ) {
        fuzzed::spec(&words.join(separator.as_bytes()));
    }

    #[test]
    fn any_words_are_a_query_or_are_refused(
        words in prop::collection::vec(
            select(vec![
                "lbtype", "(", ")", "REL1", "&&", "||", "!", "==", "<", "\"", "{", "}", "N", "5", ",", "->", "version",
                "/main/", "LATEST", "merge", "attr_sub", " ", "\u{e9}", "9-Aug", ".../a", "\n",
            ]),
            0..20,
        ),
    ) {
        fuzzed::query(&words.concat());
    }

    #[test]
    fn any_text_is_a_date_or_is_refused(
        text in "[0-9a-zA-Z:.+ -]{0,24}|[0-9]{1,4}-[A-Z][a-z]{2}(-[0-9]{1,4})?([.:T][0-9:]{1,8})?(UTC[+-][0-9:]{1,5})?"
    ) {
        fuzzed::date(&text);
    }

    /// Every day and time of two centuries, written in each of the forms, is that day and time.
    #[test]
    fn dates_are_read_as_they_are_written(seconds in 0..6_311_433_600_i64, hours in -23..24_i32, minutes in 0..60_i32) {
        let moment = jiff::Timestamp::from_second(seconds - 2_208_988_800).unwrap();
        let offset = jiff::tz::Offset::from_seconds(hours * 3600 + hours.signum() * minutes * 60).unwrap();
        let (local, minutes) = (offset.to_datetime(moment), if hours == 0 { 0 } else { minutes });
        let zone_text = format!("{}{:02}{minutes:02}", if hours < 0 { '-' } else { '+' }, hours.abs());
        for format in ["%d-%b-%Y.%H:%M:%SUTC", "%e-%B-%Y:%H:%M:%Sutc", "%Y-%m-%dT%H:%M:%S"] {
            let text = format!("{}{zone_text}", local.strftime(format)).trim_start().to_owned();
            prop_assert_eq!(parse_date_time(&text, now(), &zone()), Ok(moment), "{}", text);
        }
    }
}

/// A compiled form that lost its end, or one bit of which is another, is refused or is a spec.
#[test]
fn damaged_compiled_forms_are_refused_or_read() {
    let spec = compile(
        "element * CHECKEDOUT\nmkbranch a\nelement -file \"/vobs/q/a b/...\" /main/LATEST -time 1-Jan-2024\n\
         element * {lbtype(REL1) && QA == \"a;b\"}",
    );
    let form = spec.compiled_form();
    let ends: Vec<usize> = (1..=form.len())
        .filter(|&end| {
            form[..end].ends_with(b"\n") && (form[end..].is_empty() || form[end..].starts_with(b"from "))
        })
        .collect();
    assert_eq!(ends.len(), 4);
    let none = |_: &[u8], _: &std::path::Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    for end in 0..=form.len() {
        let read = ConfigSpec::from_compiled_form(&form[..end], &environment(&none));
        let whole = ends.iter().position(|&whole| whole == end);
        assert_eq!(read.ok().map(|spec| spec.rules().len()), whole, "{end}");
    }
    for at in 0..form.len() {
        for bit in 0..8 {
            let mut damaged = form.clone();
            damaged[at] ^= 1 << bit;
            fuzzed::compiled_form(&damaged);
        }
    }
}

/// Two branch types that may be on every branch can go on for ever: rule by rule, one level deeper each.
#[test]
fn a_checkout_makes_so_many_branches_and_no_more() {
    let spec = |levels: usize| {
        let mut text = String::new();
        for level in (0..=levels).rev() {
            let path = &format!("/main{}", "/c/int".repeat(level.div_ceil(2)))[..];
            let path = if level % 2 == 1 { path.strip_suffix("/int").unwrap() } else { path };
            let clause = match level {
                _ if level == levels => "",
                _ if level % 2 == 0 => " -mkbranch c",
                _ => " -mkbranch int",
            };
            text.push_str(&format!("element * {path}/LATEST{clause}\n"));
        }
        text
    };
    let element = Element::new("/main/0");
    let planned = |levels| plan(&compile(&spec(levels)).bind(&Types, b"/vobs/p"), &element);
    for levels in [0, 1, MAX_NEW_BRANCHES - 1, MAX_NEW_BRANCHES] {
        let planned = planned(levels);
        assert_eq!((planned.branches.len(), planned.outcome), (levels, Ok(levels as u32)));
    }
    let planned = planned(MAX_NEW_BRANCHES + 1);
    assert_eq!(
        (planned.branches.len(), planned.outcome),
        (MAX_NEW_BRANCHES, Err(PlanFailure::TooManyBranches))
    );
}
