//! Why a name is seen, or is not: follows a path through what a view selects, and keeps for every choice on it which
//! rule decided and why the rules before it did not.
//!
//! Looks and remembers nothing: a view's directory states are those of the mount, and asking for an explanation must
//! not change by which path a directory was reached. Knows no words.

mod absence;
mod walk;

pub use absence::{Search, Sighting, VERSIONS_READ_MAX};

use super::history::Place;
use super::host::{Host, MountedVob};
use super::live::View;
use super::resolve::NotFound;
use crate::vob::apply::DirectoryAt;
use crate::vob::{Element, SymlinkNo, VersionNo};
use clerestory_specs::{BoundSpec, Miss, PathState, RuleIndex};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use walk::{Reached, Walk};

/// Symbolic links followed on one path, as many as the kernel follows (path_resolution(7)).
pub const LINKS_MAX: usize = 40;

/// Why a view shows what it shows at a path.
#[derive(Clone)]
pub struct Explanation {
    /// The VOB.
    pub vob: Arc<MountedVob>,
    /// The config spec in force, bound to the VOB: what rule numbers refer to.
    pub bound: Arc<BoundSpec>,
    /// What is explained: a path in the view that begins with the VOB's tag.
    pub path: Vec<u8>,
    /// What the path asked for has after `path`; not empty when a name on the way is the reason.
    pub below: Vec<u8>,
    /// Symbolic links that were followed to get there: their paths, and what they point to.
    pub links: Vec<(Vec<u8>, Vec<u8>)>,
    /// What is there, and why.
    pub finding: Finding,
}

/// What is at a path.
#[derive(Clone)]
pub enum Finding {
    /// A name that the directory version shown catalogs.
    Catalogued(Catalogued),
    /// A private object.
    Private {
        /// Where it is on the host.
        path: PathBuf,
        /// What the host says of it.
        stat: Box<rustix::fs::Stat>,
        /// What it hides.
        hides: Option<Box<Catalogued>>,
    },
    /// A place below `@@`, where no rule is asked.
    History(Place),
    /// A name that the directory version shown does not catalog, but another one does, or may.
    Absent {
        /// The directory.
        directory: Box<Choice>,
        /// Where the name is catalogued.
        search: Search,
    },
}

/// A catalogued name's object, and what the rules make of it.
#[derive(Clone)]
pub enum Catalogued {
    /// An element.
    Element(Box<Choice>),
    /// A VOB symbolic link: shown if some rule's pattern matches.
    Symlink {
        /// The link.
        number: SymlinkNo,
        /// The first rule whose pattern matches.
        rule: Option<RuleIndex>,
        /// Why the rules before it do not.
        misses: Vec<Miss>,
    },
}

/// What the rules select of an element.
#[derive(Clone)]
pub struct Choice {
    /// The element.
    pub element: Arc<Element>,
    /// Which patterns match the path by which it was reached.
    pub path: PathState,
    /// What of it is shown.
    pub verdict: Verdict,
    /// The rule that decided.
    pub rule: Option<RuleIndex>,
    /// Why the rules before it did not; with no rule, one miss for each.
    pub misses: Vec<Miss>,
    /// For a file checked out to the view: whether its data is there.
    pub has_data: bool,
}

/// What is shown of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A version.
    Version(VersionNo),
    /// The view's checkout.
    CheckedOut,
    /// Nothing.
    Nothing,
    /// An error, because a rule says so.
    ErrorRule,
    /// An error, because the rule fits several versions.
    Ambiguous {
        /// Those versions, in the order they were made.
        candidates: Vec<VersionNo>,
    },
}

impl Choice {
    /// Which catalog a directory element shows; none where nothing is selected.
    pub fn catalog_at(&self, view: &View) -> Option<DirectoryAt> {
        match self.verdict {
            Verdict::Version(version) => Some(DirectoryAt::Version(version)),
            Verdict::CheckedOut => {
                let own = self.element.checkout_of(&view.uuid());
                own.map(|checkout| DirectoryAt::CheckedOut(checkout.number))
            }
            Verdict::Nothing | Verdict::ErrorRule | Verdict::Ambiguous { .. } => None,
        }
    }
}

