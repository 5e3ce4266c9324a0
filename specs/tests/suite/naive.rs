//! Queries judged a second time, in the plainest way: over the drawn tree itself, by names, every branch path as one
//! regular expression. And the random queries and trees to judge.

use std::collections::BTreeMap;

use clerestory_specs::{
    AttributeValue, BranchStep, Comparison, LinkDirection, Place, Query, QueryDate, QueryObject, QueryValue,
    Reach, Selector, VersionName, parse_date_time,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regex::Regex;

use crate::support::{
    BRANCH_TYPES, Branch, ELEMENT_TYPES, Element, HYPERLINK_TYPES, LABEL_TYPES, Metadata, Version, VersionId,
    now, zone,
};

/// All objects of an element.
pub fn objects(element: &Element) -> Vec<QueryObject> {
    let mut all = vec![QueryObject::Element];
    for (branch, index) in element.branches.iter().zip(0..) {
        all.push(QueryObject::Branch(index));
        all.extend(branch.versions.keys().map(|&number| QueryObject::Version { branch: index, number }));
    }
    all
}

/// The object and all that is below it.
fn below(element: &Element, object: QueryObject) -> Vec<QueryObject> {
    let is_below = |other: &QueryObject| match (object, *other) {
        (QueryObject::Element, _) => true,
        (QueryObject::Branch(on), QueryObject::Branch(branch) | QueryObject::Version { branch, .. }) => {
            on == branch
        }
        (object, other) => object == other,
    };
    objects(element).into_iter().filter(is_below).collect()
}

fn metadata(element: &Element, object: QueryObject) -> &Metadata {
    match object {
        QueryObject::Element => &element.metadata,
        QueryObject::Branch(branch) => &element.branches[branch as usize].metadata,
        QueryObject::Version { branch, number } => {
            &element.branches[branch as usize].versions[&number].metadata
        }
    }
}

fn labels(element: &Element, object: QueryObject) -> Vec<&'static str> {
    let QueryObject::Version { branch, number } = object else { return Vec::new() };
    let ids = element.branches[branch as usize].versions[&number].labels.iter();
    ids.map(|&label| LABEL_TYPES[label as usize]).collect()
}

/// Whether the branch's path is one that the steps name.
fn is_on(element: &Element, branch: u32, steps: &[BranchStep]) -> bool {
    let mut regex = String::from("^");
    for step in steps {
        match step {
            BranchStep::AnyLevels => regex.push_str("(/[^/]+)*"),
            BranchStep::Type(name) => regex.push_str(&format!("/{}", regex::escape(name))),
        }
    }
    Regex::new(&format!("{regex}$")).unwrap().is_match(&element.branch_path(branch))
}

/// All versions that a selector without a time fits.
pub fn fitting(selector: &Selector, element: &Element) -> Vec<VersionId> {
    let mut found = Vec::new();
    for (branch, index) in element.branches.iter().zip(0..) {
        let object = |number: u32| QueryObject::Version { branch: index, number };
        let all = branch.versions.keys().copied();
        let fits: Vec<u32> = match selector {
            Selector::Label(label) => {
                all.filter(|&n| labels(element, object(n)).contains(&label.as_str())).collect()
            }
            Selector::Query(query) => all.filter(|&n| holds(query, object(n), element)).collect(),
            Selector::OnBranch { branches, .. } if !is_on(element, index, branches) => Vec::new(),
            Selector::OnBranch { version, .. } => match version {
                VersionName::Number(number) => all.filter(|n| n == number).collect(),
                VersionName::Latest => all.max().into_iter().collect(),
                VersionName::Label(label) => {
                    all.filter(|&n| labels(element, object(n)).contains(&label.as_str())).collect()
                }
                VersionName::Query(query) => {
                    all.filter(|&n| holds(query, object(n), element)).max().into_iter().collect()
                }
            },
            other => panic!("{other:?} is no selector of a query"),
        };
        found.extend(fits.into_iter().map(|number| (index, number)));
    }
    found
}

fn at_place(place: &Place, element: &Element) -> Vec<VersionId> {
    let on_branches = |steps: &[BranchStep]| {
        let all = objects(element).into_iter().filter_map(|object| match object {
            QueryObject::Version { branch, number } => Some((branch, number)),
            _ => None,
        });
        all.filter(|&(branch, _)| is_on(element, branch, steps)).collect()
    };
    match place {
        Place::Name(name) if BRANCH_TYPES.contains(&name.as_str()) => {
            on_branches(&[BranchStep::AnyLevels, BranchStep::Type(name.clone())])
        }
        Place::Name(name) => fitting(&Selector::Label(name.clone()), element),
        Place::Version(selector) => fitting(selector, element),
        Place::Path(steps) => match steps.as_slice() {
            [on @ .., BranchStep::Type(last)] if !on.is_empty() && !BRANCH_TYPES.contains(&last.as_str()) => {
                let version = VersionName::Label(last.clone());
                fitting(&Selector::OnBranch { branches: on.to_vec(), version }, element)
            }
            steps => on_branches(steps),
        },
    }
}

