//! `merge`: files and directories, what is automatic and what is a conflict, and the arrows that record it.

use crate::project::Project;

/// foo.c has ten lines; /main/fix/1 changed line 2, /main/3 line 9. The view shows /main/LATEST.
fn branched() -> Project {
    let project = Project::small();
    project.sh(
        "cleartool co -nc foo.c && seq 10 > foo.c && cleartool ci -nc foo.c && cleartool mkbrtype -nc fix && \
         cleartool mkbranch -nc fix foo.c && sed -i 's/^2$/two/' foo.c && cleartool ci -nc foo.c && \
         cleartool co -nc -branch /main foo.c && seq 10 | sed 's/^9$/nine/' > foo.c && cleartool ci -nc foo.c",
    );
    project
}

#[test]
fn changes_that_do_not_touch_are_merged() {
    let project = branched();
    let transcript = r#"
$ cleartool merge -to foo.c -version /main/fix/LATEST
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "foo.c".
[exit 1]
$ cleartool co -nc foo.c; cleartool merge -to foo.c -serial_format -c merged -version /main/fix/LATEST
Checked out "foo.c" from version "/main/4".
********************************
<<< file 1: VIEW/vobs/x/foo.c@@/main/3
>>> file 2: VIEW/vobs/x/foo.c@@/main/fix/1
>>> file 3: foo.c
********************************
-----[2 changed to 2 file 2]-----
< 2
---
> two
*** Automatic: Applying CHANGE from file 2 [lines 2]
============
-----[9 changed to 9 file 3]-----
< 9
---
> nine
*** Automatic: Applying CHANGE from file 3 [lines 9]
============
============
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
$ tr '\n' ' ' < foo.c; tr '\n' ' ' < foo.c.contrib; cleartool describe -short -ahlink Merge foo.c
1 two 3 4 5 6 7 8 nine 10 1 2 3 4 5 6 7 8 nine 10 <- VIEW/vobs/x/foo.c@@/main/fix/1
$ cleartool merge -to foo.c -version /main/fix/1; cleartool ci -nc foo.c; cleartool describe -s -ahlink Merge foo.c foo.c@@/main/fix/1; cleartool describe hlink:Merge@0 | grep merged
No merge is needed: "foo.c" has "VIEW/vobs/x/foo.c@@/main/fix/1" already.
Checked in "foo.c" version "/main/5".
<- VIEW/vobs/x/foo.c@@/main/fix/1
-> VIEW/vobs/x/foo.c@@/main/5
  "merged"
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn conflicts_are_marked_asked_about_or_end_the_merge() {
    let project = branched();
    project.sh("cleartool co -nc foo.c && sed -i 's/^2$/zwei/' foo.c");
    let transcript = r#"
$ cleartool merge -to foo.c -ser -abort -opt -quiet -version .../fix/LATEST; ls foo.c.*
cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge "foo.c".
ls: cannot access 'foo.c.*': No such file or directory
[exit 2]
$ cp foo.c saved; cleartool merge -to foo.c -ser foo.c@@/main/fix/1 < /dev/null
********************************
<<< file 1: VIEW/vobs/x/foo.c@@/main/3
>>> file 2: VIEW/vobs/x/foo.c@@/main/fix/1
>>> file 3: foo.c
********************************
-----[2 changed to 2 file 2]-----
< 2
---
> two
-----[2 changed to 2 file 3]-----
< 2
---
> zwei
*** Not resolved: the lines of all files are marked in the output
============
-----[9 changed to 9 file 3]-----
< 9
---
> nine
*** Automatic: Applying CHANGE from file 3 [lines 9]
============
============
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
cleartool: Error: Conflicts are marked in "foo.c": edit it, then record the merge with -ndata.
cleartool: Error: Unable to merge "foo.c".
[exit 1]
$ sed -n 1,10p foo.c; cleartool describe -s -ahlink Merge foo.c; cleartool lsco -s
1
<<<<<<< file 3: foo.c
zwei
||||||| file 1: VIEW/vobs/x/foo.c@@/main/3
2
=======
two
>>>>>>> file 2: VIEW/vobs/x/foo.c@@/main/fix/1
3
4
foo.c
$ cp saved foo.c; cleartool merge -to foo.c -opt '-quiet -git_markers' foo.c@@/main/fix/1 > /dev/null 2>&1; sed -n 1,6p foo.c; ls foo.c.*
1
<<<<<<< file 3: foo.c
zwei
=======
two
>>>>>>> file 2: VIEW/vobs/x/foo.c@@/main/fix/1
foo.c.contrib
foo.c.contrib.1
$ cp saved foo.c; printf 'n\n\n' | cleartool merge -to foo.c -query -narrows -opt -quiet foo.c@@/main/fix/1; sed -n 2p foo.c
Do you want the CHANGE made in file 2? [yes] Do you want the CHANGE made in file 3? [yes] Moved contributor "foo.c" to "foo.c.contrib.2".
Output of merge is in "foo.c".
zwei
$ cp saved foo.c; printf '\n' | cleartool merge -to foo.c -query -opt -quiet foo.c@@/main/fix/1
Do you want the CHANGE made in file 2? [yes] Do you want the CHANGE made in file 3? [no] 
Moved contributor "foo.c" to "foo.c.contrib.3".
Output of merge is in "foo.c".
cleartool: Error: Conflicts are marked in "foo.c": edit it, then record the merge with -ndata.
cleartool: Error: Unable to merge "foo.c".
[exit 1]
$ cp saved foo.c; printf 'y\ny\nn\n' | cleartool merge -to foo.c -qall -opt -quiet foo.c@@/main/fix/1; sed -n '2,3p;10p' foo.c
Do you want the CHANGE made in file 2? [yes] Do you want the CHANGE made in file 3? [no] Do you want the CHANGE made in file 3? [yes] Moved contributor "foo.c" to "foo.c.contrib.4".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
zwei
two
9
$ cleartool rmhlink Merge@0; cleartool merge -to foo.c -ndata -version /main/fix/1; cleartool merge -to foo.c -ndata -base foo.c@@/main/3 -replace -c again foo.c@@/main/fix/1
Removed hyperlink "Merge@0@/vobs/x".
Recorded merge of "foo.c".
Recorded merge of "foo.c".
$ cleartool describe -ahlink -all foo.c; cleartool describe hlink:Merge@2 | grep again
version "foo.c@@/main/CHECKEDOUT" from /main/4 (reserved)
  Hyperlinks:
    Merge <- VIEW/vobs/x/foo.c@@/main/fix/1
  "again"
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn what_one_version_changed_is_done_or_undone() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc foo.c && seq 12 > foo.c && cleartool ci -nc foo.c; for line in 2 6 10; do \
         cleartool co -nc foo.c && sed -i \"s/^$line\\$/$line changed/\" foo.c && cleartool ci -nc foo.c; done; \
         cleartool mkbrtype -nc fix && cleartool mkbranch -nc -version /main/3 fix foo.c",
    );
    // foo.c is checked out on the branch from what /main/3 was.
    project.check(
        r#"
$ cleartool merge -to foo.c -insert -opt -quiet -version /main/5; cleartool describe -s -ahlink -all foo.c; grep -n changed foo.c
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
6:6 changed
$ cleartool merge -to foo.c -insert -opt -quiet -version /main/4 /main/6; grep -c changed foo.c; cleartool merge -to foo.c -delete -opt -quiet -version /main/5; grep -n changed foo.c
Moved contributor "foo.c" to "foo.c.contrib.1".
Output of merge is in "foo.c".
3
Moved contributor "foo.c" to "foo.c.contrib.2".
Output of merge is in "foo.c".
2:2 changed
10:10 changed
$ cleartool merge -to foo.c -delete -opt -quiet -version /main/6 /main/4; grep -n changed foo.c; cleartool merge -to foo.c -delete -version /main/0
Moved contributor "foo.c" to "foo.c.contrib.3".
Output of merge is in "foo.c".
cleartool: Error: There is no predecessor of "/main/0".
cleartool: Error: Unable to merge "foo.c".
[exit 1]
$ cleartool merge -to foo.c -delete -version /main/fix/0 /main/4; cleartool merge -to foo.c -version /main/none; cleartool merge -to foo.c -insert -version 1 2 3 2>&1 | head -1
cleartool: Error: The two versions of the range are on different branches.
cleartool: Error: Unable to merge "foo.c".
cleartool: Error: Version not found: "/main/none".
cleartool: Error: Unable to merge "foo.c".
cleartool: Error: Options -insert and -delete take one version, or two for a range
"#,
    );
}

