//! Judges objects by queries. Owns the meaning of each primitive; facts come in through [`QueryFacts`], names are
//! resolved once for a VOB. No I/O, no clock.

use std::cmp::Ordering;

use super::{Comparison, LinkDirection, Place, Query, QueryValue, Reach};
use crate::bind::{BoundSelector, Branches, TypeNames, bind_branches, bind_selector};
use crate::select::ElementFacts;
use crate::selector::{BranchStep, Selector, VersionName};

/// What a query judges, within one element; branches are numbered as in [`ElementFacts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryObject {
    /// The element itself.
    Element,
    /// One of its branches.
    Branch(u32),
    /// One of its versions.
    Version {
        /// The branch it is on.
        branch: u32,
        /// Its number there.
        number: u32,
    },
}

/// The value of an attached attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// An integer.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A text, without quotes.
    Text(String),
    /// Nanoseconds since 1970 UTC.
    Time(i64),
    /// Bytes that mean nothing here; no comparison holds.
    Opaque(Vec<u8>),
}

/// Facts that only queries and `-config` ask for, beside those of [`ElementFacts`]. Callbacks (`each`) may call
/// the other methods.
pub trait QueryFacts: ElementFacts {
    /// The element's identity, the same in every replica.
    fn oid(&self) -> [u8; 16];
    /// How many branches there are.
    fn branch_count(&self) -> u32;
    /// Calls `each` with the numbers of a branch's surviving versions, newest first, until it answers false.
    fn versions(&self, branch: u32, each: &mut dyn FnMut(u32) -> bool);
    /// When an object was created, in nanoseconds since 1970 UTC.
    fn created_ns(&self, object: QueryObject) -> i64;
    /// Whether the user of that login name created an object.
    fn created_by(&self, object: QueryObject, login: &str) -> bool;
    /// Calls `each` with type name and value of every attribute attached to an object itself.
    fn attributes(&self, object: QueryObject, each: &mut dyn FnMut(&str, &AttributeValue));
    /// Calls `each` with type and direction of every hyperlink attached to an object itself.
    fn hyperlinks(&self, object: QueryObject, each: &mut dyn FnMut(u32, LinkDirection));
    /// Calls `each` with both ends, as branch and number, of every merge arrow within the element.
    fn merges(&self, each: &mut dyn FnMut((u32, u32), (u32, u32)));
    /// Whether the element keeps its data in a pool.
    fn uses_pool(&self, name: &str) -> bool;
    /// Whether a trigger of the type is attached to the element.
    fn has_trigger(&self, name: &str) -> bool;
}

/// A query with its names resolved in one VOB. A name that the VOB does not know makes its primitive false.
#[derive(Debug)]
pub struct BoundQuery(pub(super) Node);

#[derive(Debug)]
pub(super) enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Never,
    Attribute { name: String, comparison: Comparison, value: QueryValue, reach: Reach },
    AttributeType { name: String, reach: Reach },
    LabelType { label: u32, reach: Reach },
    HyperlinkType { link: u32, direction: Option<LinkDirection>, reach: Reach },
    BranchType(u32),
    ElementType(u32),
    CreatedBy(String),
    CreatedSince(i64),
    Merge(Point, Point),
    Version(Box<BoundSelector>),
    Pool(String),
    TriggerType(String),
}

#[derive(Debug)]
pub(super) enum Point {
    Branch(Branches),
    Version(Box<BoundSelector>),
}

impl Query {
    /// Resolves the names of the query in a VOB.
    pub fn bind(&self, names: &dyn TypeNames) -> BoundQuery {
        BoundQuery(self.node(names))
    }

