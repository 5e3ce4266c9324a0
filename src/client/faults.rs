//! The words for what is wrong in a config spec: a compiler's line for each fault, then the product's
//! summary.
//!
//! Pure. Each sentence stands alone, so that every line on standard error has its `cleartool: Error: `.

use super::failure::text;
use crate::server::proto::{ConfigSpecFaults, Diagnostic, DiagnosticKind};

/// The text that was to be set, when this program had it in hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// The file it is in; faults in a text that came without a file are said to be there.
    pub file: &'a [u8],
    /// The text, to show the lines at fault; empty to show none.
    pub text: &'a [u8],
}

/// How many letters of a word at fault are repeated.
const MAX_WORD_LETTERS: usize = 200;
/// Longer lines are not shown.
const MAX_LINE_SIZE_BYTES: usize = 200;

/// The sentences for faults, in reading order. A path in no VOB is told in the product's own words, and ends
/// with its summary; see [`need_summary`] for the others.
pub fn sentences(faults: &ConfigSpecFaults, source: Source) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for fault in &faults.diagnostics {
        lines.push(text(&[
            &place(fault, source),
            b": ",
            complaint(fault).as_bytes(),
            &chain(fault, source),
            b".",
        ]));
        lines.extend(shown_line(fault, source).into_iter().flatten());
        if fault.kind() == DiagnosticKind::UnregisteredVob {
            lines.push(format!("{}.", fault.message).into_bytes());
        }
    }
    if faults.left_out > 0 {
        lines.push(format!("{} more errors are not shown.", faults.left_out).into_bytes());
    }
    if faults.diagnostics.iter().any(|fault| fault.kind() == DiagnosticKind::UnregisteredVob) {
        lines.push(b"Config spec semantic processing failed.".to_vec());
    }
    lines
}

/// Whether a summary has to follow the sentences: it does unless all is said by the product's own.
pub fn need_summary(faults: &ConfigSpecFaults) -> bool {
    faults.diagnostics.iter().any(|fault| fault.kind() != DiagnosticKind::UnregisteredVob)
}

fn name<'a>(file: &'a [u8], source: Source<'a>) -> &'a [u8] {
    if file.is_empty() { source.file } else { file }
}

fn place(fault: &Diagnostic, source: Source) -> Vec<u8> {
    let position = format!(":{}:{}", fault.line, fault.column);
    text(&[name(&fault.file, source), position.as_bytes()])
}

/// What is wrong, and what would be right; without a final period.
pub(super) fn complaint(fault: &Diagnostic) -> String {
    let message = match fault.kind() {
        DiagnosticKind::UnregisteredVob => "pattern is in no registered VOB",
        _ => fault.message.trim_end_matches('.'),
    };
    let complaint = match (&fault.found, message.split_once(": ")) {
        (None, _) => message.to_owned(),
        (Some(found), Some((what, why))) => format!("{what} \"{}\": {why}", word(found)),
        (Some(found), None) if message.starts_with("unknown ") => format!("{message} \"{}\"", word(found)),
        (Some(found), None) => format!("{message}: \"{}\"", word(found)),
    };
    match fault.expected.as_str() {
        "" => complaint,
        expected => format!("{complaint} (expected {expected})"),
    }
}

/// A word at fault, fit for a line of a terminal.
fn word(found: &str) -> String {
    let mut letters = found.chars();
    let mut word = String::new();
    for letter in letters.by_ref().take(MAX_WORD_LETTERS) {
        match letter.is_control() {
            true => word.extend(letter.escape_default()),
            false => word.push(letter),
        }
    }
    if letters.next().is_some() {
        word += "...";
    }
    word
}

/// The include rules that led to the file, innermost first.
fn chain(fault: &Diagnostic, source: Source) -> Vec<u8> {
    let from = fault.included_from.iter();
    from.flat_map(|from| {
        text(&[b", included from ", name(&from.file, source), format!(":{}", from.line).as_bytes()])
    })
    .collect()
}

