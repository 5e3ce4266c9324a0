//! What `describe` and `lstype -long` say of trigger types, and of the triggers of elements.
//!
//! Pure.

use super::failure::kind_name;
use super::format::trigger_kind;
use crate::server::proto::{
    ElementFacts, TriggerActionFacts, TriggerActionKind as Action, TriggerClass, TriggerTypeFacts,
    TriggerTypes,
};

/// The lines of a trigger type's definition.
pub fn definition(facts: &TriggerTypeFacts) -> Vec<Vec<u8>> {
    let class: &[u8] = match facts.class() {
        TriggerClass::Element => b"  element trigger",
        TriggerClass::AllElements => b"  all element trigger",
        TriggerClass::Type => b"  type trigger",
    };
    let when = format!("  {} {}", trigger_kind(facts.before), facts.operations.join(","));
    let mut lines = vec![class.to_vec(), when.into_bytes()];
    lines.extend(facts.actions.iter().map(|action| [b"  action: ", &action_words(action)[..]].concat()));
    let set: &[u8] = if facts.class() == TriggerClass::Type { b"  inclusion: " } else { b"  restriction: " };
    lines.extend(facts.types.iter().map(|types| [set, &types_words(types)].concat()));
    if !facts.exempt.is_empty() {
        lines.push([b"  excluded users: ", facts.exempt.join(",").as_bytes()].concat());
    }
    if facts.print {
        lines.push(b"  prints its firings".to_vec());
    }
    lines
}

fn action_words(action: &TriggerActionFacts) -> Vec<u8> {
    let (name, text) = (&action.name[..], &action.text[..]);
    match action.kind() {
        Action::Execute => [b"-exec ", text].concat(),
        Action::ExecuteUnix => [b"-execunix ", text].concat(),
        Action::ExecuteWindows => [b"-execwin ", text].concat(),
        Action::MakeLabel => [b"-mklabel ", name].concat(),
        Action::MakeAttribute => [b"-mkattr ", name, b"=", text].concat(),
        Action::MakeHyperlinkTo => [b"-mkhlink ", name, b",to=", text].concat(),
        Action::MakeHyperlinkFrom => [b"-mkhlink ", name, b",from=", text].concat(),
    }
}

fn types_words(types: &TriggerTypes) -> Vec<u8> {
    let kind = kind_name(types.kind()).as_bytes();
    match types.all {
        true => [b"all ", kind, b"s"].concat(),
        false => [kind, b" ", &types.names.join(&b","[..])].concat(),
    }
}

/// The lines of the triggers that an element has.
pub fn of_element(facts: &ElementFacts) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    if facts.triggers.is_empty() && facts.inherited_triggers.is_empty() {
        return lines;
    }
    lines.push(b"  Triggers:".to_vec());
    let mut list = |title: &[u8], names: &[Vec<u8>]| {
        if !names.is_empty() {
            lines.push(title.to_vec());
            lines.extend(names.iter().map(|name| [b"      ", &name[..]].concat()));
        }
    };
    list(b"    Attached list:", &facts.triggers);
    list(b"    Inheritance list:", &facts.inherited_triggers);
    lines
}
