//! The host daemon: registry, VOBs, views, mount, and the calls of clients.
//!
//! `lifecycle` makes sure there is one daemon for each home; [`run`] is its life: clear what a
//! killed predecessor left, mount, show every registered VOB and view, answer calls, and take
//! everything down again. Calls are in `service`, one module for each family.

pub mod firing;
pub mod home;
pub mod identity;
pub mod include;
pub mod lifecycle;
pub mod proto;
pub mod registry;
pub mod service;
pub mod state;
pub mod transport;

use crate::view::Host;
use clerestory_mount::{Mounted, Time};
use parking_lot::Mutex;
use state::Server;
use std::path::Path;
use std::sync::Arc;

/// Why the daemon cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The view root cannot be mounted.
    #[error("the view root {} cannot be mounted: {source}{hint}", path.display())]
    Mount {
        /// The view root.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What the user can do.
        hint: &'static str,
    },
    /// Another daemon has its mount there.
    #[error("the view root {} is in use by another daemon; choose another with CLERESTORY_VIEWROOT", .0.display())]
    ViewrootInUse(std::path::PathBuf),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] registry::RegistryError),
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Stack of each thread, the mount's included: paths of directories are followed upwards name by name, and there can be
/// two thousand. The kernel gives memory for what is used alone.
const STACK_BYTES: usize = 32 << 20;

/// Runs the daemon until a client or a signal stops it.
///
/// # Errors
/// If it cannot begin to serve.
pub fn run(start: lifecycle::Start) -> Result<(), RunError> {
    // Whoever started the daemon may have any mask: what it writes for itself nobody else changes.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLERESTORY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    let io = |what| move |source| RunError::Io { what, source };
    // SAFETY: nothing else runs in this process yet that could read the environment.
    unsafe { std::env::set_var("RUST_MIN_STACK", STACK_BYTES.to_string()) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // It moves messages; the work is done on threads for blocking work. A second one would be woken for nothing.
        .worker_threads(1)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(io("starting the runtime"))?;
    let server = Arc::new(begin(&start)?);
    let served = runtime.block_on(serve(start, Arc::clone(&server)));
    // Calls under way have ended or are given up; nothing asks for a view any more.
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    end(&server);
    served
}

/// Mounts the view root and shows what is registered.
fn begin(start: &lifecycle::Start) -> Result<Server, RunError> {
    let viewroot = start.home.viewroot();
    let io = |what| move |source| RunError::Io { what, source };
    match clerestory_mount::clear_stale(viewroot) {
        Ok(true) => {
            tracing::info!(path = %viewroot.display(), "cleared the mount of a daemon that was killed")
        }
        Ok(false) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => {
            return Err(RunError::Mount { path: viewroot.to_owned(), source, hint: "" });
        }
    }
    std::fs::create_dir_all(viewroot).map_err(io("making the view root"))?;
    if is_ours(viewroot) {
        return Err(RunError::ViewrootInUse(viewroot.to_owned()));
    }
    let viewroot = viewroot.canonicalize().map_err(io("finding the view root"))?;
    let now = state::now_ns();
    let started = Time { seconds: now.div_euclid(1_000_000_000), nanoseconds: 0 };
    let host = Arc::new(Host::new(viewroot.clone(), started));
    let options = clerestory_mount::Options {
        mountpoint: viewroot.clone(),
        allow_other: rustix::process::geteuid().is_root(),
        threads: std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 16),
        name: "clerestory".to_owned(),
    };
    let namespace: Arc<dyn clerestory_mount::Namespace> = Arc::clone(&host) as _;
    let mounted = clerestory_mount::mount(namespace, &options).map_err(|source| RunError::Mount {
        hint: match source.kind() {
            std::io::ErrorKind::NotFound => " (is the package fuse3 installed, and is there a /dev/fuse?)",
            std::io::ErrorKind::PermissionDenied => " (may this user use /dev/fuse?)",
            _ => "",
        },
        path: viewroot,
        source,
    })?;
    host.set_invalidator(mounted.invalidator());
    let server = Server::assemble(&start.home, host, Some(mounted))?;
    server.show_registered();
    Ok(server)
}

/// Tells whether a live daemon's mount is there.
fn is_ours(viewroot: &Path) -> bool {
    let Ok(table) = std::fs::read_to_string("/proc/self/mounts") else {
        return false;
    };
    let Ok(viewroot) = viewroot.canonicalize() else {
        return false;
    };
    table.lines().any(|line| {
        let mut fields = line.split(' ');
        let (source, target) = (fields.next(), fields.next());
        source == Some("clerestory") && target.is_some_and(|target| Path::new(&unescape(target)) == viewroot)
    })
}

