//! `man` and `apropos`: what each command is for.

use super::commands::{COMMANDS, Command, Found, find, missing};
use super::options::Arguments;
use super::session::{CommandError, CommandResult, Outcome, Session};

/// The table entry of `man`.
pub const MAN: Command =
    Command { name: "man", aliases: &[], usage: "[command-name]", options: &[], comments: false, run: man };

/// The table entry of `apropos`.
pub const APROPOS: Command =
    Command { name: "apropos", aliases: &[], usage: "word ...", options: &[], comments: false, run: apropos };

/// What commands do, in a line each. Those that are not built yet are left out where they are shown.
const SUMMARIES: &[(&str, &str)] = &[
    ("annotate", "tells for each line of a file the version it came with"),
    ("apropos", "lists the commands whose name or summary has some words"),
    ("catcr", "prints configuration records of derived objects"),
    ("catcs", "prints the config spec of a view"),
    ("cd", "changes the working directory of interactive mode"),
    ("checkin", "makes versions of what is checked out"),
    ("checkout", "makes modifiable copies of versions in a view"),
    ("checkvob", "checks that what is stored of a VOB keeps its laws"),
    ("chevent", "changes comments of events"),
    ("chtype", "gives elements and branches other types"),
    ("chview", "changes properties of views"),
    ("chvob", "changes settings of VOBs"),
    ("cptype", "copies type objects"),
    ("describe", "prints what is known of objects"),
    ("diff", "compares versions of files or directories"),
    ("dump", "prints identifiers and internal numbers of objects"),
    ("edcs", "edits the config spec of a view"),
    ("endview", "makes views disappear from the view root"),
    ("explain", "tells why a view shows a version at a path, or nothing"),
    ("file", "tells which element types files would get"),
    ("find", "finds elements, branches and versions, by name and by queries"),
    ("findmerge", "finds what is to be merged, and merges it"),
    ("get", "copies what a version holds to a new file"),
    ("getlog", "shows the log of the daemon"),
    ("help", "prints the usage of commands"),
    ("hostinfo", "tells the product and the system of this host"),
    ("ln", "makes VOB hard links and VOB symbolic links"),
    ("lock", "locks objects against changes"),
    ("ls", "lists names with the versions and rules behind them"),
    ("lscheckout", "lists what is checked out, by whom and where"),
    ("lshistory", "lists events, newest first"),
    ("lslock", "lists locks"),
    ("lsprivate", "lists what is private to a view"),
    ("lsregion", "lists regions"),
    ("lsstgloc", "lists where storages of views and VOBs are put"),
    ("lstype", "lists type objects"),
    ("lsview", "lists views"),
    ("lsvob", "lists VOBs"),
    ("lsvtree", "lists the version tree of elements"),
    ("man", "tells what a command is for, and its usage"),
    ("merge", "merges versions of files or directories"),
    ("mkattr", "attaches attributes to objects"),
    ("mkattype", "makes attribute types"),
    ("mkbranch", "makes branches of elements"),
    ("mkbrtype", "makes branch types"),
    ("mkdir", "makes directory elements"),
    ("mkelem", "makes file elements"),
    ("mkeltype", "makes element types"),
    ("mkhlink", "draws hyperlinks between objects"),
    ("mkhltype", "makes hyperlink types"),
    ("mklabel", "attaches labels to versions"),
    ("mklbtype", "makes label types"),
    ("mktag", "registers tags of views and VOBs"),
    ("mktrigger", "attaches triggers to elements"),
    ("mktrtype", "makes trigger types"),
    ("mkview", "makes views"),
    ("mkvob", "makes VOBs"),
    ("mount", "makes VOBs appear in views"),
    ("mv", "moves and renames elements and VOB symbolic links"),
    ("protect", "changes owners, groups and permissions"),
    ("protectvob", "changes who owns VOBs, and their groups"),
    ("pwd", "prints the working directory of interactive mode"),
    ("pwv", "prints the current view"),
    ("quit", "ends interactive mode"),
    ("recoverview", "moves what a view cannot show to its lost+found"),
    ("register", "registers storage of views and VOBs"),
    ("relocate", "moves elements to another VOB"),
    ("rename", "gives type objects other names"),
    ("reserve", "makes checkouts reserved"),
    ("rmattr", "removes attributes"),
    ("rmbranch", "removes branches and all their versions"),
    ("rmelem", "removes elements and all their versions"),
    ("rmhlink", "removes hyperlinks"),
    ("rmlabel", "removes labels from versions"),
    ("rmmerge", "removes Merge hyperlinks"),
    ("rmname", "takes names out of directories"),
    ("rmtag", "removes tags of views and VOBs"),
    ("rmtrigger", "removes triggers from elements"),
    ("rmtype", "removes type objects and all instances"),
    ("rmver", "removes versions"),
    ("rmview", "removes views"),
    ("rmvob", "removes VOBs"),
    ("setcs", "gives a view a config spec"),
    ("setview", "runs a shell in a view"),
    ("shell", "runs a shell command from interactive mode"),
    ("space", "tells how much of their disks VOBs and views take"),
    ("startview", "makes views appear below the view root"),
    ("umount", "makes VOBs disappear from views"),
    ("uncheckout", "cancels checkouts"),
    ("unlock", "takes locks away"),
    ("unregister", "takes storage of views and VOBs out of the registry"),
    ("unreserve", "makes checkouts unreserved"),
    ("update", "loads a snapshot view anew"),
];

fn summary(command: &Command) -> &'static str {
    let name = command.full_name();
    SUMMARIES.iter().find(|(known, _)| *known == name).map(|(_, summary)| *summary).unwrap_or_default()
}

/// `name: summary`, or the name alone.
fn row(command: &Command) -> String {
    match summary(command) {
        "" => command.full_name(),
        summary => format!("{}: {summary}", command.full_name()),
    }
}

fn man(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        for command in COMMANDS {
            session.line(&[row(command).as_bytes()])?;
        }
        return Ok(Outcome::Done);
    }
    let mut all_done = true;
    for name in &arguments.operands {
        let typed = name.to_string_lossy();
        match find(typed.strip_prefix("ct_").unwrap_or(&typed)) {
            Ok(Found::Command(command)) => {
                session.line(&[row(command).as_bytes()])?;
                session.line(&[command.usage_block().as_bytes()])?;
            }
            Ok(Found::NotSupported(name)) => {
                all_done = false;
                session.error(format!("Command \"{name}\" is not supported yet.").as_bytes());
            }
            Err(sentence) => {
                all_done = false;
                session.error(sentence.as_bytes());
            }
        }
    }
    Ok(Outcome::of(all_done))
}

fn apropos(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Word"));
    }
    let words: Vec<String> =
        arguments.operands.iter().map(|word| word.to_string_lossy().to_lowercase()).collect();
    let found: Vec<String> = COMMANDS
        .iter()
        .map(row)
        .filter(|row| words.iter().any(|word| row.to_lowercase().contains(word.as_str())))
        .collect();
    if found.is_empty() {
        return Err(CommandError::refused(format!("{}: nothing appropriate.", words.join(" "))));
    }
    for row in found {
        session.line(&[row.as_bytes()])?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_summary() {
        for command in COMMANDS {
            assert!(!summary(command).is_empty(), "{}", command.full_name());
        }
        assert!(SUMMARIES.is_sorted());
    }
}
