//! Names that were removed, moved or linked in one view show at once, there and elsewhere, to processes that
//! looked before.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::project::Project;

fn other_view(project: &Project) -> PathBuf {
    project.world.make_view("w");
    project.world.in_view("w", "/vobs/x")
}

/// The names in a directory; asked of the kernel twice, so that it has them.
fn names(directory: &Path) -> Vec<String> {
    let list = || -> Vec<String> {
        let entries = fs::read_dir(directory).expect("the directory can be listed").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let first = list();
    assert_eq!(first, list());
    first
}

#[track_caller]
fn missing(path: &Path) {
    match fs::symlink_metadata(path) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{path:?}"),
        Ok(found) => panic!("{path:?} is there: {found:?}"),
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

#[test]
fn the_own_view_sees_each_change_and_the_other_sees_the_checkin() {
    let project = Project::small();
    let (own, other) = (project.directory.clone(), other_view(&project));
    for view in [&own, &other] {
        assert_eq!(names(view), ["foo.c", "lost+found", "src"]);
        missing(&view.join("new.c"));
        missing(&view.join("src/deep.c"));
        missing(&view.join("link"));
        text(&view.join("foo.c"));
    }
    project.sh("cleartool co -nc . src && cleartool mv foo.c new.c && cleartool ln new.c src/deep.c && \
                cleartool ln -s new.c link");
    missing(&own.join("foo.c"));
    assert_eq!(text(&own.join("new.c")), "one\ntwo\n");
    assert_eq!(text(&own.join("link")), "one\ntwo\n");
    assert_eq!(text(&own.join("src/deep.c")), "one\ntwo\n");
    assert_eq!(names(&own), ["link", "lost+found", "new.c", "src"]);
    project.sh("cleartool rmname link");
    missing(&own.join("link"));
    assert_eq!(names(&other), ["foo.c", "lost+found", "src"]);
    missing(&other.join("new.c"));
    project.sh("cleartool ci -nc . src");
    missing(&other.join("foo.c"));
    missing(&other.join("link"));
    assert_eq!(text(&other.join("new.c")), "one\ntwo\n");
    assert_eq!(text(&other.join("src/deep.c")), "one\ntwo\n");
    assert_eq!(names(&other), ["lost+found", "new.c", "src"]);
    assert_eq!(names(&other.join("src")), ["bar.c", "deep.c"]);
}

#[test]
fn a_moved_directory_keeps_its_tree_its_private_files_and_its_working_directories() {
    let project = Project::small();
    let (own, other) = (project.directory.clone(), other_view(&project));
    project.sh("echo private > src/private && mkdir src/dir && echo deep > src/dir/deep");
    fs::write(other.join("src/theirs"), "theirs\n").expect("a private file can be made");
    assert_eq!(names(&own.join("src")), ["bar.c", "dir", "private"]);
    // A shell that stands in it goes on.
    let said = project.sh(
        "cd src && cleartool co -nc .. && cleartool mv . ../lib && ls && cat bar.c private dir/deep && \
         echo late > late && cleartool co -nc bar.c && echo two >> bar.c && cleartool ci -nc bar.c && cat ../lib/bar.c",
    );
    let expected = "Checked out \"..\" from version \"/main/1\".\nMoved \".\" to \"../lib\".\nbar.c\ndir\nprivate\n\
                    bar\nprivate\ndeep\nChecked out \"bar.c\" from version \"/main/1\".\n\
                    Checked in \"bar.c\" version \"/main/2\".\nbar\ntwo\n";
    assert_eq!(said, expected);
    missing(&own.join("src"));
    assert_eq!(names(&own.join("lib")), ["bar.c", "dir", "late", "private"]);
    assert_eq!(text(&own.join("lib/late")), "late\n");
    assert_eq!(names(&other.join("src")), ["bar.c", "theirs"]);
    missing(&other.join("lib"));
    // So does one in the other view, where the directory moves now.
    let line = format!("(cd {} && cleartool ci -nc .) && /bin/pwd && cat theirs ../lib/bar.c", own.display());
    let said = project.world.sh(&other.join("src"), &line).ok();
    let expected =
        format!("Checked in \".\" version \"/main/2\".\n{}\ntheirs\nbar\ntwo\n", other.join("lib").display());
    assert_eq!(said, expected);
    missing(&other.join("src"));
    assert_eq!(names(&other.join("lib")), ["bar.c", "theirs"]);
    assert_eq!(text(&other.join("lib/bar.c")), "bar\ntwo\n");
}

#[test]
fn rules_for_the_new_place_hold_at_once() {
    let project = Project::small();
    let own = project.directory.clone();
    project.sh("cleartool co -nc src/bar.c && echo two >> src/bar.c && cleartool ci -nc src/bar.c");
    let spec = "element * CHECKEDOUT\nelement old/... /main/1\nelement * /main/LATEST\n";
    project.world.set_spec("v", spec);
    assert_eq!(text(&own.join("src/bar.c")), "bar\ntwo\n");
    project.sh("cleartool co -nc . && cleartool mv src old");
    assert_eq!(text(&own.join("old/bar.c")), "bar\n");
    project.sh("cleartool mv old src");
    assert_eq!(text(&own.join("src/bar.c")), "bar\ntwo\n");
}

#[test]
fn a_version_that_is_changed_in_place_changes_in_every_view() {
    let project = Project::small();
    let (own, other) = (project.directory.clone(), other_view(&project));
    let version = other.join("src@@/main/1");
    for directory in [&own.join("src"), &other.join("src"), &version] {
        assert_eq!(names(directory), ["bar.c"]);
        missing(&directory.join("link"));
        missing(&directory.join("foo.c"));
        assert!(fs::metadata(directory.join("bar.c")).is_ok());
    }
    project.sh("cleartool ln -nco foo.c src/foo.c && cleartool ln -nco -s foo.c src/link && \
                cleartool rmname -nco src/bar.c");
    for directory in [&own.join("src"), &other.join("src"), &version] {
        assert_eq!(names(directory), ["foo.c", "link"]);
        missing(&directory.join("bar.c"));
        assert!(fs::symlink_metadata(directory.join("link")).is_ok());
    }
    assert_eq!(text(&other.join("src/link")), "one\ntwo\n");
    project.sh("cleartool rmname -nco src/link");
    for directory in [&own.join("src"), &other.join("src"), &version] {
        missing(&directory.join("link"));
    }
}

#[test]
fn what_was_done_survives_a_crash_of_the_daemon() {
    let project = Project::small();
    project.sh(
        "cleartool co -nc . src && cleartool mv foo.c src/moved.c && cleartool ln -nco -s a lost+found/x; \
                cleartool ln -s text link && cleartool rmname src/bar.c && cleartool ci -nc . src && \
                cleartool ln -nco src/moved.c src/again.c",
    );
    let before = project.sh("ls -R . && cat src/moved.c src/again.c src@@/main/1/bar.c/main/LATEST");
    project.world.kill_daemon();
    project.world.ct(&["lsview"]).ok();
    assert_eq!(project.sh("ls -R . && cat src/moved.c src/again.c src@@/main/1/bar.c/main/LATEST"), before);
}

#[test]
fn a_directory_with_two_names_shows_by_each_what_the_rules_say_of_it() {
    let project = Project::small();
    let own = project.directory.clone();
    project.sh(
        "cleartool co -nc src/bar.c . src && echo two >> src/bar.c && echo n > src/new.c && \
                cleartool mkelem -nc -ci src/new.c && cleartool ci -nc src/bar.c src && cleartool ln src old && \
                cleartool mv src new && cleartool ci -nc .",
    );
    let spec =
        "element * CHECKEDOUT\nelement old/bar.c /main/1\nelement old/new.c -none\nelement * /main/LATEST\n";
    project.world.set_spec("v", spec);
    let is_right = |round: usize| {
        assert_eq!(text(&own.join("old/bar.c")), "bar\n", "round {round}");
        missing(&own.join("old/new.c"));
        assert_eq!(names(&own.join("old")), ["bar.c"], "round {round}");
        assert_eq!(text(&own.join("new/bar.c")), "bar\ntwo\n", "round {round}");
        assert_eq!(text(&own.join("new/new.c")), "n\n", "round {round}");
        assert_eq!(names(&own.join("new")), ["bar.c", "new.c"], "round {round}");
    };
    for round in 0..50 {
        is_right(round);
        assert_eq!(names(&own), ["foo.c", "lost+found", "new", "old"]);
    }
    // A command that comes by the other name does not lead those astray who are there by this one.
    for round in 0..5 {
        assert_eq!(text(&own.join("old/bar.c")), "bar\n");
        assert_eq!(
            project.sh("cleartool ls -short -vob_only new"),
            "new/bar.c@@/main/2\nnew/new.c@@/main/1\n"
        );
        missing(&own.join("old/new.c"));
        assert_eq!(text(&own.join("new/bar.c")), "bar\ntwo\n");
        assert!(project.sh("cleartool ls -short -vob_only old").starts_with("old/bar.c@@/main/1\n"));
        is_right(round);
    }
    // Rules that lead the other way round.
    let spec = spec.replace("old/", "new/");
    project.world.set_spec("v", &spec);
    assert_eq!(names(&own.join("old")), ["bar.c", "new.c"]);
    assert_eq!(names(&own.join("new")), ["bar.c"]);
    assert_eq!(text(&own.join("old/bar.c")), "bar\ntwo\n");
    assert_eq!(text(&own.join("new/bar.c")), "bar\n");
}

#[test]
fn a_private_file_that_becomes_the_data_of_a_checkout_shows_by_every_name() {
    let project = Project::small();
    let own = project.directory.clone();
    project.sh("cleartool co -nc src && cleartool ln foo.c src/other.c && cleartool co -nc . foo.c && \
                cleartool mv foo.c moved.c && rm moved.c && echo mine > foo.c");
    missing(&own.join("src/other.c"));
    assert_eq!(names(&own.join("src")), ["bar.c"]);
    project.sh("cleartool unco -rm .");
    assert_eq!(names(&own.join("src")), ["bar.c", "other.c"]);
    assert_eq!(text(&own.join("src/other.c")), "mine\n");
    assert_eq!(text(&own.join("foo.c")), "mine\n");
}

#[test]
fn who_works_in_a_view_keeps_his_place_while_others_come_and_go() {
    let project = Project::small();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let mut rounds = 0;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                project.sh("cd src && for i in 1 2 3 4 5; do /bin/pwd > /dev/null && cleartool ls bar.c || exit 9; done");
                rounds += 1;
            }
            rounds
        });
        for round in 0..12 {
            let tag = format!("t{round}");
            project.world.make_view(&tag);
            let place = project.world.in_view(&tag, "/vobs/x");
            assert_eq!(names(&place), ["foo.c", "lost+found", "src"]);
            fs::write(place.join("mine"), "mine").expect("a private file can be made");
            project.world.ct(&["rmview", "-force", "-tag", &tag]).ok();
            missing(&place);
            missing(&project.world.viewroot().join(&tag));
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(work.join().expect("it ends") > 0);
    });
    project.world.make_view("t0");
    let place = project.world.in_view("t0", "/vobs/x");
    missing(&place.join("mine"));
    assert_eq!(text(&place.join("foo.c")), "one\ntwo\n");
}
