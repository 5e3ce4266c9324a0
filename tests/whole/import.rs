//! What an import makes of a history: every tag, every branch and every date shows git's tree.

use std::path::{Path, PathBuf};

use crate::odd_history::{self, Marks};
use crate::repository::Repository;
use crate::tree::{self, Tree};
use crate::world::World;

/// A world with the odd history imported and a view named `v`.
pub struct Imported {
    /// Its view shows the VOB.
    pub world: World,
    /// The repository.
    pub repository: Repository,
    /// What its import said.
    pub warnings: String,
    /// Commits by name.
    pub marks: Marks,
}

/// The VOB's tag.
pub const VOB: &str = "/vobs/odd";

impl Imported {
    /// Imports it.
    #[track_caller]
    pub fn new() -> Imported {
        let world = World::new();
        let mut repository = Repository::new(&world.root().join("repository"));
        let marks = odd_history::make(&mut repository);
        let warnings = import(&world, repository.path()).1;
        world.make_view("v");
        Imported { world, repository, warnings, marks }
    }

    /// The VOB in its view.
    pub fn directory(&self) -> PathBuf {
        self.world.in_view("v", VOB)
    }

    /// Shows what a config spec selects.
    #[track_caller]
    pub fn shown(&self, spec: &str) -> Tree {
        self.world.set_spec("v", spec);
        tree::read(&self.directory())
    }

    /// Compares tags, branches and the default view with git.
    #[track_caller]
    pub fn check_refs(&self) {
        // The config spec's label or branch type, and the commit.
        let labels = [
            ("fork-side", "fork-side"),
            ("fork-cross", "fork-cross"),
            ("rel_side-1", "rel/side-1"),
            ("v1.0", "v1.0"),
            ("v2.0", "v2.0"),
            ("inner", "inner"),
            ("outer", "outer"),
        ];
        for (label, tag) in labels {
            let found = self.shown(&format!("element * {label}\n"));
            tree::assert_same(&format!("label {label}"), &self.repository.tree(tag), &found);
        }
        let branches = [
            (".../side/LATEST", "fork-side", "refs/heads/side"),
            (".../cross/LATEST", "fork-cross", "refs/heads/cross"),
            (".../topic_with-out/LATEST", "rel_side-1", "refs/heads/topic/with-out"),
        ];
        for (selector, base, branch) in branches {
            let found = self.shown(&format!("element * {selector}\nelement * {base}\n"));
            tree::assert_same(selector, &self.repository.tree(branch), &found);
        }
        let found = self.shown("element * CHECKEDOUT\nelement * /main/LATEST\n");
        tree::assert_same("/main/LATEST", &self.repository.tree("refs/heads/main"), &found);
    }
}

/// Imports into the VOB; returns what was said on both streams.
#[track_caller]
pub fn import(world: &World, repository: &Path) -> (String, String) {
    let output =
        world.clerestory(&["import", "git", repository.to_str().expect("a plain path"), "--vob", VOB]);
    assert_eq!(output.status, 0, "{output:#?}");
    (output.stdout, output.stderr)
}

#[test]
fn every_tag_and_branch_shows_gits_tree() {
    let imported = Imported::new();
    imported.check_refs();
    assert!(imported.directory().join("lost+found").is_dir());
    for expected in ["vendor/part", "topic_with-out", "rel_side-1", "tree-only"] {
        assert!(imported.warnings.contains(expected), "no word of {expected}: {}", imported.warnings);
    }
}

#[test]
fn a_date_shows_the_branch_as_it_was() {
    let imported = Imported::new();
    let dates = imported.repository.git_word(&["log", "--first-parent", "--format=%ct", "main"]);
    let mut dates: Vec<i64> = dates.lines().map(|date| date.parse().expect("seconds")).collect();
    dates.sort();
    // At commits, just before them, and between.
    let moments = dates.iter().step_by(4).flat_map(|date| [*date, date - 1, date + 1800]);
    for moment in moments.filter(|moment| *moment >= dates[0]) {
        let before = format!("--before={moment} +0000");
        let commit =
            imported.repository.git_word(&["rev-list", "-1", "--first-parent", &before, "refs/heads/main"]);
        let expected = match commit.as_str() {
            "" => Tree::new(),
            commit => imported.repository.tree(commit),
        };
        let date =
            imported.world.sh(Path::new("/"), &format!("date -u -d @{moment} +%Y-%m-%dT%H:%M:%S+00:00"));
        let date = date.ok();
        let found = imported.shown(&format!("element * /main/LATEST -time {}\n", date.trim()));
        tree::assert_same(&format!("{} (commit {commit})", date.trim()), &expected, &found);
    }
}

