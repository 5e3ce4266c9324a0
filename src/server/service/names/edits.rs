//! Catalogs as they will be when a command is done.
//!
//! Nothing is changed here: the operations that come out are committed by the caller, who holds
//! the VOB's commit lock meanwhile.

use super::kind_word;
use crate::server::firing::Subject;
use crate::server::identity::Caller;
use crate::server::proto::{Failure, FailureCode};
use crate::server::service::locks::in_directory;
use crate::server::service::slot::Slot;
use crate::server::service::triggers::refuse_vetoed;
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::live::View;
use crate::vob::apply::DirectoryAt;
use crate::vob::{
    Directory, Element, ElementKind, ElementNo, Entry, NameChange, Oid, Operation, SymlinkNo, VersionNo,
};
use std::collections::HashSet;
use std::sync::Arc;

/// A catalog that may be changed.
#[derive(Clone, Copy, Eq, PartialEq, Debug)]
pub struct Opened {
    pub directory: ElementNo,
    pub at: DirectoryAt,
}

impl Opened {
    /// The only version of `lost+found`.
    pub const LOST_AND_FOUND: Opened =
        Opened { directory: ElementNo::LOST_AND_FOUND, at: DirectoryAt::Version(VersionNo::ROOT) };
}

struct Edited {
    opened: Opened,
    catalog: Arc<Directory>,
    changes: Vec<NameChange>,
    notes: Vec<String>,
}

/// The changes that were planned so far in one VOB for one view.
pub struct Edits<'a> {
    pub store: &'a Vob,
    pub vob: &'a Arc<MountedVob>,
    pub view: &'a Arc<View>,
    time_ns: i64,
    edited: Vec<Edited>,
    links: Vec<Operation>,
    lost: HashSet<ElementNo>,
}

/// How a directory that is not checked out is taken.
#[derive(Clone, Copy, Eq, PartialEq, Debug)]
pub enum NotCheckedOut {
    /// It is refused.
    Refuse,
    /// The selected version is changed in place (`-nco`).
    InPlace,
}

