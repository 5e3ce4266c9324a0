//! The table of cleartool's commands: names, shortest forms, options, usage, and what runs.
//!
//! One line of the table is one command; a new command is a new file and a new line. The names that are known but
//! not built yet stand in [`NOT_SUPPORTED`].

use std::ffi::OsString;

use super::options::{Arguments, COMMENT_OPTIONS, OptionSpec};
use super::session::{CommandError, CommandResult, Session};
use super::{annotate, diff as diff_command, findmerge, merge as merge_command};
use super::{
    catcs, cd, checkin, checkout, checkvob, describe, edcs, endview, explain, file, help, ls, lscheckout,
    lshistory, lsprivate, lstype, lsview, lsvob, lsvtree, mkbranch, mkdir, mkelem, mklabel, mktype, mkview,
    mkvob, mount, pwd, pwv, quit, recoverview, rename, reserve, rmtype, rmview, rmvob, setcs, setview,
    startview, umount, uncheckout,
};
use super::{chevent, chtype, lock, lslock, lsstgloc, protect, protectvob};
use super::{
    chvob, find as find_command, ln, mkattr, mkhlink, mv, rmbranch, rmelem, rmhlink, rmmerge, rmname, rmver,
};
use super::{dump, get, getlog, hostinfo, man, space};
use super::{mktrigger, mktrtype};

/// One command.
pub struct Command {
    /// The full name with a slash after the shortest form: `des/cribe`.
    pub name: &'static str,
    /// Other names, which cannot be cut.
    pub aliases: &'static [&'static str],
    /// What follows the name in the usage line; lines after the first are indented.
    pub usage: &'static str,
    /// Its own options.
    pub options: &'static [OptionSpec],
    /// Whether it takes the comment options.
    pub comments: bool,
    /// What it does.
    pub run: fn(&mut Session, &Arguments) -> CommandResult,
}

/// All commands, in the order of `help`.
pub const COMMANDS: &[Command] = &[
    catcs::COMMAND,
    cd::COMMAND,
    checkin::COMMAND,
    checkout::COMMAND,
    checkvob::COMMAND,
    describe::COMMAND,
    diff_command::COMMAND,
    merge_command::COMMAND,
    edcs::COMMAND,
    endview::COMMAND,
    explain::COMMAND,
    file::COMMAND,
    help::COMMAND,
    ls::COMMAND,
    lscheckout::COMMAND,
    lshistory::COMMAND,
    lsprivate::COMMAND,
    lsstgloc::COMMAND,
    lstype::COMMAND,
    lsview::COMMAND,
    lsvob::COMMAND,
    lsvtree::COMMAND,
    mkattr::MAKE,
    mktype::ATTRIBUTE,
    mkbranch::COMMAND,
    mktype::BRANCH,
    mkdir::COMMAND,
    mkelem::COMMAND,
    mktype::ELEMENT,
    mkhlink::COMMAND,
    mktype::HYPERLINK,
    mklabel::MAKE,
    mktype::LABEL,
    mkview::COMMAND,
    mkvob::COMMAND,
    mount::COMMAND,
    pwd::COMMAND,
    pwv::COMMAND,
    quit::COMMAND,
    recoverview::COMMAND,
    rename::COMMAND,
    reserve::RESERVE,
    mkattr::REMOVE,
    rmhlink::COMMAND,
    rmmerge::COMMAND,
    mklabel::REMOVE,
    rmtype::COMMAND,
    rmview::COMMAND,
    rmvob::COMMAND,
    setcs::COMMAND,
    setview::COMMAND,
    startview::COMMAND,
    umount::COMMAND,
    uncheckout::COMMAND,
    reserve::UNRESERVE,
    chvob::COMMAND,
    ln::COMMAND,
    mv::COMMAND,
    rmname::COMMAND,
    chevent::COMMAND,
    chtype::COMMAND,
    lock::LOCK,
    lslock::COMMAND,
    protect::COMMAND,
    protectvob::COMMAND,
    lock::UNLOCK,
    rmbranch::COMMAND,
    rmelem::COMMAND,
    rmver::COMMAND,
    find_command::COMMAND,
    man::APROPOS,
    dump::COMMAND,
    get::COMMAND,
    getlog::COMMAND,
    hostinfo::HOST,
    hostinfo::REGION,
    man::MAN,
    space::COMMAND,
    mktrtype::COMMAND,
    mktrigger::MAKE,
    mktrigger::REMOVE,
    annotate::COMMAND,
    findmerge::COMMAND,
];

