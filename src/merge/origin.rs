//! Origins of lines: with which version of a history each line came, or was taken away.
//!
//! Versions are added from the oldest to the newest, each with the places of those that it was made from, the predecessor
//! first. A version that is the same as a parent is as old as that, line for line. Else a line that it has in common with
//! its predecessor is as old as it is there; else as old as in another parent that has it; else it came with the version.
//! Blanks do not count: a line that was only indented keeps its origin, as with `git blame -w`. Work and memory are in
//! proportion to the texts; a version is forgotten when its last successor was added.

use super::text::{Change, lines};
use gix_imara_diff::{Algorithm, Diff, IndentHeuristic, IndentLevel, Token};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Columns of a tab stop, as git's heuristic for where changes begin counts them.
const TAB_COLUMNS: u8 = 8;

/// A version that others still need.
struct Known {
    text: Arc<[u8]>,
    tokens: Vec<Token>,
    origins: Vec<u32>,
}

/// A line that is or was in the versions of a straight history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// The bytes, with the newline.
    pub text: Box<[u8]>,
    /// The place of the version that it came with.
    pub origin: usize,
    /// The place of the version that took it away.
    pub removed: Option<usize>,
}

/// The origins of the lines of a history.
#[derive(Default)]
pub struct Origins {
    numbers: FxHashMap<Box<[u8]>, u32>,
    indents: Vec<IndentLevel>,
    known: Vec<Option<Known>>,
    /// How many versions that were not added yet need each one.
    uses: Vec<u32>,
}

impl Origins {
    /// Begins with how often each version is a parent; the newest is needed at the end.
    pub fn new(parents: &[Vec<usize>]) -> Origins {
        let mut uses = vec![0; parents.len()];
        parents.iter().flatten().for_each(|parent| uses[*parent] += 1);
        if let Some(last) = uses.last_mut() {
            *last += 1;
        }
        Origins { uses, ..Origins::default() }
    }

    /// Adds the next version.
    ///
    /// # Panics
    /// If a parent was not added before, or more often needed than said at the beginning.
    pub fn add(&mut self, text: Arc<[u8]>, parents: &[usize]) {
        let place = self.known.len() as u32;
        // What is taken as a whole from one parent is as old as it is there, whatever the others have of it.
        let is_same = |parent: &&usize| self.known[**parent].as_ref().is_some_and(|known| known.text == text);
        let same: Option<usize> = parents.iter().find(is_same).copied();
        let parents_asked = if same.is_some() { same.as_slice() } else { parents };
        let predecessor = parents_asked.first().and_then(|parent| self.known[*parent].take());
        let tokens = match &predecessor {
            Some(known) => self.tokens_beside(&text, &known.text, &known.tokens),
            None => self.tokens(&text),
        };
        if let Some(parent) = parents_asked.first() {
            self.known[*parent] = predecessor;
        }
        let mut origins = vec![place; tokens.len()];
        // Of the other parents only what the predecessor does not have.
        for parent in parents_asked {
            let known = self.known[*parent].as_ref().expect("a parent comes before its child");
            for_common(&self.changes(&known.tokens, &tokens), tokens.len(), |before, after| {
                if origins[after] == place {
                    origins[after] = known.origins[before];
                }
            });
        }
        for parent in parents {
            self.uses[*parent] -= 1;
            if self.uses[*parent] == 0 {
                self.known[*parent] = None;
            }
        }
        self.known.push(Some(Known { text, tokens, origins }));
    }

    /// Returns the origin of each line of the version that was added last.
    pub fn of_last(mut self) -> Vec<usize> {
        let last = self.known.pop().flatten();
        last.map_or(Vec::new(), |known| known.origins.into_iter().map(|origin| origin as usize).collect())
    }

    /// The tokens of a text, of which the lines that it begins and ends with as another does are known already: most
    /// versions change little, and to look at every line of every version took most of the time.
    fn tokens_beside(&mut self, text: &[u8], other: &[u8], others: &[Token]) -> Vec<Token> {
        let (head, tail) = common_lines(text, other);
        let count = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').count();
        let mut tokens = others[..count(&text[..head])].to_vec();
        tokens.extend(self.tokens(&text[head..text.len() - tail]));
        tokens.extend(&others[others.len() - count(&text[text.len() - tail..])..]);
        tokens
    }

