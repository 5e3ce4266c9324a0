//! How differences between texts and between directories are written: in two columns, one after the other, or as UNIX
//! `diff` does.
//!
//! Pure. `diff` and `merge` share it: a difference has a header that says which lines it is about, and the lines.

use super::commands::exclusive;
use super::options::{Arguments, OptionSpec, flag, value};
use super::session::CommandError;
use crate::merge::text::Change;
use std::ops::Range;

/// The line above and below the names of what is compared.
pub const RULER: &[u8] = b"********************************";

/// Columns where nothing says how wide the window is.
const WINDOW_COLUMNS: usize = 80;
/// Columns below which two texts do not fit side by side.
const COLUMNS_MIN: usize = 20;
const TAB_COLUMNS: usize = 8;

/// The options that say how differences are written.
pub const FORMAT_OPTIONS: &[OptionSpec] = &[
    flag("g/raphical"),
    flag("tin/y"),
    flag("win/dow"),
    flag("hst/ack"),
    flag("vst/ack"),
    flag("ser/ial_format"),
    flag("dif/f_format"),
    value("col/umns"),
    value("opt/ions"),
];

/// How differences are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Side by side in a window of so many columns.
    Columns(usize),
    /// One after the other.
    Serial,
    /// As UNIX `diff`.
    Diff,
}

/// What `-options` passes on to the comparison.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Details {
    /// Nothing is printed.
    pub status_only: bool,
    /// Only the headers of differences are printed.
    pub headers_only: bool,
    /// Blanks at the end of lines, and how many stand together, do not count.
    pub blank_ignore: bool,
    /// The names of what is compared are not printed.
    pub quiet: bool,
    /// Conflicts are marked without the base, as git does by default.
    pub git_markers: bool,
}

impl Format {
    /// Reads the options.
    ///
    /// # Errors
    /// Two of them that exclude each other, or a number of columns that is none.
    pub fn of(arguments: &Arguments) -> Result<Format, CommandError> {
        exclusive(arguments, &["serial_format", "diff_format", "columns", "graphical"])?;
        if arguments.has("serial_format") {
            return Ok(Format::Serial);
        }
        if arguments.has("diff_format") {
            return Ok(Format::Diff);
        }
        let asked = arguments.value("columns").map(|_| arguments.text("columns"));
        let window = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let columns = match asked {
            None => window().unwrap_or(WINDOW_COLUMNS),
            Some(asked) => asked.parse().map_err(|_| {
                CommandError::Usage(format!("Option -columns needs a number, not \"{asked}\""))
            })?,
        };
        Ok(Format::Columns(columns.max(COLUMNS_MIN)))
    }
}

impl Details {
    /// Reads the words of `-options`.
    ///
    /// # Errors
    /// A word that is none of them.
    pub fn of(arguments: &Arguments) -> Result<Details, CommandError> {
        let mut details = Details::default();
        for word in arguments.text("options").split_whitespace() {
            let known = match word {
                "-status_only" => &mut details.status_only,
                "-headers_only" => &mut details.headers_only,
                "-blank_ignore" | "-b" => &mut details.blank_ignore,
                "-quiet" => &mut details.quiet,
                "-git_markers" => &mut details.git_markers,
                other => {
                    return Err(CommandError::Usage(format!("Unrecognized option \"{other}\" in -options")));
                }
            };
            *known = true;
        }
        Ok(details)
    }
}

/// The names of what is compared, between rulers: the first behind `<<<`, the others behind `>>>`.
pub fn names(what: &str, names: &[&[u8]]) -> Vec<u8> {
    let mut out = [RULER, b"\n"].concat();
    for (at, name) in names.iter().enumerate() {
        let sign = if at == 0 { "<<<" } else { ">>>" };
        out.extend_from_slice(format!("{sign} {what} {}: ", at + 1).as_bytes());
        out.extend_from_slice(name);
        out.push(b'\n');
    }
    [&out[..], RULER, b"\n"].concat()
}

/// A line of a text for comparison, where blanks do not count.
pub fn without_blanks(line: &[u8]) -> Vec<u8> {
    let mut bare = Vec::with_capacity(line.len());
    for byte in line {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' if bare.last() == Some(&b' ') => {}
            b' ' | b'\t' | b'\r' | b'\n' => bare.push(b' '),
            byte => bare.push(*byte),
        }
    }
    if bare.last() == Some(&b' ') {
        bare.pop();
    }
    bare
}

/// Line numbers from 1: `8` or `8-9`; of no lines, the number of the one before.
pub fn numbers(lines: &Range<usize>, between: &str) -> String {
    match lines.len() {
        0 => lines.start.to_string(),
        1 => (lines.start + 1).to_string(),
        _ => format!("{}{between}{}", lines.start + 1, lines.end),
    }
}

