//! What config specs ask of a whole system: chains of branches at a checkout, queries over metadata, and a compiled
//! form that a view starts from.

use crate::project::Project;
use crate::repository::{NEXT, Parents};

/// A world with view v and a VOB /vobs/g: `a.c` and `b.c` with two versions on main, the first of which has label
/// BASE; branch types `major`, `autumn` and `fix`; and `b.c` with a branch `fix`.
#[track_caller]
fn grown() -> Project {
    Project::imported(|stream| {
        let first = stream.commit("main", 1_600_000_000, Parents { first: None, merged: &[] });
        stream.file("a.c", "int a;\n");
        stream.file("b.c", "int b;\n");
        stream.file("other.c", "int other;\n");
        stream.tag("BASE", first);
        for (branch, file) in [("fix", "b.c"), ("major", "other.c"), ("autumn", "other.c")] {
            stream.commit(branch, 1_600_000_100, Parents { first: Some(first), merged: &[] });
            stream.file(file, format!("int {branch};\n"));
        }
        stream.commit("main", 1_600_000_200, Parents { first: Some(first), merged: &[] });
        stream.file("a.c", "int a = 2;\n");
        stream.file("b.c", "int b = 2;\n");
        stream.commit("main", 1_600_000_300, NEXT);
        stream.file("late.c", "int late;\n");
    })
}

#[test]
fn a_checkout_makes_one_branch_on_the_other() {
    let grown = grown();
    let spec = "\
element * CHECKEDOUT
element * .../major/autumn/LATEST
element * .../major/LATEST -mkbranch autumn
element * BASE -mkbranch major
element * /main/LATEST -mkbranch major
";
    grown.world.set_spec("v", spec);
    grown.check(
        r#"
$ cleartool explain a.c | grep checkout
  checkout will first create branch "major", then "autumn" at /main/1, then check out /main/major/autumn/0
$ cleartool checkout -nc a.c
Created branch "major" from "a.c" version "/main/1".
Created branch "autumn" from "a.c" version "/main/major/0".
Checked out "a.c" from version "/main/major/autumn/0".
$ cat a.c
int a;
$ echo 'int a = 7;' > a.c; cleartool checkin -nc a.c
Checked in "a.c" version "/main/major/autumn/1".
$ cleartool ls a.c
a.c@@/main/major/autumn/1                                Rule: .../major/autumn/LATEST
$ cleartool checkout -nc a.c
Checked out "a.c" from version "/main/major/autumn/1".
$ cleartool uncheckout -rm a.c
Checkout cancelled for "a.c".
$ cleartool checkout -nc .
Created branch "major" from "." version "/main/1".
Created branch "autumn" from "." version "/main/major/0".
Checked out "." from version "/main/major/autumn/0".
$ cleartool mkelem -nc new.c
Created element "new.c" (type "text_file").
Created branch "major" from "new.c" version "/main/0".
Created branch "autumn" from "new.c" version "/main/major/0".
Checked out "new.c" from version "/main/major/autumn/0".
"#,
    );
}

#[test]
fn a_rule_that_does_not_see_its_branch_is_told_after_the_branch_was_made() {
    let grown = grown();
    let spec = "\
element * CHECKEDOUT
element -directory * /main/LATEST
element * BASE -mkbranch major
element * /main/LATEST
";
    grown.world.set_spec("v", spec);
    grown.check(
        r#"
$ cleartool checkout -nc a.c
Created branch "major" from "a.c" version "/main/1".
cleartool: Error: Element already has a branch of type "major" ("/main/major").
cleartool: Error: Unable to create branch requested by -mkbranch option in config spec.
cleartool: Error: Unable to check out "a.c".
[exit 1]
$ cleartool lsvtree -short -all a.c
a.c@@/main
a.c@@/main/0
a.c@@/main/1
a.c@@/main/major
a.c@@/main/major/0
a.c@@/main/2
$ cleartool checkout -nc a.c late.c
cleartool: Error: Element already has a branch of type "major" ("/main/major").
cleartool: Error: Unable to create branch requested by -mkbranch option in config spec.
cleartool: Error: Unable to check out "a.c".
Checked out "late.c" from version "/main/1".
[exit 1]
"#,
    );
    // The time of the rule for the branch hides the branch that is made now.
    let spec = "\
element * CHECKEDOUT
element * .../fix/LATEST -time 1-Jan-2021
element * /main/LATEST -mkbranch fix
";
    grown.world.set_spec("v", spec);
    grown.check(
        r#"
$ cleartool checkout -nc other.c
Created branch "fix" from "other.c" version "/main/1".
cleartool: Error: Element already has a branch of type "fix" ("/main/fix").
cleartool: Error: Unable to create branch requested by -mkbranch option in config spec.
cleartool: Error: Unable to check out "other.c".
[exit 1]
"#,
    );
    grown.world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST -mkbranch winter\n");
    grown.check(
        r#"
$ cleartool checkout -nc a.c
cleartool: Error: Branch type not found: "winter".
cleartool: Error: Unable to create branch requested by -mkbranch option in config spec.
cleartool: Error: Unable to check out "a.c".
[exit 1]
"#,
    );
    grown.world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST -nocheckout\n");
    grown.check(
        r#"
$ cleartool checkout -nc a.c
cleartool: Error: The config spec rule that selects "a.c" says -nocheckout.
cleartool: Error: Unable to check out "a.c".
[exit 1]
"#,
    );
}

