//! Elements: the version tree of one file or directory, with its labels, checkouts and
//! hyperlinks, held as one value because version selection needs all of it.

use super::annotation::{Annotations, Link, LinkEnd, Part, VobObject};
use super::identity::{BranchNo, ContentHash, ElementNo, EventNo, Oid, TypeNo, VersionNo, ViewUuid};
use super::state::{VobState, predefined};
use clerestory_specs::{AttributeValue, ElementFacts, LinkDirection, QueryFacts, QueryObject};
use std::borrow::Cow;

/// What kind of object an element versions.
#[derive(Copy, Clone, Eq, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub enum ElementKind {
    /// A file element: its versions are contents in the pools.
    File,
    /// A directory element: its versions catalog names.
    Directory,
}

/// What a version holds.
#[derive(Copy, Clone, Eq, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Content {
    /// No bytes at all: version 0 of a root branch.
    Empty,
    /// A content of the pools, `size` bytes long.
    File {
        /// The content's name in the pools.
        hash: ContentHash,
        /// Bytes.
        size: u64,
    },
    /// A catalog of names, kept as directory nodes beside the element.
    Directory,
    /// A file's bytes that were removed; the version is still there.
    Removed,
}

impl Content {
    /// Returns the number of bytes a reader of the version gets.
    pub fn size(&self) -> u64 {
        match self {
            Content::File { size, .. } => *size,
            Content::Empty | Content::Directory | Content::Removed => 0,
        }
    }
}

/// One immutable version.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Version {
    /// The branch it stands on.
    pub branch: BranchNo,
    /// Its number on that branch; never reused.
    pub number: u32,
    /// The event that made it.
    pub event: EventNo,
    /// The version it was made from; none for version 0 of the root branch.
    pub predecessor: Option<VersionNo>,
    /// What it holds.
    pub content: Content,
    /// Whether readers may execute it.
    pub executable: bool,
    /// When it was made, in nanoseconds since 1970 UTC; also its modification time.
    pub created_ns: i64,
    /// The time that `-time` rules compare. It differs from `created_ns` only where
    /// the clocks of an imported history ran backwards.
    pub effective_ns: i64,
}

/// One branch of an element.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Branch {
    /// Its branch type.
    pub branch_type: TypeNo,
    /// The version it sprouts from; none for the root branch.
    pub from: Option<VersionNo>,
    /// The event that made it.
    pub event: EventNo,
    /// Its versions, ascending by number; none if the branch was removed.
    pub versions: Vec<VersionNo>,
    /// The number the next version gets.
    pub next_number: u32,
}

/// A checkout of the element to a view.
#[derive(Clone, Eq, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Checkout {
    /// The view that holds it.
    pub view: ViewUuid,
    /// The branch the next version will stand on.
    pub branch: BranchNo,
    /// The version it was checked out from.
    pub from: VersionNo,
    /// Unique in the VOB: names the placeholder `CHECKEDOUT.<number>`.
    pub number: u32,
    /// Whether this view is the only one that may check in next.
    pub reserved: bool,
    /// The event that made it.
    pub event: EventNo,
    /// When, in nanoseconds since 1970 UTC.
    pub created_ns: i64,
    /// The checkout comment, with the bookkeeping lines of a directory.
    pub comment: String,
    /// The tag of the view at that time, for messages when the view is gone.
    pub view_tag: String,
}

/// An arrow between two versions of the element, such as a `Merge`.
#[derive(Clone, Eq, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Hyperlink {
    /// Unique in the VOB.
    pub number: u32,
    /// Its hyperlink type.
    pub link_type: TypeNo,
    /// Where the arrow starts.
    pub from: VersionNo,
    /// Where it points.
    pub to: VersionNo,
    /// The event that made it.
    pub event: EventNo,
}

