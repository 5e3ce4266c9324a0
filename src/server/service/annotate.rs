//! `Annotate`: with which version each line of a text came.

use super::facts::{self, told};
use super::text_check::may_hold_text;
use crate::merge::base::history;
use crate::merge::origin::{Ever, Origins};
use crate::server::identity::Caller;
use crate::server::proto::{
    AnnotateReply, AnnotateRequest, AnnotatedLine, AnnotatedVersion, Created, Failure, FailureCode,
};
use crate::server::service::target::Target;
use crate::server::state::{Outcome, Server, person};
use crate::store::pool::ContentId;
use crate::view::live::Shown;
use crate::view::resolve::{checkout_id, version_id};
use crate::vob::{Content, Element, ElementKind, VobObject};
use std::collections::HashMap;
use std::sync::Arc;

/// Who may read a file, as one digit of a mode.
const MAY_READ: u32 = 4;

impl Server {
    /// Answers the lines of a version, or of the view's checkout, with their origins.
    ///
    /// # Errors
    /// If it is no text, or the caller may not read it.
    pub(super) fn annotate(&self, caller: &Caller, request: &AnnotateRequest) -> Outcome<AnnotateReply> {
        let context = Server::context(&request.context)?;
        let target = self.target(context, &request.pname)?;
        let (element, state) = (&target.element, target.vob.vob.state());
        let (_, manager) = state.element_type(element.element_type);
        if element.kind == ElementKind::Directory || !may_hold_text(manager) {
            let operation = "annotate".to_owned();
            return Err(
                Failure { operation, ..Failure::new(FailureCode::InvalidManagerOperation) }.name(manager)
            );
        }
        permit_reading(caller, element)?;
        let object = match (target.named, target.shown) {
            (Some(version), _) | (None, Shown::Version(version, _)) => {
                VobObject::Version(element.number, version)
            }
            (None, Shown::CheckedOut(_)) => {
                let own = element.checkout_of(&target.view.uuid());
                let own = own.ok_or_else(|| Failure::new(FailureCode::NoVersionSelected))?;
                match request.no_checkout {
                    true => VobObject::Version(element.number, own.from),
                    false => VobObject::CheckOut(element.number, own.number),
                }
            }
            (None, Shown::Nothing(_) | Shown::Error(_)) => {
                return Err(Failure::new(FailureCode::NoVersionSelected));
            }
        };
        let history = with_data(element, history(element, object));
        let texts = Texts { caller, target: &target };
        let mut lines = match request.all {
            true => ever(&texts, &history)?,
            false => now(&texts, &history)?,
        };
        // Only the versions that lines tell of are named, the newest first.
        let mut places: Vec<u32> = lines.iter().map(|line| line.version).collect();
        places.extend(lines.iter().filter_map(|line| line.removed.checked_sub(1)));
        places.sort_unstable_by_key(|place| std::cmp::Reverse(*place));
        places.dedup();
        let mut versions = Vec::with_capacity(places.len());
        for place in &places {
            versions.push(self.annotated(&target, history[*place as usize].0)?);
        }
        let places: HashMap<u32, u32> = places.into_iter().zip(0..).collect();
        for line in &mut lines {
            line.version = places[&line.version];
            if line.removed > 0 {
                line.removed = places[&(line.removed - 1)] + 1;
            }
        }
        let version = self.version_name(&target, object).into_bytes();
        Ok(AnnotateReply { version, versions, lines })
    }

    fn version_name(&self, target: &Target, object: VobObject) -> String {
        let (element, state) = (&target.element, target.vob.vob.state());
        match object {
            VobObject::Version(_, version) => version_id(&state, element, version),
            _ => element
                .checkout_of(&target.view.uuid())
                .map(|own| checkout_id(&state, element, own))
                .unwrap_or_default(),
        }
    }

    fn annotated(&self, target: &Target, object: VobObject) -> Outcome<AnnotatedVersion> {
        let (element, vob) = (&target.element, &target.vob.vob);
        let state = vob.state();
        let version = self.version_name(target, object).into_bytes();
        let VobObject::Version(_, number) = object else {
            let own = element.checkout_of(&target.view.uuid());
            let created = own.map(|own| {
                let user = told(vob, own.event).map(|told| told.person);
                user.map(|user| Created {
                    time_s: facts::seconds(own.created_ns),
                    person: Some(user),
                    comment: own.comment.clone().into_bytes(),
                })
            });
            return Ok(AnnotatedVersion { version, created: created.transpose()?, labels: vec![] });
        };
        let event = vob.event(element.version(number).event)?;
        let user = state.users().get(event.user as usize).map(|user| person(user));
        let labels = element.labels.iter().filter(|(_, version)| *version == number);
        Ok(AnnotatedVersion {
            version,
            created: Some(Created {
                time_s: facts::seconds(event.time_ns),
                person: user,
                comment: told(vob, element.version(number).event)?.comment,
            }),
            labels: labels.map(|(label, _)| state.type_name(*label).as_bytes().to_vec()).collect(),
        })
    }
}

