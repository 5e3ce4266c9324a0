//! `chtype` and `chevent`: sessions with the product's messages, and what the mount shows at once.

use crate::config_specs::open_project;
use crate::project::Project;

const OTHER: &str = "setpriv --reuid 1 --regid 1 --clear-groups cleartool";

#[test]
fn elements_get_other_types_of_their_kind() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let transcript = r#"
$ cleartool mkeltype -nc -supertype text_file c_source && cleartool mkeltype -nc -supertype directory folder
Created element type "c_source".
Created element type "folder".
$ cleartool chtype -nc c_source foo.c src/bar.c && cleartool describe foo.c src/bar.c@@ | grep 'element type'
Changed type of element "foo.c" to "c_source".
Changed type of element "src/bar.c" to "c_source".
  element type: c_source
  element type: c_source
$ cleartool chtype -nc eltype:folder src foo.c; cleartool chtype none src; cleartool chtype brtype:main src; cleartool chtype file nothing
Changed type of element "src" to "folder".
cleartool: Error: Type "folder" is not for this kind of element: files and directories stay what they are.
cleartool: Error: Unable to change type of element "foo.c".
cleartool: Error: Element type not found: "none".
cleartool: Error: Unable to change type of element "src".
cleartool: Error: Element type not found: "main".
cleartool: Error: Unable to change type of element "src".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to change type of element "nothing".
[exit 1]
$ printf 'no\nyes\n' | cleartool chtype -nc file foo.c src/bar.c; cleartool describe foo.c src/bar.c | grep 'element type'; cat foo.c
Change version manager and rearrange versions of "foo.c"?  [no] Change version manager and rearrange versions of "src/bar.c"?  [no] cleartool: Error: The type manager of the new type is another one.
cleartool: Error: Unable to change type of element "foo.c".
Changed type of element "src/bar.c" to "file".
  element type: c_source
  element type: file
one
two
$ cleartool chtype -nc -force compressed_file foo.c && cat foo.c && cleartool lock eltype:file && cleartool chtype -nc -force file foo.c
Changed type of element "foo.c" to "compressed_file".
one
two
Locked element type "file".
cleartool: Error: Lock on element type "file" prevents operation "change type".
cleartool: Error: Unable to change type of element "foo.c".
[exit 1]
$ OTHER chtype -nc -force text_file foo.c
cleartool: Error: No permission to perform operation "change type".
cleartool: Error: Must be one of: element owner, VOB owner, root
cleartool: Error: Unable to change type of element "foo.c".
[exit 1]
$ cleartool chtype -nc text_file foo.c@@/main/1 lbtype:L vob:.
cleartool: Error: Only elements and branches have a type that can be changed.
cleartool: Error: Unable to change type of element "foo.c".
cleartool: Error: Label type not found: "L".
cleartool: Error: Unable to change type of element "L".
cleartool: Error: Only elements and branches have a type that can be changed.
cleartool: Error: Unable to change type of element "vob:.".
[exit 1]
"#;
    open_project().check(&transcript.replace("OTHER", OTHER));
}

#[test]
fn branches_are_renamed_at_once_wherever_they_are_shown() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc a && cleartool mkbrtype -nc b && cleartool mkbrtype -nc c && \
         cleartool mkbranch -nc a foo.c && echo on a > foo.c && cleartool ci -nc foo.c && \
         cleartool mkbranch -nc -nco c foo.c");
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * .../b/LATEST\nelement * /main/LATEST\n");
    project.world.make_view("w");
    project.world.set_spec("w", "element * .../a/LATEST\nelement * /main/LATEST\n");
    let other = project.world.in_view("w", "/vobs/x");
    let shown = || {
        let here = std::fs::read_to_string(project.directory.join("foo.c")).expect("read");
        (here, std::fs::read_to_string(other.join("foo.c")).expect("read"))
    };
    assert_eq!(shown(), ("one\ntwo\n".to_owned(), "on a\n".to_owned()));
    project.check(
        r#"
$ cat foo.c@@/main/a/1; ls foo.c@@/main; cleartool chtype -nc b foo.c@@/main/a foo.c@@/main/c; ls foo.c@@/main; cat foo.c@@/main/b/1; cat foo.c@@/main/a/1
on a
0
1
2
LATEST
a
c
Changed type of branch "foo.c@@/main/a" to "b".
cleartool: Error: Element already has a branch of type "b" ("/main/b").
cleartool: Error: Unable to change type of branch "foo.c@@/main/c".
0
1
2
LATEST
b
c
on a
cat: foo.c@@/main/a/1: No such file or directory
[exit 1]
$ cleartool ls foo.c; cleartool describe foo.c@@/main/b | grep type
foo.c@@/main/b/1                                         Rule: .../b/LATEST
  branch type: b
  element type: text_file
$ cleartool lock brtype:a && cleartool chtype -nc brtype:a foo.c@@/main/b
Locked branch type "a".
cleartool: Error: Lock on branch type "a" prevents operation "change type".
cleartool: Error: Unable to change type of branch "foo.c@@/main/b".
[exit 1]
"#,
    );
    assert_eq!(shown(), ("on a\n".to_owned(), "one\ntwo\n".to_owned()));
}

