//! What the sections of a table mean: which function of the crate each asks, and how its answer is written down.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use clerestory_specs::{
    BoundSpec, BranchPlan, ConfigSpec, Environment, ErrorReason, Maker, PlanFailure, Query, QueryObject,
    Rule, RuleIndex, Selection, parse_date_time,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::unescape;
use crate::support::{self, BRANCH_TYPES, Element, TAGS, Types, environment, walk};

pub enum Verdict {
    Right,
    /// What was found instead.
    Wrong(String),
}

/// What cases refer to without saying it.
pub struct Scene {
    tags: Vec<String>,
    vob: String,
    now: Timestamp,
    zone: TimeZone,
    /// Drawn trees by name; the one without a name is used where none is named.
    trees: HashMap<String, Element>,
    files: HashMap<PathBuf, Vec<u8>>,
    spec_file: PathBuf,
    spec: Option<Vec<u8>>,
}

impl Default for Scene {
    fn default() -> Scene {
        Scene {
            tags: TAGS.map(str::to_owned).to_vec(),
            vob: "/vobs/p".to_owned(),
            now: support::now(),
            zone: support::zone(),
            trees: HashMap::new(),
            files: HashMap::new(),
            spec_file: PathBuf::from("spec"),
            spec: None,
        }
    }
}

