//! Attributes: sessions with the product's messages and exit codes, what views show by them, and many at once.

use std::fs;

use crate::config_specs::open_project;
use crate::project::Project;
use crate::repository::NEXT;

/// Dates, and the login, group and host of whoever runs the tests.
const MASK: &str = r"sed -E 's/^(--|[0-9]{4}-)[0-9-]+T[0-9:]+ +[a-z0-9_-]+ +/DATE USER /; s/[0-9]{4}-[0-9-]+T[0-9:+-]+ by .*/DATE by WHO/; s/(owner|group): .*/\1: WHO/'";

impl Project {
    #[track_caller]
    fn check_attributes(&self, transcript: &str) {
        let filter = self.world.root().join("bin/MASK");
        fs::write(&filter, format!("#!/bin/sh\n{MASK}\n")).expect("the filter can be written");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&filter, executable).expect("the filter can be made executable");
        self.check(transcript);
    }
}

#[test]
fn attributes_are_attached_replaced_and_removed() {
    let project = Project::small();
    project.check_attributes(
        r#"
$ cleartool mkattr QAed '"TRUE"' foo.c
cleartool: Error: Attribute type not found: "QAed".
cleartool: Error: Unable to create attribute "QAed" on "foo.c".
[exit 1]
$ cleartool mkattype -nc QAed
Created attribute type "QAed".
$ cleartool mkattr QAed '"TRUE"' foo.c foo.c@@/main/1 none.c
Created attribute "QAed" on "foo.c@@/main/2".
Created attribute "QAed" on "foo.c@@/main/1".
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Unable to create attribute "QAed" on "none.c".
[exit 1]
$ cleartool mkattr QAed '"FALSE"' foo.c
cleartool: Error: Object already has an attribute of type "QAed".
cleartool: Error: Unable to create attribute "QAed" on "foo.c@@/main/2".
[exit 1]
$ cleartool mkattr -c again -replace QAed '"FALSE"' foo.c
Created attribute "QAed" on "foo.c@@/main/2".
$ cleartool describe -aattr QAed foo.c; cleartool describe -short -aattr -all foo.c foo.c@@/main/1
version "foo.c@@/main/2"
  Attributes:
    QAed = "FALSE"
"FALSE"
"TRUE"
$ cleartool mkattr QAed TRUE foo.c
cleartool: Error: Invalid value: TRUE: it must be a string in double quotes, such as '"text"'.
cleartool: Error: Unable to create attribute "QAed" on "foo.c".
[exit 1]
$ cleartool rmattr QAed foo.c; cleartool rmattr QAed foo.c foo.c@@/main/1
Removed attribute "QAed" from "foo.c@@/main/2".
cleartool: Error: Object has no attribute of type "QAed".
cleartool: Error: Unable to remove attribute "QAed" from "foo.c@@/main/2".
Removed attribute "QAed" from "foo.c@@/main/1".
[exit 1]
$ cleartool mkattr -version /main/0 QAed '"a \"b\" c"' foo.c; cleartool mkattr -version /main/9 QAed '"x"' foo.c
Created attribute "QAed" on "foo.c@@/main/0".
cleartool: Error: Version not found: "/main/9".
cleartool: Error: Unable to create attribute "QAed" on "foo.c".
[exit 1]
$ cleartool describe foo.c@@/main/0 | tail -2; cleartool rmattr -version /main/0 QAed foo.c
  Attributes:
    QAed = "a \"b\" c"
Removed attribute "QAed" from "foo.c@@/main/0".
$ cleartool lshistory -minor foo.c | grep attribute | MASK
DATE USER remove attribute "QAed" from version "foo.c@@/main/0"
DATE USER make attribute "QAed" on version "foo.c@@/main/0"
DATE USER remove attribute "QAed" from version "foo.c@@/main/1"
DATE USER remove attribute "QAed" from version "foo.c@@/main/2"
DATE USER make attribute "QAed" on version "foo.c@@/main/2"
DATE USER make attribute "QAed" on version "foo.c@@/main/1"
DATE USER make attribute "QAed" on version "foo.c@@/main/2"
$ cleartool mkattr QAed
cleartool: Error: Attribute value, or -default, required
Usage: mkattr [-replace] [-recurse] [-version version-selector] [-pname]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       {attribute-type-selector value | -default attribute-type-selector} object-selector ...
[exit 1]
$ cleartool mkattr -config x QAed '"x"' foo.c; cleartool rmattr QAed
cleartool: Error: Option -config is not supported yet: there are no derived objects.
cleartool: Error: Object name required
Usage: rmattr [-recurse] [-version version-selector] [-pname]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       attribute-type-selector object-selector ...
[exit 1]
"#,
    );
}

