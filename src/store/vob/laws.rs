//! The laws of a VOB, checked on what is stored: element by element, with little memory.
//!
//! `vob::apply` keeps these laws whenever something changes. This module finds out whether the
//! records of an open VOB still obey them, whatever happened to the disk: it trusts no record
//! that it has not looked at. It repairs nothing, and words nothing for users.
//!
//! Memory: one element and one directory version at a time, and two bits for each element.

mod reach;

use super::{StoreError, Vob, damaged, is_damage};
use crate::store::pool::{self, ContentId};
use crate::vob::apply::{DirectoryAt, valid_entry_name};
use crate::vob::{
    BranchNo, Content, ContentHash, Element, ElementKind, ElementNo, Entry, TypeKind, TypeNo, VersionNo,
    ViewUuid,
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// A law that what is stored does not keep.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum LawBroken {
    /// A number of the VOB has no element record, not even that of a removed element.
    ElementMissing {
        /// The number.
        element: ElementNo,
    },
    /// The numbers of a branch's versions do not rise.
    NumbersDoNotRise {
        /// The element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// A number of a version on the branch.
        before: u32,
        /// The number of the version that follows.
        number: u32,
    },
    /// The next version of a branch would get a number that one had.
    NumberUsedAgain {
        /// The element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// The number that the next version would get.
        next: u32,
        /// The greatest number that there is.
        newest: u32,
    },
    /// A directory version is stored with two entries of one name.
    NameTwice {
        /// The directory.
        directory: ElementNo,
        /// Which catalog.
        at: DirectoryAt,
        /// The name.
        name: Box<[u8]>,
    },
    /// A directory version is stored with a name that no directory can have.
    BadName {
        /// The directory.
        directory: ElementNo,
        /// Which catalog.
        at: DirectoryAt,
        /// The name.
        name: Box<[u8]>,
    },
    /// A name leads to an element or a symbolic link that is not there.
    LeadsNowhere {
        /// The directory.
        directory: ElementNo,
        /// Which catalog.
        at: DirectoryAt,
        /// The name.
        name: Box<[u8]>,
    },
    /// An element does not know a name by which a directory catalogs it.
    NameForgotten {
        /// The element.
        element: ElementNo,
        /// The directory.
        directory: ElementNo,
        /// The name.
        name: Box<[u8]>,
    },
    /// Two views have one branch reserved.
    ReservedTwice {
        /// The element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// The views.
        views: [ViewUuid; 2],
    },
    /// A view has two checkouts of an element.
    CheckedOutTwice {
        /// The element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
    },
    /// A branch, a checkout, a label or a hyperlink is attached to a version that is not there, or
    /// not where it should be.
    Detached {
        /// The element.
        element: ElementNo,
        /// Which of them: `branch`, `checkout`, `label`, `hyperlink` or `predecessor`.
        what: &'static str,
        /// The version it names.
        version: VersionNo,
    },
    /// An element has a trigger type that is not there, or one for new elements without being a directory.
    BadTrigger {
        /// The element.
        element: ElementNo,
        /// The number of the trigger type.
        trigger: TypeNo,
    },
    /// The pools do not have a version's content.
    ContentMissing {
        /// The element.
        element: ElementNo,
        /// The version.
        version: VersionNo,
        /// The content's name.
        hash: ContentHash,
    },
    /// The pools have other bytes than a version's hash or size says.
    ContentDamaged {
        /// The element.
        element: ElementNo,
        /// The version.
        version: VersionNo,
        /// What is wrong, without a final period.
        detail: String,
    },
    /// No chain of names leads to an element, neither from the root nor from `lost+found`.
    Unreachable {
        /// The element.
        element: ElementNo,
    },
    /// A record that belongs to an element cannot be understood, or is missing.
    Unreadable {
        /// The element.
        element: ElementNo,
        /// What is wrong, without a final period.
        detail: String,
    },
}

/// How much was looked at.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct LawCounts {
    /// Elements, directories among them.
    pub elements: u64,
    /// Directory elements.
    pub directories: u64,
    /// Versions of all elements, removed ones left out.
    pub versions: u64,
    /// Catalogs of directory versions and checkouts.
    pub catalogs: u64,
    /// Checkouts.
    pub checkouts: u64,
    /// Contents read. Versions that have the content of their predecessors are not read again.
    pub contents: u64,
    /// Contents in the pools that no version has: those of removed versions, which others may be stored against, and of
    /// checkins that came to nothing.
    pub unused: u64,
    /// Laws that were found broken.
    pub broken: u64,
}

/// Checks every law of a VOB, and calls `broken` for each breach as it is found. Others may commit
/// meanwhile: what is told was so at one moment.
///
/// # Errors
/// If the storage cannot be read; damaged records are breaches, not errors.
pub fn check_laws(vob: &Vob, broken: &mut dyn FnMut(LawBroken)) -> Result<LawCounts, StoreError> {
    check_laws_with_progress(vob, broken, &mut |_, _| {})
}

