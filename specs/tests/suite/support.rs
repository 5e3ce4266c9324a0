//! What the tests share: an environment without files or clock, and an element described by its versions.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clerestory_specs::{BoundSpec, ConfigSpec, Diagnostic, ElementFacts, Environment, PathState, TypeNames};
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
    let begins = |tag: &&str| {
        path.strip_prefix(tag.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    TAGS.iter().filter(|tag| begins(tag)).max_by_key(|tag| tag.len()).map(|tag| tag.as_bytes().to_vec())
}

/// Compiles with included files from a table of path and text; relative names stand beside the including file.
pub fn compile_with(text: &[u8], files: &[(&str, &str)]) -> Result<ConfigSpec, Vec<Diagnostic>> {
    let read_include = |path: &[u8], from: &Path| -> io::Result<(PathBuf, Vec<u8>)> {
        let path = from.with_file_name(String::from_utf8_lossy(path).as_ref());
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        let (_, text) = found.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        Ok((path, text.as_bytes().to_vec()))
    };
    let env = Environment {
        now: now(),
        zone: zone(),
        read_include: &read_include,
        vob_tag_of: &vob_tag_of,
        home: Some(b"/home/u"),
    };
    ConfigSpec::compile(text, Path::new("spec"), &env)
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

pub const BRANCH_TYPES: [&str; 4] = ["main", "a", "b", "c"];
pub const LABEL_TYPES: [&str; 2] = ["REL1", "REL2"];
pub const ELEMENT_TYPES: [&str; 3] = ["file", "directory", "text_file"];

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
}

#[derive(Clone, Debug, Default)]
pub struct Version {
    pub created_ns: i64,
    pub labels: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct Branch {
    pub parent: Option<u32>,
    pub branch_type: u32,
    pub versions: BTreeMap<u32, Version>,
}

#[derive(Clone, Debug, Default)]
pub struct Element {
    pub element_type: u32,
    pub branches: Vec<Branch>,
    pub checked_out: bool,
}

impl Element {
    /// Reads lines such as `/main/a/0 @2024-01-01 REL1`; parents come first.
    pub fn new(versions: &str) -> Element {
        let mut element = Element::default();
        for line in versions.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            let path: Vec<&str> = words.next().unwrap().trim_start_matches('/').split('/').collect();
            let (number, path) = path.split_last().unwrap();
            let mut parent = None;
            for name in path {
                let branch_type = Types.branch_type(name).unwrap();
                let known = element
                    .branches
                    .iter()
                    .position(|branch| branch.parent == parent && branch.branch_type == branch_type);
                parent = Some(known.unwrap_or_else(|| {
                    element.branches.push(Branch { parent, branch_type, ..Branch::default() });
                    element.branches.len() - 1
                }) as u32);
            }
            let mut version = Version::default();
            for word in words {
                match word.strip_prefix('@') {
                    Some(day) => {
                        let time = clerestory_specs::parse_date_time(day, now(), &zone()).unwrap();
                        version.created_ns = time.as_nanosecond() as i64;
                    }
                    None => version.labels.push(Types.label_type(word).unwrap()),
                }
            }
            element.branches[parent.unwrap() as usize].versions.insert(number.parse().unwrap(), version);
        }
        element
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
}
