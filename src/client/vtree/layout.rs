//! Gives everything in version trees a place in a plane. Pure.
//!
//! A strip is a column of boxes, one row each, and stands right of the one it hangs on, one row lower, in the first
//! column where those rows are free. Strips that hang lower are placed first: what hangs above them then passes over
//! them. Lines between strips run in the gaps between rows, where no box and no text is.

use super::tree::{Node, Spot, Tree, What, shown};

/// Heights and gaps in pixels.
const ROW: usize = 42;
pub const BOX: usize = 22;
const MARGIN: usize = 16;
const TITLE: usize = 34;
const COLUMN_GAP: usize = 36;
/// Where lines leave a box, from its left.
const TRUNK: usize = 14;
/// A character of the fixed-width font at 12 pixels: 0.6 of its size, rounded up.
const CHARACTER: usize = 8;
/// Between a box and the labels beside it.
pub const LABEL_GAP: usize = 8;

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<'a> {
    pub node: &'a Node,
    pub x: usize,
    pub y: usize,
    pub width: usize,
    /// What is written in it, and beside it.
    pub text: String,
    pub beside: String,
}

/// A line through points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub points: Vec<(usize, usize)>,
    pub to_checkout: bool,
}

/// A merge: the ends' ids, and the curve's four points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow<'a> {
    pub from: &'a [u8],
    pub to: &'a [u8],
    pub points: [(usize, usize); 4],
}

/// Everything with its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture<'a> {
    pub width: usize,
    pub height: usize,
    /// Names of elements, and where they are written.
    pub titles: Vec<(&'a [u8], usize, usize)>,
    pub boxes: Vec<Placed<'a>>,
    pub lines: Vec<Line>,
    pub arrows: Vec<Arrow<'a>>,
}

/// Places trees below each other.
pub fn place(trees: &[Tree]) -> Picture<'_> {
    let mut picture = Picture { width: 2 * MARGIN, height: MARGIN, ..Picture::default() };
    for tree in trees {
        place_tree(tree, &mut picture);
    }
    picture
}

fn place_tree<'a>(tree: &'a Tree, picture: &mut Picture<'a>) {
    picture.titles.push((&tree.name, MARGIN, picture.height + 16));
    let title_width = 2 * MARGIN + width_of(&shown(&tree.name)) * 3 / 2;
    let top = picture.height + TITLE;
    let cells = cells(tree);
    let columns = 1 + cells.iter().map(|cell| cell.column).max().unwrap_or(0);
    let rows =
        cells.iter().zip(&tree.strips).map(|(cell, strip)| cell.row + strip.nodes.len()).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    let mut texts = Vec::new();
    for (strip, cell) in tree.strips.iter().zip(&cells) {
        let of_strip: Vec<(String, String)> = strip.nodes.iter().map(texts_of).collect();
        for (text, beside) in &of_strip {
            let labels = if beside.is_empty() { 0 } else { LABEL_GAP + width_of(beside) };
            widths[cell.column] = widths[cell.column].max(box_width(text) + labels);
        }
        texts.push(of_strip);
    }
    let mut left = MARGIN;
    let mut lefts = Vec::with_capacity(columns);
    for width in widths {
        lefts.push(left);
        left += width + COLUMN_GAP;
    }
    let first_of_strip: Vec<usize> = tree
        .strips
        .iter()
        .scan(picture.boxes.len(), |next, strip| Some(std::mem::replace(next, *next + strip.nodes.len())))
        .collect();
    for ((strip, cell), texts) in tree.strips.iter().zip(&cells).zip(texts) {
        for (row, (node, (text, beside))) in (cell.row..).zip(strip.nodes.iter().zip(texts)) {
            let (x, y, width) = (lefts[cell.column], top + row * ROW, box_width(&text));
            picture.boxes.push(Placed { node, x, y, width, text, beside });
        }
    }
    let at = |spot: Spot| first_of_strip[spot.strip] + spot.node;
    for (number, strip) in tree.strips.iter().enumerate() {
        let boxes = &picture.boxes[first_of_strip[number]..][..strip.nodes.len()];
        for pair in boxes.windows(2) {
            let x = pair[0].x + TRUNK;
            picture
                .lines
                .push(Line { points: vec![(x, pair[0].y + BOX), (x, pair[1].y)], to_checkout: false });
        }
        if let (Some(parent), Some(head)) = (strip.parent, boxes.first()) {
            let from = &picture.boxes[at(parent)];
            // Lines of neighbouring columns in one gap keep apart.
            let gap = from.y + BOX + 4 + 4 * (cells[parent.strip].column % 4);
            let (out, into) = (from.x + TRUNK, head.x + TRUNK);
            let points = vec![(out, from.y + BOX), (out, gap), (into, gap), (into, head.y)];
            let to_checkout = matches!(head.node.what, What::Checkout { .. });
            picture.lines.push(Line { points, to_checkout });
        }
    }
    for (from, to) in &tree.arrows {
        picture.arrows.push(arrow(&picture.boxes[at(*from)], &picture.boxes[at(*to)]));
    }
    picture.width = picture.width.max(left - COLUMN_GAP + MARGIN).max(title_width);
    picture.height = top + rows * ROW + MARGIN;
}

/// The column and first row of a strip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    column: usize,
    row: usize,
}

