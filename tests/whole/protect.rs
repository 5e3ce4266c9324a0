//! `protect`, `protectvob` and the groups of new elements: sessions, and what the mount shows at once.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::config_specs::open_project;
use crate::world::World;

const OTHER: &str = "setpriv --reuid 1 --regid 1 --clear-groups cleartool";

#[test]
fn owner_group_and_bits_change_for_all_versions() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("cleartool mklbtype -nc L && echo p > private");
    project.check(
        r#"
$ cleartool protect -chmod 640 foo.c src/bar.c && stat -c '%a %U %n' foo.c src/bar.c foo.c@@/main/1
Changed protection on "foo.c".
Changed protection on "src/bar.c".
440 root foo.c
440 root src/bar.c
440 root foo.c@@/main/1
$ cleartool protect -chmod g-r,a+x foo.c && stat -c '%a' foo.c foo.c@@/main/1 && cleartool protect -chmod a+r,a-x foo.c && stat -c '%a' foo.c
Changed protection on "foo.c".
511
511
Changed protection on "foo.c".
444
$ cleartool describe foo.c@@ | grep -A3 Protection
  Element Protection:
    User : root     : r--
    Group: root     : r--
    Other:          : r--
$ cleartool protect -chmod 750 -recurse . ; stat -c '%a %n' . src src/bar.c foo.c
Changed protection on ".".
Changed protection on "./foo.c".
Changed protection on "./lost+found".
Changed protection on "./src".
Changed protection on "./src/bar.c".
750 .
750 src
550 src/bar.c
550 foo.c
$ cleartool protect -chmod 755 -directory -recurse . ; cleartool protect -chmod 444 -file -recurse src foo.c
Changed protection on ".".
Changed protection on "./lost+found".
Changed protection on "./src".
Changed protection on "src/bar.c".
Changed protection on "foo.c".
$ cleartool protect -chown daemon foo.c lbtype:L && stat -c %U foo.c && cleartool describe lbtype:L | grep owner
Changed protection on "foo.c".
Changed protection on "L".
daemon
  owner: daemon
$ cleartool protect -chgrp bin foo.c; cleartool protectvob -force -add_group bin,sys /vobs/x; cleartool protect -chgrp bin foo.c && stat -c %G foo.c
cleartool: Error: Group "bin" is not in the VOB's group list.
cleartool: Error: Unable to change protection on "foo.c".
VOB ownership:
  owner root
  group root
Additional groups:
  group bin
  group sys
Changed protection on "foo.c".
bin
$ cleartool protect -chmod 644 private nothing foo.c@@/main/1 foo.c@@/main lbtype:L vob:. ; cleartool protect -chmod 9 foo.c; cleartool protect -chown no_such_user foo.c; cleartool protect foo.c
cleartool: Error: Not a vob object: "private".
cleartool: Error: Unable to change protection on "private".
cleartool: Error: Unable to access "nothing": No such file or directory.
cleartool: Error: Unable to change protection on "nothing".
cleartool: Error: Only elements and type objects have a protection, and type objects no permission bits.
cleartool: Error: Unable to change protection on "foo.c".
cleartool: Error: Only elements and type objects have a protection, and type objects no permission bits.
cleartool: Error: Unable to change protection on "foo.c".
cleartool: Error: Only elements and type objects have a protection, and type objects no permission bits.
cleartool: Error: Unable to change protection on "L".
cleartool: Error: Only elements and type objects have a protection, and type objects no permission bits.
cleartool: Error: Unable to change protection on "vob:.".
cleartool: Error: Invalid mode: "9".
cleartool: Error: Unable to change protection on "foo.c".
cleartool: Error: Unknown user: "no_such_user".
cleartool: Error: Unable to change protection on "foo.c".
cleartool: Error: One of -chown, -chgrp, -chmod required
Usage: protect [-chown login-name] [-chgrp group-name] [-chmod permissions]
       [-file | -directory] [-recurse]
       [-c comment | -cfile pname | -cq | -cqe | -nc]
       [-pname] {pname | object-selector} ...
[exit 1]
$ cleartool lock foo.c src && cleartool protect -chmod 644 foo.c src/bar.c src
Locked file element "foo.c".
Locked directory element "src".
cleartool: Error: Lock on file element "foo.c" prevents operation "change protection".
cleartool: Error: Unable to change protection on "foo.c".
Changed protection on "src/bar.c".
cleartool: Error: Lock on directory element "src" prevents operation "change protection".
cleartool: Error: Unable to change protection on "src".
[exit 1]
"#,
    );
}

