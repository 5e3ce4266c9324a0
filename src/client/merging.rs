//! Merging to a checkout: texts here, names of directories by the daemon, and the arrow that records it.
//!
//! `merge` and `findmerge` share it. Knows what was asked for as a [`How`], and the versions from the daemon's facts;
//! contents are read and written through the mount, with the user's rights. What nobody decided stands in the file
//! between markers, and no arrow is drawn.

use super::comparison::{Details, Format, difference, names, numbers};
use super::diff::unreadable;
use super::merge_tool::{self, Files};
use super::pname::{HISTORY_MARK, without_version};
use super::session::{CommandError, Session, system_text};
use super::temporary;
use crate::merge::text::{Change, Choice, Labels, Merge, Region, Side, Style};
use crate::server::proto::{MergeRequest, NameChangeKind, NameConflict, NameMerge, ObjectKind, Pname};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// When the user is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asking {
    /// Never: conflicts are marked.
    Never,
    /// At conflicts.
    Conflicts,
    /// At every change, unless only one side changed anything at all.
    NotTrivial,
    /// At every change.
    Always,
}

/// What is to be done how.
pub struct How {
    /// How differences are written.
    pub format: Format,
    /// What else was asked of the comparison.
    pub details: Details,
    /// When the user is asked.
    pub asking: Asking,
    /// Nothing is changed where a conflict would be left.
    pub abort: bool,
    /// Contents and names are merged.
    pub data: bool,
    /// Arrows are drawn.
    pub arrows: bool,
    /// Instead of arrows that are there.
    pub replace: bool,
    /// A program of the user's choice merges files.
    pub graphical: bool,
    /// What the change is recorded with.
    pub comment: Vec<u8>,
}

/// A text or directory version that takes part.
#[derive(Clone, Debug)]
pub struct Contributor {
    /// What it is called.
    pub name: Vec<u8>,
    /// Where it is read.
    pub path: OsString,
    /// `/main/fix/3`; empty for a file that is no version of the element.
    pub version: Vec<u8>,
}

impl Contributor {
    /// A version of the element that a name stands for, called by its absolute name.
    pub fn version(pname: &Pname, version: &[u8]) -> Contributor {
        let absolute = [without_version(&pname.absolute), HISTORY_MARK, version].concat();
        let path = OsString::from_vec(absolute.clone());
        Contributor { name: absolute, path, version: version.to_vec() }
    }

    /// A file by its name.
    pub fn file(typed: &[u8]) -> Contributor {
        let path = OsString::from_vec(typed.to_vec());
        Contributor { name: typed.to_vec(), path, version: Vec::new() }
    }

    fn read(&self) -> Result<Vec<u8>, CommandError> {
        std::fs::read(&self.path).map_err(|error| unreadable(&self.name, &error))
    }
}

/// Tells whether a type manager merges texts: those that take text, or any file as it is.
pub fn merges_texts(manager: &str) -> bool {
    matches!(manager, "text_file_delta" | "z_text_file_delta" | "whole_copy")
}

/// How a merge ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Nothing is left to decide.
    Complete,
    /// Something is, and what was not in conflict is done.
    Unresolved,
    /// Nothing was changed: something would have been left.
    Aborted,
}

/// What is merged to a checkout.
pub struct Work<'a> {
    /// The checkout.
    pub target: &'a Pname,
    /// What all are compared with.
    pub base: Contributor,
    /// What is merged.
    pub sources: Vec<Contributor>,
    /// The type manager merges texts.
    pub is_text: bool,
    /// The type manager.
    pub manager: &'a str,
}

