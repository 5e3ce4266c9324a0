//! Options of cleartool commands: `-word` with a minimum length of its own in every command.
//!
//! Pure. Each command has a table; there is no matcher common to all, because `-l` means different things in
//! different commands. A table line is written as the manual writes it: `rec/urse` may be cut to `-rec`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// One option of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// The full word with a slash after the shortest form: `rec/urse`.
    pub word: &'static str,
    /// Whether a value follows.
    pub value: ValueKind,
}

/// Whether the word after an option belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// It stands alone.
    None,
    /// The next word is its value, whatever it looks like.
    Required,
    /// The next word is its value when it is a number (`-last`).
    Number,
    /// The next two words are its values.
    Two,
    /// The next word is its value; the option may be given several times (`-exec`).
    Repeated,
}

/// An option that stands alone.
pub const fn flag(word: &'static str) -> OptionSpec {
    OptionSpec { word, value: ValueKind::None }
}

/// An option with a value.
pub const fn value(word: &'static str) -> OptionSpec {
    OptionSpec { word, value: ValueKind::Required }
}

/// An option with a number that may be left out.
pub const fn number(word: &'static str) -> OptionSpec {
    OptionSpec { word, value: ValueKind::Number }
}

/// An option with two values.
pub const fn pair(word: &'static str) -> OptionSpec {
    OptionSpec { word, value: ValueKind::Two }
}

/// An option with a value that may be given several times.
pub const fn repeated(word: &'static str) -> OptionSpec {
    OptionSpec { word, value: ValueKind::Repeated }
}

/// A table that ends with the options of the oldest releases which say what all operands are (see `target::old_kind`).
macro_rules! with_oldest_kinds {
    ($($option:expr),* $(,)?) => {
        &[
            $($option,)*
            $crate::client::options::flag("typ/e"),
            $crate::client::options::flag("attype"),
            $crate::client::options::flag("brtype"),
            $crate::client::options::flag("eltype"),
            $crate::client::options::flag("hltype"),
            $crate::client::options::flag("lbtype"),
        ]
    };
}
pub(super) use with_oldest_kinds;

/// The comment options most commands share.
pub const COMMENT_OPTIONS: &[OptionSpec] =
    &[value("c/omment"), value("cfi/le"), flag("cq/uery"), flag("cqe/ach"), flag("nc/omment")];

/// A command line taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    options: Vec<(String, Option<OsString>)>,
    /// What is no option, in order.
    pub operands: Vec<OsString>,
}

/// Why a command line is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// No option of the command begins so.
    #[error("Unrecognized option \"{0}\"")]
    Unrecognized(String),
    /// Several do.
    #[error("Ambiguous option \"{0}\"")]
    Ambiguous(String),
    /// Its value is missing.
    #[error("Missing argument for option \"-{0}\"")]
    MissingValue(String),
    /// Given twice with different values.
    #[error("Option \"-{0}\" may be given only once")]
    Twice(String),
}

impl Arguments {
    /// Takes the words after a command's name apart. Options end at the first other word or at `--`; a lone `-`
    /// is no option. The first `--` is no operand, wherever it stands.
    ///
    /// # Errors
    /// The first word that does not fit the tables.
    pub fn parse(tables: &[&[OptionSpec]], words: &[OsString]) -> Result<Arguments, OptionError> {
        let mut arguments = Arguments::default();
        let mut ended = false;
        let mut words = words.iter().peekable();
        while let Some(word) = words.next_if(|word| word.as_bytes().starts_with(b"-") && word.len() > 1) {
            if word == OsStr::new("--") {
                ended = true;
                break;
            }
            let typed = word.to_string_lossy();
            let spec = find(tables, &typed)?;
            let full = spec.word.replace('/', "");
            let value = match spec.value {
                ValueKind::None => None,
                ValueKind::Required | ValueKind::Repeated | ValueKind::Two => {
                    Some(words.next().ok_or_else(|| OptionError::MissingValue(full.clone()))?.clone())
                }
                ValueKind::Number => words.next_if(|word| is_number(word)).cloned(),
            };
            let once = spec.value != ValueKind::Repeated;
            if once && value.is_some() && arguments.options.iter().any(|(word, _)| *word == full) {
                return Err(OptionError::Twice(full));
            }
            if spec.value == ValueKind::Two {
                let second = words.next().ok_or_else(|| OptionError::MissingValue(full.clone()))?;
                arguments.options.push((full.clone(), value));
                arguments.options.push((full, Some(second.clone())));
                continue;
            }
            arguments.options.push((full, value));
        }
        let is_end = |word: &&OsString| word.as_os_str() == OsStr::new("--");
        let is_operand = |word: &&OsString| {
            let ends = !ended && is_end(word);
            ended |= ends;
            !ends
        };
        arguments.operands = words.filter(is_operand).cloned().collect();
        Ok(arguments)
    }

