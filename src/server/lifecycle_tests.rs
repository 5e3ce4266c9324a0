//! Tests of the daemon's life with a trivial service: this test program itself, run again as the daemon.

use super::*;
use std::os::fd::FromRawFd;
use std::sync::Barrier;

const IS_DAEMON: &str = "CLERESTORY_TEST_IS_DAEMON";
const FAIL: &str = "CLERESTORY_TEST_FAIL";

/// The daemon's body. As an ordinary test it does nothing; started by [`daemon`] it serves.
#[test]
fn daemon_body() {
    if std::env::var_os(IS_DAEMON).is_none() {
        return;
    }
    // SAFETY: `daemon` opened descriptor 3 for this process, and nothing else here owns it.
    let pipe = unsafe { OwnedFd::from_raw_fd(3) };
    rustix::stdio::dup2_stdout(&pipe).unwrap();
    drop(pipe);
    let result = serve(Home::from_environment().unwrap(), Mode::Background, |start| {
        if std::env::var_os(FAIL).is_some() {
            return Err("no luck today");
        }
        start.ready.ready();
        for stream in start.listener.incoming() {
            let mut stream = stream.unwrap();
            let mut word = [0];
            if stream.read(&mut word).unwrap() == 0 {
                continue;
            }
            stream.write_all(&std::process::id().to_le_bytes()).unwrap();
            if word == *b"q" {
                break;
            }
        }
        Ok(())
    });
    std::process::exit(result.is_err().into());
}

/// The test runner writes to standard output, so the pipe travels as descriptor 3.
fn daemon() -> Command {
    let mut command = Command::new("sh");
    let script =
        "exec 3>&1 >/dev/null; exec \"$0\" --exact server::lifecycle::tests::daemon_body --nocapture";
    command.args(["-c", script]).arg(std::env::current_exe().unwrap()).env(IS_DAEMON, "1");
    command
}

fn say(mut stream: UnixStream, word: &[u8; 1]) -> i32 {
    stream.write_all(word).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    i32::from_le_bytes(answer)
}

fn home() -> (tempfile::TempDir, Home) {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("home"), directory.path().join("view"));
    (directory, home)
}

#[test]
fn clients_that_come_at_once_start_one_daemon() {
    let (_directory, home) = home();
    let barrier = Barrier::new(4);
    let pids: Vec<i32> = std::thread::scope(|scope| {
        let client = || {
            barrier.wait();
            say(ensure_running_with(&home, daemon).unwrap(), b"p")
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    let again = serve(home.clone(), Mode::Foreground, |_| Ok::<(), String>(()));
    assert!(matches!(again, Err(LifecycleError::AlreadyRunning { .. })), "{again:?}");
    say(ensure_running_with(&home, daemon).unwrap(), b"q");
    wait_until_stopped(&home).unwrap();
    assert!(connect_if_running(&home).unwrap().is_none());
    assert!(!home.socket().exists());
}

#[test]
fn a_socket_left_by_a_killed_daemon_is_replaced() {
    let (_directory, home) = home();
    let pid = say(ensure_running_with(&home, daemon).unwrap(), b"p");
    let process = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    wait_until_stopped(&home).unwrap();
    assert!(home.socket().exists() && connect_if_running(&home).unwrap().is_none());
    assert_ne!(say(ensure_running_with(&home, daemon).unwrap(), b"p"), pid);
    say(ensure_running_with(&home, daemon).unwrap(), b"q");
    wait_until_stopped(&home).unwrap();
}

#[test]
fn the_daemons_own_words_reach_the_client() {
    let (_directory, home) = home();
    let fail = || {
        let mut command = daemon();
        command.env(FAIL, "1");
        command
    };
    assert_eq!(ensure_running_with(&home, fail).unwrap_err().to_string(), "no luck today");
    let dead = || Command::new("false");
    assert!(matches!(ensure_running_with(&home, dead), Err(LifecycleError::Died { .. })));
}
