//! Checkout: every option, every refusal, and what becomes of the data. Uncheckout, reserve and unreserve with them.

use crate::project::Project;

#[test]
fn the_newest_version_is_checked_out_unless_another_is_meant() {
    let project = Project::small();
    project.world.set_spec("v", "element * CHECKEDOUT\nelement foo.c /main/1\nelement * /main/LATEST\n");
    project.check(
        r#"
$ cleartool co -nc foo.c; cat foo.c
cleartool: Warning: Version checked out is different from version previously selected by view.
Checked out "foo.c" from version "/main/2".
one
two
$ cleartool unco -rm foo.c; cleartool co -nc -nwarn foo.c; cleartool unco -rm foo.c
Checkout cancelled for "foo.c".
Checked out "foo.c" from version "/main/2".
Checkout cancelled for "foo.c".
$ cleartool co -nc -version foo.c; cat foo.c; echo 3 >> foo.c; cleartool ci -nc foo.c
Checked out "foo.c" from version "/main/1".
one
cleartool: Error: The most recent version on branch "/main" is not the predecessor of this version.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool unco -rm foo.c; cleartool co -nc foo.c@@/main/0; cat foo.c
Checkout cancelled for "foo.c".
Checked out "foo.c" from version "/main/0".
$ cleartool unco -rm foo.c; echo no | cleartool co -nc -query foo.c
Checkout cancelled for "foo.c".
The view selects version "/main/1" of "foo.c", which is not the latest on its branch.
Check out version "/main/2" instead?  [yes] Checked out "foo.c" from version "/main/1".
$ cleartool unco -rm foo.c; cleartool co -nc -query src/bar.c foo.c < /dev/null
Checkout cancelled for "foo.c".
The view selects version "/main/1" of "foo.c", which is not the latest on its branch.
Check out version "/main/2" instead?  [yes] 
Checked out "src/bar.c" from version "/main/1".
cleartool: Warning: Version checked out is different from version previously selected by view.
Checked out "foo.c" from version "/main/2".
$ cleartool unco -rm foo.c; cleartool co -nc -nquery -usehijack foo.c
Checkout cancelled for "foo.c".
cleartool: Warning: Version checked out is different from version previously selected by view.
Checked out "foo.c" from version "/main/2".
$ cleartool co -nc -version -branch main foo.c 2>&1 | head -1; cleartool co -query -nquery foo.c 2>&1 | head -1
cleartool: Error: Options -branch and -version are mutually exclusive
cleartool: Error: Options -query and -nquery are mutually exclusive
"#,
    );
}

#[test]
fn a_branch_can_be_named() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc fix; cleartool mkbranch -nc -nco -version /main/1 fix foo.c");
    project.check(
        r#"
$ cleartool co -nc -branch fix foo.c; cat foo.c; cleartool unco -rm foo.c
cleartool: Warning: Version checked out is different from version previously selected by view.
Checked out "foo.c" from version "/main/fix/0".
one
Checkout cancelled for "foo.c".
cleartool: Warning: This uncheckout left only version zero on branch "/main/fix".
$ cleartool co -nc -branch /main/fix foo.c src/bar.c
cleartool: Warning: Version checked out is different from version previously selected by view.
Checked out "foo.c" from version "/main/fix/0".
cleartool: Error: Version not found: "/main/fix".
cleartool: Error: Unable to check out "src/bar.c".
[exit 1]
$ echo 2a >> foo.c; cleartool ci -nc foo.c; cleartool co -nc -branch none foo.c
cleartool: Warning: Version checked in is not selected by view.
Checked in "foo.c" version "/main/fix/1".
cleartool: Error: Branch type not found: "none".
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cleartool co -nc -branch main foo.c
Checked out "foo.c" from version "/main/2".
"#,
    );
}

#[test]
fn data_is_copied_elsewhere_or_not_at_all() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc -ndata foo.c; cleartool ls foo.c; test -e foo.c
Checked out "foo.c" from version "/main/2".
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but removed]
[exit 1]
$ echo mine > foo.c; cleartool ci -nc foo.c; cat foo.c
Checked in "foo.c" version "/main/3".
mine
$ cleartool co -nc -out ~/copy foo.c; cat ~/copy; cleartool ls foo.c; cleartool unco foo.c
Checked out "foo.c" from version "/main/3".
mine
foo.c@@/main/CHECKEDOUT from /main/3 [checkedout but removed]
Checkout cancelled for "foo.c".
$ cleartool co -nc -out ~/copy foo.c; mkdir ~/dir; cleartool co -nc -out ~/dir foo.c; cat ~/dir/foo.c
cleartool: Error: Unable to write "WORLD/copy": File exists.
cleartool: Error: Unable to check out "foo.c".
Checked out "foo.c" from version "/main/3".
mine
$ cleartool co -nc -out ~/dir/bar foo.c; test -e ~/dir/bar
cleartool: Error: Element "foo.c" is already checked out to view "v".
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cleartool co -nc -out x -ndata foo.c 2>&1 | head -1; cleartool co -nc -out x foo.c src 2>&1 | head -1
cleartool: Error: Options -out and -ndata are mutually exclusive
cleartool: Error: Option -out is for one element
$ cleartool co -nc -out x src 2>&1 | head -1; cleartool co 2>&1 | head -1
cleartool: Error: Option -out is for file elements
cleartool: Error: Element pathname required
$ cleartool co -nc -ndata src; cleartool ls -d src
Checked out "src" from version "/main/1".
src@@/main/CHECKEDOUT from /main/1                       Rule: CHECKEDOUT
"#,
    );
}

