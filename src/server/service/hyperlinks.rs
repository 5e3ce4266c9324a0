//! mkhlink and rmhlink. A hyperlink is kept in the VOB of its first end.

use super::attachable::{kind_and_extension, links};
use super::describe::find_hyperlink;
use super::types::{nothing_left, selected_type};
use crate::server::identity::Caller;
use crate::server::proto::remove_hyperlink_outcome::Outcome as Removed;
use crate::server::proto::target::Target as Named;
use crate::server::proto::{
    Context, Failure, FailureCode, HyperlinkId, MakeHyperlinkRequest, ObjectKind, RemoveHyperlinkOutcome,
    RemoveHyperlinksReply, RemoveHyperlinksRequest, Selector, SelectorKind, Target,
};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::Vob;
use crate::view::MountedVob;
use crate::vob::state::predefined;
use crate::vob::{Link, LinkEnd, Operation, Transaction, TypeNo, VobObject, VobState};
use std::collections::HashSet;
use std::sync::Arc;

impl Server {
    pub(super) fn make_hyperlink(
        &self,
        caller: &Caller,
        request: &MakeHyperlinkRequest,
    ) -> Outcome<HyperlinkId> {
        let context = Server::context(&request.context)?;
        let from = request.from.clone().unwrap_or_default();
        let (vob, from) = self.attachable(context, &from)?;
        let to =
            request.to.as_ref().map(|to| self.attachable(context, to).map_err(|failure| about(to, failure)));
        let to = to.transpose()?;
        let selector = request.hyperlink_type.clone().unwrap_or_default();
        let typed_vob = selector.vob.as_ref().is_some_and(|vob| !vob.typed.is_empty());
        if typed_vob && self.vob_of_selector(context, Some(&selector))?.index != vob.index {
            let name = String::from_utf8_lossy(&selector.name);
            return Err(super::describe::not_found(ObjectKind::HyperlinkType, &name));
        }
        let to = match to {
            None => None,
            Some((other, object)) if other.index == vob.index => Some(LinkEnd::Object(object)),
            // Nobody would tell the other VOB what became of it.
            Some((_, VobObject::CheckOut(..))) => {
                let failure = Failure::new(FailureCode::VersionIsCheckedOut);
                return Err(about(&request.to.clone().unwrap_or_default(), failure));
            }
            Some((other, object)) => Some(foreign(&other, object)?),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let user = self.user(caller, context);
        let mut made = HyperlinkId { vob_tag: vob.tag.clone().into_bytes(), ..HyperlinkId::default() };
        self.commit(&vob, |store| {
            let state = store.state();
            let link_type = selected_type(&state, &selector)?;
            let ends = [(Some(from), &request.from), (to.as_ref().and_then(LinkEnd::object), &request.to)];
            for (object, target) in ends {
                let (Some(object), Some(target)) = (object, target) else { continue };
                let operation = "make hyperlink";
                let permitted = self.permit_attaching(caller, &vob, object, link_type.number, operation);
                permitted.map_err(|failure| about(target, failure))?;
            }
            made.r#type = link_type.name.clone().into_bytes();
            made.number = state.header.hyperlinks.into();
            let texts = (text(&request.from_text), text(&request.to_text));
            let mut operations = Vec::new();
            if request.replace {
                let drawn_again = between(store, &state, link_type.number, from, to.as_ref())?;
                let removal = |link: Link| Operation::RemoveLink { number: link.number, at: from };
                operations.extend(drawn_again.into_iter().map(removal));
            }
            operations.push(drawn(link_type.number, from, to, texts));
            Ok(vec![Transaction {
                time_ns: now_ns(),
                user,
                comment: text(&request.comment),
                attributes: vec![],
                operations,
            }])
        })?;
        Ok(made)
    }

    /// Removes hyperlinks: those that are not refused in one change of each VOB.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are outcomes.
    pub(super) fn remove_hyperlinks(
        &self,
        caller: &Caller,
        request: &RemoveHyperlinksRequest,
    ) -> Outcome<RemoveHyperlinksReply> {
        let context = Server::context(&request.context)?;
        let mut vobs: Vec<InVob<'_>> = Vec::new();
        let found = self.wanted(context, request);
        let mut outcomes: Vec<Option<Outcome<HyperlinkId>>> = found.iter().map(|_| None).collect();
        for (at, found) in found.into_iter().enumerate() {
            match found {
                Ok((vob, wanted)) => match vobs.iter_mut().find(|(known, _)| known.index == vob.index) {
                    Some((_, arguments)) => arguments.push((at, wanted)),
                    None => vobs.push((vob, vec![(at, wanted)])),
                },
                Err(failure) => outcomes[at] = Some(Err(failure)),
            }
        }
        for (vob, arguments) in vobs {
            let committed = self.commit(&vob, |store| {
                let mut operations = Vec::new();
                let mut gone = HashSet::new();
                for (at, wanted) in &arguments {
                    let planned = self.removal(caller, context, (&vob, store), *wanted, &mut gone);
                    outcomes[*at] = Some(planned.map(|(planned, id)| {
                        operations.extend(planned);
                        id
                    }));
                }
                // Nothing to do is no change.
                if operations.is_empty() {
                    return Err(nothing_left());
                }
                Ok(vec![Transaction {
                    time_ns: now_ns(),
                    user: self.user(caller, context),
                    comment: String::from_utf8_lossy(&request.comment).into_owned(),
                    attributes: vec![],
                    operations,
                }])
            });
            if let Err(failure) = committed {
                for (at, _) in arguments {
                    let slot = &mut outcomes[at];
                    if !matches!(slot, Some(Err(_))) {
                        *slot = Some(Err(failure.clone()));
                    }
                }
            }
        }
        let outcome = |outcome: Option<Outcome<HyperlinkId>>| RemoveHyperlinkOutcome {
            outcome: Some(match outcome.unwrap_or_else(|| Err(nothing_left())) {
                Ok(done) => Removed::Done(done),
                Err(failure) => Removed::Failure(failure),
            }),
        };
        Ok(RemoveHyperlinksReply { outcomes: outcomes.into_iter().map(outcome).collect() })
    }

    /// What each argument of a removal names, and in which VOB.
    fn wanted<'r>(
        &self,
        context: &Context,
        request: &'r RemoveHyperlinksRequest,
    ) -> Vec<Outcome<(Arc<MountedVob>, Wanted<'r>)>> {
        let named = request
            .hyperlinks
            .iter()
            .map(|selector| Ok((self.vob_of_selector(context, Some(selector))?, Wanted::Named(selector))));
        let arrows = request.arrows.iter().map(|arrow| {
            let end = |target: &Option<Target>| {
                let target = target.clone().unwrap_or_default();
                self.attachable(context, &target).map_err(|failure| about(&target, failure))
            };
            let ((vob, from), (other, to)) = (end(&arrow.from)?, end(&arrow.to)?);
            match other.index == vob.index {
                true => Ok((vob, Wanted::Arrows(from, to))),
                false => Err(no_arrow()),
            }
        });
        named.chain(arrows).collect()
    }

