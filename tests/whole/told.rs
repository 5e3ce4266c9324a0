//! What is told where something is refused, asked first, or somebody else's: every object has its last line of
//! complaint, names lead somewhere, comments belong to one object.

use crate::project::Project;

#[test]
fn every_object_has_its_last_line_of_complaint() {
    Project::small().check(
        r#"
$ cleartool co -nc .; cleartool mv foo.c src/bar.c /tmp; cleartool ln foo.c /tmp/out; cleartool mv foo.c src/bar.c none
Checked out "." from version "/main/1".
cleartool: Error: Pathname is not within a VOB: "/tmp"
cleartool: Error: Unable to move "foo.c" to "/tmp".
cleartool: Error: Unable to move "src/bar.c" to "/tmp".
cleartool: Error: Pathname is not within a VOB: "/tmp/out"
cleartool: Error: Unable to create link "/tmp/out".
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to move "foo.c" to "none".
cleartool: Error: Unable to move "src/bar.c" to "none".
[exit 1]
$ cleartool lock -nusers no_such_user foo.c src; cleartool protect -chmod 999 foo.c src; cleartool rmver -force -vrange 1 4 foo.c
cleartool: Error: Unknown user: "no_such_user".
cleartool: Error: Unable to lock "foo.c".
cleartool: Error: Unable to lock "src".
cleartool: Error: Invalid mode: "999".
cleartool: Error: Unable to change protection on "foo.c".
cleartool: Error: Unable to change protection on "src".
cleartool: Error: Invalid version selector: "1".
cleartool: Error: Unable to remove versions of "foo.c".
[exit 1]
$ cleartool mklabel NOPE foo.c src; cleartool mklabel -recurse NOPE src; cleartool mkattr NOPE 1 foo.c src; cleartool rmlabel NOPE foo.c
cleartool: Error: Label type not found: "NOPE".
cleartool: Error: Unable to create label "NOPE" on "foo.c".
cleartool: Error: Label type not found: "NOPE".
cleartool: Error: Unable to create label "NOPE" on "src".
cleartool: Error: Label type not found: "NOPE".
cleartool: Error: Unable to create label "NOPE" on "src".
cleartool: Error: Attribute type not found: "NOPE".
cleartool: Error: Unable to create attribute "NOPE" on "foo.c".
cleartool: Error: Attribute type not found: "NOPE".
cleartool: Error: Unable to create attribute "NOPE" on "src".
cleartool: Error: Label type not found: "NOPE".
cleartool: Error: Unable to remove label "NOPE" from "foo.c".
[exit 1]
"#,
    );
}

#[test]
fn the_first_double_dash_is_no_operand() {
    Project::small().check(
        r#"
$ cleartool mklbtype -nc R; cleartool mklabel R -- foo.c; cleartool mkattype -nc -vtype real A; cleartool mkattr A -- -1.5 foo.c; cleartool mklabel R -- --
Created label type "R".
Created label "R" on "foo.c" version "/main/2".
Created attribute type "A".
Created attribute "A" on "foo.c@@/main/2".
cleartool: Error: Unable to access "--": No such file or directory.
cleartool: Error: Unable to create label "R" on "--".
[exit 1]
$ cleartool describe -s -aattr A foo.c
-1.5
"#,
    );
}

#[test]
fn nothing_is_asked_in_vain() {
    Project::small().check(
        r#"
$ cleartool rmvob /vobs/nosuch < /dev/null; cleartool co -nc foo.c; cleartool ci -from nosuch foo.c < /dev/null; cleartool rmvob /vobs/x < /dev/null
cleartool: Error: Unable to access "/vobs/nosuch": No such file or directory.
cleartool: Error: Unable to remove versioned object base "/vobs/nosuch".
Checked out "foo.c" from version "/main/2".
cleartool: Error: Unable to access "nosuch": No such file or directory.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: "/vobs/x" is in use.
cleartool: Error: Unable to remove versioned object base "/vobs/x".
[exit 1]
$ cleartool unco -rm foo.c; cd /; cleartool umount /vobs/x; echo n | cleartool rmvob /vobs/x; cleartool mount /vobs/x
Checkout cancelled for "foo.c".
Unmounting MVFS filesystem /vobs/x.
Remove versioned object base "/vobs/x"?  [no] Mounting MVFS filesystem /vobs/x.
"#,
    );
}

