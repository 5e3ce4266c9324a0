//! Type objects, labels, branches and reservations: sessions with the product's messages and exit codes.

use crate::config_specs::open_project;
use crate::project::Project;

/// Dates, and the login, group and host of whoever runs the tests.
const MASK: &str = r"sed -E 's/^(--|[0-9]{4}-)[0-9-]+T[0-9:]+ +[a-z0-9_-]+ +/DATE USER /; s/[0-9]{4}-[0-9-]+T[0-9:+-]+ by .*/DATE by WHO/; s/(owner|group): .*/\1: WHO/; s/^DATE  .*/DATE  WHO/; s/^[0-9]{4}-[0-9-]+T[0-9:+-]+  .*/DATE  WHO/'";

impl Project {
    /// Runs a transcript in which `MASK` stands for a filter that takes out what differs from run to run.
    #[track_caller]
    fn check_masked(&self, transcript: &str) {
        let filter = self.world.root().join("bin/MASK");
        std::fs::write(&filter, format!("#!/bin/sh\n{MASK}\n")).expect("the filter can be written");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&filter, executable).expect("the filter can be made executable");
        self.check(transcript);
    }
}

#[test]
fn types_are_made_once() {
    Project::small().check_masked(
        r#"
$ cleartool mklbtype -c 'release 1' REL1
Created label type "REL1".
$ cleartool mklbtype -nc REL1 REL2 'a b' 12 LATEST
cleartool: Error: Name "REL1" already exists.
cleartool: Error: Unable to create label type "REL1".
Created label type "REL2".
cleartool: Error: Invalid name: "a b".
cleartool: Error: Unable to create label type "a b".
cleartool: Error: Invalid name: "12".
cleartool: Error: Unable to create label type "12".
cleartool: Error: Invalid name: "LATEST".
cleartool: Error: Unable to create label type "LATEST".
[exit 1]
$ cleartool mkbrtype -nc brtype:fix@/vobs/x each@vob:. REL1
Created branch type "fix".
Created branch type "each".
cleartool: Error: Name "REL1" already exists.
cleartool: Error: Unable to create branch type "REL1".
[exit 1]
$ cleartool mkbrtype -nc twice twice
Created branch type "twice".
cleartool: Error: Name "twice" already exists.
cleartool: Error: Unable to create branch type "twice".
[exit 1]
$ cleartool mkbrtype -nc lbtype:x
cleartool: Error: Not a type selector of the kind wanted: "lbtype:x".
[exit 1]
$ cleartool mkbrtype -c 'each branch' -replace -pbranch each
Replaced definition of branch type "each".
$ printf 'asked\n.\n' | cleartool mklbtype -global -acquire -shared ASKED
Creation comments for "ASKED":
Created label type "ASKED".
$ cleartool describe lbtype:REL1 brtype:each lbtype:ASKED | MASK
label type "REL1"
  created DATE by WHO
  "release 1"
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
  constraint: one version per element
branch type "each"
  created DATE by WHO
  "each branch"
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
  constraint: one branch per branch
label type "ASKED"
  created DATE by WHO
  "asked"
  owner: WHO
  group: WHO
  scope: global
  constraint: one version per element
$ cleartool lstype -short -kind brtype
each
fix
main
twice
$ cleartool lstype -kind lbtype -invob /vobs/x | MASK
DATE USER label type "ASKED"
  "asked"
DATE USER label type "REL1"
  "release 1"
DATE USER label type "REL2"
$ cleartool lstype lbtype:REL2 brtype:none | MASK
cleartool: Error: Branch type not found: "none".
DATE USER label type "REL2"
$ cleartool mkbrtype -nc -replace main
cleartool: Error: Type "main" is predefined and cannot be changed.
cleartool: Error: Unable to create branch type "main".
[exit 1]
"#,
    );
}

