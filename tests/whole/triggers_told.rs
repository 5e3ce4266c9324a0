//! What formats, listings for programs, queries and `dump` say of triggers, and the actions that attach something.

use serde_json::{Value, json};

use crate::triggers::project;

#[test]
fn triggers_are_told_by_formats_queries_and_dump() {
    project(&[]).check(
        r#"
$ cleartool mktrtype -nc -element -preop checkout -exec true A; cleartool mktrtype -nc -element -postop checkin -exec true B; cleartool mktrtype -nc -type -preop mklabel -lbtype -all -exec true C
Created trigger type "A".
Created trigger type "B".
Created trigger type "C".
$ cleartool mktrigger -nc A foo.c src; cleartool mktrigger -nc -nattach B src
Added trigger "A" to element "foo.c".
Added trigger "A" to attached list of directory "src".
Added trigger "A" to inheritance list of directory "src".
Added trigger "B" to inheritance list of directory "src".
$ cleartool describe -fmt '%En: %[triggers]p\n' foo.c@@ src@@ src/bar.c@@; cleartool describe -fmt '%[triggers]CXp\n' src@@
foo.c: A
src: A B
src/bar.c: 
trtype:A@/vobs/x, trtype:B@/vobs/x
$ cleartool lstype -kind trtype -fmt '%n %[trtype_kind]p\n'; cleartool describe -fmt '%n %[trtype_kind]p.\n' trtype:A brtype:main
A pre-operation
B post-operation
C pre-operation
A pre-operation.
main .
$ cleartool find . -element 'trtype(A)' -print; cleartool find . -version 'trtype(A) && version(/main/LATEST)' -print; cleartool find . -element 'trtype(B)' -print
./foo.c@@
./src@@
./foo.c@@/main/2
./src@@/main/1
$ cleartool rename trtype:A trtype:D; cleartool find . -element 'trtype(A)' -print; cleartool find . -element 'trtype(D)' -print
Renamed trigger type from "A" to "D".
./foo.c@@
./src@@
$ cleartool dump -long vob:. | sed -n '/trigger type objects:/,$p' | sed 's/<[0-9]*>/<N>/'
trigger type objects:
  <N>  B
  <N>  C
  <N>  D
"#,
    );
}

#[test]
fn rules_can_ask_for_triggers() {
    let project = project(&[]);
    project.sh("cleartool mktrtype -nc -element -preop checkout -exec true T");
    let spec = "element * CHECKEDOUT\nelement * {trtype(T) && version(/main/1)}\nelement * /main/LATEST\n";
    project.world.set_spec("v", spec);
    project.check(
        r#"
$ cat foo.c; cleartool mktrigger -nc T foo.c; cat foo.c; cleartool rmtrigger -nc T foo.c; cat foo.c
one
two
Added trigger "T" to element "foo.c".
one
Removed trigger "T" from element "foo.c".
one
two
"#,
    );
}

