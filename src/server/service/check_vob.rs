//! checkvob: whether the journal is sound, the index says what it says, and the laws of a VOB hold; while others work.
//!
//! Finds and tells, and mends on request what the journal or a change can mend: the index, checkouts of views that are no more,
//! elements that nothing leads to.

use super::facts::Names;
use super::names::lost;
use crate::server::identity::Caller;
use crate::server::proto::check_vob_item::Item;
use crate::server::proto::{
    BrokenLaw, CheckCounts, CheckPhase, CheckProgress, CheckVobItem, CheckVobRequest, Context, Failure, Law,
    Selector,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::{Audit, LawBroken, Record, check_laws_with_progress};
use crate::view::MountedVob;
use crate::view::resolve::{branch_id, version_id};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, ElementNo, Entry, NameChange, Operation, Transaction, VersionNo, ViewUuid};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
            let item = match self.check_vob(caller, context, (argument, selector), request.fix, send) {
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
        fix: bool,
        send: &mut dyn FnMut(CheckVobItem) -> bool,
    ) -> Outcome<CheckCounts> {
        let vob = self.vob_of_selector(context, Some(selector))?;
        self.permit(caller, &[(vob.vob.state().header.owner, "VOB owner")], "check VOB")?;
        let teller = Teller { server: self, vob: &vob, names: Names::new(None, &vob, b"") };
        let mut check = Check { argument, fix, teller, send, broken: 0, mended: 0, told: Instant::now() };
        check.progress(CheckPhase::Journal, 0, 0);
        let audited = vob.vob.audit(fix, &mut |done, total| check.progress(CheckPhase::Index, done, total));
        let audit = match audited {
            // There is no room for a second index: the rest can be checked all the same.
            Err(error) if error.is_no_space() => {
                let detail = error.to_string().into_bytes();
                check.tell(BrokenLaw { law: Law::NotCompared.into(), detail, ..BrokenLaw::default() });
                Audit::default()
            }
            other => other?,
        };
        if audit.repaired {
            self.host.forget_all_selection();
        }
        check.audited(&audit);
        for (view, elements) in self.unknown_views(&vob)? {
            self.check_unknown_view(caller, context, (&vob, view, &elements), &mut check)?;
        }
        let shared = RefCell::new(check);
        let counts = check_laws_with_progress(
            &vob.vob,
            &mut |breach| {
                let mut check = shared.borrow_mut();
                let mended = match breach {
                    LawBroken::Unreachable { element } if fix => {
                        self.move_to_lost(caller, context, &vob, element).is_ok()
                    }
                    _ => false,
                };
                let broken = BrokenLaw { mended, ..check.teller.tell(breach) };
                check.tell(broken);
            },
            &mut |done, total| shared.borrow_mut().progress(CheckPhase::Elements, done, total),
        )?;
        let check = shared.into_inner();
        Ok(CheckCounts {
            vob_tag: vob.tag.clone().into_bytes(),
            elements: counts.elements,
            versions: counts.versions,
            catalogs: counts.catalogs,
            checkouts: counts.checkouts,
            contents: counts.contents,
            broken: check.broken,
            mended: check.mended,
            frames: audit.frames,
            records: audit.records,
            unused: counts.unused,
        })
    }

    /// The views that have checkouts and are not registered, with the elements.
    fn unknown_views(&self, vob: &MountedVob) -> Outcome<BTreeMap<ViewUuid, Vec<ElementNo>>> {
        let entries = self.registry.entries();
        let known: HashSet<&str> = entries.views.values().map(|entry| entry.uuid.as_str()).collect();
        let mut unknown = BTreeMap::<_, Vec<_>>::new();
        for number in vob.vob.checked_out()? {
            let Some(element) = vob.vob.element(number)? else { continue };
            let views = element.checkouts.iter().map(|checkout| checkout.view);
            for view in views.filter(|view| !known.contains(view.to_string().as_str())) {
                unknown.entry(view).or_default().push(number);
            }
        }
        Ok(unknown)
    }

    /// Tells of the checkouts of a view that is not registered, and cancels them where things are mended.
    fn check_unknown_view(
        &self,
        caller: &Caller,
        context: &Context,
        (vob, view, held): (&Arc<MountedVob>, ViewUuid, &[ElementNo]),
        check: &mut Check<'_>,
    ) -> Outcome<()> {
        // Their names are told as they are before.
        let mut told: Vec<BrokenLaw> =
            held.iter().map(|number| check.teller.dangling(*number, &view)).collect();
        if check.fix {
            // What only these checkouts name moves to lost+found.
            self.cancel_checkouts(caller, context, vob, held, (view, &view.to_string()))?;
            told.iter_mut().for_each(|broken| broken.mended = true);
        }
        told.into_iter().for_each(|broken| check.tell(broken));
        Ok(())
    }

    /// Gives an element that nothing leads to a name in `lost+found`.
    fn move_to_lost(
        &self,
        caller: &Caller,
        context: &Context,
        vob: &Arc<MountedVob>,
        number: ElementNo,
    ) -> Outcome<()> {
        self.commit_silently(vob, |store| {
            let gone = || Failure::internal("the element is gone");
            let element = store.element(number)?.ok_or_else(gone)?;
            let leaf = element.names.last().map_or(&b"nameless"[..], |(_, leaf)| leaf);
            let (name, _) = lost(&element, leaf);
            let change = NameChange { name: name.into(), entry: Some(Entry::Element(number)) };
            let (element, changes) = (ElementNo::LOST_AND_FOUND, vec![change]);
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: "Found by checkvob.".to_owned(),
                attributes: vec![],
                operations: vec![Operation::ChangeInPlace { element, changes }],
            }])
        })?;
        Ok(())
    }
}

