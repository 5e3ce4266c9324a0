//! `%[...]p`: properties by name. One that does not apply to an object is empty.

use super::evaluate::leaf;
use super::facts::{Facts, PRIVATE, selector_prefix};
use super::parse::Modifiers;
use crate::client::failure::kind_name;
use crate::client::layout::hyperlink_id;
use crate::server::proto::description::Object;
use crate::server::proto::{AttributePer, LockState, ObjectKind, TypeFacts};

/// A property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    Name,
    ObjectKind,
    Owner,
    Group,
    Locked,
    Master,
    Type,
    Pool,
    Predecessor,
    /// Of one type when the parameter goes on with `:TYPE`.
    Hyperlinks,
    HyperlinkFromText,
    HyperlinkToText,
    LinkText,
    TypeScope,
    TypeConstraint,
    Replication,
    ReplicaName,
    ReplicaHost,
    DosText,
    Triggers,
    TriggerKind,
    /// Of objects that this program does not have: of UCM, pools, replicas.
    NotHere,
    Activity,
}

const PROPERTIES: &[(&str, Property)] = &[
    ("name", Property::Name),
    ("object_kind", Property::ObjectKind),
    ("owner", Property::Owner),
    ("group", Property::Group),
    ("locked", Property::Locked),
    ("master", Property::Master),
    ("reqmaster", Property::NotHere),
    ("instance_mastership", Property::NotHere),
    ("triggers", Property::Triggers),
    ("type", Property::Type),
    ("pool", Property::Pool),
    ("pool_kind", Property::NotHere),
    ("version_predecessor", Property::Predecessor),
    ("activity", Property::Activity),
    ("hlink", Property::Hyperlinks),
    ("hlink_from_text", Property::HyperlinkFromText),
    ("hlink_to_text", Property::HyperlinkToText),
    ("slink_text", Property::LinkText),
    ("slink_text_mvfs", Property::LinkText),
    ("type_scope", Property::TypeScope),
    ("type_constraint", Property::TypeConstraint),
    ("trtype_kind", Property::TriggerKind),
    ("msdostext", Property::DosText),
    ("text_mode", Property::NotHere),
    ("vob_replication", Property::Replication),
    ("replica_name", Property::ReplicaName),
    ("replica_host", Property::ReplicaHost),
    ("flevel", Property::NotHere),
    ("checkout_replica", Property::Master),
    ("activities", Property::NotHere),
    ("contrib_acts", Property::NotHere),
    ("versions", Property::NotHere),
    ("headline", Property::NotHere),
    ("view", Property::NotHere),
    ("views", Property::NotHere),
    ("stream", Property::NotHere),
    ("streams", Property::NotHere),
    ("istream", Property::NotHere),
    ("dstreams", Property::NotHere),
    ("project", Property::NotHere),
    ("folder", Property::NotHere),
    ("title", Property::NotHere),
    ("mod_comps", Property::NotHere),
    ("rec_bls", Property::NotHere),
    ("found_bls", Property::NotHere),
    ("latest_bls", Property::NotHere),
    ("bl_stream", Property::NotHere),
    ("component", Property::NotHere),
    ("components", Property::NotHere),
    ("root_dir", Property::NotHere),
    ("plevel", Property::NotHere),
    ("label_status", Property::NotHere),
    ("depends_on", Property::NotHere),
    ("depends_on_closure", Property::NotHere),
    ("member_of_closure", Property::NotHere),
    ("policies", Property::NotHere),
    ("model", Property::NotHere),
    ("config_spec", Property::NotHere),
    ("crm_record_id", Property::NotHere),
    ("crm_record_type", Property::NotHere),
    ("crm_database", Property::NotHere),
];

/// The only replica of a VOB that is not replicated.
pub const REPLICA: &str = "original";

