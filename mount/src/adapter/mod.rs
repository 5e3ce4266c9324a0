//! What every request has in common: it is counted, let through the gate, guarded against panics, and its answer
//! gets a lifetime.
//!
//! An answer may be remembered for ever if nothing changed while it was worked out. The change epoch is read
//! before and after; and once more when the answer is out, because a change between the second look and the
//! kernel's taking it in would otherwise leave a stale answer behind: then what was sent is expired again.

mod init;
mod replies;
mod requests;

use crate::callers::Callers;
use crate::counters::Recorder;
use crate::ending::{Ending, Gate};
use crate::invalidate::Invalidator;
use crate::{Caller, Inode, Namespace, Refusal, Request};
use std::cell::RefCell;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// 100 years: "for ever", and far from where the kernel's jiffies would overflow.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Valid for the one use that asked.
const ONCE: Duration = Duration::ZERO;

/// The state that the adapter shares with the handle of the mount.
pub(crate) struct Shared {
    pub(crate) recorder: Recorder,
    pub(crate) callers: Callers,
    pub(crate) gate: Gate,
    pub(crate) ending: Ending,
    pub(crate) invalidator: Invalidator,
}

/// A namespace as fuser sees it.
pub(crate) struct Adapter {
    namespace: Arc<dyn Namespace>,
    shared: Arc<Shared>,
}

/// What the kernel must ask again when an answer turns out to have been overtaken.
#[derive(Default)]
struct Sent {
    names: Vec<(Inode, OsString)>,
    listing: Option<Inode>,
    inodes: Vec<Inode>,
}

thread_local! {
    /// The bytes of the latest READ of this event loop; kept, so that large reads do not map memory each time.
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Adapter {
    pub(crate) fn new(namespace: Arc<dyn Namespace>, shared: Arc<Shared>) -> Adapter {
        Adapter { namespace, shared }
    }

    fn count(&self, request: Request) {
        self.shared.recorder.count(request);
    }

    /// Counts a request and asks the namespace.
    fn ask<T>(
        &self,
        from: &fuser::Request,
        request: Request,
        question: impl FnOnce(&dyn Namespace) -> Result<T, Refusal>,
    ) -> Result<T, fuser::Errno> {
        self.count(request);
        if request != Request::Forget {
            self.shared.callers.count(from.pid());
        }
        let Some(_pass) = self.shared.gate.enter() else {
            return Err(errno(Refusal::ShuttingDown));
        };
        let began = Instant::now();
        let answer = catch_unwind(AssertUnwindSafe(|| question(&*self.namespace)));
        self.shared.recorder.took(request, began.elapsed());
        match answer {
            Ok(answer) => answer.map_err(errno),
            Err(panic) => {
                let message = panic_message(&*panic);
                tracing::error!(request = request.name(), message, "a request panicked; answered with EIO");
                Err(errno(Refusal::Io))
            }
        }
    }

    /// Like [`ask`](Adapter::ask), and tells how long the answer may live.
    fn ask_lasting<T>(
        &self,
        from: &fuser::Request,
        request: Request,
        question: impl FnOnce(&dyn Namespace) -> Result<T, Refusal>,
    ) -> Result<Lasting<T>, fuser::Errno> {
        self.ask(from, request, |namespace| {
            let epoch = namespace.change_epoch();
            let answer = question(namespace)?;
            let moved = namespace.change_epoch() != epoch;
            Ok(Lasting { answer, epoch, lifetime: if moved { ONCE } else { FOREVER } })
        })
    }

    /// To be called after an answer is out: expires it if something changed since `epoch`.
    fn settle_answer(&self, epoch: u64, sent: impl FnOnce() -> Sent) {
        let Some(_pass) = self.shared.gate.enter() else {
            return;
        };
        let now = catch_unwind(AssertUnwindSafe(|| self.namespace.change_epoch()));
        if now.is_ok_and(|now| now == epoch) {
            return;
        }
        let sent = sent();
        let invalidator = &self.shared.invalidator;
        invalidator.attributes(sent.inodes);
        invalidator.names(sent.names);
        invalidator.listings(sent.listing.into_iter().collect());
    }
}

/// An answer and how long it may be remembered.
struct Lasting<T> {
    answer: T,
    epoch: u64,
    lifetime: Duration,
}

fn errno(refusal: Refusal) -> fuser::Errno {
    fuser::Errno::from_i32(refusal.errno())
}

fn caller(request: &fuser::Request) -> Caller {
    Caller { uid: request.uid(), gid: request.gid(), pid: request.pid() }
}

fn inode(number: fuser::INodeNo) -> Inode {
    Inode::new(number.0)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
