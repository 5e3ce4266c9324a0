//! A version tree made of the rows that `lsvtree` lists: strips of nodes, each hanging on a node of another.
//!
//! A strip is a branch with its versions, or one checkout. Runs of versions that mean nothing become one node. Pure.

use std::collections::{HashMap, HashSet};

use crate::client::lsvtree::{Choice, MAX_LABELS, is_shown};
use crate::server::proto::{VersionTreeKind, VersionTreeMerge, VersionTreeRow};

/// The place of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    pub strip: usize,
    pub node: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The head of its strip.
    Branch {
        obsolete: bool,
    },
    Version,
    /// Versions that are not drawn one by one: how many, and the last of them.
    Run {
        count: usize,
        last: Vec<u8>,
    },
    /// The only node of its strip: in whose view.
    Checkout {
        view_tag: String,
    },
}

/// A branch, a version, a run of versions or a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub what: What,
    /// `/main`, `/main/3`, `/main/CHECKEDOUT`.
    pub id: Vec<u8>,
    /// Label types on it.
    pub labels: Vec<Vec<u8>>,
    /// How many of them are drawn.
    pub labels_drawn: usize,
    /// Its merges, drawn as arrows or not.
    pub merges: Vec<VersionTreeMerge>,
    /// Date, author and comment.
    pub about: Vec<u8>,
}

impl Node {
    /// The last part of its id: a branch's type, a version's number.
    pub fn leaf(&self) -> &[u8] {
        split(&self.id).1
    }

    /// The labels that are drawn, with dots for those that are not; empty without any.
    pub fn label_text(&self) -> Vec<u8> {
        let mut text = self.labels[..self.labels_drawn].join(&b", "[..]);
        if self.labels_drawn < self.labels.len() {
            text.extend_from_slice(b", ...");
        }
        text
    }
}

/// Nodes below each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strip {
    /// What it hangs on; the first hangs on nothing.
    pub parent: Option<Spot>,
    pub nodes: Vec<Node>,
}

/// The tree of one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The element, as the user typed it.
    pub name: Vec<u8>,
    /// A strip stands behind the one it hangs on.
    pub strips: Vec<Strip>,
    /// Merges between versions that are drawn.
    pub arrows: Vec<(Spot, Spot)>,
    branches: HashMap<Vec<u8>, usize>,
}

impl Tree {
    /// A tree without rows.
    pub fn new(name: &[u8]) -> Tree {
        Tree { name: name.to_vec(), strips: Vec::new(), arrows: Vec::new(), branches: HashMap::new() }
    }

    /// Takes the next row, in the order of the listing.
    pub fn push(&mut self, row: VersionTreeRow, about: Vec<u8>, choice: Choice) {
        if row.obsolete && !choice.obsolete {
            return;
        }
        let shown = is_shown(&row, choice);
        let parent = self.branches.get(split(&row.extension).0).copied();
        let hangs_on = parent.map(|strip| Spot { strip, node: self.strips[strip].nodes.len() - 1 });
        let what = match row.kind() {
            VersionTreeKind::Branch => What::Branch { obsolete: row.obsolete },
            VersionTreeKind::Version if shown => What::Version,
            VersionTreeKind::Version => What::Run { count: 1, last: row.extension.clone() },
            VersionTreeKind::Checkout => What::Checkout { view_tag: row.view_tag },
        };
        let labels_drawn = if choice.all { row.labels.len() } else { row.labels.len().min(MAX_LABELS) };
        let mut node =
            Node { what, id: row.extension, labels: row.labels, labels_drawn, merges: row.merges, about };
        if choice.short {
            node.labels_drawn = 0;
            node.labels.clear();
        }
        if !choice.merges {
            node.merges.clear();
        }
        match (&node.what, parent) {
            (What::Branch { .. }, _) => {
                self.branches.insert(node.id.clone(), self.strips.len());
                self.strips.push(Strip { parent: hangs_on, nodes: vec![node] });
            }
            (What::Checkout { .. }, _) if shown => {
                self.strips.push(Strip { parent: hangs_on, nodes: vec![node] })
            }
            (What::Run { .. }, Some(strip)) => {
                match self.strips[strip].nodes.last_mut().map(|node| &mut node.what) {
                    Some(What::Run { count, last }) => {
                        *count += 1;
                        *last = node.id;
                    }
                    _ => self.strips[strip].nodes.push(node),
                }
            }
            (What::Version, Some(strip)) => self.strips[strip].nodes.push(node),
            _ => {}
        }
    }

    /// The whole tree: a run of one version is that version, and arrows know their ends.
    pub fn finish(mut self) -> Tree {
        let mut versions = HashMap::new();
        for (strip, nodes) in self.strips.iter_mut().map(|strip| &mut strip.nodes).enumerate() {
            for (place, node) in nodes.iter_mut().enumerate() {
                if matches!(node.what, What::Run { count: 1, .. }) {
                    node.what = What::Version;
                }
                if node.what == What::Version {
                    versions.insert(node.id.clone(), Spot { strip, node: place });
                }
            }
        }
        let mut drawn = HashSet::new();
        for (strip, nodes) in self.strips.iter().map(|strip| &strip.nodes).enumerate() {
            for (place, node) in nodes.iter().enumerate() {
                let from = Spot { strip, node: place };
                let outgoing = node.merges.iter().filter(|merge| merge.outgoing);
                let ends = outgoing.filter_map(|merge| versions.get(&merge.version));
                self.arrows.extend(ends.map(|to| (from, *to)).filter(|arrow| drawn.insert(*arrow)));
            }
        }
        self
    }