#[test]
fn listings_for_programs_have_what_triggers_are() {
    let project = project(&[]);
    project.sh(
        "cleartool mklbtype -nc L && cleartool mkattype -nc A && cleartool mkhltype -nc H && \
         cleartool mktrtype -nc -element -preop MODIFY_DATA -nusers anne -brtype main -execunix 'true 1' T && \
         cleartool mktrtype -nc -element -all -postop checkin -print -mklabel L -mkattr 'A=\"v\"' \
         -mkhlink H,from=foo.c U && cleartool mktrigger -nc T src && cleartool mktrigger -nc -ninherit T foo.c",
    );
    let told = |line: &str| -> Vec<Value> {
        project.sh(line).lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
    };
    let types = told("cleartool lstype -kind trtype -json");
    let action = |kind: &str, of: Value, text: Value| json!({"kind": kind, "type": of, "text": text});
    assert_eq!(
        types[0]["definition"]["trigger"],
        json!({
            "class": "element", "fires": "pre-operation", "operations": ["MODIFY_DATA"], "exempt": ["anne"],
            "actions": [action("execute_unix", Value::Null, "true 1".into())],
            "types": [{"selector_kind": "brtype", "all": false, "names": ["main"]}], "prints": false,
        })
    );
    let second = &types[1]["definition"]["trigger"];
    assert_eq!((&second["class"], &second["prints"]), (&json!("all_elements"), &json!(true)));
    assert_eq!(
        second["actions"],
        json!([
            action("make_label", "L".into(), Value::Null),
            action("make_attribute", "A".into(), "\"v\"".into()),
            action("make_hyperlink_from", "H".into(), "foo.c".into()),
        ])
    );
    let elements = told("cleartool describe -json src@@ foo.c@@ foo.c lbtype:L");
    let lists = |at: usize| (&elements[at]["triggers"], &elements[at]["inherited_triggers"]);
    assert_eq!(lists(0), (&json!(["T"]), &json!(["T"])));
    assert_eq!(lists(1), (&json!(["T"]), &json!([])));
    assert_eq!(lists(2), (&Value::Null, &Value::Null));
    assert_eq!(elements[3]["definition"]["trigger"], Value::Null);
}

#[test]
fn actions_that_attach_something_replace_what_is_there() {
    project(&[]).check(
        r#"
$ cleartool mklbtype -nc L M; cleartool mkhltype -nc H; cleartool mktrtype -nc -element -all -postop mklabel -lbtype L -mkhlink H,to=src/bar.c@@ -mkhlink H,from=vob:. -mklabel M T
Created label type "L".
Created label type "M".
Created hyperlink type "H".
Created trigger type "T".
$ cleartool mklabel -nc L foo.c; cleartool describe -short -ahlink -all -alabel -all foo.c
Created label "L" on "foo.c" version "/main/2".
L
M
-> WORLD/view/v/vobs/x/src/bar.c@@
<- vob:/vobs/x
$ cleartool rmlabel -nc L foo.c; cleartool mklabel -nc L foo.c; cleartool describe -short -ahlink -all foo.c
Removed label "L" from "foo.c" version "/main/2".
Created label "L" on "foo.c" version "/main/2".
-> WORLD/view/v/vobs/x/src/bar.c@@
<- vob:/vobs/x
$ cleartool mkhlink -nc -replace -ttext again H foo.c src/bar.c@@; cleartool mkhlink -nc H foo.c src/bar.c@@; cleartool describe -ahlink -all foo.c; cleartool mkhlink -replace -nc H foo.c src/bar.c@@;  cleartool mkhlink -nc -replace H foo.c; cleartool describe -ahlink -all foo.c
Created hyperlink "H@4@/vobs/x".
Created hyperlink "H@5@/vobs/x".
version "foo.c@@/main/2"
  Hyperlinks:
    H <- vob:/vobs/x
    H -> WORLD/view/v/vobs/x/src/bar.c@@ "again"
    H -> WORLD/view/v/vobs/x/src/bar.c@@
Created hyperlink "H@6@/vobs/x".
Created hyperlink "H@7@/vobs/x".
version "foo.c@@/main/2"
  Hyperlinks:
    H <- vob:/vobs/x
    H -> WORLD/view/v/vobs/x/src/bar.c@@
    H -> 
$ cleartool mktrtype -nc -replace -element -all -postop mklabel -mkhlink H,to=nothing T; cleartool mklabel -nc -replace -version /main/1 L foo.c; cleartool mktrtype -nc -element -all -postop mklabel -mkhlink H BAD 2>&1 | head -1
Replaced definition of trigger type "T".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to create hyperlink "H" from "WORLD/view/v/vobs/x/foo.c@@/main/1".
cleartool: Warning: Trigger "T" failed after mklabel, which is done.
Moved label "L" on "foo.c" from version "/main/2" to "/main/1".
cleartool: Error: Option -mkhlink takes hyperlink-type,to=pname or hyperlink-type,from=pname
"#,
    );
}
