//! The objects of a VOB, the operations that change them, and the laws both keep.
//!
//! This room is pure: it reads records through [`Records`] and answers with changed
//! records. It does no I/O, reads no clock and draws no random number, so that replaying
//! the same operations always builds the same VOB. It must not know how records are
//! stored, what a view shows, or what a user typed.

pub mod annotation;
pub mod apply;
pub mod codec;
pub mod deed;
pub mod definition;
pub mod directory;
pub mod draft;
pub mod element;
pub mod identity;
pub mod lock;
pub mod operation;
pub mod state;
pub mod stored_content;
pub mod trigger;
pub mod value;

pub use annotation::{Annotations, Link, LinkEnd, Lock, LockRule, Part, VobObject};
pub use apply::{Changes, Records, Refused};
pub use deed::{Deed, PastEvent};
pub use definition::{TypeDefinition, TypeProperties, TypeScope};
pub use directory::{Directory, DirectoryNode, Entry, NameChange};
pub use draft::Draft;
pub use element::{Branch, Checkout, Content, Element, ElementKind, Hyperlink, Version};
pub use identity::{BranchNo, ContentHash, ElementNo, EventNo, Oid, SymlinkNo, TypeNo, VersionNo, ViewUuid};
pub use operation::{Operation, Transaction, User};
pub use state::{TypeKind, TypeObject, VobHeader, VobSettings, VobState};
pub use stored_content::{StoredContent, StoredForm};
pub use trigger::{TriggerDefinition, TriggerLists, TriggerOperation, Triggers};
