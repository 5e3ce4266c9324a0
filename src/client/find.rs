//! `find`: finds elements, branches, versions and VOB symbolic links, and prints their names or runs commands on them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command as Process;

use super::commands::{Command, exclusive, missing};
use super::faults::complaint;
use super::options::{Arguments, OptionSpec, flag, repeated, value};
use super::pname::HISTORY_MARK;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use super::{avobs, json};
use crate::server::identity;
use crate::server::proto::find_item::Item;
use crate::server::proto::{
    FindFault, FindRequest, FindRow, FindScope, FindText, FindVisibility, ObjectKind,
};

const OPTIONS: &[OptionSpec] = &[
    flag("a/ll"),
    flag("avo/bs"),
    flag("vis/ible"),
    flag("nvi/sible"),
    value("nam/e"),
    flag("dep/th"),
    flag("nr/ecurse"),
    flag("d/irectory"),
    flag("cvi/ew"),
    value("use/r"),
    value("gro/up"),
    repeated("typ/e"),
    flag("fol/low"),
    flag("nxn/ame"),
    value("ele/ment"),
    value("bra/nch"),
    value("ver/sion"),
    flag("pri/nt"),
    flag("json"),
    flag("-json"),
    repeated("exe/c"),
    repeated("ok"),
];

/// The table entry.
pub const COMMAND: Command = Command {
    name: "find",
    aliases: &[],
    usage: "pname ... | [pname ...] -all [-visible | -nvisible] | -avobs [-visible | -nvisible]\n       \
            [-name pattern] [-depth | -nrecurse | -directory] [-cview] [-user login-name]\n       \
            [-group group-name] [-type {f|d|l}...] [-follow] [-nxname]\n       \
            [-element query] [-branch query] [-version query]\n       \
            {-print | -json | -exec command | -ok command} ...",
    options: OPTIONS,
    comments: false,
    run,
};

/// What is done with each object.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Print,
    Json,
    Execute(OsString),
    Ask(OsString),
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let arguments = arguments.clone().with_options_behind(&[OPTIONS])?;
    exclusive(&arguments, &["all", "avobs"])?;
    exclusive(&arguments, &["visible", "nvisible"])?;
    exclusive(&arguments, &["depth", "nrecurse", "directory"])?;
    let actions = actions(&arguments);
    if actions.is_empty() {
        return Err(missing("Action (-print, -exec or -ok)"));
    }
    let request = request(session, &arguments)?;
    let typed: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let typed = |argument: u32| typed.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let texts = request.clone();
    let mut stream = session.call(async |mut host| host.find(request).await)?;
    let mut search = Search { actions, short: arguments.has("nxname"), printed: None, all_done: true };
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Rows(found)) => {
                for row in &found.rows {
                    search.act(session, row)?;
                }
            }
            Some(Item::Failure(failed)) => {
                search.all_done = false;
                session.failure(&failed.failure.unwrap_or_default(), typed(failed.argument), None);
            }
            Some(Item::Fault(fault)) => return Err(CommandError::refused(not_understood(&texts, &fault))),
            None => {}
        }
    }
    Ok(Outcome::of(search.all_done))
}

fn actions(arguments: &Arguments) -> Vec<Action> {
    let action = |(word, value): (&str, Option<&OsStr>)| match (word, value) {
        ("print", _) => Some(Action::Print),
        ("json" | "-json", _) => Some(Action::Json),
        ("exec", Some(command)) => Some(Action::Execute(command.to_owned())),
        ("ok", Some(command)) => Some(Action::Ask(command.to_owned())),
        _ => None,
    };
    arguments.given().filter_map(action).collect()
}

