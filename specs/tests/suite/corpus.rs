//! Runs the table corpus, `tests/corpus/{accept,reject,select}/*.case`, and the tables beside the examples. Owns the
//! format, which `tests/corpus/README.md` describes; what a case means is `judge`'s. A line that is not understood
//! is a failure, as is a directory or a section without cases.

mod judge;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use judge::{Scene, Verdict};

/// How many cases there are at the least, all directories taken together.
const LEAST_CASES: usize = 1_000;

/// Which sections a directory's files may have, beside those that set the scene.
const ACCEPT: &[&str] = &["source", "shown", "text", "cutoff", "date", "print"];
const REJECT: &[&str] = &["fault", "nodate", "noquery"];
const SELECT: &[&str] = &["select", "plan", "explain", "match", "holds"];

/// One indented block: its head, and its lines with their numbers.
struct Section<'a> {
    line: usize,
    name: &'a str,
    /// What stands behind the name.
    about: &'a str,
    body: Vec<(usize, &'a str)>,
}

fn sections(text: &str) -> Result<Vec<Section<'_>>, (usize, String)> {
    let mut sections: Vec<Section> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.starts_with('#') || (line.trim().is_empty() && !line.starts_with("    ")) {
            continue;
        }
        match (line.strip_prefix("    "), sections.last_mut()) {
            (Some(inner), Some(section)) => section.body.push((number, inner)),
            (None, _) if !line.starts_with(char::is_whitespace) => {
                let (name, about) = line.split_once(' ').unwrap_or((line, ""));
                sections.push(Section { line: number, name, about: about.trim(), body: Vec::new() });
            }
            _ => {
                return Err((
                    number,
                    "neither a section's head nor a line indented by four blanks".to_owned(),
                ));
            }
        }
    }
    Ok(sections)
}

/// Turns escapes into bytes: `\s` blank, `\t`, `\r`, `\n`, `\\`, `\xHH`, and `\{TEXT*COUNT}` for a repeated text.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend(&rest.as_bytes()[..at]);
        let after = &rest[at + 1..];
        let known = [("s", b' '), ("t", b'\t'), ("r", b'\r'), ("n", b'\n'), ("\\", b'\\')];
        if let Some((mark, byte)) = known.iter().find(|(mark, _)| after.starts_with(mark)) {
            bytes.push(*byte);
            rest = &after[mark.len()..];
        } else if let Some(byte) =
            after.strip_prefix('x').and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok())
        {
            bytes.push(byte);
            rest = &after[3..];
        } else if let Some((repeated, behind)) =
            after.strip_prefix('{').and_then(|after| after.split_once('}'))
            && let Some((piece, count)) = repeated.rsplit_once('*')
            && let Ok(count) = count.parse()
        {
            bytes.extend(unescape(piece)?.repeat(count));
            rest = behind;
        } else {
            return Err(format!("unknown escape \\{after}"));
        }
    }
    bytes.extend(rest.as_bytes());
    Ok(bytes)
}

/// What a run has seen.
#[derive(Default)]
pub struct Report {
    pub cases: usize,
    failures: String,
}

impl Report {
    fn fail(&mut self, path: &Path, line: usize, what: &str) {
        let _ = writeln!(self.failures, "{}:{line}: {what}", path.display());
    }

    /// Fails the test if a case has failed.
    pub fn finish(self) -> usize {
        assert!(self.failures.is_empty(), "\n{}", self.failures);
        self.cases
    }
}

/// Runs one file in a scene, which its sections change.
pub fn run(path: &Path, allowed: &[&str], mut scene: Scene, report: &mut Report) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return report.fail(path, 0, &error.to_string()),
    };
    let sections = match sections(&text) {
        Ok(sections) => sections,
        Err((line, what)) => return report.fail(path, line, &what),
    };
    let before = report.cases;
    for section in sections {
        let lines: Vec<&str> = section.body.iter().map(|(_, line)| *line).collect();
        match scene.set(section.name, section.about, &lines.join("\n")) {
            Some(Ok(())) => continue,
            Some(Err(what)) => {
                report.fail(path, section.line, &what);
                continue;
            }
            None if allowed.contains(&section.name) => {}
            None => {
                report.fail(path, section.line, &format!("no section is called \"{}\" here", section.name));
                continue;
            }
        }
        if section.body.is_empty() {
            report.fail(path, section.line, "section has no cases");
        }
        for (line, case) in section.body {
            report.cases += 1;
            let Some((given, expected)) = case.rsplit_once(" => ") else {
                report.fail(path, line, "case has no \" => \"");
                continue;
            };
            match scene.judge(section.name, section.about, given.trim_end(), expected.trim()) {
                Ok(Verdict::Right) => {}
                Ok(Verdict::Wrong(found)) => {
                    report.fail(
                        path,
                        line,
                        &format!("{}\n    expected {expected}\n    found    {found}", given.trim()),
                    );
                }
                Err(what) => report.fail(path, line, &what),
            }
        }
    }
    if report.cases == before {
        report.fail(path, 1, "file has no cases");
    }
}

/// The files of a directory below `tests/corpus`, in order; anything but a table there is a failure.
fn tables(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(directory);
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{directory:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{directory:?} is empty");
    for file in &files {
        assert_eq!(file.extension().and_then(|extension| extension.to_str()), Some("case"), "{file:?}");
    }
    files
}

#[test]
fn the_corpus_holds() {
    let mut report = Report::default();
    for (directory, allowed) in [("accept", ACCEPT), ("reject", REJECT), ("select", SELECT)] {
        for file in tables(directory) {
            run(&file, allowed, Scene::default(), &mut report);
        }
    }
    let cases = report.finish();
    assert!(cases >= LEAST_CASES, "only {cases} cases");
}

/// The runner itself: each of these must be seen as a failure.
#[test]
fn broken_tables_are_failures() {
    let directory = std::env::temp_dir().join(format!("clerestory-specs-corpus-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let table = [
        ("", "file has no cases"),
        ("source\n", "section has no cases"),
        ("sauce\n    element * L => element ... L\n", "no section is called \"sauce\""),
        ("source\n    element * L\n", "case has no \" => \""),
        ("source\n  element * L => x\n", "neither a section's head"),
        ("source\n    element * L => element * L2\n", "expected element * L2"),
        ("source\n    element * \\q => element * L2\n", "unknown escape"),
        ("tree\n    /main/x\nsource\n    element * L => x\n", "line 1"),
        ("now never\nsource\n    element * L => x\n", "now"),
    ];
    for ((text, expected), number) in table.into_iter().zip(0..) {
        let path = directory.join(format!("{number}.case"));
        std::fs::write(&path, text).unwrap();
        let mut report = Report::default();
        run(&path, ACCEPT, Scene::default(), &mut report);
        assert!(report.failures.contains(expected), "{text}: {}", report.failures);
        assert!(report.failures.contains(&format!("{number}.case:")), "{}", report.failures);
    }
    std::fs::remove_dir_all(directory).unwrap();
}

/// The tables beside the examples: the spec is the example itself.
pub fn run_beside(example: &Path, report: &mut Report) {
    run(&example.with_extension("expect"), SELECT, Scene::of_example(example), report);
}
