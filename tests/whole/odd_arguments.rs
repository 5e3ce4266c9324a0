//! Arguments that nobody means to give: scripts give them all the same.

use crate::project::Project;

#[test]
fn an_empty_name_is_not_the_working_directory() {
    Project::small().check(
        r#"
$ cd src; cleartool rmelem -force ""; cleartool co -nc "" bar.c; cleartool unco -rm ""
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to remove element "".
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to check out "".
Checked out "bar.c" from version "/main/1".
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to cancel checkout for "".
[exit 1]
$ cleartool mkelem -nc ""; cleartool describe -s ""; cleartool lock ""; cleartool protect -chmod 775 ""; cleartool rmname ""
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to create element "".
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to lock "".
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to change protection on "".
cleartool: Error: Unable to access "": No such file or directory.
cleartool: Error: Unable to remove "".
[exit 1]
$ cd src; cleartool unco -rm bar.c; cleartool lsco -s -all
Checkout cancelled for "bar.c".
"#,
    );
}

#[test]
fn links_that_lead_up_are_followed_once() {
    Project::small().check(
        r#"
$ cleartool mklbtype -nc R; cleartool co -nc src; ln -s . x; rm x; cleartool ln -s .. src/loop | sed 's/.*/linked/'; cleartool ci -nc src
Created label type "R".
Checked out "src" from version "/main/1".
linked
Checked in "src" version "/main/2".
$ cleartool mklabel -recurse -follow R . | sort
Created label "R" on "." version "/main/1".
Created label "R" on "./foo.c" version "/main/2".
Created label "R" on "./lost+found" version "/main/0".
Created label "R" on "./src" version "/main/2".
Created label "R" on "./src/bar.c" version "/main/1".
"#,
    );
}

#[test]
fn trees_of_any_depth_are_told_of() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . && P=$(yes d | head -700 | paste -sd/) && mkdir -p $P && cleartool mkelem -nc -mkpath $P/leaf \
         | tail -1",
    );
    project.sh(
        "cleartool lshistory -s -all | wc -l; cleartool lsprivate -s | wc -l; cleartool lsco -s -all | wc -l",
    );
    project.sh("cleartool unco .");
    let lines = project.sh("cleartool lshistory -s -all | wc -l; cleartool lsprivate | wc -l; cleartool find . -all -print | wc -l");
    let counts: Vec<u32> = lines.split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert!(counts.len() == 3 && counts[0] > 700 && counts[1] > 0 && counts[2] > 700, "{lines}");
    // The daemon is the one that it was.
    project.sh("cat foo.c");
}

#[test]
fn private_trees_of_any_depth_are_listed() {
    let project = Project::small();
    // Deeper than any path that a system call takes.
    let make = "import os\nfor level in range(40):\n    os.mkdir('n' * 150)\n    os.chdir('n' * 150)\nopen('leaf', 'w')";
    let said = project.sh(&format!("python3 -c \"{make}\" && cleartool lsprivate | awk '{{print length}}'"));
    let lengths: Vec<usize> = said.lines().map(|line| line.parse().expect("a length")).collect();
    assert_eq!((lengths.len(), lengths[0]), (41, "/vobs/x/".len() + 150), "{said}");
    assert_eq!(lengths[40], "/vobs/x/".len() + 40 * 151 + "leaf".len());
}

#[test]
fn names_in_old_directory_versions_are_told_as_typed() {
    Project::small().check(
        r#"
$ cleartool co -nc src; cleartool rmname src/bar.c; cleartool ci -nc src; cleartool mklbtype -nc R
Checked out "src" from version "/main/1".
Removed "src/bar.c".
Checked in "src" version "/main/2".
Created label type "R".
$ cleartool mklabel R src@@/main/1/bar.c/main/1; cleartool describe -s src@@/main/1/bar.c/main/1 src@@/main/1
Created label "R" on "src@@/main/1/bar.c" version "/main/1".
src@@/main/1/bar.c@@/main/1
src@@/main/1
$ cleartool co -nc src@@/main/1/bar.c; cleartool unco -rm src@@/main/1/bar.c
Checked out "src@@/main/1/bar.c" from version "/main/1".
Checkout cancelled for "src@@/main/1/bar.c".
$ cd foo.c@@/main; cleartool describe -s 1 | sed 's,.*/vobs,/vobs,'
/vobs/x/foo.c@@/main/1
"#,
    );
}

#[test]
fn a_name_of_a_cancelled_checkout_is_not_told() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc . src; cleartool ln foo.c other.c; cleartool unco .; cleartool co -nc foo.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Link created: "other.c".
Checkout cancelled for ".".
Checked out "foo.c" from version "/main/2".
$ cd /; cleartool lsco -s -avobs
/vobs/x/foo.c
/vobs/x/src
"#,
    );
}

