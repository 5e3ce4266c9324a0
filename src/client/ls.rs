//! `ls`: lists names with the versions they lead to and the rules that chose them.

use super::commands::{Command, exclusive};
use super::failure::kind_name;
use super::json;
use super::options::{Arguments, flag};
use super::pname::below;
use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::list_item::Item;
use crate::server::proto::{Annotation, ListFilter, ListRequest, ListRow, ListScope, ObjectKind};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "ls",
    aliases: &[],
    usage: "[-recurse | -directory] [-long | -short | -json] [-vob_only | -view_only]\n       \
            [-nxname] [-visible] [pname ...]",
    options: &[
        flag("r/ecurse"),
        flag("d/irectory"),
        flag("l/ong"),
        flag("s/hort"),
        flag("vob/_only"),
        flag("vie/w_only"),
        flag("nxn/ame"),
        flag("vis/ible"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

/// The layout of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    form: Form,
    /// Plain names instead of version-extended ones.
    plain_names: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Default,
    Long,
    Short,
}

/// Widths in bytes of the text before `Rule:`: the first field, and what it grows by. Two blanks follow.
const DEFAULT_FIELD: usize = 55;
const LONG_FIELD: usize = 37;
const FIELD_STEP: usize = 16;
/// Width in bytes of the kind of object with `-long`, its blank included.
const KIND_FIELD: usize = 23;

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["recurse", "directory"])?;
    exclusive(arguments, json::FORMS)?;
    exclusive(arguments, &["vob_only", "view_only"])?;
    let scope = match (arguments.has("recurse"), arguments.has("directory")) {
        (true, _) => ListScope::Recurse,
        (_, true) => ListScope::Directory,
        _ => ListScope::Contents,
    };
    let filter = match (arguments.has("vob_only"), arguments.has("view_only")) {
        (true, _) => ListFilter::VobOnly,
        (_, true) => ListFilter::ViewOnly,
        _ => ListFilter::All,
    };
    let form = match (arguments.has("long"), arguments.has("short")) {
        (true, _) => Form::Long,
        (_, true) => Form::Short,
        _ => Form::Default,
    };
    let layout = Layout { form, plain_names: arguments.has("nxname") };
    let mut typed = arguments.operands.clone();
    if typed.is_empty() && scope == ListScope::Directory {
        typed.push(".".into());
    }
    let request = ListRequest {
        context: Some(session.context()?),
        pnames: session.pnames(&typed)?,
        scope: scope.into(),
        filter: filter.into(),
        visible_only: arguments.has("visible"),
    };
    let names: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let name = |argument: u32| names.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let mut stream = session.call(async |mut host| host.list(request).await)?;
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Row(row)) => {
                let typed = name(row.argument);
                let name = match row.kind() {
                    // What is private in a directory below `@@` has no version of its own.
                    ObjectKind::ViewPrivateObject if row.path.is_empty() => typed.to_vec(),
                    _ => below(typed, &row.path),
                };
                let line = match json::is_wanted(arguments) {
                    true => json::listed(&row, &name),
                    false => layout_row(&row, &name, layout),
                };
                session.line(&[&line])?;
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                let object = match name(failed.argument) {
                    b"" if failed.path.is_empty() => b".".to_vec(),
                    typed if failed.path.is_empty() => typed.to_vec(),
                    typed => below(typed, &failed.path),
                };
                session.failure(&failed.failure.unwrap_or_default(), &object, None);
            }
            None => {}
        }
    }
    Ok(Outcome::of(all_done))
}

/// One line, without its newline.
fn layout_row(row: &ListRow, name: &[u8], layout: Layout) -> Vec<u8> {
    let mut text = name.to_vec();
    let is_element = !matches!(row.kind(), ObjectKind::ViewPrivateObject | ObjectKind::SymbolicLink);
    if !layout.plain_names && is_element {
        text.extend_from_slice(b"@@");
        text.extend_from_slice(&row.version);
    }
    if layout.form == Form::Short || (layout.plain_names && layout.form == Form::Default) {
        return text;
    }
    if !row.link_target.is_empty() {
        text.extend_from_slice(b" --> ");
        text.extend_from_slice(&row.link_target);
    }
    if !row.checked_out_from.is_empty() {
        text.extend_from_slice(b" from ");
        text.extend_from_slice(&row.checked_out_from);
    }
    if let Some(annotation) = annotation_text(row.annotation()) {
        text.push(b' ');
        text.extend_from_slice(annotation);
    }
    if !row.rule.is_empty() {
        let field = if layout.form == Form::Long { LONG_FIELD } else { DEFAULT_FIELD };
        text.resize(field_width(text.len(), field), b' ');
        text.extend_from_slice(b"  Rule: ");
        text.extend_from_slice(rule_text(row, layout.form).as_slice());
    }
    if layout.form == Form::Long {
        let mut line = kind_name(row.kind()).as_bytes().to_vec();
        line.resize(KIND_FIELD, b' ');
        line.extend_from_slice(&text);
        return line;
    }
    text
}

/// The selector with its branch; with `-long` the whole rule, as the product prints it there.
fn rule_text(row: &ListRow, form: Form) -> Vec<u8> {
    match form {
        Form::Long => row.whole_rule.clone(),
        _ if row.make_branch.is_empty() => row.rule.clone(),
        _ if row.branch_of_block => [&row.rule[..], b" [-mkbranch ", &row.make_branch, b"]"].concat(),
        _ => [&row.rule[..], b" -mkbranch ", &row.make_branch].concat(),
    }
}

/// The smallest field that holds the text.
fn field_width(text: usize, field: usize) -> usize {
    field + text.saturating_sub(field).div_ceil(FIELD_STEP) * FIELD_STEP
}

fn annotation_text(annotation: Annotation) -> Option<&'static [u8]> {
    match annotation {
        Annotation::None => None,
        Annotation::Eclipsed => Some(b"[eclipsed]"),
        Annotation::EclipsedByCheckout => Some(b"[eclipsed by checkout]"),
        Annotation::CheckedOutButEclipsed => Some(b"[checkedout but eclipsed]"),
        Annotation::CheckedOutButRemoved => Some(b"[checkedout but removed]"),
        Annotation::NoVersionSelected => Some(b"[no version selected]"),
        Annotation::ErrorOnReference => Some(b"[error on reference]"),
    }
}

#[cfg(test)]
#[path = "ls_tests.rs"]
mod tests;
