//! What a VOB of a given size costs: `cargo bench --bench scale -- --elements 100000 --engine sled [--directory DIR]`.
//!
//! A VOB is generated (20 elements to a directory, five versions to a file, each with content of its own, and two
//! labels on every file), and then measured, each line with a fresh daemon where it says *cold*:
//!
//! * `open`: the VOB's storage opened in this process;
//! * `first ls`: the root of a view listed for the first time after the daemon began;
//! * `lookup`: `stat` of files drawn at random, in a view that was never looked at, below directories that were not
//!   either; the kernel asks for every part of the path that it does not know. The storage is in the host's page cache;
//! * `walk`: every name of so many listed with its attributes, in sequence, and the daemon's memory after that;
//! * bytes of the journal, the index and the pools.
//!
//! The last line is all of it as JSON. What is kept meanwhile is in `--directory` (default: `TMPDIR`) and goes away.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clerestory::store::Vob;
use clerestory::store::pool::ContentId;
use clerestory::vob::state::predefined;
use clerestory::vob::{
    BranchNo, Content, ElementKind, ElementNo, Entry, NameChange, Oid, Operation, Transaction, TypeKind,
    TypeNo, User, VersionNo,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_clerestory");
/// Elements to a directory, itself included.
const PER_DIRECTORY: usize = 20;
/// Directories below a directory, until there are enough.
const FAN_OUT: usize = 40;
/// Versions of a file, version 0 not counted.
const VERSIONS: usize = 5;
/// Directories whose contents become durable together.
const PER_COMMIT: usize = 100;
/// Names that are walked.
const WALKED: usize = 200_000;
/// Files that are looked up at random.
const LOOKED_UP: usize = 20_000;
/// 2020-01-01 in nanoseconds since 1970.
const BEGIN_NS: i64 = 1_577_836_800_000_000_000;

fn main() {
    let option = |option: &str| std::env::args().skip_while(|word| word != option).nth(1);
    let elements: usize = option("--elements").map_or(10_000, |word| word.parse().expect("a number"));
    let engine = option("--engine").unwrap_or_else(|| "sled".to_owned());
    let bench = Bench::new(option("--directory").map(PathBuf::from));
    bench.run("cleartool", &["mkvob", "-nc", "-tag", "/vobs/x", "-engine", &engine]);
    bench.run("cleartool", &["mkview", "-tag", "v"]);
    bench.shut_down();
    let storage = bench.home().join("vobs/vobs_x.vbs");

    let plan = Plan { directories: (elements / PER_DIRECTORY).max(1) };
    let began = Instant::now();
    generate(&storage, &plan);
    let generated = began.elapsed();
    let began = Instant::now();
    drop(Vob::open(&storage).expect("the VOB opens"));
    let opened = began.elapsed();
    println!("{} elements, {} versions, {engine}", plan.elements(), plan.files() * VERSIONS);
    println!("generated        {generated:>10.1?}");
    println!("open             {opened:>10.1?}");

    bench.run("cleartool", &["mount", "/vobs/x"]);
    let top = bench.root.path().join("view/v/vobs/x");
    let began = Instant::now();
    let listed = list(&top);
    let first_ls = began.elapsed();
    assert!(listed > 0, "the view is empty");
    println!("first ls         {first_ls:>10.1?}  of {listed} names");

    let mut times = bench.look_up(&plan, &top);
    let rate = times.len() as f64 / times.iter().sum::<Duration>().as_secs_f64();
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let (median, high) = (at(50), at(99));
    println!("lookup           median {median:.1?}  p99 {high:.1?}  {rate:.0}/s  of {} files", times.len());

    bench.shut_down();
    bench.run("cleartool", &["startview", "v"]);
    let before = bench.memory_bytes();
    let began = Instant::now();
    let walked = walk(&top, WALKED);
    let walk_time = began.elapsed();
    let memory = bench.memory_bytes();
    let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
    println!("walk             {walk_time:>10.1?}  of {walked} names");
    println!("daemon           {:.0} MiB before the walk, {:.0} after", mib(before), mib(memory));

    bench.shut_down();
    let [journal, index, pools] = ["journal", "index", "s"].map(|part| bytes_of(&storage.join(part)));
    println!(
        "disk             journal {:.0} MiB, index {:.0}, pools {:.0}",
        mib(journal),
        mib(index),
        mib(pools)
    );
    let figures = serde_json::json!({
        "elements": plan.elements(), "versions": plan.files() * VERSIONS, "engine": engine,
        "generated_s": generated.as_secs_f64(), "open_s": opened.as_secs_f64(),
        "first_ls_s": first_ls.as_secs_f64(), "lookup_median_s": median.as_secs_f64(),
        "lookup_p99_s": high.as_secs_f64(), "walked": walked, "walk_s": walk_time.as_secs_f64(),
        "memory_before_bytes": before, "memory_bytes": memory,
        "journal_bytes": journal, "index_bytes": index, "pool_bytes": pools,
    });
    println!("{figures}");
}

/// Which directories and files there are. Directory 0 is the VOB's root; those below directory d are d * 40 + 1 and so
/// on, as long as there are so many.
struct Plan {
    directories: usize,
}

impl Plan {
    fn elements(&self) -> usize {
        self.directories * PER_DIRECTORY
    }

    fn files(&self) -> usize {
        self.directories * (PER_DIRECTORY - 1)
    }

    fn below(&self, directory: usize) -> std::ops::Range<usize> {
        let first = directory * FAN_OUT + 1;
        first.min(self.directories)..(first + FAN_OUT).min(self.directories)
    }

    fn path(&self, mut directory: usize) -> PathBuf {
        let mut names = Vec::new();
        while directory > 0 {
            names.push(format!("d{}", (directory - 1) % FAN_OUT));
            directory = (directory - 1) / FAN_OUT;
        }
        names.iter().rev().collect()
    }
}

/// The text of a version: one line of an otherwise equal file is another in each version.
fn content(file: usize, version: usize) -> Vec<u8> {
    let mut text = String::new();
    for line in 0..12 {
        let changed = if line == version { version } else { 0 };
        text += &format!("line {line} of file {file:08}, as it is since version {changed}\n");
    }
    text.into_bytes()
}

/// Fills an empty VOB.
fn generate(storage: &Path, plan: &Plan) {
    let vob = Vob::open(storage).expect("the VOB opens");
    let user = User { login: "generator".to_owned(), ..User::default() };
    let mut time_ns = BEGIN_NS;
    let mut transaction = |operations: Vec<Operation>| {
        time_ns += 1_000_000_000;
        let (comment, attributes) = ("generated".to_owned(), vec![]);
        Transaction { time_ns, user: user.clone(), comment, attributes, operations }
    };
    let labels = ["REL1", "REL2"].map(str::to_owned);
    let first_label = vob.state().types().len() as u32;
    let made = labels.iter().zip(first_label..).map(|(name, number)| {
        let (number, name) = (TypeNo(number), name.clone());
        Operation::CreateType { number, kind: TypeKind::Label, name }
    });
    commit(&vob, vec![transaction(made.collect())]);

    let mut elements = vec![ElementNo::ROOT];
    let mut files: Vec<ElementNo> = Vec::new();
    let all: Vec<usize> = (0..plan.directories).collect();
    for some in all.chunks(PER_COMMIT) {
        let ingest = vob.pools().ingest();
        let mut frame = Vec::new();
        for directory in some {
            let first_file = files.len();
            let mut next = vob.state().header.elements + created(&frame);
            let mut operations = Vec::new();
            let mut changes = Vec::new();
            let mut create = |name: String, kind: ElementKind| {
                let number = ElementNo(next);
                next += 1;
                let element_type = match kind {
                    ElementKind::Directory => predefined::DIRECTORY,
                    ElementKind::File => predefined::TEXT_FILE,
                };
                let oid = Oid::derived(&[b"scale", &number.0.to_le_bytes()]);
                let (owner, group, mode) = (0, 0, if kind == ElementKind::Directory { 0o775 } else { 0o444 });
                operations.push(Operation::CreateElement {
                    number,
                    oid,
                    kind,
                    element_type,
                    owner,
                    group,
                    mode,
                });
                changes
                    .push(NameChange { name: name.into_bytes().into(), entry: Some(Entry::Element(number)) });
                number
            };
            for (at, _) in plan.below(*directory).enumerate() {
                elements.push(create(format!("d{at}"), ElementKind::Directory));
            }
            for file in 0..PER_DIRECTORY - 1 {
                files.push(create(format!("file{file}.c"), ElementKind::File));
            }
            changes.sort_by(|a, b| a.name.cmp(&b.name));
            operations.push(Operation::CreateDirectoryVersion {
                element: elements[*directory],
                branch: BranchNo::ROOT,
                changes,
                effective_ns: None,
            });
            frame.push(transaction(operations));
            let mut before: Vec<Option<ContentId>> = vec![None; PER_DIRECTORY - 1];
            for version in 1..=VERSIONS {
                let mut operations = Vec::new();
                for (at, before) in before.iter_mut().enumerate() {
                    let bytes = content(first_file + at, version);
                    let size = bytes.len() as u64;
                    let id = ingest.submit(bytes, before.as_ref()).expect("a content is taken");
                    *before = Some(id);
                    operations.push(Operation::CreateVersion {
                        element: files[first_file + at],
                        branch: BranchNo::ROOT,
                        content: Content::File { hash: *id.as_bytes(), size },
                        executable: false,
                        effective_ns: None,
                    });
                }
                frame.push(transaction(operations));
            }
            for (label, number) in (first_label..).enumerate().take(labels.len()) {
                let version = VersionNo((2 * label + 1) as u32);
                let targets = files[first_file..].iter().map(|file| (*file, version)).collect();
                frame.push(transaction(vec![Operation::ApplyLabel { label: TypeNo(number), targets }]));
            }
        }
        ingest.finish().expect("contents are stored");
        commit(&vob, frame);
    }
    vob.close().expect("the VOB closes");
}

/// Elements that transactions make.
fn created(transactions: &[Transaction]) -> u32 {
    let operations = transactions.iter().flat_map(|transaction| &transaction.operations);
    operations.filter(|operation| matches!(operation, Operation::CreateElement { .. })).count() as u32
}

fn commit(vob: &Vob, transactions: Vec<Transaction>) {
    let committed = vob.commit(|_| Ok::<_, std::convert::Infallible>(transactions));
    committed.unwrap_or_else(|error| panic!("the VOB takes no operations: {error}"));
}

/// Reads a directory as `ls` does; returns the number of names.
fn list(directory: &Path) -> usize {
    fs::read_dir(directory).expect("it can be listed").count()
}

/// Lists directories with the attributes of what is in them, until so many names were seen.
fn walk(top: &Path, most: usize) -> usize {
    let (mut seen, mut waiting) = (0, vec![top.to_owned()]);
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).expect("it can be listed") {
            let entry = entry.expect("it can be listed");
            let metadata = entry.path().symlink_metadata().expect("it is there");
            seen += 1;
            if metadata.is_dir() && entry.file_name() != "lost+found" {
                waiting.push(entry.path());
            }
        }
        if seen >= most {
            break;
        }
    }
    seen
}

