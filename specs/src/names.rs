//! Which of a spec's component globs can fit a name, found by the name's bytes and not by trying each glob. Owns
//! the indexes by whole text, by first bytes and by last bytes; must not know patterns, paths or rules.
//!
//! A glob is filed under the longer of its two literal ends: `*.c` under its suffix, `lib*` under its prefix,
//! `core*[0-9].c` under `core`. A name walks down two tries, byte by byte, as long as some glob goes on alike, so
//! that globs with other ends cost nothing. A glob without literal ends (`*a*`) can be filed nowhere.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use crate::glob::Glob;
use crate::pattern::NameGlob;

/// A distinct glob of a [`NameIndex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GlobId(pub u32);

/// Where globs are filed, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(u8);

impl Files {
    const TEXTS: Files = Files(1);
    const PREFIXES: Files = Files(2);
    const SUFFIXES: Files = Files(4);

    /// The files of both sets.
    pub fn and(self, other: Files) -> Files {
        Files(self.0 | other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn has(self, file: Files) -> bool {
        self.0 & file.0 != 0
    }
}

/// All component globs of a bound spec.
#[derive(Debug, Default)]
pub(crate) struct NameIndex {
    texts: HashMap<Box<[u8]>, GlobId>,
    prefixes: ByteTrie,
    suffixes: ByteTrie,
    /// By [`GlobId`]: what a name must fit besides the end that the glob is filed under.
    checks: Vec<Option<Glob>>,
}

impl NameIndex {
    /// Files a glob, which must be new, and tells where: nowhere if it has no literal end.
    pub fn add(&mut self, glob: &NameGlob) -> (GlobId, Files) {
        let id = GlobId(self.checks.len() as u32);
        let (file, check) = match glob {
            NameGlob::Any => (Files::default(), None),
            NameGlob::Literal(text) => {
                self.texts.insert(text.as_slice().into(), id);
                (Files::TEXTS, None)
            }
            NameGlob::Prefix(text) => (self.add_end(text, b"", id), None),
            NameGlob::Suffix(text) => (self.add_end(b"", text, id), None),
            NameGlob::Other(glob) => {
                let file = match glob.ends() {
                    (b"", b"") => Files::default(),
                    (prefix, suffix) => self.add_end(prefix, suffix, id),
                };
                (file, Some(glob.clone()))
            }
        };
        self.checks.push(check);
        (id, file)
    }

    /// Files under the longer end. Of two equal ones the suffix, often a mere `.c`, tells less.
    fn add_end(&mut self, prefix: &[u8], suffix: &[u8], id: GlobId) -> Files {
        if prefix.len() >= suffix.len() {
            self.prefixes.add(prefix.iter(), id);
            Files::PREFIXES
        } else {
            self.suffixes.add(suffix.iter().rev(), id);
            Files::SUFFIXES
        }
    }

    /// Calls `each` with the globs of these files that can fit a name: [`fits`](Self::fits) has the last word.
    pub fn candidates(&self, name: &[u8], files: Files, mut each: impl FnMut(GlobId)) {
        if files.has(Files::TEXTS)
            && let Some(&id) = self.texts.get(name)
        {
            each(id);
        }
        if files.has(Files::PREFIXES) {
            self.prefixes.walk(name.iter(), &mut each);
        }
        if files.has(Files::SUFFIXES) {
            self.suffixes.walk(name.iter().rev(), &mut each);
        }
    }

    /// Whether a glob fits the name, of which it is a candidate or which is filed nowhere.
    pub fn fits(&self, id: GlobId, name: &[u8]) -> bool {
        self.checks[id.0 as usize].as_ref().is_none_or(|glob| glob.matches(name))
    }
}

/// Strings of bytes, found while they are read.
#[derive(Debug, Default)]
struct ByteTrie {
    /// By place and byte; place 0 is the beginning.
    next: FxHashMap<(u32, u8), u32>,
    /// What ends at a place.
    ends: Vec<Vec<GlobId>>,
}

impl ByteTrie {
    fn add<'a>(&mut self, bytes: impl Iterator<Item = &'a u8>, id: GlobId) {
        self.ends.resize_with(self.ends.len().max(1), Vec::new);
        let mut place = 0;
        for &byte in bytes {
            let new = self.ends.len() as u32;
            place = *self.next.entry((place, byte)).or_insert(new);
            if place == new {
                self.ends.push(Vec::new());
            }
        }
        self.ends[place as usize].push(id);
    }

    fn walk<'a>(&self, bytes: impl Iterator<Item = &'a u8>, each: &mut impl FnMut(GlobId)) {
        let mut place = 0;
        for &byte in bytes {
            let Some(&next) = self.next.get(&(place, byte)) else {
                return;
            };
            place = next;
            self.ends[place as usize].iter().copied().for_each(&mut *each);
        }
    }
}
