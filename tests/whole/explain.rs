//! `explain`: every reason for which a name is seen, or not seen, told by the rule, the place and the version.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;

use crate::project::Project;
use crate::repository::{NEXT, Parents};

/// A world with a VOB /vobs/g that has labels, branches, renamed, removed and added names and a link, in view v.
#[track_caller]
fn grown() -> Project {
    Project::imported(|stream| {
        let first = stream.commit("main", 1_600_000_000, Parents { first: None, merged: &[] });
        stream.file("src/a.c", "int a;\n");
        stream.file("src/b.c", "int b;\n");
        stream.file("old.c", "int old;\n");
        stream.file("gone.c", "int gone;\n");
        stream.link("link", "src");
        stream.tag("REL1", first);
        stream.commit("fix", 1_600_000_100, Parents { first: Some(first), merged: &[] });
        stream.file("src/a.c", "int a = 1;\n");
        stream.file("src/only_fix.c", "int f;\n");
        stream.commit("main", 1_600_000_200, Parents { first: Some(first), merged: &[] });
        stream.rename("old.c", "new.c");
        stream.delete("gone.c");
        stream.commit("main", 1_600_000_300, NEXT);
        stream.file("late.c", "int late;\n");
    })
}

#[test]
fn the_deciding_rule_and_each_rule_before_it_are_told() {
    let project = Project::small();
    project.world.make_vob("/vobs/other");
    let spec = "\
element * CHECKEDOUT
element /vobs/other/... /main/LATEST
element *.h /main/LATEST   # headers
element -directory * /main/LATEST
element -eltype directory * /main/LATEST
element -eltype nothing * /main/LATEST
element * .../nothing/LATEST
element * REL9
element * /main/99
element * /main/LATEST -time 1-Jan-2001.00:00UTC
mkbranch fix
element src/... /main/LATEST -nocheckout
element * /main/1
";
    project.world.set_spec("v", spec);
    project.check(
        r#"
$ cleartool explain foo.c src/bar.c
foo.c -> foo.c@@/main/1  (version; type text_file; oid OID)
  selected by  WORLD/v.cs:13  element * /main/1 [-mkbranch fix]
  rules before it:
    v.cs:1   element * CHECKEDOUT                                      not checked out to view "v"
    v.cs:2   element /vobs/other/... /main/LATEST                      pattern: of another VOB
    v.cs:3   element *.h /main/LATEST                                  pattern: does not match
    v.cs:4   element -directory * /main/LATEST                         scope: it is a file
    v.cs:5   element -eltype directory * /main/LATEST                  scope: element type is text_file
    v.cs:6   element -eltype nothing * /main/LATEST                    scope: the VOB has no element type "nothing"
    v.cs:7   element * .../nothing/LATEST                              the VOB has no branch type "nothing"
    v.cs:8   element * REL9                                            the VOB has no label type "REL9"
    v.cs:9   element * /main/99                                        no such version on the branch
    v.cs:10  element * /main/LATEST -time 1-Jan-2001.00:00UTC          nothing on the branch as early as 2001-01-01T00:00:00+00:00
    v.cs:12  element src/... /main/LATEST -nocheckout [-mkbranch fix]  pattern: does not match
  checkout would be refused: the VOB has no branch type "fix" to create a branch of
src/bar.c -> src/bar.c@@/main/1  (version; type text_file; oid OID)
  selected by  WORLD/v.cs:12  element src/... /main/LATEST -nocheckout [-mkbranch fix]
  rules before it:
    v.cs:1   element * CHECKEDOUT                              not checked out to view "v"
    v.cs:2   element /vobs/other/... /main/LATEST              pattern: of another VOB
    v.cs:3   element *.h /main/LATEST                          pattern: does not match
    v.cs:4   element -directory * /main/LATEST                 scope: it is a file
    v.cs:5   element -eltype directory * /main/LATEST          scope: element type is text_file
    v.cs:6   element -eltype nothing * /main/LATEST            scope: the VOB has no element type "nothing"
    v.cs:7   element * .../nothing/LATEST                      the VOB has no branch type "nothing"
    v.cs:8   element * REL9                                    the VOB has no label type "REL9"
    v.cs:9   element * /main/99                                no such version on the branch
    v.cs:10  element * /main/LATEST -time 1-Jan-2001.00:00UTC  nothing on the branch as early as 2001-01-01T00:00:00+00:00
  checkout would be refused: the rule says -nocheckout
"#,
    );
}

