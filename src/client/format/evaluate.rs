//! Prints an object's facts as a format says.

use super::facts::{Facts, Happened, PRIVATE, selector_prefix};
use super::parse::{Conversion, Format, Key, Modifiers, Piece};
use super::property;
use crate::client::dates::Dates;
use crate::client::failure::kind_name;
use crate::server::proto::{Attribute, ObjectKind};

/// How many labels `%Cl` shows without a limit of its own.
const MAX_LABELS: usize = 3;
/// Columns from one tab stop to the next.
const TAB_WIDTH: usize = 8;
/// Ages in days at which the bars of `%BAd` and `%OAd` change their length by one.
const AGE_STEPS_DAYS: [i64; 4] = [7, 30, 90, 365];

impl Format {
    /// Prints an object. No newline is added.
    pub fn print(&self, facts: &Facts, dates: &Dates) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Value(conversion) if conversion.key == Key::Column => advance(&mut out, conversion),
                Piece::Value(conversion) => {
                    let value = value(conversion, facts, dates);
                    // Of labels the limit is their number.
                    let counts = conversion.key == Key::Labels && conversion.modifiers.has(b'C');
                    let max = conversion.max.filter(|_| !counts);
                    out.extend_from_slice(&fit(&value, conversion.left, conversion.min, max));
                }
            }
        }
        out
    }
}

fn value(conversion: &Conversion, facts: &Facts, dates: &Dates) -> Vec<u8> {
    let modifiers = conversion.modifiers;
    let none = Happened::default();
    let happened = facts.happened.as_ref().unwrap_or(&none);
    let is_known = facts.happened.is_some();
    match conversion.key {
        Key::Attributes => attributes(modifiers, &conversion.parameter, facts.attributes(), dates),
        Key::Comment => match (happened.comment.as_slice(), modifiers.has(b'N')) {
            (b"", _) => Vec::new(),
            (text, true) => text.to_vec(),
            (text, false) => [text, b"\n"].concat(),
        },
        Key::Date if is_known => date(modifiers, happened.time_s, dates),
        Key::Date => Vec::new(),
        Key::Event => happened.phrase.clone(),
        Key::CheckedOutFrom => checked_out_from(modifiers, &conversion.parameter, facts),
        Key::Host => happened.person.host.clone().into_bytes(),
        Key::Indentation => {
            let step = number(&conversion.parameter).unwrap_or(1);
            vec![b' '; facts.level.saturating_mul(step).min(1 << 20)]
        }
        Key::Labels => labels(modifiers, conversion.max, facts.labels()),
        Key::Kind if facts.kind == PRIVATE => Vec::new(),
        Key::Kind if modifiers.has(b'K') => selector_kind(facts.kind).as_bytes().to_vec(),
        Key::Kind => kind_name(facts.kind).as_bytes().to_vec(),
        Key::Name => name(modifiers, facts),
        Key::Operation => happened.operation.as_bytes().to_vec(),
        Key::Property(property) => property::print(property, modifiers, &conversion.parameter, facts),
        Key::User => user(modifiers, happened).into_bytes(),
        Key::Column => Vec::new(),
    }
}

