//! Objects that selectors name: types, the VOB, identities, hyperlinks.

use super::Subject;
use crate::server::proto::description::Object;
use crate::server::proto::{
    Failure, FailureCode, Hyperlink, HyperlinkFacts, ObjectKind, Selector, SelectorKind,
};
use crate::server::registry::VobTag;
use crate::server::service::facts::told;
use crate::server::service::types::type_facts;
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::vob::{self, Element, Oid, TypeKind, TypeObject, VobObject, VobState};
use std::sync::Arc;

/// Elements read at once when all of a VOB are searched.
pub const SEARCH_CHUNK: usize = 1024;

impl Subject<'_> {
    pub(super) fn selected(&mut self, selector: &Selector) -> Outcome<Object> {
        let name = String::from_utf8_lossy(&selector.name);
        let kind = match selector.kind() {
            SelectorKind::Vob => return self.whole_vob(),
            SelectorKind::Oid => return self.with_oid(&name),
            SelectorKind::Hyperlink => return self.hyperlink(&name),
            SelectorKind::Unspecified => return Err(Failure::internal("a selector came without its kind")),
            SelectorKind::BranchType => TypeKind::Branch,
            SelectorKind::LabelType => TypeKind::Label,
            SelectorKind::ElementType => TypeKind::Element,
            SelectorKind::AttributeType => TypeKind::Attribute,
            SelectorKind::HyperlinkType => TypeKind::Hyperlink,
        };
        let object = self.state.type_named(kind, &name).cloned();
        self.type_object(&*object.ok_or_else(|| not_found(type_object_kind(kind), &name))?)
    }

    fn whole_vob(&mut self) -> Outcome<Object> {
        let tag = VobTag::new(self.vob.tag.as_str()).map_err(|error| Failure::internal(error.to_string()))?;
        self.server.vob_facts(&tag).map(Object::Vob)
    }

    fn with_oid(&mut self, name: &str) -> Outcome<Object> {
        let missing = || Failure::new(FailureCode::NoSuchFile);
        let oid: Oid = name.parse().map_err(|_| missing())?;
        if self.state.header.oid == Some(oid) {
            return self.whole_vob();
        }
        let number = self.vob.vob.element_with_oid(&oid)?.ok_or_else(missing)?;
        self.element(&*self.vob.element(number)?)
    }

    fn type_object(&mut self, object: &TypeObject) -> Outcome<Object> {
        type_facts(&self.vob.vob, &self.state, object).map(Object::Type)
    }

    fn hyperlink(&mut self, name: &str) -> Outcome<Object> {
        let (element, link) = find_hyperlink(&self.vob.vob, &self.state, name)?;
        let made = told(&self.vob.vob, link.event)?;
        let path = self.names.path(&element)?;
        let end = |version| [&path[..], b"@@", &self.version_id(&element, version)].concat();
        Ok(Object::Hyperlink(HyperlinkFacts {
            link: Some(Hyperlink {
                r#type: self.state.type_name(link.link_type).into(),
                number: link.number.into(),
                vob_tag: self.vob.tag.clone().into_bytes(),
                outgoing: true,
                other: end(link.to),
                from: end(link.from),
            }),
            created: Some(made.created()),
            owner: made.person.login,
            group: made.person.group,
        }))
    }
}

/// Finds a hyperlink between versions of one element by `Type@number`.
///
/// # Errors
/// `TYPE_NOT_FOUND` where the VOB has no such hyperlink.
pub fn find_hyperlink(vob: &Vob, state: &VobState, name: &str) -> Outcome<(Arc<Element>, vob::Hyperlink)> {
    let missing = || not_found(ObjectKind::Hyperlink, name);
    let (type_name, number) = name.split_once('@').ok_or_else(missing)?;
    let number: u32 = number.parse().map_err(|_| missing())?;
    let link_type = state.type_named(TypeKind::Hyperlink, type_name).ok_or_else(missing)?.number;
    let holder = vob.hyperlink(number)?.and_then(VobObject::element).ok_or_else(missing)?;
    let element = vob.element(holder)?.ok_or_else(missing)?;
    let wanted = |link: &&vob::Hyperlink| link.number == number && link.link_type == link_type;
    let link = element.hyperlinks.iter().find(wanted).cloned().ok_or_else(missing)?;
    Ok((element, link))
}

/// What is said of kinds of type objects.
pub fn type_object_kind(kind: TypeKind) -> ObjectKind {
    match kind {
        TypeKind::Branch => ObjectKind::BranchType,
        TypeKind::Label => ObjectKind::LabelType,
        TypeKind::Element => ObjectKind::ElementType,
        TypeKind::Hyperlink => ObjectKind::HyperlinkType,
        TypeKind::Attribute => ObjectKind::AttributeType,
    }
}

/// A type or hyperlink that the VOB does not have.
pub fn not_found(kind: ObjectKind, name: &str) -> Failure {
    Failure { object_kind: kind.into(), ..Failure::new(FailureCode::TypeNotFound).name(name) }
}
