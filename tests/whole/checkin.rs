//! Checkin and uncheckout: all or nothing, every refusal, and what becomes of private copies.

use std::fs;

use crate::project::Project;
use crate::repository::{Parents, Repository};
use crate::transcript::check;
use crate::world::World;

/// Another user than the one who made everything.
const AS_OTHER: &str = "setpriv --reuid 1 --regid 1 --clear-groups";

/// A small project of which every user may see everything.
fn open_project() -> Project {
    let project = Project::small();
    project.world.sh(project.world.root(), "chmod 755 . && chmod -R go+rX home view 2>/dev/null; true").ok();
    project
}

#[test]
fn the_arguments_of_a_command_are_checked_in_together() {
    Project::small().check(
        r#"
$ cleartool co -nc foo.c src src/bar.c | wc -l; echo 3 >> foo.c; echo new > src/new.c; cleartool mkelem -nc src/new.c
3
Created element "src/new.c" (type "text_file").
Checked out "src/new.c" from version "/main/0".
$ cleartool ci -c together foo.c src/bar.c src src/new.c nothing.c
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "src/bar.c".
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "src".
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "src/new.c".
cleartool: Error: Unable to access "nothing.c": No such file or directory.
cleartool: Error: Unable to check in "nothing.c".
[exit 1]
$ cleartool ls -short foo.c src/bar.c src/new.c; cleartool ls -d src
foo.c@@/main/CHECKEDOUT
src/bar.c@@/main/CHECKEDOUT
src/new.c@@/main/CHECKEDOUT
src@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
$ cleartool ci -atomic -c together foo.c src src/new.c
Checked in "foo.c" version "/main/3".
Checked in "src" version "/main/2".
Checked in "src/new.c" version "/main/1".
$ cat foo.c src/new.c; cleartool ls -short src
one
two
3
new
src/bar.c@@/main/CHECKEDOUT
src/new.c@@/main/1
"#,
    );
}

#[test]
fn a_checkin_that_is_not_atomic_goes_on_after_a_failure() {
    Project::small().check(
        r#"
$ cleartool co -nc foo.c src/bar.c | wc -l; echo 3 >> src/bar.c
2
$ cleartool ci -nonatomic -nc foo.c nothing.c src/bar.c src/bar.c
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: Unable to access "nothing.c": No such file or directory.
cleartool: Error: Unable to check in "nothing.c".
Checked in "src/bar.c" version "/main/2".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src/bar.c".
[exit 1]
$ cleartool ci -nonatomic -atomic -nc foo.c 2>&1 | head -1
cleartool: Error: Options -atomic and -nonatomic are mutually exclusive
$ echo 4 >> foo.c; cleartool ci -nc foo.c ./foo.c
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: "./foo.c" is named more than once.
cleartool: Error: Unable to check in "./foo.c".
[exit 1]
"#,
    );
}

#[test]
fn elements_of_several_vobs_are_checked_in_or_none_of_them() {
    let project = Project::small();
    project.world.make_vob("/vobs/y");
    project.check(
        r#"
$ cleartool co -nc foo.c ../y | wc -l; echo 3 >> foo.c; echo y > ../y/f; cleartool mkelem -nc ../y/f | wc -l
2
2
$ cleartool ci -nc foo.c ../y/f ../y src
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "../y/f".
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "../y".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src".
[exit 1]
$ cleartool ci -nc ../y/f foo.c ../y
Checked in "../y/f" version "/main/1".
Checked in "foo.c" version "/main/3".
Checked in "../y" version "/main/1".
"#,
    );
}

#[test]
fn a_commit_of_many_elements_survives_a_killed_daemon_whole() {
    let project = Project::empty();
    project.sh(
        "cleartool co -nc . && mkdir -p ../../.. && for n in $(seq 40); do echo $n > f$n; done && \
         cleartool mkelem -nc f* && cleartool ci -nc f* . && cleartool co -nc f* && for f in f*; do echo x >> $f; done",
    );
    let said = project.sh("cleartool ci -nc f*");
    assert_eq!(said.lines().filter(|line| line.ends_with(" version \"/main/2\".")).count(), 40, "{said}");
    project.world.kill_daemon();
    project.world.ct(&["lsvob"]).ok();
    let found = project.sh("cat f* | grep -c x; cleartool ls -short f* | grep -c '@@/main/2$'");
    assert_eq!(found, "40\n40\n");
}

