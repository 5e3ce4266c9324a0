//! Which element type a file gets: by the rules of magic files.
//!
//! The user's files are read with the user's rights, so all of this is the client's: the daemon is told candidates, and
//! takes the first that the VOB has. Owns where magic files are looked for; the language is `rule`'s.

mod rule;

use super::pname;
use super::session::{CommandError, Session, system_text};
use crate::server::home::Home;
use rule::{FileKind, Object, Rule};
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The rules that come with the program.
const BUILT_IN: &[u8] = include_bytes!("magic/default.magic");
/// Bytes of a file that rules look at.
const BEGINNING_BYTES: u64 = 8192;
/// Bytes of a magic file.
const MAGIC_FILE_BYTES_MAX: u64 = 1 << 20;

/// The rules that are in force for a command.
pub struct Magic {
    rules: Vec<Rule>,
    /// Where they are from, as it is told.
    pub place: Vec<u8>,
}

impl Magic {
    /// Reads the magic files of `MAGIC_PATH`, a list of directories and files with colons between; without it those in
    /// `.magic` in the user's home directory, and those in `config/magic` in Clerestory's home, in whose place the
    /// built-in rules are where there are none. Of a directory the files `*.magic` are read, in the order of their names.
    ///
    /// # Errors
    /// A magic file cannot be read, or is none.
    pub fn read(session: &Session) -> Result<Magic, CommandError> {
        let mut magic = Magic { rules: Vec::new(), place: Vec::new() };
        if let Some(path) = std::env::var_os("MAGIC_PATH").filter(|path| !path.is_empty()) {
            magic.place = [b"\"", path.as_bytes(), b"\""].concat();
            for place in std::env::split_paths(&path).filter(|place| !place.as_os_str().is_empty()) {
                magic.add(&place)?;
            }
            return Ok(magic);
        }
        magic.place = b"magic files".to_vec();
        if let Some(home) = std::env::var_os("HOME") {
            magic.add(&Path::new(&home).join(".magic"))?;
        }
        let own = magic.rules.len();
        magic.add(&site_directory(&session.home()?))?;
        if magic.rules.len() == own {
            magic.add_text(Path::new("(built-in rules)"), BUILT_IN)?;
        }
        Ok(magic)
    }

    fn add(&mut self, place: &Path) -> Result<(), CommandError> {
        if !place.is_dir() {
            return if place.exists() { self.add_file(place) } else { Ok(()) };
        }
        let entries = std::fs::read_dir(place).map_err(|error| unreadable(place, &error))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension() == Some(OsStr::new("magic")) && path.is_file());
        files.sort();
        files.iter().try_for_each(|path| self.add_file(path))
    }

    fn add_file(&mut self, path: &Path) -> Result<(), CommandError> {
        let mut text = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(MAGIC_FILE_BYTES_MAX + 1).read_to_end(&mut text));
        read.map_err(|error| unreadable(path, &error))?;
        if text.len() as u64 > MAGIC_FILE_BYTES_MAX {
            return Err(CommandError::refused(
                [b"Magic file \"", path.as_os_str().as_bytes(), b"\" is too large."].concat(),
            ));
        }
        self.add_text(path, &text)
    }

    fn add_text(&mut self, path: &Path, text: &[u8]) -> Result<(), CommandError> {
        let rules = rule::parse(text).map_err(|fault| {
            let place = format!("\":{}: expected {}.", fault.line, fault.expected);
            CommandError::refused([b"Magic file \"", path.as_os_str().as_bytes(), place.as_bytes()].concat())
        })?;
        self.rules.extend(rules);
        Ok(())
    }

    /// Returns the element types that an object may have by the first rule that it fits, the best one first; none where
    /// it fits no rule. What a file holds counts when the file is there.
    pub fn types(&self, typed: &OsStr) -> Vec<Vec<u8>> {
        let object = Typed::new(Path::new(typed));
        let found = rule::first(&self.rules, &object);
        found
            .map(|rule| rule.types.iter().map(|name| name.clone().into_bytes()).collect())
            .unwrap_or_default()
    }
}

/// Where a site keeps its magic files.
fn site_directory(home: &Home) -> PathBuf {
    home.root().join("config/magic")
}

