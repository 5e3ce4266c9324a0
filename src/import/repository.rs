//! Reads a git repository or bundle: its refs, its commit graph and its fast-export stream.
//!
//! Owns every call of the `git` program and what its answers mean. Knows nothing of lines, types or
//! versioned object bases. The one idea: refs are read once, and everything later is asked by commit id, so
//! that odd ref names, tags of tags and pushes that happen meanwhile make no difference.

mod process;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::fast_export::Ident;
use super::graph::{CommitGraph, CommitNode, GraphError, ObjectId, RefKind, RefName, Reference};
pub use process::{ExportProcess, ExportStream};
use process::{Git, lines};

/// Why a source could not be read. Each says so in one line; git's own words follow where it has any.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is nothing at the path.
    #[error("{}: no such file or directory", .0.display())]
    NoSuchPath(PathBuf),
    /// What is there is neither a repository nor a bundle.
    #[error("{}: not a git repository or bundle", .0.display())]
    NotARepository(PathBuf),
    /// The repository has no branch or tag that leads to a commit.
    #[error("{}: the repository has no commits to import", .0.display())]
    Empty(PathBuf),
    /// There is no `git` program.
    #[error("git is not installed (no \"git\" in PATH)")]
    GitMissing,
    /// Git refuses a repository that belongs to somebody else.
    #[error("{}: belongs to another user; git reads it after \"git config --global --add safe.directory {}\"",
        .0.display(), .0.display())]
    NotTrusted(PathBuf),
    /// Git failed.
    #[error("git {command} failed ({status}): {stderr}")]
    Git {
        /// The subcommand.
        command: String,
        /// How it ended.
        status: String,
        /// What it wrote to its standard error, on one line.
        stderr: String,
    },
    /// Git answered something that this program does not understand.
    #[error("git {command} answered \"{line}\"")]
    Answer {
        /// The subcommand.
        command: &'static str,
        /// The line.
        line: String,
    },
    /// Reading or starting something failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, or to which path.
        what: String,
        /// The cause.
        source: io::Error,
    },
    /// The commits are no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

type Result<T> = std::result::Result<T, RepositoryError>;

/// Something about a repository that its importer should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The clone is shallow: history starts in the middle, with commits that only look like roots.
    Shallow,
    /// There are grafts; they are ignored, and parents are those that the commits name.
    GraftsIgnored,
    /// There are replacement objects (`git replace`); they are ignored.
    ReplacementsIgnored,
}

/// A ref that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRef {
    /// The ref.
    pub name: RefName,
    /// The type of object it leads to: `tree`, `blob`, or `missing`.
    pub object_type: String,
}

/// The refs of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// Branches, remote branches and tags that lead to commits, sorted by name.
    pub references: Vec<Reference>,
    /// Tags that do not.
    pub skipped: Vec<SkippedRef>,
}

/// What an annotated tag says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Who made the tag, and when; old tags may not tell.
    pub tagger: Option<Ident>,
    /// The message with any signature, as stored.
    pub message: Vec<u8>,
}

/// How to export. The default exports everything, without renames.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportOptions<'a> {
    /// A marks file (`:MARK ID` lines) of commits that are not to be exported again. They must exist in the
    /// repository; changes refer to them by their marks, and new marks are greater than theirs.
    pub import_marks: Option<&'a Path>,
    /// Commits that are not to be exported again, nor their ancestors; parents among them are named by id.
    pub excluded: &'a [ObjectId],
    /// Whether to look for renames (`-M`).
    pub find_renames: bool,
}

/// A git repository, open for reading. Nothing in it is ever changed.
#[derive(Clone, Debug)]
pub struct Repository {
    path: PathBuf,
    git: Git,
}

