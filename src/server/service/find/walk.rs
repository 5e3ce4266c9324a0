//! Trees: what is visible below a name, in the order of names, a directory before or behind what is in it.

use super::criteria::{Asked, Criteria};
use super::places::private_names;
use super::{Finder, Rows, Typed, as_element};
use crate::server::proto::{Failure, FailureCode, FindRequest, FindRow, FindScope, ObjectKind, Pname};
use crate::server::service::facts::{self, join};
use crate::server::service::meant::{LINKS_MAX, joined};
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::inode::VobIndex;
use crate::view::{DirectoryState, Found, MountedVob, Shown, View};
use crate::vob::{Element, ElementKind, ElementNo, Entry, SymlinkNo};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

impl Finder<'_> {
    /// Searches what the arguments name.
    pub(super) fn arguments(&mut self) {
        for (argument, pname) in (0..).zip(&self.request.pnames) {
            if let Err(failure) = self.argument(pname) {
                self.rows.failure(argument, failure);
            }
            if !self.rows.goes_on {
                return;
            }
        }
    }

    fn argument(&mut self, pname: &Pname) -> Outcome<()> {
        let (view, inside) = self.server.place(self.context, pname)?;
        let resolved = self.server.host.resolve(&view, inside)?;
        let Finder { server, request, criteria, rows, .. } = self;
        let above = facts::above(&pname.absolute, inside).to_vec();
        let (asked, seen) = Default::default();
        let criteria = &*criteria;
        let typed = Typed::of(pname);
        let mut walk = Walk {
            server,
            request,
            criteria,
            rows,
            view: &view,
            above,
            typed,
            asked,
            seen,
            levels: Vec::new(),
        };
        let vob = &resolved.vob;
        let asked = walk.asked(vob);
        if let Some(missing) = asked.missing_type() {
            return Err(missing);
        }
        let name = walk.typed.name(&pname.absolute);
        let leaf = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        let at = Name { leaf, name, inside: inside.to_vec() };
        match resolved.found {
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(link) => walk.link(&asked, at, link)?,
            Found::Element { element, shown, .. } => {
                let state = match is_visible(shown) && element.kind == ElementKind::Directory {
                    true => Some(view.directory(vob, element.number)?),
                    false => None,
                };
                let name = as_element(at.name.clone(), element.number == ElementNo::ROOT);
                walk.element(&asked, at, name, &element, Some(shown), state)?;
            }
            Found::History(Place::Element(number)) => {
                let name = at.name.strip_suffix(b"@@").map(<[u8]>::to_vec).unwrap_or(at.name.clone());
                let leaf = at.leaf.strip_suffix(b"@@").map(<[u8]>::to_vec).unwrap_or(at.leaf.clone());
                let element = vob.element(number)?;
                walk.element(&asked, Name { leaf, ..at }, name, &element, None, None)?;
            }
            Found::History(_) => return Err(Failure::new(FailureCode::VersionNameNotAllowed)),
        }
        walk.rest()
    }
}

fn is_visible(shown: Shown) -> bool {
    matches!(shown, Shown::Version(..) | Shown::CheckedOut(_))
}

/// A name on the way.
struct Name {
    /// The last component, as patterns see it.
    leaf: Vec<u8>,
    /// As the user would write it.
    name: Vec<u8>,
    /// The path in the view, beginning with the VOB's tag.
    inside: Vec<u8>,
}

/// A directory of which names are still to come.
struct Level<'a> {
    asked: Rc<Asked<'a>>,
    state: Arc<DirectoryState>,
    name: Vec<u8>,
    inside: Vec<u8>,
    names: std::vec::IntoIter<(Vec<u8>, Entry)>,
    /// What was found of the directory itself, if that comes behind what is in it.
    behind: Vec<FindRow>,
}

struct Walk<'f, 'a> {
    server: &'f Server,
    request: &'f FindRequest,
    criteria: &'f Criteria<'a>,
    rows: &'f mut Rows<'a>,
    view: &'f Arc<View>,
    above: Vec<u8>,
    typed: Typed,
    asked: HashMap<VobIndex, Rc<Asked<'f>>>,
    /// With links followed, directories are entered once.
    seen: HashSet<(VobIndex, ElementNo)>,
    levels: Vec<Level<'f>>,
}

