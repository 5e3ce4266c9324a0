//! What a view has of its own while its directory elements, checkouts, VOBs and views come and go.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::config_specs::open_project;
use crate::project::Project;
use crate::world::refused_with;

#[test]
fn data_of_a_checked_out_file_moves_away_goes_and_comes_back() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc foo.c; echo three >> foo.c; mv foo.c moved; ls; cleartool ls foo.c moved; tail -1 moved
Checked out "foo.c" from version "/main/2".
lost+found
moved
src
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but removed]
moved
three
$ cat foo.c
cat: foo.c: No such file or directory
[exit 1]
$ echo again > foo.c; cleartool ls foo.c; rm foo.c; cleartool ls foo.c
foo.c@@/main/CHECKEDOUT from /main/2                     Rule: CHECKEDOUT
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but removed]
$ mkdir foo.c; cleartool ls; rmdir foo.c; ln -s moved foo.c; cleartool ls foo.c; rm foo.c
foo.c
foo.c@@ [eclipsed]
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but eclipsed]
lost+found@@/main/0                                      Rule: /main/LATEST
moved
src@@/main/1                                             Rule: /main/LATEST
foo.c --> moved
foo.c@@ [eclipsed]
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but eclipsed]
$ echo new > .foo.c.swp; mv .foo.c.swp foo.c; ln -s nowhere link; mv link foo.c; readlink foo.c; cleartool ls foo.c; rm foo.c
nowhere
foo.c --> nowhere
foo.c@@ [eclipsed]
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but eclipsed]
$ mv moved foo.c; cleartool ls foo.c; cleartool ci -nc foo.c; tail -1 foo.c; ls -A
foo.c@@/main/CHECKEDOUT from /main/2                     Rule: CHECKEDOUT
Checked in "foo.c" version "/main/3".
three
foo.c
lost+found
src
"#,
    );
}

#[test]
fn private_objects_move_between_directories_of_one_vob_only() {
    let project = Project::small();
    project.world.make_vob("/vobs/y");
    let (x, y) = (&project.directory, project.world.in_view("v", "/vobs/y"));
    project.sh("mkdir a && mkdir a/b && echo text > a/b/file && mv a src/a && mv src/a/b lost+found/b");
    assert_eq!(
        project.sh("cat lost+found/b/file; ls src/a; mv lost+found/b src/a/c; find src/a"),
        "text\nsrc/a\nsrc/a/c\nsrc/a/c/file\n"
    );
    fs::write(x.join("file"), "text").expect("made");
    refused_with(libc::EXDEV, fs::rename(x.join("file"), y.join("file")));
    refused_with(libc::EXDEV, fs::rename(x.join("src/a"), y.join("a")));
    refused_with(libc::EXDEV, fs::hard_link(x.join("file"), y.join("file")));
    refused_with(libc::EXDEV, fs::rename(x.join("src/a/c/file"), y.join("file")));
    fs::create_dir(y.join("dir")).expect("made");
    refused_with(libc::EXDEV, fs::rename(x.join("file"), y.join("dir/file")));
    refused_with(libc::EINVAL, fs::rename(x.join("src/a"), x.join("src/a/c/a")));
    project.sh("mv file ../y/file && cat ../y/file");
}

#[test]
fn private_objects_need_the_right_to_write_the_view_and_the_directory() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let other = "setpriv --reuid 1 --regid 1 --clear-groups";
    let member = "setpriv --reuid 1 --regid 1 --groups 0";
    let lines = r#"
