//! Nothing that was acknowledged is lost: a daemon that is killed under load, power that goes at any moment, many users
//! for a long time.
//!
//! What was acknowledged is written down by those who asked (`manifest`), outside of what is tested, and looked for
//! afterwards. Variables choose how much is done, `scripts/crash` sets them for long runs:
//!
//! * `CLERESTORY_CRASH_ROUNDS`: how often the daemon is killed;
//! * `CLERESTORY_CRASH_STATES`: after how many power cuts each engine's VOB is looked at;
//! * `CLERESTORY_LOAD_SECONDS`: how long many users work at once;
//! * `CLERESTORY_CRASH_SEED`: the seed of what is chosen at random.

mod client;
mod disk;
mod killed;
mod load;
mod manifest;
mod power;
#[expect(dead_code, reason = "the tests of whole programs use more of it")]
#[path = "../whole/world.rs"]
mod world;

/// A number from the environment.
fn number(name: &str, otherwise: usize) -> usize {
    match std::env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value:?}")),
        Err(_) => otherwise,
    }
}

/// The seed that the environment gives, else one that nobody has seen; it is told.
fn seed() -> u64 {
    let nanoseconds = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_nanos() as usize % 1_000_000_000)
    };
    let seed = number("CLERESTORY_CRASH_SEED", nanoseconds());
    eprintln!("CLERESTORY_CRASH_SEED={seed}");
    seed as u64
}
