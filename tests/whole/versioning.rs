//! Checkout, checkin, uncheckout, mkelem and mkdir: sessions with the product's messages and exit codes.

use std::fs;

use crate::project::Project;

#[test]
fn a_new_element_needs_its_directory_checked_out() {
    Project::empty().check(
        r#"
$ echo hello > hello.c
$ cleartool ls hello.c
hello.c
$ cleartool mkelem -nc hello.c
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to create element "hello.c".
[exit 1]
$ cleartool mkdir -nc sub
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to create directory element "sub".
[exit 1]
$ cleartool checkout -nc .
Checked out "." from version "/main/0".
$ cleartool mkelem -nc hello.c
Created element "hello.c" (type "text_file").
Checked out "hello.c" from version "/main/0".
$ cleartool mkelem -nc hello.c
cleartool: Error: Entry named "hello.c" already exists.
cleartool: Error: Unable to create element "hello.c".
[exit 1]
$ cleartool mkdir -nc sub
Created directory element "sub".
Checked out "sub" from version "/main/0".
$ cleartool ls
hello.c@@/main/CHECKEDOUT from /main/0                   Rule: CHECKEDOUT
lost+found@@/main/0                                      Rule: /main/LATEST
sub@@/main/CHECKEDOUT from /main/0                       Rule: CHECKEDOUT
$ cleartool checkin -nc -nonatomic hello.c sub
Checked in "hello.c" version "/main/1".
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "sub".
[exit 1]
$ cleartool uncheckout sub
Checkout cancelled for "sub".
$ cleartool checkin -nc .
Checked in "." version "/main/1".
$ cat hello.c
hello
$ cleartool ls
hello.c@@/main/1                                         Rule: /main/LATEST
lost+found@@/main/0                                      Rule: /main/LATEST
sub@@/main/0                                             Rule: /main/LATEST
$ cleartool mkelem -nc -ci none.c
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Unable to create element "none.c".
[exit 1]
"#,
    );
}

#[test]
fn a_file_goes_from_version_to_version() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool ci -nc foo.c
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool unco -rm foo.c
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool co -nc foo.c
Checked out "foo.c" from version "/main/2".
$ cleartool co -nc foo.c
cleartool: Error: Element "foo.c" is already checked out to view "v".
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cleartool ci -nc foo.c
cleartool: Error: By default, won't create version with data identical to predecessor.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool ci -nc -identical foo.c
Checked in "foo.c" version "/main/3".
$ cleartool co -nc foo.c; echo three >> foo.c; cleartool ci -nc -keep foo.c
Checked out "foo.c" from version "/main/3".
Private version of "foo.c" saved in "foo.c.keep".
Checked in "foo.c" version "/main/4".
$ cleartool ls
foo.c@@/main/4                                           Rule: /main/LATEST
foo.c.keep
lost+found@@/main/0                                      Rule: /main/LATEST
src@@/main/1                                             Rule: /main/LATEST
$ diff foo.c foo.c.keep && diff foo.c@@/main/2 foo.c
2a3
> three
[exit 1]
$ cleartool co -nc src/bar.c nothing.c foo.c.keep foo.c
Checked out "src/bar.c" from version "/main/1".
cleartool: Error: Unable to access "nothing.c": No such file or directory.
cleartool: Error: Unable to check out "nothing.c".
cleartool: Error: Not a vob object: "foo.c.keep".
cleartool: Error: Unable to check out "foo.c.keep".
Checked out "foo.c" from version "/main/4".
[exit 1]
$ rm foo.c; cleartool ls foo.c
foo.c@@/main/CHECKEDOUT from /main/4 [checkedout but removed]
$ cleartool ci -nc foo.c
cleartool: Error: Unable to access "foo.c": No such file or directory.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool unco -rm foo.c src/bar.c
Checkout cancelled for "foo.c".
Checkout cancelled for "src/bar.c".
$ cleartool lsvtree -all foo.c
foo.c@@/main
foo.c@@/main/0
foo.c@@/main/1
foo.c@@/main/2
foo.c@@/main/3
foo.c@@/main/4
"#,
    );
}

