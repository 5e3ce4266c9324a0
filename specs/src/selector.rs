//! Version selectors: what a rule picks from an element's version tree. Owns their syntax; must not know ids,
//! which are resolved per VOB, nor how a tree is searched.

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::lex::Token;

/// The version selector of a rule, as names.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The last component of a selector with a branch path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionName {
    /// A version number.
    Number(u32),
    /// `LATEST`: the highest surviving number, under the rule's time cut-off.
    Latest,
    /// A label type.
    Label(String),
}

impl Selector {
    /// Whether the selector can pick a checked-in version: only then do branch and time blocks concern the rule.
    pub fn selects_version(&self) -> bool {
        matches!(self, Selector::Label(_) | Selector::OnBranch { .. })
    }

    /// Whether the selector says `LATEST`: only then does a time cut-off concern the rule.
    pub fn selects_latest(&self) -> bool {
        matches!(self, Selector::OnBranch { version: VersionName::Latest, .. })
    }
}

/// Reads a selector word.
pub(crate) fn parse_selector(token: &Token) -> Result<Selector, Problem> {
    const WANTED: &str =
        "CHECKEDOUT, a label, a branch path with a version number, LATEST or a label, -none or -error";
    if token.is_option() {
        return match token.bytes.as_slice() {
            b"-none" => Ok(Selector::None),
            b"-error" => Ok(Selector::Error),
            b"-config" => Err(unsupported(token, "-config selectors are not supported yet")),
            _ => Err(token.problem("unknown version selector", WANTED)),
        };
    }
    if token.bytes.contains(&b'{') {
        return Err(unsupported(token, "queries {...} in version selectors are not supported yet"));
    }
    let text = std::str::from_utf8(&token.bytes)
        .map_err(|_| token.problem("version selector is not valid UTF-8", "type names in UTF-8"))?;
    if text == "CHECKEDOUT" {
        return Ok(Selector::CheckedOut);
    }
    let mut branches = Vec::new();
    let mut names = text.strip_prefix('/').unwrap_or(text).split('/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_some() {
            branches.push(branch_step(token, name)?);
            continue;
        }
        return version_on(token, branches, name, text.contains('/'));
    }
    Err(token.problem("empty version selector", WANTED))
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
        VersionName::Label(_) => Ok(Selector::OnBranch { branches, version }),
        _ if branches.last() == Some(&BranchStep::AnyLevels) => {
            Err(token.problem("... names no branch", "a branch type between ... and the version"))
        }
        _ => Ok(Selector::OnBranch { branches, version }),
    }
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

/// Types are made with names free of these; whether a VOB has the type is asked when the spec is bound.
fn type_name(token: &Token, name: &str, expected: &str) -> Result<String, Problem> {
    let reserved = matches!(name, "" | "..." | "." | ".." | "LATEST" | "CHECKEDOUT") || name.starts_with('-');
    let number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let odd = name.chars().any(|c| c.is_control() || c.is_whitespace() || "/{}[]*?\"'".contains(c));
    if reserved || number || odd {
        return Err(token.problem(format!("\"{name}\" is no name of a type"), expected));
    }
    Ok(name.to_owned())
}

fn unsupported(token: &Token, message: &str) -> Problem {
    Problem { kind: DiagnosticKind::Unsupported, expected: None, ..token.problem(message, "") }
}
