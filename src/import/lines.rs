//! Plans which commit is placed on which branch type.
//!
//! Owns the rules; pure. Knows nothing of streams, elements or type names that a versioned object base
//! would accept. The one idea: a *line* is a chain of commits on one branch type. The default branch's
//! first-parent history is line `main`; every other branch, then every tag, then every merged history takes
//! what is left of its own first-parent history and forks from where that meets an older line.
//!
//! A later import gives the lines it finds. What is placed stays where it is, a line only grows at its end,
//! and two neighbours on a line that has grown need not be parent and child: each placement names the
//! commit's true first parent.

#[cfg(test)]
mod tests;

use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{CommitGraph, ObjectId, RefKind, RefName, Reference};

/// Name of the line of the default branch.
pub const MAIN_LINE: &str = "main";

/// What a line is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineSource {
    /// The default branch.
    Default,
    /// Another branch, or a tag whose commits are on no branch.
    Ref(RefName),
    /// History that is reached only through a merge.
    Merge {
        /// The merge commit.
        commit: ObjectId,
    },
    /// Commits older than everything placed: a history that was shallow at the last import and is no longer.
    Unreached,
}

/// A line that an earlier import made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingLine {
    /// Its name.
    pub name: String,
    /// What it was made for.
    pub source: LineSource,
    /// Its commits by position. Some may have left the repository since.
    pub commits: Vec<ObjectId>,
}

/// Index of a line in [`Plan::lines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u32);

impl LineId {
    /// The index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A line of the plan: those that exist, in the order given, then the new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name: unique in the plan, not yet fit to be a type name.
    pub name: String,
    /// What it is for.
    pub source: LineSource,
    /// The commit from which it forks: first parent of its position 0, always on another line. `None` for a
    /// line that starts with a root, and for an existing one whose first commit is gone.
    pub forks_at: Option<usize>,
    /// How many commits an earlier import placed.
    pub placed_before: u32,
    /// The commits to add, by index, oldest first: `commits[i]` has position `placed_before + i`.
    pub commits: Vec<usize>,
}

/// Where a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The line.
    pub line: LineId,
    /// Place on the line, from 0.
    pub position: u32,
    /// Index of the commit's first parent, wherever that is placed.
    pub first_parent: Option<usize>,
    /// Whether this plan places it, and not an earlier one.
    pub is_new: bool,
}

/// Where a ref's commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The ref.
    pub name: RefName,
    /// Its commit, by index.
    pub commit: usize,
    /// The line that is the ref's own. If it does not end with `commit`, or is `None`, the ref is an alias of
    /// the place where `commit` is.
    pub own_line: Option<LineId>,
}

/// The result of planning. Depends on nothing but the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All lines.
    pub lines: Vec<Line>,
    /// One per commit of the graph, by index.
    pub placements: Vec<Placement>,
    /// One per commit of the graph: the least committer date of the commit and all later ones of its line, in
    /// seconds since 1970. It never falls along a line, and the last commit of a line whose effective date
    /// is at or before T is the last one whose committer date is, which is what
    /// `git rev-list -1 --first-parent --before=T` answers. (For a line that grows, dates of commits placed
    /// before take the new ones into account: compare with what was stored.)
    pub effective_seconds: Vec<i64>,
    /// One per ref: the default branch, then by kind and name.
    pub tips: Vec<Tip>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The default branch is not among the refs.
    #[error("the default branch {0} is not among the refs")]
    NoDefault(RefName),
    /// A ref leads to a commit that is not part of the graph.
    #[error("{name} leads to commit {commit}, which is not part of the history")]
    UnknownTip {
        /// The ref.
        name: RefName,
        /// The commit.
        commit: ObjectId,
    },
    /// Existing lines contradict each other.
    #[error("commit {0} is placed twice")]
    PlacedTwice(ObjectId),
    /// Two existing lines have one name.
    #[error("two lines are named {0}")]
    NamedTwice(String),
}