impl Work<'_> {
    /// Merges files to the checked-out file.
    ///
    /// # Errors
    /// A file cannot be read or written, or the daemon refuses the arrow.
    pub fn files(&self, session: &mut Session, how: &How) -> Result<Ended, CommandError> {
        let target = Contributor::file(&self.target.typed);
        let typed = &self.target.typed;
        if how.data {
            let Some((text, conflicts)) = self.text(session, how, &target)? else {
                return Ok(Ended::Aborted);
            };
            let contributor = keep_contributor(&target)?;
            session.line(&[b"Moved contributor \"", typed, b"\" to \"", &contributor, b"\"."])?;
            if let Err(error) = std::fs::write(&target.path, &text) {
                let reason = system_text(&error);
                let sentence = [b"Unable to write \"", &typed[..], b"\": ", reason.as_bytes(), b"."].concat();
                let kept = [b"What it held is in \"", &contributor[..], b"\"."].concat();
                return Err(CommandError::Refused(vec![sentence, kept]));
            }
            session.line(&[b"Output of merge is in \"", typed, b"\"."])?;
            if conflicts > 0 {
                return Ok(Ended::Unresolved);
            }
        }
        let kept =
            [b"The merged text stays in \"", &typed[..], b"\": record the merge with -ndata."].concat();
        let recorded = self.record(session, how);
        recorded.map_err(|error| if how.data { error.about_each([kept]) } else { error })?;
        Ok(Ended::Complete)
    }

    /// Merges to a new file that is no checkout.
    ///
    /// # Errors
    /// As [`Work::files`].
    pub fn to_new_file(&self, session: &mut Session, how: &How, out: &OsStr) -> Result<Ended, CommandError> {
        let target = Contributor::file(&self.target.typed);
        let Some((text, conflicts)) = self.text(session, how, &target)? else {
            return Ok(Ended::Aborted);
        };
        let written =
            std::fs::File::create_new(out).and_then(|mut file| io::Write::write_all(&mut file, &text));
        if let Err(error) = written {
            let reason = system_text(&error);
            let sentence = [b"Unable to write \"", out.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat();
            return Err(CommandError::refused(sentence));
        }
        session.line(&[b"Output of merge is in \"", out.as_bytes(), b"\"."])?;
        Ok(if conflicts > 0 { Ended::Unresolved } else { Ended::Complete })
    }

    /// Merges all sources; answers the text and how many conflicts are marked in it, nothing where that is not wanted.
    fn text(
        &self,
        session: &mut Session,
        how: &How,
        target: &Contributor,
    ) -> Result<Option<(Vec<u8>, usize)>, CommandError> {
        let (base, mut text) = (self.base.read()?, target.read()?);
        let number = self.sources.len() + 2;
        let mut all: Vec<&[u8]> = vec![&self.base.name];
        all.extend(self.sources.iter().map(|source| &source.name[..]));
        all.push(&target.name);
        if !how.details.quiet {
            session.write(&[&names("file", &all)])?;
        }
        let mut conflicts = 0;
        for (at, source) in self.sources.iter().enumerate() {
            let theirs = source.read()?;
            if theirs == base || theirs == text {
                if !how.details.quiet {
                    let other = if theirs == base { &self.base.name } else { &target.name };
                    session.line(&[
                        b"Trivial merge: \"",
                        &source.name,
                        b"\" is same as \"",
                        other,
                        b"\".",
                    ])?;
                }
                continue;
            }
            if text == base && how.asking != Asking::Always {
                session.line(&[
                    b"Trivial merge: \"",
                    &target.name,
                    b"\" is same as base \"",
                    &self.base.name,
                    b"\".",
                ])?;
                session.line(&[b"Copying \"", &source.name, b"\" to output file."])?;
                text = theirs;
                continue;
            }
            if !self.is_text || [&base, &text, &theirs].iter().any(|text| text.contains(&0)) {
                let sentence = format!(
                    "Type manager \"{}\" failed merge operation: Invalid manager operation.",
                    self.manager
                );
                return Err(CommandError::refused(sentence));
            }
            let merge = Merge::new(&base, &text, &theirs);
            let label = |number: usize, name: &[u8]| [format!("file {number}: ").as_bytes(), name].concat();
            let (ours_label, base_label) = (label(number, &target.name), label(1, &self.base.name));
            let theirs_label = label(at + 2, &source.name);
            let labels = Labels { ours: &ours_label, base: &base_label, theirs: &theirs_label };
            let style = if how.details.git_markers { Style::Merge } else { Style::Diff3 };
            let merged = if how.graphical && merge_tool::merger().is_some() {
                let marked = merge.text(style, labels);
                with_tool(session, [&self.base, target, source], (&text, &marked), merge.conflicts())?
            } else {
                let mut view =
                    Telling { session, how, merge: &merge, theirs: at + 2, ours: number, first: at == 0 };
                let choices = view.choices()?;
                let left = choices.iter().filter(|choice| **choice == Choice::Marked).count();
                (merge.chosen(&choices, style, labels), left)
            };
            (text, conflicts) = (merged.0, conflicts + merged.1);
            if conflicts > 0 && how.abort {
                return Ok(None);
            }
        }
        Ok(Some((text, conflicts)))
    }

    /// Draws arrows from the versions among the sources.
    fn record(&self, session: &mut Session, how: &How) -> Result<(), CommandError> {
        let request = self.request(session, how)?;
        if !how.arrows || request.sources.is_empty() {
            return Ok(());
        }
        let typed = &self.target.typed;
        session.call_about(typed, async |mut host| host.merge(request).await)?;
        Ok(session.line(&[b"Recorded merge of \"", typed, b"\"."])?)
    }

    fn request(&self, session: &Session, how: &How) -> Result<MergeRequest, CommandError> {
        let versions = self.sources.iter().map(|source| source.version.clone());
        Ok(MergeRequest {
            context: Some(session.context()?),
            target: Some(self.target.clone()),
            sources: versions.filter(|version| !version.is_empty()).collect(),
            base: self.base.version.clone(),
            arrows: how.arrows,
            replace: how.replace,
            abort: how.abort,
            comment: how.comment.clone(),
            ..MergeRequest::default()
        })
    }

    // ---- Directories --------------------------------------------------------------------------------------------

    /// Merges the names of directories to the checked-out directory.
    ///
    /// # Errors
    /// The daemon refuses it.
    pub fn directories(&self, session: &mut Session, how: &How) -> Result<Ended, CommandError> {
        if !how.data {
            self.record(session, how)?;
            return Ok(Ended::Complete);
        }
        let typed = &self.target.typed;
        let request = MergeRequest { names: true, ..self.request(session, how)? };
        let plan = MergeRequest { plan: true, arrows: false, ..request.clone() };
        let planned = session.call_about(typed, async |mut host| host.merge(plan).await)?;
        let mut all: Vec<&[u8]> = vec![&self.base.name];
        all.extend(self.sources.iter().map(|source| &source.name[..]));
        all.push(typed);
        if !how.details.quiet {
            session.write(&[&names("directory", &all)])?;
        }
        let (mut taken, mut applied, mut left) = (Vec::new(), Vec::new(), 0);
        let (mut conflict_at, mut change_at) = (0, 0);
        for name in &planned.names {
            let is_conflict = name.conflict() != NameConflict::None;
            let at = if is_conflict { &mut conflict_at } else { &mut change_at };
            let this = std::mem::replace(at, *at + 1);
            session.line(&[&name_header(name, all.len())])?;
            let asks = match how.asking {
                Asking::Never => false,
                Asking::Conflicts => is_conflict,
                Asking::NotTrivial | Asking::Always => true,
            };
            let can_be_taken = name.conflict() != NameConflict::Inside;
            let is_taken = if asks && can_be_taken {
                let question = format!("Do you want the CHANGE made in directory {}?", name.source + 2);
                ask(session, &question, !is_conflict)?
            } else {
                Some(!is_conflict).filter(|_| !is_conflict)
            };
            match is_taken {
                Some(true) => {
                    session.line(&[&applying(name, is_conflict || asks)])?;
                    if is_conflict { taken.push(this) } else { applied.push(this) }
                }
                Some(false) => session.line(&[
                    b"*** The names of directory ",
                    all.len().to_string().as_bytes(),
                    b" stay",
                ])?,
                None => {
                    left += 1;
                    session.line(&[b"*** Not resolved"])?;
                }
            }
        }
        if left > 0 && how.abort {
            return Ok(Ended::Aborted);
        }
        // A change that was declined is decided: what is left is what nobody was asked about.
        let arrows = how.arrows && left == 0;
        let request = MergeRequest { taken, applied, selected: true, arrows, ..request };
        session.call_about(typed, async |mut host| host.merge(request).await)?;
        if left > 0 {
            return Ok(Ended::Unresolved);
        }
        if arrows {
            session.line(&[b"Recorded merge of \"", typed, b"\"."])?;
        }
        Ok(Ended::Complete)
    }
}

