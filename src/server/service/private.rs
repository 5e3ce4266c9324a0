//! `ListPrivate`: everything a view has of its own, with names under which it can be found.
//!
//! A directory element that the view does not show any more strands what is private in it. Such files are called
//! by a version of the directory above that still catalogs theirs, or else by identities. Rows are sent as they are
//! found: a view with many private files needs memory for its directories only.

use super::facts::{Names, join};
use crate::server::identity::Caller;
use crate::server::proto::private_item::Item;
use crate::server::proto::{
    ArgumentFailure, Failure, FailureCode, ListPrivateRequest, PrivateItem, PrivateRow,
};
use crate::server::state::{Outcome, Server};
use crate::view::access::MAY_SEARCH;
use crate::view::live::DEPTH_MAX;
use crate::view::private::names_in;
use crate::view::resolve::{checkout_id, version_id};
use crate::view::{Host, MountedVob, View, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Element, ElementNo, Entry, Oid, VersionNo};
use rustix::fs::{Mode, OFlags};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Permission to list a directory and to reach what is in it, as one digit of a mode.
const LIST_AND_SEARCH: u32 = 5;

/// How a directory or an element of a view's storage can be called.
pub(super) enum Called {
    /// By a path that leads to it in the view.
    Shown(Vec<u8>),
    /// By a path through a version of a directory, in a VOB.
    Extended(Vec<u8>),
    /// By its identity in a VOB: no directory version catalogs it.
    Uncatalogued,
    /// No mounted VOB knows it.
    Unavailable,
}

/// What a view has in one directory.
#[derive(Default)]
struct Group {
    /// The private directory.
    private: Option<Oid>,
    /// Data of checked-out files by their names.
    checkouts: BTreeMap<Vec<u8>, Data>,
    /// The VOB.
    vob: Option<Arc<MountedVob>>,
}

/// Data of a checked-out file.
struct Data {
    oid: Oid,
    /// The element, unless it is not checked out to the view or not known.
    element: Option<Arc<Element>>,
}

/// Finds names for what is in a view's storage.
pub(super) struct Finder<'a> {
    host: &'a Host,
    view: &'a Arc<View>,
    vobs: &'a [Arc<MountedVob>],
    names: Vec<Names<'a>>,
    /// Whether the path of a directory leads to it, as far as that was asked.
    leading: HashMap<(usize, ElementNo), bool>,
    /// The extended paths of elements, as far as they were asked for.
    extended: HashMap<(usize, ElementNo), Option<Vec<u8>>>,
}

