//! Everything the mount shows: mounted VOBs and started views, by tag and by number.
//!
//! Locks guard the two tables only; a request takes what it needs out of them and lets go.

use super::departed::Departed;
use super::history::HistoryNodes;
use super::inode::{ViewIndex, VobIndex};
use super::live::View;
use super::watch::Watches;
use crate::store::{StoreError, Vob};
use crate::vob::{Element, ElementNo};
use clerestory_mount::{Invalidator, Time};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A VOB that is mounted on this host.
pub struct MountedVob {
    /// Its number on this host.
    pub index: VobIndex,
    /// Its tag: an absolute path.
    pub tag: String,
    /// The VOB.
    pub vob: Arc<Vob>,
}

impl MountedVob {
    /// Reads an element that must exist.
    ///
    /// # Errors
    /// If it cannot be read, or was removed.
    pub fn element(&self, number: ElementNo) -> Result<Arc<Element>, StoreError> {
        self.vob.element(number)?.ok_or(StoreError::NoSuchElement(number))
    }
}

#[derive(Default)]
struct Tables {
    vobs: BTreeMap<String, Arc<MountedVob>>,
    views: BTreeMap<String, Arc<View>>,
    vob_numbers: BTreeMap<VobIndex, Arc<MountedVob>>,
    view_numbers: BTreeMap<ViewIndex, Arc<View>>,
    /// Views taken away of which the kernel was not told yet.
    ended: Vec<Arc<View>>,
    /// Directories above VOBs, in the order they were first seen; 0 is the top of a view.
    above: Vec<String>,
}

/// The mounted VOBs and started views of one host.
pub struct Host {
    /// Where the mount is.
    pub viewroot: PathBuf,
    /// When the daemon started: the time stamp of directories that are in no VOB.
    pub started: Time,
    /// Directories of the history name space that the kernel knows.
    pub history: HistoryNodes,
    /// File versions that were removed and may be open.
    pub departed: Departed,
    /// What changed, for those who watch.
    pub watches: Watches,
    tables: RwLock<Tables>,
    epoch: AtomicU64,
    invalidator: OnceLock<Invalidator>,
    /// Held while a change is worked out and the kernel is told of it. It comes before all other
    /// locks of this room and the store, and no request of the mount ever takes it: the
    /// kernel is waited for meanwhile.
    pub(super) telling: Mutex<()>,
}

impl Host {
    /// Starts with nothing mounted.
    pub fn new(viewroot: PathBuf, started: Time) -> Host {
        let tables = Tables { above: vec![String::new()], ..Tables::default() };
        Host {
            viewroot,
            started,
            history: HistoryNodes::default(),
            departed: Departed::default(),
            watches: Watches::default(),
            tables: RwLock::new(tables),
            epoch: AtomicU64::new(1),
            invalidator: OnceLock::new(),
            telling: Mutex::new(()),
        }
    }

    /// Says whom to tell of changes, once the mount is there.
    pub fn set_invalidator(&self, invalidator: Invalidator) {
        let _ = self.invalidator.set(invalidator);
    }

    /// Returns whom to tell of changes.
    pub fn invalidator(&self) -> Option<&Invalidator> {
        self.invalidator.get()
    }

    /// Returns a number that grows with every change.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Notes that something changed: to be called after the change and before the kernel is told.
    pub fn advance_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Adds a VOB.
    pub fn add_vob(&self, vob: MountedVob) -> Arc<MountedVob> {
        let vob = Arc::new(vob);
        let mut tables = self.tables.write();
        let mut path = vob.tag.as_str();
        while let Some((above, _)) = path.rsplit_once('/') {
            if !tables.above.iter().any(|known| known == above) {
                tables.above.push(above.to_owned());
            }
            path = above;
        }
        tables.vob_numbers.insert(vob.index, Arc::clone(&vob));
        tables.vobs.insert(vob.tag.clone(), Arc::clone(&vob));
        vob
    }

    /// Takes a VOB away.
    pub fn remove_vob(&self, tag: &str) -> Option<Arc<MountedVob>> {
        let mut tables = self.tables.write();
        let vob = tables.vobs.remove(tag)?;
        tables.vob_numbers.remove(&vob.index);
        Some(vob)
    }