/// How often progress is told at most.
const TELLING: Duration = Duration::from_millis(100);

/// A check of one VOB, as far as it has come.
struct Check<'a> {
    argument: u32,
    fix: bool,
    teller: Teller<'a>,
    send: &'a mut dyn FnMut(CheckVobItem) -> bool,
    broken: u64,
    mended: u64,
    told: Instant,
}

impl Check<'_> {
    /// Nobody to tell: the check goes on to its end, which is near.
    fn tell(&mut self, broken: BrokenLaw) {
        self.broken += 1;
        self.mended += u64::from(broken.mended);
        (self.send)(CheckVobItem { argument: self.argument, item: Some(Item::Broken(broken)) });
    }

    fn progress(&mut self, phase: CheckPhase, done: u64, total: u64) {
        if done > 0 && self.told.elapsed() < TELLING {
            return;
        }
        self.told = Instant::now();
        let item = Some(Item::Progress(CheckProgress { phase: phase.into(), done, total }));
        (self.send)(CheckVobItem { argument: self.argument, item });
    }

    fn audited(&mut self, audit: &Audit) {
        if let Some(detail) = &audit.journal {
            let detail = detail.clone().into_bytes();
            self.tell(BrokenLaw { law: Law::JournalDamaged.into(), detail, ..BrokenLaw::default() });
        }
        for record in &audit.different {
            let (object, detail) = match record {
                Record::Element(number) => (self.teller.element(*number), ""),
                Record::Vob => (Vec::new(), "the VOB and its types"),
                Record::Events => (Vec::new(), "the history"),
                Record::Other => (Vec::new(), "links and identities"),
                Record::More => (Vec::new(), "more than is listed here"),
            };
            let (law, detail, mended) = (Law::IndexDiffers.into(), detail.into(), audit.repaired);
            self.tell(BrokenLaw { law, object, detail, mended, ..BrokenLaw::default() });
        }
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
        BrokenLaw { law: law.into(), object, detail, views, mended: false }
    }

    /// A checkout of a view that is not registered.
    fn dangling(&mut self, element: ElementNo, view: &ViewUuid) -> BrokenLaw {
        let (law, object) = (Law::NoSuchView.into(), self.element(element));
        BrokenLaw { law, object, views: vec![view.to_string()], ..BrokenLaw::default() }
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
