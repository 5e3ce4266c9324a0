//! What each argument of mkelem and mkdir comes to, on what those before it leave.
//!
//! Catalogs change here first: each directory's changes are one operation, added at the end, because working out how a
//! catalog is stored takes as long as it is.

use super::files::{Converted, Fate, Files, PrivateFile};
use super::{Asked, Loaded, Make};
use crate::server::firing::Subject;
use crate::server::proto::*;
use crate::server::service::ahead::{self, Ahead, Name, Walk, read};
use crate::server::service::auto_branch::{branch_path, plan_failure, planned_branches};
use crate::server::service::file_data::{Data, Stamp};
use crate::server::service::groups::group_of_new;
use crate::server::service::{facts, names, triggers};
use crate::server::state::Outcome;
use crate::store::Vob;
use crate::view::ViewStorage;
use crate::view::inode::ViewIndex;
use crate::view::live::Shown;
use crate::view::private::Place;
use crate::vob::apply::{DirectoryAt, valid_entry_name};
use crate::vob::draft::Judged;
use crate::vob::element::NewElement;
use crate::vob::state::predefined;
use crate::vob::{
    BranchNo, Content, Directory, Draft, Element, ElementKind, ElementNo, Entry, EventNo, NameChange, Oid,
    Operation, Records, Transaction, TriggerLists, VersionNo, ViewUuid,
};
use clerestory_specs::{Maker, PathState, PlanFailure};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an argument comes to.
pub(super) struct Planned {
    pub outcome: Outcome<Made>,
    /// The directory elements made on the way.
    pub made_directories: Vec<MadeDirectory>,
}

/// Bytes of a name, at most.
const NAME_BYTES_MAX: usize = 255;

/// An element that will be made.
pub(super) struct Made {
    pub told: MadeElement,
    /// What is to be checked in.
    pub load: Option<Load>,
}

/// A file whose data is to be checked in, and the type manager that takes it.
pub(super) struct Load {
    pub path: PathBuf,
    pub manager: String,
}

/// A directory that names are made in.
#[derive(Clone)]
struct Here {
    ahead: Ahead,
    /// Where what is private to the view in it is now, relative to the storage.
    private: PathBuf,
    /// The inode number of the private directory that it is made of, if it is.
    converted: Option<u64>,
}

/// A catalog that is being changed.
struct Opened {
    view: ViewUuid,
    catalog: Arc<Directory>,
    changes: Vec<NameChange>,
    notes: Vec<String>,
}

/// What is wanted of one new element.
struct Wanted<'a> {
    /// The argument that wants it.
    at: usize,
    after: AfterMake,
    /// The private file or directory of that name.
    existing: Option<rustix::fs::Stat>,
    /// The file's data, once it is known.
    loaded: Option<&'a Loaded>,
    /// The private directory is to become the element.
    convert: bool,
}

/// How an element begins, as far as its record does not say it.
struct Begun {
    operations: Vec<Operation>,
    /// An event of its own, so that its comment can be changed alone.
    check_in: Option<Operation>,
    told: MadeElement,
    stamp: Option<Stamp>,
    /// What will have been done: it stays checked out where its type manager does not take the data.
    after: AfterMake,
}

/// Plans arguments in a draft.
pub(super) struct Planner<'a, 'd> {
    make: &'a Make<'a>,
    store: &'a Vob,
    draft: &'a mut Draft<'d>,
    /// Whether evil twins are refused.
    twins: bool,
    /// Whether this is only to learn what is wanted.
    is_scratch: bool,
    opened: BTreeMap<(ViewIndex, ElementNo), Opened>,
    known: HashMap<Vec<u8>, Here>,
    /// Private directories that become elements, by their places.
    converted: HashSet<(ViewIndex, PathBuf)>,
    /// Places that private files will be moved to.
    aside: HashSet<(ViewIndex, PathBuf)>,
    files: Files,
}

