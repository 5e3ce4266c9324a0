//! The program as users have it: a daemon, calls over its socket, and a mount in the kernel.

use super::{Commands, Errno, Files, Kind, Product, Sight, Stat, commands};
use crate::model::{Entry, Id, Made, Model, Trail, VIEWS, join};
use crate::product::library::memory_directory;
use crate::world::World;
use clerestory::server::proto::host_client::HostClient;
use clerestory::server::proto::*;
use clerestory::server::transport;
use clerestory::store::Vob;
use rustix::fs::{CWD, Mode, OFlags};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tonic::transport::Channel;

/// A daemon with its mount, which goes when the last program that uses it does.
pub struct Daemon {
    world: World,
    runtime: tokio::runtime::Runtime,
    client: HostClient<Channel>,
    made: Cell<usize>,
}

/// A VOB and two views of a daemon.
pub struct Mounted {
    daemon: Rc<Daemon>,
    number: usize,
    /// The last word of the VOB's tag.
    tag: String,
    /// Whether what was made stays when this goes.
    keep: Cell<bool>,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.keep.get() || !self.daemon.answers() {
            return;
        }
        for view in 0..VIEWS {
            let which = Some(remove_view_request::Which::Tag(self.view_tag(view)));
            let _ = self.remove_view(RemoveViewRequest { context: self.context(view), which, force: true });
        }
        let which = Some(remove_vob_request::Which::Tag(self.vob_tag().into_bytes()));
        let _ = self.remove_vob(RemoveVobRequest {
            context: self.context(0),
            which,
            force: true,
            only_tell: false,
        });
    }
}

impl Daemon {
    /// Starts a daemon with a home in memory.
    pub fn start() -> Rc<Daemon> {
        let world = World::below(&memory_directory());
        world.clerestory(&["status"]);
        world.ct(&["lsvob"]).ok();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let stream = transport::connect(&world.home().join("socket")).expect("the daemon listens");
        let channel = runtime.block_on(transport::channel(stream)).expect("the daemon answers");
        let client = HostClient::new(channel).max_decoding_message_size(64 << 20);
        Rc::new(Daemon { world, runtime, client, made: Cell::new(0) })
    }

    fn answers(&self) -> bool {
        self.runtime.block_on(self.client.clone().status(StatusRequest {})).is_ok()
    }

    /// The failure in a status. A daemon that has none is ill.
    fn failure(status: tonic::Status) -> Failure {
        Failure::from_status(&status).unwrap_or_else(|| panic!("the daemon says {status:?}"))
    }
}

macro_rules! answer {
    ($($name:ident($request:ty) -> $answer:ty;)* ; $($stream:ident($sr:ty) -> $item:ty;)*) => {
        impl Commands for Mounted {
            $(fn $name(&self, request: $request) -> Result<$answer, Failure> {
                let mut client = self.daemon.client.clone();
                let reply = self.daemon.runtime.block_on(client.$name(request));
                reply.map(tonic::Response::into_inner).map_err(Daemon::failure)
            })*
            $(fn $stream(&self, request: $sr) -> Result<Vec<$item>, Failure> {
                let mut client = self.daemon.client.clone();
                self.daemon.runtime.block_on(async {
                    let mut stream = client.$stream(request).await.map_err(Daemon::failure)?.into_inner();
                    let mut items = Vec::new();
                    while let Some(item) = stream.message().await.map_err(Daemon::failure)? {
                        items.push(item);
                    }
                    Ok(items)
                })
            })*
        }
    };
}
commands!(answer);

impl Mounted {
    /// Makes a VOB with an index engine, and views, in a daemon; in a new one if that has died.
    pub fn new(daemon: &Rc<Daemon>, engine: &str) -> Mounted {
        let daemon = if daemon.answers() { Rc::clone(daemon) } else { Daemon::start() };
        let number = daemon.made.get() + 1;
        daemon.made.set(number);
        let mounted = Mounted { daemon, number, tag: format!("m{number}"), keep: Cell::new(false) };
        let request = CreateVobRequest {
            context: mounted.context(0),
            tag: mounted.vob_tag().into_bytes(),
            engine: engine.to_owned(),
            mount: true,
            public: true,
            ..CreateVobRequest::default()
        };
        mounted.create_vob(request).expect("a VOB can be made");
        for view in 0..VIEWS {
            let (context, tag) = (mounted.context(view), mounted.view_tag(view));
            let request = CreateViewRequest { context, tag, ..CreateViewRequest::default() };
            mounted.create_view(request).expect("a view can be made");
        }
        mounted.make_all_types();
        mounted
    }

