//! Changes through the mount: they reach private files only. What is under version control
//! is read-only here, for everybody.

use super::super::access::MAY_WRITE;
use super::super::host::Host;
use super::super::inode::Numbered;
use super::super::live::{Shown, View};
use super::super::private::{self, Place};
use super::super::storage::ViewStorage;
use super::{Here, Led, refuse};
use crate::vob::{Element, ElementKind, Entry, Oid};
use clerestory_mount::{Attributes, Caller, Change, Inode, Refusal, RenameMode, SetTime, Time};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a name of the mount is, or would be, among the private files.
struct Slot {
    view: Arc<View>,
    /// A descriptor and a path relative to it.
    dir: Arc<OwnedFd>,
    path: PathBuf,
    /// How the table of private files calls it.
    place: Place,
    /// The VOB directory it is in, if it is directly in one.
    here: Option<Here>,
    /// The checked-out file whose data is there, or would be.
    data_of: Option<Arc<Element>>,
    /// Set-group-ID of the directory: its group goes to what is made in it.
    group: Option<u32>,
}

/// What is to be put at a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// A regular file: at the name of a checked-out file it is that file's data.
    Data,
    /// Anything else. It never is an element's data: where that was removed, it is a private object that covers
    /// the element.
    Other,
}

/// The permission bits that something new is asked for, and what the caller's umask takes away.
#[derive(Clone, Copy)]
pub(super) struct NewMode {
    pub mode: u32,
    pub umask: u32,
}

/// The permission bits that something new is made with.
#[derive(Clone, Copy)]
struct NewBits {
    bits: u32,
    /// Whether the directory's default access list takes away in the umask's place.
    inherits: bool,
}

impl NewBits {
    fn asked(self) -> Mode {
        Mode::from_raw_mode(self.bits)
    }

    /// The bits to be set in the end: the daemon's own umask, and the change of owner, may have cleared some. What
    /// an inherited access list left of them is in `made`.
    fn settled(self, made: &rustix::fs::Stat, added: u32) -> Mode {
        let bits = if self.inherits { made.st_mode & 0o777 | self.bits & 0o7000 } else { self.bits };
        Mode::from_raw_mode(bits | added)
    }
}

impl Slot {
    /// Works out the bits of something new at this name.
    fn new_bits(&self, wanted: NewMode) -> NewBits {
        let mode = wanted.mode & 0o7777;
        let inherits = self.has_default_access_list();
        NewBits { bits: if inherits { mode } else { mode & !wanted.umask }, inherits }
    }

