//! Pieces of layout that several listings share: people, comments, protections, hyperlinks.
//!
//! Pure.

use crate::server::proto::{Hyperlink, Person, Protection};

/// `Anne Dee (anne.user@neptune)`, or the bracketed part alone when there is no full name.
pub fn person(person: &Person) -> String {
    let mut account = person.login.clone();
    if !person.group.is_empty() {
        account += &format!(".{}", person.group);
    }
    if !person.host.is_empty() {
        account += &format!("@{}", person.host);
    }
    // Readers look for the first bracket, so a name must have none.
    let name = person.full_name.replace(['(', ')'], "");
    match name.trim() {
        "" => account,
        name => format!("{name} ({account})"),
    }
}

/// The lines of a comment: quoted, the first indented by two blanks, the others by three; none for no comment.
pub fn comment(comment: &[u8]) -> Vec<Vec<u8>> {
    let text = comment_text(comment);
    if text.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<Vec<u8>> =
        text.split(|byte| *byte == b'\n').map(|line| [b"   ", line].concat()).collect();
    lines[0][2] = b'"';
    if let Some(last) = lines.last_mut() {
        last.push(b'"');
    }
    lines
}

/// A comment without the blanks and newlines at its end.
pub fn comment_text(comment: &[u8]) -> &[u8] {
    comment.trim_ascii_end()
}

/// `r-x` for one class of permission bits.
pub fn permissions(bits: u32) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')]
        .iter()
        .map(|(bit, letter)| if bits & bit != 0 { *letter } else { '-' })
        .collect()
}

/// The three lines below `Element Protection:`, without their indentation.
pub fn protection(protection: &Protection) -> [String; 3] {
    let name = |name: &str, kind: &str, number: u32| match name {
        "" => format!("UNIX:{kind}-{number}"),
        name => name.to_owned(),
    };
    [
        format!(
            "User : {:<8} : {}",
            name(&protection.user, "UID", protection.user_id),
            permissions(protection.mode >> 6)
        ),
        format!(
            "Group: {:<8} : {}",
            name(&protection.group, "GID", protection.group_id),
            permissions(protection.mode >> 3)
        ),
        format!("Other:          : {}", permissions(protection.mode)),
    ]
}

/// `Merge@4711@/vobs/sw`.
pub fn hyperlink_id(link: &Hyperlink) -> Vec<u8> {
    [&link.r#type[..], b"@", link.number.to_string().as_bytes(), b"@", &link.vob_tag].concat()
}

/// The text at the end of a hyperlink at which it is told.
pub fn near_text(link: &Hyperlink) -> &[u8] {
    if link.outgoing { &link.from_text } else { &link.to_text }
}

/// A blank and the text in double quotes; nothing for no text.
pub fn link_text(text: &[u8]) -> Vec<u8> {
    if text.is_empty() { Vec::new() } else { [b" \"", text, b"\""].concat() }
}

/// The arrow of a hyperlink and what is at its other end: ` -> /vobs/a/f@@/main/1 "text"`.
pub fn hyperlink_end(link: &Hyperlink) -> Vec<u8> {
    let (arrow, far): (&[u8], _) = match link.outgoing {
        true => (b" -> ", &link.to_text),
        false => (b" <- ", &link.from_text),
    };
    [arrow, &link.other, &link_text(far)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_comments_and_protections() {
        let mut anne = Person {
            login: "anne".into(),
            group: "user".into(),
            host: "neptune".into(),
            full_name: "Anne (A.) Dee".into(),
        };
        assert_eq!(person(&anne), "Anne A. Dee (anne.user@neptune)");
        anne.full_name.clear();
        assert_eq!(person(&anne), "anne.user@neptune");
        assert_eq!(comment(b""), Vec::<Vec<u8>>::new());
        assert_eq!(comment(b"one\n"), [b"  \"one\"".to_vec()]);
        assert_eq!(comment(b"one\ntwo"), [b"  \"one".to_vec(), b"   two\"".to_vec()]);
        let bits = Protection { user: "zoo".into(), group_id: 22, mode: 0o754, ..Protection::default() };
        assert_eq!(
            protection(&bits),
            ["User : zoo      : rwx", "Group: UNIX:GID-22 : r-x", "Other:          : r--"]
        );
    }
}
