//! Descriptions of objects by their numbers, one after another: what listings tell beside their rows.

use super::identity::Known;
use super::selected::hyperlink_name;
use super::{Names, Subject};
use crate::server::proto::description::Object;
use crate::server::proto::{Description, Failure, FailureCode, Identity, Selector, SelectorKind};
use crate::server::state::{Outcome, Server};
use crate::view::MountedVob;
use crate::vob::{Oid, VobObject, VobState};
use std::sync::Arc;

/// Describes objects of one VOB.
pub struct Describer<'a>(Subject<'a>);

impl<'a> Describer<'a> {
    /// Starts; `names` tell how the ends of hyperlinks are called.
    pub fn new(server: &'a Server, vob: &'a Arc<MountedVob>, names: Names<'a>) -> Describer<'a> {
        Describer(server.subject(vob, names))
    }

    /// Tells everything that is known of an object; none where it is gone.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn describe(&mut self, object: VobObject) -> Outcome<Option<Description>> {
        // Types may have come while a listing is on its way.
        self.0.state = self.0.vob.vob.state();
        self.0.identity = None;
        match self.0.known(Known::Object(object)) {
            Ok(told) => Ok(Some(Description {
                object: Some(told),
                path: Vec::new(),
                identity: self.0.identity.take(),
            })),
            Err(failure) if failure.code() == FailureCode::NoSuchFile => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Subject<'_> {
    /// Tells everything that is known of an object.
    pub(super) fn known(&mut self, known: Known) -> Outcome<Object> {
        let gone = || Failure::new(FailureCode::NoSuchFile);
        let number = match known {
            Known::Symlink(number) => return self.symbolic_link(number),
            Known::Hyperlink(number) => {
                let name = hyperlink_name(&self.vob.vob, &self.state, number)?.ok_or_else(gone)?;
                return self.hyperlink(&name);
            }
            Known::Object(VobObject::Vob) => return self.whole_vob(),
            Known::Object(VobObject::Type(number)) => {
                let object = self.state.type_object(number).cloned();
                return self.type_object(&*object.ok_or_else(gone)?);
            }
            Known::Object(object) => object.element().ok_or_else(gone)?,
        };
        let element = self.vob.vob.element(number)?.ok_or_else(gone)?;
        match known {
            Known::Object(VobObject::Branch(_, branch)) => self.branch(&element, branch),
            Known::Object(VobObject::Version(_, version)) => self.version(&element, version),
            Known::Object(VobObject::CheckOut(_, number)) => {
                let held = element.checkouts.iter().find(|held| held.number == number);
                self.checkout(&element, held.ok_or_else(gone)?)
            }
            _ => self.element(&element),
        }
    }

    /// Remembers what is being described.
    pub(super) fn identify(&mut self, known: Known, recorded: Option<Oid>) {
        self.identity = Some(identity(self.vob, &self.state, known, recorded));
    }
}

impl Known {
    /// Finds what a selector by identifier or by number names. What is no element may be gone since.
    ///
    /// # Errors
    /// `NO_SUCH_FILE` where it can name nothing.
    pub fn of_selector(vob: &MountedVob, state: &VobState, selector: &Selector) -> Outcome<Known> {
        let missing = || Failure::new(FailureCode::NoSuchFile);
        let name = String::from_utf8_lossy(&selector.name);
        if selector.kind() == SelectorKind::Dbid {
            return name.parse().ok().and_then(Known::of_dbid).ok_or_else(missing);
        }
        let oid: Oid = name.parse().map_err(|_| missing())?;
        if state.header.oid == Some(oid) {
            return Ok(Known::Object(VobObject::Vob));
        }
        if let Some(known) = Known::of_oid(&vob_oid(vob, state), &oid) {
            return Ok(known);
        }
        let number = vob.vob.element_with_oid(&oid)?.ok_or_else(missing)?;
        Ok(Known::Object(VobObject::Element(number)))
    }
}

/// Tells how clients know an object of a VOB.
pub fn identity(vob: &MountedVob, state: &VobState, known: Known, recorded: Option<Oid>) -> Identity {
    known.identity(&vob_oid(vob, state), &vob.tag, recorded)
}

/// The identifier of a VOB. One that was made before VOBs had any is known by its tag.
fn vob_oid(vob: &MountedVob, state: &VobState) -> Oid {
    state.header.oid.unwrap_or_else(|| Oid::derived(&[vob.tag.as_bytes()]))
}