#[test]
fn the_other_kinds_of_types_keep_their_properties() {
    Project::small().check_masked(
        r#"
$ cleartool mkeltype -nc c_source
cleartool: Error: Option -supertype is required
Usage: mkeltype [-replace] [-global [-acquire] | -ordinary] -supertype element-type [-manager manager]
       [-ptime] [-attype attribute-type[,...]] [-mergetype {auto | user | never}]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       element-type-name ...
[exit 1]
$ cleartool mkeltype -nc -supertype text_file -mergetype user c_source
Created element type "c_source".
$ cleartool mkeltype -nc -supertype none x; cleartool mkeltype -nc -supertype file -manager m x
cleartool: Error: Element type not found: "none".
cleartool: Error: Unable to create element type "x".
cleartool: Error: Type manager not found: "m".
cleartool: Error: Unable to create element type "x".
[exit 1]
$ cleartool mkhltype -nc Tested
Created hyperlink type "Tested".
$ cleartool mkattype -nc -vtype integer -ge 1 -lt 10 -default 5 -vpelement Level
Created attribute type "Level".
$ cleartool mkattype -nc -enum '"yes","no"' -default '"no"' QAed
Created attribute type "QAed".
$ cleartool mkattype -nc -vtype integer -gt x Bad
cleartool: Error: Not a value of that type: x.
cleartool: Error: Unable to create attribute type "Bad".
[exit 1]
$ cleartool describe eltype:c_source attype:Level attype:QAed hltype:Tested | MASK
element type "c_source"
  created DATE by WHO
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
  type manager: text_file_delta
  supertype: text_file
  merge type: user
attribute type "Level"
  created DATE by WHO
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
  constraint: one attribute per element
  value type: integer
  value limit: >= 1
  value limit: < 10
  default value: 5
attribute type "QAed"
  created DATE by WHO
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
  constraint: one attribute per version
  value type: string
  enumerated values: "yes","no"
  default value: "no"
hyperlink type "Tested"
  created DATE by WHO
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
$ cleartool co -nc . ; cleartool mkelem -nc -eltype c_source new.c
Checked out "." from version "/main/1".
Created element "new.c" (type "c_source").
Checked out "new.c" from version "/main/0".
$ cleartool rmtype eltype:c_source; cleartool rmtype -rmall -force eltype:c_source
cleartool: Error: There are elements of type "c_source".
cleartool: Error: Unable to remove element type "c_source".
cleartool: Error: There are elements of type "c_source".
cleartool: Error: Unable to remove element type "c_source".
[exit 1]
$ cleartool rmtype attype:Level hltype:Tested eltype:file
Removed attribute type "Level".
Removed hyperlink type "Tested".
cleartool: Error: Type "file" is predefined and cannot be changed.
cleartool: Error: Unable to remove element type "file".
[exit 1]
"#,
    );
}