/// The header of a change of names: what the source did, and what the target has where that conflicts.
fn name_header(name: &NameMerge, target: usize) -> Vec<u8> {
    let source = format!(" directory {} ", name.source + 2);
    let did: Vec<u8> = match name.kind() {
        NameChangeKind::Added => [b"added \"", &name.name[..], b"\""].concat(),
        NameChangeKind::Removed => [b"deleted \"", &name.name[..], b"\""].concat(),
        NameChangeKind::Renamed => {
            [b"renamed \"", &name.name[..], b"\" to \"", &name.new_name, b"\""].concat()
        }
    };
    let here = format!(", directory {target}: ");
    let conflict: Vec<u8> = match name.conflict() {
        NameConflict::None => Vec::new(),
        NameConflict::Taken => [here.as_bytes(), b"the name is taken"].concat(),
        NameConflict::Renamed => [here.as_bytes(), b"it is \"", &name.other_name, b"\""].concat(),
        NameConflict::Removed => [here.as_bytes(), b"it is deleted"].concat(),
        NameConflict::Inside => [here.as_bytes(), b"it would be inside itself"].concat(),
    };
    [b"-----[ ", &did[..], source.trim_end().as_bytes(), &conflict, b" ]-----"].concat()
}

fn applying(name: &NameMerge, was_asked: bool) -> Vec<u8> {
    let kind = match name.object_kind() {
        ObjectKind::DirectoryElement => "directory",
        ObjectKind::SymbolicLink => "symbolic link",
        _ => "file",
    };
    let how: &[u8] = if was_asked { b"*** Applying " } else { b"*** Automatic: Applying " };
    let quoted = |bytes: &[u8]| [b"\"", bytes, b"\""].concat();
    match name.kind() {
        NameChangeKind::Added => [how, b"ADDITION of ", kind.as_bytes(), b" ", &quoted(&name.name)].concat(),
        NameChangeKind::Removed => [how, b"REMOVAL of ", kind.as_bytes(), b" ", &quoted(&name.name)].concat(),
        NameChangeKind::Renamed => {
            [how, b"NAME change from ", &quoted(&name.name), b" to ", &quoted(&name.new_name)].concat()
        }
    }
}

