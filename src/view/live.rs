//! Live selection: which version of each element a view shows, now.
//!
//! For every directory element that was looked at, a view keeps a [`DirectoryState`]: the
//! path by which it was reached, in the form patterns need it, and the names it catalogs.
//! States are dropped when something they depend on changes (see `change`).

use super::host::MountedVob;
use super::inode::{ViewIndex, VobIndex};
use super::private::PrivateFiles;
use super::states::{DirectoryStates, Finder};
use super::storage::ViewStorage;
use crate::store::{StoreError, Vob};
use crate::vob::apply::DirectoryAt;
use crate::vob::element::{Origins, Seen};
use crate::vob::{
    BranchNo, Directory, Element, ElementNo, EventNo, TypeKind, TypeNo, VersionNo, ViewUuid, VobState,
};
use clerestory_specs::{
    BoundSpec, BranchPlan, ConfigSpec, Maker, PathState, RuleIndex, Selection, TypeNames,
};
use parking_lot::RwLock;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

/// Names in a path that anybody can have reached: PATH_MAX (include/uapi/linux/limits.h), a letter and a slash each. Ways
/// upwards are followed so far and no further: names given at different times may lead in circles.
pub const DEPTH_MAX: usize = 2_048;

/// What a view shows for an element.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Shown {
    /// A checked-in version.
    Version(VersionNo, RuleIndex),
    /// The view's own checkout.
    CheckedOut(RuleIndex),
    /// Nothing: by a `-none` rule, or because no rule matched.
    Nothing(Option<RuleIndex>),
    /// Access is an error: by an `-error` rule, or because the rule is ambiguous.
    Error(RuleIndex),
}

impl Shown {
    /// Returns the rule that decided.
    pub fn rule(&self) -> Option<RuleIndex> {
        match self {
            Shown::Version(_, rule) | Shown::CheckedOut(rule) | Shown::Error(rule) => Some(*rule),
            Shown::Nothing(rule) => *rule,
        }
    }
}

/// A directory element as a view shows it.
#[derive(Debug)]
pub struct DirectoryState {
    /// The directory that catalogs it, and its name there; none for a VOB's root.
    pub parent: Option<(ElementNo, Box<[u8]>)>,
    /// Which rules' patterns can match below it.
    pub path: PathState,
    /// For which config spec `path` was worked out: another one makes the state void.
    pub generation: u64,
    /// The element as it was then.
    pub element: Arc<Element>,
    /// Which catalog is shown; none where no version is selected (only for a VOB's root).
    pub at: Option<DirectoryAt>,
    /// The names.
    pub catalog: Arc<Directory>,
    private: AtomicU8,
    order: OnceLock<Vec<(u64, u32)>>,
}

const PRIVATE_UNKNOWN: u8 = 0;
const PRIVATE_ABSENT: u8 = 1;
const PRIVATE_PRESENT: u8 = 2;

impl DirectoryState {
    /// Puts together what was found of a directory.
    pub(super) fn new(
        parent: Option<(ElementNo, Box<[u8]>)>,
        path: PathState,
        generation: u64,
        element: Arc<Element>,
        at: Option<DirectoryAt>,
        catalog: Arc<Directory>,
    ) -> DirectoryState {
        let (private, order) = (AtomicU8::new(PRIVATE_UNKNOWN), OnceLock::new());
        DirectoryState { parent, path, generation, element, at, catalog, private, order }
    }

    /// Tells whether the view has private files here, if that is known.
    pub fn has_private(&self) -> Option<bool> {
        match self.private.load(Ordering::Acquire) {
            PRIVATE_UNKNOWN => None,
            known => Some(known == PRIVATE_PRESENT),
        }
    }

    /// Remembers whether the view has private files here. That there are some is never taken
    /// back: who found none may have looked before the first was made.
    pub fn set_has_private(&self, present: bool) {
        if present {
            self.private.store(PRIVATE_PRESENT, Ordering::Release);
        } else {
            let (order, failure) = (Ordering::AcqRel, Ordering::Acquire);
            let _ = self.private.compare_exchange(PRIVATE_UNKNOWN, PRIVATE_ABSENT, order, failure);
        }
    }