#[test]
fn labels_are_attached_moved_and_removed() {
    Project::small().check_masked(
        r#"
$ cleartool mklabel REL1 foo.c
cleartool: Error: Label type not found: "REL1".
cleartool: Error: Unable to create label "REL1" on "foo.c".
[exit 1]
$ cleartool mklbtype -nc REL1
Created label type "REL1".
$ cleartool mklabel -c tagged REL1 foo.c@@/main/1 none.c
Created label "REL1" on "foo.c" version "/main/1".
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Unable to create label "REL1" on "none.c".
[exit 1]
$ cat foo.c@@/REL1 foo.c@@/main/REL1
one
one
$ cleartool mklabel REL1 foo.c
cleartool: Error: Version label of type "REL1" already on element.
cleartool: Error: Unable to create label "REL1" on "foo.c" version "/main/2".
[exit 1]
$ cleartool mklabel -replace REL1 foo.c src
Moved label "REL1" on "foo.c" from version "/main/1" to "/main/2".
Created label "REL1" on "src" version "/main/1".
$ cat foo.c@@/REL1
one
two
$ cleartool mklabel -rec REL1 .
Created label "REL1" on "." version "/main/1".
cleartool: Error: Version label of type "REL1" already on element.
cleartool: Error: Trouble applying label to "./foo.c".
Created label "REL1" on "./lost+found" version "/main/0".
cleartool: Error: Version label of type "REL1" already on element.
cleartool: Error: Trouble applying label to "./src".
Created label "REL1" on "./src/bar.c" version "/main/1".
[exit 1]
$ cleartool lsh -minor -last 1 src/bar.c | MASK
DATE USER make label "REL1" on version "src/bar.c@@/main/1"
$ cleartool describe -short src/bar.c; cleartool describe foo.c@@/main/2 | tail -2
src/bar.c@@/main/1
  Labels:
    REL1
$ cleartool rmlabel REL1 foo.c; cat foo.c@@/REL1
Removed label "REL1" from "foo.c" version "/main/2".
cat: foo.c@@/REL1: No such file or directory
[exit 1]
$ cleartool rmlabel REL1 foo.c foo.c@@ src@@/main/0
cleartool: Error: No version label of type "REL1" on element.
cleartool: Error: Unable to remove label "REL1" from "foo.c".
cleartool: Error: No version label of type "REL1" on element.
cleartool: Error: Unable to remove label "REL1" from "foo.c".
Removed label "REL1" from "src" version "/main/1".
[exit 1]
$ cleartool mklabel -version /main/0 REL1 foo.c; cleartool mklabel -replace -version .../main/LATEST REL1 foo.c
Created label "REL1" on "foo.c" version "/main/0".
Moved label "REL1" on "foo.c" from version "/main/0" to "/main/2".
$ cleartool mklabel -version /main/9 REL1 src; cleartool mklabel -version 'CHECKEDOUT' REL1 src
cleartool: Error: Version not found: "/main/9".
cleartool: Error: Unable to create label "REL1" on "src".
cleartool: Error: Invalid version selector: "CHECKEDOUT".
[exit 1]
$ cleartool rmlabel -version /main/1 REL1 foo.c; cleartool rmlabel -recurse REL1 .
cleartool: Error: No version label of type "REL1" on element.
cleartool: Error: Unable to remove label "REL1" from "foo.c" version "/main/1".
Removed label "REL1" from "." version "/main/1".
Removed label "REL1" from "./foo.c" version "/main/2".
Removed label "REL1" from "./lost+found" version "/main/0".
Removed label "REL1" from "./src/bar.c" version "/main/1".
$ cleartool co -nc foo.c; cleartool mklabel REL1 foo.c src
Checked out "foo.c" from version "/main/2".
cleartool: Error: Version is checked out: "foo.c".
cleartool: Error: Unable to create label "REL1" on "foo.c".
Created label "REL1" on "src" version "/main/1".
[exit 1]
"#,
    );
}

