//! `lsprivate`: lists what a view has of its own: private files and directories, and data of checked-out files.

use super::commands::{Command, exclusive};
use super::dates::Dates;
use super::failure::kind_name;
use super::json;
use super::options::{Arguments, flag, value};
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::private_item::Item;
use crate::server::proto::{ListPrivateRequest, ObjectKind, PrivateRow};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsp/rivate",
    aliases: &[],
    usage: "[-tag view-tag] [-invob vob-selector | directory-pname ...]\n       \
            [-long | -short | -json] [-size] [-age] [-co] [-do] [-other]",
    options: &[
        value("tag"),
        value("inv/ob"),
        flag("l/ong"),
        flag("s/hort"),
        flag("siz/e"),
        flag("age"),
        flag("co"),
        flag("do"),
        flag("oth/er"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

/// Width in bytes of the kind of object with `-long`, its blank included.
const KIND_FIELD: usize = 23;
/// Width of a size in bytes, its blanks included.
const SIZE_FIELD: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Default,
    Long,
    Short,
}

/// What a line shows beside the path.
struct Layout {
    form: Form,
    size: bool,
    age: Option<Dates>,
}

/// What `-size` sums up.
#[derive(Default)]
struct Sum {
    objects: u64,
    bytes: u64,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    let vob = arguments.value("invob").map(OsStr::as_bytes);
    if vob.is_some() && !arguments.operands.is_empty() {
        return Err(CommandError::Usage("Option -invob and pathnames are mutually exclusive".to_owned()));
    }
    let vob = vob.map(|vob| vob.strip_prefix(b"vob:").unwrap_or(vob).to_vec());
    let vobs = match &vob {
        Some(vob) => vec![session.pname(OsStr::from_bytes(vob))?],
        None => Vec::new(),
    };
    let request = ListPrivateRequest {
        context: Some(session.context()?),
        tag: arguments.text("tag"),
        vobs,
        directories: session.pnames(&arguments.operands)?,
        checkouts: arguments.has("co"),
        derived_objects: arguments.has("do"),
        others: arguments.has("other"),
    };
    let layout = Layout {
        form: match (arguments.has("long"), arguments.has("short")) {
            (true, _) => Form::Long,
            (_, true) => Form::Short,
            _ => Form::Default,
        },
        size: arguments.has("size"),
        age: arguments.has("age").then(Dates::from_environment),
    };
    let mut typed: Vec<Vec<u8>> = vob.into_iter().collect();
    typed.extend(request.directories.iter().map(|pname| pname.typed.clone()));
    let tag = request.tag.clone();
    let mut stream = session.call_about(tag.as_bytes(), async |mut host| host.list_private(request).await)?;
    let (mut all_done, mut sum) = (true, Sum::default());
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Row(row)) => {
                sum.objects += 1;
                sum.bytes += if row.directory { 0 } else { row.size_bytes };
                let line = match json::is_wanted(arguments) {
                    true => json::private(&row),
                    false => layout_row(&row, &layout),
                };
                session.line(&[&line])?;
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                let argument = typed.get(failed.argument as usize);
                let object = if failed.path.is_empty() { argument } else { Some(&failed.path) };
                let object = object.cloned().unwrap_or_default();
                session.failure(&failed.failure.unwrap_or_default(), &object, None);
            }
            None => {}
        }
    }
    if layout.size && !json::is_wanted(arguments) {
        session.line(&[format!("Total: {} objects, {} bytes", sum.objects, sum.bytes).as_bytes()])?;
    }
    Ok(Outcome::of(all_done))
}

/// One line, without its newline.
fn layout_row(row: &PrivateRow, layout: &Layout) -> Vec<u8> {
    let is_checkout = !row.version.is_empty();
    let mut line = Vec::new();
    if layout.form == Form::Long {
        let kind = if is_checkout { ObjectKind::Version } else { ObjectKind::ViewPrivateObject };
        line = kind_name(kind).as_bytes().to_vec();
        line.resize(KIND_FIELD, b' ');
    }
    if layout.size {
        line.extend_from_slice(format!("{:>width$}  ", row.size_bytes, width = SIZE_FIELD - 2).as_bytes());
    }
    if let Some(dates) = &layout.age {
        line.extend_from_slice(dates.full(row.accessed_s).as_bytes());
        line.extend_from_slice(b"  ");
    }
    line.extend_from_slice(&row.path);
    match (is_checkout, layout.form) {
        (true, Form::Default) => line.extend_from_slice(b" [checkedout]"),
        (true, Form::Long) => {
            line.extend_from_slice(&[b"@@", &row.version[..], b" from ", &row.checked_out_from].concat());
        }
        _ => {}
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::dates::DateStyle;
    use super::*;

    #[test]
    fn a_line_shows_what_was_asked_for() {
        let private = PrivateRow { path: b"/vobs/x/a b".to_vec(), size_bytes: 1234, ..PrivateRow::default() };
        let checkout = PrivateRow {
            path: b"/vobs/x/foo.c".to_vec(),
            version: b"/main/CHECKEDOUT".to_vec(),
            checked_out_from: b"/main/3".to_vec(),
            accessed_s: 86_400,
            ..PrivateRow::default()
        };
        let dates = || Some(Dates::new(DateStyle::Iso, jiff::tz::TimeZone::UTC, 0));
        for (form, size, age, row, expected) in [
            (Form::Default, false, None, &private, "/vobs/x/a b"),
            (Form::Default, false, None, &checkout, "/vobs/x/foo.c [checkedout]"),
            (Form::Short, false, None, &checkout, "/vobs/x/foo.c"),
            (Form::Long, false, None, &private, "view private object    /vobs/x/a b"),
            (
                Form::Long,
                false,
                None,
                &checkout,
                "version                /vobs/x/foo.c@@/main/CHECKEDOUT from /main/3",
            ),
            (Form::Default, true, None, &private, "      1234  /vobs/x/a b"),
            (
                Form::Default,
                true,
                dates(),
                &checkout,
                "         0  1970-01-02T00:00:00+00:00  /vobs/x/foo.c [checkedout]",
            ),
        ] {
            let line = layout_row(row, &Layout { form, size, age });
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }
}
