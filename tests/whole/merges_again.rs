//! `merge` and `findmerge`: options, several contributors, arrows that go, and refusals.

use crate::findmerges::developed;
use crate::project::Project;

/// foo.c has ten lines; on the branches a, b and c another line was changed on each, and d changed the line of a.
fn several() -> Project {
    let project = Project::small();
    project.sh(
        "cleartool co -nc foo.c && seq 10 > foo.c && cleartool ci -nc foo.c && cleartool mkbrtype -nc a b c d && \
         for change in a/2 b/5 c/8 d/2; do branch=${change%/*}; line=${change#*/}; \
         cleartool mkbranch -nc -version /main/3 $branch foo.c && sed -i \"s/^$line\\$/$branch/\" foo.c && \
         cleartool ci -nc foo.c; done; cleartool co -nc foo.c",
    );
    project
}

#[test]
fn several_versions_are_merged_together() {
    let project = several();
    project.check(
        r#"
$ cleartool merge -to foo.c -serial -c three -version .../a/LATEST .../b/LATEST .../c/LATEST
********************************
<<< file 1: WORLD/view/v/vobs/x/foo.c@@/main/3
>>> file 2: WORLD/view/v/vobs/x/foo.c@@/main/a/1
>>> file 3: WORLD/view/v/vobs/x/foo.c@@/main/b/1
>>> file 4: WORLD/view/v/vobs/x/foo.c@@/main/c/1
>>> file 5: foo.c
********************************
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/3".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/a/1" to output file.
-----[5 changed to 5 file 3]-----
< 5
---
> b
*** Automatic: Applying CHANGE from file 3 [lines 5]
============
============
-----[8 changed to 8 file 4]-----
< 8
---
> c
*** Automatic: Applying CHANGE from file 4 [lines 8]
============
============
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
$ tr '\n' ' ' < foo.c; cleartool describe -s -ahlink Merge foo.c; cleartool merge -to foo.c -version .../b/LATEST /main/3 .../c/LATEST
1 a 3 4 b 6 7 c 9 10 <- WORLD/view/v/vobs/x/foo.c@@/main/a/1
<- WORLD/view/v/vobs/x/foo.c@@/main/b/1
<- WORLD/view/v/vobs/x/foo.c@@/main/c/1
No merge is needed: "foo.c" has "WORLD/view/v/vobs/x/foo.c@@/main/b/1" already.
No merge is needed: "foo.c" has "WORLD/view/v/vobs/x/foo.c@@/main/3" already.
No merge is needed: "foo.c" has "WORLD/view/v/vobs/x/foo.c@@/main/c/1" already.
$ cp foo.c saved; cleartool merge -to foo.c -abort -opt -quiet -version .../d/LATEST; cleartool rmmerge -nc foo.c@@/main/a/1 foo.c; seq 10 > foo.c; cleartool merge -to foo.c -abort -opt -quiet -version .../a/LATEST .../d/LATEST; cmp saved foo.c; ls foo.c.*
cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge "foo.c".
Removed merge from "foo.c@@/main/a/1" to "foo.c".
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/3".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/a/1" to output file.
cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge "foo.c".
saved foo.c differ: char 3, line 2
foo.c.contrib
$ cleartool merge -to foo.c -opt -quiet -version .../a/LATEST .../d/LATEST; cat foo.c | tr '\n' ' '; cleartool describe -s -ahlink Merge foo.c
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/3".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/a/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib.1".
Output of merge is in "foo.c".
cleartool: Error: Conflicts are marked in "foo.c": edit it, then record the merge with -ndata.
cleartool: Error: Unable to merge "foo.c".
1 <<<<<<< file 4: foo.c a ||||||| file 1: WORLD/view/v/vobs/x/foo.c@@/main/3 2 ======= d >>>>>>> file 3: WORLD/view/v/vobs/x/foo.c@@/main/d/1 3 4 5 6 7 8 9 10 <- WORLD/view/v/vobs/x/foo.c@@/main/b/1
<- WORLD/view/v/vobs/x/foo.c@@/main/c/1
$ cleartool merge -out all -opt -quiet foo.c@@/main/3 foo.c@@/main/a/1 foo.c@@/main/b/1 foo.c@@/main/c/1; tr '\n' ' ' < all; cleartool merge -out none -abort -opt -quiet foo.c@@/main/b/1 foo.c@@/main/a/1 foo.c@@/main/d/1; ls none
Trivial merge: "foo.c@@/main/3" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/3".
Copying "foo.c@@/main/a/1" to output file.
Output of merge is in "all".
1 a 3 4 b 6 7 c 9 10 cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge to "none".
ls: cannot access 'none': No such file or directory
[exit 2]
"#,
    );
}

