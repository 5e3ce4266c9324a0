//! Turns the history of another version control system into a VOB: elements keep their
//! identity over renames, branches become branch types, tags label types, merges hyperlinks.
//!
//! `repository`, `fast_export`, `graph`, `lines` and `names` know git and nothing of VOBs;
//! `tree`, `settle`, `mirror` and `restore` know VOBs and nothing of git; `driver` joins them and `importer` is its face.
//! An import may be stopped at any moment and run again: what is in the VOB is skipped, and
//! the plan depends on nothing but the repository and the last import that was finished.

mod driver;
pub mod fast_export;
pub mod graph;
mod importer;
pub mod lines;
mod mirror;
pub mod names;
mod record;
pub mod repository;
mod restore;
mod settle;
mod tree;

pub use importer::{ImportError, Importer, Progress, Summary};
