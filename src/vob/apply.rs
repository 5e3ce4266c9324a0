//! The laws of a VOB and the effect of every operation.
//!
//! [`apply`] checks a whole journal frame against the current records and answers with the
//! records that change, or refuses it without any effect. It is the only place that decides
//! what an operation means, on commit as on replay.

mod annotations;
mod checkouts;
mod in_place;
mod locks;
mod removals;
mod types;

use super::annotation::VobObject;
use super::directory::{Directory, DirectoryNode, Entry, NameChange};
use super::element::{Branch, Checkout, Content, Element, ElementKind, Hyperlink, NewElement, Version};
use super::identity::{BranchNo, ElementNo, EventNo, Oid, SymlinkNo, TypeNo, VersionNo, ViewUuid};
use super::lock::Locked;
use super::operation::{Operation, Transaction};
use super::state::{TypeKind, TypeObject, VobState, predefined};
use serde::{Deserialize, Serialize};
use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Which catalog of a directory element.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug)]
pub enum DirectoryAt {
    /// That of a version.
    Version(VersionNo),
    /// That of the checkout with this number.
    CheckedOut(u32),
}

/// A failure to read the records that an operation needs.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// The records of one VOB as they are before an operation.
pub trait Records {
    /// Returns identity, counters and types.
    fn state(&self) -> VobState;
    /// Reads an element; none where the number was never given.
    fn element(&self, number: ElementNo) -> Result<Option<Arc<Element>>, ReadError>;
    /// Reads a directory's catalog.
    fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, ReadError>;
    /// Reads how a directory's catalog is stored.
    fn directory_node(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<DirectoryNode>, ReadError>;
    /// Finds where an imported change set was placed.
    fn changeset(&self, id: &[u8]) -> Result<Option<PlacedChangeset>, ReadError>;
}

/// Why a commit was refused: nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The operation names an object that is not there.
    #[error("no such {kind} in this VOB: {number}")]
    NoSuchObject {
        /// Its kind.
        kind: &'static str,
        /// Its number.
        number: u32,
    },
    /// The operation gives an object a number that is not the next one: it was planned
    /// against another state.
    #[error("{kind} number {found} given, the next is {expected}")]
    WrongNumber {
        /// Its kind.
        kind: &'static str,
        /// The number that was due.
        expected: u32,
        /// The number in the operation.
        found: u32,
    },
    /// A type object has that name.
    #[error("name {0:?} already exists")]
    NameTaken(String),
    /// A type object cannot have that name.
    #[error("invalid name {0:?}")]
    BadName(String),
    /// A definition breaks a law.
    #[error("{0}")]
    BadDefinition(String),
    /// The type object is one that every VOB has.
    #[error("type {0:?} is predefined")]
    Predefined(String),
    /// The element type is the supertype of another.
    #[error("element type {0:?} is the supertype of another")]
    IsSupertype(String),
    /// The element has a branch of that type, or the parent branch has where each may have one.
    #[error("element already has a branch of type number {}", .branch_type.0)]
    BranchExists {
        /// The type.
        branch_type: TypeNo,
        /// The branch.
        branch: BranchNo,
    },
    /// The view has a checkout of the element.
    #[error("element is already checked out to this view")]
    AlreadyCheckedOut,
    /// Another view has the branch reserved.
    #[error("branch is checked out reserved by view {view_tag}")]
    Reserved {
        /// The other view.
        view: ViewUuid,
        /// Its tag.
        view_tag: String,
        /// The branch.
        branch: BranchNo,
    },
    /// The view has no checkout of the element.
    #[error("element is not checked out to this view")]
    NotCheckedOut,
    /// A newer version exists on the branch.
    #[error("the most recent version is not the predecessor of this version")]
    NotPredecessor {
        /// The branch.
        branch: BranchNo,
    },
    /// A newer version of the directory exists on the branch.
    #[error("only the newest version of a branch can be changed in place")]
    NotNewest,
    /// A lock stands in the way.
    #[error("a lock on {:?} prevents it", .0.object)]
    Locked(Locked),
    /// Version 0 of a branch goes with its branch only.
    #[error("version 0 cannot be removed")]
    VersionZero,
    /// The root branch goes with its element only.
    #[error("the root branch cannot be removed")]
    RootBranch,
    /// The root directory and `lost+found` are there for ever.
    #[error("this element cannot be removed")]
    FixedElement,
    /// What is to be removed is checked out somewhere.
    #[error("there are checkouts of it")]
    HasCheckouts,
    /// Branches sprout from a version that is to be removed.
    #[error("branches sprout from it")]
    HasBranches,
    /// The operation does not fit the kind of object.
    #[error("operation does not fit a {0:?} element")]
    WrongKind(ElementKind),
    /// A name cannot be catalogued.
    #[error("invalid name in a directory")]
    BadEntryName,
    /// The change set was imported before.
    #[error("change set is already imported")]
    ChangesetPlaced,
    /// The VOB exists, or does not yet.
    #[error("operation does not fit the state of the VOB")]
    WrongState,
    /// The records could not be read.
    #[error("cannot read the VOB's records: {0}")]
    Unreadable(ReadError),
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Refused {
        Refused::Unreadable(error)
    }
}

