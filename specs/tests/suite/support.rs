//! What the tests share: an environment without files or clock, and an element described by its versions.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clerestory_specs::{
    AttributeValue, BoundSpec, ConfigRecord, ConfigSelector, ConfigSpec, Diagnostic, ElementFacts,
    Environment, LinkDirection, PathState, QueryFacts, QueryObject, ReadInclude, RecordedVersion, TypeNames,
    parse_date_time,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Registered VOB tags.
pub const TAGS: [&str; 4] = ["/vobs/p", "/vobs/p/nested", "/vobs/q", "/home/u/vob"];

/// Friday, 15 March 2024, 12:30:15 in New York (UTC-4 since the 10th).
pub fn now() -> Timestamp {
    "2024-03-15T16:30:15Z".parse().unwrap()
}

pub fn zone() -> TimeZone {
    TimeZone::get("America/New_York").unwrap()
}

/// The longest registered tag that begins the path.
pub fn vob_tag_of(path: &[u8]) -> Option<Vec<u8>> {
    longest_tag(&TAGS, path)
}

/// The longest of some tags that begins the path.
pub fn longest_tag<T: AsRef<[u8]>>(tags: &[T], path: &[u8]) -> Option<Vec<u8>> {
    let begins =
        |tag: &&[u8]| path.strip_prefix(*tag).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    tags.iter().map(AsRef::as_ref).filter(begins).max_by_key(|tag| tag.len()).map(<[u8]>::to_vec)
}

/// The family identity of the VOB with a registered tag: its index, repeated.
pub fn family_of(tag: &[u8]) -> Option<[u8; 16]> {
    TAGS.iter().position(|known| known.as_bytes() == tag).map(|index| [index as u8 + 1; 16])
}

pub fn tag_of_family(family: [u8; 16]) -> Option<Vec<u8>> {
    TAGS.iter().find(|tag| family_of(tag.as_bytes()) == Some(family)).map(|tag| tag.as_bytes().to_vec())
}

/// The record of one derived object, `/vobs/p/prog`: version 1 on /main/a of the element with the identity 7.
pub fn config_record(selector: &ConfigSelector) -> io::Result<ConfigRecord> {
    if selector.derived_object != b"/vobs/p/prog" {
        return Err(io::Error::other("not a derived object"));
    }
    let mut record = ConfigRecord::default();
    let branches = vec!["main".to_owned(), "a".to_owned()];
    record.add([7; 16], RecordedVersion { branches, number: 1, created_ns: 0 });
    Ok(record)
}

/// Compiles with included files from a table of path and text; relative names stand beside the including file.
pub fn compile_with(text: &[u8], files: &[(&str, &str)]) -> Result<ConfigSpec, Vec<Diagnostic>> {
    let read_include = |path: &[u8], from: &Path| -> io::Result<(PathBuf, Vec<u8>)> {
        let path = from.with_file_name(String::from_utf8_lossy(path).as_ref());
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        let (_, text) = found.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        Ok((path, text.as_bytes().to_vec()))
    };
    ConfigSpec::compile(text, Path::new("spec"), &environment(&read_include))
}

pub fn environment(read_include: ReadInclude) -> Environment {
    Environment {
        now: now(),
        zone: zone(),
        read_include,
        vob_tag_of: &vob_tag_of,
        family_of: &family_of,
        tag_of_family: &tag_of_family,
        config_record: &config_record,
        home: Some(b"/home/u"),
    }
}

