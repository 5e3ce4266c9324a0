//! The program in this process: calls go to the handlers of commands, and what the kernel would ask of the mount is
//! asked of the name space directly. What the kernel decides by itself is decided here as it does
//! (fs/namei.c, fs/open.c).

use super::{Commands, Errno, Files, Kind, Product, Sight, Stat, commands};
use crate::compare::stored;
use crate::model::{Made, Model, UMASK, VIEWS, parent_and_leaf};
use clerestory::server::home::Home;
use clerestory::server::identity::Caller;
use clerestory::server::proto::*;
use clerestory::server::service::Direct;
use clerestory::server::state::Server;
use clerestory::store::Vob;
use clerestory::vob::ElementNo;
use clerestory_mount::{Attributes, Change, FileKind, Inode, Namespace, Refusal, RenameMode};
use std::cell::{OnceCell, RefCell};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where views are shown: nothing is there.
const VIEWROOT: &str = "/nowhere/view";
const VOB_TAG: &str = "/vobs/m";

/// A server with one VOB and two views, in a directory that goes with it.
pub struct Library {
    direct: Direct,
    caller: Caller,
    /// The same, as the kernel says it.
    who: clerestory_mount::Caller,
    /// The numbers of the VOB's root in the views, once they are known.
    tops: [OnceCell<Inode>; VIEWS],
    /// The directories on the way to the one that was looked at last, each with its name.
    way: RefCell<Way>,
    root: tempfile::TempDir,
}

/// A way from the root of a view's VOB to a directory.
#[derive(Default)]
struct Way {
    view: usize,
    steps: Vec<(String, Inode)>,
}

macro_rules! answer {
    ($($name:ident($request:ty) -> $answer:ty;)* ; $($stream:ident($sr:ty) -> $item:ty;)*) => {
        impl Commands for Library {
            $(fn $name(&self, request: $request) -> Result<$answer, Failure> {
                self.direct.$name(&self.caller, &request)
            })*
            $(fn $stream(&self, request: $sr) -> Result<Vec<$item>, Failure> {
                let mut items = Vec::new();
                self.direct.$stream(&self.caller, &request, &mut |item| {
                    items.push(item);
                    true
                })?;
                Ok(items)
            })*
        }
    };
}
commands!(answer);

impl Library {
    /// Makes a VOB with an index engine, and the views.
    pub fn new(engine: &str) -> Library {
        let root = tempfile::Builder::new().prefix("clmodel.").tempdir_in(memory_directory());
        let root = root.expect("a temporary directory can be made");
        let library = Library::serve(root);
        let request = CreateVobRequest {
            context: library.context(0),
            tag: VOB_TAG.into(),
            engine: engine.to_owned(),
            mount: true,
            public: true,
            ..CreateVobRequest::default()
        };
        library.create_vob(request).expect("a VOB can be made");
        for view in 0..VIEWS {
            let (context, tag) = (library.context(view), library.view_tag(view));
            let request = CreateViewRequest { context, tag, ..CreateViewRequest::default() };
            library.create_view(request).expect("a view can be made");
        }
        library.make_all_types();
        library
    }

    /// Ends the server and begins again with what is stored.
    pub fn restart(self) -> Library {
        self.look_anew();
        let Library { direct, root, .. } = self;
        drop(direct);
        Library::serve(root)
    }

    fn serve(root: tempfile::TempDir) -> Library {
        let caller = caller();
        let (uid, gid, pid) = (caller.user_id, caller.group_id, std::process::id());
        let who = clerestory_mount::Caller { uid, gid, pid };
        Library {
            direct: serve(root.path()),
            caller,
            who,
            tops: Default::default(),
            way: RefCell::default(),
            root,
        }
    }

    /// The VOB.
    pub fn vob(&self) -> Arc<Vob> {
        Arc::clone(&self.server().host.vob(VOB_TAG).expect("the VOB is mounted").vob)
    }

    /// The server.
    pub fn server(&self) -> &Arc<Server> {
        self.direct.server()
    }
}

/// A directory in memory, so that a sync costs nothing; any temporary one where there is none.
pub fn memory_directory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn serve(root: &Path) -> Direct {
    let home = Home::at(root.join("home"), VIEWROOT);
    home.create().expect("a home can be made");
    Direct::of(Arc::new(Server::without_mount(&home).expect("a server can be made")))
}