#[test]
fn uncheckout_asks_what_to_do_with_the_data() {
    Project::small().check(
        r#"
$ cleartool co -nc foo.c; echo mine > foo.c; echo | cleartool unco foo.c
Checked out "foo.c" from version "/main/2".
Save private copy of "foo.c"?  [yes] Private version of "foo.c" saved in "foo.c.keep".
Checkout cancelled for "foo.c".
$ cleartool co -nc foo.c; echo again > foo.c; cleartool unco -keep foo.c
Checked out "foo.c" from version "/main/2".
Private version of "foo.c" saved in "foo.c.keep.1".
Checkout cancelled for "foo.c".
$ cleartool co -nc foo.c; echo no | cleartool unco foo.c
Checked out "foo.c" from version "/main/2".
Save private copy of "foo.c"?  [yes] Checkout cancelled for "foo.c".
$ cat foo.c foo.c.keep foo.c.keep.1; ls -a
one
two
mine
again
.
..
foo.c
foo.c.keep
foo.c.keep.1
lost+found
src
"#,
    );
}

#[test]
fn uncheckout_of_a_directory_moves_new_elements_to_lost_and_found() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool co -nc src; echo new > src/new.c; echo private > src/private
Checked out "src" from version "/main/1".
$ cleartool mkelem -nc -ci src/new.c
Created element "src/new.c" (type "text_file").
Checked out "src/new.c" from version "/main/0".
Checked in "src/new.c" version "/main/1".
$ cleartool unco src
cleartool: Warning: Object "new.c" no longer referenced.
cleartool: Warning: Moving object to vob lost+found directory as "new.c.OID".
Checkout cancelled for "src".
$ cleartool ls src
src/bar.c@@/main/1                                       Rule: /main/LATEST
src/private
$ cat lost+found/new.c.*
new
$ test -e src/new.c
[exit 1]
"#,
    );
}

#[test]
fn one_view_reserves_and_another_must_merge() {
    let project = Project::small();
    project.world.make_view("w");
    project.sh("ln -s $CLERESTORY_VIEWROOT/w/vobs/x $HOME/other");
    project.check(
        r#"
$ cleartool co -nc foo.c
Checked out "foo.c" from version "/main/2".
$ cd ~/other; cleartool co -nc foo.c
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cd ~/other; cleartool co -nc -unreserved foo.c; echo other >> foo.c; cleartool ci -nc foo.c
Checked out "foo.c" from version "/main/2".
cleartool: Error: Branch "/main" of element is checked out reserved by view v ("HOST:WORLD/home/views/v.vws").
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cleartool lsvtree foo.c
foo.c@@/main
foo.c@@/main/2
foo.c@@/main/CHECKEDOUT view "v"
foo.c@@/main/CHECKEDOUT view "w"
$ echo mine >> foo.c; cleartool ci -nc foo.c
Checked in "foo.c" version "/main/3".
$ cd ~/other; cleartool ci -nc foo.c
cleartool: Error: The most recent version on branch "/main" is not the predecessor of this version.
cleartool: Error: Unable to check in "foo.c".
[exit 1]
$ cd ~/other; cleartool unco -rm foo.c; tail -1 foo.c
Checkout cancelled for "foo.c".
mine
"#,
    );
}

#[test]
fn comments_come_from_options_files_and_questions() {
    let project = Project::small();
    fs::write(project.world.root().join("comment"), "from a file\nof two lines\n").expect("written");
    project.check(
        r#"
$ cleartool co -c "why I took it" foo.c; echo 3 >> foo.c; cleartool ci -nc foo.c
Checked out "foo.c" from version "/main/2".
Checked in "foo.c" version "/main/3".
$ cleartool describe foo.c | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
  "why I took it"
$ cleartool co -nc foo.c; echo 4 >> foo.c; cleartool ci -cfile ~/comment foo.c
Checked out "foo.c" from version "/main/3".
Checked in "foo.c" version "/main/4".
$ cleartool describe foo.c | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
  "from a file
   of two lines"
$ cleartool co -nc foo.c; echo 5 >> foo.c; printf 'asked\n.\n' | cleartool ci foo.c
Checked out "foo.c" from version "/main/4".
Checkin comments for "foo.c":
Checked in "foo.c" version "/main/5".
$ cleartool describe foo.c | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'
  "asked"
$ cleartool ci -c one -nc foo.c 2>&1 | head -1
cleartool: Error: Options -comment and -ncomment are mutually exclusive
$ cleartool co -cfile ~/nowhere foo.c
cleartool: Error: Unable to access "WORLD/nowhere": No such file or directory.
[exit 1]
$ cleartool lshistory foo.c | sed -n 's/^[^ ]* *root *//; /main.1/,/first/p'
create version "foo.c@@/main/1"
  "first"
"#,
    );
}

