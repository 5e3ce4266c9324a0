//! What is wrong with a config spec, and where. Owns the form of the message, knows no rule of the language.

use std::fmt;
use std::path::PathBuf;

/// What sort of fault a [`Diagnostic`] reports, for callers that word their own summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiagnosticKind {
    /// The text does not follow the grammar.
    Syntax,
    /// An absolute pattern does not begin with a registered VOB tag.
    UnregisteredVob,
    /// An included file cannot be read, includes itself, or goes too deep.
    Include,
    /// The text passes a limit of this crate.
    Limit,
    /// The derived object of a `-config` selector has no config record, or it cannot be read.
    ConfigRecord,
}

/// The place of an `include` rule that led to the file of a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludedFrom {
    /// The file that holds the `include` rule.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u32,
}

/// One fault of a config spec.
///
/// Displays in compiler style on one line: `FILE:LINE:COL: message (found "x", expected y)`, followed by
/// `, included from FILE:LINE` for each `include` that led there, innermost first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostic {
    /// The file with the fault, as the caller named it or as its include was resolved.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
    /// The sort of fault.
    pub kind: DiagnosticKind,
    /// What is wrong, without a final full stop.
    pub message: String,
    /// The offending token, cut if it is very long; `None` when the rule ends too early or no single token is at fault.
    pub found: Option<String>,
    /// What would have been right, as a noun phrase.
    pub expected: Option<String>,
    /// The `include` rules that led to `file`, innermost first.
    pub included_from: Vec<IncludedFrom>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        match (&self.found, &self.expected) {
            (Some(found), Some(expected)) => write!(out, " (found \"{found}\", expected {expected})")?,
            (Some(found), None) => write!(out, " (found \"{found}\")")?,
            (None, Some(expected)) => write!(out, " (found end of rule, expected {expected})")?,
            (None, None) => {}
        }
        for from in &self.included_from {
            write!(out, ", included from {}:{}", from.file.display(), from.line)?;
        }
        Ok(())
    }
}

/// How many characters of a message, and of an offending token, a diagnostic keeps.
const MAX_SHOWN: usize = 500;

/// Cuts what a user would not read to its end.
pub(crate) fn clip(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// A fault within one line, before the file and line are known.
#[derive(Debug)]
pub(crate) struct Problem {
    pub column: u32,
    pub kind: DiagnosticKind,
    pub message: String,
    pub found: Option<String>,
    pub expected: Option<String>,
}

impl Problem {
    /// A fault without an offending token.
    pub fn plain(kind: DiagnosticKind, column: u32, message: impl Into<String>) -> Problem {
        Problem { column, kind, message: message.into(), found: None, expected: None }
    }
}
