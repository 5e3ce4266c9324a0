//! System calls on every kind of object that a view shows, cell by cell: for root, for who owns the objects and the
//! view, and for somebody else. What is refused changes nothing, and no system call ever changes the VOB.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Result, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, RenameFlags, Timespec, Timestamps, XattrFlags};
use rustix::process::{Gid, Uid};

use crate::repository::{NEXT, Repository};
use crate::world::{World, wait_until};

/// The owner of the VOB, its elements and the view; and another user.
const OWNER: u32 = 1;
const OTHER: u32 = 2;
const USERS: [u32; 3] = [0, OWNER, OTHER];

/// The kinds of objects, in the order of the table's columns: a checked-in file, a checked-out one, one whose data was
/// removed, a directory element that is checked in and one that is checked out, a private file and directory, a private
/// file that covers an element, a VOB symbolic link, `file@@/main/LATEST`, and `file@@/main`.
const KINDS: [&str; 11] = [
    "version", "checkout", "removed", "dir", "codir", "private", "privdir", "eclipsed", "link", "history",
    "branch",
];

/// What each call answers, for each of [`USERS`] in turn. The errors' `E` is left out.
const TABLES: &str = "
user 0     version  checkout removed  dir      codir    private  privdir  eclipsed link     history  branch
read       ok       ok       NOENT    ok       ok       ok       ok       ok       NOENT    ok       ok
write      ROFS     ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ROFS     ISDIR
append     ROFS     ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ROFS     ISDIR
truncate   ROFS     ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ROFS     ISDIR
mmap       ROFS     ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ROFS     ISDIR
chmod      ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       NOENT    ROFS     ROFS
chown      ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ROFS     ROFS
utime      ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ROFS     ROFS
setxattr   ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       NOENT    ROFS     ROFS
unlink     ROFS     ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       ROFS     ROFS     ISDIR
rmdir      NOTDIR   NOTDIR   NOENT    ROFS     ROFS     NOTDIR   NOTEMPTY NOTDIR   NOTDIR   NOTDIR   ROFS
rename     ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ROFS     ROFS
file onto  ROFS     ok       ok       ISDIR    ISDIR    ok       ISDIR    ok       ROFS     ROFS     ISDIR
dir onto   NOTDIR   NOTDIR   ok       ROFS     ROFS     NOTDIR   NOTEMPTY NOTDIR   NOTDIR   NOTDIR   ROFS
exchange   ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ROFS     ROFS
create     EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
mkdir      EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
symlink    EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
mkfifo     EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
link       ROFS     XDEV     NOENT    PERM     PERM     ok       PERM     ok       ROFS     ROFS     PERM
link onto  EXIST    EXIST    XDEV     EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
make below NOTDIR   NOTDIR   NOENT    ok       ok       NOTDIR   ok       NOTDIR   NOENT    NOTDIR   ROFS
user 1     version  checkout removed  dir      codir    private  privdir  eclipsed link     history  branch
read       ok       ok       NOENT    ok       ok       ok       ok       ok       NOENT    ok       ok
write      ACCES    ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ACCES    ISDIR
append     ACCES    ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ACCES    ISDIR
truncate   ACCES    ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ACCES    ISDIR
mmap       ACCES    ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       NOENT    ACCES    ISDIR
chmod      ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       NOENT    ROFS     ROFS
chown      PERM     PERM     NOENT    PERM     PERM     PERM     PERM     PERM     PERM     PERM     PERM
utime      ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ROFS     ROFS
setxattr   ACCES    ok       NOENT    ROFS     ROFS     ok       ok       ok       NOENT    ACCES    ACCES
unlink     ROFS     ok       NOENT    ISDIR    ISDIR    ok       ISDIR    ok       ROFS     ACCES    ACCES
rmdir      NOTDIR   NOTDIR   NOENT    ROFS     ROFS     NOTDIR   NOTEMPTY NOTDIR   NOTDIR   ACCES    ACCES
rename     ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ACCES    ACCES
file onto  ROFS     ok       ok       ISDIR    ISDIR    ok       ISDIR    ok       ROFS     ACCES    ACCES
dir onto   NOTDIR   NOTDIR   ok       ROFS     ROFS     NOTDIR   NOTEMPTY NOTDIR   NOTDIR   ACCES    ACCES
exchange   ROFS     ok       NOENT    ROFS     ROFS     ok       ok       ok       ROFS     ACCES    ACCES
create     EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
mkdir      EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
symlink    EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
mkfifo     EXIST    EXIST    ok       EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
link       ROFS     XDEV     NOENT    PERM     PERM     ok       PERM     ok       ROFS     ROFS     PERM
link onto  EXIST    EXIST    XDEV     EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
make below NOTDIR   NOTDIR   NOENT    ok       ok       NOTDIR   ok       NOTDIR   NOENT    NOTDIR   ACCES
user 2     version  checkout removed  dir      codir    private  privdir  eclipsed link     history  branch
read       ok       ok       NOENT    ok       ok       ok       ok       ok       NOENT    ok       ok
write      ACCES    ACCES    NOENT    ISDIR    ISDIR    ACCES    ISDIR    ACCES    NOENT    ACCES    ISDIR
append     ACCES    ACCES    NOENT    ISDIR    ISDIR    ACCES    ISDIR    ACCES    NOENT    ACCES    ISDIR
truncate   ACCES    ACCES    NOENT    ISDIR    ISDIR    ACCES    ISDIR    ACCES    NOENT    ACCES    ISDIR
mmap       ACCES    ACCES    NOENT    ISDIR    ISDIR    ACCES    ISDIR    ACCES    NOENT    ACCES    ISDIR
chmod      PERM     PERM     NOENT    PERM     PERM     PERM     PERM     PERM     NOENT    PERM     PERM
chown      PERM     PERM     NOENT    PERM     PERM     PERM     PERM     PERM     PERM     PERM     PERM
utime      PERM     PERM     NOENT    PERM     PERM     PERM     PERM     PERM     PERM     PERM     PERM
setxattr   ACCES    ACCES    NOENT    ACCES    ACCES    ACCES    ACCES    ACCES    NOENT    ACCES    ACCES
unlink     ACCES    ACCES    NOENT    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES
rmdir      ACCES    ACCES    NOENT    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES
rename     ACCES    ACCES    NOENT    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES
file onto  ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES
dir onto   ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES
exchange   ACCES    ACCES    NOENT    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES    ACCES
create     EXIST    EXIST    ACCES    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
mkdir      EXIST    EXIST    ACCES    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
symlink    EXIST    EXIST    ACCES    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
mkfifo     EXIST    EXIST    ACCES    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
link       PERM     PERM     NOENT    PERM     PERM     PERM     PERM     PERM     PERM     PERM     PERM
link onto  EXIST    EXIST    PERM     EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST    EXIST
make below NOTDIR   NOTDIR   NOENT    ACCES    ACCES    NOTDIR   ACCES    NOTDIR   NOENT    NOTDIR   ACCES
";