fn cells(tree: &Tree) -> Vec<Cell> {
    let children = tree.children();
    let mut cells = vec![Cell::default(); tree.strips.len()];
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    // A stack, not recursion: nothing limits how deep branches may nest.
    let mut next: Vec<usize> =
        (0..tree.strips.len()).filter(|strip| tree.strips[*strip].parent.is_none()).collect();
    while let Some(strip) = next.pop() {
        let (first, row) = match tree.strips[strip].parent {
            Some(parent) => (cells[parent.strip].column + 1, cells[parent.strip].row + parent.node + 1),
            None => (0, 0),
        };
        let end = row + tree.strips[strip].nodes.len();
        let is_free = |taken: &Vec<(usize, usize)>| taken.iter().all(|(from, to)| end <= *from || *to <= row);
        let column = (first..).find(|column| taken.get(*column).is_none_or(is_free)).unwrap_or(first);
        taken.resize_with(taken.len().max(column + 1), Vec::new);
        taken[column].push((row, end));
        cells[strip] = Cell { column, row };
        next.extend(&children[strip]);
    }
    cells
}

/// From the side of a box to that of another, so that it crosses the labels of neither.
fn arrow<'a>(from: &Placed<'a>, to: &Placed<'a>) -> Arrow<'a> {
    let left = |it: &Placed<'_>| (it.x, it.y + BOX / 2);
    let corner = |it: &Placed<'_>| (it.x + it.width - 3, it.y + BOX);
    let (start, end) = if to.x < from.x {
        (left(from), corner(to))
    } else if to.x > from.x {
        (corner(from), left(to))
    } else {
        (corner(from), corner(to))
    };
    let bend = COLUMN_GAP / 2;
    let (away, towards) = if to.x < from.x {
        ((start.0.saturating_sub(bend), start.1), (end.0 + bend, end.1 + bend / 2))
    } else if to.x > from.x {
        ((start.0 + bend, start.1 + bend / 2), (end.0.saturating_sub(bend), end.1))
    } else {
        ((start.0 + 2 * bend, start.1 + bend / 2), (end.0 + 2 * bend, end.1 + bend / 2))
    };
    Arrow { from: &from.node.id, to: &to.node.id, points: [start, away, towards, end] }
}

/// What is written in a box, and beside it.
fn texts_of(node: &Node) -> (String, String) {
    let leaf = shown(node.leaf());
    match &node.what {
        What::Branch { obsolete: true } => (leaf, "obsolete".to_owned()),
        What::Branch { obsolete: false } => (leaf, String::new()),
        What::Version => (leaf, shown(&node.label_text())),
        What::Run { count, .. } => (format!("\u{22ee} {count} versions"), String::new()),
        What::Checkout { view_tag } => (leaf, view_tag.clone()),
    }
}

fn box_width(text: &str) -> usize {
    (width_of(text) + 14).max(2 * TRUNK)
}

/// Characters beyond ASCII may be twice as wide.
fn width_of(text: &str) -> usize {
    text.chars().map(|letter| if letter.is_ascii() { CHARACTER } else { 2 * CHARACTER }).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::{DEFAULT, ROWS, tree};
    use super::*;

    fn cells_of(rows: &[&str]) -> Vec<(usize, usize)> {
        cells(&tree(rows, DEFAULT)).iter().map(|cell| (cell.column, cell.row)).collect()
    }

    #[test]
    fn a_strip_stands_right_of_and_below_what_it_hangs_on() {
        // main 0 1 2..3 4 5; fix on 1, checkouts on 2..3 and 5: the lower ones come first and stay left.
        assert_eq!(cells_of(&ROWS), [(0, 0), (2, 3), (1, 4), (1, 6)]);
    }

    #[test]
    fn strips_share_a_column_where_they_do_not_meet() {
        let rows = [
            "/main",
            "/main/0 *",
            "/main/a",
            "/main/a/0 *",
            "/main/1",
            "/main/2 *",
            "/main/b",
            "/main/b/0 *",
        ];
        assert_eq!(cells_of(&rows), [(0, 0), (1, 2), (1, 4)]);
    }

    #[test]
    fn no_box_covers_another_or_leaves_the_picture() {
        let mut rows = vec!["/main".to_owned()];
        for version in 0..60 {
            rows.push(format!("/main/{version} *"));
            for branch in 0..version % 3 {
                let name = format!("/main/b{version}_{branch}");
                rows.extend([name.clone(), format!("{name}/0 A_LONG_LABEL *"), format!("{name}/sub")]);
                rows.extend((0..branch + 2).map(|number| format!("{name}/sub/{number} *")));
            }
        }
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let trees = [tree(&rows, DEFAULT), tree(&ROWS, DEFAULT)];
        let picture = place(&trees);
        assert_eq!(
            picture.boxes.len(),
            trees.iter().flat_map(|tree| &tree.strips).map(|strip| strip.nodes.len()).sum::<usize>()
        );
        for (number, one) in picture.boxes.iter().enumerate() {
            let right = one.x + one.width + LABEL_GAP + width_of(&one.beside);
            assert!(one.x >= MARGIN && right <= picture.width && one.y + BOX <= picture.height, "{one:?}");
            for other in &picture.boxes[..number] {
                let apart = other.y + BOX <= one.y
                    || one.y + BOX <= other.y
                    || other.x >= right
                    || one.x >= other.x + other.width + LABEL_GAP + width_of(&other.beside);
                assert!(apart, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn arrows_end_at_their_boxes() {
        let trees = [tree(&ROWS, DEFAULT)];
        let picture = place(&trees);
        let [arrow] = &picture.arrows[..] else { panic!("{:?}", picture.arrows) };
        assert_eq!((arrow.from, arrow.to), (&b"/main/fix/1"[..], &b"/main/4"[..]));
        for (id, (x, y)) in [(arrow.from, arrow.points[0]), (arrow.to, arrow.points[3])] {
            let place = picture.boxes.iter().find(|placed| placed.node.id == id).unwrap();
            assert!((place.x..=place.x + place.width).contains(&x) && (place.y..=place.y + BOX).contains(&y));
        }
    }
}
