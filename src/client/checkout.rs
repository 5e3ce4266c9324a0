//! `checkout`: makes elements of the view writable, as the beginning of their next versions.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::{beside, without_version};
use super::profile::Profile;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::checkout_outcome::Outcome as CheckoutOutcome;
use crate::server::proto::inspect_outcome::Outcome as InspectOutcome;
use crate::server::proto::{
    CheckedOut, CheckoutArgument, CheckoutRequest, InspectRequest, Inspection, Notice, NoticeCode,
    ObjectKind, Pname,
};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "checkout",
    aliases: &["co"],
    usage: "[-reserved | -unreserved [-nmaster]] [-out dest-pname | -ndata]\n       \
            [-branch branch-pname | -version] [-ptime] [-nwarn] [-query | -nquery]\u{1}\n       pname ...",
    options: &[
        flag("res/erved"),
        flag("unr/eserved"),
        flag("nma/ster"),
        value("out"),
        flag("nda/ta"),
        value("bra/nch"),
        flag("ver/sion"),
        flag("pti/me"),
        flag("nwa/rn"),
        flag("q/uery"),
        flag("nq/uery"),
        flag("use/hijack"),
    ],
    comments: true,
    run,
};

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    exclusive(arguments, &["reserved", "unreserved"])?;
    exclusive(arguments, &["branch", "version"])?;
    exclusive(arguments, &["out", "ndata"])?;
    exclusive(arguments, &["query", "nquery"])?;
    if arguments.has("out") && arguments.operands.len() > 1 {
        return Err(CommandError::Usage("Option -out is for one element".to_owned()));
    }
    if arguments.has("out") && arguments.operands.iter().any(|operand| Path::new(operand).is_dir()) {
        return Err(CommandError::Usage("Option -out is for file elements".to_owned()));
    }
    let source = comment::source("checkout", arguments, CommentSource::AskEach)?;
    let pnames = session.pnames(&arguments.operands)?;
    checkout(session, arguments, &source, &pnames).map(Outcome::of)
}

fn checkout(
    session: &mut Session,
    arguments: &Arguments,
    source: &CommentSource,
    pnames: &[Pname],
) -> Result<bool, CommandError> {
    let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
    let comments = match source {
        CommentSource::AskEach => ask_for_comments(session, pnames)?,
        source => comment::texts(session, source, Prompt::Checkout, &objects, &[])?,
    };
    let exact = match arguments.has("query") && !arguments.has("branch") && !arguments.has("version") {
        true => ask_for_versions(session, pnames)?,
        false => vec![false; pnames.len()],
    };
    let copy = match (arguments.value("out"), pnames) {
        (Some(out), [pname]) => Some(Copy::begin(Path::new(out), &pname.typed)?),
        _ => None,
    };
    let out = copy.as_ref().map(|copy| session.pname(copy.path.as_os_str())).transpose()?;
    let argument = |((pname, comment), exact_version): ((&Pname, _), _)| CheckoutArgument {
        pname: Some(pname.clone()),
        comment,
        exact_version,
    };
    let request = CheckoutRequest {
        context: Some(session.context()?),
        arguments: pnames.iter().zip(comments).zip(exact).map(argument).collect(),
        unreserved: is_unreserved(arguments),
        no_data: arguments.has("ndata") || arguments.has("out"),
        exact_version: arguments.has("version"),
        branch: arguments.bytes("branch"),
        preserve_time: arguments.has("ptime"),
        out: out.map(|out| out.absolute).unwrap_or_default(),
    };
    let reply = session.call(async |mut host| host.checkout(request).await)?;
    let mut all_done = true;
    for (typed, outcome) in objects.iter().zip(reply.outcomes) {
        match outcome.outcome {
            Some(CheckoutOutcome::Done(done)) => {
                if let Some(copy) = &copy
                    && let Err(sentence) = copy.fill(typed, &done)
                {
                    all_done = false;
                    session.error(&sentence);
                }
                all_done &= report(session, typed, &done, !arguments.has("nwarn"))?;
            }
            Some(CheckoutOutcome::Failure(failure)) => {
                all_done = false;
                if let Some(copy) = &copy {
                    copy.drop_it();
                }
                created_branches(session, typed, &failure.done_before)?;
                session.failure(&failure, typed, Some("check out"));
            }
            None => all_done = false,
        }
    }
    Ok(all_done)
}

/// Asks for the comment of each object that can be checked out as far as is known; the checkout itself says what is
/// wrong with the others.
fn ask_for_comments(session: &mut Session, pnames: &[Pname]) -> Result<Vec<Vec<u8>>, CommandError> {
    let request = InspectRequest { context: Some(session.context()?), pnames: pnames.to_vec() };
    let reply = session.call(async |mut host| host.inspect(request).await)?;
    let mut comments = Vec::with_capacity(pnames.len());
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        let is_asked = matches!(outcome.outcome, Some(InspectOutcome::Done(found))
            if !found.checked_out && found.kind() != ObjectKind::ViewPrivateObject);
        let objects = if is_asked { vec![pname.typed.as_slice()] } else { Vec::new() };
        let texts = comment::texts(session, &CommentSource::AskEach, Prompt::Checkout, &objects, &[])?;
        comments.push(texts.into_iter().next().unwrap_or_default());
    }
    Ok(comments)
}

