//! A streaming parser for the fast-export language, which git, Mercurial exporters and others write.
//!
//! Owns the syntax (git's manual page git-fast-import is its definition) and answers one event at a time.
//! Knows nothing of what the events are for, and resolves neither marks nor refs. The one idea: contents
//! over [`STREAMED_BYTES_MIN`] are never held in memory but handed on as a reader, and `inline` contents
//! of a commit come as events of their own *before* the commit that uses them.

mod input;
mod syntax;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read};

use super::graph::{ObjectId, RefName};

/// Contents longer than this many bytes are streamed (8 MiB).
pub const STREAMED_BYTES_MIN: u64 = 8 << 20;
/// The longest line accepted: two paths of 4,096 bytes, each byte as an octal escape, are 32 KiB.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// The longest message, signature or delimited text accepted (64 MiB).
pub const TEXT_BYTES_MAX: u64 = 64 << 20;

/// Why a stream could not be parsed. Offsets count bytes from the start of the stream.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The bytes are not the language.
    #[error("byte {offset}: expected {expected}, found \"{found}\"")]
    Malformed {
        /// Where the line starts.
        offset: u64,
        /// What should have been there.
        expected: &'static str,
        /// The start of the line.
        found: String,
    },
    /// The stream ends too early.
    #[error("byte {offset}: the stream ends where {expected} was expected")]
    Truncated {
        /// Where it ends.
        offset: u64,
        /// What should have followed.
        expected: &'static str,
    },
    /// The stream asks for something an importer of streams cannot do.
    #[error("byte {offset}: \"{command}\" is not supported")]
    Unsupported {
        /// Where the line starts.
        offset: u64,
        /// The line.
        command: String,
    },
    /// Something is longer than a limit of this parser.
    #[error("byte {offset}: {what} is longer than {max} bytes")]
    TooLong {
        /// Where it starts.
        offset: u64,
        /// What is too long.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// Reading failed.
    #[error("byte {offset}: {source}")]
    Io {
        /// How far reading came.
        offset: u64,
        /// The cause.
        source: io::Error,
    },
}

/// A person and a date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ident {
    /// Name, in the commit's encoding; may be empty.
    pub name: Vec<u8>,
    /// E-mail address without the angle brackets; may be empty.
    pub email: Vec<u8>,
    /// Seconds since 1970; 0 if the source's date is unreadable.
    pub seconds: i64,
    /// Minutes east of Greenwich, not necessarily of a zone that exists.
    pub offset_minutes: i32,
}

impl Ident {
    /// Parses `NAME <EMAIL> SECONDS OFFSET`. Real histories hold damaged idents, so every part may be missing:
    /// a date that is no number is 0 (as git shows it), a missing e-mail address is empty.
    pub fn parse(text: &[u8]) -> Self {
        syntax::ident(text)
    }
}

/// How a stream refers to a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CommitRef {
    /// A mark given earlier in the stream (or in a marks file).
    Mark(u64),
    /// An id in the source repository.
    Id(ObjectId),
    /// The present tip of a ref.
    Name(Vec<u8>),
}

/// How a file change refers to contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataRef {
    /// The blob with this mark.
    Mark(u64),
    /// An object in the source repository: the commit of a submodule, or a blob that is not in the stream.
    Id(ObjectId),
    /// The [`Blob`] whose `inline` number this is; it came before the commit.
    Inline(u64),
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileMode {
    /// 100644
    Regular,
    /// 100755
    Executable,
    /// 120000: the contents are the target.
    Symlink,
    /// 160000: a submodule; the data is the id of a commit elsewhere.
    Gitlink,
    /// 040000: a whole tree, by id.
    Directory,
}

/// One change of a commit; to be applied in order. Paths are relative to the root, without escapes; the
/// empty path is the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// Puts contents at a path, replacing what is there (also a directory).
    Modify {
        /// The path.
        path: Vec<u8>,
        /// What it becomes.
        mode: FileMode,
        /// Its contents.
        data: DataRef,
    },
    /// Removes a file or a directory with all that is in it.
    Delete {
        /// The path.
        path: Vec<u8>,
    },
    /// Moves a file or directory, replacing what is at the new path.
    Rename {
        /// The old path.
        from: Vec<u8>,
        /// The new path.
        to: Vec<u8>,
    },
    /// Copies a file or directory, replacing what is at the new path.
    Copy {
        /// The path copied.
        from: Vec<u8>,
        /// The new path.
        to: Vec<u8>,
    },
    /// Removes everything: what follows is the whole tree.
    DeleteAll,
}