/// Reads the options that say what is looked for.
///
/// # Errors
/// Options that contradict each other, or of which a value is none.
pub fn request(session: &Session, arguments: &Arguments) -> Result<FindRequest, CommandError> {
    let whole = arguments.has("all") || arguments.has("avobs");
    let needs_whole = ["visible", "nvisible"].iter().find(|word| arguments.has(word) && !whole);
    if let Some(word) = needs_whole {
        return Err(CommandError::Usage(format!("Option -{word} goes with -all or -avobs")));
    }
    let needs_tree = ["nrecurse", "directory", "follow"].iter().find(|word| arguments.has(word) && whole);
    if let Some(word) = needs_tree {
        return Err(CommandError::Usage(format!("Option -{word} does not go with -all or -avobs")));
    }
    if !whole && arguments.operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let scopes = [
        ("all", FindScope::All),
        ("avobs", FindScope::AllVobs),
        ("nrecurse", FindScope::Entries),
        ("directory", FindScope::Object),
    ];
    let scope = scopes.iter().find(|(word, _)| arguments.has(word)).map(|(_, scope)| *scope);
    let visibility = match (arguments.has("visible"), arguments.has("nvisible")) {
        (true, _) => FindVisibility::Visible,
        (_, true) => FindVisibility::Invisible,
        _ => FindVisibility::Any,
    };
    let mut request = FindRequest {
        context: Some(session.context()?),
        pnames: session.pnames(&arguments.operands)?,
        scope: scope.unwrap_or(FindScope::Tree).into(),
        vobs: if scope == Some(FindScope::AllVobs) { avobs::from_environment() } else { Vec::new() },
        visibility: visibility.into(),
        name: arguments.bytes("name"),
        depth_first: arguments.has("depth"),
        current_view: arguments.has("cview"),
        user_id: number(arguments, "user", identity::user_number)?,
        group_id: number(arguments, "group", identity::group_number)?,
        follow: arguments.has("follow"),
        element_query: arguments.bytes("element"),
        branch_query: arguments.bytes("branch"),
        version_query: arguments.bytes("version"),
        ..FindRequest::default()
    };
    let types = arguments.given().filter(|(word, _)| *word == "type").filter_map(|(_, value)| value);
    for letter in types.flat_map(|value| value.as_bytes()) {
        match letter {
            b'f' => request.files = true,
            b'd' => request.directories = true,
            b'l' => request.links = true,
            b',' => {}
            _ => return Err(CommandError::Usage("Option -type takes the letters f, d and l".to_owned())),
        }
    }
    for word in ["name", "element", "branch", "version"] {
        if arguments.value(word).is_some_and(OsStr::is_empty) {
            return Err(CommandError::Usage(format!("Option -{word} needs a value that is not empty")));
        }
    }
    Ok(request)
}

/// The number of a user or group, by name or as a number.
fn number(
    arguments: &Arguments,
    word: &str,
    find: impl Fn(&str) -> Option<u32>,
) -> Result<Option<u32>, CommandError> {
    if arguments.value(word).is_none() {
        return Ok(None);
    }
    let name = arguments.text(word);
    match find(&name) {
        Some(number) => Ok(Some(number)),
        None => Err(CommandError::refused(format!("Unknown {word}: \"{name}\"."))),
    }
}

/// The complaint about a query or a pattern.
pub fn not_understood(request: &FindRequest, fault: &FindFault) -> Vec<u8> {
    let (what, text) = match fault.r#where() {
        FindText::Name => ("name pattern", &request.name),
        FindText::ElementQuery => ("element query", &request.element_query),
        FindText::BranchQuery => ("branch query", &request.branch_query),
        FindText::VersionQuery => ("version query", &request.version_query),
    };
    let diagnostic = fault.diagnostic.clone().unwrap_or_default();
    let place = match diagnostic.column {
        0 => String::new(),
        column => format!("column {column}: "),
    };
    let complaint = format!("\": {place}{}.", complaint(&diagnostic));
    [b"Invalid ", what.as_bytes(), b" \"", text, complaint.as_bytes()].concat()
}

/// What is done with what is found.
struct Search {
    actions: Vec<Action>,
    /// `-nxname`
    short: bool,
    /// The name that was printed last.
    printed: Option<Vec<u8>>,
    all_done: bool,
}

