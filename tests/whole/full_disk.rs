//! Large files, files that change meanwhile, and disks without room.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::project::Project;
use crate::repository::{NEXT, Repository};
use crate::world::{Output, World};

/// A small file system of its own.
struct SmallDisk {
    place: PathBuf,
    _directory: tempfile::TempDir,
}

impl SmallDisk {
    #[track_caller]
    fn new() -> SmallDisk {
        let directory =
            tempfile::Builder::new().prefix("cldisk.").tempdir().expect("a directory can be made");
        let image = directory.path().join("image");
        let file = File::create(&image).expect("the image can be made");
        file.set_len(64 << 20).expect("the image can be made");
        Output::of(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)).ok();
        let place = directory.path().join("disk");
        fs::create_dir(&place).expect("made");
        let mounted = Output::of(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&place));
        assert_eq!(mounted.status, 0, "a loop device is needed, and root: {}", mounted.stderr);
        SmallDisk { place, _directory: directory }
    }

    /// Leaves this much room.
    fn fill(&self, room: u64) -> PathBuf {
        let path = self.place.join("filler");
        let free = rustix::fs::statvfs(&self.place).expect("the disk answers");
        let size = (free.f_bavail * free.f_frsize).saturating_sub(room);
        let file = File::create(&path).expect("made");
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size).expect("there is room");
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A daemon that is ending may hold a file for another moment.
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let unmounted = Output::of(Command::new("umount").arg(&self.place));
            if unmounted.status == 0 {
                break;
            }
            if Instant::now() > end {
                let _ = Command::new("umount").arg("-l").arg(&self.place).status();
                assert!(std::thread::panicking(), "{unmounted:?}");
                break;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..size / 8).flat_map(|_| next().to_le_bytes()).collect()
}

#[test]
fn a_full_disk_stops_an_import_which_goes_on_when_there_is_room() {
    let disk = SmallDisk::new();
    let world = World::below(&disk.place);
    let elsewhere = tempfile::tempdir().expect("a directory can be made");
    let mut repository = Repository::new(&elsewhere.path().join("repository"));
    repository.import(|stream| {
        for number in 0..30 {
            stream.commit("main", 1_100_000_000 + number, NEXT);
            stream.file(format!("noise{number}"), noise(1 << 20, number as u64 + 1));
        }
    });
    world.clerestory(&["stats"]).ok();
    let filler = disk.fill(12 << 20);
    let path = repository.path().to_str().expect("a plain path");
    let words = ["import", "git", path, "--vob", "/vobs/odd"];
    let said = world.clerestory(&words).refused();
    assert!(said.lines().last().is_some_and(|line| line.contains("No space left on device")), "{said}");
    // The daemon lives, and what is there can be read.
    world.ct(&["lsvob"]).ok();
    fs::remove_file(filler).expect("removed");
    world.clerestory(&words).ok();
    world.make_view("v");
    let found = crate::tree::read(&world.in_view("v", "/vobs/odd"));
    crate::tree::assert_same("after the disk was full", &repository.tree("main"), &found);
}

#[test]
fn a_full_disk_keeps_only_the_index_from_being_checked() {
    let disk = SmallDisk::new();
    let world = World::new();
    let storage = disk.place.join("x.vbs");
    world.ct(&["mkvob", "-nc", "-tag", "/vobs/x", storage.to_str().expect("a plain path")]).ok();
    world.ct(&["mount", "/vobs/x"]).ok();
    let filler = disk.fill(0);
    // Root may use what is reserved, too.
    let rest = disk.place.join("rest");
    let mut file = File::create(&rest).expect("made");
    while file.write_all(&[1; 4096]).is_ok() {}
    let checked = world.ct(&["checkvob", "/vobs/x"]);
    assert_eq!(checked.status, 1, "{checked:#?}");
    let told = "cleartool: Error: The index cannot be compared with the journal: ";
    assert!(
        checked.stderr.starts_with(told) && checked.stderr.contains("No space left on device"),
        "{checked:#?}"
    );
    assert!(
        checked.stdout.starts_with("Checked VOB \"/vobs/x\": 1 thing is wrong (2 elements, "),
        "{checked:#?}"
    );
    [filler, rest].iter().for_each(|file| fs::remove_file(file).expect("removed"));
    let checked = world.ct(&["checkvob", "/vobs/x"]).ok();
    assert!(checked.starts_with("Checked VOB \"/vobs/x\": nothing is wrong ("), "{checked}");
    world.clerestory(&["shutdown"]).ok();
}