#[test]
fn checkin_refuses_what_would_lose_or_repeat_something() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cleartool ci -nc foo.c
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool co -nc foo.c; cd ~/other; cleartool ci -nc foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/w.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool ci foo.c < /dev/null
Checkin comments for "foo.c":
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ chmod +x foo.c; cleartool ci -nc foo.c; test -x foo.c
Checked in "foo.c" version "/main/3".
$ cleartool co -nc foo.c; cd ~/other; cleartool co -unres -nc foo.c; echo w >> foo.c; cleartool ci -nc foo.c
Checked out "foo.c" from version "/main/3".
Checked out "foo.c" from version "/main/3".
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ rm foo.c; cleartool ci -nc foo.c
cleartool: Error: Unable to access "foo.c": No such file or directory.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ echo v > foo.c; cleartool ci -nc foo.c; rm ~/other/foo.c; cd ~/other; cleartool ci -nc foo.c
Checked in "foo.c" version "/main/4".
cleartool: Error: The most recent version on branch "/main" is not the predecessor of this version.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ echo private > p; cleartool ci -nc p
cleartool: Error: Not a vob object: "p".
cleartool: Error: Unable to check in "p".
[exit 1]
$ cleartool co -nc src; cleartool ci -nc src; cleartool ci -nc -identical src
Checked out "src" from version "/main/1".
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "src".
Checked in "src" version "/main/2".
$ cleartool ci 2>&1 | head -1
cleartool: Error: Element pathname required
"#,
    );
}

#[test]
fn who_may_not_check_in_is_told_who_may() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("cleartool co -nc foo.c; echo 3 >> foo.c");
    let transcript = r#"
$ AS_OTHER cleartool ci -nc foo.c
cleartool: Error: No permission to perform operation "checkin".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ AS_OTHER cleartool unco -rm foo.c
cleartool: Error: No permission to perform operation "uncheckout".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to cancel checkout for "foo.c".
[exit 1]
$ cleartool ci -nc foo.c
Checked in "foo.c" version "/main/3".
"#;
    project.check(&transcript.replace("AS_OTHER", AS_OTHER));
}

#[test]
fn a_new_file_of_no_bytes_needs_to_be_meant() {
    Project::empty().check(
        r#"
$ cleartool co -nc . && touch empty && cleartool mkelem -nc empty
Checked out "." from version "/main/0".
Created element "empty" (type "text_file").
Checked out "empty" from version "/main/0".
$ cleartool ci -nc empty
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "empty".
[exit 1]
$ cleartool ci -nc -identical empty .
Checked in "empty" version "/main/1".
Checked in "." version "/main/1".
"#,
    );
}

#[test]
fn data_can_come_from_another_file() {
    let project = Project::small();
    fs::write(project.world.root().join("source"), "from elsewhere\n").expect("written");
    project.check(
        r#"
$ cleartool co -nc foo.c; echo mine >> foo.c; echo | cleartool ci -nc -from ~/source foo.c
Checked out "foo.c" from version "/main/2".
Save private copy of "foo.c"?  [yes] Private version of "foo.c" saved in "foo.c.keep".
Checked in "foo.c" version "/main/3".
$ cat foo.c foo.c.keep
from elsewhere
one
two
mine
$ cleartool co -nc foo.c; echo again > src.txt; printf 'x\nno\n' | cleartool ci -nc -from src.txt foo.c
Checked out "foo.c" from version "/main/3".
Save private copy of "foo.c"?  [yes] Please answer with one of the following: yes, no
Save private copy of "foo.c"?  [yes] Checked in "foo.c" version "/main/4".
$ cleartool co -nc foo.c; rm foo.c; cleartool ci -nc -from src.txt foo.c
Checked out "foo.c" from version "/main/4".
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool ci -nc -identical -from src.txt foo.c; cat foo.c src.txt; ls
Checked in "foo.c" version "/main/5".
again
again
foo.c
foo.c.keep
lost+found
src
src.txt
$ cleartool co -nc foo.c; cleartool ci -nc -keep -from foo.c@@/main/2 foo.c; cat foo.c foo.c.keep.1
Checked out "foo.c" from version "/main/5".
Private version of "foo.c" saved in "foo.c.keep.1".
Checked in "foo.c" version "/main/6".
one
two
again
$ cleartool co -nc foo.c src | wc -l; cleartool ci -nc -rm -from nowhere foo.c
2
cleartool: Error: Unable to access "nowhere": No such file or directory.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool ci -nc -rm -from src foo.c; cleartool ci -nc -from src.txt src
cleartool: Error: Only ordinary files can be checked in.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: "src" is a directory element: it takes no data.
cleartool: Error: Unable to check in "src".
[exit 1]
$ cleartool ci -nc -from src.txt foo.c src 2>&1 | head -1
cleartool: Error: Option -from takes one element
"#,
    );
}

