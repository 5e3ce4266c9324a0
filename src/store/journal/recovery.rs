//! Finds the end of the last segment after a crash.
//!
//! A crash leaves the frames written since the last fdatasync in any state: cut off, or, because blocks
//! reach the disk in any order, with sectors that read as zeros in front of whole frames. Both are cut.
//! Anything else in front of a whole frame is damage to what may have been acknowledged, and an error.
//! A later frame that says that the bad one was durable turns zeros into damage too.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::frame::{FRAME_HEADER_BYTES, FRAME_MAGIC, FrameHeader, Frames};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};
use super::{Error, Result};
use crate::store::ahead::is_ahead;

/// Smallest unit that a disk writes, in bytes.
const SECTOR_BYTES: u64 = 512;

/// What the last segment holds.
pub(super) struct Recovered {
    /// Offset after the last whole frame.
    pub end: u64,
    /// Sequence number of that frame.
    pub last_sequence: u64,
}

/// Finds the last whole frame and cuts a torn tail away.
pub(super) fn find_end(path: &Path, file: &File, header: &SegmentHeader) -> Result<Recovered> {
    let length = file.metadata().map_err(|source| Error::io(path, source))?.len();
    let mut frames = Frames::new(path, file, SEGMENT_HEADER_BYTES, length);
    let mut end = SEGMENT_HEADER_BYTES;
    let mut last_sequence = header.first_sequence.saturating_sub(1);
    let damage = loop {
        match frames.next_frame() {
            Ok(None) => break None,
            Ok(Some((offset, frame, _))) => {
                let expected = last_sequence + 1;
                if frame.sequence != expected {
                    let (path, found) = (path.to_owned(), frame.sequence);
                    return Err(Error::Sequence { path, offset, found, expected });
                }
                end = offset + frame.length();
                last_sequence = frame.sequence;
            }
            Err(damage @ Error::Damaged { .. }) => break Some(damage),
            Err(other) => return Err(other),
        }
    };
    if let Some(damage) = damage {
        let mut tail = vec![0; (length - end) as usize];
        file.read_exact_at(&mut tail, end).map_err(|source| Error::io(path, source))?;
        if !is_ahead(&tail) {
            judge(&tail, end, last_sequence, damage)?;
            let bytes = length - end;
            tracing::warn!(path = %path.display(), offset = end, bytes, "torn journal tail removed");
        }
        file.set_len(end).map_err(|source| Error::io(path, source))?;
    }
    Ok(Recovered { end, last_sequence })
}

/// Returns the damage as an error unless the bytes from `end` on, the tail, can be a torn write.
fn judge(tail: &[u8], end: u64, last_sequence: u64, damage: Error) -> Result<()> {
    let whole = whole_frames(tail, last_sequence);
    let Some(&(first_whole, _)) = whole.first() else {
        return Ok(());
    };
    let was_durable = whole.iter().any(|(_, frame)| frame.durable > last_sequence);
    let torn = has_zero_sector(&tail[..first_whole], end);
    if was_durable || !torn { Err(damage) } else { Ok(()) }
}

/// Returns every whole frame that follows the bad one at the start of `tail`.
fn whole_frames(tail: &[u8], last_sequence: u64) -> Vec<(usize, FrameHeader)> {
    let mut found = Vec::new();
    let mut at = 1;
    while at + FRAME_HEADER_BYTES as usize <= tail.len() {
        let next = tail[at..].iter().position(|byte| *byte == FRAME_MAGIC[0]);
        let Some(skipped) = next else { break };
        at += skipped;
        at += match whole_frame(&tail[at..], last_sequence) {
            Some(frame) => {
                found.push((at, frame));
                frame.length() as usize
            }
            None => 1,
        };
    }
    found
}

fn whole_frame(bytes: &[u8], last_sequence: u64) -> Option<FrameHeader> {
    let frame = FrameHeader::parse(bytes).ok()?;
    let payload = bytes.get(FRAME_HEADER_BYTES as usize..frame.length() as usize)?;
    let intact = frame.unpack(payload).is_ok();
    // A payload may hold the bytes of an old frame; its number then lies in the past.
    (intact && frame.sequence > last_sequence).then_some(frame)
}

/// Tells whether some sector, as far as it lies inside `bytes`, reads as zeros: it was not written, or, at the start, last
/// written before these bytes were added to it. `start` is the file offset of `bytes`.
fn has_zero_sector(bytes: &[u8], start: u64) -> bool {
    let to_boundary = (SECTOR_BYTES - start % SECTOR_BYTES) % SECTOR_BYTES;
    let Some((first, aligned)) = bytes.split_at_checked(to_boundary as usize) else {
        return false;
    };
    let is_zero = |piece: &[u8]| piece.iter().all(|byte| *byte == 0);
    if !first.is_empty() && is_zero(first) {
        return true;
    }
    aligned.chunks_exact(SECTOR_BYTES as usize).any(is_zero)
}
