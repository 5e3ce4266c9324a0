//! What version selection costs. Run with `cargo bench -p clerestory-specs`, or `... -- <name>` for one of:
//!
//! * `look_up`: the work of one lookup, `descend` by one name and `select`, for each path of a real tree under a
//!   spec of 50 rules as a team writes it. `descend_alone`, `select_alone`: its two parts.
//! * `unmatching`: the same under specs of 10 to 10,000 rules that cannot match, of one kind each, and a last one
//!   that does.
//! * `compile`, `bind`: a spec of 10,000 rules of all kinds. `globs_as_regexes`: what compiling its globs alone would
//!   take with the `regex` crate.
//!
//! The paths are those of the git repository that `CLERESTORY_BENCH_REPOSITORY` names (its `HEAD`), or else the
//! sources that cargo unpacked and the files of the Rust toolchain. Every path has an element of its own, with 1
//! to 5 branches, 10 to 50 versions and up to 12 labels, laid out as the program's own. All is drawn from a fixed
//! seed. One core works.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use clerestory_specs::{AttributeValue, BoundSpec, ConfigSpec, ElementFacts, Environment};
use clerestory_specs::{LinkDirection, PathState, QueryFacts, QueryObject, TypeNames};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn main() {
    eprintln!("{} paths", TREE.len());
    divan::main();
}

/// At most so many paths are taken, evenly spread over the tree.
const MAX_PATHS: usize = 30_000;

const TAG: &[u8] = b"/vobs/p";

/// Paths below the VOB tag, sorted, each with its element.
static TREE: LazyLock<Vec<(String, Element)>> = LazyLock::new(|| {
    let mut paths = match std::env::var_os("CLERESTORY_BENCH_REPOSITORY") {
        Some(repository) => listed_by_git(Path::new(&repository)),
        None => unpacked_sources(),
    };
    paths.sort();
    let count = paths.len().min(MAX_PATHS);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..count).map(|index| (paths[index * paths.len() / count].clone(), Element::any(&mut random))).collect()
});

fn listed_by_git(repository: &Path) -> Vec<String> {
    let mut git = Command::new("git");
    let listed = git.arg("-C").arg(repository).args(["ls-tree", "-r", "-z", "--name-only", "HEAD"]).output();
    let listed = listed.expect("git runs");
    let names = String::from_utf8_lossy(&listed.stdout);
    let paths: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    assert!(
        listed.status.success() && !paths.is_empty(),
        "CLERESTORY_BENCH_REPOSITORY: no files at HEAD of {}: {}",
        repository.display(),
        String::from_utf8_lossy(&listed.stderr)
    );
    paths
}

fn unpacked_sources() -> Vec<String> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .unwrap_or_default();
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = rustc.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    let roots = [cargo_home.join("registry/src"), PathBuf::from(sysroot.unwrap_or_default())];
    let mut paths = Vec::new();
    for root in roots.iter().filter(|root| root.is_absolute()) {
        let mut pending = vec![root.clone()];
        while let Some(directory) = pending.pop() {
            for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    pending.push(entry.path());
                } else if let Ok(below) = entry.path().strip_prefix(root) {
                    paths.push(below.to_string_lossy().into_owned());
                }
            }
        }
    }
    assert!(
        !paths.is_empty(),
        "no files below {} and {}: name a git repository in CLERESTORY_BENCH_REPOSITORY",
        roots[0].display(),
        roots[1].display()
    );
    paths
}

/// A generator after Marsaglia (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) as u32) % limit
    }
}

/// Types by name: branches `main`, `b1`..`b19`; labels `L0`..`L39`; element types `e0`..`e3`.
struct Types(HashMap<String, u32>);

const BRANCH_TYPES: u32 = 20;
const LABEL_TYPES: u32 = 40;

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let branches = (1..BRANCH_TYPES).map(|id| (format!("b{id}"), id));
    let labels = (0..LABEL_TYPES).map(|id| (format!("L{id}"), id));
    let elements = (0..4).map(|id| (format!("e{id}"), id));
    Types(branches.chain(labels).chain(elements).chain([("main".to_owned(), 0)]).collect())
});