    /// Where any view shows the VOB's root.
    pub fn top_of(&self, view_tag: &str) -> String {
        let top = self.daemon.world.in_view(view_tag, &self.vob_tag());
        top.into_os_string().into_string().expect("the temporary directory has a name in UTF-8")
    }

    fn path(&self, view: usize, path: &str) -> PathBuf {
        Path::new(&self.top(view)).join(path)
    }

    /// Stops the daemon, which nothing else may use, and opens the VOB.
    pub fn stop(self) -> (World, Vob) {
        let storage = self.daemon.world.home().join("vobs").join(format!("vobs_{}.vbs", self.tag));
        self.keep.set(true);
        let daemon = Rc::clone(&self.daemon);
        drop(self);
        let Ok(daemon) = Rc::try_unwrap(daemon) else { panic!("something else uses the daemon") };
        drop((daemon.client, daemon.runtime));
        daemon.world.clerestory(&["shutdown"]).ok();
        daemon.world.wait_for_end();
        let vob = Vob::open(&storage).expect("the VOB can be opened");
        (daemon.world, vob)
    }
}

impl Product for Mounted {
    fn top(&self, view: usize) -> String {
        self.top_of(&self.view_tag(view))
    }

    fn view_tag(&self, view: usize) -> String {
        format!("{}{}", ["one", "two"][view], self.number)
    }

    fn vob_tag(&self) -> String {
        format!("/vobs/{}", self.tag)
    }

    fn identity(&self, model: &Model, made: &Made) -> Option<String> {
        // The name need not be shown, but the checked-out directory has it.
        let directory = &model.elements[made.directory];
        let branch = directory.branch_id(directory.checkouts[made.view].as_ref()?.branch);
        let path = if made.path.is_empty() { "." } else { &made.path };
        let pname = self.pname(made.view, &format!("{path}@@{branch}/CHECKEDOUT/{}@@", made.leaf));
        let target = Some(Target { target: Some(target::Target::Pname(pname)) });
        let context = self.context(made.view);
        let request = DescribeRequest { context, target, ..DescribeRequest::default() };
        match self.describe(request).ok()?.object? {
            description::Object::Element(facts) => Some(facts.oid),
            _ => None,
        }
    }

    fn settle(&self, model: &Model) {
        // A command ends when the kernel has taken in what came before; this one leaves everything as it is.
        let reply = self.change_vob(ChangeVobRequest {
            context: self.context(0),
            tags: vec![self.vob_tag().into_bytes()],
            evil_twin_detection: Some(model.detects_twins),
        });
        reply.expect("a setting can be set again");
    }

