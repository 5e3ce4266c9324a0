//! The deeds of hyperlinks that are made and removed: who watches which end, and what actions find of both.

use super::{Deeds, Variables};
use crate::server::firing::Subject;
use crate::server::proto::ObjectKind;
use crate::server::state::Outcome;
use crate::vob::{Link, LinkEnd, TriggerOperation, TypeKind, TypeNo, VobObject};
use std::borrow::Cow;

impl Deeds<'_> {
    /// Adds the deeds of a new hyperlink: one for each end that is here.
    pub(super) fn linked(
        &mut self,
        link_type: TypeNo,
        from: &LinkEnd,
        to: Option<&LinkEnd>,
        (from_text, to_text): (&str, &str),
    ) -> Outcome<()> {
        if !self.wants(TriggerOperation::MakeHyperlink) {
            return Ok(());
        }
        let (common, kinds) = self.ends(from, to, (from_text, to_text))?;
        let ends = [(Some(from), b'1'), (to, b'0')];
        let mut subject = None;
        for (object, is_from) in ends.into_iter().filter_map(|(end, is_from)| Some((end?.object()?, is_from)))
        {
            let further = [&common[..], &[("IS_FROM", vec![is_from])]].concat();
            let by = [(TypeKind::Hyperlink, link_type)];
            if let Some(deed) = self.on(TriggerOperation::MakeHyperlink, object, &by, further)? {
                deed.ends = kinds;
                // What is refused at one end is refused.
                deed.subject = subject.get_or_insert_with(|| deed.subject.clone()).clone();
            }
        }
        Ok(())
    }

    /// Adds the deed of a hyperlink that is removed, by one of its ends.
    pub(super) fn unlinked(&mut self, number: u32, at: VobObject) -> Outcome<()> {
        if !self.wants(TriggerOperation::RemoveHyperlink) {
            return Ok(());
        }
        let Some(link) = self.link(number, at)? else { return Ok(()) };
        let (mut further, kinds) =
            self.ends(&link.from, link.to.as_ref(), (&link.from_text, &link.to_text))?;
        let is_to = link.to.as_ref().and_then(LinkEnd::object) == Some(at);
        further.push(("IS_FROM", vec![if is_to { b'0' } else { b'1' }]));
        further.extend(self.within(self.of_removed(link.link_type)));
        let by = [(TypeKind::Hyperlink, link.link_type)];
        if let Some(deed) = self.on(TriggerOperation::RemoveHyperlink, at, &by, further)? {
            deed.ends = kinds;
        }
        Ok(())
    }

    /// What the environment says of the ends of a hyperlink, and their kinds.
    fn ends(
        &mut self,
        from: &LinkEnd,
        to: Option<&LinkEnd>,
        (from_text, to_text): (&str, &str),
    ) -> Outcome<(Variables, [ObjectKind; 2])> {
        let (from_name, from_vob, from_kind) = self.end(from)?;
        let mut all = vec![("FXPN", from_name), ("FVOB_PN", from_vob)];
        let mut kinds = [from_kind, ObjectKind::Unspecified];
        if let Some(to) = to {
            let (name, vob, kind) = self.end(to)?;
            all.extend([("TXPN", name), ("TVOB_PN", vob)]);
            kinds[1] = kind;
        }
        let texts = [("FTEXT", from_text), ("TTEXT", to_text)];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        all.extend(texts.map(|(name, text)| (name, text.as_bytes().to_vec())));
        Ok((all, kinds))
    }

    /// The name of a hyperlink's end, its VOB, and its kind where that is known here.
    fn end(&mut self, end: &LinkEnd) -> Outcome<(Vec<u8>, Vec<u8>, ObjectKind)> {
        match end {
            LinkEnd::Foreign { vob_tag, name, .. } => {
                Ok((name.clone().into_bytes(), vob_tag.clone().into_bytes(), ObjectKind::Unspecified))
            }
            LinkEnd::Object(object) => {
                let vob = self.vob.tag.clone().into_bytes();
                let Some(object) = self.object(*object)? else {
                    return Ok((Vec::new(), vob, ObjectKind::Unspecified));
                };
                let name = match (&object.subject, object.kind) {
                    (Subject::Type(_, name), _) => name.clone().into_bytes(),
                    (_, ObjectKind::Vob) => object.path,
                    _ => [&object.path[..], b"@@", object.extension.as_bytes()].concat(),
                };
                Ok((name, vob, object.kind))
            }
        }
    }

    fn link(&self, number: u32, at: VobObject) -> Outcome<Option<Link>> {
        let state = self.state();
        let of = |links: &[Link]| links.iter().find(|link| link.number == number).cloned();
        Ok(match at.holder() {
            VobObject::Type(holder) => {
                state.type_object(holder).and_then(|object| of(&object.annotations.links))
            }
            VobObject::Element(holder) => {
                let element = self.element(holder)?;
                element.and_then(|element| {
                    element.links().find(|link| link.number == number).map(Cow::into_owned)
                })
            }
            _ => of(&state.settings().annotations.links),
        })
    }
}