    /// Takes options that stand behind operands, for commands written as `find . -print` is: what follows the first
    /// operands is taken apart again, until there is nothing left.
    ///
    /// # Errors
    /// As [`Arguments::parse`].
    pub fn with_options_behind(mut self, tables: &[&[OptionSpec]]) -> Result<Arguments, OptionError> {
        let is_option = |word: &OsString| word.as_bytes().starts_with(b"-") && word.len() > 1;
        let Some(first) = self.operands.iter().position(is_option) else {
            return Ok(self);
        };
        let behind = self.operands.split_off(first);
        let behind = Arguments::parse(tables, &behind)?.with_options_behind(tables)?;
        for (word, value) in behind.options {
            let known = |spec: &&OptionSpec| spec.word.replace('/', "") == word;
            let spec = tables.iter().flat_map(|table| table.iter()).find(known);
            let once = spec.is_some_and(|spec| spec.value != ValueKind::Repeated);
            if once && value.is_some() && self.has(&word) {
                return Err(OptionError::Twice(word));
            }
            self.options.push((word, value));
        }
        self.operands.extend(behind.operands);
        Ok(self)
    }

    /// The options that were given, in their order, with their values.
    pub fn given(&self) -> impl Iterator<Item = (&str, Option<&OsStr>)> {
        self.options.iter().map(|(word, value)| (word.as_str(), value.as_deref()))
    }

    /// Tells whether an option was given; `word` is its full form.
    pub fn has(&self, word: &str) -> bool {
        self.options.iter().any(|(given, _)| given == word)
    }

    /// The value of an option, if it was given with one.
    pub fn value(&self, word: &str) -> Option<&OsStr> {
        self.options.iter().find(|(given, _)| given == word).and_then(|(_, value)| value.as_deref())
    }

    /// The values of an option, in the order they were given.
    pub fn values<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a OsStr> {
        let given = self.options.iter().filter(move |(given, _)| given == word);
        given.filter_map(|(_, value)| value.as_deref())
    }

    /// The value of an option as bytes; empty when it was not given.
    pub fn bytes(&self, word: &str) -> Vec<u8> {
        self.value(word).map(|value| value.as_bytes().to_vec()).unwrap_or_default()
    }

