//! lost+found: what comes there when a directory's checkout is cancelled or a last name goes, what is said of it and
//! when, and the way back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::project::Project;

#[test]
fn uncheckout_of_a_directory_says_what_it_orphans() {
    Project::small().check(
        r#"
$ cleartool co -nc .; echo n > new.c; cleartool mkelem -nc -ci new.c; cleartool unco . 2> ~/err
Checked out "." from version "/main/1".
Created element "new.c" (type "text_file").
Checked out "new.c" from version "/main/0".
Checked in "new.c" version "/main/1".
Checkout cancelled for ".".
$ cat ~/err; ls; ls lost+found; cat lost+found/new.c.*
cleartool: Warning: Object "new.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "new.c.OID".
foo.c
lost+found
src
new.c.OID
n
$ cd src; cleartool co -nc .; cleartool mv ../lost+found/new.c.* new.c; cleartool ci -nc .; cat new.c; ls ../lost+found
Checked out "." from version "/main/1".
Moved "../lost+found/new.c.OID" to "new.c".
Checked in "." version "/main/2".
n
$ cleartool lshistory -directory -last src | tail -1; cleartool lsvtree -all -short src/new.c
  "Added file element "new.c"."
src/new.c@@/main
src/new.c@@/main/0
src/new.c@@/main/1
"#,
    );
}

#[test]
fn several_checkouts_are_cancelled_together() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc . src foo.c; echo changed > foo.c; for n in a b; do echo $n > $n.c; cleartool mkelem -nc -ci $n.c; done | grep 'Checked in'
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Checked out "foo.c" from version "/main/2".
Checked in "a.c" version "/main/1".
Checked in "b.c" version "/main/1".
$ cleartool ln a.c src/a.c; cleartool unco -keep . nothing src . foo.c lost+found
Link created: "src/a.c".
cleartool: Warning: Object "b.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "b.c.OID".
cleartool: Warning: Object "a.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "a.c.OID".
Checkout cancelled for ".".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to cancel checkout for "nothing".
Checkout cancelled for "src".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for ".".
Private version of "foo.c" saved in "foo.c.keep".
Checkout cancelled for "foo.c".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "lost+found".
[exit 1]
$ cat foo.c foo.c.keep lost+found/a.c.* lost+found/b.c.*
one
two
changed
a
b
"#,
    );
    // With -rm as well, and each element told once, by the name that was its last.
    project.check(
        r#"
$ cleartool co -nc src . foo.c; echo n > src/n.c; cleartool mkelem -nc -ci src/n.c | tail -1; cleartool ln src/n.c m.c; cleartool unco -rm foo.c src .
Checked out "src" from version "/main/1".
Checked out "." from version "/main/1".
Checked out "foo.c" from version "/main/2".
Checked in "src/n.c" version "/main/1".
Link created: "m.c".
cleartool: Warning: Object "m.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "m.c.OID".
Checkout cancelled for "foo.c".
Checkout cancelled for "src".
Checkout cancelled for ".".
"#,
    );
}

#[test]
fn a_new_tree_stays_together() {
    Project::small().check(
        r#"
$ cleartool co -nc .; cleartool mkdir -nc top top/low | grep reated; for n in top/a.c top/low/b.c; do echo $n > $n; cleartool mkelem -nc $n; done | grep reated; cleartool ci -nc top/a.c
Checked out "." from version "/main/1".
Created directory element "top".
Created directory element "top/low".
Created element "top/a.c" (type "text_file").
Created element "top/low/b.c" (type "text_file").
Checked in "top/a.c" version "/main/1".
$ cleartool unco .
cleartool: Warning: Object "top" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "top.OID".
Checkout cancelled for ".".
$ cd lost+found/top.*; find . | sort; cat a.c low/b.c; cleartool lsco -short -all | sed 's,.*/lost,lost,'
.
./a.c
./low
./low/b.c
top/a.c
top/low/b.c
lost+found/top.OID/low/b.c
lost+found/top.OID/low
lost+found/top.OID
$ cleartool co -nc src; cleartool mv lost+found/top.* src/top; cleartool ci -nc src/top/low/b.c src/top/low src/top src; cat src/top/low/b.c; ls lost+found
Checked out "src" from version "/main/1".
Moved "lost+found/top.OID" to "src/top".
Checked in "src/top/low/b.c" version "/main/1".
Checked in "src/top/low" version "/main/1".
Checked in "src/top" version "/main/1".
Checked in "src" version "/main/2".
top/low/b.c
"#,
    );
}

