//! Listings below `@@`: branches, versions, labels, and names in directory versions.

use super::Listing;
use crate::server::proto::{ListFilter, ListRow, ObjectKind, Pname};
use crate::server::service::facts::{self, join};
use crate::server::state::Outcome;
use crate::view::Found;
use crate::view::history::{self, Place};
use crate::view::resolve::{branch_id, checkout_id, version_id};
use crate::vob::apply::DirectoryAt;
use crate::vob::{Checkout, ElementNo};

impl Listing<'_> {
    /// Lists a place below `@@`. Branches and versions are told as other extensions of the argument,
    /// whose own is `extension`, so that they read `foo.c@@/main/3`; names in a directory version lie
    /// below the argument.
    pub(super) fn history(&mut self, place: Place, extension: Option<&[u8]>, recurse: bool) -> Outcome<bool> {
        if self.filter == ListFilter::ViewOnly {
            return Ok(true);
        }
        let mut levels = vec![(Vec::new(), self.names_at(place)?)];
        while let Some((below, names)) = levels.last_mut() {
            let Some((name, place)) = names.next() else {
                levels.pop();
                continue;
            };
            let path = join(below, &name);
            let row = self.place_row(place)?;
            let is_version = !matches!(place, Place::Element(_) | Place::Symlink(_));
            let goes_on = match extension {
                Some(extension) if is_version => {
                    let version = [extension, b"/", &path].concat();
                    self.send(ListRow { version, ..row }, b"")
                }
                _ => self.send(ListRow { version: Vec::new(), ..row }, &path),
            };
            if !goes_on {
                return Ok(false);
            }
            if recurse && matches!(place, Place::Branch(..)) {
                levels.push((path, self.names_at(place)?));
            }
        }
        Ok(true)
    }

    fn names_at(&self, place: Place) -> Outcome<std::vec::IntoIter<(Vec<u8>, Place)>> {
        let mut names = history::list(&self.resolved.vob, &self.view.uuid(), place)?;
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names.into_iter())
    }

    /// The row of an argument below `@@`: with its version's own name, unless the path to the
    /// element lies below `@@` itself.
    pub(super) fn history_object(&self, place: Place, pname: &Pname, inside: &[u8]) -> Outcome<Vec<ListRow>> {
        if self.filter == ListFilter::ViewOnly {
            return Ok(Vec::new());
        }
        let mut row = self.place_row(place)?;
        let mark = inside.windows(2).rposition(|pair| pair == b"@@").unwrap_or_default();
        let element = inside.get(..mark + 2).and_then(|path| self.host.resolve(self.view, path).ok());
        let element = match element.map(|resolved| resolved.found) {
            Some(Found::History(Place::Element(number))) => Some(number),
            _ => None,
        };
        if let (Some(extension), true) = (tail(&pname.typed), element != element_of(place)) {
            row.version = extension.to_vec();
        }
        Ok(vec![row])
    }

    fn place_row(&self, place: Place) -> Outcome<ListRow> {
        let vob = &self.resolved.vob;
        if let Place::Symlink(number) = place {
            return self.symbolic_link(number);
        }
        let Some(number) = element_of(place) else {
            return Ok(ListRow::default());
        };
        let element = vob.element(number)?;
        let (element_kind, version_kind) = facts::kinds(&element);
        let held =
            |wanted: &dyn Fn(&Checkout) -> bool| element.checkouts.iter().find(|checkout| wanted(checkout));
        let mut from = None;
        let (kind, version) = match place {
            Place::Element(_) | Place::Symlink(_) => (element_kind, String::new()),
            Place::Branch(_, branch) => (ObjectKind::Branch, branch_id(&self.state, &element, branch)),
            Place::Version(_, version) | Place::Directory(_, DirectoryAt::Version(version)) => {
                (version_kind, version_id(&self.state, &element, version))
            }
            Place::OwnCheckout(_) => {
                from = held(&|checkout| checkout.view == self.view.uuid());
                (version_kind, String::new())
            }
            Place::OtherCheckout(_, number) | Place::Directory(_, DirectoryAt::CheckedOut(number)) => {
                from = held(&|checkout| checkout.number == number);
                (version_kind, String::new())
            }
        };
        let version = from.map_or(version, |checkout| checkout_id(&self.state, &element, checkout));
        let from = from.map(|checkout| version_id(&self.state, &element, checkout.from));
        Ok(ListRow {
            kind: kind.into(),
            version: version.into_bytes(),
            checked_out_from: from.unwrap_or_default().into_bytes(),
            ..ListRow::default()
        })
    }
}

fn element_of(place: Place) -> Option<ElementNo> {
    match place {
        Place::Element(number)
        | Place::Branch(number, _)
        | Place::Directory(number, _)
        | Place::Version(number, _)
        | Place::OwnCheckout(number)
        | Place::OtherCheckout(number, _) => Some(number),
        Place::Symlink(_) => None,
    }
}

/// What follows the last `@@` of a typed name, without a slash at its end.
pub(super) fn tail(typed: &[u8]) -> Option<&[u8]> {
    let mark = typed.windows(2).rposition(|pair| pair == b"@@")?;
    let tail = &typed[mark + 2..];
    Some(tail.strip_suffix(b"/").unwrap_or(tail))
}
