//! `clerestory doctor`: a host that is well, and what is wrong with others.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use crate::project::Project;

/// Looks, and expects a line that begins with a word and holds a text; with exit status 1 if something is wrong.
#[track_caller]
fn tells(project: &Project, words: &[&str], word: &str, text: &str, status: i32) {
    let told = project.world.clerestory(&[&["doctor"], words].concat());
    assert_eq!(told.status, status, "{told:#?}");
    assert!(
        told.stdout.lines().any(|line| line.starts_with(word) && line.contains(text)),
        "{word} {text}: {told:#?}"
    );
}

#[test]
fn a_host_that_is_well_is_said_to_be() {
    let project = Project::small();
    let told = project.world.clerestory(&["doctor"]).ok();
    assert!(!told.contains("wrong  "), "{told}");
    for text in [
        "kernel ",
        "/dev/fuse can be opened",
        "home ",
        "the daemon answers",
        "view root ",
        "1 VOBs and 1 views",
    ] {
        assert!(told.lines().any(|line| line.contains(text)), "{text}: {told}");
    }
    project.world.clerestory(&["shutdown"]).ok();
    tells(&project, &[], "ok", "no daemon runs", 0);
}

#[test]
fn what_a_dead_daemon_left_is_told_and_taken_away() {
    let project = Project::small();
    project.world.kill_daemon();
    tells(&project, &[], "wrong", "has died: --fix unmounts it", 1);
    tells(&project, &[], "note", "nobody listens on", 1);
    tells(&project, &["--fix"], "repaired", "had died: unmounted", 0);
    assert!(project.world.mounts().is_empty() && !project.world.home().join("socket").exists());
    tells(&project, &["--fix"], "ok", "no daemon runs", 0);
    assert_eq!(
        project.world.sh(project.world.root(), "cleartool lsvob > /dev/null; cat view/v/vobs/x/foo.c").ok(),
        "one\ntwo\n"
    );
}

#[test]
fn lost_storages_open_homes_and_clocks_are_told() {
    let project = Project::small();
    let home = project.world.home();
    project.world.clerestory(&["shutdown"]).ok();
    let storage = project.world.only_vob();
    let aside = home.join("aside");
    fs::rename(&storage, &aside).expect("it can be moved");
    tells(&project, &[], "wrong", "VOB /vobs/x: its storage", 1);
    fs::rename(&aside, &storage).expect("it can be moved back");
    let mode = |mode| fs::set_permissions(&home, fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(0o777);
    tells(&project, &[], "wrong", "can be written by others", 1);
    mode(0o755);
    let log = File::options().append(true).open(home.join("log/daemon.log")).expect("it is there");
    log.set_modified(SystemTime::now() + Duration::from_secs(86_400)).expect("it is ours");
    tells(&project, &[], "wrong", "the clock has gone back", 1);
    log.set_modified(SystemTime::now()).expect("it is ours");
    let registry = fs::read(home.join("registry")).expect("it is there");
    fs::write(home.join("registry"), b"what is this").expect("it is ours");
    tells(&project, &[], "wrong", "the registry cannot be read", 1);
    fs::write(home.join("registry"), registry).expect("it is ours");
    tells(&project, &[], "ok", "no daemon runs", 0);
}
