//! Splits a line of interactive mode into words: blanks, quotes, backslashes, wildcards.
//!
//! The splitting is pure; [`expand`] reads directories for `*`, `?`, `[...]` and `~`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its letters, without the quoting.
    pub text: Vec<u8>,
    /// Whether wildcards in it are to be expanded: no part of it was quoted or escaped.
    pub plain: bool,
}

/// A quote that the line does not close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Unmatched quote in command")]
pub struct UnmatchedQuote;

/// Splits a line. `'` and `"` group; a backslash takes the next byte outside quotes, and `"` or `\` in double quotes.
/// A word that begins with `#` begins a comment.
///
/// # Errors
/// A quote stays open.
pub fn split(line: &[u8]) -> Result<Vec<Word>, UnmatchedQuote> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii_whitespace() {
            words.extend(word.take());
            continue;
        }
        if byte == b'#' && word.is_none() {
            break;
        }
        let current = word.get_or_insert(Word { text: Vec::new(), plain: true });
        match byte {
            b'\'' | b'"' => {
                current.plain = false;
                loop {
                    match bytes.next().ok_or(UnmatchedQuote)? {
                        next if next == byte => break,
                        b'\\' if byte == b'"' && matches!(bytes.peek(), Some(b'"' | b'\\')) => {
                            current.text.extend(bytes.next());
                        }
                        next => current.text.push(next),
                    }
                }
            }
            b'\\' => {
                current.plain = false;
                // A backslash that ends the input stands for itself.
                current.text.push(bytes.next().unwrap_or(b'\\'));
            }
            byte => current.text.push(byte),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Expands the wildcards of plain words. A pattern that matches nothing stays as it is, like in `sh`; `...` is no
/// pattern.
pub fn expand(words: Vec<Word>) -> Vec<OsString> {
    words.into_iter().flat_map(expand_word).collect()
}

fn expand_word(word: Word) -> Vec<OsString> {
    if !word.plain {
        return vec![OsString::from_vec(word.text)];
    }
    let text = match (word.text.strip_prefix(b"~"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(b"/") => {
            [home.as_bytes(), rest].concat()
        }
        _ => word.text,
    };
    if !has_wildcard(&text) {
        return vec![OsString::from_vec(text)];
    }
    let start = if text.starts_with(b"/") { PathBuf::from("/") } else { PathBuf::new() };
    let mut found = vec![start];
    for part in text.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
        found = found.iter().flat_map(|directory| matches_in(directory, part)).collect();
    }
    found.sort();
    match found.is_empty() {
        true => vec![OsString::from_vec(text)],
        false => found.into_iter().map(PathBuf::into_os_string).collect(),
    }
}

fn has_wildcard(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

fn matches_in(directory: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    if !has_wildcard(pattern) {
        let path = directory.join(OsStr::from_bytes(pattern));
        return if path.symlink_metadata().is_ok() { vec![path] } else { Vec::new() };
    }
    let place = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| !name.as_bytes().starts_with(b".") || pattern.starts_with(b"."))
        .filter(|name| wildcard_match(pattern, name.as_bytes()))
        .map(|name| directory.join(name))
        .collect()
}

/// Matches one name against `*`, `?` and `[a-z]`, `[!a-z]`; linear in memory, quadratic at worst in time.
pub(super) fn wildcard_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while from < name.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, from));
                at += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => set_match(&pattern[at..], name[from]),
            Some(byte) if *byte == name[from] => Some(1),
            _ => None,
        };
        match (step, retry) {
            (Some(length), _) => {
                at += length;
                from += 1;
            }
            (None, Some((star, begin))) => {
                retry = Some((star, begin + 1));
                (at, from) = (star, begin + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The length of the set at the pattern's start when it has the byte; a set without its `]` is a plain bracket.
fn set_match(pattern: &[u8], byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let first = if negated { 2 } else { 1 };
    let Some(length) = pattern.iter().skip(first + 1).position(|end| *end == b']') else {
        return (byte == b'[').then_some(1);
    };
    let end = first + 1 + length;
    let set = &pattern[first..end];
    let mut found = false;
    let mut at = 0;
    while at < set.len() {
        if at + 2 < set.len() && set[at + 1] == b'-' {
            found |= (set[at]..=set[at + 2]).contains(&byte);
            at += 3;
        } else {
            found |= set[at] == byte;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line.as_bytes())
            .unwrap()
            .into_iter()
            .map(|word| String::from_utf8(word.text).unwrap())
            .collect()
    }

    #[test]
    fn quotes_and_backslashes_group() {
        assert_eq!(texts("  desc -fmt \"%Vn %Rf\\n\"  foo.c "), ["desc", "-fmt", "%Vn %Rf\\n", "foo.c"]);
        assert_eq!(texts(r#"mkattr T '"TRUE"' a\ b"#), ["mkattr", "T", "\"TRUE\"", "a b"]);
        assert_eq!(texts(r#""a \"b\" \\ \c""#), [r#"a "b" \ \c"#]);
        assert_eq!(texts("a'b c'd \"\""), ["ab cd", ""]);
        assert_eq!(texts("ls # not this"), ["ls"]);
        assert_eq!(texts("ls a#b \\#c"), ["ls", "a#b", "#c"]);
        assert_eq!(texts("lbtype:X@/vobs/a \\"), ["lbtype:X@/vobs/a", "\\"]);
        assert_eq!(split(b"a 'b"), Err(UnmatchedQuote));
    }

    #[test]
    fn wildcards_match_names() {
        for (pattern, name, expected) in [
            ("*.c", "foo.c", true),
            ("*.c", "foo.cc", false),
            ("f?o.[ch]", "foo.h", true),
            ("[!a-f]*", "goo", true),
            ("[!a-f]*", "foo", false),
            ("[", "[", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYb", false),
        ] {
            assert_eq!(wildcard_match(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn plain_words_are_expanded_and_quoted_ones_are_not() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.c", "a.c", ".hidden.c", "x.h"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let pattern = format!("{}/*.c", directory.path().display());
        let names: Vec<_> = expand(split(pattern.as_bytes()).unwrap());
        assert_eq!(names, [directory.path().join("a.c"), directory.path().join("b.c")]);
        assert_eq!(expand(split(format!("'{pattern}'").as_bytes()).unwrap()), [OsStr::new(&pattern)]);
        assert_eq!(expand(split(b"/nowhere/*.q ...").unwrap()), ["/nowhere/*.q", "..."]);
    }
}