#[test]
fn branches_are_made_and_checked_out() {
    Project::small().check_masked(
        r#"
$ cleartool mkbranch -nc fix foo.c
cleartool: Error: Branch type not found: "fix".
cleartool: Error: Unable to create branch "fix" from "foo.c" version "/main/2".
[exit 1]
$ cleartool mkbrtype -nc fix other
Created branch type "fix".
Created branch type "other".
$ cleartool mkbranch -nc fix foo.c none.c src/bar.c
Created branch "fix" from "foo.c" version "/main/2".
Checked out "foo.c" from version "/main/fix/0".
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Unable to create branch "fix" from "none.c".
Created branch "fix" from "src/bar.c" version "/main/1".
Checked out "src/bar.c" from version "/main/fix/0".
[exit 1]
$ cleartool ls foo.c; cat foo.c
foo.c@@/main/fix/CHECKEDOUT from /main/fix/0             Rule: CHECKEDOUT
one
two
$ cleartool mkbranch -nc other foo.c
cleartool: Error: Element "foo.c" is already checked out to view "v".
cleartool: Error: Unable to create branch "other" from "foo.c" version "/main/fix/0".
[exit 1]
$ cleartool unco -rm foo.c src/bar.c
Checkout cancelled for "foo.c".
cleartool: Warning: This uncheckout left only version zero on branch "/main/fix".
Checkout cancelled for "src/bar.c".
cleartool: Warning: This uncheckout left only version zero on branch "/main/fix".
$ cleartool mkbranch -nc fix foo.c
cleartool: Error: Element already has a branch of type "fix" ("/main/fix").
cleartool: Error: Unable to create branch "fix" from "foo.c" version "/main/2".
[exit 1]
$ cleartool mkbranch -nc -nco -version /main/1 other foo.c
Created branch "other" from "foo.c" version "/main/1".
$ cleartool mkbranch -nc -nco other src src/bar.c@@/main/fix/0
Created branch "other" from "src" version "/main/1".
Created branch "other" from "src/bar.c" version "/main/fix/0".
$ cat foo.c@@/main/other/LATEST
one
$ ls src@@/main/other/0
bar.c
$ cleartool lsvtree -all foo.c
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/other
foo.c@@/main/other/0
foo.c@@/main/2
foo.c@@/main/fix
foo.c@@/main/fix/0
"#,
    );
}

#[test]
fn types_per_branch_count_in_each_branch() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool mkbrtype -nc fix; cleartool mkbrtype -nc -pbranch each; cleartool mklbtype -nc -pbranch EACH
Created branch type "fix".
Created branch type "each".
Created label type "EACH".
$ cleartool mkbranch -nc -nco fix foo.c; cleartool mkbranch -nc -nco each foo.c foo.c@@/main/fix/0 foo.c@@/main/1
Created branch "fix" from "foo.c" version "/main/2".
Created branch "each" from "foo.c" version "/main/2".
Created branch "each" from "foo.c" version "/main/fix/0".
cleartool: Error: Element already has a branch of type "each" ("/main/each").
cleartool: Error: Unable to create branch "each" from "foo.c" version "/main/1".
[exit 1]
$ cleartool mklabel EACH foo.c@@/main/1 foo.c@@/main/fix/0 foo.c
Created label "EACH" on "foo.c" version "/main/1".
Created label "EACH" on "foo.c" version "/main/fix/0".
cleartool: Error: Version label of type "EACH" already on element.
cleartool: Error: Unable to create label "EACH" on "foo.c" version "/main/2".
[exit 1]
$ cleartool mklabel -replace EACH foo.c
Moved label "EACH" on "foo.c" from version "/main/1" to "/main/2".
$ cat foo.c@@/main/EACH; cat foo.c@@/EACH
one
two
cat: foo.c@@/EACH: No such file or directory
[exit 1]
$ cleartool mklbtype -nc -replace EACH; cleartool mkbrtype -nc -replace each
cleartool: Error: An element has more than one instance of type "EACH", which -pbranch allowed.
cleartool: Error: Unable to create label type "EACH".
cleartool: Error: An element has more than one instance of type "each", which -pbranch allowed.
cleartool: Error: Unable to create branch type "each".
[exit 1]
$ cleartool rmlabel EACH foo.c@@; cleartool rmlabel EACH foo.c@@/main/fix; cleartool rmlabel EACH foo.c
cleartool: Error: Ambiguous version: "EACH".
cleartool: Error: Unable to remove label "EACH" from "foo.c".
Removed label "EACH" from "foo.c" version "/main/fix/0".
Removed label "EACH" from "foo.c" version "/main/2".
$ cleartool mklbtype -nc -replace EACH
Replaced definition of label type "EACH".
"#,
    );
    // A -mkbranch rule may make a branch of the type where another branch has one already.
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement foo.c .../fix/each/LATEST\nelement foo.c /main/fix/LATEST -mkbranch each\nelement * /main/LATEST\n",
    );
    project.check(
        r#"
$ cleartool co -nc foo.c
Checked out "foo.c" from version "/main/fix/each/0".
"#,
    );
}