#[test]
fn names_of_any_bytes_can_be_elements() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let project = Project::small();
    project.sh("cleartool co -nc .");
    let longest = [b'n'; 255];
    let names: [&[u8]; 5] = [b"with blanks", b"new\nline", b"not utf-8 \xe9\xff", b"-dash", &longest];
    for name in names {
        let path = project.directory.join(OsStr::from_bytes(name));
        fs::write(&path, name).expect("a private file of that name can be made");
        let words = ["mkelem", "-nc", "-ci", "--"].map(OsStr::new);
        let words: Vec<&OsStr> = words.into_iter().chain([OsStr::from_bytes(name)]).collect();
        project.world.ct_in(&project.directory, &words).ok();
    }
    project.sh("cleartool ci -nc .");
    project.world.make_view("w");
    for name in names {
        let path = project.world.in_view("w", "/vobs/x").join(OsStr::from_bytes(name));
        assert_eq!(fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")), name);
    }
    let too_long = project.directory.join("n".repeat(256));
    crate::world::refused_with(libc::ENAMETOOLONG, fs::write(&too_long, ""));
    crate::world::refused_with(libc::ENAMETOOLONG, fs::metadata(&too_long));
}

#[test]
fn ls_tells_eclipsed_and_unselected_names() {
    let project = Project::small();
    project.sh("rm -f ~/none.cs; printf 'element foo.c -none\nelement * /main/LATEST\n' > ~/none.cs");
    project.check(
        r#"
$ cleartool setcs ~/none.cs
$ cleartool ls -directory foo.c .
foo.c@@ [no version selected]                            Rule: -none
.@@/main/1                                               Rule: /main/LATEST
$ test -e foo.c
[exit 1]
$ cat foo.c@@/main/1
one
$ echo private > foo.c; cleartool ls foo.c
foo.c
foo.c@@ [eclipsed]
$ cleartool setcs -default; cat foo.c; cleartool ls
private
foo.c
foo.c@@ [eclipsed]
lost+found@@/main/0                                      Rule: /main/LATEST
src@@/main/1                                             Rule: /main/LATEST
$ cleartool co -nc foo.c
cleartool: Error: Not a vob object: "foo.c".
cleartool: Error: Unable to check out "foo.c".
[exit 1]
$ cat foo.c@@/main/2
one
two
$ rm foo.c; cat foo.c
one
two
"#,
    );
}

#[test]
fn listings_in_the_long_form_print_the_whole_rule() {
    let project = Project::small();
    let spec =
        "element * CHECKEDOUT\nelement foo.c /main/1 -mkbranch a\nmkbranch b\nelement * /main/LATEST\n";
    project.world.set_spec("v", spec);
    project.check(
        r#"
$ cleartool ls -long
version                foo.c@@/main/1                         Rule: element foo.c /main/1 -mkbranch a
directory version      lost+found@@/main/0                    Rule: element * /main/LATEST [-mkbranch b]
directory version      src@@/main/1                           Rule: element * /main/LATEST [-mkbranch b]
$ cleartool ls
foo.c@@/main/1                                           Rule: /main/1 -mkbranch a
lost+found@@/main/0                                      Rule: /main/LATEST [-mkbranch b]
src@@/main/1                                             Rule: /main/LATEST [-mkbranch b]
"#,
    );
}
