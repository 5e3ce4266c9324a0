//! Bad input: one clear line, exit status 1, and nothing left half made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::repository::{NEXT, Repository};
use crate::world::World;

/// Every path of the home that is not the daemon's log, with its size.
fn listing(directory: &Path, found: &mut BTreeMap<PathBuf, u64>) {
    for entry in fs::read_dir(directory).expect("can be listed").flatten() {
        let path = entry.path();
        let metadata = path.symlink_metadata().expect("can be asked");
        if metadata.is_dir() && !path.ends_with("log") {
            listing(&path, found);
        }
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        found.insert(path, size);
    }
}

/// Runs something that must be refused and compares the home before and after.
#[track_caller]
fn unchanged<T>(world: &World, run: impl FnOnce() -> T) -> T {
    let look = || {
        let mut found = BTreeMap::new();
        listing(&world.home(), &mut found);
        found
    };
    let before = look();
    let result = run();
    let after = look();
    let different: Vec<_> = before.iter().filter(|(path, size)| after.get(*path) != Some(size)).collect();
    let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(different.is_empty() && new.is_empty(), "changed or gone {different:?}, left {new:?}");
    result
}

#[track_caller]
fn import(world: &World, repository: &Path, vob: &str) -> String {
    let repository = repository.to_str().expect("a plain path");
    world.clerestory(&["import", "git", repository, "--vob", vob]).refused_in_one_line()
}

#[test]
fn an_import_refuses_what_is_no_repository() {
    let world = World::new();
    world.clerestory(&["stats"]).ok();
    let nowhere = world.root().join("nowhere");
    let line = unchanged(&world, || import(&world, &nowhere, "/vobs/x"));
    assert_eq!(
        line,
        format!("clerestory: Unable to access \"{}\": No such file or directory.", nowhere.display())
    );
    let plain = world.root().join("plain");
    fs::create_dir(&plain).expect("made");
    let line = unchanged(&world, || import(&world, &plain, "/vobs/x"));
    assert!(line.starts_with(&format!("clerestory: Not a repository: \"{}\"", plain.display())), "{line}");
    let file = world.root().join("file");
    fs::write(&file, "no bundle").expect("made");
    let line = unchanged(&world, || import(&world, &file, "/vobs/x"));
    assert!(line.starts_with(&format!("clerestory: Not a repository: \"{}\"", file.display())), "{line}");
    let empty = Repository::new(&world.root().join("empty"));
    let line = unchanged(&world, || import(&world, empty.path(), "/vobs/x"));
    assert_eq!(line, format!("clerestory: Repository has no commits: \"{}\".", empty.path().display()));
    assert_eq!(world.ct(&["lsvob"]).ok(), "");
}

#[test]
fn tags_in_use_and_malformed_tags_are_refused() {
    let project = Project::empty();
    let world = &project.world;
    let refused = |words: &[&str]| unchanged(world, || world.ct(words).refused_in_one_line());
    assert_eq!(
        refused(&["mkvob", "-nc", "-tag", "/vobs/x"]),
        "cleartool: Error: A registry entry already exists for \"/vobs/x\"."
    );
    assert_eq!(
        refused(&["mkview", "-tag", "v"]),
        "cleartool: Error: A registry entry already exists for \"v\"."
    );
    for tag in ["x", "vobs/x", "/", "/vobs/x/../y", "/vobs/x/below", "/vobs", "/vobs/a@@b"] {
        let line = refused(&["mkvob", "-nc", "-tag", tag]);
        assert!(line.starts_with("cleartool: Error: "), "{tag}: {line}");
    }
    for tag in ["a/b", "..", ".", "a b"] {
        let line = refused(&["mkview", "-tag", tag]);
        assert!(line.starts_with("cleartool: Error: "), "{tag}: {line}");
    }
    let mut repository = Repository::new(&world.root().join("repository"));
    repository.import(|stream| {
        stream.commit("main", 1_100_000_000, NEXT);
        stream.file("file", "text");
    });
    let line = unchanged(world, || import(world, repository.path(), "no/tag"));
    assert!(line.starts_with("clerestory: Invalid tag \"no/tag\": "), "{line}");
}

