//! What is told of the hyperlinks of an object, and what their ends are called.

use super::Subject;
use crate::server::proto::Hyperlink;
use crate::server::service::attachable::{kind_and_extension, links};
use crate::server::service::hyperlinks::type_prefix;
use crate::server::state::Outcome;
use crate::view::MountedVob;
use crate::vob::{Checkout, Element, Link, LinkEnd, Oid, VersionNo, VobObject};
use std::sync::Arc;

impl Subject<'_> {
    /// Tells the hyperlinks of an object, the oldest first.
    pub(super) fn hyperlinks(&mut self, object: VobObject) -> Outcome<Vec<Hyperlink>> {
        let mut found = Vec::new();
        for link in links(&self.vob.vob, &self.state, object)? {
            let is_here = |end: &LinkEnd| end.object() == Some(object);
            if is_here(&link.from) {
                let to = link.to.as_ref().map(|to| self.end(to)).transpose()?;
                found.push(self.link(&link, true, to));
            }
            if link.to.as_ref().is_some_and(is_here) {
                let from = self.end(&link.from)?;
                found.push(self.link(&link, false, Some(from)));
            }
        }
        Ok(found)
    }

    /// Tells the hyperlinks of a checkout and, where that was asked for, of the versions it descends from.
    pub(super) fn checkout_links(
        &mut self,
        element: &Element,
        checkout: &Checkout,
    ) -> Outcome<Vec<Hyperlink>> {
        let mut found = self.hyperlinks(VobObject::CheckOut(element.number, checkout.number))?;
        if self.inherited {
            found.extend(self.version_links(element, checkout.from)?);
        }
        Ok(found)
    }

    /// Tells the hyperlinks of a version and, where that was asked for, of those it descends from.
    pub(super) fn version_links(&mut self, element: &Element, version: VersionNo) -> Outcome<Vec<Hyperlink>> {
        let mut found = Vec::new();
        let mut at = Some(version);
        while let Some(version) = at {
            found.extend(self.hyperlinks(VobObject::Version(element.number, version))?);
            at = element.version(version).predecessor.filter(|_| self.inherited);
        }
        Ok(found)
    }

    /// A hyperlink as it is told at one of its ends; `other` is the name of the other end.
    pub(super) fn link(&self, link: &Link, outgoing: bool, other: Option<Vec<u8>>) -> Hyperlink {
        Hyperlink {
            r#type: self.state.type_name(link.link_type).into(),
            number: link.number.into(),
            vob_tag: self.vob.tag.clone().into_bytes(),
            outgoing,
            other: other.unwrap_or_default(),
            from: Vec::new(),
            from_text: link.from_text.clone().into_bytes(),
            to_text: link.to_text.clone().into_bytes(),
        }
    }

    /// What the end of a hyperlink is called: a version-extended path, or a selector.
    pub(super) fn end(&mut self, end: &LinkEnd) -> Outcome<Vec<u8>> {
        let object = match end {
            LinkEnd::Object(object) => *object,
            LinkEnd::Foreign { vob, vob_tag, element, name } => {
                return self.foreign(vob, vob_tag, element.as_ref(), name.as_bytes());
            }
        };
        let (kind, name) = kind_and_extension(&self.vob.vob, &self.state, object)?;
        let tag = self.vob.tag.as_bytes();
        Ok(match object {
            VobObject::Vob => [b"vob:", tag].concat(),
            VobObject::Type(_) => [type_prefix(kind).as_bytes(), b":", &name, b"@", tag].concat(),
            VobObject::Element(number) | VobObject::Branch(number, _) | VobObject::Version(number, _) => {
                let path = self.names.path(&*self.vob.element(number)?)?;
                [&path[..], b"@@", &name].concat()
            }
            // By the number alone another view finds it.
            VobObject::CheckOut(number, checkout) => {
                let element = self.vob.element(number)?;
                let path = self.names.path(&element)?;
                let own = self.names.view().and_then(|view| element.checkout_of(&view.uuid()));
                let number = match own.is_some_and(|own| own.number == checkout) {
                    true => String::new(),
                    false => format!(".{checkout}"),
                };
                [&path[..], b"@@", &name, number.as_bytes()].concat()
            }
        })
    }

    /// What an object of another VOB is called: by its present path where the VOB is mounted.
    fn foreign(&self, vob: &Oid, tag: &str, element: Option<&Oid>, name: &[u8]) -> Outcome<Vec<u8>> {
        let of_family = |mounted: &Arc<MountedVob>| mounted.vob.state().header.oid.as_ref() == Some(vob);
        let mounted = self.server.host.vobs().into_iter().find(of_family);
        let tag = mounted.as_ref().map_or(tag, |mounted| &mounted.tag).as_bytes();
        let Some(oid) = element else {
            return Ok(match name {
                b"" => [b"vob:", tag].concat(),
                name => [name, b"@", tag].concat(),
            });
        };
        let element = match &mounted {
            Some(mounted) => mounted.vob.element_with_oid(oid)?.map(|number| mounted.element(number)),
            None => None,
        };
        let path = match (&mounted, element.transpose()?) {
            (Some(mounted), Some(element)) => self.names.elsewhere(mounted).path(&element)?,
            _ => format!("oid:{oid}@{}", String::from_utf8_lossy(tag)).into_bytes(),
        };
        Ok([&path[..], b"@@", name].concat())
    }
}
