//! What becomes of two changed things with a common ancestor: texts, catalogs of names, lines of a history.
//!
//! Pure: no I/O and no clock; texts and catalogs come in, regions and changes go out. [`text`] merges texts as git does,
//! [`catalog`] the names of directories by what they lead to, [`base`] finds the common ancestor in a version tree,
//! [`origin`] says which version of a history each line came with. Nothing here knows a view, a command or a word for
//! users.

pub mod base;
pub mod catalog;
pub mod origin;
pub mod text;