/// Where a new element is.
struct Placed<'a> {
    asked: &'a Asked<'a>,
    here: &'a Here,
    leaf: &'a [u8],
    /// Its name's place among private files, relative to the storage.
    private: &'a Path,
    oid: Oid,
    /// The element's permission bits.
    mode: u32,
    /// How its file was when it was checked in.
    stamp: Option<Stamp>,
    after: AfterMake,
}

impl Here {
    fn at(ahead: Ahead) -> Here {
        Here { private: ViewStorage::private(&ahead.oid), ahead, converted: None }
    }

    /// How the table of private files calls the place of a private name.
    fn place(&self, leaf: &[u8]) -> Place {
        match self.converted {
            Some(inode) => Place::Within(inode, leaf.into()),
            None => Place::Path(self.private.join(OsStr::from_bytes(leaf))),
        }
    }
}

impl<'a, 'd> Planner<'a, 'd> {
    /// Begins with nothing planned.
    pub fn new(make: &'a Make<'a>, store: &'a Vob, draft: &'a mut Draft<'d>, twins: bool) -> Planner<'a, 'd> {
        let (opened, known, converted, aside, files) = Default::default();
        Planner { make, store, draft, twins, is_scratch: false, opened, known, converted, aside, files }
    }

    /// The same, only to learn what is wanted: no file is touched.
    pub fn scratch(
        make: &'a Make<'a>,
        store: &'a Vob,
        draft: &'a mut Draft<'d>,
        twins: bool,
    ) -> Planner<'a, 'd> {
        Planner { is_scratch: true, ..Planner::new(make, store, draft, twins) }
    }

    /// Plans an argument; `loaded` is the data that is to be checked in.
    pub fn argument(&mut self, at: usize, asked: &Asked<'_>, loaded: Option<&Loaded>) -> Planned {
        let mut made_directories = Vec::new();
        let outcome = self.plan(at, asked, loaded, &mut made_directories);
        Planned { outcome, made_directories }
    }

    fn plan(
        &mut self,
        at: usize,
        asked: &Asked<'_>,
        loaded: Option<&Loaded>,
        made_directories: &mut Vec<MadeDirectory>,
    ) -> Outcome<Made> {
        let names: Vec<&[u8]> = ahead::names(asked.rest).collect();
        // The root of a VOB has no name in it.
        let (leaf, above) = names.split_last().ok_or_else(|| Failure::new(FailureCode::EntryExists))?;
        let here = self.directory(at, asked, above, made_directories)?;
        let existing = self.private(asked, &here.private.join(OsStr::from_bytes(leaf)))?;
        // Said before anything about the type that it would have.
        if existing.is_none() && self.catalog(asked, &here)?.get(leaf).is_some() {
            return Err(Failure::new(FailureCode::EntryExists));
        }
        let wanted = Wanted { at, after: self.make.after, existing, loaded, convert: false };
        self.create(asked, &here, leaf, &wanted)
    }

    fn walk<'w>(&self, asked: &'w Asked<'_>) -> Walk<'w>
    where
        'a: 'w,
    {
        Walk { view: &asked.view, vob: &asked.vob, login: &self.make.user.login }
    }

