//! View-private files, directories and links: an ordinary file system over the VOB's directories.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use crate::project::Project;
use crate::world::{Output, refused_with};

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{:?}: {error}", path.as_ref()))
}

#[test]
fn private_objects_behave_like_files() {
    let project = Project::small();
    let at = |name: &str| project.directory.join(name);
    fs::write(at("file"), "text").expect("made");
    refused_with(libc::EEXIST, OpenOptions::new().write(true).create_new(true).open(at("file")));
    fs::create_dir(at("src/dir")).expect("made in an element's directory");
    fs::rename(at("file"), at("src/dir/file")).expect("moved into a private directory");
    assert!(!at("file").exists());
    symlink("dir/file", at("src/link")).expect("made");
    assert_eq!(text(at("src/link")), "text");
    fs::hard_link(at("src/dir/file"), at("hard")).expect("linked");
    fs::write(at("hard"), "by the other name").expect("written");
    assert_eq!(text(at("src/dir/file")), "by the other name");
    assert_eq!(fs::metadata(at("hard")).expect("there").nlink(), 2);
    assert_eq!(
        fs::metadata(at("hard")).expect("there").ino(),
        fs::metadata(at("src/link")).expect("there").ino()
    );
    fs::write(at("target"), "old").expect("made");
    fs::rename(at("hard"), at("target")).expect("moved onto another");
    assert_eq!(text(at("target")), "by the other name");
    refused_with(libc::ENOTEMPTY, fs::remove_dir(at("src/dir")));
    refused_with(libc::EISDIR, fs::rename(at("target"), at("src/dir")));
    fs::rename(at("src/dir"), at("src/moved")).expect("a private directory moves");
    assert_eq!(text(at("src/moved/file")), "by the other name");
    let time = UNIX_EPOCH + Duration::new(1_234_567_890, 123_456_789);
    let file = File::options().write(true).open(at("target")).expect("opened");
    file.set_times(FileTimes::new().set_modified(time)).expect("set");
    let metadata = fs::metadata(at("target")).expect("there");
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_234_567_890, 123_456_789));
    fs::set_permissions(at("target"), fs::Permissions::from_mode(0o751)).expect("set");
    assert_eq!(fs::metadata(at("target")).expect("there").permissions().mode() & 0o7777, 0o751);
    fs::remove_dir_all(at("src/moved")).expect("removed");
    fs::remove_file(at("src/link")).expect("removed");
    assert_eq!(project.sh("ls src"), "bar.c\n");
}

#[test]
fn an_unlinked_file_can_be_used_while_it_is_open() {
    let project = Project::small();
    let path = project.directory.join("scratch");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).expect("made");
    file.write_all(b"before").expect("written");
    fs::remove_file(&path).expect("removed");
    assert!(!path.exists());
    file.write_all(b" and after").expect("written");
    file.seek(SeekFrom::Start(0)).expect("sought");
    let mut read = String::new();
    file.read_to_string(&mut read).expect("read");
    assert_eq!(read, "before and after");
    file.set_len(6).expect("cut");
    assert_eq!(file.metadata().expect("known").len(), 6);
    // Another file of that name is another file.
    fs::write(&path, "the next").expect("made");
    assert_eq!(file.metadata().expect("known").len(), 6);
    assert_eq!(text(&path), "the next");
}

#[test]
fn a_file_may_have_many_names() {
    let project = Project::small();
    let at = |name: usize| project.directory.join(format!("name{name}"));
    fs::write(at(0), "one file").expect("made");
    for name in 1..40 {
        fs::hard_link(at(name - 1), at(name)).expect("linked");
    }
    assert_eq!(fs::metadata(at(17)).expect("there").nlink(), 40);
    for name in (0..40).filter(|name| name % 3 > 0) {
        fs::remove_file(at(name)).expect("removed");
    }
    fs::rename(at(39), at(40)).expect("moved");
    for name in (0..36).filter(|name| name % 3 == 0).chain([40]) {
        assert_eq!(text(at(name)), "one file");
        fs::remove_file(at(name)).expect("removed");
    }
    let mut last = File::open(at(36)).expect("opened");
    fs::remove_file(at(36)).expect("removed");
    let mut read = String::new();
    last.read_to_string(&mut read).expect("read without a name");
    assert_eq!(read, "one file");
}

#[test]
fn sparse_and_scattered_writes_read_back() {
    let project = Project::small();
    let path = project.directory.join("scattered");
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).expect("made");
    for block in [9u64, 3, 700, 0, 42] {
        file.write_all_at(format!("block {block}").as_bytes(), block * 100_003).expect("written");
    }
    drop(file);
    let content = fs::read(&path).expect("read");
    assert_eq!(content.len(), 700 * 100_003 + "block 700".len());
    for block in [9usize, 3, 700, 0, 42] {
        let expected = format!("block {block}");
        assert_eq!(&content[block * 100_003..][..expected.len()], expected.as_bytes());
    }
    assert_eq!(content.iter().filter(|byte| **byte != 0).count(), 7 + 7 + 9 + 7 + 8);
}

