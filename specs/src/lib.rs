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
//! SELECTOR  := 'CHECKEDOUT' | [ BRANCHES '/' ] ( LABEL | '{' QUERY '}' ) | BRANCHES '/' ( NUMBER | 'LATEST' )
//!            | '-config' PATH { '-select' PATTERN | '-ci' } | '-none' | '-error'
//! BRANCHES  := [ '/' ] ( B | '...' ) { '/' ( B | '...' ) }
//! ```
//!
//! The first rule whose scope and pattern fit an element and whose selector finds a version decides. Queries
//! are those of [`Query`]. Names and patterns are bytes; type names are UTF-8. `LANGUAGE.md` beside this crate has
//! an example for each clause.

mod automaton;
mod bind;
mod branch_plan;
mod compile;
mod compiled_form;
mod config_record;
mod date;
mod diagnostic;
mod glob;
mod grammar;
mod include;
mod lex;
mod names;
mod pattern;
mod query;
mod select;
mod selector;

pub use automaton::PathState;
pub use bind::{BoundSpec, TypeNames};
pub use branch_plan::{BranchPlan, MAX_NEW_BRANCHES, Maker, NewBranch, PlanFailure};
pub use compile::{
    ConfigSpec, Environment, MAX_FAULTS, MAX_LINE_BYTES, MAX_RULES, ReadConfigRecord, ReadInclude, Rule,
    RuleIndex,
};
pub use compiled_form::CompiledFormError;
pub use config_record::{ConfigRecord, RecordedVersion};
pub use date::{DateError, parse_date_time};
pub use diagnostic::{Diagnostic, DiagnosticKind, IncludedFrom};
pub use glob::{Glob, GlobFault};
pub use grammar::Scope;
pub use include::{MAX_INCLUDE_DEPTH, MAX_INCLUDES};
pub use pattern::{MAX_PATTERN_BYTES, Pattern};
pub use query::{
    AttributeValue, BoundQuery, Comparison, LinkDirection, MAX_QUERY_OPERATORS, NamedType, Place, Query,
    QueryDate, QueryError, QueryErrorKind, QueryFacts, QueryObject, QueryValue, Reach,
};
pub use select::{ElementFacts, ErrorReason, Miss, Selection};
pub use selector::{BranchStep, ConfigSelector, Selector, VersionName};
