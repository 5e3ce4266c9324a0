//! A mounted memory tree in a directory of its own, and small helpers for asking the kernel about it.

use crate::memory::Memory;
use clerestory_mount::{Counters, Mounted, Options, mount};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct House {
    pub memory: Arc<Memory>,
    pub mounted: Option<Mounted>,
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl House {
    /// Fills a tree, then mounts it.
    pub fn new(fill: impl FnOnce(&Memory)) -> House {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let memory = Arc::new(Memory::new());
        fill(&memory);
        let mounted = mount(memory.clone(), &options(directory.path())).expect("to mount");
        let path = mounted.mountpoint().to_owned();
        House { memory, mounted: Some(mounted), _directory: directory, path }
    }

    pub fn mounted(&self) -> &Mounted {
        self.mounted.as_ref().expect("still mounted")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn root(&self) -> &Path {
        &self.path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    /// Runs a shell command in the mount; it must succeed. Returns what it printed.
    pub fn shell(&self, command: &str) -> String {
        let output = Command::new("sh").args(["-c", command]).current_dir(&self.path).output().expect("sh");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Returns what reached user space while `action` ran.
    pub fn requests_during(&self, action: impl FnOnce()) -> Counters {
        let before = self.mounted().counters();
        action();
        self.mounted().counters().since(&before)
    }

    pub fn names(&self, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(name)).expect("a directory");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }
}

pub fn options(mountpoint: &Path) -> Options {
    Options {
        mountpoint: mountpoint.to_owned(),
        allow_other: false,
        threads: 3,
        name: "clerestory-test".to_owned(),
    }
}

/// Waits until `condition` holds; fails after 30 seconds.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::yield_now();
    }
}
