//! Which rules' patterns match a path, found one directory level at a time. Owns the trie of patterns, the set of
//! its live nodes ([`PathState`]) and the step from a directory to a child; must not know scopes or selectors.
//!
//! Patterns that begin alike share nodes: `/vobs/p/src/a.c` and `/vobs/p/src/b.c` part only at their last
//! component. A node is live when a path uses up the components that lead to it. The child behind a `...` is live
//! together with its parent, and stays so at every name. The rules whose patterns end at a live node match.
//!
//! A step asks [`NameIndex`] once which component globs the name fits, then looks for an edge of each live node
//! with each of these: work that does not grow with the rules that speak of other places. So a lookup costs what
//! the path has in common with the spec.

use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::names::{Files, GlobId, NameIndex};
use crate::pattern::{Component, NameGlob, Pattern, names};

/// Which patterns of one [`BoundSpec`](crate::BoundSpec) match a directory, and which can still match below it.
///
/// 32 bytes, with a shared part for large sets: cheap to clone and to keep. It means something only to the
/// `BoundSpec` that made it; another one answers wrongly, but does not panic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathState(LiveNodes);

/// The live nodes, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum LiveNodes {
    /// The rest is 0, so that equal sets are equal values.
    Few(u8, [u32; FEW]),
    Many(Arc<ManyNodes>),
}

/// With it a state takes 32 bytes.
const FEW: usize = 7;

#[derive(Debug, PartialEq, Eq, Hash)]
struct ManyNodes {
    nodes: Box<[u32]>,
    /// The rules of all nodes, ascending: to look for the next rule node by node would take too long here.
    rules: Box<[u32]>,
}

impl PathState {
    fn nodes(&self) -> &[u32] {
        match &self.0 {
            LiveNodes::Few(count, nodes) => &nodes[..usize::from(*count)],
            LiveNodes::Many(many) => &many.nodes,
        }
    }
}

/// The node at which a pattern ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accept(u32);

/// A place in the trie of patterns.
#[derive(Debug, Default)]
struct Node {
    /// The child behind a `...`.
    any_levels: Option<u32>,
    /// Reached by a `...`: once live, it stays so.
    stays: bool,
    /// Some rule's pattern ends here.
    ends_pattern: bool,
    /// Where the globs are filed that lead on from here.
    files: Files,
    /// The globs that are filed nowhere, each with its child.
    unfiled: Vec<(GlobId, u32)>,
    /// The rules that can decide and whose pattern ends here, ascending.
    rules: Vec<u32>,
}

/// Where relative patterns begin: they see the components of the VOB tag.
const RELATIVE: u32 = 0;
/// Where absolute patterns begin: below the VOB tag.
const ABSOLUTE: u32 = 1;

/// All patterns of one VOB that need to look at paths.
#[derive(Debug)]
pub(crate) struct Automaton {
    nodes: Vec<Node>,
    index: NameIndex,
    /// From a node by a glob to its child.
    edges: FxHashMap<(u32, GlobId), u32>,
}

impl Automaton {
    /// The state of the root directory of the VOB with this tag.
    pub fn root(&self, vob_tag: &[u8]) -> PathState {
        let mut outside = Reached::default();
        self.reach(RELATIVE, &mut outside);
        let outside = self.state(outside, None);
        let above = names(vob_tag).fold(outside, |state, name| self.step(&state, name));
        let mut at_root = Reached::default();
        above.nodes().iter().for_each(|&node| at_root.push(node));
        self.reach(ABSOLUTE, &mut at_root);
        self.state(at_root, None)
    }

    /// The state after one more name.
    pub fn step(&self, from: &PathState, name: &[u8]) -> PathState {
        let mut after = Reached::default();
        let mut files = Files::default();
        for (id, node) in self.live(from) {
            if node.stays {
                after.push(id);
            }
            for &(glob, child) in &node.unfiled {
                if self.index.fits(glob, name) {
                    self.reach(child, &mut after);
                }
            }
            files = files.and(node.files);
        }
        if !files.is_empty() {
            self.index.candidates(name, files, |glob| self.follow(from, glob, name, &mut after));
        }
        self.state(after, Some(from))
    }

    /// Reaches the children of live nodes behind a glob, if the name fits it.
    fn follow(&self, from: &PathState, glob: GlobId, name: &[u8], after: &mut Reached) {
        let mut fits = None;
        for &id in from.nodes() {
            if let Some(&child) = self.edges.get(&(id, glob))
                && *fits.get_or_insert_with(|| self.index.fits(glob, name))
            {
                self.reach(child, after);
            }
        }
    }

    /// Adds a node, and the one behind it if a `...` follows, which may stand for nothing.
    fn reach(&self, id: u32, reached: &mut Reached) {
        let node = &self.nodes[id as usize];
        if node.ends_pattern || !node.files.is_empty() || !node.unfiled.is_empty() {
            reached.push(id);
        }
        if let Some(behind) = node.any_levels {
            reached.push(behind);
        }
    }

