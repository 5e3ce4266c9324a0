//! Attributes and listings: what the mount answers about objects.

use super::super::departed::FileVersion;
use super::super::history::{self, Place};
use super::super::host::{Host, MountedVob};
use super::super::inode::{Numbered, ViewIndex};
use super::super::live::{View, cookie};
use super::super::private::{self, Place as PrivatePlace, names_in};
use super::super::resolve::{self, NotFound};
use super::super::storage::ViewStorage;
use super::{Approach, Here, Led, os_name, refuse};
use crate::vob::element::file_permissions;
use crate::vob::{Content, ElementKind, ElementNo, Entry, SymlinkNo, VersionNo};
use clerestory_mount::{Attributes, FileKind, Inode, Listed, Namespace, Refusal, Time};
use rustix::fs::AtFlags;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// A listing under way.
pub struct Listing<'a> {
    /// Entries up to this position were given before.
    pub after: u64,
    /// Whether entries carry attributes.
    pub with_attributes: bool,
    /// Takes an entry; false when there is no room.
    pub sink: &'a mut dyn FnMut(Listed) -> bool,
    /// The newest entry, not given yet: it may be the last.
    pub held: Option<(OsString, u64, Attributes)>,
}

/// Marks the position behind a listing's last entry. Who has all asks once more, for the end: names that are new since
/// are no part of what he has.
const LAST: u64 = 1 << 62;

impl Listing<'_> {
    /// Gives `.` and `..`; false when there is no room.
    pub fn dots(&mut self, own: Inode, parent: Inode) -> bool {
        [(1, ".", own), (2, "..", parent)].into_iter().all(|(cookie, name, inode)| {
            let kind = FileKind::Directory;
            cookie <= self.after
                || (self.sink)(Listed { name: name.into(), cookie, inode, kind, attributes: None })
        })
    }

    /// The lookups that an entry counts as.
    pub fn lookups(&self) -> u64 {
        self.with_attributes.into()
    }

    /// Gives an entry; false when there is no room.
    fn give(&mut self, (name, cookie, attributes): (OsString, u64, Attributes)) -> bool {
        let (inode, kind) = (attributes.inode, attributes.kind);
        let attributes = self.with_attributes.then_some(attributes);
        (self.sink)(Listed { name, cookie, inode, kind, attributes })
    }
}

/// What a version whose data was removed shows as its size. Of an empty file the kernel would answer the end
/// without asking, and a reader would take it for empty.
const REMOVED_DATA_BYTES: u64 = 1;

fn time_of(nanoseconds: i64) -> Time {
    Time {
        seconds: nanoseconds.div_euclid(1_000_000_000),
        nanoseconds: nanoseconds.rem_euclid(1_000_000_000) as u32,
    }
}

fn inode_of(numbered: Numbered) -> Result<Inode, Refusal> {
    numbered.inode().ok_or_else(|| {
        tracing::error!(?numbered, "the mount's inode numbers have no room for this object");
        Refusal::Io
    })
}

impl Host {
    /// A directory in no VOB, which nobody can write.
    pub(super) fn plain_directory(&self, inode: Inode) -> Attributes {
        Attributes {
            inode,
            kind: FileKind::Directory,
            permissions: 0o555,
            links: 1,
            uid: 0,
            gid: 0,
            device: 0,
            size: 0,
            blocks: 0,
            accessed: self.started,
            modified: self.started,
            changed: self.started,
        }
    }

    /// The placeholder of another view's checkout, or of the own one while its data is removed.
    pub(super) fn placeholder(&self, inode: Inode) -> Attributes {
        Attributes { kind: FileKind::File, permissions: 0, ..self.plain_directory(inode) }
    }

