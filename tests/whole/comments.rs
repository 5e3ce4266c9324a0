//! Where comments come from: options, the profile, and the questions, on pipes and terminals.

use std::fs;

use crate::project::Project;

/// Defines the shell function `comment`, which prints the comment of what is at a name.
const COMMENT: &str =
    "comment() { cleartool describe $1 | sed -n '/^  created/,/^  Element/p' | sed '1d;$d'; }";

fn with_comment(transcript: &str) -> String {
    transcript.replace("$(COMMENT)", COMMENT)
}

#[test]
fn all_questions_come_before_anything_is_done() {
    let project = Project::small();
    project.sh(
        "cleartool co -c 'why foo' foo.c; cleartool co -nc src/bar.c; echo 3 >> foo.c; echo 2 >> src/bar.c",
    );
    project.check(&with_comment(
        r#"
$ printf '.\nbar\nof two lines\n.\n' | cleartool ci foo.c src/bar.c
Checkin comments for "foo.c":
Default:
  why foo
Checkin comments for "src/bar.c":
Checked in "foo.c" version "/main/3".
Checked in "src/bar.c" version "/main/2".
$ $(COMMENT); comment foo.c; comment src/bar.c
  "why foo"
  "bar
   of two lines"
$ cleartool co -nc foo.c src/bar.c | wc -l; echo 4 >> foo.c; echo 3 >> src/bar.c
2
$ printf 'both\n.\n' | cleartool ci -cq foo.c src/bar.c
Comments for all listed objects:
Checked in "foo.c" version "/main/4".
Checked in "src/bar.c" version "/main/3".
$ $(COMMENT); comment foo.c; comment src/bar.c
  "both"
  "both"
$ cleartool co -c kept foo.c; echo 4 >> foo.c; cleartool ci -cq foo.c < /dev/null; $(COMMENT); comment foo.c
Checked out "foo.c" from version "/main/4".
Comments for all listed objects:
Checked in "foo.c" version "/main/5".
  "kept"
$ cleartool co -nc foo.c; echo 5 >> foo.c; printf 'never used\n.\n' | cleartool ci foo.c src/bar.c
Checked out "foo.c" from version "/main/5".
cleartool: Error: Nothing was done because another object failed.
cleartool: Error: Unable to check in "foo.c".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src/bar.c".
[exit 1]
$ printf 'foo\n.\n' | cleartool ci -nonatomic -cqe src/bar.c foo.c
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "src/bar.c".
Checkin comments for "foo.c":
Checked in "foo.c" version "/main/6".
[exit 1]
"#,
    ));
}

#[test]
fn the_end_of_input_ends_a_comment_and_takes_the_default() {
    Project::small().check(
        r#"
$ cleartool co -c "$(printf 'line 1\nline 2')" foo.c; echo 3 >> foo.c; cleartool ci foo.c < /dev/null
Checked out "foo.c" from version "/main/2".
Checkin comments for "foo.c":
Default:
  line 1
  line 2
Checked in "foo.c" version "/main/3".
$ cleartool co -nc foo.c; echo 4 >> foo.c; printf 'without an end' | cleartool ci foo.c
Checked out "foo.c" from version "/main/3".
Checkin comments for "foo.c":
Checked in "foo.c" version "/main/4".
$ cleartool lshistory -last 1 foo.c | tail -1
  "without an end"
"#,
    );
}

#[test]
fn a_terminal_is_asked_like_a_pipe() {
    let project = Project::small();
    project.sh("cleartool co -nc foo.c; echo 3 >> foo.c");
    let said = project.sh("printf 'typed\\nby hand\\n.\\n' | script -qec 'cleartool ci foo.c' /dev/null");
    assert!(said.contains("Checkin comments for \"foo.c\":\r\n"), "{said:?}");
    assert!(said.contains("Checked in \"foo.c\" version \"/main/3\".\r\n"), "{said:?}");
    let comment = project.sh(&format!("{COMMENT}; comment foo.c"));
    assert_eq!(comment, "  \"typed\n   by hand\"\n");
}

#[test]
fn a_checkins_comment_stands_before_a_directorys_bookkeeping() {
    let project = Project::small();
    project.check(&with_comment(
        r#"
$ cleartool co -c why src; echo n > src/n; cleartool mkelem -nc -ci src/n | wc -l
Checked out "src" from version "/main/1".
3
$ printf 'done\n.\n' | cleartool ci src
Checkin comments for "src":
Default:
  why
  Added file element "n".
Checked in "src" version "/main/2".
$ $(COMMENT); comment src
  "done
   why
   Added file element "n"."
$ cleartool co -nc src; echo m > src/m; cleartool mkelem -nc -ci src/m | wc -l; echo . | cleartool ci src
Checked out "src" from version "/main/2".
3
Checkin comments for "src":
Default:
  Added file element "m".
Checked in "src" version "/main/3".
$ $(COMMENT); comment src
  "Added file element "m"."
"#,
    ));
}

#[test]
fn the_profile_decides_where_no_option_does() {
    let project = Project::small();
    let home = project.world.root();
    fs::write(home.join(".clearcase_profile"), "# mine\ncheckout -nc\nci -cq\nco -unreserved\n* -cqe\n")
        .expect("written");
    fs::write(home.join("other_profile"), "* -nc\nmkelem -loud\nmkdir\n").expect("written");
    project.check(
        r#"
$ cleartool co foo.c; cleartool describe foo.c | grep reserved
Checked out "foo.c" from version "/main/2".
version "foo.c@@/main/CHECKEDOUT" from /main/2 (unreserved)
$ echo 3 >> foo.c; echo once | cleartool ci foo.c
Comments for all listed objects:
Checked in "foo.c" version "/main/3".
$ cleartool co -reserved foo.c; echo asked | cleartool mkdir d
Checked out "foo.c" from version "/main/3".
Creation comments for "d":
cleartool: Error: Can't modify directory "." because it is not checked out.
cleartool: Error: Unable to create directory element "d".
[exit 1]
$ export CLEARCASE_PROFILE=~/other_profile; echo 4 >> foo.c; cleartool ci foo.c; cleartool ls -short foo.c
cleartool: Warning: Ignored line 2 of "WORLD/other_profile": unrecognized option "-loud".
cleartool: Warning: Ignored line 3 of "WORLD/other_profile": an option is missing.
Checked in "foo.c" version "/main/4".
foo.c@@/main/4
$ CLEARCASE_PROFILE=~/nowhere cleartool co foo.c < /dev/null
cleartool: Warning: Unable to access "WORLD/nowhere": No such file or directory.
Checkout comments for "foo.c":
Checked out "foo.c" from version "/main/4".
$ CLEARCASE_PROFILE=~/other_profile cleartool unco -rm foo.c
Checkout cancelled for "foo.c".
"#,
    );
}
