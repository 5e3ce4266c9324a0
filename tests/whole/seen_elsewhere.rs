//! What one view does shows in another at the right moment: at checkin at once, before it not at all.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::project::Project;

fn other_view(project: &Project) -> PathBuf {
    project.world.make_view("w");
    project.world.in_view("w", "/vobs/x")
}

#[test]
fn a_checkin_shows_at_once_to_a_process_that_looked_before() {
    let project = Project::small();
    let other = other_view(&project);
    for number in 3..8 {
        // This process has just looked, and read: the kernel has name, attributes and pages.
        let before = fs::metadata(other.join("foo.c")).expect("foo.c is there");
        let text = fs::read_to_string(other.join("foo.c")).expect("foo.c can be read");
        project.sh(&format!("cleartool co -nc foo.c && echo line {number} >> foo.c"));
        assert_eq!(fs::read_to_string(other.join("foo.c")).expect("still there"), text, "before the checkin");
        let said = project.sh("cleartool ci -nc foo.c");
        assert_eq!(said, format!("Checked in \"foo.c\" version \"/main/{number}\".\n"));
        let after = fs::metadata(other.join("foo.c")).expect("foo.c is there");
        assert!(after.len() > before.len());
        let new = fs::read_to_string(other.join("foo.c")).expect("foo.c can be read");
        assert_eq!(new, format!("{text}line {number}\n"));
        assert!(other.join(format!("foo.c@@/main/{number}")).exists());
        let latest = fs::read_to_string(other.join("foo.c@@/main/LATEST")).expect("LATEST can be read");
        assert_eq!(latest, new);
    }
}

#[test]
fn names_of_a_directory_checkin_appear_and_negative_lookups_vanish() {
    let project = Project::small();
    let other = other_view(&project);
    let names = |directory: &str| -> Vec<String> {
        let entries = fs::read_dir(other.join(directory)).expect("can be listed").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let missing = |path: &str| match fs::metadata(other.join(path)) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
        Ok(found) => panic!("{path} is there already: {found:?}"),
    };
    assert_eq!(names("src"), ["bar.c"]);
    missing("src/new.c");
    missing("src/deep");
    project.sh("cleartool co -nc src && echo new > src/new.c && cleartool mkelem -nc -ci src/new.c && \
         cleartool mkdir -nc src/deep && echo x > src/deep/x && cleartool mkelem -nc -ci src/deep/x && \
         cleartool ci -nc src/deep");
    missing("src/new.c");
    assert_eq!(names("src"), ["bar.c"]);
    project.sh("cleartool ci -nc src");
    assert_eq!(fs::read_to_string(other.join("src/new.c")).expect("it is there now"), "new\n");
    assert_eq!(fs::read_to_string(other.join("src/deep/x")).expect("it is there now"), "x\n");
    assert_eq!(names("src"), ["bar.c", "deep", "new.c"]);
}

#[test]
fn private_files_stay_in_their_view() {
    let project = Project::small();
    let other = other_view(&project);
    project.sh("echo mine > mine && mkdir dir && ln -s foo.c link");
    for name in ["mine", "dir", "link"] {
        assert!(project.directory.join(name).symlink_metadata().is_ok());
        assert!(other.join(name).symlink_metadata().is_err(), "{name}");
    }
    fs::write(other.join("mine"), "the other's\n").expect("the name is free here");
    assert_eq!(project.sh("cat mine"), "mine\n");
}

#[test]
fn two_views_with_different_specs_show_different_trees_at_once() {
    let project = Project::small();
    let other = other_view(&project);
    project.world.set_spec("w", "element foo.c /main/1\nelement * /main/LATEST\n");
    let diff = project.world.sh(&project.directory, &format!("diff -r . {}", other.display()));
    assert_eq!(diff.status, 1, "{diff:?}");
    assert!(diff.stdout.contains("2d1\n< two\n"), "{diff:?}");
    assert_eq!(project.sh("cleartool catcs"), "element * CHECKEDOUT\nelement * /main/LATEST\n");
    // The other spec stays when the first view goes on.
    project.sh("cleartool co -nc foo.c && echo three >> foo.c && cleartool ci -nc foo.c");
    assert_eq!(fs::read_to_string(other.join("foo.c")).expect("foo.c can be read"), "one\n");
    project.world.set_spec("w", "element * /main/LATEST\n");
    assert_eq!(fs::read_to_string(other.join("foo.c")).expect("foo.c can be read"), "one\ntwo\nthree\n");
}

#[test]
fn a_working_directory_survives_a_checkin() {
    let project = Project::small();
    project.check(
        r#"
$ cd src; ls; cleartool co -nc . bar.c; echo more >> bar.c; cleartool ci -nc bar.c; cat bar.c; pwd | sed 's/.*vobs/vobs/'; echo n > n.c; cleartool mkelem -nc -ci n.c; cleartool ci -nc .; ls; cat n.c
bar.c
Checked out "." from version "/main/1".
Checked out "bar.c" from version "/main/1".
Checked in "bar.c" version "/main/2".
bar
more
vobs/x/src
Created element "n.c" (type "text_file").
Checked out "n.c" from version "/main/0".
Checked in "n.c" version "/main/1".
Checked in "." version "/main/2".
bar.c
n.c
n
"#,
    );
}

#[test]
fn a_program_that_holds_a_file_open_reads_on_in_its_version() {
    use std::io::Read;
    let project = Project::small();
    let mut open = fs::File::open(project.directory.join("foo.c")).expect("foo.c can be opened");
    project.sh("cleartool co -nc foo.c && printf 'quite another text\n' > foo.c && cleartool ci -nc foo.c");
    let mut text = String::new();
    open.read_to_string(&mut text).expect("the version can be read");
    assert_eq!(text, "one\ntwo\n");
}
