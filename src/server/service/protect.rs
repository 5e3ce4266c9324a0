//! protect: owner, group and permission bits of elements; owner and group of type objects.
//!
//! What the arguments name is found in the view before the commit; who may do it is decided during it.

mod mode;

use super::facts;
use super::objects::kind_and_name;
use crate::server::identity::{self, Caller};
use crate::server::proto::target::Target as Kind;
use crate::server::proto::{Context, Failure, FailureCode, ProtectItem, ProtectRequest, Target};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::private::names_in;
use crate::view::{DirectoryState, Found, MountedVob, Shown, View, ViewStorage};
use crate::vob::element::EXECUTE_CHOSEN;
use crate::vob::{
    BranchNo, Element, ElementKind, ElementNo, Entry, Operation, Transaction, VersionNo, VobObject,
};
use mode::Mode;
use std::collections::HashSet;
use std::sync::Arc;

/// What is to be changed, with numbers for names.
struct Wanted {
    owner: Option<u32>,
    group: Option<u32>,
    mode: Option<Mode>,
}

/// A name, what it means, and what became of it.
struct Spot {
    argument: u32,
    /// Below the argument.
    path: Vec<u8>,
    object: Outcome<(Arc<MountedVob>, VobObject)>,
    /// What the view shows of a file: whether it may be executed now is its version's.
    shown: Option<VersionNo>,
}

impl Server {
    /// Changes the protection of objects, and sends what became of every name.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of names are items.
    pub(super) fn protect(
        &self,
        caller: &Caller,
        request: &ProtectRequest,
        send: &mut dyn FnMut(ProtectItem) -> bool,
    ) -> Outcome<()> {
        let context = Server::context(&request.context)?;
        let wanted = Wanted {
            owner: user(&request.owner)?,
            group: group(&request.group)?,
            mode: match request.mode.as_str() {
                "" => None,
                text => {
                    let bad = || Failure::new(FailureCode::BadMode).name(text);
                    Some(Mode::parse(text).ok_or_else(bad)?)
                }
            },
        };
        let mut spots = Vec::new();
        for (argument, target) in (0..).zip(&request.targets) {
            if let Err(failure) = self.spots(context, request, argument, target, &mut spots) {
                let object = Err(failure);
                spots.push(Spot { argument, path: Vec::new(), object, shown: None });
            }
        }
        let mut vobs: Vec<Arc<MountedVob>> = Vec::new();
        for (vob, _) in spots.iter().filter_map(|spot| spot.object.as_ref().ok()) {
            if !vobs.iter().any(|known| known.index == vob.index) {
                vobs.push(Arc::clone(vob));
            }
        }
        for vob in vobs {
            self.protect_in(caller, context, request, &wanted, &vob, &mut spots);
        }
        for Spot { argument, path, object, .. } in spots {
            let (kind, failure) = match object {
                Ok((vob, object)) => (kind_and_name(&vob, &vob.vob.state(), object).0, None),
                Err(failure) => (Default::default(), Some(failure)),
            };
            if !send(ProtectItem { argument, path, failure, kind: kind.into() }) {
                break;
            }
        }
        Ok(())
    }

    /// Changes what may be changed in one VOB.
    fn protect_in(
        &self,
        caller: &Caller,
        context: &Context,
        request: &ProtectRequest,
        wanted: &Wanted,
        vob: &Arc<MountedVob>,
        spots: &mut [Spot],
    ) {
        let here = |spot: &Spot| matches!(&spot.object, Ok((of, _)) if of.index == vob.index);
        let committed = self.commit(vob, |store| {
            let mut operations = Vec::new();
            let mut seen = HashSet::new();
            for spot in spots.iter_mut().filter(|spot| here(spot)) {
                let Ok((_, object)) = &spot.object else { continue };
                match self.plan_protection(caller, vob, store, *object, spot.shown, wanted) {
                    // Two names of one object are one object.
                    Ok(operation) if seen.insert(*object) => operations.push(operation),
                    Ok(_) => {}
                    Err(failure) => spot.object = Err(failure),
                }
            }
            if operations.is_empty() {
                return Err(super::types::nothing_left());
            }
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment: String::from_utf8_lossy(&request.comment).into_owned(),
                attributes: vec![],
                operations,
            }])
        });
        if let Err(failure) = committed
            && failure.code() != FailureCode::NotDone
        {
            spots.iter_mut().filter(|spot| here(spot)).for_each(|spot| spot.object = Err(failure.clone()));
        }
    }

    fn plan_protection(
        &self,
        caller: &Caller,
        vob: &MountedVob,
        store: &Vob,
        object: VobObject,
        shown: Option<VersionNo>,
        wanted: &Wanted,
    ) -> Outcome<Operation> {
        const OPERATION: &str = "change protection";
        let state = store.state();
        if wanted.owner.is_some() {
            // Nobody gives away what others then answer for.
            self.permit(caller, &[(state.header.owner, "VOB owner")], OPERATION)?;
        }
        let mode = match object {
            VobObject::Type(_) if wanted.mode.is_none() => None,
            VobObject::Element(number) => {
                let element =
                    store.element(number)?.ok_or_else(|| Failure::internal("the element is gone"))?;
                wanted.mode.as_ref().map(|mode| new_mode(&element, shown, mode))
            }
            _ => return Err(Failure::new(FailureCode::NotProtectable)),
        };
        self.permit_owner(caller, store, object, OPERATION)?;
        self.refuse_locked_object(vob, object, caller, OPERATION)?;
        if let Some(group) = wanted.group.filter(|group| !state.has_group(*group)) {
            let name = identity::group_name(group);
            return Err(Failure::new(FailureCode::GroupNotInVob).name(name));
        }
        Ok(Operation::Protect { object, owner: wanted.owner, group: wanted.group, mode })
    }

    /// Finds what an argument means: an object, with -recurse also what is visible below a directory.
    fn spots(
        &self,
        context: &Context,
        request: &ProtectRequest,
        argument: u32,
        target: &Target,
        spots: &mut Vec<Spot>,
    ) -> Outcome<()> {
        let named = self.named(context, &Some(target.clone()))?;
        let object = match (named.element_or_other(), named.checkout.filter(|_| named.extended)) {
            (_, Some(_)) => return Err(Failure::new(FailureCode::NotProtectable)),
            (object, None) => object,
        };
        let vob = &named.vob;
        let shown = match named.object {
            VobObject::Version(_, version) => Some(version),
            _ => None,
        };
        let is_directory = match object {
            VobObject::Element(number) => vob.element(number)?.kind == ElementKind::Directory,
            _ => false,
        };
        if is_wanted(request, is_directory) {
            let object = Ok((Arc::clone(vob), object));
            spots.push(Spot { argument, path: Vec::new(), object, shown });
        }
        let (Some(Kind::Pname(pname)), true, true) = (&target.target, request.recurse, is_directory) else {
            return Ok(());
        };
        let (view, resolved) = self.resolve(context, pname)?;
        if let Found::Element { element, shown: Shown::Version(..) | Shown::CheckedOut(_), .. } =
            resolved.found
        {
            let state = view.directory(vob, element.number)?;
            below(request, argument, &view, vob, state, spots)?;
        }
        Ok(())
    }
}

