//! lock, unlock and lslock.

use super::describe::{Describer, SEARCH_CHUNK};
use super::facts::{self, Names, told};
use super::objects::{Change, Named, kind_and_name, reply};
use crate::server::identity::{self, Caller};
use crate::server::proto::lock_item::Item;
use crate::server::proto::target::Target as Kind;
use crate::server::proto::{
    Context, Failure, FailureCode, ListLocksReply, ListLocksRequest, LockItem, LockRequest, LockRow,
    ObjectKind, ObjectsReply, Pname, Target,
};
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::{MountedVob, View};
use crate::vob::{Annotations, ElementNo, Lock, LockRule, Operation, Part, VobObject, VobState};
use std::sync::Arc;

impl Server {
    /// Locks objects, or takes their locks away.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are outcomes.
    pub(super) fn lock_objects(&self, caller: &Caller, request: &LockRequest) -> Outcome<ObjectsReply> {
        let context = Server::context(&request.context)?;
        for login in &request.exempt {
            if !identity::is_user_name(login) {
                return Err(Failure::new(FailureCode::UnknownUser).name(login.as_str()));
            }
        }
        let lockable = |named: Named| {
            let object = named.element_or_other();
            match (object, named.checkout) {
                (VobObject::Version(..), _) | (_, Some(_)) if named.extended => {
                    let object_kind = ObjectKind::Version.into();
                    Err(Failure { object_kind, ..Failure::new(FailureCode::NotLockable) })
                }
                _ => Ok(Named { object, checkout: None, ..named }),
            }
        };
        let named: Vec<Outcome<Named>> = request
            .arguments
            .iter()
            .map(|argument| self.named(context, &argument.target).and_then(lockable))
            .collect();
        let outcomes = self.change_objects((caller, context), &named, |store, named, at| {
            let comment = &request.arguments[at].comment;
            self.plan_lock(caller, store, named, request, &String::from_utf8_lossy(comment))
        });
        Ok(reply(&named, outcomes))
    }

    fn plan_lock(
        &self,
        caller: &Caller,
        store: &Vob,
        named: &Named,
        request: &LockRequest,
        comment: &str,
    ) -> Outcome<Change> {
        let object = named.object;
        // Who may lock a VOB may unlock it; nothing in it is locked or unlocked meanwhile.
        if object != VobObject::Vob {
            self.refuse_locked_object(&named.vob, VobObject::Vob, caller, "lock")?;
        }
        self.permit_owner(caller, store, object, if request.unlock { "unlock" } else { "lock" })?;
        let state = store.state();
        let is_locked = match object {
            VobObject::Vob => state.settings().annotations.lock(Part::Whole).is_some(),
            VobObject::Type(number) => {
                let object = state.type_object(number);
                object.is_some_and(|object| object.annotations.lock(Part::Whole).is_some())
            }
            _ => {
                let element = object.element().map(|number| store.element(number)).transpose()?.flatten();
                element.is_some_and(|element| element.annotations().lock(object.part()).is_some())
            }
        };
        match (is_locked, request.unlock) {
            (true, false) if !request.replace => return Err(Failure::new(FailureCode::AlreadyLocked)),
            (false, true) => return Err(Failure::new(FailureCode::NotLocked)),
            _ => {}
        }
        let rule = LockRule { exempt: request.exempt.clone(), obsolete: request.obsolete };
        let sentence = match (&rule.exempt[..], request.unlock) {
            (_, true) => String::new(),
            ([], false) => "Locked for all users.".to_owned(),
            (exempt, false) => format!("Locked except for users: {}", exempt.join(" ")),
        };
        let lines = [sentence.as_str(), comment];
        let comment = lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        let lock = (!request.unlock).then_some(rule);
        Ok(Change { operations: vec![Operation::SetLock { object, lock }], comment })
    }

    /// Answers the locks of objects, or of whole VOBs.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of targets are items.
    pub(super) fn list_locks(&self, _caller: &Caller, request: &ListLocksRequest) -> Outcome<ListLocksReply> {
        let context = Server::context(&request.context)?;
        let mut items = Vec::new();
        let here = [Target { target: Some(Kind::Pname(facts::working_directory(context))) }];
        let targets = if request.targets.is_empty() { &here[..] } else { &request.targets };
        for (argument, target) in (0..).zip(targets) {
            let mut rows = Vec::new();
            let listed = match request.all || request.targets.is_empty() {
                true => self.locks_in_vob(context, target, request, &mut rows),
                false => self.locks_of(context, target, request.describe, &mut rows),
            };
            items.extend(rows.into_iter().map(|row| LockItem { argument, item: Some(Item::Row(row)) }));
            if let Err(failure) = listed {
                items.push(LockItem { argument, item: Some(Item::Failure(failure)) });
            }
        }
        Ok(ListLocksReply { items })
    }

