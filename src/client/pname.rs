//! Path name arguments: what the user typed, and what it means for the daemon.
//!
//! Pure: the working directory comes in as an argument. Knows nothing of which paths exist.

use crate::server::proto::Pname;

/// What separates an element's name from its branches and versions.
pub const HISTORY_MARK: &[u8] = b"@@";

/// Makes a typed path name absolute: joined to `current`, `.` and `..` cleaned. From the first name with `@@` on,
/// nothing is changed, because `..` means something else there.
pub fn absolute(current: &[u8], typed: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut in_history = false;
    let current = if typed.starts_with(b"/") { &b""[..] } else { current };
    for name in current.split(|byte| *byte == b'/').chain(typed.split(|byte| *byte == b'/')) {
        in_history = in_history || contains(name, HISTORY_MARK);
        match name {
            b"" => {}
            _ if in_history => names.push(name),
            b"." => {}
            b".." => {
                names.pop();
            }
            _ => names.push(name),
        }
    }
    // `..@@` is the history of the directory above, and `.@@` is every directory's name for its own.
    if let Some(place) = names.iter().position(|name| *name == b"..@@") {
        names[place] = b".@@";
        if place > 0 {
            names.remove(place - 1);
        }
    }
    let mut path = Vec::new();
    for name in names {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

/// A path name argument as the daemon wants it. An empty name leads nowhere, as in POSIX, least of all to the working
/// directory: a script that uses an unset variable must not change that.
pub fn argument(current: &[u8], typed: &[u8]) -> Pname {
    let absolute = if typed.is_empty() { Vec::new() } else { absolute(current, typed) };
    // In the history of an element a typed name has lost the mark that says where versions begin.
    let typed = match contains(current, HISTORY_MARK) && !typed.is_empty() {
        true => absolute.clone(),
        false => typed.to_vec(),
    };
    Pname { typed, absolute }
}

/// The typed name without its last version extension: `foo.c@@/main/3` is `foo.c`. A name in a directory version, as in
/// `src@@/main/3/foo.c/main/1`, stands behind the number, or what else can only be a version.
pub fn without_version(typed: &[u8]) -> &[u8] {
    let last = typed.windows(HISTORY_MARK.len()).rposition(|pair| pair == HISTORY_MARK);
    let name = last.map_or(typed, |place| &typed[..name_end(typed, place)]);
    match name {
        [head @ .., b'/'] if !head.is_empty() => head,
        name => name,
    }
}

/// What lies at `path` below the argument `typed`, as the user would type it.
pub fn below(typed: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return without_version(typed).to_vec();
    }
    if typed.is_empty() || path.starts_with(b"/") {
        return path.to_vec();
    }
    let mut name = typed.to_vec();
    if !name.ends_with(b"/") {
        name.push(b'/');
    }
    name.extend_from_slice(path);
    name
}

/// The last name of a typed path: of `src/foo.c` and `src/foo.c/` it is `foo.c`.
pub fn leaf(typed: &[u8]) -> &[u8] {
    let end = typed.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    typed[..end].rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Replaces the last name of a typed path: `src/foo.c` and `foo.c.keep` give `src/foo.c.keep`.
pub fn beside(typed: &[u8], leaf: &[u8]) -> Vec<u8> {
    let directory = typed.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |place| &typed[..=place]);
    [directory, leaf].concat()
}

/// Where a name ends whose last history mark is at `mark`: there, or behind the last name that a directory version is
/// asked for.
fn name_end(typed: &[u8], mark: usize) -> usize {
    let is_version = |name: &[u8]| {
        let is_number = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
        is_number || name == b"LATEST" || name == b"CHECKEDOUT" || name.starts_with(b"CHECKEDOUT.")
    };
    let (mut end, mut at, mut behind_version) = (mark, mark + HISTORY_MARK.len(), false);
    for name in typed[at..].split(|byte| *byte == b'/') {
        at += name.len();
        match name {
            b"" => {}
            _ if behind_version => (end, behind_version) = (at, false),
            _ => behind_version = is_version(name),
        }
        at += 1;
    }
    end
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_up_to_the_history_mark() {
        for (typed, expected) in [
            ("foo.c", "/vobs/p/src/foo.c"),
            (".", "/vobs/p/src"),
            ("./../inc//x.h", "/vobs/p/inc/x.h"),
            ("../../../../..", "/"),
            ("/abs/./a/../b/", "/abs/b"),
            ("foo.c@@/main/3", "/vobs/p/src/foo.c@@/main/3"),
            ("../d@@/main/../x", "/vobs/p/d@@/main/../x"),
            (".@@", "/vobs/p/src/.@@"),
            ("..@@/main/2", "/vobs/p/.@@/main/2"),
            ("a@b", "/vobs/p/src/a@b"),
        ] {
            let found = absolute(b"/vobs/p/src", typed.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), expected, "{typed}");
        }
    }

    #[test]
    fn names_are_put_together_as_typed() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(below(b"src", b"a/b.c")), "src/a/b.c");
        assert_eq!(text(below(b"", b"a")), "a");
        assert_eq!(text(below(b"src/", b"a")), "src/a");
        assert_eq!(text(below(b"f@@/main/1", b"")), "f");
        assert_eq!(text(below(b"src", b"/vobs/p/x")), "/vobs/p/x");
        assert_eq!(text(beside(b"src/foo.c", b"foo.c.keep")), "src/foo.c.keep");
        assert_eq!(text(beside(b"foo.c", b"k")), "k");
        let leaves = [&b"src/foo.c"[..], b"foo.c//", b"/foo.c", b"/", b""].map(leaf);
        assert_eq!(leaves, [&b"foo.c"[..], b"foo.c", b"foo.c", b"", b""]);
        assert_eq!(without_version(b"d@@/main/2/f@@/main/1"), b"d@@/main/2/f");
        assert_eq!(without_version(b".@@"), b".");
        assert_eq!(without_version(b".@@/main/8"), b".");
        assert_eq!(without_version(b".@@/main/8/"), b".");
        assert_eq!(without_version(b".@@/main/8/e.c"), b".@@/main/8/e.c");
        assert_eq!(without_version(b".@@/main/8/e.c/main/1"), b".@@/main/8/e.c");
        assert_eq!(
            without_version(b"s@@/main/LATEST/t/main/CHECKEDOUT.4/7"),
            b"s@@/main/LATEST/t/main/CHECKEDOUT.4/7"
        );
        assert_eq!(without_version(b".@@/main/8/e.c@@/main/1"), b".@@/main/8/e.c");
    }

    #[test]
    fn an_empty_name_leads_nowhere() {
        assert_eq!(argument(b"/vobs/p", b"").absolute, b"");
        assert_eq!(argument(b"/vobs/p", b".").absolute, b"/vobs/p");
        assert_eq!(argument(b"/vobs/p/f@@", b"main/1").typed, b"/vobs/p/f@@/main/1");
    }
}
