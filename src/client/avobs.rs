//! CLEARCASE_AVOBS: the VOBs that `-avobs` means, where a user does not want all that are mounted.

use std::os::unix::ffi::OsStrExt;

/// The tags in the environment; none: all mounted VOBs are meant.
pub fn from_environment() -> Vec<Vec<u8>> {
    std::env::var_os("CLEARCASE_AVOBS").map(|tags| listed(tags.as_bytes())).unwrap_or_default()
}

fn listed(text: &[u8]) -> Vec<Vec<u8>> {
    let tags = text.split(|byte| *byte == b':' || byte.is_ascii_whitespace());
    tags.filter(|tag| !tag.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vobs_are_listed_with_colons() {
        assert_eq!(listed(b"/vobs/a:/vobs/b /vobs/c::"), [b"/vobs/a", b"/vobs/b", b"/vobs/c"]);
        assert!(listed(b" : ").is_empty());
    }
}
