//! The import itself: reads the stream, keeps the trees of commits that are still needed,
//! and commits what [`settle`] makes of each, many commits to a journal frame.

use super::fast_export::{BlobData, Commit, DataRef, Event, FileChange, FileMode, Ident, ParseError, Parser};
use super::graph::{CommitGraph, ObjectId, RefKind, RefName, Reference};
use super::lines::{MAIN_LINE, Plan, PlanError, plan_lines};
use super::mirror::{Mirror, MirrorError};
use super::names::{SourceName, TypeKind as NameKind, plan_type_names};
use super::record::{self, KnownLabel, KnownLine, Past};
use super::repository::{ExportOptions, Notice, Repository, RepositoryError};
use super::restore::{Ancestry, restore};
use super::settle::{Place, settle};
use super::tree::{File, Link, Node, Tree};
use crate::store::pool::{self, ContentId, Ingest};
use crate::store::{CommitError, StoreError, Vob};
use crate::vob::state::predefined;
use crate::vob::{
    Content, ElementNo, EventNo, Operation, Refused, Transaction, TypeKind, TypeNo, User, VersionNo, VobState,
};
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Commits in one journal frame, at most.
const COMMITS_PER_FRAME: usize = 128;
/// Operations in one journal frame, about.
const OPERATIONS_PER_FRAME: usize = 8_000;
/// Contents that wait for the commit that names them, in bytes; more go to the pools without
/// a predecessor.
const WAITING_BYTES_MAX: usize = 96 << 20;
/// Longest target of a symbolic link, in bytes (PATH_MAX).
const TARGET_BYTES_MAX: usize = 4096;

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
        let run = Run::new(self, &graph, &refs.references, plan, past, summary, default)?;
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

/// What a mark of the stream stands for.
enum Blob {
    /// Not in the pools yet.
    Waiting(Vec<u8>),
    /// In the pools.
    Stored(Content),
}

struct Run<'a, 'b> {
    importer: &'a mut Importer<'b>,
    vob: &'b Vob,
    graph: &'a CommitGraph,
    refs: &'a [Reference],
    plan: Plan,
    past: Past,
    mirror: Mirror<'b>,
    ingest: Ingest,
    /// Branch type of each line, once it has one.
    line_types: Vec<Option<TypeNo>>,
    line_names: Vec<String>,
    label_names: HashMap<String, String>,
    next_type: u32,
    next_event: u32,
    /// Trees of commits that are still needed, and how often.
    trees: FxHashMap<usize, Arc<Tree>>,
    uses: Vec<u32>,
    /// Events of commits, for restoring trees.
    events: FxHashMap<usize, EventNo>,
    blobs: FxHashMap<DataRef, Blob>,
    waiting_bytes: usize,
    targets: FxHashMap<DataRef, Arc<[u8]>>,
    frame: Vec<Transaction>,
    frame_operations: usize,
    progress: Progress,
    summary: Summary,
    submodules: std::collections::BTreeSet<String>,
    default: RefName,
    elements_before: u32,
}

impl<'a, 'b> Run<'a, 'b> {
    #[allow(clippy::too_many_arguments)]
    fn new(
        importer: &'a mut Importer<'b>,
        graph: &'a CommitGraph,
        refs: &'a [Reference],
        plan: Plan,
        past: Past,
        mut summary: Summary,
        default: RefName,
    ) -> Result<Self, ImportError> {
        let vob = importer.vob;
        let state = vob.state();
        let (line_names, label_names) = choose_names(&plan, refs, &past, &state, &mut summary);
        let line_types = plan.lines.iter().map(|line| match line.name.as_str() {
            MAIN_LINE => Some(predefined::MAIN),
            name => past.lines.get(name).map(|known| known.branch_type),
        });
        let mut uses = vec![0u32; graph.len()];
        for (commit, node) in graph.nodes().iter().enumerate() {
            if plan.placements[commit].is_new {
                node.parents.iter().for_each(|parent| uses[*parent] += 1);
                if let Some(before) = previous_on_line(&plan, graph, &past, commit) {
                    uses[before] += 1;
                }
            }
        }
        let new = |commit: &usize| !past.placed.contains_key(&graph.nodes()[*commit].id);
        let commits = (0..graph.len()).filter(new).count() as u64;
        summary.commits_before = graph.len() as u64 - commits;
        let mut events = FxHashMap::default();
        for (id, placed) in &past.placed {
            if let Some(commit) = graph.find(id) {
                events.insert(commit, placed.event);
            }
        }
        Ok(Run {
            vob,
            line_types: line_types.collect(),
            mirror: Mirror::new(vob, &state)?,
            ingest: vob.pools().ingest(),
            importer,
            graph,
            refs,
            plan,
            past,
            line_names,
            label_names,
            next_type: state.next_type().0,
            next_event: state.header.events,
            trees: FxHashMap::default(),
            uses,
            events,
            blobs: FxHashMap::default(),
            waiting_bytes: 0,
            targets: FxHashMap::default(),
            frame: Vec::new(),
            frame_operations: 0,
            progress: Progress { commits_total: commits, ..Progress::default() },
            summary,
            submodules: Default::default(),
            default,
            elements_before: state.header.elements,
        })
    }

