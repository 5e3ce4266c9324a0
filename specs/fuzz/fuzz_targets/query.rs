//! Text as a query.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| clerestory_specs_fuzz::fuzzed::query(text));
