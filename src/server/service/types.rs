//! Type objects: making, redefining, renaming, listing, and what is told of them.

use super::comments::amended;
use super::describe::{self, Known, SEARCH_CHUNK, not_found, type_object_kind};
use super::facts::told;
use crate::server::firing::Subject;
use crate::server::identity::{self, Caller};
use crate::server::proto::{
    AttributePer as PerFacts, AttributeTypeFacts, Context, Created, Failure, FailureCode, Identity,
    ListTypesReply, ListTypesRequest, MadeType, MakeTypeOutcome, MakeTypesReply, MakeTypesRequest,
    MergeType as MergeFacts, ObjectKind, RenameTypeRequest, Selector, SelectorKind, TypeArgument, TypeFacts,
    TypeOutcome, ValueLimit, ValueType as ValueFacts, make_type_outcome, type_outcome,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::vob::definition::{AttributePer, Limit, MergeType, ValueType};
use crate::vob::state::{predefined, valid_type_name};
use crate::vob::{
    Element, ElementNo, Operation, Part, Transaction, TypeDefinition, TypeKind, TypeNo, TypeObject,
    TypeProperties, TypeScope, VobObject, VobState,
};
use clerestory_specs::AttributeValue;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

impl Server {
    /// Makes or redefines type objects: those that are not refused in one change of each VOB.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are outcomes.
    pub(super) fn make_types(&self, caller: &Caller, request: &MakeTypesRequest) -> Outcome<MakeTypesReply> {
        let context = Server::context(&request.context)?;
        let kind = type_kind(request.kind())?;
        let mut outcomes: Vec<Option<Outcome<MadeType>>> = request.arguments.iter().map(|_| None).collect();
        let mut vobs: Vec<(Arc<MountedVob>, Vec<usize>)> = Vec::new();
        for (at, argument) in request.arguments.iter().enumerate() {
            match self.vob_of_selector(context, argument.selector.as_ref()) {
                Ok(vob) => match vobs.iter_mut().find(|(known, _)| known.index == vob.index) {
                    Some((_, arguments)) => arguments.push(at),
                    None => vobs.push((vob, vec![at])),
                },
                Err(failure) => outcomes[at] = Some(Err(failure)),
            }
        }
        for (vob, arguments) in vobs {
            let committed = self.commit(&vob, |store| {
                let state = store.state();
                let mut plan = Making { server: self, caller, context, request, kind, vob: &vob, state };
                let mut transactions = Vec::new();
                let mut names = HashSet::new();
                for at in &arguments {
                    let planned = plan.argument(store, &request.arguments[*at], &mut names);
                    outcomes[*at] = Some(planned.map(|(transaction, made)| {
                        transactions.push(transaction);
                        made
                    }));
                }
                // Nothing to do is no change.
                if transactions.is_empty() { Err(nothing_left()) } else { Ok(transactions) }
            });
            if let Err(failure) = committed {
                for at in arguments {
                    let slot = &mut outcomes[at];
                    if !matches!(slot, Some(Err(_))) {
                        *slot = Some(Err(failure.clone()));
                    }
                }
            }
        }
        let outcome = |outcome: Option<Outcome<MadeType>>| MakeTypeOutcome {
            outcome: Some(match outcome.unwrap_or_else(|| Err(nothing_left())) {
                Ok(done) => make_type_outcome::Outcome::Done(done),
                Err(failure) => make_type_outcome::Outcome::Failure(failure),
            }),
        };
        Ok(MakeTypesReply { outcomes: outcomes.into_iter().map(outcome).collect() })
    }

    /// Finds the VOB that a selector names.
    pub(super) fn vob_of_selector(
        &self,
        context: &Context,
        selector: Option<&Selector>,
    ) -> Outcome<Arc<MountedVob>> {
        let selector = selector.ok_or_else(|| Failure::internal("a call came without its type"))?;
        self.selected_vob(context, &selector.vob.clone().unwrap_or_default())
    }

    /// Refuses who may not change a type object.
    pub(super) fn permit_type(
        &self,
        caller: &Caller,
        vob: &Vob,
        object: &TypeObject,
        operation: &str,
    ) -> Outcome<()> {
        let owns = match object.owner_and_group() {
            Some((owner, _)) => owner == caller.user_id,
            None => told(vob, object.event)?.person.login == identity::user_name(caller.user_id),
        };
        if owns {
            return Ok(());
        }
        let mut refused = self.permit(caller, &[(vob.state().header.owner, "VOB owner")], operation);
        if let Err(failure) = &mut refused {
            failure.must_be_one_of.insert(0, "type owner".to_owned());
        }
        refused
    }

    pub(super) fn rename_type(&self, caller: &Caller, request: &RenameTypeRequest) -> Outcome<TypeFacts> {
        let context = Server::context(&request.context)?;
        let vob = self.vob_of_selector(context, request.selector.as_ref())?;
        let selector = request.selector.clone().unwrap_or_default();
        let name = String::from_utf8_lossy(&request.new_name).into_owned();
        let mut number = TypeNo(0);
        self.commit(&vob, |store| {
            let state = store.state();
            let object = selected_type(&state, &selector)?;
            number = object.number;
            self.permit_type(caller, store, &object, "rename type")?;
            self.refuse_locked_type(&vob, number, caller, "rename type")?;
            let kind = super::describe::type_object_kind(object.kind);
            let comment = match request.comment.is_empty() {
                false => String::from_utf8_lossy(&request.comment).into_owned(),
                true => {
                    format!("Changed name of {} from \"{}\" to \"{name}\".", kind_words(kind), object.name)
                }
            };
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user: self.user(caller, context),
                comment,
                attributes: vec![],
                operations: vec![Operation::RenameType { number, name }],
            }])
        })?;
        let state = vob.vob.state();
        let object = state.type_object(number).ok_or_else(|| Failure::internal("a renamed type is gone"))?;
        self.attribute_type_changed(type_object_kind(object.kind));
        type_facts(&vob.vob, &state, object)
    }

    /// Makes views select anew after the name of an attribute type means something else: queries name those.
    pub(super) fn attribute_type_changed(&self, kind: ObjectKind) {
        if kind == ObjectKind::AttributeType {
            self.host.forget_all_selection();
        }
    }

    pub(super) fn list_types(&self, _caller: &Caller, request: &ListTypesRequest) -> Outcome<ListTypesReply> {
        let context = Server::context(&request.context)?;
        let mut outcomes: Vec<Outcome<(TypeFacts, Identity)>> = Vec::new();
        let told = |vob: &MountedVob, state: &VobState, object: &TypeObject| {
            let known = Known::Object(VobObject::Type(object.number));
            Ok((type_facts(&vob.vob, state, object)?, describe::identity(vob, state, known, None)))
        };
        if request.kind() != ObjectKind::Unspecified {
            let kind = type_kind(request.kind())?;
            let vob = self.selected_vob(context, &request.vob.clone().unwrap_or_default())?;
            let state = vob.vob.state();
            let mut objects: Vec<_> = state.present_types().filter(|object| object.kind == kind).collect();
            objects.sort_by(|a, b| a.name.cmp(&b.name));
            outcomes.extend(objects.into_iter().map(|object| told(&vob, &state, object)));
        }
        for selector in &request.selectors {
            let found = self.vob_of_selector(context, Some(selector)).and_then(|vob| {
                let state = vob.vob.state();
                told(&vob, &state, &*selected_type(&state, selector)?)
            });
            outcomes.push(found);
        }
        let outcome = |outcome: Outcome<(TypeFacts, Identity)>| match outcome {
            Ok((done, identity)) => TypeOutcome {
                outcome: Some(type_outcome::Outcome::Done(done)),
                identity: Some(identity),
                ..TypeOutcome::default()
            },
            Err(failure) => TypeOutcome {
                outcome: Some(type_outcome::Outcome::Failure(failure)),
                ..TypeOutcome::default()
            },
        };
        Ok(ListTypesReply { outcomes: outcomes.into_iter().map(outcome).collect() })
    }
}

