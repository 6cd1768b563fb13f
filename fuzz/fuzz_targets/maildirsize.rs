//! See the law of this name in `fuzz/laws`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| qmail_laws::maildirsize(bytes));
