//! Every way a VOB can change, as values of one enum. The journal is a list of these.
//!
//! Operations carry everything that `apply` needs: times, users, identifiers. Objects are
//! named by their numbers in this VOB, given in the order of creation; what sends operations
//! to another replica translates numbers to object identifiers.
//!
//! Stored form: postcard. Variants are only ever added at the end, fields never change: a
//! new need is a new variant.

use super::annotation::{LinkEnd, LockRule, VobObject};
use super::definition::TypeDefinition;
use super::directory::{Entry, NameChange};
use super::element::{Content, ElementKind};
use super::identity::{BranchNo, ElementNo, EventNo, Oid, SymlinkNo, TypeNo, VersionNo, ViewUuid};
use super::state::TypeKind;
use super::stored_content::StoredContent;
use super::trigger::TriggerLists;
use serde::{Deserialize, Serialize};

/// Who did something, as it is recorded.
#[derive(Clone, Eq, PartialEq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub login: String,
    /// Full name; may be empty.
    pub full_name: String,
    /// Group name; may be empty.
    pub group: String,
    /// Host name; for imported events the domain of the mail address.
    pub host: String,
}

/// What one user did at one time: becomes one event. Several transactions in one journal
/// frame are committed together or not at all.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Transaction {
    /// Nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// Who.
    pub user: User,
    /// The comment of whatever the operations create.
    pub comment: String,
    /// Attributes every version made here carries: (name, value).
    pub attributes: Vec<(String, String)>,
    /// What is done, in order.
    pub operations: Vec<Operation>,
}