impl<'a> Finder<'a> {
    pub fn new(host: &'a Host, view: &'a Arc<View>, vobs: &'a [Arc<MountedVob>]) -> Finder<'a> {
        let names = vobs.iter().map(|vob| Names::new(Some(view), vob, b"")).collect();
        Finder { host, view, vobs, names, leading: HashMap::new(), extended: HashMap::new() }
    }

    /// Finds an element by its identity: its VOB's place among the VOBs, and the element; what is left of
    /// its record where it was removed.
    ///
    /// # Errors
    /// If a VOB cannot be read.
    pub fn element(&self, oid: &Oid) -> Outcome<Option<(usize, Arc<Element>)>> {
        for (place, vob) in self.vobs.iter().enumerate() {
            if let Some(element) = vob.vob.ever_with_oid(oid)? {
                return Ok(Some((place, element)));
            }
        }
        Ok(None)
    }

    /// Finds how a directory can be called.
    ///
    /// # Errors
    /// If a VOB cannot be read.
    pub fn directory(&mut self, vob: usize, number: ElementNo) -> Outcome<Called> {
        if self.vobs[vob].vob.element(number)?.is_none() {
            return Ok(Called::Uncatalogued);
        }
        if let Some((path, state)) = self.names[vob].directory(number)?
            && (state.at.is_some() || number == ElementNo::ROOT)
            && self.leads_to(vob, number)?
        {
            return Ok(Called::Shown(path));
        }
        self.extended(vob, number, &mut Vec::new())
            .map(|path| path.map_or(Called::Uncatalogued, Called::Extended))
    }

    /// Tells whether the path of a directory leads to it: a private object may cover it, or a directory above it.
    /// What is above is asked once for all that is below.
    fn leads_to(&mut self, vob: usize, number: ElementNo) -> Outcome<bool> {
        let (mut at, mut way) = (number, Vec::new());
        let leads = loop {
            if let Some(known) = self.leading.get(&(vob, at)) {
                break *known;
            }
            way.push(at);
            if at == ElementNo::ROOT {
                let tag = &self.vobs[vob].tag;
                break self.host.vob_of(tag.as_bytes()).is_some_and(|(found, _)| found.tag == *tag);
            }
            let Some((_, state)) = self.names[vob].directory(at)?.filter(|(_, state)| state.at.is_some())
            else {
                break false;
            };
            let Some((above, name)) = &state.parent else { break false };
            let above_oid = self.vobs[vob].element(*above)?.oid;
            let private = ViewStorage::private(&above_oid).join(OsStr::from_bytes(name));
            if self.view.storage.dir().join(private).symlink_metadata().is_ok() {
                break false;
            }
            at = *above;
        };
        self.leading.extend(way.into_iter().map(|at| ((vob, at), leads)));
        Ok(leads)
    }

    /// Finds how a file can be called: the directory, and the name in it.
    ///
    /// # Errors
    /// If a VOB cannot be read.
    pub fn file(&mut self, vob: usize, element: &Element) -> Outcome<(Called, Vec<u8>)> {
        if let Some((directory, name, _)) = self.names[vob].shown_name(element)? {
            return Ok((Called::Shown(directory), name.to_vec()));
        }
        if !element.removed
            && let Some(path) = self.extended(vob, element.number, &mut Vec::new())?
            && let Some(slash) = path.iter().rposition(|byte| *byte == b'/')
        {
            return Ok((Called::Extended(path[..slash].to_vec()), path[slash + 1..].to_vec()));
        }
        Ok((Called::Uncatalogued, format!("<FILE-{}>", element.oid).into_bytes()))
    }

    /// Finds a path through the newest directory version that catalogs an element. `on_the_way` keeps from going in
    /// circles.
    fn extended(
        &mut self,
        vob: usize,
        number: ElementNo,
        on_the_way: &mut Vec<ElementNo>,
    ) -> Outcome<Option<Vec<u8>>> {
        if let Some(known) = self.extended.get(&(vob, number)) {
            return Ok(known.clone());
        }
        if on_the_way.contains(&number) || on_the_way.len() == DEPTH_MAX {
            return Ok(None);
        }
        on_the_way.push(number);
        let mounted = &self.vobs[vob];
        let element = mounted.element(number)?;
        let mut found = None;
        for (parent, name) in element.names.iter().rev() {
            let Some(above) = mounted.vob.element(*parent)? else { continue };
            let Some(version) = cataloguing_version(mounted, &above, name, number)? else {
                continue;
            };
            let shown = self.names[vob].directory(*parent)?.filter(|(_, state)| state.at.is_some());
            let above_path = match shown {
                Some((path, _)) if *parent == ElementNo::ROOT => Some([&path[..], b"/.@@"].concat()),
                Some((path, _)) => Some([&path[..], b"@@"].concat()),
                None if *parent == ElementNo::ROOT => Some([mounted.tag.as_bytes(), b"/.@@"].concat()),
                None => self.extended(vob, *parent, on_the_way)?,
            };
            if let Some(above_path) = above_path {
                let inside = join(version.as_bytes(), name);
                found = Some([above_path, inside].concat());
                break;
            }
        }
        on_the_way.pop();
        // On the way to another one, a circle may have hidden a name.
        if found.is_some() || on_the_way.is_empty() {
            self.extended.insert((vob, number), found.clone());
        }
        Ok(found)
    }
}

/// Finds the newest version of a directory that catalogs an element by a name.
fn cataloguing_version(
    vob: &MountedVob,
    directory: &Element,
    name: &[u8],
    number: ElementNo,
) -> Outcome<Option<String>> {
    let state = vob.vob.state();
    let mut versions: Vec<VersionNo> = directory.present_versions().map(|(number, _)| number).collect();
    while let Some(version) = versions.pop() {
        let catalog = vob.vob.directory(directory.number, DirectoryAt::Version(version))?;
        if catalog.get(name) == Some(Entry::Element(number)) {
            return Ok(Some(version_id(&state, directory, version)));
        }
    }
    Ok(None)
}

/// The name of a directory that no path leads to.
pub(super) fn by_identity(vob: Option<&MountedVob>, oid: &Oid) -> Vec<u8> {
    match vob {
        Some(vob) => format!("#<{}>/<DIR-{oid}>", vob.tag).into_bytes(),
        None => format!("#<{UNAVAILABLE_VOB}>/<DIR-{oid}>").into_bytes(),
    }
}

/// What stands for every VOB that is not there: a private directory does not say which VOB it belongs to.
pub(super) const UNAVAILABLE_VOB: &str = "Unavailable-VOB-1";

/// The identities by which a directory of a view's storage is divided.
///
/// # Errors
/// If it cannot be read.
pub(super) fn identities(view: &View, below: &str) -> Outcome<Vec<Oid>> {
    let path = view.storage.dir().join(below);
    let failed = |error: std::io::Error| Failure::system(path.as_os_str().as_bytes(), &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse::<Oid>().ok()));
    }
    found.sort();
    Ok(found)
}