pub fn compile(text: &str) -> ConfigSpec {
    compile_with(text.as_bytes(), &[]).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

/// The faults of a spec, each as the user sees it.
pub fn faults(text: &[u8], files: &[(&str, &str)]) -> Vec<String> {
    let faults = compile_with(text, files).expect_err("the spec has faults");
    faults.iter().map(ToString::to_string).collect()
}

/// Walks from the VOB root to a path below it.
pub fn walk(bound: &BoundSpec, path: &[u8]) -> PathState {
    let names = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
    names.fold(bound.at_vob_root(), |state, name| bound.descend(&state, name))
}

/// Random trees are made of the first four; the others are for drawn ones.
pub const BRANCH_TYPES: [&str; 15] = [
    "main", "a", "b", "c", "major", "autumn", "bugfix", "fix", "rel2", "rel2_fix", "team", "mine", "quiet",
    "int", "wording",
];
pub const LABEL_TYPES: [&str; 7] =
    ["REL1", "REL2", "BASELINE_X", "BASELINE_7", "REL_1", "REL_2", "sp\u{e9}cial"];
pub const ELEMENT_TYPES: [&str; 5] = ["file", "directory", "text_file", "compressed_file", "html"];
pub const HYPERLINK_TYPES: [&str; 2] = ["Merge", "Tests"];

/// A VOB with the types above; the id is the index.
pub struct Types;

fn index(names: &[&str], name: &str) -> Option<u32> {
    names.iter().position(|known| *known == name).map(|index| index as u32)
}

impl TypeNames for Types {
    fn branch_type(&self, name: &str) -> Option<u32> {
        index(&BRANCH_TYPES, name)
    }

    fn label_type(&self, name: &str) -> Option<u32> {
        index(&LABEL_TYPES, name)
    }

    fn element_type(&self, name: &str) -> Option<u32> {
        index(&ELEMENT_TYPES, name)
    }

    fn hyperlink_type(&self, name: &str) -> Option<u32> {
        index(&HYPERLINK_TYPES, name)
    }

    /// Of all branch types `c` and `int` alone may occur on each branch.
    fn is_once_per_branch(&self, branch_type: u32) -> bool {
        ["c", "int"].contains(&BRANCH_TYPES[branch_type as usize])
    }
}

/// What queries ask of any object.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    pub creator: String,
    pub attributes: Vec<(String, AttributeValue)>,
}

#[derive(Clone, Debug, Default)]
pub struct Version {
    pub created_ns: i64,
    pub labels: Vec<u32>,
    pub metadata: Metadata,
}

#[derive(Clone, Debug, Default)]
pub struct Branch {
    pub metadata: Metadata,
    pub parent: Option<u32>,
    pub branch_type: u32,
    pub versions: BTreeMap<u32, Version>,
}

/// Branch and number of a version.
pub type VersionId = (u32, u32);

#[derive(Clone, Debug, Default)]
pub struct Element {
    pub element_type: u32,
    pub branches: Vec<Branch>,
    pub checked_out: bool,
    pub metadata: Metadata,
    pub identity: u8,
    /// Type and both ends.
    pub hyperlinks: Vec<(u32, VersionId, VersionId)>,
    pub pool: String,
    pub triggers: Vec<String>,
}

