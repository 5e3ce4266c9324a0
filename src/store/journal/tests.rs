//! Damage, reopening, rolling, group commit.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const ID: [u8; 16] = *b"0123456789abcdef";

struct Fixture {
    dir: TempDir,
    positions: Vec<Position>,
}

impl Fixture {
    /// A closed journal of synced frames.
    fn new(payloads: &[Vec<u8>]) -> Fixture {
        let dir = TempDir::new().unwrap();
        let journal = Journal::create(dir.path(), ID).unwrap();
        let mut positions = Vec::new();
        for payload in payloads {
            let (sequence, position) = journal.append(payload).unwrap();
            journal.sync(sequence).unwrap();
            positions.push(position);
        }
        Fixture { dir, positions }
    }

    fn segment(&self) -> PathBuf {
        segment_path(self.dir.path(), 1)
    }

    fn open(&self) -> Result<Journal> {
        Journal::open(self.dir.path(), ID)
    }

    fn patch(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.segment()).unwrap();
        change(&mut bytes);
        fs::write(self.segment(), bytes).unwrap();
    }
}

/// Payloads that compress and ones that do not.
fn payloads(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| match number % 2 {
            0 => vec![number as u8; 700],
            _ => blake3::hash(&[number as u8]).as_bytes().to_vec(),
        })
        .collect()
}

fn replayed(journal: &Journal, from: Option<Position>) -> Result<Vec<(u64, Position, Vec<u8>)>> {
    let mut frames = Vec::new();
    journal.replay::<Error>(from, &mut |sequence, position, payload| {
        frames.push((sequence, position, payload.to_vec()));
        Ok(())
    })?;
    Ok(frames)
}

#[test]
fn frames_are_read_replayed_and_continued_after_a_reopen() {
    let fixture = Fixture::new(&payloads(6));
    let journal = fixture.open().unwrap();
    assert_eq!(journal.last_sequence(), 6);
    assert_eq!(journal.synced_sequence(), 6);
    for (position, payload) in fixture.positions.iter().zip(payloads(6)) {
        assert_eq!(journal.read(*position).unwrap(), payload);
    }
    assert_eq!(journal.append(b"seven").unwrap().0, 7);
    let frames = replayed(&journal, Some(fixture.positions[4])).unwrap();
    assert_eq!(frames.iter().map(|frame| frame.0).collect::<Vec<_>>(), [5, 6, 7]);
    assert!(replayed(&journal, Some(journal.end())).unwrap().is_empty());
    let beyond = Position { segment: 2, offset: 0 };
    assert!(matches!(replayed(&journal, Some(beyond)), Err(Error::BeyondEnd { .. })));
    let inside = Position { segment: 1, offset: fixture.positions[1].offset + 1 };
    assert!(matches!(journal.read(inside), Err(Error::Damaged { .. })));
}

#[test]
fn segments_roll_and_are_replayed_in_order() {
    let dir = TempDir::new().unwrap();
    let journal = Journal::create_with(dir.path(), ID, 2000).unwrap();
    let sent: Vec<Vec<u8>> = (0..100u8).map(|number| blake3::hash(&[number]).as_bytes().repeat(3)).collect();
    let mut ends = vec![Position { segment: 1, offset: SEGMENT_HEADER_BYTES }];
    for payload in &sent {
        journal.append(payload).unwrap();
        ends.push(journal.end());
    }
    // One frame larger than a segment has a segment of its own.
    let huge: Vec<u8> =
        (0..200u32).flat_map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes()).collect();
    journal.append(&huge).unwrap();
    journal.append(b"after").unwrap();
    assert!(journal.end().segment > 5);
    drop(journal);
    let journal = Journal::open_with(dir.path(), ID, 2000).unwrap();
    let frames = replayed(&journal, None).unwrap();
    assert_eq!(frames.len(), 102);
    assert_eq!(frames[100].2, huge);
    assert!(frames.iter().zip(1..).all(|(frame, sequence)| frame.0 == sequence));
    for (end, index) in ends.iter().zip(0..) {
        assert_eq!(replayed(&journal, Some(*end)).unwrap().len(), 102 - index);
    }
    for (_, position, payload) in &frames {
        assert_eq!(journal.read(*position).unwrap(), *payload);
    }
    drop(journal);
    fs::remove_file(segment_path(dir.path(), 2)).unwrap();
    assert!(matches!(Journal::open(dir.path(), ID), Err(Error::SegmentMissing { next: 3, .. })));
}