/// That a commit has nothing to do: every argument was refused.
pub(super) fn nothing_left() -> Failure {
    Failure::new(FailureCode::NotDone)
}

/// As comments that the program writes call kinds of types.
fn kind_words(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::BranchType => "branch type",
        ObjectKind::LabelType => "label type",
        ObjectKind::ElementType => "element type",
        ObjectKind::AttributeType => "attribute type",
        ObjectKind::TriggerType => "trigger type",
        _ => "hyperlink type",
    }
}

pub(super) fn type_kind(kind: ObjectKind) -> Outcome<TypeKind> {
    match kind {
        ObjectKind::BranchType => Ok(TypeKind::Branch),
        ObjectKind::LabelType => Ok(TypeKind::Label),
        ObjectKind::ElementType => Ok(TypeKind::Element),
        ObjectKind::AttributeType => Ok(TypeKind::Attribute),
        ObjectKind::HyperlinkType => Ok(TypeKind::Hyperlink),
        ObjectKind::TriggerType => Ok(TypeKind::Trigger),
        _ => Err(Failure::internal("a call about types came without their kind")),
    }
}

/// Finds the type object that a selector names.
pub(super) fn selected_type(state: &VobState, selector: &Selector) -> Outcome<Arc<TypeObject>> {
    let kind = match selector.kind() {
        SelectorKind::BranchType => TypeKind::Branch,
        SelectorKind::LabelType => TypeKind::Label,
        SelectorKind::ElementType => TypeKind::Element,
        SelectorKind::AttributeType => TypeKind::Attribute,
        SelectorKind::HyperlinkType => TypeKind::Hyperlink,
        SelectorKind::TriggerType => TypeKind::Trigger,
        _ => return Err(Failure::internal("a call about types came without their kind")),
    };
    let name = String::from_utf8_lossy(&selector.name);
    let found = state.type_named(kind, &name).cloned();
    found.ok_or_else(|| not_found(type_object_kind(kind), &name))
}

