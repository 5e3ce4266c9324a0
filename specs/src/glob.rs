//! Wildcards in one name: `*`, `?`, `[a-z]`. Owns their syntax and matching; must not know components or paths.
//!
//! A glob is matched as written, byte by byte, without a compiled form: thousands of rules cost their text and
//! nothing more. A regular expression for each was weighed: those of the 2,500 globs in a spec of 10,000 rules took
//! 29 ms to build, all the rest of the spec 11 ms (`benches/select.rs`).

/// A name with wildcards, its brackets known to be sound.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(Box<[u8]>);

/// What is wrong with a glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobFault {
    /// A `[` without its `]`.
    #[error("\"[\" is not closed")]
    NotClosed,
    /// A range such as `z-a`.
    #[error("a range in \"[]\" is out of order")]
    RangeOutOfOrder,
}

/// One step of a glob.
enum Item<'a> {
    /// `*`
    AnyBytes,
    /// `?`
    AnyByte,
    /// The text between brackets.
    Class(&'a [u8]),
    Byte(u8),
}

impl Glob {
    /// Checks the brackets of a glob.
    ///
    /// # Errors
    /// The first fault.
    pub fn new(source: &[u8]) -> Result<Glob, GlobFault> {
        let mut rest = source;
        while let Some((item, after)) = split_item(rest) {
            match item {
                Item::Byte(b'[') => return Err(GlobFault::NotClosed),
                Item::Class(members) if ranges(members).any(|(first, last)| first > last) => {
                    return Err(GlobFault::RangeOutOfOrder);
                }
                _ => {}
            }
            rest = after;
        }
        Ok(Glob(source.into()))
    }

    /// The glob as written.
    pub fn source(&self) -> &[u8] {
        &self.0
    }

    /// The bytes that a name must begin and end with. Together they may be longer than a name that fits.
    pub fn ends(&self) -> (&[u8], &[u8]) {
        let (mut prefix, mut suffix) = (None, 0);
        let mut rest = &*self.0;
        while let Some((item, after)) = split_item(rest) {
            if !matches!(item, Item::Byte(_)) {
                prefix = prefix.or(Some(self.0.len() - rest.len()));
                suffix = self.0.len() - after.len();
            }
            rest = after;
        }
        (&self.0[..prefix.unwrap_or(self.0.len())], &self.0[suffix..])
    }

    /// Whether a whole name fits. At worst as many steps as name and glob have bytes, multiplied.
    pub fn matches(&self, name: &[u8]) -> bool {
        let (mut glob, mut name) = (&*self.0, name);
        // Behind the last `*`: the glob, and the name where it was tried there.
        let mut retry: Option<(&[u8], &[u8])> = None;
        loop {
            let next = split_item(glob);
            if let Some((Item::AnyBytes, after)) = next {
                glob = after;
                retry = Some((glob, name));
                continue;
            }
            let Some((&byte, after_byte)) = name.split_first() else {
                // A later start leaves even fewer bytes for the items that remain.
                return next.is_none();
            };
            match next {
                Some((item, after)) if item.accepts(byte) => (glob, name) = (after, after_byte),
                _ => {
                    let Some((behind, [_, later @ ..])) = retry else {
                        return false;
                    };
                    (glob, name) = (behind, later);
                    retry = Some((behind, later));
                }
            }
        }
    }
}

impl Item<'_> {
    fn accepts(&self, byte: u8) -> bool {
        match self {
            Item::AnyBytes | Item::AnyByte => true,
            Item::Class(members) => ranges(members).any(|(first, last)| (first..=last).contains(&byte)),
            Item::Byte(wanted) => *wanted == byte,
        }
    }
}

/// The first item and what follows it. A `[` that is not closed is a byte.
fn split_item(glob: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&first, after) = glob.split_first()?;
    Some(match first {
        b'*' => (Item::AnyBytes, after),
        b'?' => (Item::AnyByte, after),
        // A `]` that comes first stands for itself.
        b'[' => match after.iter().skip(1).position(|&byte| byte == b']') {
            Some(at) => (Item::Class(&after[..=at]), &after[at + 2..]),
            None => (Item::Byte(first), after),
        },
        _ => (Item::Byte(first), after),
    })
}

