//! `Describe`: everything that is known of one object.

mod identity;
mod links;
mod object;
mod selected;

pub use identity::Known;
pub use object::{Describer, identity};
pub use selected::{SEARCH_CHUNK, find_hyperlink, not_found, type_object_kind};

use super::comments::{amended, whose_comment};
use super::facts::{self, Names, Told, seconds, told};
use crate::merge::base::closest_common;
use crate::server::identity::Caller;
use crate::server::proto::description::Object;
use crate::server::proto::target::Target as Named;
use crate::server::proto::{
    Attribute, BranchFacts, CheckoutFacts, Context, Created, DescribeRequest, Description, ElementFacts,
    Failure, FailureCode, Identity, Pname, PrivateFacts, PrivateKind, SymbolicLinkFacts, VersionFacts,
};
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::resolve::{branch_id, checkout_id, version_id};
use crate::view::{Found, MountedVob, Resolved, Shown, View};
use crate::vob::apply::DirectoryAt;
use crate::vob::{
    BranchNo, Checkout, Content, Element, ElementKind, EventNo, Part, SymlinkNo, TypeNo, VersionNo,
    VobObject, VobState,
};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

impl Server {
    /// Answers all facts about one object.
    ///
    /// # Errors
    /// If there is no such object, or it cannot be read.
    pub fn describe(&self, caller: &Caller, request: &DescribeRequest) -> Outcome<Description> {
        let context = Self::context(&request.context)?;
        let target = request.target.as_ref().and_then(|target| target.target.as_ref());
        let (object, path, identity) =
            match target.ok_or_else(|| Failure::internal("a call came without its object"))? {
                Named::Pname(pname) => {
                    let (view, resolved) = self.resolve(context, pname)?;
                    let (_, inside) = self.place(context, pname)?;
                    let names = Names::new(Some(&view), &resolved.vob, facts::above(&pname.absolute, inside));
                    let found = match request.others.is_empty() {
                        true => self.another(caller, &view, request, &resolved)?.unwrap_or(resolved.found),
                        false => self.ancestor(context, request, &resolved.vob)?,
                    };
                    let mut subject = self.subject(&resolved.vob, names);
                    subject.inherited = request.inherited_hyperlinks;
                    (subject.found(&view, caller, &found)?, Vec::new(), subject.identity)
                }
                Named::Selector(selector) => {
                    let typed = selector.vob.clone().unwrap_or_default();
                    let vob = self.selected_vob(context, &typed)?;
                    let view = self.place(context, &typed).ok().map(|(view, _)| view);
                    let names = Names::new(view.as_ref(), &vob, b"");
                    let mut subject = self.subject(&vob, names);
                    let (object, path) = subject.selected(selector)?;
                    (object, path, subject.identity)
                }
            };
        Ok(Description { object: Some(object), path, identity })
    }

    /// Finds the version that was asked for instead of the one that a name means; none where none was.
    fn another(
        &self,
        caller: &Caller,
        view: &View,
        request: &DescribeRequest,
        resolved: &Resolved,
    ) -> Outcome<Option<Found>> {
        let wanted = self.wanted_version(caller, &request.version)?;
        if wanted.is_none() && !request.predecessor {
            return Ok(None);
        }
        let none_selected = || Failure::new(FailureCode::NoVersionSelected);
        let (number, mut version) = match &resolved.found {
            Found::Element { element, shown, .. } => match shown {
                Shown::Version(version, _) => (element.number, Some(*version)),
                // What a checkout was made from is its predecessor.
                Shown::CheckedOut(_) => (element.number, None),
                Shown::Nothing(_) | Shown::Error(_) if wanted.is_some() => (element.number, None),
                Shown::Nothing(_) | Shown::Error(_) => return Err(none_selected()),
            },
            Found::History(place) => match *place {
                Place::Version(number, version) | Place::Directory(number, DirectoryAt::Version(version)) => {
                    (number, Some(version))
                }
                Place::OwnCheckout(number) | Place::Element(number) | Place::Branch(number, _) => {
                    (number, None)
                }
                _ => return Err(Failure::new(FailureCode::NotAnElement)),
            },
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
        };
        let element = resolved.vob.element(number)?;
        if let Some(wanted) = wanted {
            version = Some(wanted.select(&wanted.bind(&resolved.vob), &resolved.vob, &element)?);
        }
        if request.predecessor {
            let checkout = element.checkout_of(&view.uuid());
            version = match version {
                Some(version) => element.version(version).predecessor,
                None => checkout.map(|checkout| checkout.from),
            };
        }
        let version = version.ok_or_else(none_selected)?;
        Ok(Some(Found::History(Place::Version(number, version))))
    }