    fn run(mut self, repository: &Repository) -> Result<Summary, ImportError> {
        let tags = self.tags_to_apply();
        for (commit, _) in &tags {
            self.uses[*commit] += 1;
        }
        self.progress.labels_total = tags.len() as u64;
        if self.progress.commits_total > 0 {
            self.import_commits(repository)?;
        }
        self.catch_up()?;
        self.retime()?;
        for (commit, tag) in tags {
            self.apply_label(commit, &tag)?;
        }
        self.finish()
    }

    fn import_commits(&mut self, repository: &Repository) -> Result<(), ImportError> {
        let marks = self.write_marks()?;
        let options = ExportOptions { import_marks: marks.as_deref(), excluded: &[], find_renames: true };
        let (stream, process) = repository.export(self.refs, &options)?;
        let mut parser = Parser::new(stream);
        let read = self.read_stream(&mut parser);
        drop(parser);
        match read {
            // A stream that breaks off is explained by how git ended.
            Err(ImportError::Stream(error)) => {
                process.finish()?;
                Err(error.into())
            }
            Err(other) => Err(other),
            Ok(()) => Ok(process.finish()?),
        }
    }

    /// Lists the commits that git need not export again.
    fn write_marks(&self) -> Result<Option<std::path::PathBuf>, ImportError> {
        if self.past.placed.is_empty() {
            return Ok(None);
        }
        let path = self.importer.temporary.join("marks");
        let write = || {
            let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
            for (commit, node) in self.graph.nodes().iter().enumerate() {
                if self.past.placed.contains_key(&node.id) {
                    writeln!(file, ":{} {}", commit + 1, node.id)?;
                }
            }
            file.flush()
        };
        write().map_err(|source| ImportError::Io { what: "writing the marks of known commits", source })?;
        Ok(Some(path))
    }

    fn read_stream<R: BufRead>(&mut self, parser: &mut Parser<R>) -> Result<(), ImportError> {
        loop {
            match parser.next_event()? {
                Event::Blob(blob) => {
                    let reference = match (blob.mark, blob.inline) {
                        (Some(mark), _) => DataRef::Mark(mark),
                        (None, Some(inline)) => DataRef::Inline(inline),
                        (None, None) => continue,
                    };
                    match blob.data {
                        BlobData::Bytes(bytes) => self.wait_for_commit(reference, bytes)?,
                        BlobData::Stream(mut reader) => {
                            let content = self.store_stream(&mut reader)?;
                            self.blobs.insert(reference, Blob::Stored(content));
                        }
                    }
                }
                Event::Commit(commit) => self.import_commit(commit)?,
                Event::Reset { .. } | Event::Tag(_) | Event::Alias { .. } => {}
                Event::Done => break,
            }
            self.progress.bytes = parser.offset();
        }
        if parser.notes_ignored() > 0 {
            self.summary.warnings.push(format!("{} notes are not imported", parser.notes_ignored()));
        }
        self.flush()
    }

