//! What a view shows: live selection in VOB directories, private files over them, and the
//! history name space below `@@`.
//!
//! This room turns names into objects for the mount and for commands alike. It must not know
//! how requests arrive, what commands print, or how VOBs are stored.

pub mod access;
pub mod change;
pub mod departed;
pub mod explain;
pub mod history;
pub mod host;
pub mod inode;
pub mod live;
mod namespace;
pub mod private;
pub mod query;
pub mod resolve;
mod respec;
pub mod staging;
mod states;
pub mod storage;
pub mod watch;

pub use host::{Host, MountedVob};
pub use live::{DirectoryState, Shown, View};
pub use resolve::{Found, Resolved};
pub use storage::{ViewError, ViewStorage};
