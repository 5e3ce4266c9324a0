//! Which names were answered a moment ago to a kernel that had them already.
//!
//! The kernel asks again for a name that has expired without any lock, and takes the answer in when the thread that asked
//! runs next. A notice that expires the name in between is lost: the answer makes the name valid for ever. Nobody is
//! told when an answer has been taken in, so whoever expires a name asks here whether that can be such a case. (A name that
//! the kernel does not have is asked for under the lock of its directory, which the notice waits for.)
//!
//! Names that ever expired are bits in a filter, which may say yes of others. Answers are a table of one word for
//! each hash: another name of the same place takes it, which some 30,000 answers a moment would have to do.

use crate::Inode;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SLOTS: usize = 1 << 15;
/// A megabyte: of two million names that expired once, one in seven others is taken for one of them.
const FILTER_BITS: u64 = 1 << 23;
/// The longest that an answer is on its way: a thread that has one waits for a processor only.
const MOMENT: Duration = Duration::from_secs(2);
const TICK_MILLISECONDS: u128 = 16;
const TICK_BITS: u32 = 22;

/// The table. Cheap to ask and to tell from any thread.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The hash's upper bits, the time in ticks, and whether a directory has the name. 0: nothing yet.
    slots: Box<[AtomicU64]>,
    expired: Box<[AtomicU64]>,
    began: Instant,
}

/// What a name was answered with.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Answer {
    /// A directory.
    Directory,
    /// Anything else, or that it is absent.
    Other,
}

impl Default for Answered {
    fn default() -> Answered {
        let words = |count: u64| (0..count).map(|_| AtomicU64::new(0)).collect();
        Answered { slots: words(SLOTS as u64), expired: words(FILTER_BITS / 64), began: Instant::now() }
    }
}

impl Answered {
    /// Notes that a name expires, before it does.
    pub(crate) fn note_expired(&self, parent: Inode, name: &OsStr) {
        for (word, bit) in places(hash(parent, name)) {
            self.expired[word].fetch_or(bit, Ordering::SeqCst);
        }
    }

    /// Notes an answer, before it goes out.
    pub(crate) fn note(&self, parent: Inode, name: &OsStr, answer: Answer) {
        let hash = hash(parent, name);
        let is_set = |(word, bit): (usize, u64)| self.expired[word].load(Ordering::SeqCst) & bit != 0;
        if places(hash).into_iter().all(is_set) {
            let directory = u64::from(answer == Answer::Directory);
            let word = tag(hash) | self.tick() << 1 | directory;
            self.slot(hash).store(word, Ordering::SeqCst);
        }
    }

    /// Returns what was answered for a name, if that may not have been taken in yet.
    pub(crate) fn recent(&self, parent: Inode, name: &OsStr) -> Option<Answer> {
        let hash = hash(parent, name);
        let word = self.slot(hash).load(Ordering::SeqCst);
        let ticks = (1 << TICK_BITS) - 1;
        let age = self.tick().wrapping_sub(word >> 1) & ticks;
        let is_recent = word != 0 && u128::from(age) * TICK_MILLISECONDS <= MOMENT.as_millis();
        let answer = if word & 1 == 1 { Answer::Directory } else { Answer::Other };
        (is_recent && tag(word) == tag(hash)).then_some(answer)
    }

    fn slot(&self, hash: u64) -> &AtomicU64 {
        &self.slots[hash as usize % SLOTS]
    }

    fn tick(&self) -> u64 {
        (self.began.elapsed().as_millis() / TICK_MILLISECONDS) as u64 & ((1 << TICK_BITS) - 1)
    }
}

/// The two bits of the filter that a hash sets: in which words, and which.
fn places(hash: u64) -> [(usize, u64); 2] {
    [hash, hash >> 32].map(|hash| {
        let bit = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) % FILTER_BITS;
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}

/// The bits of a hash that a word has room for.
fn tag(hash: u64) -> u64 {
    hash >> (TICK_BITS + 1) << (TICK_BITS + 1)
}

fn hash(parent: Inode, name: &OsStr) -> u64 {
    let mut hasher = DefaultHasher::new();
    (parent.get(), name).hash(&mut hasher);
    // Never 0, which says that there is nothing.
    hasher.finish() | 1 << 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_for_a_moment() {
        let mut answered = Answered::default();
        let (parent, name) = (Inode::new(7), OsStr::new("main.c"));
        answered.note(parent, name, Answer::Other);
        assert_eq!(answered.recent(parent, name), None, "it has never expired");
        answered.note_expired(parent, name);
        assert_eq!(answered.recent(parent, name), None);
        answered.note(parent, name, Answer::Other);
        assert_eq!(answered.recent(parent, name), Some(Answer::Other));
        assert_eq!(answered.recent(Inode::new(8), name), None);
        assert_eq!(answered.recent(parent, OsStr::new("main.h")), None);
        answered.note(parent, name, Answer::Directory);
        assert_eq!(answered.recent(parent, name), Some(Answer::Directory));
        // Later.
        answered.began -= MOMENT + Duration::from_millis(100);
        assert_eq!(answered.recent(parent, name), None);
        answered.note(parent, name, Answer::Other);
        assert_eq!(answered.recent(parent, name), Some(Answer::Other));
    }
}
