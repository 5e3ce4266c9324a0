//! What the fuzz targets do with their input: the same that the test suite does with the seeds.

#[path = "../tests/suite/fuzzed.rs"]
pub mod fuzzed;
#[allow(dead_code, reason = "shared with the test suite, which uses more of it")]
#[path = "../tests/suite/support.rs"]
mod support;