/// The difference of an attached value and one in a query, as far as they can be compared.
fn stands(has: &AttributeValue, comparison: Comparison, wanted: &QueryValue) -> bool {
    let number = |integer: &i64| *integer as f64;
    let order = match (has, wanted) {
        (AttributeValue::Integer(a), QueryValue::Integer(b)) => a.partial_cmp(b),
        (AttributeValue::Integer(a), QueryValue::Real(b)) => number(a).partial_cmp(b),
        (AttributeValue::Real(a), QueryValue::Integer(b)) => a.partial_cmp(&number(b)),
        (AttributeValue::Real(a), QueryValue::Real(b)) => a.partial_cmp(b),
        (AttributeValue::Text(a), QueryValue::Text(b)) => a.partial_cmp(b),
        (AttributeValue::Time(a), QueryValue::Time(b)) => a.partial_cmp(&b.time_ns),
        _ => None,
    };
    match comparison {
        Comparison::Equal => order.is_some_and(|order| order.is_eq()),
        Comparison::NotEqual => order.is_some_and(|order| order.is_ne()),
        Comparison::Less => order.is_some_and(|order| order.is_lt()),
        Comparison::LessOrEqual => order.is_some_and(|order| order.is_le()),
        Comparison::Greater => order.is_some_and(|order| order.is_gt()),
        Comparison::GreaterOrEqual => order.is_some_and(|order| order.is_ge()),
    }
}

/// Whether a query holds for an object.
pub fn holds(query: &Query, object: QueryObject, element: &Element) -> bool {
    let reached = |reach: &Reach| match reach {
        Reach::Object => vec![object],
        Reach::Below => below(element, object),
    };
    let branch_type = |branch: u32| BRANCH_TYPES[element.branches[branch as usize].branch_type as usize];
    match query {
        Query::And(a, b) => holds(a, object, element) & holds(b, object, element),
        Query::Or(a, b) => holds(a, object, element) | holds(b, object, element),
        Query::Not(query) => !holds(query, object, element),
        Query::Attribute { name, comparison, value, reach } => reached(reach).into_iter().any(|object| {
            let attached = &metadata(element, object).attributes;
            attached.iter().any(|(attached, has)| attached == name && stands(has, *comparison, value))
        }),
        Query::AttributeType { name, reach } => reached(reach)
            .into_iter()
            .any(|object| metadata(element, object).attributes.iter().any(|(attached, _)| attached == name)),
        Query::LabelType { name, reach } => {
            reached(reach).into_iter().any(|object| labels(element, object).contains(&name.as_str()))
        }
        Query::HyperlinkType { name, direction, reach } => reached(reach).into_iter().any(|object| {
            let QueryObject::Version { branch, number } = object else { return false };
            element.hyperlinks.iter().any(|(link, from, to)| {
                let starts = *from == (branch, number) && *direction != Some(LinkDirection::To);
                let ends = *to == (branch, number) && *direction != Some(LinkDirection::From);
                HYPERLINK_TYPES[*link as usize] == name && (starts || ends)
            })
        }),
        Query::BranchType(name) => match object {
            QueryObject::Element => {
                (0..element.branches.len() as u32).any(|branch| branch_type(branch) == name)
            }
            QueryObject::Branch(branch) | QueryObject::Version { branch, .. } => branch_type(branch) == name,
        },
        Query::ElementType(name) => ELEMENT_TYPES[element.element_type as usize] == name,
        Query::CreatedBy(login) => metadata(element, object).creator == *login,
        Query::CreatedSince(date) => {
            let (branch, number) = match object {
                QueryObject::Element => (0, 0),
                QueryObject::Branch(branch) => (branch, 0),
                QueryObject::Version { branch, number } => (branch, number),
            };
            let version = element.branches[branch as usize].versions.get(&number);
            version.map_or(0, |version| version.created_ns) >= date.time_ns
        }
        Query::Merge(from, to) => {
            let (from, to) = (at_place(from, element), at_place(to, element));
            element.hyperlinks.iter().any(|(link, a, b)| {
                HYPERLINK_TYPES[*link as usize] == "Merge" && from.contains(a) && to.contains(b)
            })
        }
        Query::Version(selector) => fitting(selector, element).into_iter().any(|(branch, number)| {
            below(element, object).contains(&QueryObject::Version { branch, number })
        }),
        Query::Pool(name) => element.pool == *name,
        Query::TriggerType(name) => element.triggers.contains(name),
    }
}