#[test]
fn one_bad_type_does_not_keep_the_others() {
    Project::small().check(
        r#"
$ cleartool mklbtype -nc A lbtype:B brtype:C D; cleartool rmtype nosuch lbtype:A lbtype:B; cleartool mklbtype -nc -- -DASH
cleartool: Error: Not a type selector of the kind wanted: "brtype:C".
Created label type "A".
Created label type "B".
Created label type "D".
cleartool: Error: Not a type selector of the kind wanted: "nosuch".
Removed label type "A".
Removed label type "B".
Created label type "-DASH".
$ cleartool lstype -s -kind lbtype -invob /vobs/nosuch; cleartool lock vob:/vobs/nosuch; cd /; cleartool lstype -kind brtype; cleartool mkbrtype -nc q
cleartool: Error: Pathname is not within a VOB: "/vobs/nosuch"
cleartool: Error: Pathname is not within a VOB: "/vobs/nosuch"
cleartool: Error: Unable to lock "vob:/vobs/nosuch".
cleartool: Error: Unable to determine VOB for pathname ".".
cleartool: Error: Unable to determine VOB for pathname ".".
cleartool: Error: Unable to create branch type "q".
[exit 1]
"#,
    );
}

#[test]
fn attribute_types_keep_to_the_values_there_are() {
    Project::small().check(
        r#"
$ cleartool mkattype -nc -vtype integer N; cleartool mkattr N 3 foo.c; cleartool mkattype -nc -replace N
Created attribute type "N".
Created attribute "N" on "foo.c@@/main/2".
cleartool: Error: There are attributes of type "N".
cleartool: Error: Unable to create attribute type "N".
[exit 1]
$ cleartool mkattype -nc -replace -vtype integer -gt 1 N; cleartool mkattype -nc -vtype integer -gt 5 -lt 2 E; cleartool mkattr -replace N "" foo.c
Replaced definition of attribute type "N".
cleartool: Error: No value can be within these limits.
cleartool: Error: Unable to create attribute type "E".
cleartool: Error: Invalid value: : it must be an integer.
cleartool: Error: Unable to create attribute "N" on "foo.c".
[exit 1]
"#,
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let project = Project::small();
    project.sh("head -c 1048577 /dev/zero | tr '\\0' a > $HOME/long");
    project.check(
        r#"
$ cleartool protect -chown 4294967295 foo.c; cleartool mkelem -nc -eltype file_system_object no.c; cleartool co -cfile /dev/zero foo.c; cleartool co -cfile ~/long foo.c 2>&1 | sed 's,".*/,",'
cleartool: Error: Unknown user: "4294967295".
cleartool: Error: Unable to change protection on "foo.c".
cleartool: Error: Element type "file_system_object" is abstract: give a type that is made from it (see lstype -kind eltype).
cleartool: Error: Unable to create element "no.c".
cleartool: Error: Comment file "/dev/zero" is too large: a comment has at most 1048576 bytes.
cleartool: Error: Comment file "long" is too large: a comment has at most 1048576 bytes.
$ cleartool co -nc .; cleartool mv foo.c nodir/; cleartool rmname foo.c/; echo n > n.c; cleartool mkelem -nc n.c/; cleartool mkdir -nc d/; cleartool mv d e/; cleartool rmname .
Checked out "." from version "/main/1".
cleartool: Error: Unable to access "foo.c": Not a directory.
cleartool: Error: Unable to move "foo.c" to "nodir/".
cleartool: Error: Unable to access "foo.c/": Not a directory.
cleartool: Error: Unable to remove "foo.c/".
cleartool: Error: Unable to access "n.c/": Not a directory.
cleartool: Error: Unable to create element "n.c/".
Created directory element "d/".
Checked out "d/" from version "/main/0".
Moved "d" to "e/".
cleartool: Error: "." is part of the VOB and keeps its name and place.
cleartool: Error: Unable to remove ".".
[exit 1]
$ cleartool ln -s foo.c link | sed 's/.*/linked/'; cleartool mkelem -nc link; cleartool lsco -s foo.c@@
linked
cleartool: Error: Entry named "link" already exists.
cleartool: Error: Unable to create element "link".
"#,
    );
}

#[test]
fn an_element_type_can_keep_the_time_of_files() {
    Project::small().check(
        r#"
$ cleartool mkeltype -nc -supertype text_file -ptime kept; cleartool co -nc .; echo p > p; cleartool mkelem -nc -eltype kept p
Created element type "kept".
Checked out "." from version "/main/1".
Created element "p" (type "kept").
Checked out "p" from version "/main/0".
$ echo q > p; touch -d '1998-01-01 00:00:00 UTC' p; cleartool ci -nc p; TZ=UTC ls -l --time-style=+%F p | cut -d' ' -f6
Checked in "p" version "/main/1".
1998-01-01
"#,
    );
}
