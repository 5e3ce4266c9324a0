//! `clerestory vtree` and `lsvtree -graphical`: pictures that other programs read.

use crate::project::Project;

/// Tells what an SVG has in it, read by an XML parser that is not ours.
const READ: &str = r#"python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.stdin.buffer).getroot()
s = "{http://www.w3.org/2000/svg}"
for g in root.iter(s + "g"):
    texts = [t.text for t in g.iter(s + "text")]
    print(g.get("class"), g.get("data-id"), *texts)
for p in root.iter(s + "path"):
    if p.get("class") == "merge": print("arrow", p.get("data-from"), p.get("data-to"))
print("names", *[t.text for t in root.iter(s + "text") if t.get("class") == "name"])
'"#;

/// foo.c with a branch, two labels, a run of two versions, a merge and a checkout.
fn grown() -> Project {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc fix && cleartool mkbranch -nc -version /main/1 fix foo.c && echo fix >> foo.c && \
         cleartool ci -nc foo.c && for number in 3 4 5 6; do cleartool co -nc foo.c && echo $number >> foo.c && \
         cleartool ci -c \"number <$number>\" foo.c; done && \
         cleartool mkhlink Merge foo.c@@/main/fix/1 foo.c@@/main/5 && \
         cleartool mklbtype -nc REL1 'R+D' && cleartool mklabel -version /main/2 REL1 foo.c && \
         cleartool mklabel -version /main/2 'R+D' foo.c && cleartool co -nc foo.c",
    );
    project
}

#[test]
fn every_version_label_and_arrow_is_drawn_once() {
    let project = grown();
    let drawn = project.sh(&format!("clerestory vtree --svg foo.c | {READ}"));
    let expected = "\
node branch /main main
node version /main/0 0
node version /main/1 1
node version /main/2 2 REL1, R+D
node run /main/3 ⋮ 2 versions
node version /main/5 5
node version /main/6 6
node branch /main/fix fix
node version /main/fix/0 0
node version /main/fix/1 1
node checkout /main/CHECKEDOUT CHECKEDOUT v
arrow /main/fix/1 /main/5
names foo.c
";
    assert_eq!(drawn, expected);
    let all = project.sh(&format!("clerestory vtree --svg --all -o tree.svg foo.c && {READ} < tree.svg"));
    let each = "node version /main/3 3\nnode version /main/4 4\n";
    assert_eq!(all, expected.replace("node run /main/3 ⋮ 2 versions\n", each));
}

#[test]
fn a_tree_of_hundreds_of_versions_and_odd_names_stays_a_document() {
    let project = Project::empty();
    project.sh(
        "cleartool co -nc . && touch 'a<b&\"c' && printf '\\377' > name && \
         mv 'a<b&\"c' \"$(printf 'a<b&\"\\377')\" && cleartool mkelem -nc -ci a* && cleartool ci -nc . && rm name",
    );
    let drawn = project.sh(&format!(
        "clerestory vtree --svg a* src nothing 2>&1 | {READ}; clerestory vtree --svg a* | {READ}"
    ));
    assert!(
        drawn.ends_with(
            "node branch /main main\nnode version /main/0 0\nnode version /main/1 1\nnames a<b&\"\u{fffd}\n"
        ),
        "{drawn}"
    );
}

#[test]
fn a_terminal_gets_lines_and_a_browser_a_page() {
    let project = grown();
    project.check(
        r#"
$ clerestory vtree foo.c src/bar.c nothing
clerestory: Unable to access "nothing": No such file or directory.
foo.c
└─ main
   ├─ 0
   ├─ 1
   │  └─ fix
   │     ├─ 0
   │     └─ 1  -> /main/5
   ├─ 2  (REL1, R+D)
   ├─ ... 2 versions
   ├─ 5  <- /main/fix/1
   └─ 6
      └─ CHECKEDOUT view "v"
src/bar.c
└─ main
   ├─ 0
   └─ 1
[exit 1]
$ clerestory vtree --branch fix foo.c
foo.c
└─ fix
   ├─ 0
   └─ 1  -> /main/5
$ script -qec 'clerestory vtree src/bar.c' /dev/null | grep -c "$(printf '\033')"; NO_COLOR=1 script -qec 'clerestory vtree src/bar.c' /dev/null | grep -c "$(printf '\033')"
4
0
[exit 1]
$ unset DISPLAY WAYLAND_DISPLAY; mkdir -p t && TMPDIR=t cleartool lsvtree -graphical foo.c | sed 's/[0-9][0-9]*/N/g'; stat -c %a t/*; grep -c '<svg' t/*
Version tree written to "t/clerestory-vtree.N.N.html".
600
1
$ printf '#!/bin/sh\ngrep -c "number &lt;6&gt;" "$1" > seen.new; mv seen.new seen\n' > browser && chmod +x browser && CLERESTORY_BROWSER=./browser cleartool lsvtree -g foo.c; until test -e seen; do :; done; cat seen
1
$ CLERESTORY_BROWSER=./nothing TMPDIR=t cleartool lsvtree -g foo.c 2>&1 | sed 's/[0-9]\+/N/g'; cleartool lsvtree -g -json foo.c; cleartool lsvtree -g nothing
cleartool: Error: Unable to run "./nothing": No such file or directory. The version tree is in "t/clerestory-vtree.N.N.html".
cleartool: Error: Option -graphical may not be given with -fmt or -json
Usage: lsvtree [-graphical [-nmerge]] [-nrecurse] [-short | -fmt format | -json] [-all] [-merge] [-nco] [-obsolete] [-branch branch-pname] pname ...
cleartool: Error: Unable to access "nothing": No such file or directory.
[exit 1]
"#,
    );
}
