//! What earlier versions of the program wrote is read; what later ones may write is refused, and left as it is.
//!
//! `tests/fixtures/format-N.tar.zst` is a whole home of format N: a VOB with branches, labels, links, locks, names that
//! changed and something in lost+found, and a view with a checkout and a private file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::transcript::check;
use crate::world::World;

/// Homes by format, oldest first.
const HOMES: [(u32, &[u8]); 1] = [(1, include_bytes!("../fixtures/format-1.tar.zst"))];

/// A home as it was left, at another place.
fn old_home(bytes: &[u8]) -> World {
    let world = World::new();
    let home = world.home();
    let unpacked = zstd::Decoder::new(bytes).map(tar::Archive::new);
    unpacked.and_then(|mut archive| archive.unpack(&home)).expect("the fixture can be unpacked");
    let registry = home.join("registry");
    let text = fs::read_to_string(&registry).expect("it has a registry");
    fs::write(&registry, text.replace("/tmp/fx/home", home.to_str().expect("text")))
        .expect("it can be written");
    world
}

#[test]
fn homes_of_every_format_are_opened() {
    for (format, bytes) in HOMES {
        let world = old_home(bytes);
        world.ct(&["lsvob"]).ok();
        let directory = world.in_view("v", "/vobs/x");
        check(
            &world,
            &directory,
            r#"
$ cat a.c a.c@@/main/0 a.c@@/main/1 again.c@@/main/dev/1
one
two
one
one
two
dev
$ sed -s -n '1p;$p' b.txt b.txt@@/main/1 | xargs
5 3005 1 3000
$ wc -c < c.bin
100000
$ cat private.txt src/first.c src@@/main/1/main.c/main/1
private
m
m
$ cleartool ls -short | sed 's/[0-9a-f]\{32\}/OID/'
a.c@@/main/CHECKEDOUT
again.c@@/main/CHECKEDOUT
b.txt@@/main/2
c.bin@@/main/1
link
lost+found@@/main/0
private.txt
src@@/main/2
$ ls lost+found | cut -c 1-2
z.
$ cleartool describe -fmt '%n %Nl %Na %[hlink:L]p\n' b.txt@@/main/1
b.txt@@/main/1 REL N=7 "L@0@/vobs/x" <- "WORLD/view/v/vobs/x/again.c@@/main/2" 
$ cleartool describe -fmt '%n %[locked]p\n' b.txt@@
b.txt@@ locked
$ cleartool lshistory -fmt '%e %n %Nc\n' a.c
checkout version a.c 
create version a.c@@/main/dev/1 
create version a.c@@/main/dev/0 
create branch a.c@@/main/dev 
create version a.c@@/main/2 second
create version a.c@@/main/1 made
create version a.c@@/main/0 
create branch a.c@@/main 
create file element a.c@@ 
$ cleartool lslock -fmt '%n\n' b.txt
b.txt@@
$ cleartool checkvob vob:. | sed 's/(.*//'
Checked VOB "/vobs/x": nothing is wrong 
$ echo three >> a.c && cleartool ci -nc a.c
Checked in "a.c" version "/main/3".
"#,
        );
        assert_eq!(format, HOMES[format as usize - 1].0);
    }
}

/// Every file below a directory, with its bytes, but for what a running daemon makes.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in
        fs::read_dir(directory).expect("it can be listed").map(|entry| entry.expect("an entry").path())
    {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match name {
            "log" | "lock" | "start" | "socket" => {}
            _ if entry.is_dir() => all.extend(contents(&entry)),
            _ => drop(all.insert(entry.clone(), fs::read(&entry).expect("it can be read"))),
        }
    }
    all
}

/// Writes over the number of a format.
fn make_newer(home: &Path, file: &str) {
    let path = home.join(file);
    if file.ends_with(".log") {
        // Behind the eight bytes that say what it is.
        let segment = fs::OpenOptions::new().write(true).open(&path).expect("there is a journal");
        return segment.write_all_at(&77u32.to_le_bytes(), 8).expect("it can be written");
    }
    let text = fs::read_to_string(&path).expect("it is text");
    let newer = if text == "1\n" { "77\n".to_owned() } else { text.replace("format 1\n", "format 77\n") };
    assert_ne!(newer, text);
    fs::write(&path, newer).expect("it can be written");
}

#[test]
fn newer_formats_are_refused_and_left_alone() {
    let vob = "vobs/vobs_x.vbs";
    for file in [
        "format",
        "registry",
        &format!("{vob}/format"),
        &format!("{vob}/journal/00000001.log"),
        "views/v.vws/format",
    ] {
        let world = old_home(HOMES[0].1);
        make_newer(&world.home(), file);
        // Of a home all of it is left alone, of a VOB and a view its storage.
        let storage: PathBuf = file.split('/').take(2).collect();
        let place = if file.contains('/') { world.home().join(storage) } else { world.home() };
        let before = contents(&place);
        // A VOB or a view that cannot be used keeps nobody from the others; it is told where it is asked for.
        let told = match file.split('/').next() {
            Some("vobs") => world.ct(&["mount", "/vobs/x"]),
            Some("views") => world.ct(&["startview", "v"]),
            _ => world.ct(&["lsvob"]),
        };
        let said = told.refused();
        assert!(said.contains("format 77") || said.contains("newer format"), "{file}: {said}");
        world.clerestory(&["shutdown"]);
        assert!(before == contents(&place), "{file}: something was written");
    }
}
