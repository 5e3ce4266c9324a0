//! rmname, mv, ln, lost+found and evil twins: sessions with the product's messages and exit codes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::project::Project;
use crate::world::wait_until;

#[test]
fn rmname_takes_names_out_of_a_checked_out_directory() {
    Project::small().check(
        r#"
$ cleartool rmname foo.c
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to remove "foo.c".
[exit 1]
$ cleartool rmname src/bar.c
cleartool: Error: Can't modify directory "src" because it is not checked out.
cleartool: Error: Unable to remove "src/bar.c".
[exit 1]
$ cleartool co -nc . src; echo private > private
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
$ cleartool rm -nc src/bar.c nothing foo.c private
Removed "src/bar.c".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to remove "nothing".
Removed "foo.c".
cleartool: Error: Not a vob object: "private".
cleartool: Error: Unable to remove "private".
[exit 1]
$ ls . src; cat src@@/main/1/bar.c/main/LATEST
.:
lost+found
private
src

src:
bar
$ cleartool rmname lost+found .@@/main/1/foo.c
cleartool: Error: "lost+found" is part of the VOB and keeps its name and place.
cleartool: Error: Unable to remove "lost+found".
cleartool: Error: A version-extended name is not allowed here: ".@@/main/1/foo.c".
cleartool: Error: Unable to remove ".@@/main/1/foo.c".
[exit 1]
$ cleartool ci -nc . src; cleartool describe . | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
Checked in "." version "/main/2".
Checked in "src" version "/main/2".
  "Uncataloged file element "foo.c"."
$ cleartool co -nc .; cleartool rmname -c "not needed" src; cleartool ci -nc .; cleartool describe . | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
Checked out "." from version "/main/2".
Removed "src".
Checked in "." version "/main/3".
  "Uncataloged directory element "src".
   not needed"
$ cleartool rmname; cleartool rmname -bogus x
cleartool: Error: Pathname required
Usage: rmname | rm [-nco] [-force]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname ...
cleartool: Error: Unrecognized option "-bogus"
Usage: rmname | rm [-nco] [-force]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname ...
[exit 1]
"#,
    );
}

#[test]
fn rmname_of_what_is_checked_out_needs_force_and_leaves_the_data() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cleartool co -nc . foo.c; echo mine > foo.c; cd ~/other; cleartool co -nc src/bar.c
Checked out "." from version "/main/1".
Checked out "foo.c" from version "/main/2".
Checked out "src/bar.c" from version "/main/1".
$ cleartool co -nc src; cleartool rmname foo.c src/bar.c
Checked out "src" from version "/main/1".
cleartool: Error: Element "foo.c" has checkouts.
cleartool: Error: Unable to remove "foo.c".
cleartool: Error: Element "src/bar.c" has checkouts.
cleartool: Error: Unable to remove "src/bar.c".
[exit 1]
$ cleartool rmname -f foo.c src/bar.c; cat foo.c; cleartool ls foo.c; ls src
Removed "foo.c".
Removed "src/bar.c".
mine
foo.c
$ cleartool unco -rm .; cleartool ls foo.c; cat foo.c
Checkout cancelled for ".".
foo.c@@/main/CHECKEDOUT from /main/2                     Rule: CHECKEDOUT
mine
"#,
    );
}

