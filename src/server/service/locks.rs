//! Locks that stand in the way: asked for by whatever plans a change, so that one locked argument does not keep
//! the others from being done.
//!
//! Which locks count is the VOB's law (`vob::lock`), which `apply` asks again; here it is only asked in time, and
//! told. The name of the argument's own element is left to the client, which knows how it was typed.

use super::objects::kind_and_name;
use crate::server::firing::Subject;
use crate::server::identity::{self, Caller};
use crate::server::proto::{Failure, FailureCode, LockState};
use crate::server::state::{Outcome, Server};
use crate::view::resolve::branch_id;
use crate::view::{MountedVob, View};
use crate::vob::lock::{self, Locked};
use crate::vob::{Annotations, BranchNo, Element, Operation, Part, TypeNo, VobObject, VobState};

/// A login name that nobody has: no lock makes an exception of it.
const NOBODY: &str = "";

/// Tells what is locked, and whom the lock does not bind. An element has the name it was given last.
pub fn failure(vob: &MountedVob, locked: &Locked) -> Failure {
    let state = vob.vob.state();
    let (kind, name, branch) = kind_and_name(vob, &state, locked.object);
    Failure {
        object_kind: kind.into(),
        must_be_one_of: locked.exempt.clone(),
        branch,
        ..Failure::new(FailureCode::Locked).name(name)
    }
}

/// Says that a refusal is about the argument's directory.
pub fn in_directory(failure: Failure) -> Failure {
    match failure.code() {
        FailureCode::Locked if failure.name.is_empty() => Failure { directory: b".".to_vec(), ..failure },
        _ => failure,
    }
}

/// Tells whether a part of an object is locked.
pub fn state_of(annotations: &Annotations, part: Part) -> LockState {
    match annotations.lock(part) {
        None => LockState::Unlocked,
        Some(lock) if lock.rule.obsolete => LockState::Obsolete,
        Some(_) => LockState::Locked,
    }
}

impl Server {
    /// Refuses what a lock keeps the caller from doing with an argument's element, and with a branch of it where
    /// one is meant: a lock of the VOB, the element type, the element, the branch type or the branch.
    ///
    /// # Errors
    /// `LOCKED`.
    pub(super) fn refuse_locked(
        &self,
        vob: &MountedVob,
        element: &Element,
        branch: Option<BranchNo>,
        caller: &Caller,
        operation: &str,
    ) -> Outcome<()> {
        super::triggers::refuse_vetoed(vob.index, || Subject::Element(element.number))?;
        let state = vob.vob.state();
        let found = |login: &str| lock::on_element(&state, element, branch, login);
        self.refuse_found(vob, &state, caller, operation, &found)
    }

    /// Refuses what a lock of a type object, or of the VOB, keeps the caller from doing.
    ///
    /// # Errors
    /// `LOCKED`.
    pub(super) fn refuse_locked_type(
        &self,
        vob: &MountedVob,
        number: TypeNo,
        caller: &Caller,
        operation: &str,
    ) -> Outcome<()> {
        let state = vob.vob.state();
        if let Some(object) = state.type_object(number) {
            let subject = || Subject::Type(object.kind, object.name.clone());
            super::triggers::refuse_vetoed(vob.index, subject)?;
        }
        let found = |login: &str| lock::on_type(&state, number, login);
        self.refuse_found(vob, &state, caller, operation, &found)
    }

    /// Refuses what a lock keeps the caller from doing with any object.
    ///
    /// # Errors
    /// `LOCKED`, or the element cannot be read.
    pub(super) fn refuse_locked_object(
        &self,
        vob: &MountedVob,
        object: VobObject,
        caller: &Caller,
        operation: &str,
    ) -> Outcome<()> {
        let (element, branch) = match object {
            VobObject::Vob => {
                let state = vob.vob.state();
                return self.refuse_found(vob, &state, caller, operation, &|login: &str| {
                    lock::on_vob(&state, login)
                });
            }
            VobObject::Type(number) => return self.refuse_locked_type(vob, number, caller, operation),
            VobObject::Element(number) => (vob.element(number)?, None),
            VobObject::Branch(number, branch) => (vob.element(number)?, Some(branch)),
            VobObject::Version(number, version) => {
                let element = vob.element(number)?;
                let branch = element.find_version(version).map(|version| version.branch);
                (element, branch)
            }
            VobObject::CheckOut(number, checkout) => {
                let element = vob.element(number)?;
                let held = element.checkouts.iter().find(|held| held.number == checkout);
                let branch = held.map(|held| held.branch);
                (element, branch)
            }
        };
        self.refuse_locked(vob, &element, branch, caller, operation)
    }

    /// Refuses the branches and the checkout among an argument's planned operations that locks prevent.
    ///
    /// # Errors
    /// `LOCKED`.
    pub(super) fn refuse_locked_plan(
        &self,
        vob: &MountedVob,
        element: &Element,
        operations: &[Operation],
        caller: &Caller,
    ) -> Outcome<()> {
        for operation in operations {
            match operation {
                Operation::CreateBranch { branch_type, .. } => {
                    self.refuse_locked(vob, element, None, caller, "make branch")?;
                    self.refuse_locked_type(vob, *branch_type, caller, "make branch")?;
                }
                Operation::CheckOut { branch, .. } => {
                    self.refuse_locked(vob, element, Some(*branch), caller, "checkout")?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses to make an element of a type in a directory that a view has checked out, where locks prevent it.
    ///
    /// # Errors
    /// `LOCKED`.
    pub(super) fn refuse_locked_making(
        &self,
        vob: &MountedVob,
        directory: &Element,
        view: &View,
        element_type: TypeNo,
        caller: &Caller,
    ) -> Outcome<()> {
        let branch = directory.checkout_of(&view.uuid()).map(|own| own.branch);
        self.refuse_locked(vob, directory, branch, caller, "modify directory").map_err(in_directory)?;
        self.refuse_locked_type(vob, element_type, caller, "make element")
    }

    fn refuse_found(
        &self,
        vob: &MountedVob,
        state: &VobState,
        caller: &Caller,
        operation: &str,
        found: &dyn Fn(&str) -> Option<Locked>,
    ) -> Outcome<()> {
        // What the caller is called costs a look into the user database; mostly nothing is locked.
        if found(NOBODY).is_none() {
            return Ok(());
        }
        let Some(locked) = found(&identity::user_name(caller.user_id)) else { return Ok(()) };
        let mut failure = failure(vob, &locked);
        failure.operation = operation.to_owned();
        if let Some(number) = locked.object.element() {
            failure.name = Vec::new();
            if let VobObject::Branch(_, branch) = locked.object {
                let element = vob.element(number)?;
                failure.branch = branch_id(state, &element, branch).into_bytes();
            }
        }
        Err(failure)
    }
}