    /// Follows names from the VOB's root to a directory; private directories on the way become elements where that is
    /// asked for.
    fn directory(
        &mut self,
        at: usize,
        asked: &Asked<'_>,
        names: &[&[u8]],
        made_directories: &mut Vec<MadeDirectory>,
    ) -> Outcome<Here> {
        let walk = self.walk(asked);
        let mut key = asked.view.tag.clone().into_bytes();
        let mut here = match self.known.get(&key) {
            Some(known) => known.clone(),
            None => Here::at(walk.root(self.draft)?.0),
        };
        self.known.insert(key.clone(), here.clone());
        for (depth, name) in names.iter().enumerate() {
            key = [&key, b"/".as_slice(), name].concat();
            if let Some(known) = self.known.get(&key) {
                here = known.clone();
                continue;
            }
            let place = here.private.join(OsStr::from_bytes(name));
            let mut converted = None;
            match self.private(asked, &place)? {
                Some(stat) if self.make.make_path && is_directory(&stat) => {
                    let after = AfterMake::CheckOut;
                    let wanted = Wanted { at, after, existing: Some(stat), loaded: None, convert: true };
                    let made = self.create(asked, &here, name, &wanted)?;
                    made_directories.push(MadeDirectory {
                        pname: typed_prefix(asked.pname, names.len() - depth),
                        checked_out_version: made.told.checked_out_version,
                    });
                    converted = Some((place, stat.st_ino));
                }
                Some(_) if self.make.make_path => return Err(Failure::new(FailureCode::NotADirectory)),
                Some(_) => return Err(Failure::new(FailureCode::NotAVobObject)),
                None => {}
            }
            let catalog = self.catalog(asked, &here)?;
            here = match walk.catalogued(self.draft, &here.ahead, &catalog, name)? {
                Name::Element(element, shown, path) if element.kind == ElementKind::Directory => {
                    Here::at(walk.place(&element, shown, path))
                }
                Name::Nothing => return Err(Failure::new(FailureCode::NoSuchFile)),
                _ => return Err(Failure::new(FailureCode::NotADirectory)),
            };
            if let Some((place, inode)) = converted {
                (here.private, here.converted) = (place, Some(inode));
            }
            self.known.insert(key.clone(), here.clone());
        }
        Ok(here)
    }

    /// Looks at a place among private files, as it will be.
    fn private(&self, asked: &Asked<'_>, place: &Path) -> Outcome<Option<rustix::fs::Stat>> {
        match self.converted.contains(&(asked.view.index, place.to_owned())) {
            true => Ok(None),
            false => self.walk(asked).private(place),
        }
    }

    /// Reads the names that a directory will show.
    fn catalog(&self, asked: &Asked<'_>, here: &Here) -> Outcome<Arc<Directory>> {
        match self.opened.get(&(asked.view.index, here.ahead.number)) {
            Some(opened) if matches!(here.ahead.at, Some(DirectoryAt::CheckedOut(_))) => {
                Ok(Arc::clone(&opened.catalog))
            }
            _ => ahead::catalog(self.draft, &here.ahead),
        }
    }

    /// Opens the catalog of a directory that the view has checked out.
    fn open(&mut self, asked: &Asked<'_>, directory: &Element) -> Outcome<&mut Opened> {
        let (view, element) = (asked.view.uuid(), directory.number);
        let key = (asked.view.index, element);
        if !self.opened.contains_key(&key) {
            let not_checked_out = || Failure::new(FailureCode::DirectoryNotCheckedOut);
            let checkout = directory.checkout_of(&view).ok_or_else(not_checked_out)?;
            let catalog = self.draft.directory(element, DirectoryAt::CheckedOut(checkout.number))?;
            self.opened.insert(key, Opened { view, catalog, changes: Vec::new(), notes: Vec::new() });
        }
        self.opened.get_mut(&key).ok_or_else(|| Failure::internal("a catalog that was opened is not there"))
    }

