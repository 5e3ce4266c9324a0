//! Which VOBs and views this home knows, where their storage is, and which are active.
//!
//! Owns the registry file and the laws of tags. Knows nothing of what is inside the storage. The file is text
//! that a person can read, replaced as a whole: a crash leaves the old or the new one. Readers take an immutable
//! [`Entries`]; writers take turns.
//!
//! ```text
//! # Clerestory registry. Rewritten by the daemon: change it only while the daemon is stopped.
//! format 1
//! next_vob_index 2
//! next_view_index 1
//!
//! vob /vobs/src
//!   storage /var/lib/clerestory/vobs/src.vbs
//!   uuid 6f0e...
//!   index 1
//!   owner 1000
//!   group 1000
//!   mounted yes
//!   public no
//! ```
//! In values a `%` and bytes outside printable ASCII are written `%XX`.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::home::READABLE;
use crate::store::durable;

/// The newest registry format this program knows, and the one it writes.
pub const REGISTRY_FORMAT: u32 = 1;
/// The longest VOB tag, in bytes: half of PATH_MAX leaves room for names in the VOB.
pub const MAX_VOB_TAG_SIZE_BYTES: usize = 2048;
/// The longest view tag, in bytes: it is one file name (NAME_MAX).
pub const MAX_VIEW_TAG_SIZE_BYTES: usize = 255;

/// The path at which a VOB appears in every view, such as `/vobs/src`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VobTag(PathBuf);

/// The name of a view, one file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewTag(String);

/// The law a tag breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// No tag at all.
    #[error("it is empty")]
    Empty,
    /// Longer than the system could use.
    #[error("it is too long")]
    TooLong,
    /// A VOB tag that does not begin at the root, or is the root.
    #[error("it is not an absolute path below the root")]
    NotAbsolute,
    /// `.`, `..`, `//` or a final slash in a VOB tag; a slash, `.` or `..` as a view tag.
    #[error("it is not a plain name")]
    NotPlain,
    /// A blank, a control character or `@@`.
    #[error("it has a blank, a control character or \"@@\" in it")]
    BadCharacter,
}

impl VobTag {
    /// Checks a tag.
    ///
    /// # Errors
    /// The law it breaks.
    pub fn new(tag: impl Into<PathBuf>) -> Result<VobTag, TagError> {
        let tag = tag.into();
        let bytes = tag.as_os_str().as_bytes();
        check_characters(bytes, MAX_VOB_TAG_SIZE_BYTES)?;
        if !tag.is_absolute() || bytes.len() < 2 {
            return Err(TagError::NotAbsolute);
        }
        let cleaned: PathBuf =
            tag.components().filter(|part| !matches!(part, Component::ParentDir)).collect();
        if cleaned.as_os_str() != tag.as_os_str() {
            return Err(TagError::NotPlain);
        }
        Ok(VobTag(tag))
    }

    /// The tag as a path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The tag's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_os_str().as_bytes()
    }
}

impl ViewTag {
    /// Checks a tag.
    ///
    /// # Errors
    /// The law it breaks.
    pub fn new(tag: impl Into<String>) -> Result<ViewTag, TagError> {
        let tag = tag.into();
        check_characters(tag.as_bytes(), MAX_VIEW_TAG_SIZE_BYTES)?;
        if tag.contains('/') || tag == "." || tag == ".." {
            return Err(TagError::NotPlain);
        }
        Ok(ViewTag(tag))
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VobTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl fmt::Display for ViewTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn check_characters(bytes: &[u8], max_size_bytes: usize) -> Result<(), TagError> {
    if bytes.is_empty() {
        return Err(TagError::Empty);
    }
    if bytes.len() > max_size_bytes {
        return Err(TagError::TooLong);
    }
    let has_history_mark = bytes.windows(2).any(|pair| pair == b"@@");
    if has_history_mark || bytes.iter().any(|byte| byte.is_ascii_control() || *byte == b' ') {
        return Err(TagError::BadCharacter);
    }
    Ok(())
}

/// What the registry says of one VOB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VobEntry {
    /// Absolute path of the storage directory.
    pub storage: PathBuf,
    /// The VOB's identity, 32 hexadecimal digits.
    pub uuid: String,
    /// A small number of its own, never given to another VOB of this home (inode numbers are made of it).
    pub index: u32,
    /// The owner's user number.
    pub owner: u32,
    /// The owner's group number.
    pub group: u32,
    /// Whether it is shown in views.
    pub mounted: bool,
    /// Whether anybody may mount it.
    pub public: bool,
}

/// What the registry says of one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewEntry {
    /// Absolute path of the storage directory.
    pub storage: PathBuf,
    /// The view's identity, 32 hexadecimal digits.
    pub uuid: String,
    /// A small number of its own, never given to another view of this home.
    pub index: u32,
    /// The owner's user number.
    pub owner: u32,
    /// The owner's group number.
    pub group: u32,
    /// Whether it is shown under the view root.
    pub started: bool,
}

