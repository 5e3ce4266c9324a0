//! Watch: what changes in views, as a stream that can be taken up again.

use crate::server::identity::Caller;
use crate::server::proto::{Failure, WatchItem, WatchKind, WatchRequest};
use crate::server::state::{Outcome, Server};
use crate::view::watch::What;
use std::time::{Duration, Instant};

/// How often a watcher is told that there is nothing: a client that is gone is noticed then.
const ALIVE: Duration = Duration::from_secs(20);

impl Server {
    /// Sends what changes at or below paths: a first item when it has begun, then each change.
    ///
    /// # Errors
    /// If a path cannot be watched, or the token is none.
    pub(super) fn watch(
        &self,
        _caller: &Caller,
        request: &WatchRequest,
        send: &mut dyn FnMut(WatchItem) -> bool,
    ) -> Outcome<()> {
        let context = Server::context(&request.context)?;
        let mut watched: Vec<Vec<u8>> = Vec::new();
        for pname in &request.pnames {
            let (view, inside) = self.place(context, pname)?;
            // It need not be there yet.
            let top = self.host.viewroot.join(&view.tag);
            watched.push([std::os::unix::ffi::OsStrExt::as_bytes(top.as_os_str()), inside].concat());
        }
        let newest = self.host.watches.begin();
        let (mut after, mut missed) = match request.token.as_str() {
            "" => (newest, false),
            token => match self.sequence(token)? {
                Some(sequence) => (sequence, false),
                None => (newest, true),
            },
        };
        let item = |kind: WatchKind, path: &[u8], sequence: u64| WatchItem {
            kind: kind.into(),
            path: path.to_vec(),
            token: format!("{}-{sequence}", self.run),
        };
        if !send(item(WatchKind::Ready, b"", after)) {
            return Ok(());
        }
        loop {
            let news = self.host.watches.wait(after, Instant::now() + ALIVE);
            if news.missed || missed {
                for path in &watched {
                    if !send(item(WatchKind::Missed, path, news.newest)) {
                        return Ok(());
                    }
                }
            }
            (after, missed) = (news.newest, false);
            for event in &news.events {
                let is_below = |path: &Vec<u8>| is_at_or_below(&event.path, path);
                let is_above = |path: &Vec<u8>| is_at_or_below(path, &event.path);
                let told = match event.what {
                    What::Selection => watched.iter().any(is_above),
                    What::Changed | What::Removed => watched.iter().any(is_below),
                };
                let kind = match event.what {
                    What::Changed => WatchKind::Changed,
                    What::Removed => WatchKind::Removed,
                    What::Selection => WatchKind::Selection,
                };
                if told && !send(item(kind, &event.path, event.sequence)) {
                    return Ok(());
                }
            }
            if news.ended || news.events.is_empty() && !send(item(WatchKind::Alive, b"", after)) {
                return Ok(());
            }
        }
    }

    /// Reads a token; none where another run of the daemon gave it.
    fn sequence(&self, token: &str) -> Outcome<Option<u64>> {
        let wrong = || Failure::other(format!("\"{token}\" is no token of a watch"));
        let (run, sequence) = token.rsplit_once('-').ok_or_else(wrong)?;
        let sequence = sequence.parse().map_err(|_| wrong())?;
        Ok(Some(sequence).filter(|_| run == self.run))
    }
}

fn is_at_or_below(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