    fn node(&self, names: &dyn TypeNames) -> Node {
        let boxed = |query: &Query| Box::new(query.node(names));
        match self {
            Query::And(a, b) => Node::And(boxed(a), boxed(b)),
            Query::Or(a, b) => Node::Or(boxed(a), boxed(b)),
            Query::Not(query) => Node::Not(boxed(query)),
            Query::Attribute { name, comparison, value, reach } => Node::Attribute {
                name: name.clone(),
                comparison: *comparison,
                value: value.clone(),
                reach: *reach,
            },
            Query::AttributeType { name, reach } => Node::AttributeType { name: name.clone(), reach: *reach },
            Query::LabelType { name, reach } => {
                names.label_type(name).map_or(Node::Never, |label| Node::LabelType { label, reach: *reach })
            }
            Query::HyperlinkType { name, direction, reach } => {
                names.hyperlink_type(name).map_or(Node::Never, |link| Node::HyperlinkType {
                    link,
                    direction: *direction,
                    reach: *reach,
                })
            }
            Query::BranchType(name) => names.branch_type(name).map_or(Node::Never, Node::BranchType),
            Query::ElementType(name) => names.element_type(name).map_or(Node::Never, Node::ElementType),
            Query::CreatedBy(login) => Node::CreatedBy(login.clone()),
            Query::CreatedSince(date) => Node::CreatedSince(date.time_ns),
            Query::Merge(from, to) => match (point(from, names), point(to, names)) {
                (Some(from), Some(to)) => Node::Merge(from, to),
                _ => Node::Never,
            },
            Query::Version(selector) => match bind_selector(selector, names) {
                Ok(selector) => Node::Version(Box::new(selector)),
                Err(_) => Node::Never,
            },
            Query::Pool(name) => Node::Pool(name.clone()),
            Query::TriggerType(name) => Node::TriggerType(name.clone()),
        }
    }
}

/// Branch and label types share one name space, so that a name means one thing in a VOB.
fn point(place: &Place, names: &dyn TypeNames) -> Option<Point> {
    let version = |selector: &Selector| bind_selector(selector, names).ok().map(Box::new).map(Point::Version);
    let branches = |steps: &[BranchStep]| bind_branches(steps, names).ok().map(Point::Branch);
    match place {
        Place::Name(name) if names.branch_type(name).is_some() => {
            branches(&[BranchStep::AnyLevels, BranchStep::Type(name.clone())])
        }
        Place::Name(name) => version(&Selector::Label(name.clone())),
        Place::Path(steps) => match steps.as_slice() {
            [on @ .., BranchStep::Type(last)] if !on.is_empty() && names.branch_type(last).is_none() => {
                version(&Selector::OnBranch {
                    branches: on.to_vec(),
                    version: VersionName::Label(last.clone()),
                })
            }
            steps => branches(steps),
        },
        Place::Version(selector) => version(selector),
    }
}

impl Point {
    fn contains(&self, facts: &dyn QueryFacts, (branch, number): (u32, u32)) -> bool {
        match self {
            Point::Branch(branches) => branches.contain(facts, branch),
            Point::Version(selector) => selects(selector, facts, &|b, n| (b, n) == (branch, number)),
        }
    }
}

/// Whether a selector fits some version that `wanted` accepts.
fn selects(selector: &BoundSelector, facts: &dyn QueryFacts, wanted: &dyn Fn(u32, u32) -> bool) -> bool {
    let mut found = false;
    selects_each(selector, facts, &mut |branch, number| found |= wanted(branch, number));
    found
}

/// Calls `each` with every version that a selector fits, perhaps more than once.
pub(super) fn selects_each(selector: &BoundSelector, facts: &dyn QueryFacts, each: &mut dyn FnMut(u32, u32)) {
    let _ = selector.each_version(facts, None, each);
}

impl BoundQuery {
    /// Whether the query holds for an object.
    pub fn holds(&self, object: QueryObject, facts: &dyn QueryFacts) -> bool {
        self.0.holds(object, facts)
    }
}

