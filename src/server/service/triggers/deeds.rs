//! What the operations of a frame do, as trigger types see it: one deed for each object that one operation is
//! about, with what actions find in their environment.
//!
//! Operations are looked at one after the other, each on what those before it leave. Nothing is changed.

mod links;

use crate::server::firing::{self, Subject};
use crate::server::proto::{ObjectKind, ValueType};
use crate::server::service::describe::type_object_kind;
use crate::server::service::facts::{Names, join, kinds};
use crate::server::service::types::attribute_facts;
use crate::server::state::{Outcome, Server};
use crate::store::Vob;
use crate::view::resolve::{branch_id, checkout_id, version_id};
use crate::view::{MountedVob, View};
use crate::vob::apply::DirectoryAt;
use crate::vob::{
    BranchNo, Draft, Element, ElementNo, Entry, LinkEnd, NameChange, Operation, Records, SymlinkNo,
    Transaction, TriggerOperation, TypeKind, TypeNo, VersionNo, ViewUuid, VobObject, VobState,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// One thing that an operation does to one object.
pub struct Deed {
    /// What is done.
    pub operation: TriggerOperation,
    /// Who does it.
    pub login: String,
    /// The kind of the object.
    pub kind: ObjectKind,
    /// What planners call it.
    pub subject: Subject,
    /// Whether element triggers watch it.
    pub is_of_elements: bool,
    /// Whether type triggers watch it.
    pub is_of_types: bool,
    /// Elements whose triggers fire.
    pub holders: Vec<Arc<Element>>,
    /// Types that restrictions ask for.
    pub types: Vec<(TypeKind, TypeNo)>,
    /// Types that type triggers watch.
    pub watched: Vec<(TypeKind, TypeNo)>,
    /// The kinds of the ends of a hyperlink; unspecified where there is none, or it is not known here.
    pub ends: [ObjectKind; 2],
    /// What values the attribute has.
    pub value_type: Option<ValueType>,
    /// The directory in which a new element is made.
    new_in: Option<Arc<Element>>,
    path: Vec<u8>,
    /// What follows `@@` before and after.
    extension: (String, String),
    further: Vec<(&'static str, Vec<u8>)>,
}

impl Deed {
    /// Tells whether a new element gets a trigger type from its directory.
    pub fn inherits(&self, number: TypeNo) -> bool {
        self.new_in
            .as_ref()
            .is_some_and(|directory| directory.annotations().triggers.inherited.contains(&number))
    }

    /// What actions find in their environment.
    pub fn variables(&self, before: bool) -> Vec<(&'static str, Vec<u8>)> {
        let mut all = vec![("USER", self.login.clone().into_bytes())];
        let extension = if before { &self.extension.0 } else { &self.extension.1 };
        if !self.path.is_empty() {
            all.push(("PN", self.path.clone()));
            all.push(("XN_SFX", b"@@".to_vec()));
            all.push(("ID_STR", extension.clone().into_bytes()));
            all.push(("XPN", [&self.path[..], b"@@", extension.as_bytes()].concat()));
        }
        all.extend(self.further.iter().cloned());
        all
    }
}

/// What an environment says.
type Variables = Vec<(&'static str, Vec<u8>)>;

/// A directory, and a name in it.
type NameIn = (ElementNo, Box<[u8]>);

/// A directory, its catalog before, and how its names change.
type CatalogChange<'o> = (ElementNo, Option<DirectoryAt>, &'o [NameChange]);

/// An object that an operation is about.
struct Object {
    kind: ObjectKind,
    subject: Subject,
    element: Option<Arc<Element>>,
    path: Vec<u8>,
    extension: String,
    types: Vec<(TypeKind, TypeNo)>,
}

/// The deeds of one frame.
pub struct Deeds<'a> {
    vob: &'a Arc<MountedVob>,
    place: Option<(Arc<View>, Vec<u8>)>,
    draft: Draft<'a>,
    /// What trigger types of the VOB watch: nothing else is looked at closely.
    wanted: Vec<TriggerOperation>,
    /// Elements and links made here, and the first names they get.
    new_elements: HashSet<ElementNo>,
    new_links: HashMap<SymlinkNo, Vec<u8>>,
    names: HashMap<Entry, NameIn>,
    /// Names that change, and what they lead to before and after.
    moved: HashMap<Entry, Vec<(bool, NameIn)>>,
    removed_type: Option<TypeNo>,
    paths: HashMap<ElementNo, Vec<u8>>,
    login: String,
    comment: String,
    deeds: Vec<Deed>,
}

impl<'a> Deeds<'a> {
    /// Finds the deeds of a frame.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn of(
        server: &Server,
        vob: &'a Arc<MountedVob>,
        store: &'a Vob,
        frame: &[Transaction],
    ) -> Outcome<Vec<Deed>> {
        let place = firing::place().or_else(|| {
            let context = firing::context()?;
            let view = server.current_view(&context).ok()?;
            let outside = server.below_viewroot(&context.working_directory).is_some();
            let above = server.home.viewroot().join(&view.tag).into_os_string().into_encoded_bytes();
            Some((view, if outside { above } else { Vec::new() }))
        });
        let (new_elements, new_links, names, moved, paths) = Default::default();
        let (removed_type, login, comment, deeds) = (None, String::new(), String::new(), Vec::new());
        let draft = Draft::new(store);
        let state = draft.state();
        let definitions = state.trigger_types().iter().filter_map(|number| state.trigger(*number));
        let wanted = definitions.flat_map(|definition| definition.operations.iter().copied()).collect();
        let mut all = Deeds {
            vob,
            place,
            draft,
            wanted,
            new_elements,
            new_links,
            names,
            moved,
            removed_type,
            paths,
            login,
            comment,
            deeds,
        };
        let operations = || frame.iter().flat_map(|transaction| &transaction.operations);
        operations().try_for_each(|operation| all.survey(operation))?;
        for transaction in frame {
            all.login.clone_from(&transaction.user.login);
            all.comment.clone_from(&transaction.comment);
            for operation in &transaction.operations {
                all.operation(operation)?;
                let alone = Transaction { operations: vec![operation.clone()], ..transaction.clone() };
                // What is not lawful is refused by the commit.
                let _ = all.draft.add(alone);
            }
        }
        Ok(all.deeds)
    }

    /// Notes what later operations of the frame say of objects of earlier ones.
    fn survey(&mut self, operation: &Operation) -> Outcome<()> {
        match operation {
            Operation::CreateElement { number, .. } => drop(self.new_elements.insert(*number)),
            Operation::CreateSymlink { number, target, .. } => {
                self.new_links.insert(*number, target.to_vec());
            }
            Operation::RemoveType { number } => self.removed_type = Some(*number),
            _ => {}
        }
        let Some((directory, at, changes)) = self.catalog_changed(operation)? else { return Ok(()) };
        for change in changes {
            let former = match at {
                Some(at) => self.draft.directory(directory, at)?.get(&change.name),
                None => None,
            };
            if let Some(entry) = former {
                self.moved.entry(entry).or_default().push((false, (directory, change.name.clone())));
            }
            if let Some(entry) = change.entry {
                self.moved.entry(entry).or_default().push((true, (directory, change.name.clone())));
                self.names.entry(entry).or_insert_with(|| (directory, change.name.clone()));
            }
        }
        Ok(())
    }

    /// The directory whose names an operation changes, its catalog before, and the changes.
    fn catalog_changed<'o>(&self, operation: &'o Operation) -> Outcome<Option<CatalogChange<'o>>> {
        Ok(match operation {
            Operation::ChangeDirectory { element, view, changes, .. } => {
                let directory = self.draft.element(*element)?;
                let checkout = directory.and_then(|directory| directory.checkout_of(view).cloned());
                let at = checkout.map(|checkout| DirectoryAt::CheckedOut(checkout.number));
                Some((*element, at, changes))
            }
            Operation::ChangeVersionInPlace { element, version, changes } => {
                Some((*element, Some(DirectoryAt::Version(*version)), changes))
            }
            Operation::ChangeInPlace { element, changes } => {
                Some((*element, Some(DirectoryAt::Version(VersionNo::ROOT)), changes))
            }
            _ => None,
        })
    }

    fn state(&self) -> VobState {
        self.draft.state()
    }

    fn element(&self, number: ElementNo) -> Outcome<Option<Arc<Element>>> {
        Ok(self.draft.element(number)?)
    }

    /// The path of an element in the view.
    fn path(&mut self, number: ElementNo) -> Outcome<Vec<u8>> {
        if let Some(path) = self.paths.get(&number) {
            return Ok(path.clone());
        }
        let path =
            match (self.new_elements.contains(&number), self.names.get(&Entry::Element(number)).cloned()) {
                (true, Some((directory, name))) => join(&self.path(directory)?, &name),
                (true, None) => Vec::new(),
                (false, _) => match self.vob.vob.element(number)? {
                    Some(element) => {
                        let above = self.place.as_ref().map_or(&b""[..], |(_, above)| above);
                        let view = self.place.as_ref().map(|(view, _)| view);
                        Names::new(view, self.vob, above).path(&element)?
                    }
                    None => Vec::new(),
                },
            };
        self.paths.insert(number, path.clone());
        Ok(path)
    }

    fn object(&mut self, object: VobObject) -> Outcome<Option<Object>> {
        let state = self.state();
        let (number, branch, extension, kind) = match object {
            VobObject::Vob => {
                let (kind, subject) = (ObjectKind::Vob, Subject::Vob);
                let path = self.vob.tag.clone().into_bytes();
                return Ok(Some(Object {
                    kind,
                    subject,
                    element: None,
                    path,
                    extension: String::new(),
                    types: vec![],
                }));
            }
            VobObject::Type(number) => {
                let Some(of_type) = state.types().get(number.index()) else { return Ok(None) };
                let subject = Subject::Type(of_type.kind, of_type.name.clone());
                let types = vec![(of_type.kind, number)];
                let kind = type_object_kind(of_type.kind);
                let (path, extension) = (Vec::new(), String::new());
                return Ok(Some(Object { kind, subject, element: None, path, extension, types }));
            }
            VobObject::Element(number) => (number, None, String::new(), None),
            VobObject::Branch(number, branch) => {
                let Some(element) = self.element(number)? else { return Ok(None) };
                let id = element.has_branch(branch).then(|| branch_id(&state, &element, branch));
                (number, Some(branch), id.unwrap_or_default(), Some(ObjectKind::Branch))
            }
            VobObject::Version(number, version) => {
                let Some(element) = self.element(number)? else { return Ok(None) };
                let Some(found) = element.find_version(version) else { return Ok(None) };
                let kind = kinds(&element).1;
                (number, Some(found.branch), version_id(&state, &element, version), Some(kind))
            }
            VobObject::CheckOut(number, checkout) => {
                let Some(element) = self.element(number)? else { return Ok(None) };
                let Some(held) = element.checkouts.iter().find(|held| held.number == checkout) else {
                    return Ok(None);
                };
                (number, Some(held.branch), checkout_id(&state, &element, held), Some(kinds(&element).1))
            }
        };
        let Some(element) = self.element(number)? else { return Ok(None) };
        let mut types = vec![(TypeKind::Element, element.element_type)];
        if let Some(branch) = branch.and_then(|branch| element.find_branch(branch)) {
            types.push((TypeKind::Branch, branch.branch_type));
        }
        let path = self.path(number)?;
        let subject = match self.names.get(&Entry::Element(number)) {
            Some((directory, name)) if self.new_elements.contains(&number) => {
                Subject::Name(*directory, name.clone())
            }
            _ => Subject::Element(number),
        };
        let kind = kind.unwrap_or_else(|| kinds(&element).0);
        Ok(Some(Object { kind, subject, element: Some(element), path, extension, types }))
    }

    /// Adds a deed about an object; `by` are types that it is done with.
    fn add(
        &mut self,
        operation: TriggerOperation,
        object: Object,
        by: &[(TypeKind, TypeNo)],
        further: Vec<(&'static str, Vec<u8>)>,
    ) -> &mut Deed {
        let state = self.state();
        let is_type = matches!(object.subject, Subject::Type(..));
        let mut types: Vec<(TypeKind, TypeNo)> = by.to_vec();
        types.extend(object.types.iter().filter(|(kind, _)| by.iter().all(|(other, _)| other != kind)));
        let mut watched = by.to_vec();
        watched.extend(object.types.iter().filter(|_| is_type));
        let mut all: Vec<(&'static str, Vec<u8>)> = vec![("COMMENT", self.comment.clone().into_bytes())];
        for (kind, number) in &types {
            all.push((variable(*kind), state.type_name(*number).as_bytes().to_vec()));
        }
        all.extend(further);
        self.deeds.push(Deed {
            operation,
            login: self.login.clone(),
            kind: object.kind,
            subject: object.subject,
            is_of_elements: object.element.is_some(),
            is_of_types: !watched.is_empty(),
            holders: object.element.into_iter().collect(),
            types,
            watched,
            ends: [ObjectKind::Unspecified; 2],
            value_type: None,
            new_in: None,
            path: object.path,
            extension: (object.extension.clone(), object.extension),
            further: all,
        });
        let last = self.deeds.len() - 1;
        &mut self.deeds[last]
    }

    /// The variable that says of which operation this one is a part.
    fn within(&self, parent: Option<TriggerOperation>) -> Vec<(&'static str, Vec<u8>)> {
        parent.map(|parent| ("POP_KIND", parent.word().as_bytes().to_vec())).into_iter().collect()
    }

    fn is_new(&self, element: ElementNo) -> Option<TriggerOperation> {
        self.new_elements.contains(&element).then_some(TriggerOperation::MakeElement)
    }

    fn of_removed(&self, number: TypeNo) -> Option<TriggerOperation> {
        (self.removed_type == Some(number)).then_some(TriggerOperation::RemoveType)
    }

    fn wants(&self, operation: TriggerOperation) -> bool {
        self.wanted.iter().any(|wanted| wanted.includes(operation))
    }

    fn on(
        &mut self,
        operation: TriggerOperation,
        object: VobObject,
        by: &[(TypeKind, TypeNo)],
        further: Vec<(&'static str, Vec<u8>)>,
    ) -> Outcome<Option<&mut Deed>> {
        if !self.wants(operation) {
            return Ok(None);
        }
        match self.object(object)? {
            Some(object) => Ok(Some(self.add(operation, object, by, further))),
            None => Ok(None),
        }
    }

    fn operation(&mut self, operation: &Operation) -> Outcome<()> {
        use TriggerOperation as Op;
        match operation {
            Operation::CheckOut { element, branch, from, reserved, .. } => {
                let parent =
                    self.is_new(*element).or_else(|| firing::command().filter(|op| *op == Op::MakeBranch));
                let mut further = self.within(parent);
                further.push(("RESERVED", vec![if *reserved { b'1' } else { b'0' }]));
                self.checked_out_of((*element, *branch, *from), further)?;
            }
            Operation::CancelCheckOut { element, view } => {
                self.on_checkout(Op::Uncheckout, *element, view, &mut |_, _, _| None)?;
            }
            Operation::CheckIn { element, view, .. } => {
                self.on_checkout(Op::Checkin, *element, view, &mut |state, element, branch| {
                    let number = element.find_branch(branch)?.next_number;
                    Some(format!("{}/{number}", branch_id(state, element, branch)))
                })?;
            }
            Operation::Reserve { element, view, reserved } => {
                let operation = if *reserved { Op::Reserve } else { Op::Unreserve };
                self.on_checkout(operation, *element, view, &mut |_, _, _| None)?;
            }
            Operation::CreateElement { number, kind, element_type, .. } => {
                self.made(*number, *kind == crate::vob::ElementKind::Directory, *element_type)?;
            }
            Operation::CreateBranch { element, from, branch_type } => {
                let checkout = (firing::command() != Some(Op::MakeBranch)).then_some(Op::Checkout);
                let further = self.within(self.is_new(*element).or(checkout));
                let by = [(TypeKind::Branch, *branch_type)];
                let state = self.state();
                if let Some(deed) =
                    self.on(Op::MakeBranch, VobObject::Version(*element, *from), &by, further)?
                {
                    let parent = deed.extension.0.rsplit_once('/').map_or("", |(parent, _)| parent);
                    deed.extension.1 = format!("{parent}/{}", state.type_name(*branch_type));
                }
            }
            Operation::ApplyLabel { label, targets } => {
                for (element, version) in targets {
                    let held = self.element(*element)?;
                    let moves = held.is_some_and(|held| held.labelled(*label).any(|other| other != *version));
                    let further = vec![("REPLACE", vec![if moves { b'1' } else { b'0' }])];
                    let object = VobObject::Version(*element, *version);
                    self.on(Op::MakeLabel, object, &[(TypeKind::Label, *label)], further)?;
                }
            }
            Operation::RemoveVersionLabels { label, targets } => {
                for (element, version) in targets {
                    let object = VobObject::Version(*element, *version);
                    self.on(Op::RemoveLabel, object, &[(TypeKind::Label, *label)], Vec::new())?;
                }
            }
            Operation::RemoveLabel { label, targets } => {
                let further = self.within(self.of_removed(*label));
                for number in targets {
                    let held = self.element(*number)?;
                    let versions: Vec<VersionNo> =
                        held.iter().flat_map(|held| held.labelled(*label)).collect();
                    for version in versions {
                        let object = VobObject::Version(*number, version);
                        self.on(Op::RemoveLabel, object, &[(TypeKind::Label, *label)], further.clone())?;
                    }
                }
            }
            Operation::SetAttribute { object, attribute, value } => {
                let further = vec![("VAL", value.clone().into_bytes())];
                let value_type = self.value_type(*attribute);
                let by = [(TypeKind::Attribute, *attribute)];
                if let Some(deed) = self.on(Op::MakeAttribute, *object, &by, further)? {
                    deed.value_type = value_type;
                }
            }
            Operation::RemoveAttribute { object, attribute } => {
                let further = self.within(self.of_removed(*attribute));
                self.on(Op::RemoveAttribute, *object, &[(TypeKind::Attribute, *attribute)], further)?;
            }
            Operation::CreateHyperlink { link_type, element, from, to } => {
                let end = |version| LinkEnd::Object(VobObject::Version(*element, version));
                self.linked(*link_type, &end(*from), Some(&end(*to)), ("", ""))?;
            }
            Operation::CreateLink { link_type, from, to, from_text, to_text } => {
                self.linked(*link_type, from, to.as_ref(), (from_text, to_text))?;
            }
            Operation::RemoveLink { number, at } => {
                self.unlinked(*number, *at)?;
            }
            Operation::SetLock { object, lock } => {
                let operation = if lock.is_some() { Op::Lock } else { Op::Unlock };
                self.on(operation, *object, &[], Vec::new())?;
            }
            Operation::Protect { object, .. } => {
                self.on(Op::Protect, *object, &[], Vec::new())?;
            }
            Operation::ChangeElementType { element, element_type } => {
                let further = self.new_type(*element_type);
                if let Some(deed) = self.on(Op::ChangeType, VobObject::Element(*element), &[], further)? {
                    deed.watch((TypeKind::Element, *element_type));
                }
            }
            Operation::ChangeBranchType { element, branch, branch_type } => {
                let (further, object) = (self.new_type(*branch_type), VobObject::Branch(*element, *branch));
                if let Some(deed) = self.on(Op::ChangeType, object, &[], further)? {
                    deed.watch((TypeKind::Branch, *branch_type));
                }
            }
            Operation::ChangeComment { object, comment, .. } => {
                self.comment.clone_from(comment);
                self.on(Op::ChangeEvent, *object, &[], Vec::new())?;
            }
            Operation::ChangeCheckOutComment { element, view, comment } => {
                self.comment.clone_from(comment);
                self.on_checkout(Op::ChangeEvent, *element, view, &mut |_, _, _| None)?;
            }
            Operation::RemoveVersion { element, version } | Operation::RemoveData { element, version } => {
                self.on(Op::RemoveVersion, VobObject::Version(*element, *version), &[], Vec::new())?;
            }
            Operation::RemoveBranch { element, branch } => {
                let held = self.element(*element)?;
                let of_type =
                    held.as_ref().and_then(|held| held.find_branch(*branch)).map(|held| held.branch_type);
                let further = self.within(of_type.and_then(|number| self.of_removed(number)));
                self.on(Op::RemoveBranch, VobObject::Branch(*element, *branch), &[], further)?;
            }
            Operation::RemoveElement { element } => {
                self.on(Op::RemoveElement, VobObject::Element(*element), &[], Vec::new())?;
            }
            Operation::ChangeTriggers { element, trigger, present, .. } => {
                if self.is_new(*element).is_none() {
                    let operation = if *present { Op::MakeTrigger } else { Op::RemoveTrigger };
                    let further = self.within(self.of_removed(*trigger));
                    self.on(
                        operation,
                        VobObject::Element(*element),
                        &[(TypeKind::Trigger, *trigger)],
                        further,
                    )?;
                }
            }
            Operation::CreateType { number, kind, name }
            | Operation::DefineType { number, kind, name, .. } => {
                let (path, extension) = (Vec::new(), String::new());
                let (subject, types) = (Subject::Type(*kind, name.clone()), vec![(*kind, *number)]);
                let kind_of = type_object_kind(*kind);
                let object = Object { kind: kind_of, subject, element: None, path, extension, types };
                let further = vec![(variable(*kind), name.clone().into_bytes())];
                if !self.wants(Op::MakeType) {
                    return Ok(());
                }
                let deed = self.add(Op::MakeType, object, &[], further);
                // The type has no name in the VOB yet.
                let first =
                    deed.further.iter().position(|(variable_name, _)| *variable_name == variable(*kind));
                first.map(|first| deed.further.remove(first));
            }
            Operation::RedefineType { number, .. } => {
                self.on(Op::ModifyTypeObject, VobObject::Type(*number), &[], Vec::new())?;
            }
            Operation::RenameType { number, name } => {
                let further = vec![("NEW_TYPE", name.clone().into_bytes())];
                self.on(Op::RenameType, VobObject::Type(*number), &[], further)?;
            }
            Operation::RemoveType { number } => {
                self.on(Op::RemoveType, VobObject::Type(*number), &[], Vec::new())?;
            }
            Operation::ChangeDirectory { .. }
            | Operation::ChangeVersionInPlace { .. }
            | Operation::ChangeInPlace { .. } => self.renamed(operation)?,
            // Importers make these, and no user's command; or they are told with what they belong to.
            Operation::CreateVob { .. }
            | Operation::CreateSymlink { .. }
            | Operation::CreateVersion { .. }
            | Operation::CreateDirectoryVersion { .. }
            | Operation::ReplaceDirectoryVersion { .. }
            | Operation::PlaceChangeset { .. }
            | Operation::Retime { .. }
            | Operation::SetNote { .. }
            | Operation::SetVobGroups { .. }
            | Operation::StoreContent(_) => {}
        }
        Ok(())
    }

    fn value_type(&self, attribute: TypeNo) -> Option<ValueType> {
        let state = self.state();
        let definition = state.type_object(attribute)?.definition.as_ref()?;
        attribute_facts(&definition.properties).map(|held| held.value_type())
    }

    fn new_type(&self, number: TypeNo) -> Vec<(&'static str, Vec<u8>)> {
        vec![("NEW_TYPE", self.state().type_name(number).as_bytes().to_vec())]
    }

    fn checked_out_of(
        &mut self,
        (number, branch, from): (ElementNo, BranchNo, VersionNo),
        further: Vec<(&'static str, Vec<u8>)>,
    ) -> Outcome<()> {
        let state = self.state();
        let Some(element) = self.element(number)? else { return Ok(()) };
        let id = element.has_branch(branch).then(|| branch_id(&state, &element, branch));
        let object = VobObject::Version(number, from);
        if let (Some(deed), Some(id)) = (self.on(TriggerOperation::Checkout, object, &[], further)?, id) {
            deed.extension.1 = format!("{id}/CHECKEDOUT");
        }
        Ok(())
    }

    /// Adds a deed about a view's checkout; `after` is what it is called afterwards.
    fn on_checkout(
        &mut self,
        operation: TriggerOperation,
        number: ElementNo,
        view: &ViewUuid,
        after: &mut dyn FnMut(&VobState, &Element, BranchNo) -> Option<String>,
    ) -> Outcome<()> {
        let state = self.state();
        let Some(element) = self.element(number)? else { return Ok(()) };
        let Some(checkout) = element.checkout_of(view) else { return Ok(()) };
        let mut further = self.within(self.is_new(number));
        further.push(("RESERVED", vec![if checkout.reserved { b'1' } else { b'0' }]));
        let later = after(&state, &element, checkout.branch);
        let object = VobObject::CheckOut(number, checkout.number);
        if let (Some(deed), Some(later)) = (self.on(operation, object, &[], further)?, later) {
            deed.extension.1 = later;
        }
        Ok(())
    }

    fn made(&mut self, number: ElementNo, is_directory: bool, element_type: TypeNo) -> Outcome<()> {
        if !self.wants(TriggerOperation::MakeElement) {
            return Ok(());
        }
        let place = self.names.get(&Entry::Element(number)).cloned();
        let path = self.path(number)?;
        let subject = match &place {
            Some((directory, name)) => Subject::Name(*directory, name.clone()),
            None => Subject::Element(number),
        };
        let kind = if is_directory { ObjectKind::DirectoryElement } else { ObjectKind::FileElement };
        let directory = place.map(|(directory, _)| self.element(directory)).transpose()?.flatten();
        let (extension, types) = (String::new(), Vec::new());
        let object = Object { kind, subject, element: directory.clone(), path, extension, types };
        let by = [(TypeKind::Element, element_type)];
        let main = self.state().type_name(crate::vob::state::predefined::MAIN).to_owned();
        let deed = self.add(TriggerOperation::MakeElement, object, &by, Vec::new());
        deed.new_in = directory;
        deed.extension.1 = format!("/{main}/0");
        deed.is_of_elements = true;
        Ok(())
    }

    /// Adds the deeds of an operation that changes names.
    fn renamed(&mut self, operation: &Operation) -> Outcome<()> {
        use TriggerOperation as Op;
        let Some((directory, at, changes)) = self.catalog_changed(operation)? else { return Ok(()) };
        let changes = changes.to_vec();
        for change in changes {
            let former = match at {
                Some(at) => self.draft.directory(directory, at)?.get(&change.name),
                None => None,
            };
            if former.is_some() && former == change.entry {
                continue;
            }
            if let Some(entry) = former {
                let other = self.other_name(entry, true);
                let parent = other.as_ref().map(|_| Op::LinkName);
                self.name_deed(Op::RemoveName, (directory, &change.name), entry, parent, other)?;
            }
            let Some(entry) = change.entry else { continue };
            // What loses its last name goes there by itself.
            if directory == ElementNo::LOST_AND_FOUND {
                continue;
            }
            let link = match entry {
                Entry::Symlink(number) => self.new_links.get(&number).cloned(),
                Entry::Element(_) => None,
            };
            if let Some(text) = &link
                && let Some(deed) =
                    self.name_deed(Op::MakeSymlink, (directory, &change.name), entry, None, None)?
            {
                deed.further.push(("SLNKTXT", text.clone()));
            }
            let other = self.other_name(entry, false);
            let parent = match entry {
                Entry::Element(number) if self.new_elements.contains(&number) => Some(Op::MakeElement),
                _ if link.is_some() => Some(Op::MakeSymlink),
                _ => other.as_ref().map(|_| Op::RemoveName),
            };
            self.name_deed(Op::LinkName, (directory, &change.name), entry, parent, other)?;
        }
        Ok(())
    }

    /// The name that an entry gets, or loses, along with the one that it loses, or gets.
    fn other_name(&self, entry: Entry, gets: bool) -> Option<NameIn> {
        let fits = |(is_new, (directory, _)): &&(bool, NameIn)| {
            *is_new == gets && (!gets || *directory != ElementNo::LOST_AND_FOUND)
        };
        self.moved.get(&entry)?.iter().find(fits).map(|(_, name)| name.clone())
    }

    fn name_deed(
        &mut self,
        operation: TriggerOperation,
        (directory, name): (ElementNo, &[u8]),
        entry: Entry,
        parent: Option<TriggerOperation>,
        other: Option<NameIn>,
    ) -> Outcome<Option<&mut Deed>> {
        if !self.wants(operation) {
            return Ok(None);
        }
        let above = self.path(directory)?;
        let holder = self.element(directory)?;
        let element = match entry {
            Entry::Element(number) => self.element(number)?,
            Entry::Symlink(_) => None,
        };
        let kind = element.as_ref().map_or(ObjectKind::SymbolicLink, |element| kinds(element).0);
        let types = element.iter().map(|element| (TypeKind::Element, element.element_type)).collect();
        let mut further = self.within(parent);
        if let Some((directory, name)) = other {
            further.push(("PN2", join(&self.path(directory)?, &name)));
        }
        let (subject, path) = (Subject::Name(directory, name.into()), join(&above, name));
        let object = Object { kind, subject, element: holder, path, extension: String::new(), types };
        let is_new = matches!(entry, Entry::Element(number) if self.new_elements.contains(&number));
        let deed = self.add(operation, object, &[], further);
        deed.holders.extend(element.filter(|_| !is_new));
        Ok(Some(deed))
    }
}

impl Deed {
    /// Adds a type that type triggers watch.
    fn watch(&mut self, of_type: (TypeKind, TypeNo)) {
        self.watched.push(of_type);
        self.watched.extend(self.types.iter().filter(|(kind, _)| *kind == of_type.0));
        self.types.push(of_type);
        self.is_of_types = true;
    }
}

/// The variable that has the name of an involved type.
fn variable(kind: TypeKind) -> &'static str {
    match kind {
        TypeKind::Branch => "BRTYPE",
        TypeKind::Label => "LBTYPE",
        TypeKind::Element => "ELTYPE",
        TypeKind::Hyperlink => "HLTYPE",
        TypeKind::Attribute => "ATTYPE",
        TypeKind::Trigger => "TRTYPE",
    }
}
