//! What changed in views, for programs that want to know without looking again and again.
//!
//! A log in memory: the newest events, each with a number. Nothing is written into it until somebody watches for the
//! first time; from then on until the daemon ends, so that a watcher who was away goes on where he was. One who was away
//! too long, or knew another daemon, is told that he missed something. Events are written when the kernel has been told:
//! who looks after an event sees what it tells of.

use super::host::{Host, MountedVob};
use super::inode::Numbered;
use super::live::View;
use crate::store::{Committed, StoreError};
use crate::vob::apply::DirectoryAt;
use crate::vob::{ElementNo, Entry, Oid};
use clerestory_mount::Inode;
use parking_lot::{Condvar, Mutex};
use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Events that are kept.
const EVENTS_MAX: usize = 1 << 16;
/// The newest events among which one like the next is looked for: a program that writes a file in many pieces changes it
/// once.
const ALIKE: usize = 8;

/// What happened at a path.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum What {
    /// Something else is there than before, or is told of it: another version, other names, other bytes, a label.
    Changed,
    /// The name is gone.
    Removed,
    /// The view may show anything below otherwise: its rules changed, or a VOB came or went.
    Selection,
}

/// A change of what a view shows.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Event {
    /// Its number, from 1 on.
    pub sequence: u64,
    /// What happened.
    pub what: What,
    /// Where: an absolute path in the mount.
    pub path: Vec<u8>,
}

/// Events that a watcher has not seen, in their order.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct News {
    /// Some are not kept any more.
    pub missed: bool,
    /// The others.
    pub events: Vec<Event>,
    /// The number of the newest event there is.
    pub newest: u64,
    /// There will be no more.
    pub ended: bool,
}

/// The log of one host.
#[derive(Debug, Default)]
pub struct Watches {
    is_watched: AtomicBool,
    log: Mutex<Log>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    /// The number of the newest event.
    newest: u64,
    /// The number of the newest event that somebody took.
    taken: u64,
    events: VecDeque<Event>,
    ended: bool,
}

impl Watches {
    /// Begins to keep events; returns the number of the newest.
    pub fn begin(&self) -> u64 {
        let log = self.log.lock();
        self.is_watched.store(true, Ordering::Release);
        log.newest
    }

    /// Tells whether events are kept.
    pub fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Acquire)
    }

    /// Ends all waiting, now and later.
    pub fn end(&self) {
        self.log.lock().ended = true;
        self.more.notify_all();
    }

    /// Adds an event, unless one like it waits to be taken.
    pub fn add(&self, what: What, path: Vec<u8>) {
        let mut log = self.log.lock();
        let taken = log.taken;
        let waiting = log.events.iter().rev().take(ALIKE).take_while(|event| event.sequence > taken);
        // What was changed after it was removed is there again.
        let latest = waiting.into_iter().find(|event| event.path == path);
        if latest.is_some_and(|event| event.what == what) {
            return;
        }
        log.newest += 1;
        let sequence = log.newest;
        log.events.push_back(Event { sequence, what, path });
        if log.events.len() > EVENTS_MAX {
            log.events.pop_front();
        }
        drop(log);
        self.more.notify_all();
    }

    /// Waits until there are events behind a number, or the time has come; returns them.
    pub fn wait(&self, after: u64, until: Instant) -> News {
        let mut log = self.log.lock();
        while !log.ended && log.newest <= after && !self.more.wait_until(&mut log, until).timed_out() {}
        let first = log.events.front().map_or(log.newest + 1, |event| event.sequence);
        // A number that was never given is another daemon's.
        let missed = after > log.newest || after + 1 < first;
        let skipped = after.saturating_sub(first - 1).min(log.events.len() as u64) as usize;
        let events: Vec<Event> = log.events.iter().skip(skipped).cloned().collect();
        log.taken = log.taken.max(log.newest);
        News { missed, events, newest: log.newest, ended: log.ended }
    }
}