/// Writes one difference. `of` stands behind the numbers of the second text, such as ` file 2`.
pub fn difference(
    format: Format,
    headers_only: bool,
    change: &Change,
    (before, after): (&[&[u8]], &[&[u8]]),
    of: &str,
) -> Vec<u8> {
    let (old, new) = (numbers(&change.before, "-"), numbers(&change.after, "-"));
    let (whole, short) = match (change.before.is_empty(), change.after.is_empty()) {
        (true, _) => (format!("after {old} inserted {new}{of}"), format!("inserted {new}{of}")),
        (_, true) => (format!("deleted {old} after {new}{of}"), format!("deleted{of}")),
        _ => (format!("{old} changed to {new}{of}"), format!("changed to {new}{of}")),
    };
    match format {
        Format::Columns(columns) => {
            let mut out = bracketed(columns, &whole, &short);
            if !headers_only {
                out.extend(side_by_side(columns, before, after));
            }
            out
        }
        Format::Serial => {
            let mut out = format!("-----[{whole}]-----\n").into_bytes();
            if !headers_only {
                out.extend(one_after_the_other(before, after, false));
            }
            out
        }
        Format::Diff => {
            let letter = match (change.before.is_empty(), change.after.is_empty()) {
                (true, _) => 'a',
                (_, true) => 'd',
                _ => 'c',
            };
            let (old, new) = (numbers(&change.before, ","), numbers(&change.after, ","));
            let mut out = format!("{old}{letter}{new}\n").into_bytes();
            if !headers_only {
                out.extend(one_after_the_other(before, after, true));
            }
            out
        }
    }
}

/// Lines behind `<`, a line of dashes where both sides have some, and lines behind `>`.
pub fn one_after_the_other(before: &[&[u8]], after: &[&[u8]], tell_of_newlines: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut side = |sign: &[u8], lines: &[&[u8]]| {
        for line in lines {
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            out.extend_from_slice(&[sign, bare, b"\n"].concat());
            if bare.len() == line.len() && tell_of_newlines {
                out.extend_from_slice(b"\\ No newline at end of file\n");
            }
        }
    };
    side(b"< ", before);
    if !before.is_empty() && !after.is_empty() {
        side(b"", &[b"---\n"]);
    }
    side(b"> ", after);
    out
}

/// The header of a difference above two columns.
pub fn bracketed(columns: usize, left: &str, right: &str) -> Vec<u8> {
    let width = (columns - 1) / 2;
    let part = |text: &str| {
        let text: String = format!("[{text}]").chars().take(width).collect();
        format!("{text:-^width$}")
    };
    format!("{}|{}\n", part(left), part(right)).into_bytes()
}

/// Two columns of lines, cut to their width.
pub fn side_by_side(columns: usize, before: &[&[u8]], after: &[&[u8]]) -> Vec<u8> {
    let width = (columns - 1) / 2;
    let mut out = Vec::new();
    for at in 0..before.len().max(after.len()) {
        let cell = |lines: &[&[u8]]| lines.get(at).map(|line| expanded(line, width)).unwrap_or_default();
        let (left, right) = (cell(before), cell(after));
        out.extend_from_slice(left.as_bytes());
        out.resize(out.len() + width - left.chars().count(), b' ');
        out.push(b'|');
        out.extend_from_slice(right.as_bytes());
        out.push(b'\n');
    }
    out
}

/// A line as it is shown in a column: tabs are blanks, what cannot be shown is a dot.
fn expanded(line: &[u8], width: usize) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (mut shown, mut length) = (String::new(), 0);
    for letter in String::from_utf8_lossy(line).chars() {
        let count = if letter == '\t' { TAB_COLUMNS - length % TAB_COLUMNS } else { 1 };
        if length + count > width {
            break;
        }
        match letter {
            '\t' => shown.extend(std::iter::repeat_n(' ', count)),
            letter if letter.is_control() => shown.push('.'),
            letter => shown.push(letter),
        }
        length += count;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(
        format: Format,
        before: Range<usize>,
        after: Range<usize>,
        lines: (&[&[u8]], &[&[u8]]),
    ) -> String {
        String::from_utf8(difference(format, false, &Change { before, after }, lines, "")).unwrap()
    }

    #[test]
    fn differences_are_written_in_three_ways() {
        let change = (&[&b"one\n"[..], b"t\two\n"][..], &[&b"uno"[..]][..]);
        assert_eq!(
            told(Format::Serial, 7..9, 7..8, change),
            "-----[8-9 changed to 8]-----\n< one\n< t\two\n---\n> uno\n"
        );
        assert_eq!(
            told(Format::Diff, 7..9, 7..8, change),
            "8,9c8\n< one\n< t\two\n---\n> uno\n\\ No newline at end of file\n"
        );
        assert_eq!(
            told(Format::Columns(41), 7..9, 7..8, change),
            "-[8-9 changed to 8]-|---[changed to 8]---\none                 |uno\nt       wo          |\n"
        );
        let added = (&[][..], &[&b"x\n"[..], b"y\n"][..]);
        assert_eq!(
            told(Format::Serial, 20..20, 19..21, added),
            "-----[after 20 inserted 20-21]-----\n> x\n> y\n"
        );
        assert_eq!(told(Format::Diff, 20..20, 19..21, added), "20a20,21\n> x\n> y\n");
        let gone = (&[&b"x\n"[..], b"y\n"][..], &[][..]);
        assert_eq!(
            told(Format::Serial, 29..31, 29..29, gone),
            "-----[deleted 30-31 after 29]-----\n< x\n< y\n"
        );
        assert_eq!(told(Format::Diff, 29..31, 29..29, gone), "30,31d29\n< x\n< y\n");
    }

    #[test]
    fn blanks_are_left_out_where_they_do_not_count() {
        assert_eq!(without_blanks(b"a \t b  \r\n"), b"a b");
        assert_eq!(without_blanks(b"  a\n"), b" a");
        assert_eq!(without_blanks(b"\n"), b"");
    }

    #[test]
    fn long_and_odd_lines_are_cut_and_shown() {
        assert_eq!(expanded(b"\tab\x07c\r\n", 10), "        ab");
        assert_eq!(expanded(b"a\x07b", 10), "a.b");
    }
}
