//! rmelem, rmbranch and rmver: sessions with the product's prompts, messages and exit codes.

use crate::project::Project;

/// Runs as somebody who owns nothing.
const AS_OTHER: &str = "setpriv --reuid 1 --regid 1 --clear-groups";

#[test]
fn rmelem_asks_and_takes_an_element_out_of_all_directory_versions() {
    Project::small().check(
        r#"
$ cleartool co -nc .; cleartool ci -identical -nc .; cleartool co -nc src; cleartool ln foo.c src/link.c; cleartool ci -nc src
Checked out "." from version "/main/1".
Checked in "." version "/main/2".
Checked out "src" from version "/main/1".
Link created: "src/link.c".
Checked in "src" version "/main/2".
$ echo no | cleartool rmelem foo.c; cat foo.c
CAUTION! This will destroy the element, all its branches and versions,
including all data, meta-data and history, and will remove the element
from all directory versions that now contain it.  Once you destroy the
element, there will be no way to restore it to its current state.
If you want to preserve the element, but remove references to it from
future directory versions, use the "rmname" command.

Element "foo.c" has 1 branches, 3 versions, and is entered
in 3 directory versions.
Destroy element?  [no] cleartool: Error: Unable to remove element "foo.c".
one
two
$ echo y | cleartool rmelem foo.c 2>&1 | tail -2; cat foo.c src/link.c .@@/main/1/foo.c; ls . src .@@/main/1 src@@/main/2
in 3 directory versions.
Destroy element?  [no] Removed element "foo.c".
cat: foo.c: No such file or directory
cat: src/link.c: No such file or directory
cat: .@@/main/1/foo.c: No such file or directory
.:
lost+found
src

.@@/main/1:
lost+found
src

src:
bar.c

src@@/main/2:
bar.c
$ cleartool describe foo.c@@; cleartool lsvtree foo.c; cleartool ls foo.c
cleartool: Error: Unable to access "foo.c@@": No such file or directory.
cleartool: Error: Unable to access "foo.c": No such file or directory.
cleartool: Error: Unable to access "foo.c": No such file or directory.
[exit 1]
$ cleartool co -nc .; echo new > foo.c; cleartool mkelem -nc -ci foo.c; cleartool ci -nc .; cat foo.c
Checked out "." from version "/main/2".
Created element "foo.c" (type "text_file").
Checked out "foo.c" from version "/main/0".
Checked in "foo.c" version "/main/1".
Checked in "." version "/main/3".
new
"#,
    );
}

#[test]
fn rmelem_refuses_what_is_checked_out_fixed_or_no_element() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("(cd $CLERESTORY_VIEWROOT/w/vobs/x && cleartool co -nc foo.c src); echo p > private; \
                cleartool ln -nco -s foo.c link");
    project.check(
        r#"
$ cleartool rmelem -force foo.c src lost+found . private link nothing foo.c@@/main foo.c@@/main/1 src/bar.c
cleartool: Error: Can't delete element with checked out versions.
cleartool: Error: Unable to remove element "foo.c".
cleartool: Error: Can't delete element with checked out versions.
cleartool: Error: Unable to remove element "src".
cleartool: Error: "lost+found" is part of the VOB and keeps its name and place.
cleartool: Error: Unable to remove element "lost+found".
cleartool: Error: "." is part of the VOB and keeps its name and place.
cleartool: Error: Unable to remove element ".".
cleartool: Error: Not a vob object: "private".
cleartool: Error: Unable to remove element "private".
cleartool: Error: Not an element: "link".
cleartool: Error: Unable to remove element "link".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to remove element "nothing".
cleartool: Error: Not an element: "foo.c@@/main".
cleartool: Error: Unable to remove element "foo.c@@/main".
cleartool: Error: Not an element: "foo.c@@/main/1".
cleartool: Error: Unable to remove element "foo.c@@/main/1".
Removed element "src/bar.c".
[exit 1]
$ cleartool rmelem; cleartool rmelem -bogus x
cleartool: Error: Element pathname required
Usage: rmelem [-force]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname ...
cleartool: Error: Unrecognized option "-bogus"
Usage: rmelem [-force]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname ...
[exit 1]
"#,
    );
    // The checkout of the directory does not catalog it any more.
    assert_eq!(project.world.sh(&project.world.in_view("w", "/vobs/x"), "ls src").ok(), "");
}