impl Element {
    /// Reads a drawn tree; parents come first. Lines:
    /// `/main/a/0 @2024-01-01 REL1 by=ann QA="ok" N=3`: a version, its date, labels, creator and attributes;
    /// `/main/a by=ann N=3`: a branch, after its version 0;
    /// `element directory checkedout by=ann id=7 pool=p1 trigger=T N=3`: the element itself;
    /// `Merge /main/a/0 /main/1`: a hyperlink, by its type.
    pub fn new(versions: &str) -> Element {
        Element::parse(versions, now(), &zone()).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// As [`new`](Self::new), for a present time; or which line is wrong.
    pub fn parse(versions: &str, now: Timestamp, zone: &TimeZone) -> Result<Element, String> {
        let mut element = Element::default();
        for (line, number) in versions.lines().map(str::trim).zip(1..) {
            if !line.is_empty() {
                let read = element.line(line, &|day| {
                    let time = parse_date_time(day, now, zone).map_err(|error| format!("{day}: {error}"))?;
                    i64::try_from(time.as_nanosecond()).map_err(|error| error.to_string())
                });
                read.map_err(|fault| format!("line {number} of the drawn tree: {fault}"))?;
            }
        }
        match element.branches.first() {
            Some(_) => Ok(element),
            None => Err("the drawn tree has no branch".to_owned()),
        }
    }

    fn line(&mut self, line: &str, date: &Dates) -> Result<(), String> {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        if first == "element" {
            return words.try_for_each(|word| self.say(word, date));
        }
        if let Some(link) = Types.hyperlink_type(first) {
            let mut end =
                || words.next().and_then(|end| self.find(end)).ok_or("a hyperlink joins two versions");
            let (from, to) = (end()?, end()?);
            self.hyperlinks.push((link, from, to));
            return Ok(());
        }
        let path: Vec<&str> = first.strip_prefix('/').ok_or("neither path nor keyword")?.split('/').collect();
        let (number, path) = match path.split_last() {
            Some((last, path)) if last.parse::<u32>().is_ok() => (last.parse().ok(), path),
            _ => (None, path.as_slice()),
        };
        let mut parent = None;
        for name in path {
            let branch_type = Types.branch_type(name).ok_or_else(|| format!("no branch type {name}"))?;
            let is_it = |branch: &Branch| branch.parent == parent && branch.branch_type == branch_type;
            let known = self.branches.iter().position(is_it);
            parent = Some(match (known, number) {
                (Some(known), _) => known as u32,
                (None, None) => return Err(format!("{first} has no version 0 yet")),
                (None, Some(_)) => {
                    self.branches.push(Branch { parent, branch_type, ..Branch::default() });
                    self.branches.len() as u32 - 1
                }
            });
        }
        let branch = parent.and_then(|branch| self.branches.get_mut(branch as usize)).ok_or("no branch")?;
        let Some(number) = number else {
            return words.try_for_each(|word| branch.metadata.say(word, date));
        };
        let mut version = Version::default();
        for word in words {
            match word.strip_prefix('@') {
                Some(day) => version.created_ns = date(day)?,
                None if word.contains('=') => version.metadata.say(word, date)?,
                None => {
                    version
                        .labels
                        .push(Types.label_type(word).ok_or_else(|| format!("no label type {word}"))?);
                }
            }
        }
        branch.versions.insert(number, version);
        Ok(())
    }

    fn say(&mut self, word: &str, date: &Dates) -> Result<(), String> {
        match word.split_once('=') {
            None if word == "checkedout" => self.checked_out = true,
            None => {
                self.element_type =
                    Types.element_type(word).ok_or_else(|| format!("no element type {word}"))?;
            }
            Some(("id", number)) => {
                self.identity = number.parse().map_err(|_| "id is no number below 256")?
            }
            Some(("pool", name)) => self.pool = name.to_owned(),
            Some(("trigger", name)) => self.triggers.push(name.to_owned()),
            Some(_) => return self.metadata.say(word, date),
        }
        Ok(())
    }

    /// Branch and number of the version with that path, such as `/main/a/3`.
    pub fn find(&self, version: &str) -> Option<(u32, u32)> {
        let (path, number) = version.rsplit_once('/')?;
        let branch = (0..self.branches.len() as u32).find(|&branch| self.branch_path(branch) == path)?;
        let number = number.parse().ok()?;
        self.branches[branch as usize].versions.contains_key(&number).then_some((branch, number))
    }

    fn metadata(&self, object: QueryObject) -> &Metadata {
        match object {
            QueryObject::Element => &self.metadata,
            QueryObject::Branch(branch) => &self.branches[branch as usize].metadata,
            QueryObject::Version { branch, number } => {
                &self.branches[branch as usize].versions[&number].metadata
            }
        }
    }

    pub fn branch_path(&self, branch: u32) -> String {
        let branch = &self.branches[branch as usize];
        let above = branch.parent.map_or(String::new(), |parent| self.branch_path(parent));
        format!("{above}/{}", BRANCH_TYPES[branch.branch_type as usize])
    }
}

impl ElementFacts for Element {
    fn is_directory(&self) -> bool {
        self.element_type == 1
    }

    fn element_type(&self) -> u32 {
        self.element_type
    }

    fn branch_type(&self, branch: u32) -> u32 {
        self.branches[branch as usize].branch_type
    }

