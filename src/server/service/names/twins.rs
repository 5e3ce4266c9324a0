//! Evil twins: two elements that have one name in different versions of a directory. They
//! cannot be merged, and history splits.

use crate::server::proto::{Failure, FailureCode};
use crate::server::service::slot::Slot;
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::view::resolve::version_id;
use crate::vob::apply::DirectoryAt;
use crate::vob::{Directory, Element, ElementNo, Entry, VersionNo};
use std::ops::ControlFlow;

/// The note that holds a VOB's setting; `off` lets evil twins be made.
pub const DETECTION: &str = "vob:evil-twin-detection";

/// Tells whether a VOB refuses evil twins, as it does unless its owner said otherwise.
///
/// # Errors
/// If the VOB cannot be read.
pub fn detects_twins(store: &Vob) -> Outcome<bool> {
    Ok(store.note(DETECTION)?.is_none_or(|value| *value != *b"off"))
}

/// Refuses a name that another element than `element` (a new one where there is none) has in
/// some version of the directory, where the VOB is set so. The directory comes with the names that it will have.
///
/// # Errors
/// `EVIL_TWIN` or `EVIL_TWIN_RENAMED`, or if the VOB cannot be read.
pub fn refuse_twin(
    store: &Vob,
    directory: (&Element, &Directory),
    name: &[u8],
    element: Option<ElementNo>,
) -> Outcome<()> {
    if detects_twins(store)? { refuse_other(store, directory, name, element) } else { Ok(()) }
}

/// As [`refuse_twin`], in any VOB.
///
/// # Errors
/// As [`refuse_twin`].
pub fn refuse_other(
    store: &Vob,
    (directory, names): (&Element, &Directory),
    name: &[u8],
    element: Option<ElementNo>,
) -> Outcome<()> {
    let Some(version) = twin(store, directory, name, element)? else {
        return Ok(());
    };
    if let Some(present) = present_name(store, (directory, names), version, name)? {
        return Err(Failure { directory: present, ..Failure::new(FailureCode::EvilTwinRenamed) });
    }
    let at_root = directory.number == ElementNo::ROOT;
    Err(Failure {
        branch: version_id(&store.state(), directory, version).into_bytes(),
        directory: if at_root { b".".to_vec() } else { Vec::new() },
        ..Failure::new(FailureCode::EvilTwin)
    })
}

/// The name that the element which a version of a directory has by a name has in the directory now; none where it has
/// none.
fn present_name(
    store: &Vob,
    (directory, names): (&Element, &Directory),
    version: VersionNo,
    name: &[u8],
) -> Outcome<Option<Vec<u8>>> {
    let catalog = store.directory(directory.number, DirectoryAt::Version(version))?;
    let Some(entry @ Entry::Element(number)) = catalog.get(name) else { return Ok(None) };
    let Some(twin) = store.element(number)? else { return Ok(None) };
    let here = twin.names.iter().rev().filter(|(at, _)| *at == directory.number);
    let present = here.map(|(_, name)| name).find(|name| names.get(name) == Some(entry));
    Ok(present.map(|name| name.to_vec()))
}

/// Reads what the versions of a name's directory say, so that [`refuse_twin`] takes little time
/// while other commits wait.
///
/// # Errors
/// If the VOB cannot be read.
pub fn look_back(slot: &Slot) -> Outcome<()> {
    let count = slot.state.element.versions.len();
    Ok(slot.vob.vob.ever(slot.directory, count, &slot.leaf).map(drop)?)
}

/// Finds the version of a directory that was made last of those in which another element has
/// the name, as far as they are stored with it.
fn twin(
    store: &Vob,
    directory: &Element,
    name: &[u8],
    element: Option<ElementNo>,
) -> Outcome<Option<VersionNo>> {
    let is_other = |entry: Option<Entry>| match entry {
        Some(Entry::Element(other)) => Some(other) != element,
        Some(Entry::Symlink(_)) | None => false,
    };
    let count = directory.versions.len();
    if !store.ever(directory.number, count, name)?.into_iter().any(|entry| is_other(Some(entry))) {
        return Ok(None);
    }
    let mut removed_from = Vec::new();
    let mut found = None;
    store.mentions(directory.number, count, name, &mut |mention| {
        match (mention.entry, mention.base) {
            (None, Some(base)) => removed_from.push(base),
            (entry, _) if is_other(entry) => {
                found = Some(mention.version);
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    // Where the name was taken away again, the version before had it to the end.
    for base in removed_from {
        let before = store.directory(directory.number, DirectoryAt::Version(base))?;
        if is_other(before.get(name)) {
            return Ok(Some(base));
        }
    }
    Ok(found)
}
