//! `setview`: the VOB at its own path.

use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::world::World;

/// Directories on the host that `setview` makes for root, removed at the end.
struct MountPoint(PathBuf);

impl Drop for MountPoint {
    fn drop(&mut self) {
        // Others may use the directory above: only an empty one goes.
        for directory in self.0.ancestors().take_while(|directory| *directory != Path::new("/")) {
            let _ = std::fs::remove_dir(directory);
        }
    }
}

#[test]
fn setview_runs_a_command_that_sees_the_vob_at_its_tag() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let world = World::new();
    let tag = format!("/vobs/whole_test_{}", std::process::id());
    let _mount_point = MountPoint(tag.clone().into());
    world.make_vob(&tag);
    world.make_view("v");
    world.make_view("w");
    let set = |line: &str| world.ct(&["setview", "-exec", line, "v"]);
    let made = set(&format!(
        "cd {tag} && cleartool co -nc . && echo text > file && cleartool mkelem -nc -ci file && cleartool ci -nc . && \
         cat {tag}/file && pwd && cleartool pwv -short && echo private > mine"
    ));
    let lines = made.ok();
    let last: Vec<&str> = lines.lines().rev().take(3).collect();
    assert_eq!(last, ["v", &tag, "text"], "{lines}");
    assert_eq!(
        set(&format!("cat {tag}/file@@/main/1; cleartool lsvtree {tag}/file")).ok(),
        format!("text\n{tag}/file@@/main\n{tag}/file@@/main/1\n")
    );
    // Outside, there is nothing at that path; in the other view, the private file is not.
    assert!(!Path::new(&tag).join("file").exists());
    assert!(world.in_view("w", &tag).join("file").exists());
    assert!(!world.in_view("w", &tag).join("mine").exists());
    assert!(world.in_view("v", &tag).join("mine").exists());
    assert_eq!(world.ct(&["setview", "-exec", "exit 7", "v"]).status, 7);
    let missing = world.ct(&["setview", "-exec", "true", "nobody"]).refused_in_one_line();
    assert_eq!(missing, "cleartool: Error: No matching entries found for view tag \"nobody\".");
}

#[test]
fn pwv_tells_the_working_directorys_view() {
    let project = Project::small();
    assert_eq!(project.sh("cleartool pwv -short"), "v\n");
    let outside = project.world.ct(&["pwv", "-short"]).ok();
    assert_eq!(outside, "** NONE **\n");
}
