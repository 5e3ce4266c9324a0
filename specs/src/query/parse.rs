//! Reads queries: a cursor over the text, one function for each level of the grammar. Owns errors and their place;
//! must not know what a primitive means.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Comparison, LinkDirection, Place, Query, QueryDate, QueryValue, Reach};
use crate::date::{nanoseconds, parse_date_time};
use crate::lex::Token;
use crate::selector::{parse_branch_path, parse_selector, plain_type_name};

/// How deep parentheses, `!` and selectors within queries may nest.
const MAX_DEPTH: u32 = 64;

/// How many `&&` and `||` a query may have, those of queries within it counted: trees of queries are walked
/// recursively, one step for each. The text is not what is limited, because a query may be longer when it is written
/// again.
pub const MAX_QUERY_OPERATORS: usize = 1000;

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct QueryError {
    /// What is wrong.
    pub kind: QueryErrorKind,
    /// Where it begins: bytes from the start of the query.
    pub offset: usize,
    /// The offending piece; empty at the end of the query.
    pub found: String,
    /// What would have been right, as a noun phrase.
    pub expected: String,
}

/// The sorts of faults in a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryErrorKind {
    /// Something else should stand there.
    #[error("query does not follow the grammar")]
    Syntax,
    /// The query ends too early.
    #[error("query is not complete")]
    Incomplete,
    /// No primitive has that name.
    #[error("unknown query primitive")]
    UnknownPrimitive,
    /// A primitive has too many or too few arguments.
    #[error("wrong number of arguments")]
    Arguments,
    /// A number does not fit.
    #[error("number is out of range")]
    Number,
    /// A date-time is none.
    #[error("{0}")]
    Date(crate::DateError),
    /// Parentheses nest too deep.
    #[error("query is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// There are too many operators.
    #[error("query has more than {MAX_QUERY_OPERATORS} operators")]
    TooMany,
    /// A name, branch path or version selector is none.
    #[error("{0}")]
    Name(String),
}

/// The moment and zone that dates in rules and queries refer to.
#[derive(Clone, Debug)]
pub(crate) struct Dates {
    pub now: Timestamp,
    pub zone: TimeZone,
}

impl Query {
    /// Reads a query; braces around the whole are optional. `now` and `zone` are for its date-times.
    ///
    /// # Errors
    /// The first fault.
    pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Query, QueryError> {
        let dates = Dates { now, zone: zone.clone() };
        let inner = text.trim();
        let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
        let before = inner.as_ptr() as usize - text.as_ptr() as usize;
        parse(inner, &dates, 0).map_err(|error| QueryError { offset: error.offset + before, ..error })
    }
}

