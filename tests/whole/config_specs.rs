//! `catcs`, `setcs`, `mkview` and `ls`: config specs that are set, and those that cannot be.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::project::Project;
use crate::transcript::{check, mask};
use crate::world::{Output, World};

/// Runs what follows as an ordinary user that every system has.
const AS_OTHER: &str = "setpriv --reuid 1 --regid 1 --clear-groups";

/// A project whose files other users can reach.
#[track_caller]
pub fn open_project() -> Project {
    let project = Project::small();
    fs::set_permissions(project.world.root(), fs::Permissions::from_mode(0o755)).expect("opened");
    project
}

/// Runs a transcript in the world's directory, outside any view.
#[track_caller]
pub fn check_outside(project: &Project, transcript: &str) {
    check(&project.world, project.world.root(), transcript);
}

/// Runs a line of shell at a terminal, where `typed` is typed; answers what the terminal shows.
#[track_caller]
pub fn on_a_terminal(world: &World, line: &str, typed: &str) -> Output {
    let mut command = world.command("script", world.root());
    command.args(["-qec", line, "/dev/null"]);
    let mut output = Output::with_input(&mut command, typed.as_bytes());
    output.stdout = mask(world, &output.stdout.replace('\r', ""));
    output
}

#[test]
fn every_fault_is_told_with_its_place() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ mkdir dir; printf 'element * CHECKEDOUT\nelement * /main/LATEST -tme today\nelephant *\ninclude rules.cs\n' > dir/spec
$ mkdir dir/deeper; printf '\nelement src\ninclude deeper/more.cs' > dir/rules.cs
$ printf 'element * /main/LATEST -nocheckout\n  tiem today\n' > dir/deeper/more.cs
$ cleartool setcs -tag v dir/spec
cleartool: Error: WORLD/dir/spec:2:24: unknown clause "-tme" (expected -time, -nocheckout, -mkbranch or the end of the rule).
cleartool: Error: WORLD/dir/spec:3:1: unknown rule "elephant" (expected element, mkbranch, time, end, include or load).
cleartool: Error: WORLD/dir/rules.cs:2:12: rule is not complete (expected a version selector), included from WORLD/dir/spec:4.
cleartool: Error: WORLD/dir/deeper/more.cs:2:3: unknown rule "tiem" (expected element, mkbranch, time, end, include or load), included from WORLD/dir/rules.cs:3, included from WORLD/dir/spec:4.
cleartool: Error: Unable to set config spec.
[exit 1]
$ cleartool catcs -tag v; cat view/v/vobs/x/foo.c
element * CHECKEDOUT
element * /main/LATEST
one
two
"#,
    );
}

#[test]
fn a_path_in_no_vob_has_the_products_words() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ printf 'element * CHECKEDOUT\nelement /vob/src_code/code/... /main/LATEST\n' > spec
$ cleartool setcs -tag v spec
cleartool: Error: WORLD/spec:2:9: pattern is in no registered VOB.
cleartool: Error: No registered VOB tag in path: "/vob/src_code/code/...".
cleartool: Error: Config spec semantic processing failed.
[exit 1]
$ echo 'elephant' >> spec; cleartool setcs -tag v spec
cleartool: Error: WORLD/spec:2:9: pattern is in no registered VOB.
cleartool: Error: No registered VOB tag in path: "/vob/src_code/code/...".
cleartool: Error: WORLD/spec:3:1: unknown rule "elephant" (expected element, mkbranch, time, end, include or load).
cleartool: Error: Config spec semantic processing failed.
cleartool: Error: Unable to set config spec.
[exit 1]
$ cleartool catcs -tag v
element * CHECKEDOUT
element * /main/LATEST
"#,
    );
}

#[test]
fn a_thousand_faults_are_told_and_the_others_counted() {
    let project = open_project();
    let file = project.world.root().join("spec");
    fs::write(&file, "elephant *\n".repeat(1_002)).expect("written");
    let said = project.world.ct(&["setcs", "-tag", "v", file.to_str().expect("a path")]).refused();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1_002);
    assert!(
        lines[999].starts_with(&format!("cleartool: Error: {}:1000:1: ", file.display())),
        "{}",
        lines[999]
    );
    assert_eq!(
        lines[1_000..],
        ["cleartool: Error: 2 more errors are not shown.", "cleartool: Error: Unable to set config spec."]
    );
}

#[test]
fn a_person_is_shown_the_line() {
    let project = open_project();
    fs::write(project.world.root().join("spec"), "element * CHECKEDOUT\nelement\t* LATEST\n")
        .expect("written");
    let output = on_a_terminal(&project.world, "cleartool setcs -tag v spec", "");
    assert_eq!(output.status, 1);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(lines[0].starts_with("cleartool: Error: WORLD/spec:2:11: "), "{output:#?}");
    assert_eq!(lines[1], "cleartool: Error:     element\t* LATEST");
    assert_eq!(lines[2], "cleartool: Error:            \t  ^");
    assert_eq!(lines[3..], ["cleartool: Error: Unable to set config spec."]);
}