/// Refuses who may not read the versions of a file.
fn permit_reading(caller: &Caller, element: &Element) -> Outcome<()> {
    let shift = match element {
        element if caller.user_id == element.owner => 6,
        element if caller.in_group(element.group) => 3,
        _ => 0,
    };
    let daemon = rustix::process::geteuid().as_raw();
    let may =
        caller.is_root() || caller.user_id == daemon || u32::from(element.mode) >> shift & MAY_READ != 0;
    let denied = || Failure::system(Vec::new(), &std::io::Error::from_raw_os_error(libc::EACCES));
    if may { Ok(()) } else { Err(denied()) }
}

/// Versions from the oldest on, each with the places of those that it was made from.
type History = Vec<(VobObject, Vec<usize>)>;

/// Leaves versions out of which the data was removed: what they were made from stands in their place.
fn with_data(element: &Element, history: History) -> History {
    let (mut kept, mut places): (History, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    let last = history.len().saturating_sub(1);
    for (at, (object, parents)) in history.into_iter().enumerate() {
        let mut above: Vec<usize> = Vec::new();
        for place in parents.iter().flat_map(|parent| &places[*parent]) {
            if !above.contains(place) {
                above.push(*place);
            }
        }
        let removed = matches!(object, VobObject::Version(_, version)
            if element.version(version).content == Content::Removed);
        if removed && at != last {
            places.push(above);
        } else {
            places.push(vec![kept.len()]);
            kept.push((object, above));
        }
    }
    kept
}

/// Reads what versions hold.
struct Texts<'a> {
    caller: &'a Caller,
    target: &'a Target,
}

impl Texts<'_> {
    fn read(&self, object: VobObject) -> Outcome<Arc<[u8]>> {
        let element = &self.target.element;
        let content = match object {
            VobObject::Version(_, version) => element.version(version).content,
            _ => {
                let path = self.target.data_path();
                facts::permit_private(&self.target.view, &path, self.caller, MAY_READ)?;
                return std::fs::read(&path)
                    .map(Arc::from)
                    .map_err(|error| Failure::system(Vec::new(), &error));
            }
        };
        match content {
            Content::File { hash, .. } => Ok(self.target.vob.vob.pools().get(&ContentId(hash))?),
            Content::Removed => Err(Failure::new(FailureCode::DataRemoved)),
            Content::Empty | Content::Directory => Ok(Arc::from(&b""[..])),
        }
    }
}

/// The lines of the newest version.
fn now(texts: &Texts<'_>, history: &History) -> Outcome<Vec<AnnotatedLine>> {
    let parents: Vec<Vec<usize>> = history.iter().map(|(_, parents)| parents.clone()).collect();
    let mut origins = Origins::new(&parents);
    let mut last: Arc<[u8]> = Arc::from(&b""[..]);
    for (object, parents) in history {
        last = texts.read(*object)?;
        origins.add(Arc::clone(&last), parents);
    }
    let line = |(text, origin): (&[u8], usize)| AnnotatedLine {
        text: text.to_vec(),
        version: origin as u32,
        removed: 0,
    };
    Ok(crate::merge::text::lines(&last).into_iter().zip(origins.of_last()).map(line).collect())
}

/// The lines of the newest version and of those behind it, without what was merged.
fn ever(texts: &Texts<'_>, history: &History) -> Outcome<Vec<AnnotatedLine>> {
    let mut way: Vec<usize> = Vec::new();
    let mut at = history.len().checked_sub(1);
    while let Some(place) = at {
        way.push(place);
        at = history[place].1.first().copied();
    }
    way.reverse();
    let mut ever = Ever::default();
    for place in &way {
        ever.add(&texts.read(history[*place].0)?);
    }
    let line = |line: crate::merge::origin::Line| AnnotatedLine {
        text: line.text.into_vec(),
        version: way[line.origin] as u32,
        removed: line.removed.map_or(0, |removed| way[removed] as u32 + 1),
    };
    Ok(ever.lines().into_iter().map(line).collect())
}