/// One committed transaction as the index keeps it; comment and attributes stay in the
/// journal, `transaction` of the frame at `position`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// Index into the VOB's users.
    pub user: u32,
    /// The journal frame: segment.
    pub segment: u32,
    /// The journal frame: offset.
    pub offset: u64,
    /// Which transaction of the frame.
    pub transaction: u32,
}

/// A VOB symbolic link.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Symlink {
    /// Its identity.
    pub oid: Oid,
    /// Its text.
    pub target: Box<[u8]>,
    /// The event that made it.
    pub event: EventNo,
    /// Nanoseconds since 1970 UTC.
    pub created_ns: i64,
}

/// Where an imported change set was placed.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlacedChangeset {
    /// The branch type its versions stand on.
    pub line: TypeNo,
    /// Its position there.
    pub position: u32,
    /// Its event.
    pub event: EventNo,
    /// Its first parent's id.
    pub parent: Option<Box<[u8]>>,
    /// The time `-time` rules compare, in nanoseconds.
    pub effective_ns: i64,
}

/// A directory's catalog: how it is stored, and what it holds.
pub type Catalog = (Arc<DirectoryNode>, Arc<Directory>);

/// The records a frame changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// Identity, counters and types afterwards.
    pub state: VobState,
    /// Changed elements.
    pub elements: HashMap<ElementNo, Arc<Element>>,
    /// Changed catalogs; none where a checkout's catalog goes.
    pub directories: HashMap<(ElementNo, DirectoryAt), Option<Catalog>>,
    /// New events, the first numbered as many as there were.
    pub events: Vec<Event>,
    /// New VOB symbolic links, numbered likewise.
    pub symlinks: Vec<Symlink>,
    /// Newly placed change sets.
    pub changesets: Vec<(Box<[u8]>, PlacedChangeset)>,
    /// Notes that were set.
    pub notes: HashMap<String, Box<[u8]>>,
    /// Type objects that were made or changed: names in config specs must be looked up anew.
    pub types: BTreeSet<TypeNo>,
    /// Elements that were checked out or no longer are.
    pub checkouts: BTreeSet<ElementNo>,
    /// Names below `@@` that may lead elsewhere now in any element: those of labels that were
    /// attached or removed, of type objects that were renamed or removed, and of removed branches and
    /// versions.
    pub history_names: BTreeSet<String>,
    /// Names that were taken out of catalogs that stay what they are, by directory element.
    pub names: Vec<(ElementNo, Box<[u8]>)>,
    /// Elements whose owner, group or permission bits changed.
    pub protected: BTreeSet<ElementNo>,
    /// Which object has a hyperlink; none for one that was removed.
    pub hyperlinks: HashMap<u32, Option<VobObject>>,
}