/// Reads every element of a VOB. The caller keeps commits out, or takes what comes.
pub(super) fn each_element(vob: &Vob, each: &mut dyn FnMut(&Element)) -> Outcome<()> {
    let all: Vec<ElementNo> = (0..vob.state().header.elements).map(ElementNo).collect();
    for numbers in all.chunks(SEARCH_CHUNK) {
        vob.prefetch(numbers)?;
        for number in numbers {
            if let Some(element) = vob.element(*number)? {
                each(&element);
            }
        }
    }
    Ok(())
}

/// The making of types in one VOB.
struct Making<'a> {
    server: &'a Server,
    caller: &'a Caller,
    context: &'a Context,
    request: &'a MakeTypesRequest,
    kind: TypeKind,
    vob: &'a MountedVob,
    /// As it was before the change.
    state: VobState,
}

impl Making<'_> {
    /// Plans one argument; `names` are those made by earlier ones.
    fn argument(
        &mut self,
        store: &Vob,
        argument: &TypeArgument,
        names: &mut HashSet<String>,
    ) -> Outcome<(Transaction, MadeType)> {
        let bytes = argument.selector.as_ref().map(|selector| selector.name.clone()).unwrap_or_default();
        let bad_name = || Failure::new(FailureCode::BadName).name(bytes.clone());
        let name = String::from_utf8(bytes.clone()).map_err(|_| bad_name())?;
        if !valid_type_name(&name) {
            return Err(bad_name());
        }
        if self.kind == TypeKind::Trigger {
            // Its actions run as whoever does something.
            let owner = self.state.header.owner;
            self.server.permit(self.caller, &[(owner, "VOB owner")], "create trigger type")?;
        }
        super::triggers::refuse_vetoed(self.vob.index, || Subject::Type(self.kind, name.clone()))?;
        let definition = self.definition()?;
        definition.check(self.kind).map_err(Failure::other)?;
        check_values(&definition.properties)?;
        let existing = self.state.type_named(self.kind, &name).cloned();
        let made = MadeType { replaced: existing.is_some() && self.request.replace };
        let (number, operation) = match existing.filter(|_| self.request.replace) {
            Some(object) => (object.number, self.replace(store, &object, definition)?),
            None if self.state.name_taken(self.kind, &name) || names.contains(&name) => {
                return Err(Failure::new(FailureCode::NameExists).name(name));
            }
            None => {
                let number = TypeNo(self.state.next_type().0 + names.len() as u32);
                names.insert(name.clone());
                (number, Operation::DefineType { number, kind: self.kind, name, definition })
            }
        };
        let mut operations = vec![operation];
        operations.extend(self.suggestion(store, number)?);
        let transaction = Transaction {
            time_ns: now_ns(),
            user: self.server.user(self.caller, self.context),
            comment: String::from_utf8_lossy(&argument.comment).into_owned(),
            attributes: vec![],
            operations,
        };
        Ok((transaction, made))
    }

    /// Remembers which attribute types are suggested for what is of a type.
    fn suggestion(&self, store: &Vob, number: TypeNo) -> Outcome<Option<Operation>> {
        let mut numbers = Vec::new();
        for name in &self.request.suggested {
            let name = String::from_utf8_lossy(name);
            let found = self.state.type_named(TypeKind::Attribute, &name);
            let missing = || super::describe::not_found(ObjectKind::AttributeType, &name);
            numbers.push(found.ok_or_else(missing)?.number.0.to_string());
        }
        let key = suggestion_key(number);
        if numbers.is_empty() && store.note(&key)?.is_none_or(|note| note.is_empty()) {
            return Ok(None);
        }
        Ok(Some(Operation::SetNote { key, value: numbers.join(" ").into_bytes().into() }))
    }

    fn replace(&self, store: &Vob, object: &TypeObject, definition: TypeDefinition) -> Outcome<Operation> {
        self.server.permit_type(self.caller, store, object, "redefine type")?;
        self.server.refuse_locked_type(self.vob, object.number, self.caller, "redefine type")?;
        if predefined::is_predefined(object.number) {
            return Err(Failure::new(FailureCode::Predefined).name(object.name.as_str()));
        }
        let value_type = |properties: &TypeProperties| match properties {
            TypeProperties::Attribute { value_type, .. } => Some(*value_type),
            _ => None,
        };
        let before = object.definition.as_ref().and_then(|former| value_type(&former.properties));
        if before != value_type(&definition.properties) && super::remove_type::is_used(store, object)? {
            return Err(Failure {
                object_kind: ObjectKind::AttributeType.into(),
                ..Failure::new(FailureCode::TypeInUse).name(object.name.as_str())
            });
        }
        if object.is_per_branch() && !definition.is_per_branch() {
            self.check_single(store, object)?;
        }
        // Who owns a type is not part of what is redefined.
        let owner = object.definition.as_ref().map(|former| (former.owner, former.group));
        let (owner, group) = owner.unwrap_or((definition.owner, definition.group));
        let definition = TypeDefinition { owner, group, ..definition };
        Ok(Operation::RedefineType { number: object.number, definition })
    }

    /// Refuses to count a type per element where an element has it twice already.
    fn check_single(&self, store: &Vob, object: &TypeObject) -> Outcome<()> {
        let number = object.number;
        let mut several = false;
        each_element(store, &mut |element| {
            several |= match object.kind {
                TypeKind::Branch => element.branches_with_type(number).count() > 1,
                _ => element.labelled(number).count() > 1,
            };
        })?;
        match several {
            true => Err(Failure::other(format!(
                "an element has more than one instance of type \"{}\", which -pbranch allowed",
                object.name
            ))),
            false => Ok(()),
        }
    }

    fn definition(&self) -> Outcome<TypeDefinition> {
        let request = self.request;
        let properties = match self.kind {
            TypeKind::Branch => TypeProperties::Branch { per_branch: request.per_branch },
            TypeKind::Label => TypeProperties::Label { per_branch: request.per_branch },
            TypeKind::Hyperlink => TypeProperties::Hyperlink,
            TypeKind::Attribute => attribute_properties(&request.attribute.clone().unwrap_or_default()),
            TypeKind::Element => self.element_properties()?,
            TypeKind::Trigger => {
                let told = request.trigger.clone().unwrap_or_default();
                TypeProperties::Trigger(Box::new(super::triggers::definition(&self.state, &told)?))
            }
        };
        Ok(TypeDefinition {
            owner: self.caller.user_id,
            group: self.caller.group_id,
            scope: if request.global { TypeScope::Global } else { TypeScope::Ordinary },
            shared: request.shared,
            properties,
        })
    }

    fn element_properties(&self) -> Outcome<TypeProperties> {
        let request = self.request;
        let name = String::from_utf8_lossy(&request.supertype);
        let found = self.state.type_named(TypeKind::Element, &name);
        let supertype = found.ok_or_else(|| not_found(ObjectKind::ElementType, &name))?.number;
        let manager = Some(request.manager.clone()).filter(|manager| !manager.is_empty());
        let known = |manager: &String| predefined::ELEMENT_TYPES.iter().any(|(.., known)| known == manager);
        if let Some(unknown) = manager.as_ref().filter(|manager| !known(manager)) {
            return Err(Failure::other(format!("Type manager not found: \"{unknown}\"")));
        }
        let merge = match request.merge() {
            MergeFacts::Inherited => None,
            MergeFacts::Auto => Some(MergeType::Auto),
            MergeFacts::User => Some(MergeType::User),
            MergeFacts::Never => Some(MergeType::Never),
        };
        Ok(TypeProperties::Element { supertype, manager, merge, preserve_time: request.preserve_time })
    }
}