#[test]
fn what_only_a_removed_directory_catalogued_moves_to_lost_and_found() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . src && cleartool mkdir -nc src/sub && echo deep > src/sub/deep.c && \
         cleartool mkelem -nc -ci src/sub/deep.c && echo old > src/old.c && cleartool mkelem -nc -ci src/old.c && \
         cleartool ln src/bar.c kept.c && cleartool ci -nc src/sub src . && \
         cleartool co -nc src && cleartool rmname src/old.c && cleartool ci -nc src",
    );
    project.check(
        r#"
$ cleartool rmelem -force src
cleartool: Warning: Object "old.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "old.c.OID".
cleartool: Warning: Object "sub" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "sub.OID".
Removed element "src".
$ ls; cat kept.c lost+found/old.c.* lost+found/sub.*/deep.c; ls lost+found | wc -l
foo.c
kept.c
lost+found
bar
old
deep
2
$ cleartool ls -s lost+found; cleartool lsvtree -short lost+found/sub.*/deep.c | sed 's/.*deep/deep/'
lost+found/old.c.OID@@/main/1
lost+found/sub.OID@@/main/1
deep.c@@/main
deep.c@@/main/1
$ cleartool co -nc .; cleartool mv lost+found/sub.* sub; cleartool ci -nc .; cat sub/deep.c
Checked out "." from version "/main/2".
Moved "lost+found/sub.OID" to "sub".
Checked in "." version "/main/3".
deep
$ cleartool rmelem -force lost+found/old.c.*; ls lost+found; cleartool rmelem -force sub sub/deep.c foo.c
Removed element "lost+found/old.c.OID".
Removed element "sub".
Removed element "sub/deep.c".
Removed element "foo.c".
$ ls . lost+found
.:
kept.c
lost+found

lost+found:
"#,
    );
}

#[test]
fn rmbranch_removes_a_branch_with_what_sprouts_from_it() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc br sub && cleartool mkbranch -nc br foo.c && echo b >> foo.c && \
         cleartool ci -nc foo.c && cleartool mkbranch -nc -nco sub foo.c@@/main/br/1");
    project.check(
        r#"
$ cleartool rmbranch foo.c foo.c@@/main foo.c@@/main/br/1 foo.c@@/main/none
cleartool: Error: Not a branch: "foo.c".
cleartool: Error: Unable to remove branch "foo.c".
cleartool: Error: Can't delete the root branch of an element: it goes with the element only (see rmelem).
cleartool: Error: Unable to remove branch "foo.c@@/main".
cleartool: Error: Not a branch: "foo.c@@/main/br/1".
cleartool: Error: Unable to remove branch "foo.c@@/main/br/1".
cleartool: Error: Unable to access "foo.c@@/main/none": No such file or directory.
cleartool: Error: Unable to remove branch "foo.c@@/main/none".
[exit 1]
$ echo | cleartool rmbranch foo.c@@/main/br
Branch "foo.c@@/main/br" has 1 sub-branches, 3 sub-versions.
Remove branch, all its sub-branches and sub-versions?  [no] cleartool: Error: Unable to remove branch "foo.c@@/main/br".
[exit 1]
$ cleartool co -nc foo.c@@/main/br/1; cleartool rmbranch -f foo.c@@/main/br; cleartool unco -rm foo.c
Checked out "foo.c" from version "/main/br/1".
cleartool: Error: Can't delete branch with checked out versions.
cleartool: Error: Unable to remove branch "foo.c@@/main/br".
Checkout cancelled for "foo.c".
$ echo yes | cleartool rmbranch foo.c@@/main/br; cleartool lsvtree -all foo.c; cat foo.c@@/main/br/1
Branch "foo.c@@/main/br" has 1 sub-branches, 3 sub-versions.
Remove branch, all its sub-branches and sub-versions?  [no] Removed branch "foo.c@@/main/br".
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
cat: foo.c@@/main/br/1: No such file or directory
[exit 1]
$ cleartool describe foo.c@@/main/br; ls foo.c@@/main; cleartool lshistory foo.c@@ | grep -c /br
cleartool: Error: Unable to access "foo.c@@/main/br": No such file or directory.
0
1
2
LATEST
0
[exit 1]
$ cleartool mkbranch -nc -nco br foo.c; cat foo.c@@/main/br/0; cleartool rmbranch -force foo.c@@/main/br foo.c@@/main/br
Created branch "br" from "foo.c" version "/main/2".
one
two
Removed branch "foo.c@@/main/br".
cleartool: Error: "foo.c@@/main/br" is removed by an earlier argument.
cleartool: Error: Unable to remove branch "foo.c@@/main/br".
[exit 1]
"#,
    );
}

