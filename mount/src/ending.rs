//! The end of a mount: who waits for it, and the gate that keeps late requests out of a namespace that is closed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Tells when a mount has ended, by whatever hand: ours, `umount`, or the kernel.
#[derive(Clone, Debug)]
pub struct Ending(Arc<Signal>);

#[derive(Debug)]
struct Signal {
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Ending {
    pub(crate) fn new() -> Ending {
        Ending(Arc::new(Signal { ended: Mutex::new(false), changed: Condvar::new() }))
    }

    pub(crate) fn announce(&self) {
        *self.lock() = true;
        self.0.changed.notify_all();
    }

    /// Returns whether all event loops have ended.
    pub fn has_come(&self) -> bool {
        *self.lock()
    }

    /// Waits until all event loops have ended.
    pub fn wait(&self) {
        let guard = self.0.changed.wait_while(self.lock(), |ended| !*ended);
        drop(guard.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits no longer than `limit`; returns whether the end has come.
    pub fn wait_for(&self, limit: Duration) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.lock(), limit, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Set in the gate's word once it is closed; the rest counts the requests inside.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// Counts the requests that are inside the namespace, and lets no more in once closed.
#[derive(Debug)]
pub(crate) struct Gate {
    inside: AtomicUsize,
    empty: Mutex<()>,
    changed: Condvar,
}

/// One request inside the gate.
pub(crate) struct Pass<'a>(&'a Gate);

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate { inside: AtomicUsize::new(0), empty: Mutex::new(()), changed: Condvar::new() }
    }

    /// Lets a request in, unless the gate is closed.
    pub(crate) fn enter(&self) -> Option<Pass<'_>> {
        let pass = Pass(self);
        let before = self.inside.fetch_add(1, Ordering::SeqCst);
        (before & CLOSED == 0).then_some(pass)
    }

    /// Closes the gate and waits until nobody is inside.
    pub(crate) fn close(&self) {
        self.inside.fetch_or(CLOSED, Ordering::SeqCst);
        let guard = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        let occupied = |_: &mut ()| self.inside.load(Ordering::SeqCst) != CLOSED;
        drop(self.changed.wait_while(guard, occupied).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let gate = self.0;
        if gate.inside.fetch_sub(1, Ordering::SeqCst) == CLOSED + 1 {
            let _guard = gate.empty.lock().unwrap_or_else(PoisonError::into_inner);
            gate.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_waits_for_those_inside_and_lets_nobody_in() {
        let gate = Gate::new();
        let pass = gate.enter().expect("open");
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| gate.close());
            while gate.enter().is_some() {
                std::thread::yield_now();
            }
            assert!(!closing.is_finished());
            drop(pass);
        });
        assert!(gate.enter().is_none());
    }
}
