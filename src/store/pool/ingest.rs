//! Bulk loading: hashing in the caller's thread, compression in workers, bounded memory in between.
//!
//! A content whose predecessor is still under way waits for it, so that its base can be chosen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{ContentId, Error, Inner, Result, SMALL_BYTES};

/// A bulk load. Dropping it without [`Ingest::finish`] waits for the contents under way, but does not sync.
pub struct Ingest {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    pools: Arc<Inner>,
    queue: Mutex<Queue>,
    /// There is work, or there will be no more.
    work: Condvar,
    /// A content is done.
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Job>,
    /// Jobs by the predecessor they wait for.
    waiting: FxHashMap<ContentId, Vec<Job>>,
    under_way: FxHashSet<ContentId>,
    bytes: u64,
    failed: Option<Error>,
    stopped: bool,
    closed: bool,
}

struct Job {
    id: ContentId,
    content: Vec<u8>,
    predecessor: Option<ContentId>,
}

impl Ingest {
    pub(super) fn start(pools: &Arc<Inner>) -> Ingest {
        let shared = Arc::new(Shared {
            pools: Arc::clone(pools),
            queue: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        let workers = (0..pools.limits.ingest_threads.max(1))
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.run())
            })
            .collect();
        Ingest { shared, workers }
    }

    /// Takes a content and returns its address at once; waits only while too much is under way. The content
    /// can be read when it has been compressed, at the latest after [`Ingest::finish`].
    ///
    /// Errors: that of an earlier content, once; later calls find the load stopped.
    pub fn submit(&self, content: Vec<u8>, predecessor: Option<&ContentId>) -> Result<ContentId> {
        let id = ContentId::of(&content);
        let pools = &self.shared.pools;
        if content.len() > SMALL_BYTES {
            return pools.put_large(&content, &mut std::io::empty()).map(|(id, _)| id);
        }
        {
            let mut queue = self.shared.queue.lock();
            self.shared.check(&mut queue)?;
            if queue.under_way.contains(&id) {
                return Ok(id);
            }
        }
        if pools.number(&id)?.is_some() {
            return Ok(id);
        }
        let length = content.len() as u64;
        let job = Job { id, content, predecessor: predecessor.copied() };
        let mut queue = self.shared.queue.lock();
        while queue.bytes > 0 && queue.bytes + length > pools.limits.ingest_bytes && !queue.stopped {
            self.shared.done.wait(&mut queue);
        }
        self.shared.check(&mut queue)?;
        if !queue.under_way.insert(id) {
            return Ok(id);
        }
        queue.bytes += length;
        match job
            .predecessor
            .filter(|predecessor| queue.under_way.contains(predecessor) && *predecessor != id)
        {
            Some(predecessor) => queue.waiting.entry(predecessor).or_default().push(job),
            None => {
                queue.ready.push_back(job);
                self.shared.work.notify_one();
            }
        }
        Ok(id)
    }

    /// Waits until every content is stored, and makes them durable.
    pub fn finish(mut self) -> Result<()> {
        self.stop();
        self.shared.check(&mut self.shared.queue.lock())?;
        self.shared.pools.sync()
    }

    /// Waits until every content submitted so far is stored and durable; the load goes on.
    pub fn sync(&self) -> Result<()> {
        let mut queue = self.shared.queue.lock();
        while !queue.under_way.is_empty() && !queue.stopped {
            self.shared.done.wait(&mut queue);
        }
        self.shared.check(&mut queue)?;
        drop(queue);
        self.shared.pools.sync()
    }

    fn stop(&mut self) {
        self.shared.queue.lock().closed = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                self.shared.queue.lock().stopped = true;
            }
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn run(&self) {
        while let Some(job) = self.next() {
            let length = job.content.len() as u64;
            let id = job.id;
            let predecessor = job.predecessor;
            let outcome = self.pools.store(&job.content, id, predecessor.as_ref());
            drop(job);
            let mut queue = self.queue.lock();
            queue.bytes -= length;
            queue.under_way.remove(&id);
            if let Some(waiting) = queue.waiting.remove(&id) {
                queue.ready.extend(waiting);
            }
            if let Err(error) = outcome {
                queue.failed.get_or_insert(error);
                queue.stopped = true;
            }
            drop(queue);
            self.work.notify_all();
            self.done.notify_all();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(job) = queue.ready.pop_front() {
                return Some(job);
            }
            if queue.closed && queue.under_way.is_empty() {
                return None;
            }
            self.work.wait(&mut queue);
        }
    }

    fn check(&self, queue: &mut Queue) -> Result<()> {
        if let Some(error) = queue.failed.take() {
            return Err(error);
        }
        if queue.stopped {
            let reason = "a content could not be stored".to_owned();
            return Err(Error::Poisoned { path: self.pools.dir.clone(), reason });
        }
        Ok(())
    }
}
