//! Import of other systems' histories into a mounted VOB.

use crate::import::repository::Repository;
use crate::import::{ImportError, Importer, Progress, Summary};
use crate::server::identity::{self, Caller};
use crate::server::proto::*;
use crate::server::registry::VobTag;
use crate::server::state::{Outcome, Server};
use crate::view::MountedVob;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a client hears of progress, at most.
const REPORT_EVERY: Duration = Duration::from_millis(100);

impl Server {
    pub(super) fn import(
        &self,
        caller: &Caller,
        request: &ImportRequest,
        send: &mut dyn FnMut(ImportItem) -> bool,
    ) -> Outcome<()> {
        let begun = Instant::now();
        let repository =
            request.repository.as_ref().ok_or_else(|| Failure::internal("no repository was named"))?;
        let path = PathBuf::from(OsStr::from_bytes(&repository.absolute));
        check_path(&path, caller)?;
        let (vob, storage, made) = self.vob_for_import(caller, request, &path)?;
        let temporary = Temporary::make(&storage)?;
        let phase = |phase: ImportPhase, progress: &Progress| ImportItem {
            item: Some(import_item::Item::Progress(ImportProgress {
                phase: phase.into(),
                commits_done: progress.commits,
                commits_total: progress.commits_total,
                size_bytes: progress.bytes,
            })),
        };
        let mut last = begun;
        let mut goes_on = send(phase(ImportPhase::Plan, &Progress::default()));
        let summary = {
            let mut report = |progress: &Progress| {
                let labels = progress.commits == progress.commits_total;
                if last.elapsed() >= REPORT_EVERY {
                    last = Instant::now();
                    let now = if labels { ImportPhase::Labels } else { ImportPhase::Commits };
                    goes_on &= send(phase(now, progress));
                }
                goes_on
            };
            let mut importer = Importer {
                vob: &vob.vob,
                owner: (caller.user_id, caller.group_id),
                temporary: &temporary.0,
                progress: &mut report,
            };
            importer.git(&path)
        };
        // What was committed shows at once, also when the import was stopped half-way.
        self.host.forget_all_selection();
        let summary = match summary {
            Ok(summary) => summary,
            Err(error) => {
                let nothing = vob.vob.state().header.changesets == 0;
                drop((temporary, vob));
                if made && nothing {
                    self.unmake_vob(caller, request)?;
                }
                return Err(failure(error, &repository.absolute));
            }
        };
        vob.vob.close()?;
        let stored_size_bytes = size_of(&storage);
        send(ImportItem {
            item: Some(import_item::Item::Summary(told(&summary, begun.elapsed(), stored_size_bytes))),
        });
        Ok(())
    }
}

impl Server {
    /// Returns the VOB to import into, made if its tag is new and the repository can be read;
    /// a VOB that is not mounted is mounted.
    fn vob_for_import(
        &self,
        caller: &Caller,
        request: &ImportRequest,
        repository: &Path,
    ) -> Outcome<(Arc<MountedVob>, PathBuf, bool)> {
        let tag = VobTag::new(OsStr::from_bytes(&request.vob_tag));
        let tag = tag.map_err(|error| super::vobs::bad_tag(&request.vob_tag, error))?;
        let text = String::from_utf8_lossy(tag.bytes()).into_owned();
        let known = self.registry.entries().vobs.get(&tag).cloned();
        if let Some(entry) = &known {
            self.permit(caller, &[(entry.owner, "VOB owner")], "import")?;
        }
        let made = known.is_none();
        if made {
            self.check_repository(repository)?;
            let create = CreateVobRequest {
                context: request.context.clone(),
                tag: request.vob_tag.clone(),
                mount: true,
                ..CreateVobRequest::default()
            };
            self.create_vob(caller, &create)?;
        } else if self.host.vob(&text).is_none() {
            let mount = MountRequest {
                context: request.context.clone(),
                tags: vec![request.vob_tag.clone()],
                all: false,
            };
            let reply = self.mount_vobs(caller, &mount)?;
            if let Some(failure) = reply.outcomes.into_iter().find_map(|outcome| outcome.failure) {
                return Err(failure);
            }
        }
        let missing = || Failure::new(FailureCode::NotMounted).name(request.vob_tag.as_slice());
        let vob = self.host.vob(&text).ok_or_else(missing)?;
        let storage = vob.vob.dir().to_owned();
        Ok((vob, storage, made))
    }