impl Host {
    /// Notes what a commit changed in every view.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub(super) fn note_commit(
        &self,
        vob: &MountedVob,
        changed: &[ElementNo],
        committed: &Committed,
    ) -> Result<(), StoreError> {
        for view in self.views() {
            let mut directories: HashMap<ElementNo, Option<PathBuf>> = HashMap::new();
            let mut note = |directory: ElementNo, name: &[u8], wanted: Option<Entry>| {
                let place = match directories.get(&directory) {
                    Some(place) => place.clone(),
                    None => {
                        let place = self.path_in(&view, vob, directory)?;
                        directories.insert(directory, place.clone());
                        place
                    }
                };
                let Some(place) = place else { return Ok::<(), StoreError>(()) };
                let state = view.directory(vob, directory)?;
                let shown = state.catalog.get(name);
                if wanted.is_some() && shown != wanted {
                    return Ok(());
                }
                // A name that another view's checkout lost was perhaps never here.
                let is_own = matches!(state.at, Some(DirectoryAt::CheckedOut(_)));
                if shown.is_none() && !is_own {
                    return Ok(());
                }
                let what = if shown.is_some() { What::Changed } else { What::Removed };
                self.watches.add(what, place.join(OsStr::from_bytes(name)).into_os_string().into_vec());
                Ok(())
            };
            for (directory, name) in &committed.names {
                if vob.vob.element(*directory)?.is_some() {
                    note(*directory, name, None)?;
                }
            }
            for number in changed {
                let Some(element) = vob.vob.element(*number)? else { continue };
                if *number == ElementNo::ROOT {
                    let path = self.path_in(&view, vob, *number)?;
                    path.into_iter()
                        .for_each(|path| self.watches.add(What::Changed, path.into_os_string().into_vec()));
                }
                for (parent, name) in &element.names {
                    if vob.vob.element(*parent)?.is_some() {
                        note(*parent, name, Some(Entry::Element(*number)))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes that views may show anything otherwise: one view, or all.
    pub(super) fn note_selection(&self, view: Option<&View>) {
        if self.watches.is_watched() {
            let tags: Vec<String> = match view {
                Some(view) => vec![view.tag.clone()],
                None => self.views().iter().map(|view| view.tag.clone()).collect(),
            };
            for tag in tags {
                self.watches.add(What::Selection, self.viewroot.join(tag).into_os_string().into_vec());
            }
        }
    }

    /// Notes a change of names in a VOB directory that commands make.
    pub(super) fn note_private(&self, view: &View, vob: &MountedVob, directory: ElementNo, names: &[&[u8]]) {
        if !self.watches.is_watched() {
            return;
        }
        if let Ok(Some(place)) = self.path_in(view, vob, directory) {
            for name in names {
                let path = place.join(OsStr::from_bytes(name)).into_os_string().into_vec();
                self.watches.add(What::Changed, path);
            }
        }
    }

    /// Notes a change of a name through the mount.
    pub(super) fn note_name(&self, what: What, parent: Inode, name: &OsStr) {
        if self.watches.is_watched()
            && let Some(place) = self.place_of(parent)
        {
            self.watches.add(what, place.join(name).into_os_string().into_vec());
        }
    }

    /// Notes that a private name went through the mount: what the catalog has under it shows again.
    pub(super) fn note_gone(&self, parent: Inode, name: &OsStr) {
        if !self.watches.is_watched() {
            return;
        }
        let what = match Numbered::of(parent) {
            Some(Numbered::Directory(view, vob, number)) => {
                let here = self.here(view, vob, number);
                let found =
                    here.is_ok_and(|here| here.find(name.as_bytes()).is_ok_and(|found| found.is_some()));
                if found { What::Changed } else { What::Removed }
            }
            _ => What::Removed,
        };
        self.note_name(what, parent, name);
    }

    /// Notes a change of a private file through the mount.
    pub(super) fn note_file(&self, inode: Inode) {
        if self.watches.is_watched()
            && let Some(place) = self.place_of(inode)
        {
            self.watches.add(What::Changed, place.into_os_string().into_vec());
        }
    }

    /// Finds the path of a directory or private file that the kernel knows; none where no name leads to it.
    fn place_of(&self, inode: Inode) -> Option<PathBuf> {
        match Numbered::of(inode)? {
            Numbered::Directory(view, vob, number) => {
                let (view, vob) = (self.view_numbered(view)?, self.vob_numbered(vob)?);
                self.path_in(&view, &vob, number).ok()?
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view)?;
                self.place_in_storage(&view, &view.private.path(number)?)
            }
            _ => None,
        }
    }

    /// Finds the path at which a view shows something of its storage.
    fn place_in_storage(&self, view: &View, stored: &Path) -> Option<PathBuf> {
        let mut parts = stored.components();
        let room = parts.next()?.as_os_str();
        let oid: Oid = parts.next()?.as_os_str().to_str()?.parse().ok()?;
        let rest: PathBuf = parts.filter(|part| matches!(part, Component::Normal(_))).collect();
        let owner = |vob: Arc<MountedVob>| {
            let number = vob.vob.element_with_oid(&oid).ok()??;
            Some((vob, number))
        };
        let (vob, number) = self.vobs().into_iter().find_map(owner)?;
        if room != "checkout" {
            return Some(self.path_in(view, &vob, number).ok()??.join(rest));
        }
        let element = vob.element(number).ok()?;
        element.names.iter().rev().find_map(|(parent, name)| {
            let shown = view.directory(&vob, *parent).ok()?.catalog.get(name) == Some(Entry::Element(number));
            let directory = if shown { self.path_in(view, &vob, *parent).ok()? } else { None };
            Some(directory?.join(OsStr::from_bytes(name)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(1)
    }

    fn paths(news: &News) -> Vec<&str> {
        news.events.iter().map(|event| std::str::from_utf8(&event.path).unwrap()).collect()
    }

    #[test]
    fn a_watcher_goes_on_where_he_was() {
        let watches = Watches::default();
        assert!(!watches.is_watched());
        let begin = watches.begin();
        assert!(watches.is_watched());
        watches.add(What::Changed, b"/a".to_vec());
        watches.add(What::Changed, b"/b".to_vec());
        let news = watches.wait(begin, soon());
        assert_eq!((paths(&news), news.missed, news.newest), (vec!["/a", "/b"], false, 2));
        assert_eq!(paths(&watches.wait(1, soon())), ["/b"]);
        assert_eq!(watches.wait(2, soon()), News { newest: 2, ..News::default() });
        assert!(watches.wait(7, soon()).missed);
    }

    #[test]
    fn what_is_alike_is_told_once_until_it_is_taken() {
        let watches = Watches::default();
        watches.begin();
        for _ in 0..3 {
            watches.add(What::Changed, b"/a".to_vec());
        }
        assert_eq!(watches.wait(0, soon()).newest, 1);
        watches.add(What::Changed, b"/a".to_vec());
        watches.add(What::Removed, b"/a".to_vec());
        watches.add(What::Changed, b"/a".to_vec());
        assert_eq!(watches.wait(0, soon()).newest, 4);
    }

    #[test]
    fn old_events_go_and_are_missed() {
        let watches = Watches::default();
        watches.begin();
        for event in 0..EVENTS_MAX + 5 {
            watches.add(What::Changed, event.to_string().into_bytes());
        }
        let news = watches.wait(3, soon());
        assert!(news.missed && news.events.len() == EVENTS_MAX);
        assert!(!watches.wait(5, soon()).missed);
        watches.end();
        assert!(watches.wait(news.newest, Instant::now() + Duration::from_secs(100)).ended);
    }
}
