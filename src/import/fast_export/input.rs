//! How the parser takes lines and counted bytes from its reader, and words its errors.

use std::io::{BufRead, Read};

use super::syntax::{self, Expected};
use super::{
    BlobData, DataReader, LINE_BYTES_MAX, ParseError, Parser, Result, STREAMED_BYTES_MIN, TEXT_BYTES_MAX,
};

/// What a `data` line announces.
enum Announced {
    Counted(u64),
    Delimited(Vec<u8>),
}

impl<R: BufRead> Parser<R> {
    /// Reads the next line into `self.line`, comments skipped; false at the end of the stream.
    pub(super) fn next_line(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.again) {
            return Ok(true);
        }
        loop {
            self.skip_unread()?;
            if !self.raw_line()? {
                return Ok(false);
            }
            if !self.line.starts_with(b"#") {
                return Ok(true);
            }
        }
    }

    fn raw_line(&mut self) -> Result<bool> {
        self.line.clear();
        self.line_offset = self.offset;
        let limit = LINE_BYTES_MAX as u64 + 1;
        let count = (&mut self.input).take(limit).read_until(b'\n', &mut self.line);
        let count = count.map_err(|source| ParseError::Io { offset: self.offset, source })?;
        self.offset += count as u64;
        if self.line.pop_if(|last| *last == b'\n').is_some() || count == 0 {
            return Ok(count > 0);
        }
        if count > LINE_BYTES_MAX {
            let max = LINE_BYTES_MAX as u64;
            return Err(ParseError::TooLong { offset: self.line_offset, what: "a line", max });
        }
        Err(self.truncated("the end of a line"))
    }

    /// Passes over contents that the caller left unread, and the optional line end after contents.
    pub(super) fn skip_unread(&mut self) -> Result<()> {
        while self.unread > 0 {
            let available = self.fill()?;
            if available == 0 {
                return Err(self.truncated("the rest of the data"));
            }
            let count = available.min(usize::try_from(self.unread).unwrap_or(usize::MAX));
            self.take(count);
            self.unread -= count as u64;
        }
        if std::mem::take(&mut self.after_data) && self.fill()? > 0 {
            let next =
                self.input.fill_buf().map_err(|source| ParseError::Io { offset: self.offset, source })?;
            if next.first() == Some(&b'\n') {
                self.take(1);
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<usize> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.len()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ParseError::Io { offset: self.offset, source });
                }
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.input.consume(count);
        self.offset += count as u64;
    }

    /// Reads a line that must start with `keyword`.
    pub(super) fn required<T>(
        &mut self,
        keyword: &[u8],
        expected: Expected,
        parse: fn(&[u8]) -> std::result::Result<T, Expected>,
    ) -> Result<T> {
        match self.optional(keyword, parse)? {
            Some(value) => Ok(value),
            None if self.again => Err(self.malformed_line(expected)),
            None => Err(self.truncated(expected)),
        }
    }

    /// Reads a line if it starts with `keyword`.
    pub(super) fn optional<T>(
        &mut self,
        keyword: &[u8],
        parse: fn(&[u8]) -> std::result::Result<T, Expected>,
    ) -> Result<Option<T>> {
        if !self.next_line()? {
            return Ok(None);
        }
        match self.line.strip_prefix(keyword) {
            Some(rest) => parse(rest).map(Some).map_err(|expected| self.malformed_line(expected)),
            None => {
                self.again = true;
                Ok(None)
            }
        }
    }

    fn announced(&mut self) -> Result<Announced> {
        if !self.next_line()? {
            return Err(self.truncated("\"data\""));
        }
        let Some(rest) = self.line.strip_prefix(b"data ") else {
            return Err(self.malformed_line("\"data\""));
        };
        if let Some(delimiter) = rest.strip_prefix(b"<<").filter(|delimiter| !delimiter.is_empty()) {
            return Ok(Announced::Delimited(delimiter.to_vec()));
        }
        let Some(len) = syntax::unsigned(rest) else {
            return Err(self.malformed_line("a number of bytes"));
        };
        Ok(Announced::Counted(len))
    }

    /// Reads contents; large ones are left in the input.
    pub(super) fn contents(&mut self) -> Result<BlobData<'_, R>> {
        match self.announced()? {
            Announced::Counted(len) if len > STREAMED_BYTES_MIN => {
                self.unread = len;
                self.after_data = true;
                Ok(BlobData::Stream(DataReader { parser: self, len }))
            }
            Announced::Counted(len) => self.counted(len).map(BlobData::Bytes),
            Announced::Delimited(delimiter) => self.delimited(&delimiter, "data").map(BlobData::Bytes),
        }
    }

    /// Reads data that is kept in memory.
    pub(super) fn text(&mut self, what: &'static str) -> Result<Vec<u8>> {
        match self.announced()? {
            Announced::Counted(len) if len > TEXT_BYTES_MAX => Err(self.too_long(what)),
            Announced::Counted(len) => self.counted(len),
            Announced::Delimited(delimiter) => self.delimited(&delimiter, what),
        }
    }

    fn counted(&mut self, len: u64) -> Result<Vec<u8>> {
        // Room is made for what a blob may be; a longer text grows as its bytes really come.
        let mut data = Vec::with_capacity(len.min(STREAMED_BYTES_MIN) as usize);
        while (data.len() as u64) < len {
            let missing = len - data.len() as u64;
            let available = self.fill()?;
            if available == 0 {
                return Err(self.truncated("the rest of the data"));
            }
            let count = available.min(missing as usize);
            let buffer =
                self.input.fill_buf().map_err(|source| ParseError::Io { offset: self.offset, source })?;
            data.extend_from_slice(&buffer[..count]);
            self.take(count);
        }
        self.after_data = true;
        Ok(data)
    }

    fn delimited(&mut self, delimiter: &[u8], what: &'static str) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        loop {
            if !self.raw_line()? {
                return Err(self.truncated("the delimiter of the data"));
            }
            if self.line == delimiter {
                self.after_data = true;
                return Ok(data);
            }
            data.extend_from_slice(&self.line);
            data.push(b'\n');
            if data.len() as u64 > TEXT_BYTES_MAX {
                return Err(self.too_long(what));
            }
        }
    }

    fn too_long(&self, what: &'static str) -> ParseError {
        ParseError::TooLong { offset: self.line_offset, what, max: TEXT_BYTES_MAX }
    }

    pub(super) fn truncated(&self, expected: Expected) -> ParseError {
        ParseError::Truncated { offset: self.offset, expected }
    }

    pub(super) fn malformed_line(&self, expected: Expected) -> ParseError {
        self.malformed(expected, &self.line)
    }

    pub(super) fn malformed(&self, expected: Expected, line: &[u8]) -> ParseError {
        ParseError::Malformed { offset: self.line_offset, expected, found: shown(line) }
    }

    pub(super) fn unsupported(&self, line: &[u8]) -> ParseError {
        ParseError::Unsupported { offset: self.line_offset, command: shown(line) }
    }
}

/// The start of a line, for a message.
fn shown(line: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 80;
    line[..line.len().min(SHOWN_BYTES_MAX)].escape_ascii().to_string()
}
