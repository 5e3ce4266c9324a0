//! `RecoverView`: moves what a view cannot show any more to the view's own lost+found, and compares its checked-out
//! data with the checkouts that VOBs record.
//!
//! Nothing is ever deleted: a file is moved, by one rename, or left where it is.

use super::private::{Called, Finder, UNAVAILABLE_VOB, by_identity, identities, names_of};
use crate::server::identity::Caller;
use crate::server::proto::recover_view_request::What;
use crate::server::proto::{Failure, FailureCode, RecoverItem, RecoverState, RecoverViewRequest};
use crate::server::registry::ViewTag;
use crate::server::state::{Outcome, Server};
use crate::view::inode::Numbered;
use crate::view::private::Place;
use crate::view::{MountedVob, View, ViewStorage};
use crate::vob::{Element, ElementKind, Oid};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a leaf name that are kept: 8 digits, 4 digits and two dots go before it, in 255 bytes.
const LEAF_BYTES_MAX: usize = 240;

/// One recovery. What its functions answer is whether somebody wants more.
struct Recovery<'a> {
    server: &'a Server,
    view: &'a Arc<View>,
    /// Whether files are moved, or only told.
    moves: bool,
    send: &'a mut dyn FnMut(RecoverItem) -> bool,
}

impl Server {
    /// Sends what is moved, or would be; `send` answers whether there is still somebody to send to.
    ///
    /// # Errors
    /// If the call is refused, or a file cannot be moved; what was moved before stays moved.
    pub fn recover_view(
        &self,
        caller: &Caller,
        request: &RecoverViewRequest,
        send: &mut dyn FnMut(RecoverItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let entries = self.registry.entries();
        let tag = if request.storage.is_empty() {
            request.tag.clone()
        } else {
            let found = entries
                .views
                .iter()
                .find(|(_, entry)| entry.storage.as_os_str().as_bytes() == request.storage);
            let name = String::from_utf8_lossy(&request.storage).into_owned();
            found.map(|(tag, _)| tag.as_str().to_owned()).ok_or_else(|| no_such_view(&name))?
        };
        let parsed = ViewTag::new(&tag).map_err(|_| no_such_view(&tag))?;
        let entry = entries.views.get(&parsed).ok_or_else(|| no_such_view(&tag))?;
        self.permit(caller, &[(entry.owner, "view owner")], "recover view")?;
        let view = self.started_view(&tag)?;
        let vobs = self.host.vobs();
        let mut recovery = Recovery { server: self, view: &view, moves: !request.only_tell, send };
        match &request.what {
            Some(What::Vob(vob)) => {
                let named = String::from_utf8_lossy(&vob.typed).into_owned();
                if named.trim_matches(['#', '<', '>']) == UNAVAILABLE_VOB {
                    self.all_vobs_are_mounted()?;
                    recovery.stranded(&vobs, &|vob, _| vob.is_none())
                } else {
                    let wanted = self.vob_of(context, vob)?;
                    recovery.stranded(&vobs, &|vob, _| vob.is_some_and(|vob| vob.index == wanted.index))
                }
            }
            Some(What::Directory(oid)) => {
                // With the VOB in front, as lsprivate prints it, or alone.
                let bare = oid.rsplit('/').next().unwrap_or(oid).trim_matches(['<', '>']);
                let bare = bare.strip_prefix("DIR-").unwrap_or(bare);
                let wanted: Oid = bare
                    .parse()
                    .map_err(|_| Failure::other(format!("\"{oid}\" is no identifier of a directory")))?;
                recovery.stranded(&vobs, &|_, oid| *oid == wanted)
            }
            Some(What::Synchronize(_)) => recovery.synchronize(&vobs),
            // The storage was opened when the view was started, and there is no database to rebuild.
            None => identities(&view, "private").and_then(|_| identities(&view, "checkout")).map(drop),
        }
    }

    /// Refuses while files that no mounted VOB knows may belong to one that is not mounted.
    fn all_vobs_are_mounted(&self) -> Outcome<()> {
        let entries = self.registry.entries();
        let is_mounted = |tag: &[u8]| self.host.vobs().iter().any(|vob| vob.tag.as_bytes() == tag);
        match entries.vobs.keys().find(|tag| !is_mounted(tag.bytes())) {
            Some(tag) => Err(Failure::new(FailureCode::NotMounted).name(tag.bytes())),
            None => Ok(()),
        }
    }
}

fn no_such_view(tag: &str) -> Failure {
    Failure { view_tag: tag.to_owned(), ..Failure::new(FailureCode::NoSuchViewTag) }
}

type Wanted<'a> = dyn Fn(Option<&MountedVob>, &Oid) -> bool + 'a;

impl Recovery<'_> {
    /// Moves the private files of directories that the view does not show.
    fn stranded(&mut self, vobs: &[Arc<MountedVob>], wanted: &Wanted) -> Outcome<()> {
        let view = Arc::clone(self.view);
        let mut finder = Finder::new(&self.server.host, &view, vobs);
        for oid in identities(&view, "private")? {
            let found = finder.element(&oid)?;
            let vob = found.as_ref().map(|(vob, _)| &*vobs[*vob]);
            if !wanted(vob, &oid) {
                continue;
            }
            let called = match &found {
                Some((vob, element)) => finder.directory(*vob, element.number)?,
                None => Called::Unavailable,
            };
            let directory = match called {
                // What can be reached is not stranded.
                Called::Shown(_) => continue,
                Called::Extended(path) => path,
                Called::Uncatalogued | Called::Unavailable => by_identity(vob, &oid),
            };
            let mut names = names_of(&view.storage.dir().join(ViewStorage::private(&oid)))?;
            names.sort();
            for name in names {
                let from = ViewStorage::private(&oid).join(OsStr::from_bytes(&name));
                let object = [&directory[..], b"/", &name].concat();
                let goes_on = self.lose(RecoverState::Stranded, object, &oid, &from, &name)?;
                if let Some((vob, element)) = &found {
                    self.forget_name(&vobs[*vob], element, &name);
                }
                if !goes_on {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Compares checked-out data with checkouts.
    fn synchronize(&mut self, vobs: &[Arc<MountedVob>]) -> Outcome<()> {
        let view = Arc::clone(self.view);
        let uuid = view.uuid();
        let mut finder = Finder::new(&self.server.host, &view, vobs);
        let all_mounted = self.server.all_vobs_are_mounted().is_ok();
        for oid in identities(&view, "checkout")? {
            let from = ViewStorage::checkout(&oid);
            let found = finder.element(&oid)?;
            let (object, leaf) = match &found {
                Some((_, element)) if element.checkout_of(&uuid).is_some() => continue,
                Some((vob, element)) => {
                    let (called, leaf) = finder.file(*vob, element)?;
                    let directory = match called {
                        Called::Shown(path) | Called::Extended(path) => path,
                        _ => format!("#<{}>", vobs[*vob].tag).into_bytes(),
                    };
                    ([&directory[..], b"/", &leaf].concat(), leaf)
                }
                None => {
                    let leaf = format!("<FILE-{oid}>");
                    (format!("#<{UNAVAILABLE_VOB}>/{leaf}").into_bytes(), oid.to_string().into_bytes())
                }
            };
            let goes_on = if found.is_none() && !all_mounted {
                self.tell(RecoverState::Unavailable, object, Vec::new())
            } else {
                self.lose(RecoverState::NoCheckout, object, &oid, &from, &leaf)?
            };
            if !goes_on {
                return Ok(());
            }
        }
        for (vob, elements) in self.server.checkouts_of(&uuid)? {
            let place = vobs.iter().position(|known| known.index == vob.index);
            for number in elements {
                let element = vob.element(number)?;
                let data = view.storage.dir().join(ViewStorage::checkout(&element.oid));
                if element.kind != ElementKind::File || data.symlink_metadata().is_ok() {
                    continue;
                }
                let Some(place) = place else { continue };
                let (Called::Shown(directory) | Called::Extended(directory), leaf) =
                    finder.file(place, &element)?
                else {
                    continue;
                };
                let object = [&directory[..], b"/", &leaf].concat();
                if !self.tell(RecoverState::NoData, object, Vec::new()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, state: RecoverState, object: Vec<u8>, moved_to: Vec<u8>) -> bool {
        let directory = !moved_to.is_empty() && Path::new(OsStr::from_bytes(&moved_to)).is_dir();
        (self.send)(RecoverItem { state: state.into(), object, moved_to, directory })
    }

    /// Moves a file of the storage to lost+found, unless it is only to be told.
    fn lose(
        &mut self,
        state: RecoverState,
        object: Vec<u8>,
        oid: &Oid,
        from: &Path,
        leaf: &[u8],
    ) -> Outcome<bool> {
        if !self.moves {
            return Ok(self.tell(state, object, Vec::new()));
        }
        let storage = self.view.storage.dir();
        let failed = |error: std::io::Error| Failure::system(from.as_os_str().as_bytes(), &error);
        let found = storage.join(from).symlink_metadata().map_err(failed)?;
        let to = lost_place(self.view, oid, leaf)?;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        let root = self.view.storage.root();
        rustix::fs::renameat_with(root, from, root, &to, flags).map_err(|errno| failed(errno.into()))?;
        // A process may have it open.
        self.view.private.moved(found.ino(), &Place::Path(from.to_owned()), Place::Path(to.clone()));
        Ok(self.tell(state, object, storage.join(to).into_os_string().into_vec()))
    }

    /// Makes the kernel forget a name that was moved away.
    fn forget_name(&self, vob: &MountedVob, directory: &Element, name: &[u8]) {
        let inode = Numbered::Directory(self.view.index, vob.index, directory.number).inode();
        if let (true, Some(inode), Some(invalidator)) = (self.moves, inode, self.server.host.invalidator()) {
            self.server.host.advance_epoch();
            invalidator.names(vec![(inode, OsStr::from_bytes(name).to_owned())]);
            invalidator.listings(vec![inode]);
        }
    }
}

/// Finds a free name in a view's lost+found, relative to its storage: 8 digits of the directory's or file's
/// identity, a number, the leaf.
///
/// # Errors
/// If there is none, or the storage cannot be written.
pub(super) fn lost_place(view: &View, oid: &Oid, leaf: &[u8]) -> Outcome<PathBuf> {
    let storage = view.storage.dir();
    let below = storage.join(ViewStorage::LOST_AND_FOUND);
    let failed = |error: &std::io::Error| Failure::system(below.as_os_str().as_bytes(), error);
    match std::fs::create_dir(&below) {
        Ok(()) if rustix::process::geteuid().is_root() => {
            // Whoever owns the view takes out of it what they need.
            let access = view.storage.access();
            std::os::unix::fs::chown(&below, Some(access.owner), Some(access.group))
                .map_err(|error| failed(&error))?;
        }
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(&error)),
        _ => {}
    }
    let digits = oid.to_string();
    let leaf = &leaf[..leaf.len().min(LEAF_BYTES_MAX)];
    for number in 0..=u16::MAX {
        let mut name = OsString::from(format!("{}.{number:04x}.", &digits[..8]));
        name.push(OsStr::from_bytes(leaf));
        if below.join(&name).symlink_metadata().is_err() {
            return Ok(Path::new(ViewStorage::LOST_AND_FOUND).join(name));
        }
    }
    Err(Failure::other("lost+found has no name left for this file"))
}
