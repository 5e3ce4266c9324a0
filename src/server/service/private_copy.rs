//! The data of checked-out files in a view: how it comes, how it is saved beside the element, how it goes.
//!
//! A checkout is never committed before its data is in its place. The data is written whole in the view's staging
//! directory and made durable there, while others commit; within the commit one rename puts it into place, before
//! anything reaches the journal. A daemon that is killed leaves no checkout, or a checkout with its data; data
//! without a checkout is what `recoverview -sync` looks for, and what the next checkout moves to the view's
//! lost+found. Only a power cut can keep the journal and lose the rename, before the command has answered:
//! the element is `[checkedout but removed]` then, and `uncheckout` helps.

use super::recover::lost_place;
use super::slot::free_leaf;
use super::target::Target;
use crate::server::identity::Caller;
use crate::server::proto::Failure;
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::store::pool::ContentId;
use crate::view::inode::{ViewIndex, VobIndex};
use crate::view::live::{DirectoryState, View};
use crate::view::private::Place;
use crate::view::staging::{Staging, make_durable};
use crate::view::{MountedVob, ViewStorage};
use crate::vob::{Content, ElementNo, Oid, Transaction};
use rustix::fs::{AtFlags, RenameFlags};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// What a private copy begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NewCopy {
    /// The element, for its place.
    pub oid: Oid,
    /// What it holds.
    pub content: Content,
    /// Its permission bits.
    pub mode: u32,
    /// Its modification time in nanoseconds since 1970, when it is not now.
    pub modified_ns: Option<i64>,
}

/// The private copies that one command makes.
pub(super) struct Copies<'a> {
    caller: &'a Caller,
    stagings: HashMap<ViewIndex, (Arc<View>, Staging)>,
    staged: HashMap<(ViewIndex, VobIndex, Oid), NewCopy>,
    placed: Vec<(Arc<View>, ElementNo, PathBuf)>,
    beside: Saved,
}

impl<'a> Copies<'a> {
    /// Begins with none.
    pub fn new(caller: &'a Caller) -> Copies<'a> {
        let (stagings, staged, placed, beside) = Default::default();
        Copies { caller, stagings, staged, placed, beside }
    }

    /// Writes a copy where nothing looks for it.
    ///
    /// # Errors
    /// If the content cannot be read, or the view's storage not be written; the copy is not there then.
    pub fn stage(&mut self, view: &Arc<View>, vob: &MountedVob, new: NewCopy) -> Outcome<()> {
        let key = (view.index, vob.index, new.oid);
        if self.staged.get(&key) == Some(&new) {
            return Ok(());
        }
        let staging = match self.stagings.entry(view.index) {
            std::collections::hash_map::Entry::Occupied(entry) => &mut entry.into_mut().1,
            std::collections::hash_map::Entry::Vacant(entry) => {
                let staging = Staging::begin(&view.storage).map_err(|error| system(&error))?;
                &mut entry.insert((Arc::clone(view), staging)).1
            }
        };
        let name = new.oid.to_string();
        let written = staging
            .create(&name)
            .map_err(|error| system(&error))
            .and_then(|file| write(self.caller, &vob.vob, &new, file));
        match written {
            Ok(()) => drop(self.staged.insert(key, new)),
            Err(_) => staging.discard(&name),
        }
        written
    }

    /// Returns when all that was staged is durable.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sync(&mut self) -> Outcome<()> {
        self.stagings.values_mut().try_for_each(|(_, staging)| staging.sync()).map_err(|error| system(&error))
    }

    /// Puts a copy into its place. To be called within the commit of its checkout, and only for an element that
    /// the view has not checked out.
    ///
    /// # Errors
    /// If that cannot be done; nothing is there then.
    pub fn place(&mut self, target: &Target, new: NewCopy, leaf: &[u8]) -> Outcome<()> {
        let (view, vob) = (&target.view, &target.vob);
        // Seldom: another content was checked in after the copy was made.
        if self.staged.get(&(view.index, vob.index, new.oid)) != Some(&new) {
            self.stage(view, vob, new)?;
            self.sync()?;
        }
        let staged = self.staged_path(view, &new.oid)?;
        let place = ViewStorage::checkout(&new.oid);
        let root = view.storage.root();
        let rename = || rustix::fs::renameat_with(root, &staged, root, &place, RenameFlags::NOREPLACE);
        match rename() {
            Err(rustix::io::Errno::EXIST) => {
                // Data of a checkout that is no more, such as that of a VOB that was restored.
                let lost = lost_place(view, &new.oid, leaf)?;
                rustix::fs::renameat(root, &place, root, lost).map_err(errno)?;
                rename().map_err(errno)?;
            }
            other => other.map_err(errno)?,
        }
        self.placed.push((Arc::clone(view), target.element.number, place));
        Ok(())
    }

