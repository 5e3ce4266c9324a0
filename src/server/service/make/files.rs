//! What becomes of private files whose names come under version control.
//!
//! A file that becomes checked-out data has that place as a further name before the commit, and loses its private name
//! after it. A daemon that is killed leaves the private file, which at worst hides the new element: the data is the
//! same file. What is removed or moved aside is so after the commit.

use super::{Make, Outcomes};
use crate::server::proto::{Failure, MadeElement};
use crate::server::service::file_data::Stamp;
use crate::server::state::Outcome;
use crate::view::live::View;
use crate::view::private::Place;
use crate::view::staging::make_durable;
use crate::view::{MountedVob, ViewStorage};
use crate::vob::{ElementNo, Oid};
use rustix::fs::{AtFlags, RenameFlags};
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a private file is when its name is an element's.
pub(super) enum Fate {
    /// The data of the checkout of this element; `linked` if it has that place as a further name already.
    Data { element: Oid, mode: u32, linked: bool },
    /// Gone, because it was checked in as it was then.
    CheckedIn(Stamp),
    /// A private file of another name, which is a leaf.
    Aside(Vec<u8>),
}

/// A private file in a VOB directory.
pub(super) struct PrivateFile {
    pub view: Arc<View>,
    pub directory: ElementNo,
    pub directory_oid: Oid,
    pub leaf: Vec<u8>,
    pub inode: u64,
    /// How the table of private files calls its place.
    pub place: Place,
    pub fate: Fate,
}

/// A private directory that becomes the home of what is private in a new directory element.
pub(super) struct Converted {
    pub view: Arc<View>,
    pub directory: ElementNo,
    pub oid: Oid,
    /// Relative to the view's storage, once the directories it is in are converted.
    pub from: PathBuf,
    pub inode: u64,
    pub place: Place,
}

/// Names of a directory that lead elsewhere in a view.
struct Changed<'a> {
    view: &'a Arc<View>,
    directory: ElementNo,
    names: Vec<&'a [u8]>,
}

/// What a command does to private files.
#[derive(Default)]
pub(super) struct Files {
    /// Outermost first, with the argument that wants it.
    pub converted: Vec<(usize, Converted)>,
    /// With the argument.
    pub files: Vec<(usize, PrivateFile)>,
    /// Data that was put in its place for a commit.
    pub placed: Vec<(Arc<View>, Oid)>,
}

impl Files {
    /// Gives a private file the place of an element's checked-out data as a further name; tells whether that could be
    /// done. Not every file system has hard links.
    ///
    /// # Errors
    /// If the storage cannot be written.
    pub fn link(&mut self, view: &Arc<View>, from: &Path, element: Oid) -> Outcome<bool> {
        let (root, place) = (view.storage.root(), ViewStorage::checkout(&element));
        match rustix::fs::linkat(root, from, root, &place, AtFlags::empty()) {
            Ok(()) => self.placed.push((Arc::clone(view), element)),
            Err(rustix::io::Errno::PERM | rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::MLINK) => {
                return Ok(false);
            }
            Err(error) => return Err(errno(error)),
        }
        Ok(true)
    }

    /// Makes the empty data of a new element.
    ///
    /// # Errors
    /// If the storage cannot be written.
    pub fn create(&mut self, make: &Make<'_>, view: &Arc<View>, element: Oid, mode: u32) -> Outcome<()> {
        let path = view.storage.dir().join(ViewStorage::checkout(&element));
        let create = || {
            let file = File::create_new(&path)?;
            file.set_permissions(Permissions::from_mode(mode))?;
            if rustix::process::geteuid().is_root() {
                let (owner, group) = (Some(make.caller.user_id), Some(make.caller.group_id));
                std::os::unix::fs::fchown(&file, owner, group)?;
            }
            Ok(())
        };
        self.placed.push((Arc::clone(view), element));
        create().map_err(|error: std::io::Error| Failure::system(Vec::new(), &error))
    }