impl Property {
    /// Finds a property by what stands between the brackets.
    pub fn named(text: &[u8]) -> Option<Property> {
        let name = match text.strip_prefix(b"hlink:") {
            Some(_) => b"hlink",
            None => text,
        };
        PROPERTIES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, property)| *property)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROPERTIES.iter().map(|(name, _)| *name)
    }

    /// Tells whether more than an event must be known.
    pub fn needs_description(self) -> bool {
        !matches!(self, Property::Name | Property::ObjectKind | Property::Activity | Property::NotHere)
    }
}

/// One of the values of a property: its name, and its full selector if it has one.
struct Item {
    name: Vec<u8>,
    selector: Option<Vec<u8>>,
}

impl From<&[u8]> for Item {
    fn from(name: &[u8]) -> Item {
        Item { name: name.to_vec(), selector: None }
    }
}

/// Prints a property of an object; `parameter` is its name as it was given.
pub(super) fn print(property: Property, modifiers: Modifiers, parameter: &[u8], facts: &Facts) -> Vec<u8> {
    if property == Property::Hyperlinks {
        return hyperlinks(parameter.strip_prefix(b"hlink:"), facts);
    }
    let items = items(property, facts);
    let shown: Vec<Vec<u8>> = items
        .into_iter()
        .filter(|item| !item.name.is_empty())
        .map(|item| {
            let text = item.selector.filter(|_| modifiers.has(b'X')).unwrap_or(item.name);
            if modifiers.has(b'Q') { [b"\"", &text[..], b"\""].concat() } else { text }
        })
        .collect();
    let between: &[u8] = match (modifiers.has(b'C'), modifiers.has(b'N')) {
        (true, _) => b", ",
        (_, true) => b"",
        _ => b" ",
    };
    shown.join(between)
}

fn items(property: Property, facts: &Facts) -> Vec<Item> {
    let one = |text: &str| vec![Item::from(text.as_bytes())];
    let vob = facts.identity().map(|identity| &identity.vob_tag[..]).unwrap_or_default();
    let is_vob = facts.kind == ObjectKind::Vob && facts.description.is_some();
    match (property, facts.object()) {
        (Property::Name, _) => {
            let name = if facts.kind == ObjectKind::Vob { &facts.name } else { leaf(&facts.name) };
            vec![Item { name: name.to_vec(), selector: Some(facts.selector()) }]
        }
        (Property::ObjectKind, _) if facts.kind == PRIVATE => Vec::new(),
        (Property::ObjectKind, _) => one(kind_name(facts.kind)),
        (Property::Owner, Some(Object::Vob(told))) => one(&told.owner),
        (Property::Group, Some(Object::Vob(told))) => one(&told.group),
        (Property::Owner, Some(Object::Type(told))) => one(&told.owner),
        (Property::Group, Some(Object::Type(told))) => one(&told.group),
        (Property::Owner, Some(Object::Hyperlink(told))) => one(&told.owner),
        (Property::Group, Some(Object::Hyperlink(told))) => one(&told.group),
        (Property::Owner | Property::Group, Some(Object::Private(_))) => Vec::new(),
        (Property::Owner, _) => {
            let owner = facts.protection().map(|held| or_number(&held.user, held.user_id));
            owner.map(|owner| one(&owner)).unwrap_or_default()
        }
        (Property::Group, _) => {
            let group = facts.protection().map(|held| or_number(&held.group, held.group_id));
            group.map(|group| one(&group)).unwrap_or_default()
        }
        (Property::Locked, _) => match facts.lock() {
            None => Vec::new(),
            Some(LockState::Unlocked) => one("unlocked"),
            Some(LockState::Locked) => one("locked"),
            Some(LockState::Obsolete) => one("obsolete"),
        },
        (Property::Master, Some(object)) => match object {
            Object::Private(_) => Vec::new(),
            _ => vec![Item::from(&[REPLICA.as_bytes(), b"@", vob].concat()[..])],
        },
        (Property::Type, _) => match facts.of_its_type() {
            None => Vec::new(),
            Some((kind, name)) => {
                let prefix = selector_prefix(kind).unwrap_or_default().as_bytes();
                let selector = Some([prefix, b":", name, b"@", vob].concat());
                vec![Item { name: name.to_vec(), selector }]
            }
        },
        (Property::Pool, Some(Object::Element(told))) => {
            let all = ["sdft", "cdft", "ddft"];
            let count = if told.directory { 3 } else { 2 };
            all[..count].iter().map(|name| Item::from(name.as_bytes())).collect()
        }
        (Property::Predecessor, _) => vec![Item {
            name: facts.predecessor().to_vec(),
            selector: Some(facts.extended(facts.predecessor())),
        }],
        (Property::HyperlinkFromText, Some(Object::Hyperlink(told))) => {
            told.link.iter().map(|link| Item::from(&link.from_text[..])).collect()
        }
        (Property::HyperlinkToText, Some(Object::Hyperlink(told))) => {
            told.link.iter().map(|link| Item::from(&link.to_text[..])).collect()
        }
        (Property::LinkText, Some(Object::SymbolicLink(told))) => vec![Item::from(&told.target[..])],
        (Property::TypeScope, Some(Object::Type(told))) => {
            one(if told.global { "global" } else { "ordinary" })
        }
        (Property::TypeConstraint, Some(Object::Type(told))) => one(constraint(told)),
        (Property::Triggers, Some(Object::Element(told))) => {
            let selector = |name: &[u8]| [b"trtype:", name, b"@", vob].concat();
            let new = told.inherited_triggers.iter().filter(|name| !told.triggers.contains(name));
            let all = told.triggers.iter().chain(new);
            all.map(|name| Item { name: name.clone(), selector: Some(selector(name)) }).collect()
        }
        (Property::TriggerKind, Some(Object::Type(told))) => {
            told.trigger.iter().flat_map(|trigger| one(trigger_kind(trigger.before))).collect()
        }
        (Property::Replication, _) if is_vob => one("unreplicated"),
        (Property::ReplicaName, _) if is_vob => one(REPLICA),
        (Property::ReplicaHost, Some(Object::Vob(told))) => one(&told.host),
        (Property::DosText, _) if is_vob => one("disabled"),
        _ => Vec::new(),
    }
}