#[test]
fn rmver_removes_versions_and_leaves_gaps() {
    let project = Project::small();
    for number in 3..7 {
        project.sh(&format!("cleartool co -nc foo.c && echo {number} >> foo.c && cleartool ci -nc foo.c"));
    }
    project.check(
        r#"
$ echo n | cleartool rmver foo.c@@/main/3
Removing these versions of "foo.c":
  /main/3
Remove versions?  [no] cleartool: Error: Unable to remove version "foo.c@@/main/3".
[exit 1]
$ echo y | cleartool rmver foo.c@@/main/3; cleartool lsvtree -all -short foo.c; cat foo.c@@/main/3
Removing these versions of "foo.c":
  /main/3
Remove versions?  [no] Removed versions of "foo.c".
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
foo.c@@/main/4
foo.c@@/main/5
foo.c@@/main/6
cat: foo.c@@/main/3: No such file or directory
[exit 1]
$ cleartool describe foo.c@@/main/4 | grep predecessor; cleartool describe foo.c@@/main/3; cat foo.c@@/main/4
  predecessor version: /main/2
cleartool: Error: Unable to access "foo.c@@/main/3": No such file or directory.
one
two
3
4
$ echo y | cleartool rmver -vrange /main/1 /main/LATEST foo.c; ls foo.c@@/main
Removing these versions of "foo.c":
  /main/2
  /main/4
  /main/5
Remove versions?  [no] Removed versions of "foo.c".
0
1
6
LATEST
$ cleartool rmver -force foo.c; cat foo.c; cleartool co -nc foo.c; echo seven >> foo.c; cleartool ci -nc foo.c; cat foo.c
Removed versions of "foo.c".
one
Checked out "foo.c" from version "/main/1".
Checked in "foo.c" version "/main/7".
one
seven
$ cleartool rmver -force -version /main/1 foo.c; cleartool lshistory foo.c | grep -o 'version ".*'
Removed versions of "foo.c".
version "foo.c@@/main/7"
version "foo.c@@/main/0"
"#,
    );
}