    /// Does what follows the commit, and lets views see it.
    pub fn finish(self, make: &Make<'_>, vob: &Arc<MountedVob>, outcomes: &mut Outcomes<MadeElement>) {
        let mut failed = |at: usize, outcome: Outcome<()>| {
            if let Err(failure) = outcome {
                outcomes[at] = Some(Err(failure));
            }
        };
        let is_converted = !self.converted.is_empty();
        for (at, converted) in &self.converted {
            failed(*at, convert(vob, converted));
        }
        let mut changed: Vec<Changed<'_>> = Vec::new();
        for (at, file) in &self.files {
            failed(*at, settle(file));
            let here = |known: &Changed<'_>| {
                Arc::ptr_eq(known.view, &file.view) && known.directory == file.directory
            };
            let known = changed.iter().position(here).unwrap_or_else(|| {
                changed.push(Changed { view: &file.view, directory: file.directory, names: Vec::new() });
                changed.len() - 1
            });
            changed[known].names.push(&file.leaf);
            if let Fate::Aside(leaf) = &file.fate {
                changed[known].names.push(leaf);
            }
        }
        let mut views: Vec<&Arc<View>> = self.placed.iter().map(|(view, _)| view).collect();
        views.dedup_by(|a, b| Arc::ptr_eq(a, b));
        for view in views {
            let place = view.storage.dir().join("checkout");
            if let Err(error) = make_durable(view.storage.root(), &[place]) {
                tracing::warn!(%error, "the places of new data may not survive a power cut");
            }
        }
        let host = &make.server.host;
        match is_converted {
            true => host.forget_everything(),
            false => {
                for Changed { view, directory, names } in &changed {
                    host.private_changed(view, vob, *directory, names);
                }
            }
        }
    }

    /// Takes away what was put in place for a commit that was not done.
    pub fn take_back(self) {
        for (view, element) in self.placed {
            // No other call knows the element: what stays is in nobody's way.
            let _ =
                rustix::fs::unlinkat(view.storage.root(), ViewStorage::checkout(&element), AtFlags::empty());
        }
    }
}

/// Makes a private directory the home of what is private in the element of its name.
fn convert(vob: &MountedVob, converted: &Converted) -> Outcome<()> {
    let Converted { view, directory, oid, from, inode, place } = converted;
    let (root, home) = (view.storage.root(), ViewStorage::private(oid));
    rustix::fs::renameat_with(root, from, root, &home, RenameFlags::NOREPLACE).map_err(errno)?;
    view.private.moved(*inode, place, Place::Path(home));
    if let Some(state) = view.known_directory(vob.index, *directory) {
        state.set_has_private(true);
    }
    Ok(())
}

/// Does to a private file what was planned.
fn settle(file: &PrivateFile) -> Outcome<()> {
    let PrivateFile { view, directory_oid, leaf, inode, place, fate, .. } = file;
    let root = view.storage.root();
    let dir = ViewStorage::private(directory_oid);
    let path = dir.join(OsStr::from_bytes(leaf));
    let rename = |to: &PathBuf| {
        rustix::fs::renameat_with(root, &path, root, to, RenameFlags::NOREPLACE).map_err(errno)
    };
    match fate {
        Fate::Data { element, mode, linked } => {
            let data = ViewStorage::checkout(element);
            match linked {
                true => rustix::fs::unlinkat(root, &path, AtFlags::empty()).map_err(errno)?,
                false => rename(&data)?,
            }
            view.private.moved(*inode, place, Place::Path(data.clone()));
            let mode = rustix::fs::Mode::from_raw_mode(*mode);
            rustix::fs::chmodat(root, &data, mode, AtFlags::empty()).map_err(errno)
        }
        Fate::CheckedIn(stamp) if stamp.is_of(&view.storage.dir().join(&path)) => {
            let left = view.private.leave(root, *inode, place);
            left.map_err(|refusal| {
                Failure::other(format!("the private file cannot be let go: {refusal:?}"))
            })?;
            rustix::fs::unlinkat(root, &path, AtFlags::empty()).map_err(errno)
        }
        // Somebody wrote to it after it was checked in. It hides the element, and nothing is lost.
        Fate::CheckedIn(_) => Ok(()),
        Fate::Aside(leaf) => {
            let to = dir.join(OsStr::from_bytes(leaf));
            rename(&to)?;
            view.private.moved(*inode, place, Place::Path(to));
            Ok(())
        }
    }
}

fn errno(errno: rustix::io::Errno) -> Failure {
    Failure::system(Vec::new(), &errno.into())
}
