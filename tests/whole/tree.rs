//! File trees as values: a directory on disk or in a view, and a commit of a repository.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What is at a path.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    /// An ordinary file.
    File {
        /// Its owner may execute it.
        executable: bool,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// A symbolic link with its target.
    Link(Vec<u8>),
    /// A directory.
    Directory,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Node::Directory => f.write_str("directory"),
            Node::Link(target) => write!(f, "link to {:?}", OsStr::from_bytes(target)),
            Node::File { executable, content } => {
                let start = String::from_utf8_lossy(&content[..content.len().min(60)]);
                let kind = if *executable { "program" } else { "file" };
                write!(f, "{kind} of {} bytes {start:?}", content.len())
            }
        }
    }
}

/// Everything below a directory, by path.
pub type Tree = BTreeMap<Vec<u8>, Node>;

/// Reads a directory tree. `lost+found` directly in it is left out.
#[track_caller]
pub fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    read_below(root, b"", &mut tree);
    tree
}

#[track_caller]
fn read_below(directory: &Path, prefix: &[u8], tree: &mut Tree) {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{directory:?}: {error}"));
    for entry in entries {
        let name = entry.unwrap_or_else(|error| panic!("in {directory:?}: {error}")).file_name();
        if prefix.is_empty() && name == "lost+found" {
            continue;
        }
        let path = directory.join(&name);
        let failed = |error: std::io::Error| -> ! { panic!("{path:?}: {error}") };
        let metadata = path.symlink_metadata().unwrap_or_else(|error| failed(error));
        let mut key = prefix.to_vec();
        key.extend_from_slice(name.as_bytes());
        let node = if metadata.is_dir() {
            read_below(&path, &[&key[..], b"/"].concat(), tree);
            Node::Directory
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).unwrap_or_else(|error| failed(error));
            assert_eq!(metadata.len(), target.as_os_str().len() as u64, "size of link {path:?}");
            Node::Link(target.as_os_str().as_bytes().to_vec())
        } else {
            let content = fs::read(&path).unwrap_or_else(|error| failed(error));
            assert_eq!(metadata.len(), content.len() as u64, "size of {path:?}");
            Node::File { executable: metadata.permissions().mode() & 0o100 != 0, content }
        };
        tree.insert(key, node);
    }
}

/// Expects two trees to be the same; says what differs.
#[track_caller]
pub fn assert_same(what: &str, expected: &Tree, found: &Tree) {
    if expected == found {
        return;
    }
    let mut differences = Vec::new();
    for path in expected.keys().chain(found.keys().filter(|path| !expected.contains_key(*path))) {
        let (before, after) = (expected.get(path), found.get(path));
        if before != after {
            differences.push(format!("{:?}: expected {before:?}, found {after:?}", OsStr::from_bytes(path)));
        }
    }
    panic!("{what}: {} differences\n{}", differences.len(), differences.join("\n"));
}