impl<'a> Edits<'a> {
    pub fn new(store: &'a Vob, vob: &'a Arc<MountedVob>, view: &'a Arc<View>, time_ns: i64) -> Edits<'a> {
        let (edited, links, lost) = (Vec::new(), Vec::new(), HashSet::new());
        Edits { store, vob, view, time_ns, edited, links, lost }
    }

    /// Reads an element that must exist.
    pub fn element(&self, number: ElementNo) -> Outcome<Arc<Element>> {
        self.store.element(number)?.ok_or_else(|| Failure::internal("a catalogued element is gone"))
    }

    /// Opens the catalog of a name's directory for changes by a caller.
    ///
    /// # Errors
    /// If the view does not have it checked out, or the caller may not modify it.
    pub fn open(
        &self,
        server: &Server,
        caller: &Caller,
        slot: &Slot,
        otherwise: NotCheckedOut,
    ) -> Outcome<Opened> {
        let directory = slot.directory;
        let element = self.element(directory)?;
        refuse_vetoed(self.vob.index, || Subject::Name(directory, slot.leaf.clone().into()))?;
        server.permit_element(caller, self.vob, &element, "modify directory")?;
        let own = element.checkout_of(&self.view.uuid());
        let branch = match (own, slot.state.at) {
            (Some(checkout), _) => Some(checkout.branch),
            (None, Some(DirectoryAt::Version(version))) => {
                element.find_version(version).map(|version| version.branch)
            }
            _ => None,
        };
        let locked = server.refuse_locked(self.vob, &element, branch, caller, "modify directory");
        locked.map_err(in_directory)?;
        if let Some(checkout) = own {
            server.permit_changes(caller, self.view, "modify directory")?;
            return Ok(Opened { directory, at: DirectoryAt::CheckedOut(checkout.number) });
        }
        if otherwise == NotCheckedOut::Refuse || directory == ElementNo::LOST_AND_FOUND {
            return Err(Failure::new(FailureCode::DirectoryNotCheckedOut));
        }
        let owner = self.store.state().header.owner;
        let owners = [(element.owner, "element owner"), (owner, "VOB owner")];
        server.permit(caller, &owners, "modify directory")?;
        match slot.state.at {
            Some(DirectoryAt::Version(version))
                if element.has_version(version)
                    && element.newest(element.version(version).branch) == version =>
            {
                Ok(Opened { directory, at: DirectoryAt::Version(version) })
            }
            _ => Err(Failure::new(FailureCode::NotNewest)),
        }
    }

    /// Opens a catalog to take a name away that stands there, and returns what it leads to. The
    /// catalog of `lost+found` is open to whoever may modify the object.
    ///
    /// # Errors
    /// As [`Edits::open`]; if there is no such name, or a private file hides it; if the name is
    /// that of `lost+found` itself.
    pub fn open_source(
        &self,
        server: &Server,
        caller: &Caller,
        slot: &Slot,
        otherwise: NotCheckedOut,
    ) -> Outcome<(Opened, Entry)> {
        let opened = match slot.directory {
            ElementNo::LOST_AND_FOUND => Ok(Opened::LOST_AND_FOUND),
            _ => self.open(server, caller, slot, otherwise),
        };
        let entry = match &opened {
            Ok(opened) => self.catalog(*opened)?.get(&slot.leaf),
            Err(_) => slot.state.catalog.get(&slot.leaf),
        };
        if slot.private().symlink_metadata().is_ok() {
            return Err(Failure::new(FailureCode::NotAVobObject));
        }
        let entry = entry.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
        let opened = opened?;
        if let Entry::Element(number) = entry {
            if number == ElementNo::LOST_AND_FOUND {
                return Err(Failure::new(FailureCode::FixedName));
            }
            if slot.directory == ElementNo::LOST_AND_FOUND {
                let may =
                    |element: &Element| server.permit_element(caller, self.vob, element, "modify directory");
                may(&*self.element(number)?).or_else(|_| may(&slot.state.element))?;
            }
        }
        Ok((opened, entry))
    }

    /// Refuses a name that the catalog has, or that is a private file's.
    ///
    /// # Errors
    /// `ENTRY_EXISTS`, or if the VOB cannot be read.
    pub fn refuse_taken(&self, opened: Opened, slot: &Slot) -> Outcome<()> {
        let is_taken =
            self.catalog(opened)?.get(&slot.leaf).is_some() || slot.private().symlink_metadata().is_ok();
        if is_taken { Err(Failure::new(FailureCode::EntryExists)) } else { Ok(()) }
    }

    /// Returns a catalog that was planned to be another.
    pub fn planned(&self, opened: Opened) -> Option<Arc<Directory>> {
        let edited = self.edited.iter().find(|edited| edited.opened == opened);
        edited.map(|edited| Arc::clone(&edited.catalog))
    }

    /// Returns a catalog with what was planned so far.
    pub fn catalog(&self, opened: Opened) -> Outcome<Arc<Directory>> {
        match self.planned(opened) {
            Some(catalog) => Ok(catalog),
            None => Ok(self.store.directory(opened.directory, opened.at)?),
        }
    }

    /// Returns the catalog of a directory as the view will show it; that of a removed one is empty.
    pub fn shown_catalog(&self, directory: ElementNo) -> Outcome<Arc<Directory>> {
        match self.view.holder(self.vob, directory)?.and_then(|state| state.at) {
            Some(at) => self.catalog(Opened { directory, at }),
            None => Ok(Arc::default()),
        }
    }

    /// Plans what a name leads to from now on; `note` is the line for the directory's checkout
    /// comment.
    pub fn change(&mut self, opened: Opened, name: &[u8], entry: Option<Entry>, note: String) -> Outcome<()> {
        let edited = self.edited(opened)?;
        let change = NameChange { name: name.into(), entry };
        Arc::make_mut(&mut edited.catalog).apply(std::slice::from_ref(&change));
        edited.changes.push(change);
        edited.notes.extend(Some(note).filter(|note| !note.is_empty()));
        Ok(())
    }

    /// Adds a line to the directory's checkout comment.
    pub fn note(&mut self, opened: Opened, line: String) -> Outcome<()> {
        self.edited(opened)?.notes.push(line);
        Ok(())
    }

    fn edited(&mut self, opened: Opened) -> Outcome<&mut Edited> {
        let at = match self.edited.iter().position(|edited| edited.opened == opened) {
            Some(at) => at,
            None => {
                let catalog = self.store.directory(opened.directory, opened.at)?;
                self.edited.push(Edited { opened, catalog, changes: vec![], notes: vec![] });
                self.edited.len() - 1
            }
        };
        Ok(&mut self.edited[at])
    }

    /// Plans that an element moves to `lost+found` under a name.
    pub fn lose(&mut self, element: ElementNo, name: &[u8]) -> Outcome<()> {
        self.lost.insert(element);
        self.change(Opened::LOST_AND_FOUND, name, Some(Entry::Element(element)), String::new())
    }

    /// The elements that move to `lost+found`.
    pub fn lost(&self) -> &HashSet<ElementNo> {
        &self.lost
    }

    /// Plans a new VOB symbolic link that no directory catalogs yet.
    pub fn make_symlink(&mut self, leaf: &[u8], target: &[u8]) -> Entry {
        let state = self.store.state();
        let number = SymlinkNo(state.next_symlink().0 + self.links.len() as u32);
        let vob = state.header.oid.map(|oid| oid.0).unwrap_or_default();
        let (time, count) = (self.time_ns.to_be_bytes(), number.0.to_be_bytes());
        let oid = Oid::derived(&[&self.view.uuid().0, leaf, &time, b"symbolic link", &count, &vob]);
        self.links.push(Operation::CreateSymlink { number, oid, target: target.into() });
        Entry::Symlink(number)
    }

    /// Says what an entry is, for bookkeeping lines.
    pub fn kind(&self, entry: Entry) -> Outcome<&'static str> {
        match entry {
            Entry::Element(number) => Ok(kind_word(self.element(number)?.kind)),
            Entry::Symlink(_) => Ok("symbolic link"),
        }
    }

