//! find: what is printed and what is run, and that it is what git says of a real history.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::import::Imported;
use crate::project::Project;
use crate::tree::Node;
use crate::world::World;

#[test]
fn objects_are_printed() {
    let project = Project::small();
    project.sh("cleartool mklbtype -nc REL1; cleartool mkbrtype -nc fix; cleartool mklabel -nc REL1 foo.c");
    project
        .sh("cleartool mkbranch -nc -nco fix foo.c; cleartool co -nc src; cleartool ln -s ../foo.c src/link");
    project.check(
        r#"
$ cleartool find . -print
.@@
./foo.c@@
./lost+found@@
./src@@
./src/bar.c@@
./src/link
$ cleartool find -depth -type fl src foo.c -print
src/bar.c@@
src/link
foo.c@@
$ cleartool find . -nrecurse -type d -print; cleartool find src/ -d -print
.@@
./lost+found@@
./src@@
src@@
$ cleartool find . -element 'brtype(fix)' -print; cleartool find . -branch '{brtype(fix)}' -print
./foo.c@@
./foo.c@@/main/fix
$ cleartool find . -version 'lbtype(REL1) || version(.../fix/0)' -print
./foo.c@@/main/2
./foo.c@@/main/fix/0
$ cleartool find . -name 's*' -version 'brtype(main)' -print
./src@@/main/0
./src@@/main/1
./src@@/main/CHECKEDOUT
$ cleartool find . -cview -print
.@@/main/1
./foo.c@@/main/2
./lost+found@@/main/0
./src@@/main/CHECKEDOUT
./src/bar.c@@/main/1
./src/link
$ cleartool find . -type f -version '!lbtype(REL1)' -nxname -print
./foo.c
./src/bar.c
$ cleartool find . src -name bar.c -nxn -print -print
./src/bar.c
src/bar.c
$ cleartool find . -name '*.c' -version 'version(/main/LATEST)' -print | xargs cat
one
two
bar
$ cleartool find . -user root -type f -print; cleartool find . -group 54321 -print
./foo.c@@
./src/bar.c@@
"#,
    );
}

#[test]
fn what_was_removed_for_good_is_not_found() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc fix; cleartool mkbranch -nc -nco fix foo.c; cleartool co -nc foo.c");
    project.sh("cleartool unco -rm foo.c; cleartool rmbranch -force foo.c@@/main/fix; cleartool rmver -force foo.c@@/main/1");
    project.check(
        r#"
$ cleartool rmelem -force src 2> /dev/null; cleartool find . -all -type fd -print
Removed element "src".
.@@
./lost+found@@
./foo.c@@
./lost+found/bar.c.OID@@
$ cleartool find . -all -nvisible -print; cleartool find . -all -branch 'brtype(fix) || brtype(main)' -name foo.c -print
./foo.c@@/main
$ cleartool find . -version '!brtype(fix)' -name foo.c -print
./foo.c@@/main/0
./foo.c@@/main/2
"#,
    );
}

#[test]
fn commands_run_for_each_object() {
    let project = Project::small();
    project.sh("cleartool mklbtype -nc REL1 REL2; cleartool mklabel -nc REL1 foo.c src/bar.c");
    project.check(
        r#"
$ cleartool find . -version 'lbtype(REL1)' -exec 'echo "$CLEARCASE_PN $CLEARCASE_XN_SFX $CLEARCASE_ID_STR $CLEARCASE_XPN"; cat "$CLEARCASE_XPN"'
./foo.c @@ /main/2 ./foo.c@@/main/2
one
two
./src/bar.c @@ /main/1 ./src/bar.c@@/main/1
bar
$ cleartool find src -element '!brtype(none2)' -print -exec 'echo "<$CLEARCASE_ID_STR>" $CLEARCASE_XPN' 2>&1 | head -1
cleartool: Error: Branch type not found: "none2".
$ cleartool find src -print -exec 'echo "<$CLEARCASE_ID_STR>" $CLEARCASE_XPN' -exec 'pwd | grep -c vobs/x'
src@@
<> src@@
1
src/bar.c@@
<> src/bar.c@@
1
$ cleartool find . -type f -exec 'test $CLEARCASE_PN != ./foo.c' -print
./foo.c@@
./src/bar.c@@
[exit 1]
$ printf 'y\n\n' | cleartool find . -type f -ok 'echo ran on $CLEARCASE_PN'
Execute "echo ran on $CLEARCASE_PN" for "./foo.c@@"?  [no] ran on ./foo.c
Execute "echo ran on $CLEARCASE_PN" for "./src/bar.c@@"?  [no] 
$ cleartool find . -version 'lbtype(REL1)' -exec 'cleartool mklabel -nc REL2 $CLEARCASE_XPN'
Created label "REL2" on "./foo.c" version "/main/2".
Created label "REL2" on "./src/bar.c" version "/main/1".
$ printf 'find . -type f -exec "echo one of them"\nquit\n' | cleartool -status
one of them
one of them
Command 1 returned status 0
"#,
    );
}

