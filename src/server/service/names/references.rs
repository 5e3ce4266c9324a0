//! Which names lead to an element: one that none leads to moves to `lost+found`.

use crate::server::proto::{Failure, Notice, NoticeCode};
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::vob::apply::DirectoryAt;
use crate::vob::{Checkout, Directory, Element, ElementNo, Entry, NameChange, Operation, Records, VersionNo};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Bytes of a name in a directory: NAME_MAX (include/uapi/linux/limits.h).
const NAME_MAX: usize = 255;

/// Answers what a catalog will be, where it will be another than it is.
pub(super) type Instead<'a> = &'a dyn Fn(ElementNo, DirectoryAt) -> Option<Arc<Directory>>;

/// Tells whether names will lead to an element, from the root or from `lost+found`, through any
/// directory versions and checkouts. What is in `lost` will have a name in `lost+found`.
///
/// That some directory catalogs it is not enough: two directories may hold each other in old
/// versions, and nothing else hold them.
///
/// `records` is the VOB, or a draft that makes no directory version.
///
/// # Errors
/// If the VOB cannot be read.
pub(super) fn is_reachable(
    store: &Vob,
    records: &dyn Records,
    element: &Arc<Element>,
    instead: Instead<'_>,
    lost: &HashSet<ElementNo>,
) -> Outcome<bool> {
    let is_top =
        |number| matches!(number, ElementNo::ROOT | ElementNo::LOST_AND_FOUND) || lost.contains(&number);
    if is_top(element.number) {
        return Ok(true);
    }
    let mut seen = HashSet::from([element.number]);
    // The way up: elements, and how many of their names are still to be tried. The last is the likeliest.
    let mut way = vec![(Arc::clone(element), element.names.len())];
    while let Some((below, left)) = way.last_mut() {
        let Some(next) = left.checked_sub(1) else {
            way.pop();
            continue;
        };
        *left = next;
        let (directory, name) = &below.names[next];
        if seen.contains(directory) {
            continue;
        }
        // A name that only a checkout had is remembered when the directory was removed since.
        let Some(parent) = records.element(*directory)? else {
            continue;
        };
        if !holds(store, records, &parent, name, below.number, instead)? {
            continue;
        }
        if is_top(parent.number) {
            return Ok(true);
        }
        seen.insert(parent.number);
        let names = parent.names.len();
        way.push((parent, names));
    }
    Ok(false)
}

