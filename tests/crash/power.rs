//! Power that goes at any moment: whatever of the unsynced writes reached the disk, what was acknowledged is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::client::{Client, Numbers, prepare};
use crate::disk::{Disk, Event, Image, Restarted, SECTOR_BYTES, is_superblock};
use crate::manifest::{End, Findings, Manifest, Said};
use crate::world::World;
use crate::{number, seed};

/// What happened to a disk while clients worked.
struct Record {
    base: Image,
    events: Vec<Event<Said>>,
    /// The storages, below the root of the disk's file system.
    vob: PathBuf,
    view: PathBuf,
}

/// Which of the writes that nothing made durable are there.
#[derive(Clone, Debug)]
enum Left {
    None,
    All,
    Only(usize),
    AllBut(usize),
    /// All, of the last one only so many sectors.
    Torn(usize),
    /// Whole, gone or torn, by chance.
    Chance(u64),
}

/// Lets clients do so many operations each, one of them after a restart of the daemon where that is said.
fn record(engine: &str, clients: usize, operations: usize, restarts: bool, seed: u64) -> Record {
    let disk: Disk<Said> = Disk::new();
    let world = World::below(&disk.mountpoint());
    prepare(&world, engine, clients);
    let numbers = Numbers::default();
    let base = disk.begin();
    let hear = |said: Said| disk.mark(said);
    for part in 0..1 + usize::from(restarts) {
        world.ct(&["lsview"]).ok();
        std::thread::scope(|scope| {
            for client in 0..clients {
                let (world, numbers, hear) = (&world, &numbers, &hear);
                scope.spawn(move || {
                    let mut client = Client::new(world, numbers, hear, client, seed + part as u64);
                    for _ in 0..operations {
                        client.step();
                    }
                });
            }
        });
        if restarts {
            world.clerestory(&["shutdown"]).ok();
        }
    }
    let events = disk.end();
    let below = |path: PathBuf| path.strip_prefix(disk.mountpoint()).expect("it is on the disk").to_owned();
    let (vob, view) = (below(world.only_vob()), below(world.home().join("views/v.vws")));
    drop(world);
    Record { base, events, vob, view }
}

/// The disk as it is after a power cut, going forward from cut to cut.
struct Playback<'a> {
    record: &'a Record,
    /// What is durable.
    durable: Image,
    /// So many events are in it.
    done: usize,
    manifest: Manifest,
    heard: usize,
    place: tempfile::TempDir,
}

impl<'a> Playback<'a> {
    fn new(record: &'a Record) -> Playback<'a> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let place =
            tempfile::Builder::new().prefix("clcrash.").tempdir_in(parent).expect("a directory can be made");
        std::fs::create_dir(place.path().join("mnt")).expect("a directory can be made");
        let (durable, manifest) = (record.base.clone(), Manifest::default());
        Playback { record, durable, done: 0, manifest, heard: 0, place }
    }

    /// Goes on to a cut in front of an event; answers which events were written and are not durable there.
    fn go_to(&mut self, cut: usize) -> Vec<(u64, Arc<[u8]>)> {
        let events = &self.record.events[..cut];
        let flushed = events.iter().rposition(|event| matches!(event, Event::Flush)).map_or(0, |at| at + 1);
        for event in &events[self.done..flushed.max(self.done)] {
            if let Event::Write(offset, bytes) = event {
                self.durable.write(*offset, bytes);
            }
        }
        self.done = flushed.max(self.done);
        for event in &events[self.heard..] {
            if let Event::Mark(said) = event {
                self.manifest.hear(said);
            }
        }
        self.heard = cut;
        let write = |event: &Event<Said>| match event {
            Event::Write(offset, bytes) => Some((*offset, Arc::clone(bytes))),
            Event::Flush | Event::Mark(_) => None,
        };
        events[self.done..].iter().filter_map(write).collect()
    }