#[test]
fn what_cannot_be_looked_for_is_told() {
    let project = Project::small();
    project.sh("echo x > private");
    project.check(
        r#"
$ cleartool find . ; cleartool find -print
cleartool: Error: Action (-print, -exec or -ok) required
Usage: find pname ... | [pname ...] -all [-visible | -nvisible] | -avobs [-visible | -nvisible]
       [-name pattern] [-depth | -nrecurse | -directory] [-cview] [-user login-name]
       [-group group-name] [-type {f|d|l}...] [-follow] [-nxname]
       [-element query] [-branch query] [-version query]
       {-print | -json | -exec command | -ok command} ...
cleartool: Error: Pathname required
Usage: find pname ... | [pname ...] -all [-visible | -nvisible] | -avobs [-visible | -nvisible]
       [-name pattern] [-depth | -nrecurse | -directory] [-cview] [-user login-name]
       [-group group-name] [-type {f|d|l}...] [-follow] [-nxname]
       [-element query] [-branch query] [-version query]
       {-print | -json | -exec command | -ok command} ...
[exit 1]
$ cleartool find . -visible -print 2>&1 | head -1; cleartool find . -all -nr -print 2>&1 | head -1; cleartool find . -type x -print 2>&1 | head -1; cleartool find . -all -avobs -print 2>&1 | head -1; cleartool find . -version '' -print 2>&1 | head -1
cleartool: Error: Option -visible goes with -all or -avobs
cleartool: Error: Option -nrecurse does not go with -all or -avobs
cleartool: Error: Option -type takes the letters f, d and l
cleartool: Error: Options -all and -avobs are mutually exclusive
cleartool: Error: Option -version needs a value that is not empty
$ cleartool find nothing . private / foo.c@@/main -directory -print
cleartool: Error: Unable to access "nothing": No such file or directory.
.@@
cleartool: Error: Not a vob object: "private".
cleartool: Error: Pathname is not within a VOB: "/"
cleartool: Error: A version-extended name is not allowed here: "foo.c@@/main".
[exit 1]
$ cleartool find . -version 'lbtype(NOPE) && brtype(main)' -print; cleartool find . -all -branch 'brtype(nope)' -print
cleartool: Error: Label type not found: "NOPE".
cleartool: Error: Branch type not found: "nope".
[exit 1]
$ cleartool find . -version 'lbtype(' -print; cleartool find . -element 'created_since(someday)' -print; cleartool find . -name 'a[' -print
cleartool: Error: Invalid version query "lbtype(": column 8: query is not complete (expected ")").
cleartool: Error: Invalid element query "created_since(someday)": column 15: not a date-time: "someday" (expected a date-time such as now, yesterday, 9-Aug-2024.10:00UTC or 2024-08-09T10:00:00Z).
cleartool: Error: Invalid name pattern "a[": "[" is not closed.
[exit 1]
$ cleartool find . -user nobody-at-all -print; cleartool find . -group no-group-at-all -print
cleartool: Error: Unknown user: "nobody-at-all".
cleartool: Error: Unknown group: "no-group-at-all".
[exit 1]
"#,
    );
}

#[test]
fn all_mounted_vobs_are_searched_or_those_of_the_environment() {
    let project = Project::small();
    project.world.make_vob("/vobs/y");
    project.sh("cd ../y && cleartool co -nc . && cleartool mkdir -nc -nco src && cleartool ci -nc .");
    project.sh("cleartool mklbtype -nc ONLY_X; cleartool mklabel -nc ONLY_X foo.c");
    project.check(
        r#"
$ cleartool find -avobs -name src -print
WORLD/view/v/vobs/x/src@@
WORLD/view/v/vobs/y/src@@
$ CLEARCASE_AVOBS=/vobs/y:/vobs/none cleartool find -avo -name src -nxn -print
cleartool: Error: Pathname is not within a VOB: "/vobs/none"
WORLD/view/v/vobs/y/src
[exit 1]
$ cleartool find -avobs -version 'lbtype(ONLY_X)' -print; cleartool find -avobs -version 'lbtype(NONE)' -print
WORLD/view/v/vobs/x/foo.c@@/main/2
cleartool: Error: Label type not found: "NONE".
[exit 1]
$ cd /; cleartool find /vobs/x -all -type f -print
/vobs/x/.@@/main/1/foo.c@@
/vobs/x/.@@/main/1/src/main/1/bar.c@@
$ cd /; cleartool find -avobs -visible -print
cleartool: Error: Cannot get view info for current view: not a ClearCase object.
cleartool: Error: Cannot get view info for current view: not a ClearCase object.
[exit 1]
"#,
    );
    // In a set view the tags are at the top.
    let command =
        "cd /vobs/x/src && cleartool find -avobs -name src -print && cleartool find . -all -type f -print";
    let found = project.world.ct(&["setview", "-exec", command, "v"]).ok();
    let expected = "/vobs/x/src@@\n/vobs/y/src@@\n/vobs/x/foo.c@@\n./bar.c@@\n";
    assert_eq!(found, expected);
}