    pub(super) fn above_attributes(&self, view: ViewIndex, number: u32) -> Result<Attributes, Refusal> {
        let plain = self.plain_directory(inode_of(Numbered::Above(view, number))?);
        if number != 0 {
            return Ok(plain);
        }
        // The top of a view: who may not search it sees nothing of the view. Nothing can be made in it.
        let access = self.view_numbered(view).ok_or(Refusal::Stale)?.storage.access();
        let permissions = access.mode & 0o555;
        Ok(Attributes { uid: access.owner, gid: access.group, permissions, ..plain })
    }

    pub(super) fn directory_attributes(&self, here: &Here) -> Result<Attributes, Refusal> {
        let inode = inode_of(Numbered::Directory(here.view.index, here.vob.index, here.number))?;
        let element = &here.state.element;
        let version = match here.state.at {
            Some(crate::vob::apply::DirectoryAt::Version(version)) => version,
            _ => element.newest(crate::vob::BranchNo::ROOT),
        };
        let mut modified = time_of(element.version(version).created_ns);
        if here.state.has_private() != Some(false) {
            let root = here.view.storage.root();
            if let Ok(found) = rustix::fs::statat(root, here.private_dir(), AtFlags::SYMLINK_NOFOLLOW) {
                let time = Time { seconds: found.st_mtime, nanoseconds: found.st_mtime_nsec as u32 };
                modified = modified.max(time);
            }
        }
        Ok(Attributes {
            inode,
            kind: FileKind::Directory,
            permissions: element.mode,
            links: 1,
            uid: element.owner,
            gid: element.group,
            device: 0,
            size: 0,
            blocks: 0,
            accessed: modified,
            modified,
            changed: modified,
        })
    }

    pub(super) fn version_attributes(
        &self,
        vob: &MountedVob,
        element: ElementNo,
        number: VersionNo,
    ) -> Result<Attributes, Refusal> {
        let FileVersion { version, owner, group, mode } = self.file_version(vob, element, number)?;
        let time = time_of(version.created_ns);
        let size = match version.content {
            Content::Removed => REMOVED_DATA_BYTES,
            content => content.size(),
        };
        Ok(Attributes {
            inode: inode_of(Numbered::Version(vob.index, element, number))?,
            kind: FileKind::File,
            permissions: file_permissions(mode, version.executable),
            links: 1,
            uid: owner,
            gid: group,
            device: 0,
            size,
            blocks: size.div_ceil(512),
            accessed: time,
            modified: time,
            changed: time,
        })
    }

    pub(super) fn symlink_attributes(
        &self,
        vob: &MountedVob,
        number: SymlinkNo,
    ) -> Result<Attributes, Refusal> {
        let link = vob.vob.symlink(number).map_err(refuse)?;
        let header = vob.vob.state().header;
        let time = time_of(link.created_ns);
        Ok(Attributes {
            inode: inode_of(Numbered::Symlink(vob.index, number))?,
            kind: FileKind::Symlink,
            permissions: 0o777,
            links: 1,
            uid: header.owner,
            gid: header.group,
            device: 0,
            size: link.target.len() as u64,
            blocks: 0,
            accessed: time,
            modified: time,
            changed: time,
        })
    }

    pub(super) fn history_attributes(
        &self,
        vob: &MountedVob,
        place: Place,
        inode: Inode,
    ) -> Result<Attributes, Refusal> {
        let number = match place {
            Place::Element(number) | Place::Branch(number, _) | Place::Directory(number, _) => number,
            _ => return Err(Refusal::Stale),
        };
        let element = vob.element(number).map_err(refuse)?;
        let created_ns = match place {
            Place::Directory(_, crate::vob::apply::DirectoryAt::Version(version)) => {
                element.find_version(version).ok_or(Refusal::Stale)?.created_ns
            }
            Place::Branch(_, branch) => {
                let branch = element.find_branch(branch).ok_or(Refusal::Stale)?;
                branch.versions.last().map_or(0, |newest| element.version(*newest).created_ns)
            }
            _ => element.present_versions().last().map_or(0, |(_, newest)| newest.created_ns),
        };
        let time = time_of(created_ns);
        let (uid, gid) = (element.owner, element.group);
        Ok(Attributes {
            uid,
            gid,
            accessed: time,
            modified: time,
            changed: time,
            ..self.plain_directory(inode)
        })
    }

