//! Two ordinary users on one machine: what is private to one stays so, whatever way the other tries.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::world::{Output, World};

/// Users that need no account.
const ANNE: u32 = 4101;
const BOB: u32 = 4102;
/// A group that both are in where that is said.
const TEAM: u32 = 4200;

struct Users {
    world: World,
}

impl Users {
    /// A VOB and a view of Anne's, and a view of Bob's. The daemon is root's, started under this mask.
    #[track_caller]
    fn new(daemon_umask: &str) -> Users {
        assert!(rustix::process::geteuid().is_root(), "this test needs root");
        let world = World::new();
        std::fs::set_permissions(world.root(), PermissionsExt::from_mode(0o755)).expect("opened");
        world.sh(world.root(), &format!("umask {daemon_umask}; clerestory status; cleartool lsvob")).ok();
        let users = Users { world };
        users.anne("cleartool mkvob -nc -public -tag /vobs/x && cleartool mkview -tag anne_v").ok();
        users.world.ct(&["mount", "/vobs/x"]).ok();
        users.bob("cleartool mkview -tag bob_v").ok();
        users
    }

    fn run(&self, user: u32, groups: &str, view: Option<&str>, line: &str) -> Output {
        let place = view.map(|view| self.world.in_view(view, "/vobs/x"));
        let mut command = self.world.command("setpriv", place.as_deref().unwrap_or(self.world.root()));
        let id = user.to_string();
        command.args(["--reuid", &id, "--regid", &id]);
        match groups {
            "" => command.arg("--clear-groups"),
            groups => command.args(["--groups", groups]),
        };
        Output::of(command.args(["sh", "-c", &format!("umask 022; {{ {line}\n}} 2>&1")]))
    }

    fn anne(&self, line: &str) -> Output {
        let place = self.world.in_view("anne_v", "/vobs/x").is_dir().then_some("anne_v");
        self.run(ANNE, "", place, line)
    }

    fn bob(&self, line: &str) -> Output {
        self.run(BOB, "", None, line)
    }

    fn bob_in(&self, view: &str, line: &str) -> Output {
        self.run(BOB, "", Some(view), line)
    }
}

/// Expects a refusal that says this.
#[track_caller]
fn refused(output: Output, why: &str) {
    assert_ne!(output.status, 0, "{output:#?}");
    assert!(output.stdout.contains(why), "{why:?} is not in {output:#?}");
}

/// Everything below a directory that group or others may write to, links and sockets aside.
fn writable(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).expect("listed").flatten() {
        let metadata = entry.metadata().expect("there");
        let kind = metadata.file_type();
        if metadata.mode() & 0o022 != 0 && (kind.is_dir() || kind.is_file()) {
            found.push(format!("{:o} {}", metadata.mode(), entry.path().display()));
        }
        if kind.is_dir() {
            writable(&entry.path(), found);
        }
    }
}

#[test]
fn nobody_writes_storage_under_any_mask() {
    for umask in ["000", "077"] {
        let users = Users::new(umask);
        users.anne("cleartool co -nc . && echo a > a && cleartool mkelem -nc a && cleartool ci -nc a . && echo p > p").ok();
        let mut found = Vec::new();
        writable(&users.world.home(), &mut found);
        assert!(found.is_empty(), "under {umask}: {found:#?}");
        let home = users.world.home();
        let owner = |path: &str| std::fs::metadata(home.join(path)).expect("there").uid();
        assert_eq!((owner("views/anne_v.vws"), owner("vobs/vobs_x.vbs"), owner("registry")), (0, 0, 0));
        for path in ["views/anne_v.vws/private", "views/anne_v.vws/checkout", "vobs/vobs_x.vbs", "log"] {
            let path = home.join(path);
            refused(users.bob(&format!("ls {}", path.display())), "Permission denied");
            refused(users.bob(&format!("touch {}/x", path.display())), "Permission denied");
            // Nor does the owner reach around the permissions that commands and the mount ask.
            refused(users.anne(&format!("touch {}/x", path.display())), "Permission denied");
        }
        let view = home.join("views/anne_v.vws");
        for user in [ANNE, BOB] {
            let line = format!("echo x > {}/config_spec || mv {0}/private {0}/other", view.display());
            refused(users.run(user, "", None, &line), "Permission denied");
        }
    }
}