$ umask 0; cleartool mkview -tag open | tail -4; umask 002; cleartool mkview -tag group | tail -1
It has the following rights:
User : root     : rwx
Group: root     : rwx
Other:          : rwx
Other:          : r-x
$ cd view/v/vobs/x; umask 0; cleartool co -nc . > /dev/null; cleartool mkdir -nc free > /dev/null; cleartool ci -nc -identical free . > /dev/null
$ cd view/open/vobs/x; OTHER touch src/no; OTHER sh -c 'echo x > free/f && mkdir free/d && mv free/f free/d && ls free'
touch: cannot touch 'src/no': Permission denied
d
$ cd view/v/vobs/x; OTHER touch free/no; OTHER mkdir free/no; OTHER ln -s x free/no; ls free
touch: cannot touch 'free/no': Permission denied
mkdir: cannot create directory 'free/no': Permission denied
ln: failed to create symbolic link 'free/no': Permission denied
$ cd view/group/vobs/x; OTHER touch free/no; MEMBER touch free/yes; OTHER rm free/yes; MEMBER mv free/yes free/also; ls free
touch: cannot touch 'free/no': Permission denied
rm: cannot remove 'free/yes': Permission denied
also
"#;
    let lines = lines.replace("OTHER", other).replace("MEMBER", member);
    crate::config_specs::check_outside(&project, &lines);
    let mode = fs::metadata(project.world.viewroot().join("group")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o555);
}

/// A private file of a directory element that a config spec hides.
fn stranded() -> Project {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . src && cleartool mkdir -nc src/sub && cleartool ci -nc -identical src/sub src . && \
         echo mine > src/sub/mine && mkdir src/sub/dir && echo more > src/sub/dir/more && echo top > top",
    );
    project.world.set_spec("v", "element src /main/1\nelement * CHECKEDOUT\nelement * /main/LATEST\n");
    project
}