/// Places every commit of the graph. `existing` is what earlier imports placed (none: a first import); for
/// those, `default_branch` should be the one the first import used, because line `main` follows it.
///
/// # Errors
/// Arguments that do not belong together.
pub fn plan_lines(
    graph: &CommitGraph,
    default_branch: &RefName,
    refs: &[Reference],
    existing: &[ExistingLine],
) -> Result<Plan, PlanError> {
    let tips = ordered_tips(graph, default_branch, refs)?;
    let mut planner = Planner::new(graph, existing)?;
    let mut placed_tips = Vec::with_capacity(tips.len());
    for (name, commit) in tips {
        let source =
            if name == *default_branch { LineSource::Default } else { LineSource::Ref(name.clone()) };
        planner.place(commit, &source);
        let own_line = planner.line_of(&source);
        placed_tips.push(Tip { name, commit, own_line });
    }
    planner.place_merged();
    planner.place_unreached();
    Ok(planner.finish(placed_tips))
}

fn ordered_tips(
    graph: &CommitGraph,
    default_branch: &RefName,
    refs: &[Reference],
) -> Result<Vec<(RefName, usize)>, PlanError> {
    let mut tips = Vec::with_capacity(refs.len());
    for reference in refs {
        let commit = graph.find(&reference.commit).ok_or_else(|| PlanError::UnknownTip {
            name: reference.name.clone(),
            commit: reference.commit,
        })?;
        tips.push((reference.name.clone(), commit));
    }
    tips.sort_by_cached_key(|(name, _)| (name != default_branch, name.kind(), name.clone()));
    tips.dedup();
    if tips.first().is_none_or(|(name, _)| name != default_branch) {
        return Err(PlanError::NoDefault(default_branch.clone()));
    }
    Ok(tips)
}

struct Planner<'a> {
    graph: &'a CommitGraph,
    lines: Vec<Line>,
    /// Per line, the commits placed before that are still in the graph, oldest first.
    kept: Vec<Vec<usize>>,
    /// Per line, its last commit, unless that is gone.
    last: Vec<Option<usize>>,
    placements: Vec<Option<Placement>>,
    names: FxHashSet<String>,
    /// The newest line of each source but merges.
    by_source: FxHashMap<LineSource, LineId>,
    /// Existing merge lines by their last commit.
    open_merges: FxHashMap<usize, LineId>,
}

impl<'a> Planner<'a> {
    fn new(graph: &'a CommitGraph, existing: &[ExistingLine]) -> Result<Self, PlanError> {
        let mut planner = Self {
            graph,
            lines: Vec::new(),
            kept: Vec::new(),
            last: Vec::new(),
            placements: vec![None; graph.len()],
            names: FxHashSet::default(),
            by_source: FxHashMap::default(),
            open_merges: FxHashMap::default(),
        };
        let mut seen = FxHashSet::default();
        for line in existing {
            if !planner.names.insert(line.name.clone()) {
                return Err(PlanError::NamedTwice(line.name.clone()));
            }
            if let Some(&twice) = line.commits.iter().find(|&&commit| !seen.insert(commit)) {
                return Err(PlanError::PlacedTwice(twice));
            }
            planner.adopt(line);
        }
        planner.names.insert(MAIN_LINE.to_owned());
        Ok(planner)
    }

    /// Takes over an existing line.
    fn adopt(&mut self, line: &ExistingLine) {
        let id = LineId(self.lines.len() as u32);
        let indexes: Vec<_> = line.commits.iter().map(|commit| self.graph.find(commit)).collect();
        for (position, commit) in indexes.iter().enumerate() {
            let Some(commit) = *commit else { continue };
            let first_parent = self.graph.first_parent(commit);
            let position = position as u32;
            self.placements[commit] = Some(Placement { line: id, position, first_parent, is_new: false });
        }
        let first = indexes.first().copied().flatten();
        let last = indexes.last().copied().flatten();
        match (&line.source, last) {
            (LineSource::Merge { .. }, Some(last)) => drop(self.open_merges.insert(last, id)),
            (LineSource::Merge { .. } | LineSource::Unreached, _) => {}
            (source, _) => drop(self.by_source.insert(source.clone(), id)),
        }
        self.lines.push(Line {
            name: line.name.clone(),
            source: line.source.clone(),
            forks_at: first.and_then(|first| self.graph.first_parent(first)),
            placed_before: line.commits.len() as u32,
            commits: Vec::new(),
        });
        self.kept.push(indexes.into_iter().flatten().collect());
        self.last.push(last);
    }

    fn line_of(&self, source: &LineSource) -> Option<LineId> {
        self.by_source.get(source).copied()
    }