impl Repository {
    /// Opens a repository (bare, a work tree, a linked work tree) or a bundle file. A bundle is unpacked
    /// into a new directory below `temporary`, which the caller removes when done.
    ///
    /// # Errors
    /// No such path; not a repository or bundle (a directory inside a work tree is not one); git missing;
    /// a repository of another user that git was not told to trust.
    pub fn open(path: &Path, temporary: &Path) -> Result<Self> {
        let full = path.canonicalize().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RepositoryError::NoSuchPath(path.to_owned()),
            _ => RepositoryError::Io { what: path.display().to_string(), source },
        })?;
        let git_dir = if full.is_dir() {
            discover(path, &full)?
        } else if is_bundle(&full)? {
            unpack(&full, temporary)?
        } else {
            return Err(RepositoryError::NotARepository(path.to_owned()));
        };
        Ok(Self { path: path.to_owned(), git: Git::in_directory(git_dir) })
    }

    /// The repository's directory: the `.git` of a work tree, or the unpacked bundle.
    pub fn git_dir(&self) -> &Path {
        self.git.directory()
    }

    /// What is unusual about the repository.
    ///
    /// # Errors
    /// Git failed.
    pub fn notices(&self) -> Result<Vec<Notice>> {
        let mut notices = Vec::new();
        if self.git.run("rev-parse", &["--is-shallow-repository"], Vec::new())?.trim_ascii() == b"true" {
            notices.push(Notice::Shallow);
        }
        let common = self.git.run("rev-parse", &["--git-common-dir"], Vec::new())?;
        let common = common.strip_suffix(b"\n").unwrap_or(&common).to_vec();
        let common = self.git_dir().join(PathBuf::from(OsString::from_vec(common)));
        if common.join("info/grafts").exists() {
            notices.push(Notice::GraftsIgnored);
        }
        if !self.git.run("for-each-ref", &["--count=1", "refs/replace/"], Vec::new())?.is_empty() {
            notices.push(Notice::ReplacementsIgnored);
        }
        Ok(notices)
    }

    /// Lists `refs/heads`, `refs/remotes` (without `HEAD`) and `refs/tags`.
    ///
    /// # Errors
    /// Git failed, or none of them leads to a commit.
    pub fn refs(&self) -> Result<Refs> {
        const COMMAND: &str = "for-each-ref";
        let format = "--format=%(objecttype) %(objectname) %(refname)";
        let listing =
            self.git.run(COMMAND, &[format, "refs/heads/", "refs/remotes/", "refs/tags/"], Vec::new())?;
        let mut refs = Refs::default();
        let mut tags = Vec::new();
        for line in lines(&listing) {
            let mut fields = line.splitn(3, |&byte| byte == b' ');
            let (Some(kind), Some(Some(id)), Some(name)) =
                (fields.next(), fields.next().map(ObjectId::from_hex), fields.next())
            else {
                return Err(answer(COMMAND, line));
            };
            let name = RefName::new(name);
            if name.kind() == RefKind::Remote && name.as_bytes().ends_with(b"/HEAD") {
                continue;
            }
            match kind {
                b"commit" => refs.references.push(Reference { name, commit: id, tag_object: None }),
                b"tag" => tags.push((name, id)),
                _ => refs.skipped.push(skipped(name, kind)),
            }
        }
        self.peel(tags, &mut refs)?;
        if refs.references.is_empty() {
            return Err(RepositoryError::Empty(self.path.clone()));
        }
        refs.references.sort_by(|a, b| a.name.cmp(&b.name));
        refs.skipped.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    /// Finds what annotated tags, also tags of tags, lead to.
    fn peel(&self, tags: Vec<(RefName, ObjectId)>, refs: &mut Refs) -> Result<()> {
        const COMMAND: &str = "cat-file";
        if tags.is_empty() {
            return Ok(());
        }
        let questions = tags.iter().flat_map(|(_, id)| format!("{id}^{{}}\n").into_bytes()).collect();
        let answers = self.git.run(COMMAND, &["--batch-check=%(objectname) %(objecttype)"], questions)?;
        let mut answers = lines(&answers);
        for (name, tag) in tags {
            let line = answers.next().ok_or_else(|| answer(COMMAND, b""))?;
            let mut fields = line.split(|&byte| byte == b' ');
            match (fields.next().and_then(ObjectId::from_hex), fields.next()) {
                (Some(commit), Some(b"commit")) => {
                    refs.references.push(Reference { name, commit, tag_object: Some(tag) });
                }
                (_, Some(kind)) => refs.skipped.push(skipped(name, kind)),
                (_, None) => return Err(answer(COMMAND, line)),
            }
        }
        Ok(())
    }

    /// The full name of the default branch: what `HEAD` names, if that is among `refs`; else `main`, `master`,
    /// the first branch, the first remote branch, the first tag.
    ///
    /// # Errors
    /// `refs` is empty, or git failed.
    pub fn default_branch(&self, refs: &[Reference]) -> Result<RefName> {
        // Ends with status 1 and without a word if HEAD is detached.
        let head = self.git.run_or_status("symbolic-ref", &["--quiet", "HEAD"], 1)?.unwrap_or_default();
        let wanted = [head.trim_ascii_end(), b"refs/heads/main", b"refs/heads/master"];
        let named = wanted.iter().find_map(|&name| refs.iter().find(|r| r.name.as_bytes() == name));
        let first = || refs.iter().min_by_key(|reference| (reference.name.kind(), &reference.name));
        let chosen = named.or_else(first).ok_or_else(|| RepositoryError::Empty(self.path.clone()))?;
        Ok(chosen.name.clone())
    }

    /// Everything reachable from `refs`, parents before children.
    ///
    /// # Errors
    /// Git failed, for example because objects are missing.
    pub fn commit_graph(&self, refs: &[Reference]) -> Result<CommitGraph> {
        const COMMAND: &str = "rev-list";
        let options = ["--topo-order", "--reverse", "--parents", "--timestamp", "--stdin"];
        let listing = self.git.run(COMMAND, &options, tip_lines(refs, &[]))?;
        let mut index = rustc_hash::FxHashMap::default();
        let mut nodes = Vec::new();
        for line in lines(&listing) {
            let mut fields = line.split(|&byte| byte == b' ');
            let seconds = fields.next().and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
            let id = fields.next().and_then(ObjectId::from_hex);
            let parents = fields.map(|word| index.get(&ObjectId::from_hex(word)?).copied()).collect();
            let (Some(seconds), Some(id), Some(parents)) = (seconds, id, parents) else {
                return Err(answer(COMMAND, line));
            };
            index.insert(id, nodes.len());
            // Git answers the largest number there is for dates that it cannot represent.
            let committer_seconds = i64::try_from(seconds).unwrap_or(0);
            nodes.push(CommitNode { id, parents, committer_seconds });
        }
        Ok(CommitGraph::new(nodes)?)
    }

    /// Reads the messages of annotated tags: one per reference, `None` for those that are not annotated.
    ///
    /// # Errors
    /// Git failed.
    pub fn annotations(&self, refs: &[Reference]) -> Result<Vec<Option<Annotation>>> {
        const COMMAND: &str = "cat-file";
        let asked = refs.iter().filter_map(|reference| reference.tag_object);
        let questions: Vec<u8> = asked.flat_map(|id| format!("{id}\n").into_bytes()).collect();
        let answers = self.git.run(COMMAND, &["--batch=%(objectsize)"], questions)?;
        let mut rest = &answers[..];
        let mut next = || -> Option<Annotation> {
            let end = rest.iter().position(|&byte| byte == b'\n')?;
            let size: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
            let object = rest.get(end + 1..end + 1 + size)?;
            rest = rest.get(end + 1 + size + 1..)?;
            Some(annotation(object))
        };
        let read = refs.iter().map(|reference| match reference.tag_object {
            Some(_) => next().map(Some).ok_or_else(|| answer(COMMAND, b"")),
            None => Ok(None),
        });
        read.collect()
    }

    /// Starts the export of everything reachable from `refs`. Read the stream to its end, drop it, then
    /// ask the process how it ended: a stream that breaks off is explained by that.
    ///
    /// # Errors
    /// Git could not be started.
    pub fn export(
        &self,
        refs: &[Reference],
        options: &ExportOptions<'_>,
    ) -> Result<(ExportStream, ExportProcess)> {
        let mut arguments: Vec<OsString> = [
            "--use-done-feature",
            "--show-original-ids",
            "--reencode=no",
            "--signed-tags=strip",
            "--tag-of-filtered-object=drop",
            "--fake-missing-tagger",
            "--reference-excluded-parents",
            // Else a .gitmodules in the repository could hide changes of submodules.
            "--ignore-submodules=none",
        ]
        .map(OsString::from)
        .into();
        if options.find_renames {
            // Git's own limit, whatever the repository's configuration says.
            arguments.extend(["-M".into(), "-l1000".into()]);
        }
        if let Some(marks) = options.import_marks {
            let mut argument = OsString::from("--import-marks=");
            argument.push(std::path::absolute(marks).unwrap_or_else(|_| marks.to_owned()));
            arguments.push(argument);
        }
        arguments.push("--stdin".into());
        self.git.export(&arguments, tip_lines(refs, options.excluded))
    }
}

