//! `mkbrtype`, `mklbtype`, `mkeltype`, `mkattype`, `mkhltype`: make type objects.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::dates::Dates;
use super::failure::kind_name;
use super::options::{Arguments, OptionSpec, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target::{type_selector, type_selectors};
use crate::server::proto::make_type_outcome::Outcome as MakeOutcome;
use crate::server::proto::{
    AttributePer, AttributeTypeFacts, MakeTypesRequest, MergeType, ObjectKind, Selector, SelectorKind,
    TypeArgument, ValueLimit, ValueType,
};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const BRANCH_OPTIONS: &[OptionSpec] =
    &[flag("rep/lace"), flag("glo/bal"), flag("acq/uire"), flag("ord/inary"), flag("pbr/anch")];
const LABEL_OPTIONS: &[OptionSpec] = &[
    flag("rep/lace"),
    flag("glo/bal"),
    flag("acq/uire"),
    flag("ord/inary"),
    flag("pbr/anch"),
    flag("sha/red"),
];

/// The table entry of `mkbrtype`.
pub const BRANCH: Command = Command {
    name: "mkbrt/ype",
    aliases: &[],
    usage: "[-replace] [-global [-acquire] | -ordinary] [-pbranch]\u{1}\n       branch-type-name ...",
    options: BRANCH_OPTIONS,
    comments: true,
    run: |session, arguments| run(session, arguments, ObjectKind::BranchType, "mkbrtype"),
};

/// The table entry of `mklbtype`.
pub const LABEL: Command = Command {
    name: "mklbt/ype",
    aliases: &[],
    usage: "[-replace] [-global [-acquire] | -ordinary] [-pbranch] [-shared]\u{1}\n       label-type-name ...",
    options: LABEL_OPTIONS,
    comments: true,
    run: |session, arguments| run(session, arguments, ObjectKind::LabelType, "mklbtype"),
};

/// The table entry of `mkeltype`.
pub const ELEMENT: Command = Command {
    name: "mkelt/ype",
    aliases: &[],
    usage: "[-replace] [-global [-acquire] | -ordinary] -supertype element-type [-manager manager]\n       \
            [-ptime] [-attype attribute-type[,...]] [-mergetype {auto | user | never}]\u{1}\n       \
            element-type-name ...",
    options: &[
        flag("rep/lace"),
        flag("glo/bal"),
        flag("acq/uire"),
        flag("ord/inary"),
        value("sup/ertype"),
        value("man/ager"),
        flag("pti/me"),
        value("att/ype"),
        value("mer/getype"),
    ],
    comments: true,
    run: |session, arguments| run(session, arguments, ObjectKind::ElementType, "mkeltype"),
};

/// The table entry of `mkattype`.
pub const ATTRIBUTE: Command = Command {
    name: "mkatt/ype",
    aliases: &[],
    usage: "[-replace] [-global [-acquire] | -ordinary] [-vpelement | -vpbranch | -vpversion] [-shared]\n       \
            [-vtype {integer | real | time | string | opaque}]\n       \
            [[-gt low | -ge low] [-lt high | -le high] | -enum value[,...]] [-default value]\u{1}\n       \
            attribute-type-name ...",
    options: &[
        flag("rep/lace"),
        flag("glo/bal"),
        flag("acq/uire"),
        flag("ord/inary"),
        flag("vpe/lement"),
        flag("vpb/ranch"),
        flag("vpv/ersion"),
        flag("sha/red"),
        value("vty/pe"),
        value("gt"),
        value("ge"),
        value("lt"),
        value("le"),
        value("enu/m"),
        value("def/ault"),
    ],
    comments: true,
    run: |session, arguments| run(session, arguments, ObjectKind::AttributeType, "mkattype"),
};

/// The table entry of `mkhltype`.
pub const HYPERLINK: Command = Command {
    name: "mkhlt/ype",
    aliases: &[],
    usage: "[-replace] [-global [-acquire] | -ordinary] [-attype attribute-type[,...]] [-shared]\u{1}\n       \
            hyperlink-type-name ...",
    options: &[
        flag("rep/lace"),
        flag("glo/bal"),
        flag("acq/uire"),
        flag("ord/inary"),
        value("att/ype"),
        flag("sha/red"),
    ],
    comments: true,
    run: |session, arguments| run(session, arguments, ObjectKind::HyperlinkType, "mkhltype"),
};

fn run(
    session: &mut Session,
    arguments: &Arguments,
    kind: ObjectKind,
    command: &'static str,
) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Type name"));
    }
    exclusive(arguments, &["global", "ordinary"])?;
    exclusive(arguments, &["vpelement", "vpbranch", "vpversion"])?;
    if arguments.has("acquire") && !arguments.has("global") {
        return Err(CommandError::Usage("Option -acquire needs -global".to_owned()));
    }
    let source = comment::source(command, arguments, CommentSource::AskEach)?;
    let selector_kind = match kind {
        ObjectKind::BranchType => SelectorKind::BranchType,
        ObjectKind::LabelType => SelectorKind::LabelType,
        ObjectKind::ElementType => SelectorKind::ElementType,
        ObjectKind::AttributeType => SelectorKind::AttributeType,
        _ => SelectorKind::HyperlinkType,
    };
    let (selectors, mut all_done) = type_selectors(session, &arguments.operands, |session, operand| {
        type_selector(session, operand, selector_kind)
    })?;
    let request = MakeTypesRequest {
        kind: kind.into(),
        replace: arguments.has("replace"),
        global: arguments.has("global"),
        shared: arguments.has("shared"),
        per_branch: arguments.has("pbranch"),
        suggested: suggested(session, arguments)?,
        ..match kind {
            ObjectKind::ElementType => element(session, arguments)?,
            ObjectKind::AttributeType => {
                let attribute = Some(attribute(arguments, &session.dates)?);
                MakeTypesRequest { attribute, ..MakeTypesRequest::default() }
            }
            _ => MakeTypesRequest::default(),
        }
    };
    let batch = if source == CommentSource::AskEach { 1 } else { selectors.len().max(1) };
    for selectors in selectors.chunks(batch) {
        let names: Vec<&[u8]> = selectors.iter().map(|selector| selector.name.as_slice()).collect();
        let comments = comment::texts(session, &source, Prompt::Creation, &names, &[])?;
        let argument =
            |(selector, comment): (&Selector, _)| TypeArgument { selector: Some(selector.clone()), comment };
        let request = MakeTypesRequest {
            context: Some(session.context()?),
            arguments: selectors.iter().zip(comments).map(argument).collect(),
            ..request.clone()
        };
        let reply = session.call(async |mut host| host.make_types(request).await)?;
        for (name, outcome) in names.into_iter().zip(reply.outcomes) {
            all_done &= report(session, kind, name, outcome.outcome)?;
        }
    }
    Ok(Outcome::of(all_done))
}

