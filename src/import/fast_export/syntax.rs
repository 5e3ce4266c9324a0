//! The small pieces of the fast-export language: idents, paths, modes and references to objects.
//!
//! Pure functions over the bytes of one line. Each answers what it found, or what it expected; the parser
//! adds where that was.

use super::{CommitRef, DataRef, FileMode, Ident, ObjectId};

/// What was expected and not found.
pub(super) type Expected = &'static str;

/// See [`Ident::parse`].
pub(super) fn ident(text: &[u8]) -> Ident {
    let date_start = text.iter().rposition(|&byte| byte == b'>').map_or(text.len(), |end| end + 1);
    let (person, date) = text.split_at(date_start);
    let (name, email) = match person.iter().position(|&byte| byte == b'<') {
        Some(start) => {
            (&person[..start], person[start + 1..].strip_suffix(b">").unwrap_or(&person[start + 1..]))
        }
        None => (person, &b""[..]),
    };
    let mut words = date.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let seconds = words.next().and_then(number).unwrap_or(0);
    let offset_minutes = words.next().map_or(0, offset_minutes);
    Ident { name: name.trim_ascii().to_vec(), email: email.to_vec(), seconds, offset_minutes }
}

/// `+HHMM` as minutes east of Greenwich, computed as git does also for zones that cannot exist; 0 if it is
/// no number or would not fit.
fn offset_minutes(word: &[u8]) -> i32 {
    let zone = number(word).and_then(|zone| i32::try_from(zone).ok()).unwrap_or(0);
    zone / 100 * 60 + zone % 100
}

fn number(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// A decimal number of bytes or a mark: digits only.
pub(super) fn unsigned(word: &[u8]) -> Option<u64> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// `:MARK`
pub(super) fn mark(word: &[u8]) -> Result<u64, Expected> {
    word.strip_prefix(b":").and_then(unsigned).ok_or("a mark (:NUMBER)")
}

/// `:MARK`, an object id, or a ref name (of which `^0` at the end only says "the commit").
pub(super) fn commit_ref(word: &[u8]) -> Result<CommitRef, Expected> {
    if word.starts_with(b":") {
        return Ok(CommitRef::Mark(mark(word)?));
    }
    if let Some(id) = ObjectId::from_hex(word) {
        return Ok(CommitRef::Id(id));
    }
    if word.is_empty() {
        return Err("a commit");
    }
    Ok(CommitRef::Name(word.strip_suffix(b"^0").unwrap_or(word).to_vec()))
}

/// The data of a file change, where `inline` is answered as `None`.
pub(super) fn data_ref(word: &[u8]) -> Result<Option<DataRef>, Expected> {
    if word == b"inline" {
        return Ok(None);
    }
    if word.starts_with(b":") {
        return Ok(Some(DataRef::Mark(mark(word)?)));
    }
    ObjectId::from_hex(word).map(|id| Some(DataRef::Id(id))).ok_or("a mark, an object id or \"inline\"")
}

/// One of the five modes; the short forms 644 and 755 too.
pub(super) fn mode(word: &[u8]) -> Result<FileMode, Expected> {
    match word {
        b"100644" | b"644" | b"100664" => Ok(FileMode::Regular),
        b"100755" | b"755" => Ok(FileMode::Executable),
        b"120000" => Ok(FileMode::Symlink),
        b"160000" => Ok(FileMode::Gitlink),
        b"040000" | b"40000" => Ok(FileMode::Directory),
        _ => Err("a file mode"),
    }
}

/// Splits at the first space.
pub(super) fn word(text: &[u8]) -> Result<(&[u8], &[u8]), Expected> {
    let end = text.iter().position(|&byte| byte == b' ').ok_or("a space")?;
    Ok((&text[..end], &text[end + 1..]))
}

/// A path that ends the line.
pub(super) fn last_path(text: &[u8]) -> Result<Vec<u8>, Expected> {
    if !text.starts_with(b"\"") {
        return Ok(text.to_vec());
    }
    match quoted(text)? {
        (path, b"") => Ok(path),
        _ => Err("the end of the line after the quoted path"),
    }
}

/// A path that another one follows: quoted, or without spaces.
pub(super) fn first_path(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Expected> {
    if !text.starts_with(b"\"") {
        let (path, rest) = word(text)?;
        return Ok((path.to_vec(), rest));
    }
    let (path, rest) = quoted(text)?;
    Ok((path, rest.strip_prefix(b" ").ok_or("a space after the quoted path")?))
}

/// Decodes a C-style string that starts `text`; answers it and what follows the closing quote.
fn quoted(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Expected> {
    const CLOSING: Expected = "a closing quote";
    let mut path = Vec::with_capacity(text.len());
    let mut rest = &text[1..];
    loop {
        let (&byte, tail) = rest.split_first().ok_or(CLOSING)?;
        rest = tail;
        match byte {
            b'"' => return Ok((path, rest)),
            b'\\' => {
                let (&escape, tail) = rest.split_first().ok_or(CLOSING)?;
                if matches!(escape, b'0'..=b'3') {
                    let digits =
                        rest.get(..3).filter(|digits| digits.iter().all(|d| matches!(d, b'0'..=b'7')));
                    let digits = digits.ok_or("three octal digits")?;
                    path.push(digits.iter().fold(0, |value, digit| value * 8 + (digit - b'0')));
                    rest = &rest[3..];
                    continue;
                }
                path.push(match escape {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 0x0b,
                    b'\\' | b'"' => escape,
                    _ => return Err("an escape of C strings"),
                });
                rest = tail;
            }
            _ => path.push(byte),
        }
    }
}