impl Server {
    /// Sends a row for everything private to a view; `send` answers whether there is still somebody to send to.
    ///
    /// # Errors
    /// If the call as a whole is refused; directories that cannot be read are items.
    pub fn list_private(
        &self,
        caller: &Caller,
        request: &ListPrivateRequest,
        send: &mut dyn FnMut(PrivateItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let current = self.current_tag(context);
        let view = match request.tag.as_str() {
            "" => self.current_view(context)?,
            tag => self.started_view(tag)?,
        };
        self.permit_in_view(caller, &view, MAY_SEARCH, "list private files")?;
        let is_current = current == Some(view.tag.as_str());
        let above = if is_current { Vec::new() } else { self.root_of(&view) };
        let mut scopes: Vec<Vec<u8>> = Vec::new();
        for (argument, pname) in (0..).zip(&request.vobs) {
            match self.vob_of(context, pname) {
                Ok(vob) => scopes.push(vob.tag.clone().into_bytes()),
                Err(failure) => drop(send(failed(argument, Vec::new(), failure))),
            }
        }
        for (argument, pname) in (0..).zip(&request.directories) {
            let inside = self.below_viewroot(&pname.absolute).map_or(&pname.absolute[..], |(_, path)| path);
            match self.host.resolve(&view, inside) {
                Ok(_) => scopes.push(inside.to_vec()),
                Err(error) => drop(send(failed(argument, Vec::new(), error.into()))),
            }
        }
        let everywhere = request.vobs.is_empty() && request.directories.is_empty();
        let mut listing = Listing { view: &view, caller, above, scopes, everywhere, request, send };
        let vobs = self.host.vobs();
        for (path, group) in listing.groups(&self.host, &vobs)? {
            if !listing.group(&path, &group)? {
                break;
            }
        }
        Ok(())
    }

    /// The directory below the view root that shows a view.
    pub(super) fn root_of(&self, view: &View) -> Vec<u8> {
        self.home.viewroot().join(&view.tag).into_os_string().into_vec()
    }

    /// Refuses who has not these rights in a view.
    pub(super) fn permit_in_view(
        &self,
        caller: &Caller,
        view: &View,
        wanted: u16,
        operation: &str,
    ) -> Outcome<()> {
        let daemon = rustix::process::geteuid().as_raw();
        let access = view.storage.access();
        if caller.user_id == daemon || access.allows(caller.user_id, |group| caller.in_group(group), wanted) {
            return Ok(());
        }
        let mut must_be_one_of = vec!["view owner".to_owned()];
        if access.mode >> 3 & wanted == wanted {
            must_be_one_of.push("view group member".to_owned());
        }
        must_be_one_of.push("root".to_owned());
        Err(Failure {
            operation: operation.to_owned(),
            must_be_one_of,
            view_tag: view.tag.clone(),
            ..Failure::new(FailureCode::Permission)
        })
    }
}

fn failed(argument: u32, path: Vec<u8>, failure: Failure) -> PrivateItem {
    let failure = Some(failure);
    PrivateItem { item: Some(Item::Failure(ArgumentFailure { argument, path, failure })) }
}

/// A listing under way. What its functions answer is whether somebody wants more.
struct Listing<'a> {
    view: &'a Arc<View>,
    caller: &'a Caller,
    above: Vec<u8>,
    /// Paths that are listed with everything below them.
    scopes: Vec<Vec<u8>>,
    everywhere: bool,
    request: &'a ListPrivateRequest,
    send: &'a mut dyn FnMut(PrivateItem) -> bool,
}

