//! What was asked for and what was acknowledged, kept by those who asked; and whether it is there.

use std::collections::BTreeMap;
use std::path::Path;

use clerestory::store::pool::ContentId;
use clerestory::store::{LawBroken, Vob, check_laws};
use clerestory::view::ViewStorage;
use clerestory::vob::apply::DirectoryAt;
use clerestory::vob::{BranchNo, Content, Directory, Element, ElementKind, ElementNo, Entry, TypeKind};

/// One operation of a client. Every name and every text is used once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// New versions of files, in one checkin: by name below the VOB's root, and what they hold.
    CheckIn(Vec<(String, String)>),
    /// A file checked out.
    CheckOut(String),
    /// A checkout given up.
    Uncheckout(String),
    /// A new file element, its directory checked in with it, and what it holds.
    Make(String, String),
    /// A label, of a type of its own, on the newest version of a file.
    Label(String, String),
    /// A view-private file, closed, and what it holds; synced, if that is said.
    Private(String, String, bool),
}

/// What clients say of an operation.
#[derive(Clone, Debug)]
pub enum Said {
    /// It is about to be asked for.
    Asks(usize, Asked),
    /// It was acknowledged.
    Done(usize),
}

/// Operations by their numbers, in the order in which they were asked for.
#[derive(Clone, Default)]
pub struct Manifest {
    asked: BTreeMap<usize, (Asked, bool)>,
}

/// What a look at a VOB found.
#[derive(Clone, Copy, Default, Debug)]
pub struct Findings {
    /// Acknowledged operations that were looked for, and are there.
    pub acknowledged: usize,
    /// Others that are there as well.
    pub further: usize,
}

/// How the daemon ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It was killed: what was closed is there.
    Killed,
    /// The power went: only what was synced is there.
    PowerLost,
}

impl Manifest {
    /// Takes in what was said.
    pub fn hear(&mut self, said: &Said) {
        match said {
            Said::Asks(number, asked) => drop(self.asked.insert(*number, (asked.clone(), false))),
            Said::Done(number) => {
                if let Some((_, done)) = self.asked.get_mut(number) {
                    *done = true;
                }
            }
        }
    }

    /// How many are acknowledged, and how many were asked for and are not.
    pub fn counts(&self) -> (usize, usize) {
        let done = self.asked.values().filter(|(_, done)| *done).count();
        (done, self.asked.len() - done)
    }

    /// Opens a VOB as after a crash, and looks for everything that is acknowledged: that laws hold, that nothing is lost,
    /// and that nothing is there by half.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, vob: &Path, view: &Path, end: End) -> Result<Findings, String> {
        let opened = Vob::open(vob).map_err(|error| format!("the VOB cannot be opened: {error}"))?;
        let mut broken: Vec<LawBroken> = Vec::new();
        check_laws(&opened, &mut |breach| broken.push(breach)).map_err(|error| error.to_string())?;
        if !broken.is_empty() {
            return Err(format!("laws are broken: {broken:?}"));
        }
        let storage =
            ViewStorage::open(view).map_err(|error| format!("the view cannot be opened: {error}"))?;
        let look = Look { vob: &opened, view: &storage, end };
        let mut findings = Findings::default();
        for (number, (asked, done)) in &self.asked {
            let there = look.is_there(asked, || self.is_last_of(*number, asked))?;
            match (done, there) {
                (true, There::Whole) => findings.acknowledged += 1,
                (true, There::NotAsked) | (false, There::Nothing | There::NotAsked) => {}
                (false, There::Whole) => findings.further += 1,
                (true, There::Nothing) => return Err(format!("lost: {asked:?}")),
                (_, There::Half) => return Err(format!("by half: {asked:?}")),
            }
        }
        opened.close().map_err(|error| format!("the VOB cannot be closed: {error}"))?;
        Ok(findings)
    }

    /// Whether nothing was asked of the same file after an operation.
    fn is_last_of(&self, number: usize, asked: &Asked) -> bool {
        let names = asked.names();
        self.asked
            .range(number + 1..)
            .all(|(_, (later, _))| later.names().iter().all(|name| !names.contains(name)))
    }
}