/// Refuses values that their own type does not take: times are moments here, and a default is within its range.
fn check_values(properties: &TypeProperties) -> Outcome<()> {
    let TypeProperties::Attribute { value_type, lower, upper, enumeration, default, .. } = properties else {
        return Ok(());
    };
    let limits = lower.iter().chain(upper).map(|limit| &limit.value);
    for value in limits.chain(enumeration).chain(default) {
        if value_type.read(value).is_none() {
            return Err(Failure::other(format!("not a value of that type: {value}")));
        }
    }
    if let (Some(lower), Some(upper)) = (lower, upper) {
        let pair = value_type.read(&lower.value).zip(value_type.read(&upper.value));
        let order = pair.and_then(|(lower, upper)| match (lower, upper) {
            (AttributeValue::Integer(lower), AttributeValue::Integer(upper)) => Some(lower.cmp(&upper)),
            (AttributeValue::Real(lower), AttributeValue::Real(upper)) => lower.partial_cmp(&upper),
            (AttributeValue::Text(lower), AttributeValue::Text(upper)) => Some(lower.cmp(&upper)),
            (AttributeValue::Time(lower), AttributeValue::Time(upper)) => Some(lower.cmp(&upper)),
            _ => None,
        });
        let is_empty = match order {
            Some(Ordering::Less) => false,
            Some(Ordering::Equal) => !(lower.inclusive && upper.inclusive),
            Some(Ordering::Greater) => true,
            // Of such values none is larger; `definition` has said so.
            None => false,
        };
        if is_empty {
            return Err(Failure::new(FailureCode::EmptyLimits));
        }
    }
    match default.as_ref().and_then(|default| value_type.read(default)) {
        Some(default) if !properties.allows(&default) => {
            Err(Failure::other("the default is not one of the values allowed"))
        }
        _ => Ok(()),
    }
}

