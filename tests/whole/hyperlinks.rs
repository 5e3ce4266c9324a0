//! Hyperlinks: sessions with the product's messages and exit codes, and what is told at both ends.

use crate::project::Project;

#[test]
fn hyperlinks_are_made_told_at_both_ends_and_removed() {
    let project = Project::small();
    let transcript = r#"
$ cleartool mkhlink Tested foo.c src/bar.c
cleartool: Error: Hyperlink type not found: "Tested".
cleartool: Error: Unable to create hyperlink "Tested" from "foo.c".
[exit 1]
$ cleartool mkhltype -nc Tested Design
Created hyperlink type "Tested".
Created hyperlink type "Design".
$ cleartool mkhlink Tested foo.c src/bar.c
Created hyperlink "Tested@0@/vobs/x".
$ cleartool mkhlink -c why -unidir -ftext draft -ttext 'section 7' Design foo.c@@/main/1 src/bar.c@@
Created hyperlink "Design@1@/vobs/x".
$ cleartool mkhlink -ttext 'to read' Design foo.c; cleartool mkhlink Merge foo.c@@/main/1 foo.c
Created hyperlink "Design@2@/vobs/x".
Created hyperlink "Merge@3@/vobs/x".
$ cleartool describe foo.c | sed -n '/Hyperlinks/,$p'; cleartool describe -long src/bar.c | tail -2
  Hyperlinks:
    Tested -> VIEW/vobs/x/src/bar.c@@/main/1
    Design ->  "to read"
    Merge <- VIEW/vobs/x/foo.c@@/main/1
  Hyperlinks:
    Tested@0@/vobs/x <- VIEW/vobs/x/foo.c@@/main/2
$ cleartool describe -ahlink Design foo.c@@/main/1 src/bar.c@@; cleartool describe -short -ahlink -all foo.c
version "foo.c@@/main/1"
  Hyperlinks:
    Design "draft" -> VIEW/vobs/x/src/bar.c@@ "section 7"
file element "src/bar.c@@"
  Hyperlinks:
    Design "section 7" <- VIEW/vobs/x/foo.c@@/main/1 "draft"
-> VIEW/vobs/x/src/bar.c@@/main/1
->  "to read"
<- VIEW/vobs/x/foo.c@@/main/1
$ cleartool describe -short -ihlink Design foo.c; cleartool describe -short hlink:Tested@0; cleartool lsvtree -merge foo.c | grep -e '->' -e '<-'
->  "to read"
-> VIEW/vobs/x/src/bar.c@@ "section 7"
Tested@0
  -> foo.c@@/main/2
  <- foo.c@@/main/1
$ cleartool describe hlink:Design@1@/vobs/x | grep -v -e created -e owner -e group; cleartool describe hlink:Design@2 | tail -1
hyperlink "Design@1"
  "why"
  Design@1@/vobs/x  /vobs/x/foo.c@@/main/1 "draft" -> /vobs/x/src/bar.c@@ "section 7"
  Design@2@/vobs/x  /vobs/x/foo.c@@/main/2 ->  "to read"
$ cleartool lsh -minor -short hlink:Design@1; cleartool lsh -minor foo.c | grep 'make hyper' | cut -c27-
Design@1
make hyperlink "Merge" on version "foo.c@@/main/1"
make hyperlink "Design" on version "foo.c@@/main/2"
make hyperlink "Design" on version "foo.c@@/main/1"
make hyperlink "Tested" on version "foo.c@@/main/2"
$ cleartool describe -version '{hltype(Tested,->)}' -short foo.c; cleartool describe -version '{merge(/main/1,/main/2) && hltype(Merge,<-)}' -short foo.c
foo.c@@/main/2
foo.c@@/main/2
$ cleartool rmhlink Tested@0 hlink:Merge@3@/vobs/x Tested@0 Design@9 Nothing@1
Removed hyperlink "Tested@0@/vobs/x".
Removed hyperlink "Merge@3@/vobs/x".
cleartool: Error: Hyperlink not found: "Tested@0".
cleartool: Error: Unable to remove hyperlink "Tested@0".
cleartool: Error: Hyperlink not found: "Design@9".
cleartool: Error: Unable to remove hyperlink "Design@9".
cleartool: Error: Hyperlink not found: "Nothing@1".
cleartool: Error: Unable to remove hyperlink "Nothing@1".
[exit 1]
$ cleartool describe -ahlink -all src/bar.c; cleartool describe hlink:Tested@0; cleartool rmhlink lbtype:X
version "src/bar.c@@/main/1"
cleartool: Error: Hyperlink not found: "Tested@0".
cleartool: Error: Not a type selector of the kind wanted: "lbtype:X".
[exit 1]
$ cleartool rmtype hltype:Design; cleartool rmtype -rmall -force hltype:Design hltype:Tested; cleartool describe -ahlink -all foo.c src/bar.c@@
cleartool: Error: There are hyperlinks of type "Design".
cleartool: Error: Unable to remove hyperlink type "Design".
Removed hyperlink type "Design".
Removed hyperlink type "Tested".
version "foo.c@@/main/2"
file element "src/bar.c@@"
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn hyperlinks_go_with_a_type_at_either_end() {
    let project = Project::small();
    project.sh("cleartool mkhltype -nc Tested && cleartool mklbtype -nc A B && cleartool mkhlink Tested lbtype:A foo.c");
    project.check(
        r#"
$ cleartool mkhlink Tested src/bar.c lbtype:A; cleartool mkhlink Tested lbtype:A lbtype:B; cleartool rmtype lbtype:A
Created hyperlink "Tested@1@/vobs/x".
Created hyperlink "Tested@2@/vobs/x".
Removed label type "A".
$ cleartool describe -ahlink -all foo.c src/bar.c lbtype:B; cleartool describe hlink:Tested@1; cleartool rmtype hltype:Tested
version "foo.c@@/main/2"
version "src/bar.c@@/main/1"
label type "B"
cleartool: Error: Hyperlink not found: "Tested@1".
Removed hyperlink type "Tested".
"#,
    );
}

#[test]
fn hyperlinks_join_objects_of_every_kind() {
    let project = Project::small();
    project.sh(
        "cleartool mkhltype -nc Tested && cleartool mklbtype -nc REL1 && cleartool mkbrtype -nc fix && \
         cleartool mkbranch -nc -nco fix foo.c && echo x > lbtype:REL1 && cleartool co -nc . && \
         cleartool ln -s foo.c link && cleartool ci -nc .",
    );
    let transcript = r#"
$ cleartool mkhlink Tested lbtype:REL1 brtype:fix; cleartool mkhlink Tested vob:. foo.c@@/main/fix
Created hyperlink "Tested@0@/vobs/x".
Created hyperlink "Tested@1@/vobs/x".
$ cleartool describe -ahlink -all lbtype:REL1 brtype:fix vob:/vobs/x foo.c@@/main/fix
label type "REL1"
  Hyperlinks:
    Tested -> brtype:fix@/vobs/x
branch type "fix"
  Hyperlinks:
    Tested <- lbtype:REL1@/vobs/x
versioned object base "/vobs/x"
  Hyperlinks:
    Tested -> /vobs/x/foo.c@@/main/fix
branch "foo.c@@/main/fix"
  Hyperlinks:
    Tested <- vob:/vobs/x
$ cleartool describe hlink:Tested@0 | tail -1; cleartool lsh -minor -short lbtype:REL1
  Tested@0@/vobs/x  lbtype:REL1@/vobs/x -> brtype:fix@/vobs/x
REL1
REL1
$ cleartool mkhlink -fpname Tested lbtype:REL1 foo.c; cleartool mkhlink Tested foo.c link; cleartool mkhlink Tested foo.c none.c
cleartool: Error: Not a vob object: "lbtype:REL1".
cleartool: Error: Unable to create hyperlink "Tested" from "lbtype:REL1".
cleartool: Error: Not an element: "link".
cleartool: Error: Unable to create hyperlink "Tested" from "foo.c".
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Unable to create hyperlink "Tested" from "foo.c".
[exit 1]
$ cleartool mkhlink Tested; cleartool mkhlink Tested a b c 2>&1 | head -1; cleartool rmhlink 2>&1 | head -1
cleartool: Error: Object name required
Usage: mkhlink [-replace] [-unidir] [-ttext to-text] [-ftext from-text] [-fpname] [-tpname] [-acquire]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       hyperlink-type-selector from-object-selector [to-object-selector]
cleartool: Error: Extra arguments: "c"
cleartool: Error: Hyperlink selector required
$ cleartool co -nc foo.c; cleartool mkhlink Tested foo.c src; cleartool unco -rm foo.c; cleartool rmhlink Tested@1 Tested@0
Checked out "foo.c" from version "/main/2".
Created hyperlink "Tested@2@/vobs/x".
Checkout cancelled for "foo.c".
Removed hyperlink "Tested@1@/vobs/x".
Removed hyperlink "Tested@0@/vobs/x".
$ cleartool describe -ahlink -all vob:. brtype:fix
versioned object base "/vobs/x"
branch type "fix"
"#;
    project.check(transcript);
}

#[test]
fn a_hyperlink_leads_into_another_vob() {
    let project = Project::small();
    project.world.make_vob("/vobs/y");
    let other = project.world.in_view("v", "/vobs/y");
    project
        .world
        .sh(
            &other,
            "cleartool co -nc . && echo t > test && cleartool mkelem -nc -ci test && cleartool ci -nc . && \
         cleartool mklbtype -nc REL2",
        )
        .ok();
    project.sh("cleartool mkhltype -nc Tested");
    let transcript = r#"
$ cleartool mkhlink Tested foo.c ../y/test; cleartool mkhlink Tested foo.c@@ lbtype:REL2@/vobs/y; cleartool mkhlink Tested foo.c@@ vob:/vobs/y
Created hyperlink "Tested@0@/vobs/x".
Created hyperlink "Tested@1@/vobs/x".
Created hyperlink "Tested@2@/vobs/x".
$ cleartool describe -ahlink -all foo.c foo.c@@ ../y/test
version "foo.c@@/main/2"
  Hyperlinks:
    Tested -> WORLD/view/v/vobs/y/test@@/main/1
file element "foo.c@@"
  Hyperlinks:
    Tested -> lbtype:REL2@/vobs/y
    Tested -> vob:/vobs/y
version "../y/test@@/main/1"
$ cleartool mkhlink Tested ../y/test foo.c; cleartool mkhlink Tested@/vobs/y foo.c ../y/test
cleartool: Error: Hyperlink type not found: "Tested".
cleartool: Error: Unable to create hyperlink "Tested" from "../y/test".
cleartool: Error: Hyperlink type not found: "Tested".
cleartool: Error: Unable to create hyperlink "Tested" from "foo.c".
[exit 1]
$ cleartool umount /vobs/y; cleartool describe -ahlink -all foo.c; cleartool mount /vobs/y
Unmounting MVFS filesystem /vobs/y.
version "foo.c@@/main/2"
  Hyperlinks:
    Tested -> oid:OID@/vobs/y@@/main/1
Mounting MVFS filesystem /vobs/y.
$ cleartool rmhlink Tested@0@/vobs/x Tested@1@/vobs/x; cleartool describe -ahlink -all foo.c
Removed hyperlink "Tested@0@/vobs/x".
Removed hyperlink "Tested@1@/vobs/x".
version "foo.c@@/main/2"
"#;
    project.check(transcript);
}

#[test]
fn an_index_made_anew_tells_the_same() {
    let project = Project::small();
    project.sh(
        "cleartool mkattype -nc A && cleartool mkattype -nc -vtype time T && cleartool mkhltype -nc H && \
         cleartool mklbtype -nc L && cleartool mkattr A '\"1\"' foo.c foo.c@@ foo.c@@/main lbtype:L vob:. && \
         cleartool mkattr -replace A '\"2\"' foo.c && cleartool mkattr T 1-Jan-2026 foo.c src && \
         cleartool rmattr T src && cleartool mkhlink -ftext f -ttext t H foo.c src && \
         cleartool mkhlink H lbtype:L foo.c && cleartool mkhlink Merge foo.c@@/main/1 foo.c && \
         cleartool mkhlink H vob:. && cleartool mkhlink H src/bar.c src && cleartool rmhlink H@4",
    );
    let tell = "cleartool describe -long foo.c foo.c@@ foo.c@@/main src src/bar.c lbtype:L vob:. hlink:H@0 && \
        cleartool lsh -minor -r -eventid . lbtype:L vob:. && cleartool lstype -long attype:A";
    let before = project.sh(tell);
    assert!(
        before.contains("    A = \"2\"\n") && before.contains("    H@1@/vobs/x <- lbtype:L@/vobs/x\n"),
        "{before}"
    );
    project.world.clerestory(&["shutdown"]).ok();
    std::fs::remove_dir_all(project.world.only_vob().join("index")).expect("the index is there");
    project.world.ct(&["lsview"]).ok();
    assert_eq!(project.sh(tell), before);
    let said = project.sh("cleartool mkhlink H foo.c; cleartool rmhlink H@0 H@1");
    assert!(said.starts_with("Created hyperlink \"H@5@/vobs/x\".\n"), "{said}");
}
