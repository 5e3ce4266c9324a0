//! Which locks each operation meets.

use super::{Refused, Work};
use crate::vob::annotation::VobObject;
use crate::vob::identity::{BranchNo, ElementNo, TypeNo, VersionNo};
use crate::vob::lock::{self, Locked};
use crate::vob::operation::Operation;

impl Work<'_> {
    /// Refuses an operation that a lock keeps a user from.
    pub(super) fn refuse_locked(&mut self, operation: &Operation, login: &str) -> Result<(), Refused> {
        let on_vob = || lock::on_vob(&self.changes.state, login);
        let found = match operation {
            // Before there is a VOB nothing is locked, and who may lock may unlock.
            Operation::CreateVob { .. }
            | Operation::SetLock { object: VobObject::Vob, .. }
            | Operation::StoreContent(_) => None,
            Operation::SetLock { .. }
            | Operation::CreateType { .. }
            | Operation::DefineType { .. }
            | Operation::CreateSymlink { .. }
            | Operation::ChangeInPlace { .. }
            | Operation::PlaceChangeset { .. }
            | Operation::Retime { .. }
            | Operation::SetNote { .. }
            | Operation::SetVobGroups { .. } => on_vob(),
            Operation::CreateElement { element_type, .. } => self.on_type(*element_type, login),
            Operation::RedefineType { number, .. }
            | Operation::RenameType { number, .. }
            | Operation::RemoveType { number } => self.on_type(*number, login),
            Operation::CreateBranch { element, branch_type, .. } => {
                self.on_element(*element, None, login)?.or_else(|| self.on_type(*branch_type, login))
            }
            Operation::CreateVersion { element, branch, .. }
            | Operation::CreateDirectoryVersion { element, branch, .. }
            | Operation::ReplaceDirectoryVersion { element, branch, .. }
            | Operation::CheckOut { element, branch, .. }
            | Operation::RemoveBranch { element, branch } => {
                self.on_element(*element, Some(*branch), login)?
            }
            Operation::ChangeBranchType { element, branch, branch_type } => {
                self.on_element(*element, Some(*branch), login)?.or_else(|| self.on_type(*branch_type, login))
            }
            Operation::CancelCheckOut { element, view }
            | Operation::CheckIn { element, view, .. }
            | Operation::ChangeDirectory { element, view, .. }
            | Operation::ChangeCheckOutComment { element, view, .. }
            | Operation::Reserve { element, view, .. } => {
                let branch = self.element(*element)?.checkout_of(view).map(|checkout| checkout.branch);
                self.on_element(*element, branch, login)?
            }
            Operation::ApplyLabel { label, targets } | Operation::RemoveVersionLabels { label, targets } => {
                let on_label = self.on_type(*label, login);
                match on_label {
                    Some(found) => Some(found),
                    None => self.on_versions(targets, login)?,
                }
            }
            Operation::RemoveLabel { label, targets } => match self.on_type(*label, login) {
                Some(found) => Some(found),
                None => {
                    let mut found = None;
                    for element in targets {
                        found = self.on_element(*element, None, login)?;
                        if found.is_some() {
                            break;
                        }
                    }
                    found
                }
            },
            Operation::CreateHyperlink { link_type, element, .. } => self
                .on_type(*link_type, login)
                .map_or_else(|| self.on_element(*element, None, login), |found| Ok(Some(found)))?,
            Operation::CreateLink { link_type, from, to, .. } => {
                let mut found = self.on_type(*link_type, login);
                for object in [Some(from), to.as_ref()].into_iter().flatten().filter_map(|end| end.object()) {
                    found = match found {
                        None => self.on_object(object, login)?,
                        found => found,
                    };
                }
                found
            }
            Operation::ChangeVersionInPlace { element, version, .. }
            | Operation::RemoveVersion { element, version }
            | Operation::RemoveData { element, version } => {
                self.on_object(VobObject::Version(*element, *version), login)?
            }
            Operation::Protect { object, .. }
            | Operation::ChangeComment { object, .. }
            | Operation::RemoveLink { at: object, .. } => self.on_object(*object, login)?,
            Operation::SetAttribute { object, attribute, .. }
            | Operation::RemoveAttribute { object, attribute } => match self.on_type(*attribute, login) {
                Some(found) => Some(found),
                None => self.on_object(*object, login)?,
            },
            Operation::ChangeElementType { element, element_type } => {
                self.on_element(*element, None, login)?.or_else(|| self.on_type(*element_type, login))
            }
            Operation::ChangeTriggers { element, trigger, present, .. } => {
                match self.on_type(*trigger, login) {
                    // Whoever may remove the type may take it from elements first: that is asked of the removal.
                    Some(found) if *present => Some(found),
                    _ => self.on_element(*element, None, login)?,
                }
            }
            Operation::RemoveElement { element } => self.on_element(*element, None, login)?,
        };
        found.map_or(Ok(()), |locked| Err(Refused::Locked(locked)))
    }

    fn on_type(&self, number: TypeNo, login: &str) -> Option<Locked> {
        lock::on_type(&self.changes.state, number, login)
    }

    fn on_element(
        &mut self,
        number: ElementNo,
        branch: Option<BranchNo>,
        login: &str,
    ) -> Result<Option<Locked>, Refused> {
        let state = self.changes.state.clone();
        Ok(lock::on_element(&state, self.element(number)?, branch, login))
    }

    fn on_versions(
        &mut self,
        targets: &[(ElementNo, VersionNo)],
        login: &str,
    ) -> Result<Option<Locked>, Refused> {
        let state = self.changes.state.clone();
        for (number, version) in targets {
            let element = self.element_version(*number, *version)?;
            let branch = element.version(*version).branch;
            let found = lock::on_element(&state, element, Some(branch), login);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn on_object(&mut self, object: VobObject, login: &str) -> Result<Option<Locked>, Refused> {
        match object {
            VobObject::Vob => Ok(lock::on_vob(&self.changes.state, login)),
            VobObject::Type(number) => Ok(self.on_type(number, login)),
            VobObject::Element(number) => self.on_element(number, None, login),
            VobObject::Branch(number, branch) => self.on_element(number, Some(branch), login),
            VobObject::Version(number, version) => self.on_versions(&[(number, version)], login),
            VobObject::CheckOut(number, checkout) => {
                let held = &self.element(number)?.checkouts;
                let branch = held.iter().find(|held| held.number == checkout).map(|held| held.branch);
                self.on_element(number, branch, login)
            }
        }
    }
}
