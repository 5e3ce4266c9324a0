//! mkelem and mkdir: every option, every refusal, and what becomes of view-private files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::world::{signal, wait_until};

#[test]
fn private_files_become_elements() {
    let project = Project::empty();
    project.sh("cleartool co -nc .; umask 022; echo one > f; chmod 750 f; echo two > g; chmod 600 g");
    project.check(
        r#"
$ cleartool mkelem -c new f
Created element "f" (type "text_file").
Checked out "f" from version "/main/0".
$ stat -c %a f; cat f; cleartool ci -nc f | tail -1; stat -c %a f
750
one
Checked in "f" version "/main/1".
550
$ cleartool describe f | grep -A3 new
  "new"
  Element Protection:
    User : root     : r-x
    Group: root     : r-x
$ cleartool mkelem -nc -ci g; stat -c %a g; cleartool lsvtree g
Created element "g" (type "text_file").
Checked out "g" from version "/main/0".
Checked in "g" version "/main/1".
400
g@@/main
g@@/main/1
$ cleartool mkelem -nc h; ls -s h; cleartool ls h
Created element "h" (type "text_file").
Checked out "h" from version "/main/0".
0 h
h@@/main/CHECKEDOUT from /main/0                         Rule: CHECKEDOUT
$ echo three > h; cleartool ci -nc h
Checked in "h" version "/main/1".
"#,
    );
}

#[test]
fn a_file_that_would_hide_its_new_element_is_moved_aside() {
    let project = Project::empty();
    project.sh("cleartool co -nc .; mkdir d; echo p > d/p; echo x > x; echo taken > x.keep; echo y > y");
    project.check(
        r#"
$ cleartool mkelem -nc -nco x y
Created element "x" (type "text_file").
cleartool: Warning: Existing view private object saved as "x.keep.1".
Created element "y" (type "text_file").
cleartool: Warning: Existing view private object saved as "y.keep".
$ cat x x.keep.1 y.keep; cleartool ls
x
y
d
lost+found@@/main/0                                      Rule: /main/LATEST
x@@/main/0                                               Rule: /main/LATEST
x.keep
x.keep.1
y@@/main/0                                               Rule: /main/LATEST
y.keep
$ cleartool mkelem -nc -nco -nwarn none; cleartool mkdir -nc -nco e; cleartool ls -short none e
Created element "none" (type "text_file").
Created directory element "e".
none@@/main/0
$ cleartool mkelem -nc -mkpath -nco d/p
Created directory element "d".
Checked out "d" from version "/main/0".
Created element "d/p" (type "text_file").
cleartool: Warning: Existing view private object saved as "d/p.keep".
"#,
    );
}

#[test]
fn what_the_view_does_not_select_is_made_and_told() {
    let project = Project::empty();
    project.sh("cleartool co -nc .");
    project.world.set_spec(
        "v",
        "element -directory * CHECKEDOUT\nelement -directory * /main/LATEST\nelement * /main/0\n",
    );
    project.check(
        r#"
$ echo a > a; cleartool mkelem -nc a
Created element "a" (type "text_file").
cleartool: Warning: Existing view private object saved as "a.mkelem".
cleartool: Warning: Checked-out version is not selected by view.
Checked out "a" from version "/main/0".
$ cat a a.mkelem; cleartool ls a; cleartool mkelem -nc -nwarn b; echo c > c; cleartool mkelem -nc -ci c; cat c
a
a@@/main/0                                               Rule: /main/0
a@@/main/CHECKEDOUT from /main/0 [checkedout but eclipsed]
Created element "b" (type "text_file").
Checked out "b" from version "/main/0".
Created element "c" (type "text_file").
cleartool: Warning: Version checked in is not selected by view.
Checked out "c" from version "/main/0".
Checked in "c" version "/main/1".
"#,
    );
    project.world.set_spec("v", "element -directory * CHECKEDOUT\nelement -directory * /main/LATEST\n");
    project.check(
        r#"
$ cleartool mkelem -nc d; cleartool ls d
Created element "d" (type "text_file").
cleartool: Warning: Checked-out version is not selected by view.
Checked out "d" from version "/main/0".
d@@ [no version selected]
d@@/main/CHECKEDOUT from /main/0 [checkedout but eclipsed]
"#,
    );
}

