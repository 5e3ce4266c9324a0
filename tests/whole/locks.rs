//! Locks: sessions with the product's messages and exit codes, and what locks prevent.

use crate::config_specs::open_project;
use crate::project::Project;

/// A small project that other users can reach, with a filter `MASK` for dates.
#[track_caller]
fn project() -> Project {
    let project = open_project();
    let filter = project.world.root().join("bin/MASK");
    let script =
        "#!/bin/sh\nsed -E 's/^(--|[0-9]{4}-)[0-9-]+T[0-9:+-]+ +/DATE /; s/ created .* by .*/ created/'\n";
    std::fs::write(&filter, script).expect("the filter can be written");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&filter, executable).expect("the filter can be made executable");
    project
}

#[test]
fn objects_are_locked_once_and_listed() {
    project().check(
        r#"
$ cleartool mklbtype -nc REL1 REL2; cleartool mkbrtype -nc br; cleartool mkbranch -nc -nco br foo.c
Created label type "REL1".
Created label type "REL2".
Created branch type "br".
Created branch "br" from "foo.c" version "/main/2".
$ cleartool lock lbtype:REL1 brtype:br foo.c src foo.c@@/main/br eltype:text_file vob:/vobs/x
Locked label type "REL1".
Locked branch type "br".
Locked file element "foo.c".
Locked directory element "src".
Locked branch "foo.c@@/main/br".
Locked element type "text_file".
Locked versioned object base "/vobs/x".
$ cleartool unlock vob:.
Unlocked versioned object base "/vobs/x".
$ cleartool lock lbtype:REL1 lbtype:NONE foo.c@@/main/1 foo.c@@ nothing private lbtype:REL2 lbtype:REL2; echo $?
cleartool: Error: Object is already locked.
cleartool: Error: Unable to lock label type "REL1".
cleartool: Error: Label type not found: "NONE".
cleartool: Error: Unable to lock "NONE".
cleartool: Error: Only VOBs, type objects, elements and branches can be locked.
cleartool: Error: Unable to lock "foo.c@@/main/1".
cleartool: Error: Object is already locked.
cleartool: Error: Unable to lock file element "foo.c".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to lock "nothing".
cleartool: Error: Unable to access "private": No such file or directory.
cleartool: Error: Unable to lock "private".
Locked label type "REL2".
cleartool: Error: "REL2" is named more than once.
cleartool: Error: Unable to lock label type "REL2".
1
$ cleartool lock -replace -c 'for a while' -nusers root lbtype:REL1
Locked label type "REL1".
$ cleartool lslock | MASK
DATE root       lock branch type "br" (locked)
  "Locked for all users."
DATE root       lock label type "REL1" (locked)
  "Locked except for users: root
   for a while"
DATE root       lock label type "REL2" (locked)
  "Locked for all users."
DATE root       lock element type "text_file" (locked)
  "Locked for all users."
DATE root       lock file element "WORLD/view/v/vobs/x/foo.c@@" (locked)
  "Locked for all users."
DATE root       lock branch "WORLD/view/v/vobs/x/foo.c@@/main/br" (locked)
  "Locked for all users."
DATE root       lock directory element "WORLD/view/v/vobs/x/src@@" (locked)
  "Locked for all users."
$ cleartool lslock -short lbtype:REL1 foo.c src@@ foo.c@@/main foo.c@@/main/br lbtype:NONE
REL1
foo.c@@
src@@
foo.c@@/main/br
cleartool: Error: Label type not found: "NONE".
[exit 1]
$ cleartool lslock -all -short foo.c
br
REL1
REL2
text_file
WORLD/view/v/vobs/x/foo.c@@
WORLD/view/v/vobs/x/foo.c@@/main/br
WORLD/view/v/vobs/x/src@@
$ cleartool describe lbtype:REL1 foo.c@@ foo.c@@/main/br | grep locked
label type "REL1" (locked)
file element "foo.c@@" (locked)
branch "foo.c@@/main/br" (locked)
$ cleartool unlock lbtype:REL1 lbtype:REL1 foo.c src/bar.c
Unlocked label type "REL1".
cleartool: Error: "REL1" is named more than once.
cleartool: Error: Unable to unlock label type "REL1".
Unlocked file element "foo.c".
cleartool: Error: Object is not locked.
cleartool: Error: Unable to unlock file element "src/bar.c".
[exit 1]
$ cleartool lock pool:sdft
cleartool: Error: Pools and replicas cannot be locked yet: "pool:sdft".
[exit 1]
$ cleartool lock -nusers nobody_here foo.c
cleartool: Error: Unknown user: "nobody_here".
cleartool: Error: Unable to lock "foo.c".
[exit 1]
$ cleartool lock -nusers root -obsolete foo.c
cleartool: Error: Options -nusers and -obsolete are mutually exclusive
Usage: lock [-replace] [-nusers login-name[,...] | -obsolete]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       [-pname] {pname | object-selector} ...
[exit 1]
"#,
    );
}

