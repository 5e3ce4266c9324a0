//! What files hold.

/// What a file holds: so many lines, of which the first tells which content it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Content {
    /// Different contents have different numbers.
    pub number: u32,
    /// 0: no bytes at all.
    pub lines: u32,
}

impl Content {
    /// No bytes.
    pub const EMPTY: Content = Content { number: 0, lines: 0 };

    /// A content with a number.
    pub fn new(number: u32, lines: u32) -> Content {
        if lines == 0 { Content::EMPTY } else { Content { number, lines } }
    }

    /// The bytes. Contents of neighbouring numbers have most lines in common, as versions of a file do.
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in 0..self.lines {
            let text = match line {
                0 => format!("content {} of {} lines\n", self.number, self.lines),
                line if line % 7 == self.number % 7 => format!("line {line} as of {}\n", self.number),
                line => format!("line {line} of any content\n"),
            };
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// A regular file of a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct File {
    /// Its bytes.
    pub content: Content,
    /// Its permission bits.
    pub mode: u32,
}

impl File {
    /// Whether somebody may execute it.
    pub fn executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}