/// When triggers fire: before their operation, or after it.
pub fn trigger_kind(before: bool) -> &'static str {
    if before { "pre-operation" } else { "post-operation" }
}

/// A name, or the number where nobody has the number.
fn or_number(name: &str, number: u32) -> String {
    if name.is_empty() { number.to_string() } else { name.to_owned() }
}

/// What instances of a type must keep to; empty for kinds of types without a constraint.
pub fn constraint(told: &TypeFacts) -> &'static str {
    match (told.kind(), told.per_branch) {
        (ObjectKind::BranchType, false) => "one branch per element",
        (ObjectKind::BranchType, true) => "one branch per branch",
        (ObjectKind::LabelType, false) => "one version per element",
        (ObjectKind::LabelType, true) => "one version per branch",
        (ObjectKind::AttributeType, _) => match told.attribute.as_ref().map(|facts| facts.per()) {
            Some(AttributePer::Branch) => "one attribute per branch",
            Some(AttributePer::Element) => "one attribute per element",
            Some(AttributePer::Version) | None => "one attribute per version",
        },
        _ => "",
    }
}

/// Each hyperlink as `"Merge@12@/vobs/a" <- "path@@/main/b/2" `.
fn hyperlinks(of_type: Option<&[u8]>, facts: &Facts) -> Vec<u8> {
    let wanted = facts.hyperlinks().iter().filter(|link| of_type.is_none_or(|name| link.r#type == name));
    let shown = wanted.map(|link| {
        let arrow: &[u8] = if link.outgoing { b"->" } else { b"<-" };
        let text = if link.outgoing { &link.to_text } else { &link.from_text };
        let other = if link.other.is_empty() { text } else { &link.other };
        [b"\"", &hyperlink_id(link)[..], b"\" ", arrow, b" \"", other, b"\" "].concat()
    });
    shown.collect::<Vec<_>>().concat()
}
