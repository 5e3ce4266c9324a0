//! `diff`: files and directories in every format, with the exit codes that scripts rely on.

use crate::project::Project;

#[test]
fn files_are_compared_in_every_format() {
    let project = Project::small();
    project.sh("printf '1\\n2\\n3\\n4\\n5\\n' > a && printf '1\\nx\\ny\\n3\\n5\\n6\\n' > b && cp a same");
    project.check(
        r#"
$ cleartool diff -serial_format a b
********************************
<<< file 1: a
>>> file 2: b
********************************
-----[2 changed to 2-3]-----
< 2
---
> x
> y
-----[deleted 4 after 4]-----
< 4
-----[after 5 inserted 6]-----
> 6
[exit 1]
$ cleartool diff -diff_format a b; diff a b > plain; cleartool diff -diff a b | cmp - plain && echo as diff
2c2,3
< 2
---
> x
> y
4d4
< 4
5a6
> 6
as diff
$ cleartool diff -columns 41 a b
********************************
<<< file 1: a
>>> file 2: b
********************************
-[2 changed to 2-3]-|--[changed to 2-3]--
2                   |x
                    |y
[deleted 4 after 4]-|-----[deleted]------
4                   |
[after 5 inserted 6]|----[inserted 6]----
                    |6
[exit 1]
$ cleartool diff a same; cleartool diff -ser a same; cleartool diff -diff a same; cleartool diff -opt -quiet a same
Files are identical
Files are identical
$ cleartool diff -options '-status_only' a b
[exit 1]
$ cleartool diff -ser -options '-headers_only' a b
********************************
<<< file 1: a
>>> file 2: b
********************************
-----[2 changed to 2-3]-----
-----[deleted 4 after 4]-----
-----[after 5 inserted 6]-----
[exit 1]
$ printf '1\n2 \n  3\n4\n5\n' > c; cleartool diff -ser -opt '-b -quiet' a c
-----[3 changed to 3]-----
< 3
---
>   3
[exit 1]
$ printf 'a\0b' > n; cleartool diff -ser a n
********************************
<<< file 1: a
>>> file 2: n
********************************
Binary files differ
[exit 1]
$ printf '1\n2\n3\n4\n5' > d; cleartool diff -diff a d
5c5
< 5
---
> 5
\ No newline at end of file
[exit 1]
"#,
    );
}

#[test]
fn versions_are_compared_with_those_before_them() {
    let project = Project::small();
    let transcript = r#"
$ cleartool diff -serial_format -predecessor foo.c
********************************
<<< file 1: VIEW/vobs/x/foo.c@@/main/1
>>> file 2: foo.c
********************************
-----[after 1 inserted 2]-----
> two
[exit 1]
$ cleartool co -nc foo.c; cleartool diff -pre foo.c; echo three >> foo.c; cleartool diff -pre -diff foo.c
Checked out "foo.c" from version "/main/2".
Files are identical
2a3
> three
[exit 1]
$ cleartool diff -diff foo.c@@/main/1 foo.c@@/main/2; cleartool diff -pre -diff foo.c@@/main/1
1a2
> two
0a1
> one
[exit 1]
$ cleartool diff -pre foo.c@@/main/0
cleartool: Error: There is no predecessor of "foo.c@@/main/0".
[exit 1]
$ cleartool diff foo.c nothing; cleartool diff foo.c src; cleartool diff nothing -pre
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: "foo.c" is a file, "src" a directory.
cleartool: Error: Unable to access "nothing": No such file or directory.
[exit 1]
$ cleartool diff foo.c 2>&1 | head -1; cleartool diff -pre a b 2>&1 | head -1; cleartool diff -col x foo.c foo.c 2>&1 | head -1; cleartool diff -opt -zz foo.c foo.c 2>&1 | head -1
cleartool: Error: Second pathname, or -predecessor, required
cleartool: Error: Extra arguments: "b"
cleartool: Error: Option -columns needs a number, not "x"
cleartool: Error: Unrecognized option "-zz" in -options
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}

#[test]
fn directories_are_compared_by_what_their_names_lead_to() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . && cleartool mv foo.c fu.c && cleartool mkdir -nc -nco inc && echo n > new.c && \
         cleartool mkelem -nc -ci new.c && cleartool ln -s fu.c link && cleartool rmname src",
    );
    let transcript = r#"
$ cleartool diff -ser -pre . | sed -E 's/[0-9-]+T[0-9:]+ [a-z]+$/DATE USER/'
********************************
<<< directory 1: .@@/main/1
>>> directory 2: .@@/main/CHECKEDOUT
********************************
-----[ renamed to ]-----
< foo.c  DATE USER
---
> fu.c  DATE USER
-----[ deleted ]-----
< src/  DATE USER
-----[ added ]-----
> inc/  DATE USER
-----[ added ]-----
> link -> fu.c
-----[ added ]-----
> new.c  DATE USER
$ cleartool diff -diff .@@/main/1 . | sed -E 's/[0-9-]+T[0-9:]+ [a-z]+$/DATE USER/' | head -4; cleartool diff -opt -status_only . .@@/main/1
< foo.c  DATE USER
---
> fu.c  DATE USER
< src/  DATE USER
[exit 1]
$ cleartool diff . .; cleartool diff -pre .@@/main/0
Directories are identical
cleartool: Error: There is no predecessor of ".@@/main/0".
[exit 1]
$ cleartool diff . /tmp
cleartool: Error: Pathname is not within a VOB: "/tmp"
[exit 1]
"#;
    project.check(transcript);
}

#[test]
fn a_program_of_the_users_choice_shows_differences() {
    let project = Project::small();
    project.sh("printf '#!/bin/sh\\necho \"$@\"; exit 3\\n' > show && chmod +x show");
    let transcript = r#"
$ CLEARCASE_DIFF_TOOL=./show cleartool diff -graphical foo.c@@/main/1 foo.c
foo.c@@/main/1 foo.c
[exit 1]
$ CLEARCASE_DIFF_TOOL='echo --title x' cleartool diff -g -pre foo.c
--title x VIEW/vobs/x/foo.c@@/main/1 foo.c
$ CLEARCASE_DIFF_TOOL='diff "$LOCAL" "$REMOTE"; true' cleartool diff -g foo.c@@/main/1 foo.c
1a2
> two
$ CLEARCASE_DIFF_TOOL=/no/such/tool cleartool diff -g foo.c foo.c
cleartool: Error: Unable to run "/no/such/tool": No such file or directory.
[exit 1]
"#;
    project.check(&transcript.replace("VIEW", "WORLD/view/v"));
}
