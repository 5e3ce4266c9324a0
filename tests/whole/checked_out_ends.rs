//! Hyperlinks that lead to or from what is checked out: they become the new version's, or go with the checkout, and a
//! Merge arrow from the newest version lets a checkin pass.

use crate::project::Project;

/// foo.c is checked out to v from /main/2, and another view checked /main/3 in meanwhile.
fn overtaken() -> Project {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("cleartool co -unreserved -nc foo.c && echo mine >> foo.c && cd ../../../w/vobs/x && \
         cleartool co -nc foo.c && echo theirs >> foo.c && cleartool ci -nc foo.c");
    project
}

#[test]
fn a_merge_arrow_from_the_newest_version_lets_the_checkin_pass() {
    let project = overtaken();
    project.check(
        r#"
$ cleartool ci -nc foo.c; cleartool mkhlink Merge foo.c@@/main/2 foo.c; cleartool ci -nc foo.c
cleartool: Error: The most recent version on branch "/main" is not the predecessor of this version.
cleartool: Error: Unable to check in "foo.c".
Created hyperlink "Merge@0@/vobs/x".
cleartool: Error: The most recent version on branch "/main" is not the predecessor of this version.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool rmhlink Merge@0; cleartool mkhlink -c merged Merge foo.c@@/main/LATEST foo.c
Removed hyperlink "Merge@0@/vobs/x".
Created hyperlink "Merge@1@/vobs/x".
$ cleartool describe -ahlink Merge foo.c foo.c@@/main/3; cleartool describe foo.c | tail -2; cleartool describe -s -ihlink -all foo.c
version "foo.c@@/main/CHECKEDOUT" from /main/2 (unreserved)
  Hyperlinks:
    Merge <- WORLD/view/v/vobs/x/foo.c@@/main/3
version "foo.c@@/main/3"
  Hyperlinks:
    Merge -> WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT
  Hyperlinks:
    Merge <- WORLD/view/v/vobs/x/foo.c@@/main/3
<- WORLD/view/v/vobs/x/foo.c@@/main/3
$ cd ../../../w/vobs/x; cleartool describe -s -ahlink -all foo.c | sed 's/[.][0-9]*$/.N/'; cleartool describe hlink:Merge@1 | sed -n '2!p' | tail -1 | sed 's/[.][0-9]*$/.N/'
-> WORLD/view/w/vobs/x/foo.c@@/main/CHECKEDOUT.N
  Merge@1@/vobs/x  /vobs/x/foo.c@@/main/3 -> /vobs/x/foo.c@@/main/CHECKEDOUT.N
$ cleartool ci -nc foo.c; cat foo.c; cleartool describe foo.c | grep predec; cleartool describe -ahlink -all foo.c foo.c@@/main/3
Checked in "foo.c" version "/main/4".
one
two
mine
  predecessor version: /main/3
version "foo.c@@/main/4"
  Hyperlinks:
    Merge <- WORLD/view/v/vobs/x/foo.c@@/main/3
version "foo.c@@/main/3"
  Hyperlinks:
    Merge -> WORLD/view/v/vobs/x/foo.c@@/main/4
$ cleartool lsvtree -merge foo.c | grep -e '->' -e '<-'; cleartool lsh -minor -s foo.c@@/main/3; cleartool describe hlink:Merge@1 | grep merged; cleartool find . -version 'merge(/main/3,/main/4) && hltype(Merge,<-)' -print
  -> foo.c@@/main/4
  <- foo.c@@/main/3
foo.c@@/main/3
foo.c@@/main/3
  "merged"
./foo.c@@/main/4
$ cleartool rmhlink Merge@1; cleartool describe -ahlink -all foo.c
Removed hyperlink "Merge@1@/vobs/x".
version "foo.c@@/main/4"
"#,
    );
}

#[test]
fn what_was_merged_is_not_checked_in_again_unchanged() {
    let project = overtaken();
    project.check(
        r#"
$ cat foo.c@@/main/3 > foo.c; cleartool mkhlink Merge foo.c@@/main/3 foo.c; cleartool ci -nc foo.c; cleartool ci -nc -identical foo.c
Created hyperlink "Merge@0@/vobs/x".
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "foo.c".
Checked in "foo.c" version "/main/4".
"#,
    );
}

