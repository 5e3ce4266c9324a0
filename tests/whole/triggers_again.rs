//! Triggers: their types, lists of elements, built-in actions, users, what goes wrong, and who tries to go around them.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use clerestory::server::proto::host_client::HostClient;
use clerestory::server::proto::{
    CheckoutArgument, CheckoutRequest, Context, Failure, FailureCode, FiringsRequest, Pname,
    SettleFiringsRequest,
};
use clerestory::server::transport;

use crate::triggers::project;
use crate::world::{Output, World};

/// Says that it ran, for what.
const SAY: (&str, &str) = (
    "SAY",
    "#!/bin/sh\necho \"$CLEARCASE_TRTYPE_KIND $CLEARCASE_OP_KIND${CLEARCASE_POP_KIND:+ in $CLEARCASE_POP_KIND} \
     ${CLEARCASE_XPN##*/x/}\"\n",
);
const NO: (&str, &str) = ("NO", "#!/bin/sh\nexit 3\n");

#[test]
fn trigger_types_are_made_listed_described_and_refused() {
    project(&[SAY]).check(
        r#"
$ cleartool mklbtype -nc L; cleartool mkbrtype -nc b; cleartool mkattype -nc A; cleartool mkhltype -nc H
Created label type "L".
Created branch type "b".
Created attribute type "A".
Created hyperlink type "H".
$ cleartool mktrtype -c 'no removal' -element -all -preop rmelem,rmver -brtype main -nusers vobadm -exec /opt/no_rmelem.pl no_rmelem
Created trigger type "no_rmelem".
$ cleartool describe trtype:no_rmelem | MASK
trigger type "no_rmelem"
  created
  "no removal"
  owner: root
  group: root
  all element trigger
  pre-operation rmelem,rmver
  action: -exec /opt/no_rmelem.pl
  restriction: branch type main
  excluded users: vobadm
$ cleartool mktrtype -nc -element -postop MODIFY_DATA -execunix 'SAY x' -execwin 'say.bat' -mklabel L -mkattr 'A="v=1"' -mkhlink H,to=/vobs/x/foo.c -print EVERY; cleartool lstype -long trtype:EVERY | MASK
Created trigger type "EVERY".
trigger type "EVERY"
  created
  owner: root
  group: root
  element trigger
  post-operation MODIFY_DATA
  action: -execunix SAY x
  action: -execwin say.bat
  action: -mklabel L
  action: -mkattr A="v=1"
  action: -mkhlink H,to=/vobs/x/foo.c
  prints its firings
$ cleartool mktrtype -nc -type -preop mkbranch,rmtype -brtype b,main -lbtype -all -exec SAY OF_TYPES; cleartool describe trtype:OF_TYPES | tail -5
Created trigger type "OF_TYPES".
  type trigger
  pre-operation mkbranch,rmtype
  action: -exec SAY
  inclusion: branch type b,main
  inclusion: all label types
$ cleartool lstype -kind trtype -short; cleartool lstype -kind trtype | sed 's/^.* trigger/trigger/'
EVERY
OF_TYPES
no_rmelem
trigger type "EVERY"
trigger type "OF_TYPES"
trigger type "no_rmelem"
  "no removal"
$ cleartool lock -obsolete trtype:EVERY; cleartool lstype -kind trtype -short; cleartool unlock trtype:EVERY
Locked trigger type "EVERY".
OF_TYPES
no_rmelem
Unlocked trigger type "EVERY".
$ cleartool mktrtype -nc -element -preop checkin -exec SAY EVERY
cleartool: Error: Name "EVERY" already exists.
cleartool: Error: Unable to create trigger type "EVERY".
[exit 1]
$ cleartool mktrtype -nc -replace -element -preop checkin -exec SAY EVERY; cleartool describe trtype:EVERY | tail -2
Replaced definition of trigger type "EVERY".
  pre-operation checkin
  action: -exec SAY
$ cleartool mktrtype -nc -element -preop checkin -mklabel L BAD
cleartool: Error: Only triggers that fire after the operation can attach something.
cleartool: Error: Unable to create trigger type "BAD".
[exit 1]
$ cleartool mktrtype -nc -element -preop mktype -exec SAY BAD; cleartool mktrtype -nc -type -preop checkin -brtype b -exec SAY BAD
cleartool: Error: An element trigger cannot watch the operation mktype.
cleartool: Error: Unable to create trigger type "BAD".
cleartool: Error: A type trigger cannot watch the operation checkin.
cleartool: Error: Unable to create trigger type "BAD".
[exit 1]
$ cleartool mktrtype -nc -type -preop mklabel -exec SAY BAD; cleartool mktrtype -nc -element -preop deliver_start -exec SAY BAD; cleartool mktrtype -nc -element -preop checkin -lbtype NONE -exec SAY BAD
cleartool: Error: A type trigger needs the types that it watches.
cleartool: Error: Unable to create trigger type "BAD".
cleartool: Error: No trigger can watch the operation deliver_start.
cleartool: Error: Unable to create trigger type "BAD".
cleartool: Error: Label type not found: "NONE".
cleartool: Error: Unable to create trigger type "BAD".
[exit 1]
$ cleartool mktrtype -nc -element -preop checkin -global -exec SAY BAD; cleartool mktrtype -nc -ucmobject -preop mkbl -exec SAY BAD
cleartool: Error: Trigger types cannot be global.
cleartool: Error: Triggers of UCM objects are not supported yet.
[exit 1]
$ cleartool mktrtype -nc -preop checkin -exec SAY BAD 2>&1 | head -1; cleartool mktrtype -nc -element -exec SAY BAD 2>&1 | head -1; cleartool mktrtype -nc -element -preop checkin BAD 2>&1 | head -1; cleartool mktrtype -nc -element -preop checkin -postop checkin -exec SAY BAD 2>&1 | head -1
cleartool: Error: Either -element or -type required
cleartool: Error: Either -preop or -postop required
cleartool: Error: An action required
cleartool: Error: Options -preop and -postop are mutually exclusive
$ cleartool checkvob /vobs/x | sed 's/ (.*//'
Checked VOB "/vobs/x": nothing is wrong
"#,
    );
}

