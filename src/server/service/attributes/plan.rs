//! Which objects get or lose an attribute, and with which value: judged name by name against the records that
//! the commit changes.

use super::What;
use crate::server::identity::Caller;
use crate::server::proto::attribute_item::Item;
use crate::server::proto::{AttributeDone, AttributeFailure, AttributeRequest, Failure, FailureCode};
use crate::server::service::attachable::{annotations, kind_and_extension};
use crate::server::service::meant::Meant;
use crate::server::service::types::attribute_facts;
use crate::server::service::version_selector::Wanted;
use crate::server::state::{Outcome, Server};
use crate::view::MountedVob;
use crate::view::live::VersionSelector;
use crate::view::resolve::version_id;
use crate::vob::definition::{AttributePer, ValueType};
use crate::vob::value::canonical;
use crate::vob::{
    Element, EventNo, Operation, Part, TypeObject, TypeProperties, VersionNo, VobObject, VobState,
};
use clerestory_specs::AttributeValue;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The change of one attribute in one VOB.
pub(super) struct Plan<'a> {
    server: &'a Server,
    caller: &'a Caller,
    vob: &'a Arc<MountedVob>,
    attribute: &'a TypeObject,
    request: &'a AttributeRequest,
    /// As it is kept; empty where the attribute is removed.
    value: String,
    state: VobState,
    wanted: Option<(&'a Wanted, VersionSelector)>,
    operations: Vec<Operation>,
    /// What earlier names of this command did, by holder: attached, or removed.
    changed: HashMap<VobObject, BTreeMap<Part, bool>>,
    /// Whether versions carry the attribute from the event that made them.
    carried: HashMap<EventNo, bool>,
}

