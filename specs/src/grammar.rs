//! The grammar of one rule: words in, statement out. Owns keywords, options and their order; must not know other
//! rules, included files, VOB tags or the meaning of dates and patterns.

use std::sync::Arc;

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::lex::{RuleTokens, Token};
use crate::query::Dates;
use crate::selector::{ConfigSelector, Selector, parse_selector, parse_type_name};

/// Which elements a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `element`: files and directories.
    Any,
    /// `element -file`.
    File,
    /// `element -directory`.
    Directory,
    /// `element -eltype T`: elements of exactly that type; supertypes do not count.
    ElementType(String),
}

/// One rule, read.
#[derive(Debug)]
pub(crate) enum Statement {
    Element(Box<ElementStatement>),
    Mkbranch {
        branch: String,
        overrides: bool,
    },
    /// With the word of the name, if one is given.
    EndMkbranch {
        keyword: Token,
        branch: Option<Token>,
    },
    Time {
        date: Token,
    },
    EndTime {
        keyword: Token,
        date: Option<Token>,
    },
    Include {
        path: Token,
    },
    Load,
}

/// `element ...`, its pattern and date still words.
#[derive(Debug)]
pub(crate) struct ElementStatement {
    pub scope: Scope,
    pub pattern: Token,
    pub selector: Selector,
    pub selector_text: String,
    /// The word `-config`, if the record of its derived object is still to be found.
    pub config: Option<Token>,
    pub time: Option<Token>,
    pub no_checkout: bool,
    pub mkbranch: Option<String>,
}

/// Reads one rule. `None`: at least one problem was reported.
pub(crate) fn parse_rule(rule: &RuleTokens, dates: &Dates, problems: &mut Vec<Problem>) -> Option<Statement> {
    let mut words = Words { rest: &rule.tokens, end_column: rule.end_column };
    let parsed = statement(&mut words, dates, problems).and_then(|statement| {
        words.end()?;
        Ok(statement)
    });
    parsed.map_err(|problem| problems.push(problem)).ok().flatten()
}

fn statement(
    words: &mut Words,
    dates: &Dates,
    problems: &mut Vec<Problem>,
) -> Result<Option<Statement>, Problem> {
    let keyword = words.next("a rule")?;
    let statement = match keyword.bytes.to_ascii_lowercase().as_slice() {
        b"element" => {
            return element(words, dates, problems)
                .map(|element| element.map(Box::new).map(Statement::Element));
        }
        b"mkbranch" => {
            let branch = parse_type_name(words.next("a branch type")?, "a branch type")?;
            Statement::Mkbranch { branch, overrides: words.take_option("-override") }
        }
        b"time" => Statement::Time { date: words.next("a date-time")?.clone() },
        b"end" => {
            let block = words.next("mkbranch or time")?;
            match block.bytes.to_ascii_lowercase().as_slice() {
                b"mkbranch" => {
                    Statement::EndMkbranch { keyword: block.clone(), branch: words.optional().cloned() }
                }
                b"time" => Statement::EndTime { keyword: block.clone(), date: words.optional().cloned() },
                _ => return Err(block.problem("unknown kind of block", "mkbranch or time")),
            }
        }
        b"include" => Statement::Include { path: words.next("the path of a file")?.clone() },
        b"load" => {
            words.next("at least one path")?;
            while words.optional().is_some() {}
            Statement::Load
        }
        _ => {
            let expected = "element, mkbranch, time, end, include or load";
            return Err(keyword.problem("unknown rule", expected));
        }
    };
    Ok(Some(statement))
}