    /// Tells whether the directory has a default access list. Only private directories can have one.
    fn has_default_access_list(&self) -> bool {
        if self.here.is_some() {
            return false;
        }
        let directory = self.path.parent().unwrap_or(Path::new(""));
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&self.dir);
        let path = PathBuf::from(format!("/proc/self/fd/{descriptor}")).join(directory).join(".");
        rustix::fs::getxattr_query(&path, "system.posix_acl_default").is_ok_and(|size| size > 0)
    }

    /// Tells whether this is the place of a checked-out file's data.
    fn is_data(&self) -> bool {
        self.data_of.is_some()
    }

    /// The place of a private object at a name of a VOB directory.
    fn private(here: Here, name: &[u8]) -> Result<Slot, Refusal> {
        let path = here.private_dir().join(OsStr::from_bytes(name));
        let dir = Arc::clone(here.view.storage.root());
        let group = (here.state.element.mode & 0o2000 != 0).then_some(here.state.element.group);
        let (view, place) = (Arc::clone(&here.view), Place::Path(path.clone()));
        Ok(Slot { view, dir, path, place, here: Some(here), data_of: None, group })
    }

    fn stat(&self) -> Result<Option<rustix::fs::Stat>, Refusal> {
        match rustix::fs::statat(&self.dir, &self.path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The path of what this is in, which is in no private directory itself.
    fn top(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Path(path) => Some(path.clone()),
            Place::Within(parent, _) => self.view.private.top(*parent),
        }
    }

    /// Refuses who may not change what is private to the view; the kernel has judged the directory's own bits.
    fn permit(&self, caller: &Caller) -> Result<(), Refusal> {
        let access = self.view.storage.access();
        let in_group = |group| caller.gid == group || in_supplementary_group(caller.pid, group);
        match access.allows(caller.uid, in_group, MAY_WRITE) {
            true => Ok(()),
            false => Err(Refusal::AccessDenied),
        }
    }

    /// Makes the directory that holds private files of the VOB directory.
    fn prepare(&self) -> Result<(), Refusal> {
        let Some(here) = &self.here else { return Ok(()) };
        if here.state.has_private() == Some(true)
            || !matches!(&self.place, Place::Path(p) if p.starts_with("private"))
        {
            return Ok(());
        }
        match rustix::fs::mkdirat(here.view.storage.root(), here.private_dir(), Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        here.state.set_has_private(true);
        // A state that took this one's place meanwhile must learn of it too.
        if let Some(state) = here.view.known_directory(here.vob.index, here.number) {
            state.set_has_private(true);
        }
        Ok(())
    }

    /// Gives what was just made to the caller.
    fn give(&self, caller: &Caller) -> Result<(), Refusal> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let group = self.group.unwrap_or(caller.gid);
        let (uid, gid) = (Uid::from_raw(caller.uid), Gid::from_raw(group));
        Ok(rustix::fs::chownat(&self.dir, &self.path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Gives what was just made to the caller, with the right permission bits.
    fn settle(&self, caller: &Caller, bits: NewBits, added: u32) -> Result<Attributes, Refusal> {
        let made = self.stat()?.ok_or(Refusal::NotFound)?;
        self.give(caller)?;
        rustix::fs::chmodat(&self.dir, &self.path, bits.settled(&made, added), AtFlags::empty())?;
        self.attributes()
    }

    fn attributes(&self) -> Result<Attributes, Refusal> {
        let found = self.stat()?.ok_or(Refusal::NotFound)?;
        let inode = Numbered::Private(self.view.index, found.st_ino).inode().ok_or(Refusal::Io)?;
        self.view.private.note(found.st_ino, self.place.clone(), 1);
        Ok(private::attributes(inode, &found))
    }
}

impl Host {
    /// Refuses places of two VOBs: they look like two file systems, though one holds all private files.
    fn in_one_vob(&self, from: &Option<PathBuf>, to: &Option<PathBuf>) -> Result<(), Refusal> {
        let identity = |path: &Option<PathBuf>| -> Option<Oid> {
            path.as_ref()?.components().nth(1)?.as_os_str().to_str()?.parse().ok()
        };
        let (Some(from), Some(to)) = (identity(from), identity(to)) else { return Ok(()) };
        if from == to {
            return Ok(());
        }
        for vob in self.vobs() {
            let holds =
                |oid: &Oid| vob.vob.element_with_oid(oid).map(|found| found.is_some()).map_err(refuse);
            match (holds(&from)?, holds(&to)?) {
                (true, true) => return Ok(()),
                (false, false) => {}
                _ => return Err(Refusal::CrossDevice),
            }
        }
        Ok(())
    }

    /// Finds where a name is among the private files.
    ///
    /// Refused as read-only if the name leads to something under version control.
    fn slot(&self, parent: Inode, name: &[u8], wanted: Wanted) -> Result<Slot, Refusal> {
        if name.len() > super::NAME_BYTES_MAX {
            return Err(Refusal::NameTooLong);
        }
        match Numbered::of(parent).ok_or(Refusal::Stale)? {
            Numbered::Directory(view, vob, number) => {
                let here = self.here(view, vob, number)?;
                if here.private(name)?.is_some() {
                    return Slot::private(here, name);
                }
                let Some(entry) = here.state.catalog.get(name) else {
                    return match here.find(name)? {
                        Some(Led::History(_)) => Err(Refusal::ReadOnly),
                        _ => Slot::private(here, name),
                    };
                };
                let Entry::Element(element) = entry else {
                    return Err(Refusal::ReadOnly);
                };
                let element = here.vob.element(element).map_err(refuse)?;
                let path = here.view.bound(&here.vob).descend(&here.state.path, name);
                match here.view.select(&here.vob, &path, &element) {
                    Shown::CheckedOut(_) if element.kind == ElementKind::File => {
                        if wanted == Wanted::Other && here.checkout_data(&element)?.is_none() {
                            return Slot::private(here, name);
                        }
                        let path = ViewStorage::checkout(&element.oid);
                        let dir = Arc::clone(here.view.storage.root());
                        let (view, place) = (Arc::clone(&here.view), Place::Path(path.clone()));
                        let data_of = Some(element);
                        Ok(Slot { view, dir, path, place, here: Some(here), data_of, group: None })
                    }
                    Shown::Nothing(_) => Slot::private(here, name),
                    _ => Err(Refusal::ReadOnly),
                }
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                let (dir, path) = view.private.at(view.storage.root(), number)?;
                let found = rustix::fs::statat(&dir, &path, AtFlags::SYMLINK_NOFOLLOW)?;
                let group = (found.st_mode & libc::S_ISGID != 0).then_some(found.st_gid);
                let (path, place) = (path.join(OsStr::from_bytes(name)), Place::Within(number, name.into()));
                Ok(Slot { view, dir, path, place, here: None, data_of: None, group })
            }
            Numbered::Root | Numbered::Above(..) | Numbered::History(_) => Err(Refusal::ReadOnly),
            _ => Err(Refusal::NotDirectory),
        }
    }

    /// Finds a slot for something new, and makes room for it.
    fn empty_slot(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &[u8],
        wanted: Wanted,
    ) -> Result<Slot, Refusal> {
        let slot = self.slot(parent, name, wanted).map_err(|refusal| match refusal {
            // What is there is under version control.
            Refusal::ReadOnly if !self.is_read_only(parent) => Refusal::Exists,
            other => other,
        })?;
        slot.permit(caller)?;
        slot.prepare()?;
        Ok(slot)
    }

    fn is_read_only(&self, parent: Inode) -> bool {
        matches!(Numbered::of(parent), Some(Numbered::Root | Numbered::Above(..) | Numbered::History(_)))
    }

    pub(super) fn create_file(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &[u8],
        wanted: NewMode,
        flags: i32,
    ) -> Result<Attributes, Refusal> {
        let slot = self.empty_slot(caller, parent, name, Wanted::Data)?;
        let exclusive = if flags & libc::O_EXCL != 0 { OFlags::EXCL } else { OFlags::empty() };
        let truncate = if flags & libc::O_TRUNC != 0 { OFlags::TRUNC } else { OFlags::empty() };
        let fresh = slot.stat()?.is_none();
        let open = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | exclusive | truncate;
        let bits = slot.new_bits(wanted);
        let file = rustix::fs::openat(&slot.dir, &slot.path, open, bits.asked())?;
        if fresh {
            self.slot_data_changed(&slot);
            let made = rustix::fs::fstat(&file)?;
            slot.give(caller)?;
            rustix::fs::fchmod(&file, bits.settled(&made, 0))?;
        }
        let attributes = slot.attributes()?;
        if let Some(Numbered::Private(_, number)) = Numbered::of(attributes.inode) {
            slot.view.private.keep_open(number, Arc::new(File::from(file)), true);
        }
        Ok(attributes)
    }

    pub(super) fn create_node(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &[u8],
        new: NewMode,
        device: u32,
    ) -> Result<Attributes, Refusal> {
        let wanted = match new.mode & libc::S_IFMT {
            0 | libc::S_IFREG => Wanted::Data,
            _ => Wanted::Other,
        };
        let slot = self.empty_slot(caller, parent, name, wanted)?;
        let bits = slot.new_bits(new);
        let kind = FileType::from_raw_mode(new.mode);
        rustix::fs::mknodat(&slot.dir, &slot.path, kind, bits.asked(), device.into())?;
        self.slot_data_changed(&slot);
        slot.settle(caller, bits, 0)
    }

    pub(super) fn create_directory(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &[u8],
        wanted: NewMode,
    ) -> Result<Attributes, Refusal> {
        let slot = self.empty_slot(caller, parent, name, Wanted::Other)?;
        let bits = slot.new_bits(wanted);
        rustix::fs::mkdirat(&slot.dir, &slot.path, bits.asked())?;
        slot.settle(caller, bits, if slot.group.is_some() { 0o2000 } else { 0 })
    }

    pub(super) fn create_symlink(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &[u8],
        target: &OsStr,
    ) -> Result<Attributes, Refusal> {
        let slot = self.empty_slot(caller, parent, name, Wanted::Other)?;
        rustix::fs::symlinkat(target, &slot.dir, &slot.path)?;
        slot.give(caller)?;
        slot.attributes()
    }

    pub(super) fn create_link(
        &self,
        caller: &Caller,
        inode: Inode,
        parent: Inode,
        name: &[u8],
    ) -> Result<Attributes, Refusal> {
        let Some(Numbered::Private(view, number)) = Numbered::of(inode) else {
            return Err(Refusal::ReadOnly);
        };
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        let slot = self.empty_slot(caller, parent, name, Wanted::Data)?;
        if slot.view.index != view.index {
            return Err(Refusal::CrossDevice);
        }
        self.in_one_vob(&view.private.top(number), &slot.top())?;
        let (dir, path) = view.private.at(view.storage.root(), number)?;
        if path.starts_with("checkout") || slot.is_data() {
            // A second name of checked-out data would survive the checkin as a plain file.
            return match slot.stat()? {
                Some(_) => Err(Refusal::Exists),
                None => Err(Refusal::CrossDevice),
            };
        }
        rustix::fs::linkat(&dir, &path, &slot.dir, &slot.path, AtFlags::empty())?;
        slot.attributes()
    }

    pub(super) fn remove(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &[u8],
        flags: AtFlags,
    ) -> Result<(), Refusal> {
        let slot = self.slot(parent, name, Wanted::Data)?;
        slot.permit(caller)?;
        let found = slot.stat()?.ok_or(Refusal::NotFound)?;
        let (private, root) = (&slot.view.private, slot.view.storage.root());
        if flags.contains(AtFlags::REMOVEDIR) {
            // What is in it must be found until it is gone for certain.
            let held = private.hold_directory(root, found.st_ino)?;
            rustix::fs::unlinkat(&slot.dir, &slot.path, flags)?;
            private.removed(found.st_ino, held);
            self.uncover(&slot, parent, name);
            return Ok(());
        }
        private.leave(root, found.st_ino, &slot.place)?;
        match rustix::fs::unlinkat(&slot.dir, &slot.path, flags) {
            Ok(()) => {
                self.uncover(&slot, parent, name);
                Ok(())
            }
            Err(errno) => {
                slot.view.private.note(found.st_ino, slot.place, 0);
                Err(errno.into())
            }
        }
    }

    /// The data of a checked-out file came, went, or is another file now: so it is by every name of the file. What the
    /// kernel knows of the name that was used it has changed itself.
    fn slot_data_changed(&self, slot: &Slot) {
        if let (Some(here), Some(element)) = (&slot.here, &slot.data_of)
            && element.names.len() > 1
        {
            self.data_changed(&here.view, &here.vob, element);
        }
    }

    /// A private name is gone: what the catalog has under it shows again.
    fn uncover(&self, slot: &Slot, parent: Inode, name: &[u8]) {
        let Some(here) = &slot.here else { return };
        self.slot_data_changed(slot);
        if here.state.catalog.get(name).is_some()
            && let Some(invalidator) = self.invalidator()
        {
            self.advance_epoch();
            invalidator.names(vec![(parent, super::os_name(name))]);
            invalidator.listings(vec![parent]);
        }
    }

    pub(super) fn move_name(
        &self,
        caller: &Caller,
        (parent, name): (Inode, &[u8]),
        (new_parent, new_name): (Inode, &[u8]),
        mode: RenameMode,
    ) -> Result<(), Refusal> {
        let from = self.slot(parent, name, Wanted::Data)?;
        let moved = from.stat()?.ok_or(Refusal::NotFound)?;
        let wanted = if is_regular(&moved) { Wanted::Data } else { Wanted::Other };
        let to = self.slot(new_parent, new_name, wanted)?;
        from.permit(caller)?;
        to.permit(caller)?;
        if from.view.index != to.view.index {
            return Err(Refusal::CrossDevice);
        }
        match (&from.here, &to.here) {
            (Some(from), Some(to)) if from.vob.index == to.vob.index => {}
            (Some(_), Some(_)) => return Err(Refusal::CrossDevice),
            _ => self.in_one_vob(&from.top(), &to.top())?,
        }
        let is_directory = |found: &rustix::fs::Stat| found.st_mode & libc::S_IFMT == libc::S_IFDIR;
        let replaced = to.stat()?;
        // Data of a checked-out file is a regular file, whatever takes its name.
        let only_regular = |slot: &Slot, comes: Option<&rustix::fs::Stat>| match comes {
            Some(comes) if slot.is_data() && is_directory(comes) => Err(Refusal::NotDirectory),
            Some(comes) if slot.is_data() && !is_regular(comes) => Err(Refusal::Invalid),
            _ => Ok(()),
        };
        match mode {
            RenameMode::NoReplace => {}
            RenameMode::Plain if to.is_data() && !is_regular(&moved) && !is_directory(&moved) => {
                return self.move_over_data(from, to, (parent, name, new_name), &moved, replaced.as_ref());
            }
            RenameMode::Plain => only_regular(&to, Some(&moved))?,
            RenameMode::Exchange => {
                only_regular(&to, Some(&moved))?;
                only_regular(&from, replaced.as_ref())?;
            }
        }
        to.prepare()?;
        let root = from.view.storage.root();
        let private = &from.view.private;
        if mode == RenameMode::Plain
            && let Some(replaced) = &replaced
            && !is_directory(replaced)
            && replaced.st_ino != moved.st_ino
        {
            private.leave(root, replaced.st_ino, &to.place)?;
        }
        let emptied = match (&replaced, mode) {
            (Some(replaced), RenameMode::Plain) if is_directory(replaced) && is_directory(&moved) => {
                Some((replaced.st_ino, private.hold_directory(root, replaced.st_ino)?))
            }
            _ => None,
        };
        let flags = match mode {
            RenameMode::Plain => RenameFlags::empty(),
            RenameMode::NoReplace => RenameFlags::NOREPLACE,
            RenameMode::Exchange => RenameFlags::EXCHANGE,
        };
        if let Err(errno) = rustix::fs::renameat_with(&from.dir, &from.path, &to.dir, &to.path, flags) {
            if let Some(replaced) = &replaced {
                private.note(replaced.st_ino, to.place.clone(), 0);
            }
            return Err(errno.into());
        }
        if let Some((number, held)) = emptied.filter(|(number, _)| *number != moved.st_ino) {
            private.removed(number, held);
        }
        private.moved(moved.st_ino, &from.place, to.place.clone());
        self.slot_data_changed(&to);
        match (&replaced, mode) {
            (Some(other), RenameMode::Exchange) => {
                private.moved(other.st_ino, &to.place, from.place.clone());
                self.slot_data_changed(&from);
            }
            _ => self.uncover(&from, parent, name),
        }
        Ok(())
    }

    /// Moves a link or a special file to the name of a checked-out file: it becomes a private object there, and
    /// the data that had the name goes, as the rename of any file onto another ends the other.
    fn move_over_data(
        &self,
        from: Slot,
        to: Slot,
        (parent, name, new_name): (Inode, &[u8], &[u8]),
        moved: &rustix::fs::Stat,
        data: Option<&rustix::fs::Stat>,
    ) -> Result<(), Refusal> {
        let Some(here) = to.here.clone() else { return Err(Refusal::Io) };
        let covering = Slot::private(here, new_name)?;
        covering.prepare()?;
        let view = &to.view;
        if let Some(data) = data {
            view.private.leave(view.storage.root(), data.st_ino, &to.place)?;
        }
        rustix::fs::renameat(&from.dir, &from.path, &covering.dir, &covering.path)?;
        view.private.moved(moved.st_ino, &from.place, covering.place.clone());
        if data.is_some() {
            rustix::fs::unlinkat(&to.dir, &to.path, AtFlags::empty())?;
            self.slot_data_changed(&to);
        }
        self.uncover(&from, parent, name);
        Ok(())
    }

    pub(super) fn change_private(&self, view: &View, number: u64, change: &Change) -> Result<(), Refusal> {
        let root = view.storage.root();
        if let Some(size) = change.size {
            let file = view.private.file(root, number, true)?;
            rustix::fs::ftruncate(&*file, size)?;
        }
        if let Some(orphan) = view.private.orphan(number) {
            return change_open(&orphan, change);
        }
        let (dir, path) = view.private.at(root, number)?;
        if change.uid.is_some() || change.gid.is_some() {
            let (uid, gid) = (change.uid.map(Uid::from_raw), change.gid.map(Gid::from_raw));
            rustix::fs::chownat(&dir, &path, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        if let Some(mode) = change.mode {
            change_mode(&dir, &path, mode)?;
        }
        if let Some(times) = timestamps(change) {
            rustix::fs::utimensat(&dir, &path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(())
    }
}

/// Tells whether a process has a supplementary group. A request carries the primary one alone; a process that is
/// gone has none.
fn in_supplementary_group(process: u32, group: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Groups:"));
    line.is_some_and(|groups| groups.split_whitespace().any(|word| word.parse() == Ok(group)))
}

fn is_regular(found: &rustix::fs::Stat) -> bool {
    found.st_mode & libc::S_IFMT == libc::S_IFREG
}

fn change_mode(dir: &OwnedFd, path: &Path, mode: u32) -> Result<(), Refusal> {
    let found = rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if found.st_mode & libc::S_IFMT == libc::S_IFLNK {
        return Err(Refusal::NotSupported);
    }
    Ok(rustix::fs::chmodat(dir, path, Mode::from_raw_mode(mode & 0o7777), AtFlags::empty())?)
}

/// Changes a file that has no name. The descriptor may be one that serves as a path alone.
fn change_open(file: &Arc<File>, change: &Change) -> Result<(), Refusal> {
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&**file);
    let (at, path) = (rustix::fs::CWD, format!("/proc/self/fd/{descriptor}"));
    if change.uid.is_some() || change.gid.is_some() {
        let (uid, gid) = (change.uid.map(Uid::from_raw), change.gid.map(Gid::from_raw));
        rustix::fs::chownat(at, &path, uid, gid, AtFlags::empty())?;
    }
    if let Some(mode) = change.mode {
        rustix::fs::chmodat(at, &path, Mode::from_raw_mode(mode & 0o7777), AtFlags::empty())?;
    }
    if let Some(times) = timestamps(change) {
        rustix::fs::utimensat(at, &path, &times, AtFlags::empty())?;
    }
    Ok(())
}

fn timestamps(change: &Change) -> Option<Timestamps> {
    if change.accessed.is_none() && change.modified.is_none() {
        return None;
    }
    let time = |wanted: Option<SetTime>| match wanted {
        None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT as _ },
        Some(SetTime::Now) => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW as _ },
        Some(SetTime::At(Time { seconds, nanoseconds })) => {
            Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() }
        }
    };
    Some(Timestamps { last_access: time(change.accessed), last_modification: time(change.modified) })
}