/// Bytes that a tree takes on disk.
fn bytes_of(path: &Path) -> u64 {
    let metadata = path.symlink_metadata().expect("it is there");
    let below = match metadata.is_dir() {
        true => {
            fs::read_dir(path).expect("it can be listed").map(|entry| bytes_of(&entry.unwrap().path())).sum()
        }
        false => 0,
    };
    metadata.blocks() * 512 + below
}

/// Numbers that look random and are the same in each run (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// A home of its own.
struct Bench {
    root: tempfile::TempDir,
}

impl Bench {
    fn new(directory: Option<PathBuf>) -> Bench {
        let directory = directory.unwrap_or_else(std::env::temp_dir);
        let root = tempfile::Builder::new().prefix("clscale.").tempdir_in(directory);
        let root = root.expect("a directory can be made");
        let tool = root.path().join("cleartool");
        std::os::unix::fs::symlink(PROGRAM, tool).expect("a tool can be linked");
        Bench { root }
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    fn run(&self, tool: &str, words: &[impl AsRef<OsStr>]) -> String {
        let program = if tool == "clerestory" { PathBuf::from(PROGRAM) } else { self.root.path().join(tool) };
        let mut command = Command::new(program);
        command.env("CLERESTORY_HOME", self.home()).env("CLERESTORY_VIEWROOT", self.root.path().join("view"));
        let output = command.current_dir(self.root.path()).args(words).output().expect("the program runs");
        assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn shut_down(&self) {
        self.run("clerestory", &["shutdown"]);
    }

    /// What each of many looked up files takes.
    fn look_up(&self, plan: &Plan, top: &Path) -> Vec<Duration> {
        let mut random = Random(1);
        let mut draw = || {
            let file = format!("file{}.c", random.below(PER_DIRECTORY - 1));
            top.join(plan.path(random.below(plan.directories))).join(file)
        };
        let paths: Vec<PathBuf> = (0..LOOKED_UP.min(plan.files())).map(|_| draw()).collect();
        let time = |path: &PathBuf| {
            let began = Instant::now();
            path.symlink_metadata().expect("it is there");
            began.elapsed()
        };
        paths.iter().map(time).collect()
    }

    /// Bytes of the daemon's memory that are its own.
    fn memory_bytes(&self) -> u64 {
        let home = fs::canonicalize(self.home()).expect("the home is there");
        let wanted = [b"CLERESTORY_HOME=", std::os::unix::ffi::OsStrExt::as_bytes(home.as_os_str())].concat();
        for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let is_daemon = command.split(|byte| *byte == 0).any(|word| word == b"serve");
            if is_daemon && environment.split(|byte| *byte == 0).any(|word| word == wanted) {
                let status = fs::read_to_string(entry.path().join("status")).expect("the daemon runs");
                let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
                let word = line.and_then(|line| line.split_whitespace().next()).expect("it has memory");
                return word.parse::<u64>().expect("a number") << 10;
            }
        }
        panic!("no daemon runs");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.shut_down();
    }
}
