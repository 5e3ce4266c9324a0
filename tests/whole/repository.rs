//! Git repositories made by the tests: a writer of fast-import streams, and what git itself says of them.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tree::{Node, Tree};

/// A commit of a stream.
pub type Mark = u32;

/// A repository.
pub struct Repository {
    path: PathBuf,
    marks: PathBuf,
    next_mark: Mark,
}

impl Repository {
    /// Makes an empty one, whose default branch is `main`.
    #[track_caller]
    pub fn new(path: &Path) -> Repository {
        let repository =
            Repository { path: path.to_owned(), marks: path.with_extension("marks"), next_mark: 0 };
        std::fs::create_dir_all(path).expect("the repository's directory can be made");
        repository.git(&["init", "-q", "--initial-branch=main"]);
        repository
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        command.arg("-C").arg(&self.path);
        command.envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "A U Thor"),
            ("GIT_AUTHOR_EMAIL", "author@example.com"),
            ("GIT_COMMITTER_NAME", "C O Mitter"),
            ("GIT_COMMITTER_EMAIL", "committer@example.com"),
            ("GIT_AUTHOR_DATE", "1112911993 -0700"),
            ("GIT_COMMITTER_DATE", "1112911993 -0700"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
        ]);
        command
    }

    /// Runs git in it; returns its output.
    #[track_caller]
    pub fn git(&self, words: &[impl AsRef<OsStr>]) -> Vec<u8> {
        let output = self.command().args(words).output().expect("git can be run");
        assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The same for one word.
    #[track_caller]
    pub fn git_word(&self, words: &[&str]) -> String {
        String::from_utf8(self.git(words)).expect("git answers text").trim().to_owned()
    }

    /// Adds commits.
    #[track_caller]
    pub fn import<T>(&mut self, write: impl FnOnce(&mut Stream) -> T) -> T {
        let mut stream = Stream { bytes: Vec::new(), next_mark: self.next_mark };
        let result = write(&mut stream);
        self.next_mark = stream.next_mark;
        stream.bytes.extend_from_slice(b"done\n");
        let marks = self.marks.display();
        let mut command = self.command();
        command.args(["fast-import", "--quiet", "--force", "--done"]);
        command.arg(format!("--import-marks-if-exists={marks}")).arg(format!("--export-marks={marks}"));
        let mut child = command.stdin(Stdio::piped()).spawn().expect("git can be run");
        child.stdin.take().expect("a pipe").write_all(&stream.bytes).expect("git reads the stream");
        assert!(child.wait().expect("git ends").success(), "git fast-import failed");
        result
    }

    /// The tree of a commit, without submodules.
    #[track_caller]
    pub fn tree(&self, commit: &str) -> Tree {
        let listing = self.git(&["ls-tree", "-r", "-z", commit]);
        let mut files = Vec::new();
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t').expect("a tab before the path");
            let facts = std::str::from_utf8(&line[..tab]).expect("mode, type and id are text");
            let facts: Vec<&str> = facts.split(' ').collect();
            if facts[1] == "blob" {
                files.push((facts[0].to_owned(), facts[2].to_owned(), line[tab + 1..].to_vec()));
            }
        }
        let contents = self.contents(files.iter().map(|(_, id, _)| id.as_str()));
        let mut tree = Tree::new();
        for ((mode, _, path), content) in files.into_iter().zip(contents) {
            for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
                tree.insert(path[..end].to_vec(), Node::Directory);
            }
            let node = match mode.as_str() {
                "120000" => Node::Link(content),
                mode => Node::File { executable: mode == "100755", content },
            };
            tree.insert(path, node);
        }
        tree
    }

    fn contents<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Vec<Vec<u8>> {
        let mut command = self.command();
        let command = command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("git can be run");
        let mut pipe = child.stdin.take().expect("a pipe");
        let asked: String = ids.map(|id| format!("{id}\n")).collect();
        let writer = std::thread::spawn(move || pipe.write_all(asked.as_bytes()));
        let answer = child.wait_with_output().expect("git ends").stdout;
        writer.join().expect("the writer does not panic").expect("git reads the ids");
        let mut contents = Vec::new();
        let mut rest = &answer[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let header = String::from_utf8_lossy(&rest[..end]).into_owned();
            let size: usize = header.rsplit(' ').next().and_then(|size| size.parse().ok()).expect("a size");
            contents.push(rest[end + 1..end + 1 + size].to_vec());
            rest = &rest[end + 1 + size + 1..];
        }
        contents
    }
}

