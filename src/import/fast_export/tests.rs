//! Small hand-written streams, and what they are taken for.

use std::io::{BufReader, Cursor, Read};

use super::*;

/// Parses everything and writes each event as one line of text.
fn events(stream: &[u8]) -> Result<Vec<String>> {
    // A buffer of 7 bytes puts a boundary into every line.
    let mut parser = Parser::new(BufReader::with_capacity(7, stream));
    let mut shown = Vec::new();
    loop {
        let line = match parser.next_event()? {
            Event::Blob(Blob { mark, inline, data: BlobData::Bytes(bytes), .. }) => {
                format!("blob {mark:?} {inline:?} {}", bytes.escape_ascii())
            }
            Event::Blob(blob) => format!("large blob {:?}", blob.mark),
            Event::Commit(commit) => format!("commit {:?} {} changes", commit.mark, commit.changes.len()),
            Event::Reset { reference, from } => format!("reset {reference} {from:?}"),
            Event::Tag(tag) => format!("tag {} {:?}", tag.name.escape_ascii(), tag.from),
            Event::Alias { mark, to } => format!("alias {mark} {to:?}"),
            Event::Done => return Ok(shown),
        };
        shown.push(line);
    }
}

fn commit(stream: &str) -> Commit {
    let mut parser = Parser::new(stream.as_bytes());
    loop {
        match parser.next_event().unwrap() {
            Event::Commit(commit) => return commit,
            Event::Done => panic!("no commit in {stream}"),
            _ => {}
        }
    }
}

/// The change that one line after a commit stands for.
fn change(line: &str) -> FileChange {
    let text = format!("commit r\ncommitter A <a> 1 +0000\ndata 0\n{line}\n");
    let [change] = commit(&text).changes.try_into().unwrap();
    change
}

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_stream_of_git_gives_its_events() {
    let stream = format!(
        "feature done\nblob\nmark :1\noriginal-oid {ID}\ndata 3\na\nb\nreset refs/heads/x\ncommit refs/heads/x\n\
         mark :2\noriginal-oid {ID}\nauthor A B <a@b> 5 +0530\ncommitter C <> -7 -0030\nencoding latin1\ndata 2\nhi\
         from :9\nmerge {ID}\nmerge refs/heads/y^0\nM 100644 :1 a b\nR a c\n\n\
         tag v1\nmark :3\nfrom :2\noriginal-oid {ID}\ntagger T <t> 1 +0000\ndata 4\nmsg\n\n\
         reset refs/heads/y\nfrom :2\n\nalias\nmark :4\nto :2\n\nprogress 1\ncheckpoint\n\ndone\nrubbish"
    );
    let expected = [
        "blob Some(1) None a\\nb",
        "reset refs/heads/x None",
        "commit Some(2) 2 changes",
        "tag v1 Mark(2)",
        "reset refs/heads/y Some(Mark(2))",
        "alias 4 Mark(2)",
    ];
    assert_eq!(events(stream.as_bytes()).unwrap(), expected);
    let commit = commit(&stream);
    let id = ObjectId::from_hex(ID.as_bytes()).unwrap();
    assert_eq!(commit.original, Some(id));
    let author = Ident { name: b"A B".into(), email: b"a@b".into(), seconds: 5, offset_minutes: 330 };
    assert_eq!(commit.author, Some(author));
    assert_eq!(
        commit.committer,
        Ident { name: b"C".into(), seconds: -7, offset_minutes: -30, ..Ident::default() }
    );
    assert_eq!((commit.encoding.as_deref(), &commit.message[..]), (Some(&b"latin1"[..]), &b"hi"[..]));
    assert_eq!(commit.from, Some(CommitRef::Mark(9)));
    assert_eq!(commit.merges, [CommitRef::Id(id), CommitRef::Name(b"refs/heads/y".into())]);
}