#[test]
fn a_rename_is_seen_everywhere_at_once() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc fix && cleartool mklbtype -nc REL1 && cleartool mkbranch -nc -nco fix foo.c && \
         cleartool mklabel REL1 foo.c@@/main/1",
    );
    project.world.set_spec("v", "element * CHECKEDOUT\nelement foo.c NEW\nelement * /main/LATEST\n");
    project.check(
        r#"
$ cat foo.c; cat foo.c@@/REL1; ls foo.c@@/main
one
two
one
0
1
2
LATEST
REL1
fix
$ cat foo.c@@/NEW; ls foo.c@@/main/corrected
cat: foo.c@@/NEW: No such file or directory
ls: cannot access 'foo.c@@/main/corrected': No such file or directory
[exit 2]
$ cleartool rename lbtype:REL1 NEW; cleartool rename brtype:fix brtype:corrected
Renamed label type from "REL1" to "NEW".
Renamed branch type from "fix" to "corrected".
$ cat foo.c; cat foo.c@@/NEW; ls foo.c@@/main foo.c@@/main/corrected
one
one
foo.c@@/main:
0
1
2
LATEST
NEW
corrected

foo.c@@/main/corrected:
0
LATEST
$ cat foo.c@@/REL1; cat foo.c@@/main/REL1; ls foo.c@@/main/fix
cat: foo.c@@/REL1: No such file or directory
cat: foo.c@@/main/REL1: No such file or directory
ls: cannot access 'foo.c@@/main/fix': No such file or directory
[exit 2]
$ cleartool rename lbtype:NEW corrected; cleartool rename lbtype:NEW 'a b'; cleartool rename lbtype:OLD X
cleartool: Error: Name "corrected" already exists.
cleartool: Error: Unable to rename label type "NEW".
cleartool: Error: Invalid name: "a b".
cleartool: Error: Unable to rename label type "NEW".
cleartool: Error: Label type not found: "OLD".
cleartool: Error: Unable to rename label type "OLD".
[exit 1]
$ cleartool rename eltype:text_file text
cleartool: Error: Type "text_file" is predefined and cannot be changed.
cleartool: Error: Unable to rename element type "text_file".
[exit 1]
$ cleartool rmtype lbtype:NEW; cleartool rmtype -rmall lbtype:NEW < /dev/null; echo; cat foo.c
cleartool: Error: There are labels of type "NEW".
cleartool: Error: Unable to remove label type "NEW".
Remove label type "NEW" and all its instances?  [no] 
cleartool: Error: Unable to remove label type "NEW".

one
$ cleartool rmtype -rmall -force lbtype:NEW; cat foo.c
Removed label type "NEW".
one
two
$ cleartool rmtype brtype:corrected; cleartool rmtype -rmall -force brtype:corrected brtype:none
cleartool: Error: There are branches of type "corrected".
cleartool: Error: Unable to remove branch type "corrected".
Removed branch type "corrected".
cleartool: Error: Branch type not found: "none".
cleartool: Error: Unable to remove branch type "none".
[exit 1]
"#,
    );
    // All of it is in the journal, and the index can be made anew from that.
    project.world.clerestory(&["shutdown"]).ok();
    std::fs::remove_dir_all(project.world.only_vob().join("index")).expect("the index is there");
    project.world.clerestory(&["status"]);
    project.world.ct(&["lsview"]).ok();
    project.check(
        r#"
$ cleartool lstype -short -kind brtype; cleartool lstype -short -kind lbtype; cleartool mklbtype -nc NEW
main
Created label type "NEW".
"#,
    );
}