#[test]
fn the_last_name_leads_to_lost_and_found_and_back() {
    Project::small().check(
        r#"
$ cleartool co -nc . src; mkdir d; rmdir d; echo new > new.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
$ cleartool mkelem -nc -ci new.c; cleartool mkdir -nc dir; echo in > dir/in.c; cleartool mkelem -nc -ci dir/in.c
Created element "new.c" (type "text_file").
Checked out "new.c" from version "/main/0".
Checked in "new.c" version "/main/1".
Created directory element "dir".
Checked out "dir" from version "/main/0".
Created element "dir/in.c" (type "text_file").
Checked out "dir/in.c" from version "/main/0".
Checked in "dir/in.c" version "/main/1".
$ cleartool ci -nc dir; cleartool ln new.c src/again.c; cleartool rmname new.c
Checked in "dir" version "/main/1".
Link created: "src/again.c".
Removed "new.c".
$ cleartool rmname src/again.c dir
cleartool: Warning: Object "again.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "again.c.OID".
Removed "src/again.c".
cleartool: Warning: Object "dir" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "dir.OID".
Removed "dir".
$ cat lost+found/again.c.*; cat lost+found/dir.*/in.c; cleartool rmname lost+found/again.c.*
new
in
cleartool: Error: Object "lost+found/again.c.OID" has no name but the one in lost+found: move it out.
cleartool: Error: Unable to remove "lost+found/again.c.OID".
[exit 1]
$ cd src; cleartool mv ../lost+found/again.c.* back.c; cleartool mv ../lost+found/dir.* ../dir; ls ../lost+found; cat back.c ../dir/in.c
Moved "../lost+found/again.c.OID" to "back.c".
Moved "../lost+found/dir.OID" to "../dir".
new
in
$ cleartool mv src/bar.c lost+found
cleartool: Error: Can't modify directory "lost+found" because it is not checked out.
cleartool: Error: Unable to move "src/bar.c" to "lost+found/bar.c".
[exit 1]
$ cleartool unco . src; ls lost+found | sed 's/[.][0-9a-f]*$//'
cleartool: Warning: Object "dir" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "dir.OID".
cleartool: Warning: Object "back.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "back.c.OID".
Checkout cancelled for ".".
Checkout cancelled for "src".
back.c
dir
"#,
    );
}

#[test]
fn an_element_that_another_checkout_catalogs_is_not_lost() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cleartool co -nc .; echo n > n.c; cleartool mkelem -nc -ci n.c
Checked out "." from version "/main/1".
Created element "n.c" (type "text_file").
Checked out "n.c" from version "/main/0".
Checked in "n.c" version "/main/1".
$ V=$PWD; cd ~/other; cleartool co -nc src; cleartool ln $V/n.c src/m.c; cd $V; cleartool rmname n.c
Checked out "src" from version "/main/1".
Link created: "src/m.c".
Removed "n.c".
$ cat n.c src/m.c ~/other/src/m.c 2> /dev/null
n
[exit 1]
$ cd ~/other; cleartool unco src
cleartool: Warning: Object "m.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "m.c.OID".
Checkout cancelled for "src".
"#,
    );
}