/// A stream for `git fast-import`.
pub struct Stream {
    bytes: Vec<u8>,
    next_mark: Mark,
}

/// Where a commit stands in the history.
#[derive(Clone, Copy)]
pub struct Parents<'a> {
    /// The first parent; without one the commit is the branch's next.
    pub first: Option<Mark>,
    /// What it merges.
    pub merged: &'a [Mark],
}

/// The next commit of its branch.
pub const NEXT: Parents<'static> = Parents { first: None, merged: &[] };

impl Stream {
    /// Begins a commit; what follows changes its tree.
    pub fn commit(&mut self, branch: &str, seconds: i64, parents: Parents<'_>) -> Mark {
        self.next_mark += 1;
        let mark = self.next_mark;
        let message = format!("Change {mark} on {branch}\n\nWhy it was made.\n");
        let author = seconds - 60;
        self.line(&format!("commit refs/heads/{branch}\nmark :{mark}"));
        self.line(&format!("author A U Thor <author@example.com> {author} +0000"));
        self.line(&format!("committer C O Mitter <committer@example.com> {seconds} +0000"));
        self.data(message.as_bytes());
        if let Some(first) = parents.first {
            self.line(&format!("from :{first}"));
        }
        parents.merged.iter().for_each(|merged| self.line(&format!("merge :{merged}")));
        mark
    }

    /// Puts a file there.
    pub fn file(&mut self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) {
        self.entry("100644", path.as_ref(), content.as_ref());
    }

    /// Puts a program there.
    pub fn program(&mut self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) {
        self.entry("100755", path.as_ref(), content.as_ref());
    }

    /// Puts a symbolic link there.
    pub fn link(&mut self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) {
        self.entry("120000", path.as_ref(), target.as_ref());
    }

    /// Puts a submodule there.
    pub fn submodule(&mut self, path: impl AsRef<[u8]>) {
        let id = "1234567890123456789012345678901234567890";
        self.line(&format!("M 160000 {id} {}", quoted(path.as_ref())));
    }

    /// Removes a file or directory.
    pub fn delete(&mut self, path: impl AsRef<[u8]>) {
        self.line(&format!("D {}", quoted(path.as_ref())));
    }

    /// Renames a file or directory.
    pub fn rename(&mut self, old: impl AsRef<[u8]>, new: impl AsRef<[u8]>) {
        self.line(&format!("R {} {}", quoted(old.as_ref()), quoted(new.as_ref())));
    }

    /// Makes an annotated tag.
    pub fn tag(&mut self, name: &str, commit: Mark) {
        self.line(&format!("tag {name}\nfrom :{commit}"));
        self.line("tagger C O Mitter <committer@example.com> 1112912113 -0700");
        self.data(format!("Tag {name}\n").as_bytes());
    }

    /// Puts a ref at a commit.
    pub fn reset(&mut self, name: &str, commit: Mark) {
        self.line(&format!("reset {name}\nfrom :{commit}\n"));
    }

    fn entry(&mut self, mode: &str, path: &[u8], content: &[u8]) {
        self.line(&format!("M {mode} inline {}", quoted(path)));
        self.data(content);
    }

    fn data(&mut self, data: &[u8]) {
        self.line(&format!("data {}", data.len()));
        self.bytes.extend_from_slice(data);
        self.bytes.push(b'\n');
    }

    fn line(&mut self, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }
}

fn quoted(path: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b'"' | b'\\' | 0..=31 | 127.. => format!("\\{byte:03o}"),
        byte => char::from(*byte).to_string(),
    };
    format!("\"{}\"", path.iter().map(letter).collect::<String>())
}
