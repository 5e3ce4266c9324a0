//! `clerestory`: the commands that the product does not have, in GNU habits.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use super::backup;
use super::doctor;
use super::explain;
use super::import;
use super::lsvtree::Choice;
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::stats;
use super::vtree;
use super::watch;
use crate::server::home::Home;
use crate::server::lifecycle::{self, Mode};
use crate::server::proto::{ShutdownRequest, StatusRequest};

/// The daemon's body: serves a home in a mode until it is stopped.
pub type Serve = fn(Home, Mode) -> Result<(), lifecycle::LifecycleError>;

/// Versions every file, and shows any of them through rule-selected live views.
#[derive(Debug, Parser)]
#[command(name = "clerestory", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run this home's daemon (other commands start it when they need it)
    Serve {
        /// Stay in the foreground; this is what happens when it is started by hand
        #[arg(long)]
        foreground: bool,
        /// Started by another command, which waits on standard output
        #[arg(long, hide = true, conflicts_with = "foreground")]
        background: bool,
    },
    /// Stop this home's daemon and wait until it is gone
    Shutdown,
    /// Tell whether the daemon runs, and what it shows
    Status,
    /// Print what the daemon has counted since it began: requests and their times, caches, memory, programs
    Stats {
        /// Print the text format of Prometheus
        #[arg(long)]
        prometheus: bool,
    },
    /// Show again and again what is asked of the daemon, and by which programs
    Top {
        /// Seconds between two looks
        #[arg(long, default_value_t = 2.0, value_parser = interval)]
        interval: f64,
        /// Looks; without it until interrupted
        #[arg(long)]
        count: Option<u64>,
    },
    /// Tell what changes in a view, as it changes
    #[command(after_long_help = watch::HELP)]
    Watch {
        /// Print one JSON object on a line for each change (--help tells its fields)
        #[arg(long)]
        json: bool,
        /// Go on behind the line of `--json` that had this token
        #[arg(long, value_name = "TOKEN", default_value = "")]
        since: String,
        /// Names in a view, there or not yet
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<OsString>,
    },
    /// Tell why a view shows a version at a path, or does not show the name
    #[command(after_long_help = explain::json::FIELDS)]
    Explain {
        /// Print one JSON object on a line for each path (--help tells its fields)
        #[arg(long)]
        json: bool,
        /// Names in a view, seen or not
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<OsString>,
    },
    /// Draw version trees: branches, versions, labels, merges, checkouts
    Vtree {
        /// Draw a picture
        #[arg(long)]
        svg: bool,
        /// Draw a page of one file, which can be searched and zoomed
        #[arg(long, conflicts_with = "svg")]
        html: bool,
        /// Write to this file instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Draw every version and every label, not only versions that mean something
        #[arg(long)]
        all: bool,
        /// Draw branches that are out of use, too
        #[arg(long)]
        obsolete: bool,
        /// Begin at this branch: a type's name, or a path such as /main/fix
        #[arg(long, value_name = "BRANCH")]
        branch: Option<OsString>,
        /// Names of elements, in a view or version-extended
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<OsString>,
    },
    /// Turn another system's history into a VOB
    Import {
        #[command(subcommand)]
        from: Import,
    },
    /// Copy a VOB while users work
    #[command(after_long_help = backup::BACKUP_HELP)]
    Backup {
        /// The VOB's tag
        vob: PathBuf,
        /// A directory, or an archive if it ends in .tar
        path: PathBuf,
    },
    /// Make a VOB from a backup
    #[command(after_long_help = backup::RESTORE_HELP)]
    Restore {
        /// The directory or archive
        backup: PathBuf,
        /// Another tag than the VOB had
        #[arg(long, value_name = "TAG")]
        vob: Option<PathBuf>,
        /// Where its storage is to be
        #[arg(long, value_name = "DIRECTORY")]
        storage: Option<PathBuf>,
        /// Leave out what came after the operation of this number
        #[arg(long, value_name = "NUMBER", conflicts_with = "to_time")]
        to_operation: Option<u64>,
        /// Leave out what came after this time
        #[arg(long, value_name = "DATE-TIME")]
        to_time: Option<String>,
        /// Make nothing: read the backup and compare it with its checksums
        #[arg(long)]
        verify: bool,
    },
    /// Look for what keeps this host from working, and say what to do
    #[command(after_long_help = doctor::HELP)]
    Doctor {
        /// Repair what can be repaired safely
        #[arg(long)]
        fix: bool,
    },
    /// Run a cleartool command
    #[command(disable_help_flag = true)]
    Ct {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Import a git repository or bundle; run again, it adds what is new
    Git {
        /// The repository
        repository: PathBuf,
        /// The VOB's tag, such as /vobs/project
        #[arg(long)]
        vob: PathBuf,
    },
}