#[test]
fn every_kind_of_object_has_attributes() {
    let project = Project::small();
    project.sh(
        "cleartool mkattype -nc QAed Other && cleartool mklbtype -nc REL1 && cleartool mkhltype -nc Tested && \
         cleartool mkbrtype -nc fix && cleartool mkbranch -nc -nco fix foo.c && ln -s foo.c private && \
         cleartool mkhlink Tested foo.c src/bar.c && cleartool co -nc . && cleartool ln -s foo.c link && \
         cleartool ci -nc .",
    );
    project.check_attributes(
        r#"
$ cleartool mkattr QAed '"yes"' foo.c@@ foo.c@@/main/fix src lbtype:REL1 lbtype:REL1@/vobs/x vob:. oid:00
Created attribute "QAed" on "foo.c@@".
Created attribute "QAed" on "foo.c@@/main/fix".
Created attribute "QAed" on "src@@/main/1".
Created attribute "QAed" on "lbtype:REL1".
cleartool: Error: Object already has an attribute of type "QAed".
cleartool: Error: Unable to create attribute "QAed" on "lbtype:REL1@/vobs/x".
Created attribute "QAed" on "vob:.".
cleartool: Error: Unable to access "oid:00": No such file or directory.
cleartool: Error: Unable to create attribute "QAed" on "oid:00".
[exit 1]
$ cleartool mkattr QAed '"yes"' hlink:Tested@0 link private brtype:none
cleartool: Error: Attributes and hyperlinks cannot be attached to a hyperlink: "hlink:Tested@0".
cleartool: Error: Unable to create attribute "QAed" on "hlink:Tested@0".
cleartool: Error: Not an element: "link".
cleartool: Error: Unable to create attribute "QAed" on "link".
cleartool: Error: Not a vob object: "private".
cleartool: Error: Unable to create attribute "QAed" on "private".
cleartool: Error: Branch type not found: "none".
cleartool: Error: Unable to create attribute "QAed" on "brtype:none".
[exit 1]
$ cleartool describe -aattr -all foo.c foo.c@@ foo.c@@/main/fix foo.c@@/main src lbtype:REL1 vob:.
version "foo.c@@/main/2"
file element "foo.c@@"
  Attributes:
    QAed = "yes"
branch "foo.c@@/main/fix"
  Attributes:
    QAed = "yes"
branch "foo.c@@/main"
directory version "src@@/main/1"
  Attributes:
    QAed = "yes"
label type "REL1"
  Attributes:
    QAed = "yes"
versioned object base "/vobs/x"
  Attributes:
    QAed = "yes"
$ cleartool lstype -long lbtype:REL1 | MASK
label type "REL1"
  created DATE by WHO
  owner: WHO
  group: WHO
  scope: this VOB (ordinary type)
  constraint: one version per element
  Attributes:
    QAed = "yes"
$ cleartool lsh -minor lbtype:REL1 vob:/vobs/x | MASK; cleartool lsh -minor -d foo.c | grep attribute | MASK
DATE USER make attribute "QAed" on label type "REL1"
DATE USER make attribute "QAed" on versioned object base "/vobs/x"
DATE USER create label type "REL1"
DATE USER create versioned object base "/vobs/x"
DATE USER make attribute "QAed" on branch "foo.c@@/main/fix"
DATE USER make attribute "QAed" on file element "foo.c@@"
$ cleartool rename attype:QAed Passed; cleartool describe -aattr Passed foo.c@@ vob:.
Renamed attribute type from "QAed" to "Passed".
file element "foo.c@@"
  Attributes:
    Passed = "yes"
versioned object base "/vobs/x"
  Attributes:
    Passed = "yes"
$ cleartool rmattr Passed foo.c@@ vob:/vobs/x lbtype:REL1 brtype:fix
Removed attribute "Passed" from "foo.c@@".
Removed attribute "Passed" from "vob:/vobs/x".
Removed attribute "Passed" from "lbtype:REL1".
cleartool: Error: Object has no attribute of type "Passed".
cleartool: Error: Unable to remove attribute "Passed" from "brtype:fix".
[exit 1]
$ cleartool co -nc foo.c; cleartool mkattr Passed '"no"' foo.c; cleartool unco -rm foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Error: Version is checked out: "foo.c".
cleartool: Error: Unable to create attribute "Passed" on "foo.c".
Checkout cancelled for "foo.c".
$ cleartool rmtype attype:Passed; cleartool rmtype -rmall -force attype:Passed attype:Other
cleartool: Error: There are attributes of type "Passed".
cleartool: Error: Unable to remove attribute type "Passed".
Removed attribute type "Passed".
Removed attribute type "Other".
$ cleartool describe -aattr -all foo.c@@/main/fix src
branch "foo.c@@/main/fix"
directory version "src@@/main/1"
$ cleartool lstype -short -kind attype
"#,
    );
}