/// Asks, where the view selects another version than the newest of its branch, which of them to check out; tells for
/// each argument whether it is the one that is selected.
fn ask_for_versions(session: &mut Session, pnames: &[Pname]) -> Result<Vec<bool>, CommandError> {
    let request = InspectRequest { context: Some(session.context()?), pnames: pnames.to_vec() };
    let reply = session.call(async |mut host| host.inspect(request).await)?;
    let mut exact = Vec::with_capacity(pnames.len());
    for (pname, outcome) in pnames.iter().zip(reply.outcomes) {
        // The checkout itself says what is wrong.
        let Some(InspectOutcome::Done(found)) = outcome.outcome else {
            exact.push(false);
            continue;
        };
        let differs = !found.newest.is_empty() && found.newest != found.version;
        exact.push(differs && !ask_for_newest(session, &pname.typed, &found)?);
    }
    Ok(exact)
}

fn ask_for_newest(session: &mut Session, typed: &[u8], found: &Inspection) -> Result<bool, CommandError> {
    let question = [
        b"The view selects version \"".as_slice(),
        &found.version,
        b"\" of \"",
        typed,
        b"\", which is not the latest on its branch.\nCheck out version \"",
        &found.newest,
        b"\" instead?",
    ];
    Ok(session.ask(&question.concat(), true)?)
}

/// The file of `-out`: made before the checkout, so that a place that cannot be written refuses it.
struct Copy {
    path: PathBuf,
}

impl Copy {
    /// Makes the empty file, in `out` when that is a directory.
    fn begin(out: &Path, typed: &[u8]) -> Result<Copy, CommandError> {
        let leaf = Path::new(OsStr::from_bytes(without_version(typed))).file_name();
        let path = match leaf {
            Some(leaf) if out.is_dir() => out.join(leaf),
            _ => out.to_owned(),
        };
        match File::create_new(&path) {
            Ok(_) => Ok(Copy { path }),
            Err(error) => Err(CommandError::Refused(vec![
                Copy::refusal(&path, &error),
                [b"Unable to check out \"", typed, b"\"."].concat(),
            ])),
        }
    }

    fn refusal(path: &Path, error: &io::Error) -> Vec<u8> {
        let reason = system_text(error);
        [b"Unable to write \"", path.as_os_str().as_bytes(), b"\": ", reason.as_bytes(), b"."].concat()
    }

    /// Copies the version that was checked out.
    fn fill(&self, typed: &[u8], done: &CheckedOut) -> Result<(), Vec<u8>> {
        let version = [without_version(typed), b"@@", &done.version].concat();
        let copy = || {
            let mut source = File::open(OsStr::from_bytes(&version))?;
            let mut copy = File::options().write(true).open(&self.path)?;
            io::copy(&mut source, &mut copy)
        };
        copy().map(drop).map_err(|error| Copy::refusal(&self.path, &error))
    }

    /// Takes the empty file away: nothing was checked out.
    fn drop_it(&self) {
        // Left behind, it would do no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Checkouts are reserved unless the options, else the profile, say otherwise.
fn is_unreserved(arguments: &Arguments) -> bool {
    let by_profile = || Profile::of_user().checkouts_reserved() == Some(false);
    arguments.has("unreserved") || (!arguments.has("reserved") && by_profile())
}

/// Prints what became of a checkout, and of the branches made for it; tells whether the data came to its place.
///
/// # Errors
/// Standard output is closed.
pub fn report(
    session: &mut Session,
    typed: &[u8],
    done: &CheckedOut,
    warn: bool,
) -> Result<bool, CommandError> {
    let name = without_version(typed);
    created_branches(session, typed, &done.notices)?;
    let mut all_done = true;
    for notice in &done.notices {
        if notice.code() == NoticeCode::CopiedCheckedOut {
            all_done = false;
            could_not_copy(session, name, &beside(name, &notice.name), warn);
        } else if warn {
            session.warnings(std::slice::from_ref(notice));
        }
    }
    if !done.version.is_empty() {
        checked_out(session, name, &done.version)?;
    }
    Ok(all_done)
}

/// Says that the view shows another version where the data should be, and where the data is.
fn could_not_copy(session: &mut Session, name: &[u8], copied: &[u8], warn: bool) {
    if warn {
        let keep = [name, b".keep"].concat();
        let rename = [b"Unable to rename \"", name, b"\" to \"", &keep, b"\": Read-only filesystem."];
        session.warning(&rename.concat());
    }
    let hint: &[u8] = b"Correct the condition, then uncheckout and re-checkout the element.";
    let error: [&[u8]; 4] =
        [b"Checked out version, but could not copy to \"", name, b"\": File exists.\n", hint];
    session.error(&error.concat());
    if warn && copied != name {
        session.warning(&[b"Copied checked out version to \"", copied, b"\"."].concat());
    }
}

/// Prints the branches among notices.
fn created_branches(session: &mut Session, typed: &[u8], notices: &[Notice]) -> Result<(), CommandError> {
    let name = without_version(typed);
    let created = notices.iter().filter(|notice| notice.code() == NoticeCode::CreatedBranch);
    created.into_iter().try_for_each(|notice| created_branch(session, &notice.name, name, &notice.version))
}

/// Prints that a branch was made on the way.
///
/// # Errors
/// Standard output is closed.
pub fn created_branch(
    session: &mut Session,
    branch: &[u8],
    name: &[u8],
    version: &[u8],
) -> Result<(), CommandError> {
    Ok(session.line(&[
        b"Created branch \"",
        branch,
        b"\" from \"",
        name,
        b"\" version \"",
        version,
        b"\".",
    ])?)
}

/// Prints that an object was checked out.
///
/// # Errors
/// Standard output is closed.
pub fn checked_out(session: &mut Session, name: &[u8], version: &[u8]) -> Result<(), CommandError> {
    Ok(session.line(&[b"Checked out \"", name, b"\" from version \"", version, b"\"."])?)
}