    /// Plans one new element and its name.
    fn create(&mut self, asked: &Asked<'_>, here: &Here, leaf: &[u8], wanted: &Wanted<'_>) -> Outcome<Made> {
        if leaf.len() > NAME_BYTES_MAX {
            return Err(Failure::new(FailureCode::NameTooLong));
        }
        if !valid_entry_name(leaf) || leaf.windows(2).any(|pair| pair == b"@@") {
            return Err(Failure::new(FailureCode::BadName).name(leaf));
        }
        let (make, server) = (self.make, self.make.server);
        let directory = read(self.draft, here.ahead.number)?;
        triggers::refuse_vetoed(asked.vob.index, || Subject::Name(directory.number, leaf.into()))?;
        server.permit_element(make.caller, &asked.vob, &directory, "modify directory")?;
        server.permit_changes(make.caller, &asked.view, "make element")?;
        let state = self.draft.state();
        let (element_type, type_name) = match wanted.convert {
            true => (predefined::DIRECTORY, state.type_name(predefined::DIRECTORY).to_owned()),
            false => asked.element_type(&state)?,
        };
        let kind = match state.is_directory_type(element_type) {
            true => ElementKind::Directory,
            false => ElementKind::File,
        };
        if kind == ElementKind::File && asked.pname.typed.ends_with(b"/") && !wanted.convert {
            return Err(Failure::new(FailureCode::NotADirectory));
        }
        judge_existing(kind, wanted)?;
        let private = here.private.join(OsStr::from_bytes(leaf));
        if wanted.existing.is_some() && !wanted.convert {
            // A version is everybody's: who makes it of another's file must be able to read that.
            let path = asked.view.storage.dir().join(&private);
            facts::permit_private(&asked.view, &path, make.caller, facts::MAY_LIST)
                .map_err(|failure| Failure { name: Vec::new(), ..failure })?;
        }
        if self.catalog(asked, here)?.get(leaf).is_some() {
            return Err(Failure::new(FailureCode::EntryExists));
        }
        match (kind, wanted.after, &wanted.existing) {
            (ElementKind::Directory, AfterMake::CheckIn, _) => {
                return Err(Failure::new(FailureCode::DirectoryHasNoData));
            }
            (ElementKind::File, AfterMake::CheckIn, None) => {
                return Err(Failure::new(FailureCode::NoSuchFile));
            }
            _ => {}
        }
        server.refuse_locked_making(&asked.vob, &directory, &asked.view, element_type, make.caller)?;
        if self.open(asked, &directory)?.catalog.get(leaf).is_some() {
            return Err(Failure::new(FailureCode::EntryExists));
        }
        if self.twins && self.store.element(directory.number)?.is_some() {
            let holder = (&*directory, &*self.catalog(asked, here)?);
            names::refuse_other(self.store, holder, leaf, None)?;
        }
        let number = state.next_element();
        let oid = Oid::derived(&[
            &asked.view.uuid().0,
            leaf,
            &make.time_ns.to_be_bytes(),
            &number.0.to_be_bytes(),
            &state.header.oid.map(|oid| oid.0).unwrap_or_default(),
        ]);
        let owner = make.caller.user_id;
        let group = group_of_new(&state, make.caller, make.use_group_list)?;
        let mode = self.mode(kind, wanted);
        let new = NewElement { number, oid, kind, element_type, owner, group, mode };
        let path = asked.view.bound(&asked.vob).descend(&here.ahead.path, leaf);
        let mut begun = Begun {
            operations: vec![Operation::CreateElement {
                number,
                oid,
                kind,
                element_type,
                owner,
                group,
                mode,
            }],
            check_in: None,
            told: MadeElement { element_type: type_name.into_bytes(), ..MadeElement::default() },
            stamp: None,
            after: wanted.after,
        };
        begun.operations.extend(inherited(&directory, number, kind));
        if wanted.after != AfterMake::Nothing {
            let element = Element::new(new, EventNo(state.header.events), make.time_ns);
            self.begin(asked, &element, &path, &private, wanted, &mut begun)?;
        }
        let Begun { operations, check_in, mut told, stamp, after } = begun;
        let parts = [Some(operations), check_in.map(|operation| vec![operation])].into_iter().flatten();
        let transactions: Vec<Transaction> =
            parts.map(|operations| self.transaction(asked.comment, operations)).collect();
        let judged = self.judge(asked, &transactions)?;
        let made = judged.element(number).ok_or_else(|| Failure::internal("a new element is not there"))?;
        let shown = asked.view.select_ahead(&asked.vob, &path, made, &make.user.login);
        let newest = VersionNo(made.versions.len() as u32 - 1);
        let place = Placed { asked, here, leaf, private: &private, oid, mode: u32::from(mode), stamp, after };
        match kind {
            ElementKind::File => self.place_file(&place, wanted, shown, &mut told)?,
            ElementKind::Directory => self.place_directory(&place, wanted, number),
        }
        notice_unseen(after, shown, newest, &mut told);
        self.draft.accept_all(transactions, judged);
        let note = format!("Added {} \"{}\".", names::kind_word(kind), String::from_utf8_lossy(leaf));
        let opened = self.open(asked, &directory)?;
        let change = NameChange { name: leaf.into(), entry: Some(Entry::Element(number)) };
        Arc::make_mut(&mut opened.catalog).apply(std::slice::from_ref(&change));
        opened.changes.push(change);
        opened.notes.push(note);
        let load = (wanted.after == AfterMake::CheckIn).then(|| Load {
            path: asked.view.storage.dir().join(&private),
            manager: state.element_type(element_type).1.to_owned(),
        });
        Ok(Made { told, load })
    }

