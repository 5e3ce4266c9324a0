//! Compares three-way merges with `git merge-file` on the history of a repository, and measures them.
//!
//! `cargo bench --bench merges -- GIT-DIRECTORY [TRIPLES]`. Triples are what merges in the history had to merge (files that
//! both sides changed), and what undoing a version in a later one has to (a version as the base, the one behind it as one
//! side, a later one as the other). Exits with 1 if any result differs from git's.

use clerestory::merge::text::{Labels, Merge, Style};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Triples that are compared where no other number is given.
const TRIPLES: usize = 3000;
/// Commits whose changes are looked at.
const COMMITS: &str = "20000";
/// How many versions later a version is undone.
const LATER: [usize; 2] = [1, 3];

/// The names of three contents: base, ours, theirs.
type Triple = [String; 3];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let Some(directory) = words.next().map(PathBuf::from) else {
        println!("usage: cargo bench --bench merges -- GIT-DIRECTORY [TRIPLES]");
        return ExitCode::SUCCESS;
    };
    let wanted = words.next().and_then(|word| word.parse().ok()).unwrap_or(TRIPLES);
    let mut triples = merged(&directory, wanted / 2);
    let of_merges = triples.len();
    triples.extend(undone(&directory, wanted - of_merges));
    println!("{} triples, {of_merges} of them from merges", triples.len());
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    let mut contents = Contents::new(&directory);
    let (mut clean, mut conflicts, mut different, mut took) = (0, 0, 0, Duration::ZERO);
    for triple in &triples {
        let texts = triple.each_ref().map(|name| contents.read(name));
        if texts.iter().any(|text| text.contains(&0)) {
            continue;
        }
        let (expected, is_clean) = by_git(place.path(), &texts);
        let labels = Labels { ours: b"ours", base: b"base", theirs: b"theirs" };
        let start = Instant::now();
        let merge = Merge::new(&texts[0], &texts[1], &texts[2]);
        let text = merge.text(Style::Merge, labels);
        took += start.elapsed();
        if (merge.conflicts() == 0) != is_clean || text != expected {
            different += 1;
            println!("differs: {}", triple.join(" "));
        }
        *(if is_clean { &mut clean } else { &mut conflicts }) += 1;
    }
    let each = took / u32::try_from((clean + conflicts).max(1)).unwrap_or(u32::MAX);
    println!("{clean} merge cleanly, {conflicts} conflict, {different} differ from git; {each:?} each");
    if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn git(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(directory).args(words).stderr(Stdio::null());
    command
}

fn lines(directory: &Path, words: &[&str]) -> Vec<String> {
    let output = git(directory, words).output().expect("git can be run");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What a commit changed since another: contents before and after, by path.
fn modified(directory: &Path, from: &str, to: &str) -> HashMap<String, (String, String)> {
    let raw = lines(directory, &["diff-tree", "-r", "--no-renames", from, to]);
    raw.iter().filter_map(|line| modification(line)).collect()
}

/// A line of git's raw format, where a file was modified.
fn modification(line: &str) -> Option<(String, (String, String))> {
    let (facts, path) = line.strip_prefix(':')?.split_once('\t')?;
    let facts: Vec<&str> = facts.split(' ').collect();
    let is_file = |mode: &&str| mode.starts_with("100");
    let [old_mode, new_mode, old, new, "M"] = facts[..] else { return None };
    let files = [old_mode, new_mode].iter().all(is_file);
    files.then(|| (path.to_owned(), (old.to_owned(), new.to_owned())))
}

/// What the merges of a history had to merge.
fn merged(directory: &Path, wanted: usize) -> Vec<Triple> {
    let mut found = Vec::new();
    for line in lines(directory, &["rev-list", "--merges", "--parents", "HEAD"]) {
        let commits: Vec<&str> = line.split(' ').collect();
        let [_, ours, theirs] = commits[..] else { continue };
        let Some(base) = lines(directory, &["merge-base", ours, theirs]).into_iter().next() else { continue };
        let (ours, theirs) = (modified(directory, &base, ours), modified(directory, &base, theirs));
        let both = ours.into_iter().filter_map(|(path, (base, ours))| {
            let (_, theirs) = theirs.get(&path)?;
            (*theirs != ours).then(|| [base, ours, theirs.clone()])
        });
        found.extend(both);
        if found.len() >= wanted {
            break;
        }
    }
    found.truncate(wanted);
    found
}

/// What undoing versions in later ones has to merge.
fn undone(directory: &Path, wanted: usize) -> Vec<Triple> {
    let words = [
        "log",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--no-merges",
        "--first-parent",
        "--format=",
        "-n",
        COMMITS,
    ];
    let mut versions: HashMap<String, Vec<(String, String)>> = HashMap::new();
    let mut order = Vec::new();
    for (path, change) in lines(directory, &words).iter().filter_map(|line| modification(line)) {
        let versions = versions.entry(path.clone()).or_default();
        if versions.is_empty() {
            order.push(path);
        }
        versions.insert(0, change);
    }
    let mut found = Vec::new();
    for versions in order.iter().filter_map(|path| versions.get(path)) {
        for (at, (before, after)) in versions.iter().enumerate() {
            let later = LATER.iter().filter_map(|later| versions.get(at + later));
            found.extend(later.map(|(_, later)| [after.clone(), later.clone(), before.clone()]));
        }
        if found.len() >= wanted {
            break;
        }
    }
    found.truncate(wanted);
    found
}

/// The contents of a repository.
struct Contents {
    child: Child,
    names: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Contents {
    fn new(directory: &Path) -> Contents {
        let mut command = git(directory, &["cat-file", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git can be run");
        let names = child.stdin.take().expect("its input is a pipe");
        let answers = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Contents { child, names, answers }
    }

    fn read(&mut self, name: &str) -> Vec<u8> {
        writeln!(self.names, "{name}").and_then(|()| self.names.flush()).expect("git listens");
        let mut head = String::new();
        self.answers.read_line(&mut head).expect("git answers");
        let size: usize =
            head.trim().rsplit(' ').next().and_then(|size| size.parse().ok()).expect("a content");
        let mut content = vec![0; size + 1];
        self.answers.read_exact(&mut content).expect("git answers");
        content.truncate(size);
        content
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        // It has nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What git merges, and whether without a conflict.
fn by_git(place: &Path, texts: &[Vec<u8>; 3]) -> (Vec<u8>, bool) {
    for (name, text) in ["base", "ours", "theirs"].iter().zip(texts) {
        std::fs::write(place.join(name), text).expect("temporary files can be written");
    }
    let mut command = Command::new("git");
    command.args(["merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs", "ours", "base", "theirs"]);
    let output = command.current_dir(place).stderr(Stdio::null()).output().expect("git can be run");
    (output.stdout, output.status.success())
}