fn caller() -> Caller {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    Caller {
        user_id: user,
        group_id: group,
        groups: Arc::from([group]),
        process_id: std::process::id() as i32,
    }
}

impl Product for Library {
    fn top(&self, view: usize) -> String {
        format!("{VIEWROOT}/{}{VOB_TAG}", self.view_tag(view))
    }

    fn view_tag(&self, view: usize) -> String {
        ["one", "two"][view].to_owned()
    }

    fn vob_tag(&self) -> String {
        VOB_TAG.to_owned()
    }

    fn identity(&self, _: &Model, made: &Made) -> Option<String> {
        let element = self.vob().element(ElementNo(made.id as u32)).ok()??;
        Some(element.oid.to_string())
    }

    fn look_anew(&self) {
        let steps = std::mem::take(&mut self.way.borrow_mut().steps);
        steps.into_iter().for_each(|(_, inode)| self.space().forget(inode, 1));
    }

    fn compare_elements(&self, model: &Model, all: bool) -> Result<(), String> {
        let views = [0, 1].map(|view| self.server().host.view(&self.view_tag(view)).map(|view| view.uuid()));
        let [Some(one), Some(two)] = views else { return Err("a view is not started".to_owned()) };
        stored::compare(&self.vob(), &[one, two], model, all)
    }
}

/// What the kernel would hold while it walks along a path: every lookup is taken back at the end.
struct Walk<'a> {
    space: &'a dyn Namespace,
    who: clerestory_mount::Caller,
    held: RefCell<Vec<Inode>>,
}

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        self.held.borrow().iter().for_each(|inode| self.space.forget(*inode, 1));
    }
}

fn errno(refusal: Refusal) -> Errno {
    refusal.errno()
}

impl Walk<'_> {
    fn lookup(&self, parent: Inode, name: &str) -> Result<Option<Attributes>, Errno> {
        let found = match self.space.lookup(&self.who, parent, OsStr::new(name)) {
            Err(Refusal::NotFound) => None,
            other => other.map_err(errno)?,
        };
        self.held.borrow_mut().extend(found.iter().map(|found| found.inode));
        Ok(found)
    }

    /// Follows a path from a directory to another: the numbers of both, and of all on the way.
    fn directories(&self, from: Inode, path: &str) -> Result<Vec<Inode>, Errno> {
        let mut way = vec![from];
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let here = way[way.len() - 1];
            match self.lookup(here, name)? {
                Some(found) if found.kind == FileKind::Directory => way.push(found.inode),
                // Links of the model lead nowhere.
                Some(found) if found.kind == FileKind::Symlink => return Err(libc::ENOENT),
                Some(_) => return Err(libc::ENOTDIR),
                None => return Err(libc::ENOENT),
            }
        }
        Ok(way)
    }

    fn find(&self, parent: Inode, name: &str) -> Result<Attributes, Errno> {
        self.lookup(parent, name)?.ok_or(libc::ENOENT)
    }
}

impl Library {
    fn space(&self) -> &dyn Namespace {
        &*self.server().host
    }