fn unreadable(path: &Path, error: &std::io::Error) -> CommandError {
    let reason = system_text(error);
    let path = path.as_os_str().as_bytes();
    CommandError::refused([b"Unable to access \"", path, b"\": ", reason.as_bytes(), b"."].concat())
}

/// An object at a path that was typed.
struct Typed<'a> {
    path: &'a Path,
    metadata: Option<Metadata>,
    beginning: OnceCell<Option<Vec<u8>>>,
    described: OnceCell<Vec<u8>>,
}

impl<'a> Typed<'a> {
    fn new(path: &'a Path) -> Typed<'a> {
        let metadata = path.symlink_metadata().ok();
        Typed { path, metadata, beginning: OnceCell::new(), described: OnceCell::new() }
    }

    fn read_beginning(&self) -> Option<Vec<u8>> {
        self.metadata.as_ref().filter(|metadata| metadata.is_file())?;
        // It may be another thing by now: a pipe without a writer must not hold the command up.
        let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(self.path).ok()?;
        let mut beginning = Vec::new();
        file.take(BEGINNING_BYTES).read_to_end(&mut beginning).ok()?;
        Some(beginning)
    }
}

impl Object for Typed<'_> {
    fn name(&self) -> &[u8] {
        pname::leaf(self.path.as_os_str().as_bytes())
    }

    fn kind(&self) -> FileKind {
        let Some(metadata) = &self.metadata else { return FileKind::Regular };
        let kind = metadata.file_type();
        match kind {
            kind if kind.is_dir() => FileKind::Directory,
            kind if kind.is_symlink() => FileKind::SymbolicLink,
            kind if kind.is_char_device() => FileKind::CharacterDevice,
            kind if kind.is_block_device() => FileKind::BlockDevice,
            kind if kind.is_fifo() => FileKind::Fifo,
            kind if kind.is_socket() => FileKind::Socket,
            _ => FileKind::Regular,
        }
    }

    fn beginning(&self) -> Option<&[u8]> {
        self.beginning.get_or_init(|| self.read_beginning()).as_deref()
    }

    fn described(&self) -> &[u8] {
        self.described.get_or_init(|| {
            let mut program = std::process::Command::new("file");
            // Where there is no such program, nothing is said.
            let output = program.args(["-b", "--"]).arg(self.path).output();
            output.map(|output| output.stdout).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(path: &Path) -> String {
        let mut magic = Magic { rules: Vec::new(), place: Vec::new() };
        assert!(magic.add_text(Path::new("built in"), BUILT_IN).is_ok());
        String::from_utf8(magic.types(path.as_os_str()).join(&b' ')).unwrap()
    }

    #[test]
    fn the_built_in_rules_know_every_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, data: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, data).unwrap();
            built_in(&path)
        };
        assert_eq!(built_in(directory.path()), "directory");
        assert_eq!(file("x.c", b"int x;\n"), "c_source source text_file");
        assert_eq!(file("x.C", b"\0\x01"), "compressed_file file");
        assert_eq!(file("README", b"text\n"), "text_file");
        assert_eq!(file("run", b"#!/bin/sh\n"), "sh_script script text_file");
        assert_eq!(file("lib.a", b"!<arch>\n\0"), "archive library file compressed_file");
        assert_eq!(file("a.png", b"\x89PNG"), "image compressed_file");
        assert_eq!(file("core", b"\0"), "compressed_file file");
        assert_eq!(built_in(&directory.path().join("new")), "text_file");
        assert_eq!(built_in(&directory.path().join("new.html")), "html web_file source text_file");
    }

    #[test]
    fn the_files_of_a_directory_are_read_in_the_order_of_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("b.magic", "b : -stat r ;");
        write("a.magic", "a : -name \"*.x\" ;");
        write("a.other", "none");
        let mut magic = Magic { rules: Vec::new(), place: Vec::new() };
        assert!(magic.add(directory.path()).is_ok() && magic.add(&directory.path().join("missing")).is_ok());
        assert_eq!(magic.types(OsStr::new("q.x")), [b"a"]);
        assert_eq!(magic.types(OsStr::new("q.y")), [b"b"]);
        assert!(magic.add(&directory.path().join("a.other")).is_err());
    }
}
