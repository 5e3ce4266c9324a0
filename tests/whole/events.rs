//! `lshistory` of what was done to objects and cannot be seen on them any more, and of what is attached to them.

use crate::project::Project;

/// Drops what stands before the words of an event: date and user.
const EVENTS: &str = "sed -E 's/^[^ ]+ +[a-z0-9_-]+ +([a-z])/\\1/'";

#[track_caller]
fn check(project: &Project, transcript: &str) {
    project.check(&transcript.replace("EVENTS", EVENTS));
}

#[test]
fn histories_tell_what_was_removed() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc br sub && cleartool mkbranch -nc -nco br foo.c && \
         cleartool mkbranch -nc -nco sub foo.c@@/main/br/0 && cleartool mklbtype -nc L && cleartool mklabel -nc L src && \
         cleartool rmbranch -force foo.c@@/main/br/sub && cleartool rmver -force -c 'not wanted' foo.c@@/main/1 && \
         cleartool rmelem -force -c 'of no use' src/bar.c && cleartool rmtype -rmall -force -c 'nor this' lbtype:L",
    );
    check(
        &project,
        r#"
$ cleartool lshistory foo.c@@ | EVENTS; cleartool lshistory -short foo.c@@/main/br; cleartool lshistory -branch br foo.c | EVENTS
destroy version on branch "foo.c@@/main"
  "not wanted"
destroy sub-branch "sub" of branch "foo.c@@/main/br"
create version "foo.c@@/main/br/0"
create branch "foo.c@@/main/br"
create version "foo.c@@/main/2"
  "second"
create version "foo.c@@/main/0"
create branch "foo.c@@/main"
create file element "foo.c@@"
  "made"
foo.c@@/main/br
foo.c@@/main/br/0
foo.c@@/main/br
destroy sub-branch "sub" of branch "foo.c@@/main/br"
create version "foo.c@@/main/br/0"
create branch "foo.c@@/main/br"
$ cleartool lshistory vob:. | EVENTS; cleartool lshistory -all | EVENTS | grep -A1 -e destroy; cleartool lshistory -long -last 1 vob:/vobs/x | sed 1d
destroy type in VOB "/vobs/x"
  "Removed label type "L".
   nor this"
destroy element in VOB "/vobs/x"
  "of no use"
create versioned object base "/vobs/x"
destroy type in VOB "/vobs/x"
  "Removed label type "L".
--
destroy element in VOB "/vobs/x"
  "of no use"
destroy version on branch "WORLD/view/v/vobs/x/foo.c@@/main"
  "not wanted"
destroy sub-branch "sub" of branch "WORLD/view/v/vobs/x/foo.c@@/main/br"
create version "WORLD/view/v/vobs/x/foo.c@@/main/br/0"
  destroy type in VOB "/vobs/x"
  "Removed label type "L".
   nor this"
$ cleartool rmbranch -force foo.c@@/main/br; cleartool lshistory foo.c@@ | EVENTS | head -4
Removed branch "foo.c@@/main/br".
destroy sub-branch "br" of branch "foo.c@@/main"
destroy version on branch "foo.c@@/main"
  "not wanted"
create version "foo.c@@/main/2"
$ cleartool lshistory -minor -directory src | EVENTS | head -6
remove label "L" from directory version "src@@/main/1"
  "nor this"
make label "L" on directory version "src@@/main/1"
create directory version "src@@/main/1"
  "Added file element "bar.c"."
create directory version "src@@/main/0"
"#,
    );
}