    fn tokens(&mut self, text: &[u8]) -> Vec<Token> {
        let mut bare = Vec::new();
        let token = |line: &[u8]| {
            bare.clear();
            bare.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != 0x0b));
            let number = match self.numbers.get(&bare[..]) {
                Some(number) => *number,
                None => {
                    let number = self.indents.len() as u32;
                    self.numbers.insert(Box::from(&bare[..]), number);
                    self.indents.push(IndentLevel::for_ascii_line(line.iter().copied(), TAB_COLUMNS));
                    number
                }
            };
            Token(number)
        };
        lines(text).into_iter().map(token).collect()
    }

    fn changes(&self, before: &[Token], after: &[Token]) -> Vec<Change> {
        let mut diff = Diff::default();
        diff.compute_with(Algorithm::Myers, before, after, self.indents.len() as u32);
        let indent = |token: Token| self.indents[token.0 as usize];
        diff.postprocess_with(before, after, IndentHeuristic::new(indent));
        let range = |range: std::ops::Range<u32>| range.start as usize..range.end as usize;
        diff.hunks().map(|hunk| Change { before: range(hunk.before), after: range(hunk.after) }).collect()
    }
}

/// How many bytes of whole lines two texts begin with alike, and how many behind those they end with alike.
fn common_lines(text: &[u8], other: &[u8]) -> (usize, usize) {
    const STEP: usize = 64;
    let alike = |bytes: &[u8], others: &[u8]| bytes.iter().zip(others).take_while(|(a, b)| a == b).count();
    let steps =
        text.chunks_exact(STEP).zip(other.chunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    let head = steps + alike(&text[steps..], &other[steps..]);
    let head = text[..head].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let (text, other) = (&text[head..], &other[head..]);
    let steps =
        text.rchunks_exact(STEP).zip(other.rchunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    let (before, others_before) = (&text[..text.len() - steps], &other[..other.len() - steps]);
    let more = before.iter().rev().zip(others_before.iter().rev()).take_while(|(a, b)| a == b).count();
    // Where the first of these bytes stands in a line is not known: the tail begins behind its newline.
    let tail = &text[text.len() - steps - more..];
    let newline = tail.iter().position(|byte| *byte == b'\n');
    (head, newline.map_or(0, |newline| tail.len() - newline - 1))
}

/// Calls with the places of each common line in both texts.
fn for_common(changes: &[Change], after_length: usize, mut common: impl FnMut(usize, usize)) {
    let (mut before, mut after) = (0, 0);
    for change in changes {
        while after < change.after.start {
            common(before, after);
            (before, after) = (before + 1, after + 1);
        }
        (before, after) = (change.before.end, change.after.end);
    }
    while after < after_length {
        common(before, after);
        (before, after) = (before + 1, after + 1);
    }
}

/// All lines that ever were in the versions of a straight history, each where it was: those that were taken away stand
/// before what came in their place.
#[derive(Default)]
pub struct Ever {
    origins: Origins,
    tokens: Vec<Token>,
    lines: Vec<Line>,
    versions: usize,
}

impl Ever {
    /// Adds the next version.
    pub fn add(&mut self, text: &[u8]) {
        let (place, tokens) = (self.versions, self.origins.tokens(text));
        self.versions += 1;
        let changes = self.origins.changes(&self.tokens, &tokens);
        let new = lines(text);
        let (mut all, mut old) =
            (Vec::with_capacity(self.lines.len()), std::mem::take(&mut self.lines).into_iter());
        let (mut before, mut after) = (0, 0);
        let mut changes = changes.into_iter().peekable();
        loop {
            let change = changes.next();
            let (start, after_start) = change
                .as_ref()
                .map_or((self.tokens.len(), new.len()), |change| (change.before.start, change.after.start));
            // What stays, with what is gone already between.
            while before < start {
                let Some(mut line) = old.next() else { break };
                if line.removed.is_none() {
                    line.text = new[after].into();
                    (before, after) = (before + 1, after + 1);
                }
                all.push(line);
            }
            debug_assert_eq!(after, after_start);
            let Some(change) = change else { break };
            while before < change.before.end {
                let Some(mut line) = old.next() else { break };
                if line.removed.is_none() {
                    line.removed = Some(place);
                    before += 1;
                }
                all.push(line);
            }
            let come = |line: &&[u8]| Line { text: (*line).into(), origin: place, removed: None };
            all.extend(new[change.after.clone()].iter().map(come));
            after = change.after.end;
        }
        all.extend(old);
        (self.lines, self.tokens) = (all, tokens);
    }

    /// Returns the lines.
    pub fn lines(self) -> Vec<Line> {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(versions: &[(&str, &[usize])]) -> Vec<usize> {
        let parents: Vec<Vec<usize>> = versions.iter().map(|(_, parents)| parents.to_vec()).collect();
        let mut origins = Origins::new(&parents);
        for (text, parents) in versions {
            origins.add(Arc::from(text.as_bytes()), parents);
        }
        origins.of_last()
    }

    #[test]
    fn lines_are_as_old_as_they_are_in_a_parent() {
        assert_eq!(origins(&[("", &[]), ("a\nb\n", &[0]), ("a\nx\nb\n", &[1])]), [1, 2, 1]);
        // Indented, a line stays what it was; written anew it does not.
        assert_eq!(origins(&[("", &[]), ("a\nb\n", &[0]), ("  a\nB\n", &[1])]), [1, 2]);
        assert_eq!(origins(&[("", &[]), ("a\nb", &[0]), ("a\nb\n", &[1])]), [1, 1]);
        assert_eq!(origins(&[]), [0usize; 0]);
    }

    #[test]
    fn texts_are_alike_in_whole_lines() {
        for (text, other, expected) in [
            ("", "", (0, 0)),
            ("a\nb\nc\n", "a\nb\nc\n", (6, 0)),
            ("a\nb\nc\nd", "a\nx\nc\nd", (2, 3)),
            ("a\nb\nc", "a\nb\nc\n", (4, 0)),
            ("ab\nc\n", "b\nc\n", (0, 2)),
            ("a\na\n", "a\na\na\n", (4, 0)),
            ("x\n", "", (0, 0)),
        ] {
            assert_eq!(common_lines(text.as_bytes(), other.as_bytes()), expected, "{text:?} {other:?}");
        }
        let long = "line of some length\n".repeat(50);
        let (text, other) = (format!("{long}x\n{long}"), format!("{long}y\nz\n{long}"));
        assert_eq!(common_lines(text.as_bytes(), other.as_bytes()), (1000, 1000));
    }

    #[test]
    fn tokens_beside_another_text_are_those_of_the_text_alone() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let mut origins = Origins::default();
        let mut other = String::new();
        let mut alike = 0;
        for _ in 0..2000 {
            let mut lines: Vec<String> = other.split_inclusive('\n').map(str::to_owned).collect();
            let at = next(lines.len() as u64 + 1) as usize;
            match next(3) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 if at < lines.len() => lines[at] = " a\n".repeat(next(2) as usize + 1),
                _ => lines.insert(at, format!("{}\n", ["", "a", "b", "  a"][next(4) as usize])),
            }
            let mut text = lines.concat();
            if next(5) == 0 {
                text.pop();
            }
            let others = origins.tokens(other.as_bytes());
            let beside = origins.tokens_beside(text.as_bytes(), other.as_bytes(), &others);
            assert_eq!(beside, origins.tokens(text.as_bytes()), "{text:?} {other:?}");
            let (head, tail) = common_lines(text.as_bytes(), other.as_bytes());
            alike += usize::from(head > 0 && tail > 0);
            other = text;
        }
        assert!(alike > 500, "{alike}");
    }

    #[test]
    fn merged_lines_come_from_where_they_were_merged_from() {
        let versions: [(&str, &[usize]); 5] = [
            ("", &[]),
            ("a\nb\nc\n", &[0]),
            ("a\nside\nb\nc\n", &[1]),
            ("a\nb\nc\nmain\n", &[1]),
            ("a\nside\nb\nc\nmain\nboth\n", &[3, 2]),
        ];
        assert_eq!(origins(&versions), [1, 2, 1, 1, 3, 4]);
    }

    #[test]
    fn what_is_taken_as_a_whole_is_as_old_as_there() {
        // Both sides made the same line; the merge is one of them, or is neither.
        let main: (&str, &[usize]) = ("a\nsame\nb\nmain\n", &[1]);
        let side: (&str, &[usize]) = ("a\nsame\nb\n", &[1]);
        let begin: [(&str, &[usize]); 2] = [("", &[]), ("a\nb\n", &[0])];
        let with = |merged| [&begin[..], &[main, side, (merged, &[2, 3])]].concat();
        assert_eq!(origins(&with(side.0)), [1, 3, 1]);
        assert_eq!(origins(&with(main.0)), [1, 2, 1, 2]);
        assert_eq!(origins(&with("a\nsame\nb\nboth\n")), [1, 2, 1, 4]);
    }

    #[test]
    fn removed_lines_stand_where_they_were() {
        let mut ever = Ever::default();
        for text in ["", "a\nb\nc\n", "a\nc\n", "a\nB\n c\n"] {
            ever.add(text.as_bytes());
        }
        let told: Vec<(String, usize, Option<usize>)> = ever
            .lines()
            .into_iter()
            .map(|line| {
                (String::from_utf8_lossy(&line.text).trim_end().to_owned(), line.origin, line.removed)
            })
            .collect();
        let expected = [("a", 1, None), ("b", 1, Some(2)), ("B", 3, None), (" c", 1, None)];
        let expected = expected.map(|(text, origin, removed)| (text.to_owned(), origin, removed));
        let mut found = told.clone();
        found.sort();
        let mut wanted = expected.to_vec();
        wanted.sort();
        assert_eq!(found, wanted);
        assert_eq!(told.first(), Some(&expected[0]));
        assert_eq!(told.last(), Some(&expected[3]));
    }
}