/// A file or directory under version control, with its whole version tree.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Element {
    /// Its number in the VOB.
    pub number: ElementNo,
    /// Its identity, the same in every replica.
    pub oid: Oid,
    /// File or directory.
    pub kind: ElementKind,
    /// Its element type.
    pub element_type: TypeNo,
    /// Numeric user id of the owner.
    pub owner: u32,
    /// Numeric group id.
    pub group: u32,
    /// Permission bits; the write bits of file elements mean nothing.
    pub mode: u16,
    /// The event that made it.
    pub event: EventNo,
    /// All branches that ever were; the root branch first. See [`Element::has_branch`].
    pub branches: Vec<Branch>,
    /// All versions that ever were, in the order they were made. See [`Element::has_version`].
    pub versions: Vec<Version>,
    /// Labels, ascending by type and version.
    pub labels: Vec<(TypeNo, VersionNo)>,
    /// The events that attached labels, in the order of `labels`; the labels that the event attached
    /// which made their type are left out.
    pub label_events: Vec<(TypeNo, VersionNo, EventNo)>,
    /// Checkouts, at most one for each view.
    pub checkouts: Vec<Checkout>,
    /// Arrows between versions of this element.
    pub hyperlinks: Vec<Hyperlink>,
    /// Every (directory, name) that ever catalogued it.
    pub names: Vec<(ElementNo, Box<[u8]>)>,
    /// Whether it was removed: its number stays taken, and readers of the VOB do not meet it.
    pub removed: bool,
    /// What is attached to it and its parts, where there is anything.
    pub annotations: Option<Box<Annotations>>,
}

/// What a new element begins with.
#[derive(Clone, Copy, Debug)]
pub struct NewElement {
    /// Its number in the VOB.
    pub number: ElementNo,
    /// Its identity.
    pub oid: Oid,
    /// File or directory.
    pub kind: ElementKind,
    /// Its element type.
    pub element_type: TypeNo,
    /// Numeric user id of the owner.
    pub owner: u32,
    /// Numeric group id.
    pub group: u32,
    /// Permission bits.
    pub mode: u16,
}

/// Among the permission bits of a file element: `protect` said who may execute it, for all its versions. Without
/// it whoever may read an executable version may execute it.
pub const EXECUTE_CHOSEN: u16 = 0o1000;

/// Returns the permission bits of a version of a file element with these bits. Nobody writes to one.
pub fn file_permissions(mode: u16, is_executable: bool) -> u16 {
    let readable = mode & 0o444;
    match (mode & EXECUTE_CHOSEN != 0, is_executable) {
        (true, _) => mode & 0o555,
        (false, true) => readable | readable >> 2,
        (false, false) => readable,
    }
}

impl Element {
    /// Returns the permission bits of a version of a file element.
    pub fn file_permissions(&self, version: Option<&Version>) -> u16 {
        file_permissions(self.mode, version.is_some_and(|version| version.executable))
    }

    /// Makes an element with its root branch and the empty version 0, by an event at a time in nanoseconds since
    /// 1970 UTC. No directory catalogs it.
    pub fn new(new: NewElement, event: EventNo, time_ns: i64) -> Element {
        let NewElement { number, oid, kind, element_type, owner, group, mode } = new;
        let root = Version {
            branch: BranchNo::ROOT,
            number: 0,
            event,
            predecessor: None,
            content: match kind {
                ElementKind::File => Content::Empty,
                ElementKind::Directory => Content::Directory,
            },
            executable: false,
            created_ns: time_ns,
            effective_ns: time_ns,
        };
        let main = Branch {
            branch_type: predefined::MAIN,
            from: None,
            event,
            versions: vec![VersionNo::ROOT],
            next_number: 1,
        };
        Element {
            number,
            oid,
            kind,
            element_type,
            owner,
            group,
            mode,
            event,
            branches: vec![main],
            versions: vec![root],
            labels: vec![],
            label_events: vec![],
            checkouts: vec![],
            hyperlinks: vec![],
            names: vec![],
            removed: false,
            annotations: None,
        }
    }

    /// Returns what is attached to the element and its parts.
    pub fn annotations(&self) -> &Annotations {
        self.annotations.as_deref().unwrap_or(Annotations::NONE)
    }

