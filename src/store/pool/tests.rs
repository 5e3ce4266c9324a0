//! Round trips, dedupe, rebuilding, damage, large contents, checkpoints.

use std::fs::OpenOptions;
use std::io;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::store::engine::{EngineKind, MemoryEngine};

struct Fixture {
    dir: TempDir,
    engine: Arc<dyn Engine>,
    limits: Limits,
}

impl Fixture {
    fn new() -> Fixture {
        let dir = TempDir::new().unwrap();
        Pools::create(dir.path()).unwrap();
        let limits = Limits { cache_bytes: 1 << 20, cleartext_bytes: 8 << 20, ..Limits::default() };
        Fixture { dir, engine: Arc::new(MemoryEngine::new()), limits }
    }

    fn open(&self) -> Result<Pools> {
        Pools::open(self.dir.path(), Arc::clone(&self.engine), self.limits)
    }

    /// Opens with an empty index and an empty cache.
    fn rebuild(&mut self) -> Result<Pools> {
        self.engine = Arc::new(MemoryEngine::new());
        self.open()
    }

    fn container(&self) -> PathBuf {
        source_dir(self.dir.path()).join("00000001.pool")
    }

    fn patch(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.container()).unwrap();
        change(&mut bytes);
        fs::write(self.container(), bytes).unwrap();
    }

    fn checkpoint(&self, pools: &Pools) {
        pools.sync().unwrap();
        let mut batch = Batch::new();
        pools.checkpoint(&mut batch).unwrap();
        self.engine.commit(batch).unwrap();
        pools.checkpointed();
    }
}

/// Versions of a source file: each adds a line and changes one.
fn history(versions: usize, lines: usize) -> Vec<Vec<u8>> {
    let mut text: Vec<String> =
        (0..lines).map(|line| format!("line {line}: {}", noise(line as u64, 20))).collect();
    (0..versions)
        .map(|version| {
            let at = version * 31 % text.len();
            text[at] = format!("changed in {version}: {}", noise(version as u64 + 1000, 10));
            text.insert(version * 17 % text.len(), format!("added in {version}"));
            text.join("\n").into_bytes()
        })
        .collect()
}

fn noise(seed: u64, length: usize) -> String {
    let mut hex = String::new();
    let mut reader = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    let mut bytes = vec![0; length];
    reader.fill(&mut bytes);
    bytes.iter().for_each(|byte| hex.push_str(&format!("{byte:02x}")));
    hex
}

fn random_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

#[test]
fn histories_come_back_whole_and_small() {
    let mut fixture = Fixture::new();
    let versions = history(300, 400);
    let pools = fixture.open().unwrap();
    let mut ids: Vec<ContentId> = Vec::new();
    for version in &versions {
        let id = pools.put(version, ids.last()).unwrap();
        assert_eq!(id, ContentId::of(version));
        ids.push(id);
    }
    pools.sync().unwrap();
    let raw: usize = versions.iter().map(Vec::len).sum();
    assert!(pools.inner.containers.tail().offset * 40 < raw as u64);
    drop(pools);
    let pools = fixture.rebuild().unwrap();
    for (id, version) in ids.iter().zip(&versions).rev() {
        assert_eq!(&*pools.get(id).unwrap(), &version[..]);
        assert_eq!(pools.size(id).unwrap(), version.len() as u64);
        let mut part = Vec::new();
        pools.read_at(id, 5, 100, &mut part).unwrap();
        assert_eq!(part, version[5..105]);
        assert!(matches!(
            pools.read_at(id, version.len() as u64, 1, &mut part),
            Err(Error::BeyondEnd { .. })
        ));
    }
}

#[test]
fn contents_are_stored_once() {
    let fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let id = pools.put(b"same", None).unwrap();
    let length = pools.inner.containers.tail();
    assert_eq!(pools.put(b"same", Some(&id)).unwrap(), id);
    assert_eq!(pools.put_reader(&mut &b"same"[..], None).unwrap(), (id, 4));
    assert_eq!(pools.inner.containers.tail(), length);
    assert_eq!(pools.count(), 1);
    assert_eq!(pools.number(&id).unwrap(), Some(0));
    assert_eq!(pools.id(0).unwrap(), id);
    let missing = ContentId::of(b"other");
    assert!(!pools.contains(&missing).unwrap());
    assert!(matches!(pools.get(&missing), Err(Error::NotFound { id }) if id == missing));
}