/// Names of types, some of them hostile; those that the tests' VOB has come often.
fn name(known: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    let odd = vec!["x-y", "a.b", "~q", "$", "#h", "a;b", "\u{e9}", "\u{2013}d", "lbtype"];
    prop_oneof![9 => select(known.to_vec()), 1 => select(odd)].prop_map(str::to_owned)
}

fn branch_name() -> impl Strategy<Value = String> {
    name(&BRANCH_TYPES[..4])
}

fn label_name() -> impl Strategy<Value = String> {
    name(&LABEL_TYPES[..2])
}

fn steps() -> impl Strategy<Value = Vec<BranchStep>> {
    let first = prop_oneof![Just(BranchStep::AnyLevels), Just(BranchStep::Type("main".to_owned()))];
    let between = prop_oneof![
        4 => branch_name().prop_map(BranchStep::Type),
        1 => Just(BranchStep::AnyLevels),
    ];
    (first, prop::collection::vec(between, 0..2), branch_name()).prop_map(|(first, between, last)| {
        let last = BranchStep::Type(last);
        std::iter::once(first).chain(between).chain([last]).collect()
    })
}

fn date() -> impl Strategy<Value = QueryDate> {
    let text = select(vec![
        "1970-01-01T00:00:04Z",
        "1970-01-01T00:00:07Z",
        "now",
        "1-Jan-1970",
        "9-Aug-2024.10:00UTC+2",
    ]);
    text.prop_map(|text| {
        let time = parse_date_time(text, now(), &zone()).unwrap();
        QueryDate { text: text.to_owned(), time_ns: time.as_nanosecond() as i64 }
    })
}

fn value() -> impl Strategy<Value = QueryValue> {
    let real = prop_oneof![select(vec![0.5, 2.0, -1.0]), prop::num::f64::NORMAL];
    prop_oneof![
        (-2..4_i64).prop_map(QueryValue::Integer),
        any::<i64>().prop_map(QueryValue::Integer),
        real.prop_map(QueryValue::Real),
        select(vec!["ok", "bad", "", "a b", "{x}", "}", "(", "a;b # c", "it's", ","])
            .prop_map(|text| QueryValue::Text(text.to_owned())),
        date().prop_map(QueryValue::Time),
    ]
}

fn reach() -> impl Strategy<Value = Reach> {
    select(vec![Reach::Object, Reach::Below])
}

/// A selector of one version, as `version()` takes it: with a branch, by itself, or with a query.
fn version_selector(query: BoxedStrategy<Query>) -> BoxedStrategy<Selector> {
    let version = prop_oneof![
        (0..4_u32).prop_map(VersionName::Number),
        Just(VersionName::Latest),
        label_name().prop_map(VersionName::Label),
        query.clone().prop_map(VersionName::Query),
    ];
    prop_oneof![
        label_name().prop_map(Selector::Label),
        (steps(), version).prop_map(|(branches, version)| Selector::OnBranch { branches, version }),
        query.prop_map(Selector::Query),
    ]
    .boxed()
}

fn place(query: BoxedStrategy<Query>) -> impl Strategy<Value = Place> {
    // What a branch path with a label means is a path of names until a VOB is asked.
    let is_path = |selector: &Selector| {
        matches!(selector, Selector::Label(_) | Selector::OnBranch { version: VersionName::Label(_), .. })
    };
    let version = version_selector(query).prop_filter("a path", move |selector| !is_path(selector));
    prop_oneof![
        branch_name().prop_map(Place::Name),
        label_name().prop_map(Place::Name),
        steps().prop_map(Place::Path),
        (steps(), label_name()).prop_map(|(mut steps, label)| {
            steps.push(BranchStep::Type(label));
            Place::Path(steps)
        }),
        version.prop_map(|selector| Place::Version(Box::new(selector))),
    ]
}

const ATTRIBUTES: [&str; 3] = ["N", "QA", "D"];
const LOGINS: [&str; 3] = ["me", "ann", "bob@example.org"];

