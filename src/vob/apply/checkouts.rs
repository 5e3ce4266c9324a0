//! Checkouts: taken, reserved, cancelled, turned into versions, and the catalogs of directories meanwhile.

use super::{DirectoryAt, NewVersion, Refused, Work, no_such};
use crate::vob::annotation::Part;
use crate::vob::directory::{DirectoryNode, NameChange};
use crate::vob::element::{Checkout, Content, Element, ElementKind};
use crate::vob::identity::{ElementNo, ViewUuid};
use std::sync::Arc;

impl Work<'_> {
    pub(super) fn check_out(&mut self, number: ElementNo, checkout: Checkout) -> Result<(), Refused> {
        let element = self.element_version(number, checkout.from)?;
        if element.checkout_of(&checkout.view).is_some() {
            return Err(Refused::AlreadyCheckedOut);
        }
        if element.version(checkout.from).branch != checkout.branch {
            return Err(no_such("version on the branch", checkout.from.0));
        }
        if checkout.reserved {
            reserved_elsewhere(element, &checkout)?;
        }
        let (at, from, directory) = (checkout.number, checkout.from, element.kind == ElementKind::Directory);
        element.checkouts.push(checkout);
        self.changes.checkouts.insert(number);
        if directory {
            let catalog = self.directory(number, DirectoryAt::Version(from))?;
            let base_node = self.node(number, DirectoryAt::Version(from))?;
            let node = DirectoryNode::choose(&catalog, Some((from, &base_node)), vec![]);
            let key = (number, DirectoryAt::CheckedOut(at));
            self.changes.directories.insert(key, Some((Arc::new(node), catalog)));
        }
        Ok(())
    }

    pub(super) fn cancel_check_out(&mut self, number: ElementNo, view: &ViewUuid) -> Result<(), Refused> {
        let checkout = self.element(number)?.checkout_of(view).ok_or(Refused::NotCheckedOut)?.number;
        self.detach(number, &|part| part == Part::CheckOut(checkout))?;
        self.take_checkout(number, view).map(drop)
    }

    fn take_checkout(&mut self, number: ElementNo, view: &ViewUuid) -> Result<Checkout, Refused> {
        let element = self.element(number)?;
        let at = element.checkouts.iter().position(|c| c.view == *view).ok_or(Refused::NotCheckedOut)?;
        let checkout = element.checkouts.remove(at);
        if element.kind == ElementKind::Directory {
            self.changes.directories.insert((number, DirectoryAt::CheckedOut(checkout.number)), None);
        }
        self.changes.checkouts.insert(number);
        Ok(checkout)
    }

    pub(super) fn change_checkout_comment(
        &mut self,
        number: ElementNo,
        view: &ViewUuid,
        comment: &str,
    ) -> Result<(), Refused> {
        let element = self.element(number)?;
        let at = element.checkouts.iter().position(|c| c.view == *view).ok_or(Refused::NotCheckedOut)?;
        comment.clone_into(&mut element.checkouts[at].comment);
        Ok(())
    }

    pub(super) fn reserve(
        &mut self,
        number: ElementNo,
        view: &ViewUuid,
        reserved: bool,
    ) -> Result<(), Refused> {
        let element = self.element(number)?;
        let at = element.checkouts.iter().position(|c| c.view == *view).ok_or(Refused::NotCheckedOut)?;
        if reserved {
            reserved_elsewhere(element, &element.checkouts[at])?;
        }
        element.checkouts[at].reserved = reserved;
        Ok(())
    }

    pub(super) fn check_in(
        &mut self,
        number: ElementNo,
        view: &ViewUuid,
        new: NewVersion,
    ) -> Result<(), Refused> {
        self.file_content(number, &new.content)?;
        let element = self.element(number)?;
        let checkout = element.checkout_of(view).ok_or(Refused::NotCheckedOut)?.clone();
        let newest = element.newest(checkout.branch);
        if newest != checkout.from && !element.is_merged_into(newest, checkout.number) {
            return Err(Refused::NotPredecessor { branch: checkout.branch });
        }
        reserved_elsewhere(element, &checkout)?;
        let catalog = match element.kind {
            ElementKind::Directory => Some(self.directory(number, DirectoryAt::CheckedOut(checkout.number))?),
            ElementKind::File => None,
        };
        self.take_checkout(number, view)?;
        let version = self.add_version(number, checkout.branch, new)?;
        self.move_links(number, checkout.number, version)?;
        match catalog {
            Some(catalog) => self.store_catalog(number, version, checkout.from, catalog),
            None => Ok(()),
        }
    }

    pub(super) fn change_directory(
        &mut self,
        number: ElementNo,
        view: &ViewUuid,
        changes: &[NameChange],
        note: &str,
    ) -> Result<(), Refused> {
        self.file_content(number, &Content::Directory)?;
        let element = self.element(number)?;
        let held = element.checkouts.iter_mut().find(|c| c.view == *view).ok_or(Refused::NotCheckedOut)?;
        if !note.is_empty() {
            if !held.comment.is_empty() {
                held.comment.push('\n');
            }
            held.comment.push_str(note);
        }
        let (at, from) = (held.number, held.from);
        let mut catalog = (*self.directory(number, DirectoryAt::CheckedOut(at))?).clone();
        self.note_names(number, changes)?;
        catalog.apply(changes);
        let before = self.directory(number, DirectoryAt::Version(from))?;
        let base_node = self.node(number, DirectoryAt::Version(from))?;
        let node = DirectoryNode::choose(&catalog, Some((from, &base_node)), before.changes_to(&catalog));
        let key = (number, DirectoryAt::CheckedOut(at));
        self.changes.directories.insert(key, Some((Arc::new(node), Arc::new(catalog))));
        Ok(())
    }
}

fn reserved_elsewhere(element: &Element, checkout: &Checkout) -> Result<(), Refused> {
    let branch = checkout.branch;
    let mut others = element.checkouts.iter().filter(|c| c.view != checkout.view && c.branch == branch);
    match others.find(|other| other.reserved) {
        Some(other) => Err(Refused::Reserved { view: other.view, view_tag: other.view_tag.clone(), branch }),
        None => Ok(()),
    }
}
