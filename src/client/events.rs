//! Events in words: what `%o` and `%e` print, and the sentences that stand above comments.
//!
//! Pure. One table for `lshistory` and for formats.

use super::failure::kind_name;
use super::layout::comment_text;
use crate::server::proto::{EventKind, HistoryEvent, ObjectKind};

/// What happened, as `%e` says it: `create version`, `make label "L" on version`.
pub fn phrase(event: &HistoryEvent) -> Vec<u8> {
    let object = kind_name(event.object()).as_bytes();
    let with = |before: &str, between: &str| {
        [before.as_bytes(), b" \"", &event.detail, b"\" ", between.as_bytes(), b" ", object].concat()
    };
    let simple = |verb: &str| [verb.as_bytes(), b" ", object].concat();
    match event.kind() {
        EventKind::Create => simple("create"),
        EventKind::Checkout => simple("checkout"),
        EventKind::MakeLabel => with("make label", "on"),
        EventKind::RemoveLabel => with("remove label", "from"),
        EventKind::MakeAttribute => with("make attribute", "on"),
        EventKind::RemoveAttribute => with("remove attribute", "from"),
        EventKind::MakeHyperlink => with("make hyperlink", "on"),
        EventKind::RemoveHyperlink => with("remove hyperlink", "from"),
        EventKind::MakeTrigger => with("make trigger", "on"),
        EventKind::RemoveTrigger => with("remove trigger", "from"),
        EventKind::Rename => simple("rename"),
        EventKind::Lock => simple("lock"),
        EventKind::Unlock => simple("unlock"),
        EventKind::DestroyVersion => simple("destroy version on"),
        EventKind::DestroyBranch => with("destroy sub-branch", "of"),
        EventKind::DestroyElement => b"destroy element in VOB".to_vec(),
        EventKind::ChangeType => simple("change type of"),
        EventKind::ChangeProtection => simple("change protection of"),
        EventKind::Reserve => simple("reserve"),
        EventKind::Unreserve => simple("unreserve"),
        EventKind::DestroyType => b"destroy type in VOB".to_vec(),
        EventKind::ChangeEvent => simple("change event of"),
        EventKind::Unspecified => simple("change"),
    }
}

/// What an event did, in a sentence that stands above its comment; none for most.
pub fn sentence(event: &HistoryEvent) -> Option<Vec<u8>> {
    let quoted = |text: &[u8]| [b"\"", text, b"\""].concat();
    let (detail, other) = (quoted(&event.detail), quoted(&event.other_version));
    let moved = |way: &[u8]| [b"Moved label ", &detail[..], way, &other, b"."].concat();
    match event.kind() {
        EventKind::MakeLabel if !event.other_version.is_empty() => Some(moved(b" from version ")),
        EventKind::RemoveLabel if !event.other_version.is_empty() => Some(moved(b" to version ")),
        EventKind::MakeHyperlink => {
            Some([b"Attached hyperlink ", &quoted(&event.hyperlink)[..], b"."].concat())
        }
        EventKind::RemoveHyperlink => {
            Some([b"Removed hyperlink ", &quoted(&event.hyperlink)[..], b"."].concat())
        }
        EventKind::DestroyType => {
            let kind = kind_name(event.detail_object()).as_bytes();
            Some([b"Removed ", kind, b" ", &detail, b"."].concat())
        }
        _ => None,
    }
}

/// The comment of an event, after the sentence that tells what it did.
pub fn comment(event: &HistoryEvent) -> Vec<u8> {
    let said = comment_text(&event.comment);
    let said = [sentence(event), (!said.is_empty()).then(|| said.to_vec())];
    said.into_iter().flatten().collect::<Vec<_>>().join(&b'\n')
}

/// Tells whether an event is a checkout: a record that goes with the checkout.
pub fn is_checkout(event: &HistoryEvent) -> bool {
    event.kind() == EventKind::Checkout
}

/// The kind of operation, as `%o` says it.
pub fn operation(event: &HistoryEvent) -> &'static str {
    match event.kind() {
        EventKind::Create => creation(event.object(), &event.extension),
        EventKind::Checkout => "checkout",
        EventKind::MakeLabel => "mklabel",
        EventKind::RemoveLabel => "rmlabel",
        EventKind::MakeAttribute => "mkattr",
        EventKind::RemoveAttribute => "rmattr",
        EventKind::MakeHyperlink => "mkhlink",
        EventKind::RemoveHyperlink => "rmhlink",
        EventKind::MakeTrigger => "mktrigger",
        EventKind::RemoveTrigger => "rmtrigger",
        EventKind::Rename => "rename",
        EventKind::Lock => "lock",
        EventKind::Unlock => "unlock",
        EventKind::DestroyVersion => "rmver",
        EventKind::DestroyBranch => "rmbranch",
        EventKind::DestroyElement => "rmelem",
        EventKind::DestroyType => "rmtype",
        EventKind::ChangeType => "chtype",
        EventKind::ChangeProtection => "protect",
        EventKind::Reserve => "reserve",
        EventKind::Unreserve => "unreserve",
        EventKind::ChangeEvent => "chevent",
        EventKind::Unspecified => "",
    }
}

/// The kind of operation that made an object. An element's first branch and version come with it, and every other
/// branch brings its version 0.
pub fn creation(kind: ObjectKind, extension: &[u8]) -> &'static str {
    let steps = extension.iter().filter(|byte| **byte == b'/').count();
    match kind {
        ObjectKind::Version | ObjectKind::DirectoryVersion if !extension.ends_with(b"/0") => "checkin",
        ObjectKind::Version | ObjectKind::DirectoryVersion if steps > 2 => "mkbranch",
        ObjectKind::Branch if steps > 1 => "mkbranch",
        ObjectKind::Version
        | ObjectKind::DirectoryVersion
        | ObjectKind::Branch
        | ObjectKind::FileElement
        | ObjectKind::DirectoryElement => "mkelem",
        ObjectKind::SymbolicLink => "mkslink",
        ObjectKind::BranchType
        | ObjectKind::LabelType
        | ObjectKind::ElementType
        | ObjectKind::AttributeType
        | ObjectKind::HyperlinkType
        | ObjectKind::TriggerType => "mktype",
        ObjectKind::Hyperlink => "mkhlink",
        ObjectKind::Vob => "mkvob",
        ObjectKind::ViewPrivateObject | ObjectKind::DerivedObject | ObjectKind::Unspecified => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_made_an_object_is_told_by_its_place() {
        for (kind, extension, expected) in [
            (ObjectKind::FileElement, "", "mkelem"),
            (ObjectKind::Branch, "/main", "mkelem"),
            (ObjectKind::Version, "/main/0", "mkelem"),
            (ObjectKind::Version, "/main/10", "checkin"),
            (ObjectKind::Branch, "/main/fix", "mkbranch"),
            (ObjectKind::DirectoryVersion, "/main/fix/0", "mkbranch"),
            (ObjectKind::DirectoryVersion, "/main/fix/1", "checkin"),
            (ObjectKind::LabelType, "", "mktype"),
            (ObjectKind::SymbolicLink, "", "mkslink"),
            (ObjectKind::Vob, "", "mkvob"),
        ] {
            assert_eq!(creation(kind, extension.as_bytes()), expected, "{kind:?} {extension}");
        }
    }
}
