//! Whether the journal is sound, and whether the index is what the journal comes to: the journal is replayed into a
//! second index beside the first, and both are compared record by record.
//!
//! Others may commit meanwhile. What differs at first may only be newer, so it is compared again with commits kept out, once
//! the second index has caught up; that takes as long as what was committed since, not as long as the VOB.
//!
//! Memory: a page of records, the keys that differ, and what an open VOB needs. Disk: a copy of the journal and its index.

use super::super::engine::{self, Batch, Records};
use super::{StoreError, Vob, decode, io_error, is_damage, key, load_state, remove_tree};
use crate::store::pool::{KEY_PREFIX, Pools};
use crate::vob::{ElementNo, VobHeader};
use std::fs::OpenOptions;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Records compared at once.
const PAGE: usize = 512;
/// Keys that are remembered as different at once: what is more is found when these are mended.
const REMEMBERED: usize = 100_000;
/// Where the second index is made, in the VOB's storage.
const PLACE: &str = "audit";

/// What a record of the index is about.
#[derive(Clone, Copy, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum Record {
    /// An element, its directory versions, or whether it is checked out.
    Element(ElementNo),
    /// The VOB as a whole: its counters, types, users.
    Vob,
    /// The events of the history.
    Events,
    /// Symbolic links, hyperlinks, identities, notes.
    Other,
    /// More than is listed.
    More,
}

