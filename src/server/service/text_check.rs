//! What the type managers of text refuse: NUL bytes, and lines that are too long.
//!
//! Pure, and cheap: of each [`LINE_BYTES_MAX`] bytes only those behind the last newline are looked at one by one.

use crate::server::proto::{Failure, FailureCode};
use crate::server::state::Outcome;

/// Bytes of a line without its newline, at most.
pub const LINE_BYTES_MAX: usize = 8000;

/// The type managers that take text alone.
const TEXT_MANAGERS: [&str; 2] = ["text_file_delta", "z_text_file_delta"];

/// Tells whether a type manager takes text: as one that takes text alone, or as it is.
pub fn may_hold_text(manager: &str) -> bool {
    TEXT_MANAGERS.contains(&manager) || manager == "whole_copy"
}

/// A look at bytes that come in parts.
#[derive(Debug)]
pub struct TextCheck {
    /// The type manager; none for one that takes everything.
    manager: Option<String>,
    /// Bytes of the line that has not ended yet.
    line: usize,
    fault: Option<FailureCode>,
}

impl TextCheck {
    /// Begins for a type manager.
    pub fn of(manager: &str) -> TextCheck {
        let manager = TEXT_MANAGERS.contains(&manager).then(|| manager.to_owned());
        TextCheck { manager, line: 0, fault: None }
    }

    /// Looks at the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        if self.manager.is_none() || self.fault.is_some() {
            return;
        }
        if bytes.contains(&0) {
            self.fault = Some(FailureCode::HasNul);
            return;
        }
        let mut rest = bytes;
        loop {
            let allowed = LINE_BYTES_MAX - self.line;
            let window = &rest[..rest.len().min(allowed + 1)];
            match window.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => (self.line, rest) = (0, &rest[last + 1..]),
                None if window.len() > allowed => {
                    self.fault = Some(FailureCode::LineTooLong);
                    return;
                }
                None => {
                    self.line += window.len();
                    return;
                }
            }
        }
    }

    /// Says whether the manager takes what was looked at.
    ///
    /// # Errors
    /// `LINE_TOO_LONG` or `HAS_NUL`.
    pub fn verdict(&self) -> Outcome<()> {
        match (self.fault, &self.manager) {
            (Some(code), Some(manager)) => Err(Failure::new(code).name(manager.as_str())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(parts: &[&[u8]]) -> Option<FailureCode> {
        let mut check = TextCheck::of("text_file_delta");
        parts.iter().for_each(|part| check.add(part));
        check.verdict().err().map(|failure| failure.code())
    }

    #[test]
    fn lines_of_the_greatest_length_are_taken() {
        let line = |length: usize| [vec![b'a'; length], b"\n".to_vec()].concat();
        let long = Some(FailureCode::LineTooLong);
        assert_eq!(verdict(&[&line(LINE_BYTES_MAX)]), None);
        assert_eq!(verdict(&[&line(LINE_BYTES_MAX + 1)]), long);
        assert_eq!(verdict(&[&vec![b'a'; LINE_BYTES_MAX]]), None, "without a newline");
        assert_eq!(verdict(&[&vec![b'a'; LINE_BYTES_MAX + 1]]), long);
        assert_eq!(verdict(&[&line(3), &line(LINE_BYTES_MAX), b"", &line(LINE_BYTES_MAX)]), None);
        assert_eq!(verdict(&[&vec![b'a'; LINE_BYTES_MAX], b"\n"]), None);
        assert_eq!(verdict(&[&vec![b'a'; LINE_BYTES_MAX], b"a"]), long);
        assert_eq!(verdict(&[b"a\0b"]), Some(FailureCode::HasNul));
        assert_eq!(verdict(&[]), None);
    }

    #[test]
    fn other_managers_take_everything() {
        for manager in ["whole_copy", "z_whole_copy", "binary_delta", ""] {
            let mut check = TextCheck::of(manager);
            check.add(&vec![0; 2 * LINE_BYTES_MAX]);
            assert!(check.verdict().is_ok(), "{manager}");
        }
        let mut check = TextCheck::of("z_text_file_delta");
        check.add(b"\0");
        assert_eq!(check.verdict().unwrap_err().name, b"z_text_file_delta");
    }

    proptest! {
        /// The same as looking at every line.
        #[test]
        fn parts_do_not_matter(
            lines in prop::collection::vec(prop_oneof![0..50usize, 7_990..8_010usize], 0..12),
            cuts in prop::collection::vec(0..60_000usize, 0..6),
        ) {
            let text: Vec<u8> = lines.iter().flat_map(|length| [vec![b'x'; *length], vec![b'\n']].concat()).collect();
            let too_long = text.split(|byte| *byte == b'\n').any(|line| line.len() > LINE_BYTES_MAX);
            let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            ends.extend([0, text.len()]);
            ends.sort_unstable();
            let parts: Vec<&[u8]> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(verdict(&parts).is_some(), too_long);
        }
    }
}
