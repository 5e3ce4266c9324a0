//! `import git`: shows how an import goes, and what came of it.
//!
//! A bar with rate and time left on a terminal, a line every few seconds elsewhere; both on standard error.

use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::session::{CommandError, CommandResult, Outcome, Session};
use crate::server::proto::import_item::Item;
use crate::server::proto::{
    ImportPhase, ImportProgress, ImportRequest, ImportSummary, ImportWarning, ImportWarningCode,
};

/// How often a line is written where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// How many warnings of one kind are printed; the others are counted.
const MAX_WARNINGS: usize = 20;

/// Imports a repository into the VOB with this tag, creating it when it is new.
///
/// # Errors
/// Why it was refused or stopped. Running it again goes on.
pub fn run(session: &mut Session, repository: &Path, vob: &Path) -> CommandResult {
    let request = ImportRequest {
        context: Some(session.context()?),
        repository: Some(session.pname(repository.as_os_str())?),
        vob_tag: vob.as_os_str().as_bytes().to_vec(),
    };
    let name = repository.as_os_str().as_bytes();
    let mut stream = session.call_about(name, async |mut host| host.import(request).await)?;
    let mut display = Display::new();
    let mut summary = None;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Progress(progress)) => display.show(&progress),
            Some(Item::Summary(last)) => summary = Some(last),
            None => {}
        }
    }
    display.finish();
    let Some(summary) = summary else {
        return Err(CommandError::refused("The import was stopped; run it again to go on."));
    };
    for line in warnings(&summary.warnings) {
        session.warning(&line);
    }
    for line in summary_lines(&summary, vob) {
        session.line(&[line.as_bytes()])?;
    }
    Ok(Outcome::Done)
}

/// Where progress goes.
enum Display {
    Bar(ProgressBar),
    Lines { begun: Instant, last: Option<Instant> },
}

impl Display {
    fn new() -> Display {
        if !std::io::stderr().is_terminal() {
            return Display::Lines { begun: Instant::now(), last: None };
        }
        let bar = ProgressBar::new(0);
        bar.set_style(style("{msg:>10} {spinner} {elapsed_precise}"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Display::Bar(bar)
    }

    fn show(&mut self, progress: &ImportProgress) {
        match self {
            Display::Bar(bar) => {
                if progress.commits_total > 0 && bar.length() != Some(progress.commits_total) {
                    bar.set_length(progress.commits_total);
                    bar.set_style(style(
                        "{msg:>10} [{wide_bar}] {human_pos}/{human_len} commits  {per_sec}  {eta} left",
                    ));
                }
                bar.set_message(phase_name(progress.phase()));
                bar.set_position(progress.commits_done);
            }
            Display::Lines { begun, last } => {
                let now = Instant::now();
                if last.is_none_or(|last| now.duration_since(last) >= LINE_INTERVAL) {
                    *last = Some(now);
                    eprintln!("{}", progress_line(progress, now.duration_since(*begun)));
                }
            }
        }
    }

    fn finish(&self) {
        if let Display::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// A template that is wrong shows as the default bar, never as a failure of an import.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn phase_name(phase: ImportPhase) -> &'static str {
    match phase {
        ImportPhase::Unspecified | ImportPhase::Plan => "planning",
        ImportPhase::Contents => "contents",
        ImportPhase::Commits => "commits",
        ImportPhase::Labels => "labels",
        ImportPhase::Finish => "finishing",
    }
}

fn progress_line(progress: &ImportProgress, elapsed: Duration) -> String {
    let phase = phase_name(progress.phase());
    if progress.commits_total == 0 {
        return format!("{phase}: {} read", HumanBytes(progress.size_bytes));
    }
    let (done, total) = (progress.commits_done, progress.commits_total);
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let left = match done {
        0 => String::new(),
        _ => {
            let left_s = total.saturating_sub(done) as f64 / rate;
            format!(", {} left", HumanDuration(Duration::from_secs_f64(left_s.min(1e9))))
        }
    };
    format!("{phase}: {}/{} commits, {rate:.0}/s{left}", HumanCount(done), HumanCount(total))
}

fn warnings(warnings: &[ImportWarning]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for code in [
        ImportWarningCode::NameReplaced,
        ImportWarningCode::SubmoduleSkipped,
        ImportWarningCode::RefRewritten,
        ImportWarningCode::TagSkipped,
        ImportWarningCode::Unspecified,
    ] {
        let same: Vec<_> = warnings.iter().filter(|warning| warning.code() == code).collect();
        lines.extend(same.iter().take(MAX_WARNINGS).map(|warning| warning_sentence(warning)));
        if same.len() > MAX_WARNINGS {
            lines.push(format!("... and {} more like this.", same.len() - MAX_WARNINGS).into_bytes());
        }
    }
    lines
}

fn warning_sentence(warning: &ImportWarning) -> Vec<u8> {
    let quoted = |before: &str, after: &str| {
        [before.as_bytes(), b" \"", &warning.name, b"\"", after.as_bytes()].concat()
    };
    match warning.code() {
        ImportWarningCode::NameReplaced => {
            [&quoted("Name", " became \"")[..], &warning.detail, b"\"."].concat()
        }
        ImportWarningCode::SubmoduleSkipped => quoted("Submodule", " was skipped."),
        ImportWarningCode::RefRewritten => quoted("Ref", " was rewritten since the last import."),
        ImportWarningCode::TagSkipped => quoted("Tag", " names no commit and was skipped."),
        ImportWarningCode::Unspecified => [&warning.name[..], b"."].concat(),
    }
}

fn summary_lines(summary: &ImportSummary, vob: &Path) -> Vec<String> {
    let elapsed = Duration::from_millis(summary.elapsed_ms);
    if summary.commits == 0 {
        return vec![format!("Nothing new for VOB \"{}\".", vob.display())];
    }
    vec![
        format!(
            "Imported {} commits into VOB \"{}\" in {:.1} s.",
            HumanCount(summary.commits),
            vob.display(),
            elapsed.as_secs_f64()
        ),
        format!(
            "{} elements, {} versions, {} branch types, {} label types, {} merges.",
            HumanCount(summary.elements),
            HumanCount(summary.versions),
            HumanCount(summary.branch_types),
            HumanCount(summary.label_types),
            HumanCount(summary.merges)
        ),
        format!(
            "{} read, {} stored.",
            HumanBytes(summary.read_size_bytes),
            HumanBytes(summary.stored_size_bytes)
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_without_a_terminal_is_a_line() {
        let mut progress = ImportProgress {
            phase: ImportPhase::Commits.into(),
            commits_done: 1000,
            commits_total: 3000,
            size_bytes: 0,
        };
        assert_eq!(
            progress_line(&progress, Duration::from_secs(10)),
            "commits: 1,000/3,000 commits, 100/s, 20 seconds left"
        );
        progress.commits_total = 0;
        progress.size_bytes = 2048;
        assert_eq!(progress_line(&progress, Duration::ZERO), "commits: 2.00 KiB read");
    }

    #[test]
    fn warnings_are_grouped_and_cut() {
        let skipped = ImportWarning {
            code: ImportWarningCode::SubmoduleSkipped.into(),
            name: b"lib".to_vec(),
            ..ImportWarning::default()
        };
        let lines = warnings(&vec![skipped; MAX_WARNINGS + 2]);
        assert_eq!(lines.len(), MAX_WARNINGS + 1);
        assert_eq!(lines[0], b"Submodule \"lib\" was skipped.");
        assert_eq!(lines[MAX_WARNINGS], b"... and 2 more like this.");
    }
}
