//! Texts: which lines differ between two, and what two changed texts with a common ancestor come to.
//!
//! Owns the line as the unit of comparison and the three-way merge. Lines keep their newline, so that a last line without
//! one differs from the same line with one. The differences are those git's Myers algorithm finds, and regions are joined,
//! compared and refined as `git merge-file` does it: what merges there merges here, with the same result, and what
//! conflicts there conflicts here. Knows no files, versions or words.

use gix_imara_diff::{Algorithm, Diff, Interner, NoSliderHeuristic, Token};
use std::ops::Range;

/// Lines between two conflicts up to which they are shown as one in [`Style::Merge`], as git shows them.
const NEAR_LINES: usize = 3;

/// Splits a text into lines, each with its newline.
pub fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A run of lines in one text that stands in place of a run of lines in another; either may be empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Which lines of the first text, from 0.
    pub before: Range<usize>,
    /// Which lines of the second text.
    pub after: Range<usize>,
}

/// Finds what differs between two texts, in their order. Equal lines may be told from each other by position only.
pub fn differences<T: AsRef<[u8]>>(before: &[T], after: &[T]) -> Vec<Change> {
    let mut interner = Interner::new(before.len() + after.len());
    let before: Vec<Token> = before.iter().map(|line| interner.intern(line.as_ref())).collect();
    let after: Vec<Token> = after.iter().map(|line| interner.intern(line.as_ref())).collect();
    changes(&before, &after, interner.num_tokens())
}

fn changes(before: &[Token], after: &[Token], tokens: u32) -> Vec<Change> {
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Myers, before, after, tokens);
    diff.postprocess_with(before, after, NoSliderHeuristic);
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| Change { before: range(hunk.before), after: range(hunk.after) }).collect()
}

/// Whose lines a region of a merge has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Only ours differ from the base.
    Ours,
    /// Only theirs do.
    Theirs,
    /// Both do, and not in the same way.
    Conflict,
}

/// A part of the base that was changed, and what stands there in both texts. Changes of one side that touch are
/// one region; changes of both that touch are a conflict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Region {
    /// Who changed it.
    pub side: Side,
    /// Lines of the base.
    pub base: Range<usize>,
    /// Lines of our text.
    pub ours: Range<usize>,
    /// Lines of their text.
    pub theirs: Range<usize>,
    /// Of a conflict, where our lines and theirs differ from each other.
    apart: Vec<(Range<usize>, Range<usize>)>,
}

/// What becomes of a region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// Our lines.
    Ours,
    /// Their lines.
    Theirs,
    /// Ours, then theirs.
    Both,
    /// The lines of the base.
    Base,
    /// A section with all of them between markers.
    Marked,
}

/// How conflicts are marked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// Both sides, with what is common to them outside, as git does by default.
    Merge,
    /// Both sides and the base between them.
    Diff3,
}

/// What stands behind the markers of conflicts.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// Names our text.
    pub ours: &'a [u8],
    /// Names the base.
    pub base: &'a [u8],
    /// Names their text.
    pub theirs: &'a [u8],
}

/// A merge of two texts with a common ancestor.
#[derive(Debug)]
pub struct Merge<'a> {
    base: Vec<&'a [u8]>,
    ours: Vec<&'a [u8]>,
    theirs: Vec<&'a [u8]>,
    /// What differs from the base, in its order. Where both sides made the same change there is no region.
    pub regions: Vec<Region>,
}

impl<'a> Merge<'a> {
    /// Merges two texts.
    pub fn new(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> Merge<'a> {
        let [base, ours, theirs] = [base, ours, theirs].map(lines);
        let mut interner = Interner::new(base.len() + ours.len() + theirs.len());
        let [b, o, t] = [&base, &ours, &theirs]
            .map(|lines| lines.iter().map(|line| interner.intern(*line)).collect::<Vec<Token>>());
        let tokens = interner.num_tokens();
        let mut joined = Joined { ours: &o, theirs: &t, regions: Vec::new() };
        joined.join(changes(&b, &o, tokens), changes(&b, &t, tokens));
        let mut regions = joined.regions;
        for region in regions.iter_mut().filter(|region| region.side == Side::Conflict) {
            region.apart = apart(&o, &t, region, tokens);
        }
        regions.retain(|region| region.side != Side::Conflict || !region.apart.is_empty());
        Merge { base, ours, theirs, regions }
    }

    /// Counts the conflicts.
    pub fn conflicts(&self) -> usize {
        self.regions.iter().filter(|region| region.side == Side::Conflict).count()
    }

    /// The lines of the base that a region has.
    pub fn base(&self, region: &Region) -> &[&'a [u8]] {
        &self.base[region.base.clone()]
    }

    /// Our lines of a region.
    pub fn ours(&self, region: &Region) -> &[&'a [u8]] {
        &self.ours[region.ours.clone()]
    }

    /// Their lines of a region.
    pub fn theirs(&self, region: &Region) -> &[&'a [u8]] {
        &self.theirs[region.theirs.clone()]
    }