#[test]
fn rmver_guards_what_a_version_carries() {
    let project = Project::small();
    project.sh(
        "cleartool mklbtype -nc REL && cleartool mklabel -version /main/1 REL foo.c && cleartool mkbrtype -nc br && \
         cleartool mkbranch -nc -nco -version /main/1 br foo.c",
    );
    project.check(
        r#"
$ cleartool rmver -force foo.c@@/main/0 foo.c@@/main/1 foo.c@@ src/bar.c@@/main foo.c@@/main/9
cleartool: Error: Can't delete version "/main/0": it goes with its branch only (see rmbranch).
cleartool: Error: Unable to remove version "foo.c@@/main/0".
cleartool: Error: Can't delete version "/main/1": branches sprout from it (use -xbranch to remove it all the same).
cleartool: Error: Unable to remove version "foo.c@@/main/1".
cleartool: Error: No version selected: "foo.c@@".
cleartool: Error: Unable to remove version "foo.c@@".
cleartool: Error: No version selected: "src/bar.c@@/main".
cleartool: Error: Unable to remove version "src/bar.c@@/main".
cleartool: Error: Unable to access "foo.c@@/main/9": No such file or directory.
cleartool: Error: Unable to remove version "foo.c@@/main/9".
[exit 1]
$ cleartool rmver -xbranch -force -vrange /main/0 /main/2 foo.c
cleartool: Error: Can't delete version "/main/1": it has labels (use -xlabel to remove it all the same).
cleartool: Error: Unable to remove versions of "foo.c".
[exit 1]
$ echo y | cleartool rmver -xbranch -xlabel foo.c@@/main/REL; cleartool lsvtree -all foo.c
Removing these versions of "foo.c":
  /main/1
  /main/br
Remove versions?  [no] Removed versions of "foo.c".
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/2
$ cleartool co -nc foo.c; cleartool rmver -force foo.c foo.c@@/main/2; cleartool unco -rm foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Error: Version is checked out: "foo.c".
cleartool: Error: Unable to remove version "foo.c".
cleartool: Error: Can't delete version from which checkouts were made.
cleartool: Error: Unable to remove version "foo.c@@/main/2".
Checkout cancelled for "foo.c".
$ cleartool rmver -force -vrange /main/0 /main/2 foo.c; cleartool rmver -force -vrange /main/0 /main/7 foo.c; cleartool rmver -force -version REL foo.c; cleartool rmver -force -vrange /main/0 /main/2 foo.c@@/main/2
cleartool: Error: There are no versions between the two of the range.
cleartool: Error: Unable to remove versions of "foo.c".
cleartool: Error: Version not found: "/main/7".
cleartool: Error: Unable to remove versions of "foo.c".
cleartool: Error: Version not found: "REL".
cleartool: Error: Unable to remove version "foo.c".
cleartool: Error: A version-extended name is not allowed here: "foo.c@@/main/2".
cleartool: Error: Unable to remove versions of "foo.c@@/main/2".
[exit 1]
$ cleartool mkbranch -nc -nco br foo.c; cleartool rmver -force -vrange /main/0 /main/br/0 foo.c; cleartool rmver -version a -vrange b c foo.c
Created branch "br" from "foo.c" version "/main/2".
cleartool: Error: The two versions of the range are on different branches.
cleartool: Error: Unable to remove versions of "foo.c".
cleartool: Error: Options -version and -vrange exclude each other
Usage: rmver [-force] [-xbranch] [-xlabel] [-xattr] [-xhlink] [-data]
       [-version version-selector | -vrange low-version high-version]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname ...
[exit 1]
"#,
    );
}

#[test]
fn rmver_guards_attributes_and_hyperlinks_of_an_imported_merge() {
    use crate::repository::{NEXT, Parents};
    let project = Project::imported(|stream| {
        let first = stream.commit("main", 1_200_000_000, NEXT);
        stream.file("a", "a\n");
        let side = stream.commit("side", 1_200_000_010, Parents { first: Some(first), merged: &[] });
        stream.file("a", "a\nside\n");
        stream.commit("main", 1_200_000_020, Parents { first: Some(first), merged: &[] });
        stream.file("b", "b\n");
        stream.commit("main", 1_200_000_030, Parents { first: None, merged: &[side] });
        stream.file("a", "a\nside\n");
    });
    project.check(
        r#"
$ cleartool rmver -force a@@/main/2; cleartool rmver -force -xattr a@@/main/2; cleartool rmver -force -xattr -xhlink a@@/main/2; cat a
cleartool: Error: Can't delete version "/main/2": it has attributes (use -xattr to remove it all the same).
cleartool: Error: Unable to remove version "a@@/main/2".
cleartool: Error: Can't delete version "/main/2": it has hyperlinks (use -xhlink to remove it all the same).
cleartool: Error: Unable to remove version "a@@/main/2".
Removed versions of "a".
a
$ cleartool describe hlink:Merge@0; cleartool describe a@@/main/side/1 | grep -c Merge
cleartool: Error: Hyperlink not found: "Merge@0".
0
[exit 1]
$ cd ~; clerestory import git repository --vob /vobs/g 2>&1 | grep -v planning
clerestory: Something that an earlier import brought was removed from this VOB: import into a new VOB.
$ cd ~; clerestory import git repository --vob /vobs/again > /dev/null 2>&1; cat view/v/vobs/again/a
a
side
"#,
    );
}