#[test]
fn what_has_another_name_stays_where_that_is() {
    Project::small().check(
        r#"
$ cleartool co -nc . src; echo n > n.c; cleartool mkelem -nc -ci n.c | tail -1; cleartool ln n.c src/n.c; cleartool ci -nc src; cleartool unco .
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Checked in "n.c" version "/main/1".
Link created: "src/n.c".
Checked in "src" version "/main/2".
Checkout cancelled for ".".
$ ls . lost+found; cat src/n.c; cleartool co -nc .; cleartool mv src/n.c n.c; cleartool mv foo.c bar.c; cleartool unco .; cat foo.c
.:
foo.c
lost+found
src

lost+found:
n
Checked out "." from version "/main/1".
cleartool: Error: Can't modify directory "src" because it is not checked out.
cleartool: Error: Unable to move "src/n.c" to "n.c".
Moved "foo.c" to "bar.c".
Checkout cancelled for ".".
one
two
$ cleartool co -nc . src; cleartool mv src/n.c n.c; cleartool unco .; cat src/n.c; cleartool find . -all -nvisible -print; cleartool unco src; cat src/n.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/2".
Moved "src/n.c" to "n.c".
Checkout cancelled for ".".
cat: src/n.c: No such file or directory
./src@@/main/2/n.c@@
Checkout cancelled for "src".
n
[exit 0]
"#
        .replace("[exit 0]\n", "")
        .as_str(),
    );
}

#[test]
fn a_new_file_that_is_checked_out_keeps_its_data() {
    Project::small().check(
        r#"
$ cleartool co -nc .; echo data > new.c; cleartool mkelem -nc new.c; echo more >> new.c; cleartool unco .; ls
Checked out "." from version "/main/1".
Created element "new.c" (type "text_file").
Checked out "new.c" from version "/main/0".
cleartool: Warning: Object "new.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "new.c.OID".
Checkout cancelled for ".".
foo.c
lost+found
src
$ cd lost+found; cat *; for f in *; do echo again >> $f; done; cleartool ci -nc new.c.*; for f in *; do cat $f@@/main/1; done
data
more
Checked in "new.c.OID" version "/main/1".
data
more
again
$ cleartool co -nc . lost+found/new.c.*; cleartool mv lost+found/new.c.* new.c; echo back >> new.c; cleartool ci -nc new.c .; tail -1 new.c
Checked out "." from version "/main/1".
Checked out "lost+found/new.c.OID" from version "/main/1".
Moved "lost+found/new.c.OID" to "new.c".
Checked in "new.c" version "/main/2".
Checked in "." version "/main/2".
back
"#,
    );
}

#[test]
fn a_last_name_that_is_removed_leads_there() {
    Project::small().check(
        r#"
$ cleartool co -nc .; echo n > n.c; cleartool mkelem -nc n.c | head -1; cleartool rmname n.c; cleartool rmname -force n.c 2> ~/err; cat ~/err
Checked out "." from version "/main/1".
Created element "n.c" (type "text_file").
cleartool: Error: Element "n.c" has checkouts.
cleartool: Error: Unable to remove "n.c".
Removed "n.c".
cleartool: Warning: Object "n.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "n.c.OID".
$ ls; cat lost+found/n.c.*; cleartool mkdir -nc d | head -1; echo in > d/in.c; cleartool mkelem -nc -ci d/in.c | tail -1; cleartool ci -nc d; cleartool rmname d
foo.c
lost+found
src
n
Created directory element "d".
Checked in "d/in.c" version "/main/1".
Checked in "d" version "/main/1".
cleartool: Warning: Object "d" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "d.OID".
Removed "d".
$ cleartool mv lost+found/d.* d; cleartool ci -nc .; cleartool co -nc .; cleartool rmname d; ls lost+found | sed 's/[.].*//'; cleartool find . -all -nvisible -print
Moved "lost+found/d.OID" to "d".
Checked in "." version "/main/2".
Checked out "." from version "/main/2".
Removed "d".
n
./.@@/main/2/d@@
./.@@/main/2/d/main/1/in.c@@
"#,
    );
}