impl Host {
    /// Explains a path inside a view, beginning with a VOB's tag.
    ///
    /// # Errors
    /// See [`NotFound`]. A name that a directory version catalogs, be it another than the one shown, has an
    /// explanation.
    pub fn explain(&self, view: &Arc<View>, path: &[u8]) -> Result<Explanation, NotFound> {
        let (mut path, mut links) = (path.to_vec(), Vec::new());
        let mut behind_link: Option<Explanation> = None;
        loop {
            let Some((vob, rest)) = self.vob_of(&path) else {
                // A link led out of every VOB: the link is the last that can be explained.
                return behind_link.ok_or(NotFound::NotInVob);
            };
            let names: Vec<&[u8]> =
                rest.split(|byte| *byte == b'/').filter(|n| !n.is_empty() && *n != b".").collect();
            let bound = view.bound(&vob);
            let walk = Walk { view, vob: &vob, bound: &bound, names: &names };
            let Reached { names: used, mark, finding } = vob.vob.consistently(|| walk.along())?;
            let of_names =
                |names: &[&[u8]]| names.iter().flat_map(|n| [b"/", *n].concat()).collect::<Vec<u8>>();
            let mut here = [vob.tag.as_bytes(), &of_names(&names[..used])].concat();
            let mut below = of_names(&names[used..]);
            if mark {
                here.truncate(here.len() - MARK.len());
                below = [MARK, &below].concat();
            }
            let next = match &finding {
                Finding::Catalogued(Catalogued::Symlink { number, rule: Some(_), .. })
                    if !below.is_empty() =>
                {
                    let target = vob.vob.symlink(*number)?.target.to_vec();
                    Some((beyond(&here, &target, &below), target))
                }
                _ => None,
            };
            let mut found =
                Explanation { bound, path: here.clone(), below, links: links.clone(), finding, vob };
            match next {
                Some((next, target)) if links.len() < LINKS_MAX => {
                    behind_link = Some(found);
                    links.push((here, target));
                    path = self.without_viewroot(view, next);
                }
                _ => {
                    self.search(view, &mut found)?;
                    return Ok(found);
                }
            }
        }
    }

    /// The path inside the view of an absolute path below its directory.
    fn without_viewroot(&self, view: &View, path: Vec<u8>) -> Vec<u8> {
        let root = self.viewroot.join(&view.tag);
        match path.strip_prefix(root.as_os_str().as_bytes()) {
            Some(inside) if inside.starts_with(b"/") => inside.to_vec(),
            _ => path,
        }
    }

    /// Finds out where a name that is not catalogued is.
    fn search(&self, view: &View, found: &mut Explanation) -> Result<(), NotFound> {
        let Finding::Absent { directory, search } = &mut found.finding else { return Ok(()) };
        let name = found.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let vob = &found.vob;
        let shown = directory.catalog_at(view);
        *search = absence::search(&directory.element, shown, name, VERSIONS_READ_MAX, &|at| {
            vob.vob.directory(directory.element.number, at)
        })?;
        match search.sightings.is_empty() && search.complete {
            true => Err(NotFound::NoSuchName),
            false => Ok(()),
        }
    }
}

/// What separates an element's name from its history.
const MARK: &[u8] = b"@@";

/// The path to which a link at `here` leads, with what follows it; `.` and `..` taken away.
fn beyond(here: &[u8], target: &[u8], below: &[u8]) -> Vec<u8> {
    let directory = here.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |end| &here[..end]);
    let before = if target.starts_with(b"/") { &b""[..] } else { directory };
    let mut names: Vec<&[u8]> = Vec::new();
    for name in before.split(|b| *b == b'/').chain(target.split(|b| *b == b'/')) {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let mut path: Vec<u8> = names.iter().flat_map(|name| [b"/", *name].concat()).collect();
    path.extend_from_slice(below);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_their_directory() {
        for (here, target, below, expected) in [
            ("/vobs/p/a/link", "b", "/c", "/vobs/p/a/b/c"),
            ("/vobs/p/a/link", "../x/./y", "", "/vobs/p/x/y"),
            ("/vobs/p/link", "/vobs/q", "/c@@/main/1", "/vobs/q/c@@/main/1"),
            ("/vobs/p/link", "../../../..", "/c", "/c"),
        ] {
            let found = beyond(here.as_bytes(), target.as_bytes(), below.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), expected, "{here} {target}");
        }
    }
}