#[test]
fn damage_in_an_earlier_segment_is_an_error_of_replay() {
    let dir = TempDir::new().unwrap();
    let journal = Journal::create_with(dir.path(), ID, 600).unwrap();
    for number in 0..40u8 {
        journal.append(&[number; 60]).unwrap();
    }
    drop(journal);
    let path = segment_path(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let journal = Journal::open_with(dir.path(), ID, 600).unwrap();
    let error = replayed(&journal, None).unwrap_err();
    assert!(matches!(error, Error::Damaged { path: found, offset, .. } if found == path && offset > 48));
    // Frames that are missing at the end of an earlier segment are noticed too.
    bytes.truncate(bytes.len() - 100);
    fs::write(&path, &bytes).unwrap();
    assert!(replayed(&journal, None).is_err());
}

#[test]
fn a_tail_cut_anywhere_is_removed() {
    let whole = Fixture::new(&payloads(4));
    let bytes = fs::read(whole.segment()).unwrap();
    let third = whole.positions[3].offset as usize;
    for length in third..bytes.len() {
        whole.patch(|file| *file = bytes[..length].to_vec());
        let journal = whole.open().unwrap();
        assert_eq!(journal.last_sequence(), 3);
        assert_eq!(journal.end(), whole.positions[3]);
        assert_eq!(fs::metadata(whole.segment()).unwrap().len() as usize, third);
        assert_eq!(journal.append(b"again").unwrap(), (4, whole.positions[3]));
    }
}

#[test]
fn a_flipped_bit_in_front_of_whole_frames_is_an_error() {
    let fixture = Fixture::new(&payloads(4));
    let bytes = fs::read(fixture.segment()).unwrap();
    let (start, end) = (fixture.positions[1].offset as usize, fixture.positions[2].offset as usize);
    for at in start..end {
        for bit in 0..8 {
            fixture.patch(|file| {
                file.clone_from(&bytes);
                file[at] ^= 1 << bit;
            });
            let error = fixture.open().err();
            assert!(
                matches!(&error, Some(Error::Damaged { path, offset, .. })
                    if *path == fixture.segment() && *offset == start as u64),
                "byte {at}, bit {bit}: {error:?}"
            );
            assert_eq!(fs::metadata(fixture.segment()).unwrap().len() as usize, bytes.len());
        }
    }
}

#[test]
fn a_flipped_bit_in_the_last_frame_is_never_served() {
    let fixture = Fixture::new(&payloads(4));
    let bytes = fs::read(fixture.segment()).unwrap();
    for at in fixture.positions[3].offset as usize..bytes.len() {
        fixture.patch(|file| {
            file.clone_from(&bytes);
            file[at] ^= 0x10;
        });
        assert_eq!(fixture.open().unwrap().last_sequence(), 3);
    }
}

#[test]
fn a_flipped_bit_in_the_segment_header_is_an_error() {
    let fixture = Fixture::new(&payloads(1));
    let bytes = fs::read(fixture.segment()).unwrap();
    for at in 0..SEGMENT_HEADER_BYTES as usize {
        fixture.patch(|file| {
            file.clone_from(&bytes);
            file[at] ^= 0x40;
        });
        assert!(fixture.open().is_err(), "byte {at}");
    }
    fixture.patch(|file| {
        file.clone_from(&bytes);
        file[8] = 2;
    });
    assert!(matches!(fixture.open(), Err(Error::Format { found: 2, known: 1, .. })));
}

#[test]
fn zeros_in_front_of_frames_that_were_never_acknowledged_are_removed() {
    let dir = TempDir::new().unwrap();
    let journal = Journal::create(dir.path(), ID).unwrap();
    let large: Vec<u8> =
        (0..100u32).flat_map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes()).collect();
    let positions: Vec<Position> = (0..3).map(|_| journal.append(&large).unwrap().1).collect();
    drop(journal);
    let path = segment_path(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    let second = positions[1].offset as usize;
    let boundary = second.next_multiple_of(512);
    bytes[boundary..boundary + 512].fill(0);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Journal::open(dir.path(), ID).unwrap().end(), positions[1]);
}

#[test]
fn a_frame_that_begins_in_a_sector_of_synced_ones_and_was_not_written_is_removed() {
    let dir = TempDir::new().unwrap();
    let journal = Journal::create(dir.path(), ID).unwrap();
    let positions: Vec<Position> =
        (0..3u8).map(|number| journal.append(blake3::hash(&[number]).as_bytes()).unwrap().1).collect();
    drop(journal);
    let path = segment_path(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    // The last frame is moved behind the sector's end, as if it were longer: what is in front of it is as it was before.
    let second = positions[1].offset as usize;
    let last = bytes[positions[2].offset as usize..].to_vec();
    let boundary = second.next_multiple_of(512);
    bytes.truncate(second);
    bytes.resize(boundary, 0);
    bytes.extend_from_slice(&last);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Journal::open(dir.path(), ID).unwrap().end(), positions[1]);
}

#[test]
fn zeros_in_front_of_a_frame_that_knows_better_are_an_error() {
    let large: Vec<u8> =
        (0..100u32).flat_map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes()).collect();
    let fixture = Fixture::new(&[large.clone(), large.clone(), large]);
    let boundary = (fixture.positions[1].offset as usize).next_multiple_of(512);
    fixture.patch(|file| file[boundary..boundary + 512].fill(0));
    assert!(matches!(fixture.open(), Err(Error::Damaged { .. })));
}

