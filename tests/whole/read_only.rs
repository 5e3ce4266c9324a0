//! What is under version control is read-only, for root as well.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};

use crate::project::Project;
use crate::tree;
use crate::world::refused_with;

#[test]
fn versions_refuse_every_change_and_stay_as_they_are() {
    let project = Project::small();
    let at = |name: &str| project.directory.join(name);
    let before = tree::read(&project.directory);
    let storage = project.world.only_vob();
    let journal = project.world.journal_bytes(&storage);
    fs::write(at("private"), "p").expect("a private file can be made");
    let open = |options: &mut OpenOptions| options.open(at("foo.c")).map(drop);
    // With or without the open being refused, nothing may be written.
    let write = OpenOptions::new().write(true).open(at("foo.c"));
    refused_with(libc::EROFS, write.and_then(|mut file| std::io::Write::write_all(&mut file, b"x")));
    let append = OpenOptions::new().append(true).open(at("foo.c"));
    refused_with(libc::EROFS, append.and_then(|mut file| std::io::Write::write_all(&mut file, b"x")));
    refused_with(libc::EROFS, open(OpenOptions::new().write(true).truncate(true)));
    refused_with(libc::EROFS, File::create(at("foo.c")));
    let cut = OpenOptions::new().write(true).open(at("foo.c"));
    refused_with(libc::EROFS, cut.and_then(|file| file.set_len(1)));
    refused_with(libc::EROFS, fs::set_permissions(at("foo.c"), Permissions::from_mode(0o777)));
    refused_with(libc::EROFS, fs::set_permissions(at("src"), Permissions::from_mode(0o777)));
    refused_with(libc::EROFS, std::os::unix::fs::chown(at("foo.c"), Some(1), None));
    refused_with(libc::EROFS, fs::rename(at("foo.c"), at("else.c")));
    refused_with(libc::EROFS, fs::rename(at("src"), at("else")));
    refused_with(libc::EROFS, fs::rename(at("private"), at("foo.c")));
    refused_with(libc::EROFS, fs::remove_file(at("foo.c")));
    refused_with(libc::EROFS, fs::remove_dir(at("src")));
    refused_with(libc::EROFS, fs::remove_dir(at("lost+found")));
    refused_with(libc::EROFS, fs::hard_link(at("foo.c"), at("hard")));
    refused_with(libc::EEXIST, fs::create_dir(at("src")));
    refused_with(libc::EEXIST, symlink("x", at("foo.c")));
    let exclusive = OpenOptions::new().write(true).create_new(true).open(at("foo.c"));
    refused_with(libc::EEXIST, exclusive.map(drop));
    fs::remove_file(at("private")).expect("a private file can be removed");
    tree::assert_same("after all that", &before, &tree::read(&project.directory));
    assert_eq!(project.world.journal_bytes(&storage), journal);
    assert_eq!(fs::metadata(at("foo.c")).expect("there").permissions().mode() & 0o222, 0);
}

#[test]
fn names_below_the_history_mark_refuse_every_change() {
    let project = Project::small();
    let at = |name: &str| project.directory.join(name);
    fs::write(at("private"), "p").expect("a private file can be made");
    for directory in ["foo.c@@", "foo.c@@/main", "src@@/main/1", ".@@", ".@@/main/1"] {
        let new = at(directory).join("new");
        refused_with(libc::EROFS, File::create(&new));
        refused_with(libc::EROFS, fs::create_dir(&new));
        refused_with(libc::EROFS, symlink("x", &new));
        refused_with(libc::EROFS, fs::rename(at("private"), &new));
        refused_with(libc::EROFS, fs::hard_link(at("private"), &new));
    }
    for version in ["foo.c@@/main/1", "foo.c@@/main/LATEST", "src@@/main/1/bar.c/main/1"] {
        let write = OpenOptions::new().write(true).custom_flags(libc::O_TRUNC).open(at(version));
        refused_with(libc::EROFS, write.map(drop));
        refused_with(libc::EROFS, fs::remove_file(at(version)));
        refused_with(libc::EROFS, fs::set_permissions(at(version), Permissions::from_mode(0o666)));
    }
    refused_with(libc::EROFS, fs::remove_dir(at("foo.c@@/main")));
}

#[test]
fn places_above_the_vob_refuse_every_change() {
    let project = Project::small();
    let view = project.world.viewroot().join("v");
    for directory in [project.world.viewroot(), view.clone(), view.join("vobs")] {
        refused_with(libc::EROFS, File::create(directory.join("new")));
        refused_with(libc::EROFS, fs::create_dir(directory.join("new")));
    }
    refused_with(libc::EROFS, fs::remove_dir(view.join("vobs/x")));
}
