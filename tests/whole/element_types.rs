//! Element types: chosen by magic files, and what their type managers refuse.

use std::fs;

use crate::project::Project;

#[test]
fn magic_files_choose_the_element_type() {
    let project = Project::empty();
    let magic = project.world.root().join("site");
    fs::create_dir(&magic).expect("a directory");
    fs::write(
        magic.join("a.magic"),
        "# the site's own\nmine text_file : -name \"*.m\" ;\nfirst second compressed_file : -magic 0, \"<Maker\" ;\n",
    )
    .expect("written");
    fs::write(magic.join("b.magic"), "nobody : -name \"*.n\" ; text_file : -name \"*\" & \\\n -printable ;")
        .expect("written");
    fs::write(magic.join("ignored"), "none of the language").expect("written");
    project.sh("cleartool mkeltype -nc -supertype compressed_file second; cleartool co -nc .");
    project.check(
        r#"
$ export MAGIC_PATH=~/nowhere:~/site; echo '<MakerFile' > frame; cleartool mkelem -nc x.m frame x.n y; printf '\0' > z
Created element "x.m" (type "text_file").
Checked out "x.m" from version "/main/0".
Created element "frame" (type "second").
Checked out "frame" from version "/main/0".
cleartool: Error: Can't pick element type from rules in "WORLD/nowhere:WORLD/site".
cleartool: Error: The VOB has none of the element types: nobody
cleartool: Error: Unable to create element "x.n".
Created element "y" (type "text_file").
Checked out "y" from version "/main/0".
$ export MAGIC_PATH=~/site; cleartool mkelem -nc z; cleartool mkelem -nc -eltype file x.n
cleartool: Error: Can't pick element type from rules in "WORLD/site".
cleartool: Error: Unable to create element "z".
Created element "x.n" (type "file").
Checked out "x.n" from version "/main/0".
$ echo 'x : -loud ;' > ~/site/c.magic; MAGIC_PATH=~/site/c.magic cleartool mkelem -nc q
cleartool: Error: Magic file "WORLD/site/c.magic":1: expected a test: -name, -stat, -printable, -token, -magic or -file.
[exit 1]
$ mkdir -p ~/home/config/magic; cp ~/site/a.magic ~/home/config/magic/default.magic; cleartool mkelem -nc p.m q.c
Created element "p.m" (type "text_file").
Checked out "p.m" from version "/main/0".
cleartool: Error: Can't pick element type from rules in magic files.
cleartool: Error: Unable to create element "q.c".
[exit 1]
$ echo 'text_file : -name "*.c" ;' > ~/.magic; cleartool mkelem -nc q.c
Created element "q.c" (type "text_file").
Checked out "q.c" from version "/main/0".
"#,
    );
}

#[test]
fn the_rules_of_the_program_go_by_name_and_contents() {
    let project = Project::empty();
    project.sh(
        "cleartool co -nc .; printf 'a\\0b' > binary; echo text > README; printf '\\0' > odd.c; echo x > x.html; mkdir dir; \
         cleartool mkeltype -nc -supertype text_file c_source",
    );
    project.check(
        r#"
$ cleartool file README binary odd.c x.html new.c new.gif dir ~
README: text_file
binary: compressed_file
odd.c: compressed_file
x.html: html
new.c: c_source
new.gif: compressed_file
dir: directory
WORLD: directory
$ cleartool file -all new.c x.html; cd ~; cleartool file -invob /vobs/x nothing.h; cleartool file nothing.h
new.c: c_source source text_file
x.html: html web_file source text_file
nothing.h: text_file
cleartool: Error: Pathname is not within a VOB: "nothing.h"
[exit 1]
$ cleartool file 2>&1 | head -1; cleartool mkelem -nc README binary x.html
cleartool: Error: Pathname required
Created element "README" (type "text_file").
Checked out "README" from version "/main/0".
Created element "binary" (type "compressed_file").
Checked out "binary" from version "/main/0".
Created element "x.html" (type "html").
Checked out "x.html" from version "/main/0".
"#,
    );
}

