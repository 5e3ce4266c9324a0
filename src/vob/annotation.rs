//! What can be attached to any object of a VOB: locks, attributes, hyperlinks, changed
//! comments, and the events of what is not attached any more.
//!
//! Pure data. Elements, type objects and the VOB itself hold these; what belongs to a branch or a
//! version is held by its element, with the [`Part`] it is attached to.

use super::deed::PastEvent;
use super::identity::{BranchNo, ElementNo, EventNo, Oid, TypeNo, VersionNo};
use super::trigger::Triggers;
use serde::{Deserialize, Serialize};

/// An object of this VOB, as operations name it.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug, Serialize, Deserialize)]
pub enum VobObject {
    /// The VOB itself.
    Vob,
    /// A type object.
    Type(TypeNo),
    /// An element.
    Element(ElementNo),
    /// A branch of an element.
    Branch(ElementNo, BranchNo),
    /// A version of an element.
    Version(ElementNo, VersionNo),
    /// The checkout of an element that has this number: hyperlinks start and end there, nothing else is
    /// attached to it. They move to the version that it becomes, and go when it is cancelled.
    CheckOut(ElementNo, u32),
}

/// Which part of its holder an annotation is attached to.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug, Serialize, Deserialize)]
pub enum Part {
    /// The element, the type object, or the VOB.
    Whole,
    /// A branch of the element.
    Branch(BranchNo),
    /// A version of the element.
    Version(VersionNo),
    /// The checkout of the element that has this number.
    CheckOut(u32),
}

impl VobObject {
    /// Returns the part of its holder that the object is.
    pub fn part(self) -> Part {
        match self {
            VobObject::Vob | VobObject::Type(_) | VobObject::Element(_) => Part::Whole,
            VobObject::Branch(_, branch) => Part::Branch(branch),
            VobObject::Version(_, version) => Part::Version(version),
            VobObject::CheckOut(_, checkout) => Part::CheckOut(checkout),
        }
    }

    /// Returns the object that holds the annotations: the element of a branch or version.
    pub fn holder(self) -> VobObject {
        match self.element() {
            Some(element) => VobObject::Element(element),
            None => self,
        }
    }

    /// Returns the object that is this part of the holder.
    pub fn with_part(self, part: Part) -> VobObject {
        match (self.element(), part) {
            (Some(element), Part::Branch(branch)) => VobObject::Branch(element, branch),
            (Some(element), Part::Version(version)) => VobObject::Version(element, version),
            (Some(element), Part::CheckOut(checkout)) => VobObject::CheckOut(element, checkout),
            _ => self,
        }
    }

    /// Returns the element that the object is, or is a part of.
    pub fn element(self) -> Option<ElementNo> {
        match self {
            VobObject::Vob | VobObject::Type(_) => None,
            VobObject::Element(element)
            | VobObject::Branch(element, _)
            | VobObject::Version(element, _)
            | VobObject::CheckOut(element, _) => Some(element),
        }
    }
}

/// What a lock says: part of operations, so its fields never change.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LockRule {
    /// Login names of those whom it does not bind (`-nusers`).
    pub exempt: Vec<String>,
    /// Whether the object is out of use, and left out of listings (`-obsolete`).
    pub obsolete: bool,
}

/// A lock on an object.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// What it says.
    pub rule: LockRule,
    /// The event that set it.
    pub event: EventNo,
}

impl Lock {
    /// Tells whether the lock keeps a user from changing the object. Owners and root are bound too.
    pub fn binds(&self, login: &str) -> bool {
        !self.rule.exempt.iter().any(|exempt| exempt == login)
    }
}

/// An attribute of an object.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct AttributeInstance {
    /// What it is attached to.
    pub part: Part,
    /// Its attribute type.
    pub attribute: TypeNo,
    /// Its value, as commands write it (a string in double quotes). None where an attribute that
    /// came with an imported version was removed.
    pub value: Option<String>,
    /// The event that attached it.
    pub event: EventNo,
}

