//! Element patterns: which pathnames a rule speaks of. Owns their syntax; wildcards within a name are `glob`'s, how
//! paths are walked is `automaton`'s. Names and patterns are bytes.
//!
//! A pattern is a list of components; `...` stands for zero or more of them. A relative pattern begins with an
//! implied `...`; an absolute one belongs to a VOB, and its components begin below the VOB tag.

use crate::compile::Environment;
use crate::diagnostic::{DiagnosticKind, Problem};
use crate::glob::{Glob, GlobFault};
use crate::lex::Token;

/// How many bytes a pattern may have: `PATH_MAX` of Linux, without its final NUL. No program can name a longer
/// path in one call.
pub const MAX_PATTERN_BYTES: usize = 4095;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The tag of the VOB whose elements alone match; `None` for a relative pattern.
    vob_tag: Option<Vec<u8>>,
    /// The family of that VOB, if it is known.
    family: Option<[u8; 16]>,
    components: Vec<Component>,
}

impl Pattern {
    /// The tag of the VOB that an absolute pattern belongs to.
    pub fn vob_tag(&self) -> Option<&[u8]> {
        self.vob_tag.as_deref()
    }

    /// Writes the pattern so that reading it gives the same one, even when the VOB has another tag by then.
    pub(crate) fn source(&self) -> Vec<u8> {
        let mut source = Vec::new();
        if let Some(tag) = &self.vob_tag {
            match &self.family {
                Some(family) => {
                    let digits: String = family.iter().map(|byte| format!("{byte:02x}")).collect();
                    source.extend([b"[", digits.as_bytes(), b"=", tag, b"]"].concat());
                }
                None => source.extend(tag),
            }
        }
        // A relative pattern begins with the `...` that is implied.
        for (index, component) in self.components.iter().enumerate() {
            if index > 0 || self.vob_tag.is_some() {
                source.push(b'/');
            }
            match component {
                Component::AnyLevels => source.extend(b"..."),
                Component::Name(glob) => source.extend(glob.source()),
            }
        }
        source
    }

    /// The components below the VOB tag, or, of a relative pattern, below `/`.
    pub(crate) fn components(&self) -> &[Component] {
        &self.components
    }

    /// Whether every path matches that `vob_tag` admits at all.
    pub(crate) fn matches_all(&self) -> bool {
        match self.components.as_slice() {
            [Component::AnyLevels] => true,
            // A path has at least the components of its VOB tag.
            [Component::AnyLevels, Component::Name(NameGlob::Any)] => self.vob_tag.is_none(),
            _ => false,
        }
    }
}

/// One component of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Component {
    /// `...`; never twice in succession.
    AnyLevels,
    Name(NameGlob),
}

/// What one name must look like. The frequent shapes are compared directly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NameGlob {
    /// `*`
    Any,
    /// No wildcard.
    Literal(Vec<u8>),
    /// `text*`
    Prefix(Vec<u8>),
    /// `*text`
    Suffix(Vec<u8>),
    /// Anything else.
    Other(Glob),
}

impl NameGlob {
    /// The component as it is written.
    fn source(&self) -> Vec<u8> {
        match self {
            NameGlob::Any => b"*".to_vec(),
            // Only a home directory brings wildcards that are meant literally.
            NameGlob::Literal(text) => text.iter().flat_map(|&byte| escaped(byte)).collect(),
            NameGlob::Prefix(text) => [text, &b"*"[..]].concat(),
            NameGlob::Suffix(text) => [&b"*"[..], text].concat(),
            NameGlob::Other(glob) => glob.source().to_vec(),
        }
    }
}

fn escaped(byte: u8) -> Vec<u8> {
    if b"*?[".contains(&byte) { vec![b'[', byte, b']'] } else { vec![byte] }
}

/// Which VOBs there are.
pub(crate) struct Registry<'a> {
    pub env: &'a Environment<'a>,
    /// Whether a pattern with the identity of a VOB's family may name one that is not registered: it matches
    /// nothing then.
    pub lenient: bool,
}

