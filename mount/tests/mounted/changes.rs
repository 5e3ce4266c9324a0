//! Changes through the mount: refused where they must be, and complete where they may be.

use crate::house::{House, wait_until};
use crate::memory::PANICS;
use clerestory_mount::Inode;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};

const FIXED: &str = "contents of a version\n";

fn house_with_version() -> (House, Inode) {
    let mut inode = Inode::ROOT;
    let house = House::new(|memory| inode = memory.fixed_file(Inode::ROOT, "version", FIXED.as_bytes()));
    (house, inode)
}

#[test]
fn nobody_writes_to_a_read_only_file_not_even_root() {
    let (house, inode) = house_with_version();
    assert_eq!(house.read("version"), FIXED);
    let file = OpenOptions::new().read(true).write(true).open(house.path("version")).expect("root may open");
    let error = file.write_at(b"spoiled", 0).expect_err("a write to a version");
    assert_eq!(error.raw_os_error(), Some(libc::EROFS));
    let error = file.set_len(3).expect_err("a truncation of a version");
    assert_eq!(error.raw_os_error(), Some(libc::EROFS));
    let error = File::create(house.path("version")).expect_err("O_TRUNC on a version");
    assert_eq!(error.raw_os_error(), Some(libc::EROFS));
    house.mounted().invalidator().settle();
    assert_eq!(house.read("version"), FIXED);
    assert_eq!(house.memory.contents(inode), FIXED.as_bytes());
}

#[test]
fn bytes_written_through_a_shared_mapping_do_not_stay() {
    let (house, inode) = house_with_version();
    let file = OpenOptions::new().read(true).write(true).open(house.path("version")).expect("root may open");
    // SAFETY: a fresh mapping of one page of an open file; it is written within its length and unmapped below.
    unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let map = libc::mmap(std::ptr::null_mut(), 4096, access, libc::MAP_SHARED, file.as_raw_fd(), 0);
        assert_ne!(map, libc::MAP_FAILED);
        map.cast::<u8>().copy_from(b"SPOILED".as_ptr(), 7);
        assert_eq!(libc::msync(map, 4096, libc::MS_SYNC), -1, "the write back is refused");
        house.mounted().invalidator().settle();
        libc::munmap(map, 4096);
    }
    drop(file);
    wait_until("the pages are gone", || house.read("version") == FIXED);
    assert_eq!(house.memory.contents(inode), FIXED.as_bytes());
}

#[test]
fn files_are_created_written_renamed_linked_and_removed() {
    let house = House::new(|_| {});
    std::fs::create_dir(house.path("d")).expect("a directory");
    std::fs::write(house.path("d/a"), "text").expect("a file");
    std::fs::rename(house.path("d/a"), house.path("b")).expect("a rename");
    assert!(!house.path("d/a").exists());
    std::fs::hard_link(house.path("b"), house.path("d/c")).expect("a link");
    assert_eq!(house.path("d/c").metadata().unwrap().nlink(), 2);
    OpenOptions::new().append(true).open(house.path("d/c")).unwrap().write_all(b" more").expect("an append");
    assert_eq!(house.read("b"), "text more");
    std::fs::write(house.path("b"), "new").expect("a truncation");
    assert_eq!(house.read("d/c"), "new");
    std::fs::remove_file(house.path("b")).expect("a removal");
    assert_eq!(house.path("d/c").metadata().unwrap().nlink(), 1);
    let error = std::fs::remove_dir(house.path("d")).expect_err("not empty");
    assert_eq!(error.kind(), ErrorKind::DirectoryNotEmpty);
    std::os::unix::fs::symlink("d/c", house.path("s")).expect("a symbolic link");
    assert_eq!(house.read("s"), "new");
    house.shell("mkfifo p && test -p p && rm -r d s p && test -z \"$(ls -A)\"");
}

#[test]
fn renames_replace_exchange_or_refuse() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "a", b"A");
        memory.file(Inode::ROOT, "b", b"B");
    });
    let rename = |flags| {
        let from = std::ffi::CString::new(house.path("a").to_str().unwrap()).unwrap();
        let to = std::ffi::CString::new(house.path("b").to_str().unwrap()).unwrap();
        // SAFETY: two NUL-terminated paths that live through the call.
        unsafe { libc::renameat2(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, to.as_ptr(), flags) }
    };
    assert_eq!(rename(libc::RENAME_NOREPLACE), -1);
    assert_eq!(rename(libc::RENAME_EXCHANGE), 0);
    assert_eq!((house.read("a"), house.read("b")), ("B".into(), "A".into()));
    assert_eq!(rename(0), 0);
    assert_eq!(house.names("."), ["b"]);
    assert_eq!(house.read("b"), "B");
}

#[test]
fn an_unlinked_open_file_stays_readable() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "f", b"still here");
    });
    let mut file = File::open(house.path("f")).expect("a file");
    std::fs::remove_file(house.path("f")).expect("a removal");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("readable");
    assert_eq!(text, "still here");
}

#[test]
fn extended_attributes_are_set_listed_and_removed() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "f", b"");
    });
    let set = "import os; os.setxattr('f','user.color',b'red',os.XATTR_CREATE); print(os.listxattr('f'))";
    assert_eq!(house.shell(&format!("python3 -c \"{set}\"")), "['user.color']\n");
    let get = "import os; print(os.getxattr('f','user.color')); os.removexattr('f','user.color')";
    assert_eq!(house.shell(&format!("python3 -c \"{get}; print(os.listxattr('f'))\"")), "b'red'\n[]\n");
}

#[test]
fn times_before_1970_and_owners_pass_through() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "f", b"");
    });
    house.shell("touch -d '1960-01-01 00:00:00.25 UTC' f && chown 12:34 f && chmod 4711 f");
    let metadata = house.path("f").metadata().unwrap();
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (-315_619_200, 250_000_000));
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (12, 34, 0o4711));
}

#[test]
fn a_panic_in_the_namespace_is_an_error_and_no_more() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "bad", PANICS);
        memory.file(Inode::ROOT, "good", b"good");
    });
    for _ in 0..10 {
        let error = std::fs::read(house.path("bad")).expect_err("a panic");
        assert_eq!(error.raw_os_error(), Some(libc::EIO));
    }
    assert_eq!(house.read("good"), "good");
}
