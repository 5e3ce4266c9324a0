//! The chain of included files: where a rule stands, how deep, and whether a file includes itself. Owns the limits
//! of inclusion; must not know statements, nor how a path is read.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, DiagnosticKind, IncludedFrom, Problem, clip};

/// How many `include` rules may lead to a file, one within the other.
pub const MAX_INCLUDE_DEPTH: usize = 32;

/// How many files one spec may include in all: a few lines per file could otherwise ask for 2^32 of them.
pub const MAX_INCLUDES: usize = 4096;

/// The files being read, outermost first, each with the line reached.
#[derive(Debug)]
pub(crate) struct Chain {
    files: Vec<(PathBuf, u32)>,
    included: usize,
}

impl Chain {
    pub fn new(file: &Path) -> Chain {
        Chain { files: vec![(file.to_owned(), 0)], included: 0 }
    }

    /// The file being read.
    pub fn file(&self) -> &Path {
        &self.files[self.files.len() - 1].0
    }

    pub fn line(&self) -> u32 {
        self.files[self.files.len() - 1].1
    }

    pub fn set_line(&mut self, line: u32) {
        let last = self.files.len() - 1;
        self.files[last].1 = line;
    }

    /// Checks, before a file is read, that one more may be.
    pub fn plan_enter(&mut self, column: u32) -> Result<(), Problem> {
        let fault = |kind, message| Err(Problem::plain(kind, column, message));
        if self.files.len() > MAX_INCLUDE_DEPTH {
            return fault(
                DiagnosticKind::Include,
                format!("included files are nested more than {MAX_INCLUDE_DEPTH} deep"),
            );
        }
        if self.included == MAX_INCLUDES {
            return fault(DiagnosticKind::Limit, format!("more than {MAX_INCLUDES} files are included"));
        }
        self.included += 1;
        Ok(())
    }

    /// Makes `file` the one being read, unless it is being read already.
    pub fn enter(&mut self, file: PathBuf, column: u32) -> Result<(), Problem> {
        if let Some(first) = self.files.iter().position(|(open, _)| *open == file) {
            let mut message = String::from("file includes itself: ");
            for (open, _) in &self.files[first..] {
                message.push_str(&format!("{} -> ", open.display()));
            }
            message.push_str(&file.display().to_string());
            return Err(Problem::plain(DiagnosticKind::Include, column, message));
        }
        self.files.push((file, 0));
        Ok(())
    }

    /// Goes back to the file that included this one.
    pub fn leave(&mut self) {
        self.files.pop();
        assert!(!self.files.is_empty(), "the outermost file is never left");
    }

    /// Puts a fault of the present line in its place.
    pub fn locate(&self, problem: Problem) -> Diagnostic {
        let including = self.files.iter().rev().skip(1);
        Diagnostic {
            file: self.file().to_owned(),
            line: self.line(),
            column: problem.column,
            kind: problem.kind,
            message: clip(problem.message),
            found: problem.found.map(clip),
            expected: problem.expected,
            included_from: including
                .map(|(file, line)| IncludedFrom { file: file.clone(), line: *line })
                .collect(),
        }
    }
}
