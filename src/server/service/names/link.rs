//! ln: further names of elements, and VOB symbolic links.

use super::edits::{Edits, NotCheckedOut, Opened};
use super::told;
use super::twins::{look_back, refuse_twin};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::service::left_copy::{At, Differing, may_have_left};
use crate::server::service::slot::Slot;
use crate::server::state::{Outcome, Server};
use crate::view::Found;
use crate::view::history::Place;
use crate::view::inode::VobIndex;
use crate::vob::{ElementKind, ElementNo, Entry};

/// Bytes that the text of a symbolic link may have: PATH_MAX (include/uapi/linux/limits.h)
/// counts the NUL.
const TEXT_MAX: usize = 4095;

/// What a new name leads to.
enum Leads {
    Hard(VobIndex, Entry),
    Symbolic(Vec<u8>),
}

struct Link {
    slot: Slot,
    leads: Leads,
    typed: Vec<u8>,
}

impl Server {
    pub(in super::super) fn link_names(
        &self,
        caller: &Caller,
        request: &LinkNamesRequest,
    ) -> Outcome<NamesReply> {
        let context = Server::context(&request.context)?;
        let destination = self.destination(context, &request.target, request.sources.len())?;
        let leaf =
            |source: &Pname| link_leaf(if request.symbolic { &source.typed } else { &source.absolute });
        let typed: Vec<Vec<u8>> =
            request.sources.iter().map(|source| destination.typed(&leaf(source))).collect();
        let links: Vec<Outcome<Link>> = request
            .sources
            .iter()
            .zip(&typed)
            .map(|(source, typed)| {
                let leads = match request.symbolic {
                    true => symbolic(&source.typed)?,
                    false => self.hard(context, source).map_err(|failure| about(failure, &source.typed))?,
                };
                let slot = destination.slot(self, context, &leaf(source))?;
                look_back(&slot)?;
                Ok(Link { slot, leads, typed: typed.clone() })
            })
            .collect();
        let linked = self.edit_names(
            (caller, context, &request.comment),
            &links,
            |link| &link.slot,
            |edits, link| self.plan_link(caller, edits, link, request),
        );
        let outcome = |((linked, link), typed): ((Outcome<()>, &Outcome<Link>), Vec<u8>)| {
            let notices = linked.and_then(|()| match link {
                Ok(link) => self.uncover(link),
                Err(_) => Ok(Vec::new()),
            });
            told(notices, typed)
        };
        Ok(NamesReply { outcomes: linked.into_iter().zip(&links).zip(typed).map(outcome).collect() })
    }

    /// Finds what a hard link is to lead to: also what a directory version catalogs, to bring a
    /// removed name back.
    fn hard(&self, context: &Context, source: &Pname) -> Outcome<Leads> {
        let (_, resolved) = self.resolve(context, source)?;
        let entry = match resolved.found {
            Found::Element { element, .. } => Entry::Element(element.number),
            Found::History(Place::Element(number)) => Entry::Element(number),
            Found::Symlink(number) | Found::History(Place::Symlink(number)) => Entry::Symlink(number),
            Found::History(_) => return Err(Failure::new(FailureCode::VersionNameNotAllowed)),
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
        };
        if matches!(entry, Entry::Element(ElementNo::LOST_AND_FOUND)) {
            return Err(Failure::new(FailureCode::FixedName));
        }
        Ok(Leads::Hard(resolved.vob.index, entry))
    }

    /// What `rmname` left at the name of a checked-out file makes way for the file.
    fn uncover(&self, link: &Link) -> Outcome<Vec<Notice>> {
        let Link { slot, leads: Leads::Hard(_, Entry::Element(number)), typed } = link else {
            return Ok(Vec::new());
        };
        let Slot { view, vob, directory, leaf, .. } = slot;
        let at = At { view, vob, directory: *directory, leaf };
        let saved = self.settle_left_copy(&at, &*vob.element(*number)?, Differing::Saved)?;
        if saved.is_empty() {
            return Ok(Vec::new());
        }
        let before = typed.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let name = [&typed[..before], &saved].concat();
        Ok(vec![Notice { code: NoticeCode::MovedAside.into(), name, ..Notice::default() }])
    }

    fn plan_link(
        &self,
        caller: &Caller,
        edits: &mut Edits<'_>,
        link: &Link,
        request: &LinkNamesRequest,
    ) -> Outcome<()> {
        let Link { slot, leads, typed } = link;
        let otherwise = if request.in_place { NotCheckedOut::InPlace } else { NotCheckedOut::Refuse };
        let opened = edits.open(self, caller, slot, otherwise)?;
        let leaf = String::from_utf8_lossy(&slot.leaf);
        let (entry, note) = match leads {
            Leads::Symbolic(text) => {
                let before = edits.catalog(opened)?.get(&slot.leaf);
                let replaces = request.replace && matches!(before, Some(Entry::Symlink(_)));
                if !replaces {
                    edits.refuse_taken(opened, slot)?;
                }
                let verb = if replaces { "Replaced" } else { "Added" };
                (edits.make_symlink(&slot.leaf, text), format!("{verb} symbolic link \"{leaf}\"."))
            }
            Leads::Hard(vob, entry) => {
                if *vob != slot.vob.index {
                    return Err(Failure::new(FailureCode::LinkAcrossVobs));
                }
                if !left_by_rmname(edits, slot, *entry)? {
                    edits.refuse_taken(opened, slot)?;
                } else if edits.catalog(opened)?.get(&slot.leaf).is_some() {
                    return Err(Failure::new(FailureCode::EntryExists));
                }
                self.check_element_link(edits, opened, slot, *entry, typed)?;
                (*entry, format!("Added hard link \"{leaf}\"."))
            }
        };
        edits.change(opened, &slot.leaf, Some(entry), note)
    }

    fn check_element_link(
        &self,
        edits: &Edits<'_>,
        opened: Opened,
        slot: &Slot,
        entry: Entry,
        typed: &[u8],
    ) -> Outcome<()> {
        let Entry::Element(number) = entry else {
            return Ok(());
        };
        let element = edits.element(number)?;
        if element.kind == ElementKind::Directory && edits.is_inside(slot.directory, number)? {
            return Err(Failure::new(FailureCode::DirectoryInItself).name(typed));
        }
        let directory = edits.element(slot.directory)?;
        refuse_twin(edits.store, (&directory, &*edits.catalog(opened)?), &slot.leaf, Some(number))
    }
}

/// Tells whether the private file at a name is what `rmname` left of the element that the name is to lead to.
fn left_by_rmname(edits: &Edits<'_>, slot: &Slot, entry: Entry) -> Outcome<bool> {
    let Entry::Element(number) = entry else { return Ok(false) };
    let element = edits.element(number)?;
    let is_file = slot.private().symlink_metadata().is_ok_and(|found| found.is_file());
    Ok(is_file && may_have_left(edits.view, &element, slot.directory, &slot.leaf))
}

fn symbolic(text: &[u8]) -> Outcome<Leads> {
    match text.len() {
        0 => Err(Failure::new(FailureCode::EmptyLinkText)),
        1..=TEXT_MAX => Ok(Leads::Symbolic(text.to_vec())),
        _ => Err(Failure::new(FailureCode::NameTooLong)),
    }
}

fn about(failure: Failure, pname: &[u8]) -> Failure {
    if failure.name.is_empty() { failure.name(pname) } else { failure }
}

/// The name that a link gets in a directory: the last one of what it leads to.
fn link_leaf(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let leaf = path[..end].rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    leaf.strip_suffix(b"@@").unwrap_or(leaf).to_vec()
}