    fn walk(&self) -> Walk<'_> {
        Walk { space: self.space(), who: self.who, held: RefCell::default() }
    }

    /// Follows a path to a directory: the numbers of all directories on the way, from the VOB's root.
    fn directories(&self, walk: &Walk<'_>, view: usize, path: &str) -> Result<Vec<Inode>, Errno> {
        let top = match self.tops[view].get() {
            Some(top) => *top,
            None => {
                let names = format!("{}{VOB_TAG}", self.view_tag(view));
                let way = walk.directories(Inode::ROOT, &names)?;
                // These the kernel never forgets.
                walk.held.borrow_mut().clear();
                *self.tops[view].get_or_init(|| way[way.len() - 1])
            }
        };
        walk.directories(top, path)
    }

    /// Follows a path to a directory, from where the way to it leaves that to the last one.
    fn directory(&self, view: usize, path: &str) -> Result<Inode, Errno> {
        let walk = self.walk();
        let top = self.directories(&walk, view, "")?[0];
        let mut way = self.way.borrow_mut();
        let names = || path.split('/').filter(|name| !name.is_empty());
        let is_common = |((name, _), wanted): &(&(String, Inode), &str)| name == wanted;
        let common = match way.view == view {
            true => way.steps.iter().zip(names()).take_while(is_common).count(),
            false => 0,
        };
        way.steps.drain(common..).for_each(|(_, inode)| self.space().forget(inode, 1));
        way.view = view;
        let mut here = way.steps.last().map_or(top, |(_, inode)| *inode);
        for name in names().skip(common) {
            here = walk.directories(here, name)?[1];
            walk.held.borrow_mut().clear();
            way.steps.push((name.to_owned(), here));
        }
        Ok(here)
    }

    /// What a file or a link holds.
    fn held(&self, found: &Attributes) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::new();
        match found.kind {
            // The kernel asks for nothing behind the end.
            FileKind::File if found.size == 0 => {}
            FileKind::File => {
                let size = found.size as u32 + 1;
                self.space().read(&self.who, found.inode, 0, size, &mut bytes).map_err(errno)?;
            }
            FileKind::Symlink => bytes = self.space().read_link(&self.who, found.inode).map_err(errno)?,
            _ => {}
        }
        Ok(bytes)
    }

    /// The directory of a path, the numbers of those on the way to it, and the last name.
    fn parent<'p>(
        &self,
        walk: &Walk<'_>,
        view: usize,
        path: &'p str,
    ) -> Result<(Vec<Inode>, &'p str), Errno> {
        let (parent, leaf) = parent_and_leaf(path);
        Ok((self.directories(walk, view, parent)?, leaf))
    }

    fn find(&self, walk: &Walk<'_>, view: usize, path: &str) -> Result<(Inode, Attributes), Errno> {
        if path.is_empty() {
            let top = self.directories(walk, view, "")?[0];
            return Ok((top, self.space().attributes(&self.who, top).map_err(errno)?));
        }
        let (way, leaf) = self.parent(walk, view, path)?;
        let parent = way[way.len() - 1];
        Ok((parent, walk.find(parent, leaf)?))
    }
}

impl Files for Library {
    fn write(&self, view: usize, path: &str, bytes: &[u8], mode: u32) -> Result<(), Errno> {
        let walk = self.walk();
        let (way, leaf) = self.parent(&walk, view, path)?;
        let parent = way[way.len() - 1];
        let inode = match walk.lookup(parent, leaf)? {
            Some(found) if found.kind == FileKind::Directory => return Err(libc::EISDIR),
            Some(found) if found.kind == FileKind::Symlink => return Err(libc::ELOOP),
            Some(found) => {
                let truncate = Change { size: Some(0), ..Change::default() };
                self.space().change(&self.who, found.inode, &truncate).map_err(errno)?;
                found.inode
            }
            None => {
                let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
                let name = OsStr::new(leaf);
                let made = self.space().create(&self.who, parent, name, mode, UMASK, flags);
                let inode = made.map_err(errno)?.inode;
                walk.held.borrow_mut().push(inode);
                inode
            }
        };
        let mut done = 0;
        while done < bytes.len() {
            done +=
                self.space().write(&self.who, inode, done as u64, &bytes[done..]).map_err(errno)? as usize;
        }
        Ok(())
    }

    fn unlink(&self, view: usize, path: &str) -> Result<(), Errno> {
        let walk = self.walk();
        let (way, leaf) = self.parent(&walk, view, path)?;
        let parent = way[way.len() - 1];
        match walk.find(parent, leaf)?.kind {
            FileKind::Directory => Err(libc::EISDIR),
            _ => self.space().unlink(&self.who, parent, OsStr::new(leaf)).map_err(errno),
        }
    }

    fn remove_directory(&self, view: usize, path: &str) -> Result<(), Errno> {
        let walk = self.walk();
        let (way, leaf) = self.parent(&walk, view, path)?;
        let parent = way[way.len() - 1];
        match walk.find(parent, leaf)?.kind {
            FileKind::Directory => {
                self.space().remove_directory(&self.who, parent, OsStr::new(leaf)).map_err(errno)
            }
            _ => Err(libc::ENOTDIR),
        }
    }

