//! `mktrtype`: makes trigger types.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::mktype::report;
use super::options::{Arguments, flag, repeated, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{type_selector, type_selectors};
use crate::server::proto::{
    MakeTypesRequest, ObjectKind, Selector, SelectorKind, TriggerActionFacts, TriggerActionKind as Action,
    TriggerClass, TriggerTypeFacts, TriggerTypes, TypeArgument,
};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mktrt/ype",
    aliases: &[],
    usage: "{-element [-all] | -type} [-replace] {-preop | -postop} operation[,...]\n       \
            [-nusers login-name[,...]]\n       \
            {-exec command | -execunix command | -execwin command | -mklabel label-type-name |\n        \
            -mkattr attribute-type-name=value |\n        \
            -mkhlink hyperlink-type-name,{to=pname | from=pname}} ...\n       \
            [-attype type[,...]] [-brtype type[,...]] [-eltype type[,...]] [-hltype type[,...]]\n       \
            [-lbtype type[,...]] [-trtype type[,...]] [-print]\u{1}\n       trigger-type-name ...",
    options: &[
        flag("ele/ment"),
        flag("all"),
        flag("typ/e"),
        flag("ucm/object"),
        flag("rep/lace"),
        value("preop"),
        value("postop"),
        value("nus/ers"),
        repeated("exec"),
        repeated("execunix"),
        repeated("execwin"),
        repeated("mklabel"),
        repeated("mkattr"),
        repeated("mkhlink"),
        value("attype"),
        value("brtype"),
        value("eltype"),
        value("hltype"),
        value("lbtype"),
        value("trtype"),
        flag("pri/nt"),
        flag("glo/bal"),
        flag("ord/inary"),
    ],
    comments: true,
    run,
};

/// The options that list types.
const LISTS: &[(&str, ObjectKind, SelectorKind)] = &[
    ("attype", ObjectKind::AttributeType, SelectorKind::AttributeType),
    ("brtype", ObjectKind::BranchType, SelectorKind::BranchType),
    ("eltype", ObjectKind::ElementType, SelectorKind::ElementType),
    ("hltype", ObjectKind::HyperlinkType, SelectorKind::HyperlinkType),
    ("lbtype", ObjectKind::LabelType, SelectorKind::LabelType),
    ("trtype", ObjectKind::TriggerType, SelectorKind::TriggerType),
];

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Type name"));
    }
    exclusive(arguments, &["element", "type", "ucmobject"])?;
    exclusive(arguments, &["preop", "postop"])?;
    if arguments.has("global") {
        return Err(CommandError::refused("Trigger types cannot be global."));
    }
    if arguments.has("ucmobject") {
        return Err(CommandError::refused("Triggers of UCM objects are not supported yet."));
    }
    let facts = facts(session, arguments)?;
    let source = comment::source("mktrtype", arguments, CommentSource::AskEach)?;
    let kind = SelectorKind::TriggerType;
    let (selectors, mut all_done) = type_selectors(session, &arguments.operands, |session, operand| {
        type_selector(session, operand, kind)
    })?;
    let batch = if source == CommentSource::AskEach { 1 } else { selectors.len().max(1) };
    for selectors in selectors.chunks(batch) {
        let names: Vec<&[u8]> = selectors.iter().map(|selector| selector.name.as_slice()).collect();
        let comments = comment::texts(session, &source, Prompt::Creation, &names, &[])?;
        let argument =
            |(selector, comment): (&Selector, _)| TypeArgument { selector: Some(selector.clone()), comment };
        let request = MakeTypesRequest {
            context: Some(session.context()?),
            kind: ObjectKind::TriggerType.into(),
            arguments: selectors.iter().zip(comments).map(argument).collect(),
            replace: arguments.has("replace"),
            trigger: Some(facts.clone()),
            ..MakeTypesRequest::default()
        };
        let reply = session.call(async |mut host| host.make_types(request).await)?;
        for (name, outcome) in names.into_iter().zip(reply.outcomes) {
            all_done &= report(session, ObjectKind::TriggerType, name, outcome.outcome)?;
        }
    }
    Ok(Outcome::of(all_done))
}

