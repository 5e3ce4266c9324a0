//! The contract of an engine, run against each of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const CACHE_BYTES: u64 = 8 << 20;

fn entry(key: &str, value: &str) -> Entry {
    (key.into(), value.into())
}

fn opened(kind: EngineKind, dir: &Path) -> Box<dyn Engine> {
    open(kind, dir, CACHE_BYTES).expect("engine opens")
}

fn all(engine: &dyn Engine) -> Vec<Entry> {
    engine.scan(&[], &[], usize::MAX).expect("scan")
}

fn starts_empty(kind: EngineKind, dir: &Path) {
    let engine = opened(kind, dir);
    assert_eq!(engine.name(), kind.name());
    assert_eq!(engine.get(b"a").unwrap(), None);
    assert_eq!(engine.get_many(&[b"a".to_vec()]).unwrap(), [None]);
    assert!(all(&*engine).is_empty());
    engine.commit(Batch::new()).unwrap();
}

fn commits_and_scans(kind: EngineKind, dir: &Path) {
    let engine = opened(kind, dir);
    let mut batch = Batch::new();
    for (key, value) in [("b", "2"), ("a", "1"), ("c", "3"), ("d", "")] {
        batch.put(key, value);
    }
    batch.put("b", "22");
    batch.put("gone", "x");
    batch.delete("gone");
    engine.commit(batch).unwrap();
    assert_eq!(engine.get(b"b").unwrap().as_deref(), Some(&b"22"[..]));
    assert_eq!(engine.get(b"d").unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(engine.get(b"gone").unwrap(), None);
    let many = engine.get_many(&[b"c".to_vec(), b"x".to_vec(), b"a".to_vec()]).unwrap();
    assert_eq!(many, [Some(b"3".to_vec()), None, Some(b"1".to_vec())]);
    assert_eq!(engine.scan(b"b", b"d", 9).unwrap(), [entry("b", "22"), entry("c", "3")]);
    assert_eq!(engine.scan(b"bb", b"", 1).unwrap(), [entry("c", "3")]);
    for (from, to, limit) in [(&b"c"[..], &b"c"[..], 9), (b"d", b"a", 9), (b"a", b"z", 0)] {
        assert!(engine.scan(from, to, limit).unwrap().is_empty());
    }
    let mut batch = Batch::new();
    batch.delete("a");
    batch.delete("never");
    engine.commit(batch).unwrap();
    assert_eq!(engine.get(b"a").unwrap(), None);
}

fn refuses_what_is_too_long(kind: EngineKind, dir: &Path) {
    let engine = opened(kind, dir);
    let mut most = Batch::new();
    most.put(vec![1; MAXIMUM_KEY_BYTES], vec![2; MAXIMUM_VALUE_BYTES]);
    engine.commit(most).unwrap();
    let too_long = [
        (Vec::new(), Vec::new()),
        (vec![1; MAXIMUM_KEY_BYTES + 1], Vec::new()),
        (b"long".to_vec(), vec![0; MAXIMUM_VALUE_BYTES + 1]),
    ];
    for (key, value) in too_long {
        let mut batch = Batch::new();
        batch.put("other", "1");
        batch.put(key, value);
        assert!(matches!(engine.commit(batch), Err(Error::KeyLength { .. } | Error::ValueLength { .. })));
        assert_eq!(engine.get(b"other").unwrap(), None, "a refused batch changes nothing");
    }
}

fn keeps_entries_over_a_reopen(kind: EngineKind, dir: &Path) {
    if !kind.is_persistent() {
        return;
    }
    for round in 0..3u8 {
        let engine = opened(kind, dir);
        assert_eq!(all(&*engine).len(), usize::from(round) * 100);
        let mut batch = Batch::new();
        (0..100u8).for_each(|number| batch.put([round, number], [number; 50]));
        engine.commit(batch).unwrap();
    }
}

fn keeps_others_out(kind: EngineKind, dir: &Path) {
    if kind.is_persistent() {
        let _first = opened(kind, dir);
        assert!(matches!(open(kind, dir, CACHE_BYTES), Err(Error::InUse { .. })));
    }
}

fn refuses_when_space_is_short(kind: EngineKind, dir: &Path) {
    if !kind.is_persistent() {
        return;
    }
    drop(opened(kind, dir));
    let options = Options { cache_bytes: CACHE_BYTES, reserve_bytes: u64::MAX };
    match open_with(kind, dir, options) {
        Ok(engine) => {
            let mut batch = Batch::new();
            batch.put("a", "1");
            assert!(matches!(engine.commit(batch), Err(Error::NoSpace { .. })));
            assert_eq!(engine.get(b"a").unwrap(), None);
        }
        Err(error) => assert!(matches!(error, Error::NoSpace { .. })),
    }
}

fn shows_batches_whole(kind: EngineKind, dir: &Path) {
    let engine = opened(kind, dir);
    let stop = AtomicBool::new(false);
    let keys: Vec<Vec<u8>> = (0..40u8).map(|number| vec![number]).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..60u8 {
                let mut batch = Batch::new();
                keys.iter().for_each(|key| batch.put(key.clone(), [round]));
                engine.commit(batch).unwrap();
            }
            stop.store(true, Ordering::Release);
        });
        while !stop.load(Ordering::Acquire) {
            let many = engine.get_many(&keys).unwrap();
            assert!(many.iter().all(|value| *value == many[0]), "get_many saw half a batch");
            let page = engine.scan(&[], &[], 100).unwrap();
            assert!(page.iter().all(|(_, value)| *value == page[0].1), "scan saw half a batch");
        }
    });
}

