//! `get`: copies what a version holds to a new file.
//!
//! The content comes through the mount, like for any program; the daemon is only asked what the name means.

use super::commands::{Command, missing};
use super::options::{Arguments, value};
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use super::target;
use crate::server::proto::description::Object;
use crate::server::proto::{DescribeRequest, Failure, FailureCode};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The table entry.
pub const COMMAND: Command = Command {
    name: "get",
    aliases: &[],
    usage: "-to dest-pname pname",
    options: &[value("to")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    let Some(to) = arguments.value("to") else { return Err(missing("Destination pathname (-to)")) };
    let [from] = arguments.operands.as_slice() else {
        return Err(CommandError::Usage("One pathname required".to_owned()));
    };
    let target = target::targets(session, std::slice::from_ref(from), true)?.pop();
    let request = DescribeRequest { context: Some(session.context()?), target, ..DescribeRequest::default() };
    let name = from.as_bytes();
    let described = session.call_about(name, async |mut host| host.describe(request).await)?;
    let refuse =
        |code: FailureCode| CommandError::Refused(super::failure::sentences(&Failure::new(code), name, None));
    match described.object {
        Some(Object::Version(version)) if version.directory => {
            return Err(CommandError::refused(
                [b"Unable to copy \"", name, b"\": it is a directory version."].concat(),
            ));
        }
        Some(Object::Version(_)) => {}
        Some(Object::Private(_)) => return Err(refuse(FailureCode::NotAVobObject)),
        Some(Object::SymbolicLink(_)) => return Err(refuse(FailureCode::NotAnElement)),
        _ => {
            return Err(CommandError::refused(
                [b"Unable to copy \"", name, b"\": it is no version."].concat(),
            ));
        }
    }
    copy(from, to)?;
    Ok(Outcome::Done)
}

/// Copies a file to one that is not there yet. Nothing is left of a copy that failed.
fn copy(from: &OsStr, to: &OsStr) -> Result<(), CommandError> {
    let unable = |verb: &str, name: &OsStr, error: &io::Error| {
        let text = format!("\": {}.", system_text(error));
        CommandError::refused(
            [b"Unable to ", verb.as_bytes(), b" \"", name.as_bytes(), text.as_bytes()].concat(),
        )
    };
    let mut source = File::open(from).map_err(|error| unable("access", from, &error))?;
    let mode = source.metadata().map_err(|error| unable("access", from, &error))?.mode();
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut copy = created.map_err(|error| unable("create", to, &error))?;
    // A copy is no version: nobody writes it by mistake, and who could execute the version may execute it.
    let permissions = Permissions::from_mode(0o444 | mode & 0o111);
    let copied = io::copy(&mut source, &mut copy).and_then(|_| copy.set_permissions(permissions));
    copied.map_err(|error| {
        // It was made here, a moment ago.
        let _ = fs::remove_file(Path::new(to));
        unable("write", to, &error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_read_only_and_takes_no_files_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("script"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(path("script"), Permissions::from_mode(0o755)).unwrap();
        copy(path("script").as_os_str(), path("copy").as_os_str()).unwrap();
        assert_eq!(fs::read(path("copy")).unwrap(), b"#!/bin/sh\n");
        assert_eq!(path("copy").metadata().unwrap().mode() & 0o7777, 0o555);
        for (from, to) in [("script", "copy"), ("nothing", "new"), (".", "new")] {
            let refused = copy(path(from).as_os_str(), path(to).as_os_str());
            assert!(matches!(refused, Err(CommandError::Refused(_))), "{from} {to}");
            assert!(!path("new").exists());
        }
    }
}
