//! What a VOB knows beside its elements: identity, type objects, users and counters. Small
//! enough to be in memory whole.

use super::annotation::Annotations;
use super::definition::{MergeType, TypeDefinition, TypeProperties};
use super::identity::{ElementNo, EventNo, Oid, SymlinkNo, TypeNo};
use super::operation::User;
use super::trigger::TriggerDefinition;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The kinds of type objects.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Serialize, Deserialize)]
pub enum TypeKind {
    /// `brtype`
    Branch,
    /// `lbtype`
    Label,
    /// `eltype`
    Element,
    /// `hltype`
    Hyperlink,
    /// `attype`
    Attribute,
    /// `trtype`
    Trigger,
}

impl TypeKind {
    /// Branch and label types share one name space; the others have one each.
    pub fn shares_names_with(self, other: TypeKind) -> bool {
        let names = |kind| match kind {
            TypeKind::Branch | TypeKind::Label => 0,
            TypeKind::Element => 1,
            TypeKind::Hyperlink => 2,
            TypeKind::Attribute => 3,
            TypeKind::Trigger => 4,
        };
        names(self) == names(other)
    }
}

/// A type object.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct TypeObject {
    /// Its number.
    pub number: TypeNo,
    /// Its kind.
    pub kind: TypeKind,
    /// Its name.
    pub name: String,
    /// The event that made it.
    pub event: EventNo,
    /// What else it says; none for predefined and imported types.
    pub definition: Option<TypeDefinition>,
    /// The event whose comment is the type's: the one that made or redefined it.
    pub described: EventNo,
    /// Whether it was removed: its number stays taken, its name is free.
    pub removed: bool,
    /// Owner and group, where they are not those of the definition any more.
    pub protection: Option<(u32, u32)>,
    /// What is attached to it.
    pub annotations: Annotations,
}

impl TypeObject {
    /// Tells whether branches and labels of the type are counted in each branch, not in each element.
    pub fn is_per_branch(&self) -> bool {
        self.definition.as_ref().is_some_and(TypeDefinition::is_per_branch)
    }
}

/// The counters and the identity of a VOB.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct VobHeader {
    /// The VOB family's identity; none before the first operation.
    pub oid: Option<Oid>,
    /// Numeric owner.
    pub owner: u32,
    /// Numeric group.
    pub group: u32,
    /// How many elements were ever made.
    pub elements: u32,
    /// How many events there are.
    pub events: u32,
    /// How many VOB symbolic links were ever made.
    pub symlinks: u32,
    /// The number the next hyperlink gets.
    pub hyperlinks: u32,
    /// The number the next checkout gets.
    pub checkouts: u32,
    /// Change sets placed by imports.
    pub changesets: u32,
}

/// What a VOB is set to, beside its counters: seldom changed, seldom read.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct VobSettings {
    /// Groups, beside the VOB's own, that elements may belong to.
    pub groups: Vec<u32>,
    /// What is attached to the VOB.
    pub annotations: Annotations,
}

/// Identity, counters, types and users of a VOB at one moment. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct VobState {
    /// Identity and counters.
    pub header: VobHeader,
    tables: Arc<Tables>,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    settings: VobSettings,
    types: Vec<Arc<TypeObject>>,
    users: Vec<Arc<User>>,
    names: HashMap<(u8, String), TypeNo>,
    /// Trigger types that were not removed.
    triggers: Vec<TypeNo>,
    user_numbers: HashMap<Arc<User>, u32>,
}

/// Types every VOB has from the start, with the numbers they get.
pub mod predefined {
    use super::{TypeKind, TypeNo};

    /// The root branch type of every element.
    pub const MAIN: TypeNo = TypeNo(0);
    /// Directory elements.
    pub const DIRECTORY: TypeNo = TypeNo(1);
    /// File elements of any content.
    pub const FILE: TypeNo = TypeNo(2);
    /// File elements of text.
    pub const TEXT_FILE: TypeNo = TypeNo(3);
    /// File elements that are compressed whole.
    pub const COMPRESSED_FILE: TypeNo = TypeNo(4);
    /// The arrows that merges leave.
    pub const MERGE: TypeNo = TypeNo(8);

    /// All of them, in the order of their numbers.
    pub const ALL: [(TypeKind, &str); 9] = [
        (TypeKind::Branch, "main"),
        (TypeKind::Element, "directory"),
        (TypeKind::Element, "file"),
        (TypeKind::Element, "text_file"),
        (TypeKind::Element, "compressed_file"),
        (TypeKind::Element, "compressed_text_file"),
        (TypeKind::Element, "binary_delta_file"),
        (TypeKind::Element, "file_system_object"),
        (TypeKind::Hyperlink, "Merge"),
    ];