    fn mode(&self, kind: ElementKind, wanted: &Wanted<'_>) -> u16 {
        let umask = self.make.context.umask;
        let mode = match (kind, &wanted.existing) {
            (ElementKind::Directory, _) => 0o777 & !umask,
            (ElementKind::File, Some(stat)) => stat.st_mode & 0o555,
            (ElementKind::File, None) => 0o444 & !umask,
        };
        mode as u16
    }

    /// Plans the checkout of a new element, and its checkin where that was asked for.
    fn begin(
        &self,
        asked: &Asked<'_>,
        element: &Element,
        path: &PathState,
        private: &Path,
        wanted: &Wanted<'_>,
        begun: &mut Begun,
    ) -> Outcome<()> {
        let (view, state) = (asked.view.uuid(), self.draft.state());
        let maker = Maker { login: &self.make.user.login, now_ns: self.make.time_ns };
        let plan = asked.view.plan_checkout(&asked.vob, path, element, maker)?;
        let branch = match &plan.outcome {
            Ok(branch) => *branch,
            // What the view does not select is checked out nevertheless, on the last branch there is.
            Err(PlanFailure::NotSelected(_) | PlanFailure::Error(..)) => {
                (element.branches.len() + plan.branches.len() - 1) as u32
            }
            Err(failure) => return Err(plan_failure(&state, element, &plan, failure)),
        };
        let path = branch_path(&state, element, &plan, branch);
        let branches = planned_branches(&state, element, &plan);
        let branch = BranchNo(branch);
        let from = branches.newest(element, branch);
        begun.operations.extend(branches.operations);
        begun.told.notices.extend(branches.notices);
        let locked = &begun.operations;
        self.make.server.refuse_locked_plan(&asked.vob, element, locked, self.make.caller)?;
        begun.told.checked_out_version = format!("{path}/0").into_bytes();
        begun.operations.push(Operation::CheckOut {
            element: element.number,
            view,
            view_tag: asked.view.tag.clone(),
            branch,
            from,
            reserved: true,
        });
        if wanted.after != AfterMake::CheckIn {
            return Ok(());
        }
        let private = asked.view.storage.dir().join(private);
        let data = match wanted.loaded {
            Some(Ok((data, stamp))) => {
                if !stamp.is_of(&private) {
                    return Err(Failure::new(FailureCode::FileChangedDuringCheckin));
                }
                begun.stamp = Some(*stamp);
                *data
            }
            Some(Err(failure))
                if matches!(failure.code(), FailureCode::LineTooLong | FailureCode::HasNul) =>
            {
                begun.told.follow_up_failure = Some(failure.clone());
                begun.after = AfterMake::CheckOut;
                return Ok(());
            }
            Some(Err(failure)) => return Err(failure.clone()),
            None if self.is_scratch => Data { content: Content::Empty, executable: false, modified_ns: 0 },
            None => return Err(Failure::new(FailureCode::FileChangedDuringCheckin)),
        };
        let Data { content, executable, modified_ns } = data;
        let preserves_time =
            self.make.preserve_time || self.draft.state().preserves_time(element.element_type);
        let modified_ns = preserves_time.then_some(modified_ns);
        begun.check_in =
            Some(Operation::CheckIn { element: element.number, view, content, executable, modified_ns });
        begun.told.checked_in_version = format!("{path}/1").into_bytes();
        Ok(())
    }

