//! Triggers of what merges do: the checkouts, the Merge hyperlinks and the checkins; and of operations within others.

use crate::findmerges::developed;
use crate::project::Project;
use crate::triggers::{programs, project};

/// Says that it ran, for what.
const SAY: (&str, &str) = (
    "SAY",
    "#!/bin/sh\necho \"$CLEARCASE_TRTYPE_KIND $CLEARCASE_OP_KIND${CLEARCASE_POP_KIND:+ in $CLEARCASE_POP_KIND} \
     ${CLEARCASE_XPN##*/x/}\"\n",
);
/// Prints its environment.
const DUMP: (&str, &str) =
    ("DUMP", "#!/bin/sh\nenv | grep '^CLEARCASE_' | grep -v '^CLEARCASE_ROOT' | LC_ALL=C sort\n");
/// Refuses for one operation and name.
const ONLY: (&str, &str) =
    ("ONLY", "#!/bin/sh\ncase \"$CLEARCASE_OP_KIND $CLEARCASE_PN\" in \"$1 \"*/\"$2\") exit 1;; esac\n");

/// As `developed`, with programs for triggers.
#[track_caller]
fn developed_with(wanted: &[(&str, &str)]) -> Project {
    let project = developed();
    programs(&project.world, wanted);
    project
}

#[test]
fn a_findmerge_fires_its_checkouts_and_its_hyperlinks() {
    developed_with(&[SAY]).check(
        r#"
$ cleartool mktrtype -nc -element -all -preop MODIFY_ELEM -exec SAY BEFORE; cleartool mktrtype -nc -element -all -postop MODIFY_ELEM -exec SAY AFTER
Created trigger type "BEFORE".
Created trigger type "AFTER".
$ cleartool findmerge . -fver .../dev/LATEST -merge -log NUL -nc -opt -quiet
Needs Merge "." [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
pre-operation checkout WORLD/view/v/vobs/x@@/main/1
post-operation checkout WORLD/view/v/vobs/x@@/main/CHECKEDOUT
Checked out "." from version "/main/1".
-----[ added "inc" directory 2 ]-----
*** Automatic: Applying ADDITION of directory "inc"
pre-operation lnname inc@@
pre-operation mkhlink WORLD/view/v/vobs/x@@/main/dev/1
pre-operation mkhlink WORLD/view/v/vobs/x@@/main/CHECKEDOUT
post-operation lnname inc@@
post-operation mkhlink WORLD/view/v/vobs/x@@/main/dev/1
post-operation mkhlink WORLD/view/v/vobs/x@@/main/CHECKEDOUT
Recorded merge of ".".
Needs Merge "./inc" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]
pre-operation checkout inc@@/main/0
post-operation checkout inc@@/main/CHECKEDOUT
Checked out "./inc" from version "/main/0".
-----[ added "h.h" directory 2 ]-----
*** Automatic: Applying ADDITION of file "h.h"
pre-operation lnname inc/h.h@@
pre-operation mkhlink inc@@/main/dev/1
pre-operation mkhlink inc@@/main/CHECKEDOUT
post-operation lnname inc/h.h@@
post-operation mkhlink inc@@/main/dev/1
post-operation mkhlink inc@@/main/CHECKEDOUT
Recorded merge of "./inc".
Needs Merge "./src" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
pre-operation checkout src@@/main/1
post-operation checkout src@@/main/CHECKEDOUT
Checked out "./src" from version "/main/1".
-----[ renamed "bar.c" to "baz.c" directory 2 ]-----
*** Automatic: Applying NAME change from "bar.c" to "baz.c"
pre-operation rmname in lnname src/bar.c@@
pre-operation lnname in rmname src/baz.c@@
pre-operation mkhlink src@@/main/dev/1
pre-operation mkhlink src@@/main/CHECKEDOUT
post-operation rmname in lnname src/bar.c@@
post-operation lnname in rmname src/baz.c@@
post-operation mkhlink src@@/main/dev/1
post-operation mkhlink src@@/main/CHECKEDOUT
Recorded merge of "./src".
Needs Merge "./foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
pre-operation checkout foo.c@@/main/2
post-operation checkout foo.c@@/main/CHECKEDOUT
Checked out "./foo.c" from version "/main/2".
Trivial merge: "./foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/2".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/dev/1" to output file.
Moved contributor "./foo.c" to "./foo.c.contrib".
Output of merge is in "./foo.c".
pre-operation mkhlink foo.c@@/main/dev/1
pre-operation mkhlink foo.c@@/main/CHECKEDOUT
post-operation mkhlink foo.c@@/main/dev/1
post-operation mkhlink foo.c@@/main/CHECKEDOUT
Recorded merge of "./foo.c".
Needs Merge "./inc/h.h" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]
pre-operation checkout inc/h.h@@/main/0
post-operation checkout inc/h.h@@/main/CHECKEDOUT
Checked out "./inc/h.h" from version "/main/0".
Trivial merge: "./inc/h.h" is same as base "WORLD/view/v/vobs/x/inc/h.h@@/main/0".
Copying "WORLD/view/v/vobs/x/inc/h.h@@/main/dev/1" to output file.
Moved contributor "./inc/h.h" to "./inc/h.h.contrib".
Output of merge is in "./inc/h.h".
pre-operation mkhlink inc/h.h@@/main/dev/1
pre-operation mkhlink inc/h.h@@/main/CHECKEDOUT
post-operation mkhlink inc/h.h@@/main/dev/1
post-operation mkhlink inc/h.h@@/main/CHECKEDOUT
Recorded merge of "./inc/h.h".
$ cleartool ci -nc foo.c inc/h.h inc src . | sort
Checked in "." version "/main/2".
Checked in "foo.c" version "/main/3".
Checked in "inc" version "/main/1".
Checked in "inc/h.h" version "/main/1".
Checked in "src" version "/main/2".
post-operation checkin WORLD/view/v/vobs/x@@/main/2
post-operation checkin foo.c@@/main/3
post-operation checkin inc/h.h@@/main/1
post-operation checkin inc@@/main/1
post-operation checkin src@@/main/2
pre-operation checkin WORLD/view/v/vobs/x@@/main/CHECKEDOUT
pre-operation checkin foo.c@@/main/CHECKEDOUT
pre-operation checkin inc/h.h@@/main/CHECKEDOUT
pre-operation checkin inc@@/main/CHECKEDOUT
pre-operation checkin src@@/main/CHECKEDOUT
"#,
    );
}