#[test]
fn removed_data_is_an_error_for_whoever_reads_it() {
    Project::small().check(
        r#"
$ cat foo.c@@/main/1 foo.c; echo y | cleartool rmver -data foo.c@@/main/1
one
one
two
Removing the data of these versions of "foo.c":
  /main/1
Remove data?  [no] Removed data of versions of "foo.c".
$ cat foo.c@@/main/1; cleartool lsvtree -all -short foo.c; cat foo.c
cat: foo.c@@/main/1: No data available
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
one
two
$ cleartool describe foo.c@@/main/1 | grep data; cleartool rmver -force -data src@@/main/1 foo.c; cat foo.c
  the data of this version was removed
cleartool: Error: Versions of a directory element have no data: remove the whole version.
cleartool: Error: Unable to remove data of "src@@/main/1".
Removed data of versions of "foo.c".
cat: foo.c: No data available
[exit 1]
$ cleartool co -nc foo.c; cleartool co -nc -ndata foo.c; echo three > foo.c; cleartool ci -nc foo.c; cat foo.c
cleartool: Error: The data of version "/main/2" was removed.
cleartool: Error: Unable to check out "foo.c".
Checked out "foo.c" from version "/main/2".
Checked in "foo.c" version "/main/3".
three
"#,
    );
}

#[test]
fn only_owners_and_creators_remove() {
    let project = Project::small();
    project.sh("cd; chmod 755 . && chmod -R go+rX home view 2> /dev/null; cd - > /dev/null && \
         cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c");
    let transcript = r#"
$ AS_OTHER cleartool rmelem -force foo.c; AS_OTHER cleartool rmbranch -force foo.c@@/main/br; AS_OTHER cleartool rmver -force src/bar.c
cleartool: Error: No permission to perform operation "remove element".
cleartool: Error: Must be one of: element owner, VOB owner, root
cleartool: Error: Unable to remove element "foo.c".
cleartool: Error: No permission to perform operation "remove branch".
cleartool: Error: Must be one of: object creator, element owner, VOB owner, root
cleartool: Error: Unable to remove branch "foo.c@@/main/br".
cleartool: Error: No permission to perform operation "remove version".
cleartool: Error: Must be one of: object creator, element owner, VOB owner, root
cleartool: Error: Unable to remove version "src/bar.c".
[exit 1]
$ cat foo.c@@/main/br/0 src/bar.c
one
two
bar
"#;
    project.check(&transcript.replace("AS_OTHER", AS_OTHER));
}