#[test]
fn what_was_made_in_a_removed_view_moves_to_lost_and_found() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cd ~/other; cleartool co -nc . src; echo w > w.c; cleartool mkelem -nc -ci w.c; cleartool ln w.c src/w.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Created element "w.c" (type "text_file").
Checked out "w.c" from version "/main/0".
Checked in "w.c" version "/main/1".
Link created: "src/w.c".
$ cleartool rmview -force -tag w > /dev/null; cat lost+found/*; ls lost+found | wc -l
cleartool: Warning: Object "w.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "w.c.OID".
w
1
"#,
    );
}

#[test]
fn comments_are_asked_for_each_object_or_all() {
    Project::small().check(
        r#"
$ cleartool co -nc . src; printf 'first\n.\nsecond\n.\n' | cleartool rmname -cqe foo.c src/bar.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Comments for "foo.c":
Removed "foo.c".
Comments for "src/bar.c":
Removed "src/bar.c".
$ printf 'all\n.\n' | cleartool ln -cq .@@/main/1/foo.c src@@/main/1/bar.c src; cleartool ci -nc src
Comments for all listed objects:
Link created: "src/foo.c".
Link created: "src/bar.c".
Checked in "src" version "/main/2".
$ cleartool describe src | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
  "Uncataloged file element "bar.c".
   second
   Added hard link "foo.c".
   Added hard link "bar.c".
   all"
"#,
    );
}

#[test]
fn a_directory_may_have_two_names() {
    Project::small().check(
        r#"
$ cleartool co -nc .; cleartool ln src again; cat src/bar.c again/bar.c; ls src again
Checked out "." from version "/main/1".
Link created: "again".
bar
bar
again:
bar.c

src:
bar.c
$ cleartool co -nc again/bar.c; echo two >> src/bar.c; cat again/bar.c src/bar.c; cleartool ci -nc src/bar.c
Checked out "again/bar.c" from version "/main/1".
bar
two
bar
two
Checked in "src/bar.c" version "/main/2".
$ cd again; cleartool rmname ../src; ls . ../again; cat bar.c
Removed "../src".
.:
bar.c

../again:
bar.c
bar
two
"#,
    );
}

#[test]
fn mv_renames_and_moves() {
    Project::small().check(
        r#"
$ cleartool mv foo.c new.c
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to move "foo.c" to "new.c".
[exit 1]
$ cleartool co -nc .; cleartool mv foo.c src
Checked out "." from version "/main/1".
cleartool: Error: Can't modify directory "src" because it is not checked out.
cleartool: Error: Unable to move "foo.c" to "src/foo.c".
[exit 1]
$ cleartool mv foo.c new.c; cat new.c; test -e foo.c
Moved "foo.c" to "new.c".
one
two
[exit 1]
$ cleartool co -nc src; echo private > src/p; cleartool mv new.c src/; cleartool mv -c "for fun" src lib; ls lib; cat lib/p lib/new.c
Checked out "src" from version "/main/1".
Moved "new.c" to "src/new.c".
Moved "src" to "lib".
bar.c
new.c
p
private
one
two
$ cleartool mv lib lib/inside; cleartool mv lib lib; cleartool mv lib/bar.c lib/new.c
cleartool: Error: Directory "lib" would be inside itself.
cleartool: Error: Unable to move "lib" to "lib/inside".
cleartool: Error: Directory "lib" would be inside itself.
cleartool: Error: Unable to move "lib" to "lib/lib".
cleartool: Error: Entry named "lib/new.c" already exists.
cleartool: Error: Unable to move "lib/bar.c" to "lib/new.c".
[exit 1]
$ cleartool mv lib/bar.c lib/p; cleartool mv lib/p lib/q; cleartool mv nothing any; cleartool mv lost+found any
cleartool: Error: Entry named "lib/p" already exists.
cleartool: Error: Unable to move "lib/bar.c" to "lib/p".
cleartool: Error: Not a vob object: "lib/p".
cleartool: Error: Unable to move "lib/p" to "lib/q".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to move "nothing" to "any".
cleartool: Error: "lost+found" is part of the VOB and keeps its name and place.
cleartool: Error: Unable to move "lost+found" to "any".
[exit 1]
$ cleartool mv lib/bar.c lib/new.c .; ls
Moved "lib/bar.c" to "./bar.c".
Moved "lib/new.c" to "./new.c".
bar.c
lib
lost+found
new.c
$ cleartool mv bar.c new.c nowhere; cleartool mv one
cleartool: Error: Unable to access "nowhere": No such file or directory.
cleartool: Error: Unable to move "bar.c" to "nowhere".
cleartool: Error: Unable to move "new.c" to "nowhere".
cleartool: Error: Destination pathname required
Usage: mv | move
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname target-pname | pname ... target-dir-pname
[exit 1]
$ cleartool ci -nc .; cleartool describe . | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
Checked in "." version "/main/2".
  "Renamed "foo.c" to "new.c".
   Uncataloged file element "new.c".
   Renamed "src" to "lib".
   for fun
   Added file element "bar.c".
   Added file element "new.c"."
$ cleartool lsvtree -all -short new.c; ls .@@/main/1
new.c@@/main
new.c@@/main/0
new.c@@/main/1
new.c@@/main/2
foo.c
lost+found
src
"#,
    );
}

#[test]
fn mv_takes_the_data_of_checkouts_along() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cleartool co -nc . src foo.c; echo mine > foo.c; cleartool mv foo.c src/moved.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Checked out "foo.c" from version "/main/2".
Moved "foo.c" to "src/moved.c".
$ cat src/moved.c; echo more >> src/moved.c; cleartool ls src; cleartool ci -nc src/moved.c
mine
src/bar.c@@/main/1                                       Rule: /main/LATEST
src/moved.c@@/main/CHECKEDOUT from /main/2               Rule: CHECKEDOUT
Checked in "src/moved.c" version "/main/3".
$ cd ~/other; cleartool co -nc src/bar.c; cat foo.c
Checked out "src/bar.c" from version "/main/1".
mine
more
$ cleartool mv src/bar.c src/baz.c
cleartool: Warning: Moved element with checkouts to "src/baz.c";
view private data may need to be moved.
Moved "src/bar.c" to "src/baz.c".
"#,
    );
}

#[test]
fn ln_makes_hard_links_and_brings_removed_names_back() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool ln foo.c link.c
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to create link "link.c".
[exit 1]
$ cleartool co -nc . src; echo p > p; cleartool ln foo.c link.c; cleartool ln foo.c src/bar.c; cleartool ln foo.c p; cleartool ln p q; cleartool ln nothing q
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Link created: "link.c".
cleartool: Error: Entry named "src/bar.c" already exists.
cleartool: Error: Unable to create link "src/bar.c".
cleartool: Error: Entry named "p" already exists.
cleartool: Error: Unable to create link "p".
cleartool: Error: Not a vob object: "p".
cleartool: Error: Unable to create link "q".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to create link "q".
[exit 1]
$ cleartool co -nc link.c; echo linked >> link.c; cat foo.c; cleartool ci -nc foo.c; cat link.c
Checked out "link.c" from version "/main/2".
one
two
linked
Checked in "foo.c" version "/main/3".
one
two
linked
$ cleartool ln src src/below; cleartool ln . src/below; cleartool ln foo.c@@/main/2 q; cleartool ln lost+found q
cleartool: Error: Directory "src/below" would be inside itself.
cleartool: Error: Unable to create link "src/below".
cleartool: Error: Directory "src/below" would be inside itself.
cleartool: Error: Unable to create link "src/below".
cleartool: Error: A version-extended name is not allowed here: "foo.c@@/main/2".
cleartool: Error: Unable to create link "q".
cleartool: Error: "lost+found" is part of the VOB and keeps its name and place.
cleartool: Error: Unable to create link "q".
[exit 1]
$ cleartool rmname foo.c src; cleartool ci -nc .; cleartool describe . | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
Removed "foo.c".
cleartool: Error: Element "src" has checkouts.
cleartool: Error: Unable to remove "src".
Checked in "." version "/main/2".
  "Added hard link "link.c".
   Uncataloged file element "foo.c"."
$ cleartool co -nc .; cleartool ln .@@/main/1/foo.c .; cat foo.c
Checked out "." from version "/main/2".
Link created: "./foo.c".
one
two
linked
$ cleartool unco src; cleartool rmname src; cleartool ln .@@/main/1/src .; ls src
Checkout cancelled for "src".
Removed "src".
Link created: "./src".
bar.c
"#,
    );
    project.world.make_vob("/vobs/y");
    project.check(
        r#"
$ cleartool co -nc ../y; cleartool ln foo.c ../y/foo.c; cleartool mv foo.c ../y/foo.c
Checked out "../y" from version "/main/0".
cleartool: Error: A hard link cannot lead to another VOB: make a symbolic link with "ln -slink".
cleartool: Error: Unable to create link "../y/foo.c".
cleartool: Error: A name cannot be moved to another VOB: make a symbolic link there with "ln -slink".
cleartool: Error: Unable to move "foo.c" to "../y/foo.c".
[exit 1]
"#,
    );
}

#[test]
fn ln_makes_symbolic_links_whose_text_is_kept() {
    Project::small().check(
        r#"
$ cleartool co -nc . src; cleartool ln -s ../foo.c src/link.c; readlink src/link.c; cat src/link.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Link created: "src/link.c".
../foo.c
one
two
$ cleartool ln -s src//./bar.c ../any/where/ src; readlink src/bar.c; readlink src/where; cleartool ln -slink x src/link.c
cleartool: Error: Entry named "src/bar.c" already exists.
cleartool: Error: Unable to create link "src/bar.c".
Link created: "src/where".
../any/where/
cleartool: Error: Entry named "src/link.c" already exists.
cleartool: Error: Unable to create link "src/link.c".
[exit 1]
$ cleartool ln -c why -s -rep src/bar.c src/link.c; readlink src/link.c; cleartool ln -s -rep x src/bar.c
Link created: "src/link.c".
src/bar.c
cleartool: Error: Entry named "src/bar.c" already exists.
cleartool: Error: Unable to create link "src/bar.c".
[exit 1]
$ cleartool mv src/link.c moved; cleartool ln moved src/hard; readlink moved src/hard; cleartool rmname src/where
Moved "src/link.c" to "moved".
Link created: "src/hard".
src/bar.c
src/bar.c
Removed "src/where".
$ cleartool ci -nc src; cleartool describe src | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'; ls src src@@/main/1
Checked in "src" version "/main/2".
  "Added symbolic link "link.c".
   Added symbolic link "where".
   Replaced symbolic link "link.c".
   why
   Uncataloged symbolic link "link.c".
   Added hard link "hard".
   Uncataloged symbolic link "where"."
src:
bar.c
hard

src@@/main/1:
bar.c
$ cleartool ln -replace a b
cleartool: Error: Option -replace goes with -slink
Usage: ln [-slink [-replace]] [-nco [-force]]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       pname link-pname | pname ... target-dir-pname
[exit 1]
"#,
    );
}

#[test]
fn a_name_that_was_another_elements_is_refused() {
    Project::small().check(
        r#"
$ cleartool co -nc . src; cleartool rmname foo.c src/bar.c; cleartool ci -nc . src
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Removed "foo.c".
Removed "src/bar.c".
Checked in "." version "/main/2".
Checked in "src" version "/main/2".
$ cleartool co -nc . src; echo twin > foo.c; cleartool mkelem -nc foo.c; cleartool mkdir -nc src/bar.c
Checked out "." from version "/main/2".
Checked out "src" from version "/main/2".
cleartool: Error: Entry named "foo.c" was another element: ".@@/main/1/foo.c".
cleartool: Error: To bring it back, use: cleartool ln .@@/main/1/foo.c foo.c
cleartool: Error: Unable to create element "foo.c".
cleartool: Error: Entry named "src/bar.c" was another element: "src@@/main/1/bar.c".
cleartool: Error: To bring it back, use: cleartool ln src@@/main/1/bar.c src/bar.c
cleartool: Error: Unable to create directory element "src/bar.c".
[exit 1]
$ rm foo.c; echo x > x.c; cleartool mkelem -nc -ci x.c; cleartool ln x.c foo.c; cleartool mv x.c src/bar.c
Created element "x.c" (type "text_file").
Checked out "x.c" from version "/main/0".
Checked in "x.c" version "/main/1".
cleartool: Error: Entry named "foo.c" was another element: ".@@/main/1/foo.c".
cleartool: Error: To bring it back, use: cleartool ln .@@/main/1/foo.c foo.c
cleartool: Error: Unable to create link "foo.c".
cleartool: Error: Entry named "src/bar.c" was another element: "src@@/main/1/bar.c".
cleartool: Error: To bring it back, use: cleartool ln src@@/main/1/bar.c src/bar.c
cleartool: Error: Unable to move "x.c" to "src/bar.c".
[exit 1]
$ cleartool ln .@@/main/1/foo.c foo.c; cleartool ln -s x.c src/bar.c; cat foo.c
Link created: "foo.c".
Link created: "src/bar.c".
one
two
$ cleartool describe vob:. | grep evil; cleartool chvob -nevil /vobs/x; cleartool describe vob:. | grep evil
  evil twin detection: enabled
Evil twin detection disabled for VOB "/vobs/x".
  evil twin detection: disabled
$ cleartool rmname src/bar.c; cleartool mv x.c src/bar.c
Removed "src/bar.c".
Moved "x.c" to "src/bar.c".
$ cleartool chvob -evi /vobs/x /vobs/none; cleartool chvob /vobs/x
Evil twin detection enabled for VOB "/vobs/x".
cleartool: Error: No matching entries found for VOB tag "/vobs/none".
cleartool: Error: Unable to change VOB "/vobs/none".
cleartool: Error: A setting to change required
Usage: chvob -evil_twin_detection | -nevil_twin_detection
       vob-tag ...
[exit 1]
"#,
    );
}

#[test]
fn nco_changes_the_newest_version_in_place() {
    Project::small().check(
        r#"
$ cleartool rmname -nco foo.c; ls; ls .@@/main/1; cleartool ls -directory .
cleartool: Warning: Object "foo.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "foo.c.OID".
Removed "foo.c".
lost+found
src
lost+found
src
.@@/main/1                                               Rule: /main/LATEST
$ cleartool ls lost+found | sed 's/[.][0-9a-f]*@@/.OID@@/'
lost+found/foo.c.OID@@/main/2               Rule: /main/LATEST
$ cleartool mv lost+found/foo.c.* src; cleartool ln -nco lost+found/foo.c.* src/foo.c; ls src
cleartool: Error: Can't modify directory "src" because it is not checked out.
cleartool: Error: Unable to move "lost+found/foo.c.OID" to "src/foo.c.OID".
Link created: "src/foo.c".
bar.c
foo.c
$ cleartool rmname lost+found/foo.c.*; ls lost+found; cleartool ln -nco -s foo.c src/link; cat src/link
Removed "lost+found/foo.c.OID".
Link created: "src/link".
one
two
$ cleartool co -nc src; cleartool rmname src/link; cleartool ci -nc src; cleartool rmname -nco src/foo.c; ls src src@@/main/1
Checked out "src" from version "/main/1".
Removed "src/link".
Checked in "src" version "/main/2".
Removed "src/foo.c".
src:
bar.c

src@@/main/1:
bar.c
foo.c
link
$ printf 'element src /main/1\nelement * /main/LATEST\n' > ~/old.cs; cleartool setcs ~/old.cs; cleartool rmname -nco src/bar.c
cleartool: Error: Can't modify directory "src": the selected version is not the newest on its branch.
cleartool: Error: Unable to remove "src/bar.c".
[exit 1]
"#,
    );
}

#[test]
fn names_that_are_not_utf_8_are_removed_moved_and_linked() {
    let project = Project::small();
    project.sh("cleartool co -nc . src");
    let name = OsStr::from_bytes(b"odd \xe9\xff\n");
    std::fs::write(project.directory.join(name), "odd").expect("a private file of that name can be made");
    let ct = |words: &[&OsStr]| project.world.ct_in(&project.directory, words).ok();
    let [mkelem, nc, ci, mv, ln, rm] = ["mkelem", "-nc", "-ci", "mv", "ln", "rmname"].map(OsStr::new);
    ct(&[mkelem, nc, ci, name]);
    let in_src = std::path::Path::new("src").join(name);
    ct(&[mv, name, OsStr::new("src")]);
    ct(&[ln, in_src.as_os_str(), OsStr::new("plain")]);
    let read = |path: &std::path::Path| std::fs::read_to_string(project.directory.join(path)).ok();
    assert_eq!(read(&in_src).as_deref(), Some("odd"));
    assert_eq!(read("plain".as_ref()).as_deref(), Some("odd"));
    ct(&[rm, in_src.as_os_str()]);
    assert_eq!(read(&in_src), None);
    assert_eq!(read("plain".as_ref()).as_deref(), Some("odd"));
}

#[test]
fn data_of_a_checked_out_file_is_there_by_all_its_names_or_by_none() {
    let project = Project::small();
    project.sh("cleartool co -nc . src && cleartool ln foo.c src/same.c && cleartool co -nc foo.c");
    let other = project.directory.join("src/same.c");
    let listed = || {
        let names = fs::read_dir(project.directory.join("src")).unwrap();
        names.map(|entry| entry.unwrap().file_name()).any(|name| name == "same.c")
    };
    let shows =
        |text: Option<&str>| fs::read_to_string(&other).ok().as_deref() == text && listed() == text.is_some();
    assert!(shows(Some("one\ntwo\n")));
    fs::remove_file(project.directory.join("foo.c")).unwrap();
    wait_until("the data is gone by the other name", || shows(None));
    fs::write(project.directory.join("foo.c"), "again\n").unwrap();
    wait_until("the new data is there by the other name", || shows(Some("again\n")));
    project.sh("echo saved > foo.c.new; mv foo.c.new foo.c");
    wait_until("the other file is there by the other name", || shows(Some("saved\n")));
    project.sh("mv foo.c elsewhere");
    wait_until("the data that was moved is gone by the other name", || shows(None));
}