    /// Supertypes and type managers of the predefined element types, by number.
    pub const ELEMENT_TYPES: [(TypeNo, Option<TypeNo>, &str); 7] = [
        (DIRECTORY, Some(TypeNo(7)), "directory"),
        (FILE, Some(TypeNo(7)), "whole_copy"),
        (TEXT_FILE, Some(FILE), "text_file_delta"),
        (COMPRESSED_FILE, Some(FILE), "z_whole_copy"),
        (TypeNo(5), Some(TEXT_FILE), "z_text_file_delta"),
        (TypeNo(6), Some(FILE), "binary_delta"),
        (TypeNo(7), None, ""),
    ];

    /// Tells whether a type is one of them.
    pub fn is_predefined(number: TypeNo) -> bool {
        number.index() < ALL.len()
    }

    /// Tells whether an element type is there for others to be made from, and no element has it.
    pub fn is_abstract(number: TypeNo) -> bool {
        ELEMENT_TYPES.iter().any(|(of, supertype, _)| *of == number && supertype.is_none())
    }
}

impl VobState {
    /// Rebuilds a state from its stored parts.
    pub fn new(
        header: VobHeader,
        settings: VobSettings,
        types: Vec<TypeObject>,
        users: Vec<User>,
    ) -> VobState {
        let tables = Arc::new(Tables { settings, ..Tables::default() });
        let mut state = VobState { header, tables };
        types.into_iter().for_each(|object| state.add_type(object));
        for user in users {
            state.user_number(&user);
        }
        state
    }

    /// Returns what the VOB is set to.
    pub fn settings(&self) -> &VobSettings {
        &self.tables.settings
    }

    pub(super) fn settings_mut(&mut self) -> &mut VobSettings {
        &mut Arc::make_mut(&mut self.tables).settings
    }

    /// Tells whether elements may belong to a group: the VOB's own, or one of its further groups.
    pub fn has_group(&self, group: u32) -> bool {
        self.header.group == group || self.settings().groups.contains(&group)
    }

    /// Returns the type objects by number, removed ones included.
    pub fn types(&self) -> &[Arc<TypeObject>] {
        &self.tables.types
    }

    /// Returns a type object that was not removed.
    pub fn type_object(&self, number: TypeNo) -> Option<&Arc<TypeObject>> {
        self.tables.types.get(number.index()).filter(|object| !object.removed)
    }

    /// Returns the type objects that were not removed, by number.
    pub fn present_types(&self) -> impl Iterator<Item = &Arc<TypeObject>> {
        self.tables.types.iter().filter(|object| !object.removed)
    }

    /// Returns the trigger types that were not removed, in the order they were made.
    pub fn trigger_types(&self) -> &[TypeNo] {
        &self.tables.triggers
    }

    /// Returns what a trigger type says.
    pub fn trigger(&self, number: TypeNo) -> Option<&TriggerDefinition> {
        match &self.type_object(number)?.definition.as_ref()?.properties {
            TypeProperties::Trigger(definition) => Some(definition),
            _ => None,
        }
    }

    /// Returns an element type's own supertype and manager; the manager of the nearest supertype that
    /// has one where it has none. Both are empty for what is no element type.
    pub fn element_type(&self, number: TypeNo) -> (Option<TypeNo>, &str) {
        let own = |number: TypeNo| {
            if let Some((_, above, manager)) =
                predefined::ELEMENT_TYPES.iter().find(|(predefined, ..)| *predefined == number)
            {
                return (*above, Some(*manager));
            }
            let definition = self.type_object(number).and_then(|object| object.definition.as_ref());
            match definition.map(|definition| &definition.properties) {
                Some(TypeProperties::Element { supertype, manager, .. }) => {
                    (Some(*supertype), manager.as_deref())
                }
                _ => (None, None),
            }
        };
        let (supertype, mut manager) = own(number);
        let mut above = supertype;
        while let (None, Some(next)) = (manager, above) {
            (above, manager) = own(next);
        }
        (supertype, manager.unwrap_or_default())
    }

    /// Tells whether elements of a type are directories.
    pub fn is_directory_type(&self, number: TypeNo) -> bool {
        let mut at = Some(number);
        while let Some(number) = at {
            if number == predefined::DIRECTORY {
                return true;
            }
            at = self.element_type(number).0;
        }
        false
    }