#[test]
fn directories_hand_their_triggers_on_to_what_is_made_in_them() {
    project(&[SAY]).check(
        r#"
$ cleartool mktrtype -nc -element -preop checkout,lnname -exec SAY T; cleartool mktrtype -nc -element -all -preop checkout -exec true ALL
Created trigger type "T".
Created trigger type "ALL".
$ cleartool mktrigger -nc T foo.c src; cleartool mktrigger -nc -nattach T .; cleartool mktrigger -nc T foo.c; cleartool mktrigger -nc ALL foo.c
Added trigger "T" to element "foo.c".
Added trigger "T" to attached list of directory "src".
Added trigger "T" to inheritance list of directory "src".
Added trigger "T" to inheritance list of directory ".".
cleartool: Error: Trigger "T" is already attached.
cleartool: Error: Unable to add trigger "T" to "foo.c".
cleartool: Error: Trigger type "ALL" fires without being attached: only those made with -element and without -all are attached.
cleartool: Error: Unable to add trigger "ALL" to "foo.c".
[exit 1]
$ cleartool describe -long foo.c@@ src@@ .@@ | grep -A4 -E '^(file|dir)|Triggers' | grep -E 'element "|rigger|list|   T'
file element "foo.c@@"
  Triggers:
    Attached list:
      T
directory element "src@@"
  Triggers:
    Attached list:
      T
    Inheritance list:
      T
directory element ".@@"
  Triggers:
    Inheritance list:
      T
$ cleartool co -nc foo.c src/bar.c src .
pre-operation checkout foo.c@@/main/2
pre-operation checkout src@@/main/1
Checked out "foo.c" from version "/main/2".
Checked out "src/bar.c" from version "/main/1".
Checked out "src" from version "/main/1".
Checked out "." from version "/main/1".
$ cleartool mkelem -nc top src/inside; cleartool mkdir -nc dir
pre-operation checkout in mkelem top@@/main/0
pre-operation checkout in mkelem src/inside@@/main/0
pre-operation lnname in mkelem src/inside@@
Created element "top" (type "text_file").
Checked out "top" from version "/main/0".
Created element "src/inside" (type "text_file").
Checked out "src/inside" from version "/main/0".
pre-operation checkout in mkelem dir@@/main/0
Created directory element "dir".
Checked out "dir" from version "/main/0".
$ cleartool describe top@@ | tail -3
  Triggers:
    Attached list:
      T
$ cleartool describe dir@@ | tail -5
  Triggers:
    Attached list:
      T
    Inheritance list:
      T
$ cleartool rmtrigger -nc -recurse T .; cleartool rmtrigger -nc T foo.c
Removed trigger "T" from inheritance list of directory ".".
Removed trigger "T" from attached list of directory "./dir".
Removed trigger "T" from inheritance list of directory "./dir".
Removed trigger "T" from element "./foo.c".
Removed trigger "T" from attached list of directory "./src".
Removed trigger "T" from inheritance list of directory "./src".
Removed trigger "T" from element "./src/inside".
Removed trigger "T" from element "./top".
cleartool: Error: Trigger "T" is not attached.
cleartool: Error: Unable to remove trigger "T" from "foo.c".
[exit 1]
$ cleartool mktrigger -nc -recurse -ninherit T src; cleartool rmtype -nc trtype:T; cleartool rmtype -nc -rmall -force trtype:T; cleartool describe src@@ | grep -c T:
Added trigger "T" to attached list of directory "src".
Added trigger "T" to element "src/bar.c".
Added trigger "T" to element "src/inside".
cleartool: Error: There are triggers of type "T".
cleartool: Error: Unable to remove trigger type "T".
Removed trigger type "T".
0
[exit 1]
$ cleartool lshistory -minor -short foo.c@@ | head -1; cleartool lshistory -minor foo.c | grep trigger | sed 's/^.*  //'
foo.c@@
remove trigger "T" from file element "foo.c@@"
make trigger "T" on file element "foo.c@@"
$ cleartool checkvob /vobs/x | sed 's/ (.*//'
Checked VOB "/vobs/x": nothing is wrong
"#,
    );
}

