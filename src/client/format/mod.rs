//! `-fmt`: what is known of an object, printed in a form that the caller gives.
//!
//! `parse` reads the form into pieces, `facts` is what every listing knows of an object, `evaluate` and `property` put
//! one into the other. All of it is pure: dates, and the moment that ages are counted from, come in.

mod evaluate;
mod facts;
mod parse;
mod property;

pub use evaluate::dotted;
pub use facts::{Facts, Happened, PRIVATE, selector_prefix};
pub use parse::{Format, FormatError};
pub use property::{REPLICA, constraint, trigger_kind};

use super::options::Arguments;
use super::session::CommandError;
use std::os::unix::ffi::OsStrExt;

/// The value of `-fmt`, if it was given.
///
/// # Errors
/// It is no format: the sentence says where, and what would be right.
pub fn given(arguments: &Arguments) -> Result<Option<Format>, CommandError> {
    let parse = |text: &[u8]| {
        Format::parse(text).map_err(|error| {
            let complaint = format!("\": column {}: {}.", error.column, error.complaint);
            CommandError::refused([b"Unrecognized format \"", text, complaint.as_bytes()].concat())
        })
    };
    arguments.value("fmt").map(|text| parse(text.as_bytes())).transpose()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
