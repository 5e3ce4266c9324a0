//! How long requests take, as histograms that any thread adds to without a lock.
//!
//! A time falls into one of four parts of its octave, so that a figure read back is at most a quarter too large. One
//! addition is one atomic add: next to a request, which the kernel needs microseconds to bring, it does not show.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Parts of an octave.
const PARTS: usize = 4;
/// Up to about 18 minutes; what takes longer counts with the last.
const BUCKETS: usize = 40 * PARTS;

/// A histogram in the making.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram { buckets: std::array::from_fn(|_| AtomicU64::new(0)), sum_ns: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanoseconds)].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Latency {
        let buckets: Vec<u64> = self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Latency { buckets, sum_ns: self.sum_ns.load(Ordering::Relaxed) }
    }
}

/// The bucket of a time.
fn bucket(nanoseconds: u64) -> usize {
    let octave = nanoseconds.max(PARTS as u64).ilog2() as usize;
    let part = (nanoseconds >> (octave - 2)) as usize % PARTS;
    (octave * PARTS + part).min(BUCKETS - 1)
}

/// The time below which all of a bucket's lie, in nanoseconds.
fn upper_ns(bucket: usize) -> u64 {
    let (octave, part) = (bucket / PARTS, bucket % PARTS);
    (1u64 << octave) / PARTS as u64 * (PARTS + part + 1) as u64
}

/// What a histogram held at one moment.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Latency {
    buckets: Vec<u64>,
    /// The sum of all times, in nanoseconds.
    pub sum_ns: u64,
}

impl Latency {
    /// Returns how many times there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns what was added since `earlier`.
    pub fn since(&self, earlier: &Latency) -> Latency {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        Latency {
            buckets: pairs.map(|(now, then)| now.saturating_sub(*then)).collect(),
            sum_ns: self.sum_ns.saturating_sub(earlier.sum_ns),
        }
    }

    /// Returns a time that so many of a hundred do not exceed, in nanoseconds: the upper end of its bucket. None
    /// where there are no times.
    pub fn percentile_ns(&self, percent: u64) -> Option<u64> {
        let wanted = (self.count() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = |count: &u64| {
            seen += count;
            seen >= wanted
        };
        self.buckets.iter().position(reached).map(upper_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_below_the_end_of_its_bucket_and_at_most_a_quarter() {
        for nanoseconds in (4..2_000).chain([1 << 20, (1 << 20) - 1, 123_456_789, 1 << 39]) {
            let upper = upper_ns(bucket(nanoseconds));
            assert!(
                upper > nanoseconds && upper <= nanoseconds + nanoseconds / 4 + 1,
                "{nanoseconds} {upper}"
            );
        }
        assert_eq!(bucket(0), bucket(4));
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_what_was_added() {
        let histogram = Histogram::new();
        let before = histogram.snapshot();
        assert_eq!(before.percentile_ns(50), None);
        (0..99).for_each(|_| histogram.add(Duration::from_nanos(1_000)));
        histogram.add(Duration::from_millis(1));
        let added = histogram.snapshot().since(&before);
        assert_eq!((added.count(), added.sum_ns), (100, 99 * 1_000 + 1_000_000));
        assert_eq!(added.percentile_ns(50), Some(1_024));
        assert_eq!(added.percentile_ns(99), Some(1_024));
        assert_eq!(added.percentile_ns(100), Some(1_048_576));
        let later = histogram.snapshot();
        histogram.add(Duration::from_nanos(5));
        assert_eq!(histogram.snapshot().since(&later).percentile_ns(99), Some(6));
    }
}
