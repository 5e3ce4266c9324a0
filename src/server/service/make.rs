//! mkelem and mkdir: names come under version control.

use super::auto_branch::{branch_path, plan_failure, planned_branches};
use super::facts;
use super::file_data::{Data, store_file};
use super::groups::group_of_new;
use super::names;
use super::slot::{Slot, free_leaf};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::state::{Outcome, Server, now_ns};
use crate::view::{Found, ViewStorage};
use crate::vob::apply::DirectoryAt;
use crate::vob::element::NewElement;
use crate::vob::{
    BranchNo, Element, ElementKind, ElementNo, Entry, EventNo, NameChange, Oid, Operation, Transaction,
    TypeKind, TypeNo,
};
use clerestory_specs::{Maker, PlanFailure};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

struct Wanted<'a> {
    kind: ElementKind,
    element_type: &'a [u8],
    after: AfterMake,
    preserve_time: bool,
    use_group_list: bool,
}

impl Server {
    pub(super) fn make_elements(
        &self,
        caller: &Caller,
        request: &MakeElementRequest,
    ) -> Outcome<MakeElementReply> {
        let context = Server::context(&request.context)?;
        let directory = request.element_type == b"directory";
        let wanted = Wanted {
            kind: if directory { ElementKind::Directory } else { ElementKind::File },
            element_type: &request.element_type,
            after: request.after(),
            preserve_time: request.preserve_time,
            use_group_list: request.use_group_list,
        };
        let one = |argument: &MakeElementArgument| {
            let mut made = Vec::new();
            let path = match request.make_path {
                true => self.make_path(caller, context, &wanted, argument, &mut made),
                false => Ok(()),
            };
            let outcome = path.and_then(|()| self.make(caller, context, &wanted, argument));
            MakeElementOutcome { made_directories: made, ..told(outcome) }
        };
        Ok(MakeElementReply { outcomes: request.arguments.iter().map(one).collect() })
    }

    pub(super) fn make_directories(
        &self,
        caller: &Caller,
        request: &MakeDirectoryRequest,
    ) -> Outcome<MakeElementReply> {
        let context = Server::context(&request.context)?;
        let wanted = Wanted {
            kind: ElementKind::Directory,
            element_type: b"directory",
            after: request.after(),
            preserve_time: false,
            use_group_list: request.use_group_list,
        };
        let one = |argument: &MakeElementArgument| told(self.make(caller, context, &wanted, argument));
        Ok(MakeElementReply { outcomes: request.arguments.iter().map(one).collect() })
    }

