//! A content as pools keep it, on its way inside a journal frame.
//!
//! A change that names few and small new contents brings them along in its own frame, so that one sync makes both durable. Knows
//! the form alone, not how it is made or read.

use super::identity::ContentHash;
use serde::{Deserialize, Serialize};

/// A content as pools keep it.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredContent {
    /// Its name in the pools.
    pub hash: ContentHash,
    /// Its length in bytes.
    pub size: u64,
    /// What the stored bytes are.
    pub form: StoredForm,
    /// The stored bytes.
    pub stored: Box<[u8]>,
}

/// How the bytes of a stored content become the content.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum StoredForm {
    /// They are the content.
    Raw,
    /// One zstd frame.
    Full,
    /// One zstd frame whose prefix is another content.
    Delta {
        /// That content.
        base: ContentHash,
        /// Its own place in the chain of predecessors, from 1.
        position: u32,
    },
}