impl Scene {
    /// The scene of a table beside an example: included files are those beside it.
    pub fn of_example(example: &Path) -> Scene {
        let read = |path: &Path| std::fs::read(path).unwrap();
        let beside = std::fs::read_dir(example.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        let files = beside.map(|path| (PathBuf::from(path.file_name().unwrap()), read(&path))).collect();
        Scene {
            spec_file: PathBuf::from(example.file_name().unwrap()),
            spec: Some(read(example)),
            files,
            ..Scene::default()
        }
    }

    /// Takes a section that sets the scene; `None`: it is another one.
    pub fn set(&mut self, name: &str, about: &str, body: &str) -> Option<Result<(), String>> {
        match name {
            "register" => self.tags = about.split_ascii_whitespace().map(str::to_owned).collect(),
            "vob" if !self.tags.iter().any(|tag| tag == about) => {
                return Some(Err(format!("{about} is not registered")));
            }
            "vob" => self.vob = about.to_owned(),
            "now" => {
                let parts = about.split_once(' ').ok_or("now needs an instant and a zone");
                let read = parts.map_err(str::to_owned).and_then(|(instant, zone)| {
                    let instant = instant.parse().map_err(|error| format!("now: {error}"))?;
                    let zone = TimeZone::get(zone).map_err(|error| format!("now: {error}"))?;
                    Ok((instant, zone))
                });
                return Some(read.map(|read| (self.now, self.zone) = read));
            }
            "tree" => match Element::parse(body, self.now, &self.zone) {
                Ok(element) => drop(self.trees.insert(about.to_owned(), element)),
                Err(what) => return Some(Err(what)),
            },
            "file" => match unescape(body) {
                Ok(text) => drop(self.files.insert(PathBuf::from(about), text)),
                Err(what) => return Some(Err(what)),
            },
            "spec" => match unescape(body) {
                Ok(text) => self.spec = Some(text),
                Err(what) => return Some(Err(what)),
            },
            _ => return None,
        }
        Some(Ok(()))
    }

    fn with_env<T>(&self, act: impl FnOnce(&Environment) -> T) -> T {
        let read_include = |path: &[u8], from: &Path| -> io::Result<(PathBuf, Vec<u8>)> {
            let path = from.with_file_name(String::from_utf8_lossy(path).as_ref());
            let text = self.files.get(&path).ok_or(io::Error::from(io::ErrorKind::NotFound))?;
            Ok((path, text.clone()))
        };
        let vob_tag_of = |path: &[u8]| support::longest_tag(&self.tags, path);
        let env = environment(&read_include);
        act(&Environment { now: self.now, zone: self.zone.clone(), vob_tag_of: &vob_tag_of, ..env })
    }

    fn compile(&self, text: &[u8]) -> Result<ConfigSpec, String> {
        self.with_env(|env| ConfigSpec::compile(text, &self.spec_file, env)).map_err(|faults| {
            let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
            shown.join(" ;; ")
        })
    }

    fn bind(&self, text: &[u8]) -> Result<BoundSpec, String> {
        Ok(self.compile(text)?.bind(&Types, self.vob.as_bytes()))
    }

    fn tree(&self, name: &str) -> Result<&Element, String> {
        self.trees.get(name).ok_or_else(|| format!("there is no tree \"{name}\""))
    }

    /// Judges one case of a section.
    pub fn judge(&self, section: &str, about: &str, given: &str, expected: &str) -> Result<Verdict, String> {
        let of_spec = |show: &dyn Fn(&Rule) -> Vec<u8>| -> Result<Vec<u8>, String> {
            let spec = self.compile(&unescape(given)?)?;
            let shown: Vec<Vec<u8>> = spec.rules().iter().map(show).collect();
            Ok(if shown.is_empty() { b"nothing".to_vec() } else { shown.join(&b" ;; "[..]) })
        };
        let found = match section {
            "source" => of_spec(&Rule::source)?,
            "shown" => of_spec(&|rule| rule.selector_text.clone().into_bytes())?,
            "text" => of_spec(&|rule| {
                [format!("{}:{} ", rule.file.display(), rule.line).as_bytes(), &rule.text].concat()
            })?,
            "cutoff" => of_spec(&|rule| {
                let instant = |ns: i64| Timestamp::from_nanosecond(ns.into()).unwrap().to_string();
                rule.time.map_or("none".to_owned(), instant).into_bytes()
            })?,
            "fault" => match self.compile(&unescape(given)?) {
                Ok(_) => b"accepted".to_vec(),
                Err(faults) => faults.into_bytes(),
            },
            "date" | "nodate" => {
                let text = text(given)?;
                match parse_date_time(&text, self.now, &self.zone) {
                    Ok(moment) => moment.to_string().into_bytes(),
                    Err(error) => error.to_string().into_bytes(),
                }
            }
            "print" => self.query(given)?.map_or_else(|error| error, |query| query.to_string()).into_bytes(),
            "noquery" => {
                self.query(given)?.map_or_else(|error| error, |_| "accepted".to_owned()).into_bytes()
            }
            "holds" => self.holds(given, self.tree(about)?)?.into_bytes(),
            "match" => unescape(&self.matched(given, expected)?)?,
            "select" | "plan" | "explain" => return self.ask(section, about, given, expected),
            _ => return Err(format!("no case is judged by \"{section}\"")),
        };
        verdict(found, expected)
    }

    fn query(&self, given: &str) -> Result<Result<Query, String>, String> {
        let parsed = Query::parse(&text(given)?, self.now, &self.zone);
        Ok(parsed.map_err(|error| {
            format!("{}: {error} (found \"{}\", expected {})", error.offset, error.found, error.expected)
        }))
    }

    /// The objects of a tree for which a query holds.
    fn holds(&self, given: &str, element: &Element) -> Result<String, String> {
        let query = self.query(given)??.bind(&Types);
        let (mut found, mut versions) = (Vec::new(), Vec::new());
        if query.holds(QueryObject::Element, element) {
            found.push("element".to_owned());
        }
        for (branch, index) in element.branches.iter().zip(0..) {
            let path = element.branch_path(index);
            if query.holds(QueryObject::Branch(index), element) {
                found.push(path.clone());
            }
            for &number in branch.versions.keys() {
                if query.holds(QueryObject::Version { branch: index, number }, element) {
                    found.push(format!("{path}/{number}"));
                    versions.push((index, number));
                }
            }
        }
        let mut enumerated = Vec::new();
        query.each_version(element, &|_| true, &mut |branch, number| enumerated.push((branch, number)));
        if enumerated != versions {
            return Err(format!("enumerated are {enumerated:?}, the query holds for {versions:?}"));
        }
        Ok(if found.is_empty() { "nothing".to_owned() } else { found.join(" ") })
    }

    /// The paths that the expectation names, as they should have been sorted: `yes PATH... | no PATH...`.
    fn matched(&self, pattern: &str, expected: &str) -> Result<String, String> {
        let bound = self.bind(&[b"element ", &unescape(pattern)?[..], b" -none"].concat())?;
        let (mut yes, mut no) = (vec!["yes"], vec!["no"]);
        let words = expected.split_ascii_whitespace().filter(|word| *word != "|");
        for path in words {
            if path == "yes" || path == "no" {
                continue;
            }
            let at = walk(&bound, &path_bytes(path)?);
            if bound.any_rule_matches(&at) { yes.push(path) } else { no.push(path) }
        }
        let sides = [yes, no].into_iter().filter(|side| side.len() > 1).map(|side| side.join(" "));
        Ok(sides.collect::<Vec<_>>().join(" | "))
    }

    /// With a path in the section's head, cases are specs; else they are paths, and the spec is the scene's.
    fn ask(&self, section: &str, about: &str, given: &str, expected: &str) -> Result<Verdict, String> {
        let (place, text) = if about.is_empty() {
            (given.trim(), self.spec.clone().ok_or("there is no spec")?)
        } else {
            (about, unescape(given)?)
        };
        let (path, tree) = place.split_once(" in ").unwrap_or((place, ""));
        let element = self.tree(tree)?;
        let bound = self.bind(&text)?;
        let at = walk(&bound, &path_bytes(path)?);
        let found = match section {
            "select" => {
                let selection = bound.select(&at, element);
                let (what, rule) = selected(selection, element);
                match rule {
                    // The place of the rule may be left out of a case.
                    Some(rule) if expected.contains('@') => {
                        format!("{what} @{}", place_of(bound.rule(rule), &self.spec_file))
                    }
                    _ => what,
                }
            }
            "plan" => {
                let now_ns = i64::try_from(self.now.as_nanosecond()).map_err(|error| error.to_string())?;
                let plan = bound.plan_checkout(&Types, &at, element, Maker { login: "me", now_ns });
                planned(&plan, element)
            }
            _ => {
                let (_, misses) = bound.select_explained(&at, element);
                let misses: Vec<String> = misses.iter().map(debug).collect();
                misses.join(" ")
            }
        };
        verdict(found.into_bytes(), expected)
    }
}

fn verdict(found: Vec<u8>, expected: &str) -> Result<Verdict, String> {
    if found == unescape(expected)? {
        return Ok(Verdict::Right);
    }
    let shown =
        String::from_utf8(found).unwrap_or_else(|error| error.into_bytes().escape_ascii().to_string());
    Ok(Verdict::Wrong(shown))
}

fn text(given: &str) -> Result<String, String> {
    String::from_utf8(unescape(given)?).map_err(|error| error.to_string())
}

/// A path below the VOB root, which is `.`.
fn path_bytes(path: &str) -> Result<Vec<u8>, String> {
    if path == "." { Ok(Vec::new()) } else { unescape(path) }
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// The line of a rule, with its file if that is an included one.
fn place_of(rule: &Rule, spec_file: &Path) -> String {
    match rule.file == spec_file {
        true => rule.line.to_string(),
        false => format!("{}:{}", rule.file.display(), rule.line),
    }
}

fn selected(selection: Selection, element: &Element) -> (String, Option<RuleIndex>) {
    match selection {
        Selection::Version { branch, number, rule } => {
            (format!("{}/{number}", element.branch_path(branch)), Some(rule))
        }
        Selection::CheckedOut { rule } => ("checked out".to_owned(), Some(rule)),
        Selection::None { rule } => ("none".to_owned(), rule),
        Selection::Error { rule, reason: ErrorReason::ErrorRule } => ("error".to_owned(), Some(rule)),
        Selection::Error { rule, reason: ErrorReason::Ambiguous } => ("ambiguous".to_owned(), Some(rule)),
    }
}

/// `make BRANCH, make BRANCH, check out /main/a`, or why not.
fn planned(plan: &BranchPlan, element: &Element) -> String {
    // Branches by number: those of the element, then those that the plan makes.
    let mut paths: Vec<String> =
        (0..element.branches.len() as u32).map(|branch| element.branch_path(branch)).collect();
    let mut steps = Vec::new();
    for branch in &plan.branches {
        let (parent, number) = branch.from;
        steps.push(format!("make {} at {}/{number}", branch.name, paths[parent as usize]));
        let name = BRANCH_TYPES[branch.branch_type as usize];
        paths.push(format!("{}/{name}", paths[parent as usize]));
    }
    steps.push(match &plan.outcome {
        Ok(branch) => format!("check out {}", paths[*branch as usize]),
        Err(PlanFailure::NotSelected(_)) => "not selected".to_owned(),
        Err(PlanFailure::Error(_, reason)) => debug(reason),
        Err(PlanFailure::CheckedOut) => "checked out already".to_owned(),
        Err(PlanFailure::NoCheckout(_)) => "not to be checked out".to_owned(),
        Err(PlanFailure::NoSuchBranchType(name)) => format!("no branch type {name}"),
        Err(PlanFailure::BranchExists { branch, .. }) => format!("there is {}", paths[*branch as usize]),
        Err(PlanFailure::TooManyBranches) => format!("too many branches ({})", plan.branches.len()),
    });
    if plan.branches.len() > 8 { steps.split_off(plan.branches.len()).concat() } else { steps.join(", ") }
}
