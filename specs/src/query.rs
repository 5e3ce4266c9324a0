//! The query language: conditions on versions, branches and elements, as in `{brtype(fix) && QA == "ok"}`. Owns
//! its syntax tree and printed form; `parse` reads text, `evaluate` judges an object by facts. Must not know rules,
//! patterns, or where facts come from.
//!
//! ```text
//! query      := and { '||' and }          and := unary { '&&' unary }
//! unary      := '!' unary | '(' query ')' | primitive
//! primitive  := ATTRIBUTE OP VALUE              | attr_sub(ATTRIBUTE, OP, VALUE)
//!             | attype(T) | attype_sub(T)       | lbtype(T) | lbtype_sub(T)
//!             | hltype(T [, -> | <-])           | hltype_sub(T [, -> | <-])
//!             | brtype(T) | eltype(T)           | created_by(LOGIN) | created_since(DATE-TIME)
//!             | merge(PLACE, PLACE)             | version(SELECTOR) | pool(P) | trtype(T)
//! OP         := '==' | '!=' | '<' | '<=' | '>' | '>='
//! VALUE      := INTEGER | REAL | '"' TEXT '"' | DATE-TIME
//! PLACE      := a branch path, such as /main/fix, or a version selector
//! ```

mod candidates;
mod evaluate;
mod parse;

pub use evaluate::{AttributeValue, BoundQuery, QueryFacts, QueryObject};
pub(crate) use parse::{Dates, parse as parse_query};
pub use parse::{MAX_QUERY_OPERATORS, QueryError, QueryErrorKind};

use std::fmt;

use crate::selector::{BranchPath, BranchStep, Selector};

/// A query, as names.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Both hold.
    And(Box<Query>, Box<Query>),
    /// One holds, or both.
    Or(Box<Query>, Box<Query>),
    /// It does not hold.
    Not(Box<Query>),
    /// `ATTRIBUTE OP VALUE`, of the object itself, or with `attr_sub` also of what is below it.
    Attribute {
        /// The attribute type.
        name: String,
        /// How the attached value is compared with `value`.
        comparison: Comparison,
        /// What it is compared with.
        value: QueryValue,
        /// Where the attribute may be attached.
        reach: Reach,
    },
    /// An attribute of the type is attached.
    AttributeType {
        /// The attribute type.
        name: String,
        /// Where it may be attached.
        reach: Reach,
    },
    /// A label of the type is attached.
    LabelType {
        /// The label type.
        name: String,
        /// Where it may be attached.
        reach: Reach,
    },
    /// A hyperlink of the type is attached.
    HyperlinkType {
        /// The hyperlink type.
        name: String,
        /// Only links in this direction.
        direction: Option<LinkDirection>,
        /// Where it may be attached.
        reach: Reach,
    },
    /// The element has such a branch, the branch is one, the version lies on one.
    BranchType(String),
    /// The element (of the branch, of the version) is exactly of that type.
    ElementType(String),
    /// The object was created by the user of that login name.
    CreatedBy(String),
    /// The object was created at that time or later.
    CreatedSince(QueryDate),
    /// A merge arrow leads from the one place to the other, in the element of the object.
    Merge(Place, Place),
    /// The version is the one selected; the element or branch has such a version.
    Version(Box<Selector>),
    /// The element keeps its data in that pool.
    Pool(String),
    /// A trigger of the type is attached to the element.
    TriggerType(String),
}

/// A date-time in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryDate {
    /// As written.
    pub text: String,
    /// Nanoseconds since 1970 UTC.
    pub time_ns: i64,
}

/// Where a primitive looks for what is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the object itself.
    Object,
    /// To the object or to what is below it: the branches and versions of an element, the versions of a branch.
    Below,
}

/// The direction of a hyperlink, as seen from the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkDirection {
    /// `->`: the object is where the link starts.
    From,
    /// `<-`: the object is where the link ends.
    To,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The value that an attribute is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    /// An integer.
    Integer(i64),
    /// A number with a decimal point or exponent; always finite.
    Real(f64),
    /// A text in double quotes.
    Text(String),
    /// A date-time.
    Time(QueryDate),
}