    fn make_plain_directory(&self, view: usize, path: &str) -> Result<(), Errno> {
        let walk = self.walk();
        let (way, leaf) = self.parent(&walk, view, path)?;
        let parent = way[way.len() - 1];
        if walk.lookup(parent, leaf)?.is_some() {
            return Err(libc::EEXIST);
        }
        let made = self.space().make_directory(&self.who, parent, OsStr::new(leaf), 0o777, UMASK);
        walk.held.borrow_mut().push(made.map_err(errno)?.inode);
        Ok(())
    }

    fn make_link(&self, view: usize, path: &str, text: &str) -> Result<(), Errno> {
        let walk = self.walk();
        let (way, leaf) = self.parent(&walk, view, path)?;
        let parent = way[way.len() - 1];
        if walk.lookup(parent, leaf)?.is_some() {
            return Err(libc::EEXIST);
        }
        let made = self.space().make_symlink(&self.who, parent, OsStr::new(leaf), OsStr::new(text));
        walk.held.borrow_mut().push(made.map_err(errno)?.inode);
        Ok(())
    }

    fn rename(&self, view: usize, from: &str, to: &str) -> Result<(), Errno> {
        let walk = self.walk();
        let (from_way, old) = self.parent(&walk, view, from)?;
        let (to_way, new) = self.parent(&walk, view, to)?;
        let (from_parent, to_parent) = (from_way[from_way.len() - 1], to_way[to_way.len() - 1]);
        let moved = walk.find(from_parent, old)?;
        let there = walk.lookup(to_parent, new)?;
        if to_way.contains(&moved.inode) {
            return Err(libc::EINVAL);
        }
        let is_directory = |found: &Attributes| found.kind == FileKind::Directory;
        match there {
            Some(there) if from_way.contains(&there.inode) => return Err(libc::ENOTEMPTY),
            Some(there) if there.inode == moved.inode => return Ok(()),
            Some(there) if is_directory(&moved) && !is_directory(&there) => return Err(libc::ENOTDIR),
            Some(there) if !is_directory(&moved) && is_directory(&there) => return Err(libc::EISDIR),
            _ => {}
        }
        let (old, new) = (OsStr::new(old), OsStr::new(new));
        self.space().rename(&self.who, from_parent, old, to_parent, new, RenameMode::Plain).map_err(errno)
    }

    fn set_mode(&self, view: usize, path: &str, mode: u32) -> Result<(), Errno> {
        let walk = self.walk();
        let (_, found) = self.find(&walk, view, path)?;
        if found.kind == FileKind::Symlink {
            return Err(libc::ENOENT);
        }
        let change = Change { mode: Some(mode), ..Change::default() };
        self.space().change(&self.who, found.inode, &change).map(drop).map_err(errno)
    }

    fn look(&self, view: usize, directory: &str, names: &[&str]) -> Vec<Sight> {
        let walk = self.walk();
        let directory = self.directory(view, directory);
        let sight = |name: &&str| {
            let found = directory.and_then(|directory| walk.find(directory, name));
            let held = found.as_ref().map_or(Ok(Vec::new()), |found| self.held(found));
            let stat = found.map(|found| Stat {
                kind: kind(found.kind),
                mode: found.permissions.into(),
                size: found.size,
            });
            Sight { stat, held }
        };
        names.iter().map(sight).collect()
    }

    fn names(&self, view: usize, path: &str) -> Result<Vec<(String, Kind)>, Errno> {
        let directory = self.directory(view, path)?;
        let (mut names, mut after) = (Vec::new(), 0);
        // In several pieces, as the kernel does with a large directory.
        loop {
            let mut room = 100;
            self.space()
                .list(&self.who, directory, after, false, &mut |entry| {
                    if room == 0 {
                        return false;
                    }
                    (room, after) = (room - 1, entry.cookie);
                    let name = entry.name.to_string_lossy().into_owned();
                    if !matches!(name.as_str(), "." | "..") {
                        names.push((name, kind(entry.kind)));
                    }
                    true
                })
                .map_err(errno)?;
            if room > 0 {
                return Ok(names);
            }
        }
    }
}

fn kind(kind: FileKind) -> Kind {
    match kind {
        FileKind::File => Kind::File,
        FileKind::Directory => Kind::Directory,
        FileKind::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}