    /// Returns every hyperlink that starts or ends at the element or a part of it: the arrows between
    /// its versions first, then the others, in the order they were made.
    pub fn links(&self) -> impl Iterator<Item = Cow<'_, Link>> + '_ {
        let end = |version| LinkEnd::Object(VobObject::Version(self.number, version));
        let arrows = self.hyperlinks.iter().map(move |arrow| {
            Cow::Owned(Link {
                number: arrow.number,
                link_type: arrow.link_type,
                from: end(arrow.from),
                to: Some(end(arrow.to)),
                from_text: String::new(),
                to_text: String::new(),
                event: arrow.event,
            })
        });
        arrows.chain(self.annotations().links.iter().map(Cow::Borrowed))
    }

    /// Returns both ends of every Merge hyperlink between two versions of the element.
    pub fn merge_arrows(&self) -> impl Iterator<Item = (VersionNo, VersionNo)> + '_ {
        let version = |end: &LinkEnd| match end.object()? {
            VobObject::Version(element, version) if element == self.number => Some(version),
            _ => None,
        };
        let merges = self.links().filter(|link| link.link_type == predefined::MERGE);
        merges.filter_map(move |link| Some((version(&link.from)?, version(link.to.as_ref()?)?)))
    }

    /// Tells whether a Merge hyperlink leads from a version to the checkout with this number: what it holds then
    /// takes the version into account.
    pub fn is_merged_into(&self, version: VersionNo, checkout: u32) -> bool {
        let from = LinkEnd::Object(VobObject::Version(self.number, version));
        let to = LinkEnd::Object(VobObject::CheckOut(self.number, checkout));
        let mut merges = self.annotations().links.iter().filter(|link| link.link_type == predefined::MERGE);
        merges.any(|link| link.from == from && link.to.as_ref() == Some(&to))
    }

    /// Changes what is attached to the element and its parts.
    pub(super) fn annotate(&mut self, change: impl FnOnce(&mut Annotations)) {
        let mut annotations = self.annotations.take().unwrap_or_default();
        change(&mut annotations);
        self.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
    }

    /// Tells whether the element has a branch that was not removed.
    pub fn has_branch(&self, number: BranchNo) -> bool {
        self.branches.get(number.index()).is_some_and(|branch| !branch.versions.is_empty())
    }

    /// Tells whether the element has a version that was not removed.
    pub fn has_version(&self, number: VersionNo) -> bool {
        self.find_version(number).is_some()
    }

    /// Returns a version, unless it was removed or never made.
    pub fn find_version(&self, number: VersionNo) -> Option<&Version> {
        let version = self.versions.get(number.index())?;
        (self.version_at(version.branch, version.number) == Some(number)).then_some(version)
    }

    /// Returns a branch, unless it was removed or never made.
    pub fn find_branch(&self, number: BranchNo) -> Option<&Branch> {
        self.branches.get(number.index()).filter(|branch| !branch.versions.is_empty())
    }

    /// Returns the branches that were not removed, in the order they were made.
    pub fn present_branches(&self) -> impl Iterator<Item = (BranchNo, &Branch)> + '_ {
        (0..).map(BranchNo).zip(&self.branches).filter(|(_, branch)| !branch.versions.is_empty())
    }

    /// Returns the versions that were not removed, in the order they were made.
    pub fn present_versions(&self) -> impl Iterator<Item = (VersionNo, &Version)> + '_ {
        let numbered = (0..).map(VersionNo).zip(&self.versions);
        numbered.filter(|(number, version)| self.version_at(version.branch, version.number) == Some(*number))
    }

    /// Returns a version that must exist in this element.
    ///
    /// # Panics
    /// If `number` was not taken from this element: a promise of the program itself.
    pub fn version(&self, number: VersionNo) -> &Version {
        &self.versions[number.index()]
    }

    /// Returns a branch that must exist in this element.
    ///
    /// # Panics
    /// As [`Element::version`].
    pub fn branch(&self, number: BranchNo) -> &Branch {
        &self.branches[number.index()]
    }

    /// Finds the version with this number on this branch.
    pub fn version_at(&self, branch: BranchNo, number: u32) -> Option<VersionNo> {
        let versions = &self.branches.get(branch.index())?.versions;
        let found = versions.binary_search_by_key(&number, |v| self.version(*v).number).ok()?;
        Some(versions[found])
    }

    /// Returns the newest version of a branch.
    ///
    /// # Panics
    /// As [`Element::version`], and if the branch was removed; every other one has a version 0.
    pub fn newest(&self, branch: BranchNo) -> VersionNo {
        *self.branch(branch).versions.last().expect("every branch has a version 0")
    }

    /// Returns this view's checkout, if it has one.
    pub fn checkout_of(&self, view: &ViewUuid) -> Option<&Checkout> {
        self.checkouts.iter().find(|checkout| checkout.view == *view)
    }

    /// Returns the branches that sprout from a branch's versions, in the order of creation.
    pub fn sub_branches(&self, parent: BranchNo) -> impl Iterator<Item = BranchNo> + '_ {
        self.present_branches().filter_map(move |(number, branch)| {
            (self.version(branch.from?).branch == parent).then_some(number)
        })
    }

    /// Finds the branch of this type, wherever it sprouts; the first one made where each branch may
    /// have one.
    pub fn branch_with_type(&self, branch_type: TypeNo) -> Option<BranchNo> {
        self.branches_with_type(branch_type).next()
    }

    /// Returns the branches of this type, in the order of creation.
    pub fn branches_with_type(&self, branch_type: TypeNo) -> impl Iterator<Item = BranchNo> + '_ {
        let of_type = self.present_branches().filter(move |(_, branch)| branch.branch_type == branch_type);
        of_type.map(|(number, _)| number)
    }

    /// Returns the event that attached a label; none where that was the event that made its type.
    pub fn label_event(&self, label: TypeNo, version: VersionNo) -> Option<EventNo> {
        let found = self.label_events.binary_search_by_key(&(label, version), |(l, v, _)| (*l, *v));
        found.ok().map(|at| self.label_events[at].2)
    }

    /// Attaches a label; `event` where it is not the one that made the label's type.
    pub(super) fn attach_label(&mut self, label: TypeNo, version: VersionNo, event: Option<EventNo>) {
        let at = self.labels.partition_point(|pair| *pair < (label, version));
        if self.labels.get(at) != Some(&(label, version)) {
            self.labels.insert(at, (label, version));
        }
        let at = self.label_events.partition_point(|(l, v, _)| (*l, *v) < (label, version));
        if self.label_events.get(at).is_some_and(|(l, v, _)| (*l, *v) == (label, version)) {
            self.label_events.remove(at);
        }
        if let Some(event) = event {
            self.label_events.insert(at, (label, version, event));
        }
    }

    /// Removes a label from the versions of which `from` holds. Answers them, each with the event that attached it
    /// there; none where that was the event that made the label's type.
    pub(super) fn detach_label(
        &mut self,
        label: TypeNo,
        from: impl Fn(&Element, VersionNo) -> bool,
    ) -> Vec<(VersionNo, Option<EventNo>)> {
        let gone: Vec<VersionNo> = self.labelled(label).filter(|version| from(self, *version)).collect();
        let attached = gone.iter().map(|version| (*version, self.label_event(label, *version))).collect();
        self.labels.retain(|(l, version)| *l != label || !gone.contains(version));
        self.label_events.retain(|(l, version, _)| *l != label || !gone.contains(version));
        attached
    }

    /// Returns the versions that carry a label.
    pub fn labelled(&self, label: TypeNo) -> impl Iterator<Item = VersionNo> + '_ {
        let start = self.labels.partition_point(|(l, _)| *l < label);
        self.labels[start..].iter().take_while(move |(l, _)| *l == label).map(|(_, version)| *version)
    }

    /// Returns the labels of a version, in the order of their types.
    pub fn labels_of(&self, version: VersionNo) -> impl Iterator<Item = TypeNo> + '_ {
        self.labels.iter().filter(move |(_, v)| *v == version).map(|(label, _)| *label)
    }

    /// Calls `component` with each branch type from the root branch down to `branch`.
    pub fn branch_path(&self, branch: BranchNo) -> Vec<TypeNo> {
        let mut path = vec![self.branch(branch).branch_type];
        let mut at = self.branch(branch);
        while let Some(from) = at.from {
            at = self.branch(self.version(from).branch);
            path.push(at.branch_type);
        }
        path.reverse();
        path
    }
}