impl Asked {
    fn names(&self) -> Vec<&str> {
        match self {
            Asked::CheckIn(files) => files.iter().map(|(name, _)| name.as_str()).collect(),
            Asked::CheckOut(name)
            | Asked::Uncheckout(name)
            | Asked::Make(name, _)
            | Asked::Label(name, _) => {
                vec![name]
            }
            Asked::Private(name, ..) => vec![name],
        }
    }
}

enum There {
    Whole,
    Half,
    Nothing,
    /// It may be gone by now.
    NotAsked,
}

struct Look<'a> {
    vob: &'a Vob,
    view: &'a ViewStorage,
    end: End,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Look<'_> {
    fn is_there(&self, asked: &Asked, is_last: impl Fn() -> bool) -> Result<There, String> {
        let whole = |is| if is { There::Whole } else { There::Nothing };
        Ok(match asked {
            Asked::CheckIn(files) => {
                let there: Vec<bool> =
                    files.iter().map(|(name, holds)| self.holds(name, holds)).collect::<Result<_, _>>()?;
                match (there.iter().all(|is| *is), there.iter().any(|is| *is)) {
                    (true, _) => There::Whole,
                    (_, true) => There::Half,
                    _ => There::Nothing,
                }
            }
            Asked::CheckOut(_) | Asked::Uncheckout(_) if !is_last() => There::NotAsked,
            Asked::CheckOut(name) => whole(self.is_checked_out(name)?),
            Asked::Uncheckout(name) => whole(!self.is_checked_out(name)?),
            Asked::Make(name, holds) => whole(self.holds(name, holds)?),
            Asked::Label(name, label) => whole(self.has_label(name, label)?),
            Asked::Private(_, _, false) if self.end == End::PowerLost => There::NotAsked,
            Asked::Private(name, holds, _) => whole(self.is_private(name, holds)?),
        })
    }

    /// The element at the end of a path, and the one that catalogs it.
    fn find(&self, path: &str) -> Result<Option<std::sync::Arc<Element>>, String> {
        let mut number = ElementNo::ROOT;
        for name in path.split('/') {
            let Some(directory) = self.vob.element(number).map_err(text)? else { return Ok(None) };
            let newest = directory.newest(BranchNo::ROOT);
            let catalog: std::sync::Arc<Directory> =
                self.vob.directory(number, DirectoryAt::Version(newest)).map_err(text)?;
            match catalog.get(name.as_bytes()) {
                Some(Entry::Element(child)) => number = child,
                _ => return Ok(None),
            }
        }
        self.vob.element(number).map_err(text)
    }

    /// Whether one of a file's versions holds this text, byte for byte.
    fn holds(&self, name: &str, holds: &str) -> Result<bool, String> {
        let Some(element) = self.find(name)? else { return Ok(false) };
        let wanted = ContentId::of(holds.as_bytes());
        let has = |content: &Content| matches!(content, Content::File { hash, .. } if *hash == wanted.0);
        if element.kind != ElementKind::File
            || !element.present_versions().any(|(_, version)| has(&version.content))
        {
            return Ok(false);
        }
        let stored = self.vob.pools().get(&wanted).map_err(|error| format!("{name}: {error}"))?;
        match stored[..] == *holds.as_bytes() {
            true => Ok(true),
            false => Err(format!("{name} holds other bytes than were checked in")),
        }
    }

    fn is_checked_out(&self, name: &str) -> Result<bool, String> {
        Ok(self.find(name)?.is_some_and(|element| element.checkout_of(&self.view.uuid()).is_some()))
    }

    fn has_label(&self, name: &str, label: &str) -> Result<bool, String> {
        let state = self.vob.state();
        let Some(kind) = state.type_named(TypeKind::Label, label) else { return Ok(false) };
        Ok(self.find(name)?.is_some_and(|element| element.labelled(kind.number).next().is_some()))
    }

    fn is_private(&self, name: &str, holds: &str) -> Result<bool, String> {
        let (directory, leaf) = name.rsplit_once('/').unwrap_or(("", name));
        let holder = match directory {
            "" => self.vob.element(ElementNo::ROOT).map_err(text)?,
            _ => self.find(directory)?,
        };
        let Some(holder) = holder else { return Ok(false) };
        let path = self.view.dir().join(ViewStorage::private(&holder.oid)).join(leaf);
        Ok(std::fs::read(path).is_ok_and(|bytes| bytes == holds.as_bytes()))
    }
}
