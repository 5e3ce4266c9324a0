//! `annotate`: writes the lines of a text, each behind what is told of the version that it came with.

use super::commands::{Command, exclusive, missing};
use super::format::{Facts, Format, Happened};
use super::options::{Arguments, OptionSpec, flag, value};
use super::pname::without_version;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::description::Object;
use crate::server::proto::{
    AnnotateReply, AnnotateRequest, AnnotatedVersion, Description, ObjectKind, VersionFacts,
};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const OPTIONS: &[OptionSpec] = &[
    flag("a/ll"),
    flag("rm"),
    flag("nco"),
    value("out"),
    flag("l/ong"),
    flag("s/hort"),
    value("fmt"),
    value("rmf/mt"),
    flag("nhe/ader"),
    flag("nda/ta"),
    flag("f/orce"),
];

/// The table entry.
pub const COMMAND: Command = Command {
    name: "ann/otate",
    aliases: &[],
    usage: "[-all | -rm] [-nco] [-out pname] [-short | -long | -fmt format[,header-format[,elide-format]]]\n       \
            [-rmfmt format] [-nheader] [-ndata] [-force] pname ...",
    options: OPTIONS,
    comments: false,
    run,
};

/// What is told of the version of each line.
const SHORT: &str = "%Sd %-8.8u | ";
const NORMAL: &str = "%Sd %-8.8u %-16.16Vn | ";
const LONG: &str = "%d %-8.8u %-32.32Vn | ";
/// What is told of the version that took a line away.
const REMOVED: &str = "DEL %Sd %-8.8u | ";
/// What is told of each version before the lines.
const HEADER: &str = "%Sd %-8.8u %Vn %Nl\\n";
/// What parts the header from the lines.
const RULER: &[u8] = b"-------------------------------------------------------------------------------\n";

