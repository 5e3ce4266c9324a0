//! Bytes as the text of a config spec.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| clerestory_specs_fuzz::fuzzed::spec(text));
