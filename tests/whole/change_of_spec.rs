//! Another config spec for a view that is in use: it holds for the next system call, and what it does not change
//! stays in the kernel's caches.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::import::{VOB, import};
use crate::repository::{NEXT, Parents, Repository};
use crate::world::{Output, World, wait_until};

/// Numbers that look random and are the same each time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A VOB made from a repository, and the view `v` of it.
struct Scene {
    world: World,
    directory: PathBuf,
}

impl Scene {
    fn of(make: impl FnOnce(&mut Repository)) -> Scene {
        let world = World::new();
        let mut repository = Repository::new(&world.root().join("repository"));
        make(&mut repository);
        import(&world, repository.path());
        world.make_view("v");
        let directory = world.in_view("v", VOB);
        Scene { world, directory }
    }

    /// Two releases, `one` and `two`: 4 directories of 10 files, of which 3 differ; one file is only in `one`,
    /// one only in `two`, and in `moved` is what was in `old`.
    fn two_releases() -> Scene {
        Scene::of(|repository| {
            repository.import(|stream| {
                let first = stream.commit("main", 1_100_000_000, NEXT);
                for directory in 0..4 {
                    for file in 0..10 {
                        let path = format!("d{directory}/f{file}.c");
                        stream.file(&path, format!("{path} in one\n"));
                    }
                }
                stream.file("d0/gone.c", "gone\n");
                stream.file("bye/x.c", "bye\n");
                stream.file("old/inner/deep.c", "deep\n");
                stream.file("old/flat.c", "flat\n");
                stream.reset("refs/tags/one", first);
                let second = stream.commit("main", 1_100_000_600, NEXT);
                for path in ["d0/f3.c", "d1/f0.c", "d1/f9.c"] {
                    stream.file(path, format!("{path} as it is in two\n"));
                }
                stream.delete("d0/gone.c");
                stream.delete("bye");
                stream.file("d0/new.c", "new\n");
                stream.rename("old", "moved");
                stream.reset("refs/tags/two", second);
            });
        })
    }

    fn set_spec(&self, spec: &str) {
        self.world.set_spec("v", spec);
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        let stats = self.world.clerestory(&["stats"]).ok();
        let figures = stats.lines().filter_map(|line| {
            let (name, figure) = line.split_once(char::is_whitespace)?;
            Some((name.to_owned(), figure.trim().parse().ok()?))
        });
        figures.collect()
    }

    fn requests_since(&self, before: &BTreeMap<String, u64>, request: &str) -> u64 {
        let figure = |all: &BTreeMap<String, u64>| all.get(&format!("fuse.{request}")).copied().unwrap_or(0);
        figure(&self.requests()) - figure(before)
    }

    /// All that the view shows, and what it says of each of these paths.
    fn seen(&self, probes: &BTreeSet<String>) -> Seen {
        let mut seen = Seen::default();
        seen.read(&self.directory, "");
        for probe in probes {
            for path in [probe.clone(), format!("{probe}@@")] {
                let there = self.directory.join(&path).symlink_metadata();
                let answer = there.map_or_else(told, |found| format!("mode {:o}", found.mode()));
                seen.paths.insert(format!("probe {path}"), answer);
            }
        }
        seen
    }
}

/// What was seen, by path.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    paths: BTreeMap<String, String>,
    directories: BTreeMap<u64, usize>,
}

fn told(error: std::io::Error) -> String {
    format!("error {:?}", error.raw_os_error())
}

