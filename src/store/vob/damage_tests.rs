//! Whatever byte of whatever file of a VOB is damaged: it is found, or does no harm.

use super::*;
use crate::vob::{Content, EventNo};
use std::fs;

/// Places in each file that are damaged, one at a time.
const PLACES: u64 = 24;
/// A content that is in a file of its own.
const LARGE: usize = super::super::pool::SMALL_BYTES + 1000;

fn commit(vob: &Vob, operations: Vec<Operation>) {
    let (user, comment, attributes) = (User::default(), "said".to_owned(), vec![]);
    let transaction = Transaction { time_ns: 1, user, comment, attributes, operations };
    vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction])).unwrap();
}

fn make(dir: &Path, engine: EngineKind) {
    use crate::vob::state::predefined::FILE;
    use crate::vob::{BranchNo, ElementKind, Entry};
    let (user, comment) = (User::default(), "made".to_owned());
    let options = VobOptions { engine, user, owner: 0, group: 0, comment, time_ns: 0, oid: Oid([1; 16]) };
    let vob = Vob::create(dir, &options).unwrap();
    let noise = |length: usize| {
        let mut state = 7u32;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect::<Vec<u8>>()
    };
    for (number, length) in [(2u32, 40), (3, 9000), (4, 200_000), (5, LARGE)] {
        let number = ElementNo(number);
        let content = noise(length);
        let hash = vob.pools().put(&content, None).unwrap().0;
        vob.pools().sync().unwrap();
        let (oid, kind, name) = (Oid([number.0 as u8; 16]), ElementKind::File, format!("f{}", number.0));
        let create = Operation::CreateElement {
            number,
            oid,
            kind,
            element_type: FILE,
            owner: 0,
            group: 0,
            mode: 0o644,
        };
        let changes =
            vec![NameChange { name: name.into_bytes().into(), entry: Some(Entry::Element(number)) }];
        let place = Operation::ChangeInPlace { element: ElementNo::LOST_AND_FOUND, changes };
        let content = Content::File { hash, size: length as u64 };
        let version = Operation::CreateVersion {
            element: number,
            branch: BranchNo::ROOT,
            content,
            executable: false,
            effective_ns: None,
        };
        commit(&vob, vec![create, place, version]);
    }
    vob.close().unwrap();
}

/// All that a VOB says.
fn said(vob: &Vob) -> Result<String, StoreError> {
    let header = vob.state().header.clone();
    let mut said = format!("{header:?}\n");
    for number in (0..header.elements).map(ElementNo) {
        let element = vob.ever_element(number)?;
        said += &format!("{element:?}\n");
        let Some(element) = element else { continue };
        for (_, version) in element.present_versions() {
            if let Content::File { hash, .. } = version.content {
                let content = vob.pools().get(&super::super::pool::ContentId(hash))?;
                said += &blake3::hash(&content).to_string();
            }
        }
    }
    for number in (0..header.events).map(EventNo) {
        said += &format!("{:?}\n", vob.event(number)?);
    }
    let lost = vob.directory(ElementNo::LOST_AND_FOUND, DirectoryAt::Version(VersionNo::ROOT))?;
    said += &format!("{:?}", lost.iter().collect::<Vec<_>>());
    Ok(said)
}

/// What is found out about a storage, and what it says otherwise.
fn judged(dir: &Path) -> (Vec<String>, Option<String>) {
    let vob = match Vob::open(dir) {
        Ok(vob) => vob,
        Err(error) => return (vec![error.to_string()], None),
    };
    let mut found = Vec::new();
    match vob.audit(false, &mut |_, _| {}) {
        Ok(audit) => {
            found.extend(audit.journal);
            found.extend(audit.different.iter().map(|record| format!("{record:?}")));
        }
        Err(error) => found.push(error.to_string()),
    }
    if let Err(error) = check_laws(&vob, &mut |breach| found.push(format!("{breach:?}"))) {
        found.push(error.to_string());
    }
    match said(&vob) {
        Ok(said) => (found, Some(said)),
        Err(error) => {
            found.push(error.to_string());
            (found, None)
        }
    }
}

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), all),
            false => all.push(entry.path()),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            // Nobody writes to these again.
            false if entry.metadata().unwrap().len() >= LARGE as u64 => {
                fs::hard_link(entry.path(), to).unwrap()
            }
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn damaged_anywhere(engine: EngineKind) {
    let place = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() {
        Path::new("/dev/shm")
    } else {
        Path::new("/tmp")
    });
    let place = place.unwrap();
    let (good, bad) = (place.path().join("good"), place.path().join("bad"));
    make(&good, engine);
    let right = {
        let vob = Vob::open(&good).unwrap();
        let right = said(&vob).unwrap();
        assert_eq!(judged_open(&vob), Vec::<String>::new());
        vob.close().unwrap();
        right
    };
    let mut all = Vec::new();
    files(&good, &mut all);
    let (mut tried, mut told) = (0, BTreeMap::<PathBuf, u64>::new());
    let mut lengths = Vec::new();
    for file in all {
        let name = file.strip_prefix(&good).unwrap().to_owned();
        let length = fs::metadata(&file).unwrap().len();
        let places = PLACES.min(length);
        lengths.push((name.clone(), length));
        for at in (0..places).map(|step| step * length / places) {
            copy(&good, &bad);
            let mut bytes = fs::read(&file).unwrap();
            bytes[at as usize] ^= 0x41;
            fs::remove_file(bad.join(&name)).unwrap();
            fs::write(bad.join(&name), bytes).unwrap();
            let (found, said) = judged(&bad);
            tried += 1;
            if !found.is_empty() {
                *told.entry(name.clone()).or_default() += 1;
            } else {
                let said = said.unwrap_or_default();
                assert!(
                    said == right,
                    "{engine}: {name:?} at {at} of {length}: damage is served as data:\n{said}\n{right}"
                );
            }
            fs::remove_dir_all(&bad).unwrap();
        }
    }
    assert!(tried > 60, "{engine}: {tried} places");
    // What cannot be made again from something else is found wherever it is damaged.
    for kind in ["journal", "s/sdft"] {
        for (name, length) in lengths.iter().filter(|(name, _)| name.starts_with(kind)) {
            assert_eq!(told.get(name).copied(), Some(PLACES.min(*length)), "{engine}: {name:?}: {told:?}");
        }
    }
}

fn judged_open(vob: &Vob) -> Vec<String> {
    let audit = vob.audit(false, &mut |_, _| {}).unwrap();
    let mut found: Vec<String> = audit.journal.into_iter().collect();
    found.extend(audit.different.iter().map(|record| format!("{record:?}")));
    check_laws(vob, &mut |breach| found.push(format!("{breach:?}"))).unwrap();
    found
}

#[test]
fn damage_anywhere_is_found_with_redb() {
    damaged_anywhere(EngineKind::Redb);
}

#[test]
fn damage_anywhere_is_found_with_sled() {
    damaged_anywhere(EngineKind::Sled);
}
