//! Finds what a path names in a view, for commands: not through the kernel, and with what the
//! mount does not tell, such as elements of which no version is selected.

use super::history::{self, Place};
use super::host::{Host, MountedVob};
use super::live::{DirectoryState, Shown, View};
use super::storage::ViewStorage;
use crate::store::StoreError;
use crate::vob::{
    BranchNo, Checkout, Directory, Element, ElementKind, ElementNo, Entry, SymlinkNo, VersionNo, VobState,
};
use clerestory_specs::PathState;
use rustix::fs::AtFlags;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The object at the end of a path.
#[derive(Clone, Debug)]
pub enum Found {
    /// An element's name in a directory the view shows; `Shown` says what of it.
    Element {
        /// The element.
        element: Arc<Element>,
        /// What the view shows of it.
        shown: Shown,
        /// Whether the data of a checked-out file is there.
        has_data: bool,
        /// Whether a private file hides it.
        eclipsed: bool,
    },
    /// A private file; it may hide an element, named in `hides`.
    Private {
        /// Where it is on the host.
        path: PathBuf,
        /// What the host says of it.
        stat: Box<rustix::fs::Stat>,
        /// The catalogued entry of that name.
        hides: Option<Entry>,
    },
    /// A VOB symbolic link.
    Symlink(SymlinkNo),
    /// A place below `@@`.
    History(Place),
}

/// A path in a view, resolved.
#[derive(Clone)]
pub struct Resolved {
    /// The VOB it is in.
    pub vob: Arc<MountedVob>,
    /// The live VOB directory that holds the name, and the name; none for a VOB's root and
    /// for places below `@@` or in private directories.
    pub parent: Option<(ElementNo, Box<[u8]>)>,
    /// What it is.
    pub found: Found,
}

/// Why a path names nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// It is in no mounted VOB.
    #[error("not within a VOB")]
    NotInVob,
    /// There is no such name.
    #[error("no such file or directory")]
    NoSuchName,
    /// A name on the way is no directory.
    #[error("not a directory")]
    NotADirectory,
    /// The VOB cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The view's storage cannot be read.
    #[error(transparent)]
    Host(#[from] std::io::Error),
}

enum At {
    Live(ElementNo, Arc<DirectoryState>),
    Private(PathBuf),
    History(Place),
}

impl Host {
    /// Resolves a path inside a view, beginning with a VOB's tag. The last name may be one of
    /// which the view shows nothing.
    ///
    /// # Errors
    /// See [`NotFound`].
    pub fn resolve(&self, view: &Arc<View>, path: &[u8]) -> Result<Resolved, NotFound> {
        let (vob, rest) = self.vob_of(path).ok_or(NotFound::NotInVob)?;
        vob.vob.clone().consistently(|| self.resolve_in(view, &vob, rest))
    }

    fn resolve_in(&self, view: &Arc<View>, vob: &Arc<MountedVob>, rest: &[u8]) -> Result<Resolved, NotFound> {
        let root = view.root(vob)?;
        let names: Vec<&[u8]> =
            rest.split(|byte| *byte == b'/').filter(|n| !n.is_empty() && *n != b".").collect();
        let shown = view.select(vob, &root.path, &root.element);
        let element = Arc::clone(&root.element);
        let mut found = Found::Element { element, shown, has_data: true, eclipsed: false };
        let mut at = Some(At::Live(ElementNo::ROOT, root));
        let mut parent = None;
        for name in names {
            let here = at.take().ok_or(NotFound::NotADirectory)?;
            (found, at, parent) = self.step(view, vob, here, name)?;
        }
        Ok(Resolved { vob: Arc::clone(vob), parent, found })
    }