    /// Looks at what a restart finds.
    fn look(&self, unsynced: &[(u64, Arc<[u8]>)], left: &Left) -> Result<Findings, String> {
        let mut image = self.durable.clone();
        let mut chance = if let Left::Chance(seed) = left { *seed | 1 } else { 1 };
        for (at, (offset, bytes)) in unsynced.iter().enumerate() {
            let sectors = bytes.len().div_ceil(SECTOR_BYTES);
            let kept = match left {
                Left::None => 0,
                Left::All => sectors,
                Left::Only(only) => {
                    if at == *only {
                        sectors
                    } else {
                        0
                    }
                }
                Left::AllBut(but) => {
                    if at == *but {
                        0
                    } else {
                        sectors
                    }
                }
                Left::Torn(kept) => {
                    if at + 1 == unsynced.len() {
                        (*kept).min(sectors)
                    } else {
                        sectors
                    }
                }
                Left::Chance(_) => {
                    chance = chance
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    match chance >> 61 {
                        0..=2 => 0,
                        3..=5 => sectors,
                        _ => (chance >> 33) as usize % (sectors + 1),
                    }
                }
            };
            // The file system itself does not survive a torn superblock: those are written whole or not at all.
            let kept = if is_superblock(*offset, bytes) && kept < sectors { 0 } else { kept };
            image.write(*offset, &bytes[..(kept * SECTOR_BYTES).min(bytes.len())]);
        }
        let (file, mountpoint) = (self.place.path().join("disk"), self.place.path().join("mnt"));
        image.save(&file);
        let restarted = Restarted::mount(&file, &mountpoint)?;
        let (vob, view) = (mountpoint.join(&self.record.vob), mountpoint.join(&self.record.view));
        let found = self.manifest.check(&vob, &view, End::PowerLost);
        drop(restarted);
        found
    }
}

/// What states were looked at.
#[derive(Default, Debug)]
struct Sums {
    states: usize,
    with_lost_writes: usize,
    acknowledged: usize,
    further: usize,
}

impl Sums {
    fn look(
        &mut self,
        playback: &Playback<'_>,
        cut: usize,
        unsynced: &[(u64, Arc<[u8]>)],
        left: Left,
        seed: u64,
    ) {
        match playback.look(unsynced, &left) {
            Ok(found) => {
                self.states += 1;
                self.with_lost_writes += usize::from(!unsynced.is_empty() && !matches!(left, Left::All));
                self.acknowledged += found.acknowledged;
                self.further += found.further;
            }
            Err(wrong) => {
                panic!("seed {seed}, cut at {cut}, {} unsynced, left {left:?}: {wrong}", unsynced.len())
            }
        }
    }

    fn tell(&self, engine: &str, record: &Record, acknowledged: usize) {
        let writes = record.events.iter().filter(|event| matches!(event, Event::Write(..))).count();
        let flushes = record.events.iter().filter(|event| matches!(event, Event::Flush)).count();
        eprintln!(
            "{engine}: {acknowledged} acknowledged, {writes} writes, {flushes} flushes; {} states, {} without some \
             writes; {} acknowledged operations looked for and found, 0 lost, {} others found",
            self.states, self.with_lost_writes, self.acknowledged, self.further
        );
    }
}

fn acknowledged(record: &Record) -> usize {
    let done = |event: &&Event<Said>| matches!(event, Event::Mark(Said::Done(_)));
    record.events.iter().filter(done).count()
}

/// Cuts at random in a long record.
fn random_cuts(engine: &str) {
    let seed = seed();
    let states = number("CLERESTORY_CRASH_STATES", 40);
    let record = record(engine, 2, 8 + states / 400, true, seed);
    let done = acknowledged(&record);
    assert!(done > 8, "hardly anything was acknowledged: {done}");
    let mut chance = seed | 1;
    let mut next = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        chance >> 24
    };
    let mut cuts: Vec<usize> = (0..states).map(|_| next() as usize % (record.events.len() + 1)).collect();
    cuts.sort_unstable();
    let (mut playback, mut sums) = (Playback::new(&record), Sums::default());
    for cut in cuts {
        let unsynced = playback.go_to(cut);
        let left = match next() % 8 {
            0 => Left::None,
            1 => Left::All,
            2 => Left::Torn(next() as usize % 8),
            _ => Left::Chance(next()),
        };
        sums.look(&playback, cut, &unsynced, left, seed);
    }
    sums.tell(engine, &record, done);
    assert!(sums.acknowledged > 0 && sums.with_lost_writes > 0, "{sums:?}");
}

