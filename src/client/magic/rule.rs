//! The language of magic files: `type ... : test ;`, read and asked. Pure.
//!
//! Tests are `-name "pattern"`, `-stat letter`, `-printable`, `-token "text"`, `-magic offset, value` and `-file "text"`;
//! `&` binds closer than `|`, `!` closest; parentheses group. `#` begins a comment, a rule ends at its semicolon.

use super::super::words::wildcard_match;

/// Parentheses and `!` that may be open at once.
const DEPTH_MAX: usize = 64;

/// One rule: what fits its test has these types, the best one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Names of element types, at least one.
    pub types: Vec<String>,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Name(Vec<u8>),
    Stat(FileKind),
    Printable,
    Token(Vec<u8>),
    Magic { offset: usize, value: Vec<u8> },
    File(Vec<u8>),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

/// What `-stat` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `r`
    Regular,
    /// `d`
    Directory,
    /// `c`
    CharacterDevice,
    /// `b`
    BlockDevice,
    /// `f`, `p`
    Fifo,
    /// `s`
    Socket,
    /// `l`
    SymbolicLink,
}

/// What rules ask of an object. What is dear to find out is asked only when a rule does.
pub trait Object {
    /// Its leaf name.
    fn name(&self) -> &[u8];
    /// What it is; a name that is still free will be a regular file's.
    fn kind(&self) -> FileKind;
    /// The beginning of what it holds; none where that does not count, because there is no file yet.
    fn beginning(&self) -> Option<&[u8]>;
    /// What the program `file` says of it.
    fn described(&self) -> &[u8];
}

/// Where a magic file is wrong, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// A noun phrase.
    pub expected: &'static str,
}

/// Finds the first rule that an object fits.
pub fn first<'a>(rules: impl IntoIterator<Item = &'a Rule>, object: &dyn Object) -> Option<&'a Rule> {
    rules.into_iter().find(|rule| rule.test.holds(object))
}

impl Test {
    fn holds(&self, object: &dyn Object) -> bool {
        let beginning = || object.beginning().unwrap_or_default();
        match self {
            Test::Name(pattern) => wildcard_match(pattern, object.name()),
            Test::Stat(kind) => object.kind() == *kind,
            Test::Printable => {
                object.kind() == FileKind::Regular && object.beginning().is_none_or(is_printable)
            }
            Test::Token(text) => beginning().windows(text.len().max(1)).any(|part| part == text.as_slice()),
            Test::Magic { offset, value } => {
                beginning().get(*offset..).is_some_and(|rest| rest.starts_with(value))
            }
            Test::File(text) => object.described().windows(text.len().max(1)).any(|part| part == text),
            Test::Not(test) => !test.holds(object),
            Test::All(tests) => tests.iter().all(|test| test.holds(object)),
            Test::Any(tests) => tests.iter().any(|test| test.holds(object)),
        }
    }
}

/// Tells whether bytes are letters, signs and blanks: of ASCII, UTF-8 or an ISO 8859 character set.
fn is_printable(bytes: &[u8]) -> bool {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t'..=b'\r' | 0xa0..);
    let utf8 = |text: &str| {
        text.chars().all(|letter| !letter.is_control() || letter.is_ascii_whitespace() || letter == '\x0b')
    };
    if bytes.iter().all(plain) {
        return true;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => utf8(text),
        // The beginning of a file may end within a letter.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).is_ok_and(utf8)
        }
        Err(_) => false,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(Vec<u8>),
    Sign(u8),
}

/// Reads the rules of a magic file, in their order.
///
/// # Errors
/// The first place that is none of the language.
pub fn parse(text: &[u8]) -> Result<Vec<Rule>, Fault> {
    let mut parser = Parser { tokens: lex(text)?, at: 0, last_line: 1 };
    let mut rules = Vec::new();
    while parser.peek().is_some() {
        rules.push(parser.rule()?);
    }
    Ok(rules)
}

