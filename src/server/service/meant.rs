//! What the arguments of commands that attach something mean in the view: elements and versions, and with
//! -recurse all that is visible below directories.

use super::facts::{self, join};
use crate::server::proto::{Context, Failure, FailureCode, Pname};
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::inode::VobIndex;
use crate::view::private::names_in;
use crate::view::{DirectoryState, Found, MountedVob, Resolved, Shown, View, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{BranchNo, Element, ElementKind, ElementNo, Entry, SymlinkNo, VersionNo};
use std::collections::HashSet;
use std::sync::Arc;

/// Links followed one after another, as the kernel does.
pub(in crate::server::service) const LINKS_MAX: usize = 40;

/// What an argument, or a name below it, means.
#[derive(Copy, Clone, Debug)]
pub enum Meant {
    /// This version.
    Version(VersionNo),
    /// A checkout: the view's own, which stands on this branch, or another view's.
    CheckedOut(Option<BranchNo>),
    /// A branch.
    Branch(BranchNo),
    /// An element, or whichever version of it the command says.
    Element,
}

/// A name, what it means, and what became of it.
pub struct Slot<R> {
    /// The argument that led to it.
    pub argument: u32,
    /// Below the argument.
    pub path: Vec<u8>,
    /// Found by -recurse.
    pub recursed: bool,
    /// Its VOB, by its place among those of the call, and the element.
    pub at: Option<(usize, ElementNo)>,
    /// What it means.
    pub meant: Outcome<Meant>,
    /// None where nothing is to be told.
    pub result: Option<R>,
}

/// How names are looked for.
#[derive(Copy, Clone, Debug, Default)]
pub struct Search {
    /// Also what is visible below directories.
    pub recurse: bool,
    /// Symbolic links lead to what is meant.
    pub follow: bool,
    /// An element of which the view shows no version is meant all the same.
    pub any_version: bool,
}

/// Collects what arguments mean.
pub struct Finder<'a, R> {
    server: &'a Server,
    context: &'a Context,
    search: Search,
    vobs: Vec<Arc<MountedVob>>,
    slots: Vec<Slot<R>>,
    /// Directories that the argument has led into.
    seen: HashSet<(VobIndex, ElementNo)>,
}

/// A name that was found: of which argument, where below it, and where in the view.
struct Name<'a> {
    argument: u32,
    below: Vec<u8>,
    view: &'a Arc<View>,
    /// The path in the view, beginning with the VOB's tag.
    inside: Vec<u8>,
    recursed: bool,
}

