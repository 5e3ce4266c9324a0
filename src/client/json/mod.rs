//! `-json`: listings for programs, one object on a line. `docs/json.md` documents each field.
//!
//! Pure. Every field is on every line: null where it does not apply, so that a script needs no test for it. Names and
//! comments are bytes: a field has their text, and where they are not UTF-8, the text has U+FFFD in it and a field
//! `..._bytes` beside it has the bytes as hexadecimal digits.

mod object;
mod rows;

pub use object::{event, lock, object, tree_row};
pub use rows::{found, listed, private, view, vob};

use serde_json::{Map, Value};

use super::options::Arguments;

/// The options that may not be given together with each other: the forms of an object in a listing.
pub const FORMS: &[&str] = &["long", "short", "fmt", "json", "-json"];

/// Tells whether JSON is wanted.
pub fn is_wanted(arguments: &Arguments) -> bool {
    arguments.has("json") || arguments.has("-json")
}

/// An object in the making.
#[derive(Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Adds a field.
    pub fn put(&mut self, field: &str, value: impl Into<Value>) {
        self.0.insert(field.to_owned(), value.into());
    }

    /// Adds a text.
    pub fn text(&mut self, field: &str, bytes: &[u8]) {
        self.put(field, String::from_utf8_lossy(bytes).into_owned());
        if std::str::from_utf8(bytes).is_err() {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.put(&format!("{field}_bytes"), digits);
        }
    }

    /// Adds a text, or null for no bytes.
    pub fn optional_text(&mut self, field: &str, bytes: &[u8]) {
        match bytes {
            b"" => self.put(field, Value::Null),
            bytes => self.text(field, bytes),
        }
    }

    /// Adds a list of texts.
    pub fn texts<'a>(&mut self, field: &str, texts: impl IntoIterator<Item = &'a [u8]>) {
        let texts: Vec<&[u8]> = texts.into_iter().collect();
        let lossy = texts.iter().map(|text| Value::from(String::from_utf8_lossy(text).into_owned()));
        self.put(field, lossy.collect::<Vec<_>>());
        if texts.iter().any(|text| std::str::from_utf8(text).is_err()) {
            let digits =
                |text: &&[u8]| Value::from(text.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            self.put(&format!("{field}_bytes"), texts.iter().map(digits).collect::<Vec<_>>());
        }
    }

    /// The object.
    pub fn value(self) -> Value {
        Value::Object(self.0)
    }

    /// The object as a line, without its newline.
    pub fn line(self) -> Vec<u8> {
        self.value().to_string().into_bytes()
    }
}

/// The last part of a name in the protocol: of `RULE_MISS_OTHER_VOB` with the prefix `RULE_MISS_` it is `other_vob`.
pub fn code(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