#[test]
fn a_branch_that_another_view_has_reserved_is_the_one_that_is_named() {
    let grown = grown();
    grown.world.make_view("w");
    let done = grown.world.ct_in(&grown.directory, &["checkout", "-nc", "-branch", "fix", "b.c"]).ok();
    assert_eq!(done, "Checked out \"b.c\" from version \"/main/fix/1\".\n");
    let other = grown.world.in_view("w", "/vobs/g");
    let said = grown.world.ct_in(&other, &["checkout", "-nc", "-branch", "fix", "b.c"]).refused();
    assert!(
        said.starts_with("cleartool: Error: Branch \"/main/fix\" of element is checked out reserved by"),
        "{said}"
    );
    // The config spec's rules lead there as well.
    grown.world.set_spec("w", "element * CHECKEDOUT\nelement * .../fix/LATEST\nelement * /main/LATEST\n");
    let said = grown.world.ct_in(&other, &["checkout", "-nc", "b.c"]).refused();
    assert!(said.starts_with("cleartool: Error: Branch \"/main/fix\" of element"), "{said}");
}

#[test]
fn queries_select_by_branches_labels_attributes_creators_and_dates() {
    let grown = grown();
    let spec = "\
element * CHECKEDOUT
element -directory * /main/LATEST
element b.c /main/{lbtype(BASE) && created_by(nobody-of-that-name) || brtype(main) && !lbtype(BASE)}
element a.c '{lbtype(BASE)}'
element other.c .../fix/{brtype(fix)}
element other.c {brtype(major) && version(.../major/LATEST)}
element late.c /main/{created_since(13-Sep-2020)}
";
    grown.world.set_spec("v", spec);
    grown.check(
        r#"
$ cleartool ls -short a.c b.c other.c late.c
a.c@@/main/1
b.c@@/main/2
other.c@@/main/major/1
late.c@@/main/1
$ cat a.c other.c
int a;
int major;
$ cleartool explain other.c | grep 'fix/{'
    v.cs:5  element other.c .../fix/{brtype(fix)}  the element has no such branch
"#,
    );
    // The commit of an imported version is an attribute of it.
    let log = grown.world.sh(&grown.world.root().join("repository"), "git rev-list -1 BASE").ok();
    let attributes = grown.world.ct_in(&grown.directory, &["describe", "a.c@@/main/1"]).ok();
    let line = attributes.lines().find(|line| line.contains(log.trim())).expect("the commit is shown");
    let name = line.trim().split(' ').next().unwrap();
    let rule = format!("element a.c /main/{{{name} == \"{}\"}}", log.trim());
    grown.world.set_spec("v", &format!("element -directory * /main/LATEST\n{rule}\n"));
    grown.check(
        r#"
$ cleartool ls -short a.c b.c
a.c@@/main/1
b.c@@
"#,
    );
    // Several versions fit: an error, not an arbitrary one.
    grown.world.set_spec("v", "element -directory * /main/LATEST\nelement a.c {brtype(main)}\n");
    grown.check(
        r#"
$ cleartool ls a.c
a.c@@ [error on reference]                               Rule: {brtype(main)}
$ cleartool explain a.c | head -1 | sed 's/oid [^)]*/oid/'
a.c: error on access: the rule fits several versions: /main/0, /main/1, /main/2  (file element; type file; oid)
"#,
    );
}

#[test]
fn a_view_starts_from_the_compiled_form() {
    let grown = grown();
    let world = &grown.world;
    std::fs::write(world.root().join("included.cs"), "element *.c BASE\n").unwrap();
    let spec = "element * CHECKEDOUT\ninclude included.cs\nelement * /main/LATEST\n";
    world.set_spec("v", spec);
    std::fs::write(world.root().join("included.cs"), "element *.c -none\n").unwrap();
    world.clerestory(&["shutdown"]).ok();
    // Included files are read by setcs alone.
    world.ct(&["startview", "v"]).ok();
    let shown = || world.sh(&grown.directory, "cat a.c").stdout;
    assert_eq!(shown(), "int a;\n");
    world.sh(&grown.directory, "cleartool setcs -current").ok();
    assert_eq!(shown(), "");
    // A compiled form that is gone or damaged is made up for by the text.
    world
        .sh(world.root(), "printf 'element * /main/LATEST\\n' > plain.cs && cleartool setcs -tag v plain.cs")
        .ok();
    world.clerestory(&["shutdown"]).ok();
    let compiled = world.home().join("views/v.vws/.compiled_spec");
    let bytes = std::fs::read(&compiled).unwrap();
    std::fs::write(&compiled, &bytes[..bytes.len() / 2]).unwrap();
    world.ct(&["startview", "v"]).ok();
    assert_eq!(shown(), "int a = 2;\n");
}
