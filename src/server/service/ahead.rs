//! Names as a view will show them once a draft is committed.
//!
//! Later arguments of a command may name what earlier ones bring into sight: a directory that is checked out shows
//! the names of another version, one that was made has names at all. Nothing is remembered in the view: what is
//! found here may never be committed.

use super::target::Target;
use crate::server::proto::{Context, Failure, FailureCode, Pname};
use crate::server::state::{Outcome, Server};
use crate::view::live::{Shown, View};
use crate::view::{MountedVob, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Directory, Draft, Element, ElementKind, ElementNo, Entry, Oid, Records};
use clerestory_specs::PathState;
use rustix::fs::AtFlags;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A directory as it will be shown.
#[derive(Clone)]
pub(super) struct Ahead {
    pub number: ElementNo,
    pub oid: Oid,
    /// Which rules' patterns can match below it.
    pub path: PathState,
    /// Which catalog; none where no version is selected.
    pub at: Option<DirectoryAt>,
}

/// What a name in a directory will lead to.
pub(super) enum Name {
    /// An element, what is shown of it, and its place for patterns.
    Element(Arc<Element>, Shown, PathState),
    Symlink,
    /// A private file, which may hide something.
    Private,
    Nothing,
}

/// A walk in one view of one VOB.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub view: &'a Arc<View>,
    pub vob: &'a Arc<MountedVob>,
    /// Who will commit.
    pub login: &'a str,
}

impl Walk<'_> {
    /// Returns the VOB's root directory.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn root(&self, draft: &Draft<'_>) -> Outcome<(Ahead, Arc<Element>, Shown)> {
        let element = read(draft, ElementNo::ROOT)?;
        let path = self.view.bound(self.vob).at_vob_root();
        let shown = self.view.select_ahead(self.vob, &path, &element, self.login);
        Ok((self.place(&element, shown, path), element, shown))
    }

    /// Returns a directory element where it was found.
    pub fn place(&self, element: &Element, shown: Shown, path: PathState) -> Ahead {
        let at = match shown {
            Shown::Version(version, _) => Some(DirectoryAt::Version(version)),
            Shown::CheckedOut(_) => {
                let checkout = element.checkout_of(&self.view.uuid());
                checkout.map(|checkout| DirectoryAt::CheckedOut(checkout.number))
            }
            Shown::Nothing(_) | Shown::Error(_) => None,
        };
        Ahead { number: element.number, oid: element.oid, path, at }
    }

    /// Finds a name in a directory: a private file first, then what is catalogued.
    fn name(&self, draft: &Draft<'_>, here: &Ahead, name: &[u8]) -> Outcome<Name> {
        match self.private(&ViewStorage::private(&here.oid).join(OsStr::from_bytes(name)))? {
            Some(_) => Ok(Name::Private),
            None => self.catalogued(draft, here, &*catalog(draft, here)?, name),
        }
    }

    /// Looks at a place in the view's storage.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn private(&self, place: &Path) -> Outcome<Option<rustix::fs::Stat>> {
        match rustix::fs::statat(self.view.storage.root(), place, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(Failure::system(Vec::new(), &errno.into())),
        }
    }

    /// Finds a name in the catalog of a directory.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn catalogued(
        &self,
        draft: &Draft<'_>,
        here: &Ahead,
        catalog: &Directory,
        name: &[u8],
    ) -> Outcome<Name> {
        let number = match catalog.get(name) {
            Some(Entry::Element(number)) => number,
            Some(Entry::Symlink(_)) => return Ok(Name::Symlink),
            None => return Ok(Name::Nothing),
        };
        let element = read(draft, number)?;
        let path = self.view.bound(self.vob).descend(&here.path, name);
        let shown = self.view.select_ahead(self.vob, &path, &element, self.login);
        Ok(Name::Element(element, shown, path))
    }
}

/// Reads an element that must exist.
pub(super) fn read(draft: &Draft<'_>, number: ElementNo) -> Outcome<Arc<Element>> {
    draft.element(number)?.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))
}

/// An argument of a command, as it is found before the command begins.
pub(super) struct Argument<'a> {
    view: Arc<View>,
    /// The VOB that it is in, if it is there at all.
    pub vob: Arc<MountedVob>,
    /// Its path inside the VOB.
    rest: &'a [u8],
    found: Outcome<Target>,
}

