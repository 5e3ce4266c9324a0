//! `clerestory watch`: changes are told as they happen.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use crate::project::Project;
use serde_json::Value;

/// A program that watches.
struct Watch {
    child: Child,
    lines: BufReader<ChildStdout>,
    top: String,
}

impl Watch {
    /// Begins to watch a path below the view; returns when it is watched.
    fn begin(project: &Project, path: &str, since: &str) -> Watch {
        let program = project.world.root().join("bin/clerestory");
        let mut command = project.world.command(program, &project.directory);
        command.args(["watch", "--json", "--since", since, path]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("it has output"));
        let top = project.directory.to_str().expect("the path is text").to_owned();
        let mut watch = Watch { child, lines, top };
        assert_eq!(watch.next()["kind"], "ready");
        watch
    }

    fn next(&mut self) -> Value {
        if self.lines.buffer().is_empty() {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
            let ready = poll(&mut [PollFd::new(self.lines.get_ref(), PollFlags::IN)], Some(&patience))
                .expect("it can wait");
            assert!(ready == 1, "nothing is told for a minute");
        }
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it can be read");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Reads lines until one is of this kind and path, which is below the VOB; returns its token.
    fn until(&mut self, kind: &str, path: &str) -> String {
        let wanted = format!("{}{path}", self.top);
        loop {
            let line = self.next();
            if line["kind"] == kind && line["path"] == wanted.as_str() {
                return line["token"].as_str().expect("it is text").to_owned();
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn changes_are_told_wherever_they_come_from() {
    let project = Project::small();
    project.world.make_view("w");
    let mut watch = Watch::begin(&project, ".", "");
    project.sh("echo p > private; mkdir dir; mv private dir/moved; rm dir/moved");
    for (kind, path) in [
        ("changed", "/private"),
        ("changed", "/dir"),
        ("removed", "/private"),
        ("changed", "/dir/moved"),
        ("removed", "/dir/moved"),
    ] {
        watch.until(kind, path);
    }
    // From another view, in which alone it is checked out.
    let other = project.world.in_view("w", "/vobs/x");
    project
        .world
        .sh(&other, "cleartool co -nc src src/bar.c && echo w >> src/bar.c && cleartool ci -nc src/bar.c")
        .ok();
    watch.until("changed", "/src/bar.c");
    project
        .world
        .sh(&other, "echo n > src/n.c && cleartool mkelem -nc -ci src/n.c && cleartool ci -nc src")
        .ok();
    // Names that a directory version brings are told by the directory.
    watch.until("changed", "/src");
    project.sh("cleartool co -nc . && echo m > m.c && cleartool mkelem -nc -ci m.c && cleartool rmname m.c");
    watch.until("removed", "/m.c");
    project.sh("cleartool mklbtype -nc R && cleartool mklabel R foo.c");
    watch.until("changed", "/foo.c");
    project.sh("echo 'element * /main/0' > $HOME/spec; cleartool setcs $HOME/spec");
    assert_eq!(watch.next()["kind"], "selection");
}

#[test]
fn only_what_is_below_the_path_is_told_and_a_token_goes_on() {
    let project = Project::small();
    let mut watch = Watch::begin(&project, "src", "");
    project.sh("echo a > above; echo b > src/below");
    let first = watch.next();
    assert_eq!(first["path"], format!("{}/src/below", watch.top));
    // What was changed in several steps may be told once or more often.
    let token = first["token"].as_str().expect("it is text").to_owned();
    drop(watch);
    project.sh("echo c > src/later; rm above");
    let mut again = Watch::begin(&project, "src", &token);
    again.until("changed", "/src/later");
    drop(again);
    // Another run of the daemon knows nothing of it, and says so.
    project.world.clerestory(&["shutdown"]).ok();
    project.world.clerestory(&["stats"]).ok();
    let mut other = Watch::begin(&project, "src", &token);
    assert_eq!(other.next()["kind"], "missed");
    let refused =
        project.world.clerestory(&["watch", "--since", "nonsense", project.directory.to_str().unwrap()]);
    assert!(refused.status != 0 && refused.stderr.contains("no token of a watch"), "{refused:?}");
}

#[test]
fn a_daemon_that_stops_ends_a_watch() {
    let project = Project::small();
    let mut watch = Watch::begin(&project, ".", "");
    project.world.clerestory(&["shutdown"]).ok();
    assert!(watch.child.wait().expect("it ends").code().is_some());
}
