//! Numbers and identifiers of VOB objects. One type per idea: an element number can never
//! be taken for a version number.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// Returns the number as an index into a dense table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

number!(
    /// The number of an element within its VOB: dense, given in the order of creation.
    ElementNo
);
number!(
    /// The number of a version within its element: dense, given in the order of creation.
    VersionNo
);
number!(
    /// The number of a branch within its element; 0 is the root branch.
    BranchNo
);
number!(
    /// The number of a type object within its VOB.
    TypeNo
);
number!(
    /// The number of an event (one committed transaction) within its VOB.
    EventNo
);
number!(
    /// The number of a VOB symbolic link within its VOB.
    SymlinkNo
);

impl ElementNo {
    /// The root directory element of every VOB.
    pub const ROOT: ElementNo = ElementNo(0);
    /// The `lost+found` directory element of every VOB.
    pub const LOST_AND_FOUND: ElementNo = ElementNo(1);
}

impl BranchNo {
    /// The root branch of every element.
    pub const ROOT: BranchNo = BranchNo(0);
}

impl VersionNo {
    /// Version 0 of the root branch of every element.
    pub const ROOT: VersionNo = VersionNo(0);
}

/// The BLAKE3 hash that names a content in the pools.
pub type ContentHash = [u8; 32];

macro_rules! id16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Serialize, Deserialize)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Every look at private files makes a path of one: formatting it byte by byte took as long as the look.
                let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
                let mut digits = String::with_capacity(32);
                for byte in self.0 {
                    digits.extend([digit(byte >> 4), digit(byte & 15)]);
                }
                f.write_str(&digits)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = NotAnIdentifier;

            fn from_str(text: &str) -> Result<Self, NotAnIdentifier> {
                let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'.' | b':')).collect();
                if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(NotAnIdentifier(text.to_owned()));
                }
                let mut bytes = [0; 16];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
                    let value = |digit: u8| (digit as char).to_digit(16).unwrap_or(0) as u8;
                    *byte = value(pair[0]) << 4 | value(pair[1]);
                }
                Ok($name(bytes))
            }
        }
    };
}

id16!(
    /// An object identifier, printed as 32 hexadecimal digits.
    Oid
);
id16!(
    /// The identity of a view; checkouts in a VOB name it.
    ViewUuid
);

impl Oid {
    /// Derives an identifier from what makes an object unique, so that doing the same
    /// again (an import repeated after a crash) gives the same identifier.
    pub fn derived(parts: &[&[u8]]) -> Oid {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Oid(bytes)
    }
}

/// A text that is no object identifier.
#[derive(Debug, thiserror::Error)]
#[error("not an object identifier (32 hexadecimal digits): {0:?}")]
pub struct NotAnIdentifier(String);
