//! One frame: a header of 40 bytes, little-endian, and the payload as stored.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 4 | magic `CLJF` |
//! | 4 | 4 | stored length of the payload |
//! | 8 | 4 | raw length of the payload |
//! | 12 | 4 | flags: bit 0, the payload is one zstd frame |
//! | 16 | 8 | sequence number |
//! | 24 | 8 | sequence number up to which frames were durable when this one was written |
//! | 32 | 4 | crc32c of the stored payload |
//! | 36 | 4 | crc32c of the 36 bytes before |

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Error, Result};
use zstd::bulk::Compressor;

/// Longest payload, in bytes.
pub const MAXIMUM_PAYLOAD_BYTES: usize = 256 << 20;

/// Bytes of a frame's header.
pub(super) const FRAME_HEADER_BYTES: u64 = 40;

/// First bytes of a frame.
pub(super) const FRAME_MAGIC: [u8; 4] = *b"CLJF";

/// Bit of a compressed payload.
const FLAG_ZSTD: u32 = 1;

/// Payloads shorter than this are not worth the time, in bytes: a sector is written anyway.
const COMPRESS_FROM_BYTES: usize = 512;

/// Appends are latency-bound; level 3 compresses operations about as well as 9.
const LEVEL: i32 = 3;

/// Longest payload, in bytes, for which a thread keeps its context: what that has grows with the payload.
const KEPT_CONTEXT_BYTES: usize = 256 << 10;

/// Bytes read at a time when going through a segment.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// A payload as it will be stored.
pub(super) struct Stored {
    pub bytes: Vec<u8>,
    raw_length: u32,
    flags: u32,
}

/// Compresses a payload when that saves at least an eighth.
pub(super) fn pack(payload: &[u8]) -> Result<Stored> {
    if payload.len() > MAXIMUM_PAYLOAD_BYTES {
        return Err(Error::PayloadLength { length: payload.len(), maximum: MAXIMUM_PAYLOAD_BYTES });
    }
    let raw_length = payload.len() as u32;
    if payload.len() >= COMPRESS_FROM_BYTES
        && let Ok(bytes) = compress(payload)
        && bytes.len() < payload.len() - payload.len() / 8
    {
        return Ok(Stored { bytes, raw_length, flags: FLAG_ZSTD });
    }
    Ok(Stored { bytes: payload.to_vec(), raw_length, flags: 0 })
}

/// Compresses with a context that each thread keeps: a new one is memory that the kernel has to clear first.
fn compress(payload: &[u8]) -> std::io::Result<Vec<u8>> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    if payload.len() > KEPT_CONTEXT_BYTES {
        return zstd::bulk::compress(payload, LEVEL);
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(payload)
    })
}

/// Header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub stored_length: u32,
    pub raw_length: u32,
    pub flags: u32,
    pub sequence: u64,
    pub durable: u64,
    pub payload_crc: u32,
}

impl FrameHeader {
    pub(super) fn of(stored: &Stored, sequence: u64, durable: u64) -> FrameHeader {
        FrameHeader {
            stored_length: stored.bytes.len() as u32,
            raw_length: stored.raw_length,
            flags: stored.flags,
            sequence,
            durable,
            payload_crc: crc32c::crc32c(&stored.bytes),
        }
    }