pub(super) fn report(
    session: &mut Session,
    kind: ObjectKind,
    name: &[u8],
    outcome: Option<MakeOutcome>,
) -> Result<bool, CommandError> {
    let kind = kind_name(kind);
    match outcome {
        Some(MakeOutcome::Done(done)) => {
            let verb = if done.replaced { "Replaced definition of" } else { "Created" };
            session.line(&[verb.as_bytes(), b" ", kind.as_bytes(), b" \"", name, b"\"."])?;
            Ok(true)
        }
        Some(MakeOutcome::Failure(failure)) => {
            session.failure(&failure, name, Some(&format!("create {kind}")));
            Ok(false)
        }
        None => Ok(false),
    }
}

fn element(session: &Session, arguments: &Arguments) -> Result<MakeTypesRequest, CommandError> {
    let Some(supertype) = arguments.value("supertype") else {
        return Err(missing("Option -supertype is"));
    };
    let merge = match arguments.text("mergetype").as_str() {
        "" => MergeType::Inherited,
        "auto" => MergeType::Auto,
        "user" => MergeType::User,
        "never" => MergeType::Never,
        other => return Err(CommandError::Usage(format!("Unknown merge type: \"{other}\""))),
    };
    Ok(MakeTypesRequest {
        supertype: type_selector(session, supertype, SelectorKind::ElementType)?.name,
        manager: arguments.text("manager"),
        merge: merge.into(),
        preserve_time: arguments.has("ptime"),
        ..MakeTypesRequest::default()
    })
}

/// The names of the attribute types of `-attype`.
fn suggested(session: &Session, arguments: &Arguments) -> Result<Vec<Vec<u8>>, CommandError> {
    let Some(list) = arguments.value("attype") else { return Ok(Vec::new()) };
    let names = list.as_bytes().split(|byte| *byte == b',').filter(|name| !name.is_empty());
    let name =
        |name: &[u8]| Ok(type_selector(session, OsStr::from_bytes(name), SelectorKind::AttributeType)?.name);
    names.map(name).collect()
}

fn attribute(arguments: &Arguments, dates: &Dates) -> Result<AttributeTypeFacts, CommandError> {
    exclusive(arguments, &["gt", "ge"])?;
    exclusive(arguments, &["lt", "le"])?;
    let value_type = match arguments.text("vtype").as_str() {
        "" | "string" => ValueType::String,
        "integer" => ValueType::Integer,
        "real" => ValueType::Real,
        "time" => ValueType::Time,
        "opaque" => ValueType::Opaque,
        other => return Err(CommandError::Usage(format!("Unknown value type: \"{other}\""))),
    };
    let per = match (arguments.has("vpelement"), arguments.has("vpbranch")) {
        (true, _) => AttributePer::Element,
        (_, true) => AttributePer::Branch,
        _ => AttributePer::Version,
    };
    let text = |word: &str| arguments.has(word).then(|| arguments.text(word));
    let limit = |open: &str, closed: &str| match (text(open), text(closed)) {
        (Some(value), _) => Some(ValueLimit { value, inclusive: false }),
        (_, Some(value)) => Some(ValueLimit { value, inclusive: true }),
        (None, None) => None,
    };
    let mut facts = AttributeTypeFacts {
        value_type: value_type.into(),
        per: per.into(),
        lower: limit("gt", "ge"),
        upper: limit("lt", "le"),
        enumeration: text("enum").map(|list| values(&list)).unwrap_or_default(),
        default: text("default"),
    };
    if value_type == ValueType::Time {
        let limits = [&mut facts.lower, &mut facts.upper].into_iter().flatten();
        let limits = limits.map(|limit| &mut limit.value);
        for value in limits.chain(&mut facts.enumeration).chain(&mut facts.default) {
            *value = moment(value, dates)?;
        }
    }
    Ok(facts)
}

/// A date-time as attribute types keep it: UTC, so that it means the same everywhere.
fn moment(typed: &str, dates: &Dates) -> Result<String, CommandError> {
    let moment = dates.moment(typed).and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let refused = || CommandError::refused(format!("Invalid date-time specification: \"{typed}\"."));
    moment.map(|moment| moment.to_string()).ok_or_else(refused)
}

/// Parts a list at commas that are not in double quotes.
fn values(list: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quoted = false;
    for letter in list.chars() {
        quoted ^= letter == '"';
        match found.last_mut() {
            Some(value) if letter != ',' || quoted => value.push(letter),
            _ => found.push(String::new()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parted_at_commas() {
        assert_eq!(values("1,2"), ["1", "2"]);
        assert_eq!(values("\"a,b\",\"c\""), ["\"a,b\"", "\"c\""]);
    }
}