/// Reads what follows `element`. Goes on after a bad selector or name, so that all faults of the rule show.
fn element(
    words: &mut Words,
    dates: &Dates,
    problems: &mut Vec<Problem>,
) -> Result<Option<ElementStatement>, Problem> {
    let before = problems.len();
    let mut scope = Scope::Any;
    let mut first = words.next("a pattern")?;
    if first.is_option() {
        scope = match first.bytes.as_slice() {
            b"-file" => Scope::File,
            b"-directory" => Scope::Directory,
            b"-eltype" => {
                let name = words.next("an element type")?;
                match parse_type_name(name, "an element type") {
                    Ok(name) => Scope::ElementType(name),
                    Err(problem) => {
                        problems.push(problem);
                        Scope::Any
                    }
                }
            }
            _ => return Err(first.problem("unknown scope", "-file, -directory, -eltype or a pattern")),
        };
        first = words.next("a pattern")?;
    }
    if first.has_long_dash() {
        return Err(first.long_dash("-file, -directory, -eltype or a pattern"));
    }
    let pattern = first.clone();
    let word = words.next("a version selector")?;
    let is_config = word.is_option() && word.bytes == b"-config";
    let parsed = if is_config { config_selector(words)? } else { parse_selector(word, dates, 0) };
    let selector = match parsed {
        Ok(selector) => selector,
        Err(problem) => {
            problems.push(problem);
            // Nobody knows how many words belong to an unknown option.
            if word.is_option() || word.has_long_dash() {
                words.rest = &[];
                return Ok(None);
            }
            Selector::None
        }
    };
    let selector_text = if is_config { selector.to_string() } else { word.shown() };
    let mut read = ElementStatement {
        scope,
        pattern,
        selector,
        selector_text,
        config: is_config.then(|| word.clone()),
        time: None,
        no_checkout: false,
        mkbranch: None,
    };
    while let Some(clause) = words.optional() {
        let repeated = match clause.bytes.as_slice() {
            b"-time" => read.time.replace(words.next("a date-time")?.clone()).is_some(),
            b"-nocheckout" => std::mem::replace(&mut read.no_checkout, true),
            b"-mkbranch" => {
                let name = words.next("a branch type")?;
                words.take_option("-override");
                match parse_type_name(name, "a branch type") {
                    Ok(name) => read.mkbranch.replace(name).is_some(),
                    Err(problem) => {
                        problems.push(problem);
                        false
                    }
                }
            }
            _ => {
                let expected = "-time, -nocheckout, -mkbranch or the end of the rule";
                return Err(match clause.has_long_dash() {
                    true => clause.long_dash(expected),
                    false => clause.problem("unknown clause", expected),
                });
            }
        };
        if repeated {
            problems.push(clause.problem("clause is given twice", "each clause at most once"));
        }
    }
    Ok((problems.len() == before).then_some(read))
}

/// Reads what follows `-config`; the record is still empty.
fn config_selector(words: &mut Words) -> Result<Result<Selector, Problem>, Problem> {
    let derived_object = words.next("the path of a derived object")?;
    if derived_object.is_option() {
        return Ok(Err(
            derived_object.problem("-config names no derived object", "the path of a derived object")
        ));
    }
    let mut config = ConfigSelector {
        derived_object: derived_object.bytes.clone(),
        select: None,
        checked_in: false,
        record: Arc::default(),
    };
    loop {
        if words.take_option("-select") {
            config.select = Some(words.next("a pattern for names of derived objects")?.bytes.clone());
        } else if words.take_option("-ci") {
            config.checked_in = true;
        } else {
            return Ok(Ok(Selector::Config(config)));
        }
    }
}

/// The words not yet read.
struct Words<'a> {
    rest: &'a [Token],
    end_column: u32,
}

impl<'a> Words<'a> {
    fn optional(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn next(&mut self, expected: &str) -> Result<&'a Token, Problem> {
        let column = self.end_column;
        self.optional().ok_or_else(|| Problem {
            expected: Some(expected.to_owned()),
            ..Problem::plain(DiagnosticKind::Syntax, column, "rule is not complete")
        })
    }

    fn take_option(&mut self, option: &str) -> bool {
        let there = self.rest.first().is_some_and(|word| word.is_option() && word.bytes == option.as_bytes());
        if there {
            self.rest = &self.rest[1..];
        }
        there
    }

    fn end(&self) -> Result<(), Problem> {
        match self.rest.first() {
            None => Ok(()),
            Some(word) if word.has_long_dash() => Err(word.long_dash("the end of the rule or \";\"")),
            Some(word) => Err(word.problem("rule goes on after its end", "the end of the rule or \";\"")),
        }
    }
}