#[test]
fn values_are_of_their_type_and_within_their_range() {
    Project::small().check_attributes(
        r#"
$ cleartool mkattype -nc -vtype integer -ge 1 -lt 10 -default 5 Level
Created attribute type "Level".
$ cleartool mkattr Level 10 foo.c; cleartool mkattr Level 0 foo.c; cleartool mkattr Level 5x foo.c
cleartool: Error: Value not allowed: 10: it must be >= 1 and < 10.
cleartool: Error: Unable to create attribute "Level" on "foo.c".
cleartool: Error: Value not allowed: 0: it must be >= 1 and < 10.
cleartool: Error: Unable to create attribute "Level" on "foo.c".
cleartool: Error: Invalid value: 5x: it must be an integer.
cleartool: Error: Unable to create attribute "Level" on "foo.c".
[exit 1]
$ cleartool mkattr Level +07 foo.c; cleartool mkattr -default -replace Level foo.c src; cleartool describe -aattr Level foo.c
Created attribute "Level" on "foo.c@@/main/2".
Created attribute "Level" on "foo.c@@/main/2".
Created attribute "Level" on "src@@/main/1".
version "foo.c@@/main/2"
  Attributes:
    Level = 5
$ cleartool mkattype -nc -vtype real -gt 0 Share; cleartool mkattr Share 0.0 foo.c; cleartool mkattr Share nan foo.c
Created attribute type "Share".
cleartool: Error: Value not allowed: 0.0: it must be > 0.
cleartool: Error: Unable to create attribute "Share" on "foo.c".
cleartool: Error: Invalid value: nan: it must be a real number.
cleartool: Error: Unable to create attribute "Share" on "foo.c".
[exit 1]
$ cleartool mkattr Share 1 foo.c; cleartool mkattr -default Share src
Created attribute "Share" on "foo.c@@/main/2".
cleartool: Error: Attribute type "Share" has no default value.
cleartool: Error: Unable to create attribute "Share" on "src".
[exit 1]
$ cleartool mkattype -nc -enum '"yes","no"' -default '"no"' Done; cleartool mkattr Done '"maybe"' foo.c
Created attribute type "Done".
cleartool: Error: Value not allowed: "maybe": it must be one of "yes", "no".
cleartool: Error: Unable to create attribute "Done" on "foo.c".
[exit 1]
$ cleartool mkattr -default Done foo.c; cleartool mkattype -nc -vtype opaque Bytes; cleartool mkattr Bytes 0F0 foo.c
Created attribute "Done" on "foo.c@@/main/2".
Created attribute type "Bytes".
cleartool: Error: Invalid value: 0F0: it must be an even number of hexadecimal digits.
cleartool: Error: Unable to create attribute "Bytes" on "foo.c".
[exit 1]
$ cleartool mkattr Bytes 00FF foo.c
Created attribute "Bytes" on "foo.c@@/main/2".
$ cleartool mkattype -nc -vtype time -ge 1-Jan-2020 -le 31-Dec-2030.12:00 Due; cleartool describe attype:Due | tail -3
Created attribute type "Due".
  value type: time
  value limit: >= 2020-01-01T00:00:00+00:00
  value limit: <= 2030-12-31T12:00:00+00:00
$ cleartool mkattr Due 4-Sep-2026.02:00UTC+2 foo.c; cleartool mkattr Due 1-Jan-1999 src; cleartool mkattr Due soon src
Created attribute "Due" on "foo.c@@/main/2".
cleartool: Error: Value not allowed: 1-Jan-1999: it must be >= 2020-01-01T00:00:00Z and <= 2030-12-31T12:00:00Z.
cleartool: Error: Unable to create attribute "Due" on "src".
cleartool: Error: Invalid value: soon: it must be a date-time.
cleartool: Error: Unable to create attribute "Due" on "src".
[exit 1]
$ cleartool describe foo.c | sed -n '/Attributes/,$p'; TZ=Europe/Berlin cleartool describe -short -aattr Due foo.c
  Attributes:
    Level = 5
    Share = 1.0
    Done = "no"
    Bytes = 00ff
    Due = 2026-09-04T00:00:00+00:00
2026-09-04T02:00:00+02:00
$ cleartool mkattype -nc -vtype integer -ge 1 -default 0 Bad; cleartool mkattype -nc -vtype time -gt soon Bad
cleartool: Error: The default is not one of the values allowed.
cleartool: Error: Unable to create attribute type "Bad".
cleartool: Error: Invalid date-time specification: "soon".
[exit 1]
$ cleartool describe -version '{Level > 4 && Level < 5.5 && Share >= 1 && Due < 1-Jan-2027}' -short foo.c
foo.c@@/main/2
$ cleartool describe -version '{Level != 5}' -short foo.c; cleartool describe -version '{Due > now}' -short src
cleartool: Error: Version not found: "{Level != 5}".
cleartool: Error: Version not found: "{Due > now}".
[exit 1]
"#,
    );
}