impl Listing<'_> {
    fn wants_checkouts(&self) -> bool {
        let ListPrivateRequest { checkouts, derived_objects, others, .. } = self.request;
        *checkouts || !(*derived_objects || *others)
    }

    fn wants_others(&self) -> bool {
        let ListPrivateRequest { checkouts, derived_objects, others, .. } = self.request;
        *others || !(*checkouts || *derived_objects)
    }

    /// Sorts what the storage holds by directories.
    fn groups(&self, host: &Host, vobs: &[Arc<MountedVob>]) -> Outcome<BTreeMap<Vec<u8>, Group>> {
        let mut finder = Finder::new(host, self.view, vobs);
        let mut groups: BTreeMap<Vec<u8>, Group> = BTreeMap::new();
        let private = if self.wants_others() { identities(self.view, "private")? } else { Vec::new() };
        for oid in private {
            let (path, vob) = match finder.element(&oid)? {
                None => (by_identity(None, &oid), None),
                Some((vob, element)) => match finder.directory(vob, element.number)? {
                    Called::Shown(path) | Called::Extended(path) => (path, Some(vob)),
                    _ => (by_identity(Some(&vobs[vob]), &oid), Some(vob)),
                },
            };
            let group = groups.entry(path).or_default();
            group.private = Some(oid);
            group.vob = vob.map(|vob| Arc::clone(&vobs[vob]));
        }
        for oid in identities(self.view, "checkout")? {
            let found = finder.element(&oid)?;
            let vob = found.as_ref().map(|(vob, _)| &vobs[*vob]);
            let held = found.as_ref().filter(|(_, element)| element.checkout_of(&self.view.uuid()).is_some());
            let wanted = if held.is_some() { self.wants_checkouts() } else { self.wants_others() };
            if !wanted {
                continue;
            }
            let Some((vob, element)) = held else {
                let tag = vob.map_or(UNAVAILABLE_VOB, |vob| vob.tag.as_str());
                let directory = format!("#<{tag}>").into_bytes();
                let name = format!("<FILE-{oid}>").into_bytes();
                groups.entry(directory).or_default().checkouts.insert(name, Data { oid, element: None });
                continue;
            };
            let vob = *vob;
            let (directory, name) = match finder.file(vob, element)? {
                (Called::Shown(path) | Called::Extended(path), name) => (path, name),
                (_, name) => (format!("#<{}>", vobs[vob].tag).into_bytes(), name),
            };
            let group = groups.entry(directory).or_default();
            group.vob = Some(Arc::clone(&vobs[vob]));
            group.checkouts.insert(name, Data { oid, element: Some(Arc::clone(element)) });
        }
        Ok(groups)
    }

    /// Sends what is in one directory.
    fn group(&mut self, path: &[u8], group: &Group) -> Outcome<bool> {
        let near = |scope: &Vec<u8>| is_below(path, scope) || is_below(scope, path);
        if !self.everywhere && !self.scopes.iter().any(near) {
            return Ok(true);
        }
        let mut names: Vec<(Vec<u8>, Option<&Data>)> = Vec::new();
        let private = group.private.map(|oid| ViewStorage::private(&oid));
        if let Some(private) = &private {
            let private = self.view.storage.dir().join(private);
            names.extend(names_of(&private)?.into_iter().map(|name| (name, None)));
        }
        names.extend(group.checkouts.iter().map(|(name, data)| (name.clone(), Some(data))));
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, data) in names {
            let path = join(path, &name);
            let goes_on = match (data, &private) {
                (Some(data), _) => self.data(path, data, group.vob.as_deref())?,
                (None, Some(private)) => self.below(path, &private.join(OsStr::from_bytes(&name)))?,
                (None, None) => true,
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn data(&mut self, path: Vec<u8>, data: &Data, vob: Option<&MountedVob>) -> Outcome<bool> {
        let mut row = PrivateRow::default();
        let checkout = data
            .element
            .as_ref()
            .and_then(|element| Some((element, element.checkout_of(&self.view.uuid())?, vob?.vob.state())));
        if let Some((element, checkout, state)) = checkout {
            row.version = checkout_id(&state, element, checkout).into_bytes();
            row.checked_out_from = version_id(&state, element, checkout.from).into_bytes();
        }
        self.row(path, row, &ViewStorage::checkout(&data.oid)).map(|sent| sent.0)
    }

    /// Sends a private object, at a place in the storage, and, for a directory, everything below it.
    fn below(&mut self, path: Vec<u8>, place: &Path) -> Outcome<bool> {
        let mut waiting = vec![(path, place.to_owned())];
        let root = self.view.storage.root();
        while let Some((path, place)) = waiting.pop() {
            let near = self.everywhere
                || self.scopes.iter().any(|scope| is_below(&path, scope) || is_below(scope, &path));
            if !near {
                continue;
            }
            let (goes_on, directory) = self.row(path.clone(), PrivateRow::default(), &place)?;
            if !goes_on {
                return Ok(false);
            }
            let Some(directory) = directory else { continue };
            let names = if self.caller.is_root() || self.caller.may(&directory, LIST_AND_SEARCH) {
                let listed = reach(root, &place).and_then(|(dir, path)| {
                    names_in(&dir, &path).map_err(|refusal| std::io::Error::other(format!("{refusal:?}")))
                });
                listed.map_err(|error| Failure::system(Vec::new(), &error))
            } else {
                Err(Failure::system(Vec::new(), &std::io::Error::from_raw_os_error(libc::EACCES)))
            };
            match names {
                Ok(mut names) => {
                    names.sort_by(|a, b| b.cmp(a));
                    waiting.extend(
                        names
                            .into_iter()
                            .map(|name| (join(&path, &name), place.join(OsStr::from_bytes(&name)))),
                    );
                }
                Err(failure) => {
                    let failure = Failure { name: Vec::new(), ..failure };
                    let path = [&self.above[..], &path].concat();
                    if !(self.send)(failed(0, path, failure)) {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Sends a row of a place in the storage if it is wanted; answers whether to go on, and the metadata of a
    /// directory.
    fn row(&mut self, path: Vec<u8>, row: PrivateRow, place: &Path) -> Outcome<(bool, Option<Metadata>)> {
        let found = match metadata(self.view.storage.root(), place) {
            Ok(found) => found,
            // Gone since its directory was read.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((true, None)),
            Err(error) => return Err(Failure::system(place.as_os_str().as_bytes(), &error)),
        };
        let wanted = self.everywhere || self.scopes.iter().any(|scope| is_below(&path, scope));
        let is_directory = found.is_dir();
        // An identity stands alone: it is below no view.
        let path = if path.starts_with(b"#") { path } else { [&self.above[..], &path].concat() };
        let row = PrivateRow {
            path,
            directory: is_directory,
            size_bytes: found.len(),
            accessed_s: found.atime(),
            modified_s: found.mtime(),
            ..row
        };
        let goes_on = !wanted || (self.send)(PrivateItem { item: Some(Item::Row(row)) });
        Ok((goes_on, is_directory.then_some(found)))
    }
}

/// Bytes of a path that one system call takes: PATH_MAX (include/uapi/linux/limits.h), and room for a name.
const PATH_BYTES_MAX: usize = 3_800;

/// Finds a place in the storage, however deep it is: a directory, and a path in it that one call takes.
fn reach(root: &OwnedFd, place: &Path) -> std::io::Result<(OwnedFd, PathBuf)> {
    let (mut dir, mut path) = (root.try_clone()?, PathBuf::new());
    for name in place {
        if path.as_os_str().len() + name.len() > PATH_BYTES_MAX {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            dir = rustix::fs::openat(&dir, &path, flags, Mode::empty())?;
            path = PathBuf::new();
        }
        path.push(name);
    }
    Ok((dir, path))
}

/// What the host says of a place in the storage.
fn metadata(root: &OwnedFd, place: &Path) -> std::io::Result<Metadata> {
    let (dir, path) = reach(root, place)?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    File::from(rustix::fs::openat(dir, &path, flags, Mode::empty())?).metadata()
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || rest.starts_with(b"@@"))
}

/// The names in a directory of the storage; none where it is gone.
pub(super) fn names_of(path: &Path) -> Outcome<Vec<Vec<u8>>> {
    let failed = |error: std::io::Error| Failure::system(path.as_os_str().as_bytes(), &error);
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let names: Result<Vec<Vec<u8>>, std::io::Error> =
        entries.map(|entry| entry.map(|entry| entry.file_name().into_vec())).collect();
    names.map_err(failed)
}
