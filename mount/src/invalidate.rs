//! Making the kernel forget: a queue, and who sends what is in it.
//!
//! A notification takes the kernel's lock of a directory, which the kernel also holds while a request on that
//! directory is being answered. So no request thread ever sends; it only queues, and a thread of the queue's own sends.
//! Whoever waits for the delivery sends himself what is queued: waking that thread and being woken by it would take longer
//! than the notices do.
//!
//! A name that had expired and was answered a moment ago is dropped rather than expired again, because that answer may still be
//! on the way (see `answered`). A directory's name is not: whoever works in that directory would lose its path. It is expired once
//! more a moment later.

use crate::Inode;
use crate::answered::{Answer, Answered};
use crate::notice::{self, Part};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// When names of directories are expired once more: a thread that has an answer has run by then.
const ONCE_MORE_AFTER: Duration = Duration::from_millis(200);

/// Tells the kernel what has changed, in the order of the calls. Cheap to clone.
///
/// Every method but [`settle`](Invalidator::settle), [`tell`](Invalidator::tell) and
/// [`tell_soon`](Invalidator::tell_soon) returns at once. After the end of the
/// mount all do nothing. A name, or an inode, that the kernel does not know is no error.
#[derive(Clone, Debug)]
pub struct Invalidator(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
    /// Held while something is sent, and taken before the queue, so that the order is kept.
    device: Mutex<Option<File>>,
    /// The same, for what cannot wait until what is queued is sent.
    direct: Mutex<Option<Arc<File>>>,
    has_epoch: AtomicBool,
    answered: Answered,
}

#[derive(Debug, Default)]
struct Queue {
    orders: VecDeque<Order>,
    /// Names of directories to expire once more, and when; in that order.
    once_more: VecDeque<(Instant, Inode, OsString)>,
    stopped: bool,
}

#[derive(Debug)]
enum Order {
    Names(Vec<(Inode, OsString)>),
    NamesOnceMore(Vec<(Inode, OsString)>),
    Inodes(Vec<Inode>, Part),
    Epoch,
}

impl Invalidator {
    /// Expires names, present or absent: the next use of each asks anew. Directories stay usable as somebody's
    /// working directory. A name that the kernel has never asked for needs [`listings`](Invalidator::listings) to
    /// show up in a listing.
    pub fn names(&self, names: Vec<(Inode, OsString)>) {
        self.push(Order::Names(names));
    }

    /// Forgets attributes and cached listings of directories.
    pub fn listings(&self, directories: Vec<Inode>) {
        self.push(Order::Inodes(directories, Part::Everything));
    }

    /// Forgets attributes and cached pages of files.
    pub fn contents(&self, files: Vec<Inode>) {
        self.push(Order::Inodes(files, Part::Everything));
    }

    /// Forgets attributes, and cached access lists with them.
    pub fn attributes(&self, inodes: Vec<Inode>) {
        self.push(Order::Inodes(inodes, Part::Attributes));
    }

    /// Expires every name and listing of the mount, and the attributes of its root.
    ///
    /// It is the heavy hammer: a file that nobody holds open is evicted with its pages when its name is next
    /// used, even if the name still leads to it; [`names`](Invalidator::names) keeps them.
    ///
    /// Returns false, having done nothing, when the kernel is older than 6.16: name what changed instead. Attributes
    /// of files that are in use without their name being looked up again (open files, working directories)
    /// stay as they are. A directory that is somebody's working directory shows as deleted to `getcwd` from
    /// the moment that its expired name is used until that very lookup is answered.
    pub fn everything(&self) -> bool {
        let known = self.0.has_epoch.load(Ordering::Relaxed);
        if known {
            self.push(Order::Epoch);
        }
        known
    }

    /// Waits until everything queued so far has been delivered. Never call it from within a request.
    pub fn settle(&self) {
        self.0.send();
    }

    /// Expires names, and forgets listings and contents, as the methods of these names do, and waits for the delivery of
    /// these and of all before. Never call it from within a request.
    pub fn tell(&self, names: Vec<(Inode, OsString)>, listings: Vec<Inode>, contents: Vec<Inode>) {
        let mut queue = self.0.queue();
        if !queue.stopped {
            queue.orders.push_back(Order::Names(names));
            queue.orders.push_back(Order::Inodes(listings, Part::Everything));
            queue.orders.push_back(Order::Inodes(contents, Part::Everything));
        }
        drop(queue);
        self.0.send();
    }

    /// As [`tell`](Invalidator::tell), for requests: a thread of its own delivers, and this waits for it no longer than
    /// `patience`. Name no directory in which the kernel looks for the name that is being answered: it holds its lock.
    pub fn tell_soon(&self, names: Vec<(Inode, OsString)>, listings: Vec<Inode>, patience: Duration) {
        // Not behind what is queued: that may wait for the very lock that the kernel holds for this request.
        let Some(device) = self.0.direct().clone() else { return };
        let (delivered, until_delivered) = mpsc::channel::<()>();
        let shared = Arc::clone(&self.0);
        let (queued_names, queued_listings) = (names.clone(), listings.clone());
        let sender = thread::Builder::new().name("mount-switch".to_owned()).spawn(move || {
            names.iter().for_each(|(parent, name)| shared.send_name(&device, *parent, name));
            listings.iter().for_each(|&inode| send(&device, &notice::forget_inode(inode, Part::Everything)));
            drop(delivered);
        });
        match sender {
            // Nothing is ever sent: the channel ends when all is told.
            Ok(_) => drop(until_delivered.recv_timeout(patience)),
            Err(error) => {
                tracing::warn!(%error, "what a directory showed by another path is told late");
                self.names(queued_names);
                self.listings(queued_listings);
            }
        }
    }