impl<'a, R> Finder<'a, R> {
    /// Starts with no name.
    pub fn new(server: &'a Server, context: &'a Context, search: Search) -> Finder<'a, R> {
        Finder { server, context, search, vobs: Vec::new(), slots: Vec::new(), seen: HashSet::new() }
    }

    /// Returns the VOBs, and the names in the order of their arguments.
    pub fn finish(self) -> (Vec<Arc<MountedVob>>, Vec<Slot<R>>) {
        (self.vobs, self.slots)
    }

    /// Finds what a path name argument means, and with -recurse what is below it.
    pub fn argument(&mut self, argument: u32, pname: &Pname) {
        self.seen.clear();
        let found = self.server.place(self.context, pname).and_then(|(view, inside)| {
            let resolved = self.server.host.resolve(&view, inside)?;
            Ok((view, inside, resolved))
        });
        let first = found.and_then(|(view, inside, resolved)| {
            let (below, inside) = (Vec::new(), inside.to_vec());
            self.found(Name { argument, below, view: &view, inside, recursed: false }, resolved)
        });
        match first {
            Err(failure) => self.slots.push(failed(argument, Vec::new(), false, failure)),
            Ok(first) => self.below(first.into_iter().collect()),
        }
    }

    /// Notes what a name means. Answers the directory of which the names are to be gone through next.
    fn found(&mut self, name: Name<'_>, resolved: Resolved) -> Outcome<Option<Level>> {
        let (name, resolved) = match resolved.found {
            Found::Symlink(link) if self.search.follow => self.follow(name, resolved.vob, link)?,
            _ => (name, resolved),
        };
        let vob = &resolved.vob;
        let (meant, number) = match &resolved.found {
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
            Found::Element { element, shown, .. } => {
                self.element(&name, vob, element, *shown);
                let is_shown = matches!(shown, Shown::Version(..) | Shown::CheckedOut(_));
                if !(self.search.recurse && is_shown && self.enters(vob, element)) {
                    return Ok(None);
                }
                let state = name.view.directory(vob, element.number)?;
                return Level::new(name, vob, state).map(Some);
            }
            Found::History(place) => match *place {
                Place::Version(number, version) | Place::Directory(number, DirectoryAt::Version(version)) => {
                    (Meant::Version(version), number)
                }
                Place::Element(number) => (Meant::Element, number),
                Place::Branch(number, branch) => (Meant::Branch(branch), number),
                Place::OwnCheckout(number) | Place::OtherCheckout(number, _) => {
                    (self.checked_out(name.view, &*vob.element(number)?), number)
                }
                Place::Directory(number, DirectoryAt::CheckedOut(_)) => {
                    (self.checked_out(name.view, &*vob.element(number)?), number)
                }
                Place::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
            },
        };
        self.push(name, vob, number, Ok(meant));
        Ok(None)
    }

    /// Tells whether an element is a directory that this argument has not led into yet: links may lead upwards.
    fn enters(&mut self, vob: &MountedVob, element: &Element) -> bool {
        element.kind == ElementKind::Directory && self.seen.insert((vob.index, element.number))
    }

    fn checked_out(&self, view: &View, element: &Element) -> Meant {
        Meant::CheckedOut(element.checkout_of(&view.uuid()).map(|own| own.branch))
    }

    fn element(&mut self, name: &Name<'_>, vob: &Arc<MountedVob>, element: &Element, shown: Shown) {
        let meant = match shown {
            Shown::Version(version, _) => Ok(Meant::Version(version)),
            Shown::CheckedOut(_) => Ok(self.checked_out(name.view, element)),
            // Another version than the view's may be meant.
            Shown::Nothing(_) | Shown::Error(_) if self.search.any_version => Ok(Meant::Element),
            Shown::Nothing(_) | Shown::Error(_) => Err(Failure::new(FailureCode::NoVersionSelected)),
        };
        let name = Name {
            argument: name.argument,
            below: name.below.clone(),
            view: name.view,
            inside: Vec::new(),
            recursed: name.recursed,
        };
        self.push(name, vob, element.number, meant);
    }

    /// The place of a VOB among those of the call.
    pub fn place_of(&mut self, vob: &Arc<MountedVob>) -> usize {
        let known = self.vobs.iter().position(|known| known.index == vob.index);
        known.unwrap_or_else(|| {
            self.vobs.push(Arc::clone(vob));
            self.vobs.len() - 1
        })
    }

    fn push(&mut self, name: Name<'_>, vob: &Arc<MountedVob>, number: ElementNo, meant: Outcome<Meant>) {
        let place = self.place_of(vob);
        let Name { argument, below: path, recursed, .. } = name;
        self.slots.push(Slot { argument, path, recursed, at: Some((place, number)), meant, result: None });
    }

    /// Goes through what is visible below directories: names in their order, a directory before what is in it.
    fn below(&mut self, mut levels: Vec<Level>) {
        while let Some(level) = levels.last_mut() {
            let Some((leaf, entry)) = level.names.next() else {
                levels.pop();
                continue;
            };
            let (view, vob) = (Arc::clone(&level.view), Arc::clone(&level.vob));
            let (argument, below) = (level.argument, join(&level.below, &leaf));
            let (inside, recursed) = (join(&level.inside, &leaf), true);
            let name = Name { argument, below: below.clone(), view: &view, inside, recursed };
            let state = Arc::clone(&level.state);
            let found = match entry {
                Entry::Symlink(_) if !self.search.follow => continue,
                Entry::Symlink(link) => {
                    self.follow(name, vob, link).and_then(|(name, resolved)| self.found(name, resolved))
                }
                Entry::Element(number) => self.entry(name, &vob, &state, &leaf, number),
            };
            match found {
                Ok(next) => levels.extend(next),
                Err(failure) => self.slots.push(failed(argument, below, recursed, failure)),
            }
        }
    }

    /// The same for an element that a directory catalogs.
    fn entry(
        &mut self,
        name: Name<'_>,
        vob: &Arc<MountedVob>,
        state: &Arc<DirectoryState>,
        leaf: &[u8],
        number: ElementNo,
    ) -> Outcome<Option<Level>> {
        let element = vob.element(number)?;
        let path = name.view.bound(vob).descend(&state.path, leaf);
        let shown = name.view.select(vob, &path, &element);
        if !matches!(shown, Shown::Version(..) | Shown::CheckedOut(_)) {
            return Ok(None);
        }
        self.element(&name, vob, &element, shown);
        if !self.enters(vob, &element) {
            return Ok(None);
        }
        let state = facts::enter(name.view, vob, state, leaf, number)?;
        Level::new(name, vob, state).map(Some)
    }

    /// Finds where a symbolic link leads to: no link itself. A link on the way of its text is not followed.
    fn follow<'n>(
        &self,
        name: Name<'n>,
        mut vob: Arc<MountedVob>,
        mut link: SymlinkNo,
    ) -> Outcome<(Name<'n>, Resolved)> {
        let mut inside = name.inside.clone();
        for _ in 0..LINKS_MAX {
            let target = vob.vob.symlink(link)?.target.clone();
            inside = joined(&inside, &target);
            let below = self.server.below_viewroot(&inside);
            let path = below.map_or(inside.clone(), |(_, path)| path.to_vec());
            let resolved = self.server.host.resolve(name.view, &path)?;
            match resolved.found {
                Found::Symlink(next) => (vob, link, inside) = (resolved.vob, next, path),
                _ => return Ok((Name { inside: path, ..name }, resolved)),
            }
        }
        Err(Failure { errno: libc::ELOOP, ..Failure::new(FailureCode::SystemError) })
    }
}

