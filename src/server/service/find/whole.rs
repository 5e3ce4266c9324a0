//! Whole VOBs: elements by number, page after page of the index, whatever the view shows of them.

use super::criteria::Asked;
use super::places::{NamedLink, Places, Wanted};
use super::{Finder, Typed};
use crate::server::proto::{Failure, FailureCode, FindRow, FindScope, FindVisibility, ObjectKind, Pname};
use crate::server::service::describe::SEARCH_CHUNK;
use crate::server::service::facts;
use crate::server::state::Outcome;
use crate::view::inode::VobIndex;
use crate::view::{MountedVob, View};
use crate::vob::{ElementKind, ElementNo, Entry, SymlinkNo};
use std::collections::HashSet;
use std::sync::Arc;

/// A VOB to be searched, and how names in it are written.
struct Room {
    vob: Arc<MountedVob>,
    view: Option<Arc<View>>,
    above: Vec<u8>,
    typed: Typed,
}

impl Finder<'_> {
    /// Searches the VOBs in which the arguments are, each once.
    pub(super) fn vobs_of_arguments(&mut self) {
        let here = [facts::working_directory(self.context)];
        let pnames = if self.request.pnames.is_empty() { &here } else { &self.request.pnames[..] };
        let mut searched: HashSet<VobIndex> = HashSet::new();
        for (argument, pname) in (0..).zip(pnames) {
            let found = self.room(pname).and_then(|room| match searched.insert(room.vob.index) {
                true => self.whole(&room, true).map(drop),
                false => Ok(()),
            });
            if let Err(failure) = found {
                self.rows.failure(argument, failure);
            }
        }
    }

    fn room(&self, pname: &Pname) -> Outcome<Room> {
        let vob = self.server.selected_vob(self.context, pname)?;
        let place = self.server.place(self.context, pname).ok();
        let above = place.as_ref().map_or(&b""[..], |(_, inside)| facts::above(&pname.absolute, inside));
        let above = above.to_vec();
        Ok(Room { vob, view: place.map(|(view, _)| view), above, typed: Typed::of(pname) })
    }

    /// Searches the VOBs that are named, or all that are mounted.
    pub(super) fn all_vobs(&mut self) {
        let here = facts::working_directory(self.context);
        let view = self.server.place(self.context, &here).ok().map(|(view, _)| view);
        // What the working directory shows is below the view root; a set view's tags are at the top.
        let above = match (&view, self.server.below_viewroot(&here.absolute)) {
            (Some(view), Some(_)) => self.server.root_of(view),
            _ => Vec::new(),
        };
        let mut rooms = Vec::new();
        let mut add = |vob: Arc<MountedVob>| {
            rooms.push(Room { vob, view: view.clone(), above: above.clone(), typed: Typed::default() });
        };
        if self.request.vobs.is_empty() {
            self.server.host.vobs().into_iter().for_each(&mut add);
        }
        for tag in &self.request.vobs {
            let pname = Pname { typed: tag.clone(), absolute: tag.clone() };
            match self.server.selected_vob(self.context, &pname) {
                Ok(vob) => add(vob),
                Err(failure) => self.rows.failure(0, failure.name(tag.clone())),
            }
        }
        let mut lacking = None;
        let mut searched = 0;
        for room in &rooms {
            match self.whole(room, false) {
                Ok(None) => searched += 1,
                Ok(Some(missing)) => lacking = Some(missing),
                Err(failure) => self.rows.failure(0, failure),
            }
        }
        // Where some VOBs have the types that a query names, the others hold nothing that is looked for.
        if let (0, Some(missing)) = (searched, lacking) {
            self.rows.failure(0, missing);
        }
    }

    /// Searches a VOB. Answers the complaint about a type that it lacks, which is an error where it is the only one.
    fn whole(&mut self, room: &Room, only: bool) -> Outcome<Option<Failure>> {
        let Finder { criteria, rows, request, .. } = self;
        let Room { vob, view, above, typed } = room;
        let wanted = match request.visibility() {
            FindVisibility::Any => Wanted::Any,
            FindVisibility::Visible => Wanted::Visible,
            FindVisibility::Invisible => Wanted::Invisible,
        };
        if view.is_none() && (wanted != Wanted::Any || request.current_view) {
            return Err(Failure::new(FailureCode::NoView));
        }
        let criteria = &*criteria;
        let asked = Asked::new(criteria, vob, view.as_ref());
        if let Some(missing) = asked.missing_type() {
            return if only { Err(missing) } else { Ok(Some(missing)) };
        }
        debug_assert!(matches!(request.scope(), FindScope::All | FindScope::AllVobs));
        let fits = |leaf: &[u8]| criteria.fits(leaf);
        let mut places = Places::new(vob, view.as_ref(), above, typed.clone());
        let header = vob.vob.state().header;
        let links_wanted = asked.admits_links() && header.symlinks > 0;
        let mut seen = Links::default();
        let mut directories = Vec::new();
        for first in (0..header.elements).step_by(SEARCH_CHUNK) {
            let end = header.elements.min(first.saturating_add(SEARCH_CHUNK as u32));
            let numbers: Vec<ElementNo> = (first..end).map(ElementNo).collect();
            vob.vob.prefetch(&numbers)?;
            for number in numbers {
                let Some(element) = vob.vob.element(number)? else { continue };
                if asked.admits(&element)? {
                    let known = match asked.asks_view() {
                        false => Some(asked.objects(&element, None)?),
                        true => None,
                    };
                    let nothing = known.as_ref().is_some_and(Vec::is_empty);
                    let named = if nothing { None } else { places.find(&element, wanted, &fits)? };
                    if let Some(named) = named {
                        let objects = match known {
                            Some(objects) => objects,
                            None => asked.objects(&element, named.shown)?,
                        };
                        for object in objects {
                            let (name, kind) = (named.name.clone(), object.kind.into());
                            rows.push(FindRow { name, kind, extension: object.extension });
                        }
                    }
                }
                if links_wanted && element.kind == ElementKind::Directory {
                    directories.push(number);
                    for NamedLink { link, leaf, name, visible } in places.links(number)? {
                        if visible && seen.insert(link) && wanted != Wanted::Invisible && fits(&leaf) {
                            rows.push(link_row(name));
                        }
                    }
                }
                if !rows.goes_on {
                    return Ok(None);
                }
            }
            if !rows.pause() {
                return Ok(None);
            }
        }
        if links_wanted && wanted != Wanted::Visible && seen.count < header.symlinks {
            for number in directories {
                for name in invisible_links(&mut places, vob, number, &mut seen, &fits)? {
                    rows.push(link_row(name));
                }
                if !rows.pause() {
                    break;
                }
            }
        }
        Ok(None)
    }
}

