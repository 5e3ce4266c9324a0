//! What is removed for good is gone at the very next system call, in every view and below `@@`, for processes
//! that looked before; whoever has a file open reads on.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::world::{Output, refused_with};

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

#[track_caller]
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

#[test]
fn a_removed_element_is_gone_in_every_view_and_below_every_version() {
    let project = Project::small();
    project.sh("cleartool co -nc src && cleartool ln foo.c src/again.c && cleartool ci -nc src");
    let (own, other) = (project.directory.clone(), other_view(&project));
    project.world.set_spec("w", "element src /main/1\nelement * /main/LATEST\n");
    let places = ["foo.c", "foo.c@@/main/1", ".@@/main/1/foo.c/main/2"];
    for view in [&own, &other] {
        for place in places {
            text(&view.join(place));
        }
        assert_eq!(names(&view.join(".@@/main/1")), ["foo.c", "lost+found", "src"]);
        assert_eq!(names(&view.join("foo.c@@/main")), ["0", "1", "2", "LATEST"]);
        assert_eq!(names(view), ["foo.c", "lost+found", "src"]);
    }
    text(&own.join("src/again.c"));
    assert_eq!(names(&own.join("src")), ["again.c", "bar.c"]);
    let mut open = File::open(other.join("foo.c@@/main/1")).expect("it can be opened");
    project.sh("cleartool rmelem -force foo.c");
    for view in [&own, &other] {
        for place in places {
            missing(&view.join(place));
        }
        missing(&view.join("foo.c@@"));
        assert_eq!(names(&view.join(".@@/main/1")), ["lost+found", "src"]);
        assert_eq!(names(view), ["lost+found", "src"]);
        assert_eq!(names(&view.join("src")), ["bar.c"]);
    }
    missing(&own.join("src/again.c"));
    let mut read = String::new();
    open.read_to_string(&mut read).expect("whoever has it open reads on");
    assert_eq!(read, "one\n");
}

#[test]
fn another_version_shows_at_once_where_the_selected_one_goes() {
    let project = Project::small();
    let (own, other) = (project.directory.clone(), other_view(&project));
    project.sh("cleartool mklbtype -nc REL && cleartool mklabel REL foo.c && cleartool mkbrtype -nc br && \
                cleartool mkbranch -nc -nco br foo.c@@/main/1");
    project.world.set_spec("w", "element * .../br/LATEST\nelement * REL\nelement * /main/LATEST\n");
    assert_eq!(text(&own.join("foo.c")), "one\ntwo\n");
    assert_eq!(text(&other.join("foo.c")), "one\n");
    for view in [&own, &other] {
        assert_eq!(names(&view.join("foo.c@@/main")), ["0", "1", "2", "LATEST", "REL", "br"]);
        assert_eq!(text(&view.join("foo.c@@/main/LATEST")), "one\ntwo\n");
        assert_eq!(text(&view.join("foo.c@@/REL")), "one\ntwo\n");
        assert_eq!(text(&view.join("foo.c@@/main/2")), "one\ntwo\n");
        assert_eq!(text(&view.join("foo.c@@/main/br/0")), "one\n");
        assert_eq!(names(&view.join("foo.c@@/main/br")), ["0", "LATEST"]);
    }
    project.sh("cleartool rmbranch -force foo.c@@/main/br");
    // Now the label decides.
    assert_eq!(text(&other.join("foo.c")), "one\ntwo\n");
    for view in [&own, &other] {
        missing(&view.join("foo.c@@/main/br"));
        missing(&view.join("foo.c@@/main/br/0"));
        assert_eq!(names(&view.join("foo.c@@/main")), ["0", "1", "2", "LATEST", "REL"]);
    }
    project.sh("cleartool rmver -force -xlabel foo.c");
    for view in [&own, &other] {
        assert_eq!(text(&view.join("foo.c")), "one\n");
        assert_eq!(text(&view.join("foo.c@@/main/LATEST")), "one\n");
        missing(&view.join("foo.c@@/main/2"));
        missing(&view.join("foo.c@@/REL"));
        missing(&view.join("foo.c@@/main/REL"));
        assert_eq!(names(&view.join("foo.c@@/main")), ["0", "1", "LATEST"]);
    }
    // A version in the middle, which was looked at before.
    project.sh("for n in 3 4; do cleartool co -nc foo.c && echo $n >> foo.c && cleartool ci -nc foo.c; done");
    for view in [&own, &other] {
        assert_eq!(text(&view.join("foo.c@@/main/3")), "one\n3\n");
    }
    project.sh("cleartool rmver -force foo.c@@/main/3");
    for view in [&own, &other] {
        missing(&view.join("foo.c@@/main/3"));
        assert_eq!(text(&view.join("foo.c")), "one\n3\n4\n");
    }
}