/// A system call on an object. `fresh` is a name beside it that nothing has; `file` and `dir` are private objects.
struct Cell<'a> {
    object: &'a Path,
    fresh: &'a Path,
    file: &'a Path,
    dir: &'a Path,
}

type Call = fn(&Cell) -> Result<()>;

const CALLS: [(&str, Call); 22] = [
    ("read", |cell| {
        let mut file = File::open(cell.object)?;
        if file.metadata()?.is_dir() {
            return fs::read_dir(cell.object)?.try_for_each(|entry| entry.map(drop));
        }
        file.read_to_end(&mut Vec::new()).map(drop)
    }),
    ("write", |cell| OpenOptions::new().write(true).open(cell.object)?.write_all(b"x")),
    ("append", |cell| OpenOptions::new().append(true).open(cell.object)?.write_all(b"x")),
    ("truncate", |cell| OpenOptions::new().write(true).truncate(true).open(cell.object).map(drop)),
    ("mmap", |cell| write_through_mapping(cell.object)),
    ("chmod", |cell| fs::set_permissions(cell.object, fs::Permissions::from_mode(0o700))),
    ("chown", |cell| std::os::unix::fs::lchown(cell.object, Some(OTHER), None)),
    ("utime", |cell| {
        let time = Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        Ok(rustix::fs::utimensat(CWD, cell.object, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }),
    ("setxattr", |cell| Ok(rustix::fs::setxattr(cell.object, "user.colour", b"red", XattrFlags::empty())?)),
    ("unlink", |cell| fs::remove_file(cell.object)),
    ("rmdir", |cell| fs::remove_dir(cell.object)),
    ("rename", |cell| fs::rename(cell.object, cell.fresh)),
    ("file onto", |cell| fs::rename(cell.file, cell.object)),
    ("dir onto", |cell| fs::rename(cell.dir, cell.object)),
    ("exchange", |cell| {
        let flags = RenameFlags::EXCHANGE;
        Ok(rustix::fs::renameat_with(CWD, cell.file, CWD, cell.object, flags)?)
    }),
    ("create", |cell| OpenOptions::new().write(true).create_new(true).open(cell.object).map(drop)),
    ("mkdir", |cell| fs::create_dir(cell.object)),
    ("symlink", |cell| symlink("x", cell.object)),
    ("mkfifo", |cell| {
        let path = CString::new(cell.object.as_os_str().as_bytes()).expect("no NUL");
        // SAFETY: the path ends with NUL and lives as long as the call.
        match unsafe { libc::mkfifo(path.as_ptr(), 0o600) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }),
    ("link", |cell| Ok(rustix::fs::linkat(CWD, cell.object, CWD, cell.fresh, AtFlags::empty())?)),
    ("link onto", |cell| fs::hard_link(cell.file, cell.object)),
    ("make below", |cell| File::create(cell.object.join("new")).map(drop)),
];

fn write_through_mapping(path: &Path) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of one page; the file has at least one byte, so that the first can be written.
    unsafe {
        let at = libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_SHARED, file.as_raw_fd(), 0);
        if at == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        at.cast::<u8>().write_volatile(b'X');
        let synced = libc::msync(at, 4096, libc::MS_SYNC);
        let result = if synced == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
        libc::munmap(at, 4096);
        result
    }
}

/// Runs something as a user. The thread alone changes its identity, and ends.
fn as_user<T: Send>(user: u32, run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if user != 0 {
                let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
                rustix::thread::set_thread_groups(&[]).expect("groups can be given up");
                rustix::thread::set_thread_res_gid(gid, gid, gid).expect("the group can be changed");
                rustix::thread::set_thread_res_uid(uid, uid, uid).expect("the user can be changed");
            }
            run()
        });
        thread.join().expect("the calls do not panic")
    })
}

