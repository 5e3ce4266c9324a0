//! A name in a VOB directory of a view: where commands that make, remove and move names work.

use crate::server::proto::*;
use crate::server::state::{Outcome, Server};
use crate::view::live::{DirectoryState, Shown, View};
use crate::view::{Found, MountedVob, ViewStorage};
use crate::vob::apply::valid_entry_name;
use crate::vob::{ElementKind, ElementNo};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory and a name in it, catalogued or not.
pub struct Slot {
    pub view: Arc<View>,
    pub vob: Arc<MountedVob>,
    pub directory: ElementNo,
    pub state: Arc<DirectoryState>,
    pub leaf: Vec<u8>,
    /// A slash was typed behind the name.
    pub is_directory_wanted: bool,
}

impl Slot {
    /// A private file or directory of that name.
    pub fn private(&self) -> PathBuf {
        let dir = ViewStorage::private(&self.state.element.oid);
        self.view.storage.dir().join(dir).join(OsStr::from_bytes(&self.leaf))
    }
}

/// A name with a suffix that nothing in a directory has: neither the view's private files, which are
/// in `private` on the host, nor the catalog. `.keep`, then `.keep.1` and so on.
pub fn free_leaf(private: &Path, state: &DirectoryState, name: &[u8], suffix: &str) -> Vec<u8> {
    let mut leaf = [name, suffix.as_bytes()].concat();
    for attempt in 1u32.. {
        let is_taken = state.catalog.get(&leaf).is_some()
            || private.join(OsStr::from_bytes(&leaf)).symlink_metadata().is_ok();
        if !is_taken {
            break;
        }
        leaf = [name, format!("{suffix}.{attempt}").as_bytes()].concat();
    }
    leaf
}

impl Server {
    /// Finds the directory of a name, and takes the name for one that could be catalogued.
    pub(super) fn slot(&self, context: &Context, pname: &Pname) -> Outcome<Slot> {
        let absolute = &pname.absolute;
        let Some(at) = absolute.iter().rposition(|byte| *byte == b'/') else {
            return Err(Failure::new(FailureCode::NoSuchFile));
        };
        let (parent, leaf) = (&absolute[..at], &absolute[at + 1..]);
        let is_directory_wanted = pname.typed.ends_with(b"/");
        let slot = self.slot_in(context, parent, leaf);
        let outside = match slot.map(|slot| Slot { is_directory_wanted, ..slot }) {
            Err(failure) if failure.code() == FailureCode::NotInAVob => failure,
            other => return other,
        };
        // The directory that a VOB's root is in is no VOB's.
        let (_, inside) = self.place(context, pname)?;
        match self.host.vob_of(inside) {
            Some((_, &[])) => Err(Failure::new(FailureCode::FixedName)),
            _ => Err(outside),
        }
    }

    /// Finds a name in a directory given by its absolute path.
    pub(super) fn slot_in(&self, context: &Context, directory: &[u8], leaf: &[u8]) -> Outcome<Slot> {
        let parent = Pname { typed: Vec::new(), absolute: directory.to_vec() };
        let (view, resolved) = self.resolve(context, &parent)?;
        let directory = match resolved.found {
            Found::Element { element, shown, .. } if element.kind == ElementKind::Directory => {
                if matches!(shown, Shown::Nothing(_) | Shown::Error(_)) {
                    return Err(Failure::new(FailureCode::NoVersionSelected));
                }
                element.number
            }
            Found::Element { .. } => return Err(Failure::new(FailureCode::NotADirectory)),
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(_) => return Err(Failure::new(FailureCode::NotADirectory)),
            Found::History(_) => return Err(Failure::new(FailureCode::VersionNameNotAllowed)),
        };
        if leaf.len() > 255 {
            return Err(Failure::new(FailureCode::NameTooLong));
        }
        if !valid_entry_name(leaf) || leaf.windows(2).any(|pair| pair == b"@@") {
            return Err(Failure::new(FailureCode::BadName).name(leaf));
        }
        let state = view.directory(&resolved.vob, directory)?;
        Ok(Slot {
            view,
            vob: resolved.vob,
            directory,
            state,
            leaf: leaf.to_vec(),
            is_directory_wanted: false,
        })
    }
}