    fn private_attributes(
        &self,
        view: &View,
        found: &rustix::fs::Stat,
        place: PrivatePlace,
        lookups: u64,
    ) -> Result<Attributes, Refusal> {
        let inode = inode_of(Numbered::Private(view.index, found.st_ino))?;
        if lookups > 0 {
            view.private.note(found.st_ino, place, lookups);
        }
        Ok(private::attributes(inode, found))
    }

    /// Turns what a name led to into attributes; none where checked-out data was removed.
    ///
    /// `lookups` are counted here, together with the place: a FORGET that is answered at the
    /// same time must not find a number that the kernel is about to hold without a count.
    pub(super) fn answer(
        &self,
        here: &Here,
        name: &[u8],
        parent: Inode,
        led: Led,
        lookups: u64,
    ) -> Result<Option<Attributes>, Refusal> {
        Ok(Some(match led {
            Led::Private(found) => {
                let place = PrivatePlace::Path(here.private_dir().join(OsStr::from_bytes(name)));
                self.private_attributes(&here.view, &found, place, lookups)?
            }
            Led::Checkout(_, None) => return Ok(None),
            Led::Checkout(element, Some(found)) => {
                let place = PrivatePlace::Path(ViewStorage::checkout(&element.oid));
                self.private_attributes(&here.view, &found, place, lookups)?
            }
            Led::Directory(state, number) => {
                self.directory_attributes(&Here { state, number, ..here.clone() })?
            }
            Led::Version(element, version) => self.version_attributes(&here.vob, element.number, version)?,
            Led::Symlink(number) => self.symlink_attributes(&here.vob, number)?,
            Led::History(place) => {
                self.enter_history(&here.view, &here.vob, (parent, name), place, lookups)?
            }
        }))
    }

    /// Turns a place of the history name space into attributes.
    fn enter_history(
        &self,
        view: &View,
        vob: &MountedVob,
        (parent, name): (Inode, &[u8]),
        place: Place,
        lookups: u64,
    ) -> Result<Attributes, Refusal> {
        match place {
            Place::Version(number, version) => self.version_attributes(vob, number, version),
            Place::Symlink(number) => self.symlink_attributes(vob, number),
            Place::OwnCheckout(number) => {
                let element = vob.element(number).map_err(refuse)?;
                // The data comes and goes without a commit: no answer about this name may be remembered.
                self.advance_epoch();
                let path = ViewStorage::checkout(&element.oid);
                match rustix::fs::statat(view.storage.root(), &path, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(found) => self.private_attributes(view, &found, PrivatePlace::Path(path), lookups),
                    Err(rustix::io::Errno::NOENT) => {
                        let checkout = element.checkout_of(&view.uuid()).ok_or(Refusal::NotFound)?;
                        Ok(self.placeholder(inode_of(Numbered::Placeholder(vob.index, checkout.number))?))
                    }
                    Err(errno) => Err(errno.into()),
                }
            }
            Place::OtherCheckout(_, number) => {
                Ok(self.placeholder(inode_of(Numbered::Placeholder(vob.index, number))?))
            }
            Place::Element(_) | Place::Branch(..) | Place::Directory(..) => {
                let number = match lookups {
                    // A plain listing tells a number for show only.
                    0 => cookie(name) >> 4,
                    _ => self.history.number((parent, name), view.index, vob.index, place, lookups),
                };
                self.history_attributes(vob, place, inode_of(Numbered::History(number))?)
            }
        }
    }