fn rewrites_in_order(kind: EngineKind, dir: &Path) {
    let engine = opened(kind, &dir.join("old"));
    let mut batch = Batch::new();
    for number in 0..3000u32 {
        batch.put(number.wrapping_mul(2_654_435_761).to_be_bytes(), vec![7; (number % 300) as usize]);
    }
    engine.commit(batch).unwrap();
    for target in [EngineKind::Sled, EngineKind::Redb] {
        let new_dir = dir.join(target.name());
        assert_eq!(rewrite(&*engine, target, &new_dir).unwrap(), 3000);
        assert_eq!(all(&*opened(target, &new_dir)), all(&*engine));
    }
}

fn records_of_any_size(kind: EngineKind, dir: &Path) {
    let engine: Arc<dyn Engine> = Arc::from(opened(kind, dir));
    let records = Records::new(Arc::clone(&engine));
    let value = |length: usize| -> Vec<u8> { (0..length).map(|at| (at * 7 % 251) as u8).collect() };
    for length in [0, 1, 3999, 4000, 4001, 8000, 100_000, 8001, 5] {
        let mut batch = Batch::new();
        // Two changes in one batch: the last one wins, and leaves no chunk of the first.
        records.put(&mut batch, b"k", &value(50_000)).unwrap();
        records.put(&mut batch, b"k", &value(length)).unwrap();
        engine.commit(batch).unwrap();
        assert_eq!(records.get(b"k").unwrap(), Some(value(length)));
        assert_eq!(all(&*engine).len(), length.div_ceil(4000).max(1), "chunks of {length} bytes");
    }
    let mut batch = Batch::new();
    records.put(&mut batch, b"j", &value(9000)).unwrap();
    engine.commit(batch).unwrap();
    let found = records.scan(b"", b"", 10).unwrap();
    assert_eq!(found, [(b"j".to_vec(), value(9000)), (b"k".to_vec(), value(5))]);
    let mut batch = Batch::new();
    records.delete(&mut batch, b"j").unwrap();
    records.delete(&mut batch, b"k").unwrap();
    engine.commit(batch).unwrap();
    assert!(all(&*engine).is_empty());
}

fn records_are_whole_for_readers(kind: EngineKind, dir: &Path) {
    let engine: Arc<dyn Engine> = Arc::from(opened(kind, dir));
    let records = Records::new(Arc::clone(&engine));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..60u8 {
                let mut batch = Batch::new();
                records.put(&mut batch, b"k", &vec![round; 3000 + usize::from(round % 5) * 5000]).unwrap();
                engine.commit(batch).unwrap();
            }
            stop.store(true, Ordering::Release);
        });
        while !stop.load(Ordering::Acquire) {
            let Some(value) = records.get(b"k").unwrap() else {
                continue;
            };
            assert!(value.iter().all(|byte| *byte == value[0]));
            assert_eq!(value.len(), 3000 + usize::from(value[0] % 5) * 5000);
        }
    });
}

macro_rules! conformance {
    ($($kind:ident $module:ident: $($check:ident)*;)*) => { $(
        mod $module {
            use super::*;
            $(
                #[test]
                fn $check() {
                    let dir = TempDir::new().expect("temporary directory");
                    super::$check(EngineKind::$kind, &dir.path().join("index"));
                }
            )*
        }
    )* };
}

macro_rules! every_engine {
    ($($check:ident)*) => {
        conformance! {
            Sled sled_engine: $($check)*;
            Redb redb_engine: $($check)*;
            Memory memory_engine: $($check)*;
        }
    };
}

every_engine! {
    starts_empty commits_and_scans refuses_what_is_too_long keeps_entries_over_a_reopen keeps_others_out
    refuses_when_space_is_short shows_batches_whole rewrites_in_order records_of_any_size
    records_are_whole_for_readers
}

#[test]
fn kinds_are_spelled_as_users_write_them() {
    for kind in EngineKind::ALL {
        assert_eq!(kind.to_string().parse::<EngineKind>().unwrap(), kind);
    }
    assert!(matches!("oracle".parse::<EngineKind>(), Err(Error::UnknownEngine { name }) if name == "oracle"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Random batches leave every engine with what a sorted map holds.
    #[test]
    fn engines_agree_with_a_map(
        batches in prop::collection::vec(
            prop::collection::vec((0u8..30, prop::option::of(prop::collection::vec(any::<u8>(), 0..40))), 0..20),
            1..6,
        ),
        from in 0u8..30,
        to in 0u8..30,
    ) {
        for kind in EngineKind::ALL {
            let dir = TempDir::new().unwrap();
            let engine = opened(kind, dir.path());
            let mut twin = BTreeMap::new();
            for changes in &batches {
                let mut batch = Batch::new();
                for (key, value) in changes {
                    match value {
                        Some(value) => {
                            batch.put([*key], value.clone());
                            twin.insert(vec![*key], value.clone());
                        }
                        None => {
                            batch.delete([*key]);
                            twin.remove(&vec![*key]);
                        }
                    }
                }
                engine.commit(batch).unwrap();
            }
            prop_assert_eq!(all(&*engine), twin.clone().into_iter().collect::<Vec<_>>());
            let page: Vec<Entry> =
                twin.into_iter().filter(|(key, _)| (from..to).contains(&key[0])).take(5).collect();
            prop_assert_eq!(engine.scan(&[from], &[to], 5).unwrap(), page);
        }
    }
}
