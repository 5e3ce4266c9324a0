//! Which programs the requests came from.
//!
//! A process is looked up once, when its first request comes: its name is read from /proc then, because it may be gone
//! when somebody asks. What is kept is bounded; figures of processes that had to go are kept by name.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Independent parts, each with its own lock.
const SHARDS: usize = 8;
/// Processes that a part knows before it adds them up by name.
const PROCESSES_MAX: usize = 256;
/// Names that a part knows; the requests of further ones count as [`OTHERS`].
const NAMES_MAX: usize = 256;
/// The name of all that have no room.
const OTHERS: &str = "(others)";

/// Requests of the processes of one name.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct CallerCount {
    /// The name, as `ps -o comm` shows it.
    pub name: String,
    /// How many processes.
    pub processes: u64,
    /// How many requests they made.
    pub requests: u64,
}

/// The running figures.
#[derive(Debug, Default)]
pub(crate) struct Callers([Mutex<Shard>; SHARDS]);

#[derive(Debug, Default)]
struct Shard {
    processes: HashMap<u32, (String, u64)>,
    names: HashMap<String, (u64, u64)>,
}

impl Callers {
    /// Counts a request of a process; 0 is the kernel itself.
    pub(crate) fn count(&self, process: u32) {
        self.count_named(process, || name_of(process));
    }

    fn count_named(&self, process: u32, name: impl FnOnce() -> String) {
        let shard = &self.0[process as usize % SHARDS];
        let known = |shard: &mut Shard| {
            let entry = shard.processes.get_mut(&process);
            entry.map(|(_, requests)| *requests += 1).is_some()
        };
        if known(&mut shard.lock().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        // Read without the lock.
        let name = name();
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.processes.len() >= PROCESSES_MAX {
            shard.add_up();
        }
        shard.processes.entry(process).or_insert((name, 0)).1 += 1;
    }

    /// Returns the figures by name, the most requests first.
    pub(crate) fn snapshot(&self) -> Vec<CallerCount> {
        let mut names: HashMap<String, (u64, u64)> = HashMap::new();
        for shard in &self.0 {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = shard.names.iter().map(|(name, counts)| (name, *counts));
            let living = shard.processes.values().map(|(name, requests)| (name, (1, *requests)));
            for (name, (processes, requests)) in ended.chain(living) {
                let entry = names.entry(name.clone()).or_default();
                *entry = (entry.0 + processes, entry.1 + requests);
            }
        }
        let count = |(name, (processes, requests))| CallerCount { name, processes, requests };
        let mut counts: Vec<CallerCount> = names.into_iter().map(count).collect();
        counts.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.name.cmp(&b.name)));
        counts
    }
}

impl Shard {
    fn add_up(&mut self) {
        for (_, (name, requests)) in self.processes.drain() {
            let has_room = self.names.contains_key(&name) || self.names.len() < NAMES_MAX;
            let entry = self.names.entry(if has_room { name } else { OTHERS.to_owned() }).or_default();
            *entry = (entry.0 + 1, entry.1 + requests);
        }
    }
}

fn name_of(process: u32) -> String {
    if process == 0 {
        return "(kernel)".to_owned();
    }
    let name = std::fs::read(format!("/proc/{process}/comm")).unwrap_or_default();
    let name = String::from_utf8_lossy(name.trim_ascii_end()).into_owned();
    if name.is_empty() { "(gone)".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_counted_by_name_however_many_there_are() {
        let callers = Callers::default();
        for process in 1..=5_000 {
            let name = if process % 2 == 0 { "cc" } else { "make" };
            callers.count_named(process, || name.to_owned());
            callers.count_named(process, || unreachable!("the name is known"));
        }
        let count = |name: &str| CallerCount { name: name.to_owned(), processes: 2_500, requests: 5_000 };
        assert_eq!(callers.snapshot(), [count("cc"), count("make")]);
        assert!(callers.0.iter().all(|shard| shard.lock().unwrap().processes.len() <= PROCESSES_MAX));
    }

    #[test]
    fn names_are_bounded() {
        let callers = Callers::default();
        (1..=20_000).for_each(|process| callers.count_named(process, || format!("p{process}")));
        let snapshot = callers.snapshot();
        assert!(snapshot.len() <= SHARDS * (NAMES_MAX + PROCESSES_MAX) + 1, "{}", snapshot.len());
        assert_eq!(snapshot[0].name, OTHERS);
        assert_eq!(snapshot.iter().map(|count| count.requests).sum::<u64>(), 20_000);
    }

    #[test]
    fn a_process_has_the_name_that_the_kernel_gives_it() {
        let callers = Callers::default();
        callers.count(std::process::id());
        callers.count(0);
        let own = std::fs::read_to_string("/proc/self/comm").unwrap();
        let names: Vec<String> = callers.snapshot().into_iter().map(|count| count.name).collect();
        assert!(
            names.contains(&own.trim().to_owned()) && names.contains(&"(kernel)".to_owned()),
            "{names:?}"
        );
    }
}
