//! Goes through the containers behind what the index knows, after a crash or to rebuild the index.

use std::os::unix::fs::FileExt;

use super::container::{CONTAINER_HEADER_BYTES, Containers, Location, Tail};
use super::frame::{Header, MAGIC, MAXIMUM_HEADER_BYTES};
use super::index::State;
use super::{ContentId, Error, Result};

/// Frames after a bad one that are looked for: more are never appended between two syncs of a writer that
/// acknowledges.
const LOOK_AHEAD_NUMBERS: u32 = 64;

/// Smallest unit that a disk writes, in bytes.
const SECTOR_BYTES: usize = 512;

/// Bytes read at a time; any frame fits.
const WINDOW_BYTES: usize = 4 << 20;

/// A frame that the scan found.
pub(super) struct Found {
    pub number: u32,
    pub id: ContentId,
    pub location: Location,
    /// False if the payload does not match its checksum.
    pub sound: bool,
}

/// Delivers every frame from the index's tail on and returns where the next one goes. A torn frame at the end
/// of the last container ends the scan; damage anywhere else that hides frames is an error.
pub(super) fn scan(containers: &Containers, known: State, each: &mut dyn FnMut(Found)) -> Result<Tail> {
    let last = containers.count();
    let mut tail = Tail { container: known.container, offset: known.offset, next_number: known.count };
    let known_bytes = match known.container <= last {
        true => length_of(containers, known.container)?,
        false => 0,
    };
    if known_bytes < known.offset {
        let path = containers.path(known.container);
        return Err(Error::Lost { path, found: containers.first_number(last)?, expected: known.count });
    }
    loop {
        let is_last = tail.container == last;
        scan_container(containers, &mut tail, is_last, each)?;
        if is_last {
            return Ok(tail);
        }
        let next = tail.container + 1;
        let first = containers.first_number(next)?;
        if first != tail.next_number {
            let path = containers.path(next);
            return Err(Error::Lost { path, found: tail.next_number, expected: first });
        }
        tail.container = next;
        tail.offset = CONTAINER_HEADER_BYTES;
    }
}

fn length_of(containers: &Containers, container: u32) -> Result<u64> {
    let metadata = containers.file(container)?.metadata();
    Ok(metadata.map_err(|source| Error::io(&containers.path(container), source))?.len())
}

fn scan_container(
    containers: &Containers,
    tail: &mut Tail,
    is_last: bool,
    each: &mut dyn FnMut(Found),
) -> Result<()> {
    let path = containers.path(tail.container);
    let file = containers.file(tail.container)?;
    let length = length_of(containers, tail.container)?;
    let mut window = Vec::new();
    let mut window_start = tail.offset;
    while tail.offset < length {
        let number = tail.next_number;
        let mut at = (tail.offset - window_start) as usize;
        // Two tries: with what is in the window, then with the window moved here and large enough.
        let mut outcome = examine(&window[at.min(window.len())..], number);
        if !matches!(outcome, Outcome::Frame { .. }) {
            let wanted = match outcome {
                Outcome::Cut(frame) => frame.max(WINDOW_BYTES),
                _ => WINDOW_BYTES,
            };
            window.resize(wanted.min((length - tail.offset) as usize), 0);
            file.read_exact_at(&mut window, tail.offset).map_err(|source| Error::io(&path, source))?;
            (window_start, at) = (tail.offset, 0);
            outcome = examine(&window, number);
            if let Outcome::Cut(frame) = outcome
                && frame > window.len()
                && frame as u64 <= length - tail.offset
            {
                window.resize(frame, 0);
                file.read_exact_at(&mut window, tail.offset).map_err(|source| Error::io(&path, source))?;
                outcome = examine(&window, number);
            }
        }
        let _ = at;
        let detail = match outcome {
            Outcome::Frame { header, length: frame, sound } => {
                let end = tail.offset + frame as u64;
                if !sound && is_last && end == length {
                    return Ok(());
                }
                if !sound {
                    tracing::warn!(path = %path.display(), offset = tail.offset, id = %header.id, "damaged content");
                }
                let offset = tail.offset as u32;
                let location = Location { container: tail.container, offset, length: frame as u32 };
                each(Found { number, id: header.id, location, sound });
                tail.offset = end;
                tail.next_number += 1;
                continue;
            }
            Outcome::Cut(_) => "the frame is cut off",
            Outcome::Bad(detail) => detail,
        };
        let mut rest = vec![0; (length - tail.offset) as usize];
        file.read_exact_at(&mut rest, tail.offset).map_err(|source| Error::io(&path, source))?;
        return match is_last && is_torn(&rest, tail.offset, number) {
            true => Ok(()),
            false => Err(Error::damaged(&path, tail.offset, None, detail)),
        };
    }
    Ok(())
}

enum Outcome {
    Frame {
        header: Header,
        length: usize,
        sound: bool,
    },
    /// The frame has this many bytes, and fewer are there.
    Cut(usize),
    Bad(&'static str),
}

fn examine(bytes: &[u8], number: u32) -> Outcome {
    match Header::parse(bytes, number) {
        Ok((header, header_length)) => {
            let length = header_length + header.stored_length as usize;
            match bytes.get(header_length..length) {
                Some(payload) => {
                    Outcome::Frame { header, length, sound: crc32c::crc32c(payload) == header.payload_crc }
                }
                None => Outcome::Cut(length),
            }
        }
        Err(_) if bytes.len() < MAXIMUM_HEADER_BYTES => Outcome::Cut(MAXIMUM_HEADER_BYTES),
        Err(detail) => Outcome::Bad(detail),
    }
}

/// Tells whether the bytes behind the last whole frame can be a torn write: no whole frame follows, or zeros,
/// which are what an unwritten sector reads as, lie in front of it.
fn is_torn(rest: &[u8], start: u64, number: u32) -> bool {
    let follows = |at: usize| {
        (number + 1..number.saturating_add(LOOK_AHEAD_NUMBERS))
            .any(|next| matches!(examine(&rest[at..], next), Outcome::Frame { sound: true, .. }))
    };
    let whole = (1..rest.len()).find(|at| rest[*at] == MAGIC && follows(*at));
    let Some(whole) = whole else { return true };
    let to_boundary = (SECTOR_BYTES - start as usize % SECTOR_BYTES) % SECTOR_BYTES;
    let is_zero = |piece: &[u8]| piece.iter().all(|byte| *byte == 0);
    let damaged = &rest[..whole];
    let (first, aligned) = damaged.split_at(to_boundary.min(damaged.len()));
    // At the start: a sector that was last written before these bytes were added to it.
    let first_is_old = first.len() == to_boundary && !first.is_empty() && is_zero(first);
    first_is_old || aligned.chunks_exact(SECTOR_BYTES).any(is_zero)
}
