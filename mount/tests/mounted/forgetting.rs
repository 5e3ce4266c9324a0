//! What changes behind the kernel's back is seen as soon as the notice is delivered.

use crate::house::House;
use clerestory_mount::{Inode, Request};
use std::process::{Command, Stdio};

#[test]
fn a_name_that_leads_elsewhere_is_asked_anew() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "main.c", b"one");
    });
    assert_eq!(house.read("main.c"), "one");
    house.memory.rebind(Inode::ROOT, "main.c", b"second");
    assert_eq!(house.read("main.c"), "one", "the kernel keeps it until it is told");
    let invalidator = house.mounted().invalidator();
    invalidator.names(vec![(Inode::ROOT, "main.c".into())]);
    invalidator.settle();
    assert_eq!(house.read("main.c"), "second");
    assert_eq!(std::fs::metadata(house.path("main.c")).unwrap().len(), 6);
}

#[test]
fn a_name_that_leads_to_the_same_file_keeps_its_pages() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "same", b"same");
    });
    assert_eq!(house.read("same"), "same");
    let invalidator = house.mounted().invalidator();
    invalidator.names(vec![(Inode::ROOT, "same".into())]);
    invalidator.settle();
    let asked = house.requests_during(|| assert_eq!(house.read("same"), "same"));
    assert_eq!((asked.get(Request::Lookup), asked.get(Request::Read)), (1, 0), "{asked}");
}

#[test]
fn an_absent_name_that_appears_is_asked_anew() {
    let house = House::new(|_| {});
    assert!(!house.path("late").exists());
    house.memory.file(Inode::ROOT, "late", b"here");
    assert!(!house.path("late").exists(), "the kernel keeps it until it is told");
    let invalidator = house.mounted().invalidator();
    invalidator.names(vec![(Inode::ROOT, "late".into())]);
    invalidator.settle();
    assert_eq!(house.read("late"), "here");
}

#[test]
fn a_new_name_shows_up_in_a_listing() {
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "a", b"");
    });
    assert_eq!(house.names("."), ["a"]);
    assert_eq!(house.names("."), ["a"]);
    house.memory.file(Inode::ROOT, "b", b"");
    let invalidator = house.mounted().invalidator();
    invalidator.listings(vec![Inode::ROOT]);
    invalidator.settle();
    assert_eq!(house.names("."), ["a", "b"]);
}

#[test]
fn contents_and_attributes_are_forgotten_on_request() {
    let house = House::new(|_| {});
    let inode = house.memory.file(Inode::ROOT, "f", b"before");
    assert_eq!(house.read("f"), "before");
    house.memory.set_contents(inode, b"later!");
    assert_eq!(house.read("f"), "before");
    let invalidator = house.mounted().invalidator();
    invalidator.contents(vec![inode]);
    invalidator.settle();
    assert_eq!(house.read("f"), "later!");
    house.memory.set_contents(inode, b"longer than before");
    invalidator.attributes(vec![inode]);
    invalidator.settle();
    assert_eq!(std::fs::metadata(house.path("f")).unwrap().len(), 18);
}

#[test]
fn everything_is_asked_anew_on_request() {
    let house = House::new(|memory| {
        let directory = memory.directory(Inode::ROOT, "d");
        memory.file(directory, "same", b"same");
        memory.file(directory, "other", b"old");
    });
    assert_eq!((house.read("d/same"), house.read("d/other")), ("same".into(), "old".into()));
    assert_eq!(house.names("d"), ["other", "same"]);
    assert!(!house.path("d/new").exists());
    let directory = Inode::new(std::os::unix::fs::MetadataExt::ino(&house.path("d").metadata().unwrap()));
    house.memory.rebind(directory, "other", b"fresh");
    house.memory.file(directory, "new", b"new");
    let invalidator = house.mounted().invalidator();
    if !invalidator.everything() {
        println!("this kernel has no INC_EPOCH: names are expired one by one");
        let names = ["d", "d/other", "d/new"].map(|n| (directory, n.trim_start_matches("d/").into()));
        invalidator.names(names.to_vec());
        invalidator.listings(vec![directory, Inode::ROOT]);
    }
    invalidator.settle();
    assert_eq!(house.read("d/same"), "same");
    assert_eq!(house.read("d/other"), "fresh");
    assert_eq!(house.read("d/new"), "new");
    assert_eq!(house.names("d"), ["new", "other", "same"]);
}

/// Starts a shell in `d/e`, lets `forget` run, and returns where the shell says it is.
fn working_directory_after(forget: impl FnOnce(&House, Inode, Inode)) -> (String, String) {
    let mut inodes = (Inode::ROOT, Inode::ROOT);
    let house = House::new(|memory| {
        inodes.0 = memory.directory(Inode::ROOT, "d");
        inodes.1 = memory.directory(inodes.0, "e");
        memory.file(inodes.1, "f", b"");
    });
    let mut shell = Command::new("sh")
        .args(["-c", "read go; /bin/pwd; ls"])
        .current_dir(house.path("d/e"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    forget(&house, inodes.0, inodes.1);
    // Somebody else walks there in between.
    assert!(house.path("d/e/f").exists());
    drop(shell.stdin.take());
    let output = shell.wait_with_output().expect("the shell's answer");
    let expected = format!("{}\nf\n", house.path("d/e").display());
    (String::from_utf8(output.stdout).expect("text"), expected)
}

#[test]
fn a_working_directory_survives_the_expiry_of_its_name() {
    let (found, expected) = working_directory_after(|house, d, e| {
        let invalidator = house.mounted().invalidator();
        invalidator.names(vec![(Inode::ROOT, "d".into()), (d, "e".into())]);
        invalidator.listings(vec![d, e]);
        invalidator.settle();
    });
    assert_eq!(found, expected);
}

#[test]
fn a_working_directory_survives_the_expiry_of_everything() {
    let (found, expected) = working_directory_after(|house, _, _| {
        let invalidator = house.mounted().invalidator();
        invalidator.everything();
        invalidator.settle();
    });
    assert_eq!(found, expected);
}

#[test]
fn a_lookup_is_not_remembered_when_something_changed_meanwhile() {
    // Each change also moves the epoch; whatever the interleaving, the last state must be what is seen.
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "busy", b"0");
    });
    let invalidator = house.mounted().invalidator();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| (0..3000).for_each(|_| drop(std::fs::metadata(house.path("busy")))));
        for round in 1..=300 {
            house.memory.rebind(Inode::ROOT, "busy", round.to_string().as_bytes());
            invalidator.names(vec![(Inode::ROOT, "busy".into())]);
        }
        reader.join().expect("the reader");
    });
    invalidator.settle();
    assert_eq!(house.read("busy"), "300");
}
