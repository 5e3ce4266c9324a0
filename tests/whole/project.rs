//! The small VOB most tests work on, and a view of it.

use std::path::PathBuf;

use crate::transcript::check;
use crate::world::World;

/// A world with VOB /vobs/x, view v and, where it is needed, a few elements.
pub struct Project {
    /// Its daemon runs.
    pub world: World,
    /// /vobs/x in view v.
    pub directory: PathBuf,
}

impl Project {
    /// An empty VOB.
    #[track_caller]
    pub fn empty() -> Project {
        let world = World::new();
        world.make_vob("/vobs/x");
        world.make_view("v");
        let directory = world.in_view("v", "/vobs/x");
        Project { world, directory }
    }

    /// A VOB with foo.c at /main/2, src/ with bar.c at /main/1; all checked in.
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