    /// Tells how versions of elements of a type are merged: as the nearest type above it that says so.
    pub fn merge_type(&self, number: TypeNo) -> MergeType {
        let mut at = Some(number);
        while let Some(number) = at {
            let definition = self.type_object(number).and_then(|object| object.definition.as_ref());
            match definition.map(|definition| &definition.properties) {
                Some(TypeProperties::Element { merge: Some(merge), .. }) => return *merge,
                _ => at = self.element_type(number).0,
            }
        }
        MergeType::Auto
    }

    /// Tells whether versions of elements of a type keep the time of the file that they were made from.
    pub fn preserves_time(&self, number: TypeNo) -> bool {
        let mut at = Some(number);
        while let Some(number) = at {
            let definition = self.type_object(number).and_then(|object| object.definition.as_ref());
            let properties = definition.map(|definition| &definition.properties);
            if matches!(properties, Some(TypeProperties::Element { preserve_time: true, .. })) {
                return true;
            }
            at = self.element_type(number).0;
        }
        false
    }

    /// Returns everybody who ever did something, by number.
    pub fn users(&self) -> &[Arc<User>] {
        &self.tables.users
    }

    fn name_key(kind: TypeKind, name: &str) -> (u8, String) {
        let space = match kind {
            TypeKind::Branch | TypeKind::Label => 0,
            other => other as u8,
        };
        (space, name.to_owned())
    }

    /// Finds a type by kind and name.
    pub fn type_named(&self, kind: TypeKind, name: &str) -> Option<&Arc<TypeObject>> {
        let found = self.tables.names.get(&Self::name_key(kind, name))?;
        Some(&self.tables.types[found.index()]).filter(|object| object.kind == kind)
    }

    /// Tells whether a new type of this kind could not have this name.
    pub fn name_taken(&self, kind: TypeKind, name: &str) -> bool {
        self.tables.names.contains_key(&Self::name_key(kind, name))
    }

    /// Returns the name of a type, or `?` for a number no type has.
    pub fn type_name(&self, number: TypeNo) -> &str {
        self.tables.types.get(number.index()).map_or("?", |object| &object.name)
    }

    /// Returns the number the next type gets.
    pub fn next_type(&self) -> TypeNo {
        TypeNo(self.tables.types.len() as u32)
    }

    /// Returns the number the next element gets.
    pub fn next_element(&self) -> ElementNo {
        ElementNo(self.header.elements)
    }

    /// Returns the number the next VOB symbolic link gets.
    pub fn next_symlink(&self) -> SymlinkNo {
        SymlinkNo(self.header.symlinks)
    }

    pub(super) fn add_type(&mut self, object: TypeObject) {
        let tables = Arc::make_mut(&mut self.tables);
        if !object.removed {
            tables.names.insert(Self::name_key(object.kind, &object.name), object.number);
            if object.kind == TypeKind::Trigger {
                tables.triggers.push(object.number);
            }
        }
        tables.types.push(Arc::new(object));
    }

    /// Puts another object in the place of the one with its number, which must exist.
    pub(super) fn replace_type(&mut self, object: TypeObject) {
        let tables = Arc::make_mut(&mut self.tables);
        let index = object.number.index();
        let former = Arc::clone(&tables.types[index]);
        tables.names.remove(&Self::name_key(former.kind, &former.name));
        match object.removed {
            false => drop(tables.names.insert(Self::name_key(object.kind, &object.name), object.number)),
            true => tables.triggers.retain(|number| *number != object.number),
        }
        tables.types[index] = Arc::new(object);
    }

    pub(super) fn user_number(&mut self, user: &User) -> u32 {
        if let Some(number) = self.tables.user_numbers.get(user) {
            return *number;
        }
        let tables = Arc::make_mut(&mut self.tables);
        let (number, user) = (tables.users.len() as u32, Arc::new(user.clone()));
        tables.users.push(Arc::clone(&user));
        tables.user_numbers.insert(user, number);
        number
    }
}

/// The names a type object may have: letters, digits and `_ - . +`, not a number, not one
/// of the words that selectors reserve, and not so long that a path component overflows.
pub fn valid_type_name(name: &str) -> bool {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    let reserved = matches!(name, "LATEST" | "CHECKEDOUT" | "." | ".." | "...");
    let number = name.bytes().all(|b| b.is_ascii_digit());
    !name.is_empty() && name.len() <= 200 && name.chars().all(legal) && !reserved && !number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names() {
        for good in ["main", "REL_1.0", "v1.2-rc+3", "fix-7", "-x", "é"] {
            assert!(valid_type_name(good), "{good}");
        }
        for bad in ["", "12", "LATEST", "CHECKEDOUT", "...", "a/b", "a b", "a@b", "."] {
            assert!(!valid_type_name(bad), "{bad}");
        }
    }
}
