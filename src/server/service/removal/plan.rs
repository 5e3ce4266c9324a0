//! What is removed together, and what that does to the rest of the VOB.
//!
//! Nothing is changed here: the operations that come out are committed by the caller, who holds the VOB's
//! commit lock meanwhile.

use crate::server::identity::{self, Caller};
use crate::server::proto::{Failure, FailureCode, Notice, ObjectKind, Removal, RemoveRequest};
use crate::server::service::{facts, names};
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::view::resolve::{branch_id, version_id};
use crate::vob::apply::DirectoryAt;
use crate::vob::{
    BranchNo, Element, ElementKind, ElementNo, Entry, EventNo, Operation, Part, VersionNo, VobObject,
    VobState,
};
use std::collections::HashSet;
use std::sync::Arc;

/// An argument, and what is told of it.
pub type Told = (usize, Notice);

/// What was planned so far in one VOB.
pub struct Plan<'a> {
    server: &'a Server,
    caller: &'a Caller,
    vob: &'a Arc<MountedVob>,
    store: &'a Vob,
    state: VobState,
    operations: Vec<Operation>,
    removed: names::Removed,
    branches: HashSet<(ElementNo, BranchNo)>,
    versions: HashSet<(ElementNo, VersionNo)>,
    /// What each argument removes: versions of elements, or all of them.
    parts: Vec<(usize, Arc<Element>, Vec<VersionNo>)>,
}