/// Reads the text between the braces; `depth` counts the queries around it.
pub(crate) fn parse(text: &str, dates: &Dates, depth: u32) -> Result<Query, QueryError> {
    let mut operators =
        text.as_bytes().windows(2).enumerate().filter(|(_, pair)| *pair == b"&&" || *pair == b"||");
    if let Some((offset, _)) = operators.nth(MAX_QUERY_OPERATORS) {
        let (found, expected) = (text[offset..offset + 2].to_owned(), "a shorter query".to_owned());
        return Err(QueryError { kind: QueryErrorKind::TooMany, offset, found, expected });
    }
    let mut cursor = Cursor { text, at: 0, dates, depth };
    let query = cursor.any()?;
    match cursor.peek() {
        None => Ok(query),
        Some(_) => Err(cursor.fault(QueryErrorKind::Syntax, "&&, || or the end of the query")),
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    dates: &'a Dates,
    depth: u32,
}

/// One argument of a primitive.
struct Argument<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_blanks();
        self.rest().chars().next()
    }

    fn take(&mut self, text: &str) -> bool {
        self.skip_blanks();
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    /// A fault at the cursor: what stands there is the offending piece.
    fn fault(&mut self, kind: QueryErrorKind, expected: &str) -> QueryError {
        self.skip_blanks();
        let rest = self.rest();
        let word = rest.find(|c: char| !is_word(c)).filter(|&end| end > 0);
        let end = word.unwrap_or_else(|| match rest.chars().next() {
            Some(c) if is_word(c) => rest.len(),
            Some(c) => c.len_utf8(),
            None => 0,
        });
        let kind = if rest.is_empty() { QueryErrorKind::Incomplete } else { kind };
        QueryError { kind, offset: self.at, found: rest[..end].to_owned(), expected: expected.to_owned() }
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(QueryErrorKind::TooDeep, "fewer parentheses"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn any(&mut self) -> Result<Query, QueryError> {
        let mut query = self.all()?;
        while self.take("||") {
            query = Query::Or(Box::new(query), Box::new(self.all()?));
        }
        Ok(query)
    }

    fn all(&mut self) -> Result<Query, QueryError> {
        let mut query = self.unary()?;
        while self.take("&&") {
            query = Query::And(Box::new(query), Box::new(self.unary()?));
        }
        Ok(query)
    }

    fn unary(&mut self) -> Result<Query, QueryError> {
        if self.take("!") {
            return self.deeper(|cursor| Ok(Query::Not(Box::new(cursor.unary()?))));
        }
        if self.take("(") {
            let query = self.deeper(Cursor::any)?;
            return match self.take(")") {
                true => Ok(query),
                false => Err(self.fault(QueryErrorKind::Syntax, "&&, || or \")\"")),
            };
        }
        self.primitive()
    }

    fn primitive(&mut self) -> Result<Query, QueryError> {
        self.skip_blanks();
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let name = &rest[..length];
        if name.is_empty() {
            let expected = "a primitive such as lbtype(REL1), or an attribute and its value";
            return Err(self.fault(QueryErrorKind::Syntax, expected));
        }
        self.at += length;
        if self.peek() == Some('(') {
            return self.function(name, start);
        }
        let Some(comparison) = self.comparison() else {
            let expected = "a comparison such as ==, or \"(\" after the name of a primitive";
            return Err(self.fault(QueryErrorKind::Syntax, expected));
        };
        let name = type_name(&Argument { text: name, offset: start }, "the name of an attribute type")?;
        let value = self.value()?;
        Ok(Query::Attribute { name, comparison, value, reach: Reach::Object })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let found = Comparison::ALL.iter().find(|(text, _)| self.take(text));
        found.map(|(_, comparison)| *comparison)
    }

    fn value(&mut self) -> Result<QueryValue, QueryError> {
        self.skip_blanks();
        let offset = self.at;
        let rest = self.rest();
        let length = match rest.strip_prefix('"') {
            Some(quoted) => match quoted.find('"') {
                Some(end) => end + 2,
                None => return Err(self.fault(QueryErrorKind::Syntax, "a closing double quote")),
            },
            None => rest.find(|c: char| c.is_whitespace() || "()&|!<>=,".contains(c)).unwrap_or(rest.len()),
        };
        if length == 0 {
            return Err(self.fault(QueryErrorKind::Syntax, VALUE));
        }
        self.at += length;
        value(&Argument { text: &rest[..length], offset }, self.dates)
    }

    /// Reads the arguments of a primitive, and makes it.
    fn function(&mut self, name: &str, start: usize) -> Result<Query, QueryError> {
        let arguments = self.arguments()?;
        let wrong_count = |expected: &str| QueryError {
            kind: QueryErrorKind::Arguments,
            offset: start,
            found: self.text[start..self.at].to_owned(),
            expected: expected.to_owned(),
        };
        let one = |what: &str| match arguments.as_slice() {
            [argument] => Ok(argument),
            _ => Err(wrong_count(&format!("one argument: {what}"))),
        };
        let one_name = |what: &str| one(what).and_then(|argument| type_name(argument, what));
        let reach = if name.ends_with("_sub") { Reach::Below } else { Reach::Object };
        Ok(match name {
            "attr_sub" => {
                let [attribute, comparison, compared] = arguments.as_slice() else {
                    return Err(wrong_count("an attribute type, a comparison and a value"));
                };
                let known = Comparison::ALL.iter().find(|(text, _)| *text == comparison.text);
                Query::Attribute {
                    name: type_name(attribute, "the name of an attribute type")?,
                    comparison: known
                        .map(|(_, comparison)| *comparison)
                        .ok_or_else(|| comparison.fault(QueryErrorKind::Syntax, "==, !=, <, <=, > or >="))?,
                    value: value(compared, self.dates)?,
                    reach,
                }
            }
            "attype" | "attype_sub" => {
                Query::AttributeType { name: one_name("the name of an attribute type")?, reach }
            }
            "lbtype" | "lbtype_sub" => {
                Query::LabelType { name: one_name("the name of a label type")?, reach }
            }
            "hltype" | "hltype_sub" => {
                let (link, direction) = match arguments.as_slice() {
                    [link] => (link, None),
                    [link, Argument { text: "->", .. }] => (link, Some(LinkDirection::From)),
                    [link, Argument { text: "<-", .. }] => (link, Some(LinkDirection::To)),
                    [_, other] => return Err(other.fault(QueryErrorKind::Syntax, "-> or <-")),
                    _ => return Err(wrong_count("a hyperlink type, and perhaps -> or <-")),
                };
                let name = type_name(link, "the name of a hyperlink type")?;
                Query::HyperlinkType { name, direction, reach }
            }
            "brtype" => Query::BranchType(one_name("the name of a branch type")?),
            "eltype" => Query::ElementType(one_name("the name of an element type")?),
            "trtype" => Query::TriggerType(one_name("the name of a trigger type")?),
            "pool" => Query::Pool(one_name("the name of a pool")?),
            "created_by" => Query::CreatedBy(login(one("a login name")?)?),
            "created_since" => Query::CreatedSince(date(one("a date-time")?, self.dates)?),
            "version" => Query::Version(Box::new(self.selector(one("a version selector")?)?)),
            "merge" => match arguments.as_slice() {
                [from, to] => Query::Merge(self.place(from)?, self.place(to)?),
                _ => return Err(wrong_count("two branch paths or version selectors")),
            },
            _ => {
                return Err(QueryError {
                    kind: QueryErrorKind::UnknownPrimitive,
                    offset: start,
                    found: name.to_owned(),
                    expected: PRIMITIVES.to_owned(),
                });
            }
        })
    }

    /// Reads `(a, b)`. Commas and parentheses within quotes, braces and parentheses belong to an argument.
    fn arguments(&mut self) -> Result<Vec<Argument<'a>>, QueryError> {
        self.take("(");
        let mut arguments = Vec::new();
        let mut start = self.at;
        let (mut nested, mut quoted) = (0_usize, false);
        for (offset, c) in self.text[self.at..].char_indices() {
            let here = self.at + offset;
            let ends = nested == 0 && !quoted && matches!(c, ',' | ')');
            if ends {
                let raw = &self.text[start..here];
                let text = raw.trim();
                let blanks = raw.len() - raw.trim_start().len();
                // `f()` has no argument at all.
                if !(c == ')' && text.is_empty() && arguments.is_empty()) {
                    arguments.push(Argument { text, offset: start + blanks });
                }
                start = here + 1;
                if c == ')' {
                    self.at = start;
                    return Ok(arguments);
                }
            }
            match c {
                '"' => quoted = !quoted,
                '(' | '{' if !quoted => nested += 1,
                ')' | '}' if !quoted => nested = nested.saturating_sub(1),
                _ => {}
            }
        }
        self.at = self.text.len();
        Err(self.fault(QueryErrorKind::Incomplete, "\")\""))
    }

    fn selector(&self, argument: &Argument) -> Result<crate::Selector, QueryError> {
        if self.depth >= MAX_DEPTH {
            return Err(argument.fault(QueryErrorKind::TooDeep, "fewer queries within queries"));
        }
        let selector = parse_selector(&argument.token(), self.dates, self.depth + 1);
        selector.map_err(|problem| argument.problem(problem)).and_then(|selector| match selector {
            selector if selector.selects_version() => Ok(selector),
            _ => Err(argument.fault(QueryErrorKind::Syntax, "a version number, LATEST, a label or a query")),
        })
    }

    fn place(&self, argument: &Argument) -> Result<Place, QueryError> {
        if plain_type_name(argument.text) {
            return Ok(Place::Name(argument.text.to_owned()));
        }
        match parse_branch_path(&argument.token()) {
            Some(steps) => Ok(Place::Path(steps)),
            None => self.selector(argument).map(Box::new).map(Place::Version),
        }
    }
}

const VALUE: &str = "an integer, a real, a text in double quotes or a date-time";
const PRIMITIVES: &str = "attr_sub, attype, attype_sub, brtype, created_by, created_since, eltype, hltype, hltype_sub, \
     lbtype, lbtype_sub, merge, pool, trtype or version";

/// What names and the words of dates and numbers are made of.
fn is_word(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !"(){}[],&|!<>=\"'/*?".contains(c)
}

impl Argument<'_> {
    fn fault(&self, kind: QueryErrorKind, expected: &str) -> QueryError {
        let kind = if self.text.is_empty() { QueryErrorKind::Incomplete } else { kind };
        QueryError { kind, offset: self.offset, found: self.text.to_owned(), expected: expected.to_owned() }
    }

    fn token(&self) -> Token {
        Token { bytes: self.text.as_bytes().to_vec(), quoted: false, column: 1 }
    }

    /// Turns a fault of the argument, read as a word of its own, into one of the query.
    fn problem(&self, problem: crate::diagnostic::Problem) -> QueryError {
        QueryError {
            kind: QueryErrorKind::Name(problem.message),
            offset: self.offset + (problem.column as usize - 1),
            found: problem.found.unwrap_or_default(),
            expected: problem.expected.unwrap_or_default(),
        }
    }
}

