//! Explanations for people.
//!
//! Pure. The name and what it leads to come first, then the rule that decided, then every rule before it with its
//! reason: the order in which a reader stops asking.

use std::collections::HashMap;

use super::words;
use crate::client::dates::Dates;
use crate::client::failure::{kind_name, text};
use crate::client::pname;
use crate::server::proto::explained_name::Object;
use crate::server::proto::explanation::Finding;
use crate::server::proto::{
    ElementState, ExplainedAbsence, ExplainedElement, ExplainedHistory, ExplainedName, ExplainedPrivate,
    ExplainedRule, ExplainedSighting, ExplainedSymlink, Explanation, PrivateKind, RuleTrail,
};

/// Rule texts up to this width in bytes stand in a column.
const RULE_FIELD_MAX: usize = 60;

/// The lines about a path, without their newlines.
pub fn lines(explanation: &Explanation, typed: &[u8], dates: &Dates) -> Vec<Vec<u8>> {
    let mut page = Page { view_tag: &explanation.view_tag, dates, lines: Vec::new() };
    let subject = subject(explanation, typed);
    let mut depth = 0;
    if !explanation.below.is_empty() || !explanation.links.is_empty() {
        depth = 1;
        let verdict: &[&[u8]] = match (explanation.below.is_empty(), words::is_whole(explanation)) {
            (true, _) => &[b":"],
            (false, true) => &[b": not visible, because of \"", &subject, b"\":"],
            (false, false) => &[b": no view decides what is behind \"", &subject, b"\":"],
        };
        page.line(0, &[typed, &text(verdict)]);
    }
    for link in &explanation.links {
        page.line(depth, &[b"symbolic link ", &link.path, b" --> ", &link.target]);
    }
    match &explanation.finding {
        Some(Finding::Name(name)) => page.name(depth, &subject, name),
        Some(Finding::Private(private)) => page.private(depth, &subject, private),
        Some(Finding::History(history)) => page.history(depth, &subject, history),
        Some(Finding::Absence(absence)) => page.absence(depth, &subject, absence),
        Some(Finding::Unmounted(_)) => {
            page.line(
                depth,
                &[&subject, b": not visible: VOB \"", &explanation.vob_tag, b"\" is not mounted"],
            );
        }
        None => page.line(depth, &[&subject, b": the daemon gave no explanation"]),
    }
    page.lines
}

/// The path explained, as the user would type it.
fn subject(explanation: &Explanation, typed: &[u8]) -> Vec<u8> {
    let head = typed.strip_suffix(&explanation.below[..]).filter(|_| explanation.links.is_empty());
    match head {
        Some(head @ ([.., b'/'] | [_, ..])) => match head.strip_suffix(b"/") {
            Some(name) if !name.is_empty() => name.to_vec(),
            _ => head.to_vec(),
        },
        _ => explanation.path.clone(),
    }
}

struct Page<'a> {
    view_tag: &'a str,
    dates: &'a Dates,
    lines: Vec<Vec<u8>>,
}