impl Search {
    fn act(&mut self, session: &mut Session, row: &FindRow) -> Result<(), CommandError> {
        let extended = extended(row);
        for action in &self.actions {
            match action {
                Action::Json => session.line(&[&json::found(row, &extended)])?,
                Action::Print if !self.short => session.line(&[&extended])?,
                // Versions of one element follow each other: their common name is printed once.
                Action::Print if self.printed.as_ref() == Some(&row.name) => {}
                Action::Print => {
                    session.line(&[&row.name])?;
                    self.printed = Some(row.name.clone());
                }
                Action::Execute(command) => self.all_done &= execute(session, command, row, &extended)?,
                Action::Ask(command) => {
                    let question = [b"Execute \"", command.as_bytes(), b"\" for \"", &extended, b"\"?"];
                    if session.ask(&question.concat(), false)? {
                        self.all_done &= execute(session, command, row, &extended)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The version-extended name.
fn extended(row: &FindRow) -> Vec<u8> {
    match row.kind() {
        ObjectKind::SymbolicLink => row.name.clone(),
        _ => [&row.name[..], HISTORY_MARK, &row.extension].concat(),
    }
}

/// Runs a command in a shell; tells whether it succeeded.
fn execute(
    session: &mut Session,
    command: &OsStr,
    row: &FindRow,
    extended: &[u8],
) -> Result<bool, CommandError> {
    session.flush()?;
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let status = Process::new("/bin/sh")
        .args([OsStr::new("-c"), command])
        .env("CLEARCASE_PN", text(&row.name))
        .env("CLEARCASE_XN_SFX", text(HISTORY_MARK))
        .env("CLEARCASE_ID_STR", text(&row.extension))
        .env("CLEARCASE_XPN", text(extended))
        .status();
    match status {
        Ok(status) => Ok(status.success()),
        Err(error) => {
            session.error(format!("Unable to run /bin/sh: {}.", system_text(&error)).as_bytes());
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::proto::Diagnostic;

    fn row(kind: ObjectKind, extension: &str) -> FindRow {
        FindRow { name: b"./a.c".to_vec(), kind: kind.into(), extension: extension.into() }
    }

    #[test]
    fn names_are_extended_by_kind() {
        for (kind, extension, expected) in [
            (ObjectKind::FileElement, "", "./a.c@@"),
            (ObjectKind::Branch, "/main/b", "./a.c@@/main/b"),
            (ObjectKind::Version, "/main/b/3", "./a.c@@/main/b/3"),
            (ObjectKind::SymbolicLink, "", "./a.c"),
        ] {
            assert_eq!(String::from_utf8_lossy(&extended(&row(kind, extension))), expected);
        }
    }

    #[test]
    fn actions_keep_their_order() {
        let words = ["-exec", "a", "-print", "-ok", "b", "-exec", "c"].map(OsString::from);
        let found = actions(&Arguments::parse(&[OPTIONS], &words).unwrap());
        let [a, b, c] = ["a", "b", "c"].map(OsString::from);
        assert_eq!(found, [Action::Execute(a), Action::Print, Action::Ask(b), Action::Execute(c)]);
    }

    #[test]
    fn a_query_that_is_none_is_told_with_its_place() {
        let request = FindRequest { version_query: b"lbtype(".to_vec(), ..FindRequest::default() };
        let diagnostic = Diagnostic {
            line: 1,
            column: 8,
            message: "query is not complete".to_owned(),
            expected: "\")\"".to_owned(),
            ..Diagnostic::default()
        };
        let r#where = FindText::VersionQuery.into();
        let told = not_understood(&request, &FindFault { r#where, diagnostic: Some(diagnostic) });
        let expected = "Invalid version query \"lbtype(\": column 8: query is not complete (expected \")\").";
        assert_eq!(String::from_utf8_lossy(&told), expected);
    }
}