/// Every cut of a short record, with each of the unsynced writes there or not; of so many states, evenly chosen.
fn every_cut(engine: &str) {
    let seed = seed();
    let states = number("CLERESTORY_CRASH_STATES", 40);
    let record = record(engine, 1, 3, false, seed);
    let done = acknowledged(&record);
    assert!(done > 0, "nothing was acknowledged");
    let mut all: Vec<(usize, Left)> = Vec::new();
    let mut open = 0;
    for cut in 0..=record.events.len() {
        if cut > 0 {
            match &record.events[cut - 1] {
                Event::Flush => open = 0,
                Event::Write(..) => open += 1,
                Event::Mark(_) => {}
            }
        }
        all.extend([(cut, Left::None), (cut, Left::All)]);
        if open > 0 && matches!(record.events[cut - 1], Event::Write(..)) {
            all.extend((0..open).flat_map(|at| [(cut, Left::Only(at)), (cut, Left::AllBut(at))]));
            all.extend([1, 3, 7].map(|sectors| (cut, Left::Torn(sectors))));
        }
    }
    let step = (all.len() / states).max(1);
    let (mut playback, mut sums) = (Playback::new(&record), Sums::default());
    for (cut, left) in all.into_iter().step_by(step) {
        let unsynced = playback.go_to(cut);
        sums.look(&playback, cut, &unsynced, left, seed);
    }
    sums.tell(engine, &record, done);
    assert!(sums.acknowledged > 0 && sums.with_lost_writes > 0, "{sums:?}");
}

#[test]
fn random_power_cuts_lose_nothing_with_sled() {
    random_cuts("sled");
}

#[test]
fn random_power_cuts_lose_nothing_with_redb() {
    random_cuts("redb");
}

#[test]
fn every_power_cut_of_a_short_record_loses_nothing_with_sled() {
    every_cut("sled");
}

#[test]
fn every_power_cut_of_a_short_record_loses_nothing_with_redb() {
    every_cut("redb");
}

/// A disk that dies while clients work: what was acknowledged is there, and nothing is acknowledged that is not.
#[test]
fn a_disk_that_dies_takes_nothing_that_was_acknowledged() {
    let seed = seed();
    for engine in ["redb", "sled"] {
        let disk: Disk<Said> = Disk::new();
        let world = World::below(&disk.mountpoint());
        prepare(&world, engine, 1);
        let numbers = Numbers::default();
        let base = disk.begin();
        let hear = |said: Said| disk.mark(said);
        let mut client = Client::new(&world, &numbers, &hear, 0, seed);
        let before = (0..6).filter(|_| client.step()).count();
        disk.fail();
        let mut refused = 0;
        for _ in 0..6 {
            refused += usize::from(!client.step());
        }
        assert!(before > 0 && refused > 0, "{before} acknowledged, {refused} refused");
        let events = disk.end();
        let below =
            |path: PathBuf| path.strip_prefix(disk.mountpoint()).expect("it is on the disk").to_owned();
        let (vob, view) = (below(world.only_vob()), below(world.home().join("views/v.vws")));
        world.kill_daemon();
        // What the world would put in order is on that disk.
        for mount in world.mounts() {
            rustix::mount::unmount(&mount, rustix::mount::UnmountFlags::DETACH).expect("it is mounted");
        }
        std::mem::forget(world);
        let record = Record { base, events, vob, view };
        let mut playback = Playback::new(&record);
        let unsynced = playback.go_to(record.events.len());
        let mut sums = Sums::default();
        sums.look(&playback, record.events.len(), &unsynced, Left::All, seed);
        sums.tell(engine, &record, acknowledged(&record));
    }
}

/// What these tests would say of a disk that says it has flushed and has not.
#[test]
fn a_disk_that_lies_is_noticed() {
    let record = record("redb", 1, 6, false, seed());
    let cut = record.events.len();
    let mut playback = Playback::new(&record);
    let half = record.events.iter().take(cut / 2).filter(|event| matches!(event, Event::Flush)).count();
    assert!(half > 0, "nothing was flushed");
    playback.go_to(cut / 2);
    let durable = playback.durable.clone();
    playback.go_to(cut);
    playback.durable = durable;
    let found = playback.look(&[], &Left::All);
    assert!(found.is_err(), "nobody noticed: {found:?}");
}
