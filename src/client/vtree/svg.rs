//! Draws placed version trees as SVG. Pure; what is text in it is escaped here and nowhere else.

use std::fmt::Write;

use super::layout::{BOX, LABEL_GAP, Picture, Placed};
use super::tree::{What, shown};

/// Colours and lines, for light and dark.
pub const STYLE: &str = include_str!("picture.css");

/// A picture as a document of its own.
pub fn document(picture: &Picture<'_>) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", element(picture))
}

/// A picture as a part of a page.
pub fn element(picture: &Picture<'_>) -> String {
    let (width, height) = (picture.width, picture.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"vtree\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<style>{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path class=\"head\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    for line in &picture.lines {
        let class = if line.to_checkout { "line checkout" } else { "line" };
        let points: Vec<String> = line.points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        push(&mut svg, format_args!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
    }
    for placed in &picture.boxes {
        node(&mut svg, placed);
    }
    for arrow in &picture.arrows {
        let [start, away, towards, end] = arrow.points.map(|(x, y)| format!("{x} {y}"));
        let (from, to) = (escaped(&shown(arrow.from)), escaped(&shown(arrow.to)));
        push(
            &mut svg,
            format_args!(
                "<path class=\"merge\" data-from=\"{from}\" data-to=\"{to}\" marker-end=\"url(#head)\" \
                 d=\"M{start} C{away} {towards} {end}\"><title>{from} \u{2192} {to}</title></path>\n"
            ),
        );
    }
    for (name, x, y) in &picture.titles {
        let name = escaped(&shown(name));
        push(&mut svg, format_args!("<text class=\"name\" x=\"{x}\" y=\"{y}\">{name}</text>\n"));
    }
    svg.push_str("</svg>");
    svg
}

fn node(svg: &mut String, placed: &Placed<'_>) {
    let node = placed.node;
    let class = match &node.what {
        What::Branch { obsolete: true } => "branch obsolete",
        What::Branch { obsolete: false } => "branch",
        What::Version => "version",
        What::Run { .. } => "run",
        What::Checkout { .. } => "checkout",
    };
    let round = if matches!(node.what, What::Branch { .. }) { 2 } else { BOX / 2 };
    let id = escaped(&shown(&node.id));
    let (x, y, width) = (placed.x, placed.y, placed.width);
    let (middle, line) = (x + width / 2, y + 15);
    push(
        svg,
        format_args!(
            "<g class=\"node {class}\" data-id=\"{id}\"><title>{}</title>\
             <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BOX}\" rx=\"{round}\"/>\
             <text class=\"leaf\" x=\"{middle}\" y=\"{line}\">{}</text>",
            escaped(&tip(placed)),
            escaped(&placed.text)
        ),
    );
    if !placed.beside.is_empty() {
        let beside = x + width + LABEL_GAP;
        let text = escaped(&placed.beside);
        push(svg, format_args!("<text class=\"beside\" x=\"{beside}\" y=\"{line}\">{text}</text>"));
    }
    svg.push_str("</g>\n");
}

/// What is told of a node when it is pointed at, and found by a search: its id, all its labels, merges, date, author,
/// comment.
fn tip(placed: &Placed<'_>) -> String {
    let node = placed.node;
    let mut lines = vec![shown(&node.id)];
    match &node.what {
        What::Run { last, .. } => return format!("{}\n\u{2026}\n{}", lines[0], shown(last)),
        What::Checkout { view_tag } => lines.push(format!("view \"{}\"", shown(view_tag.as_bytes()))),
        What::Branch { .. } | What::Version => {}
    }
    if !node.labels.is_empty() {
        lines.push(shown(&node.labels.join(&b", "[..])));
    }
    for merge in &node.merges {
        let sign = if merge.outgoing { '\u{2192}' } else { '\u{2190}' };
        lines.push(format!("{sign} {}", shown(&merge.version)));
    }
    lines.extend(node.about.split(|byte| *byte == b'\n').map(shown));
    lines.join("\n").trim_end().to_owned()
}

/// Text as it stands in a document.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Adds to a text, which cannot fail.
fn push(text: &mut String, pieces: std::fmt::Arguments<'_>) {
    if text.write_fmt(pieces).is_err() {
        unreachable!("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::place;
    use super::super::tree::tests::{DEFAULT, ROWS, tree};
    use super::*;

    #[test]
    fn each_node_and_arrow_is_drawn_once() {
        let trees = [tree(&ROWS, DEFAULT)];
        let svg = document(&place(&trees));
        for (part, count) in [
            ("<g class=\"node branch\"", 2),
            ("<g class=\"node version\"", 6),
            ("<g class=\"node run\"", 1),
            ("<g class=\"node checkout\"", 2),
            ("<path class=\"merge\" data-from=\"/main/fix/1\" data-to=\"/main/4\"", 1),
            (">A, B</text>", 1),
            (">C, D, E, ...</text>", 1),
            ("C, D, E, F", 1),
            (">late</text>", 1),
            ("\u{2192} /main/4", 2),
        ] {
            assert_eq!(svg.matches(part).count(), count, "{part}\n{svg}");
        }
    }

    #[test]
    fn whatever_a_name_has_in_it_stays_text() {
        assert_eq!(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
        assert_eq!(shown(b"a\xffb\x01c\x1b[0m"), "a\u{fffd}b\u{fffd}c\u{fffd}[0m");
        assert_eq!(shown("\u{fffe}\u{9c}\u{85}é".as_bytes()), "\u{fffd}\u{fffd}\u{fffd}é");
    }
}
