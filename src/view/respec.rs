//! What the kernel has to ask anew when a view selects by something else: another config spec,
//! or the same one with names that mean something else now.
//!
//! Only a name whose meaning differs is expired: all others keep their place in the kernel's
//! caches, and their files the pages. For every directory by whose state the kernel may have
//! been answered, each catalogued name is selected by the former rules and by the new ones.
//!
//! Why no name is missed: a name that the kernel holds is catalogued in a state that is given
//! here, or in the new one (it was answered as absent), or is a private one, which no rule
//! concerns; or it ends in `@@`, and goes with what is catalogued without. Directories that no
//! path leads to any more are judged as well: a process may have its working directory there.
//!
//! It is done for views of any size and for changes of any size: judging a name takes 1 us of one
//! processor, telling it another 1.3 us. To drop all names at once costs 5 us for each when the
//! first of them is used next (the kernel evicts it, and sends a FORGET), besides all the pages.

use super::change::Stale;
use super::host::MountedVob;
use super::inode::{Numbered, VobIndex};
use super::live::{DirectoryState, Events, Former, View};
use super::states::Known;
use crate::store::StoreError;
use crate::vob::element::Seen;
use crate::vob::{Directory, Element, ElementKind, ElementNo, Entry, SymlinkNo, ViewUuid};
use clerestory_mount::Inode;
use clerestory_specs::{BoundSpec, PathState, Selection};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

/// Names from which on judging is shared among threads: below, starting one takes longer.
const NAMES_PER_THREAD: usize = 500;
/// Directories that a thread takes at once.
const ITEMS_TAKEN_TOGETHER: usize = 32;
/// Threads that judge, at most: requests are to be answered meanwhile.
const THREADS_MAX: usize = 8;
/// Names above which not all elements can be expected in the VOB's cache (it holds 100,000, of
/// all views), so that they are read in batches first.
const NAMES_CACHED: usize = 50_000;
/// Names that are told at once, while others are still judged.
const NAMES_TOLD_TOGETHER: usize = 256;

/// Takes what was found to be stale, from any thread, and does not wait for the kernel.
pub(super) type Tell<'a> = &'a (dyn Fn(Stale) + Sync);

/// Why it cannot be said what changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsure {
    /// A VOB cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A state is older than the rules that were in force last.
    #[error("a directory was last looked at under rules that are forgotten")]
    Older,
}

/// What a name leads to, as far as the kernel can tell the difference.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum Leads {
    Nowhere,
    /// Access fails. The kernel does not remember that.
    Failure,
    /// To an element that was removed since.
    Removed(ElementNo),
    /// By branch and number there.
    Version(ElementNo, u32, u32),
    Checkout(ElementNo),
    Directory(ElementNo),
    Symlink(SymlinkNo),
}

/// A directory element, and which of its names is meant.
type Named = (Arc<Element>, usize);

/// A directory before and after.
struct Pair {
    /// Where the kernel knows it by its former path: the directory and the name; none if that is its path still.
    other_place: Option<(Inode, Box<[u8]>)>,
    inode: Inode,
    was: Arc<DirectoryState>,
    was_bound: Arc<BoundSpec>,
    is: Arc<DirectoryState>,
}

/// Tells the names and listings that `former` answered otherwise than what is in force now, in
/// all directories whose `outdated` states are given. When this returns, every one of them has a
/// state in force again: later changes find it.
pub(super) fn judge(
    view: &View,
    vobs: &[Arc<MountedVob>],
    former: &Former,
    outdated: &[Known],
    tell: Tell<'_>,
) -> Result<(), Unsure> {
    let mut by_vob: HashMap<VobIndex, Vec<(ElementNo, &Arc<DirectoryState>)>> = HashMap::new();
    for (vob, number, state) in outdated {
        by_vob.entry(*vob).or_default().push((*number, state));
    }
    for (index, directories) in by_vob {
        let inode = |number| Numbered::Directory(view.index, index, number).inode();
        match vobs.iter().find(|vob| vob.index == index) {
            Some(vob) => judge_vob(view, vob, former, &directories, tell)?,
            // It is not mounted now: what somebody still holds of it is asked anew if it comes back.
            None => {
                let mut stale = Stale::default();
                for (inode, state) in directories.iter().filter_map(|(n, state)| Some((inode(*n)?, state))) {
                    stale.directory(inode, &state.catalog);
                }
                tell(stale);
            }
        }
    }
    Ok(())
}