fn word(result: Result<()>) -> String {
    let Err(error) = result else { return "ok".to_owned() };
    let known = [
        (libc::EACCES, "ACCES"),
        (libc::EBUSY, "BUSY"),
        (libc::EEXIST, "EXIST"),
        (libc::EINVAL, "INVAL"),
        (libc::EIO, "IO"),
        (libc::EISDIR, "ISDIR"),
        (libc::ENOENT, "NOENT"),
        (libc::ENOTDIR, "NOTDIR"),
        (libc::ENOTEMPTY, "NOTEMPTY"),
        (libc::EOPNOTSUPP, "OPNOTSUPP"),
        (libc::EPERM, "PERM"),
        (libc::EROFS, "ROFS"),
        (libc::EXDEV, "XDEV"),
    ];
    let found = known.iter().find(|(errno, _)| Some(*errno) == error.raw_os_error());
    found.map_or_else(|| error.to_string(), |(_, name)| (*name).to_owned())
}

/// All that can be seen of an object, and of what is in it.
fn look(path: &Path) -> String {
    let Ok(found) = path.symlink_metadata() else { return "absent".to_owned() };
    let facts = (found.mode(), found.uid(), found.gid(), found.len(), found.mtime(), found.mtime_nsec());
    let content = if found.is_file() {
        format!("{:?}", fs::read(path))
    } else if found.is_symlink() {
        format!("{:?}", fs::read_link(path))
    } else {
        let entries = fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.file_name()));
        let mut names: Vec<_> = entries.map(|names| names.collect()).unwrap_or_default();
        names.sort();
        format!("{names:?}")
    };
    format!("{} {facts:?} {content}", found.ino())
}