#[test]
fn unusual_contents_and_bases_are_fine() {
    let mut fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let like_a_dictionary = [&[0x37, 0xA4, 0x30, 0xEC][..], &[7; 3000]].concat();
    let contents = [
        Vec::new(),
        vec![0],
        like_a_dictionary.clone(),
        [like_a_dictionary, vec![8; 20]].concat(),
        random_bytes(1, 70_000),
        vec![0; 3 << 20],
    ];
    let mut previous = Some(ContentId::of(b"never stored"));
    for content in &contents {
        previous = Some(pools.put(content, previous.as_ref()).unwrap());
    }
    pools.sync().unwrap();
    drop(pools);
    let pools = fixture.rebuild().unwrap();
    for content in &contents {
        assert_eq!(&*pools.get(&ContentId::of(content)).unwrap(), &content[..]);
    }
}

#[test]
fn checkpoints_move_the_index_into_every_engine() {
    for kind in EngineKind::ALL {
        let mut fixture = Fixture::new();
        fixture.limits.container_bytes = 20_000;
        let index = fixture.dir.path().join("index");
        let open_engine = || Arc::from(crate::store::engine::open(kind, &index, 1 << 20).unwrap());
        fixture.engine = open_engine();
        let mut stored = Vec::new();
        for round in 0..6u64 {
            let pools = fixture.open().unwrap();
            for number in 0..150 {
                stored.push(pools.put(&random_bytes(round * 1000 + number, 100), None).unwrap());
            }
            // The last round stays for the scan at open; one batch is made and thrown away.
            if round < 5 {
                pools.checkpoint(&mut Batch::new()).unwrap();
                fixture.checkpoint(&pools);
                pools.put(&random_bytes(round * 1000 + 500, 50), None).unwrap();
            }
            for (id, number) in stored.iter().zip(0..) {
                assert_eq!(&pools.id(pools.number(id).unwrap().unwrap()).unwrap(), id, "{number}");
            }
            assert!(pools.inner.containers.count() > 1 || round == 0);
            drop(pools);
            if kind.is_persistent() {
                fixture.engine = Arc::new(MemoryEngine::new());
                fixture.engine = open_engine();
            }
        }
        let pools = fixture.open().unwrap();
        assert_eq!(pools.count(), 6 * 150 + 5);
        stored.iter().for_each(|id| assert_eq!(pools.get(id).unwrap().len(), 100));
    }
}

#[test]
fn a_torn_tail_is_removed_and_put_again() {
    let mut fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let first = pools.put(&random_bytes(1, 200), None).unwrap();
    fixture.checkpoint(&pools);
    let start = pools.inner.containers.tail().offset as usize;
    let second = pools.put(&random_bytes(2, 200), None).unwrap();
    pools.sync().unwrap();
    drop(pools);
    let bytes = fs::read(fixture.container()).unwrap();
    for length in start..bytes.len() {
        fixture.patch(|file| *file = bytes[..length].to_vec());
        for rebuild in [false, true] {
            let pools = if rebuild { fixture.rebuild() } else { fixture.open() }.unwrap();
            assert!(pools.contains(&first).unwrap());
            assert!(!pools.contains(&second).unwrap());
            assert_eq!(pools.inner.containers.tail().offset as usize, start);
        }
    }
    let pools = fixture.open().unwrap();
    assert_eq!(pools.put(&random_bytes(2, 200), Some(&first)).unwrap(), second);
    assert_eq!(&*pools.get(&second).unwrap(), &random_bytes(2, 200)[..]);
}