/// Checks and applies one journal frame stored at (`segment`, `offset`).
///
/// # Errors
/// [`Refused`], with nothing changed: `records` is only read.
pub fn apply(
    records: &dyn Records,
    frame: &[Transaction],
    segment: u32,
    offset: u64,
) -> Result<Changes, Refused> {
    let changes = Changes { state: records.state(), ..Changes::default() };
    let mut work = Work { records, changes, event: EventNo(0), time_ns: 0 };
    for (number, transaction) in frame.iter().enumerate() {
        let user = work.changes.state.user_number(&transaction.user);
        work.event = EventNo(work.changes.state.header.events);
        work.time_ns = transaction.time_ns;
        let time_ns = transaction.time_ns;
        work.changes.events.push(Event { time_ns, user, segment, offset, transaction: number as u32 });
        work.changes.state.header.events += 1;
        for operation in &transaction.operations {
            work.refuse_locked(operation, &transaction.user.login)?;
            work.operation(operation, transaction)?;
        }
    }
    Ok(work.changes)
}

struct Work<'a> {
    records: &'a dyn Records,
    changes: Changes,
    event: EventNo,
    time_ns: i64,
}

impl Work<'_> {
    fn operation(&mut self, operation: &Operation, transaction: &Transaction) -> Result<(), Refused> {
        if self.changes.state.header.oid.is_none() && !matches!(operation, Operation::CreateVob { .. }) {
            return Err(Refused::WrongState);
        }
        match operation {
            Operation::CreateVob { oid, owner, group, root, lost_and_found } => {
                self.create_vob(*oid, *owner, *group, *root, *lost_and_found)
            }
            Operation::CreateType { number, kind, name } => self.create_type(*number, *kind, name, None),
            Operation::CreateElement { number, oid, kind, element_type, owner, group, mode } => {
                self.type_of_kind(*element_type, TypeKind::Element)?;
                self.create_element(NewElement {
                    number: *number,
                    oid: *oid,
                    kind: *kind,
                    element_type: *element_type,
                    owner: *owner,
                    group: *group,
                    mode: *mode,
                })
            }
            Operation::CreateSymlink { number, oid, target } => self.create_symlink(*number, *oid, target),
            Operation::CreateBranch { element, from, branch_type } => {
                self.create_branch(*element, *from, *branch_type)
            }
            Operation::CreateVersion { element, branch, content, executable, effective_ns } => {
                let fields = NewVersion {
                    content: *content,
                    executable: *executable,
                    modified_ns: None,
                    effective_ns: *effective_ns,
                };
                self.file_content(*element, content)?;
                self.add_version(*element, *branch, fields).map(drop)
            }
            Operation::CreateDirectoryVersion { element, branch, changes, effective_ns } => {
                self.create_directory_version(*element, *branch, changes, *effective_ns)
            }
            Operation::ChangeInPlace { element, changes } => self.change_in_place(*element, changes),
            Operation::CheckOut { element, view, view_tag, branch, from, reserved } => {
                let number = self.changes.state.header.checkouts;
                self.changes.state.header.checkouts += 1;
                let checkout = Checkout {
                    view: *view,
                    branch: *branch,
                    from: *from,
                    number,
                    reserved: *reserved,
                    event: self.event,
                    created_ns: self.time_ns,
                    comment: transaction.comment.clone(),
                    view_tag: view_tag.clone(),
                };
                self.check_out(*element, checkout)
            }
            Operation::CancelCheckOut { element, view } => self.cancel_check_out(*element, view),
            Operation::CheckIn { element, view, content, executable, modified_ns } => {
                let fields = NewVersion {
                    content: *content,
                    executable: *executable,
                    modified_ns: *modified_ns,
                    effective_ns: None,
                };
                self.check_in(*element, view, fields)
            }
            Operation::ChangeDirectory { element, view, changes, note } => {
                self.change_directory(*element, view, changes, note)
            }
            Operation::ApplyLabel { label, targets } => {
                self.type_of_kind(*label, TypeKind::Label)?;
                self.apply_label(*label, targets)
            }
            Operation::RemoveLabel { label, targets } => {
                self.note_name(*label);
                targets.iter().try_for_each(|element| self.remove_label(*label, *element, None))
            }
            Operation::CreateHyperlink { link_type, element, from, to } => {
                self.create_hyperlink(*link_type, *element, *from, *to)
            }
            Operation::PlaceChangeset { id, line, position, parent, effective_ns } => {
                let placed = PlacedChangeset {
                    line: *line,
                    position: *position,
                    event: self.event,
                    parent: parent.clone(),
                    effective_ns: *effective_ns,
                };
                self.place_changeset(id, placed)
            }
            Operation::ReplaceDirectoryVersion { element, branch, entries, effective_ns } => {
                self.replace_directory_version(*element, *branch, entries, *effective_ns)
            }
            Operation::DefineType { number, kind, name, definition } => {
                self.check_definition(*number, *kind, definition)?;
                self.create_type(*number, *kind, name, Some(definition.clone()))
            }
            Operation::RedefineType { number, definition } => self.redefine_type(*number, definition),
            Operation::RenameType { number, name } => self.rename_type(*number, name),
            Operation::RemoveType { number } => self.remove_type(*number),
            Operation::Reserve { element, view, reserved } => self.reserve(*element, view, *reserved),
            Operation::RemoveVersionLabels { label, targets } => {
                self.note_name(*label);
                targets.iter().try_for_each(|(element, version)| {
                    self.element_version(*element, *version)?;
                    self.remove_label(*label, *element, Some(*version))
                })
            }
            Operation::SetNote { key, value } => {
                self.changes.notes.insert(key.clone(), value.clone());
                Ok(())
            }
            Operation::StoreContent(_) => Ok(()),
            Operation::ChangeTriggers { element, trigger, lists, present } => {
                self.change_triggers(*element, *trigger, *lists, *present)
            }
            Operation::ChangeVersionInPlace { element, version, changes } => {
                self.change_version_in_place(*element, *version, changes)
            }
            Operation::SetLock { object, lock } => self.set_lock(*object, lock.as_ref()),
            Operation::Protect { object, owner, group, mode } => self.protect(*object, *owner, *group, *mode),
            Operation::SetVobGroups { groups } => {
                self.set_vob_groups(groups);
                Ok(())
            }
            Operation::ChangeElementType { element, element_type } => {
                self.change_element_type(*element, *element_type)
            }
            Operation::ChangeBranchType { element, branch, branch_type } => {
                self.change_branch_type(*element, *branch, *branch_type)
            }
            Operation::ChangeComment { object, event, comment } => {
                self.change_comment(*object, *event, comment)
            }
            Operation::ChangeCheckOutComment { element, view, comment } => {
                self.change_checkout_comment(*element, view, comment)
            }
            Operation::SetAttribute { object, attribute, value } => {
                self.set_attribute(*object, *attribute, Some(value))
            }
            Operation::RemoveAttribute { object, attribute } => self.set_attribute(*object, *attribute, None),
            Operation::CreateLink { link_type, from, to, from_text, to_text } => {
                self.create_link(*link_type, from, to.as_ref(), (from_text, to_text))
            }
            Operation::RemoveLink { number, at } => self.remove_link(*number, *at),
            Operation::RemoveVersion { element, version } => self.remove_version(*element, *version),
            Operation::RemoveData { element, version } => self.remove_data(*element, *version),
            Operation::RemoveBranch { element, branch } => self.remove_branch(*element, *branch),
            Operation::RemoveElement { element } => self.remove_element(*element),
            Operation::Retime { targets, changeset, effective_ns } => {
                for (element, version) in targets {
                    let found = self.element(*element)?.versions.get_mut(version.index());
                    found.ok_or(no_such("version", version.0))?.effective_ns = *effective_ns;
                }
                let placed = self.records.changeset(changeset)?.ok_or(no_such("change set", 0))?;
                self.changes
                    .changesets
                    .push((changeset.clone(), PlacedChangeset { effective_ns: *effective_ns, ..placed }));
                Ok(())
            }
        }
    }

    /// Returns the working copy of an element.
    fn element(&mut self, number: ElementNo) -> Result<&mut Element, Refused> {
        match self.changes.elements.entry(number) {
            Slot::Occupied(slot) if slot.get().removed => Err(no_such("element", number.0)),
            Slot::Occupied(slot) => Ok(Arc::make_mut(slot.into_mut())),
            Slot::Vacant(slot) => {
                let stored = self.records.element(number)?.ok_or(no_such("element", number.0))?;
                Ok(Arc::make_mut(slot.insert(stored)))
            }
        }
    }

    fn element_version(&mut self, number: ElementNo, version: VersionNo) -> Result<&mut Element, Refused> {
        let element = self.element(number)?;
        if !element.has_version(version) {
            return Err(no_such("version", version.0));
        }
        Ok(element)
    }

    fn directory(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<Directory>, Refused> {
        match self.changes.directories.get(&(element, at)) {
            Some(Some((_, directory))) => Ok(Arc::clone(directory)),
            Some(None) => Err(no_such("directory version", element.0)),
            None => Ok(self.records.directory(element, at)?),
        }
    }

    fn node(&self, element: ElementNo, at: DirectoryAt) -> Result<Arc<DirectoryNode>, Refused> {
        match self.changes.directories.get(&(element, at)) {
            Some(Some((node, _))) => Ok(Arc::clone(node)),
            Some(None) => Err(no_such("directory version", element.0)),
            None => Ok(self.records.directory_node(element, at)?),
        }
    }

    fn type_of_kind(&self, number: TypeNo, kind: TypeKind) -> Result<(), Refused> {
        let object = self.changes.state.type_object(number);
        object.filter(|object| object.kind == kind).map(drop).ok_or(no_such("type", number.0))
    }

    fn type_object(&self, number: TypeNo) -> Result<TypeObject, Refused> {
        let object = self.changes.state.type_object(number);
        object.map(|object| TypeObject::clone(object)).ok_or(no_such("type", number.0))
    }

    fn create_vob(&mut self, oid: Oid, owner: u32, group: u32, root: Oid, lost: Oid) -> Result<(), Refused> {
        if self.changes.state.header.oid.is_some() {
            return Err(Refused::WrongState);
        }
        let header = &mut self.changes.state.header;
        (header.oid, header.owner, header.group) = (Some(oid), owner, group);
        for (number, (kind, name)) in predefined::ALL.into_iter().enumerate() {
            self.create_type(TypeNo(number as u32), kind, name, None)?;
        }
        let (kind, element_type) = (ElementKind::Directory, predefined::DIRECTORY);
        for (number, oid) in [(ElementNo::ROOT, root), (ElementNo::LOST_AND_FOUND, lost)] {
            self.create_element(NewElement { number, oid, kind, element_type, owner, group, mode: 0o755 })?;
        }
        let name = b"lost+found".as_slice().into();
        let entry = Some(Entry::Element(ElementNo::LOST_AND_FOUND));
        self.change_catalog(ElementNo::ROOT, &[NameChange { name, entry }])
    }

    fn create_element(&mut self, new: NewElement) -> Result<(), Refused> {
        let NewElement { number, kind, .. } = new;
        due("element", self.changes.state.header.elements, number.0)?;
        let element = Element::new(new, self.event, self.time_ns);
        self.changes.elements.insert(number, Arc::new(element));
        if kind == ElementKind::Directory {
            let empty = Directory::default();
            let node = DirectoryNode::choose(&empty, None, vec![]);
            let key = (number, DirectoryAt::Version(VersionNo::ROOT));
            self.changes.directories.insert(key, Some((Arc::new(node), Arc::new(empty))));
        }
        self.changes.state.header.elements += 1;
        Ok(())
    }

    fn create_symlink(&mut self, number: SymlinkNo, oid: Oid, target: &[u8]) -> Result<(), Refused> {
        due("symbolic link", self.changes.state.header.symlinks, number.0)?;
        let symlink = Symlink { oid, target: target.into(), event: self.event, created_ns: self.time_ns };
        self.changes.symlinks.push(symlink);
        self.changes.state.header.symlinks += 1;
        Ok(())
    }

    fn create_branch(
        &mut self,
        element: ElementNo,
        from: VersionNo,
        branch_type: TypeNo,
    ) -> Result<(), Refused> {
        self.type_of_kind(branch_type, TypeKind::Branch)?;
        let (event, time_ns) = (self.event, self.time_ns);
        let per_branch = self.type_object(branch_type)?.is_per_branch();
        let number = element;
        let element = self.element_version(element, from)?;
        if let Some(branch) = branch_in_the_way(element, from, branch_type, per_branch) {
            return Err(Refused::BranchExists { branch_type, branch });
        }
        let (branch, version) =
            (BranchNo(element.branches.len() as u32), VersionNo(element.versions.len() as u32));
        let Version { content, executable, .. } = *element.version(from);
        element.versions.push(Version {
            branch,
            number: 0,
            event,
            predecessor: Some(from),
            content,
            executable,
            created_ns: time_ns,
            effective_ns: time_ns,
        });
        let versions = vec![version];
        element.branches.push(Branch { branch_type, from: Some(from), event, versions, next_number: 1 });
        if content == Content::Directory {
            self.store_catalog(number, version, from, self.directory(number, DirectoryAt::Version(from))?)?;
        }
        Ok(())
    }

    /// Stores the catalog of a new directory version, as changes against `base` if that is small.
    fn store_catalog(
        &mut self,
        element: ElementNo,
        version: VersionNo,
        base: VersionNo,
        catalog: Arc<Directory>,
    ) -> Result<(), Refused> {
        let before = self.directory(element, DirectoryAt::Version(base))?;
        let changes = if Arc::ptr_eq(&before, &catalog) { vec![] } else { before.changes_to(&catalog) };
        let base_node = self.node(element, DirectoryAt::Version(base))?;
        let node = DirectoryNode::choose(&catalog, Some((base, &base_node)), changes);
        let key = (element, DirectoryAt::Version(version));
        self.changes.directories.insert(key, Some((Arc::new(node), catalog)));
        Ok(())
    }

    fn file_content(&mut self, element: ElementNo, content: &Content) -> Result<(), Refused> {
        let kind = self.element(element)?.kind;
        match (kind, content) {
            (ElementKind::File, Content::Empty | Content::File { .. }) => Ok(()),
            (ElementKind::Directory, Content::Directory) => Ok(()),
            _ => Err(Refused::WrongKind(kind)),
        }
    }

    fn add_version(
        &mut self,
        element: ElementNo,
        branch: BranchNo,
        new: NewVersion,
    ) -> Result<VersionNo, Refused> {
        let (event, time_ns) = (self.event, self.time_ns);
        let element = self.element(element)?;
        if !element.has_branch(branch) {
            return Err(no_such("branch", branch.0));
        }
        let (predecessor, number) = (element.newest(branch), VersionNo(element.versions.len() as u32));
        let created_ns = new.modified_ns.unwrap_or(time_ns);
        let at = &mut element.branches[branch.index()];
        element.versions.push(Version {
            branch,
            number: at.next_number,
            event,
            predecessor: Some(predecessor),
            content: new.content,
            executable: new.executable,
            created_ns,
            effective_ns: new.effective_ns.unwrap_or(time_ns),
        });
        at.versions.push(number);
        at.next_number += 1;
        Ok(number)
    }

    fn create_directory_version(
        &mut self,
        element: ElementNo,
        branch: BranchNo,
        changes: &[NameChange],
        effective_ns: Option<i64>,
    ) -> Result<(), Refused> {
        self.file_content(element, &Content::Directory)?;
        let new =
            NewVersion { content: Content::Directory, executable: false, modified_ns: None, effective_ns };
        let version = self.add_version(element, branch, new)?;
        let before = self.element(element)?.version(version).predecessor.unwrap_or(VersionNo::ROOT);
        let mut catalog = (*self.directory(element, DirectoryAt::Version(before))?).clone();
        self.note_names(element, changes)?;
        catalog.apply(changes);
        self.store_catalog(element, version, before, Arc::new(catalog))
    }

    fn replace_directory_version(
        &mut self,
        element: ElementNo,
        branch: BranchNo,
        entries: &[(Box<[u8]>, Entry)],
        effective_ns: Option<i64>,
    ) -> Result<(), Refused> {
        let at = self.element(element)?;
        if !at.has_branch(branch) {
            return Err(no_such("branch", branch.0));
        }
        let newest = DirectoryAt::Version(at.newest(branch));
        let change =
            |(name, entry): &(Box<[u8]>, Entry)| NameChange { name: name.clone(), entry: Some(*entry) };
        let mut whole = Directory::default();
        whole.apply(&entries.iter().map(change).collect::<Vec<_>>());
        let changes = self.directory(element, newest)?.changes_to(&whole);
        self.create_directory_version(element, branch, &changes, effective_ns)
    }

    /// Checks names that are to be catalogued and remembers in each element where it stands.
    fn note_names(&mut self, directory: ElementNo, changes: &[NameChange]) -> Result<(), Refused> {
        for NameChange { name, entry } in changes {
            if !valid_entry_name(name) {
                return Err(Refused::BadEntryName);
            }
            match entry {
                Some(Entry::Element(number)) => {
                    let element = self.element(*number)?;
                    if !element.names.iter().any(|(d, n)| *d == directory && n == name) {
                        element.names.push((directory, name.clone()));
                    }
                }
                Some(Entry::Symlink(number)) if number.0 >= self.changes.state.header.symlinks => {
                    return Err(no_such("symbolic link", number.0));
                }
                Some(Entry::Symlink(_)) | None => {}
            }
        }
        Ok(())
    }

    fn create_hyperlink(
        &mut self,
        link_type: TypeNo,
        number: ElementNo,
        from: VersionNo,
        to: VersionNo,
    ) -> Result<(), Refused> {
        self.type_of_kind(link_type, TypeKind::Hyperlink)?;
        let link = self.changes.state.header.hyperlinks;
        let event = self.event;
        self.element_version(number, from)?;
        let element = self.element_version(number, to)?;
        element.hyperlinks.push(Hyperlink { number: link, link_type, from, to, event });
        self.changes.hyperlinks.insert(link, Some(VobObject::Element(number)));
        self.changes.state.header.hyperlinks += 1;
        Ok(())
    }

    fn place_changeset(&mut self, id: &[u8], placed: PlacedChangeset) -> Result<(), Refused> {
        self.type_of_kind(placed.line, TypeKind::Branch)?;
        if self.records.changeset(id)?.is_some() {
            return Err(Refused::ChangesetPlaced);
        }
        self.changes.changesets.push((id.into(), placed));
        self.changes.state.header.changesets += 1;
        Ok(())
    }
}

