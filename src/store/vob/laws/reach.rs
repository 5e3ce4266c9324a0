//! Which elements names lead to: from the root or from `lost+found`, through any version or checkout of any
//! directory.

use super::{StoreError, Vob, catalogs, readable};
use crate::vob::{ElementKind, ElementNo, Entry};
use rustc_hash::FxHashSet;

/// Finds the elements that no chain of names leads to.
pub(super) fn unreachable(
    vob: &Vob,
    elements: u32,
    tell: &mut dyn FnMut(ElementNo),
) -> Result<(), StoreError> {
    let mut reached = Bits::new(elements);
    let mut entered = Bits::new(elements);
    for top in [ElementNo::ROOT, ElementNo::LOST_AND_FOUND] {
        reached.set(top.0);
    }
    // No list of what is still to be entered: the bits are gone through until there is nothing new.
    let mut goes_on = true;
    while goes_on {
        goes_on = false;
        for number in 0..elements {
            if reached.get(number) && !entered.get(number) {
                entered.set(number);
                let mut found = Vec::new();
                vob.consistently(|| {
                    found.clear();
                    children(vob, ElementNo(number), &mut |child| found.push(child))
                })?;
                goes_on |= !found.is_empty();
                found.iter().for_each(|child| reached.set(child.0));
            }
        }
    }
    for number in (0..elements).filter(|number| !reached.get(*number)).map(ElementNo) {
        // It may have been moved meanwhile, out of a directory that was entered later into one
        // that was entered before.
        if vob.consistently(|| Ok::<_, StoreError>(exists(vob, number)? && !is_reachable(vob, number)?))? {
            tell(number);
        }
    }
    Ok(())
}

fn exists(vob: &Vob, number: ElementNo) -> Result<bool, StoreError> {
    Ok(matches!(readable(vob.element(number))?, Ok(Some(_))))
}

/// Tells whether names lead from the root or from `lost+found` to an element, by going up.
fn is_reachable(vob: &Vob, number: ElementNo) -> Result<bool, StoreError> {
    let (mut seen, mut above) = (FxHashSet::from_iter([number]), vec![number]);
    while let Some(number) = above.pop() {
        if matches!(number, ElementNo::ROOT | ElementNo::LOST_AND_FOUND) {
            return Ok(true);
        }
        let Ok(Some(element)) = readable(vob.element(number))? else { continue };
        for (directory, _) in &element.names {
            if seen.contains(directory) {
                continue;
            }
            let mut holds = false;
            children(vob, *directory, &mut |child| holds |= child == number)?;
            if holds {
                seen.insert(*directory);
                above.push(*directory);
            }
        }
    }
    Ok(false)
}

/// Calls `each` for whatever a directory catalogs in some version or checkout. What a version is
/// stored with about a name is in its catalog, and what is in a catalog is stored with some version.
fn children(vob: &Vob, directory: ElementNo, each: &mut dyn FnMut(ElementNo)) -> Result<(), StoreError> {
    let Ok(Some(element)) = readable(vob.element(directory))? else { return Ok(()) };
    if element.kind != ElementKind::Directory {
        return Ok(());
    }
    for at in catalogs(&element) {
        let Ok(Some(node)) = readable(vob.node(directory, at))? else { continue };
        for change in &node.changes {
            if let Some(Entry::Element(child)) = change.entry {
                each(child);
            }
        }
    }
    Ok(())
}

/// One bit for each of so many numbers.
pub(super) struct Bits {
    words: Vec<u64>,
    count: u32,
}

impl Bits {
    pub(super) fn new(count: u32) -> Bits {
        Bits { words: vec![0; (count as usize).div_ceil(64)], count }
    }

    fn get(&self, at: u32) -> bool {
        self.words[at as usize / 64] >> (at % 64) & 1 == 1
    }

    /// Sets a bit; those of numbers that came later are left out.
    pub(super) fn set(&mut self, at: u32) {
        if at < self.count {
            self.words[at as usize / 64] |= 1 << (at % 64);
        }
    }

    /// How many are not set.
    pub(super) fn unset(&self) -> u64 {
        let set: u32 = self.words.iter().map(|word| word.count_ones()).sum();
        u64::from(self.count - set)
    }
}
