//! People and texts of a history in the form that events record.

use crate::import::fast_export::Ident;
use crate::vob::User;

/// Decodes a text of the history. What is not UTF-8 is taken for Latin-1, which loses nothing.
pub fn text_of(bytes: &[u8], encoding: Option<&[u8]>) -> String {
    let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect();
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding.is_none_or(|name| name.eq_ignore_ascii_case(b"utf-8")) || text.is_ascii() => {
            text.to_owned()
        }
        _ => latin(bytes),
    }
}

/// Turns an author into a user: the login is the local part of the mail address.
pub fn user_of(person: &Ident, encoding: Option<&[u8]>) -> User {
    let email = text_of(&person.email, encoding);
    let full_name = text_of(&person.name, encoding);
    let (local, host) = email.split_once('@').unwrap_or((&email, ""));
    let login: String = if local.trim().is_empty() { full_name.clone() } else { local.to_owned() };
    let word = |c: char| {
        if c.is_whitespace() || matches!(c, '(' | ')' | '"') { '_' } else { c }
    };
    let login: String = login.trim().chars().map(word).collect();
    // Clients read `Full Name (login.group@host)`: a bracket in the name would mislead them.
    let full_name = full_name.replace(['(', ')'], "");
    User {
        login: if login.is_empty() { "unknown".to_owned() } else { login },
        full_name: full_name.trim().to_owned(),
        group: String::new(),
        host: host.to_owned(),
    }
}