/// The line at fault and a mark below the column, when the line is at hand and short.
fn shown_line(fault: &Diagnostic, source: Source) -> Option<[Vec<u8>; 2]> {
    if source.text.is_empty() || name(&fault.file, source) != source.file {
        return None;
    }
    let index = usize::try_from(fault.line).ok()?.checked_sub(1)?;
    let line = source.text.split(|byte| *byte == b'\n').nth(index)?;
    let before = line.get(..usize::try_from(fault.column).ok()?.checked_sub(1)?)?;
    if line.len() > MAX_LINE_SIZE_BYTES {
        return None;
    }
    let plain = |letter: char| if letter.is_control() && letter != '\t' { '?' } else { letter };
    let line: String = String::from_utf8_lossy(line).trim_end().chars().map(plain).collect();
    let blank = |letter: char| if letter == '\t' { '\t' } else { ' ' };
    let before: String = String::from_utf8_lossy(before).chars().map(blank).collect();
    Some([format!("    {line}").into_bytes(), format!("    {before}^").into_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::proto::IncludeRule;

    fn fault(kind: DiagnosticKind, message: &str, found: Option<&str>, expected: &str) -> Diagnostic {
        Diagnostic {
            file: b"/p/spec".to_vec(),
            line: 4,
            column: 12,
            message: message.to_owned(),
            kind: kind.into(),
            found: found.map(str::to_owned),
            expected: expected.to_owned(),
            included_from: vec![],
        }
    }

    fn told(diagnostics: Vec<Diagnostic>, left_out: u32, source: Source) -> Vec<String> {
        let faults = ConfigSpecFaults { diagnostics, left_out };
        let lines = sentences(&faults, source).into_iter();
        lines.map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[track_caller]
    fn check(fault: Diagnostic, expected: &str) {
        assert_eq!(told(vec![fault], 0, Source::default()), [expected]);
    }

    #[test]
    fn a_fault_is_a_line_as_a_compiler_prints_it() {
        use DiagnosticKind::{Include, Syntax};
        check(
            fault(Syntax, "unknown clause", Some("-tme"), "-time or the end of the rule"),
            "/p/spec:4:12: unknown clause \"-tme\" (expected -time or the end of the rule).",
        );
        check(
            fault(Syntax, "rule is not complete", None, "a pattern"),
            "/p/spec:4:12: rule is not complete (expected a pattern).",
        );
        check(
            fault(Syntax, "clause is given twice", Some("-time"), ""),
            "/p/spec:4:12: clause is given twice: \"-time\".",
        );
        check(
            fault(Include, "cannot read included file: Permission denied", Some("b.cs"), ""),
            "/p/spec:4:12: cannot read included file \"b.cs\": Permission denied.",
        );
        let from = |file: &[u8], line| IncludeRule { file: file.to_vec(), line };
        check(
            Diagnostic {
                included_from: vec![from(b"/p/b", 2), from(b"/p/a", 7)],
                ..fault(Syntax, "unknown rule", Some("x"), "")
            },
            "/p/spec:4:12: unknown rule \"x\", included from /p/b:2, included from /p/a:7.",
        );
    }

    #[test]
    fn what_could_spoil_a_line_is_not_repeated() {
        let kind = DiagnosticKind::Syntax;
        check(
            fault(kind, "unknown rule", Some("a\r\u{1b}[2J"), ""),
            "/p/spec:4:12: unknown rule \"a\\r\\u{1b}[2J\".",
        );
        let long = "x".repeat(MAX_WORD_LETTERS);
        check(
            fault(kind, "unknown rule", Some(&long), ""),
            &format!("/p/spec:4:12: unknown rule \"{long}\"."),
        );
        let longer = format!("{long}x");
        check(
            fault(kind, "unknown rule", Some(&longer), ""),
            &format!("/p/spec:4:12: unknown rule \"{long}...\"."),
        );
    }

    #[test]
    fn a_path_in_no_vob_has_the_products_lines() {
        let lost = fault(
            DiagnosticKind::UnregisteredVob,
            "No registered VOB tag in path: \"/vob/src_code/code/...\"",
            None,
            "",
        );
        let faults = |diagnostics| ConfigSpecFaults { diagnostics, left_out: 0 };
        assert_eq!(
            told(vec![lost.clone()], 0, Source::default()),
            [
                "/p/spec:4:12: pattern is in no registered VOB.",
                "No registered VOB tag in path: \"/vob/src_code/code/...\".",
                "Config spec semantic processing failed.",
            ]
        );
        assert!(!need_summary(&faults(vec![lost.clone()])));
        let bad = fault(DiagnosticKind::Syntax, "unknown rule", Some("x"), "");
        assert!(need_summary(&faults(vec![lost, bad])));
    }

    #[test]
    fn a_text_without_a_file_is_said_to_be_where_it_is() {
        let nameless = Diagnostic {
            file: vec![],
            line: 2,
            column: 3,
            included_from: vec![],
            ..fault(DiagnosticKind::Syntax, "unknown rule", Some("x"), "")
        };
        let below = Diagnostic {
            file: b"/b".to_vec(),
            included_from: vec![IncludeRule { file: vec![], line: 1 }],
            ..nameless.clone()
        };
        let source = Source { file: b"/tmp/copy", text: b"" };
        assert_eq!(
            told(vec![nameless.clone(), below.clone()], 3, source),
            [
                "/tmp/copy:2:3: unknown rule \"x\".",
                "/b:2:3: unknown rule \"x\", included from /tmp/copy:1.",
                "3 more errors are not shown.",
            ]
        );
        let source = Source { file: b"/tmp/copy", text: b"include /b\n\t\xc3\xa9x\x1b y\r\n" };
        let nameless = Diagnostic { column: 4, ..nameless };
        assert_eq!(
            told(vec![nameless, below], 0, source),
            [
                "/tmp/copy:2:4: unknown rule \"x\".",
                "    \t\u{e9}x? y",
                "    \t ^",
                "/b:2:3: unknown rule \"x\", included from /tmp/copy:1.",
            ]
        );
    }
}