#[test]
fn a_lock_binds_everybody_who_is_not_exempt_and_no_other_argument() {
    project().check(
        r#"
$ cleartool co -nc foo.c . && echo three >> foo.c && cleartool mklbtype -nc L && cleartool mkbrtype -nc br && cleartool lock foo.c
Checked out "foo.c" from version "/main/2".
Checked out "." from version "/main/1".
Created label type "L".
Created branch type "br".
Locked file element "foo.c".
$ cleartool ci -nc foo.c
cleartool: Error: Lock on file element "foo.c" prevents operation "checkin".
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool unco -rm foo.c; cat foo.c
cleartool: Error: Lock on file element "foo.c" prevents operation "uncheckout".
cleartool: Error: Unable to cancel checkout for "foo.c".
one
two
three
$ cleartool unreserve -nc foo.c
cleartool: Error: Lock on file element "foo.c" prevents operation "unreserve".
cleartool: Error: Unable to unreserve "foo.c".
[exit 1]
$ cleartool mkbranch -nco -nc br foo.c@@/main/1 src/bar.c
cleartool: Error: Lock on file element "foo.c" prevents operation "make branch".
cleartool: Error: Unable to create branch "br" from "foo.c" version "/main/1".
Created branch "br" from "src/bar.c" version "/main/1".
[exit 1]
$ cleartool mklabel -version /main/1 -nc L foo.c src/bar.c
cleartool: Error: Lock on file element "foo.c" prevents operation "make label".
cleartool: Error: Unable to create label "L" on "foo.c" version "/main/1".
Created label "L" on "src/bar.c" version "/main/1".
[exit 1]
$ cleartool unlock foo.c && cleartool lock src
Unlocked file element "foo.c".
Locked directory element "src".
$ cleartool co -nc src src/bar.c
cleartool: Error: Lock on directory element "src" prevents operation "checkout".
cleartool: Error: Unable to check out "src".
Checked out "src/bar.c" from version "/main/1".
[exit 1]
$ cleartool lock -replace -nusers root src && cleartool co -nc src && cleartool lock -replace src
Locked directory element "src".
Checked out "src" from version "/main/1".
Locked directory element "src".
$ echo new > src/new.c; cleartool mkelem -nc src/new.c; cleartool mkdir -nc src/sub; cleartool rmname -nc src/bar.c foo.c; cleartool mv src/bar.c src/baz.c; cleartool ln -s x src/link
cleartool: Error: Lock on directory element "src" prevents operation "modify directory".
cleartool: Error: Unable to create element "src/new.c".
cleartool: Error: Lock on directory element "src" prevents operation "modify directory".
cleartool: Error: Unable to create directory element "src/sub".
cleartool: Error: Lock on directory element "src" prevents operation "modify directory".
cleartool: Error: Unable to remove "src/bar.c".
cleartool: Error: Element "foo.c" has checkouts.
cleartool: Error: Unable to remove "foo.c".
cleartool: Error: Lock on directory element "src" prevents operation "modify directory".
cleartool: Error: Unable to move "src/bar.c" to "src/baz.c".
cleartool: Error: Lock on directory element "src" prevents operation "modify directory".
cleartool: Error: Unable to create link "src/link".
[exit 1]
$ cleartool lock -nusers daemon,bin brtype:br lbtype:L eltype:text_file
Locked branch type "br".
Locked label type "L".
Locked element type "text_file".
$ echo n > n.c; cleartool mkelem -nc n.c; cleartool mkelem -eltype file -nc n.c; cleartool ci -nc foo.c
cleartool: Error: Lock on element type "text_file" prevents operation "make element".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to create element "n.c".
Created element "n.c" (type "file").
Checked out "n.c" from version "/main/0".
cleartool: Error: Lock on element type "text_file" prevents operation "checkin".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool unlock eltype:text_file && cleartool mkbranch -nc -nco br foo.c@@/main/1
Unlocked element type "text_file".
cleartool: Error: Lock on branch type "br" prevents operation "make branch".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to create branch "br" from "foo.c" version "/main/1".
[exit 1]
$ cleartool unco -rm src/bar.c && cleartool co -nc -branch br src/bar.c
Checkout cancelled for "src/bar.c".
cleartool: Error: Lock on branch type "br" prevents operation "checkout".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to check out "src/bar.c".
[exit 1]
$ cleartool mklabel -nc L src/bar.c; cleartool rmlabel -nc L src/bar.c; cleartool rename lbtype:L M; cleartool rmtype -rmall -force lbtype:L; cleartool mklbtype -nc -replace -pbranch L
cleartool: Error: Lock on label type "L" prevents operation "make label".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to create label "L" on "src/bar.c".
cleartool: Error: Lock on label type "L" prevents operation "remove label".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to remove label "L" from "src/bar.c".
cleartool: Error: Lock on label type "L" prevents operation "rename type".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to rename label type "L".
cleartool: Error: Lock on label type "L" prevents operation "remove type".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to remove label type "L".
cleartool: Error: Lock on label type "L" prevents operation "redefine type".
cleartool: Error: Object locked except for users: daemon bin.
cleartool: Error: Unable to create label type "L".
[exit 1]
$ cleartool lock vob:/vobs/x && cleartool describe vob:. | head -1
Locked versioned object base "/vobs/x".
versioned object base "/vobs/x" (locked)
$ cleartool co -nc src/bar.c; cleartool mklbtype -nc X; cleartool lock src/bar.c; cleartool unlock lbtype:L; cat foo.c
cleartool: Error: Lock on VOB database "/vobs/x" prevents all write operations.
cleartool: Error: Unable to check out "src/bar.c".
cleartool: Error: Lock on VOB database "/vobs/x" prevents all write operations.
cleartool: Error: Unable to create label type "X".
cleartool: Error: Lock on VOB database "/vobs/x" prevents all write operations.
cleartool: Error: Unable to lock file element "src/bar.c".
cleartool: Error: Lock on VOB database "/vobs/x" prevents all write operations.
cleartool: Error: Unable to unlock label type "L".
one
two
three
$ cleartool lock -replace -nusers root vob:/vobs/x && cleartool ci -nc foo.c
Locked versioned object base "/vobs/x".
Checked in "foo.c" version "/main/3".
"#,
    );
}

