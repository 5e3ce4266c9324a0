//! Merge arrows: from the versions that were merged to the checkout that takes them into account.

use crate::server::identity::Caller;
use crate::server::proto::HyperlinkId;
use crate::server::service::hyperlinks::drawn;
use crate::server::state::{Outcome, Server};
use crate::view::MountedVob;
use crate::vob::state::predefined;
use crate::vob::{Checkout, Element, LinkEnd, Operation, VersionNo, VobObject, VobState};
use std::sync::Arc;

/// Plans arrows from versions of an element to a checkout of it. An arrow that is there already stays, unless it is to be
/// replaced.
///
/// # Errors
/// If the caller may not attach hyperlinks there.
#[allow(clippy::too_many_arguments)]
pub(super) fn plan(
    server: &Server,
    caller: &Caller,
    vob: &Arc<MountedVob>,
    state: &VobState,
    element: &Element,
    own: &Checkout,
    sources: &[VersionNo],
    replace: bool,
) -> Outcome<(Vec<Operation>, Vec<HyperlinkId>)> {
    let (number, merge) = (element.number, predefined::MERGE);
    let to = VobObject::CheckOut(number, own.number);
    let (mut operations, mut arrows) = (Vec::new(), Vec::new());
    for (at, source) in sources.iter().enumerate() {
        let from = VobObject::Version(number, *source);
        // The version that it was checked out from is behind it without any arrow.
        if *source == own.from || sources[..at].contains(source) {
            continue;
        }
        for object in [from, to] {
            server.permit_attaching(caller, vob, object, merge, "make hyperlink")?;
        }
        let is_there = |link: &&crate::vob::Link| {
            link.link_type == merge
                && link.from.object() == Some(from)
                && link.to.as_ref().and_then(LinkEnd::object) == Some(to)
        };
        let there: Vec<u32> =
            element.annotations().links.iter().filter(is_there).map(|link| link.number).collect();
        if !there.is_empty() && !replace {
            continue;
        }
        operations.extend(there.into_iter().map(|number| Operation::RemoveLink { number, at: from }));
        operations.push(drawn(merge, from, Some(LinkEnd::Object(to)), Default::default()));
        arrows.push(HyperlinkId {
            r#type: state.type_name(merge).as_bytes().to_vec(),
            number: u64::from(state.header.hyperlinks) + arrows.len() as u64,
            vob_tag: vob.tag.clone().into_bytes(),
        });
    }
    Ok((operations, arrows))
}
