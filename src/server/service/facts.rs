//! Facts that several calls tell of objects: who made them and when, who owns them, what they
//! are called.
//!
//! Reads VOBs and views and changes nothing. Wording is the client's.

use crate::server::identity::{self, Account, Caller};
use crate::server::proto::{
    Attribute, Context, Created, Failure, FailureCode, ObjectKind, Person, Pname, Protection,
};
use crate::server::state::{Outcome, person};
use crate::store::Vob;
use crate::view::live::DEPTH_MAX;
use crate::view::resolve::branch_id;
use crate::view::{DirectoryState, MountedVob, View};
use crate::vob::{
    Annotations, BranchNo, Checkout, Element, ElementKind, ElementNo, Entry, EventNo, Operation, Part,
    Transaction, TypeKind, Version, VobState,
};
use clerestory_specs::AttributeValue;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Permission to search a directory, as one digit of a mode.
pub const MAY_SEARCH: u32 = 1;
/// Permission to list a directory, as one digit of a mode.
pub const MAY_LIST: u32 = 4;

/// Parts what listings show of a rule into the selector and the branch type of its -mkbranch, and tells
/// whether that is a block's.
pub fn split_rule<'a>(shown: &'a str, branch: Option<&'a str>) -> (&'a str, &'a str, bool) {
    let Some(branch) = branch else { return (shown, "", false) };
    let clauses = [(format!(" [-mkbranch {branch}]"), true), (format!(" -mkbranch {branch}"), false)];
    let parted =
        |(clause, of_block): &(String, bool)| Some((shown.strip_suffix(clause.as_str())?, branch, *of_block));
    clauses.iter().find_map(parted).unwrap_or((shown, "", false))
}

/// Turns nanoseconds into whole seconds, downwards.
pub fn seconds(time_ns: i64) -> i64 {
    time_ns.div_euclid(1_000_000_000)
}

/// The working directory as an argument that nobody typed.
pub fn working_directory(context: &Context) -> Pname {
    Pname { typed: Vec::new(), absolute: context.working_directory.clone() }
}

/// What is recorded of an event.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// Who.
    pub person: Person,
    /// The comment of what was made.
    pub comment: Vec<u8>,
    /// The attributes of what was made: of the versions, or of the types when there is no version.
    pub attributes: Vec<Attribute>,
    /// Whether versions of elements were made.
    pub makes_versions: bool,
}

impl Told {
    /// As clients are told of a creation.
    pub fn created(&self) -> Created {
        Created {
            time_s: seconds(self.time_ns),
            person: Some(self.person.clone()),
            comment: self.comment.clone(),
        }
    }
}

/// Reads what is recorded of an event.
///
/// # Errors
/// If the VOB cannot be read.
pub fn told(vob: &Vob, number: EventNo) -> Outcome<Told> {
    let event = vob.event(number)?;
    let user = vob.state().users().get(event.user as usize).cloned();
    let Transaction { comment, attributes, operations, .. } = vob.transaction(&event)?;
    let attribute = |(name, value): (String, String)| Attribute {
        r#type: name.into_bytes(),
        value: quoted(&value),
        time_s: None,
    };
    Ok(Told {
        time_ns: event.time_ns,
        person: user.map(|user| person(&user)).unwrap_or_default(),
        comment: comment.into_bytes(),
        attributes: attributes.into_iter().map(attribute).collect(),
        makes_versions: operations.iter().any(makes_version),
    })
}

