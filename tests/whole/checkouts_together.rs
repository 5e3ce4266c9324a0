//! One command is one change of a VOB: what is refused does not keep the rest from being done, later arguments meet
//! what earlier ones leave, and a killed daemon leaves all of it or nothing, with the data.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::world::{signal, wait_until};

/// Journal frames of a VOB: one for each commit.
fn commits(storage: &Path) -> usize {
    let mut journal: Vec<PathBuf> = fs::read_dir(storage.join("journal"))
        .expect("a journal")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    journal.sort();
    let all: Vec<u8> = journal.iter().flat_map(|path| fs::read(path).expect("a segment")).collect();
    all.windows(4).filter(|window| *window == b"CLJF").count()
}

#[test]
fn a_command_is_one_commit() {
    let project = Project::empty();
    project
        .sh("cleartool co -nc .; for n in $(seq 30); do echo $n > f$n; done; mkdir -p a/b; echo x > a/b/x");
    project.sh("cleartool mkbrtype -nc fix; cleartool mkbrtype -nc odd");
    let storage = project.world.only_vob();
    for command in [
        "mkelem -nc -mkpath f1 a/b/x f2",
        "mkelem -nc -ci f3 f4 f5 f6",
        "mkdir -nc d d/e d/e/f g",
        "unco -rm f1 f2",
        "co -nc f1 f2 f3 none f4 f5",
        "unreserve f1 f2 f3 f4",
        "reserve f1 f2 f3 f4",
        "unco -keep f1 f2 f3 f4",
        "mkbranch -nc -nco fix f1 f2 f3",
        "mkbranch -nc odd f1 f2 f3",
        "unco -rm g d f1 f2",
    ] {
        let before = commits(&storage);
        project.world.sh(&project.directory, &format!("cleartool {command}"));
        assert_eq!(commits(&storage) - before, 1, "{command}");
    }
    let before = commits(&storage);
    project
        .world
        .sh(&project.directory, "cleartool co -nc none lost+found; cleartool unco -rm f20 none")
        .refused();
    assert_eq!(commits(&storage), before, "nothing to commit");
}

#[test]
fn later_arguments_meet_what_earlier_ones_leave() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc fix");
    project.check(
        r#"
$ cleartool co -nc foo.c ./foo.c; cleartool unco -rm foo.c foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Error: Element "./foo.c" is already checked out to view "v".
cleartool: Error: Unable to check out "./foo.c".
Checkout cancelled for "foo.c".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool mkbranch -nc -nco fix foo.c src/bar.c foo.c
Created branch "fix" from "foo.c" version "/main/2".
Created branch "fix" from "src/bar.c" version "/main/1".
cleartool: Error: Element already has a branch of type "fix" ("/main/fix").
cleartool: Error: Unable to create branch "fix" from "foo.c" version "/main/2".
[exit 1]
$ cleartool mkdir -nc new new/sub; cleartool co -nc .
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to create directory element "new".
cleartool: Error: Unable to access "new/sub": No such file or directory.
cleartool: Error: Unable to create directory element "new/sub".
Checked out "." from version "/main/1".
$ cleartool mkdir -nc new new/sub new; echo x > x; cleartool mkelem -nc x ./x
Created directory element "new".
Checked out "new" from version "/main/0".
Created directory element "new/sub".
Checked out "new/sub" from version "/main/0".
cleartool: Error: Entry named "new" already exists.
cleartool: Error: Unable to create directory element "new".
Created element "x" (type "text_file").
Checked out "x" from version "/main/0".
cleartool: Error: Entry named "./x" already exists.
cleartool: Error: Unable to create element "./x".
[exit 1]
$ cleartool unco -rm . x new/sub
cleartool: Warning: Object "new" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "new.OID".
cleartool: Warning: Object "x" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "x.OID".
Checkout cancelled for ".".
cleartool: Error: Unable to access "x": No such file or directory.
cleartool: Error: Unable to cancel checkout for "x".
cleartool: Error: Unable to access "new/sub": No such file or directory.
cleartool: Error: Unable to cancel checkout for "new/sub".
[exit 1]
"#,
    );
}

#[test]
fn a_directory_that_is_checked_out_shows_the_names_of_its_version_to_later_arguments() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . src; echo n > src/new.c; cleartool mkelem -nc -ci src/new.c; cleartool mkdir -nc d; \
         echo m > d/m; cleartool mkelem -nc -ci d/m; cleartool ci -nc . src d",
    );
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement -directory /vobs/x /main/1\nelement -directory src /main/1\nelement * /main/LATEST\n",
    );
    project.check(
        r#"
$ cleartool ls -short; cleartool co -nc src/new.c d/m
foo.c@@/main/2
lost+found@@/main/0
src@@/main/1
cleartool: Error: Unable to access "src/new.c": No such file or directory.
cleartool: Error: Unable to check out "src/new.c".
cleartool: Error: Unable to access "d/m": No such file or directory.
cleartool: Error: Unable to check out "d/m".
[exit 1]
$ cleartool co -nc -nwarn src src/new.c . d/m d foo.c@@/main/2 src/none
Checked out "src" from version "/main/2".
Checked out "src/new.c" from version "/main/1".
Checked out "." from version "/main/2".
Checked out "d/m" from version "/main/1".
Checked out "d" from version "/main/1".
Checked out "foo.c" from version "/main/2".
cleartool: Error: Unable to access "src/none": No such file or directory.
cleartool: Error: Unable to check out "src/none".
[exit 1]
$ cat src/new.c d/m; test -w d/m; cleartool unco -rm src src/new.c
n
m
Checkout cancelled for "src".
cleartool: Error: Unable to access "src/new.c": No such file or directory.
cleartool: Error: Unable to cancel checkout for "src/new.c".
[exit 1]
"#,
    );
}

