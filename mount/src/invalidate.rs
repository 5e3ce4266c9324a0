//! Making the kernel forget: a queue, and the one thread that sends what is in it.
//!
//! A notification takes the kernel's lock of a directory, which the kernel also holds while a request on that
//! directory is being answered. So no request thread ever sends; it only queues.

use crate::Inode;
use crate::notice::{self, Part};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Tells the kernel what has changed. Cheap to clone; sends from its own thread, in the order of the calls.
///
/// Every method but [`settle`](Invalidator::settle) returns at once. After the end of the mount all do nothing.
/// A name, or an inode, that the kernel does not know is no error.
#[derive(Clone, Debug)]
pub struct Invalidator {
    queue: Sender<Order>,
    has_epoch: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Order {
    Names(Vec<(Inode, OsString)>),
    Inodes(Vec<Inode>, Part),
    Epoch,
    Settle(Sender<()>),
    Stop,
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
        let known = self.has_epoch.load(Ordering::Relaxed);
        if known {
            self.push(Order::Epoch);
        }
        known
    }

    /// Waits until everything queued so far has been delivered. Never call it from within a request.
    pub fn settle(&self) {
        let (done, delivered) = mpsc::channel();
        self.push(Order::Settle(done));
        // An error means that the thread has ended, with the mount: nothing is left to wait for.
        let _ = delivered.recv();
    }

    /// Notes that the kernel knows INC_EPOCH.
    pub(crate) fn allow_epoch(&self) {
        self.has_epoch.store(true, Ordering::Relaxed);
    }

    /// Ends the thread once it has sent what is queued.
    pub(crate) fn stop(&self) {
        self.push(Order::Stop);
    }

    fn push(&self, order: Order) {
        // The receiver is gone only when the mount is.
        let _ = self.queue.send(order);
    }
}

/// The receiving end, made before the connection exists.
#[derive(Debug)]
pub(crate) struct Outbox(Receiver<Order>);

/// Makes the two ends of the queue.
pub(crate) fn queue() -> (Invalidator, Outbox) {
    let (sender, receiver) = mpsc::channel();
    (Invalidator { queue: sender, has_epoch: Arc::new(AtomicBool::new(false)) }, Outbox(receiver))
}

impl Outbox {
    /// Starts the sending thread; `device` is a descriptor of the mount's own connection.
    pub(crate) fn start(self, device: OwnedFd) -> io::Result<()> {
        let device = File::from(device);
        let run = move || self.run(&device);
        thread::Builder::new().name("mount-notices".to_owned()).spawn(run).map(drop)
    }

    fn run(&self, device: &File) {
        while let Ok(order) = self.0.recv() {
            match order {
                Order::Names(names) => {
                    names.iter().for_each(|(parent, name)| send(device, &notice::expire_name(*parent, name)));
                }
                Order::Inodes(inodes, part) => {
                    inodes.iter().for_each(|&inode| send(device, &notice::forget_inode(inode, part)));
                }
                Order::Epoch => {
                    send(device, &notice::increment_epoch());
                    send(device, &notice::forget_inode(Inode::ROOT, Part::Everything));
                }
                Order::Settle(done) => {
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                Order::Stop => return,
            }
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