#[test]
fn locks_protections_and_types_are_events() {
    let project = Project::small();
    check(
        &project,
        r#"
$ cleartool mklbtype -nc A; cleartool mkbrtype -nc br new; cleartool mkbranch -nc -nco br foo.c
Created label type "A".
Created branch type "br".
Created branch type "new".
Created branch "br" from "foo.c" version "/main/2".
$ cleartool lock -c 'for a while' -nusers root foo.c; cleartool unlock -c 'go on' foo.c; cleartool lock -obsolete foo.c@@/main/br; cleartool unlock foo.c@@/main/br
Locked file element "foo.c".
Unlocked file element "foo.c".
Locked branch "foo.c@@/main/br".
Unlocked branch "foo.c@@/main/br".
$ cleartool protect -c 'for all' -chmod 555 foo.c; cleartool chtype -nc binary_delta_file foo.c < /dev/null; cleartool chtype -nc -force binary_delta_file foo.c; cleartool chtype -nc new foo.c@@/main/br
Changed protection on "foo.c".
Change version manager and rearrange versions of "foo.c"?  [no] 
cleartool: Error: The type manager of the new type is another one.
cleartool: Error: Unable to change type of element "foo.c".
Changed type of element "foo.c" to "binary_delta_file".
Changed type of branch "foo.c@@/main/br" to "new".
$ cleartool lshistory foo.c | EVENTS | head -12; cleartool lshistory -branch new foo.c | EVENTS
change type of branch "foo.c@@/main/new"
change type of file element "foo.c@@"
change protection of file element "foo.c@@"
  "for all"
unlock branch "foo.c@@/main/new"
lock branch "foo.c@@/main/new"
  "Locked for all users."
unlock file element "foo.c@@"
  "go on"
lock file element "foo.c@@"
  "Locked except for users: root
   for a while"
change type of branch "foo.c@@/main/new"
unlock branch "foo.c@@/main/new"
lock branch "foo.c@@/main/new"
  "Locked for all users."
create version "foo.c@@/main/new/0"
create branch "foo.c@@/main/new"
$ cleartool rename -nc lbtype:A lbtype:B; cleartool lock lbtype:B; cleartool unlock lbtype:B; cleartool protect -chown root lbtype:B; cleartool lshistory lbtype:B | EVENTS
Renamed label type from "A" to "B".
Locked label type "B".
Unlocked label type "B".
Changed protection on "B".
change protection of label type "B"
unlock label type "B"
lock label type "B"
  "Locked for all users."
rename label type "B"
  "Changed name of label type from "A" to "B"."
create label type "B"
$ cleartool lock vob:.; cleartool unlock vob:.; cleartool protectvob -force -add_group bin /vobs/x > /dev/null; cleartool lock brtype:main; cleartool lshistory vob:. | EVENTS; cleartool lshistory -all -last 1 | EVENTS; cleartool lshistory brtype:main | EVENTS
Locked versioned object base "/vobs/x".
Unlocked versioned object base "/vobs/x".
Locked branch type "main".
change protection of versioned object base "/vobs/x"
unlock versioned object base "/vobs/x"
lock versioned object base "/vobs/x"
  "Locked for all users."
create versioned object base "/vobs/x"
lock branch type "main"
  "Locked for all users."
lock branch type "main"
  "Locked for all users."
create branch type "main"
$ cleartool unlock brtype:main; id=$(cleartool lshistory -eventid lbtype:B | sed -n 's/event \(.*\):/\1/p' | sed -n 3p); cleartool chevent -replace -c 'frozen' -event $id lbtype:B; cleartool lshistory -minor lbtype:B | EVENTS
Unlocked branch type "main".
Modified event of label type "B".
change event of label type "B"
change protection of label type "B"
unlock label type "B"
lock label type "B"
  "frozen"
rename label type "B"
  "Changed name of label type from "A" to "B"."
create label type "B"
$ cleartool chevent -c 'and last' foo.c; cleartool lshistory -last 1 foo.c | EVENTS; cleartool lshistory -minor -last 1 foo.c | EVENTS; cleartool lshistory foo.c@@/main/2 | EVENTS
Modified event of version "foo.c".
change type of branch "foo.c@@/main/new"
change event of version "foo.c@@/main/2"
create version "foo.c@@/main/2"
  "second
   and last"
"#,
    );
}