/// Finds the repository that a directory is: not one that the directory only lies in.
fn discover(path: &Path, full: &Path) -> Result<PathBuf> {
    match Git::discover(full) {
        Ok(answer) => {
            let directory = answer.strip_suffix(b"\n").unwrap_or(&answer).to_vec();
            Ok(PathBuf::from(OsString::from_vec(directory)))
        }
        Err(RepositoryError::Git { stderr, .. }) if stderr.contains("not a git repository") => {
            Err(RepositoryError::NotARepository(path.to_owned()))
        }
        Err(RepositoryError::Git { stderr, .. }) if stderr.contains("dubious ownership") => {
            Err(RepositoryError::NotTrusted(full.to_owned()))
        }
        Err(error) => Err(error),
    }
}

fn is_bundle(path: &Path) -> Result<bool> {
    const MAGICS: [&[u8]; 2] = [b"# v2 git bundle\n", b"# v3 git bundle\n"];
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.map_err(|source| RepositoryError::Io { what: path.display().to_string(), source })?;
    Ok(MAGICS.contains(&start.as_slice()))
}

/// Clones a bundle into a directory that did not exist before.
fn unpack(bundle: &Path, temporary: &Path) -> Result<PathBuf> {
    let what = || temporary.display().to_string();
    let temporary =
        temporary.canonicalize().map_err(|source| RepositoryError::Io { what: what(), source })?;
    let target = (0u32..).map(|number| temporary.join(format!("bundle-{number}.git")));
    let target = target.into_iter().find(|target| !target.exists()).unwrap_or(temporary);
    Git::clone_mirror(bundle, &target)?;
    Ok(target)
}