#[test]
fn links_are_followed_where_that_is_asked_for() {
    let project = Project::empty();
    let root = project.world.root().to_owned();
    let repository = "git init -q repo && mkdir repo/d && echo a > repo/d/a.c && ln -s d/a.c repo/link && \
        ln -s d repo/dirs && ln -s none repo/lost && git -C repo add . && \
        git -C repo -c user.name=a -c user.email=a@b commit -qm one && \
        clerestory import git repo --vob /vobs/x";
    project.world.sh(&root, repository).ok();
    project.sh("cleartool mklbtype -nc L M N");
    project.check(
        r#"
$ cleartool mklabel L link; cleartool mklabel -follow L link lost
cleartool: Error: Not an element: "link".
cleartool: Error: Unable to create label "L" on "link".
Created label "L" on "link" version "/main/1".
cleartool: Error: Unable to access "lost": No such file or directory.
cleartool: Error: Unable to create label "L" on "lost".
[exit 1]
$ ls d/a.c@@
L
main
$ cleartool mklabel -recurse -follow M dirs; cleartool mklabel -rec N .
Created label "M" on "dirs" version "/main/1".
Created label "M" on "dirs/a.c" version "/main/1".
Created label "N" on "." version "/main/1".
Created label "N" on "./d" version "/main/1".
Created label "N" on "./d/a.c" version "/main/1".
Created label "N" on "./lost+found" version "/main/0".
"#,
    );
}

#[test]
fn a_label_that_is_there_already_makes_no_event() {
    let project = Project::small();
    project.sh("cleartool mklbtype -nc L && echo private > note");
    project.check(
        r#"
$ cleartool mklabel L note /tmp
cleartool: Error: Not a vob object: "note".
cleartool: Error: Unable to create label "L" on "note".
cleartool: Error: Pathname is not within a VOB: "/tmp"
cleartool: Error: Unable to create label "L" on "/tmp".
[exit 1]
$ cleartool mklabel L src/bar.c src/bar.c
Created label "L" on "src/bar.c" version "/main/1".
cleartool: Error: Version label of type "L" already on element.
cleartool: Error: Unable to create label "L" on "src/bar.c" version "/main/1".
[exit 1]
$ cleartool mklabel -replace L src/bar.c
Moved label "L" on "src/bar.c" from version "/main/1" to "/main/1".
$ cleartool lsh -minor -last 9 src/bar.c | grep -c 'make label'
1
"#,
    );
}

/// Runs the rest as somebody who owns nothing.
const AS_OTHER: &str = "setpriv --reuid 1 --regid 1 --clear-groups";

#[test]
fn who_owns_nothing_makes_types_and_labels_nothing() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("cleartool mklbtype -nc MINE && cleartool mkbrtype -nc fix");
    let transcript = r#"
$ AS_OTHER cleartool mklbtype -nc THEIRS
Created label type "THEIRS".
$ AS_OTHER cleartool mklabel THEIRS foo.c
cleartool: Error: No permission to perform operation "make label".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to create label "THEIRS" on "foo.c" version "/main/2".
[exit 1]
$ AS_OTHER cleartool mkbranch -nc -nco fix foo.c
cleartool: Error: No permission to perform operation "make branch".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to create branch "fix" from "foo.c" version "/main/2".
[exit 1]
$ AS_OTHER cleartool rename lbtype:MINE OURS; AS_OTHER cleartool rmtype lbtype:MINE
cleartool: Error: No permission to perform operation "rename type".
cleartool: Error: Must be one of: type owner, VOB owner, root
cleartool: Error: Unable to rename label type "MINE".
cleartool: Error: No permission to perform operation "remove type".
cleartool: Error: Must be one of: type owner, VOB owner, root
cleartool: Error: Unable to remove label type "MINE".
[exit 1]
$ AS_OTHER cleartool mklbtype -nc -replace MINE; AS_OTHER cleartool mklbtype -nc -replace -pbranch THEIRS
cleartool: Error: No permission to perform operation "redefine type".
cleartool: Error: Must be one of: type owner, VOB owner, root
cleartool: Error: Unable to create label type "MINE".
Replaced definition of label type "THEIRS".
$ cleartool mklabel THEIRS foo.c; AS_OTHER cleartool rmlabel THEIRS foo.c
Created label "THEIRS" on "foo.c" version "/main/2".
cleartool: Error: No permission to perform operation "remove label".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to remove label "THEIRS" from "foo.c" version "/main/2".
[exit 1]
$ AS_OTHER cleartool rmtype -rmall -force lbtype:THEIRS
Removed label type "THEIRS".
"#;
    project.check(&transcript.replace("AS_OTHER", AS_OTHER));
}