#[test]
fn directory_versions_that_go_show_the_ones_before() {
    let project = Project::small();
    project.sh("cleartool co -nc src && echo n > src/n.c && cleartool mkelem -nc -ci src/n.c && \
                cleartool ln src/bar.c src/more.c && cleartool ci -nc src");
    let (own, other) = (project.directory.clone(), other_view(&project));
    for view in [&own, &other] {
        assert_eq!(names(&view.join("src")), ["bar.c", "more.c", "n.c"]);
        assert_eq!(names(&view.join("src@@/main/2")), ["bar.c", "more.c", "n.c"]);
        assert_eq!(text(&view.join("src/n.c")), "n\n");
        assert_eq!(text(&view.join("src/more.c")), "bar\n");
        assert_eq!(names(&view.join("lost+found")), Vec::<String>::new());
    }
    project.sh("cleartool rmver -force src");
    for view in [&own, &other] {
        missing(&view.join("src/n.c"));
        missing(&view.join("src/more.c"));
        missing(&view.join("src@@/main/2"));
        assert_eq!(names(&view.join("src")), ["bar.c"]);
        assert_eq!(names(&view.join("src@@/main")), ["0", "1", "LATEST"]);
        assert_eq!(names(&view.join("lost+found")).len(), 1);
    }
}