#[test]
fn stranded_files_are_listed_and_moved_to_lost_and_found() {
    let project = stranded();
    project.check(
        r#"
$ ls src; cleartool lsprivate; cleartool lsprivate src
bar.c
/vobs/x/top
/vobs/x/src@@/main/2/sub/dir
/vobs/x/src@@/main/2/sub/dir/more
/vobs/x/src@@/main/2/sub/mine
/vobs/x/src@@/main/2/sub/dir
/vobs/x/src@@/main/2/sub/dir/more
/vobs/x/src@@/main/2/sub/mine
$ cleartool recoverview -vob /vobs/x -tag v | sed 's/[0-9a-f]*[.]0000/ID/'
Moved directory WORLD/home/views/v.vws/lost+found/ID.dir
Moved file WORLD/home/views/v.vws/lost+found/ID.mine
$ cleartool lsprivate; cat $CLERESTORY_HOME/views/v.vws/lost+found/*.mine
/vobs/x/top
mine
$ cleartool recoverview -vob /vobs/x -tag v; cleartool recoverview -tag v
Recovery succeeded.
$ cleartool recoverview -dir nonsense -tag v
cleartool: Error: "nonsense" is no identifier of a directory.
[exit 1]
$ cleartool recoverview -tag nobody
cleartool: Error: No matching entries found for view tag "nobody".
[exit 1]
"#,
    );
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n");
    assert_eq!(project.sh("ls src/sub; echo anew > src/sub/mine; cat src/sub/mine"), "anew\n");
}

#[test]
fn files_of_a_covered_directory_are_stranded_until_it_shows_again() {
    let project = Project::small();
    project.sh("echo mine > src/mine");
    project.world.set_spec("v", "element src -none\nelement * CHECKEDOUT\nelement * /main/LATEST\n");
    project.sh("echo other > src");
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n");
    project.check(
        r#"
$ cat src; cleartool lsprivate
other
/vobs/x/src
/vobs/x/.@@/main/1/src/mine
$ rm src; cat src/mine; cleartool lsprivate
mine
/vobs/x/src/mine
"#,
    );
}

#[test]
fn files_of_a_vob_that_is_gone_can_be_recovered() {
    let project = stranded();
    let transcript = r#"
$ cleartool umount /vobs/x; cleartool lsprivate -tag v | sed 's/DIR-[0-9a-f]*/DIR/' | sort
Unmounting MVFS filesystem /vobs/x.
#<Unavailable-VOB-1>/<DIR>/dir
#<Unavailable-VOB-1>/<DIR>/dir/more
#<Unavailable-VOB-1>/<DIR>/mine
#<Unavailable-VOB-1>/<DIR>/top
$ cleartool recoverview -vob Unavailable-VOB-1 -tag v
cleartool: Error: /vobs/x is not mounted.
[exit 1]
$ cleartool rmvob -force /vobs/x > /dev/null; cleartool recoverview -vob Unavailable-VOB-1 -tag v | sed 's/[0-9a-f]*[.]0000/ID/' | sort
Moved directory WORLD/home/views/v.vws/lost+found/ID.dir
Moved file WORLD/home/views/v.vws/lost+found/ID.mine
Moved file WORLD/home/views/v.vws/lost+found/ID.top
$ cleartool lsprivate -tag v
"#;
    crate::config_specs::check_outside(&project, transcript);
}

#[test]
fn checked_out_data_and_checkouts_are_reconciled() {
    let project = Project::small();
    let storage = project.world.home().join("views/v.vws");
    project.sh("cleartool co -nc foo.c src/bar.c && echo changed >> foo.c && rm src/bar.c");
    // As a restored backup leaves it: data of a file that is not checked out any more.
    let data = fs::read_dir(storage.join("checkout")).expect("listed").flatten().next().expect("one").path();
    let saved = project.world.root().join("saved");
    fs::copy(&data, &saved).expect("copied");
    project.sh("cleartool unco -rm foo.c");
    fs::copy(&saved, &data).expect("copied");
    project.check(
        r#"
$ cleartool lsprivate; cat foo.c
#</vobs/x>/<FILE-OID>
one
two
$ echo no | cleartool recoverview -synchronize -tag v
Checked-out data without a checkout: "/vobs/x/foo.c"
Checkout without data: "/vobs/x/src/bar.c"
Move checked-out data without a checkout to lost+found?  [no] 
[exit 1]
$ cleartool recoverview -force -synchronize -tag v | sed 's/[0-9a-f]*[.]0000/ID/'
Moved file WORLD/home/views/v.vws/lost+found/ID.foo.c
Checkout without data: "/vobs/x/src/bar.c"
$ cleartool recoverview -synchronize -tag v; cleartool lsprivate; cat foo.c
Checkout without data: "/vobs/x/src/bar.c"
one
two
"#,
    );
    let kept =
        fs::read_dir(storage.join("lost+found")).expect("listed").flatten().next().expect("one").path();
    assert_eq!(fs::read_to_string(kept).expect("read"), "one\ntwo\nchanged\n");
}

#[test]
fn checkouts_of_a_view_that_is_lost_are_removed_by_its_uuid() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let world = &project.world;
    world.make_view("lost");
    let there = world.in_view("lost", "/vobs/x");
    world.sh(&there, "cleartool co -nc foo.c src").ok();
    let uuid = world.ct(&["lsview", "-long", "lost"]).ok();
    let uuid =
        uuid.lines().find_map(|line| line.trim().strip_prefix("View uuid: ")).expect("told").to_owned();
    // The registry and the storage are lost, as with a disk.
    world.clerestory(&["shutdown"]).ok();
    let registry = world.home().join("registry");
    let text = fs::read_to_string(&registry).expect("read");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("lost")).collect();
    assert_ne!(kept.len(), text.lines().count(), "{text}");
    fs::write(&registry, kept.join("\n") + "\n").expect("written");
    fs::remove_dir_all(world.home().join("views/lost.vws")).expect("removed");
    world.ct(&["lsvob"]).ok();
    let transcript = r#"