#[test]
fn a_merge_tells_its_triggers_everything() {
    developed_with(&[DUMP]).check(
        r#"
$ cleartool co -nc foo.c; cleartool mktrtype -nc -element -all -postop mkhlink,rmhlink -exec DUMP T
Checked out "foo.c" from version "/main/2".
Created trigger type "T".
$ cleartool merge -to foo.c -opt -quiet -c integrated -version .../dev/LATEST | MASK
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/2".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/dev/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
CLEARCASE_BRTYPE=dev
CLEARCASE_CMDLINE=merge -to foo.c -opt -quiet -c integrated -version .../dev/LATEST
CLEARCASE_COMMENT=integrated
CLEARCASE_ELTYPE=text_file
CLEARCASE_FTYPE=version
CLEARCASE_FVOB_PN=/vobs/x
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_HLTYPE=Merge
CLEARCASE_ID_STR=/main/dev/1
CLEARCASE_IS_FROM=1
CLEARCASE_MTYPE=version
CLEARCASE_OP_KIND=mkhlink
CLEARCASE_PN=WORLD/view/v/vobs/x/foo.c
CLEARCASE_PPID=N
CLEARCASE_TRTYPE_KIND=post-operation
CLEARCASE_TTYPE=version
CLEARCASE_TVOB_PN=/vobs/x
CLEARCASE_TXPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
CLEARCASE_USER=root
CLEARCASE_VIEW_KIND=dynamic
CLEARCASE_VIEW_TAG=v
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XN_SFX=@@
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_BRTYPE=main
CLEARCASE_CMDLINE=merge -to foo.c -opt -quiet -c integrated -version .../dev/LATEST
CLEARCASE_COMMENT=integrated
CLEARCASE_ELTYPE=text_file
CLEARCASE_FTYPE=version
CLEARCASE_FVOB_PN=/vobs/x
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_HLTYPE=Merge
CLEARCASE_ID_STR=/main/CHECKEDOUT
CLEARCASE_IS_FROM=0
CLEARCASE_MTYPE=version
CLEARCASE_OP_KIND=mkhlink
CLEARCASE_PN=WORLD/view/v/vobs/x/foo.c
CLEARCASE_PPID=N
CLEARCASE_TRTYPE_KIND=post-operation
CLEARCASE_TTYPE=version
CLEARCASE_TVOB_PN=/vobs/x
CLEARCASE_TXPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
CLEARCASE_USER=root
CLEARCASE_VIEW_KIND=dynamic
CLEARCASE_VIEW_TAG=v
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XN_SFX=@@
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
Recorded merge of "foo.c".
$ cleartool merge -to foo.c -ndata -replace -version .../dev/LATEST | grep -E 'OP_KIND|IS_FROM|XPN'
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_IS_FROM=1
CLEARCASE_OP_KIND=rmhlink
CLEARCASE_TXPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_IS_FROM=1
CLEARCASE_OP_KIND=mkhlink
CLEARCASE_TXPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_IS_FROM=0
CLEARCASE_OP_KIND=mkhlink
CLEARCASE_TXPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
$ cleartool rmmerge foo.c@@/main/dev/1 foo.c | MASK
CLEARCASE_BRTYPE=dev
CLEARCASE_CMDLINE=rmmerge foo.c@@/main/dev/1 foo.c
CLEARCASE_COMMENT=
CLEARCASE_ELTYPE=text_file
CLEARCASE_FTYPE=version
CLEARCASE_FVOB_PN=/vobs/x
CLEARCASE_FXPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
CLEARCASE_HLTYPE=Merge
CLEARCASE_ID_STR=/main/dev/1
CLEARCASE_IS_FROM=1
CLEARCASE_MTYPE=version
CLEARCASE_OP_KIND=rmhlink
CLEARCASE_PN=WORLD/view/v/vobs/x/foo.c
CLEARCASE_PPID=N
CLEARCASE_TRTYPE_KIND=post-operation
CLEARCASE_TTYPE=version
CLEARCASE_TVOB_PN=/vobs/x
CLEARCASE_TXPN=WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
CLEARCASE_USER=root
CLEARCASE_VIEW_KIND=dynamic
CLEARCASE_VIEW_TAG=v
CLEARCASE_VOB_PN=/vobs/x
CLEARCASE_XN_SFX=@@
CLEARCASE_XPN=WORLD/view/v/vobs/x/foo.c@@/main/dev/1
Removed merge from "foo.c@@/main/dev/1" to "foo.c".
$ cleartool rmmerge -nc foo.c@@/main/dev/1 foo.c; cleartool rmmerge foo.c 2>&1 | head -1;  cleartool rmmerge a b c 2>&1 | head -1; cleartool rmmerge foo.c@@/main/99 foo.c
cleartool: Error: There is no Merge hyperlink from "foo.c@@/main/dev/1" to "foo.c".
cleartool: Error: Unable to remove merge from "foo.c@@/main/dev/1" to "foo.c".
cleartool: Error: Second version required
cleartool: Error: Extra arguments: "c"
cleartool: Error: Unable to access "foo.c@@/main/99": No such file or directory.
cleartool: Error: Unable to remove merge from "foo.c@@/main/99" to "foo.c".
[exit 1]
"#,
    );
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    developed_with(&[ONLY]).check(
        r#"
$ cleartool mktrtype -nc -element -all -preop checkout -exec 'ONLY checkout src' -exec 'ONLY checkout foo.c' C
Created trigger type "C".
$ cleartool findmerge . -fver .../dev/LATEST -merge -log NUL -nc -opt -quiet; cleartool lsco -s -r | sort
Needs Merge "." [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Checked out "." from version "/main/1".
-----[ added "inc" directory 2 ]-----
*** Automatic: Applying ADDITION of directory "inc"
Recorded merge of ".".
Needs Merge "./inc" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]
Checked out "./inc" from version "/main/0".
-----[ added "h.h" directory 2 ]-----
*** Automatic: Applying ADDITION of file "h.h"
Recorded merge of "./inc".
Needs Merge "./src" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
cleartool: Warning: Trigger "C" has refused to let checkout proceed.
cleartool: Error: Unable to check out "./src".
Needs Merge "./foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
cleartool: Warning: Trigger "C" has refused to let checkout proceed.
cleartool: Error: Unable to check out "./foo.c".
Needs Merge "./inc/h.h" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]
Checked out "./inc/h.h" from version "/main/0".
Trivial merge: "./inc/h.h" is same as base "WORLD/view/v/vobs/x/inc/h.h@@/main/0".
Copying "WORLD/view/v/vobs/x/inc/h.h@@/main/dev/1" to output file.
Moved contributor "./inc/h.h" to "./inc/h.h.contrib".
Output of merge is in "./inc/h.h".
Recorded merge of "./inc/h.h".
.
inc
inc/h.h
$ cleartool rmtype -nc trtype:C; cleartool mktrtype -nc -element -all -preop mkhlink -hltype Merge -exec 'ONLY mkhlink src' -exec 'ONLY mkhlink foo.c' H
Removed trigger type "C".
Created trigger type "H".
$ cleartool findmerge src foo.c -fver .../dev/LATEST -merge -log NUL -nc -opt -quiet; ls src; cat foo.c; cleartool describe -s -ahlink -all src foo.c
Needs Merge "src" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Checked out "src" from version "/main/1".
-----[ renamed "bar.c" to "baz.c" directory 2 ]-----
*** Automatic: Applying NAME change from "bar.c" to "baz.c"
cleartool: Warning: Trigger "H" has refused to let mkhlink proceed.
cleartool: Error: Unable to merge "src".
Needs Merge "foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Checked out "foo.c" from version "/main/2".
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/2".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/dev/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
cleartool: Warning: Trigger "H" has refused to let mkhlink proceed.
cleartool: Error: The merged text stays in "foo.c": record the merge with -ndata.
cleartool: Error: Unable to merge "foo.c".
bar.c
one
two
dev
$ cleartool rmtype -nc trtype:H; cleartool merge -to foo.c -ndata -version .../dev/LATEST;  cleartool findmerge src foo.c -fver .../dev/LATEST -merge -log NUL -nc -opt -quiet
Removed trigger type "H".
Recorded merge of "foo.c".
Needs Merge "src" [to /main/CHECKEDOUT from /main/dev/1 base /main/1]
-----[ renamed "bar.c" to "baz.c" directory 2 ]-----
*** Automatic: Applying NAME change from "bar.c" to "baz.c"
Recorded merge of "src".
$ cleartool mktrtype -nc -element -all -preop checkin -exec 'ONLY checkin foo.c' I; cleartool ci -nc src foo.c; cleartool describe -s -ahlink -all src foo.c
Created trigger type "I".
cleartool: Warning: Trigger "I" has refused to let checkin proceed.
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "src".
cleartool: Error: Unable to check in "foo.c".
<- WORLD/view/v/vobs/x/src@@/main/dev/1
<- WORLD/view/v/vobs/x/foo.c@@/main/dev/1
"#,
    );
}