#[test]
fn comments_change_after_the_event() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("cleartool mklbtype -c 'a label' L && cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c");
    let transcript = r#"
$ cleartool chevent -c 'more' foo.c && cleartool describe foo.c | grep -A2 '^  "'
Modified event of version "foo.c".
  "second
   more"
  Element Protection:
$ cleartool chevent -insert -c 'before' foo.c@@/main/2 && cleartool lsh -last 4 foo.c | grep -A3 'main/2"' | sed 's/^--[^ ]* *root */DATE root /'
Modified event of version "foo.c@@/main/2".
DATE root create version "foo.c@@/main/2"
  "before
   second
   more"
$ cleartool chevent -replace -c 'other' foo.c@@/main/1 foo.c@@/main/br lbtype:L vob:/vobs/x && cleartool describe foo.c@@/main/1 foo.c@@/main/br lbtype:L vob:. | grep '^  "'
Modified event of version "foo.c@@/main/1".
Modified event of branch "foo.c@@/main/br".
Modified event of label type "L".
Modified event of versioned object base "/vobs/x".
  "other"
  "other"
  "other"
  "other"
$ cleartool chevent -replace -c 'of the element' foo.c@@ && cleartool describe foo.c@@ | grep '^  "'; cleartool lsh foo.c | grep -A1 'create file element' | tail -1
Modified event of file element "foo.c".
  "of the element"
  "of the element"
$ printf 'asked\n.\n' | cleartool chevent foo.c nothing; cleartool describe foo.c | grep -c asked
  "before
   second
   more"
Comments for "foo.c":
Modified event of version "foo.c".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to modify event of "nothing".
1
$ cleartool co -c 'begun' foo.c && cleartool chevent -c 'still at it' foo.c; cleartool lsco foo.c | tail -2 && echo x >> foo.c && cleartool ci -nc foo.c && cleartool describe foo.c | grep -A1 begun
Checked out "foo.c" from version "/main/2".
Modified event of file element "foo.c".
  "begun
   still at it"
Checked in "foo.c" version "/main/3".
  "begun
   still at it"
$ event=$(cleartool lsh -eventid -last 1 foo.c@@/main/1 | sed -n 's/event \([0-9]*\):/\1/p'); cleartool chevent -replace -event $event -c 'by id' foo.c@@ && cleartool describe foo.c@@/main/1 | grep 'by id'; cleartool chevent -event 1 -c x foo.c; cleartool chevent -event 99999 -c x foo.c
Modified event of file element "foo.c".
  "by id"
cleartool: Error: There is no such event of "foo.c".
cleartool: Error: Unable to modify event of version "foo.c".
cleartool: Error: There is no such event of "foo.c".
cleartool: Error: Unable to modify event of version "foo.c".
[exit 1]
$ OTHER chevent -c x foo.c lbtype:L; cleartool lock foo.c && cleartool chevent -c x foo.c
cleartool: Error: No permission to perform operation "change event".
cleartool: Error: Must be one of: event creator, element owner, VOB owner, root
cleartool: Error: Unable to modify event of version "foo.c".
cleartool: Error: No permission to perform operation "change event".
cleartool: Error: Must be one of: event creator, type owner, VOB owner, root
cleartool: Error: Unable to modify event of label type "L".
Locked file element "foo.c".
cleartool: Error: Lock on file element "foo.c" prevents operation "change event".
cleartool: Error: Unable to modify event of version "foo.c".
[exit 1]
"#;
    project.check(&transcript.replace("OTHER", OTHER));
}