fn facts(session: &Session, arguments: &Arguments) -> Result<TriggerTypeFacts, CommandError> {
    let class = match (arguments.has("element"), arguments.has("all"), arguments.has("type")) {
        (true, false, _) => TriggerClass::Element,
        (true, true, _) => TriggerClass::AllElements,
        (false, false, true) => TriggerClass::Type,
        (false, true, true) => {
            return Err(CommandError::Usage("Option -all goes with -element".to_owned()));
        }
        (false, _, false) => return Err(CommandError::Usage("Either -element or -type required".to_owned())),
    };
    let before = arguments.has("preop");
    let operations = arguments.text(if before { "preop" } else { "postop" });
    if operations.is_empty() {
        return Err(CommandError::Usage("Either -preop or -postop required".to_owned()));
    }
    let mut actions = Vec::new();
    for (word, value) in arguments.given() {
        actions.extend(action(session, word, value.unwrap_or_default())?);
    }
    if actions.is_empty() {
        return Err(CommandError::Usage("An action required".to_owned()));
    }
    let mut types = Vec::new();
    for (word, kind, selector) in LISTS {
        let Some(list) = arguments.value(word) else { continue };
        let all = list == "-all";
        let names = list.as_bytes().split(|byte| *byte == b',').filter(|name| !all && !name.is_empty());
        let name = |name: &[u8]| Ok(type_selector(session, OsStr::from_bytes(name), *selector)?.name);
        let names = names.map(name).collect::<Result<Vec<_>, CommandError>>()?;
        types.push(TriggerTypes { kind: (*kind).into(), all, names });
    }
    let words = |list: &str| -> Vec<String> {
        list.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    Ok(TriggerTypeFacts {
        class: class.into(),
        before,
        operations: words(&operations),
        exempt: words(&arguments.text("nusers")),
        actions,
        types,
        print: arguments.has("print"),
    })
}

/// Reads an option that is an action.
fn action(session: &Session, word: &str, value: &OsStr) -> Result<Option<TriggerActionFacts>, CommandError> {
    let text = value.as_bytes();
    let bad = |what: &str| CommandError::Usage(format!("Option -{word} takes {what}"));
    let named = |kind: Action, of: SelectorKind, name: &[u8], text: &[u8]| {
        let name = type_selector(session, OsStr::from_bytes(name), of)?.name;
        Ok(Some(TriggerActionFacts { kind: kind.into(), name, text: text.to_vec() }))
    };
    let command = |kind: Action| {
        Ok(Some(TriggerActionFacts { kind: kind.into(), name: Vec::new(), text: text.to_vec() }))
    };
    match word {
        "exec" => command(Action::Execute),
        "execunix" => command(Action::ExecuteUnix),
        "execwin" => command(Action::ExecuteWindows),
        "mklabel" => named(Action::MakeLabel, SelectorKind::LabelType, text, b""),
        "mkattr" => {
            let at = text.iter().position(|byte| *byte == b'=').ok_or_else(|| bad("attribute-type=value"))?;
            named(Action::MakeAttribute, SelectorKind::AttributeType, &text[..at], &text[at + 1..])
        }
        "mkhlink" => {
            let needs = || bad("hyperlink-type,to=pname or hyperlink-type,from=pname");
            let at = text.iter().position(|byte| *byte == b',').ok_or_else(needs)?;
            let (name, end) = (&text[..at], &text[at + 1..]);
            let (kind, object) = match (end.strip_prefix(b"to="), end.strip_prefix(b"from=")) {
                (Some(object), _) => (Action::MakeHyperlinkTo, object),
                (_, Some(object)) => (Action::MakeHyperlinkFrom, object),
                (None, None) => return Err(needs()),
            };
            named(kind, SelectorKind::HyperlinkType, name, object)
        }
        _ => Ok(None),
    }
}