    /// Returns the catalog's entries in the order of listings: (cookie, index).
    pub fn order(&self) -> &[(u64, u32)] {
        self.order.get_or_init(|| {
            let cookies = self.catalog.iter().zip(0..).map(|((name, _), index)| (cookie(name), index));
            let mut order: Vec<(u64, u32)> = cookies.collect();
            order.sort_unstable();
            order
        })
    }
}

/// The position of a name in listings: a hash, so that it keeps its meaning while other names
/// come and go. 1 and 2 belong to `.` and `..`.
pub fn cookie(name: &[u8]) -> u64 {
    let hash = blake3_prefix(name);
    (hash >> 2).max(3)
}

fn blake3_prefix(name: &[u8]) -> u64 {
    // FNV-1a would do for spreading; names of one directory must not collide by design of an
    // attacker either, or a listing could lose one of them.
    let hash = blake3::hash(name);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}

/// A started view.
pub struct View {
    /// Its number on this host.
    pub index: ViewIndex,
    /// Its tag.
    pub tag: String,
    /// Its storage.
    pub storage: ViewStorage,
    /// Its private files.
    pub private: PrivateFiles,
    /// The directories it showed, and the generation of its selection.
    pub(super) states: DirectoryStates,
    rules: RwLock<Rules>,
}

/// The config spec in force, and what its names mean in each VOB. A new generation of both
/// begins under the lock: nobody sees the rules of one and the meanings of another.
struct Rules {
    spec: ConfigSpec,
    bound: HashMap<VobIndex, Arc<BoundSpec>>,
}

/// By what a view selected until something else came into force.
pub(super) struct Former {
    /// Directory states of this generation belong to it.
    pub generation: u64,
    /// The spec in each VOB that was asked for.
    pub bound: HashMap<VobIndex, Arc<BoundSpec>>,
}

/// The types of a VOB, by name.
pub(super) struct Names<'a>(pub &'a VobState);

impl Names<'_> {
    fn find(&self, kind: TypeKind, name: &str) -> Option<u32> {
        self.0.type_named(kind, name).map(|object| object.number.0)
    }
}

impl TypeNames for Names<'_> {
    fn branch_type(&self, name: &str) -> Option<u32> {
        self.find(TypeKind::Branch, name)
    }

    fn label_type(&self, name: &str) -> Option<u32> {
        self.find(TypeKind::Label, name)
    }

    fn element_type(&self, name: &str) -> Option<u32> {
        self.find(TypeKind::Element, name)
    }

    fn hyperlink_type(&self, name: &str) -> Option<u32> {
        self.find(TypeKind::Hyperlink, name)
    }

    fn is_once_per_branch(&self, branch_type: u32) -> bool {
        self.0.type_object(TypeNo(branch_type)).is_some_and(|object| object.is_per_branch())
    }
}

/// Answers what queries ask of a VOB's events. An answer that cannot be read counts as no, and its error is kept:
/// what was decided on it must not be believed.
pub(super) struct Events<'a> {
    vob: &'a Vob,
    maker: &'a str,
    error: RefCell<Option<StoreError>>,
}

impl<'a> Events<'a> {
    pub fn of(vob: &'a Vob) -> Events<'a> {
        Events::with_maker(vob, "")
    }

    /// As `of`, with the login name of who causes the events that are still to come.
    fn with_maker(vob: &'a Vob, maker: &'a str) -> Events<'a> {
        Events { vob, maker, error: RefCell::default() }
    }

    fn is_to_come(&self, event: EventNo) -> bool {
        event.0 >= self.vob.state().header.events
    }

    /// Says whether everything could be read.
    pub fn finish(self) -> Result<(), StoreError> {
        self.error.into_inner().map_or(Ok(()), Err)
    }

    fn read<T>(&self, read: Result<T, StoreError>) -> Option<T> {
        read.map_err(|error| *self.error.borrow_mut() = Some(error)).ok()
    }
}