#[test]
fn relative_includes_begin_beside_the_file_that_was_set() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ mkdir dir; printf 'element * CHECKEDOUT\ninclude rules.cs\n' > dir/spec; echo 'element * /main/1' > dir/rules.cs
$ cd dir && cleartool setcs -tag v spec
$ cat view/v/vobs/x/foo.c
one
$ echo 'element * /main/LATEST' > dir/rules.cs; cat view/v/vobs/x/foo.c; cleartool setcs -current -tag v
one
$ cat view/v/vobs/x/foo.c; cleartool catcs -tag v
one
two
element * CHECKEDOUT
include rules.cs
$ clerestory shutdown; cleartool lsview -short; cat view/v/vobs/x/foo.c
v
one
two
$ rm dir/rules.cs dir/spec; cleartool setcs -current -tag v
cleartool: Error: WORLD/dir/spec:2:9: cannot read included file "rules.cs": No such file or directory.
cleartool: Error: Unable to set config spec.
[exit 1]
$ cat view/v/vobs/x/foo.c
one
two
$ echo 'include site.cs' > home/default_config_spec; echo 'element * /main/1' > home/site.cs
$ cleartool setcs -tag v -default; cat view/v/vobs/x/foo.c; cleartool catcs -tag v
one
include site.cs
$ rm home/site.cs; cleartool setcs -tag v -current
cleartool: Error: WORLD/home/default_config_spec:1:9: cannot read included file "site.cs": No such file or directory.
cleartool: Error: Unable to set config spec.
[exit 1]
"#,
    );
}

#[test]
fn an_include_below_a_vob_tag_is_the_views_file() {
    let project = open_project();
    project.check(
        r#"
$ echo 'include second.cs' > first.cs; echo 'element * /main/1' > second.cs; echo 'include /vobs/x/first.cs' > spec
$ cleartool setcs spec; cat foo.c
one
$ echo 'elephant' >> second.cs; cleartool setcs -current
cleartool: Error: /vobs/x/second.cs:2:1: unknown rule "elephant" (expected element, mkbranch, time, end, include or load), included from /vobs/x/first.cs:1, included from WORLD/view/v/vobs/x/spec:1.
cleartool: Error: Unable to set config spec.
[exit 1]
"#,
    );
    // Outside any view, nothing is there.
    let said =
        project.world.ct(&["setcs", "-tag", "v", project.directory.join("spec").to_str().expect("a path")]);
    assert!(said.refused().contains("included file \"/vobs/x/first.cs\": No such file or directory"));
}

#[test]
fn an_include_that_cannot_be_read_is_told_with_its_rule() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ mkfifo fifo; truncate -s 16777217 large; ln -s spec link
$ for f in nothing . fifo /dev/zero large nothing/x foo.c/x link; do echo "include $f"; done > spec
$ cleartool setcs -tag v spec
cleartool: Error: WORLD/spec:1:9: cannot read included file "nothing": No such file or directory.
cleartool: Error: WORLD/spec:2:9: cannot read included file ".": Is a directory.
cleartool: Error: WORLD/spec:3:9: cannot read included file "fifo": not a regular file.
cleartool: Error: WORLD/spec:4:9: cannot read included file "/dev/zero": not a regular file.
cleartool: Error: WORLD/spec:5:9: cannot read included file "large": file is larger than 16 MiB.
cleartool: Error: WORLD/spec:6:9: cannot read included file "nothing/x": No such file or directory.
cleartool: Error: WORLD/spec:7:9: cannot read included file "foo.c/x": No such file or directory.
cleartool: Error: WORLD/spec:8:9: file includes itself: WORLD/spec -> WORLD/spec.
cleartool: Error: Unable to set config spec.
[exit 1]
$ mkdir a b; echo 'include ../b/b.cs' > a/a.cs; echo 'include ../a/./a.cs' > b/b.cs; cleartool setcs -tag v a/a.cs
cleartool: Error: WORLD/b/b.cs:1:9: file includes itself: WORLD/a/a.cs -> WORLD/b/b.cs -> WORLD/a/a.cs, included from WORLD/a/a.cs:1.
cleartool: Error: Unable to set config spec.
[exit 1]
$ for i in $(seq 0 40); do echo "include deep$((i+1))" > deep$i; done; cleartool setcs -tag v deep0 2>&1 | sed "s/deep29.*//"
cleartool: Error: WORLD/deep32:1:9: included files are nested more than 32 deep, included from WORLD/deep31:1, included from WORLD/deep30:1, included from WORLD/
cleartool: Error: Unable to set config spec.
$ cleartool catcs -tag v
element * CHECKEDOUT
element * /main/LATEST
"#,
    );
}

