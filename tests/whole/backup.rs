//! `clerestory backup` and `restore`: copies while users work, and what comes back from them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::project::Project;
use crate::tree;

/// What a view shows and the commands tell of the VOB /vobs/x.
fn dump(project: &Project) -> String {
    let world = &project.world;
    let mut dump = project
        .sh("cleartool lshistory -all -minor -eventid -long . && for file in $(find . -type f | sort); do \
         cleartool describe -long $file; cat $file; cat $file@@/main/0; cleartool lsvtree -all $file; done");
    let found = tree::read(&world.in_view("v", "/vobs/x"));
    found.keys().for_each(|name| dump += &String::from_utf8_lossy(name));
    dump
}

/// Takes the VOB away and puts one from a backup in its place.
fn replace(project: &Project, words: &[&str]) -> String {
    project.world.ct(&["umount", "/vobs/x"]).ok();
    project.world.ct(&["rmvob", "-force", "/vobs/x"]).ok();
    let said = project.world.clerestory(&[&["restore"], words].concat()).ok();
    project.world.ct(&["mount", "/vobs/x"]).ok();
    said
}

fn operation(said: &str) -> u64 {
    let number = said.split("operation ").nth(1).and_then(|rest| rest.split([':', '.', ',']).next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number: {said}"))
}

/// What is in a backup is everybody's contents: nobody but its maker may read it.
fn assert_private(place: &Path) {
    let mode = fs::symlink_metadata(place).expect("a backup").mode() & 0o7777;
    if place.is_dir() {
        assert_eq!(mode, 0o700, "{place:?}");
        fs::read_dir(place)
            .expect("a directory")
            .for_each(|entry| assert_private(&entry.expect("an entry").path()));
    } else {
        assert_eq!(mode, 0o600, "{place:?}");
    }
}

#[test]
fn a_vob_comes_back_as_it_was_from_a_directory_and_from_an_archive() {
    let project = Project::small();
    project.sh(
        "cleartool mklbtype -nc REL && cleartool mklabel REL foo.c && cleartool mkbrtype -nc dev && \
         head -c 3000000 /dev/urandom > large && cleartool co -nc . && cleartool mkelem -nc -ci -eltype file large && \
         cleartool ci -nc .",
    );
    let before = dump(&project);
    for target in ["copy", "copy.tar"] {
        let target = project.world.root().join(target);
        let target = target.to_str().expect("text");
        let said = project.world.clerestory(&["backup", "/vobs/x", target]).ok();
        assert!(said.starts_with("Backed up at operation "), "{said}");
        assert_private(Path::new(target));
        let verified = project.world.clerestory(&["restore", "--verify", target]).ok();
        assert!(
            verified.starts_with("Backup of /vobs/x at operation ") && verified.ends_with(": sound.\n"),
            "{verified}"
        );
        // Later changes are not in it.
        project.sh("cleartool co -nc foo.c && echo late >> foo.c && cleartool ci -nc foo.c");
        let said = replace(&project, &[target]);
        assert!(said.starts_with("Restored /vobs/x at operation "), "{said}");
        assert_eq!(dump(&project), before, "{target}");
        project.world.ct(&["checkvob", "vob:/vobs/x"]).ok();
    }
}

#[test]
fn a_second_backup_adds_what_is_new_and_an_interrupted_one_does_no_harm() {
    let project = Project::small();
    let target = project.world.root().join("copy");
    let words = ["backup", "/vobs/x", target.to_str().expect("text")];
    let first = project.world.clerestory(&words).ok();
    let first_operation = operation(&first);
    let first_state = dump(&project);
    assert!(project.world.clerestory(&words).ok().ends_with(" of them 0 new.\n"));
    project.sh("cleartool co -nc foo.c && seq 1 5000 >> foo.c && cleartool ci -nc foo.c");
    // What an interrupted backup leaves: bytes behind the end that is known.
    let journal = target.join("journal/00000001.log");
    let mut bytes = fs::read(&journal).expect("it is there");
    bytes.extend_from_slice(b"half of a frame");
    fs::write(&journal, bytes).expect("it can be written");
    let second = project.world.clerestory(&words).ok();
    assert!(operation(&second) > first_operation && !second.ends_with(" of them 0 new.\n"), "{second}");
    let state = dump(&project);
    replace(&project, &[words[2]]);
    assert_eq!(dump(&project), state);
    // Back to what it was at the first backup: by number.
    replace(&project, &[words[2], "--to-operation", &first_operation.to_string()]);
    assert_eq!(dump(&project), first_state);
    let refused = project.world.clerestory(&["restore", words[2], "--vob", "/vobs/y"]).refused();
    assert!(refused.contains("/vobs/x"), "{refused}");
}

#[test]
fn a_vob_goes_back_to_a_time() {
    let project = Project::small();
    let before = dump(&project);
    let moment = project.sh("date -u +%Y-%m-%dT%H:%M:%S").trim().to_owned();
    // The next operation is in another second.
    crate::world::wait_until("the second is over", || {
        project.sh("date -u +%Y-%m-%dT%H:%M:%S").trim() != moment
    });
    project.sh("cleartool co -nc foo.c && echo late >> foo.c && cleartool ci -nc foo.c && cleartool mklbtype -nc LATE");
    let target = project.world.root().join("copy.tar");
    let target = target.to_str().expect("text");
    project.world.clerestory(&["backup", "/vobs/x", target]).ok();
    replace(&project, &[target, "--to-time", &moment]);
    assert_eq!(dump(&project), before);
    project.world.ct(&["umount", "/vobs/x"]).ok();
    project.world.ct(&["rmvob", "-force", "/vobs/x"]).ok();
    let early = project.world.clerestory(&["restore", target, "--to-time", "1999-01-01T00:00:00"]).refused();
    assert!(early.contains("is left of the VOB so far back"), "{early}");
    let wrong = project.world.clerestory(&["restore", target, "--to-time", "soonish"]).refused();
    assert!(wrong.contains("Bad date-time: \"soonish\""), "{wrong}");
}

#[test]
fn users_work_while_a_backup_is_made() {
    let project = Project::small();
    let stop = AtomicBool::new(false);
    let target = project.world.root().join("copy");
    let target = target.to_str().expect("text");
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let mut done = 0;
            while !stop.load(Ordering::SeqCst) {
                project.sh("cleartool co -nc foo.c && date +%N >> foo.c && cleartool ci -nc foo.c");
                done += 1;
            }
            done
        });
        for _ in 0..12 {
            project.world.clerestory(&["backup", "/vobs/x", target]).ok();
            project.world.clerestory(&["restore", "--verify", target]).ok();
        }
        stop.store(true, Ordering::SeqCst);
        assert!(work.join().expect("it ends") > 0);
    });
    replace(&project, &[target]);
    project.world.ct(&["checkvob", "vob:/vobs/x"]).ok();
}

