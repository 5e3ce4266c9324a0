//! The directory states of a view: those that answers are worked out from, and those by which
//! the kernel may have been answered before.
//!
//! The kernel keeps every answer until it is told otherwise. So for each name that it may hold
//! there is a state here by which the name was answered: the one in force, or one that another
//! took the place of and that waits to be compared with it. Nothing else drops a state: memory
//! grows with the directories a view has shown.

use super::inode::VobIndex;
use super::live::DirectoryState;
use crate::vob::ElementNo;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

type Key = (VobIndex, ElementNo);

/// A directory element and a state of it.
pub type Known = (VobIndex, ElementNo, Arc<DirectoryState>);

/// A state that was in force until its directory was reached by another path, under the same rules.
pub struct Switched {
    /// The directory, and the state.
    pub known: Known,
    /// Who went by the other path.
    pub by: Finder,
}

/// Who looks at a directory.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Finder {
    /// The kernel, which knows it by that path from then on.
    Kernel,
    /// The daemon itself: the kernel still knows it by the other path.
    Daemon,
}

/// Locks among which the states are spread.
const SHARDS: usize = 16;

/// The directory states of one view. Locks, in the order they may be taken: a shard, `former`, `switched`.
pub struct DirectoryStates {
    generation: AtomicU64,
    shards: Vec<RwLock<HashMap<Key, Arc<DirectoryState>>>>,
    former: Mutex<HashMap<Key, Vec<Arc<DirectoryState>>>>,
    switched: Mutex<Vec<Switched>>,
    has_switched: AtomicBool,
}

impl Default for DirectoryStates {
    fn default() -> Self {
        DirectoryStates {
            generation: AtomicU64::new(0),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            former: Mutex::default(),
            switched: Mutex::default(),
            has_switched: AtomicBool::new(false),
        }
    }
}

impl DirectoryStates {
    /// Returns the generation in force. States of another one are void.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Makes all states void; returns the generation they are of.
    pub fn begin_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::AcqRel)
    }

    fn shard(&self, element: ElementNo) -> &RwLock<HashMap<Key, Arc<DirectoryState>>> {
        &self.shards[element.index() % SHARDS]
    }

    /// Returns the state in force of a directory.
    pub fn get(&self, vob: VobIndex, element: ElementNo) -> Option<Arc<DirectoryState>> {
        let generation = self.generation();
        let known = self.shard(element).read().get(&(vob, element)).cloned();
        known.filter(|state| state.generation == generation)
    }

    /// Puts a state in force. One that shows other names, or was reached by another path, is
    /// kept for [`take_former`](Self::take_former).
    ///
    /// A state of a generation that is over is not taken: the answer that it is for was
    /// overtaken by the change, and the mount expires it.
    pub fn remember(&self, vob: VobIndex, element: ElementNo, state: &Arc<DirectoryState>, by: Finder) {
        let mut shard = self.shard(element).write();
        if state.generation != self.generation() {
            return;
        }
        if let Some(before) = shard.insert((vob, element), Arc::clone(state))
            && !answers_alike(&before, state)
        {
            if before.generation == state.generation && before.path != state.path {
                self.switched.lock().push(Switched { known: (vob, element, Arc::clone(&before)), by });
                self.has_switched.store(true, Ordering::Release);
            }
            self.keep((vob, element), before);
        }
    }

    /// Takes out the states of directories that were reached by another path since, in which names may lead elsewhere:
    /// the kernel has one directory for all paths.
    pub fn take_switched(&self) -> Vec<Switched> {
        match self.has_switched.load(Ordering::Acquire) {
            true => {
                let mut switched = self.switched.lock();
                self.has_switched.store(false, Ordering::Release);
                std::mem::take(&mut *switched)
            }
            false => Vec::new(),
        }
    }

    /// Two paths may take turns for ever: one state is kept for each.
    fn keep(&self, key: Key, state: Arc<DirectoryState>) {
        let mut former = self.former.lock();
        let kept = former.entry(key).or_default();
        if !kept.iter().any(|other| answers_alike(other, &state)) {
            kept.push(state);
        }
    }

    /// Takes out the states of a directory whose place another took.
    pub fn take_former(&self, vob: VobIndex, element: ElementNo) -> Vec<Arc<DirectoryState>> {
        self.former.lock().remove(&(vob, element)).unwrap_or_default()
    }

    /// Takes a state out of force, so that it waits in [`take_former`](Self::take_former) for being told.
    pub fn withdraw(&self, vob: VobIndex, element: ElementNo) {
        let mut shard = self.shard(element).write();
        if let Some(state) = shard.remove(&(vob, element)) {
            self.keep((vob, element), state);
        }
    }

    /// Takes out all states that are not in force any more.
    pub fn take_all_former(&self) -> Vec<Known> {
        let generation = self.generation();
        let mut taken = Vec::new();
        for shard in &self.shards {
            let void = |_: &Key, state: &mut Arc<DirectoryState>| state.generation != generation;
            taken.extend(shard.write().extract_if(void).map(|((vob, element), state)| (vob, element, state)));
        }
        for ((vob, element), states) in self.former.lock().drain() {
            taken.extend(states.into_iter().map(|state| (vob, element, state)));
        }
        taken
    }

    /// Returns all states in force.
    pub fn all(&self) -> Vec<Known> {
        let generation = self.generation();
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.read();
            let in_force = shard.iter().filter(|(_, state)| state.generation == generation);
            found.extend(in_force.map(|((vob, element), state)| (*vob, *element, Arc::clone(state))));
        }
        found
    }
}