    /// Places the unplaced first-parent history of `tip`, if any, and answers its commits.
    fn place(&mut self, tip: usize, source: &LineSource) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut next = Some(tip);
        while let Some(commit) = next.filter(|&commit| self.placements[commit].is_none()) {
            chain.push(commit);
            next = self.graph.first_parent(commit);
        }
        let fork = next;
        chain.reverse();
        let Some(&oldest) = chain.first() else {
            return chain;
        };
        let line = self.extensible(source, fork, oldest).unwrap_or_else(|| self.add_line(source, fork));
        let target = &mut self.lines[line.index()];
        for &commit in &chain {
            let position = target.placed_before + target.commits.len() as u32;
            let first_parent = self.graph.first_parent(commit);
            self.placements[commit] = Some(Placement { line, position, first_parent, is_new: true });
            target.commits.push(commit);
        }
        self.last[line.index()] = Some(tip);
        chain
    }

    /// The existing line that a chain continues. `main` follows the default branch wherever that goes. The
    /// line of another ref goes on if the ref went on, and not if it was rewritten. A merged history whose
    /// start is the end of an older one is the same history going on.
    fn extensible(&self, source: &LineSource, fork: Option<usize>, oldest: usize) -> Option<LineId> {
        match source {
            LineSource::Default => self.line_of(source),
            LineSource::Ref(_) => self.line_of(source).filter(|line| {
                let last = self.last[line.index()];
                last.is_some_and(|last| fork == Some(last) || self.graph.is_ancestor(last, oldest))
            }),
            LineSource::Merge { .. } => {
                let line = *self.open_merges.get(&fork?)?;
                (self.last[line.index()] == fork).then_some(line)
            }
            LineSource::Unreached => None,
        }
    }

    fn add_line(&mut self, source: &LineSource, forks_at: Option<usize>) -> LineId {
        let id = LineId(self.lines.len() as u32);
        let name = match source {
            LineSource::Default => MAIN_LINE.to_owned(),
            LineSource::Ref(name) if name.kind() == RefKind::Tag => {
                self.unique(format!("tag-{}", name.short()))
            }
            LineSource::Ref(name) => self.unique(name.short()),
            LineSource::Merge { commit } => self.unique(format!("merge-{}", commit.abbreviated())),
            LineSource::Unreached => self.unique("unreached".to_owned()),
        };
        if matches!(source, LineSource::Default | LineSource::Ref(_)) {
            self.by_source.insert(source.clone(), id);
        }
        self.lines.push(Line {
            name,
            source: source.clone(),
            forks_at,
            placed_before: 0,
            commits: Vec::new(),
        });
        self.kept.push(Vec::new());
        self.last.push(None);
        id
    }

    fn unique(&mut self, name: String) -> String {
        let mut candidate = name.clone();
        let mut number = 2;
        while !self.names.insert(candidate.clone()) {
            candidate = format!("{name}-{number}");
            number += 1;
        }
        candidate
    }

    /// Places what only merges reach. The newest merge comes first: a history that was merged many times
    /// becomes one long line, and not a ladder of lines each of which forks from the one before.
    fn place_merged(&mut self) {
        let graph = self.graph;
        let is_merge = |commit: &usize| graph.nodes()[*commit].parents.len() > 1;
        let placed = (0..graph.len()).filter(|&commit| self.placements[commit].is_some());
        let mut merges: BinaryHeap<usize> = placed.filter(is_merge).collect();
        while let Some(merge) = merges.pop() {
            let node = &graph.nodes()[merge];
            for &parent in &node.parents[1..] {
                let chain = self.place(parent, &LineSource::Merge { commit: node.id });
                merges.extend(chain.into_iter().filter(is_merge));
            }
        }
    }

    fn place_unreached(&mut self) {
        for commit in (0..self.graph.len()).rev() {
            self.place(commit, &LineSource::Unreached);
        }
    }

    fn finish(self, tips: Vec<Tip>) -> Plan {
        let mut effective_seconds = vec![0; self.graph.len()];
        for (line, kept) in self.lines.iter().zip(&self.kept) {
            let mut least = i64::MAX;
            for &commit in kept.iter().chain(&line.commits).rev() {
                least = least.min(self.graph.nodes()[commit].committer_seconds);
                effective_seconds[commit] = least;
            }
        }
        let placements: Vec<_> = self.placements.into_iter().flatten().collect();
        assert_eq!(placements.len(), self.graph.len(), "every commit is placed");
        Plan { lines: self.lines, placements, effective_seconds, tips }
    }
}