#[test]
fn branches_that_rules_ask_for_are_made_in_the_same_change() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc fix; cleartool mkbrtype -nc blind");
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement foo.c .../fix/LATEST\nelement foo.c /main/LATEST -mkbranch fix\n\
         element bar.c /main/LATEST -mkbranch blind\nelement * /main/LATEST\n",
    );
    project.check(
        r#"
$ cleartool co -nc foo.c src/bar.c src foo.c
Created branch "fix" from "foo.c" version "/main/2".
Checked out "foo.c" from version "/main/fix/0".
Created branch "blind" from "src/bar.c" version "/main/1".
cleartool: Error: Element already has a branch of type "blind" ("/main/blind").
cleartool: Error: Unable to create branch requested by -mkbranch option in config spec.
cleartool: Error: Unable to check out "src/bar.c".
Checked out "src" from version "/main/1".
cleartool: Error: Element "foo.c" is already checked out to view "v".
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cleartool unco -rm foo.c src; cleartool lsvtree -all src/bar.c
Checkout cancelled for "foo.c".
cleartool: Warning: This uncheckout left only version zero on branch "/main/fix".
Checkout cancelled for "src".
src/bar.c@@/main
src/bar.c@@/main/0
src/bar.c@@/main/1
src/bar.c@@/main/blind
src/bar.c@@/main/blind/0
"#,
    );
}

#[test]
fn elements_of_several_vobs_and_views_are_checked_out_by_one_command() {
    let project = Project::small();
    project.world.make_vob("/vobs/y");
    project.world.make_view("w");
    project.check(
        r#"
$ cleartool co -nc foo.c ../y src ~/view/w/vobs/x/foo.c ~/view/w/vobs/y
Checked out "foo.c" from version "/main/2".
Checked out "../y" from version "/main/0".
Checked out "src" from version "/main/1".
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to check out "WORLD/view/w/vobs/x/foo.c".
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to check out "WORLD/view/w/vobs/y".
[exit 1]
$ cleartool unco -rm ../y src foo.c
Checkout cancelled for "../y".
Checkout cancelled for "src".
Checkout cancelled for "foo.c".
"#,
    );
}

/// Files enough that a kill comes in the middle.
const MANY: usize = 300;

#[test]
fn a_daemon_that_is_killed_leaves_no_checkout_without_its_data() {
    let project = Project::empty();
    project.sh(&format!(
        "cleartool co -nc . && for n in $(seq {MANY}); do echo $n > f$n; done && cleartool mkelem -nc -ci f* && \
         cleartool ci -nc ."
    ));
    let staging = project.world.home().join("views/v.vws/staging");
    let data = project.world.home().join("views/v.vws/checkout");
    let files = |dir: &Path| fs::read_dir(dir).map_or(0, |entries| entries.flatten().count());
    // Killed while copies are written, while they go to their places, and wherever else it comes to that.
    let moments: [&dyn Fn() -> bool; 3] = [
        &|| fs::read_dir(&staging).is_ok_and(|calls| calls.flatten().any(|call| files(&call.path()) > 20)),
        &|| files(&data) > 20,
        &|| files(&data) > MANY - 20,
    ];
    for (number, moment) in moments.iter().enumerate() {
        let daemon = project.world.daemon().expect("a daemon");
        let mut command = project.world.command("/bin/sh", &project.directory);
        let mut child = command
            .args(["-c", "cleartool co -nc f* > /dev/null 2>&1; true"])
            .spawn()
            .expect("the command starts");
        wait_until("the command is on its way", moment);
        signal(daemon, libc::SIGKILL);
        child.wait().expect("the command ends");
        project.world.wait_for_end();
        project.world.ct(&["lsvob"]).ok();
        let listed = project.sh("cleartool ls -short f*");
        let checked_out = listed.lines().filter(|line| line.ends_with("CHECKEDOUT")).count();
        assert!(checked_out == 0 || checked_out == MANY, "{checked_out} at moment {number}");
        assert!(!listed.contains("removed"), "{listed}");
        for file in 1..=MANY {
            let found = fs::read_to_string(project.directory.join(format!("f{file}"))).expect("the data");
            assert_eq!(found, format!("{file}\n"));
        }
        assert_eq!(files(&staging), 0, "what was on its way is gone");
        // What is left does not stand in the way.
        if checked_out == 0 {
            project.sh("cleartool co -nc f*");
        }
        project.sh("cleartool unco -rm f*");
    }
}