#[test]
fn a_flipped_bit_is_never_served() {
    let mut fixture = Fixture::new();
    fixture.limits.cache_bytes = 0;
    let versions = history(4, 30);
    let pools = fixture.open().unwrap();
    let mut ids: Vec<ContentId> = Vec::new();
    let mut offsets = Vec::new();
    for version in &versions {
        offsets.push(pools.inner.containers.tail().offset as usize);
        ids.push(pools.put(version, ids.last()).unwrap());
    }
    fixture.checkpoint(&pools);
    drop(pools);
    let bytes = fs::read(fixture.container()).unwrap();
    for at in offsets[1]..offsets[2] {
        fixture.patch(|file| {
            file.clone_from(&bytes);
            file[at] ^= 0x04;
        });
        let pools = fixture.open().unwrap();
        let error = pools.get(&ids[1]).map(drop).unwrap_err();
        match error {
            Error::Damaged { path, offset, .. } => {
                assert_eq!((path, offset as usize), (fixture.container(), offsets[1]));
            }
            // A changed hash in the header: its checksum does not match.
            other => panic!("byte {at}: {other}"),
        }
        assert_eq!(&*pools.get(&ids[0]).unwrap(), &versions[0][..]);
        match pools.get(&ids[3]) {
            Ok(content) => assert_eq!(&*content, &versions[3][..]),
            Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{error}"),
        }
    }
}

#[test]
fn rebuilding_over_damage_keeps_the_rest_or_says_where() {
    let mut fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let contents: Vec<Vec<u8>> = (0..4).map(|seed| random_bytes(seed, 300)).collect();
    let mut offsets = Vec::new();
    for content in &contents {
        offsets.push(pools.inner.containers.tail().offset as usize);
        pools.put(content, None).unwrap();
    }
    pools.sync().unwrap();
    drop(pools);
    let bytes = fs::read(fixture.container()).unwrap();
    // In the payload: only that content is lost, and it can be put again.
    fixture.patch(|file| file[offsets[2] - 1] ^= 1);
    let pools = fixture.rebuild().unwrap();
    let id = ContentId::of(&contents[1]);
    assert!(!pools.contains(&id).unwrap());
    assert!(matches!(pools.get(&id), Err(Error::Damaged { id: Some(found), .. }) if found == id));
    assert_eq!(&*pools.get(&ContentId::of(&contents[3])).unwrap(), &contents[3][..]);
    pools.put(&contents[1], None).unwrap();
    assert_eq!(&*pools.get(&id).unwrap(), &contents[1][..]);
    drop(pools);
    // In the header: what follows cannot be numbered.
    for at in offsets[1]..offsets[1] + 44 {
        fixture.patch(|file| {
            file.clone_from(&bytes);
            file[at] ^= 0x80;
        });
        let found = fixture.rebuild().err();
        assert!(
            matches!(&found, Some(Error::Damaged { offset, .. }) if *offset as usize == offsets[1]),
            "byte {at}: {found:?}"
        );
    }
}

#[test]
fn lost_containers_are_noticed() {
    let fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    pools.put(&random_bytes(1, 200), None).unwrap();
    fixture.checkpoint(&pools);
    drop(pools);
    fixture.patch(|file| file.truncate(100));
    assert!(matches!(fixture.open(), Err(Error::Lost { .. })));
    fixture.patch(|file| file[10] ^= 1);
    assert!(fixture.open().is_err());
}