    fn make(
        &self,
        caller: &Caller,
        context: &Context,
        wanted: &Wanted<'_>,
        argument: &MakeElementArgument,
    ) -> Outcome<MadeElement> {
        let pname =
            argument.pname.as_ref().ok_or_else(|| Failure::internal("an argument came without its name"))?;
        let slot = self.slot(context, pname)?;
        let view = slot.view.uuid();
        self.permit_element(caller, &slot.vob, &slot.state.element, "modify directory")?;
        self.permit_changes(caller, &slot.view, "make element")?;
        let private = slot.private();
        let existing = private.symlink_metadata().ok();
        self.check_existing(&slot, wanted, existing.as_ref())?;
        if existing.is_some() {
            // A version is everybody's: who makes it of another's file must be able to read that.
            facts::permit_private(&slot.view, &private, caller, facts::MAY_LIST)
                .map_err(|failure| Failure { name: Vec::new(), ..failure })?;
        }
        let element_type = self.choose_type(&slot, wanted, &private, existing.as_ref())?;
        self.refuse_locked_making(&slot, element_type.0, caller)?;
        let group = group_of_new(&slot.vob.vob.state(), caller, wanted.use_group_list)?;
        let data = match (wanted.kind, wanted.after, &existing) {
            (ElementKind::File, AfterMake::CheckIn, Some(_)) => Some(store_file(&slot.vob, &private)?),
            (ElementKind::File, AfterMake::CheckIn, None) => {
                return Err(Failure::new(FailureCode::NoSuchFile));
            }
            _ => None,
        };
        let mode = match (wanted.kind, &existing) {
            (ElementKind::Directory, _) => 0o777 & !context.umask,
            (ElementKind::File, Some(metadata)) => metadata.mode() & 0o555,
            (ElementKind::File, None) => 0o444 & !context.umask,
        } as u16;
        let mut made = MadeElement { element_type: element_type.1.clone(), ..MadeElement::default() };
        let mut number = ElementNo(0);
        names::look_back(&slot)?;
        self.commit(&slot.vob, |store| {
            let element =
                store.element(slot.directory)?.ok_or_else(|| Failure::internal("the directory is gone"))?;
            let not_checked_out = || Failure::new(FailureCode::DirectoryNotCheckedOut);
            let checkout = element.checkout_of(&view).ok_or_else(not_checked_out)?;
            let catalog = store.directory(slot.directory, DirectoryAt::CheckedOut(checkout.number))?;
            if catalog.get(&slot.leaf).is_some() {
                return Err(Failure::new(FailureCode::EntryExists));
            }
            names::refuse_twin(store, &element, &slot.leaf, None)?;
            let (time_ns, user) = (now_ns(), self.user(caller, context));
            let state = store.state();
            number = state.next_element();
            let oid = Oid::derived(&[
                &view.0,
                &slot.leaf,
                &time_ns.to_be_bytes(),
                &number.0.to_be_bytes(),
                &state.header.oid.map(|oid| oid.0).unwrap_or_default(),
            ]);
            let kind_name = match wanted.kind {
                ElementKind::File => "file",
                ElementKind::Directory => "directory",
            };
            let name: Box<[u8]> = slot.leaf.as_slice().into();
            let new = NewElement {
                number,
                oid,
                kind: wanted.kind,
                element_type: element_type.0,
                owner: caller.user_id,
                group,
                mode,
            };
            let mut operations = vec![
                Operation::CreateElement {
                    number,
                    oid,
                    kind: new.kind,
                    element_type: new.element_type,
                    owner: new.owner,
                    group: new.group,
                    mode,
                },
                Operation::ChangeDirectory {
                    element: slot.directory,
                    view,
                    changes: vec![NameChange { name, entry: Some(Entry::Element(number)) }],
                    note: format!("Added {kind_name} element \"{}\".", String::from_utf8_lossy(&slot.leaf)),
                },
            ];
            if wanted.after != AfterMake::Nothing {
                let element = Element::new(new, EventNo(state.header.events), time_ns);
                let maker = Maker { login: &user.login, now_ns: time_ns };
                self.plan_after(&slot, &element, maker, wanted, data, &mut operations, &mut made)?;
                self.refuse_locked_plan(&slot.vob, &element, &operations, caller)?;
            }
            Ok(vec![Transaction {
                time_ns,
                user,
                comment: String::from_utf8_lossy(&argument.comment).into_owned(),
                attributes: vec![],
                operations,
            }])
        })?;
        self.move_data(caller, context, &slot, wanted, number, existing.is_some(), &mut made)?;
        self.host.private_changed(&slot.view, &slot.vob, slot.directory, &[&slot.leaf]);
        Ok(made)
    }

    fn check_existing(
        &self,
        slot: &Slot,
        wanted: &Wanted<'_>,
        existing: Option<&std::fs::Metadata>,
    ) -> Outcome<()> {
        let is_directory = existing.map(|metadata| metadata.is_dir());
        match (wanted.kind, is_directory) {
            (ElementKind::Directory, Some(true)) => Err(Failure::new(FailureCode::PrivateDirectoryInTheWay)),
            (ElementKind::Directory, Some(false)) => Err(Failure::new(FailureCode::EntryExists)),
            (ElementKind::File, Some(true)) => {
                Err(Failure::other("a directory cannot become a file element"))
            }
            (ElementKind::File, Some(false)) if existing.is_some_and(|metadata| !metadata.is_file()) => {
                Err(Failure::other("only ordinary files can become file elements"))
            }
            _ if slot.state.catalog.get(&slot.leaf).is_some() => Err(Failure::new(FailureCode::EntryExists)),
            _ => Ok(()),
        }
    }

