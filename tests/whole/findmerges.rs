//! `findmerge`: what needs a merge, what is done with it, and that nothing is left to do afterwards.

use crate::project::Project;

/// A view v on /main and a view d on a branch dev, where foo.c was changed, src/bar.c was renamed to src/baz.c and a
/// directory with a file was made. In v, src/bar.c was changed.
pub fn developed() -> Project {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc dev");
    project.world.make_view("d");
    project.world.set_spec(
        "d",
        "element * CHECKEDOUT\nelement * .../dev/LATEST\nelement * /main/LATEST -mkbranch dev\n",
    );
    project.sh(
        "cd ../../../d/vobs/x && cleartool co -nc . src foo.c && echo dev >> foo.c && cleartool mv src/bar.c src/baz.c && \
         cleartool mkdir -nc inc && echo h > inc/h.h && cleartool mkelem -nc inc/h.h && \
         cleartool ci -nc inc/h.h inc foo.c src .",
    );
    project.sh("cleartool co -nc src/bar.c && echo main >> src/bar.c && cleartool ci -nc src/bar.c");
    project
}

#[test]
fn what_needs_a_merge_is_told() {
    let project = developed();
    project.check(
        r#"
$ cleartool findmerge . -fversion .../dev/LATEST -print -log /dev/null
Needs Merge "." [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Needs Merge "./foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Needs Merge "./src" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
$ cleartool findmerge . -ftag d -type f -print -short -log NUL; cleartool findmerge -all -fver .../dev/LATEST -type d -print -nxname -log NUL
./foo.c@@/main/dev/1
WORLD/view/v/vobs/x/.
WORLD/view/v/vobs/x/src
$ cleartool findm foo.c src/bar.c -ftag d -whynot -print -long -log NUL; cleartool findm foo.c -flatest -why -print -log NUL; cleartool findm foo.c -fver /main/0 -why -print -log NUL
Needs Merge "foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
  to   foo.c@@/main/2
  from foo.c@@/main/dev/1
  base foo.c@@/main/2
No merge "src/bar.c" [/main/2 is selected already]
No merge "foo.c" [/main/2 is selected already]
No merge "foo.c" [/main/2 has /main/0 already]
$ cleartool findmerge . -name '*.c' -user nobody -fver .../dev/LATEST -print; cleartool findmerge . -element 'brtype(dev)' -type f -fver .../dev/LATEST -print -nxn -log findm.log; cat findm.log
./foo.c
Log has been written to "findm.log"
cleartool findmerge "./foo.c" -fver /main/dev/1 -log /dev/null -merge -nc
$ cleartool findmerge . -print 2>&1 | head -1; cleartool findmerge . -flatest 2>&1 | head -1; cleartool findmerge . -ftag none -print; cleartool findmerge -fcsets -flatest -print
cleartool: Error: Option -ftag, -fversion or -flatest required
cleartool: Error: Action (-print, -merge, -gmerge, -exec, -ok or -co) required
cleartool: Error: No matching entries found for view tag "none".
cleartool: Error: Change sets of activities are not supported yet: name elements.
[exit 1]
$ cleartool findmerge foo.c -ftag d -log NUL -exec 'echo $CLEARCASE_PN $CLEARCASE_XPN $CLEARCASE_FVER $CLEARCASE_FXPN'
Needs Merge "foo.c" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
foo.c foo.c@@/main/2 /main/dev/1 foo.c@@/main/dev/1
"#,
    );
}

#[test]
fn directories_are_merged_before_what_they_reveal() {
    let project = developed();
    let found = project.sh("cleartool findmerge . -fver .../dev/LATEST -merge -log did.log -c integrated");
    let needs: Vec<&str> = found.lines().filter(|line| line.starts_with("Needs Merge")).collect();
    assert_eq!(
        needs,
        [
            "Needs Merge \".\" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]",
            "Needs Merge \"./inc\" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]",
            "Needs Merge \"./src\" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]",
            "Needs Merge \"./foo.c\" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]",
            "Needs Merge \"./inc/h.h\" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]",
        ],
        "{found}"
    );
    project.check(
        r#"
$ cat foo.c src/baz.c inc/h.h; cut -c-40 did.log; cleartool lsco -s -r | sort
one
two
dev
bar
main
h
# cleartool findmerge "." -directory -fv
# cleartool findmerge "./inc" -directory
# cleartool findmerge "./src" -directory
# cleartool findmerge "./foo.c" -fver /m
# cleartool findmerge "./inc/h.h" -fver 
.
foo.c
inc
inc/h.h
src
$ cleartool findmerge . -fver .../dev/LATEST -merge; rm -f inc/*.contrib; cleartool ci -nc inc/h.h inc foo.c src . | wc -l; cleartool findmerge . -fver .../dev/LATEST -print -merge
5
$ cleartool describe -s -ahlink Merge foo.c src; cleartool describe hlink:Merge@0 | grep integrated
<- WORLD/view/v/vobs/x/foo.c@@/main/dev/1
<- WORLD/view/v/vobs/x/src@@/main/dev/1
  "integrated"
"#,
    );
}

#[test]
fn what_is_in_a_renamed_directory_is_found_by_its_new_name() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc dev && cleartool co -nc src && cleartool mkdir -nc src/sub && \
         cleartool ci -nc -identical src/sub src");
    project.world.make_view("d");
    project.world.set_spec(
        "d",
        "element * CHECKEDOUT\nelement * .../dev/LATEST\nelement * /main/LATEST -mkbranch dev\n",
    );
    project.sh(
        "cd ../../../d/vobs/x && cleartool co -nc . src src/sub src/bar.c && echo dev >> src/bar.c && \
         echo new > src/sub/new.c && cleartool mkelem -nc src/sub/new.c && cleartool mv src/sub src/under && \
         cleartool mv src source && cleartool ci -nc $(cleartool lsco -s -r -cview)",
    );
    for scope in [".", "-all"] {
        let transcript = r#"
$ cleartool findmerge SCOPE -fver .../dev/LATEST -merge -log NUL -opt -quiet | grep Needs | sed 's,"/[^"]*/vobs/x/,"./,; s,"\./\.",".",'
Needs Merge "." [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Needs Merge "./source" [(automatic) to /main/2 from /main/dev/1 (base also /main/2)]
Needs Merge "./source/under" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Needs Merge "./source/bar.c" [(automatic) to /main/1 from /main/dev/1 (base also /main/1)]
Needs Merge "./source/under/new.c" [(automatic) to /main/0 from /main/dev/1 (base also /main/0)]
$ cat source/bar.c source/under/new.c; cleartool findmerge . -fver .../dev/LATEST -merge; cleartool unco -rm source/under/new.c source/bar.c source/under source . > /dev/null
bar
dev
new
"#;
        project.check(&transcript.replace("SCOPE", scope));
    }
}

#[test]
fn one_action_is_tried_after_the_other() {
    let project = developed();
    project.sh("cleartool co -nc foo.c && sed -i 's/two/zwei/; $a main' foo.c && cleartool ci -nc foo.c");
    let transcript = r#"
$ cleartool findmerge foo.c -fver .../dev/LATEST -log NUL -serial -opt -quiet -merge -exec 'echo by hand $CLEARCASE_PN'; cleartool unco -rm foo.c
Needs Merge "foo.c" [to /main/3 from /main/dev/1 base /main/2]
Checked out "foo.c" from version "/main/3".
cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge "foo.c".
by hand foo.c
Checkout cancelled for "foo.c".
$ export CLEARCASE_MERGE_TOOL='cat "$LOCAL" "$REMOTE" > "$MERGED"; true'; cleartool findmerge foo.c -fver .../dev/LATEST -log NUL -opt -quiet -merge -gmerge -unreserved; cat foo.c; cleartool lsco foo.c | grep -c unres
Needs Merge "foo.c" [to /main/3 from /main/dev/1 base /main/2]
Checked out "foo.c" from version "/main/3".
cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge "foo.c".
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
one
zwei
main
one
two
dev
1
$ cleartool unco -rm foo.c; printf 'n\n' | cleartool findmerge foo.c -fver .../dev/LATEST -log NUL -okmerge; cleartool findmerge foo.c -fver .../dev/LATEST -log NUL -co; cleartool lsco -s foo.c
Checkout cancelled for "foo.c".
Needs Merge "foo.c" [to /main/3 from /main/dev/1 base /main/2]
Merge "foo.c"?  [yes] Needs Merge "foo.c" [to /main/3 from /main/dev/1 base /main/2]
Checked out "foo.c" from version "/main/3".
foo.c
$ cleartool findmerge foo.c -fver .../dev/LATEST -log NUL -print; cleartool findmerge foo.c -fver .../dev/LATEST -log again.log -opt -quiet -merge < /dev/null; cut -c-40 again.log; grep -c '^<<<' foo.c
Needs Merge "foo.c" [to /main/CHECKEDOUT from /main/dev/1 base /main/2]
Needs Merge "foo.c" [to /main/CHECKEDOUT from /main/dev/1 base /main/2]
Moved contributor "foo.c" to "foo.c.contrib.1".
Output of merge is in "foo.c".
cleartool: Error: Conflicts are marked in "foo.c": edit it, then record the merge with -ndata.
cleartool: Error: Unable to merge "foo.c".
Log has been written to "again.log"
cleartool findmerge "foo.c" -fver /main/
1
"#;
    project.check(transcript);
}

#[test]
fn versions_can_come_from_labels_and_the_newest_of_a_branch() {
    let project = developed();
    project.sh(
        "cleartool mklbtype -nc REL && cleartool mklabel -version /main/dev/1 REL foo.c && \
         cleartool co -unreserved -nc foo.c && echo mine >> foo.c && cp foo.c saved && cleartool unco -rm foo.c && \
         cleartool co -unreserved -nc foo.c && cd ../../../d/vobs/x && cleartool co -nc -branch /main foo.c && \
         sed -i '1i zero' foo.c && cleartool ci -nc foo.c",
    );
    project.check(
        r#"
$ cleartool findmerge . -fver REL -print -log NUL
Needs Merge "./foo.c" [to /main/CHECKEDOUT from /main/dev/1 base /main/2]
$ cp saved foo.c; cleartool findmerge . -flatest -log NUL -opt -quiet -merge; cat foo.c; cleartool ci -nc foo.c
Needs Merge "./foo.c" [to /main/CHECKEDOUT from /main/3 base /main/2]
Moved contributor "./foo.c" to "./foo.c.contrib".
Output of merge is in "./foo.c".
Recorded merge of "./foo.c".
zero
one
two
mine
Checked in "foo.c" version "/main/4".
$ cleartool findmerge foo.c -fver /main/dev/0 -print -log NUL; cleartool findmerge foo.c -fver /main/dev/0 -nzero -why -print -log NUL; cleartool findmerge foo.c@@/main/2 -fver /main/dev/0 -why -print -log NUL
Needs Merge "foo.c" [to /main/4 from /main/dev/0 base /main/2]
No merge "foo.c" [/main/dev/0 is a version zero]
cleartool: Error: A version-extended name is not allowed here: "foo.c@@/main/2".
[exit 1]
"#,
    );
}