/// The ids to start from and, with a `^`, those to leave out; one per line.
fn tip_lines(refs: &[Reference], excluded: &[ObjectId]) -> Vec<u8> {
    let mut seen = rustc_hash::FxHashSet::default();
    let tips = refs.iter().map(|reference| reference.commit).filter(|&commit| seen.insert(commit));
    let mut text: Vec<u8> = tips.flat_map(|commit| format!("{commit}\n").into_bytes()).collect();
    text.extend(excluded.iter().flat_map(|commit| format!("^{commit}\n").into_bytes()));
    text
}

fn annotation(object: &[u8]) -> Annotation {
    let end = object.windows(2).position(|pair| pair == b"\n\n").unwrap_or(object.len());
    let tagger = lines(&object[..end]).find_map(|line| line.strip_prefix(b"tagger "));
    let message = object.get(end + 2..).unwrap_or_default().to_vec();
    Annotation { tagger: tagger.map(Ident::parse), message }
}

fn skipped(name: RefName, kind: &[u8]) -> SkippedRef {
    SkippedRef { name, object_type: String::from_utf8_lossy(kind).into_owned() }
}

fn answer(command: &'static str, line: &[u8]) -> RepositoryError {
    RepositoryError::Answer { command, line: line.escape_ascii().to_string() }
}