#[test]
fn large_contents_are_read_by_chunk() {
    let mut fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let mut content = vec![b'x'; SMALL_BYTES + 5];
    content[3 << 20..4 << 20].copy_from_slice(&random_bytes(3, 1 << 20));
    content.extend_from_slice(&random_bytes(4, 1000));
    let (id, size) = pools.put_reader(&mut &content[..], None).unwrap();
    assert_eq!((id, size), (ContentId::of(&content), content.len() as u64));
    assert_eq!(pools.put(&content, None).unwrap(), id);
    let path = large::path(&source_dir(fixture.dir.path()), &id);
    assert!(fs::metadata(&path).unwrap().len() < 2 << 20);
    // A large content is no base.
    let next = pools.put(b"small", Some(&id)).unwrap();
    pools.sync().unwrap();
    drop(pools);
    let pools = fixture.rebuild().unwrap();
    assert_eq!(&*pools.get(&next).unwrap(), b"small");
    for (offset, length) in [(0, 10), (1 << 20, 1), ((3 << 20) - 7, 2 << 20), (content.len() - 1, 1), (9, 0)]
    {
        let mut part = b"kept".to_vec();
        pools.read_at(&id, offset as u64, length, &mut part).unwrap();
        assert_eq!(part[4..], content[offset..offset + length]);
    }
    assert_eq!(&*pools.get(&id).unwrap(), &content[..]);
    let mut copy = Vec::new();
    assert_eq!(pools.copy_to(&id, &mut copy).unwrap(), size);
    assert_eq!(copy, content);
    drop(pools);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let pools = fixture.open().unwrap();
    assert!(matches!(pools.get(&id), Err(Error::Damaged { id: Some(found), .. }) if found == id));
    assert!(matches!(pools.copy_to(&id, &mut io::sink()), Err(Error::Damaged { .. })));
}

#[test]
fn parts_of_large_deltas_come_from_the_cleartext_pool() {
    let mut fixture = Fixture::new();
    fixture.limits.cleartext_bytes = 5 << 20;
    let pools = fixture.open().unwrap();
    let base = random_bytes(9, 2 << 20);
    let mut ids = vec![pools.put(&base, None).unwrap()];
    let mut contents = vec![base];
    for version in 1..4u8 {
        let mut content = contents[0].clone();
        content[usize::from(version) * 1000..][..10].fill(version);
        ids.push(pools.put(&content, ids.last()).unwrap());
        contents.push(content);
    }
    pools.sync().unwrap();
    let cleartext = cleartext_dir(fixture.dir.path());
    let files = || fs::read_dir(&cleartext).unwrap().count();
    for _ in 0..2 {
        for (id, content) in ids.iter().zip(&contents) {
            let mut part = Vec::new();
            pools.read_at(id, 1000, 3000, &mut part).unwrap();
            assert_eq!(part, content[1000..4000]);
        }
    }
    assert_eq!(files(), 2, "two of 2 MiB fit into 5 MiB");
    drop(pools);
    // What was changed behind our back is not served, and a deleted file is no loss.
    let pools = fixture.open().unwrap();
    for entry in fs::read_dir(&cleartext).unwrap() {
        let file = OpenOptions::new().write(true).open(entry.unwrap().path()).unwrap();
        file.write_all_at(b"wrong", 1000).unwrap();
    }
    for (id, content) in ids.iter().zip(&contents) {
        let mut part = Vec::new();
        pools.read_at(id, 1000, 3000, &mut part).unwrap();
        assert_eq!(part, content[1000..4000]);
    }
    fs::remove_dir_all(&cleartext).unwrap();
    let mut part = Vec::new();
    pools.read_at(&ids[3], 0, 5, &mut part).unwrap();
    assert_eq!(part, contents[3][..5]);
}

#[test]
fn bulk_loads_keep_everything_in_bounded_memory() {
    let mut fixture = Fixture::new();
    fixture.limits.ingest_bytes = 200_000;
    let pools = fixture.open().unwrap();
    let files: Vec<Vec<Vec<u8>>> = (0..5).map(|file| history(40, 50 + file * 60)).collect();
    let ingest = pools.ingest();
    let mut ids = vec![None; files.len()];
    for version in 0..40 {
        for (file, previous) in files.iter().zip(&mut ids) {
            *previous = Some(ingest.submit(file[version].clone(), previous.as_ref()).unwrap());
        }
        if version == 20 {
            ingest.sync().unwrap();
        }
    }
    assert_eq!(ingest.submit(files[0][3].clone(), None).unwrap(), ContentId::of(&files[0][3]));
    ingest.finish().unwrap();
    drop(pools);
    let pools = fixture.rebuild().unwrap();
    for content in files.iter().flatten() {
        assert_eq!(&*pools.get(&ContentId::of(content)).unwrap(), &content[..]);
    }
}