/// First and last byte of each member of a class: `a`, or `a-z`. A `-` that comes last stands for itself.
fn ranges(mut members: &[u8]) -> impl Iterator<Item = (u8, u8)> {
    std::iter::from_fn(move || {
        let (range, after) = match members {
            [] => return None,
            [first, b'-', last, after @ ..] => ((*first, *last), after),
            [only, after @ ..] => ((*only, *only), after),
        };
        members = after;
        Some(range)
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;
    use proptest::sample::select;
    use regex::bytes::Regex;

    use super::*;

    /// One item: the glob, and the same as a regular expression.
    fn item() -> impl Strategy<Value = (Vec<u8>, String)> {
        let byte = || prop_oneof![3 => select(b"aab-].!^".to_vec()), 1 => any::<u8>()];
        let literal = byte().prop_filter("plain", |byte| !b"*?[".contains(byte));
        let class = prop::collection::vec((byte(), byte()), 1..3).prop_map(|members| {
            let (mut glob, mut regex) = (vec![b'['], String::from("["));
            for (index, (one, other)) in members.into_iter().enumerate() {
                let (first, last) = (one.min(other), one.max(other));
                // A `]` may only come first, and a range keeps its last byte apart from the bracket.
                let last = if last == b']' { first } else { last };
                if first == b']' && (index > 0 || last == b']') {
                    continue;
                }
                glob.extend([first, b'-', last]);
                write!(regex, "\\x{first:02x}-\\x{last:02x}").unwrap();
            }
            glob.push(b']');
            regex.push(']');
            (glob, regex)
        });
        prop_oneof![
            2 => Just((b"*".to_vec(), ".*".to_owned())),
            1 => Just((b"?".to_vec(), ".".to_owned())),
            3 => literal.prop_map(|byte| (vec![byte], format!("\\x{byte:02x}"))),
            1 => class.prop_filter("closed", |(glob, _)| Glob::new(glob).is_ok()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn globs_match_as_regular_expressions_do(
            items in prop::collection::vec(item(), 0..8),
            names in prop::collection::vec(
                prop::collection::vec(prop_oneof![4 => select(b"aab-].!^".to_vec()), 1 => any::<u8>()], 0..10),
                1..8,
            ),
        ) {
            let (source, regex): (Vec<Vec<u8>>, Vec<String>) = items.into_iter().unzip();
            let glob = Glob::new(&source.concat()).unwrap();
            let regex = Regex::new(&format!("(?s-u)\\A{}\\z", regex.concat())).unwrap();
            for name in names {
                let fits = glob.matches(&name);
                prop_assert_eq!(fits, regex.is_match(&name), "{:?} {:?}", glob, name);
                let (prefix, suffix) = glob.ends();
                prop_assert!(!fits || name.starts_with(prefix) && name.ends_with(suffix));
            }
        }

        #[test]
        fn no_bytes_make_a_glob_panic(
            source in prop::collection::vec(prop_oneof![select(b"[]-*?a".to_vec()), any::<u8>()], 0..12),
            name in prop::collection::vec(prop_oneof![select(b"[]-*?a".to_vec()), any::<u8>()], 0..12),
        ) {
            if let Ok(glob) = Glob::new(&source) {
                glob.matches(&name);
                let (prefix, suffix) = glob.ends();
                prop_assert!(source.starts_with(prefix) && source.ends_with(suffix));
            }
        }
    }

    #[test]
    fn brackets_are_checked() {
        let table: [(&str, Result<(), GlobFault>); 8] = [
            ("[a]", Ok(())),
            ("[]]", Ok(())),
            ("[]-a]", Ok(())),
            ("[a-]", Ok(())),
            ("a[", Err(GlobFault::NotClosed)),
            ("[]", Err(GlobFault::NotClosed)),
            ("[a]*[b", Err(GlobFault::NotClosed)),
            ("[b-a]", Err(GlobFault::RangeOutOfOrder)),
        ];
        for (source, expected) in table {
            assert_eq!(Glob::new(source.as_bytes()).map(drop), expected, "{source}");
        }
    }

    #[test]
    fn ends_are_the_bytes_around_all_wildcards() {
        let table = [
            ("a*b?.c", "a", ".c"),
            ("*[x]", "", ""),
            ("ab[*]cd", "ab", "cd"),
            ("?x", "", "x"),
            ("x[]]", "x", ""),
            ("plain", "plain", "plain"),
        ];
        for (source, prefix, suffix) in table {
            let glob = Glob::new(source.as_bytes()).unwrap();
            assert_eq!(glob.ends(), (prefix.as_bytes(), suffix.as_bytes()), "{source}");
        }
    }

    /// Each `*` makes a naive matcher try again from every place.
    #[test]
    fn many_stars_do_not_multiply() {
        let glob = Glob::new(&[b"*a".repeat(100).as_slice(), b"b"].concat()).unwrap();
        assert!(!glob.matches(&b"a".repeat(255)));
        assert!(glob.matches(&[b"a".repeat(254), b"b".to_vec()].concat()));
    }
}