    /// Finds the closest common ancestor of the objects of a request.
    fn ancestor(&self, context: &Context, request: &DescribeRequest, vob: &MountedVob) -> Outcome<Found> {
        let mut objects = Vec::new();
        let mut of: Option<Arc<Element>> = None;
        for target in request.target.iter().chain(&request.others) {
            let typed = match &target.target {
                Some(Named::Pname(pname)) => pname.typed.clone(),
                Some(Named::Selector(selector)) => selector.name.clone(),
                None => Vec::new(),
            };
            let about = |failure: Failure| match failure.name.is_empty() {
                true => failure.name(typed.as_slice()),
                false => failure,
            };
            let named = self.named(context, &Some(target.clone())).map_err(about)?;
            let object = match (named.object, named.checkout) {
                (VobObject::Element(number), Some(checkout)) => VobObject::CheckOut(number, checkout),
                (object, _) => object,
            };
            let is_version = matches!(object, VobObject::Version(..) | VobObject::CheckOut(..));
            let element = object.element().filter(|_| is_version && named.vob.index == vob.index);
            let other = || Failure::new(FailureCode::NotOfOneElement).name(typed.as_slice());
            let number = element.ok_or_else(other)?;
            match &of {
                None => of = Some(vob.element(number)?),
                Some(element) if element.number != number => return Err(other()),
                Some(_) => {}
            }
            objects.push(object);
        }
        let element = of.ok_or_else(|| Failure::internal("a call came without its object"))?;
        let found = closest_common(&element, &objects);
        let found = found.ok_or_else(|| Failure::new(FailureCode::VersionNotFound))?;
        Ok(Found::History(Place::Version(element.number, found)))
    }

    /// Finds the VOB of a selector.
    ///
    /// # Errors
    /// `NOT_MOUNTED` for the tag of a VOB that is not mounted, `NOT_IN_A_VOB` for what is in none.
    pub(super) fn selected_vob(
        &self,
        context: &crate::server::proto::Context,
        pname: &Pname,
    ) -> Outcome<Arc<MountedVob>> {
        self.vob_of(context, pname).map_err(|failure| {
            let inside = self.below_viewroot(&pname.absolute).map_or(&pname.absolute[..], |(_, path)| path);
            let entries = self.registry.entries();
            match entries.vobs.keys().any(|tag| tag.bytes() == inside) {
                true => Failure::new(FailureCode::NotMounted).name(inside),
                false => failure,
            }
        })
    }

    /// Tells which view holds a checkout, and how.
    pub(super) fn checkout_facts(&self, checkout: &Checkout) -> CheckoutFacts {
        let views = self.host.views();
        let entries = self.registry.entries();
        let uuid = checkout.view.to_string();
        let view = entries.views.iter().find(|(_, entry)| entry.uuid == uuid);
        let mut held_by = CheckoutFacts {
            reserved: checkout.reserved,
            view_tag: facts::view_tag(&views, checkout),
            view_host: self.host_name.clone(),
            view_storage: Vec::new(),
            view_uuid: uuid,
        };
        if let Some((tag, entry)) = view {
            held_by.view_tag = tag.as_str().to_owned();
            held_by.view_storage = entry.storage.as_os_str().as_bytes().to_vec();
        } else if let Some(view) = views.iter().find(|view| view.uuid() == checkout.view) {
            held_by.view_storage = view.storage.dir().as_os_str().as_bytes().to_vec();
        }
        held_by
    }

    fn subject<'a>(&'a self, vob: &'a Arc<MountedVob>, names: Names<'a>) -> Subject<'a> {
        Subject {
            server: self,
            vob,
            state: vob.vob.state(),
            names,
            inherited: false,
            identity: None,
            latest: None,
        }
    }
}

struct Subject<'a> {
    server: &'a Server,
    vob: &'a Arc<MountedVob>,
    state: VobState,
    names: Names<'a>,
    /// Whether hyperlinks of a version's ancestors are told too.
    inherited: bool,
    /// Of what was described last; none where it has none.
    identity: Option<Identity>,
    /// The event that was read last: one command may have made everything that a listing describes.
    latest: Option<(EventNo, Told)>,
}