#[test]
fn commands_fire_the_operations_within_them() {
    let project = project(&[SAY, DUMP]);
    project.sh("cleartool mkbrtype -nc auto other");
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * .../auto/LATEST\nelement -file * /main/LATEST -mkbranch auto\nelement * /main/LATEST\n");
    project.check(
        r#"
$ cleartool co -nc src; cleartool mktrtype -nc -element -all -preop MODIFY_ELEM -exec SAY BEFORE; cleartool mktrtype -nc -element -all -postop MODIFY_ELEM -exec SAY AFTER
Checked out "src" from version "/main/1".
Created trigger type "BEFORE".
Created trigger type "AFTER".
$ cleartool co -nc foo.c
pre-operation mkbranch in checkout foo.c@@/main/2
pre-operation checkout foo.c@@/main/auto/0
post-operation mkbranch in checkout foo.c@@/main/auto
post-operation checkout foo.c@@/main/auto/CHECKEDOUT
Created branch "auto" from "foo.c" version "/main/2".
Checked out "foo.c" from version "/main/auto/0".
$ cleartool mkelem -nc src/new
pre-operation mkelem src/new@@
pre-operation mkbranch in mkelem src/new@@/main/0
pre-operation checkout in mkelem src/new@@/main/auto/0
pre-operation lnname in mkelem src/new@@
post-operation mkelem src/new@@/main/0
post-operation mkbranch in mkelem src/new@@/main/auto
post-operation checkout in mkelem src/new@@/main/auto/CHECKEDOUT
post-operation lnname in mkelem src/new@@
Created element "src/new" (type "text_file").
Created branch "auto" from "src/new" version "/main/0".
Checked out "src/new" from version "/main/auto/0".
$ echo text > src/done; cleartool mkelem -nc -ci src/done
pre-operation mkelem src/done@@
pre-operation mkbranch in mkelem src/done@@/main/0
pre-operation checkout in mkelem src/done@@/main/auto/0
pre-operation checkin in mkelem src/done@@/main/auto/CHECKEDOUT
pre-operation lnname in mkelem src/done@@
post-operation mkelem src/done@@/main/0
post-operation mkbranch in mkelem src/done@@/main/auto
post-operation checkout in mkelem src/done@@/main/auto/CHECKEDOUT
post-operation checkin in mkelem src/done@@/main/auto/1
post-operation lnname in mkelem src/done@@
Created element "src/done" (type "text_file").
Created branch "auto" from "src/done" version "/main/0".
Checked out "src/done" from version "/main/auto/0".
Checked in "src/done" version "/main/auto/1".
$ cleartool mkelem -nco -nc src/bare; cleartool mkdir -nc src/dir; cleartool ln src/bare src/twin
pre-operation mkelem src/bare@@
pre-operation lnname in mkelem src/bare@@
post-operation mkelem src/bare@@/main/0
post-operation lnname in mkelem src/bare@@
Created element "src/bare" (type "text_file").
pre-operation mkelem src/dir@@
pre-operation checkout in mkelem src/dir@@/main/0
pre-operation lnname in mkelem src/dir@@
post-operation mkelem src/dir@@/main/0
post-operation checkout in mkelem src/dir@@/main/CHECKEDOUT
post-operation lnname in mkelem src/dir@@
Created directory element "src/dir".
Checked out "src/dir" from version "/main/0".
pre-operation lnname src/twin@@
post-operation lnname src/twin@@
Link created: "src/twin".
$ cleartool mkbranch -nc -nco other src/bar.c
pre-operation mkbranch src/bar.c@@/main/1
post-operation mkbranch src/bar.c@@/main/other
Created branch "other" from "src/bar.c" version "/main/1".
$ cleartool rmtype -nc -ignore trtype:BEFORE; cleartool rmtype -nc trtype:AFTER; cleartool mktrtype -nc -element -all -preop checkout -exec DUMP T; cleartool co -nc -out /tmp/out.$$ src/bar.c | sed "s/out\.[0-9]*/out.N/" | grep -E 'OUT|RES|POP'; rm /tmp/out.$$
Removed trigger type "BEFORE".
Removed trigger type "AFTER".
Created trigger type "T".
CLEARCASE_OUT_PN=/tmp/out.N
CLEARCASE_RESERVED=1
$ cleartool mkattype -nc -vtype integer N; cleartool mkhltype -nc H; cleartool mktrtype -nc -element -all -postop mkattr,mkhlink -exec DUMP U; cleartool mkattr -nc N 7 foo.c@@ | grep -E 'VTYPE|VAL'; cleartool mkhlink -nc H foo.c@@ vob:. | grep -E '[FT]TYPE'; cleartool mkhlink -nc -ttext there H foo.c@@ | grep -E '[FT]T'
Created attribute type "N".
Created hyperlink type "H".
Created trigger type "U".
CLEARCASE_VAL=7
CLEARCASE_VTYPE=integer
CLEARCASE_FTYPE=file element
CLEARCASE_TTYPE=versioned object base
CLEARCASE_FTYPE=file element
CLEARCASE_TTEXT=there
"#,
    );
}