#[test]
fn what_cannot_be_made_is_refused() {
    let project = Project::small();
    project
        .sh("cleartool co -nc .; mkdir dir; echo p > dir/p; ln -s foo.c soft; mkfifo pipe; echo p > private");
    let longest = "n".repeat(256);
    let transcript = r#"
$ cleartool mkelem -nc foo.c . dir dir/p soft pipe none/x foo.c/x private/x src/new a@@b LONGEST
cleartool: Error: Entry named "foo.c" already exists.
cleartool: Error: Unable to create element "foo.c".
cleartool: Error: Entry named "." already exists.
cleartool: Error: Unable to create element ".".
cleartool: Error: A view private directory named "dir" already exists.
cleartool: Error: Unable to create element "dir".
cleartool: Error: Not a vob object: "dir/p".
cleartool: Error: Unable to create element "dir/p".
cleartool: Error: Can't pick element type from rules in magic files.
cleartool: Error: Unable to create element "soft".
cleartool: Error: Can't pick element type from rules in magic files.
cleartool: Error: Unable to create element "pipe".
cleartool: Error: Unable to access "none/x": No such file or directory.
cleartool: Error: Unable to create element "none/x".
cleartool: Error: Unable to access "foo.c/x": Not a directory.
cleartool: Error: Unable to create element "foo.c/x".
cleartool: Error: Not a vob object: "private/x".
cleartool: Error: Unable to create element "private/x".
cleartool: Error: Can't modify directory "src" because it is not checked out.
cleartool: Error: Unable to create element "src/new".
cleartool: Error: Invalid name: "a@@b".
cleartool: Error: Unable to create element "a@@b".
cleartool: Error: Unable to access "LONGEST": File name too long.
cleartool: Error: Unable to create element "LONGEST".
[exit 1]
$ cleartool mkelem -nc -eltype file soft pipe; cleartool mkelem -nc -eltype none x
cleartool: Error: Only ordinary files can become file elements.
cleartool: Error: Unable to create element "soft".
cleartool: Error: Only ordinary files can become file elements.
cleartool: Error: Unable to create element "pipe".
cleartool: Error: Element type not found: "none".
cleartool: Error: Unable to create element "x".
[exit 1]
$ cleartool mkdir -nc dir private src none/d foo.c/d
cleartool: Error: A view private directory named "dir" already exists.
cleartool: Error: Unable to create directory element "dir".
cleartool: Error: Entry named "private" already exists.
cleartool: Error: Unable to create directory element "private".
cleartool: Error: Entry named "src" already exists.
cleartool: Error: Unable to create directory element "src".
cleartool: Error: Unable to access "none/d": No such file or directory.
cleartool: Error: Unable to create directory element "none/d".
cleartool: Error: Unable to access "foo.c/d": Not a directory.
cleartool: Error: Unable to create directory element "foo.c/d".
[exit 1]
$ cleartool mkelem -nc -ci -eltype directory d; cleartool mkelem -nc -ci none
cleartool: Error: "d" is a directory element: it takes no data.
cleartool: Error: Unable to create element "d".
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to create element "none".
[exit 1]
$ cleartool mkelem -nco -ci x 2>&1 | head -1; cleartool mkelem 2>&1 | head -1; cleartool mkdir 2>&1 | head -1
cleartool: Error: Options -nco and -ci are mutually exclusive
cleartool: Error: Element pathname required
cleartool: Error: Directory pathname required
$ cleartool mkelem -nc foo.c new private/x other; cleartool ls -short new other
cleartool: Error: Entry named "foo.c" already exists.
cleartool: Error: Unable to create element "foo.c".
Created element "new" (type "text_file").
Checked out "new" from version "/main/0".
cleartool: Error: Not a vob object: "private/x".
cleartool: Error: Unable to create element "private/x".
Created element "other" (type "text_file").
Checked out "other" from version "/main/0".
new@@/main/CHECKEDOUT
other@@/main/CHECKEDOUT
"#;
    project.check(&transcript.replace("LONGEST", &longest));
}