impl Node {
    pub(super) fn holds(&self, object: QueryObject, facts: &dyn QueryFacts) -> bool {
        match self {
            Node::And(a, b) => a.holds(object, facts) && b.holds(object, facts),
            Node::Or(a, b) => a.holds(object, facts) || b.holds(object, facts),
            Node::Not(query) => !query.holds(object, facts),
            Node::Never => false,
            Node::Attribute { name, comparison, value, reach } => reach.any(object, facts, &mut |object| {
                let mut holds = false;
                facts.attributes(object, &mut |attached, has| {
                    holds |= attached == name && comparison.holds(has, value);
                });
                holds
            }),
            Node::AttributeType { name, reach } => reach.any(object, facts, &mut |object| {
                let mut holds = false;
                facts.attributes(object, &mut |attached, _| holds |= attached == name);
                holds
            }),
            Node::LabelType { label, reach } => {
                let mut holds = false;
                facts.labelled(*label, &mut |branch, number| {
                    holds |= match (object, reach) {
                        (QueryObject::Version { branch: b, number: n }, _) => (b, n) == (branch, number),
                        (_, Reach::Object) => false,
                        (QueryObject::Branch(b), Reach::Below) => b == branch,
                        (QueryObject::Element, Reach::Below) => true,
                    };
                });
                holds
            }
            Node::HyperlinkType { link, direction, reach } => reach.any(object, facts, &mut |object| {
                let mut holds = false;
                facts.hyperlinks(object, &mut |attached, from| {
                    holds |= attached == *link && direction.is_none_or(|wanted| wanted == from);
                });
                holds
            }),
            Node::BranchType(wanted) => match object {
                QueryObject::Element => {
                    let mut holds = false;
                    facts.branches_of_type(*wanted, &mut |_| holds = true);
                    holds
                }
                QueryObject::Branch(branch) | QueryObject::Version { branch, .. } => {
                    facts.branch_type(branch) == *wanted
                }
            },
            Node::ElementType(wanted) => facts.element_type() == *wanted,
            Node::CreatedBy(login) => facts.created_by(object, login),
            Node::CreatedSince(time_ns) => facts.created_ns(object) >= *time_ns,
            Node::Merge(from, to) => {
                let mut holds = false;
                facts.merges(&mut |start, end| {
                    holds = holds || (from.contains(facts, start) && to.contains(facts, end));
                });
                holds
            }
            Node::Version(selector) => selects(selector, facts, &|branch, number| match object {
                QueryObject::Element => true,
                QueryObject::Branch(on) => on == branch,
                QueryObject::Version { branch: b, number: n } => (b, n) == (branch, number),
            }),
            Node::Pool(name) => facts.uses_pool(name),
            Node::TriggerType(name) => facts.has_trigger(name),
        }
    }
}

impl Reach {
    /// Whether `holds` is true of the object or, with [`Reach::Below`], of something below it.
    fn any(
        self,
        object: QueryObject,
        facts: &dyn QueryFacts,
        holds: &mut dyn FnMut(QueryObject) -> bool,
    ) -> bool {
        if holds(object) {
            return true;
        }
        let branches = match (self, object) {
            (Reach::Object, _) | (_, QueryObject::Version { .. }) => return false,
            (Reach::Below, QueryObject::Element) => 0..facts.branch_count(),
            (Reach::Below, QueryObject::Branch(branch)) => branch..branch + 1,
        };
        branches.into_iter().any(|branch| {
            if object == QueryObject::Element && holds(QueryObject::Branch(branch)) {
                return true;
            }
            let mut found = false;
            facts.versions(branch, &mut |number| {
                found = holds(QueryObject::Version { branch, number });
                !found
            });
            found
        })
    }
}

impl Comparison {
    /// Whether an attached value stands in this relation to the one of the query. Values that cannot be compared
    /// stand in none.
    fn holds(self, has: &AttributeValue, wanted: &QueryValue) -> bool {
        let order = match (has, wanted) {
            (AttributeValue::Integer(has), QueryValue::Integer(wanted)) => Some(has.cmp(wanted)),
            (AttributeValue::Integer(has), QueryValue::Real(wanted)) => (*has as f64).partial_cmp(wanted),
            (AttributeValue::Real(has), QueryValue::Integer(wanted)) => has.partial_cmp(&(*wanted as f64)),
            (AttributeValue::Real(has), QueryValue::Real(wanted)) => has.partial_cmp(wanted),
            (AttributeValue::Text(has), QueryValue::Text(wanted)) => Some(has.cmp(wanted)),
            (AttributeValue::Time(has), QueryValue::Time(wanted)) => Some(has.cmp(&wanted.time_ns)),
            _ => None,
        };
        order.is_some_and(|order| match self {
            Comparison::Equal => order == Ordering::Equal,
            Comparison::NotEqual => order != Ordering::Equal,
            Comparison::Less => order == Ordering::Less,
            Comparison::LessOrEqual => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            Comparison::GreaterOrEqual => order != Ordering::Less,
        })
    }
}
