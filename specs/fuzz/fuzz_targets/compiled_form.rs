//! Bytes as the compiled form of a config spec.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|form: &[u8]| clerestory_specs_fuzz::fuzzed::compiled_form(form));
