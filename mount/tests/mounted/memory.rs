//! A file tree in memory, with doors for changing it behind the kernel's back.

use clerestory_mount::{
    Attributes, Caller, Change, FileKind, Inode, Listed, Namespace, Refusal, RenameMode, SetTime, Statistics,
    Time, XattrMode,
};
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Reading a file of this name panics.
pub const PANICS: &[u8] = b"this file makes the server panic";

#[derive(Clone)]
struct Node {
    attributes: Attributes,
    data: Vec<u8>,
    /// Position in the listing -> name, inode.
    entries: BTreeMap<u64, (OsString, Inode)>,
    xattrs: BTreeMap<OsString, Vec<u8>>,
    parent: Inode,
    lookups: u64,
    fixed: bool,
}

struct Tree {
    nodes: HashMap<Inode, Node>,
    next: u64,
}

pub struct Memory {
    tree: Mutex<Tree>,
    epoch: AtomicU64,
}

impl Tree {
    fn node(&self, inode: Inode) -> Result<&Node, Refusal> {
        self.nodes.get(&inode).ok_or(Refusal::Stale)
    }

    fn node_mut(&mut self, inode: Inode) -> Result<&mut Node, Refusal> {
        self.nodes.get_mut(&inode).ok_or(Refusal::Stale)
    }

    fn find(&self, parent: Inode, name: &OsStr) -> Result<Option<(u64, Inode)>, Refusal> {
        let entries = &self.node(parent)?.entries;
        Ok(entries.iter().find(|(_, (n, _))| n == name).map(|(&position, &(_, inode))| (position, inode)))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add(&mut self, parent: Inode, name: &OsStr, kind: FileKind, mode: u32, data: Vec<u8>) -> Inode {
        let inode = Inode::new(self.number());
        let mut node = new_node(inode, kind, mode, parent);
        node.attributes.size = data.len() as u64;
        node.data = data;
        self.nodes.insert(inode, node);
        self.bind(parent, name, inode);
        inode
    }

    fn bind(&mut self, parent: Inode, name: &OsStr, inode: Inode) {
        let position = self.number();
        let node = self.nodes.get_mut(&parent).expect("a parent");
        node.entries.insert(position, (name.to_owned(), inode));
        node.attributes.modified.nanoseconds += 1;
    }

    fn unbind(&mut self, parent: Inode, name: &OsStr) -> Result<Inode, Refusal> {
        let (position, inode) = self.find(parent, name)?.ok_or(Refusal::NotFound)?;
        let node = self.node_mut(parent)?;
        node.entries.remove(&position);
        node.attributes.modified.nanoseconds += 1;
        if let Ok(node) = self.node_mut(inode) {
            node.attributes.links = node.attributes.links.saturating_sub(1);
        }
        Ok(inode)
    }

    fn taken(&mut self, inode: Inode) -> Result<Attributes, Refusal> {
        let node = self.node_mut(inode)?;
        node.lookups += 1;
        Ok(node.attributes)
    }
}

fn new_node(inode: Inode, kind: FileKind, mode: u32, parent: Inode) -> Node {
    let time = Time { seconds: 1_000_000_000, nanoseconds: 5 };
    let attributes = Attributes {
        inode,
        kind,
        permissions: (mode & 0o7777) as u16,
        links: 1,
        uid: 0,
        gid: 0,
        device: 0,
        size: 0,
        blocks: 0,
        accessed: time,
        modified: time,
        changed: time,
    };
    let entries = BTreeMap::new();
    Node { attributes, data: Vec::new(), entries, xattrs: BTreeMap::new(), parent, lookups: 0, fixed: false }
}

impl Memory {
    pub fn new() -> Memory {
        let root = new_node(Inode::ROOT, FileKind::Directory, 0o755, Inode::ROOT);
        let tree = Tree { nodes: HashMap::from([(Inode::ROOT, root)]), next: 1000 };
        Memory { tree: Mutex::new(tree), epoch: AtomicU64::new(1) }
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().expect("no test panics under the lock")
    }

    pub fn directory(&self, parent: Inode, name: &str) -> Inode {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.tree().add(parent, name.as_ref(), FileKind::Directory, 0o755, Vec::new())
    }

    pub fn file(&self, parent: Inode, name: &str, data: &[u8]) -> Inode {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.tree().add(parent, name.as_ref(), FileKind::File, 0o644, data.to_vec())
    }

    /// A file that refuses every change, as a checked-in version does.
    pub fn fixed_file(&self, parent: Inode, name: &str, data: &[u8]) -> Inode {
        let inode = self.file(parent, name, data);
        let mut tree = self.tree();
        let node = tree.node_mut(inode).expect("just made");
        node.fixed = true;
        node.attributes.permissions = 0o444;
        inode
    }

