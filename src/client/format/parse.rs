//! Reads a format: text, escapes, and conversions `%[-][min][.max][MODIFIERS][[parameter]]key`.
//!
//! Modifiers may stand before a parameter, behind it, or both. What is not in the tables here is refused, with the
//! column where it stands.

use super::property::Property;

/// A format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    pub(super) pieces: Vec<Piece>,
}

/// Why a text is no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// Where, counted in bytes from 1.
    pub column: usize,
    /// What is wrong and what would be right, without a period.
    pub complaint: String,
}

/// A part of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Printed as it is.
    Text(Vec<u8>),
    /// A value of the object.
    Value(Conversion),
}

/// How one value is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversion {
    pub left: bool,
    pub min: usize,
    pub max: Option<usize>,
    pub modifiers: Modifiers,
    pub parameter: Vec<u8>,
    pub key: Key,
}

/// What a conversion prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Attributes,
    Comment,
    Date,
    Event,
    CheckedOutFrom,
    Host,
    Indentation,
    Labels,
    Kind,
    Name,
    Operation,
    Property(Property),
    User,
    Column,
}

/// Capital letters between `%` and a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Modifiers(u32);

impl Modifiers {
    /// Tells whether a letter is among them.
    pub fn has(self, letter: u8) -> bool {
        self.0 & bit(letter) != 0
    }

    fn add(&mut self, letter: u8) {
        self.0 |= bit(letter);
    }
}

fn bit(letter: u8) -> u32 {
    1 << (letter - b'A')
}

/// What may stand between brackets before a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    None,
    /// An attribute type, or a text.
    Text,
    Number,
    /// Must be there.
    Property,
}

/// Each key with the modifiers and the parameter that go with it.
const KEYS: &[(u8, Key, &[u8], Parameter)] = &[
    (b'a', Key::Attributes, b"NS", Parameter::Text),
    (b'c', Key::Comment, b"N", Parameter::None),
    (b'd', Key::Date, b"SNVAMBO", Parameter::None),
    (b'e', Key::Event, b"", Parameter::None),
    (b'f', Key::CheckedOutFrom, b"RTUM", Parameter::Text),
    (b'h', Key::Host, b"", Parameter::None),
    (b'i', Key::Indentation, b"", Parameter::Number),
    (b'l', Key::Labels, b"NC", Parameter::None),
    (b'm', Key::Kind, b"K", Parameter::None),
    (b'n', Key::Name, b"EDOLSVXP", Parameter::None),
    (b'o', Key::Operation, b"", Parameter::None),
    (b'p', Key::Property(Property::Name), b"CDNOQSXT", Parameter::Property),
    (b't', Key::Column, b"NST", Parameter::Number),
    (b'u', Key::User, b"FGL", Parameter::None),
];

/// Widths and columns beyond this are no layout but a mistake.
const MAX_WIDTH: usize = 100_000;

impl Format {
    /// Takes a format apart.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn parse(text: &[u8]) -> Result<Format, FormatError> {
        let mut reader = Reader { text, at: 0 };
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        while let Some(byte) = reader.next() {
            match byte {
                b'%' if reader.peek() == Some(b'%') => {
                    reader.at += 1;
                    plain.push(b'%');
                }
                b'%' => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Value(reader.conversion()?));
                }
                b'\\' => reader.escape(&mut plain),
                byte => plain.push(byte),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Format { pieces })
    }

    /// Tells whether more than an event must be known to print it: what is attached to the object, and what it is.
    pub fn needs_description(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Text(_) => false,
            Piece::Value(value) => match value.key {
                Key::Attributes | Key::CheckedOutFrom | Key::Labels => true,
                Key::Name => b"DOPX".iter().any(|letter| value.modifiers.has(*letter)),
                Key::Property(property) => property.needs_description(),
                _ => false,
            },
        })
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// What follows a backslash; one that begins no escape stands for itself.
    fn escape(&mut self, plain: &mut Vec<u8>) {
        match self.peek() {
            Some(b'n') => plain.push(b'\n'),
            Some(b't') => plain.push(b'\t'),
            Some(quote @ (b'\'' | b'"' | b'\\')) => plain.push(quote),
            Some(b'0'..=b'7') => {
                let mut value = 0u32;
                for _ in 0..3 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                // `\777` is the byte 0377, as in C.
                plain.push(value as u8);
                return;
            }
            _ => {
                plain.push(b'\\');
                return;
            }
        }
        self.at += 1;
    }

    /// What follows `%`.
    fn conversion(&mut self) -> Result<Conversion, FormatError> {
        let start = self.at - 1;
        let left = self.peek() == Some(b'-');
        self.at += usize::from(left);
        let min = self.number()?.unwrap_or(0);
        let max = match self.peek() {
            Some(b'.') => {
                self.at += 1;
                let place = self.at;
                Some(
                    self.number()?
                        .ok_or_else(|| error(place, "a number of columns must follow the point"))?,
                )
            }
            _ => None,
        };
        let (mut modifiers, mut parameter) = (Vec::new(), None);
        loop {
            let place = self.at;
            match self.next() {
                Some(letter @ b'A'..=b'Z') => modifiers.push((place, letter)),
                Some(b'[') if parameter.is_none() => parameter = Some((place, self.parameter()?)),
                Some(b'[') => return Err(error(place, "a second [...]: one key takes one")),
                Some(letter) => {
                    let conversion = Conversion {
                        left,
                        min,
                        max,
                        modifiers: Modifiers::default(),
                        parameter: Vec::new(),
                        key: Key::Event,
                    };
                    return key(conversion, (place, letter), &modifiers, parameter);
                }
                None => {
                    let given = String::from_utf8_lossy(&self.text[start..]).into_owned();
                    return Err(error(start, &format!("\"{given}\" ends without a key: {}", all_keys())));
                }
            }
        }
    }

    fn number(&mut self) -> Result<Option<usize>, FormatError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        match digits {
            [] => Ok(None),
            digits => match std::str::from_utf8(digits).unwrap_or_default().parse() {
                Ok(number) if number <= MAX_WIDTH => Ok(Some(number)),
                _ => Err(error(start, &format!("more than {MAX_WIDTH} columns"))),
            },
        }
    }

    fn parameter(&mut self) -> Result<Vec<u8>, FormatError> {
        let start = self.at;
        match self.text[start..].iter().position(|byte| *byte == b']') {
            Some(length) => {
                self.at += length + 1;
                Ok(self.text[start..start + length].to_vec())
            }
            None => Err(error(start - 1, "\"[\" without its \"]\"")),
        }
    }
}