#[test]
fn a_stream_of_other_exporters_is_accepted() {
    let stream = "# comment\nfeature date-format=raw\noption git quiet\nreset refs/heads/default\n\
                  commit refs/heads/default\nmark :1\ncommitter x <x> 0 +0000\ndata <<END\nfirst\n\nEND\n\
                  M 644 inline a\ndata 2\nxy\nM 755 inline b\ndata <<E\nz\nE\nN inline :1\ndata 3\nabc\nN :7 :1\ndeleteall\n\
                  # another\nD \"q\\\"\\303\\274\"\ncommit refs/heads/default\ncommitter x <x> 0 +0000\ndata 0\nfrom :1\n";
    let expected = [
        "reset refs/heads/default None",
        "blob None Some(1) xy",
        "blob None Some(2) z\\n",
        "commit Some(1) 4 changes",
        "commit None 0 changes",
    ];
    assert_eq!(events(stream.as_bytes()).unwrap(), expected);
    assert_eq!(commit(stream).message, b"first\n\n");
    assert_eq!(commit(stream).changes[3], FileChange::Delete { path: b"q\"\xc3\xbc".into() });
    let mut parser = Parser::new(stream.as_bytes());
    while !matches!(parser.next_event().unwrap(), Event::Done) {}
    assert_eq!((parser.notes_ignored(), parser.offset()), (2, stream.len() as u64));
}

#[test]
fn signatures_are_passed_over() {
    let text =
        "commit r\nmark :1\ncommitter A <a> 1 +0000\ngpgsig sha1 openpgp\ndata 3\nsig\nencoding x\ndata 1\nm";
    assert_eq!(commit(text).message, b"m");
}

#[test]
fn file_changes_of_every_form() {
    let id = DataRef::Id(ObjectId::from_hex(ID.as_bytes()).unwrap());
    let modify = |path: &[u8], mode, data| FileChange::Modify { path: path.into(), mode, data };
    let gitlink = format!("M 160000 {ID} \"sub\\tdir\"");
    let directory = format!("M 040000 {ID} ");
    let cases = [
        ("M 100644 :1 a b \"c", modify(b"a b \"c", FileMode::Regular, DataRef::Mark(1))),
        ("M 100755 :1 x", modify(b"x", FileMode::Executable, DataRef::Mark(1))),
        ("M 120000 :1 \"\\377\\\\\"", modify(b"\xff\\", FileMode::Symlink, DataRef::Mark(1))),
        (&gitlink, modify(b"sub\tdir", FileMode::Gitlink, id)),
        (&directory, modify(b"", FileMode::Directory, id)),
        ("D a b", FileChange::Delete { path: b"a b".into() }),
        ("R a b c", FileChange::Rename { from: b"a".into(), to: b"b c".into() }),
        ("C \"a b\" \"c\\n\"", FileChange::Copy { from: b"a b".into(), to: b"c\n".into() }),
        ("deleteall", FileChange::DeleteAll),
    ];
    for (line, expected) in cases {
        assert_eq!(change(line), expected, "{line}");
    }
}