/// Tells whether two states give the same answers about names, versions of files aside.
fn answers_alike(a: &DirectoryState, b: &DirectoryState) -> bool {
    a.generation == b.generation
        && a.path == b.path
        && a.at == b.at
        && (Arc::ptr_eq(&a.catalog, &b.catalog) || a.catalog == b.catalog)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vob::apply::DirectoryAt;
    use crate::vob::{Directory, Element, ElementKind, EventNo, Oid, TypeNo, VersionNo};
    use clerestory_specs::{BoundSpec, ConfigSpec, Environment, TypeNames};
    use std::path::Path;

    struct NoTypes;

    impl TypeNames for NoTypes {
        fn branch_type(&self, _: &str) -> Option<u32> {
            None
        }

        fn label_type(&self, _: &str) -> Option<u32> {
            None
        }

        fn element_type(&self, _: &str) -> Option<u32> {
            None
        }

        fn hyperlink_type(&self, _: &str) -> Option<u32> {
            None
        }

        fn is_once_per_branch(&self, _: u32) -> bool {
            false
        }
    }

    const VOB: VobIndex = VobIndex(0);
    const NUMBER: ElementNo = ElementNo(3);

    fn bound() -> BoundSpec {
        let environment = Environment::isolated(jiff::Timestamp::UNIX_EPOCH, jiff::tz::TimeZone::UTC);
        let spec = ConfigSpec::compile(b"element a/... /main/1\n", Path::new("spec"), &environment);
        spec.unwrap().bind(&NoTypes, b"/vobs/x")
    }

    /// The directory as it is reached by a name, with one of its versions.
    fn state(generation: u64, name: &str, version: u32) -> Arc<DirectoryState> {
        let element = Element {
            number: NUMBER,
            oid: Oid::derived(&[b"d"]),
            kind: ElementKind::Directory,
            element_type: TypeNo(1),
            owner: 0,
            group: 0,
            mode: 0o755,
            event: EventNo(0),
            branches: vec![],
            versions: vec![],
            labels: vec![],
            label_events: vec![],
            checkouts: vec![],
            hyperlinks: vec![],
            names: vec![],
            removed: false,
            annotations: None,
        };
        let bound = bound();
        let path = bound.descend(&bound.at_vob_root(), name.as_bytes());
        let at = Some(DirectoryAt::Version(VersionNo(version)));
        let place = Some((ElementNo::ROOT, name.as_bytes().into()));
        Arc::new(DirectoryState::new(
            place,
            path,
            generation,
            Arc::new(element),
            at,
            Arc::<Directory>::default(),
        ))
    }

    fn remember(states: &DirectoryStates, state: &Arc<DirectoryState>) {
        states.remember(VOB, NUMBER, state, Finder::Kernel);
    }

    fn same(found: &[Arc<DirectoryState>], expected: &[&Arc<DirectoryState>]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| Arc::ptr_eq(a, b)));
    }

    #[test]
    fn a_state_that_answered_otherwise_is_kept_until_it_is_taken() {
        let states = DirectoryStates::default();
        let (first, again) = (state(0, "a", 1), state(0, "a", 1));
        remember(&states, &first);
        remember(&states, &again);
        same(&states.take_former(VOB, NUMBER), &[]);
        let (other_version, other_path) = (state(0, "a", 2), state(0, "b", 2));
        remember(&states, &other_version);
        remember(&states, &other_path);
        same(&states.take_former(VOB, NUMBER), &[&again, &other_version]);
        same(&states.take_former(VOB, NUMBER), &[]);
        assert!(Arc::ptr_eq(&states.get(VOB, NUMBER).unwrap(), &other_path));
    }

    #[test]
    fn a_state_that_is_withdrawn_waits_for_being_told() {
        let states = DirectoryStates::default();
        let first = state(0, "a", 1);
        remember(&states, &first);
        states.withdraw(VOB, NUMBER);
        states.withdraw(VOB, NUMBER);
        assert!(states.get(VOB, NUMBER).is_none());
        same(&states.take_former(VOB, NUMBER), &[&first]);
    }

    #[test]
    fn two_paths_that_take_turns_do_not_fill_the_memory() {
        let states = DirectoryStates::default();
        for _ in 0..10 {
            remember(&states, &state(0, "a", 1));
            remember(&states, &state(0, "b", 1));
        }
        assert_eq!(states.take_former(VOB, NUMBER).len(), 2);
    }

    #[test]
    fn a_state_by_another_path_is_told_of_and_one_by_the_same_path_is_not() {
        let states = DirectoryStates::default();
        let (first, other_path) = (state(0, "a", 1), state(0, "b", 1));
        remember(&states, &state(0, "a", 2));
        remember(&states, &first);
        assert!(states.take_switched().is_empty());
        remember(&states, &other_path);
        let taken: Vec<_> = states.take_switched().into_iter().map(|switched| switched.known.2).collect();
        same(&taken, &[&first]);
        assert!(states.take_switched().is_empty());
        states.begin_generation();
        remember(&states, &state(1, "a", 1));
        assert!(states.take_switched().is_empty());
    }

    #[test]
    fn a_new_generation_hands_the_old_one_over_and_takes_none_of_it_back() {
        let states = DirectoryStates::default();
        let (first, second) = (state(0, "a", 1), state(0, "a", 2));
        remember(&states, &first);
        remember(&states, &second);
        assert_eq!(states.begin_generation(), 0);
        assert!(states.get(VOB, NUMBER).is_none());
        // A request that was slow.
        remember(&states, &state(0, "a", 3));
        let new = state(1, "a", 1);
        remember(&states, &new);
        let taken: Vec<_> = states.take_all_former().into_iter().map(|(_, _, state)| state).collect();
        same(&taken, &[&first, &second]);
        assert!(Arc::ptr_eq(&states.get(VOB, NUMBER).unwrap(), &new));
        assert!(states.take_all_former().is_empty());
    }
}