// ---- Texts --------------------------------------------------------------------------------------------------------

/// Tells of the regions of a merge, and asks.
struct Telling<'a, 't> {
    session: &'a mut Session,
    how: &'a How,
    merge: &'a Merge<'t>,
    /// The numbers of the files.
    theirs: usize,
    ours: usize,
    /// What the target changed is told once.
    first: bool,
}

impl Telling<'_, '_> {
    fn choices(&mut self) -> Result<Vec<Choice>, CommandError> {
        let mut choices = Vec::new();
        for region in &self.merge.regions {
            let tells = !self.how.details.quiet && (self.first || region.side != Side::Ours);
            if tells {
                self.tell(region)?;
            }
            choices.push(self.choice(region, tells)?);
            if tells {
                self.session.line(&[b"============"])?;
            }
        }
        if !choices.is_empty() && !self.how.details.quiet {
            self.session.line(&[b"============"])?;
        }
        Ok(choices)
    }

    fn tell(&mut self, region: &Region) -> Result<(), CommandError> {
        let merge = self.merge;
        for (side, lines, number) in [
            (Side::Theirs, (merge.theirs(region), &region.theirs), self.theirs),
            (Side::Ours, (merge.ours(region), &region.ours), self.ours),
        ] {
            if region.side == Side::Conflict || region.side == side {
                let change = Change { before: region.base.clone(), after: lines.1.clone() };
                let of = format!(" file {number}");
                let format = if self.how.format == Format::Diff { Format::Serial } else { self.how.format };
                let texts = (merge.base(region), lines.0);
                let told = difference(format, self.how.details.headers_only, &change, texts, &of);
                self.session.write(&[&told])?;
            }
        }
        Ok(())
    }

    fn choice(&mut self, region: &Region, tells: bool) -> Result<Choice, CommandError> {
        let (lines, number, own) = match region.side {
            Side::Ours => (&region.ours, self.ours, Choice::Ours),
            _ => (&region.theirs, self.theirs, Choice::Theirs),
        };
        let what = match (region.base.is_empty(), lines.is_empty()) {
            (true, _) => "INSERTION",
            (_, true) => "DELETION",
            _ => "CHANGE",
        };
        let asks_all = matches!(self.how.asking, Asking::Always | Asking::NotTrivial);
        if region.side != Side::Conflict {
            let is_mine = region.side == Side::Ours && !self.first;
            if !asks_all || is_mine {
                if tells {
                    let lines = numbers(lines, "-");
                    self.session.line(&[format!(
                        "*** Automatic: Applying {what} from file {number} [lines {lines}]"
                    )
                    .as_bytes()])?;
                }
                return Ok(own);
            }
            let question = format!("Do you want the {what} made in file {number}?");
            return Ok(match ask(self.session, &question, true)? {
                Some(false) => Choice::Base,
                Some(true) | None => own,
            });
        }
        if self.how.asking == Asking::Never {
            if tells {
                self.session.line(&[b"*** Not resolved: the lines of all files are marked in the output"])?;
            }
            return Ok(Choice::Marked);
        }
        let question = |number: usize| format!("Do you want the CHANGE made in file {number}?");
        let Some(theirs) = ask(self.session, &question(self.theirs), true)? else {
            return Ok(Choice::Marked);
        };
        let Some(ours) = ask(self.session, &question(self.ours), !theirs)? else { return Ok(Choice::Marked) };
        Ok(match (theirs, ours) {
            (true, true) => Choice::Both,
            (true, false) => Choice::Theirs,
            (false, true) => Choice::Ours,
            (false, false) => Choice::Base,
        })
    }
}

