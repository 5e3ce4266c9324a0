//! `edcs` with editors that are scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::config_specs::{check_outside, on_a_terminal, open_project};
use crate::project::Project;

/// Makes a program of a shell script, for commands of this project; `$1` is the file that an editor edits.
#[track_caller]
fn program(project: &Project, name: &str, script: &str) {
    let path = project.world.root().join("bin").join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
}

/// A project with an empty directory `tmp` for copies.
#[track_caller]
fn project() -> Project {
    let project = open_project();
    fs::create_dir(project.world.root().join("tmp")).expect("made");
    project
}

/// The copies that were left in `tmp`.
#[track_caller]
fn copies(project: &Project) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.world.root().join("tmp")).expect("can be listed");
    entries.map(|entry| entry.expect("can be listed").path()).collect()
}

const DEFAULT: &str = "element * CHECKEDOUT\nelement * /main/LATEST\n";

#[test]
fn an_edited_copy_is_set_after_a_question() {
    let project = project();
    program(&project, "first", "stat -c '%a %F' \"$1\"; pwd; dirname \"$1\"; sed -i 's/LATEST/1/' \"$1\"");
    program(&project, "last", "cat \"$1\"; sed -i 's/1$/LATEST/' \"$1\"");
    check_outside(
        &project,
        r#"
$ echo | TMPDIR=$HOME/tmp EDITOR=first cleartool edcs -tag v
600 regular file
WORLD/tmp
WORLD/tmp
Set config spec for view "v"?  [yes] 
$ cat view/v/vobs/x/foo.c; cleartool catcs -tag v; ls tmp
one
element * CHECKEDOUT
element * /main/1
$ printf 'maybe\nyEs\n' | TMPDIR=tmp EDITOR=last cleartool edcs -tag v; cat view/v/vobs/x/foo.c
element * CHECKEDOUT
element * /main/1
Set config spec for view "v"?  [yes] Please answer with one of the following: yes, no
Set config spec for view "v"?  [yes] one
two
$ printf 'N\n' | TMPDIR=$HOME/tmp EDITOR=first cleartool edcs -tag v > /dev/null; cleartool catcs -tag v; ls tmp
element * CHECKEDOUT
element * /main/LATEST
$ cd view/v/vobs/x && TMPDIR=$HOME/tmp EDITOR=first cleartool edcs < /dev/null | tail -1; cat foo.c; ls $HOME/tmp
Set config spec for view "v"?  [yes] 
one
"#,
    );
}

#[test]
fn the_editor_is_the_products_choice() {
    let project = project();
    for name in ["vi", "by_editor", "by_visual", "by_winedit"] {
        program(&project, name, "echo $0 $* | sed 's|.*/bin/||; s|[^ ]*/config_spec[^ ]*|COPY|'");
    }
    check_outside(
        &project,
        r#"
$ cleartool edcs -tag v < /dev/null
vi COPY
Set config spec for view "v"?  [yes] 
$ EDITOR='by_editor -a "b  c"' cleartool edcs -tag v < /dev/null
by_editor -a b c COPY
Set config spec for view "v"?  [yes] 
$ EDITOR=by_editor VISUAL=by_visual cleartool edcs -tag v < /dev/null
by_visual COPY
Set config spec for view "v"?  [yes] 
$ EDITOR=by_editor VISUAL=by_visual WINEDITOR=by_winedit cleartool edcs -tag v < /dev/null
by_winedit COPY
Set config spec for view "v"?  [yes] 
$ cleartool catcs -tag v
element * CHECKEDOUT
element * /main/LATEST
"#,
    );
}

#[test]
fn an_editor_that_fails_sets_nothing() {
    let project = project();
    let world = &project.world;
    check_outside(
        &project,
        r#"
$ TMPDIR=$HOME/tmp EDITOR='sh -c "exit 3"' cleartool edcs -tag v
cleartool: Error: Editor "sh -c "exit 3"" ended with status 3.
[exit 1]
$ TMPDIR=$HOME/tmp EDITOR=no_such_editor cleartool edcs -tag v 2>&1 | grep cleartool
cleartool: Error: Editor "no_such_editor" ended with status 127.
$ TMPDIR=$HOME/nowhere EDITOR=cat cleartool edcs -tag v 2>&1 | sed 's/config_spec[0-9.]*/COPY/'
cleartool: Error: Unable to create file "WORLD/nowhere/COPY": No such file or directory.
$ cleartool catcs -tag v; ls tmp
element * CHECKEDOUT
element * /main/LATEST
"#,
    );
    // What it wrote before it failed is not lost.
    program(&project, "half", "echo changed > \"$1\"; exit 1");
    let said = world.sh(world.root(), "TMPDIR=$HOME/tmp EDITOR=half cleartool edcs -tag v").refused();
    let kept = copies(&project);
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(
        said,
        format!(
            "cleartool: Error: Editor \"half\" ended with status 1.\n\
             cleartool: Error: Edited config spec is kept in \"{}\".\n",
            kept.display()
        )
    );
    assert_eq!(fs::read(kept).expect("kept"), b"changed\n");
    assert_eq!(world.ct(&["catcs", "-tag", "v"]).ok(), DEFAULT);
}