    /// Notes that a name is about to be answered, and that the kernel may remember the answer.
    pub(crate) fn note_answer(&self, parent: Inode, name: &OsStr, answer: Answer) {
        self.0.answered.note(parent, name, answer);
    }

    /// Notes that a name is about to be answered for one use.
    pub(crate) fn note_single_use(&self, parent: Inode, name: &OsStr) {
        self.0.answered.note_expired(parent, name);
    }

    /// Notes that the kernel knows INC_EPOCH.
    pub(crate) fn allow_epoch(&self) {
        self.0.has_epoch.store(true, Ordering::Relaxed);
    }

    /// Ends the thread once it has sent what is queued.
    pub(crate) fn stop(&self) {
        self.0.queue().stopped = true;
        self.0.more.notify_all();
    }

    fn push(&self, order: Order) {
        let mut queue = self.0.queue();
        if !queue.stopped {
            queue.orders.push_back(order);
            drop(queue);
            self.0.more.notify_one();
        }
    }

    /// Starts the sending thread; `device` is a descriptor of the mount's own connection. What was queued before waits.
    pub(crate) fn start(&self, device: OwnedFd) -> io::Result<()> {
        let device = File::from(device);
        *self.0.direct() = Some(Arc::new(device.try_clone()?));
        *self.0.device() = Some(device);
        let shared = Arc::clone(&self.0);
        thread::Builder::new().name("mount-notices".to_owned()).spawn(move || shared.run()).map(drop)
    }
}

/// Makes the queue, before the connection exists.
pub(crate) fn queue() -> Invalidator {
    Invalidator(Arc::default())
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn direct(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        self.direct.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn device(&self) -> MutexGuard<'_, Option<File>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let mut queue = self.queue();
            while queue.orders.is_empty() && !queue.stopped {
                queue.take_due(Instant::now());
                if !queue.orders.is_empty() {
                    break;
                }
                queue = match queue.once_more.front() {
                    None => self.more.wait(queue).unwrap_or_else(PoisonError::into_inner),
                    Some((due, ..)) => {
                        let patience = due.saturating_duration_since(Instant::now());
                        let waited = self.more.wait_timeout(queue, patience);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
            let ends = queue.orders.is_empty();
            drop(queue);
            if ends {
                *self.device() = None;
                *self.direct() = None;
                return;
            }
            self.send();
        }
    }

    /// Sends all that is queued.
    fn send(&self) {
        let device = self.device();
        let Some(device) = &*device else { return };
        loop {
            // The lock of the queue is let go before anything is sent: requests queue meanwhile.
            let next = self.queue().orders.pop_front();
            match next {
                Some(Order::Names(names)) => {
                    names.iter().for_each(|(parent, name)| self.send_name(device, *parent, name));
                }
                Some(Order::NamesOnceMore(names)) => {
                    names.iter().for_each(|(parent, name)| send(device, &notice::expire_name(*parent, name)));
                }
                Some(Order::Inodes(inodes, part)) => {
                    inodes.iter().for_each(|&inode| send(device, &notice::forget_inode(inode, part)));
                }
                Some(Order::Epoch) => {
                    send(device, &notice::increment_epoch());
                    send(device, &notice::forget_inode(Inode::ROOT, Part::Everything));
                }
                None => return,
            }
        }
    }

    fn send_name(&self, device: &File, parent: Inode, name: &OsStr) {
        let recent = self.answered.recent(parent, name);
        match recent {
            Some(Answer::Other) => send(device, &notice::drop_name(parent, name)),
            None | Some(Answer::Directory) => {
                self.answered.note_expired(parent, name);
                send(device, &notice::expire_name(parent, name));
            }
        }
        if recent == Some(Answer::Directory) {
            let due = Instant::now() + ONCE_MORE_AFTER;
            self.queue().once_more.push_back((due, parent, name.to_owned()));
            self.more.notify_one();
        }
    }
}

impl Queue {
    /// Orders what is to be expired once more by now.
    fn take_due(&mut self, now: Instant) {
        let count = self.once_more.partition_point(|(due, ..)| *due <= now);
        if count > 0 {
            let due = self.once_more.drain(..count).map(|(_, parent, name)| (parent, name));
            let due = Order::NamesOnceMore(due.collect());
            self.orders.push_back(due);
        }
    }
}

fn send(mut device: &File, notice: &[u8]) {
    match device.write(notice) {
        Ok(_) => {}
        // ENOENT: the kernel has no such name or inode in its caches. ENODEV, ENOTCONN: the mount has ended.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV | libc::ENOTCONN)) => {}
        Err(error) => tracing::warn!(%error, "the kernel refused a notification"),
    }
}
