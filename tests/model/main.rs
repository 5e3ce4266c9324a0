//! The reference model: random operations over two views and one VOB, compared after each step with a model that
//! keeps everything in plain lists and maps.
//!
//! `library` calls the program in this process, `mounted` a daemon with a real mount. A difference is told with its
//! seed, and with a short list of operations that makes it. Variables choose what a run does:
//!
//! * `CLERESTORY_MODEL_SEED`: the seed of the runs that are random otherwise;
//! * `CLERESTORY_MODEL_OPERATIONS`: how many operations each run does.

mod compare;
mod model;
mod names;
mod operations;
mod product;
mod random;
mod readers;
mod run;
mod shrink;
#[expect(dead_code, reason = "the tests of whole programs use more of it")]
#[path = "../whole/world.rs"]
mod world;

use clerestory::store::{LawBroken, LawCounts, Vob, check_laws};
use product::Product;
use product::library::Library;
use product::mounted::{Daemon, Mounted};
use run::{Operations, Run};

/// Operations of a run in this process, unless something else is asked for.
const IN_PROCESS: usize = 100_000;
/// Operations of a run through a mount, where each takes the kernel's ways as well. As many as in the process take a
/// quarter of an hour, and are asked for by hand.
const MOUNTED: usize = 2_500;
/// Of a seed that nobody has seen, through a mount.
const UNSEEN_MOUNTED: usize = 1_000;

/// A number from the environment.
fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    let Ok(number) = value.parse() else { panic!("{name} is no number: {value:?}") };
    Some(number)
}

/// The seed that the environment gives, else one that nobody has seen.
fn any_seed() -> u64 {
    let nanoseconds = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_nanos() as u64 % 1_000_000_000)
    };
    number("CLERESTORY_MODEL_SEED").unwrap_or_else(nanoseconds)
}

/// Does random operations, and fails with a short list of them if there is a difference.
fn agree<'a>(seed: u64, count: usize, product: &'a dyn Product, fresh: shrink::Fresh<'_>) -> Run<'a> {
    let count = number("CLERESTORY_MODEL_OPERATIONS").unwrap_or(count);
    eprintln!("CLERESTORY_MODEL_SEED={seed} CLERESTORY_MODEL_OPERATIONS={count}");
    // Everybody's files have the permission bits that the model expects.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(model::UMASK));
    let begin = std::time::Instant::now();
    let mut run = Run::new(product);
    let mut done = Operations::new();
    if let Err(difference) = run::random(&mut run, seed, count, &mut done) {
        let first = run::report(seed, &difference, &done);
        let short = match shrink::shrink(fresh, &done) {
            Some((list, difference)) => run::report(seed, &difference, &list),
            None => "done again, these operations made no difference\n".to_owned(),
        };
        panic!("model and program differ\n{first}\nthe same in short: {short}");
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    eprintln!("seed {seed}: {count} operations, {rate:.0} a second");
    if number::<u8>("CLERESTORY_MODEL_COVERAGE").is_some() {
        run.outcomes.iter().for_each(|(outcome, count)| eprintln!("{count:8} {outcome}"));
    }
    run
}

/// Fails if a law is broken. How much there is at the end of a short run is chance.
fn laws_hold(vob: &Vob) -> LawCounts {
    let mut broken: Vec<LawBroken> = Vec::new();
    let counts = check_laws(vob, &mut |breach| broken.push(breach)).expect("the VOB can be read");
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(counts.elements > 0 && counts.versions > 0, "{counts:?}");
    counts
}

fn in_process(seed: u64, engine: &str, count: usize) {
    let library = Library::new(engine);
    let Run { model, .. } = agree(seed, count, &library, &|| Box::new(Library::new("memory")));
    let counts = laws_hold(&library.vob());
    assert!(counts.contents > 0, "{counts:?}");
    // What is stored is the same.
    let library = library.restart();
    let mut run = Run::new(&library);
    run.model = model;
    if let Err(difference) = run.whole() {
        panic!("seed {seed}: after a restart: {difference}");
    }
    laws_hold(&library.vob());
}

#[test]
fn library_seed_1() {
    in_process(1, "memory", IN_PROCESS);
}

#[test]
fn library_seed_2_with_redb() {
    in_process(2, "redb", IN_PROCESS);
}

#[test]
fn library_random_seed() {
    in_process(any_seed(), "memory", IN_PROCESS);
}

fn mounted(seed: u64, engine: &str, count: usize) -> LawCounts {
    let daemon = Daemon::start();
    let mounted = Mounted::new(&daemon, engine);
    let again = std::rc::Rc::clone(&daemon);
    agree(seed, count, &mounted, &|| Box::new(Mounted::new(&again, "memory")));
    drop((daemon, again));
    let (_world, vob) = mounted.stop();
    laws_hold(&vob)
}

#[test]
fn mount_seed_3() {
    let counts = mounted(3, "sled", MOUNTED);
    assert!(counts.contents > 0, "{counts:?}");
}

#[test]
fn mount_random_seed() {
    mounted(any_seed(), "memory", UNSEEN_MOUNTED);
}

#[test]
fn readers_see_every_change_at_once() {
    let daemon = Daemon::start();
    let mounted = Mounted::new(&daemon, "memory");
    drop(daemon);
    let changes = number("CLERESTORY_READERS_CHANGES").unwrap_or(readers::CHANGES);
    readers::run(&mounted, any_seed(), changes);
    let (_world, vob) = mounted.stop();
    let counts = laws_hold(&vob);
    assert!(counts.contents > 0, "{counts:?}");
}