/// The attributes of a part of what has these annotations; `came_with` are those of the event that made an
/// imported version, of which one that was attached later, or removed, takes the place.
pub fn attributes(
    state: &VobState,
    annotations: &Annotations,
    part: Part,
    came_with: Vec<Attribute>,
) -> Vec<Attribute> {
    let mut told = came_with;
    for instance in annotations.attributes_of(part) {
        let name = state.type_name(instance.attribute).as_bytes();
        told.retain(|attribute| attribute.r#type != name);
        let Some(value) = &instance.value else { continue };
        let of_type = state.types().get(instance.attribute.index());
        let time_s = match of_type.and_then(|of_type| of_type.value_type().read(value)) {
            Some(AttributeValue::Time(time_ns)) => Some(seconds(time_ns)),
            _ => None,
        };
        told.push(Attribute { r#type: name.to_vec(), value: value.clone().into_bytes(), time_s });
    }
    told
}

fn makes_version(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::CreateVersion { .. }
            | Operation::CreateDirectoryVersion { .. }
            | Operation::ReplaceDirectoryVersion { .. }
            | Operation::CheckIn { .. }
            | Operation::CreateElement { .. }
            | Operation::CreateBranch { .. }
    )
}

/// A string value as it is printed.
fn quoted(value: &str) -> Vec<u8> {
    format!("\"{}\"", value.replace('"', "\\\"")).into_bytes()
}

/// Owner, group and permission bits with their names.
pub fn protection(owner: u32, group: u32, mode: u32) -> Protection {
    let group_name = identity::group_name(group);
    let unknown = group_name == format!("UNIX:GID-{group}");
    Protection {
        user: Account::of_user(owner).map(|account| account.login).unwrap_or_default(),
        group: if unknown { String::new() } else { group_name },
        user_id: owner,
        group_id: group,
        mode: mode & 0o7777,
    }
}

/// The protection of an element, or of one of its versions: nobody writes a file version, and
/// who may read it may execute it when it is executable.
pub fn element_protection(element: &Element, version: Option<&Version>) -> Protection {
    let mode = u32::from(element.mode);
    let mode = match (element.kind, version) {
        (ElementKind::Directory, _) => mode,
        (ElementKind::File, None) => mode & 0o555,
        (ElementKind::File, Some(version)) => element.file_permissions(Some(version)).into(),
    };
    protection(element.owner, element.group, mode)
}

/// The kind of an element's object, and that of its versions.
pub fn kinds(element: &Element) -> (ObjectKind, ObjectKind) {
    match element.kind {
        ElementKind::File => (ObjectKind::FileElement, ObjectKind::Version),
        ElementKind::Directory => (ObjectKind::DirectoryElement, ObjectKind::DirectoryVersion),
    }
}

/// Finds a branch of an element by the name of its type or by its path.
///
/// # Errors
/// `TYPE_NOT_FOUND` where the VOB has no such branch type, `VERSION_NOT_FOUND` where the element
/// has no such branch.
pub fn find_branch(state: &VobState, element: &Element, wanted: &[u8]) -> Outcome<BranchNo> {
    let missing = || Failure::new(FailureCode::VersionNotFound).name(wanted);
    let text = std::str::from_utf8(wanted).map_err(|_| missing())?;
    let leaf = text.rsplit('/').next().unwrap_or_default();
    let Some(branch_type) = state.type_named(TypeKind::Branch, leaf) else {
        let failure = Failure::new(FailureCode::TypeNotFound).name(leaf);
        return Err(Failure { object_kind: ObjectKind::BranchType.into(), ..failure });
    };
    let whole_path = text.starts_with('/');
    let fits = |branch: &BranchNo| !whole_path || branch_id(state, element, *branch) == text;
    let found = element.branches_with_type(branch_type.number).find(fits);
    found.ok_or_else(missing)
}

/// Checks that a caller may reach a private file by its path, and has the right `last` on it. What
/// lies above the private directory is the view's and the daemon's own.
///
/// # Errors
/// `SYSTEM_ERROR` as the kernel would answer through the mount.
pub fn permit_private(view: &View, path: &Path, caller: &Caller, last: u32) -> Outcome<()> {
    let failed = |error: &std::io::Error| Failure::system(path.as_os_str().as_bytes(), error);
    let storage = view.storage.dir();
    let Ok(inside) = path.strip_prefix(storage) else {
        return Ok(());
    };
    // `private/OID` itself stands for the directory element.
    let names: Vec<_> = inside.components().collect();
    let mut at = storage.to_owned();
    for (place, name) in names.iter().enumerate() {
        at.push(name);
        let wanted = if place + 1 == names.len() { last } else { MAY_SEARCH };
        if place < 2 || wanted == 0 || caller.is_root() {
            continue;
        }
        let found = at.symlink_metadata().map_err(|error| failed(&error))?;
        let shift = match &found {
            found if found.uid() == caller.user_id => 6,
            found if caller.in_group(found.gid()) => 3,
            _ => 0,
        };
        if found.mode() >> shift & wanted != wanted {
            return Err(failed(&std::io::Error::from_raw_os_error(libc::EACCES)));
        }
    }
    Ok(())
}

/// Finds the names of elements: first those a view shows, then those that were given last.
pub struct Names<'a> {
    view: Option<&'a Arc<View>>,
    vob: &'a Arc<MountedVob>,
    above: Vec<u8>,
    shown: HashMap<ElementNo, Option<ShownDirectory>>,
    on_the_way: Vec<ElementNo>,
}

/// The path of a directory, and the directory.
pub type ShownDirectory = (Vec<u8>, Arc<DirectoryState>);

impl<'a> Names<'a> {
    /// Starts with a view, or without one. `above` goes before the VOB's tag in every path: the
    /// view's directory, or nothing.
    pub fn new(view: Option<&'a Arc<View>>, vob: &'a Arc<MountedVob>, above: &[u8]) -> Names<'a> {
        Names { view, vob, above: above.to_vec(), shown: HashMap::new(), on_the_way: Vec::new() }
    }

    /// Returns the view that is asked.
    pub fn view(&self) -> Option<&Arc<View>> {
        self.view
    }

    /// The same for another VOB in the same view.
    pub fn elsewhere<'b>(&'b self, vob: &'b Arc<MountedVob>) -> Names<'b> {
        Names::new(self.view, vob, &self.above)
    }

    /// Returns an absolute path of an element.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn path(&mut self, element: &Element) -> Outcome<Vec<u8>> {
        if element.number == ElementNo::ROOT {
            return Ok(self.root());
        }
        if let Some((directory, name, _)) = self.shown_name(element)? {
            return Ok(join(&directory, &name));
        }
        let mut names: Vec<Box<[u8]>> = Vec::new();
        let mut last = self.last_name(element)?;
        let mut path = self.root();
        while let Some((directory, name)) = last.take() {
            names.push(name);
            if let Some((found, _)) = self.directory(directory)? {
                path = found;
            } else if names.len() < DEPTH_MAX {
                let above = self.vob.vob.element(directory)?;
                last = above.map(|above| self.last_name(&above)).transpose()?.flatten();
            }
        }
        if names.is_empty() {
            return Ok(join(&path, format!("oid:{}", element.oid).as_bytes()));
        }
        Ok(names.iter().rev().fold(path, |path, name| join(&path, name)))
    }

    /// Returns the name that an element was given last, of those that some directory version has: one that was given in
    /// a cancelled checkout leads nowhere.
    fn last_name(&self, element: &Element) -> Outcome<Option<(ElementNo, Box<[u8]>)>> {
        if element.names.len() > 1 {
            for (directory, name) in element.names.iter().rev() {
                let Some(holder) = self.vob.vob.element(*directory)? else { continue };
                let ever = self.vob.vob.ever(*directory, holder.versions.len(), name)?;
                if ever.contains(&Entry::Element(element.number)) {
                    return Ok(Some((*directory, name.clone())));
                }
            }
        }
        Ok(element.names.last().cloned())
    }

    fn root(&self) -> Vec<u8> {
        [&self.above[..], self.vob.tag.as_bytes()].concat()
    }

    /// Finds a name of an element that the view shows: the path of the directory, the name, and
    /// the directory.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    #[allow(clippy::type_complexity)]
    pub fn shown_name(
        &mut self,
        element: &Element,
    ) -> Outcome<Option<(Vec<u8>, Box<[u8]>, Arc<DirectoryState>)>> {
        for (directory, name) in element.names.iter().rev() {
            let Some((path, state)) = self.directory(*directory)? else {
                continue;
            };
            if state.catalog.get(name) == Some(Entry::Element(element.number)) {
                return Ok(Some((path, name.clone(), state)));
            }
        }
        Ok(None)
    }

    /// Finds a directory the view shows: its path and what it catalogs.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn directory(&mut self, number: ElementNo) -> Outcome<Option<ShownDirectory>> {
        if let Some(known) = self.shown.get(&number) {
            return Ok(known.clone());
        }
        let is_known = self.on_the_way.contains(&number) || self.on_the_way.len() == DEPTH_MAX;
        let (Some(view), false) = (self.view, is_known) else {
            return Ok(None);
        };
        let found = if number == ElementNo::ROOT {
            Some((self.root(), view.root(self.vob)?))
        } else {
            let Some(element) = self.vob.vob.element(number)? else {
                return Ok(None);
            };
            self.on_the_way.push(number);
            let named = self.shown_name(&element);
            self.on_the_way.pop();
            match named? {
                None => None,
                Some((above, name, state)) => {
                    let entered = enter(view, self.vob, &state, &name, number)?;
                    Some((join(&above, &name), entered))
                }
            }
        };
        // On the way to another directory, a circle may have hidden a name that leads here.
        if found.is_some() || self.on_the_way.is_empty() {
            self.shown.insert(number, found.clone());
        }
        Ok(found)
    }
}