    pub(super) fn lookup_above(
        &self,
        view: ViewIndex,
        number: u32,
        name: &[u8],
    ) -> Result<Option<Attributes>, Refusal> {
        let above = self.above(number).ok_or(Refusal::Stale)?;
        let Ok(name) = std::str::from_utf8(name) else {
            return Ok(None);
        };
        let path = format!("{above}/{name}");
        if let Some(vob) = self.vob(&path) {
            return Ok(Some(self.directory_attributes(&self.here(view, vob.index, ElementNo::ROOT)?)?));
        }
        self.above_numbered(&path).map(|number| self.above_attributes(view, number)).transpose()
    }

    /// Gives a directory's names to a listing, in the order of their positions.
    pub(super) fn list_names(&self, directory: Inode, listing: &mut Listing<'_>) -> Result<(), Refusal> {
        match self.numbered(directory)? {
            Numbered::Root => {
                let mut names: Vec<(u64, String, ViewIndex)> = Vec::new();
                names.extend(self.views().iter().map(|v| (cookie(v.tag.as_bytes()), v.tag.clone(), v.index)));
                names.sort_unstable();
                if !listing.dots(directory, directory) {
                    return Ok(());
                }
                for (cookie, name, view) in names {
                    let attributes = self.above_attributes(view, 0)?;
                    if !self.put(listing, name.as_bytes(), cookie, attributes) {
                        break;
                    }
                }
                Ok(())
            }
            Numbered::Above(view, number) => self.list_above(view, number, directory, listing),
            Numbered::Directory(view, vob, number) => {
                let here = self.here(view, vob, number)?;
                let listed = self.list_directory(&here, directory, listing);
                self.tell_switched_of(&here.view);
                listed
            }
            Numbered::History(number) => self.list_history(number, directory, listing),
            Numbered::Private(view, number) => self.list_private(view, number, directory, listing),
            _ => Err(Refusal::NotDirectory),
        }
    }

