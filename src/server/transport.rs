//! gRPC over a Unix socket: listening and connecting.
//!
//! Owns how the two ends find each other and how the peer's identity reaches a handler. Knows no message.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_stream::{Stream, StreamExt, wrappers::UnixListenerStream};
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};

use super::identity::Caller;

/// The longest path a socket address holds: sun_path is 108 bytes with the final zero (sys/un.h).
const MAX_ADDRESS_SIZE_BYTES: usize = 107;

/// Runs `act` with a path to `socket` that fits into an address: through the open directory when it is too long.
fn with_short_path<T>(socket: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if socket.as_os_str().as_bytes().len() <= MAX_ADDRESS_SIZE_BYTES {
        return act(socket);
    }
    let (Some(directory), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    let directory =
        rustix::fs::open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    act(&PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name))
}

/// Listens on a socket of any path length, replacing a stale one. The caller must hold the home's lock.
///
/// Root's daemon is open to every user; another user's only to that user.
///
/// # Errors
/// What the system said.
pub fn listen(socket: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = with_short_path(socket, |path| UnixListener::bind(path))?;
    let mode = if rustix::process::geteuid().is_root() { 0o666 } else { 0o600 };
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

/// Connects to a socket of any path length.
///
/// # Errors
/// `NotFound` and `ConnectionRefused` mean that no daemon listens.
pub fn connect(socket: &Path) -> io::Result<UnixStream> {
    with_short_path(socket, |path| UnixStream::connect(path))
}

/// A connection together with the identity of its peer.
#[derive(Debug)]
pub struct PeerStream {
    stream: tokio::net::UnixStream,
    caller: Caller,
}

impl Connected for PeerStream {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The connections of a listener, for `tonic`'s `serve_with_incoming`. A peer that cannot be identified is
/// dropped with a line in the log. Call it within a runtime.
///
/// # Errors
/// The listener cannot be made non-blocking.
pub fn incoming(listener: UnixListener) -> io::Result<impl Stream<Item = io::Result<PeerStream>>> {
    listener.set_nonblocking(true)?;
    let accepted = UnixListenerStream::new(tokio::net::UnixListener::from_std(listener)?);
    Ok(accepted.filter_map(|stream| match stream {
        Ok(stream) => match Caller::of_peer(&stream) {
            Ok(caller) => Some(Ok(PeerStream { stream, caller })),
            Err(error) => {
                tracing::warn!(%error, "dropped a connection without an identity");
                None
            }
        },
        Err(error) => Some(Err(error)),
    }))
}

/// The identity of whoever made a request.
///
/// # Errors
/// An internal status when the request did not come through [`incoming`].
pub fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| Status::internal("a request without the identity of its peer"))
}

/// Makes a gRPC channel of one connection. It does not reconnect. Call it within a runtime.
///
/// # Errors
/// The connection was closed at once.
pub async fn channel(stream: UnixStream) -> Result<Channel, tonic::transport::Error> {
    let stream = Mutex::new(Some(stream));
    let connector = tower::service_fn(move |_: Uri| {
        let stream = stream.lock().map(|mut slot| slot.take()).unwrap_or_default();
        async move {
            let stream = stream.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionReset))?;
            stream.set_nonblocking(true)?;
            Ok::<_, io::Error>(TokioIo::new(tokio::net::UnixStream::from_std(stream)?))
        }
    });
    // The name is never resolved; HTTP/2 wants one.
    Endpoint::from_static("http://clerestory").connect_with_connector(connector).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_with_long_paths_work_and_stale_ones_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("a".repeat(90)).join("b".repeat(90));
        std::fs::create_dir_all(&deep).unwrap();
        let socket = deep.join("socket");
        assert_eq!(connect(&socket).unwrap_err().kind(), io::ErrorKind::NotFound);
        let listener = listen(&socket).unwrap();
        connect(&socket).unwrap();
        drop(listener);
        assert_eq!(connect(&socket).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let _listener = listen(&socket).unwrap();
        connect(&socket).unwrap();
    }
}