#[test]
fn actions_after_an_operation_attach_things_and_their_failures_change_nothing() {
    project(&[SAY, NO]).check(
        r#"
$ cleartool mklbtype -nc L; cleartool mkattype -nc A; cleartool mkhltype -nc H
Created label type "L".
Created attribute type "A".
Created hyperlink type "H".
$ cleartool mktrtype -nc -element -all -postop checkin -exec NO -mklabel L -mkattr 'A="%OP_KIND% of $CLEARCASE_ID_STR"' -mkhlink H,to=src/bar.c@@ -print T
Created trigger type "T".
$ cleartool co -nc foo.c; echo 3 >> foo.c; cleartool ci -nc foo.c; echo $?
Checked out "foo.c" from version "/main/2".
Trigger "T" fires after checkin of "WORLD/view/v/vobs/x/foo.c@@/main/3".
cleartool: Warning: Trigger "T" failed after checkin, which is done.
Checked in "foo.c" version "/main/3".
0
$ cleartool describe foo.c | tail -6
  Labels:
    L
  Attributes:
    A = "checkin of /main/3"
  Hyperlinks:
    H -> WORLD/view/v/vobs/x/src/bar.c@@
"#,
    );
}

#[test]
fn commands_of_actions_work_and_fire_triggers_down_to_a_limit() {
    let label = ("LABEL", "#!/bin/sh\ncleartool mklabel -nc -replace \"$1\" \"$CLEARCASE_XPN\"\n");
    let deeper = (
        "DEEPER",
        "#!/bin/sh\ncleartool mkattr -nc -replace A \"\\\"$$\\\"\" \"$CLEARCASE_PN@@\" >/dev/null\n",
    );
    project(&[label, deeper, SAY]).check(
        r#"
$ cleartool mklbtype -nc L; cleartool mkattype -nc A; cleartool mktrtype -nc -element -all -preop mklabel -exec SAY S; cleartool mktrtype -nc -element -all -preop checkout -exec 'LABEL L' T
Created label type "L".
Created attribute type "A".
Created trigger type "S".
Created trigger type "T".
$ cleartool co -nc foo.c
pre-operation mklabel foo.c@@/main/2
Created label "L" on "WORLD/view/v/vobs/x/foo.c" version "/main/2".
Checked out "foo.c" from version "/main/2".
$ cleartool mktrtype -nc -element -all -preop mkattr -exec DEEPER D; cleartool mkattr -nc A '"x"' foo.c@@ 2>&1 | grep -E '^cleartool: Error: Trig' ; cleartool describe -short -aattr -all foo.c@@
Created trigger type "D".
cleartool: Error: Triggers fire one another more than 10 deep: trigger "D" does not run.
$ cleartool mktrtype -nc -replace -element -all -postop mkattr -exec DEEPER D; cleartool mkattr -nc A '"x"' foo.c@@ 2>&1 | grep -v Warning
Replaced definition of trigger type "D".
cleartool: Error: Triggers fire one another more than 10 deep: trigger "D" does not run.
Created attribute "A" on "foo.c@@".
"#,
    );
}

