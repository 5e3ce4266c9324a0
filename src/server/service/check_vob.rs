//! checkvob: the laws of a VOB, checked on what is stored while others work.
//!
//! Finds and tells; repairs nothing.

use super::facts::Names;
use crate::server::identity::Caller;
use crate::server::proto::check_vob_item::Item;
use crate::server::proto::{BrokenLaw, CheckCounts, CheckVobItem, CheckVobRequest, Context, Law, Selector};
use crate::server::state::{Outcome, Server};
use crate::store::{LawBroken, check_laws};
use crate::view::MountedVob;
use crate::view::resolve::{branch_id, version_id};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, ElementNo, VersionNo, ViewUuid};
use std::sync::Arc;

impl Server {
    /// Checks VOBs, and sends what is wrong as it is found.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of VOBs are items.
    pub(super) fn check_vobs(
        &self,
        caller: &Caller,
        request: &CheckVobRequest,
        send: &mut dyn FnMut(CheckVobItem) -> bool,
    ) -> Outcome<()> {
        let context = Server::context(&request.context)?;
        for (argument, selector) in (0..).zip(&request.vobs) {
            let item = match self.check_vob(caller, context, (argument, selector), send) {
                Ok(counts) => Item::Counts(counts),
                Err(failure) => Item::Failure(failure),
            };
            if !send(CheckVobItem { argument, item: Some(item) }) {
                break;
            }
        }
        Ok(())
    }

    fn check_vob(
        &self,
        caller: &Caller,
        context: &Context,
        (argument, selector): (u32, &Selector),
        send: &mut dyn FnMut(CheckVobItem) -> bool,
    ) -> Outcome<CheckCounts> {
        let vob = self.vob_of_selector(context, Some(selector))?;
        self.permit(caller, &[(vob.vob.state().header.owner, "VOB owner")], "check VOB")?;
        let mut teller = Teller { server: self, vob: &vob, names: Names::new(None, &vob, b"") };
        let counts = check_laws(&vob.vob, &mut |broken| {
            let item = Some(Item::Broken(teller.tell(broken)));
            // Nobody to tell: the check goes on to its end, which is near.
            send(CheckVobItem { argument, item });
        })?;
        Ok(CheckCounts {
            vob_tag: vob.tag.clone().into_bytes(),
            elements: counts.elements,
            versions: counts.versions,
            catalogs: counts.catalogs,
            checkouts: counts.checkouts,
            contents: counts.contents,
            broken: counts.broken,
        })
    }
}

/// Names what a breach is about.
struct Teller<'a> {
    server: &'a Server,
    vob: &'a Arc<MountedVob>,
    names: Names<'a>,
}

impl Teller<'_> {
    fn tell(&mut self, broken: LawBroken) -> BrokenLaw {
        let (law, object, detail, views) = match broken {
            LawBroken::ElementMissing { element } => {
                (Law::ElementMissing, self.element(element), Vec::new(), vec![])
            }
            LawBroken::NumbersDoNotRise { element, branch, before, number } => {
                let detail = format!("{number} follows {before}");
                (Law::NumbersDoNotRise, self.branch(element, branch), detail.into_bytes(), vec![])
            }
            LawBroken::NumberUsedAgain { element, branch, next, newest } => {
                let detail = format!("the next is {next}, there is {newest}");
                (Law::NumberUsedAgain, self.branch(element, branch), detail.into_bytes(), vec![])
            }
            LawBroken::NameTwice { directory, at, name } => {
                (Law::NameTwice, self.catalog(directory, at), name.into(), vec![])
            }
            LawBroken::BadName { directory, at, name } => {
                (Law::BadName, self.catalog(directory, at), name.into(), vec![])
            }
            LawBroken::LeadsNowhere { directory, at, name } => {
                (Law::LeadsNowhere, self.catalog(directory, at), name.into(), vec![])
            }
            LawBroken::NameForgotten { element, directory, name } => {
                let mut detail = self.element(directory);
                detail.push(b'/');
                detail.extend_from_slice(&name);
                (Law::NameForgotten, self.element(element), detail, vec![])
            }
            LawBroken::ReservedTwice { element, branch, views } => {
                let views = views.iter().map(|view| self.view(view)).collect();
                (Law::ReservedTwice, self.branch(element, branch), Vec::new(), views)
            }
            LawBroken::CheckedOutTwice { element, view } => {
                (Law::CheckedOutTwice, self.element(element), Vec::new(), vec![self.view(&view)])
            }
            LawBroken::Detached { element, what, version } => {
                let detail = format!("{what} at version number {} of those ever made", version.0);
                (Law::Detached, self.element(element), detail.into_bytes(), vec![])
            }
            LawBroken::BadTrigger { element, trigger } => {
                let detail = format!("trigger type number {}", trigger.0);
                (Law::BadTrigger, self.element(element), detail.into_bytes(), vec![])
            }
            LawBroken::ContentMissing { element, version, .. } => {
                (Law::ContentMissing, self.version(element, version), Vec::new(), vec![])
            }
            LawBroken::ContentDamaged { element, version, detail } => {
                (Law::ContentDamaged, self.version(element, version), detail.into_bytes(), vec![])
            }
            LawBroken::Unreachable { element } => {
                (Law::Unreachable, self.element(element), Vec::new(), vec![])
            }
            LawBroken::Unreadable { element, detail } => {
                (Law::Unreadable, self.element(element), detail.into_bytes(), vec![])
            }
        };
        BrokenLaw { law: law.into(), object, detail, views }
    }

    /// A path of an element; its number where no record tells one.
    fn element(&mut self, number: ElementNo) -> Vec<u8> {
        let found = self.vob.element(number).ok().and_then(|element| self.names.path(&element).ok());
        found.unwrap_or_else(|| format!("element {}", number.0).into_bytes())
    }

    fn branch(&mut self, number: ElementNo, branch: BranchNo) -> Vec<u8> {
        let mut object = self.element(number);
        if let Ok(element) = self.vob.element(number)
            && element.has_branch(branch)
        {
            object.extend_from_slice(b"@@");
            object.extend_from_slice(branch_id(&self.vob.vob.state(), &element, branch).as_bytes());
        }
        object
    }

    fn version(&mut self, number: ElementNo, version: VersionNo) -> Vec<u8> {
        let mut object = self.element(number);
        if let Ok(element) = self.vob.element(number)
            && element.has_version(version)
        {
            object.extend_from_slice(b"@@");
            object.extend_from_slice(version_id(&self.vob.vob.state(), &element, version).as_bytes());
        }
        object
    }

    fn catalog(&mut self, number: ElementNo, at: DirectoryAt) -> Vec<u8> {
        match at {
            DirectoryAt::Version(version) => self.version(number, version),
            DirectoryAt::CheckedOut(checkout) => {
                [&self.element(number)[..], format!("@@ (checkout {checkout})").as_bytes()].concat()
            }
        }
    }

    fn view(&self, uuid: &ViewUuid) -> String {
        let entries = self.server.registry.entries();
        let found = entries.views.iter().find(|(_, entry)| entry.uuid == uuid.to_string());
        found.map_or_else(|| uuid.to_string(), |(tag, _)| tag.as_str().to_owned())
    }
}