impl TypeNames for Types {
    fn branch_type(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    fn label_type(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    fn element_type(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    fn hyperlink_type(&self, _name: &str) -> Option<u32> {
        None
    }

    fn is_once_per_branch(&self, _branch_type: u32) -> bool {
        false
    }
}

struct Branch {
    branch_type: u32,
    parent: Option<u32>,
    /// Ascending, by index.
    versions: Vec<u32>,
}

struct Version {
    branch: u32,
    number: u32,
    created_ns: i64,
}

struct Element {
    element_type: u32,
    branches: Vec<Branch>,
    versions: Vec<Version>,
    /// Ascending by type.
    labels: Vec<(u32, u32)>,
    checked_out: bool,
}

impl Element {
    fn any(random: &mut Random) -> Element {
        let mut branches: Vec<Branch> = Vec::new();
        let mut versions: Vec<Version> = Vec::new();
        for index in 0..1 + random.below(5) {
            let parent = (index > 0).then(|| random.below(index));
            let branch_type = if index == 0 { 0 } else { 1 + random.below(BRANCH_TYPES - 1) };
            branches.push(Branch { branch_type, parent, versions: Vec::new() });
        }
        for index in 0..10 + random.below(41) {
            let branch = random.below(branches.len() as u32);
            let of_branch = &mut branches[branch as usize].versions;
            let created_ns = i64::from(index) * 40 * 86_400_000_000_000;
            versions.push(Version { branch, number: of_branch.len() as u32, created_ns });
            of_branch.push(index);
        }
        let mut labels: Vec<(u32, u32)> = (0..random.below(13))
            .map(|_| (random.below(LABEL_TYPES), random.below(versions.len() as u32)))
            .collect();
        labels.sort_unstable();
        labels.dedup_by_key(|label| label.0);
        let (element_type, checked_out) = (random.below(4), random.below(200) == 0);
        Element { element_type, branches, versions, labels, checked_out }
    }
}

impl ElementFacts for Element {
    fn is_directory(&self) -> bool {
        false
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
        (number as usize) < self.branches[branch as usize].versions.len()
    }

    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32> {
        let newest_first = self.branches[branch as usize].versions.iter().rev();
        let mut versions = newest_first.map(|&version| &self.versions[version as usize]);
        let found = versions.find(|version| not_after_ns.is_none_or(|limit| version.created_ns <= limit));
        found.map(|version| version.number)
    }

    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32)) {
        let start = self.labels.partition_point(|label| label.0 < label_type);
        for &(_, version) in self.labels[start..].iter().take_while(|label| label.0 == label_type) {
            let version = &self.versions[version as usize];
            each(version.branch, version.number);
        }
    }

    fn checked_out(&self) -> bool {
        self.checked_out
    }

    fn query_facts(&self) -> &dyn QueryFacts {
        self
    }
}

/// No metadata: no rule here has a query.
impl QueryFacts for Element {
    fn oid(&self) -> [u8; 16] {
        [0; 16]
    }

    fn branch_count(&self) -> u32 {
        self.branches.len() as u32
    }

    fn versions(&self, branch: u32, each: &mut dyn FnMut(u32) -> bool) {
        let count = self.branches[branch as usize].versions.len() as u32;
        (0..count).rev().all(each);
    }

    fn created_ns(&self, _object: QueryObject) -> i64 {
        0
    }

    fn created_by(&self, _object: QueryObject, _login: &str) -> bool {
        false
    }

    fn attributes(&self, _object: QueryObject, _each: &mut dyn FnMut(&str, &AttributeValue)) {}

    fn hyperlinks(&self, _object: QueryObject, _each: &mut dyn FnMut(u32, LinkDirection)) {}

    fn merges(&self, _each: &mut dyn FnMut((u32, u32), (u32, u32))) {}

    fn uses_pool(&self, _name: &str) -> bool {
        false
    }