#[test]
fn what_another_view_made_is_listed_by_a_name_that_leads_to_it() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("cleartool co -nc src && echo n > src/new.c && cleartool mkelem -nc src/new.c");
    let there = project.world.in_view("w", "/vobs/x");
    crate::transcript::check(
        &project.world,
        &there,
        r#"
$ cleartool lsco -short -all | sed 's/CHECKEDOUT[.][0-9]*/CHECKEDOUT.N/'; for name in $(cleartool lsco -short -all); do cleartool describe -short $name > /dev/null || echo none; done; cleartool lsco -short src; cleartool lsco -short -recurse
WORLD/view/w/vobs/x/src@@/main/CHECKEDOUT.N/new.c
WORLD/view/w/vobs/x/src
src
src
"#,
    );
    project.check(
        r#"
$ cleartool lsco -short -all; cleartool lsco -short src
WORLD/view/v/vobs/x/src/new.c
WORLD/view/v/vobs/x/src
src/new.c
src
"#,
    );
}

#[test]
fn each_comment_belongs_to_one_object() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc .; echo x > x; cleartool mkelem -ci -c first x; cleartool lsh x | sed -n 's/.*create /create /p;/^  "/p'
Checked out "." from version "/main/1".
Created element "x" (type "text_file").
Checked out "x" from version "/main/0".
Checked in "x" version "/main/1".
create version "x@@/main/1"
  "first"
create version "x@@/main/0"
create branch "x@@/main"
create file element "x@@"
  "first"
"#,
    );
    project.check(
        r#"
$ for object in x@@ x@@/main x@@/main/0 x@@/main/1; do cleartool describe $object | sed -n '1p;/^  "/p'; done
file element "x@@"
  "first"
branch "x@@/main"
version "x@@/main/0"
version "x@@/main/1"
  "first"
$ cleartool chevent -replace -c element x@@; cleartool chevent -append -c version x@@/main/1; cleartool chevent -c no x@@/main/0 x@@/main
Modified event of file element "x".
Modified event of version "x@@/main/1".
cleartool: Error: The comment of this event belongs to "x@@".
cleartool: Error: Unable to modify event of version "x@@/main/0".
cleartool: Error: The comment of this event belongs to "x@@".
cleartool: Error: Unable to modify event of branch "x@@/main".
[exit 1]
$ cleartool lsh x | sed -n 's/.*create /create /p;/^  *"/p;/^   /p'; cleartool describe x@@ x@@/main/1 | grep -e '^  "' -e '^   v'
create version "x@@/main/1"
  "first
   version"
create version "x@@/main/0"
create branch "x@@/main"
create file element "x@@"
  "element"
  "element"
  "first
   version"
"#,
    );
}

#[test]
fn of_two_checkins_at_once_the_later_finds_no_checkout() {
    let project = Project::small();
    let race = "cleartool co -nc foo.c && head -c 3000000 /dev/urandom | base64 > foo.c && \
                { cleartool ci -nc foo.c & cleartool ci -nc foo.c & wait; } 2>&1 | sed 's/\"[^\"]*:[^\"]*\"/VIEW/'";
    for _ in 0..8 {
        let said = project.sh(race);
        let refusals: Vec<&str> = said.lines().filter(|line| line.contains("Error")).collect();
        let expected = [
            "cleartool: Error: No branch of element is checked out to view VIEW.",
            "cleartool: Error: Unable to find checked out version for \"foo.c\".",
        ];
        assert_eq!(refusals, expected, "{said}");
    }
}