    fn locks_of(
        &self,
        context: &Context,
        target: &Target,
        describe: bool,
        rows: &mut Vec<LockRow>,
    ) -> Outcome<()> {
        let named = self.named(context, &Some(target.clone()))?;
        let object = named.element_or_other();
        let (store, state) = (&named.vob.vob, named.vob.vob.state());
        let annotations = match object {
            VobObject::Vob => state.settings().annotations.clone(),
            VobObject::Type(number) => {
                state.type_object(number).map(|object| object.annotations.clone()).unwrap_or_default()
            }
            _ => match object.element() {
                Some(number) => named.vob.element(number)?.annotations().clone(),
                None => Annotations::default(),
            },
        };
        if let Some(lock) = annotations.lock(object.part()) {
            let mut row = row(&named.vob, store, &state, object, lock)?;
            if object.element().is_some() {
                row.name = Vec::new();
            }
            if describe {
                let view = self.current_view(context).ok();
                let names = Names::new(view.as_ref(), &named.vob, b"");
                row.description = Describer::new(self, &named.vob, names).describe(object)?;
            }
            rows.push(row);
        }
        Ok(())
    }

    /// Finds the locks of the VOB, of its type objects by kind and name, of its elements.
    fn locks_in_vob(
        &self,
        context: &Context,
        target: &Target,
        request: &ListLocksRequest,
        rows: &mut Vec<LockRow>,
    ) -> Outcome<()> {
        let nothing = Pname::default();
        let pname = match &target.target {
            Some(Kind::Pname(pname)) => pname,
            Some(Kind::Selector(selector)) => selector.vob.as_ref().unwrap_or(&nothing),
            None => &nothing,
        };
        let vob = self.selected_vob(context, pname)?;
        let place = self.place(context, pname).ok();
        let above = place.as_ref().map_or(&b""[..], |(_, inside)| facts::above(&pname.absolute, inside));
        let view: Option<&Arc<View>> = place.as_ref().map(|(view, _)| view);
        let mut names = Names::new(view, &vob, above);
        let (store, state) = (&vob.vob, vob.vob.state());
        let wanted = |lock: &Lock| request.obsolete || !lock.rule.obsolete;
        let mut describer =
            request.describe.then(|| Describer::new(self, &vob, Names::new(view, &vob, above)));
        let mut push = |object: VobObject, row: LockRow| {
            let told = describer.as_mut().map(|describer| describer.describe(object));
            rows.push(LockRow { description: told.transpose()?.flatten(), ..row });
            Outcome::Ok(())
        };
        if let Some(lock) = state.settings().annotations.lock(Part::Whole).filter(|lock| wanted(lock)) {
            push(VobObject::Vob, row(&vob, store, &state, VobObject::Vob, lock)?)?;
        }
        let mut types: Vec<_> = state.present_types().collect();
        types.sort_by_key(|object| (object.kind as u8, object.name.as_str()));
        for object in types {
            if let Some(lock) = object.annotations.lock(Part::Whole).filter(|lock| wanted(lock)) {
                let object = VobObject::Type(object.number);
                push(object, row(&vob, store, &state, object, lock)?)?;
            }
        }
        let all: Vec<ElementNo> = (0..state.header.elements).map(ElementNo).collect();
        for numbers in all.chunks(SEARCH_CHUNK) {
            store.prefetch(numbers)?;
            for number in numbers {
                let Some(element) = store.element(*number)? else { continue };
                for (part, lock) in element.annotations().locks.iter().filter(|(_, lock)| wanted(lock)) {
                    let object = VobObject::Element(*number).with_part(*part);
                    let row = row(&vob, store, &state, object, lock)?;
                    push(object, LockRow { name: names.path(&element)?, ..row })?;
                }
            }
        }
        Ok(())
    }
}

fn row(vob: &MountedVob, store: &Vob, state: &VobState, object: VobObject, lock: &Lock) -> Outcome<LockRow> {
    let (kind, name, branch) = kind_and_name(vob, state, object);
    Ok(LockRow {
        kind: kind.into(),
        name,
        branch,
        created: Some(told(store, lock.event)?.created()),
        exempt: lock.rule.exempt.clone(),
        obsolete: lock.rule.obsolete,
        description: None,
    })
}