    /// Puts a copy at a free private name beside its element, `NAME.checkedout`, because the view will not show the
    /// checkout. Answers the leaf name. To be called as [`Copies::place`].
    ///
    /// # Errors
    /// As [`Copies::place`].
    pub fn place_beside(&mut self, target: &Target, new: NewCopy) -> Outcome<Vec<u8>> {
        let Some(beside) = Beside::of(target, ".checkedout")? else { return Ok(Vec::new()) };
        self.stage(&target.view, &target.vob, new)?;
        self.sync()?;
        let staged = self.staged_path(&target.view, &new.oid)?;
        std::fs::rename(staged, &beside.path).map_err(|error| system(&error))?;
        self.staged.remove(&(target.view.index, target.vob.index, new.oid));
        self.beside.note(target, &beside);
        Ok(beside.leaf)
    }

    fn staged_path(&self, view: &View, oid: &Oid) -> Outcome<PathBuf> {
        let (_, staging) = self
            .stagings
            .get(&view.index)
            .ok_or_else(|| Failure::internal("a private copy was not staged"))?;
        Ok(staging.path(&oid.to_string()))
    }

    /// Returns when the places of all copies are durable, and views show what was put beside elements. To be called
    /// after the commit.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn settle(&self, server: &Server) -> Outcome<()> {
        for (view, _) in self.stagings.values() {
            if self.placed.iter().any(|(placed, ..)| Arc::ptr_eq(placed, view)) {
                let place = view.storage.dir().join("checkout");
                make_durable(view.storage.root(), &[place]).map_err(|error| system(&error))?;
            }
        }
        self.beside.settle(server)
    }

    /// Takes away what was placed for a commit of a VOB that failed after all.
    pub fn take_back(&mut self, vob: &Vob) {
        std::mem::take(&mut self.beside).take_back();
        let placed = std::mem::take(&mut self.placed);
        // While nobody else can commit: what another call checked out meanwhile has its data.
        let _ = vob.commit(|store| -> Result<Vec<Transaction>, ()> {
            for (view, element, place) in &placed {
                let held = store.element(*element).ok().flatten();
                if held.is_some_and(|element| element.checkout_of(&view.uuid()).is_none()) {
                    // What stays is data without a checkout: see above.
                    let _ = rustix::fs::unlinkat(view.storage.root(), place, AtFlags::empty());
                }
            }
            Err(())
        });
    }
}

/// Writes a private copy.
fn write(caller: &Caller, vob: &Vob, new: &NewCopy, mut file: File) -> Outcome<()> {
    if let Content::File { hash, .. } = &new.content {
        vob.pools().copy_to(&ContentId(*hash), &mut file)?;
    }
    let finish = || {
        file.set_permissions(std::fs::Permissions::from_mode(new.mode))?;
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::fchown(&file, Some(caller.user_id), Some(caller.group_id))?;
        }
        match new.modified_ns {
            Some(time) => file.set_modified(UNIX_EPOCH + Duration::from_nanos(time.max(0) as u64)),
            None => Ok(()),
        }
    };
    finish().map_err(|error| system(&error))
}

/// A free private name beside an element.
struct Beside {
    directory: ElementNo,
    state: Arc<DirectoryState>,
    leaf: Vec<u8>,
    path: PathBuf,
}

impl Beside {
    /// Finds `NAME` with a suffix, or with the suffix, a dot and a number; none for an element without a name.
    fn of(target: &Target, suffix: &str) -> Outcome<Option<Beside>> {
        let Some((directory, name)) = &target.parent else { return Ok(None) };
        let state = target.view.directory(&target.vob, *directory)?;
        let dir = target.storage().join(ViewStorage::private(&state.element.oid));
        let leaf = free_leaf(&dir, &state, name, suffix);
        let path = dir.join(OsStr::from_bytes(&leaf));
        std::fs::create_dir_all(&dir).map_err(|error| system(&error))?;
        state.set_has_private(true);
        Ok(Some(Beside { directory: *directory, state, leaf, path }))
    }
}

/// The private names that a command gives beside elements. Nobody is told of them before [`Saved::settle`].
#[derive(Default)]
pub(super) struct Saved {
    directories: Vec<SavedIn>,
}

struct SavedIn {
    view: Arc<View>,
    vob: Arc<MountedVob>,
    directory: ElementNo,
    dir: PathBuf,
    names: Vec<Vec<u8>>,
}