#[test]
fn storage_that_exists_is_left_alone() {
    let world = World::new();
    world.clerestory(&["stats"]).ok();
    let taken = world.root().join("taken");
    fs::create_dir(&taken).expect("made");
    fs::write(taken.join("file"), "mine").expect("made");
    let path = taken.to_str().expect("a plain path");
    let expected = format!("cleartool: Error: Storage directory \"{path}\" already exists.");
    for words in [["mkvob", "-nc", "-tag", "/vobs/x", path].as_slice(), &["mkview", "-tag", "v", path]] {
        assert_eq!(unchanged(&world, || world.ct(words).refused_in_one_line()), expected);
    }
    assert_eq!(fs::read(taken.join("file")).expect("still there"), b"mine");
    let nowhere = world.root().join("no/where.vbs");
    let line = unchanged(&world, || {
        world
            .ct(&["mkvob", "-nc", "-tag", "/vobs/x", nowhere.to_str().expect("a path")])
            .refused_in_one_line()
    });
    assert!(line.contains("No such file or directory"), "{line}");
    assert!(!world.root().join("no").exists());
}

#[test]
fn storage_in_the_home_that_a_user_names_is_left_alone() {
    let project = Project::empty();
    let world = &project.world;
    // The home itself, where all storage is, a part of somebody's VOB, and what no registry knows.
    let unknown = world.home().join("vobs/unknown.vbs");
    fs::create_dir_all(unknown.join("private")).expect("made");
    fs::write(unknown.join("file"), "mine").expect("made");
    let storage = |words: &[&str]| world.ct(words).ok();
    assert!(storage(&["lsvob"]).contains("/vobs/x"));
    for below in ["", "vobs", "views", "vobs/vobs_x.vbs", "vobs/vobs_x.vbs/journal", "vobs/unknown.vbs"] {
        let path = world.home().join(below);
        assert!(path.is_dir(), "{}", path.display());
        let path = path.to_str().expect("a plain path");
        for words in [["mkvob", "-nc", "-tag", "/vobs/new", path].as_slice(), &["mkview", "-tag", "n", path]]
        {
            let line = unchanged(world, || world.ct(words).refused_in_one_line());
            assert!(line.contains("exists"), "{below}: {line}");
        }
    }
    // The default place of a tag, held by what a killed daemon would not have left there.
    let line = unchanged(world, || world.ct(&["mkvob", "-nc", "-tag", "/unknown"]).refused_in_one_line());
    assert!(line.contains("already exists"), "{line}");
    assert_eq!(fs::read(unknown.join("file")).expect("still there"), b"mine");
}

#[test]
fn a_config_spec_that_does_not_parse_leaves_the_old_one() {
    let project = Project::small();
    let world = &project.world;
    let before = project.sh("cleartool catcs");
    for (text, line) in [
        ("element * /main/LATEST\n\nelement *\n", 3),
        ("elephant * /main/LATEST\n", 1),
        ("element * CHECKEDOUT\nelement * /main/LATEST -time someday\n", 2),
        ("include /nowhere/at/all\n", 1),
    ] {
        let file = world.root().join("bad.cs");
        fs::write(&file, text).expect("written");
        let words = ["setcs", "-tag", "v", file.to_str().expect("a path")];
        let said = unchanged(world, || world.ct(&words).refused());
        let place = format!("cleartool: Error: {}:{line}:", file.display());
        assert!(said.starts_with(&place), "{said}");
        assert!(said.ends_with("\ncleartool: Error: Unable to set config spec.\n"), "{said}");
        assert_eq!(project.sh("cleartool catcs"), before);
        assert_eq!(project.sh("cat foo.c"), "one\ntwo\n");
    }
    let said = world.ct(&["setcs", "-tag", "v", "/nowhere"]).refused_in_one_line();
    assert_eq!(said, "cleartool: Error: Unable to access \"/nowhere\": No such file or directory.");
}

#[test]
fn unknown_commands_and_options_are_refused() {
    let world = World::new();
    assert_eq!(
        world.ct(&["frobnicate"]).refused_in_one_line(),
        "cleartool: Error: Unrecognized command: \"frobnicate\""
    );
    let said = world.ct(&["checkout", "-frobnicate", "x"]).refused();
    assert!(said.starts_with("cleartool: Error: "), "{said}");
    let said = world.ct(&["checkin"]).refused();
    assert!(said.starts_with("cleartool: Error: "), "{said}");
    let outside = world.ct(&["co", "-nc", "file"]).refused();
    assert!(outside.starts_with("cleartool: Error: "), "{outside}");
}