#[test]
fn what_was_attached_and_removed_are_minor_events() {
    let project = Project::small();
    project.sh("cleartool mklbtype -nc L M; cleartool mkattype -nc QA; cleartool mkhltype -nc Tested");
    check(
        &project,
        r#"
$ cleartool mklabel -nc -version /main/1 L foo.c; cleartool mklabel -c 'newer' -replace L foo.c; cleartool mklabel -nc -replace -version /main/0 L foo.c; cleartool rmlabel -nc L foo.c; cleartool mklabel -nc M foo.c
Created label "L" on "foo.c" version "/main/1".
Moved label "L" on "foo.c" from version "/main/1" to "/main/2".
Moved label "L" on "foo.c" from version "/main/2" to "/main/0".
Removed label "L" from "foo.c" version "/main/0".
Created label "M" on "foo.c" version "/main/2".
$ cleartool mkattr -c one QA '"a"' foo.c; cleartool mkattr -c two -replace QA '"b"' foo.c; cleartool rmattr -c three QA foo.c
Created attribute "QA" on "foo.c@@/main/2".
Created attribute "QA" on "foo.c@@/main/2".
Removed attribute "QA" from "foo.c@@/main/2".
$ cleartool mkhlink -c arrow Tested foo.c src/bar.c; cleartool mkhlink Merge foo.c@@/main/1 foo.c@@/main/2; cleartool rmhlink -nc Merge@1
Created hyperlink "Tested@0@/vobs/x".
Created hyperlink "Merge@1@/vobs/x".
Removed hyperlink "Merge@1@/vobs/x".
$ cleartool lshistory -minor foo.c | EVENTS; cleartool lshistory foo.c | grep -c .
remove hyperlink "Merge" from version "foo.c@@/main/1"
  "Removed hyperlink "Merge@1@/vobs/x"."
make hyperlink "Merge" on version "foo.c@@/main/1"
  "Attached hyperlink "Merge@1@/vobs/x"."
make hyperlink "Tested" on version "foo.c@@/main/2"
  "Attached hyperlink "Tested@0@/vobs/x".
   arrow"
remove attribute "QA" from version "foo.c@@/main/2"
  "three"
make attribute "QA" on version "foo.c@@/main/2"
  "two"
make attribute "QA" on version "foo.c@@/main/2"
  "one"
make label "M" on version "foo.c@@/main/2"
remove label "L" from version "foo.c@@/main/0"
make label "L" on version "foo.c@@/main/0"
  "Moved label "L" from version "/main/2"."
remove label "L" from version "foo.c@@/main/2"
  "Moved label "L" to version "/main/0"."
make label "L" on version "foo.c@@/main/2"
  "Moved label "L" from version "/main/1".
   newer"
remove label "L" from version "foo.c@@/main/1"
  "Moved label "L" to version "/main/2".
   newer"
make label "L" on version "foo.c@@/main/1"
create version "foo.c@@/main/2" (M)
  "second"
create version "foo.c@@/main/1"
  "first"
create version "foo.c@@/main/0"
create branch "foo.c@@/main"
create file element "foo.c@@"
  "made"
8
$ cleartool lshistory -minor foo.c@@/main/1 | EVENTS; cleartool lshistory -minor src/bar.c | EVENTS
remove hyperlink "Merge" from version "foo.c@@/main/1"
  "Removed hyperlink "Merge@1@/vobs/x"."
make hyperlink "Merge" on version "foo.c@@/main/1"
  "Attached hyperlink "Merge@1@/vobs/x"."
remove label "L" from version "foo.c@@/main/1"
  "Moved label "L" to version "/main/2".
   newer"
make label "L" on version "foo.c@@/main/1"
create version "foo.c@@/main/1"
  "first"
create version "src/bar.c@@/main/1"
  "first"
create version "src/bar.c@@/main/0"
create branch "src/bar.c@@/main"
create file element "src/bar.c@@"
$ cleartool mkattr QA '"x"' foo.c@@ lbtype:L vob:.; cleartool rmattr QA foo.c@@ lbtype:L vob:.; cleartool mkhlink Tested lbtype:L vob:.; cleartool rmhlink Tested@2
Created attribute "QA" on "foo.c@@".
Created attribute "QA" on "lbtype:L".
Created attribute "QA" on "vob:.".
Removed attribute "QA" from "foo.c@@".
Removed attribute "QA" from "lbtype:L".
Removed attribute "QA" from "vob:.".
Created hyperlink "Tested@2@/vobs/x".
Removed hyperlink "Tested@2@/vobs/x".
$ cleartool lshistory -minor -last 2 foo.c | EVENTS; cleartool lshistory -minor lbtype:L | EVENTS; cleartool lshistory -minor vob:. | EVENTS
remove attribute "QA" from file element "foo.c@@"
make attribute "QA" on file element "foo.c@@"
remove hyperlink "Tested" from label type "L"
  "Removed hyperlink "Tested@2@/vobs/x"."
make hyperlink "Tested" on label type "L"
  "Attached hyperlink "Tested@2@/vobs/x"."
remove attribute "QA" from label type "L"
make attribute "QA" on label type "L"
create label type "L"
remove attribute "QA" from versioned object base "/vobs/x"
make attribute "QA" on versioned object base "/vobs/x"
create versioned object base "/vobs/x"
$ cleartool rmtype -rmall -force lbtype:M attype:QA hltype:Tested; cleartool lshistory -minor -last 2 foo.c | EVENTS; cleartool lshistory -last 3 vob:. | EVENTS
Removed label type "M".
Removed attribute type "QA".
Removed hyperlink type "Tested".
remove hyperlink "Tested" from version "foo.c@@/main/2"
  "Removed hyperlink "Tested@0@/vobs/x"."
remove label "M" from version "foo.c@@/main/2"
destroy type in VOB "/vobs/x"
  "Removed hyperlink type "Tested"."
destroy type in VOB "/vobs/x"
  "Removed attribute type "QA"."
destroy type in VOB "/vobs/x"
  "Removed label type "M"."
"#,
    );
}

