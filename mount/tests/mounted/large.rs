//! Directories far larger than one answer.

use crate::house::House;
use clerestory_mount::Inode;
use std::collections::BTreeSet;

const NAMES: usize = 5000;

fn house() -> House {
    House::new(|memory| {
        let directory = memory.directory(Inode::ROOT, "large");
        for i in 0..NAMES {
            memory.file(directory, &format!("a-name-of-usual-length-{i:05}"), b"x");
        }
    })
}

#[test]
fn a_large_directory_lists_completely() {
    let house = house();
    let cold = house.requests_during(|| assert_eq!(house.names("large").len(), NAMES));
    // The access time of the directory is asked once more.
    assert_eq!(house.names("large").len(), NAMES);
    let warm = house.requests_during(|| assert_eq!(house.names("large").len(), NAMES));
    println!("listing {NAMES} names: cold: {cold}; warm: {warm}");
    assert_eq!(warm.total(), 0);
}

#[test]
fn names_that_stay_are_listed_once_while_others_go() {
    let house = house();
    let mut seen = BTreeSet::new();
    for (i, entry) in std::fs::read_dir(house.path("large")).expect("a directory").enumerate() {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("text");
        let odd = name.ends_with(['1', '3', '5', '7', '9']);
        if odd {
            std::fs::remove_file(entry.path()).expect("a removal");
        }
        assert!(seen.insert(name), "listed twice, at {i}");
    }
    assert_eq!(seen.len(), NAMES);
    assert_eq!(house.names("large").len(), NAMES / 2);
}

#[test]
fn a_large_tree_is_removed_whole() {
    let house = house();
    house.shell("ls -l large >/dev/null; rm -rf large");
    assert!(house.names(".").is_empty());
}