/// One program in three languages: it vetoes branches, wants comments, stops evil twins, and labels what was checked in.
const SH: &str = r#"#!/bin/sh
case "$CLEARCASE_TRTYPE_KIND $CLEARCASE_OP_KIND" in
"pre-operation mkbranch") echo "no branches, $CLEARCASE_USER" >&2; exit 1;;
"pre-operation checkin")
  [ `printf %s "$CLEARCASE_COMMENT" | wc -c` -ge 5 ] && exit 0
  echo "say why" >&2; exit 1;;
"pre-operation lnname")
  [ "$CLEARCASE_POP_KIND" = rmname ] && exit 0
  d=`dirname "$CLEARCASE_PN"`; n=`basename "$CLEARCASE_PN"`
  for v in "$d/.@@/main"/[0-9]*; do
    [ -e "$v/$n" ] && { echo "name $n existed before" >&2; exit 1; }
  done
  exit 0;;
*) exec cleartool mklabel -nc -replace NEWEST "$CLEARCASE_XPN";;
esac
"#;
const PYTHON: &str = r#"#!/usr/bin/python3
import glob, os, subprocess, sys
env = {name[10:]: value for name, value in os.environ.items() if name.startswith("CLEARCASE_")}
def refuse(why):
    sys.exit(why)
what = (env["TRTYPE_KIND"], env["OP_KIND"])
if what == ("pre-operation", "mkbranch"):
    refuse("no branches, " + env["USER"])
elif what == ("pre-operation", "checkin"):
    if len(env["COMMENT"]) < 5:
        refuse("say why")
elif what == ("pre-operation", "lnname"):
    directory, name = os.path.split(env["PN"])
    if env.get("POP_KIND") != "rmname" and glob.glob(f"{directory}/.@@/main/[0-9]*/{name}"):
        refuse(f"name {name} existed before")
else:
    sys.exit(subprocess.call(["cleartool", "mklabel", "-nc", "-replace", "NEWEST", env["XPN"]]))