/// As [`check_laws`]; tells after each element how many were looked at, and how many there are.
///
/// # Errors
/// As those.
pub fn check_laws_with_progress(
    vob: &Vob,
    broken: &mut dyn FnMut(LawBroken),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<LawCounts, StoreError> {
    let mut counts = LawCounts::default();
    let elements = vob.state().header.elements;
    let mut used = reach::Bits::new(vob.pools().count());
    let mut told = 0;
    let mut tell = |breach| {
        told += 1;
        broken(breach);
    };
    for number in (0..elements).map(ElementNo) {
        let (judged, found) = vob.consistently(|| judge(vob, number))?;
        judged.breaches.into_iter().for_each(&mut tell);
        counts.add(&judged.counts);
        if let Some(element) = found {
            counts.contents += judge_contents(vob, &element, &mut used, &mut tell)?;
        }
        progress(u64::from(number.0) + 1, u64::from(elements));
    }
    counts.unused = used.unset();
    reach::unreachable(vob, elements, &mut |element| tell(LawBroken::Unreachable { element }))?;
    counts.broken = told;
    Ok(counts)
}

impl LawCounts {
    fn add(&mut self, other: &LawCounts) {
        let LawCounts { elements, directories, versions, catalogs, checkouts, contents, unused, broken } =
            other;
        self.elements += elements;
        self.directories += directories;
        self.versions += versions;
        self.catalogs += catalogs;
        self.checkouts += checkouts;
        self.contents += contents;
        self.unused += unused;
        self.broken += broken;
    }
}

/// What is found of one element.
#[derive(Default)]
struct Judged {
    breaches: Vec<LawBroken>,
    counts: LawCounts,
}

type Found = Option<Arc<Element>>;

fn judge(vob: &Vob, number: ElementNo) -> Result<(Judged, Found), StoreError> {
    let mut judged = Judged::default();
    let element = match readable(vob.ever_element(number))? {
        Ok(Some(element)) if element.removed => return Ok((judged, None)),
        Ok(Some(element)) => element,
        Ok(None) => {
            judged.breaches.push(LawBroken::ElementMissing { element: number });
            return Ok((judged, None));
        }
        Err(detail) => {
            judged.breaches.push(LawBroken::Unreadable { element: number, detail });
            return Ok((judged, None));
        }
    };
    judged.counts.elements = 1;
    judged.counts.versions = element.present_versions().count() as u64;
    judged.counts.checkouts = element.checkouts.len() as u64;
    judge_tree(&element, &mut judged.breaches);
    judge_checkouts(&element, &mut judged.breaches);
    judge_triggers(vob, &element, &mut judged.breaches);
    if element.kind == ElementKind::Directory {
        judged.counts.directories = 1;
        for at in catalogs(&element) {
            judged.counts.catalogs += 1;
            judge_catalog(vob, number, at, &mut judged.breaches)?;
        }
    }
    Ok((judged, Some(element)))
}

/// The trigger types that an element has, and hands on.
fn judge_triggers(vob: &Vob, element: &Element, breaches: &mut Vec<LawBroken>) {
    let triggers = &element.annotations().triggers;
    if triggers.is_empty() {
        return;
    }
    let state = vob.state();
    let is_trigger =
        |number: TypeNo| state.type_object(number).is_some_and(|object| object.kind == TypeKind::Trigger);
    let attached = triggers.attached.iter().filter(|number| !is_trigger(**number));
    let hands_on = element.kind == ElementKind::Directory;
    let inherited = triggers.inherited.iter().filter(|number| !hands_on || !is_trigger(**number));
    let broken = |trigger: &TypeNo| LawBroken::BadTrigger { element: element.number, trigger: *trigger };
    breaches.extend(attached.chain(inherited).map(broken));
}

/// The numbers on branches, those of removed versions too, and what hangs on versions.
fn judge_tree(element: &Element, breaches: &mut Vec<LawBroken>) {
    let number = element.number;
    for (at, branch) in element.present_branches() {
        let ever = element.versions.iter().filter(|version| version.branch == at);
        let numbers: Vec<u32> = ever.map(|version| version.number).collect();
        for pair in numbers.windows(2).filter(|pair| pair[0] >= pair[1]) {
            let (before, after) = (pair[0], pair[1]);
            breaches.push(LawBroken::NumbersDoNotRise { element: number, branch: at, before, number: after });
        }
        let newest = numbers.iter().copied().max().unwrap_or_default();
        if branch.next_number <= newest {
            let next = branch.next_number;
            breaches.push(LawBroken::NumberUsedAgain { element: number, branch: at, next, newest });
        }
    }
    let mut attached = |what, version: VersionNo| {
        if !element.has_version(version) {
            breaches.push(LawBroken::Detached { element: number, what, version });
        }
    };
    element
        .present_branches()
        .filter_map(|(_, branch)| branch.from)
        .for_each(|from| attached("branch", from));
    element.labels.iter().for_each(|(_, version)| attached("label", *version));
    for before in element.present_versions().filter_map(|(_, version)| version.predecessor) {
        attached("predecessor", before);
    }
    for link in &element.hyperlinks {
        attached("hyperlink", link.from);
        attached("hyperlink", link.to);
    }
}

fn judge_checkouts(element: &Element, breaches: &mut Vec<LawBroken>) {
    for (at, checkout) in element.checkouts.iter().enumerate() {
        let stands = element.find_version(checkout.from);
        if stands.is_none_or(|version| version.branch != checkout.branch) {
            let (element, version) = (element.number, checkout.from);
            breaches.push(LawBroken::Detached { element, what: "checkout", version });
        }
        for other in &element.checkouts[..at] {
            if other.view == checkout.view {
                let (element, view) = (element.number, checkout.view);
                breaches.push(LawBroken::CheckedOutTwice { element, view });
            } else if other.branch == checkout.branch && other.reserved && checkout.reserved {
                let views = [other.view, checkout.view];
                breaches.push(LawBroken::ReservedTwice {
                    element: element.number,
                    branch: checkout.branch,
                    views,
                });
            }
        }
    }
}

/// The catalogs that are stored of a directory.
fn catalogs(element: &Element) -> impl Iterator<Item = DirectoryAt> + '_ {
    let versions = element.present_versions().map(|(number, _)| DirectoryAt::Version(number));
    let checkouts = element.checkouts.iter().map(|checkout| DirectoryAt::CheckedOut(checkout.number));
    versions.chain(checkouts)
}

