//! checkvob: a sound VOB is called sound, and damage is named.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Project;

/// The containers of the source pool.
fn containers(storage: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(storage.join("s/sdft")).expect("the pool can be listed").flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "pool"))
        .collect()
}

#[test]
fn a_vob_that_was_worked_on_is_sound() {
    let project = Project::small();
    project.sh(
        "cleartool mklbtype -nc REL && cleartool mklabel -recurse REL . >/dev/null && cleartool mkbrtype -nc fix && \
         cleartool mkbranch -nc fix foo.c && echo fix >> foo.c && cleartool ci -nc foo.c && cleartool co -nc . && \
         cleartool mv foo.c src.c && cleartool ln src.c again.c && cleartool ln -s src.c link && \
         cleartool mkelem -nc -ci -nwarn /dev/null/x 2>/dev/null; cleartool mkdir -nc lost && cleartool unco .",
    );
    let line = project.sh("cleartool checkvob vob:.");
    assert!(line.starts_with("Checked VOB \"/vobs/x\": nothing is wrong ("), "{line}");
    assert!(!line.contains("(0 elements") && !line.contains(" 0 contents read"), "{line}");
}

#[test]
fn damaged_data_is_named_by_its_version() {
    let project = Project::empty();
    // Bytes that cannot be compressed, so that most of the container is data.
    project.sh(
        "cleartool co -nc . && head -c 60000 /dev/urandom > big.bin && cleartool mkelem -nc -ci big.bin && \
         cleartool ci -nc .",
    );
    let storage = project.world.only_vob();
    project.world.clerestory(&["shutdown"]).ok();
    let mut flipped = 0;
    for container in containers(&storage) {
        let mut bytes = fs::read(&container).expect("it can be read");
        if bytes.len() > 30_000 {
            bytes[30_000] ^= 0x10;
            fs::write(&container, bytes).expect("it can be written");
            flipped += 1;
        }
    }
    // The whole contents beside it are only a cache.
    fs::remove_dir_all(storage.join("c/cdft")).expect("the cache can be removed");
    assert_eq!(flipped, 1, "one container holds the data");
    let checked = project.world.ct(&["checkvob", "/vobs/x"]);
    assert_eq!(checked.status, 1, "{checked:#?}");
    let expected = "cleartool: Error: The data of version \"/vobs/x/big.bin@@/main/1\" is damaged: ";
    assert!(checked.stderr.starts_with(expected), "{checked:#?}");
    assert!(checked.stdout.starts_with("Checked VOB \"/vobs/x\": 1 thing is wrong ("), "{checked:#?}");
    assert!(checked.stderr.ends_with("Warning: checkvob -fix mends what can be mended.\n"), "{checked:#?}");
    // The data is in one place only.
    let fixed = project.world.ct(&["checkvob", "-fix", "/vobs/x"]);
    assert_eq!(fixed.status, 1, "{fixed:#?}");
    assert!(fixed.stderr.contains("1 thing cannot be mended: restore the VOB from a backup."), "{fixed:#?}");
}

#[test]
fn checkouts_of_a_view_that_is_gone_are_told_and_cancelled() {
    let project = Project::small();
    project.world.make_view("w");
    project
        .world
        .sh(
            &project.world.in_view("w", "/vobs/x"),
            "cleartool co -nc . foo.c && echo new > new.c && cleartool mkelem -nc -ci new.c",
        )
        .ok();
    let view = project.sh("cleartool lsview -long w | sed -n 's/^View uuid: //p'").trim().to_owned();
    let backup = project.world.root().join("backup.tar");
    let backup = backup.to_str().expect("text");
    project.world.clerestory(&["backup", "/vobs/x", backup]).ok();
    // The view goes, and the VOB comes back as it was before.
    project.world.ct(&["rmview", "-force", "-tag", "w"]).ok();
    project.world.ct(&["umount", "/vobs/x"]).ok();
    project.world.ct(&["rmvob", "-force", "/vobs/x"]).ok();
    project.world.clerestory(&["restore", backup]).ok();
    project.world.ct(&["mount", "/vobs/x"]).ok();
    let checked = project.world.ct(&["checkvob", "/vobs/x"]);
    assert_eq!(checked.status, 1, "{checked:#?}");
    let dangling = |element: &str| {
        format!("Element \"/vobs/x{element}\" is checked out to view \"{view}\", which is not registered.")
    };
    for element in ["", "/foo.c"] {
        assert!(
            checked.stderr.contains(&format!("cleartool: Error: {}\n", dangling(element))),
            "{checked:#?}"
        );
    }
    assert!(checked.stdout.contains(": 2 things are wrong ("), "{checked:#?}");
    let fixed = project.world.ct(&["checkvob", "-fix", "/vobs/x"]);
    assert_eq!(fixed.status, 0, "{fixed:#?}");
    assert!(
        fixed.stderr.contains(&format!("cleartool: Warning: {} Mended.\n", dangling("/foo.c"))),
        "{fixed:#?}"
    );
    assert!(fixed.stdout.contains(": 2 things are wrong, 2 mended ("), "{fixed:#?}");
    let again = project.world.ct(&["checkvob", "/vobs/x"]).ok();
    assert!(again.starts_with("Checked VOB \"/vobs/x\": nothing is wrong ("), "{again}");
    // What only the checkout named is not lost.
    let lost = project.sh("ls lost+found");
    assert!(lost.starts_with("new.c."), "{lost}");
    project.sh("cleartool co -nc . foo.c && cleartool unco -rm foo.c .");
}

#[test]
fn checkvob_is_for_owners_and_goes_on_after_a_failure() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool checkvob
cleartool: Error: VOB selector required
Usage: checkvob [-fix] vob-selector ...
[exit 1]
$ cleartool checkvob /vobs/none vob:/vobs/x | sed 's/(.*//'
cleartool: Error: Pathname is not within a VOB: "/vobs/none"
cleartool: Error: Unable to check VOB "/vobs/none".
Checked VOB "/vobs/x": nothing is wrong 
$ setpriv --reuid 65533 --regid 65533 --clear-groups cleartool checkvob /vobs/x
cleartool: Error: No permission to perform operation "check VOB".
cleartool: Error: Must be one of: VOB owner, root
cleartool: Error: Unable to check VOB "/vobs/x".
[exit 1]
"#,
    );
}