    /// Puts the text together in which nothing is decided but what only one side changed.
    pub fn text(&self, style: Style, labels: Labels<'_>) -> Vec<u8> {
        let choices: Vec<Choice> = self
            .regions
            .iter()
            .map(|region| match region.side {
                Side::Ours => Choice::Ours,
                Side::Theirs => Choice::Theirs,
                Side::Conflict => Choice::Marked,
            })
            .collect();
        self.chosen(&choices, style, labels)
    }

    /// Puts the text together with a choice for each region.
    ///
    /// # Panics
    /// If there is not one choice for each region.
    pub fn chosen(&self, choices: &[Choice], style: Style, labels: Labels<'_>) -> Vec<u8> {
        assert_eq!(choices.len(), self.regions.len(), "a choice for each region");
        let mut out = Out { merge: self, text: Vec::new(), labels, style };
        let mut at = 0;
        for section in self.sections(choices, style) {
            out.add(&self.ours[at..section.ours.start]);
            match section.choice {
                Choice::Ours => out.add(&self.ours[section.ours.clone()]),
                Choice::Theirs => out.add(&self.theirs[section.theirs.clone()]),
                Choice::Base => out.add(&self.base[section.base.clone()]),
                Choice::Both => {
                    out.whole(&self.ours[section.ours.clone()], out.newline(&section));
                    out.add(&self.theirs[section.theirs.clone()]);
                }
                Choice::Marked => out.marked(&section),
            }
            at = section.ours.end;
        }
        out.add(&self.ours[at..]);
        out.text
    }

    /// What is put in place of our lines. Marked regions are taken apart, and near ones joined, where that is the style.
    fn sections(&self, choices: &[Choice], style: Style) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        for (region, choice) in self.regions.iter().zip(choices) {
            let Region { base, ours, theirs, .. } = region.clone();
            if (*choice, style) != (Choice::Marked, Style::Merge) {
                sections.push(Section { choice: *choice, base, ours, theirs });
                continue;
            }
            let split = |(ours, theirs): &(Range<usize>, Range<usize>)| Section {
                choice: Choice::Marked,
                base: base.clone(),
                ours: ours.clone(),
                theirs: theirs.clone(),
            };
            // A region that the user wants marked without a conflict is whole.
            if region.apart.is_empty() {
                sections.push(Section { choice: Choice::Marked, base, ours, theirs });
            } else {
                sections.extend(region.apart.iter().map(split));
            }
        }
        if style == Style::Merge {
            sections.dedup_by(|next, section| {
                let near = section.choice == Choice::Marked
                    && next.choice == Choice::Marked
                    && self.is_near(section.ours.end..next.ours.start);
                if near {
                    section.ours.end = next.ours.end;
                    section.theirs.end = next.theirs.end;
                    section.base.end = next.base.end;
                }
                near
            });
        }
        sections
    }

    /// Tells whether lines between two conflicts are too few, or say too little, to part them.
    fn is_near(&self, between: Range<usize>) -> bool {
        let says = |line: &&[u8]| line.iter().any(u8::is_ascii_alphanumeric);
        between.len() <= NEAR_LINES || !self.ours[between].iter().any(says)
    }
}

struct Section {
    choice: Choice,
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

/// The text as it grows.
struct Out<'m, 'a> {
    merge: &'m Merge<'a>,
    text: Vec<u8>,
    labels: Labels<'m>,
    style: Style,
}

impl Out<'_, '_> {
    fn add(&mut self, lines: &[&[u8]]) {
        lines.iter().for_each(|line| self.text.extend_from_slice(line));
    }

    /// Adds lines of which the last ends in a newline afterwards.
    fn whole(&mut self, lines: &[&[u8]], newline: &[u8]) {
        self.add(lines);
        if lines.last().is_some_and(|line| !line.ends_with(b"\n")) {
            self.text.extend_from_slice(newline);
        }
    }

    fn marker(&mut self, sign: u8, label: &[u8], newline: &[u8]) {
        self.text.extend_from_slice(&[sign; 7]);
        if !label.is_empty() {
            self.text.push(b' ');
            self.text.extend_from_slice(label);
        }
        self.text.extend_from_slice(newline);
    }

    fn marked(&mut self, section: &Section) {
        let (merge, labels) = (self.merge, self.labels);
        let newline = self.newline(section);
        self.marker(b'<', labels.ours, newline);
        self.whole(&merge.ours[section.ours.clone()], newline);
        if self.style == Style::Diff3 {
            self.marker(b'|', labels.base, newline);
            self.whole(&merge.base[section.base.clone()], newline);
        }
        self.marker(b'=', b"", newline);
        self.whole(&merge.theirs[section.theirs.clone()], newline);
        self.marker(b'>', labels.theirs, newline);
    }

