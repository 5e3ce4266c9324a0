//! Merges of small texts, and of texts made up at random compared with `git merge-file`.

use super::*;
use std::process::{Command, Stdio};

const LABELS: Labels<'_> = Labels { ours: b"ours", base: b"base", theirs: b"theirs" };

fn merged(base: &str, ours: &str, theirs: &str) -> (String, usize) {
    let merge = Merge::new(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let text = merge.text(Style::Diff3, LABELS);
    (String::from_utf8(text).unwrap(), merge.conflicts())
}

#[test]
fn changes_that_do_not_touch_are_both_made() {
    let base = "1\n2\n3\n4\n5\n6\n7\n";
    for (ours, theirs, expected) in [
        ("1\nx\n3\n4\n5\n6\n7\n", "1\n2\n3\n4\n5\ny\n7\n", "1\nx\n3\n4\n5\ny\n7\n"),
        ("2\n3\n4\n5\n6\n7\n", "1\n2\n3\n4\n5\n6\n7\n8\n", "2\n3\n4\n5\n6\n7\n8\n"),
        (base, "1\n2\n3\n", "1\n2\n3\n"),
        ("x\n", base, "x\n"),
        // The same on both sides.
        ("1\nx\n3\n4\n5\n6\n7\n", "1\nx\n3\n4\n5\n6\n7", "1\nx\n3\n4\n5\n6\n7"),
    ] {
        assert_eq!(merged(base, ours, theirs), (expected.to_owned(), 0));
    }
}

#[test]
fn what_both_changed_stands_between_markers() {
    let (text, conflicts) = merged("1\n2\n3\n", "1\nx\n3\n", "1\ny\n3\n");
    assert_eq!(text, "1\n<<<<<<< ours\nx\n||||||| base\n2\n=======\ny\n>>>>>>> theirs\n3\n");
    assert_eq!(conflicts, 1);
    let (text, _) = merged("1\r\n2\r\n", "1\r\nx", "1\r\ny\r\n");
    assert_eq!(text, "1\r\n<<<<<<< ours\r\nx\r\n||||||| base\r\n2\r\n=======\r\ny\r\n>>>>>>> theirs\r\n");
}

#[test]
fn each_region_can_be_chosen() {
    let (base, ours, theirs) = (b"1\n2\n3\n4\n5\n", b"1\nx\n3\n4\n5\n", b"1\ny\n3\n4\nz\n");
    let merge = Merge::new(base, ours, theirs);
    let sides: Vec<Side> = merge.regions.iter().map(|region| region.side).collect();
    assert_eq!(sides, [Side::Conflict, Side::Theirs]);
    for (choice, expected) in [
        (Choice::Ours, "1\nx\n3\n4\n5\n"),
        (Choice::Theirs, "1\ny\n3\n4\n5\n"),
        (Choice::Both, "1\nx\ny\n3\n4\n5\n"),
        (Choice::Base, "1\n2\n3\n4\n5\n"),
    ] {
        let text = merge.chosen(&[choice, Choice::Ours], Style::Merge, LABELS);
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
    assert_eq!(merge.theirs(&merge.regions[1]), [b"z\n"]);
    assert_eq!(
        (merge.base(&merge.regions[0]), merge.ours(&merge.regions[0])),
        (&[&b"2\n"[..]][..], &[&b"x\n"[..]][..])
    );
}

#[test]
fn differences_are_runs_of_lines() {
    let found = differences(&lines(b"a\nb\nc\n"), &lines(b"a\nc\nd\n"));
    assert_eq!(found, [Change { before: 1..2, after: 1..1 }, Change { before: 3..3, after: 2..3 }]);
    assert!(differences::<&[u8]>(&[], &[]).is_empty());
}

/// A small generator of its own: the texts are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }

    /// Lines of which few differ, with and without carriage returns, the last one with or without its newline.
    fn text(&mut self, variety: usize) -> Vec<String> {
        let count = self.below(40);
        (0..count).map(|_| self.line(variety)).collect()
    }

    fn line(&mut self, variety: usize) -> String {
        ["a\n", "b\n", "\n", "}\n", "{\n", "c\r\n"][self.below(variety)].to_owned()
    }

    fn edited(&mut self, text: &[String], variety: usize) -> Vec<String> {
        let mut text = text.to_vec();
        for _ in 0..self.below(6) {
            let at = self.below(text.len() + 1);
            let end = (at + self.below(4)).min(text.len());
            let new: Vec<String> = (0..self.below(4)).map(|_| self.line(variety)).collect();
            text.splice(at..end, new);
        }
        if self.below(5) == 0 {
            text.push("end".to_owned());
        }
        text
    }
}

#[test]
fn merges_are_those_of_git() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (mut random, mut clean) = (Random(1), 0);
    for round in 0..600 {
        let variety = 1 + random.below(6);
        let base = random.text(variety);
        let texts =
            [base.clone(), random.edited(&base, variety), random.edited(&base, variety)].map(|t| t.concat());
        for (name, text) in ["base", "ours", "theirs"].iter().zip(&texts) {
            std::fs::write(path(name), text).unwrap();
        }
        let mut git = Command::new("git");
        git.args(["merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs", "ours", "base", "theirs"]);
        let git = git.current_dir(directory.path()).stderr(Stdio::null()).output().unwrap();
        let [base, ours, theirs] = texts.each_ref().map(|text| text.as_bytes());
        let merge = Merge::new(base, ours, theirs);
        assert_eq!(merge.conflicts() > 0, !git.status.success(), "round {round}: {texts:?}");
        let text = merge.text(Style::Merge, LABELS);
        assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&git.stdout), "round {round}");
        clean += usize::from(git.status.success());
    }
    assert!((100..500).contains(&clean), "{clean} of the texts merge cleanly");
}
