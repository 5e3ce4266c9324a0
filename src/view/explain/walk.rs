//! The walk along one path inside a VOB: private names first, then the catalog of the directory version selected, then
//! history.

use super::{Catalogued, Choice, Finding, Search, Verdict};
use crate::store::StoreError;
use crate::view::history::{self, Place};
use crate::view::host::MountedVob;
use crate::view::live::{Events, View};
use crate::view::resolve::NotFound;
use crate::view::storage::ViewStorage;
use crate::vob::element::Seen;
use crate::vob::{BranchNo, Directory, ElementKind, ElementNo, Entry};
use clerestory_specs::{BoundSpec, ErrorReason, PathState, Selection};
use rustix::fs::AtFlags;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

/// How far a walk came.
pub(super) struct Reached {
    /// Names of the path that were used up.
    pub names: usize,
    /// The last of them ends in `@@`, which does not belong to what was found.
    pub mark: bool,
    /// What is there.
    pub finding: Finding,
}

/// A path below a VOB's root, and what it is read with.
pub(super) struct Walk<'a> {
    pub view: &'a View,
    pub vob: &'a MountedVob,
    pub bound: &'a BoundSpec,
    /// Its names; `.` is left out.
    pub names: &'a [&'a [u8]],
}

impl Walk<'_> {
    /// Follows the path as far as the view shows it, to what is there or to the reason that it ends.
    pub fn along(&self) -> Result<Reached, NotFound> {
        let mut path = self.bound.at_vob_root();
        let mut here = self.choose(ElementNo::ROOT, &path)?;
        for (used, name) in self.names.iter().enumerate() {
            let reason = |here: Choice| Reached {
                names: used,
                mark: false,
                finding: Finding::Catalogued(Catalogued::Element(Box::new(here))),
            };
            if here.element.kind == ElementKind::File {
                return Err(NotFound::NotADirectory);
            }
            let catalog = self.catalog(&here)?;
            // Only a VOB's root is there, and holds private files, where no version is selected.
            if catalog.is_none() && here.element.number != ElementNo::ROOT {
                return Ok(reason(here));
            }
            let entry = catalog.as_ref().and_then(|catalog| catalog.get(name));
            let private = ViewStorage::private(&here.element.oid).join(OsStr::from_bytes(name));
            if let Some(stat) = self.stat(&private)? {
                let hides = entry.map(|entry| self.catalogued(entry, &path, name)).transpose()?;
                return self.private(used, private, stat, hides);
            }
            if catalog.is_none() {
                return Ok(reason(here));
            }
            let base = history::extended(name);
            match (entry, base.and_then(|base| catalog.as_ref()?.get(base))) {
                (Some(Entry::Element(number)), _) => {
                    path = self.bound.descend(&path, name);
                    here = self.choose(number, &path)?;
                }
                (Some(link), _) => {
                    let finding = Finding::Catalogued(self.catalogued(link, &path, name)?);
                    return Ok(Reached { names: used + 1, mark: false, finding });
                }
                _ if matches!(*name, b"@@" | b".@@") => {
                    return self.history(used, Place::Element(here.element.number));
                }
                (None, Some(Entry::Element(number))) => return self.history(used, Place::Element(number)),
                // A link is no element: it has no versions.
                (None, Some(Entry::Symlink(_))) => return Err(NotFound::NoSuchName),
                (None, None) => {
                    let search = Search::default();
                    let finding = Finding::Absent { directory: Box::new(here), search };
                    return Ok(Reached { names: used + 1, mark: base.is_some(), finding });
                }
            }
        }
        let finding = Finding::Catalogued(Catalogued::Element(Box::new(here)));
        Ok(Reached { names: self.names.len(), mark: false, finding })
    }

    /// Goes on in a private directory. Where that hides a directory element, the hiding is the reason that a name
    /// is not there.
    fn private(
        &self,
        used: usize,
        mut path: PathBuf,
        mut stat: rustix::fs::Stat,
        hides: Option<Catalogued>,
    ) -> Result<Reached, NotFound> {
        let found = |names, path: PathBuf, stat: rustix::fs::Stat, hides: Option<Catalogued>| {
            let path = self.view.storage.dir().join(path);
            let hides = hides.map(Box::new);
            Ok(Reached {
                names,
                mark: false,
                finding: Finding::Private { path, stat: Box::new(stat), hides },
            })
        };
        let top = (path.clone(), stat);
        for (depth, name) in (used + 1..).zip(&self.names[used + 1..]) {
            // What lies behind a private link is the host's, and nothing a view decides.
            if stat.st_mode & libc::S_IFMT == libc::S_IFLNK {
                return found(depth, path, stat, hides.filter(|_| depth == used + 1));
            }
            path.push(OsStr::from_bytes(name));
            stat = match (self.stat(&path), &hides) {
                (Ok(Some(stat)), _) => stat,
                (Ok(None) | Err(NotFound::NotADirectory), Some(_)) => {
                    return found(used + 1, top.0, top.1, hides);
                }
                (Ok(None), None) => return Err(NotFound::NoSuchName),
                (Err(error), _) => return Err(error),
            };
        }
        let hides = hides.filter(|_| used + 1 == self.names.len());
        found(self.names.len(), path, stat, hides)
    }

    fn history(&self, used: usize, mut place: Place) -> Result<Reached, NotFound> {
        for name in &self.names[used + 1..] {
            let found = history::find(self.vob, &self.view.uuid(), place, name)?;
            place = found.ok_or(NotFound::NoSuchName)?;
        }
        Ok(Reached { names: self.names.len(), mark: false, finding: Finding::History(place) })
    }

    fn catalogued(&self, entry: Entry, parent: &PathState, name: &[u8]) -> Result<Catalogued, NotFound> {
        let path = self.bound.descend(parent, name);
        Ok(match entry {
            Entry::Element(number) => Catalogued::Element(Box::new(self.choose(number, &path)?)),
            Entry::Symlink(number) => {
                let (rule, misses) = self.bound.match_explained(&path);
                Catalogued::Symlink { number, rule, misses }
            }
        })
    }

    fn choose(&self, number: ElementNo, path: &PathState) -> Result<Choice, NotFound> {
        let element = self.vob.element(number)?;
        let uuid = self.view.uuid();
        let origins = Events::of(&self.vob.vob);
        let seen = Seen { element: &element, view: Some(&uuid), origins: &origins };
        let (selection, misses) = self.bound.select_explained(path, &seen);
        let (verdict, rule) = match selection {
            Selection::Version { branch, number, rule } => {
                let version = element.version_at(BranchNo(branch), number);
                (version.map_or(Verdict::Nothing, Verdict::Version), Some(rule))
            }
            Selection::CheckedOut { rule } => (Verdict::CheckedOut, Some(rule)),
            Selection::None { rule } => (Verdict::Nothing, rule),
            Selection::Error { rule, reason: ErrorReason::ErrorRule } => (Verdict::ErrorRule, Some(rule)),
            Selection::Error { rule, reason: ErrorReason::Ambiguous } => {
                let mut candidates = Vec::new();
                self.bound.each_fitting(rule, &seen, &mut |branch, number| {
                    candidates.extend(element.version_at(BranchNo(branch), number));
                });
                candidates.sort_unstable();
                candidates.dedup();
                (Verdict::Ambiguous { candidates }, Some(rule))
            }
        };
        origins.finish()?;
        let has_data = element.kind == ElementKind::Directory
            || element.checkout_of(&uuid).is_none()
            || self.stat(&ViewStorage::checkout(&element.oid))?.is_some();
        Ok(Choice { element, path: path.clone(), verdict, rule, misses, has_data })
    }

    fn catalog(&self, directory: &Choice) -> Result<Option<Arc<Directory>>, StoreError> {
        let read = |at| self.vob.vob.directory(directory.element.number, at);
        directory.catalog_at(self.view).map(read).transpose()
    }

    fn stat(&self, path: &std::path::Path) -> Result<Option<rustix::fs::Stat>, NotFound> {
        match rustix::fs::statat(self.view.storage.root(), path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(rustix::io::Errno::NOTDIR) => Err(NotFound::NotADirectory),
            Err(errno) => Err(NotFound::Host(errno.into())),
        }
    }
}