fn lex(text: &[u8]) -> Result<Vec<(usize, Token)>, Fault> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(byte) = text.get(at).copied() {
        match byte {
            b'\n' => line += 1,
            // A line may go on in the next one; between words that makes no difference.
            b'\\' if matches!(text.get(at + 1), Some(b'\n' | b'\r')) => {}
            b'#' => {
                at += text[at..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - at);
                continue;
            }
            b'"' => {
                let begun = line;
                let (quoted, length) =
                    quoted(&text[at + 1..]).ok_or(Fault { line, expected: "a closing quote" })?;
                line += text[at..at + length].iter().filter(|byte| **byte == b'\n').count();
                tokens.push((begun, Token::Text(quoted)));
                at += length;
            }
            byte if byte.is_ascii_whitespace() => {}
            b':' | b';' | b',' | b'(' | b')' | b'!' => tokens.push((line, Token::Sign(byte))),
            b'&' | b'|' => {
                tokens.push((line, Token::Sign(byte)));
                at += usize::from(text.get(at + 1) == Some(&byte));
            }
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b":;,()!&|\"#\\".contains(byte);
                let length = text[at..].iter().position(ends).unwrap_or(text.len() - at).max(1);
                let word = std::str::from_utf8(&text[at..at + length]);
                let word = word.map_err(|_| Fault { line, expected: "a word of UTF-8" })?;
                tokens.push((line, Token::Word(word.to_owned())));
                at += length;
                continue;
            }
        }
        at += 1;
    }
    Ok(tokens)
}