#[test]
fn branches_labels_and_times_are_told() {
    let grown = grown();
    let spec = "\
element * CHECKEDOUT
element * .../fix/LATEST
element -file * REL1 -mkbranch fix
time 13-Sep-2020.12:26:50UTC
element * /main/LATEST
end time
element * /main/LATEST -mkbranch missing
";
    grown.world.set_spec("v", spec);
    grown.check(
        r#"
$ cleartool explain src/a.c src/b.c . late.c
src/a.c -> src/a.c@@/main/fix/1  (version; type file; oid OID)
  selected by  WORLD/v.cs:2  element * .../fix/LATEST
  rules before it:
    v.cs:1  element * CHECKEDOUT  not checked out to view "v"
src/b.c -> src/b.c@@/main/1  (version; type file; oid OID)
  selected by  WORLD/v.cs:3  element -file * REL1 -mkbranch fix
  rules before it:
    v.cs:1  element * CHECKEDOUT      not checked out to view "v"
    v.cs:2  element * .../fix/LATEST  the element has no such branch
  checkout will first create branch "fix" at /main/1, then check out /main/fix/0
. -> .@@/main/1  (directory version; type directory; oid OID)
  selected by  WORLD/v.cs:5  element * /main/LATEST
    LATEST is the newest not after 2020-09-13T12:26:50+00:00
  rules before it:
    v.cs:1  element * CHECKEDOUT                not checked out to view "v"
    v.cs:2  element * .../fix/LATEST            the element has no such branch
    v.cs:3  element -file * REL1 -mkbranch fix  scope: it is a directory
  checkout will check out /main/3, the newest of the branch
late.c: not visible: not catalogued in .@@/main/1, which the view selects
  catalogued in:
    .@@/main/3  file element, oid OID; added in /main/3
  the directory:
    . -> .@@/main/1  (directory version; type directory; oid OID)
      selected by  WORLD/v.cs:5  element * /main/LATEST
        LATEST is the newest not after 2020-09-13T12:26:50+00:00
      rules before it:
        v.cs:1  element * CHECKEDOUT                not checked out to view "v"
        v.cs:2  element * .../fix/LATEST            the element has no such branch
        v.cs:3  element -file * REL1 -mkbranch fix  scope: it is a directory
"#,
    );
    grown.world.set_spec("v", "element * CHECKEDOUT\nelement late.c REL1\nelement * .../fix/REL1\nelement * /main/LATEST -mkbranch missing\n");
    grown.check(
        r#"
$ cleartool explain late.c
late.c -> late.c@@/main/1  (version; type file; oid OID)
  selected by  WORLD/v.cs:4  element * /main/LATEST -mkbranch missing
  rules before it:
    v.cs:1  element * CHECKEDOUT    not checked out to view "v"
    v.cs:2  element late.c REL1     no version has the label "REL1"
    v.cs:3  element * .../fix/REL1  no version has the label "REL1"
  checkout would be refused: the VOB has no branch type "missing" to create a branch of
"#,
    );
}