    /// The value of an option as text; empty when it was not given. Bytes that are no UTF-8 are replaced.
    pub fn text(&self, word: &str) -> String {
        self.value(word).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The first two of these options that were given together.
    pub fn conflict(&self, words: &[&'static str]) -> Option<(&'static str, &'static str)> {
        let mut given = words.iter().filter(|word| self.has(word));
        Some((given.next()?, given.next()?))
    }
}

fn is_number(word: &OsStr) -> bool {
    !word.is_empty() && word.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Finds the option a typed word means: an exact word first, then the only one it abbreviates.
fn find(tables: &[&[OptionSpec]], typed: &str) -> Result<OptionSpec, OptionError> {
    let letters = &typed[1..];
    let all = || tables.iter().flat_map(|table| table.iter());
    if let Some(exact) =
        all().find(|spec| shortest(spec.word) == letters || spec.word.replace('/', "") == letters)
    {
        return Ok(*exact);
    }
    let fits = |spec: &&OptionSpec| {
        letters.len() >= shortest(spec.word).len() && spec.word.replace('/', "").starts_with(letters)
    };
    let mut found = all().filter(fits);
    match (found.next(), found.next()) {
        (Some(spec), None) => Ok(*spec),
        (Some(_), Some(_)) => Err(OptionError::Ambiguous(typed.to_owned())),
        (None, _) => Err(OptionError::Unrecognized(typed.to_owned())),
    }
}

fn shortest(word: &str) -> &str {
    word.split('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[OptionSpec] = &[
        flag("r/ecurse"),
        flag("l/ong"),
        flag("s/hort"),
        value("sin/ce"),
        number("las/t"),
        flag("nxn/ame"),
        pair("be/tween"),
    ];

    fn parse(line: &str) -> Result<Arguments, OptionError> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Arguments::parse(&[TABLE, COMMENT_OPTIONS], &words)
    }

    #[test]
    fn options_may_be_cut_to_their_minimum() {
        for (line, word) in [
            ("-r x", "recurse"),
            ("-rec", "recurse"),
            ("-recurse", "recurse"),
            ("-l", "long"),
            ("-s", "short"),
            ("-sho", "short"),
            ("-sin today", "since"),
            ("-nc", "ncomment"),
            ("-cqe", "cqeach"),
            ("-cq", "cquery"),
            ("-cque", "cquery"),
            ("-c text", "comment"),
            ("-cfile f", "cfile"),
            ("-las", "last"),
            ("-las 3", "last"),
        ] {
            assert!(parse(line).unwrap().has(word), "{line}");
        }
    }

    #[test]
    fn words_that_are_no_options_are_refused() {
        for line in ["-zz", "-n", "-la", "-nx", "-recursive", "-cf", "-é"] {
            assert!(matches!(parse(line), Err(OptionError::Unrecognized(_))), "{line}: {:?}", parse(line));
        }
        assert_eq!(parse("-sin").unwrap_err().to_string(), "Missing argument for option \"-since\"");
        assert_eq!(parse("-c a -c b").unwrap_err(), OptionError::Twice("comment".to_owned()));
    }

    #[test]
    fn options_may_stand_behind_operands_where_a_command_says_so() {
        const FIND: &[OptionSpec] = &[flag("pri/nt"), flag("a/ll"), value("nam/e"), repeated("exe/c")];
        let parse = |line: &str| {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            Arguments::parse(&[FIND], &words)?.with_options_behind(&[FIND])
        };
        let found = parse("a b -exec -x -name *.c c -print -exec y").unwrap();
        assert_eq!(found.operands, ["a", "b", "c"]);
        let given: Vec<(&str, Option<&str>)> =
            found.given().map(|(word, value)| (word, value.and_then(OsStr::to_str))).collect();
        let expected = [("exec", Some("-x")), ("name", Some("*.c")), ("print", None), ("exec", Some("y"))];
        assert_eq!(given, expected);
        assert_eq!(parse("-all -print").unwrap().operands, [""; 0]);
        assert_eq!(parse("-name a . -name b").unwrap_err(), OptionError::Twice("name".to_owned()));
        assert_eq!(parse("a -zz").unwrap_err(), OptionError::Unrecognized("-zz".to_owned()));
        assert_eq!(parse("a -exec").unwrap_err(), OptionError::MissingValue("exec".to_owned()));
    }

    #[test]
    fn options_end_at_the_first_other_word() {
        let arguments = parse("-c -nc -r -- -l foo").unwrap();
        assert_eq!(arguments.bytes("comment"), b"-nc");
        assert!(!arguments.has("ncomment") && arguments.has("recurse"));
        assert_eq!(arguments.operands, ["-l", "foo"]);
        assert_eq!(parse("foo -r").unwrap().operands, ["foo", "-r"]);
        assert_eq!(parse("-last foo").unwrap().operands, ["foo"]);
        assert_eq!(parse("-last 7 foo").unwrap().text("last"), "7");
        assert_eq!(parse("- -r").unwrap().operands, ["-", "-r"]);
        let between = parse("-be -r -l foo").unwrap();
        assert_eq!(between.values("between").collect::<Vec<_>>(), ["-r", "-l"]);
        assert_eq!(between.operands, ["foo"]);
        assert_eq!(parse("-be a").unwrap_err(), OptionError::MissingValue("between".to_owned()));
        assert_eq!(parse("-be a b -be c d").unwrap_err(), OptionError::Twice("between".to_owned()));
        assert_eq!(parse("-l -s").unwrap().conflict(&["short", "long"]), Some(("short", "long")));
    }
}