    fn has_trigger(&self, _name: &str) -> bool {
        false
    }
}

fn compile_text(text: &str) -> ConfigSpec {
    let env = Environment {
        now: Timestamp::UNIX_EPOCH,
        zone: TimeZone::UTC,
        read_include: &|_, _| Err(std::io::ErrorKind::NotFound.into()),
        vob_tag_of: &|path| {
            let tag = path.get(..TAG.len())?;
            matches!(tag, b"/vobs/p" | b"/vobs/q").then(|| tag.to_vec())
        },
        family_of: &|_| None,
        tag_of_family: &|_| None,
        config_record: &|_| Err(std::io::ErrorKind::NotFound.into()),
        home: None,
    };
    ConfigSpec::compile(text.as_bytes(), Path::new("spec"), &env).expect("the spec of the benchmark is right")
}

fn bind_text(text: &str) -> BoundSpec {
    compile_text(text).bind(&*TYPES, TAG)
}

/// A spec of 50 rules for the tree: a feature branch, components frozen at baselines, exceptions by kind of file.
fn team_spec() -> BoundSpec {
    let mut directories: Vec<&str> =
        TREE.iter().filter_map(|(path, _)| Some(path.rsplit_once('/')?.0)).collect();
    directories.dedup();
    let directory = |index: usize, of: usize| directories[index * directories.len() / of];
    let mut rules = vec!["* CHECKEDOUT".to_owned(), "* .../b1/LATEST".into()];
    rules.extend((0..8).map(|i| format!("/vobs/p/{}/*.rs .../b1/b{}/LATEST", directory(i, 8), i + 2)));
    rules.extend((0..12).map(|i| format!("\"/vobs/p/{}/...\" L{i} -mkbranch b1", directory(i, 12))));
    rules.extend(["*.o", "*.a", "*.so.[0-9]", "*~", "core"].map(|pattern| format!("-file {pattern} -none")));
    rules.extend((0..6).map(|i| format!("/vobs/q/lib{i}/... L{i}")));
    rules.extend(
        ["src/gen/...", "tests/.../*.rs", "benches/*", "doc/*.md"].map(|p| format!("{p} /main/b2/LATEST")),
    );
    rules.extend(["*_test?.rs", "lib[a-f]*.rs"].map(|p| format!("{p} .../b3/LATEST")));
    rules.extend((0..4).map(|i| format!("* OLD_BASELINE_{i} -mkbranch b1")));
    rules.extend((0..3).map(|i| format!("-eltype e{i} * .../b{}/L{i}", 4 + i)));
    rules.extend(["* L20 -mkbranch b1".into(), "* .../b9/LATEST -time 1972-06-01".into()]);
    rules.extend(["* L21".into(), "* /main/LATEST -time 1974-01-01 -mkbranch b1".into()]);
    let text: String = rules.iter().map(|rule| format!("element {rule}\n")).collect();
    let spec = compile_text(&text);
    assert_eq!(spec.rules().len(), 50);
    spec.bind(&*TYPES, TAG)
}

/// For each n-th path the state of its directory, its last name, and the element.
fn lookups(bound: &BoundSpec, every: usize) -> Vec<(PathState, &'static [u8], &'static Element)> {
    let lookup = |(path, element): &'static (String, Element)| {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let names = above.split('/').filter(|name| !name.is_empty());
        let parent = names.fold(bound.at_vob_root(), |state, name| bound.descend(&state, name.as_bytes()));
        (parent, name.as_bytes(), element)
    };
    TREE.iter().step_by(every).map(lookup).collect()
}

fn look_up_all(bencher: Bencher, bound: &BoundSpec, every: usize) {
    let lookups = lookups(bound, every);
    bencher.counter(ItemsCount::new(lookups.len())).bench_local(|| {
        for (parent, name, element) in black_box(&lookups) {
            black_box(bound.select(&bound.descend(parent, name), *element));
        }
    });
}

#[divan::bench(sample_count = 50)]
fn look_up(bencher: Bencher) {
    look_up_all(bencher, &team_spec(), 1);
}

#[divan::bench(sample_count = 50)]
fn descend_alone(bencher: Bencher) {
    let bound = team_spec();
    let lookups = lookups(&bound, 1);
    bencher.counter(ItemsCount::new(lookups.len())).bench_local(|| {
        for (parent, name, _) in black_box(&lookups) {
            black_box(bound.descend(parent, name));
        }
    });
}

