//! The import itself: reads the stream, keeps the trees of commits that are still needed,
//! and commits what [`settle`] makes of each, many commits to a journal frame.

mod changes;
mod contents;
mod finish;
mod people;

use super::fast_export::{BlobData, Commit, DataRef, Event, Parser};
use super::graph::{CommitGraph, RefKind, RefName, Reference};
pub(super) use super::importer::{ImportError, Importer, Progress, Summary};
use super::lines::{MAIN_LINE, Plan};
use super::mirror::Mirror;
use super::names::{SourceName, TypeKind as NameKind, plan_type_names};
use super::record::{self, KnownLine, Past};
use super::repository::{Annotation, ExportOptions, Repository};
use super::restore::{Ancestry, restore};
use super::settle::{Place, settle};
use super::tree::Tree;
use crate::store::{CommitError, StoreError, Vob};
use crate::vob::state::predefined;
use crate::vob::{ElementNo, EventNo, Operation, Transaction, TypeKind, TypeNo, VersionNo, VobState};
use changes::Changed;
use contents::Contents;
use finish::own_user;
use people::{text_of, user_of};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::Arc;

/// Commits in one journal frame, at most.
const COMMITS_PER_FRAME: usize = 128;
/// Operations in one journal frame, about.
const OPERATIONS_PER_FRAME: usize = 8_000;

/// One import under way.
pub(super) struct Run<'a, 'b> {
    importer: &'a mut Importer<'b>,
    vob: &'b Vob,
    graph: &'a CommitGraph,
    refs: &'a [Reference],
    plan: Plan,
    past: Past,
    mirror: Mirror<'b>,
    contents: Contents<'b>,
    /// Branch type of each line, once it has one.
    line_types: Vec<Option<TypeNo>>,
    line_names: Vec<String>,
    label_names: HashMap<String, String>,
    /// What annotated tags say.
    annotations: HashMap<String, Annotation>,
    next_type: u32,
    next_event: u32,
    /// Trees of commits that are still needed, and how often.
    trees: FxHashMap<usize, Arc<Tree>>,
    uses: Vec<u32>,
    /// Events of commits, for restoring trees.
    events: FxHashMap<usize, EventNo>,
    frame: Vec<Transaction>,
    frame_operations: usize,
    progress: Progress,
    summary: Summary,
    submodules: std::collections::BTreeSet<String>,
    default: RefName,
    elements_before: u32,
}

impl<'a, 'b> Run<'a, 'b> {
    /// Prepares an import that was planned.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        importer: &'a mut Importer<'b>,
        graph: &'a CommitGraph,
        refs: &'a [Reference],
        plan: Plan,
        past: Past,
        mut summary: Summary,
        default: RefName,
        annotations: HashMap<String, Annotation>,
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
        let placed: FxHashSet<EventNo> = past.placed.values().map(|placed| placed.event).collect();
        let imported = |event: EventNo| -> Result<bool, StoreError> {
            if placed.is_empty() || placed.contains(&event) {
                return Ok(!placed.is_empty());
            }
            let user = state.users().get(vob.event(event)?.user as usize);
            Ok(user.is_some_and(|user| **user == own_user()))
        };
        Ok(Run {
            vob,
            line_types: line_types.collect(),
            mirror: Mirror::new(vob, &state, &imported)?,
            contents: Contents::new(vob),
            importer,
            graph,
            refs,
            plan,
            past,
            line_names,
            label_names,
            annotations,
            next_type: state.next_type().0,
            next_event: state.header.events,
            trees: FxHashMap::default(),
            uses,
            events,
            frame: Vec::new(),
            frame_operations: 0,
            progress: Progress { commits_total: commits, ..Progress::default() },
            summary,
            submodules: Default::default(),
            default,
            elements_before: state.header.elements,
        })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// See [`ImportError`]. What was committed stays.
    pub(super) fn run(mut self, repository: &Repository) -> Result<Summary, ImportError> {
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
                        BlobData::Bytes(bytes) => self.contents.wait_for_commit(reference, bytes)?,
                        BlobData::Stream(mut reader) => {
                            self.contents.store_stream(reference, &mut reader)?;
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
        let Changed { mut tree, moves, renamed } = self.changed(&parent, &commit.changes, &id)?;
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
            moved: &moves,
            renamed: &renamed,
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
        self.contents.sync()?;
        let frame = std::mem::take(&mut self.frame);
        self.frame_operations = 0;
        match self.vob.commit(|_| Ok::<_, std::convert::Infallible>(frame)) {
            Ok(_) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(CommitError::Refused(refused)) => Err(refused.into()),
            Err(CommitError::Plan(never)) => match never {},
        }
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
