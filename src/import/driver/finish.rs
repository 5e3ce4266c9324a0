//! What follows the commits of an import: branches that moved without new commits, clocks that
//! ran backwards, labels, and the note that the import is complete.

use super::people::{text_of, user_of};
use super::{ImportError, Run, Summary};
use crate::import::graph::{ObjectId, RefKind, Reference};
use crate::import::record::{self, KnownLabel};
use crate::import::settle::{Place, settle};
use crate::import::tree::{Node, Tree};
use crate::vob::{ElementNo, EventNo, Operation, Transaction, TypeKind, TypeNo, User, VersionNo};
use rustc_hash::FxHashMap;
use std::collections::{HashMap, HashSet};

impl Run<'_, '_> {
    /// Brings `/main` to the default branch's tip where that stands on another line: the
    /// branch was moved forward to commits that an earlier import had placed elsewhere.
    pub(super) fn catch_up(&mut self) -> Result<(), ImportError> {
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
            renamed: &HashSet::new(),
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
    pub(super) fn retime(&mut self) -> Result<(), ImportError> {
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
            for (at, version) in element.present_versions() {
                if version.number > 0 && changed.contains_key(&version.event) {
                    targets.entry(version.event).or_default().push((element.number, at));
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
            user: own_user(),
            comment: comment.to_owned(),
            attributes: vec![],
            operations,
        }
    }

    /// Lists tags whose label is missing or stands elsewhere, in the order of their commits.
    pub(super) fn tags_to_apply(&self) -> Vec<(usize, String)> {
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

    pub(super) fn apply_label(&mut self, commit: usize, tag: &str) -> Result<(), ImportError> {
        let tree = self.tree_of(commit)?;
        let node = &self.graph.nodes()[commit];
        let mut operations = Vec::new();
        let label = match self.past.labels.get(tag) {
            Some(known) => {
                let all = self.mirror.elements().collect();
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
        let said = self.annotations.get(tag);
        let tagger = said.and_then(|said| said.tagger.as_ref());
        let seconds = tagger.map_or(node.committer_seconds, |tagger| tagger.seconds);
        let message = said.map(|said| text_of(&said.message, None).trim_end().to_owned());
        self.push(Transaction {
            time_ns: seconds.saturating_mul(1_000_000_000),
            user: tagger.map_or_else(own_user, |tagger| user_of(tagger, None)),
            comment: message.unwrap_or_else(|| format!("Tag {tag}.")),
            attributes: vec![("GitCommit".to_owned(), node.id.to_string())],
            operations,
        });
        self.release(commit);
        self.summary.labels += 1;
        self.progress.labels += 1;
        if self.frame.len() >= 16 { self.flush() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<Summary, ImportError> {
        if self.summary.commits > 0 || self.summary.labels > 0 || !self.frame.is_empty() {
            let finished = record::note_finished(self.next_event + 1);
            self.push(self.own_transaction("Import finished.", vec![finished]));
            self.flush()?;
        }
        self.contents.finish()?;
        self.summary.elements = u64::from(self.mirror.element_count() - self.elements_before);
        self.summary.default_branch = self.default.short();
        self.summary.bytes = self.progress.bytes;
        Ok(self.summary)
    }
}

/// Who an import is where no person did what it brings.
pub(super) fn own_user() -> User {
    User { login: "import".to_owned(), ..User::default() }
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