/// Contents: whole if small, a reader if large.
#[derive(Debug)]
pub enum BlobData<'a, R> {
    /// All bytes.
    Bytes(Vec<u8>),
    /// More than [`STREAMED_BYTES_MIN`] bytes, to be read before the next event; what is left unread is
    /// skipped.
    Stream(DataReader<'a, R>),
}

/// The contents of one file version.
#[derive(Debug)]
pub struct Blob<'a, R> {
    /// The mark by which changes refer to it.
    pub mark: Option<u64>,
    /// Number of `inline` contents: see [`DataRef::Inline`].
    pub inline: Option<u64>,
    /// Its id in the source repository.
    pub original: Option<ObjectId>,
    /// The contents.
    pub data: BlobData<'a, R>,
}

/// One commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The ref the stream puts it on. For git, whichever ref led there first: no statement about branches.
    pub reference: Vec<u8>,
    /// Its mark.
    pub mark: Option<u64>,
    /// Its id in the source repository.
    pub original: Option<ObjectId>,
    /// Who wrote it; exporters may leave this out when it is the committer.
    pub author: Option<Ident>,
    /// Who committed it, and when.
    pub committer: Ident,
    /// Encoding of message and names, if it is not UTF-8.
    pub encoding: Option<Vec<u8>>,
    /// The message as stored.
    pub message: Vec<u8>,
    /// First parent. `None`: the ref's tip in the stream so far, or no parent if it has none.
    pub from: Option<CommitRef>,
    /// The other parents.
    pub merges: Vec<CommitRef>,
    /// The changes against the first parent, in order.
    pub changes: Vec<FileChange>,
}

/// An annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The name without `refs/tags/`.
    pub name: Vec<u8>,
    /// Its mark.
    pub mark: Option<u64>,
    /// What it points at.
    pub from: CommitRef,
    /// Its id in the source repository.
    pub original: Option<ObjectId>,
    /// Who made it, and when.
    pub tagger: Option<Ident>,
    /// The message.
    pub message: Vec<u8>,
}

/// One step of the stream.
#[derive(Debug)]
pub enum Event<'a, R> {
    /// Contents.
    Blob(Blob<'a, R>),
    /// A commit, all its contents having come before.
    Commit(Commit),
    /// A ref is set, or forgotten so that its next commit is a root.
    Reset {
        /// The ref.
        reference: RefName,
        /// What it is set to.
        from: Option<CommitRef>,
    },
    /// An annotated tag.
    Tag(Tag),
    /// Another mark for a commit.
    Alias {
        /// The new mark.
        mark: u64,
        /// The commit.
        to: CommitRef,
    },
    /// The end. Every further call answers this again.
    Done,
}

/// Reads the bytes of large contents. A stream that ends early is an `UnexpectedEof` error.
#[derive(Debug)]
pub struct DataReader<'a, R> {
    parser: &'a mut Parser<R>,
    len: u64,
}

impl<R> DataReader<'_, R> {
    /// Length of the whole contents in bytes.
    pub fn content_len(&self) -> u64 {
        self.len
    }
}

impl<R: BufRead> Read for DataReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let parser = &mut *self.parser;
        let wanted = buffer.len().min(usize::try_from(parser.unread).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = parser.input.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        parser.offset += count as u64;
        parser.unread -= count as u64;
        Ok(count)
    }
}

type Result<T> = std::result::Result<T, ParseError>;

/// Parses a stream. Give it a reader with a buffer of about 1 MiB.
#[derive(Debug)]
pub struct Parser<R> {
    input: R,
    /// Bytes taken from the input.
    offset: u64,
    /// The last line read, without its end, and where it starts.
    line: Vec<u8>,
    line_offset: u64,
    /// The line is to be read again.
    again: bool,
    /// Bytes of streamed contents that the caller has not read.
    unread: u64,
    /// Contents have been read, and the optional line end after them has not.
    after_data: bool,
    /// The commit whose inline contents are being answered.
    commit: Option<Box<Commit>>,
    done_promised: bool,
    finished: bool,
    inline_count: u64,
    notes_ignored: u64,
}