/// Asks a question; no answer where the input is at its end.
fn ask(session: &mut Session, question: &str, default: bool) -> Result<Option<bool>, CommandError> {
    loop {
        let hint: &[u8] = if default { b" [yes] " } else { b" [no] " };
        session.write(&[question.as_bytes(), hint])?;
        session.flush()?;
        let Some(answer) = session.read_line()? else {
            session.line(&[])?;
            return Ok(None);
        };
        match String::from_utf8_lossy(&answer).trim().to_ascii_lowercase().as_str() {
            "" => return Ok(Some(default)),
            answer if "yes".starts_with(answer) => return Ok(Some(true)),
            answer if "no".starts_with(answer) => return Ok(Some(false)),
            _ => session.line(&[b"Please answer with one of the following: yes, no"])?,
        }
    }
}

// ---- Files --------------------------------------------------------------------------------------------------------

/// Copies what the target holds to `NAME.contrib`, or to the next number that is free; answers that name.
fn keep_contributor(target: &Contributor) -> Result<Vec<u8>, CommandError> {
    let failed = |error: &io::Error, name: &[u8]| {
        let reason = system_text(error);
        CommandError::refused([b"Unable to write \"", name, b"\": ", reason.as_bytes(), b"."].concat())
    };
    let mut name = [&target.name[..], b".contrib"].concat();
    for attempt in 1u32.. {
        let path = Path::new(OsStr::from_bytes(&name));
        match std::fs::File::create_new(path) {
            Ok(_) => {
                std::fs::copy(&target.path, path).map_err(|error| failed(&error, &name))?;
                return Ok(name);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                name = [&target.name[..], format!(".contrib.{attempt}").as_bytes()].concat();
            }
            Err(error) => return Err(failed(&error, &name)),
        }
    }
    Err(failed(&io::ErrorKind::AlreadyExists.into(), &name))
}

/// A directory for the files of a merge tool, which goes when it is done.
struct Workshop(PathBuf);

impl Workshop {
    fn new() -> io::Result<Workshop> {
        use std::os::unix::fs::DirBuilderExt;
        let make = |path: &Path| std::fs::DirBuilder::new().mode(0o700).create(path);
        Ok(Workshop(temporary::make("cleartool-merge", "", make)?.0))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left there does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Has the user's program merge; answers its text, and whether conflicts are left: those that are still marked, or all
/// where the program failed or changed nothing.
fn with_tool(
    session: &mut Session,
    [base, target, source]: [&Contributor; 3],
    (ours, marked): (&[u8], &[u8]),
    conflicts: usize,
) -> Result<(Vec<u8>, usize), CommandError> {
    let tool = merge_tool::merger().unwrap_or_default();
    let cannot = |error: &io::Error| {
        CommandError::refused(format!("Unable to write a temporary file: {}.", system_text(error)))
    };
    let shop = Workshop::new().map_err(|error| cannot(&error))?;
    let leaf = Path::new(&target.path).file_name().unwrap_or(OsStr::new("file"));
    let place = |kind: &str| {
        let directory = shop.0.join(kind);
        std::fs::create_dir(&directory).map(|()| directory.join(leaf))
    };
    let (merged, local) = (place("merged").map_err(|e| cannot(&e))?, place("local").map_err(|e| cannot(&e))?);
    std::fs::write(&merged, marked)
        .and_then(|()| std::fs::write(&local, ours))
        .map_err(|error| cannot(&error))?;
    let files = Files {
        base: Path::new(&base.path),
        local: &local,
        remote: Path::new(&source.path),
        merged: &merged,
    };
    let succeeded = merge_tool::merge(session, &tool, &files)?;
    let text = std::fs::read(&merged).map_err(|error| cannot(&error))?;
    let is_marked = |line: &&[u8]| line.starts_with(b"<<<<<<< file ");
    let left = crate::merge::text::lines(&text).iter().filter(|line| is_marked(line)).count();
    match succeeded {
        true => Ok((text, left)),
        false => Ok((marked.to_vec(), conflicts.max(1))),
    }
}