#[test]
fn a_checkout_can_go_to_another_place() {
    Project::small().check(
        r#"
$ mkdir aside; cleartool co -nc -out aside foo.c; cat aside/foo.c; cleartool ls foo.c
Checked out "foo.c" from version "/main/2".
one
two
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but removed]
$ cleartool co -nc -out copy foo.c; ls copy
cleartool: Error: Element "foo.c" is already checked out to view "v".
cleartool: Error: Unable to check out "foo.c".
ls: cannot access 'copy': No such file or directory
[exit 2]
$ cleartool unco foo.c; cleartool co -nc -out aside foo.c; cleartool lsco -short
Checkout cancelled for "foo.c".
cleartool: Error: Unable to write "aside/foo.c": File exists.
cleartool: Error: Unable to check out "foo.c".
$ cleartool co -nc -out aside foo.c src/bar.c 2>&1 | head -1; cleartool co -nc -out aside src 2>&1 | head -1
cleartool: Error: Option -out is for one element
cleartool: Error: Option -out is for file elements
"#,
    );
}

#[test]
fn checkouts_are_listed_and_reserved() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("cleartool mkbrtype -nc fix && cleartool co -c 'tidy up' foo.c && cleartool co -nc src");
    project.check_masked(
        r#"
$ cleartool lsco | MASK
DATE USER checkout directory version "src" from /main/1 (reserved)
DATE USER checkout version "foo.c" from /main/2 (reserved)
  "tidy up"
$ cleartool co -nc -unreserved src/bar.c; cleartool lsco src/bar.c | MASK; cleartool lsco -r -short; cleartool lsco -short src
Checked out "src/bar.c" from version "/main/1".
DATE USER checkout version "src/bar.c" from /main/1 (unreserved)
src/bar.c
src
foo.c
src/bar.c
src
$ cleartool lsco -d -short src; cleartool lsco -short -brtype fix; cleartool lsco -user nobody-at-all -r; cleartool lsco -brtype none
src
cleartool: Error: Branch type not found: "none".
[exit 1]
$ cd ../../../w/vobs/x; cleartool lsco -cview; cleartool lsco -all -short | sed 's,.*/w/,/,'; cleartool co -nc -unres src/bar.c; cleartool lsco -cview -short -me -avobs
/vobs/x/src/bar.c
/vobs/x/src
/vobs/x/foo.c
Checked out "src/bar.c" from version "/main/1".
/vobs/x/src/bar.c
$ cleartool lsco -long foo.c | MASK
DATE  WHO
  checkout version "foo.c" from /main/2 (reserved)
  by view: v ("HOST:WORLD/home/views/v.vws")
  "tidy up"
$ cleartool reserve src/bar.c; cleartool unreserve foo.c; cleartool reserve lost+found
Changed checkout to reserved for "src/bar.c" branch "/main".
Changed checkout to unreserved for "foo.c" branch "/main".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "lost+found".
[exit 1]
$ cd ../../../w/vobs/x; cleartool reserve src/bar.c; cleartool unreserve -view v src/bar.c; cleartool reserve src/bar.c; cleartool unreserve -view none src/bar.c
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to reserve "src/bar.c".
Changed checkout to unreserved for "src/bar.c" branch "/main".
Changed checkout to reserved for "src/bar.c" branch "/main".
cleartool: Error: No matching entries found for view tag "none".
cleartool: Error: Unable to unreserve "src/bar.c".
[exit 1]
"#,
    );
}