#[test]
fn extended_attributes_tell_versions_and_hold_what_users_put() {
    let project = Project::small();
    let get = |name: &str, attribute: &str| {
        let mut value = vec![0; 4096];
        let path = project.directory.join(name);
        let length = rustix::fs::getxattr(&path, attribute, &mut value)?;
        value.truncate(length);
        Ok::<_, std::io::Error>(String::from_utf8(value).expect("the value is text"))
    };
    assert_eq!(get("foo.c", "user.clerestory.version").expect("there"), "foo.c@@/main/2");
    assert_eq!(get("foo.c@@/main/1", "user.clerestory.version").expect("there"), "foo.c@@/main/1");
    assert_eq!(get("foo.c", "user.clerestory.view").expect("there"), "v");
    assert!(get("foo.c", "user.clerestory.rule").expect("there").contains("/main/LATEST"));
    let oid = get("foo.c", "user.clerestory.oid").expect("there");
    assert_eq!(oid.len(), 32);
    assert_eq!(get("foo.c@@/main/1", "user.clerestory.oid").expect("there"), oid);
    assert_ne!(get("src", "user.clerestory.oid").expect("there"), oid);
    refused_with(libc::ENODATA, get("foo.c", "user.other"));
    let file = project.directory.join("private");
    fs::write(&file, "p").expect("made");
    rustix::fs::setxattr(&file, "user.colour", b"blue", rustix::fs::XattrFlags::empty()).expect("set");
    assert_eq!(get("private", "user.colour").expect("there"), "blue");
    // What a private file answers of itself is not listed, or every copy with attributes would try to set it.
    assert_eq!(get("private", "user.clerestory.view").expect("there"), "v");
    let mut names = [0; 256];
    let length = rustix::fs::listxattr(&file, &mut names).expect("listed");
    assert_eq!(&names[..length], b"user.colour\0");
    let path = project.directory.join("foo.c");
    let set = rustix::fs::setxattr(&path, "user.colour", b"red", rustix::fs::XattrFlags::empty());
    refused_with(libc::EROFS, set.map_err(std::io::Error::from));
}

#[test]
fn names_of_trusted_attributes_are_shown_to_root_alone() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    crate::config_specs::open_project().check(
        r#"
$ echo p > private; chmod 644 private; setfattr -n user.colour -v blue private; setfattr -n trusted.seal -v x private
$ getfattr -m - private; setpriv --reuid 1 --regid 1 --clear-groups getfattr -m - private
# file: private
trusted.seal
user.colour

# file: private
user.colour
"#,
    );
}

#[test]
fn an_editors_write_and_rename_changes_the_checked_out_file() {
    let project = Project::small();
    project.sh("cleartool co -nc foo.c && echo edited > foo.c.tmp && mv foo.c.tmp foo.c");
    project.check(
        r#"
$ cat foo.c; cleartool ls foo.c
edited
foo.c@@/main/CHECKEDOUT from /main/2                     Rule: CHECKEDOUT
$ cp foo.c foo.c~ && rm foo.c && mv foo.c~ foo.c && sed -i s/edited/edited_twice/ foo.c && cat foo.c
edited_twice
$ cleartool ci -nc foo.c; cat foo.c; ls -A
Checked in "foo.c" version "/main/3".
edited_twice
foo.c
lost+found
src
"#,
    );
}

#[test]
fn private_directories_hold_whole_trees() {
    let project = Project::small();
    let line = "mkdir -p src/a/b/c && for i in $(seq 300); do echo $i > src/a/b/c/f$i; done && cp -a src/a . && \
                tar cf t.tar a && rm -r a && tar xf t.tar && diff -r a src/a && find a -type f | wc -l";
    assert_eq!(project.sh(line).trim(), "300");
    let removed: Output = project.world.sh(&project.directory, "rm -r a src/a t.tar && ls . src");
    assert_eq!(removed.ok(), ".:\nfoo.c\nlost+found\nsrc\n\nsrc:\nbar.c\n");
}

#[test]
fn private_files_can_be_used_while_the_kernel_forgets_and_asks_again() {
    let project = Project::small();
    let names: Vec<_> =
        (0..40).map(|number| project.directory.join(format!("src/private{number}"))).collect();
    for name in &names {
        fs::write(name, "text").expect("made");
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let use_them = || {
            while !stop.load(Ordering::Relaxed) {
                for name in &names {
                    assert_eq!(text(name), "text");
                    fs::write(name, "text").unwrap_or_else(|error| panic!("{name:?}: {error}"));
                }
            }
        };
        let used = scope.spawn(use_them);
        for round in 0..60 {
            // Every name is to be looked up anew.
            project.world.set_spec("v", &format!("# {round}\nelement * /main/LATEST\n"));
            if used.is_finished() {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        used.join().expect("every file could be used");
    });
}
