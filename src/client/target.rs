//! Object names: a path, or `kind:name@vob`.
//!
//! Pure but for the working directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::commands::exclusive;
use super::options::Arguments;
use super::session::{CommandError, Session};
use crate::server::proto::target::Target as TargetKind;
use crate::server::proto::{ObjectKind, Pname, Selector, SelectorKind, Target};

/// Prefixes that name objects the daemon knows.
const PREFIXES: &[(&[u8], SelectorKind)] = &[
    (b"vob", SelectorKind::Vob),
    (b"brtype", SelectorKind::BranchType),
    (b"lbtype", SelectorKind::LabelType),
    (b"eltype", SelectorKind::ElementType),
    (b"attype", SelectorKind::AttributeType),
    (b"hltype", SelectorKind::HyperlinkType),
    (b"trtype", SelectorKind::TriggerType),
    (b"hlink", SelectorKind::Hyperlink),
    (b"oid", SelectorKind::Oid),
    (b"dbid", SelectorKind::Dbid),
];

/// Reads operands as objects; with `paths_only` (`-pname`) a prefix means nothing.
///
/// # Errors
/// The working directory cannot be named.
pub fn targets(
    session: &Session,
    operands: &[OsString],
    paths_only: bool,
) -> Result<Vec<Target>, CommandError> {
    operands.iter().map(|operand| target(session, operand, paths_only)).collect()
}

fn target(session: &Session, operand: &OsStr, paths_only: bool) -> Result<Target, CommandError> {
    let selector = if paths_only { None } else { split(operand.as_bytes()) };
    let kind = match selector {
        None => TargetKind::Pname(session.pname(operand)?),
        Some((kind, name, vob)) => TargetKind::Selector(selector_of(session, kind, name, vob)?),
    };
    Ok(Target { target: Some(kind) })
}

/// Which of the oldest releases' options that say what all operands are was given: `type`, or a kind of type object,
/// which is the prefix of its selectors too.
///
/// # Errors
/// Two of them were.
pub fn old_kind(arguments: &Arguments) -> Result<Option<&'static str>, CommandError> {
    let words = ["type", "attype", "brtype", "eltype", "hltype", "lbtype"];
    exclusive(arguments, &words)?;
    Ok(words.into_iter().find(|word| arguments.has(word)))
}

/// The operands, with the prefix of the kind of type object that an option of the oldest releases gives them.
///
/// # Errors
/// As [`old_kind`], and an operand that is no type selector of that kind.
pub fn typed_operands(arguments: &Arguments) -> Result<Vec<OsString>, CommandError> {
    let Some(word) = old_kind(arguments)? else { return Ok(arguments.operands.clone()) };
    let operand = |operand: &OsString| {
        let typed = operand.as_bytes();
        match split(typed) {
            None if word != "type" => Ok(OsString::from_vec([word.as_bytes(), b":", typed].concat())),
            Some((kind, ..)) if object_kind(kind) != ObjectKind::Unspecified => {
                let fits = word == "type" || typed.starts_with(&[word.as_bytes(), b":"].concat());
                if fits { Ok(operand.clone()) } else { Err(not_a_type(typed)) }
            }
            _ => Err(not_a_type(typed)),
        }
    };
    arguments.operands.iter().map(operand).collect()
}

/// Reads an operand that names a type of this kind: `REL1`, `REL1@/vobs/a`, or with its prefix.
///
/// # Errors
/// A prefix of another kind, or no working directory.
pub fn type_selector(
    session: &Session,
    operand: &OsStr,
    kind: SelectorKind,
) -> Result<Selector, CommandError> {
    let typed = operand.as_bytes();
    let (found, name, vob) = match split(typed) {
        Some(parts) => parts,
        None => {
            let prefix = PREFIXES.iter().find(|(_, of)| *of == kind).map(|(prefix, _)| *prefix);
            let whole = [prefix.unwrap_or_default(), b":", typed].concat();
            return match split(&whole) {
                Some((_, name, vob)) => selector_of(session, kind, name, vob),
                None => Err(not_a_type(typed)),
            };
        }
    };
    if found != kind {
        return Err(not_a_type(typed));
    }
    selector_of(session, kind, name, vob)
}

/// Reads an operand that names a type with the prefix of its kind.
///
/// # Errors
/// As [`type_selector`].
pub fn any_type_selector(session: &Session, operand: &OsStr) -> Result<Selector, CommandError> {
    match split(operand.as_bytes()) {
        Some((kind, name, vob)) if object_kind(kind) != ObjectKind::Unspecified => {
            selector_of(session, kind, name, vob)
        }
        _ => Err(not_a_type(operand.as_bytes())),
    }
}

