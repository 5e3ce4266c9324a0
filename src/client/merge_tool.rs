//! Programs of the user's choice that show and merge files.
//!
//! `CLEARCASE_DIFF_TOOL` and `CLEARCASE_MERGE_TOOL` are command lines. Programs that are known get their arguments in the
//! order they want; a command line with `$LOCAL` or another of them in it is run by a shell with BASE, LOCAL, REMOTE and MERGED set, as git
//! does; any other program gets the files in that order.

use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command as Process;

/// What the user's merge tool is told in.
pub const MERGE_TOOL: &str = "CLEARCASE_MERGE_TOOL";
const DIFF_TOOL: &str = "CLEARCASE_DIFF_TOOL";

/// Programs that are looked for where none is chosen: the first needs a display.
const WITH_DISPLAY: [&str; 2] = ["meld", "kdiff3"];
const IN_TERMINAL: [&str; 1] = ["vimdiff"];

/// The files of a merge.
pub struct Files<'a> {
    /// The common ancestor.
    pub base: &'a Path,
    /// What is merged to.
    pub local: &'a Path,
    /// What is merged.
    pub remote: &'a Path,
    /// Where the result goes.
    pub merged: &'a Path,
}

/// The command line that the user chose.
fn chosen(names: &[&str]) -> Option<OsString> {
    names.iter().find_map(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

/// The user's merge tool, if there is one: what was chosen alone.
pub fn merger() -> Option<OsString> {
    chosen(&[MERGE_TOOL])
}

/// Shows two files.
///
/// # Errors
/// There is no program for it, or it cannot be started.
pub fn compare(session: &mut Session, before: &OsStr, after: &OsStr) -> CommandResult {
    let tool = chosen(&[DIFF_TOOL, MERGE_TOOL]).or_else(installed).ok_or_else(|| {
        CommandError::refused(format!("There is no program to show differences: name one in {DIFF_TOOL}."))
    })?;
    let mut process = command(&tool, &|program| match program {
        "vim" | "nvim" | "gvim" => ["-d".into(), before.into(), after.into()].to_vec(),
        "code" => ["--wait".into(), "--diff".into(), before.into(), after.into()].to_vec(),
        _ => [before, after].map(OsStr::to_owned).to_vec(),
    });
    process.env("LOCAL", before).env("REMOTE", after);
    let succeeded = start(session, &tool, &mut process)?;
    Ok(Outcome::of(succeeded))
}

/// Starts a program that merges files; tells whether it ended well.
///
/// # Errors
/// It cannot be started.
pub fn merge(session: &mut Session, tool: &OsStr, files: &Files<'_>) -> Result<bool, CommandError> {
    let mut process = command(tool, &|program| arguments(program, files));
    process.env("BASE", files.base).env("LOCAL", files.local);
    process.env("REMOTE", files.remote).env("MERGED", files.merged);
    start(session, tool, &mut process)
}

/// What programs want to be called with.
fn arguments(program: &str, files: &Files<'_>) -> Vec<OsString> {
    let Files { base, local, remote, merged } = *files;
    let with = |option: &str, path: &Path| {
        let mut word = OsString::from(option);
        word.push(path);
        word
    };
    let path = |path: &Path| path.as_os_str().to_owned();
    match program {
        "meld" => vec![with("--output=", merged), path(local), path(base), path(remote)],
        "kdiff3" => vec![path(base), path(local), path(remote), "-o".into(), path(merged)],
        "vimdiff" | "gvimdiff" => vec!["-f".into(), path(merged), path(local), path(base), path(remote)],
        "vim" | "gvim" | "nvim" => {
            vec!["-f".into(), "-d".into(), path(merged), path(local), path(base), path(remote)]
        }
        "p4merge" => vec![path(base), path(remote), path(local), path(merged)],
        "tkdiff" => vec!["-a".into(), path(base), "-o".into(), path(merged), path(local), path(remote)],
        "code" => {
            vec!["--wait".into(), "--merge".into(), path(remote), path(local), path(base), path(merged)]
        }
        _ => [base, local, remote, merged].map(path).to_vec(),
    }
}

/// A process for a command line.
fn command(tool: &OsStr, arguments: &dyn Fn(&str) -> Vec<OsString>) -> Process {
    let text = tool.to_string_lossy();
    let mentions = |name: &str| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}}}"));
    if ["BASE", "LOCAL", "REMOTE", "MERGED"].into_iter().any(mentions) {
        let mut process = Process::new("/bin/sh");
        process.args([OsStr::new("-c"), tool]);
        return process;
    }
    // A program's path may have blanks in it.
    if Path::new(tool).is_file() {
        let mut process = Process::new(tool);
        process.args(arguments(&name_of(tool)));
        return process;
    }
    let mut words = text.split_whitespace().map(OsString::from);
    let program = words.next().unwrap_or_default();
    let mut process = Process::new(&program);
    process.args(words).args(arguments(&name_of(&program)));
    process
}

fn name_of(program: &OsStr) -> String {
    Path::new(program).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A program that this host has.
fn installed() -> Option<OsString> {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let with_display = WITH_DISPLAY.iter().filter(|_| has_display);
    let path = std::env::var_os("PATH")?;
    let is_there =
        |name: &&&str| std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    with_display.chain(&IN_TERMINAL).find(is_there).map(|name| OsString::from(*name))
}

fn start(session: &mut Session, tool: &OsStr, process: &mut Process) -> Result<bool, CommandError> {
    session.flush()?;
    match process.status() {
        Ok(status) => Ok(status.success()),
        Err(error) => {
            let reason = system_text(&error);
            let sentence = [b"Unable to run \"", tool.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat();
            Err(CommandError::refused(sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_gets_the_files_as_it_wants_them() {
        let path = |name: &'static str| Path::new(name);
        let files = Files { base: path("b"), local: path("l"), remote: path("r"), merged: path("m") };
        for (program, expected) in [
            ("meld", "--output=m l b r"),
            ("kdiff3", "b l r -o m"),
            ("vimdiff", "-f m l b r"),
            ("p4merge", "b r l m"),
            ("of-my-own", "b l r m"),
        ] {
            let words = arguments(program, &files).join(OsStr::new(" "));
            assert_eq!(words, expected, "{program}");
        }
    }

    #[test]
    fn a_command_line_with_the_variables_is_one_for_a_shell() {
        let told =
            |tool: &str| format!("{:?}", command(OsStr::new(tool), &|name| vec![name.into(), "x".into()]));
        assert_eq!(told("my $REMOTE"), r#""/bin/sh" "-c" "my $REMOTE""#);
        assert_eq!(
            told("my --both \"$LOCAL\" >$MERGED"),
            r#""/bin/sh" "-c" "my --both \"$LOCAL\" >$MERGED""#
        );
        assert_eq!(told("/opt/tools/meld --wait"), r#""/opt/tools/meld" "--wait" "meld" "x""#);
    }
}
