//! The mount's name space: answers the kernel's requests from live selection, private files
//! and history.
//!
//! Each request takes what it needs from the tables of [`Host`] and works without a lock on
//! anything shared.

mod answer;
mod modify;
mod xattr;

use super::departed::FileVersion;
use super::history::{self, Place};
use super::host::{Host, MountedVob};
use super::inode::{Numbered, ViewIndex, VobIndex};
use super::live::{DirectoryState, Shown, View};
use super::private;
use super::storage::ViewStorage;
use super::watch::What;
use crate::store::StoreError;
use crate::store::pool::ContentId;
use crate::vob::{Content, Element, ElementKind, ElementNo, Entry, VersionNo};
use answer::Listing;
use clerestory_mount::{
    Attributes, Caller, Change, Inode, Listed, Namespace, Refusal, RenameMode, Seek, Statistics, XattrMode,
};
use modify::NewMode;
use rustix::fs::AtFlags;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Turns a failure of the storage into what the kernel is told, and says it in the log.
pub(super) fn refuse(error: StoreError) -> Refusal {
    // The kernel may hold the number of what was removed meanwhile.
    if error.is_gone() {
        return Refusal::Stale;
    }
    tracing::error!(%error, "a request failed");
    if error.is_no_space() { Refusal::NoSpace } else { Refusal::Io }
}

/// What a name in a VOB directory leads to.
pub(super) enum Led {
    /// A view-private file.
    Private(rustix::fs::Stat),
    /// The data of a file checked out to the view; none where it was removed.
    Checkout(Arc<Element>, Option<rustix::fs::Stat>),
    /// A directory element.
    Directory(Arc<DirectoryState>, ElementNo),
    /// A file version.
    Version(Arc<Element>, VersionNo),
    /// A VOB symbolic link.
    Symlink(crate::vob::SymlinkNo),
    /// A place below `@@`.
    History(Place),
}

/// What becomes of a directory that a name leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Approach {
    /// The kernel takes it in under that name.
    Enter,
    /// The kernel only hears of it.
    Glance,
}

/// A VOB directory in a view.
#[derive(Clone)]
pub(super) struct Here {
    pub view: Arc<View>,
    pub vob: Arc<MountedVob>,
    pub number: ElementNo,
    pub state: Arc<DirectoryState>,
}

impl Here {
    /// Returns where the view keeps what it has in this directory, relative to its storage.
    pub fn private_dir(&self) -> PathBuf {
        ViewStorage::private(&self.state.element.oid)
    }