    fn wait_for_commit(&mut self, reference: DataRef, bytes: Vec<u8>) -> Result<(), ImportError> {
        self.waiting_bytes += bytes.len();
        self.blobs.insert(reference, Blob::Waiting(bytes));
        if self.waiting_bytes > WAITING_BYTES_MAX {
            // One commit with very much new content: give up deltas, keep memory bounded.
            let large = |(reference, blob): (&DataRef, &Blob)| match blob {
                Blob::Waiting(bytes) if bytes.len() > TARGET_BYTES_MAX => Some(*reference),
                _ => None,
            };
            let all: Vec<DataRef> = self.blobs.iter().filter_map(large).collect();
            for reference in all {
                self.stored(&reference, None)?;
            }
        }
        Ok(())
    }

    fn store_stream(&mut self, reader: &mut dyn Read) -> Result<Content, ImportError> {
        let (id, size) = self.vob.pools().put_reader(reader, None)?;
        Ok(Content::File { hash: id.0, size })
    }

    /// Returns the content behind a reference, putting it into the pools if it is not there.
    fn stored(
        &mut self,
        reference: &DataRef,
        predecessor: Option<&ContentId>,
    ) -> Result<Option<Content>, ImportError> {
        let Some(blob) = self.blobs.get_mut(reference) else {
            return Ok(None);
        };
        let content = match blob {
            Blob::Stored(content) => return Ok(Some(*content)),
            Blob::Waiting(bytes) if bytes.is_empty() => Content::Empty,
            Blob::Waiting(bytes) => {
                let bytes = std::mem::take(bytes);
                let size = bytes.len() as u64;
                self.waiting_bytes -= bytes.len();
                let id = self.ingest.submit(bytes, predecessor)?;
                Content::File { hash: id.0, size }
            }
        };
        *blob = Blob::Stored(content);
        Ok(Some(content))
    }

    /// Returns the bytes behind a reference that is the target of a symbolic link.
    fn target(&mut self, reference: &DataRef) -> Result<Option<Arc<[u8]>>, ImportError> {
        if let Some(target) = self.targets.get(reference) {
            return Ok(Some(Arc::clone(target)));
        }
        let target: Arc<[u8]> = match self.blobs.get(reference) {
            None => return Ok(None),
            Some(Blob::Waiting(bytes)) => bytes.as_slice().into(),
            Some(Blob::Stored(Content::File { hash, .. })) => {
                self.ingest.sync()?;
                self.vob.pools().get(&ContentId(*hash))?
            }
            Some(Blob::Stored(_)) => Arc::new([]),
        };
        self.targets.insert(*reference, Arc::clone(&target));
        Ok(Some(target))
    }