impl Seen {
    fn read(&mut self, directory: &Path, prefix: &str) {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => return drop(self.paths.insert(format!("{prefix}/"), told(error))),
        };
        for entry in entries {
            let entry = entry.expect("a listing can be read");
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let answer = match entry.path().symlink_metadata() {
                Err(error) => told(error),
                Ok(found) if found.is_dir() => {
                    *self.directories.entry(found.ino()).or_default() += 1;
                    self.read(&entry.path(), &format!("{path}/"));
                    "directory".to_owned()
                }
                Ok(found) if found.is_symlink() => format!("{:?}", fs::read_link(entry.path())),
                Ok(found) => format!("{} bytes: {:?}", found.len(), fs::read_to_string(entry.path())),
            };
            self.paths.insert(path, answer);
        }
    }

    /// One directory cannot be at two places of a mount: what is below it depends on who looked last.
    fn shows_a_directory_twice(&self) -> bool {
        self.directories.values().any(|places| *places > 1)
    }
}

/// Goes from `one` to `two` and on; returns what each step asked for that it need not.
fn superfluous_requests(scene: &Scene) -> Vec<(&'static str, u64)> {
    let nothing = BTreeSet::new();
    scene.set_spec("element * one\n");
    scene.seen(&nothing);
    let warm = scene.requests();
    scene.seen(&nothing);
    let mut superfluous = vec![("a warm view", scene.requests_since(&warm, "read"))];
    scene.set_spec("element * two\n");
    let seen = scene.seen(&nothing);
    assert_eq!(seen.paths["d1/f9.c"], "24 bytes: Ok(\"d1/f9.c as it is in two\\n\")");
    assert!(seen.paths.contains_key("moved/inner/deep.c") && !seen.paths.contains_key("old"));
    // Three changed files, a new one and nothing else, not even what is below the moved directory.
    superfluous.push(("files of two", scene.requests_since(&warm, "read").saturating_sub(4)));
    superfluous.push(("names of two", scene.requests_since(&warm, "lookup").saturating_sub(8)));
    // The same versions by other rules: nothing is asked at all.
    let warm = scene.requests();
    scene.set_spec(
        "element * CHECKEDOUT\nelement -file d2/... /main/LATEST\nelement * two -time 2020-01-01\n",
    );
    assert_eq!(scene.seen(&nothing), seen);
    let requests = ["read", "lookup", "readdirplus", "readdir"];
    superfluous.extend(requests.map(|request| (request, scene.requests_since(&warm, request))));
    // One directory's files.
    let warm = scene.requests();
    scene.set_spec("element d1/f* one\nelement * two\n");
    assert_eq!(scene.seen(&nothing).paths["d1/f9.c"], "15 bytes: Ok(\"d1/f9.c in one\\n\")");
    superfluous.push(("files of d1", scene.requests_since(&warm, "read").saturating_sub(2)));
    superfluous.retain(|(_, count)| *count > 0);
    superfluous
}

#[test]
fn files_that_do_not_change_stay_in_the_kernels_caches() {
    let scene = Scene::two_releases();
    // The system may take pages back for others at any time; it does not in every round.
    let rounds: Vec<_> = (0..5).map(|_| superfluous_requests(&scene)).collect();
    assert!(rounds.iter().any(Vec::is_empty), "{rounds:?}");
}

#[test]
fn the_spec_holds_for_the_next_call_while_others_read() {
    let scene = Scene::two_releases();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for name in ["d0", "d1", "moved", "old/inner"] {
                        let _ = fs::read_dir(scene.directory.join(name)).map(Iterator::count);
                    }
                    for name in
                        ["d0/f3.c", "d0/new.c", "d0/gone.c", "d1/f9.c", "moved/inner/deep.c", "old/flat.c"]
                    {
                        let _ = fs::read_to_string(scene.directory.join(name));
                    }
                }
            });
        }
        let there = |name: &str| scene.directory.join(name).exists();
        let check = |release: &str, text: &str| {
            for name in ["d0/f3.c", "d1/f0.c", "d1/f9.c"] {
                let found = fs::read_to_string(scene.directory.join(name)).expect("a file of both releases");
                assert_eq!(found, format!("{name} {text}\n"));
            }
            let two = release == "two";
            let names =
                [("d0/new.c", two), ("d0/gone.c", !two), ("moved/inner/deep.c", two), ("old/flat.c", !two)];
            for (name, expected) in names {
                assert_eq!(there(name), expected, "{name} in {release}");
            }
            let entries = fs::read_dir(scene.directory.join("d0")).expect("d0 is in both").flatten();
            let listed: BTreeSet<_> =
                entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
            assert_eq!((listed.contains("new.c"), listed.contains("gone.c")), (two, !two));
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..40 {
                scene.set_spec("element * two\n");
                check("two", "as it is in two");
                scene.set_spec("element * one\n");
                check("one", "in one");
            }
        }));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