/// The permission bits that an element gets. Write bits of a file mean nothing; whether it may be executed is
/// each version's own, until somebody says it of the element.
fn new_mode(element: &Element, shown: Option<VersionNo>, mode: &Mode) -> u16 {
    if element.kind == ElementKind::Directory {
        return mode.apply(element.mode & 0o777, true);
    }
    let shown = shown.unwrap_or_else(|| element.newest(BranchNo::ROOT));
    let now = element.file_permissions(element.find_version(shown));
    let after = mode.apply(now, false) & 0o555;
    match mode.is_about_execution() || element.mode & EXECUTE_CHOSEN != 0 {
        true => after | EXECUTE_CHOSEN,
        false => after & 0o444 | element.mode & 0o111,
    }
}

fn is_wanted(request: &ProtectRequest, is_directory: bool) -> bool {
    match is_directory {
        true => !request.only_files,
        false => !request.only_directories,
    }
}

/// Goes through what is visible below a directory: names in their order, a directory before what is in it.
fn below(
    request: &ProtectRequest,
    argument: u32,
    view: &Arc<View>,
    vob: &Arc<MountedVob>,
    top: Arc<DirectoryState>,
    spots: &mut Vec<Spot>,
) -> Outcome<()> {
    let mut seen = HashSet::from([top.element.number]);
    let bound = view.bound(vob);
    let mut levels = vec![(Vec::new(), names_of(view, vob, &top)?, top)];
    while let Some((above, names, state)) = levels.last_mut() {
        let Some((leaf, number)) = names.next() else {
            levels.pop();
            continue;
        };
        let element = vob.element(number)?;
        let shown = match view.select(vob, &bound.descend(&state.path, &leaf), &element) {
            Shown::Version(version, _) => Some(version),
            Shown::CheckedOut(_) => None,
            Shown::Nothing(_) | Shown::Error(_) => continue,
        };
        let path = facts::join(above, &leaf);
        let is_directory = element.kind == ElementKind::Directory;
        if is_wanted(request, is_directory) {
            let object = Ok((Arc::clone(vob), VobObject::Element(number)));
            spots.push(Spot { argument, path: path.clone(), object, shown });
        }
        if is_directory && seen.insert(number) {
            let state = facts::enter(view, vob, state, &leaf, number)?;
            levels.push((path, names_of(view, vob, &state)?, state));
        }
    }
    Ok(())
}

/// The elements that a directory catalogs, but for those that private files hide.
fn names_of(
    view: &View,
    vob: &MountedVob,
    state: &DirectoryState,
) -> Outcome<std::vec::IntoIter<(Vec<u8>, ElementNo)>> {
    let private = names_in(view.storage.root(), &ViewStorage::private(&state.element.oid));
    let private: HashSet<Vec<u8>> = private
        .map_err(|refusal| Failure::other(format!("private files cannot be listed: {refusal:?}")))?
        .into_iter()
        .collect();
    let element = |(name, entry): (&[u8], Entry)| match entry {
        Entry::Element(number) if !private.contains(name) => Some((name.to_vec(), number)),
        _ => None,
    };
    let names: Vec<(Vec<u8>, ElementNo)> = state.catalog.iter().filter_map(element).collect();
    vob.vob.prefetch(&names.iter().map(|(_, number)| *number).collect::<Vec<_>>())?;
    Ok(names.into_iter())
}

/// The number of a user that somebody typed; none for an empty name.
///
/// # Errors
/// `UNKNOWN_USER`.
pub fn user(name: &str) -> Outcome<Option<u32>> {
    let unknown = || Failure::new(FailureCode::UnknownUser).name(name);
    if name.is_empty() { Ok(None) } else { identity::user_number(name).map(Some).ok_or_else(unknown) }
}

/// The number of a group that somebody typed; none for an empty name.
///
/// # Errors
/// `UNKNOWN_GROUP`.
pub fn group(name: &str) -> Outcome<Option<u32>> {
    let unknown = || Failure::new(FailureCode::UnknownGroup).name(name);
    if name.is_empty() { Ok(None) } else { identity::group_number(name).map(Some).ok_or_else(unknown) }
}