impl Record {
    fn of(key: &[u8]) -> Record {
        let number = || Some(u32::from_be_bytes(key.get(1..5)?.try_into().ok()?));
        match (key.first(), number()) {
            (Some(b'e' | b'd' | b'c'), Some(number)) => Record::Element(ElementNo(number)),
            (Some(b'V' | b'W' | b't' | b'u' | b'n'), _) => Record::Vob,
            (Some(b'v'), _) => Record::Events,
            _ => Record::Other,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Audit {
    /// Frames of the journal that were read.
    pub frames: u64,
    /// Records that were compared.
    pub records: u64,
    /// What the index says otherwise than the journal: each object once.
    pub different: Vec<Record>,
    /// What keeps the journal from being read, or from making sense; nothing was compared then.
    pub journal: Option<String>,
    /// Whether the index was made to say what the journal says.
    pub repaired: bool,
}

/// The second index, and what it was made of. Dropped, nothing of it is left.
struct Second {
    dir: PathBuf,
    vob: Option<Vob>,
}

impl Drop for Second {
    fn drop(&mut self) {
        self.vob = None;
        if let Err(error) = remove_tree(&self.dir) {
            tracing::warn!(%error, "what an audit left cannot be removed");
        }
    }
}

impl Second {
    /// Copies what the VOB has grown by, and replays it; returns how many frames there are.
    fn catch_up(&mut self, first: &Vob) -> Result<u64, StoreError> {
        self.vob = None;
        let (operation, lengths) = first.extent()?;
        for (path, length) in &lengths {
            if path.starts_with("journal") || path == Path::new("format") {
                let (from, to) = (first.dir.join(path), self.dir.join(path));
                copy_growth(&from, &to, *length).map_err(|source| io_error(&from, source))?;
            }
        }
        let vob = Vob::open_with(&self.dir, false)?;
        let found = vob.last_operation();
        if found < operation {
            let detail = format!("it is damaged, and with it all up to frame {operation}");
            return Err(StoreError::Replay { sequence: found + 1, detail });
        }
        vob.close()?;
        self.vob = Some(vob);
        Ok(operation)
    }

    fn records(&self) -> &Records {
        &self.vob.as_ref().expect("it was opened").records
    }
}

/// Adds to a copy what the file has in front of `length` and it has not.
fn copy_growth(from: &Path, to: &Path, length: u64) -> io::Result<()> {
    let mut copy = OpenOptions::new().create(true).truncate(false).write(true).open(to)?;
    let had = copy.metadata()?.len().min(length);
    copy.set_len(had)?;
    copy.seek(SeekFrom::Start(had))?;
    let mut source = std::fs::File::open(from)?;
    source.seek(SeekFrom::Start(had))?;
    let copied = io::copy(&mut io::Read::take(source, length - had), &mut copy)?;
    if copied < length - had { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// Tells whether a record belongs to what is compared: contents are checked by their hashes, and `APPLIED` and `FORM` are about
/// the index itself.
fn is_compared(key: &[u8]) -> bool {
    key.first() != Some(&KEY_PREFIX) && key != key::APPLIED && key != key::FORM
}

impl Vob {
    /// Reads every frame of the journal, and compares the index with what the frames come to. With `repair`, records that differ
    /// are written anew. `progress` gets the number of records compared, and how many there are, about.
    ///
    /// # Errors
    /// If the storage fails, or has no room for a second index. What is damaged is an answer, not an error.
    pub fn audit(&self, repair: bool, progress: &mut dyn FnMut(u64, u64)) -> Result<Audit, StoreError> {
        self.audit_by(repair, REMEMBERED, progress)
    }

    /// As `audit`; remembers so many keys at once.
    fn audit_by(
        &self,
        repair: bool,
        remembered: usize,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Audit, StoreError> {
        let _turn = self.auditing.lock();
        let mut second = Second { dir: self.dir.join(PLACE), vob: None };
        remove_tree(&second.dir)?;
        let journal = second.dir.join("journal");
        std::fs::create_dir_all(&journal).map_err(|source| io_error(&journal, source))?;
        Pools::create(&second.dir)?;
        let mut audit = Audit::default();
        match second.catch_up(self) {
            Ok(frames) => audit.frames = frames,
            Err(
                error @ (StoreError::Journal(_) | StoreError::Replay { .. } | StoreError::Damaged { .. }),
            ) if !error.is_no_space() => {
                // The paths of the copy say nothing to whoever reads this.
                let detail = error.to_string().replace(&format!("/{PLACE}/"), "/");
                return Ok(Audit { journal: Some(detail), ..audit });
            }
            Err(other) => return Err(other),
        }
        self.close()?;
        let header = second.records().get(key::HEADER)?;
        let header: Option<VobHeader> = header.map(|stored| decode("header", &stored)).transpose()?;
        let about = header.map_or(0, |header| u64::from(header.elements) * 3 + u64::from(header.events) / 64);
        loop {
            let suspects = self.compare(second.records(), remembered, &mut |compared| {
                audit.records = compared;
                progress(compared, about.max(compared));
            })?;
            if !suspects.is_empty() {
                self.judge_suspects(&suspects, &mut second, repair, &mut audit)?;
            }
            match suspects.len() < remembered {
                true => break,
                // Those that only were newer are not found again.
                false if repair || audit.different.is_empty() => {}
                false => {
                    audit.different.push(Record::More);
                    break;
                }
            }
        }
        audit.different.sort_unstable();
        audit.different.dedup();
        Ok(audit)
    }

    /// Compares once more what seemed to differ, with commits kept out, and mends it where that is wanted.
    fn judge_suspects(
        &self,
        suspects: &[Vec<u8>],
        second: &mut Second,
        repair: bool,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        // Most of what was committed meanwhile is caught up with while others go on.
        second.catch_up(self)?;
        let mut commit = self.commit.lock();
        second.catch_up(self)?;
        self.checkpoint()?;
        commit.frames_waiting = 0;
        let mut batch = Batch::new();
        for key in suspects {
            let right = second.records().get(key)?;
            match readable(self.records.get(key))? {
                Some(left) if left == right => continue,
                Some(_) => {}
                // Nothing of it can be made use of.
                None => batch.delete(key.clone()),
            }
            audit.different.push(Record::of(key));
            match right {
                Some(value) => self.records.put(&mut batch, key, &value)?,
                None => self.records.delete(&mut batch, key)?,
            }
        }
        if repair && !batch.is_empty() {
            self.records.engine().commit(batch)?;
            self.forget_records()?;
            audit.repaired = true;
        }
        Ok(())
    }

    /// The keys of records that are not the same, up to a limit.
    fn compare(
        &self,
        right: &Records,
        limit: usize,
        compared: &mut dyn FnMut(u64),
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let (mut suspects, mut count, mut from) = (Vec::new(), 0, Vec::new());
        let mut suspect = |key: Vec<u8>| {
            if suspects.len() < limit {
                suspects.push(key);
            }
        };
        // What the journal says must be in the index.
        loop {
            let page = right.scan(&from, &[], PAGE)?;
            let Some((last, _)) = page.last() else { break };
            from = after(last);
            for (key, value) in page.into_iter().filter(|(key, _)| is_compared(key)) {
                count += 1;
                if readable(self.records.get(&key))? != Some(Some(value)) {
                    suspect(key);
                }
            }
            compared(count);
        }
        // And nothing else may be there.
        let mut from = Vec::new();
        loop {
            let page = self.records.engine().scan(&from, &[0xff], PAGE)?;
            let Some((last, _)) = page.last() else { break };
            from = after(last);
            for (key, _) in page.into_iter().filter(|(key, _)| is_compared(key)) {
                if right.get(&key)?.is_none() {
                    suspect(key);
                }
            }
        }
        Ok(suspects)
    }

    /// Forgets every record that is kept in memory. The caller holds `commit`, and has made a checkpoint.
    fn forget_records(&self) -> Result<(), StoreError> {
        let state = load_state(&self.records)?;
        let recent = self.recent.write();
        self.elements.clear();
        self.directories.clear();
        self.ever.clear();
        *self.state.write() = state;
        self.epoch.fetch_add(1, std::sync::atomic::Ordering::Release);
        drop(recent);
        self.reset_recent();
        Ok(())
    }
}

/// The first key behind another.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// A record; nothing where it is damaged.
fn readable(read: engine::Result<Option<Vec<u8>>>) -> Result<Option<Option<Vec<u8>>>, StoreError> {
    match read.map_err(StoreError::from) {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
