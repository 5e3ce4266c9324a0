//! Triggers: what fires for which operation, in which environment, and what a refusal leaves.

use std::os::unix::fs::PermissionsExt;

use crate::config_specs::open_project;
use crate::project::Project;
use crate::world::World;

/// A small project with programs for triggers: each is a name and its text.
#[track_caller]
pub fn project(wanted: &[(&str, &str)]) -> Project {
    let project = open_project();
    programs(&project.world, wanted);
    project
}

/// Puts programs where commands find them, and MASK, which hides what differs from run to run.
#[track_caller]
pub fn programs(world: &World, programs: &[(&str, &str)]) {
    let mask = ("MASK", "#!/bin/sh\nsed -E 's/ created .* by .*/ created/; s/PPID=[0-9]+/PPID=N/'\n");
    for (name, text) in programs.iter().copied().chain([mask]) {
        let path = world.root().join("bin").join(name);
        std::fs::write(&path, text).expect("the program can be written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("it can be made executable");
    }
}

/// Says that it ran, for what.
const SAY: (&str, &str) = (
    "SAY",
    "#!/bin/sh\necho \"$CLEARCASE_TRTYPE_KIND $CLEARCASE_OP_KIND${CLEARCASE_POP_KIND:+ in $CLEARCASE_POP_KIND} \
     ${CLEARCASE_XPN##*/x/}\"\n",
);
/// Refuses.
const NO: (&str, &str) = ("NO", "#!/bin/sh\necho \"no ${CLEARCASE_OP_KIND}\" >&2\nexit 1\n");
/// Prints its environment.
const DUMP: (&str, &str) =
    ("DUMP", "#!/bin/sh\nenv | grep '^CLEARCASE_' | grep -v '^CLEARCASE_ROOT' | LC_ALL=C sort\n");

#[test]
fn a_trigger_before_an_operation_refuses_it_and_nothing_is_changed() {
    project(&[NO]).check(
        r#"
$ cleartool mktrtype -nc -element -all -preop checkout,uncheckout,mkelem,mklabel,mkbranch,mkattr,mkhlink -exec NO VETO
Created trigger type "VETO".
$ cleartool co -nc foo.c
no checkout
cleartool: Warning: Trigger "VETO" has refused to let checkout proceed.
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cleartool mklbtype -nc L; cleartool mkbrtype -nc b; cleartool mkattype -nc A; cleartool mkhltype -nc H
Created label type "L".
Created branch type "b".
Created attribute type "A".
Created hyperlink type "H".
$ cleartool mklabel -nc L foo.c
no mklabel
cleartool: Warning: Trigger "VETO" has refused to let mklabel proceed.
cleartool: Error: Unable to create label "L" on "foo.c" version "/main/2".
[exit 1]
$ cleartool mkbranch -nc b foo.c
no mkbranch
cleartool: Warning: Trigger "VETO" has refused to let mkbranch proceed.
cleartool: Error: Unable to create branch "b" from "foo.c" version "/main/2".
[exit 1]
$ cleartool mkattr -nc A '"v"' foo.c
no mkattr
cleartool: Warning: Trigger "VETO" has refused to let mkattr proceed.
cleartool: Error: Unable to create attribute "A" on "foo.c@@/main/2".
[exit 1]
$ cleartool mkhlink -nc H foo.c src/bar.c
no mkhlink
cleartool: Warning: Trigger "VETO" has refused to let mkhlink proceed.
cleartool: Error: Unable to create hyperlink "H" from "foo.c".
[exit 1]
$ cleartool lsvtree foo.c; cleartool lsco -short -all; cleartool describe -short -alabel -all foo.c
foo.c@@/main
foo.c@@/main/2
$ cleartool rename trtype:VETO trtype:STOP; cleartool lock trtype:STOP; cleartool co -nc foo.c
Renamed trigger type from "VETO" to "STOP".
Locked trigger type "STOP".
Checked out "foo.c" from version "/main/2".
$ cleartool unlock trtype:STOP; cleartool unco -rm foo.c
Unlocked trigger type "STOP".
no uncheckout
cleartool: Warning: Trigger "STOP" has refused to let uncheckout proceed.
cleartool: Error: Unable to cancel checkout for "foo.c".
[exit 1]
$ cleartool rmtype -nc trtype:STOP; cleartool unco -rm foo.c
Removed trigger type "STOP".
Checkout cancelled for "foo.c".
"#,
    );
}

#[test]
fn one_refusal_cancels_what_is_atomic_and_only_its_own_argument_elsewhere() {
    let only = ("ONLY", "#!/bin/sh\ncase \"$CLEARCASE_PN\" in */bar.c|*/two) exit 1;; esac\n");
    project(&[only]).check(
        r#"
$ cleartool mktrtype -nc -element -all -preop MODIFY_DATA -exec ONLY T
Created trigger type "T".
$ cleartool co -nc foo.c src/bar.c src
cleartool: Warning: Trigger "T" has refused to let checkout proceed.
Checked out "foo.c" from version "/main/2".
cleartool: Error: Unable to check out "src/bar.c".
Checked out "src" from version "/main/1".
[exit 1]
$ cd src; cleartool mkelem -nc one two three
cleartool: Warning: Trigger "T" has refused to let mkelem proceed.
Created element "one" (type "text_file").
Checked out "one" from version "/main/0".
cleartool: Error: Unable to create element "two".
Created element "three" (type "text_file").
Checked out "three" from version "/main/0".
[exit 1]
$ ls src; cleartool lsco -short -all | sed 's,.*/x/,,' | sort
bar.c
one
three
foo.c
src
src/one
src/three
$ cleartool lock -nusers nobody trtype:T; cleartool co -nc src/bar.c; cleartool unlock trtype:T
Locked trigger type "T".
Checked out "src/bar.c" from version "/main/1".
Unlocked trigger type "T".
$ echo more >> foo.c; echo more >> src/bar.c; cleartool ci -nc foo.c src/bar.c
cleartool: Warning: Trigger "T" has refused to let checkin proceed.
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: Unable to check in "src/bar.c".
[exit 1]
$ cat foo.c; cleartool ci -nonatomic -nc foo.c src/bar.c
one
two
more
cleartool: Warning: Trigger "T" has refused to let checkin proceed.
Checked in "foo.c" version "/main/3".
cleartool: Error: Unable to check in "src/bar.c".
[exit 1]
"#,
    );
}

#[test]
fn operations_that_belong_together_fire_in_order() {
    project(&[SAY]).check(
        r#"
$ cleartool mktrtype -nc -element -all -preop MODIFY_DATA -exec SAY BEFORE; cleartool mktrtype -nc -element -all -postop MODIFY_DATA -exec SAY AFTER
Created trigger type "BEFORE".
Created trigger type "AFTER".
$ cleartool co -nc src
pre-operation checkout src@@/main/1
post-operation checkout src@@/main/CHECKEDOUT
Checked out "src" from version "/main/1".
$ cleartool mkelem -nc src/new
pre-operation mkelem src/new@@
pre-operation checkout in mkelem src/new@@/main/0
pre-operation lnname in mkelem src/new@@
post-operation mkelem src/new@@/main/0
post-operation checkout in mkelem src/new@@/main/CHECKEDOUT
post-operation lnname in mkelem src/new@@
Created element "src/new" (type "text_file").
Checked out "src/new" from version "/main/0".
$ cleartool ln -s new src/link
pre-operation mkslink src/link@@
pre-operation lnname in mkslink src/link@@
post-operation mkslink src/link@@
post-operation lnname in mkslink src/link@@
Link created: "src/link".
$ cleartool mv src/new src/newer
pre-operation rmname in lnname src/new@@
pre-operation lnname in rmname src/newer@@
post-operation rmname in lnname src/new@@
post-operation lnname in rmname src/newer@@
Moved "src/new" to "src/newer".
$ echo x > src/newer; cleartool ci -nc src/newer
pre-operation checkin src/newer@@/main/CHECKEDOUT
post-operation checkin src/newer@@/main/1
Checked in "src/newer" version "/main/1".
$ cleartool rmname -nc src/link
pre-operation rmname src/link@@
post-operation rmname src/link@@
Removed "src/link".
$ cleartool unreserve -nc src; cleartool reserve -nc src
pre-operation unreserve src@@/main/CHECKEDOUT
post-operation unreserve src@@/main/CHECKEDOUT
Changed checkout to unreserved for "src" branch "/main".
pre-operation reserve src@@/main/CHECKEDOUT
post-operation reserve src@@/main/CHECKEDOUT
Changed checkout to reserved for "src" branch "/main".
$ cleartool ci -nc src; cleartool mkbrtype -nc b; cleartool mkbranch -nc b src/newer; cleartool unco -rm src/newer
pre-operation checkin src@@/main/CHECKEDOUT
post-operation checkin src@@/main/2
Checked in "src" version "/main/2".
Created branch type "b".
pre-operation mkbranch src/newer@@/main/1
pre-operation checkout in mkbranch src/newer@@/main/b/0
post-operation mkbranch src/newer@@/main/b
post-operation checkout in mkbranch src/newer@@/main/b/CHECKEDOUT
Created branch "b" from "src/newer" version "/main/1".
Checked out "src/newer" from version "/main/b/0".
pre-operation uncheckout src/newer@@/main/b/CHECKEDOUT
post-operation uncheckout src/newer@@/main/b/CHECKEDOUT
Checkout cancelled for "src/newer".
cleartool: Warning: This uncheckout left only version zero on branch "/main/b".
$ cleartool chtype -nc -force compressed_file src/newer; cleartool protect -chmod 755 src/newer
pre-operation chtype src/newer@@
post-operation chtype src/newer@@
Changed type of element "src/newer" to "compressed_file".
pre-operation protect src/newer@@
post-operation protect src/newer@@
Changed protection on "src/newer".
$ cleartool rmbranch -force -nc src/newer@@/main/b; cleartool rmver -force -nc src/newer@@/main/1; cleartool rmelem -force -nc src/newer
pre-operation rmbranch src/newer@@/main/b
post-operation rmbranch src/newer@@/main/b
Removed branch "src/newer@@/main/b".
pre-operation rmver src/newer@@/main/1
post-operation rmver src/newer@@/main/1
Removed versions of "src/newer".
pre-operation rmelem src/newer@@
post-operation rmelem src/newer@@
Removed element "src/newer".
"#,
    );
}

#[test]
fn actions_find_in_their_environment_what_the_operation_is() {
    project(&[DUMP]).check(
        r#"
$ cleartool mktrtype -nc -element -all -preop checkout,mkelem -exec DUMP T; cleartool mktrtype -nc -element -all -postop checkin,mklabel,mkattr,mkhlink,lnname -exec DUMP U
Created trigger type "T".
Created trigger type "U".
$ cleartool co -unr -c 'why not' foo.c | MASK
CLEARCASE_BRTYPE=main
CLEARCASE_CMDLINE=co -unr -c why not foo.c
CLEARCASE_COMMENT=why not
CLEARCASE_ELTYPE=text_file
CLEARCASE_ID_STR=/main/2
CLEARCASE_MTYPE=version
CLEARCASE_OP_KIND=checkout
CLEARCASE_PN=WORLD/view/v/vobs/x/foo.c
CLEARCASE_PPID=N
CLEARCASE_RESERVED=0
CLEARCASE_TRTYPE_KIND=pre-operation
CLEARCASE_USER=root
CLEARCASE_VIEW_KIND=dynamic
CLEARCASE_VIEW_TAG=v
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XN_SFX=@@
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/2
Checked out "foo.c" from version "/main/2".
$ echo x > /tmp/triggers.$$; cleartool ci -rm -c done -from /tmp/triggers.$$ foo.c | MASK | sed 's,/tmp/triggers.*,FILE,'; rm /tmp/triggers.$$
CLEARCASE_BRTYPE=main
CLEARCASE_CI_FPN=FILE
CLEARCASE_CMDLINE=ci -rm -c done -from FILE
CLEARCASE_COMMENT=done
CLEARCASE_ELTYPE=text_file
CLEARCASE_ID_STR=/main/3
CLEARCASE_MTYPE=version
CLEARCASE_OP_KIND=checkin
CLEARCASE_PN=WORLD/view/v/vobs/x/foo.c
CLEARCASE_PPID=N
CLEARCASE_RESERVED=0
CLEARCASE_TRTYPE_KIND=post-operation
CLEARCASE_USER=root
CLEARCASE_VIEW_KIND=dynamic
CLEARCASE_VIEW_TAG=v
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XN_SFX=@@
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/3
Checked in "foo.c" version "/main/3".
$ cleartool mklbtype -nc L; cleartool mkattype -nc A; cleartool mkhltype -nc H
Created label type "L".
Created attribute type "A".
Created hyperlink type "H".
$ cleartool mklabel -nc L foo.c | grep -E 'LBTYPE|REPLACE|XPN|Created'; cleartool mklabel -nc -replace -version /main/1 L foo.c | grep -E 'REPLACE|Moved'
CLEARCASE_LBTYPE=L
CLEARCASE_REPLACE=0
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/3
Created label "L" on "foo.c" version "/main/3".
CLEARCASE_REPLACE=1
Moved label "L" on "foo.c" from version "/main/3" to "/main/1".
$ cleartool mkattr -nc A '"some value"' foo.c | grep -E 'ATTYPE|VAL|Created'
CLEARCASE_ATTYPE=A
CLEARCASE_VAL="some value"
Created attribute "A" on "foo.c@@/main/3".
$ cleartool mkhlink -nc -ftext here -ttext there H foo.c src/bar.c@@ | grep -E 'HLTYPE|TEXT|XPN|IS_FROM|VOB_PN|MTYPE'
CLEARCASE_FTEXT=here
CLEARCASE_FVOB_PN=/vobs/x
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/3
CLEARCASE_HLTYPE=H
CLEARCASE_IS_FROM=1
CLEARCASE_MTYPE=version
CLEARCASE_TTEXT=there
CLEARCASE_TVOB_PN=/vobs/x
CLEARCASE_TXPN=WORLD/view/v/vobs/x/src/bar.c@@
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/3
CLEARCASE_FTEXT=here
CLEARCASE_FVOB_PN=/vobs/x
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/3
CLEARCASE_HLTYPE=H
CLEARCASE_IS_FROM=0
CLEARCASE_MTYPE=file element
CLEARCASE_TTEXT=there
CLEARCASE_TVOB_PN=/vobs/x
CLEARCASE_TXPN=WORLD/view/v/vobs/x/src/bar.c@@
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XPN=WORLD/view/v/vobs/x/src/bar.c@@
$ cleartool co -nc . | tail -1; cleartool mv foo.c f.c | grep -E 'PN2|POP|PN=|Moved'
Checked out "." from version "/main/1".
CLEARCASE_PN2=WORLD/view/v/vobs/x/foo.c
CLEARCASE_PN=WORLD/view/v/vobs/x/f.c
CLEARCASE_POP_KIND=rmname
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XPN=WORLD/view/v/vobs/x/f.c@@
Moved "foo.c" to "f.c".
"#,
    );
}

#[test]
fn restrictions_and_users_choose_what_fires() {
    project(&[SAY]).check(
        r#"
$ cleartool mkbrtype -nc b; cleartool mklbtype -nc L1 L2
Created branch type "b".
Created label type "L1".
Created label type "L2".
$ cleartool mktrtype -nc -element -all -preop mklabel -brtype b -lbtype L1 -exec SAY BOTH; cleartool mktrtype -nc -type -preop MODIFY_TYPE -lbtype L2 -exec SAY ONE; cleartool mktrtype -nc -element -all -preop mklabel -nusers nobody,root -exec SAY NOT_ROOT
Created trigger type "BOTH".
Created trigger type "ONE".
Created trigger type "NOT_ROOT".
$ cleartool mkbranch -nc -nco b foo.c; cleartool mklabel -nc L1 foo.c; cleartool mklabel -nc -replace -version /main/b/0 L1 foo.c
Created branch "b" from "foo.c" version "/main/2".
Created label "L1" on "foo.c" version "/main/2".
pre-operation mklabel foo.c@@/main/b/0
Moved label "L1" on "foo.c" from version "/main/2" to "/main/b/0".
$ cleartool mklabel -nc L2 foo.c; cleartool lock lbtype:L2; cleartool unlock lbtype:L2; cleartool rename lbtype:L2 lbtype:L3
pre-operation mklabel foo.c@@/main/2
Created label "L2" on "foo.c" version "/main/2".
pre-operation lock 
Locked label type "L2".
pre-operation unlock 
Unlocked label type "L2".
pre-operation rntype 
Renamed label type from "L2" to "L3".
$ cleartool rmtype -rmall -force -nc lbtype:L3
pre-operation rmlabel in rmtype foo.c@@/main/2
pre-operation rmtype 
Removed label type "L3".
$ cleartool mktrtype -nc -type -preop mktype -lbtype -all -exec false NO_LABELS; cleartool mklbtype -nc L4; cleartool mkbrtype -nc c
Created trigger type "NO_LABELS".
cleartool: Warning: Trigger "NO_LABELS" has refused to let mktype proceed.
cleartool: Error: Unable to create label type "L4".
Created branch type "c".
"#,
    );
}