#[test]
fn edited_text_that_does_not_compile_is_kept() {
    let project = project();
    let world = &project.world;
    program(&project, "spoil", "echo elephant >> \"$1\"");
    let said = world.sh(world.root(), "echo yes | TMPDIR=$HOME/tmp EDITOR=spoil cleartool edcs -tag v");
    let said = said.refused();
    let kept = copies(&project);
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with(&format!("cleartool: Error: {}:3:1: unknown rule", kept.display())),
        "{said}"
    );
    let last = format!("cleartool: Error: Edited config spec is kept in \"{}\".", kept.display());
    assert_eq!(lines[1..], ["cleartool: Error: Unable to set config spec.", &last]);
    assert_eq!(fs::read_to_string(kept).expect("kept"), format!("{DEFAULT}elephant\n"));
    assert_eq!(kept.metadata().expect("kept").permissions().mode() & 0o777, 0o600);
    assert_eq!(world.ct(&["catcs", "-tag", "v"]).ok(), DEFAULT);
    assert_eq!(project.sh("cat foo.c"), "one\ntwo\n");
    // Text that was not changed is no loss.
    let storage = world.home().join("views/v.vws/config_spec");
    fs::write(storage, "elephant\n").expect("spoiled");
    world.sh(world.root(), "echo yes | TMPDIR=$HOME/tmp EDITOR=true cleartool edcs -tag v").refused();
    assert_eq!(copies(&project), std::slice::from_ref(kept));
}

#[test]
fn at_a_terminal_the_text_can_be_edited_again() {
    let project = project();
    let world = &project.world;
    program(
        &project,
        "mend",
        "grep -q elephant \"$1\" && sed -i /elephant/d \"$1\" || echo elephant >> \"$1\"",
    );
    let output = on_a_terminal(world, "TMPDIR=$HOME/tmp EDITOR=mend cleartool edcs -tag v", "yes\ny\nyes\n");
    assert_eq!(output.status, 0, "{output:#?}");
    let asked = |question: &str| output.stdout.matches(question).count();
    assert_eq!(asked("Set config spec for view \"v\"?  [yes] "), 2, "{output:#?}");
    assert_eq!(asked("Edit the config spec again?  [no] "), 1, "{output:#?}");
    assert_eq!(asked("unknown rule \"elephant\""), 1, "{output:#?}");
    assert_eq!((world.ct(&["catcs", "-tag", "v"]).ok(), copies(&project)), (DEFAULT.to_owned(), vec![]));
}

#[test]
fn a_named_file_is_edited_in_its_place_and_set() {
    let project = project();
    program(&project, "write", "printf 'element * CHECKEDOUT\\ninclude rules.cs\\n' > \"$1\"; pwd");
    check_outside(
        &project,
        r#"
$ mkdir dir; echo 'element * /main/1' > dir/rules.cs
$ cd dir && echo y | EDITOR=write cleartool edcs -tag v -- -new
WORLD/dir
Set config spec for view "v"?  [yes] 
$ cleartool catcs -tag v; cat view/v/vobs/x/foo.c; ls dir
element * CHECKEDOUT
include rules.cs
one
-new
rules.cs
$ echo 'elephant' >> dir/-new; EDITOR=true cleartool edcs -tag v dir/-new < /dev/null
Set config spec for view "v"?  [yes] 
cleartool: Error: WORLD/dir/-new:3:1: unknown rule "elephant" (expected element, mkbranch, time, end, include or load).
cleartool: Error: Unable to set config spec.
[exit 1]
$ EDITOR=true cleartool edcs -tag v dir/nothing
cleartool: Error: Unable to access "dir/nothing": No such file or directory.
[exit 1]
$ EDITOR='sed -i 1d' cleartool edcs -tag v < /dev/null; cleartool catcs -tag v; cleartool setcs -tag v -current
Set config spec for view "v"?  [yes] 
include rules.cs
"#,
    );
}

#[test]
fn an_interrupt_ends_the_editor_alone() {
    let project = project();
    // As a terminal does it: the signal reaches the editor, the shell that runs it, and the command.
    program(&project, "deaf", "trap : INT; kill -INT 0; echo '# after' >> \"$1\"");
    program(&project, "ends", "kill -INT 0; echo '# not reached' >> \"$1\"");
    let edit = |editor: &str| {
        let line =
            format!("TMPDIR=$HOME/tmp EDITOR={editor} exec setsid -w cleartool edcs -tag v < /dev/null");
        project.world.sh(project.world.root(), &line)
    };
    edit("deaf").ok();
    let said = edit("ends").refused_in_one_line();
    assert!(said.starts_with("cleartool: Error: Editor \"ends\" ended with "), "{said}");
    assert_eq!(project.world.ct(&["catcs", "-tag", "v"]).ok(), format!("{DEFAULT}# after\n"));
}