#[test]
fn differences_are_written_and_asked_about_as_wanted() {
    let project = several();
    project.check(
        r#"
$ cleartool merge -to foo.c -diff_format -narrows -version .../a/LATEST; cleartool describe -s -ahlink Merge foo.c
********************************
<<< file 1: WORLD/view/v/vobs/x/foo.c@@/main/3
>>> file 2: WORLD/view/v/vobs/x/foo.c@@/main/a/1
>>> file 3: foo.c
********************************
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/3".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/a/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
$ cleartool merge -to foo.c -columns 60 -narrows -base foo.c@@/main/3 -version .../b/LATEST
********************************
<<< file 1: WORLD/view/v/vobs/x/foo.c@@/main/3
>>> file 2: WORLD/view/v/vobs/x/foo.c@@/main/b/1
>>> file 3: foo.c
********************************
---[2 changed to 2 file 3]---|----[changed to 2 file 3]----
2                            |a
*** Automatic: Applying CHANGE from file 3 [lines 2]
============
---[5 changed to 5 file 2]---|----[changed to 5 file 2]----
5                            |b
*** Automatic: Applying CHANGE from file 2 [lines 5]
============
============
Moved contributor "foo.c" to "foo.c.contrib.1".
Output of merge is in "foo.c".
$ cp foo.c.contrib.1 foo.c; printf 'n\n' | cleartool merge -to foo.c -qntrivial -opt -quiet -narrows -base foo.c@@/main/3 -version .../b/LATEST; sed -n '2p;5p' foo.c
Do you want the CHANGE made in file 3? [yes] Do you want the CHANGE made in file 2? [yes] 
Moved contributor "foo.c" to "foo.c.contrib.2".
Output of merge is in "foo.c".
2
b
$ seq 10 > foo.c; cleartool merge -to foo.c -qntrivial -opt -quiet -narrows -version .../c/LATEST < /dev/null; seq 10 > foo.c; printf 'n\n' | cleartool merge -to foo.c -qall -opt -quiet -version .../c/LATEST; sed -n 8p foo.c; cleartool describe -s -ahlink Merge foo.c
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/3".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/c/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib.3".
Output of merge is in "foo.c".
Do you want the CHANGE made in file 2? [yes] Moved contributor "foo.c" to "foo.c.contrib.4".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
8
<- WORLD/view/v/vobs/x/foo.c@@/main/c/1
$ cleartool merge -to foo.c -query -abort .../a/LATEST 2>&1 | head -1; cleartool merge -to foo.c -ndata -narrows x 2>&1 | head -1; cleartool merge -to foo.c -insert -delete x 2>&1 | head -1; cleartool merge -to foo.c -base foo.c@@/main/1 -insert x 2>&1 | head -1; cleartool merge -to foo.c -out x x 2>&1 | head -1; cleartool merge -to foo.c -serial -diff x 2>&1 | head -1
cleartool: Error: Options -query and -abort are mutually exclusive
cleartool: Error: Options -ndata and -narrows are mutually exclusive
cleartool: Error: Options -insert and -delete are mutually exclusive
cleartool: Error: Options -base and -insert are mutually exclusive
cleartool: Error: Options -out and -to are mutually exclusive
cleartool: Error: Options -serial_format and -diff_format are mutually exclusive
$ cleartool merge -to none -version /main/1; cleartool merge -to foo.c src/bar.c; cleartool merge -to src -version /main/0
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to merge "none".
cleartool: Error: There is no common ancestor: name one with -base.
cleartool: Error: Unable to merge "foo.c".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src".
[exit 1]
"#,
    );
}

#[test]
fn changes_are_taken_from_another_branch_or_back_out_of_a_directory() {
    let project = several();
    project.sh("cp foo.c@@/main/3 foo.c && cleartool co -nc . && cleartool mkdir -nc -nco d1 && cleartool ci -nc . && \
        cleartool co -nc . && cleartool mkdir -nc -nco d2 && cleartool ci -nc . && cleartool co -nc . && cleartool mv d1 d3 && cleartool ci -nc . && cleartool co -nc .");
    project.check(
        r#"
$ cleartool merge -to foo.c -insert -narrows -opt -quiet -version .../b/LATEST; sed -n 5p foo.c; cleartool merge -to foo.c -insert -ndata x 2>&1 | head -1
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/b/0".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/b/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
b
cleartool: Error: Options -insert and -ndata are mutually exclusive
$ cleartool merge -to foo.c -delete -opt -quiet -serial foo.c@@/main/b/1; sed -n 5p foo.c; cleartool describe -s -ahlink -all foo.c
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/b/1".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/b/0" to output file.
Moved contributor "foo.c" to "foo.c.contrib.1".
Output of merge is in "foo.c".
5
$ ls; cleartool merge -to . -delete -opt -quiet -version /main/2 /main/3; cleartool lsco -fmt '%c\n' -d .; ls; cleartool describe -s -ahlink -all .
d2
d3
foo.c
foo.c.contrib
foo.c.contrib.1
lost+found
src
-----[ deleted "d1" directory 2, directory 3: it is "d3" ]-----
*** Not resolved
-----[ deleted "d2" directory 2 ]-----
*** Automatic: Applying REMOVAL of directory "d2"
cleartool: Error: Conflicts are left in directory ".": decide them (see mv, rmname, -query).
cleartool: Error: Unable to merge ".".
Removed directory element "d2".

d3
foo.c
foo.c.contrib
foo.c.contrib.1
lost+found
src
$ cleartool merge -to . -insert -opt -quiet -version /main/3; ls -d d2; cleartool merge -to . -insert -opt -quiet -version /main/99
-----[ added "d2" directory 2 ]-----
*** Automatic: Applying ADDITION of directory "d2"
d2
cleartool: Error: Version not found: "/main/99".
cleartool: Error: Unable to merge ".".
[exit 1]
"#,
    );
}