/// Reads up to the closing quote; answers the text, and how many bytes were read with the quote. Escapes are those of C.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some((found, at + 1)),
            b'\\' => {
                let rest = &text[at + 1..];
                let octal = rest.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let hex = match rest.first() {
                    Some(b'x') => {
                        rest[1..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count()
                    }
                    _ => 0,
                };
                let number = |digits: &[u8], radix| {
                    let digits = std::str::from_utf8(digits).unwrap_or_default();
                    u32::from_str_radix(digits, radix).unwrap_or_default() as u8
                };
                let (byte, length) = match *rest.first()? {
                    _ if octal > 0 => (number(&rest[..octal], 8), octal),
                    b'x' if hex > 0 => (number(&rest[1..=hex], 16), hex + 1),
                    b'n' => (b'\n', 1),
                    b't' => (b'\t', 1),
                    b'r' => (b'\r', 1),
                    b'b' => (8, 1),
                    b'f' => (12, 1),
                    b'v' => (11, 1),
                    other => (other, 1),
                };
                found.push(byte);
                at += length;
            }
            byte => found.push(*byte),
        }
        at += 1;
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    last_line: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let (line, token) = self.tokens.get(self.at)?.clone();
        (self.at, self.last_line) = (self.at + 1, line);
        Some(token)
    }

    fn fault(&self, expected: &'static str) -> Fault {
        let line = self.tokens.get(self.at).map_or(self.last_line, |(line, _)| *line);
        Fault { line, expected }
    }

    fn sign(&mut self, sign: u8, expected: &'static str) -> Result<(), Fault> {
        match self.peek() {
            Some(Token::Sign(found)) if *found == sign => drop(self.next()),
            _ => return Err(self.fault(expected)),
        }
        Ok(())
    }

    fn takes(&mut self, sign: u8) -> bool {
        self.sign(sign, "").is_ok()
    }

    fn rule(&mut self) -> Result<Rule, Fault> {
        let mut types = Vec::new();
        while let Some(Token::Word(word)) = self.peek().cloned() {
            types.push(word);
            self.next();
        }
        if types.is_empty() {
            return Err(self.fault("the name of an element type"));
        }
        self.sign(b':', "a colon")?;
        let test = self.any(0)?;
        self.sign(b';', "&, | or a semicolon")?;
        Ok(Rule { types, test })
    }

    fn any(&mut self, depth: usize) -> Result<Test, Fault> {
        let mut tests = vec![self.all(depth)?];
        while self.takes(b'|') {
            tests.push(self.all(depth)?);
        }
        Ok(only(tests, Test::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Test, Fault> {
        let mut tests = vec![self.one(depth)?];
        while self.takes(b'&') {
            tests.push(self.one(depth)?);
        }
        Ok(only(tests, Test::All))
    }

    fn one(&mut self, depth: usize) -> Result<Test, Fault> {
        if depth == DEPTH_MAX {
            return Err(self.fault("fewer parentheses within each other"));
        }
        if self.takes(b'!') {
            return Ok(Test::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes(b'(') {
            let test = self.any(depth + 1)?;
            self.sign(b')', "a closing parenthesis")?;
            return Ok(test);
        }
        let expected = "a test: -name, -stat, -printable, -token, -magic or -file";
        let Some(Token::Word(word)) = self.peek().cloned() else {
            return Err(self.fault(expected));
        };
        let fault = self.fault(expected);
        self.next();
        match option(&word).ok_or(fault)? {
            "name" => Ok(Test::Name(self.text("a pattern in double quotes")?)),
            "token" => Ok(Test::Token(self.text("a text in double quotes")?)),
            "file" => Ok(Test::File(self.text("a text in double quotes")?)),
            "printable" => Ok(Test::Printable),
            "stat" => self.stat(),
            _ => self.magic(),
        }
    }

    fn text(&mut self, expected: &'static str) -> Result<Vec<u8>, Fault> {
        match self.peek().cloned() {
            Some(Token::Text(text)) => {
                self.next();
                Ok(text)
            }
            _ => Err(self.fault(expected)),
        }
    }

    fn stat(&mut self) -> Result<Test, Fault> {
        let expected = "one of the letters r d c b f s l";
        let fault = self.fault(expected);
        let kind = match self.next() {
            Some(Token::Word(word)) => match word.as_str() {
                "r" => FileKind::Regular,
                "d" => FileKind::Directory,
                "c" => FileKind::CharacterDevice,
                "b" => FileKind::BlockDevice,
                "f" | "p" => FileKind::Fifo,
                "s" => FileKind::Socket,
                "l" => FileKind::SymbolicLink,
                _ => return Err(fault),
            },
            _ => return Err(fault),
        };
        Ok(Test::Stat(kind))
    }

    /// `offset, "text"` or `offset, type, number`.
    fn magic(&mut self) -> Result<Test, Fault> {
        let offset = self.number("an offset in bytes")?;
        let offset = usize::try_from(offset).map_err(|_| self.fault("a smaller offset"))?;
        self.sign(b',', "a comma")?;
        if let Some(Token::Text(value)) = self.peek().cloned() {
            self.next();
            return Ok(Test::Magic { offset, value });
        }
        let expected = "a text in double quotes, or byte, short or long";
        let fault = self.fault(expected);
        let Some(Token::Word(width)) = self.next() else { return Err(fault) };
        if width == "string" {
            self.sign(b',', "a comma")?;
            let value = self.text("a text in double quotes")?;
            return Ok(Test::Magic { offset, value });
        }
        if !matches!(width.as_str(), "byte" | "short" | "leshort" | "beshort" | "long" | "lelong" | "belong")
        {
            return Err(fault);
        }
        self.sign(b',', "a comma")?;
        let fault = self.fault("a smaller number");
        let number = self.number("a number")?;
        let value = match width.as_str() {
            "byte" => u8::try_from(number).ok().map(|number| vec![number]),
            "short" => u16::try_from(number).ok().map(|number| number.to_ne_bytes().to_vec()),
            "leshort" => u16::try_from(number).ok().map(|number| number.to_le_bytes().to_vec()),
            "beshort" => u16::try_from(number).ok().map(|number| number.to_be_bytes().to_vec()),
            "long" => u32::try_from(number).ok().map(|number| number.to_ne_bytes().to_vec()),
            "lelong" => u32::try_from(number).ok().map(|number| number.to_le_bytes().to_vec()),
            _ => u32::try_from(number).ok().map(|number| number.to_be_bytes().to_vec()),
        };
        Ok(Test::Magic { offset, value: value.ok_or(fault)? })
    }

    /// A number in decimal, octal after `0`, or hexadecimal digits after `0x`.
    fn number(&mut self, expected: &'static str) -> Result<u64, Fault> {
        let fault = self.fault(expected);
        let Some(Token::Word(word)) = self.next() else { return Err(fault) };
        let parsed = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16),
            None if word.len() > 1 && word.starts_with('0') => u64::from_str_radix(&word[1..], 8),
            None => word.parse(),
        };
        parsed.map_err(|_| fault)
    }
}

/// The full name of a test, which may be cut.
fn option(word: &str) -> Option<&'static str> {
    let letters = word.strip_prefix('-')?;
    let fits = |(full, shortest): &&(&str, usize)| letters.len() >= *shortest && full.starts_with(letters);
    let tests = [("name", 3), ("stat", 2), ("printable", 3), ("token", 3), ("magic", 3), ("file", 2)];
    tests.iter().find(fits).map(|(full, _)| *full)
}

fn only(mut tests: Vec<Test>, of: impl FnOnce(Vec<Test>) -> Test) -> Test {
    match tests.len() {
        1 => tests.remove(0),
        _ => of(tests),
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