/// Reads operands as types with `read`. What is wrong with one is said, and the others are read; tells whether all could
/// be.
///
/// # Errors
/// Whatever has nothing to do with the operands.
pub fn type_selectors(
    session: &mut Session,
    operands: &[OsString],
    read: impl Fn(&Session, &OsStr) -> Result<Selector, CommandError>,
) -> Result<(Vec<Selector>, bool), CommandError> {
    let (mut selectors, mut all_read) = (Vec::new(), true);
    for operand in operands {
        match read(session, operand) {
            Ok(selector) => selectors.push(selector),
            Err(CommandError::Refused(sentences)) => {
                all_read = false;
                sentences.iter().for_each(|sentence| session.error(sentence));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((selectors, all_read))
}

fn not_a_type(typed: &[u8]) -> CommandError {
    CommandError::refused([b"Not a type selector of the kind wanted: \"", typed, b"\"."].concat())
}

fn selector_of(
    session: &Session,
    kind: SelectorKind,
    name: &[u8],
    vob: Option<&[u8]>,
) -> Result<Selector, CommandError> {
    let vob = typed_vob(session, vob.map(OsStr::from_bytes))?;
    Ok(Selector { kind: kind.into(), name: name.to_vec(), vob: Some(vob) })
}

/// The VOB of a selector or of `-invob`; where none was given, the one of the working directory, which nobody
/// typed.
///
/// # Errors
/// The working directory cannot be named.
pub fn typed_vob(session: &Session, typed: Option<&OsStr>) -> Result<Pname, CommandError> {
    match typed {
        Some(typed) => {
            let path = typed.as_bytes();
            session.pname(OsStr::from_bytes(path.strip_prefix(b"vob:").unwrap_or(path)))
        }
        None => Ok(Pname { absolute: session.pname(OsStr::new("."))?.absolute, ..Pname::default() }),
    }
}

fn object_kind(kind: SelectorKind) -> ObjectKind {
    match kind {
        SelectorKind::BranchType => ObjectKind::BranchType,
        SelectorKind::LabelType => ObjectKind::LabelType,
        SelectorKind::ElementType => ObjectKind::ElementType,
        SelectorKind::AttributeType => ObjectKind::AttributeType,
        SelectorKind::HyperlinkType => ObjectKind::HyperlinkType,
        SelectorKind::TriggerType => ObjectKind::TriggerType,
        SelectorKind::Unspecified
        | SelectorKind::Vob
        | SelectorKind::Hyperlink
        | SelectorKind::Oid
        | SelectorKind::Dbid => ObjectKind::Unspecified,
    }
}

/// What kind of type object a selector names.
pub fn selector_object_kind(selector: &Selector) -> ObjectKind {
    object_kind(selector.kind())
}

/// Kind, name, and VOB when it was given.
type Parts<'a> = (SelectorKind, &'a [u8], Option<&'a [u8]>);

/// Splits `kind:name@vob`; `None` for what is a path. The VOB begins at the last `@` that has a path or `vob:` after it,
/// because hyperlinks have an `@` of their own.
fn split(text: &[u8]) -> Option<Parts<'_>> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    if &text[..colon] == b"pname" {
        return None;
    }
    let (_, kind) = PREFIXES.iter().find(|(prefix, _)| *prefix == &text[..colon])?;
    let rest = &text[colon + 1..];
    if *kind == SelectorKind::Vob {
        return Some((*kind, b"", Some(if rest.is_empty() { b"." } else { rest })));
    }
    let at = rest.iter().rposition(|byte| *byte == b'@');
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match at {
        Some(at) if !(*kind == SelectorKind::Hyperlink && is_number(&rest[at + 1..])) => {
            let vob = &rest[at + 1..];
            Some((*kind, &rest[..at], Some(vob.strip_prefix(b"vob:").unwrap_or(vob))))
        }
        _ => Some((*kind, rest, None)),
    }
}

/// What the user typed for each object, as far as it is a path.
pub fn typed_names(targets: &[Target]) -> Vec<Vec<u8>> {
    let typed = |target: &Target| match &target.target {
        Some(TargetKind::Pname(pname)) => pname.typed.clone(),
        Some(TargetKind::Selector(selector)) if selector.kind() == SelectorKind::Vob => {
            let vob = selector.vob.as_ref().map(|vob| vob.typed.as_slice());
            [b"vob:", vob.unwrap_or_default()].concat()
        }
        Some(TargetKind::Selector(selector)) => selector.name.clone(),
        None => Vec::new(),
    };
    targets.iter().map(typed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_told_from_paths() {
        for (text, expected) in [
            ("foo.c", None),
            ("a:b", None),
            ("pname:lbtype:x", None),
            ("lbtype:REL1", Some((SelectorKind::LabelType, "REL1", None))),
            ("brtype:b@/vobs/a", Some((SelectorKind::BranchType, "b", Some("/vobs/a")))),
            ("brtype:b@vob:/vobs/a", Some((SelectorKind::BranchType, "b", Some("/vobs/a")))),
            ("vob:/vobs/a", Some((SelectorKind::Vob, "", Some("/vobs/a")))),
            ("vob:", Some((SelectorKind::Vob, "", Some(".")))),
            ("hlink:Merge@5", Some((SelectorKind::Hyperlink, "Merge@5", None))),
            ("hlink:Merge@5@/vobs/a", Some((SelectorKind::Hyperlink, "Merge@5", Some("/vobs/a")))),
        ] {
            let expected = expected.map(|(kind, name, vob)| (kind, name.as_bytes(), vob.map(str::as_bytes)));
            assert_eq!(split(text.as_bytes()), expected, "{text}");
        }
    }
}