/// Runs the program by its own name; the first word is `argv[0]`.
pub fn run(words: &[OsString], serve: Serve) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let result = match cli.command {
        // Without a session: its runtime is the client's.
        Command::Serve { background, .. } => {
            return serve_here(serve, if background { Mode::Background } else { Mode::Foreground });
        }
        Command::Ct { words } => return super::cleartool(&words),
        Command::Shutdown => with_session(shutdown),
        Command::Status => with_session(status),
        Command::Stats { prometheus } => with_session(|session| {
            let form = if prometheus { stats::Form::Prometheus } else { stats::Form::Table };
            stats::stats(session, form)
        }),
        Command::Top { interval, count } => {
            with_session(|session| stats::top(session, Duration::from_secs_f64(interval), count))
        }
        Command::Watch { json, since, paths } => {
            with_session(|session| watch::watch(session, &paths, json, &since))
        }
        Command::Explain { json, paths } => with_session(|session| {
            let form = if json { explain::Form::Json } else { explain::Form::Text };
            explain::explain(session, &paths, form, Session::complain)
        }),
        Command::Vtree { svg, html, output, all, obsolete, branch, paths } => with_session(|session| {
            let form = match (svg, html) {
                (true, _) => vtree::Form::Svg,
                (_, true) => vtree::Form::Html,
                _ => vtree::Form::Terminal,
            };
            let wanted = vtree::Wanted {
                paths: &paths,
                choice: Choice { all, short: false, merges: true, checkouts: true, obsolete },
                branch: branch.map(OsString::into_vec).unwrap_or_default(),
                no_recurse: false,
                complain: Session::complain,
            };
            vtree::draw(session, &wanted, form, output.as_deref())
        }),
        Command::Doctor { fix } => with_session(|session| doctor::doctor(session, fix)),
        Command::Backup { vob, path } => with_session(|session| backup::backup(session, &vob, &path)),
        Command::Restore { backup, vob, storage, to_operation, to_time, verify } => with_session(|session| {
            let restore = backup::Restore {
                backup: &backup,
                vob: vob.as_deref(),
                storage: storage.as_deref(),
                operation: to_operation,
                time: to_time.as_deref(),
                verify,
            };
            backup::restore(session, &restore)
        }),
        Command::Import { from: Import::Git { repository, vob } } => {
            with_session(|session| import::run(session, &repository, &vob))
        }
    };
    match result {
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::FAILURE
        }
        Err(error) => {
            for line in lines(error) {
                eprintln!("clerestory: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn lines(error: CommandError) -> Vec<String> {
    match error {
        CommandError::Usage(sentence) => vec![sentence],
        CommandError::Output(error) => vec![format!("unable to write output: {error}")],
        CommandError::Refused(sentences) => {
            sentences.iter().map(|sentence| String::from_utf8_lossy(sentence).into_owned()).collect()
        }
    }
}

fn with_session(run: impl FnOnce(&mut Session) -> CommandResult) -> CommandResult {
    let mut session = Session::new("clerestory")?;
    let outcome = run(&mut session)?;
    session.flush()?;
    Ok(outcome)
}

fn serve_here(serve: Serve, mode: Mode) -> ExitCode {
    let result = Home::from_environment().map_err(Into::into).and_then(|home| serve(home, mode));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clerestory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn shutdown(session: &mut Session) -> CommandResult {
    if !session.connect_if_running()? {
        session.line(&[b"No daemon is running."])?;
        return Ok(Outcome::Done);
    }
    session.call(async |mut host| host.shutdown(ShutdownRequest {}).await)?;
    // The daemon waits for its connections to end.
    session.hang_up()?;
    lifecycle::wait_until_stopped(&session.home()?)?;
    Ok(Outcome::Done)
}

fn status(session: &mut Session) -> CommandResult {
    let home = session.home()?;
    if !session.connect_if_running()? {
        session.line(&[format!("No daemon is running in {}.", home.root().display()).as_bytes()])?;
        return Ok(Outcome::Failed);
    }
    let status = session.call(async |mut host| host.status(StatusRequest {}).await)?;
    let since = session.dates.full(status.started_s);
    session.line(&[format!("version   {}", status.version).as_bytes()])?;
    session.line(&[format!("process   {}, since {since}", status.pid).as_bytes()])?;
    session.line(&[b"home      ", &status.home])?;
    let mounted: &[u8] = if status.viewroot_mounted { b"" } else { b" (not mounted)" };
    session.line(&[b"viewroot  ", &status.viewroot, mounted])?;
    session.line(&[b"vobs      ", &status.mounted_vobs.join(&b' ')])?;
    session.line(&[b"views     ", status.started_views.join(" ").as_bytes()])?;
    Ok(Outcome::Done)
}

/// Seconds that can be waited for.
fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    let is_usual = (0.1..=86_400.0).contains(&seconds);
    if is_usual { Ok(seconds) } else { Err("give from 0.1 to 86400 seconds".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        let ct = Cli::try_parse_from(["clerestory", "ct", "ls", "-l", "--", "-x", "--help"]).unwrap();
        match ct.command {
            Command::Ct { words } => assert_eq!(words, ["ls", "-l", "--", "-x", "--help"]),
            other => panic!("{other:?}"),
        }
        let import = ["clerestory", "import", "git", "repo", "--vob", "/vobs/a"];
        assert!(Cli::try_parse_from(import).is_ok());
    }
}