#[test]
fn a_working_directory_follows_the_spec_also_where_no_name_leads_to_it() {
    use std::io::{BufRead, BufReader, Write};
    let scene = Scene::two_releases();
    scene.set_spec("element * one\n");
    let mut shell = scene
        .world
        .command("/bin/sh", &scene.directory.join("d0"))
        .args(["-c", "while read line; do eval \"$line\" 2>&1; echo end; done"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut input = shell.stdin.take().expect("a pipe");
    let mut output = BufReader::new(shell.stdout.take().expect("a pipe")).lines();
    let mut said = |line: &str| -> String {
        writeln!(input, "{line}").expect("the shell reads");
        let lines = output.by_ref().map(|line| line.expect("text")).take_while(|line| line != "end");
        lines.collect::<Vec<_>>().join(" ")
    };
    let one = "f0.c f1.c f2.c f3.c f4.c f5.c f6.c f7.c f8.c f9.c gone.c";
    assert_eq!(said("/bin/ls; cat f3.c; test -e new.c || echo none"), format!("{one} d0/f3.c in one none"));
    scene.set_spec("element * two\n");
    let two = "f0.c f1.c f2.c f3.c f4.c f5.c f6.c f7.c f8.c f9.c new.c";
    assert_eq!(said("/bin/ls; cat f3.c new.c"), format!("{two} d0/f3.c as it is in two new"));
    // Nothing is selected of it: it is empty for those who are in it.
    scene.set_spec("element -directory d0 -none\nelement * two\n");
    assert!(!scene.directory.join("d0").exists());
    assert_eq!(said("/bin/ls; test -e f3.c || echo none"), "none");
    scene.set_spec("element * one\n");
    assert_eq!(said("/bin/ls; cat f3.c; test -e new.c || echo none"), format!("{one} d0/f3.c in one none"));
    assert_eq!(said("cd ../bye; /bin/ls; cat x.c"), "x.c bye");
    scene.set_spec("element * two\n");
    assert_eq!(said("/bin/ls; test -e x.c || echo none"), "none");
    // No path leads to it, and yet a version of it is selected.
    scene.set_spec("element * two\nelement * one\n");
    assert!(!scene.directory.join("bye").exists());
    assert_eq!(said("/bin/ls; cat x.c"), "x.c bye");
    scene.set_spec("element * one\n");
    assert_eq!(said("/bin/ls; cat x.c"), "x.c bye");
    drop(input);
    assert!(shell.wait().expect("the shell ends").success());
}

#[test]
fn the_names_below_at_signs_come_and_go_with_the_catalog() {
    let scene = Scene::two_releases();
    let there = |name: &str| scene.directory.join(name).exists();
    scene.set_spec("element * one\n");
    assert!(there("d0/gone.c@@") && there("old@@/main") && !there("d0/new.c@@") && !there("moved@@"));
    scene.set_spec("element * two\n");
    assert!(
        !there("d0/gone.c@@") && !there("old@@/main") && there("d0/new.c@@/main/1") && there("moved@@/main")
    );
    // By a commit too.
    scene.set_spec("element * CHECKEDOUT\nelement * /main/LATEST\n");
    assert!(!there("d0/made.c@@"));
    scene
        .world
        .sh(
            &scene.directory,
            "cleartool co -nc d0 && echo x > d0/made.c && cleartool mkelem -nc -ci d0/made.c && cleartool ci -nc d0",
        )
        .ok();
    assert!(there("d0/made.c@@/main/0"));
}

/// The history that specs are compared on: tags `t0` to `t5`, and a branch `side` with `s`.
fn random_history(repository: &mut Repository, numbers: &mut Numbers) -> BTreeSet<String> {
    let mut ever = BTreeSet::new();
    repository.import(|stream| {
        let mut files: BTreeSet<String> = BTreeSet::new();
        let mut number = 0;
        for commit in 0..6 {
            let mark = stream.commit("main", 1_100_000_000 + commit * 1000, NEXT);
            for _ in 0..if commit == 0 { 24 } else { 9 } {
                number += 1;
                let some: Vec<String> = files.iter().cloned().collect();
                let directory = *numbers.one_of(&["", "a/", "a/b/", "c/", "c/d/", "c/d/e/"]);
                match if some.len() < 8 { 0 } else { numbers.below(8) } {
                    0 | 1 => {
                        let path =
                            format!("{directory}f{}.{}", numbers.below(9), numbers.one_of(&["c", "h"]));
                        stream.file(&path, format!("{number}\n"));
                        files.insert(path);
                    }
                    2 | 3 => stream.file(numbers.one_of(&some), format!("{number}\n")),
                    4 => {
                        let path = numbers.one_of(&some);
                        stream.delete(path);
                        files.remove(path);
                    }
                    5 => {
                        let path = format!("{directory}l{}", numbers.below(4));
                        stream.link(&path, format!("f{}.c", numbers.below(9)));
                        files.insert(path);
                    }
                    6 => {
                        let (old, new) =
                            (numbers.one_of(&some), format!("{directory}r{}.c", numbers.below(5)));
                        if !files.contains(&new) {
                            stream.rename(old, &new);
                            files.remove(old);
                            files.insert(new);
                        }
                    }
                    _ => {
                        let old = *numbers.one_of(&["a/b/", "c/d/", "c/d/e/", "a/m/", "m/"]);
                        let new = *numbers.one_of(&["a/m/", "m/", "c/n/"]);
                        let is_free =
                            !files.iter().any(|path| path.starts_with(new)) && !new.starts_with(old);
                        let below: Vec<&String> = some.iter().filter(|path| path.starts_with(old)).collect();
                        if is_free && !below.is_empty() {
                            stream.rename(old.trim_end_matches('/'), new.trim_end_matches('/'));
                            for path in below {
                                files.remove(path);
                                files.insert(path.replacen(old, new, 1));
                            }
                        }
                    }
                }
                ever.extend(files.iter().cloned());
            }
            stream.reset(&format!("refs/tags/t{commit}"), mark);
            if commit == 3 {
                let side = stream.commit("side", 1_100_003_500, Parents { first: Some(mark), merged: &[] });
                for path in files.iter().step_by(4) {
                    stream.file(path, format!("{path} on the side\n"));
                }
                stream.file("a/side.c", "side\n");
                stream.reset("refs/tags/s", side);
            }
        }
    });
    ever.insert("a/side.c".to_owned());
    let directories =
        ever.iter().flat_map(|path| path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
    let directories: Vec<String> = directories.collect();
    ever.extend(directories);
    ever
}

fn random_spec(numbers: &mut Numbers, ever: &[String]) -> String {
    let mut spec = String::new();
    if numbers.below(3) > 0 {
        spec += "element * CHECKEDOUT\n";
    }
    for _ in 0..numbers.below(4) {
        let scope = *numbers.one_of(&["", "-file ", "-file ", "-directory "]);
        let path = numbers.one_of(ever).clone();
        let some =
            ["*.c", "f1.*", "a/...", "c/.../f2.c", "/vobs/odd/c/...", ".../m/*", "m", "d/...", "l1", &path];
        let pattern = *numbers.one_of(&some);
        let selector =
            *numbers.one_of(&["t0", "t3", "t5", "s", "-none", "-error", "/main/LATEST", "/main/1", "t1"]);
        spec += &format!("element {scope}{pattern} {selector}\n");
    }
    let last =
        ["t0", "t1", "t2", "t3", "t4", "t5", "s", "/main/LATEST", "/main/LATEST -time 2004-11-09T12:00:00Z"];
    let last = *numbers.one_of(&last);
    if numbers.below(4) == 0 {
        spec += "element * .../side/LATEST\n";
    }
    if numbers.below(8) == 0 {
        // What no rule matches is not shown, symbolic links either.
        spec + &format!("element a/... {last}\nelement -directory * {last}\n")
    } else {
        spec + &format!("element * {last}\n")
    }
}

fn compare_with_a_fresh_view(seed: u64) {
    let mut numbers = Numbers(seed);
    let mut ever = BTreeSet::new();
    let scene = Scene::of(|repository| ever = random_history(repository, &mut numbers));
    let all: Vec<String> = ever.iter().cloned().collect();
    // Checked-out files with other text, a checked-out directory with another catalog.
    scene.seen(&ever);
    let files: Vec<&String> = all.iter().filter(|path| scene.directory.join(path).is_file()).collect();
    for path in files.iter().step_by(7) {
        scene.world.sh(&scene.directory, &format!("cleartool co -nc {path} && echo mine > {path}")).ok();
    }
    let made = "cleartool co -nc a && echo 1 > a/made.c && cleartool mkelem -nc a/made.c && echo 2 > a/own";
    Output::of(scene.world.command("/bin/sh", &scene.directory).args(["-c", made])).ok();
    ever.extend(["a/made.c".to_owned(), "a/own".to_owned()]);
    // Private files that other specs' names are under.
    scene.set_spec("element * CHECKEDOUT\nelement * t0\n");
    scene.seen(&ever);
    let is_missing = |path: &&String| {
        let path = scene.directory.join(path);
        !path.exists() && path.parent().is_some_and(Path::is_dir)
    };
    for path in all.iter().filter(is_missing).step_by(5) {
        fs::write(scene.directory.join(path), "private\n").expect("the name is free");
    }
    let specs: Vec<String> = (0..14).map(|_| random_spec(&mut numbers, &all)).collect();
    let switched: Vec<Seen> = specs
        .iter()
        .map(|spec| {
            scene.set_spec(spec);
            scene.seen(&ever)
        })
        .collect();
    let mut compared = 0;
    for (step, (spec, switched)) in specs.iter().zip(&switched).enumerate() {
        scene.set_spec(spec);
        scene.world.ct(&["endview", "v"]).ok();
        wait_until("the view is gone", || !scene.world.viewroot().join("v").exists());
        scene.world.ct(&["startview", "v"]).ok();
        let fresh = scene.seen(&ever);
        if fresh.shows_a_directory_twice() || switched.shows_a_directory_twice() {
            continue;
        }
        compared += 1;
        let keys: BTreeSet<&String> = fresh.paths.keys().chain(switched.paths.keys()).collect();
        let differs = |key: &&&String| fresh.paths.get(**key) != switched.paths.get(**key);
        let differences: Vec<_> = keys.iter().filter(differs).collect();
        for key in &differences {
            eprintln!("{key}: fresh {:?}, switched {:?}", fresh.paths.get(**key), switched.paths.get(**key));
        }
        let former = if step == 0 { "(the first)" } else { &specs[step - 1] };
        assert!(differences.is_empty(), "seed {seed}, step {step}, from\n{former}to\n{spec}");
    }
    assert!(compared > 4, "seed {seed}: too little was compared: {compared}");
}

#[test]
fn a_view_that_changed_its_spec_shows_what_a_fresh_one_shows() {
    for seed in 1..=4 {
        compare_with_a_fresh_view(seed);
    }
}