fn attribute_properties(facts: &AttributeTypeFacts) -> TypeProperties {
    let limit = |limit: &Option<ValueLimit>| {
        limit.clone().map(|limit| Limit { value: limit.value, inclusive: limit.inclusive })
    };
    TypeProperties::Attribute {
        value_type: match facts.value_type() {
            ValueFacts::String => ValueType::String,
            ValueFacts::Integer => ValueType::Integer,
            ValueFacts::Real => ValueType::Real,
            ValueFacts::Time => ValueType::Time,
            ValueFacts::Opaque => ValueType::Opaque,
        },
        per: match facts.per() {
            PerFacts::Version => AttributePer::Version,
            PerFacts::Branch => AttributePer::Branch,
            PerFacts::Element => AttributePer::Element,
        },
        lower: limit(&facts.lower),
        upper: limit(&facts.upper),
        enumeration: facts.enumeration.clone(),
        default: facts.default.clone(),
    }
}

/// What is told of an attribute type; none for other types.
pub(super) fn attribute_facts(properties: &TypeProperties) -> Option<AttributeTypeFacts> {
    let TypeProperties::Attribute { value_type, per, lower, upper, enumeration, default } = properties else {
        return None;
    };
    let limit = |limit: &Option<Limit>| {
        limit.clone().map(|limit| ValueLimit { value: limit.value, inclusive: limit.inclusive })
    };
    let value_type = match value_type {
        ValueType::String => ValueFacts::String,
        ValueType::Integer => ValueFacts::Integer,
        ValueType::Real => ValueFacts::Real,
        ValueType::Time => ValueFacts::Time,
        ValueType::Opaque => ValueFacts::Opaque,
    };
    let per = match per {
        AttributePer::Version => PerFacts::Version,
        AttributePer::Branch => PerFacts::Branch,
        AttributePer::Element => PerFacts::Element,
    };
    Some(AttributeTypeFacts {
        value_type: value_type.into(),
        per: per.into(),
        lower: limit(lower),
        upper: limit(upper),
        enumeration: enumeration.clone(),
        default: default.clone(),
    })
}

