//! `diff`: compares two files or two directories, or a version with the one before it.

use super::commands::{Command, missing};
use super::comparison::{Details, FORMAT_OPTIONS, Format, bracketed, difference, names, one_after_the_other};
use super::comparison::{side_by_side, without_blanks};
use super::merge_tool;
use super::options::{Arguments, OptionSpec, flag};
use super::pname::{HISTORY_MARK, without_version};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::merge::text::{differences, lines};
use crate::server::proto::directory_names_outcome::Outcome as Names;
use crate::server::proto::merge_facts_outcome::Outcome as Facts;
use crate::server::proto::version_source::Source;
use crate::server::proto::{
    DirectoryName, DirectoryNames, DirectoryNamesRequest, MergeFactsRequest, ObjectKind, VersionSource,
};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const OPTIONS: &[OptionSpec] = &[
    flag("pre/decessor"),
    FORMAT_OPTIONS[0],
    FORMAT_OPTIONS[1],
    FORMAT_OPTIONS[2],
    FORMAT_OPTIONS[3],
    FORMAT_OPTIONS[4],
    FORMAT_OPTIONS[5],
    FORMAT_OPTIONS[6],
    FORMAT_OPTIONS[7],
    FORMAT_OPTIONS[8],
];

/// The table entry.
pub const COMMAND: Command = Command {
    name: "diff",
    aliases: &[],
    usage: "[-serial_format | -diff_format | -columns n | -graphical] [-predecessor]\n       \
            [-options \"pass-through-options\"] pname1 [pname2]",
    options: OPTIONS,
    comments: false,
    run,
};

/// A file or directory as it is compared.
struct Compared {
    /// Where it is read.
    path: OsString,
    /// What it is called.
    name: Vec<u8>,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let arguments = arguments.clone().with_options_behind(&[OPTIONS])?;
    let (format, details) = (Format::of(&arguments)?, Details::of(&arguments)?);
    let predecessor = arguments.has("predecessor");
    let (first, second) = match (&arguments.operands[..], predecessor) {
        ([], _) => return Err(missing("Pathname")),
        ([_], false) => return Err(missing("Second pathname, or -predecessor,")),
        ([one], true) => (one, None),
        ([one, other], false) => (one, Some(other)),
        ([_, extra], true) | ([_, _, extra, ..], _) => {
            return Err(CommandError::Usage(format!("Extra arguments: \"{}\"", extra.to_string_lossy())));
        }
    };
    let is_directory = |path: &OsStr| std::fs::metadata(path).map(|found| found.is_dir());
    let kind = |path: &OsStr| is_directory(path).map_err(|error| unreadable(path.as_bytes(), &error));
    let directory = kind(first)?;
    if let Some(second) = second
        && kind(second)? != directory
    {
        let (file, other) = if directory { (second, first) } else { (first, second) };
        let sentence = [b"\"", file.as_bytes(), b"\" is a file, \"", other.as_bytes(), b"\" a directory."];
        return Err(CommandError::refused(sentence.concat()));
    }
    if directory {
        return directories(session, first, second, format, details);
    }
    let read = |typed: &OsString| Compared { path: typed.clone(), name: typed.as_bytes().to_vec() };
    let (before, after) = match second {
        Some(second) => (read(first), read(second)),
        None => (before(session, first)?, read(first)),
    };
    if arguments.has("graphical") {
        return merge_tool::compare(session, &before.path, &after.path);
    }
    files(session, &before, &after, format, details)
}

/// The complaint about a file that cannot be read.
pub fn unreadable(name: &[u8], error: &std::io::Error) -> CommandError {
    let reason = system_text(error);
    CommandError::refused([b"Unable to access \"", name, b"\": ", reason.as_bytes(), b"."].concat())
}

/// The version before a version or checkout, by its absolute name.
fn before(session: &mut Session, typed: &OsStr) -> Result<Compared, CommandError> {
    let pname = session.pname(typed)?;
    let request = MergeFactsRequest {
        context: Some(session.context()?),
        targets: vec![pname.clone()],
        sources: vec![VersionSource { source: Some(Source::Predecessor(true)) }],
        base: None,
    };
    let reply = session.call_about(&pname.typed, async |mut host| host.merge_facts(request).await)?;
    let failed = |failure| CommandError::Refused(super::failure::sentences(&failure, &pname.typed, None));
    let facts = match reply.outcomes.into_iter().next().and_then(|outcome| outcome.outcome) {
        Some(Facts::Done(facts)) => facts,
        Some(Facts::Failure(failure)) => return Err(failed(failure)),
        None => return Err(failed(Default::default())),
    };
    let source = facts.sources.into_iter().next().unwrap_or_default();
    if let Some(failure) = source.failure {
        return Err(failed(failure));
    }
    let name = [without_version(&pname.absolute), HISTORY_MARK, &source.version].concat();
    Ok(Compared { path: OsString::from_vec(name.clone()), name })
}