/// One state of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    /// All VOBs by tag.
    pub vobs: BTreeMap<VobTag, VobEntry>,
    /// All views by tag.
    pub views: BTreeMap<ViewTag, ViewEntry>,
    next_vob_index: u32,
    next_view_index: u32,
}

impl Default for Entries {
    /// No entries; indexes begin at 1, so that 0 can mean none.
    fn default() -> Entries {
        Entries { vobs: BTreeMap::new(), views: BTreeMap::new(), next_vob_index: 1, next_view_index: 1 }
    }
}

/// Why an entry cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The tag, or for a VOB a tag above or below it, is taken.
    #[error("the tag {taken:?} is in use")]
    TagInUse {
        /// The tag that is in the way.
        taken: PathBuf,
    },
    /// Another entry has this storage.
    #[error("the storage {storage:?} is in use")]
    StorageInUse {
        /// The storage directory.
        storage: PathBuf,
    },
}

impl Entries {
    /// Adds a VOB and gives it its index; `entry.index` is ignored.
    ///
    /// # Errors
    /// The tag or a tag above or below it, or the storage, is in use. Nothing changes then.
    pub fn add_vob(&mut self, tag: VobTag, mut entry: VobEntry) -> Result<u32, EntryError> {
        let path = tag.path();
        if let Some(taken) =
            self.vobs.keys().find(|other| other.path().starts_with(path) || path.starts_with(other.path()))
        {
            return Err(EntryError::TagInUse { taken: taken.path().to_owned() });
        }
        self.check_storage(&entry.storage)?;
        entry.index = self.next_vob_index;
        self.next_vob_index += 1;
        let index = entry.index;
        self.vobs.insert(tag, entry);
        Ok(index)
    }

    /// Adds a view and gives it its index; `entry.index` is ignored.
    ///
    /// # Errors
    /// The tag or the storage is in use. Nothing changes then.
    pub fn add_view(&mut self, tag: ViewTag, mut entry: ViewEntry) -> Result<u32, EntryError> {
        if self.views.contains_key(&tag) {
            return Err(EntryError::TagInUse { taken: PathBuf::from(tag.as_str()) });
        }
        self.check_storage(&entry.storage)?;
        entry.index = self.next_view_index;
        self.next_view_index += 1;
        let index = entry.index;
        self.views.insert(tag, entry);
        Ok(index)
    }

    fn check_storage(&self, storage: &Path) -> Result<(), EntryError> {
        let vobs = self.vobs.values().map(|entry| &entry.storage);
        let mut all = vobs.chain(self.views.values().map(|entry| &entry.storage));
        match all.any(|other| other == storage) {
            true => Err(EntryError::StorageInUse { storage: storage.to_owned() }),
            false => Ok(()),
        }
    }
}

/// Why the registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A line that is not in the format.
    #[error("{path:?} line {line}: {text}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        text: String,
    },
    /// Written by a newer program.
    #[error("{path:?} has format {found}; this program knows formats up to {REGISTRY_FORMAT}")]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: u32,
    },
    /// The system refused.
    #[error("{path:?}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The registry of a running daemon.
///
/// Lock order: `turn` before `entries`. `turn` is held while the file is written, `entries` only for a pointer's copy.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    turn: Mutex<()>,
    entries: RwLock<Arc<Entries>>,
}

impl Registry {
    /// Reads the registry file; a missing one is empty.
    ///
    /// # Errors
    /// The file cannot be read or is not in a known format.
    pub fn open(path: impl Into<PathBuf>) -> Result<Registry, RegistryError> {
        let path = path.into();
        let entries = match std::fs::read(&path) {
            Ok(text) => parse(&text, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Entries::default(),
            Err(source) => return Err(RegistryError::Io { path, source }),
        };
        Ok(Registry { path, turn: Mutex::new(()), entries: RwLock::new(Arc::new(entries)) })
    }

    /// The present state.
    pub fn entries(&self) -> Arc<Entries> {
        self.entries.read().clone()
    }

    /// Changes the registry; durable on return. When `change` or the write fails, nothing has changed.
    ///
    /// # Errors
    /// What `change` answered, or the failed write turned into it.
    pub fn change<T, E: From<RegistryError>>(
        &self,
        change: impl FnOnce(&mut Entries) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.turn.lock();
        let mut entries = Entries::clone(&self.entries());
        let answer = change(&mut entries)?;
        durable::replace(&self.path, print(&entries).as_bytes(), READABLE)
            .map_err(|source| RegistryError::Io { path: self.path.clone(), source })?;
        *self.entries.write() = Arc::new(entries);
        Ok(answer)
    }
}

fn print(entries: &Entries) -> String {
    let mut text = format!(
        "# Clerestory registry. Rewritten by the daemon: change it only while the daemon is stopped.\n\
         format {REGISTRY_FORMAT}\nnext_vob_index {}\nnext_view_index {}\n",
        entries.next_vob_index, entries.next_view_index
    );
    let yes_no = |value| if value { "yes" } else { "no" };
    for (tag, vob) in &entries.vobs {
        text += &format!(
            "\nvob {}\n  storage {}\n  uuid {}\n  index {}\n  owner {}\n  group {}\n  mounted {}\n  public {}\n",
            escape(tag.bytes()),
            escape(vob.storage.as_os_str().as_bytes()),
            vob.uuid,
            vob.index,
            vob.owner,
            vob.group,
            yes_no(vob.mounted),
            yes_no(vob.public),
        );
    }
    for (tag, view) in &entries.views {
        text += &format!(
            "\nview {}\n  storage {}\n  uuid {}\n  index {}\n  owner {}\n  group {}\n  started {}\n",
            escape(tag.as_str().as_bytes()),
            escape(view.storage.as_os_str().as_bytes()),
            view.uuid,
            view.index,
            view.owner,
            view.group,
            yes_no(view.started),
        );
    }
    text
}

fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'!'..=b'~' if *byte != b'%' => text.push(*byte as char),
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(bytes)
}