#[test]
fn an_attribute_can_be_the_only_one_of_its_element_or_branch() {
    Project::small().check(
        r#"
$ cleartool mkattype -nc -vtype integer -vpelement One; cleartool mkattype -nc -vtype integer -vpbranch Each
Created attribute type "One".
Created attribute type "Each".
$ cleartool mkbrtype -nc fix; cleartool mkbranch -nc -nco fix foo.c
Created branch type "fix".
Created branch "fix" from "foo.c" version "/main/2".
$ cleartool mkattr One 1 foo.c@@/main/1 foo.c@@/main/fix/0
Created attribute "One" on "foo.c@@/main/1".
cleartool: Error: Version "/main/1" already has the attribute of type "One".
cleartool: Error: Unable to create attribute "One" on "foo.c@@/main/fix/0".
[exit 1]
$ cleartool mkattr -replace One 2 foo.c@@/main/fix/0; cleartool describe -aattr One foo.c@@/main/1 foo.c@@/main/fix/0
Moved attribute "One" on "foo.c" from version "/main/1" to "/main/fix/0".
version "foo.c@@/main/1"
version "foo.c@@/main/fix/0"
  Attributes:
    One = 2
$ cleartool mkattr Each 1 foo.c@@/main/1 foo.c@@/main/fix/0 foo.c foo.c@@
Created attribute "Each" on "foo.c@@/main/1".
Created attribute "Each" on "foo.c@@/main/fix/0".
cleartool: Error: Version "/main/1" already has the attribute of type "Each".
cleartool: Error: Unable to create attribute "Each" on "foo.c@@/main/2".
Created attribute "Each" on "foo.c@@".
[exit 1]
$ cleartool mkattype -nc -vpelement -vpbranch Two 2>&1 | head -1
cleartool: Error: Options -vpelement and -vpbranch are mutually exclusive
"#,
    );
}

#[test]
fn who_owns_nothing_attaches_nothing() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("cleartool mkattype -nc QAed && cleartool mkhltype -nc Tested && cleartool mklbtype -nc REL1");
    let transcript = r#"
