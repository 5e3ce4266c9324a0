//! From source text to an ordered list of rules. Owns what one rule does to another: blocks, included files in
//! their place, the collection of every fault. Must not know type ids, element facts, files or clocks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config_record::ConfigRecord;
use crate::date::{nanoseconds, parse_date_time};
use crate::diagnostic::{Diagnostic, DiagnosticKind, Problem};
use crate::grammar::{ElementStatement, Scope, Statement, parse_rule};
use crate::include::Chain;
use crate::lex::{Token, lex_line};
use crate::pattern::{Pattern, Registry, parse_pattern};
use crate::query::Dates;
use crate::selector::{ConfigSelector, Selector, parse_type_name};

/// How many `element` rules one spec may hold, included files counted.
pub const MAX_RULES: usize = 65_536;

/// How long a line may be, but for those of a compiled form.
pub const MAX_LINE_BYTES: usize = 65_536;

/// How many faults are reported: nothing is read behind the last of them. Included files could otherwise repeat one
/// until memory ends.
pub const MAX_FAULTS: usize = MAX_RULES;

/// Reads an included file: the path as written (`~/` replaced when the home is known) and the including file;
/// answers with the file's resolved path, by which repetition is recognised, and its text.
pub type ReadInclude<'a> = &'a dyn Fn(&[u8], &Path) -> io::Result<(PathBuf, Vec<u8>)>;

/// Finds the config record that a `-config` selector speaks of; the one in the selector is still empty.
pub type ReadConfigRecord<'a> = &'a dyn Fn(&ConfigSelector) -> io::Result<ConfigRecord>;

/// What compilation needs from outside.
pub struct Environment<'a> {
    /// The moment that `now`, `today` and missing years refer to.
    pub now: Timestamp,
    /// The zone of dates without an offset.
    pub zone: TimeZone,
    /// Reads included files.
    pub read_include: ReadInclude<'a>,
    /// The longest registered VOB tag that is a prefix, by components, of an absolute path.
    pub vob_tag_of: &'a dyn Fn(&[u8]) -> Option<Vec<u8>>,
    /// The family identity of the VOB with a registered tag, by which compiled specs outlive the tag.
    pub family_of: &'a dyn Fn(&[u8]) -> Option<[u8; 16]>,
    /// The tag under which a family is registered now.
    pub tag_of_family: &'a dyn Fn([u8; 16]) -> Option<Vec<u8>>,
    /// Finds what `-config` selects.
    pub config_record: ReadConfigRecord<'a>,
    /// What `~` stands for.
    pub home: Option<&'a [u8]>,
}

impl Environment<'static> {
    /// An environment in which there is nothing: no file, no VOB, no derived object, no home.
    pub fn isolated(now: Timestamp, zone: TimeZone) -> Environment<'static> {
        Environment {
            now,
            zone,
            read_include: &|_, _| Err(io::ErrorKind::NotFound.into()),
            vob_tag_of: &|_| None,
            family_of: &|_| None,
            tag_of_family: &|_| None,
            config_record: &|_| Err(io::ErrorKind::NotFound.into()),
            home: None,
        }
    }
}

/// Index of a rule within its spec, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub u32);

/// One `element` rule with all that blocks around it contribute.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// What listings show after `Rule: `: the selector as written, then ` -mkbranch B` if the rule's own clause
    /// decides the branch, or ` [-mkbranch B]` if a block does.
    pub selector_text: String,
    /// The whole rule as written, without comment and surrounding blanks.
    pub text: Vec<u8>,
    /// The pattern as written, without quotes.
    pub pattern_text: Vec<u8>,
    /// The file that holds the rule.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u32,
    /// Which elements the rule speaks of, by kind.
    pub scope: Scope,
    /// Which elements the rule speaks of, by path.
    pub pattern: Pattern,
    /// What the rule picks.
    pub selector: Selector,
    /// The branch type that a checkout of the selected version makes first.
    pub mkbranch: Option<String>,
    /// The selected version may not be checked out.
    pub no_checkout: bool,
    /// The cut-off for `LATEST`, in nanoseconds since 1970; always `None` for other selectors.
    pub time: Option<i64>,
    /// The cut-off as written, in a clause or a block.
    pub time_text: Option<String>,
}