    /// Plans the removal of what one argument names; `gone` are those that earlier arguments named.
    fn removal(
        &self,
        caller: &Caller,
        context: &Context,
        (vob, store): (&Arc<MountedVob>, &Vob),
        wanted: Wanted<'_>,
        gone: &mut HashSet<u32>,
    ) -> Outcome<(Vec<Operation>, HyperlinkId)> {
        let state = store.state();
        let (at, links, missing) = match wanted {
            Wanted::Named(selector) => {
                let name = String::from_utf8_lossy(&selector.name);
                if selector.kind() != SelectorKind::Hyperlink {
                    return Err(Failure::internal("a call about hyperlinks came with another object"));
                }
                let (at, link) = find_hyperlink(store, &state, &name)?;
                (at, vec![link], super::describe::not_found(ObjectKind::Hyperlink, &name))
            }
            Wanted::Arrows(from, to) => {
                let links = between(store, &state, predefined::MERGE, from, Some(&LinkEnd::Object(to)))?;
                (from, links, no_arrow())
            }
        };
        let (mut operations, mut first) = (Vec::new(), None);
        for link in links.into_iter().filter(|link| !gone.contains(&link.number)) {
            self.permit_removal(caller, context, (vob, store), at, &link)?;
            first.get_or_insert(HyperlinkId {
                r#type: state.type_name(link.link_type).as_bytes().to_vec(),
                number: link.number.into(),
                vob_tag: vob.tag.clone().into_bytes(),
            });
            operations.push((link.number, Operation::RemoveLink { number: link.number, at }));
        }
        gone.extend(operations.iter().map(|(number, _)| *number));
        let id = first.ok_or(missing)?;
        Ok((operations.into_iter().map(|(_, operation)| operation).collect(), id))
    }