"#;
const PERL: &str = r#"#!/usr/bin/perl
use strict;
my %env = map { /^CLEARCASE_(.*)/ ? ($1 => $ENV{$_}) : () } keys %ENV;
sub refuse { print STDERR "$_[0]\n"; exit 1 }
my $what = "$env{TRTYPE_KIND} $env{OP_KIND}";
if ($what eq "pre-operation mkbranch") { refuse("no branches, $env{USER}") }
elsif ($what eq "pre-operation checkin") { refuse("say why") if length($env{COMMENT}) < 5 }
elsif ($what eq "pre-operation lnname") {
    exit 0 if ($env{POP_KIND} // "") eq "rmname";
    my ($directory, $name) = $env{PN} =~ m,^(.*)/([^/]*)$,;
    refuse("name $name existed before") if grep { -e } glob("$directory/.\@\@/main/[0-9]*/$name");
} else {
    exit(system("cleartool", "mklabel", "-nc", "-replace", "NEWEST", $env{XPN}) >> 8);
}
"#;

const ANNE: u32 = 4101;
const BOB: u32 = 4102;
const TEAM: u32 = 4200;

/// A VOB of Anne's, in which Bob may make versions, and a view that both use.
struct Team(World);

impl Team {
    #[track_caller]
    fn new() -> Team {
        assert!(rustix::process::geteuid().is_root(), "this test needs root");
        let world = World::new();
        std::fs::set_permissions(world.root(), PermissionsExt::from_mode(0o755)).expect("opened");
        world.sh(world.root(), "umask 022; clerestory status; cleartool lsvob").ok();
        let team = Team(world);
        team.run(ANNE, "cleartool mkvob -nc -public -tag /vobs/x && cleartool mkview -tag v").ok();
        team.0.ct(&["mount", "/vobs/x"]).ok();
        team.run(
            ANNE,
            "cleartool co -nc . && echo 1 > a && cleartool mkelem -nc a && cleartool ci -nc a . && \
             cleartool protect -chmod 775 .",
        )
        .ok();
        team
    }

    fn run(&self, user: u32, line: &str) -> Output {
        let place = self.0.in_view("v", "/vobs/x");
        let place = if place.is_dir() { place } else { self.0.root().to_owned() };
        let mut command = self.0.command("setpriv", &place);
        let (id, team) = (user.to_string(), TEAM.to_string());
        command.args(["--reuid", &id, "--regid", &team, "--groups", &team]);
        Output::of(command.args(["sh", "-c", &format!("umask 002; {{ {line}\n}} 2>&1")]))
    }
}

#[test]
fn scripts_in_three_languages_veto_want_comments_stop_twins_and_attach_labels_for_two_users() {
    for program in [SH, PYTHON, PERL] {
        let team = Team::new();
        let path = team.0.root().join("bin/HOOK");
        std::fs::write(&path, program).expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("made executable");
        team.run(
            ANNE,
            "cleartool chvob -nevil_twin_detection /vobs/x && cleartool mklbtype -nc NEWEST && \
             cleartool mkbrtype -nc b && \
             cleartool mktrtype -nc -element -all -preop checkin,mkbranch,lnname -exec HOOK BEFORE && \
             cleartool mktrtype -nc -element -all -postop checkin -exec HOOK AFTER",
        )
        .ok();
        for (user, version) in [(ANNE, 2), (BOB, 3)] {
            let refused = |line: &str, why: &str| {
                let output = team.run(user, line);
                assert!(output.status != 0 && output.stdout.contains(why), "{line}: {why}: {output:#?}");
                assert!(output.stdout.contains("Trigger \"BEFORE\" has refused to let "), "{output:#?}");
            };
            refused("cleartool mkbranch -nc b a", &format!("no branches, UNIX:UID-{user}"));
            team.run(user, "cleartool co -nc a . && echo more >> a").ok();
            refused("cleartool ci -nc a", "say why");
            let done = team.run(user, "cleartool ci -c 'that is why' a").ok();
            let said = format!("Created label \"NEWEST\" on \"WORLD\" version \"/main/{version}\".");
            let moved = format!(
                "Moved label \"NEWEST\" on \"WORLD\" from version \"/main/{}\" to \"/main/{version}\".",
                version - 1
            );
            let path = team.0.in_view("v", "/vobs/x/a").display().to_string();
            let done = done.replace(&path, "WORLD");
            assert!(done.contains(if user == ANNE { &said } else { &moved }), "{done}");
            assert!(done.ends_with(&format!("Checked in \"a\" version \"/main/{version}\".\n")), "{done}");
            team.run(user, "cleartool rmname -nc a").ok();
            refused("cleartool mkelem -nc a", "name a existed before");
            team.run(user, "cleartool mkelem -nc fresh && cleartool mv fresh b && cleartool unco -rm b").ok();
            team.run(user, "cleartool unco -rm .").ok();
        }
        // The action has the rights of who gave the command: Bob may not move the label, and checks in all the same.
        team.run(ANNE, &format!("cleartool lock -nusers UNIX:UID-{ANNE} lbtype:NEWEST")).ok();
        for (user, moves) in [(BOB, false), (ANNE, true)] {
            let line = "cleartool co -nc a >&2 && echo more >> a && cleartool ci -c 'that is why' a";
            let done = team.run(user, line).ok();
            assert_eq!(done.contains("Moved label \"NEWEST\""), moves, "{done}");
            let warning = "cleartool: Warning: Trigger \"AFTER\" failed after checkin, which is done.";
            assert_eq!(done.contains(warning), !moves, "{done}");
            assert!(done.contains("Checked in \"a\" version"), "{done}");
        }
        let labelled = team.run(BOB, "cleartool describe -s a; cleartool describe -s a@@/main/NEWEST").ok();
        assert_eq!(labelled, "a@@/main/5\na@@/main/5\n");
    }
}

#[test]
fn two_users_have_triggers_of_the_vobs_owner_who_alone_makes_them() {
    let team = Team::new();
    let run = |user: u32, line: &str| team.run(user, line);
    let refused = run(BOB, "cleartool mktrtype -nc -element -all -preop checkout -exec true T");
    assert!(refused.stdout.contains("Must be one of: VOB owner, root"), "{refused:#?}");
    // The action is the user's own process, and who is exempt is not asked.
    let words = "id -u; echo $CLEARCASE_USER; test $CLEARCASE_OP_KIND = checkin";
    run(ANNE, &format!("cleartool mktrtype -nc -element -preop checkin,checkout -nusers UNIX:UID-{ANNE} -exec '{words}' T")).ok();
    let refused = run(BOB, "cleartool mktrigger -nc T a");
    assert!(refused.stdout.contains("Must be one of: element owner, VOB owner, root"), "{refused:#?}");
    run(ANNE, "cleartool mktrigger -nc T a").ok();
    let refused = run(BOB, "cleartool co -nc a");
    assert!(
        refused
            .stdout
            .starts_with(&format!("{BOB}\nUNIX:UID-{BOB}\ncleartool: Warning: Trigger \"T\" has refused")),
        "{refused:#?}"
    );
    let done = run(ANNE, "cleartool co -nc a && cleartool unco -rm a").ok();
    assert!(done.starts_with("Checked out"), "{done}");
    for line in [
        "cleartool rmtrigger -nc T a",
        "cleartool rmtype -nc -rmall -force trtype:T",
        "cleartool lock trtype:T",
    ] {
        let refused = run(BOB, line);
        assert!(refused.status != 0 && refused.stdout.contains("Must be one of"), "{line}: {refused:#?}");
    }
}

#[test]
fn an_action_that_hangs_can_be_interrupted_and_blocks_nobody() {
    let hang = ("HANG", "#!/bin/sh\necho here > ../started\nread never < ../never\n");
    let project = project(&[hang]);
    let world = &project.world;
    let root = world.root().display();
    project.sh(&format!("mkfifo {root}/started {root}/never"));
    project.sh(&format!(
        "cleartool mktrtype -nc -element -all -preop checkout -exec 'cd {root}/bin && HANG' -nusers nobody T"
    ));
    let mut command = world.command("cleartool", &project.directory);
    let command = command.args(["co", "-nc", "foo.c"]).process_group(0);
    let mut hanging = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    // The fifo is written to when the action runs.
    assert_eq!(std::fs::read_to_string(world.root().join("started")).expect("read"), "here\n");
    // Nobody waits for it.
    project.sh("cleartool mklbtype -nc L && cleartool mklabel -nc L foo.c");
    let group = rustix::process::Pid::from_child(&hanging);
    rustix::process::kill_process_group(group, rustix::process::Signal::INT).expect("interrupted");
    assert!(!hanging.wait().expect("ended").success());
    assert_eq!(project.sh("cleartool lsco -s -all"), "");
    // After an operation it is too late to stop that; the command ends as well.
    project.sh(&format!(
        "cleartool mktrtype -nc -replace -element -all -postop checkout -exec 'cd {root}/bin && HANG' T"
    ));
    let mut command = world.command("cleartool", &project.directory);
    let command = command.args(["co", "-nc", "foo.c"]).process_group(0);
    let mut hanging = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    assert_eq!(std::fs::read_to_string(world.root().join("started")).expect("read"), "here\n");
    assert_eq!(project.sh("cleartool lsco -s -all | sed 's,.*/,,'"), "foo.c\n");
    let group = rustix::process::Pid::from_child(&hanging);
    rustix::process::kill_process_group(group, rustix::process::Signal::INT).expect("interrupted");
    assert!(!hanging.wait().expect("ended").success());
    project.sh("cleartool unco -rm foo.c && cleartool lock trtype:T && cleartool co -nc foo.c");
}

#[test]
fn a_program_that_calls_the_daemon_itself_cannot_leave_a_trigger_out() {
    let project = project(&[NO]);
    project.sh("cleartool mktrtype -nc -element -all -preop checkout -exec NO T");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stream = transport::connect(&project.world.home().join("socket")).expect("the daemon listens");
    let channel = runtime.block_on(transport::channel(stream)).expect("the daemon answers");
    let mut host = HostClient::new(channel);
    let request = |name: &str, comment: &str| {
        let absolute = project.directory.join(name).into_os_string().into_encoded_bytes();
        let pname = Some(Pname { typed: name.into(), absolute });
        let context = Context {
            working_directory: project.directory.clone().into_os_string().into_encoded_bytes(),
            ..Context::default()
        };
        CheckoutRequest {
            context: Some(context),
            arguments: vec![CheckoutArgument {
                pname,
                comment: comment.into(),
                ..CheckoutArgument::default()
            }],
            ..CheckoutRequest::default()
        }
    };
    let mut call = |name: &str, comment: &str, token: &str| {
        let mut request = tonic::Request::new(request(name, comment));
        if !token.is_empty() {
            request.metadata_mut().insert("clerestory-cleared", token.parse().expect("a token"));
        }
        let answer = runtime.block_on(host.checkout(request));
        let Err(status) = answer else { return String::new() };
        let failure = Failure::from_status(&status).expect("a failure");
        assert_eq!(failure.code(), FailureCode::TriggersToRun);
        failure.text
    };
    let mut second = {
        let stream = transport::connect(&project.world.home().join("socket")).expect("the daemon listens");
        HostClient::new(runtime.block_on(transport::channel(stream)).expect("the daemon answers"))
    };
    let mut settle = |token: &str| {
        let firings =
            runtime.block_on(second.firings(FiringsRequest { token: token.to_owned() })).expect("told");
        assert_eq!(firings.into_inner().firings.len(), 1);
        let settle = SettleFiringsRequest { token: token.to_owned(), refused: vec![] };
        runtime.block_on(second.settle_firings(settle)).expect("settled");
    };
    let token = call("foo.c", "why", "");
    assert!(!token.is_empty() && !call("foo.c", "why", "1.1").is_empty());
    // A token whose triggers nobody settled, and those of another object and of another comment.
    assert!(!call("foo.c", "why", &token).is_empty());
    for (name, comment) in [("src/bar.c", "why"), ("foo.c", "why not")] {
        let other = call(name, comment, "");
        settle(&other);
        assert!(!call("foo.c", "why", &other).is_empty());
    }
    assert_eq!(project.sh("cleartool lsco -short -all"), "");
    // Whoever says that just this has run is believed, once.
    let token = call("foo.c", "why", "");
    settle(&token);
    assert_eq!(call("foo.c", "why", &token), "");
    assert!(project.sh("cleartool lsco -short -all").ends_with("/foo.c\n"));
    assert!(!call("src/bar.c", "why", &token).is_empty());
}
