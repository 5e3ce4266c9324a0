//! An index that says something else than its journal is found out, and made right.

use super::super::encode;
use super::*;
use crate::store::VobOptions;
use crate::store::engine::EngineKind;
use crate::vob::state::predefined;
use crate::vob::{ElementKind, Entry, NameChange, Oid, Operation, Transaction, TypeNo, User, VersionNo};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first element that a VOB does not come with.
const FIRST: ElementNo = ElementNo(2);

fn commit(vob: &Vob, operations: Vec<Operation>) {
    let (user, comment, attributes) = (User::default(), String::new(), vec![]);
    let transaction = Transaction { time_ns: 1, user, comment, attributes, operations };
    vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction])).unwrap();
}

/// Adds a directory with a name in `lost+found`.
fn add(vob: &Vob, number: u32) {
    let number = ElementNo(number);
    let name = format!("d{}", number.0).into_bytes().into();
    let element_type: TypeNo = predefined::DIRECTORY;
    let (oid, kind) = (Oid::derived(&[&number.0.to_be_bytes()]), ElementKind::Directory);
    let create =
        Operation::CreateElement { number, oid, kind, element_type, owner: 0, group: 0, mode: 0o755 };
    let changes = vec![NameChange { name, entry: Some(Entry::Element(number)) }];
    commit(vob, vec![create, Operation::ChangeInPlace { element: ElementNo::LOST_AND_FOUND, changes }]);
}

fn made(engine: EngineKind, elements: u32) -> (tempfile::TempDir, Vob) {
    let place = tempfile::tempdir().unwrap();
    let user = User::default();
    let options = VobOptions {
        engine,
        user,
        owner: 0,
        group: 0,
        comment: String::new(),
        time_ns: 0,
        oid: Oid([1; 16]),
    };
    let vob = Vob::create(&place.path().join("x.vbs"), &options).unwrap();
    (0..elements).for_each(|number| add(&vob, FIRST.0 + number));
    (place, vob)
}

fn audited(vob: &Vob, repair: bool) -> Audit {
    vob.audit(repair, &mut |_, _| {}).unwrap()
}

#[test]
fn a_sound_index_is_what_the_journal_comes_to() {
    for engine in EngineKind::ALL {
        let (_place, vob) = made(engine, 300);
        let audit = audited(&vob, false);
        assert_eq!((audit.different.as_slice(), &audit.journal), (&[][..], &None), "{engine}");
        assert_eq!(audit.frames, 301, "{engine}");
        assert!(audit.records > 600, "{engine}: {}", audit.records);
        assert!(!vob.dir.join(PLACE).exists());
    }
}

#[test]
fn what_differs_is_told_and_made_right() {
    for engine in EngineKind::ALL {
        let (_place, vob) = made(engine, 10);
        vob.close().unwrap();
        let name = |vob: &Vob| {
            let at = crate::vob::apply::DirectoryAt::Version(VersionNo::ROOT);
            vob.directory(ElementNo::LOST_AND_FOUND, at).unwrap().get(b"d5")
        };
        let mut batch = Batch::new();
        let (changed, gone, extra) = (ElementNo(3), ElementNo(4), ElementNo(99));
        let other = vob.records.get(&key::element(ElementNo(5))).unwrap().unwrap();
        vob.records.put(&mut batch, &key::element(changed), &other).unwrap();
        vob.records.delete(&mut batch, &key::element(gone)).unwrap();
        vob.records.put(&mut batch, &key::element(extra), &other).unwrap();
        // The head of a record that cannot be: it has a tag that there is not.
        batch.put(key::checked_out(ElementNo(7)), vec![77]);
        vob.records.put(&mut batch, key::SETTINGS, &encode(&1u8)).unwrap();
        vob.records.engine().commit(batch).unwrap();
        let audit = audited(&vob, false);
        let wrong = [changed, gone, ElementNo(7), extra].map(Record::Element);
        assert_eq!(audit.different, [&wrong[..], &[Record::Vob]].concat(), "{engine}");
        assert!(!audit.repaired);
        // Nor is what cannot be remembered at once passed over in silence.
        let audit = vob.audit_by(false, 3, &mut |_, _| {}).unwrap();
        assert_eq!((audit.different.len(), audit.different.last()), (4, Some(&Record::More)), "{engine}");
        let audit = vob.audit_by(true, 2, &mut |_, _| {}).unwrap();
        assert_eq!((audit.different.len(), audit.repaired), (5, true), "{engine}");
        assert_eq!(audited(&vob, true).different, [], "{engine}");
        assert_eq!(vob.element(changed).unwrap().unwrap().number, changed);
        assert_eq!(vob.element(gone).unwrap().unwrap().number, gone);
        assert!(vob.element(extra).unwrap().is_none());
        assert_eq!(name(&vob), Some(Entry::Element(ElementNo(5))));
        // And it goes on from there.
        add(&vob, FIRST.0 + 10);
        assert_eq!(audited(&vob, false).different, [], "{engine}");
    }
}

#[test]
fn a_damaged_journal_is_told_with_its_place() {
    let (_place, vob) = made(EngineKind::Redb, 50);
    let name = Path::new("journal/00000001.log");
    let segment = vob.dir.join(name);
    let bytes = std::fs::read(&segment).unwrap();
    let end = vob.extent().unwrap().1[name] as usize;
    // In front of others, and in the last frame.
    for at in [end / 2, end - 2] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        std::fs::write(&segment, damaged).unwrap();
        let audit = audited(&vob, true);
        let journal = audit.journal.expect("the damage is found");
        assert!(journal.contains(segment.to_str().unwrap()) || journal.contains("frame 51"), "{journal}");
        assert!(!audit.repaired && !vob.dir.join(PLACE).exists());
    }
}

#[test]
fn who_works_meanwhile_makes_no_difference() {
    let (_place, vob) = made(EngineKind::Redb, 100);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut number = FIRST.0 + 100;
            while !ended.load(Ordering::Relaxed) {
                add(&vob, number);
                number += 1;
            }
            number
        });
        let before = vob.last_operation();
        let audits: Vec<_> = (0..5).map(|_| vob.audit(true, &mut |_, _| {})).collect();
        ended.store(true, Ordering::Relaxed);
        audits.into_iter().for_each(|audit| assert_eq!(audit.unwrap().different, []));
        assert!(worker.join().unwrap() > FIRST.0 + 100);
        assert!(vob.last_operation() > before);
    });
    assert_eq!(audited(&vob, false).different, []);
}
