//! `lsstgloc`: lists where the storages of VOBs and views are put if nothing else is said.
//!
//! There are two such places, both in the home; `mkvob -stgloc` and `mkview -stgloc` know them by the names listed here.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::commands::{Command, exclusive};
use super::options::{Arguments, flag, value};
use super::registered::Wanted;
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::identity::host_name;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsstgloc",
    aliases: &[],
    usage: "[-view | -vob] [-long | -short] [-region network-region] [-host hostname]\n       \
            [-storage stgloc-pname | stgloc-name ...]",
    options: &[
        flag("vie/w"),
        flag("vob"),
        flag("l/ong"),
        flag("s/hort"),
        value("reg/ion"),
        value("hos/t"),
        value("sto/rage"),
    ],
    comments: false,
    run,
};

/// The name of the place for VOB storages.
pub const VOBS: &str = "vobs";
/// The name of the place for view storages.
pub const VIEWS: &str = "views";

struct Location {
    name: &'static str,
    kind: &'static str,
    path: PathBuf,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["view", "vob"])?;
    exclusive(arguments, &["long", "short"])?;
    let wanted = Wanted::given(session, arguments, arguments.operands.is_empty())?;
    let home = session.home()?;
    let all = [
        Location { name: VIEWS, kind: "View", path: home.views() },
        Location { name: VOBS, kind: "VOB", path: home.vobs() },
    ];
    let of_kind = |location: &&Location| match location.name {
        VIEWS => !arguments.has("vob"),
        _ => !arguments.has("view"),
    };
    let mut all_done = true;
    let mut listed: Vec<&Location> = Vec::new();
    for name in &arguments.operands {
        match all.iter().filter(of_kind).find(|location| name == location.name) {
            Some(location) => listed.push(location),
            None => {
                all_done = false;
                session.error(&not_found(name.as_bytes()));
            }
        }
    }
    if arguments.operands.is_empty() {
        listed.extend(all.iter().filter(of_kind));
    }
    let host = host_name();
    for location in
        listed.into_iter().filter(|location| wanted.fits(&host, "", location.path.as_os_str().as_bytes()))
    {
        show(session, arguments, location, &host)?;
    }
    Ok(Outcome::of(all_done))
}

fn show(
    session: &mut Session,
    arguments: &Arguments,
    location: &Location,
    host: &str,
) -> Result<(), CommandError> {
    let path = location.path.as_os_str().as_bytes();
    if arguments.has("short") {
        return Ok(session.line(&[location.name.as_bytes()])?);
    }
    if !arguments.has("long") {
        return Ok(session.line(&[format!("  {:<20} ", location.name).as_bytes(), path])?);
    }
    session.line(&[b"Name: ", location.name.as_bytes()])?;
    session.line(&[b"  Type: ", location.kind.as_bytes()])?;
    session.line(&[b"  Region: ", super::hostinfo::LOCAL_REGION.as_bytes()])?;
    session.line(&[b"  Global path: ", path])?;
    session.line(&[b"  Server host: ", host.as_bytes()])?;
    session.line(&[b"  Server host path: ", path])?;
    Ok(())
}

/// The complaint about a name that no location has.
pub fn not_found(name: &[u8]) -> Vec<u8> {
    [b"Storage location not found: \"", name, b"\"."].concat()
}