#[test]
fn who_does_not_own_the_view_may_read_its_config_spec_only() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let transcript = r#"
$ AS_OTHER cleartool catcs -tag v
element * CHECKEDOUT
element * /main/LATEST
$ AS_OTHER cleartool setcs -tag v -default
cleartool: Error: No permission to perform operation "set config spec".
cleartool: Error: Must be one of: view owner, root
cleartool: Error: Unable to set config spec for view "v".
[exit 1]
$ echo 'element * /main/1' > spec; AS_OTHER cleartool setcs -tag v spec
cleartool: Error: No permission to perform operation "set config spec".
cleartool: Error: Must be one of: view owner, root
cleartool: Error: Unable to set config spec for view "v".
[exit 1]
$ EDITOR='touch was_run;' AS_OTHER cleartool edcs -tag v; ls was_run
cleartool: Error: No permission to perform operation "set config spec".
cleartool: Error: Must be one of: view owner, root
cleartool: Error: Unable to set config spec for view "v".
ls: cannot access 'was_run': No such file or directory
[exit 2]
$ AS_OTHER cleartool mkview -tag theirs > /dev/null; AS_OTHER cleartool setcs -tag theirs spec
$ cat view/theirs/vobs/x/foo.c; cleartool setcs -tag theirs -default; cat view/theirs/vobs/x/foo.c
one
one
two
"#;
    check_outside(&project, &transcript.replace("AS_OTHER", AS_OTHER));
}

#[test]
fn what_a_user_may_not_read_is_not_included_for_them() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let transcript = r#"
$ mkdir -m 700 locked; echo 'element * /main/1' | tee secret locked/open > open; chmod 600 secret
$ for f in open secret locked/open; do echo "include $f"; done > spec; ln -s secret link; echo 'include link' >> spec
$ AS_OTHER cleartool mkview -tag theirs > /dev/null; AS_OTHER cleartool setcs -tag theirs spec
cleartool: Error: WORLD/spec:2:9: cannot read included file "secret": Permission denied.
cleartool: Error: WORLD/spec:3:9: cannot read included file "locked/open": Permission denied.
cleartool: Error: WORLD/spec:4:9: cannot read included file "link": Permission denied.
cleartool: Error: Unable to set config spec.
[exit 1]
$ cleartool setcs -tag theirs spec
"#;
    check_outside(&project, &transcript.replace("AS_OTHER", AS_OTHER));
}

#[test]
fn a_tilde_is_the_callers_home_directory() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let home = |user: &str| {
        let entry =
            project.world.sh(project.world.root(), &format!("getent passwd {user} | cut -d: -f6")).ok();
        entry.trim().to_owned()
    };
    let (own, theirs) = (home("0"), home("1"));
    assert_ne!(own, theirs);
    let transcript = r#"
$ printf 'element ~/src/... /main/LATEST\n' > spec; cleartool setcs -tag v spec
cleartool: Error: WORLD/spec:1:9: pattern is in no registered VOB.
cleartool: Error: No registered VOB tag in path: "OWN/src/...".
cleartool: Error: Config spec semantic processing failed.
[exit 1]
$ AS_OTHER cleartool mkview -tag theirs > /dev/null; AS_OTHER cleartool setcs -tag theirs spec
cleartool: Error: WORLD/spec:1:9: pattern is in no registered VOB.
cleartool: Error: No registered VOB tag in path: "THEIRS/src/...".
cleartool: Error: Config spec semantic processing failed.
[exit 1]
"#;
    let transcript = transcript.replace("AS_OTHER", AS_OTHER).replace("OWN", &own).replace("THEIRS", &theirs);
    check_outside(&project, &transcript);
}

#[test]
fn catcs_prints_every_byte_also_of_a_view_that_is_not_started() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ printf '# \377\t\r\n\n##:Key: value\nelement * CHECKEDOUT # all\n element  *\t/main/LATEST' > spec
$ cleartool setcs -tag v spec; cleartool catcs -tag v | cmp - spec
$ cleartool endview v; cleartool catcs -tag v | cmp - spec
$ cleartool setcs -tag v spec
cleartool: Error: View "v" is not started: use startview.
[exit 1]
$ EDITOR='touch was_run;' cleartool edcs -tag v; ls was_run
cleartool: Error: View "v" is not started: use startview.
ls: cannot access 'was_run': No such file or directory
[exit 2]
$ cleartool catcs
cleartool: Error: Cannot get view info for current view: not a ClearCase object.
[exit 1]
$ cleartool catcs -tag nobody
cleartool: Error: No matching entries found for view tag "nobody".
[exit 1]
"#,
    );
}