/// Commands of the product that this program does not have yet. They are recognized, so that a script is told so
/// and an abbreviation does not reach another command.
pub const NOT_SUPPORTED: &[&str] = &[
    "catcr",
    "chactivity",
    "chbl",
    "chflevel",
    "chfolder",
    "chmaster",
    "chpolicy",
    "chpool",
    "chproject",
    "chrolemap",
    "chstream",
    "chview",
    "cppolicy",
    "cprolemap",
    "cptype",
    "deliver",
    "diffbl",
    "diffcr",
    "dospace",
    "getcache",
    "lsactivity",
    "lsbl",
    "lsclients",
    "lscomp",
    "lsdo",
    "lsfolder",
    "lsmaster",
    "lspolicy",
    "lspool",
    "lsproject",
    "lsreplica",
    "lsrolemap",
    "lssite",
    "lsstream",
    "mkactivity",
    "mkbl",
    "mkcomp",
    "mkfolder",
    "mkpolicy",
    "mkpool",
    "mkproject",
    "mkregion",
    "mkrolemap",
    "mkstgloc",
    "mkstream",
    "mktag",
    "rebase",
    "reformatview",
    "reformatvob",
    "register",
    "relocate",
    "reqmaster",
    "rmactivity",
    "rmbl",
    "rmcomp",
    "rmdo",
    "rmfolder",
    "rmpolicy",
    "rmpool",
    "rmproject",
    "rmregion",
    "rmrolemap",
    "rmstgloc",
    "rmstream",
    "rmtag",
    "schedule",
    "setactivity",
    "setcache",
    "setplevel",
    "setsite",
    "shell",
    "unregister",
    "update",
    "winkin",
];

/// What a typed command name means.
pub enum Found {
    /// This one.
    Command(&'static Command),
    /// One that is known but not built.
    NotSupported(&'static str),
}

impl Command {
    /// The full name.
    pub fn full_name(&self) -> String {
        self.name.replace('/', "")
    }

    fn shortest(&self) -> &'static str {
        self.name.split('/').next().unwrap_or(self.name)
    }

    /// The block that `help` prints, without a final newline.
    pub fn usage_block(&self) -> String {
        let mut block = format!("Usage: {}", self.full_name());
        for alias in self.aliases {
            block += &format!(" | {alias}");
        }
        let comments = "\n       [-c comment | -cfile pname | -cq | -cqe | -nc]";
        let (options, operands) = self.usage.split_once('\u{1}').unwrap_or((self.usage, ""));
        for part in [options, if self.comments { comments } else { "" }, operands] {
            if !part.is_empty() && !part.starts_with('\n') {
                block.push(' ');
            }
            block += part;
        }
        block
    }
}

/// Finds a command by what was typed: a name, an alias, or the only name it abbreviates.
///
/// # Errors
/// The sentence for a name that is none, or several.
pub fn find(typed: &str) -> Result<Found, String> {
    let is_exact = |command: &&Command| {
        command.full_name() == typed || command.shortest() == typed || command.aliases.contains(&typed)
    };
    if let Some(command) = COMMANDS.iter().find(is_exact) {
        return Ok(Found::Command(command));
    }
    if let Some(name) = NOT_SUPPORTED.iter().find(|name| **name == typed).copied() {
        return Ok(Found::NotSupported(name));
    }
    let abbreviates = |name: &str| !typed.is_empty() && name.starts_with(typed);
    // A command's own minimum length was chosen against all the others.
    let promised = |command: &&Command| {
        command.name.contains('/')
            && typed.len() >= command.shortest().len()
            && abbreviates(&command.full_name())
    };
    if let Some(command) = COMMANDS.iter().find(promised) {
        return Ok(Found::Command(command));
    }
    let built = COMMANDS.iter().filter(|command| abbreviates(&command.full_name())).map(Found::Command);
    let other = NOT_SUPPORTED.iter().filter(|name| abbreviates(name)).map(|name| Found::NotSupported(name));
    let mut fits = built.chain(other);
    match (fits.next(), fits.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(format!("Unrecognized command: \"{typed}\"")),
        (Some(_), Some(_)) => Err(format!("Ambiguous command: \"{typed}\"")),
    }
}

/// Runs one command line, prints why it did not run, and answers how it ended.
///
/// # Errors
/// Only [`CommandError::Output`].
pub fn run(session: &mut Session, words: &[OsString]) -> CommandResult {
    let Some((name, rest)) = words.split_first() else {
        return Ok(super::session::Outcome::Done);
    };
    let result = match find(&name.to_string_lossy()) {
        Ok(Found::Command(command)) => run_command(session, command, rest),
        Ok(Found::NotSupported(name)) => {
            Err(CommandError::refused(format!("Command \"{name}\" is not supported yet.")))
        }
        Err(sentence) => Err(CommandError::refused(sentence)),
    };
    let result = match result {
        Err(CommandError::Refused(sentences)) => {
            sentences.iter().for_each(|sentence| session.error(sentence));
            Ok(super::session::Outcome::Failed)
        }
        other => other,
    };
    session.flush()?;
    result
}

fn run_command(session: &mut Session, command: &'static Command, words: &[OsString]) -> CommandResult {
    if words.first().is_some_and(|word| word == "-help" || word == "-h") {
        session.line(&[command.usage_block().as_bytes()])?;
        return Ok(super::session::Outcome::Done);
    }
    let tables: &[&[OptionSpec]] =
        if command.comments { &[command.options, COMMENT_OPTIONS] } else { &[command.options] };
    let result = match Arguments::parse(tables, words) {
        Ok(arguments) => {
            if command.comments {
                super::comment::warn_of_profile(session, &arguments);
            }
            (command.run)(session, &arguments)
        }
        Err(error) => Err(error.into()),
    };
    match result {
        Err(CommandError::Usage(sentence)) => {
            session.error(sentence.as_bytes());
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("{}\n", command.usage_block()).as_bytes(),
            );
            Ok(super::session::Outcome::Failed)
        }
        other => other,
    }
}