#[test]
fn private_directories_on_the_way_become_elements() {
    let project = Project::empty();
    project.sh(
        "cleartool co -nc .; mkdir -p a/b/c z; for f in a/1 a/b/2 a/b/c/3 a/b/stays z/9; do echo $f > $f; done; ln -s b a/l",
    );
    // A file that a process has open stays the same file.
    let mut open = fs::OpenOptions::new().append(true).open(project.directory.join("a/b/2")).expect("a file");
    project.check(
        r#"
$ cleartool mkelem -nc -mkpath a/b/c/3 ./a/b/2 a/1 a/b z/9/x
Created directory element "a".
Checked out "a" from version "/main/0".
Created directory element "a/b".
Checked out "a/b" from version "/main/0".
Created directory element "a/b/c".
Checked out "a/b/c" from version "/main/0".
Created element "a/b/c/3" (type "text_file").
Checked out "a/b/c/3" from version "/main/0".
Created element "./a/b/2" (type "text_file").
Checked out "./a/b/2" from version "/main/0".
Created element "a/1" (type "text_file").
Checked out "a/1" from version "/main/0".
cleartool: Error: Entry named "a/b" already exists.
cleartool: Error: Unable to create element "a/b".
Created directory element "z".
Checked out "z" from version "/main/0".
cleartool: Error: Unable to access "z/9/x": Not a directory.
cleartool: Error: Unable to create element "z/9/x".
[exit 1]
$ cat a/1 a/b/2 a/b/c/3 a/b/stays z/9; cleartool ls -short a a/b
a/1
a/b/2
a/b/c/3
a/b/stays
z/9
a/1@@/main/CHECKEDOUT
a/b@@/main/CHECKEDOUT
a/l
a/b/2@@/main/CHECKEDOUT
a/b/c@@/main/CHECKEDOUT
a/b/stays
$ cleartool ci -nc a/1 a/b/c/3 a/b/c a/b a . | wc -l; cleartool describe a/b | grep Added
6
  "Added directory element "c".
   Added file element "2"."
$ cleartool co -nc . > ~/out; cleartool mkelem -nc -mkpath y
Created element "y" (type "text_file").
Checked out "y" from version "/main/0".
"#,
    );
    use std::io::Write;
    open.write_all(b"more\n").expect("the open file can still be written");
    assert_eq!(fs::read_to_string(project.directory.join("a/b/2")).expect("a file"), "a/b/2\nmore\n");
}

#[test]
fn rules_make_branches_for_new_elements() {
    let project = Project::empty();
    project.sh("cleartool mkbrtype -nc port; cleartool co -nc .");
    project.world.set_spec(
        "v",
        "element * CHECKEDOUT\nelement * .../port/LATEST\nelement -directory * /main/LATEST\nelement * /main/0 -mkbranch port\n",
    );
    project.check(
        r#"
$ echo h > base.h; cleartool mkelem -nc base.h; echo c > c.c; cleartool mkelem -nc -ci c.c
Created element "base.h" (type "text_file").
Created branch "port" from "base.h" version "/main/0".
Checked out "base.h" from version "/main/port/0".
Created element "c.c" (type "text_file").
Created branch "port" from "c.c" version "/main/0".
Checked out "c.c" from version "/main/port/0".
Checked in "c.c" version "/main/port/1".
$ cleartool mkelem -nc -nco n; cleartool lsvtree n
Created element "n" (type "text_file").
n@@/main
n@@/main/0
"#,
    );
}

#[test]
fn the_directory_remembers_every_name() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -c why .; cleartool mkelem -nc a b | wc -l; cleartool mkdir -c dir d | wc -l; cleartool mkelem -nco -nc e
Checked out "." from version "/main/1".
4
2
Created element "e" (type "text_file").
$ cleartool lsco -d . | sed 1d; cleartool describe d | grep dir
  "why
   Added file element "a".
   Added file element "b".
   Added directory element "d".
   Added file element "e"."
directory version "d@@/main/CHECKEDOUT" from /main/0 (reserved)
  "dir"
  element type: directory