    /// Finds a private file of this directory.
    pub fn private(&self, name: &[u8]) -> Result<Option<rustix::fs::Stat>, Refusal> {
        if self.state.has_private() == Some(false) {
            return Ok(None);
        }
        let root = self.view.storage.root();
        if self.state.has_private().is_none() {
            let present = rustix::fs::statat(root, self.private_dir(), AtFlags::SYMLINK_NOFOLLOW).is_ok();
            self.state.set_has_private(present);
            if !present {
                return Ok(None);
            }
        }
        let path = self.private_dir().join(OsStr::from_bytes(name));
        match rustix::fs::statat(root, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Finds what a name leads to: private files first, then the catalog, then history.
    pub fn find(&self, name: &[u8]) -> Result<Option<Led>, Refusal> {
        if let Some(found) = self.private(name)? {
            return Ok(Some(Led::Private(found)));
        }
        if let Some(entry) = self.state.catalog.get(name) {
            return self.catalogued(name, entry, Approach::Enter).map_err(refuse)?;
        }
        if matches!(name, b"@@" | b".@@") {
            return Ok(Some(Led::History(Place::Element(self.number))));
        }
        match history::extended(name).and_then(|base| self.state.catalog.get(base)) {
            Some(Entry::Element(element)) => Ok(Some(Led::History(Place::Element(element)))),
            Some(Entry::Symlink(_)) | None => Ok(None),
        }
    }

    /// Finds what the view shows for a catalogued name.
    pub fn catalogued(
        &self,
        name: &[u8],
        entry: Entry,
        approach: Approach,
    ) -> Result<Result<Option<Led>, Refusal>, StoreError> {
        let bound = self.view.bound(&self.vob);
        let path = bound.descend(&self.state.path, name);
        let number = match entry {
            Entry::Symlink(link) => {
                return Ok(Ok(bound.any_rule_matches(&path).then_some(Led::Symlink(link))));
            }
            Entry::Element(number) => number,
        };
        // A commit that removes it is being told.
        let Some(element) = self.vob.vob.element(number)? else {
            return Ok(Ok(None));
        };
        if element.kind == ElementKind::Directory {
            let known = self.view.known_directory(self.vob.index, number);
            // The parent itself may be reached by another path than before.
            let same_place = |state: &Arc<DirectoryState>| {
                let by = |(parent, n): &(ElementNo, Box<[u8]>)| *parent == self.number && n.as_ref() == name;
                state.path == path && state.parent.as_ref().is_some_and(by)
            };
            let state = match known.filter(same_place) {
                Some(state) => state,
                None => {
                    let place = Some((self.number, name.into()));
                    let (view, generation) = (&self.view, self.state.generation);
                    match approach {
                        Approach::Enter => {
                            view.enter_for_kernel(&self.vob, number, path, generation, place)?
                        }
                        Approach::Glance => view.glance(&self.vob, number, path, generation, place)?,
                    }
                }
            };
            if state.at.is_none() {
                return match self.view.select(&self.vob, &state.path, &state.element) {
                    Shown::Error(_) => Ok(Err(Refusal::Io)),
                    _ => Ok(Ok(None)),
                };
            }
            return Ok(Ok(Some(Led::Directory(state, number))));
        }
        Ok(match self.view.select(&self.vob, &path, &element) {
            Shown::Version(version, _) => Ok(Some(Led::Version(element, version))),
            Shown::CheckedOut(_) => {
                self.checkout_data(&element).map(|found| Some(Led::Checkout(element, found)))
            }
            Shown::Nothing(_) => Ok(None),
            Shown::Error(_) => Err(Refusal::Io),
        })
    }

    /// Finds the data of a file checked out to the view.
    pub fn checkout_data(&self, element: &Element) -> Result<Option<rustix::fs::Stat>, Refusal> {
        let path = ViewStorage::checkout(&element.oid);
        match rustix::fs::statat(self.view.storage.root(), path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Host {
    pub(super) fn here(&self, view: ViewIndex, vob: VobIndex, number: ElementNo) -> Result<Here, Refusal> {
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        let vob = self.vob_numbered(vob).ok_or(Refusal::Stale)?;
        let state = vob.vob.consistently(|| view.directory(&vob, number)).map_err(refuse)?;
        Ok(Here { view, vob, number, state })
    }

    fn numbered(&self, inode: Inode) -> Result<Numbered, Refusal> {
        Numbered::of(inode).ok_or(Refusal::Stale)
    }

    /// Finds a file version; one that was removed as well, for those who have it open.
    fn file_version(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        version: VersionNo,
    ) -> Result<FileVersion, Refusal> {
        let element = vob.vob.element(number).map_err(refuse)?;
        let present = element.and_then(|element| FileVersion::of(&element, version));
        present.or_else(|| self.departed.get(vob.index, number, version)).ok_or(Refusal::Stale)
    }

    /// Reads a file version.
    fn read_version(
        &self,
        vob: &MountedVob,
        content: &Content,
        offset: u64,
        size: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let (hash, length) = match content {
            Content::File { hash, size } => (hash, size),
            Content::Removed => return Err(Refusal::NoData),
            Content::Empty | Content::Directory => return Ok(()),
        };
        if offset >= *length {
            return Ok(());
        }
        let wanted = (*length - offset).min(u64::from(size)) as usize;
        let read = vob.vob.pools().read_at(&ContentId(*hash), offset, wanted, out);
        read.map_err(|error| refuse(error.into()))
    }
}

impl Namespace for Host {
    fn change_epoch(&self) -> u64 {
        self.epoch()
    }

    fn lookup(&self, _caller: &Caller, parent: Inode, name: &OsStr) -> Result<Option<Attributes>, Refusal> {
        let name = name.as_bytes();
        if name.len() > NAME_BYTES_MAX {
            return Err(Refusal::NameTooLong);
        }
        let found = match self.numbered(parent)? {
            Numbered::Root => {
                let view = std::str::from_utf8(name).ok().and_then(|tag| self.view(tag));
                view.map(|view| self.above_attributes(view.index, 0)).transpose()?
            }
            Numbered::Above(view, number) => self.lookup_above(view, number, name)?,
            Numbered::Directory(view, vob, number) => {
                let here = self.here(view, vob, number)?;
                let found = here.vob.vob.consistently(|| here.find(name))?;
                self.tell_switched_of(&here.view);
                found.map(|led| self.answer(&here, name, parent, led, 1)).transpose()?.flatten()
            }
            Numbered::History(number) => self.lookup_history(parent, number, name)?,
            Numbered::Private(view, number) => self.lookup_private(view, number, name)?,
            Numbered::Version(..) | Numbered::Symlink(..) | Numbered::Placeholder(..) => {
                return Err(Refusal::NotDirectory);
            }
        };
        Ok(found)
    }

    fn forget(&self, inode: Inode, lookups: u64) {
        match Numbered::of(inode) {
            Some(Numbered::Private(view, number)) => {
                if let Some(view) = self.view_numbered(view) {
                    view.private.forget(number, lookups);
                }
            }
            Some(Numbered::History(number)) => self.history.forget(number, lookups),
            _ => {}
        }
    }

    fn attributes(&self, _caller: &Caller, inode: Inode) -> Result<Attributes, Refusal> {
        match self.numbered(inode)? {
            Numbered::Root => Ok(self.plain_directory(inode)),
            Numbered::Above(view, number) => self.above_attributes(view, number),
            Numbered::Directory(view, vob, number) => {
                self.directory_attributes(&self.here(view, vob, number)?)
            }
            Numbered::Version(vob, element, version) => {
                let vob = self.vob_numbered(vob).ok_or(Refusal::Stale)?;
                self.version_attributes(&vob, element, version)
            }
            Numbered::Symlink(vob, number) => {
                let vob = self.vob_numbered(vob).ok_or(Refusal::Stale)?;
                self.symlink_attributes(&vob, number)
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                Ok(private::attributes(inode, &view.private.stat(view.storage.root(), number)?))
            }
            Numbered::History(number) => {
                let node = self.history.get(number).ok_or(Refusal::Stale)?;
                let vob = self.vob_numbered(node.vob).ok_or(Refusal::Stale)?;
                self.history_attributes(&vob, node.place, inode)
            }
            Numbered::Placeholder(..) => Ok(self.placeholder(inode)),
        }
    }

    fn change(&self, _caller: &Caller, inode: Inode, change: &Change) -> Result<Attributes, Refusal> {
        match self.numbered(inode)? {
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                self.change_private(&view, number, change)?;
                self.note_file(inode);
                Ok(private::attributes(inode, &view.private.stat(view.storage.root(), number)?))
            }
            _ => Err(Refusal::ReadOnly),
        }
    }

    fn read_link(&self, _caller: &Caller, inode: Inode) -> Result<Vec<u8>, Refusal> {
        match self.numbered(inode)? {
            Numbered::Symlink(vob, number) => {
                let vob = self.vob_numbered(vob).ok_or(Refusal::Stale)?;
                Ok(vob.vob.symlink(number).map_err(refuse)?.target.to_vec())
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                let (dir, path) = view.private.at(view.storage.root(), number)?;
                Ok(rustix::fs::readlinkat(&dir, &path, Vec::new())?.into_bytes())
            }
            _ => Err(Refusal::Invalid),
        }
    }

    fn read(
        &self,
        _caller: &Caller,
        inode: Inode,
        offset: u64,
        size: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        match self.numbered(inode)? {
            Numbered::Version(vob, element, version) => {
                let vob = self.vob_numbered(vob).ok_or(Refusal::Stale)?;
                let version = self.file_version(&vob, element, version)?.version;
                self.read_version(&vob, &version.content, offset, size, out)
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                let file = view.private.file(view.storage.root(), number, false)?;
                read_file(&file, offset, size, out)
            }
            Numbered::Placeholder(..) => Err(Refusal::AccessDenied),
            _ => Err(Refusal::IsDirectory),
        }
    }

    fn write(&self, _caller: &Caller, inode: Inode, offset: u64, data: &[u8]) -> Result<u32, Refusal> {
        match self.numbered(inode)? {
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                let file = view.private.file(view.storage.root(), number, true)?;
                let mut done = 0;
                while done < data.len() {
                    match rustix::io::pwrite(&*file, &data[done..], offset + done as u64) {
                        Ok(count) => done += count,
                        Err(rustix::io::Errno::INTR) => {}
                        Err(_) if done > 0 => break,
                        Err(errno) => return Err(errno.into()),
                    }
                }
                self.note_file(inode);
                Ok(done as u32)
            }
            _ => Err(Refusal::ReadOnly),
        }
    }

    fn list(
        &self,
        _caller: &Caller,
        directory: Inode,
        after: u64,
        with_attributes: bool,
        sink: &mut dyn FnMut(Listed) -> bool,
    ) -> Result<(), Refusal> {
        let mut listing = Listing { after, with_attributes, sink, held: None };
        let listed = self.list_names(directory, &mut listing);
        self.end_listing(&mut listing, listed.is_ok());
        listed
    }

    fn listed(&self, _inode: Inode) {
        // Counted before the entry was given: see `answer`.
    }

    fn create(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
    ) -> Result<Attributes, Refusal> {
        let made = self.create_file(caller, parent, name.as_bytes(), NewMode { mode, umask }, flags)?;
        self.note_name(What::Changed, parent, name);
        Ok(made)
    }

    fn make_node(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
        device: u32,
    ) -> Result<Attributes, Refusal> {
        let made = self.create_node(caller, parent, name.as_bytes(), NewMode { mode, umask }, device)?;
        self.note_name(What::Changed, parent, name);
        Ok(made)
    }

    fn make_directory(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
    ) -> Result<Attributes, Refusal> {
        let made = self.create_directory(caller, parent, name.as_bytes(), NewMode { mode, umask })?;
        self.note_name(What::Changed, parent, name);
        Ok(made)
    }

    fn make_symlink(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        target: &OsStr,
    ) -> Result<Attributes, Refusal> {
        let made = self.create_symlink(caller, parent, name.as_bytes(), target)?;
        self.note_name(What::Changed, parent, name);
        Ok(made)
    }

    fn link(
        &self,
        caller: &Caller,
        inode: Inode,
        new_parent: Inode,
        new_name: &OsStr,
    ) -> Result<Attributes, Refusal> {
        let made = self.create_link(caller, inode, new_parent, new_name.as_bytes())?;
        self.note_name(What::Changed, new_parent, new_name);
        Ok(made)
    }

    fn unlink(&self, caller: &Caller, parent: Inode, name: &OsStr) -> Result<(), Refusal> {
        self.remove(caller, parent, name.as_bytes(), AtFlags::empty())?;
        self.note_gone(parent, name);
        Ok(())
    }

    fn remove_directory(&self, caller: &Caller, parent: Inode, name: &OsStr) -> Result<(), Refusal> {
        self.remove(caller, parent, name.as_bytes(), AtFlags::REMOVEDIR)?;
        self.note_gone(parent, name);
        Ok(())
    }

    fn rename(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        new_parent: Inode,
        new_name: &OsStr,
        mode: RenameMode,
    ) -> Result<(), Refusal> {
        self.move_name(caller, (parent, name.as_bytes()), (new_parent, new_name.as_bytes()), mode)?;
        match mode {
            RenameMode::Exchange => self.note_name(What::Changed, parent, name),
            RenameMode::Plain | RenameMode::NoReplace => self.note_gone(parent, name),
        }
        self.note_name(What::Changed, new_parent, new_name);
        Ok(())
    }

    fn sync(&self, inode: Inode, data_only: bool) -> Result<(), Refusal> {
        let Numbered::Private(view, number) = self.numbered(inode)? else {
            return Ok(());
        };
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        let file = view.private.file(view.storage.root(), number, false)?;
        if data_only {
            file.sync_data()?
        } else {
            file.sync_all()?
        }
        // The name must survive too: a file that was synced is found again.
        if view.private.orphan(number).is_none() {
            let (dir, path) = view.private.at(view.storage.root(), number)?;
            sync_parent(&dir, &path)?;
        }
        Ok(())
    }

    fn sync_directory(&self, directory: Inode, _data_only: bool) -> Result<(), Refusal> {
        let (view, path) = match self.numbered(directory)? {
            Numbered::Directory(view, vob, number) => {
                let here = self.here(view, vob, number)?;
                (here.view.clone(), here.private_dir().join("."))
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                let (dir, path) = view.private.at(view.storage.root(), number)?;
                return Ok(sync_parent(&dir, &path.join("."))?);
            }
            _ => return Ok(()),
        };
        match sync_parent(view.storage.root(), &path) {
            Err(rustix::io::Errno::NOENT) => Ok(()),
            other => Ok(other?),
        }
    }

    fn statfs(&self, inode: Inode) -> Result<Statistics, Refusal> {
        let view = match Numbered::of(inode) {
            Some(Numbered::Above(view, _) | Numbered::Directory(view, ..) | Numbered::Private(view, _)) => {
                self.view_numbered(view)
            }
            _ => self.views().into_iter().next(),
        };
        let found = match view {
            Some(view) => rustix::fs::fstatvfs(view.storage.root())?,
            None => rustix::fs::statvfs("/")?,
        };
        Ok(Statistics {
            block_bytes: found.f_frsize as u32,
            blocks: found.f_blocks,
            blocks_free: found.f_bfree,
            blocks_available: found.f_bavail,
            files: found.f_files,
            files_free: found.f_ffree,
            name_bytes_max: NAME_BYTES_MAX as u32,
        })
    }

    fn get_xattr(&self, caller: &Caller, inode: Inode, name: &OsStr) -> Result<Vec<u8>, Refusal> {
        self.xattr(caller, inode, name)
    }

    fn list_xattr(&self, caller: &Caller, inode: Inode) -> Result<Vec<OsString>, Refusal> {
        self.xattr_names(caller, inode)
    }

    fn set_xattr(
        &self,
        _caller: &Caller,
        inode: Inode,
        name: &OsStr,
        value: &[u8],
        mode: XattrMode,
    ) -> Result<(), Refusal> {
        self.change_xattr(inode, name, Some((value, mode)))
    }

    fn remove_xattr(&self, _caller: &Caller, inode: Inode, name: &OsStr) -> Result<(), Refusal> {
        self.change_xattr(inode, name, None)
    }

    fn fallocate(
        &self,
        _caller: &Caller,
        inode: Inode,
        offset: u64,
        length: u64,
        mode: i32,
    ) -> Result<(), Refusal> {
        let Numbered::Private(view, number) = self.numbered(inode)? else {
            return Err(Refusal::ReadOnly);
        };
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        let file = view.private.file(view.storage.root(), number, true)?;
        let flags = rustix::fs::FallocateFlags::from_bits_retain(mode as u32);
        Ok(rustix::fs::fallocate(&*file, flags, offset, length)?)
    }

    fn seek(&self, caller: &Caller, inode: Inode, offset: u64, sought: Seek) -> Result<u64, Refusal> {
        let Numbered::Private(view, number) = self.numbered(inode)? else {
            return sought.without_holes(offset, self.attributes(caller, inode)?.size);
        };
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        let file = view.private.file(view.storage.root(), number, false)?;
        // Nobody reads or writes at the descriptor's own position.
        let position = match sought {
            Seek::Data => rustix::fs::SeekFrom::Data(offset),
            Seek::Hole => rustix::fs::SeekFrom::Hole(offset),
        };
        Ok(rustix::fs::seek(&*file, position)?)
    }
}

fn read_file(file: &std::fs::File, offset: u64, size: u32, out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.resize(size as usize, 0);
    let mut done = 0;
    while done < out.len() {
        match rustix::io::pread(file, &mut out[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    out.truncate(done);
    Ok(())
}

/// Makes the directory that holds a path durable.
fn sync_parent(dir: &std::os::fd::OwnedFd, path: &std::path::Path) -> Result<(), rustix::io::Errno> {
    use rustix::fs::{Mode, OFlags};
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, parent.unwrap_or(std::path::Path::new(".")), flags, Mode::empty())?;
    rustix::fs::fsync(opened)
}

pub(super) fn os_name(name: &[u8]) -> OsString {
    OsString::from_vec(name.to_vec())
}
