//! A daemon that is killed at any moment while several clients work: what it acknowledged is there.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::{Client, Numbers, prepare};
use crate::manifest::{End, Manifest, Said};
use crate::world::{World, signal, wait_until};
use crate::{number, seed};

const CLIENTS: usize = 4;

fn storages(world: &World) -> (std::path::PathBuf, std::path::PathBuf) {
    (world.only_vob(), world.home().join("views/v.vws"))
}

/// Kills the daemon, if one runs.
fn kill(world: &World) {
    let of_daemon = |process: &i32| {
        let words = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|word| word == b"serve")
    };
    world.processes().into_iter().filter(of_daemon).for_each(|process| signal(process, libc::SIGKILL));
}

fn rounds(engine: &str, rounds: usize) {
    let seed = seed();
    let world = World::new();
    prepare(&world, engine, CLIENTS);
    let (vob, view) = storages(&world);
    let (manifest, numbers) = (Mutex::new(Manifest::default()), Numbers::default());
    let (mut hit, mut last) = (0, Default::default());
    for round in 0..rounds {
        let (stop, before) = (AtomicBool::new(false), manifest.lock().unwrap().counts().0);
        let hear = |said: Said| manifest.lock().unwrap().hear(&said);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (world, numbers, stop, hear) = (&world, &numbers, &stop, &hear);
                scope.spawn(move || {
                    let seed = seed.wrapping_add(round as u64 * 1_000_003);
                    let mut client = Client::new(world, numbers, hear, client, seed);
                    while !stop.load(Ordering::SeqCst) {
                        client.step();
                    }
                });
            }
            wait_until("something is acknowledged", || manifest.lock().unwrap().counts().0 > before);
            // Any moment of what clients do, which takes some 20 ms.
            let moment = seed.wrapping_mul(2 * round as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
            std::thread::park_timeout(Duration::from_micros(moment * 4));
            let under_way = manifest.lock().unwrap().counts().1;
            stop.store(true, Ordering::SeqCst);
            kill(&world);
            hit += usize::from(under_way > 0);
        });
        // Clients that began to ask just then have started another, which ends like the first.
        kill(&world);
        world.wait_for_end();
        let manifest = manifest.lock().unwrap();
        match manifest.check(&vob, &view, End::Killed) {
            Ok(found) => last = found,
            Err(wrong) => panic!("seed {seed}, round {round}: {wrong}"),
        }
        drop(manifest);
        world.ct(&["lsview"]).ok();
    }
    let (done, _) = manifest.lock().unwrap().counts();
    eprintln!(
        "{engine}: {rounds} rounds, {hit} hit something, {done} acknowledged, 0 lost; at last {last:?}"
    );
    assert!(done > rounds, "hardly anything was acknowledged");
    assert!(hit * 2 > rounds, "the daemon was mostly idle when it was killed");
    world.ct(&["checkvob", "vob:/vobs/x"]).ok();
}

#[test]
fn what_a_killed_daemon_acknowledged_is_there_with_sled() {
    rounds("sled", number("CLERESTORY_CRASH_ROUNDS", 10));
}

#[test]
fn what_a_killed_daemon_acknowledged_is_there_with_redb() {
    rounds("redb", number("CLERESTORY_CRASH_ROUNDS", 10));
}