    pub(super) fn list_above(
        &self,
        view: ViewIndex,
        number: u32,
        own: Inode,
        listing: &mut Listing<'_>,
    ) -> Result<(), Refusal> {
        let above = self.above(number).ok_or(Refusal::Stale)?;
        if !listing.dots(own, own) {
            return Ok(());
        }
        let mut names: BTreeMap<(u64, String), Attributes> = BTreeMap::new();
        for vob in self.vobs() {
            let Some(rest) = vob.tag.strip_prefix(&above).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            let (name, more) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            let attributes = match more {
                false => self.directory_attributes(&self.here(view, vob.index, ElementNo::ROOT)?)?,
                true => match self.above_numbered(&format!("{above}/{name}")) {
                    Some(number) => self.above_attributes(view, number)?,
                    None => continue,
                },
            };
            names.insert((cookie(name.as_bytes()), name.to_owned()), attributes);
        }
        for ((cookie, name), attributes) in names {
            if !self.put(listing, name.as_bytes(), cookie, attributes) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn list_directory(
        &self,
        here: &Here,
        own: Inode,
        listing: &mut Listing<'_>,
    ) -> Result<(), Refusal> {
        if !listing.dots(own, own) {
            return Ok(());
        }
        let private = match here.state.has_private() {
            Some(false) => Vec::new(),
            _ => names_in(here.view.storage.root(), &here.private_dir())?,
        };
        let mut private: BTreeMap<u64, Vec<u8>> = private
            .into_iter()
            .map(|name| (cookie(&name), name))
            .filter(|(c, _)| *c > listing.after)
            .collect();
        let entries: Vec<(&[u8], Entry)> = here.state.catalog.iter().collect();
        let order = here.state.order();
        let start = order.partition_point(|(cookie, _)| *cookie <= listing.after);
        let wanted: Vec<ElementNo> = order[start..]
            .iter()
            .filter_map(|(_, index)| match entries[*index as usize].1 {
                Entry::Element(number) => Some(number),
                Entry::Symlink(_) => None,
            })
            .collect();
        here.vob.vob.prefetch(&wanted).map_err(refuse)?;
        let approach = if listing.with_attributes { Approach::Enter } else { Approach::Glance };
        for (position, index) in &order[start..] {
            let (name, entry) = entries[*index as usize];
            // Private names that come before this one.
            while let Some(first) = private.first_entry().filter(|first| first.key() < position) {
                let (cookie, name) = first.remove_entry();
                if !self.list_private_name(here, &name, cookie, listing)? {
                    return Ok(());
                }
            }
            if private.get(position).is_some_and(|hidden| hidden == name) {
                continue;
            }
            let found = match here.catalogued(name, entry, approach).map_err(refuse)? {
                Ok(Some(led)) => self.answer(here, name, own, led, listing.lookups())?,
                Ok(None) | Err(_) => None,
            };
            if let Some(attributes) = found
                && !self.put(listing, name, *position, attributes)
            {
                return Ok(());
            }
        }
        for (cookie, name) in private {
            if !self.list_private_name(here, &name, cookie, listing)? {
                break;
            }
        }
        Ok(())
    }

    fn list_private_name(
        &self,
        here: &Here,
        name: &[u8],
        cookie: u64,
        listing: &mut Listing<'_>,
    ) -> Result<bool, Refusal> {
        // Removed since its directory was read: no entry.
        let Some(found) = here.private(name)? else {
            return Ok(true);
        };
        let place = PrivatePlace::Path(here.private_dir().join(OsStr::from_bytes(name)));
        self.list_private_file(&here.view, name, &found, place, cookie, listing)
    }

    /// Gives an entry to a listing, once the next one is here; the lookups that entries were counted with are taken back
    /// if there is no room for them.
    pub(super) fn put(
        &self,
        listing: &mut Listing<'_>,
        name: &[u8],
        cookie: u64,
        attributes: Attributes,
    ) -> bool {
        if cookie <= listing.after {
            return true;
        }
        match listing.held.replace((os_name(name), cookie, attributes)) {
            Some(before) => self.give(listing, before),
            None => true,
        }
    }

    /// Gives the entry that was held back: the last one, if all were.
    pub(super) fn end_listing(&self, listing: &mut Listing<'_>, all: bool) {
        if let Some((name, cookie, attributes)) = listing.held.take() {
            self.give(listing, (name, if all { cookie | LAST } else { cookie }, attributes));
        }
    }

    fn give(&self, listing: &mut Listing<'_>, entry: (OsString, u64, Attributes)) -> bool {
        let inode = entry.2.inode;
        let taken = listing.give(entry);
        if !taken {
            let held = listing.held.take().map(|(_, _, attributes)| attributes.inode);
            [Some(inode), held].into_iter().flatten().for_each(|inode| self.forget(inode, listing.lookups()));
        }
        taken
    }

    /// Gives a private file to a listing. Only a listing with attributes tells the kernel its
    /// number for keeps.
    fn list_private_file(
        &self,
        view: &View,
        name: &[u8],
        found: &rustix::fs::Stat,
        place: PrivatePlace,
        cookie: u64,
        listing: &mut Listing<'_>,
    ) -> Result<bool, Refusal> {
        let attributes = self.private_attributes(view, found, place, listing.lookups())?;
        Ok(self.put(listing, name, cookie, attributes))
    }

    pub(super) fn lookup_private(
        &self,
        view: ViewIndex,
        number: u64,
        name: &[u8],
    ) -> Result<Option<Attributes>, Refusal> {
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        let (dir, path) = view.private.at(view.storage.root(), number)?;
        match rustix::fs::statat(&dir, path.join(OsStr::from_bytes(name)), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => {
                let place = PrivatePlace::Within(number, name.into());
                Ok(Some(self.private_attributes(&view, &found, place, 1)?))
            }
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn list_private(
        &self,
        view: ViewIndex,
        number: u64,
        own: Inode,
        listing: &mut Listing<'_>,
    ) -> Result<(), Refusal> {
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        if view.private.orphan(number).is_some() {
            return Ok(());
        }
        let (dir, path) = view.private.at(view.storage.root(), number)?;
        if !listing.dots(own, own) {
            return Ok(());
        }
        let mut names: Vec<(u64, Vec<u8>)> =
            names_in(&dir, &path)?.into_iter().map(|name| (cookie(&name), name)).collect();
        names.retain(|(cookie, _)| *cookie > listing.after);
        names.sort_unstable();
        for (cookie, name) in names {
            let found =
                rustix::fs::statat(&dir, path.join(OsStr::from_bytes(&name)), AtFlags::SYMLINK_NOFOLLOW);
            let found = match found {
                Ok(found) => found,
                Err(rustix::io::Errno::NOENT) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let place = PrivatePlace::Within(number, name.clone().into());
            if !self.list_private_file(&view, &name, &found, place, cookie, listing)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn lookup_history(
        &self,
        parent: Inode,
        number: u64,
        name: &[u8],
    ) -> Result<Option<Attributes>, Refusal> {
        let node = self.history.get(number).ok_or(Refusal::Stale)?;
        let view = self.view_numbered(node.view).ok_or(Refusal::Stale)?;
        let vob = self.vob_numbered(node.vob).ok_or(Refusal::Stale)?;
        let found = history::find(&vob, &view.uuid(), node.place, name).map_err(refuse)?;
        if found.is_none()
            && let Place::Element(directory) = node.place
        {
            return self.lookup_stranded(&view, &vob, directory, name);
        }
        match found.map(|place| self.enter_history(&view, &vob, (parent, name), place, 1)).transpose() {
            // The own checkout's data was removed.
            Err(Refusal::NotFound) => Ok(None),
            other => other,
        }
    }

    /// Finds what the view has in a directory element that it does not show: `DIR@@/main/N/SUB/name`, as `lsprivate`
    /// calls it.
    fn lookup_stranded(
        &self,
        view: &Arc<View>,
        vob: &Arc<MountedVob>,
        directory: ElementNo,
        name: &[u8],
    ) -> Result<Option<Attributes>, Refusal> {
        let element = vob.element(directory).map_err(refuse)?;
        if element.kind != ElementKind::Directory {
            return Ok(None);
        }
        // It comes and goes with what the view shows: no answer about this name may be remembered.
        self.advance_epoch();
        let stranded = resolve::stranded(view, vob, &element, name).map_err(|error| match error {
            NotFound::Store(error) => refuse(error),
            _ => Refusal::Io,
        })?;
        stranded
            .map(|(path, found)| self.private_attributes(view, &found, PrivatePlace::Path(path), 1))
            .transpose()
    }

    pub(super) fn list_history(
        &self,
        number: u64,
        own: Inode,
        listing: &mut Listing<'_>,
    ) -> Result<(), Refusal> {
        let node = self.history.get(number).ok_or(Refusal::Stale)?;
        let view = self.view_numbered(node.view).ok_or(Refusal::Stale)?;
        let vob = self.vob_numbered(node.vob).ok_or(Refusal::Stale)?;
        if !listing.dots(own, node.parent) {
            return Ok(());
        }
        let mut names: Vec<(u64, Vec<u8>, Place)> = history::list(&vob, &view.uuid(), node.place)
            .map_err(refuse)?
            .into_iter()
            .map(|(name, place)| (cookie(&name), name, place))
            .filter(|(cookie, ..)| *cookie > listing.after)
            .collect();
        names.sort_unstable_by_key(|(cookie, ..)| *cookie);
        for (cookie, name, place) in names {
            let attributes = match self.enter_history(&view, &vob, (own, &name), place, listing.lookups()) {
                Err(Refusal::NotFound) => continue,
                other => other?,
            };
            if !self.put(listing, &name, cookie, attributes) {
                break;
            }
        }
        Ok(())
    }
}
