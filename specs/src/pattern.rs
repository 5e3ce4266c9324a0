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
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The tag of the VOB whose elements alone match; `None` for a relative pattern.
    vob_tag: Option<Vec<u8>>,
    components: Vec<Component>,
}

impl Pattern {
    /// The tag of the VOB that an absolute pattern belongs to.
    pub fn vob_tag(&self) -> Option<&[u8]> {
        self.vob_tag.as_deref()
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

/// Compiles a pattern word.
pub(crate) fn parse_pattern(token: &Token, env: &Environment) -> Result<Pattern, Problem> {
    let text = token.bytes.as_slice();
    if let Some((tag, path)) = family_form(text) {
        let registered = (env.vob_tag_of)(tag).filter(|found| trim_slashes(found) == trim_slashes(tag));
        let tag = registered.ok_or_else(|| no_registered_tag(token, text))?;
        return Ok(anchored(&tag, components_of(token, path)?));
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
    Ok(Pattern { vob_tag: None, components: collapse(components) })
}

fn anchored(tag: &[u8], components: Vec<Component>) -> Pattern {
    Pattern { vob_tag: Some(trim_slashes(tag).to_vec()), components: collapse(components) }
}

fn no_registered_tag(token: &Token, path: &[u8]) -> Problem {
    let message = format!("No registered VOB tag in path: \"{}\"", String::from_utf8_lossy(path));
    Problem::plain(DiagnosticKind::UnregisteredVob, token.column, message)
}

/// `[UUID=/TAG]/PATH`: the form with the VOB's family identifier (32 hexadecimal digits, dots or colons between
/// them ignored). Returns tag and path.
fn family_form(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"[")?;
    let equals = inner.iter().position(|&byte| byte == b'=')?;
    let (uuid, tag) = (&inner[..equals], &inner[equals + 1..]);
    let digits = uuid.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    let others = uuid.iter().all(|byte| byte.is_ascii_hexdigit() || b".:-".contains(byte));
    let close = tag.iter().position(|&byte| byte == b']')?;
    (digits == 32 && others && tag.starts_with(b"/")).then(|| (&tag[..close], &tag[close + 1..]))
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