#[test]
fn a_private_copy_keeps_the_time_of_its_version_if_that_is_asked_for() {
    let project = Project::small();
    let found = project.sh(
        "cleartool co -nc foo.c > /dev/null; echo 3 >> foo.c; touch -d 2001-02-03T04:05:06Z foo.c; \
         cleartool ci -nc -ptime foo.c; cleartool co -nc -ptime foo.c; date -u -r foo.c +%FT%T; \
         cleartool unco -rm foo.c; cleartool co -nc foo.c > /dev/null; test $(date -u -r foo.c +%Y) -gt 2001",
    );
    let expected = "Checked in \"foo.c\" version \"/main/3\".\nChecked out \"foo.c\" from version \"/main/3\".\n\
                    2001-02-03T04:05:06\nCheckout cancelled for \"foo.c\".\n";
    assert_eq!(found, expected);
}

#[test]
fn a_view_without_a_checkedout_rule_gets_the_data_beside_the_element() {
    let project = Project::small();
    project.world.set_spec("v", "element * /main/LATEST\n");
    project.check(
        r#"
$ cleartool co -nc foo.c
cleartool: Warning: Unable to rename "foo.c" to "foo.c.keep": Read-only filesystem.
cleartool: Error: Checked out version, but could not copy to "foo.c": File exists.
Correct the condition, then uncheckout and re-checkout the element.
cleartool: Warning: Copied checked out version to "foo.c.checkedout".
cleartool: Warning: Checked-out version is not selected by view.
Checked out "foo.c" from version "/main/2".
[exit 1]
$ cat foo.c.checkedout; test -w foo.c.checkedout; cleartool ls
one
two
foo.c@@/main/2                                           Rule: /main/LATEST
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but eclipsed]
foo.c.checkedout
lost+found@@/main/0                                      Rule: /main/LATEST
src@@/main/1                                             Rule: /main/LATEST
$ cleartool unco foo.c; cleartool co -nc -nwarn src/bar.c
Checkout cancelled for "foo.c".
cleartool: Error: Checked out version, but could not copy to "src/bar.c": File exists.
Correct the condition, then uncheckout and re-checkout the element.
Checked out "src/bar.c" from version "/main/1".
[exit 1]
$ cleartool co -nc -ndata foo.c; cleartool co -nc src; ls . src
cleartool: Warning: Checked-out version is not selected by view.
Checked out "foo.c" from version "/main/2".
cleartool: Warning: Checked-out version is not selected by view.
Checked out "src" from version "/main/1".
.:
foo.c
foo.c.checkedout
lost+found
src

src:
bar.c
bar.c.checkedout
$ cleartool setcs -default; cleartool ls foo.c; mv foo.c.checkedout foo.c; cat foo.c
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but removed]
one
two
"#,
    );
}

#[test]
fn what_cannot_be_checked_out_is_refused() {
    let project = Project::small();
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement bar.c /main/LATEST -nocheckout\nelement foo.c -none\n\
         element * /main/LATEST\n",
    );
    project.sh("echo p > private; mkdir dir; echo p > dir/p; ln -s private soft");
    project.check(
        r#"
$ cleartool co -nc src/bar.c foo.c private dir dir/p soft lost+found none src/none foo.c@@/main none/x
cleartool: Error: The config spec rule that selects "src/bar.c" says -nocheckout.
cleartool: Error: Unable to check out "src/bar.c".
cleartool: Error: No version selected: "foo.c".
cleartool: Error: Unable to check out "foo.c".
cleartool: Error: Not a vob object: "private".
cleartool: Error: Unable to check out "private".
cleartool: Error: Not a vob object: "dir".
cleartool: Error: Unable to check out "dir".
cleartool: Error: Not a vob object: "dir/p".
cleartool: Error: Unable to check out "dir/p".
cleartool: Error: Not a vob object: "soft".
cleartool: Error: Unable to check out "soft".
cleartool: Error: "lost+found" cannot be checked out.
cleartool: Error: Unable to check out "lost+found".
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to check out "none".
cleartool: Error: Unable to access "src/none": No such file or directory.
cleartool: Error: Unable to check out "src/none".
cleartool: Error: A version-extended name is not allowed here: "foo.c@@/main".
cleartool: Error: Unable to check out "foo.c@@/main".
cleartool: Error: Unable to access "none/x": No such file or directory.
cleartool: Error: Unable to check out "none/x".
[exit 1]
$ cd ~; cleartool co -nc bin view/v
cleartool: Error: Cannot get view info for current view: not a ClearCase object.
cleartool: Error: Unable to check out "bin".
cleartool: Error: Pathname is not within a VOB: "view/v"
cleartool: Error: Unable to check out "view/v".
[exit 1]
"#,
    );
}