    fn import_commit(&mut self, commit: Commit) -> Result<(), ImportError> {
        let inconsistent = |detail: &str| {
            let commit = commit.original.map_or("?".to_owned(), |id| id.to_string());
            ImportError::Inconsistent { commit, detail: detail.to_owned() }
        };
        let id = commit.original.ok_or_else(|| inconsistent("the stream does not tell its id"))?;
        let index =
            self.graph.find(&id).ok_or_else(|| inconsistent("is not in the history that was planned"))?;
        let placement = self.plan.placements[index];
        if self.past.placed.contains_key(&id) {
            return Ok(());
        }
        let parents = self.graph.nodes()[index].parents.clone();
        let parent = match parents.first() {
            Some(parent) => self.tree_of(*parent)?,
            None => empty_tree(),
        };
        let before = previous_on_line(&self.plan, self.graph, &self.past, index);
        let previous = match before {
            // Where an earlier import left the line, whatever brought it there.
            Some(before) if self.past.placed.contains_key(&self.graph.nodes()[before].id) => {
                self.flush()?;
                self.restore(before, Some(EventNo(u32::MAX)))?
            }
            Some(before) => self.tree_of(before)?,
            None => Arc::clone(&parent),
        };
        let merged: Vec<Arc<Tree>> =
            parents.iter().skip(1).map(|parent| self.tree_of(*parent)).collect::<Result<_, _>>()?;
        let mut moved = HashMap::new();
        let mut tree = Arc::clone(&parent);
        for change in &commit.changes {
            self.change(&mut tree, change, &mut moved, &id)?;
        }
        if let Some(root) = Arc::get_mut(&mut tree) {
            root.element = Some(ElementNo::ROOT);
        }
        let mut operations = Vec::new();
        let line = self.line_type(placement.line.index(), &mut operations);
        let effective_ns = self.plan.effective_seconds[index].saturating_mul(1_000_000_000);
        let time_ns = commit.committer.seconds.saturating_mul(1_000_000_000);
        let id_bytes = id.as_bytes();
        let place = Place {
            line,
            effective_ns: (effective_ns != time_ns).then_some(effective_ns),
            commit: id_bytes,
            merged: &merged,
            moved: &moved,
            parent: &parent,
            owner: self.importer.owner,
        };
        operations.extend(settle(&mut self.mirror, &place, &previous, &mut tree)?);
        let parent_id = parents.first().map(|parent| self.graph.nodes()[*parent].id.as_bytes().into());
        operations.push(Operation::PlaceChangeset {
            id: id_bytes.into(),
            line,
            position: placement.position,
            parent: parent_id,
            effective_ns,
        });
        let versions = |o: &&Operation| {
            matches!(
                o,
                Operation::CreateVersion { .. }
                    | Operation::CreateDirectoryVersion { .. }
                    | Operation::ReplaceDirectoryVersion { .. }
            )
        };
        let arrow = |o: &&Operation| matches!(o, Operation::CreateHyperlink { .. });
        self.summary.merges += operations.iter().filter(arrow).count() as u64;
        self.summary.versions += operations.iter().filter(versions).count() as u64;
        let author = commit.author.as_ref().unwrap_or(&commit.committer);
        self.push(Transaction {
            time_ns,
            user: user_of(author, commit.encoding.as_deref()),
            comment: text_of(&commit.message, commit.encoding.as_deref()).trim_end().to_owned(),
            attributes: vec![("GitCommit".to_owned(), id.to_string())],
            operations,
        });
        self.events.insert(index, EventNo(self.next_event - 1));
        for needed in parents.into_iter().chain(before) {
            self.release(needed);
        }
        if self.uses[index] > 0 {
            self.trees.insert(index, tree);
        }
        self.progress.commits += 1;
        self.summary.commits += 1;
        if self.frame.len() >= COMMITS_PER_FRAME || self.frame_operations >= OPERATIONS_PER_FRAME {
            self.flush()?;
        }
        Ok(())
    }

    fn release(&mut self, commit: usize) {
        self.uses[commit] = self.uses[commit].saturating_sub(1);
        if self.uses[commit] == 0 {
            self.trees.remove(&commit);
        }
    }

    /// Applies one change of a commit to its tree.
    fn change(
        &mut self,
        tree: &mut Arc<Tree>,
        change: &FileChange,
        moved: &mut HashMap<Vec<u8>, HashMap<Vec<u8>, u32>>,
        commit: &ObjectId,
    ) -> Result<(), ImportError> {
        match change {
            FileChange::Modify { path, mode, data } => self.modify(tree, path, *mode, data, commit)?,
            FileChange::Delete { path } => drop(tree.take(path)),
            FileChange::Rename { from, to } => {
                check_names(to, commit)?;
                if let Some(node) = tree.take(from) {
                    tree.put(to, node);
                    note_move(moved, from, to);
                }
            }
            FileChange::Copy { from, to } => {
                check_names(to, commit)?;
                if let Some(node) = tree.get(from).cloned() {
                    tree.put(to, without_elements(node));
                }
            }
            FileChange::DeleteAll => Arc::make_mut(tree).entries.clear(),
        }
        Ok(())
    }