#[test]
fn who_may_protect_what() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    project.sh("cleartool protect -chown daemon foo.c && cleartool protectvob -force -add_group bin /vobs/x");
    project.check(&r#"
$ OTHER protect -chmod 600 foo.c src/bar.c; OTHER protect -chown bin foo.c; OTHER protect -chgrp bin foo.c
Changed protection on "foo.c".
cleartool: Error: No permission to perform operation "change protection".
cleartool: Error: Must be one of: element owner, VOB owner, root
cleartool: Error: Unable to change protection on "src/bar.c".
cleartool: Error: No permission to perform operation "change protection".
cleartool: Error: Must be one of: VOB owner, root
cleartool: Error: Unable to change protection on "foo.c".
Changed protection on "foo.c".
$ OTHER protectvob -force -add_group sys /vobs/x; OTHER protectvob -add_group sys /vobs/x
cleartool: Error: No permission to perform operation "protect VOB".
cleartool: Error: Must be one of: VOB owner, root
cleartool: Error: Unable to protect versioned object base "/vobs/x".
cleartool: Error: No permission to perform operation "protect VOB".
cleartool: Error: Must be one of: VOB owner, root
cleartool: Error: Unable to protect versioned object base "/vobs/x".
[exit 1]
$ cleartool protectvob -chown daemon -chgrp daemon ../../../../home/vobs/vobs_x.vbs < /dev/null; echo yes | cleartool protectvob -chown daemon -chgrp daemon ../../../../home/vobs/vobs_x.vbs
Protect versioned object base "../../../../home/vobs/vobs_x.vbs"?  [no] 
Protect versioned object base "../../../../home/vobs/vobs_x.vbs"?  [no] VOB ownership:
  owner daemon
  group daemon
Additional groups:
  group bin
$ stat -c '%U %G' . ; cleartool describe vob:. | grep -A5 ownership
daemon daemon
  VOB ownership:
    owner daemon
    group daemon
  Additional groups:
    group bin
$ OTHER protectvob -force -add_group sys /vobs/x; OTHER protectvob -force -chown bin /vobs/x; OTHER protectvob -force -delete_group sys,adm /vobs/x; OTHER protectvob -force -delete_group sys /vobs/x
VOB ownership:
  owner daemon
  group daemon
Additional groups:
  group bin
  group sys
cleartool: Error: No permission to perform operation "protect VOB".
cleartool: Error: Must be one of: root
cleartool: Error: Unable to protect versioned object base "/vobs/x".
cleartool: Error: Group "adm" is not in the VOB's group list.
cleartool: Error: Unable to protect versioned object base "/vobs/x".
VOB ownership:
  owner daemon
  group daemon
Additional groups:
  group bin
$ OTHER protect -chown bin src/bar.c && stat -c %U src/bar.c; cleartool protectvob -force -add_group sys /vobs/none
Changed protection on "src/bar.c".
bin
cleartool: Error: No matching entries found for VOB tag "/vobs/none".
cleartool: Error: Unable to protect versioned object base "/vobs/none".
[exit 1]
"#.replace("OTHER", OTHER));
}

