//! One frame of a container: a header of about 50 bytes, and the content as stored.
//!
//! | bytes | |
//! |---|---|
//! | 1 | magic, 0xC5 |
//! | 1 | high half: format version, 1; low half: kind (0 raw, 1 full, 2 delta, 3 large) |
//! | varint | raw length |
//! | varint | stored length: payload bytes that follow the header |
//! | varint | delta only: own number minus the base's number |
//! | varint | delta only: position in its chain, from 1 |
//! | 32 | BLAKE3 of the raw content |
//! | 4 | crc32c of the payload, little-endian |
//! | 4 | crc32c of all the bytes before and of the frame's number (u32), little-endian |
//!
//! The checksum covers the number, which is not stored: a frame that slipped from its place is not valid.

use super::{ContentId, varint};

/// First byte of every frame.
pub(super) const MAGIC: u8 = 0xC5;

/// Longest header: two bytes, four varints (10, 10, 5, 5), hash and two checksums.
pub(super) const MAXIMUM_HEADER_BYTES: usize = 2 + 30 + 32 + 8;

const FORMAT: u8 = 1;

/// How a content is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Raw,
    /// One zstd frame.
    Full,
    /// One zstd frame whose prefix is another content.
    Delta {
        /// Number of that content.
        base: u32,
        /// Steps since the chain's full frame, in predecessors, not in bases.
        position: u32,
    },
    /// In a file of its own.
    Large,
}

/// Header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: Kind,
    pub raw_length: u64,
    pub stored_length: u32,
    pub id: ContentId,
    pub payload_crc: u32,
}

impl Header {
    /// Returns the header of a payload.
    pub(super) fn of(id: ContentId, kind: Kind, raw_length: u64, payload: &[u8]) -> Header {
        let (stored_length, payload_crc) = (payload.len() as u32, crc32c::crc32c(payload));
        Header { kind, raw_length, stored_length, id, payload_crc }
    }

    /// Returns the bytes of the header of frame `number`.
    pub(super) fn bytes(&self, number: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAXIMUM_HEADER_BYTES + self.stored_length as usize);
        let tag = match self.kind {
            Kind::Raw => 0,
            Kind::Full => 1,
            Kind::Delta { .. } => 2,
            Kind::Large => 3,
        };
        bytes.extend_from_slice(&[MAGIC, FORMAT << 4 | tag]);
        varint::put(&mut bytes, self.raw_length);
        varint::put(&mut bytes, u64::from(self.stored_length));
        if let Kind::Delta { base, position } = self.kind {
            assert!(base < number, "a base is older than its delta");
            varint::put(&mut bytes, u64::from(number - base));
            varint::put(&mut bytes, u64::from(position));
        }
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&self.payload_crc.to_le_bytes());
        let crc = checksum(&bytes, number);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of frame `number` and returns its length too; the error says what is wrong.
    pub(super) fn parse(bytes: &[u8], number: u32) -> Result<(Header, usize), &'static str> {
        const CUT: &str = "the frame's header is cut off";
        let mut rest = bytes;
        let [magic, version, ..] = *bytes else {
            return Err(CUT);
        };
        if magic != MAGIC {
            return Err("no frame begins here");
        }
        if version >> 4 != FORMAT {
            return Err("the frame's format is not known");
        }
        rest = &rest[2..];
        let raw_length = varint::take(&mut rest).ok_or(CUT)?;
        let stored_length = varint::take_u32(&mut rest).ok_or(CUT)?;
        let kind = match version & 0x0f {
            0 => Kind::Raw,
            1 => Kind::Full,
            2 => {
                let distance = varint::take_u32(&mut rest).ok_or(CUT)?;
                let position = varint::take_u32(&mut rest).ok_or(CUT)?;
                let base = number.checked_sub(distance).filter(|base| *base < number);
                Kind::Delta { base: base.ok_or("the frame's base is not possible")?, position }
            }
            3 => Kind::Large,
            _ => return Err("the frame's kind is not known"),
        };
        let (id, rest) = rest.split_first_chunk::<32>().ok_or(CUT)?;
        let (payload_crc, rest) = rest.split_first_chunk::<4>().ok_or(CUT)?;
        let checked = bytes.len() - rest.len();
        let (crc, _) = rest.split_first_chunk::<4>().ok_or(CUT)?;
        if checksum(&bytes[..checked], number) != u32::from_le_bytes(*crc) {
            return Err("the frame's header does not match its checksum");
        }
        let payload_crc = u32::from_le_bytes(*payload_crc);
        let header = Header { kind, raw_length, stored_length, id: ContentId(*id), payload_crc };
        Ok((header, checked + 4))
    }
}

fn checksum(bytes: &[u8], number: u32) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(bytes), &number.to_le_bytes())
}