impl<'f> Walk<'f, '_> {
    /// What is looked for in a VOB that the walk comes to.
    fn asked(&mut self, vob: &Arc<MountedVob>) -> Rc<Asked<'f>> {
        let (criteria, view) = (self.criteria, self.view);
        let asked = self.asked.entry(vob.index);
        Rc::clone(asked.or_insert_with(|| Rc::new(Asked::new(criteria, vob, Some(view)))))
    }

    /// Goes through the directories that were entered.
    fn rest(&mut self) -> Outcome<()> {
        while let Some(level) = self.levels.last_mut() {
            let Some((leaf, entry)) = level.names.next() else {
                let done = self.levels.pop();
                done.into_iter().flat_map(|level| level.behind).for_each(|row| self.rows.push(row));
                continue;
            };
            let at = Name { name: join(&level.name, &leaf), inside: join(&level.inside, &leaf), leaf };
            let (asked, above) = (Rc::clone(&level.asked), Arc::clone(&level.state));
            let bound = self.view.bound(&asked.vob);
            let path = bound.descend(&above.path, &at.leaf);
            match entry {
                Entry::Symlink(link) => {
                    if bound.any_rule_matches(&path) {
                        self.link(&asked, at, link)?;
                    }
                }
                Entry::Element(number) => {
                    let Some(element) = asked.vob.vob.element(number)? else { continue };
                    let shown = self.view.select(&asked.vob, &path, &element);
                    if !is_visible(shown) {
                        continue;
                    }
                    let goes_in = element.kind == ElementKind::Directory
                        && self.request.scope() == FindScope::Tree
                        && !self.is_inside(&asked, number);
                    let state = match goes_in {
                        true => Some(facts::enter(self.view, &asked.vob, &above, &at.leaf, number)?),
                        false => None,
                    };
                    let name = at.name.clone();
                    self.element(&asked, at, name, &element, Some(shown), state)?;
                }
            }
            if !self.rows.pause() {
                break;
            }
        }
        Ok(())
    }

    /// Tells whether the walk is in a directory: a link can lead in a circle, and so can hard links at different
    /// times.
    fn is_inside(&self, asked: &Asked<'_>, number: ElementNo) -> bool {
        let is = |level: &Level<'_>| {
            level.state.element.number == number && level.asked.vob.index == asked.vob.index
        };
        self.levels.iter().any(is)
    }

    /// Tells what is found of an element, and enters a directory. `called` is its name before `@@`.
    fn element(
        &mut self,
        asked: &Rc<Asked<'f>>,
        at: Name,
        called: Vec<u8>,
        element: &Element,
        shown: Option<Shown>,
        state: Option<Arc<DirectoryState>>,
    ) -> Outcome<()> {
        let mut found = Vec::new();
        if self.criteria.fits(&at.leaf) && asked.admits(element)? {
            for object in asked.objects(element, shown)? {
                let (name, kind) = (called.clone(), object.kind.into());
                found.push(FindRow { name, kind, extension: object.extension });
            }
        }
        let enters = self.request.scope() != FindScope::Object;
        let state = state.filter(|_| enters);
        let state =
            state.filter(|_| !self.request.follow || self.seen.insert((asked.vob.index, element.number)));
        let behind = match (&state, self.request.depth_first) {
            (Some(_), true) => found,
            _ => {
                found.into_iter().for_each(|row| self.rows.push(row));
                Vec::new()
            }
        };
        if let Some(state) = state {
            let private = private_names(self.view, &state)?;
            let names = state.catalog.iter().filter(|(name, _)| !private.contains(*name));
            let names: Vec<(Vec<u8>, Entry)> = names.map(|(name, entry)| (name.to_vec(), entry)).collect();
            let element_of = |(_, entry): &(Vec<u8>, Entry)| match entry {
                Entry::Element(number) => Some(*number),
                Entry::Symlink(_) => None,
            };
            asked.vob.vob.prefetch(&names.iter().filter_map(element_of).collect::<Vec<_>>())?;
            let Name { name, inside, .. } = at;
            let (asked, names) = (Rc::clone(asked), names.into_iter());
            self.levels.push(Level { asked, state, name, inside, names, behind });
        }
        Ok(())
    }

    /// Tells of a link or, when links are followed, goes on where it leads.
    fn link(&mut self, asked: &Rc<Asked<'f>>, at: Name, link: SymlinkNo) -> Outcome<()> {
        if self.request.follow && self.follow(&asked.vob, &at, link)? {
            return Ok(());
        }
        if asked.admits_links() && self.criteria.fits(&at.leaf) {
            let (kind, extension) = (ObjectKind::SymbolicLink.into(), Vec::new());
            self.rows.push(FindRow { name: at.name, kind, extension });
        }
        Ok(())
    }

    /// Goes on where a link leads. What is in a directory has names that begin with the link's, a file its own.
    /// Tells whether there is anything that the view shows.
    fn follow(&mut self, vob: &Arc<MountedVob>, at: &Name, link: SymlinkNo) -> Outcome<bool> {
        let (mut vob, mut link, mut inside) = (Arc::clone(vob), link, at.inside.clone());
        for _ in 0..LINKS_MAX {
            let target = joined(&inside, &vob.vob.symlink(link)?.target);
            let below = self.server.below_viewroot(&target);
            inside = below.map_or(target.clone(), |(_, path)| path.to_vec());
            let Ok(resolved) = self.server.host.resolve(self.view, &inside) else {
                return Ok(false);
            };
            match resolved.found {
                Found::Symlink(next) => (vob, link) = (resolved.vob, next),
                Found::Element { element, shown, .. } if is_visible(shown) => {
                    let asked = self.asked(&resolved.vob);
                    let is_directory = element.kind == ElementKind::Directory;
                    let goes_in = is_directory && self.request.scope() == FindScope::Tree;
                    let state = match goes_in && !self.is_inside(&asked, element.number) {
                        true => Some(self.view.directory(&resolved.vob, element.number)?),
                        false => None,
                    };
                    let called = match is_directory {
                        true => [&at.name[..], b"/."].concat(),
                        false => self.typed.name(&[&self.above[..], &inside].concat()),
                    };
                    let at = Name { leaf: at.leaf.clone(), name: at.name.clone(), inside };
                    self.element(&asked, at, called, &element, Some(shown), state)?;
                    return Ok(true);
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}