#[test]
fn damaged_idents_are_read_as_far_as_possible() {
    let cases: [(&str, &str, &str, i64, i32); 8] = [
        ("A <a> 10 +0100", "A", "a", 10, 60),
        ("<a> 10 -1145", "", "a", 10, -705),
        ("A <a>b> 10 +0000", "A", "a>b", 10, 0),
        ("A <a>", "A", "a", 0, 0),
        ("A <a> noon +01", "A", "a", 0, 1),
        ("A <a> 99999999999999999999 +051800", "A", "a", 0, 31080),
        ("A", "A", "", 0, 0),
        ("A <a> 1 +99999999999999", "A", "a", 1, 0),
    ];
    for (text, name, email, seconds, offset_minutes) in cases {
        let expected = Ident { name: name.into(), email: email.into(), seconds, offset_minutes };
        assert_eq!(Ident::parse(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn malformed_input_is_located() {
    let head = "commit r\ncommitter A <a> 1 +0000\ndata 0\n";
    let cases = [
        ("nonsense", "byte 0: expected a command, found \"nonsense\""),
        ("blob\nmark 1\n", "byte 5: expected a mark (:NUMBER), found \"mark 1\""),
        ("blob\ndata x\n", "byte 5: expected a number of bytes, found \"data x\""),
        ("blob\ndata -1\n", "byte 5: expected a number of bytes, found \"data -1\""),
        ("blob\nwhat\n", "byte 5: expected a header line or \"data\", found \"what\""),
        ("commit r\ndata 0\n", "byte 9: expected \"committer\", found \"data 0\""),
        ("tag t\ndata 0\n", "byte 6: expected \"from\" before a tag's data, found \"data 0\""),
        (&format!("{head}M 100600 :1 a\n"), "byte 40: expected a file mode, found \"M 100600 :1 a\""),
        (&format!("{head}D \"a\n"), "byte 40: expected a closing quote, found \"D \\\"a\""),
        (&format!("{head}D \"\\08\"\n"), "byte 40: expected three octal digits, found \"D \\\"\\\\08\\\"\""),
        (&format!("{head}R a\n"), "byte 40: expected a space, found \"R a\""),
        ("feature date-format=now\n", "byte 0: \"feature date-format=now\" is not supported"),
        ("cat-blob :1\n", "byte 0: \"cat-blob :1\" is not supported"),
    ];
    for (stream, expected) in cases {
        let stream = if stream == "nonsense" { "nonsense\n" } else { stream };
        assert_eq!(events(stream.as_bytes()).unwrap_err().to_string(), expected, "{stream}");
    }
}

#[test]
fn every_truncation_of_a_finished_stream_is_an_error() {
    let stream = "feature done\nblob\nmark :1\ndata 5\nhello\ncommit r\ncommitter A <a> 1 +0000\ndata <<E\nm\nE\n\
                  M 100644 :1 a\nM 644 inline b\ndata 1\nx\n\ndone\n";
    assert!(events(stream.as_bytes()).is_ok());
    for len in "feature done\n".len()..stream.len() {
        let error = events(&stream.as_bytes()[..len]).unwrap_err();
        assert!(matches!(error, ParseError::Truncated { .. }), "{len}: {error}");
    }
    assert!(events(b"blob\ndata 5\nhell").is_err());
    let mut parser = Parser::new(&b"blob\ndata 100000000\nhell"[..]);
    assert!(parser.next_event().is_ok());
    assert!(matches!(parser.next_event(), Err(ParseError::Truncated { .. })));
}

#[test]
fn contents_over_the_threshold_are_streamed() {
    for (len, is_streamed) in [(STREAMED_BYTES_MIN, false), (STREAMED_BYTES_MIN + 1, true)] {
        let head = Cursor::new(format!("blob\nmark :1\ndata {len}\n"));
        let tail = Cursor::new("\nblob\nmark :2\ndata 1\nx\n");
        let input = head.chain(std::io::repeat(b'y').take(len)).chain(tail);
        let mut parser = Parser::new(BufReader::new(input));
        let Event::Blob(blob) = parser.next_event().unwrap() else { panic!("a blob") };
        match blob.data {
            BlobData::Stream(mut reader) => {
                assert!(is_streamed && reader.content_len() == len);
                // The rest is skipped.
                reader.read_exact(&mut [0; 1000]).unwrap();
            }
            BlobData::Bytes(bytes) => assert!(!is_streamed && bytes.len() as u64 == len),
        }
        let Event::Blob(blob) = parser.next_event().unwrap() else { panic!("a blob") };
        assert_eq!(blob.mark, Some(2));
        assert!(matches!(parser.next_event().unwrap(), Event::Done));
    }
}

#[test]
fn a_line_without_end_is_refused() {
    for (len, is_accepted) in
        [(LINE_BYTES_MAX - 1, true), (LINE_BYTES_MAX, true), (LINE_BYTES_MAX + 1, false)]
    {
        let mut stream = b"progress ".to_vec();
        stream.resize(len, b'x');
        stream.push(b'\n');
        assert_eq!(events(&stream).is_ok(), is_accepted, "{len}");
    }
}

proptest::proptest! {
    /// A stream that was damaged, cut, or never was one: events or an error, never a panic, and no more memory than its bytes.
    #[test]
    fn any_bytes_are_events_or_an_error(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "blob\n", "mark :1\n", "mark :99999999999999999999\n", "data 5\nhello\n", "data 9999999999\n", "data -1\n", "data <<E\nm\nE\n",
            "commit r\n", "committer A <a> 1 +0000\n", "committer A <a> 99999999999999999999 +9999\n", "author < 1\n", "from :1\n", "merge :1\n",
            "M 100644 :1 a\n", "M 100644 inline \"a\\\n", "M 120000 :1 \"\\303\\377\"\n", "D a\n", "R a b\n", "C a b\n", "deleteall\n", "N :1 :1\n",
            "tag t\n", "tagger A <a> 1 +0000\n", "reset r\n", "alias\n", "to :1\n", "feature done\n", "done\n", "progress\n", "\n", "\0", "é",
        ]), 0..16),
        noise in proptest::collection::vec((proptest::arbitrary::any::<proptest::sample::Index>(), proptest::arbitrary::any::<u8>()), 0..3),
    ) {
        let mut stream = pieces.concat().into_bytes();
        for (at, byte) in noise {
            if !stream.is_empty() {
                let at = at.index(stream.len());
                stream[at] = byte;
            }
        }
        let _ = events(&stream);
    }
}