#[test]
fn names_of_other_directory_versions_are_found() {
    let grown = grown();
    grown.check(
        r#"
$ cleartool explain old.c gone.c@@/main/1 src/only_fix.c
old.c: not visible: not catalogued in .@@/main/3, which the view selects
  catalogued in:
    .@@/main/1  file element, oid OID; removed in /main/2
      the view shows that element as /vobs/g/new.c
  the directory:
    . -> .@@/main/3  (directory version; type directory; oid OID)
      selected by  WORLD/home/default_config_spec:2  element * /main/LATEST
      rules before it:
        default_config_spec:1  element * CHECKEDOUT  not checked out to view "v"
gone.c@@/main/1: not visible, because of "gone.c":
  gone.c: not visible: not catalogued in .@@/main/3, which the view selects
    catalogued in:
      .@@/main/1  file element, oid OID; removed in /main/2
    the directory:
      . -> .@@/main/3  (directory version; type directory; oid OID)
        selected by  WORLD/home/default_config_spec:2  element * /main/LATEST
        rules before it:
          default_config_spec:1  element * CHECKEDOUT  not checked out to view "v"
src/only_fix.c: not visible: not catalogued in src@@/main/1, which the view selects
  catalogued in:
    src@@/main/fix/1  file element, oid OID
  the directory:
    src -> src@@/main/1  (directory version; type directory; oid OID)
      selected by  WORLD/home/default_config_spec:2  element * /main/LATEST
      rules before it:
        default_config_spec:1  element * CHECKEDOUT  not checked out to view "v"
"#,
    );
    grown.world.set_spec("v", "element -directory * REL1\nelement * /main/LATEST\n");
    grown.check(
        r#"
$ cleartool explain ./late.c
./late.c: not visible: not catalogued in .@@/main/1, which the view selects
  catalogued in:
    .@@/main/3  file element, oid OID; added in /main/3
  the directory:
    . -> .@@/main/1  (directory version; type directory; oid OID)
      selected by  WORLD/v.cs:1  element -directory * REL1
"#,
    );
}

#[test]
fn links_are_explained_by_their_patterns_and_followed() {
    let grown = grown();
    grown.world.set_spec("v", "element *.h /main/LATEST\nelement * /main/LATEST\n");
    grown.check(
        r#"
$ cleartool explain link link/a.c
link --> src  (VOB symbolic link)
  shown by the pattern of  WORLD/v.cs:2  element * /main/LATEST
  rules before it:
    v.cs:1  element *.h /main/LATEST  pattern: does not match
link/a.c:
  symbolic link /vobs/g/link --> src
  /vobs/g/src/a.c -> /vobs/g/src/a.c@@/main/1  (version; type file; oid OID)
    selected by  WORLD/v.cs:2  element * /main/LATEST
    rules before it:
      v.cs:1  element *.h /main/LATEST  pattern: does not match
    checkout will check out /main/1; no rule would show the checked-out version
"#,
    );
    grown.world.set_spec("v", "element /vobs/g /main/LATEST\nelement /vobs/g/src/... /main/LATEST\n");
    grown.check(
        r#"
$ cleartool explain link/a.c link
link/a.c: not visible, because of "link":
  link: not visible: a VOB symbolic link (--> src) that no rule's pattern matches
    rules:
      v.cs:1  element /vobs/g /main/LATEST          pattern: does not match
      v.cs:2  element /vobs/g/src/... /main/LATEST  pattern: does not match
link: not visible: a VOB symbolic link (--> src) that no rule's pattern matches
  rules:
    v.cs:1  element /vobs/g /main/LATEST          pattern: does not match
    v.cs:2  element /vobs/g/src/... /main/LATEST  pattern: does not match
"#,
    );
}

#[test]
fn what_the_rules_hide_is_explained() {
    let project = Project::small();
    project.world.set_spec("v", "element src -none\nelement foo.c -error\nelement /vobs/x /main/LATEST\n");
    project.check(
        r#"
$ cleartool explain src src/bar.c foo.c lost+found
src: not visible: a rule says -none  (directory element; type directory; oid OID)
  decided by  WORLD/v.cs:1  element src -none
src/bar.c: not visible, because of "src":
  src: not visible: a rule says -none  (directory element; type directory; oid OID)
    decided by  WORLD/v.cs:1  element src -none
foo.c: error on access: a rule says -error  (file element; type text_file; oid OID)
  decided by  WORLD/v.cs:2  element foo.c -error
  rules before it:
    v.cs:1  element src -none  pattern: does not match
lost+found: not visible: no rule selects a version  (directory element; type directory; oid OID)
  rules:
    v.cs:1  element src -none             pattern: does not match
    v.cs:2  element foo.c -error          pattern: does not match
    v.cs:3  element /vobs/x /main/LATEST  pattern: does not match
"#,
    );
}