impl Saved {
    /// Saves the private copy of a checkout as `NAME.keep`, or the next free `NAME.keep.N`: as a further name of the
    /// same file. Answers the leaf name, which is empty where there is no copy.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn keep(&mut self, target: &Target) -> Outcome<Vec<u8>> {
        let data = target.data_path();
        if data.symlink_metadata().is_err() {
            return Ok(Vec::new());
        }
        let Some(beside) = Beside::of(target, ".keep")? else { return Ok(Vec::new()) };
        match std::fs::hard_link(&data, &beside.path) {
            Ok(()) => {}
            // Not every file system has hard links.
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP | libc::EMLINK)) =>
            {
                copy_private(&target.view, &beside.state, &data, &beside.leaf)?;
            }
            Err(error) => return Err(system(&error)),
        }
        self.note(target, &beside);
        Ok(beside.leaf)
    }

    fn note(&mut self, target: &Target, beside: &Beside) {
        let here = |saved: &&mut SavedIn| {
            Arc::ptr_eq(&saved.view, &target.view)
                && Arc::ptr_eq(&saved.vob, &target.vob)
                && saved.directory == beside.directory
        };
        match self.directories.iter_mut().find(here) {
            Some(saved) => saved.names.push(beside.leaf.clone()),
            None => self.directories.push(SavedIn {
                view: Arc::clone(&target.view),
                vob: Arc::clone(&target.vob),
                directory: beside.directory,
                dir: beside.path.parent().unwrap_or(Path::new("/")).to_owned(),
                names: vec![beside.leaf.clone()],
            }),
        }
    }

    /// Returns when the names are durable, and views show them.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn settle(&self, server: &Server) -> Outcome<()> {
        for SavedIn { view, vob, directory, dir, names } in &self.directories {
            make_durable(view.storage.root(), std::slice::from_ref(dir)).map_err(|error| system(&error))?;
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            server.host.private_changed(view, vob, *directory, &names);
        }
        Ok(())
    }

    /// Takes the names away again, because what they were given for was not done.
    pub fn take_back(self) {
        for SavedIn { dir, names, .. } in self.directories {
            // A further copy of what is still there does no harm.
            names.iter().for_each(|name| drop(std::fs::remove_file(dir.join(OsStr::from_bytes(name)))));
        }
    }
}

/// Which file is the private copy of a checkout: its inode number.
pub(super) fn data_of(target: &Target) -> Option<u64> {
    target.data_path().symlink_metadata().ok().map(|found| found.ino())
}

/// Removes the private copy of a file that is no longer checked out, if it is still the one that was there when the
/// checkout was given up. Whoever has it open keeps it; `kept` is its other name, relative to the storage.
///
/// # Errors
/// If it cannot be removed.
pub(super) fn remove_data(target: &Target, copy: u64, kept: Option<PathBuf>) -> Outcome<()> {
    let root = target.view.storage.root();
    let path = ViewStorage::checkout(&target.element.oid);
    match rustix::fs::statat(root, &path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) if found.st_ino == copy => {}
        Ok(_) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(error) => return Err(errno(error)),
    }
    let place = Place::Path(path.clone());
    match kept {
        Some(kept) => target.view.private.moved(copy, &place, Place::Path(kept)),
        None => {
            let left = target.view.private.leave(root, copy, &place);
            left.map_err(|refusal| {
                Failure::other(format!("the private copy cannot be let go: {refusal:?}"))
            })?;
        }
    }
    rustix::fs::unlinkat(root, &path, AtFlags::empty()).map_err(errno)
}

/// Copies the data of a checkout to a private name in a directory, where there is none yet.
///
/// # Errors
/// If it cannot be copied; nothing is there then.
pub(super) fn copy_private(view: &View, state: &DirectoryState, data: &Path, leaf: &[u8]) -> Outcome<()> {
    let dir = view.storage.dir().join(ViewStorage::private(&state.element.oid));
    let path = dir.join(OsStr::from_bytes(leaf));
    let copied = std::fs::create_dir_all(&dir).and_then(|()| {
        let metadata = data.symlink_metadata()?;
        state.set_has_private(true);
        std::fs::copy(data, &path)?;
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        File::open(&path)?.sync_all()
    });
    copied.map_err(|error| {
        let _ = std::fs::remove_file(&path);
        system(&error)
    })
}

impl Server {
    /// Copies the private copy of a checkout to `NAME.keep`, or the next free `NAME.keep.N`; answers the leaf name.
    pub(super) fn keep_copy(&self, target: &Target) -> Outcome<Vec<u8>> {
        let data = target.data_path();
        if data.symlink_metadata().is_err() {
            return Ok(Vec::new());
        }
        let Some(beside) = Beside::of(target, ".keep")? else { return Ok(Vec::new()) };
        copy_private(&target.view, &beside.state, &data, &beside.leaf)?;
        self.host.private_changed(&target.view, &target.vob, beside.directory, &[&beside.leaf]);
        Ok(beside.leaf)
    }
}

fn system(error: &std::io::Error) -> Failure {
    Failure::system(Vec::new(), error)
}

fn errno(errno: rustix::io::Errno) -> Failure {
    system(&errno.into())
}
