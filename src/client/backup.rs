//! `backup` and `restore`: copies of VOBs, and VOBs from them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::restore_request::Until;
use crate::server::proto::{BackupRequest, RestoreRequest};

/// What `backup --help` adds.
pub const BACKUP_HELP: &str = "\
Users go on meanwhile; what the copy holds is the VOB of one moment. A directory gets what is new since its last backup.
A PATH that ends in .tar becomes one archive, which replaces an earlier one when it is whole. Everything in it is read back
and compared. The number printed is that of the last operation in it: restore --to-operation goes back to any before it.";

/// What `restore --help` adds.
pub const RESTORE_HELP: &str = "\
Everything in the backup is compared with its checksums first, the VOB is opened, and its laws are checked. A VOB that is
still registered must be removed first (cleartool rmvob), unless its storage is lost: then it comes back in its place.
It is not mounted: cleartool mount does that. Date and time are written as for cleartool lshistory -since.";

/// Copies a VOB.
///
/// # Errors
/// Why it was refused.
pub fn backup(session: &mut Session, vob: &Path, path: &Path) -> CommandResult {
    let target = session.pname(path.as_os_str())?.absolute;
    let tag = vob_tag(vob);
    let request = BackupRequest { vob_tag: tag.clone(), path: target };
    let done = session.call_about(&tag, async |mut host| host.back_up_vob(request).await)?;
    let line = format!(
        "Backed up at operation {}: {} files, {} bytes, of them {} new.",
        done.operation, done.files, done.bytes, done.new_bytes
    );
    session.line(&[line.as_bytes()])?;
    Ok(Outcome::Done)
}

/// How `restore` was called.
pub struct Restore<'a> {
    /// The backup.
    pub backup: &'a Path,
    /// Another tag than the VOB had.
    pub vob: Option<&'a Path>,
    /// Where its storage is to be.
    pub storage: Option<&'a Path>,
    /// The last operation that it is to have.
    pub operation: Option<u64>,
    /// A moment, as it was typed.
    pub time: Option<&'a str>,
    /// Nothing is made, the backup is read.
    pub verify: bool,
}

/// Makes a VOB from a backup.
///
/// # Errors
/// Why it was refused.
pub fn restore(session: &mut Session, restore: &Restore<'_>) -> CommandResult {
    let until = match (restore.operation, restore.time) {
        (Some(number), _) => Some(Until::Operation(number)),
        (None, Some(text)) => {
            let moment = session.dates.parse(text);
            let wrong = || CommandError::refused(format!("Bad date-time: \"{text}\"."));
            Some(Until::TimeS(moment.ok_or_else(wrong)?))
        }
        (None, None) => None,
    };
    let absolute = |path: Option<&Path>| match path {
        Some(path) => Ok::<_, CommandError>(session.pname(path.as_os_str())?.absolute),
        None => Ok(Vec::new()),
    };
    let request = RestoreRequest {
        path: absolute(Some(restore.backup))?,
        vob_tag: restore.vob.map(vob_tag).unwrap_or_default(),
        storage: absolute(restore.storage)?,
        only_verify: restore.verify,
        until,
    };
    let name = restore.backup.as_os_str().as_bytes();
    let done = session.call_about(name, async |mut host| host.restore_vob(request).await)?;
    let number = done.operation.to_string();
    let made = session.dates.full(done.made_s);
    let tag: &[u8] = &done.vob_tag;
    if restore.verify {
        session.line(&[
            b"Backup of ",
            tag,
            b" at operation ",
            number.as_bytes(),
            b", made ",
            made.as_bytes(),
            b": sound.",
        ])?;
    } else {
        session.line(&[b"Restored ", tag, b" at operation ", number.as_bytes(), b"."])?;
        session.line(&[b"Storage: ", &done.storage])?;
    }
    Ok(Outcome::Done)
}

fn vob_tag(vob: &Path) -> Vec<u8> {
    let typed = vob.as_os_str().as_bytes();
    OsStr::from_bytes(typed.strip_prefix(b"vob:").unwrap_or(typed)).as_bytes().to_vec()
}