    /// Refuses what cannot be imported before anything is made for it. A bundle is unpacked
    /// for that below the home, one at a time.
    fn check_repository(&self, path: &Path) -> Outcome<()> {
        let temporary = Temporary::make(self.home.root())?;
        let name = path.as_os_str().as_bytes();
        let checked = Repository::open(path, &temporary.0).and_then(|repository| repository.refs().map(drop));
        checked.map_err(|error| failure(error.into(), name))
    }

    /// Removes a VOB that was made for an import which brought nothing.
    fn unmake_vob(&self, caller: &Caller, request: &ImportRequest) -> Outcome<()> {
        let remove = RemoveVobRequest {
            context: request.context.clone(),
            which: Some(remove_vob_request::Which::Tag(request.vob_tag.clone())),
            force: true,
            only_tell: false,
        };
        self.remove_vob(caller, &remove).map(drop)
    }
}

fn told(summary: &Summary, elapsed: Duration, stored_size_bytes: u64) -> ImportSummary {
    let warning = |text: &String| ImportWarning {
        code: ImportWarningCode::Unspecified.into(),
        name: text.clone().into_bytes(),
        detail: Vec::new(),
    };
    ImportSummary {
        commits: summary.commits,
        elements: summary.elements,
        versions: summary.versions,
        branch_types: summary.branch_types,
        label_types: summary.labels,
        merges: summary.merges,
        read_size_bytes: summary.bytes,
        stored_size_bytes,
        elapsed_ms: elapsed.as_millis() as u64,
        warnings: summary.warnings.iter().map(warning).collect(),
        default_branch: summary.default_branch.clone().into_bytes(),
    }
}

/// Temporary directories of imports under way.
static IN_USE: parking_lot::Mutex<BTreeSet<PathBuf>> = parking_lot::Mutex::new(BTreeSet::new());

/// A directory for the import's temporary files, removed with it.
struct Temporary(PathBuf);

impl Temporary {
    fn make(storage: &Path) -> Outcome<Temporary> {
        let path = storage.join("import.tmp");
        // Another import's files are not to be touched; those of a killed daemon are.
        if !IN_USE.lock().insert(path.clone()) {
            return Err(Failure::new(FailureCode::Busy).name(storage.as_os_str().as_bytes()));
        }
        let temporary = Temporary(path.clone());
        let made = std::fs::remove_dir_all(&path)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .and_then(|()| std::fs::create_dir(&path));
        made.map_err(|error| Failure::system(path.as_os_str().as_bytes(), &error))?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        IN_USE.lock().remove(&self.0);
    }
}

/// A daemon of root reads repositories only for those who could read them themselves.
fn check_path(path: &Path, caller: &Caller) -> Outcome<()> {
    let name = path.as_os_str().as_bytes();
    match identity::check_readable(path, caller) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(Failure::system(name, &error))
        }
        // Whatever else is wrong, the repository's own check words better.
        _ => Ok(()),
    }
}

fn size_of(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => std::os::unix::fs::MetadataExt::blocks(&metadata) * 512,
            Err(_) => 0,
        })
        .sum()
}

fn failure(error: ImportError, repository: &[u8]) -> Failure {
    use crate::import::repository::RepositoryError;
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::Removed => Failure::new(FailureCode::ImportedRemoved),
        ImportError::Repository(RepositoryError::NoSuchPath(_)) => {
            Failure::new(FailureCode::NoSuchFile).name(repository)
        }
        ImportError::Repository(error @ RepositoryError::NotARepository(_)) => {
            Failure { text: error.to_string(), ..Failure::new(FailureCode::NotARepository).name(repository) }
        }
        ImportError::Repository(error @ RepositoryError::Empty(_)) => {
            Failure { text: error.to_string(), ..Failure::new(FailureCode::EmptyRepository).name(repository) }
        }
        other => Failure::other(other.to_string()),
    }
}