#[test]
fn a_lost_storage_comes_back_in_its_place_and_private_files_with_it() {
    let project = Project::small();
    project.sh("echo mine > private && cleartool co -nc foo.c && echo unsaved >> foo.c");
    let target = project.world.root().join("copy.tar");
    let target = target.to_str().expect("text");
    project.world.clerestory(&["backup", "/vobs/x", target]).ok();
    project.world.clerestory(&["shutdown"]).ok();
    fs::remove_dir_all(project.world.only_vob()).expect("it can be lost");
    project.world.clerestory(&["restore", target]).ok();
    project.world.ct(&["mount", "/vobs/x"]).ok();
    assert_eq!(
        project.sh("cat private foo.c && cleartool lsco -short -cview"),
        "mine\none\ntwo\nunsaved\nfoo.c\n"
    );
}

#[test]
fn what_is_damaged_or_something_else_is_refused_and_nothing_is_left() {
    let project = Project::small();
    let root = project.world.root().to_owned();
    let place = |name: &str| root.join(name).to_str().expect("text").to_owned();
    project.world.clerestory(&["backup", "/vobs/x", &place("copy")]).ok();
    project.world.clerestory(&["backup", "/vobs/x", &place("copy.tar")]).ok();
    let refused = |words: &[&str], why: &str| {
        let said = project.world.clerestory(words).refused();
        assert!(said.contains(why), "{words:?}: {said}");
    };
    // Any byte of any file.
    let files = ["format", "journal/00000001.log", "s/sdft/00000001.pool", "backup"];
    for file in files.map(|file| root.join("copy").join(file)) {
        let whole = fs::read(&file).expect("it is there");
        for at in [0, whole.len() / 2, whole.len() - 2] {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            fs::write(&file, &damaged).expect("it can be written");
            let said = project.world.clerestory(&["restore", "--verify", &place("copy")]).refused();
            assert!(
                said.contains("damaged") || said.contains("no backup that can be used"),
                "{file:?}: {said}"
            );
        }
        fs::write(&file, &whole[..whole.len() - 1]).expect("it can be written");
        refused(&["restore", "--verify", &place("copy")], "");
        fs::write(&file, &whole).expect("it can be written");
    }
    let archive = fs::read(place("copy.tar")).expect("it is there");
    fs::write(place("half.tar"), &archive[..archive.len() / 2]).expect("it can be written");
    refused(&["restore", &place("half.tar"), "--vob", "/vobs/y"], "half.tar");
    assert!(!project.world.home().join("vobs/vobs_y.vbs").exists());
    refused(&["restore", &place("nothing")], "nothing");
    refused(&["backup", "/vobs/none", &place("other")], "/vobs/none");
    fs::create_dir(place("full")).expect("a directory can be made");
    fs::write(Path::new(&place("full")).join("letter"), "dear").expect("a file can be made");
    refused(&["backup", "/vobs/x", &place("full")], "files that no backup has");
    refused(&["backup", "/vobs/x", &format!("{}/copy", project.directory.display())], "cannot be in a view");
    refused(&["restore", &place("copy"), "--vob", "/vobs/y"], "/vobs/x");
    project.world.make_vob("/vobs/y");
    refused(&["backup", "/vobs/y", &place("copy")], "a backup of the VOB /vobs/x");
}
