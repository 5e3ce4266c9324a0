//! What an open VOB keeps over checkpoints, closing, and another form of its index.

use super::*;
use crate::store::pool::ContentId;
use crate::vob::definition::TypeScope;
use crate::vob::state::predefined;
use crate::vob::{
    BranchNo, Content, ElementKind, TypeDefinition, TypeKind, TypeProperties, VersionNo, ViewUuid,
};

fn options() -> VobOptions {
    VobOptions {
        engine: EngineKind::Sled,
        user: User::default(),
        owner: 1,
        group: 1,
        comment: String::new(),
        time_ns: 0,
        oid: Oid([5; 16]),
    }
}

#[track_caller]
fn commit(vob: &Vob, operation: Operation) {
    let transaction = Transaction {
        time_ns: 1,
        user: User::default(),
        comment: String::new(),
        attributes: vec![],
        operations: vec![operation],
    };
    vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction])).unwrap();
}

fn label_type(vob: &Vob) -> Operation {
    let properties = TypeProperties::Label { per_branch: true };
    let definition =
        TypeDefinition { owner: 1, group: 1, scope: TypeScope::Ordinary, shared: false, properties };
    let number = vob.state().next_type();
    Operation::DefineType { number, kind: TypeKind::Label, name: "REL1".into(), definition }
}

#[test]
fn what_is_checked_out_is_known_before_and_after_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let vob = Vob::create(&dir.path().join("a.vbs"), &options()).unwrap();
    let view = ViewUuid([7; 16]);
    let check_out = |element| Operation::CheckOut {
        element,
        view,
        view_tag: "v".into(),
        branch: BranchNo::ROOT,
        from: VersionNo::ROOT,
        reserved: true,
    };
    assert_eq!(vob.checked_out().unwrap(), []);
    commit(&vob, check_out(ElementNo::ROOT));
    assert_eq!(vob.checked_out().unwrap(), [ElementNo::ROOT]);
    vob.close().unwrap();
    assert_eq!(vob.checked_out().unwrap(), [ElementNo::ROOT]);
    commit(&vob, check_out(ElementNo::LOST_AND_FOUND));
    commit(&vob, Operation::CancelCheckOut { element: ElementNo::ROOT, view });
    assert_eq!(vob.checked_out().unwrap(), [ElementNo::LOST_AND_FOUND]);
    vob.close().unwrap();
    drop(vob);
    let vob = Vob::open(&dir.path().join("a.vbs")).unwrap();
    assert_eq!(vob.checked_out().unwrap(), [ElementNo::LOST_AND_FOUND]);
}

#[test]
fn an_index_of_another_form_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("a.vbs");
    let vob = Vob::create(&dir, &options()).unwrap();
    commit(&vob, label_type(&vob));
    let types = vob.state().types().to_vec();
    vob.close().unwrap();
    drop(vob);
    for form in [None, Some(INDEX_FORM + 1)] {
        {
            let limits = engine::Options { cache_bytes: ENGINE_CACHE_BYTES, reserve_bytes: 0 };
            let engine = engine::open_with(EngineKind::Sled, &dir.join("index"), limits).unwrap();
            let records = Records::new(Arc::from(engine));
            let mut batch = Batch::new();
            match form {
                Some(form) => records.put(&mut batch, key::FORM, &encode(&form)).unwrap(),
                None => records.delete(&mut batch, key::FORM).unwrap(),
            }
            // A record that this program would not understand.
            records.put(&mut batch, &key::type_object(types[9].number), b"?").unwrap();
            records.engine().commit(batch).unwrap();
        }
        let vob = Vob::open(&dir).unwrap();
        assert_eq!(vob.state().types(), types);
        vob.close().unwrap();
    }
    let vob = Vob::open(&dir).unwrap();
    commit(&vob, Operation::RenameType { number: types[9].number, name: "REL2".into() });
    vob.close().unwrap();
    drop(vob);
    // A change of a type that the index held already is in it.
    assert_eq!(Vob::open(&dir).unwrap().state().type_name(types[9].number), "REL2");
}

/// What a checkin of `content` to a new file element does, the content brought along.
fn file(vob: &Vob, name: u8, versions: &[Vec<u8>]) -> Vec<ContentId> {
    let number = vob.state().header.elements;
    commit(
        vob,
        Operation::CreateElement {
            number: ElementNo(number),
            oid: Oid([name; 16]),
            kind: ElementKind::File,
            element_type: predefined::FILE,
            owner: 1,
            group: 1,
            mode: 0o644,
        },
    );
    let mut ids: Vec<ContentId> = Vec::new();
    for content in versions {
        let id = vob.pools().put(content, ids.last()).unwrap();
        let carried = vob.pools().carry(&[id], 1 << 16).unwrap().unwrap();
        let contents = carried.into_iter().map(Operation::StoreContent);
        let version = Operation::CreateVersion {
            element: ElementNo(number),
            branch: BranchNo::ROOT,
            content: Content::File { hash: id.0, size: content.len() as u64 },
            executable: false,
            effective_ns: None,
        };
        let operations = contents.chain([version]).collect();
        let transaction = Transaction {
            time_ns: 1,
            user: User::default(),
            comment: String::new(),
            attributes: vec![],
            operations,
        };
        vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction])).unwrap();
        ids.push(id);
    }
    ids
}

#[test]
fn contents_that_commits_brought_along_survive_the_loss_of_the_containers_ends() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("a.vbs");
    let vob = Vob::create(&dir, &options()).unwrap();
    vob.close().unwrap();
    let container = dir.join("s/sdft/00000001.pool");
    let durable = std::fs::metadata(&container).unwrap().len();
    let versions = |name: u8| -> Vec<Vec<u8>> {
        (0..10u8)
            .map(|version| (0..200).flat_map(|line| [name, line, version / 3, b'\n']).collect())
            .collect()
    };
    let mut ids = file(&vob, 1, &versions(1));
    ids.extend(file(&vob, 2, &versions(2)));
    // Frames are not read with what they brought.
    let element = vob.element(ElementNo(vob.state().header.elements - 1)).unwrap().unwrap();
    let event = vob.event(element.versions.last().unwrap().event).unwrap();
    let frame = vob.frame(&event).unwrap();
    assert!(matches!(frame[0].operations[..], [Operation::CreateVersion { .. }]), "{frame:?}");
    // A crash: nothing was checkpointed, and the container's file is as it was synced last.
    let journal = dir.join("journal/00000001.log");
    let (journal_bytes, index) = (std::fs::read(&journal).unwrap(), dir.join("index"));
    let saved = dir.with_extension("index");
    copy_tree(&index, &saved);
    drop(vob);
    std::fs::write(&journal, journal_bytes).unwrap();
    for index_is_lost in [false, true] {
        std::fs::File::options().write(true).open(&container).unwrap().set_len(durable).unwrap();
        std::fs::remove_dir_all(&index).unwrap();
        if !index_is_lost {
            copy_tree(&saved, &index);
        }
        let vob = Vob::open(&dir).unwrap();
        let contents = versions(1).into_iter().chain(versions(2));
        for (id, content) in ids.iter().zip(contents) {
            assert_eq!(*vob.pools().get(id).unwrap(), content);
        }
        // Opening has made them durable where they belong.
        assert_eq!(vob.pools().carry(&ids, 0).unwrap(), Some(vec![]));
    }
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
