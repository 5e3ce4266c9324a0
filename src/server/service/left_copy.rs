//! The copies that `rmname` leaves at the names of checked-out files: what becomes of them once the name leads to the
//! file again. They would hide it.

use super::slot::free_leaf;
use crate::server::proto::Failure;
use crate::server::state::{Outcome, Server};
use crate::view::private::Place;
use crate::view::{MountedVob, View, ViewStorage};
use crate::vob::{Element, ElementKind, ElementNo};
use rustix::fs::AtFlags;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What becomes of a copy that differs from the data of the checkout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Differing {
    /// It is saved as `NAME.keep`, or the next free `NAME.keep.N`.
    Saved,
    /// It stays, and hides the element: it may be somebody's file.
    Stays,
}

/// A name in a directory that a view shows, which leads to an element.
pub(super) struct At<'a> {
    pub view: &'a Arc<View>,
    pub vob: &'a Arc<MountedVob>,
    pub directory: ElementNo,
    pub leaf: &'a [u8],
}

/// Tells whether an element is a file checked out to a view, and had this name.
pub(super) fn may_have_left(view: &View, element: &Element, directory: ElementNo, leaf: &[u8]) -> bool {
    let had_name = || element.names.iter().any(|(at, name)| *at == directory && name.as_ref() == leaf);
    element.kind == ElementKind::File && element.checkout_of(&view.uuid()).is_some() && had_name()
}

impl Server {
    /// Takes the private file away that hides a checked-out file: it goes where the checkout has the same data, and
    /// becomes the data where the checkout has none. Answers the leaf name under which it was saved, if it was.
    ///
    /// # Errors
    /// If the view's storage cannot be read or written; what was there is there still.
    pub(super) fn settle_left_copy(
        &self,
        at: &At<'_>,
        element: &Element,
        differing: Differing,
    ) -> Outcome<Vec<u8>> {
        let At { view, vob, directory, leaf } = *at;
        if !may_have_left(view, element, directory, leaf) {
            return Ok(Vec::new());
        }
        let holder = vob.element(directory)?;
        let dir = ViewStorage::private(&holder.oid);
        let (left, data) = (dir.join(OsStr::from_bytes(leaf)), ViewStorage::checkout(&element.oid));
        let (storage, root) = (view.storage.dir(), view.storage.root());
        let Ok(found) = storage.join(&left).symlink_metadata() else { return Ok(Vec::new()) };
        if !found.is_file() {
            return Ok(Vec::new());
        }
        let move_to = |to: &PathBuf| {
            rustix::fs::renameat(root, &left, root, to).map_err(|errno| system(&errno.into()))?;
            view.private.moved(found.ino(), &Place::Path(left.clone()), Place::Path(to.clone()));
            Outcome::Ok(())
        };
        let mut saved = Vec::new();
        if storage.join(&data).symlink_metadata().is_err() {
            move_to(&data)?;
            self.host.data_changed(view, vob, element);
        } else if is_same(&storage.join(&left), &storage.join(&data)).map_err(|error| system(&error))? {
            let place = Place::Path(left.clone());
            view.private.leave(root, found.ino(), &place).map_err(|refusal| {
                Failure::other(format!("the private copy cannot be let go: {refusal:?}"))
            })?;
            rustix::fs::unlinkat(root, &left, AtFlags::empty()).map_err(|errno| system(&errno.into()))?;
        } else if differing == Differing::Stays {
            return Ok(saved);
        } else {
            let state = view.directory(vob, directory)?;
            saved = free_leaf(&storage.join(&dir), &state, leaf, ".keep");
            move_to(&dir.join(OsStr::from_bytes(&saved)))?;
        }
        let names: Vec<&[u8]> = [leaf, &saved[..]].into_iter().filter(|name| !name.is_empty()).collect();
        self.host.private_changed(view, vob, directory, &names);
        Ok(saved)
    }
}

/// Tells whether two files hold the same bytes.
fn is_same(one: &Path, other: &Path) -> std::io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (a, b) = (one.fill_buf()?, other.fill_buf()?);
        let count = a.len().min(b.len());
        if a[..count] != b[..count] || (count == 0 && a.len() != b.len()) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
        one.consume(count);
        other.consume(count);
    }
}

fn system(error: &std::io::Error) -> Failure {
    Failure::system(Vec::new(), error)
}
