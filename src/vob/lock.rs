//! What locks prevent: the one place that knows which locks stand in the way of a change.
//!
//! Pure. Planners ask here before they promise something, and `apply` asks again, so that no
//! change gets past a lock, whoever planned it.

use super::annotation::{Lock, Part, VobObject};
use super::element::Element;
use super::identity::{BranchNo, TypeNo};
use super::state::VobState;

/// A lock that stands in the way.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Locked {
    /// What is locked.
    pub object: VobObject,
    /// Whom the lock does not bind.
    pub exempt: Vec<String>,
}

/// Finds the lock of the VOB, if it keeps a user from changing anything.
pub fn on_vob(state: &VobState, login: &str) -> Option<Locked> {
    held(state.settings().annotations.lock(Part::Whole), VobObject::Vob, login)
}

/// Finds a lock that keeps a user from changing a type object, or instances of it.
pub fn on_type(state: &VobState, number: TypeNo, login: &str) -> Option<Locked> {
    on_vob(state, login).or_else(|| on_type_alone(state, number, login))
}

/// Finds a lock that keeps a user from changing an element, and a branch of it where one is meant:
/// of the VOB, the element type, the element, the branch type, the branch.
pub fn on_element(
    state: &VobState,
    element: &Element,
    branch: Option<BranchNo>,
    login: &str,
) -> Option<Locked> {
    let own = |part, object| held(element.annotations().lock(part), object, login);
    on_type(state, element.element_type, login)
        .or_else(|| own(Part::Whole, VobObject::Element(element.number)))
        .or_else(|| {
            let branch = branch?;
            let branch_type = element.branches.get(branch.index())?.branch_type;
            on_type_alone(state, branch_type, login)
                .or_else(|| own(Part::Branch(branch), VobObject::Branch(element.number, branch)))
        })
}

fn on_type_alone(state: &VobState, number: TypeNo, login: &str) -> Option<Locked> {
    let object = state.type_object(number)?;
    held(object.annotations.lock(Part::Whole), VobObject::Type(number), login)
}

fn held(lock: Option<&Lock>, object: VobObject, login: &str) -> Option<Locked> {
    let lock = lock.filter(|lock| lock.binds(login))?;
    Some(Locked { object, exempt: lock.rule.exempt.clone() })
}