    /// Tells whether an entry is a directory element, as a slash behind its name demands.
    pub fn is_directory(&self, entry: Entry) -> Outcome<bool> {
        match entry {
            Entry::Element(number) => Ok(self.element(number)?.kind == ElementKind::Directory),
            Entry::Symlink(_) => Ok(false),
        }
    }

    /// Tells whether the view shows a directory inside another, or the two are one.
    pub fn is_inside(&self, directory: ElementNo, outer: ElementNo) -> Outcome<bool> {
        let (mut seen, mut above) = (vec![directory], vec![directory]);
        while let Some(number) = above.pop() {
            if number == outer {
                return Ok(true);
            }
            for (parent, name) in &self.element(number)?.names {
                if !seen.contains(parent)
                    && self.shown_catalog(*parent)?.get(name) == Some(Entry::Element(number))
                {
                    seen.push(*parent);
                    above.push(*parent);
                }
            }
        }
        Ok(false)
    }

    /// Returns the operations; a comment goes below the bookkeeping lines.
    pub fn operations(self, comment: &str) -> Vec<Operation> {
        let view = self.view.uuid();
        let change = |Edited { opened, changes, mut notes, .. }: Edited| {
            let element = opened.directory;
            match opened.at {
                DirectoryAt::CheckedOut(_) => {
                    notes.extend(Some(comment.to_owned()).filter(|comment| !comment.is_empty()));
                    Operation::ChangeDirectory { element, view, changes, note: notes.join("\n") }
                }
                DirectoryAt::Version(_) if element == ElementNo::LOST_AND_FOUND => {
                    Operation::ChangeInPlace { element, changes }
                }
                DirectoryAt::Version(version) => {
                    Operation::ChangeVersionInPlace { element, version, changes }
                }
            }
        };
        let edited = self.edited.into_iter().filter(|edited| !edited.changes.is_empty());
        self.links.into_iter().chain(edited.map(change)).collect()
    }
}