    fn compare_elements(&self, model: &Model, all: bool) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for view in 0..VIEWS {
            for (path, id, trail) in model.directories(view) {
                for (path, child) in named(model, view, (&path, id, trail)) {
                    if (all || model.touched.contains(&child)) && seen.insert(child) {
                        self.compare_tree(model, (view, &path), child)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The elements that a directory catalogs, and are not hidden there.
fn named(model: &Model, view: usize, (path, id, trail): (&str, Id, Trail)) -> Vec<(String, Id)> {
    let catalog = model.catalog(view, id, model.select(view, id, trail).0);
    let child = |(name, entry): (&String, &Entry)| match entry {
        Entry::Element(child) if model.views[view].private(id, std::slice::from_ref(name)).is_none() => {
            Some((join(path, name), *child))
        }
        _ => None,
    };
    catalog.iter().filter_map(child).collect()
}

impl Mounted {
    /// Compares what `lsvtree` says of an element.
    fn compare_tree(&self, model: &Model, (view, path): (usize, &str), id: Id) -> Result<(), String> {
        let element = &model.elements[id];
        let mut expected = Vec::new();
        for (at, branch) in element.branches.iter().enumerate().filter(|(_, b)| !b.versions.is_empty()) {
            expected.push(element.branch_id(at));
            for version in &branch.versions {
                let spot = (at, version.number);
                expected.push(format!(
                    "{} [{}]",
                    element.version_id(spot),
                    element.labels_of(spot).join(",")
                ));
            }
        }
        for (holder, checkout) in element.checkouts.iter().enumerate() {
            let tag = self.view_tag(holder);
            expected.extend(
                checkout
                    .iter()
                    .map(|checkout| format!("{}/CHECKEDOUT {tag}", element.branch_id(checkout.branch))),
            );
        }
        let request = VersionTreeRequest {
            context: self.context(view),
            pnames: vec![self.pname(view, path)],
            ..VersionTreeRequest::default()
        };
        let items =
            self.version_tree(request).map_err(|failure| format!("lsvtree of {path}: {failure:?}"))?;
        let mut found: Vec<String> = items.into_iter().map(row).collect();
        found.sort();
        expected.sort();
        match found == expected {
            true => Ok(()),
            false => Err(format!(
                "lsvtree in view {} of {path:?}: expected {expected:?}, found {found:?}",
                view + 1
            )),
        }
    }
}

fn row(item: VersionTreeItem) -> String {
    let Some(version_tree_item::Item::Row(row)) = item.item else { return format!("{item:?}") };
    let name = String::from_utf8_lossy(&row.extension).into_owned();
    let mut labels: Vec<String> =
        row.labels.iter().map(|label| String::from_utf8_lossy(label).into_owned()).collect();
    labels.sort_by_key(|label| crate::model::LABELS.iter().position(|known| known == label));
    match row.kind() {
        VersionTreeKind::Branch => name,
        VersionTreeKind::Version => format!("{name} [{}]", labels.join(",")),
        VersionTreeKind::Checkout => format!("{name} {}", row.view_tag),
    }
}

fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().unwrap_or(libc::EPROTO)
}

impl Files for Mounted {
    fn write(&self, view: usize, path: &str, bytes: &[u8], mode: u32) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(CWD, self.path(view, path), flags, Mode::from_raw_mode(mode));
        let mut file = std::fs::File::from(opened.map_err(rustix::io::Errno::raw_os_error)?);
        file.write_all(bytes).map_err(errno)
    }

    fn unlink(&self, view: usize, path: &str) -> Result<(), Errno> {
        std::fs::remove_file(self.path(view, path)).map_err(errno)
    }

    fn remove_directory(&self, view: usize, path: &str) -> Result<(), Errno> {
        std::fs::remove_dir(self.path(view, path)).map_err(errno)
    }

    fn make_plain_directory(&self, view: usize, path: &str) -> Result<(), Errno> {
        std::fs::create_dir(self.path(view, path)).map_err(errno)
    }

    fn make_link(&self, view: usize, path: &str, text: &str) -> Result<(), Errno> {
        std::os::unix::fs::symlink(text, self.path(view, path)).map_err(errno)
    }

    fn rename(&self, view: usize, from: &str, to: &str) -> Result<(), Errno> {
        std::fs::rename(self.path(view, from), self.path(view, to)).map_err(errno)
    }

    fn set_mode(&self, view: usize, path: &str, mode: u32) -> Result<(), Errno> {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(view, path), mode).map_err(errno)
    }

    fn look(&self, view: usize, directory: &str, names: &[&str]) -> Vec<Sight> {
        let directory = self.path(view, directory);
        let sight = |name: &&str| {
            let path = directory.join(name);
            let stat = path.symlink_metadata().map_err(errno).map(|found| Stat {
                kind: kind(found.file_type()),
                mode: found.permissions().mode() & 0o7777,
                size: found.len(),
            });
            let held = match stat {
                Ok(Stat { kind: Kind::File, .. }) => std::fs::read(&path).map_err(errno),
                Ok(Stat { kind: Kind::Link, .. }) => {
                    std::fs::read_link(&path).map(|text| text.into_os_string().into_vec()).map_err(errno)
                }
                _ => Ok(Vec::new()),
            };
            Sight { stat, held }
        };
        names.iter().map(sight).collect()
    }

    fn names(&self, view: usize, path: &str) -> Result<Vec<(String, Kind)>, Errno> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.path(view, path)).map_err(errno)? {
            let entry = entry.map_err(errno)?;
            let kind = kind(entry.file_type().map_err(errno)?);
            names.push((entry.file_name().to_string_lossy().into_owned(), kind));
        }
        Ok(names)
    }
}

fn kind(found: std::fs::FileType) -> Kind {
    match found {
        found if found.is_file() => Kind::File,
        found if found.is_dir() => Kind::Directory,
        found if found.is_symlink() => Kind::Link,
        _ => Kind::Other,
    }
}
