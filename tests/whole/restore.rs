//! Names that were removed, and the ways back: files and directories with their history, and names that are refused
//! because another element had them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::project::Project;

/// The identity of the element at a path.
#[track_caller]
fn oid(path: &Path) -> String {
    let mut value = [0; 64];
    let length = rustix::fs::getxattr(path, "user.clerestory.oid", &mut value);
    let length = length.unwrap_or_else(|errno| panic!("{path:?}: {errno}"));
    String::from_utf8_lossy(&value[..length]).into_owned()
}

#[test]
fn a_removed_file_is_found_and_comes_back_with_its_history() {
    let project = Project::small();
    let before = (oid(&project.directory.join("foo.c")), project.sh("cleartool lshistory -min foo.c"));
    project.check(
        r#"
$ cleartool co -nc .; cleartool rmname foo.c; cleartool ci -nc .; cleartool find . -all -nvisible -print
Checked out "." from version "/main/1".
Removed "foo.c".
Checked in "." version "/main/2".
./.@@/main/1/foo.c@@
$ cleartool lshistory -directory -last . | tail -1; cat ./.@@/main/1/foo.c@@/main/1
  "Uncataloged file element "foo.c"."
one
$ cleartool co -nc .; cleartool ln .@@/main/1/foo.c .; cleartool ci -nc .; cleartool find . -all -nvisible -print; cat foo.c
Checked out "." from version "/main/2".
Link created: "./foo.c".
Checked in "." version "/main/3".
one
two
$ cleartool lshistory -directory -last . | tail -1; cleartool co -nc foo.c; echo three >> foo.c; cleartool ci -nc foo.c
  "Added hard link "foo.c"."
Checked out "foo.c" from version "/main/2".
Checked in "foo.c" version "/main/3".
$ cleartool lsvtree -short -all foo.c
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
foo.c@@/main/3
"#,
    );
    let history = project.sh("cleartool lshistory -min foo.c | sed 1d");
    assert_eq!((oid(&project.directory.join("foo.c")), history), before);
}

#[test]
fn a_removed_directory_comes_back_whole_or_in_parts() {
    let project = Project::small();
    let src = oid(&project.directory.join("src"));
    let bar = oid(&project.directory.join("src/bar.c"));
    project.check(
        r#"
$ cleartool co -nc .; cleartool rmname src; cleartool ci -nc .; cleartool lshistory -directory -last . | tail -1
Checked out "." from version "/main/1".
Removed "src".
Checked in "." version "/main/2".
  "Uncataloged directory element "src"."
$ cleartool find . -all -nvisible -print; cleartool find . -all -nvisible -type f -version 'version(/main/LATEST)' -exec 'cat $CLEARCASE_XPN'
./.@@/main/1/src@@
./.@@/main/1/src/main/1/bar.c@@
bar
$ cleartool co -nc .; cleartool ln "$(cleartool find . -all -nvisible -type f -print)" .; cat bar.c; cleartool unco .
Checked out "." from version "/main/2".
Link created: "./bar.c".
bar
Checkout cancelled for ".".
$ cleartool co -nc .; cleartool find . -all -nvisible -type d -exec 'cleartool ln $CLEARCASE_XPN .'; cleartool ci -nc .; cat src/bar.c
Checked out "." from version "/main/2".
Link created: "./src".
Checked in "." version "/main/3".
bar
$ cleartool find . -all -nvisible -print; cleartool find . -print
.@@
./foo.c@@
./lost+found@@
./src@@
./src/bar.c@@
"#,
    );
    assert_eq!(oid(&project.directory.join("src")), src);
    assert_eq!(oid(&project.directory.join("src/bar.c")), bar);
}