#[test]
fn private_files_are_read_by_nobody_whose_modes_do_not_say_so() {
    let users = Users::new("022");
    users.anne("cleartool co -nc . && echo old > f && cleartool mkelem -nc f && cleartool ci -nc f && cleartool co -nc f").ok();
    users
        .anne("echo mine > secret && chmod 600 secret f && mkdir dir && echo in > dir/in && chmod 700 dir")
        .ok();
    // Through the mount.
    refused(users.bob_in("anne_v", "cat secret f"), "Permission denied");
    refused(users.bob_in("anne_v", "ls dir"), "Permission denied");
    refused(users.bob_in("anne_v", "echo x > new"), "Permission denied");
    refused(users.bob_in("anne_v", "rm -f secret"), "Permission denied");
    // By commands: in Anne's view, and out of it into Bob's own element.
    users.world.ct(&["protectvob", "-force", "-add_group", &BOB.to_string(), "/vobs/x"]).ok();
    users.anne("cleartool ci -nc .").ok();
    let anne = users.world.in_view("anne_v", "/vobs/x");
    users.world.ct_in(&anne, &["protect", "-chgrp", &BOB.to_string(), "-chmod", "775", "."]).ok();
    users.bob_in("bob_v", "cleartool co -nc . && echo b > b && cleartool mkelem -nc b && cleartool ci -nc b && cleartool co -nc b").ok();
    for file in ["secret", "f"] {
        let from = anne.join(file);
        refused(
            users.bob_in("bob_v", &format!("cleartool ci -nc -rm -from {} b", from.display())),
            "Permission denied",
        );
    }
    refused(users.bob_in("bob_v", "cleartool ci -nc -rm -from /etc/shadow b"), "Permission denied");
    users.bob_in("bob_v", "ln -s /etc/shadow /tmp/bob.$$ && cleartool ci -nc -rm -from /tmp/bob.$$ b; rm /tmp/bob.$$; cat b@@/main/LATEST").ok();
    assert_eq!(users.bob_in("bob_v", "cat b@@/main/LATEST").ok(), "b\n");
    refused(users.bob_in("anne_v", "cleartool lsprivate -tag none"), "No matching entries");
    refused(users.bob_in("anne_v", "cleartool ls dir"), "Permission denied");
    refused(users.bob("cleartool recoverview -tag anne_v"), "Must be one of: view owner, root");
    refused(users.bob_in("anne_v", "cleartool mkelem -nc -ci secret"), "Must be one of");
}

#[test]
fn a_closed_view_is_closed_for_messages_too() {
    let users = Users::new("022");
    users.anne("umask 077; cleartool mkview -tag closed").ok();
    let place = users.world.in_view("closed", "/vobs/x");
    users.run(ANNE, "", Some("closed"), "echo mine > secret && mkdir hidden").ok();
    // The kernel lets nobody in; a client that names the view's files, or says it has set the view, is not let in
    // either.
    refused(users.bob(&format!("ls {}", place.display())), "Permission denied");
    for command in
        ["ls", "describe", "checkout -nc", "explain", "lsprivate -tag closed", "lshistory", "rmname -nc"]
    {
        let named = match command.starts_with("lsprivate") {
            true => String::new(),
            false => format!("{}/secret", place.display()),
        };
        let output = users.bob(&format!("cleartool {command} {named}"));
        assert_ne!(output.status, 0, "{command}: {output:#?}");
        let denied = output.stdout.contains("Permission denied") || output.stdout.contains("No permission");
        assert!(denied, "{command}: {output:#?}");
        let forged = "CLEARCASE_ROOT=/view/closed";
        let output = users.bob(&format!("{forged} cleartool {command} /vobs/x/secret"));
        assert_ne!(output.status, 0, "{command}: {output:#?}");
        assert!(!output.stdout.contains("hidden"), "{command}: {output:#?}");
    }
    refused(users.bob(&format!("cleartool ci -nc -from {}/secret x", place.display())), "");
    assert!(users.run(ANNE, "", Some("closed"), "cleartool ls").ok().contains("secret"));
}