#[test]
fn merges_go_to_new_files_and_take_several_contributors() {
    let project = branched();
    project.sh(
        "seq 10 > base && sed 's/^1$/one/' base > a && sed 's/^5$/five/' base > b && sed 's/^10$/ten/' base > c",
    );
    let transcript = r#"
$ cleartool merge -out out -base base -opt -quiet a b c; tr '\n' ' ' < out
Output of merge is in "out".
one 2 3 4 five 6 7 8 9 ten 
$ cleartool merge -out out -base base -opt -quiet a b; cleartool merge -out other a b; ls other
cleartool: Error: Unable to write "out": File exists.
cleartool: Error: Unable to merge to "out".
cleartool: Error: Not a vob object: "a".
cleartool: Error: Unable to merge "a".
ls: cannot access 'other': No such file or directory
[exit 2]
$ cleartool merge -out m -opt -quiet foo.c foo.c@@/main/fix/1; tr '\n' ' ' < m; cleartool describe -s -ahlink -all foo.c
Output of merge is in "m".
1 two 3 4 5 6 7 8 nine 10 
$ cleartool merge -out n foo.c 2>&1 | head -1; cleartool merge -out n -ndata a b 2>&1 | head -1; cleartool merge a b 2>&1 | head -1
cleartool: Error: Second contributor required
cleartool: Error: Option -ndata goes with -to
cleartool: Error: Option -to or -out required
$ cleartool co -nc foo.c; cleartool merge -to foo.c -opt -quiet foo.c@@/main/fix/1 b; cleartool merge -to foo.c -base base -opt -quiet foo.c@@/main/fix/1 b; tr '\n' ' ' < foo.c
Checked out "foo.c" from version "/main/4".
cleartool: Error: There is no common ancestor: name one with -base.
cleartool: Error: Unable to merge "foo.c".
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
1 two 3 4 five 6 7 8 nine 10 
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn what_only_one_side_changed_is_copied() {
    let project = branched();
    project.sh(
        "cleartool co -nc . && printf 'a\\0b' > bin && cleartool mkelem -nc -eltype compressed_file -ci bin && \
         cleartool ci -nc . && cleartool mkbranch -nc fix bin && printf 'a\\0c' > bin && cleartool ci -nc bin && \
         cleartool mkbrtype -nc old && cleartool mkbranch -nc -version /main/3 old foo.c",
    );
    let transcript = r#"
$ cleartool merge -to foo.c -version /main/fix/1
********************************
<<< file 1: VIEW/vobs/x/foo.c@@/main/3
>>> file 2: VIEW/vobs/x/foo.c@@/main/fix/1
>>> file 3: foo.c
********************************
Trivial merge: "foo.c" is same as base "VIEW/vobs/x/foo.c@@/main/3".
Copying "VIEW/vobs/x/foo.c@@/main/fix/1" to output file.
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
$ cleartool co -nc bin; cleartool merge -to bin -opt -quiet bin@@/main/fix/1; cmp bin bin@@/main/fix/1 && cleartool ci -nc bin
Checked out "bin" from version "/main/1".
Trivial merge: "bin" is same as base "VIEW/vobs/x/bin@@/main/1".
Copying "VIEW/vobs/x/bin@@/main/fix/1" to output file.
Moved contributor "bin" to "bin.contrib".
Output of merge is in "bin".
Recorded merge of "bin".
Checked in "bin" version "/main/2".
$ cleartool co -nc -branch /main/fix bin; printf 'a\0d' > bin; printf 'a\0e' > other; cleartool merge -to bin -base bin@@/main/1 -opt -quiet other
cleartool: Warning: Version checked out is different from version previously selected by view.
Checked out "bin" from version "/main/fix/1".
cleartool: Error: Type manager "z_whole_copy" failed merge operation: Invalid manager operation.
cleartool: Error: Unable to merge "bin".
[exit 1]
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn names_of_directories_are_merged() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc fix && cleartool mkbranch -nc fix . && cleartool mv foo.c fu.c && \
         cleartool mkdir -nc -nco inc && cleartool ln -s fu.c link && cleartool rmname src && cleartool ci -nc . && \
         cleartool co -nc -branch /main . && echo n > new.c && cleartool mkelem -nc -ci new.c && cleartool ci -nc .",
    );
    let transcript = r#"
$ cleartool co -nc .; ls; cleartool merge -to . -version /main/fix/LATEST; ls
Checked out "." from version "/main/2".
foo.c
lost+found
new.c
src
********************************
<<< directory 1: VIEW/vobs/x@@/main/1
>>> directory 2: VIEW/vobs/x@@/main/fix/1
>>> directory 3: .
********************************
-----[ renamed "foo.c" to "fu.c" directory 2 ]-----
*** Automatic: Applying NAME change from "foo.c" to "fu.c"
-----[ added "inc" directory 2 ]-----
*** Automatic: Applying ADDITION of directory "inc"
-----[ added "link" directory 2 ]-----
*** Automatic: Applying ADDITION of symbolic link "link"
-----[ deleted "src" directory 2 ]-----
*** Automatic: Applying REMOVAL of directory "src"
Recorded merge of ".".
fu.c
inc
link
lost+found
new.c
$ cleartool ci -nc .; cleartool describe -s -ahlink Merge .
Checked in "." version "/main/3".
<- VIEW/vobs/x@@/main/fix/1
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
    project.check(
        r#"
$ cleartool co -nc .; cleartool merge -to . -opt -quiet -delete -version /main/3; ls; cleartool unco .
Checked out "." from version "/main/3".
-----[ renamed "fu.c" to "foo.c" directory 2 ]-----
*** Automatic: Applying NAME change from "fu.c" to "foo.c"
-----[ deleted "inc" directory 2 ]-----
*** Automatic: Applying REMOVAL of directory "inc"
-----[ deleted "link" directory 2 ]-----
*** Automatic: Applying REMOVAL of symbolic link "link"
-----[ added "src" directory 2 ]-----
*** Automatic: Applying ADDITION of directory "src"
foo.c
lost+found
new.c
src
Checkout cancelled for ".".
"#,
    );
}

