//! The import as its callers see it: what it is given, what it answers, and why it stops.

use super::driver::Run;
use super::fast_export::ParseError;
use super::graph::{CommitGraph, ObjectId, RefName, Reference};
use super::lines::{Plan, PlanError, plan_lines};
use super::mirror::MirrorError;
use super::record::Past;
use super::repository::{Notice, Repository, RepositoryError};
use crate::store::pool;
use crate::store::{StoreError, Vob};
use crate::vob::{EventNo, Refused};
use std::path::Path;

/// Why an import stopped. What was committed before stays; run again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The repository cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The stream cannot be understood.
    #[error("the stream of git fast-export: {0}")]
    Stream(#[from] ParseError),
    /// The history cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The VOB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The VOB refused a commit.
    #[error(
        "the VOB refused what the import made (was it changed meanwhile? then run the import again): {0}"
    )]
    Refused(#[from] Refused),
    /// What an earlier import brought was removed from the VOB for good.
    #[error("what an earlier import brought was removed from the VOB")]
    Removed,
    /// The stream names something it did not bring.
    #[error("commit {commit}: {detail}")]
    Inconsistent {
        /// The commit.
        commit: String,
        /// What is wrong.
        detail: String,
    },
    /// A name that no VOB can catalog.
    #[error("commit {commit}: the name of {path:?} has {length} bytes, 255 are possible")]
    NameTooLong {
        /// The commit.
        commit: String,
        /// The path.
        path: String,
        /// Its length.
        length: usize,
    },
    /// A temporary file failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The caller asked for it.
    #[error("interrupted; run the import again to go on")]
    Interrupted,
}

impl From<MirrorError> for ImportError {
    fn from(error: MirrorError) -> ImportError {
        match error {
            MirrorError::Store(error) => error.into(),
            MirrorError::Removed => ImportError::Removed,
            missing => {
                let detail = missing.to_string();
                ImportError::Store(StoreError::Damaged { kind: "element", detail })
            }
        }
    }
}

impl From<pool::Error> for ImportError {
    fn from(error: pool::Error) -> ImportError {
        ImportError::Store(error.into())
    }
}

/// How far an import is.
#[derive(Copy, Clone, Debug, Default)]
pub struct Progress {
    /// Commits imported so far.
    pub commits: u64,
    /// Commits to import.
    pub commits_total: u64,
    /// Labels applied so far.
    pub labels: u64,
    /// Labels to apply.
    pub labels_total: u64,
    /// Bytes of the stream read so far.
    pub bytes: u64,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Commits imported.
    pub commits: u64,
    /// Commits that earlier imports had brought.
    pub commits_before: u64,
    /// Branch types made.
    pub branch_types: u64,
    /// Labels applied, new or moved.
    pub labels: u64,
    /// Elements made.
    pub elements: u64,
    /// Versions made.
    pub versions: u64,
    /// Merge arrows drawn.
    pub merges: u64,
    /// The ref that line `main` follows.
    pub default_branch: String,
    /// Bytes of the stream.
    pub bytes: u64,
    /// What the user should know, a line each.
    pub warnings: Vec<String>,
}

/// One import into one VOB.
pub struct Importer<'a> {
    /// The VOB.
    pub vob: &'a Vob,
    /// Who imports: becomes the owner of new elements.
    pub owner: (u32, u32),
    /// A directory for temporary files, which the caller removes.
    pub temporary: &'a Path,
    /// Called now and then; answers whether to go on.
    pub progress: &'a mut dyn FnMut(&Progress) -> bool,
}

impl Importer<'_> {
    /// Imports a git repository or bundle.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn git(&mut self, path: &Path) -> Result<Summary, ImportError> {
        let repository = Repository::open(path, self.temporary)?;
        let refs = repository.refs()?;
        let mut summary = Summary::default();
        for notice in repository.notices()? {
            summary.warnings.push(notice_text(notice).to_owned());
        }
        for skipped in &refs.skipped {
            let text =
                format!("{} leads to a {}, not to a commit: skipped", skipped.name, skipped.object_type);
            summary.warnings.push(text);
        }
        let graph = repository.commit_graph(&refs.references)?;
        let past = Past::read(self.vob)?;
        let mut default = repository.default_branch(&refs.references)?;
        if let Some(before) = past.default_branch.as_ref()
            && *before != default
            && refs.references.iter().any(|reference| reference.name == *before)
        {
            summary.warnings.push(format!("/main goes on following {before}, as in the first import"));
            default = before.clone();
        }
        let plan = plan(&graph, &default, &refs.references, &past)?;
        let found = repository.annotations(&refs.references)?;
        let named = refs.references.iter().zip(found);
        let annotations = named.filter_map(|(tag, said)| Some((tag.name.short(), said?))).collect();
        let run = Run::new(self, &graph, &refs.references, plan, past, summary, default, annotations)?;
        run.run(&repository)
    }
}

fn notice_text(notice: Notice) -> &'static str {
    match notice {
        Notice::Shallow => "the repository is a shallow clone: its history starts in the middle",
        Notice::GraftsIgnored => "grafts are ignored: commits have the parents they name",
        Notice::ReplacementsIgnored => "replacement objects (git replace) are ignored",
    }
}

/// Plans as the last import that was not finished did, if the repository is still the same;
/// else takes what it placed as given.
fn plan(graph: &CommitGraph, default: &RefName, refs: &[Reference], past: &Past) -> Result<Plan, PlanError> {
    let finished = |event: EventNo| event.0 < past.finished;
    let plan = plan_lines(graph, default, refs, &past.existing(|placed| finished(placed.event)))?;
    let agrees = |(id, placed): (&ObjectId, &crate::vob::apply::PlacedChangeset)| {
        let Some(commit) = graph.find(id) else {
            return finished(placed.event);
        };
        let placement = plan.placements[commit];
        let line = past.lines.get(&plan.lines[placement.line.index()].name);
        placement.position == placed.position && line.is_some_and(|line| line.branch_type == placed.line)
    };
    if past.placed.iter().all(agrees) {
        return Ok(plan);
    }
    plan_lines(graph, default, refs, &past.existing(|_| true))
}
