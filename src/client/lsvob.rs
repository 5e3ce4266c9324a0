//! `lsvob`: lists registered VOBs.

use std::os::unix::ffi::OsStrExt;

use super::commands::{Command, exclusive};
use super::format::dotted;
use super::json;
use super::options::{Arguments, flag, value};
use super::registered::Wanted;
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::vob_outcome::Outcome as VobOutcome;
use crate::server::proto::{ListVobsRequest, VobFacts};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsvob",
    aliases: &[],
    usage: "[-long | -short | -json] [-host hostname] [-region network-region]\n       \
            [vob-tag ... | -storage vob-storage-pname | -uuid vob-uuid]",
    options: &[
        flag("l/ong"),
        flag("s/hort"),
        flag("json"),
        flag("-json"),
        value("hos/t"),
        value("reg/ion"),
        value("sto/rage"),
        value("uuid"),
    ],
    comments: false,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, json::FORMS)?;
    let tags: Vec<Vec<u8>> = arguments.operands.iter().map(|tag| tag.as_bytes().to_vec()).collect();
    let request = ListVobsRequest { context: Some(session.context()?), tags: tags.clone() };
    let wanted = Wanted::given(session, arguments, tags.is_empty())?;
    let reply = session.call(async |mut host| host.list_vobs(request).await)?;
    let mut all_done = true;
    for (index, outcome) in reply.outcomes.into_iter().enumerate() {
        match outcome.outcome {
            Some(VobOutcome::Done(vob)) if !wanted.fits(&vob.host, &vob.uuid, &vob.storage) => {}
            Some(VobOutcome::Done(vob)) if json::is_wanted(arguments) => session.line(&[&json::vob(&vob)])?,
            Some(VobOutcome::Done(vob)) if arguments.has("long") => long(session, &vob)?,
            Some(VobOutcome::Done(vob)) if arguments.has("short") => session.line(&[&vob.tag])?,
            Some(VobOutcome::Done(vob)) => session.line(&[&row(&vob)])?,
            Some(VobOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, tags.get(index).map(Vec::as_slice).unwrap_or_default(), None);
            }
            None => all_done = false,
        }
    }
    Ok(Outcome::of(all_done))
}

fn row(vob: &VobFacts) -> Vec<u8> {
    let mut line = if vob.mounted { b"* ".to_vec() } else { b"  ".to_vec() };
    line.extend_from_slice(&vob.tag);
    // Tags in a column of 20 bytes where they fit; always a blank between.
    line.resize(line.len().max(2 + 20), b' ');
    line.push(b' ');
    line.extend_from_slice(&vob.storage);
    line.extend_from_slice(if vob.public { b" public" } else { b" private" });
    line
}

fn long(session: &mut Session, vob: &VobFacts) -> Result<(), CommandError> {
    let comment: Vec<u8> =
        if vob.comment.is_empty() { Vec::new() } else { [b" \"", &vob.comment[..], b"\""].concat() };
    session.line(&[b"Tag: ", &vob.tag, &comment])?;
    session.line(&[b"  Global path: ", &vob.storage])?;
    session.line(&[b"  Server host: ", vob.host.as_bytes()])?;
    session.line(&[b"  Access: ", if vob.public { b"public" } else { b"private" }])?;
    session.line(&[b"  Mount options:"])?;
    session.line(&[b"  Region: local"])?;
    session.line(&[b"  Active: ", if vob.mounted { b"YES" } else { b"NO" }])?;
    let uuid = dotted(&vob.uuid);
    session.line(&[b"  Vob tag replica uuid: ", uuid.as_bytes()])?;
    session.line(&[b"Vob on host: ", vob.host.as_bytes()])?;
    session.line(&[b"Vob server access path: ", &vob.storage])?;
    session.line(&[b"Vob family uuid:  ", uuid.as_bytes()])?;
    session.line(&[b"Vob replica uuid: ", uuid.as_bytes()])?;
    if let Some(trouble) = &vob.trouble {
        session.failure(trouble, &vob.tag, None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_star_a_tag_a_path_and_an_access() {
        let mut vob = VobFacts {
            tag: b"/vobs/a".to_vec(),
            storage: b"/s/a.vbs".to_vec(),
            mounted: true,
            ..VobFacts::default()
        };
        assert_eq!(row(&vob), b"* /vobs/a              /s/a.vbs private");
        vob.mounted = false;
        vob.public = true;
        vob.tag = b"/vobs/a_very_long_tag_name".to_vec();
        assert_eq!(row(&vob), b"  /vobs/a_very_long_tag_name /s/a.vbs public");
    }
}