    /// Returns header and payload as one buffer, so that they reach the file in one write.
    pub(super) fn frame(&self, stored: &Stored) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES as usize + stored.bytes.len());
        bytes.extend_from_slice(&FRAME_MAGIC);
        for field in [self.stored_length, self.raw_length, self.flags] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.durable.to_le_bytes());
        bytes.extend_from_slice(&self.payload_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&stored.bytes);
        bytes
    }

    /// Reads a header; the error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> std::result::Result<FrameHeader, &'static str> {
        let Some(bytes) = bytes.get(..FRAME_HEADER_BYTES as usize) else {
            return Err("the frame's header is cut off");
        };
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        if bytes[..4] != FRAME_MAGIC {
            return Err("no frame begins here");
        }
        if crc32c::crc32c(&bytes[..36]) != word(36) {
            return Err("the frame's header does not match its checksum");
        }
        let header = FrameHeader {
            stored_length: word(4),
            raw_length: word(8),
            flags: word(12),
            sequence: long(16),
            durable: long(24),
            payload_crc: word(32),
        };
        match header {
            _ if header.flags & !FLAG_ZSTD != 0 => Err("the frame has flags that are not known"),
            _ if header.raw_length as usize > MAXIMUM_PAYLOAD_BYTES
                || header.stored_length > header.raw_length =>
            {
                Err("the frame's lengths are not possible")
            }
            _ => Ok(header),
        }
    }

    /// Checks the stored payload and returns what was appended.
    pub(super) fn unpack(&self, stored: &[u8]) -> std::result::Result<Vec<u8>, &'static str> {
        if crc32c::crc32c(stored) != self.payload_crc {
            return Err("the payload does not match its checksum");
        }
        if self.flags & FLAG_ZSTD == 0 {
            return Ok(stored.to_vec());
        }
        match zstd::bulk::decompress(stored, self.raw_length as usize) {
            Ok(raw) if raw.len() == self.raw_length as usize => Ok(raw),
            _ => Err("the payload cannot be decompressed"),
        }
    }

    /// Bytes of header and payload.
    pub(super) fn length(&self) -> u64 {
        FRAME_HEADER_BYTES + u64::from(self.stored_length)
    }
}

/// Reads the frame at `offset`, which must end at or before `limit`.
pub(super) fn read_at(path: &Path, file: &File, offset: u64, limit: u64) -> Result<(FrameHeader, Vec<u8>)> {
    let mut frames = Frames::new(path, file, offset, limit);
    // One frame only: no read-ahead.
    frames.read_ahead = 4096;
    match frames.next_frame()? {
        Some((_, header, payload)) => Ok((header, payload)),
        None => Err(Error::damaged(path, offset, "no frame begins here")),
    }
}

/// Goes through the frames of one segment.
pub(super) struct Frames<'a> {
    path: &'a Path,
    file: &'a File,
    offset: u64,
    limit: u64,
    buffer: Vec<u8>,
    /// File offset of the buffer's first byte.
    buffer_start: u64,
    read_ahead: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn new(path: &'a Path, file: &'a File, offset: u64, limit: u64) -> Frames<'a> {
        let (buffer, buffer_start) = (Vec::new(), offset);
        Frames { path, file, offset, limit, buffer, buffer_start, read_ahead: READ_AHEAD_BYTES }
    }

    /// Returns offset, header and payload of the next frame; `None` at the limit or at the file's end.
    pub(super) fn next_frame(&mut self) -> Result<Option<(u64, FrameHeader, Vec<u8>)>> {
        let offset = self.offset;
        let available = self.window(offset, FRAME_HEADER_BYTES)?;
        if available.is_empty() {
            return Ok(None);
        }
        let header =
            FrameHeader::parse(available).map_err(|detail| Error::damaged(self.path, offset, detail))?;
        let length = header.length();
        let path = self.path;
        let frame = self.window(offset, length)?;
        if (frame.len() as u64) < length {
            return Err(Error::damaged(path, offset, "the frame's payload is cut off"));
        }
        let payload = header
            .unpack(&frame[FRAME_HEADER_BYTES as usize..])
            .map_err(|detail| Error::damaged(path, offset, detail))?;
        self.offset = offset + length;
        Ok(Some((offset, header, payload)))
    }

    /// Returns up to `length` bytes at `offset`, fewer only at the limit or at the file's end.
    fn window(&mut self, offset: u64, length: u64) -> Result<&[u8]> {
        let end = offset.saturating_add(length).min(self.limit.max(offset));
        let buffered_end = self.buffer_start + self.buffer.len() as u64;
        if end > buffered_end || offset < self.buffer_start {
            let wanted = ((end - offset) as usize).max(self.read_ahead);
            self.buffer.resize(wanted, 0);
            self.buffer_start = offset;
            let mut filled = 0;
            while filled < wanted {
                match self.file.read_at(&mut self.buffer[filled..], offset + filled as u64) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(source) => return Err(Error::io(self.path, source)),
                }
            }
            self.buffer.truncate(filled);
        }
        let start = (offset - self.buffer_start) as usize;
        let stop = ((end - self.buffer_start) as usize).min(self.buffer.len());
        Ok(&self.buffer[start.min(stop)..stop])
    }
}