#[test]
fn private_copies_are_kept_under_names_that_are_free() {
    Project::small().check(
        r#"
$ cleartool co -nc foo.c src/bar.c | wc -l; echo 3 >> foo.c; echo 2 >> src/bar.c; touch foo.c.keep.1
2
$ cleartool ci -nc -keep foo.c src/bar.c
Private version of "foo.c" saved in "foo.c.keep".
Checked in "foo.c" version "/main/3".
Private version of "src/bar.c" saved in "src/bar.c.keep".
Checked in "src/bar.c" version "/main/2".
$ cleartool co -nc foo.c; echo 4 >> foo.c; cleartool ci -nc -keep foo.c; tail -1 foo.c.keep.2
Checked out "foo.c" from version "/main/3".
Private version of "foo.c" saved in "foo.c.keep.2".
Checked in "foo.c" version "/main/4".
4
$ cleartool co -nc foo.c src/bar.c | wc -l; echo 5 >> foo.c; cleartool ci -nc -keep foo.c src/bar.c; ls *.keep*
2
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "src/bar.c".
foo.c.keep
foo.c.keep.1
foo.c.keep.2
$ cleartool ci -nc -rm foo.c; ls *.keep*
Checked in "foo.c" version "/main/5".
foo.c.keep
foo.c.keep.1
foo.c.keep.2
$ cleartool ci -keep -rm foo.c 2>&1 | head -1
cleartool: Error: Options -keep and -rm are mutually exclusive
"#,
    );
}

#[test]
fn a_copy_that_cannot_be_kept_keeps_the_checkin_from_being_done() {
    let project = Project::empty();
    let name = "n".repeat(252);
    project.sh(&format!(
        "cleartool co -nc . && echo 1 > {name} && cleartool mkelem -nc -ci {name} && cleartool ci -nc ."
    ));
    project.sh(&format!("cleartool co -nc {name} && echo 2 >> {name}"));
    let said = project.world.ct_in(&project.directory, &["ci", "-nc", "-keep", &name]);
    assert!(said.stdout.is_empty(), "{said:?}");
    assert!(said.refused().contains("File name too long."));
    assert_eq!(
        project.sh(&format!("cleartool ci -nc {name}; cat {name}")),
        format!("Checked in \"{name}\" version \"/main/2\".\n1\n2\n")
    );
}

#[test]
fn times_are_kept_where_that_is_asked_for() {
    let project = Project::small();
    let found = project.sh(
        "cleartool co -nc foo.c > /dev/null; echo 3 >> foo.c; touch -d 2001-02-03T04:05:06Z foo.c; \
         cleartool ci -nc -ptime foo.c; date -u -r foo.c +%FT%T; \
         cleartool co -nc src/bar.c > /dev/null; echo 3 >> src/bar.c; touch -d 2001-02-03T04:05:06Z src/bar.c; \
         cleartool ci -nc src/bar.c; test $(date -u -r src/bar.c +%Y) -gt 2001",
    );
    let expected = "Checked in \"foo.c\" version \"/main/3\".\n2001-02-03T04:05:06\n\
                    Checked in \"src/bar.c\" version \"/main/2\".\n";
    assert_eq!(found, expected);
}

#[test]
fn a_version_that_the_view_does_not_select_is_warned_of() {
    let project = Project::small();
    fs::write(
        project.world.root().join("old.cs"),
        "element * CHECKEDOUT\nelement foo.c /main/1\nelement * /main/LATEST\n",
    )
    .expect("written");
    project.check(
        r#"
$ cleartool co -nc foo.c; echo 3 >> foo.c; cleartool setcs ~/old.cs; cleartool ci -nc foo.c; cat foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Warning: Version checked in is not selected by view.
Checked in "foo.c" version "/main/3".
one
$ cleartool co -nc -nwarn foo.c; echo 4 >> foo.c; cleartool ci -nc -nwarn foo.c
Checked out "foo.c" from version "/main/3".
Checked in "foo.c" version "/main/4".
"#,
    );
}