/// Undoes the octal escapes of the mount table.
fn unescape(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

async fn serve(start: lifecycle::Start, server: Arc<Server>) -> Result<(), RunError> {
    use tokio::signal::unix::{SignalKind, signal};
    let io = |what| move |source| RunError::Io { what, source };
    let mut terminate = signal(SignalKind::terminate()).map_err(io("watching for SIGTERM"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(io("watching for SIGINT"))?;
    let mut stop = server.stop.subscribe();
    let incoming = transport::incoming(start.listener).map_err(io("listening"))?;
    let until = async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("stopped by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("stopped by SIGINT"),
            _ = stop.wait_for(|stop| *stop) => tracing::info!("stopped by a client"),
        }
    };
    start.ready.ready();
    tracing::info!(home = %server.home.root().display(), "serving");
    let service = service::service(Arc::clone(&server));
    let serving = tonic::transport::Server::builder().add_service(service);
    // Calls that are streaming when the daemon stops are told to end.
    let stopping = Arc::clone(&server);
    let until = async move {
        until.await;
        let _ = stopping.stop.send(true);
        stopping.host.watches.end();
    };
    let mut stopped = server.stop.subscribe();
    let given_up = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
        tokio::time::sleep(CONNECTIONS_LIMIT).await;
    };
    tokio::select! {
        served = serving.serve_with_incoming_shutdown(incoming, until) => served.map_err(|error| RunError::Io {
            what: "answering calls",
            source: std::io::Error::other(error),
        }),
        // A client that keeps its connection open without a call does not keep the daemon.
        () = given_up => Ok(()),
    }
}

/// How long clients have to end their connections when the daemon stops.
const CONNECTIONS_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Takes everything down: the mount first, then the VOBs.
fn end(server: &Server) {
    if let Some(mounted) = server.mounted.lock().take()
        && let Err(error) = mounted.unmount()
    {
        tracing::error!(%error, "the view root could not be unmounted");
    }
    for vob in server.host.vobs() {
        if let Err(error) = vob.vob.close() {
            tracing::error!(%error, vob = vob.tag, "the index was not written; it is brought up from the journal");
        }
    }
    tracing::info!("ended");
}

impl Server {
    fn assemble(home: &home::Home, host: Arc<Host>, mounted: Option<Mounted>) -> Result<Server, RunError> {
        Ok(Server {
            home: home.clone(),
            registry: registry::Registry::open(home.registry())?,
            started_s: host.started.seconds,
            run: format!("{:x}.{:x}", state::now_ns(), std::process::id()),
            host,
            mounted: Mutex::new(mounted),
            administration: Mutex::new(()),
            host_name: identity::host_name(),
            stop: tokio::sync::watch::Sender::new(false),
            tokens: firing::Tokens::default(),
        })
    }

    /// A server of a home without a mount and without a socket, for a program that calls it itself
    /// (see [`service::Direct`]) and looks at what views show through [`Server::host`].
    ///
    /// The home must have been created. Who runs such a server makes sure that no daemon has it.
    ///
    /// # Errors
    /// If the home cannot be used.
    pub fn without_mount(home: &home::Home) -> Result<Server, RunError> {
        let started = Time { seconds: state::now_ns().div_euclid(1_000_000_000), nanoseconds: 0 };
        let host = Arc::new(Host::new(home.viewroot().to_owned(), started));
        let server = Server::assemble(home, host, None)?;
        server.show_registered();
        Ok(server)
    }

    /// Shows every VOB and view that was mounted or started. One that cannot be used is left
    /// out, with its reason in the log; commands on it say the reason again.
    fn show_registered(&self) {
        let entries = self.registry.entries();
        for (tag, entry) in entries.vobs.iter().filter(|(_, entry)| entry.mounted) {
            if let Err(failure) = self.open_vob(tag, entry) {
                tracing::error!(%tag, ?failure, "the VOB cannot be mounted");
            }
        }
        for (tag, entry) in entries.views.iter().filter(|(_, entry)| entry.started) {
            if let Err(failure) = self.open_view(tag, entry) {
                tracing::error!(%tag, ?failure, "the view cannot be started");
            }
        }
    }
}