#[test]
fn the_directory_itself_stays_as_it_is() {
    let project = Project::small();
    project.sh("cleartool mkbrtype -nc fix; cleartool mklbtype -nc REL1");
    project.check(
        r#"
$ cleartool co -nc lost+found; cleartool mkbranch -nc fix lost+found; cleartool mkbranch -nc -nco fix lost+found
cleartool: Error: "lost+found" cannot be checked out.
cleartool: Error: Unable to check out "lost+found".
cleartool: Error: "lost+found" has no branches.
cleartool: Error: Unable to create branch "fix" from "lost+found" version "/main/0".
cleartool: Error: "lost+found" has no branches.
cleartool: Error: Unable to create branch "fix" from "lost+found" version "/main/0".
[exit 1]
$ cleartool mkelem -nc lost+found/x; cleartool mkdir -nc lost+found/d; cleartool ln foo.c lost+found/foo.c; cleartool mv foo.c lost+found
cleartool: Error: Can't modify directory "lost+found" because it is not checked out.
cleartool: Error: Unable to create element "lost+found/x".
cleartool: Error: Can't modify directory "lost+found" because it is not checked out.
cleartool: Error: Unable to create directory element "lost+found/d".
cleartool: Error: Can't modify directory "lost+found" because it is not checked out.
cleartool: Error: Unable to create link "lost+found/foo.c".
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to move "foo.c" to "lost+found/foo.c".
[exit 1]
$ cleartool co -nc .; echo n > n.c; cleartool mkelem -nc -ci n.c | tail -1; cleartool rmname n.c 2>&1 | tail -1; cleartool rmname lost+found/n.c.*; cleartool mklabel -nc REL1 lost+found/n.c.*
Checked out "." from version "/main/1".
Checked in "n.c" version "/main/1".
Removed "n.c".
cleartool: Error: Object "lost+found/n.c.OID" has no name but the one in lost+found: move it out.
cleartool: Error: Unable to remove "lost+found/n.c.OID".
Created label "REL1" on "lost+found/n.c.OID" version "/main/1".
$ cleartool ln lost+found/n.c.* n.c; cleartool ci -nc .; cleartool rmname lost+found/n.c.*; ls lost+found; cat n.c; cleartool ls -directory lost+found
Link created: "n.c".
Checked in "." version "/main/2".
Removed "lost+found/n.c.OID".
n
lost+found@@/main/0                                      Rule: /main/LATEST
"#,
    );
}

#[test]
fn odd_and_long_names_keep_what_fits() {
    let project = Project::empty();
    let ct = |words: &[&OsStr]| project.world.ct_in(&project.directory, words);
    let long = "\u{e9}".repeat(127) + "x";
    let names: [&[u8]; 3] = [b"not utf-8 \xe9\xff", long.as_bytes(), &[b'n'; 255]];
    project.sh("cleartool co -nc .");
    for name in names {
        let name = OsStr::from_bytes(name);
        std::fs::write(project.directory.join(name), "data").expect("a private file can be made");
        ct(&["mkelem", "-nc", "-ci"].map(OsStr::new).into_iter().chain([name]).collect::<Vec<_>>()).ok();
    }
    let mut command = project.world.command(project.world.root().join("bin/cleartool"), &project.directory);
    let output = command.args(["unco", "."]).output().expect("cleartool can be run");
    assert_eq!(output.stdout, b"Checkout cancelled for \".\".\n");
    let lost = project.directory.join("lost+found");
    let entries = std::fs::read_dir(&lost).expect("lost+found can be listed");
    let mut found: Vec<Vec<u8>> =
        entries.map(|entry| entry.expect("an entry").file_name().as_bytes().to_vec()).collect();
    found.sort();
    // 255 bytes less a dot and 32 digits; no letter is cut through.
    let accents = "\u{e9}".repeat(111);
    let kept: [&[u8]; 3] = [&[b'n'; 222], b"not utf-8 \xe9\xff", accents.as_bytes()];
    for (found, kept) in found.iter().zip(kept) {
        let (name, oid) = found.split_at(found.len() - 32);
        assert_eq!(name, [kept, &b"."[..]].concat());
        assert!(oid.iter().all(u8::is_ascii_hexdigit));
    }
    // The whole name is told, and the name there.
    let expected: Vec<Vec<u8>> = names
        .iter()
        .zip([1, 2, 0])
        .flat_map(|(name, place)| {
            let first = [b"cleartool: Warning: Object \"", *name, b"\" no longer referenced.\n"].concat();
            let second = b"cleartool: Warning: Moving object to vob lost+found directory as \"";
            [first, [&second[..], &found[place], b"\".\n"].concat()]
        })
        .collect();
    let mut told: Vec<Vec<u8>> =
        output.stderr.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut expected = expected;
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    project.sh("cleartool co -nc .");
    for (place, name) in found.iter().enumerate() {
        let words = [
            OsStr::new("mv"),
            &lost.join(OsStr::from_bytes(name)).into_os_string(),
            OsStr::new(&format!("back{place}")),
        ]
        .map(OsStr::to_owned);
        ct(&words.iter().map(|word| word.as_os_str()).collect::<Vec<_>>()).ok();
    }
    assert_eq!(project.sh("cat back*; ls lost+found"), "datadatadata");
}

#[test]
fn a_removed_view_says_what_it_orphans() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cd ~/other; cleartool co -nc .; echo w > w.c; cleartool mkelem -nc -ci w.c | tail -1; cd; cleartool rmview -force -tag w
Checked out "." from version "/main/1".
Checked in "w.c" version "/main/1".
Removing references from VOB "/vobs/x" ...
cleartool: Warning: Object "w.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "w.c.OID".
Removed references to view "WORLD/home/views/w.vws" from VOB "/vobs/x".
"#,
    );
}