/// Any query, whole trees of operators and queries within queries.
pub fn query() -> impl Strategy<Value = Query> {
    let all = vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];
    let direction = select(vec![None, Some(LinkDirection::From), Some(LinkDirection::To)]);
    let leaf = prop_oneof![
        4 => (name(&ATTRIBUTES), select(all), value(), reach())
            .prop_map(|(name, comparison, value, reach)| Query::Attribute { name, comparison, value, reach }),
        1 => (name(&ATTRIBUTES), reach()).prop_map(|(name, reach)| Query::AttributeType { name, reach }),
        2 => (label_name(), reach()).prop_map(|(name, reach)| Query::LabelType { name, reach }),
        2 => (name(&HYPERLINK_TYPES), direction, reach())
            .prop_map(|(name, direction, reach)| Query::HyperlinkType { name, direction, reach }),
        2 => branch_name().prop_map(Query::BranchType),
        1 => name(&ELEMENT_TYPES[..3]).prop_map(Query::ElementType),
        1 => name(&LOGINS).prop_map(Query::CreatedBy),
        1 => date().prop_map(Query::CreatedSince),
        1 => name(&["p1"]).prop_map(Query::Pool),
        1 => name(&["T"]).prop_map(Query::TriggerType),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (boxed(), boxed()).prop_map(|(a, b)| Query::And(a, b)),
            (boxed(), boxed()).prop_map(|(a, b)| Query::Or(a, b)),
            boxed().prop_map(Query::Not),
            version_selector(inner.clone()).prop_map(|selector| Query::Version(Box::new(selector))),
            (place(inner.clone()), place(inner)).prop_map(|(from, to)| Query::Merge(from, to)),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Metadata> {
    let value = prop_oneof![
        (-2..4_i64).prop_map(AttributeValue::Integer),
        select(vec![0.5, 2.0, -1.0]).prop_map(AttributeValue::Real),
        select(vec!["ok", "bad", ""]).prop_map(|text| AttributeValue::Text(text.to_owned())),
        (0..10_i64).prop_map(|time_s| AttributeValue::Time(time_s * 1_000_000_000)),
        Just(AttributeValue::Opaque(vec![0])),
    ];
    let attribute = (select(ATTRIBUTES.to_vec()).prop_map(str::to_owned), value);
    (select(LOGINS.to_vec()), prop::collection::vec(attribute, 0..2))
        .prop_map(|(creator, attributes)| Metadata { creator: creator.to_owned(), attributes })
}

/// A tree in which a branch type occurs once per parent, with versions removed here and there, attributes, labels
/// and hyperlinks.
pub fn element() -> impl Strategy<Value = Element> {
    let version = (0..4_u32, 0..10_i64, prop::collection::vec(0..2_u32, 0..2), attributes());
    let versions = prop::collection::vec(version, 0..4);
    let branch = (any::<Index>(), 0..4_u32, versions, attributes());
    let link = (0..HYPERLINK_TYPES.len() as u32, any::<Index>(), any::<Index>());
    let about = (0..3_u32, any::<bool>(), 7..9_u8, attributes(), select(vec!["p1", "p2"]), any::<bool>());
    (about, prop::collection::vec(branch, 1..7), prop::collection::vec(link, 0..3)).prop_map(
        |((element_type, checked_out, identity, metadata, pool, trigger), rows, links)| {
            let mut branches: Vec<Branch> = Vec::new();
            for (parent, branch_type, rows, metadata) in rows {
                let parent = (!branches.is_empty()).then(|| parent.index(branches.len()) as u32);
                if branches.iter().any(|b| b.parent == parent && b.branch_type == branch_type) {
                    continue;
                }
                // The root branch is mostly main.
                let branch_type = if parent.is_none() && branch_type != 1 { 0 } else { branch_type };
                let versions: BTreeMap<u32, Version> = rows
                    .into_iter()
                    .map(|(number, time_s, labels, metadata)| {
                        (number, Version { created_ns: time_s * 1_000_000_000, labels, metadata })
                    })
                    .collect();
                branches.push(Branch { parent, branch_type, versions, metadata });
            }
            let mut element = Element {
                element_type,
                branches,
                checked_out,
                metadata,
                identity,
                pool: pool.to_owned(),
                triggers: trigger.then(|| "T".to_owned()).into_iter().collect(),
                hyperlinks: Vec::new(),
            };
            let every =
                Selector::OnBranch { branches: vec![BranchStep::AnyLevels], version: VersionName::Latest };
            let ends = fitting(&every, &element);
            if !ends.is_empty() {
                let end = |index: Index| ends[index.index(ends.len())];
                let links = links.into_iter().map(|(link, from, to)| (link, end(from), end(to)));
                element.hyperlinks = links.collect();
            }
            element
        },
    )
}
