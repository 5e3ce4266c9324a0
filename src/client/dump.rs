//! `dump`: identifiers and internal numbers of objects, for the few scripts that ask for them.

use super::commands::{Command, missing};
use super::dates::Dates;
use super::failure::kind_name;
use super::format::{Facts, dotted};
use super::options::{Arguments, flag};
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::target;
use crate::server::proto::type_outcome::Outcome as TypeOutcome;
use crate::server::proto::{DescribeRequest, ListTypesRequest, ObjectKind, Pname};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "dump",
    aliases: &[],
    usage: "[-long] [-pname] {pname | object-selector} ...",
    options: &[flag("l/ong"), flag("pna/me")],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Object name"));
    }
    let targets = target::targets(session, &arguments.operands, arguments.has("pname"))?;
    let names = target::typed_names(&targets);
    let mut all_done = true;
    for (target, name) in targets.into_iter().zip(names) {
        let request = DescribeRequest {
            context: Some(session.context()?),
            target: Some(target),
            ..DescribeRequest::default()
        };
        match session.call_about(&name, async |mut host| host.describe(request).await) {
            Ok(description) => {
                let facts = Facts::of_description(description, &name);
                // A plain name leads to the file itself.
                let stat = std::fs::symlink_metadata(OsStr::from_bytes(&name)).ok();
                for line in lines(&facts, stat.as_ref(), &session.dates) {
                    session.line(&[&line])?;
                }
                if arguments.has("long") && facts.kind == ObjectKind::Vob {
                    types(session, &facts.name)?;
                }
            }
            Err(CommandError::Refused(sentences)) => {
                all_done = false;
                sentences.iter().for_each(|sentence| session.error(sentence));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::of(all_done))
}

fn lines(facts: &Facts, stat: Option<&Metadata>, dates: &Dates) -> Vec<Vec<u8>> {
    let mut lines = vec![facts.full_name(), Vec::new()];
    if let Some(identity) = facts.identity() {
        let dbid = identity.dbid;
        lines.push(format!("oid={}  dbid={dbid} ({dbid:#x})", dotted(&identity.oid)).into_bytes());
    }
    let mut kind = format!("mtype={}", kind_name(facts.kind)).into_bytes();
    if let Some((_, name)) = facts.of_its_type() {
        kind.extend_from_slice(&[b"  type=", name].concat());
    }
    lines.push(kind);
    if let Some(slash) = facts.extension.iter().rposition(|byte| *byte == b'/') {
        let (branch, number) = facts.extension.split_at(slash);
        match facts.kind {
            ObjectKind::Branch => lines.push([b"branch=\"", &facts.extension[..], b"\""].concat()),
            _ => lines.push([b"branch=\"", branch, b"\"  ver num=", &number[1..]].concat()),
        }
    }
    if let Some(stat) = stat {
        lines.extend(fstat(stat, dates).into_iter().map(String::into_bytes));
    }
    lines
}

/// What the system says of a file.
fn fstat(stat: &Metadata, dates: &Dates) -> Vec<String> {
    let file_type = stat.file_type();
    // The numbers of NFS, which the product uses.
    let number = match () {
        () if file_type.is_dir() => 2,
        () if file_type.is_block_device() => 3,
        () if file_type.is_char_device() => 4,
        () if file_type.is_symlink() => 5,
        () => 1,
    };
    let time = |title: &str, time_s: i64| format!("  {title}: {}", dates.modified(time_s));
    vec![
        "returned fstat:".to_owned(),
        format!("  ino: {}; type: {number}; mode: 0{:03o}", stat.ino(), stat.mode() & 0o7777),
        format!("  usid: UNIX:UID-{}", stat.uid()),
        format!("  gsid: UNIX:GID-{}", stat.gid()),
        format!("  nlink: {}; size: {}", stat.nlink(), stat.size()),
        time("atime", stat.atime()),
        time("mtime", stat.mtime()),
        time("ctime", stat.ctime()),
    ]
}

/// The type objects of a VOB, with their numbers.
fn types(session: &mut Session, tag: &[u8]) -> Result<(), CommandError> {
    let kinds = [
        ObjectKind::AttributeType,
        ObjectKind::BranchType,
        ObjectKind::ElementType,
        ObjectKind::HyperlinkType,
        ObjectKind::LabelType,
        ObjectKind::TriggerType,
    ];
    for kind in kinds {
        let vob = Pname { typed: tag.to_vec(), absolute: tag.to_vec() };
        let request = ListTypesRequest {
            context: Some(session.context()?),
            kind: kind.into(),
            vob: Some(vob),
            selectors: Vec::new(),
        };
        let reply = session.call_about(tag, async |mut host| host.list_types(request).await)?;
        session.line(&[kind_name(kind).as_bytes(), b" objects:"])?;
        for outcome in reply.outcomes {
            if let (Some(TypeOutcome::Done(told)), Some(identity)) = (outcome.outcome, outcome.identity) {
                session.line(&[format!("  <{}>  ", identity.dbid).as_bytes(), &told.name])?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::dates::DateStyle;

    #[test]
    fn the_system_tells_of_files_and_directories() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, "text").unwrap();
        let dates = Dates::new(DateStyle::Iso, jiff::tz::TimeZone::UTC, 0);
        let told = |path: &std::path::Path| fstat(&path.symlink_metadata().unwrap(), &dates);
        assert!(told(&path)[1].contains("; type: 1; mode: 0"));
        assert_eq!(told(&path)[4], "  nlink: 1; size: 4");
        assert!(told(directory.path())[1].contains("; type: 2; mode: 0"));
    }
}
