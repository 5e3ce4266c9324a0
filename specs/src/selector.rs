//! Version selectors: what a rule picks from an element's version tree. Owns their syntax; must not know ids,
//! which are resolved per VOB, nor how a tree is searched.

use std::fmt;
use std::sync::Arc;

use crate::config_record::ConfigRecord;
use crate::diagnostic::Problem;
use crate::lex::{Token, quote};
use crate::query::{Dates, Query, parse_query};

/// The version selector of a rule, as names.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// `CHECKEDOUT`: the version checked out to the asking view.
    CheckedOut,
    /// `LABEL`: the version that carries the label, on any branch.
    Label(String),
    /// `BRANCHES/VERSION`.
    OnBranch {
        /// The branch path from the root branch down; never empty.
        branches: Vec<BranchStep>,
        /// The version on the branch that the path names.
        version: VersionName,
    },
    /// `{QUERY}`: the one version of the whole tree of which the query holds.
    Query(Query),
    /// `-config DERIVED-OBJECT`: the version that went into a build.
    Config(ConfigSelector),
    /// `-none`: no version, and the search stops.
    None,
    /// `-error`: access is an error, and the search stops.
    Error,
}

/// One component of a branch path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BranchStep<T = String> {
    /// `...`: zero or more branch levels.
    AnyLevels,
    /// A branch type: its name, or its id once bound.
    Type(T),
}

/// A `-config` selector, with the config record it found.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigSelector {
    /// The derived object's path, as written.
    pub derived_object: Vec<u8>,
    /// Which derived objects of the build's hierarchy count, by a pattern for their names; `None`: all.
    pub select: Option<Vec<u8>>,
    /// Whether the records of derived objects that are versions count as well.
    pub checked_in: bool,
    /// The versions on record.
    pub record: Arc<ConfigRecord>,
}

/// The last component of a selector with a branch path.
#[derive(Clone, Debug, PartialEq)]
pub enum VersionName {
    /// A version number.
    Number(u32),
    /// `LATEST`: the highest surviving number, under the rule's time cut-off.
    Latest,
    /// A label type.
    Label(String),
    /// The newest version on the branch of which the query holds.
    Query(Query),
}

impl Selector {
    /// Whether the selector can pick a checked-in version: only then do branch and time blocks concern the rule.
    pub fn selects_version(&self) -> bool {
        !matches!(self, Selector::CheckedOut | Selector::None | Selector::Error)
    }

    /// Whether the selector says `LATEST`: only then does a time cut-off concern the rule.
    pub fn selects_latest(&self) -> bool {
        matches!(self, Selector::OnBranch { version: VersionName::Latest, .. })
    }
}

/// A branch path as it is written, without a slash at its end.
pub(crate) struct BranchPath<'a>(pub &'a [BranchStep]);

impl fmt::Display for BranchPath<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, step)| match step {
            BranchStep::AnyLevels if index == 0 => write!(out, "..."),
            BranchStep::AnyLevels => write!(out, "/..."),
            BranchStep::Type(name) => write!(out, "/{name}"),
        })
    }
}

/// The selector as it is written in a rule; bytes of a path that are not UTF-8 are replaced.
impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::CheckedOut => write!(out, "CHECKEDOUT"),
            Selector::Label(name) => write!(out, "{name}"),
            Selector::OnBranch { branches, version } => {
                write!(out, "{}/", BranchPath(branches))?;
                match version {
                    VersionName::Number(number) => write!(out, "{number}"),
                    VersionName::Latest => write!(out, "LATEST"),
                    VersionName::Label(name) => write!(out, "{name}"),
                    VersionName::Query(query) => write!(out, "{{{query}}}"),
                }
            }
            Selector::Query(query) => write!(out, "{{{query}}}"),
            Selector::Config(config) => {
                let shown = |bytes: &[u8]| String::from_utf8_lossy(&quote(bytes)).into_owned();
                write!(out, "-config {}", shown(&config.derived_object))?;
                if let Some(pattern) = &config.select {
                    write!(out, " -select {}", shown(pattern))?;
                }
                if config.checked_in { write!(out, " -ci") } else { Ok(()) }
            }
            Selector::None => write!(out, "-none"),
            Selector::Error => write!(out, "-error"),
        }
    }
}

/// Reads a selector of one word, all but `-config`; `depth` counts the queries around it.
pub(crate) fn parse_selector(token: &Token, dates: &Dates, depth: u32) -> Result<Selector, Problem> {
    const WANTED: &str = "CHECKEDOUT, a label, a branch path with a version number, LATEST, a label or a query, \
         -config, -none or -error";
    if token.is_option() {
        return match token.bytes.as_slice() {
            b"-none" => Ok(Selector::None),
            b"-error" => Ok(Selector::Error),
            _ => Err(token.problem("unknown version selector", WANTED)),
        };
    }
    // Within a query nothing is an option.
    if depth == 0 && token.has_long_dash() {
        return Err(token.long_dash(WANTED));
    }
    let text = std::str::from_utf8(&token.bytes)
        .map_err(|_| token.problem("version selector is not valid UTF-8", "type names in UTF-8"))?;
    if text == "CHECKEDOUT" {
        return Ok(Selector::CheckedOut);
    }
    let (path, query) = match text.find('{') {
        None => (text, None),
        Some(start) => (&text[..start], Some(query(token, text, start, dates, depth)?)),
    };
    let mut branches = Vec::new();
    let mut names = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_some() {
            branches.push(branch_step(token, name)?);
            continue;
        }
        return match query {
            None => version_on(token, branches, name, path.contains('/')),
            Some(_) if !name.is_empty() => {
                Err(token.problem("query is not a component of its own", "\"/\" before \"{\""))
            }
            Some(query) if path.is_empty() || branches == [BranchStep::AnyLevels] => {
                Ok(Selector::Query(query))
            }
            Some(query) => on_branch(token, branches, VersionName::Query(query)),
        };
    }
    Err(token.problem("empty version selector", WANTED))
}