fn link_row(name: Vec<u8>) -> FindRow {
    FindRow { name, kind: ObjectKind::SymbolicLink.into(), extension: Vec::new() }
}

/// The names of links that no name leads to in the view, as far as a directory had them.
fn invisible_links(
    places: &mut Places<'_>,
    vob: &MountedVob,
    number: ElementNo,
    seen: &mut Links,
    fits: &dyn Fn(&[u8]) -> bool,
) -> Outcome<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for NamedLink { link, leaf, name, visible } in places.links(number)? {
        if !visible && fits(&leaf) && seen.insert(link) {
            found.push(name);
        }
    }
    let Some(directory) = vob.vob.element(number)? else { return Ok(found) };
    let last = places.last_versions(&directory)?;
    let links = last.iter().filter_map(|(leaf, entry, _)| match entry {
        Entry::Symlink(link) if fits(leaf) => Some((leaf, link)),
        Entry::Symlink(_) | Entry::Element(_) => None,
    });
    let mut links: Vec<(&[u8], SymlinkNo)> = links.collect();
    links.sort_unstable();
    for (leaf, link) in links {
        if !seen.contains(link)
            && let Some(name) = places.in_version(number, leaf, Entry::Symlink(link))?
        {
            seen.insert(link);
            found.push(name);
        }
    }
    Ok(found)
}

/// The links that were met, a bit for each.
#[derive(Default)]
struct Links {
    bits: Vec<u64>,
    count: u32,
}

impl Links {
    fn contains(&self, link: SymlinkNo) -> bool {
        self.bits.get(link.index() / 64).is_some_and(|bits| bits >> (link.0 % 64) & 1 == 1)
    }

    /// Notes a link; tells whether it was not noted before.
    fn insert(&mut self, link: SymlinkNo) -> bool {
        if self.contains(link) {
            return false;
        }
        let word = link.index() / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (link.0 % 64);
        self.count += 1;
        true
    }
}