fn judge_vob(
    view: &View,
    vob: &Arc<MountedVob>,
    former: &Former,
    directories: &[(ElementNo, &Arc<DirectoryState>)],
    tell: Tell<'_>,
) -> Result<(), Unsure> {
    let (mut present, mut stale) = (Vec::with_capacity(directories.len()), Stale::default());
    for (number, state) in directories {
        if vob.vob.element(*number)?.is_some() {
            present.push((*number, *state));
        } else if let Some(inode) = Numbered::Directory(view.index, vob.index, *number).inode() {
            // Removed: a process may still have its working directory there.
            stale.directory(inode, &state.catalog);
        }
    }
    tell(stale);
    let directories = &present[..];
    let states = place(view, vob, &directories.iter().copied().collect())?;
    let bound = view.bound(vob);
    let mut pairs = Vec::with_capacity(directories.len());
    for (number, was) in directories {
        let was_bound = match former.bound.get(&vob.index) {
            Some(bound) if was.generation == former.generation => Arc::clone(bound),
            // Looked at since, and overtaken by a commit.
            _ if was.generation == view.generation() => Arc::clone(&bound),
            _ => return Err(Unsure::Older),
        };
        let Some(inode) = Numbered::Directory(view.index, vob.index, *number).inode() else {
            continue;
        };
        let is = Arc::clone(states.get(number).ok_or(Unsure::Older)?);
        if was.has_private() == Some(true) {
            // Only this way round: that there are none can cease to be true meanwhile.
            is.set_has_private(true);
        }
        let place_was = was.parent.as_ref().filter(|_| was.path != is.path && was.parent != is.parent);
        let other_place = place_was.and_then(|(parent, name)| {
            Some((Numbered::Directory(view.index, vob.index, *parent).inode()?, name.clone()))
        });
        pairs.push(Pair { other_place, inode, was: Arc::clone(was), was_bound, is });
    }
    Ok(Judge { vob, bound: &bound, view: view.uuid(), tell }.all(&pairs)?)
}

/// The states of directories, by their elements.
type States = FxHashMap<ElementNo, Arc<DirectoryState>>;

/// Finds the paths by which directories are reached by the rules in force, and puts their
/// states there in force. Given are their former states.
fn place(
    view: &View,
    vob: &MountedVob,
    wanted: &FxHashMap<ElementNo, &Arc<DirectoryState>>,
) -> Result<States, StoreError> {
    // Every directory that may be on the way, and the names by which one leads to another.
    let mut below: FxHashMap<ElementNo, Vec<Named>> = FxHashMap::default();
    let mut seen: FxHashSet<ElementNo> = wanted.keys().copied().collect();
    let mut upwards: Vec<ElementNo> = wanted.keys().copied().collect();
    vob.vob.prefetch(&upwards)?;
    while let Some(number) = upwards.pop() {
        // A directory by which something once had a name may have been removed.
        let Some(element) = vob.vob.element(number)? else { continue };
        for (index, (parent, _)) in element.names.iter().enumerate() {
            below.entry(*parent).or_default().push((Arc::clone(&element), index));
            if seen.insert(*parent) {
                upwards.push(*parent);
            }
        }
    }
    let root = view.root(vob)?;
    let (generation, bound) = (root.generation, view.bound(vob));
    let mut placed = States::from_iter([(ElementNo::ROOT, Arc::clone(&root))]);
    let mut level = vec![(ElementNo::ROOT, root)];
    while !level.is_empty() {
        let reach = |(parent, state): &(ElementNo, Arc<DirectoryState>)| {
            let mut reached = Vec::new();
            for (element, index) in below.get(parent).into_iter().flatten() {
                let (number, name) = (element.number, &element.names[*index].1);
                if placed.contains_key(&number) || state.catalog.get(name) != Some(Entry::Element(number)) {
                    continue;
                }
                // A request may have been here already.
                let (by, path) = (Some((*parent, name.clone())), bound.descend(&state.path, name));
                let known = view.known_directory(vob.index, number);
                let found = match known.filter(|known| known.parent == by && known.path == path) {
                    Some(known) => known,
                    None => {
                        let former = wanted.get(&number).map(|former| &***former);
                        view.enter_again(vob, number, path, generation, by, former)?
                    }
                };
                reached.push((number, found));
            }
            Ok(reached)
        };
        let reached = in_parallel(&level, reach)?;
        level = Vec::with_capacity(reached.len());
        for (number, state) in reached {
            // Reached by two names at once, it has the state that came last.
            let in_force = match placed.contains_key(&number) {
                true => view.known_directory(vob.index, number).unwrap_or(state),
                false => state,
            };
            placed.insert(number, Arc::clone(&in_force));
            level.push((number, in_force));
        }
    }
    // No path leads to the others.
    for number in wanted.keys() {
        if !placed.contains_key(number) {
            placed.insert(*number, view.directory(vob, *number)?);
        }
    }
    Ok(placed)
}

