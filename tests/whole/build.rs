//! A C project built inside a view.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::import::{VOB, import};
use crate::repository::{NEXT, Repository};
use crate::tree;
use crate::world::World;

const MAKEFILE: &str = "\
OBJECTS = main.o lib/add.o lib/scale.o lib/print.o lib/table.o
program: $(OBJECTS)
\t$(CC) -o $@ $(OBJECTS)
%.o: %.c lib/all.h
\t$(CC) -O1 -I. -c -o $@ $<
clean:
\trm -f program $(OBJECTS)
";

fn make_project(repository: &mut Repository) {
    repository.import(|stream| {
        stream.commit("main", 1_100_000_000, NEXT);
        stream.file("Makefile", MAKEFILE);
        stream.file(
            "lib/all.h",
            "int add(int, int);\nint scale(int);\nvoid print(int);\nextern const int table[4];\n",
        );
        stream.file("lib/add.c", "#include \"lib/all.h\"\nint add(int a, int b) { return a + b; }\n");
        stream.file("lib/scale.c", "#include \"lib/all.h\"\nint scale(int a) { return a * 2; }\n");
        stream.file(
            "lib/print.c",
            "#include <stdio.h>\n#include \"lib/all.h\"\nvoid print(int a) { printf(\"%d\\n\", a); }\n",
        );
        stream.file("lib/table.c", "#include \"lib/all.h\"\nconst int table[4] = { 1, 2, 3, 4 };\n");
        stream.file(
            "main.c",
            "#include \"lib/all.h\"\nint main(void) { int sum = 0;\n  for (int i = 0; i < 4; i++) \
             sum = add(sum, scale(table[i]));\n  print(sum); return 0; }\n",
        );
        stream.commit("main", 1_100_000_600, NEXT);
        stream.file("lib/scale.c", "#include \"lib/all.h\"\nint scale(int a) { return a * 3; }\n");
    });
}

struct Built {
    world: World,
    directory: PathBuf,
    storage: PathBuf,
}

fn project() -> Built {
    let world = World::new();
    let mut repository = Repository::new(&world.root().join("repository"));
    make_project(&mut repository);
    import(&world, repository.path());
    world.make_view("v");
    let (directory, storage) = (world.in_view("v", VOB), world.only_vob());
    Built { world, directory, storage }
}

#[test]
fn a_c_project_builds_in_a_view_and_leaves_the_vob_alone() {
    let Built { world, directory, storage } = project();
    let before = tree::read(&directory);
    let journal = world.journal_bytes(&storage);
    world.sh(&directory, "make -j2").ok();
    assert_eq!(world.sh(&directory, "./program").ok(), "30\n");
    assert_eq!(world.sh(&directory, "make -j2").ok(), "make: 'program' is up to date.\n");
    let listed = world.ct_in(&directory, &["ls", "-recurse"]).ok();
    let lines: BTreeMap<&str, &str> =
        listed.lines().map(|line| line.split_once("@@").unwrap_or((line, ""))).collect();
    let name = |name: &str| {
        let found = lines.iter().find(|(listed, _)| listed.trim_start_matches("./") == name);
        found.unwrap_or_else(|| panic!("no {name} in {listed}")).1.to_owned()
    };
    for object in ["program", "main.o", "lib/add.o", "lib/scale.o", "lib/print.o", "lib/table.o"] {
        assert_eq!(name(object), "", "{object} has a version");
    }
    assert!(name("lib/scale.c").starts_with("/main/2 "), "{listed}");
    assert!(name("main.c").starts_with("/main/1 "), "{listed}");
    assert_eq!(world.journal_bytes(&storage), journal, "the build changed the VOB");
    // What one view built, another does not see; and it can build for itself.
    world.make_view("w");
    let other = world.in_view("w", VOB);
    tree::assert_same("the other view", &before, &tree::read(&other));
    // A change of a header builds everything again.
    world.sh(&directory, "cleartool co -nc lib/table.c && sed -i s/4.}/5}/ lib/table.c && make").ok();
    assert_eq!(
        world
            .sh(&directory, "cleartool ci -nc lib/table.c && make && ./program | tail -1")
            .ok()
            .lines()
            .last(),
        Some("33")
    );
    world.sh(&directory, "make clean").ok();
    assert_eq!(world.ct_in(&directory, &["ls", "-view_only", "-recurse"]).ok(), "");
}

/// Requests that reached user space so far, by kind.
fn requests(world: &World) -> String {
    let stats = world.clerestory(&["stats"]).ok();
    let is_asked = |line: &&str| line.starts_with("fuse.") && !line.starts_with("fuse.forget ");
    stats.lines().filter(is_asked).map(|line| format!("{line}\n")).collect()
}

fn walk(directory: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(directory).expect("can be listed") {
        let path = entry.expect("can be listed").path();
        let metadata = path.symlink_metadata().expect("can be asked");
        if metadata.is_dir() {
            bytes += walk(&path);
        } else {
            bytes += fs::read(&path).expect("can be read").len() as u64;
        }
    }
    bytes
}

#[test]
fn a_warm_walk_reaches_user_space_not_once() {
    let Built { world, directory, .. } = project();
    world.sh(&directory, "make -j2").ok();
    let bytes = walk(&directory);
    assert_eq!(walk(&directory), bytes);
    let before = requests(&world);
    assert_eq!(walk(&directory), bytes);
    assert_eq!(requests(&world), before);
}
