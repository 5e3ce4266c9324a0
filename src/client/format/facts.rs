//! What a listing knows of one object, and what happened to it: the same value for every command.
//!
//! A description, where there is one, comes from the daemon; the rest is what the listing's own row tells.

use crate::client::events;
use crate::client::failure::kind_name;
use crate::client::layout::comment_text;
use crate::client::pname::{below, without_version};
use crate::server::proto::description::Object;
use crate::server::proto::{
    Attribute, CheckoutFacts, CheckoutRow, Created, Description, HistoryEvent, Hyperlink, Identity, LockRow,
    LockState, ObjectKind, Person, Protection, TypeFacts, VersionTreeKind, VersionTreeRow,
};

/// Everything that can be printed of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// What it is; [`PRIVATE`] for what is no VOB object.
    pub kind: ObjectKind,
    /// Without what follows `@@`: a path as the user would type it, the name of a type, a VOB's tag, `Type@number`.
    pub name: Vec<u8>,
    /// What follows `@@`: `/main/3`, `/main`; empty for whole elements and for what has no versions.
    pub extension: Vec<u8>,
    /// Listings of checkouts name the element by its path alone.
    pub is_plain: bool,
    /// What happened; none for what is no VOB object.
    pub happened: Option<Happened>,
    /// What is attached to it, who owns it, and so on; none where nobody asked, or where it is gone.
    pub description: Option<Description>,
    /// How many branches it is below the first, in listings of version trees.
    pub level: usize,
}

/// An event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Happened {
    /// When.
    pub time_s: i64,
    /// Who did it.
    pub person: Person,
    /// Why, with the sentence that the product puts before it; without blanks and newlines at its end.
    pub comment: Vec<u8>,
    /// `checkin`, `mkelem`.
    pub operation: &'static str,
    /// `create version`.
    pub phrase: Vec<u8>,
}

/// The kind of what is private to a view.
pub const PRIVATE: ObjectKind = ObjectKind::ViewPrivateObject;

