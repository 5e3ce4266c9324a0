//! Hyperlinks of checkouts: who may check in over them, and what becomes of them.

use super::*;
use crate::vob::annotation::{LinkEnd, VobObject};

fn check_out(view: ViewUuid) -> Operation {
    Operation::CheckOut {
        element: FILE,
        view,
        view_tag: "v".into(),
        branch: BranchNo::ROOT,
        from: VersionNo(2),
        reserved: false,
    }
}

fn check_in(view: ViewUuid) -> Operation {
    Operation::CheckIn { element: FILE, view, content: Content::Empty, executable: false, modified_ns: None }
}

fn merge(from: u32, checkout: u32) -> Operation {
    Operation::CreateLink {
        link_type: predefined::MERGE,
        from: LinkEnd::Object(VobObject::Version(FILE, VersionNo(from))),
        to: Some(LinkEnd::Object(VobObject::CheckOut(FILE, checkout))),
        from_text: String::new(),
        to_text: String::new(),
    }
}

#[test]
fn a_merge_from_the_newest_version_lets_a_checkin_pass() {
    let mut vob = Memory::new();
    assert_eq!(vob.file().newest(BranchNo::ROOT), VersionNo(2));
    vob.done(vec![check_out(VIEW), check_out(OTHER)]);
    let (own, other) = (vob.file().checkouts[0].number, vob.file().checkouts[1].number);
    vob.done(vec![check_in(OTHER)]);
    assert!(matches!(vob.refused(check_in(VIEW)), Refused::NotPredecessor { .. }));
    assert!(matches!(vob.refused(merge(3, other)), Refused::NoSuchObject { .. }));
    vob.done(vec![merge(2, own)]);
    assert!(matches!(vob.refused(check_in(VIEW)), Refused::NotPredecessor { .. }));
    vob.done(vec![merge(3, own), check_in(VIEW)]);
    let arrows: Vec<_> = vob.file().merge_arrows().collect();
    assert_eq!(arrows, [(VersionNo(2), VersionNo(4)), (VersionNo(3), VersionNo(4))]);
    assert_eq!(vob.file().version(VersionNo(4)).predecessor, Some(VersionNo(3)));
    vob.done(vec![Operation::RemoveVersion { element: FILE, version: VersionNo(4) }]);
    assert_eq!(vob.file().links().count(), 0);
}

#[test]
fn a_cancelled_checkout_takes_its_hyperlinks_along() {
    let mut vob = Memory::new();
    vob.done(vec![check_out(VIEW)]);
    let checkout = vob.file().checkouts[0].number;
    vob.done(vec![merge(1, checkout), merge(2, checkout)]);
    let object = VobObject::CheckOut(FILE, checkout);
    let comment = Operation::ChangeComment { object, event: EventNo(0), comment: String::new() };
    assert!(matches!(vob.refused(comment), Refused::NoSuchObject { .. }));
    let changes = vob.try_to(vec![Operation::CancelCheckOut { element: FILE, view: VIEW }]).unwrap();
    assert_eq!(changes.hyperlinks.values().flatten().count(), 0);
    assert_eq!(changes.hyperlinks.len(), 2);
    assert_eq!(changes.elements[&FILE].links().count(), 0);
}