/// Reads the query between `{`, which is at `start`, and the end of the word.
fn query(token: &Token, text: &str, start: usize, dates: &Dates, depth: u32) -> Result<Query, Problem> {
    let at = |offset: usize| {
        let quote = usize::from(token.quoted);
        token.column.saturating_add(u32::try_from(quote + offset).unwrap_or(u32::MAX))
    };
    let Some(inner) = text[start + 1..].strip_suffix('}') else {
        return Err(Problem {
            column: at(start),
            ..token.problem("query is not closed", "\"}\" at its end")
        });
    };
    parse_query(inner, dates, depth).map_err(|error| Problem {
        column: at(start + 1 + error.offset),
        found: Some(if error.found.is_empty() { "}".to_owned() } else { error.found }),
        ..token.problem(error.kind.to_string(), error.expected)
    })
}

/// Reads a branch path whose last component is a name, as in `/main/fix` or `.../fix`. `None`: it is none.
pub(crate) fn parse_branch_path(token: &Token) -> Option<Vec<BranchStep>> {
    let text = std::str::from_utf8(&token.bytes).ok()?;
    let path = text.strip_prefix('/').unwrap_or(text);
    let steps: Result<Vec<BranchStep>, Problem> =
        path.split('/').map(|name| branch_step(token, name)).collect();
    steps.ok().filter(|steps| text.contains('/') && matches!(steps.last(), Some(BranchStep::Type(_))))
}

fn version_on(
    token: &Token,
    branches: Vec<BranchStep>,
    name: &str,
    has_slash: bool,
) -> Result<Selector, Problem> {
    let branch_wanted = "a branch path before it, as in /main/LATEST";
    let version = if name == "LATEST" {
        VersionName::Latest
    } else if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        let number =
            name.parse().map_err(|_| token.problem("version number is too large", "a number below 2^32"));
        VersionName::Number(number?)
    } else if name == "CHECKEDOUT" || name == "..." {
        return Err(
            token.problem("branch path does not end in a version", "a version number, LATEST or a label")
        );
    } else {
        VersionName::Label(type_name(token, name, "a version number, LATEST or a label")?)
    };
    if branches.is_empty() {
        return match version {
            VersionName::Label(label) if !has_slash => Ok(Selector::Label(label)),
            _ => Err(token.problem("version selector has no branch", branch_wanted)),
        };
    }
    match version {
        VersionName::Label(label) if branches == [BranchStep::AnyLevels] => Ok(Selector::Label(label)),
        version => on_branch(token, branches, version),
    }
}

/// A label is looked for on whatever branch the path leads to; everything else needs a branch that is named.
fn on_branch(token: &Token, branches: Vec<BranchStep>, version: VersionName) -> Result<Selector, Problem> {
    match version {
        VersionName::Label(_) => {}
        _ if branches.last() != Some(&BranchStep::AnyLevels) => {}
        _ => return Err(token.problem("... names no branch", "a branch type between ... and the version")),
    }
    Ok(Selector::OnBranch { branches, version })
}

fn branch_step(token: &Token, name: &str) -> Result<BranchStep, Problem> {
    if name == "..." {
        return Ok(BranchStep::AnyLevels);
    }
    type_name(token, name, "the name of a branch type").map(BranchStep::Type)
}

/// Takes a word that must be the name of a type.
pub(crate) fn parse_type_name(token: &Token, expected: &str) -> Result<String, Problem> {
    let text = std::str::from_utf8(&token.bytes)
        .map_err(|_| token.problem("name is not valid UTF-8", "type names in UTF-8"))?;
    type_name(token, text, expected)
}

fn type_name(token: &Token, name: &str, expected: &str) -> Result<String, Problem> {
    match plain_type_name(name) {
        true => Ok(name.to_owned()),
        false => Err(token.problem(format!("\"{name}\" is no name of a type"), expected)),
    }
}

/// Whether a text can be the name of a type: they are made with names free of these. Whether a VOB has the type is
/// asked when the spec is bound.
pub(crate) fn plain_type_name(name: &str) -> bool {
    let reserved = matches!(name, "" | "..." | "." | ".." | "LATEST" | "CHECKEDOUT") || name.starts_with('-');
    let number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let odd = name.chars().any(|c| c.is_control() || c.is_whitespace() || "/{}[]*?\"'".contains(c));
    !(reserved || number || odd)
}