impl Page<'_> {
    fn line(&mut self, depth: usize, pieces: &[&[u8]]) {
        self.lines.push([&b"  ".repeat(depth)[..], &text(pieces)].concat());
    }

    /// What a name leads to, and what a checkout would do with it.
    fn name(&mut self, depth: usize, name: &[u8], told: &ExplainedName) {
        self.choice(depth, name, told);
        let element = words::element(told).filter(|element| element.state() == ElementState::Version);
        let Some((forecast, element)) =
            element.and_then(|element| Some((element.forecast.as_ref()?, element)))
        else {
            return;
        };
        if let Some(words) = words::forecast(forecast, &element.version) {
            self.line(depth + 1, &[b"checkout ", &words]);
        }
    }

    /// What a name leads to, and why.
    fn choice(&mut self, depth: usize, name: &[u8], told: &ExplainedName) {
        let trail = told.trail.clone().unwrap_or_default();
        match &told.object {
            Some(Object::Element(element)) => {
                self.element(depth, name, element, &trail);
                let selects = matches!(
                    element.state(),
                    ElementState::Version | ElementState::CheckedOut | ElementState::CheckedOutButRemoved
                );
                let words = if selects { "selected by" } else { "decided by" };
                self.trail(depth + 1, Some(element), &trail, words);
            }
            Some(Object::Symlink(link)) => self.symlink(depth, name, link, &trail),
            None => self.line(depth, &[name, b": the daemon did not say what it is"]),
        }
    }

    fn element(&mut self, depth: usize, name: &[u8], element: &ExplainedElement, trail: &RuleTrail) {
        let (of_element, of_version): (&[u8], &[u8]) = match element.directory {
            true => (b"directory element", b"directory version"),
            false => (b"file element", b"version"),
        };
        let facts = |kind: &[u8]| {
            text(&[b"  (", kind, b"; type ", &element.element_type, b"; oid ", element.oid.as_bytes(), b")"])
        };
        let candidates = || {
            let listed = element.candidates.join(&b", "[..]);
            text(&[b": error on access: the rule fits several versions: ", &listed])
        };
        let from = |before: &str, after: &str| {
            text(&[before.as_bytes(), &element.checked_out_from, after.as_bytes()])
        };
        let (what, kind) = match element.state() {
            ElementState::Version => (text(&[b" -> ", name, b"@@", &element.version]), of_version),
            ElementState::CheckedOut => {
                (text(&[b" -> ", name, b"@@", &element.checkout, &from(" from ", "")]), of_version)
            }
            ElementState::CheckedOutButRemoved => (
                from(": not visible: checked out from ", ", but the view-private copy was removed"),
                of_element,
            ),
            ElementState::NotSelected if trail.decided_by.is_some() => {
                (b": not visible: a rule says -none".to_vec(), of_element)
            }
            ElementState::NotSelected => (b": not visible: no rule selects a version".to_vec(), of_element),
            ElementState::Error => (b": error on access: a rule says -error".to_vec(), of_element),
            ElementState::Ambiguous => (candidates(), of_element),
            ElementState::Unspecified => (b": the daemon did not say what is selected".to_vec(), of_element),
        };
        self.line(depth, &[name, &what, &facts(kind)]);
        let is_hidden =
            !matches!(element.state(), ElementState::CheckedOut | ElementState::CheckedOutButRemoved);
        if is_hidden && !element.checkout.is_empty() {
            let words = from("checked out to this view from ", ", but the rules do not select the checkout");
            self.line(depth + 1, &[&words]);
        }
    }

    fn symlink(&mut self, depth: usize, name: &[u8], link: &ExplainedSymlink, trail: &RuleTrail) {
        match trail.decided_by.is_some() {
            true => self.line(depth, &[name, b" --> ", &link.target, b"  (VOB symbolic link)"]),
            false => self.line(
                depth,
                &[
                    name,
                    b": not visible: a VOB symbolic link (--> ",
                    &link.target,
                    b") that no rule's pattern matches",
                ],
            ),
        }
        self.trail(depth + 1, None, trail, "shown by the pattern of");
    }

    fn private(&mut self, depth: usize, name: &[u8], private: &ExplainedPrivate) {
        let arrow: &[u8] = if private.kind() == PrivateKind::SymbolicLink { b" --> " } else { b"" };
        let kind = words::private_kind(private.kind());
        self.line(
            depth,
            &[name, arrow, &private.link_target, b"  (", kind.as_bytes(), b"; no rule is asked)"],
        );
        if let Some(hidden) = &private.hides {
            self.line(depth + 1, &[b"eclipses what the VOB has by this name:"]);
            self.choice(depth + 2, name, hidden);
        }
    }

    fn history(&mut self, depth: usize, name: &[u8], history: &ExplainedHistory) {
        let kind = kind_name(history.kind());
        let blank: &[u8] = if history.extension.is_empty() { b"" } else { b" " };
        let facts = text(&[kind.as_bytes(), blank, &history.extension, b"; oid ", history.oid.as_bytes()]);
        self.line(depth, &[name, b"  (", &facts, b"; named by its history, no rule is asked)"]);
    }

    fn absence(&mut self, depth: usize, name: &[u8], absence: &ExplainedAbsence) {
        let directory = directory_of(name);
        let shown = absence.directory.as_ref().and_then(words::element);
        let version = shown.map_or(&b""[..], |element| match element.version.is_empty() {
            true => &element.checkout,
            false => &element.version,
        });
        let where_not = text(&[directory, b"@@", version]);
        self.line(
            depth,
            &[name, b": not visible: not catalogued in ", &where_not, b", which the view selects"],
        );
        if absence.sightings.is_empty() {
            self.line(depth + 1, &[b"catalogued in no version of the directory that was read"]);
        } else {
            self.line(depth + 1, &[b"catalogued in:"]);
        }
        for sighting in &absence.sightings {
            self.sighting(depth + 2, directory, sighting);
        }
        if absence.search_cut {
            let read = absence.versions_read;
            let words =
                format!("only {read} versions of the directory were read: older ones may have the name too");
            self.line(depth + 1, &[words.as_bytes()]);
        }
        if let Some(selected) = &absence.directory {
            self.line(depth + 1, &[b"the directory:"]);
            self.choice(depth + 2, directory, selected);
        }
    }

    fn sighting(&mut self, depth: usize, directory: &[u8], sighting: &ExplainedSighting) {
        let mut line = text(&[directory, b"@@", &sighting.directory_version]);
        if !sighting.view_tag.is_empty() {
            line.extend(text(&[b" (view \"", sighting.view_tag.as_bytes(), b"\")"]));
        }
        line.extend(text(&[b"  ", kind_name(sighting.kind()).as_bytes()]));
        if !sighting.link_target.is_empty() {
            line.extend(text(&[b" --> ", &sighting.link_target]));
        }
        line.extend(text(&[b", oid ", sighting.oid.as_bytes()]));
        for (words, version) in [("; added in ", &sighting.added_in), ("; removed in ", &sighting.removed_in)]
        {
            if !version.is_empty() {
                line.extend(text(&[words.as_bytes(), version]));
            }
        }
        self.line(depth, &[&line]);
        if !sighting.shown_as.is_empty() {
            self.line(depth + 1, &[b"the view shows that element as ", &sighting.shown_as]);
        }
    }

    fn trail(&mut self, depth: usize, element: Option<&ExplainedElement>, trail: &RuleTrail, selected: &str) {
        if let Some(rule) = &trail.decided_by {
            let place = [&rule.file[..], b":", rule.line.to_string().as_bytes()].concat();
            self.line(depth, &[selected.as_bytes(), b"  ", &place, b"  ", &rule_text(rule)]);
            if let Some(time_s) = rule.not_after_s {
                let cut_off = self.dates.full(time_s);
                self.line(depth + 1, &[b"LATEST is the newest not after ", cut_off.as_bytes()]);
            }
        }
        if trail.missed.is_empty() {
            return;
        }
        let head: &[u8] = if trail.decided_by.is_some() { b"rules before it:" } else { b"rules:" };
        self.line(depth, &[head]);
        let rules = || trail.missed.iter().filter_map(|missed| missed.rule.as_ref());
        let places = places(rules().chain(&trail.decided_by));
        let place = |rule: &ExplainedRule| {
            let file = places.get(&rule.file[..]).copied().unwrap_or(&rule.file);
            text(&[file, b":", rule.line.to_string().as_bytes()])
        };
        let widest = |widths: &mut dyn Iterator<Item = usize>| widths.filter(|w| *w <= RULE_FIELD_MAX).max();
        let place_field = widest(&mut rules().map(|rule| place(rule).len())).unwrap_or(0);
        let rule_field = widest(&mut rules().map(|rule| rule_text(rule).len())).unwrap_or(0);
        for missed in &trail.missed {
            let rule = missed.rule.clone().unwrap_or_default();
            let why = words::miss(missed, element, self.view_tag, self.dates);
            let (place, rule) = (padded(place(&rule), place_field), padded(rule_text(&rule), rule_field));
            self.line(depth + 1, &[&place, b"  ", &rule, b"  ", &why]);
        }
    }
}

