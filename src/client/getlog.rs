//! `getlog`: shows the daemon's log.

use super::commands::{Command, exclusive};
use super::options::{Arguments, flag, number};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::identity::host_name;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "getl/og",
    aliases: &[],
    usage: "[-last [lines] | -full | -inquire] [log-name ...]",
    options: &[number("las/t"), flag("ful/l"), flag("inq/uire")],
    comments: false,
    run,
};

/// The only log there is.
const DAEMON: &str = "daemon";
/// How many lines are shown unless another number is asked for.
const DEFAULT_LINES: usize = 10;
/// Columns of the rulers around a log.
const RULER: usize = 77;

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["last", "full", "inquire"])?;
    if arguments.has("inquire") {
        session.line(&[DAEMON.as_bytes()])?;
        return Ok(Outcome::Done);
    }
    let limit = match (arguments.has("full"), arguments.value("last")) {
        (true, _) => usize::MAX,
        (false, None) => DEFAULT_LINES,
        (false, Some(lines)) => match lines.to_string_lossy().parse() {
            Ok(lines) if lines > 0 => lines,
            _ => return Err(CommandError::Usage("Invalid number of lines".to_owned())),
        },
    };
    let mut all_done = true;
    let mut names: Vec<String> =
        arguments.operands.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.is_empty() {
        names.push(DAEMON.to_owned());
    }
    let log = session.home()?.log();
    for name in names {
        if name != DAEMON {
            all_done = false;
            session.error(format!("No log is named \"{name}\"; there is \"{DAEMON}\".").as_bytes());
            continue;
        }
        match last_lines(&log, limit) {
            Ok(lines) => show(session, &lines, limit)?,
            Err(error) => {
                all_done = false;
                let text = format!("Unable to access \"{}\": {}.", log.display(), system_text(&error));
                session.error(text.as_bytes());
            }
        }
    }
    Ok(Outcome::of(all_done))
}

fn show(session: &mut Session, lines: &VecDeque<Vec<u8>>, limit: usize) -> io::Result<()> {
    let now_s = jiff::Timestamp::now().as_second();
    let title = format!("Log Name: {DAEMON}\tHostname: {}\tDate: {}", host_name(), session.dates.full(now_s));
    let selection = match limit {
        usize::MAX => "Selection: All lines of log displayed".to_owned(),
        limit => format!("Selection: Last {limit} lines of log displayed"),
    };
    let (double, single) = ("=".repeat(RULER), "-".repeat(RULER));
    for line in [&double, &title, &selection, &single] {
        session.line(&[line.as_bytes()])?;
    }
    for line in lines {
        session.line(&[line])?;
    }
    session.line(&[double.as_bytes()])
}

/// The last lines of a file, without their newlines.
fn last_lines(path: &Path, limit: usize) -> io::Result<VecDeque<Vec<u8>>> {
    let mut kept = VecDeque::new();
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        if kept.len() == limit {
            kept.pop_front();
        }
        kept.push_back(line?);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::write(&path, b"a\nb\n\xff\n").unwrap();
        assert_eq!(last_lines(&path, 2).unwrap().len(), 2);
        assert_eq!(last_lines(&path, 2).unwrap()[0], b"b");
        assert_eq!(last_lines(&path, usize::MAX).unwrap().len(), 3);
        assert!(last_lines(&directory.path().join("none"), 2).is_err());
    }
}