#[test]
fn a_removed_directory_leaves_its_working_directories_and_private_files_behind() {
    let project = Project::small();
    project.sh("cleartool co -nc src && cleartool mkdir -nc src/sub && echo d > src/sub/d.c && \
                cleartool mkelem -nc -ci src/sub/d.c && cleartool ci -nc src/sub src");
    let (own, other) = (project.directory.clone(), other_view(&project));
    project.sh("echo mine > src/mine && echo deep > src/sub/private");
    for view in [&own, &other] {
        assert_eq!(text(&view.join("src/sub/d.c")), "d\n");
        assert_eq!(text(&view.join("src/bar.c")), "bar\n");
    }
    let stand = File::open(own.join("src")).expect("a directory can be opened");
    let deeper = File::open(own.join("src/sub")).expect("a directory can be opened");
    let inside = |directory: &File, name: &str| {
        use std::os::fd::AsRawFd;
        fs::read_to_string(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
    };
    let mut open = File::open(own.join("src/mine")).expect("it is there");
    project.sh("cleartool rmelem -force src");
    for view in [&own, &other] {
        missing(&view.join("src"));
        missing(&view.join("src/bar.c"));
        missing(&view.join("src/sub/d.c"));
    }
    for name in ["bar.c", "mine", "nothing"] {
        refused_with(libc::ESTALE, inside(&stand, name));
    }
    let mut read = String::new();
    open.read_to_string(&mut read).expect("an open private file is read on");
    assert_eq!(read, "mine\n");
    // What moved to lost+found goes on, with its private files, and a shell in the removed directory can leave.
    assert_eq!(inside(&deeper, "d.c").expect("its directory moved"), "d\n");
    let lost = names(&own.join("lost+found"));
    let sub = lost.iter().find(|name| name.starts_with("sub.")).expect("it moved");
    assert_eq!(text(&own.join("lost+found").join(sub).join("private")), "deep\n");
    let told = project.sh("cleartool lsprivate | sed 's/[0-9a-f]\\{32\\}/OID/'");
    assert!(told.contains("#</vobs/x>/<DIR-OID>/mine"), "{told}");
    let oid = project.sh("cleartool lsprivate | grep -o 'DIR-[0-9a-f]*'");
    let moved = project.sh(&format!("cleartool recoverview -force -dir {} -tag v", oid.trim()));
    assert!(moved.contains(".mine"), "{moved}");
    let told = project.sh("cleartool lsprivate");
    assert!(!told.contains("/mine"), "{told}");
}

#[test]
fn a_shell_in_a_removed_directory_can_leave() {
    let project = Project::small();
    project.check(
        r#"
$ cd src; ls; cleartool rmelem -force ../src 2>/dev/null; cat bar.c; cd ..; ls; cat lost+found/bar.c.*
bar.c
Removed element "../src".
cat: bar.c: Stale file handle
foo.c
lost+found
bar
"#,
    );
}

#[test]
fn what_is_open_of_a_removed_version_is_read_on_and_of_removed_data_is_not() {
    let project = Project::small();
    // More than the kernel reads ahead.
    let line = "a line of sixty-three letters and its end, again and once more.\n";
    let whole = line.repeat(40_000);
    fs::write(project.world.root().join("big"), &whole).expect("it can be written");
    project.sh("for n in 1 2; do cleartool co -nc foo.c && (cat ~/big; echo $n) > foo.c && \
                cleartool ci -nc foo.c; done");
    let other = other_view(&project);
    let version = |number: u32| other.join(format!("foo.c@@/main/{number}"));
    let mut removed = File::open(version(3)).expect("it can be opened");
    let mut emptied = File::open(version(4)).expect("it can be opened");
    let mut start = [0; 64];
    for open in [&mut removed, &mut emptied] {
        open.read_exact(&mut start).expect("it can be read");
        assert_eq!(start, line.as_bytes());
    }
    project.sh("cleartool rmver -force foo.c@@/main/3; cleartool rmver -data -force foo.c@@/main/4");
    missing(&version(3));
    let mut rest = String::new();
    removed.read_to_string(&mut rest).expect("whoever has it open reads on");
    assert!(rest.len() == whole.len() - 64 + 2 && whole.ends_with(&rest[..rest.len() - 2]));
    emptied.seek(SeekFrom::Start(0)).expect("a file can be read again");
    refused_with(libc::ENODATA, emptied.read(&mut start));
    refused_with(libc::ENODATA, fs::read(version(4)));
    refused_with(libc::ENODATA, fs::read(other.join("foo.c")));
    refused_with(libc::ENODATA, fs::read(project.directory.join("foo.c")));
    // It is there all the same.
    assert_eq!(fs::metadata(version(4)).expect("the version is there").len(), 1);
}

#[test]
fn a_removed_name_that_was_kept_over_a_restart_is_stale() {
    let project = Project::small();
    let directory = File::open(project.directory.join("src")).expect("a directory can be opened");
    project.sh("cleartool rmelem -force src");
    project.world.kill_daemon();
    project.world.ct(&["lsview"]).ok();
    use std::os::fd::AsRawFd;
    let inside = format!("/proc/self/fd/{}/bar.c", directory.as_raw_fd());
    let refused = fs::read(inside).expect_err("the directory is gone");
    assert!(
        matches!(refused.raw_os_error(), Some(libc::ESTALE | libc::ENOTCONN | libc::ENOENT)),
        "{refused}"
    );
    drop(directory);
    missing(&project.directory.join("src"));
    assert_eq!(text(&project.directory.join("foo.c")), "one\ntwo\n");
    let told: Output =
        project.world.sh(&project.directory, "ls . lost+found | sed 's/[.][0-9a-f]\\{32\\}$//'");
    assert_eq!(told.ok(), ".:\nfoo.c\nlost+found\n\nlost+found:\nbar.c\n");
}