    /// Plans what becomes of the private file of an element's name, and puts data into its place.
    fn place_file(
        &mut self,
        place: &Placed<'_>,
        wanted: &Wanted<'_>,
        shown: Shown,
        told: &mut MadeElement,
    ) -> Outcome<()> {
        if self.is_scratch {
            return Ok(());
        }
        let Placed { asked, here, leaf, private, oid, mode, stamp, after } = place;
        let is_shown = matches!(shown, Shown::CheckedOut(_));
        let umask = self.make.context.umask;
        let fate = match (*after, &wanted.existing) {
            (AfterMake::CheckOut, Some(stat)) if is_shown => {
                let mode = (stat.st_mode | 0o222 & !umask) & 0o7777;
                let linked = self.files.link(&asked.view, private, *oid)?;
                Fate::Data { element: *oid, mode, linked }
            }
            (AfterMake::CheckOut, None) if is_shown => {
                return self.files.create(self.make, &asked.view, *oid, (mode | 0o222) & !umask);
            }
            (AfterMake::CheckIn, Some(_)) => match stamp {
                Some(stamp) => Fate::CheckedIn(*stamp),
                None => return Ok(()),
            },
            // It would hide the new element, or the view would hide it.
            (AfterMake::CheckOut, Some(_)) => Fate::Aside(self.aside(place, b".mkelem")?),
            (AfterMake::Nothing, Some(_)) => Fate::Aside(self.aside(place, b".keep")?),
            (_, None) => return Ok(()),
        };
        if let Fate::Aside(leaf) = &fate {
            let (code, name) = (NoticeCode::MovedAside.into(), leaf.clone());
            told.notices.push(Notice { code, name, ..Notice::default() });
        }
        let inode = wanted.existing.as_ref().map_or(0, |stat| stat.st_ino);
        let file = PrivateFile {
            view: Arc::clone(&asked.view),
            directory: here.ahead.number,
            directory_oid: here.ahead.oid,
            leaf: leaf.to_vec(),
            inode,
            place: here.place(leaf),
            fate,
        };
        self.files.files.push((wanted.at, file));
        Ok(())
    }

    /// Finds a free private name: the leaf with a suffix, and a number behind it if need be.
    fn aside(&mut self, place: &Placed<'_>, suffix: &[u8]) -> Outcome<Vec<u8>> {
        let Placed { asked, here, leaf, .. } = place;
        let catalog = self.catalog(asked, here)?;
        for attempt in 0u32.. {
            let number = if attempt == 0 { String::new() } else { format!(".{attempt}") };
            let name = [leaf, suffix, number.as_bytes()].concat();
            let path = here.private.join(OsStr::from_bytes(&name));
            let is_free = catalog.get(&name).is_none()
                && self.walk(asked).private(&path)?.is_none()
                && self.aside.insert((asked.view.index, path));
            if is_free {
                return Ok(name);
            }
        }
        Err(Failure::new(FailureCode::EntryExists))
    }

    fn place_directory(&mut self, place: &Placed<'_>, wanted: &Wanted<'_>, directory: ElementNo) {
        let (Placed { asked, here, leaf, private, oid, .. }, true) = (place, wanted.convert) else { return };
        let converted = Converted {
            view: Arc::clone(&asked.view),
            directory,
            oid: *oid,
            from: ViewStorage::private(&here.ahead.oid).join(OsStr::from_bytes(leaf)),
            inode: wanted.existing.as_ref().map_or(0, |stat| stat.st_ino),
            place: here.place(leaf),
        };
        self.converted.insert((asked.view.index, private.to_path_buf()));
        self.files.converted.push((wanted.at, converted));
    }