#[test]
fn a_locked_branch_stops_only_what_happens_on_it() {
    project().check(
        r#"
$ cleartool mkbrtype -nc br && cleartool mklbtype -nc L && cleartool mkbranch -nc -nco br foo.c && cleartool lock foo.c@@/main/br
Created branch type "br".
Created label type "L".
Created branch "br" from "foo.c" version "/main/2".
Locked branch "foo.c@@/main/br".
$ cleartool co -nc -branch br foo.c; cleartool mklabel -nc -version /main/br/0 L foo.c
cleartool: Error: Lock on branch "foo.c@@/main/br" prevents operation "checkout".
cleartool: Error: Unable to check out "foo.c".
cleartool: Error: Lock on branch "foo.c@@/main/br" prevents operation "make label".
cleartool: Error: Unable to create label "L" on "foo.c" version "/main/br/0".
[exit 1]
$ cleartool co -nc foo.c && cleartool unco -rm foo.c && cleartool mklabel -nc L foo.c
Checked out "foo.c" from version "/main/2".
Checkout cancelled for "foo.c".
Created label "L" on "foo.c" version "/main/2".
"#,
    );
    let project = project();
    project.sh("cleartool mkbrtype -nc br && cleartool lock brtype:br");
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement -file * /main/LATEST -mkbranch br\nelement * /main/LATEST\n",
    );
    project.check(
        r#"
$ cleartool co -nc foo.c; cleartool ls -short foo.c
cleartool: Error: Lock on branch type "br" prevents operation "make branch".
cleartool: Error: Unable to create branch requested by -mkbranch option in config spec.
cleartool: Error: Unable to check out "foo.c".
foo.c@@/main/2
"#,
    );
}