/// A directory of which names are still to come.
struct Level {
    argument: u32,
    below: Vec<u8>,
    inside: Vec<u8>,
    view: Arc<View>,
    vob: Arc<MountedVob>,
    state: Arc<DirectoryState>,
    names: std::vec::IntoIter<(Vec<u8>, Entry)>,
}

impl Level {
    fn new(name: Name<'_>, vob: &Arc<MountedVob>, state: Arc<DirectoryState>) -> Outcome<Level> {
        let Name { argument, below, view, inside, .. } = name;
        let (view, vob) = (Arc::clone(view), Arc::clone(vob));
        let private = names_in(view.storage.root(), &ViewStorage::private(&state.element.oid));
        let private: HashSet<Vec<u8>> = private
            .map_err(|refusal| Failure::other(format!("private files cannot be listed: {refusal:?}")))?
            .into_iter()
            .collect();
        let names: Vec<(Vec<u8>, Entry)> = state
            .catalog
            .iter()
            .filter(|(name, _)| !private.contains(*name))
            .map(|(name, entry)| (name.to_vec(), entry))
            .collect();
        let element_of = |(_, entry): &(Vec<u8>, Entry)| match entry {
            Entry::Element(number) => Some(*number),
            Entry::Symlink(_) => None,
        };
        vob.vob.prefetch(&names.iter().filter_map(element_of).collect::<Vec<_>>())?;
        Ok(Level { argument, below, inside, view, vob, state, names: names.into_iter() })
    }
}

fn failed<R>(argument: u32, path: Vec<u8>, recursed: bool, failure: Failure) -> Slot<R> {
    Slot { argument, path, recursed, at: None, meant: Err(failure), result: None }
}

/// Where a link at a path leads to: `.` and `..` cleaned.
pub(in crate::server::service) fn joined(link: &[u8], target: &[u8]) -> Vec<u8> {
    let parent = link.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |place| &link[..place]);
    let parent = if target.starts_with(b"/") { b"" } else { parent };
    let mut names: Vec<&[u8]> = Vec::new();
    for name in parent.split(|byte| *byte == b'/').chain(target.split(|byte| *byte == b'/')) {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.iter().fold(Vec::new(), |path, name| [&path[..], b"/", name].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_their_directory() {
        assert_eq!(joined(b"/vobs/x/src/l", b"../inc/./a.h"), b"/vobs/x/inc/a.h");
        assert_eq!(joined(b"/vobs/x/l", b"/vobs/y//b"), b"/vobs/y/b");
        assert_eq!(joined(b"/l", b"../../a"), b"/a");
    }
}