/// A compiled config spec: immutable, cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct ConfigSpec {
    rules: Arc<[Rule]>,
}

impl ConfigSpec {
    /// Compiles a spec and everything it includes.
    ///
    /// `file` names the text in diagnostics. The error holds the first [`MAX_FAULTS`] faults of all files, in reading
    /// order; it is never empty. Type names are not checked: VOBs may have them or not.
    pub fn compile(text: &[u8], file: &Path, env: &Environment) -> Result<ConfigSpec, Vec<Diagnostic>> {
        let mut compiler = Compiler::new(file, env);
        compiler.file(text);
        compiler.finish()
    }

    /// The `element` rules in order of precedence, included ones in their place.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules, to be shared.
    pub(crate) fn shared_rules(&self) -> Arc<[Rule]> {
        self.rules.clone()
    }
}

/// A block that is open.
#[derive(Debug)]
struct Block {
    kind: BlockKind,
    file: PathBuf,
    line: u32,
}

#[derive(Debug)]
enum BlockKind {
    Mkbranch { branch: String, overrides: bool },
    Time(Option<Cutoff>),
}

/// A time rule or clause: what it says, and when that is.
#[derive(Clone, Debug)]
struct Cutoff {
    text: String,
    time_ns: i64,
}

pub(crate) struct Compiler<'a> {
    env: &'a Environment<'a>,
    dates: Dates,
    /// The rules were compiled before: their patterns may name VOBs that are not registered any more.
    lenient: bool,
    chain: Chain,
    blocks: Vec<Block>,
    rules: Vec<Rule>,
    faults: Vec<Diagnostic>,
}

impl<'a> Compiler<'a> {
    fn new(file: &Path, env: &'a Environment<'a>) -> Compiler<'a> {
        Compiler {
            env,
            dates: Dates { now: env.now, zone: env.zone.clone() },
            lenient: false,
            chain: Chain::new(file),
            blocks: Vec::new(),
            rules: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// A compiler of rules that were compiled before.
    pub fn of_compiled(file: &Path, env: &'a Environment<'a>) -> Compiler<'a> {
        Compiler { lenient: true, ..Compiler::new(file, env) }
    }

    /// The rules, or all faults.
    pub fn finish(self) -> Result<ConfigSpec, Vec<Diagnostic>> {
        if self.faults.is_empty() { Ok(ConfigSpec { rules: self.rules.into() }) } else { Err(self.faults) }
    }

    /// Compiles one line, and returns its only rule for changes of what it says of its origin.
    pub fn compiled_line(&mut self, line: &[u8]) -> Option<&mut Rule> {
        let before = self.rules.len();
        self.line(line);
        if self.rules.len() == before + 1 { self.rules.last_mut() } else { None }
    }

    fn file(&mut self, text: &[u8]) {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        for (line, number) in text.split(|&byte| byte == b'\n').zip(1..) {
            if self.faults.len() == MAX_FAULTS {
                return;
            }
            self.chain.set_line(number);
            self.line(line);
        }
    }

    fn line(&mut self, line: &[u8]) {
        let mut problems = Vec::new();
        // What blocks and quotes contribute may make a compiled rule longer than its line was.
        if line.len() > MAX_LINE_BYTES && !self.lenient {
            let message = format!("line is longer than {MAX_LINE_BYTES} bytes");
            problems.push(Problem::plain(DiagnosticKind::Limit, MAX_LINE_BYTES as u32 + 1, message));
            return self.report(problems);
        }
        let rules = lex_line(line, &mut problems);
        let mut after_include = false;
        for rule in &rules {
            if std::mem::take(&mut after_include) {
                let expected = "the end of the line";
                problems.push(rule.tokens[0].problem("include is not the last rule on its line", expected));
            }
            let Some(statement) = parse_rule(rule, &self.dates, &mut problems) else {
                continue;
            };
            after_include = matches!(statement, Statement::Include { .. });
            if let Err(problem) = self.statement(statement, &rule.text, &mut problems) {
                problems.push(problem);
            }
        }
        self.report(problems);
    }

