//! What `ls` and `lsprivate` say of an object in each state it can be in.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::config_specs::open_project;
use crate::project::Project;

/// In /vobs/x: a file in each state, named for it.
fn every_state() -> Project {
    let project = Project::empty();
    let files = "plain out removed hidden covered covered_out unselected failing outside";
    project.sh(&format!(
        "cleartool co -nc . && for f in {files}; do echo text > $f; done && cleartool mkelem -nc -ci {files} && \
         cleartool mkdir -nc dir && cleartool mkdir -nc outdir && cleartool ci -nc -identical dir outdir && \
         cleartool ci -nc . && cleartool co -nc out removed hidden covered_out outside outdir && \
         rm removed && mkdir pdir && echo x > pdir/in && echo x > pfile"
    ));
    let hiding = "element covered -none\nelement covered_out -none\n";
    project.world.set_spec("v", &[hiding, SPEC].concat());
    project.sh("echo mine > covered; echo mine > covered_out");
    project.world.set_spec("v", SPEC);
    project
}

const SPEC: &str = "element hidden /main/1\nelement outside -none\nelement unselected -none\nelement failing -error\n\
                    element * CHECKEDOUT\nelement * /main/LATEST\n";

#[test]
fn ls_tells_the_state_of_every_object() {
    every_state().check(
        r#"
$ cleartool ls
covered
covered@@ [eclipsed]
covered_out
covered_out@@ [eclipsed]
covered_out@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
dir@@/main/1                                             Rule: /main/LATEST
failing@@ [error on reference]                           Rule: -error
hidden@@/main/1                                          Rule: /main/1
hidden@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
lost+found@@/main/0                                      Rule: /main/LATEST
out@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
outdir@@/main/CHECKEDOUT from /main/1                    Rule: CHECKEDOUT
outside@@ [no version selected]                          Rule: -none
outside@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
pdir
pfile
plain@@/main/1                                           Rule: /main/LATEST
removed@@/main/CHECKEDOUT from /main/1 [checkedout but removed]
unselected@@ [no version selected]                       Rule: -none
"#,
    );
}

#[test]
fn ls_shows_what_its_options_ask_for() {
    every_state().check(
        r#"
$ cleartool ls -vob_only
covered@@ [eclipsed]
covered_out@@ [eclipsed]
dir@@/main/1                                             Rule: /main/LATEST
failing@@ [error on reference]                           Rule: -error
hidden@@/main/1                                          Rule: /main/1
lost+found@@/main/0                                      Rule: /main/LATEST
out@@ [eclipsed by checkout]
outdir@@/main/CHECKEDOUT from /main/1                    Rule: CHECKEDOUT
outside@@ [no version selected]                          Rule: -none
plain@@/main/1                                           Rule: /main/LATEST
removed@@/main/CHECKEDOUT from /main/1 [checkedout but removed]
unselected@@ [no version selected]                       Rule: -none
$ cleartool ls -view_only
covered
covered_out
covered_out@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
hidden@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
out@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
outside@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
pdir
pfile
removed@@/main/CHECKEDOUT from /main/1 [checkedout but removed]
$ cleartool ls -visible
covered
covered_out
dir@@/main/1                                             Rule: /main/LATEST
failing@@ [error on reference]                           Rule: -error
hidden@@/main/1                                          Rule: /main/1
lost+found@@/main/0                                      Rule: /main/LATEST
out@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
outdir@@/main/CHECKEDOUT from /main/1                    Rule: CHECKEDOUT
pdir
pfile
plain@@/main/1                                           Rule: /main/LATEST
$ cleartool ls -short
covered
covered@@
covered_out
covered_out@@
covered_out@@/main/CHECKEDOUT
dir@@/main/1
failing@@
hidden@@/main/1
hidden@@/main/CHECKEDOUT
lost+found@@/main/0
out@@/main/CHECKEDOUT
outdir@@/main/CHECKEDOUT
outside@@
outside@@/main/CHECKEDOUT
pdir
pfile
plain@@/main/1
removed@@/main/CHECKEDOUT
unselected@@
$ cleartool ls -nxname
covered
covered
covered_out
covered_out
covered_out
dir
failing
hidden
hidden
lost+found
out
outdir
outside
outside
pdir
pfile
plain
removed
unselected
$ cleartool ls -long
view private object    covered
file element           covered@@ [eclipsed]
view private object    covered_out
file element           covered_out@@ [eclipsed]
version                covered_out@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
directory version      dir@@/main/1                           Rule: element * /main/LATEST
file element           failing@@ [error on reference]         Rule: element failing -error
version                hidden@@/main/1                        Rule: element hidden /main/1
version                hidden@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
directory version      lost+found@@/main/0                    Rule: element * /main/LATEST
version                out@@/main/CHECKEDOUT from /main/1     Rule: element * CHECKEDOUT
directory version      outdir@@/main/CHECKEDOUT from /main/1  Rule: element * CHECKEDOUT
file element           outside@@ [no version selected]        Rule: element outside -none
version                outside@@/main/CHECKEDOUT from /main/1 [checkedout but eclipsed]
view private object    pdir
view private object    pfile
version                plain@@/main/1                         Rule: element * /main/LATEST
version                removed@@/main/CHECKEDOUT from /main/1 [checkedout but removed]
file element           unselected@@ [no version selected]     Rule: element unselected -none
$ cleartool ls -short -visible -view_only
covered
covered_out
out@@/main/CHECKEDOUT
pdir
pfile
$ cleartool ls -d out outdir covered removed pdir
out@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
outdir@@/main/CHECKEDOUT from /main/1                    Rule: CHECKEDOUT
covered
covered@@ [eclipsed]
removed@@/main/CHECKEDOUT from /main/1 [checkedout but removed]
pdir
"#,
    );
}