$ AS_OTHER cleartool mkattr QAed '"x"' foo.c lbtype:REL1 vob:.
cleartool: Error: No permission to perform operation "make attribute".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to create attribute "QAed" on "foo.c@@/main/2".
cleartool: Error: No permission to perform operation "make attribute".
cleartool: Error: Must be one of: type owner, VOB owner, root
cleartool: Error: Unable to create attribute "QAed" on "lbtype:REL1".
cleartool: Error: No permission to perform operation "make attribute".
cleartool: Error: Must be one of: VOB owner, root
cleartool: Error: Unable to create attribute "QAed" on "vob:.".
[exit 1]
$ cleartool mkattr QAed '"x"' foo.c; AS_OTHER cleartool rmattr QAed foo.c
Created attribute "QAed" on "foo.c@@/main/2".
cleartool: Error: No permission to perform operation "remove attribute".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to remove attribute "QAed" from "foo.c@@/main/2".
[exit 1]
$ AS_OTHER cleartool mkhlink Tested foo.c; cleartool mkhlink -ttext x Tested foo.c; AS_OTHER cleartool rmhlink Tested@0
cleartool: Error: No permission to perform operation "make hyperlink".
cleartool: Error: Must be one of: element group member, element owner, VOB owner, root
cleartool: Error: Unable to create hyperlink "Tested" from "foo.c".
Created hyperlink "Tested@0@/vobs/x".
cleartool: Error: No permission to perform operation "remove hyperlink".
cleartool: Error: Must be one of: hyperlink owner, element group member, element owner, VOB owner, root
cleartool: Error: Unable to remove hyperlink "Tested@0".
[exit 1]
"#;
    let as_other = "setpriv --reuid 1 --regid 1 --clear-groups";
    project.check(&transcript.replace("AS_OTHER", as_other));
}

#[test]
fn locks_keep_attributes_and_hyperlinks_as_they_are() {
    let project = Project::small();
    project.sh(
        "cleartool mkattype -nc QAed Frozen && cleartool mkhltype -nc Tested && cleartool mkattr QAed '\"a\"' foo.c && \
         cleartool lock -nc foo.c attype:Frozen",
    );
    project.check(
        r#"
$ cleartool mkattr -replace QAed '"x"' foo.c src; cleartool rmattr QAed foo.c
cleartool: Error: Lock on file element "foo.c" prevents operation "make attribute".
cleartool: Error: Unable to create attribute "QAed" on "foo.c@@/main/2".
Created attribute "QAed" on "src@@/main/1".
cleartool: Error: Lock on file element "foo.c" prevents operation "remove attribute".
cleartool: Error: Unable to remove attribute "QAed" from "foo.c@@/main/2".
[exit 1]
$ cleartool mkattr Frozen '"x"' src
cleartool: Error: Lock on attribute type "Frozen" prevents operation "make attribute".
cleartool: Error: Unable to create attribute "Frozen" on "src@@/main/1".
[exit 1]
$ cleartool mkhlink Tested src foo.c; cleartool mkhlink Tested foo.c src
cleartool: Error: Lock on file element "foo.c" prevents operation "make hyperlink".
cleartool: Error: Unable to create hyperlink "Tested" from "src".
cleartool: Error: Lock on file element "foo.c" prevents operation "make hyperlink".
cleartool: Error: Unable to create hyperlink "Tested" from "foo.c".
[exit 1]
$ cleartool unlock foo.c; cleartool mkhlink Tested src foo.c; cleartool lock -nc hltype:Tested; cleartool rmhlink Tested@0
Unlocked file element "foo.c".
Created hyperlink "Tested@0@/vobs/x".
Locked hyperlink type "Tested".
cleartool: Error: Lock on hyperlink type "Tested" prevents operation "remove hyperlink".
cleartool: Error: Unable to remove hyperlink "Tested@0".
[exit 1]
"#,
    );
}