/// Enters a directory by a name in another one, unless it was entered so already.
///
/// # Errors
/// If the VOB cannot be read.
pub fn enter(
    view: &View,
    vob: &MountedVob,
    parent: &DirectoryState,
    name: &[u8],
    number: ElementNo,
) -> Outcome<Arc<DirectoryState>> {
    let by = (parent.element.number, Box::from(name));
    let path = view.bound(vob).descend(&parent.path, name);
    let known = view.known_directory(vob.index, number);
    if let Some(known) = known.filter(|known| known.path == path && known.parent.as_ref() == Some(&by)) {
        return Ok(known);
    }
    Ok(view.enter(vob, number, path, parent.generation, Some(by))?)
}

/// Puts a name below a path.
pub fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    match path {
        b"" => name.to_vec(),
        path => [path, b"/", name].concat(),
    }
}

/// Returns what stands before the path inside the view in an absolute path.
pub fn above<'a>(absolute: &'a [u8], inside: &[u8]) -> &'a [u8] {
    absolute.strip_suffix(inside).unwrap_or_default()
}

/// The tag a view has now, or had when it made a checkout.
pub fn view_tag(views: &[Arc<View>], checkout: &Checkout) -> String {
    let held = views.iter().find(|view| view.uuid() == checkout.view);
    held.map_or_else(|| checkout.view_tag.clone(), |view| view.tag.clone())
}

#[cfg(test)]
#[path = "facts_tests.rs"]
pub(super) mod tests;