#[test]
fn obsolete_types_are_hidden_and_still_mean_what_they_meant() {
    project().check(
        r#"
$ cleartool mklbtype -nc OLD NEW && cleartool mklabel -nc OLD foo.c && cleartool lock -obsolete lbtype:OLD && cleartool lock lbtype:NEW
Created label type "OLD".
Created label type "NEW".
Created label "OLD" on "foo.c" version "/main/2".
Locked label type "OLD".
Locked label type "NEW".
$ cleartool lstype -kind lbtype | MASK
DATE root       label type "NEW" (locked)
$ cleartool lstype -short -kind lbtype; cleartool lstype -short -obsolete -kind lbtype; cleartool lstype lbtype:OLD | MASK
NEW
NEW
OLD
DATE root       label type "OLD" (obsolete)
$ cleartool lslock | MASK; cleartool lslock -obsolete | MASK; cleartool lslock lbtype:OLD | MASK
DATE root       lock label type "NEW" (locked)
  "Locked for all users."
DATE root       lock label type "NEW" (locked)
  "Locked for all users."
DATE root       lock label type "OLD" (obsolete)
  "Locked for all users."
DATE root       lock label type "OLD" (obsolete)
  "Locked for all users."
$ cleartool describe lbtype:OLD | head -1; cat foo.c@@/OLD
label type "OLD" (obsolete)
one
two
$ cleartool mklabel -nc OLD src/bar.c
cleartool: Error: Lock on label type "OLD" prevents operation "make label".
cleartool: Error: Unable to create label "OLD" on "src/bar.c".
[exit 1]
"#,
    );
}

#[test]
fn obsolete_branches_are_left_out_of_version_trees() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc old new && cleartool mkbranch -nc -nco -version /main/1 old foo.c && \
         cleartool mkbranch -nc -nco new foo.c@@/main/old/0 && cleartool mkbranch -nc -nco new src/bar.c && \
         cleartool mkbranch -nc old src/bar.c@@/main/new/0 && cleartool lock -nc -obsolete brtype:old",
    );
    project.check(
        r#"
$ cleartool lsvtree -all foo.c src/bar.c; cleartool lsvtree -all -obsolete foo.c src/bar.c
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
src/bar.c@@/main
src/bar.c@@/main/0
src/bar.c@@/main/1
src/bar.c@@/main/new
src/bar.c@@/main/new/0
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/old
foo.c@@/main/old/0
foo.c@@/main/old/new
foo.c@@/main/old/new/0
foo.c@@/main/2
src/bar.c@@/main
src/bar.c@@/main/0
src/bar.c@@/main/1
src/bar.c@@/main/new
src/bar.c@@/main/new/0
src/bar.c@@/main/new/old
src/bar.c@@/main/new/old/0
src/bar.c@@/main/new/old/CHECKEDOUT view "v"
$ cleartool lsvtree -branch old foo.c; cleartool lsvtree foo.c@@/main/old/new; cat foo.c@@/main/old/LATEST
foo.c@@/main/old
foo.c@@/main/old/0
foo.c@@/main/old/new
foo.c@@/main/old/new/0
foo.c@@/main/old/new
foo.c@@/main/old/new/0
one
$ cleartool unlock brtype:old; cleartool lock -obsolete foo.c@@/main/old/new; cleartool lsvtree foo.c
Unlocked branch type "old".
Locked branch "foo.c@@/main/old/new".
foo.c@@/main
foo.c@@/main/1
foo.c@@/main/old
foo.c@@/main/old/0
foo.c@@/main/2
"#,
    );
}

#[test]
fn who_may_lock() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = project();
    project
        .sh("cleartool mklbtype -nc L && cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c");
    let other = "setpriv --reuid 1 --regid 1 --clear-groups cleartool";
    project.check(
        &r#"
$ OTHER lock foo.c lbtype:L vob:. foo.c@@/main/br
cleartool: Error: No permission to perform operation "lock".
cleartool: Error: Must be one of: element owner, VOB owner, root
cleartool: Error: Unable to lock file element "foo.c".
cleartool: Error: No permission to perform operation "lock".
cleartool: Error: Must be one of: type owner, VOB owner, root
cleartool: Error: Unable to lock label type "L".
cleartool: Error: No permission to perform operation "lock".
cleartool: Error: Must be one of: VOB owner, root
cleartool: Error: Unable to lock versioned object base "/vobs/x".
cleartool: Error: No permission to perform operation "lock".
cleartool: Error: Must be one of: branch creator, element owner, VOB owner, root
cleartool: Error: Unable to lock branch "foo.c@@/main/br".
[exit 1]
$ OTHER mklbtype -nc MINE && OTHER lock -nc lbtype:MINE && OTHER unlock lbtype:MINE
Created label type "MINE".
Locked label type "MINE".
Unlocked label type "MINE".
$ cleartool lock -nusers daemon vob:. && OTHER mklbtype -nc MINE2; cleartool mklbtype -nc MINE3
Locked versioned object base "/vobs/x".
Created label type "MINE2".
cleartool: Error: Lock on VOB database "/vobs/x" prevents all write operations.
cleartool: Error: Object locked except for users: daemon.
cleartool: Error: Unable to create label type "MINE3".
[exit 1]
"#
        .replace("OTHER", other),
    );
}