    /// Chooses the element type: the one asked for, else by what an existing file holds.
    fn choose_type(
        &self,
        slot: &Slot,
        wanted: &Wanted<'_>,
        private: &Path,
        existing: Option<&std::fs::Metadata>,
    ) -> Outcome<(TypeNo, Vec<u8>)> {
        let state = slot.vob.vob.state();
        let named = match wanted.element_type {
            [] if existing.is_some() && !is_text(private)? => "compressed_file",
            [] => "text_file",
            name => std::str::from_utf8(name).unwrap_or_default(),
        };
        let found = state.type_named(TypeKind::Element, named);
        let fits =
            |number: TypeNo| state.is_directory_type(number) == (wanted.kind == ElementKind::Directory);
        match found.filter(|object| fits(object.number)) {
            Some(object) => Ok((object.number, object.name.clone().into_bytes())),
            None => Err(Failure {
                object_kind: ObjectKind::ElementType.into(),
                ..Failure::new(FailureCode::TypeNotFound).name(named)
            }),
        }
    }

    /// Plans the checkout of the new element, and its checkin where that was asked for.
    #[allow(clippy::too_many_arguments)]
    fn plan_after(
        &self,
        slot: &Slot,
        element: &Element,
        maker: Maker<'_>,
        wanted: &Wanted<'_>,
        data: Option<Data>,
        operations: &mut Vec<Operation>,
        made: &mut MadeElement,
    ) -> Outcome<()> {
        let (view, number) = (slot.view.uuid(), element.number);
        let at = slot.view.bound(&slot.vob).descend(&slot.state.path, &slot.leaf);
        let plan = slot.view.plan_checkout(&slot.vob, &at, element, maker)?;
        let state = slot.vob.vob.state();
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
        operations.extend(branches.operations);
        made.notices.extend(branches.notices);
        made.checked_out_version = format!("{path}/0").into_bytes();
        operations.push(Operation::CheckOut {
            element: number,
            view,
            view_tag: slot.view.tag.clone(),
            branch,
            from,
            reserved: true,
        });
        if let Some(data) = data {
            let modified_ns = wanted.preserve_time.then_some(data.modified_ns);
            let Data { content, executable, .. } = data;
            operations.push(Operation::CheckIn { element: number, view, content, executable, modified_ns });
            made.checked_in_version = format!("{path}/1").into_bytes();
        }
        Ok(())
    }

    /// The private file of the name becomes the checked-out data; without one an empty file
    /// does. After a checkin it goes.
    #[allow(clippy::too_many_arguments)]
    fn move_data(
        &self,
        caller: &Caller,
        context: &Context,
        slot: &Slot,
        wanted: &Wanted<'_>,
        number: ElementNo,
        exists: bool,
        made: &mut MadeElement,
    ) -> Outcome<()> {
        if wanted.kind == ElementKind::Directory {
            return Ok(());
        }
        let element = slot.vob.element(number)?;
        let data = slot.view.storage.dir().join(ViewStorage::checkout(&element.oid));
        let private = slot.private();
        let system = |error: std::io::Error| Failure::system(Vec::new(), &error);
        match (wanted.after, exists) {
            (AfterMake::CheckOut, true) => {
                let metadata = private.metadata().map_err(system)?;
                let mode = metadata.mode() | 0o222 & !context.umask;
                std::fs::set_permissions(&private, std::fs::Permissions::from_mode(mode & 0o7777))
                    .map_err(system)?;
                std::fs::rename(&private, &data).map_err(system)?;
                let relative = ViewStorage::checkout(&element.oid);
                let from = ViewStorage::private(&slot.state.element.oid).join(OsStr::from_bytes(&slot.leaf));
                let place = crate::view::private::Place::Path;
                slot.view.private.moved(metadata.ino(), &place(from), place(relative));
            }
            (AfterMake::CheckOut, false) => {
                let file = std::fs::File::create(&data).map_err(system)?;
                let mode = (u32::from(element.mode) | 0o222) & !context.umask;
                file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(system)?;
                if rustix::process::geteuid().is_root() {
                    let owner = (Some(caller.user_id), Some(caller.group_id));
                    std::os::unix::fs::fchown(&file, owner.0, owner.1).map_err(system)?;
                }
                file.sync_all().map_err(system)?;
            }
            (AfterMake::CheckIn, _) => {
                let metadata = private.metadata().map_err(system)?;
                let root = slot.view.storage.root();
                let from = ViewStorage::private(&slot.state.element.oid).join(OsStr::from_bytes(&slot.leaf));
                let place = crate::view::private::Place::Path(from);
                let left = slot.view.private.leave(root, metadata.ino(), &place);
                left.map_err(|refusal| {
                    Failure::other(format!("the private file cannot be let go: {refusal:?}"))
                })?;
                std::fs::remove_file(&private).map_err(system)?;
            }
            (AfterMake::Nothing, true) => {
                // It would hide the new element.
                let dir = private.parent().unwrap_or(Path::new(""));
                let aside = free_leaf(dir, &slot.state, &slot.leaf, ".mkelem");
                std::fs::rename(&private, dir.join(OsStr::from_bytes(&aside))).map_err(system)?;
                self.host.private_changed(&slot.view, &slot.vob, slot.directory, &[&aside]);
                let code = NoticeCode::MovedAside.into();
                made.notices.push(Notice { code, name: aside, ..Notice::default() });
            }
            (AfterMake::Nothing, false) => {}
        }
        Ok(())
    }