/// A type object that a query names by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedType<'a> {
    /// `brtype(T)`
    Branch(&'a str),
    /// `lbtype(T)`, `lbtype_sub(T)`
    Label(&'a str),
    /// `eltype(T)`
    Element(&'a str),
    /// `hltype(T)`, `hltype_sub(T)`
    Hyperlink(&'a str),
}

/// One end of a merge arrow.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The version with that label or, where it is a branch type, any version on branches of that type.
    Name(String),
    /// Any version on the branches that a path names or, where its last component is a label type, the version
    /// with that label there.
    Path(Vec<BranchStep>),
    /// The version that a selector names.
    Version(Box<Selector>),
}

impl Query {
    /// Calls `each` with every type object that the query names by its kind, in the order of writing, until it
    /// answers false. Types within selectors and merges are not among them: those may be types of another VOB.
    pub fn each_type<'a>(&'a self, each: &mut dyn FnMut(NamedType<'a>) -> bool) -> bool {
        match self {
            Query::And(a, b) | Query::Or(a, b) => a.each_type(each) && b.each_type(each),
            Query::Not(query) => query.each_type(each),
            Query::BranchType(name) => each(NamedType::Branch(name)),
            Query::LabelType { name, .. } => each(NamedType::Label(name)),
            Query::ElementType(name) => each(NamedType::Element(name)),
            Query::HyperlinkType { name, .. } => each(NamedType::Hyperlink(name)),
            Query::Attribute { .. }
            | Query::AttributeType { .. }
            | Query::CreatedBy(_)
            | Query::CreatedSince(_)
            | Query::Merge(..)
            | Query::Version(_)
            | Query::Pool(_)
            | Query::TriggerType(_) => true,
        }
    }
}

impl Comparison {
    const ALL: [(&'static str, Comparison); 6] = [
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Comparison::ALL.iter();
        all.filter(|(_, comparison)| comparison == self).try_for_each(|(text, _)| out.write_str(text))
    }
}

impl fmt::Display for QueryValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryValue::Integer(value) => write!(out, "{value}"),
            // Debug keeps the decimal point that tells a real from an integer.
            QueryValue::Real(value) => write!(out, "{value:?}"),
            QueryValue::Text(value) => write!(out, "\"{value}\""),
            QueryValue::Time(value) => write!(out, "{}", value.text),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Name(name) => write!(out, "{name}"),
            Place::Path(steps) => write!(out, "{}", BranchPath(steps)),
            Place::Version(selector) => write!(out, "{selector}"),
        }
    }
}

/// A part of a query, and whether it needs parentheses where it stands.
struct Operand<'a>(&'a Query, bool);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1 { write!(out, "({})", self.0) } else { write!(out, "{}", self.0) }
    }
}

/// The text of a query, without braces around it; reading it again gives the same query.
impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sub = |reach: &Reach| if *reach == Reach::Below { "_sub" } else { "" };
        match self {
            // Operators of one kind group from the left: only what reads otherwise is put in parentheses.
            Query::And(a, b) => {
                let second = matches!(**b, Query::And(..) | Query::Or(..));
                write!(out, "{} && {}", Operand(a, matches!(**a, Query::Or(..))), Operand(b, second))
            }
            Query::Or(a, b) => write!(out, "{a} || {}", Operand(b, matches!(**b, Query::Or(..)))),
            Query::Not(query) => {
                write!(out, "!{}", Operand(query, matches!(**query, Query::And(..) | Query::Or(..))))
            }
            Query::Attribute { name, comparison, value, reach: Reach::Object } => {
                write!(out, "{name} {comparison} {value}")
            }
            Query::Attribute { name, comparison, value, reach: Reach::Below } => {
                write!(out, "attr_sub({name}, {comparison}, {value})")
            }
            Query::AttributeType { name, reach } => write!(out, "attype{}({name})", sub(reach)),
            Query::LabelType { name, reach } => write!(out, "lbtype{}({name})", sub(reach)),
            Query::HyperlinkType { name, direction, reach } => {
                let direction = match direction {
                    None => "",
                    Some(LinkDirection::From) => ", ->",
                    Some(LinkDirection::To) => ", <-",
                };
                write!(out, "hltype{}({name}{direction})", sub(reach))
            }
            Query::BranchType(name) => write!(out, "brtype({name})"),
            Query::ElementType(name) => write!(out, "eltype({name})"),
            Query::CreatedBy(login) => write!(out, "created_by({login})"),
            Query::CreatedSince(date) => write!(out, "created_since({})", date.text),
            Query::Merge(from, to) => write!(out, "merge({from}, {to})"),
            Query::Version(selector) => write!(out, "version({selector})"),
            Query::Pool(name) => write!(out, "pool({name})"),
            Query::TriggerType(name) => write!(out, "trtype({name})"),
        }
    }
}