#[test]
fn a_name_is_found_in_the_newest_version_that_had_it() {
    Project::small().check(
        r#"
$ for i in 1 2 3; do cleartool co -nc src; cleartool mkdir -nc -nco src/d$i; cleartool ci -nc src; done | grep 'Checked in'
Checked in "src" version "/main/2".
Checked in "src" version "/main/3".
Checked in "src" version "/main/4".
$ cleartool co -nc src; cleartool mv src/bar.c src/baz.c; cleartool ci -nc src; cleartool co -nc src; cleartool rmname src/baz.c src/d1; cleartool ci -nc src
Checked out "src" from version "/main/4".
Moved "src/bar.c" to "src/baz.c".
Checked in "src" version "/main/5".
Checked out "src" from version "/main/5".
Removed "src/baz.c".
Removed "src/d1".
Checked in "src" version "/main/6".
$ cleartool find . -all -nvisible -print; cleartool find . -all -nvisible -name bar.c -print; cleartool find . -all -name ba* -nxn -print
./src@@/main/5/baz.c@@
./src@@/main/5/d1@@
./src@@/main/4/bar.c@@
./src@@/main/5/baz.c
$ cd src; cleartool find . -all -nvisible -print; cleartool find ../src -all -nvisible -print
./.@@/main/5/baz.c@@
./.@@/main/5/d1@@
../src@@/main/5/baz.c@@
../src@@/main/5/d1@@
$ cd src; cleartool co -nc .; cleartool ln ./.@@/main/5/baz.c@@ . ; cleartool ln .@@/main/5/d1@@ again; ls
Checked out "." from version "/main/6".
Link created: "./baz.c".
Link created: "again".
again
baz.c
d2
d3
"#,
    );
}

#[test]
fn what_another_view_shows_is_not_lost() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("cleartool mkbrtype -nc fix; ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.sh("printf 'element * CHECKEDOUT\\nelement * .../fix/LATEST\\nelement * /main/LATEST -mkbranch fix\\n' > $HOME/fix.cs; cleartool setcs -tag w $HOME/fix.cs");
    project.check(
        r#"
$ cd ~/other; cleartool co -nc .; echo n > n.c; cleartool mkelem -nc -ci n.c | tail -1; cleartool rmname foo.c; cleartool ci -nc .
Created branch "fix" from "." version "/main/1".
Checked out "." from version "/main/fix/0".
Checked in "n.c" version "/main/fix/1".
Removed "foo.c".
Checked in "." version "/main/fix/1".
$ cleartool find . -all -nvisible -print; cd ~/other; cleartool find . -all -nvisible -print
./.@@/main/fix/1/n.c@@
./.@@/main/fix/0/foo.c@@
$ cleartool co -nc .; cleartool ln ./.@@/main/fix/1/n.c@@ .; ls; cleartool ls n.c
Checked out "." from version "/main/1".
Link created: "./n.c".
foo.c
lost+found
n.c
src
n.c@@/main/0                                             Rule: /main/LATEST
"#,
    );
}

#[test]
fn a_twin_is_refused_with_the_command_that_works() {
    let project = Project::small();
    let foo = oid(&project.directory.join("foo.c"));
    let src = oid(&project.directory.join("src"));
    project.check(
        r#"
$ cleartool co -nc . src; cleartool rmname src/bar.c foo.c; cleartool ci -nc src; cleartool rmname src; cleartool ci -nc .
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Removed "src/bar.c".
Removed "foo.c".
Checked in "src" version "/main/2".
Removed "src".
Checked in "." version "/main/2".
$ cleartool co -nc .; cleartool mkdir -nc src 2>&1 | tee ~/told; eval "$(sed -n 's/.* use: //p' ~/told)"; ls src
Checked out "." from version "/main/2".
cleartool: Error: Entry named "src" was another element: ".@@/main/1/src".
cleartool: Error: To bring it back, use: cleartool ln .@@/main/1/src src
cleartool: Error: Unable to create directory element "src".
Link created: "src".
$ cleartool co -nc src; cd src; echo twin > bar.c; cleartool mkelem -nc bar.c ../foo.c 2>&1 | tee ~/told; rm bar.c; eval "$(sed -n 's/.* use: //p' ~/told)"; cat bar.c ../foo.c
Checked out "src" from version "/main/2".
cleartool: Error: Entry named "bar.c" was another element: ".@@/main/1/bar.c".
cleartool: Error: To bring it back, use: cleartool ln .@@/main/1/bar.c bar.c
cleartool: Error: Unable to create element "bar.c".
cleartool: Error: Entry named "../foo.c" was another element: "../.@@/main/1/foo.c".
cleartool: Error: To bring it back, use: cleartool ln ../.@@/main/1/foo.c ../foo.c
cleartool: Error: Unable to create element "../foo.c".
Link created: "bar.c".
Link created: "../foo.c".
bar
one
two
"#,
    );
    assert_eq!(oid(&project.directory.join("foo.c")), foo);
    assert_eq!(oid(&project.directory.join("src")), src);
}