$ printf 'for a\n.\nfor b\n.\n' | cleartool mkelem x y; printf 'all\n.\n' | cleartool mkelem -cq z
Creation comments for "x":
Creation comments for "y":
Created element "x" (type "text_file").
Checked out "x" from version "/main/0".
Created element "y" (type "text_file").
Checked out "y" from version "/main/0".
Comments for all listed objects:
Created element "z" (type "text_file").
Checked out "z" from version "/main/0".
$ cleartool lshistory y z | sed -n 's/^[^ ]* *root *//p;/^  /p' | grep -v 'create\|checkout'
  "all"
  "all"
  "for b"
  "for b"
"#,
    );
}

#[test]
fn elements_belong_to_groups_of_their_vob() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = Project::empty();
    project.world.sh(project.world.root(), "chmod 755 . && chmod -R go+rwX home view 2>/dev/null; true").ok();
    project.sh("cleartool co -nc .");
    let transcript = r#"
$ setpriv --regid 7 --clear-groups cleartool mkelem -nc a
cleartool: Error: Can't create object with group (lp) that is not in the VOB's group list.
cleartool: Error: Unable to create element "a".
[exit 1]
$ setpriv --regid 7 --groups 7,0 cleartool mkdir -nc a
cleartool: Error: Can't create object with group (lp) that is not in the VOB's group list.
cleartool: Error: Unable to create directory element "a".
[exit 1]
$ CLEARCASE_MKELEM_USE_GRPLIST=true setpriv --regid 7 --groups 7,0 cleartool mkelem -nc a; stat -c %g a@@/main/0
Created element "a" (type "text_file").
Checked out "a" from version "/main/0".
0
$ CLEARCASE_MKELEM_USE_GRPLIST=true setpriv --regid 7 --groups 7 cleartool mkelem -nc b
cleartool: Error: Can't create object with group (lp) that is not in the VOB's group list.
cleartool: Error: Unable to create element "b".
[exit 1]
"#;
    project.check(transcript);
}

/// Files enough that a kill comes in the middle.
const MANY: usize = 300;

#[test]
fn a_daemon_that_is_killed_loses_no_private_file() {
    let project = Project::empty();
    project.sh(&format!("cleartool co -nc .; for n in $(seq {MANY}); do echo $n > f$n; done"));
    let data = project.world.home().join("views/v.vws/checkout");
    let private = project.world.home().join("views/v.vws/private");
    let files = |dir: &Path| fs::read_dir(dir).map_or(0, |entries| entries.flatten().count());
    let home: PathBuf =
        fs::read_dir(&private).expect("private files").flatten().next().expect("a home").path();
    // Killed while the files get their new places, and while they lose their old ones.
    let moments: [&dyn Fn() -> bool; 2] = [&|| files(&data) > 20, &|| files(&home) < MANY - 20];
    for moment in moments {
        let daemon = project.world.daemon().expect("a daemon");
        let mut command = project.world.command("/bin/sh", &project.directory);
        let mut child = command
            .args(["-c", "cleartool mkelem -nc f* > /dev/null 2>&1; true"])
            .spawn()
            .expect("the command starts");
        wait_until("the command is on its way", moment);
        signal(daemon, libc::SIGKILL);
        child.wait().expect("the command ends");
        project.world.wait_for_end();
        project.world.ct(&["lsvob"]).ok();
        for file in 1..=MANY {
            let found = fs::read_to_string(project.directory.join(format!("f{file}"))).expect("the file");
            assert_eq!(found, format!("{file}\n"));
        }
        // What a private file hides is shown when that goes.
        project.sh("for f in $(cleartool ls -short | sed -n 's/@@ .eclipsed.*//p'); do rm $f && cat $f > /dev/null; done");
        for file in 1..=MANY {
            let found = fs::read_to_string(project.directory.join(format!("f{file}"))).expect("the file");
            assert_eq!(found, format!("{file}\n"));
        }
        let made = project.sh("cleartool ls -short f* | grep -c CHECKEDOUT; true");
        assert!(["0\n".to_owned(), format!("{MANY}\n")].contains(&made), "{made}");
        if made != "0\n" {
            return;
        }
        project.sh("cleartool recoverview -force -sync -tag v");
    }
}
