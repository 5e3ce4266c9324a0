//! `-json` in every listing command: one object on a line, beside the ordinary listing.

use crate::formats::rich;
use serde_json::{Value, json};

fn parsed(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn every_listing_has_a_form_for_programs() {
    let project = rich();
    let told = |line: &str| parsed(&project.sh(line));
    let versions = told("cleartool describe -json foo.c@@/main/2 src/bar.c");
    assert_eq!(versions[0]["labels"], json!(["REL1", "REL2"]));
    assert_eq!(versions[0]["attributes"][0], json!({"type": "QAed", "value": "\"Yes\"", "time_s": null}));
    assert_eq!(versions[0]["extended_name"], "foo.c@@/main/2");
    assert_eq!((&versions[0]["predecessor"], &versions[0]["mode"]), (&json!("/main/1"), &json!("0444")));
    assert_eq!(versions[1]["checkout"]["view"], "v");
    assert_eq!(
        (&versions[1]["operation"], &versions[1]["comment"]),
        (&json!("checkout"), &json!("on its way"))
    );
    for (value, selector) in [("oid", "oid"), ("dbid", "dbid")] {
        let id = versions[0][value].to_string();
        let again = told(&format!("cleartool describe -json {selector}:{}", id.trim_matches('"')));
        assert_eq!(again[0]["version"], "/main/2");
    }
    let vob = &told("cleartool describe --json vob:.")[0];
    assert_eq!((&vob["vob_facts"]["tag"], &vob["selector"]), (&json!("/vobs/x"), &json!("vob:/vobs/x")));
    let events = told("cleartool lshistory -minor -json foo.c");
    let phrases: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let same: Vec<String> =
        project.sh("cleartool lshistory -minor -fmt '%e\\n' foo.c").lines().map(String::from).collect();
    assert_eq!(phrases, same);
    assert!(events.iter().all(|event| event["event_id"].is_u64() && event["time_s"].is_i64()));
    let ids =
        project.sh("cleartool lshistory -minor -eventid -short foo.c | sed -n 's/^event \\(.*\\):$/\\1/p'");
    let of_events: Vec<String> = events.iter().map(|event| event["event_id"].to_string()).collect();
    assert_eq!(ids.lines().collect::<Vec<_>>(), of_events);
    let checkouts = told("cleartool lscheckout -r -json");
    let names: Vec<&str> = checkouts.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, project.sh("cleartool lscheckout -r -short").lines().collect::<Vec<_>>());
    let types = told("cleartool lstype -kind lbtype -json");
    assert_eq!((&types[1]["name"], &types[1]["lock"]), (&json!("REL2"), &json!("locked")));
    assert_eq!(types[1]["definition"]["constraint"], "one version per element");
    let locks = told("cleartool lslock -json");
    assert_eq!((&locks[0]["name"], &locks[0]["exempt"]), (&json!("REL2"), &json!([])));
    let tree = told("cleartool lsvtree -all -json foo.c");
    let versions: Vec<&str> = tree.iter().map(|row| row["version"].as_str().unwrap()).collect();
    assert_eq!(
        versions,
        ["/main", "/main/0", "/main/1", "/main/2", "/main/fix", "/main/fix/0", "/main/fix/1"]
    );
    assert_eq!((&tree[4]["level"], &tree[3]["branch_point"]), (&json!(1), &json!(true)));
    let listed = told("cleartool ls -json");
    let names: Vec<&str> = listed.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, project.sh("cleartool ls -nxname").lines().collect::<Vec<_>>());
    assert_eq!(told("cleartool ls -json foo.c")[0]["rule"], ".../fix/LATEST");
    let private = told("cleartool lsprivate -json");
    let notes = private.iter().find(|row| row["name"] == "/vobs/x/notes.txt").expect("it is listed");
    assert_eq!((&notes["size_bytes"], &notes["kind"]), (&json!(8), &json!("view_private_object")));
    let view = &told("cleartool lsview -json v")[0];
    assert_eq!((&view["tag"], &view["active"]), (&json!("v"), &json!(true)));
    let vob = &told("cleartool lsvob -json")[0];
    assert_eq!(
        (&vob["tag"], &vob["mounted"], &vob["trouble"]),
        (&json!("/vobs/x"), &json!(true), &json!(null))
    );
    let found = told("cleartool find . -version 'lbtype(REL1)' -json");
    assert_eq!(
        found,
        [
            json!({"name": "./foo.c", "extended_name": "./foo.c@@/main/2", "kind": "version", "version": "/main/2"})
        ]
    );
}

#[test]
fn failures_stay_on_standard_error() {
    rich().check(
        r#"
$ cleartool describe -json nothing notes.txt | grep -c .
cleartool: Error: Unable to access "nothing": No such file or directory.
1
$ cleartool ls -json -long 2>&1 | head -1
cleartool: Error: Options -long and -json are mutually exclusive
$ cleartool lstype -json lbtype:NONE
cleartool: Error: Label type not found: "NONE".
[exit 1]
"#,
    );
}
