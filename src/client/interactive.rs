//! Interactive mode: commands line by line from standard input, as people and coprocess clients give them.
//!
//! The prompt is shown on a terminal only. With `-status` the line `Command N returned status S` follows each
//! command's output, without a newline of its own before it.

use super::commands;
use super::session::{CommandError, Outcome, Session};
use super::words;

/// How interactive mode was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// `-status`.
    pub status: bool,
    /// `-e`: end at the first error.
    pub stop_at_error: bool,
}

/// Runs commands until `quit` or the end of input; answers the exit status.
///
/// # Errors
/// Standard input or output is gone.
pub fn run(session: &mut Session, manner: Manner) -> Result<u8, CommandError> {
    let show_prompt = session.input_is_terminal();
    let mut number: u64 = 1;
    loop {
        if show_prompt {
            let prompt = match manner.status {
                true => format!("{} {number}> ", session.program()),
                false => format!("{}> ", session.program()),
            };
            session.write(&[prompt.as_bytes()])?;
        }
        session.flush()?;
        let Some(line) = read_command(session)? else {
            return Ok(0);
        };
        let parsed = match words::split(&line) {
            Ok(parsed) if parsed.is_empty() => continue,
            Ok(parsed) => Ok(words::expand(parsed)),
            Err(error) => Err(error),
        };
        let outcome = match parsed {
            Ok(words) => commands::run(session, &words)?,
            Err(error) => {
                session.error(format!("{error}.").as_bytes());
                Outcome::Failed
            }
        };
        let failed = outcome == Outcome::Failed;
        if manner.status && outcome != Outcome::Quit {
            session.line(&[format!("Command {number} returned status {}", u8::from(failed)).as_bytes()])?;
        }
        session.flush()?;
        if outcome == Outcome::Quit {
            return Ok(0);
        }
        if failed && manner.stop_at_error {
            return Ok(1);
        }
        number += 1;
    }
}

/// Reads a command; a backslash at the end of a line joins the next one.
fn read_command(session: &mut Session) -> Result<Option<Vec<u8>>, CommandError> {
    let Some(mut line) = session.read_line()? else {
        return Ok(None);
    };
    while line.ends_with(b"\\") {
        let Some(next) = session.read_line()? else { break };
        line.pop();
        line.extend_from_slice(&next);
    }
    Ok(Some(line))
}