impl Server {
    /// Finds what arguments name. What is not there may come into sight by what an earlier argument does.
    pub(super) fn arguments<'a>(
        &self,
        context: &Context,
        pnames: impl Iterator<Item = &'a Option<Pname>>,
    ) -> Vec<Outcome<Argument<'a>>> {
        let argument = |pname: &'a Option<Pname>| {
            let found = self.target(context, pname);
            let pname =
                pname.as_ref().ok_or_else(|| Failure::internal("an argument came without its name"))?;
            let (view, path) = self.place(context, pname)?;
            match self.host.vob_of(path) {
                Some((vob, rest)) => Ok(Argument { view, vob, rest, found }),
                None => Err(found.err().unwrap_or_else(|| Failure::new(FailureCode::NotInAVob))),
            }
        };
        pnames.map(argument).collect()
    }
}

/// What is known of where names lead, while the arguments of a command are planned in a draft.
#[derive(Default)]
pub(super) struct Known {
    /// Whether directories show other names than before the command.
    moved: bool,
    /// Directories that arguments were found in since the last change of what directories show.
    directories: HashMap<Vec<u8>, Ahead>,
}

impl Known {
    /// Notes that an element will be shown otherwise, which matters if it is a directory.
    pub fn changed(&mut self, element: &Element) {
        if element.kind == ElementKind::Directory {
            self.moved = true;
            self.directories.clear();
        }
    }

    /// Finds the element that an argument will name.
    ///
    /// # Errors
    /// As [`Server::target`].
    pub fn target(&mut self, draft: &Draft<'_>, login: &str, argument: &Argument<'_>) -> Outcome<Target> {
        let Argument { view, vob, rest, found } = argument;
        let names: Vec<&[u8]> = names(rest).collect();
        if !self.moved || names.iter().any(|name| name.windows(2).any(|pair| pair == b"@@")) {
            return found.clone();
        }
        let (view, vob) = (Arc::clone(view), Arc::clone(vob));
        let walk = Walk { view: &view, vob: &vob, login };
        let Some((leaf, above)) = names.split_last() else {
            let (here, element, shown) = walk.root(draft)?;
            return Ok(Target { view, vob, parent: None, element, shown, path: here.path, named: None });
        };
        let key = [view.tag.as_bytes(), b"/", &above.join(&b'/')].concat();
        let here = match self.directories.get(&key) {
            Some(known) => known.clone(),
            None => {
                let found = directory(&walk, draft, above)?;
                self.directories.insert(key, found.clone());
                found
            }
        };
        match walk.name(draft, &here, leaf)? {
            Name::Element(element, shown, path) => {
                let parent = Some((here.number, Box::from(*leaf)));
                Ok(Target { view, vob, parent, element, shown, path, named: None })
            }
            Name::Private => Err(Failure::new(FailureCode::NotAVobObject)),
            Name::Symlink => Err(Failure::new(FailureCode::NotAnElement)),
            Name::Nothing => Err(Failure::new(FailureCode::NoSuchFile)),
        }
    }
}

/// The names of a path inside a VOB.
pub(super) fn names(rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    rest.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

/// Follows names from a VOB's root to a directory.
fn directory(walk: &Walk<'_>, draft: &Draft<'_>, names: &[&[u8]]) -> Outcome<Ahead> {
    let (mut here, ..) = walk.root(draft)?;
    for name in names {
        here = match walk.name(draft, &here, name)? {
            Name::Element(element, shown, path) if element.kind == ElementKind::Directory => {
                walk.place(&element, shown, path)
            }
            Name::Element(..) | Name::Symlink => return Err(Failure::new(FailureCode::NotADirectory)),
            Name::Private => return Err(Failure::new(FailureCode::NotAVobObject)),
            Name::Nothing => return Err(Failure::new(FailureCode::NoSuchFile)),
        };
    }
    Ok(here)
}

/// Reads the names that a directory will show.
pub(super) fn catalog(draft: &Draft<'_>, here: &Ahead) -> Outcome<Arc<Directory>> {
    let at = here.at.ok_or_else(|| Failure::new(FailureCode::NoVersionSelected))?;
    Ok(draft.directory(here.number, at)?)
}