/// Who made what, and with which attributes: kept beside the elements, and asked for by queries only.
pub trait Origins {
    /// Whether the user of that login name caused an event.
    fn caused_by(&self, event: EventNo, login: &str) -> bool;
    /// Calls `each` with name and value of every attribute that the versions made by an event carry.
    fn attributes(&self, event: EventNo, each: &mut dyn FnMut(&str, &str));
    /// The VOB's types.
    fn state(&self) -> VobState;
}

/// An element as version selection sees it for one view.
pub struct Seen<'a> {
    /// The element.
    pub element: &'a Element,
    /// The view that asks; none where there is no view.
    pub view: Option<&'a ViewUuid>,
    /// What queries may ask for.
    pub origins: &'a dyn Origins,
}

impl Seen<'_> {
    /// The event that made an object.
    fn event(&self, object: QueryObject) -> EventNo {
        match object {
            QueryObject::Element => self.element.event,
            QueryObject::Branch(branch) => self.element.branch(BranchNo(branch)).event,
            QueryObject::Version { branch, number } => {
                self.version(branch, number).map_or(self.element.event, |version| version.event)
            }
        }
    }

    fn version(&self, branch: u32, number: u32) -> Option<&Version> {
        let version = self.element.version_at(BranchNo(branch), number)?;
        Some(self.element.version(version))
    }

    /// Branch and number of a version.
    fn place(&self, version: VersionNo) -> (u32, u32) {
        let version = self.element.version(version);
        (version.branch.0, version.number)
    }

    /// The part of the element that an object is; none for a version that is not there.
    fn part(&self, object: QueryObject) -> Option<Part> {
        Some(match object {
            QueryObject::Element => Part::Whole,
            QueryObject::Branch(branch) => Part::Branch(BranchNo(branch)),
            QueryObject::Version { branch, number } => {
                Part::Version(self.element.version_at(BranchNo(branch), number)?)
            }
        })
    }
}

