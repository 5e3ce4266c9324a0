//! The daemon's life: started by who needs it, once; ended by commands, signals and crashes.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::project::Project;
use crate::world::{Output, World, is_running, signal, wait_until};

#[test]
fn the_first_command_starts_the_daemon_and_shutdown_unmounts() {
    let world = World::new();
    assert!(world.clerestory(&["status"]).refused().is_empty());
    assert_eq!(world.processes(), [] as [i32; 0]);
    world.ct(&["lsvob"]).ok();
    let daemon = world.daemon().expect("a daemon runs");
    assert_eq!(world.processes(), [daemon]);
    assert_eq!(world.mounts(), [world.viewroot()]);
    world.clerestory(&["shutdown"]).ok();
    wait_until("the daemon is gone", || !is_running(daemon));
    assert!(world.mounts().is_empty());
    assert_eq!(world.clerestory(&["shutdown"]).ok(), "No daemon is running.\n");
}

#[test]
fn commands_that_come_at_once_start_one_daemon() {
    let world = World::new();
    let start = |_| {
        let mut command = world.command(world.root().join("bin/cleartool"), world.root());
        let command = command.arg("lsview").stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().expect("cleartool can be started")
    };
    let children: Vec<_> = (0..6).map(start).collect();
    for child in children {
        Output::new("lsview".into(), child.wait_with_output().expect("it ends")).ok();
    }
    assert_eq!(world.processes(), [world.daemon().expect("a daemon runs")]);
    assert_eq!(world.mounts(), [world.viewroot()]);
}

#[test]
fn sigterm_unmounts_and_loses_nothing() {
    let project = Project::small();
    project.sh("cleartool co -nc foo.c && echo three >> foo.c && cleartool ci -nc foo.c");
    let daemon = project.world.daemon().expect("a daemon runs");
    signal(daemon, libc::SIGTERM);
    project.world.wait_for_end();
    assert!(project.world.mounts().is_empty());
    project.world.ct(&["lsview"]).ok();
    assert_eq!(project.sh("cat foo.c@@/main/3"), "one\ntwo\nthree\n");
}

#[test]
fn after_a_kill_everything_acknowledged_is_there() {
    let project = Project::small();
    let world = &project.world;
    world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n# mine\n");
    project.sh("cleartool co -nc foo.c && echo three >> foo.c && cleartool ci -nc foo.c");
    project.sh("cleartool co -nc src src/bar.c && echo changed >> src/bar.c && echo p > private && mkdir dir && echo q > dir/q");
    project.sh("echo new > src/new.c && cleartool mkelem -nc -ci src/new.c");
    let mut open = fs::File::create(project.directory.join("open")).expect("made");
    open.write_all(b"written, not closed").expect("written");
    world.kill_daemon();
    assert!(fs::metadata(&project.directory).is_err(), "a dead daemon's mount answers");
    // The next command finds the stale mount, clears it, and shows everything again.
    let views = world.ct(&["lsview", "-short"]).ok();
    assert_eq!(views, "v\n");
    assert_eq!(world.mounts(), [world.viewroot()]);
    drop(open);
    project.check(
        r#"
$ cat foo.c private dir/q open; echo; cat src/bar.c src/new.c
one
two
three
p
q
written, not closed
bar
changed
new
$ cleartool catcs
element * CHECKEDOUT
element * /main/LATEST
# mine
$ cleartool ls -directory foo.c src src/bar.c private
foo.c@@/main/3                                           Rule: /main/LATEST
src@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
src/bar.c@@/main/CHECKEDOUT from /main/1                 Rule: CHECKEDOUT
private
$ cleartool ci -nc src/bar.c src
Checked in "src/bar.c" version "/main/2".
Checked in "src" version "/main/2".
"#,
    );
}

#[test]
fn a_command_that_comes_while_a_killed_daemon_still_dies_is_served() {
    let project = Project::small();
    for _ in 0..20 {
        signal(project.world.daemon().expect("a daemon runs"), libc::SIGKILL);
        assert_eq!(project.world.ct(&["lsvob", "-short"]).ok(), "/vobs/x\n");
    }
}

#[test]
fn kills_one_after_another_lose_no_version() {
    let project = Project::small();
    for number in 3..7 {
        project.sh(&format!("cleartool co -nc foo.c && echo {number} >> foo.c && cleartool ci -nc foo.c"));
        project.world.kill_daemon();
        project.world.ct(&["lsvob"]).ok();
        let last = project.sh(&format!("tail -1 foo.c@@/main/{number}"));
        assert_eq!(last, format!("{number}\n"));
    }
}