/// Completes a conversion by its key.
fn key(
    conversion: Conversion,
    (place, letter): (usize, u8),
    given: &[(usize, u8)],
    parameter: Option<(usize, Vec<u8>)>,
) -> Result<Conversion, FormatError> {
    let shown = char::from(letter);
    let Some((_, key, fitting, wanted)) = KEYS.iter().find(|(known, ..)| *known == letter) else {
        let shown = if letter.is_ascii_graphic() { shown.to_string() } else { format!("\\{letter:03o}") };
        return Err(error(place, &format!("\"{shown}\" is no key: {}", all_keys())));
    };
    let mut modifiers = Modifiers::default();
    for (place, modifier) in given {
        if !fitting.contains(modifier) {
            let modifier = char::from(*modifier);
            let complaint = match fitting {
                [] => format!("\"{modifier}\" before \"{shown}\", which takes no modifier"),
                _ => {
                    let fitting = String::from_utf8_lossy(fitting);
                    format!("\"{modifier}\" before \"{shown}\", which takes the modifiers {fitting}")
                }
            };
            return Err(error(*place, &complaint));
        }
        modifiers.add(*modifier);
    }
    let mut key = *key;
    match (wanted, &parameter) {
        (Parameter::None, Some((place, _))) => {
            return Err(error(*place, &format!("[...] before \"{shown}\", which takes none")));
        }
        (Parameter::Property, None) => {
            return Err(error(place, "\"p\" needs the name of a property before it: %[NAME]p"));
        }
        (Parameter::Property, Some((place, name))) => {
            let property = Property::named(name).ok_or_else(|| {
                let name = String::from_utf8_lossy(name).into_owned();
                error(*place + 1, &format!("\"{name}\" is no property{}", near(&name)))
            })?;
            key = Key::Property(property);
        }
        (Parameter::Number, Some((place, digits))) => {
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
            if number.is_none_or(|number| number > MAX_WIDTH) {
                let complaint = format!("[...] before \"{shown}\" must be a number up to {MAX_WIDTH}");
                return Err(error(*place, &complaint));
            }
        }
        (Parameter::None | Parameter::Text | Parameter::Number, _) => {}
    }
    let parameter = parameter.map(|(_, parameter)| parameter).unwrap_or_default();
    Ok(Conversion { modifiers, parameter, key, ..conversion })
}

/// The properties that begin as a wrong one does, as a hint.
fn near(name: &str) -> String {
    let start: String = name.chars().take(3).collect();
    let found: Vec<&str> = Property::names().filter(|known| known.starts_with(&start)).collect();
    if found.is_empty() || start.is_empty() {
        return String::new();
    }
    format!("; there are {}", found.join(", "))
}

fn all_keys() -> String {
    let letters: Vec<String> = KEYS.iter().map(|(letter, ..)| char::from(*letter).to_string()).collect();
    format!("the keys are {} and %", letters.join(" "))
}

fn error(at: usize, complaint: &str) -> FormatError {
    FormatError { column: at + 1, complaint: complaint.to_owned() }
}