    /// Puts the faults of the present line in their place, as many as are reported.
    fn report(&mut self, problems: Vec<Problem>) {
        let (chain, room) = (&self.chain, MAX_FAULTS - self.faults.len());
        self.faults.extend(problems.into_iter().take(room).map(|problem| chain.locate(problem)));
    }

    fn statement(
        &mut self,
        statement: Statement,
        text: &[u8],
        problems: &mut Vec<Problem>,
    ) -> Result<(), Problem> {
        match statement {
            Statement::Element(element) => self.element(*element, text, problems),
            Statement::Mkbranch { branch, overrides } => self.open(BlockKind::Mkbranch { branch, overrides }),
            Statement::EndMkbranch { keyword, branch } => {
                return self.end_mkbranch(&keyword, branch.as_ref());
            }
            Statement::Time { date } => {
                // A bad date still opens the block: its end is no second fault.
                let time = self.date(&date).map_err(|problem| problems.push(problem)).ok();
                self.open(BlockKind::Time(time));
            }
            Statement::EndTime { keyword, date } => {
                if let Some(date) = date {
                    self.date(&date)?;
                }
                match self.blocks.pop() {
                    Some(Block { kind: BlockKind::Time(_), .. }) => {}
                    other => return Err(self.wrong_end(&keyword, other)),
                }
            }
            Statement::Include { path } => return self.include(&path),
            Statement::Load => {}
        }
        Ok(())
    }

    fn open(&mut self, kind: BlockKind) {
        self.blocks.push(Block { kind, file: self.chain.file().to_owned(), line: self.chain.line() });
    }

    fn end_mkbranch(&mut self, keyword: &Token, name: Option<&Token>) -> Result<(), Problem> {
        let open = match self.blocks.pop() {
            Some(Block { kind: BlockKind::Mkbranch { branch, .. }, .. }) => branch,
            other => return Err(self.wrong_end(keyword, other)),
        };
        match name {
            Some(token) if parse_type_name(token, "a branch type")? != open => {
                Err(token.problem("end of another block than the innermost", format!("\"{open}\"")))
            }
            _ => Ok(()),
        }
    }

    /// The fault of an `end` that does not fit the innermost block, which stays open.
    fn wrong_end(&mut self, keyword: &Token, innermost: Option<Block>) -> Problem {
        let Some(block) = innermost else {
            return keyword.problem("no block is open here", "a mkbranch or time rule before it");
        };
        let kind = if matches!(block.kind, BlockKind::Time(_)) { "time" } else { "mkbranch" };
        let place = format!("{}:{}", block.file.display(), block.line);
        self.blocks.push(block);
        keyword.problem(
            "end does not fit the innermost block",
            format!("end {kind}, for the block that begins at {place}"),
        )
    }

