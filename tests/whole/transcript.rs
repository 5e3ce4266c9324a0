//! Whole command sessions as text: what is typed after `$ `, and below it everything that comes out.
//!
//! Standard output and standard error are one stream, as on a terminal. `[exit N]` follows a command that ended with
//! another status than 0. Object ids, the host and the world's directory are masked.

use std::path::Path;

use crate::world::{Output, World};

/// Runs the commands of a transcript in a directory of a world and compares everything.
#[track_caller]
pub fn check(world: &World, directory: &Path, expected: &str) {
    let expected = expected.trim();
    let mut found = String::new();
    for line in expected.lines().filter(|line| line.starts_with("$ ")) {
        let output = run(world, directory, &line[2..]);
        found += &format!("{line}\n{}", mask(world, &output.stdout));
        if !found.ends_with('\n') {
            found.push('\n');
        }
        if output.status != 0 {
            found += &format!("[exit {}]\n", output.status);
        }
    }
    let found = found.trim();
    if found != expected {
        let same = found.lines().zip(expected.lines()).take_while(|(a, b)| a == b).count();
        let line = |text: &str| text.lines().nth(same).unwrap_or("(end)").to_owned();
        panic!(
            "line {}:\n  expected {}\n  found    {}\n---- all that was found ----\n{found}\n",
            same + 1,
            line(expected),
            line(found)
        );
    }
}

fn run(world: &World, directory: &Path, line: &str) -> Output {
    // The subshell keeps the redirection for all of the line.
    world.sh(directory, &format!("{{ {line}\n}} 2>&1"))
}

/// Replaces what differs from run to run.
pub fn mask(world: &World, text: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let root = world.root().display().to_string();
    let text = text.replace(&format!("{}:{root}", host.trim()), "HOST:WORLD").replace(&root, "WORLD");
    let mut masked = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_hexdigit() && !letter.is_ascii_uppercase() {
            digits.push(letter);
            continue;
        }
        masked += if digits.len() == 32 { "OID" } else { &digits };
        digits.clear();
        masked.push(letter);
    }
    masked.pop();
    let dotted = regex::Regex::new(r"[0-9a-f]{8}\.[0-9a-f]{8}\.[0-9a-f]{4}(?:[.:][0-9a-f]{2}){6}");
    dotted.expect("the pattern is right").replace_all(&masked, "OID").into_owned()
}