/// A VOB and a view of [`OWNER`], with one object of each kind for each call and user.
fn world() -> World {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let world = World::new();
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).expect("opened");
    let mut repository = Repository::new(&world.root().join("repository"));
    repository.import(|stream| {
        stream.commit("main", 1_100_000_000, NEXT);
        for name in names() {
            for kind in ["version", "checkout", "removed", "eclipsed", "history", "branch"] {
                stream.file(format!("{kind}.{name}"), "text");
            }
            for kind in ["dir", "codir"] {
                stream.file(format!("{kind}.{name}/file"), "text");
            }
            stream.link(format!("link.{name}"), "nowhere");
        }
    });
    let line = |line: &str| world.sh(world.root(), &format!("umask 022; {line}")).ok();
    let owner = format!("setpriv --reuid {OWNER} --regid {OWNER} --clear-groups");
    // The daemon is root's; git reads a repository of somebody else only where it was told so.
    line("cleartool lsvob && chmod -R a+rX repository && git config --global --add safe.directory '*'");
    line(&format!("{owner} clerestory import git repository --vob /vobs/x"));
    line(&format!("{owner} cleartool mkview -tag v"));
    let hiding = "element */eclipsed.* -none\nelement * CHECKEDOUT\nelement * /main/LATEST\n";
    world.set_spec("v", hiding);
    let directory = world.in_view("v", "/vobs/x");
    let inside = |line: &str| world.sh(&directory, &format!("umask 022; {line}")).ok();
    inside(&format!("{owner} cleartool co -nc checkout.* removed.* codir.* > /dev/null"));
    as_user(OWNER, || {
        for name in names() {
            let at = |kind: &str| directory.join(format!("{kind}.{name}"));
            fs::remove_file(at("removed")).expect("removed");
            for kind in ["private", "eclipsed"] {
                fs::write(at(kind), "private text").expect("made");
            }
            fs::create_dir(at("privdir")).expect("made");
            fs::write(at("privdir").join("file"), "text").expect("made");
            for kind in KINDS {
                fs::write(at(&format!("file.{kind}")), "moved text").expect("made");
                fs::create_dir(at(&format!("mkd.{kind}"))).expect("made");
            }
        }
    });
    world.set_spec("v", "element * CHECKEDOUT\nelement * /main/LATEST\n");
    world
}

fn names() -> impl Iterator<Item = String> {
    let calls = CALLS.iter().map(|(call, _)| call.replace(' ', "_"));
    calls.flat_map(|call| USERS.iter().map(move |user| format!("{call}.{user}")))
}

#[test]
fn every_call_on_every_kind_of_object_answers_what_the_table_says() {
    let world = world();
    let directory = world.in_view("v", "/vobs/x");
    let journal = world.journal_bytes(&world.only_vob());
    let mut found: BTreeMap<(usize, usize, u32), String> = BTreeMap::new();
    for (row, (call, run)) in CALLS.iter().enumerate() {
        for (column, kind) in KINDS.iter().enumerate() {
            for user in USERS {
                let name = format!("{}.{user}", call.replace(' ', "_"));
                let at = |kind: &str| directory.join(format!("{kind}.{name}"));
                let object = match *kind {
                    "history" => directory.join(format!("history.{name}@@/main/LATEST")),
                    "branch" => directory.join(format!("branch.{name}@@/main")),
                    kind => at(kind),
                };
                let (file, dir) = (at(&format!("file.{kind}")), at(&format!("mkd.{kind}")));
                let cell =
                    Cell { object: &object, fresh: &at(&format!("fresh.{kind}")), file: &file, dir: &dir };
                let see = || [look(&object), look(&file), look(&dir), look(cell.fresh)];
                let before = see();
                let answer = word(as_user(user, || run(&cell)));
                if answer != "ok" {
                    if *call == "mmap" {
                        // What was written into the mapping is dropped after the answer is out.
                        wait_until("the page is dropped", || see() == before);
                    }
                    assert_eq!(see(), before, "{call} {kind} {user}: {answer}");
                }
                found.insert((row, column, user), answer);
            }
        }
    }
    assert_eq!(world.journal_bytes(&world.only_vob()), journal, "a system call changed the VOB");
    let mut text = String::new();
    for user in USERS {
        text += &format!("{:<11}", format!("user {user}"));
        text = (text + &KINDS.map(|kind| format!("{kind:<9}")).concat()).trim_end().to_owned();
        for (row, (call, _)) in CALLS.iter().enumerate() {
            let cells = (0..KINDS.len()).map(|column| format!("{:<9}", found[&(row, column, user)]));
            text = format!("{text}\n{call:<11}{}", cells.collect::<String>()).trim_end().to_owned();
        }
        text.push('\n');
    }
    if text.trim_end() != TABLES.trim() {
        let differ = |(found, expected): &(&str, &str)| found != expected;
        let first = text.lines().zip(TABLES.trim().lines()).find(differ);
        panic!("first line found, and expected: {first:#?}\n{text}");
    }
}