    fn modify(
        &mut self,
        tree: &mut Arc<Tree>,
        path: &[u8],
        mode: FileMode,
        data: &DataRef,
        commit: &ObjectId,
    ) -> Result<(), ImportError> {
        check_names(path, commit)?;
        let missing = || ImportError::Inconsistent {
            commit: commit.to_string(),
            detail: format!("the content of {} is not in the stream", String::from_utf8_lossy(path)),
        };
        match mode {
            FileMode::Regular | FileMode::Executable => {
                let before = match tree.get(path) {
                    Some(Node::File(file)) => Some(file.clone()),
                    _ => None,
                };
                let predecessor = before.as_ref().and_then(|file| match file.content {
                    Content::File { hash, .. } => Some(ContentId(hash)),
                    Content::Empty | Content::Directory => None,
                });
                let content = self.stored(data, predecessor.as_ref())?.ok_or_else(missing)?;
                let executable = mode == FileMode::Executable;
                let element = before.as_ref().and_then(|file| file.element);
                let same = |file: &File| file.content == content && file.executable == executable;
                let version = before.filter(same).and_then(|file| file.version);
                tree.put(path, Node::File(File { element, version, content, executable }));
            }
            FileMode::Symlink => {
                let target = self.target(data)?.ok_or_else(missing)?;
                tree.put(path, Node::Link(Link { number: None, target }));
            }
            FileMode::Gitlink => {
                drop(tree.take(path));
                if self.submodules.insert(String::from_utf8_lossy(path).into_owned()) {
                    let text = format!("submodule {} is skipped", String::from_utf8_lossy(path));
                    self.summary.warnings.push(text);
                }
            }
            FileMode::Directory => return Err(missing()),
        }
        Ok(())
    }

    /// Returns the branch type of a line, made now if it has none.
    fn line_type(&mut self, line: usize, operations: &mut Vec<Operation>) -> TypeNo {
        let planned = &self.plan.lines[line];
        let known = |branch_type| KnownLine { branch_type, source: planned.source.clone() };
        if let Some(found) = self.line_types[line] {
            // `main` exists in every VOB: only the note is missing.
            if planned.name == MAIN_LINE && !self.past.lines.contains_key(MAIN_LINE) {
                self.past.lines.insert(MAIN_LINE.to_owned(), known(found));
                operations.push(record::note_line(MAIN_LINE, &known(found)));
                operations.push(record::note_default(&self.default));
            }
            return found;
        }
        let number = TypeNo(self.next_type);
        self.next_type += 1;
        let name = self.line_names[line].clone();
        operations.push(Operation::CreateType { number, kind: TypeKind::Branch, name });
        operations.push(record::note_line(&planned.name, &known(number)));
        self.past.lines.insert(planned.name.clone(), known(number));
        self.line_types[line] = Some(number);
        self.summary.branch_types += 1;
        number
    }

    /// Returns the tree of a commit that is imported already.
    fn tree_of(&mut self, commit: usize) -> Result<Arc<Tree>, ImportError> {
        if let Some(tree) = self.trees.get(&commit) {
            return Ok(Arc::clone(tree));
        }
        self.flush()?;
        let tree = self.restore(commit, None)?;
        self.trees.insert(commit, Arc::clone(&tree));
        Ok(tree)
    }

    /// Rebuilds a tree from the VOB; with `limit`, as its line was at that event.
    fn restore(&self, commit: usize, limit: Option<EventNo>) -> Result<Arc<Tree>, ImportError> {
        let mut ancestry: Ancestry = Vec::new();
        let mut next = Some(commit);
        while let Some(commit) = next {
            let event = self.events.get(&commit).copied().ok_or_else(|| ImportError::Inconsistent {
                commit: self.graph.nodes()[commit].id.to_string(),
                detail: "comes after one of its children".to_owned(),
            })?;
            let line = self.plan.placements[commit].line.index();
            if let Some(branch_type) = self.line_types[line] {
                ancestry.push((branch_type, limit.filter(|_| ancestry.is_empty()).unwrap_or(event)));
            }
            next = self.plan.lines[line].forks_at;
        }
        Ok(restore(self.vob, &ancestry)?)
    }

    fn push(&mut self, transaction: Transaction) {
        self.frame_operations += transaction.operations.len();
        self.frame.push(transaction);
        self.next_event += 1;
    }

    /// Commits what is planned: contents first.
    fn flush(&mut self) -> Result<(), ImportError> {
        if !(self.importer.progress)(&self.progress) {
            return Err(ImportError::Interrupted);
        }
        if self.frame.is_empty() {
            return Ok(());
        }
        self.ingest.sync()?;
        let frame = std::mem::take(&mut self.frame);
        self.frame_operations = 0;
        match self.vob.commit(|_| Ok::<_, std::convert::Infallible>(frame)) {
            Ok(_) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(CommitError::Refused(refused)) => Err(refused.into()),
            Err(CommitError::Plan(never)) => match never {},
        }
    }

