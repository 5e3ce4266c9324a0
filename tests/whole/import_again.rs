//! The second import, and those after it: nothing twice, and just what is new.

use std::fs;

use crate::import::{Imported, VOB, import};
use crate::repository::{NEXT, Parents};
use crate::tree;

#[test]
fn a_second_import_of_the_same_history_writes_nothing() {
    let imported = Imported::new();
    let storage = imported.world.only_vob();
    let journal = || {
        let entries = fs::read_dir(storage.join("journal")).expect("the journal is there").flatten();
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name(), fs::read(entry.path()).expect("the journal can be read")))
            .collect();
        files.sort();
        files
    };
    let before = journal();
    for _ in 0..2 {
        let said = import(&imported.world, imported.repository.path()).0;
        assert!(said.contains("Nothing new"), "{said}");
        assert!(journal() == before, "the journal changed");
    }
    imported.check_refs();
}

#[test]
fn a_later_import_adds_just_what_is_new() {
    let mut imported = Imported::new();
    let commits_before = imported.repository.git_word(&["rev-list", "--count", "--all"]);
    let (main, side) = (imported.marks.main, imported.marks.side);
    let side_fork = imported.marks.side_fork;
    let begin_s = 1_200_000_000;
    imported.repository.import(|stream| {
        // Into main: an ordinary commit, a branch merged by fast-forward, a merge of the old side branch.
        let first = stream.commit("main", begin_s, Parents { first: Some(main), merged: &[] });
        stream.file("README", "after the first import\n");
        stream.rename("src/core.c", "src/kernel.c");
        stream.commit("ahead", begin_s + 10, Parents { first: Some(first), merged: &[] });
        stream.file("ahead/one", "1\n");
        stream.commit("ahead", begin_s + 20, NEXT);
        stream.file("ahead/two", "2\n");
    });
    imported.repository.git(&["update-ref", "refs/heads/main", "refs/heads/ahead"]);
    imported.repository.import(|stream| {
        let more = stream.commit("side", begin_s + 30, Parents { first: Some(side), merged: &[] });
        stream.file("src/sidelong.c", "longer\n");
        stream.commit("late", begin_s + 40, Parents { first: Some(side_fork), merged: &[more] });
        stream.file("late", "a branch from an old place\n");
    });
    imported.repository.git(&["tag", "v3.0", "main"]);
    // A tag that moves, as tags should not.
    imported.repository.git(&["tag", "-f", "v1.0", "main~2"]);
    let commits: u32 =
        imported.repository.git_word(&["rev-list", "--count", "--all"]).parse().expect("a count");
    let new = commits - commits_before.parse::<u32>().expect("a count");
    let said = import(&imported.world, imported.repository.path()).0;
    assert!(said.contains(&format!("Imported {new} commits into VOB \"{VOB}\"")), "{new} commits: {said}");
    imported.check_refs();
    let found = imported.shown("element * v3.0\n");
    tree::assert_same("the new tag", &imported.repository.tree("v3.0"), &found);
    let found = imported.shown("element * .../late/LATEST\nelement * fork-side\n");
    tree::assert_same("the new branch", &imported.repository.tree("refs/heads/late"), &found);
    let said = import(&imported.world, imported.repository.path()).0;
    assert!(said.contains("Nothing new"), "{said}");
}

#[test]
fn an_import_shows_at_once_in_a_view_that_looked_before() {
    let mut imported = Imported::new();
    let directory = imported.directory();
    let main = imported.marks.main;
    let before = fs::read(directory.join("README")).expect("a version can be read");
    assert!(!directory.join("fresh").exists());
    imported.repository.import(|stream| {
        stream.commit("main", 1_200_000_000, Parents { first: Some(main), merged: &[] });
        stream.file("README", "after the first import\n");
        stream.file("fresh", "a name that was asked for before\n");
    });
    import(&imported.world, imported.repository.path());
    assert_ne!(fs::read(directory.join("README")).expect("a version can be read"), before);
    tree::assert_same("main", &imported.repository.tree("main"), &tree::read(&directory));
}