    /// Makes a name lead to a new file, as selecting another version does.
    pub fn rebind(&self, parent: Inode, name: &str, data: &[u8]) -> Inode {
        let mut tree = self.tree();
        tree.unbind(parent, name.as_ref()).expect("a name to rebind");
        let inode = tree.add(parent, name.as_ref(), FileKind::File, 0o644, data.to_vec());
        self.epoch.fetch_add(1, Ordering::SeqCst);
        inode
    }

    pub fn set_contents(&self, inode: Inode, data: &[u8]) {
        let mut tree = self.tree();
        let node = tree.node_mut(inode).expect("an inode");
        node.data = data.to_vec();
        node.attributes.size = data.len() as u64;
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    pub fn contents(&self, inode: Inode) -> Vec<u8> {
        self.tree().node(inode).expect("an inode").data.clone()
    }
}

impl Namespace for Memory {
    fn change_epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn lookup(&self, _: &Caller, parent: Inode, name: &OsStr) -> Result<Option<Attributes>, Refusal> {
        let mut tree = self.tree();
        let found = tree.find(parent, name)?;
        found.map(|(_, inode)| tree.taken(inode)).transpose()
    }

    fn forget(&self, inode: Inode, lookups: u64) {
        let mut tree = self.tree();
        let Ok(node) = tree.node_mut(inode) else { return };
        node.lookups = node.lookups.saturating_sub(lookups);
        if node.lookups == 0 && node.attributes.links == 0 {
            tree.nodes.remove(&inode);
        }
    }

    fn attributes(&self, _: &Caller, inode: Inode) -> Result<Attributes, Refusal> {
        Ok(self.tree().node(inode)?.attributes)
    }

    fn change(&self, _: &Caller, inode: Inode, change: &Change) -> Result<Attributes, Refusal> {
        let mut tree = self.tree();
        let node = tree.node_mut(inode)?;
        if node.fixed {
            return Err(Refusal::ReadOnly);
        }
        if let Some(size) = change.size {
            node.data.resize(size as usize, 0);
            node.attributes.size = size;
        }
        let attributes = &mut node.attributes;
        attributes.permissions = change.mode.map_or(attributes.permissions, |mode| mode as u16);
        attributes.uid = change.uid.unwrap_or(attributes.uid);
        attributes.gid = change.gid.unwrap_or(attributes.gid);
        if let Some(SetTime::At(time)) = change.modified {
            attributes.modified = time;
        }
        Ok(*attributes)
    }

    fn read_link(&self, _: &Caller, inode: Inode) -> Result<Vec<u8>, Refusal> {
        Ok(self.tree().node(inode)?.data.clone())
    }

    fn read(&self, _: &Caller, inode: Inode, from: u64, size: u32, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let data = self.tree().node(inode)?.data.clone();
        assert_ne!(data, PANICS, "asked for");
        let start = data.len().min(from as usize);
        out.extend_from_slice(&data[start..data.len().min(start + size as usize)]);
        Ok(())
    }

    fn write(&self, _: &Caller, inode: Inode, offset: u64, data: &[u8]) -> Result<u32, Refusal> {
        let mut tree = self.tree();
        let node = tree.node_mut(inode)?;
        if node.fixed {
            return Err(Refusal::ReadOnly);
        }
        let end = offset as usize + data.len();
        let length = node.data.len().max(end);
        node.data.resize(length, 0);
        node.data[offset as usize..end].copy_from_slice(data);
        node.attributes.size = length as u64;
        Ok(data.len() as u32)
    }

    fn list(
        &self,
        _: &Caller,
        directory: Inode,
        after: u64,
        with_attributes: bool,
        sink: &mut dyn FnMut(Listed) -> bool,
    ) -> Result<(), Refusal> {
        let mut page = Vec::new();
        {
            let tree = self.tree();
            let node = tree.node(directory)?;
            for (cookie, name, inode) in [(1, ".", directory), (2, "..", node.parent)] {
                if after < cookie {
                    let kind = FileKind::Directory;
                    page.push(Listed { name: name.into(), cookie, inode, kind, attributes: None });
                }
            }
            for (&cookie, (name, inode)) in node.entries.range((Excluded(after.max(2)), Unbounded)).take(1000)
            {
                let attributes = tree.node(*inode)?.attributes;
                let kind = attributes.kind;
                let attributes = with_attributes.then_some(attributes);
                page.push(Listed { name: name.clone(), cookie, inode: *inode, kind, attributes });
            }
        }
        let _ = page.into_iter().all(sink);
        Ok(())
    }

    fn listed(&self, inode: Inode) {
        if let Ok(node) = self.tree().node_mut(inode) {
            node.lookups += 1;
        }
    }

    fn create(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
    ) -> Result<Attributes, Refusal> {
        self.make_node(caller, parent, name, libc::S_IFREG | mode, umask, 0)
    }