impl<'a> Plan<'a> {
    pub fn new(
        server: &'a Server,
        caller: &'a Caller,
        vob: &'a Arc<MountedVob>,
        attribute: &'a TypeObject,
        request: &'a AttributeRequest,
        wanted: Option<&'a Wanted>,
    ) -> Outcome<Plan<'a>> {
        let value = if request.remove { String::new() } else { value(attribute, request)? };
        Ok(Plan {
            server,
            caller,
            vob,
            attribute,
            request,
            value,
            state: vob.vob.state(),
            wanted: wanted.map(|wanted| (wanted, wanted.bind(vob))),
            operations: Vec::new(),
            changed: HashMap::new(),
            carried: HashMap::new(),
        })
    }

    pub fn finish(self) -> Vec<Operation> {
        self.operations
    }

    /// Plans one name; none where there is nothing to do or to tell.
    ///
    /// # Errors
    /// If the VOB cannot be read: nothing is done then.
    pub fn name(&mut self, what: What, recursed: bool) -> Outcome<Option<Item>> {
        let object = match what {
            What::Object(object) => object,
            What::Path(number, meant) => {
                let element = self.vob.element(number)?;
                match self.object(&element, meant) {
                    Ok(object) => object,
                    Err(failure) => {
                        let failed = AttributeFailure { failure: Some(failure), ..Default::default() };
                        return Ok(Some(Item::Failure(failed)));
                    }
                }
            }
        };
        // Two names of one element below a directory are one object.
        if recursed && self.earlier(object).is_some() {
            return Ok(None);
        }
        // Not everything below an argument has it, nor need the argument.
        if self.request.recurse && self.request.remove && !self.has(object)? {
            return Ok(None);
        }
        let (kind, extension) = kind_and_extension(&self.vob.vob, &self.state, object)?;
        let planned = if self.request.remove { self.detach(object) } else { self.attach(object) };
        Ok(Some(match planned {
            Ok(moved_from) => {
                Item::Done(AttributeDone { object: kind.into(), extension, moved_from, ..Default::default() })
            }
            Err(failure) => Item::Failure(AttributeFailure {
                object: kind.into(),
                extension,
                failure: Some(failure),
                ..AttributeFailure::default()
            }),
        }))
    }

    fn object(&self, element: &Element, meant: Meant) -> Outcome<VobObject> {
        let number = element.number;
        if let Some((wanted, bound)) = &self.wanted {
            return Ok(VobObject::Version(number, wanted.select(bound, self.vob, element)?));
        }
        match meant {
            Meant::Version(version) => Ok(VobObject::Version(number, version)),
            Meant::Branch(branch) => Ok(VobObject::Branch(number, branch)),
            Meant::Element => Ok(VobObject::Element(number)),
            Meant::CheckedOut(_) => Err(Failure::new(FailureCode::VersionIsCheckedOut)),
        }
    }

    fn earlier(&self, object: VobObject) -> Option<bool> {
        self.changed.get(&object.holder())?.get(&object.part()).copied()
    }

    fn refusal(&self, code: FailureCode) -> Failure {
        Failure::new(code).name(self.attribute.name.as_str())
    }

    fn permit(&self, object: VobObject, operation: &str) -> Outcome<()> {
        self.server.permit_attaching(self.caller, self.vob, object, self.attribute.number, operation)
    }

    /// Answers the version that loses the attribute.
    fn attach(&mut self, object: VobObject) -> Outcome<Vec<u8>> {
        self.permit(object, "make attribute")?;
        let others = self.others(object)?;
        let is_there = self.has(object)?;
        let other = others.first().map(|(_, version)| version.clone()).unwrap_or_default();
        if (is_there || !others.is_empty()) && !self.request.replace {
            let branch = if is_there { Vec::new() } else { other };
            return Err(Failure { branch, ..self.refusal(FailureCode::AttributeExists) });
        }
        for (other, _) in others {
            self.remove(other);
        }
        let (attribute, value) = (self.attribute.number, self.value.clone());
        self.operations.push(Operation::SetAttribute { object, attribute, value });
        self.changed.entry(object.holder()).or_default().insert(object.part(), true);
        Ok(other)
    }

    fn detach(&mut self, object: VobObject) -> Outcome<Vec<u8>> {
        self.permit(object, "remove attribute")?;
        if !self.has(object)? {
            return Err(self.refusal(FailureCode::NoSuchAttribute));
        }
        self.remove(object);
        Ok(Vec::new())
    }

    fn remove(&mut self, object: VobObject) {
        self.operations.push(Operation::RemoveAttribute { object, attribute: self.attribute.number });
        self.changed.entry(object.holder()).or_default().insert(object.part(), false);
    }

    /// Tells whether an object has the attribute.
    fn has(&mut self, object: VobObject) -> Outcome<bool> {
        if let Some(earlier) = self.earlier(object) {
            return Ok(earlier);
        }
        let attached = annotations(&self.vob.vob, &self.state, object)?;
        let mut instances = attached.attributes_of(object.part());
        if let Some(instance) = instances.find(|instance| instance.attribute == self.attribute.number) {
            return Ok(instance.value.is_some());
        }
        match object {
            VobObject::Version(number, version) if self.state.header.changesets > 0 => {
                let event = self.vob.element(number)?.version(version).event;
                self.came_with(event)
            }
            _ => Ok(false),
        }
    }

    /// Tells whether versions made by an event came with the attribute.
    fn came_with(&mut self, event: EventNo) -> Outcome<bool> {
        if let Some(known) = self.carried.get(&event) {
            return Ok(*known);
        }
        let store = &self.vob.vob;
        let transaction = store.transaction(&store.event(event)?)?;
        let carries = transaction.attributes.iter().any(|(name, _)| *name == self.attribute.name);
        self.carried.insert(event, carries);
        Ok(carries)
    }

    /// The other versions that may not have the attribute together with this one, and their ids.
    fn others(&self, object: VobObject) -> Outcome<Vec<(VobObject, Vec<u8>)>> {
        let per = match self.attribute.attribute_properties() {
            Some(TypeProperties::Attribute { per, .. }) => *per,
            _ => AttributePer::Version,
        };
        let VobObject::Version(number, version) = object else { return Ok(Vec::new()) };
        if per == AttributePer::Version {
            return Ok(Vec::new());
        }
        let element = self.vob.element(number)?;
        let branch = element.version(version).branch;
        let attached = element.annotations().attributes.iter();
        let mut parts: BTreeMap<Part, bool> = attached
            .filter(|instance| instance.attribute == self.attribute.number)
            .map(|instance| (instance.part, instance.value.is_some()))
            .collect();
        parts.extend(self.changed.get(&object.holder()).into_iter().flatten());
        let other = |(part, is_there): (Part, bool)| match part {
            Part::Version(other) if is_there && other != version => Some(other),
            _ => None,
        };
        let shares =
            |other: &VersionNo| per == AttributePer::Element || element.version(*other).branch == branch;
        let id = |other| {
            let id = version_id(&self.state, &element, other).into_bytes();
            (VobObject::Version(number, other), id)
        };
        Ok(parts.into_iter().filter_map(other).filter(shares).map(id).collect())
    }
}

/// The value that was asked for, as it is kept.
fn value(attribute: &TypeObject, request: &AttributeRequest) -> Outcome<String> {
    let value_type = attribute.value_type();
    let properties = attribute.attribute_properties();
    let default = match properties {
        Some(TypeProperties::Attribute { default, .. }) => default.as_ref(),
        _ => None,
    };
    let refused = |code, value: &[u8]| Failure {
        attribute: properties.and_then(attribute_facts).map(Box::new),
        ..Failure::new(code).name(value)
    };
    let (typed, read) = match &request.value {
        Some(typed) if value_type == ValueType::Time => {
            let time_ns = request.time_s.and_then(|seconds| seconds.checked_mul(1_000_000_000));
            (typed.clone(), time_ns.map(AttributeValue::Time))
        }
        Some(typed) => {
            let read = std::str::from_utf8(typed).ok().and_then(|text| value_type.read(text));
            (typed.clone(), read)
        }
        None => {
            let missing = || Failure::new(FailureCode::NoDefaultValue).name(attribute.name.as_str());
            let default = default.ok_or_else(missing)?;
            (default.clone().into_bytes(), value_type.read(default))
        }
    };
    let read = read.ok_or_else(|| refused(FailureCode::BadValue, &typed))?;
    match properties.is_none_or(|properties| properties.allows(&read)) {
        true => Ok(canonical(&read)),
        false => Err(refused(FailureCode::ValueNotAllowed, &typed)),
    }
}
