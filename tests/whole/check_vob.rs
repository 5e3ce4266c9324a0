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
}

#[test]
fn checkvob_is_for_owners_and_goes_on_after_a_failure() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool checkvob
cleartool: Error: VOB selector required
Usage: checkvob vob-selector ...
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