fn type_name(argument: &Argument, expected: &str) -> Result<String, QueryError> {
    match plain_type_name(argument.text) {
        true => Ok(argument.text.to_owned()),
        false => {
            let kind = QueryErrorKind::Name(format!("\"{}\" is no name of a type", argument.text));
            Err(argument.fault(kind, expected))
        }
    }
}

fn login(argument: &Argument) -> Result<String, QueryError> {
    match !argument.text.is_empty() && argument.text.chars().all(is_word) {
        true => Ok(argument.text.to_owned()),
        false => Err(argument.fault(QueryErrorKind::Syntax, "a login name")),
    }
}

fn date(argument: &Argument, dates: &Dates) -> Result<QueryDate, QueryError> {
    let parsed = parse_date_time(argument.text, dates.now, &dates.zone);
    match parsed.map(nanoseconds) {
        Ok(Some(time_ns)) => Ok(QueryDate { text: argument.text.to_owned(), time_ns }),
        Ok(None) => Err(argument.fault(QueryErrorKind::Number, "a year from 1678 to 2261")),
        Err(error) => {
            let expected = error.expected();
            Err(argument.fault(QueryErrorKind::Date(error), expected))
        }
    }
}

fn value(argument: &Argument, dates: &Dates) -> Result<QueryValue, QueryError> {
    let text = argument.text;
    if let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'))
        && !inner.contains('"')
    {
        return Ok(QueryValue::Text(inner.to_owned()));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let begins_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if begins_number && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse().map(QueryValue::Integer);
        return number.map_err(|_| argument.fault(QueryErrorKind::Number, "an integer of 64 bits"));
    }
    if begins_number && let Ok(number) = text.parse::<f64>() {
        let finite = Some(number).filter(|number| number.is_finite());
        let finite = finite.ok_or_else(|| argument.fault(QueryErrorKind::Number, "a finite number"));
        return finite.map(QueryValue::Real);
    }
    date(argument, dates).map(QueryValue::Time).map_err(|error| match &error.kind {
        QueryErrorKind::Date(crate::DateError::Syntax) => argument.fault(QueryErrorKind::Syntax, VALUE),
        _ => error,
    })
}
