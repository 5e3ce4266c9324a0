//! Objects that selectors name: types, the VOB, identities, hyperlinks.

use super::Subject;
use super::identity::Known;
use crate::server::proto::description::Object;
use crate::server::proto::{
    CheckoutFacts, Failure, FailureCode, Hyperlink, HyperlinkFacts, ObjectKind, Selector, SelectorKind,
    TypeFacts, VobFacts,
};
use crate::server::registry::VobTag;
use crate::server::service::attachable::links;
use crate::server::service::facts::{attributes, told};
use crate::server::service::types::type_facts;
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::vob::{Link, Part, TypeKind, TypeObject, VobObject, VobState};
use std::collections::HashSet;

/// Elements read at once when all of a VOB are searched.
pub const SEARCH_CHUNK: usize = 1024;

impl Subject<'_> {
    /// Tells of the object that a selector names, with the path of the element it is or is a part of.
    pub(super) fn selected(&mut self, selector: &Selector) -> Outcome<(Object, Vec<u8>)> {
        let name = String::from_utf8_lossy(&selector.name);
        let kind = match selector.kind() {
            SelectorKind::Vob => return Ok((self.whole_vob()?, Vec::new())),
            SelectorKind::Oid | SelectorKind::Dbid => {
                let known = Known::of_selector(self.vob, &self.state, selector)?;
                return self.known_with_path(known);
            }
            SelectorKind::Hyperlink => return Ok((self.hyperlink(&name)?, Vec::new())),
            SelectorKind::Unspecified => return Err(Failure::internal("a selector came without its kind")),
            SelectorKind::BranchType => TypeKind::Branch,
            SelectorKind::LabelType => TypeKind::Label,
            SelectorKind::ElementType => TypeKind::Element,
            SelectorKind::AttributeType => TypeKind::Attribute,
            SelectorKind::TriggerType => TypeKind::Trigger,
            SelectorKind::HyperlinkType => TypeKind::Hyperlink,
        };
        let object = self.state.type_named(kind, &name).cloned();
        let object = object.ok_or_else(|| not_found(type_object_kind(kind), &name))?;
        Ok((self.type_object(&object)?, Vec::new()))
    }

    /// The views that have something of the VOB checked out, by tag.
    fn views_with_checkouts(&self) -> Outcome<Vec<CheckoutFacts>> {
        let mut views: Vec<CheckoutFacts> = Vec::new();
        let mut seen = HashSet::new();
        for number in self.vob.vob.checked_out()? {
            let Some(element) = self.vob.vob.element(number)? else { continue };
            for checkout in element.checkouts.iter().filter(|checkout| seen.insert(checkout.view)) {
                views.push(self.server.checkout_facts(checkout));
            }
        }
        views.sort_by(|a, b| a.view_tag.cmp(&b.view_tag));
        Ok(views)
    }

    fn known_with_path(&mut self, known: Known) -> Outcome<(Object, Vec<u8>)> {
        let told = self.known(known)?;
        let element = match known {
            Known::Object(object) => object.element(),
            _ => None,
        };
        let element = element.map(|number| self.vob.element(number)).transpose()?;
        let path = element.map(|element| self.names.path(&element)).transpose()?;
        Ok((told, path.unwrap_or_default()))
    }

    pub(super) fn whole_vob(&mut self) -> Outcome<Object> {
        let tag = VobTag::new(self.vob.tag.as_str()).map_err(|error| Failure::internal(error.to_string()))?;
        let facts = self.server.vob_facts(&tag)?;
        self.identify(Known::Object(VobObject::Vob), self.state.header.oid);
        let attributes = attributes(&self.state, &self.state.settings().annotations, Part::Whole, Vec::new());
        let hyperlinks = self.hyperlinks(VobObject::Vob)?;
        let views = self.views_with_checkouts()?;
        Ok(Object::Vob(VobFacts { attributes, hyperlinks, views, ..facts }))
    }

    pub(super) fn type_object(&mut self, object: &TypeObject) -> Outcome<Object> {
        self.identify(Known::Object(VobObject::Type(object.number)), None);
        let facts = type_facts(&self.vob.vob, &self.state, object)?;
        let hyperlinks = self.hyperlinks(VobObject::Type(object.number))?;
        Ok(Object::Type(TypeFacts { hyperlinks, ..facts }))
    }

    pub(super) fn hyperlink(&mut self, name: &str) -> Outcome<Object> {
        let (_, link) = find_hyperlink(&self.vob.vob, &self.state, name)?;
        self.identify(Known::Hyperlink(link.number), None);
        let made = told(&self.vob.vob, link.event)?;
        let to = link.to.as_ref().map(|to| self.end(to)).transpose()?;
        Ok(Object::Hyperlink(HyperlinkFacts {
            link: Some(Hyperlink { from: self.end(&link.from)?, ..self.link(&link, true, to) }),
            created: Some(made.created()),
            owner: made.person.login,
            group: made.person.group,
        }))
    }
}

/// Finds a hyperlink by `Type@number`: an object that has it, and the hyperlink.
///
/// # Errors
/// `TYPE_NOT_FOUND` where the VOB has no such hyperlink.
pub fn find_hyperlink(vob: &Vob, state: &VobState, name: &str) -> Outcome<(VobObject, Link)> {
    let missing = || not_found(ObjectKind::Hyperlink, name);
    let (type_name, number) = name.split_once('@').ok_or_else(missing)?;
    let number: u32 = number.parse().map_err(|_| missing())?;
    let link_type = state.type_named(TypeKind::Hyperlink, type_name).ok_or_else(missing)?.number;
    let at = vob.hyperlink(number)?.ok_or_else(missing)?;
    let wanted = |link: &Link| link.number == number && link.link_type == link_type;
    let link = links(vob, state, at)?.into_iter().find(wanted).ok_or_else(missing)?;
    Ok((at, link))
}

/// The name of the hyperlink with a number, `Type@number`; none where there is none.
pub(super) fn hyperlink_name(vob: &Vob, state: &VobState, number: u32) -> Outcome<Option<String>> {
    let Some(at) = vob.hyperlink(number)? else { return Ok(None) };
    let link = links(vob, state, at)?.into_iter().find(|link| link.number == number);
    Ok(link.map(|link| format!("{}@{number}", state.type_name(link.link_type))))
}

/// What is said of kinds of type objects.
pub fn type_object_kind(kind: TypeKind) -> ObjectKind {
    match kind {
        TypeKind::Branch => ObjectKind::BranchType,
        TypeKind::Label => ObjectKind::LabelType,
        TypeKind::Element => ObjectKind::ElementType,
        TypeKind::Hyperlink => ObjectKind::HyperlinkType,
        TypeKind::Attribute => ObjectKind::AttributeType,
        TypeKind::Trigger => ObjectKind::TriggerType,
    }
}

/// A type or hyperlink that the VOB does not have.
pub fn not_found(kind: ObjectKind, name: &str) -> Failure {
    Failure { object_kind: kind.into(), ..Failure::new(FailureCode::TypeNotFound).name(name) }
}
