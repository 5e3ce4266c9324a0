//! How mounts end: cleanly, busy, by another's hand, or with the death of the server.

use crate::house::{House, options, wait_until};
use crate::memory::Memory;
use clerestory_mount::{Inode, clear_stale, mount};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Names the mount point to the copy of this program that serves in a process of its own.
const SERVE_AT: &str = "CLERESTORY_TEST_SERVE_AT";

/// An ordinary user without groups or a home.
const NOBODY: u32 = 65534;

fn is_mounted(path: &Path) -> bool {
    let table = std::fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
    table.lines().any(|line| line.split(' ').nth(4) == path.to_str())
}

#[test]
fn a_mount_ends_when_asked() {
    let mut house = House::new(|_| {});
    let ending = house.mounted().ending();
    assert!(is_mounted(house.root()) && !ending.has_come());
    house.mounted.take().unwrap().unmount().expect("to unmount");
    assert!(!is_mounted(house.root()) && ending.has_come());
    wait_until("the event loops let go of the namespace", || Arc::strong_count(&house.memory) == 1);
}

#[test]
fn a_busy_mount_ends_all_the_same() {
    let mut house = House::new(|memory| {
        memory.file(Inode::ROOT, "f", b"text");
    });
    let file = File::open(house.path("f")).expect("a file");
    let ending = house.mounted().ending();
    house.mounted.take().unwrap().unmount().expect("to unmount");
    assert!(!is_mounted(house.root()) && ending.has_come());
    assert!(std::io::read_to_string(file).is_err(), "the connection is cut");
}

#[test]
fn a_mount_that_another_takes_down_is_noticed() {
    let mut house = House::new(|_| {});
    house.shell("cd / && umount \"$OLDPWD\"");
    house.mounted().ending().wait();
    house.mounted.take().unwrap().unmount().expect("nothing left to do");
}

#[test]
fn data_of_a_shared_mapping_is_written_before_the_end() {
    let mut inode = Inode::ROOT;
    let mut house = House::new(|memory| inode = memory.file(Inode::ROOT, "f", b"before"));
    let script = "import mmap; f=open('f','r+b'); m=mmap.mmap(f.fileno(),6); m[:6]=b'mapped'; m.close()";
    house.shell(&format!("python3 -c \"{script}\""));
    house.mounted.take().unwrap().unmount().expect("to unmount");
    assert_eq!(house.memory.contents(inode), b"mapped");
}

#[test]
fn a_mount_kept_by_another_mount_namespace_ends_too() {
    let mut house = House::new(|_| {});
    let mut keeper = Command::new("unshare")
        .args(["-m", "sh", "-c", "echo ready; read end"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare");
    let mut ready = [0; 6];
    std::io::Read::read_exact(keeper.stdout.as_mut().unwrap(), &mut ready).expect("the keeper is up");
    house.mounted.take().unwrap().unmount().expect("to unmount");
    assert!(!is_mounted(house.root()));
    drop(keeper.stdin.take());
    keeper.wait().expect("the keeper ends");
}

/// Not a test by itself: the server that the tests below start, and kill.
#[test]
fn serve_in_a_process_of_its_own() {
    let Some(mountpoint) = std::env::var_os(SERVE_AT) else {
        return;
    };
    let memory = Memory::new();
    memory.file(Inode::ROOT, "f", b"from afar");
    let mounted = mount(Arc::new(memory), &options(Path::new(&mountpoint))).expect("to mount");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("an order");
    mounted.unmount().expect("to unmount");
}

fn serve(mountpoint: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "endings::serve_in_a_process_of_its_own", "--nocapture"]);
    command.env(SERVE_AT, mountpoint).stdin(Stdio::piped()).stdout(Stdio::null());
    let child = command.spawn().expect("a server");
    wait_until("the server has mounted", || is_mounted(mountpoint));
    child
}

#[test]
fn a_mount_whose_server_was_killed_is_cleared() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap();
    let mut server = serve(&place);
    assert_eq!(std::fs::read(place.join("f")).expect("served"), b"from afar");
    assert!(!clear_stale(&place).expect("alive"), "a living mount is left alone");
    server.kill().expect("to kill");
    server.wait().expect("dead");
    assert!(is_mounted(&place));
    assert!(clear_stale(&place).expect("to clear"));
    assert!(!is_mounted(&place));
    assert!(!clear_stale(&place).expect("nothing there"));
    assert_eq!(std::fs::read_dir(&place).expect("an ordinary directory again").count(), 0);
}

/// Run by an ordinary user: starts the server, reads a file, keeps one open, and orders the end.
const ORDINARY_USER: &str = r#"
cd "$PLACE/.." && mkfifo order && { "$PROGRAM" --exact endings::serve_in_a_process_of_its_own <order >&2 & }
exec 3>order
while ! [ -e place/f ]; do kill -0 $! || exit 1; done
cat place/f; echo
exec 4<place/f
echo end >&3
wait $! && ! [ -e place/f ] && echo ended
"#;

#[test]
fn an_ordinary_user_mounts_and_unmounts_through_fusermount3() {
    assert!(Command::new("fusermount3").arg("-V").output().is_ok(), "this test needs the package fuse3");
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap().join("place");
    std::fs::create_dir(&place).unwrap();
    for path in [directory.path(), &place] {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("to give it away");
    }
    // Everybody may open /dev/fuse on an ordinary host; in a private mount namespace also on this one.
    let prepare = "D=$(mktemp -d) && mknod -m 666 $D/fuse c 10 229 && mount --bind $D/fuse /dev/fuse \
                   && rm -r $D && exec setpriv --reuid $USER_ID --regid $USER_ID --clear-groups sh -c \"$SCRIPT\"";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", prepare])
        .env("PLACE", &place)
        .env(SERVE_AT, &place)
        .env("PROGRAM", std::env::current_exe().expect("this program"))
        .env("SCRIPT", ORDINARY_USER)
        .env("USER_ID", NOBODY.to_string())
        .output()
        .expect("unshare");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "from afar\nended\n", "{errors}");
}
