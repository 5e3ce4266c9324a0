//! A warm tree costs no request.

use crate::house::{House, wait_until};
use crate::memory::Memory;
use clerestory_mount::{Inode, Request};

/// 20 directories with 50 files each.
fn fill(memory: &Memory) {
    for d in 0..20 {
        let directory = memory.directory(Inode::ROOT, &format!("d{d}"));
        for f in 0..50 {
            memory.file(directory, &format!("f{f}"), format!("contents {d} {f}\n").as_bytes());
        }
    }
}

#[test]
fn a_warm_walk_sends_nothing() {
    let house = House::new(fill);
    let walk = || assert_eq!(house.shell("find . -size +0 -type f | wc -l").trim(), "1000");
    let cold = house.requests_during(walk);
    let second = house.requests_during(walk);
    let warm = house.requests_during(walk);
    println!("find -size: cold: {cold}; second: {second}; warm: {warm}");
    // The kernel counts a real listing as an access, and asks the directory's attributes once more.
    assert_eq!(second.total(), second.get(Request::GetAttributes), "{second}");
    assert!(second.total() <= 21, "{second}");
    assert_eq!(warm.total(), 0, "{warm}");
    assert_eq!(cold.get(Request::Lookup), 0, "listings bring the attributes along: {cold}");
}

#[test]
fn warm_reads_send_nothing() {
    let house = House::new(fill);
    let read = || assert_eq!(house.shell("grep -r contents . | wc -l").trim(), "1000");
    let cold = house.requests_during(read);
    let second = house.requests_during(read);
    let third = house.requests_during(read);
    println!("grep -r: cold: {cold}; second: {second}; third: {third}");
    assert_eq!(second.get(Request::Read), 0, "{second}");
    assert_eq!(third.total(), 0, "{third}");
}

#[test]
fn a_warm_long_listing_asks_for_no_file() {
    let house = House::new(fill);
    let list = || assert_eq!(house.shell("ls -lR . | grep -c ' f[0-9]*$'").trim(), "1000");
    let cold = house.requests_during(list);
    let second = house.requests_during(list);
    // Asking a directory's attributes anew, after its first real listing, also drops its access lists.
    let third = house.requests_during(list);
    let warm = house.requests_during(list);
    println!("ls -lR: cold: {cold}; second: {second}; third: {third}; warm: {warm}");
    // Each `ls` tries a security label in each of its ways before it learns that this mount has none.
    assert_eq!(warm.total(), warm.get(Request::GetXattr), "{warm}");
    assert!(warm.total() <= 4, "{warm}");
}

#[test]
fn an_absent_name_is_asked_once() {
    let house = House::new(|_| {});
    let look = || assert!(!house.path("absent").exists());
    assert_eq!(house.requests_during(look).get(Request::Lookup), 1);
    assert_eq!(house.requests_during(look).total(), 0);
}

#[test]
fn a_link_target_is_asked_once() {
    let house = House::new(|_| {});
    std::os::unix::fs::symlink("somewhere/else", house.path("link")).expect("a link");
    let read = || assert_eq!(std::fs::read_link(house.path("link")).unwrap().as_os_str(), "somewhere/else");
    read();
    assert_eq!(house.requests_during(read).get(Request::ReadLink), 0);
}

#[test]
fn large_files_arrive_whole_and_in_large_pieces() {
    let data: Vec<u8> = (0..8_000_000u32).flat_map(u32::to_le_bytes).collect();
    let house = House::new(|memory| {
        memory.file(Inode::ROOT, "large", &data);
    });
    let cold = house.requests_during(|| assert!(std::fs::read(house.path("large")).unwrap() == data));
    println!("reading 32 MB: {cold}");
    // Under memory pressure the kernel may have dropped a page meanwhile: then it comes once more.
    wait_until("a read finds all pages", || {
        let warm = house.requests_during(|| assert!(std::fs::read(house.path("large")).unwrap() == data));
        warm.get(Request::Read) == 0
    });
}
