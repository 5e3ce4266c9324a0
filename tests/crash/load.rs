//! Many users at once for a long time: no error, nothing that grows for ever, and everything is there at the end.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Numbers, VOB, prepare};
use crate::manifest::{End, Manifest, Said};
use crate::world::World;
use crate::{number, seed};

/// Clients that change the VOB; four others read, build, change rules and make views.
const WRITERS: usize = 4;
/// What the daemon may grow by between the first third and the end: caches that are not full yet.
const GROWTH_BYTES: u64 = 64 << 20;
/// Connections of who is at it at the moment.
const GROWTH_DESCRIPTORS: usize = 64;
/// Private files that stay open for whatever is read and written next.
const OPEN_PRIVATE_FILES: usize = 256;

/// What a daemon has.
#[derive(Debug)]
struct Held {
    resident_bytes: u64,
    descriptors: usize,
    mounts: usize,
}

fn held(world: &World, daemon: i32) -> Held {
    let status = std::fs::read_to_string(format!("/proc/{daemon}/status")).expect("the daemon runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    let descriptors = std::fs::read_dir(format!("/proc/{daemon}/fd")).expect("the daemon runs").count();
    Held { resident_bytes: kib << 10, descriptors, mounts: world.mounts().len() }
}

/// Reads a tree as a program does that does not know of versions; answers how many bytes.
fn read_all(directory: &Path) -> std::io::Result<usize> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => bytes += read_all(&entry.path())?,
            // It may be gone since: others work here.
            false => bytes += std::fs::read(entry.path()).map_or(0, |held| held.len()),
        }
    }
    Ok(bytes)
}

#[test]
fn many_users_for_a_long_time() {
    let (seed, seconds) = (seed(), number("CLERESTORY_LOAD_SECONDS", 10) as u64);
    let world = World::new();
    prepare(&world, "sled", WRITERS);
    ["reader", "builder", "chooser"].iter().for_each(|view| world.make_view(view));
    let daemon = world.daemon().expect("a daemon runs");
    let (manifest, numbers) = (Mutex::new(Manifest::default()), Numbers::default());
    let (stop, wrong) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let [reads, builds, choices, views] = [(); 4].map(|()| AtomicUsize::new(0));
    let hear = |said: Said| manifest.lock().unwrap().hear(&said);
    // Does one thing after the other until the end, and counts.
    let repeat = |count: &AtomicUsize, what: &str, act: &mut dyn FnMut(usize) -> Result<(), String>| {
        while !stop.load(Ordering::SeqCst) {
            match act(count.fetch_add(1, Ordering::SeqCst)) {
                Ok(()) => {}
                Err(why) => wrong.lock().unwrap().push(format!("{what}: {why}")),
            }
        }
    };
    let run = |words: &[&str]| {
        let output = world.ct(words);
        if output.status == 0 { Ok(()) } else { Err(format!("{output:?}")) }
    };
    let fresh = held(&world, daemon);
    let mut early = None;
    let end = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        for client in 0..WRITERS {
            let (world, numbers, hear, stop, wrong) = (&world, &numbers, &hear, &stop, &wrong);
            scope.spawn(move || {
                let mut client = Client::new(world, numbers, hear, client, seed);
                while !stop.load(Ordering::SeqCst) {
                    if !client.step() {
                        wrong.lock().unwrap().push(client.refusal());
                    }
                }
            });
        }
        scope.spawn(|| {
            let place = world.in_view("reader", VOB);
            repeat(&reads, "reading", &mut |_| read_all(&place).map(drop).map_err(|error| error.to_string()));
        });
        scope.spawn(|| {
            let place = world.in_view("builder", VOB);
            repeat(&builds, "building", &mut |round| {
                let line = format!(
                    "mkdir -p out && printf 'int f{round}(void) {{ return {round}; }}\\n' > out/a.c && \
                     cc -c -o out/a.o out/a.c && cat d*/f* > out/all && rm out/a.c"
                );
                let output = world.sh(&place, &line);
                if output.status == 0 { Ok(()) } else { Err(format!("{output:?}")) }
            });
        });
        scope.spawn(|| {
            let file = world.root().join("chooser.spec");
            let file_name = file.to_str().expect("text").to_owned();
            repeat(&choices, "choosing", &mut |round| {
                let rule =
                    ["element * /main/LATEST\n", "element * /main/1\nelement * /main/LATEST\n"][round % 2];
                std::fs::write(&file, rule).map_err(|error| error.to_string())?;
                run(&["setcs", "-tag", "chooser", &file_name])?;
                read_all(&world.in_view("chooser", VOB)).map(drop).map_err(|error| error.to_string())
            });
        });
        scope.spawn(|| {
            repeat(&views, "views", &mut |round| {
                let tag = format!("t{round}");
                run(&["mkview", "-tag", &tag])?;
                let place = world.in_view(&tag, VOB);
                let made = std::fs::write(place.join("mine"), "mine").and_then(|()| read_all(&place));
                made.map_err(|error| error.to_string())?;
                run(&["rmview", "-force", "-tag", &tag])
            });
        });
        let third = Instant::now() + Duration::from_secs(seconds) / 3;
        while Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(50));
            if early.is_none() && Instant::now() > third {
                early = Some(held(&world, daemon));
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    let (early, late) = (early.expect("a third of the time is over"), held(&world, daemon));
    let counted = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    let (done, refused) = manifest.lock().unwrap().counts();
    eprintln!(
        "{seconds} s: {done} operations, {} walks, {} builds, {} setcs, {} views; {early:?}, at the end {late:?}",
        counted(&reads),
        counted(&builds),
        counted(&choices),
        counted(&views)
    );
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty() && refused == 0,
        "{refused} refused, {} wrong: {:#?}",
        wrong.len(),
        wrong.first()
    );
    assert!(
        [done, counted(&reads), counted(&builds), counted(&choices), counted(&views)]
            .iter()
            .all(|count| *count > 1)
    );
    assert!(late.resident_bytes < early.resident_bytes + GROWTH_BYTES, "{early:?}, {late:?}");
    // Beyond what the files that stay open account for, nothing grows.
    let full = early.descriptors.max(fresh.descriptors + OPEN_PRIVATE_FILES);
    assert!(late.descriptors < full + GROWTH_DESCRIPTORS, "{fresh:?}, {early:?}, {late:?}");
    assert_eq!(late.mounts, early.mounts);
    world.ct(&["checkvob", "vob:/vobs/x"]).ok();
    let (vob, view) = (world.only_vob(), world.home().join("views/v.vws"));
    world.clerestory(&["shutdown"]).ok();
    let found =
        manifest.lock().unwrap().check(&vob, &view, End::Killed).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(found.acknowledged > 0, "{found:?}");
}
