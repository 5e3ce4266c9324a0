//! What programs that drive cleartool send, with their own formats and expressions, and whether they can read what
//! comes back.

use crate::formats::rich;
use regex::Regex;

#[track_caller]
fn matches(pattern: &str, text: &str) -> Vec<Vec<String>> {
    let pattern = Regex::new(pattern).unwrap();
    let group =
        |found: Option<regex::Match<'_>>| found.map(|found| found.as_str().to_owned()).unwrap_or_default();
    let found: Vec<Vec<String>> =
        pattern.captures_iter(text).map(|found| found.iter().skip(1).map(group).collect()).collect();
    assert!(!found.is_empty(), "{pattern} does not fit\n{text}");
    found
}

#[test]
fn build_servers_read_histories() {
    let project = rich();
    let out = project.sh(
        r#"cleartool lshistory -recurse -since 9-may-08.14:00:00utc+0000 -fmt "\"%Nd\" \"%u\" \"%En\" \"%Vn\" \"%e\" \"%o\" \n%c\n" -branch brtype:fix -nco ."#,
    );
    let pattern = r#"(?m)^"([^"]*)" "([^"]*)" "([^"]*)" "([^"]*)" "([^"]*)" "([^"]*)" $"#;
    let found = matches(pattern, &out);
    let first: Vec<&str> = found[0].iter().skip(1).map(String::as_str).collect();
    assert_eq!(first, ["root", "./foo.c", "/main/fix/1", "create version", "checkin"]);
    assert!(Regex::new(r"^\d{8}\.\d{6}$").unwrap().is_match(&found[0][0]));
    assert!(out.contains("\non the branch\nsecond line\n"));

    let out = project.sh(
        r##"cleartool lshistory -eventid -minor -since 1-Jan-2008 -branch fix -fmt "%u#--#%Nd#--#%En#--#%m#--#%Vn#--#%o#--#%e#--#%Nc#--#%[activity]p###----###\n" -all ."##,
    );
    let records: Vec<&str> = out.split("###----###").map(str::trim).filter(|text| !text.is_empty()).collect();
    for record in &records {
        let (id, rest) = record.strip_prefix("event ").and_then(|text| text.split_once(':')).expect(record);
        assert!(id.trim().parse::<u64>().is_ok(), "{record}");
        let fields: Vec<&str> = rest.trim().split("#--#").collect();
        assert_eq!(fields.len(), 9, "{record}");
        assert!(["version", "branch"].contains(&fields[3]) && fields[8].is_empty(), "{record}");
    }
    assert_eq!(records.len(), 4, "{records:#?}");

    let out = project.sh(
        "cleartool lshistory -r -nco -since 1-January-2008.00:00:00 -fmt '%u#~#%Nd#~#%En#~#%Vn#~#%o#~#!%l#~#!%a#~#%Nc@#@#@#@#@#@#@#@#@#@#@#@\\n' .",
    );
    let labelled: Vec<&str> =
        out.split("@#@#@#@#@#@#@#@#@#@#@#@").filter(|text| text.contains("!(REL1")).collect();
    let fields: Vec<&str> = labelled[0].trim().split("#~#").collect();
    assert_eq!(fields[2..7], ["./foo.c", "/main/2", "checkin", "!(REL1, REL2)", "!(QAed=\"Yes\", Bug=7)"]);

    let out = project.sh(
        "cleartool lshistory -recurse -nco -since 1-Jan-2008 -fmt 'NAME:%En\\nDATE:%Nd\\nCOMM:%-12.12o - %o - %c - Activity: %[activity]p\\nUSER:%-8.8u\\nREVI:%Ln\\n' .",
    );
    let found = matches(r"(?m)^NAME:(.*)\nDATE:(\d{8}\.\d{6})\nCOMM:(.{12}) - (\w+) - ", &out);
    assert_eq!(found[0][2].trim_end(), found[0][3]);
    assert!(out.contains("\nUSER:root    \nREVI:"), "{out}");

    let out =
        project.sh(r"cleartool lshistory -minor -eventid -fmt '%%GPS%On||%d||%Fu||%e||%n||%Na\n%Nc\n' foo.c");
    let pattern = r"(?m)^%GPS[0-9a-f]{8}\.[0-9a-f]{8}\.[0-9a-f]{4}(?:[.:][0-9a-f]{2}){6}\|\|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)\|\|([^|]*)\|\|([^|]*)\|\|([^|]*)\|\|(.*)$";
    let found = matches(pattern, &out);
    assert!(
        found.iter().any(|event| event[4] == "QAed=\"Yes\" Bug=7" && event[3] == "foo.c@@/main/2"),
        "{out}"
    );
    assert_eq!(found.len(), out.matches("%GPS").count());

    let out = project.sh("cleartool lshist -min -nco -dir -fmt %Nc%Vn'\\n' foo.c");
    assert!(out.ends_with("/main/0\n/main\nmade\n"), "{out}");
    let out = project.sh("cleartool lshistory -fmt '%d#%Fu#%e#%l#%n#%Nc\\n' foo.c");
    assert!(out.contains("#create version#(REL1, REL2)#foo.c@@/main/2#second\n"), "{out}");
}