    /// The state of these nodes. Deep below the places that patterns speak of all states are one: `before` is shared
    /// if it is equal.
    fn state(&self, mut reached: Reached, before: Option<&PathState>) -> PathState {
        let nodes = reached.as_set();
        let mut few = [0; FEW];
        if let Some(start) = few.get_mut(..nodes.len()) {
            start.copy_from_slice(nodes);
            return PathState(LiveNodes::Few(nodes.len() as u8, few));
        }
        if let Some(before) = before.filter(|before| before.nodes() == nodes) {
            return before.clone();
        }
        let rules = nodes.iter().flat_map(|&node| &self.nodes[node as usize].rules);
        let mut rules: Box<[u32]> = rules.copied().collect();
        rules.sort_unstable();
        PathState(LiveNodes::Many(Arc::new(ManyNodes { nodes: nodes.into(), rules })))
    }

    /// The nodes of a state; those that only another automaton has are left out.
    fn live<'a>(&'a self, at: &'a PathState) -> impl Iterator<Item = (u32, &'a Node)> {
        at.nodes().iter().filter_map(|&id| Some((id, self.nodes.get(id as usize)?)))
    }

    /// Whether the pattern matches the path that led to the state.
    pub fn accepts(&self, at: &PathState, accept: Accept) -> bool {
        at.nodes().binary_search(&accept.0).is_ok()
    }

    /// Whether some pattern matches the path.
    pub fn accepts_any(&self, at: &PathState) -> bool {
        self.live(at).any(|(_, node)| node.ends_pattern)
    }

    /// The first rule from `from` on that can decide and whose pattern matches the path.
    pub fn next_rule(&self, at: &PathState, from: u32) -> Option<u32> {
        match &at.0 {
            LiveNodes::Few(..) => self.live(at).filter_map(|(_, node)| first_from(&node.rules, from)).min(),
            LiveNodes::Many(many) => first_from(&many.rules, from),
        }
    }
}

/// The first of ascending rules that is not before `from`.
pub(crate) fn first_from(rules: &[u32], from: u32) -> Option<u32> {
    rules.get(rules.partition_point(|&rule| rule < from)).copied()
}

/// An automaton in the making.
pub(crate) struct Builder {
    automaton: Automaton,
    known: HashMap<NameGlob, (GlobId, Files)>,
}

impl Default for Builder {
    fn default() -> Builder {
        let nodes = vec![Node::default(), Node::default()];
        let automaton = Automaton { nodes, index: NameIndex::default(), edges: FxHashMap::default() };
        Builder { automaton, known: HashMap::new() }
    }
}

impl Builder {
    /// Adds a pattern, or finds it again.
    pub fn add(&mut self, pattern: &Pattern) -> Accept {
        let start = if pattern.vob_tag().is_none() { RELATIVE } else { ABSOLUTE };
        let end = pattern.components().iter().fold(start, |node, component| match component {
            Component::AnyLevels => self.any_levels(node),
            Component::Name(glob) => self.name(node, glob),
        });
        self.automaton.nodes[end as usize].ends_pattern = true;
        Accept(end)
    }

    /// Lets a rule be tried where its pattern ends. Rules come in ascending order.
    pub fn add_rule(&mut self, accept: Accept, rule: u32) {
        self.automaton.nodes[accept.0 as usize].rules.push(rule);
    }

    /// All patterns are there.
    pub fn finish(self) -> Automaton {
        self.automaton
    }

    fn any_levels(&mut self, parent: u32) -> u32 {
        if let Some(known) = self.automaton.nodes[parent as usize].any_levels {
            return known;
        }
        let child = self.new_node();
        self.automaton.nodes[child as usize].stays = true;
        self.automaton.nodes[parent as usize].any_levels = Some(child);
        child
    }

    fn name(&mut self, parent: u32, name: &NameGlob) -> u32 {
        let (glob, files) = match self.known.get(name) {
            Some(&known) => known,
            None => *self.known.entry(name.clone()).or_insert(self.automaton.index.add(name)),
        };
        if let Some(&known) = self.automaton.edges.get(&(parent, glob)) {
            return known;
        }
        let child = self.new_node();
        self.automaton.edges.insert((parent, glob), child);
        let node = &mut self.automaton.nodes[parent as usize];
        node.files = node.files.and(files);
        if files.is_empty() {
            node.unfiled.push((glob, child));
        }
        child
    }

    fn new_node(&mut self) -> u32 {
        self.automaton.nodes.push(Node::default());
        self.automaton.nodes.len() as u32 - 1
    }
}

/// Nodes on their way to a state, in any order, some more than once.
struct Reached {
    few: [u32; Reached::FEW],
    count: usize,
    /// All of them, once `few` is full.
    many: Vec<u32>,
}

impl Default for Reached {
    fn default() -> Reached {
        Reached { few: [0; Reached::FEW], count: 0, many: Vec::new() }
    }
}

impl Reached {
    /// Enough for a state that stays small, with nodes that are reached twice.
    const FEW: usize = 24;

    fn push(&mut self, node: u32) {
        if self.count < Self::FEW {
            self.few[self.count] = node;
            self.count += 1;
            return;
        }
        if self.many.is_empty() {
            self.many.extend(self.few);
        }
        self.many.push(node);
    }

    /// The nodes as a set, ascending.
    fn as_set(&mut self) -> &[u32] {
        let nodes = if self.many.is_empty() { &mut self.few[..self.count] } else { &mut self.many };
        nodes.sort_unstable();
        let mut count = 0;
        for index in 0..nodes.len() {
            if index == 0 || nodes[index] != nodes[count - 1] {
                nodes[count] = nodes[index];
                count += 1;
            }
        }
        &nodes[..count]
    }
}
