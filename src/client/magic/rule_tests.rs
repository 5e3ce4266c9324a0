//! Rules of magic files: what is read, what is refused, what fits.

use super::*;
use proptest::prelude::*;

struct File<'a> {
    name: &'a str,
    kind: FileKind,
    beginning: Option<&'a [u8]>,
}

impl Object for File<'_> {
    fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    fn kind(&self) -> FileKind {
        self.kind
    }

    fn beginning(&self) -> Option<&[u8]> {
        self.beginning
    }

    fn described(&self) -> &[u8] {
        b"PNG image data, 16 x 16"
    }
}

fn file<'a>(name: &'a str, beginning: Option<&'a [u8]>) -> File<'a> {
    File { name, kind: FileKind::Regular, beginning }
}

fn fits(test: &str, object: &File<'_>) -> bool {
    let rules = parse(format!("t : {test} ;").as_bytes()).unwrap_or_else(|fault| panic!("{test}: {fault:?}"));
    first(&rules, object).is_some()
}

#[test]
fn tests_ask_what_they_say() {
    let script = file("run.sh", Some(b"#!/bin/sh\nexit 0\n"));
    let binary = file("a.out", Some(b"\x7fELF\x02\x01\x00\x00"));
    let new = file("new.c", None);
    for (test, object, expected) in [
        (r#"-name "*.sh""#, &script, true),
        (r#"-nam "*.[cs]h""#, &script, true),
        (r#"-name "sh""#, &script, false),
        ("-printable", &script, true),
        ("-pri", &binary, false),
        ("-printable", &new, true),
        (r#"-token "/bin/sh""#, &script, true),
        (r#"-token "bash""#, &script, false),
        (r#"-token "x""#, &new, false),
        (r#"-token """#, &script, false),
        (r##"-magic 0, "#!""##, &script, true),
        (r#"-magic 2, string, "/bin""#, &script, true),
        (r#"-magic 1, "ELF""#, &binary, true),
        (r#"-magic 0, "\177ELF""#, &binary, true),
        (r#"-magic 0, "\x7fELF""#, &binary, true),
        ("-magic 0, byte, 0177", &binary, true),
        ("-magic 0, belong, 0x7f454c46", &binary, true),
        ("-magic 0, lelong, 0x464c457f", &binary, true),
        ("-magic 4, leshort, 258", &binary, true),
        ("-magic 4, beshort, 513", &binary, true),
        ("-magic 4, byte, 3", &binary, false),
        ("-magic 4000000000, byte, 3", &binary, false),
        (r#"-magic 0, "x""#, &new, false),
        (r#"-file "PNG image""#, &binary, true),
        (r#"-file "JPEG""#, &binary, false),
        ("-stat r", &script, true),
        ("-stat d", &script, false),
        ("!-stat d", &script, true),
        (r#"-printable & -name "*.sh""#, &script, true),
        (r#"-printable && -name "*.c""#, &script, false),
        (r#"-name "*.c" | -name "*.sh""#, &script, true),
        // & binds closer than |.
        (r#"-name "*.sh" | -printable & -name "*.c""#, &script, true),
        (r#"(-name "*.sh" || -printable) & -name "*.c""#, &script, false),
        (r#"!(-name "*.c" | -stat d)"#, &script, true),
        (r#"!!-printable"#, &script, true),
        ("! -printable", &new, false),
    ] {
        assert_eq!(fits(test, object), expected, "{test} {}", object.name);
    }
    let directory = File { kind: FileKind::Directory, ..file("d", None) };
    assert!(fits("-stat d", &directory) && !fits("-printable", &directory));
}

#[test]
fn text_of_many_languages_is_printable() {
    for (bytes, expected) in [
        (&b""[..], true),
        (b"plain\n\ttext\r\n\x0c\x0b", true),
        ("größer, 日本語\n".as_bytes(), true),
        // In the middle of a letter.
        (&"日本語".as_bytes()[..8], true),
        (b"gr\xf6\xdfer in ISO 8859-1\n", true),
        (b"\x80\x81", false),
        (b"a\x00b", false),
        (b"\x1b[1m", false),
        ("a\u{85}b".as_bytes(), false),
    ] {
        assert_eq!(is_printable(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let text = b"# the site's own\n\
        directory : -stat d ;\n\
        c_source source text_file : -printable & -name \"*.c\" ; sh_script script text_file : -printable &\n\
        \t(-name \".profile\" | \\\n  -name \"*.sh\") ; # two names\n\
        archive library file: !-printable & -name \"*.a\" ;";
    let rules = parse(text).unwrap();
    let types = |name: &str, beginning: &[u8]| {
        first(&rules, &file(name, Some(beginning))).map(|rule| rule.types.join(" "))
    };
    assert_eq!(types("x.c", b"int x;\n").unwrap(), "c_source source text_file");
    assert_eq!(types(".profile", b"umask 2\n").unwrap(), "sh_script script text_file");
    assert_eq!(types("lib.a", b"!<arch>\n\0").unwrap(), "archive library file");
    assert_eq!(types("x.c", b"\0"), None);
}

#[test]
fn faults_are_told_by_line() {
    for (text, line, expected) in [
        ("t : ;", 1, "a test: -name, -stat, -printable, -token, -magic or -file"),
        ("\n\nt -printable ;", 3, "a colon"),
        (": -printable ;", 1, "the name of an element type"),
        ("t : -printable", 1, "&, | or a semicolon"),
        ("t : -printable\n-stat r ;", 2, "&, | or a semicolon"),
        ("t : -name x ;", 1, "a pattern in double quotes"),
        ("t : -name \"x ;", 1, "a closing quote"),
        ("t : -loud ;", 1, "a test: -name, -stat, -printable, -token, -magic or -file"),
        ("t : -stat x ;", 1, "one of the letters r d c b f s l"),
        ("t : (-printable ;", 1, "a closing parenthesis"),
        ("t : -magic x, \"a\" ;", 1, "an offset in bytes"),
        ("t : -magic 0 \"a\" ;", 1, "a comma"),
        ("t : -magic 0, word, 1 ;", 1, "a text in double quotes, or byte, short or long"),
        ("t : -magic 0, byte, 256 ;", 1, "a smaller number"),
        ("t : -magic 0, byte, ten ;", 1, "a number"),
    ] {
        let fault = parse(text.as_bytes()).unwrap_err();
        assert_eq!((fault.line, fault.expected), (line, expected), "{text}");
    }
    let deep = format!("t : {}-printable{} ;", "(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX));
    assert_eq!(parse(deep.as_bytes()).unwrap_err().expected, "fewer parentheses within each other");
    let less = format!("t : {}-printable{} ;", "(".repeat(DEPTH_MAX - 1), ")".repeat(DEPTH_MAX - 1));
    assert!(parse(less.as_bytes()).is_ok());
    assert!(parse(&[b't', 0xff, b':']).is_err());
}

/// Pieces of the language, in any order, and any bytes between.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "t",
        ":",
        ";",
        "&",
        "&&",
        "|",
        "!",
        "(",
        ")",
        ",",
        "-name",
        "-magic",
        "-stat",
        "-printable",
        "-token",
        "\"*.c\"",
        "\"",
        "\\",
        "\\\n",
        "\n",
        "#",
        "0",
        "0x",
        "0x7f",
        "byte",
        "r",
        " ",
        "\"\\",
        "\"\\x",
        "\"\\7",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_rules_or_a_fault_on_a_line_that_is_there(text in noise(), beginning in prop::collection::vec(any::<u8>(), 0..64)) {
        match parse(&text) {
            Ok(rules) => {
                let found = first(&rules, &file("a.c", Some(&beginning)));
                prop_assert!(found.is_none_or(|rule| !rule.types.is_empty()));
            }
            Err(fault) => {
                let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
                prop_assert!((1..=lines).contains(&fault.line), "{} of {lines}", fault.line);
                prop_assert!(!fault.expected.is_empty());
            }
        }
    }

    #[test]
    fn a_text_in_quotes_is_read_as_it_was_written(text in prop::collection::vec(any::<u8>(), 0..40)) {
        let escaped: String = text.iter().map(|byte| format!("\\{byte:03o}")).collect();
        let rules = parse(format!("t : -magic 0, \"{escaped}\" ;").as_bytes()).unwrap();
        let found = first(&rules, &file("x", Some(&text)));
        prop_assert!(found.is_some());
    }
}
