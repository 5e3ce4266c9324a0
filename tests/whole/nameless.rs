//! View-private objects where it is hard to be an ordinary file system: without a name, very deep, with holes, with
//! access lists.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{AtFlags, Mode, OFlags, SeekFrom, XattrFlags};

use crate::project::Project;
use crate::world::refused_with;

#[test]
fn attributes_of_an_unlinked_file_can_change() {
    let project = Project::small();
    let path = project.directory.join("scratch");
    let file = File::create_new(&path).expect("made");
    fs::remove_file(&path).expect("removed");
    rustix::fs::fsetxattr(&file, "user.colour", b"blue", XattrFlags::empty()).expect("set");
    let mut value = [0; 16];
    assert_eq!(rustix::fs::fgetxattr(&file, "user.colour", &mut value).expect("there"), 4);
    file.set_permissions(fs::Permissions::from_mode(0o751)).expect("set");
    let time = UNIX_EPOCH + Duration::new(1, 5);
    file.set_times(fs::FileTimes::new().set_modified(time)).expect("set");
    let found = file.metadata().expect("known");
    assert_eq!((found.mode() & 0o7777, found.mtime(), found.mtime_nsec(), found.nlink()), (0o751, 1, 5, 0));
}

#[test]
fn a_removed_directory_stays_what_it_was_to_who_is_in_it() {
    let project = Project::small();
    let at = |name: &str| project.directory.join(name);
    for (name, replace) in [("removed", false), ("replaced", true)] {
        fs::create_dir(at(name)).expect("made");
        let directory = File::open(at(name)).expect("opened");
        let before = directory.metadata().expect("known").ino();
        if replace {
            fs::create_dir(at("other")).expect("made");
            fs::rename(at("other"), at(name)).expect("moved onto the empty directory");
        } else {
            // Refused, and nothing has changed by that.
            fs::write(at("removed/file"), "in the way").expect("made");
            refused_with(libc::ENOTEMPTY, fs::remove_dir(at(name)));
            assert_eq!(fs::read_to_string(at("removed/file")).expect("there"), "in the way");
            fs::remove_file(at("removed/file")).expect("removed");
            fs::remove_dir(at(name)).expect("removed");
        }
        let found = directory.metadata().expect("known");
        assert_eq!((found.ino(), found.is_dir()), (before, true));
        let listing = rustix::fs::Dir::read_from(&directory).expect("opened").next();
        assert!(listing.is_none(), "{name}: {listing:?}");
        let made = rustix::fs::openat(&directory, "new", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR);
        refused_with(libc::ENOENT, made.map_err(std::io::Error::from));
    }
}

#[test]
fn files_below_path_max_have_extended_attributes() {
    let project = Project::small();
    let name = "d".repeat(250);
    let mut directory = File::open(&project.directory).expect("opened");
    for _ in 0..20 {
        rustix::fs::mkdirat(&directory, &name, Mode::RWXU).expect("made");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        directory = rustix::fs::openat(&directory, &name, flags, Mode::empty()).expect("opened").into();
    }
    let flags = OFlags::CREATE | OFlags::RDWR;
    let file = File::from(rustix::fs::openat(&directory, "f", flags, Mode::RUSR | Mode::WUSR).expect("made"));
    rustix::fs::fsetxattr(&file, "user.colour", b"blue", XattrFlags::empty()).expect("set");
    let mut names = [0; 64];
    let length = rustix::fs::flistxattr(&file, &mut names).expect("listed");
    assert_eq!(&names[..length], b"user.colour\0");
    rustix::fs::unlinkat(&directory, "f", AtFlags::empty()).expect("removed");
    rustix::fs::fremovexattr(&file, "user.colour").expect("removed");
}

#[test]
fn seeking_finds_holes_of_private_files_and_the_end_of_versions() {
    let project = Project::small();
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).open(project.directory.join("holes"));
    let file = file.expect("made");
    file.set_len(4 << 20).expect("extended");
    file.write_all_at(&[1; 65536], 1 << 20).expect("written");
    file.sync_all().expect("synced");
    let seek = |to| rustix::fs::seek(&file, to).map_err(std::io::Error::from);
    assert_eq!(seek(SeekFrom::Data(0)).expect("data"), 1 << 20);
    assert_eq!(seek(SeekFrom::Hole(1 << 20)).expect("a hole"), (1 << 20) + 65536);
    refused_with(libc::ENXIO, seek(SeekFrom::Data(2 << 20)));
    let version = File::open(project.directory.join("foo.c")).expect("opened");
    let seek = |to| rustix::fs::seek(&version, to).map_err(std::io::Error::from);
    assert_eq!(seek(SeekFrom::Data(3)).expect("data"), 3);
    assert_eq!(seek(SeekFrom::Hole(3)).expect("the end"), 8);
    refused_with(libc::ENXIO, seek(SeekFrom::Data(8)));
}

/// An access list for the owner (7), user 65534 (7), the group (5), the mask given, and nobody else.
fn access_list(mask: u16) -> Vec<u8> {
    let entries =
        [(1u16, 7u16, u32::MAX), (2, 7, 65534), (4, 5, u32::MAX), (16, mask, u32::MAX), (32, 0, u32::MAX)];
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, bits, who) in entries {
        list.extend(tag.to_le_bytes().into_iter().chain(bits.to_le_bytes()).chain(who.to_le_bytes()));
    }
    list
}

#[test]
fn a_default_access_list_decides_instead_of_the_umask() {
    let project = Project::small();
    let at = |name: &str| project.directory.join(name);
    let mode = |name: &str| fs::metadata(at(name)).expect("there").mode() & 0o7777;
    for (name, mask, file, directory) in [("all", 7, 0o664, 0o770), ("reading", 4, 0o664, 0o740)] {
        fs::create_dir(at(name)).expect("made");
        let list = access_list(mask);
        let set = rustix::fs::setxattr(at(name), "system.posix_acl_default", &list, XattrFlags::empty());
        set.expect("access lists are supported");
        let open =
            OpenOptions::new().write(true).create_new(true).mode(file).open(at(&format!("{name}/file")));
        drop(open.expect("made"));
        DirBuilder::new().mode(0o777).create(at(&format!("{name}/sub"))).expect("made");
        // The mask of the list, and what was asked for; others get nothing.
        assert_eq!(mode(&format!("{name}/file")), 0o600 | u32::from(mask & 6) << 3);
        assert_eq!(mode(&format!("{name}/sub")), directory);
    }
    // Elsewhere the umask decides.
    project.sh("umask 027; touch plain; mkdir plain.d; mkfifo plain.p");
    assert_eq!([mode("plain"), mode("plain.d"), mode("plain.p")], [0o640, 0o750, 0o640]);
    project.sh("umask 077; cd all; touch masked; mkdir masked.d; mkfifo masked.p");
    assert_eq!([mode("all/masked"), mode("all/masked.d"), mode("all/masked.p")], [0o660, 0o770, 0o660]);
}
