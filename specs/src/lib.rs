//! The config-spec language: the rules by which a view picks one version of every element.
//!
//! This crate owns the language from source text to decision: [`ConfigSpec::compile`] reads rules,
//! [`ConfigSpec::bind`] resolves their names in one VOB, [`BoundSpec::descend`] carries the patterns that can
//! still match from a directory to a child, [`BoundSpec::select`] decides. It must not know files, VOB storage,
//! clocks or views: included text, registered tags, the present time and each element's version tree come in
//! through [`Environment`], [`TypeNames`] and [`ElementFacts`].
//!
//! # The language
//!
//! ```text
//! spec      := { line }
//! line      := [ rule { ';' rule } [';'] ] [ '#' text ]
//! rule      := 'element' [ '-file' | '-directory' | '-eltype' T ] PATTERN SELECTOR { clause }
//!            | 'mkbranch' B [ '-override' ]   | 'end' 'mkbranch' [ B ]
//!            | 'time' DATE-TIME               | 'end' 'time' [ DATE-TIME ]
//!            | 'include' PATH                 | 'load' PATH { PATH }
//! clause    := '-time' DATE-TIME | '-nocheckout' | '-mkbranch' B [ '-override' ]
//! SELECTOR  := 'CHECKEDOUT' | [ BRANCHES '/' ] LABEL | BRANCHES '/' ( NUMBER | 'LATEST' ) | '-none' | '-error'
//! BRANCHES  := [ '/' ] ( B | '...' ) { '/' ( B | '...' ) }
//! ```
//!
//! The first rule whose scope and pattern fit an element and whose selector finds a version decides. Queries
//! (`{...}`) and `-config` are recognised and refused. Names and patterns are bytes; type names are UTF-8.

mod automaton;
mod bind;
mod compile;
mod date;
mod diagnostic;
mod glob;
mod grammar;
mod include;
mod lex;
mod names;
mod pattern;
mod select;
mod selector;

pub use automaton::PathState;
pub use bind::{BoundSpec, TypeNames};
pub use compile::{ConfigSpec, Environment, MAX_RULES, ReadInclude, Rule, RuleIndex};
pub use date::{DateError, parse_date_time};
pub use diagnostic::{Diagnostic, DiagnosticKind, IncludedFrom};
pub use grammar::Scope;
pub use include::{MAX_INCLUDE_DEPTH, MAX_INCLUDES};
pub use pattern::{MAX_PATTERN_BYTES, Pattern};
pub use select::{ElementFacts, ErrorReason, Miss, Selection};
pub use selector::{BranchStep, Selector, VersionName};