#[test]
fn a_renamed_file_is_one_element_with_all_its_history() {
    let imported = Imported::new();
    let (world, directory) = (&imported.world, imported.directory());
    let log = imported.repository.git_word(&[
        "log",
        "--follow",
        "--first-parent",
        "--format=%H",
        "--",
        "src/core.c",
    ]);
    // Version 0 is empty; each commit that changed the file made one more. A plain rename made none.
    let numbers = |path: &str| -> Vec<u32> {
        let entries = std::fs::read_dir(directory.join(path)).expect("the branch can be listed");
        let mut numbers: Vec<u32> =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        numbers.sort();
        numbers
    };
    let versions = numbers("src/core.c@@/main");
    assert!(versions.len() > 8 && log.lines().count() >= versions.len() - 1, "{versions:?}");
    let read = |path: &str| std::fs::read(directory.join(path)).expect("a version can be read");
    let content = |object: &str| imported.repository.git(&["cat-file", "blob", object]);
    let first = imported.repository.git_word(&["rev-list", "--max-parents=0", "main"]);
    assert_eq!(read("src/core.c@@/main/1"), content(&format!("{first}:src/a.c")));
    assert_eq!(read("src/core.c@@/main/LATEST"), content("main:src/core.c"));
    assert_eq!(read("src/library/y.h@@/main/1"), content(&format!("{first}:src/lib/y.h")));
    let tree = world.ct_in(&directory, &["lsvtree", "-all", "src/core.c"]).ok();
    let history = world.ct_in(&directory, &["lshistory", "src/core.c"]).ok();
    for number in versions {
        let version = format!("src/core.c@@/main/{number}");
        assert!(tree.lines().any(|line| line.split(' ').next() == Some(&version)), "{version} in {tree}");
        assert!(history.contains(&format!("create version \"{version}\"")), "{version} in {history}");
    }
    assert!(tree.contains("src/core.c@@/main/side/1"), "{tree}");
    // One element, too, for the names themselves: file, file in a renamed directory.
    let oid = |path: &str| xattr(&directory.join(path));
    assert_eq!(oid("src@@/main/1/a.c/main/1"), oid("src/core.c"));
    assert_eq!(oid("src@@/main/1/lib/main/1/deep/main/1/x.h/main/1"), oid("src/library/deep/x.h"));
    // And for the directory: its first version is of the first commit.
    let described = world.ct_in(&directory, &["describe", "src/library@@/main/1"]).ok();
    assert!(described.contains(&first), "{described}");
}

fn xattr(path: &Path) -> Vec<u8> {
    let mut value = vec![0; 256];
    let length =
        rustix::fs::getxattr(path, "user.clerestory.oid", &mut value).expect("an element has an oid");
    value.truncate(length);
    value
}

#[test]
fn versions_tell_author_date_message_and_commit() {
    let imported = Imported::new();
    let (world, repository) = (&imported.world, &imported.repository);
    let description = world.ct_in(&imported.directory(), &["describe", "README@@/main/LATEST"]).ok();
    let commit = repository.git_word(&["log", "-1", "--first-parent", "--format=%H", "main", "--", "README"]);
    let date =
        repository.git_word(&["log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%S", &commit]);
    let subject = repository.git_word(&["log", "-1", "--format=%s", &commit]);
    for expected in [commit, date, subject, "A U Thor".to_owned(), "Why it was made.".to_owned()] {
        assert!(description.contains(&expected), "no {expected:?} in {description}");
    }
    let merged = world.ct_in(&imported.directory(), &["lsvtree", "-all", "-merge", "cross/right"]).ok();
    assert!(merged.contains("  <- cross/right@@/main/cross/"), "{merged}");
}