/// The note that holds the numbers of the attribute types that are suggested for what is of a type.
fn suggestion_key(number: TypeNo) -> String {
    format!("type:suggested-attributes:{}", number.0)
}

/// The names of the attribute types that are suggested for what is of a type; those that were removed are left out.
fn suggested(vob: &Vob, state: &VobState, object: &TypeObject) -> Outcome<Vec<Vec<u8>>> {
    if !matches!(object.kind, TypeKind::Element | TypeKind::Hyperlink) {
        return Ok(Vec::new());
    }
    let note = vob.note(&suggestion_key(object.number))?.unwrap_or_default();
    let numbers = String::from_utf8_lossy(&note).into_owned();
    let name =
        |number: &str| Some(state.type_object(TypeNo(number.parse().ok()?))?.name.clone().into_bytes());
    Ok(numbers.split(' ').filter_map(name).collect())
}

/// Everything that is told of a type object.
///
/// # Errors
/// If the VOB cannot be read.
pub(super) fn type_facts(vob: &Vob, state: &VobState, object: &TypeObject) -> Outcome<TypeFacts> {
    let made = told(vob, object.event)?;
    let comment = match object.described == object.event {
        true => made.comment.clone(),
        false => told(vob, object.described)?.comment,
    };
    let definition = object.definition.as_ref();
    let (owner, group) = match object.owner_and_group() {
        Some((owner, group)) => (identity::user_name(owner), identity::group_name(group)),
        None => (made.person.login.clone(), made.person.group.clone()),
    };
    let (supertype, manager) = match object.kind {
        TypeKind::Element => state.element_type(object.number),
        _ => (None, ""),
    };
    let merge = match definition.map(|definition| &definition.properties) {
        Some(TypeProperties::Element { merge: Some(merge), .. }) => match merge {
            MergeType::Auto => MergeFacts::Auto,
            MergeType::User => MergeFacts::User,
            MergeType::Never => MergeFacts::Never,
        },
        _ => MergeFacts::Inherited,
    };
    // Where versions are made too, the attributes are theirs.
    let came_with = if made.makes_versions { Vec::new() } else { made.attributes.clone() };
    let attributes = super::facts::attributes(state, &object.annotations, Part::Whole, came_with);
    Ok(TypeFacts {
        kind: type_object_kind(object.kind).into(),
        name: object.name.clone().into_bytes(),
        created: Some(amended(Created { comment, ..made.created() }, &object.annotations, object.described)),
        owner,
        group,
        per_branch: object.is_per_branch(),
        supertype: supertype.map(|above| state.type_name(above).as_bytes().to_vec()).unwrap_or_default(),
        manager: manager.to_owned(),
        attributes,
        global: definition.is_some_and(|definition| definition.scope == TypeScope::Global),
        attribute: definition.and_then(|definition| attribute_facts(&definition.properties)),
        merge: merge.into(),
        lock: super::locks::state_of(&object.annotations, Part::Whole).into(),
        hyperlinks: Vec::new(),
        suggested: suggested(vob, state, object)?,
        trigger: state.trigger(object.number).map(|definition| super::triggers::facts(state, definition)),
    })
}

/// Tells whether an element has an instance of a type.
pub(super) fn has_instance(element: &Element, object: &TypeObject) -> bool {
    match object.kind {
        TypeKind::Branch => element.branch_with_type(object.number).is_some(),
        TypeKind::Label => element.labelled(object.number).next().is_some(),
        TypeKind::Trigger => element.annotations().triggers.has(object.number),
        TypeKind::Element => element.element_type == object.number,
        TypeKind::Hyperlink => element.links().any(|link| link.link_type == object.number),
        // An attribute of an imported version names its type, and does not keep the type from going.
        TypeKind::Attribute => {
            let held = &element.annotations().attributes;
            held.iter().any(|held| held.attribute == object.number && held.value.is_some())
        }
    }
}
