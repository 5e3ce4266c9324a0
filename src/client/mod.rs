//! The client: everything a person or a script sees.
//!
//! Owns command lines, prompts, words and columns; all text for users is composed here, from facts and codes of
//! the daemon. Knows no storage: what it does goes through the daemon. One file is one command; `commands` is
//! their table, `session` what they share. Which tool this program is decides the name it is called by.

mod annotate;
pub mod checkin;
pub mod checkout;
mod checkvob;
pub mod cli;
pub mod commands;
pub mod comment;
mod comparison;
pub mod dates;
pub mod describe;
pub mod description;
mod diff;
pub mod events;
pub mod explain;
pub mod failure;
pub mod faults;
pub mod format;
pub mod import;
pub mod interactive;
pub mod json;
pub mod layout;
pub mod ls;
pub mod lshistory;
pub mod lsprivate;
pub mod lsview;
pub mod lsvob;
pub mod lsvtree;
pub mod mkdir;
pub mod mkelem;
pub mod mkview;
pub mod mkvob;
pub mod namespace;
pub mod options;
pub mod pname;
pub mod profile;
pub mod recoverview;
pub mod rmview;
pub mod rmvob;
pub mod session;
pub mod setcs;
pub mod setview;
pub mod startview;
mod stats;
pub mod target;
pub mod uncheckout;
pub mod watch;
mod words;

mod avobs;
mod backup;
mod catcs;
mod cd;
mod chevent;
mod chtype;
mod chvob;
mod doctor;
mod dump;
mod edcs;
mod editor;
mod endview;
mod file;
mod find;
mod findmerge;
mod firing;
mod get;
mod getlog;
mod help;
mod hostinfo;
mod ln;
mod lock;
mod lscheckout;
mod lslock;
mod lsstgloc;
mod lstype;
mod magic;
mod man;
mod merge;
mod merge_tool;
mod merging;
mod mkattr;
mod mkbranch;
mod mkhlink;
mod mklabel;
mod mktrigger;
mod mktrtype;
mod mktype;
mod mount;
mod mv;
mod protect;
mod protectvob;
mod pwd;
mod pwv;
mod quit;
mod registered;
mod removal;
mod rename;
mod reserve;
mod rmbranch;
mod rmelem;
mod rmhlink;
mod rmmerge;
mod rmname;
mod rmtype;
mod rmver;
mod space;
mod temporary;
mod trigger_text;
mod umount;
mod vtree;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use interactive::Manner;
use session::{CommandError, Outcome, Session};

/// The tool this program is, by the name it was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The program's own name: daemon, import, measurements.
    Clerestory,
    /// `cleartool`, `ct`.
    Cleartool,
    /// A tool of the product that is not built yet.
    NotSupported(&'static str),
}

/// Chooses the tool by the last name of `argv[0]`.
pub fn tool(program: &OsStr) -> Tool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
    match name {
        "cleartool" | "ct" => Tool::Cleartool,
        "multitool" => Tool::NotSupported("multitool"),
        "clearmake" => Tool::NotSupported("clearmake"),
        "clearaudit" => Tool::NotSupported("clearaudit"),
        _ => Tool::Clerestory,
    }
}

/// Runs the tool that these words call, the first being `argv[0]`. `serve` is the daemon's body, for the words that
/// ask for it.
pub fn run(words: &[OsString], serve: cli::Serve) -> ExitCode {
    let (program, rest) = words.split_first().map_or((OsStr::new(""), words), |(first, rest)| (first, rest));
    match tool(program) {
        Tool::Clerestory => cli::run(words, serve),
        Tool::Cleartool => cleartool(rest),
        Tool::NotSupported(name) => {
            eprintln!("{name}: Error: {name} is not supported yet.");
            ExitCode::FAILURE
        }
    }
}

/// Runs `cleartool` with the words after its name.
pub fn cleartool(words: &[OsString]) -> ExitCode {
    let result = Session::new("cleartool").map_err(CommandError::Output).and_then(|mut session| {
        let code = cleartool_in(&mut session, words)?;
        session.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => ExitCode::from(code),
        // The reader has gone away, as after `| head`: nothing is left to say.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::FAILURE
        }
        Err(CommandError::Output(error)) => {
            eprintln!("cleartool: Error: Unable to write output: {}.", session::system_text(&error));
            ExitCode::FAILURE
        }
        Err(CommandError::Usage(_) | CommandError::Refused(_)) => ExitCode::FAILURE,
    }
}

fn cleartool_in(session: &mut Session, words: &[OsString]) -> Result<u8, CommandError> {
    let mut manner = Manner::default();
    let mut rest = words;
    while let Some((word, others)) = rest.split_first() {
        match word.to_str().unwrap_or_default() {
            "-status" => manner.status = true,
            "-e" => manner.stop_at_error = true,
            "-ver" | "-vers" | "-versi" | "-versio" | "-version" | "-VerAll" | "-verall" => {
                version(session)?;
                return Ok(0);
            }
            option if option.starts_with('-') => {
                session.error(format!("Unrecognized option \"{option}\"").as_bytes());
                return Ok(1);
            }
            _ => {
                session.run_as(rest);
                let outcome = commands::run(session, rest)?;
                return Ok((outcome == Outcome::Failed).into());
            }
        }
        rest = others;
    }
    interactive::run(session, manner)
}

/// The lines of `-version`, in the shape that scripts look for.
fn version(session: &mut Session) -> Result<(), CommandError> {
    let version = env!("CARGO_PKG_VERSION");
    session.line(&[format!("ClearCase version {version} (Clerestory)").as_bytes()])?;
    session.line(&[format!("{:<33} {version}", "cleartool").as_bytes()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_it_is_called_by_chooses_the_tool() {
        for (program, expected) in [
            ("/usr/bin/clerestory", Tool::Clerestory),
            ("cleartool", Tool::Cleartool),
            ("/opt/bin/ct", Tool::Cleartool),
            ("./multitool", Tool::NotSupported("multitool")),
            ("clearmake", Tool::NotSupported("clearmake")),
            ("clearaudit", Tool::NotSupported("clearaudit")),
            ("", Tool::Clerestory),
        ] {
            assert_eq!(tool(OsStr::new(program)), expected, "{program}");
        }
    }
}