#[test]
fn a_rule_with_a_query_shows_at_once_what_another_view_attaches() {
    let project = Project::small();
    project.sh("cleartool mkattype -nc QA && cleartool mkattype -nc -vtype integer Level");
    project.world.make_view("w");
    project.world.set_spec("w", "element * CHECKEDOUT\nelement foo.c {QA==\"ok\"}\nelement src {Level>1}\nelement foo.c /main/LATEST\nelement src /main/0\nelement * /main/LATEST\n");
    let other = project.world.in_view("w", "/vobs/x");
    // This process has just looked, and read: the kernel has names, listings and pages.
    let text = || fs::read_to_string(other.join("foo.c")).expect("foo.c can be read");
    let there = || other.join("src/bar.c").exists();
    for round in 0..3 {
        assert_eq!(text(), "one\ntwo\n", "round {round}");
        assert!(!there());
        project.sh("cleartool mkattr QA '\"no\"' foo.c@@/main/1");
        assert_eq!(text(), "one\ntwo\n");
        project.sh("cleartool mkattr -replace QA '\"ok\"' foo.c@@/main/1");
        assert_eq!(text(), "one\n");
        project.sh("cleartool mkattr Level 2 src@@/main/1");
        assert!(there(), "the directory version that carries the attribute is shown");
        project.sh("cleartool rmattr QA foo.c@@/main/1 && cleartool rmattr Level src@@/main/1");
    }
    // A query names a type: with another name it means nothing.
    project.sh("cleartool mkattr QA '\"ok\"' foo.c@@/main/1");
    assert_eq!(text(), "one\n");
    project.sh("cleartool rename attype:QA QB");
    assert_eq!(text(), "one\ntwo\n");
    project.sh("cleartool rename attype:QB QA");
    assert_eq!(text(), "one\n");
    project.sh("cleartool rmtype -rmall -force attype:QA");
    assert_eq!(text(), "one\ntwo\n");
}

#[test]
fn attributes_that_came_with_an_import_can_be_replaced_and_hidden() {
    let project = Project::imported(|stream| {
        stream.commit("main", 1_000_000_000, NEXT);
        stream.file("a.c", "a\n");
    });
    let commit = project.sh("cleartool describe -short -aattr GitCommit a.c");
    let commit = commit.trim();
    project.sh("cleartool mkattype -nc GitCommit");
    let transcript = r#"
$ cleartool describe -version '/main/{GitCommit == COMMIT}' -short a.c
a.c@@/main/1
$ cleartool mkattr GitCommit '"x"' a.c
cleartool: Error: Object already has an attribute of type "GitCommit".
cleartool: Error: Unable to create attribute "GitCommit" on "a.c@@/main/1".
[exit 1]
$ cleartool mkattr -replace GitCommit '"x"' a.c; cleartool describe -aattr -all a.c
Created attribute "GitCommit" on "a.c@@/main/1".
version "a.c@@/main/1"
  Attributes:
    GitCommit = "x"
$ cleartool describe -version '{GitCommit == COMMIT}' -short a.c; cleartool describe -version '{GitCommit == "x"}' -short a.c
a.c@@/main/0
a.c@@/main/1
$ cleartool rmattr GitCommit a.c; cleartool describe -aattr -all a.c; cleartool rmattr GitCommit a.c
Removed attribute "GitCommit" from "a.c@@/main/1".
version "a.c@@/main/1"
cleartool: Error: Object has no attribute of type "GitCommit".
cleartool: Error: Unable to remove attribute "GitCommit" from "a.c@@/main/1".
[exit 1]
$ cleartool rmattr GitCommit a.c@@/main/0; cleartool describe -version '{attype(GitCommit)}' -short a.c
Removed attribute "GitCommit" from "a.c@@/main/0".
cleartool: Error: Version not found: "{attype(GitCommit)}".
[exit 1]
"#;
    project.check(&transcript.replace("COMMIT", commit));
}

#[test]
fn below_a_directory_everything_visible_gets_an_attribute_in_one_change() {
    let project = Project::small();
    project.sh("cleartool mkattype -nc -vtype integer Level && cleartool mkattype -nc -vtype integer Other");
    project.check(
        r#"
$ cleartool mkattr -recurse -c all Level 1 src; cleartool mkattr -rec Level 2 .
Created attribute "Level" on "src@@/main/1".
Created attribute "Level" on "src/bar.c@@/main/1".
Created attribute "Level" on ".@@/main/1".
Created attribute "Level" on "./foo.c@@/main/2".
Created attribute "Level" on "./lost+found@@/main/0".
cleartool: Error: Object already has an attribute of type "Level".
cleartool: Error: Unable to create attribute "Level" on "./src@@/main/1".
cleartool: Error: Object already has an attribute of type "Level".
cleartool: Error: Unable to create attribute "Level" on "./src/bar.c@@/main/1".
[exit 1]
$ cleartool lsh -eventid -minor -r src | grep -B1 'make attribute' | grep -c '^event'; cleartool lsh -eventid -minor -r src | grep -B1 'make attribute' | grep '^event' | sort -u | wc -l
2
1
"#,
    );
}