impl Origins for Events<'_> {
    fn caused_by(&self, event: EventNo, login: &str) -> bool {
        if self.is_to_come(event) {
            return login == self.maker;
        }
        let event = self.read(self.vob.event(event));
        event.is_some_and(|event| {
            self.vob.state().users().get(event.user as usize).is_some_and(|user| user.login == login)
        })
    }

    fn attributes(&self, event: EventNo, each: &mut dyn FnMut(&str, &str)) {
        if self.is_to_come(event) {
            return;
        }
        let transaction = self.vob.event(event).and_then(|event| self.vob.transaction(&event));
        for (name, value) in self.read(transaction).iter().flat_map(|found| &found.attributes) {
            each(name, value);
        }
    }

    fn state(&self) -> VobState {
        self.vob.state()
    }
}

/// A version selector that a command was given: a config spec of one rule, in one VOB.
pub struct VersionSelector(BoundSpec);

impl VersionSelector {
    /// Looks the names of a spec's rules up in a VOB.
    pub fn new(spec: &ConfigSpec, vob: &MountedVob) -> VersionSelector {
        VersionSelector(spec.bind(&Names(&vob.vob.state()), vob.tag.as_bytes()))
    }

    /// Selects a version of an element, wherever that is; no view's checkout counts.
    pub fn select(&self, vob: &MountedVob, element: &Element) -> Shown {
        select(&self.0, (vob, ""), &self.0.at_vob_root(), element, &ViewUuid([0; 16]))
    }
}

impl View {
    /// Starts a view with a compiled config spec.
    pub fn new(index: ViewIndex, tag: String, storage: ViewStorage, spec: ConfigSpec) -> View {
        View {
            index,
            tag,
            storage,
            private: PrivateFiles::default(),
            states: DirectoryStates::default(),
            rules: RwLock::new(Rules { spec, bound: HashMap::new() }),
        }
    }

    /// Returns the view's identity.
    pub fn uuid(&self) -> ViewUuid {
        self.storage.uuid()
    }

    /// Returns the config spec in force.
    pub fn spec(&self) -> ConfigSpec {
        self.rules.read().spec.clone()
    }

    /// Forgets everything that depends on the config spec or on type names. The caller makes
    /// the kernel forget everything too.
    pub(super) fn forget_selection(&self) {
        drop(self.begin_generation(None, &|| {}));
    }

    /// Puts a config spec in force, or the present one once more because the meaning of its
    /// names may have changed. Returns what selection went by until now.
    ///
    /// `advance` runs before anybody can see the new generation: an answer that was worked out
    /// by both, or by the new one, sees the change epoch move.
    pub(super) fn begin_generation(&self, spec: Option<ConfigSpec>, advance: &dyn Fn()) -> Former {
        let mut rules = self.rules.write();
        if let Some(spec) = spec {
            rules.spec = spec;
        }
        let bound = std::mem::take(&mut rules.bound);
        let generation = self.states.begin_generation();
        advance();
        Former { generation, bound }
    }

    /// Returns the config spec with its names looked up in a VOB.
    pub fn bound(&self, vob: &MountedVob) -> Arc<BoundSpec> {
        loop {
            let (spec, before) = {
                let rules = self.rules.read();
                if let Some(bound) = rules.bound.get(&vob.index) {
                    return Arc::clone(bound);
                }
                (rules.spec.clone(), self.generation())
            };
            let bound = Arc::new(spec.bind(&Names(&vob.vob.state()), vob.tag.as_bytes()));
            let mut rules = self.rules.write();
            // A spec that was replaced meanwhile must not come back.
            if self.generation() == before {
                rules.bound.insert(vob.index, Arc::clone(&bound));
                return bound;
            }
        }
    }

    /// Selects what the view shows for an element at a path.
    pub fn select(&self, vob: &MountedVob, path: &PathState, element: &Element) -> Shown {
        select(&self.bound(vob), (vob, ""), path, element, &self.uuid())
    }

    /// Selects what the view will show for an element as a commit will leave it that is planned by the user of
    /// this login name.
    pub fn select_ahead(&self, vob: &MountedVob, path: &PathState, element: &Element, login: &str) -> Shown {
        select(&self.bound(vob), (vob, login), path, element, &self.uuid())
    }