impl Subject<'_> {
    fn found(&mut self, view: &View, caller: &Caller, found: &Found) -> Outcome<Object> {
        match found {
            Found::Element { element, shown: Shown::Version(version, _), .. } => {
                self.version(element, *version)
            }
            Found::Element { element, shown: Shown::CheckedOut(_), .. } => {
                let own = element.checkout_of(&view.uuid());
                self.checkout(element, own.ok_or_else(|| Failure::new(FailureCode::NoVersionSelected))?)
            }
            Found::Element { .. } => Err(Failure::new(FailureCode::NoVersionSelected)),
            Found::Private { path, stat, .. } => {
                facts::permit_private(view, path, caller, 0)?;
                private(path, stat).map(Object::Private)
            }
            Found::Symlink(number) | Found::History(Place::Symlink(number)) => self.symbolic_link(*number),
            Found::History(place) => self.place(view, *place),
        }
    }

    fn place(&mut self, view: &View, place: Place) -> Outcome<Object> {
        let gone = || Failure::new(FailureCode::NoSuchFile);
        match place {
            Place::Element(number) => self.element(&*self.vob.element(number)?),
            Place::Branch(number, branch) => self.branch(&*self.vob.element(number)?, branch),
            Place::Directory(number, DirectoryAt::Version(version)) | Place::Version(number, version) => {
                self.version(&*self.vob.element(number)?, version)
            }
            Place::Directory(number, DirectoryAt::CheckedOut(checkout))
            | Place::OtherCheckout(number, checkout) => {
                let element = self.vob.element(number)?;
                let held = element.checkouts.iter().find(|held| held.number == checkout);
                self.checkout(&element, held.ok_or_else(gone)?)
            }
            Place::OwnCheckout(number) => {
                let element = self.vob.element(number)?;
                self.checkout(&element, element.checkout_of(&view.uuid()).ok_or_else(gone)?)
            }
            Place::Symlink(number) => self.symbolic_link(number),
        }
    }

    fn version(&mut self, element: &Element, number: VersionNo) -> Outcome<Object> {
        let version = element.find_version(number).ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
        self.identify(Known::Object(VobObject::Version(element.number, number)), None);
        let made = self.told(version.event)?;
        let label = |label| self.state.type_name(label).as_bytes().to_vec();
        Ok(Object::Version(VersionFacts {
            version: version_id(&self.state, element, number).into_bytes(),
            directory: element.kind == ElementKind::Directory,
            created: Some(self.own(
                element,
                VobObject::Version(element.number, number),
                amended(made.created(), element.annotations(), version.event),
            )),
            protection: Some(facts::element_protection(element, Some(version))),
            element_type: self.element_type(element),
            predecessor: version
                .predecessor
                .map(|before| self.version_id(element, before))
                .unwrap_or_default(),
            labels: element.labels_of(number).map(label).collect(),
            attributes: facts::attributes(
                &self.state,
                element.annotations(),
                Part::Version(number),
                made.attributes,
            ),
            hyperlinks: self.version_links(element, number)?,
            checkout: None,
            oid: element.oid.to_string(),
            vob_tag: self.vob.tag.clone().into_bytes(),
            data_removed: version.content == Content::Removed,
        }))
    }

    fn checkout(&mut self, element: &Element, checkout: &Checkout) -> Outcome<Object> {
        self.identify(Known::Object(VobObject::CheckOut(element.number, checkout.number)), None);
        let made = self.told(checkout.event)?;
        let held_by = self.server.checkout_facts(checkout);
        let from = element.versions.get(checkout.from.index());
        Ok(Object::Version(VersionFacts {
            version: checkout_id(&self.state, element, checkout).into_bytes(),
            directory: element.kind == ElementKind::Directory,
            created: Some(Created {
                time_s: seconds(checkout.created_ns),
                person: Some(made.person),
                comment: checkout.comment.clone().into_bytes(),
            }),
            protection: Some(facts::element_protection(element, from)),
            element_type: self.element_type(element),
            predecessor: self.version_id(element, checkout.from),
            hyperlinks: self.checkout_links(element, checkout)?,
            checkout: Some(held_by),
            oid: element.oid.to_string(),
            vob_tag: self.vob.tag.clone().into_bytes(),
            ..VersionFacts::default()
        }))
    }

    fn element(&mut self, element: &Element) -> Outcome<Object> {
        self.identify(Known::Object(VobObject::Element(element.number)), Some(element.oid));
        Ok(Object::Element(ElementFacts {
            directory: element.kind == ElementKind::Directory,
            created: Some(self.created(element, VobObject::Element(element.number), element.event)?),
            protection: Some(facts::element_protection(element, None)),
            element_type: self.element_type(element),
            attributes: self.attached(element, Part::Whole),
            hyperlinks: self.hyperlinks(VobObject::Element(element.number))?,
            oid: element.oid.to_string(),
            vob_tag: self.vob.tag.clone().into_bytes(),
            lock: super::locks::state_of(element.annotations(), Part::Whole).into(),
            triggers: self.type_names(&element.annotations().triggers.attached),
            inherited_triggers: self.type_names(&element.annotations().triggers.inherited),
        }))
    }

    fn type_names(&self, numbers: &[TypeNo]) -> Vec<Vec<u8>> {
        numbers.iter().map(|number| self.state.type_name(*number).as_bytes().to_vec()).collect()
    }

    fn branch(&mut self, element: &Element, number: BranchNo) -> Outcome<Object> {
        let branch = element.find_branch(number).ok_or_else(|| Failure::new(FailureCode::NoSuchFile))?;
        self.identify(Known::Object(VobObject::Branch(element.number, number)), None);
        Ok(Object::Branch(BranchFacts {
            branch: branch_id(&self.state, element, number).into_bytes(),
            branch_type: self.state.type_name(branch.branch_type).as_bytes().to_vec(),
            created: Some(self.created(element, VobObject::Branch(element.number, number), branch.event)?),
            protection: Some(facts::element_protection(element, None)),
            element_type: self.element_type(element),
            branched_from: branch.from.map(|from| self.version_id(element, from)).unwrap_or_default(),
            lock: super::locks::state_of(element.annotations(), Part::Branch(number)).into(),
            attributes: self.attached(element, Part::Branch(number)),
            hyperlinks: self.hyperlinks(VobObject::Branch(element.number, number))?,
        }))
    }

    /// What is recorded of an event.
    fn told(&mut self, event: EventNo) -> Outcome<Told> {
        if self.latest.as_ref().is_none_or(|(known, _)| *known != event) {
            self.latest = Some((event, told(&self.vob.vob, event)?));
        }
        Ok(self.latest.as_ref().map(|(_, told)| told.clone()).unwrap_or_default())
    }

    fn created(&mut self, element: &Element, object: VobObject, event: EventNo) -> Outcome<Created> {
        let created = amended(self.told(event)?.created(), element.annotations(), event);
        Ok(self.own(element, object, created))
    }

    /// Leaves the comment out where it is another object's that the same event made.
    fn own(&self, element: &Element, object: VobObject, created: Created) -> Created {
        match whose_comment(element, object) == object {
            true => created,
            false => Created { comment: Vec::new(), ..created },
        }
    }

    fn symbolic_link(&mut self, number: SymlinkNo) -> Outcome<Object> {
        let link = self.vob.vob.symlink(number)?;
        self.identify(Known::Symlink(number), None);
        let header = &self.state.header;
        Ok(Object::SymbolicLink(SymbolicLinkFacts {
            created: Some(told(&self.vob.vob, link.event)?.created()),
            target: link.target.to_vec(),
            protection: Some(facts::protection(header.owner, header.group, 0o777)),
            hyperlinks: Vec::new(),
        }))
    }

    fn attached(&self, element: &Element, part: Part) -> Vec<Attribute> {
        facts::attributes(&self.state, element.annotations(), part, Vec::new())
    }

    fn version_id(&self, element: &Element, version: VersionNo) -> Vec<u8> {
        version_id(&self.state, element, version).into_bytes()
    }

    fn element_type(&self, element: &Element) -> Vec<u8> {
        self.state.type_name(element.element_type).as_bytes().to_vec()
    }
}

fn private(path: &Path, stat: &rustix::fs::Stat) -> Outcome<PrivateFacts> {
    let kind = match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG => PrivateKind::File,
        libc::S_IFDIR => PrivateKind::Directory,
        libc::S_IFLNK => PrivateKind::SymbolicLink,
        _ => PrivateKind::Other,
    };
    let link_target = match kind {
        PrivateKind::SymbolicLink => {
            let read = std::fs::read_link(path);
            let target = read.map_err(|error| Failure::system(path.as_os_str().as_bytes(), &error))?;
            target.as_os_str().as_bytes().to_vec()
        }
        _ => Vec::new(),
    };
    Ok(PrivateFacts {
        kind: kind.into(),
        modified_s: stat.st_mtime,
        protection: Some(facts::protection(stat.st_uid, stat.st_gid, stat.st_mode)),
        link_target,
    })
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