/// Finds the branch that keeps another one of that type from being made at a version: one
/// anywhere in the element, or one at the same branch where each branch may have one.
pub fn branch_in_the_way(
    element: &Element,
    from: VersionNo,
    branch_type: TypeNo,
    per_branch: bool,
) -> Option<BranchNo> {
    let parent = element.version(from).branch;
    let sprouts_there = |branch: &BranchNo| {
        let from = element.branch(*branch).from;
        from.is_some_and(|from| element.version(from).branch == parent)
    };
    element.branches_with_type(branch_type).find(|branch| !per_branch || sprouts_there(branch))
}

struct NewVersion {
    content: Content,
    executable: bool,
    modified_ns: Option<i64>,
    effective_ns: Option<i64>,
}

fn no_such(kind: &'static str, number: u32) -> Refused {
    Refused::NoSuchObject { kind, number }
}

fn due(kind: &'static str, expected: u32, found: u32) -> Result<(), Refused> {
    if expected == found { Ok(()) } else { Err(Refused::WrongNumber { kind, expected, found }) }
}

/// The names a directory can catalog: up to 255 bytes, no `/`, no NUL, not `.` or `..`.
pub fn valid_entry_name(name: &[u8]) -> bool {
    let legal = |name: &[u8]| !name.iter().any(|byte| matches!(byte, b'/' | 0));
    (1..=255).contains(&name.len()) && legal(name) && !matches!(name, b"." | b"..")
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