impl Facts {
    /// Facts of a described object; `typed` is what the user called it.
    pub fn of_description(description: Description, typed: &[u8]) -> Facts {
        let base = match description.path.as_slice() {
            b"" => without_version(typed).to_vec(),
            path => path.to_vec(),
        };
        let mut facts = Facts { name: base, ..Facts::default() };
        let created = match &description.object {
            Some(Object::Version(version)) => {
                facts.kind =
                    if version.directory { ObjectKind::DirectoryVersion } else { ObjectKind::Version };
                facts.extension = version.version.clone();
                &version.created
            }
            Some(Object::Element(element)) => {
                facts.kind = match element.directory {
                    true => ObjectKind::DirectoryElement,
                    false => ObjectKind::FileElement,
                };
                &element.created
            }
            Some(Object::Branch(branch)) => {
                facts.kind = ObjectKind::Branch;
                facts.extension = branch.branch.clone();
                &branch.created
            }
            Some(Object::SymbolicLink(link)) => {
                facts.kind = ObjectKind::SymbolicLink;
                &link.created
            }
            Some(Object::Private(_)) | None => {
                facts.kind = PRIVATE;
                facts.name = typed.to_vec();
                &None
            }
            Some(Object::Vob(vob)) => {
                facts.kind = ObjectKind::Vob;
                facts.name = vob.tag.clone();
                &Some(Created {
                    time_s: vob.created_s,
                    person: vob.creator.clone(),
                    comment: vob.comment.clone(),
                })
            }
            Some(Object::Type(of_type)) => {
                facts.kind = of_type.kind();
                facts.name = of_type.name.clone();
                &of_type.created
            }
            Some(Object::Hyperlink(link)) => {
                let told = link.link.clone().unwrap_or_default();
                facts.kind = ObjectKind::Hyperlink;
                facts.name = [&told.r#type[..], b"@", told.number.to_string().as_bytes()].concat();
                &link.created
            }
        };
        let is_checkout =
            matches!(&description.object, Some(Object::Version(facts)) if facts.checkout.is_some());
        let (phrase, operation) = match is_checkout {
            true => (format!("checkout {}", kind_name(facts.kind)), "checkout"),
            false => {
                let phrase = format!("create {}", kind_name(facts.kind));
                (phrase, events::creation(facts.kind, &facts.extension))
            }
        };
        facts.happened = created.clone().map(|created| happened(created, operation, phrase.into_bytes()));
        facts.description = Some(description);
        facts
    }

    /// Facts of an event; `typed` is the argument it belongs to.
    pub fn of_event(event: HistoryEvent, typed: &[u8]) -> Facts {
        let kind = event.object();
        let base = below(typed, &event.path);
        let has_versions = matches!(
            kind,
            ObjectKind::Version
                | ObjectKind::DirectoryVersion
                | ObjectKind::Branch
                | ObjectKind::FileElement
                | ObjectKind::DirectoryElement
        );
        let (name, extension) = match has_versions || event.extension.is_empty() {
            true => (base, event.extension.clone()),
            false => (event.extension.clone(), Vec::new()),
        };
        let happened = Happened {
            time_s: event.time_s,
            person: event.person.clone().unwrap_or_default(),
            comment: events::comment(&event),
            operation: events::operation(&event),
            phrase: events::phrase(&event),
        };
        Facts {
            kind,
            name,
            extension,
            is_plain: events::is_checkout(&event),
            happened: Some(happened),
            description: event.description,
            level: 0,
        }
    }

    /// Facts of a checkout, by its path.
    pub fn of_checkout(row: CheckoutRow, name: &[u8]) -> Facts {
        let kind = if row.directory { ObjectKind::DirectoryVersion } else { ObjectKind::Version };
        let phrase = format!("checkout {}", kind_name(kind)).into_bytes();
        Facts {
            kind,
            name: name.to_vec(),
            extension: row.version,
            is_plain: true,
            happened: Some(happened(row.created.unwrap_or_default(), "checkout", phrase)),
            description: row.description,
            level: 0,
        }
    }

    /// Facts of a type object.
    pub fn of_type(told: TypeFacts, identity: Option<Identity>) -> Facts {
        let name = told.name.clone();
        let description = Description { object: Some(Object::Type(told)), path: Vec::new(), identity };
        Facts::of_description(description, &name)
    }

    /// Facts of a locked object, and of the lock's making; `name` is without what follows `@@`.
    pub fn of_lock(row: LockRow, name: &[u8]) -> Facts {
        let phrase = format!("lock {}", kind_name(row.kind())).into_bytes();
        Facts {
            kind: row.kind(),
            name: name.to_vec(),
            extension: row.branch.clone(),
            is_plain: false,
            happened: Some(happened(row.created.unwrap_or_default(), "lock", phrase)),
            description: row.description,
            level: 0,
        }
    }

    /// Facts of a row of a version tree, by the element's path.
    pub fn of_tree_row(row: VersionTreeRow, name: &[u8]) -> Facts {
        let steps = row.extension.iter().filter(|byte| **byte == b'/').count();
        let below_first = if row.kind() == VersionTreeKind::Branch { 1 } else { 2 };
        let level = steps.saturating_sub(below_first);
        match row.description {
            Some(description) => Facts { level, ..Facts::of_description(description, name) },
            None => Facts {
                kind: if below_first == 1 { ObjectKind::Branch } else { ObjectKind::Version },
                name: name.to_vec(),
                extension: row.extension,
                level,
                ..Facts::default()
            },
        }
    }

    // ---- What the description tells ------------------------------------------------------------------------

    /// The described object.
    pub fn object(&self) -> Option<&Object> {
        self.description.as_ref()?.object.as_ref()
    }

    /// What tells it from all others.
    pub fn identity(&self) -> Option<&Identity> {
        self.description.as_ref()?.identity.as_ref()
    }

    /// The view that has it checked out; none for what is no checkout.
    pub fn checkout(&self) -> Option<&CheckoutFacts> {
        match self.object()? {
            Object::Version(facts) => facts.checkout.as_ref(),
            _ => None,
        }
    }

    /// The version it was made from, or a branch begins at; empty where there is none.
    pub fn predecessor(&self) -> &[u8] {
        match self.object() {
            Some(Object::Version(facts)) => &facts.predecessor,
            _ => &[],
        }
    }

    /// The labels of a version.
    pub fn labels(&self) -> &[Vec<u8>] {
        match self.object() {
            Some(Object::Version(facts)) => &facts.labels,
            _ => &[],
        }
    }

    /// The attributes it has.
    pub fn attributes(&self) -> &[Attribute] {
        match self.object() {
            Some(Object::Version(facts)) => &facts.attributes,
            Some(Object::Element(facts)) => &facts.attributes,
            Some(Object::Branch(facts)) => &facts.attributes,
            Some(Object::Vob(facts)) => &facts.attributes,
            Some(Object::Type(facts)) => &facts.attributes,
            Some(Object::SymbolicLink(_) | Object::Private(_) | Object::Hyperlink(_)) | None => &[],
        }
    }

    /// The hyperlinks that start or end at it.
    pub fn hyperlinks(&self) -> &[Hyperlink] {
        match self.object() {
            Some(Object::Version(facts)) => &facts.hyperlinks,
            Some(Object::Element(facts)) => &facts.hyperlinks,
            Some(Object::Branch(facts)) => &facts.hyperlinks,
            Some(Object::SymbolicLink(facts)) => &facts.hyperlinks,
            Some(Object::Vob(facts)) => &facts.hyperlinks,
            Some(Object::Type(facts)) => &facts.hyperlinks,
            Some(Object::Private(_) | Object::Hyperlink(_)) | None => &[],
        }
    }

    /// Whether it is locked; none for what cannot be.
    pub fn lock(&self) -> Option<LockState> {
        match self.object()? {
            Object::Element(facts) => Some(facts.lock()),
            Object::Branch(facts) => Some(facts.lock()),
            Object::Vob(facts) => Some(facts.lock()),
            Object::Type(facts) => Some(facts.lock()),
            Object::Version(_) | Object::SymbolicLink(_) | Object::Private(_) | Object::Hyperlink(_) => None,
        }
    }

    /// The protection of an element and its parts, a link, or a private file.
    pub fn protection(&self) -> Option<&Protection> {
        match self.object()? {
            Object::Version(facts) => facts.protection.as_ref(),
            Object::Element(facts) => facts.protection.as_ref(),
            Object::Branch(facts) => facts.protection.as_ref(),
            Object::SymbolicLink(facts) => facts.protection.as_ref(),
            Object::Private(facts) => facts.protection.as_ref(),
            Object::Vob(_) | Object::Type(_) | Object::Hyperlink(_) => None,
        }
    }

    /// The kind of its type, and the type's name; none for what has none.
    pub fn of_its_type(&self) -> Option<(ObjectKind, &[u8])> {
        match self.object()? {
            Object::Version(facts) => Some((ObjectKind::ElementType, &facts.element_type)),
            Object::Element(facts) => Some((ObjectKind::ElementType, &facts.element_type)),
            Object::Branch(facts) => Some((ObjectKind::BranchType, &facts.branch_type)),
            Object::Hyperlink(facts) => {
                Some((ObjectKind::HyperlinkType, &facts.link.as_ref().map(|link| &link.r#type)?[..]))
            }
            Object::SymbolicLink(_) | Object::Private(_) | Object::Vob(_) | Object::Type(_) => None,
        }
    }

    // ---- Names ---------------------------------------------------------------------------------------------

    /// The name with what follows `@@`; listings of checkouts have the path alone.
    pub fn full_name(&self) -> Vec<u8> {
        if self.is_plain { self.name.clone() } else { self.extended(&self.extension) }
    }

    /// The same with another version.
    pub fn extended(&self, extension: &[u8]) -> Vec<u8> {
        match self.kind {
            ObjectKind::Version
            | ObjectKind::DirectoryVersion
            | ObjectKind::Branch
            | ObjectKind::FileElement
            | ObjectKind::DirectoryElement => [&self.name[..], b"@@", extension].concat(),
            _ => self.name.clone(),
        }
    }

    /// A name by which any command finds it: the extended path, or a full selector.
    pub fn selector(&self) -> Vec<u8> {
        let vob = self.identity().map(|identity| &identity.vob_tag[..]).unwrap_or_default();
        match (self.kind, selector_prefix(self.kind)) {
            (ObjectKind::Vob, Some(prefix)) => [prefix.as_bytes(), b":", &self.name].concat(),
            (_, Some(prefix)) => [prefix.as_bytes(), b":", &self.name, b"@", vob].concat(),
            (_, None) => self.extended(&self.extension),
        }
    }
}

/// The prefix of selectors of a kind; none for what paths name.
pub fn selector_prefix(kind: ObjectKind) -> Option<&'static str> {
    Some(match kind {
        ObjectKind::BranchType => "brtype",
        ObjectKind::LabelType => "lbtype",
        ObjectKind::ElementType => "eltype",
        ObjectKind::AttributeType => "attype",
        ObjectKind::HyperlinkType => "hltype",
        ObjectKind::TriggerType => "trtype",
        ObjectKind::Hyperlink => "hlink",
        ObjectKind::Vob => "vob",
        _ => return None,
    })
}

fn happened(created: Created, operation: &'static str, phrase: Vec<u8>) -> Happened {
    Happened {
        time_s: created.time_s,
        person: created.person.unwrap_or_default(),
        comment: comment_text(&created.comment).to_vec(),
        operation,
        phrase,
    }
}
