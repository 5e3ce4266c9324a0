//! Which patterns match a path, found one directory level at a time. Owns the set of positions ([`PathState`]) and
//! the step from a directory to a child; must not know rules, scopes or selectors.
//!
//! Every distinct pattern of a bound spec is a row of positions: "so many of its components are used up". A state
//! is the set of positions that are reachable after the components of a path; a pattern matches when its last
//! position is in the set. `...` keeps its position at every name and may also be skipped, so that a set with the
//! position of a `...` always holds the next position too.

use std::collections::HashMap;
use std::sync::Arc;

use crate::pattern::{Component, NameGlob, Pattern, names};

/// Which patterns of one [`BoundSpec`](crate::BoundSpec) match a directory, and which can still match below it.
///
/// A number for specs of ordinary size (up to 64 positions), else a shared slice: cheap to clone and to keep. It
/// means something only to the `BoundSpec` that made it; another one answers wrongly, but does not panic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathState(Positions);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Positions {
    Few(u64),
    Many(Arc<[u64]>),
}

const WORD_BITS: usize = u64::BITS as usize;

/// The step that leaves a position.
#[derive(Debug)]
enum Step {
    AnyLevels,
    Name(NameGlob),
    /// The pattern is used up.
    Matched,
}

/// The last position of a pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accept(u32);

/// All patterns that need to look at paths, of one VOB.
#[derive(Debug, Default)]
pub(crate) struct Automaton {
    steps: Vec<Step>,
    /// First positions of relative patterns, which see the components of the VOB tag.
    relative_starts: Vec<u32>,
    /// First positions of absolute patterns, which begin below it.
    absolute_starts: Vec<u32>,
    known: HashMap<(bool, Vec<Component>), Accept>,
}

impl Automaton {
    /// Adds a pattern, or finds it again.
    pub fn add(&mut self, pattern: &Pattern) -> Accept {
        let (relative, components) = (pattern.vob_tag().is_none(), pattern.components());
        let key = (relative, components.to_vec());
        if let Some(&accept) = self.known.get(&key) {
            return accept;
        }
        let starts = if relative { &mut self.relative_starts } else { &mut self.absolute_starts };
        starts.push(self.steps.len() as u32);
        self.steps.extend(components.iter().map(|component| match component {
            Component::AnyLevels => Step::AnyLevels,
            Component::Name(glob) => Step::Name(glob.clone()),
        }));
        let accept = Accept(self.steps.len() as u32);
        self.steps.push(Step::Matched);
        self.known.insert(key, accept);
        accept
    }

    /// The state of the root directory of the VOB with this tag.
    pub fn root(&self, vob_tag: &[u8]) -> PathState {
        let mut words = vec![0; self.steps.len().div_ceil(WORD_BITS)];
        self.start(&self.relative_starts, &mut words);
        for name in names(vob_tag) {
            let mut after = vec![0; words.len()];
            self.step_words(&words, name, &mut after);
            words = after;
        }
        self.start(&self.absolute_starts, &mut words);
        PathState(match words.as_slice() {
            [] => Positions::Few(0),
            [word] => Positions::Few(*word),
            many => Positions::Many(many.into()),
        })
    }

    fn start(&self, starts: &[u32], words: &mut [u64]) {
        for &start in starts {
            self.reach(start as usize, words);
        }
    }

    /// The state after one more name.
    pub fn step(&self, from: &PathState, name: &[u8]) -> PathState {
        match &from.0 {
            Positions::Few(0) => PathState(Positions::Few(0)),
            Positions::Few(word) => {
                let mut after = [0];
                self.step_words(&[*word], name, &mut after);
                PathState(Positions::Few(after[0]))
            }
            Positions::Many(words) => {
                // 1024 positions on the stack are enough for all but generated specs.
                let (mut stack, mut heap) = ([0; 16], Vec::new());
                let after = if let Some(after) = stack.get_mut(..words.len()) {
                    after
                } else {
                    heap.resize(words.len(), 0);
                    &mut heap[..]
                };
                self.step_words(words, name, after);
                // Deep below the places that patterns speak of, all states are one.
                let same = after[..] == words[..];
                PathState(Positions::Many(if same { words.clone() } else { Arc::from(&*after) }))
            }
        }
    }

    /// Whether the pattern matches the path that led to the state.
    pub fn accepts(&self, at: &PathState, accept: Accept) -> bool {
        let (index, bit) = (accept.0 as usize / WORD_BITS, accept.0 as usize % WORD_BITS);
        let word = match &at.0 {
            Positions::Few(word) if index == 0 => *word,
            Positions::Few(_) => 0,
            Positions::Many(words) => words.get(index).copied().unwrap_or(0),
        };
        word >> bit & 1 == 1
    }

    fn step_words(&self, words: &[u64], name: &[u8], after: &mut [u64]) {
        for (index, &word) in words.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                let position = index * WORD_BITS + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                match self.steps.get(position) {
                    Some(Step::AnyLevels) => self.reach(position, after),
                    Some(Step::Name(glob)) if glob.matches(name) => self.reach(position + 1, after),
                    _ => {}
                }
            }
        }
    }

    /// Adds a position, and the one behind it if it is that of a `...`.
    fn reach(&self, position: usize, words: &mut [u64]) {
        let skipped = matches!(self.steps[position], Step::AnyLevels);
        for position in position..=position + usize::from(skipped) {
            if let Some(word) = words.get_mut(position / WORD_BITS) {
                *word |= 1 << (position % WORD_BITS);
            }
        }
    }
}