/// One end of a hyperlink.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum LinkEnd {
    /// An object of this VOB.
    Object(VobObject),
    /// An object of another VOB.
    Foreign {
        /// The other VOB family.
        vob: Oid,
        /// Its tag when the link was made, for messages where it is not mounted.
        vob_tag: String,
        /// The element; none for a type object or the VOB itself.
        element: Option<Oid>,
        /// `/main/3` or `/main` for a version or branch, `kind:name` for a type object, else empty.
        name: String,
    },
}

impl LinkEnd {
    /// Returns the object, where it is one of this VOB.
    pub fn object(&self) -> Option<VobObject> {
        match self {
            LinkEnd::Object(object) => Some(*object),
            LinkEnd::Foreign { .. } => None,
        }
    }
}

/// A hyperlink between any two objects; the arrows between versions of one element that carry no
/// text are kept as [`super::Hyperlink`]. The holders of both ends have a copy.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// Unique in the VOB, together with those of [`super::Hyperlink`].
    pub number: u32,
    /// Its hyperlink type.
    pub link_type: TypeNo,
    /// Where it starts.
    pub from: LinkEnd,
    /// Where it leads; none for a link that has only a text at its end.
    pub to: Option<LinkEnd>,
    /// The text at its start.
    pub from_text: String,
    /// The text at its end.
    pub to_text: String,
    /// The event that made it.
    pub event: EventNo,
}

impl Link {
    /// Returns the ends that are objects of this VOB.
    pub fn objects(&self) -> impl Iterator<Item = VobObject> + '_ {
        [Some(&self.from), self.to.as_ref()].into_iter().flatten().filter_map(LinkEnd::object)
    }

    /// Returns the hyperlink with one object in the place of another at its ends.
    pub(super) fn moved(&self, from: VobObject, to: VobObject) -> Link {
        let end = |end: &LinkEnd| match end.object() {
            Some(object) if object == from => LinkEnd::Object(to),
            _ => end.clone(),
        };
        Link { from: end(&self.from), to: self.to.as_ref().map(end), ..self.clone() }
    }
}

/// All that is attached to an element and its parts, to a type object, or to the VOB.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Annotations {
    /// Locks, at most one for each part.
    pub locks: Vec<(Part, Lock)>,
    /// Attributes, at most one of a type for each part, in the order they were attached.
    pub attributes: Vec<AttributeInstance>,
    /// Hyperlinks that start or end here.
    pub links: Vec<Link>,
    /// Comments that were given later than the event that made the object.
    pub comments: Vec<(EventNo, String)>,
    /// Events that nothing above tells of, the oldest first.
    pub past: Vec<PastEvent>,
    /// Trigger types that an element has: stored behind the rest, where there are any (`codec`).
    #[serde(skip)]
    pub triggers: Triggers,
}

impl Annotations {
    /// What an object has that nothing was ever attached to.
    pub const NONE: &'static Annotations = &Annotations {
        locks: vec![],
        attributes: vec![],
        links: vec![],
        comments: vec![],
        past: vec![],
        triggers: Triggers { attached: vec![], inherited: vec![] },
    };

    /// Returns the lock of a part.
    pub fn lock(&self, part: Part) -> Option<&Lock> {
        self.locks.iter().find(|(at, _)| *at == part).map(|(_, lock)| lock)
    }

    /// Returns the attributes of a part, removed ones of imported versions included.
    pub fn attributes_of(&self, part: Part) -> impl Iterator<Item = &AttributeInstance> + '_ {
        self.attributes.iter().filter(move |instance| instance.part == part)
    }

    /// Returns the comment of an event that made something here, where it was changed.
    pub fn comment(&self, event: EventNo) -> Option<&str> {
        self.comments.iter().find(|(at, _)| *at == event).map(|(_, comment)| comment.as_str())
    }

    pub(super) fn is_empty(&self) -> bool {
        self == Annotations::NONE
    }
}