/// Tells whether some version or checkout of a directory will catalog an element under a name.
fn holds(
    store: &Vob,
    records: &dyn Records,
    directory: &Element,
    name: &[u8],
    element: ElementNo,
    instead: Instead<'_>,
) -> Outcome<bool> {
    let (number, wanted) = (directory.number, Some(Entry::Element(element)));
    // Newest first: most of what is looked for is in the newest.
    let mut versions: Vec<DirectoryAt> =
        directory.present_versions().map(|(version, _)| DirectoryAt::Version(version)).collect();
    versions.reverse();
    let checkouts = directory.checkouts.iter().map(|checkout| DirectoryAt::CheckedOut(checkout.number));
    // Other versions may be stored against one that is changed in place: each is looked at.
    let in_place =
        number == ElementNo::LOST_AND_FOUND || versions.iter().any(|at| instead(number, *at).is_some());
    for at in checkouts.chain(versions.into_iter().filter(|_| in_place)) {
        let catalog = match instead(number, at) {
            Some(catalog) => catalog,
            None => records.directory(number, at)?,
        };
        if catalog.get(name) == wanted {
            return Ok(true);
        }
    }
    let (count, mut found) = (directory.versions.len(), false);
    if !in_place && store.ever(number, count, name)?.contains(&Entry::Element(element)) {
        store.mentions(number, count, name, &mut |mention| {
            found |= mention.entry == wanted;
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok(found)
}

/// Finds what the checkouts of directories catalog and nothing else does: those elements lose
/// their last name when the checkouts are given up. Answers the operation that moves them to
/// `lost+found`, and what is told of each.
///
/// # Errors
/// If the VOB cannot be read.
pub fn orphans(
    store: &Vob,
    records: &dyn Records,
    given_up: &[(ElementNo, Checkout)],
) -> Outcome<(Option<Operation>, Vec<Notice>)> {
    let own = |directory: ElementNo, at: DirectoryAt| {
        let is = |(number, checkout): &(ElementNo, Checkout)| {
            *number == directory && at == DirectoryAt::CheckedOut(checkout.number)
        };
        given_up.iter().any(is)
    };
    let (mut found, mut changes, mut notices) = (HashSet::new(), Vec::new(), Vec::new());
    for (directory, checkout) in given_up {
        let before = records.directory(*directory, DirectoryAt::Version(checkout.from))?;
        let held = records.directory(*directory, DirectoryAt::CheckedOut(checkout.number))?;
        for change in before.changes_to(&held) {
            let Some(Entry::Element(child)) = change.entry else {
                continue;
            };
            let missing = || Failure::internal("a catalogued element is gone");
            let element = records.element(child)?.ok_or_else(missing)?;
            let gone = |directory, at| own(directory, at).then(Arc::default);
            if !is_reachable(store, records, &element, &gone, &found)? {
                let (name, notice) = lost(&element, &change.name);
                found.insert(child);
                changes.push(NameChange { name: name.into(), entry: change.entry });
                notices.push(notice);
            }
        }
    }
    let element = ElementNo::LOST_AND_FOUND;
    Ok(((!changes.is_empty()).then_some(Operation::ChangeInPlace { element, changes }), notices))
}

/// Directories and directory versions that are removed for good.
#[derive(Default)]
pub struct Removed {
    /// Elements, of either kind.
    pub elements: HashSet<ElementNo>,
    /// Versions of directory elements that stay.
    pub catalogs: HashSet<(ElementNo, VersionNo)>,
}

impl Removed {
    fn has(&self, directory: ElementNo, at: DirectoryAt) -> bool {
        let removed = |version| self.catalogs.contains(&(directory, version));
        self.elements.contains(&directory) || matches!(at, DirectoryAt::Version(version) if removed(version))
    }
}

/// Finds what nothing but some catalogs of one directory holds, when they are removed with all of
/// `removed`: what moves to `lost+found`, and what is told of it. What is `found` already, or removed
/// itself, is left out.
///
/// # Errors
/// If the VOB cannot be read.
pub fn orphans_of(
    store: &Vob,
    directory: ElementNo,
    versions: impl DoubleEndedIterator<Item = VersionNo>,
    removed: &Removed,
    found: &mut HashSet<ElementNo>,
) -> Outcome<(Vec<NameChange>, Vec<Notice>)> {
    let mut moved = Vec::new();
    let mut judged: HashSet<ElementNo> = HashSet::new();
    let gone = |directory, at| removed.has(directory, at).then(Arc::default);
    // The name that a child had last is the one it keeps.
    for version in versions.rev() {
        for (name, entry) in store.directory(directory, DirectoryAt::Version(version))?.iter() {
            let Entry::Element(child) = entry else {
                continue;
            };
            if !judged.insert(child) || removed.elements.contains(&child) || found.contains(&child) {
                continue;
            }
            let missing = || Failure::internal("a catalogued element is gone");
            let element = store.element(child)?.ok_or_else(missing)?;
            if !is_reachable(store, store, &element, &gone, found)? {
                let (name, notice) = lost(&element, name);
                found.insert(child);
                moved.push((NameChange { name: name.into(), entry: Some(entry) }, notice));
            }
        }
    }
    moved.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(moved.into_iter().unzip())
}

/// What is told of an element that moves to `lost+found`, and its name there: the name it had, a
/// dot and its identity, the name cut so that both fit.
pub(in crate::server::service) fn lost(element: &Element, leaf: &[u8]) -> (Vec<u8>, Notice) {
    let oid = element.oid.to_string();
    let name = [cut(leaf, NAME_MAX - oid.len() - 1), b".", oid.as_bytes()].concat();
    let code = NoticeCode::LostAndFound.into();
    let notice = Notice { code, name: leaf.to_vec(), oid, name_there: name.clone(), ..Notice::default() };
    (name, notice)
}

/// The beginning of a name, at most so many bytes; no letter of a name in UTF-8 is cut through.
fn cut(name: &[u8], length: usize) -> &[u8] {
    let length = length.min(name.len());
    let Ok(text) = std::str::from_utf8(name) else { return &name[..length] };
    let end = (0..=length).rev().find(|end| text.is_char_boundary(*end));
    &name[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_letters() {
        assert_eq!(cut(b"prog.c", 222), b"prog.c");
        assert_eq!(cut(b"prog.c", 4), b"prog");
        assert_eq!(cut("a\u{e9}\u{e9}".as_bytes(), 4), "a\u{e9}".as_bytes());
        assert_eq!(cut(b"a\xc3\xa9\xff\xff", 2), b"a\xc3");
    }
}