#[test]
fn a_full_disk_stops_a_checkin_and_keeps_the_data() {
    let disk = SmallDisk::new();
    let world = World::new();
    let storage = disk.place.join("x.vbs");
    let storage = storage.to_str().expect("a plain path");
    world.ct(&["mkvob", "-nc", "-tag", "/vobs/x", storage]).ok();
    world.ct(&["mount", "/vobs/x"]).ok();
    world.make_view("v");
    let directory = world.in_view("v", "/vobs/x");
    world
        .sh(
            &directory,
            "cleartool co -nc . && echo 1 > f && cleartool mkelem -nc -eltype file f && cleartool ci -nc f .",
        )
        .ok();
    world.sh(&directory, "cleartool co -nc f").ok();
    let data = noise(24 << 20, 77);
    fs::write(directory.join("f"), &data).expect("written");
    let filler = disk.fill(16 << 20);
    let said = world.ct_in(&directory, &["ci", "-nc", "f"]);
    assert!(said.stdout.is_empty(), "{said:?}");
    let said = said.refused();
    assert_eq!(
        said,
        "cleartool: Error: No space left on device.\ncleartool: Error: Unable to check in \"f\".\n"
    );
    assert!(fs::read(directory.join("f")).expect("still there") == data, "the data changed");
    assert_eq!(world.sh(&directory, "cat f@@/main/1 && ls f@@/main").ok(), "1\n0\n1\nCHECKEDOUT\nLATEST\n");
    fs::remove_file(filler).expect("removed");
    let said = world.ct_in(&directory, &["ci", "-nc", "f"]).ok();
    assert_eq!(said, "Checked in \"f\" version \"/main/2\".\n");
    assert!(fs::read(directory.join("f")).expect("there") == data, "another content");
    world.clerestory(&["shutdown"]).ok();
}

#[test]
fn a_large_file_is_checked_in_and_read_back() {
    let project = Project::empty();
    let size: u64 = if std::env::var_os("CLERESTORY_TEST_LARGE").is_some() { 3 << 30 } else { 200 << 20 };
    let path = project.directory.join("large");
    let block = noise(1 << 20, 5);
    let stamped = |number: u64| [&number.to_le_bytes(), &block[8..]].concat();
    let mut file = BufWriter::with_capacity(4 << 20, File::create(&path).expect("made"));
    for number in 0..size >> 20 {
        file.write_all(&stamped(number)).expect("written");
    }
    file.write_all(b"the end").expect("written");
    drop(file);
    let said =
        project.sh("cleartool co -nc . && cleartool mkelem -eltype file -nc -ci large && cleartool ci -nc .");
    assert!(said.contains("Checked in \"large\" version \"/main/1\".\n"), "{said}");
    let check = |path: &Path| {
        let file = File::open(path).expect("opened");
        assert_eq!(file.metadata().expect("known").len(), size + 7);
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut found = vec![0; 1 << 20];
        for number in 0..size >> 20 {
            file.read_exact(&mut found).expect("read");
            assert!(found == stamped(number), "block {number} differs");
        }
        found.clear();
        file.read_to_end(&mut found).expect("read");
        assert_eq!(found, b"the end");
    };
    check(&path);
    project.world.clerestory(&["shutdown"]).ok();
    project.world.ct(&["lsvob"]).ok();
    check(&project.directory.join("large@@/main/1"));
}

#[test]
fn a_file_that_changes_while_it_is_checked_in_is_refused_or_whole() {
    let project = Project::small();
    let path = project.directory.join("foo.c");
    project.sh("cleartool co -nc foo.c");
    let stop = AtomicBool::new(false);
    let size = 48usize << 20;
    let lines: Vec<u8> = (0..size).map(|at| if at % 64 == 63 { b'\n' } else { b'0' }).collect();
    fs::write(&path, lines).expect("written");
    let said = std::thread::scope(|scope| {
        // One byte after the other changes, everywhere in the file, as long as the checkin runs.
        scope.spawn(|| {
            use std::os::unix::fs::FileExt;
            let Ok(file) = File::options().write(true).open(&path) else { return };
            for offset in (0..).step_by(4096) {
                if stop.load(Ordering::Relaxed) || file.write_at(b"1", offset % size as u64).is_err() {
                    break;
                }
            }
        });
        crate::world::wait_until("the writer writes", || {
            fs::read(&path).is_ok_and(|content| content.contains(&b'1'))
        });
        let said = project.world.ct_in(&project.directory, &["ci", "-nc", "foo.c"]);
        stop.store(true, Ordering::Relaxed);
        said
    });
    let expected = "cleartool: Error: \"foo.c\" was changed while it was being checked in.\n\
                    cleartool: Error: Unable to check in \"foo.c\".\n";
    assert_eq!(said.refused(), expected);
    // It is checked out still, and can be checked in when it is quiet.
    assert_eq!(project.sh("ls foo.c@@/main"), "0\n1\n2\nCHECKEDOUT\nLATEST\n");
    let data = fs::read(&path).expect("still there");
    project.sh("cleartool ci -nc foo.c");
    assert!(fs::read(&path).expect("there") == data, "another content");
}