/// The complaint about operands that are missing.
pub fn missing(what: &str) -> CommandError {
    CommandError::Usage(format!("{what} required"))
}

/// Refuses operands of a command that takes none.
///
/// # Errors
/// A usage error that names the first of them.
pub fn no_operands(arguments: &Arguments) -> Result<(), CommandError> {
    match arguments.operands.first() {
        Some(extra) => Err(CommandError::Usage(format!("Extra arguments: \"{}\"", extra.to_string_lossy()))),
        None => Ok(()),
    }
}

/// Refuses options that exclude each other.
///
/// # Errors
/// A usage error that names two of them.
pub fn exclusive(arguments: &Arguments, words: &[&'static str]) -> Result<(), CommandError> {
    match arguments.conflict(words) {
        Some((one, other)) => {
            Err(CommandError::Usage(format!("Options -{one} and -{other} are mutually exclusive")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(typed: &str) -> String {
        match find(typed) {
            Ok(Found::Command(command)) => command.full_name(),
            Ok(Found::NotSupported(name)) => format!("not supported: {name}"),
            Err(sentence) => sentence,
        }
    }

    #[test]
    fn commands_have_aliases_and_short_forms() {
        for (typed, expected) in [
            ("co", "checkout"),
            ("ci", "checkin"),
            ("unco", "uncheckout"),
            ("des", "describe"),
            ("desc", "describe"),
            ("descr", "describe"),
            ("lsh", "lshistory"),
            ("lshist", "lshistory"),
            ("lsvt", "lsvtree"),
            ("ls", "ls"),
            ("lsv", "Ambiguous command: \"lsv\""),
            ("lsvo", "lsvob"),
            ("q", "quit"),
            ("exit", "quit"),
            ("h", "help"),
            ("checko", "checkout"),
            ("check", "Ambiguous command: \"check\""),
            ("checkv", "checkvob"),
            ("l", "Ambiguous command: \"l\""),
            ("bogus", "Unrecognized command: \"bogus\""),
            ("", "Unrecognized command: \"\""),
            ("lsco", "lscheckout"),
            ("lsch", "lscheckout"),
            ("mklabel", "mklabel"),
            ("mklb", "mklbtype"),
            ("lst", "lstype"),
            ("res", "reserve"),
            ("unres", "unreserve"),
            ("lslock", "lslock"),
            ("lsl", "lslock"),
            ("unl", "unlock"),
            ("lock", "lock"),
            ("findm", "findmerge"),
            ("merge", "merge"),
            ("diff", "diff"),
            ("file", "file"),
            ("fi", "Ambiguous command: \"fi\""),
            ("mkdir", "mkdir"),
            ("mount", "mount"),
            ("pwv", "pwv"),
            ("rm", "rmname"),
            ("rmn", "rmname"),
            ("move", "mv"),
            ("mv", "mv"),
            ("ln", "ln"),
            ("mkattr", "mkattr"),
            ("mkatt", "mkattype"),
            ("rmattr", "rmattr"),
            ("mkhl", "Ambiguous command: \"mkhl\""),
            ("rmhlink", "rmhlink"),
            ("find", "find"),
            ("findmerge", "findmerge"),
        ] {
            assert_eq!(name(typed), expected, "{typed}");
        }
    }

    #[test]
    fn no_name_is_in_the_table_twice() {
        let mut names: Vec<String> = COMMANDS.iter().map(Command::full_name).collect();
        names.extend(COMMANDS.iter().flat_map(|command| command.aliases).map(|alias| (*alias).to_owned()));
        names.extend(NOT_SUPPORTED.iter().map(|name| (*name).to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_usage_begins_as_scripts_expect() {
        for command in COMMANDS {
            assert!(command.usage_block().starts_with(&format!("Usage: {}", command.full_name())));
            assert!(command.usage_block().lines().skip(1).all(|line| line.starts_with("  ")));
        }
    }
}
