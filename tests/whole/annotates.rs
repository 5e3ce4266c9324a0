//! `annotate`: formats, placeholders, removed lines.

use crate::project::Project;

/// foo.c at /main/4: /main/1 made lines 1 to 4, /main/2 changed the second and added two, /main/3 removed the fourth.
fn written() -> Project {
    let project = Project::empty();
    project.sh(
        "cleartool co -nc . && printf '1\\n2\\n3\\n4\\n' > foo.c && cleartool mkelem -nc -ci foo.c && cleartool ci -nc . && \
         for text in '1\\ntwo\\n3\\n4\\n5\\n6\\n' '1\\ntwo\\n3\\n5\\n6\\n' '1\\ntwo\\n  3\\n5\\nsix'; do \
         cleartool co -nc foo.c && printf \"$text\" > foo.c && cleartool ci -nc foo.c; done && \
         cleartool mklbtype -nc REL && cleartool mklabel -version /main/2 REL foo.c",
    );
    project
}

#[test]
fn each_line_is_told_with_its_version() {
    let project = written();
    project.check(
        r#"
$ cleartool annotate -nheader -out - -fmt '%-9.9Vn|' foo.c
/main/1  |1
/main/2  |two
/main/1  |  3
/main/2  |5
/main/4  |six
$ cleartool annotate -nheader -out - -fmt '%-9.9Vn %u |' foo.c@@/main/1; cleartool annotate -nhe -f -out - -fmt '%Sn|' foo.c@@/main/1
/main/1   root |1
       .       |2
       .       |3
       .       |4
/main/1|1
/main/1|2
/main/1|3
/main/1|4
$ cleartool annotate -out - -fmt '%Vn|,%Vn %Nl\n,-- ' foo.c | sed '/^---/d' | tr '\n' ' '
/main/4  /main/2 REL /main/1  /main/1|1 /main/2|two /main/1|  3 /main/2|5 /main/4|six 
$ cleartool annotate foo.c; cleartool ann -out as -ndata -fmt '%Vn|,%Vn\n' foo.c; cat as; wc -l < foo.c.ann
Annotated result written to "foo.c.ann".
Annotated result written to "as".
/main/4
/main/2
/main/1
9
$ cleartool annotate -nheader -all -out - -fmt '%Vn   |' -rmfmt 'DEL %Vn|' foo.c
/main/1   |1
DEL /main/2|2
/main/2   |two
/main/1   |  3
DEL /main/3|4
/main/2   |5
DEL /main/4|6
/main/4   |six
$ cleartool annotate -nheader -rm -out - -rmfmt '%Vn|' foo.c
/main/2|2
/main/3|4
/main/4|6
"#,
    );
}

#[test]
fn checkouts_merges_and_refusals() {
    let project = written();
    project.sh(
        "cleartool mkbrtype -nc fix && cleartool mkbranch -nc -version /main/3 fix foo.c && sed -i '1i zero' foo.c && \
         cleartool ci -nc foo.c && cleartool co -nc foo.c && \
         cleartool merge -to foo.c -version /main/fix/LATEST && echo mine >> foo.c",
    );
    project.check(
        r#"
$ cleartool annotate -nheader -out - -fmt '%Vn|' foo.c
/main/fix/1|zero
/main/1|1
/main/2|two
/main/1|  3
/main/2|5
/main/4|six
/main/CHECKEDOUT|mine
"#
        .replace("/main/4|six\n/main/CHECKEDOUT|mine", "/main/CHECKEDOUT|sixmine")
        .as_str(),
    );
    project.check(
        r#"
$ cleartool annotate -nco -nheader -out - -fmt '%Vn|' foo.c | head -2
/main/1|1
/main/2|two
$ cleartool annotate .; cleartool annotate none foo.c@@/main/1; cleartool annotate -fmt '%Q|' foo.c 2>&1 | head -1 | cut -c-41; cleartool annotate 2>&1 | head -1
cleartool: Error: Type manager "directory" failed annotate operation: Invalid manager operation.
cleartool: Error: Unable to annotate ".".
cleartool: Error: Unable to access "none": No such file or directory.
cleartool: Error: Unable to annotate "none".
Annotated result written to "foo.c.ann".
cleartool: Error: Unrecognized format "%Q
cleartool: Error: Pathname required
"#,
    );
}