fn files(
    session: &mut Session,
    before: &Compared,
    after: &Compared,
    format: Format,
    details: Details,
) -> CommandResult {
    let read = |file: &Compared| std::fs::read(&file.path).map_err(|error| unreadable(&file.name, &error));
    let (old, new) = (read(before)?, read(after)?);
    let (old_lines, new_lines) = (lines(&old), lines(&new));
    let is_binary = old.contains(&0) || new.contains(&0);
    let changes = match (is_binary, details.blank_ignore) {
        (true, _) => Vec::new(),
        (false, false) if old == new => Vec::new(),
        (false, false) => differences(&old_lines, &new_lines),
        (false, true) => {
            let bare = |lines: &[&[u8]]| lines.iter().map(|line| without_blanks(line)).collect::<Vec<_>>();
            differences(&bare(&old_lines), &bare(&new_lines))
        }
    };
    let same = changes.is_empty() && !(is_binary && old != new);
    if details.status_only {
        return Ok(Outcome::of(same));
    }
    let is_diff = format == Format::Diff;
    if same {
        if !is_diff && !details.quiet {
            session.line(&[b"Files are identical"])?;
        }
        return Ok(Outcome::Done);
    }
    if !is_diff && !details.quiet {
        session.write(&[&names("file", &[&before.name, &after.name])])?;
    }
    if is_binary {
        session.line(&[b"Binary files differ"])?;
    }
    for change in &changes {
        let lines = (&old_lines[change.before.clone()], &new_lines[change.after.clone()]);
        session.write(&[&difference(format, details.headers_only, change, lines, "")])?;
    }
    Ok(Outcome::Failed)
}

// ---- Directories ------------------------------------------------------------------------------------------------

fn directories(
    session: &mut Session,
    first: &OsStr,
    second: Option<&OsString>,
    format: Format,
    details: Details,
) -> CommandResult {
    let mut pnames = vec![session.pname(first)?];
    if let Some(second) = second {
        pnames.push(session.pname(second)?);
    }
    let typed: Vec<Vec<u8>> = pnames.iter().map(|pname| pname.typed.clone()).collect();
    let request =
        DirectoryNamesRequest { context: Some(session.context()?), pnames, predecessor: second.is_none() };
    let reply = session.call(async |mut host| host.directory_names(request).await)?;
    let mut found = Vec::new();
    for (at, outcome) in reply.outcomes.into_iter().enumerate() {
        let typed = &typed[at.min(typed.len() - 1)];
        match outcome.outcome {
            Some(Names::Done(done)) => {
                found.push(([without_version(typed), HISTORY_MARK, &done.version].concat(), done));
            }
            Some(Names::Failure(failure)) => {
                return Err(CommandError::Refused(super::failure::sentences(&failure, typed, None)));
            }
            None => {}
        }
    }
    let [(old_name, old), (new_name, new)] = &found[..] else {
        return Err(CommandError::refused("The daemon answered for another number of directories."));
    };
    let found = changed_names(old, new);
    if details.status_only {
        return Ok(Outcome::of(found.is_empty()));
    }
    let is_diff = format == Format::Diff;
    if found.is_empty() {
        if !is_diff && !details.quiet {
            session.line(&[b"Directories are identical"])?;
        }
        return Ok(Outcome::Done);
    }
    if !is_diff && !details.quiet {
        session.write(&[&names("directory", &[old_name, new_name])])?;
    }
    for (word, before, after) in &found {
        let row = |name: &Option<&DirectoryName>| name.map(|name| row(session, name));
        let (before, after) = (row(before), row(after));
        let [before, after] = [&before, &after].map(|row| row.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let header = match format {
            Format::Columns(columns) => bracketed(columns, &format!(" {word} "), &format!(" {word} ")),
            Format::Serial => format!("-----[ {word} ]-----\n").into_bytes(),
            Format::Diff => Vec::new(),
        };
        let rows = match format {
            _ if details.headers_only => Vec::new(),
            Format::Columns(columns) => side_by_side(columns, &before, &after),
            Format::Serial | Format::Diff => one_after_the_other(&before, &after, false),
        };
        session.write(&[&header, &rows])?;
    }
    Ok(Outcome::Failed)
}

/// What became of a name, and the rows of both directories.
type ChangedName<'a> = (&'static str, Option<&'a DirectoryName>, Option<&'a DirectoryName>);

/// Finds the names that differ: those that were renamed, then those that are gone, then those that came.
fn changed_names<'a>(old: &'a DirectoryNames, new: &'a DirectoryNames) -> Vec<ChangedName<'a>> {
    let only = |here: &'a DirectoryNames, there: &DirectoryNames| -> Vec<&'a DirectoryName> {
        let there: HashMap<&[u8], &str> =
            there.names.iter().map(|name| (&name.name[..], name.oid.as_str())).collect();
        here.names.iter().filter(|name| there.get(&name.name[..]) != Some(&name.oid.as_str())).collect()
    };
    let (mut gone, mut come) = (only(old, new), only(new, old));
    let mut renamed = Vec::new();
    gone.retain(|before| match come.iter().position(|after| after.oid == before.oid) {
        Some(at) => {
            renamed.push(("renamed to", Some(*before), Some(come.remove(at))));
            false
        }
        None => true,
    });
    let deleted = gone.into_iter().map(|name| ("deleted", Some(name), None));
    let added = come.into_iter().map(|name| ("added", None, Some(name)));
    renamed.into_iter().chain(deleted).chain(added).collect()
}

/// A name with who made the element and when, or with what a link leads to.
fn row(session: &Session, name: &DirectoryName) -> Vec<u8> {
    let created = name.created.clone().unwrap_or_default();
    let date = session.dates.short(created.time_s);
    let login = created.person.unwrap_or_default().login;
    let mut row = match name.kind() {
        ObjectKind::SymbolicLink => [&name.name[..], b" -> ", &name.link_target].concat(),
        kind => {
            let slash: &[u8] = if kind == ObjectKind::DirectoryElement { b"/" } else { b"" };
            [&name.name[..], slash, b"  ", date.as_bytes(), b" ", login.as_bytes()].concat()
        }
    };
    row.push(b'\n');
    row
}