#[test]
fn checkouts_and_private_files_are_explained() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc foo.c src/bar.c > /dev/null; cleartool explain foo.c
foo.c -> foo.c@@/main/CHECKEDOUT from /main/2  (version; type text_file; oid OID)
  selected by  WORLD/home/default_config_spec:1  element * CHECKEDOUT
$ rm foo.c; cleartool explain foo.c
foo.c: not visible: checked out from /main/2, but the view-private copy was removed  (file element; type text_file; oid OID)
  selected by  WORLD/home/default_config_spec:1  element * CHECKEDOUT
$ cleartool unco -rm foo.c src/bar.c > /dev/null; echo x > notes; mkdir box; ln -s /etc box/link; echo x > box/file
$ cleartool explain notes box box/file box/link/hosts
notes  (view-private file; no rule is asked)
box  (view-private directory; no rule is asked)
box/file  (view-private file; no rule is asked)
box/link/hosts: no view decides what is behind "box/link":
  box/link --> /etc  (view-private symbolic link; no rule is asked)
$ cleartool explain foo.c@@/main/1 src@@/main/1/bar.c foo.c@@
foo.c@@/main/1  (version /main/1; oid OID; named by its history, no rule is asked)
src@@/main/1/bar.c  (file element; oid OID; named by its history, no rule is asked)
foo.c@@  (file element; oid OID; named by its history, no rule is asked)
"#,
    );
    // A private name comes over an element's when the element was not selected at that time.
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement foo.c -none\nelement src -none\nelement * /main/LATEST\n",
    );
    project.sh("echo private > foo.c && mkdir src && echo x > src/mine");
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n");
    project.check(
        r#"
$ cleartool explain foo.c src/mine src/bar.c
foo.c  (view-private file; no rule is asked)
  eclipses what the VOB has by this name:
    foo.c -> foo.c@@/main/2  (version; type text_file; oid OID)
      selected by  WORLD/v.cs:2  element * /main/LATEST
      rules before it:
        v.cs:1  element * CHECKEDOUT  not checked out to view "v"
src/mine  (view-private file; no rule is asked)
src/bar.c: not visible, because of "src":
  src  (view-private directory; no rule is asked)
    eclipses what the VOB has by this name:
      src -> src@@/main/1  (directory version; type directory; oid OID)
        selected by  WORLD/v.cs:2  element * /main/LATEST
        rules before it:
          v.cs:1  element * CHECKEDOUT  not checked out to view "v"
"#,
    );
    project.sh("rm -r foo.c src && cleartool co -nc foo.c");
    project.world.make_view("w");
    project.world.set_spec("v", "element * /main/LATEST\n");
    project.check(
        r#"
$ cleartool explain foo.c
foo.c -> foo.c@@/main/2  (version; type text_file; oid OID)
  checked out to this view from /main/2, but the rules do not select the checkout
  selected by  WORLD/v.cs:1  element * /main/LATEST
$ cleartool explain ../../../w/vobs/x/foo.c
../../../w/vobs/x/foo.c -> ../../../w/vobs/x/foo.c@@/main/2  (version; type text_file; oid OID)
  selected by  WORLD/home/default_config_spec:2  element * /main/LATEST
  rules before it:
    default_config_spec:1  element * CHECKEDOUT  not checked out to view "w"
  checkout would be refused: branch /main is checked out reserved by view "v"; -unreserved would do
"#,
    );
}