/// The rule as written; a block's branch follows in brackets.
fn rule_text(rule: &ExplainedRule) -> Vec<u8> {
    match rule.imposed_branch {
        true => text(&[&rule.text, b" [-mkbranch ", &rule.make_branch, b"]"]),
        false => rule.text.clone(),
    }
}

fn padded(mut words: Vec<u8>, field: usize) -> Vec<u8> {
    words.resize(words.len().max(field), b' ');
    words
}

/// What to call each file in a list of rules: its last name, where no two files share it.
fn places<'a>(rules: impl Iterator<Item = &'a ExplainedRule>) -> HashMap<&'a [u8], &'a [u8]> {
    let leaf = |file: &'a [u8]| file.rsplit(|byte| *byte == b'/').next().unwrap_or(file);
    let mut owners: HashMap<&[u8], &[u8]> = HashMap::new();
    let mut places = HashMap::new();
    for rule in rules {
        let file = &rule.file[..];
        let owner = *owners.entry(leaf(file)).or_insert(file);
        if owner != file {
            places.insert(owner, owner);
        }
        let place = if owner == file { leaf(file) } else { file };
        places.entry(file).or_insert(place);
    }
    places
}

/// The directory in which a typed name is.
fn directory_of(name: &[u8]) -> &[u8] {
    let name = pname::without_version(name);
    match name.iter().rposition(|byte| *byte == b'/') {
        Some(0) => b"/",
        Some(end) => &name[..end],
        None => b".",
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