#[test]
fn editors_read_states() {
    let project = rich();
    let out = project.sh(
        r#"cleartool lsco -recurse -fmt "\"%En\"\tPredecessor: \"%[version_predecessor]p\"\tStatus: %Rf\n" ."#,
    );
    let found = matches("(?m)^\"([^\"]*)\"\tPredecessor: \"([^\"]*)\"\tStatus: (reserved|unreserved)$", &out);
    assert_eq!(found[0], ["./src/bar.c", "/main/1", "unreserved"]);
    assert_eq!(project.sh(r#"cleartool desc -fmt "\tStatus: %Rf\n" foo.c"#), "\tStatus: \n");
    assert_eq!(
        project.sh("cleartool describe -fmt '%Xn --> %[activity]p\\n' foo.c"),
        "foo.c@@/main/fix/1 --> \n"
    );
    assert_eq!(project.sh("cleartool describe -fmt %c -pname foo.c"), "on the branch\nsecond line\n");
    assert_eq!(project.sh("cleartool describe -fmt %[version_predecessor]p foo.c"), "/main/fix/0");
    assert_eq!(project.sh("cleartool desc -s -pre foo.c"), "foo.c@@/main/fix/0\n");
    assert_eq!(project.sh("cleartool des -s -cview src/bar.c"), "src/bar.c@@/main/CHECKEDOUT\n");
    assert_eq!(project.sh("cleartool lsco -me -cview -short -recurse ."), "./src/bar.c\n.\n");
    assert_eq!(project.sh("cleartool lsco -cview -short -d foo.c"), "");
    assert_eq!(project.sh("cleartool lsco -fmt %c src/bar.c"), "on its way\n");

    let out = project.sh("cleartool lshistory -long foo.c@@");
    let date = r"(?m)^(\d{4}-\d{2}-\d{2}T[^ ]*|\d{2}-\w{3}-\d{2}\.\d{2}:\d{2}:\d{2})\s+([^(.]*).*$";
    let version = r"(?m)^  create version[^@]+@@([^\x22]+)[^(\n]*(?:[(]([^)]+)[)])?.*$";
    assert_eq!(matches(date, &out).len(), 8);
    assert_eq!(matches(version, &out)[1..3].concat(), ["/main/fix/0", "", "/main/2", "REL1, REL2"]);
    let legacy = project.sh("CCASE_ISO_DATE_FMT=0 cleartool lshistory -long foo.c@@");
    assert_eq!(matches(date, &legacy).len(), 8);

    for style in ["", "CCASE_ISO_DATE_FMT=0 "] {
        let out = project.sh(&format!("{style}cleartool lscheckout -r ."));
        let found = matches(r#"(?m)^([^\s]+)\s+([^\s]+)\s+checkout version\s+"(.*)"\s+from\s+(.*)$"#, &out);
        assert_eq!(found[0][1..], ["root", "./src/bar.c", "/main/1 (unreserved)"]);
    }
    let out = project.sh("cleartool ls -long -r .");
    assert!(matches(r"(?m)^(?:directory version|version)\s+(.*)@@(\S*)", &out).len() >= 4);
    let out = project.sh("cleartool ls foo.c src/bar.c notes.txt");
    let found = matches(r"(?m)^(?:((\S+)@@(\S+)(\s+\[hijacked\]){0,1}(.*){0,1})|(\S+))$", &out);
    assert_eq!(
        (found[0][1].as_str(), found[0][2].as_str(), found[2][5].as_str()),
        ("foo.c", "/main/fix/1", "notes.txt")
    );
    let out = project.sh("cleartool ls src/bar.c");
    matches(r"^(.+)@@\S+/CHECKEDOUT(?: from (\S+))?", &out);
    matches(r"Rule: (CHECKEDOUT)$", out.trim_end());
}

#[test]
fn version_trees_types_and_places_are_read() {
    let project = rich();
    let out = project.sh("cleartool lsvtree -all -merge foo.c; cleartool lsvtree -obs -all src/bar.c");
    assert_eq!(matches(r"(?m)@@([^ \n]+) \((.*)\)$", &out)[0], ["/main/2", "REL1, REL2"]);
    assert_eq!(matches(r#"(?m) view "([^"]*)"$"#, &out)[0], ["v"]);
    assert_eq!(matches(r"(?m)^  (<-|->) (.*)$", &out).len(), 2);

    let type_row = r#"(?m)^[-:A-Z0-9T]+[^"]+["](.*)["][^"]*$"#;
    assert_eq!(matches(type_row, &project.sh("cleartool lstype -kind lbtype | grep -v '^  '"))[0], ["REL1"]);
    assert_eq!(project.sh("cleartool lstype -kind lbtype -short"), "REL1\nREL2\n");
    assert_eq!(project.sh("cleartool describe -short lbtype:REL1"), "REL1\n");
    let out = project.sh("cleartool des -fmt '%[type_constraint]p' brtype:fix");
    assert_eq!(out, "one branch per element");
    assert_eq!(project.sh("cleartool lslock -s lbtype:REL2"), "REL2\n");
    for (object, kind) in
        [("link.h", "symbolic link"), ("foo.c@@", "file element"), ("lbtype:REL1", "label type")]
    {
        assert_eq!(project.sh(&format!("cleartool des -fmt %m {object}")), kind);
    }
    assert_eq!(project.sh("cleartool des -s vob:."), "/vobs/x\n");
    let out = project.sh("cleartool describe -aattr -all foo.c@@/main/2");
    let found = matches(r"(?m)^\s+(\S+)\s+=\s+(.+)$", &out);
    assert_eq!(found, [["QAed", "\"Yes\""], ["Bug", "7"]]);
    let out = project.sh("cleartool describe -long -ahlink Merge foo.c");
    matches(r"(?m)^\s*Merge@\d+@/vobs/x -> (\S+)$", &out);
    let out = project.sh("cleartool describe -short -ahlink Merge foo.c");
    matches(r"^-> (\S+foo\.c@@/main/2)$", out.trim_end());

    assert_eq!(matches(r"(?m)^(.)\s*(\S*)\s*(\S*)", &project.sh("cleartool lsview"))[0][..2], ["*", "v"]);
    assert_eq!(
        matches(r"(?m)^(.)\s*(\S*)\s*(\S*)", &project.sh("cleartool lsvob"))[0][..2],
        ["*", "/vobs/x"]
    );
    let out = project.sh("cleartool lsview -cview -long");
    matches(r"(?m)^View uuid: ([0-9a-f.:]{40})$", &out);
    matches(r"(?m)^View server access path: (.*)$", &out);
    assert!(!out.contains("View attributes:"));
    matches(r"(?m)^Properties: (dynamic)", &project.sh("cleartool lsview -pro -ful v"));
    let uuid = &matches(r"(?m)^View uuid: (\S+)$", &project.sh("cleartool lsview -l v"))[0][0];
    assert_eq!(project.sh(&format!("cleartool lsview -s -uuid {uuid}")), "v\n");
    assert_eq!(project.sh("cleartool lsview -s -uuid 00000000000000000000000000000000"), "");
    let here = "-host $(cat /proc/sys/kernel/hostname) -region local";
    assert_eq!(project.sh(&format!("cleartool lsvob -s {here}; cleartool lsview -s {here}")), "/vobs/x\nv\n");
    assert_eq!(project.sh("cleartool lsvob -s -host elsewhere.invalid"), "");
    let out = project.sh("cleartool lsvob -long /vobs/x");
    let storage = &matches(r"(?m)^Vob server access path: (.*)$", &out)[0][0];
    assert_eq!(project.sh(&format!("cleartool lsvob -s -storage {storage}")), "/vobs/x\n");
    matches(r"(?m)^Vob family uuid:  ([0-9a-f.:]{40})$", &out);
    assert_eq!(project.sh("cleartool find . -type l -print"), "./link.h\n");
    assert_eq!(
        project.sh("cleartool find -a -ele 'lbtype_sub(REL1)' -nxn -print").matches("foo.c").count(),
        1
    );
}

#[test]
fn a_coprocess_gets_no_newline_of_its_own() {
    let project = rich();
    let script = "printf 'desc -fmt \"%%Vn %%PVn %%Rf\" \"src/bar.c\"\\ndesc -fmt \"ok\" lbtype:NOPE\\nlsco -fmt \"%%En\" -d .\\n' | cleartool -status 2>&1";
    let expected = "/main/CHECKEDOUT /main/1 unreservedCommand 1 returned status 0\n\
                    cleartool: Error: Label type not found: \"NOPE\".\nCommand 2 returned status 1\n\
                    .Command 3 returned status 0\n";
    assert_eq!(project.sh(script), expected);
}