impl ElementFacts for Seen<'_> {
    fn is_directory(&self) -> bool {
        self.element.kind == ElementKind::Directory
    }

    fn element_type(&self) -> u32 {
        self.element.element_type.0
    }

    fn branch_type(&self, branch: u32) -> u32 {
        self.element.branch(BranchNo(branch)).branch_type.0
    }

    fn sub_branch(&self, parent: u32, branch_type: u32) -> Option<u32> {
        self.element
            .sub_branches(BranchNo(parent))
            .find(|branch| self.element.branch(*branch).branch_type.0 == branch_type)
            .map(|branch| branch.0)
    }

    fn branches_of_type(&self, branch_type: u32, each: &mut dyn FnMut(u32)) {
        self.element.branches_with_type(TypeNo(branch_type)).for_each(|branch| each(branch.0));
    }

    fn has_version(&self, branch: u32, number: u32) -> bool {
        self.element.version_at(BranchNo(branch), number).is_some()
    }

    fn latest(&self, branch: u32, not_after_ns: Option<i64>) -> Option<u32> {
        let versions = &self.element.branch(BranchNo(branch)).versions;
        let newest_first = versions.iter().rev().map(|v| self.element.version(*v));
        let mut candidates =
            newest_first.filter(|v| not_after_ns.is_none_or(|limit| v.effective_ns <= limit));
        candidates.next().map(|version| version.number)
    }

    fn labelled(&self, label_type: u32, each: &mut dyn FnMut(u32, u32)) {
        for version in self.element.labelled(TypeNo(label_type)) {
            let version = self.element.version(version);
            each(version.branch.0, version.number);
        }
    }

    fn checked_out(&self) -> bool {
        self.view.is_some_and(|view| self.element.checkout_of(view).is_some())
    }

    fn query_facts(&self) -> &dyn QueryFacts {
        self
    }
}