#[test]
fn uncheckout_goes_on_after_a_failure() {
    Project::small().check(
        r#"
$ cleartool co -nc foo.c src/bar.c | wc -l; echo 3 >> foo.c; echo p > p; cleartool unco -keep foo.c nothing.c p . src/bar.c
2
Private version of "foo.c" saved in "foo.c.keep".
Checkout cancelled for "foo.c".
cleartool: Error: Unable to access "nothing.c": No such file or directory.
cleartool: Error: Unable to cancel checkout for "nothing.c".
cleartool: Error: Not a vob object: "p".
cleartool: Error: Unable to cancel checkout for "p".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for ".".
Private version of "src/bar.c" saved in "src/bar.c.keep".
Checkout cancelled for "src/bar.c".
[exit 1]
$ cleartool co -nc foo.c src/bar.c | wc -l; printf 'n\ny\n' | cleartool unco foo.c src/bar.c
2
Save private copy of "foo.c"?  [yes] Save private copy of "src/bar.c"?  [yes] Checkout cancelled for "foo.c".
Private version of "src/bar.c" saved in "src/bar.c.keep.1".
Checkout cancelled for "src/bar.c".
$ cleartool co -nc foo.c; rm foo.c; cleartool unco foo.c; cat foo.c; ls foo.c*
Checked out "foo.c" from version "/main/2".
Checkout cancelled for "foo.c".
one
two
foo.c
foo.c.keep
$ cleartool unco -keep -rm foo.c 2>&1 | head -1; cleartool unco 2>&1 | head -1
cleartool: Error: Options -keep and -rm are mutually exclusive
cleartool: Error: Element pathname required
"#,
    );
}

#[test]
fn uncheckout_of_a_directory_undoes_its_names_and_leaves_private_files() {
    Project::small().check(
        r#"
$ cleartool co -nc src; echo a > src/a; echo b > src/b; echo p > src/p; cleartool mkelem -nc -ci src/a | wc -l
Checked out "src" from version "/main/1".
3
$ cleartool mkelem -nc src/b | wc -l; cleartool mkdir -nc src/d | wc -l
2
2
$ cleartool unco src
cleartool: Warning: Object "a" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "a.OID".
cleartool: Warning: Object "b" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "b.OID".
cleartool: Warning: Object "d" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "d.OID".
Checkout cancelled for "src".
$ ls -A src; ls lost+found | sed 's/\..*//'
bar.c
p
a
b
d
$ cleartool unco -keep src
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src".
[exit 1]
"#,
    );
}

#[test]
fn uncheckout_tells_of_a_branch_that_holds_nothing_yet() {
    let world = World::new();
    let mut repository = Repository::new(&world.root().join("repository"));
    repository.import(|stream| {
        let first = stream.commit("main", 1_600_000_000, Parents { first: None, merged: &[] });
        stream.file("foo.c", "one\n");
        stream.file("bar.c", "one\n");
        stream.commit("fix", 1_600_000_100, Parents { first: Some(first), merged: &[] });
        stream.file("bar.c", "two\n");
    });
    let path = repository.path().to_str().expect("a plain path");
    world.clerestory(&["import", "git", path, "--vob", "/vobs/x"]).ok();
    world.make_view("v");
    let spec = "element * CHECKEDOUT\nelement * .../fix/LATEST\nelement * /main/LATEST -mkbranch fix\n";
    world.set_spec("v", spec);
    check(
        &world,
        &world.in_view("v", "/vobs/x"),
        r#"
$ cleartool co -nc foo.c
Created branch "fix" from "foo.c" version "/main/1".
Checked out "foo.c" from version "/main/fix/0".
$ cleartool unco -rm foo.c
Checkout cancelled for "foo.c".
cleartool: Warning: This uncheckout left only version zero on branch "/main/fix".
$ cleartool ls foo.c
foo.c@@/main/fix/0                                       Rule: .../fix/LATEST
$ cleartool co -nc foo.c; echo 2 >> foo.c; cleartool ci -nc foo.c; cleartool co -nc foo.c; cleartool unco -rm foo.c
Checked out "foo.c" from version "/main/fix/0".
Checked in "foo.c" version "/main/fix/1".
Checked out "foo.c" from version "/main/fix/1".
Checkout cancelled for "foo.c".
"#,
    );
}

#[test]
fn checkouts_of_another_view_are_cancelled_there_or_with_it() {
    let project = Project::small();
    project.world.make_view("w");
    project.check(
        r#"
$ cleartool co -nc ~/view/w/vobs/x/foo.c ~/view/w/vobs/x/src/bar.c | wc -l; cleartool unco -rm foo.c
2
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool unco -rm ~/view/w/vobs/x/foo.c
Checkout cancelled for "WORLD/view/w/vobs/x/foo.c".
$ uuid=$(sed -n 's/^uuid //p' ~/home/views/w.vws/format); cleartool rmview -force -uuid $uuid
Removing references from VOB "/vobs/x" ...
Removed references to view "WORLD/home/views/w.vws" from VOB "/vobs/x".
$ cleartool co -nc src/bar.c
Checked out "src/bar.c" from version "/main/1".
"#,
    );
}