#[test]
fn twins_of_odd_names_are_brought_back_as_well() {
    let project = Project::empty();
    let names: [&[u8]; 4] = [b"a b", b"it's $HOME", b"not utf-8 \xe9\xff", b"*?[x]"];
    let ct = |words: &[&OsStr]| project.world.ct_in(&project.directory, words);
    let [co, ci, nc, dot, mkelem, rmname] = ["co", "ci", "-nc", ".", "mkelem", "rmname"].map(OsStr::new);
    let named: Vec<&OsStr> = names.iter().map(|name| OsStr::from_bytes(name)).collect();
    ct(&[co, nc, dot]).ok();
    for name in &named {
        std::fs::write(project.directory.join(name), "the first").expect("a private file can be made");
        ct(&[mkelem, nc, OsStr::new("-ci"), name]).ok();
    }
    let before: Vec<String> = named.iter().map(|name| oid(&project.directory.join(name))).collect();
    ct(&[ci, nc, dot]).ok();
    ct(&[co, nc, dot]).ok();
    ct(&[&[rmname][..], &named].concat()).ok();
    ct(&[ci, nc, dot]).ok();
    ct(&[co, nc, dot]).ok();
    // The shell takes the command as it is printed, whatever bytes are in it.
    let line = "cleartool mkelem -nc \"$NAME\" 2>&1 | sed -n 's/.* use: //p' > ~/command; . ~/command";
    for (name, before) in named.iter().zip(before) {
        let mut command = project.world.command("/bin/sh", &project.directory);
        let output = command.args(["-c", line]).env("NAME", name).output().expect("a shell can be run");
        assert!(output.status.success(), "{name:?}: {output:?}");
        assert_eq!(oid(&project.directory.join(name)), before, "{name:?}");
    }
}

#[test]
fn a_vob_may_be_set_to_allow_twins() {
    Project::small().check(
        r#"
$ cleartool co -nc .; cleartool rmname foo.c; cleartool ci -nc .; cleartool co -nc .; echo twin > foo.c
Checked out "." from version "/main/1".
Removed "foo.c".
Checked in "." version "/main/2".
Checked out "." from version "/main/2".
$ cleartool chvob -nevil_twin_detection /vobs/x; cleartool mkelem -nc -ci foo.c; cleartool ci -nc .
Evil twin detection disabled for VOB "/vobs/x".
Created element "foo.c" (type "text_file").
Checked out "foo.c" from version "/main/0".
Checked in "foo.c" version "/main/1".
Checked in "." version "/main/3".
$ cleartool find . -all -name foo.c -print; cat ./.@@/main/1/foo.c@@/main/2
./.@@/main/1/foo.c@@
./foo.c@@
one
two
$ cleartool chvob -evil_twin_detection /vobs/x; cleartool co -nc .; cleartool ln .@@/main/1/foo.c foo.c; cleartool mv foo.c bar.c; cleartool ln .@@/main/1/foo.c foo.c
Evil twin detection enabled for VOB "/vobs/x".
Checked out "." from version "/main/3".
cleartool: Error: Entry named "foo.c" already exists.
cleartool: Error: Unable to create link "foo.c".
Moved "foo.c" to "bar.c".
cleartool: Error: Entry named "foo.c" was another element, which is "bar.c" now.
cleartool: Error: To give it that name back, use: cleartool mv bar.c foo.c
cleartool: Error: Unable to create link "foo.c".
[exit 1]
"#,
    );
}