#[test]
fn views_and_checkouts_are_changed_by_their_owner_alone() {
    let users = Users::new("022");
    users.anne("cleartool co -nc . && echo old > f && cleartool mkelem -nc f && cleartool ci -nc f && cleartool ci -nc .").ok();
    users.world.ct(&["protectvob", "-force", "-add_group", &TEAM.to_string(), "/vobs/x"]).ok();
    let anne = users.world.in_view("anne_v", "/vobs/x");
    users.world.ct_in(&anne, &["protect", "-chgrp", &TEAM.to_string(), "f", "."]).ok();
    users.anne("cleartool co -nc f . && echo new > f && chmod 644 f").ok();
    let spec = users.world.root().join("spec");
    std::fs::write(&spec, "element * -none\n").expect("written");
    for line in [
        "setcs -tag anne_v -default",
        "setcs -tag anne_v -current",
        "endview anne_v",
        "rmview -force -tag anne_v",
    ] {
        refused(users.bob(&format!("cleartool {line}")), "Must be one of: view owner, root");
    }
    refused(
        users.bob(&format!("cleartool setcs -tag anne_v {}", spec.display())),
        "Must be one of: view owner, root",
    );
    refused(
        users.bob("EDITOR=true cleartool edcs -tag anne_v < /dev/null"),
        "Must be one of: view owner, root",
    );
    for line in [
        "rmvob -force /vobs/x",
        "chvob -nevil_twin_detection /vobs/x",
        "protectvob -force -add_group 7 /vobs/x",
    ] {
        refused(users.bob(&format!("cleartool {line}")), "Must be one of: VOB owner, root");
    }
    refused(users.bob("clerestory shutdown"), "No permission");
    // Bob is in the elements' group: he may make versions, but not of what is checked out in Anne's view.
    let bob = |view: &str, line: &str| users.run(BOB, &TEAM.to_string(), Some(view), line);
    for (line, operation) in [
        ("cleartool ci -nc f", "checkin"),
        ("cleartool unco -rm f", "uncheckout"),
        ("cleartool rmname -nc -force f", "modify directory"),
        ("cleartool mv -nc f g", "modify directory"),
        ("cleartool ln -s x y", "modify directory"),
        ("cleartool mkdir -nc sub", "make element"),
    ] {
        let output = bob("anne_v", line);
        refused(
            output,
            &format!(
                "No permission to perform operation \"{operation}\".\ncleartool: Error: Must be one of: view owner, root"
            ),
        );
    }
    assert_eq!(users.anne("cat f").ok(), "new\n");
    bob("bob_v", "cleartool co -nc -unreserved f && echo bobs > f && cleartool unco -rm f").ok();
    // In a view that is shared on purpose, the file's own mode decides still.
    let line = format!(
        "umask 007; setpriv --reuid {ANNE} --regid {TEAM} --clear-groups cleartool mkview -tag team_v"
    );
    users.world.sh(users.world.root(), &line).ok();
    users.anne("cleartool unco -rm f && cleartool ci -nc -identical .").ok();
    let team = |user: u32, line: &str| users.run(user, &TEAM.to_string(), Some("team_v"), line);
    team(ANNE, "cleartool co -nc f && echo private > f && chmod 600 f").ok();
    refused(team(BOB, "cleartool ci -nc f"), "Permission denied");
    team(ANNE, &format!("chgrp {TEAM} f && chmod 640 f")).ok();
    assert_eq!(team(BOB, "cleartool ci -nc f").ok(), "Checked in \"f\" version \"/main/2\".\n");
}

#[test]
fn find_runs_commands_as_its_user_and_names_only_what_an_open_view_shows() {
    let users = Users::new("022");
    users
        .anne("cleartool co -nc . && echo a > a.c && cleartool mkelem -nc -ci a.c && cleartool ci -nc .")
        .ok();
    let found = users.bob_in("bob_v", "cleartool find . -user 4101 -type f -print -exec 'id -u'").ok();
    assert_eq!(found, "./a.c@@\n4102\n");
    users.anne("umask 077; cleartool mkview -tag closed_v").ok();
    let closed = "$CLERESTORY_VIEWROOT/closed_v/vobs/x";
    refused(users.bob(&format!("cleartool find {closed} -print")), "Permission denied");
    refused(users.bob(&format!("cleartool find {closed} -all -visible -print")), "Cannot get view info");
    // The VOB is open: what it holds is named without the view.
    let found = users.bob(&format!("cleartool find {closed} -all -type f -print")).ok();
    assert_eq!(found, "/vobs/x/.@@/main/1/a.c@@\n");
}