#[test]
fn findmerge_takes_a_base_from_a_view_and_goes_where_it_is_told() {
    let project = developed();
    project.world.make_view("old");
    project.sh("cleartool mklbtype -nc OLD && cleartool mklabel -nc -version /main/1 OLD foo.c && cleartool mklabel -nc OLD src/bar.c src .");
    project.world.set_spec("old", "element * OLD\n");
    project.check(
        r#"
$ cleartool findmerge foo.c -ftag d -btag old -print -log NUL; cleartool findmerge foo.c -ftag d -fbtag old -print -log NUL; cleartool findmerge foo.c -ftag d -btag old -fbtag old -print 2>&1 | head -1; cleartool findmerge foo.c -ftag d -fbtag none -print -log NUL
Needs Merge "foo.c" [to /main/2 from /main/dev/1 base /main/1]
Needs Merge "foo.c" [to /main/2 from /main/dev/1 base /main/1]
cleartool: Error: Options -btag and -fbtag are mutually exclusive
cleartool: Error: No matching entries found for view tag "none".
[exit 1]
$ cleartool findmerge . -directory -ftag d -print -nxn -log NUL; cleartool findmerge . -nrecurse -ftag d -print -nxn -log NUL; cleartool findmerge src -depth -ftag d -print -nxn -log NUL; cleartool findmerge -avobs -ftag d -print -nxn -log NUL; cleartool findmerge . -user root -group root -ftag d -print -nxn -log NUL; cleartool findmerge -all -visible -type d -ftag d -print -nxn -log NUL; cleartool findmerge . -visible -ftag d -print 2>&1 | head -1
.
.
./foo.c
./src
src
WORLD/view/v/vobs/x/.
WORLD/view/v/vobs/x/foo.c
WORLD/view/v/vobs/x/src
.
./foo.c
./src
WORLD/view/v/vobs/x/.
WORLD/view/v/vobs/x/src
cleartool: Error: Option -visible goes with -all or -avobs
$ cleartool findmerge act1 -fcsets -print; cleartool findmerge foo.c -ftag d -flatest -print 2>&1 | head -1; cleartool findmerge . -all -avobs -ftag d -print 2>&1 | head -1; cleartool findmerge foo.c -ftag d -type x -print 2>&1 | head -1; cleartool findmerge foo.c -ftag d -insert -print 2>&1 | head -1
cleartool: Error: Change sets of activities are not supported yet: name elements.
cleartool: Error: Options -ftag and -flatest are mutually exclusive
cleartool: Error: Options -all and -avobs are mutually exclusive
cleartool: Error: Option -type takes the letters f, d and l
cleartool: Error: Unrecognized option "-insert"
$ printf 'y\nn\n' | cleartool findmerge foo.c src -ftag d -log NUL -ok 'echo ran $CLEARCASE_PN' | sed 's/\] /]\n/'
Needs Merge "foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Execute "echo ran $CLEARCASE_PN" for "foo.c"?  [no]
ran foo.c
Needs Merge "src" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Execute "echo ran $CLEARCASE_PN" for "src"?  [no]
$ export CLEARCASE_MERGE_TOOL='cp "$REMOTE" "$MERGED"; true'; cleartool co -nc foo.c; echo mine >> foo.c; printf 'y\n' | cleartool findmerge foo.c -ftag d -log NUL -okgmerge -opt -quiet; cat foo.c; cleartool unco -rm foo.c; cleartool findmerge foo.c -ftag d -nback -why -print -log NUL; cleartool findmerge foo.c -ftag d -graphical -log NUL -opt -quiet; cleartool unco -rm foo.c
Checked out "foo.c" from version "/main/2".
Needs Merge "foo.c" [to /main/CHECKEDOUT from /main/dev/1 base /main/2]
Merge "foo.c"?  [yes] Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
one
two
dev
Checkout cancelled for "foo.c".
Needs Merge "foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Needs Merge "foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Checked out "foo.c" from version "/main/2".
Trivial merge: "foo.c" is same as base "WORLD/view/v/vobs/x/foo.c@@/main/2".
Copying "WORLD/view/v/vobs/x/foo.c@@/main/dev/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib.1".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
Checkout cancelled for "foo.c".
$ cleartool findmerge . -ftag d -co -log NUL -unreserved | tail -3; cleartool lsco -s -r | sort
Checked out "./src" from version "/main/1".
Needs Merge "./foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Checked out "./foo.c" from version "/main/2".
.
foo.c
src
"#,
    );
}
