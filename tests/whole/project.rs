//! The small VOB most tests work on, and a view of it.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::repository::{Repository, Stream};
use crate::transcript::check;
use crate::world::World;

/// A world with a VOB, view v and, where it is needed, a few elements.
pub struct Project {
    /// Its daemon runs.
    pub world: World,
    /// The VOB in view v.
    pub directory: PathBuf,
}

impl Project {
    /// An empty VOB /vobs/x.
    #[track_caller]
    pub fn empty() -> Project {
        let world = World::new();
        world.make_vob("/vobs/x");
        world.make_view("v");
        let directory = world.in_view("v", "/vobs/x");
        Project { world, directory }
    }

    /// A VOB /vobs/g imported from a git history, which is below the world as `repository`.
    #[track_caller]
    pub fn imported(write: impl FnOnce(&mut Stream)) -> Project {
        let world = World::new();
        let mut repository = Repository::new(&world.root().join("repository"));
        repository.import(write);
        let path = repository.path().as_os_str();
        let words: [&OsStr; 5] =
            ["import".as_ref(), "git".as_ref(), path, "--vob".as_ref(), "/vobs/g".as_ref()];
        world.clerestory(&words).ok();
        world.make_view("v");
        let directory = world.in_view("v", "/vobs/g");
        Project { world, directory }
    }

    /// A VOB /vobs/x with foo.c at /main/2, src/ with bar.c at /main/1; all checked in.
    #[track_caller]
    pub fn small() -> Project {
        let project = Project::empty();
        project.sh(
            "cleartool co -nc . && echo one > foo.c && cleartool mkelem -c made foo.c && cleartool mkdir -nc src && \
             echo bar > src/bar.c && cleartool mkelem -nc src/bar.c && \
             cleartool ci -c first foo.c src/bar.c && cleartool ci -nc src . && \
             cleartool co -nc foo.c && echo two >> foo.c && cleartool ci -c second foo.c",
        );
        project
    }

    /// Runs a line of shell that must succeed.
    #[track_caller]
    pub fn sh(&self, line: &str) -> String {
        self.world.sh(&self.directory, line).ok()
    }

    /// Runs a transcript.
    #[track_caller]
    pub fn check(&self, transcript: &str) {
        check(&self.world, &self.directory, transcript);
    }
}
