//! `clerestory vtree` and `lsvtree -graphical`: version trees as pictures.
//!
//! Here is the order of work: the rows are those that `lsvtree` lists, `tree` joins them, `layout` gives everything a
//! place, `svg` and `page` draw it, `terminal` writes it as text. All but this file is pure.

mod layout;
mod page;
mod svg;
mod terminal;
mod tree;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::failure;
use super::format::{Facts, Format};
use super::lsvtree::Choice;
use super::pname::without_version;
use super::session::{CommandError, CommandResult, Outcome, Session, system_text};
use super::temporary;
use crate::server::proto::VersionTreeRequest;
use crate::server::proto::version_tree_item::Item;
use tree::Tree;

/// The program that shows pages, if the user chose one.
const BROWSER: &str = "CLERESTORY_BROWSER";

/// What a node tells when it is pointed at: when, who, and the comment.
const ABOUT: &[u8] = b"%d %Fu (%u)\\n%Nc";

/// How a tree is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lines of text.
    Terminal,
    /// A picture.
    Svg,
    /// A page with a picture that can be searched and zoomed.
    Html,
}

/// Which trees, and what of them.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Names of elements, branches or versions.
    pub paths: &'a [OsString],
    /// Which rows are drawn.
    pub choice: Choice,
    /// Where the tree begins; empty: at its first branch.
    pub branch: Vec<u8>,
    /// Without what sprouts from there.
    pub no_recurse: bool,
    /// How it is told that something has no tree.
    pub complain: fn(&mut Session, &[u8]),
}

/// Draws trees to a file, or to standard output.
///
/// # Errors
/// The daemon cannot be asked, or the output cannot be written.
pub fn draw(session: &mut Session, wanted: &Wanted<'_>, form: Form, output: Option<&Path>) -> CommandResult {
    let (trees, all_done) = read(session, wanted)?;
    if trees.is_empty() {
        return Ok(Outcome::Failed);
    }
    let text = match form {
        Form::Terminal => terminal::text(&trees, output.is_none() && is_in_colour()),
        Form::Svg => svg::document(&layout::place(&trees)).into_bytes(),
        Form::Html => page::html(&trees).into_bytes(),
    };
    match output {
        None => session.write(&[&text])?,
        Some(path) => std::fs::write(path, text).map_err(|error| unwritable(path, &error))?,
    }
    Ok(Outcome::of(all_done))
}

/// Writes a page of its own and has a browser show it; without one, tells where it is.
///
/// # Errors
/// As [`draw`], or the browser cannot be started.
pub fn show(session: &mut Session, wanted: &Wanted<'_>) -> CommandResult {
    let (trees, all_done) = read(session, wanted)?;
    if trees.is_empty() {
        return Ok(Outcome::Failed);
    }
    let path = write_temporary(page::html(&trees).as_bytes())?;
    match browser() {
        None => session.line(&[b"Version tree written to \"", path.as_os_str().as_bytes(), b"\"."])?,
        Some(browser) => {
            session.flush()?;
            let mut process = Command::new(&browser);
            // A browser stays; what it says is of no interest to who asked for a tree.
            process.arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            process.spawn().map_err(|error| {
                let reason = system_text(&error);
                let begin = [b"Unable to run \"", browser.as_bytes(), b"\": ", reason.as_bytes()].concat();
                let end = [b". The version tree is in \"", path.as_os_str().as_bytes(), b"\"."].concat();
                CommandError::refused([begin, end].concat())
            })?;
        }
    }
    Ok(Outcome::of(all_done))
}

/// Reads the trees; tells whether every argument has one.
fn read(session: &mut Session, wanted: &Wanted<'_>) -> Result<(Vec<Tree>, bool), CommandError> {
    let request = VersionTreeRequest {
        context: Some(session.context()?),
        pnames: session.pnames(wanted.paths)?,
        branch: wanted.branch.clone(),
        no_recurse: wanted.no_recurse,
        describe: true,
    };
    let names: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let name = |argument: u32| names.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let about = Format::parse(ABOUT).map_err(|error| CommandError::refused(error.complaint))?;
    let mut trees: Vec<(u32, Tree)> = Vec::new();
    let mut all_done = true;
    let mut stream = session.call(async |mut host| host.version_tree(request).await)?;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Row(row)) => {
                let typed = without_version(name(row.argument));
                if trees.last().is_none_or(|(argument, _)| *argument != row.argument) {
                    trees.push((row.argument, Tree::new(typed)));
                }
                let told = about.print(&Facts::of_tree_row(row.clone(), typed), &session.dates);
                if let Some((_, tree)) = trees.last_mut() {
                    tree.push(row, told, wanted.choice);
                }
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                let failure = failed.failure.unwrap_or_default();
                for sentence in failure::sentences(&failure, name(failed.argument), None) {
                    (wanted.complain)(session, &sentence);
                }
            }
            None => {}
        }
    }
    Ok((trees.into_iter().map(|(_, tree)| tree.finish()).collect(), all_done))
}

/// Colours are for people at a terminal that has them (no-color.org).
fn is_in_colour() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The user's own, or on a display the desktop's.
fn browser() -> Option<OsString> {
    if let Some(chosen) = std::env::var_os(BROWSER).filter(|value| !value.is_empty()) {
        return Some(chosen);
    }
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let path = std::env::var_os("PATH").filter(|_| has_display)?;
    std::env::split_paths(&path)
        .map(|directory| directory.join("xdg-open"))
        .find(|program| program.is_file())
        .map(Into::into)
}

/// A file of the user's alone that was not there before.
fn write_temporary(text: &[u8]) -> Result<PathBuf, CommandError> {
    let make = |path: &Path| std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let made = temporary::make("clerestory-vtree", ".html", make);
    let (path, mut file) = made.map_err(|error| unwritable(&std::env::temp_dir(), &error))?;
    match file.write_all(text) {
        Ok(()) => Ok(path),
        Err(error) => {
            let _ = std::fs::remove_file(&path);
            Err(unwritable(&path, &error))
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    let path: &OsStr = path.as_os_str();
    let reason = system_text(error);
    CommandError::refused([b"Unable to write \"", path.as_bytes(), b"\": ", reason.as_bytes(), b"."].concat())
}
