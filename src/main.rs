//! The one binary: every tool, chosen by the name it is called by.

use std::ffi::OsString;
use std::process::ExitCode;

use clerestory::server::lifecycle;
use clerestory::{client, server};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    client::run(&words, |home, mode| lifecycle::serve(home, mode, server::run))
}
