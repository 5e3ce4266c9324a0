//! Which catalogs hold an element: one that none holds moves to `lost+found`.

use crate::server::proto::{Failure, Notice, NoticeCode};
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::vob::apply::DirectoryAt;
use crate::vob::{Directory, Element, ElementNo, Entry, VersionNo};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Answers what a catalog will be, where it will be another than it is.
pub type Instead<'a> = &'a dyn Fn(ElementNo, DirectoryAt) -> Option<Arc<Directory>>;

/// Tells whether some directory version or checkout will catalog an element.
///
/// # Errors
/// If the VOB cannot be read.
pub fn is_catalogued(store: &Vob, element: &Element, instead: Instead<'_>) -> Outcome<bool> {
    let wanted = Some(Entry::Element(element.number));
    for (directory, name) in &element.names {
        let parent =
            store.element(*directory)?.ok_or_else(|| Failure::internal("a directory element is gone"))?;
        let versions =
            (0..parent.versions.len() as u32).map(|number| DirectoryAt::Version(VersionNo(number)));
        let checkouts = parent.checkouts.iter().map(|checkout| DirectoryAt::CheckedOut(checkout.number));
        // Other versions may be stored against one that is changed in place: each is looked at.
        let in_place = versions.clone().any(|at| instead(*directory, at).is_some());
        for at in checkouts.chain(versions.filter(|_| in_place)) {
            let catalog = match instead(*directory, at) {
                Some(catalog) => catalog,
                None => store.directory(*directory, at)?,
            };
            if catalog.get(name) == wanted {
                return Ok(true);
            }
        }
        let count = parent.versions.len();
        let mut found = false;
        if !in_place && store.ever(*directory, count, name)?.contains(&Entry::Element(element.number)) {
            store.mentions(*directory, count, name, &mut |mention| {
                found |= mention.entry == wanted;
                if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is told of an element that moves to `lost+found`, and its name there: the name it had, a
/// dot and its identity, the name cut so that both fit.
pub fn lost(element: &Element, leaf: &[u8]) -> (Vec<u8>, Notice) {
    let oid = element.oid.to_string();
    let leaf = &leaf[..leaf.len().min(255 - oid.len() - 1)];
    let name = [leaf, b".", oid.as_bytes()].concat();
    let code = NoticeCode::LostAndFound.into();
    (name, Notice { code, name: leaf.to_vec(), oid, ..Notice::default() })
}