    fn sub_branch(&self, parent: u32, branch_type: u32) -> Option<u32> {
        let sprouts = |branch: &Branch| branch.parent == Some(parent) && branch.branch_type == branch_type;
        self.branches.iter().position(sprouts).map(|index| index as u32)
    }

    fn branches_of_type(&self, branch_type: u32, each: &mut dyn FnMut(u32)) {
        for (branch, number) in self.branches.iter().zip(0..) {
            if branch.branch_type == branch_type {
                each(number);
            }
        }
    }

    fn has_version(&self, branch: u32, number: u32) -> bool {
        self.branches[branch as usize].versions.contains_key(&number)
    }

    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32> {
        let versions = &self.branches[branch as usize].versions;
        let old_enough = |version: &Version| not_after_ns.is_none_or(|limit| version.created_ns <= limit);
        versions.iter().rev().find(|(_, version)| old_enough(version)).map(|(&number, _)| number)
    }

    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32)) {
        for (branch, index) in self.branches.iter().zip(0..) {
            for (&number, version) in &branch.versions {
                if version.labels.contains(&label_type) {
                    each(index, number);
                }
            }
        }
    }

    fn checked_out(&self) -> bool {
        self.checked_out
    }

    fn query_facts(&self) -> &dyn QueryFacts {
        self
    }
}

/// Reads a date-time as nanoseconds since 1970.
type Dates<'a> = dyn Fn(&str) -> Result<i64, String> + 'a;

impl Metadata {
    fn say(&mut self, word: &str, date: &Dates) -> Result<(), String> {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("{word} says nothing"))?;
        if name == "by" {
            self.creator = value.to_owned();
            return Ok(());
        }
        let text = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = match (text, value.parse(), value.parse()) {
            _ if value == "opaque" => AttributeValue::Opaque(vec![1]),
            (Some(text), ..) => AttributeValue::Text(text.to_owned()),
            (None, Ok(integer), _) => AttributeValue::Integer(integer),
            (None, Err(_), Ok(real)) => AttributeValue::Real(real),
            (None, Err(_), Err(_)) => AttributeValue::Time(date(value)?),
        };
        self.attributes.push((name.to_owned(), value));
        Ok(())
    }
}

impl QueryFacts for Element {
    fn oid(&self) -> [u8; 16] {
        [self.identity; 16]
    }

    fn branch_count(&self) -> u32 {
        self.branches.len() as u32
    }

    fn versions(&self, branch: u32, each: &mut dyn FnMut(u32) -> bool) {
        let _ = self.branches[branch as usize].versions.keys().rev().all(|&number| each(number));
    }

    /// Elements and branches are as old as their version 0.
    fn created_ns(&self, object: QueryObject) -> i64 {
        let (branch, number) = match object {
            QueryObject::Element => (0, 0),
            QueryObject::Branch(branch) => (branch, 0),
            QueryObject::Version { branch, number } => (branch, number),
        };
        self.branches[branch as usize].versions.get(&number).map_or(0, |version| version.created_ns)
    }

    fn created_by(&self, object: QueryObject, login: &str) -> bool {
        self.metadata(object).creator == login
    }

    fn attributes(&self, object: QueryObject, each: &mut dyn FnMut(&str, &AttributeValue)) {
        self.metadata(object).attributes.iter().for_each(|(name, value)| each(name, value));
    }

    fn hyperlinks(&self, object: QueryObject, each: &mut dyn FnMut(u32, LinkDirection)) {
        let QueryObject::Version { branch, number } = object else { return };
        for &(link, from, to) in &self.hyperlinks {
            if from == (branch, number) {
                each(link, LinkDirection::From);
            }
            if to == (branch, number) {
                each(link, LinkDirection::To);
            }
        }
    }

    fn merges(&self, each: &mut dyn FnMut((u32, u32), (u32, u32))) {
        self.hyperlinks.iter().filter(|(link, ..)| *link == 0).for_each(|&(_, from, to)| each(from, to));
    }

    fn uses_pool(&self, name: &str) -> bool {
        self.pool == name
    }

    fn has_trigger(&self, name: &str) -> bool {
        self.triggers.iter().any(|trigger| trigger == name)
    }
}