/// Every element keeps its data in these.
const POOLS: [&str; 2] = ["sdft", "cdft"];

impl QueryFacts for Seen<'_> {
    fn oid(&self) -> [u8; 16] {
        self.element.oid.0
    }

    fn branch_count(&self) -> u32 {
        self.element.branches.len() as u32
    }

    fn versions(&self, branch: u32, each: &mut dyn FnMut(u32) -> bool) {
        let versions = &self.element.branch(BranchNo(branch)).versions;
        let _ = versions.iter().rev().all(|version| each(self.element.version(*version).number));
    }

    /// Elements and branches are as old as their first version.
    fn created_ns(&self, object: QueryObject) -> i64 {
        let version = match object {
            QueryObject::Element => self.element.versions.first(),
            QueryObject::Branch(branch) => {
                let first = self.element.branch(BranchNo(branch)).versions.first();
                first.map(|version| self.element.version(*version))
            }
            QueryObject::Version { branch, number } => self.version(branch, number),
        };
        version.map_or(i64::MIN, |version| version.created_ns)
    }

    fn created_by(&self, object: QueryObject, login: &str) -> bool {
        self.origins.caused_by(self.event(object), login)
    }

    /// Attributes that came with the event that made an imported version are texts; one that was
    /// attached later, or removed, takes the place of one with the same name.
    fn attributes(&self, object: QueryObject, each: &mut dyn FnMut(&str, &AttributeValue)) {
        let Some(part) = self.part(object) else { return };
        let mut attached = self.element.annotations().attributes_of(part).peekable();
        let state = attached.peek().map(|_| self.origins.state());
        let mut named = Vec::new();
        for (instance, state) in attached.zip(state.iter().cycle()) {
            let name = state.type_name(instance.attribute);
            named.push(name);
            let object = state.types().get(instance.attribute.index());
            let value = instance.value.as_ref().zip(object);
            if let Some(value) = value.and_then(|(text, object)| object.value_type().read(text)) {
                each(name, &value);
            }
        }
        if matches!(object, QueryObject::Version { .. }) {
            let value = |text: &str| AttributeValue::Text(text.to_owned());
            self.origins.attributes(self.event(object), &mut |name, text| {
                if !named.contains(&name) {
                    each(name, &value(text));
                }
            });
        }
    }

    fn hyperlinks(&self, object: QueryObject, each: &mut dyn FnMut(u32, LinkDirection)) {
        let Some(part) = self.part(object) else { return };
        let is_here = |end: &LinkEnd| {
            let at = end.object().filter(|at| at.element() == Some(self.element.number));
            at.is_some_and(|at| at.part() == part)
        };
        for link in self.element.links() {
            if is_here(&link.from) {
                each(link.link_type.0, LinkDirection::From);
            }
            if link.to.as_ref().is_some_and(is_here) {
                each(link.link_type.0, LinkDirection::To);
            }
        }
    }

    fn merges(&self, each: &mut dyn FnMut((u32, u32), (u32, u32))) {
        self.element.merge_arrows().for_each(|(from, to)| each(self.place(from), self.place(to)));
    }

    fn uses_pool(&self, name: &str) -> bool {
        POOLS.contains(&name)
    }

    fn has_trigger(&self, name: &str) -> bool {
        let attached = &self.element.annotations().triggers.attached;
        if attached.is_empty() {
            return false;
        }
        let state = self.origins.state();
        attached.iter().any(|number| state.type_name(*number) == name)
    }
}
