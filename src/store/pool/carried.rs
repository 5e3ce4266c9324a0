//! Contents that become durable with a journal before the containers are synced: taken out as they are kept, and put back if
//! a crash lost them.

use std::collections::BTreeMap;

use super::frame::{Header, Kind};
use super::{ContentId, Error, Inner, Result};
use crate::vob::{StoredContent, StoredForm};

impl Inner {
    /// See [`super::Pools::carry`].
    pub(super) fn carry(
        &self,
        contents: &[ContentId],
        maximum_bytes: usize,
    ) -> Result<Option<Vec<StoredContent>>> {
        let mut waiting = Vec::with_capacity(contents.len());
        for id in contents {
            waiting.push(self.number(id)?.ok_or(Error::NotFound { id: *id })?);
        }
        let synced = self.containers.synced();
        // By number: a base is older than what is stored against it.
        let mut carried: BTreeMap<u32, StoredContent> = BTreeMap::new();
        let mut bytes = 0;
        while let Some(number) = waiting.pop() {
            let is_safe = number < synced || self.journaled.lock().contains(&number);
            if is_safe || carried.contains_key(&number) {
                continue;
            }
            let at = self.index.location(number)?;
            if bytes + at.length as usize > maximum_bytes {
                return Ok(None);
            }
            let (header, payload) = self.containers.frame(number, at)?;
            bytes += payload.len();
            let form = match header.kind {
                Kind::Raw => StoredForm::Raw,
                Kind::Full => StoredForm::Full,
                Kind::Delta { base, position } => {
                    waiting.push(base);
                    let base = self.containers.header(base, self.index.location(base)?)?.id.0;
                    StoredForm::Delta { base, position }
                }
                Kind::Large => return Ok(None),
            };
            let (hash, size, stored) = (header.id.0, header.raw_length, payload.into());
            carried.insert(number, StoredContent { hash, size, form, stored });
        }
        Ok(Some(carried.into_values().collect()))
    }

    /// See [`super::Pools::carried`].
    pub(super) fn carried(&self, contents: &mut dyn Iterator<Item = &StoredContent>) {
        for content in contents {
            // One whose number cannot be read now is carried once more.
            if let Ok(Some(number)) = self.number(&ContentId(content.hash)) {
                self.journaled.lock().insert(number);
            }
        }
    }

    /// Forgets what is durable by now.
    pub(super) fn forget_carried(&self) {
        let synced = self.containers.synced();
        self.journaled.lock().retain(|number| *number >= synced);
    }

    /// See [`super::Pools::restore`].
    pub(super) fn restore(&self, content: &StoredContent) -> Result<()> {
        let id = ContentId(content.hash);
        if self.number(&id)?.is_some() {
            return Ok(());
        }
        let kind = match content.form {
            StoredForm::Raw => Kind::Raw,
            StoredForm::Full => Kind::Full,
            StoredForm::Delta { base, position } => {
                let id = ContentId(base);
                Kind::Delta { base: self.number(&id)?.ok_or(Error::NotFound { id })?, position }
            }
        };
        let header = Header::of(id, kind, content.size, &content.stored);
        self.append(&header, &content.stored).map(drop)
    }
}