#[test]
fn lsprivate_lists_private_objects_and_checked_out_files() {
    let project = every_state();
    project.check(
        r#"
$ echo deep > dir/inside; ln -s nowhere dir/link; cleartool lsprivate
/vobs/x/covered
/vobs/x/covered_out
/vobs/x/covered_out [checkedout]
/vobs/x/hidden [checkedout]
/vobs/x/out [checkedout]
/vobs/x/outside [checkedout]
/vobs/x/pdir
/vobs/x/pdir/in
/vobs/x/pfile
/vobs/x/dir/inside
/vobs/x/dir/link
$ cleartool lsp -short -co
/vobs/x/covered_out
/vobs/x/hidden
/vobs/x/out
/vobs/x/outside
$ cleartool lsprivate -other dir pdir
/vobs/x/pdir
/vobs/x/pdir/in
/vobs/x/dir/inside
/vobs/x/dir/link
$ cleartool lsprivate -do
$ cleartool lsprivate -long -invob vob:/vobs/x dir
cleartool: Error: Option -invob and pathnames are mutually exclusive
Usage: lsprivate [-tag view-tag] [-invob vob-selector | directory-pname ...]
       [-long | -short | -json] [-size] [-age] [-co] [-do] [-other]
[exit 1]
$ cleartool lsprivate -long -invob vob:/vobs/x
view private object    /vobs/x/covered
view private object    /vobs/x/covered_out
version                /vobs/x/covered_out@@/main/CHECKEDOUT from /main/1
version                /vobs/x/hidden@@/main/CHECKEDOUT from /main/1
version                /vobs/x/out@@/main/CHECKEDOUT from /main/1
version                /vobs/x/outside@@/main/CHECKEDOUT from /main/1
view private object    /vobs/x/pdir
view private object    /vobs/x/pdir/in
view private object    /vobs/x/pfile
view private object    /vobs/x/dir/inside
view private object    /vobs/x/dir/link
$ cleartool lsprivate -size -other dir
         5  /vobs/x/dir/inside
         7  /vobs/x/dir/link
Total: 2 objects, 12 bytes
$ cleartool lsprivate nowhere
cleartool: Error: Unable to access "nowhere": No such file or directory.
[exit 1]
$ cd /; cleartool lsprivate -tag v -co
WORLD/view/v/vobs/x/covered_out [checkedout]
WORLD/view/v/vobs/x/hidden [checkedout]
WORLD/view/v/vobs/x/out [checkedout]
WORLD/view/v/vobs/x/outside [checkedout]
$ cleartool lsprivate -tag nobody
cleartool: Error: No matching entries found for view tag "nobody".
[exit 1]
"#,
    );
}

#[test]
fn lsprivate_does_not_look_where_the_caller_may_not() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("mkdir -m 700 closed && echo x > closed/in && echo x > open");
    let other = "setpriv --reuid 1 --regid 1 --clear-groups cleartool";
    project.check(
        &r#"
$ OTHER lsprivate
/vobs/x/closed
cleartool: Error: Unable to access "/vobs/x/closed": Permission denied.
/vobs/x/open
[exit 1]
$ cd $HOME; umask 077; cleartool mkview -tag mine > /dev/null; OTHER lsprivate -tag mine
cleartool: Error: No permission to perform operation "list private files".
cleartool: Error: Must be one of: view owner, root
cleartool: Error: Unable to list private files for view "mine".
[exit 1]
"#
        .replace("OTHER", other),
    );
    let mode = fs::metadata(project.world.viewroot().join("mine")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o500);
}

#[test]
fn ten_thousand_private_files_are_listed() {
    let project = Project::small();
    let line =
        "mkdir -p src/tree && cd src/tree && seq 10000 | xargs touch && cleartool lsprivate -other . | wc -l";
    assert_eq!(project.sh(line).trim(), "10001");
    assert_eq!(fs::read_dir(project.directory.join("src/tree")).expect("listed").count(), 10000);
}
