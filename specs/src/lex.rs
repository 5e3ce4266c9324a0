//! Cuts one line of a config spec into rules and words. Owns comments, `;`, blanks, quotes and braces; must not
//! know keywords. Quotes only group: wildcards inside them keep their meaning.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_until, take_while, take_while1};
use nom::combinator::{map, recognize};
use nom::multi::many1;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::diagnostic::{DiagnosticKind, Problem};

/// One word, quotes removed.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub bytes: Vec<u8>,
    /// Some part of it was quoted: it is no option.
    pub quoted: bool,
    /// Column of its first byte in the line, from 1.
    pub column: u32,
}

impl Token {
    /// The word as text for a message.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether the word is written as an option.
    pub fn is_option(&self) -> bool {
        !self.quoted && self.bytes.first() == Some(&b'-')
    }

    /// Whether the word is an option with the long dash (U+2013) that word processors put for a hyphen.
    pub fn has_long_dash(&self) -> bool {
        !self.quoted && self.bytes.starts_with(LONG_DASH)
    }

    /// A fault of this word: it would be an option but for its dash.
    pub fn long_dash(&self, expected: impl Into<String>) -> Problem {
        self.problem("option begins with a long dash, not with \"-\"", expected)
    }

    /// A fault of this word.
    pub fn problem(&self, message: impl Into<String>, expected: impl Into<String>) -> Problem {
        Problem {
            column: self.column,
            kind: DiagnosticKind::Syntax,
            message: message.into(),
            found: Some(self.shown()),
            expected: Some(expected.into()),
        }
    }
}

const LONG_DASH: &[u8] = "\u{2013}".as_bytes();

/// The words of one rule; never empty.
#[derive(Debug)]
pub(crate) struct RuleTokens {
    pub tokens: Vec<Token>,
    /// The rule as written, without surrounding blanks and comment.
    pub text: Vec<u8>,
    /// The column after its last byte.
    pub end_column: u32,
}

/// Cuts a line (without its newline). A quote that is not closed spoils its rule and ends the line.
pub(crate) fn lex_line(line: &[u8], problems: &mut Vec<Problem>) -> Vec<RuleTokens> {
    let mut rules = Vec::new();
    let mut tokens: Vec<Token> = Vec::new();
    let mut span = 0..0;
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        let offset = line.len() - rest.len();
        match rest.first() {
            None | Some(b'#') => {
                finish(&mut rules, &mut tokens, &line[span.clone()], span.end);
                return rules;
            }
            Some(b';') => {
                finish(&mut rules, &mut tokens, &line[span.clone()], span.end);
                rest = &rest[1..];
            }
            Some(_) => match word(rest) {
                Ok((after, (bytes, quoted))) => {
                    span = if tokens.is_empty() { offset } else { span.start }..line.len() - after.len();
                    tokens.push(Token { bytes, quoted, column: column(offset) });
                    rest = after;
                }
                Err(fault) => {
                    let at = match fault {
                        nom::Err::Error(error) | nom::Err::Failure(error) => line.len() - error.input.len(),
                        nom::Err::Incomplete(_) => offset,
                    };
                    let message = "quote is not closed on its line";
                    problems.push(Problem {
                        found: Some(String::from_utf8_lossy(&line[at..]).into_owned()),
                        ..Problem::plain(DiagnosticKind::Syntax, column(at), message)
                    });
                    return rules;
                }
            },
        }
    }
}

fn column(offset: usize) -> u32 {
    u32::try_from(offset).map_or(u32::MAX, |offset| offset.saturating_add(1))
}

fn finish(rules: &mut Vec<RuleTokens>, tokens: &mut Vec<Token>, text: &[u8], end: usize) {
    if !tokens.is_empty() {
        let tokens = std::mem::take(tokens);
        rules.push(RuleTokens { tokens, text: text.to_vec(), end_column: column(end) });
    }
}

/// Writes a word so that it is read as it is, and not as an option.
pub(crate) fn quote(word: &[u8]) -> Vec<u8> {
    if is_plain(word) {
        return word.to_vec();
    }
    // A quotation mark stands in marks of the other kind.
    let mut quoted = Vec::new();
    for piece in word.split_inclusive(|&byte| byte == b'"') {
        let (text, mark) = piece.strip_suffix(b"\"").map_or((piece, false), |text| (text, true));
        if !text.is_empty() || !mark {
            quoted.extend([b"\"", text, b"\""].concat());
        }
        if mark {
            quoted.extend(b"'\"'");
        }
    }
    if word.is_empty() { b"\"\"".to_vec() } else { quoted }
}

/// Whether a word is read as it is without quotes, whatever stands behind it on the line: a brace that is open at
/// its end would find one there to close it.
fn is_plain(text: &[u8]) -> bool {
    let behind = b" }";
    let line = [text, behind].concat();
    let read_as_it_is = matches!(word(&line), Ok((rest, (bytes, false))) if rest == behind && bytes == text);
    read_as_it_is && !matches!(text.first(), None | Some(b'-' | b'#')) && !text.starts_with(LONG_DASH)
}

/// One word: pieces without blanks between them. Fails at a quote that is not closed.
fn word(input: &[u8]) -> IResult<&[u8], (Vec<u8>, bool)> {
    let (rest, pieces) = many1(piece).parse(input)?;
    if rest.first().is_some_and(|&byte| byte == b'"' || byte == b'\'') {
        return Err(nom::Err::Failure(nom::error::Error::new(rest, nom::error::ErrorKind::Char)));
    }
    let quoted = pieces.iter().any(|&(_, quoted)| quoted);
    let bytes = pieces.into_iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
    Ok((rest, (bytes, quoted)))
}

fn piece(input: &[u8]) -> IResult<&[u8], (&[u8], bool)> {
    let quoted = alt((
        delimited(tag("\""), take_while(|byte| byte != b'"'), tag("\"")),
        delimited(tag("'"), take_while(|byte| byte != b'\''), tag("'")),
    ));
    // A query keeps its blanks, quotes and semicolons; a lone brace is an ordinary byte.
    let braced = alt((query, recognize((tag("{"), take_until("}"), tag("}")))));
    let bare = take_while1(|byte: u8| !byte.is_ascii_whitespace() && !b";\"'{".contains(&byte));
    alt((
        map(quoted, |bytes| (bytes, true)),
        map(braced, |bytes| (bytes, false)),
        map(alt((bare, tag("{"))), |bytes| (bytes, false)),
    ))
    .parse(input)
}

/// How deep the braces of queries within queries may nest; deeper ones end at the first closing brace.
const MAX_BRACES: usize = 64;

/// Text from a brace to the one that closes it, those in double quotes not counted.
fn query(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (mut open, mut quoted) = (0, false);
    for (offset, byte) in input.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'{' if !quoted => open += 1,
            b'}' if !quoted && open > 0 => open -= 1,
            _ => {}
        }
        match open {
            0 if offset > 0 => return Ok((&input[offset + 1..], &input[..=offset])),
            0 | MAX_BRACES.. => break,
            _ => {}
        }
    }
    // Not closed, too deep, or no brace at all.
    Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::TakeUntil)))
}
