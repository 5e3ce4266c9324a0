//! `checkout`: makes elements of the view writable, as the beginning of their next versions.

use super::commands::{Command, exclusive, missing};
use super::comment::{self, CommentSource, Prompt};
use super::options::{Arguments, flag, value};
use super::pname::without_version;
use super::profile::Profile;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use crate::server::proto::checkout_outcome::Outcome as CheckoutOutcome;
use crate::server::proto::{CheckedOut, CheckoutArgument, CheckoutRequest, Notice, NoticeCode, Pname};
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
    if arguments.has("out") && arguments.operands.len() > 1 {
        return Err(CommandError::Usage("Option -out is for one element".to_owned()));
    }
    if arguments.has("out") && arguments.operands.iter().any(|operand| Path::new(operand).is_dir()) {
        return Err(CommandError::Usage("Option -out is for file elements".to_owned()));
    }
    let source = comment::source("checkout", arguments, CommentSource::AskEach)?;
    let pnames = session.pnames(&arguments.operands)?;
    let mut all_done = true;
    // Asked one by one, the objects are also checked out one by one, so that each answer shows at once.
    let batch = if source == CommentSource::AskEach { 1 } else { pnames.len() };
    for pnames in pnames.chunks(batch) {
        all_done &= checkout(session, arguments, &source, pnames)?;
    }
    Ok(Outcome::of(all_done))
}

fn checkout(
    session: &mut Session,
    arguments: &Arguments,
    source: &CommentSource,
    pnames: &[Pname],
) -> Result<bool, CommandError> {
    let objects: Vec<&[u8]> = pnames.iter().map(|pname| pname.typed.as_slice()).collect();
    let comments = comment::texts(session, source, Prompt::Checkout, &objects, &[])?;
    let copy = match (arguments.value("out"), pnames) {
        (Some(out), [pname]) => Some(Copy::begin(Path::new(out), &pname.typed)?),
        _ => None,
    };
    let arguments_with_comments = pnames.iter().cloned().zip(comments);
    let request = CheckoutRequest {
        context: Some(session.context()?),
        arguments: arguments_with_comments
            .map(|(pname, comment)| CheckoutArgument { pname: Some(pname), comment })
            .collect(),
        unreserved: is_unreserved(arguments),
        no_data: arguments.has("ndata") || arguments.has("out"),
        exact_version: arguments.has("version"),
        branch: arguments.bytes("branch"),
        preserve_time: arguments.has("ptime"),
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
                report(session, typed, &done, !arguments.has("nwarn"))?;
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

fn report(session: &mut Session, typed: &[u8], done: &CheckedOut, warn: bool) -> Result<(), CommandError> {
    let name = without_version(typed);
    created_branches(session, typed, &done.notices)?;
    if warn {
        session.warnings(&done.notices);
    }
    checked_out(session, name, &done.version)
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