#[test]
fn a_full_disk_leaves_the_pool_usable() {
    let fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let id = pools.put(b"first", None).unwrap();
    let tail = pools.inner.containers.tail();
    let file = pools.inner.containers.file(1).unwrap();
    file.write_all_at(b"half a frame", tail.offset).unwrap();
    pools.inner.containers.fail_for_lack_of_space();
    assert_eq!(fs::metadata(fixture.container()).unwrap().len(), tail.offset);
    let next = pools.put(b"second", Some(&id)).unwrap();
    pools.sync().unwrap();
    assert_eq!(&*pools.get(&next).unwrap(), b"second");
}

#[test]
fn pools_are_created_once() {
    let fixture = Fixture::new();
    assert!(matches!(Pools::create(fixture.dir.path()), Err(Error::Exists { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any contents with any predecessors come back, before and after a rebuild, with any policy.
    #[test]
    fn anything_comes_back(
        contents in prop::collection::vec(
            (prop::collection::vec(prop::collection::vec(0u8..3, 0..40), 0..60), any::<prop::sample::Index>()),
            1..40,
        ),
        maximum_depth in 2u32..70,
        radix_shift in 0u32..3,
        chain_bytes in 1u64..100_000,
        container_bytes in 4096u64..20_000,
    ) {
        let mut fixture = Fixture::new();
        fixture.limits.container_bytes = container_bytes;
        fixture.limits.policy =
            Policy { maximum_depth, radix_shift, chain_bytes, delta_level: 3, full_level: 3 };
        let pools = fixture.open().unwrap();
        let mut ids: Vec<ContentId> = Vec::new();
        for (pieces, predecessor) in &contents {
            let predecessor = (!ids.is_empty()).then(|| ids[predecessor.index(ids.len())]);
            ids.push(pools.put(&pieces.concat(), predecessor.as_ref()).unwrap());
        }
        pools.sync().unwrap();
        drop(pools);
        let pools = fixture.rebuild().unwrap();
        for (id, (pieces, _)) in ids.iter().zip(&contents) {
            prop_assert_eq!(&*pools.get(id).unwrap(), &pieces.concat()[..]);
        }
    }

    /// A header read back is the header written, and only in its own place.
    #[test]
    fn headers_come_back(
        number in 1u32..,
        distance in 1u32..1000,
        position in any::<u32>(),
        raw_length in any::<u64>(),
        payload in prop::collection::vec(any::<u8>(), 0..50),
        tag in 0u8..4,
    ) {
        let base = number.saturating_sub(distance);
        let kind = [Kind::Raw, Kind::Full, Kind::Delta { base, position }, Kind::Large][usize::from(tag)];
        let header = Header::of(ContentId::of(&payload), kind, raw_length, &payload);
        let bytes = header.bytes(number);
        prop_assert_eq!(Header::parse(&bytes, number), Ok((header, bytes.len())));
        prop_assert!(Header::parse(&bytes, number ^ 1).is_err());
        prop_assert!(Header::parse(&bytes[..bytes.len() - 1], number).is_err());
    }
}

#[test]
fn a_sync_shared_by_many_covers_what_each_put_before_it() {
    let fixture =
        Fixture { limits: Limits { container_bytes: 1 << 14, ..Fixture::new().limits }, ..Fixture::new() };
    let pools = fixture.open().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let pools = &pools;
            scope.spawn(move || {
                for content in 0..40 {
                    let text = noise(thread * 1000 + content, 300);
                    let id = pools.put(text.as_bytes(), None).unwrap();
                    pools.sync().unwrap();
                    let number = pools.number(&id).unwrap().unwrap();
                    assert!(pools.inner.containers.synced() > number, "thread {thread}, content {content}");
                }
            });
        }
    });
    assert_eq!(pools.count(), 320);
    assert_eq!(pools.inner.containers.synced(), 320);
}

#[test]
fn what_was_synced_is_there_after_a_crash_and_the_zeros_ahead_are_not() {
    let mut fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let ids: Vec<ContentId> = history(5, 20)
        .iter()
        .map(|content| {
            let id = pools.put(content, None).unwrap();
            pools.sync().unwrap();
            id
        })
        .collect();
    let end = pools.inner.containers.tail().offset;
    let bytes = fs::read(fixture.container()).unwrap();
    assert!(bytes.len() as u64 > end && bytes[end as usize..].iter().all(|byte| *byte == 0));
    drop(pools);
    assert_eq!(fs::metadata(fixture.container()).unwrap().len(), end);
    // As it was before the pools were closed.
    fs::write(fixture.container(), &bytes).unwrap();
    let pools = fixture.rebuild().unwrap();
    assert_eq!(fs::metadata(fixture.container()).unwrap().len(), end);
    ids.iter().zip(history(5, 20)).for_each(|(id, content)| assert_eq!(&*pools.get(id).unwrap(), content));
}

/// A pool whose containers lost everything after `length` bytes, but for the index's knowledge of what is before.
fn lose_from(fixture: &Fixture, length: u64) -> Pools {
    OpenOptions::new().write(true).open(fixture.container()).unwrap().set_len(length).unwrap();
    fixture.open().unwrap()
}

#[test]
fn what_a_journal_carries_comes_back_with_its_bases() {
    let fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let contents = history(12, 60);
    let put = |at: usize| {
        pools.put(&contents[at], at.checked_sub(1).map(|at| ContentId::of(&contents[at])).as_ref())
    };
    for at in 0..4 {
        put(at).unwrap();
    }
    fixture.checkpoint(&pools);
    let durable = pools.inner.containers.tail().offset;
    assert_eq!(pools.carry(&[ContentId::of(&contents[3])], 1 << 20).unwrap(), Some(vec![]));
    let mut journal = Vec::new();
    for at in 4..12 {
        let id = put(at).unwrap();
        // Nobody carries number 6 by itself: what is stored against it brings it along.
        if at == 6 {
            continue;
        }
        let carried = pools.carry(&[id], 1 << 20).unwrap().unwrap();
        assert_eq!(carried.last().unwrap().hash, id.0);
        pools.carried(carried.iter());
        assert_eq!(pools.carry(&[id], 1 << 20).unwrap(), Some(vec![]));
        journal.extend(carried);
    }
    assert!(journal.iter().any(|content| matches!(content.form, crate::vob::StoredForm::Delta { .. })));
    assert!(journal.len() <= 8);
    drop(pools);
    let pools = lose_from(&fixture, durable);
    assert_eq!(pools.count(), 4);
    for content in &journal {
        pools.restore(content).unwrap();
        // Once more does nothing.
        pools.restore(content).unwrap();
    }
    fixture.checkpoint(&pools);
    assert_eq!(pools.count() as usize, 4 + journal.len());
    drop(pools);
    let pools = fixture.open().unwrap();
    for content in contents.iter().enumerate().filter(|(at, _)| *at != 6).map(|(_, content)| content) {
        assert_eq!(&*pools.get(&ContentId::of(content)).unwrap(), content);
    }
}

#[test]
fn what_is_too_much_for_a_journal_is_not_carried() {
    let fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let small = pools.put(&random_bytes(1, 5000), None).unwrap();
    let large = pools.put(&random_bytes(2, SMALL_BYTES + 1), None).unwrap();
    assert_eq!(pools.carry(&[small], 4000).unwrap(), None);
    assert_eq!(pools.carry(&[small], 6000).unwrap().map(|carried| carried.len()), Some(1));
    assert_eq!(pools.carry(&[large], 1 << 20).unwrap(), None);
    assert!(matches!(pools.carry(&[ContentId::of(b"nothing")], 6000), Err(Error::NotFound { .. })));
    pools.sync().unwrap();
    assert_eq!(pools.carry(&[small, large], 0).unwrap(), Some(vec![]));
}

#[test]
fn a_content_without_its_base_is_not_put_back() {
    let fixture = Fixture::new();
    let pools = fixture.open().unwrap();
    let base = crate::vob::StoredForm::Delta { base: [7; 32], position: 1 };
    let content = crate::vob::StoredContent { hash: [1; 32], size: 1, form: base, stored: Box::new([1]) };
    assert!(matches!(pools.restore(&content), Err(Error::NotFound { id }) if id.0 == [7; 32]));
}