#[divan::bench(sample_count = 50)]
fn select_alone(bencher: Bencher) {
    let bound = team_spec();
    let lookups = lookups(&bound, 1);
    let there: Vec<_> =
        lookups.iter().map(|(parent, name, element)| (bound.descend(parent, name), *element)).collect();
    bencher.counter(ItemsCount::new(there.len())).bench_local(|| {
        for (at, element) in black_box(&there) {
            black_box(bound.select(at, *element));
        }
    });
}

/// Rules that cannot match, though their names begin or end as those of the tree do: the kind, and the rule with
/// `#` for its number. Globs are found by the longer of their literal ends: where all ends are alike, each is tried.
const UNMATCHING: [(&str, &str); 9] = [
    ("relative literal", "src#/lib#.rs /main/LATEST"),
    ("relative *.ext", "*.#.rs /main/LATEST"),
    ("relative dir/...", "src#/... /main/LATEST"),
    ("relative glob", "lib#*z?.rs /main/LATEST"),
    ("relative glob, ends alike", "s*#?.rs /main/LATEST"),
    ("absolute literal", "/vobs/p/src#/lib.rs /main/LATEST"),
    ("absolute dir/...", "/vobs/p/src#/... /main/LATEST"),
    ("other VOB", "/vobs/q/dir#/... /main/LATEST"),
    ("unknown type", "* NO_SUCH_LABEL_#"),
];

struct Unmatching(&'static str, &'static str, usize);

impl fmt::Display for Unmatching {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.0, self.2)
    }
}

fn unmatching_specs() -> impl Iterator<Item = Unmatching> {
    let counts = [10, 100, 1_000, 10_000];
    UNMATCHING.iter().flat_map(move |&(kind, rule)| counts.map(|count| Unmatching(kind, rule, count)))
}

#[divan::bench(args = unmatching_specs(), sample_count = 20)]
fn unmatching(bencher: Bencher, Unmatching(_, rule, count): &Unmatching) {
    let rules = (0..*count).map(|number| format!("element {}\n", rule.replace('#', &number.to_string())));
    let bound = bind_text(&(rules.collect::<String>() + "element * /main/LATEST\n"));
    look_up_all(bencher, &bound, 15);
}

/// 10,000 rules of all kinds; of each eight, two need a real glob.
fn large_spec() -> String {
    let rule = |i: usize| {
        let (label, branch) = (i % 40, 1 + i % 19);
        match i % 8 {
            0 => format!("/vobs/p/component{}/src/file{i}.c L{label}", i % 100),
            1 => format!("*.ext{i} .../b{branch}/LATEST -mkbranch b2"),
            2 => format!("lib{i}/... /main/b{branch}/LATEST -time 15-Mar-1999.12:30:15"),
            3 => format!("a{i}*b?.c .../b{branch}/L{label}"),
            4 => format!("/vobs/p/dir{i}/... /main/LATEST -time 1999-03-15T12:30"),
            5 => format!("-file src/x[0-9]{i}*.[ch] /main/{i}"),
            6 => format!("/vobs/q/dir{i}/... BASELINE_{i} -nocheckout"),
            _ => format!("-eltype e{} test{i}* /main/.../b{branch}/LATEST", i % 4),
        }
    };
    (0..10_000).map(|i| format!("element {}\n", rule(i))).collect()
}

#[divan::bench(sample_count = 20)]
fn compile(bencher: Bencher) {
    let text = large_spec();
    bencher.bench_local(|| compile_text(black_box(&text)));
}

#[divan::bench(sample_count = 20)]
fn bind(bencher: Bencher) {
    let spec = compile_text(&large_spec());
    bencher.bench_local(|| black_box(&spec).bind(&*TYPES, TAG));
}

#[divan::bench(sample_count = 1)]
fn globs_as_regexes(bencher: Bencher) {
    let regex = |i: usize| {
        let text = if i.is_multiple_of(2) { format!("a{i}.*b.\\.c") } else { format!("x[0-9]{i}.*\\.[ch]") };
        regex::bytes::Regex::new(&format!("(?s-u)\\A{text}\\z")).expect("the expression is right")
    };
    bencher.bench_local(|| (0..2_500).map(regex).collect::<Vec<_>>());
}
