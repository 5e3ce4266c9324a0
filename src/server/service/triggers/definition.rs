//! What a trigger type says, as messages carry it and as the VOB keeps it.

use crate::server::proto::{
    Failure, ObjectKind, TriggerActionFacts, TriggerActionKind as Action, TriggerClass as ClassFacts,
    TriggerTypeFacts, TriggerTypes,
};
use crate::server::service::describe::{not_found, type_object_kind};
use crate::server::service::types::type_kind;
use crate::server::state::Outcome;
use crate::vob::trigger::{TriggerAction, TriggerClass, TriggerWhen, TypeSet};
use crate::vob::{TriggerDefinition, TriggerOperation, TypeKind, TypeNo, VobState};

/// Reads what a message says, with the VOB's own types.
///
/// # Errors
/// `TYPE_NOT_FOUND`, or what the definition breaks.
pub fn definition(state: &VobState, told: &TriggerTypeFacts) -> Outcome<TriggerDefinition> {
    let find = |kind: TypeKind, name: &[u8]| -> Outcome<TypeNo> {
        let name = String::from_utf8_lossy(name);
        let found = state.type_named(kind, &name).map(|object| object.number);
        found.ok_or_else(|| not_found(type_object_kind(kind), &name))
    };
    let operation = |word: &String| {
        TriggerOperation::named(word)
            .ok_or_else(|| Failure::other(format!("no trigger can watch the operation {word}")))
    };
    let action = |action: &TriggerActionFacts| {
        let text = String::from_utf8_lossy(&action.text).into_owned();
        Ok(match action.kind() {
            Action::Execute => TriggerAction::Execute(text),
            Action::ExecuteUnix => TriggerAction::ExecuteUnix(text),
            Action::ExecuteWindows => TriggerAction::ExecuteWindows(text),
            Action::MakeLabel => TriggerAction::MakeLabel(find(TypeKind::Label, &action.name)?),
            Action::MakeAttribute => {
                TriggerAction::MakeAttribute(find(TypeKind::Attribute, &action.name)?, text)
            }
            Action::MakeHyperlinkTo | Action::MakeHyperlinkFrom => TriggerAction::MakeHyperlink {
                link_type: find(TypeKind::Hyperlink, &action.name)?,
                from: action.kind() == Action::MakeHyperlinkFrom,
                object: text,
            },
        })
    };
    let types = |set: &TriggerTypes| {
        let kind = type_kind(set.kind())?;
        let types = set.names.iter().map(|name| find(kind, name)).collect::<Outcome<Vec<_>>>()?;
        Ok(TypeSet { kind, types: (!set.all).then_some(types) })
    };
    Ok(TriggerDefinition {
        class: match told.class() {
            ClassFacts::Element => TriggerClass::Element,
            ClassFacts::AllElements => TriggerClass::AllElements,
            ClassFacts::Type => TriggerClass::Type,
        },
        when: if told.before { TriggerWhen::Before } else { TriggerWhen::After },
        operations: told.operations.iter().map(operation).collect::<Outcome<_>>()?,
        exempt: told.exempt.clone(),
        actions: told.actions.iter().map(action).collect::<Outcome<_>>()?,
        types: told.types.iter().map(types).collect::<Outcome<_>>()?,
        print: told.print,
    })
}

/// Tells what a trigger type says; types that are gone are left out.
pub fn facts(state: &VobState, definition: &TriggerDefinition) -> TriggerTypeFacts {
    let name = |number: TypeNo| state.type_name(number).as_bytes().to_vec();
    let action = |action: &TriggerAction| {
        let (kind, name, text) = match action {
            TriggerAction::Execute(text) => (Action::Execute, Vec::new(), text.as_str()),
            TriggerAction::ExecuteUnix(text) => (Action::ExecuteUnix, Vec::new(), text.as_str()),
            TriggerAction::ExecuteWindows(text) => (Action::ExecuteWindows, Vec::new(), text.as_str()),
            TriggerAction::MakeLabel(label) => (Action::MakeLabel, name(*label), ""),
            TriggerAction::MakeAttribute(attribute, value) => {
                (Action::MakeAttribute, name(*attribute), value.as_str())
            }
            TriggerAction::MakeHyperlink { link_type, from: false, object } => {
                (Action::MakeHyperlinkTo, name(*link_type), object.as_str())
            }
            TriggerAction::MakeHyperlink { link_type, from: true, object } => {
                (Action::MakeHyperlinkFrom, name(*link_type), object.as_str())
            }
        };
        TriggerActionFacts { kind: kind.into(), name, text: text.as_bytes().to_vec() }
    };
    let types = |set: &TypeSet| {
        let kind: ObjectKind = type_object_kind(set.kind);
        let present = |number: &&TypeNo| state.type_object(**number).is_some();
        let names = set.types.iter().flatten().filter(present).map(|number| name(*number)).collect();
        TriggerTypes { kind: kind.into(), all: set.types.is_none(), names }
    };
    TriggerTypeFacts {
        class: match definition.class {
            TriggerClass::Element => ClassFacts::Element,
            TriggerClass::AllElements => ClassFacts::AllElements,
            TriggerClass::Type => ClassFacts::Type,
        }
        .into(),
        before: definition.when == TriggerWhen::Before,
        operations: definition.operations.iter().map(|operation| operation.word().to_owned()).collect(),
        exempt: definition.exempt.clone(),
        actions: definition.actions.iter().map(action).collect(),
        types: definition.types.iter().map(types).collect(),
        print: definition.print,
    }
}