#[test]
fn what_has_no_explanation_is_refused() {
    let project = Project::small();
    project.world.ct(&["mkvob", "-nc", "-tag", "/vobs/far"]).ok();
    project.check(
        r#"
$ cleartool explain none.c foo.c/x src/bar.c@@/main/99 /tmp foo.c
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Unable to access "foo.c/x": Not a directory.
cleartool: Error: Unable to access "src/bar.c@@/main/99": No such file or directory.
cleartool: Error: Pathname is not within a VOB: "/tmp"
foo.c -> foo.c@@/main/2  (version; type text_file; oid OID)
  selected by  WORLD/home/default_config_spec:2  element * /main/LATEST
  rules before it:
    default_config_spec:1  element * CHECKEDOUT  not checked out to view "v"
[exit 1]
$ clerestory explain none.c
clerestory: Unable to access "none.c": No such file or directory.
[exit 1]
$ clerestory ct explain ../far/a.c
../far/a.c: not visible, because of "../far":
  ../far: not visible: VOB "/vobs/far" is not mounted
$ cleartool explain ../nothing
cleartool: Error: Pathname is not within a VOB: "../nothing"
[exit 1]
$ cd /; cleartool explain x
cleartool: Error: Cannot get view info for current view: not a ClearCase object.
[exit 1]
$ cleartool explain
cleartool: Error: Pathname required
Usage: explain [-json] pname ...
[exit 1]
"#,
    );
}

#[test]
fn json_is_one_object_for_each_path() {
    let project = Project::small();
    project.world.ct(&["mkvob", "-nc", "-tag", "/vobs/far"]).ok();
    let odd = OsStr::from_bytes(b"\xffodd");
    std::fs::write(project.directory.join(odd), "x").unwrap();
    let spec =
        "element * CHECKEDOUT\nelement * REL9\nelement src -none\nelement * /main/LATEST -nocheckout\n";
    project.world.set_spec("v", spec);
    let names = ["foo.c", "src/bar.c", "foo.c@@/main/1", "../far/x", "none.c"];
    let paths: Vec<&OsStr> = names.iter().map(OsStr::new).chain([odd]).collect();
    let words: Vec<&OsStr> =
        ["explain".as_ref(), "-json".as_ref()].into_iter().chain(paths.clone()).collect();
    let output = project.world.ct_in(&project.directory, &words);
    assert_eq!(output.status, 1, "{output:?}");
    assert_eq!(output.stderr, "cleartool: Error: Unable to access \"none.c\": No such file or directory.\n");
    let objects: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    let kinds: Vec<&Value> = objects.iter().map(|object| &object["kind"]).collect();
    assert_eq!(
        kinds,
        ["name", "name", "history", "unmounted", "", "private"]
            .map(|kind| match kind {
                "" => Value::Null,
                kind => Value::from(kind),
            })
            .iter()
            .collect::<Vec<_>>()
    );
    let [foo, bar, _, far, none, private] = &objects[..] else { panic!("{objects:#?}") };
    assert_eq!(foo["name"]["version"], "/main/2");
    assert_eq!(foo["name"]["decided_by"]["line"], 4);
    assert_eq!(foo["name"]["decided_by"]["nocheckout"], true);
    assert_eq!(foo["name"]["checkout_forecast"]["refusal"], "rule");
    let reasons: Vec<&Value> =
        foo["name"]["missed"].as_array().unwrap().iter().map(|m| &m["reason"]).collect();
    assert_eq!(reasons, ["not_checked_out", "no_such_label_type", "pattern"]);
    assert_eq!(
        (&bar["visible"], &bar["explained"], &bar["below"]),
        (&false.into(), &"/vobs/x/src".into(), &"/bar.c".into())
    );
    assert_eq!((&far["vob"], &far["visible"]), (&"/vobs/far".into(), &false.into()));
    assert_eq!(none["code"], "no_such_file");
    assert_eq!((&private["path"], &private["path_bytes"]), (&"\u{fffd}odd".into(), &"ff6f6464".into()));
    let words = ["explain", "--json", "foo.c"];
    let program = project.world.root().join("bin/clerestory");
    let same = crate::world::Output::of(project.world.command(program, &project.directory).args(words)).ok();
    assert_eq!(serde_json::from_str::<Value>(&same).unwrap(), *foo);
}