#[test]
fn the_working_directorys_view_goes_before_the_set_one_with_a_warning() {
    let project = open_project();
    project.world.make_view("w");
    project.check(
        r#"
$ echo 'element * /main/1' > spec; CLEARCASE_ROOT=$CLERESTORY_VIEWROOT/w cleartool setcs spec
cleartool: Warning: Using working directory view "v" instead of set view "w".
$ CLEARCASE_ROOT=$CLERESTORY_VIEWROOT/w cleartool catcs
cleartool: Warning: Using working directory view "v" instead of set view "w".
element * /main/1
$ CLEARCASE_ROOT=$CLERESTORY_VIEWROOT/w EDITOR='sed -i s/1/2/' cleartool edcs < /dev/null
cleartool: Warning: Using working directory view "v" instead of set view "w".
Set config spec for view "v"?  [yes] 
$ CLEARCASE_ROOT=$CLERESTORY_VIEWROOT/v cleartool catcs; CLEARCASE_ROOT=$CLERESTORY_VIEWROOT/w cleartool catcs -tag v
element * /main/2
element * /main/2
$ cd / && CLEARCASE_ROOT=$CLERESTORY_VIEWROOT/w cleartool catcs
element * CHECKEDOUT
element * /main/LATEST
"#,
    );
}

#[test]
fn setcs_takes_one_config_spec() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ cleartool setcs -tag v -stream
cleartool: Error: Option -stream is not supported yet.
[exit 1]
$ cleartool setcs -tag v
cleartool: Error: Config spec file name required
Usage: setcs [-tag view-tag] {-current | -default | pname}
[exit 1]
$ cleartool setcs -tag v -current -default
cleartool: Error: Options -current and -default are mutually exclusive
Usage: setcs [-tag view-tag] {-current | -default | pname}
[exit 1]
$ cleartool setcs -tag v -cur spec
cleartool: Error: One config spec required
Usage: setcs [-tag view-tag] {-current | -default | pname}
[exit 1]
$ truncate -s 16777217 large; cleartool setcs -tag v large
cleartool: Error: Unable to access "large": File too large.
[exit 1]
$ cleartool setcs -tag v home
cleartool: Error: Unable to access "home": Is a directory.
[exit 1]
$ echo 'element * /main/1' | cleartool setcs -tag v /dev/stdin; cleartool catcs -tag v
element * /main/1
"#,
    );
}

#[test]
fn a_new_view_has_the_sites_default() {
    let project = open_project();
    check_outside(
        &project,
        r#"
$ printf '# ours\nelement * /main/1\n' > home/default_config_spec; cleartool mkview -tag new > /dev/null
$ cleartool catcs -tag new; cat view/new/vobs/x/foo.c; cleartool catcs -tag v
# ours
element * /main/1
one
element * CHECKEDOUT
element * /main/LATEST
$ printf 'elephant\nelement /nowhere/... /main/1\n' > home/default_config_spec; ls home/views > before
$ cleartool mkview -tag another
cleartool: Error: WORLD/home/default_config_spec:1:1: unknown rule "elephant" (expected element, mkbranch, time, end, include or load).
cleartool: Error: WORLD/home/default_config_spec:2:9: pattern is in no registered VOB.
cleartool: Error: No registered VOB tag in path: "/nowhere/...".
cleartool: Error: Config spec semantic processing failed.
cleartool: Error: Unable to create view "another".
[exit 1]
$ cleartool lsview -short; ls home/views | diff before -; ls view
new
v
new
v
$ cleartool setcs -tag new -default
cleartool: Error: WORLD/home/default_config_spec:1:1: unknown rule "elephant" (expected element, mkbranch, time, end, include or load).
cleartool: Error: WORLD/home/default_config_spec:2:9: pattern is in no registered VOB.
cleartool: Error: No registered VOB tag in path: "/nowhere/...".
cleartool: Error: Config spec semantic processing failed.
cleartool: Error: Unable to set config spec.
[exit 1]
$ rm home/default_config_spec; cleartool setcs -tag new -default; cleartool catcs -tag new
element * CHECKEDOUT
element * /main/LATEST
"#,
    );
}

#[test]
fn ls_shows_the_selector_and_where_a_branch_type_comes_from() {
    let project = open_project();
    project.check(
        r#"
$ printf 'element foo.c /main/LATEST -mkbranch br\nmkbranch fix\nelement src /main/1\nend mkbranch\nelement * /main/LATEST -time now\n' > spec
$ cleartool setcs spec; cleartool ls
foo.c@@/main/2                                           Rule: /main/LATEST -mkbranch br
lost+found@@/main/0                                      Rule: /main/LATEST
spec
src@@/main/1                                             Rule: /main/1 [-mkbranch fix]
"#,
    );
}