/// One `key value` line and the indented lines below it.
struct Stanza<'a> {
    line: usize,
    key: &'a str,
    value: &'a str,
    fields: BTreeMap<&'a str, &'a str>,
}

impl Stanza<'_> {
    fn text(&self, key: &str) -> Result<String, String> {
        self.fields.get(key).map(|text| (*text).to_owned()).ok_or_else(|| format!("no {key} in this entry"))
    }

    fn path(&self, key: &str) -> Result<PathBuf, String> {
        let bytes = unescape(&self.text(key)?).ok_or_else(|| format!("bad {key}"))?;
        Ok(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
    }

    fn number(&self, key: &str) -> Result<u32, String> {
        self.text(key)?.parse().map_err(|_| format!("{key} is no number"))
    }

    fn yes(&self, key: &str) -> Result<bool, String> {
        match self.text(key)?.as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(format!("{key} is neither yes nor no")),
        }
    }
}

fn parse(text: &[u8], path: &Path) -> Result<Entries, RegistryError> {
    let syntax = |line, text: String| RegistryError::Syntax { path: path.to_owned(), line, text };
    let text = std::str::from_utf8(text).map_err(|_| syntax(1, "not a text".to_owned()))?;
    let mut stanzas: Vec<Stanza<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let (key, value) = content.split_once(' ').ok_or_else(|| syntax(number, "no value".to_owned()))?;
        if !line.starts_with(' ') {
            stanzas.push(Stanza { line: number, key, value: value.trim(), fields: BTreeMap::new() });
            continue;
        }
        let stanza =
            stanzas.last_mut().ok_or_else(|| syntax(number, "a field without an entry".to_owned()))?;
        stanza.fields.insert(key, value.trim());
    }
    let mut entries = Entries::default();
    let mut format = None;
    for stanza in &stanzas {
        read_stanza(stanza, &mut entries, &mut format).map_err(|text| syntax(stanza.line, text))?;
        if let Some(found) = format.filter(|found| *found > REGISTRY_FORMAT) {
            return Err(RegistryError::NewerFormat { path: path.to_owned(), found });
        }
    }
    if format.is_none() {
        return Err(syntax(1, "no format line".to_owned()));
    }
    Ok(entries)
}

fn read_stanza(stanza: &Stanza<'_>, entries: &mut Entries, format: &mut Option<u32>) -> Result<(), String> {
    let number = || stanza.value.parse::<u32>().map_err(|_| format!("{} is no number", stanza.key));
    let tag = || unescape(stanza.value).ok_or_else(|| "bad tag".to_owned());
    if stanza.key != "format" && format.is_none() {
        return Err("no format line before it".to_owned());
    }
    match stanza.key {
        "format" => *format = Some(number()?),
        "next_vob_index" => entries.next_vob_index = number()?,
        "next_view_index" => entries.next_view_index = number()?,
        "vob" => {
            let tag = PathBuf::from(std::ffi::OsString::from_vec(tag()?));
            let tag = VobTag::new(tag).map_err(|error| error.to_string())?;
            let entry = VobEntry {
                storage: stanza.path("storage")?,
                uuid: stanza.text("uuid")?,
                index: stanza.number("index")?,
                owner: stanza.number("owner")?,
                group: stanza.number("group")?,
                mounted: stanza.yes("mounted")?,
                public: stanza.yes("public")?,
            };
            entries.next_vob_index = entries.next_vob_index.max(entry.index.saturating_add(1));
            if entries.vobs.insert(tag, entry).is_some() {
                return Err("this tag is there twice".to_owned());
            }
        }
        "view" => {
            let tag = String::from_utf8(tag()?).map_err(|_| "a view tag that is no text".to_owned())?;
            let tag = ViewTag::new(tag).map_err(|error| error.to_string())?;
            let entry = ViewEntry {
                storage: stanza.path("storage")?,
                uuid: stanza.text("uuid")?,
                index: stanza.number("index")?,
                owner: stanza.number("owner")?,
                group: stanza.number("group")?,
                started: stanza.yes("started")?,
            };
            entries.next_view_index = entries.next_view_index.max(entry.index.saturating_add(1));
            if entries.views.insert(tag, entry).is_some() {
                return Err("this tag is there twice".to_owned());
            }
        }
        key => return Err(format!("unknown entry {key:?}")),
    }
    Ok(())
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
