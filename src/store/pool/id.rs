//! The address of a content.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The BLAKE3 hash of a content, which is its address. Serialized as its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentId(pub [u8; 32]);

impl ContentId {
    /// Returns the address of a content.
    pub fn of(content: &[u8]) -> ContentId {
        ContentId(*blake3::hash(content).as_bytes())
    }

    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first 16 bytes, enough to tell contents apart in memory.
    pub(super) fn prefix(&self) -> [u8; 16] {
        self.0[..16].try_into().expect("sixteen bytes")
    }
}

impl From<[u8; 32]> for ContentId {
    fn from(bytes: [u8; 32]) -> ContentId {
        ContentId(bytes)
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl FromStr for ContentId {
    type Err = ParseContentIdError;

    fn from_str(text: &str) -> Result<ContentId, ParseContentIdError> {
        blake3::Hash::from_hex(text)
            .map(|hash| ContentId(*hash.as_bytes()))
            .map_err(|_| ParseContentIdError { text: text.to_owned() })
    }
}

/// A text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a content id of 64 hexadecimal digits")]
pub struct ParseContentIdError {
    /// The text given.
    pub text: String,
}