    /// Adds a view.
    pub fn add_view(&self, view: View) -> Arc<View> {
        let view = Arc::new(view);
        let mut tables = self.tables.write();
        tables.view_numbers.insert(view.index, Arc::clone(&view));
        tables.views.insert(view.tag.clone(), Arc::clone(&view));
        view
    }

    /// Takes a view away. What the kernel holds of it goes when it is told next of everything, or of this.
    pub fn remove_view(&self, tag: &str) -> Option<Arc<View>> {
        let mut tables = self.tables.write();
        let view = tables.views.remove(tag)?;
        tables.view_numbers.remove(&view.index);
        tables.ended.push(Arc::clone(&view));
        Some(view)
    }

    /// Finds a mounted VOB by its tag.
    pub fn vob(&self, tag: &str) -> Option<Arc<MountedVob>> {
        self.tables.read().vobs.get(tag).cloned()
    }

    /// Finds a mounted VOB by its number.
    pub fn vob_numbered(&self, index: VobIndex) -> Option<Arc<MountedVob>> {
        self.tables.read().vob_numbers.get(&index).cloned()
    }

    /// Finds a started view by its tag.
    pub fn view(&self, tag: &str) -> Option<Arc<View>> {
        self.tables.read().views.get(tag).cloned()
    }

    /// Finds a started view by its number.
    pub fn view_numbered(&self, index: ViewIndex) -> Option<Arc<View>> {
        self.tables.read().view_numbers.get(&index).cloned()
    }

    /// Returns all mounted VOBs, by tag.
    pub fn vobs(&self) -> Vec<Arc<MountedVob>> {
        self.tables.read().vobs.values().cloned().collect()
    }

    /// Returns all started views, by tag.
    pub fn views(&self) -> Vec<Arc<View>> {
        self.tables.read().views.values().cloned().collect()
    }

    /// Takes out the views that were taken away since this was asked last.
    pub(super) fn take_ended_views(&self) -> Vec<Arc<View>> {
        std::mem::take(&mut self.tables.write().ended)
    }

    /// Forgets a view that was taken away, of which everything is told.
    pub(super) fn forget_ended(&self, view: &View) {
        self.tables.write().ended.retain(|ended| ended.index != view.index);
    }

    /// Returns the directories above VOBs, by their numbers, with the names in each.
    pub(super) fn names_above(&self) -> Vec<(u32, Vec<String>)> {
        let tables = self.tables.read();
        let below = |above: &String| {
            let name = |tag: &String| {
                let rest = tag.strip_prefix(above.as_str())?.strip_prefix('/')?;
                Some(rest.split('/').next().unwrap_or_default().to_owned())
            };
            let mut names: Vec<String> = tables.vobs.keys().filter_map(name).collect();
            names.dedup();
            names
        };
        (0..).zip(tables.above.iter().map(below)).collect()
    }

    /// Returns the path of a directory above VOBs.
    pub fn above(&self, number: u32) -> Option<String> {
        self.tables.read().above.get(number as usize).cloned()
    }

    /// Finds a directory above VOBs by its path, if some mounted VOB is below it.
    pub fn above_numbered(&self, path: &str) -> Option<u32> {
        let tables = self.tables.read();
        let below = |tag: &String| tag.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        if !path.is_empty() && !tables.vobs.keys().any(below) {
            return None;
        }
        Some(tables.above.iter().position(|known| known == path)? as u32)
    }

    /// Finds the VOB that a path inside a view is in: the VOB and the rest of the path.
    pub fn vob_of<'a>(&self, path: &'a [u8]) -> Option<(Arc<MountedVob>, &'a [u8])> {
        let tables = self.tables.read();
        let inside = |tag: &str| {
            let rest = path.strip_prefix(tag.as_bytes())?;
            (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
        };
        let mut found = tables.vobs.iter().filter_map(|(tag, vob)| Some((vob, inside(tag)?)));
        found.next().map(|(vob, rest)| (Arc::clone(vob), rest))
    }
}
