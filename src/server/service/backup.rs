//! Backups of VOBs while users work, and VOBs from backups.
//!
//! Files are written and read by the daemon with its own rights, so that only its user and root may ask for it.

use super::vobs::{bad_tag, check_storage_place, no_such_vob};
use crate::server::identity::Caller;
use crate::server::proto::*;
use crate::server::registry::{VobEntry, VobTag};
use crate::server::state::{Outcome, Server, now_ns};
use crate::store::backup::{self, About, BackupError, Until};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Failure {
        match &error {
            BackupError::Io { path, source } => Failure::system(path.as_os_str().as_bytes(), source),
            other => Failure::other(other.to_string()),
        }
    }
}

impl Server {
    /// Copies a VOB.
    ///
    /// # Errors
    /// If the caller may not, the VOB is not mounted, or the copy fails.
    pub(super) fn back_up_vob(&self, caller: &Caller, request: &BackupRequest) -> Outcome<BackupReply> {
        self.permit(caller, &[], "back up VOB")?;
        let tag = String::from_utf8_lossy(&request.vob_tag).into_owned();
        let known = |tag: &VobTag| self.registry.entries().vobs.contains_key(tag);
        if !VobTag::new(&tag).is_ok_and(|tag| known(&tag)) {
            return Err(no_such_vob(&request.vob_tag));
        }
        let vob = self.host.vob(&tag);
        let vob =
            vob.ok_or_else(|| Failure::new(FailureCode::NotMounted).name(request.vob_tag.as_slice()))?;
        let target = self.outside(&request.path)?;
        let oid = vob.vob.state().header.oid.ok_or_else(|| Failure::internal("a VOB without an identity"))?;
        let copied = backup::back_up(&vob.vob, &tag, &oid, now_ns(), &target)?;
        Ok(BackupReply {
            operation: copied.operation,
            files: copied.files,
            bytes: copied.bytes,
            new_bytes: copied.new_bytes,
        })
    }

    /// Makes a VOB from a backup, or only reads the backup.
    ///
    /// # Errors
    /// If the caller may not, the backup cannot be used, or there is such a VOB.
    pub(super) fn restore_vob(&self, caller: &Caller, request: &RestoreRequest) -> Outcome<RestoreReply> {
        self.permit(caller, &[], "restore VOB")?;
        let from = self.outside(&request.path)?;
        if request.only_verify {
            return Ok(answer(&backup::verify(&from)?, b""));
        }
        let about = backup::about(&from)?;
        let wanted = if request.vob_tag.is_empty() { about.tag.as_bytes() } else { &request.vob_tag };
        let tag = VobTag::new(OsStr::from_bytes(wanted)).map_err(|error| bad_tag(wanted, error))?;
        let _turn = self.administration.lock();
        let entries = self.registry.entries();
        let storage = match request.storage.as_slice() {
            [] => self.default_storage(self.home.vobs(), &String::from_utf8_lossy(tag.bytes()), "vbs"),
            path => PathBuf::from(OsStr::from_bytes(path)),
        };
        // Views know elements by their identities, which both would have.
        let twin = entries.vobs.iter().find(|(_, entry)| entry.uuid == about.oid);
        let is_lost = |(known, entry): (&VobTag, &VobEntry)| *known == tag && !entry.storage.exists();
        let lost = match twin {
            Some((known, entry)) if !is_lost((known, entry)) => {
                return Err(Failure::new(FailureCode::TagInUse).name(known.bytes()));
            }
            other => other.map(|(_, entry)| entry.clone()),
        };
        check_storage_place(&storage, caller, &self.home.vobs())?;
        let until = match request.until {
            None => Until::Everything,
            Some(restore_request::Until::Operation(number)) => Until::Operation(number),
            Some(restore_request::Until::TimeS(seconds)) => {
                // The whole second counts.
                Until::Time(seconds.saturating_mul(1_000_000_000).saturating_add(999_999_999))
            }
        };
        let restored = backup::restore(&from, &storage, until)?;
        let registered = self.registry.change(|entries| {
            let is_mounted = lost.as_ref().is_some_and(|entry| entry.mounted);
            if lost.is_some() {
                entries.vobs.remove(&tag);
            }
            let entry = VobEntry {
                storage: storage.clone(),
                uuid: about.oid.clone(),
                index: 0,
                owner: lost.as_ref().map_or(caller.user_id, |entry| entry.owner),
                group: lost.as_ref().map_or(caller.group_id, |entry| entry.group),
                mounted: is_mounted,
                public: lost.as_ref().is_none_or(|entry| entry.public),
            };
            entries.add_vob(tag.clone(), entry).map_err(Failure::from)
        });
        if let Err(failure) = registered {
            let _ = std::fs::remove_dir_all(&storage);
            return Err(failure);
        }
        let reply = answer(&restored, storage.as_os_str().as_bytes());
        Ok(RestoreReply { vob_tag: tag.bytes().to_vec(), ..reply })
    }

    /// A path that is in no view: what the daemon shows cannot hold what it is made of.
    fn outside(&self, path: &[u8]) -> Outcome<PathBuf> {
        match self.below_viewroot(path) {
            Some(_) => Err(Failure::other("a backup cannot be in a view: name a place outside".to_owned())),
            None => Ok(Path::new(OsStr::from_bytes(path)).to_owned()),
        }
    }
}

fn answer(about: &About, storage: &[u8]) -> RestoreReply {
    RestoreReply {
        vob_tag: about.tag.clone().into_bytes(),
        storage: storage.to_vec(),
        operation: about.operation,
        made_s: about.time_ns.div_euclid(1_000_000_000),
    }
}
