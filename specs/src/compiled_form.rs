//! The compiled form of a config spec, as views keep it beside the text: the rules alone, included files in their
//! place and blocks resolved, each with its origin. Owns that form; where it is kept is the caller's business.
//!
//! Text, so that a person can read it: the line `clerestory compiled config spec 1`, then five lines for each rule.
//!
//! ```text
//! from LINE FILE        where the rule stands; in FILE, "\\" is a backslash and "\n" a newline
//! text RULE             the rule as written
//! pattern PATTERN       its pattern as written, without quotes
//! shown SELECTOR        what listings show of it
//! rule RULE             the rule with what blocks contribute; VOBs by their family, dates as written
//! ```
//!
//! Dates are kept as they were written: reading the form evaluates relative ones anew. Included files are not read
//! again.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::compile::{Compiler, ConfigSpec, Environment, Rule};
use crate::diagnostic::Diagnostic;
use crate::grammar::Scope;
use crate::lex::quote;
use crate::selector::Selector;

const HEADER: &[u8] = b"clerestory compiled config spec ";
const VERSION: &[u8] = b"1";

/// Why a compiled form cannot be used; the text can be compiled instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompiledFormError {
    /// It was written by a program with another form.
    #[error("compiled config spec is of another version")]
    OtherVersion,
    /// A line is not what it should be.
    #[error("line {line} of the compiled config spec is damaged")]
    Damaged {
        /// From 1.
        line: usize,
    },
    /// A rule does not compile any more.
    #[error("a rule of the compiled config spec does not compile: {0}")]
    Rule(Box<Diagnostic>),
}

impl Rule {
    /// The rule by itself: with the branch type and time that blocks contribute, its VOB by its family. Compiled
    /// alone it means the same.
    pub fn source(&self) -> Vec<u8> {
        let mut words: Vec<Vec<u8>> = vec![b"element".to_vec()];
        match &self.scope {
            Scope::Any => {}
            Scope::File => words.push(b"-file".to_vec()),
            Scope::Directory => words.push(b"-directory".to_vec()),
            Scope::ElementType(name) => words.extend([b"-eltype".to_vec(), quote(name.as_bytes())]),
        }
        words.push(quote(&self.pattern.source()));
        match &self.selector {
            Selector::Config(config) => {
                words.extend([b"-config".to_vec(), quote(&config.derived_object)]);
                let select = config.select.iter();
                words.extend(select.flat_map(|pattern| [b"-select".to_vec(), quote(pattern)]));
                words.extend(config.checked_in.then(|| b"-ci".to_vec()));
            }
            selector @ (Selector::None | Selector::Error) => words.push(selector.to_string().into_bytes()),
            selector => words.push(quote(selector.to_string().as_bytes())),
        }
        let time = self.time_text.iter();
        words.extend(time.flat_map(|time| [b"-time".to_vec(), quote(time.as_bytes())]));
        words.extend(self.no_checkout.then(|| b"-nocheckout".to_vec()));
        let branch = self.mkbranch.iter();
        words.extend(branch.flat_map(|branch| [b"-mkbranch".to_vec(), quote(branch.as_bytes())]));
        words.join(&b' ')
    }
}

impl ConfigSpec {
    /// Writes the compiled form.
    pub fn compiled_form(&self) -> Vec<u8> {
        let mut form = [HEADER, VERSION, b"\n"].concat();
        for rule in self.rules() {
            form.extend(format!("from {} ", rule.line).into_bytes());
            form.extend(escape(rule.file.as_os_str().as_bytes()));
            for (key, value) in [
                (&b"text"[..], rule.text.as_slice()),
                (b"pattern", &rule.pattern_text),
                (b"shown", rule.selector_text.as_bytes()),
                (b"rule", &rule.source()),
            ] {
                form.extend([b"\n", key, b" ", value].concat());
            }
            form.push(b'\n');
        }
        form
    }

    /// Reads a compiled form. A VOB that is not registered any more is no fault: its rules match nothing.
    ///
    /// # Errors
    /// See [`CompiledFormError`]; the text has to be compiled instead.
    pub fn from_compiled_form(form: &[u8], env: &Environment) -> Result<ConfigSpec, CompiledFormError> {
        let body = form.strip_prefix(HEADER).ok_or(CompiledFormError::Damaged { line: 1 })?;
        let end =
            body.iter().position(|&byte| byte == b'\n').ok_or(CompiledFormError::Damaged { line: 1 })?;
        if &body[..end] != VERSION {
            return Err(CompiledFormError::OtherVersion);
        }
        let mut compiler = Compiler::of_compiled(Path::new("compiled config spec"), env);
        let mut lines = Lines { rest: &body[end + 1..], number: 1 };
        while !lines.rest.is_empty() {
            let origin = lines.value(b"from ")?;
            let from = lines.number;
            let damaged = || CompiledFormError::Damaged { line: from };
            let blank = origin.iter().position(|&byte| byte == b' ').ok_or_else(damaged)?;
            let line = std::str::from_utf8(&origin[..blank]).ok().and_then(|line| line.parse().ok());
            let line: u32 = line.ok_or_else(damaged)?;
            let file = PathBuf::from(std::ffi::OsString::from_vec(unescape(&origin[blank + 1..])));
            let text = lines.value(b"text ")?.to_vec();
            let pattern_text = lines.value(b"pattern ")?.to_vec();
            let shown = String::from_utf8(lines.value(b"shown ")?.to_vec()).map_err(|_| damaged())?;
            let source = lines.value(b"rule ")?;
            let Some(rule) = compiler.compiled_line(source) else {
                let fault = compiler.finish().err().and_then(|faults| faults.into_iter().next());
                return Err(fault.map_or(CompiledFormError::Damaged { line: lines.number }, |fault| {
                    CompiledFormError::Rule(Box::new(Diagnostic { file, line, ..fault }))
                }));
            };
            (rule.text, rule.pattern_text, rule.selector_text) = (text, pattern_text, shown);
            (rule.file, rule.line) = (file, line);
        }
        let faults = |faults: Vec<Diagnostic>| faults.into_iter().next();
        compiler.finish().map_err(|all| match faults(all) {
            Some(fault) => CompiledFormError::Rule(Box::new(fault)),
            None => CompiledFormError::Damaged { line: 1 },
        })
    }
}

/// The lines not yet read.
struct Lines<'a> {
    rest: &'a [u8],
    /// Of the line read last.
    number: usize,
}

impl<'a> Lines<'a> {
    /// What follows the key on the next line, which must end with a newline.
    fn value(&mut self, key: &[u8]) -> Result<&'a [u8], CompiledFormError> {
        self.number += 1;
        let damaged = CompiledFormError::Damaged { line: self.number };
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| damaged.clone())?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        line.strip_prefix(key).ok_or(damaged)
    }
}

fn escape(path: &[u8]) -> Vec<u8> {
    path.iter()
        .flat_map(|&byte| match byte {
            b'\\' => b"\\\\".to_vec(),
            b'\n' => b"\\n".to_vec(),
            byte => vec![byte],
        })
        .collect()
}

fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    let mut rest = escaped;
    loop {
        rest = match rest {
            [b'\\', b'n', after @ ..] => {
                path.push(b'\n');
                after
            }
            [b'\\', byte, after @ ..] | [byte, after @ ..] => {
                path.push(*byte);
                after
            }
            [] => return path,
        };
    }
}
