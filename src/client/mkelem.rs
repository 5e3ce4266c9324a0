//! `mkelem`: puts files under version control.

use super::checkin::checked_in;
use super::checkout::{checked_out, created_branch};
use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::magic::Magic;
use super::options::{Arguments, flag, value};
use super::pname::beside;
use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::make_element_outcome::Outcome as MakeOutcome;
use crate::server::proto::{
    AfterMake, FailureCode, MadeElement, MakeElementArgument, MakeElementOutcome, MakeElementRequest, Notice,
    NoticeCode, Pname,
};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "mke/lem",
    aliases: &[],
    usage: "[-eltype element-type] [-nco | -ci [-ptime]] [-mkpath] [-master] [-nwarn]\u{1}\n       pname ...",
    options: &[
        value("elt/ype"),
        flag("nco"),
        flag("ci"),
        flag("pti/me"),
        flag("mkp/ath"),
        flag("mas/ter"),
        flag("nwa/rn"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    exclusive(arguments, &["nco", "ci"])?;
    let source = comment::source("mkelem", arguments, CommentSource::AskEach)?;
    let after = match (arguments.has("nco"), arguments.has("ci")) {
        (true, _) => AfterMake::Nothing,
        (_, true) => AfterMake::CheckIn,
        _ => AfterMake::CheckOut,
    };
    let pnames = session.pnames(&arguments.operands)?;
    let magic = match arguments.has("eltype") {
        true => None,
        false => Some(Magic::read(session)?),
    };
    let mut creations = creations(session, &source, &pnames)?;
    if let Some(magic) = &magic {
        for (creation, operand) in creations.iter_mut().zip(&arguments.operands) {
            creation.element_types = magic.types(operand);
        }
    }
    let request = MakeElementRequest {
        arguments: creations,
        context: Some(session.context()?),
        element_type: arguments.bytes("eltype"),
        after: after.into(),
        make_path: arguments.has("mkpath"),
        preserve_time: arguments.has("ptime"),
        use_group_list: uses_group_list(),
    };
    let mut reply = session.call(async |mut host| host.make_element(request).await)?;
    for outcome in reply.outcomes.iter_mut() {
        if let (Some(MakeOutcome::Failure(failure)), Some(magic)) = (&mut outcome.outcome, &magic)
            && failure.code() == FailureCode::NoElementType
        {
            failure.text = String::from_utf8_lossy(&magic.place).into_owned();
        }
    }
    report(session, &pnames, reply.outcomes, Made::Element, !arguments.has("nwarn")).map(Outcome::of)
}

/// Whether the environment allows elements of another of the user's groups than the user's own.
pub fn uses_group_list() -> bool {
    std::env::var_os("CLEARCASE_MKELEM_USE_GRPLIST").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// What the success line calls the new thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// `Created element "x" (type "t").`
    Element,
    /// `Created directory element "x".`
    Directory,
}

/// Asks for the comments of new elements.
///
/// # Errors
/// Standard input or output is gone.
pub fn creations(
    session: &mut Session,
    source: &CommentSource,
    pnames: &[Pname],
) -> Result<Vec<MakeElementArgument>, CommandError> {
    let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
    let comments = comment::texts(session, source, Prompt::Creation, &objects, &[])?;
    let with_comment = |(pname, comment): (&Pname, _)| MakeElementArgument {
        pname: Some(pname.clone()),
        comment,
        ..MakeElementArgument::default()
    };
    Ok(pnames.iter().zip(comments).map(with_comment).collect())
}

/// Prints what became of new elements; tells whether all were made.
///
/// # Errors
/// Standard output is closed.
pub fn report(
    session: &mut Session,
    pnames: &[Pname],
    outcomes: Vec<MakeElementOutcome>,
    made: Made,
    warn: bool,
) -> Result<bool, CommandError> {
    let verb = match made {
        Made::Element => "create element",
        Made::Directory => "create directory element",
    };
    let mut all_done = true;
    for (pname, outcome) in pnames.iter().zip(outcomes) {
        for directory in &outcome.made_directories {
            session.line(&[b"Created directory element \"", &directory.pname, b"\"."])?;
            checked_out(session, &directory.pname, &directory.checked_out_version)?;
        }
        match outcome.outcome {
            Some(MakeOutcome::Done(done)) => {
                all_done &= report_made(session, &pname.typed, &done, made, warn)?
            }
            Some(MakeOutcome::Failure(failure)) => {
                all_done = false;
                session.failure(&failure, &pname.typed, Some(verb));
            }
            None => all_done = false,
        }
    }
    Ok(all_done)
}

fn report_made(
    session: &mut Session,
    typed: &[u8],
    done: &MadeElement,
    made: Made,
    warn: bool,
) -> Result<bool, CommandError> {
    match made {
        Made::Element => {
            session.line(&[b"Created element \"", typed, b"\" (type \"", &done.element_type, b"\")."])?;
        }
        Made::Directory => session.line(&[b"Created directory element \"", typed, b"\"."])?,
    }
    for notice in done.notices.iter().filter(|notice| notice.code() == NoticeCode::CreatedBranch) {
        created_branch(session, &notice.name, typed, &notice.version)?;
    }
    for notice in done.notices.iter().filter(|_| warn) {
        // Notices name leaves; users typed paths.
        let name = beside(typed, &notice.name);
        session.warnings(&[Notice { name, ..notice.clone() }]);
    }
    if !done.checked_out_version.is_empty() {
        checked_out(session, typed, &done.checked_out_version)?;
    }
    if !done.checked_in_version.is_empty() {
        checked_in(session, typed, &done.checked_in_version)?;
    }
    if let Some(failure) = &done.follow_up_failure {
        let verb = if done.checked_out_version.is_empty() { "check out" } else { "check in" };
        session.failure(failure, typed, Some(verb));
    }
    Ok(done.follow_up_failure.is_none())
}