    fn element(&mut self, element: ElementStatement, text: &[u8], problems: &mut Vec<Problem>) {
        let registry = Registry { env: self.env, lenient: self.lenient };
        let pattern = parse_pattern(&element.pattern, &registry);
        let own_time = element.time.map(|date| self.date(&date)).transpose();
        let selector = self.with_record(element.selector, element.config.as_ref());
        if self.rules.len() == MAX_RULES {
            let message = format!("spec has more than {MAX_RULES} element rules");
            if !self.faults.iter().any(|fault| fault.message == message) {
                problems.push(Problem::plain(DiagnosticKind::Limit, element.pattern.column, message));
            }
            return;
        }
        let (pattern, selector, own_time) = match (pattern, selector, own_time) {
            (Ok(pattern), Ok(selector), Ok(own_time)) => (pattern, selector, own_time),
            (pattern, selector, own_time) => {
                problems.extend(pattern.err());
                problems.extend(selector.err());
                problems.extend(own_time.err());
                return;
            }
        };
        let imposed = self.block_branch(element.mkbranch.is_some());
        let (mkbranch, shown) = match (imposed, element.mkbranch) {
            _ if !selector.selects_version() => (None, String::new()),
            (Some(branch), _) => (Some(branch.clone()), format!(" [-mkbranch {branch}]")),
            (None, Some(branch)) => (Some(branch.clone()), format!(" -mkbranch {branch}")),
            (None, None) => (None, String::new()),
        };
        let cutoff = own_time.or_else(|| self.block_time()).filter(|_| selector.selects_latest());
        self.rules.push(Rule {
            selector_text: element.selector_text + &shown,
            text: text.to_vec(),
            pattern_text: element.pattern.bytes,
            file: self.chain.file().to_owned(),
            line: self.chain.line(),
            scope: element.scope,
            pattern,
            selector,
            mkbranch,
            no_checkout: element.no_checkout,
            time: cutoff.as_ref().map(|cutoff| cutoff.time_ns),
            time_text: cutoff.map(|cutoff| cutoff.text),
        });
    }

    /// Finds the config record of a `-config` selector, whose word is `word`.
    fn with_record(&self, selector: Selector, word: Option<&Token>) -> Result<Selector, Problem> {
        let (Selector::Config(config), Some(word)) = (&selector, word) else { return Ok(selector) };
        let shown = String::from_utf8_lossy(&config.derived_object);
        let record = (self.env.config_record)(config).map_err(|error| {
            let message = format!("no config record of \"{shown}\": {error}");
            Problem::plain(DiagnosticKind::ConfigRecord, word.column, message)
        })?;
        Ok(Selector::Config(ConfigSelector { record: Arc::new(record), ..config.clone() }))
    }

    /// The branch type that blocks impose: that of the outermost one that overrides, else, on a rule without a
    /// clause of its own, that of the innermost.
    fn block_branch(&self, has_clause: bool) -> Option<String> {
        let branches = || {
            self.blocks.iter().filter_map(|block| match &block.kind {
                BlockKind::Mkbranch { branch, overrides } => Some((branch, *overrides)),
                BlockKind::Time(_) => None,
            })
        };
        let overriding = branches().find(|&(_, overrides)| overrides);
        let innermost = || branches().next_back().filter(|_| !has_clause);
        overriding.or_else(innermost).map(|(branch, _)| branch.clone())
    }

    fn block_time(&self) -> Option<Cutoff> {
        self.blocks.iter().rev().find_map(|block| match &block.kind {
            BlockKind::Time(cutoff) => cutoff.clone(),
            BlockKind::Mkbranch { .. } => None,
        })
    }

    fn date(&self, token: &Token) -> Result<Cutoff, Problem> {
        parse_date_time(&token.shown(), self.env.now, &self.env.zone)
            .map_err(|error| token.problem(error.to_string(), error.expected()))
            .and_then(|moment| {
                let time_ns = nanoseconds(moment);
                time_ns.ok_or_else(|| token.problem("date-time is out of range", "a year from 1678 to 2261"))
            })
            .map(|time_ns| Cutoff { text: token.shown(), time_ns })
    }

    fn include(&mut self, path: &Token) -> Result<(), Problem> {
        self.chain.plan_enter(path.column)?;
        let written = match (path.bytes.strip_prefix(b"~"), self.env.home) {
            (Some(below @ ([] | [b'/', ..])), Some(home)) => [home, below].concat(),
            _ => path.bytes.clone(),
        };
        let (file, text) = (self.env.read_include)(&written, self.chain.file()).map_err(|error| Problem {
            kind: DiagnosticKind::Include,
            expected: None,
            ..path.problem(format!("cannot read included file: {error}"), "")
        })?;
        self.chain.enter(file, path.column)?;
        self.file(&text);
        self.chain.leave();
        Ok(())
    }
}