/// The header lines of a commit, tag or blob up to its data.
#[derive(Default)]
struct Header {
    mark: Option<u64>,
    original: Option<ObjectId>,
    author: Option<Ident>,
    committer: Option<Ident>,
    tagger: Option<Ident>,
    encoding: Option<Vec<u8>>,
    from: Option<CommitRef>,
}

impl<R: BufRead> Parser<R> {
    /// Starts at the beginning of a stream.
    pub fn new(input: R) -> Self {
        Self {
            input,
            offset: 0,
            line: Vec::new(),
            line_offset: 0,
            again: false,
            unread: 0,
            after_data: false,
            commit: None,
            done_promised: false,
            finished: false,
            inline_count: 0,
            notes_ignored: 0,
        }
    }

    /// Bytes taken from the stream so far, for progress.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many notes (`N`) were skipped so far.
    pub fn notes_ignored(&self) -> u64 {
        self.notes_ignored
    }

    /// Gives the reader back.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Reads on to the next event.
    ///
    /// # Errors
    /// Malformed or truncated input, or reading failed. After an error the parser is of no further use.
    pub fn next_event(&mut self) -> Result<Event<'_, R>> {
        self.skip_unread()?;
        if let Some(commit) = self.commit.take() {
            return self.changes(commit);
        }
        while !self.finished && self.next_line()? {
            let line = std::mem::take(&mut self.line);
            let (command, rest) = line.split_at(line.iter().position(|&b| b == b' ').unwrap_or(line.len()));
            let rest = rest.strip_prefix(b" ").unwrap_or(rest);
            match command {
                b"blob" if rest.is_empty() => return self.blob(),
                b"commit" => return self.commit(rest),
                b"tag" => return self.tag(rest),
                b"reset" => {
                    let from = self.optional(b"from ", syntax::commit_ref)?;
                    return Ok(Event::Reset { reference: RefName::new(rest), from });
                }
                b"alias" => {
                    let mark = self.required(b"mark ", "\"mark\"", syntax::mark)?;
                    let to = self.required(b"to ", "\"to\"", syntax::commit_ref)?;
                    return Ok(Event::Alias { mark, to });
                }
                b"feature" => self.feature(&line, rest)?,
                b"done" if rest.is_empty() => self.finished = true,
                b"" | b"progress" | b"checkpoint" | b"option" => {}
                b"ls" | b"cat-blob" | b"get-mark" => return Err(self.unsupported(&line)),
                _ => return Err(self.malformed("a command", &line)),
            }
            self.line = line;
        }
        if self.done_promised && !self.finished {
            return Err(self.truncated("\"done\""));
        }
        self.finished = true;
        Ok(Event::Done)
    }

    fn feature(&mut self, line: &[u8], feature: &[u8]) -> Result<()> {
        match feature {
            b"done" => self.done_promised = true,
            b"date-format=raw" | b"date-format=raw-permissive" => {}
            _ if feature.starts_with(b"date-format=") || feature.starts_with(b"import-marks") => {
                return Err(self.unsupported(line));
            }
            _ => {}
        }
        Ok(())
    }

    fn blob(&mut self) -> Result<Event<'_, R>> {
        let header = self.header()?;
        let data = self.contents()?;
        Ok(Event::Blob(Blob { mark: header.mark, inline: None, original: header.original, data }))
    }

    fn tag(&mut self, name: &[u8]) -> Result<Event<'_, R>> {
        let header = self.header()?;
        let Some(from) = header.from else {
            return Err(self.malformed_line("\"from\" before a tag's data"));
        };
        let message = self.text("a tag's message")?;
        let (mark, original, tagger) = (header.mark, header.original, header.tagger);
        Ok(Event::Tag(Tag { name: name.to_vec(), mark, from, original, tagger, message }))
    }

    fn commit(&mut self, reference: &[u8]) -> Result<Event<'_, R>> {
        let header = self.header()?;
        let Some(committer) = header.committer else {
            return Err(self.malformed_line("\"committer\""));
        };
        let message = self.text("a commit's message")?;
        let from = self.optional(b"from ", syntax::commit_ref)?;
        let mut merges = Vec::new();
        while let Some(merge) = self.optional(b"merge ", syntax::commit_ref)? {
            merges.push(merge);
        }
        self.changes(Box::new(Commit {
            reference: reference.to_vec(),
            mark: header.mark,
            original: header.original,
            author: header.author,
            committer,
            encoding: header.encoding,
            message,
            from,
            merges,
            changes: Vec::new(),
        }))
    }

    /// Reads header lines up to the `data` line, which is left to be read again.
    fn header(&mut self) -> Result<Header> {
        let mut header = Header::default();
        loop {
            if !self.next_line()? {
                return Err(self.truncated("\"data\""));
            }
            let Ok((keyword, rest)) = syntax::word(&self.line) else {
                return Err(self.malformed_line("a header line or \"data\""));
            };
            match keyword {
                b"data" => {
                    self.again = true;
                    return Ok(header);
                }
                b"mark" => header.mark = Some(syntax::mark(rest).map_err(|e| self.malformed_line(e))?),
                // Other systems write ids of other shapes here; those are no use to us.
                b"original-oid" => header.original = ObjectId::from_hex(rest),
                b"author" => header.author = Some(syntax::ident(rest)),
                b"committer" => header.committer = Some(syntax::ident(rest)),
                b"tagger" => header.tagger = Some(syntax::ident(rest)),
                b"encoding" => header.encoding = Some(rest.to_vec()),
                b"from" => header.from = Some(syntax::commit_ref(rest).map_err(|e| self.malformed_line(e))?),
                b"gpgsig" => drop(self.text("a signature")?),
                _ => return Err(self.malformed_line("a header line or \"data\"")),
            }
        }
    }

    /// Reads the changes of a commit, up to its end or to the next inline contents.
    fn changes(&mut self, mut commit: Box<Commit>) -> Result<Event<'_, R>> {
        while self.next_line()? {
            if self.line.is_empty() {
                break;
            }
            let line = std::mem::take(&mut self.line);
            match self.change(&line)? {
                Step::Change(change) => commit.changes.push(change),
                Step::Inline { path, mode } => {
                    self.inline_count += 1;
                    let inline = self.inline_count;
                    commit.changes.push(FileChange::Modify { path, mode, data: DataRef::Inline(inline) });
                    self.commit = Some(commit);
                    let data = self.contents()?;
                    return Ok(Event::Blob(Blob { mark: None, inline: Some(inline), original: None, data }));
                }
                Step::Note => self.notes_ignored += 1,
                Step::End => {
                    self.line = line;
                    self.again = true;
                    break;
                }
            }
            self.line = line;
        }
        Ok(Event::Commit(*commit))
    }

    fn change(&mut self, line: &[u8]) -> Result<Step> {
        if line == b"deleteall" {
            return Ok(Step::Change(FileChange::DeleteAll));
        }
        let Some((&letter, rest)) = line.split_first() else {
            return Ok(Step::End);
        };
        let Some(rest) = rest.strip_prefix(b" ") else {
            return Ok(Step::End);
        };
        let parsed = match letter {
            b'M' => modify(rest),
            b'D' => syntax::last_path(rest).map(|path| Step::Change(FileChange::Delete { path })),
            b'R' => two_paths(rest).map(|(from, to)| Step::Change(FileChange::Rename { from, to })),
            b'C' => two_paths(rest).map(|(from, to)| Step::Change(FileChange::Copy { from, to })),
            b'N' => {
                if rest.starts_with(b"inline ") {
                    self.text("a note")?;
                }
                Ok(Step::Note)
            }
            _ => return Ok(Step::End),
        };
        parsed.map_err(|expected| self.malformed(expected, line))
    }
}

/// What a line after a commit's message is.
enum Step {
    Change(FileChange),
    Inline { path: Vec<u8>, mode: FileMode },
    Note,
    End,
}

fn modify(rest: &[u8]) -> std::result::Result<Step, syntax::Expected> {
    let (mode, rest) = syntax::word(rest)?;
    let (data, path) = syntax::word(rest)?;
    let (mode, data, path) = (syntax::mode(mode)?, syntax::data_ref(data)?, syntax::last_path(path)?);
    Ok(match data {
        Some(data) => Step::Change(FileChange::Modify { path, mode, data }),
        None => Step::Inline { path, mode },
    })
}

fn two_paths(rest: &[u8]) -> std::result::Result<(Vec<u8>, Vec<u8>), syntax::Expected> {
    let (from, rest) = syntax::first_path(rest)?;
    Ok((from, syntax::last_path(rest)?))
}
