//! What an open VOB keeps over checkpoints, closing, and another form of its index.

use super::*;
use crate::vob::definition::TypeScope;
use crate::vob::{BranchNo, TypeDefinition, TypeKind, TypeProperties, VersionNo, ViewUuid};

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