    /// The node at a place.
    pub fn node(&self, spot: Spot) -> &Node {
        &self.strips[spot.strip].nodes[spot.node]
    }

    /// For each strip what hangs on it, from above to below.
    pub fn children(&self) -> Vec<Vec<usize>> {
        let mut children = vec![Vec::new(); self.strips.len()];
        for (number, strip) in self.strips.iter().enumerate() {
            if let Some(parent) = strip.parent {
                children[parent.strip].push(number);
            }
        }
        children
    }
}

/// `/main/fix` and `3`.
fn split(id: &[u8]) -> (&[u8], &[u8]) {
    let slash = id.iter().rposition(|byte| *byte == b'/');
    slash.map_or((&[], id), |slash| (&id[..slash], &id[slash + 1..]))
}

/// Bytes as text that any document may have in it: what is no text, or steers a terminal, becomes a mark.
pub fn shown(bytes: &[u8]) -> String {
    let is_text = |letter: char| !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|letter| if is_text(letter) { letter } else { '\u{fffd}' })
        .collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const DEFAULT: Choice =
        Choice { all: false, short: false, merges: true, checkouts: true, obsolete: false };

    /// A tree of rows in the form `/main/3 LABEL,LABEL *` (`*`: the newest or a branch point), `/main/3 >/main/4`
    /// (merged to), `/main/CHECKEDOUT view`.
    pub fn tree(rows: &[&str], choice: Choice) -> Tree {
        let mut tree = Tree::new(b"foo.c");
        for text in rows {
            let mut words = text.split(' ');
            let extension = words.next().unwrap();
            let leaf = extension.rsplit('/').next().unwrap();
            let mut row = VersionTreeRow { extension: extension.into(), ..VersionTreeRow::default() };
            row.set_kind(match leaf {
                "CHECKEDOUT" => VersionTreeKind::Checkout,
                leaf if leaf.parse::<u32>().is_ok() => VersionTreeKind::Version,
                _ => VersionTreeKind::Branch,
            });
            for word in words {
                let version = word.get(1..).unwrap_or_default().into();
                match word.as_bytes()[0] {
                    _ if leaf == "CHECKEDOUT" => row.view_tag = word.to_owned(),
                    b'*' => row.latest = true,
                    b'!' => row.obsolete = true,
                    b'>' => row.merges.push(VersionTreeMerge { outgoing: true, version }),
                    b'<' => row.merges.push(VersionTreeMerge { outgoing: false, version }),
                    _ => row.labels = word.split(',').map(Into::into).collect(),
                }
            }
            tree.push(row, b"then".to_vec(), choice);
        }
        tree.finish()
    }

    /// A tree with everything in it.
    pub const ROWS: [&str; 14] = [
        "/main",
        "/main/0",
        "/main/1 A,B *",
        "/main/fix",
        "/main/fix/0",
        "/main/fix/1 * >/main/4",
        "/main/old !",
        "/main/old/0 * !",
        "/main/2",
        "/main/CHECKEDOUT early",
        "/main/3",
        "/main/4 </main/fix/1",
        "/main/5 C,D,E,F *",
        "/main/CHECKEDOUT late",
    ];

    fn told(tree: &Tree) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let strip = |strip: &Strip| {
            let nodes = strip.nodes.iter().map(|node| match &node.what {
                What::Run { count, last } => {
                    format!("{}..{}({count})", text(node.leaf()), text(split(last).1))
                }
                What::Checkout { view_tag } => format!("CHECKEDOUT {view_tag}"),
                _ => {
                    text(node.leaf())
                        + &Some(node.label_text())
                            .filter(|it| !it.is_empty())
                            .map_or_else(String::new, |it| format!("({})", text(&it)))
                }
            });
            let on = strip.parent.map_or(String::new(), |spot| text(&tree.node(spot).id));
            format!("{on}: {}", nodes.collect::<Vec<_>>().join(" "))
        };
        tree.strips.iter().map(strip).collect()
    }

    #[test]
    fn dull_versions_become_one_node_and_one_alone_stays() {
        let tree = tree(&ROWS, DEFAULT);
        assert_eq!(
            told(&tree),
            [
                ": main 0 1(A, B) 2..3(2) 4 5(C, D, E, ...)",
                "/main/1: fix 0 1",
                "/main/2: CHECKEDOUT early",
                "/main/5: CHECKEDOUT late"
            ]
        );
        let ends: Vec<_> =
            tree.arrows.iter().map(|(from, to)| (&tree.node(*from).id[..], &tree.node(*to).id[..])).collect();
        assert_eq!(ends, [(&b"/main/fix/1"[..], &b"/main/4"[..])]);
        assert_eq!(tree.children(), [vec![1, 2, 3], vec![], vec![], vec![]]);
    }

    #[test]
    fn all_are_drawn_if_all_are_wanted() {
        let all = Choice { all: true, obsolete: true, checkouts: false, ..DEFAULT };
        let rows = [": main 0 1(A, B) 2 3 4 5(C, D, E, F)", "/main/1: fix 0 1", "/main/1: old 0"];
        assert_eq!(told(&tree(&ROWS, all)), rows);
        assert!(tree(&ROWS, Choice { merges: false, ..all }).arrows.is_empty());
    }

    #[test]
    fn a_tree_that_begins_at_a_branch_hangs_on_nothing() {
        assert_eq!(told(&tree(&ROWS[3..6], DEFAULT)), [": fix 0 1"]);
        assert!(tree(&ROWS[3..6], DEFAULT).arrows.is_empty(), "its other end is not there");
    }
}
