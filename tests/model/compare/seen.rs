//! What programs see: names, kinds, permission bits, bytes.

use super::Place;
use crate::model::{Entry, File, Found, Id, Model, Private, Shown, Trail, parent_and_leaf};
use crate::product::{Errno, Kind, Product, Sight, Stat};
use std::collections::BTreeMap;

/// What is seen of a name by programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A file: its permission bits and bytes.
    File(u32, Vec<u8>),
    /// A file whose bytes were removed: its permission bits.
    Emptied(u32),
    /// A directory: its permission bits.
    Directory(u32),
    /// A link: its text.
    Link(String),
    /// An error.
    Error(Errno),
    /// A directory that it is in itself: the kernel does not show it.
    Loop,
}

/// What a listing says of it; nothing of what is an error.
pub fn listed(seen: &Seen) -> Option<Kind> {
    match seen {
        Seen::File(..) | Seen::Emptied(_) => Some(Kind::File),
        Seen::Directory(_) | Seen::Loop => Some(Kind::Directory),
        Seen::Link(_) => Some(Kind::Link),
        Seen::Error(_) => None,
    }
}

/// What is seen, in words.
pub fn text(seen: &Seen) -> String {
    match seen {
        Seen::File(mode, bytes) => {
            let first =
                String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default());
            format!("a file {mode:o} of {} bytes: {first:?}", bytes.len())
        }
        Seen::Directory(mode) => format!("a directory {mode:o}"),
        other => format!("{other:?}"),
    }
}

/// The same of what may not be there.
pub fn text_of(seen: &Option<Seen>) -> String {
    seen.as_ref().map_or("nothing".to_owned(), text)
}

/// What the program shows of names in a directory.
pub fn look(product: &dyn Product, view: usize, directory: &str, names: &[&str]) -> Vec<Option<Seen>> {
    let seen = |sight: Sight| match (sight.stat, sight.held) {
        (Err(libc::ENOENT), _) => None,
        (Err(errno), _) => Some(Seen::Error(errno)),
        (Ok(Stat { kind: Kind::Directory, mode, .. }), _) => Some(Seen::Directory(mode)),
        (Ok(Stat { kind: Kind::Link, .. }), Ok(text)) => {
            Some(Seen::Link(String::from_utf8_lossy(&text).into_owned()))
        }
        (Ok(Stat { kind: Kind::File, mode, size }), Ok(bytes)) if bytes.len() as u64 == size => {
            Some(Seen::File(mode, bytes))
        }
        (Ok(Stat { kind: Kind::File, mode, size }), Ok(bytes)) => {
            Some(Seen::File(mode, format!("{size} bytes, read {}", bytes.len()).into_bytes()))
        }
        (Ok(Stat { kind: Kind::File, mode, .. }), Err(libc::ENODATA)) => Some(Seen::Emptied(mode)),
        (Ok(_), Err(errno)) => Some(Seen::Error(errno)),
        (Ok(Stat { kind: Kind::Other, .. }), Ok(_)) => Some(Seen::Error(libc::EINVAL)),
    };
    product.look(view, directory, names).into_iter().map(seen).collect()
}

fn of_private(private: &Private) -> Seen {
    match private {
        Private::File(File { content, mode }) => Seen::File(*mode, content.bytes()),
        Private::Directory(mode, _) => Seen::Directory(*mode),
        Private::Link(text) => Seen::Link(text.clone()),
    }
}

/// What a view shows in a directory. Names that are errors are among them, though no listing has them.
pub fn seen_names(model: &Model, (view, path, id, trail): Place<'_>) -> BTreeMap<String, Seen> {
    let mut all = BTreeMap::new();
    let catalog = model.catalog(view, id, model.select(view, id, trail).0);
    for (name, entry) in catalog.iter() {
        let seen = match entry {
            Entry::Link(link) => Some(Seen::Link(model.links[*link].clone())),
            Entry::Element(child) => seen_element(model, (view, path), *child, trail.below(name)),
        };
        all.extend(seen.map(|seen| (name.clone(), seen)));
    }
    for (name, private) in model.views[view].private.get(&id).into_iter().flatten() {
        all.insert(name.clone(), of_private(private));
    }
    all
}

fn seen_element(model: &Model, (view, path): (usize, &str), id: Id, trail: Trail) -> Option<Seen> {
    let element = &model.elements[id];
    let shown = model.select(view, id, trail).0;
    match shown {
        Shown::Nothing => None,
        Shown::Error => Some(Seen::Error(libc::EIO)),
        _ if element.directory && is_above(model, view, path, id) => Some(Seen::Loop),
        _ if element.directory => Some(Seen::Directory(element.mode)),
        Shown::CheckedOut => {
            let data = model.views[view].data.get(&id)?;
            Some(Seen::File(data.mode, data.content.bytes()))
        }
        Shown::Version(spot) => {
            let version = element.version(spot);
            let readable = element.mode & 0o444;
            let mode = if version.executable { readable | readable >> 2 } else { readable };
            Some(match version.emptied {
                true => Seen::Emptied(mode),
                false => Seen::File(mode, version.content.bytes()),
            })
        }
    }
}

/// Whether a directory is on the way to itself.
fn is_above(model: &Model, view: usize, mut path: &str, id: Id) -> bool {
    loop {
        if matches!(model.find(view, path), Ok(Found::Element { id: above, .. }) if above == id) {
            return true;
        }
        if path.is_empty() {
            return false;
        }
        path = parent_and_leaf(path).0;
    }
}