impl<'a> Plan<'a> {
    /// Starts with nothing.
    pub fn new(server: &'a Server, caller: &'a Caller, vob: &'a Arc<MountedVob>, store: &'a Vob) -> Plan<'a> {
        Plan {
            server,
            caller,
            vob,
            store,
            state: store.state(),
            operations: Vec::new(),
            removed: names::Removed::default(),
            branches: HashSet::new(),
            versions: HashSet::new(),
            parts: Vec::new(),
        }
    }

    /// Reads an element, unless an earlier argument removes it.
    pub fn element(&self, number: ElementNo) -> Outcome<Arc<Element>> {
        if self.removed.elements.contains(&number) {
            return Err(Failure::new(FailureCode::RemovedAlready));
        }
        self.store.element(number)?.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))
    }

    fn has_branch(&self, element: &Element, branch: BranchNo) -> bool {
        let mut at = Some(branch);
        while let Some(branch) = at {
            if self.branches.contains(&(element.number, branch)) || !element.has_branch(branch) {
                return false;
            }
            at = element.branch(branch).from.map(|from| element.version(from).branch);
        }
        true
    }

    fn has_version(&self, element: &Element, version: VersionNo) -> bool {
        !self.versions.contains(&(element.number, version))
            && element.find_version(version).is_some_and(|found| self.has_branch(element, found.branch))
    }

    /// Refuses who is neither an owner nor made all of what is removed.
    fn permit(&self, element: &Element, made: &[EventNo], operation: &str) -> Outcome<()> {
        let owners = [(element.owner, "element owner"), (self.state.header.owner, "VOB owner")];
        let Err(mut failure) = self.server.permit(self.caller, &owners, operation) else {
            return Ok(());
        };
        if !made.is_empty() {
            let login = identity::user_name(self.caller.user_id);
            let mut by_caller = true;
            for event in made {
                let user = self.state.users().get(self.store.event(*event)?.user as usize);
                // Whoever has that name on another host is somebody else, as are authors of imported history.
                let same = user.is_some_and(|user| user.login == login && user.host == self.server.host_name);
                by_caller &= same;
            }
            if by_caller {
                return Ok(());
            }
            failure.must_be_one_of.insert(0, "object creator".to_owned());
        }
        Err(failure)
    }

    fn refuse_locked(&self, element: &Element, branch: Option<BranchNo>, operation: &str) -> Outcome<()> {
        self.server.refuse_locked(self.vob, element, branch, self.caller, operation)
    }

    /// Plans the removal of an element; where that is only told, counts its directory versions too.
    pub fn remove_element(&mut self, at: usize, element: &Arc<Element>, only_tell: bool) -> Outcome<Removal> {
        const OPERATION: &str = "remove element";
        let number = element.number;
        self.permit(element, &[], OPERATION)?;
        if number == ElementNo::ROOT || number == ElementNo::LOST_AND_FOUND {
            return Err(Failure::new(FailureCode::FixedName));
        }
        self.refuse_locked(element, None, OPERATION)?;
        if !element.checkouts.is_empty() {
            let object_kind = facts::kinds(element).0.into();
            return Err(Failure { object_kind, ..Failure::new(FailureCode::CheckedOutVersions) });
        }
        self.operations.push(Operation::RemoveElement { element: number });
        self.removed.elements.insert(number);
        let versions: Vec<VersionNo> = element.present_versions().map(|(version, _)| version).collect();
        let removal = Removal {
            branches: element.present_branches().count() as u32,
            versions: versions.len() as u32,
            directory_versions: if only_tell { self.directory_versions(element)? } else { 0 },
            ..Removal::default()
        };
        self.parts.push((at, Arc::clone(element), versions));
        Ok(removal)
    }

    /// How many directory versions catalog an element.
    fn directory_versions(&self, element: &Element) -> Outcome<u32> {
        let entry = Some(Entry::Element(element.number));
        let mut found = HashSet::new();
        for (directory, name) in &element.names {
            let Some(parent) = self.store.element(*directory)? else {
                continue;
            };
            for (version, _) in parent.present_versions() {
                if self.store.directory(*directory, DirectoryAt::Version(version))?.get(name) == entry {
                    found.insert((*directory, version));
                }
            }
        }
        Ok(found.len() as u32)
    }

    /// Refuses who may not remove a branch.
    pub fn permit_branch(&self, element: &Element, branch: BranchNo) -> Outcome<()> {
        let made = element.find_branch(branch).map(|branch| branch.event);
        self.permit(element, &made.into_iter().collect::<Vec<_>>(), "remove branch")
    }

    /// Tells whether a branch is there that earlier arguments do not remove.
    pub fn is_there(&self, element: &Element, branch: BranchNo) -> bool {
        self.has_branch(element, branch)
    }

    /// Plans the removal of a branch with all below it.
    pub fn remove_branch(&mut self, at: usize, element: &Arc<Element>, branch: BranchNo) -> Outcome<Removal> {
        if !element.has_branch(branch) {
            return Err(Failure::new(FailureCode::NoSuchFile));
        }
        if !self.has_branch(element, branch) {
            return Err(Failure::new(FailureCode::RemovedAlready));
        }
        let (below, versions) = self.judge_branch(element, branch)?;
        self.operations.push(Operation::RemoveBranch { element: element.number, branch });
        self.branches.insert((element.number, branch));
        let (branches, count) = (below.len() as u32 - 1, versions.len() as u32);
        self.take_versions(at, element, versions);
        Ok(Removal { branches, versions: count, ..Removal::default() })
    }

    /// Finds the branches from one downwards, and their versions; refuses what may not be removed.
    fn judge_branch(&self, element: &Element, branch: BranchNo) -> Outcome<(Vec<BranchNo>, Vec<VersionNo>)> {
        if branch == BranchNo::ROOT {
            return Err(Failure::new(FailureCode::RootBranch));
        }
        let mut branches = vec![branch];
        let mut next = 0;
        while let Some(branch) = branches.get(next).copied() {
            branches.extend(element.sub_branches(branch).filter(|below| self.has_branch(element, *below)));
            next += 1;
        }
        for branch in &branches {
            self.refuse_locked(element, Some(*branch), "remove branch")?;
        }
        if element.checkouts.iter().any(|checkout| branches.contains(&checkout.branch)) {
            let object_kind = ObjectKind::Branch.into();
            return Err(Failure { object_kind, ..Failure::new(FailureCode::CheckedOutVersions) });
        }
        let all = branches.iter().flat_map(|branch| &element.branch(*branch).versions);
        let versions = all.copied().filter(|version| self.has_version(element, *version)).collect();
        Ok((branches, versions))
    }

    /// The versions between two of one branch.
    pub fn between(&self, element: &Element, low: VersionNo, high: VersionNo) -> Outcome<Vec<VersionNo>> {
        let (low, high) = (element.version(low), element.version(high));
        if low.branch != high.branch {
            return Err(Failure::new(FailureCode::RangeAcrossBranches));
        }
        let between = |version: &VersionNo| {
            let number = element.version(*version).number;
            low.number < number && number < high.number && self.has_version(element, *version)
        };
        let all = element.branch(low.branch).versions.iter();
        let found: Vec<VersionNo> = all.copied().filter(between).collect();
        if found.is_empty() { Err(Failure::new(FailureCode::EmptyRange)) } else { Ok(found) }
    }

    /// Plans the removal of versions, or of their data: of all of them, or of none.
    pub fn remove_versions(
        &mut self,
        at: usize,
        element: &Arc<Element>,
        versions: &[VersionNo],
        request: &RemoveRequest,
    ) -> Outcome<Removal> {
        const OPERATION: &str = "remove version";
        let made: Vec<EventNo> =
            versions.iter().filter_map(|version| Some(element.find_version(*version)?.event)).collect();
        self.permit(element, &made, OPERATION)?;
        let (mut planned, mut removal) = (Vec::new(), Removal::default());
        for version in versions {
            let found = element.find_version(*version);
            let branch = found.ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?.branch;
            if !self.has_version(element, *version) {
                return Err(Failure::new(FailureCode::RemovedAlready));
            }
            self.refuse_locked(element, Some(branch), OPERATION)?;
            if element.checkouts.iter().any(|checkout| checkout.from == *version) {
                let object_kind = facts::kinds(element).1.into();
                return Err(Failure { object_kind, ..Failure::new(FailureCode::CheckedOutVersions) });
            }
            removal.ids.push(version_id(&self.state, element, *version).into_bytes());
            if request.only_data {
                if element.kind == ElementKind::Directory {
                    return Err(Failure::new(FailureCode::DirectoryData));
                }
                planned.push(Operation::RemoveData { element: element.number, version: *version });
                continue;
            }
            let sprouting = self.judge_version(element, *version, request)?;
            removal
                .ids
                .extend(sprouting.iter().map(|branch| branch_id(&self.state, element, *branch).into_bytes()));
            let branches = sprouting.iter();
            planned.extend(
                branches.map(|branch| Operation::RemoveBranch { element: element.number, branch: *branch }),
            );
            planned.push(Operation::RemoveVersion { element: element.number, version: *version });
        }
        removal.versions = versions.len() as u32;
        let mut gone = Vec::new();
        for operation in &planned {
            match operation {
                Operation::RemoveBranch { branch, .. } => {
                    gone.extend(self.judge_branch(element, *branch)?.1);
                    self.branches.insert((element.number, *branch));
                    removal.branches += 1;
                }
                Operation::RemoveVersion { version, .. } => gone.push(*version),
                _ => {}
            }
        }
        self.operations.extend(planned);
        self.take_versions(at, element, gone);
        Ok(removal)
    }

    /// Refuses a version that carries something that is not to go; returns the branches that go with it.
    fn judge_version(
        &self,
        element: &Element,
        version: VersionNo,
        request: &RemoveRequest,
    ) -> Outcome<Vec<BranchNo>> {
        let id = || version_id(&self.state, element, version);
        let found = element.version(version);
        if found.number == 0 {
            return Err(Failure::new(FailureCode::VersionZero).name(id()));
        }
        let in_use = |what: ObjectKind| Failure {
            object_kind: what.into(),
            ..Failure::new(FailureCode::VersionInUse).name(id())
        };
        let sprouts = element.present_branches().filter(|(_, branch)| branch.from == Some(version));
        let sprouting: Vec<BranchNo> =
            sprouts.map(|(number, _)| number).filter(|number| self.has_branch(element, *number)).collect();
        if !sprouting.is_empty() && !request.with_branches {
            return Err(in_use(ObjectKind::Branch));
        }
        for branch in &sprouting {
            self.judge_branch(element, *branch)?;
        }
        if !request.with_labels && element.labels_of(version).next().is_some() {
            return Err(in_use(ObjectKind::LabelType));
        }
        let held = element.annotations();
        if !request.with_attributes {
            let attached =
                held.attributes_of(Part::Version(version)).any(|instance| instance.value.is_some());
            if attached || !self.store.transaction(&self.store.event(found.event)?)?.attributes.is_empty() {
                return Err(in_use(ObjectKind::AttributeType));
            }
        }
        if !request.with_hyperlinks {
            let object = VobObject::Version(element.number, version);
            let linked = held.links.iter().any(|link| link.objects().any(|end| end == object));
            if linked || element.hyperlinks.iter().any(|link| link.from == version || link.to == version) {
                return Err(in_use(ObjectKind::HyperlinkType));
            }
        }
        Ok(sprouting)
    }

    fn take_versions(&mut self, at: usize, element: &Arc<Element>, versions: Vec<VersionNo>) {
        self.versions.extend(versions.iter().map(|version| (element.number, *version)));
        if element.kind == ElementKind::Directory {
            self.removed.catalogs.extend(versions.iter().map(|version| (element.number, *version)));
        }
        self.parts.push((at, Arc::clone(element), versions));
    }

    /// Returns the operations, none where nothing is removed, and what is told of each argument: elements
    /// that move to `lost+found`. Whoever has a removed file version open reads on from now on.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn finish(self) -> Outcome<(Vec<Operation>, Vec<Told>)> {
        let (mut changes, mut notices, mut found) = (Vec::new(), Vec::new(), HashSet::new());
        for (at, element, versions) in &self.parts {
            self.server.host.departed.note(self.vob.index, element, versions.iter().copied());
            if element.kind == ElementKind::Directory {
                let (moved, told) = names::orphans_of(
                    self.store,
                    element.number,
                    versions.iter().copied(),
                    &self.removed,
                    &mut found,
                )?;
                changes.extend(moved);
                notices.extend(told.into_iter().map(|notice| (*at, notice)));
            }
        }
        let mut operations = Vec::new();
        if !changes.is_empty() {
            operations.push(Operation::ChangeInPlace { element: ElementNo::LOST_AND_FOUND, changes });
        }
        operations.extend(self.operations);
        Ok((operations, notices))
    }
}