    /// Adds the changes of directories to the draft, and returns what is to be done to files.
    ///
    /// # Errors
    /// If the VOB refuses that: nothing must be committed then.
    pub fn finish(mut self) -> Outcome<Files> {
        let change = |((_, element), opened): ((ViewIndex, ElementNo), Opened)| {
            let Opened { view, changes, notes, .. } = opened;
            let note = notes.join("\n");
            (!changes.is_empty()).then_some(Operation::ChangeDirectory { element, view, changes, note })
        };
        let opened = std::mem::take(&mut self.opened);
        let operations: Vec<Operation> = opened.into_iter().filter_map(change).collect();
        let transaction = self.transaction(b"", operations);
        let added = match transaction.operations.is_empty() {
            true => Ok(()),
            false => self.draft.add(transaction),
        };
        match added {
            Ok(()) => Ok(self.files),
            Err(refused) => {
                self.files.take_back();
                Err(Failure::internal(refused.to_string()))
            }
        }
    }

    fn judge(&self, asked: &Asked<'_>, transactions: &[Transaction]) -> Outcome<Judged> {
        self.draft.judge_all(transactions).map_err(|refused| self.make.server.refused(&asked.vob, refused))
    }

    fn transaction(&self, comment: &[u8], operations: Vec<Operation>) -> Transaction {
        Transaction {
            time_ns: self.make.time_ns,
            user: self.make.user.clone(),
            comment: String::from_utf8_lossy(comment).into_owned(),
            attributes: vec![],
            operations,
        }
    }
}

/// What gives a new element the trigger types that its directory hands on.
fn inherited(
    directory: &Element,
    element: ElementNo,
    kind: ElementKind,
) -> impl Iterator<Item = Operation> + '_ {
    let lists = if kind == ElementKind::Directory { TriggerLists::Both } else { TriggerLists::Attached };
    let list = directory.annotations().triggers.inherited.iter();
    list.map(move |trigger| Operation::ChangeTriggers { element, trigger: *trigger, lists, present: true })
}

/// Refuses what stands at the name of a new element.
fn judge_existing(kind: ElementKind, wanted: &Wanted<'_>) -> Outcome<()> {
    let Some(stat) = &wanted.existing else { return Ok(()) };
    match (kind, stat.st_mode & libc::S_IFMT) {
        (ElementKind::Directory, libc::S_IFDIR) if wanted.convert => Ok(()),
        (_, libc::S_IFDIR) => Err(Failure::new(FailureCode::PrivateDirectoryInTheWay)),
        (ElementKind::Directory, _) => Err(Failure::new(FailureCode::EntryExists)),
        (ElementKind::File, libc::S_IFREG) => Ok(()),
        (ElementKind::File, _) => Err(Failure::other("only ordinary files can become file elements")),
    }
}

/// Tells if the view does not show what was made.
fn notice_unseen(after: AfterMake, shown: Shown, newest: VersionNo, told: &mut MadeElement) {
    let code = match (after, shown) {
        (AfterMake::Nothing, _) | (AfterMake::CheckOut, Shown::CheckedOut(_)) => return,
        (AfterMake::CheckIn, Shown::Version(version, _)) if version == newest => return,
        (AfterMake::CheckOut, _) => NoticeCode::CheckedOutNotSelected,
        (AfterMake::CheckIn, _) => NoticeCode::CheckedInNotSelected,
    };
    told.notices.push(Notice { code: code.into(), ..Notice::default() });
}

fn is_directory(stat: &rustix::fs::Stat) -> bool {
    stat.st_mode & libc::S_IFMT == libc::S_IFDIR
}

/// A path as it was typed, without its last names; whole where that is not told from what was typed.
fn typed_prefix(pname: &Pname, without: usize) -> Vec<u8> {
    let shorten = |path: &[u8]| {
        let mut path = path.to_vec();
        for _ in 0..without {
            let end = path.iter().rposition(|byte| *byte == b'/')?;
            path.truncate(end);
        }
        Some(path).filter(|path| !path.is_empty())
    };
    let is_plain = pname.absolute.ends_with(&pname.typed);
    let typed = shorten(&pname.typed).filter(|_| is_plain);
    typed.or_else(|| shorten(&pname.absolute)).unwrap_or_default()
}