#[test]
fn other_stores_second_openers_and_second_creators_are_refused() {
    let fixture = Fixture::new(&payloads(1));
    let journal = fixture.open().unwrap();
    assert!(matches!(fixture.open(), Err(Error::InUse { .. })));
    drop(journal);
    assert!(matches!(Journal::open(fixture.dir.path(), [0; 16]), Err(Error::OtherStore { .. })));
    assert!(matches!(Journal::create(fixture.dir.path(), ID), Err(Error::Exists { .. })));
    let empty = TempDir::new().unwrap();
    assert!(matches!(Journal::open(empty.path(), ID), Err(Error::Missing { .. })));
}

#[test]
fn syncing_what_was_not_written_is_refused_and_harmless() {
    let fixture = Fixture::new(&payloads(2));
    let journal = fixture.open().unwrap();
    assert!(matches!(journal.sync(3), Err(Error::NotWritten { sequence: 3, last: 2 })));
    let (sequence, _) = journal.append(b"x").unwrap();
    journal.sync(sequence).unwrap();
}

#[test]
fn writers_in_parallel_share_syncs_and_lose_nothing() {
    let dir = TempDir::new().unwrap();
    let journal = Journal::create_with(dir.path(), ID, 20_000).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8u8 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..50u8 {
                    let (sequence, position) = journal.append(&[writer, number]).unwrap();
                    journal.sync(sequence).unwrap();
                    assert!(journal.synced_sequence() >= sequence);
                    assert_eq!(journal.read(position).unwrap(), [writer, number]);
                }
            });
        }
    });
    let mut frames: Vec<Vec<u8>> =
        replayed(&journal, None).unwrap().into_iter().map(|frame| frame.2).collect();
    frames.sort();
    let expected: Vec<Vec<u8>> =
        (0..8u8).flat_map(|writer| (0..50u8).map(move |number| vec![writer, number])).collect();
    assert_eq!(frames, expected);
}

#[test]
fn a_full_disk_leaves_the_journal_usable_and_another_failure_does_not() {
    let fixture = Fixture::new(&payloads(2));
    let journal = fixture.open().unwrap();
    let end = journal.end();
    // The device that is always full accepts neither bytes nor a cut: the journal is poisoned.
    journal.tail.lock().file = Arc::new(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert!(matches!(journal.append(b"x"), Err(Error::NoSpace { .. } | Error::Io { .. })));
    assert!(matches!(journal.append(b"x"), Err(Error::Poisoned { .. })));
    assert!(matches!(journal.sync(3), Err(Error::Poisoned { .. })));
    drop(journal);
    // A full file system where the cut succeeds.
    let journal = fixture.open().unwrap();
    let full = std::io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
    {
        let mut tail = journal.tail.lock();
        tail.file.write_all_at(b"half a frame", end.offset).unwrap();
        assert!(matches!(journal.undo_write(&mut tail, full), Error::NoSpace { .. }));
    }
    assert_eq!(fs::metadata(fixture.segment()).unwrap().len(), end.offset);
    let (sequence, position) = journal.append(b"y").unwrap();
    journal.sync(sequence).unwrap();
    assert_eq!((sequence, position), (3, end));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is cut off the end, a prefix of the frames remains and can be continued.
    #[test]
    fn any_cut_leaves_a_prefix(
        sent in prop::collection::vec(prop::collection::vec(0u8..4, 0..300), 1..12),
        cut in 0.0f64..1.0,
    ) {
        let fixture = Fixture::new(&sent);
        let length = fs::metadata(fixture.segment()).unwrap().len() - SEGMENT_HEADER_BYTES;
        let kept = SEGMENT_HEADER_BYTES + (length as f64 * cut) as u64;
        fixture.patch(|bytes| bytes.truncate(kept as usize));
        let journal = fixture.open().unwrap();
        let frames: Vec<Vec<u8>> =
            replayed(&journal, None).unwrap().into_iter().map(|frame| frame.2).collect();
        prop_assert_eq!(&frames[..], &sent[..frames.len()]);
        let (sequence, position) = journal.append(b"more").unwrap();
        prop_assert_eq!(sequence, frames.len() as u64 + 1);
        prop_assert_eq!(journal.read(position).unwrap(), b"more");
    }
}

#[test]
fn zeros_ahead_of_the_end_are_cut_after_a_crash_and_at_close() {
    let dir = tempfile::tempdir().unwrap();
    let path = segment_path(dir.path(), 1);
    let journal = Journal::create(dir.path(), [7; 16]).unwrap();
    for number in 0..3u8 {
        let (sequence, _) = journal.append(&[number; 100]).unwrap();
        journal.sync(sequence).unwrap();
    }
    let end = journal.end();
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() as u64 > end.offset && bytes[end.offset as usize..].iter().all(|byte| *byte == 0));
    drop(journal);
    assert_eq!(fs::metadata(&path).unwrap().len(), end.offset);
    // As it was before the journal was closed; then with a torn frame in front of the zeros.
    for torn in [0, 30] {
        let mut bytes = bytes.clone();
        bytes[end.offset as usize..][..torn].fill(0xc1);
        fs::write(&path, &bytes).unwrap();
        let journal = Journal::open(dir.path(), [7; 16]).unwrap();
        assert_eq!((journal.end(), journal.last_sequence()), (end, 3));
        assert_eq!(fs::metadata(&path).unwrap().len(), end.offset);
    }
}