#[test]
fn names_that_contradict_are_conflicts() {
    let project = Project::small();
    project.sh(
        "cleartool chvob -nevil_twin_detection /vobs/x && cleartool mkbrtype -nc fix && \
         cleartool mkbranch -nc fix . && cleartool mv foo.c theirs.c && echo t > both.c && \
         cleartool mkelem -nc -ci both.c && cleartool mkdir -nc -nco inc && cleartool ci -nc . && \
         cleartool co -nc -branch /main . && cleartool mv foo.c ours.c && echo o > both.c && \
         cleartool mkelem -nc -ci both.c && cleartool rmname src && cleartool ci -nc . && cleartool co -nc .",
    );
    let transcript = r#"
$ cleartool merge -to . -abort -opt -quiet .@@/main/fix/1; ls
-----[ added "both.c" directory 2, directory 3: the name is taken ]-----
*** Not resolved
-----[ renamed "foo.c" to "theirs.c" directory 2, directory 3: it is "ours.c" ]-----
*** Not resolved
-----[ added "inc" directory 2 ]-----
*** Automatic: Applying ADDITION of directory "inc"
cleartool: Error: *** Aborting...
cleartool: Error: Unable to merge ".".
both.c
lost+found
ours.c
$ cleartool merge -to . -opt -quiet .@@/main/fix/1 < /dev/null > /dev/null; ls; cleartool describe -s -ahlink -all .
cleartool: Error: Conflicts are left in directory ".": decide them (see mv, rmname, -query), then record the merge with -ndata.
cleartool: Error: Unable to merge ".".
both.c
inc
lost+found
ours.c
$ printf 'n\ny\n' | cleartool merge -to . -query -opt -quiet .@@/main/fix/1; ls; cat both.c; cleartool describe -s -ahlink -all .
-----[ added "both.c" directory 2, directory 3: the name is taken ]-----
Do you want the CHANGE made in directory 2? [no] *** The names of directory 3 stay
-----[ renamed "foo.c" to "theirs.c" directory 2, directory 3: it is "ours.c" ]-----
Do you want the CHANGE made in directory 2? [no] *** Applying NAME change from "foo.c" to "theirs.c"
Recorded merge of ".".
both.c
inc
lost+found
theirs.c
o
<- VIEW/vobs/x@@/main/fix/1
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn a_program_of_the_users_choice_merges() {
    let project = branched();
    project.sh("cleartool co -nc foo.c && sed -i 's/^2$/zwei/' foo.c");
    let transcript = r#"
$ CLEARCASE_MERGE_TOOL='grep -h "^[a-z]" "$LOCAL" "$REMOTE" > "$MERGED"; true' cleartool merge -graphical -to foo.c -opt -quiet foo.c@@/main/fix/1; cat foo.c
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
Recorded merge of "foo.c".
zwei
nine
two
$ cleartool rmhlink Merge@0; mv foo.c.contrib foo.c; CLEARCASE_MERGE_TOOL=false cleartool merge -graph -to foo.c -opt -quiet foo.c@@/main/fix/1; head -2 foo.c
Removed hyperlink "Merge@0@/vobs/x".
Moved contributor "foo.c" to "foo.c.contrib".
Output of merge is in "foo.c".
cleartool: Error: Conflicts are marked in "foo.c": edit it, then record the merge with -ndata.
cleartool: Error: Unable to merge "foo.c".
1
<<<<<<< file 3: foo.c
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}