/// Compiles a pattern word.
pub(crate) fn parse_pattern(token: &Token, registry: &Registry) -> Result<Pattern, Problem> {
    let env = registry.env;
    let text = token.bytes.as_slice();
    let anchored = |tag: &[u8], components| Pattern {
        vob_tag: Some(trim_slashes(tag).to_vec()),
        family: (env.family_of)(tag),
        components: collapse(components),
    };
    if let Some((family, tag, path)) = family_form(text) {
        let by_tag = || (env.vob_tag_of)(tag).filter(|found| trim_slashes(found) == trim_slashes(tag));
        let components = components_of(token, path)?;
        return match (env.tag_of_family)(family).or_else(by_tag) {
            Some(tag) => Ok(anchored(&tag, components)),
            None if registry.lenient => Ok(Pattern { family: Some(family), ..anchored(tag, components) }),
            None => Err(no_registered_tag(token, text)),
        };
    }
    if let Some(below_home) = text.strip_prefix(b"~") {
        let (b"" | [b'/', ..]) = below_home else {
            return Err(
                token.problem("home directories of other users are not known", "~ followed by / or nothing")
            );
        };
        let home = env.home.ok_or_else(|| {
            token.problem("the home directory is not known", "a pattern that does not begin with ~")
        })?;
        let path = [home, below_home].concat();
        let tag = (env.vob_tag_of)(&path).ok_or_else(|| no_registered_tag(token, &path))?;
        let mut components: Vec<_> =
            names(home).map(|name| Component::Name(NameGlob::Literal(name.to_vec()))).collect();
        components.extend(components_of(token, below_home)?);
        return Ok(anchored(&tag, components.into_iter().skip(names(&tag).count()).collect()));
    }
    if text.starts_with(b"/") {
        let tag = (env.vob_tag_of)(text).ok_or_else(|| no_registered_tag(token, text))?;
        let count = names(&tag).count();
        let mut rest = text;
        for _ in 0..count {
            let start = rest.iter().position(|&byte| byte != b'/').unwrap_or(rest.len());
            let end =
                rest[start..].iter().position(|&byte| byte == b'/').map_or(rest.len(), |end| start + end);
            rest = &rest[end..];
        }
        return Ok(anchored(&tag, components_of(token, rest)?));
    }
    let mut components = vec![Component::AnyLevels];
    components.extend(components_of(token, text)?);
    if names(text).next().is_none() {
        return Err(token.problem("pattern is empty", "a pattern, such as *"));
    }
    Ok(Pattern { vob_tag: None, family: None, components: collapse(components) })
}

fn no_registered_tag(token: &Token, path: &[u8]) -> Problem {
    let message = format!("No registered VOB tag in path: \"{}\"", String::from_utf8_lossy(path));
    Problem::plain(DiagnosticKind::UnregisteredVob, token.column, message)
}

/// `[UUID=/TAG]/PATH`: the form with the VOB's family identity (32 hexadecimal digits, dots, colons and hyphens
/// between them ignored).
fn family_form(text: &[u8]) -> Option<([u8; 16], &[u8], &[u8])> {
    let inner = text.strip_prefix(b"[")?;
    let equals = inner.iter().position(|&byte| byte == b'=')?;
    let (uuid, tag) = (&inner[..equals], &inner[equals + 1..]);
    let digits: Vec<u8> = uuid.iter().copied().filter(|byte| !b".:-".contains(byte)).collect();
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let family = u128::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
    let close = tag.iter().position(|&byte| byte == b']')?;
    tag.starts_with(b"/").then(|| (family.to_be_bytes(), &tag[..close], &tag[close + 1..]))
}

/// The non-empty components of a path.
pub(crate) fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
}

/// A tag in the one form that tags are compared in.
pub(crate) fn trim_slashes(tag: &[u8]) -> &[u8] {
    let end = tag.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    &tag[..end]
}

fn collapse(mut components: Vec<Component>) -> Vec<Component> {
    components.dedup_by(|next, kept| *next == Component::AnyLevels && *kept == Component::AnyLevels);
    components
}

fn components_of(token: &Token, path: &[u8]) -> Result<Vec<Component>, Problem> {
    if token.bytes.len() > MAX_PATTERN_BYTES {
        let message = format!("pattern is longer than {MAX_PATTERN_BYTES} bytes");
        return Err(Problem::plain(DiagnosticKind::Limit, token.column, message));
    }
    names(path).map(|name| component(token, name)).collect()
}

fn component(token: &Token, name: &[u8]) -> Result<Component, Problem> {
    match name {
        b"..." => Ok(Component::AnyLevels),
        b"." | b".." => Err(token.problem("pattern contains . or ..", "names, wildcards or ...")),
        _ => glob(token, name).map(Component::Name),
    }
}

fn glob(token: &Token, source: &[u8]) -> Result<NameGlob, Problem> {
    let is_wild = |byte: &u8| b"*?[".contains(byte);
    match source {
        [b'*'] => return Ok(NameGlob::Any),
        _ if !source.iter().any(is_wild) => return Ok(NameGlob::Literal(source.to_vec())),
        [b'*', text @ ..] if !text.iter().any(is_wild) => return Ok(NameGlob::Suffix(text.to_vec())),
        [text @ .., b'*'] if !text.iter().any(is_wild) => return Ok(NameGlob::Prefix(text.to_vec())),
        _ => {}
    }
    Glob::new(source).map(NameGlob::Other).map_err(|fault| match fault {
        GlobFault::NotClosed => token.problem("\"[\" is not closed within its component", "\"]\""),
        GlobFault::RangeOutOfOrder => {
            token.problem("range in \"[...]\" is out of order", "the lower end first")
        }
    })
}