/// What each item yields, in no particular order; on several threads where there are many.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<Vec<R>, StoreError> + Sync,
) -> Result<Vec<R>, StoreError> {
    let next = AtomicUsize::new(0);
    let share = || -> Result<Vec<R>, StoreError> {
        let mut yielded = Vec::new();
        loop {
            let start = next.fetch_add(ITEMS_TAKEN_TOGETHER, Ordering::Relaxed);
            let Some(rest) = items.get(start..).filter(|rest| !rest.is_empty()) else { return Ok(yielded) };
            for item in &rest[..rest.len().min(ITEMS_TAKEN_TOGETHER)] {
                yielded.extend(work(item)?);
            }
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads(items.len())).map(|_| scope.spawn(share)).collect();
        let mut all = share()?;
        for other in others {
            all.extend(joined(other)?);
        }
        Ok(all)
    })
}

/// How many threads are worth while for so many names or directories.
fn threads(items: usize) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    (items / NAMES_PER_THREAD).clamp(1, processors)
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

struct Judge<'a> {
    vob: &'a MountedVob,
    bound: &'a BoundSpec,
    view: ViewUuid,
    tell: Tell<'a>,
}

impl Judge<'_> {
    /// Judges all, on several threads where there are many names.
    fn all(&self, pairs: &[Pair]) -> Result<(), StoreError> {
        let names: usize = pairs.iter().map(|pair| pair.is.catalog.len() + 1).sum();
        let (next, in_batches) = (AtomicUsize::new(0), names > NAMES_CACHED);
        std::thread::scope(|scope| {
            let share = || self.share(pairs, &next, in_batches);
            let others: Vec<_> = (1..threads(names)).map(|_| scope.spawn(share)).collect();
            let own = share();
            others.into_iter().map(joined).fold(own, Result::and)
        })
    }

    /// Judges one directory after the other of those that no other thread has taken.
    fn share(&self, pairs: &[Pair], next: &AtomicUsize, in_batches: bool) -> Result<(), StoreError> {
        let mut stale = Stale::default();
        while let Some(pair) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let has_other_names = !Arc::ptr_eq(&pair.was.catalog, &pair.is.catalog);
            if in_batches || has_other_names {
                self.prefetch(&pair.is.catalog)?;
            }
            self.directory(pair, &mut stale)?;
            // The kernel takes in what is stale while the rest is judged.
            if stale.names.len() >= NAMES_TOLD_TOGETHER {
                (self.tell)(std::mem::take(&mut stale));
            }
        }
        (self.tell)(stale);
        Ok(())
    }

    fn directory(&self, pair: &Pair, stale: &mut Stale) -> Result<(), StoreError> {
        let before = stale.names.len();
        if Arc::ptr_eq(&pair.was.catalog, &pair.is.catalog) {
            for (name, entry) in pair.is.catalog.iter() {
                if self.differs(pair, name, Some(entry), Some(entry))? {
                    stale.name(pair.inode, name);
                }
            }
        } else {
            self.other_catalog(pair, stale)?;
        }
        // It is entered by that name again.
        if let Some((parent, name)) = &pair.other_place {
            stale.name(*parent, name);
        }
        // Which version of the directory it is shows in its times.
        if stale.names.len() > before || pair.was.at != pair.is.at {
            stale.listings.insert(pair.inode);
        }
        Ok(())
    }

    fn prefetch(&self, catalog: &Directory) -> Result<(), StoreError> {
        let elements = catalog.iter().filter_map(|(_, entry)| match entry {
            Entry::Element(number) => Some(number),
            Entry::Symlink(_) => None,
        });
        self.vob.vob.prefetch(&elements.collect::<Vec<_>>())
    }

    fn other_catalog(&self, pair: &Pair, stale: &mut Stale) -> Result<(), StoreError> {
        for (name, was, is) in both(&pair.was.catalog, &pair.is.catalog) {
            if self.differs(pair, name, was, is)? {
                stale.name(pair.inode, name);
            }
            if was != is {
                stale.name(pair.inode, &[name, b"@@"].concat());
            }
        }
        Ok(())
    }

    fn differs(
        &self,
        pair: &Pair,
        name: &[u8],
        was: Option<Entry>,
        is: Option<Entry>,
    ) -> Result<bool, StoreError> {
        let element = |entry: Option<Entry>| match entry {
            Some(Entry::Element(number)) => self.vob.vob.element(number),
            _ => Ok(None),
        };
        let element_was = element(was)?;
        let element_is = if was == is { element_was.clone() } else { element(is)? };
        let was = self.leads(&pair.was_bound, &pair.was.path, name, was, element_was.as_deref())?;
        let is = self.leads(self.bound, &pair.is.path, name, is, element_is.as_deref())?;
        Ok(was != is)
    }

    fn leads(
        &self,
        bound: &BoundSpec,
        parent: &PathState,
        name: &[u8],
        entry: Option<Entry>,
        element: Option<&Element>,
    ) -> Result<Leads, StoreError> {
        let path = bound.descend(parent, name);
        let element = match (entry, element) {
            (Some(Entry::Element(_)), Some(element)) => element,
            (Some(Entry::Element(number)), None) => return Ok(Leads::Removed(number)),
            (Some(Entry::Symlink(link)), _) if bound.any_rule_matches(&path) => {
                return Ok(Leads::Symlink(link));
            }
            _ => return Ok(Leads::Nowhere),
        };
        let origins = Events::of(&self.vob.vob);
        let selection = bound.select(&path, &Seen { element, view: Some(&self.view), origins: &origins });
        origins.finish()?;
        Ok(match (selection, element.kind) {
            (Selection::None { .. }, _) => Leads::Nowhere,
            (Selection::Error { .. }, _) => Leads::Failure,
            (_, ElementKind::Directory) => Leads::Directory(element.number),
            (Selection::Version { branch, number, .. }, _) => Leads::Version(element.number, branch, number),
            (Selection::CheckedOut { .. }, _) => Leads::Checkout(element.number),
        })
    }
}

