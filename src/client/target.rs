//! Object names: a path, or `kind:name@vob`.
//!
//! Pure but for the working directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::session::{CommandError, Session};
use crate::server::proto::target::Target as TargetKind;
use crate::server::proto::{Pname, Selector, SelectorKind, Target};

/// Prefixes that name objects the daemon knows.
const PREFIXES: &[(&[u8], SelectorKind)] = &[
    (b"vob", SelectorKind::Vob),
    (b"brtype", SelectorKind::BranchType),
    (b"lbtype", SelectorKind::LabelType),
    (b"eltype", SelectorKind::ElementType),
    (b"attype", SelectorKind::AttributeType),
    (b"hltype", SelectorKind::HyperlinkType),
    (b"hlink", SelectorKind::Hyperlink),
    (b"oid", SelectorKind::Oid),
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
        Some((kind, name, vob)) => {
            let vob = match vob {
                Some(typed) => session.pname(OsStr::from_bytes(typed))?,
                None => Pname { absolute: session.pname(OsStr::new("."))?.absolute, ..Pname::default() },
            };
            TargetKind::Selector(Selector { kind: kind.into(), name: name.to_vec(), vob: Some(vob) })
        }
    };
    Ok(Target { target: Some(kind) })
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
