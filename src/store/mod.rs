//! Where a VOB lives on disk: the journal that is the truth, the index engine that can be
//! rebuilt from it, and the pools that hold contents. It must not know what a view is.

mod ahead;
pub mod backup;
pub mod durable;
pub mod engine;
mod error;
pub mod journal;
pub mod pool;
pub mod recent;
pub mod vob;

pub use vob::{
    Audit, CommitError, Committed, LawBroken, LawCounts, Record, StoreError, Vob, VobOptions, check_laws,
    check_laws_with_progress,
};