fn judge_catalog(
    vob: &Vob,
    directory: ElementNo,
    at: DirectoryAt,
    breaches: &mut Vec<LawBroken>,
) -> Result<(), StoreError> {
    let missing = || damaged("directory", format!("element {} has no {at:?}", directory.0));
    let node = vob.node(directory, at).and_then(|node| node.ok_or_else(missing));
    let node = match readable(node)? {
        Ok(node) => node,
        Err(detail) => {
            breaches.push(LawBroken::Unreadable { element: directory, detail });
            return Ok(());
        }
    };
    let mut seen: FxHashSet<&[u8]> = FxHashSet::default();
    for change in &node.changes {
        let name = || change.name.clone();
        if !seen.insert(&change.name) {
            breaches.push(LawBroken::NameTwice { directory, at, name: name() });
        }
        if !valid_entry_name(&change.name) {
            breaches.push(LawBroken::BadName { directory, at, name: name() });
        }
        let leads_somewhere = match change.entry {
            None => true,
            Some(Entry::Symlink(link)) => readable(vob.symlink(link))?.is_ok(),
            Some(Entry::Element(element)) => {
                let found = readable(vob.element(element))?;
                if let Ok(Some(found)) = &found
                    && !knows(found, directory, &change.name)
                {
                    breaches.push(LawBroken::NameForgotten { element, directory, name: name() });
                }
                // What is unreadable is told of the element itself.
                !matches!(found, Ok(None))
            }
        };
        if !leads_somewhere {
            breaches.push(LawBroken::LeadsNowhere { directory, at, name: name() });
        }
    }
    // The whole catalog: what it is stored against must be there too.
    if let Err(detail) = readable(vob.directory(directory, at))? {
        breaches.push(LawBroken::Unreadable { element: directory, detail });
    }
    Ok(())
}

fn knows(element: &Element, directory: ElementNo, name: &[u8]) -> bool {
    element.names.iter().any(|(known, leaf)| *known == directory && leaf.as_ref() == name)
}

/// Reads every content of an element; returns how many. Notes which contents are used.
fn judge_contents(
    vob: &Vob,
    element: &Element,
    used: &mut reach::Bits,
    tell: &mut dyn FnMut(LawBroken),
) -> Result<u64, StoreError> {
    let mut read = 0;
    for (number, version) in element.present_versions() {
        let Content::File { hash, size } = version.content else { continue };
        let before = version.predecessor.and_then(|before| element.find_version(before));
        if before.is_some_and(|before| before.content == version.content) {
            continue;
        }
        read += 1;
        if let Some(number) = vob.pools().number(&ContentId(hash))? {
            used.set(number);
        }
        let element = element.number;
        let damaged = |detail| LawBroken::ContentDamaged { element, version: number, detail };
        match vob.pools().copy_to(&ContentId(hash), &mut std::io::sink()) {
            Ok(found) if found == size => {}
            Ok(found) => tell(damaged(format!("it has {found} bytes, the version says {size}"))),
            Err(pool::Error::NotFound { .. }) => {
                tell(LawBroken::ContentMissing { element, version: number, hash });
            }
            Err(error @ (pool::Error::Damaged { .. } | pool::Error::BeyondEnd { .. })) => {
                tell(damaged(error.to_string()));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(read)
}

/// Takes damage for an answer, and leaves failures of the storage as errors.
fn readable<T>(read: Result<T, StoreError>) -> Result<Result<T, String>, StoreError> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(error) if is_damage(&error) => Ok(Err(error.to_string())),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
#[path = "laws_tests.rs"]
mod tests;