    /// How lines end where a section stands: as in all texts that have lines there; else with a line feed alone.
    fn newline(&self, section: &Section) -> &'static [u8] {
        let merge = self.merge;
        let before = |start: usize| start.saturating_sub(1);
        let ends = [
            returns(&merge.ours, before(section.ours.start)),
            returns(&merge.theirs, before(section.theirs.start)),
            returns(&merge.base, 0),
        ];
        // The last text that was asked decides, unless one before it has line feeds alone.
        let plain = ends.contains(&Some(false));
        if !plain && ends[2] == Some(true) { b"\r\n" } else { b"\n" }
    }
}

/// Tells whether a line ends in a carriage return and a line feed; nothing where that cannot be known.
fn returns(lines: &[&[u8]], at: usize) -> Option<bool> {
    let line = lines.get(at)?;
    match (line.ends_with(b"\n"), at.checked_sub(1)) {
        (true, _) => Some(line.ends_with(b"\r\n")),
        (false, Some(above)) => Some(lines[above].ends_with(b"\r\n")),
        (false, None) => None,
    }
}

/// Regions as they are joined from the changes of both sides.
struct Joined<'t> {
    ours: &'t [Token],
    theirs: &'t [Token],
    regions: Vec<Region>,
}

impl Joined<'_> {
    fn join(&mut self, ours: Vec<Change>, theirs: Vec<Change>) {
        let (mut our, mut their) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
        // How much further than in the base a line is in our text, and in theirs.
        let (mut our_shift, mut their_shift) = (0, 0);
        loop {
            let (ours_done, theirs_done) = match (our.peek(), their.peek()) {
                (None, None) => return,
                (Some(ours), None) => {
                    self.one(Side::Ours, ours, their_shift);
                    (true, false)
                }
                (None, Some(theirs)) => {
                    self.one(Side::Theirs, theirs, our_shift);
                    (false, true)
                }
                (Some(ours), Some(theirs)) if ours.before.end < theirs.before.start => {
                    self.one(Side::Ours, ours, their_shift);
                    (true, false)
                }
                (Some(ours), Some(theirs)) if theirs.before.end < ours.before.start => {
                    self.one(Side::Theirs, theirs, our_shift);
                    (false, true)
                }
                (Some(ours), Some(theirs)) => {
                    let same = ours.before == theirs.before
                        && self.ours[ours.after.clone()] == self.theirs[theirs.after.clone()];
                    if !same {
                        self.both(ours, theirs);
                    }
                    let (ours_end, theirs_end) = (ours.before.end, theirs.before.end);
                    (ours_end <= theirs_end, theirs_end <= ours_end)
                }
            };
            let shift = |change: Change| change.after.end as isize - change.before.end as isize;
            if ours_done {
                our_shift = our.next().map_or(our_shift, shift);
            }
            if theirs_done {
                their_shift = their.next().map_or(their_shift, shift);
            }
        }
    }

    /// A change of one side; the other has its lines `shift` lines further than the base.
    fn one(&mut self, side: Side, change: &Change, shift: isize) {
        let moved = |line: usize| line.saturating_add_signed(shift);
        let other = moved(change.before.start)..moved(change.before.end);
        let (ours, theirs) = match side {
            Side::Ours => (change.after.clone(), other),
            _ => (other, change.after.clone()),
        };
        self.append(side, change.before.clone(), ours, theirs);
    }

    /// Changes that touch: a region as far as either reaches, each text with its own lines for it.
    fn both(&mut self, ours: &Change, theirs: &Change) {
        let base = ours.before.start.min(theirs.before.start)..ours.before.end.max(theirs.before.end);
        let reach = |change: &Change| {
            // Where an earlier change has taken lines before it, the region is joined with that one's.
            let start = change.after.start.saturating_sub(change.before.start - base.start);
            start..change.after.end + (base.end - change.before.end)
        };
        let (ours, theirs) = (reach(ours), reach(theirs));
        self.append(Side::Conflict, base, ours, theirs);
    }

    fn append(&mut self, side: Side, base: Range<usize>, ours: Range<usize>, theirs: Range<usize>) {
        match self.regions.last_mut() {
            Some(last) if ours.start <= last.ours.end || theirs.start <= last.theirs.end => {
                if last.side != side {
                    last.side = Side::Conflict;
                }
                (last.base.end, last.ours.end, last.theirs.end) = (base.end, ours.end, theirs.end);
            }
            _ => self.regions.push(Region { side, base, ours, theirs, apart: Vec::new() }),
        }
    }
}

/// Where the lines of a conflict differ from each other; nowhere where both sides came to the same.
fn apart(
    ours: &[Token],
    theirs: &[Token],
    region: &Region,
    tokens: u32,
) -> Vec<(Range<usize>, Range<usize>)> {
    if region.ours.is_empty() || region.theirs.is_empty() {
        return vec![(region.ours.clone(), region.theirs.clone())];
    }
    let within = changes(&ours[region.ours.clone()], &theirs[region.theirs.clone()], tokens);
    let placed = |range: Range<usize>, start: usize| range.start + start..range.end + start;
    let place = |change: Change| {
        (placed(change.before, region.ours.start), placed(change.after, region.theirs.start))
    };
    within.into_iter().map(place).collect()
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