    #[allow(clippy::type_complexity)]
    fn step(
        &self,
        view: &Arc<View>,
        vob: &Arc<MountedVob>,
        at: At,
        name: &[u8],
    ) -> Result<(Found, Option<At>, Option<(ElementNo, Box<[u8]>)>), NotFound> {
        match at {
            At::Live(number, state) => {
                if let Some((found, at)) = live_name(view, vob, number, &state, name)? {
                    return Ok((found, at, Some((number, name.into()))));
                }
                let place = if matches!(name, b"@@" | b".@@") {
                    Place::Element(number)
                } else {
                    match history::extended(name).and_then(|base| state.catalog.get(base)) {
                        Some(Entry::Element(element)) => Place::Element(element),
                        Some(Entry::Symlink(_)) | None => return Err(NotFound::NoSuchName),
                    }
                };
                Ok((Found::History(place), Some(At::History(place)), None))
            }
            At::Private(path) => {
                let path = path.join(OsStr::from_bytes(name));
                let stat = stat(view, &path)?.ok_or(NotFound::NoSuchName)?;
                let below = below_private(&path, &stat);
                Ok((private(view, &path, stat, None), below, None))
            }
            At::History(place) => {
                let found = history::find(vob, &view.uuid(), place, name)?;
                if let (None, Place::Element(number)) = (found, place)
                    && let Some((path, stat)) = stranded(view, vob, &*vob.element(number)?, name)?
                {
                    let below = below_private(&path, &stat);
                    return Ok((private(view, &path, stat, None), below, None));
                }
                let found = found.ok_or(NotFound::NoSuchName)?;
                Ok((Found::History(found), found.is_directory().then_some(At::History(found)), None))
            }
        }
    }
}

fn private(view: &View, path: &Path, stat: rustix::fs::Stat, hides: Option<Entry>) -> Found {
    Found::Private { path: view.storage.dir().join(path), stat: Box::new(stat), hides }
}

/// Where names below a private object are. A private link is not followed, as one of the VOB is not: in the storage
/// it would lead elsewhere than in the view.
fn below_private(path: &Path, stat: &rustix::fs::Stat) -> Option<At> {
    let is_directory = stat.st_mode & libc::S_IFMT == libc::S_IFDIR;
    is_directory.then(|| At::Private(path.to_owned()))
}

fn stat(view: &View, path: &Path) -> Result<Option<rustix::fs::Stat>, NotFound> {
    match rustix::fs::statat(view.storage.root(), path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(rustix::io::Errno::NOTDIR) => Err(NotFound::NotADirectory),
        Err(errno) => Err(NotFound::Host(errno.into())),
    }
}

/// Finds a name in a directory a view shows: private files first, then the catalog.
fn live_name(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    number: ElementNo,
    state: &Arc<DirectoryState>,
    name: &[u8],
) -> Result<Option<(Found, Option<At>)>, NotFound> {
    let entry = state.catalog.get(name);
    let path = ViewStorage::private(&state.element.oid).join(OsStr::from_bytes(name));
    if let Some(stat) = stat(view, &path)? {
        let below = below_private(&path, &stat);
        return Ok(Some((private(view, &path, stat, entry), below)));
    }
    let Some(entry) = entry else { return Ok(None) };
    Ok(Some(catalogued(view, vob, number, state, (name, entry), true)?))
}

/// Finds what a view shows for a catalogued name, private files aside; `goes_on` says whether what is below a directory is
/// wanted.
fn catalogued(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    number: ElementNo,
    state: &DirectoryState,
    (name, entry): (&[u8], Entry),
    goes_on: bool,
) -> Result<(Found, Option<At>), NotFound> {
    let child = match entry {
        Entry::Symlink(link) => return Ok((Found::Symlink(link), None)),
        Entry::Element(child) => child,
    };
    let element = vob.element(child)?;
    let path = view.bound(vob).descend(&state.path, name);
    let shown = view.select(vob, &path, &element);
    let mut below = None;
    let mut has_data = true;
    match (element.kind, shown) {
        (ElementKind::Directory, Shown::Version(..) | Shown::CheckedOut(_)) if goes_on => {
            let state = view.enter(vob, child, path, state.generation, Some((number, name.into())))?;
            below = Some(At::Live(child, state));
        }
        (ElementKind::File, _) if element.checkout_of(&view.uuid()).is_some() => {
            has_data = stat(view, &ViewStorage::checkout(&element.oid))?.is_some();
        }
        _ => {}
    }
    Ok((Found::Element { element, shown, has_data, eclipsed: false }, below))
}

/// Finds what a view has by a name in a directory element that it does not show: where in its storage, and what the
/// host says of it.
///
/// # Errors
/// See [`NotFound`].
pub(super) fn stranded(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    directory: &Element,
    name: &[u8],
) -> Result<Option<(PathBuf, rustix::fs::Stat)>, NotFound> {
    let path = ViewStorage::private(&directory.oid).join(OsStr::from_bytes(name));
    match stat(view, &path)? {
        Some(stat) if !is_shown(view, vob, directory)? => Ok(Some((path, stat))),
        _ => Ok(None),
    }
}