#[test]
fn a_directory_version_that_goes_may_leave_orphans() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc br && cleartool co -nc src && echo o > src/once.c && \
         cleartool mkelem -nc -ci src/once.c && cleartool ci -nc src && cleartool co -nc src && \
         cleartool rmname src/once.c && cleartool ci -nc src && cleartool mkbranch -nc br src && \
         echo d > src/onbr.c");
    project.check(
        r#"
$ cleartool mkelem -nc -ci src/onbr.c; cleartool ci -nc src; cleartool rmname -nco src/bar.c; cat src/bar.c
Created element "src/onbr.c" (type "text_file").
Checked out "src/onbr.c" from version "/main/0".
Checked in "src/onbr.c" version "/main/1".
cleartool: Warning: Version checked in is not selected by view.
Checked in "src" version "/main/br/1".
Removed "src/bar.c".
cat: src/bar.c: No such file or directory
[exit 1]
$ cleartool rmver -force src@@/main/2; ls src@@/main/1 src@@/main/3 src@@/main/br/1
cleartool: Warning: Object "once.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "once.c.OID".
Removed versions of "src".
src@@/main/1:
bar.c

src@@/main/3:

src@@/main/br/1:
bar.c
onbr.c
$ cleartool rmbranch -force src@@/main/br; cat lost+found/once.c.* lost+found/onbr.c.*; ls lost+found | wc -l
cleartool: Warning: Object "onbr.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "onbr.c.OID".
Removed branch "src@@/main/br".
o
d
2
$ cleartool co -nc src; echo twin > src/once.c; cleartool mkelem -nc -ci src/once.c
Checked out "src" from version "/main/3".
Created element "src/once.c" (type "text_file").
Checked out "src/once.c" from version "/main/0".
Checked in "src/once.c" version "/main/1".
"#,
    );
}

#[test]
fn rmtype_with_its_instances_removes_branches() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c && cleartool mkbranch -nc br src && \
         echo n > src/n.c && cleartool mkelem -nc -ci src/n.c",
    );
    project.check(
        r#"
$ cleartool rmtype brtype:br; cleartool rmtype -rmall -force brtype:br
cleartool: Error: There are branches of type "br".
cleartool: Error: Unable to remove branch type "br".
cleartool: Error: Can't delete branch "src@@/main/br" with checked out versions.
cleartool: Error: Unable to remove branch type "br".
[exit 1]
$ cleartool ci -nc src; cleartool rmtype -rmall -force brtype:br; cleartool lsvtree -all -short foo.c src
cleartool: Warning: Version checked in is not selected by view.
Checked in "src" version "/main/br/1".
cleartool: Warning: Object "n.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "n.c.OID".
Removed branch type "br".
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
src@@/main
src@@/main/0
src@@/main/1
$ cleartool lstype -kind brtype -short
main
"#,
    );
}

#[test]
fn locked_objects_are_refused_one_by_one() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c && cleartool lock -nc src/bar.c brtype:br",
    );
    project.check(
        r#"
$ cleartool rmelem -force src/bar.c src; cleartool rmbranch -force foo.c@@/main/br; cleartool rmver -force src/bar.c foo.c@@/main/1
cleartool: Error: Lock on file element "src/bar.c" prevents operation "remove element".
cleartool: Error: Unable to remove element "src/bar.c".
cleartool: Warning: Object "bar.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "bar.c.OID".
Removed element "src".
cleartool: Error: Lock on branch type "br" prevents operation "remove branch".
cleartool: Error: Unable to remove branch "foo.c@@/main/br".
cleartool: Error: Unable to access "src/bar.c": No such file or directory.
cleartool: Error: Unable to remove version "src/bar.c".
Removed versions of "foo.c".
[exit 1]
"#,
    );
}

#[test]
fn what_was_removed_stays_removed_after_a_crash() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c && cleartool co -nc . && \
         echo g > gone.c && cleartool mkelem -nc -ci gone.c && cleartool ci -nc . && cleartool rmelem -force gone.c && \
         cleartool rmbranch -force foo.c@@/main/br && cleartool rmver -force foo.c@@/main/1 && \
         cleartool rmelem -force src",
    );
    let look = "ls -R . .@@/main/2 foo.c@@/main lost+found | sed 's/[0-9a-f]\\{32\\}/OID/'; cat foo.c; \
                cleartool lsvtree -all foo.c; cleartool lshistory -all | grep -c create";
    let before = project.sh(look);
    assert!(before.contains("bar.c.OID") && !before.contains("gone.c"), "{before}");
    project.world.kill_daemon();
    project.world.ct(&["lsview"]).ok();
    assert_eq!(project.sh(look), before);
}
