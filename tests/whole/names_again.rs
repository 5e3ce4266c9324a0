//! Names that come back: the copies that rmname leaves make way, stranded files can be read, and what evil twins are
//! told of is what helps.

use crate::project::Project;

#[test]
fn what_rmname_left_of_a_checked_out_file_makes_way_for_it() {
    Project::small().check(
        r#"
$ cleartool co -nc . foo.c; echo mine > foo.c; cleartool rmname -force foo.c; cleartool ls -short foo.c; cleartool ln .@@/main/1/foo.c .
Checked out "." from version "/main/1".
Checked out "foo.c" from version "/main/2".
Removed "foo.c".
foo.c
Link created: "./foo.c".
$ cleartool ls -short foo.c; cat foo.c; cleartool lsprivate
foo.c@@/main/CHECKEDOUT
mine
/vobs/x/foo.c [checkedout]
$ cleartool rmname -force foo.c; echo edited >> foo.c; cleartool ln .@@/main/1/foo.c foo.c; cat foo.c foo.c.keep; cleartool lsprivate
Removed "foo.c".
cleartool: Warning: Existing view private object saved as "foo.c.keep".
Link created: "foo.c".
mine
mine
edited
/vobs/x/foo.c [checkedout]
/vobs/x/foo.c.keep
$ cleartool rmname -force foo.c; cleartool unco .; cleartool ci -nc foo.c; cleartool ls -short foo.c; cat foo.c
Removed "foo.c".
Checkout cancelled for ".".
Checked in "foo.c" version "/main/3".
foo.c@@/main/3
mine
"#,
    );
}

#[test]
fn a_private_file_that_rmname_did_not_leave_stays() {
    Project::small().check(
        r#"
$ cleartool co -nc . foo.c; echo other > other.c; cleartool ln foo.c other.c; cat other.c
Checked out "." from version "/main/1".
Checked out "foo.c" from version "/main/2".
cleartool: Error: Entry named "other.c" already exists.
cleartool: Error: Unable to create link "other.c".
other
$ cleartool rmname -force foo.c; echo own > foo.c; cleartool unco .; cat foo.c; cleartool ls foo.c
Removed "foo.c".
Checkout cancelled for ".".
own
foo.c
foo.c@@ [eclipsed]
foo.c@@/main/CHECKEDOUT from /main/2 [checkedout but eclipsed]
$ rm foo.c; cat foo.c; cleartool co -nc .; cleartool rmname -force foo.c; rm foo.c; mkdir foo.c; cleartool ln .@@/main/1/foo.c foo.c
one
two
Checked out "." from version "/main/1".
Removed "foo.c".
cleartool: Error: Not a vob object: "foo.c/foo.c".
cleartool: Error: Unable to create link "foo.c/foo.c".
[exit 1]
"#,
    );
}

#[test]
fn stranded_files_are_found_where_lsprivate_says() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . src && cleartool mkdir -nc src/sub && cleartool ci -nc -identical src/sub src . && \
         echo mine > src/sub/mine && mkdir src/sub/dir && echo more > src/sub/dir/more && ls src/sub@@ && \
         ! ls src@@/main/2/sub/mine",
    );
    project.world.set_spec("v", "element src /main/1\nelement * CHECKEDOUT\nelement * /main/LATEST\n");
    project.check(
        r#"
$ for path in $(cleartool lsprivate); do ls -d ../../$path; done
../..//vobs/x/src@@/main/2/sub/dir
../..//vobs/x/src@@/main/2/sub/dir/more
../..//vobs/x/src@@/main/2/sub/mine
$ cat src@@/main/2/sub/mine src@@/main/2/sub/dir/more; ls src@@/main/2/sub src@@/main/2/sub/dir; cleartool ls -short src@@/main/2/sub/mine; cleartool lsprivate src@@/main/2/sub/dir
mine
more
src@@/main/2/sub:
main

src@@/main/2/sub/dir:
more
src@@/main/2/sub/mine
/vobs/x/src@@/main/2/sub/dir
/vobs/x/src@@/main/2/sub/dir/more
$ cp src@@/main/2/sub/mine saved; echo again >> src@@/main/2/sub/mine; mv src@@/main/2/sub/mine . 2>&1 | sed 's/.*: //'; touch src@@/main/2/sub/new 2>&1 | sed 's/.*: //'; cat saved
Read-only file system
Read-only file system
mine
"#,
    );
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n");
    project.check(
        r#"
$ cat src/sub/mine; cat src@@/main/2/sub/mine 2>&1 | sed 's/.*: //'; cleartool lsprivate | grep sub
mine
again
No such file or directory
/vobs/x/src/sub/dir
/vobs/x/src/sub/dir/more
/vobs/x/src/sub/mine
"#,
    );
}

#[test]
fn an_evil_twin_that_has_another_name_now_is_told_by_that() {
    Project::small().check(
        r#"
$ cleartool co -nc . src; cleartool mv foo.c new.c; echo n > foo.c; cleartool mkelem -nc foo.c; cleartool mv src/bar.c src/b; cleartool mkdir -nc src/bar.c
Checked out "." from version "/main/1".
Checked out "src" from version "/main/1".
Moved "foo.c" to "new.c".
cleartool: Error: Entry named "foo.c" was another element, which is "new.c" now.
cleartool: Error: To give it that name back, use: cleartool mv new.c foo.c
cleartool: Error: Unable to create element "foo.c".
Moved "src/bar.c" to "src/b".
cleartool: Error: Entry named "src/bar.c" was another element, which is "src/b" now.
cleartool: Error: To give it that name back, use: cleartool mv src/b src/bar.c
cleartool: Error: Unable to create directory element "src/bar.c".
[exit 1]
$ rm foo.c; cleartool mv new.c foo.c; cleartool ln -s "" empty; cleartool ln -s "" target src
Moved "new.c" to "foo.c".
cleartool: Error: The text of a symbolic link cannot be empty.
cleartool: Error: Unable to create link "empty".
cleartool: Error: The text of a symbolic link cannot be empty.
cleartool: Error: Unable to create link "src/".
Link created: "src/target".
[exit 1]
"#,
    );
}