#[test]
fn one_view_alone_has_a_branch_reserved() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cleartool co -nc -unreserved foo.c; cd ~/other; cleartool co -nc -unr foo.c src/bar.c
Checked out "foo.c" from version "/main/2".
Checked out "foo.c" from version "/main/2".
Checked out "src/bar.c" from version "/main/1".
$ cleartool reserve foo.c src/bar.c none; cd ~/other; cleartool reserve foo.c src/bar.c
Changed checkout to reserved for "foo.c" branch "/main".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src/bar.c".
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to reserve "none".
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to reserve "foo.c".
Changed checkout to reserved for "src/bar.c" branch "/main".
[exit 1]
$ cleartool co -nc src/bar.c src
cleartool: Error: Branch "/main" of element is checked out reserved by view w ("HOST:WORLD/home/views/w.vws").
cleartool: Error: Unable to check out "src/bar.c".
Checked out "src" from version "/main/1".
[exit 1]
$ cleartool unreserve -view w src/bar.c foo.c; cleartool unreserve -view nowhere foo.c; cleartool co -nc src/bar.c
Changed checkout to unreserved for "src/bar.c" branch "/main".
Changed checkout to unreserved for "foo.c" branch "/main".
cleartool: Error: No matching entries found for view tag "nowhere".
cleartool: Error: Unable to unreserve "foo.c".
Checked out "src/bar.c" from version "/main/1".
$ cleartool lsco -short -all | sort
WORLD/view/v/vobs/x/foo.c
WORLD/view/v/vobs/x/foo.c
WORLD/view/v/vobs/x/src
WORLD/view/v/vobs/x/src/bar.c
WORLD/view/v/vobs/x/src/bar.c
$ cd ~/other; echo w >> foo.c; cleartool ci -nc foo.c; cd -; tail -1 foo.c@@/main/LATEST
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to check in "foo.c".
WORLD/view/v/vobs/x
two
"#,
    );
}

#[test]
fn comments_are_asked_for_before_anything_is_done() {
    let project = Project::small();
    project.check(
        r#"
$ printf 'why foo\n.\nwhy bar\nof two lines\n' | cleartool co foo.c none src/bar.c
Checkout comments for "foo.c":
Checkout comments for "src/bar.c":
Checked out "foo.c" from version "/main/2".
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to check out "none".
Checked out "src/bar.c" from version "/main/1".
[exit 1]
$ cleartool lsco . src | sed 's/^[^ ]* *root *//' | sort
   of two lines"
  "why bar
  "why foo"
checkout version "./foo.c" from /main/2 (reserved)
checkout version "src/bar.c" from /main/1 (reserved)
$ cleartool unco -rm foo.c src/bar.c; echo all | cleartool co -cq foo.c src; cleartool lsco -d . | cut -c1-2; cleartool lsco | grep all
Checkout cancelled for "foo.c".
Checkout cancelled for "src/bar.c".
Comments for all listed objects:
Checked out "foo.c" from version "/main/2".
Checked out "src" from version "/main/1".
  "all"
  "all"
$ echo y | cleartool mkdir src/a src/b < /dev/null
Creation comments for "src/a":
Creation comments for "src/b":
Created directory element "src/a".
Checked out "src/a" from version "/main/0".
Created directory element "src/b".
Checked out "src/b" from version "/main/0".
"#,
    );
}

#[test]
fn who_may_not_check_out_is_told_who_may() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = Project::small();
    project.world.sh(project.world.root(), "chmod 755 . && chmod -R go+rX home view 2>/dev/null; true").ok();
    let transcript = r#"
$ AS_OTHER cleartool co -nc foo.c
cleartool: Error: No permission to perform operation "checkout".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cleartool co -nc foo.c; AS_OTHER cleartool unreserve foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Error: No permission to perform operation "unreserve".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to unreserve "foo.c".
[exit 1]
"#;
    project.check(&transcript.replace("AS_OTHER", "setpriv --reuid 1 --regid 1 --clear-groups"));
}

#[test]
fn other_views_see_the_placeholder_and_never_the_data() {
    let project = Project::small();
    project.world.make_view("w");
    project.check(
        r#"
$ cleartool co -nc foo.c; echo secret >> foo.c; cd ~/view/w/vobs/x; cat foo.c; ls foo.c@@/main | sed 's/T[.][0-9]*/T.N/'; cat foo.c@@/main/CHECKEDOUT.*
Checked out "foo.c" from version "/main/2".
one
two
0
1
2
CHECKEDOUT.N
LATEST
"#,
    );
    let seen =
        project.sh("cd ~/view/w/vobs/x; cat foo.c@@/main/CHECKEDOUT.* foo.c; grep -r secret . || true");
    assert_eq!(seen, "one\ntwo\n");
}
