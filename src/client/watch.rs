//! `clerestory watch`: tells what changes in a view, as it changes.

use std::ffi::OsString;

use super::session::{CommandResult, Outcome, Session};
use crate::server::proto::{WatchKind, WatchRequest};

/// What the output means, for `--help`.
pub const HELP: &str = "\
One line for each change at or below PATH, a word and an absolute path:
  changed    something else is there than before: another version, other bytes, a
             label, or something new; of a directory also that its names changed
  removed    the name is gone
  selection  the view may show anything below otherwise: setcs, a new type, a VOB
             that was mounted or unmounted. Look at everything again
  missed     changes are not known any more. Look at everything again
With --json, an object with kind, path and token on each line, and first one with
the kind ready, when watching has begun. A path that is not UTF-8 has U+FFFD in it,
and a field path_bytes with its bytes as hexadecimal digits beside it. --since with
the token of a line goes on behind that line, as long as the daemon runs that gave it.";

/// Prints changes until the daemon stops or nobody reads.
pub fn watch(session: &mut Session, paths: &[OsString], json: bool, since: &str) -> CommandResult {
    let request = WatchRequest {
        context: Some(session.context()?),
        pnames: session.pnames(paths)?,
        token: since.to_owned(),
    };
    let name = request.pnames.first().map(|pname| pname.typed.clone()).unwrap_or_default();
    let mut stream = session.call_about(&name, async |mut host| host.watch(request).await)?;
    while let Some(item) = session.next(&mut stream)? {
        let word = match item.kind() {
            WatchKind::Ready if json => "ready",
            WatchKind::Ready | WatchKind::Alive => continue,
            WatchKind::Changed => "changed",
            WatchKind::Removed => "removed",
            WatchKind::Selection => "selection",
            WatchKind::Missed => "missed",
        };
        if json {
            let path = String::from_utf8_lossy(&item.path);
            let mut line = serde_json::json!({"kind": word, "path": path, "token": item.token});
            if std::str::from_utf8(&item.path).is_err() {
                let digits: String = item.path.iter().map(|byte| format!("{byte:02x}")).collect();
                line["path_bytes"] = digits.into();
            }
            session.line(&[line.to_string().as_bytes()])?;
        } else {
            session.line(&[word.as_bytes(), b" ", &item.path])?;
        }
        session.flush()?;
    }
    Ok(Outcome::Done)
}