#[test]
fn every_vob_has_the_predefined_element_types() {
    let project = Project::empty();
    project.check(
        r#"
$ cleartool lstype -short -kind eltype
binary_delta_file
compressed_file
compressed_text_file
directory
file
file_system_object
html
ms_word
rose
text_file
xml
$ for t in directory file compressed_file text_file compressed_text_file binary_delta_file html xml ms_word rose; do cleartool describe eltype:$t | sed -n 's/^  type manager: //p;s/^  supertype: //p' | paste -sd ' '; done
directory file_system_object
whole_copy file_system_object
z_whole_copy file
text_file_delta file
z_text_file_delta text_file
binary_delta file
_html text_file
_xml text_file
_ms_word file
_rose text_file
"#,
    );
}

#[test]
fn text_managers_take_text_alone() {
    let project = Project::empty();
    project.sh(
        "cleartool co -nc .; head -c 8000 /dev/zero | tr '\\0' a > long; echo >> long; cp long longer; \
         (echo short; printf a; cat long) > longer; printf 'a\\0b\\n' > nul; \
         cleartool mkeltype -nc -supertype compressed_text_file own",
    );
    project.check(
        r#"
$ cleartool mkelem -nc -ci -eltype text_file long longer nul
Created element "long" (type "text_file").
Checked out "long" from version "/main/0".
Checked in "long" version "/main/1".
Created element "longer" (type "text_file").
Checked out "longer" from version "/main/0".
text_file_delta: Error: "longer" is not a 'text file': it contains a line exceeding 8000 bytes.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "longer".
Created element "nul" (type "text_file").
Checked out "nul" from version "/main/0".
text_file_delta: Error: "nul" is not a 'text file': it contains a NUL byte.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "nul".
[exit 1]
$ cleartool ls -short nul longer; test -w nul; cleartool ci -nc nul longer
nul@@/main/CHECKEDOUT
longer@@/main/CHECKEDOUT
text_file_delta: Error: "nul" is not a 'text file': it contains a NUL byte.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "nul".
text_file_delta: Error: "longer" is not a 'text file': it contains a line exceeding 8000 bytes.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "longer".
[exit 1]
$ echo text > nul; cleartool ci -nc nul; cp longer c; cp longer o; cleartool mkelem -nc -ci -eltype compressed_file c
Checked in "nul" version "/main/1".
Created element "c" (type "compressed_file").
Checked out "c" from version "/main/0".
Checked in "c" version "/main/1".
$ cleartool mkelem -nc -eltype own o; cleartool ci -nc o; cleartool ci -nc -from c nul; cleartool co -nc nul
Created element "o" (type "own").
Checked out "o" from version "/main/0".
z_text_file_delta: Error: "o" is not a 'text file': it contains a line exceeding 8000 bytes.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "z_text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "o".
cleartool: Error: No branch of element is checked out to view "HOST:WORLD/home/views/v.vws".
cleartool: Error: Unable to find checked out version for "nul".
Checked out "nul" from version "/main/1".
$ cleartool ci -nc -rm -from c nul; head -c 17000000 /dev/zero > nul; cleartool ci -nc nul
text_file_delta: Error: "nul" is not a 'text file': it contains a line exceeding 8000 bytes.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "nul".
text_file_delta: Error: "nul" is not a 'text file': it contains a NUL byte.
Use a different type manager (such as compressed file).
cleartool: Error: Type manager "text_file_delta" failed create_version operation.
cleartool: Error: Unable to check in "nul".
[exit 1]
$ yes 'a line of text' | head -c 17000000 > nul; cleartool ci -nc nul
Checked in "nul" version "/main/2".
"#,
    );
}

#[test]
fn imports_take_what_type_managers_would_refuse() {
    let long = "x".repeat(9000);
    let project = Project::imported(|stream| {
        let parents = crate::repository::Parents { first: None, merged: &[] };
        stream.commit("main", 1_600_000_000, parents);
        stream.file("long.txt", &long);
    });
    assert_eq!(fs::read_to_string(project.directory.join("long.txt")).expect("the version"), long);
}