    /// Refuses who may not change an end of a hyperlink, and did not make it.
    fn permit_removal(
        &self,
        caller: &Caller,
        context: &Context,
        (vob, store): (&Arc<MountedVob>, &Vob),
        at: VobObject,
        link: &Link,
    ) -> Outcome<()> {
        let first = link.objects().next().unwrap_or(at);
        let permitted = self.permit_attaching(caller, vob, first, link.link_type, "remove hyperlink");
        let Err(mut failure) = permitted else { return Ok(()) };
        let maker = super::facts::told(store, link.event)?.person.login;
        let may_not = failure.code() == FailureCode::Permission;
        if may_not && maker == self.user(caller, context).login {
            return Ok(());
        }
        let owner = may_not.then(|| "hyperlink owner".to_owned());
        failure.must_be_one_of.splice(0..0, owner);
        Err(failure)
    }
}

/// The arguments of a removal in one VOB, with their places.
type InVob<'r> = (Arc<MountedVob>, Vec<(usize, Wanted<'r>)>);

/// What an argument of a removal names.
#[derive(Clone, Copy)]
enum Wanted<'r> {
    /// A hyperlink.
    Named(&'r Selector),
    /// All Merge arrows from one object to another.
    Arrows(VobObject, VobObject),
}

fn no_arrow() -> Failure {
    super::describe::not_found(ObjectKind::Hyperlink, "Merge")
}

/// The hyperlinks of a type that lead from an object to what is given.
fn between(
    store: &Vob,
    state: &VobState,
    link_type: TypeNo,
    from: VobObject,
    to: Option<&LinkEnd>,
) -> Outcome<Vec<Link>> {
    let from_end = LinkEnd::Object(from);
    let fits = |link: &Link| link.link_type == link_type && link.from == from_end && link.to.as_ref() == to;
    Ok(links(store, state, from)?.into_iter().filter(fits).collect())
}

/// The operation that draws a hyperlink.
pub(super) fn drawn(
    link_type: TypeNo,
    from: VobObject,
    to: Option<LinkEnd>,
    texts: (String, String),
) -> Operation {
    match (from, &to, &texts) {
        // An arrow within an element takes no more than its two versions.
        (
            VobObject::Version(element, from),
            Some(LinkEnd::Object(VobObject::Version(other, to))),
            (from_text, to_text),
        ) if element == *other && from_text.is_empty() && to_text.is_empty() => {
            Operation::CreateHyperlink { link_type, element, from, to: *to }
        }
        _ => {
            let (from_text, to_text) = texts;
            Operation::CreateLink { link_type, from: LinkEnd::Object(from), to, from_text, to_text }
        }
    }
}

/// An object of another VOB, as a hyperlink keeps it.
fn foreign(vob: &MountedVob, object: VobObject) -> Outcome<LinkEnd> {
    let state = vob.vob.state();
    let (kind, name) = kind_and_extension(&vob.vob, &state, object)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    let element = object.element().map(|number| vob.element(number)).transpose()?;
    Ok(LinkEnd::Foreign {
        vob: state.header.oid.ok_or_else(|| Failure::internal("a VOB has no identity"))?,
        vob_tag: vob.tag.clone(),
        element: element.map(|element| element.oid),
        name: match object {
            VobObject::Type(_) => format!("{}:{name}", type_prefix(kind)),
            _ => name,
        },
    })
}

/// What stands before the name of a type object in a selector.
pub(super) fn type_prefix(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::BranchType => "brtype",
        ObjectKind::LabelType => "lbtype",
        ObjectKind::ElementType => "eltype",
        ObjectKind::AttributeType => "attype",
        ObjectKind::TriggerType => "trtype",
        _ => "hltype",
    }
}

/// A failure with the name of the object that it is about, where it names nothing.
fn about(target: &Target, failure: Failure) -> Failure {
    match &target.target {
        Some(Named::Pname(pname)) if failure.name.is_empty() => failure.name(pname.typed.clone()),
        Some(Named::Selector(selector)) if failure.name.is_empty() => failure.name(selector.name.clone()),
        _ => failure,
    }
}
