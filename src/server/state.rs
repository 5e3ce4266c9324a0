//! What every call of the daemon works with: the home, the registry, and what is mounted.

use super::firing;
use super::home::Home;
use super::identity::{self, Account, Caller};
use super::include::Includes;
use super::proto::{Context, Failure, FailureCode, Person, Pname};
use super::registry::{Registry, ViewEntry, ViewTag, VobEntry, VobTag};
use crate::store::engine::EngineKind;
use crate::store::{StoreError, Vob};
use crate::view::access::MAY_SEARCH;
use crate::view::inode::{INDEX_MAX, ViewIndex, VobIndex};
use crate::view::resolve::NotFound;
use crate::view::staging::Staging;
use crate::view::{Host, MountedVob, Resolved, View, ViewError, ViewStorage};
use crate::vob::apply::ReadError;
use crate::vob::{Oid, User};
use clerestory_mount::Mounted;
use clerestory_specs::{ConfigSpec, Diagnostic, Environment};
use parking_lot::Mutex;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The config spec of a new view, unless the site has another.
pub const DEFAULT_CONFIG_SPEC: &str = "element * CHECKEDOUT\nelement * /main/LATEST\n";

/// The daemon's state. Changes of the registry, and what follows from them, are made one at a
/// time: `administration` is held for the whole of each.
pub struct Server {
    /// The home.
    pub home: Home,
    /// The registry.
    pub registry: Registry,
    /// What the mount shows.
    pub host: Arc<Host>,
    /// The mount, until it is taken down.
    pub mounted: Mutex<Option<Mounted>>,
    /// Held while VOBs or views are made, removed, mounted or started.
    pub administration: Mutex<()>,
    /// When the daemon started, in seconds since 1970.
    pub started_s: i64,
    /// Names this run of the daemon.
    pub run: String,
    /// This host's name.
    pub host_name: String,
    /// Ends the daemon.
    pub stop: tokio::sync::watch::Sender<bool>,
    /// What callers know of triggers that fire.
    pub tokens: firing::Tokens,
}

/// The result of a call, or of one argument of it.
pub type Outcome<T> = Result<T, Failure>;

/// Nanoseconds since 1970 UTC, now.
pub fn now_ns() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        tracing::warn!(%error, "storage");
        if error.is_no_space() {
            return Failure { errno: libc::ENOSPC, ..Failure::new(FailureCode::NoSpace) };
        }
        let code = match &error {
            StoreError::Exists(path) => {
                return Failure::new(FailureCode::StorageExists).name(path.as_os_str().as_bytes());
            }
            StoreError::NewerFormat { path, .. } => {
                return Failure::new(FailureCode::NewerFormat).name(path.as_os_str().as_bytes());
            }
            StoreError::Io { path, source } => return Failure::system(path.as_os_str().as_bytes(), source),
            StoreError::NoSuchElement(_) | StoreError::NoSuchPart(_) => {
                return Failure::new(FailureCode::NoSuchFile);
            }
            StoreError::Damaged { .. } | StoreError::Replay { .. } => FailureCode::Damaged,
            _ => FailureCode::Other,
        };
        Failure { text: error.to_string(), ..Failure::new(code) }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        match error.downcast::<StoreError>() {
            Ok(error) => (*error).into(),
            Err(error) => Failure::internal(error.to_string()),
        }
    }
}

impl From<crate::store::pool::Error> for Failure {
    fn from(error: crate::store::pool::Error) -> Failure {
        StoreError::from(error).into()
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Failure {
        match &error {
            ViewError::Exists(path) => {
                Failure::new(FailureCode::StorageExists).name(path.as_os_str().as_bytes())
            }
            ViewError::NewerFormat { path, .. } => {
                Failure::new(FailureCode::NewerFormat).name(path.as_os_str().as_bytes())
            }
            ViewError::Io { path, source } => Failure::system(path.as_os_str().as_bytes(), source),
            ViewError::NotAView { .. } => Failure::other(error.to_string()),
        }
    }
}

impl From<NotFound> for Failure {
    fn from(error: NotFound) -> Failure {
        match error {
            NotFound::NotInVob => Failure::new(FailureCode::NotInAVob),
            NotFound::NoSuchName => Failure::new(FailureCode::NoSuchFile),
            NotFound::NotADirectory => Failure::new(FailureCode::NotADirectory),
            NotFound::Store(error) => error.into(),
            NotFound::Host(error) => Failure::system(Vec::new(), &error),
        }
    }
}

impl Server {
    /// Returns the context of a call, which clients always send.
    pub fn context(context: &Option<Context>) -> Outcome<&Context> {
        let context = context.as_ref().ok_or_else(|| Failure::internal("a call came without its context"))?;
        firing::note_context(context);
        Ok(context)
    }

