//! Objects that selectors name: types, the VOB, identities, hyperlinks.

use super::Subject;
use crate::server::proto::description::Object;
use crate::server::proto::{
    Failure, FailureCode, Hyperlink, HyperlinkFacts, ObjectKind, Selector, SelectorKind, TypeFacts, VobFacts,
};
use crate::server::registry::VobTag;
use crate::server::service::attachable::links;
use crate::server::service::facts::{attributes, told};
use crate::server::service::types::type_facts;
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::vob::{Link, Oid, Part, TypeKind, TypeObject, VobObject, VobState};

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
        let facts = self.server.vob_facts(&tag)?;
        let attributes = attributes(&self.state, &self.state.settings().annotations, Part::Whole, Vec::new());
        let hyperlinks = self.hyperlinks(VobObject::Vob)?;
        Ok(Object::Vob(VobFacts { attributes, hyperlinks, ..facts }))
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

    /// The path of the element that an identity names; empty where it names none.
    pub(super) fn path_with_oid(&mut self, name: &[u8]) -> Outcome<Vec<u8>> {
        let oid: Option<Oid> = String::from_utf8_lossy(name).parse().ok();
        let number = oid.map(|oid| self.vob.vob.element_with_oid(&oid)).transpose()?.flatten();
        let element = number.map(|number| self.vob.element(number)).transpose()?;
        element.map_or(Ok(Vec::new()), |element| self.names.path(&element))
    }

    fn type_object(&mut self, object: &TypeObject) -> Outcome<Object> {
        let facts = type_facts(&self.vob.vob, &self.state, object)?;
        let hyperlinks = self.hyperlinks(VobObject::Type(object.number))?;
        Ok(Object::Type(TypeFacts { hyperlinks, ..facts }))
    }

    fn hyperlink(&mut self, name: &str) -> Outcome<Object> {
        let (_, link) = find_hyperlink(&self.vob.vob, &self.state, name)?;
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