#[test]
fn hyperlinks_go_with_a_cancelled_checkout() {
    let project = overtaken();
    project.check(
        r#"
$ cleartool mkhltype -nc H; cleartool mkhlink Merge foo.c@@/main/LATEST foo.c; cleartool mkhlink -ftext from H foo.c src/bar.c; cleartool mkhlink H foo.c@@/main/CHECKEDOUT brtype:main
Created hyperlink type "H".
Created hyperlink "Merge@0@/vobs/x".
Created hyperlink "H@1@/vobs/x".
Created hyperlink "H@2@/vobs/x".
$ cleartool describe -s -ahlink -all foo.c src/bar.c brtype:main
<- WORLD/view/v/vobs/x/foo.c@@/main/3
-> WORLD/view/v/vobs/x/src/bar.c@@/main/1
-> brtype:main@/vobs/x
<- WORLD/view/v/vobs/x/foo.c@@/main/CHECKEDOUT "from"
<- /vobs/x/foo.c@@/main/CHECKEDOUT
$ cleartool unco -rm foo.c; cleartool describe -ahlink -all foo.c src/bar.c brtype:main; cleartool describe hlink:H@2; cleartool rmhlink Merge@0
Checkout cancelled for "foo.c".
version "foo.c@@/main/3"
version "src/bar.c@@/main/1"
branch type "main"
cleartool: Error: Hyperlink not found: "H@2".
cleartool: Error: Hyperlink not found: "Merge@0".
cleartool: Error: Unable to remove hyperlink "Merge@0".
[exit 1]
$ cleartool rmtype hltype:H
Removed hyperlink type "H".
"#,
    );
}

#[test]
fn directories_and_indexes_made_anew_know_them_too() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh(
        "cleartool mkhltype -nc H && cleartool co -unreserved -nc src && echo m > src/m.c && \
         cleartool mkelem -nc -ci src/m.c && cd ../../../w/vobs/x && cleartool co -nc src && echo t > src/t.c && \
         cleartool mkelem -nc -ci src/t.c && cleartool ci -nc src",
    );
    project.sh("cleartool mkhlink Merge src@@/main/2 src && cleartool mkhlink H src foo.c && cleartool ln src@@/main/2/t.c src/");
    let tell =
        "cleartool describe -long src src@@/main/2 foo.c hlink:H@1 && cleartool lsh -minor -s src foo.c";
    let told = project.sh(tell);
    assert!(told.contains("    Merge@0@/vobs/x <- "), "{told}");
    let anew = || {
        project.world.clerestory(&["shutdown"]).ok();
        std::fs::remove_dir_all(project.world.only_vob().join("index")).expect("the index is there");
        project.world.ct(&["lsview"]).ok();
    };
    anew();
    assert_eq!(project.sh(tell), told);
    project.check(
        r#"
$ cleartool ci -nc src; ls src; cleartool describe -s -ahlink -all src foo.c; cleartool checkvob vob:. | sed 's/ (.*//'
Checked in "src" version "/main/3".
bar.c
m.c
t.c
<- WORLD/view/v/vobs/x/src@@/main/2
-> WORLD/view/v/vobs/x/foo.c@@/main/2
<- WORLD/view/v/vobs/x/src@@/main/3
Checked VOB "/vobs/x": nothing is wrong
"#,
    );
    let told = project.sh(tell);
    anew();
    assert_eq!(project.sh(tell), told);
}

#[test]
fn another_views_checkout_is_no_end() {
    let project = overtaken();
    project.world.make_vob("/vobs/y");
    let other = project.world.in_view("v", "/vobs/y");
    let made = "cleartool co -nc . && echo t > t && cleartool mkelem -nc t";
    project.world.sh(&other, made).ok();
    project.check(
        r#"
$ cd ../../../w/vobs/x; cleartool mkhlink Merge foo.c foo.c@@/main/CHECKEDOUT.$(ls foo.c@@/main | sed -n 's/CHECKEDOUT[.]//p') 2>&1 | sed 's/[.][0-9]*"/.N"/'
cleartool: Error: Version is checked out: "foo.c@@/main/CHECKEDOUT.N".
cleartool: Error: Unable to create hyperlink "Merge" from "foo.c".
$ cleartool mkhltype -nc H; cleartool mkhlink H foo.c ../y/t; cleartool mkattype -nc A; cleartool mkattr A '"1"' foo.c
Created hyperlink type "H".
cleartool: Error: Version is checked out: "../y/t".
cleartool: Error: Unable to create hyperlink "H" from "foo.c".
Created attribute type "A".
cleartool: Error: Version is checked out: "foo.c".
cleartool: Error: Unable to create attribute "A" on "foo.c".
[exit 1]
"#,
    );
}
