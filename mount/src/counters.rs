//! How many requests reached user space, by operation, and how long they took.
//!
//! The measure of the whole design: on a warm tree nothing here moves.

use crate::latency::{Histogram, Latency};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

macro_rules! requests {
    ($($variant:ident => $name:literal,)*) => {
        /// An operation that the kernel asked for.
        #[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
        pub enum Request {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Request {
            /// All operations, in the order of their figures.
            pub const ALL: &'static [Request] = &[$(Request::$variant,)*];

            /// Returns the operation's name in small letters.
            pub fn name(self) -> &'static str {
                match self { $(Request::$variant => $name,)* }
            }
        }
    };
}

requests! {
    Lookup => "lookup", Forget => "forget", GetAttributes => "getattr", SetAttributes => "setattr",
    ReadLink => "readlink", MakeNode => "mknod", MakeDirectory => "mkdir", Unlink => "unlink",
    RemoveDirectory => "rmdir", MakeSymlink => "symlink", Rename => "rename", Link => "link", Open => "open",
    Read => "read", Write => "write", Flush => "flush", Release => "release", Sync => "fsync",
    OpenDirectory => "opendir", ReadDirectory => "readdir", ReadDirectoryPlus => "readdirplus",
    ReleaseDirectory => "releasedir", SyncDirectory => "fsyncdir", Statistics => "statfs",
    SetXattr => "setxattr", GetXattr => "getxattr", ListXattr => "listxattr", RemoveXattr => "removexattr",
    Access => "access", Create => "create", Allocate => "fallocate", Seek => "lseek", Other => "other",
}

const COUNT: usize = Request::ALL.len();

/// Figures at one moment.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Counters([u64; COUNT]);

impl Counters {
    /// Returns how often `request` came.
    pub fn get(&self, request: Request) -> u64 {
        self.0[request as usize]
    }

    /// Returns how many requests somebody waited for: all but forgets.
    pub fn total(&self) -> u64 {
        self.0.iter().sum::<u64>() - self.get(Request::Forget)
    }

    /// Returns what came since `earlier`.
    pub fn since(&self, earlier: &Counters) -> Counters {
        Counters(std::array::from_fn(|i| self.0[i].saturating_sub(earlier.0[i])))
    }

    /// Yields the operations that came at all.
    pub fn iter(&self) -> impl Iterator<Item = (Request, u64)> + '_ {
        Request::ALL.iter().map(|&request| (request, self.get(request))).filter(|&(_, count)| count > 0)
    }
}

impl fmt::Display for Counters {
    /// `lookup 3, read 1`; `none` when nothing came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (request, count) in self.iter() {
            write!(f, "{separator}{} {count}", request.name())?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

/// The running figures.
#[derive(Debug)]
pub(crate) struct Recorder {
    counts: [AtomicU64; COUNT],
    times: Vec<Histogram>,
}

impl Recorder {
    pub(crate) fn new() -> Recorder {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Recorder { counts, times: Request::ALL.iter().map(|_| Histogram::new()).collect() }
    }

    pub(crate) fn count(&self, request: Request) {
        self.counts[request as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn took(&self, request: Request, time: Duration) {
        self.times[request as usize].add(time);
    }

    pub(crate) fn snapshot(&self) -> Counters {
        Counters(std::array::from_fn(|i| self.counts[i].load(Ordering::Relaxed)))
    }

    pub(crate) fn latencies(&self) -> Vec<(Request, Latency)> {
        let all = Request::ALL.iter().zip(&self.times).map(|(request, times)| (*request, times.snapshot()));
        all.filter(|(_, latency)| latency.count() > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_by_name_and_forgets_are_not_in_the_total() {
        let recorder = Recorder::new();
        let before = recorder.snapshot();
        recorder.count(Request::Lookup);
        recorder.count(Request::Lookup);
        recorder.count(Request::Forget);
        let moved = recorder.snapshot().since(&before);
        assert_eq!(moved.to_string(), "lookup 2, forget 1");
        assert_eq!(moved.total(), 2);
        assert_eq!(before.to_string(), "none");
    }
}
