//! The name space below `@@`: elements, branches, versions and labels as directories and files.

use std::fs;

use crate::import::Imported;
use crate::project::Project;
use crate::world::refused_with;

#[test]
fn branches_and_versions_can_be_listed_and_read() {
    Project::small().check(
        r#"
$ ls foo.c@@ foo.c@@/main
foo.c@@:
main

foo.c@@/main:
0
1
2
LATEST
$ wc -c < foo.c@@/main/0; cat foo.c@@/main/1 foo.c@@/main/LATEST
0
one
one
two
$ diff foo.c@@/main/1 foo.c
1a2
> two
[exit 1]
$ test -f foo.c@@/main/1 && test -d foo.c@@ && test -d foo.c@@/main && test -d src@@/main/1 && echo kinds
kinds
$ ls .@@ .@@/main .@@/main/1 src@@/main/1
.@@:
main

.@@/main:
0
1
LATEST

.@@/main/1:
foo.c
lost+found
src

src@@/main/1:
bar.c
$ ls @@/main src/@@/main
@@/main:
0
1
LATEST

src/@@/main:
0
1
LATEST
$ cat .@@/main/1/src/main/1/bar.c/main/1 src@@/main/1/bar.c@@/main/1 src@@/main/LATEST/bar.c/main/LATEST
bar
bar
bar
$ ls -A | grep @@
[exit 1]
$ ls foo.c@@/main/3 2>&1 | sed 's/.*: //'; cat foo.c@@/nothing 2>&1 | sed 's/.*: //'; ls gone@@ 2>&1 | sed 's/.*: //'
No such file or directory
No such file or directory
No such file or directory
$ touch private; ls private@@ 2>&1 | sed 's/.*: //'
No such file or directory
$ cleartool describe -short foo.c@@/main/1 foo.c@@/main foo.c@@
foo.c@@/main/1
foo.c@@/main
foo.c@@
"#,
    );
}

#[test]
fn a_checkout_has_a_name_of_its_own() {
    let project = Project::small();
    project.world.make_view("w");
    project.check(
        r#"
$ cleartool co -nc foo.c; echo mine >> foo.c; ls foo.c@@/main; tail -1 foo.c@@/main/CHECKEDOUT
Checked out "foo.c" from version "/main/2".
0
1
2
CHECKEDOUT
LATEST
mine
$ cd $CLERESTORY_VIEWROOT/w/vobs/x; ls foo.c@@/main | sed 's/[.].*/.N/'; cat foo.c
0
1
2
CHECKEDOUT.N
LATEST
one
two
"#,
    );
}

#[test]
fn labels_stand_on_branches_and_where_they_are_unique_on_elements() {
    let imported = Imported::new();
    let at = |path: &str| imported.directory().join(path);
    let text = |path: &str| fs::read(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let names = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(at(path)).expect("can be listed").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let expected = imported.repository.git(&["cat-file", "blob", "v1.0:README"]);
    assert_eq!(text("README@@/main/v1.0"), expected);
    assert_eq!(text("README@@/v1.0"), expected);
    for place in ["README@@", "README@@/main"] {
        assert!(names(place).contains(&"v1.0".to_owned()), "{:?}", names(place));
    }
    let side = imported.repository.git(&["cat-file", "blob", "side:src/core.c"]);
    assert_eq!(text("src/core.c@@/main/side/LATEST"), side);
    assert!(names("src/core.c@@/main").contains(&"side".to_owned()));
    // A label of another branch is no name on this one.
    assert!(!at("src/core.c@@/main/rel_side-1").exists());
    assert_eq!(
        text("src/core.c@@/main/side/rel_side-1"),
        imported.repository.git(&["cat-file", "blob", "rel/side-1:src/core.c"])
    );
    // A directory as it was at the label, and the names it had.
    assert!(at(".@@/v1.0/src/v1.0/core.c/v1.0").is_file());
    assert_eq!(text(".@@/v1.0/README/v1.0"), expected);
}

#[test]
fn an_old_directory_version_can_be_searched() {
    let imported = Imported::new();
    let directory = imported.directory();
    let found = imported.world.sh(&directory, "grep -rl 'line 7 of the first version' src@@/main/1 | sort");
    let found = found.ok();
    for expected in
        ["src@@/main/1/a.c/main/1", "src@@/main/1/b.c/main/1", "src@@/main/1/lib/main/1/y.h/main/1"]
    {
        assert!(found.lines().any(|line| line == expected), "no {expected} in {found}");
    }
    let deep =
        imported.world.sh(&directory, "cd src@@/main/1 && ls && cd lib/main/1 && cat y.h/main/1 | head -1");
    assert_eq!(deep.ok(), "a.c\nb.c\nlib\ny.h: line 0\n");
    let climb = imported
        .world
        .sh(&directory, "cd src@@/main/1/lib/main && ls ../../ && cat ../../a.c/main/1 | head -1");
    assert_eq!(climb.ok(), "a.c\nb.c\nlib\ncore: line 0\n");
}

#[test]
fn names_that_are_no_versions_are_refused() {
    let project = Project::small();
    for name in
        ["foo.c@@/main/03", "foo.c@@/main/+1", "foo.c@@/main/-1", "foo.c@@/Main", "foo.c@@/main/99999999999"]
    {
        refused_with(libc::ENOENT, fs::metadata(project.directory.join(name)));
    }
    refused_with(libc::ENOTDIR, fs::metadata(project.directory.join("foo.c@@/main/1/x")));
}

#[test]
fn a_checkout_below_a_branch_has_the_data_that_the_view_has_just_now() {
    Project::small().check(
        r#"
$ cleartool co -nc foo.c
Checked out "foo.c" from version "/main/2".
$ rm foo.c; ls foo.c@@/main; stat -c '%A %s' foo.c@@/main/CHECKEDOUT
0
1
2
CHECKEDOUT
LATEST
---------- 0
$ echo again > foo.c; cat foo.c@@/main/CHECKEDOUT
again
$ echo saved > foo.c.new; mv foo.c.new foo.c; cat foo.c@@/main/CHECKEDOUT
saved
$ mv foo.c elsewhere; stat -c '%A %s' foo.c@@/main/CHECKEDOUT
---------- 0
"#,
    );
}