/// Yields every name that one of two catalogs has, ascending, with both entries.
fn both<'a>(
    was: &'a Directory,
    is: &'a Directory,
) -> impl Iterator<Item = (&'a [u8], Option<Entry>, Option<Entry>)> {
    let (mut was, mut is) = (was.iter().peekable(), is.iter().peekable());
    std::iter::from_fn(move || {
        let name = match (was.peek(), is.peek()) {
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((name, _)), None) | (None, Some((name, _))) => name,
            (None, None) => return None,
        };
        let before = was.next_if(|(n, _)| *n == name).map(|(_, entry)| entry);
        let after = is.next_if(|(n, _)| *n == name).map(|(_, entry)| entry);
        Some((name, before, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vob::NameChange;

    #[test]
    fn both_catalogs_are_gone_through_together() {
        let catalog = |entries: &[(&str, u32)]| {
            let mut catalog = Directory::default();
            let change = |(name, number): &(&str, u32)| NameChange {
                name: name.as_bytes().into(),
                entry: Some(Entry::Element(ElementNo(*number))),
            };
            catalog.apply(&entries.iter().map(change).collect::<Vec<_>>());
            catalog
        };
        let check =
            |was: &[(&str, u32)], is: &[(&str, u32)], expected: &[(&str, Option<u32>, Option<u32>)]| {
                let (was, is) = (catalog(was), catalog(is));
                let entry = |number: Option<u32>| number.map(|number| Entry::Element(ElementNo(number)));
                let expected: Vec<_> =
                    expected.iter().map(|(n, a, b)| (n.as_bytes(), entry(*a), entry(*b))).collect();
                assert_eq!(both(&was, &is).collect::<Vec<_>>(), expected);
            };
        check(&[], &[], &[]);
        check(&[("a", 1)], &[], &[("a", Some(1), None)]);
        check(&[], &[("a", 1)], &[("a", None, Some(1))]);
        check(
            &[("a", 1), ("c", 3), ("d", 4)],
            &[("b", 2), ("c", 5), ("d", 4), ("e", 6)],
            &[
                ("a", Some(1), None),
                ("b", None, Some(2)),
                ("c", Some(3), Some(5)),
                ("d", Some(4), Some(4)),
                ("e", None, Some(6)),
            ],
        );
    }
}