    /// Brings `/main` to the default branch's tip where that stands on another line: the
    /// branch was moved forward to commits that an earlier import had placed elsewhere.
    fn catch_up(&mut self) -> Result<(), ImportError> {
        let Some(tip) = self.plan.tips.first().cloned() else {
            return Ok(());
        };
        let Some(line) = tip.own_line else { return Ok(()) };
        if self.plan.placements[tip.commit].line == line {
            return Ok(());
        }
        let planned = &self.plan.lines[line.index()];
        let (newest, before) = (planned.commits.last().copied(), planned.placed_before);
        let last = newest.or_else(|| {
            let branch_type = self.past.lines.get(&planned.name)?.branch_type;
            let is_last = |placed: &crate::vob::apply::PlacedChangeset| {
                placed.line == branch_type && placed.position + 1 == before
            };
            let found = self.past.placed.iter().find(|(_, placed)| is_last(placed));
            self.graph.find(found?.0)
        });
        let (Some(last), Some(branch_type)) = (last, self.line_types[line.index()]) else {
            return Ok(());
        };
        self.flush()?;
        let previous = self.restore(last, Some(EventNo(u32::MAX)))?;
        let mut tree = self.tree_of(tip.commit)?;
        let node = &self.graph.nodes()[tip.commit];
        let place = Place {
            line: branch_type,
            effective_ns: None,
            commit: node.id.as_bytes(),
            merged: &[],
            moved: &HashMap::new(),
            parent: &previous,
            owner: self.importer.owner,
        };
        let operations = settle(&mut self.mirror, &place, &previous, &mut tree)?;
        if operations.is_empty() {
            return Ok(());
        }
        let mut transaction = self.own_transaction("The branch moved forward.", operations);
        transaction.time_ns = node.committer_seconds.saturating_mul(1_000_000_000);
        transaction.attributes.push(("GitCommit".to_owned(), node.id.to_string()));
        self.push(transaction);
        self.flush()
    }

