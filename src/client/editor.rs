//! Runs the user's text editor on a file and waits for it.
//!
//! Owns which editor that is, and who hears the terminal's interrupts meanwhile. Knows nothing of what is
//! edited.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::session::{CommandError, system_text};

/// Has the user edit a file; the editor works in `directory`, or where this process does.
///
/// # Errors
/// The editor could not be run, or says that it failed: the file is not to be used then.
pub fn edit(file: &Path, directory: Option<&Path>) -> Result<(), CommandError> {
    let editor = choose(|name| std::env::var_os(name));
    let mut command = command(&editor, file);
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    let status = {
        let _deaf = Deaf::begin();
        command.status()
    };
    let refused = |reason: String| {
        Err(CommandError::refused([b"Editor \"", editor.as_bytes(), b"\" ", reason.as_bytes()].concat()))
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => refused(ending(status)),
        Err(error) => refused(format!("cannot be run: {}.", system_text(&error))),
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}."),
        (None, signal) => format!("was ended by signal {}.", signal.unwrap_or_default()),
    }
}

/// The editor's command line, from the variables the product looks at, in its order.
fn choose(variable: impl Fn(&str) -> Option<OsString>) -> OsString {
    let mut named = ["WINEDITOR", "VISUAL", "EDITOR"].into_iter().filter_map(variable);
    named.find(|value| !value.as_bytes().trim_ascii().is_empty()).unwrap_or_else(|| "vi".into())
}

/// A shell splits the command line into words; the file's name is never read by it. It outlives interrupts as
/// this process does, by traps, which do not reach the editor.
fn command(editor: &OsStr, file: &Path) -> Command {
    let mut script = OsString::from("trap : INT QUIT; ");
    script.push(editor);
    script.push(" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(editor);
    // A name like an option would be one to the editor.
    match file.as_os_str().as_bytes().starts_with(b"-") {
        true => command.arg(Path::new(".").join(file)),
        false => command.arg(file),
    };
    command
}

/// While it lives, the terminal's interrupt and quit characters, which reach every process in the foreground,
/// end the editor only. They are caught and not ignored, because an ignored signal stays ignored in the
/// editor.
struct Deaf {
    before: [(i32, libc::sigaction); 2],
}

extern "C" fn hear_nothing(_signal: i32) {}

impl Deaf {
    fn begin() -> Deaf {
        let replace = |signal| {
            // SAFETY: all zeros is a valid sigaction: no flags, an empty mask.
            let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
            action.sa_sigaction = hear_nothing as extern "C" fn(i32) as usize;
            action.sa_flags = libc::SA_RESTART;
            // SAFETY: as above.
            let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
            // SAFETY: both pointers are valid for the call, and the handler does nothing.
            let code = unsafe { libc::sigaction(signal, &action, &mut before) };
            assert_eq!(code, 0, "sigaction of signal {signal}: {}", io::Error::last_os_error());
            (signal, before)
        };
        Deaf { before: [libc::SIGINT, libc::SIGQUIT].map(replace) }
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        for (signal, before) in &self.before {
            // SAFETY: `before` is what sigaction answered for this signal.
            unsafe { libc::sigaction(*signal, before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> OsString {
        choose(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_editor_is_the_first_that_is_named() {
        let all = [("EDITOR", "ed"), ("VISUAL", "emacs -nw"), ("WINEDITOR", "gvim -f")];
        assert_eq!(chosen(&all), "gvim -f");
        assert_eq!(chosen(&all[..2]), "emacs -nw");
        assert_eq!(chosen(&all[..1]), "ed");
        assert_eq!(chosen(&[("EDITOR", "ed"), ("VISUAL", " ")]), "ed");
        assert_eq!(chosen(&[]), "vi");
    }

    #[test]
    fn the_editor_may_have_arguments_and_the_file_any_name() {
        let directory = tempfile::tempdir().unwrap();
        let said = |editor: &str, file: &str| {
            let output = command(OsStr::new(editor), Path::new(file)).current_dir(directory.path()).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        assert_eq!(said("printf '%s|' 'a b'  c", "x $(touch y); z"), "a b|c|x $(touch y); z|");
        assert_eq!(said("echo", "-n"), "./-n\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_editor_that_ends_badly_is_told() {
        let run = |script| ending(Command::new("/bin/sh").args(["-c", script]).status().unwrap());
        assert_eq!(run("exit 3"), "ended with status 3.");
        assert_eq!(run("kill -9 $$"), "was ended by signal 9.");
    }
}