/// Tells whether a view shows an element by some name: one that nothing private hides, in a directory that it
/// shows likewise.
///
/// # Errors
/// See [`NotFound`].
pub fn is_shown(view: &Arc<View>, vob: &Arc<MountedVob>, element: &Element) -> Result<bool, NotFound> {
    is_shown_above(view, vob, element, &mut vec![element.number])
}

/// `way` keeps from going in circles: two directories may have held each other at different times.
fn is_shown_above(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    element: &Element,
    way: &mut Vec<ElementNo>,
) -> Result<bool, NotFound> {
    if element.number == ElementNo::ROOT {
        return Ok(true);
    }
    for (parent, name) in element.names.iter().rev() {
        if way.contains(parent) {
            continue;
        }
        let Some(state) = view.holder(vob, *parent)? else { continue };
        if state.catalog.get(name) != Some(Entry::Element(element.number)) {
            continue;
        }
        let private = ViewStorage::private(&state.element.oid).join(OsStr::from_bytes(name));
        let path = view.bound(vob).descend(&state.path, name);
        let shown = view.select(vob, &path, element);
        if matches!(shown, Shown::Nothing(_) | Shown::Error(_)) || stat(view, &private)?.is_some() {
            continue;
        }
        way.push(*parent);
        let above = is_shown_above(view, vob, &*vob.element(*parent)?, way)?;
        way.pop();
        if above {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One entry of a VOB directory as a view shows it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name.
    pub name: Vec<u8>,
    /// What it is.
    pub found: Found,
}

/// Lists a VOB directory as commands show it: private files, and every catalogued name,
/// eclipsed ones and those without a version included.
///
/// # Errors
/// See [`NotFound`].
pub fn rows(view: &Arc<View>, vob: &Arc<MountedVob>, number: ElementNo) -> Result<Vec<Row>, NotFound> {
    let state = view.directory(vob, number)?;
    let dir = ViewStorage::private(&state.element.oid);
    let mut rows = Vec::new();
    let private_names = super::private::names_in(view.storage.root(), &dir).map_err(|refusal| {
        NotFound::Host(std::io::Error::other(format!("private files cannot be listed: {refusal:?}")))
    })?;
    let mut hidden = std::collections::HashSet::new();
    for name in private_names {
        let path = dir.join(OsStr::from_bytes(&name));
        if let Some(stat) = stat(view, &path)? {
            let found = private(view, &path, stat, state.catalog.get(&name));
            hidden.insert(name.clone());
            rows.push(Row { name, found });
        }
    }
    let catalog: Arc<Directory> = Arc::clone(&state.catalog);
    for (name, entry) in catalog.iter() {
        let (mut found, _) = catalogued(view, vob, number, &state, (name, entry), false)?;
        if let Found::Element { eclipsed, .. } = &mut found {
            *eclipsed = hidden.contains(name);
        }
        rows.push(Row { name: name.to_vec(), found });
    }
    // A private name comes before the element it hides.
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// Prints a branch path: `/main/bugfix`.
pub fn branch_id(state: &VobState, element: &Element, branch: BranchNo) -> String {
    element
        .branch_path(branch)
        .into_iter()
        .fold(String::new(), |path, branch_type| path + "/" + state.type_name(branch_type))
}

/// Prints a version: `/main/bugfix/3`.
pub fn version_id(state: &VobState, element: &Element, version: VersionNo) -> String {
    let version = element.version(version);
    format!("{}/{}", branch_id(state, element, version.branch), version.number)
}

/// Prints a checkout: `/main/bugfix/CHECKEDOUT`.
pub fn checkout_id(state: &VobState, element: &Element, checkout: &Checkout) -> String {
    format!("{}/CHECKEDOUT", branch_id(state, element, checkout.branch))
}

/// Returns the path state of a name in a directory: for selection at that path.
///
/// # Errors
/// If the VOB cannot be read.
pub fn path_of(
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    parent: Option<&(ElementNo, Box<[u8]>)>,
) -> Result<PathState, StoreError> {
    match parent {
        None => Ok(view.root(vob)?.path.clone()),
        Some((parent, name)) => Ok(view.bound(vob).descend(&view.directory(vob, *parent)?.path, name)),
    }
}