/// One change. "Must" below is checked by `apply`, which refuses the whole commit otherwise.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum Operation {
    /// The first operation of a VOB: its identity, owner, root directory and `lost+found`.
    CreateVob {
        /// The VOB family's identity.
        oid: Oid,
        /// Numeric ids of the owner and group.
        owner: u32,
        /// See `owner`.
        group: u32,
        /// Identities of the root directory and of `lost+found`.
        root: Oid,
        /// See `root`.
        lost_and_found: Oid,
    },
    /// Makes a type object. The number must be the next one, the name unused.
    CreateType {
        /// Its number.
        number: TypeNo,
        /// Its kind.
        kind: TypeKind,
        /// Its name.
        name: String,
    },
    /// Makes an element with its root branch and the empty version 0. The number must be
    /// the next one. No directory catalogs it yet.
    CreateElement {
        /// Its number.
        number: ElementNo,
        /// Its identity.
        oid: Oid,
        /// File or directory.
        kind: ElementKind,
        /// Its element type.
        element_type: TypeNo,
        /// Numeric owner.
        owner: u32,
        /// Numeric group.
        group: u32,
        /// Permission bits.
        mode: u16,
    },
    /// Makes a VOB symbolic link. The number must be the next one.
    CreateSymlink {
        /// Its number.
        number: SymlinkNo,
        /// Its identity.
        oid: Oid,
        /// Its text.
        target: Box<[u8]>,
    },
    /// Makes a branch with its version 0. The element must not have a branch of that type.
    CreateBranch {
        /// The element.
        element: ElementNo,
        /// The version it sprouts from.
        from: VersionNo,
        /// Its type.
        branch_type: TypeNo,
    },
    /// Adds a version to a branch without a checkout, as importers do.
    CreateVersion {
        /// The file element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// What it holds.
        content: Content,
        /// Whether it may be executed.
        executable: bool,
        /// The time `-time` rules compare, when it is not the transaction's.
        effective_ns: Option<i64>,
    },
    /// Adds a directory version to a branch without a checkout, as importers do.
    CreateDirectoryVersion {
        /// The directory element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// Changes against the newest version of the branch.
        changes: Vec<NameChange>,
        /// As in `CreateVersion`.
        effective_ns: Option<i64>,
    },
    /// Changes version 0 of a directory without making a version: only `lost+found` allows it.
    ChangeInPlace {
        /// The directory element.
        element: ElementNo,
        /// The changes.
        changes: Vec<NameChange>,
    },
    /// Checks an element out to a view. The view must not have a checkout of it, and the
    /// branch must not be reserved elsewhere when `reserved` is asked for.
    CheckOut {
        /// The element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
        /// The view's tag, for messages.
        view_tag: String,
        /// The branch.
        branch: BranchNo,
        /// The version it starts from.
        from: VersionNo,
        /// Whether the branch is to be reserved.
        reserved: bool,
    },
    /// Cancels a view's checkout; its hyperlinks go with it.
    CancelCheckOut {
        /// The element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
    },
    /// Turns a view's checkout into a version. The checkout must start from the newest
    /// version of its branch, or a Merge hyperlink lead from there to it; and no other view may have
    /// the branch reserved. Hyperlinks of the checkout become the version's.
    CheckIn {
        /// The element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
        /// What a file version holds; `Content::Directory` for directories.
        content: Content,
        /// Whether it may be executed.
        executable: bool,
        /// Its modification time when it is not the transaction's time (`-ptime`).
        modified_ns: Option<i64>,
    },
    /// Changes the catalog of a directory checked out to the view and adds a line to the
    /// checkout's comment.
    ChangeDirectory {
        /// The directory element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
        /// The changes.
        changes: Vec<NameChange>,
        /// The bookkeeping line.
        note: String,
    },
    /// Attaches a label; it moves where another version of the element carries it.
    ApplyLabel {
        /// The label type.
        label: TypeNo,
        /// The versions.
        targets: Vec<(ElementNo, VersionNo)>,
    },
    /// Removes a label from whichever version of the elements carries it.
    RemoveLabel {
        /// The label type.
        label: TypeNo,
        /// The elements.
        targets: Vec<ElementNo>,
    },
    /// Draws an arrow between two versions of one element.
    CreateHyperlink {
        /// The hyperlink type.
        link_type: TypeNo,
        /// The element.
        element: ElementNo,
        /// Start.
        from: VersionNo,
        /// End.
        to: VersionNo,
    },
    /// Remembers where a change set of an imported history was placed.
    PlaceChangeset {
        /// Its id in the other system.
        id: Box<[u8]>,
        /// The branch type its versions stand on.
        line: TypeNo,
        /// Its position on that line.
        position: u32,
        /// Its first parent's id.
        parent: Option<Box<[u8]>>,
        /// The time `-time` rules compare, in nanoseconds.
        effective_ns: i64,
    },
    /// Corrects the times `-time` rules compare, when a later import found that clocks ran backwards.
    Retime {
        /// The versions.
        targets: Vec<(ElementNo, VersionNo)>,
        /// The change set that made them.
        changeset: Box<[u8]>,
        /// The new time.
        effective_ns: i64,
    },
    /// Adds a directory version whose catalog is given whole.
    ReplaceDirectoryVersion {
        /// The directory element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// All names.
        entries: Vec<(Box<[u8]>, Entry)>,
        /// As in `CreateVersion`.
        effective_ns: Option<i64>,
    },
    /// Remembers something for a program that feeds the VOB, such as an importer. An
    /// earlier note with that key is replaced.
    SetNote {
        /// The key, beginning with the program's name and a colon.
        key: String,
        /// The value.
        value: Box<[u8]>,
    },
    /// Makes a type object with a definition. The number must be the next one, the name unused.
    DefineType {
        /// Its number.
        number: TypeNo,
        /// Its kind.
        kind: TypeKind,
        /// Its name.
        name: String,
        /// What else it says.
        definition: TypeDefinition,
    },
    /// Gives a type object another definition, and the transaction's comment. Whoever plans it makes
    /// sure that what there is of the type keeps to it.
    RedefineType {
        /// The type.
        number: TypeNo,
        /// What it says from now on.
        definition: TypeDefinition,
    },
    /// Gives a type object another name, which must be unused.
    RenameType {
        /// The type.
        number: TypeNo,
        /// The new name.
        name: String,
    },
    /// Removes a type object; its number is not given again. It must not be predefined, nor another
    /// type's supertype. Whoever plans it makes sure that there is nothing of the type.
    RemoveType {
        /// The type.
        number: TypeNo,
    },
    /// Reserves a branch for a view that has it checked out, or takes that back. No other view may
    /// have it reserved.
    Reserve {
        /// The element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
        /// Whether the branch is to be reserved.
        reserved: bool,
    },
    /// Removes a label from versions; those that do not carry it stay as they are.
    RemoveVersionLabels {
        /// The label type.
        label: TypeNo,
        /// The versions.
        targets: Vec<(ElementNo, VersionNo)>,
    },
    /// Changes the catalog of a directory version without making a version: only the newest of
    /// its branch allows it. Versions and checkouts made from it keep their names.
    ChangeVersionInPlace {
        /// The directory element.
        element: ElementNo,
        /// The version.
        version: VersionNo,
        /// The changes.
        changes: Vec<NameChange>,
    },
    /// Locks an object, or takes its lock away. The object must be a VOB, a type object, an element or
    /// a branch. What a lock prevents is in [`super::lock`].
    SetLock {
        /// The object.
        object: VobObject,
        /// What the lock says; none: the object is not locked any more.
        lock: Option<LockRule>,
    },
    /// Changes who owns an object, and who may do what. The object must be the VOB, a type object or
    /// an element; permission bits are an element's.
    Protect {
        /// The object.
        object: VobObject,
        /// The new owner.
        owner: Option<u32>,
        /// The new group.
        group: Option<u32>,
        /// The new permission bits.
        mode: Option<u16>,
    },
    /// Sets the groups, beside the VOB's own, that elements may belong to.
    SetVobGroups {
        /// Numeric group ids.
        groups: Vec<u32>,
    },
    /// Gives an element another element type of the same kind of element.
    ChangeElementType {
        /// The element.
        element: ElementNo,
        /// The type.
        element_type: TypeNo,
    },
    /// Gives a branch another branch type, of which the element must not have a branch.
    ChangeBranchType {
        /// The element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
        /// The type.
        branch_type: TypeNo,
    },
    /// Replaces the comment of an event that made something of an object.
    ChangeComment {
        /// The object.
        object: VobObject,
        /// The event.
        event: EventNo,
        /// The new comment, whole.
        comment: String,
    },
    /// Attaches an attribute to an object, in the place of one of the same type. The value must be one
    /// of its type's; whoever plans it makes sure of ranges.
    SetAttribute {
        /// The object.
        object: VobObject,
        /// The attribute type.
        attribute: TypeNo,
        /// The value as commands write it.
        value: String,
    },
    /// Removes an attribute from an object.
    RemoveAttribute {
        /// The object.
        object: VobObject,
        /// The attribute type.
        attribute: TypeNo,
    },
    /// Makes a hyperlink between any two objects, checkouts among them. At least one end must be an object of
    /// this VOB.
    CreateLink {
        /// The hyperlink type.
        link_type: TypeNo,
        /// Start.
        from: LinkEnd,
        /// End; none for a link to nothing but a text.
        to: Option<LinkEnd>,
        /// The text at its start.
        from_text: String,
        /// The text at its end.
        to_text: String,
    },
    /// Removes a hyperlink of either kind.
    RemoveLink {
        /// Its number.
        number: u32,
        /// An object that has it.
        at: VobObject,
    },
    /// Removes a version with all that is attached to it. It must not be version 0, no branch may
    /// sprout from it, and it may not be checked out. Its number is not given again.
    RemoveVersion {
        /// The element.
        element: ElementNo,
        /// The version.
        version: VersionNo,
    },
    /// Drops what a file version holds; the version stays.
    RemoveData {
        /// The element.
        element: ElementNo,
        /// The version.
        version: VersionNo,
    },
    /// Removes a branch with its versions and the branches that sprout from it. It must not be the
    /// root branch, and nothing on these branches may be checked out.
    RemoveBranch {
        /// The element.
        element: ElementNo,
        /// The branch.
        branch: BranchNo,
    },
    /// Removes an element, and its name from every directory version and checkout. It must not be
    /// checked out. Whoever plans it makes sure that what only it catalogued is catalogued elsewhere.
    RemoveElement {
        /// The element.
        element: ElementNo,
    },
    /// Replaces the comment of a view's checkout.
    ChangeCheckOutComment {
        /// The element.
        element: ElementNo,
        /// The view.
        view: ViewUuid,
        /// The new comment, whole.
        comment: String,
    },
    /// Brings a content along that operations of this frame name and that the pools may lose in a crash. Changes no
    /// record; on replay the pools get back what they lack.
    StoreContent(StoredContent),
    /// Puts a trigger type into lists of an element, or takes it out of them. Only a directory has a list of those
    /// that new elements in it get.
    ChangeTriggers {
        /// The element.
        element: ElementNo,
        /// The trigger type.
        trigger: TypeNo,
        /// The lists.
        lists: TriggerLists,
        /// Whether it is in them from now on.
        present: bool,
    },
}