    fn make_node(
        &self,
        caller: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: u32,
    ) -> Result<Attributes, Refusal> {
        let kind = match mode & libc::S_IFMT {
            libc::S_IFIFO => FileKind::Fifo,
            _ => FileKind::File,
        };
        let mut tree = self.tree();
        if tree.find(parent, name)?.is_some() {
            return Err(Refusal::Exists);
        }
        let inode = tree.add(parent, name, kind, mode & !umask, Vec::new());
        tree.node_mut(inode)?.attributes.uid = caller.uid;
        tree.taken(inode)
    }

    fn make_directory(
        &self,
        _: &Caller,
        parent: Inode,
        name: &OsStr,
        mode: u32,
        umask: u32,
    ) -> Result<Attributes, Refusal> {
        let mut tree = self.tree();
        let inode = tree.add(parent, name, FileKind::Directory, mode & !umask, Vec::new());
        tree.taken(inode)
    }

    fn make_symlink(
        &self,
        _: &Caller,
        parent: Inode,
        name: &OsStr,
        target: &OsStr,
    ) -> Result<Attributes, Refusal> {
        let mut tree = self.tree();
        let inode = tree.add(parent, name, FileKind::Symlink, 0o777, target.as_encoded_bytes().to_vec());
        tree.taken(inode)
    }

    fn link(&self, _: &Caller, inode: Inode, parent: Inode, name: &OsStr) -> Result<Attributes, Refusal> {
        let mut tree = self.tree();
        tree.bind(parent, name, inode);
        tree.node_mut(inode)?.attributes.links += 1;
        tree.taken(inode)
    }

    fn unlink(&self, _: &Caller, parent: Inode, name: &OsStr) -> Result<(), Refusal> {
        self.tree().unbind(parent, name).map(drop)
    }

    fn remove_directory(&self, _: &Caller, parent: Inode, name: &OsStr) -> Result<(), Refusal> {
        let mut tree = self.tree();
        let (_, inode) = tree.find(parent, name)?.ok_or(Refusal::NotFound)?;
        if !tree.node(inode)?.entries.is_empty() {
            return Err(Refusal::NotEmpty);
        }
        tree.unbind(parent, name).map(drop)
    }

    fn rename(
        &self,
        _: &Caller,
        parent: Inode,
        name: &OsStr,
        new_parent: Inode,
        new_name: &OsStr,
        mode: RenameMode,
    ) -> Result<(), Refusal> {
        let mut tree = self.tree();
        let target = tree.find(new_parent, new_name)?;
        if target.is_some() && mode == RenameMode::NoReplace {
            return Err(Refusal::Exists);
        }
        let moved = tree.unbind(parent, name)?;
        tree.node_mut(moved)?.attributes.links += 1;
        if target.is_some() {
            let other = tree.unbind(new_parent, new_name)?;
            if mode == RenameMode::Exchange {
                tree.node_mut(other)?.attributes.links += 1;
                tree.bind(parent, name, other);
            }
        }
        tree.bind(new_parent, new_name, moved);
        Ok(())
    }

    fn sync(&self, _: Inode, _: bool) -> Result<(), Refusal> {
        Ok(())
    }

    fn sync_directory(&self, _: Inode, _: bool) -> Result<(), Refusal> {
        Ok(())
    }

    fn statfs(&self, _: Inode) -> Result<Statistics, Refusal> {
        Ok(Statistics {
            block_bytes: 4096,
            blocks: 1000,
            blocks_free: 500,
            blocks_available: 400,
            files: 100,
            files_free: 50,
            name_bytes_max: 255,
        })
    }

    fn get_xattr(&self, _: &Caller, inode: Inode, name: &OsStr) -> Result<Vec<u8>, Refusal> {
        self.tree().node(inode)?.xattrs.get(name).cloned().ok_or(Refusal::NoData)
    }

    fn list_xattr(&self, _: &Caller, inode: Inode) -> Result<Vec<OsString>, Refusal> {
        Ok(self.tree().node(inode)?.xattrs.keys().cloned().collect())
    }

    fn set_xattr(
        &self,
        _: &Caller,
        inode: Inode,
        name: &OsStr,
        value: &[u8],
        mode: XattrMode,
    ) -> Result<(), Refusal> {
        let mut tree = self.tree();
        let xattrs = &mut tree.node_mut(inode)?.xattrs;
        match (mode, xattrs.contains_key(name)) {
            (XattrMode::Create, true) => return Err(Refusal::Exists),
            (XattrMode::Replace, false) => return Err(Refusal::NoData),
            _ => {}
        }
        xattrs.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn remove_xattr(&self, _: &Caller, inode: Inode, name: &OsStr) -> Result<(), Refusal> {
        self.tree().node_mut(inode)?.xattrs.remove(name).map(drop).ok_or(Refusal::NoData)
    }
}