/// How lines are written.
struct Layout {
    line: Format,
    /// The literal end of `line`, which stands behind a placeholder too.
    tail: Vec<u8>,
    header: Option<Format>,
    elide: Option<Format>,
    removed: Format,
    force: bool,
    data: bool,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let arguments = arguments.clone().with_options_behind(&[OPTIONS])?;
    exclusive(&arguments, &["all", "rm"])?;
    exclusive(&arguments, &["short", "long", "fmt"])?;
    if arguments.operands.is_empty() {
        return Err(missing("Pathname"));
    }
    let out = arguments.value("out").filter(|out| *out != "-");
    if out.is_some() && arguments.operands.len() > 1 {
        return Err(CommandError::Usage("Option -out takes one pathname, or - for several".to_owned()));
    }
    let layout = Layout::of(&arguments)?;
    let mut all_done = true;
    for typed in &arguments.operands {
        match annotate(session, &arguments, &layout, typed) {
            Ok(()) => {}
            Err(CommandError::Refused(sentences)) => {
                all_done = false;
                sentences.iter().for_each(|sentence| session.error(sentence));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::of(all_done))
}

impl Layout {
    fn of(arguments: &Arguments) -> Result<Layout, CommandError> {
        let given = arguments.value("fmt").map(|_| arguments.text("fmt"));
        let mut parts = given.as_deref().unwrap_or_default().splitn(3, ',');
        let line =
            match (parts.next().filter(|_| given.is_some()), arguments.has("short"), arguments.has("long")) {
                (Some(format), ..) => format.to_owned(),
                (None, true, _) => SHORT.to_owned(),
                (None, _, true) => LONG.to_owned(),
                (None, false, false) => NORMAL.to_owned(),
            };
        let removed = arguments.value("rmfmt").map_or(REMOVED.to_owned(), |_| arguments.text("rmfmt"));
        let header = match (parts.next(), arguments.has("nheader")) {
            (_, true) => None,
            (Some(format), _) => Some(parse(format)?),
            (None, _) => Some(parse(HEADER)?),
        };
        Ok(Layout {
            tail: parse(literal_end(&line))?
                .print(&Facts::default(), &super::dates::Dates::from_environment()),
            line: parse(&line)?,
            header,
            elide: parts.next().map(parse).transpose()?,
            removed: parse(&removed)?,
            force: arguments.has("force"),
            data: !arguments.has("ndata"),
        })
    }

    /// What stands before a line whose version was told with the line above.
    fn placeholder(&self, told: &[u8], session: &Session) -> Vec<u8> {
        if let Some(elide) = &self.elide {
            return elide.print(&Facts::default(), &session.dates);
        }
        let width =
            String::from_utf8_lossy(told.strip_suffix(&self.tail[..]).unwrap_or(told)).chars().count();
        let mut field = vec![b' '; width];
        if let Some(middle) = field.get_mut(width / 2) {
            *middle = b'.';
        }
        [field, self.tail.clone()].concat()
    }
}

fn parse(text: &str) -> Result<Format, CommandError> {
    Format::parse(text.as_bytes()).map_err(|error| {
        CommandError::refused(format!(
            "Unrecognized format \"{text}\": column {}: {}.",
            error.column, error.complaint
        ))
    })
}

/// What follows the last conversion of a format.
fn literal_end(format: &str) -> &str {
    let bytes = format.as_bytes();
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'%' && bytes.get(at + 1) == Some(&b'%') {
            at += 2;
            continue;
        }
        if bytes[at] != b'%' {
            at += 1;
            continue;
        }
        let mut in_parameter = false;
        at += 1;
        while at < bytes.len() && (in_parameter || !bytes[at].is_ascii_lowercase()) {
            in_parameter = match bytes[at] {
                b'[' => true,
                b']' => false,
                _ => in_parameter,
            };
            at += 1;
        }
        at = (at + 1).min(bytes.len());
        end = at;
    }
    &format[end..]
}

fn annotate(
    session: &mut Session,
    arguments: &Arguments,
    layout: &Layout,
    typed: &OsStr,
) -> Result<(), CommandError> {
    let request = AnnotateRequest {
        context: Some(session.context()?),
        pname: Some(session.pname(typed)?),
        all: arguments.has("all") || arguments.has("rm"),
        no_checkout: arguments.has("nco"),
    };
    let name = without_version(typed.as_bytes()).to_vec();
    let unable = [b"Unable to annotate \"", typed.as_bytes(), b"\"."].concat();
    let reply = session.call_about(typed.as_bytes(), async |mut host| host.annotate(request).await);
    let reply = reply.map_err(|error| error.about_each([unable.clone()]))?;
    let text = written(session, layout, &reply, &name, arguments.has("rm"));
    if arguments.value("out").is_some_and(|out| out == "-") {
        return Ok(session.write(&[&text])?);
    }
    let out = match arguments.value("out") {
        Some(out) => out.to_owned(),
        None => OsString::from_vec([&name[..], b".ann"].concat()),
    };
    std::fs::write(&out, &text).map_err(|error| {
        let reason = system_text(&error);
        let sentence = [b"Unable to write \"", out.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat();
        CommandError::refused(sentence).about_each([unable.clone()])
    })?;
    Ok(session.line(&[b"Annotated result written to \"", out.as_bytes(), b"\"."])?)
}

/// Writes the header and the lines.
fn written(
    session: &Session,
    layout: &Layout,
    reply: &AnnotateReply,
    name: &[u8],
    only_removed: bool,
) -> Vec<u8> {
    let facts: Vec<Facts> = reply.versions.iter().map(|version| facts(version, name)).collect();
    let told = |format: &Format| -> Vec<Vec<u8>> {
        facts.iter().map(|facts| format.print(facts, &session.dates)).collect()
    };
    let (lines, removed) = (told(&layout.line), told(&layout.removed));
    let mut out = Vec::new();
    if let Some(header) = &layout.header {
        told(header).into_iter().for_each(|line| out.extend(line));
        if layout.data {
            out.extend_from_slice(RULER);
        }
    }
    if !layout.data {
        return out;
    }
    let mut above = None;
    for line in &reply.lines {
        let is_removed = line.removed > 0;
        if only_removed && !is_removed {
            above = None;
            continue;
        }
        let all = if is_removed { &removed } else { &lines };
        let place = if is_removed { line.removed - 1 } else { line.version };
        let empty = Vec::new();
        let told = all.get(place as usize).unwrap_or(&empty);
        if above == Some((is_removed, place)) && !layout.force {
            out.extend(layout.placeholder(told, session));
        } else {
            out.extend_from_slice(told);
        }
        above = Some((is_removed, place));
        out.extend_from_slice(&line.text);
        if !line.text.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out
}

/// What formats can tell of a version.
fn facts(version: &AnnotatedVersion, name: &[u8]) -> Facts {
    let created = version.created.clone().unwrap_or_default();
    let happened = Happened {
        time_s: created.time_s,
        person: created.person.clone().unwrap_or_default(),
        comment: created.comment.trim_ascii_end().to_vec(),
        operation: "checkin",
        phrase: b"create version".to_vec(),
    };
    let described = VersionFacts {
        version: version.version.clone(),
        labels: version.labels.clone(),
        created: Some(created),
        ..VersionFacts::default()
    };
    Facts {
        kind: ObjectKind::Version,
        name: name.to_vec(),
        extension: version.version.clone(),
        happened: Some(happened),
        description: Some(Description { object: Some(Object::Version(described)), ..Description::default() }),
        ..Facts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_literal_end_of_a_format_stands_behind_placeholders() {
        for (format, expected) in [
            ("%u|%Vn|", "|"),
            ("%-8.8SNd %-8.8u %Sn |", " |"),
            ("%[owner]p", ""),
            ("%u 100%% ", " 100%% "),
            ("plain", "plain"),
        ] {
            assert_eq!(literal_end(format), expected, "{format}");
        }
    }
}