    /// Plans which branches a checkout of an element makes first. The element may be one that is still to be made.
    ///
    /// # Errors
    /// If an event that a query asks for cannot be read.
    pub fn plan_checkout(
        &self,
        vob: &MountedVob,
        path: &PathState,
        element: &Element,
        maker: Maker,
    ) -> Result<BranchPlan, StoreError> {
        let uuid = self.uuid();
        let origins = Events::with_maker(&vob.vob, maker.login);
        let seen = Seen { element, view: Some(&uuid), origins: &origins };
        let plan = self.bound(vob).plan_checkout(&Names(&vob.vob.state()), path, &seen, maker);
        origins.finish().map(|()| plan)
    }

    /// Returns the state of a directory, if it was looked at before.
    pub fn known_directory(&self, vob: VobIndex, element: ElementNo) -> Option<Arc<DirectoryState>> {
        self.states.get(vob, element)
    }

    /// Returns a number that grows whenever the config spec, or what its names mean, changes.
    pub fn generation(&self) -> u64 {
        self.states.generation()
    }

    /// Returns the state of a VOB's root directory.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn root(&self, vob: &MountedVob) -> Result<Arc<DirectoryState>, StoreError> {
        if let Some(known) = self.known_directory(vob.index, ElementNo::ROOT) {
            return Ok(known);
        }
        let generation = self.generation();
        let path = self.bound(vob).at_vob_root();
        self.enter(vob, ElementNo::ROOT, path, generation, None)
    }

    /// Looks at a directory reached by a path, and remembers it.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn enter(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        path: PathState,
        generation: u64,
        parent: Option<(ElementNo, Box<[u8]>)>,
    ) -> Result<Arc<DirectoryState>, StoreError> {
        self.enter_again(vob, number, path, generation, parent, None)
    }

    /// As [`enter`](Self::enter), because the kernel asks for the directory by that path.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub(super) fn enter_for_kernel(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        path: PathState,
        generation: u64,
        parent: Option<(ElementNo, Box<[u8]>)>,
    ) -> Result<Arc<DirectoryState>, StoreError> {
        self.enter_by(Finder::Kernel, vob, number, path, generation, parent, None)
    }

    /// Looks at a directory by a path, and leaves the one by which it was entered in force. A directory that nobody
    /// has entered is entered.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn glance(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        path: PathState,
        generation: u64,
        parent: Option<(ElementNo, Box<[u8]>)>,
    ) -> Result<Arc<DirectoryState>, StoreError> {
        match self.known_directory(vob.index, number) {
            Some(known) if known.path == path => Ok(known),
            Some(known) => self.look(vob, number, path, generation, parent, Some(&known)),
            None => self.enter(vob, number, path, generation, parent),
        }
    }

    /// As [`enter`](Self::enter), for a directory that was looked at before: what `former` catalogs need not be
    /// read again where the same version is selected. A commit that changes a version's catalog in place enters
    /// the directory itself when it is told.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub(super) fn enter_again(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        path: PathState,
        generation: u64,
        parent: Option<(ElementNo, Box<[u8]>)>,
        former: Option<&DirectoryState>,
    ) -> Result<Arc<DirectoryState>, StoreError> {
        self.enter_by(Finder::Daemon, vob, number, path, generation, parent, former)
    }

    #[expect(clippy::too_many_arguments, reason = "they are what a state is made of")]
    fn enter_by(
        &self,
        finder: Finder,
        vob: &MountedVob,
        number: ElementNo,
        path: PathState,
        generation: u64,
        parent: Option<(ElementNo, Box<[u8]>)>,
        former: Option<&DirectoryState>,
    ) -> Result<Arc<DirectoryState>, StoreError> {
        loop {
            let before = vob.vob.epoch();
            let looked = self.look(vob, number, path.clone(), generation, parent.clone(), former);
            if matches!(looked, Err(StoreError::NoSuchElement(_))) {
                // It may have been remembered just before it was removed.
                self.states.withdraw(vob.index, number);
            }
            let state = looked?;
            self.states.remember(vob.index, number, &state, finder);
            // A state that a commit has overtaken must not stay.
            if vob.vob.epoch() == before {
                return Ok(state);
            }
        }
    }

    fn look(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        path: PathState,
        generation: u64,
        parent: Option<(ElementNo, Box<[u8]>)>,
        former: Option<&DirectoryState>,
    ) -> Result<Arc<DirectoryState>, StoreError> {
        let element = vob.element(number)?;
        let at = match self.select(vob, &path, &element) {
            Shown::Version(version, _) => Some(DirectoryAt::Version(version)),
            Shown::CheckedOut(_) => {
                element.checkout_of(&self.uuid()).map(|checkout| DirectoryAt::CheckedOut(checkout.number))
            }
            Shown::Nothing(_) | Shown::Error(_) => None,
        };
        let catalog = match (at, former) {
            (Some(DirectoryAt::Version(_)), Some(former)) if former.at == at => Arc::clone(&former.catalog),
            (Some(at), _) => vob.vob.directory(number, at)?,
            (None, _) => Arc::default(),
        };
        Ok(Arc::new(DirectoryState::new(parent, path, generation, element, at, catalog)))
    }

    /// Returns the state of a directory that the kernel knows by number: looks anew along the
    /// path by which it was reached last.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn directory(&self, vob: &MountedVob, number: ElementNo) -> Result<Arc<DirectoryState>, StoreError> {
        match self.find_directory(vob, number, &mut Vec::new())? {
            Some(state) => Ok(state),
            // No name leads to it any more; patterns that name no directory still decide.
            None => {
                let generation = self.generation();
                let path = self.bound(vob).at_vob_root();
                self.enter(vob, number, path, generation, None)
            }
        }
    }

    /// As [`directory`](Self::directory), for a directory by which an element once had a name; none where that was
    /// removed. An element may remember names that no version ever had, and nobody can find those to take them away.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn holder(
        &self,
        vob: &MountedVob,
        number: ElementNo,
    ) -> Result<Option<Arc<DirectoryState>>, StoreError> {
        match self.directory(vob, number) {
            Err(StoreError::NoSuchElement(missing)) if missing == number => Ok(None),
            other => other.map(Some),
        }
    }

    /// Follows names up to the root. `on_the_way` keeps from going in circles: two directories
    /// may have held each other at different times.
    fn find_directory(
        &self,
        vob: &MountedVob,
        number: ElementNo,
        on_the_way: &mut Vec<ElementNo>,
    ) -> Result<Option<Arc<DirectoryState>>, StoreError> {
        if let Some(known) = self.known_directory(vob.index, number) {
            return Ok(Some(known));
        }
        if number == ElementNo::ROOT {
            return self.root(vob).map(Some);
        }
        if on_the_way.contains(&number) || on_the_way.len() == DEPTH_MAX {
            return Ok(None);
        }
        let Some(element) = vob.vob.element(number)? else {
            return Ok(None);
        };
        on_the_way.push(number);
        let mut found = None;
        for (parent, name) in element.names.iter().rev() {
            let Some(state) = self.find_directory(vob, *parent, on_the_way)? else {
                continue;
            };
            if state.catalog.get(name) == Some(crate::vob::Entry::Element(number)) {
                let path = self.bound(vob).descend(&state.path, name);
                let place = Some((*parent, name.clone()));
                found = Some(self.enter(vob, number, path, state.generation, place)?);
                break;
            }
        }
        on_the_way.pop();
        Ok(found)
    }
}

/// Selects what a spec shows for an element at a path; `maker` causes the events that are still to come.
fn select(
    bound: &BoundSpec,
    (vob, maker): (&MountedVob, &str),
    path: &PathState,
    element: &Element,
    view: &ViewUuid,
) -> Shown {
    let origins = Events::with_maker(&vob.vob, maker);
    let seen = Seen { element, view: Some(view), origins: &origins };
    let shown = match bound.select(path, &seen) {
        Selection::Version { branch, number, rule } => match element.version_at(BranchNo(branch), number) {
            Some(version) => Shown::Version(version, rule),
            None => Shown::Nothing(Some(rule)),
        },
        Selection::CheckedOut { rule } => Shown::CheckedOut(rule),
        Selection::None { rule } => Shown::Nothing(rule),
        Selection::Error { rule, .. } => Shown::Error(rule),
    };
    match origins.finish() {
        Ok(()) => shown,
        Err(error) => {
            tracing::error!(%error, "a query of the config spec cannot be answered");
            Shown::Error(shown.rule().unwrap_or(RuleIndex(0)))
        }
    }
}