    /// Corrects the effective times of commits that an earlier import placed.
    fn retime(&mut self) -> Result<(), ImportError> {
        let mut changed: FxHashMap<EventNo, (ObjectId, i64)> = FxHashMap::default();
        for (id, placed) in &self.past.placed {
            let Some(commit) = self.graph.find(id) else {
                continue;
            };
            let effective_ns = self.plan.effective_seconds[commit].saturating_mul(1_000_000_000);
            if effective_ns < placed.effective_ns {
                changed.insert(placed.event, (*id, effective_ns));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let mut targets: FxHashMap<EventNo, Vec<(ElementNo, VersionNo)>> = FxHashMap::default();
        for number in 0..self.vob.state().header.elements {
            let Some(element) = self.vob.element(ElementNo(number))? else {
                continue;
            };
            for (at, version) in element.versions.iter().enumerate() {
                if version.number > 0 && changed.contains_key(&version.event) {
                    targets.entry(version.event).or_default().push((element.number, VersionNo(at as u32)));
                }
            }
        }
        let mut changed: Vec<_> = changed.into_iter().collect();
        changed.sort_unstable();
        let retime = |(event, (id, effective_ns)): (EventNo, (ObjectId, i64))| Operation::Retime {
            targets: targets.remove(&event).unwrap_or_default(),
            changeset: id.as_bytes().into(),
            effective_ns,
        };
        let operations = changed.into_iter().map(retime).collect();
        self.push(self.own_transaction("Corrected times for clocks that ran backwards.", operations));
        self.flush()
    }

    /// A transaction of the import itself, at the time of the newest commit: importing the
    /// same history again gives the same VOB.
    fn own_transaction(&self, comment: &str, operations: Vec<Operation>) -> Transaction {
        let newest = self.graph.nodes().iter().map(|node| node.committer_seconds).max().unwrap_or(0);
        Transaction {
            time_ns: newest.saturating_mul(1_000_000_000),
            user: User { login: "import".to_owned(), ..User::default() },
            comment: comment.to_owned(),
            attributes: vec![],
            operations,
        }
    }

    /// Lists tags whose label is missing or stands elsewhere, in the order of their commits.
    fn tags_to_apply(&self) -> Vec<(usize, String)> {
        let tag = |reference: &Reference| {
            let commit = self.graph.find(&reference.commit)?;
            let name = reference.name.short();
            let known = self.past.labels.get(&name).map(|label| label.commit.as_slice());
            let wanted = reference.name.kind() == RefKind::Tag && known != Some(reference.commit.as_bytes());
            wanted.then_some((commit, name))
        };
        let mut tags: Vec<(usize, String)> = self.refs.iter().filter_map(tag).collect();
        tags.sort();
        tags.dedup_by(|a, b| a.1 == b.1);
        tags
    }

    fn apply_label(&mut self, commit: usize, tag: &str) -> Result<(), ImportError> {
        let tree = self.tree_of(commit)?;
        let node = &self.graph.nodes()[commit];
        let mut operations = Vec::new();
        let label = match self.past.labels.get(tag) {
            Some(known) => {
                let all = (0..self.mirror.element_count()).map(ElementNo).collect();
                operations.push(Operation::RemoveLabel { label: known.label, targets: all });
                known.label
            }
            None => {
                let number = TypeNo(self.next_type);
                self.next_type += 1;
                let name = self.label_names[tag].clone();
                operations.push(Operation::CreateType { number, kind: TypeKind::Label, name });
                number
            }
        };
        let mut targets = Vec::new();
        collect_versions(&tree, &mut targets);
        targets.sort_unstable();
        operations.push(Operation::ApplyLabel { label, targets });
        operations.push(record::note_label(tag, &KnownLabel { label, commit: node.id.as_bytes().to_vec() }));
        self.push(Transaction {
            time_ns: node.committer_seconds.saturating_mul(1_000_000_000),
            user: User { login: "import".to_owned(), ..User::default() },
            comment: format!("Tag {tag}."),
            attributes: vec![("GitCommit".to_owned(), node.id.to_string())],
            operations,
        });
        self.release(commit);
        self.summary.labels += 1;
        self.progress.labels += 1;
        if self.frame.len() >= 16 { self.flush() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<Summary, ImportError> {
        if self.summary.commits > 0 || self.summary.labels > 0 || !self.frame.is_empty() {
            let finished = record::note_finished(self.next_event + 1);
            self.push(self.own_transaction("Import finished.", vec![finished]));
            self.flush()?;
        }
        self.ingest.finish()?;
        self.summary.elements = u64::from(self.mirror.element_count() - self.elements_before);
        self.summary.default_branch = self.default.short();
        self.summary.bytes = self.progress.bytes;
        Ok(self.summary)
    }
}

/// Finds the commit before this one on its line; for the first one, none.
fn previous_on_line(plan: &Plan, graph: &CommitGraph, past: &Past, commit: usize) -> Option<usize> {
    let placement = plan.placements[commit];
    let before = placement.position.checked_sub(1)?;
    let line = &plan.lines[placement.line.index()];
    if let Some(at) = before.checked_sub(line.placed_before) {
        return line.commits.get(at as usize).copied();
    }
    let branch_type = past.lines.get(&line.name)?.branch_type;
    let mut placed = past.placed.iter();
    let found = placed.find(|(_, placed)| placed.line == branch_type && placed.position == before);
    graph.find(found?.0)
}

fn choose_names(
    plan: &Plan,
    refs: &[Reference],
    past: &Past,
    state: &VobState,
    summary: &mut Summary,
) -> (Vec<String>, HashMap<String, String>) {
    let tags = refs.iter().filter(|reference| reference.name.kind() == RefKind::Tag);
    let label = |reference: &Reference| SourceName { kind: NameKind::Label, source: reference.name.short() };
    let branch = |line: &super::lines::Line| SourceName { kind: NameKind::Branch, source: line.name.clone() };
    let wanted: Vec<SourceName> = tags.map(label).chain(plan.lines.iter().map(branch)).collect();
    let chosen = plan_type_names(&wanted, &past.taken(state));
    let (mut lines, mut labels) = (Vec::new(), HashMap::new());
    for name in chosen {
        let known = match name.kind {
            NameKind::Label => past.labels.contains_key(&name.source),
            NameKind::Branch => past.lines.contains_key(&name.source),
        };
        if name.is_replaced() && !known {
            let kind = match name.kind {
                NameKind::Label => "label type",
                NameKind::Branch => "branch type",
            };
            summary.warnings.push(format!("{:?} becomes {kind} {:?}", name.source, name.name));
        }
        match name.kind {
            NameKind::Label => drop(labels.insert(name.source, name.name)),
            NameKind::Branch => lines.push(name.name),
        }
    }
    (lines, labels)
}

fn empty_tree() -> Arc<Tree> {
    let (element, version) = (Some(ElementNo::ROOT), Some(VersionNo::ROOT));
    Arc::new(Tree { element, version, entries: Default::default() })
}

fn check_names(path: &[u8], commit: &ObjectId) -> Result<(), ImportError> {
    match super::tree::components(path).find(|name| name.len() > 255) {
        None => Ok(()),
        Some(name) => Err(ImportError::NameTooLong {
            commit: commit.to_string(),
            path: String::from_utf8_lossy(path).into_owned(),
            length: name.len(),
        }),
    }
}

/// Notes between which directories a file moved, their parents included.
fn note_move(moved: &mut HashMap<Vec<u8>, HashMap<Vec<u8>, u32>>, from: &[u8], to: &[u8]) {
    let (mut from, mut to) = (parent_of(from), parent_of(to));
    while !from.is_empty() && !to.is_empty() && from != to {
        *moved.entry(to.to_vec()).or_default().entry(from.to_vec()).or_default() += 1;
        (from, to) = (parent_of(from), parent_of(to));
    }
}

fn parent_of(path: &[u8]) -> &[u8] {
    &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)]
}

fn without_elements(node: Node) -> Node {
    match node {
        Node::File(file) => Node::File(File { element: None, version: None, ..file }),
        Node::Link(link) => Node::Link(Link { number: None, ..link }),
        Node::Directory(tree) => {
            let copy = |(name, node): (_, &Node)| (Clone::clone(name), without_elements(node.clone()));
            let entries = tree.entries.iter().map(copy).collect();
            Node::Directory(Arc::new(Tree { element: None, version: None, entries }))
        }
    }
}

fn collect_versions(tree: &Tree, targets: &mut Vec<(ElementNo, VersionNo)>) {
    targets.extend(tree.element.zip(tree.version));
    for node in tree.entries.values() {
        match node {
            Node::Directory(below) => collect_versions(below, targets),
            Node::File(file) => targets.extend(file.element.zip(file.version)),
            Node::Link(_) => {}
        }
    }
}

/// Decodes a text of the history. What is not UTF-8 is taken for Latin-1, which loses nothing.
fn text_of(bytes: &[u8], encoding: Option<&[u8]>) -> String {
    let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect();
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding.is_none_or(|name| name.eq_ignore_ascii_case(b"utf-8")) || text.is_ascii() => {
            text.to_owned()
        }
        _ => latin(bytes),
    }
}

fn user_of(person: &Ident, encoding: Option<&[u8]>) -> User {
    let email = text_of(&person.email, encoding);
    let full_name = text_of(&person.name, encoding);
    let (local, host) = email.split_once('@').unwrap_or((&email, ""));
    let login: String = if local.trim().is_empty() { full_name.clone() } else { local.to_owned() };
    let word = |c: char| {
        if c.is_whitespace() || matches!(c, '(' | ')' | '"') { '_' } else { c }
    };
    let login: String = login.trim().chars().map(word).collect();
    // Clients read `Full Name (login.group@host)`: a bracket in the name would mislead them.
    let full_name = full_name.replace(['(', ')'], "");
    User {
        login: if login.is_empty() { "unknown".to_owned() } else { login },
        full_name: full_name.trim().to_owned(),
        group: String::new(),
        host: host.to_owned(),
    }
}
