//! The FUSE adapter: shows a [`Namespace`] to the Linux kernel as a mounted file system.
//!
//! It owns inode numbers on the wire, the choice of errno, how long the kernel may remember an answer, and the
//! notifications that make it forget. It must not know what a VOB, a view, a rule or a version is.
//!
//! The one idea: the kernel keeps every answer for ever (names, absent names, attributes, listings, pages,
//! link targets), so a warm tree costs no request at all; whoever changes a binding tells the [`Invalidator`].

mod adapter;
mod answered;
mod callers;
mod convert;
mod counters;
mod ending;
mod invalidate;
mod latency;
mod mounted;
mod namespace;
mod node;
mod notice;
mod refusal;
mod stale;
mod sys;

pub use callers::CallerCount;
pub use counters::{Counters, Request};
pub use ending::Ending;
pub use invalidate::Invalidator;
pub use latency::Latency;
pub use mounted::{Mounted, Options, mount};
pub use namespace::Namespace;
pub use node::{
    Attributes, Caller, Change, FileKind, Inode, Listed, RenameMode, Seek, SetTime, Statistics, Time,
    XattrMode,
};
pub use refusal::Refusal;
pub use stale::clear_stale;