/// What `find` gives a command for each object, separated by NUL bytes.
#[track_caller]
fn found(world: &World, directory: &Path, words: &[&[u8]], printed: &str) -> Vec<Vec<u8>> {
    let mut command = world.command(world.root().join("bin/cleartool"), directory);
    let exec = format!("{printed}; printf '\\0'");
    command.arg("find").args(words.iter().map(|word| OsStr::from_bytes(word))).arg("-exec").arg(exec);
    let output = command.output().expect("cleartool can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all: Vec<Vec<u8>> = output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    assert_eq!(all.pop(), Some(Vec::new()));
    all.sort();
    all
}

const PATH: &str = "printf %s \"$CLEARCASE_PN\"";
/// A name of more than 253 bytes has no room for `@@` (NAME_MAX); in a directory version it needs none.
const CONTENT: &str = "f=$CLEARCASE_XPN; [ -e \"$f\" ] || f=\".@@/main/LATEST/${CLEARCASE_PN#./}$CLEARCASE_ID_STR\"; \
                       od -An -v -tx1 < \"$f\" | tr -d ' \\n'";

/// Expects the same lists; says where they begin to differ.
#[track_caller]
fn assert_same(what: &str, found: &[Vec<u8>], expected: &[Vec<u8>]) {
    let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected).count();
    let next = |list: &[Vec<u8>]| list.get(same).map(|line| line[..line.len().min(100)].to_vec());
    let next = |list: &[Vec<u8>]| next(list).map(|line| String::from_utf8_lossy(&line).into_owned());
    assert!(found == expected, "{what}: entry {same}: {:?}, expected {:?}", next(found), next(expected));
}

/// For each label: in a view of the label the files and links are those of git's tree, by name; in the default view
/// the labelled versions are those of git's tree, by content, whatever they are called there.
#[test]
fn labelled_versions_are_those_of_gits_tags() {
    let imported = Imported::new();
    let (world, directory) = (&imported.world, imported.directory());
    let labels = [
        ("fork-side", "fork-side"),
        ("rel_side-1", "rel/side-1"),
        ("v1.0", "v1.0"),
        ("v2.0", "v2.0"),
        ("outer", "outer"),
    ];
    for (label, tag) in labels {
        let tree = imported.repository.tree(tag);
        let query = format!("lbtype({label})").into_bytes();
        let mut files: Vec<Vec<u8>> = Vec::new();
        let mut links: Vec<Vec<u8>> = Vec::new();
        let mut contents: Vec<Vec<u8>> = Vec::new();
        for (path, node) in tree {
            let name = [b"./", &path[..]].concat();
            match node {
                Node::File { content, .. } => {
                    files.push(name);
                    let hexadecimal = content.iter().map(|byte| format!("{byte:02x}"));
                    contents.push(hexadecimal.collect::<String>().into_bytes());
                }
                Node::Link(_) => links.push(name),
                Node::Directory => {}
            }
        }
        files.sort();
        links.sort();
        contents.sort();
        world.set_spec("v", &format!("element * {label}\n"));
        let words: [&[u8]; 5] = [b".", b"-type", b"f", b"-version", &query];
        assert_same(label, &found(world, &directory, &words, PATH), &files);
        assert_same(label, &found(world, &directory, &[b".", b"-type", b"l"], PATH), &links);
        world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n");
        let words: [&[u8]; 6] = [b".", b"-all", b"-type", b"f", b"-version", &query];
        assert_same(label, &found(world, &directory, &words, CONTENT), &contents);
    }
}

/// Every element is found once, visible or not, under a name that the mount knows.
#[test]
fn every_element_of_a_history_has_one_name_that_works() {
    let imported = Imported::new();
    let (world, directory) = (&imported.world, imported.directory());
    let elements = |words: &[&[u8]], printed: &str| {
        let words = [words, &[b"-type", b"fd"]].concat();
        found(world, &directory, &words, printed)
    };
    let all = elements(&[b".", b"-all"], PATH);
    let visible = elements(&[b".", b"-all", b"-visible"], PATH);
    let invisible = elements(&[b".", b"-all", b"-nvisible"], PATH);
    assert_same("visible", &visible, &elements(&[b"."], PATH));
    let mut both = [&visible[..], &invisible].concat();
    both.sort();
    assert_same("visible or not", &both, &all);
    assert!(!invisible.is_empty() && visible.len() > 20);
    for name in &all {
        let leaf = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let element = match leaf.len() + 2 <= 255 {
            true => [&name[..], b"@@"].concat(),
            false => [b".@@/main/LATEST/", leaf].concat(),
        };
        let path = directory.join(OsStr::from_bytes(&element));
        assert!(path.join("main").join("0").exists(), "{path:?}");
    }
    let history = world.ct_in(&directory, &["lshistory", "-all"]).ok();
    let made =
        |line: &&str| line.contains(" create file element ") || line.contains(" create directory element ");
    assert_eq!(history.lines().filter(made).count(), all.len());
    // Links as well: those that were replaced are only in older directory versions.
    let links = found(world, &directory, &[b".", b"-all", b"-nvisible", b"-type", b"l"], PATH);
    for link in &links {
        let path = directory.join(OsStr::from_bytes(link));
        assert!(path.symlink_metadata().is_ok_and(|link| link.is_symlink()), "{path:?}");
    }
    assert!(!links.is_empty());
}