#[test]
fn what_moves_often_is_told_after_a_crash_without_an_index() {
    let project = Project::small();
    project.sh(
        "cleartool mklbtype -nc -pbranch L && cleartool mkbrtype -nc br && cleartool mkbranch -nc -nco br foo.c && \
         cleartool mklabel -nc L foo.c foo.c@@/main/br/0 && \
         for version in 0 1 2 1 0; do cleartool mklabel -nc -replace -version /main/$version L foo.c; done && \
         cleartool rmlabel -nc L foo.c@@/main/br/0 && cleartool lock -nc foo.c && cleartool rmelem -force src",
    );
    check(
        &project,
        r#"
$ cleartool lshistory -minor foo.c | EVENTS | grep -A1 label
remove label "L" from version "foo.c@@/main/br/0"
make label "L" on version "foo.c@@/main/0"
  "Moved label "L" from version "/main/1"."
remove label "L" from version "foo.c@@/main/1"
  "Moved label "L" to version "/main/0"."
make label "L" on version "foo.c@@/main/1"
  "Moved label "L" from version "/main/2"."
remove label "L" from version "foo.c@@/main/2"
  "Moved label "L" to version "/main/1"."
make label "L" on version "foo.c@@/main/2"
  "Moved label "L" from version "/main/1"."
remove label "L" from version "foo.c@@/main/1"
  "Moved label "L" to version "/main/2"."
make label "L" on version "foo.c@@/main/1"
  "Moved label "L" from version "/main/0"."
remove label "L" from version "foo.c@@/main/0"
  "Moved label "L" to version "/main/1"."
make label "L" on version "foo.c@@/main/0"
  "Moved label "L" from version "/main/2"."
remove label "L" from version "foo.c@@/main/2"
  "Moved label "L" to version "/main/0"."
make label "L" on version "foo.c@@/main/br/0"
make label "L" on version "foo.c@@/main/2"
create version "foo.c@@/main/br/0"
"#,
    );
    let look = "cleartool lshistory -all -minor -eventid -long; cleartool lshistory -minor foo.c";
    let before = project.sh(look);
    project.world.kill_daemon();
    project.world.ct(&["lsview"]).ok();
    assert_eq!(project.sh(look), before);
    project.world.kill_daemon();
    std::fs::remove_dir_all(project.world.only_vob().join("index")).expect("the index is there");
    project.world.ct(&["lsview"]).ok();
    assert_eq!(project.sh(look), before);
}