#[test]
fn protections_hold_at_the_next_system_call_in_every_view() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let project = open_project();
    let world = &project.world;
    world.make_view("w");
    project
        .sh("ln -s foo.c alias && cleartool co -nc . && cleartool ln -nc foo.c hard.c && cleartool ci -nc .");
    let places = ["v", "w"].map(|view| world.in_view(view, "/vobs/x"));
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").mode() & 0o7777;
    // Everything is cached, by names, open files and a working directory.
    let names = ["foo.c", "hard.c", "foo.c@@/main/2", "foo.c@@/main/LATEST", "src/bar.c"];
    let open: Vec<std::fs::File> =
        places.iter().map(|place| std::fs::File::open(place.join("foo.c")).expect("opened")).collect();
    let directory = std::fs::File::open(places[1].join("src")).expect("opened");
    for place in &places {
        names.iter().for_each(|name| assert_eq!(mode(&place.join(name)), 0o444, "{name}"));
        assert_eq!(mode(&place.join("src")), 0o755);
    }
    project.sh("cleartool protect -chmod 550 foo.c && cleartool protect -chmod 700 src");
    for place in &places {
        names[..4].iter().for_each(|name| assert_eq!(mode(&place.join(name)), 0o550, "{name}"));
        assert_eq!((mode(&place.join("src")), mode(&place.join("src/bar.c"))), (0o700, 0o444));
    }
    for file in &open {
        assert_eq!(file.metadata().expect("open").mode() & 0o7777, 0o550);
    }
    assert_eq!(directory.metadata().expect("open").mode() & 0o7777, 0o700);
    // The kernel judges by them too.
    let denied = "setpriv --reuid 1 --regid 1 --clear-groups cat";
    let refused = world.sh(&places[1], &format!("{denied} foo.c; {denied} src/bar.c"));
    assert_eq!(refused.status, 1);
    assert_eq!(refused.stderr.matches("Permission denied").count(), 2, "{}", refused.stderr);
    project
        .sh("cleartool protect -chmod 755 src foo.c && cleartool protect -chown daemon -chmod 500 src/bar.c");
    let read = world.sh(&places[1], &format!("{denied} foo.c src/bar.c")).ok();
    assert_eq!(read, "one\ntwo\nbar\n");
}

#[test]
fn vobs_have_their_creators_groups_and_elements_one_of_the_vobs() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
    let world = World::new();
    std::fs::set_permissions(world.root(), std::fs::Permissions::from_mode(0o755)).expect("opened");
    let member = |uid: u32, gid: u32, groups: &str| {
        format!("setpriv --reuid {uid} --regid {gid} --groups {groups} env HOME=/nonexistent")
    };
    // The daemon is root's.
    world.ct(&["lsvob"]).ok();
    let creator = member(4001, 4001, "4002,4003");
    let made = world.sh(world.root(), &format!("{creator} cleartool mkvob -nc -public -tag /vobs/g")).ok();
    assert!(
        made.ends_with(
            "VOB ownership:\n  owner UNIX:UID-4001\n  group UNIX:GID-4001\nAdditional groups:\n  \
             group UNIX:GID-4002\n  group UNIX:GID-4003\n"
        ),
        "{made}"
    );
    world.ct(&["mount", "/vobs/g"]).ok();
    let view = world.sh(world.root(), "umask 0; cleartool mkview -tag open");
    view.ok();
    let place = world.in_view("open", "/vobs/g");
    let run = |who: &str, line: &str| world.sh(&place, &format!("{who} sh -c '{line}' 2>&1"));
    run(&creator, "cleartool co -nc . && cleartool protect -chmod 777 .").ok();
    // The primary group is in the list, is not, is not but another one is.
    run(&member(4001, 4003, "4001"), "cleartool mkelem -nc -nco a && stat -c %g a").ok();
    let refused = run(&member(4001, 4009, "4001,4008"), "cleartool mkelem -nc -nco b");
    assert_eq!(refused.status, 1);
    assert_eq!(
        refused.stdout,
        "cleartool: Error: Can\'t create object with group (UNIX:GID-4009) that is not in the VOB\'s group list.\n\
         cleartool: Error: Unable to create element \"b\".\n"
    );
    let list = "CLEARCASE_MKELEM_USE_GRPLIST=true";
    let made =
        run(&member(4001, 4009, "4002,4008"), &format!("{list} cleartool mkdir -nc -nco c && stat -c %g c"));
    assert_eq!(made.ok(), "Created directory element \"c\".\n4002\n");
    let several = run(&member(4001, 4009, "4002,4003"), &format!("{list} cleartool mkelem -nc -nco d"));
    assert!(several.stdout.starts_with("cleartool: Error: Can\'t create object with group"), "{several:?}");
    let shown = run(&creator, "cleartool describe vob:. | grep -A6 ownership").ok();
    assert_eq!(
        shown,
        "  VOB ownership:\n    owner UNIX:UID-4001\n    group UNIX:GID-4001\n  Additional groups:\n    \
         group UNIX:GID-4002\n    group UNIX:GID-4003\n"
    );
}
