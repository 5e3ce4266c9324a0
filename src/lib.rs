//! Clerestory: a version-controlled virtual file system with rule-selected live views.
//!
//! Rooms, from the ground up; a room uses only those below it: [`vob`] (objects, operations,
//! laws), [`merge`] (three-way merges), [`store`] (journal, index engines, pools), [`view`] (what a view shows), [`import`]
//! (histories of other systems), `server` (the host daemon), `client` (commands).

pub mod client;
pub mod import;
pub mod merge;
pub mod server;
pub mod store;
pub mod view;
pub mod vob;
