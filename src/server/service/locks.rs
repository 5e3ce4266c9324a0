//! What is told of a lock that stands in the way.

use super::describe::type_object_kind;
use crate::server::proto::{Failure, FailureCode, ObjectKind};
use crate::view::MountedVob;
use crate::view::resolve::branch_id;
use crate::vob::lock::Locked;
use crate::vob::{ElementKind, VobObject};

/// Tells what is locked, and whom the lock does not bind.
pub fn failure(vob: &MountedVob, locked: &Locked) -> Failure {
    let state = vob.vob.state();
    let (kind, name) = match locked.object {
        VobObject::Vob => (ObjectKind::Vob, vob.tag.clone().into_bytes()),
        VobObject::Type(number) => {
            let kind = state.type_object(number).map(|object| type_object_kind(object.kind));
            (kind.unwrap_or_default(), state.type_name(number).as_bytes().to_vec())
        }
        VobObject::Element(number) | VobObject::Branch(number, _) | VobObject::Version(number, _) => {
            let Ok(element) = vob.element(number) else {
                return Failure::new(FailureCode::NoSuchFile);
            };
            let name = element.names.last().map(|(_, name)| name.to_vec()).unwrap_or_default();
            match (locked.object, element.kind) {
                (VobObject::Branch(_, branch), _) => {
                    let path = branch_id(&state, &element, branch);
                    (ObjectKind::Branch, [&name, b"@@".as_slice(), path.as_bytes()].concat())
                }
                (_, ElementKind::File) => (ObjectKind::FileElement, name),
                (_, ElementKind::Directory) => (ObjectKind::DirectoryElement, name),
            }
        }
    };
    Failure {
        object_kind: kind.into(),
        must_be_one_of: locked.exempt.clone(),
        ..Failure::new(FailureCode::Locked).name(name)
    }
}
