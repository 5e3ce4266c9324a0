//! A session of ten thousand commands on a pipe, as editors and build servers hold one.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::project::Project;

const COMMANDS: usize = 10_000;
/// What one session may come to need while it warms up is over by then.
const WARM: usize = 2_000;

/// Open descriptors and resident memory of a process, in KiB.
fn needs(process: i32) -> (usize, u64) {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    let kib = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    (descriptors, kib)
}

#[test]
fn ten_thousand_commands_keep_in_step_and_leak_nothing() {
    let project = Project::small();
    let mut child = project
        .world
        .command("sh", &project.directory)
        .args(["-c", "exec cleartool -status 2>&1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell can be started");
    let client = child.id() as i32;
    let daemon = project.world.daemon().expect("the daemon runs");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let asked: [(&str, &str, u8); 6] = [
        ("describe -fmt \"%Vn|%En\\n\" foo.c", "/main/2|foo.c\n", 0),
        ("ls -short src", "src/bar.c@@/main/1\n", 0),
        ("lshistory -last 1 -fmt \"%e %Vn\\n\" src/bar.c", "create version /main/1\n", 0),
        (
            "describe -short nothing",
            "cleartool: Error: Unable to access \"nothing\": No such file or directory.\n",
            1,
        ),
        ("nonsense", "cleartool: Error: Unrecognized command: \"nonsense\"\n", 1),
        ("lsvtree -short src/bar.c", "src/bar.c@@/main\nsrc/bar.c@@/main/1\n", 0),
    ];
    let mut warm = None;
    for number in 1..=COMMANDS {
        let (command, answer, status) = asked[number % asked.len()];
        writeln!(input, "{command}").expect("the client reads");
        let last = format!("Command {number} returned status {status}\n");
        let mut told = String::new();
        while !told.ends_with(&last) {
            let read = output.read_line(&mut told).expect("it is text");
            assert!(read > 0 && told.len() <= answer.len() + last.len(), "{command}: {told}");
        }
        assert_eq!(told, format!("{answer}{last}"), "{command}");
        if number == WARM {
            warm = Some((needs(client), needs(daemon)));
        }
    }
    let ((client_files, client_kib), (daemon_files, daemon_kib)) = warm.expect("it came by");
    let (client, daemon) = (needs(client), needs(daemon));
    assert_eq!((client.0, daemon.0), (client_files, daemon_files), "descriptors");
    // 8,000 commands that each left 1 KiB would be 8,000 KiB.
    assert!(client.1 < client_kib + 2_000, "client: {client_kib} KiB, then {} KiB", client.1);
    assert!(daemon.1 < daemon_kib + 6_000, "daemon: {daemon_kib} KiB, then {} KiB", daemon.1);
    writeln!(input, "quit").expect("the client reads");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}