    /// Makes directory elements of the private directories that lead to a name.
    fn make_path(
        &self,
        caller: &Caller,
        context: &Context,
        element: &Wanted<'_>,
        argument: &MakeElementArgument,
        made: &mut Vec<MadeDirectory>,
    ) -> Outcome<()> {
        let pname =
            argument.pname.as_ref().ok_or_else(|| Failure::internal("an argument came without its name"))?;
        let (view, path) = self.place(context, pname)?;
        let inside = pname.absolute.len() - path.len();
        let ends: Vec<usize> =
            path.iter().enumerate().skip(1).filter(|(_, b)| **b == b'/').map(|(at, _)| at).collect();
        for end in ends {
            let Ok(resolved) = self.host.resolve(&view, &path[..end]) else {
                continue;
            };
            let Found::Private { path: private, stat, .. } = resolved.found else {
                continue;
            };
            if stat.st_mode & libc::S_IFMT != libc::S_IFDIR {
                return Err(Failure::new(FailureCode::NotADirectory));
            }
            let absolute = pname.absolute[..inside + end].to_vec();
            // The directory makes room for the element, then gives its contents to it.
            let aside = private.with_extension("mkpath");
            let system = |error: std::io::Error| Failure::system(Vec::new(), &error);
            std::fs::rename(&private, &aside).map_err(system)?;
            let wanted = Wanted {
                kind: ElementKind::Directory,
                element_type: b"directory",
                after: AfterMake::CheckOut,
                preserve_time: false,
                use_group_list: element.use_group_list,
            };
            let typed = absolute.clone();
            let argument = MakeElementArgument {
                pname: Some(Pname { typed: typed.clone(), absolute }),
                comment: argument.comment.clone(),
            };
            match self.make(caller, context, &wanted, &argument) {
                Ok(done) => {
                    made.push(MadeDirectory { pname: typed, checked_out_version: done.checked_out_version });
                }
                Err(failure) => {
                    let _ = std::fs::rename(&aside, &private);
                    return Err(failure);
                }
            }
            let made_now = self.host.resolve(&view, &path[..end])?;
            let Found::Element { element, .. } = made_now.found else {
                return Err(Failure::internal("a directory element that was just made is not there"));
            };
            let home = view.storage.dir().join(ViewStorage::private(&element.oid));
            std::fs::rename(&aside, &home).map_err(system)?;
            if let Some(state) = view.known_directory(made_now.vob.index, element.number) {
                state.set_has_private(true);
            }
            self.host.forget_everything();
        }
        Ok(())
    }
}

/// Tells whether a file looks like text: no NUL in its beginning.
fn is_text(path: &Path) -> Outcome<bool> {
    use std::io::Read;
    let mut beginning = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(8192).read_to_end(&mut beginning));
    read.map_err(|error| Failure::system(Vec::new(), &error))?;
    Ok(!beginning.contains(&0))
}

fn told(outcome: Outcome<MadeElement>) -> MakeElementOutcome {
    MakeElementOutcome {
        outcome: Some(match outcome {
            Ok(done) => make_element_outcome::Outcome::Done(done),
            Err(failure) => make_element_outcome::Outcome::Failure(failure),
        }),
        made_directories: Vec::new(),
    }
}

#[cfg(test)]
#[path = "make_tests.rs"]
mod tests;
