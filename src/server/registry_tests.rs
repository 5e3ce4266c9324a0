//! Tests of the registry: the file, the laws of tags, and what a crash leaves.

use super::*;
use proptest::prelude::*;

fn vob(storage: impl Into<PathBuf>) -> VobEntry {
    VobEntry {
        storage: storage.into(),
        uuid: "6f".repeat(16),
        index: 0,
        owner: 1000,
        group: 100,
        mounted: true,
        public: false,
    }
}

fn view(storage: impl Into<PathBuf>) -> ViewEntry {
    ViewEntry { storage: storage.into(), uuid: "a0".repeat(16), index: 0, owner: 0, group: 0, started: true }
}

#[derive(Debug)]
enum Refused {
    Entry,
    Registry,
}

impl From<RegistryError> for Refused {
    fn from(_: RegistryError) -> Refused {
        Refused::Registry
    }
}

fn add_vob(registry: &Registry, tag: &str, storage: &str) -> Result<u32, Refused> {
    registry.change(|entries| {
        entries.add_vob(VobTag::new(tag).unwrap(), vob(storage)).map_err(|_| Refused::Entry)
    })
}

#[test]
fn what_was_changed_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry");
    let registry = Registry::open(&path).unwrap();
    assert_eq!(add_vob(&registry, "/vobs/a", "/s/a b%.vbs").unwrap(), 1);
    assert_eq!(add_vob(&registry, "/vobs/b", "/s/\u{fc}\n.vbs").unwrap(), 2);
    registry
        .change::<_, Refused>(|entries| {
            entries.vobs.remove(&VobTag::new("/vobs/b").unwrap());
            entries.add_view(ViewTag::new("anne").unwrap(), view("/s/anne.vws")).map_err(|_| Refused::Entry)
        })
        .unwrap();
    let again = Registry::open(&path).unwrap();
    assert_eq!(again.entries(), registry.entries());
    assert_eq!(add_vob(&again, "/vobs/c", "/s/c.vbs").unwrap(), 3, "an index is never given twice");
}

#[test]
fn tags_and_storage_are_used_once() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::open(directory.path().join("registry")).unwrap();
    add_vob(&registry, "/vobs/a", "/s/a.vbs").unwrap();
    for (tag, storage) in
        [("/vobs/a", "/s/x"), ("/vobs/a/b", "/s/x"), ("/vobs", "/s/x"), ("/vobs/ab", "/s/a.vbs")]
    {
        assert!(matches!(add_vob(&registry, tag, storage), Err(Refused::Entry)), "{tag} {storage}");
    }
    add_vob(&registry, "/vobs/ab", "/s/ab.vbs").unwrap();
}

#[test]
fn a_refused_change_and_a_failed_write_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry");
    let registry = Registry::open(&path).unwrap();
    add_vob(&registry, "/vobs/a", "/s/a.vbs").unwrap();
    let before = std::fs::read(&path).unwrap();
    // The new file cannot be made while a directory has its name.
    std::fs::create_dir(directory.path().join("registry.new")).unwrap();
    assert!(matches!(add_vob(&registry, "/vobs/b", "/s/b.vbs"), Err(Refused::Registry)));
    assert_eq!(registry.entries().vobs.len(), 1);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_half_written_new_file_is_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry");
    let registry = Registry::open(&path).unwrap();
    add_vob(&registry, "/vobs/a", "/s/a.vbs").unwrap();
    std::fs::write(directory.path().join("registry.new"), "format 1\nvob /vo").unwrap();
    let again = Registry::open(&path).unwrap();
    assert_eq!(again.entries(), registry.entries());
    add_vob(&again, "/vobs/b", "/s/b.vbs").unwrap();
}

#[test]
fn bad_files_are_refused_with_their_line() {
    for (text, line) in [
        ("vob /vobs/a\n", 1),
        ("format 1\nvob vobs\n", 2),
        ("format 1\n\n# note\nview x\n  storage /s\n", 4),
        ("format 1\nhello world\n", 2),
        ("  storage /x\n", 1),
    ] {
        match parse(text.as_bytes(), Path::new("r")) {
            Err(RegistryError::Syntax { line: found, .. }) => assert_eq!(found, line, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    assert!(matches!(parse(b"format 2\n", Path::new("r")), Err(RegistryError::NewerFormat { found: 2, .. })));
}

#[test]
fn tags_keep_their_laws() {
    let vob = |tag: &str| VobTag::new(tag).err();
    assert_eq!(vob("/vobs/a"), None);
    assert_eq!(vob(&format!("/{}", "a".repeat(MAX_VOB_TAG_SIZE_BYTES - 1))), None);
    assert_eq!(vob(&format!("/{}", "a".repeat(MAX_VOB_TAG_SIZE_BYTES))), Some(TagError::TooLong));
    assert_eq!(vob(""), Some(TagError::Empty));
    assert_eq!(vob("/"), Some(TagError::NotAbsolute));
    assert_eq!(vob("vobs/a"), Some(TagError::NotAbsolute));
    for tag in ["/vobs/", "/vobs//a", "/vobs/../a", "/./vobs", "/.."] {
        assert_eq!(vob(tag), Some(TagError::NotPlain), "{tag}");
    }
    for tag in ["/vobs/a b", "/vobs/a\n", "/vobs/a@@"] {
        assert_eq!(vob(tag), Some(TagError::BadCharacter), "{tag}");
    }
    let view = |tag: &str| ViewTag::new(tag).err();
    assert_eq!(view("anne_v.1"), None);
    assert_eq!(view(&"v".repeat(MAX_VIEW_TAG_SIZE_BYTES)), None);
    assert_eq!(view(&"v".repeat(MAX_VIEW_TAG_SIZE_BYTES + 1)), Some(TagError::TooLong));
    for tag in ["a/b", ".", ".."] {
        assert_eq!(view(tag), Some(TagError::NotPlain), "{tag}");
    }
}

proptest! {
    #[test]
    fn any_storage_path_survives_the_file(bytes in proptest::collection::vec(1u8.., 1..60)) {
        let mut entries = Entries::default();
        let storage = PathBuf::from(std::ffi::OsString::from_vec(bytes));
        entries.add_vob(VobTag::new("/vobs/a").unwrap(), vob(storage)).unwrap();
        prop_assert_eq!(parse(print(&entries).as_bytes(), Path::new("r")).unwrap(), entries);
    }
}