$ cd view/v/vobs/x; cleartool co -nc foo.c 2>&1 | sed 's/ (".*")//'
cleartool: Error: Branch "/main" of element is checked out reserved by view lost.
cleartool: Error: Unable to check out "foo.c".
$ OTHER cleartool rmview -force -uuid UUID
cleartool: Error: No permission to perform operation "remove view".
cleartool: Error: Must be one of: VOB owner, root
[exit 1]
$ cleartool rmview -force -uuid 00000000000000000000000000000000
cleartool: Error: No matching entries found for view tag "OID".
[exit 1]
$ cleartool rmview -force -uuid UUID
Removing references from VOB "/vobs/x" ...
Removed references to view "OID" from VOB "/vobs/x".
$ cleartool rmview -force -uuid UUID
cleartool: Error: No matching entries found for view tag "OID".
[exit 1]
$ cd view/v/vobs/x; cleartool co -nc foo.c src
Checked out "foo.c" from version "/main/2".
Checked out "src" from version "/main/1".
"#;
    let other = "setpriv --reuid 1 --regid 1 --clear-groups";
    crate::config_specs::check_outside(&project, &transcript.replace("UUID", &uuid).replace("OTHER", other));
}

#[test]
fn a_view_whose_storage_is_lost_can_be_removed_by_its_tag() {
    let project = Project::small();
    let world = &project.world;
    world.make_view("lost");
    world.sh(&world.in_view("lost", "/vobs/x"), "cleartool co -nc foo.c").ok();
    fs::remove_dir_all(world.home().join("views/lost.vws")).expect("removed");
    crate::config_specs::check_outside(
        &project,
        r#"
$ cleartool rmview -force -tag lost
Removing references from VOB "/vobs/x" ...
Removed references to view "WORLD/home/views/lost.vws" from VOB "/vobs/x".
$ cleartool lsview -short
v
$ cd view/v/vobs/x; cleartool co -nc foo.c
Checked out "foo.c" from version "/main/2".
"#,
    );
}

#[test]
fn checking_out_needs_the_right_to_write_the_view() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let member = "setpriv --reuid 1 --regid 1 --groups 0";
    let transcript = r#"
$ umask 002; cleartool mkview -tag group > /dev/null
$ cd view/v/vobs/x; setpriv --reuid 1 --regid 1 --groups 0 cleartool co -nc foo.c
cleartool: Error: No permission to perform operation "checkout".
cleartool: Error: Must be one of: view owner, root
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cd view/group/vobs/x; setpriv --reuid 1 --regid 1 --groups 0 cleartool co -nc foo.c; setpriv --reuid 1 --regid 1 --groups 0 cleartool lsprivate -co; setpriv --reuid 1 --regid 1 --groups 0 cleartool unco -rm foo.c
Checked out "foo.c" from version "/main/2".
/vobs/x/foo.c [checkedout]
Checkout cancelled for "foo.c".
"#;
    crate::config_specs::check_outside(&project, &transcript.replace("MEMBER", member));
}

#[test]
fn what_is_recovered_belongs_to_who_owns_the_view() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let transcript = r#"
$ OTHER cleartool mkview -tag theirs > /dev/null; mkdir view/theirs/vobs/x/src/dir; chmod 777 view/theirs/vobs/x/src/dir
$ cd view/theirs/vobs/x/src/dir; OTHER sh -c 'echo text > file'
$ echo 'element src -none' > spec; echo 'element * /main/LATEST' >> spec; cleartool setcs -tag theirs spec
$ OTHER cleartool recoverview -vob vob:/vobs/x -tag v
cleartool: Error: No permission to perform operation "recover view".
cleartool: Error: Must be one of: view owner, root
[exit 1]
$ OTHER cleartool recoverview -vob vob:/vobs/x -tag theirs | sed 's/[0-9a-f]*[.]0000/ID/'
Moved directory WORLD/home/views/theirs.vws/lost+found/ID.dir
$ OTHER sh -c 'cd $CLERESTORY_HOME/views/theirs.vws/lost+found; cat */file; mv */file kept; ls kept'
text
kept
"#;
    let other = "setpriv --reuid 1 --regid 1 --clear-groups";
    crate::config_specs::check_outside(&project, &transcript.replace("OTHER", other));
}
