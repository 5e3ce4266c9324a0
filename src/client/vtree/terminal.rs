//! Version trees as lines of text, in colour where that is wanted. Pure.

use std::rc::Rc;

use super::tree::{Node, Spot, Tree, What};

const BOLD: &str = "1";
const BRANCH: &str = "1;36";
const LABEL: &str = "32";
const MERGE: &str = "35";
const CHECKOUT: &str = "33";
const PALE: &str = "2";

/// All lines of these trees.
pub fn text(trees: &[Tree], in_colour: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for tree in trees {
        draw(tree, Pen { in_colour }, &mut text);
    }
    text
}

/// Writes names without what would steer a terminal.
#[derive(Clone, Copy)]
struct Pen {
    in_colour: bool,
}

impl Pen {
    fn write(self, text: &mut Vec<u8>, colour: &str, name: &[u8]) {
        if self.in_colour {
            text.extend_from_slice(format!("\x1b[{colour}m").as_bytes());
        }
        text.extend(name.iter().map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }));
        if self.in_colour {
            text.extend_from_slice(b"\x1b[0m");
        }
    }
}

enum Next {
    Strip(usize),
    Node(Spot),
}

fn draw(tree: &Tree, pen: Pen, text: &mut Vec<u8>) {
    pen.write(text, BOLD, &tree.name);
    text.push(b'\n');
    let mut hanging: Vec<Vec<Vec<usize>>> =
        tree.strips.iter().map(|strip| vec![Vec::new(); strip.nodes.len()]).collect();
    let mut next: Vec<(Next, Rc<str>, bool)> = Vec::new();
    for (number, strip) in tree.strips.iter().enumerate() {
        match strip.parent {
            Some(parent) => hanging[parent.strip][parent.node].push(number),
            None => next.push((Next::Strip(number), "".into(), true)),
        }
    }
    // A stack, not recursion: nothing limits how deep branches may nest.
    while let Some((now, before, is_last)) = next.pop() {
        text.extend_from_slice(before.as_bytes());
        text.extend_from_slice(if is_last { "└─ " } else { "├─ " }.as_bytes());
        let below: Rc<str> = format!("{before}{}", if is_last { "   " } else { "│  " }).into();
        let mut children: Vec<Next> = Vec::new();
        match now {
            Next::Strip(strip) => {
                node(tree.node(Spot { strip, node: 0 }), pen, text);
                let nodes = 1..tree.strips[strip].nodes.len();
                children.extend(nodes.map(|node| Next::Node(Spot { strip, node })));
            }
            Next::Node(spot) => {
                node(tree.node(spot), pen, text);
                children.extend(hanging[spot.strip][spot.node].iter().map(|strip| Next::Strip(*strip)));
            }
        }
        let last = children.len().saturating_sub(1);
        let children = children.into_iter().enumerate().rev();
        next.extend(children.map(|(place, child)| (child, Rc::clone(&below), place == last)));
    }
}

fn node(node: &Node, pen: Pen, text: &mut Vec<u8>) {
    match &node.what {
        What::Branch { obsolete } => {
            pen.write(text, if *obsolete { PALE } else { BRANCH }, node.leaf());
            if *obsolete {
                text.extend_from_slice(b"  (obsolete)");
            }
        }
        What::Version => pen.write(text, "0", node.leaf()),
        What::Run { count, .. } => pen.write(text, PALE, format!("... {count} versions").as_bytes()),
        What::Checkout { view_tag } => {
            pen.write(text, CHECKOUT, &[node.leaf(), b" view \"", view_tag.as_bytes(), b"\""].concat());
        }
    }
    let labels = node.label_text();
    if !labels.is_empty() {
        text.extend_from_slice(b"  ");
        pen.write(text, LABEL, &[&b"("[..], &labels, b")"].concat());
    }
    for merge in &node.merges {
        let sign: &[u8] = if merge.outgoing { b"-> " } else { b"<- " };
        text.extend_from_slice(b"  ");
        pen.write(text, MERGE, &[sign, &merge.version].concat());
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::{DEFAULT, ROWS, tree};
    use super::*;

    #[test]
    fn branches_stand_below_what_they_sprout_from() {
        let expected = "\
foo.c
└─ main
   ├─ 0
   ├─ 1  (A, B)
   │  └─ fix
   │     ├─ 0
   │     └─ 1  -> /main/4
   ├─ ... 2 versions
   │  └─ CHECKEDOUT view \"early\"
   ├─ 4  <- /main/fix/1
   └─ 5  (C, D, E, ...)
      └─ CHECKEDOUT view \"late\"
";
        assert_eq!(String::from_utf8(text(&[tree(&ROWS, DEFAULT)], false)).unwrap(), expected);
    }

    #[test]
    fn colours_go_around_names_and_names_bring_none() {
        let mut tree = tree(&["/main", "/main/0 * A"], DEFAULT);
        tree.name = b"a\x1b[31m\n".to_vec();
        let coloured = text(&[tree.clone()], true);
        let expected =
            "\x1b[1ma?[31m?\x1b[0m\n└─ \x1b[1;36mmain\x1b[0m\n   └─ \x1b[0m0\x1b[0m  \x1b[32m(A)\x1b[0m\n";
        assert_eq!(String::from_utf8(coloured).unwrap(), expected);
        assert!(text(&[tree], false).starts_with(b"a?[31m?\n"));
    }
}