    /// Splits an absolute path below the view root into the view's tag and the path inside.
    pub fn below_viewroot<'a>(&self, path: &'a [u8]) -> Option<(&'a str, &'a [u8])> {
        let root = self.home.viewroot().as_os_str().as_bytes();
        let below = path.strip_prefix(root)?.strip_prefix(b"/")?;
        let end = below.iter().position(|byte| *byte == b'/').unwrap_or(below.len());
        Some((std::str::from_utf8(&below[..end]).ok()?, &below[end..]))
    }

    /// Finds a started view.
    pub fn started_view(&self, tag: &str) -> Outcome<Arc<View>> {
        if let Some(view) = self.host.view(tag) {
            return Ok(view);
        }
        let known = ViewTag::new(tag).is_ok_and(|tag| self.registry.entries().views.contains_key(&tag));
        let code = if known { FailureCode::ViewNotStarted } else { FailureCode::NoSuchViewTag };
        Err(Failure { view_tag: tag.to_owned(), ..Failure::new(code) })
    }

    /// Returns the tag of the view a command works in: the working directory's, else the set one.
    pub fn current_tag<'a>(&self, context: &'a Context) -> Option<&'a str> {
        let here = self.below_viewroot(&context.working_directory).map(|(tag, _)| tag);
        here.or_else(|| Some(context.view_tag.as_str()).filter(|tag| !tag.is_empty()))
    }

    /// Returns the view a command works in.
    pub fn current_view(&self, context: &Context) -> Outcome<Arc<View>> {
        let tag = self.current_tag(context).ok_or_else(|| Failure::new(FailureCode::NoView))?;
        self.started_view(tag)
    }

    /// Finds the view of a path, and the path inside it.
    pub fn place<'a>(&self, context: &Context, pname: &'a Pname) -> Outcome<(Arc<View>, &'a [u8])> {
        let (view, path) = self.place_of(context, pname)?;
        firing::note_place(&view, pname.absolute.strip_suffix(path).unwrap_or_default());
        // The kernel asks this of whoever goes there; a path in a message has not been there.
        let may = identity::answered().is_none_or(|caller| {
            let daemon = rustix::process::geteuid().as_raw();
            let access = view.storage.access();
            caller.user_id == daemon
                || access.allows(caller.user_id, |group| caller.in_group(group), MAY_SEARCH)
        });
        match may {
            true => Ok((view, path)),
            false => Err(Failure::system(Vec::new(), &std::io::Error::from_raw_os_error(libc::EACCES))),
        }
    }

    fn place_of<'a>(&self, context: &Context, pname: &'a Pname) -> Outcome<(Arc<View>, &'a [u8])> {
        if pname.absolute.is_empty() {
            return Err(Failure::new(FailureCode::NoSuchFile));
        }
        match self.below_viewroot(&pname.absolute) {
            Some((tag, path)) => Ok((self.started_view(tag)?, path)),
            None if context.view_tag.is_empty() => {
                let in_vob = self.host.vob_of(&pname.absolute).is_some();
                let here = self.below_viewroot(&context.working_directory).is_some();
                let code = if in_vob || !here { FailureCode::NoView } else { FailureCode::NotInAVob };
                Err(Failure::new(code))
            }
            None => Ok((self.started_view(&context.view_tag)?, &pname.absolute)),
        }
    }

    /// Resolves a path argument.
    pub fn resolve(&self, context: &Context, pname: &Pname) -> Outcome<(Arc<View>, Resolved)> {
        let (view, path) = self.place(context, pname)?;
        let resolved = self.host.resolve(&view, path)?;
        Ok((view, resolved))
    }

    /// Finds the VOB of a path that may be a VOB's tag, in or outside a view.
    pub fn vob_of(&self, context: &Context, pname: &Pname) -> Outcome<Arc<MountedVob>> {
        let inside = self.below_viewroot(&pname.absolute).map_or(pname.absolute.as_slice(), |(_, path)| path);
        let _ = context;
        match self.host.vob_of(inside) {
            Some((vob, _)) => Ok(vob),
            None if pname.typed.is_empty() => Err(Failure::new(FailureCode::NoVobHere)),
            None => Err(Failure::new(FailureCode::NotInAVob).name(pname.typed.as_slice())),
        }
    }

    /// Compiles a config spec as [`Server::compile_in`] does, outside any view.
    pub fn compile(&self, text: &[u8], file: &Path, caller: &Caller) -> Result<ConfigSpec, Vec<Diagnostic>> {
        self.compile_in(None, text, file, caller)
    }

    /// Compiles a config spec that is, or was, the text of `file`. Includes are read as the caller could read
    /// them, those below VOB tags as the view of this tag shows them; `~` is the caller's home directory.
    pub fn compile_in(
        &self,
        view_tag: Option<&str>,
        text: &[u8],
        file: &Path,
        caller: &Caller,
    ) -> Result<ConfigSpec, Vec<Diagnostic>> {
        self.with_environment(view_tag, caller, |environment| ConfigSpec::compile(text, file, environment))
    }

    /// Lends what compilation needs to know of this host and of the caller.
    fn with_environment<T>(
        &self,
        view_tag: Option<&str>,
        caller: &Caller,
        compile: impl FnOnce(&Environment) -> T,
    ) -> T {
        let home = Account::of_user(caller.user_id).map(|account| account.home);
        let entries = self.registry.entries();
        let tags: Vec<Vec<u8>> = entries.vobs.keys().map(|tag| tag.bytes().to_vec()).collect();
        let family_of = |tag: &[u8]| {
            let entry = entries.vobs.iter().find(|(known, _)| known.bytes() == tag)?.1;
            entry.uuid.parse::<Oid>().ok().map(|oid| oid.0)
        };
        let tag_of_family = |family: [u8; 16]| {
            let uuid = Oid(family).to_string();
            let found = entries.vobs.iter().find(|(_, entry)| entry.uuid == uuid);
            found.map(|(tag, _)| tag.bytes().to_vec())
        };
        let tag_of = |path: &[u8]| {
            let inside = |tag: &&Vec<u8>| {
                path.strip_prefix(tag.as_slice())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            };
            tags.iter().filter(inside).max_by_key(|tag| tag.len()).cloned()
        };
        let is_in_vob = |path: &[u8]| tag_of(path).is_some();
        let view = view_tag.map(|tag| self.home.viewroot().join(tag));
        let includes = Includes::new(caller, view, &is_in_vob);
        let environment = Environment {
            now: jiff::Timestamp::now(),
            zone: jiff::tz::TimeZone::system(),
            read_include: &|path, including| includes.read(path, including),
            vob_tag_of: &tag_of,
            family_of: &family_of,
            tag_of_family: &tag_of_family,
            config_record: &|_| Err(std::io::Error::other("it is not a derived object")),
            home: home.as_ref().map(|home| home.as_os_str().as_bytes()),
        };
        compile(&environment)
    }

    /// Opens a registered VOB and shows it in views.
    pub fn open_vob(&self, tag: &VobTag, entry: &VobEntry) -> Outcome<Arc<MountedVob>> {
        let vob = Vob::open(&entry.storage)?;
        let index = u16::try_from(entry.index).ok().filter(|index| *index <= INDEX_MAX);
        let index = index.ok_or_else(|| Failure::other("this host has no number left for another VOB"))?;
        let tag = String::from_utf8_lossy(tag.bytes()).into_owned();
        Ok(self.host.add_vob(MountedVob { index: VobIndex(index), tag, vob: Arc::new(vob) }))
    }

    /// Opens a registered view and shows it under the view root. A config spec that no longer
    /// compiles (an include is gone) does not keep the view from starting: it shows nothing
    /// but history until another is set.
    pub fn open_view(&self, tag: &ViewTag, entry: &ViewEntry) -> Outcome<Arc<View>> {
        let storage = ViewStorage::open(&entry.storage)?;
        if let Err(error) = Staging::clear(&storage) {
            tracing::warn!(view = tag.as_str(), %error, "files that a call left cannot be removed");
        }
        let index = u16::try_from(entry.index).ok().filter(|index| *index <= INDEX_MAX);
        let index = index.ok_or_else(|| Failure::other("this host has no number left for another view"))?;
        let owner = Caller::of_user(entry.owner, entry.group);
        let origin = storage.config_spec_origin()?;
        let text = storage.config_spec()?;
        // Included files are not read again when a view starts; dates are evaluated again.
        let compiled = storage.compiled_spec(&text)?.map(|form| {
            self.with_environment(None, &owner, |environment| {
                ConfigSpec::from_compiled_form(&form, environment)
            })
        });
        let compile = |text: &[u8]| self.compile(text, &origin, &owner);
        let spec = match compiled {
            Some(Ok(spec)) => Ok(spec),
            Some(Err(error)) => {
                tracing::warn!(view = tag.as_str(), %error, "the compiled config spec cannot be used");
                compile(&text)
            }
            None => compile(&text),
        };
        let spec = match spec {
            Ok(spec) => spec,
            Err(diagnostics) => {
                let first = diagnostics.first().map(ToString::to_string);
                tracing::error!(
                    view = tag.as_str(),
                    error = first,
                    "the config spec does not compile any more"
                );
                let nothing = compile(b"element * -none\n");
                nothing.map_err(|_| Failure::internal("the empty config spec does not compile"))?
            }
        };
        let view = View::new(ViewIndex(index), tag.as_str().to_owned(), storage, spec);
        Ok(self.host.add_view(view))
    }

    /// Returns who a caller is, as events record it.
    pub fn user(&self, caller: &Caller, context: &Context) -> User {
        let (login, full_name) = match Account::of_user(caller.user_id) {
            Some(account) => (account.login, account.full_name),
            None => (identity::user_name(caller.user_id), String::new()),
        };
        let host = Some(context.host.clone()).filter(|host| !host.is_empty());
        User {
            login,
            full_name,
            group: identity::group_name(caller.group_id),
            host: host.unwrap_or_else(|| self.host_name.clone()),
        }
    }

    /// Says where a view's storage is, as `host:path`.
    pub fn storage_of(&self, view: &View) -> Vec<u8> {
        [self.host_name.as_bytes(), b":", view.storage.dir().as_os_str().as_bytes()].concat()
    }

    /// Refuses what only some may do.
    pub fn permit(&self, caller: &Caller, owners: &[(u32, &str)], operation: &str) -> Outcome<()> {
        let daemon = rustix::process::geteuid().as_raw();
        let may = caller.is_root()
            || caller.user_id == daemon
            || owners.iter().any(|(id, _)| *id == caller.user_id);
        if may {
            return Ok(());
        }
        let mut must_be_one_of: Vec<String> = owners.iter().map(|(_, name)| (*name).to_owned()).collect();
        must_be_one_of.push("root".to_owned());
        Err(Failure {
            operation: operation.to_owned(),
            must_be_one_of,
            ..Failure::new(FailureCode::Permission)
        })
    }

    /// Returns the default storage place for a tag.
    pub fn default_storage(&self, below: PathBuf, tag: &str, suffix: &str) -> PathBuf {
        below.join(format!("{}.{suffix}", tag.trim_matches('/').replace('/', "_")))
    }
}

/// A recorded user, as clients are told.
pub fn person(user: &User) -> Person {
    Person {
        login: user.login.clone(),
        group: user.group.clone(),
        host: user.host.clone(),
        full_name: user.full_name.clone(),
    }
}

/// The index engine a new VOB gets when none is named.
pub fn default_engine() -> Outcome<EngineKind> {
    match std::env::var("CLERESTORY_ENGINE") {
        Ok(name) => name.parse().map_err(|error| Failure::other(format!("CLERESTORY_ENGINE: {error}"))),
        Err(_) => Ok(EngineKind::default()),
    }
}
