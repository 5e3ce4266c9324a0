//! The places that lead to one private file: mostly one, and up to as many as a file may have names.
//!
//! Pure. Nothing here takes longer the more places there are.

use super::Place;
use rustc_hash::FxHashMap;

/// Up to so many places are compared one by one: there a table costs more than it saves.
const COMPARED_MAX: usize = 8;

/// Places, each once.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: Vec<Place>,
    /// Where in `all` each is, once there are many.
    known: Option<FxHashMap<Place, usize>>,
}

impl Places {
    fn position(&self, place: &Place) -> Option<usize> {
        match &self.known {
            Some(known) => known.get(place).copied(),
            None => self.all.iter().position(|other| other == place),
        }
    }

    /// Adds a place, unless it is there.
    pub fn insert(&mut self, place: Place) {
        if self.position(&place).is_some() {
            return;
        }
        if let Some(known) = &mut self.known {
            known.insert(place.clone(), self.all.len());
        }
        self.all.push(place);
        if self.known.is_none() && self.all.len() > COMPARED_MAX {
            self.known = Some(self.all.iter().cloned().zip(0..).collect());
        }
    }

    /// Takes a place away; the others are in another order then.
    pub fn remove(&mut self, place: &Place) {
        let Some(at) = self.position(place) else { return };
        self.all.swap_remove(at);
        if let Some(known) = &mut self.known {
            known.remove(place);
            if let Some(moved) = self.all.get(at) {
                known.insert(moved.clone(), at);
            }
        }
    }

    /// Returns one of the places.
    pub fn any(&self) -> Option<&Place> {
        self.all.last()
    }

    /// Tells whether there is no other place than this one.
    pub fn has_no_other(&self, place: &Place) -> bool {
        self.all.iter().all(|other| other == place)
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Places::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn many_places_are_found_as_few_are(steps in prop::collection::vec((any::<bool>(), 0u64..24), 0..200)) {
            let (mut places, mut twin) = (Places::default(), BTreeSet::new());
            for (inserts, number) in steps {
                let place = Place::Within(number, b"name".as_slice().into());
                match inserts {
                    true => { places.insert(place); twin.insert(number); }
                    false => { places.remove(&place); twin.remove(&number); }
                }
                let place = Place::Within(number, b"name".as_slice().into());
                prop_assert_eq!(places.position(&place).is_some(), twin.contains(&number));
                prop_assert_eq!(places.has_no_other(&place), twin.iter().all(|other| *other == number));
                prop_assert_eq!((places.all.len(), places.is_empty()), (twin.len(), twin.is_empty()));
                let any = places.any().map(|place| match place { Place::Within(number, _) => *number, Place::Path(_) => 99 });
                prop_assert!(any.is_none_or(|number| twin.contains(&number)));
            }
        }
    }
}
