//! A daemon that is killed in the middle of an import: the next import ends with the same VOB.

use std::path::Path;
use std::process::Stdio;

use crate::import::{VOB, import};
use crate::repository::{NEXT, Parents, Repository};
use crate::transcript::mask;
use crate::tree;
use crate::world::{Output, World, signal, wait_until};

/// Some nine journal frames of 128 commits.
const COMMITS: u32 = 1200;

fn make_history(repository: &mut Repository) {
    let mut random = 12345u32;
    let mut next = move |below: u32| {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
        (random >> 8) % below
    };
    repository.import(|stream| {
        let (mut main, mut side) = (0, 0);
        for number in 0..COMMITS {
            let seconds = 1_000_000_000 + i64::from(number) * 600;
            let on_side = number > 20 && next(4) == 0;
            let mark = match (on_side, side) {
                (true, 0) => stream.commit("side", seconds, Parents { first: Some(main), merged: &[] }),
                (true, _) => stream.commit("side", seconds, NEXT),
                (false, side) if side > 0 && next(9) == 0 => {
                    stream.commit("main", seconds, Parents { first: None, merged: &[side] })
                }
                (false, _) => stream.commit("main", seconds, NEXT),
            };
            *if on_side { &mut side } else { &mut main } = mark;
            for _ in 0..=next(3) {
                let path = format!("d{}/f{}", next(6), next(9));
                let text: String =
                    (0..next(400)).map(|line| format!("{line} {number} {}\n", next(7))).collect();
                stream.file(path, text);
            }
            // Directories come and go, and change their names.
            match number % 60 {
                13 | 43 => {
                    let (old, new) = if number % 60 == 13 { ("d1", "e1") } else { ("e1", "d7") };
                    stream.file(format!("{old}/here"), format!("here at {number}\n"));
                    stream.rename(old, new);
                }
                29 => stream.delete("d2"),
                _ => {}
            }
            if number % 150 == 149 {
                stream.tag(&format!("t{number}"), mark);
            }
        }
    });
}

/// Everything the commands tell of a VOB.
fn dump(world: &World, repository: &Repository) -> String {
    world.make_view("dump");
    let directory = world.in_view("dump", VOB);
    let mut dump = world.ct_in(&directory, &["lshistory", "-all", "-minor", "-eventid", "-long", "."]).ok();
    let tags = repository.git_word(&["tag"]);
    let tags = tags.lines().map(|tag| (format!("element * {tag}\n"), tag.to_owned()));
    let main = [("element * /main/LATEST\n".to_owned(), "main".to_owned())];
    for (spec, commit) in tags.chain(main) {
        world.set_spec("dump", &spec);
        let found = tree::read(&directory);
        tree::assert_same(&commit, &repository.tree(&commit), &found);
        let names: Vec<String> =
            found.into_keys().map(|name| String::from_utf8(name).expect("text")).collect();
        let names = || names.iter().map(String::as_str);
        for command in [&["lsvtree", "-all", "-merge"][..], &["describe", "-long"], &["ls", "-directory"]] {
            let words: Vec<&str> = command.iter().copied().chain(names()).collect();
            dump += &world.ct_in(&directory, &words).ok();
        }
    }
    let dump = mask(world, &dump);
    // The VOB itself and its predefined types were made today.
    dump.lines()
        .map(
            |line| {
                if line.starts_with("20") && line > "2020" { "(today)\n".into() } else { format!("{line}\n") }
            },
        )
        .collect()
}

/// How much an import has put into the only VOB: contents and journal.
fn stored_bytes(world: &World) -> u64 {
    fn below(directory: &Path) -> u64 {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let size = |entry: std::fs::DirEntry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        };
        entries.map(size).sum()
    }
    let vobs = std::fs::read_dir(world.home().join("vobs")).into_iter().flatten().flatten();
    vobs.map(|vob| below(&vob.path().join("journal")) + below(&vob.path().join("s"))).sum()
}

/// Starts an import, kills the daemon when `moment` comes, and tells whether it was still importing.
fn import_and_kill(world: &World, repository: &Path, mut moment: impl FnMut() -> bool) -> bool {
    world.clerestory(&["stats"]).ok();
    let daemon = world.daemon().expect("a daemon runs");
    let mut command = world.command(world.root().join("bin/clerestory"), world.root());
    command.args(["import", "git"]).arg(repository).args(["--vob", VOB]);
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut import = piped.spawn().expect("the import can be started");
    let mut ended = false;
    wait_until("the moment to kill", || {
        ended = import.try_wait().expect("the import can be waited for").is_some();
        ended || moment()
    });
    signal(daemon, libc::SIGKILL);
    world.wait_for_end();
    let output = Output::new("import".into(), import.wait_with_output().expect("the import ends"));
    assert!(output.status == 0 || output.status == 1, "{output:#?}");
    output.status != 0
}

#[test]
fn an_import_killed_at_any_moment_ends_with_the_same_vob() {
    let undisturbed = World::new();
    let mut repository = Repository::new(&undisturbed.root().join("repository"));
    make_history(&mut repository);
    import(&undisturbed, repository.path());
    let expected = dump(&undisturbed, &repository);
    let whole = stored_bytes(&undisturbed);
    let (mut blows, mut killed) = (0, 0);
    for share in [0, 5, 15, 30, 45, 60, 75, 90] {
        let world = World::new();
        // A second blow hits the import that goes on.
        for wanted in [whole * share / 100, whole * (share + 8) / 100] {
            let moment = || world.home().join("vobs").exists() && stored_bytes(&world) >= wanted.max(1);
            killed += u32::from(import_and_kill(&world, repository.path(), moment));
            blows += 1;
        }
        import(&world, repository.path());
        let found = dump(&world, &repository);
        if found != expected {
            let different = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
            panic!("killed at {share} %: first difference (found, expected) {different:#?}");
        }
        let said = import(&world, repository.path()).0;
        assert!(said.contains("Nothing new"), "{said}");
    }
    assert!(
        killed * 2 >= blows,
        "only {killed} of {blows} imports were still at it when the daemon was killed"
    );
}