fn attributes(modifiers: Modifiers, only: &[u8], all: &[Attribute], dates: &Dates) -> Vec<u8> {
    let wanted = all.iter().filter(|held| only.is_empty() || held.r#type == only);
    let shown = wanted.map(|held| {
        let value = match held.time_s {
            Some(time_s) => dates.full(time_s).into_bytes(),
            None => held.value.clone(),
        };
        if modifiers.has(b'S') { value } else { [&held.r#type[..], b"=", &value].concat() }
    });
    listed(shown.collect(), modifiers.has(b'N'))
}

fn labels(modifiers: Modifiers, max: Option<usize>, labels: &[Vec<u8>]) -> Vec<u8> {
    let limit = match modifiers.has(b'C') {
        true => max.unwrap_or(MAX_LABELS),
        false => labels.len(),
    };
    let mut shown: Vec<Vec<u8>> = labels.iter().take(limit).cloned().collect();
    if shown.len() < labels.len() {
        shown.push(b"...".to_vec());
    }
    listed(shown, modifiers.has(b'N'))
}

/// `(A, B)`, or `A B` when it is bare; nothing for nothing.
fn listed(items: Vec<Vec<u8>>, bare: bool) -> Vec<u8> {
    match (items.is_empty(), bare) {
        (true, _) => Vec::new(),
        (false, true) => items.join(&b' '),
        (false, false) => [b"(", &items.join(&b", "[..])[..], b")"].concat(),
    }
}

fn date(modifiers: Modifiers, time_s: i64, dates: &Dates) -> Vec<u8> {
    let bar = |steps: usize| "#".repeat(steps);
    let age_days = dates.age_days(time_s);
    let older = AGE_STEPS_DAYS.iter().filter(|days| age_days > **days).count();
    let has = |letter: u8| modifiers.has(letter);
    let text = if has(b'B') {
        bar(AGE_STEPS_DAYS.len() - older + 1)
    } else if has(b'O') {
        bar(older + 1)
    } else if has(b'A') && has(b'M') {
        dates.age_months(time_s).to_string()
    } else if has(b'A') {
        age_days.to_string()
    } else if has(b'M') {
        dates.age_months(time_s).to_string()
    } else if has(b'N') {
        let numeric = dates.numeric(time_s);
        let day = if has(b'S') { &numeric[..numeric.find('.').unwrap_or(numeric.len())] } else { &numeric };
        day.to_owned()
    } else if has(b'V') {
        format!("{} {}", dates.weekday(time_s), dates.full(time_s))
    } else if has(b'S') {
        dates.day(time_s)
    } else {
        dates.full(time_s)
    };
    text.into_bytes()
}

fn checked_out_from(modifiers: Modifiers, before: &[u8], facts: &Facts) -> Vec<u8> {
    let Some(checkout) = facts.checkout() else { return Vec::new() };
    if modifiers.has(b'R') {
        let state: &[u8] = if checkout.reserved { b"reserved" } else { b"unreserved" };
        state.to_vec()
    } else if modifiers.has(b'U') {
        checkout.view_uuid.clone().into_bytes()
    } else if modifiers.has(b'T') {
        match checkout.view_tag.as_str() {
            "" => b"<No-tag-in-region>".to_vec(),
            tag => tag.as_bytes().to_vec(),
        }
    } else if modifiers.has(b'M') {
        b"mastered".to_vec()
    } else {
        [before, facts.predecessor()].concat()
    }
}

fn user(modifiers: Modifiers, happened: &Happened) -> String {
    let person = &happened.person;
    if modifiers.has(b'F') && !person.full_name.is_empty() {
        person.full_name.clone()
    } else if modifiers.has(b'G') {
        person.group.clone()
    } else if modifiers.has(b'L') && !person.group.is_empty() {
        format!("{}.{}", person.login, person.group)
    } else {
        person.login.clone()
    }
}

fn name(modifiers: Modifiers, facts: &Facts) -> Vec<u8> {
    if modifiers.has(b'D') {
        return facts.identity().map(|identity| identity.dbid.to_string().into_bytes()).unwrap_or_default();
    }
    if modifiers.has(b'O') {
        let oid = facts.identity().map(|identity| dotted(&identity.oid));
        return oid.unwrap_or_default().into_bytes();
    }
    if modifiers.has(b'E') {
        return facts.name.clone();
    }
    let has_versions =
        matches!(facts.kind, ObjectKind::Version | ObjectKind::DirectoryVersion | ObjectKind::Branch);
    let of_predecessor = modifiers.has(b'P');
    let extension = if of_predecessor { facts.predecessor() } else { &facts.extension[..] };
    if of_predecessor && extension.is_empty() {
        return Vec::new();
    }
    if modifiers.has(b'V') || modifiers.has(b'S') {
        return if has_versions { extension.to_vec() } else { Vec::new() };
    }
    if modifiers.has(b'L') {
        return match has_versions {
            true => leaf(extension).to_vec(),
            false => leaf(&facts.name).to_vec(),
        };
    }
    match (of_predecessor, modifiers.has(b'X')) {
        (true, _) => facts.extended(extension),
        (false, true) => facts.selector(),
        (false, false) => facts.full_name(),
    }
}

/// The last name of a path.
pub(super) fn leaf(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').find(|name| !name.is_empty()).unwrap_or(path)
}

fn selector_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Version | ObjectKind::DirectoryVersion => "version",
        ObjectKind::FileElement | ObjectKind::DirectoryElement => "element",
        ObjectKind::Branch => "branch",
        ObjectKind::SymbolicLink => "slink",
        ObjectKind::DerivedObject => "do",
        kind => selector_prefix(kind).unwrap_or_default(),
    }
}

/// 32 hexadecimal digits as the product writes them: `9ac6856f.c9af11eb.9851.52:54:00:7f:63:a5`.
pub fn dotted(digits: &str) -> String {
    if digits.len() != 32 || !digits.is_ascii() {
        return digits.to_owned();
    }
    let pairs: Vec<&str> = (20..32).step_by(2).map(|at| &digits[at..at + 2]).collect();
    format!("{}.{}.{}.{}", &digits[..8], &digits[8..16], &digits[16..20], pairs.join(":"))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Moves on to a column of the line: the given one, or the next tab stop. `%Nt`, `%St` and `%Tt` print a newline, a
/// blank and a tab.
fn advance(out: &mut Vec<u8>, conversion: &Conversion) {
    for (letter, byte) in [(b'N', b'\n'), (b'S', b' '), (b'T', b'\t')] {
        if conversion.modifiers.has(letter) {
            out.push(byte);
            return;
        }
    }
    let start = out.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let mut at = 0;
    for letter in letters(&out[start..]) {
        at = if letter == b"\t" { (at / TAB_WIDTH + 1) * TAB_WIDTH } else { at + 1 };
    }
    let wanted = number(&conversion.parameter).unwrap_or((at / TAB_WIDTH + 1) * TAB_WIDTH);
    out.resize(out.len() + wanted.saturating_sub(at), b' ');
}

/// Cuts a value from the right to its greatest width and fills it up to its smallest.
fn fit(value: &[u8], left: bool, min: usize, max: Option<usize>) -> Vec<u8> {
    if min == 0 && max.is_none() {
        return value.to_vec();
    }
    let letters = letters(value);
    let shown = &letters[..letters.len().min(max.unwrap_or(usize::MAX))];
    let blanks = vec![b' '; min.saturating_sub(shown.len())];
    let text = shown.concat();
    if left { [text, blanks].concat() } else { [blanks, text].concat() }
}

/// What takes one column each: characters, and bytes that are none.
fn letters(text: &[u8]) -> Vec<&[u8]> {
    let mut letters = Vec::new();
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid();
        letters
            .extend(valid.char_indices().map(|(at, letter)| &valid.as_bytes()[at..at + letter.len_utf8()]));
        letters.extend(chunk.invalid().chunks(1));
    }
    letters
}
